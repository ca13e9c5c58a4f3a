"""The shell of another host, against sshd itself: whose key counts, what hangs, what floods, and what is jumped over."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from portalops.errors import HostAway, HostKeyChanged, HostUnreachable, LegacySsh
from portalops.ports import Completed
from portalops.signatures.sshsig import fingerprint
from portalops.system.ssh import SshTarget
from portalops.system.ssh_shell import SshShell, shown_keys, try_step_by_step
from tests.servers import SshHost, new_key, sshd, user_name

ARGUMENT = "00112233445566778899aabbccddeeff"


def target(host: SshHost, **other: object) -> SshTarget:
    key = " ".join(host.host_key.split()[:2])
    known = {"host": "127.0.0.1", "port": host.port, "user": user_name(), "identity": host.folder / "client"}
    return SshTarget(**{**known, "host_keys": (key,), **other})  # type: ignore[arg-type]


def run(where: SshTarget, script: bytes, *, seconds: float = 20, limit: int = 1 << 20) -> Completed:
    return SshShell(where).run_script(script, argument=ARGUMENT, deadline_seconds=seconds, limit_bytes=limit)


def test_script_goes_in_by_standard_input_and_both_outputs_come_back(ssh_host: SshHost) -> None:
    done = run(target(ssh_host), b'echo "$1"; echo said >&2; exit 7\n')

    assert done == Completed(7, f"{ARGUMENT}\n".encode(), b"said\n")


def test_script_that_is_larger_than_every_buffer_gets_there_while_its_answer_comes_back(ssh_host: SshHost) -> None:
    line = b"printf '%s\\n' " + b"x" * 200 + b"\n"

    done = run(target(ssh_host), line * 40_000, limit=64 << 20, seconds=60)

    assert (done.exit_code, len(done.stdout)) == (0, 40_000 * 201)


def test_flood_of_complaints_does_not_stop_the_answer(ssh_host: SshHost) -> None:
    done = run(target(ssh_host), b"yes | head -c 4000000 >&2; echo answer\n", limit=8 << 20)

    assert (done.exit_code, done.stdout) == (0, b"answer\n")
    assert len(done.stderr) == 8192


@pytest.mark.parametrize("flood", [b"yes", b"yes >&2"])
def test_endless_output_is_cut_at_the_limit(ssh_host: SshHost, flood: bytes) -> None:
    done = run(target(ssh_host), b"echo first\n" + flood + b"\n", limit=1 << 20)

    assert done.truncated
    assert done.exit_code == -1
    assert len(done.stdout) <= 1 << 20
    assert done.stdout.startswith(b"first\n")


@pytest.mark.heavy
def test_host_that_hangs_in_mid_answer_is_left_at_the_deadline_with_what_it_said(ssh_host: SshHost) -> None:
    begun = time.monotonic()

    done = run(target(ssh_host), b"echo first; sleep 60; echo second\n", seconds=6)

    assert (done.exit_code, done.stdout) == (124, b"first\n")
    assert time.monotonic() - begun < 50


@pytest.mark.heavy
def test_host_that_reads_nothing_is_left_at_the_deadline(tmp_path: Path) -> None:
    with sshd(tmp_path, options=("ForceCommand=sleep 60",)) as host:
        host.let_in()

        done = run(target(host), b"true\n" * 1_000_000, seconds=6)

    assert (done.exit_code, done.stdout) == (124, b"")


@contextmanager
def silent_host() -> Iterator[int]:
    """A host that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.heavy
def test_host_without_a_banner_is_away_at_the_deadline(ssh_host: SshHost) -> None:
    with silent_host() as port, pytest.raises(HostAway, match="did not answer in time"):
        run(target(ssh_host, port=port), b"true\n", seconds=2)


@pytest.mark.heavy
def test_host_that_stops_talking_after_its_banner_is_away_at_the_deadline(ssh_host: SshHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            link, _address = server.accept()
            with link:
                link.sendall(b"SSH-2.0-OpenSSH_10.0\r\n")
                link.recv(1 << 16)
                stop.wait(30)

        stop = threading.Event()
        thread = threading.Thread(target=greet)
        thread.start()
        try:
            with pytest.raises(HostAway, match="did not answer in time"):
                run(target(ssh_host, port=server.getsockname()[1]), b"true\n", seconds=2)
        finally:
            stop.set()
            thread.join()


def test_connection_that_breaks_in_mid_answer_leaves_what_was_said(tmp_path: Path) -> None:
    with sshd(tmp_path) as host:
        host.let_in()

        done = run(target(host), b"echo first; sleep 1; kill -9 $PPID; sleep 1; echo second\n")

    assert done.exit_code != 0
    assert done.stdout == b"first\n"


def test_host_with_another_key_gets_neither_login_nor_command(tmp_path: Path) -> None:
    with sshd(tmp_path / "host", options=("LogLevel=VERBOSE",)) as host:
        host.let_in()
        other = " ".join(new_key(tmp_path / "other").split()[:2])

        with pytest.raises(HostKeyChanged, match="another host key") as raised:
            run(target(host, host_keys=(other,)), b"touch " + str(tmp_path / "touched").encode() + b"\n")

        log = (host.folder / "log").read_text()
    assert fingerprint(host.host_key) in str(raised.value)
    assert "Accepted" not in log and "publickey" not in log
    assert not (tmp_path / "touched").exists()


def test_host_without_a_key_of_the_recorded_type_is_another_host(ssh_host: SshHost) -> None:
    elliptic = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY="

    with pytest.raises(HostKeyChanged, match="no host key of the recorded type"):
        run(target(ssh_host, host_keys=(elliptic,)), b"true\n")


def test_host_that_knows_broken_key_exchanges_alone_is_legacy(tmp_path: Path) -> None:
    with sshd(tmp_path, options=("KexAlgorithms=diffie-hellman-group14-sha1",)) as host:
        host.let_in()

        with pytest.raises(LegacySsh, match="no acceptable kex algorithm"):
            run(target(host), b"true\n")


def test_key_that_is_not_let_in_is_refused_and_not_away(ssh_host: SshHost, tmp_path: Path) -> None:
    new_key(tmp_path / "stranger")

    with pytest.raises(HostUnreachable, match="refuses this key") as raised:
        run(target(ssh_host, identity=tmp_path / "stranger"), b"true\n")

    assert not isinstance(raised.value, HostAway)


def test_keys_of_a_host_are_shown_without_a_login(tmp_path: Path) -> None:
    with sshd(tmp_path, options=("LogLevel=VERBOSE",)) as host:
        keys = tuple(shown_keys("127.0.0.1", host.port))
        log = (tmp_path / "log").read_text()

    assert keys == (" ".join(host.host_key.split()[:2]),)
    assert "Accepted" not in log


def test_steps_are_told_one_by_one(ssh_host: SshHost, tmp_path: Path) -> None:
    assert list(try_step_by_step(target(ssh_host))) == ["connect", "key", "login", "session"]

    new_key(tmp_path / "stranger")
    steps = try_step_by_step(target(ssh_host, identity=tmp_path / "stranger"))
    assert [next(steps), next(steps)] == ["connect", "key"]
    with pytest.raises(HostUnreachable, match="refuses this key"):
        next(steps)


def test_jump_passes_on_and_each_host_proves_its_own_key(tmp_path: Path) -> None:
    with sshd(tmp_path / "jump") as jump, sshd(tmp_path / "target") as host:
        jump.let_in(f'restrict,from="127.0.0.1",port-forwarding,permitopen="127.0.0.1:{host.port}"')
        host.let_in()

        done = SshShell(target(host), jump=target(jump)).run_script(
            b"echo there\n", argument=ARGUMENT, deadline_seconds=20, limit_bytes=1 << 20
        )

    assert done == Completed(0, b"there\n", b"")


def test_jump_with_another_key_says_nothing_against_the_target(tmp_path: Path) -> None:
    with sshd(tmp_path / "jump") as jump, sshd(tmp_path / "target") as host:
        jump.let_in("restrict,port-forwarding")
        other = " ".join(new_key(tmp_path / "other").split()[:2])

        with pytest.raises(HostUnreachable, match="another host key") as raised:
            SshShell(target(host), jump=target(jump, host_keys=(other,))).run_script(
                b"true\n", argument=ARGUMENT, deadline_seconds=20, limit_bytes=1 << 20
            )

    assert not isinstance(raised.value, HostKeyChanged)


def test_target_behind_a_jump_with_another_key_is_another_host(tmp_path: Path) -> None:
    with sshd(tmp_path / "jump") as jump, sshd(tmp_path / "target") as host:
        jump.let_in("restrict,port-forwarding")
        host.let_in()
        other = " ".join(new_key(tmp_path / "other").split()[:2])

        with pytest.raises(HostKeyChanged):
            SshShell(target(host, host_keys=(other,)), jump=target(jump)).run_script(
                b"true\n", argument=ARGUMENT, deadline_seconds=20, limit_bytes=1 << 20
            )


def test_jump_that_passes_nothing_on_is_named(tmp_path: Path) -> None:
    with sshd(tmp_path / "jump") as jump, sshd(tmp_path / "target") as host:
        jump.let_in("restrict")

        with pytest.raises(HostUnreachable, match="cannot connect to it"):
            SshShell(target(host), jump=target(jump)).run_script(
                b"true\n", argument=ARGUMENT, deadline_seconds=20, limit_bytes=1 << 20
            )


@pytest.mark.heavy
def test_fifty_hosts_answer_at_once(ssh_host: SshHost) -> None:
    before = set(threading.enumerate())
    with ThreadPoolExecutor(50) as pool:
        done = list(pool.map(lambda _n: run(target(ssh_host), b"echo there\n", seconds=60), range(50)))

    assert {one.stdout for one in done} == {b"there\n"}
    for thread in set(threading.enumerate()) - before:  # one whose host hung up first may be about to end
        thread.join(60)
        assert not thread.is_alive(), thread


@pytest.mark.heavy
def test_sshd_that_takes_few_at_once_loses_nobody(tmp_path: Path) -> None:
    with sshd(tmp_path, options=("MaxStartups=2:100:3",)) as host:
        host.let_in()
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _n: run(target(host), b"echo there\n", seconds=60), range(8)))

    assert [one.stdout for one in done] == [b"there\n"] * 8


def test_argument_that_a_shell_could_read_otherwise_is_a_fault(ssh_host: SshHost) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        SshShell(target(ssh_host)).run_script(b"", argument="a; id", deadline_seconds=1, limit_bytes=1)
