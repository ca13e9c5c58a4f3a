"""Article 11 and 7.6: what a judging of the updates shows of the portal and of units, and what it leaves open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import RULES, Situation
from portalops.model.message import msg, nmsg
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Period, Week
from portalops.model.record import Recorded
from portalops.model.rulebook import Duty, Numbers, Rulebook
from portalops.model.standing import Standing
from portalops.model.updates import FlaggedItem, FlagKind, Poll, PortalDay, UnitDay, UnitWeek, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence, UnreadableRecord
from tests.compliance.test_rules import DIGEST, NOW, WEEK, ZONE, daily, duty, ended, evidence, updates

MET, UNMET, PENDING, EXEMPT = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.PENDING, DutyVerdict.EXEMPT
UNKNOWN, NOT_DUE = DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.NOT_ASSESSED
NAME = Name("Sở Y tế", "Department of Health")
HEALTH = Agency(UnitId("soyte"), NAME)
AT_END = datetime(2026, 11, 22, 9, tzinfo=ZONE)


def stand(asked: Duty, found: Evidence, units: tuple[Agency, ...] = (HEALTH,)) -> Standing:
    rulebook = Rulebook("r", "1", NAME, "doc", date(2010, 1, 1), None, (), (asked,), Numbers())
    return RULES[asked.rule](asked, Situation(rulebook, found, (), units, load_calendar()))


def told(standing: Standing) -> tuple[DutyVerdict, str, list[str]]:
    return standing.verdict, str(standing.reason), [str(line) for line in standing.details]


# --- the portal -------------------------------------------------------------------------------

DAILY = duty("portal-daily")


def days(**verdicts: DutyVerdict) -> tuple[PortalDay, ...]:
    """The week's days, met but for those that are named by their number."""
    return tuple(
        PortalDay(day, day.weekday() < 5, verdicts.get(f"d{day.day}", MET), msg(f"seen on {day}"), 1, ("o1",))
        for day in WEEK.days()
    )


@pytest.mark.parametrize("rule", ["portal-daily", "unit-submissions", "unit-subportals", "cases"])
def test_without_a_judging_by_this_rulebook_nothing_is_shown(rule: str) -> None:
    asked = duty(rule)
    other = updates(rulebook="r@2")

    assert stand(asked, evidence()) == Standing(asked.id, UNKNOWN, msg("the updates were never collected and judged"))
    assert stand(asked, evidence(updates=other)) == Standing(
        asked.id,
        UNKNOWN,
        msg("the newest judging used rulebook {rulebook}, not {asked}", rulebook="r@2", asked="r@1"),
        (),
        (8,),
        NOW,
    )


def test_a_portal_that_was_updated_on_each_working_day_is_met() -> None:
    found = stand(DAILY, evidence(updates=updates(portal_days=days())))

    assert found == Standing(
        DAILY.id, MET, nmsg("updated on the one working day", "updated on all {n} working days", 5), (), (8,), NOW
    )


def test_each_day_that_is_not_met_is_told_and_days_off_are_not() -> None:
    judged = updates(portal_days=days(d17=UNMET, d19=UNKNOWN, d21=UNMET)[:-1])

    assert told(stand(DAILY, evidence(updates=judged))) == (
        UNMET,
        "2026-11-17: seen on 2026-11-17",
        [
            "2026-11-17: seen on 2026-11-17",
            "unknown: 2026-11-19: seen on 2026-11-19",
            "unknown: 2026-11-22 was not judged",
        ],
    )


def test_days_to_come_are_not_asked_for() -> None:
    running = evidence(updates=updates(portal_days=days()), period=Period(WEEK.first, date(2026, 11, 29)))
    today = datetime(2026, 11, 22, 9, tzinfo=ZONE)

    assert stand(DAILY, replace(running, now=today)).verdict is MET
    assert told(stand(DAILY, replace(running, now=today + timedelta(days=1))))[2] == ["2026-11-23 was not judged"]


def test_a_period_without_a_working_day_is_exempt_once_it_is_over() -> None:
    weekend = Period(date(2026, 11, 21), date(2026, 11, 22))
    judged = evidence(updates=updates(portal_days=days()), period=weekend)
    to_monday = replace(judged, period=Period(weekend.first, date(2026, 11, 23)), now=AT_END)

    assert stand(DAILY, judged) == Standing(DAILY.id, EXEMPT, msg("the period has no working day"), (), (8,))
    assert stand(DAILY, replace(judged, now=AT_END)).verdict is EXEMPT
    assert stand(DAILY, to_monday) == Standing(
        DAILY.id, PENDING, msg("no working day of the period has begun"), (), (8,)
    )


def test_a_day_that_was_left_open_is_told_with_the_day_of_the_judging() -> None:
    judged = updates(portal_days=days(d20=PENDING))
    two_days_ago = NOW - timedelta(days=2)

    assert told(stand(DAILY, evidence(updates=replace(judged, at=two_days_ago))))[1] == (
        "2026-11-20: seen on 2026-11-20; not judged since 2026-11-23"
    )
    today = evidence(
        updates=replace(judged, at=two_days_ago - timedelta(days=9)), now=datetime(2026, 11, 20, 9, tzinfo=ZONE)
    )
    assert told(stand(DAILY, today))[:2] == (PENDING, "2026-11-20: seen on 2026-11-20"), "the day is not over"


# --- units ------------------------------------------------------------------------------------

SENT, SHOWN = duty("unit-submissions"), duty("unit-subportals")


def unit_week(
    submissions: DutyVerdict, subportal: DutyVerdict = MET, *, unit: str = "soyte", week: int = 47, **more: object
) -> UnitWeek:
    made = UnitWeek(
        UnitId(unit), Week(2026, week), submissions, msg("whole"), 2, 1, 0, subportal, submissions, 5, 100,
        subportal_required=4, submissions_required=3,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]  # names are checked by replace itself


def test_each_indicator_of_a_unit_is_told_by_its_own_count() -> None:
    short = evidence(updates=updates(unit_weeks=(unit_week(UNMET, UNMET),)))
    one = nmsg("{n} unit fell short", "{n} units fell short", 1)

    assert told(stand(SENT, short)) == (UNMET, "1 unit fell short", ["Department of Health, week 2026-W47: 0 of 3"])
    assert told(stand(SHOWN, short)) == (UNMET, "1 unit fell short", ["Department of Health, week 2026-W47: 1 of 4"])
    found = stand(SENT, short)
    assert (found.duty, found.reason, found.evidence, found.newest_at) == (SENT.id, one, (8,), NOW)


def test_units_that_reached_their_number_are_counted_by_pairs_with_weeks() -> None:
    weeks = (unit_week(MET), unit_week(MET, unit="xa"), unit_week(NOT_DUE, unit="b"), unit_week(MET, week=46))

    found = stand(SENT, evidence(updates=updates(unit_weeks=weeks)))

    assert (told(found), found.evidence, found.newest_at) == (
        (MET, "all 2 pairs of unit and week with something due reached their number", []), (8,), NOW,
    )  # fmt: skip


def test_units_that_fell_short_are_counted_once_each() -> None:
    weeks = (unit_week(UNMET, week=46), unit_week(UNMET), unit_week(UNMET, unit="xa"), unit_week(UNKNOWN, unit="b"))
    both = evidence(updates=updates(unit_weeks=weeks), period=Period(date(2026, 11, 9), WEEK.last))

    assert told(stand(SENT, both)) == (
        UNMET,
        "2 units fell short",
        [
            "Department of Health, week 2026-W46: 0 of 3",
            "Department of Health, week 2026-W47: 0 of 3",
            "xa, week 2026-W47: 0 of 3",
            "unknown: b, week 2026-W47: 0 of 3; whole",
        ],
    )


@pytest.mark.parametrize(
    ("week", "line"),
    [
        (unit_week(UNMET, submissions_reason=msg("own")), "0 of 3"),
        (unit_week(UNMET, submissions_reason=msg("own"), unseen_hours=3), "0 of 3; own"),
        (unit_week(UNMET, unseen_hours=3), "0 of 3; whole"),
        (unit_week(UNMET, unseen_hours=3, verdict=MET), "0 of 3"),
        (unit_week(UNKNOWN, submissions_reason=msg("own")), "0 of 3; own"),
        (unit_week(UNKNOWN, verdict=MET), "0 of 3"),
        (unit_week(PENDING, unseen_hours=3), "0 of 3"),
    ],
)
def test_why_a_week_is_not_known_is_told_where_it_is_known(week: UnitWeek, line: str) -> None:
    found = stand(SENT, evidence(updates=updates(unit_weeks=(week,))))

    assert told(found)[2] == [f"Department of Health, week 2026-W47: {line}"]


def test_weeks_and_units_that_were_not_judged_are_told_as_far_as_they_have_begun() -> None:
    other = Agency(UnitId("xa"), Name("Xã Mới", "New Commune"))
    gone = replace(other, id=UnitId("old"), valid_to=date(2026, 11, 15))
    long = evidence(
        updates=updates(unit_weeks=(unit_week(MET),)), period=Period(date(2026, 11, 9), date(2026, 12, 6)),
    )  # fmt: skip

    assert told(stand(SENT, long, (gone, HEALTH, other)))[2] == [
        "week 2026-W46 was not judged",
        "Xã Mới, week 2026-W47: not judged",
        "week 2026-W48 was not judged",
    ]
    monday = replace(long, now=datetime(2026, 11, 23, 0, 30, tzinfo=ZONE))
    assert told(stand(SENT, monday, (HEALTH,)))[2][-1] == "week 2026-W48 was not judged"
    sunday = replace(long, now=datetime(2026, 11, 22, 23, 30, tzinfo=ZONE))
    assert told(stand(SENT, sunday, (HEALTH,)))[2] == ["week 2026-W46 was not judged"]


def lost(kind: str, seq: int, at: datetime | None = None) -> UnreadableRecord:
    return UnreadableRecord(seq, kind, msg("blob missing"), at=at)


@pytest.mark.parametrize(
    ("records", "seq"),
    [
        ((lost("exemption", 3), lost("exemption", 4)), 4),
        ((lost("attestation", 3, WEEK.bounds(ZONE)[0]),), 3),
        ((lost("attestation", 3, WEEK.bounds(ZONE)[0] - timedelta(seconds=1)),), None),
        ((lost("confirmation", 3), lost("sent", 9)), 3),
        ((lost("exemption", 3, datetime(2020, 1, 1, tzinfo=UTC)),), 3),
    ],
)
@pytest.mark.parametrize("verdict", [UNMET, PENDING])
def test_what_is_held_against_a_unit_names_the_newest_record_that_may_take_it_back(
    records: tuple[UnreadableRecord, ...], seq: int | None, verdict: DutyVerdict
) -> None:
    found = evidence(updates=updates(unit_weeks=(unit_week(verdict),)), unreadable=records)

    line = "Department of Health, week 2026-W47: 0 of 3"
    expected = (
        (verdict, [line]) if seq is None else (UNKNOWN, [f"{line}: not known, because record {seq} cannot be read"])
    )
    assert told(stand(SENT, found))[::2] == expected
    running = replace(found, now=AT_END)
    assert told(stand(SENT, running))[::2] == (verdict, [line]), "the week is not over"


# --- tracking ---------------------------------------------------------------------------------

TRACKING = duty("tracking")
POLL = Poll("db", NOW, True, "", 3, 1, DIGEST, None)


def collected(judged: Recorded[UpdatesResult] | None, count: int = 7) -> Evidence:
    runs = daily("updates", WEEK.first, count)
    return evidence(updates=judged, runs=runs, summaries=ended(runs))


def test_a_collection_of_each_day_with_all_answers_is_met() -> None:
    assert stand(TRACKING, collected(updates(polls=(POLL,)))) == Standing(
        TRACKING.id,
        MET,
        msg("polled on each day of the period; every source answered the last poll"),
        (),
        (8,),
        NOW,
    )


def test_days_without_a_collection_and_sources_that_did_not_answer_are_told() -> None:
    failed = replace(POLL, source="register", ok=False, problem="no answer")

    assert told(stand(TRACKING, collected(updates(polls=(POLL, failed)), 6)))[2] == [
        "the updates were not collected on 2026-11-22",
        "unknown: source register: no answer",
    ]
    assert told(stand(TRACKING, collected(updates()))) == (
        UNKNOWN, "no update source was polled", ["no update source was polled"],
    )  # fmt: skip
    without = stand(TRACKING, collected(None))
    assert (without.verdict, without.evidence, without.newest_at) == (MET, (), None)


# --- text -------------------------------------------------------------------------------------

UNICODE = duty("unicode")


def flagged(
    flag: FlagKind = FlagKind.NOT_NFC, unit: str | None = "soyte", *, title: str = "Ha", **at: datetime
) -> FlaggedItem:
    return FlaggedItem(
        None if unit is None else UnitId(unit), "o1", title, (flag,), at.get("claimed"), at.get("evidenced")
    )


def test_texts_of_the_whole_period_that_are_right_are_counted() -> None:
    judged = updates(text_checked=9, portal_days=days())

    assert stand(UNICODE, evidence(updates=judged)) == Standing(
        UNICODE.id,
        MET,
        msg(
            "all {checked} texts that were collected from {first} to {last} are proper Unicode",
            checked=9, first=WEEK.first, last=WEEK.last,
        ),
        (),
        (8,),
        NOW,
    )  # fmt: skip
    assert stand(UNICODE, evidence()) == Standing(UNICODE.id, UNKNOWN, msg("no collected text was checked"))
    assert stand(UNICODE, evidence(updates=updates(text_checked=1, portal_days=days()))).verdict is MET


def test_each_wrong_text_of_the_period_is_told_with_its_unit() -> None:
    before, within = datetime(2026, 11, 15, 16, tzinfo=UTC), datetime(2026, 11, 15, 18, tzinfo=UTC)
    items = (
        flagged(title="a"),
        flagged(FlagKind.LEGACY_ENCODING, None, title="b", claimed=before, evidenced=within),
        flagged(unit="xa", title="c", claimed=within),
        flagged(title="old", claimed=before, evidenced=before),
        *(flagged(kind, title="fine") for kind in FlagKind if kind not in {FlagKind.NOT_NFC, FlagKind.LEGACY_ENCODING}),
    )

    found = stand(UNICODE, evidence(updates=updates(flagged=items, text_checked=9)))

    assert (told(found), found.evidence, found.newest_at) == (
        (UNMET, "3 texts of the period are not proper Unicode", ["Department of Health: a", "?: b", "xa: c"]), (8,), NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "now", "verdict"),
    [
        (16, 22, 25, MET),
        (17, 22, 25, UNKNOWN),
        (16, 21, 25, UNKNOWN),
        (15, 23, 25, MET),
        (16, 20, 20, MET),
        (16, 19, 20, UNKNOWN),
    ],
)
def test_texts_must_be_checked_from_the_first_day_of_the_period_to_the_last_that_there_was(
    first: int, last: int, now: int, verdict: DutyVerdict
) -> None:
    span = {"judged_from": date(2026, 11, first), "judged_to": date(2026, 11, last)}
    judged = updates(text_checked=9, portal_days=days(), **span)

    found = stand(UNICODE, evidence(updates=judged, now=datetime(2026, 11, now, 9, tzinfo=ZONE)))

    assert (found.verdict, found.evidence, found.newest_at) == (verdict, (8,), NOW)
    if verdict is UNKNOWN:
        assert str(found.reason) == (
            f"texts were checked only from 2026-11-{first} to 2026-11-{last}; none of those in the period is wrong"
        )


def test_texts_of_units_alone_are_texts_of_the_period() -> None:
    cell = UnitDay(HEALTH.id, date(2026, 11, 18), 1, 0)
    silent = tuple(replace(day, observations=()) for day in days())
    outside = replace(days()[0], day=date(2026, 11, 15))

    def judged(*cells: UnitDay) -> Standing:
        found = updates(text_checked=9, portal_days=(outside, *silent), unit_days=cells)
        return stand(UNICODE, evidence(updates=found))

    assert judged(cell).verdict is MET
    assert judged(replace(cell, day=date(2026, 11, 23)), cell).verdict is MET
    assert judged(replace(cell, day=date(2026, 11, 23))) == Standing(
        UNICODE.id, UNKNOWN, msg("no text of the period was collected"), (), (8,), NOW
    )
