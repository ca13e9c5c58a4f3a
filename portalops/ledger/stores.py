"""What a ledger is kept in: a store of records and one of blobs, as the ledger uses them.

`SqliteStore` and `BlobFolder` are those of one machine; a database and an object store are those of a team.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final, Protocol

from portalops.errors import LedgerMissing
from portalops.ledger.chain import ChainMark, ChainPart, Chunk, Tail
from portalops.ledger.record import Draft
from portalops.ledger.selection import IN_ORDER, Selection, TimeOrder
from portalops.model.record import Digest, Record
from portalops.ports import Clock

Decide = Callable[[], Sequence[Draft]]
"""Returns what is appended, while nobody else can append."""

Latest = Callable[[], datetime | None]
"""Returns the time that no record may be before. Asked where the newest record sets no time, or is before its time."""

Take = Callable[[int, Sequence[bytes]], None]
"""Adds lines of another store as they are, the first of them with a number; one that does not follow is refused."""

NO_TIME: Final[Latest] = lambda: None  # noqa: E731
"""Goes by the newest record, whatever it is."""


class StoredLines(Protocol):
    """The lines of all records in one consistent view, as verification reads them."""

    stores_columns: bool
    """Queries are answered by what stands beside the lines, and that is not known to follow from them."""

    def tail(self) -> Tail | None:
        """Return what was recorded last, as the store remembers it apart from the records."""
        ...

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield the lines in order, so many at a time."""
        ...

    def parts(self, wanted: Collection[int]) -> AbstractContextManager[Iterator[ChainPart]]:
        """Yield the parts of a large ledger, some of which a second process may check."""
        ...

    def read_mark_before(self, seq: int) -> ChainMark | None:
        """Return the mark after a record, on trust; None if the line is not a record."""
        ...

    def read_between(self, after: int | None, last: int | None, size: int) -> Iterator[Chunk]:
        """Yield the lines behind one record up to another, so many at a time; None is the beginning, or the end."""
        ...

    def lines_of(self, kinds: Collection[str]) -> Iterator[tuple[object, object]]:
        """Yield place and line of the records that stand under some kinds, in order."""
        ...

    def latest_first(self, after: int, last: int | None) -> Iterator[int]:
        """Yield the numbers of the lines behind one up to another, or to the end, by the time that each seems to have; the latest first."""
        ...

    def misleading_indexes(self) -> Iterator[tuple[int, str]]:
        """Yield where an index would lead a query past a record: its place, or 0, and what is said of it."""
        ...

    def are_indexed(self, after: int) -> bool:
        """Say whether queries by kind and by run find every record behind one."""
        ...


class RecordStore(Protocol):
    """Keeps records in their order. `SqliteStore` says what each method promises and raises."""

    @property
    def skew(self) -> timedelta:
        """How far the clocks of those who append may be apart."""
        ...

    @property
    def place(self) -> str:
        """Where it is, for people and for the record of a move; no account and no secret."""
        ...

    find_set_aside: Callable[[StoredLines], Iterable[int]]
    """Returns the records that quarantines name; a line of those that is no record is passed over."""

    def taking(self) -> AbstractContextManager[Take]:
        """Take lines of another store, all of them or, where the block raises, none."""
        ...

    def create(self) -> int: ...
    def check(self) -> int: ...
    def upgrade(self, draft: Callable[[int, Digest], Draft], clock: Clock) -> None: ...
    def append(self, drafts: Sequence[Draft], clock: Clock, latest: Latest = NO_TIME) -> tuple[Record, ...]: ...
    def append_decided(self, decide: Decide, clock: Clock, latest: Latest = NO_TIME) -> tuple[Record, ...]: ...
    def append_behind_damage(self, decide: Decide, clock: Clock) -> tuple[Record, ...]: ...
    def begin(self, draft: Draft, clock: Clock) -> None: ...
    def view(self) -> AbstractContextManager[None]: ...
    def snapshot(self) -> AbstractContextManager[StoredLines]: ...
    def records(self, selection: Selection) -> Iterator[Record]: ...
    def kinds_under(self, kind: str) -> tuple[str, ...]: ...
    def record(self, seq: int) -> Record | None: ...
    def frames(
        self, kinds: Collection[str] | None, since: datetime | None, until: datetime | None, order: TimeOrder = IN_ORDER
    ) -> Iterator[Record]: ...
    def frame_records(self) -> Iterator[Record]: ...
    def bodies(self) -> Iterator[tuple[int, Digest]]: ...
    def count(self) -> int: ...
    def has(self, run: str, kind: str) -> bool: ...
    def run_ids(self, first: str) -> Iterator[str]: ...
    def missing(self) -> LedgerMissing: ...
    def close(self) -> None: ...


class BlobStore(Protocol):
    """Keeps bytes under their digest. `BlobFolder` says what each method promises and raises."""

    def keep(self, data: bytes) -> Digest: ...
    def read(self, digest: Digest) -> bytes: ...
    def has(self, digest: Digest) -> bool: ...
    def remove(self, digest: Digest) -> None: ...
    def digests(self) -> Iterator[Digest]: ...


class Locks(Protocol):
    """Locks that end with their holder, over all machines that write to one ledger."""

    def held(self, name: str, *, holder: str, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold a lock for as long as the block runs.

        Raises:
            Locked: another process holds it and did not release it in time.
        """
        ...

    def held_to_read(self, name: str, *, holder: str, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold a lock for a block that changes nothing, also where nothing can be written; raises as `held` does."""
        ...

    def is_held_by(self, name: str, holder: str) -> bool:
        """Say whether a lock is held by just this holder."""
        ...

    def renew(self) -> None:
        """Take anew what was lost because a connection broke.

        Raises:
            LedgerError: where the locks are cannot be reached.
        """
        ...
