"""A folder of system files that portalops has a few in: read, replaced and removed, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from portalops.errors import FileUnwritable
from portalops.files import sync_folder, unwritable, write_atomically

LIMIT_BYTES = 1 << 20
"""More than any file that is looked for."""


class UnitFolder:
    """Where units or cron files lie."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, names: Iterable[str]) -> Mapping[str, bytes]:
        """Return what files hold, of those names that are there; a link counts as what it leads to, a mask as nothing.

        Raises:
            OSError: one is there and cannot be read.
        """
        found = {}
        for name in names:
            path = self.path / name
            if path.is_symlink() and os.path.realpath(path) == os.devnull:  # masked: as good as somebody else's
                found[name] = b""
                continue
            with suppress(FileNotFoundError, NotADirectoryError), path.open("rb") as file:
                found[name] = file.read(LIMIT_BYTES)
        return found

    def drop_ins(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the paths of the administrator's own files beside units, by the unit's name, where there are any."""
        found = {}
        for name in names:
            with suppress(OSError):
                paths = tuple(str(path) for path in sorted((self.path / f"{name}.d").glob("*.conf")))
                if paths:
                    found[name] = paths
        return found

    def refusal(self) -> FileUnwritable | None:
        """Return why nothing can be written here; None if it can. Nothing is left behind."""
        trial = self.path / f".portalops-{os.getpid()}.part"
        try:
            descriptor = os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            return unwritable(self.path, error)
        os.close(descriptor)
        trial.unlink()
        return None

    @contextmanager
    def changing(self, new: Mapping[str, bytes], gone: Iterable[str]) -> Iterator[None]:
        """Put files in place and take others away for the block; if that or the block fails, all is as it was.

        Args:
            new: the content of each file to be written, mode 0644.
            gone: names of files to be removed.

        Raises:
            FileUnwritable: a file cannot be written or removed, or the folder is not there.
        """
        removed = tuple(gone)
        before = self.read((*new, *removed))
        try:
            for name, data in new.items():
                write_atomically(self.path / name, data)
            for name in removed:
                self._remove(name)
            if new or removed:  # a machine without cron has no folder of its files
                self._sync()
            yield
        except BaseException:  # an interrupt too
            self._restore(before, new)
            raise

    def _remove(self, name: str) -> None:
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.path / name, error) from error

    def _sync(self) -> None:
        try:
            sync_folder(self.path)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _restore(self, before: Mapping[str, bytes], new: Iterable[str]) -> None:
        for name in new:
            if name not in before:
                with suppress(OSError):
                    (self.path / name).unlink(missing_ok=True)
        for name, data in before.items():
            with suppress(FileUnwritable):
                write_atomically(self.path / name, data)
