"""What a stranger appends and nobody claims is no evidence: no list shows it, and no job is left undone for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ClockJumped
from portalops.ledger.heeded import HeedfulLedger
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import Draft, encode, line_digest
from portalops.ledger.runs import read_attempts
from portalops.ledger.set_aside import stored_lines
from portalops.model.record import RunId
from tests.attacks.test_claims import LATER, enrolled, note
from tests.doubles import FixedClock
from tests.ledger.ledgers import DAILY, START, ZONE, tamper, verified


def _as_a_stranger(folder: Path, clock: FixedClock, slot: str) -> tuple[int, int]:
    """Append a run of a job as who stole the right to append does it."""
    stranger = Ledger.open(folder, clock, create=True)
    run = RunId(f"12.4-testing:daily-check:{slot}")
    begun = stranger.append("check.started", run=run, subject="daily-check", body=bodies.write({}))
    ended = stranger.append("check.finished", run=run, subject="daily-check", body=bodies.write({}))
    return begun.seq, ended.seq


def test_a_run_that_a_stranger_appended_keeps_no_job_from_being_done_also_within_the_hour(tmp_path: Path) -> None:
    clock = FixedClock(START)
    enrolled(tmp_path, clock).close()
    _as_a_stranger(tmp_path, clock, "2026-11-23")

    ledger = HeedfulLedger.open(tmp_path, clock, create=True)

    assert read_attempts(ledger, (DAILY,), clock.now(), ZONE) == ()


def test_what_a_killed_command_of_this_machine_did_is_done_although_nobody_claims_it_yet(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    run = RunId("12.4-testing:daily-check:2026-11-23")
    ledger.append("check.started", run=run, subject="daily-check", body=bodies.write({}))
    ended = ledger.append("check.finished", run=run, subject="daily-check", body=bodies.write({}))
    clock.move(LATER)

    later = HeedfulLedger.open(tmp_path, clock, create=True)
    (attempt,) = read_attempts(later, (DAILY,), clock.now(), ZONE)

    assert attempt.run.finished_seq == ended.seq


def test_who_reads_evidence_is_shown_nothing_that_nobody_claimed_in_time(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    noise = note(Ledger.open(tmp_path, clock, create=True), "noise")
    mine = note(ledger, "mine")
    ledger.claim()
    clock.move(LATER)

    read = HeedfulLedger.open(tmp_path, clock, create=False)

    assert [each.seq for each in read.records(kinds=("note",))] == [mine.seq]
    assert [each.seq for each in read.records(kinds=("note",), newest_first=True, limit=1)] == [mine.seq]
    assert [each.seq for each in read.whole.records(kinds=("note",))] == [noise.seq, mine.seq]


def test_a_run_is_shown_as_not_ended_where_nobody_claims_its_end(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    run = RunId("12.4-testing:daily-check:2026-11-23")
    ledger.append("check.started", run=run, subject="daily-check", body=bodies.write({}))
    ledger.claim()
    stranger = Ledger.open(tmp_path, clock, create=True)
    stranger.append("check.finished", run=run, subject="daily-check", body=bodies.write({}))
    clock.move(LATER)

    (shown,) = HeedfulLedger.open(tmp_path, clock, create=False).runs(kinds=("check",))

    assert shown.finished_seq is None


def test_a_record_of_the_past_that_nobody_claims_does_not_make_the_clock_look_ahead(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    note(ledger)
    ledger.claim()
    newest = ledger.last()
    assert newest is not None
    old = Draft("note", ledger.keep(bodies.write({"note": "old"})))
    line = encode(old, seq=newest.seq + 1, at=START - timedelta(days=3), prev=line_digest(newest.line))
    put_line(ledger, line.line)

    HeedfulLedger.open(tmp_path, clock, create=True).require_kept_clock(lambda: False)

    with pytest.raises(ClockJumped):
        Ledger.open(tmp_path, clock, create=True).require_kept_clock(lambda: False)


def test_a_young_record_that_nobody_claims_hides_no_jump_of_the_clock(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    note(ledger)
    ledger.claim()
    newest = ledger.last()
    assert newest is not None
    clock.move(timedelta(days=7))
    young = Draft("note", ledger.keep(bodies.write({"note": "young"})))
    line = encode(young, seq=newest.seq + 1, at=clock.at - timedelta(minutes=5), prev=line_digest(newest.line))
    put_line(ledger, line.line)
    opened = HeedfulLedger.open(tmp_path, clock, create=True)

    opened.require_kept_clock(lambda: True)

    with pytest.raises(ClockJumped):
        opened.require_kept_clock(lambda: False)


def test_a_young_record_of_this_machine_speaks_for_its_clock_before_it_is_claimed(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    clock.move(timedelta(days=7))
    note(ledger)
    clock.move(timedelta(minutes=5))

    HeedfulLedger.open(tmp_path, clock, create=True).require_kept_clock(lambda: False)


def test_a_machine_without_writers_reads_every_record(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = Ledger.open(tmp_path, clock, create=True)
    noise = note(ledger, "noise")
    clock.move(LATER)

    read = HeedfulLedger.open(tmp_path, clock, create=False)

    assert [each.seq for each in read.records(kinds=("note",))] == [noise.seq]


def put_line(ledger: Ledger, line: bytes | str) -> int:
    """Append a line past portalops; return its number."""
    newest = ledger.last()
    assert newest is not None
    data = line if isinstance(line, bytes) else line.encode()
    tamper(ledger, "INSERT INTO record (seq, line) VALUES (?, ?)", (newest.seq + 1, line))
    tamper(ledger, "UPDATE tail SET size = ?, head = ?", (newest.seq + 1, line_digest(data)))
    return newest.seq + 1


@pytest.mark.parametrize("size", [1_100_000, 5_000_000])
def test_a_line_of_a_megabyte_is_named_and_known_by_its_digest(tmp_path: Path, size: int) -> None:
    ledger = enrolled(tmp_path, FixedClock(START))
    seq = put_line(ledger, b"A" * size)

    found = verified(Ledger.open_to_verify(tmp_path, FixedClock(START))).integrity
    ((_seq, digest, record),) = stored_lines(Ledger.open_to_mend(tmp_path, FixedClock(START)), [seq])

    assert [each.seq for each in found.faults] == [seq]
    assert (digest, record) == (line_digest(b"A" * size), None)


def test_a_whole_record_that_is_stored_as_text_is_read_as_one(tmp_path: Path) -> None:
    ledger = enrolled(tmp_path, FixedClock(START))
    newest = ledger.last()
    assert newest is not None
    draft = Draft("note", ledger.keep(bodies.write({"note": "text"})))
    line = encode(draft, seq=newest.seq + 1, at=START, prev=line_digest(newest.line)).line
    seq = put_line(ledger, line.decode())

    assert [each.seq for each in ledger.records(kinds=("note",))] == [seq]
    assert note(ledger).seq == seq + 1
    assert verified(ledger).integrity.holds
