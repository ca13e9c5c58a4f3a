from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from backups.restore import restore_set
from backups.set_file import parse_set_file
from backups.sources import SourceContext, build_source
from portalops.ledger.ledger import Ledger
from portalops.ledger.postgresql_kept import kept_in
from portalops.ledger.postgresql_tables import script
from portalops.ledger.record import NO_RUN
from portalops.model.record import RunId
from tests.backups.kit import NOW, alone, back_up, keys, source, table
from tests.backups.memory import MemoryMedium
from tests.backups.postgresql.parts import PORT, Server, versions
from tests.doubles import FixedClock


def test_the_ledger_comes_back_as_a_ledger(tmp_path: Path) -> None:
    state = tmp_path / "state"
    ledger = Ledger.open(state, FixedClock(NOW), create=True)
    record = ledger.append("backup.started", run=RunId("10.2:weekly:2026-W48"), body=b'{"a":1}')
    medium = MemoryMedium("memory-1")

    result = back_up([source("ledger", {}, state, id="ledger")], [medium])

    assert result.set is not None, result
    assert result.set.streams[0].unread == ()
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], tmp_path / "out")
    copy = Ledger.open(tmp_path / "out" / "ledger", FixedClock(NOW), create=False)
    assert copy.last() == record
    assert copy.blob(record.body) == b'{"a":1}'


def test_no_ledger_yet_is_a_failed_source(tmp_path: Path) -> None:
    result = back_up([source("ledger", {}, tmp_path, id="ledger")], [MemoryMedium("memory-1")])

    assert result.set is None
    assert "no database" in result.failed_sources[0]


@pytest.mark.heavy
def test_a_ledger_in_a_database_comes_back_as_one_of_one_machine_with_all_it_names(tmp_path: Path) -> None:
    with Server.new(versions()[-1]) as server:
        server.sql(script())
        where = f"host={server.folder} port={PORT} user=postgres dbname=postgres"
        there = kept_in(lambda: psycopg.connect(where, autocommit=True), "db", writable=True)
        ledger = Ledger(tmp_path / "state", FixedClock(NOW), writable=True, kept=there)
        evidence = ledger.keep(b"a letter")
        body = b'{"evidence":["%s"]}' % evidence.encode()
        record = ledger.append("backup.started", run=RunId("10.2:weekly:2026-W48"), body=body)
        medium = MemoryMedium("memory-1")
        context = SourceContext(tmp_path / "state", ledger=lambda: there)

        result = back_up([build_source(table("ledger", {"class": "related"}, tmp_path, "ledger"), context)], [medium])

    assert result.set is not None, result
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], tmp_path / "out")
    copy = Ledger.open(tmp_path / "out" / "ledger", FixedClock(NOW), create=False)
    assert copy.last() == record
    assert (copy.blob(record.body), copy.blob(evidence)) == (body, b"a letter")


def test_a_database_that_is_away_is_a_failed_source_and_no_old_state_folder(tmp_path: Path) -> None:
    Ledger.open(tmp_path, FixedClock(NOW), create=True).append("note", run=NO_RUN, body=b"{}")
    where = f"host={tmp_path} port={PORT} user=postgres dbname=postgres connect_timeout=2"
    away = kept_in(lambda: psycopg.connect(where, autocommit=True), "db", writable=False)
    context = SourceContext(tmp_path, ledger=lambda: away)

    result = back_up(
        [build_source(table("ledger", {"class": "related"}, tmp_path, "ledger"), context)], [MemoryMedium("memory-1")]
    )

    assert result.set is None
    assert "cannot reach or read the ledger" in result.failed_sources[0]
