"""Takes the inventory of Article 10.1: every original, copy and draft, counted against the content items.

Entries go through a scratch database that lies on disk as soon as it is large, so that millions of them need no more
memory than a few. The listing, with each entry's digest, is the evidence; the next inventory is compared with it.

A portal is written to meanwhile. So the items are read before everything else counts and once more at the end: an item lacks
something only if it was there at both moments, and an entry has no item only if it had none at either.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from backups.collections import Collection, CollectionTraits, DigestedEntry, UnreadEntry
from portalops.errors import PortalOpsError
from portalops.json_text import read_json
from portalops.model.archive import (
    EXAMPLES,
    STATES,
    ArchiveComparison,
    CollectionChange,
    CollectionCount,
    HeldItems,
    Inventory,
    MissingItems,
    NamedItems,
)
from portalops.model.message import msg, verbatim
from portalops.model.text import show_text
from portalops.ports import EvidenceStore, Progress

PART_BYTES = 8 << 20
"""Size of a part of the listing: no more of it is ever in memory."""
BATCH = 500
"""Entries that are written into the scratch database at once."""

_SCHEMA = """
CREATE TABLE entry (collection TEXT, what TEXT, item TEXT, name TEXT, size INTEGER, sha256 TEXT);
CREATE TABLE later (item TEXT);
CREATE TABLE before (collection TEXT, name TEXT, sha256 TEXT);
"""
_INDEX = """
CREATE INDEX entry_by_name ON entry (collection, name, sha256);
CREATE INDEX entry_by_item ON entry (what, item);
CREATE INDEX later_by_item ON later (item);
CREATE INDEX before_by_name ON before (collection, name, sha256);
"""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The inventory to compare with."""

    record: int
    made_at: datetime
    inventory: Inventory
    listing: Iterable[bytes]
    """The parts of its listing, read one after the other."""


def take_inventory(
    collections: Sequence[Collection],
    *,
    excused: Mapping[HeldItems, str],
    max_shrink_percent: int,
    keeper: EvidenceStore | None,
    progress: Progress,
    earlier: Earlier | None = None,
    accepted: str = "",
) -> Inventory:
    """Read every collection, count, list and compare.

    Args:
        collections: at least one of items, for there to be something to count against.
        excused: states that this portal has none of: why.
        max_shrink_percent: how much of a collection may be gone before it is at fault whatever it is.
        keeper: keeps the listing; None keeps nothing.
        progress: shows how far it has come.
        earlier: what to compare with, if there is something.
        accepted: why a person takes this inventory as the one to compare with from now on.

    Raises:
        PortalOpsError: the earlier listing cannot be read.
    """
    # An empty name is a database of its own on disk, removed when it is closed, most of it in memory while it is small.
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        scratch = _Scratch(database)
        in_order = sorted(collections, key=lambda each: each.traits.what is not HeldItems.ITEMS)
        counts = [_read(each, scratch, progress) for each in in_order]
        counts = [_read_again(*each, scratch) for each in zip(in_order, counts, strict=True)]
        if earlier is not None:
            scratch.add_before(earlier.listing)
        scratch.index()
        whole = _Whole(counts, frozenset(excused))
        return Inventory(
            collections=tuple(scratch.counted(each) for each in counts),
            items=scratch.items(),
            missing=tuple(_missing(scratch, whole)),
            strays=scratch.strays() if whole.is_whole(HeldItems.ITEMS) else NamedItems(),
            excused=tuple(f"{state.value}: {excused[state]}" for state in STATES if state in excused),
            evidence=tuple(keeper.keep(part) for part in scratch.listing()) if keeper is not None else (),
            comparison=_compared(scratch, counts, earlier, max_shrink_percent) if earlier is not None else None,
            accepted=accepted,
        )


class _Whole:
    """Which states were read to their ends, so that what is not there is known to be missing."""

    def __init__(self, counts: Sequence[CollectionCount], excused: frozenset[HeldItems]) -> None:
        self._counts = counts
        self.wanted = tuple(state for state in STATES if state not in excused)

    def is_whole(self, what: HeldItems) -> bool:
        return all(not each.problem and not each.unread.count for each in self._counts if each.what is what)

    def is_configured(self, what: HeldItems) -> bool:
        return any(each.what is what for each in self._counts)


def _read(collection: Collection, scratch: _Scratch, progress: Progress) -> CollectionCount:
    """Put a collection into the scratch database; one that breaks off leaves nothing there, and says why."""
    traits = collection.traits
    unread = _Unread()
    batch: list[DigestedEntry] = []
    with progress.task(msg("Reading {collection}", collection=traits.id), total=None, unit="items") as task:
        try:
            for entry in unread.set_aside(collection.entries()):
                task.advance(1)
                batch.append(entry)
                if len(batch) == BATCH:
                    scratch.add(traits, batch)
                    batch = []
            scratch.add(traits, batch)
        except PortalOpsError as error:
            scratch.drop(traits.id)
            return replace(_count_of(traits), problem=show_text(str(error), 500))
        task.note(verbatim(traits.id))
    return replace(_count_of(traits), unread=unread.named())


def _read_again(collection: Collection, count: CollectionCount, scratch: _Scratch) -> CollectionCount:
    """Read which items there are when all else was read; what fails then is a fault of the collection."""
    if collection.traits.what is not HeldItems.ITEMS or count.problem:
        return count
    unread = _Unread()
    try:
        scratch.add_later(each.item for each in unread.set_aside(collection.entries()))
    except PortalOpsError as error:
        scratch.drop(count.id)
        return replace(count, problem=show_text(str(error), 500))
    return count if count.unread.count else replace(count, unread=unread.named())


class _Unread:
    """Counts the entries that could not be read, and names the first of them."""

    def __init__(self) -> None:
        self._count = 0
        self._examples: list[str] = []

    def set_aside(self, entries: Iterable[DigestedEntry | UnreadEntry]) -> Iterator[DigestedEntry]:
        """Yield the entries that could be read, and count the others."""
        for each in entries:
            if isinstance(each, DigestedEntry):
                yield each
                continue
            self._count += 1
            if len(self._examples) < EXAMPLES:
                self._examples.append(f"{show_text(each.name)}: {each.why}")

    def named(self) -> NamedItems:
        return NamedItems(self._count, tuple(self._examples))


def _count_of(traits: CollectionTraits) -> CollectionCount:
    """Return a collection in which nothing is counted yet."""
    return CollectionCount(traits.id, traits.kind, traits.what, traits.source, traits.immutable)


def _missing(scratch: _Scratch, whole: _Whole) -> Iterator[MissingItems]:
    if not whole.is_whole(HeldItems.ITEMS):
        return
    for state in whole.wanted:
        unconfigured = not whole.is_configured(state)
        items = scratch.items_without(state) if unconfigured or whole.is_whole(state) else NamedItems()
        if unconfigured or items.count:
            yield MissingItems(state, items, unconfigured)


def _compared(
    scratch: _Scratch, counts: Sequence[CollectionCount], earlier: Earlier, max_shrink_percent: int
) -> ArchiveComparison:
    now = {each.id: each for each in counts}
    changes: list[CollectionChange] = []
    unread: list[str] = []
    for then in earlier.inventory.collections:
        here = now.get(then.id)
        if here is not None and (here.problem or here.unread.count):
            unread.append(then.id)
            continue
        changes.append(_change(scratch, then, max_shrink_percent, is_gone=here is None))
    return ArchiveComparison(earlier.record, earlier.made_at, tuple(changes), tuple(unread))


def _change(scratch: _Scratch, then: CollectionCount, max_shrink_percent: int, *, is_gone: bool) -> CollectionChange:
    """Compare one collection; one that is not configured any more has shrunk to nothing."""
    entries = scratch.entries(then.id)
    fewer = then.entries - entries
    return CollectionChange(
        then.id,
        then.immutable,
        then.entries,
        entries,
        scratch.added(then.id),
        scratch.vanished(then.id),
        scratch.changed(then.id),
        shrunk=is_gone or fewer * 100 > max_shrink_percent * then.entries,
    )


class _Scratch:
    """The scratch database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_SCHEMA)

    def add(self, traits: CollectionTraits, entries: Sequence[DigestedEntry]) -> None:
        rows = [(traits.id, traits.what, each.item, each.name, each.size_bytes, each.sha256) for each in entries]
        self._put("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", rows)

    def add_later(self, items: Iterable[str]) -> None:
        self._put("INSERT INTO later VALUES (?)", ((item,) for item in items))

    def add_before(self, listing: Iterable[bytes]) -> None:
        for part in listing:
            lines = (read_json(line) for line in part.splitlines())
            self._put(
                "INSERT INTO before VALUES (?, ?, ?)",
                ((each["collection"], each["name"], each["sha256"]) for each in lines),
            )

    def drop(self, collection: str) -> None:
        self._database.execute("DELETE FROM entry WHERE collection = ?", (collection,))

    def index(self) -> None:
        self._database.executescript(_INDEX)

    def counted(self, count: CollectionCount) -> CollectionCount:
        """Return a collection's numbers with those of its entries."""
        entries, items, size = self._database.execute(
            "SELECT count(*), count(DISTINCT nullif(item, '')), coalesce(sum(size), 0) FROM entry WHERE collection = ?",
            (count.id,),
        ).fetchone()
        nameless = self._named("SELECT name FROM entry WHERE collection = ? AND item = ''", count.id)
        return replace(count, entries=entries, items=items, size_bytes=size, nameless=nameless)

    def entries(self, collection: str) -> int:
        return self._number("SELECT count(*) FROM entry WHERE collection = ?", collection)

    def items(self) -> int:
        return self._number("SELECT count(DISTINCT item) FROM entry WHERE what = ? AND item <> ''", HeldItems.ITEMS)

    def items_without(self, state: HeldItems) -> NamedItems:
        return self._named(
            "SELECT DISTINCT item FROM entry AS one WHERE what = ? AND item <> '' AND NOT EXISTS"
            " (SELECT 1 FROM entry WHERE what = ? AND item = one.item)"
            " AND EXISTS (SELECT 1 FROM later WHERE item = one.item)",
            HeldItems.ITEMS,
            state,
        )

    def strays(self) -> NamedItems:
        return self._named(
            "SELECT collection || ': ' || name FROM entry AS one WHERE what <> ? AND item <> '' AND NOT EXISTS"
            " (SELECT 1 FROM entry WHERE what = ? AND item = one.item)"
            " AND NOT EXISTS (SELECT 1 FROM later WHERE item = one.item)",
            HeldItems.ITEMS,
            HeldItems.ITEMS,
        )

    def added(self, collection: str) -> int:
        return self._number(
            "SELECT count(DISTINCT name) FROM entry AS one WHERE collection = ? AND NOT EXISTS"
            " (SELECT 1 FROM before WHERE collection = one.collection AND name = one.name)",
            collection,
        )

    def vanished(self, collection: str) -> NamedItems:
        return self._named(
            "SELECT DISTINCT name FROM before AS one WHERE collection = ? AND NOT EXISTS"
            " (SELECT 1 FROM entry WHERE collection = one.collection AND name = one.name)",
            collection,
        )

    def changed(self, collection: str) -> NamedItems:
        return self._named(
            "SELECT DISTINCT name FROM before AS one WHERE collection = ? AND EXISTS"
            " (SELECT 1 FROM entry WHERE collection = one.collection AND name = one.name) AND NOT EXISTS"
            " (SELECT 1 FROM entry WHERE collection = one.collection AND name = one.name AND sha256 = one.sha256)",
            collection,
        )

    def listing(self) -> Iterator[bytes]:
        """Yield the parts of the listing, each of whole lines; the same entries give the same bytes."""
        part = bytearray()
        rows = self._database.execute(
            "SELECT collection, item, name, size, sha256 FROM entry ORDER BY collection, name, sha256"
        )
        for collection, item, name, size, sha256 in rows:
            line = {"collection": collection, "item": item, "name": name, "sha256": sha256, "size": size}
            part += json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
            part += b"\n"
            if len(part) >= PART_BYTES:
                yield bytes(part)
                part = bytearray()
        if part:
            yield bytes(part)

    def _put(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._database.execute("BEGIN")
        try:
            self._database.executemany(statement, rows)
        finally:
            self._database.execute("COMMIT")

    def _number(self, statement: str, *values: str) -> int:
        return int(self._database.execute(statement, values).fetchone()[0])

    def _named(self, statement: str, *values: str) -> NamedItems:
        count = self._number(f"SELECT count(*) FROM ({statement})", *values)  # noqa: S608  # our own statements
        if not count:
            return NamedItems()
        rows = self._database.execute(f"{statement} ORDER BY 1 LIMIT {EXAMPLES}", values)
        return NamedItems(count, tuple(show_text(str(row[0])) for row in rows))
