"""Attacks on what two persons said: by a stolen writer's key, by one of the two, and by who makes a writer of the second."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.ledger.heeded import numbers_mistimed, numbers_set_aside, read_ownership
from portalops.ledger.verify import Integrity, verify
from portalops.registers.writers import CLOCK_MENDED
from tests.conformance.claims import LATER, PERSON, append, claim, claimed, enrol, stranger
from tests.conformance.clocks import CASES as CLOCKS
from tests.conformance.clocks import forge_head, mend, run_ahead, void_and_claimed_afterwards
from tests.conformance.corpus import begun
from tests.conformance.quarantines import CASES, SECOND, quarantine
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import ZONE


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return claimed(begun(tmp_path / "state"))


def judged(written: Written) -> Integrity:
    return verify(written.ledger, now=written.clock.at, zone=ZONE).integrity


def test_a_stolen_key_revives_nothing_that_two_persons_set_aside(written: Written) -> None:
    forged = append(written, "backup.finished", backup={})
    written.clock.move(LATER)
    quarantine(written, forged.seq, forged.seq)

    claim(written, PERSON, forged)
    found = judged(written)

    assert numbers_set_aside(written.ledger) == {forged.seq}
    assert read_ownership(written.ledger).owner(forged.seq) is None
    assert [each.quarantine.first for each in found.set_aside] == [forged.seq]
    (fault,) = found.faults
    assert (fault.seq, fault.what.text) == (
        written.ledger.count(),
        "the claim in record {seq} counts for nothing: {why}",
    )


def test_no_later_writer_claims_a_void_clock_that_two_persons_set_aside(tmp_path: Path) -> None:
    written = void_and_claimed_afterwards(begun(tmp_path / "state"))
    (void,) = (each.seq for each in stranger(written).records(kinds=(CLOCK_MENDED,)))

    found = judged(written)

    assert read_ownership(written.ledger).owner(void) is None
    assert [each.quarantine.first for each in found.set_aside] == [void]
    assert [(fault.seq, fault.what.text) for fault in found.faults] == [
        (written.ledger.count(), "the claim in record {seq} counts for nothing: {why}")
    ]


def test_the_claim_of_what_was_set_aside_is_set_aside_itself(written: Written) -> None:
    CASES["claimed-afterwards-and-the-claim-set-aside"](written)

    found = judged(written)

    assert found.holds
    assert len(found.set_aside) == 2


def test_a_claim_has_the_rest_of_what_it_names(written: Written) -> None:
    first, aside, last = (append(written, "note.added", note=each) for each in "xyz")
    quarantine(written, aside.seq, aside.seq)

    claim(written, PERSON, first, aside, last)

    ownership = read_ownership(written.ledger)
    assert [bool(ownership.owner(each.seq)) for each in (first, aside, last)] == [True, False, True]
    assert [fault.what.text for fault in judged(written).faults] == [
        "of the records that the claim in record {seq} names, some were claimed or set aside before"
    ]


def test_what_was_found_of_the_claims_before_knows_of_what_was_set_aside(written: Written) -> None:
    aside = append(written, "note.added")
    quarantine(written, aside.seq, aside.seq)
    claim(written, PERSON, append(written, "note.added", note="x"))
    read_ownership(written.ledger)  # which is kept

    claim(written, PERSON, aside)

    assert read_ownership(written.ledger).owner(aside.seq) is None
    assert numbers_set_aside(written.ledger) == {aside.seq}


def test_no_command_of_this_machine_claims_what_two_persons_set_aside(written: Written) -> None:
    written.append("note.added", note="x")
    seq = written.ledger.count()
    quarantine(written, seq, seq)

    written.ledger.claim()

    assert judged(written).holds
    assert read_ownership(written.ledger).owner(seq) is None


def test_what_a_writer_claimed_before_is_never_set_aside(written: Written) -> None:
    CASES["claimed-before"](written)

    assert not numbers_set_aside(written.ledger)
    assert not judged(written).holds


@pytest.mark.parametrize("name", ["the-second-person-enrolled-later", "the-second-persons-key-a-successor-later"])
def test_who_writes_later_undoes_no_quarantine(written: Written, name: str) -> None:
    CASES[name](written)

    assert judged(written).holds
    assert numbers_set_aside(written.ledger)


def test_who_writes_later_undoes_no_mended_clock(written: Written) -> None:
    first = run_ahead(written)
    mend(written, first)

    enrol(written, SECOND, "binh")

    assert judged(written).holds
    assert first in numbers_mistimed(written.ledger)


def test_a_key_that_was_added_under_a_wrong_clock_signs_from_the_mended_clock_on_that_it_signed(
    written: Written,
) -> None:
    CLOCKS["mended-by-a-key-of-that-time"](written)

    written.head()

    assert judged(written).holds


def test_a_key_that_was_added_under_a_wrong_clock_and_mended_nothing_signs_from_its_time_on(written: Written) -> None:
    right = written.clock.at
    CLOCKS["a-key-of-that-time-that-mended-nothing"](written)

    forge_head(written, right)

    assert any("when this key was not in use" in fault.what.text for fault in judged(written).faults)
