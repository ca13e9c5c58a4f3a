"""Many hosts, some of them hostile: memory does not grow with their number, and none holds up the others for longer than its time."""

from __future__ import annotations

import hashlib
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.runner import run_checks
from checks.servers.script import HOST_BYTES
from portalops.model.checks import CheckScan
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.ports import Completed, Shell
from portalops.system.clock import SystemClock
from portalops.system.ssh import SshTarget
from portalops.system.ssh_shell import SshShell
from tests.checks.servers.test_runner import QuotingShell
from tests.doubles import SilentProgress
from tests.servers import SshHost, sshd, user_name

AT_ONCE = 4
SOME = chosen(ids=("patching.os-eol",))
GOOD = QuotingShell({"os.release": b"ID=debian\nVERSION_ID=13\n"})


class Digester:
    """Digests evidence and lets it go."""

    def keep(self, data: bytes) -> Digest:
        return Digest(hashlib.sha256(data).hexdigest())


class Flooding:
    """Says nothing of use until it is cut."""

    address = "192.0.2.1"

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        return Completed(-1, b"password=hunter2\n" + b"y\n" * (limit_bytes // 2), b"", truncated=True)


class Hasty:
    """A real host, to which less time is given."""

    def __init__(self, shell: Shell, seconds: float) -> None:
        self.shell, self.seconds, self.address = shell, seconds, shell.address

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        return self.shell.run_script(script, argument=argument, deadline_seconds=self.seconds, limit_bytes=limit_bytes)


def hosts(count: int) -> list[Host]:
    return [Host(HostId(f"h{number:04}"), "192.0.2.1") for number in range(count)]


def run(some: Sequence[Host], shell_for: Callable[[Host], Shell]) -> CheckScan:
    return run_checks(
        some,
        Declared(),
        shell_for=shell_for,
        keeper=Digester(),
        clock=SystemClock(),
        progress=SilentProgress(),
        some=SOME,
        at_once=AT_ONCE,
    )


def peak_of(count: int, shell_for: Callable[[Host], Shell]) -> int:
    tracemalloc.start()
    try:
        run(hosts(count), shell_for)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def every_third_floods(host: Host) -> Shell:
    return Flooding() if int(host.id[1:]) % 3 == 0 else GOOD


def test_answers_are_held_of_no_more_hosts_than_are_asked_at_once() -> None:
    run(hosts(1), every_third_floods)  # what is made once

    many = peak_of(AT_ONCE * 9, every_third_floods)

    assert many < HOST_BYTES * (AT_ONCE + 8), "one is redacted at a time, and judged at a time"


def test_thousand_hosts_have_a_result_each() -> None:
    done = run(hosts(1000), lambda host: Flooding() if host.id == "h0500" else GOOD)

    verdicts = {one.host: one.results[0].reason for one in done.hosts if not one.standby}
    assert len(verdicts) == 1000
    assert {name: reason for name, reason in verdicts.items() if reason} == {"h0500": "answer-cut"}


@contextmanager
def real(folder: Path, *, forced: str = "") -> Iterator[SshHost]:
    with sshd(folder, options=("MaxStartups=100",)) as host:
        host.let_in(f'restrict,command="{forced}"' if forced else "restrict")
        yield host


@pytest.mark.heavy
def test_hosts_that_flood_or_hang_hold_up_nobody_beyond_their_time(tmp_path: Path) -> None:
    with (
        real(tmp_path / "good") as good,
        real(tmp_path / "flood", forced="yes") as flood,
        real(tmp_path / "hang", forced="exec sleep 60") as hang,
        real(tmp_path / "drip", forced="while echo x; do sleep 0.1; done") as drip,
    ):
        kinds = (good, good, flood, hang, drip)

        def shell_for(host: Host) -> Shell:
            to = kinds[int(host.id[1:]) % len(kinds)]
            target = SshTarget("127.0.0.1", to.port, user_name(), to.folder / "client", (to.host_key,))
            return Hasty(SshShell(target), 120 if to is good else 3)

        begun = time.monotonic()
        few = peak_of(10, shell_for)
        many = peak_of(30, shell_for)
        done = run(hosts(30), shell_for)

    reasons = [one.results[0].reason for one in done.hosts if not one.standby]
    assert [each for each in reasons if not each] == [""] * 12
    assert set(reasons[2::5]) <= {"answer-cut", "host-deadline"}, "a slow machine carries less of the flood in its time"
    assert set(reasons[3::5]) == set(reasons[4::5]) == {"host-deadline"}
    assert many < few * 1.5
    assert time.monotonic() - begun < 240
