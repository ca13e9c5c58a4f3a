from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from checks.updates.rules.stamps import stamp
from checks.updates.rules.unread import UnreadPart
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionScope
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Week
from portalops.model.rulebook import Occasions, UnitDuties
from portalops.model.updates import (
    Bounds,
    FlagKind,
    Grade,
    ItemChannel,
    Observation,
    Poll,
    PortalDay,
    UpdateSourceTraits,
)
from portalops.model.verdicts import DutyVerdict
from tests.checks.updates.scene import (
    CALENDAR,
    FRONT,
    HEALTH,
    JUSTICE,
    SOURCES,
    SUBMISSIONS,
    SUBPORTALS,
    ZONE,
    Touch,
    at,
    daily_polls,
    item,
    judged,
    poll,
    the_week,
)

MET, UNMET, PENDING = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.PENDING
UNKNOWN, EXEMPT, NOT_ASSESSED = DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.EXEMPT, DutyVerdict.NOT_ASSESSED

TRUSTED = UpdateSourceTraits("trusted", ItemChannel.SUBPORTAL, complete=True, trust_created=True)
FEED = UpdateSourceTraits("feed", ItemChannel.SUBPORTAL, complete=False)


def _days(observations: list[Observation], **how: Any) -> dict[str, PortalDay]:
    return {day.day.isoformat(): day for day in judged(observations, **how).portal_days}


# --- 11.1, the portal each working day ---------------------------------------------------------


def test_each_working_day_of_the_portal_has_a_verdict_and_what_supports_it() -> None:
    monday = item(FRONT, "2026-11-16 09:00", unit=None)

    days = _days([monday])

    assert days["2026-11-16"].verdict is MET
    assert days["2026-11-16"].observations == (monday.id,)
    assert days["2026-11-17"].verdict is UNMET
    assert (days["2026-11-21"].working, days["2026-11-21"].verdict) == (False, NOT_ASSESSED)


def test_an_item_of_saturday_pays_neither_for_friday_nor_for_monday() -> None:
    saturday = [item(FRONT, "2026-11-14 09:00", unit=None)]

    friday = _days(saturday, period="2026-W46")["2026-11-13"]
    days = _days(saturday, period="2026-W46")
    monday = _days(saturday)["2026-11-16"]

    assert (friday.verdict, monday.verdict) == (UNMET, UNMET)
    assert (days["2026-11-14"].verdict, days["2026-11-14"].updates) == (NOT_ASSESSED, 1)


@pytest.mark.parametrize("day", ["2026-01-10", "2025-04-26", "2011-01-30"])
def test_a_weekend_day_that_is_worked_is_due(day: str) -> None:
    week = str(Week.of(date.fromisoformat(day)))
    assert CALENDAR.is_working(date.fromisoformat(day))

    found = _days([], period=week)[day]

    assert found.verdict in {UNMET, UNKNOWN}
    assert found.working


@pytest.mark.parametrize("day", ["2026-01-02", "2026-08-31", "2010-09-03", "2014-02-05"])
def test_a_day_off_is_not_due(day: str) -> None:
    assert _days([], period=str(Week.of(date.fromisoformat(day))))[day].verdict is NOT_ASSESSED


def test_today_is_pending_until_it_is_over() -> None:
    days = _days([], period="2026-W48", now="2026-11-25 10:00")

    assert days["2026-11-25"].verdict is PENDING
    assert "2026-11-26" not in days


def test_a_day_on_which_nobody_looked_is_not_held_against_the_portal() -> None:
    feed = UpdateSourceTraits("front-feed", ItemChannel.PORTAL, complete=False)
    looks = (
        poll(feed, "2026-11-16 20:00", covers_from="2026-11-16 00:00"),
        poll(feed, "2026-11-18 20:00", covers_from="2026-11-18 08:00", gap=True),
        poll(feed, "2026-11-19 20:00", covers_from="2026-11-18 20:00"),
        poll(feed, "2026-11-21 00:00", covers_from="2026-11-19 20:00"),
    )

    days = _days([], sources=(feed,), polls=looks)

    assert days["2026-11-17"].verdict is UNKNOWN
    assert days["2026-11-18"].verdict is UNKNOWN
    assert days["2026-11-20"].verdict is UNMET


def test_without_any_source_nothing_can_be_said_of_the_portal() -> None:
    days = _days([], sources=(SUBPORTALS,))

    assert {days["2026-11-16"].verdict, days["2026-11-20"].verdict} == {UNKNOWN}


# --- 11.2, weeks and their length ---------------------------------------------------------------


def test_the_week_of_tet_is_exempt_and_not_unmet() -> None:
    week = the_week([], period="2026-W08")

    assert (week.working_days, week.required, week.verdict) == (0, 0, EXEMPT)
    assert (week.subportal_verdict, week.submissions_verdict) == (EXEMPT, EXEMPT)


@pytest.mark.parametrize(
    ("week", "days", "required"),
    [
        ("2026-W08", 0, 0),
        ("2023-W04", 1, 1),
        ("2026-W36", 2, 1),
        ("2021-W06", 2, 1),
        ("2025-W36", 3, 2),
        ("2026-W47", 5, 2),
        ("2026-W02", 6, 2),
    ],
)
def test_a_short_week_asks_for_less(week: str, days: int, required: int) -> None:
    found = the_week([], period=week)

    assert (found.working_days, found.required) == (days, required)


def test_two_items_on_one_day_are_one_occasion_unless_items_are_counted() -> None:
    items = [item(SUBPORTALS, "2026-11-16 09:00"), item(SUBPORTALS, "2026-11-16 15:00")]

    assert the_week(items).subportal == 1
    assert the_week(items, occasion=Occasions.ITEMS).subportal == 2
    assert the_week(items, occasion=Occasions.SESSION).subportal == 2
    assert the_week(items, occasion=Occasions.SESSION, session_gap_minutes=400).subportal == 1


def test_what_comes_after_the_cut_off_counts_on_the_next_day() -> None:
    items = [item(SUBPORTALS, "2026-11-16 16:00"), item(SUBPORTALS, "2026-11-16 18:00")]

    assert the_week(items).subportal == 1
    looks = daily_polls("2026-11-10", "2026-11-23", hours=("00:30", "17:00", "23:30"))
    assert the_week(items, polls=looks, day_cutoff="17:00").subportal == 2


@pytest.mark.parametrize(
    ("duties", "verdict"),
    [
        (UnitDuties.BOTH, UNMET),
        (UnitDuties.SUBMIT_ONLY, UNMET),
        (UnitDuties.EITHER, MET),
        (UnitDuties.SUM, MET),
    ],
)
def test_each_reading_of_article_11_2_gives_its_own_verdict(duties: UnitDuties, verdict: DutyVerdict) -> None:
    items = [
        item(SUBPORTALS, "2026-11-16 09:00"),
        item(SUBPORTALS, "2026-11-17 09:00"),
        item(SUBMISSIONS, "2026-11-18 00:00"),
    ]

    week = the_week(items, unit_duties=duties)

    assert (week.subportal, week.submissions, week.verdict) == (2, 1, verdict)
    assert (week.subportal_verdict, week.submissions_verdict) == (MET, UNMET)
    assert week.summed == (3 if duties is UnitDuties.SUM else None)


def test_weekend_items_count_for_the_week_unless_the_rulebook_says_otherwise() -> None:
    items = [item(SUBPORTALS, "2026-11-16 09:00"), item(SUBPORTALS, "2026-11-21 09:00")]

    assert the_week(items).subportal == 2
    assert the_week(items, weekend_counts_weekly=False).subportal == 1


def test_a_closed_unit_has_no_week_after_its_end_and_its_successor_starts_with_a_part_of_one() -> None:
    closed = Agency(
        UnitId("huyen-van-ninh"),
        Name("Huyện Vạn Ninh", "Van Ninh district"),
        valid_to=date(2025, 6, 30),
        successors=(UnitId("xa-van-ninh"),),
    )
    heir = Agency(UnitId("xa-van-ninh"), Name("Xã Vạn Ninh", "Van Ninh commune"), valid_from=date(2025, 7, 1))

    change = judged([], period="2025-W27", units=(closed, heir)).unit_weeks
    after = judged([], period="2025-W28", units=(closed, heir)).unit_weeks

    assert [(one.unit, one.working_days, one.required) for one in change] == [(closed.id, 1, 1), (heir.id, 4, 2)]
    assert [one.unit for one in after] == [heir.id]
    # ten working days to set up a sub-portal: 1 to 14 July; what it sends in is due at once
    assert [one.subportal_verdict for one in (change[1], *after)] == [NOT_ASSESSED, NOT_ASSESSED]
    third = judged([], period="2025-W29", units=(heir,)).unit_weeks[0]
    assert third.subportal_verdict is not NOT_ASSESSED
    assert change[1].submissions_verdict is not NOT_ASSESSED


def test_a_unit_that_ends_on_a_day_off_is_not_assessed_for_that_week() -> None:
    unit = Agency(UnitId("u"), Name("U", "U"), valid_from=date(2026, 11, 21))

    assert the_week([], units=(unit,)).verdict is NOT_ASSESSED


def test_a_unit_that_begins_on_a_weeks_last_day_has_that_week() -> None:
    unit = Agency(UnitId("u"), Name("U", "U"), valid_from=date(2026, 11, 22))

    assert the_week([], units=(unit,)).working_days == 0


def test_the_last_day_of_a_new_units_grace_is_not_due_on_its_sub_portal() -> None:
    unit = Agency(UnitId("u"), Name("U", "U"), valid_from=date(2026, 11, 16))

    week = the_week([], units=(unit,), new_subportal_grace_working_days=3)

    assert (week.due_on_subportal, week.due_to_send) == (1, 2), "Thursday and Friday are left"


# --- what could not be seen ----------------------------------------------------------------------


def test_a_week_that_was_hardly_looked_at_is_not_called_unmet() -> None:
    looks = (
        poll(FEED, "2026-11-17 20:00", covers_from="2026-11-16 00:00"),
        poll(FEED, "2026-11-23 20:00", covers_from="2026-11-21 00:00", gap=True),
    )

    week = the_week([item(FEED, "2026-11-16 09:00")], sources=(FEED,), polls=looks, unit_duties=UnitDuties.EITHER)

    assert week.subportal_verdict is UNKNOWN
    assert week.coverage_percent < 90


def test_enough_items_meet_a_week_however_little_was_looked_at() -> None:
    looks = (
        poll(FEED, "2026-11-16 00:30", covers_from="2026-11-15 00:00"),
        poll(FEED, "2026-11-17 00:30", covers_from="2026-11-15 20:00"),
        poll(FEED, "2026-11-23 20:00", covers_from="2026-11-22 00:00", gap=True),
    )
    items = [item(FEED, "2026-11-16 09:00"), item(FEED, "2026-11-17 09:00")]

    assert the_week(items, sources=(FEED,), polls=looks).subportal_verdict is MET


def test_a_feed_covers_the_time_between_two_looks_that_overlap() -> None:
    looks = tuple(
        poll(FEED, f"2026-11-{day} 20:00", covers_from=f"2026-11-{day - 2} 20:00") for day in (13, 15, 17, 19, 21, 23)
    )

    items = [item(FEED, f"2026-11-{day} 09:00", seen=f"2026-11-{day + 1} 20:00") for day in (12, 16)]
    week = the_week(items, sources=(FEED,), polls=looks)

    assert week.subportal_verdict is UNMET


def test_what_came_and_stayed_for_two_days_may_have_gone_in_a_longer_time_without_a_poll() -> None:
    looks = (
        poll(FEED, "2026-11-15 20:00"),
        *(poll(FEED, f"2026-11-{day} 20:00", covers_from="2026-11-15 20:00") for day in (15, 16, 21, 22, 23)),
    )

    week = the_week([item(FEED, "2026-11-16 09:00")], sources=(FEED,), polls=looks)

    assert week.subportal_verdict is UNKNOWN
    (unseen,) = [one for one in week.unseen if one.source == "feed" and one.since and one.until]
    assert (unseen.since, unseen.until) == (at("2026-11-16 20:00"), at("2026-11-19 20:00"))


def test_the_running_week_is_on_course_or_at_risk_and_never_unmet() -> None:
    on_course = the_week([], period="2026-W47", now="2026-11-18 09:00")
    at_risk = the_week([], period="2026-W47", now="2026-11-20 09:00")

    assert (on_course.verdict, at_risk.verdict) == (PENDING, PENDING)
    assert str(on_course.reason) == "on course: 2 more due, 3 working days left"
    assert str(at_risk.reason) == "at risk: 2 more due, 1 working day left"


def test_where_either_duty_is_enough_a_running_week_lacks_what_the_nearer_one_lacks() -> None:
    week = the_week(
        [item(SUBPORTALS, "2026-11-16 09:00")],
        period="2026-W47",
        now="2026-11-20 09:00",
        unit_duties=UnitDuties.EITHER,
    )

    assert (week.verdict, str(week.reason)) == (PENDING, "on course: 1 more due, 1 working day left")


def test_a_week_waits_for_the_look_after_its_end_and_no_longer_than_that() -> None:
    looks = daily_polls("2026-11-01", "2026-11-22")

    early = the_week([], polls=looks, now="2026-11-23 07:00")
    late = the_week([], polls=looks, now="2026-11-25 07:00")

    assert (early.verdict, late.verdict) == (PENDING, UNKNOWN)


# --- claims --------------------------------------------------------------------------------------


def test_a_backdated_item_counts_on_the_day_it_was_first_seen() -> None:
    late = item(SUBPORTALS, "2026-11-16 09:00", seen="2026-11-19 20:00")

    week = the_week([late])

    (counted,) = week.items
    assert (counted.day, counted.flags, counted.grade) == (date(2026, 11, 19), (FlagKind.BACKDATED,), Grade.A)


def test_a_look_that_was_missed_does_not_make_an_item_backdated() -> None:
    looks = (
        poll(SUBPORTALS, "2026-11-15 20:00"),
        poll(SUBPORTALS, "2026-11-20 20:00"),
        poll(SUBPORTALS, "2026-11-23 20:00"),
    )

    week = the_week([item(SUBPORTALS, "2026-11-17 09:00", seen="2026-11-20 20:00")], polls=looks)

    assert [(one.day, one.flags) for one in week.items] == [(date(2026, 11, 17), ())]


def test_an_old_row_that_is_published_again_gives_no_occasion() -> None:
    again = item(TRUSTED, "2026-11-16 09:00", created="2026-10-01 09:00")

    result = judged([again], sources=(*SOURCES, TRUSTED), polls=daily_polls("2026-11-02", "2026-11-23"))

    assert result.unit_weeks[0].subportal == 0
    assert FlagKind.TOUCHED in result.flagged[0].flags


def _watching(*, without: tuple[str, ...] = ()) -> tuple[Poll, ...]:
    """Looks at 20:00 each day of three weeks, but for some days."""
    looks = daily_polls("2026-11-02", "2026-11-23", sources=(TRUSTED, *SOURCES))
    return tuple(one for one in looks if one.polled_at.astimezone(ZONE).date().isoformat() not in without)


def test_a_draft_that_waited_for_approval_counts_where_every_look_shows_that_it_was_not_there() -> None:
    draft = item(TRUSTED, "2026-11-18 09:00", created="2026-11-12 09:00", seen="2026-11-18 20:00")

    result = judged([draft], sources=(*SOURCES, TRUSTED), polls=_watching())

    (counted,) = result.unit_weeks[0].items
    assert (result.unit_weeks[0].subportal, counted.day) == (1, date(2026, 11, 18))
    assert (counted.grade, counted.flags) == (Grade.A, (FlagKind.WAITED,))


@pytest.mark.parametrize(
    ("what", "draft", "looks"),
    [
        (
            "nobody looked before the row was made",
            item(TRUSTED, "2026-11-18 09:00", created="2026-10-30 09:00", seen="2026-11-18 20:00"),
            _watching(),
        ),
        (
            "the collecting stood still meanwhile",
            item(TRUSTED, "2026-11-18 09:00", created="2026-11-12 09:00", seen="2026-11-18 20:00"),
            _watching(without=("2026-11-14", "2026-11-15")),
        ),
        (
            "it was there at the first look",
            item(TRUSTED, "2026-11-18 09:00", created="2026-11-12 09:00", seen="2026-11-18 20:00", baseline=True),
            _watching(without=tuple(f"2026-11-{day:02d}" for day in range(2, 18))),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_looks_do_not_prove_to_be_a_draft_is_an_old_item_until_an_officer_confirms_it(
    what: str, draft: Observation, looks: tuple[Poll, ...]
) -> None:
    by_itself = the_week([draft], sources=(*SOURCES, TRUSTED), polls=looks)
    confirmed = the_week([draft], sources=(*SOURCES, TRUSTED), polls=looks, confirmed=[draft.id])

    assert by_itself.subportal == 0, what
    (counted,) = confirmed.items
    assert (confirmed.subportal, counted.grade) == (1, Grade.D)
    assert FlagKind.TOUCHED in counted.flags
    assert draft.published_at is not None
    assert counted.day == draft.published_at.date()


def test_drafts_that_were_written_in_one_go_and_came_up_day_by_day_are_no_bulk() -> None:
    drafts = [
        item(TRUSTED, f"2026-11-{day} 09:00", created=f"2026-11-12 09:{day}", seen=f"2026-11-{day} 20:00")
        for day in (16, 17, 18, 19, 20)
    ]

    week = the_week(drafts, sources=(*SOURCES, TRUSTED), polls=_watching())

    assert week.subportal == 5
    assert all(one.flags == (FlagKind.WAITED,) for one in week.items)


@pytest.mark.parametrize(
    ("seen_on", "gone", "whose", "is_open", "counts"),
    [
        (
            "2026-11-13",
            "2026-11-18 20:00",
            HEALTH,
            False,
            0,
        ),  # put right when the item was first seen: it may have been it
        ("2026-11-13", None, None, False, 0),
        ("2026-11-10", "2026-11-12 08:00", HEALTH, False, 1),  # put right before the row was made
        ("2026-11-10", None, None, False, 1),  # it stood there as it is before the row was made
        ("2026-11-10", None, None, True, 0),  # a hole in each answer may hide what comes up
        ("2026-11-13", None, JUSTICE, False, 1),
    ],
)
def test_a_draft_is_not_proven_by_looks_of_which_a_part_could_not_be_read(
    seen_on: str, gone: str | None, whose: Agency | None, is_open: bool, counts: int
) -> None:
    draft = item(TRUSTED, "2026-11-18 09:00", created="2026-11-12 09:00", seen="2026-11-18 20:00")
    seen, left = stamp(at(f"{seen_on} 20:00")), None if gone is None else stamp(at(gone))
    part = UnreadPart(TRUSTED.id, whose.id if whose else None, None, None, seen, left, is_open=is_open)

    week = the_week([draft], sources=(*SOURCES, TRUSTED), polls=_watching(), unread=[part])

    assert week.subportal == counts


def test_a_known_item_with_a_newer_date_keeps_its_own_day_and_gains_none() -> None:
    one = item(SUBPORTALS, "2026-11-16 09:00")
    touch = Touch(one.id, at("2026-11-19 20:00"), at("2026-11-19 09:00"))

    result = judged([one], touches=[touch])

    assert result.unit_weeks[0].subportal == 1
    assert (result.flagged[0].flags, result.flagged[0].claimed_at) == ((FlagKind.TOUCHED,), at("2026-11-19 09:00"))


def test_the_same_text_again_is_a_duplicate_within_ninety_days_only() -> None:
    first = item(SUBPORTALS, "2026-09-01 09:00", text="Tin cũ", name="1")
    again = item(SUBPORTALS, "2026-11-16 09:00", text="Tin cũ", name="2")
    longer = item(SUBPORTALS, "2026-08-10 09:00", text="Tin rất cũ", name="3")
    renewed = item(SUBPORTALS, "2026-11-17 09:00", text="Tin rất cũ", name="4")

    result = judged([first, again, longer, renewed])

    assert result.unit_weeks[0].subportal == 1
    assert [(one.observation, one.flags) for one in result.flagged] == [(again.id, (FlagKind.DUPLICATE,))]


def test_another_units_text_is_a_duplicate_unless_the_source_says_that_copies_count() -> None:
    copying = UpdateSourceTraits("copying", ItemChannel.SUBPORTAL, complete=True, copies_count=True)
    original = item(SUBPORTALS, "2026-11-16 09:00", unit=JUSTICE, text="Tin chung", name="1")
    copy = item(SUBPORTALS, "2026-11-17 09:00", text="Tin chung", name="2")
    allowed = item(copying, "2026-11-17 09:00", text="Tin chung", name="3")

    assert the_week([original, copy]).subportal == 0
    assert the_week([original, allowed], sources=(*SOURCES, copying)).subportal == 1


def test_one_text_on_the_subportal_and_sent_in_is_no_duplicate() -> None:
    items = [
        item(SUBPORTALS, "2026-11-16 09:00", text="Tin", name="1"),
        item(SUBMISSIONS, "2026-11-16 00:00", text="Tin", name="2"),
    ]

    week = the_week(items)

    assert (week.subportal, week.submissions) == (1, 1)


def test_one_address_in_two_sources_is_one_item_without_a_flag() -> None:
    items = [
        item(SUBPORTALS, "2026-11-16 09:00", url="https://a.example/1", text="a", name="1"),
        item(FEED, "2026-11-16 09:00", url="https://a.example/1", text="b", name="2"),
    ]

    result = judged(items, sources=(*SOURCES, FEED), occasion=Occasions.ITEMS)

    assert result.unit_weeks[0].subportal == 1
    assert result.flagged == ()


def test_many_items_in_half_an_hour_are_one_occasion() -> None:
    created = [f"2026-11-16 09:{minute:02d}" for minute in (0, 5, 10, 15, 20)]
    claimed = ["2026-11-16 09:30"] * 3 + ["2026-11-17 08:00"] * 2
    items = [item(TRUSTED, one, created=row) for one, row in zip(claimed, created, strict=True)]

    by_day = the_week(items, sources=(*SOURCES, TRUSTED))
    by_item = the_week(items, sources=(*SOURCES, TRUSTED), occasion=Occasions.ITEMS)

    assert (by_day.subportal, by_item.subportal) == (1, 1)
    assert all(FlagKind.BULK in one.flags for one in by_day.items)


def test_what_a_daily_look_finds_together_was_not_posted_together() -> None:
    items = [item(SUBPORTALS, f"2026-11-16 {hour:02d}:00", seen="2026-11-16 20:00") for hour in range(8, 16)]

    assert all(one.flags == () for one in the_week(items).items)


def test_a_claim_in_the_future_counts_when_it_was_seen() -> None:
    ahead = item(SUBPORTALS, "2026-11-17 03:00", seen="2026-11-16 20:00")

    (counted,) = the_week([ahead]).items

    assert (counted.day, counted.flags) == (date(2026, 11, 16), (FlagKind.FUTURE,))


def test_an_item_without_a_date_counts_when_it_was_seen() -> None:
    (counted,) = the_week([item(SUBPORTALS, None, seen="2026-11-18 20:00")]).items

    assert (counted.day, counted.flags) == (date(2026, 11, 18), (FlagKind.NO_DATE,))


def test_an_item_that_is_gone_within_two_days_is_revoked() -> None:
    short = item(SUBPORTALS, "2026-11-16 19:00", seen="2026-11-16 20:00")
    kept = item(SUBPORTALS, "2026-11-17 19:00", seen="2026-11-17 20:00")
    seen = {short.id: at("2026-11-16 20:00"), kept.id: at("2026-11-20 20:00")}

    result = judged([short, kept], last_seen=seen)

    assert result.unit_weeks[0].subportal == 1
    assert [one.flags for one in result.flagged] == [(FlagKind.REMOVED,)]


@pytest.mark.parametrize(
    ("seen", "whose", "counts"),
    [
        ("2026-11-16 23:30", HEALTH, 1),  # in the look that no longer had the item: the item itself, after an edit
        ("2026-11-16 23:30", None, 1),
        ("2026-11-16 23:30", JUSTICE, 0),
        ("2026-11-16 17:00", HEALTH, 0),  # beside the item
    ],
)
def test_an_item_is_not_revoked_by_a_look_in_which_it_may_be_what_cannot_be_read(
    seen: str, whose: Agency | None, counts: int
) -> None:
    short = item(SUBPORTALS, "2026-11-16 16:00", seen="2026-11-16 17:00")

    week = the_week([short], last_seen={short.id: short.first_seen_at}, unread=[_unread(SUBPORTALS, seen, unit=whose)])

    assert week.subportal == counts


def test_hardly_any_text_is_shown_for_review_and_counts() -> None:
    result = judged([item(SUBPORTALS, "2026-11-16 09:00", letters=40)])

    assert result.unit_weeks[0].subportal == 1
    assert result.flagged[0].flags == (FlagKind.STUB,)


# --- grades --------------------------------------------------------------------------------------


def test_what_was_there_at_the_first_look_pends_and_meets_nothing() -> None:
    items = [
        item(SUBPORTALS, "2026-11-16 09:00", seen="2026-11-22 20:00", baseline=True),
        item(SUBPORTALS, "2026-11-18 09:00", seen="2026-11-22 20:00", baseline=True),
    ]

    week = the_week(items)

    assert (week.subportal, week.pending, week.subportal_verdict) == (0, 2, PENDING)
    assert {one.grade for one in week.items} == {Grade.C}


def test_a_trusted_creation_row_and_a_register_line_count_from_the_first_look_on() -> None:
    items = [
        item(TRUSTED, "2026-11-16 09:00", created="2026-11-16 08:50", seen="2026-11-22 20:00", baseline=True),
        item(TRUSTED, "2026-11-18 09:00", created="2026-11-18 08:50", seen="2026-11-22 20:00", baseline=True),
        item(SUBMISSIONS, "2026-11-17 00:00", seen="2026-11-22 20:00", baseline=True),
        item(SUBMISSIONS, "2026-11-19 00:00", seen="2026-11-22 20:00", baseline=True),
    ]

    week = the_week(items, sources=(*SOURCES, TRUSTED))

    assert week.verdict is MET
    assert sorted(one.grade for one in week.items) == [Grade.B, Grade.B, Grade.D, Grade.D]


def test_a_claim_before_the_creation_of_a_trusted_row_counts_on_the_day_of_creation() -> None:
    week = the_week(
        [item(TRUSTED, "2026-11-16 09:00", created="2026-11-19 08:00", seen="2026-11-19 20:00")],
        sources=(*SOURCES, TRUSTED),
    )

    (counted,) = week.items
    assert (counted.day, counted.flags, counted.grade) == (date(2026, 11, 19), (FlagKind.BACKDATED,), Grade.B)


# --- Article 9.2 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("counts", "submissions"), [(True, 1), (False, 0)])
def test_an_item_that_the_portal_pulled_counts_as_sent_in_only_by_the_rulebook(counts: bool, submissions: int) -> None:
    own = item(SUBPORTALS, "2026-11-16 09:00", text="Tin", name="1")
    shown = item(FRONT, "2026-11-17 10:00", text="Tin", name="2")

    week = the_week([own, shown], syndication_counts_as_submission=counts)

    assert (week.subportal, week.submissions) == (1, submissions)


@pytest.mark.parametrize(("counts", "submissions"), [(True, 1), (False, 0)])
def test_a_subportal_that_is_declared_pulled_counts_for_both(counts: bool, submissions: int) -> None:
    pulled = UpdateSourceTraits("pulled", ItemChannel.SUBPORTAL, complete=True, syndicated=True)

    week = the_week([item(pulled, "2026-11-16 09:00")], sources=(pulled,), syndication_counts_as_submission=counts)

    assert (week.subportal, week.submissions) == (1, submissions)


# --- as a whole ----------------------------------------------------------------------------------


def test_the_same_items_rulebook_calendar_and_moment_give_the_same_result() -> None:
    items = [item(SUBPORTALS, "2026-11-16 09:00"), item(FRONT, "2026-11-17 09:00", unit=None)]

    assert judged(items) == judged(list(reversed(items)))


def test_a_month_of_a_hundred_units_is_judged_in_under_a_second() -> None:
    units = [Agency(UnitId(f"u{number}"), Name(f"U{number}", f"U{number}")) for number in range(100)]
    days = [date(2026, 10, 26) + timedelta(days=offset) for offset in range(28)]
    items = [
        item(source, f"{day} 09:00", unit=unit)
        for unit in units
        for day in days
        for source in (SUBPORTALS, SUBMISSIONS)
    ]
    looks = daily_polls("2026-08-01", "2026-11-23", hours=("23:30",))
    start = time.process_time()

    weeks = [judged(items, units=units, period=f"2026-W{number}", polls=looks).unit_weeks for number in range(44, 45)]

    assert time.process_time() - start < 1.0
    assert {week.verdict for week in weeks[0]} == {MET}


def test_a_day_on_which_the_site_never_answered_is_told_apart_from_one_without_news() -> None:
    feed = UpdateSourceTraits("feed", ItemChannel.SUBPORTAL, complete=False, unit=HEALTH.id)
    looks = [
        *(poll(feed, f"2026-11-16 {hour:02d}:00", ok=False) for hour in (6, 12, 18)),
        poll(feed, "2026-11-17 06:00", ok=False),
        poll(feed, "2026-11-17 18:00", covers_from="2026-11-10 00:00"),
    ]

    week = the_week([], polls=looks, sources=(feed,))

    assert week.unreachable == (date(2026, 11, 16),)


def test_a_portal_that_never_answered_on_a_day_is_not_called_without_updates() -> None:
    looks = [
        poll(FRONT, "2026-11-16 12:00", ok=False),
        poll(FRONT, "2026-11-15 20:00"),
        *(poll(FRONT, f"2026-11-{day} 20:00") for day in (17, 18, 19, 20)),
        poll(FRONT, "2026-11-24 08:00"),
    ]

    days = _days([], polls=looks)

    assert (days["2026-11-16"].verdict, days["2026-11-16"].unreachable) == (UNKNOWN, True)
    assert (days["2026-11-17"].verdict, days["2026-11-17"].unreachable) == (UNMET, False)


# --- exemptions and confirmations ---------------------------------------------------------------


def _exemption(first: str, last: str, *scopes: ExemptionScope, unit: UnitId | None = HEALTH.id) -> Exemption:
    days = date.fromisoformat(first), date.fromisoformat(last)
    return Exemption("EX-1", unit, scopes, ExemptionKind.FAULT, *days, "15/QĐ-SKHCN, 12/11/2026", "Giám đốc Sở")


def test_a_week_on_all_of_whose_days_a_unit_is_exempt_is_exempt_by_the_document() -> None:
    both = (ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION)

    week = the_week([], exemptions=[_exemption("2026-11-16", "2026-11-20", *both)])

    assert (week.verdict, week.required, week.exemptions) == (EXEMPT, 0, ("EX-1",))
    assert str(week.reason) == "exempt by 15/QĐ-SKHCN, 12/11/2026"


def test_an_exemption_of_one_duty_leaves_the_other_due() -> None:
    sent = [item(SUBMISSIONS, "2026-11-16 09:00"), item(SUBMISSIONS, "2026-11-18 09:00")]
    exempt = _exemption("2026-11-01", "2026-11-30", ExemptionScope.SUBPORTAL)

    assert the_week(sent, exemptions=[exempt]).verdict is MET
    assert the_week([], exemptions=[exempt]).verdict is UNMET
    assert the_week(sent, exemptions=[exempt]).subportal_verdict is EXEMPT


def test_an_exemption_of_some_days_makes_a_short_week() -> None:
    both = (ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION)

    week = the_week([], exemptions=[_exemption("2026-11-18", "2026-11-20", *both)])

    assert (week.required, week.working_days, week.verdict) == (1, 5, UNMET)


@pytest.mark.parametrize("scope", [ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION])
def test_a_duty_of_which_some_days_are_exempt_is_judged_by_the_others(scope: ExemptionScope) -> None:
    week = the_week([], exemptions=[_exemption("2026-11-16", "2026-11-18", scope)])

    verdicts = {ExemptionScope.SUBPORTAL: week.subportal_verdict, ExemptionScope.SUBMISSION: week.submissions_verdict}
    due = {ExemptionScope.SUBPORTAL: week.due_on_subportal, ExemptionScope.SUBMISSION: week.due_to_send}
    assert set(verdicts.values()) == {UNMET}
    assert min(due, key=due.__getitem__) is scope and sorted(due.values()) == [1, 2]


@pytest.mark.parametrize("scope", [ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION])
def test_an_exempt_duty_names_the_document_beside_what_the_other_lacks(scope: ExemptionScope) -> None:
    week = the_week([], exemptions=[_exemption("2026-11-16", "2026-11-20", scope)])

    told = {ExemptionScope.SUBPORTAL: week.subportal_reason, ExemptionScope.SUBMISSION: week.submissions_reason}
    assert str(told.pop(scope)) == "exempt by 15/QĐ-SKHCN, 12/11/2026"
    assert [str(other) for other in told.values()] == ["0 of the 2 occasions due"]
    assert week.verdict is UNMET


def test_where_only_what_is_sent_counts_its_exemption_is_the_weeks() -> None:
    week = the_week(
        [],
        exemptions=[_exemption("2026-11-16", "2026-11-20", ExemptionScope.SUBMISSION)],
        unit_duties=UnitDuties.SUBMIT_ONLY,
    )

    assert (week.verdict, str(week.reason)) == (EXEMPT, "exempt by 15/QĐ-SKHCN, 12/11/2026")


@pytest.mark.parametrize(
    ("unit", "scopes", "verdict"),
    [
        (HEALTH, (), UNMET),
        (HEALTH, (ExemptionScope.SUBMISSION,), UNMET),
        (HEALTH, (ExemptionScope.SUBPORTAL,), UNMET),
        (HEALTH, (ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION), EXEMPT),
        (JUSTICE, (), UNMET),
        (JUSTICE, (ExemptionScope.SUBPORTAL,), UNMET),
        (JUSTICE, (ExemptionScope.SUBMISSION,), EXEMPT),
    ],
)
def test_a_sum_is_exempt_where_all_that_it_is_made_of_is(
    unit: Agency, scopes: tuple[ExemptionScope, ...], verdict: DutyVerdict
) -> None:
    exempt = [_exemption("2026-11-16", "2026-11-20", *scopes, unit=unit.id)] if scopes else []

    assert the_week([], units=(unit,), exemptions=exempt, unit_duties=UnitDuties.SUM).verdict is verdict


def test_a_unit_without_a_sub_portal_needs_no_source_for_one() -> None:
    assert the_week([], units=(JUSTICE,), sources=(SUBMISSIONS,), unit_duties=UnitDuties.SUM).verdict is UNMET


def test_an_exemption_of_another_unit_or_of_the_portal_says_nothing_of_this_one() -> None:
    every = tuple(ExemptionScope)

    other = [_exemption("2026-11-01", "2026-11-30", *every, unit=unit) for unit in (JUSTICE.id, None)]

    assert the_week([], exemptions=other).verdict is UNMET


def test_the_portal_is_exempt_on_days_that_a_document_names_only() -> None:
    days = _days([], exemptions=[_exemption("2026-11-17", "2026-11-17", ExemptionScope.PORTAL, unit=None)])

    assert (days["2026-11-17"].verdict, days["2026-11-18"].verdict) == (EXEMPT, UNMET)


def test_a_claim_that_an_officer_confirmed_counts_as_attested_on_the_claimed_day() -> None:
    claims = [item(SUBPORTALS, "2026-11-16 09:00", baseline=True), item(SUBPORTALS, "2026-11-18 09:00", baseline=True)]

    week = the_week(claims, confirmed=[claims[0].id])

    assert (week.subportal, week.pending) == (1, 1)
    assert {one.grade for one in week.items} == {Grade.C, Grade.D}


# --- what could not be read ---------------------------------------------------------------------

SITE = UpdateSourceTraits("site", ItemChannel.SUBPORTAL, complete=False, unit=HEALTH.id)


def _unread(
    source: UpdateSourceTraits,
    seen: str,
    *,
    before: str | None = None,
    gone: str | None = None,
    unit: Agency | None = None,
    made: str | None = None,
    is_open: bool = False,
) -> UnreadPart:
    moments = [None if one is None else stamp(at(one)) for one in (made, before, seen, gone)]
    made_at, looked_before, seen_at, gone_at = moments
    assert seen_at is not None
    return UnreadPart(source.id, unit.id if unit else None, made_at, looked_before, seen_at, gone_at, is_open)


def test_a_week_is_not_known_to_lack_what_a_line_that_cannot_be_read_may_be() -> None:
    lines = [_unread(SUBMISSIONS, "2026-11-18 20:00", before="2026-11-17 20:00") for _line in range(2)]

    week = the_week([], unread=lines)
    alone = the_week([], units=(JUSTICE,), unread=lines)

    assert (week.submissions_verdict, week.subportal_verdict, week.verdict) == (UNKNOWN, UNMET, UNMET)
    assert (alone.verdict, str(alone.reason)) == (
        UNKNOWN,
        "2 lines or items of source submissions could not be read and may be the missing ones",
    )


def test_what_was_read_and_is_enough_stays_enough() -> None:
    enough = [item(SUBMISSIONS, f"2026-11-{day} 09:00", unit=JUSTICE) for day in (17, 18)]

    week = the_week(enough, units=(JUSTICE,), unread=[_unread(SUBMISSIONS, "2026-11-18 20:00")])

    assert week.verdict is MET


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        # it stood there before the week began, however often it comes again
        (_unread(SUBMISSIONS, "2026-11-13 20:00", before="2026-11-12 20:00"), UNMET),
        (_unread(SUBMISSIONS, "2026-11-13 20:00"), UNMET),
        # of a known unit it bears on that unit alone
        (_unread(SUBMISSIONS, "2026-11-18 20:00", unit=HEALTH), UNMET),
        (_unread(SUBMISSIONS, "2026-11-18 20:00", unit=JUSTICE), UNKNOWN),
        # a register's line that tells its day bears on that day's week, whenever it was entered
        (_unread(SUBMISSIONS, "2026-11-23 20:00", made="2026-11-19 00:00"), UNKNOWN),
        (_unread(SUBMISSIONS, "2026-11-18 20:00", made="2026-11-12 00:00"), UNMET),
        # put right, it counts for the day that it names then
        (_unread(SUBMISSIONS, "2026-11-18 20:00", gone="2026-11-20 20:00"), UNMET),
        # a register may tell of the week long after it
        (_unread(SUBMISSIONS, "2026-11-24 08:00", before="2026-11-23 20:00"), UNKNOWN),
    ],
)
def test_a_line_of_a_register_bears_on_what_it_may_have_been(line: UnreadPart, verdict: DutyVerdict) -> None:
    assert the_week([], units=(JUSTICE,), unread=[line]).verdict is verdict


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        (_unread(SITE, "2026-11-18 20:00", before="2026-11-17 20:00"), UNKNOWN),
        (_unread(SITE, "2026-11-13 20:00", before="2026-11-12 20:00"), UNMET),
        # what counts from when it was seen is not repaired by being put right later
        (_unread(SITE, "2026-11-18 20:00", before="2026-11-17 20:00", gone="2026-11-20 20:00"), UNKNOWN),
        # it came up a day after the week or later: no date that it may claim would count in the week
        (_unread(SITE, "2026-11-24 08:00", before="2026-11-24 07:00"), UNMET),
        # behind the place where a feed breaks off may be something new at each look
        (_unread(SITE, "2026-11-10 20:00", is_open=True), UNKNOWN),
        (_unread(SITE, "2026-11-10 20:00", gone="2026-11-13 20:00", is_open=True), UNMET),
    ],
)
def test_a_part_of_a_feed_that_cannot_be_read_bears_on_the_time_in_which_it_came_up(
    part: UnreadPart, verdict: DutyVerdict
) -> None:
    looks = tuple(
        poll(SITE, f"2026-11-{day:02d} 20:00", covers_from=f"2026-11-{day - 1:02d} 20:00") for day in range(9, 24)
    )
    looks += (poll(SITE, "2026-11-24 08:00", covers_from="2026-11-23 20:00"),)

    assert the_week([], sources=(SITE,), polls=looks, unread=[part]).subportal_verdict is verdict


def test_a_day_of_the_portal_is_not_known_to_lack_what_cannot_be_read() -> None:
    days = _days([], unread=[_unread(FRONT, "2026-11-18 20:00", before="2026-11-17 20:00")])

    assert (days["2026-11-18"].verdict, days["2026-11-20"].verdict) == (UNKNOWN, UNMET)
    assert "1 line or item of source front could not be read" in str(days["2026-11-18"].reason)


# --- what a source speaks for, and how long nobody looked -----------------------------------------


def test_a_shared_source_speaks_for_the_subportals_that_it_is_declared_or_was_seen_to_carry() -> None:
    shared = UpdateSourceTraits("shared", ItemChannel.SUBPORTAL, complete=True)
    declared = UpdateSourceTraits("shared", ItemChannel.SUBPORTAL, complete=True, unit_names=(("SYT", HEALTH.id),))
    earlier = [item(shared, "2026-11-02 09:00")]

    def found(source: UpdateSourceTraits, observations: list[Observation]) -> DutyVerdict:
        return the_week(observations, sources=(source, SUBMISSIONS)).subportal_verdict

    assert found(shared, []) is UNKNOWN
    assert found(declared, []) is UNMET
    assert found(shared, earlier) is UNMET
    assert found(shared, [item(shared, "2026-11-19 09:00")]) is UNKNOWN, "of the days before nobody told"


def test_one_row_of_the_channel_lets_a_register_speak_for_no_other_units_subportal() -> None:
    other = item(SUBMISSIONS, "2026-11-17 09:00", unit=JUSTICE, channel=ItemChannel.SUBPORTAL)

    assert the_week([other], sources=(SUBMISSIONS,)).subportal_verdict is UNKNOWN


def test_a_week_names_the_indicator_that_falls_short_and_what_is_known_of_the_other() -> None:
    never_seen = the_week([], sources=(SUBMISSIONS,))
    met = [item(SITE, "2026-11-16 09:00"), item(SITE, "2026-11-18 09:00")]
    half = the_week(met, sources=(SITE, SUBMISSIONS))
    neither = the_week([])

    short, unseen = "0 of the 2 occasions due", "no source shows this unit's items"
    assert (never_seen.verdict, never_seen.coverage_percent) == (UNMET, 100)
    assert str(never_seen.reason) == f"sent in (K2): {short}; sub-portal (K1): {unseen}"
    assert (str(never_seen.subportal_reason), str(never_seen.submissions_reason)) == (unseen, short)
    assert str(half.reason) == f"sent in (K2): {short}; sub-portal (K1): reached the 2 occasions due"
    assert half.subportal_reason is None
    assert str(neither.reason) == short


def test_hours_that_no_poll_has_shown_are_named_and_hold_nothing_against_a_unit() -> None:
    looks = (
        *(poll(SITE, f"2026-11-{day} 12:00", covers_from=f"2026-11-{day - 1} 12:00") for day in (14, 15, 16)),
        *(poll(SITE, f"2026-11-{day} 00:30", covers_from=f"2026-11-{day - 1} 00:30") for day in range(17, 25)),
    )
    torn = tuple(replace(one, gap=True) if one.polled_at == at("2026-11-17 00:30") else one for one in looks)

    whole, open_week = (
        the_week([], sources=(SITE,), polls=some, unit_duties=UnitDuties.EITHER) for some in (looks, torn)
    )

    assert whole.subportal_verdict is UNMET
    assert open_week.subportal_verdict is UNKNOWN
    assert str(open_week.subportal_reason) == "surely 0, at most 2 of the 2 due: nobody saw all of 2 days"
    assert open_week.subportal_bounds == Bounds(0, 2, 2, 2)


def test_each_duty_has_its_own_number_where_an_exemption_makes_them_differ() -> None:
    days = _exemption("2026-11-16", "2026-11-18", ExemptionScope.SUBPORTAL)

    week = the_week([], exemptions=[days])

    assert (week.due_on_subportal, week.due_to_send, week.required) == (1, 2, 2)


def test_an_item_that_the_portal_pulled_is_one_in_the_sum() -> None:
    pulled = UpdateSourceTraits("pulled", ItemChannel.SUBPORTAL, complete=True, unit=HEALTH.id, syndicated=True)
    once = item(pulled, "2026-11-17 09:00")
    sources = (pulled, SUBMISSIONS, FRONT)
    looks = daily_polls("2026-11-01", "2026-11-23", sources=sources)
    looks += tuple(poll(one, "2026-11-24 09:00") for one in sources)
    how: dict[str, Any] = {"sources": sources, "polls": looks, "unit_duties": UnitDuties.SUM}

    week = the_week([once], **how)
    sent = the_week([once, item(SUBMISSIONS, "2026-11-18 09:00")], **how)
    shown = the_week(
        [
            item(SUBPORTALS, "2026-11-17 09:00", text="Họp báo"),
            item(FRONT, "2026-11-18 09:00", text="Họp báo"),
        ],
        unit_duties=UnitDuties.SUM,
    )

    assert (week.subportal, week.submissions, week.summed, week.verdict) == (1, 1, 1, UNMET)
    assert week.summed_bounds == Bounds(1, 1, 2, 2)
    assert the_week([once]).summed_bounds is None, "the duties are judged each by itself"
    assert (sent.summed, sent.verdict) == (2, MET)
    assert (shown.submissions, shown.summed, shown.verdict) == (1, 1, UNMET)


def test_what_a_unit_sends_in_itself_counts_in_the_sum_beside_the_same_text_on_its_sub_portal() -> None:
    week = the_week(
        [
            item(SUBPORTALS, "2026-11-17 09:00", text="Họp báo"),
            item(SUBMISSIONS, "2026-11-18 09:00", text="Họp báo"),
        ],
        unit_duties=UnitDuties.SUM,
    )

    assert (week.summed, week.verdict) == (2, MET)


def test_a_claim_that_the_portal_pulled_pends_once_in_the_sum() -> None:
    week = the_week(
        [
            item(SUBPORTALS, "2026-11-17 09:00", text="Họp báo", baseline=True),
            item(FRONT, "2026-11-18 09:00", text="Họp báo", baseline=True),
        ],
        unit_duties=UnitDuties.SUM,
    )

    assert (week.pending, week.verdict) == (2, UNMET)


def test_a_running_week_of_both_duties_names_each() -> None:
    week = the_week(
        [item(SUBPORTALS, "2026-11-23 09:00"), item(SUBPORTALS, "2026-11-24 09:00")],
        period="2026-W48", now="2026-11-25 10:00",
    )  # fmt: skip

    assert str(week.reason) == (
        "sent in (K2): on course: 2 more due, 3 working days left; sub-portal (K1): reached the 2 occasions due"
    )
    begun = the_week([item(SUBPORTALS, "2026-11-23 09:00")], period="2026-W48", now="2026-11-25 10:00")
    assert str(begun.reason) == (
        "sub-portal (K1): on course: 1 more due, 3 working days left; sent in (K2): on course: 2 more due, 3 working days left"
    )


def test_a_duty_that_is_met_needs_no_reason() -> None:
    week = the_week([item(SUBMISSIONS, "2026-11-16 09:00"), item(SUBMISSIONS, "2026-11-18 09:00")])

    assert (week.submissions_verdict, week.submissions_reason) == (MET, None)
    assert week.subportal_reason is not None


def test_an_item_of_an_unknown_sender_takes_nothing_away_from_a_units_item() -> None:
    stranger = item(SUBMISSIONS, "2026-11-16 09:00", unit=None, text="Kế hoạch tuần", letters=900)
    own = item(SUBMISSIONS, "2026-11-17 09:00", text="Kế hoạch tuần", letters=900)
    confirmed = item(SUBMISSIONS, "2026-11-16 09:00", unit=HEALTH, text="Kế hoạch tuần", letters=900)

    assert the_week([stranger, own]).submissions == 1
    assert [one.day for one in the_week([stranger, own]).items] == [date(2026, 11, 17)]
    assert [one.day for one in the_week([confirmed, own]).items] == [date(2026, 11, 16)]


# --- days that the calendar has only as provisional ------------------------------------------------


@pytest.mark.parametrize(
    ("week", "now", "verdict"),
    [
        ("2027-W04", "2027-02-02 09:00", UNMET),  # the last full week of work before Tết
        ("2027-W05", "2027-02-09 09:00", UNKNOWN),
        ("2027-W06", "2027-02-16 09:00", UNKNOWN),
        ("2027-W10", "2027-03-16 09:00", UNMET),
    ],
)
def test_tet_of_a_year_without_a_notice_accuses_nobody(week: str, now: str, verdict: DutyVerdict) -> None:
    found = the_week([], period=week, now=now, polls=daily_polls("2027-01-01", now[:10]))

    assert found.verdict is verdict, str(found.reason)


def test_what_suffices_for_every_reading_of_the_calendar_is_met() -> None:
    items = [
        *(item(SUBPORTALS, f"2027-02-0{day} 09:00") for day in (1, 3)),
        *(item(SUBMISSIONS, f"2027-02-0{day} 00:00") for day in (1, 3)),
    ]
    looks = daily_polls("2027-01-01", "2027-02-08")

    both = the_week(items, period="2027-W05", now="2027-02-09 09:00", polls=looks)
    one = the_week(items[:1], period="2027-W05", now="2027-02-09 09:00", polls=looks)

    assert (both.verdict, both.subportal_bounds) == (MET, Bounds(2, 2, 0, 2))
    assert one.verdict is UNKNOWN
    assert "the calendar of these days is provisional" in str(one.reason)


def test_a_day_of_the_portal_that_may_be_off_is_met_by_an_update_and_else_not_known() -> None:
    days = _days(
        [item(FRONT, "2027-02-03 09:00", unit=None)],
        period="2027-W05",
        now="2027-02-09 09:00",
        polls=daily_polls("2027-01-01", "2027-02-09"),
    )

    assert (days["2027-02-03"].verdict, days["2027-02-04"].verdict) == (MET, UNKNOWN)
    assert "it is not certain whether this is a working day" in str(days["2027-02-04"].reason)
