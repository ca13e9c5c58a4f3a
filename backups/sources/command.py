"""What a program prints on its standard output, as one stream named `output`.

    [[backup.source]]
    id = "ldap"
    kind = "command"
    class = "accounts"
    command = ["slapcat", "-n", "1"]
    minimum_bytes = 10000
    trailer = "# end"

The program is run without a shell. It counts only if it ends with exit code 0, prints at least `minimum_bytes`, is never
silent for longer than `idle_seconds`, and, where `trailer` is given, ends with it: a dump cut short is not a backup.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from pydantic import Field, StrictInt

from backups.sources._settings import (
    ConfiguredSource,
    SourceContext,
    SourceSettings,
    SourceTraits,
    cause_of,
    require_floor,
    unavailable,
)
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Text
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import StreamOpener, StreamWriter

STDERR_BYTES = 8 << 10
"""How much of the end of what a program says on standard error is kept for the error."""
TAIL_BYTES = 64 << 10
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GRACE_SECONDS = 5.0


class Settings(SourceSettings):
    """`kind = "command"`."""

    command: tuple[str, ...] = Field(min_length=1, description="Program and arguments; no shell reads them.")
    folder: LocalPath | None = Field(default=None, description="Working folder of the program.")
    idle_seconds: StrictInt = Field(default=300, ge=1, description="How long it may print nothing.")
    trailer: Text | None = Field(default=None, description="What its output must end with, white space aside.")
    environment: dict[str, str] = Field(default_factory=dict, description="Variables for it; no secrets.")


def build(table: KindTable, context: SourceContext) -> CommandSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return CommandSource(SourceTraits(table.id, table.kind, settings.data_class), settings)


class CommandSource(ConfiguredSource):
    """One program's output."""

    def __init__(self, traits: SourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings

    def places(self) -> Sequence[Path]:
        return ()

    def write(self, opener: StreamOpener) -> None:
        with opener.stream("output", format="raw") as out:
            process = self._start()
            try:
                tail = _Drain(process, out, self._settings.idle_seconds).run()
                self._judge(process, out, tail)
            finally:
                _end(process)

    def _start(self) -> subprocess.Popen[bytes]:
        settings = self._settings
        try:
            return subprocess.Popen(
                list(settings.command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=settings.folder,
                env={**_neutral(os.environ), **settings.environment},
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            cause = cause_of(error) if isinstance(error, OSError) else str(error)
            raise unavailable(
                self.id,
                msg("{program} cannot be run: {cause}", program=show_text(settings.command[0], 120), cause=cause),
                msg("Give the program's whole path, and see that this user may run it."),
            ) from error

    def _judge(self, process: subprocess.Popen[bytes], out: StreamWriter, tail: _Tail) -> None:
        program = show_text(self._settings.command[0], 120)
        if tail.was_idle:
            self._refuse(
                msg("{program} printed nothing for {seconds} s", program=program, seconds=self._settings.idle_seconds)
            )
        try:
            code = process.wait(timeout=self._settings.idle_seconds)
        except subprocess.TimeoutExpired:
            self._refuse(msg("{program} closed its output and does not end", program=program))
        if code:
            said = show_text(" ".join(tail.stderr.decode("utf-8", "replace").split())[-300:], 300)
            self._refuse(
                msg(
                    "{program} ended with exit code {exit_code}: {said}",
                    program=program,
                    exit_code=code,
                    said=said or "-",
                )
            )
        require_floor(self.id, out.position, self._settings.minimum_bytes)
        trailer = self._settings.trailer
        if trailer is not None and not tail.stdout.rstrip().endswith(trailer.encode().rstrip()):
            self._refuse(msg("the output does not end with {trailer}", trailer=show_text(repr(trailer), 120)))

    def _refuse(self, cause: Message) -> NoReturn:
        raise unavailable(
            self.id, cause, msg("Run the command by hand, as the user that portalops runs as, and see what it says.")
        )


class _Tail:
    """The end of what a program said."""

    def __init__(self) -> None:
        self.stdout = b""
        self.stderr = b""
        self.was_idle = False


class _Drain:
    """Reads both outputs of a program until they end, or until nothing came for too long."""

    def __init__(self, process: subprocess.Popen[bytes], out: StreamWriter, idle_seconds: float) -> None:
        assert process.stdout is not None and process.stderr is not None
        self._stdout, self._stderr = process.stdout.fileno(), process.stderr.fileno()
        self._out = out
        self._idle_seconds = idle_seconds
        self._tail = _Tail()

    def run(self) -> _Tail:
        last = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._stdout, self._stderr):
                selector.register(descriptor, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0.0, last + self._idle_seconds - time.monotonic()))
                if not ready:
                    self._tail.was_idle = True
                    break
                last = time.monotonic()
                for key, _events in ready:
                    if not self._take(key.fd):
                        selector.unregister(key.fd)
        return self._tail

    def _take(self, descriptor: int) -> bool:
        """Read what is there and say whether more may come."""
        if descriptor == self._stderr:
            said = os.read(descriptor, STDERR_BYTES)
            self._tail.stderr = (self._tail.stderr + said)[-STDERR_BYTES:]
            return bool(said)
        room = self._out.room()
        got = os.readv(descriptor, [room])
        if got:
            self._tail.stdout = (self._tail.stdout + bytes(room[max(0, got - TAIL_BYTES) : got]))[-TAIL_BYTES:]
            self._out.filled(got)
        return got > 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """Make sure that nothing of the program is left running."""
    for send in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, send)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE_SECONDS)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _neutral(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a program gets: who runs it and where, nothing that changes its words."""
    kept = {name: environment[name] for name in ("HOME", "USER", "LOGNAME", "TMPDIR") if name in environment}
    return {**kept, "PATH": PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
