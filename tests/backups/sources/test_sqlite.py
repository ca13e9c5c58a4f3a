from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from backups.restore import restore_set
from backups.set_file import parse_set_file
from portalops.model.backups import BackupResult, TableRows
from portalops.model.verdicts import RunOutcome
from tests.backups.kit import alone, back_up, keys, sample_database, source
from tests.backups.memory import MemoryMedium


def run(folder: Path, database: Path, **values: object) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    return back_up([source("sqlite", {"database": str(database), **values}, folder, id="db")], [medium]), medium


def restored(result: BackupResult, medium: MemoryMedium, target: Path) -> Path:
    assert result.set is not None, result
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], target)
    return target / "db" / "database.sqlite"


def test_rows_of_each_table_are_kept(tmp_path: Path) -> None:
    result, _medium = run(tmp_path, sample_database(tmp_path / "db", 7))

    assert result.set is not None
    assert result.set.streams[0].rows == (TableRows("article", 7), TableRows('kênh "chính"', 0))


@pytest.mark.parametrize("journal", ["WAL", pytest.param("DELETE", marks=pytest.mark.heavy)])
def test_a_copy_is_one_moment_whatever_is_written_meanwhile(tmp_path: Path, journal: str) -> None:
    database = tmp_path / "bank"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER, filler TEXT)")
        connection.executemany("INSERT INTO account VALUES (?, 100, ?)", [(n, "x" * 500) for n in range(2000)])
        connection.commit()
    stop = threading.Event()
    moved = 0

    def move() -> None:
        nonlocal moved
        with closing(sqlite3.connect(database, timeout=30)) as connection:
            while not stop.is_set():
                connection.execute("UPDATE account SET amount = amount - 1 WHERE id = ?", (moved % 2000,))
                connection.execute("UPDATE account SET amount = amount + 1 WHERE id = ?", ((moved * 7 + 1) % 2000,))
                connection.commit()
                moved += 1
                time.sleep(0.001)  # a rollback journal's locks know no queue: a reader might never have its turn

    writer = threading.Thread(target=move)
    writer.start()
    try:
        copies = [run(tmp_path, database) for _round in range(3)]
    finally:
        stop.set()
        writer.join()

    assert moved
    for number, (result, medium) in enumerate(copies):
        with closing(sqlite3.connect(restored(result, medium, tmp_path / str(number)))) as connection:
            assert connection.execute("SELECT sum(amount), count(*) FROM account").fetchone() == (200_000, 2000)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_missing_foreign_or_damaged_database_fails(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database at all, " * 100)
    damaged = sample_database(tmp_path / "damaged", 500)
    data = bytearray(damaged.read_bytes())
    data[8192:20480] = b"\xee" * 12288
    damaged.write_bytes(data)

    for name, expected in (("no such", "no database"), ("text", "not a database"), ("damaged", "")):
        result, medium = run(tmp_path, tmp_path / name)
        assert result.set is None
        assert expected in result.failed_sources[0]
        assert medium.stored == {}


def test_a_database_that_stays_locked_fails_in_time(tmp_path: Path) -> None:
    database = sample_database(tmp_path / "db", 5)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")

        result, _medium = run(tmp_path, database, busy_seconds=1)

    assert result.set is None
    assert "locked" in result.failed_sources[0]


def test_nothing_of_the_temporary_copy_stays(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    result, _medium = run(tmp_path, sample_database(tmp_path / "db"), scratch=str(scratch))

    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE
    assert list(scratch.iterdir()) == []
