"""From the records of a change to how it stands, in which order it went, and what falls under it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.servers.probes import own_changes
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.changes import (
    ChangeApproval,
    ChangeBegun,
    ChangeClosed,
    ChangeCorrected,
    ChangeDone,
    ChangeKind,
    ChangeNotice,
    ChangeOrder,
    ChangeRequest,
    ChangeState,
    StepOrder,
)
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.registers.changes import (
    APPROVED,
    BEGUN,
    CLOSED,
    CORRECTED,
    DONE,
    KEYS,
    NOTIFIED,
    REQUESTED,
    Body,
    RecordedChange,
    fold_changes,
    overlapping,
    read_changes,
    refuse_approval,
    refuse_close,
    refuse_correction,
    refuse_end,
    refuse_notice,
    refuse_start,
)
from tests.doubles import FixedClock

ID = "CH-2026-001"
WEB, DATABASE = HostId("web1"), HostId("db1")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
DIGEST = Digest("9f" * 32)
ASKED = ChangeRequest(
    ID, ChangeKind.NORMAL, "nginx", "CVE", (WEB,), NOW + 10 * HOUR, NOW + 12 * HOUR, "old package", "An"
)
NOTICE = ChangeNotice(ID, "85/TTTT", NOW - HOUR, "mail", "Sở")
APPROVAL = ChangeApproval(ID, "512/UBND", date(2026, 11, 19), "UBND")
BEGUN_AT = ChangeBegun(ID, NOW + 10 * HOUR, "An")
DONE_AT = ChangeDone(ID, NOW + 11 * HOUR, "well", rolled_back=False)
CLOSING = ChangeClosed(ID, "", "An")


def folded(
    *each: Body | None, evidence: tuple[Digest, ...] = (DIGEST,), asked: ChangeRequest = ASKED
) -> RecordedChange:
    """Fold records of one hour after the other, the request first."""
    rows = ((n, NOW + n * HOUR, ID, body, evidence) for n, body in enumerate((asked, *each), 1))
    return fold_changes(rows).changes[ID]


def test_state_is_what_the_last_step_made_it_and_names_its_record() -> None:
    steps: tuple[Body, ...] = (NOTICE, APPROVAL, BEGUN_AT, DONE_AT, CLOSING)

    seen = [(folded(*steps[:n]).state, folded(*steps[:n]).state_seq) for n in range(6)]

    assert seen == [(state, n) for n, state in enumerate(ChangeState, 1)]


def test_change_that_went_as_it_should_is_kept() -> None:
    open_, closed = folded(NOTICE, APPROVAL, BEGUN_AT, DONE_AT), folded(NOTICE, APPROVAL, BEGUN_AT, DONE_AT, CLOSING)

    assert [each.order().judged(NOW + 100 * HOUR) for each in (open_, closed)] == [StepOrder.KEPT] * 2
    assert open_.order().covers() == (ASKED.begins_at, ASKED.ends_at)


def test_change_that_is_closed_covers_nothing_from_then_on() -> None:
    rows: list[Body] = [ASKED, NOTICE, APPROVAL, BEGUN_AT, DONE_AT, CLOSING]
    times = [*(NOW + n * HOUR for n in range(3)), ASKED.begins_at, DONE_AT.ended_at, DONE_AT.ended_at + HOUR / 2]
    change = fold_changes((n, at, ID, body, (DIGEST,)) for n, (at, body) in enumerate(zip(times, rows, strict=True)))

    assert change.changes[ID].order().covers() == (ASKED.begins_at, times[-1])


def test_nothing_is_judged_before_the_window_and_an_open_window_without_approval_is_evidence() -> None:
    order = folded(NOTICE).order()

    assert order.judged(ASKED.begins_at - HOUR) is StepOrder.AHEAD
    assert order.judged(ASKED.begins_at) is StepOrder.EVIDENCE_FIRST
    assert order.covers() is None


def test_record_of_the_approval_counts_and_not_the_day_on_the_document() -> None:
    begun = ChangeBegun(ID, NOW + 2 * HOUR, "An")  # between the records of notice and approval

    order = folded(NOTICE, APPROVAL, begun, asked=replace(ASKED, begins_at=NOW, ends_at=NOW + 20 * HOUR)).order()

    assert APPROVAL.decided_on < begun.began_at.date()
    assert order.judged(NOW + 100 * HOUR) is StepOrder.EVIDENCE_FIRST
    assert order.covers() == (NOW + 3 * HOUR, NOW + 20 * HOUR)


def test_emergency_is_late_until_it_is_approved_and_regularised_from_then_on() -> None:
    asked = replace(ASKED, kind=ChangeKind.EMERGENCY, begins_at=NOW)
    begun = ChangeBegun(ID, NOW, "An")

    assert folded(begun, asked=asked).order().judged(NOW + HOUR) is StepOrder.EVIDENCE_FIRST
    assert folded(begun, asked=asked).order().covers() is None
    after = folded(begun, NOTICE, APPROVAL, DONE_AT, asked=asked).order()
    assert after.judged(NOW + 100 * HOUR) is StepOrder.REGULARISED
    assert after.covers() == (NOW, DONE_AT.ended_at)


def test_emergency_covers_nothing_outside_of_the_window_that_was_asked_for() -> None:
    asked = replace(ASKED, kind=ChangeKind.EMERGENCY)
    early = ChangeBegun(ID, ASKED.begins_at - 9 * HOUR, "An")
    late = ChangeDone(ID, ASKED.ends_at + 9 * HOUR, "well", rolled_back=False)

    assert folded(early, NOTICE, APPROVAL, late, asked=asked).order().covers() == (ASKED.begins_at, ASKED.ends_at)
    assert refuse_start(folded(asked=asked), early.began_at) is None
    assert folded(early, NOTICE, APPROVAL, replace(late, ended_at=NOW), asked=asked).order().covers() is None


def test_decision_that_is_not_kept_proves_nothing_until_it_is_added() -> None:
    without = folded(NOTICE, APPROVAL, BEGUN_AT, evidence=())
    every: tuple[Body, ...] = (ASKED, NOTICE, APPROVAL, BEGUN_AT, APPROVAL)
    rows = ((n, NOW + n * HOUR, ID, body, (DIGEST,) if n == 5 else ()) for n, body in enumerate(every, 1))
    added = fold_changes(rows).changes[ID]

    assert without.order().judged(NOW + 100 * HOUR) is StepOrder.UNPROVEN
    assert added.order().judged(NOW + 100 * HOUR) is StepOrder.KEPT
    assert added.approval is not None
    assert added.approval.seq == 3  # the time of the first record


def test_another_decision_takes_the_place_of_the_first_from_its_own_record_on() -> None:
    other = replace(APPROVAL, document="600/UBND")

    assert folded(NOTICE, APPROVAL, BEGUN_AT, other).order().judged(NOW + 100 * HOUR) is StepOrder.KEPT
    late = replace(BEGUN_AT, began_at=NOW + 4 * HOUR)
    assert folded(NOTICE, APPROVAL, late, other).order().judged(NOW + 100 * HOUR) is StepOrder.EVIDENCE_FIRST


def test_change_that_was_not_made_covers_nothing_and_is_not_judged() -> None:
    order = folded(NOTICE, APPROVAL, CLOSING).order()

    assert order.covers() is None
    assert order.judged(NOW + 100 * HOUR) is StepOrder.AHEAD


def test_standing_approval_holds_until_it_is_closed() -> None:
    asked = replace(ASKED, kind=ChangeKind.STANDING, begins_at=NOW, ends_at=NOW + 1000 * HOUR, packages=("*",))

    assert folded(NOTICE, APPROVAL, asked=asked).order().covers() == (NOW + 3 * HOUR, NOW + 1000 * HOUR)
    assert folded(NOTICE, APPROVAL, CLOSING, asked=asked).order().covers() == (NOW + 3 * HOUR, NOW + 4 * HOUR)
    assert folded(NOTICE, asked=asked).order().judged(NOW + HOUR) is StepOrder.AHEAD


def test_moves_are_permitted_only_from_the_states_that_permit_them() -> None:
    asked, notified = folded(), folded(NOTICE)
    approved, begun = folded(NOTICE, APPROVAL), folded(NOTICE, APPROVAL, BEGUN_AT)
    done, closed = folded(NOTICE, APPROVAL, BEGUN_AT, DONE_AT), folded(NOTICE, APPROVAL, BEGUN_AT, DONE_AT, CLOSING)
    every = (asked, notified, approved, begun, done, closed)
    inside, other = ASKED.begins_at, replace(APPROVAL, document="600/UBND")

    another = replace(NOTICE, document="86/TTTT")
    assert [refuse_notice(each, another) is None for each in every] == [True, True, False, False, False, False]
    assert [refuse_notice(each, NOTICE) is None for each in every] == [True, True, True, True, True, False]
    assert [refuse_approval(each, other) is None for each in every] == [False, True, True, False, False, False]
    assert [refuse_approval(each, APPROVAL) is None for each in every] == [False, True, True, True, True, False]
    assert [refuse_start(each, inside) is None for each in every] == [False, False, True, False, False, False]
    assert [refuse_end(each, NOW + 11 * HOUR) is None for each in every] == [False, False, False, True, False, False]
    assert [refuse_close(each, "") is None for each in every] == [False, False, False, False, True, False]
    assert [refuse_close(each, "put off") is None for each in every] == [True, True, True, False, True, False]


def test_start_outside_of_the_window_or_before_the_approval_is_refused() -> None:
    approved = folded(NOTICE, APPROVAL)

    assert "outside the window" in str(refuse_start(approved, ASKED.ends_at + HOUR))
    assert "was approved by record 3" in str(refuse_start(approved, NOW + 2 * HOUR))
    assert "after" in str(refuse_end(folded(NOTICE, APPROVAL, BEGUN_AT), NOW))


def test_emergency_is_not_closed_in_silence_without_approval() -> None:
    asked = replace(ASKED, kind=ChangeKind.EMERGENCY)
    done = folded(BEGUN_AT, DONE_AT, asked=asked)

    assert refuse_close(done, "") is not None
    assert refuse_close(done, "the Committee refused") is None
    closed = folded(BEGUN_AT, DONE_AT, ChangeClosed(ID, "refused", "An"), asked=asked)
    assert closed.order().judged(NOW + 100 * HOUR) is StepOrder.EVIDENCE_FIRST


@pytest.mark.parametrize(
    ("kind", "steps", "verb"),
    [
        (ChangeKind.NORMAL, (), "notify"),
        (ChangeKind.NORMAL, (NOTICE,), "approve"),
        (ChangeKind.NORMAL, (NOTICE, APPROVAL), "start"),
        (ChangeKind.NORMAL, (NOTICE, APPROVAL, BEGUN_AT), "finish"),
        (ChangeKind.NORMAL, (NOTICE, APPROVAL, BEGUN_AT, DONE_AT), "close"),
        (ChangeKind.NORMAL, (NOTICE, APPROVAL, BEGUN_AT, DONE_AT, CLOSING), None),
        (ChangeKind.EMERGENCY, (), "start"),
        (ChangeKind.EMERGENCY, (BEGUN_AT, DONE_AT), "notify"),
        (ChangeKind.STANDING, (NOTICE,), "approve"),
        (ChangeKind.STANDING, (NOTICE, APPROVAL), None),
    ],
)
def test_next_step_is_what_is_missing(kind: ChangeKind, steps: tuple[Body, ...], verb: str | None) -> None:
    assert folded(*steps, asked=replace(ASKED, kind=kind)).next_step == verb


def test_paper_in_whose_place_another_was_recorded_is_still_named() -> None:
    change = folded(NOTICE, APPROVAL, replace(APPROVAL, document="600/UBND"))

    assert [(step.seq, by) for step, by in change.replaced] == [(3, 4)]


OTHER = replace(ASKED, hosts=(DATABASE,), what="php")
ASKED_ANEW = ChangeCorrected(ID, "wrong host", "An", asked=OTHER)
RENAMED = ChangeCorrected(ID, "mistyped", "An", approval=replace(APPROVAL, document="521/UBND"))
RESENT = ChangeCorrected(ID, "mistyped", "An", notice=replace(NOTICE, document="58/TTTT"))


def test_correction_of_what_is_asked_for_voids_notice_and_approval_and_makes_the_state() -> None:
    change = folded(NOTICE, APPROVAL, ASKED_ANEW)

    assert (change.state, change.state_seq, change.request.body) == (ChangeState.REQUESTED, 4, OTHER)
    assert [step.seq for step in change.corrections[0].voided] == [2, 3]
    assert (change.originally, change.request.seq, change.order().requested_seq) == (ASKED, 1, 4)
    assert change.order().covers() is None


def test_papers_of_before_a_correction_count_from_their_new_record_on() -> None:
    change = folded(NOTICE, APPROVAL, ASKED_ANEW, NOTICE, APPROVAL, BEGUN_AT)

    assert (change.state, change.order().notified_seq, change.order().approved_seq) == (ChangeState.BEGUN, 5, 6)
    assert change.order().approved_at == NOW + 6 * HOUR
    assert change.lost == ()


def test_words_of_a_paper_that_its_record_kept_keep_their_time() -> None:
    change = folded(NOTICE, APPROVAL, BEGUN_AT, RENAMED)

    order = change.order()
    assert (order.document, order.approved_seq, order.approved_at) == ("521/UBND", 3, NOW + 3 * HOUR)
    assert order.judged(NOW + 100 * HOUR) is StepOrder.KEPT
    assert folded(NOTICE, RESENT).order().notified_seq == 2


def test_words_of_a_paper_that_its_record_did_not_keep_count_from_the_correction_on() -> None:
    change = folded(NOTICE, APPROVAL, RENAMED, evidence=())

    assert (change.order().approved_seq, change.order().approved_at) == (4, NOW + 4 * HOUR)


def test_paper_that_was_added_later_is_not_one_that_the_record_kept() -> None:
    rows: list[Body] = [ASKED, NOTICE, APPROVAL, BEGUN_AT, APPROVAL]
    change = fold_changes((n, NOW + n * HOUR, ID, body, (DIGEST,) if n == 5 else ()) for n, body in enumerate(rows, 1))

    assert refuse_correction(change.changes[ID], RENAMED) is not None


@pytest.mark.parametrize(
    ("steps", "correction"),
    [
        ((NOTICE, APPROVAL, BEGUN_AT), ASKED_ANEW),
        ((NOTICE, APPROVAL, CLOSING), ASKED_ANEW),
        ((NOTICE, APPROVAL, CLOSING), RENAMED),
        ((NOTICE,), RENAMED),
        ((), RESENT),
        ((), ChangeCorrected(ID, "nothing", "An")),
        ((NOTICE, APPROVAL), replace(ASKED_ANEW, approval=RENAMED.approval)),
        ((), replace(ASKED_ANEW, asked=replace(OTHER, kind=ChangeKind.EMERGENCY))),
        ((), replace(ASKED_ANEW, asked=ASKED)),
    ],
)
def test_correction_that_does_not_fit_changes_nothing_and_is_named(
    steps: tuple[Body, ...], correction: ChangeCorrected
) -> None:
    before, after = folded(*steps), folded(*steps, correction)

    assert refuse_correction(before, correction) is not None
    assert replace(after, lost=()) == before
    assert after.lost == (len(steps) + 2,)


def test_emergency_that_was_begun_may_be_corrected_and_needs_another_approval() -> None:
    asked = replace(ASKED, kind=ChangeKind.EMERGENCY)
    correction = ChangeCorrected(ID, "also db1", "An", asked=replace(asked, hosts=(WEB, DATABASE)))

    after = folded(BEGUN_AT, NOTICE, APPROVAL, correction, asked=asked)

    assert after.state is ChangeState.BEGUN
    assert after.order().judged(NOW + 100 * HOUR) is StepOrder.EVIDENCE_FIRST
    assert after.order().covers() is None


def test_standing_approval_in_force_is_not_corrected_since_it_covers_what_was_done_by_it() -> None:
    asked = replace(ASKED, kind=ChangeKind.STANDING, packages=("nginx",))
    correction = ChangeCorrected(ID, "less", "An", asked=replace(asked, packages=("php",)))

    assert refuse_correction(folded(NOTICE, asked=asked), correction) is None
    assert refuse_correction(folded(NOTICE, APPROVAL, asked=asked), correction) is not None


def test_windows_of_a_host_that_overlap_are_named() -> None:
    register = fold_changes([(1, NOW, ID, ASKED, ())])
    other = replace(ASKED, id="CH-2026-002")

    assert [each.id for each in overlapping(register, other)] == [ID]
    assert overlapping(register, replace(other, hosts=(DATABASE,))) == ()
    assert overlapping(register, replace(other, begins_at=ASKED.ends_at + HOUR, ends_at=ASKED.ends_at + 2 * HOUR)) == ()
    assert overlapping(register, replace(other, kind=ChangeKind.STANDING)) == ()


moments = st.integers(0, 40).map(lambda n: NOW + n * HOUR)
steps = st.lists(
    st.one_of(
        st.sampled_from([NOTICE, APPROVAL, replace(APPROVAL, document="600/UBND"), DONE_AT, CLOSING, None]),
        st.sampled_from([RENAMED, RESENT]),
        st.builds(
            lambda kind, hosts: replace(ASKED_ANEW, asked=replace(ASKED, kind=kind, hosts=hosts)),
            st.sampled_from(list(ChangeKind)),
            st.sampled_from([(WEB,), (DATABASE,)]),
        ),
        moments.map(lambda at: ChangeBegun(ID, at, "An")),
    ),
    max_size=10,
)
kinds = st.sampled_from(list(ChangeKind))


@settings(deadline=None)
@given(steps, kinds, moments, st.booleans())
def test_nothing_is_kept_or_covered_that_was_not_approved_first(
    each: list[Body | None], kind: ChangeKind, at: datetime, kept: bool
) -> None:
    change = folded(*each, asked=replace(ASKED, kind=kind), evidence=(DIGEST,) if kept else ())
    order = change.order()

    judged, shown, covered = order.judged(at), order.evidence_at(at), order.covers()

    if judged is StepOrder.KEPT and kind is not ChangeKind.STANDING:
        assert shown is not None
        assert order.notified_at is not None and order.approved_at is not None
        assert max(order.notified_at, order.approved_at) <= shown
    if judged in {StepOrder.KEPT, StepOrder.REGULARISED}:
        assert order.digest == DIGEST
    if judged is StepOrder.REGULARISED:
        assert kind is ChangeKind.EMERGENCY
    if covered is not None:
        assert order.approved_at is not None
        assert kind is ChangeKind.EMERGENCY or covered[0] >= order.approved_at
        assert covered[0] <= covered[1]


@settings(deadline=None)
@given(steps, kinds)
def test_section_of_a_change_reads_back_as_it_was_written(each: list[Body | None], kind: ChangeKind) -> None:
    orders: tuple[ChangeOrder, ...] = (folded(*each, asked=replace(ASKED, kind=kind, packages=("nginx*",))).order(),)

    assert own_changes.parse(own_changes.section(orders).output()) == orders


def record(ledger: Ledger, kind: str, body: Body, **more: object) -> int:
    parts = {KEYS[kind][0]: body, **more}
    return ledger.append(kind, run=NO_RUN, subject=body.id, body=bodies.write(parts)).seq


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path, clock=FixedClock(NOW), create=True)


def test_register_is_read_from_the_ledger_with_its_documents(ledger: Ledger) -> None:
    digest = ledger.keep(b"%PDF")
    record(ledger, REQUESTED, ASKED)
    record(ledger, NOTIFIED, NOTICE)
    record(ledger, APPROVED, APPROVAL, evidence=(digest,))
    record(ledger, BEGUN, BEGUN_AT)
    record(ledger, DONE, DONE_AT)
    record(ledger, CLOSED, CLOSING)

    change = read_changes(ledger).changes[ID]

    assert change.state is ChangeState.CLOSED
    assert change.order().digest == digest
    assert read_changes(ledger).find_by_host(WEB) == (change,)
    assert read_changes(ledger).lost_of(WEB) == ()


def test_correction_that_is_about_another_change_is_none(ledger: Ledger) -> None:
    record(ledger, REQUESTED, ASKED)
    good = record(ledger, CORRECTED, ASKED_ANEW)
    bad = record(ledger, CORRECTED, replace(ASKED_ANEW, asked=replace(ASKED, id="CH-2026-009")))

    change = read_changes(ledger).changes[ID]

    assert (change.state_seq, change.lost, change.request.body) == (good, (bad,), OTHER)
    assert read_changes(ledger).find_by_host(DATABASE) == (change,)
    assert read_changes(ledger).find_by_host(WEB) == ()


def test_correction_that_cannot_be_read_leaves_doubt_on_every_host(ledger: Ledger) -> None:
    record(ledger, REQUESTED, ASKED)
    seq = ledger.append(CORRECTED, run=NO_RUN, subject=ID, body=bodies.write({"change_corrected": 1})).seq

    assert read_changes(ledger).lost_of(WEB) == (seq,)
    assert read_changes(ledger).lost_of(DATABASE) == (seq,)


def test_decision_that_was_lost_is_not_kept(ledger: Ledger) -> None:
    digest = ledger.keep(b"%PDF")
    record(ledger, REQUESTED, ASKED)
    record(ledger, NOTIFIED, NOTICE)
    record(ledger, APPROVED, APPROVAL, evidence=(digest,))

    ledger.remove_blob(digest)

    assert read_changes(ledger).changes[ID].order().digest is None


def test_record_that_cannot_be_read_leaves_doubt_on_the_hosts_that_it_may_be_about(ledger: Ledger) -> None:
    record(ledger, REQUESTED, ASKED)
    ledger.append(APPROVED, run=NO_RUN, subject=ID, body=bodies.write({"approval": "rubbish"}))
    lost = ledger.last()
    assert lost is not None
    assert read_changes(ledger).lost_of(WEB) == (lost.seq,)
    assert read_changes(ledger).lost_of(DATABASE) == ()

    seq = ledger.append(REQUESTED, run=NO_RUN, subject="CH-2026-002", body=bodies.write({"change": 1})).seq

    assert read_changes(ledger).lost_of(DATABASE) == (seq,)
    assert "CH-2026-002" in read_changes(ledger).names
