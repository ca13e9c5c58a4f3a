"""A tape: sets one behind the other on a cartridge, each file of a set a tape file of its own.

    [[backup.medium]]
    id = "tape-1"
    kind = "tape"
    device = "/dev/nst0"
    label = "KH0001"
    capacity_gib = 2500

A medium is one cartridge, and nothing is written but to the one that has its label; 'portalops media label' writes the label
to a blank tape. `device` is the non-rewinding one. A cartridge that is not in the drive is a medium that is away, as an
unplugged disk is: the run goes on with the others and says which to insert, and 'portalops backup replicate' makes the copy up later.

A set must fit on what is left of its cartridge: it is never spread over several, since one damaged tape would take all of it.
With `capacity_gib` it is refused beforehand; without, the drive says when the tape ends, and nothing of the set counts.

Label, guide, records: docs/backup-set-format.md. A set is on the tape once the record behind it is: what a run that died left
behind the last record is overwritten by the next one. A tape cannot free one set. One that is removed is taken out of the record, so
that nobody takes it for a set, and its bytes, which are encrypted, stay until all sets of the tape are removed; the next set
then begins at the front again. Until then, and to be sure, destroy the cartridge.

Blocks are of one size, `block_kib`; each file begins with a new one. Compression in the drive is switched off. Nothing waits
for the tape but the end of a set; what counts is that each copy is read back. A drive that is fed slowly stops and starts,
which wears it: where sources are slow, keep the tape out of the run by `window`, and let 'portalops backup replicate' write it
from a disk.

Where `device` is a folder, each file in it is a tape file: to try everything without a drive, and to read a tape that was
copied off file by file. Copies there are said to be on a `tape-folder`, and it is no tape.

LTFS makes a cartridge a file system: use the kind `disk` on the folder that it is mounted on. What is written there is on the tape
only once it is unmounted, so unmount it, mount it read-only and let 'portalops backup verify' read it before it counts.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import Field, StrictInt

from backups.media import MediumKind
from backups.media._errors import is_there_already, medium_unavailable, no_such_set
from backups.media._folders import is_name, lies_beside
from backups.media._tape_layout import (
    FIRST_FREE,
    FIRST_RECORD,
    LABEL_BYTES,
    DamagedRecord,
    Label,
    TapeFile,
    TapeRecord,
    TapeSet,
    is_record,
    padded,
    parse_label,
    parse_record,
    tape_guide,
    write_label,
    write_record,
)
from backups.media._throttled import MediumSettings
from portalops.config.tables import KindTable, LocalPath
from portalops.errors import MediumUnavailable, SetDamaged
from portalops.model.backups import SetId
from portalops.model.causes import cause_of
from portalops.model.message import ByteCount, Message, kept, msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import Readable, Room
from portalops.system.tape import EndOfData, TapeDrive, open_drive

logger = logging.getLogger(__name__)

RECORD_EVERY = 128
"""Files of a set after which a record is written amid it: so the last record is found within as many steps from the end."""
MAX_RECORD_BYTES = 64 << 20
"""A file of somebody else's tape is no record; it must not fill the memory before that shows."""
IN_MEMORY_BYTES = 128 << 20
"""Files of a set are taken off the tape whole; larger ones go through a temporary file."""


class Settings(MediumSettings):
    """`kind = "tape"`."""

    device: LocalPath = Field(description="The non-rewinding device, such as /dev/nst0.")
    label: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="What the tape's own label must say; the medium's id if it is left out.",
    )
    block_kib: StrictInt = Field(default=256, ge=32, le=512, description="KiB of each block.")
    capacity_gib: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        allow_inf_nan=False,
        description="How much the cartridge holds, without compression.",
    )


def build(table: KindTable) -> TapeMedium:
    """Return the medium that a configuration table describes."""
    return TapeMedium(table.id, table.parse(Settings))


class TapeBeginning(StrEnum):
    """What the beginning of a tape is."""

    BLANK = "blank"
    OURS = "ours"
    """It has a label of portalops, whichever."""
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The tape in the drive."""

    state: TapeBeginning
    label: Label | None = None
    problem: str = ""
    """Why it is unreadable."""


@dataclass(frozen=True, slots=True)
class TapeContents:
    """What is on a labelled tape."""

    label: Label
    record: TapeRecord
    """The last one that can be read."""
    is_whole: bool = True
    """Nothing behind it failed to be read, and no record there is damaged."""


class TapeMedium:
    """Keeps sets on a cartridge."""

    def __init__(self, medium_id: str, settings: Settings, opened: Callable[..., TapeDrive] = open_drive) -> None:
        self.id = medium_id
        self._tape = _Tape(medium_id, settings, opened)
        self.device = settings.device
        self.label = settings.label or medium_id
        self._capacity_bytes = _capacity(settings)
        self._block_bytes = settings.block_kib << 10

    @property
    def kind(self) -> str:
        """Return `tape`; a folder in place of a drive is none."""
        return "tape-folder" if self.device.is_dir() else "tape"

    def places(self) -> Sequence[Path]:
        return (self.device,) if self.device.is_dir() else ()

    def require_place(self, sources: Sequence[Path]) -> None:
        """Require that there is a drive, which is not moved.

        Raises:
            MediumUnavailable: there is none.
        """
        del sources
        self._tape.require_device()

    def prepare(self, sources: Sequence[Path]) -> bool:
        with self._tape.open(writes=True) as drive:
            self._require_whole(self._tape.contents(drive))
            return self.device.is_dir() and lies_beside(os.stat(self.device).st_dev, sources)

    def room(self, expected_bytes: int) -> Room:
        del expected_bytes
        if self._capacity_bytes is None:
            return Room(None)
        with self._tape.open(writes=False) as drive:
            return Room(max(0, self._capacity_bytes - self._tape.contents(drive).record.free_bytes))

    def begin(self, set_id: SetId, *, expected_bytes: int) -> TapeSetWriter:
        return self._tape.begin(self._checked, set_id, expected_bytes)

    def sets(self) -> tuple[SetId, ...]:
        record = self._tape.record()
        return tuple(sorted(each.id for each in record.sets))

    def open_set(self, set_id: SetId) -> TapeStoredSet:
        for each in self._tape.record().sets:
            if each.id == set_id:
                return TapeStoredSet(self._tape, each)
        raise no_such_set(self.id, set_id)

    def remove(self, set_id: SetId) -> None:
        if set_id not in {each.id for each in self._tape.record().sets}:
            raise no_such_set(self.id, set_id)
        with self._tape.open(writes=True) as drive:
            contents = self._tape.contents(drive)
            self._require_whole(contents)
            left = tuple(each for each in contents.record.sets if each.id != set_id)
            last, label = contents.record, contents.label
            free = (last.free + 1, last.free_bytes + label.block_bytes) if left else _front(label)
            self._tape.go_to(drive, last.free)
            record = TapeRecord(label.name, label.labelled, last.free, *free, left)
            self._tape.write_record(drive, label, record)

    def label_for(self, moment: datetime) -> Label:
        """Return the label of a tape that is labelled at a moment."""
        return Label(self.label, f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}", self._block_bytes)

    def require_free(self, *, overwrite: bool) -> Loaded:
        """See that the tape in the drive may be labelled, and return what it is.

        Args:
            overwrite: also one that is not blank, as long as it holds no set that portalops knows of.

        Raises:
            MediumUnavailable: there is no drive, or no tape in it, or it must not be.
        """
        with self._tape.open(writes=True) as drive:
            found = _loaded(drive)
            self._require_free(drive, found, overwrite=overwrite)
            return found

    def write_label(self, label: Label, *, overwrite: bool) -> None:
        """Label the tape in the drive, and make it one without sets; as `require_free`."""
        with self._tape.open(writes=True) as drive:
            self._require_free(drive, _loaded(drive), overwrite=overwrite)
            self._tape.forget()
            drive.rewind()
            drive.write(write_label(label))
            drive.mark(wait=False)
            _write_text(drive, label, tape_guide(label), wait=False)
            first = TapeRecord(label.name, label.labelled, FIRST_RECORD, *_front(label), ())
            self._tape.write_record(drive, label, first)

    def _require_free(self, drive: TapeDrive, found: Loaded, *, overwrite: bool) -> None:
        if found.state is TapeBeginning.BLANK:
            return
        if found.label is not None:
            self._require_no_sets(drive, found.label)
            cause = msg(
                "the tape in {device} already has the label {label}", device=str(self.device), label=found.label.name
            )
        elif found.state is TapeBeginning.FOREIGN:
            cause = msg("the tape in {device} is not blank and not from portalops", device=str(self.device))
        else:
            cause = msg(
                "the start of the tape in {device} cannot be read: {problem}",
                device=str(self.device),
                problem=found.problem,
            )
        if not overwrite:
            raise medium_unavailable(
                self.id, cause, msg("Insert a blank tape; or use --overwrite, which destroys all data on this tape.")
            )

    def _require_no_sets(self, drive: TapeDrive, label: Label) -> None:
        contents = _read_contents(drive, label)
        if contents is not None and contents.record.sets:
            raise medium_unavailable(
                self.id,
                msg(
                    "the tape {label} holds {n} sets, such as {set}",
                    label=label.name,
                    n=len(contents.record.sets),
                    set=contents.record.sets[-1].id,
                ),
                msg("Remove sets that are no longer kept with 'portalops backup prune'; or insert a blank tape."),
            )

    def _checked(self, contents: TapeContents, set_id: SetId, expected_bytes: int) -> None:
        self._require_whole(contents)
        if not is_name(set_id) or set_id in {each.id for each in contents.record.sets}:
            raise is_there_already(self.id, set_id)
        used = contents.record.free_bytes
        if self._capacity_bytes is not None and self._capacity_bytes - used < expected_bytes:
            raise medium_unavailable(
                self.id,
                msg(
                    "the tape {label} has {free} left, but the set needs about {needed}",
                    free=ByteCount(max(0, self._capacity_bytes - used)),
                    label=self.label,
                    needed=ByteCount(expected_bytes),
                ),
                msg("Use another tape: a set is never split over several tapes."),
            )

    def _require_whole(self, contents: TapeContents) -> None:
        if not contents.is_whole:
            raise medium_unavailable(
                self.id,
                msg(
                    "the tape {label} cannot be read after tape file {file}",
                    label=self.label,
                    file=contents.record.number,
                ),
                msg(
                    "Clean the drive and try again. If the error stays, stop writing to this tape and copy its "
                    "sets elsewhere."
                ),
            )


_LOCKS: dict[Path, threading.RLock] = {}
"""By device: media that share one use it in turn, since the kernel lets in one at a time."""


class _Tape:
    """The cartridge of one medium: one user at a time, and what is known of it as long as nobody has moved it."""

    def __init__(self, medium: str, settings: Settings, opened: Callable[..., TapeDrive]) -> None:
        self.medium = medium
        self.label = settings.label or medium
        self.device = settings.device
        self._capacity_bytes = _capacity(settings)
        self._opened = opened
        self._lock = _LOCKS.setdefault(settings.device, threading.RLock())
        self._writer: TapeSetWriter | None = None
        self._known: TapeContents | None = None
        self._left_at: tuple[int, int] | None = None
        """The position at which the tape was released: still valid if nobody has moved or changed it."""

    @contextmanager
    def open(self, *, writes: bool) -> Iterator[TapeDrive]:
        """Have the drive for a block.

        Raises:
            MediumUnavailable: there is none, or no tape, or it is being written.
        """
        with self._lock:
            if self._writer is not None:
                raise self.busy()
            with self.convert_errors(), self._drive(writes=writes) as drive:
                yield drive
                self._left_at = drive.position()

    def begin(
        self, check: Callable[[TapeContents, SetId, int], None], set_id: SetId, expected_bytes: int
    ) -> TapeSetWriter:
        """Open the drive until the set is sealed or abandoned; as `Medium.begin`."""
        with self._lock, self.convert_errors():
            if self._writer is not None:
                raise self.busy()
            drive = self._drive(writes=True)
            try:
                contents = self.contents(drive)
                check(contents, set_id, expected_bytes)
                self.go_to(drive, contents.record.free)
                self._writer = TapeSetWriter(self, drive, contents, set_id)
            except BaseException:
                drive.close()
                raise
            return self._writer

    def record(self) -> TapeRecord:
        """Return the last record; while a set is being written, the one before it."""
        with self._lock:
            if self._writer is not None and self._known is not None:
                return self._known.record
            with self.open(writes=False) as drive:
                return self.contents(drive).record

    def contents(self, drive: TapeDrive) -> TapeContents:
        """Return what is on the tape, after checking its label.

        Raises:
            MediumUnavailable: it is blank, another one, or cannot be read.
        """
        where = drive.position()
        if self._known is not None and where is not None and where == self._left_at and where != (0, 0):
            return self._known
        found = _loaded(drive)
        if found.label is None or found.label.name != self.label:
            raise self._wrong(found)
        contents = _read_contents(drive, found.label)
        if contents is None:
            raise medium_unavailable(
                self.medium,
                msg("the tape {label} has no readable record", label=self.label),
                msg(
                    "Tape file 1 describes how to read the tape without portalops. To start it as a new tape: "
                    "'portalops media label'."
                ),
            )
        self._known = contents
        return contents

    def go_to(self, drive: TapeDrive, number: int) -> None:
        """Go to the beginning of a tape file."""
        where = drive.position()
        if where is None or where[0] > number or (where[0] == number and where[1] > 0):
            drive.rewind()
            where = (0, 0)
        drive.forward(number - where[0])

    def forget(self) -> None:
        self._known = self._left_at = None

    def write_record(self, drive: TapeDrive, label: Label, record: TapeRecord) -> None:
        """Write a record where the tape is, and wait until it is there."""
        _write_text(drive, label, write_record(record), wait=True)
        self._known = TapeContents(label, record)

    def let_go(self, drive: TapeDrive) -> None:
        """End what `begin` began."""
        with suppress(OSError):
            self._left_at = drive.position()
        with suppress(OSError):
            drive.close()
        self._writer = None

    def busy(self) -> MediumUnavailable:
        return medium_unavailable(
            self.medium, msg("a set is being written to the tape"), msg("Run the command again when that has ended.")
        )

    @contextmanager
    def convert_errors(self) -> Iterator[None]:
        """Turn what the drive says inside the block into the error of a medium."""
        try:
            yield
        except EndOfData as error:
            raise medium_unavailable(
                self.medium, msg("the tape {label} ends too early", label=self.label), _CLEAN
            ) from error
        except OSError as error:
            raise self._describe(error) from error

    def _drive(self, *, writes: bool) -> TapeDrive:
        drive = self._opened(self.device, writes=writes, capacity_bytes=self._capacity_bytes)
        is_protected = True
        try:
            is_protected = writes and drive.is_write_protected()
        finally:
            if is_protected:
                drive.close()
        if is_protected:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self.device))
        return drive

    def require_device(self) -> None:
        """Require the device, without opening it: a drive is not to be moved under a job that uses it."""
        try:
            self.device.stat()
        except OSError as error:
            raise self._describe(error) from error

    def _describe(self, error: OSError) -> MediumUnavailable:
        device = str(self.device)
        insert = msg("Insert the tape {label}, then run the same command again.", label=self.label)
        match error.errno:
            case errno.ENOENT | errno.ENXIO | errno.ENODEV | errno.ENOTTY:
                return medium_unavailable(
                    self.medium,
                    msg("there is no tape drive {device}", device=device),
                    msg(
                        "Check that the drive is connected and switched on, and that the kernel module st is "
                        "loaded: 'lsscsi -g' lists the drives."
                    ),
                )
            case errno.ENOMEDIUM:
                return medium_unavailable(
                    self.medium, self._wanted(msg("there is no tape in {device}", device=device)), insert
                )
            case errno.EBUSY:
                return medium_unavailable(
                    self.medium,
                    msg("{device} is in use", device=device),
                    msg(
                        "Another program uses it ('fuser -v {device}' names it), or another medium's tape is in "
                        "it. Wait, or stop that program.",
                        device=device,
                    ),
                )
            case errno.EROFS:
                return medium_unavailable(
                    self.medium,
                    msg("the tape in {device} is write-protected", device=device),
                    msg("Move the tab on the cartridge, if it is the tape {label}.", label=self.label),
                )
            case errno.EACCES | errno.EPERM:
                return medium_unavailable(
                    self.medium,
                    msg("this user may not open {device}", device=device),
                    msg("Add the user to the group that owns the device (on Debian: tape)."),
                )
            case errno.ENOSPC:
                return medium_unavailable(
                    self.medium,
                    msg("the tape {label} is full", label=self.label),
                    msg(
                        "Label a blank tape as a new medium ('portalops media label'), then run 'portalops "
                        "backup replicate'."
                    ),
                )
            case errno.EIO:
                return medium_unavailable(
                    self.medium,
                    msg("the drive {device} reports an error of the tape or the drive", device=device),
                    _CLEAN,
                )
            case _:
                return medium_unavailable(self.medium, error, _CLEAN)

    def _wrong(self, found: Loaded) -> MediumUnavailable:
        device = str(self.device)
        insert = msg("Insert the tape {label}.", label=self.label)
        if found.label is not None:
            cause = msg(
                "the tape in {device} has the label {found}", device=device, found=show_text(found.label.name, 80)
            )
        elif found.state is TapeBeginning.BLANK:
            cause = msg("the tape in {device} is blank", device=device)
            insert = msg(
                "Insert the tape {label}; or give this tape the label {label}: 'portalops media label {medium}'.",
                label=self.label,
                medium=self.medium,
            )
        elif found.state is TapeBeginning.FOREIGN:
            cause = msg("the tape in {device} is not blank and not from portalops", device=device)
        else:
            cause = msg(
                "the start of the tape in {device} cannot be read: {problem}", device=device, problem=found.problem
            )
            insert = _CLEAN
        return medium_unavailable(self.medium, self._wanted(cause), insert)

    def _wanted(self, cause: Message) -> Message:
        """Say beside a cause which tape belongs into the drive: what is recorded of a copy is the cause alone."""
        return msg("{cause}; the tape {label} is needed", cause=cause, label=self.label)


_CLEAN = msg("Clean the drive and try again. If the error stays, use another tape.")


class TapeSetWriter:
    """A set that is being written behind the last record; it is there once its own record is."""

    def __init__(self, tape: _Tape, drive: TapeDrive, contents: TapeContents, set_id: SetId) -> None:
        self._tape = tape
        self._drive = drive
        self._label = contents.label
        self._before = replace(contents.record, ends=None, files=())
        self._set_id = set_id
        self._next = contents.record.free
        self._written_bytes = contents.record.free_bytes
        self._since_record = 0
        self._files: dict[str, TapeFile] = {}
        self._block_bytes = contents.label.block_bytes
        self._buffer = bytearray()
        self._path = ""
        self._size = 0
        self._digest = hashlib.sha256()

    def open(self, path: str) -> None:
        self._buffer = bytearray()
        self._path, self._size, self._digest = path, 0, hashlib.sha256()

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._digest.update(data)
        self._size += len(data)
        self._buffer += data
        whole = len(self._buffer) // self._block_bytes * self._block_bytes
        if whole:
            with self._tape.convert_errors(), memoryview(self._buffer) as view:
                for start in range(0, whole, self._block_bytes):
                    self._drive.write(view[start : start + self._block_bytes])
            del self._buffer[:whole]

    def close(self) -> None:
        with self._tape.convert_errors():
            if self._buffer or not self._size:  # an empty file is a block too: nothing but a mark is no file
                self._buffer += bytes(self._block_bytes - len(self._buffer))
                self._drive.write(self._buffer)
                self._buffer = bytearray()
            self._drive.mark(wait=False)
            self._files[self._path] = TapeFile(self._next, self._size, Digest(self._digest.hexdigest()), self._path)
            self._written_bytes += -(-max(self._size, 1) // self._block_bytes) * self._block_bytes
            self._next += 1
            self._since_record += 1
            if self._since_record >= RECORD_EVERY:
                self._note()

    def discard(self, path: str) -> None:
        self._files.pop(path, None)  # its bytes stay, and no record names them

    def seal(self) -> None:
        with self._tape.convert_errors():
            this = TapeSet(self._set_id, self._before.free, self._next)
            record = replace(
                self._before,
                number=self._next,
                free=self._next + 1,
                free_bytes=self._written_bytes + self._block_bytes,
                sets=(*self._before.sets, this),
                ends=self._set_id,
                files=tuple(self._files.values()),
            )
            self._tape.write_record(self._drive, self._label, record)
        self._tape.let_go(self._drive)

    def abandon(self) -> None:
        with suppress(OSError, EndOfData):
            # The end of data goes back behind the last record, so that nothing half written is found there.
            if self._next > self._before.free or self._size:
                self._drive.rewind()
                self._drive.forward(self._before.free)
                self._drive.cut()
        self._tape.let_go(self._drive)

    def _note(self) -> None:
        """Write a record of the sets before, so that the end of a set that is cut is not far from one."""
        record = replace(self._before, number=self._next)
        self._written_bytes += _write_text(self._drive, self._label, write_record(record), wait=False)
        self._next += 1
        self._since_record = 0


class TapeStoredSet:
    """A sealed set; each file is taken off the tape whole, so that several can be read at once."""

    def __init__(self, tape: _Tape, place: TapeSet) -> None:
        self._tape = tape
        self._place = place
        self._found: Mapping[str, TapeFile] | None = None

    def sizes(self) -> Mapping[str, int]:
        return {path: file.size for path, file in self._files().items()}

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        file = self._files().get(path)
        if file is None:
            if self._found:
                raise _damaged(path, msg("the file is missing"))
            raise _damaged(
                path,
                msg(
                    "the file is missing, and the record at tape file {number} cannot be read", number=self._place.last
                ),
            )
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as spool:
            with self._tape.open(writes=False) as drive:
                self._tape.contents(drive)
                try:
                    self._tape.go_to(drive, file.number)
                    for block in _blocks_of(drive, file.size):
                        spool.write(block)
                except (OSError, EndOfData) as error:
                    self._tape.forget()
                    cause = msg("the tape ends too early") if isinstance(error, EndOfData) else cause_of(error)
                    raise _damaged(path, msg("tape file {number}: {cause}", number=file.number, cause=cause)) from error
            spool.seek(0)
            yield spool

    def _files(self) -> Mapping[str, TapeFile]:
        if self._found is None:
            with self._tape.open(writes=False) as drive:
                known = self._tape.contents(drive).record
                record: TapeRecord | None = known
                if known.number != self._place.last:
                    try:
                        self._tape.go_to(drive, self._place.last)
                        record = parse_record(_text_of(drive), self._place.last)
                    except (OSError, EndOfData, DamagedRecord) as error:
                        logger.warning("medium %s: record at %s: %r", self._tape.medium, self._place.last, error)
                        self._tape.forget()
                        record = None
            is_its = record is not None and record.ends == self._place.id
            self._found = {each.path: each for each in record.files} if record is not None and is_its else {}
        return self._found


def _blocks_of(drive: TapeDrive, size: int) -> Iterator[bytes]:
    """Yield the bytes of a tape file without what fills up its last block."""
    left = size
    while left:
        block = drive.read()
        if not block:
            raise EndOfData
        yield block[:left]
        left -= min(left, len(block))


def _write_text(drive: TapeDrive, label: Label, text: bytes, *, wait: bool) -> int:
    """Write a tape file of text and return how many bytes it took."""
    data = memoryview(padded(text, label.block_bytes))
    for start in range(0, len(data), label.block_bytes):
        drive.write(data[start : start + label.block_bytes])
    drive.mark(wait=wait)
    return len(data)


def _text_of(drive: TapeDrive) -> bytes:
    """Return the rest of a tape file up to its mark, and pass that.

    Raises:
        DamagedRecord: it is far too long; the mark is not passed.
    """
    parts: list[bytes] = []
    size = 0
    while block := drive.read():
        parts.append(block)
        size += len(block)
        if size > MAX_RECORD_BYTES:
            raise DamagedRecord
    return b"".join(parts)


def _loaded(drive: TapeDrive) -> Loaded:
    """Read the label."""
    drive.rewind()
    try:
        block = drive.read()
    except EndOfData:
        return Loaded(TapeBeginning.BLANK)
    except OSError as error:
        return Loaded(TapeBeginning.UNREADABLE, problem=show_text((error.strerror or str(error)).lower(), 120))
    label = parse_label(block)
    return Loaded(TapeBeginning.OURS, label) if label else Loaded(TapeBeginning.FOREIGN)


def _read_contents(drive: TapeDrive, label: Label) -> TapeContents | None:
    """Go back from the end to the last record; None if there is none.

    Behind it lies nothing but what a run that died has left: packs, or a record without its end. What cannot be read, or
    was a record, is noted: nobody may overwrite that.
    """
    drive.to_end()
    is_whole = True
    steps = 1
    while drive.back(steps):
        steps = 1
        try:
            block = drive.read()
            if is_record(block):
                block += _text_of(drive)
                steps = 2  # its mark is passed
                record = parse_record(block)
                if record is not None and (record.label, record.labelled) == (label.name, label.labelled):
                    return TapeContents(label, record, is_whole)
            elif not block:
                steps = 2
        except EndOfData:
            pass  # the drive was cut off from power: no mark ends what it wrote last
        except (OSError, DamagedRecord) as error:
            logger.warning("tape %s: behind its last record: %r", label.name, error)
            is_whole = False
    return None


def _front(label: Label) -> tuple[int, int]:
    """Return where the first set of a tape begins: the tape file, and about how many bytes lie before it."""
    return FIRST_FREE, LABEL_BYTES + len(padded(tape_guide(label), label.block_bytes)) + label.block_bytes


def _capacity(settings: Settings) -> int | None:
    return None if settings.capacity_gib is None else int(settings.capacity_gib * (1 << 30))


def _damaged(path: str, cause: Message | str) -> SetDamaged:
    return SetDamaged(
        msg("{path}: {cause}", path=show_text(path, 300), cause=kept(cause, 200)),
        msg("Restore from another copy: 'portalops backup show SET' lists the media that have one."),
    )


MEDIUM = MediumKind(settings=Settings, build=build)
