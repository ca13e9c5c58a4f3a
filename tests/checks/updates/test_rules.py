"""The rules of updates at their borders, each by itself: to the millisecond, and without a portal around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.updates.rules.comparing import compare, repeated
from checks.updates.rules.coverage import Coverage, Share, SourcePolls, cover, summed_up
from checks.updates.rules.grading import GradedItem, grade
from checks.updates.rules.occasions import Counting, count_occasions, occasions
from checks.updates.rules.portal import DayFacts, judge_portal_day, paying_day
from checks.updates.rules.seen import PollMoment, SeenItem, Served
from checks.updates.rules.stamps import LocalDays, Stamp, StampPlace, stamp
from checks.updates.rules.unread import UnreadableShare, UnreadPart, say_unreadable, unreadable
from checks.updates.rules.weeks import (
    Moment,
    Tally,
    due_days,
    explain,
    judge_indicator,
    moment_of,
    name_each,
    required_occasions,
    subportal_grace_ends,
    sum_tallies,
)
from checks.updates.text import MOJIBAKE, NOT_NFC
from portalops.calendar import load
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionScope
from portalops.model.message import msg
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Week
from portalops.model.rulebook import Numbers, Occasions
from portalops.model.updates import FlagKind, Grade, ItemChannel, UpdateSourceTraits
from portalops.model.verdicts import DutyVerdict

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MINUTE = 60_000
HOUR = 60 * MINUTE
SEEN = 1_000_000 * HOUR
"""When the first look showed the item of these tests."""
PLAIN = UpdateSourceTraits("s", ItemChannel.SUBPORTAL, complete=True)
TRUSTED = replace(PLAIN, trust_created=True)
ITEM = SeenItem(
    id="a", source="s", channel=ItemChannel.SUBPORTAL, unit=UnitId("u"), url="", title="", text="text", created_at=None,
    published_at=SEEN, first_seen_at=SEEN, looked_before_at=SEEN - 24 * HOUR, baseline=False, body_letters=None,
    text_problems="",
)  # fmt: skip
UNMET, UNKNOWN, PENDING = DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING


# --- one item ---------------------------------------------------------------------------------


def weighed(
    traits: UpdateSourceTraits = PLAIN,
    *,
    touched: Stamp | None = None,
    removed: Stamp | None = None,
    grace: int = 0,
    how: Mapping[str, Any] | None = None,
    **fields: Any,
) -> GradedItem:
    return grade(ITEM._replace(**fields), traits, touched, removed, grace, **(how or {}))


def test_a_claim_may_run_ahead_of_the_look_by_ten_minutes() -> None:
    within = weighed(published_at=SEEN + 10 * MINUTE)
    beyond = weighed(published_at=SEEN + 10 * MINUTE + 1)

    assert (within.counts_at, within.flags) == (SEEN + 10 * MINUTE, ())
    assert (beyond.counts_at, beyond.flags) == (SEEN, (FlagKind.FUTURE,))


def test_a_creation_row_further_ahead_than_that_proves_nothing() -> None:
    within = weighed(TRUSTED, created_at=SEEN + 10 * MINUTE, published_at=None)
    beyond = weighed(TRUSTED, created_at=SEEN + 10 * MINUTE + 1, published_at=None)

    assert (within.grade, within.evidenced_at) == (Grade.B, SEEN + 10 * MINUTE)
    assert (beyond.grade, beyond.evidenced_at) == (Grade.A, SEEN)


def test_an_item_published_more_than_a_day_after_its_creation_is_published_again() -> None:
    within = weighed(created_at=SEEN - 24 * HOUR)
    beyond = weighed(created_at=SEEN - 24 * HOUR - 1)

    assert (within.counts_at, within.flags) == (SEEN, ())
    assert (beyond.counts_at, beyond.flags) == (None, (FlagKind.TOUCHED,))


def test_a_draft_may_be_published_at_the_very_look_that_did_not_show_it() -> None:
    found = weighed(
        created_at=SEEN - 48 * HOUR, published_at=SEEN - HOUR, looked_before_at=SEEN - HOUR,
        how={"is_watched": lambda _one: True},
    )  # fmt: skip

    assert (found.grade, found.counts_at, found.flags) == (Grade.A, SEEN - HOUR, (FlagKind.WAITED,))


def test_what_was_there_at_the_first_look_rests_on_its_claim_unless_an_officer_confirms_it() -> None:
    assert (weighed(baseline=True).grade, weighed(baseline=True).flags) == (Grade.C, (FlagKind.BASELINE,))
    assert weighed(baseline=True, how={"is_confirmed": True}).grade is Grade.D


def test_an_item_that_is_gone_within_two_days_counts_for_nothing() -> None:
    within = weighed(removed=SEEN + 48 * HOUR - 1)
    beyond = weighed(removed=SEEN + 48 * HOUR)

    assert (within.counts_at, within.flags) == (None, (FlagKind.REMOVED,))
    assert (beyond.counts_at, beyond.flags) == (SEEN, ())


@pytest.mark.parametrize("claim", [SEEN - 2 * HOUR - 10 * MINUTE, SEEN - 2 * HOUR - 10 * MINUTE - 1])
def test_a_claim_before_the_creation_of_the_row_is_backdated_beyond_the_grace(claim: Stamp) -> None:
    made: dict[str, Any] = {"created_at": SEEN - 2 * HOUR, "published_at": claim, "grace": 10 * MINUTE}
    is_beyond = claim < SEEN - 2 * HOUR - 10 * MINUTE
    flags = (FlagKind.BACKDATED,) if is_beyond else ()

    first_look, trusted, seen = weighed(baseline=True, **made), weighed(TRUSTED, **made), weighed(**made)

    assert (first_look.counts_at, first_look.flags) == (SEEN - 2 * HOUR, (FlagKind.BASELINE, *flags))
    assert (trusted.counts_at, trusted.flags) == (SEEN - 2 * HOUR, flags)
    assert (seen.counts_at, seen.flags) == (SEEN if is_beyond else SEEN - 2 * HOUR, flags)


@pytest.mark.parametrize(
    ("baseline", "created", "counts_at"),
    [(True, SEEN - HOUR, SEEN - HOUR), (True, None, SEEN), (False, SEEN - HOUR, SEEN), (False, None, SEEN)],
)
def test_without_a_claim_an_item_of_the_first_look_counts_by_its_row_and_any_other_when_it_was_seen(
    baseline: bool, created: Stamp | None, counts_at: Stamp
) -> None:
    found = weighed(baseline=baseline, created_at=created, published_at=None)

    assert found.counts_at == counts_at
    assert FlagKind.NO_DATE in found.flags


def test_less_than_two_hundred_letters_are_a_stub() -> None:
    assert weighed(body_letters=199).flags == (FlagKind.STUB,)
    assert weighed(body_letters=200).flags == ()


def test_an_item_of_nobody_is_strange_everywhere_but_on_the_portal() -> None:
    assert weighed(unit=None).flags == (FlagKind.UNKNOWN_UNIT,)
    assert weighed(unit=None, channel=ItemChannel.PORTAL).flags == ()


@pytest.mark.parametrize(
    ("problems", "flags"),
    [
        (MOJIBAKE, (FlagKind.LEGACY_ENCODING,)),
        (NOT_NFC, (FlagKind.NOT_NFC,)),
        (f"{NOT_NFC},{MOJIBAKE}", (FlagKind.LEGACY_ENCODING, FlagKind.NOT_NFC)),
    ],
)
def test_problems_of_the_text_are_flagged_beside_the_others(problems: str, flags: tuple[FlagKind, ...]) -> None:
    assert weighed(baseline=True, text_problems=problems).flags == (FlagKind.BASELINE, *flags)


def test_a_newer_claim_takes_the_place_of_the_first_one() -> None:
    assert weighed().claimed_at == SEEN
    assert weighed(touched=SEEN + HOUR).claimed_at == SEEN + HOUR


# --- items beside one another -----------------------------------------------------------------


def together(minutes: Sequence[float], *, counts_at: Stamp | None = SEEN, **fields: Any) -> list[GradedItem]:
    """Return items that looks an hour apart showed so many minutes after another, compared."""
    items = [
        GradedItem(
            ITEM._replace(
                id=f"item-{n}", first_seen_at=SEEN + round(after * MINUTE),
                looked_before_at=SEEN + round(after * MINUTE) - HOUR, **fields,
            ),
            Grade.A, counts_at, SEEN, SEEN, (),
        )
        for n, after in enumerate(minutes)
    ]  # fmt: skip
    return compare(items, ())


def test_five_items_within_half_an_hour_are_one_session_that_the_first_names() -> None:
    found = together([0, 10, 20, 25, 30, 31])

    assert [item.session for item in found] == ["item-0"] * 5 + [""]
    assert [item.flags for item in found] == [(FlagKind.BULK,)] * 5 + [()]


@pytest.mark.parametrize("changes", [{"unit": None}, {"counts_at": None}])
def test_items_of_nobody_or_that_count_for_nothing_are_no_session(changes: dict[str, Any]) -> None:
    assert {item.session for item in together([0, 1, 2, 3, 4], **changes)} == {""}


def test_sessions_of_two_channels_are_two() -> None:
    items = [
        GradedItem(
            ITEM._replace(id=f"{channel}-{n}", channel=channel, first_seen_at=SEEN + n, looked_before_at=SEEN - MINUTE),
            Grade.A, SEEN, SEEN, SEEN, (),
        )
        for channel in (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION)
        for n in range(5)
    ]  # fmt: skip

    assert {item.session for item in compare(items, ())} == {"subportal-0", "submission-0"}


def test_of_one_address_in_two_sources_the_better_proof_counts() -> None:
    claim = GradedItem(ITEM._replace(id="a", url="/1", baseline=True), Grade.C, SEEN - 2, SEEN - 2, SEEN, ())
    proof = GradedItem(ITEM._replace(id="b", url="/1", source="t"), Grade.A, SEEN, SEEN, SEEN, ())

    assert {item.seen.id: item.counts_at for item in compare([claim, proof], ())} == {"a": None, "b": SEEN}


def told(name: str, counts_at: Stamp, *, evidenced_at: Stamp | None = None, **fields: Any) -> GradedItem:
    evidenced = counts_at if evidenced_at is None else evidenced_at
    return GradedItem(ITEM._replace(id=name, **fields), Grade.A, counts_at, evidenced, None, ())


@pytest.mark.parametrize(
    ("first", "second", "is_again"),
    [
        (told("a", 0), told("b", 10), True),
        (told("a", 0), told("b", 11), False),
        (told("a", 0, evidenced_at=10), told("b", 11, evidenced_at=12), False),
        (told("a", 0), told("b", 1, unit=UnitId("v")), True),
        (told("a", 0), told("b", 1, unit=UnitId("v"), source="copies"), False),
        (told("a", 0), told("b", 1, source="copies"), True),
        (told("a", 0, unit=None), told("b", 1), False),
        (told("a", 0, unit=None), told("b", 1, unit=None), True),
        (told("a", 0, unit=None, channel=ItemChannel.PORTAL), told("b", 1, channel=ItemChannel.PORTAL), True),
    ],
)
def test_a_text_is_told_again_within_the_window_by_the_same_unit_or_by_one_that_may_not_copy(
    first: GradedItem, second: GradedItem, is_again: bool
) -> None:
    assert repeated([first, second], window=10, may_copy={"copies"}) == (frozenset("b") if is_again else frozenset())


def test_of_one_text_with_equal_proof_the_one_that_counts_later_is_the_copy() -> None:
    earlier, later = (
        GradedItem(ITEM._replace(id=name), Grade.A, SEEN + after, SEEN, SEEN, ())
        for name, after in (("b", 1), ("a", 2))
    )

    assert repeated([later, earlier], window=HOUR, may_copy=()) == {"a"}


@pytest.mark.parametrize(
    ("reading", "counts"), [(Occasions.DAY, [1, 1]), (Occasions.SESSION, [2, 1]), (Occasions.ITEMS, [3, 1])]
)
def test_occasions_are_counted_by_day_by_session_or_one_by_one(reading: Occasions, counts: list[int]) -> None:
    days = [date(2026, 11, 16), date(2026, 11, 16), date(2026, 11, 16), date(2026, 11, 17)]
    numbers = replace(Numbers(), occasion=reading, session_gap_minutes=60)
    moments = (SEEN, SEEN + HOUR, SEEN + 2 * HOUR + 1, SEEN + 24 * HOUR)
    items = [
        Counting(day, at, GradedItem(ITEM._replace(id=str(at)), Grade.A, at, at, at, ()))
        for day, at in zip(days, moments, strict=True)
    ]

    assert occasions(items, numbers=numbers) == Counter(dict(zip((days[0], days[3]), counts, strict=True)))


def test_a_claim_on_a_day_that_has_proof_adds_no_occasion() -> None:
    day = date(2026, 11, 16)
    proof, claim = (
        Counting(day, SEEN, GradedItem(ITEM._replace(id=grade), grade, SEEN, SEEN, SEEN, ()))
        for grade in (Grade.A, Grade.C)
    )

    assert count_occasions([proof, claim], numbers=Numbers()) == (1, 0)
    assert count_occasions([proof, claim._replace(day=date(2026, 11, 17))], numbers=Numbers()) == (1, 1)


# --- what could not be read -------------------------------------------------------------------


def bears(traits: UpdateSourceTraits, **fields: Any) -> bool:
    """Say whether a part that cannot be read bears on the time from 100 to 200, with a grace of 10."""
    one = UnreadPart("s", None, None, None, 150, None, is_open=False)._replace(**fields)
    return bool(unreadable({"s": [one]}, [traits], unit=None, start=100, end=200, grace=10))


def test_a_row_with_a_moment_bears_on_the_time_that_holds_it() -> None:
    assert [at for at in (99, 100, 199, 200) if bears(TRUSTED, made_at=at)] == [100, 199]


def test_what_a_look_after_the_end_did_not_show_yet_came_late() -> None:
    assert [at for at in (189, 209, 210) if bears(PLAIN, looked_before_at=at, seen_at=300)] == [189, 209]


def test_what_stood_there_before_the_beginning_hides_nothing_new() -> None:
    assert [at for at in (99, 100) if bears(PLAIN, seen_at=at)] == [100]
    assert [at for at in (99, 100) if bears(PLAIN, seen_at=1, gone_at=at, is_open=True)] == [100]


def test_each_source_that_cannot_be_read_is_named() -> None:
    said = say_unreadable([UnreadableShare("feed", 1), UnreadableShare("register", 2)])

    assert str(said) == (
        "1 line or item of source feed could not be read and may be the missing one;"
        " 2 lines or items of source register could not be read and may be the missing ones"
    )


# --- a unit's week ----------------------------------------------------------------------------

TALLY = Tally(1, 0, 2, Share(100, 0), has_source=True, collected=True)
OVER = Moment(is_over=True, poll_overdue=False, days_left=0)


def test_a_sum_is_as_well_seen_as_the_worse_of_both() -> None:
    first = Tally(1, 1, 2, Share(90, 3), has_source=True, collected=True, unreadable=(UnreadableShare("a", 1),))
    second = Tally(2, 3, 1, Share(80, 4), has_source=False, collected=False, unreadable=(UnreadableShare("b", 1),))

    for found in (
        sum_tallies(first, second),
        replace(sum_tallies(second, first), unreadable=(*first.unreadable, *second.unreadable)),
    ):
        assert found == Tally(
            3, 4, 2, Share(80, 4), has_source=False, collected=False, unreadable=(*first.unreadable, *second.unreadable)
        )
    assert set(sum_tallies(second, first).unreadable) == {UnreadableShare("a", 1), UnreadableShare("b", 1)}


def test_indicators_are_named_each_unless_verdict_and_reason_are_the_same() -> None:
    few, none = msg("too few"), msg("none")

    assert name_each(UNMET, (UNMET, few), (UNMET, few)) is None
    assert str(name_each(UNMET, (UNMET, few), (UNMET, none))) == "sub-portal (K1): too few; sent in (K2): none"
    assert str(name_each(UNMET, (PENDING, few), (UNMET, few))) == "sent in (K2): too few; sub-portal (K1): too few"


def test_a_week_that_was_seen_enough_is_unknown_for_what_could_not_be_read() -> None:
    numbers = replace(Numbers(), min_coverage_percent=80)

    def said(percent: int) -> str:
        tally = replace(TALLY, share=Share(percent, 0), unreadable=(UnreadableShare("feed", 1),))
        return str(explain(UNKNOWN, [tally], moment=OVER, numbers=numbers))

    assert said(79) == "the polls cover only 79 % of the week"
    assert said(80).startswith("1 line or item of source feed could not be read")


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (replace(TALLY, pending=1), "rests on dates claimed by the source, which an officer must confirm"),
        (replace(TALLY, solid=2, pending=1), "the week is over, but its last day is still to be polled"),
        (TALLY, "the week is over, but its last day is still to be polled"),
    ],
)
def test_a_week_that_is_over_waits_for_an_officer_only_where_claims_would_meet_it(tally: Tally, said: str) -> None:
    assert str(explain(PENDING, [tally], moment=OVER, numbers=Numbers())) == said


def test_a_unit_is_due_on_the_working_days_on_which_it_existed() -> None:
    unit = Agency(UnitId("u"), Name("Sở", "Department"), valid_from=date(2026, 11, 18))

    assert due_days(unit, Week(2026, 47), load()) == (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))


def test_a_week_with_any_working_day_asks_for_all_where_short_weeks_ask_no_less() -> None:
    numbers = replace(Numbers(), short_weeks_ask_less=False)

    assert [required_occasions(days, numbers) for days in (0, 1, 5)] == [0, 2, 2]


@pytest.mark.parametrize(("days", "ends"), [(0, None), (1, 20), (2, 23)])
def test_the_grace_for_a_sub_portal_begins_with_the_units_first_working_day(days: int, ends: int | None) -> None:
    unit = Agency(UnitId("u"), Name("Sở", "Department"), valid_from=date(2026, 11, 20))
    numbers = replace(Numbers(), new_subportal_grace_working_days=days)

    assert subportal_grace_ends(unit, numbers, load()) == (ends and date(2026, 11, ends))


def test_a_week_is_over_at_its_end_and_its_look_overdue_when_it_was_due() -> None:
    week, end, due = Week(2026, 47), datetime(2026, 11, 20, 17, 0, tzinfo=ZONE), datetime(2026, 11, 21, tzinfo=ZONE)

    def at(now: datetime) -> Moment:
        return moment_of(week, today=now.date(), end=end, now=now, poll_due_by=due, calendar=load())

    second = timedelta(seconds=1)
    assert at(end - second) == Moment(is_over=False, poll_overdue=False, days_left=1)
    assert at(end) == Moment(is_over=True, poll_overdue=False, days_left=0)
    assert (at(due - second).poll_overdue, at(due).poll_overdue) == (False, True)


def test_a_week_of_which_just_enough_was_seen_is_held_against_a_unit() -> None:
    numbers = replace(Numbers(), min_coverage_percent=80)

    def judged(percent: int) -> DutyVerdict:
        return judge_indicator(replace(TALLY, share=Share(percent, 0)), moment=OVER, numbers=numbers)

    assert (judged(79), judged(80)) == (UNKNOWN, UNMET)


# --- days -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cutoff", "last_of_monday"),
    [
        ("24:00", datetime(2026, 11, 16, 23, 59, 59, 999_000, ZONE)),
        ("17:00", datetime(2026, 11, 16, 17, 0, tzinfo=ZONE)),
    ],
)
@pytest.mark.parametrize("weeks", [-2, 0, 2])
def test_a_moment_counts_on_its_day_until_the_cutoff_in_the_table_and_outside_it(
    cutoff: str, last_of_monday: datetime, weeks: int
) -> None:
    table = LocalDays(date(2026, 11, 16), date(2026, 11, 20), zone=ZONE, cutoff=cutoff, calendar=load())

    for days in range(-1, 6):
        last = last_of_monday + timedelta(days=days, weeks=weeks)
        for at, day in ((stamp(last), last.date()), (stamp(last) + 1, last.date() + timedelta(days=1))):
            assert table.day(at) == day
            assert table.place(at) == StampPlace(day, day - timedelta(days=day.weekday()), load().is_working(day))


@pytest.mark.parametrize(("day", "pays"), [(20, 20), (21, 23), (22, 23), (23, 23)])
def test_a_day_off_pays_for_the_next_working_day_where_the_rulebook_lets_it(day: int, pays: int) -> None:
    numbers = replace(Numbers(), weekend_counts_daily=True)

    assert paying_day(date(2026, 11, day), calendar=load(), numbers=numbers) == date(2026, 11, pays)
    assert paying_day(date(2026, 11, day), calendar=load(), numbers=Numbers()) == date(2026, 11, day)


# --- a day of the portal ----------------------------------------------------------------------

MET = DutyVerdict.MET
MONDAY = date(2026, 11, 16)
EXEMPTION = Exemption("1", None, (ExemptionScope.PORTAL,), ExemptionKind.FAULT, MONDAY, MONDAY, "12/QĐ", "An")


def portal_day(**facts: Any) -> tuple[DutyVerdict, str]:
    """Judge a working day that is over, was seen whole and has nothing, with some facts changed; two updates are due."""
    known: dict[str, Any] = {
        "day": date(2026, 11, 16), "items": (), "share": Share(100, 0), "unreadable": (), "has_source": True,
        "collected": True, "poll_overdue": False, "is_over": True, "is_unreachable": False,
    }  # fmt: skip
    numbers = replace(Numbers(), portal_daily_min=2, min_coverage_percent=80)
    judged = judge_portal_day(DayFacts(**{**known, **facts}), calendar=load(), numbers=numbers)
    return judged.verdict, str(judged.reason)


def updates(grades: str) -> tuple[GradedItem, ...]:
    """Return an item of each grade."""
    return tuple(
        GradedItem(ITEM._replace(id=str(n)), Grade(grade), SEEN, SEEN, SEEN, ()) for n, grade in enumerate(grades)
    )


@pytest.mark.parametrize(
    ("facts", "verdict", "reason"),
    [
        ({"items": updates("AA")}, MET, "2 updates seen"),
        ({"items": updates("AC")}, PENDING, "rests on dates claimed by the source, which an officer must confirm"),
        ({"items": updates("CC")}, PENDING, "rests on dates claimed by the source, which an officer must confirm"),
        ({"items": updates("C")}, UNMET, "0 updates seen"),
        ({"items": updates("A")}, UNMET, "1 update seen"),
        ({"is_over": False}, PENDING, "the day is not over"),
        ({"has_source": False}, UNKNOWN, "no source shows the portal"),
        ({"is_unreachable": True}, UNKNOWN, "the portal did not answer in any poll of the day"),
        ({"collected": False}, PENDING, "the day is over, but its end is still to be polled"),
        ({"collected": False, "poll_overdue": True}, UNKNOWN, "the portal was not polled after the day's end"),
        ({"share": Share(79, 5)}, UNKNOWN, "the polls cover only 79 % of the day"),
        ({"share": Share(80, 5)}, UNMET, "0 updates seen; 5 hours of the day are covered by no poll"),
        (
            {"late_at": datetime(2026, 11, 16, 18, 0, tzinfo=ZONE)},
            UNMET,
            "0 updates seen; met late, at 2026-11-16T11:00:00.000Z",
        ),
        ({"items": updates("AA"), "late_at": datetime(2026, 11, 16, 18, 0, tzinfo=ZONE)}, MET, "2 updates seen"),
        (
            {"exempt_by": EXEMPTION},
            DutyVerdict.EXEMPT,
            "exempt by 12/QĐ",
        ),
    ],
)  # fmt: skip
def test_a_day_of_the_portal_has_the_verdict_that_is_shown(
    facts: dict[str, Any], verdict: DutyVerdict, reason: str
) -> None:
    assert portal_day(**facts) == (verdict, reason)


# --- what the looks have shown ----------------------------------------------------------------


def seen_by(intervals: Sequence[tuple[int, int]], **more: Any) -> Coverage:
    """Return the coverage of one source for the portal."""
    looks = SourcePolls(tuple(intervals), tuple(first for first, _last in intervals), frozenset())
    return Coverage(lambda _source: looks, {ItemChannel.PORTAL: (PLAIN,)}, {}, **more)


@pytest.mark.parametrize(
    ("intervals", "percent", "unseen"),
    [
        ([], 0, 10),
        ([(0, 10)], 100, 0),
        ([(-5, 20)], 100, 0),
        ([(-9, -5), (-4, 3), (5, 6), (8, 30), (40, 50)], 60, 4),
        ([(0, 10 - 1 / HOUR)], 99, 1),
        ([(-3, 0), (10, 12)], 0, 10),
    ],
)
def test_the_share_of_a_time_is_what_its_looks_have_shown(
    intervals: list[tuple[float, float]], percent: int, unseen: int
) -> None:
    shown = seen_by([(round(first * HOUR), round(last * HOUR)) for first, last in intervals])

    assert shown.share([PLAIN], 0, 10 * HOUR) == Share(percent, unseen)


def test_the_share_of_several_sources_is_the_least_and_of_none_nothing() -> None:
    looks = {"s": SourcePolls(((0, 10),), (0,), frozenset()), "t": SourcePolls(((0, 4),), (0,), frozenset())}
    shown = Coverage(looks.__getitem__, {}, {})

    assert shown.share([PLAIN, replace(PLAIN, id="t")], 0, 10).percent == 40
    assert shown.share([], 0, 10).percent == 0
    assert shown.share([], 10, 10) == Share(100, 0)


def test_of_a_unit_a_source_tells_only_from_its_beginning_there_on() -> None:
    shown = seen_by([(0, 10)], begins={("s", UnitId("u")): 4})

    assert [shown.share([PLAIN], 0, 10, unit=unit).percent for unit in (None, UnitId("u"), UnitId("v"))] == [
        100,
        60,
        100,
    ]


def test_a_time_is_reached_once_every_source_was_looked_at_behind_it() -> None:
    shown = seen_by([(0, 3), (5, 10)])

    assert [shown.reaches([PLAIN], end) for end in (9, 10, 11)] == [True, True, False]
    assert not shown.reaches([], 0)
    assert not seen_by([]).reaches([PLAIN], 0)


def test_a_day_is_dead_on_which_no_source_answered() -> None:
    monday, tuesday = date(2026, 11, 16), date(2026, 11, 17)
    looks = {
        "s": SourcePolls((), (), frozenset({monday, tuesday})),
        "t": SourcePolls((), (), frozenset({tuesday})),
        "u": SourcePolls((), (), frozenset()),
    }
    shown = Coverage(looks.__getitem__, {}, {})

    def dead(*names: str) -> tuple[date, ...]:
        return shown.unreachable([replace(PLAIN, id=name) for name in names], [monday, tuesday])

    assert (dead("s"), dead("s", "t"), dead("s", "u"), dead()) == ((monday, tuesday), (tuesday,), (), ())


def test_looks_come_to_the_stretches_that_they_have_shown() -> None:
    looks = [
        PollMoment(10, True, 4), PollMoment(20, True, 10), PollMoment(30, True, 25), PollMoment(32, True, 26),
        PollMoment(40, False, 30), PollMoment(50, True, None), PollMoment(130, False, None), PollMoment(150, True, 160),
    ]  # fmt: skip

    found = summed_up(looks, begins=6, day_of=lambda at: date(2026, 1, 1 + at // 100))

    assert found.intervals == ((6, 20), (25, 32), (150, 150))
    assert found.starts == (6, 25, 150)
    assert found.unreachable == frozenset(), "each day has a look that was answered"
    assert summed_up(looks[4:5], begins=None, day_of=lambda _at: date(2026, 1, 1)) == SourcePolls(
        (), (), frozenset({date(2026, 1, 1)})
    )
    assert summed_up(looks[:1], begins=None, day_of=lambda _at: date(2026, 1, 1)).intervals == ((4, 10),)


def test_a_source_speaks_for_the_channels_and_units_that_it_shows() -> None:
    health, justice = UnitId("health"), UnitId("justice")
    own = replace(PLAIN, id="own", unit=health)
    mapped = replace(PLAIN, id="mapped", unit_names=(("Sở Y tế", health),))
    front = replace(PLAIN, id="front", channel=ItemChannel.PORTAL)
    check = replace(PLAIN, id="check", cross_check=True)
    refused = UnreadPart("mapped", None, None, None, 5, None, is_open=False)

    found = cover(
        [check, own, mapped, front],
        served={
            "mapped": [Served(ItemChannel.SUBPORTAL, justice, 7), Served(ItemChannel.SUBPORTAL, health, 8), Served(ItemChannel.SUBPORTAL, None, 1)],
            "front": [Served(ItemChannel.SUBMISSION, None, 1)],
        },
        pulled=frozenset({"own", "mapped"}),
        looks_of=lambda _source: SourcePolls((), (), frozenset()),
        refused=[refused],
        grace=3,
    )  # fmt: skip

    assert found.sources(ItemChannel.SUBPORTAL, health) == (own, mapped)
    assert found.sources(ItemChannel.SUBPORTAL, justice) == (mapped,)
    assert found.sources(ItemChannel.SUBMISSION, health) == (front, own, mapped)
    assert found.sources(ItemChannel.SUBMISSION, justice) == (front, mapped)
    assert found.sources(ItemChannel.PORTAL, None) == (front,)
    assert found.sources(ItemChannel.SUBMISSION, None) == (front, own, mapped, mapped)
    assert found.begins == {("mapped", justice): 7}
    assert found.unreadable([mapped], None, 0, 10) == (UnreadableShare("mapped", 1),)
    assert found.unreadable([own], None, 0, 10) == ()
    assert found.grace == 3


def test_a_pulled_source_still_shows_its_own_channels_to_all_and_its_map_only_names_sub_portals() -> None:
    health, justice = UnitId("health"), UnitId("justice")
    front = replace(PLAIN, id="front", channel=ItemChannel.PORTAL)
    register = replace(PLAIN, id="register", channel=ItemChannel.SUBMISSION, unit_names=(("Sở Y tế", health),))

    found = cover(
        [front, register],
        served={"register": [Served(ItemChannel.SUBPORTAL, justice, 7)]},
        pulled=frozenset({"front"}),
        looks_of=lambda _source: SourcePolls((), (), frozenset()),
    )

    assert found.sources(ItemChannel.PORTAL, None) == (front,)
    assert (found.sources(ItemChannel.SUBPORTAL, health), found.sources(ItemChannel.SUBPORTAL, justice)) == (
        (),
        (register,),
    )
    assert found.grace == 0


def test_the_looks_at_a_source_are_asked_for_once() -> None:
    asked: list[str] = []

    def looks_of(source: str) -> SourcePolls:
        asked.append(source)
        return SourcePolls(((0, 10),), (0,), frozenset())

    shown = Coverage(looks_of, {}, {})
    assert shown.read_polls("s") == shown.read_polls("s")
    assert asked == ["s"]
