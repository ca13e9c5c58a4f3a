"""Attacks with a stolen writer's key, or before anybody may claim: what counts for nothing stops nothing, and can be set aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from portalops.ledger.blobs import BlobFolder
from portalops.ledger.claimant import record_writer
from portalops.ledger.heads import record_head
from portalops.ledger.heeded import has_writers, read_ownership
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantines import PLANNING
from portalops.ledger.record import NO_RUN
from portalops.ledger.verify import Integrity, verify
from portalops.model.record import Digest, Record
from portalops.model.runs import Plan
from portalops.model.writers import Authority, WriterEvent, WriterState
from tests.attacks.test_claims import note, opened
from tests.conformance.claims import MACHINE, PERSON, append, claim, claimed, stranger
from tests.conformance.corpus import begun
from tests.conformance.quarantines import quarantine
from tests.conformance.stolen import CASES, VOID, before_any_writer, end_person, set_newest_aside
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import START, ZONE, verified
from tests.verifier.scene import by_portalops, by_stranger

CURED = (
    "a-machines-record-set-aside", "the-first-record-set-aside", "a-record-of-its-own-set-aside", "first-of-two-and-set-aside",
    "first-of-two-and-the-rivals-claim-claimed", "partly-of-what-was-set-aside", *(f"void-{kind}" for kind in VOID),
)  # fmt: skip


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return claimed(begun(tmp_path / "state"))


def judged(written: Written) -> Integrity:
    return verify(written.ledger, now=written.clock.at, zone=ZONE).integrity


@pytest.mark.parametrize("name", CURED)
def test_what_a_stolen_key_claims_wrongly_is_set_aside(written: Written, tmp_path: Path, name: str) -> None:
    CASES[name](written)

    assert not judged(written).faults
    bundle = tmp_path / "bundle"
    written.export(bundle)
    assert [by(bundle)[0].exit_code for by in (by_portalops, by_stranger)] == [0, 0]


@pytest.mark.parametrize("name", ["a-machines-record", "the-first-record"])
def test_a_stolen_keys_claim_of_others_records_says_of_no_record_that_it_was_rewritten(
    written: Written, name: str
) -> None:
    CASES[name](written)

    assert [(each.seq, each.what.text) for each in judged(written).faults] == [
        (written.ledger.count(), "the claim in record {seq} counts for nothing: {why}")
    ]


def test_the_claim_of_a_writer_that_is_still_there_contradicts_the_lines_whoever_sets_it_aside(
    written: Written,
) -> None:
    CASES["a-machines-record-set-aside-of-a-writer-still-there"](written)

    assert not judged(written).set_aside
    assert len(judged(written).faults) == 2


def ended_with(written: Written, kind: str, **said: object) -> Record:
    """Record something, have it claimed by somebody who may record anything, and end that writer."""
    key, name = key_of(12), "bien"
    event = WriterEvent(written.ledger.id, WriterState.ADDED, key.public_key, name, Authority.ALL)
    record_writer(stranger(written), event, written.key)
    record = append(written, kind, **said)
    claim(written, key, record)
    record_writer(stranger(written), replace(event, state=WriterState.ENDED), written.key)
    return record


@pytest.mark.parametrize("kind", sorted(PLANNING))
def test_what_was_expected_is_not_set_aside_for_want_of_its_details(
    written: Written, tmp_path: Path, kind: str
) -> None:
    record = ended_with(written, kind, lost="x")
    BlobFolder(written.folder / "blobs").path(record.body).unlink()
    quarantine(written, record.seq, record.seq)

    found = judged(written)

    assert not found.set_aside
    assert record.seq in {each.seq for each in found.faults}


def test_a_plan_that_is_left_out_of_a_bundle_is_not_set_aside_there(written: Written, tmp_path: Path) -> None:
    plan = Plan((), "kh-37-2010@2026.11", Digest("a" * 64), ZONE.key)
    record = ended_with(written, "plan", plan=plan)
    quarantine(written, record.seq, record.seq)
    void = written.ledger.count()
    assert [each.seq for each in judged(written).faults] == [void]

    written.export(tmp_path / "bundle", withheld={record.body: "a name"})

    seen = [by(tmp_path / "bundle")[0] for by in (by_portalops, by_stranger)]
    assert [each.exit_code for each in seen] == [5, 5]


def test_the_honest_claim_counts_where_a_stolen_one_is_wrong(written: Written) -> None:
    record = append(written, "note.added")
    claim(written, PERSON, record, digest="0" * 64)
    false = written.ledger.count()
    end_person(written)
    quarantine(written, false, false)

    claim(written, MACHINE, record)

    owner = read_ownership(written.ledger).owner(record.seq)
    assert owner is not None
    assert owner.public_key == MACHINE.public_key
    assert judged(written).holds


def test_a_command_claims_nothing_that_a_stolen_key_claimed_first(written: Written) -> None:
    first = note(written.ledger)
    note(written.ledger)
    claim(written, PERSON, first)

    written.ledger.claim()

    assert judged(written).holds
    owners = [
        each.name if (each := read_ownership(written.ledger).owner(first.seq + number)) else "" for number in (0, 1)
    ]
    assert owners == ["an", "web1"]


@pytest.mark.parametrize("kind", ["head", "claim", "writer.added"])
def test_garbage_before_the_first_head_stops_no_head_and_no_export(tmp_path: Path, kind: str) -> None:
    written = Written(begun(tmp_path / "state"))
    garbage = append(written, kind, **VOID[kind])

    written.head()
    assert [each.seq for each in judged(written).faults] == [garbage.seq]
    quarantine(written, garbage.seq, garbage.seq)
    written.export(tmp_path / "bundle")

    assert judged(written).holds
    assert by_portalops(tmp_path / "bundle")[0].holds


def test_a_head_without_details_before_the_first_key_stops_no_head(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = opened(tmp_path, clock)
    ledger.append("head", run=NO_RUN, body=b"[]")
    note(ledger)
    for blob in (tmp_path / "blobs").rglob("*"):
        if blob.is_file() and blob.read_bytes() == b"[]":
            blob.unlink()

    assert record_head(ledger, key_of(1), clock).seq == ledger.count()


def test_a_writer_of_nobody_keeps_no_first_head_from_enrolling(tmp_path: Path) -> None:
    written = Written(begun(tmp_path / "state"))
    append(written, "writer.added", **VOID["writer.added"])

    assert not has_writers(written.ledger)


def test_garbage_before_anybody_claims_is_set_aside_also_after_an_enrolment(tmp_path: Path) -> None:
    clock = FixedClock(START)
    garbage = Written(begun(tmp_path), key_of(1))
    record = append(garbage, "claim", **VOID["claim"])
    record_head(opened(tmp_path, clock), key_of(1), clock)

    quarantine(garbage, record.seq, record.seq)

    found = verified(Ledger.open(tmp_path, clock, create=False)).integrity
    assert found.holds
    assert found.ownership.begin is not None


def test_claims_and_writers_of_nobody_are_set_aside_in_a_ledger_without_writers(tmp_path: Path) -> None:
    assert judged(before_any_writer(begun(tmp_path / "state"))).holds


def test_only_what_a_claim_has_whole_is_kept_from_being_set_aside(written: Written) -> None:
    CASES["first-of-two"](written)
    set_newest_aside(written)
    whole = next(written.ledger.records(kinds=("check.started",), newest_first=True)).seq
    quarantine(written, whole, whole)

    assert [each.what.text for each in judged(written).faults] == [
        "the quarantine in record {seq} counts for nothing: {why}"
    ]
