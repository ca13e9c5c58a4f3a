"""Where the servers stand and who answers for them, as people saw it (Article 12.1)."""

from __future__ import annotations

from datetime import date
from typing import Final

from portalops.model.organisation import HostId
from portalops.model.values import dataclass

LONGEST_MONTHS: Final = 12
"""How old the newest sighting of a host may be: a yearly stock-taking, this portalops's own reading of Article 12.1."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The body of a `host.sighted` record, under the key `sighting`: somebody stood before a host."""

    host: HostId
    seen_on: date
    """The portal's local day."""
    seen_by: str
    site: str
    """The building, or the unit's address."""
    room: str
    rack: str
    """And the place in it."""
    holder: str
    """Who answers for the host: a person or an office."""
    reason: str = ""
    """Why it corrects the sighting before."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The body of a `host.handed-over` record, under the key `hand_over`: another one answers for a host now."""

    host: HostId
    handed_on: date
    """The portal's local day."""
    holder: str
    """Who answers for it from then on."""
    before: str
    """Who did until then, as the register had it; empty if it had nobody."""
    document: str
    """Number and date of the minutes or the decision; empty if there is none."""
    reason: str = ""
    """Why it is recorded after an entry of a later day."""


def is_overdue(seen_on: date, today: date) -> bool:
    """Say whether a host was seen longer ago than `LONGEST_MONTHS`."""
    return seen_on < months_before(today, LONGEST_MONTHS)


def months_before(day: date, months: int) -> date:
    """Return the day of the same number so many months earlier, or the last one of that month."""
    month = day.year * 12 + day.month - 1 - months
    year, index = divmod(month, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return date(year, index + 1, number)
        except ValueError:
            continue
    raise AssertionError(day)
