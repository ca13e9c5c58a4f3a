"""A medium that will be full within its next sets: pure rules over sizes, free room and retention."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from backups.retention import Course
from backups.room_ahead import SETS_AHEAD, days_ahead, filling_of
from portalops.model.backups import BackupSet, Copy, CopyState, SetId, SetKind, VerifyLevel
from portalops.model.record import Digest
from portalops.model.runs import Every
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import SetEvidence

MIB = 1 << 20
NUMBERS = count(1)
MADE_AT = datetime(2026, 11, 3, 2, 30, tzinfo=UTC)
TODAY = date(2026, 11, 25)
WEEK = timedelta(days=7)


def a_set(stored_bytes: int, *, kind: SetKind = SetKind.FULL) -> SetEvidence:
    """Return a set on disk-a."""
    number = next(NUMBERS)
    name, digest = SetId(f"khanh-hoa-{number}"), Digest(f"{number:064x}")
    made = BackupSet(name, kind, "khanh-hoa", MADE_AT, RunOutcome.COMPLETE, (), (), digest, stored_bytes)
    copy = Copy(name, "disk-a", "disk", CopyState.VERIFIED, VerifyLevel.L2, MADE_AT)
    return SetEvidence(number, MADE_AT, made, (copy,), ())


def planned(kind: SetKind = SetKind.FULL, removed_on: date | None = None) -> list[Course]:
    """Return the next sets, one a week; the first may go again."""
    days = [TODAY + WEEK * number for number in range(1, SETS_AHEAD + 1)]
    gone = [removed_on, *[None] * (SETS_AHEAD - 1)]
    return [
        Course(SetId(f"planned-{day:%Y%m%d}"), kind, day, True, removed, removed, ())
        for day, removed in zip(days, gone, strict=True)
    ]


def old(made: SetEvidence, removed_on: date | None, marked_on: date | None = None) -> Course:
    return Course(made.set.id, made.set.kind, date(2026, 11, 3), False, marked_on or removed_on, removed_on, ())


def test_room_for_all_of_the_next_sets_is_no_matter() -> None:
    assert filling_of("disk-a", 4 * 10 * MIB, [a_set(10 * MIB)], planned(), {}) is None


def test_a_medium_that_lacks_room_for_the_last_of_the_next_sets_is_told() -> None:
    found = filling_of("disk-a", 4 * 10 * MIB - 1, [a_set(10 * MIB)], planned(), {})

    assert found is not None
    assert (found.fits, found.full_on, found.needed_bytes) == (3, TODAY + WEEK * 4, 10 * MIB)
    assert str(found.describe()) == (
        "disk-a is full soon: 3 of its next 4 sets fit; that of 2026-12-23 needs about 10.0 MiB, but 10.0 MiB will be free"
    )


def test_what_the_rules_let_go_before_is_room() -> None:
    gone = a_set(10 * MIB)

    assert filling_of("disk-a", 30 * MIB, [gone], [old(gone, TODAY + WEEK * 4), *planned()], {}) is not None
    assert filling_of("disk-a", 30 * MIB, [gone], [old(gone, TODAY + WEEK * 3), *planned()], {}) is None
    assert filling_of("disk-b", 30 * MIB, [gone], [old(gone, TODAY + WEEK * 3), *planned()], {}) is not None
    assert filling_of("disk-a", 30 * MIB, [gone], planned(removed_on=TODAY + WEEK * 3), {}) is None


def test_a_set_that_is_marked_goes_when_its_time_to_undo_is_over() -> None:
    gone = a_set(10 * MIB)
    courses = [old(gone, None, marked_on=TODAY), *planned()]

    assert filling_of("disk-a", 30 * MIB, [gone], courses, {}) is not None
    assert filling_of("disk-a", 30 * MIB, [gone], courses, {gone.set.id: TODAY}) is None


@pytest.mark.parametrize(("kind", "fits"), [(SetKind.FULL, 1), (SetKind.DIFF, 3)])
def test_the_largest_of_the_newest_three_sets_of_its_kind_stands_for_the_next(kind: SetKind, fits: int) -> None:
    sets = [
        a_set(size * MIB, kind=each)
        for each, sizes in ((SetKind.FULL, (90, 10, 12, 11)), (SetKind.DIFF, (6, 5, 4)))
        for size in sizes
    ]

    found = filling_of("disk-a", 20 * MIB, sets, planned(kind), {})

    assert found is not None and found.fits == fits


def test_a_kind_that_was_never_made_takes_as_much_as_any() -> None:
    found = filling_of("disk-a", 25 * MIB, [a_set(10 * MIB)], planned(SetKind.DIFF), {})

    assert found is not None and found.fits == 2


def test_nothing_is_told_before_a_set_was_made() -> None:
    assert filling_of("disk-a", 0, [], planned(), {}) is None


@pytest.mark.parametrize(("every", "days"), [(Every.HOUR, 5), (Every.DAY, 5), (Every.WEEK, 29), (Every.MONTH, 125)])
def test_so_many_days_hold_the_next_sets(every: Every, days: int) -> None:
    found = days_ahead(every, TODAY)

    assert (found[0], len(found)) == (TODAY, days)
