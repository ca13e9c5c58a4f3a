"""What all collections of the archive have in common: settings, entries, and how they say that they cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pydantic import Field, StrictBool

from portalops.config.values import Id, Shape
from portalops.errors import SourceUnavailable
from portalops.model.archive import HeldItems
from portalops.model.message import Message, msg
from portalops.model.record import Digest


class CollectionSettings(Shape):
    """The keys that every `[[archive.collection]]` has."""

    what: HeldItems = Field(description="originals, copies or drafts; or items: what the others are counted against.")
    source: Id = Field(
        description="Id of the [[backup.source]] that copies this data: without a copy it counts for nothing."
    )
    immutable: StrictBool | None = Field(
        default=None,
        description="Nothing in it may change or go; without it true for folders of originals, copies or drafts.",
    )


@dataclass(frozen=True, slots=True)
class CollectionTraits:
    """What a collection is."""

    id: str
    kind: str
    what: HeldItems
    source: str
    immutable: bool


@dataclass(frozen=True, slots=True)
class DigestedEntry:
    """One row or file, digested."""

    item: str
    """The key of its content item; empty if it names none."""
    name: str
    """What tells it apart in its collection: a path, or the row's key."""
    size_bytes: int
    sha256: Digest


@dataclass(frozen=True, slots=True)
class UnreadEntry:
    """One file that could not be read."""

    name: str
    why: str


class Collection(Protocol):
    """Yields everything that lies in one place."""

    @property
    def traits(self) -> CollectionTraits:
        """Return what it is."""
        ...

    def entries(self) -> Iterator[DigestedEntry | UnreadEntry]:
        """Yield what it holds, each entry as it is read, in any order; nothing is kept in memory.

        Raises:
            SourceUnavailable: it cannot be read, or not to its end.
        """
        ...


def unavailable(collection_id: str, cause: Message, hint: Message | None = None) -> SourceUnavailable:
    """Return the error of a collection that cannot be read."""
    return SourceUnavailable(
        msg("archive collection {collection}: {cause}", collection=collection_id, cause=cause),
        hint
        or msg(
            "Correct the collection in the configuration, or make it readable; then run 'portalops "
            "archive inventory' again."
        ),
    )
