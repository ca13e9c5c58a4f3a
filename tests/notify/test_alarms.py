"""When one thing is told: as it begins, at growing intervals, and once when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.notify.alarms import MAX_PROBLEMS, NotifiedAlarm, seen_bad, seen_good

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = "job:nightly-backup"


def alarm(told: dict[str, datetime] | None = None) -> NotifiedAlarm:
    return NotifiedAlarm(KEY, AT, AT, told or {"PO1203": AT})


def test_what_fails_is_told_at_once_and_the_same_a_day_later() -> None:
    first, is_told = seen_bad(None, KEY, "PO1203", AT)
    assert is_told

    same, is_told = seen_bad(first, KEY, "PO1203", AT + 23 * HOUR)
    assert not is_told

    again, is_told = seen_bad(same, KEY, "PO1203", AT + 24 * HOUR)
    assert is_told
    assert (again.since, again.seen_at) == (AT, AT + 24 * HOUR)


def test_another_class_of_problem_is_told_at_once_and_the_first_not_again() -> None:
    other, is_told = seen_bad(alarm(), KEY, "PO1106", AT + HOUR)
    assert is_told

    _back, is_told = seen_bad(other, KEY, "PO1203", AT + 2 * HOUR)
    assert not is_told


def test_that_it_is_over_is_told_once() -> None:
    over, is_told = seen_good(alarm(), AT + HOUR)
    assert is_told
    assert over is not None

    still, is_told = seen_good(over, AT + 2 * HOUR)
    assert not is_told
    assert still is not None

    gone, is_told = seen_good(still, AT + 25 * HOUR)
    assert (gone, is_told) == (None, False)


def test_what_comes_back_after_it_was_told_to_be_over_is_told_at_once_and_over_only_after_a_good_day() -> None:
    over, _told = seen_good(alarm(), AT + HOUR)
    assert over is not None

    back, is_told = seen_bad(over, KEY, "PO1203", AT + 2 * HOUR)
    assert is_told
    good, is_told = seen_good(back, AT + 3 * HOUR)
    assert not is_told
    assert good is not None
    bad, is_told = seen_bad(good, KEY, "PO1203", AT + 4 * HOUR)
    assert not is_told
    good, is_told = seen_good(bad, AT + 5 * HOUR)
    assert not is_told
    assert good is not None

    gone, is_told = seen_good(good, AT + 29 * HOUR)
    assert (gone, is_told) == (None, True)


def test_reminders_come_at_growing_intervals() -> None:
    kept: NotifiedAlarm | None = None
    told = []
    for day in range(120):
        kept, is_told = seen_bad(kept, KEY, "PO1203", AT + day * 24 * HOUR)
        told += [day] * is_told

    assert told == [0, 1, 4, 11, 25, 55, 85, 115]


def test_nobody_is_reminded_of_what_a_person_answers_for_and_another_problem_is_told_all_the_same() -> None:
    first, _told = seen_bad(None, KEY, "PO1203", AT)

    answered, is_told = seen_bad(first, KEY, "PO1203", AT + 240 * HOUR, is_answered=True)
    assert not is_told
    _other, is_told = seen_bad(answered, KEY, "PO1106", AT + 240 * HOUR, is_answered=True)
    assert is_told
    _again, is_told = seen_bad(answered, KEY, "PO1203", AT + 241 * HOUR)
    assert is_told


@pytest.mark.parametrize(("hours", "is_told"), [(-1, False), (-23, False), (-24, True), (-24 * 3650, True)])
def test_a_letter_that_a_wrong_clock_wrote_in_the_future_keeps_nobody_silent(hours: int, is_told: bool) -> None:
    assert seen_bad(alarm(), KEY, "PO1203", AT + hours * HOUR)[1] is is_told


def test_classes_of_problem_are_bounded() -> None:
    kept: NotifiedAlarm | None = None
    for number in range(3 * MAX_PROBLEMS):
        kept, _told = seen_bad(kept, KEY, f"PO{number}", AT + number * timedelta(minutes=1))

    assert kept is not None
    assert len(kept.told) == MAX_PROBLEMS


@given(st.lists(st.booleans(), min_size=1, max_size=24 * 6))
def test_however_often_a_thing_changes_it_makes_three_letters_a_day_at_most(is_bad: list[bool]) -> None:
    kept: NotifiedAlarm | None = None
    told: list[datetime] = []
    for number, bad in enumerate(is_bad):
        now = AT + number * HOUR
        is_told = False
        if bad:
            kept, is_told = seen_bad(kept, KEY, "failed", now)
        elif kept is not None:
            kept, is_told = seen_good(kept, now)
        if is_told:
            told.append(now)

    for moment in told:
        assert sum(moment <= each < moment + 24 * HOUR for each in told) <= 3


@given(st.lists(st.booleans(), min_size=1, max_size=24 * 6))
def test_nobody_who_reads_the_letters_believes_a_thing_to_be_good_while_it_is_bad(is_bad: list[bool]) -> None:
    kept: NotifiedAlarm | None = None
    believed_bad = False
    for number, bad in enumerate(is_bad):
        now = AT + number * HOUR
        if bad:
            kept, is_told = seen_bad(kept, KEY, "failed", now)
            believed_bad |= is_told
        elif kept is not None:
            kept, is_told = seen_good(kept, now)
            believed_bad &= not is_told
        assert believed_bad or not bad
