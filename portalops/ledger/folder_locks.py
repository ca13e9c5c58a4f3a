"""Locks of the machine that a ledger's file is on: files in the state folder, which the kernel frees with their holder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from portalops.system.locks import holder_of, locked, locked_to_read


class FolderLocks:
    """The folder `locks/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return the file of a lock."""
        return self.folder / f"{name.replace('/', '_')}.lock"

    def held(self, name: str, *, holder: str, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold a lock; raises as `portalops.system.locks.locked` does."""
        return locked(self.path(name), holder=holder, wait_seconds=wait_seconds)

    def held_to_read(self, name: str, *, holder: str, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold a lock for what changes nothing; raises as `portalops.system.locks.locked_to_read` does."""
        return locked_to_read(self.path(name), holder=holder, wait_seconds=wait_seconds)

    def is_held_by(self, name: str, holder: str) -> bool:
        """Say whether a lock is held by just this holder."""
        return holder_of(self.path(name)) == holder

    def renew(self) -> None:
        """Do nothing: a file's lock is lost with its process alone."""
