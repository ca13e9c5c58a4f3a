"""Commands before and after a source is read: to stop a portal's writing for that while, and to let it go on.

    [[backup.source]]
    ...
    before = ["/usr/local/bin/portal-maintenance", "on"]
    after = ["/usr/local/bin/portal-maintenance", "off"]
    hook_seconds = 60

Each is run without a shell, as the user of portalops, on the host that the source is on. A `before` that fails fails the source.
`after` runs in any case, also when the source or `before` failed; if it fails, the data is kept and the set is incomplete, since
the portal may still stand still. Nothing runs behind SIGKILL: let `before` cope with what it finds.
"""

from __future__ import annotations

import logging
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backups.sources._program import STDERR_BYTES, Program, reached, started
from backups.sources._settings import unavailable
from portalops.config.ssh import SshPlace
from portalops.errors import SourceUnavailable
from portalops.model.backups import DataClass
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import AskableSource, Source, StreamOpener
from portalops.system.remote import Running

logger = logging.getLogger(__name__)

BEFORE, AFTER = "before", "after"
LOGGED = 2000
"""So many letters of what a command says last are logged."""
_POLL_SECONDS = 0.1
_HINT = msg("Run the command by hand as the user of portalops; a longer time is set by hook_seconds.")


class ReleaseFailed(Exception):
    """The data is whole, but what was to be done behind it failed: the command, or removing a snapshot."""

    def __init__(self, error: SourceUnavailable) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Hooks:
    """The commands of one source."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    seconds: int
    host: SshPlace | None = None


class HookedSource:
    """A source with commands before and after its reading."""

    def __init__(self, source: Source, hooks: Hooks) -> None:
        self._source = source
        self._hooks = hooks

    @property
    def id(self) -> str:
        return self._source.id

    @property
    def kind(self) -> str:
        return self._source.kind

    @property
    def data_class(self) -> DataClass:
        return self._source.data_class

    def places(self) -> Sequence[Path]:
        return self._source.places()

    def write(self, opener: StreamOpener) -> None:
        """Write all streams between the commands.

        Raises:
            SourceUnavailable: `before` or the source failed.
            ReleaseFailed: all streams are written, and `after` failed.
        """
        try:
            self._run(BEFORE, self._hooks.before)
            self._source.write(opener)
        except BaseException as failure:  # an interrupt too
            try:
                self._run(AFTER, self._hooks.after)
            except SourceUnavailable as error:
                if isinstance(failure, SourceUnavailable):
                    raise _both(self.id, failure, error) from failure
                logger.warning("%s", error)
            raise
        try:
            self._run(AFTER, self._hooks.after)
        except SourceUnavailable as error:
            raise ReleaseFailed(error) from error

    def _run(self, name: str, command: tuple[str, ...]) -> None:
        if command:
            run_hook(self.id, name, Program(command, host=self._hooks.host), self._hooks.seconds)


class AskableHookedSource(HookedSource):
    """The same for one that can be asked whether it would give its data; no command is run for that."""

    def __init__(self, source: AskableSource, hooks: Hooks) -> None:
        super().__init__(source, hooks)
        self._askable = source

    def ask(self) -> Message:
        return self._askable.ask()


def hooked(source: Source, hooks: Hooks) -> Source:
    """Return a source with its commands, or the source itself if it has none."""
    if not hooks.before and not hooks.after:
        return source
    return AskableHookedSource(source, hooks) if isinstance(source, AskableSource) else HookedSource(source, hooks)


def run_hook(
    source_id: str, name: str, program: Program, seconds: int, *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Run one command to its end; what it says goes into the log, the last of it into the error.

    Raises:
        SourceUnavailable: it cannot be run, did not end in time, or did not end with 0.
    """
    with started(source_id, program) as running:
        running.stdin.close()
        said = _last_output(running, clock() + seconds, clock)
        code = running.poll()
        if code is None:
            raise _failed(source_id, name, msg("it did not end within {seconds} s", seconds=seconds))
        with reached(source_id):
            if (lost := running.lost()) is not None:
                raise lost
    words = show_text(" ".join(said.decode("utf-8", "replace").split())[-LOGGED:], LOGGED)
    logger.info("source %s: %s ended with %s: %s", source_id, name, code, words or "-")
    if code:
        cause = msg("it ended with exit code {exit_code}: {said}", exit_code=code, said=words[-300:] or "-")
        raise _failed(source_id, name, cause)


def _last_output(running: Running, deadline: float, clock: Callable[[], float]) -> bytes:
    """Return the last of what a program prints and says until it has ended, or until its time is over.

    A service that it started may hold its outputs open for ever: the end of the program counts, not theirs.
    """
    said = b""
    with selectors.DefaultSelector() as selector:
        for descriptor in (running.stdout.fileno(), running.stderr.fileno()):
            selector.register(descriptor, selectors.EVENT_READ)
        while True:
            has_ended = running.poll() is not None
            ready = selector.select(0 if has_ended else _POLL_SECONDS) if selector.get_map() else []
            for key, _events in ready:
                piece = os.read(key.fd, STDERR_BYTES)
                said = (said + piece)[-STDERR_BYTES:]
                if not piece:
                    selector.unregister(key.fd)
            if (has_ended and not ready) or clock() > deadline:
                return said
            if not has_ended and not selector.get_map():
                _wait(running)


def _wait(running: Running) -> None:
    try:
        running.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _failed(source_id: str, name: str, cause: Message) -> SourceUnavailable:
    if name == BEFORE:
        return unavailable(source_id, msg("the command before it failed: {cause}", cause=cause), _HINT)
    return unavailable(source_id, msg("the command after it failed: {cause}", cause=cause), _HINT)


def _both(source_id: str, first: SourceUnavailable, second: SourceUnavailable) -> SourceUnavailable:
    causes = [each.message.values.get("cause", each.message) for each in (first, second)]
    return unavailable(source_id, msg("{first}; {second}", first=causes[0], second=causes[1]), first.hint)
