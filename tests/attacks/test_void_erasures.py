"""Attacks by who records that details were erased which are never erased: nothing is removed, but no bundle would hold any more."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from portalops import bodies
from portalops.ledger.bundle.export import check_withheld, scope_of
from portalops.ledger.record import NO_RUN, Draft
from portalops.ledger.verify import verify
from portalops.model.heads import Erasure
from portalops.model.record import Digest
from portalops.model.runs import Plan
from tests.conformance.claims import MACHINE, append, claim, claimed, stranger
from tests.conformance.corpus import begun
from tests.conformance.left_out import two_months_later
from tests.conformance.probes import GONE
from tests.conformance.quarantines import quarantine
from tests.conformance.stolen import erase_kept
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import START, ZONE
from tests.verifier.scene import Tampered, by_portalops, by_stranger

VOID = "the erasure in record {seq} counts for nothing: it names the details of record {record}, which are never erased"


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return claimed(begun(tmp_path / "state"))


@pytest.mark.parametrize("kind", ["plan", "key.added", "head", "claim", "ledger.created"])
def test_an_erasure_of_what_is_never_erased_counts_for_nothing(tmp_path: Path, written: Written, kind: str) -> None:
    (kept,) = written.ledger.records(kinds=(kind,), limit=1)
    erasure = erase_kept(written, kind)
    written.head()

    found = verify(written.ledger, now=written.clock.at, zone=ZONE)
    written.export(tmp_path / "bundle")
    theirs, said = by_stranger(tmp_path / "bundle")
    ours, faults = by_portalops(tmp_path / "bundle")

    assert [(fault.seq, fault.what.text) for fault in found.integrity.faults] == [(erasure.seq, VOID)]
    assert found.completeness.erased == ()
    assert (tmp_path / "bundle" / "blobs" / kept.body).is_file()
    assert (theirs.exit_code, theirs.first_bad) == (ours.exit_code, ours.first_bad) == (5, erasure.seq)
    assert len(said) == len(faults) == 1


def test_two_persons_set_a_void_erasure_aside_whoever_claims_it(tmp_path: Path, written: Written) -> None:
    erasure = erase_kept(written)
    quarantine(written, erasure.seq, erasure.seq)
    written.head()

    found = verify(written.ledger, now=written.clock.at, zone=ZONE)
    written.export(tmp_path / "bundle")

    assert found.integrity.holds
    assert [each.quarantine.first for each in found.integrity.set_aside] == [erasure.seq]
    theirs, _said = by_stranger(tmp_path / "bundle")
    ours, _faults = by_portalops(tmp_path / "bundle")
    assert (theirs.exit_code, theirs.first_bad) == (ours.exit_code, ours.first_bad) == (0, None)


def test_missing_details_that_two_records_need_are_one_fault_in_each_verifier(tmp_path: Path, written: Written) -> None:
    gone = written.append("note.added", note="personal")
    erasure = append(written, "blob.erased", erased=Erasure(gone, "personal data", "somebody"))
    claim(written, MACHINE, erasure)
    written.ledger.remove_blob(gone)
    first, second = stranger(written).append_many((Draft("plan", gone), Draft("plan", gone)))
    claim(written, MACHINE, first, second)
    written.head()
    written.export(tmp_path / "bundle")

    _theirs, said = by_stranger(tmp_path / "bundle")
    _ours, faults = by_portalops(tmp_path / "bundle")

    assert said == faults == [f"{first.seq}: record {first.seq}: blob {gone} is missing"]


def test_no_record_behind_an_erasure_makes_it_void(written: Written) -> None:
    """A stranger records a plan with details that were erased in due form."""
    gone = written.append("note.added", note="personal")
    erasure = append(written, "blob.erased", erased=Erasure(gone, "personal data", "somebody"))
    claim(written, MACHINE, erasure)
    written.ledger.remove_blob(gone)
    stranger(written).append_many((Draft("plan", gone),))

    found = verify(written.ledger, now=written.clock.at, zone=ZONE)

    assert found.integrity.holds
    assert gone in scope_of(written.ledger, written.clock.at, {}, last=written.ledger.count()).erased


@pytest.mark.parametrize("kind", ["note.added", "plan", "incident.opened"])
def test_an_erasure_of_what_is_recorded_later_keeps_no_details_out_of_a_bundle(
    tmp_path: Path, written: Written, kind: str
) -> None:
    """Who knows what is going to be recorded says beforehand that it was erased."""
    data = bodies.write({"plan": Plan((), "kh@1", Digest("a" * 64)), "note": "to come"})
    digest = Digest(hashlib.sha256(data).hexdigest())
    erasure = append(written, "blob.erased", erased=Erasure(digest, "x", "x"))
    later = written.ledger.append(kind, run=NO_RUN, body=data)
    claim(written, MACHINE, erasure, later)
    written.head()

    found = verify(written.ledger, now=written.clock.at, zone=ZONE)
    written.export(tmp_path / "bundle")
    theirs, _said = by_stranger(tmp_path / "bundle")
    ours, _faults = by_portalops(tmp_path / "bundle")

    assert found.integrity.holds
    assert (tmp_path / "bundle" / "blobs" / digest).is_file()
    assert theirs == ours
    assert theirs.exit_code == 0


@pytest.mark.parametrize(("kind", "code"), [("note.added", 0), ("plan", 5)])
def test_an_erasure_goes_by_the_digest_alone_wherever_it_stands(
    tmp_path: Path, written: Written, kind: str, code: int
) -> None:
    """What is gone is listed as erased, but for what is never erased; the ledger and both programs say the same."""
    data = bodies.write({"plan": Plan((), "kh@1", Digest("a" * 64)), "note": "to come"})
    digest = Digest(hashlib.sha256(data).hexdigest())
    never = append(written, "blob.erased", erased=Erasure(Digest("b" * 64), "x", "x"))
    erasure = append(written, "blob.erased", erased=Erasure(digest, "x", "x"))
    later = written.ledger.append(kind, run=NO_RUN, body=data)
    claim(written, MACHINE, never, erasure, later)
    written.ledger.remove_blob(digest)
    written.head()

    found = verify(written.ledger, now=written.clock.at, zone=ZONE)

    assert [each.seq for each in found.completeness.erased] == [never.seq, erasure.seq]
    assert [each.seq for each in found.integrity.faults] == ([later.seq] if code else [])
    if not code:
        written.export(tmp_path / "bundle")
        theirs, _said = by_stranger(tmp_path / "bundle")
        ours, _faults = by_portalops(tmp_path / "bundle")
        assert theirs == ours
        assert theirs.exit_code == code


@pytest.mark.parametrize("name", sorted(name for name in GONE if re.match("erased-(before|behind)", name)))
def test_only_a_record_that_counts_protects_details_from_an_erasure(tmp_path: Path, name: str) -> None:
    """A stranger's plan or sign-off makes no honest erasure a fault; the ledger and both programs say the same."""
    written, gone = GONE[name](begun(tmp_path / "state"))
    written.export(tmp_path / "bundle")
    changed = Tampered(tmp_path / "bundle", tmp_path / "changed", written.key)
    (changed.folder / "blobs" / gone).unlink(missing_ok=True)
    changed.sum_up(sign_it=True)
    written.ledger.remove_blob(gone)

    theirs, _said = by_stranger(changed.folder)
    ours, _faults = by_portalops(changed.folder)
    found = verify(written.ledger, now=written.clock.at, zone=ZONE).integrity

    assert theirs == ours
    assert (theirs.holds, theirs.first_bad) == (found.holds, found.first_bad)
    assert found.holds is ("by-a-machine" not in name)
    assert theirs.exit_code == (0 if "set-aside" in name else 3 if found.holds else 5)


@pytest.mark.parametrize("kind", ["sign-off", "plan", "note.added"])
def test_private_details_that_a_stranger_names_are_withheld_and_in_no_other_bundle(
    tmp_path: Path, written: Written, kind: str
) -> None:
    gone = append(written, "note.added", note="personal")
    claim(written, MACHINE, gone)
    (named,) = stranger(written).append_many((Draft(kind, gone.body),))
    quarantine(written, named.seq, named.seq)
    period = two_months_later(written)
    withheld, later = tmp_path / "withheld", tmp_path / "later"

    written.export(later, period=period)
    written.export(withheld, withheld={gone.body: "names"})
    check_withheld(written.ledger, scope_of(written.ledger, START, {gone.body: "names"}, last=written.ledger.count()))

    for bundle in (withheld, later):
        theirs, said = by_stranger(bundle)
        ours, _faults = by_portalops(bundle)
        assert not (bundle / "blobs" / gone.body).exists()
        assert said == []
        assert theirs == ours
        assert theirs.holds
