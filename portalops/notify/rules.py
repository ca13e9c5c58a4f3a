"""What is reported now, from what a run saw and what was reported before. Pure.

- A failure is reported at once: all failures of one run in one letter, each class of problem of one thing once a day.
- Duties are reported once a day, all in one letter; a day begins at the configured hour, so that whichever run comes first after
  it writes the letter, also where there is one run a day.
- The summary is sent once a week, from the configured weekday on, even when nothing happened.
- A recovery is reported once; see alarms.py for problems that come and go.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from portalops.model.message import Message
from portalops.model.notifications import Level
from portalops.model.organisation import Name
from portalops.model.verdicts import DutyVerdict
from portalops.notify.alarms import AGAIN_AFTER, NotifiedAlarm, is_recent, seen_again, seen_bad, seen_good
from portalops.notify.state import NotifyState, WaitingLetter

FORGOTTEN_AFTER = timedelta(days=40)
"""How long an alarm is kept that nobody sees to be bad or good any more: longer than a monthly job needs."""

MAX_WAITING = 50
"""Letters that wait for one channel; a summary goes first, then duties, then recoveries, and failures last."""

MAX_INVOCATIONS = 50

EAGER_TRIES = 5
"""How often a letter is tried by each run; later it is tried once in `TRIED_AGAIN`."""

TRIED_AGAIN = timedelta(hours=1)

MAX_DOUBTS = 3
"""How often a letter is sent without an answer before it is given up: each time somebody may have received it."""

_GOOD = frozenset({DutyVerdict.MET, DutyVerdict.EXEMPT})
_FIRST_TO_GO = (Level.SUMMARY, Level.UNMET, Level.RECOVERY, Level.TEST, Level.FAILURE)


@dataclass(frozen=True, slots=True)
class Timetable:
    """When daily and weekly letters are due."""

    weekday: int
    """Of the summary: 0 is Monday."""
    at: time
    """The local time from which on a day's letters are written."""
    zone: tzinfo

    def day(self, now: datetime) -> date:
        """Return the day whose letters are due: before its hour it is still the day before."""
        local = now.astimezone(self.zone)
        return local.date() if local.time() >= self.at else local.date() - timedelta(days=1)

    def summary_day(self, now: datetime) -> date:
        """Return the newest day on which a summary was due."""
        day = self.day(now)
        return day - timedelta(days=(day.weekday() - self.weekday) % 7)


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that failed, as a letter reports it."""

    key: str
    """What failed: `job:ID`, `unit:NAME`, `run`, `ledger`; `ledger:another` for one that begins where another one was."""
    problem: str
    """The class of problem: an error's code, an outcome, what systemd calls it."""
    what: Message
    """One sentence. It leaves the machine: ids, codes and counts only."""
    hint: Message


@dataclass(frozen=True, slots=True)
class SeenDuty:
    """Where a duty stands."""

    id: str
    title: Name
    verdict: DutyVerdict
    reason: Message
    """As in the ledger; letters contain only the part that cannot be secret."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run saw."""

    at: datetime
    failures: tuple[Failure, ...] = ()
    good: frozenset[str] = frozenset()
    """Keys of what was seen to be good."""
    planned: frozenset[str] | None = None
    """Keys of all jobs that are planned; None if that is not known."""
    duties: tuple[SeenDuty, ...] | None = None
    """None if they could not be judged."""
    invocation: str = ""
    """systemd's id of this run; empty outside of a unit."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """What a letter about duties reports."""

    new: tuple[SeenDuty, ...]
    """Unmet, and not in the letter before."""
    old: tuple[SeenDuty, ...]
    """Unmet, and reported before."""
    since: tuple[datetime, ...]
    """For each of `old`: when it was first reported."""
    unknown: tuple[SeenDuty, ...]
    """Without sufficient evidence."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """Something that is good again."""

    key: str
    since: datetime
    """When it was seen to be bad first."""
    title: Name | None = None
    """Of a duty."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be reported now."""

    failures: tuple[Failure, ...] = ()
    unmet: Unmet | None = None
    recovered: tuple[Recovered, ...] = ()
    summary_since: datetime | None = None
    """When the span of the summary that is due begins; None if none is due."""

    def list_keys(self, level: Level) -> tuple[str, ...]:
        """Return the keys of what a letter of a level reports."""
        match level:
            case Level.FAILURE:
                return tuple(each.key for each in self.failures)
            case Level.RECOVERY:
                return tuple(each.key for each in self.recovered)
            case Level.UNMET if self.unmet is not None:
                return tuple(f"duty:{each.id}" for each in (*self.unmet.new, *self.unmet.old, *self.unmet.unknown))
            case _:
                return ()


def decide(state: NotifyState, seen: RunFacts, timetable: Timetable) -> tuple[NotifyState, Telling]:
    """Return what is to be reported, and the state once that is in the queue."""
    now = seen.at
    alarms = {each.key: each for each in state.alarms if _is_kept(each, seen)}
    failures = []
    for failure in seen.failures:
        alarms[failure.key], is_due = seen_bad(alarms.get(failure.key), failure.key, failure.problem, now)
        if is_due:
            failures.append(failure)
    recovered = []
    bad = {failure.key for failure in seen.failures}
    titles = {f"duty:{each.id}": each.title for each in seen.duties or ()}
    good = seen.good | {f"duty:{each.id}" for each in seen.duties or () if each.verdict in _GOOD}
    for key in [each for each in alarms if each in good and each not in bad]:
        kept, is_due = seen_good(alarms[key], now)
        if is_due:
            recovered.append(Recovered(key, alarms[key].since, titles.get(key)))
        if kept is None:
            del alarms[key]
        else:
            alarms[key] = kept
    state = replace(state, alarms=tuple(alarms.values()))
    state, unmet = _unmet(state, seen, timetable)
    state, summary_since = _summary(state, now, timetable)
    if seen.invocation and seen.failures:
        others = [each for each in state.invocations if each != seen.invocation]
        state = replace(state, invocations=(*others, seen.invocation)[-MAX_INVOCATIONS:])
    return state, Telling(tuple(failures), unmet, tuple(recovered), summary_since)


def wants_duties(state: NotifyState, now: datetime, timetable: Timetable) -> bool:
    """Say whether today's judging of the duties is still to be done: what is unmet then is reported."""
    return _is_due(timetable.day(now), state.unmet_on, state.unmet_at, now)


def quiet_until(state: NotifyState, now: datetime, timetable: Timetable) -> datetime | None:
    """Return until when runs that do nothing have nothing to tell; None if the next one has.

    Such a run comes every few minutes, and need not even read the state then.
    """
    held = any(not each.key.startswith(("job:", "duty:", "ledger:")) for each in state.alarms)
    if state.letters or held or any(not each.is_recorded for each in state.outcomes):
        return None
    local = now.astimezone(timetable.zone)
    day = timetable.day(now) + timedelta(days=1)
    return datetime.combine(day, timetable.at, local.tzinfo)


def next_to_send(letters: Iterable[WaitingLetter], channels: Container[str], now: datetime) -> WaitingLetter | None:
    """Return the letter to send next by one of the channels; None if none is to be sent now.

    The one that was tried least goes first, so that one which nobody takes keeps no other waiting. After some tries it is sent
    once an hour: each run tries again, and there may be many.
    """
    ready = [
        each for each in letters
        if each.channel in channels
        and (each.tries < EAGER_TRIES or each.tried_at is None or not is_recent(each.tried_at, now, TRIED_AGAIN))
    ]  # fmt: skip
    return min(ready, key=lambda each: (each.tries, each.written_at), default=None)


def _is_kept(alarm: NotifiedAlarm, seen: RunFacts) -> bool:
    if alarm.key.startswith("job:") and seen.planned is not None and alarm.key not in seen.planned:
        return False  # nobody expects it any more, so it can be neither bad nor good
    return is_recent(alarm.seen_at, seen.at, FORGOTTEN_AFTER)


def _unmet(state: NotifyState, seen: RunFacts, timetable: Timetable) -> tuple[NotifyState, Unmet | None]:
    if seen.duties is None:
        return state, None
    now, day = seen.at, timetable.day(seen.at)
    alarms = {each.key: each for each in state.alarms}
    bad = [each for each in seen.duties if each.verdict is DutyVerdict.UNMET]
    for duty in bad:  # whether or not a letter is due
        if (alarm := alarms.get(f"duty:{duty.id}")) is not None:
            alarms[alarm.key] = seen_again(alarm, now)
    unknown = tuple(each for each in seen.duties if each.verdict is DutyVerdict.INSUFFICIENT_EVIDENCE)
    still = tuple(each for each in state.unknown if each in {duty.id for duty in unknown})
    state = replace(state, alarms=tuple(alarms.values()), unknown=still)
    if not wants_duties(state, now, timetable):
        return state, None
    state = replace(state, unmet_on=day, unmet_at=now)
    if not bad and all(each.id in still for each in unknown):
        return state, None
    new, old, since = [], [], []
    for duty in bad:
        key = f"duty:{duty.id}"
        alarm = alarms.get(key)
        if alarm is None or not alarm.told:
            new.append(duty)
        else:
            old.append(duty)
            since.append(alarm.since)
        alarms[key] = replace(alarm or NotifiedAlarm(key, now, now), seen_at=now, told={DutyVerdict.UNMET.value: now})
    letter = Unmet(tuple(new), tuple(old), tuple(since), unknown)
    return replace(state, alarms=tuple(alarms.values()), unknown=tuple(each.id for each in unknown)), letter


def _summary(state: NotifyState, now: datetime, timetable: Timetable) -> tuple[NotifyState, datetime | None]:
    day = timetable.summary_day(now)
    if state.summary_on is None:
        return replace(state, summary_on=day), None  # the first one is due on the first such day
    if not _is_due(day, state.summary_on, state.summary_at, now):
        return state, None
    since = state.summary_at or state.begun_at
    if since > now:  # by a wrong clock
        since = now - timedelta(days=7)
    return replace(state, summary_on=day, summary_at=now), since


def _is_due(day: date, told_on: date | None, told_at: datetime | None, now: datetime) -> bool:
    """Say whether a day's letter is due; a letter from the future was written by a wrong clock, and keeps nobody silent."""
    if told_on is None or day > told_on:
        return True
    return told_at is not None and told_at - now >= AGAIN_AFTER


def queued(
    letters: Sequence[WaitingLetter], new: Iterable[WaitingLetter]
) -> tuple[tuple[WaitingLetter, ...], tuple[WaitingLetter, ...]]:
    """Return the letters that wait with new ones, and those that wait no more for their sake.

    A summary and a letter about duties tell all that an older one of the same channel did, and more. One whose sending has
    begun stays: somebody may have it already.
    """
    kept, dropped = list(letters), []
    for letter in new:
        if letter.level in {Level.SUMMARY, Level.UNMET}:
            older = [
                each for each in kept
                if (each.channel, each.level) == (letter.channel, letter.level) and not each.doubts
            ]  # fmt: skip
            kept = [each for each in kept if each not in older]
            dropped += older
        kept.append(letter)
        while sum(each.channel == letter.channel for each in kept) > MAX_WAITING:
            mine = [each for each in kept if each.channel == letter.channel]
            out = min(mine, key=lambda each: _FIRST_TO_GO.index(each.level))  # the oldest of those: min takes the first
            kept.remove(out)
            dropped.append(out)
    return tuple(kept), tuple(dropped)
