"""Each number of the rulebook that updates are judged by: two values give two documented results on the same data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from checks.updates.judging import judge
from checks.updates.terms import Terms
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Period
from portalops.model.rulebook import Numbers, Occasions, UnitDuties
from portalops.model.runs import Every
from portalops.model.updates import ItemChannel, UpdateSourceTraits
from portalops.model.verdicts import DutyVerdict
from portalops.rulebooks.load import load
from tests.checks.updates.scene import (
    CALENDAR,
    FRONT,
    SUBMISSIONS,
    SUBPORTALS,
    Collected,
    at,
    daily_polls,
    item,
    judged,
    poll,
    rulebook,
    the_week,
)

MET, UNMET, UNKNOWN = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE
PENDING = DutyVerdict.PENDING
NOT_ASSESSED = DutyVerdict.NOT_ASSESSED


class Reading(NamedTuple):
    """One number, what is judged, and what each of its values makes of it."""

    name: str
    judge: Callable[..., object]
    results: Mapping[Any, object]
    also: Mapping[str, Any] = {}


def _k1(*moments: str, **item_too: Any) -> Callable[..., DutyVerdict]:
    items = [item(SUBPORTALS, moment, **item_too) for moment in moments]
    return lambda **numbers: the_week(items, polls=_POLLS, **numbers).subportal_verdict


_POLLS = daily_polls("2026-08-01", "2026-11-23", hours=("00:30", "17:00", "23:30"))
"""Around each end of a day, at midnight or at five."""


def _day(day: str, *moments: str, period: str = "2026-W47") -> Callable[..., DutyVerdict]:
    items = [item(FRONT, moment, unit=None) for moment in moments]

    def verdict(**numbers: Any) -> DutyVerdict:
        days = judged(items, period=period, polls=_POLLS, **numbers).portal_days
        return next(one.verdict for one in days if one.day.isoformat() == day)

    return verdict


def _late(**numbers: Any) -> tuple[DutyVerdict, str]:
    """The portal has nothing on Monday, and an item on Tuesday at half past eight."""
    days = judged([item(FRONT, "2026-11-17 08:30", unit=None)], **numbers).portal_days
    monday, tuesday = days[0], days[1]
    assert tuesday.verdict is MET
    return monday.verdict, str(monday.reason).partition(", at ")[0]


def _both(**numbers: Any) -> DutyVerdict:
    """K1 twice, K2 once."""
    items = [
        item(SUBPORTALS, "2026-11-16 09:00"),
        item(SUBPORTALS, "2026-11-17 09:00"),
        item(SUBMISSIONS, "2026-11-18 00:00"),
    ]
    return the_week(items, **numbers).verdict


def _once_each(**numbers: Any) -> DutyVerdict:
    items = [item(SUBPORTALS, "2026-11-16 09:00"), item(SUBMISSIONS, "2026-11-18 00:00")]
    return the_week(items, **numbers).verdict


def _pulled(**numbers: Any) -> DutyVerdict:
    """The portal pulls two items of a sub-portal; nothing is sent in otherwise."""
    source = UpdateSourceTraits("pulled", ItemChannel.SUBPORTAL, complete=True, syndicated=True)
    items = [item(source, "2026-11-16 09:00"), item(source, "2026-11-18 09:00")]
    return the_week(items, sources=(source, SUBMISSIONS), **numbers).submissions_verdict


def _successor(**numbers: Any) -> DutyVerdict:
    """A commune that began on 1 July 2025, in its second week, without a sub-portal yet."""
    heir = Agency(UnitId("xa-van-ninh"), Name("Xã Vạn Ninh", "Van Ninh commune"), valid_from=date(2025, 7, 1))
    own = UpdateSourceTraits("own", ItemChannel.SUBPORTAL, complete=True, unit=heir.id)
    looks = [poll(own, f"2025-07-{day:02d} 20:00") for day in range(1, 20)]
    week = the_week(
        [], period="2025-W28", now="2025-07-20 09:00", polls=looks, sources=(own,), units=(heir,), **numbers
    )
    return week.subportal_verdict


def _new_in_midweek(**numbers: Any) -> DutyVerdict:
    """A unit that began on a Thursday and did one thing in the two days that were left."""
    unit = Agency(UnitId("so-y-te"), Name("Sở Y tế", "Department of Health"), valid_from=date(2026, 11, 19))
    items = [item(SUBMISSIONS, "2026-11-20 00:00")]
    return the_week(items, units=(unit,), **numbers).submissions_verdict


READINGS = (
    Reading("portal_daily_min", _day("2026-11-16", "2026-11-16 09:00"), {1: MET, 2: UNMET}),
    Reading("unit_weekly_min", _k1("2026-11-16 09:00", "2026-11-18 09:00"), {2: MET, 3: UNMET}),
    Reading(
        "unit_duties",
        _both,
        {UnitDuties.BOTH: UNMET, UnitDuties.SUBMIT_ONLY: UNMET, UnitDuties.EITHER: MET, UnitDuties.SUM: MET},
    ),
    Reading(
        "unit_duties",
        _once_each,
        {UnitDuties.BOTH: UNMET, UnitDuties.SUBMIT_ONLY: UNMET, UnitDuties.EITHER: UNMET, UnitDuties.SUM: MET},
    ),
    Reading(
        "occasion",
        _k1("2026-11-16 09:00", "2026-11-16 10:00"),
        {Occasions.DAY: UNMET, Occasions.SESSION: UNMET, Occasions.ITEMS: MET},
    ),
    Reading(
        "occasion",
        _k1("2026-11-16 09:00", "2026-11-16 15:00"),
        {Occasions.DAY: UNMET, Occasions.SESSION: MET, Occasions.ITEMS: MET},
    ),
    Reading(
        "session_gap_minutes",
        _k1("2026-11-16 09:00", "2026-11-16 15:00"),
        {120: MET, 400: UNMET},
        {"occasion": Occasions.SESSION},
    ),
    Reading("day_cutoff", _k1("2026-11-16 16:00", "2026-11-16 18:00"), {"24:00": UNMET, "17:00": MET}),
    Reading("day_cutoff", _day("2026-11-16", "2026-11-16 18:00"), {"24:00": MET, "17:00": UNMET}),
    Reading("weekend_counts_daily", _day("2026-11-16", "2026-11-14 09:00"), {False: UNMET, True: MET}),
    Reading("weekend_counts_weekly", _k1("2026-11-16 09:00", "2026-11-21 09:00"), {True: MET, False: UNMET}),
    Reading(
        "late_grace_hours",
        _late,
        {
            0: (UNMET, "0 updates seen"),
            8: (UNMET, "0 updates seen"),
            9: (UNMET, "0 updates seen; met late"),
        },
    ),
    Reading("short_weeks_ask_less", _new_in_midweek, {True: MET, False: UNMET}),
    Reading("syndication_counts_as_submission", _pulled, {True: MET, False: UNMET}),
    Reading(
        "duplicate_window_days",
        lambda **numbers: (
            the_week(
                [
                    item(SUBPORTALS, "2026-09-01 09:00", text="Tin cũ", name="1"),
                    item(SUBPORTALS, "2026-11-16 09:00", text="Tin cũ", name="2"),
                ],
                **numbers,
            ).subportal
        ),
        {90: 0, 60: 1},
    ),
    Reading("new_subportal_grace_working_days", _successor, {10: NOT_ASSESSED, 0: UNMET}),
)


@pytest.mark.parametrize(
    ("reading", "value"),
    [(reading, value) for reading in READINGS for value in reading.results],
    ids=lambda one: one.name if isinstance(one, Reading) else str(one),
)
def test_each_value_of_a_number_gives_its_own_result_on_the_same_data(reading: Reading, value: object) -> None:
    assert reading.judge(**{reading.name: value}, **reading.also) == reading.results[value]


def test_no_number_of_updates_is_left_out_and_each_can_be_configured() -> None:
    names = [field.name for field in fields(Numbers)]
    of_updates = names[names.index("portal_daily_min") : names.index("check_max_age_hours")]

    assert {reading.name for reading in READINGS} == set(of_updates)
    for reading in READINGS:
        assert len(reading.results) > 1
        for value in reading.results:
            assert getattr(load("kh-37-2010", {reading.name: value}).numbers, reading.name) == value


def test_a_unit_without_a_subportal_owes_submissions_alone() -> None:
    sent = [item(SUBMISSIONS, "2026-11-16 00:00"), item(SUBMISSIONS, "2026-11-18 00:00")]
    without = Agency(UnitId("so-y-te"), Name("Sở Y tế", "Department of Health"), has_subportal=False)

    assert the_week(sent).verdict is UNMET
    week = the_week(sent, units=(without,))
    assert (week.verdict, week.subportal_verdict) == (MET, NOT_ASSESSED)


@pytest.mark.parametrize(("zone", "met"), [("Asia/Ho_Chi_Minh", date(2026, 11, 17)), ("UTC", date(2026, 11, 16))])
def test_days_are_those_of_the_portals_zone(zone: str, met: date) -> None:
    early = item(FRONT, "2026-11-17 06:30", unit=None)  # in Khánh Hòa; still the 16th in UTC
    looks = daily_polls("2026-11-10", "2026-11-23")
    terms = Terms(rulebook(), CALENDAR, ZoneInfo(zone), at("2026-11-24 09:00"), Every.DAY)

    result = judge(
        Collected((early,), looks, {early.id: at("2026-11-23 20:00")}),
        sources=(FRONT,),
        units=(),
        period=Period(date(2026, 11, 16), date(2026, 11, 20)),
        terms=terms,
    )

    assert [one.day for one in result.portal_days if one.verdict is MET] == [met]
