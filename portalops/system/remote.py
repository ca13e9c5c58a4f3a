"""Programs on another host over SSH, streamed: started, read from pipes and ended as if they ran here.

No file is made there. Bulk goes through the system's ssh where there is one, and through paramiko otherwise; the same host
key is pinned in both. Every argument is quoted for the shell there, which must know `exec` and quotes as sh does. What the
program prints and says begins behind a line of its own on either output: on standard output nothing may stand before it,
and what does so on standard error is nobody's word on the program, such as the banner of an sshd or the words of a .bashrc.

ssh's own exit code 255 says that the connection did not hold, so a program that ends with it has 254 here; one that a signal
ended has 128 and the signal's number, as sh says it. A secret is given on standard input,
and is a variable of the program's environment there, which Linux shows to the account itself and to root alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from portalops.config.secrets import check_private_file
from portalops.errors import HostUnreachable, UsageError
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.ports import Completed
from portalops.system.openssh import (
    ENVIRONMENT,
    MAX_STDERR_BYTES,
    explain_no_session,
    find_ssh,
    known_hosts_text,
    ssh_command_arguments,
)
from portalops.system.scratch import scratch_folder
from portalops.system.ssh import Command, SshTarget, no_session

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BEGIN = b"portalops: the program begins\n"
"""What the host prints on both outputs right before the program runs."""
TIMEOUT_SECONDS = 60
"""For connecting, and for a host that does not show that it is alive."""
CONNECTION_LOST = 255
"""ssh's own exit code."""
PIPE_BYTES = 1 << 20
"""A reading takes at most what the pipe holds, 64 KiB by default; pipe(7)."""
_GRACE_SECONDS = 5.0
_ENDED = msg("the connection ended before the program did")
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class RemoteCommand:
    """What is run on a host."""

    argv: tuple[str, ...]
    """Program and arguments; never a secret, because every user of that host can read them."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside the neutral ones; no secrets either."""
    folder: str = ""
    """Where it runs; empty for the account's home."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables that are given on standard input, and stand in no argument."""


class Running(Protocol):
    """A program on a host, under way."""

    has_begun: bool
    """The program itself was reached: whatever comes of the connection now cuts it short."""

    @property
    def stdin(self) -> IO[bytes]:
        """Return what it reads; closing it ends its input."""
        ...

    @property
    def stdout(self) -> IO[bytes]:
        """Return what it prints."""
        ...

    @property
    def stderr(self) -> IO[bytes]:
        """Return what it says."""
        ...

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        ...

    def wait(self, timeout: float) -> int:
        """Return its exit code.

        Raises:
            subprocess.TimeoutExpired: it did not end in so many seconds.
        """
        ...

    def interrupt(self) -> None:
        """Ask it to stop; on another host that ends the connection, for no signal crosses it."""
        ...

    def lost(self) -> HostUnreachable | None:
        """Return why the connection broke, if it did before the program ended."""
        ...

    def close(self) -> None:
        """End the connection; a program that still writes ends with it."""
        ...


def shell_command(order: RemoteCommand) -> str:
    """Return an order as one command for the account's shell.

    >>> print(shell_command(RemoteCommand(("echo", "it's"), {"TZ": "UTC"}))[:48])
    exec sh -c 'printf '"'"'portalops: the program b

    Raises:
        UsageError: an argument holds a NUL, which no argument can.
    """
    begin = f"printf {shlex.quote(BEGIN.decode().rstrip() + chr(92) + 'n')}"
    steps = [f"{begin} >&2", begin]
    steps += [f"IFS= read -r {name} && export {name}" for name in order.secrets]
    if order.folder:
        steps.append(f"cd -- {shlex.quote(order.folder)}")
    variables = [f"{name}={value}" for name, value in order.environment.items()]
    # Not by exec: the shell stays to tell the program's exit code from ssh's own.
    steps.append(
        f"{{ env {shlex.join([*variables, *order.argv])}; code=$?; [ $code != 255 ] || code=254; exit $code; }}"
    )
    command = f"exec sh -c {shlex.quote(' && '.join(steps))}"
    if "\0" in command or any("\n" in value or "\0" in value for value in order.secrets.values()):
        raise UsageError(
            msg("an argument or secret for another host has a character that is not allowed"),
            msg("Remove line feeds from the secret and NULs from the arguments."),
        )
    return command


def start_there(target: SshTarget, order: RemoteCommand, *, client: str = "auto") -> Running:
    """Start a program on a host, and wait until it begins.

    Args:
        target: the host and its pinned keys.
        order: what is run.
        client: `openssh`, `paramiko`, or `auto` for the system's ssh where there is one.

    Raises:
        HostUnreachable: no session could be opened, or the host is not the pinned one; nothing was sent to it then.
        SecretUnavailable: the private key cannot be had.
    """
    command = shell_command(order)
    program = find_ssh() if client in {"auto", "openssh"} else None
    if client == "openssh" and program is None:
        raise HostUnreachable(
            msg("the program ssh is not installed on this machine"),
            msg('Install openssh-client, or set client = "auto".'),
        )
    running: Running = (
        _LibrarySession(target, command) if program is None else _ProgramSession(target, program, command)
    )
    try:
        _await_beginning(target, running)
        running.has_begun = True
        with contextlib.suppress(BrokenPipeError):  # it has ended: its exit code tells
            for value in order.secrets.values():
                running.stdin.write(f"{value}\n".encode())
            running.stdin.flush()
    except BaseException:  # an interrupt, too, leaves nothing running
        running.close()
        raise
    return running


class RemoteRunner:
    """A `ports.Runner` on a host."""

    def __init__(
        self,
        target: SshTarget,
        environment: Mapping[str, str],
        secrets: Mapping[str, str] | None = None,
        *,
        client: str = "auto",
    ) -> None:
        self._target = target
        self._environment = dict(environment)
        self._secrets = dict(secrets or {})
        self._client = client

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        """Run a program there to its end.

        Raises:
            HostUnreachable: no session could be opened, or it did not hold.
            SecretUnavailable: the private key cannot be had.
        """
        order = RemoteCommand(tuple(argv), self._environment, secrets=self._secrets)
        running = start_there(self._target, order, client=self._client)
        try:
            done = _communicate(running, stdin, time.monotonic() + timeout_seconds, limit_bytes)
            if (lost := running.lost()) is not None:
                raise lost
            return done
        finally:
            running.close()


def _await_beginning(target: SshTarget, running: Running) -> None:
    """Read both outputs up to the line that says that the program begins, and not a byte more."""
    until = time.monotonic() + 2 * TIMEOUT_SECONDS
    got = b""
    while got != BEGIN:
        more = _awaited(target, running.stdout, len(BEGIN) - len(got), until)
        got += more
        if not BEGIN.startswith(got):
            raise no_session(
                target,
                msg(
                    "its login shell prints text before the program starts: {said}",
                    said=show_text(got.decode("utf-8", "replace")),
                ),
            )
        if not more:
            raise _explain_failure(target, running)
    said = b""
    while not said.endswith(BEGIN):
        had = next(size for size in range(len(BEGIN) - 1, -1, -1) if said.endswith(BEGIN[:size]))
        more = _awaited(target, running.stderr, len(BEGIN) - had, until)
        if not more:
            raise _explain_failure(target, running)
        said = (said + more)[-MAX_STDERR_BYTES:]


def _awaited(target: SshTarget, pipe: IO[bytes], most: int, until: float) -> bytes:
    left = until - time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        if left <= 0 or not selector.select(left):
            raise no_session(target, msg("it did not answer in time"))
    return os.read(pipe.fileno(), most)


def _explain_failure(target: SshTarget, running: Running) -> HostUnreachable:
    """Return why the program did not begin."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        running.wait(_GRACE_SECONDS)
    if (lost := running.lost()) is not None:
        return lost
    said = b""
    os.set_blocking(running.stderr.fileno(), False)
    with contextlib.suppress(BlockingIOError):
        said = os.read(running.stderr.fileno(), MAX_STDERR_BYTES)
    words = " ".join(said.decode("utf-8", "replace").split())[-300:]
    code = running.poll()
    return no_session(
        target,
        msg(
            "its login shell did not run the program (exit code {exit_code}): {said}",
            exit_code="-" if code is None else code,
            said=show_text(words, 300) or "-",
        ),
    )


def _broken(target: SshTarget, cause: Message) -> HostUnreachable:
    """Return the error of a connection that did not hold until the program had ended."""
    return HostUnreachable(
        msg("the connection to {host} broke: {cause}", host=target.address, cause=cause),
        msg("Check the host, its sshd and the network; then run 'portalops backup run' again."),
    )


class _ProgramSession:
    """Through the system's ssh."""

    has_begun: bool = False

    def __init__(self, target: SshTarget, program: Path, command: str) -> None:
        check_private_file(target.identity)
        self._target = target
        try:
            self._folder = scratch_folder()
        except OSError as error:
            raise no_session(target, verbatim(show_text(f"{error.filename}: {error.strerror}", 200))) from error
        folder = Path(self._folder.name)
        self._log = folder / "log"
        known_hosts = folder / "known_hosts"
        known_hosts.write_text(known_hosts_text(target), encoding="ascii")
        argv = ssh_command_arguments(
            target, program, known_hosts, timeout_seconds=TIMEOUT_SECONDS, log=self._log, command=command
        )
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**ENVIRONMENT, "HOME": self._folder.name},
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            self._folder.cleanup()
            cause = error.strerror if isinstance(error, OSError) else str(error)
            raise no_session(target, verbatim(show_text(f"{program}: {cause}", 200))) from error
        assert self._process.stdin is not None and self._process.stdout is not None and self._process.stderr is not None
        self.stdin, self.stdout, self.stderr = self._process.stdin, self._process.stdout, self._process.stderr
        for pipe in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):  # more than this user may have
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def poll(self) -> int | None:
        return self._process.poll()

    def wait(self, timeout: float) -> int:
        return self._process.wait(timeout)

    def interrupt(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

    def lost(self) -> HostUnreachable | None:
        if self._process.poll() != CONNECTION_LOST:
            return None
        said = ""
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - MAX_STDERR_BYTES))
            said = " ".join(log.read(MAX_STDERR_BYTES).decode("utf-8", "replace").split())
        cause = verbatim(show_text(said, 300)) if said else _ENDED
        if self.has_begun:
            return _broken(self._target, cause)
        return explain_no_session(self._target, said) if said else no_session(self._target, cause)

    def close(self) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0 if number == signal.SIGTERM else _GRACE_SECONDS)
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
        self._process.wait()
        self._folder.cleanup()


class _LibrarySession:
    """Through paramiko; threads carry bytes between its channel and pipes, so that both ways are read alike."""

    has_begun: bool = False

    def __init__(self, target: SshTarget, command: str) -> None:
        self._target = target
        self._command = Command(target, command, timeout_seconds=TIMEOUT_SECONDS)
        self._problem = ""
        ends = [os.pipe() for _pipe in range(3)]
        for pair in ends:
            with contextlib.suppress(OSError):
                fcntl.fcntl(pair[0], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        (input_end, stdin), (stdout, output_end), (stderr, error_end) = ends
        self.stdin: IO[bytes] = open(stdin, "wb", buffering=0)  # noqa: SIM115  # closed by close
        self.stdout: IO[bytes] = open(stdout, "rb", buffering=0)  # noqa: SIM115  # as above
        self.stderr: IO[bytes] = open(stderr, "rb", buffering=0)  # noqa: SIM115  # as above
        self._threads = [
            threading.Thread(target=self._feed, args=(input_end,), name="ssh-stdin", daemon=True),
            threading.Thread(target=self._drain, args=(self._command.stdout, output_end), name="ssh-out", daemon=True),
            threading.Thread(target=self._drain, args=(self._command.stderr, error_end), name="ssh-err", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def poll(self) -> int | None:
        return self._command.exit_code(0.0) if not self._drains() else None

    def wait(self, timeout: float) -> int:
        until = time.monotonic() + timeout
        for thread in self._threads[1:]:
            thread.join(max(0.0, until - time.monotonic()))
        code = None if self._drains() else self._command.exit_code(max(0.0, until - time.monotonic()))
        if code is None:
            raise subprocess.TimeoutExpired("ssh", timeout)
        return code

    def interrupt(self) -> None:
        self._command.close()

    def lost(self) -> HostUnreachable | None:
        if self._problem:
            return _broken(self._target, verbatim(show_text(self._problem, 300)))
        if self.poll() is not None and self._command.broke:
            return _broken(self._target, _ENDED)
        return None

    def close(self) -> None:
        self._command.close()
        for pipe in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        for thread in self._threads:
            thread.join(_GRACE_SECONDS)

    def _drains(self) -> bool:
        return any(thread.is_alive() for thread in self._threads[1:])

    def _feed(self, pipe: int) -> None:
        with contextlib.closing(os.fdopen(pipe, "rb", buffering=0)) as source, contextlib.suppress(OSError, EOFError):
            while piece := source.read(_CHUNK_BYTES):
                self._command.send(piece)
            self._command.end_input()

    def _drain(self, read: Command.Reading, pipe: int) -> None:
        with contextlib.closing(os.fdopen(pipe, "wb", buffering=0)) as sink:
            try:
                while piece := read(_CHUNK_BYTES):
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[sink.write(rest) :]
            except HostUnreachable as error:
                self._problem = str(error.message.values.get("cause", error))
            except OSError:
                self._command.close()  # nobody reads any more


def _communicate(running: Running, stdin: bytes, deadline: float, limit_bytes: int) -> Completed:
    """Feed and drain all three pipes at once, until the deadline or the limit; see `ports.Completed`."""
    outputs = {running.stdout.fileno(): bytearray(), running.stderr.fileno(): bytearray()}
    pending = memoryview(stdin)
    truncated = False
    with selectors.DefaultSelector() as selector:
        for pipe in outputs:
            selector.register(pipe, selectors.EVENT_READ)
        if pending:
            os.set_blocking(running.stdin.fileno(), False)
            selector.register(running.stdin, selectors.EVENT_WRITE)
        else:
            running.stdin.close()
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                return Completed(124, *_both(outputs))
            for key, _events in ready:
                if key.fileobj is running.stdin:
                    pending = _fed(key.fd, pending)
                    if not pending:
                        selector.unregister(running.stdin)
                        running.stdin.close()
                    continue
                chunk = os.read(key.fd, _CHUNK_BYTES)
                outputs[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
                elif len(outputs[key.fd]) > limit_bytes:
                    del outputs[key.fd][limit_bytes:]
                    truncated = True
            if truncated:
                break
    try:
        code = -1 if truncated else running.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        code = 124
    return Completed(code, *_both(outputs), truncated)


def _both(outputs: Mapping[int, bytearray]) -> tuple[bytes, bytes]:
    stdout, stderr = outputs.values()
    return bytes(stdout), bytes(stderr)


def _fed(pipe: int, pending: memoryview) -> memoryview:
    try:
        return pending[os.write(pipe, pending[:_CHUNK_BYTES]) :]
    except BlockingIOError:
        return pending
    except BrokenPipeError:
        return pending[:0]  # the program stopped reading: its exit code tells
