"""Time limits of other regulations, and how soon after their documents items were published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from portalops.model.organisation import Name, UnitId
from portalops.model.values import dataclass
from portalops.model.verdicts import DutyVerdict


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How many working days after its document's date an item of some kinds is to be published."""

    kinds: tuple[int, ...]
    """Of Article 8, 1 to 12."""
    working_days: int
    what: Name
    working_days_of_others: int | None = None
    """A longer time for those who did not issue the document, where the limit has one: an item does not tell whose it is."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The time limits of one regulation, dated."""

    id: str
    version: str
    title: Name
    document: str
    """Number, date and issuer of the legal document."""
    notice: Name
    """What a reader must know before anybody is held to it."""
    valid_from: date
    valid_to: date | None
    limits: tuple[TimeLimit, ...]


@dataclass(frozen=True, slots=True)
class LateItem:
    """An item that was published after its limit."""

    unit: UnitId | None
    title: str
    url: str
    kind: int
    document_on: date
    due_on: date
    seen_on: date
    """The local day on which a look first showed it; it was not there at the look before, which was after `due_on`."""


@dataclass(frozen=True, slots=True)
class RuleSetTimeliness:
    """What one rule set says of the items that were first seen in a period."""

    rule_set: RuleSet
    counts: tuple[Mapping[DutyVerdict, int], ...]
    """For each limit, in order, how many items have each verdict."""
    late: tuple[LateItem, ...]
    """The first of those after their limit, in order of time."""
    late_more: int
    """How many more there are than `late` names."""
