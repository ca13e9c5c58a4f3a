"""A unit's numbers over a long period are those of its weeks, and one process or several judge alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bench.updates_judge import MAILBOX, NOW, ZONE, _feed, _unit, fabricate
from checks.updates.judging import Judging, judge
from checks.updates.judging_processes import JudgedPeriod, fitting_processes, judge_period
from checks.updates.observations import ObservationStore
from checks.updates.summing import sum_up, sums
from checks.updates.terms import Terms
from checks.updates.unit_names import UnitNames
from portalops.errors import UpdatesError
from portalops.model.cases import CaseDuty
from portalops.model.period import Period, Week, parse_period
from portalops.model.runs import Every
from portalops.model.updates import ItemChannel, OpenBecause, UnitSum, UpdateSourceTraits
from portalops.model.verdicts import DutyVerdict
from tests.checks.updates.scene import (
    CALENDAR,
    HEALTH,
    SUBMISSIONS,
    SUBPORTALS,
    Collected,
    at,
    daily_polls,
    item,
    poll,
    rulebook,
)
from tests.checks.updates.scene import SOURCES as SOURCES_OF_SCENE

UNITS = [_unit(number) for number in range(4)]
SOURCES = [*map(_feed, range(4)), MAILBOX]


@pytest.fixture
def question(tmp_path: Path) -> JudgedPeriod:
    file = tmp_path / "observations.sqlite"
    fabricate(file, 4, 2000)
    terms = Terms(rulebook(), CALENDAR, ZONE, NOW, Every.DAY)
    return JudgedPeriod(file, SOURCES, Period(date(2025, 10, 1), date(2025, 11, 30)), terms)


def test_the_sums_are_those_of_the_weeks_and_of_the_days_of_the_period(question: JudgedPeriod) -> None:
    store = ObservationStore.open(question.store, create=False)
    window = store.window(question.terms.counted_from(question.period), NOW)
    whole = judge(window, sources=SOURCES, units=UNITS, period=question.period, terms=question.terms)

    found = list(sums(question, UNITS))

    assert [one.unit for one in found] == [unit.id for unit in UNITS]
    for one in found:
        weeks = [week for week in whole.unit_weeks if week.unit == one.unit]
        days = [day for day in whole.unit_days if day.unit == one.unit]  # one occasion a day at most
        assert one.subportal == sum(day.subportal > 0 for day in days) < sum(week.subportal for week in weeks)
        assert one.submissions == sum(day.submissions > 0 for day in days)
        assert sum(one.weeks.values()) == len(weeks)
        assert one.weeks[DutyVerdict.MET] == sum(week.verdict is DutyVerdict.MET for week in weeks) > 0
        assert one.newest_at is not None and one.newest_at.date() <= question.period.last
    store.close()


def test_each_week_and_each_occasion_is_in_one_of_two_periods_that_follow_each_other(question: JudgedPeriod) -> None:
    cut = date(2025, 10, 15)  # a Wednesday
    spans = (Period(question.period.first, cut), Period(cut + timedelta(days=1), question.period.last), question.period)

    before, after, whole = (list(sums(replace(question, period=span), UNITS)) for span in spans)

    for one, two, both in zip(before, after, whole, strict=True):
        assert (one.subportal + two.subportal, one.submissions + two.submissions) == (both.subportal, both.submissions)
        assert one.items + two.items == both.items
        assert Counter(one.weeks) + Counter(two.weeks) == Counter(both.weeks)


def test_what_may_have_come_after_the_period_is_not_among_what_counts_nor_is_it_the_newest() -> None:
    outage = (poll(SUBPORTALS, "2026-11-10 07:00"), poll(SUBPORTALS, "2026-11-16 08:00"))
    late = item(SUBPORTALS, "2026-11-12 10:00", seen="2026-11-16 08:00")
    early = item(SUBPORTALS, "2026-11-10 06:00", seen="2026-11-10 07:00")
    polls = (poll(SUBPORTALS, "2026-11-09 20:00"), *outage)
    seen = dict.fromkeys((early.id, late.id), polls[-1].polled_at)
    terms = Terms(rulebook(), CALENDAR, ZONE, at("2026-11-20 09:00"), Every.DAY)

    def summed(period: str) -> tuple[int, int, date | None]:
        judging = Judging(
            Collected((early, late), polls, seen), sources=SOURCES_OF_SCENE, period=parse_period(period), terms=terms
        )
        one = sum_up(judging.judge(HEALTH.id, HEALTH), judging)
        return one.items, one.subportal, None if one.newest_at is None else one.newest_at.astimezone(ZONE).date()

    # The late one was first seen after six days without an answer: in week 46 or 47, nobody knows.
    assert summed("2026-10-15..2026-11-14") == (1, 1, date(2026, 11, 10))
    assert summed("2026-10-15..2026-11-22") == (1, 1, date(2026, 11, 16))


def test_an_open_week_says_who_can_mend_it_and_an_unmet_one_what_was_not_done() -> None:
    terms = Terms(rulebook(), CALENDAR, ZONE, at("2026-11-24 09:00"), Every.DAY)

    def summed(first: str, period: str, *sources: UpdateSourceTraits) -> UnitSum:
        polls = daily_polls(first, "2026-11-24", sources=sources)
        judging = Judging(Collected((), polls), sources=sources, period=parse_period(period), terms=terms)
        return sum_up(judging.judge(HEALTH.id, HEALTH), judging)

    # A register's rows bear their own days, so that it would speak of the time before its first poll too.
    late = summed("2026-11-18", "2026-W47", SUBPORTALS, replace(SUBMISSIONS, attested=False))
    blind = summed("2026-11-01", "2026-W47", SUBMISSIONS)
    seen = summed("2026-11-01", "2026-W47", SUBPORTALS, SUBMISSIONS)
    outage = (*daily_polls("2026-11-01", "2026-11-15", sources=SOURCES_OF_SCENE), poll(SUBPORTALS, "2026-11-23 08:00"))
    judging = Judging(Collected((), outage), sources=SOURCES_OF_SCENE, period=parse_period("2026-W47"), terms=terms)
    unproven = sum_up(judging.judge(HEALTH.id, HEALTH), judging)

    assert (set(late.open_because), late.unmet) == ({OpenBecause.NOT_WATCHED}, frozenset())
    assert blind.unmet == {(Week(2026, 47), CaseDuty.SUBMISSION)}
    assert blind.open_because == {}  # unmet as a whole: what the other number comes to decides nothing
    assert seen.unmet == {(Week(2026, 47), CaseDuty.SUBPORTAL), (Week(2026, 47), CaseDuty.SUBMISSION)}
    assert set(unproven.open_because) == {OpenBecause.UNPROVEN}


@pytest.mark.heavy
def test_several_processes_come_to_the_same(question: JudgedPeriod) -> None:
    assert list(sums(question, UNITS, processes=2, at_once=1)) == list(sums(question, UNITS, processes=1))


@pytest.mark.heavy
def test_several_processes_judge_the_weeks_and_the_portal_as_one_does(question: JudgedPeriod) -> None:
    units = UNITS[1:]  # so that one is seen and not configured
    front = UpdateSourceTraits("feed-00000", ItemChannel.PORTAL, complete=False)
    question = replace(question, sources=[front, *SOURCES[1:]], names=UnitNames(units, ZONE))

    several = judge_period(question, units, processes=2, at_once=1)

    assert several == judge_period(question, units, processes=1)
    assert several.unit_weeks and several.unit_days and several.flagged and several.portal_days


def test_many_units_are_judged_by_several_processes_and_few_by_one() -> None:
    week, year = Period(date(2025, 12, 15), date(2025, 12, 21)), Period(date(2025, 1, 1), date(2025, 12, 31))

    assert fitting_processes(week, 100, processors=2) == fitting_processes(year, 10, processors=2) == 1
    assert fitting_processes(week, 1000, processors=2) == fitting_processes(year, 100, processors=2) == 2


def test_a_store_that_is_not_there_is_said_before_several_processes_begin(
    question: JudgedPeriod, tmp_path: Path
) -> None:
    (tmp_path / "observations.sqlite").unlink()

    with pytest.raises(UpdatesError, match="nothing was collected yet"):
        list(sums(question, UNITS, processes=2, at_once=1))
