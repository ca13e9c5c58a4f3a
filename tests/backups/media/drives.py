"""A drive for discs without the drive: a file takes the place of the disc, byte for byte."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portalops.errors import MediumUnavailable
from portalops.model.message import msg
from portalops.ports import LoadedDisc, Readable


class FileDrive:
    """A double of `ports.DiscDrive`: an empty file is a blank disc."""

    def __init__(self, disc: Path, *, capacity_bytes: int = 1 << 30) -> None:
        self.device = "/dev/sr0"
        self.disc = disc
        self.capacity_bytes = capacity_bytes
        self.fails_after: int | None = None
        """Burning fails after so many bytes."""
        self.flips: int | None = None
        """This byte of what is burnt comes out wrong."""
        self.unreadable_from: int | None = None
        """From this byte on the disc cannot be read."""
        self.comes_in = True
        """The disc comes in again."""
        self.is_stopped = False
        """Somebody presses Ctrl-C once the disc is burnt."""
        disc.touch()

    def change(self, disc: Path) -> None:
        """Put another disc in."""
        self.disc = disc
        disc.touch()

    def loaded(self) -> LoadedDisc:
        is_blank = not self.disc.stat().st_size
        state = "is blank" if is_blank else "is written , is closed"
        return LoadedDisc("DVD+R", state, is_blank, self.capacity_bytes, "a file")

    def burn(self, image: Path) -> str:
        assert self.loaded().is_blank, "a disc that is not blank is never written to"
        data = bytearray(image.read_bytes())
        if self.fails_after is not None:
            self.disc.write_bytes(data[: self.fails_after])
            raise MediumUnavailable(msg("drive {device}: burning failed", device=self.device), msg("x"))
        if self.flips is not None:
            data[self.flips] ^= 1
        self.disc.write_bytes(data)
        return "cp"

    def reload(self) -> None:
        if self.is_stopped:
            raise KeyboardInterrupt
        if not self.comes_in:
            raise MediumUnavailable(
                msg("drive {device}: the drive did not load the disc again", device=self.device), msg("x")
            )

    @contextmanager
    def open(self) -> Iterator[Readable]:
        with self.disc.open("rb") as file:
            yield _Disc(file.read(), self.unreadable_from)


class _Disc:
    def __init__(self, data: bytes, unreadable_from: int | None) -> None:
        self._data = data
        self._unreadable_from = unreadable_from
        self._at = 0

    def read(self, size: int, /) -> bytes:
        if self._unreadable_from is not None and self._at + size > self._unreadable_from:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece
