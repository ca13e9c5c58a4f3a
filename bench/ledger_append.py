"""Appending a record beside SQLite's own durable insert of one row, in turns, on the same disk and with the same settings.

Both tables hold rows already, since the pages that an insert touches are what it costs.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench._ledgers import ROOT, make, seconds
from portalops.ledger.ledger import Ledger
from portalops.ledger.store import open_snapshot
from portalops.model.record import Digest, RunId
from portalops.system.clock import SystemClock

RECORDS = 100_000
ROUNDS = 5
APPENDS = 300
"""So many of each in a round."""

PROMISED = 1.3
"""How much longer than the insert an append may take; it is the work beside the sync, so the quicker the disk, the more it weighs."""


def main() -> int:
    """Print the least disturbed round's medians, and their ratio; the blob of a record is written before it and shown apart."""
    with tempfile.TemporaryDirectory(dir=ROOT) as scratch:  # the system's folder for such may lie in memory
        folder = Path(scratch)
        make(folder / "state", RECORDS)
        ledger = Ledger.open(folder / "state", SystemClock(), create=True)
        body = ledger.keep(b"{}\n")
        with _plain(folder, ledger) as plain:
            rounds = [_round(number, ledger, body, plain) for number in range(ROUNDS)]
        blob = statistics.median(seconds(lambda: ledger.keep(os.urandom(1000))) for _each in range(100))
        ledger.close()
    insert, append = (min(each) for each in zip(*rounds, strict=True))
    ratio = append / insert
    print(f"SQLite, one durable row   {insert * 1000:8.3f} ms")
    print(f"append of a record        {append * 1000:8.3f} ms")
    print(f"keeping a new blob        {blob * 1000:8.3f} ms   (a file of its own: two syncs more)")
    print(f"ratio                     {ratio:8.2f}      (promised: at most {PROMISED})")
    print("rounds                    " + "  ".join(f"{append / insert:.2f}" for insert, append in rounds))
    return 0 if ratio <= PROMISED else 1


def _round(number: int, ledger: Ledger, body: Digest, plain: sqlite3.Connection) -> tuple[float, float]:
    """Return the medians of an insert and of an append, which take turns."""
    inserts: list[float] = []
    appends: list[float] = []
    last = ledger.last()
    assert last is not None
    for each in range(APPENDS):
        run = RunId(f"12.4-testing:daily-check:{number}-{each}")

        def append() -> None:
            draft = ledger.draft("check.finished", run=run, subject="daily-check", duty="12.4-testing", body=body)  # noqa: B023
            ledger.append_many((draft,))

        is_first = each % 2 == 0  # whoever comes second finds a busier disk
        if is_first:
            inserts.append(seconds(lambda: _insert(plain, last.line)))
        appends.append(seconds(append))
        if not is_first:
            inserts.append(seconds(lambda: _insert(plain, last.line)))
    return statistics.median(inserts), statistics.median(appends)


@contextmanager
def _plain(folder: Path, ledger: Ledger) -> Iterator[sqlite3.Connection]:
    """Open a table that holds the ledger's lines and nothing else, durable as the ledger is."""
    with closing(sqlite3.connect(folder / "plain.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, line BLOB NOT NULL)")
        connection.execute("BEGIN")
        with open_snapshot(ledger.folder / "ledger.sqlite") as snapshot:
            for chunk in snapshot.chunks(1000):
                connection.executemany("INSERT INTO entry (line) VALUES (?)", ((line,) for line in chunk.lines))
        connection.execute("COMMIT")
        yield connection


def _insert(connection: sqlite3.Connection, line: bytes) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO entry (line) VALUES (?)", (line,))
    connection.execute("COMMIT")


if __name__ == "__main__":
    sys.exit(main())
