"""The sets that the ledger knows, also where some of its details are lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import LedgerError
from portalops.model.record import RunId
from portalops.registers.backups import due_for_reading, recorded_sets
from tests.compliance.test_rules import backup
from tests.doubles import FixedClock
from tests.ledger.ledgers import START, new_ledger


def test_a_lost_record_of_an_old_set_does_not_hide_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    for number in range(2):
        clock.move(timedelta(days=7))
        body = bodies.write({"backup": backup(clock.at).body})
        recorded = ledger.append("backup.finished", run=RunId(f"10.2:b:{number}"), body=body)
    first = next(iter(ledger.records(kinds=("backup.finished",))))
    (tmp_path / "blobs" / first.body[:2] / first.body[2:4] / f"{first.body}.zst").unlink()

    with pytest.raises(LedgerError):
        recorded_sets(ledger)
    (made,) = recorded_sets(ledger, passing_over=True)

    assert made.seq == recorded.seq
    assert len(due_for_reading((made,), every=timedelta(days=7), limit=timedelta(days=35))) == 1
    assert "record 2 cannot be read" in caplog.text
