"""A tape drive: blocks and file marks, by the kernel's own calls (st(4)), and a folder that stands in for a drive.

Nothing here knows what is on a tape. Errors are those of the system, as OSError; the end of what was written is told by
`EndOfData`, and a tape that is full by OSError with ENOSPC.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol

LARGEST_BLOCK = 1 << 20
"""Bytes of the largest block that is read, and more than any that is written here."""


class EndOfData(Exception):
    """Nothing more was written on the tape from here on."""


class TapeDrive(Protocol):
    """A drive with a tape in it, open for one user.

    A position is the number of a tape file, from 0, and of a block in it. What is written cuts off all that lay behind.
    Every method raises OSError when the drive or the tape does not do it.
    """

    def __enter__(self) -> TapeDrive: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def close(self) -> None:
        """Let go of the drive; the tape stays where it is, and a file that was being written is ended."""
        ...

    def is_write_protected(self) -> bool:
        """Say whether the tape, or the drive, takes no writing."""
        ...

    def position(self) -> tuple[int, int] | None:
        """Return the numbers of the tape file and of the block in it; None if the drive has lost count."""
        ...

    def rewind(self) -> None:
        """Go to the beginning."""
        ...

    def forward(self, files: int) -> None:
        """Go on to the beginning of the tape file that lies so many file marks ahead.

        Raises:
            EndOfData: there are fewer.
        """
        ...

    def to_end(self) -> None:
        """Go behind the last file mark."""
        ...

    def back(self, files: int) -> bool:
        """Go to the beginning of the tape file that lies so many before this one, 0 for this one; say whether there is one.

        Where there are fewer, or the drive cannot go back, the tape is at its beginning.
        """
        ...

    def read(self) -> bytes:
        """Return the next block; none at a file mark, behind which the tape then is.

        Raises:
            EndOfData: nothing was written here.
        """
        ...

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Write one block."""
        ...

    def mark(self, *, wait: bool) -> None:
        """End a tape file.

        Args:
            wait: until everything is on the tape; else it may be in the drive's memory still.
        """
        ...

    def cut(self) -> None:
        """Let the tape end here; an empty tape file may be left behind the end."""
        ...


def open_drive(device: Path, *, writes: bool, capacity_bytes: int | None = None) -> TapeDrive:
    """Open a drive, or the folder that stands in for one.

    Args:
        device: the non-rewinding device, such as /dev/nst0, or a folder.
        writes: whether anything will be written.
        capacity_bytes: at which a folder is full; None for never. A drive knows by itself.

    Raises:
        OSError: it is not there (ENOENT, ENXIO), has no tape in it (ENOMEDIUM), is in use (EBUSY), or takes no writing
            (EROFS, EACCES).
    """
    return FolderDrive(device, capacity_bytes) if device.is_dir() else LinuxDrive(device, writes=writes)


class _Closing(ABC):
    """Closes at the end of a block."""

    @abstractmethod
    def close(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


# Of <linux/mtio.h>, and of asm-generic/ioctl.h for how a number is put together.
_OPERATION = struct.Struct("@hi")
_STATUS = struct.Struct("@lllllii")
_WRITE, _READ = 1, 2
_MTIOCTOP = _WRITE << 30 | _OPERATION.size << 16 | ord("m") << 8 | 1
_MTIOCGET = _READ << 30 | _STATUS.size << 16 | ord("m") << 8 | 2
_FSF, _BSF, _WEOF, _REW, _EOM, _SETBLK, _COMPRESSION, _WEOFI = 1, 2, 5, 6, 12, 20, 32, 35
_IS_AT_MARK, _IS_AT_END_OF_TAPE, _IS_AT_END_OF_DATA, _IS_PROTECTED = 0x80000000, 0x20000000, 0x08000000, 0x04000000
_LOST_FILES = 0x7FFFFF
"""What the count of files is at least where the kernel went to the end and the drive did not say how many it passed."""


class LinuxDrive(_Closing):
    """A drive of the kernel's st driver, in variable block mode: a block is as long as the write that made it."""

    def __init__(self, device: Path, *, writes: bool) -> None:
        self._device = device
        flags = (os.O_RDWR if writes else os.O_RDONLY) | os.O_CLOEXEC
        self._file = os.open(device, flags)  # waits for a tape that is being loaded, as long as the kernel does
        try:
            self._do(_SETBLK, 0)
            with suppress(OSError):  # a drive that does not compress need not know the word
                self._do(_COMPRESSION, 0)  # what is encrypted only grows by it
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> LinuxDrive:
        return self

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def is_write_protected(self) -> bool:
        return bool(self._status() & _IS_PROTECTED)

    def position(self) -> tuple[int, int] | None:
        *_rest, file, block = self._asked()
        return None if file < 0 or block < 0 or file >= _LOST_FILES else (file, block)

    def rewind(self) -> None:
        self._do(_REW, 1)

    def forward(self, files: int) -> None:
        if files <= 0:
            return
        try:
            self._do(_FSF, files)
        except OSError as error:
            if error.errno == errno.EIO and self._status() & _IS_AT_END_OF_DATA:
                raise EndOfData from error
            raise

    def to_end(self) -> None:
        self._do(_EOM, 1)

    def back(self, files: int) -> bool:
        try:
            self._do(_BSF, files + 1)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self.rewind()  # fewer file marks lie before; or the drive fails, which is not told apart from it
            return False
        self._do(_FSF, 1)
        return True

    def read(self) -> bytes:
        try:
            block = os.read(self._file, LARGEST_BLOCK)
        except OSError as error:
            if error.errno == errno.EIO and self._status() & _IS_AT_END_OF_DATA:
                raise EndOfData from error
            raise
        status = self._status() if not block or len(block) == LARGEST_BLOCK else 0
        if status & _IS_AT_END_OF_DATA or (block and status & _IS_AT_END_OF_TAPE):
            raise EndOfData  # tgt hands out as many zeros as were asked for, with the status of nothing written
        if not block and not status & _IS_AT_MARK:
            raise EndOfData
        return block

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        written = os.write(self._file, block)
        if written != len(block):  # at the end of the tape
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._device))

    def mark(self, *, wait: bool) -> None:
        self._do(_WEOF if wait else _WEOFI, 1)

    def cut(self) -> None:
        self.mark(wait=True)

    def _do(self, operation: int, count: int) -> None:
        fcntl.ioctl(self._file, _MTIOCTOP, _OPERATION.pack(operation, count))

    def _status(self) -> int:
        return self._asked()[3]

    def _asked(self) -> tuple[int, int, int, int, int, int, int]:
        answer = fcntl.ioctl(self._file, _MTIOCGET, bytes(_STATUS.size))
        kind, left, register, status, errors, file, block = _STATUS.unpack(answer)
        return kind, left, register, status, errors, file, block


class FolderDrive(_Closing):
    """A folder in which each file is a tape file: no tape, and no drive.

    It keeps what a tape keeps and ends where a tape ends, so that everything that is done to a tape can be tried without
    one, and a tape that was copied off file by file can be read. It has no blocks of its own, no memory that a power cut
    empties, and does not wear.
    """

    def __init__(self, folder: Path, capacity_bytes: int | None = None) -> None:
        self._folder = folder
        self._capacity_bytes = capacity_bytes
        self._file = 0
        self._offset = 0
        self._descriptor = -1
        self._count = 0
        while self._path(self._count).is_file():
            self._count += 1
        self._used_bytes = sum(self._path(number).stat().st_size for number in range(self._count))

    def __enter__(self) -> FolderDrive:
        return self

    def close(self) -> None:
        self._let_go()

    def is_write_protected(self) -> bool:
        return not os.access(self._folder, os.W_OK)

    def position(self) -> tuple[int, int] | None:
        return (0, 0) if (self._file, self._offset) == (0, 0) else None

    def rewind(self) -> None:
        self._go(0)

    def forward(self, files: int) -> None:
        if self._file + files > self._count:
            self._go(self._count)
            raise EndOfData
        self._go(self._file + files)

    def to_end(self) -> None:
        self._go(self._count)

    def back(self, files: int) -> bool:
        found = self._file - files
        self._go(max(found, 0))
        return found > 0

    def read(self) -> bytes:
        if self._file >= self._count:
            raise EndOfData
        if self._descriptor < 0:
            self._descriptor = os.open(self._path(self._file), os.O_RDONLY | os.O_CLOEXEC)
        data = os.pread(self._descriptor, LARGEST_BLOCK, self._offset)
        self._offset += len(data)
        if not data:
            self._go(self._file + 1)
        return data

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        self._cut()
        if self._capacity_bytes is not None and self._used_bytes + len(block) > self._capacity_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._offset += len(block)
        self._used_bytes += len(block)

    def mark(self, *, wait: bool) -> None:
        self._cut()
        if wait:
            os.fsync(self._descriptor)
        self._go(self._file + 1)

    def cut(self) -> None:
        self._cut()
        if not self._offset:
            self._path(self._file).unlink()
            self._count = self._file
        self._let_go()

    def _go(self, file: int) -> None:
        self._let_go()
        self._file, self._offset = file, 0

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _cut(self) -> None:
        """Let the tape end here, as writing on a tape does; the last file goes first, so that it is a tape at any moment."""
        if self._file == self._count - 1 and self._descriptor >= 0 and self._offset:
            return  # it is being written
        self._let_go()
        for number in reversed(range(self._file + bool(self._offset), self._count)):
            self._used_bytes -= self._path(number).stat().st_size
            self._path(number).unlink()
        self._descriptor = os.open(self._path(self._file), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._used_bytes -= os.fstat(self._descriptor).st_size - self._offset
        os.ftruncate(self._descriptor, self._offset)
        os.lseek(self._descriptor, self._offset, os.SEEK_SET)
        self._count = self._file + 1

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}"
