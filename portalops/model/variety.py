"""What was published by kind and language, and which Vietnamese items are not seen in English (Articles 8 and 3.1)."""

from __future__ import annotations

from datetime import date, datetime

from portalops.model.organisation import UnitId
from portalops.model.values import dataclass

KINDS = 12
"""How many kinds of information Article 8 lists."""


@dataclass(frozen=True, slots=True)
class PairRule:
    """How a site's addresses tell which English item belongs to which Vietnamese one: see `checks.updates.pairs`."""

    vi: str
    """The shape of a Vietnamese item's address, such as `/tin-tuc/{slug}-{id}`."""
    en: str


@dataclass(frozen=True, slots=True)
class LanguageCount:
    """How many items are in one language."""

    language: str
    """A primary tag such as `vi`, as the source or the item's address shows; empty where neither does."""
    items: int


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A Vietnamese item of which no English one is seen, on a site that declares how they are told, or where others have theirs."""

    unit: UnitId | None
    observation: str
    title: str
    url: str
    first_seen_at: datetime
    days: int = 0
    """Whole days since it was first seen, at the moment of judging."""


@dataclass(frozen=True, slots=True)
class Variety:
    """What came on the portal and the sub-portals from one day to another."""

    first: date
    last: date
    kinds: tuple[int, ...]
    """How many items are of kind 1 to 12, in this order."""
    no_kind: int
    """Items whose kind no source states."""
    languages: tuple[LanguageCount, ...]
    paired: int
    """Vietnamese items of which an English one is seen."""
    unpaired: tuple[Unpaired, ...]
    """The first of those of which none is seen, in order of time."""
    unpaired_more: int
    """How many more there are than `unpaired` names."""
    untold: int
    """Vietnamese items of sites on which no pair at all is known: whether they have an English one is not known."""
    lag_known: int = 0
    """Pairs of which our own looks saw both come: of these it is known how long the English one took."""
    lag_median_days: int | None = None
    """Whole days from the first sight of the Vietnamese item to that of the English one; 0 if that came first."""
    lag_longest_days: int | None = None

    @property
    def items(self) -> int:
        """How many items were counted."""
        return sum(self.kinds) + self.no_kind
