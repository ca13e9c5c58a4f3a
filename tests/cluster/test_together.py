"""Several people and several versions on one ledger at once: one gets the job, the others are told, and nobody's record is lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from portalops.cluster.parts import FORMAT, PartRequest
from portalops.cluster.queue import put
from portalops.errors import ExitCode
from portalops.ledger.postgresql_store import MOST, PostgresqlStore
from portalops.ledger.postgresql_tables import WRITER
from portalops.ledger.record import Draft
from portalops.model.record import Digest
from portalops.system.clock import SystemClock
from tests.cluster.parts import OPERATOR, SECRETS, Portal

JUDGED = {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}


def data_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)["data"]


@pytest.mark.heavy
def test_of_two_operators_who_run_a_job_at_once_one_gets_it_and_the_other_is_told(
    portal: Portal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = portal.process("run", "check", "-q", log=tmp_path / "first.log")
    try:
        portal.wait_until("SELECT count(*) FROM portalops_queue.pgqueuer", 4, 180)
        capsys.readouterr()
        code = portal.run("run", "check")
        told = capsys.readouterr()
        assert code == ExitCode.LOCKED, told
        assert "is held by" in told.out + told.err
        with portal.worker("w1", tmp_path):
            assert first.wait(180) in JUDGED
    finally:
        first.kill()
        first.wait()
    assert len(portal.runs("check.started")) == len(portal.runs("check.finished")) == 1
    assert len(portal.runs("check-part.finished")) == 4


def where(portal: Portal, user: str, password: str) -> str:
    return f"host={portal.server.folder} dbname={portal.database} user={user} password={password}"


def test_accounts_that_append_at_once_lose_nothing(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    other = f"o_{portal.database}"
    portal.sql(f"CREATE ROLE {other} LOGIN PASSWORD 'x' IN ROLE {WRITER}")
    before = int(portal.sql("SELECT size FROM portalops.tail"))

    def append(account: tuple[str, str]) -> None:
        store = PostgresqlStore(
            lambda: psycopg.connect(where(portal, *account), autocommit=True), "here", writable=True
        )
        for number in range(50):
            store.append((Draft("note", Digest("a" * 64), subject=f"{account[0]}-{number}"),), SystemClock())
        store.close()

    accounts = ((OPERATOR, SECRETS[OPERATOR.upper()]), (other, "x"))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(append, accounts))

    subjects = portal.sql("SELECT line::json ->> 'subject' FROM portalops.record WHERE kind = 'note'").splitlines()
    assert sorted(subjects) == sorted(f"{name}-{number}" for name, _password in accounts for number in range(50))
    assert int(portal.sql("SELECT size FROM portalops.tail")) == before + 100


def test_a_process_takes_no_more_connections_than_it_may(portal: Portal) -> None:
    store = PostgresqlStore(
        lambda: psycopg.connect(where(portal, OPERATOR, "o"), autocommit=True, application_name="bounded"),
        "here",
        writable=True,
    )
    most: list[int] = []

    def use(_number: int) -> None:
        with store.connections.used() as connection:
            connection.execute("SELECT pg_sleep(0.05)")
            with store.connections.used() as further:  # never waits for itself
                row = further.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bounded'"
                ).fetchone()
                most.append(row[0] if row else 0)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(use, range(80)))
    store.close()

    assert len(most) == 80 and max(most) <= 2 * MOST


@pytest.mark.heavy
def test_an_older_worker_leaves_the_wishes_of_a_newer_portalops_to_others(
    portal: Portal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = PartRequest("check:check:2026-11-26:host-host-1", "check", "check", "host-host-1", format=FORMAT + 1)
    older = PartRequest("check:check:2026-11-26:host-host-0", "check", "check", "host-host-0")
    with psycopg.connect(where(portal, OPERATOR, "o"), autocommit=True) as connection:
        put(connection, [newer, older])

    with portal.worker("w1", tmp_path):
        portal.wait_until("SELECT count(*) FROM portalops.record WHERE kind = 'check-part.finished'", 1)
        portal.wait_until("SELECT count(*) FROM portalops_queue.pgqueuer WHERE execute_after > now()", 1)
        portal.wait_until("SELECT (count(*) = 1)::int FROM portalops_queue.pgqueuer", 1)

    capsys.readouterr()
    assert portal.runs("check-part.started") == [older.run]
    assert portal.run("worker", "status", "--json") == ExitCode.UNMET, "something waits and nobody is there"
    assert data_of(capsys)["waiting"] == 1
    assert "Traceback" not in (tmp_path / "w1.log").read_text(encoding="utf-8")
