"""Which sets are kept, and why: the policy alone, without a ledger or a medium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.retention import RetentionCandidate, Rhythm, candidates_of, compare, decide, is_of, outranking, simulate
from portalops.model.backups import BackupResult, CopyState, DataClass, SetId, SetKind
from portalops.model.record import Digest, Recorded
from portalops.model.retention import RetentionPolicy
from portalops.model.runs import Every
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import fold_sets
from tests.compliance.test_rules import backup, copy

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
WEEKS = RetentionPolicy(keep_weekly=4)


def a_set(
    age_days: float, *, good: bool = True, read: bool = True, job: str = "weekly", **more: object
) -> RetentionCandidate:
    at = NOW - timedelta(days=age_days)
    name = SetId(f"demo-{at:%Y%m%dT%H%M%SZ}-full-{job}")
    made = RetentionCandidate(name, job, at, at, SetKind.FULL, Digest(name), None, good, read, has_documents=False)
    return replace(made, **more)  # type: ignore[arg-type]  # names are checked by replace itself


def a_diff(age_days: float, base: RetentionCandidate, **more: object) -> RetentionCandidate:
    made = a_set(age_days, kind=SetKind.DIFF, base=base.bag_sha256, **more)  # type: ignore[arg-type]
    return replace(made, set_id=SetId(f"{made.set_id}-d"), bag_sha256=Digest(f"{made.set_id}-d"))


def kept(
    policy: RetentionPolicy,
    sets: Sequence[RetentionCandidate],
    *,
    holds: dict[SetId, str] | None = None,
    approved: frozenset[SetId] = frozenset(),
) -> list[RetentionCandidate]:
    fates = decide(policy, sets, holds=holds or {}, approved=approved, now=NOW, zone=ZONE)
    return [each for each, fate in zip(sets, fates, strict=True) if fate.is_kept]


def reasons(
    policy: RetentionPolicy, sets: Sequence[RetentionCandidate], of: RetentionCandidate, **more: dict[SetId, str]
) -> str:
    fates = decide(policy, sets, holds=more.get("holds", {}), approved=(), now=NOW, zone=ZONE)
    return "; ".join(str(reason) for fate in fates if fate.set_id == of.set_id for reason in fate.reasons)


def test_an_empty_policy_keeps_everything() -> None:
    sets = [a_set(4000), a_set(1)]

    assert kept(RetentionPolicy(), sets) == sets


def test_rules_are_a_union() -> None:
    sets = [a_set(days) for days in (400, 40, 20, 12, 5, 1)]

    assert kept(RetentionPolicy(keep_last=2), sets) == sets[-2:]
    assert kept(RetentionPolicy(keep_within_days=15), sets) == sets[-3:]
    assert kept(RetentionPolicy(keep_last=2, keep_within_days=25), sets) == sets[-4:]


def test_counts_take_the_newest_good_set_of_each_period_in_the_portals_zone() -> None:
    # 2026-11-22 is a Sunday: 16:30 in UTC is 23:30 there, 17:30 is Monday of the next week there.
    sunday = a_set(0, created_at=datetime(2026, 11, 22, 16, 30, tzinfo=UTC))
    monday = a_set(0, created_at=datetime(2026, 11, 22, 17, 30, tzinfo=UTC))
    sunday, monday = (replace(each, set_id=SetId(str(each.created_at))) for each in (sunday, monday))
    sets = [a_set(10), sunday, monday]

    assert kept(RetentionPolicy(keep_weekly=2), sets) == [sunday, monday]


def test_a_count_that_is_not_filled_keeps_the_oldest_as_well() -> None:
    sets = [a_set(days) for days in (9, 8, 1)]

    assert kept(RetentionPolicy(keep_yearly=5), sets) == [sets[0], sets[2]]
    assert "fewer than 5 such periods" in reasons(RetentionPolicy(keep_yearly=5), sets, sets[0])


def test_bad_sets_fill_no_count_and_go_once_a_good_one_is_newer() -> None:
    bad = [a_set(days, good=False) for days in (6, 5, 4)]
    sets = [a_set(30), a_set(20), *bad, a_set(3)]

    assert kept(RetentionPolicy(keep_last=2), sets) == [sets[1], sets[-1]]
    assert "but the newer set" in reasons(RetentionPolicy(keep_last=2), sets, bad[0])


def test_many_garbage_sets_push_no_good_one_out() -> None:
    good = [a_set(days) for days in (28, 21, 14, 7)]
    garbage = [a_set(6 - n / 100, good=False) for n in range(500)]

    assert set(good) <= set(kept(WEEKS, [*good, *garbage]))


def test_the_last_good_set_stays_and_all_that_is_newer() -> None:
    sets = [a_set(900), a_set(800), a_set(700, good=False), a_set(600, good=False, read=False)]

    assert kept(RetentionPolicy(keep_within_days=1), sets) == sets[1:]


def test_without_any_good_set_nothing_goes() -> None:
    sets = [a_set(900, good=False), a_set(800, good=False)]

    assert kept(RetentionPolicy(keep_within_days=1), sets) == sets


def test_the_good_set_before_one_that_nobody_has_read_stays() -> None:
    before, unread = a_set(50), a_set(40, good=False, read=False)
    sets = [a_set(60), before, unread, a_set(2), a_set(1)]

    assert kept(RetentionPolicy(keep_last=1), sets) == [before, sets[-1]]
    assert "has not been read back" in reasons(RetentionPolicy(keep_last=1), sets, before)


def test_a_base_stays_as_long_as_what_builds_on_it() -> None:
    old_base, base = a_set(40), a_set(10)
    sets = [old_base, a_diff(39, old_base), base, a_diff(9, base), a_diff(8, base)]

    assert kept(RetentionPolicy(keep_last=1), sets) == [base, sets[-1]]
    assert "needs it as its base" in reasons(RetentionPolicy(keep_last=1), sets, base)


def test_a_hold_keeps_a_set_and_its_base() -> None:
    base = a_set(40)
    sets = [base, a_diff(39, base), a_diff(38, base), a_set(1)]
    holds = {sets[1].set_id: "inspection"}

    assert kept(RetentionPolicy(keep_last=1), sets, holds=holds) == [base, sets[1], sets[3]]
    assert reasons(RetentionPolicy(keep_last=1), sets, sets[1], holds=holds) == "held: inspection"


def test_documents_go_by_an_approved_list_alone() -> None:
    sets = [a_set(40, has_documents=True), a_set(30, has_documents=True), a_set(1, has_documents=True)]

    assert kept(RetentionPolicy(keep_last=1), sets) == sets
    assert kept(RetentionPolicy(keep_last=1), sets, approved=frozenset({sets[0].set_id})) == sets[1:]


def test_an_approved_list_does_not_remove_what_a_rule_keeps() -> None:
    sets = [a_set(3, has_documents=True), a_set(1, has_documents=True)]

    assert kept(RetentionPolicy(keep_last=2), sets, approved=frozenset(each.set_id for each in sets)) == sets


def test_a_set_of_the_future_counts_for_nothing_and_stays() -> None:
    future = a_set(-3)
    sets = [a_set(9), a_set(2), future]

    assert kept(RetentionPolicy(keep_last=1), sets) == sets[1:]
    assert "in the future" in reasons(RetentionPolicy(keep_last=1), sets, future)


def test_each_job_is_counted_apart() -> None:
    sets = [a_set(9, job="a"), a_set(8, job="b"), a_set(2, job="a"), a_set(1, job="a")]

    assert kept(RetentionPolicy(keep_last=1), sets) == [sets[1], sets[3]]


def test_a_window_keeps_what_is_exactly_as_old() -> None:
    sets = [a_set(15.1), a_set(15), a_set(1)]

    assert kept(RetentionPolicy(keep_within_days=15), sets) == sets[1:]


def test_a_set_of_this_very_moment_is_not_of_the_future() -> None:
    sets = [a_set(5), a_set(0)]

    assert kept(RetentionPolicy(keep_last=1), sets) == sets[1:]


def test_the_good_set_before_an_unread_one_may_lie_behind_a_bad_one() -> None:
    good, bad, unread = a_set(50), a_set(45, good=False), a_set(40, good=False, read=False)

    assert kept(RetentionPolicy(keep_last=1), [good, bad, unread, a_set(1)])[0] == good
    assert kept(RetentionPolicy(keep_last=1), [bad, unread, a_set(1)]) == [a_set(1)]


def test_a_bad_set_goes_for_a_newer_good_one_of_its_own_job() -> None:
    bad, good, other = a_set(9, good=False), a_set(5), a_set(1, job="another")

    assert f"the newer set {good.set_id} is" in reasons(RetentionPolicy(keep_last=1), [bad, good, other], bad)


def test_of_two_sets_of_one_moment_the_id_decides_which_is_newer() -> None:
    good = a_set(5)
    bad = replace(a_set(5, good=False), set_id=SetId("a-bad-one"))

    assert kept(RetentionPolicy(keep_last=1), [bad, good]) == [good]


def test_each_reason_names_what_it_rests_on() -> None:
    base, unread, last = a_set(20), a_set(10, good=False, read=False), a_set(1)
    sets = [base, a_diff(19, base), unread, last]
    policy = RetentionPolicy(keep_last=2, keep_weekly=1, keep_yearly=2, keep_within_days=3)

    assert reasons(policy, sets, last) == (
        "not older than 3 days; one of the newest 2; the newest of 2026-W48; the newest of 2026;"
        " the newest complete and verified set"
    )
    assert reasons(policy, sets, base) == (
        f"the oldest, because there are fewer than 2 such periods; set {sets[1].set_id} needs it as its base"
    )
    assert f"the last good set before {unread.set_id}, which has not been read back yet" in reasons(
        policy, sets, sets[1]
    )


# --- what the rules know of a recorded set ----------------------------------------------------


def recorded(**changes: object) -> Recorded[BackupResult]:
    """Return a whole, verified set of the class `content` as the ledger holds it, with some fields changed."""
    made = backup(NOW - timedelta(hours=2))
    assert made.body.set is not None
    run, copies = changes.pop("run", made.run), changes.pop("copies", made.body.copies)
    body = replace(made.body, set=replace(made.body.set, **changes), copies=copies)  # type: ignore[arg-type]
    return Recorded(made.seq, NOW, str(run), body)


def test_a_recorded_set_is_a_candidate_with_all_that_the_rules_ask_for() -> None:
    (found,) = candidates_of(fold_sets([recorded()], []))

    assert found == RetentionCandidate(
        SetId("s1"), "weekly", NOW - timedelta(hours=2), NOW, SetKind.FULL, Digest("0" * 64), None,
        is_good=True, is_read=True, has_documents=False,
    )  # fmt: skip


def test_a_differential_names_its_base_and_is_good_with_it_alone() -> None:
    base = Digest("b" * 64)

    (found,) = candidates_of(fold_sets([recorded(kind=SetKind.DIFF, base=base)], []))

    assert (found.kind, found.base, found.is_good, found.is_read) == (SetKind.DIFF, base, False, False)


@pytest.mark.parametrize(
    ("changes", "is_good", "is_read"),
    [
        ({"outcome": RunOutcome.INCOMPLETE}, False, True),
        ({"copies": (copy(CopyState.SEALED),)}, False, False),
        ({"copies": (copy(CopyState.DAMAGED),)}, False, False),
        ({"copies": (copy(CopyState.DISPOSED), replace(copy(), medium="nas2"))}, True, True),
    ],
)
def test_a_set_is_good_that_is_whole_and_was_read_back(
    changes: dict[str, object], is_good: bool, is_read: bool
) -> None:
    (found,) = candidates_of(fold_sets([recorded(**changes)], []))

    assert (found.is_good, found.is_read) == (is_good, is_read)


def test_a_set_of_which_no_copy_is_left_is_no_candidate() -> None:
    assert candidates_of(fold_sets([recorded(copies=(copy(CopyState.DISPOSED),))], [])) == ()


def test_a_set_holds_documents_if_one_of_its_streams_does() -> None:
    made = recorded()
    assert made.body.set is not None
    content = made.body.set.streams[0]
    streams = (content, replace(content, name="files", data_class=DataClass.DOCUMENTS))

    (found,) = candidates_of(fold_sets([recorded(streams=streams)], []))

    assert found.has_documents


def test_a_run_of_no_known_name_stands_for_no_job() -> None:
    (found,) = candidates_of(fold_sets([recorded(run="by-hand")], []))

    assert found.job == ""


some_sets = st.lists(
    st.builds(
        lambda days, good, read, documents, job: a_set(
            days, good=good and read, read=read, has_documents=documents, job=job
        ),
        st.integers(-2, 800),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.sampled_from(("a", "b")),
    ),
    max_size=12,
    unique_by=lambda each: each.set_id,
)
policies = st.builds(RetentionPolicy, *(st.integers(0, 3) for _ in range(4)), st.integers(0, 60))


@given(policies, some_sets, st.data())
def test_whatever_the_policy_nothing_goes_that_must_stay(
    policy: RetentionPolicy, fulls: list[RetentionCandidate], data: st.DataObject
) -> None:
    sets = sorted(fulls, key=lambda each: each.created_at)
    if sets:
        for base in data.draw(st.lists(st.sampled_from(sets), max_size=3, unique_by=lambda each: each.set_id)):
            sets.append(
                a_diff((NOW - base.created_at) / timedelta(days=1) - 0.5, base, job=base.job, good=base.is_good)
            )
    held = data.draw(st.sets(st.sampled_from(sets))) if sets else set()
    holds = {each.set_id: "x" for each in held}

    stays = kept(policy, sets, holds=holds)

    names = {each.set_id for each in stays}
    gone = [each for each in sets if each.set_id not in names]
    assert not {each.set_id for each in held} - names
    assert not any(each.has_documents for each in gone)
    assert all(each.bag_sha256 != one.base for one in stays for each in gone)
    for each in gone:
        later = [one for one in stays if one.job == each.job and one.is_good and one.created_at > each.created_at]
        assert later, "a good set that is newer stays"
    assert not (policy.is_empty and gone)


# --- what a medium lists ----------------------------------------------------------------------


def test_a_listing_is_compared_with_the_ledger() -> None:
    name = SetId("p-20261120T000000Z-full-aaaaaa")

    def with_state(state: CopyState) -> object:
        made = backup(NOW)
        assert made.body.set is not None
        body = replace(
            made.body,
            set=replace(made.body.set, id=name),
            copies=(replace(copy(state), set_id=name, medium="nas1"),),
        )
        return Recorded(made.seq, made.at, made.run, body)

    def sets(state: CopyState) -> object:
        return tuple(fold_sets([with_state(state)], []))  # type: ignore[list-item]

    other = SetId("q-20261120T000000Z-full-aaaaaa")
    assert compare("p", "nas1", [name, other], sets(CopyState.VERIFIED)).is_none  # type: ignore[arg-type]
    assert compare("p", "nas1", [], sets(CopyState.VERIFIED)).missing == (name,)  # type: ignore[arg-type]
    assert compare("p", "nas1", [], sets(CopyState.DAMAGED)).is_none  # type: ignore[arg-type]
    assert compare("p", "nas1", [name], sets(CopyState.DISPOSED)).unknown == (name,)  # type: ignore[arg-type]
    assert compare("p", "nas1", [name], ()).unknown == (name,)


@pytest.mark.parametrize(
    ("name", "is_portals"),
    [
        ("p-20261120T000000Z-full-aaaaaa", True),
        ("p-q-20261120T000000Z-full-aaaaaa", False),
        ("p-full-aaaaaa", False),
    ],
)
def test_a_sets_name_tells_its_portal(name: str, is_portals: bool) -> None:
    assert is_of("p", SetId(name)) is is_portals
    assert is_of("p-q", SetId(name)) is name.startswith("p-q-")


# --- over time --------------------------------------------------------------------------------


def test_the_simulator_tells_the_day_on_which_each_set_goes() -> None:
    policy = RetentionPolicy(keep_last=2, undo_days=7)
    sets = [a_set(14), a_set(7)]
    days = [date(2026, 11, 25) + timedelta(days=n) for n in range(30)]
    rhythm = Rhythm(Every.WEEK, None, "weekly", has_documents=False)

    courses = simulate(policy, sets, rhythm, holds={}, approved=(), days=days, now=NOW, zone=ZONE)

    first, second, *planned = courses
    assert first.set_id == sets[0].set_id
    assert [each.made_on for each in planned] == [
        date(2026, 11, 26), date(2026, 11, 30), date(2026, 12, 7), date(2026, 12, 14), date(2026, 12, 21)
    ]  # fmt: skip
    assert (first.marked_on, first.removed_on) == (date(2026, 11, 26), date(2026, 12, 3))
    assert (second.marked_on, second.removed_on) == (date(2026, 11, 30), date(2026, 12, 7))
    assert all(each.removed_on is None for each in planned[-2:])


def test_a_simulated_rhythm_of_differentials_keeps_its_bases() -> None:
    policy = RetentionPolicy(keep_last=3, undo_days=1)
    days = [date(2026, 11, 25) + timedelta(days=n) for n in range(40)]
    rhythm = Rhythm(Every.DAY, Every.WEEK, "daily", has_documents=False)

    courses = simulate(policy, [], rhythm, holds={}, approved=(), days=days, now=NOW, zone=ZONE)

    there = [each for each in courses if each.marked_on is None]
    assert sum(str(each.set_id).endswith("full") for each in there) >= 1
    assert 3 <= len(there) <= 4


@pytest.mark.parametrize("days", [0, 1])
def test_a_simulation_of_no_or_one_day_is_one(days: int) -> None:
    courses = simulate(WEEKS, [a_set(3)], None, holds={}, approved=(), days=[NOW.date()][:days], now=NOW, zone=ZONE)

    assert len(courses) == days


def test_a_day_is_judged_at_its_last_second() -> None:
    policy = RetentionPolicy(keep_last=1)
    days = [date(2026, 11, 21) + timedelta(days=n) for n in range(4)]
    midnight = datetime(2026, 11, 22, tzinfo=ZONE)

    def marked_on(newer_at: datetime) -> date | None:
        sets = [a_set(30), a_set(0, created_at=newer_at, recorded_at=newer_at, set_id=SetId("newer"))]
        older, _newer = simulate(policy, sets, None, holds={}, approved=(), days=days, now=NOW, zone=ZONE)
        return older.marked_on

    assert marked_on(midnight - timedelta(seconds=1)) == date(2026, 11, 21)
    assert marked_on(midnight) == date(2026, 11, 22)


def test_a_mark_tells_its_reason_from_its_first_day_on() -> None:
    sets = [a_set(3), a_set(1)]

    old, new = simulate(
        RetentionPolicy(keep_last=1), sets, None, holds={}, approved=(), days=[NOW.date()], now=NOW, zone=ZONE
    )

    assert (old.marked_on, [str(each) for each in old.reasons]) == (NOW.date(), ["no rule keeps it"])
    assert (new.marked_on, str(new.reasons[0])) == (None, "one of the newest 1")


def test_a_simulation_shows_sets_made_up_to_its_last_day_in_the_portals_zone() -> None:
    # 16:59 in UTC is 23:59 there, 17:00 is the next day there
    sets = [a_set(0, created_at=datetime(2026, 11, 24, *clock, tzinfo=UTC)) for clock in ((16, 59), (17, 0))]

    courses = simulate(WEEKS, sets, None, holds={}, approved=(), days=[date(2026, 11, 24)], now=NOW, zone=ZONE)

    assert [each.made_on for each in courses] == [date(2026, 11, 24)]


def planned(
    rhythm: Rhythm, sets: Sequence[RetentionCandidate] = (), *, now: datetime = NOW, days: int = 8
) -> list[str]:
    """Return the names of the sets that a rhythm adds from the day of `now` on."""
    span = [now.date() + timedelta(days=n) for n in range(days)]
    courses = simulate(WEEKS, sets, rhythm, holds={}, approved=(), days=span, now=now, zone=ZONE)
    return [str(each.set_id).removeprefix("planned-") for each in courses if each.is_planned]


def test_a_rhythm_of_differentials_begins_each_of_its_slots_with_a_full_set() -> None:
    assert planned(Rhythm(Every.DAY, Every.WEEK, "daily", has_documents=False)) == [
        *("20261126-full", "20261127-diff", "20261128-diff", "20261129-diff"),
        *("20261130-full", "20261201-diff", "20261202-diff"),
    ]


def test_a_rhythm_without_differentials_has_full_sets_alone() -> None:
    assert planned(Rhythm(Every.DAY, None, "daily", has_documents=False), days=4) == [
        "20261126-full", "20261127-full", "20261128-full"
    ]  # fmt: skip


def test_a_rhythm_begins_on_the_day_after_now_in_the_portals_zone() -> None:
    evening = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)  # the 26th there

    assert planned(Rhythm(Every.DAY, None, "daily", has_documents=False), now=evening, days=3) == ["20261127-full"]


def test_a_slot_in_which_a_set_was_made_gets_no_other() -> None:
    monday = a_set(0, created_at=datetime(2026, 11, 29, 18, 0, tzinfo=UTC))  # Monday the 30th there

    assert planned(Rhythm(Every.WEEK, None, "weekly", has_documents=False), [monday], days=10) == ["20261126-full"]


def outranked(policy: RetentionPolicy, sets: Sequence[RetentionCandidate]) -> tuple[set[SetId], set[SetId]]:
    kept_ids = {each.set_id for each in kept(policy, sets)}
    going = {each.set_id for each in sets} - kept_ids
    newest, others = outranking(policy, sets, going, now=NOW, zone=ZONE)
    return set(newest), set(others)


def test_a_set_that_goes_relies_on_all_that_a_count_of_the_newest_has() -> None:
    sets = [a_set(age) for age in (40, 30, 20, 10, 1)]

    assert outranked(RetentionPolicy(keep_last=3), sets) == ({sets[4].set_id}, {sets[2].set_id, sets[3].set_id})


def test_a_set_that_goes_relies_on_the_newest_of_its_own_week_alone() -> None:
    sets = [a_set(age) for age in (30, 15.5, 15, 8, 1)]

    assert outranked(RetentionPolicy(keep_weekly=9), sets) == ({sets[4].set_id}, {sets[2].set_id})


def test_nothing_that_stays_is_relied_on_where_nothing_goes() -> None:
    assert outranked(RetentionPolicy(keep_last=3), [a_set(2), a_set(1)]) == (set(), set())


def test_a_set_that_is_not_good_goes_for_the_newest_alone() -> None:
    sets = [a_set(40, good=False), a_set(20), a_set(1)]

    assert outranked(RetentionPolicy(keep_last=2), sets) == ({sets[2].set_id}, set())
