"""Whoever may write the state folder takes the details of the first key away: nobody's records count for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import IntegrityError
from portalops.ledger.heads import read_signers, record_head, rotate_key
from portalops.ledger.heeded import HeedfulLedger
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.ledger.runs import read_attempts
from portalops.model.heads import KeyEvent
from portalops.registers.signers import KEY_ADDED
from tests.attacks.test_claims import LATER, enrolled, note
from tests.attacks.test_unclaimed_evidence import _as_a_stranger
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import key_of
from tests.ledger.ledgers import DAILY, START, ZONE, verified


def first_key_file(ledger: Ledger) -> Path:
    (record,) = ledger.records(kinds=(KEY_ADDED,), limit=1)
    return ledger.folder / f"blobs/{record.body[:2]}/{record.body[2:4]}/{record.body}.zst"


def remove(file: Path) -> None:
    file.unlink()


def damage(file: Path) -> None:
    file.write_bytes(b"x")


def read_by(folder: Path, clock: FixedClock, own: str) -> HeedfulLedger:
    ledger = HeedfulLedger.open(folder, clock, create=True)
    assert isinstance(ledger, HeedfulLedger)
    ledger.read_own_key = lambda: own
    return ledger


@pytest.fixture
def forged(tmp_path: Path) -> tuple[Ledger, FixedClock]:
    """A ledger with writers, behind whose newest record a stranger appended a run that was never done, and a note."""
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    _as_a_stranger(tmp_path, clock, "2026-11-23")
    note(Ledger.open(tmp_path, clock, create=True))
    clock.move(LATER)
    return ledger, clock


@pytest.mark.parametrize("attack", [remove, damage])
def test_a_key_that_is_known_gives_the_details_anew_and_a_strangers_records_count_for_nothing(
    forged: tuple[Ledger, FixedClock], attack: Callable[[Path], None]
) -> None:
    ledger, clock = forged
    attack(first_key_file(ledger))

    read = read_by(ledger.folder, clock, key_of(1).public_key)

    assert list(read.records(kinds=("note",))) == []
    assert read.runs() == ()
    assert read_attempts(read, (DAILY,), clock.now(), ZONE) == ()


@pytest.mark.parametrize("attack", [remove, damage])
def test_where_no_key_gives_them_nothing_is_read_and_nothing_is_taken_for_done(
    forged: tuple[Ledger, FixedClock], attack: Callable[[Path], None]
) -> None:
    ledger, clock = forged
    attack(first_key_file(ledger))

    read = read_by(ledger.folder, clock, "")

    for _again in range(2):
        with pytest.raises(IntegrityError, match="the ledger's first key, cannot be read"):
            list(read.records(kinds=("note",)))
        with pytest.raises(IntegrityError):
            read.runs()
        with pytest.raises(IntegrityError):
            read_attempts(read, (DAILY,), clock.now(), ZONE)
    assert read.newest_in_time() == read.last()


@pytest.mark.parametrize("attack", [remove, damage])
def test_the_next_head_puts_the_details_back(forged: tuple[Ledger, FixedClock], attack: Callable[[Path], None]) -> None:
    ledger, clock = forged
    attack(first_key_file(ledger))
    assert not verified(ledger).integrity.holds

    record_head(ledger, key_of(1), clock)

    assert verified(ledger).integrity.holds


def test_the_key_that_came_in_its_place_names_the_first(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    rotate_key(ledger, key_of(1), key_of(2), reason="a year is over", clock=clock)
    before = read_signers(ledger)
    first_key_file(ledger).unlink()

    assert read_signers(ledger) == before
    record_head(ledger, key_of(2), clock)
    assert verified(ledger).integrity.holds


def test_a_strangers_key_does_not_pass_for_the_first_one(forged: tuple[Ledger, FixedClock]) -> None:
    ledger, clock = forged
    event = KeyEvent(key_of(66).public_key, "the first key")
    Ledger.open(ledger.folder, clock, create=True).append(KEY_ADDED, run=NO_RUN, body=bodies.write({"key": event}))
    first_key_file(ledger).unlink()

    with pytest.raises(IntegrityError):
        read_signers(read_by(ledger.folder, clock, key_of(66).public_key))


def test_a_record_without_a_key_before_the_first_one_stops_nobody(tmp_path: Path) -> None:
    clock = FixedClock(START)
    stranger = Ledger.open(tmp_path, clock, create=True)
    seq = stranger.append(KEY_ADDED, run=NO_RUN, body=bodies.write({"key": {"public_key": "none"}})).seq

    ledger = enrolled(tmp_path, clock)

    assert [each.public_key for each in read_signers(ledger)] == [key_of(1).public_key]
    assert [each.seq for each in verified(ledger).integrity.faults] == [seq]
