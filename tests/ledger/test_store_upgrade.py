"""A ledger of version 1 is read as it is, and made over once, all or nothing, without a byte of a line changed."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from portalops import __version__, bodies
from portalops.errors import ClockWentBack, ExitCode, IntegrityError, LedgerError, RunAlreadyRecorded
from portalops.ledger.ledger import Ledger
from portalops.ledger.tables import MAKE, UPGRADE
from portalops.model.record import RunId
from tests.doubles import FixedClock
from tests.ledger.ledgers import START, tamper, verified

SAMPLE = Path(__file__).parent.parent / "samples" / "ledger-v1"
"""Written by portalops 0.1.0, before there was a version 2."""

ROOT = SAMPLE.parent.parent.parent
LATER = START + timedelta(days=4)

OPENER = """
import sys
from pathlib import Path
from portalops.ledger.ledger import Ledger
from tests.doubles import FixedClock
from tests.ledger.test_store_upgrade import LATER
print(Ledger.open(Path(sys.argv[1]), FixedClock(LATER), create=True).count())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the sample that may be written to."""
    for source in SAMPLE.rglob("*"):
        if source.is_file():
            target = tmp_path / source.relative_to(SAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return tmp_path


def test_version_1_is_read_and_verified_as_it_is(folder: Path) -> None:
    before = _digest(folder)

    ledger = Ledger.open(folder, FixedClock(LATER), create=False)

    found = verified(ledger)
    assert found.integrity.holds and found.integrity.records == ledger.count() == 10
    assert [record.seq for record in ledger.records(kinds=("check.finished",), newest_first=True)] == [8, 6, 4]
    assert [record.seq for record in ledger.records(run="10.2:weekly-backup:2026-W48")] == [10]
    assert len(ledger.runs()) == 4 and len(list(ledger.frames())) == 7
    assert ledger.plan() is not None
    assert _version(folder) == 1 and _digest(folder) == before


@pytest.mark.parametrize("column", ["at", "kind", "run", "subject", "duty", "body", "prev"])
def test_a_changed_column_of_version_1_is_named_and_nothing_is_made_over(folder: Path, column: str) -> None:
    ledger = Ledger.open(folder, FixedClock(LATER), create=False)
    tamper(ledger, f"UPDATE record SET {column} = replace({column}, substr({column}, 2, 1), 'x') WHERE seq = 4")
    before = _digest(folder)

    found = verified(ledger).integrity
    assert found.first_bad == 4 and column in str(found.faults[0].what)
    with pytest.raises(IntegrityError, match="the columns of record 4") as raised:
        Ledger.open(folder, FixedClock(LATER), create=True)

    assert raised.value.exit_code == ExitCode.INTEGRITY
    assert "ledger verify" in str(raised.value.hint)
    assert _version(folder) == 1 and _digest(folder) == before


@pytest.mark.parametrize("line", [b"{}", "text", 5, b""])
def test_a_line_of_version_1_that_is_none_is_not_made_over(folder: Path, line: object) -> None:
    ledger = Ledger.open(folder, FixedClock(LATER), create=False)
    tamper(ledger, "UPDATE record SET line = ? WHERE seq = 3", (line,))

    with pytest.raises(IntegrityError, match="record 3"):
        Ledger.open(folder, FixedClock(LATER), create=True)

    assert _version(folder) == 1
    assert verified(ledger).integrity.first_bad == 3


def test_a_cut_version_1_is_not_made_over(folder: Path) -> None:
    tamper(Ledger.open(folder, FixedClock(LATER), create=False), "DELETE FROM record WHERE seq = 10")

    with pytest.raises(IntegrityError):
        Ledger.open(folder, FixedClock(LATER), create=True)

    assert _version(folder) == 1


def test_the_first_opening_for_writing_makes_it_over_and_records_that(folder: Path) -> None:
    old = _lines(folder)

    ledger = Ledger.open(folder, FixedClock(LATER), create=True)

    assert _version(folder) == 2 and _lines(folder)[:10] == old
    record = ledger.last()
    assert record is not None and (record.seq, record.kind) == (11, "ledger.upgraded")
    assert bodies.read(ledger.blob(record.body))["upgrade"] == {
        "from": 1,
        "to": 2,
        "records": 10,
        "head": hashlib.sha256(old[-1]).hexdigest(),
        "portalops": __version__,
    }
    assert verified(ledger).integrity.holds
    assert [run.id for run in verified(ledger).completeness.crashed] == ["10.2:weekly-backup:2026-W48"]
    with pytest.raises(RunAlreadyRecorded):
        ledger.append("backup.started", run=RunId("10.2:weekly-backup:2026-W48"), body=b"{}")
    assert Ledger.open(folder, FixedClock(LATER), create=True).count() == 11, "once"
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        made = set(connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
        new = folder / "new"
        Ledger.open(new, FixedClock(LATER), create=True)
        with closing(sqlite3.connect(new / "ledger.sqlite")) as other:
            assert made == set(other.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.heavy
def test_several_processes_make_it_over_once(folder: Path) -> None:
    openers = [
        subprocess.Popen([sys.executable, "-c", OPENER, folder], stdout=subprocess.PIPE, text=True)
        for _each in range(3)
    ]

    assert [each.communicate()[0].strip() for each in openers] == ["11"] * 3


def test_a_clock_behind_the_newest_record_leaves_version_1(folder: Path) -> None:
    before = _lines(folder)

    with pytest.raises(ClockWentBack):
        Ledger.open(folder, FixedClock(START), create=True)

    assert _version(folder) == 1 and _lines(folder) == before


def test_version_1_without_any_record_is_made_over(tmp_path: Path) -> None:
    shutil.copyfile(SAMPLE / "ledger.sqlite", tmp_path / "ledger.sqlite")
    (tmp_path / "ledger.sqlite").chmod(0o644)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.executescript("DROP TRIGGER record_not_deleted; DROP TRIGGER tail_not_deleted;")
        connection.executescript("DELETE FROM record; DELETE FROM tail;")
        connection.execute("CREATE TRIGGER record_not_deleted BEFORE DELETE ON record BEGIN SELECT 1; END")

    ledger = Ledger.open(tmp_path, FixedClock(LATER), create=True)

    assert [record.kind for record in ledger.records()] == ["ledger.created"]


def test_an_older_sqlite_is_a_clear_error(folder: Path) -> None:
    for create in (True, False):
        with (
            patch("sqlite3.sqlite_version_info", (3, 30, 1)),
            pytest.raises(LedgerError, match=r"too old for the ledger, which needs 3\.31\.0"),
        ):
            Ledger.open(folder, FixedClock(LATER), create=create)


def _version(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _lines(folder: Path) -> list[bytes]:
    with closing(sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True)) as connection:
        return [line for (line,) in connection.execute("SELECT line FROM record ORDER BY seq")]


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "ledger.sqlite").read_bytes()).hexdigest()


def test_the_page_shows_the_statements_that_make_both_versions() -> None:
    page = (ROOT / "docs" / "ledger-format.md").read_text(encoding="utf-8").partition("\n## Store\n")[2]
    made, _, made_over = page.partition("### Version 1")
    old, _, changed = made_over.partition("The statements:")

    assert _statements(made) == list(MAKE)
    with closing(sqlite3.connect(f"file:{SAMPLE / 'ledger.sqlite'}?mode=ro&immutable=1", uri=True)) as connection:
        stored = connection.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = 'record' AND type <> 'trigger'")
        assert _statements(old) == [sql for (sql,) in stored if sql is not None]
    assert _statements(changed) == [
        statement for statement in UPGRADE if statement not in MAKE or "PRAGMA" in statement
    ]


def _statements(page: str) -> list[str]:
    """Return the statements of a page's first indented block, comments left out."""
    lines = itertools.dropwhile(lambda line: not line.startswith("    "), page.splitlines())
    block = [line[4:] for line in itertools.takewhile(lambda line: line.startswith("    "), lines)]
    text = "\n".join(line for line in block if not line.startswith("--")) + "\n"
    return text.split(";\n")[:-1]
