"""What is known of a copy after looks of different depth, and until when each counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.model.backups import (
    BackupResult,
    BackupSet,
    Copy,
    CopyState,
    DrillResult,
    SetId,
    SetKind,
    VerifyLevel,
    VerifyResult,
)
from portalops.model.reading import DEPTHS, Reading, depth_words, limits_of, read_words, standing, with_reading
from portalops.model.record import Digest, Recorded
from portalops.model.rulebook import Numbers
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import CopyReports, SetEvidence, due_for_reading, expiring, fold_sets

MADE = datetime(2026, 1, 5, 19, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = limits_of(Numbers())
L1, L2, L3, L4 = DEPTHS


def copy(level: VerifyLevel = L2, at: datetime | None = MADE, *, state: CopyState = CopyState.VERIFIED) -> Copy:
    return Copy(SetId("demo-20260105T190000Z-full-0001"), "nas1", "disk", state, level, at)


def folded(*looks: Copy) -> SetEvidence:
    made = BackupSet(
        copy().set_id, SetKind.FULL, "demo", MADE, RunOutcome.COMPLETE, (), ("age1a", "age1b"), Digest("a" * 64), 9
    )
    recorded: list[Recorded[CopyReports]] = []
    for number, each in enumerate(looks, 20):
        body: CopyReports = DrillResult((each,)) if each.level in {L3, L4} else VerifyResult((each,))
        recorded.append(Recorded(number, each.verified_at or MADE + 99 * DAY, "", body))
    (found,) = fold_sets([Recorded(10, MADE, "", BackupResult(made, (copy(),)))], recorded)
    return found


def test_a_reading_after_a_drill_takes_nothing_from_what_the_drill_reached() -> None:
    made = folded(copy(L4, MADE + 10 * DAY), copy(L2, MADE + 20 * DAY))

    assert [(each.level, each.at - MADE, each.seq) for each in made.readings["nas1"]] == [
        (L1, 20 * DAY, 21),
        (L2, 20 * DAY, 21),
        (L3, 10 * DAY, 20),
        (L4, 10 * DAY, 20),
    ]
    fresh = made.freshness(made.copies[0], LIMITS, MADE + 30 * DAY)
    assert (fresh.level, fresh.deepest, fresh.read_at, fresh.expired) == (L4, L4, MADE + 20 * DAY, ())


def test_a_look_that_did_not_reach_the_copy_adds_nothing() -> None:
    seen = copy(L2, MADE + 20 * DAY)

    made = folded(seen, replace(seen, problem="not checked: nas1 is not mounted"))

    assert made.freshness(made.copies[0], LIMITS, MADE + 30 * DAY).read_at == MADE + 20 * DAY
    assert made.readings["nas1"][1].seq == 20


@pytest.mark.parametrize("state", [CopyState.DAMAGED, CopyState.FAILED])
def test_damage_ends_all_that_was_known_and_a_whole_copy_begins_anew(state: CopyState) -> None:
    lost = folded(copy(L4, MADE + 10 * DAY), copy(L4, None, state=state))
    again = folded(copy(L4, MADE + 10 * DAY), copy(L4, None, state=state), copy(L2, MADE + 120 * DAY))

    assert lost.readings["nas1"] == ()
    assert lost.freshness(lost.copies[0], LIMITS, MADE + 11 * DAY).deepest is VerifyLevel.NONE
    assert [each.level for each in again.readings["nas1"]] == [L1, L2], "L4 was of other bytes"


@pytest.mark.parametrize("state", [CopyState.FAILED, CopyState.DISPOSED])
def test_a_removed_copy_stays_removed_where_no_other_was_made(state: CopyState) -> None:
    removed = folded(copy(L2, None, state=CopyState.DISPOSED))
    tried = folded(copy(L2, None, state=CopyState.DISPOSED), copy(VerifyLevel.NONE, None, state=state))

    assert tried.copies == removed.copies
    assert tried.once_verified_copies() and tried.is_disposed


def test_a_depth_counts_to_its_last_moment_and_then_says_when_it_expired() -> None:
    made = folded()
    seen = made.copies[0]

    last = made.freshness(seen, LIMITS, MADE + 35 * DAY)
    after = made.freshness(seen, LIMITS, MADE + 35 * DAY + timedelta(seconds=1))

    assert last.is_fresh and last.due_at == MADE + 35 * DAY
    assert made.fresh_copies(LIMITS, MADE + 35 * DAY) == (seen,)
    assert not after.is_fresh and made.fresh_copies(LIMITS, MADE + 36 * DAY) == ()
    assert [(each.level, each.reached_at, each.expired_at) for each in after.expired] == [(L2, MADE, MADE + 35 * DAY)]
    assert str(depth_words(after)) == "expired on 2026-02-09 (L2: every byte read)"
    assert str(read_words(after, MADE + 36 * DAY)) == "read 36 days ago"


def test_a_copy_that_was_restored_long_ago_still_counts_as_read() -> None:
    made = folded(copy(L4, MADE), copy(L2, MADE + 190 * DAY))

    fresh = made.freshness(made.copies[0], LIMITS, MADE + 191 * DAY)

    assert (fresh.level, fresh.deepest) == (L2, L4)
    assert str(depth_words(fresh)) == "L2: every byte read (L4: restored and queried: expired on 2026-07-09)"


def test_a_copy_that_was_restored_and_not_read_since_is_none_that_is_known_to_be_whole() -> None:
    made = folded(copy(L4, MADE))

    fresh = made.freshness(made.copies[0], LIMITS, MADE + 60 * DAY)

    assert (fresh.level, fresh.deepest, [each.level for each in fresh.expired]) == (VerifyLevel.NONE, L4, [L2])


def test_a_differential_counts_no_longer_than_its_base() -> None:
    base = folded()
    diff = replace(
        base, set=replace(base.set, kind=SetKind.DIFF), base=base, copies=(copy(L2, MADE + 30 * DAY),), readings={}
    )

    assert diff.fresh_copies(LIMITS, MADE + 31 * DAY) != ()
    assert diff.verified_copies() != () and diff.fresh_copies(LIMITS, MADE + 36 * DAY) == ()


@given(st.lists(st.tuples(st.sampled_from([L2, L3, L4]), st.integers(0, 400)), max_size=12), st.integers(0, 800))
def test_no_look_ever_makes_a_copy_worth_less(looks: list[tuple[VerifyLevel, int]], later: int) -> None:
    now = MADE + later * DAY
    readings: tuple[Reading, ...] = ()
    before = standing(readings, LIMITS, now)
    for number, (level, day) in enumerate(looks):
        readings = with_reading(readings, copy(level, MADE + day * DAY), number)
        fresh = standing(readings, LIMITS, now)
        order = [VerifyLevel.NONE, *DEPTHS]
        assert order.index(fresh.level) >= order.index(before.level)
        assert order.index(fresh.deepest) >= order.index(before.deepest)
        assert order.index(fresh.level) <= order.index(fresh.deepest)
        before = fresh


def _sets(count: int) -> tuple[SetEvidence, ...]:
    """A set a week, each read when it was made."""
    found = []
    for number in range(count):
        made = folded()
        at = MADE + number * 7 * DAY
        name = SetId(f"set-{number:03}")
        kept = replace(made.set, id=name, created_at=at)
        found.append(replace(made, set=kept, copies=(replace(copy(L2, at), set_id=name),), readings={}))
    return tuple(found)


@pytest.mark.parametrize(("every", "count"), [(7 * DAY, 52), (DAY, 200), (7 * DAY, 3), (31 * DAY, 12)])
def test_nothing_expires_as_long_as_the_job_runs(every: timedelta, count: int) -> None:
    sets = list(_sets(count))
    now = MADE + count * 7 * DAY
    for made in sets:  # all within the last turns, as a job that ran until now leaves them
        age = timedelta(days=(sets.index(made) * 7) % 28)
        sets[sets.index(made)] = replace(made, copies=(replace(made.copies[0], verified_at=now - age),))
    for _run in range(12):
        now += every
        chosen = {copy.set_id for _made, copy in due_for_reading(sets, every=every, limit=LIMITS[L2])}
        expired = [made.set.id for made in sets if made.freshness(made.copies[0], LIMITS, now).expired]
        assert set(expired) <= chosen, "what expires on the day of the run is read on that day"
        sets = [
            replace(made, copies=(replace(made.copies[0], verified_at=now),)) if made.set.id in chosen else made
            for made in sets
        ]
    assert all(made.fresh_copies(LIMITS, now) for made in sets)


def test_each_run_reads_about_the_same_amount() -> None:
    chosen = due_for_reading(_sets(52), every=7 * DAY, limit=35 * DAY)

    assert len(chosen) == 14, "the newest one, and 13 of 52 in each of four weeks"
    assert [made.set.id for made, _copy in chosen][1:4] == ["set-000", "set-001", "set-002"], "what expires first"


def test_copies_that_expire_are_counted_by_medium() -> None:
    sets = _sets(10)

    found = expiring(sets, LIMITS, MADE + 66 * DAY)["nas1"]

    assert (found.expired, found.soon) == (5, 1)
    assert found.next_at == MADE + (35 + 35) * DAY
