"""Attacks by who may append and has no key, or a stolen writer's: another record's text again, and records without details."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.ledger.heads import newest_head
from portalops.ledger.heeded import find_time_order
from portalops.ledger.verify import Integrity, verify
from tests.conformance.claims import PERSON, claimed, enrol
from tests.conformance.clocks import forge
from tests.conformance.corpus import begun
from tests.conformance.quarantines import quarantine
from tests.conformance.replays import CASES, MOMENTS, REPLAYED, cure, replay, with_each_kind
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import ZONE
from tests.verifier.scene import by_portalops, by_stranger, put_stamp, today

BY_THEMSELVES = {"ledger.quarantined"}
"""Kinds that count again, change nothing and set no time: there is nothing to set aside."""


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return claimed(begun(tmp_path / "state"))


def judged(written: Written) -> Integrity:
    return verify(written.ledger, now=written.clock.at, zone=ZONE).integrity


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", REPLAYED)
def test_a_record_that_is_recorded_again_is_set_aside_and_nothing_is_left_of_it(
    tmp_path: Path, kind: str, moment: str
) -> None:
    written = with_each_kind(begun(tmp_path / "state"))

    seq = replay(written, kind, moment)
    if kind not in BY_THEMSELVES:
        cure(written, seq)

    assert not judged(written).faults
    written.export(tmp_path / "bundle")
    assert [by(tmp_path / "bundle")[0].exit_code for by in (by_portalops, by_stranger)] == [0, 0]


STANDING = {"head-again", "without-details-of-a-writer-still-there", "a-copy-behind-the-newest-head",
    "each-copied"}  # fmt: skip
"""Cases without a cure, or before it."""


@pytest.mark.parametrize("name", CASES)
def test_live_and_in_a_bundle_the_same_is_said_of_what_is_recorded_again(
    written: Written, tmp_path: Path, name: str
) -> None:
    CASES[name](written)

    written.export(tmp_path / "bundle")

    live = judged(written)
    assert live.holds is (name not in STANDING)
    found = [by(tmp_path / "bundle")[0] for by in (by_portalops, by_stranger)]
    assert [each.first_bad for each in found] == [live.first_bad] * 2


def test_heads_go_on_behind_a_copy(written: Written) -> None:
    before = newest_head(written.ledger)
    CASES["a-copy-behind-the-newest-head"](written)

    newest = newest_head(written.ledger)

    assert before is not None
    assert newest is not None
    assert newest.head.size > before.head.size
    assert [str(each.what) for each in judged(written).faults] == [
        "record 31: the head is a copy of the one in record 10"
    ]


def test_a_head_whose_armour_was_folded_anew_is_named_once(written: Written, tmp_path: Path) -> None:
    head = next(written.ledger.records(kinds=("head",)))
    part = bodies.part_of(written.ledger.blob(head.body), "head")
    first, *lines, last = str(part["signature"]).splitlines()
    folded = "\n".join((first, *textwrap.wrap("".join(lines), 40), last, ""))
    seq = forge(written, "head", written.clock.at, head={**part, "signature": folded}).seq

    written.export(tmp_path / "bundle")

    assert [each.seq for each in judged(written).faults] == [seq]
    assert [len(by(tmp_path / "bundle")[1]) for by in (by_portalops, by_stranger)] == [1, 1]


def test_a_copy_of_every_head_is_none_of_them(written: Written) -> None:
    CASES["each-copied"](written)

    newest = newest_head(written.ledger)

    assert newest is not None
    assert newest.seq == 30


def test_details_that_a_machine_still_there_lost_stay_a_fault(written: Written) -> None:
    CASES["without-details-of-a-writer-still-there"](written)

    assert not judged(written).set_aside


def test_that_details_of_an_ended_writer_which_are_there_were_missing_is_not_proven(written: Written) -> None:
    CASES["with-details-of-an-ended-writer"](written)

    found = judged(written)
    assert found.holds
    assert found.unproven == found.set_aside


@pytest.mark.parametrize("is_aside", [True, False])
def test_a_record_dated_back_behind_a_stamped_head_is_no_fault_once_it_is_set_aside(
    tmp_path: Path, is_aside: bool
) -> None:
    written = Written(tmp_path / "state", clock=FixedClock(datetime.now(UTC).replace(microsecond=0)))
    written.plan()
    written.head()
    enrol(written, PERSON, "an")
    written.head()
    head = newest_head(written.ledger)
    assert head is not None
    again = forge(written, "writer.added", written.clock.at - timedelta(minutes=10), writer={"text": "x"})
    if is_aside:
        quarantine(written, again.seq, again.seq, ledger=written.ledger.id)
    written.ledger.find_time_order = find_time_order
    put_stamp(written, head, tmp_path / "tsa")

    if is_aside:
        written.export(tmp_path / "bundle", period=today())
        assert [by(tmp_path / "bundle")[0].holds for by in (by_portalops, by_stranger)] == [True, True]
    else:
        assert [each.seq for each in judged(written).faults] == [again.seq] * 2
