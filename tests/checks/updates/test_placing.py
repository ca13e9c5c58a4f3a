"""The greedy numbers against every placement there is, one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.updates.rules.grading import grade, grade_plain
from checks.updates.rules.placing import (
    DayRange,
    Interval,
    fewest_days,
    fewest_sessions,
    fewest_windows,
    most_days,
    most_sessions,
)
from portalops.model.updates import UpdateSourceTraits
from tests.checks.updates.test_rules import CLAIMS, DAY, HOUR, ITEM, PLAIN, SEEN, TRUSTED

ATTESTED = replace(PLAIN, attested=True)
RANGES = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 4)).map(lambda one: DayRange(one[0], one[0] + one[1])), max_size=6
)
INTERVALS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 3)).map(lambda one: Interval(one[0], one[0] + one[1])), max_size=5
)


def _days(one: DayRange) -> range:
    return range(one.first, one.last + 1)


@given(RANGES)
@settings(deadline=None)
def test_the_fewest_days_are_those_of_the_best_placement_for_few(ranges: list[DayRange]) -> None:
    assert fewest_days(ranges) == min(len(set(placed)) for placed in product(*map(_days, ranges)))


@given(RANGES, st.sets(st.integers(0, 6)), st.sets(st.integers(0, 12)))
@settings(deadline=None)
def test_the_most_days_are_those_of_the_best_placement_for_many(
    ranges: list[DayRange], days: set[int], unseen: set[int]
) -> None:
    by_hand = max(len((set(placed) | unseen) & days) for placed in product(*map(_days, ranges)))

    assert most_days(ranges, sorted(days), unseen) == by_hand


def _sessions(moments: tuple[int, ...], gap: int) -> int:
    count, before = 0, None
    for at in sorted(moments):
        count += before is None or at - before > gap
        before = at
    return count


@given(INTERVALS, st.integers(0, 3))
@settings(deadline=None)
def test_no_placement_has_fewer_sessions_or_more(intervals: list[Interval], gap: int) -> None:
    counts = [_sessions(placed, gap) for placed in product(*(range(one.first, one.last + 1) for one in intervals))]

    assert fewest_sessions(intervals, gap) <= min(counts)
    assert most_sessions(intervals, gap) >= max(counts)
    if all(one.first == one.last for one in intervals):
        assert fewest_sessions(intervals, gap) == most_sessions(intervals, gap) == counts[0]


@given(INTERVALS, st.integers(0, 3))
@settings(deadline=None)
def test_no_fewer_stretches_hold_all_items(intervals: list[Interval], length: int) -> None:
    def needed(placed: tuple[int, ...]) -> int:
        count, end = 0, -1
        for at in sorted(placed):
            if at > end:
                count, end = count + 1, at + length
        return count

    counts = [needed(placed) for placed in product(*(range(one.first, one.last + 1) for one in intervals))]
    assert fewest_windows(intervals, length) == min(counts)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_items_that_all_may_have_come_on_one_day_are_one_day(count: int) -> None:
    assert fewest_days([DayRange(1, 5 + n) for n in range(count)]) == min(1, count)


MOMENTS = st.tuples(st.integers(0, 71), st.integers(1, 40), st.integers(1, 40), st.integers(0, 71), st.booleans())
"""Hours: of a poll, from it until the item came, from then until the next poll; of another claim; and whether it claims that."""


@given(st.lists(MOMENTS, max_size=5))
@settings(deadline=None)
def test_the_true_days_lie_between_both_numbers_though_some_claim_the_day_of_a_paper(
    items: list[tuple[int, int, int, int, bool]],
) -> None:
    true_days, ranges = set(), []
    for polled, until_came, until_poll, other, claims_other in items:
        came = polled + until_came
        is_paper = claims_other and other <= came and other // 24 == polled // 24
        item = ITEM._replace(
            published_at=(other if is_paper else came) * HOUR,
            looked_before_at=polled * HOUR,
            first_seen_at=(came + until_poll) * HOUR,
        )
        graded = grade(item, PLAIN, None, None, CLAIMS)
        assert graded.came is not None
        true_days.add(came // 24)
        ranges.append(DayRange(graded.came.first // DAY, graded.came.last // DAY))

    least, most = fewest_days(ranges), most_days(ranges, range(8))

    assert least <= len(true_days) <= most
    assert all(any(one.first <= day <= one.last for one in ranges) for day in true_days)


TIMES = st.one_of(st.none(), st.integers(-5, 55).map(lambda hours: SEEN - hours * HOUR))


@given(
    claimed=TIMES,
    created=TIMES,
    before=TIMES,
    traits=st.sampled_from([PLAIN, TRUSTED, ATTESTED]),
    letters=st.sampled_from([None, 100, 500]),
)
@settings(deadline=None)
def test_the_short_way_of_weighing_an_item_comes_to_what_the_long_one_does(
    claimed: int | None, created: int | None, before: int | None, traits: UpdateSourceTraits, letters: int | None
) -> None:
    item = ITEM._replace(
        published_at=claimed, created_at=created, looked_before_at=before, baseline=before is None, body_letters=letters
    )

    short = grade_plain(item, traits, CLAIMS)

    assert short is None or short == grade(item, traits, None, None, CLAIMS)
