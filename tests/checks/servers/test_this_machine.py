"""This machine is asked by its probe service where that is there; nothing is taken for its answer that is none."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks.servers.gather import gather, parse_answer
from checks.servers.machine import PsutilMachine
from checks.servers.probe import MissingFact, Output, Probe, fact_of
from checks.servers.probe_service import listed_names, local_probes, program_text
from checks.servers.probes import clock, machine
from checks.servers.script import script_for
from checks.servers.this_machine import ProbeServiceMachine, ProbeServiceShell, machine_here, shell_here
from portalops.errors import HostUnreachable
from portalops.schedule.probe import VARIABLE
from portalops.system.programs import LocalShell

KNOWN = {each.id: each for each in local_probes([clock.PROBE])}
OTHER = Probe("clock", ("date", "-u", "+%s"), lambda output: output.text)


@contextmanager
def service(folder: Path, *, program: str = program_text([clock.PROBE])) -> Iterator[str]:
    """Give the socket of a service that runs the program for each connection, as systemd does."""
    file = folder / "program.sh"
    file.write_text(program)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / "probe"))
        door.listen()
        thread = threading.Thread(target=_serve, args=(door, file), daemon=True)
        thread.start()
        try:
            yield str(folder / "probe")
        finally:
            door.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(door: socket.socket, program: Path) -> None:
    while True:
        try:
            link, _peer = door.accept()
        except OSError:
            return
        with link:
            subprocess.run(["sh", str(program), "root"], stdin=link.fileno(), stdout=link.fileno(), check=False)


def test_listed_probes_are_answered_by_the_service(tmp_path: Path) -> None:
    with service(tmp_path) as path:
        answer = parse_answer(gather(ProbeServiceShell(path, probes=lambda: KNOWN), [clock.PROBE]))

    fact = fact_of(clock.PROBE, answer.sections["clock"])
    assert not isinstance(fact, MissingFact)


def test_a_service_of_another_version_answers_what_did_not_change_and_names_the_cure(tmp_path: Path) -> None:
    shell = {"clock": OTHER}
    with service(tmp_path) as path:
        answer = parse_answer(gather(ProbeServiceShell(path, probes=lambda: shell), [OTHER]))

    fact = fact_of(OTHER, answer.sections["clock"])
    assert isinstance(fact, MissingFact) and fact.reason == "probe-service-outdated"
    assert "schedule install" in str(fact.seen)


def test_whatever_is_no_listed_probe_runs_in_a_shell_of_the_caller(tmp_path: Path) -> None:
    assert listed_names(script_for([clock.PROBE]), KNOWN) is not None
    assert listed_names(script_for([OTHER]), KNOWN) is None
    assert listed_names(script_for([clock.PROBE]) + b"id\n", KNOWN) is None
    assert listed_names(script_for([clock.PROBE]).replace(b"probe clock", b"id; probe clock"), KNOWN) is None

    done = ProbeServiceShell(str(tmp_path / "none"), probes=lambda: KNOWN).run_script(
        b'echo "$1"', argument="own", deadline_seconds=5, limit_bytes=100
    )
    assert done.stdout == b"own\n"


def test_a_socket_that_is_away_or_closes_at_once_is_named_with_the_cure(tmp_path: Path) -> None:
    shell = ProbeServiceShell(str(tmp_path / "none"), probes=lambda: KNOWN)
    with pytest.raises(HostUnreachable, match="cannot be asked: No such file") as away:
        gather(shell, [clock.PROBE])
    assert "schedule install" in str(away.value.hint)

    with (
        service(tmp_path, program="head -c 9999 >/dev/null\n") as path,
        pytest.raises(HostUnreachable, match="closed the connection without an answer"),
    ):
        gather(ProbeServiceShell(path, probes=lambda: KNOWN), [clock.PROBE])


def test_a_refused_request_is_told_in_the_words_of_the_service(tmp_path: Path) -> None:
    with (
        service(tmp_path, program="cat >/dev/null; echo 'portalops-probe: it is no request'; exit 64\n") as path,
        pytest.raises(HostUnreachable, match="refuses the request: it is no request"),
    ):
        gather(ProbeServiceShell(path, probes=lambda: KNOWN), [clock.PROBE])


def test_disks_are_those_that_the_service_sees(tmp_path: Path) -> None:
    with service(tmp_path) as path:
        before = machine.parse(PsutilMachine().snapshot().output())
        there = machine.parse(ProbeServiceMachine(path).snapshot().output())
        after = machine.parse(PsutilMachine().snapshot().output())

    # Other tests mount folders and open ports meanwhile, so only what stood all the time has to be there.
    disks = [{disk.mount for disk in each.disks} for each in (before, there, after)]
    ports = [set(each.listeners) for each in (before, there, after)]
    for earlier, seen, later in (disks, ports):
        assert earlier & later <= seen <= earlier | later
    assert disks[1]


def test_disks_that_the_service_does_not_show_are_not_taken_from_here(tmp_path: Path) -> None:
    snapshot = ProbeServiceMachine(str(tmp_path / "none")).snapshot()

    assert (
        snapshot.output() == Output(1, "", snapshot.output().errors) and "cannot be asked" in snapshot.output().errors
    )


def test_a_walled_service_has_no_other_view_of_this_machine(tmp_path: Path) -> None:
    named = {VARIABLE: str(tmp_path / "none")}

    assert isinstance(shell_here(named), ProbeServiceShell) and isinstance(machine_here(named), ProbeServiceMachine)
    assert isinstance(shell_here({}), LocalShell) and isinstance(machine_here({}), PsutilMachine)
