"""The rules of updates at their borders, each by itself: to the millisecond, and without a portal around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.updates.rules.comparing import Repeats, compare, repeated
from checks.updates.rules.coverage import END, Coverage, DayBounds, Share, SourcePolls, UnseenStretch, cover, summed_up
from checks.updates.rules.grading import BEGINNING, ClaimRules, GradedItem, grade
from checks.updates.rules.occasions import CountedDays, Counting, Occurred, count_occasions, occasions
from checks.updates.rules.placing import DayRange, Interval
from checks.updates.rules.portal import DayFacts, judge_portal_day, paying_day
from checks.updates.rules.seen import Gone, PollMoment, SeenItem, Served
from checks.updates.rules.stamps import LocalDays, Stamp, stamp
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
from checks.updates.text import MOJIBAKE, NO_MARKS, NOT_NFC
from portalops.calendar import load
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionScope
from portalops.model.message import msg
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Week
from portalops.model.rulebook import Numbers, Occasions
from portalops.model.updates import FlagKind, Grade, ItemChannel, UnseenTime, UpdateSourceTraits
from portalops.model.verdicts import DutyVerdict

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SEEN = 1_000_001 * HOUR
"""When the first look showed the item of these tests."""
PLAIN = UpdateSourceTraits("s", ItemChannel.SUBPORTAL, complete=True)
TRUSTED = replace(PLAIN, trust_created=True)
ITEM = SeenItem(
    id="a", source="s", channel=ItemChannel.SUBPORTAL, unit=UnitId("u"), url="", title="", text="text", created_at=None,
    published_at=SEEN, first_seen_at=SEEN, looked_before_at=SEEN - 24 * HOUR, baseline=False, body_letters=None,
    text_problems="",
)  # fmt: skip
CLAIMS = ClaimRules(
    lambda first, last: first // DAY == last // DAY,
    lambda claim: Interval(claim, claim + DAY - 1) if claim % DAY == 0 else None,
)
"""Days of these tests begin at every multiple of twenty-four hours."""
UNMET, UNKNOWN, PENDING = DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING


# --- one item ---------------------------------------------------------------------------------


def weighed(
    traits: UpdateSourceTraits = PLAIN,
    *,
    touched: Stamp | None = None,
    gone: Gone | None = None,
    how: Mapping[str, Any] | None = None,
    **fields: Any,
) -> GradedItem:
    return grade(ITEM._replace(**fields), traits, touched, gone, CLAIMS, **(how or {}))


def test_a_claim_may_run_ahead_of_the_poll_by_ten_minutes() -> None:
    within = weighed(published_at=SEEN + 10 * MINUTE, looked_before_at=SEEN - HOUR)
    beyond = weighed(published_at=SEEN + 10 * MINUTE + 1, looked_before_at=SEEN - HOUR)

    assert (within.came, within.flags) == (Interval(SEEN, SEEN), ())
    assert (beyond.came, beyond.flags) == (Interval(SEEN - HOUR + 1, SEEN), (FlagKind.FUTURE,))


@pytest.mark.parametrize("hours", [-3.9, -0.5, 0.5, 7])
def test_a_claim_decides_on_which_of_the_days_between_two_polls_an_item_came_only_if_an_officer_confirms_it(
    hours: float,
) -> None:
    midnight = SEEN // DAY * DAY
    claim, seen, after = midnight + int(hours * HOUR), midnight + 8 * HOUR, midnight - 4 * HOUR
    fields: dict[str, Any] = {"published_at": claim, "first_seen_at": seen, "looked_before_at": after}

    for row in (None, claim):
        found = weighed(created_at=row, **fields)
        assert (found.came, found.is_sure, found.hoped_at) == (Interval(after + 1, seen), True, claim)
    assert weighed(how={"is_confirmed": True}, **fields).came == Interval(claim, claim)
    assert weighed(TRUSTED, created_at=claim, **fields).came == Interval(claim, claim)


def test_a_claim_narrows_between_two_polls_of_one_day() -> None:
    midnight = SEEN // DAY * DAY

    found = weighed(published_at=midnight + 1, first_seen_at=midnight + DAY - 1, looked_before_at=midnight - 1)

    assert found.came == Interval(midnight + 1, midnight + 1)


def test_a_trusted_row_that_claims_a_later_day_than_its_creation_is_open_until_it_was_seen() -> None:
    made, claim = SEEN // DAY * DAY - HOUR, SEEN - HOUR

    found = weighed(TRUSTED, created_at=made, published_at=claim)

    assert (found.came, found.is_sure, found.grade, found.hoped_at) == (Interval(made, SEEN), True, Grade.B, claim)


@given(st.integers(-100, 300), st.integers(0, 60), st.sampled_from(["24:00", "17:00"]))
def test_two_moments_are_of_one_day_if_both_count_on_it(hours: int, later: int, cutoff: str) -> None:
    days = LocalDays(date(2026, 11, 16), date(2026, 11, 22), zone=ZONE, cutoff=cutoff)
    first = stamp(datetime(2026, 11, 16, tzinfo=ZONE)) + hours * HOUR
    last = first + later * HOUR

    assert days.is_one(first, last) == (days.ordinal(first) == days.ordinal(last))


def test_an_item_came_after_the_poll_that_did_not_show_it_and_until_the_one_that_did() -> None:
    undated = weighed(published_at=None)

    assert (undated.came, undated.grade, undated.is_sure) == (Interval(SEEN - 24 * HOUR + 1, SEEN), Grade.A, True)


@pytest.mark.parametrize("earlier", [2 * HOUR + 1, 29 * 24 * HOUR])
def test_a_claim_that_the_poll_before_refutes_changes_nothing(earlier: int) -> None:
    refuted = weighed(published_at=SEEN - 24 * HOUR - earlier)

    assert (refuted.came, refuted.is_sure, refuted.hoped_at) == (Interval(SEEN - 24 * HOUR + 1, SEEN), True, None)
    assert refuted.flags == (FlagKind.BACKDATED,)


@pytest.mark.parametrize("earlier", [0, 2 * HOUR])
def test_a_claim_shortly_before_the_poll_that_did_not_show_it_may_be_true_for_answers_lag(earlier: int) -> None:
    found = weighed(published_at=SEEN - 24 * HOUR - earlier)

    assert (found.came, found.is_sure) == (Interval(SEEN - 24 * HOUR - earlier, SEEN), True)
    assert (found.hoped_at, found.flags) == (SEEN - 24 * HOUR - earlier, ())


def test_a_claimed_day_narrows_nothing_but_is_refuted_where_the_polls_leave_none_of_it() -> None:
    midnight = SEEN - SEEN % DAY
    whole = Interval(midnight - 2 * HOUR + 1, SEEN)

    for day in (midnight, midnight - DAY):
        found = weighed(looked_before_at=midnight - 2 * HOUR, published_at=day)
        assert (found.came, found.hoped_at, found.flags) == (whole, max(whole.first, day), ())
    before_that = weighed(looked_before_at=midnight - 2 * HOUR, published_at=midnight - 2 * DAY)
    assert (before_that.came, before_that.flags) == (whole, (FlagKind.BACKDATED,))
    same_day = weighed(looked_before_at=SEEN - HOUR, published_at=midnight)
    assert (same_day.came, same_day.flags) == (Interval(SEEN - HOUR + 1, SEEN), ())


def test_what_no_earlier_poll_would_have_shown_has_no_beginning_and_counts_for_nobody() -> None:
    found = weighed(looked_before_at=None, published_at=SEEN - HOUR)

    assert (found.came, found.is_sure, found.grade) == (Interval(BEGINNING, SEEN), False, Grade.C)
    assert (found.hoped_at, found.counts_at, found.flags) == (SEEN - HOUR, SEEN - HOUR, (FlagKind.UNBOUNDED,))
    confirmed = weighed(looked_before_at=None, published_at=SEEN - HOUR, how={"is_confirmed": True})
    assert (confirmed.came, confirmed.is_sure, confirmed.grade) == (
        Interval(SEEN - HOUR, SEEN - HOUR),
        True,
        Grade.D,
    )


def test_a_confirmed_day_narrows_the_polls_interval_and_corrects_a_registrars_day() -> None:
    day = Interval(SEEN - 3 * DAY, SEEN - 2 * DAY - 1)
    register = replace(PLAIN, attested=True)

    line = weighed(register, created_at=SEEN - 30 * DAY, how={"is_confirmed": True, "confirmed_day": day})
    refuted = weighed(published_at=None, how={"is_confirmed": True, "confirmed_day": day})
    open_days = weighed(published_at=None, looked_before_at=None, how={"is_confirmed": True, "confirmed_day": day})

    assert (line.came, line.grade, line.is_sure) == (day, Grade.D, True)
    assert (refuted.came, refuted.grade) == (Interval(SEEN - 24 * HOUR + 1, SEEN), Grade.A)
    assert (open_days.came, open_days.grade, open_days.is_sure) == (day, Grade.D, True)


def test_a_creation_row_further_ahead_than_ten_minutes_proves_nothing() -> None:
    within = weighed(TRUSTED, created_at=SEEN + 10 * MINUTE, published_at=None)
    beyond = weighed(TRUSTED, created_at=SEEN + 10 * MINUTE + 1, published_at=None)

    assert (within.grade, within.evidenced_at) == (Grade.B, SEEN + 10 * MINUTE)
    assert (beyond.grade, beyond.evidenced_at) == (Grade.A, SEEN)


def test_a_trusted_row_is_a_point_and_its_publication_a_later_one() -> None:
    made = weighed(TRUSTED, created_at=SEEN - 3 * HOUR, published_at=None)
    published = weighed(TRUSTED, created_at=SEEN - 3 * HOUR, published_at=SEEN - HOUR)
    earlier = weighed(TRUSTED, created_at=SEEN - 3 * HOUR, published_at=SEEN - 4 * HOUR)

    assert (made.came, made.grade) == (Interval(SEEN - 3 * HOUR, SEEN - 3 * HOUR), Grade.B)
    assert published.came == Interval(SEEN - HOUR, SEEN - HOUR)
    assert (earlier.came, earlier.flags) == (Interval(SEEN - 3 * HOUR, SEEN - 3 * HOUR), (FlagKind.BACKDATED,))


def test_a_row_that_a_poll_after_its_making_did_not_show_came_up_later() -> None:
    found = weighed(TRUSTED, created_at=SEEN - 30 * HOUR, published_at=None, looked_before_at=SEEN - 10 * HOUR)

    assert (found.came, found.grade) == (Interval(SEEN - 10 * HOUR + 1, SEEN), Grade.A)


def test_an_item_that_comes_up_more_than_a_day_after_its_creation_may_be_an_old_one() -> None:
    within = weighed(created_at=SEEN - 24 * HOUR)
    beyond = weighed(created_at=SEEN - 24 * HOUR - 1)

    assert (within.is_sure, within.flags) == (True, ())
    assert (beyond.is_sure, beyond.flags) == (False, (FlagKind.TOUCHED,))


def test_a_draft_may_be_published_at_the_very_poll_that_did_not_show_it() -> None:
    found = weighed(
        created_at=SEEN - 48 * HOUR, published_at=SEEN - 2 * HOUR, looked_before_at=SEEN - 2 * HOUR - 1,
        how={"is_watched": lambda _one: True},
    )  # fmt: skip

    assert (found.grade, found.came, found.flags) == (
        Grade.A,
        Interval(SEEN - 2 * HOUR, SEEN - 2 * HOUR),
        (FlagKind.WAITED,),
    )


def test_what_was_there_at_the_first_poll_rests_on_its_claim_unless_an_officer_confirms_it() -> None:
    first: dict[str, Any] = {"baseline": True, "looked_before_at": None}

    assert (weighed(**first).grade, weighed(**first).flags) == (Grade.C, (FlagKind.BASELINE,))
    assert weighed(**first, how={"is_confirmed": True}).grade is Grade.D


@pytest.mark.parametrize(
    ("at", "seen_at", "is_sure", "counts"),
    [
        (48 * HOUR - 1, 0, True, "never"),
        (48 * HOUR - 1, 0, False, "perhaps"),  # the answer that lacks it may be an older one
        (48 * HOUR, 48 * HOUR - 1, True, "perhaps"),  # it may have been taken down within the two days
        (72 * HOUR, 48 * HOUR, True, "surely"),
    ],
)
def test_an_item_that_is_gone_within_two_days_counts_for_nothing(
    at: int, seen_at: int, is_sure: bool, counts: str
) -> None:
    found = weighed(gone=Gone(SEEN + at, SEEN + seen_at, is_sure))

    assert ("never" if found.came is None else "surely" if found.is_sure else "perhaps") == counts
    assert (FlagKind.REMOVED in found.flags) == (counts != "surely")


@pytest.mark.parametrize("claim", [SEEN - 2 * HOUR - 10 * MINUTE, SEEN - 2 * HOUR - 10 * MINUTE - 1])
def test_a_claim_before_the_creation_of_the_row_is_backdated_beyond_ten_minutes(claim: Stamp) -> None:
    made: dict[str, Any] = {"created_at": SEEN - 2 * HOUR, "published_at": claim}
    flags = (FlagKind.BACKDATED,) if claim < SEEN - 2 * HOUR - 10 * MINUTE else ()

    first_poll = weighed(baseline=True, looked_before_at=None, **made)

    assert first_poll.flags == (FlagKind.BASELINE, *flags)
    assert weighed(TRUSTED, **made).flags == flags
    assert weighed(**made).flags == flags


def test_an_item_without_a_claim_says_so() -> None:
    assert weighed(published_at=None).flags == (FlagKind.NO_DATE,)


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
        (NO_MARKS, (FlagKind.NO_MARKS,)),
        (f"{NOT_NFC},{MOJIBAKE}", (FlagKind.LEGACY_ENCODING, FlagKind.NOT_NFC)),
    ],
)
def test_problems_of_the_text_are_flagged_beside_the_others(problems: str, flags: tuple[FlagKind, ...]) -> None:
    assert weighed(baseline=True, looked_before_at=None, text_problems=problems).flags == (FlagKind.BASELINE, *flags)


def test_a_newer_claim_takes_the_place_of_the_first_one() -> None:
    assert weighed().claimed_at == SEEN
    assert weighed(touched=SEEN + HOUR).claimed_at == SEEN + HOUR


# --- items beside one another -----------------------------------------------------------------


def came(first: Stamp, last: Stamp | None = None, *, name: str = "a", **fields: Any) -> GradedItem:
    """Return an item that came at a moment, or between two."""
    known = {key: fields.pop(key) for key in ("grade", "is_sure", "flags", "hoped_at", "session") if key in fields}
    interval = Interval(first, first if last is None else last)
    polled = {"first_seen_at": interval.last, "looked_before_at": None if first == BEGINNING else first - 1}
    item = GradedItem(
        ITEM._replace(id=name, **{"body_letters": 900, **polled, **fields}),
        Grade.A,
        interval,
        is_sure=True,
        claimed_at=None,
        flags=(),
    )
    return item._replace(**known)


def together(minutes: Sequence[float], *, counts: bool = True, **fields: Any) -> list[GradedItem]:
    """Return items that polls an hour apart showed so many minutes after another, compared."""
    items = [
        came(
            SEEN + round(after * MINUTE) - HOUR, SEEN + round(after * MINUTE), name=f"item-{n}",
            first_seen_at=SEEN + round(after * MINUTE), looked_before_at=SEEN + round(after * MINUTE) - HOUR, **fields,
        )
        for n, after in enumerate(minutes)
    ]  # fmt: skip
    return compare([one if counts else one._replace(came=None) for one in items], Repeats())


def test_five_items_within_half_an_hour_are_one_session_that_the_first_names() -> None:
    found = together([0, 10, 20, 25, 30, 31])

    assert [item.session for item in found] == ["item-0"] * 5 + [""]
    assert [item.flags for item in found] == [(FlagKind.BULK,)] * 5 + [()]


@pytest.mark.parametrize("changes", [{"unit": None}, {"counts": False}])
def test_items_of_nobody_or_that_count_for_nothing_are_no_session(changes: dict[str, Any]) -> None:
    assert {item.session for item in together([0, 1, 2, 3, 4], **changes)} == {""}


def test_sessions_of_two_channels_are_two() -> None:
    items = [
        came(
            SEEN, name=f"{channel}-{n}", channel=channel, first_seen_at=SEEN + n, looked_before_at=SEEN - MINUTE,
        )
        for channel in (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION)
        for n in range(5)
    ]  # fmt: skip

    assert {item.session for item in compare(items, Repeats())} == {"subportal-0", "submission-0"}


def test_of_one_address_in_two_sources_the_better_proof_counts_within_both_intervals() -> None:
    claim = came(BEGINNING, 8, name="a", url="/1", baseline=True, grade=Grade.C, is_sure=False)
    proof = came(2, 10, name="b", url="/1", source="t")

    found = {item.seen.id: item for item in compare([claim, proof], Repeats())}

    assert found["a"].came is None
    assert (found["b"].came, found["b"].is_sure) == (Interval(2, 8), True)


def test_of_one_address_in_two_sources_that_contradict_each_other_it_is_open_when_it_came() -> None:
    early, late = came(0, 2, name="a", url="/1"), came(5, 9, name="b", url="/1", source="t")

    found = [item for item in compare([early, late], Repeats()) if item.came is not None]

    assert [(item.came, item.is_sure) for item in found] == [(Interval(0, 9), False)]


U, V = UnitId("u"), UnitId("v")


@pytest.mark.parametrize(
    ("first", "second", "surely", "maybe"),
    [
        (came(0), came(10, name="b"), "b", ""),
        (came(0), came(11, name="b"), "", ""),
        (came(0, 5), came(12, name="b"), "", "b"),  # seven to twelve after it: within the window or not
        # the polls saw who showed it first, not who wrote it
        (came(0), came(1, name="b", unit=V), "", "b"),
        # another schedule may be attached to the same line
        (came(0), came(1, name="b", body_letters=799), "", "b"),
        # nor is a summary all that an item says
        (came(0), came(1, name="b", body_letters=None), "", "b"),
        # the same text under the title of another day may be that day's
        (came(0), came(1, name="b", title="Thực đơn bán trú tuần 47"), "", "b"),
        (came(0), came(1, name="b", unit=V, source="copies"), "", ""),
        (came(0), came(1, name="b", source="copies"), "b", ""),
        (came(0, unit=None), came(1, name="b"), "", ""),
        (came(0, unit=None), came(1, name="b", unit=None), "b", ""),
        (came(0, unit=None, channel=ItemChannel.PORTAL), came(1, name="b", channel=ItemChannel.PORTAL), "b", ""),
        # nobody knows who came first: neither is called the copier, and none counts for certain
        (came(0, 5), came(3, 8, name="b", unit=V), "", "ab"),
        (came(0, 5), came(0, 5, name="b", unit=V), "", "ab"),
        # of one unit's own two, one is the copy whichever it is
        (came(0, 5), came(3, 8, name="b"), "b", ""),
        (came(0, 5), came(0, 5, name="b"), "b", ""),
        # what may not count itself makes nobody surely a copier
        (came(0, is_sure=False), came(1, name="b", unit=V), "", "b"),
        # a claim of its own makes nobody the first: what counts between two units is what the polls saw
        (
            came(0, 0, first_seen_at=9, looked_before_at=-1),
            came(5, 5, name="b", unit=V, first_seen_at=9, looked_before_at=-1),
            "",
            "ab",
        ),
        # since when it was there is not known
        (came(BEGINNING, 5), came(8, name="b"), "", "b"),
    ],
)
def test_a_text_is_said_again_within_the_window_by_the_same_unit_or_by_one_that_may_not_copy(
    first: GradedItem, second: GradedItem, surely: str, maybe: str
) -> None:
    for items in ([first, second], [second, first]):
        assert repeated(items, window=10, may_copy={"copies"}) == Repeats(frozenset(surely), frozenset(maybe))


def test_a_text_that_the_province_gave_out_first_makes_no_unit_a_copier() -> None:
    items = [came(5, name="a"), came(6, name="b", unit=V), came(7, name="c", unit=V)]

    assert repeated(items, window=10, may_copy=(), given_out={"text": 4}) == Repeats(frozenset("c"))
    assert repeated(items, window=10, may_copy=(), given_out={"text": 6}) == Repeats(frozenset("c"))
    assert repeated(items, window=10, may_copy=(), given_out={"other": 1}) == Repeats(maybe=frozenset("bc"))


def test_where_a_text_stands_more_often_than_is_compared_it_is_open_whether_it_is_a_copy() -> None:
    units = [UnitId(f"u{n}") for n in range(500)]
    items = [came(0, 9, name=f"{n:03d}", unit=unit) for n, unit in enumerate(units)]

    assert repeated(items, window=10, may_copy=()) == Repeats(frozenset(), frozenset(f"{n:03d}" for n in range(500)))


@pytest.mark.parametrize("channel", [ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION])
def test_a_text_that_other_units_had_before_is_open_and_the_first_one_counts(channel: ItemChannel) -> None:
    units = (U, V, UnitId("w"))
    items = [came(n * DAY, name=str(n), unit=unit, channel=channel) for n, unit in enumerate(units)]

    assert repeated(items, window=30 * DAY, may_copy=()) == Repeats(maybe=frozenset("12"))


WEEK_47 = [date(2026, 11, day).toordinal() for day in range(16, 23)]
COUNTED = CountedDays(WEEK_47, WEEK_47)


def on(first: int, last: int | None = None, *, at: Stamp = SEEN, **fields: Any) -> Counting:
    """Return an item that came on a day of November 2026, or on one of several."""
    days = DayRange(*(date(2026, 11, day).toordinal() for day in (first, last or first)))
    hoped = fields.pop("hoped", None)
    item = came(at, name=fields.pop("name", f"{first}-{last}-{at}"), **fields)
    return Counting(days, item, hoped and date(2026, 11, hoped).toordinal())


@pytest.mark.parametrize(
    ("reading", "counts"), [(Occasions.DAY, [1, 1]), (Occasions.SESSION, [2, 1]), (Occasions.ITEMS, [3, 1])]
)
def test_occasions_are_counted_by_day_by_session_or_one_by_one(reading: Occasions, counts: list[int]) -> None:
    numbers = replace(Numbers(), occasion=reading, session_gap_minutes=60)
    items = [
        on(day, at=at) for day, at in ((16, SEEN), (16, SEEN + HOUR), (16, SEEN + 2 * HOUR + 1), (17, SEEN + 24 * HOUR))
    ]
    days = (date(2026, 11, 16), date(2026, 11, 17))

    assert occasions(items, numbers=numbers) == Counter(dict(zip(days, counts, strict=True)))
    total = sum(counts)
    assert count_occasions(items, COUNTED, numbers=numbers) == Occurred(total, total, total)


def test_items_between_two_days_are_one_occasion_at_least_and_two_at_most() -> None:
    items = [on(16, 17, name="a"), on(17, 18, name="b")]

    assert count_occasions(items, COUNTED, numbers=Numbers()) == Occurred(1, 2, 1)


def test_what_may_have_come_before_the_week_or_after_it_counts_at_most() -> None:
    items = [on(17), on(15, 16, name="sunday or monday"), on(22, 23, name="sunday or monday after")]

    assert count_occasions(items, COUNTED, numbers=Numbers()) == Occurred(1, 3, 1)


def test_a_day_that_nobody_saw_may_hold_an_occasion_of_its_own() -> None:
    friday = [date(2026, 11, 20).toordinal()]

    assert count_occasions([on(17)], COUNTED, numbers=Numbers(), unseen=friday) == Occurred(1, 2, 1)
    assert count_occasions([], COUNTED, numbers=Numbers(), unseen=friday) == Occurred(0, 1, 0)
    by_items = replace(Numbers(), occasion=Occasions.ITEMS)
    assert count_occasions([on(17)], COUNTED, numbers=by_items, unseen=friday) == Occurred(1, None, 1)


def test_a_claim_on_a_day_that_has_proof_adds_no_occasion() -> None:
    proof = on(16, name="a")
    same, other = (on(1, 20, name="c", is_sure=False, grade=Grade.C, hoped_at=SEEN, hoped=day) for day in (16, 17))

    assert count_occasions([proof, same], COUNTED, numbers=Numbers()) == Occurred(1, 2, 1)
    assert count_occasions([proof, other], COUNTED, numbers=Numbers()) == Occurred(1, 2, 2)


def test_items_that_may_have_been_posted_in_one_go_are_one_at_least() -> None:
    numbers = replace(Numbers(), occasion=Occasions.ITEMS)
    wide = [on(16, name=f"{n}")._replace(item=came(SEEN, SEEN + 12 * HOUR, name=f"{n}")) for n in range(6)]

    assert count_occasions(wide, COUNTED, numbers=numbers) == Occurred(1, 6, 1)
    assert count_occasions(wide[:4], COUNTED, numbers=numbers) == Occurred(4, 4, 4)


# --- what could not be read -------------------------------------------------------------------


def bears(traits: UpdateSourceTraits, **fields: Any) -> bool:
    """Say whether a part that cannot be read bears on the time from 100 to 200."""
    one = UnreadPart("s", None, None, None, 150, None, is_open=False)._replace(**fields)
    return bool(unreadable({"s": [one]}, [traits], unit=None, start=100, end=200))


def test_a_row_with_a_moment_bears_on_the_time_that_holds_it() -> None:
    assert [at for at in (99, 100, 199, 200) if bears(TRUSTED, made_at=at)] == [100, 199]


def test_what_a_look_after_the_end_did_not_show_yet_came_late() -> None:
    assert [at for at in (189, 199, 200) if bears(PLAIN, looked_before_at=at, seen_at=300)] == [189, 199]


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

TALLY = Tally(Occurred(1, 1, 1), 2, 2, 2, Share(100, 0), has_source=True, collected=True)
OVER = Moment(is_over=True, poll_overdue=False, days_left=0)


def test_a_sum_is_as_well_seen_as_the_worse_of_both() -> None:
    first = replace(
        TALLY, occurred=Occurred(1, 2, 2), share=Share(90, 3), unreadable=(UnreadableShare("a", 1),), unseen_days=1
    )
    second = Tally(
        Occurred(2, 4, 5), 1, 0, 1, Share(80, 4), has_source=False, collected=False,
        unreadable=(UnreadableShare("b", 1),), unseen_days=3, open_items=2,
    )  # fmt: skip

    for found in (
        sum_tallies(first, second),
        replace(sum_tallies(second, first), unreadable=(*first.unreadable, *second.unreadable)),
    ):
        assert found == Tally(
            Occurred(3, 6, 7), 2, 2, 2, Share(80, 4), has_source=False, collected=False,
            unreadable=(*first.unreadable, *second.unreadable), unseen_days=3, open_items=2,
        )  # fmt: skip
    assert set(sum_tallies(second, first).unreadable) == {UnreadableShare("a", 1), UnreadableShare("b", 1)}
    assert sum_tallies(first, replace(second, occurred=Occurred(2, None, 2))).occurred.most is None


def test_indicators_are_named_each_unless_verdict_and_reason_are_the_same() -> None:
    few, none = msg("too few"), msg("none")

    assert name_each(UNMET, (UNMET, few), (UNMET, few)) is None
    assert str(name_each(UNMET, (UNMET, few), (UNMET, none))) == "sub-portal (K1): too few; sent in (K2): none"
    assert str(name_each(UNMET, (PENDING, few), (UNMET, few))) == "sent in (K2): too few; sub-portal (K1): too few"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unreadable": (UnreadableShare("feed", 1),)}, "1 line or item of source feed could not be read and may be the missing one"),
        ({"has_source": False}, "no source shows this unit's items"),
        (
            {"collected": False, "silent": ("so-den", "so-di")},
            "no answer of so-den, so-di after the week's end proves anything",
        ),
        ({"occurred": Occurred(1, 4, 1), "unseen_days": 3}, "surely 1, at most 4 of the 2 due: nobody saw all of 3 days"),
        ({"occurred": Occurred(1, None, 1), "unseen_days": 1}, "surely 1 of the 2 due: nobody saw all of 1 day"),
        (
            {"occurred": Occurred(1, 2, 1), "open_items": 1},
            "surely 1, at most 2 of the 2 due: it is not certain of 1 item when it came, or whether it counts",
        ),
        (
            {"occurred": Occurred(1, 2, 1), "open_items": 1, "unreadable": (UnreadableShare("feed", 2), UnreadableShare("b", 1))},
            "surely 1, at most 2 of the 2 due, and 3 lines or items that could not be read:"
            " it is not certain of 1 item when it came, or whether it counts",
        ),
        ({"required_least": 0}, "surely 1, at most 1 of the 0 or 2 due: the calendar of these days is provisional"),
    ],
)  # fmt: skip
def test_a_week_that_is_unknown_says_by_what(changes: dict[str, Any], said: str) -> None:
    tally = replace(TALLY, **changes)

    assert judge_indicator(tally, moment=replace(OVER, poll_overdue=True)) is UNKNOWN
    assert str(explain(UNKNOWN, [tally], moment=OVER)) == said


@pytest.mark.parametrize(
    ("occurred", "due", "verdict"),
    [
        (Occurred(2, 9, 2), (2, 2), DutyVerdict.MET),
        (Occurred(1, 1, 1), (2, 2), UNMET),
        (Occurred(1, 2, 1), (2, 2), UNKNOWN),
        (Occurred(1, 1, 2), (2, 2), PENDING),
        # a provisional calendar: both readings must agree
        (Occurred(1, 1, 1), (1, 2), UNKNOWN),
        (Occurred(2, 2, 2), (0, 2), DutyVerdict.MET),
        (Occurred(0, 0, 0), (1, 2), UNMET),
        (Occurred(0, 0, 0), (0, 1), UNKNOWN),
        (Occurred(0, 0, 0), (0, 0), DutyVerdict.NOT_ASSESSED),
    ],
)
def test_the_fewest_must_suffice_and_the_most_must_not(
    occurred: Occurred, due: tuple[int, int], verdict: DutyVerdict
) -> None:
    tally = replace(TALLY, occurred=occurred, required_least=due[0], required_most=due[1])

    assert judge_indicator(tally, moment=OVER) is verdict


@pytest.mark.parametrize(
    ("occurred", "said"),
    [
        (Occurred(1, 2, 2), "rests on dates claimed by the source, which an officer must confirm"),
        (Occurred(2, 3, 3), "the week is over, but its last day is still to be polled"),
        (Occurred(1, 1, 1), "the week is over, but its last day is still to be polled"),
    ],
)
def test_a_week_that_is_over_waits_for_an_officer_only_where_claims_would_meet_it(
    occurred: Occurred, said: str
) -> None:
    assert str(explain(PENDING, [replace(TALLY, occurred=occurred)], moment=OVER)) == said


def test_a_week_that_falls_short_says_by_how_much() -> None:
    assert str(explain(UNMET, [TALLY], moment=OVER)) == "1 of the 2 occasions due"
    between = replace(TALLY, occurred=Occurred(0, 1, 0))
    assert str(explain(UNMET, [between], moment=OVER)) == "surely 0, at most 1 of the 2 occasions due"


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
    table = LocalDays(date(2026, 11, 16), date(2026, 11, 20), zone=ZONE, cutoff=cutoff)

    for days in range(-1, 6):
        last = last_of_monday + timedelta(days=days, weeks=weeks)
        for at, day in ((stamp(last), last.date()), (stamp(last) + 1, last.date() + timedelta(days=1))):
            assert date.fromordinal(table.ordinal(at)) == day
            first, end = table.bounds(day)
            assert first <= at < end


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
        "day": date(2026, 11, 16), "items": (), "surely": (), "hoped": (), "unseen": (), "unreadable": (),
        "has_source": True, "collected": True, "poll_overdue": False, "is_over": True, "is_unreachable": False,
    }  # fmt: skip
    numbers = replace(Numbers(), portal_daily_min=2)
    judged = judge_portal_day(DayFacts(**{**known, **facts}), calendar=load(), numbers=numbers)
    return judged.verdict, str(judged.reason)


def updates(kinds: str) -> dict[str, Any]:
    """Return an item of each kind: sure, hoped for, or merely possible on the day."""
    items = [(on(16, name=f"{n}"), kind) for n, kind in enumerate(kinds)]
    return {
        "items": [one for one, _kind in items],
        "surely": [one for one, kind in items if kind == "s"],
        "hoped": [one for one, kind in items if kind in "sh"],
    }


@pytest.mark.parametrize(
    ("facts", "verdict", "reason"),
    [
        (updates("ss"), MET, "2 updates seen"),
        (updates("sh"), PENDING, "rests on dates claimed by the source, which an officer must confirm"),
        (updates("hh"), PENDING, "rests on dates claimed by the source, which an officer must confirm"),
        (updates("h"), UNMET, "0 updates seen"),
        (updates("s"), UNMET, "1 update seen"),
        (
            updates("sm"),
            UNKNOWN,
            "1 update seen; 1 item may have come on this day or on another, or does not count for certain",
        ),
        ({"is_over": False}, PENDING, "the day is not over"),
        ({"has_source": False}, UNKNOWN, "no source shows the portal"),
        ({"is_unreachable": True}, UNKNOWN, "the portal did not answer in any poll of the day"),
        ({"collected": False}, PENDING, "the day is over, but its end is still to be polled"),
        ({"collected": False, "poll_overdue": True}, UNKNOWN, "the portal was not polled after the day's end"),
        ({"unseen": [UnseenTime("s", None, None)]}, UNKNOWN, "0 updates seen; nobody saw all of the day"),
        (
            {"late_at": datetime(2026, 11, 16, 18, 0, tzinfo=ZONE)},
            UNMET,
            "0 updates seen; met late, at 2026-11-16T11:00:00.000Z",
        ),
        ({**updates("ss"), "late_at": datetime(2026, 11, 16, 18, 0, tzinfo=ZONE)}, MET, "2 updates seen"),
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
    looks = SourcePolls(
        tuple(Interval(*one) for one in intervals), tuple(first for first, _last in intervals), frozenset()
    )
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
    looks = {
        "s": SourcePolls((Interval(0, 10),), (0,), frozenset()),
        "t": SourcePolls((Interval(0, 4),), (0,), frozenset()),
    }
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


def stretches(*looks: PollMoment, begins: int | None = None, is_dated: bool = False) -> tuple[tuple[int, int], ...]:
    return summed_up(looks, begins=begins, day_of=lambda at: date(2026, 1, 1 + at // DAY), is_dated=is_dated).intervals


def test_a_source_has_shown_nothing_of_the_time_before_its_first_poll_unless_its_rows_are_dated() -> None:
    first = PollMoment(10 * HOUR, True, 4 * HOUR)

    assert stretches(first) == ((10 * HOUR, 10 * HOUR),)
    assert stretches(first, is_dated=True) == ((4 * HOUR, 10 * HOUR),)
    assert stretches(first, is_dated=True, begins=6 * HOUR) == ((6 * HOUR, 10 * HOUR),)


def test_between_two_polls_everything_is_seen_that_stays_two_days() -> None:
    near = [PollMoment(0, True, -1), PollMoment(48 * HOUR, True, 0), PollMoment(50 * HOUR, False, None)]
    far = [*near, PollMoment(100 * HOUR, True, 48 * HOUR)]

    assert stretches(*near) == ((0, 48 * HOUR),)
    assert stretches(*far) == ((0, 48 * HOUR), (52 * HOUR, 100 * HOUR))


def test_a_poll_that_is_late_by_minutes_leaves_no_time_unseen() -> None:
    late = 48 * HOUR + HOUR // 4

    assert stretches(PollMoment(0, True, -1), PollMoment(late, True, 0)) == ((0, late),)
    assert stretches(PollMoment(0, True, -1), PollMoment(late + 1, True, 0)) == (
        (0, 0),
        (late + 1 - 48 * HOUR, late + 1),
    )


def test_a_blind_poll_shows_nothing_and_doubts_take_back_what_polls_have_shown() -> None:
    looks = [PollMoment(at * HOUR, True, (at - 10) * HOUR) for at in (0, 10, 20, 30)]
    blind = [*looks[:2], looks[2]._replace(blind=True), looks[3]]
    doubted = [*looks[:3], looks[3]._replace(doubts_from=12 * HOUR)]

    assert stretches(*looks) == ((0, 30 * HOUR),)
    assert stretches(*blind) == ((0, 10 * HOUR), (20 * HOUR, 30 * HOUR))
    assert stretches(*doubted) == ((0, 10 * HOUR), (30 * HOUR, 30 * HOUR))


def test_a_source_that_answered_on_a_day_was_reached() -> None:
    looks = [PollMoment(HOUR, False, None), PollMoment(2 * HOUR, True, None), PollMoment(DAY, False, None)]

    found = summed_up(looks, begins=None, day_of=lambda at: date(2026, 1, 1 + at // DAY))

    assert found.unreachable == {date(2026, 1, 2)}


def test_the_stretches_that_nobody_saw_are_named_each_whole() -> None:
    shown = seen_by([(10, 20), (30, 40)], begins={("s", UnitId("u")): 15})

    def found(start: int, end: int, unit: UnitId | None = None) -> list[tuple[int, int]]:
        return [(one.since, one.until) for one in shown.unseen(PLAIN, unit, start, end)]

    assert found(0, 50) == [(BEGINNING, 10), (20, 30), (40, END)]
    assert found(12, 18) == found(31, 39) == []
    assert found(12, 18, UnitId("u")) == [(BEGINNING, 15)]
    assert found(22, 28) == found(15, 35) == [(20, 30)]
    assert found(45, 50) == [(40, END)]
    assert [*seen_by([]).unseen(PLAIN, None, 0, 1)] == [UnseenStretch("s", BEGINNING, END)]


def test_a_day_is_unseen_if_any_of_its_sources_has_not_shown_a_moment_of_it() -> None:
    days = [DayBounds(1, 0, 10), DayBounds(2, 10, 20), DayBounds(3, 20, 30)]
    shown = seen_by([(-1, 12), (15, 40)])

    assert shown.unseen_days([PLAIN], None, days) == {2}
    assert shown.unseen_days([], None, days) == {1, 2, 3}
    assert seen_by([(-1, 40)]).unseen_days([PLAIN], None, days) == frozenset()


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


def test_the_looks_at_a_source_are_asked_for_once() -> None:
    asked: list[str] = []

    def looks_of(source: str) -> SourcePolls:
        asked.append(source)
        return SourcePolls((Interval(0, 10),), (0,), frozenset())

    shown = Coverage(looks_of, {}, {})
    assert shown.read_polls("s") == shown.read_polls("s")
    assert asked == ["s"]
