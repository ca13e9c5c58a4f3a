"""A job whose parts workers do: real worker processes, real sshd behind each host, one database."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from portalops.errors import ExitCode
from tests.cluster.parts import AUDITOR, OPERATOR, Portal, store_of

PARTS = "SELECT count(*) FROM portalops.record WHERE kind = 'check-part.finished'"


def said(process: subprocess.Popen[str]) -> str:
    """Wait until a process has ended, and return all that it printed."""
    return process.communicate(timeout=120)[0]


def data_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)["data"]


@pytest.mark.heavy
def test_a_worker_whose_name_the_database_cannot_hold_ends_when_it_is_asked_by_the_name_that_is_listed(
    portal: Portal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "máy-chủ-1.trung-tam-cong-nghe-thong-tin.khanhhoa.gov.vn-4711"
    worker = portal.process("worker", "run", "--name", name, log=tmp_path / "worker.log")
    try:
        portal.wait_for_worker("m?y-ch?-1.trung-tam-cong-nghe-thong-tin.khanhh")
        capsys.readouterr()
        assert portal.run("worker", "list", "--json") == ExitCode.OK
        (seen,) = data_of(capsys)
        assert portal.run("worker", "drain", seen["id"]) == ExitCode.OK
        assert worker.wait(30) == ExitCode.OK
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.heavy
def test_a_round_is_asked_by_a_worker_and_judged_by_the_job(
    portal: Portal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with portal.worker("w1", tmp_path) as worker:
        capsys.readouterr()
        assert portal.run("worker", "list", "--json") == ExitCode.OK
        (seen,) = data_of(capsys)
        assert seen["id"] == "w1" and seen["account"] == OPERATOR

        assert portal.run("run", "check", "--json") == ExitCode.PARTIAL
        (job,) = data_of(capsys)["jobs"]
        assert job["outcome"] == "complete"
        runs = portal.runs("check-part.finished")
        assert sorted(run.rpartition(":")[2] for run in runs) == [f"host-host-{number}" for number in range(4)]
        assert len(portal.runs("check-part.started")) == 4

        assert portal.run("worker", "status", "--json") == ExitCode.OK
        assert data_of(capsys) == {"waiting": 0, "at_work": 0, "workers": 1, "jobs": []}

        assert portal.run("worker", "drain", "w2") == ExitCode.USAGE
        assert "The workers are: w1." in capsys.readouterr().err
        assert portal.run("worker", "drain", "w1") == ExitCode.OK
        assert worker.wait(30) == ExitCode.OK
        assert "4 parts were done" in (tmp_path / "w1.log").read_text(encoding="utf-8")

    capsys.readouterr()
    assert portal.run("worker", "list", "--json") == ExitCode.UNMET
    assert data_of(capsys) == []
    assert portal.run("ledger", "verify", "--json") in {ExitCode.OK, ExitCode.PARTIAL}
    assert data_of(capsys)["integrity"]["holds"] is True
    assert portal.run("check", "results", "--json", "--host", "host-0") in set(ExitCode)


@pytest.mark.heavy
def test_a_worker_that_is_told_to_stop_ends_what_it_began(portal: Portal, tmp_path: Path) -> None:
    with portal.worker("w1", tmp_path, "--slots", "2") as worker:
        job = portal.process("run", "check", "-q", log=tmp_path / "job.log")
        try:
            portal.wait_until("SELECT count(*) FROM portalops.record WHERE kind = 'check-part.started'", 1)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == ExitCode.OK, (tmp_path / "w1.log").read_text(encoding="utf-8")
            assert portal.runs("check-part.started") == portal.runs("check-part.finished") or sorted(
                portal.runs("check-part.started")
            ) == sorted(portal.runs("check-part.finished"))
            with portal.worker("w2", tmp_path):
                assert job.wait(120) in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}
        finally:
            job.kill()
            job.wait()
    assert len(set(portal.runs("check-part.finished"))) == len(portal.runs("check-part.finished")) == 4


def test_two_workers_of_one_name_are_one_too_many(portal: Portal, tmp_path: Path) -> None:
    with portal.worker("w1", tmp_path):
        other = portal.process("worker", "run", "--name", "w1")
        told = said(other)
        assert other.returncode == ExitCode.LOCKED
        assert "worker-w1 is held by worker w1" in told


def test_a_cluster_needs_a_database(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    text = portal.configuration.read_text(encoding="utf-8")
    portal.configuration.write_text(text.replace(store_of(portal.server, portal.database), ""), encoding="utf-8")

    for arguments in (("worker", "run"), ("worker", "list"), ("worker", "status"), ("worker", "drain", "w1")):
        assert portal.run(*arguments) == ExitCode.CONFIGURATION
        assert "a cluster needs a ledger in a database" in capsys.readouterr().err


def test_a_worker_needs_a_cluster(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    text = portal.configuration.read_text(encoding="utf-8")
    portal.configuration.write_text(text.replace("[cluster]\nslots = 8\n", ""), encoding="utf-8")

    assert portal.run("worker", "run") == ExitCode.CONFIGURATION
    assert "the configuration names no cluster" in capsys.readouterr().err


def as_auditor(portal: Portal) -> Portal:
    old, new = (store_of(portal.server, portal.database, user) for user in (OPERATOR, AUDITOR))
    return portal.reconfigured((old, new))


def test_who_only_reads_can_be_no_worker_and_begin_no_job(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    auditor = as_auditor(portal)

    assert auditor.run("worker", "run") == ExitCode.FAILED
    shown = capsys.readouterr().err
    assert "this account may not use the queue" in shown and "Make the account a member of portalops_writer" in shown
    assert auditor.run("run", "check") == ExitCode.FAILED
    shown = capsys.readouterr().err
    assert "this account has no right" in shown and "portalops_writer" in shown
    assert auditor.run("ledger", "show", "--json") == ExitCode.OK


def test_a_queue_that_was_not_made_is_told_with_how_to_make_it(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    portal.sql("DROP SCHEMA portalops_queue CASCADE")

    for arguments in (("worker", "run"), ("worker", "status")):
        assert portal.run(*arguments) == ExitCode.FAILED
        shown = capsys.readouterr().err
        assert "has no queue for the cluster" in shown and "portalops ledger prepare" in shown


@pytest.mark.heavy
def test_a_worker_whose_database_goes_away_ends_with_an_error_and_can_be_started_anew(
    portal: Portal, tmp_path: Path
) -> None:
    with portal.worker("w1", tmp_path) as worker:
        portal.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert worker.wait(60) == ExitCode.FAILED
    told = (tmp_path / "w1.log").read_text(encoding="utf-8")
    assert "cannot reach or read the ledger postgresql" in told and "pg_isready" in told
    assert "Traceback" not in told
    with portal.worker("w1", tmp_path):
        pass


def test_a_database_that_is_not_there_is_told(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = portal.reconfigured((f'database = "{portal.database}"', 'database = "nowhere"'))
    for arguments in (("worker", "run"), ("worker", "list"), ("worker", "status"), ("worker", "drain", "w1")):
        assert nowhere.run(*arguments) == ExitCode.FAILED
        assert 'database "nowhere" does not exist' in capsys.readouterr().err
