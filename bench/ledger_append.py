"""Appending a record beside SQLite's own durable insert of one row, on the same disk, in turns."""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.record import RunId
from portalops.system.clock import SystemClock

ROUNDS = 400
PROMISED = 1.3
"""How much longer than the insert an append may take; it is the work beside the sync, so the quicker the disk, the more it weighs."""


def main() -> int:
    """Print the medians and their ratio; the blob of a record is written before it and shown apart."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, closing(_plain(Path(folder))) as plain:
        ledger = Ledger.open(Path(folder) / "state", SystemClock(), create=True)
        body = ledger.keep(b"{}\n")
        line = ledger.append("check.finished", run=NO_RUN, subject="daily-check", body=b"{}\n").line
        inserts: list[float] = []
        appends: list[float] = []
        blobs: list[float] = []
        for number in range(ROUNDS):
            run = RunId(f"12.4-testing:daily-check:{number}")
            draft = ledger.draft("check.finished", run=run, subject="daily-check", duty="12.4-testing", body=body)
            is_first = number % 2 == 0  # whoever comes second finds a busier disk
            if is_first:
                inserts.append(_seconds(lambda: _insert(plain, line)))
            appends.append(_seconds(lambda: ledger.append_many((draft,))))  # noqa: B023
            if not is_first:
                inserts.append(_seconds(lambda: _insert(plain, line)))
        blobs += [_seconds(lambda: ledger.keep(os.urandom(1000))) for _round in range(ROUNDS // 4)]
        insert, append, blob = (statistics.median(each) for each in (inserts, appends, blobs))
    print(f"SQLite, one durable row   {insert * 1000:8.3f} ms")
    print(f"append of a record        {append * 1000:8.3f} ms")
    print(f"keeping a new blob        {blob * 1000:8.3f} ms   (a file of its own: two syncs more)")
    print(f"ratio                     {append / insert:8.2f}      (promised: at most {PROMISED})")
    return 0 if append / insert <= PROMISED else 1


def _plain(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, line BLOB NOT NULL)")
    return connection


def _insert(connection: sqlite3.Connection, line: bytes) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO entry (line) VALUES (?)", (line,))
    connection.execute("COMMIT")


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
