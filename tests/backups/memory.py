"""A medium that keeps sets as bytes: a double that keeps the contract of `portalops.ports.Medium`.

It is no kind that a configuration may name: its sets are gone when the process ends, so they would prove nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from backups.media._errors import medium_unavailable, no_such_set
from portalops.errors import SetDamaged
from portalops.model.backups import SetId
from portalops.model.message import msg
from portalops.ports import Readable


class MemoryMedium:
    """Keeps sets as bytes."""

    kind = "memory"

    def __init__(self, medium_id: str) -> None:
        self.id = medium_id
        self.stored: dict[SetId, dict[str, bytes]] = {}

    def places(self) -> Sequence[Path]:
        return ()

    def prepare(self, sources: Sequence[Path]) -> bool:
        del sources
        return False

    def begin(self, set_id: SetId, *, expected_bytes: int) -> MemorySetWriter:
        del expected_bytes
        if set_id in self.stored:
            raise medium_unavailable(self.id, msg("set {set} already exists", set=set_id))
        return MemorySetWriter(self, set_id)

    def sets(self) -> tuple[SetId, ...]:
        return tuple(sorted(self.stored))

    def open_set(self, set_id: SetId) -> MemoryStoredSet:
        if set_id not in self.stored:
            raise no_such_set(self.id, set_id)
        return MemoryStoredSet(self.stored[set_id])

    def remove(self, set_id: SetId) -> None:
        if set_id not in self.stored:
            raise no_such_set(self.id, set_id)
        del self.stored[set_id]


class MemorySetWriter:
    """A set that is being written."""

    def __init__(self, medium: MemoryMedium, set_id: SetId) -> None:
        self._medium = medium
        self._set_id = set_id
        self._files: dict[str, bytes] = {}
        self._path = ""
        self._parts: list[bytes] = []

    def open(self, path: str) -> None:
        self._path, self._parts = path, []

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._parts.append(bytes(data))

    def close(self) -> None:
        self._files[self._path] = b"".join(self._parts)

    def discard(self, path: str) -> None:
        self._files.pop(path, None)

    def seal(self) -> None:
        self._medium.stored[self._set_id] = self._files

    def abandon(self) -> None:
        self._files = {}


class MemoryStoredSet:
    """A sealed set."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def sizes(self) -> Mapping[str, int]:
        return {path: len(data) for path, data in self._files.items()}

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        if path not in self._files:
            raise SetDamaged(
                msg("{path}: the file is missing", path=path), msg("Restore from another copy of the set.")
            )
        yield io.BytesIO(self._files[path])
