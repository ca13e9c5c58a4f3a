"""Attacks with a key of the ledger that was stolen, and changed for that: its retirement ends it, whatever times are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.ledger.heads import newest_head, read_signers
from portalops.ledger.heeded import numbers_set_aside, read_ownership
from portalops.ledger.verify import Integrity, verify
from portalops.registers.signers import confirmed_keys
from tests.conformance.claims import THIEF, append, append_head, claim, claimed
from tests.conformance.clocks import (
    RETIRED,
    change_key,
    go_on,
    mended_behind_a_change,
    name_writer,
    set_aside_at,
)
from tests.conformance.corpus import begun
from tests.conformance.quarantines import quarantine
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import ZONE
from tests.verifier.scene import Tampered, by_portalops, by_stranger


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return claimed(begun(tmp_path / "state"))


def judged(written: Written) -> Integrity:
    return verify(written.ledger, now=written.clock.at, zone=ZONE).integrity


def cured(written: Written, first: int) -> Integrity:
    """Set aside what came from a record on, and go on."""
    quarantine(written, first, written.ledger.count())
    go_on(written)
    written.head()
    return judged(written)


def test_a_retired_key_sets_nothing_aside_at_a_time_before_its_retirement(written: Written) -> None:
    old, at = change_key(written)
    forged = append(written, "note.added").seq

    seq = set_aside_at(written, forged, by=old, at=at)

    assert {fault.seq for fault in judged(written).faults} == {seq}
    assert numbers_set_aside(written.ledger) == set()
    found = cured(written, forged)
    assert found.holds
    assert numbers_set_aside(written.ledger) == {forged, seq}


def test_a_retired_key_enrols_nobody_at_a_time_before_its_retirement(written: Written) -> None:
    old, at = change_key(written)

    seq = name_writer(written, THIEF, by=old, at=at).seq
    claim(written, THIEF, append(written, "note.added"))

    assert {fault.seq for fault in judged(written).faults} == {seq, seq + 2}
    assert THIEF.public_key not in {each.public_key for each in read_ownership(written.ledger).writers}
    assert cured(written, seq).holds


def test_a_key_that_was_changed_while_the_clock_was_ahead_enrols_nobody(written: Written) -> None:
    RETIRED["a-writer-by-the-key-before"](written)

    assert not judged(written).holds
    assert THIEF.public_key not in {each.public_key for each in read_ownership(written.ledger).writers}
    assert cured(written, written.ledger.count() - 2).holds


def test_a_key_that_was_changed_while_the_clock_was_ahead_sets_nothing_aside(written: Written) -> None:
    RETIRED["set-aside-by-the-key-before"](written)

    assert not judged(written).holds
    assert numbers_set_aside(written.ledger) == set()
    assert cured(written, written.ledger.count() - 1).holds


def test_a_key_that_was_changed_while_the_clock_was_ahead_signs_no_head(written: Written) -> None:
    old = mended_behind_a_change(written)
    own = newest_head(written.ledger)

    append_head(written, old)

    assert newest_head(written.ledger) == own
    assert any("not in use" in fault.what.text for fault in judged(written).faults)
    assert cured(written, written.ledger.count()).holds


def test_a_key_that_was_changed_while_the_clock_was_ahead_names_no_other_successor(written: Written) -> None:
    RETIRED["a-successor-by-the-key-before"](written)

    assert not judged(written).holds
    assert THIEF.public_key not in confirmed_keys(read_signers(written.ledger))
    assert cured(written, written.ledger.count() - 1).holds


def test_what_a_key_signed_before_its_retirement_stays_good(written: Written) -> None:
    mended_behind_a_change(written)
    go_on(written)

    assert judged(written).holds
    assert len(judged(written).signed.uses) == 2


@pytest.mark.parametrize("name", sorted(RETIRED))
def test_verifiers_agree_on_what_a_retired_key_signs(written: Written, tmp_path: Path, name: str) -> None:
    RETIRED[name](written)
    written.export(tmp_path / "bundle")

    portalops, stranger = by_portalops(tmp_path / "bundle")[0], by_stranger(tmp_path / "bundle")[0]

    assert portalops == stranger
    assert portalops.holds is name.endswith("is-set-aside")


def test_a_bundle_that_a_retired_key_signed_is_refused(written: Written, tmp_path: Path) -> None:
    old = mended_behind_a_change(written)
    written.export(tmp_path / "bundle")
    forged = Tampered(tmp_path / "bundle", tmp_path / "forged", old)
    forged.sum_up(sign_it=True)

    assert by_portalops(tmp_path / "bundle")[0].holds
    portalops, stranger = by_portalops(forged.folder)[0], by_stranger(forged.folder)[0]
    assert portalops == stranger
    assert not portalops.holds
