"""What is told when: alarms once a day, a summary once a week, failures at once; and what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portalops.model.message import msg
from portalops.model.notifications import Level
from portalops.notify.rules import (
    MAX_WAITING,
    Failure,
    Recovered,
    RunFacts,
    SeenAlarm,
    Telling,
    Timetable,
    decide,
    next_to_send,
    queued,
    quiet_until,
)
from portalops.notify.state import NotifyState, WaitingLetter

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
"""Monday, 09:00 in the portal's zone."""
DAY = timedelta(days=1)
MONDAY_AT_SEVEN = Timetable(0, time(7), ZONE)


def failure(job: str = "nightly-backup", problem: str = "PO1203") -> Failure:
    return Failure(f"job:{job}", problem, msg("error {error}", error=problem), msg("Look at it."))


def alarm(key: str, problem: str = "unmet", **fields: Any) -> SeenAlarm:
    return SeenAlarm(key, AT, problem, msg("why"), msg("Look at it."), **fields)


def alarms(*keys: str) -> tuple[SeenAlarm, ...]:
    return tuple(map(alarm, keys))


def keys(found: Iterable[SeenAlarm | Recovered]) -> list[str]:
    return [each.key for each in found]


def told(state: NotifyState, *seen: RunFacts) -> tuple[NotifyState, list[Telling]]:
    tellings = []
    for each in seen:
        state, telling = decide(state, each, MONDAY_AT_SEVEN)
        tellings.append(telling)
    return state, tellings


def test_all_failures_of_a_run_are_one_telling_and_the_same_ones_none() -> None:
    many = tuple(failure(f"job-{number}") for number in range(300))

    _state, (first, second) = told(NotifyState(AT), RunFacts(AT, many), RunFacts(AT + timedelta(minutes=15), many))

    assert first.failures == many
    assert second.failures == ()


def test_a_job_that_is_good_again_is_told_once_with_since_when_it_was_not() -> None:
    good = frozenset({"job:nightly-backup"})

    _state, tellings = told(
        NotifyState(AT), RunFacts(AT, (failure(),)), RunFacts(AT + DAY, good=good), RunFacts(AT + 2 * DAY, good=good)
    )

    assert [[(each.key, each.since) for each in telling.recovered] for telling in tellings] == [
        [],
        [("job:nightly-backup", AT)],
        [],
    ]


def test_a_job_that_is_planned_no_more_is_neither_bad_nor_good() -> None:
    state, (_failed, gone) = told(
        NotifyState(AT),
        RunFacts(AT, (failure(),)),
        RunFacts(AT + DAY, good=frozenset({"job:nightly-backup"}), planned=frozenset()),
    )

    assert (gone.recovered, state.alarms) == ((), ())


def test_alarms_are_told_once_a_day_with_new_ones_apart() -> None:
    _state, (first, same, morning, next_day) = told(
        NotifyState(AT),
        RunFacts(AT, alarms=alarms("duty:a", "host:c")),
        RunFacts(AT + timedelta(hours=8), alarms=alarms("duty:a", "medium:b")),
        RunFacts(AT + timedelta(hours=21), alarms=alarms("duty:a", "medium:b", "host:c")),  # 06:00
        RunFacts(AT + timedelta(hours=22), alarms=alarms("duty:a", "medium:b", "host:c")),  # 07:00
    )

    assert first.news is not None
    assert keys(first.news.opened) == ["duty:a", "host:c"]
    assert (same.news, morning.news) == (None, None)
    assert next_day.news is not None
    assert keys(next_day.news.opened) == ["medium:b"]
    assert keys(next_day.news.open) == ["duty:a", "host:c"]


def test_nothing_is_sent_while_nothing_opens_or_closes_and_no_reminder_is_due() -> None:
    """Of 420 letters of a replayed year 220 differed from the one before in digits alone."""
    state, days = NotifyState(AT), []
    for day in range(60):
        more = replace(alarm("duty:a"), what=msg("{n} units fell short", n=day))
        state, telling = decide(state, RunFacts(AT + day * DAY, alarms=(more,)), MONDAY_AT_SEVEN)
        days += [day] * (telling.news is not None)

    assert days == [0, 7, 21, 51]


def test_what_closed_is_told_in_the_next_days_letter_and_what_is_unknown_closes_nothing() -> None:
    closed = frozenset({"duty:a"})
    _state, (_first, unknown, soon, next_day, after) = told(
        NotifyState(AT),
        RunFacts(AT, alarms=alarms("duty:a", "host:b")),
        RunFacts(AT + timedelta(hours=1), alarms=None),
        RunFacts(AT + timedelta(hours=2), alarms=alarms("host:b"), closed=closed),
        RunFacts(AT + DAY, alarms=alarms("host:b"), closed=closed),
        RunFacts(AT + 2 * DAY, alarms=alarms("host:b"), closed=closed),
    )

    assert (unknown.news, unknown.recovered, soon.news) == (None, (), None)
    assert next_day.news is not None
    assert [(each.key, each.since) for each in next_day.news.closed] == [("duty:a", AT)]
    assert after.news is None


def test_a_grave_alarm_is_told_at_once_and_its_end_too() -> None:
    grave = alarm("medium:disk-b", "lacking", grave=True)
    morning = NotifyState(AT, unmet_on=date(2026, 11, 23), unmet_at=AT)
    _state, (first, same, over) = told(
        morning,
        RunFacts(AT + timedelta(hours=3), alarms=(grave,)),
        RunFacts(AT + timedelta(hours=4), alarms=(grave,)),
        RunFacts(AT + timedelta(hours=5), good=frozenset({grave.key}), alarms=(), closed=frozenset({grave.key})),
    )

    assert [each.key for each in first.failures] == ["medium:disk-b"]
    assert (same.failures, same.recovered) == ((), ())
    assert keys(over.recovered) == ["medium:disk-b"]


def test_an_alarm_that_becomes_grave_is_told_at_once_although_the_days_letter_had_it() -> None:
    _state, (first, later) = told(
        NotifyState(AT),
        RunFacts(AT, alarms=(alarm("update-source:a", "no-answer"),)),
        RunFacts(AT + timedelta(hours=25), alarms=(alarm("update-source:a", "no-answer", grave=True),)),
    )

    assert first.news is not None
    assert first.failures == ()
    assert [each.key for each in later.failures] == ["update-source:a"]
    assert later.news is None


def test_a_silenced_alarm_is_in_no_letter_and_an_acknowledged_one_is_no_reminder() -> None:
    seen = (
        alarm("host:a", grave=True, silenced=True),
        alarm("host:b", silenced=True),
        alarm("host:c", answer=msg("acknowledged")),
    )
    _state, tellings = told(NotifyState(AT), *(RunFacts(AT + day * DAY, alarms=seen) for day in range(40)))

    assert tellings[0].news is not None
    assert keys(tellings[0].news.opened) == ["host:c"]
    assert all(not each.failures and each.news is None for each in tellings[1:])


def test_a_job_that_failed_is_told_by_its_run_and_not_again_as_an_alarm() -> None:
    failed = alarm("job:nightly-backup", "failed", grave=True)
    _state, (first, idle) = told(
        NotifyState(AT),
        RunFacts(AT, (failure(),), alarms=(failed,)),
        RunFacts(AT + timedelta(minutes=15), alarms=(failed,)),
    )

    assert [each.problem for each in first.failures] == ["PO1203"]
    assert (first.news, idle.failures) == (None, ())


def test_alarms_that_could_not_be_judged_keep_the_days_letter_open() -> None:
    _state, (_failed, later) = told(
        NotifyState(AT), RunFacts(AT, (failure(),)), RunFacts(AT + timedelta(hours=1), alarms=alarms("duty:a"))
    )

    assert later.news is not None


def test_the_first_summary_comes_on_the_first_such_day_and_then_each_week_also_if_nothing_was_seen() -> None:
    state, spans = NotifyState(AT), []
    for hours in range(0, 24 * 29, 6):
        state, telling = decide(state, RunFacts(AT + timedelta(hours=hours)), MONDAY_AT_SEVEN)
        if telling.summary_since is not None:
            spans.append((telling.summary_since, AT + timedelta(hours=hours)))

    assert [(at - AT).days for _since, at in spans] == [7, 14, 21, 28]
    assert [since for since, _at in spans] == [AT, *(at for _since, at in spans[:-1])]


def test_after_five_weeks_of_silence_one_summary_tells_of_all_of_them() -> None:
    _state, (first, late, next_run) = told(
        NotifyState(AT), RunFacts(AT), RunFacts(AT + 35 * DAY), RunFacts(AT + 35 * DAY + timedelta(minutes=15))
    )

    assert first.summary_since is None
    assert late.summary_since == AT
    assert next_run.summary_since is None


def test_a_clock_that_was_ten_years_ahead_keeps_nobody_silent_and_sends_nothing_twice() -> None:
    ahead = AT + 3650 * DAY
    bad = RunFacts(AT, (failure(),), alarms=alarms("duty:a"))

    _state, tellings = told(
        NotifyState(AT),
        replace(bad, at=ahead),
        replace(bad, at=AT + DAY),
        replace(bad, at=AT + DAY + timedelta(minutes=15)),
    )

    counts = [(len(each.failures), each.news is not None, each.summary_since) for each in tellings]
    assert counts == [(1, True, None), (1, True, None), (0, False, None)]


def test_a_clock_that_goes_back_an_hour_sends_nothing_twice() -> None:
    bad = RunFacts(AT, (failure(),), alarms=alarms("duty:a"))
    state = NotifyState(AT - 9 * DAY, summary_on=date(2026, 11, 16))

    _state, (first, back) = told(state, bad, replace(bad, at=AT - timedelta(hours=3)))

    assert first.summary_since is not None
    assert (back.failures, back.news, back.summary_since) == ((), None, None)


def test_a_year_of_daily_runs_makes_exactly_these_letters() -> None:
    """A backup that fails from 10 to 13 March, a duty that is unmet in May, and nothing else to tell: 7 letters beside the summaries."""
    state, counts = NotifyState(AT), Counter[Level]()
    for number in range(365):
        now = AT + number * DAY
        local = now.astimezone(ZONE).date()
        is_bad = date(2027, 3, 10) <= local <= date(2027, 3, 13)
        seen = RunFacts(
            now,
            (failure(),) if is_bad else (),
            frozenset() if is_bad else frozenset({"job:nightly-backup", "run", "ledger"}),
            frozenset({"job:nightly-backup"}),
            alarms("duty:a") if local.month == 5 else (),
            frozenset({"duty:a"}),
        )
        state, telling = decide(state, seen, MONDAY_AT_SEVEN)
        counts[Level.FAILURE] += bool(telling.failures)
        counts[Level.RECOVERY] += bool(telling.recovered)
        counts[Level.UNMET] += telling.news is not None
        counts[Level.SUMMARY] += telling.summary_since is not None

    assert counts == {Level.FAILURE: 2, Level.RECOVERY: 1, Level.UNMET: 4, Level.SUMMARY: 52}
    assert state.alarms == ()


def waiting(
    number: int = 0,
    level: Level = Level.FAILURE,
    channel: str = "mail",
    tries: int = 0,
    tried_at: datetime | None = None,
) -> WaitingLetter:
    at = AT + timedelta(minutes=number)
    return WaitingLetter(f"id-{number}", channel, level, "subject", "text", (), at, tries=tries, tried_at=tried_at)


def numbers(letters: Iterable[WaitingLetter]) -> list[str]:
    return [each.id for each in letters]


def test_a_newer_summary_stands_for_the_one_that_waits_and_each_letter_about_alarms_is_kept() -> None:
    old = (waiting(1, Level.SUMMARY), waiting(2, Level.UNMET), waiting(3), waiting(4, Level.SUMMARY, "chat"))

    kept, dropped = queued(old, [waiting(5, Level.SUMMARY), waiting(6, Level.UNMET)])

    assert numbers(kept) == ["id-2", "id-3", "id-4", "id-5", "id-6"]
    assert numbers(dropped) == ["id-1"]


def test_of_too_many_letters_the_summary_goes_first_and_failures_last() -> None:
    letters, dropped = queued((), [waiting(0, Level.SUMMARY), waiting(1, Level.RECOVERY)])
    for number in range(2, MAX_WAITING + 4):
        letters, out = queued(letters, [waiting(number)])
        dropped += out

    assert len(letters) == MAX_WAITING
    assert numbers(dropped) == ["id-0", "id-1", "id-2", "id-3"]


def test_one_letter_that_nobody_takes_keeps_no_other_waiting() -> None:
    poison, fresh = waiting(0, tries=3, tried_at=AT), waiting(1)

    assert next_to_send([poison, fresh], {"mail"}, AT + DAY) == fresh
    assert next_to_send([poison], {"mail"}, AT + DAY) == poison
    assert next_to_send([poison, fresh], {"chat"}, AT + DAY) is None


@pytest.mark.parametrize(("minutes", "is_tried"), [(15, False), (59, False), (60, True), (-15, False), (-600, True)])
def test_after_some_tries_a_letter_is_tried_once_an_hour(minutes: int, is_tried: bool) -> None:
    letter = waiting(0, tries=5, tried_at=AT)

    found = next_to_send([letter], {"mail"}, AT + timedelta(minutes=minutes))

    assert (found is not None) is is_tried


def test_idle_runs_have_nothing_to_tell_before_the_next_days_hour_unless_something_waits() -> None:
    calm = NotifyState(AT)

    assert quiet_until(calm, AT, MONDAY_AT_SEVEN) == datetime(2026, 11, 24, tzinfo=UTC)
    assert quiet_until(replace(calm, letters=(waiting(),)), AT, MONDAY_AT_SEVEN) is None
    broken, _telling = decide(calm, RunFacts(AT, (Failure("run", "PO1104", msg("x"), msg("y")),)), MONDAY_AT_SEVEN)
    assert quiet_until(broken, AT, MONDAY_AT_SEVEN) is None
