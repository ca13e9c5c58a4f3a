"""Which records are asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class TimeOrder:
    """Where the times of a ledger go back, so that halving finds a moment all the same."""

    mended: tuple[tuple[int, str], ...] = ()
    """Number and time of each mended clock that counts: all before it counts as recorded no later than that."""
    passed: frozenset[int] = frozenset()
    """Numbers of the records by whose time nothing is found, since they count for nothing or are before their time."""


IN_ORDER: Final = TimeOrder()
"""Of a ledger whose times never go back."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are asked for; all conditions hold together."""

    kinds: tuple[str, ...] | None = None
    run: str | None = None
    since: datetime | None = None
    """At or after."""
    until: datetime | None = None
    """Before."""
    newest_first: bool = False
    limit: int | None = None
    order: TimeOrder = IN_ORDER
    """How a moment is looked for."""
