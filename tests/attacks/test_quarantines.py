"""Attacks by what two persons are meant for: records set aside by one of them, over honest ones, or by two who agreed to."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.ledger.heeded import HeedfulLedger, numbers_set_aside
from portalops.ledger.verify import Integrity, verify
from tests.conformance.claims import append, claimed
from tests.conformance.corpus import begun
from tests.conformance.quarantines import CASES, quarantine
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import ZONE

VOID = (
    "one-person", "a-machine-as-the-second", "a-strangers-key", "a-key-of-their-own", "another-second-than-named", "without-the-second",
    "of-another-line", "of-another-ledger", "of-claimed-records", "of-the-first-record", "a-writer-as-the-second",
)  # fmt: skip


def judged(written: Written) -> Integrity:
    return verify(written.ledger, now=written.clock.at, zone=ZONE).integrity


@pytest.mark.parametrize("name", VOID)
def test_a_quarantine_by_one_person_or_over_honest_records_is_named(tmp_path: Path, name: str) -> None:
    written = claimed(begun(tmp_path / "state"))
    CASES[name](written)

    found = judged(written)

    assert not found.holds
    assert not found.set_aside
    assert any("counts for nothing" in fault.what.text for fault in found.faults)


def test_two_who_set_aside_what_they_left_unclaimed_are_named(tmp_path: Path) -> None:
    written = claimed(begun(tmp_path / "state"))
    seq = append(written, "finding.closed").seq

    quarantine(written, seq, seq, reason="x")
    (said,) = judged(written).set_aside

    assert (said.quarantine.by, said.quarantine.second) == ("Nguyễn Văn An", "Trần Thị Bình")
    assert said.holds(seq)


@pytest.mark.parametrize("name", ["claimed-afterwards-and-the-claim-set-aside", "the-second-person-enrolled-later"])
def test_what_comes_behind_a_quarantine_gives_no_record_back(tmp_path: Path, name: str) -> None:
    """Neither a stolen writer's claim of the records, nor the second person's key as a writer's."""
    written = claimed(begun(tmp_path / "state"))
    CASES[name](written)

    found = judged(written)
    said = found.set_aside[0]

    assert found.holds
    live = HeedfulLedger.open(written.folder, written.clock, create=False)
    assert said.quarantine.first in numbers_set_aside(live)
    assert said.quarantine.first not in {each.seq for each in live.records(kinds=("note.added",))}
