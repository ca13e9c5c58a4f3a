"""What breaks by itself is tried again: a connection that was cut, a server that is overloaded, for media elsewhere.

    [[backup.medium]]
    ...
    tries = 4

Only `MediumInterrupted` is: a host key that is another one, a key that is not let in, a disk that is full or a lock that is
refused stay so. Before each new try there is a pause, longer each time (`PAUSES_SECONDS`). A set is tried again file by
file: what was closed stays, and the file under way is sent anew, over a new connection, from a copy of what was sent of it:
one pack at most, in memory up to `MEMORY_BYTES` and in a temporary file beyond. A pack is encrypted, so nothing of a portal
lies there in clear. What fails each time is told with its last cause and how often it was tried.

Meanwhile the lane of this medium takes nothing, so the reading waits when its queue is full; with the default pauses that is
less than `backups.fanout.PATIENCE_SECONDS`.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from pydantic import Field, StrictInt

from backups.resuming import held_by, let_go
from portalops.config.values import Shape
from portalops.errors import MediumInterrupted, MediumUnavailable, SetDamaged
from portalops.model.backups import SetId
from portalops.model.message import Message, msg, nmsg
from portalops.ports import (
    HasRoom,
    HeldFile,
    HidesFiles,
    Medium,
    Readable,
    RenewableWriter,
    ResumableMedium,
    Room,
    SetWriter,
    StoredSet,
)

logger = logging.getLogger(__name__)

PAUSES_SECONDS = (2.0, 8.0, 30.0, 60.0)
"""Before the second try, the third, and so on; the last one before all that follow."""
MEMORY_BYTES = 16 << 20
"""Of a file under way; more of it goes into a temporary file."""
_PIECE_BYTES = 1 << 20

ResultT = TypeVar("ResultT")


class RetrySettings(Shape):
    """The key that media elsewhere have besides their own."""

    tries: StrictInt = Field(
        default=4,
        ge=1,
        le=10,
        description="How often a file is sent in all while the connection breaks; 1 for never again.",
    )


def retried(medium: Medium, settings: object, pause: Callable[[float], None] = time.sleep) -> Medium:
    """Return a medium that tries again as its settings say; itself if they do not."""
    if not isinstance(settings, RetrySettings) or settings.tries == 1:
        return medium
    return RetriedMedium(medium, settings.tries, pause)


def pause_before(attempt: int) -> float:
    """Return how many seconds to wait before a try, the second or a later one."""
    return PAUSES_SECONDS[min(attempt - 2, len(PAUSES_SECONDS) - 1)]


class Tries:
    """Counts the tries of one thing."""

    def __init__(self, most: int, pause: Callable[[float], None]) -> None:
        self._most = most
        self._pause = pause
        self._made = 1

    def begin(self) -> None:
        """Count anew, for another thing."""
        self._made = 1

    def again(self, error: MediumInterrupted) -> None:
        """Wait for the next try.

        Raises:
            MediumInterrupted: there is none left; it says how many there were.
        """
        if self._made >= self._most:
            raise MediumInterrupted(
                nmsg("{problem} (tried {n} time)", "{problem} (tried {n} times)", self._made, problem=error.message),
                error.hint,
            ) from error
        self._made += 1
        logger.info("%s: trying again, %s of %s", error, self._made, self._most)
        self._pause(pause_before(self._made))

    def run(self, act: Callable[[], ResultT]) -> ResultT:
        """Return what a thing gives that can simply be done again."""
        self.begin()
        while True:
            try:
                return act()
            except MediumInterrupted as error:
                self.again(error)


class RetriedMedium:
    """A medium that is asked again when it is out of reach for a moment."""

    def __init__(self, medium: Medium, tries: int, pause: Callable[[float], None]) -> None:
        self._medium = medium
        self._most = tries
        self._pause = pause

    @property
    def id(self) -> str:
        return self._medium.id

    @property
    def kind(self) -> str:
        return self._medium.kind

    def places(self) -> Sequence[Path]:
        return self._medium.places()

    def prepare(self, sources: Sequence[Path], *, wanted: Collection[SetId] = ()) -> bool:
        medium = self._medium
        if isinstance(medium, ResumableMedium):
            return self._tries().run(lambda: medium.prepare(sources, wanted=wanted))
        return self._tries().run(lambda: medium.prepare(sources))

    def room(self, expected_bytes: int) -> Room:
        medium = self._medium
        return self._tries().run(lambda: medium.room(expected_bytes)) if isinstance(medium, HasRoom) else Room(None)

    def begin(self, set_id: SetId, *, expected_bytes: int) -> SetWriter:
        return self._written(lambda: self._medium.begin(set_id, expected_bytes=expected_bytes))

    def resume(self, set_id: SetId, *, expected_bytes: int) -> SetWriter:
        medium = self._medium
        if not isinstance(medium, ResumableMedium):
            return self.begin(set_id, expected_bytes=expected_bytes)
        return self._written(lambda: medium.resume(set_id, expected_bytes=expected_bytes))

    def sets(self) -> tuple[SetId, ...]:
        return self._tries().run(self._medium.sets)

    def open_set(self, set_id: SetId) -> StoredSet:
        return RetriedSet(self._tries().run(lambda: self._medium.open_set(set_id)), self._tries)

    def remove(self, set_id: SetId) -> None:
        self._tries().run(lambda: self._medium.remove(set_id))

    def _written(self, begin: Callable[[], SetWriter]) -> SetWriter:
        writer = self._tries().run(begin)
        return RetriedWriter(writer, self._tries()) if isinstance(writer, RenewableWriter) else writer

    def _tries(self) -> Tries:
        return Tries(self._most, self._pause)


class RetriedWriter:
    """Writes a set; a file under way when the connection breaks is sent again."""

    def __init__(self, writer: RenewableWriter, tries: Tries) -> None:
        self._writer = writer
        self._tries = tries
        self._spool = Spool()
        self._path = ""

    def open(self, path: str) -> None:
        self._path = path
        self._spool.clear()
        self._done(lambda: self._writer.open(path), again=self._send_again)

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._spool.write(data)
        self._done(lambda: self._writer.write(data), again=self._send_again, is_new=False)

    def close(self) -> None:
        def close_again() -> None:
            self._send_again()
            self._writer.close()

        self._done(self._writer.close, again=close_again, is_new=False)
        self._spool.clear()

    def discard(self, path: str) -> None:
        self._done(lambda: self._writer.discard(path))

    def seal(self) -> None:
        self._done(self._writer.seal)

    def abandon(self) -> None:
        self._spool.clear()
        self._writer.abandon()

    def held(self) -> Mapping[str, HeldFile]:
        return self._tries.run(lambda: held_by(self._writer))

    def leave(self) -> None:
        self._spool.clear()
        let_go(self._writer, keep=True)

    def _send_again(self) -> None:
        self._writer.open(self._path)
        for piece in self._spool.pieces():
            self._writer.write(piece)

    def _done(self, act: Callable[[], None], *, again: Callable[[], None] | None = None, is_new: bool = True) -> None:
        """Do something, and again over a new connection if this one breaks.

        Args:
            act: what is done.
            again: what is done in its place the next times.
            is_new: tries are counted anew; what goes on with a file is counted with it.
        """
        if is_new:
            self._tries.begin()
        is_broken = False
        while True:
            try:
                if is_broken:
                    self._writer.renew()
                    (again or act)()
                else:
                    act()
            except MediumInterrupted as error:
                if again is not None and self._spool.is_lost:
                    raise  # there is no copy to send it from
                self._tries.again(error)
                is_broken = True
            else:
                return


class Spool:
    """What was sent of one file, to be sent again: in memory at first, then in a temporary file without a name."""

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self.is_lost = False
        """There was no place for it."""

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append bytes."""
        if self.is_lost:
            return
        if self._file is None and len(self._memory) + len(data) <= MEMORY_BYTES:
            self._memory += data
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  # ends with the file under way
                self._file.write(self._memory)
                self._memory.clear()
            self._file.write(data)
        except OSError as error:
            logger.warning("what is sent cannot be sent again if the connection breaks: %s", error)
            self.clear()
            self.is_lost = True

    def pieces(self) -> Iterator[bytes]:
        """Yield all of it from its beginning."""
        if self._file is None:
            for start in range(0, len(self._memory), _PIECE_BYTES):
                yield bytes(self._memory[start : start + _PIECE_BYTES])
            return
        self._file.seek(0)
        while piece := self._file.read(_PIECE_BYTES):
            yield piece

    def clear(self) -> None:
        """Forget it, for the next file."""
        self._memory.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
        self.is_lost = False


class RetriedSet:
    """A sealed set; a file is read on where its reading was cut."""

    def __init__(self, stored: StoredSet, tries: Callable[[], Tries]) -> None:
        self._stored = stored
        self._tries = tries

    def sizes(self) -> Mapping[str, int]:
        return self._tries().run(self._stored.sizes)

    def hidden(self) -> Sequence[Message]:
        stored = self._stored
        return self._tries().run(stored.hidden) if isinstance(stored, HidesFiles) else ()

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        reader = _RetriedReader(self._stored, path, self._tries())
        try:
            yield reader
        except BaseException as error:
            reader.close(error)
            raise
        reader.close(None)


class _RetriedReader:
    def __init__(self, stored: StoredSet, path: str, tries: Tries) -> None:
        self._stored = stored
        self._path = path
        self._tries = tries
        self._at = 0
        self._opened: AbstractContextManager[Readable] | None = None
        self._file = tries.run(self._open)

    def read(self, size: int, /) -> bytes:
        while True:
            try:
                if self._opened is None:
                    self._file = self._open()
                    self._skip()
                data = self._file.read(size)
            except MediumInterrupted as error:
                self.close(error)
                self._tries.again(error)
            else:
                self._at += len(data)
                return data

    def close(self, error: BaseException | None) -> None:
        """Let go of the file, as after an error if there was one; what was read of it is read, whatever closing it says."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(MediumUnavailable):
                opened.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)

    def _open(self) -> Readable:
        opened = self._stored.open(self._path)
        file = opened.__enter__()
        self._opened = opened
        return file

    def _skip(self) -> None:
        """Go to where the reading was cut; there is no seeking in what comes over a line."""
        left = self._at
        while left:
            data = self._file.read(min(left, _PIECE_BYTES))
            if not data:
                raise SetDamaged(
                    msg("{path}: the file became shorter while it was read", path=self._path),
                    msg("Restore from another copy: 'portalops backup show SET' lists the media that have one."),
                )
            left -= len(data)
