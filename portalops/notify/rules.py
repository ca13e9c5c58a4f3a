"""What is reported now, from what a run saw and what was reported before. Pure.

- A failure, and an alarm that is grave, is reported at once: all of one run in one letter; while it lasts, at growing intervals.
- Other alarms are reported once a day, all in one letter, and only if one was opened or closed or a reminder is due; a day begins
  at the configured hour, so that whichever run comes first after it writes the letter, also where there is one run a day.
- The summary is sent once a week, from the configured weekday on, even when nothing happened.
- A recovery is reported once; see alarms.py for problems that come and go.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from portalops.model.message import Message
from portalops.model.notifications import Level
from portalops.model.verdicts import DutyVerdict
from portalops.notify.alarms import AGAIN_AFTER, REMINDERS, NotifiedAlarm, is_recent, seen_bad, seen_good
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
class SeenAlarm:
    """An open alarm, as a letter reports it."""

    key: str
    since: datetime
    problem: str
    """Its class: letters tell another one anew."""
    what: Message
    """As in the ledger; letters contain only the part that cannot be secret."""
    hint: Message
    grave: bool = False
    answer: Message | None = None
    """Who acknowledged it until when; None where nobody did, or that day is past."""
    silenced: bool = False
    """A person had letters leave it out."""

    @property
    def is_unknown_duty(self) -> bool:
        """Whether it is of a duty without sufficient evidence: of those, letters give the ids alone."""
        return self.problem == DutyVerdict.INSUFFICIENT_EVIDENCE and self.key.startswith("duty:")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run saw."""

    at: datetime
    failures: tuple[Failure, ...] = ()
    good: frozenset[str] = frozenset()
    """Keys of what was seen to be good."""
    planned: frozenset[str] | None = None
    """Keys of all jobs that are planned; None if that is not known."""
    alarms: tuple[SeenAlarm, ...] | None = None
    """The open ones; None if the duties could not be judged."""
    closed: frozenset[str] = frozenset()
    """Keys of alarms that are closed; those that were grave are in `good` as well."""
    invocation: str = ""
    """systemd's id of this run; empty outside of a unit."""


@dataclass(frozen=True, slots=True)
class AlarmNews:
    """What a day's letter about alarms reports."""

    opened: tuple[SeenAlarm, ...]
    """Told for the first time, or with another class of problem."""
    reminded: tuple[SeenAlarm, ...]
    """Told before, and due again."""
    open: tuple[SeenAlarm, ...]
    """The other open ones: told lately, grave ones that have letters of their own, acknowledged ones."""
    closed: tuple[Recovered, ...]


@dataclass(frozen=True, slots=True)
class Recovered:
    """Something that is good again."""

    key: str
    since: datetime
    """When it was seen to be bad first."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be reported now."""

    failures: tuple[Failure, ...] = ()
    news: AlarmNews | None = None
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
            case Level.UNMET if self.news is not None:
                news = self.news
                closed = tuple(each.key for each in news.closed)
                return closed + tuple(each.key for each in (*news.opened, *news.reminded, *news.open))
            case _:
                return ()


def decide(state: NotifyState, seen: RunFacts, timetable: Timetable) -> tuple[NotifyState, Telling]:
    """Return what is to be reported, and the state once that is in the queue."""
    now = seen.at
    alarms = {each.key: each for each in state.alarms if _is_kept(each, seen)}
    open_now = {each.key: each for each in seen.alarms or ()}
    bad = {each.key: each for each in (*_grave(seen), *seen.failures)}
    failures = []
    for key, failure in bad.items():
        known = open_now.get(key)
        answered = known is not None and known.answer is not None
        alarms[key], is_due = seen_bad(alarms.get(key), key, failure.problem, now, is_answered=answered)
        if is_due:
            failures.append(failure)
    recovered = []
    for key in [each for each in alarms if each in seen.good and each not in bad and each not in open_now]:
        kept, is_due = seen_good(alarms[key], now)
        if is_due:
            recovered.append(Recovered(key, alarms[key].since))
        if kept is None:
            del alarms[key]
        else:
            alarms[key] = kept
    state = replace(state, alarms=tuple(alarms.values()))
    state, news = _news(state, seen, timetable, {*bad, *(each.key for each in recovered)})
    state, summary_since = _summary(state, now, timetable)
    if seen.invocation and seen.failures:
        others = [each for each in state.invocations if each != seen.invocation]
        state = replace(state, invocations=(*others, seen.invocation)[-MAX_INVOCATIONS:])
    return state, Telling(tuple(failures), news, tuple(recovered), summary_since)


def _grave(seen: RunFacts) -> Iterator[Failure]:
    """Yield the grave alarms as failures; one that became grave is another class of problem, so that it is told at once.

    A job that failed is told by the run that tried it.
    """
    for each in seen.alarms or ():
        if each.grave and not each.silenced and not (each.key.startswith("job:") and each.problem == "failed"):
            yield Failure(each.key, f"grave:{each.problem}", each.what, each.hint)


def wants_judging(state: NotifyState, now: datetime, timetable: Timetable) -> bool:
    """Say whether today's judging of the duties is still to be done: the alarms of then are reported."""
    return _is_due(timetable.day(now), state.unmet_on, state.unmet_at, now)


def quiet_until(state: NotifyState, now: datetime, timetable: Timetable) -> datetime | None:
    """Return until when runs that do nothing have nothing to tell; None if the next one has.

    Such a run comes every few minutes, and need not even read the state then.
    """
    held = any(
        each.key.partition(":")[0] in {"run", "unit", "ledger", "state"} and each.key != "ledger:another"
        for each in state.alarms
    )
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


def _news(
    state: NotifyState, seen: RunFacts, timetable: Timetable, told_at_once: Collection[str]
) -> tuple[NotifyState, AlarmNews | None]:
    """Return the day's letter about alarms; None where nothing was opened or closed and nobody is to be reminded."""
    now = seen.at
    if seen.alarms is None or not wants_judging(state, now, timetable):
        return state, None
    alarms = {each.key: each for each in state.alarms}
    opened: list[SeenAlarm] = []
    reminded: list[SeenAlarm] = []
    still: list[SeenAlarm] = []
    for each in seen.alarms:
        if each.silenced:
            continue
        if each.grave or each.key in told_at_once:
            still.append(each)
            continue
        was = alarms.get(each.key)
        alarms[each.key], is_due = seen_bad(
            was, each.key, each.problem, now, REMINDERS, is_answered=each.answer is not None
        )
        is_new = was is None or was.over_told or each.problem not in was.told
        (opened if is_new else reminded if is_due else still).append(each)
    open_keys = {each.key for each in seen.alarms}
    closed = []
    for key in [each for each in alarms if each in seen.closed and each not in open_keys and each not in told_at_once]:
        was = alarms.pop(key)
        if was.over_at is None and was.told:
            closed.append(Recovered(key, was.since))
    state = replace(state, alarms=tuple(alarms.values()), unmet_on=timetable.day(now), unmet_at=now)
    if not opened and not reminded and not closed:
        return state, None
    return state, AlarmNews(tuple(opened), tuple(reminded), tuple(still), tuple(closed))


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

    A summary tells all that an older one of the same channel did, and more; a letter about alarms tells what changed, which no newer
    one repeats. One whose sending has begun stays: somebody may have it already.
    """
    kept, dropped = list(letters), []
    for letter in new:
        if letter.level is Level.SUMMARY:
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
