"""When a person is notified: when a problem starts, each day while it lasts, and once when it is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

AGAIN_AFTER = timedelta(hours=24)
"""How long after a mail the next one is due while the same thing lasts."""

MAX_LETTERS = 50
"""Mails that wait while the mail server takes none; the oldest is dropped for a newer one."""


class Trouble(StrEnum):
    """The problems that people are notified of."""

    REFUSED = "refused"
    """A head does not extend the kept one."""
    OVERDUE = "overdue"
    """No new head came in time."""
    UNCLAIMED = "unclaimed"
    """No writer claims some records."""


class Occasion(StrEnum):
    """Why a mail is written now."""

    BEGINS = "begins"
    LASTS = "lasts"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class WitnessAlarm:
    """A problem that people were notified of."""

    trouble: Trouble
    since: datetime
    told_at: datetime
    """When the newest mail about it was written."""


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A mail as it was written; it is kept until the mail server took it."""

    id: str
    """Part of its Message-ID: a mail that is sent twice is recognised."""
    trouble: Trouble
    occasion: Occasion
    subject: str
    text: str
    written_at: datetime


def next_alarm(
    alarm: WitnessAlarm | None, trouble: Trouble | None, now: datetime
) -> tuple[WitnessAlarm | None, Occasion | None]:
    """Return the alarm after a look, and whether a mail is due.

    Args:
        alarm: after the look before.
        trouble: what this look found.
        now: by the witness's clock; where it went back, a mail is due rather than not.
    """
    if trouble is None:
        return None, Occasion.OVER if alarm else None
    if alarm is None or alarm.trouble is not trouble:
        return WitnessAlarm(trouble, now, now), Occasion.BEGINS
    if not timedelta(0) <= now - alarm.told_at < AGAIN_AFTER:
        return replace(alarm, told_at=now), Occasion.LASTS
    return alarm, None


def queued(letters: tuple[WaitingMail, ...], letter: WaitingMail) -> tuple[WaitingMail, ...]:
    """Return the mails to be sent with a new one; an older reminder of the same trouble is replaced by it."""
    kept = letters
    if letter.occasion is Occasion.LASTS:
        kept = tuple(
            each for each in letters if each.trouble is not letter.trouble or each.occasion is not Occasion.LASTS
        )
    return (*kept, letter)[-MAX_LETTERS:]
