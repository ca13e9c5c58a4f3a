"""The archive of Article 10.1: originals, copies and drafts, counted against the items of the content database."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from portalops.model.record import Digest
from portalops.model.values import dataclass

EXAMPLES = 100
"""How many of a kind of fault are named in a record; the listing has all."""


class HeldItems(StrEnum):
    """What a collection holds."""

    ITEMS = "items"
    """The content items themselves: what the others are counted against."""
    ORIGINALS = "originals"
    COPIES = "copies"
    DRAFTS = "drafts"


STATES = (HeldItems.ORIGINALS, HeldItems.COPIES, HeldItems.DRAFTS)
"""In which each item is kept (Article 10.1: bản chính, bản sao, bản thảo)."""


@dataclass(frozen=True, slots=True)
class NamedItems:
    """So many things of a kind, and some of them by name."""

    count: int = 0
    examples: tuple[str, ...] = ()
    """At most `EXAMPLES`, bounded and escaped."""


@dataclass(frozen=True, slots=True)
class CollectionCount:
    """What was found in one collection."""

    id: str
    kind: str
    """`query`, `folder`, ..."""
    what: HeldItems
    source: str
    """The backup source that copies it."""
    immutable: bool
    """Nothing in it may change or go."""
    entries: int = 0
    """Rows or files."""
    items: int = 0
    """Different content items that they belong to."""
    size_bytes: int = 0
    problem: str = ""
    """Why it could not be read to its end; its numbers are then worth nothing."""
    unread: NamedItems = NamedItems()
    """Single files that could not be read."""
    nameless: NamedItems = NamedItems()
    """Files or rows that name no item."""


@dataclass(frozen=True, slots=True)
class MissingItems:
    """Items of which a state is not there."""

    what: HeldItems
    items: NamedItems
    unconfigured: bool = False
    """No collection is configured for this state, and no reason excuses it."""


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """What changed in one collection since the previous inventory."""

    collection: str
    immutable: bool
    before: int
    """How many entries it had."""
    now: int
    added: int = 0
    vanished: NamedItems = NamedItems()
    changed: NamedItems = NamedItems()
    """Entries with another digest."""
    shrunk: bool = False
    """More of it is gone than may go."""

    @property
    def is_fault(self) -> bool:
        """Whether something is gone that had to stay, or is not what it was."""
        return self.shrunk or (self.immutable and self.vanished.count + self.changed.count > 0)


@dataclass(frozen=True, slots=True)
class ArchiveComparison:
    """What changed in the archive since the last inventory without faults."""

    record: int
    """Of that inventory."""
    made_at: datetime
    """When it was recorded."""
    changes: tuple[CollectionChange, ...]
    unread: tuple[str, ...] = ()
    """Collections that were not compared, since they could not be read now."""

    def faults(self) -> tuple[CollectionChange, ...]:
        """Return the changes that must not be."""
        return tuple(each for each in self.changes if each.is_fault)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The body of an `archive.inventory` record, under the key `inventory`."""

    collections: tuple[CollectionCount, ...]
    items: int
    """How many different content items there are."""
    missing: tuple[MissingItems, ...] = ()
    """By state; states that could not be read, or are excused, are left out."""
    strays: NamedItems = NamedItems()
    """Entries of an item that the content database does not know."""
    excused: tuple[str, ...] = ()
    """`state: reason` for each state that this portal declares to have none of."""
    evidence: tuple[Digest, ...] = ()
    """The listing, in parts: one line of JSON an entry, ordered by collection and name."""
    comparison: ArchiveComparison | None = None
    """None for the first inventory."""
    accepted: str = ""
    """Why a person takes this inventory as the one to compare with although something is gone."""

    def unread(self) -> tuple[CollectionCount, ...]:
        """Return the collections that could not be read whole."""
        return tuple(each for each in self.collections if each.problem or each.unread.count)

    def lost(self) -> tuple[CollectionChange, ...]:
        """Return what is gone or changed that must not be, and that nobody has accepted."""
        return self.comparison.faults() if self.comparison and not self.accepted else ()

    @property
    def has_gaps(self) -> bool:
        """Whether an item lacks a state, or an entry has no item."""
        nameless = sum(each.nameless.count for each in self.collections)
        return bool(self.missing) or self.strays.count + nameless > 0


@dataclass(frozen=True, slots=True)
class InventoryRun:
    """The result of a run that made an inventory, under the key `inventory` of its finished record."""

    record: int
    """The record of the kind `archive.inventory`."""
    items: int
    gaps: int
    """Items that lack a state, each state counted, and entries without an item."""
    lost: int
    """Collections of which something is gone or changed that must not be."""
