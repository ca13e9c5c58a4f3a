"""Nights that the polls leave open: of what came up around the end of a day, nobody knows on which day it came. Pure.

No claim decides a day (docs/decisions/0015), so that only polls near the end of a day do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from checks.updates.rules.stamps import Stamp, span
from portalops.model.message import Message, msg, nmsg
from portalops.model.updates import UnitWeek
from portalops.model.verdicts import DutyVerdict

BEFORE = timedelta(minutes=90)
"""So long before a day's end its last poll may lie: by the reckoning of docs/updates.md, one or two weeks in a hundred stay open then."""
BEHIND = timedelta(hours=9)
"""So long after a day's end the next poll may lie: later, what the morning publishes may be of the day before."""
PERIOD = timedelta(days=14)
"""So far back polls are held against the ends of days."""

_OPEN = frozenset({DutyVerdict.PENDING, DutyVerdict.INSUFFICIENT_EVIDENCE})


@dataclass(frozen=True, slots=True)
class OpenNights:
    """How many ends of days the polls left open, and what that came to."""

    nights: int
    of: int
    """Ends of days that were polled before and afterwards."""
    weeks: int
    """Weeks of units that are over and not decided, with an item that may be of several days."""


def open_nights(polls: Mapping[str, Sequence[Stamp]], ends: Sequence[Stamp]) -> tuple[int, int]:
    """Return how many ends of days the polls of half of the sources or more leave open, and of how many.

    A source that failed for a night is another thing than polls at the wrong time.

    Args:
        polls: when each source was polled whole, in order of time.
        ends: of days.
    """
    count = of = 0
    for end in ends:
        places = [(own, bisect_right(own, end)) for own in polls.values()]
        around = [(end - own[place - 1], own[place] - end) for own, place in places if 0 < place < len(own)]
        wide = sum(before > span(BEFORE) or behind > span(BEHIND) for before, behind in around)
        of += bool(around)
        count += 0 < len(around) <= 2 * wide
    return count, of


def open_weeks(weeks: Iterable[UnitWeek], *, now: datetime, zone: ZoneInfo) -> int:
    """Return how many weeks are over and open, with an item that counts and may be of several days."""
    return sum(
        week.verdict in _OPEN
        and week.week.period().bounds(zone)[1] <= now
        and any(
            one.is_sure
            and one.since is not None
            and one.until is not None
            and one.since.astimezone(zone).date() != one.until.astimezone(zone).date()
            for one in week.items
        )
        for week in weeks
    )


def say_open_nights(found: OpenNights) -> Message:
    """Say what the polls leave open."""
    weeks = nmsg(
        "{n} week of a unit is open with an item that may be of several days",
        "{n} weeks of units are open with items that may be of several days",
        found.weeks,
    )
    return msg(
        "on {nights} of the last {of} nights the polls left open of which day an item is: the day's last poll was more than"
        " {before} minutes before its end, or the next one more than {behind} hours after it; {weeks}",
        nights=found.nights,
        of=found.of,
        before=BEFORE // timedelta(minutes=1),
        behind=BEHIND // timedelta(hours=1),
        weeks=weeks,
    )


def advise_times(cutoff: str, job: str) -> Message:
    """Name the times at which a job of updates decides most days.

    Args:
        cutoff: when a day closes, as `day_cutoff` of the rulebook.
        job: its id.
    """
    end = timedelta(hours=int(cutoff[:2]), minutes=int(cutoff[3:]))
    times = sorted(_clock(end + apart) for apart in (timedelta(minutes=-30), timedelta(hours=7)))
    return msg(
        'Write every = "day" and at = {times} for the job {job} in the configuration.',
        times="[" + ", ".join(f'"{one}"' for one in times) + "]",
        job=job,
    )


def _clock(moment: timedelta) -> str:
    minutes = moment // timedelta(minutes=1) % (24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"
