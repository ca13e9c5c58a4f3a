"""Programs on a real host over SSH, through the system's ssh and through paramiko."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from portalops.errors import HostUnreachable, UsageError
from portalops.system.remote import (
    CONNECTION_LOST,
    PATH,
    RemoteCommand,
    RemoteRunner,
    Running,
    shell_command,
    start_there,
)
from portalops.system.ssh import SshTarget
from tests.servers import SshHost, new_key, sshd, user_name

CLIENTS = ("openssh", "paramiko")
ENVIRONMENT = {"PATH": PATH}


@pytest.fixture
def target(ssh_host: SshHost) -> SshTarget:
    ssh_host.let_in()
    return target_on(ssh_host)


def target_on(host: SshHost) -> SshTarget:
    key = " ".join(host.host_key.split()[:2])
    return SshTarget("127.0.0.1", host.port, user_name(), host.folder / "client", (key,))


@pytest.fixture
def own_host(tmp_path: Path) -> Iterator[SshHost]:
    with sshd(tmp_path / "sshd") as host:
        host.let_in()
        yield host


def read_to_end(running: Running) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    space = bytearray(1 << 20)
    while got := os.readv(running.stdout.fileno(), [space]):
        size += got
        digest.update(memoryview(space)[:got])
    return size, digest.hexdigest()


@pytest.mark.parametrize("client", CLIENTS)
def test_arguments_and_variables_arrive_as_they_were_given(target: SshTarget, client: str) -> None:
    odd = ("it's", '$HOME "`id`"\n*', "", "-n", "tên \udcff", "\\")

    done = RemoteRunner(target, {**ENVIRONMENT, "MARK": "a 'b' $c"}, client=client).run(
        ("sh", "-c", 'printf "%s\\0" "$@" "$MARK"', "sh", *odd)
    )

    assert [os.fsdecode(each) for each in done.stdout.split(b"\0")] == [*odd, "a 'b' $c", ""]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_secret_is_in_no_argument_and_the_rest_of_the_input_follows_it(target: SshTarget, client: str) -> None:
    own = str(os.getpid())
    secret = f"mật {own} 'khẩu' $x\\ "
    seen = f'grep -aq "mật [{own[0]}]{own[1:]}" && echo seen'  # a pattern that does not find itself
    script = f'cat; printf "|%s|" "$TOKEN"; cat /proc/*/cmdline 2>/dev/null | {seen}; exit 7'

    done = RemoteRunner(target, ENVIRONMENT, {"TOKEN": secret}, client=client).run(
        ("sh", "-c", script), stdin=b"input\n" * 50_000
    )

    assert done.exit_code == 7
    assert done.stdout == b"input\n" * 50_000 + f"|{secret}|".encode()


def test_a_secret_is_not_in_what_an_order_shows() -> None:
    order = RemoteCommand(("true",), secrets={"TOKEN": "geheim"})

    assert "geheim" not in repr(order) + shell_command(order)


@pytest.mark.parametrize(
    "order", [RemoteCommand(("true", "a\0b")), RemoteCommand(("true",), secrets={"TOKEN": "a\nb"})]
)
def test_what_cannot_be_handed_over_is_refused(order: RemoteCommand) -> None:
    with pytest.raises(UsageError, match="has a character that is not allowed"):
        shell_command(order)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3), ("exit 255", 254), ("kill -9 $$", 137)])
def test_the_programs_exit_code_is_its_own(target: SshTarget, client: str, script: str, code: int) -> None:
    running = start_there(target, RemoteCommand(("sh", "-c", script), ENVIRONMENT), client=client)

    assert (running.wait(10), running.lost()) == (code, None)
    running.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_another_host_key_is_refused_before_anything_is_sent(target: SshTarget, client: str, tmp_path: Path) -> None:
    other = replace(target, host_keys=(" ".join(new_key(tmp_path / "other").split()[:2]),))

    with pytest.raises(HostUnreachable, match="has another host key than the recorded one"):
        start_there(other, RemoteCommand(("touch", str(tmp_path / "sent")), ENVIRONMENT), client=client)

    assert not (tmp_path / "sent").exists()


@pytest.mark.parametrize("client", CLIENTS)
def test_another_key_is_not_let_in(target: SshTarget, client: str, tmp_path: Path) -> None:
    new_key(tmp_path / "mine")

    with pytest.raises(HostUnreachable, match="refuses this key"):
        start_there(replace(target, identity=tmp_path / "mine"), RemoteCommand(("true",), ENVIRONMENT), client=client)


@pytest.mark.parametrize("client", CLIENTS)
def test_words_of_the_shell_are_never_taken_for_the_programs(own_host: SshHost, client: str) -> None:
    own_host.answer_with('echo Welcome; eval "$SSH_ORIGINAL_COMMAND"')

    with pytest.raises(HostUnreachable, match="its login shell prints text before the program starts: Welcome"):
        start_there(target_on(own_host), RemoteCommand(("echo", "data"), ENVIRONMENT), client=client)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_connection_that_is_cut_is_told_from_a_program_that_ends(own_host: SshHost, client: str) -> None:
    running = start_there(
        target_on(own_host), RemoteCommand(("sh", "-c", "echo begun; sleep 60"), ENVIRONMENT), client=client
    )
    assert os.read(running.stdout.fileno(), 10) == b"begun\n"

    for process in psutil.Process(own_host.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # one may end with the other
            if process.name().startswith("sshd"):
                process.send_signal(signal.SIGKILL)

    assert read_to_end(running)[0] == 0
    assert running.wait(20) == CONNECTION_LOST
    assert running.lost() is not None
    running.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_is_left_here_or_there_of_a_program_that_is_given_up(target: SshTarget, client: str) -> None:
    line = f"a line of no use to {os.getpid()}"
    running = start_there(target, RemoteCommand(("yes", line), ENVIRONMENT), client=client)
    assert len(os.read(running.stdout.fileno(), 4096)) > 0

    running.close()

    deadline = time.monotonic() + 60
    while subprocess.run(["pgrep", "-f", f"^yes {line}$"], capture_output=True, check=False).returncode == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert not [each for each in threading.enumerate() if each.name.startswith("ssh-")]


@pytest.mark.heavy
@pytest.mark.parametrize("client", CLIENTS)
def test_a_deadline_and_a_limit_end_a_short_program(target: SshTarget, client: str) -> None:
    runner = RemoteRunner(target, ENVIRONMENT, client=client)

    assert runner.run(("sleep", "60"), timeout_seconds=4).exit_code == 124
    cut = runner.run(("yes",), limit_bytes=1000)
    assert (cut.truncated, len(cut.stdout)) == (True, 1000)


@pytest.mark.heavy
@pytest.mark.parametrize("client", CLIENTS)
def test_a_stream_past_every_limit_of_the_library_arrives_whole(target: SshTarget, client: str) -> None:
    size = (2 << 30) + (300 << 20)
    made = hashlib.sha256()
    for _piece in range(size >> 20):
        made.update(bytes(1 << 20))

    begun = time.monotonic()
    running = start_there(target, RemoteCommand(("head", "-c", str(size), "/dev/zero"), ENVIRONMENT), client=client)
    got = read_to_end(running)

    assert got == (size, made.hexdigest())
    assert (running.wait(10), running.lost()) == (0, None)
    running.close()
    print(f"{client}: {size / (time.monotonic() - begun) / 1e6:.0f} MB/s")
