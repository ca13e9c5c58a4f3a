"""What the verbs of this noun show alike."""

from __future__ import annotations

from datetime import date, datetime

from commands.cli.shapes import shape
from portalops.model.alarms import Alarm, AlarmEnd
from portalops.model.message import Message, msg
from portalops.registers.alarms import AlarmRegister
from portalops.reports.document import Status, Tone


@shape
class AnsweredAlarm:
    """What a person said of an alarm."""

    key: str
    by: str
    reason: str
    until: date | None
    """The last day; null where an answer was taken back."""
    record: int | None
    """Null of a dry run."""


@shape
class AlarmShape:
    """One alarm."""

    key: str
    """KIND:ID, such as medium:disk-b."""
    problem: str
    """The class of what is wrong."""
    what: str
    hint: str
    grave: bool
    opened_at: datetime
    closed_at: datetime | None
    end: AlarmEnd | None
    """Why it was closed."""
    duties: tuple[str, ...]
    """Duties that it puts at risk."""
    records: tuple[int, ...]
    """Records that show what is wrong; of a closed alarm, what is right."""
    record: int
    """The record that opened it."""
    acknowledged: AnsweredAlarm | None
    silenced: AnsweredAlarm | None


def alarm_data(alarm: Alarm, register: AlarmRegister, today: date) -> AlarmShape:
    """Return an alarm for programs."""
    newest, closed = alarm.newest, alarm.closed
    silence = register.silence_of(alarm.key, today)
    seen = alarm.acknowledged if alarm.is_acknowledged(today) else None
    return AlarmShape(
        key=alarm.key,
        problem=newest.problem,
        what=str(newest.what),
        hint=str(newest.hint),
        grave=newest.grave,
        opened_at=alarm.opened_at,
        closed_at=alarm.closed_at,
        end=closed.end if closed else None,
        duties=newest.duties,
        records=closed.records if closed else newest.records,
        record=alarm.opened_seq,
        acknowledged=AnsweredAlarm(seen.key, seen.by, seen.reason, seen.until, alarm.acknowledged_seq)
        if seen
        else None,
        silenced=AnsweredAlarm(alarm.key, silence.answer.by, silence.answer.reason, silence.answer.until, silence.seq)
        if silence
        else None,
    )


def state_of(alarm: Alarm) -> Status:
    """Return where an alarm stands, in a word or two."""
    if alarm.closed is not None:
        ends = {
            AlarmEnd.RIGHT: Status(msg("closed: right again"), Tone.GOOD),
            AlarmEnd.BY_CAUSE: Status(msg("closed: its causes have alarms"), Tone.UNSURE),
            AlarmEnd.NOT_EXPECTED: Status(msg("closed: not watched any more"), Tone.UNSURE),
        }
        return ends[alarm.closed.end]
    word = msg("grave") if alarm.newest.grave else msg("open")
    return Status(word, Tone.BAD)


def answers_of(alarm: Alarm, register: AlarmRegister, today: date) -> Message | None:
    """Return who answers for an alarm until when; None where nobody does."""
    silence = register.silence_of(alarm.key, today)
    if silence is not None and silence.answer.until is not None:
        return msg("silenced by {name} until {day}", name=silence.answer.by, day=silence.answer.until)
    seen = alarm.acknowledged
    if seen is not None and seen.until is not None and alarm.is_acknowledged(today):
        return msg("acknowledged by {name} until {day}", name=seen.by, day=seen.until)
    return None
