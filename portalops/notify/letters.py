"""The words of letters. Pure.

A letter leaves the house, so nothing secret may get into one. Sentences of this module hold ids, codes, counts, days and moments.
Of a sentence that comes from elsewhere, such as why a duty is not met, the words stay and so do numbers, days and moments; a
text among its values stays only if it is one of the ids that the caller knows. Whatever else there is, such as what a host
or a mail server said, a path or a value of the configuration, is replaced by dots: who may read it reads it on the machine.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from portalops.alarms.kinds import CAUSES
from portalops.locale import NAMING_NUMBERS, render
from portalops.model.message import Message, Value, msg, nmsg
from portalops.model.notifications import Level
from portalops.model.organisation import Name, Portal
from portalops.model.text import format_at, show_text
from portalops.model.verdicts import DutyVerdict
from portalops.notify.alarms import NotifiedAlarm
from portalops.notify.rules import AlarmNews, Failure, Recovered, SeenAlarm, Telling
from portalops.notify.state import WaitingLetter

MAX_LINES = 40
"""Things that one list of a letter names; of more there is the count."""

MAX_SENTENCE = 600
"""Characters of one sentence, such as why a duty is not met."""

WIDTH = 100
LEFT_OUT = "…"
UNKNOWN = DutyVerdict.INSUFFICIENT_EVIDENCE.value
_PLAIN = re.compile(r"-|\d{4}(-(W\d{2}|\d{2}(-\d{2}(T\d{2})?)?))?")
"""Nothing, and slots of jobs: a year, week, month, day or hour."""


@dataclass(frozen=True, slots=True)
class JobWeek:
    """What became of a job's slots in the span of a summary."""

    job: str
    done: int
    late: int
    incomplete: int
    failed: int
    """Also those that were begun and left no end, or whose end cannot be read."""
    missed: int
    next_at: datetime | None
    """When it is due next; None if it is not planned any more, or the ledger cannot be read."""


@dataclass(frozen=True, slots=True)
class WeekSummary:
    """What a summary tells."""

    since: datetime
    until: datetime
    jobs: tuple[JobWeek, ...] = ()
    problem: str = ""
    """Why it is not known what ran: an error's code, or `-` if no plan tells what was expected; empty if it is known."""
    met: int = 0
    unmet: int = 0
    unknown: int = 0
    pending: int = 0
    other: int = 0
    is_judged: bool = False
    """The counts of duties are those of now; otherwise duties could not be judged."""
    waiting: tuple[tuple[str, int], ...] = ()
    """Channel: letters that wait for it."""
    open: tuple[NotifiedAlarm, ...] = ()
    """What was told and is not good again."""
    unconfirmed_years: tuple[int, ...] = ()
    """Years whose official notice of days off is to be asked for."""
    troubled_sources: tuple[tuple[str, Message], ...] = ()
    """Sources of updates that answer and yet prove nothing: the id, and what is wrong in words of our own."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes."""

    portal: Portal
    host: str
    """The name that this machine gives itself."""
    ids: Collection[str] = field(default=frozenset())
    """Ids that may stand in a letter: of jobs, hosts, units, sources, media, duties."""


def letters_of(
    telling: Telling, week: WeekSummary | None, sender: Sender, *, channel: str, language: str, levels: Collection[Level], zone: tzinfo, now: datetime
) -> Iterator[WaitingLetter]:  # fmt: skip
    """Yield the letters that a channel is to get."""
    writer = _Writer(sender, language, zone)
    found: list[tuple[Level, Message, Iterator[str]]] = []
    if telling.failures:
        found.append((Level.FAILURE, _failure_subject(telling.failures), writer.failures(telling.failures)))
    if telling.news is not None:
        found.append((Level.UNMET, _news_subject(telling.news), writer.news(telling.news, now)))
    if telling.recovered:
        found.append((Level.RECOVERY, _recovery_subject(telling.recovered), writer.recovered(telling.recovered)))
    if week is not None:
        found.append((Level.SUMMARY, msg("summary of the week to {day}", day=_day(now, zone)), writer.week(week)))
    for level, subject, lines in found:
        if level in levels:
            yield writer.letter(channel, level, subject, lines, about=telling.list_keys(level), now=now)


def test_letter(sender: Sender, *, channel: str, language: str, zone: tzinfo, now: datetime) -> WaitingLetter:
    """Return the letter by which a person tries a channel."""
    writer = _Writer(sender, language, zone)
    return writer.letter(channel, Level.TEST, msg("test letter"), writer.test(channel), about=(), now=now)


def without_foreign_words(message: Message, ids: Collection[str]) -> Message:
    """Return a sentence whose values hold nothing but known ids, numbers, days and moments.

    >>> str(without_foreign_words(msg("host {host}: {problem}", host="web1", problem="password=x"), {"web1"}))
    'host web1: …'
    """
    values = {name: _known(name, value, ids) for name, value in message.values.items()}
    return Message(message.text, values, message.plural)


def _known(name: str, value: Value, ids: Collection[str]) -> Value:
    match value:
        case Message():
            return without_foreign_words(value, ids)
        case Name():
            return LEFT_OUT
        case str() if name in NAMING_NUMBERS and value.isdecimal() and len(value) < 10:
            return value  # such as a record's number
        case str():
            parts = value.split(", ")
            shown = [each if each in ids or _PLAIN.fullmatch(each) else LEFT_OUT for each in parts]
            return ", ".join(dict.fromkeys(shown))
        case _:
            return value


def _failure_subject(failures: Sequence[Failure]) -> Message:
    first = _id_of(failures[0].key)
    if len(failures) == 1:
        return msg("FAILURE: {what}", what=first)
    return msg("FAILURE: {what} and {more} more", what=first, more=len(failures) - 1)


def _news_subject(news: AlarmNews) -> Message:
    still = len(news.reminded) + len(news.open)
    known = [each for each in news.opened if not each.is_unknown_duty]
    if known:
        first, more = thing_of(known[0].key), len(known) - 1
        still += len(news.opened) - len(known)
        if not more:
            return msg("new alarm: {what} ({still} more open)", what=first, still=still)
        return msg("new alarms: {what} and {more} more ({still} more open)", what=first, more=more, still=still)
    if news.opened:
        return nmsg("{n} duty without sufficient evidence", "{n} duties without sufficient evidence", len(news.opened))
    if news.closed:
        return nmsg(
            "{n} alarm closed ({still} open)", "{n} alarms closed ({still} open)", len(news.closed), still=still
        )
    return nmsg("{n} alarm is still open", "{n} alarms are still open", still)


def _recovery_subject(recovered: Sequence[Recovered]) -> Message:
    first = _id_of(recovered[0].key)
    if len(recovered) == 1:
        return msg("working again: {what}", what=first)
    return msg("working again: {what} and {more} more", what=first, more=len(recovered) - 1)


def _id_of(key: str) -> str | Message:
    kind, _colon, name = key.partition(":")
    return thing_of(key) if kind == "ledger" or not name else name


def thing_of(key: str) -> Message:
    """Return what an alarm is about, for people."""
    kind, _colon, name = key.partition(":")
    match kind:
        case "unit":
            return msg("unit {id}", id=name)
        case "duty":
            return msg("duty {id}", id=name)
        case "ledger":
            return msg("the ledger")
        case "state":
            return msg("the state folder")
        case _ if kind in CAUSES.names():
            return Message(CAUSES.load(kind).word.text, {"id": name})
        case _:
            return msg("runs as a whole")


def _day(now: datetime, zone: tzinfo) -> date:
    return now.astimezone(zone).date()


class _Writer:
    """Turns sentences into lines, in one language."""

    def __init__(self, sender: Sender, language: str, zone: tzinfo) -> None:
        self._sender = sender
        self._language = language
        self._zone = zone

    def letter(
        self,
        channel: str,
        level: Level,
        subject: Message,
        lines: Iterator[str],
        *,
        about: tuple[str, ...],
        now: datetime,
    ) -> WaitingLetter:
        sender = self._sender
        text = "\n".join((sender.portal.name.translate(self._language), "", *lines, "", *self._foot())) + "\n"
        name = "\n".join((sender.portal.id, sender.host, channel, level, format_at(now), text))
        identity = f"portalops-notify-{hashlib.sha256(name.encode()).hexdigest()[:24]}"
        shown = show_text(f"portalops {sender.portal.id}: {self._say(subject)}", 120)
        return WaitingLetter(identity, channel, level, shown, text, about, now)

    def failures(self, failures: Sequence[Failure]) -> Iterator[str]:
        yield from self._prose(
            nmsg("On {host} this failed:", "On {host} these {n} failed:", len(failures), host=self._sender.host)
        )
        yield ""
        for failure in failures[:MAX_LINES]:
            yield from self._item(msg("{what}: {problem}", what=thing_of(failure.key), problem=failure.what))
            yield from self._item(failure.hint, mark="  ")
        yield from self._more(len(failures))
        yield ""
        yield from self._prose(
            msg(
                "You are reminded after 1, 3, 7, 14 and then every 30 days while it lasts, and get one letter when it is over. "
                "For details run 'portalops notify list' and 'portalops ledger show' on that machine."
            )
        )

    def news(self, news: AlarmNews, now: datetime) -> Iterator[str]:
        yield from self._prose(msg("Alarms of {host}, as judged at {moment}.", host=self._sender.host, moment=now))
        groups = (
            (nmsg("{n} new:", "{n} new:", len(news.opened)), news.opened, False),
            (nmsg("{n} still open, as a reminder:", "{n} still open, as a reminder:", len(news.reminded)), news.reminded, True),
            (nmsg("{n} more open:", "{n} more open:", len(news.open)), news.open, True),
        )  # fmt: skip
        for title, alarms, is_old in groups:
            if not alarms:
                continue
            yield ""
            yield from self._prose(title)
            known = [each for each in alarms if not each.is_unknown_duty]
            for alarm in known[:MAX_LINES]:
                yield from self._alarm(alarm, is_old=is_old)
            yield from self._more(len(known))
            yield from self._unknown([thing.key for thing in alarms if thing.is_unknown_duty])
        if news.closed:
            yield ""
            yield from self._prose(nmsg("{n} closed:", "{n} closed:", len(news.closed)))
            for each in news.closed[:MAX_LINES]:
                yield from self._item(msg("{what}, open since {since}", what=thing_of(each.key), since=each.since))
            yield from self._more(len(news.closed))
        yield ""
        yield from self._prose(
            msg(
                "You are reminded of an open alarm after 7, 14 and then every 30 days. 'portalops alarm list' on {host} shows"
                " all of them. 'portalops alarm ack' ends the reminders until a day.",
                host=self._sender.host,
            )
        )

    def recovered(self, recovered: Sequence[Recovered]) -> Iterator[str]:
        yield from self._prose(msg("These reported failures on {host} are over:", host=self._sender.host))
        yield ""
        for each in recovered[:MAX_LINES]:
            yield from self._item(msg("{what}; it failed from {since} on", what=thing_of(each.key), since=each.since))
        yield from self._more(len(recovered))

    def week(self, week: WeekSummary) -> Iterator[str]:
        yield from self._prose(
            msg(
                "What {host} did from {since} to {until}. This letter comes every week, even when nothing "
                "happened. If it does not come, find out why.",
                host=self._sender.host, since=week.since, until=week.until,
            )
        )  # fmt: skip
        yield ""
        yield from self._jobs(week)
        yield ""
        if week.is_judged:
            yield from self._prose(
                msg(
                    "Duties: {met} met, {unmet} not met, {unknown} without sufficient evidence, {pending} pending, {other} exempt"
                    " or not assessed.",
                    met=week.met, unmet=week.unmet, unknown=week.unknown, pending=week.pending, other=week.other,
                )
            )  # fmt: skip
        else:
            yield from self._prose(msg("The standing of the duties is unknown, which does not count as met."))
        if week.open:
            yield ""
            yield from self._prose(msg("Reported before and still failing:"))
            unknown = [each for each in week.open if each.key.startswith("duty:") and UNKNOWN in each.told]
            known = [each for each in week.open if each not in unknown]
            for alarm in known[:MAX_LINES]:
                yield from self._item(msg("{what}, since {since}", what=thing_of(alarm.key), since=alarm.since))
            yield from self._more(len(known))
            yield from self._unknown([each.key for each in unknown])
        if week.troubled_sources:
            yield ""
            yield from self._prose(
                msg(
                    "Sources of updates that answer, and yet prove nothing; 'portalops updates stale' says what mends them:"
                )
            )
            for source, what in week.troubled_sources[:MAX_LINES]:
                yield from self._item(msg("{source}: {what}", source=source, what=what))
            yield from self._more(len(week.troubled_sources))
        for year in week.unconfirmed_years:
            yield ""
            yield from self._prose(
                msg(
                    "The days off of {year} are provisional: no official notice was confirmed. Once there is one, run 'portalops"
                    " calendar confirm {year}' on {host}.",
                    year=str(year), host=self._sender.host,
                )
            )  # fmt: skip
        yield ""
        if not week.waiting:
            yield from self._prose(msg("No letter is waiting to be sent."))
        for channel, count in week.waiting:
            yield from self._prose(
                nmsg(
                    "{n} letter is waiting: channel {channel} did not accept it.",
                    "{n} letters are waiting: channel {channel} did not accept them.",
                    count,
                    channel=channel,
                )
            )

    def test(self, channel: str) -> Iterator[str]:
        yield from self._prose(
            msg(
                "This is a test of the channel {channel} of portalops on {host}. Nothing has happened, and you "
                "need not do anything.",
                channel=channel, host=self._sender.host,
            )
        )  # fmt: skip

    def _jobs(self, week: WeekSummary) -> Iterator[str]:
        if week.problem == "-":
            yield from self._prose(msg("No plan is recorded, so the expected runs are not known."))
            return
        if week.problem:
            yield from self._prose(
                msg("The list of runs could not be read: error {error}. They count as not done.", error=week.problem)
            )
            return
        if not week.jobs:
            yield from self._prose(msg("No job is planned."))
        for job in week.jobs[:MAX_LINES]:
            counts = msg(
                "{done} done, {late} late, {incomplete} in part, {failed} failed, {missed} missed",
                done=job.done, late=job.late, incomplete=job.incomplete, failed=job.failed, missed=job.missed,
            )  # fmt: skip
            if job.next_at is None:
                yield from self._item(msg("{job}: {counts}", job=job.job, counts=counts))
            else:
                yield from self._item(
                    msg("{job}: {counts}; next due from {next}", job=job.job, counts=counts, next=job.next_at)
                )
        yield from self._more(len(week.jobs))

    def _alarm(self, alarm: SeenAlarm, *, is_old: bool) -> Iterator[str]:
        if is_old:
            yield from self._item(
                msg("{key}, since {since}: {what}", key=alarm.key, since=alarm.since, what=alarm.what)
            )
        else:
            yield from self._item(msg("{key}: {what}", key=alarm.key, what=alarm.what))
        if alarm.answer is not None:
            yield from self._item(alarm.answer, mark="  ")
        elif not is_old:
            yield from self._item(alarm.hint, mark="  ")

    def _unknown(self, keys: Sequence[str]) -> Iterator[str]:
        if keys:
            duties = ", ".join(key.partition(":")[2] for key in keys)
            yield from self._item(
                nmsg(
                    "{n} duty without sufficient evidence, which does not count as met: {duties}",
                    "{n} duties without sufficient evidence, which do not count as met: {duties}",
                    len(keys),
                    duties=duties,
                )
            )

    def _foot(self) -> Iterator[str]:
        yield from self._prose(msg("The letter is sent by a program; please do not answer it."))

    def _more(self, count: int) -> Iterator[str]:
        if count > MAX_LINES:
            yield from self._item(msg("... and {more} more", more=count - MAX_LINES))

    def _prose(self, message: Message) -> Iterator[str]:
        yield from textwrap.wrap(self._say(message), WIDTH, break_long_words=False, break_on_hyphens=False) or ("",)

    def _item(self, message: Message, *, mark: str = "- ") -> Iterator[str]:
        yield from textwrap.wrap(
            self._say(message),
            WIDTH,
            initial_indent=mark,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _say(self, message: Message) -> str:
        return show_text(render(message, self._language, zone=self._zone), MAX_SENTENCE)
