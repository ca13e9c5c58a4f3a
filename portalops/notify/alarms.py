"""When something is told: as it becomes bad, again at growing intervals while it lasts, and once when it is good again. Pure.

What comes back after it was told to be over is told at once, since nobody may believe it to be good meanwhile. It counts as
restless then: that it is over is told only after a day without it. So one thing makes at most three letters in any day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

AGAIN_AFTER = timedelta(hours=24)
"""How long a restless thing must be good until that is told; and how long it is remembered that an end was told."""

GRAVE_REMINDERS = tuple(timedelta(days=days) for days in (1, 3, 7, 14, 30))
"""How long after each letter the next one is due while a grave thing lasts; the last one for ever. A letter each day is read by
nobody: of 540 letters of a replayed year 90 were worth reading."""

REMINDERS = tuple(timedelta(days=days) for days in (7, 14, 30))
"""The same for what is not grave; each summary names it as well."""

MAX_PROBLEMS = 20
"""How many classes of problem are kept of one thing; the one told longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class NotifiedAlarm:
    """Something that people were told of."""

    key: str
    """What it is: `job:nightly-backup`, `unit:portalops.service`, `run`, `ledger`, `duty:10.2-interval`."""
    since: datetime
    """When it was seen to be bad first."""
    seen_at: datetime
    """When it was seen to be bad last."""
    told: Mapping[str, datetime] = field(default_factory=dict)
    """Class of problem (an error's code, an outcome): when a letter told it last."""
    over_at: datetime | None = None
    """Since when it is good; None while it is bad."""
    over_told: bool = False
    """A letter said that it is over; it is kept for a day, in case it comes back."""
    restless: bool = False
    """It came back after it was told to be over."""
    letters: int = 1
    """How many letters told of its newest class of problem since it became bad."""


def is_recent(moment: datetime, now: datetime, span: timedelta = AGAIN_AFTER) -> bool:
    """Say whether a moment lies less than a span from now.

    One further in the future was written by a wrong clock, and keeps nobody silent.
    """
    return -span < now - moment < span


def seen_bad(
    alarm: NotifiedAlarm | None,
    key: str,
    problem: str,
    now: datetime,
    reminders: Sequence[timedelta] = GRAVE_REMINDERS,
    *,
    is_answered: bool = False,
) -> tuple[NotifiedAlarm, bool]:
    """Return the alarm after something was seen to be bad, and whether it is to be told now.

    Args:
        alarm: as it was; None if nobody was told.
        key: what it is.
        problem: its class: another one is told at once.
        now: the present moment.
        reminders: how long after each letter the next one is due.
        is_answered: a person acknowledged it until a day that is not past: nobody is reminded.
    """
    was = alarm or NotifiedAlarm(key, now, now)
    came_back = was.over_told
    is_new = came_back or problem not in was.told
    waits = reminders[min(was.letters, len(reminders)) - 1]
    is_due = is_new or (not is_answered and not is_recent(was.told[problem], now, waits))
    told = {**was.told, problem: now} if is_due else dict(was.told)
    while len(told) > MAX_PROBLEMS:
        del told[min(told, key=lambda each: told[each])]
    letters = 1 if is_new else was.letters + is_due
    since = now if came_back else was.since
    restless = was.restless or came_back
    return NotifiedAlarm(key, since, now, told, None, over_told=False, restless=restless, letters=letters), is_due


def seen_good(alarm: NotifiedAlarm, now: datetime) -> tuple[NotifiedAlarm | None, bool]:
    """Return the alarm after something was seen to be good, if it is still kept, and whether that is to be told now."""
    over_at = alarm.over_at or now
    has_rested = not is_recent(over_at, now)
    if alarm.over_told:
        return (None if has_rested else alarm), False
    if not alarm.told:
        return None, False  # it came back and went again before anybody was told
    if alarm.restless:
        return (None, True) if has_rested else (replace(alarm, over_at=over_at), False)
    return replace(alarm, over_at=over_at, over_told=True), True
