"""Journals of killed and of living commands, and writer's keys that are broken, on a real ledger."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import SecretUnavailable
from portalops.ledger.claimant import JOURNALS, MachineClaimant
from portalops.ledger.claims import KEY
from portalops.ledger.heads import record_head
from portalops.ledger.heeded import HeedfulLedger
from portalops.ledger.journals import contradictions, living_journals
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import line_digest
from portalops.model.record import Record
from tests.attacks.test_claims import LATER, enrolled, note, opened
from tests.conformance.clocks import mend
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import START, tamper, verified


def killed(ledger: Ledger) -> Path:
    """Let go of a journal as the kernel does of a process that was killed; return it."""
    assert isinstance(ledger.claimant, MachineClaimant)
    ledger.claimant.close()
    (journal,) = (ledger.folder / JOURNALS).glob("*.journal")
    return journal


def replace_line(ledger: Ledger, record: Record) -> None:
    """Put another line in a record's place, as a thief with the database's file can."""
    line = record.line.replace(record.body.encode(), ledger.keep(bodies.write({"note": "forged"})).encode())
    tamper(
        ledger,
        "UPDATE record SET line = ? WHERE seq = ?",
        (line, record.seq),
    )
    tamper(ledger, "UPDATE tail SET head = ?", (line_digest(line),))


def test_the_journal_of_a_killed_command_is_kept_where_its_record_was_replaced(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    record = note(ledger)
    journal = killed(ledger)
    replace_line(ledger, record)

    following = opened(tmp_path, clock)
    note(following)
    following.claim()
    following.claim()

    kept = journal.with_suffix(".kept")
    assert list(contradictions(following, tmp_path)) == [(kept, record.seq)]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not journal.exists()
    assert isinstance(following.claimant, MachineClaimant)
    (said,) = map(str, following.claimant.said)
    assert f"record {record.seq} is not the one that this machine appended" in said
    assert str(kept) in said
    assert verified(following).integrity.ownership.owner(record.seq) is None


def test_a_folder_and_a_pipe_in_the_place_of_a_journal_stop_nobody(tmp_path: Path) -> None:
    ledger = enrolled(tmp_path, FixedClock(START))
    (tmp_path / JOURNALS / "1-a.journal").mkdir(parents=True)
    os.mkfifo(tmp_path / JOURNALS / "2-b.journal")
    record = note(ledger)

    ledger.claim()

    assert verified(ledger).integrity.ownership.owner(record.seq) is not None


@pytest.mark.parametrize("kind", ["garbage", "folder"])
def test_a_broken_key_of_a_machine_is_named_and_moving_it_away_and_enrolling_mends_it(
    tmp_path: Path, kind: str
) -> None:
    clock = FixedClock(START)
    enrolled(tmp_path, clock)
    (tmp_path / KEY).unlink()
    if kind == "folder":
        (tmp_path / KEY).mkdir()
    else:
        (tmp_path / KEY).write_text("garbage")
        (tmp_path / KEY).chmod(0o600)
    ledger = opened(tmp_path, clock, enrols=False)
    record = note(ledger)

    with pytest.raises(SecretUnavailable, match="is damaged") as raised:
        ledger.claim()
    assert str(tmp_path / KEY) in str(raised.value.hint)
    head = record_head(ledger, key_of(1), clock)
    assert head.head.size == record.seq
    killed(ledger)

    (tmp_path / KEY).rename(tmp_path / "away")
    clock.move(LATER)
    mended = opened(tmp_path, clock)
    record_head(mended, key_of(1), clock)

    found = verified(mended).integrity
    assert (found.holds, found.unclaimed) == (True, ())
    assert found.ownership.owner(record.seq) is not None


def test_a_key_that_others_can_read_keeps_the_cure_for_that(tmp_path: Path) -> None:
    clock = FixedClock(START)
    enrolled(tmp_path, clock)
    (tmp_path / KEY).chmod(0o644)
    ledger = opened(tmp_path, clock)
    note(ledger)

    with pytest.raises(SecretUnavailable) as raised:
        ledger.claim()

    assert "chmod 600" in str(raised.value.hint)


def test_a_command_that_works_for_long_claims_meanwhile(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger, claimed = enrolled(tmp_path, clock), threading.Event()

    class Reopened(Ledger):
        def close(self) -> None:
            super().close()
            claimed.set()

    claimant = MachineClaimant(
        tmp_path,
        clock,
        "web1",
        enrols=False,
        reopened=lambda: Reopened(tmp_path, clock, writable=True),
        pause=timedelta(0),
    )
    ledger.claimant = claimant
    record = note(ledger)
    assert claimed.wait(60)
    claimant.close()

    assert verified(ledger).integrity.ownership.owner(record.seq) is not None
    assert not list((tmp_path / JOURNALS).glob("*.journal"))


def test_a_living_journal_names_its_process_and_the_lines_that_it_holds(tmp_path: Path) -> None:
    ledger = enrolled(tmp_path, FixedClock(START))
    record = note(ledger)

    (living,) = living_journals(tmp_path)

    assert (living.process, living.journal.lines) == (os.getpid(), {record.seq: line_digest(record.line)})
    killed(ledger)
    assert not list(living_journals(tmp_path))


def test_a_command_that_was_killed_while_the_clock_was_ahead_is_claimed_once_that_is_mended(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    clock.move(timedelta(days=7))
    record = note(ledger)
    killed(ledger)
    clock.at = START + timedelta(minutes=5)
    written = Written(tmp_path, key_of(1), clock)
    mend(written, record.seq, ledger=ledger.id)

    clock.move(timedelta(days=3))
    following = HeedfulLedger.open(tmp_path, clock, create=True)
    following.claimant = MachineClaimant(tmp_path, clock, "web1", enrols=True)
    note(following)
    following.claim()

    found = verified(following).integrity
    assert found.holds
    assert found.ownership.owner(record.seq) is not None
