"""What was published by kind and language, and which Vietnamese items are not seen in English (Articles 8 and 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from portalops.model.organisation import UnitId

KINDS = 12
"""How many kinds of information Article 8 lists."""


@dataclass(frozen=True, slots=True)
class LanguageCount:
    """How many items are in one language."""

    language: str
    """A primary tag such as `vi`, as the source or the item's address tells it; empty where neither does."""
    items: int


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A Vietnamese item of which no English one is seen, on a site where others have theirs."""

    unit: UnitId | None
    observation: str
    title: str
    url: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Variety:
    """What was first seen on the portal and the sub-portals from one day to another."""

    first: date
    last: date
    kinds: tuple[int, ...]
    """How many items are of kind 1 to 12, in this order."""
    no_kind: int
    """Items of which no source tells the kind."""
    languages: tuple[LanguageCount, ...]
    paired: int
    """Vietnamese items of which an English one is seen."""
    unpaired: tuple[Unpaired, ...]
    """The first of those of which none is seen, in order of time."""
    unpaired_more: int
    """How many more there are than `unpaired` names."""
    untold: int
    """Vietnamese items of sites on which no pair at all is known: whether they have an English one cannot be told."""

    @property
    def items(self) -> int:
        """How many items were counted."""
        return sum(self.kinds) + self.no_kind
