"""Workers that die at random, and a database that is started anew, while a round of two thousand hosts is asked: nothing is lost or done twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench._hosts import Served, served
from portalops.errors import ExitCode
from tests.cluster.parts import ClusterServer, Portal, answer_at_once, new_portal

pytestmark = pytest.mark.exhaustive

HOSTS = 2_000
KILLS = 20
ENDED = "SELECT count(*) FROM portalops.record WHERE kind = 'check-part.finished'"
JUDGED = {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tuple[Served, ...], Path]]:
    folder = tmp_path_factory.mktemp("many")
    with served(folder, HOSTS, each=16) as hosts:
        answer_at_once(folder)
        yield hosts, folder / "client"


class Supervised:
    """A process that is started anew as systemd would (Restart=on-failure), however it ended, until it ends well."""

    def __init__(self, portal: Portal, folder: Path, name: str, *arguments: str) -> None:
        self._portal, self._arguments, self.log = portal, arguments, folder / f"{name}.log"
        self.starts = 0
        self.codes: list[int] = []
        self.process = self._started()

    def _started(self) -> subprocess.Popen[str]:
        self.starts += 1
        # A number behind the name, since the lock of one that was killed is free when the database has noticed it.
        arguments = [each.replace("NUMBER", str(self.starts)) for each in self._arguments]
        return self._portal.process(*arguments, log=self.log)

    def look(self) -> None:
        """Start it anew if it has ended by itself."""
        if (code := self.process.poll()) is not None:
            self.codes.append(code)
            self.process = self._started()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.codes.append(-signal.SIGKILL)
        self.process = self._started()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def workers(portal: Portal, folder: Path, count: int) -> Iterator[list[Supervised]]:
    some = [
        Supervised(portal, folder, f"w{each}", "worker", "run", "--name", f"w{each}-NUMBER") for each in range(count)
    ]
    try:
        yield some
    finally:
        for each in some:
            each.end()


@contextmanager
def job(portal: Portal, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = portal.process("run", "check", "-q", log=folder / "job.log")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(process: subprocess.Popen[str], some: list[Supervised], seconds: float) -> int:
    """Wait until a job has ended, while its workers are started anew where they ended."""
    until = time.monotonic() + seconds
    while (code := process.poll()) is None:
        assert time.monotonic() < until, "the job does not end"
        for each in some:
            each.look()
        time.sleep(0.2)
    return code


def ended(portal: Portal) -> int:
    return int(portal.sql(ENDED))


def once_each(portal: Portal, hosts: int) -> None:
    """Make sure that each host was asked once with an end, that the ledger holds, and that the job judged all of them."""
    of_part = Counter(part_of(run) for run in portal.runs("check-part.finished"))
    assert len(of_part) == hosts, "none is lost"
    assert set(of_part.values()) == {1}, "none is done twice"
    verified = portal.process("ledger", "verify", "--json")
    found = json.loads(verified.communicate(timeout=600)[0])["data"]["integrity"]
    assert found["holds"] is True and found["blobs_read"] is True
    results = portal.process("check", "results", "--json")
    assert results.communicate(timeout=600)


def part_of(run: str) -> str:
    head, _dot, number = run.rpartition(".")
    return head if number.isdigit() else run


def test_workers_and_the_job_that_are_killed_lose_nothing_and_do_nothing_twice(
    server: ClusterServer, many: tuple[tuple[Served, ...], Path], tmp_path: Path
) -> None:
    hosts, identity = many
    portal = new_portal(server, tmp_path / "portal", hosts, identity, cluster="slots = 16")
    chance = random.Random(20261126)
    with workers(portal, tmp_path, 3) as some:
        with job(portal, tmp_path) as first:
            portal.wait_until(ENDED, 20, 300)
            for number in range(KILLS):
                time.sleep(chance.uniform(0.5, 4))
                chance.choice(some).kill()
                if number == KILLS // 2:
                    first.kill()
                    first.wait()
                    break
        assert ended(portal) < HOSTS, "the job was killed in the midst of it"
        with job(portal, tmp_path) as second:
            for _number in range(KILLS // 2 - 1):
                time.sleep(chance.uniform(0.5, 4))
                chance.choice(some).kill()
            code = wait_for(second, some, 1200)
    assert code in JUDGED, (tmp_path / "job.log").read_text(encoding="utf-8")[-2000:]
    assert sum(len(each.codes) for each in some) >= KILLS
    once_each(portal, HOSTS)
    assert len(portal.runs("check.finished")) == 1 and len(portal.runs("check.started")) == 2
    begun, over = portal.runs("check-part.started"), portal.runs("check-part.finished")
    assert len(begun) > len(over), "some were begun by a worker that was killed"


def test_a_database_that_is_started_anew_in_mid_run_loses_nothing(
    server: ClusterServer, many: tuple[tuple[Served, ...], Path], tmp_path: Path
) -> None:
    hosts, identity = many
    some_hosts = hosts[:300]
    portal = new_portal(server, tmp_path / "portal", some_hosts, identity, cluster="slots = 8")
    with workers(portal, tmp_path, 2) as some, job(portal, tmp_path) as asking:
        for least in (30, 120):
            until = time.monotonic() + 300
            while ended(portal) < least:
                assert time.monotonic() < until and asking.poll() is None, (tmp_path / "job.log").read_text()[-2000:]
                for each in some:
                    each.look()
                time.sleep(0.2)
            server.restart()
        code = wait_for(asking, some, 600)
    assert code in JUDGED, (tmp_path / "job.log").read_text(encoding="utf-8")[-2000:]
    once_each(portal, len(some_hosts))
    assert len(portal.runs("check.finished")) == 1
    assert all(code == ExitCode.FAILED for each in some for code in each.codes), [each.codes for each in some]
    for each in some:
        assert "Traceback" not in each.log.read_text(encoding="utf-8")
