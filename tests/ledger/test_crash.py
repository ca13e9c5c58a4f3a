"""A process that is killed at any of its writes loses nothing that it acknowledged, and leaves nothing half done."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portalops.errors import LedgerMissing
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN, line_digest
from portalops.ledger.verify import Verification, verify
from portalops.model.record import Digest
from portalops.system.clock import SystemClock
from tests.ledger.kills import survivors
from tests.ledger.ledgers import ZONE
from tests.ledger.test_store_upgrade import SAMPLE

pytestmark = pytest.mark.needs("strace")

RUN = "10.2:weekly-backup:2026-W48"

APPENDER = f"""
ledger = Ledger.open(folder, SystemClock(), create=True)
started = ledger.append("backup.started", run=RunId({RUN!r}), subject="weekly-backup", body=bodies.write({{"a": 1}}))
acknowledge(line_digest(started.line))
evidence = ledger.keep(os.urandom(3000))
acknowledge(evidence)
finished = ledger.append("backup.finished", run=RunId({RUN!r}), body=bodies.write({{"x": {{"evidence": [evidence]}}}}))
acknowledge(line_digest(finished.line))
"""

BEGINNER = """
ledger = Ledger.open(folder, SystemClock(), create=True)
acknowledge(line_digest(ledger.last().line))
"""

UPGRADER = """
from tests.ledger.test_store_upgrade import LATER
from tests.doubles import FixedClock
ledger = Ledger.open(folder, FixedClock(LATER), create=True)
acknowledge(line_digest(ledger.last().line))
"""


@pytest.mark.heavy
@pytest.mark.parametrize("call", ["write", "pwrite64", "fsync", "fdatasync", "rename", "mkdir"])
def test_an_append_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path: Path, call: str) -> None:
    kept = tmp_path / "kept"
    Ledger.open(kept, SystemClock(), create=True).close()

    for folder, acknowledged, _survived in survivors(APPENDER, call, _copy_of(kept), tmp_path):
        ledger = Ledger.open(folder, SystemClock(), create=False)
        found = _verified(ledger)
        assert found.integrity.holds, found.integrity.faults
        lines = [line_digest(record.line) for record in ledger.records()]
        assert len(lines) >= 1 + len(acknowledged[0::2]) and lines[1:][: len(acknowledged[0::2])] == acknowledged[0::2]
        assert all(ledger.has_blob(Digest(digest)) for digest in acknowledged[1::2])
        assert [run.id for run in found.completeness.crashed] == ([RUN] if len(lines) == 2 else [])
        _append_goes_on(folder, len(lines))


@pytest.mark.parametrize("call", [pytest.param("pwrite64", marks=pytest.mark.heavy), "fdatasync", "rename", "mkdir"])
def test_a_ledger_whose_beginning_is_killed_can_be_begun_again(tmp_path: Path, call: str) -> None:
    for folder, acknowledged, _survived in survivors(BEGINNER, call, lambda _folder: None, tmp_path):
        try:
            ledger = Ledger.open(folder, SystemClock(), create=False)
        except LedgerMissing:
            assert not acknowledged
        else:
            assert _verified(ledger).integrity.holds
        _append_goes_on(folder, 1)


@pytest.mark.heavy
@pytest.mark.parametrize("call", [pytest.param("pwrite64", marks=pytest.mark.heavy), "fdatasync", "rename"])
def test_an_upgrade_that_is_killed_leaves_version_1_or_2_whole(tmp_path: Path, call: str) -> None:
    _copy_of(SAMPLE)(tmp_path / "before")  # looking at the sample itself would leave SQLite's files beside it
    lines = _lines(tmp_path / "before")

    for folder, acknowledged, _survived in survivors(UPGRADER, call, _copy_of(SAMPLE), tmp_path, step=2):
        version, found = _version(folder), _lines(folder)
        assert found[: len(lines)] == lines
        assert (version, len(found) - len(lines)) == ((2, 1) if acknowledged or version == 2 else (1, 0))
        assert _verified(Ledger.open(folder, SystemClock(), create=False)).integrity.holds


def _copy_of(source: Path) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        shutil.copytree(source, folder, copy_function=shutil.copyfile)

    return make


def _append_goes_on(folder: Path, count: int) -> None:
    ledger = Ledger.open(folder, SystemClock(), create=True)
    assert ledger.append("note", run=NO_RUN, body=b"{}").seq == count + 1
    assert _verified(ledger).integrity.holds
    ledger.close()


def _verified(ledger: Ledger) -> Verification:
    return verify(ledger, now=datetime.now(UTC) + timedelta(minutes=1), zone=ZONE)


def _version(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _lines(folder: Path) -> list[bytes]:
    with closing(sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True)) as connection:
        return [line for (line,) in connection.execute("SELECT line FROM record ORDER BY seq")]
