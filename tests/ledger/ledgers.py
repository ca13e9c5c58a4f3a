"""Ledgers for tests, and ways to tamper with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.stores import RecordStore
from portalops.ledger.verify import Verification, verify
from portalops.model.record import RunId
from portalops.model.runs import Every, Job, JobId, JobKind
from tests.doubles import FixedClock

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ANY_TIME = "UPDATE portalops.about SET ahead = '1000 years'"
"""Lets a database take records of the tests' clocks, whatever its server's clock says."""
"""Monday, 08:00 in Khánh Hòa."""

WEEKLY = Job(JobId("weekly-backup"), JobKind.BACKUP, Every.WEEK, "10.2")
DAILY = Job(JobId("daily-check"), JobKind.CHECK, Every.DAY, "12.4-testing")


def new_ledger(folder: Path, clock: FixedClock | None = None) -> Ledger:
    """Make a ledger with its first record."""
    return Ledger.open(folder, clock or FixedClock(START), create=True)


def filled_ledger(folder: Path, *, runs: int = 4) -> Ledger:
    """Make a ledger with its first record and so many daily runs, two records and two blobs each."""
    clock = FixedClock(START)
    ledger = new_ledger(folder, clock)
    for number in range(runs):
        run = RunId(f"12.4-testing:daily-check:{START.date() + timedelta(days=number)}")
        for kind in ("check.started", "check.finished"):
            clock.move(timedelta(minutes=5))
            body = bodies.write({"number": number, "kind": kind})
            ledger.append(kind, run=run, subject="daily-check", duty="12.4-testing", body=body)
        clock.move(timedelta(days=1, minutes=-10))
    return ledger


def tamper(ledger: Ledger, statements: str, parameters: Sequence[object] = ()) -> None:
    """Change the file behind the ledger's back, triggers dropped; several statements if there are no parameters."""
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        if parameters:
            connection.execute(statements, parameters)
        else:
            connection.executescript(statements)
        connection.commit()


def verified(ledger: Ledger, *, read_blobs: bool = True) -> Verification:
    """Verify as of a week after the start."""
    return verify(ledger, now=START + timedelta(days=7), zone=ZONE, read_blobs=read_blobs)


def take(store: RecordStore, first: int, lines: Sequence[bytes]) -> None:
    """Have a store take lines of another."""
    with store.taking() as take_lines:
        take_lines(first, lines)
