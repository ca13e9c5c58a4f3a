"""The newest part of a ledger is looked at alone, and yet nothing in it or before it leads a verdict astray."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.newest import first_change
from portalops.ledger.tables import MAKE
from portalops.model.record import RunId
from tests.doubles import FixedClock
from tests.ledger.ledgers import tamper

OLD = datetime(2025, 1, 1, tzinfo=UTC)
SINCE = OLD + timedelta(days=200)
SAMPLE = Path(__file__).parent.parent / "samples" / "ledger-v1"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Six old records behind the one that begins a ledger, then six new ones."""
    for number, at in enumerate((OLD, OLD + timedelta(days=300))):
        opened = Ledger.open(tmp_path, FixedClock(at), create=True)
        for each in range(6):
            opened.append("plan", run=RunId(f"p:{number}-{each}"), body=bodies.write({"n": number}))
        opened.close()
    return Ledger.open(tmp_path, FixedClock(OLD), create=False)


@pytest.mark.parametrize(
    ("index", "columns"),
    [
        ("record_kind", "(CASE WHEN seq = {seq} THEN 'x' ELSE kind END)"),
        ("record_run", "(CASE WHEN seq = {seq} THEN 'x' ELSE run END), kind, seq"),
    ],
)
def test_an_index_that_hides_a_new_record_is_a_change(ledger: Ledger, index: str, columns: str) -> None:
    assert first_change(ledger, SINCE) is None
    (true,) = (statement for statement in MAKE if f"INDEX {index} " in statement)
    where = " WHERE run <> ''" if index == "record_run" else ""
    quoted = true.replace("'", "''")
    tamper(
        ledger,
        f"DROP INDEX {index}; CREATE INDEX {index} ON record ({columns.format(seq=10)}){where};"
        f" PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{quoted}' WHERE name = '{index}'",
    )

    found = first_change(ledger, SINCE)

    assert found is not None and "an index of the database does not list a record" in str(found.what)


def test_an_index_that_is_gone_hides_nothing(ledger: Ledger) -> None:
    tamper(ledger, "DROP INDEX record_kind")

    assert first_change(ledger, SINCE) is None


def test_the_record_before_the_period_need_not_be_bytes(ledger: Ledger) -> None:
    tamper(ledger, "UPDATE record SET line = CAST(line AS TEXT) WHERE seq = 7")

    first_change(ledger, SINCE)  # it need not be told here, and must not fail


def test_of_version_1_a_moved_record_does_not_slip_out_of_the_period(tmp_path: Path) -> None:
    """There a query goes by a column beside the line, which the chain says nothing of."""
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    ledger = Ledger.open(tmp_path, FixedClock(OLD), create=False)
    (moved,) = ledger.records(kinds=("note",))
    assert first_change(ledger, moved.at) is None
    tamper(ledger, f"UPDATE record SET at = '2000' || substr(at, 5) WHERE seq = {moved.seq}")
    (first,) = ledger.records(since=moved.at, limit=1)
    assert first.seq > moved.seq

    found = first_change(ledger, moved.at)

    assert found is not None and found.seq == moved.seq
