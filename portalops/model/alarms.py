"""Alarms: one for each thing that can be wrong, from when it was seen to be until it is seen to be right."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from portalops.model.message import Message
from portalops.model.rulebook import DutyId
from portalops.model.values import dataclass

AlarmKey = NewType("AlarmKey", str)
"""`KIND:ID`, such as `medium:disk-b`; the kind is the name of a file in `portalops/alarms/causes/`, or `duty`."""

LONGEST_ANSWER = timedelta(days=90)
"""So long at most one acknowledgement or silence holds: a person looks again at least each quarter. No source but our own judgement."""


@dataclass(frozen=True, slots=True)
class AlarmCause:
    """Something that is wrong now."""

    key: AlarmKey
    problem: str
    """Its class, such as `damaged`; another class of the same thing is told anew, other digits are not."""
    what: Message
    """What is wrong, in one sentence."""
    hint: Message
    """The next command."""
    grave_after: timedelta | None = None
    """How long it may last before it is grave: zero at once, None never."""
    duties: tuple[DutyId, ...] = ()
    """Duties that it puts at risk: a duty that is not met for it has no alarm of its own."""
    records: tuple[int, ...] = ()
    """Records that show it."""


class AlarmEnd(StrEnum):
    """Why an alarm was closed."""

    RIGHT = "right"
    """The thing was seen to be right."""
    BY_CAUSE = "by-cause"
    """The duty is not met still; what it is for has alarms of its own now."""
    NOT_EXPECTED = "not-expected"
    """Nobody looks at the thing any more: the configuration, or the register, does not have it."""


@dataclass(frozen=True, slots=True)
class SoundThing:
    """Something that was looked at and is right: that closes its alarm."""

    key: AlarmKey
    records: tuple[int, ...] = ()
    end: AlarmEnd = AlarmEnd.RIGHT
    """`BY_CAUSE` of a duty whose causes have alarms."""


@dataclass(frozen=True, slots=True)
class OpenedAlarm:
    """One alarm that was opened, or whose class of problem changed."""

    key: AlarmKey
    problem: str
    what: Message
    hint: Message
    grave: bool
    """Grave by then; one that becomes grave later is listed again."""
    duties: tuple[DutyId, ...] = ()
    records: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosedAlarm:
    """One alarm that was closed."""

    key: AlarmKey
    end: AlarmEnd
    records: tuple[int, ...] = ()
    """Records that show the thing to be right."""


@dataclass(frozen=True, slots=True)
class AlarmsChanged:
    """The body of an `alarm.changed` record, under the key `alarms`: what became of alarms in one run."""

    opened: tuple[OpenedAlarm, ...] = ()
    closed: tuple[ClosedAlarm, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmAnswer:
    """The body of an `alarm.acknowledged`, `alarm.silenced` or `alarm.released` record, under the key `answer`."""

    key: AlarmKey
    by: str
    """The person, as typed: one bounded line."""
    reason: str
    until: date | None = None
    """Its last local day; None where an answer is taken back."""

    def holds(self, today: date) -> bool:
        """Say whether it holds on a local day."""
        return self.until is not None and today <= self.until


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as the records tell of it."""

    key: AlarmKey
    opened_seq: int
    opened_at: datetime
    newest: OpenedAlarm
    """As it was told last."""
    newest_seq: int
    closed: ClosedAlarm | None = None
    closed_at: datetime | None = None
    closed_seq: int | None = None
    acknowledged: AlarmAnswer | None = None
    acknowledged_seq: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the thing is still wrong, as far as is known."""
        return self.closed is None

    def is_acknowledged(self, today: date) -> bool:
        """Say whether a person answers for it on a local day."""
        return self.acknowledged is not None and self.acknowledged.holds(today)
