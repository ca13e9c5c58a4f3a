"""How far a job is over all workers: by what is done in its slot, and by what is left in the queue."""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest

from commands.jobs.cluster_progress import JobProgress, progress_of
from portalops.cluster.parts import PartRequest
from portalops.cluster.queue import put
from portalops.ledger.record import Draft
from portalops.ledger.writer import encoded
from portalops.model.record import Digest, Record, RunId
from portalops.model.runs import Every, Job, JobId, JobKind
from tests.backups.postgresql.parts import PORT
from tests.cluster.parts import Portal
from tests.ledger.ledgers import START

CHECK = Job(JobId("check"), JobKind.CHECK, Every.DAY)


def finished(part: str, seconds: int, *, job: str = "check") -> Record:
    run = RunId(f"check:{job}:2026-11-24:{part}")
    return encoded(
        Draft("check-part.finished", Digest("a" * 64), run),
        seconds + 1,
        START + timedelta(seconds=seconds),
        Digest("0" * 64),
    )


def wish(part: str, job: str = "check") -> PartRequest:
    return PartRequest(f"check:{job}:2026-11-24:{part}", "check", job, part)


def test_rate_and_time_left_follow_from_what_was_done_and_what_is_left() -> None:
    records = [finished("host-a", 0), finished("host-b", 10), finished("host-c", 20)]
    wishes = [wish("host-d"), wish("host-e")]

    assert progress_of(CHECK, records, wishes) == JobProgress("check", "check", 3, 5, 6.0, timedelta(seconds=20))


def test_before_the_second_part_is_done_nobody_knows_how_long_it_takes() -> None:
    assert progress_of(CHECK, [], [wish("host-a")]) == JobProgress("check", "check", 0, 1, None, None)
    assert progress_of(CHECK, [finished("host-b", 0)], [wish("host-a")]) == JobProgress(
        "check", "check", 1, 2, None, None
    )


def test_other_jobs_and_parts_that_are_tried_again_are_not_counted_as_done() -> None:
    records = [finished("host-a", 0), finished("host-a.2", 5), finished("host-b", 7, job="other")]

    found = progress_of(CHECK, records, [wish("host-a"), wish("host-c", "other")])

    assert found is not None and (found.done, found.total) == (0, 1)
    assert progress_of(CHECK, records, [wish("host-c", "other")]) is None


def test_status_of_workers_shows_a_job_by_its_parts(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    where = f"host={portal.server.folder} port={PORT} user=postgres dbname={portal.database}"
    with psycopg.connect(where, autocommit=True) as connection:
        put(connection, [wish("host-a"), wish("host-b")])

    assert portal.run("worker", "status", "--json") == 1  # they wait, and no worker is there
    data = json.loads(capsys.readouterr().out)["data"]

    assert data["jobs"] == [
        {"id": "check", "kind": "check", "done": 0, "total": 2, "per_minute": None, "seconds_left": None}
    ]
    portal.run("worker", "status")
    assert "Jobs under way" in capsys.readouterr().out
    portal.run("status")
    assert "Jobs under way" in capsys.readouterr().out, "beside the duties, on whichever machine one looks"
