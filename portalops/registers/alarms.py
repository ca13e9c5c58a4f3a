"""Which alarms there are: the records of `alarm.*`, folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import date, datetime

from portalops.bodies import required_part
from portalops.errors import PortalOpsError
from portalops.model.alarms import Alarm, AlarmAnswer, AlarmKey, AlarmsChanged
from portalops.model.values import dataclass
from portalops.model.verdicts import DutyVerdict
from portalops.ports import LedgerReader

CHANGED, ACKNOWLEDGED, SILENCED, RELEASED = "alarm.changed", "alarm.acknowledged", "alarm.silenced", "alarm.released"
ALARM_KINDS = (CHANGED, ACKNOWLEDGED, SILENCED, RELEASED)
ALARMS, ANSWER = "alarms", "answer"
"""The keys of the two bodies."""


@dataclass(frozen=True, slots=True)
class AlarmStep:
    """One record of alarms."""

    seq: int
    at: datetime
    kind: str
    """One of `ALARM_KINDS`."""
    body: AlarmsChanged | AlarmAnswer


@dataclass(frozen=True, slots=True)
class Silence:
    """A person's word that letters leave an alarm out."""

    seq: int
    answer: AlarmAnswer


@dataclass(frozen=True, slots=True)
class AlarmRegister:
    """Every alarm there ever was, in its newest life."""

    alarms: Mapping[AlarmKey, Alarm] = field(default_factory=dict)
    """By key, in the order in which they were last opened."""
    silences: Mapping[AlarmKey, Silence] = field(default_factory=dict)
    """By key; those whose last day is past as well."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why: they open, close and silence nothing."""

    def silence_of(self, key: AlarmKey, today: date) -> Silence | None:
        """Return the silence that holds for an alarm on a local day; None if letters name it."""
        silence = self.silences.get(key)
        return silence if silence is not None and silence.answer.holds(today) else None

    @property
    def open(self) -> tuple[Alarm, ...]:
        """The open ones: grave ones first, then causes, then duties without one; in each the oldest first."""
        found = [each for each in self.alarms.values() if each.is_open]
        return tuple(sorted(found, key=lambda each: (not each.newest.grave, *_rank(each), each.opened_at, each.key)))


def _rank(alarm: Alarm) -> tuple[bool, bool]:
    return alarm.key.startswith("duty:"), alarm.newest.problem == DutyVerdict.INSUFFICIENT_EVIDENCE


def fold_alarms(steps: Iterable[AlarmStep]) -> AlarmRegister:
    """Return alarms and silences as these records, oldest first, make them.

    An acknowledgement holds for the life of its alarm: what closes and comes back is told again. A silence holds to its last day,
    also before its alarm opens, as for planned work.
    """
    found: dict[AlarmKey, Alarm] = {}
    silences: dict[AlarmKey, Silence] = {}
    for step in steps:
        body = step.body
        if isinstance(body, AlarmAnswer):
            _answer(found, silences, step, body)
            continue
        for opened in body.opened:
            was = found.get(opened.key)
            if was is not None and was.is_open:
                found[opened.key] = replace(was, newest=opened, newest_seq=step.seq)
            else:
                found.pop(opened.key, None)
                found[opened.key] = Alarm(opened.key, step.seq, step.at, opened, step.seq)
        for closed in body.closed:
            was = found.get(closed.key)
            if was is not None and was.is_open:
                found[closed.key] = replace(was, closed=closed, closed_at=step.at, closed_seq=step.seq)
    return AlarmRegister(found, silences)


def _answer(
    found: dict[AlarmKey, Alarm], silences: dict[AlarmKey, Silence], step: AlarmStep, answer: AlarmAnswer
) -> None:
    alarm = found.get(answer.key)
    if step.kind == SILENCED:
        silences[answer.key] = Silence(step.seq, answer)
    elif step.kind == RELEASED:
        silences.pop(answer.key, None)
        if alarm is not None:
            found[answer.key] = replace(alarm, acknowledged=None, acknowledged_seq=None)
    elif alarm is not None and alarm.is_open:
        found[answer.key] = replace(alarm, acknowledged=answer, acknowledged_seq=step.seq)


def read_alarms(ledger: LedgerReader, *, until: datetime | None = None) -> AlarmRegister:
    """Return the alarms as they were recorded by a moment, or until now."""
    steps: list[AlarmStep] = []
    unreadable: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=ALARM_KINDS, until=until):
        try:
            blob = ledger.blob(record.body)
            body: AlarmsChanged | AlarmAnswer = (
                required_part(blob, ALARMS, AlarmsChanged)
                if record.kind == CHANGED
                else required_part(blob, ANSWER, AlarmAnswer)
            )
        except PortalOpsError as error:
            unreadable.append((record.seq, error))
            continue
        steps.append(AlarmStep(record.seq, record.at, record.kind, body))
    return replace(fold_alarms(steps), unreadable=tuple(unreadable))
