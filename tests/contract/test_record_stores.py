"""Whatever a ledger is kept in: the same records, asked for in the same ways, come back the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from portalops.errors import (
    ClockWentBack,
    IntegrityError,
    LedgerError,
    LedgerMissing,
    Locked,
    RunAlreadyRecorded,
)
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.ledger import KeptLedger, Ledger, kept_in
from portalops.ledger.moving import move
from portalops.ledger.postgresql_kept import kept_in as postgresql
from portalops.ledger.postgresql_store import PostgresqlStore
from portalops.ledger.postgresql_tables import PRUNER, READER, WRITER
from portalops.ledger.record import NO_RUN, Draft
from portalops.ledger.runs import lock_name
from portalops.ledger.selection import Selection
from portalops.ledger.stores import RecordStore
from portalops.model.record import Digest, RunId
from tests.backups.postgresql.parts import Server, versions
from tests.doubles import FixedClock
from tests.ledger.ledgers import ANY_TIME, START, filled_ledger, take, verified


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.new(versions()[-1]) as started:
        for role in (READER, WRITER, PRUNER):
            started.sql(f"CREATE ROLE {role} NOLOGIN")
        yield started


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> Iterator[KeptLedger]:
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    server.sql(f"CREATE DATABASE {name}")
    where = f"host={server.folder} port=5432 user=postgres dbname={name}"
    kept = postgresql(lambda: psycopg.connect(where, autocommit=True), name, writable=True)
    assert isinstance(kept.records, PostgresqlStore)
    kept.records.prepare()
    server.sql(ANY_TIME, name)
    yield kept
    kept.records.close()


def answers(store: RecordStore) -> Iterator[object]:
    yield store.count()
    for selection in (
        Selection(),
        Selection(newest_first=True, limit=3),
        Selection(kinds=("backup.started", "backup.finished")),
        Selection(since=START + timedelta(days=1)),
        Selection(until=START + timedelta(days=1)),
        Selection(since=START + timedelta(hours=1), until=START + timedelta(days=2)),
    ):
        yield [record.line for record in store.records(selection)]
    runs = sorted({record.run for record in store.records(Selection()) if record.run})
    yield runs
    for run in runs:
        yield [record.seq for record in store.records(Selection(run=run))]
        yield sorted(store.run_ids(run))
        yield store.has(run, "backup.started")
    for kind in ("backup", "check", "ledger", "nothing", "plan"):
        yield store.kinds_under(kind)
    for kinds in (None, ("backup",), ("backup", "check")):
        yield [record.seq for record in store.frames(kinds, None, None)]
        yield [record.seq for record in store.frames(kinds, START + timedelta(days=1), None)]
    yield [record.seq for record in store.frame_records()]
    yield list(store.bodies())
    yield store.record(3), store.record(10**6)
    with store.snapshot() as chain:
        yield chain.tail(), chain.stores_columns
        yield [line for chunk in chain.chunks(7) for line in chunk.lines]
        yield chain.read_mark_before(4)
        yield list(chain.lines_of(("plan", "backup.started")))
        yield chain.are_indexed(0), list(chain.misleading_indexes())


def in_file(folder: Path) -> KeptLedger:
    kept = kept_in(folder, writable=True)
    kept.records.create()
    return kept


@pytest.mark.heavy
def test_a_database_answers_as_the_file_of_one_machine_does(tmp_path: Path, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path)
    done = move(ledger, in_file(tmp_path), database)

    assert list(answers(database.records)) == list(answers(kept_in(tmp_path, writable=False).records))
    assert done.records == ledger.count() and not done.lost
    there = Ledger(tmp_path / "locks", FixedClock(START), writable=True, kept=database)
    assert verified(there) == verified(ledger)


def test_a_ledger_moved_there_and_back_has_the_same_lines_and_goes_on(tmp_path: Path, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path / "a")
    before = [record.line for record in ledger.records()]
    move(ledger, in_file(tmp_path / "a"), database)
    there = Ledger(tmp_path / "a", FixedClock(START + timedelta(days=30)), writable=True, kept=database)
    there.append("note", run=NO_RUN, body=b"{}")
    back = in_file(tmp_path / "b")
    move(there, database, back)

    lines = [record.line for record in back.records.records(Selection())]
    assert lines[: len(before)] == before and len(lines) == len(before) + 3
    assert verified(Ledger(tmp_path / "b", FixedClock(START), writable=False)).integrity.holds


def test_what_details_name_in_turn_is_moved_with_them(tmp_path: Path, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path)
    letter = ledger.keep(b"a letter")
    ledger.append("note", run=NO_RUN, body=b'{"evidence":["%s"]}' % letter.encode())

    done = move(ledger, in_file(tmp_path), database)

    assert database.blobs.read(letter) == b"a letter" and not done.lost
    assert list(database.blobs.digests()) == list(in_file(tmp_path).blobs.digests())


def test_a_ledger_with_a_damaged_detail_stays_where_it_is_and_goes_on_there(
    tmp_path: Path, database: KeptLedger
) -> None:
    ledger, source = filled_ledger(tmp_path), in_file(tmp_path)
    before = ledger.count()
    digest = next(source.blobs.digests())
    next((tmp_path / "blobs").rglob(f"{digest}*")).write_bytes(b"damaged")

    with pytest.raises(IntegrityError, match=digest):
        move(ledger, source, database)

    assert (ledger.count(), database.records.count()) == (before, 0)
    again = Ledger.open(tmp_path, FixedClock(START + timedelta(days=60)), create=True)
    again.append("note", run=NO_RUN, body=b"{}")


def test_a_ledger_is_not_moved_while_a_run_is_at_work(tmp_path: Path, database: KeptLedger) -> None:
    """It would leave its end in the place that the ledger left."""
    filled_ledger(tmp_path)
    ledger = Ledger.open(tmp_path, FixedClock(START + timedelta(days=60)), create=True)
    ledger.append("backup.started", run=RunId("at-work"), subject="daily", body=b"{}")
    before = ledger.count()

    with ledger.locks.held(lock_name("daily"), holder="at-work"), pytest.raises(Locked, match="at-work has not ended"):
        move(ledger, in_file(tmp_path), database)

    assert (ledger.count(), database.records.count()) == (before, 0)
    assert move(ledger, in_file(tmp_path), database).records == before + 1, "one that was killed hinders nothing"


def test_where_tables_are_and_no_record_the_next_step_is_a_run(tmp_path: Path, database: KeptLedger) -> None:
    with pytest.raises(LedgerMissing) as raised:
        Ledger.open(tmp_path, FixedClock(START), create=False, kept=database)

    assert str(raised.value.hint) == "Run 'portalops run' to create the ledger with its first record."


UNRELEASED = (
    "DROP FUNCTION portalops.bring(bigint, text[])",
    "DROP INDEX portalops.record_at",
    "ALTER TABLE portalops.about DROP COLUMN ahead",
    "CREATE OR REPLACE FUNCTION portalops.remove(which text) RETURNS void LANGUAGE sql AS ''",
)
"""What tables that were made between two releases may lack."""


@pytest.mark.parametrize("lacking", UNRELEASED)
def test_tables_made_between_two_releases_are_named_and_completed(
    tmp_path: Path, server: Server, database: KeptLedger, lacking: str
) -> None:
    ledger, store = filled_ledger(tmp_path), database.records
    assert isinstance(store, PostgresqlStore)
    server.sql(lacking, store.place)
    if "DROP FUNCTION" in lacking:
        with pytest.raises(IntegrityError) as raised:
            move(ledger, in_file(tmp_path), database)
        assert "Run 'portalops ledger prepare' as the owner of the database" in str(raised.value.hint)

    assert (store.prepare(), store.prepare()) == (True, False)
    server.sql(ANY_TIME, store.place)

    assert move(ledger, in_file(tmp_path), database).records == ledger.count()


def test_details_alone_are_not_moved_while_a_run_is_at_work(tmp_path: Path) -> None:
    """What it keeps afterwards would be in the old place alone."""
    filled_ledger(tmp_path)
    ledger = Ledger.open(tmp_path, FixedClock(START + timedelta(days=60)), create=True)
    ledger.append("backup.started", run=RunId("at-work"), subject="daily", body=b"{}")
    target = replace(in_file(tmp_path), blobs=BlobFolder(tmp_path / "evidence"))

    with ledger.locks.held(lock_name("daily"), holder="at-work"), pytest.raises(Locked, match="at-work has not ended"):
        move(ledger, in_file(tmp_path), target)

    assert not any(target.blobs.digests())
    assert move(ledger, in_file(tmp_path), target).blobs > 8


def test_a_move_that_was_cut_is_gone_on_with_and_another_ledger_is_refused(
    tmp_path: Path, database: KeptLedger
) -> None:
    ledger, source = filled_ledger(tmp_path / "a"), in_file(tmp_path / "a")
    first = [record.line for record in source.records.records(Selection(limit=4))]
    take(database.records, 1, first)

    move(ledger, source, database)

    assert database.records.count() == ledger.count()
    other = filled_ledger(tmp_path / "b")
    with pytest.raises(LedgerError, match="another ledger"):
        move(other, in_file(tmp_path / "b"), database)


def test_the_database_refuses_what_does_not_follow(tmp_path: Path, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path)
    lines = [record.line for record in ledger.records()]
    with pytest.raises(IntegrityError, match="record 2 does not follow record 0"):
        take(database.records, 2, lines[1:2])
    take(database.records, 1, lines[:2])
    with pytest.raises(IntegrityError, match="record 3 does not follow from the one before"):
        take(database.records, 3, lines[3:4])
    with pytest.raises(IntegrityError, match="is not chained to the record before it"):
        take(in_file(tmp_path / "x").records, 2, lines[1:2])


def test_a_ledger_that_was_moved_is_not_moved_to_a_third_place_from_where_it_was(
    tmp_path: Path, database: KeptLedger
) -> None:
    ledger, source = filled_ledger(tmp_path / "a"), in_file(tmp_path / "a")
    move(ledger, source, database)
    before, third = ledger.count(), in_file(tmp_path / "b")

    with pytest.raises(LedgerError, match=f"was moved to {database.records.place}"):
        move(ledger, source, third)

    assert ledger.count() == before and third.records.count() == 0
    move(ledger, source, database)  # where it went, again


@pytest.mark.parametrize("cut", [b'"prev":"%s",', b'"seq":3,'])
def test_a_line_that_does_not_say_what_it_follows_is_refused(tmp_path: Path, database: KeptLedger, cut: bytes) -> None:
    """A comparison with nothing is neither true nor false to a database."""
    lines = [record.line for record in filled_ledger(tmp_path).records()]
    take(database.records, 1, lines[:2])
    assert isinstance(database.records, PostgresqlStore)
    part = cut % hashlib.sha256(lines[1]).hexdigest().encode() if b"%s" in cut else cut
    assert lines[2].count(part) == 1

    with pytest.raises(LedgerError, match="line 3 is no record"):
        take(database.records, 3, [lines[2].replace(part, b"")])
    for name in ("append", "bring"):
        with (
            pytest.raises(LedgerError, match="record 3 does not have the format of a record"),
            database.records.connections.used() as one,
        ):
            one.execute(f"SELECT portalops.{name}(3, %s)", ([lines[2].replace(part, b"").decode()],))

    assert database.records.count() == 2


def test_a_row_before_the_first_record_is_found(tmp_path: Path, server: Server, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path)
    move(ledger, in_file(tmp_path), database)
    there = Ledger(tmp_path, FixedClock(START), writable=False, kept=database)
    assert verified(there).integrity.holds
    insert = 'INSERT INTO portalops.record (seq, line) SELECT -5, replace(line, \'"run":"\', \'"run":"x\')'
    server.sql(f"{insert} FROM portalops.record WHERE run <> '' ORDER BY seq LIMIT 1", database.records.place)
    assert any(record.run.startswith("x") for record in there.frames()), "it is part of what queries answer"

    assert not verified(there).integrity.holds


def test_a_run_is_recorded_once_and_the_clock_does_not_go_back(tmp_path: Path, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path)
    move(ledger, in_file(tmp_path), database)
    there = Ledger(tmp_path, FixedClock(START + timedelta(days=60)), writable=True, kept=database)
    run = RunId("once")
    there.append("check.started", run=run, body=b"{}")
    with pytest.raises(RunAlreadyRecorded):
        there.append("check.started", run=run, body=b"{}")
    late = Ledger(tmp_path, FixedClock(START), writable=True, kept=database)
    with pytest.raises(ClockWentBack):
        late.append("note", run=NO_RUN, body=b"{}")


def account(server: Server, database: KeptLedger, role: str) -> PostgresqlStore:
    """A store as an account that is a member of one role alone."""
    name = f"{role}_{database.records.place}"
    server.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'x' IN ROLE {role}")
    where = f"host={server.folder} port=5432 user={name} password=x dbname={database.records.place}"
    return PostgresqlStore(lambda: psycopg.connect(where, autocommit=True), database.records.place, writable=True)


def test_who_appends_can_change_and_delete_nothing(tmp_path: Path, server: Server, database: KeptLedger) -> None:
    move(filled_ledger(tmp_path), in_file(tmp_path), database)
    writer = account(server, database, WRITER)
    clock = FixedClock(START + timedelta(days=60))
    writer.append((Draft("note", Digest("a" * 64)),), clock)

    for statement in (
        "UPDATE portalops.record SET line = line",
        "DELETE FROM portalops.record",
        "TRUNCATE portalops.record",
        "INSERT INTO portalops.record (seq, line) VALUES (99, '{}')",
        "UPDATE portalops.tail SET size = 1",
        "DELETE FROM portalops.blob",
        "SELECT portalops.remove('a')",
        "DROP TRIGGER record_kept ON portalops.record",
    ):
        with (
            pytest.raises(LedgerError, match="this account has no right"),
            writer.connections.used() as one,
        ):
            one.execute(statement)


def test_an_auditor_reads_and_verifies_and_cannot_append(tmp_path: Path, server: Server, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path)
    move(ledger, in_file(tmp_path), database)
    reader = account(server, database, READER)

    assert verified(
        Ledger(tmp_path / "r", FixedClock(START), writable=False, kept=replace(database, records=reader))
    ) == verified(ledger)
    with pytest.raises(LedgerError, match="this account has no right"):
        reader.append((Draft("note", Digest("a" * 64)),), FixedClock(START + timedelta(days=60)))


def test_not_even_the_owner_changes_a_record_by_mistake(tmp_path: Path, server: Server, database: KeptLedger) -> None:
    move(filled_ledger(tmp_path), in_file(tmp_path), database)
    assert isinstance(database.records, PostgresqlStore)
    for statement in (
        "UPDATE portalops.record SET line = line",
        "DELETE FROM portalops.record",
        "TRUNCATE portalops.record",
    ):
        with pytest.raises(LedgerError, match="never changed or deleted"), database.records.connections.used() as one:
            one.execute(statement)


def test_an_index_that_hides_a_record_is_found(tmp_path: Path, server: Server, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path)
    lines = [record.line for record in ledger.records()]
    take(database.records, 1, lines[:-1])
    name = database.records.place
    server.sql(
        "SET allow_system_table_mods = on; UPDATE pg_index SET indisready = false WHERE indexrelid = 'portalops.record_kind'::regclass",
        name,
    )
    take(database.records, len(lines), lines[-1:])
    server.sql(
        "SET allow_system_table_mods = on; UPDATE pg_index SET indisready = true WHERE indexrelid = 'portalops.record_kind'::regclass",
        name,
    )

    with database.records.snapshot() as chain:
        assert [place for place, _said in chain.misleading_indexes()] == [len(lines)]
        assert not chain.are_indexed(len(lines) - 2)


def test_an_append_whose_answer_was_lost_is_done_once(tmp_path: Path, server: Server, database: KeptLedger) -> None:
    ledger = filled_ledger(tmp_path)
    move(ledger, in_file(tmp_path), database)
    assert isinstance(database.records, PostgresqlStore)
    before = database.records.count()
    clock = FixedClock(START + timedelta(days=60))

    def cut() -> tuple[Draft, ...]:
        server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> 'psql' AND state LIKE 'idle%'"
        )
        return (Draft("note", Digest("a" * 64)),)

    with pytest.raises(LedgerError, match="cannot reach"):
        database.records.append_decided(cut, clock)
    assert database.records.count() == before
    database.records.append((Draft("note", Digest("a" * 64)),), clock)
    assert database.records.count() == before + 1


def test_a_lock_is_one_process_s_and_goes_with_it(server: Server, database: KeptLedger) -> None:
    where = f"host={server.folder} port=5432 user=postgres dbname={database.records.place}"
    elsewhere = postgresql(lambda: psycopg.connect(where, autocommit=True), database.records.place, writable=True)
    other = elsewhere.locks
    with database.locks.held("job-x", holder="run 1"):
        assert other.is_held_by("job-x", "run 1") and not other.is_held_by("job-x", "run 2")
        for locks in (database.locks, other):
            with pytest.raises(Locked, match="held by run 1"), locks.held("job-x", holder="run 2"):
                pass
        with other.held("job-y", holder="run 2"), pytest.raises(Locked), database.locks.held("job-y", holder="run 1"):
            pass
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'portalops run 1'")
        with other.held("job-x", holder="run 2", wait_seconds=5):
            assert not other.is_held_by("job-x", "run 1")
    with other.held("job-x", holder="run 3"):
        pass
    elsewhere.records.close()
