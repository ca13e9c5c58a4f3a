"""Running a program whose output is a stream, here or on a host over SSH, and saying whether the output counts.

A dump counts only if its program ends with exit code 0, prints enough, is never silent for too long, and ends as its kind
ends: one cut short is not a backup. Programs run without a shell; over SSH every argument is quoted for the one there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from backups.sources._settings import Lack, cause_of, require_floor, unavailable
from portalops.config.ssh import SshPlace
from portalops.errors import HostUnreachable, SecretUnavailable, UsageError
from portalops.model.causes import cause_of as cause_in_words
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import Runner, StreamWriter
from portalops.system import remote
from portalops.system.processes import MARK, end_with_all
from portalops.system.programs import LocalRunner
from portalops.system.remote import PIPE_BYTES, RemoteCommand, RemoteRunner, Running, start_there
from portalops.system.ssh import target_of
from portalops.system.stopping import held_back

STDERR_BYTES = 8 << 10
"""How much of the beginning, and of the end, of what a program says on standard error is kept for the error."""
TAIL_BYTES = 4 << 10
"""How much of the end of its output is kept for its trailer; every reading copies as much."""
PATH = remote.PATH
NEUTRAL = {"PATH": PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""The variables that a program gets wherever it runs."""
_SHORT_BYTES = 256 << 10
_PAUSE_SECONDS = 0.0005
"""After a short reading: a program that prints in small pieces is not stopped by a wide pipe meanwhile, and each reading, and each
waking of the reader by the program, costs both of them time."""
_GRACE_SECONDS = 5.0
"""Behind SIGTERM, so that a dump program can close its connection and remove its temporary files."""
_ERROR = re.compile(r"\b(?:error|fatal):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Program:
    """What is run, and when its output counts."""

    argv: tuple[str, ...]
    """Program and arguments; never a secret, because every user of the machine can read them."""
    folder: Path | None = None
    """Where it runs; None for where portalops does."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside the neutral ones."""
    idle_seconds: int = 300
    """How long it may print nothing."""
    minimum_bytes: int = 1
    trailer: str | None = None
    """What its output must end with, white space aside."""
    host: SshPlace | None = None
    """Where it runs; None for here."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables that no argument may hold; on another host they are given on standard input."""
    given: bytes = field(default=b"", repr=False)
    """What it reads on standard input, such as a password that it asks for; far less than a pipe holds."""

    @property
    def name(self) -> str:
        """The program, for people."""
        return show_text(self.argv[0], 120)


def stream_program(source_id: str, program: Program, out: StreamWriter) -> None:
    """Run a program and append what it prints on standard output to a stream.

    Raises:
        SourceUnavailable: it cannot be run, or its output does not count.
    """
    begun = out.position
    with started(source_id, program) as running:
        with suppress(BrokenPipeError):  # it reads nothing: its exit code tells what it thinks of that
            running.stdin.write(program.given)
        running.stdin.close()
        tail = _Drain(running, out, program.idle_seconds).run()
        _judge(source_id, program, running, out.position - begun, tail)


@contextmanager
def started(source_id: str, program: Program) -> Iterator[Running]:
    """Run a program, here or there; nothing of it is left here after the block.

    Raises:
        SourceUnavailable: it cannot be run, or the host is not to be had.
    """
    running: Running | None = None
    try:
        with held_back():
            running = start(source_id, program)
        yield running
    finally:
        if running is not None:
            running.close()


def program_lack(program: str, folder: Path | None = None) -> Lack | None:
    """Return why a program cannot be run on this machine, as `started` would say it; None if it can.

    Args:
        program: its name, or a path.
        folder: where it is run; None for where portalops is.
    """
    found = shutil.which(os.path.join(folder or "", program) if "/" in program else program, path=PATH)
    if found is not None:
        return None
    error = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    if "/" in program:
        try:
            Path(folder or "", program).stat()
        except OSError as seen:
            error = seen
        else:
            error = OSError(errno.EACCES, os.strerror(errno.EACCES))
    return Lack(msg("{program} cannot be run: {cause}", program=show_text(program, 120), cause=cause_in_words(error)))


def host_lacking(host: SshPlace) -> Lack | None:
    """Return why a host is not even tried to be reached, as far as this machine shows it."""
    try:
        target_of(host)
        host.identity_file.open("rb").close()
    except HostUnreachable as error:
        return Lack(error.message)
    except OSError as error:
        cause = cause_in_words(error)
        return Lack(msg("the SSH key {path} cannot be read: {cause}", path=str(host.identity_file), cause=cause))
    return None


def start(source_id: str, program: Program) -> Running:
    """Run a program, here or there; whoever calls closes it.

    Raises:
        SourceUnavailable: it cannot be run, or the host is not to be had.
    """
    with reached(source_id):
        return _start_here(source_id, program) if program.host is None else _start_there(program, program.host)


@contextmanager
def reached(source_id: str) -> Iterator[None]:
    """Say of a host, or of a secret for it, that is not to be had that the source is not.

    Raises:
        SourceUnavailable: inside the block, the host or a secret was not to be had, or could not be given.
    """
    try:
        yield
    except (HostUnreachable, SecretUnavailable, UsageError) as error:
        raise unavailable(source_id, error.message, error.hint) from error


def runner_on(
    host: SshPlace | None, environment: Mapping[str, str] | None = None, secrets: Mapping[str, str] | None = None
) -> Runner:
    """Return what runs short programs here or on a host; there it raises HostUnreachable where no session can be had.

    Args:
        host: None for here.
        environment: all variables here; those beside the account's own there. Neutral ones if not given.
        secrets: more of them, which no argument may hold.

    Raises:
        HostUnreachable: the host's key cannot be had.
    """
    if host is None:
        given = neutral(os.environ) if environment is None else environment
        return LocalRunner({**given, **(secrets or {})})
    return RemoteRunner(target_of(host), NEUTRAL if environment is None else environment, secrets)


def _start_there(program: Program, host: SshPlace) -> Running:
    order = RemoteCommand(
        program.argv,
        {**NEUTRAL, **program.environment},
        str(program.folder) if program.folder else "",
        program.secrets,
    )
    return start_there(target_of(host), order)


def _start_here(source_id: str, program: Program) -> Running:
    mark = secrets.token_hex(8)
    try:
        process = subprocess.Popen(
            list(program.argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=program.folder,
            env={**neutral(os.environ), **program.environment, **program.secrets, MARK: mark},
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        cause = cause_of(error) if isinstance(error, OSError) else str(error)
        raise unavailable(
            source_id,
            msg("{program} cannot be run: {cause}", program=program.name, cause=cause),
            msg("Give the full path of the program, and check that this user may run it."),
        ) from error
    assert process.stdout is not None
    with suppress(OSError):  # more than this user may have
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return _LocalProgram(process, mark)


class _LocalProgram:
    """A program of this machine, under way."""

    has_begun = True

    def __init__(self, process: subprocess.Popen[bytes], mark: str) -> None:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        self._process, self._mark = process, mark
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr

    def poll(self) -> int | None:
        return self._process.poll()

    def wait(self, timeout: float) -> int:
        return self._process.wait(timeout)

    def interrupt(self) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def lost(self) -> None:
        """There is no connection that could be."""

    def close(self) -> None:
        """Make sure that nothing of the program is left running."""
        if self._process.poll() is None:  # what one that has ended left running is a service, and stays
            end_with_all(self._process.pid, self._mark, _GRACE_SECONDS)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        for pipe in (self.stdin, self.stdout, self.stderr):
            with suppress(OSError):
                pipe.close()


def _judge(source_id: str, program: Program, running: Running, size: int, tail: _Tail) -> None:
    if tail.was_idle:
        _refuse(
            source_id,
            msg("{program} printed nothing for {seconds} s", program=program.name, seconds=program.idle_seconds),
        )
    try:
        code = running.wait(program.idle_seconds)
    except subprocess.TimeoutExpired:
        _refuse(source_id, msg("{program} closed its output but did not end", program=program.name))
    with reached(source_id):
        if (lost := running.lost()) is not None:
            raise lost
    if code:
        said = show_text(_reason(tail), 300)
        _refuse(
            source_id,
            msg(
                "{program} ended with exit code {exit_code}: {said}",
                program=program.name,
                exit_code=code,
                said=said or "-",
            ),
        )
    require_floor(source_id, size, program.minimum_bytes)
    if program.trailer is not None and not tail.stdout.rstrip().endswith(program.trailer.encode().rstrip()):
        _refuse(source_id, msg("the output does not end with {trailer}", trailer=show_text(repr(program.trailer), 120)))


def _reason(tail: _Tail) -> str:
    """Return the first error that a program named, else the last that it said; pg_dump quotes a long query behind an error."""
    for line in tail.stderr_begin.decode("utf-8", "replace").splitlines():
        if _ERROR.search(line):
            return " ".join(line.split())
    return " ".join(tail.stderr.decode("utf-8", "replace").split())[-300:]


def _refuse(source_id: str, cause: Message) -> NoReturn:
    raise unavailable(source_id, cause, msg("Run the command by hand as the user of portalops, and read its messages."))


class _Tail:
    """What of the words of a program is kept."""

    def __init__(self) -> None:
        self.stdout = b""
        self.stderr = b""
        self.stderr_begin = b""
        self.was_idle = False


class _Drain:
    """Reads both outputs of a program until they end, or until nothing came for too long."""

    def __init__(self, running: Running, out: StreamWriter, idle_seconds: float) -> None:
        self._stdout, self._stderr = running.stdout.fileno(), running.stderr.fileno()
        self._out = out
        self._idle_seconds = idle_seconds
        self._tail = _Tail()
        self._pauses = _pipe_bytes(self._stdout) >= PIPE_BYTES

    def run(self) -> _Tail:
        os.set_blocking(self._stdout, False)
        last = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._stdout, self._stderr):
                selector.register(descriptor, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0.0, last + self._idle_seconds - time.monotonic()))
                if not ready:
                    self._tail.was_idle = True
                    break
                for key, _events in ready:
                    goes_on = self._hear() if key.fd == self._stderr else self._take()
                    if not goes_on:
                        selector.unregister(key.fd)
                last = time.monotonic()
        return self._tail

    def _hear(self) -> bool:
        """Read what is said there and say whether more may come."""
        said = os.read(self._stderr, STDERR_BYTES)
        self._tail.stderr = (self._tail.stderr + said)[-STDERR_BYTES:]
        self._tail.stderr_begin += said[: STDERR_BYTES - len(self._tail.stderr_begin)]
        return bool(said)

    def _take(self) -> bool:
        """Read until nothing is there and say whether more may come; a program that waits to be heard prints nothing more."""
        while True:
            room = self._out.room()
            try:
                got = os.readv(self._stdout, [room])
            except BlockingIOError:
                return True
            if not got:
                return False
            self._tail.stdout = (self._tail.stdout + bytes(room[max(0, got - TAIL_BYTES) : got]))[-TAIL_BYTES:]
            self._out.filled(got)
            if self._pauses and got < min(len(room), _SHORT_BYTES):
                time.sleep(_PAUSE_SECONDS)


def _pipe_bytes(descriptor: int) -> int:
    """Return how much a pipe holds; 0 where nobody tells."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
    except OSError:
        return 0


def neutral(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a program gets: who runs it and where, nothing that changes its words."""
    kept = {name: environment[name] for name in ("HOME", "USER", "LOGNAME", "TMPDIR") if name in environment}
    return {**kept, **NEUTRAL}
