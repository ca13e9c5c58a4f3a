"""The queue in a real database: each wish once, taken by whoever is there, and never lost for a fault."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest

from portalops.cluster import queue
from portalops.cluster.parts import FORMAT, PartRequest
from portalops.errors import LedgerError, Locked
from portalops.model.message import msg
from tests.cluster.parts import (
    AUDITOR,
    OPERATOR,
    SECRETS,
    ClusterServer,
    ledger_script,
    new_database,
    queue_script,
)


@pytest.fixture
def database(server: ClusterServer) -> str:
    name = new_database(server)
    server.sql(f"{ledger_script()}\n{queue_script()}", name)
    return name


@pytest.fixture
def where(server: ClusterServer, database: str) -> str:
    return f"host={server.folder} dbname={database} user={OPERATOR} password={SECRETS[OPERATOR.upper()]}"


@pytest.fixture
def connection(where: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(where, autocommit=True) as one:
        yield one


def wish(number: int, *, attempt: int = 1, form: int = FORMAT) -> PartRequest:
    return PartRequest(
        f"check:check:2026-11-26:host-{number}", "check", "check", f"host-{number}", attempt=attempt, format=form
    )


class Doing:
    """What a worker does: notes each wish, and is asked to end once it has noted so many."""

    def __init__(self, most: int, first: Callable[[PartRequest], None] = lambda _wish: None) -> None:
        self.most, self._first = most, first
        self.done: list[str] = []
        self.begun: list[str] = []
        self.lock = threading.Lock()
        self.enough = threading.Event()
        self.at_once = self.most_at_once = 0

    def __call__(self, wished: PartRequest) -> None:
        with self.lock:
            self.begun.append(wished.part)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self._first(wished)
            with self.lock:
                self.done.append(wished.part)
                if len(self.done) >= self.most:
                    self.enough.set()
        finally:
            with self.lock:
                self.at_once -= 1


def work(where: str, *doing: Doing, seconds: float = 30, slots: int = 4, at_once: int = 0) -> None:
    """Let workers take what is in the queue until all have done enough, or for so long."""

    async def one(each: Doing) -> None:
        stop = asyncio.Event()
        async with (
            await psycopg.AsyncConnection.connect(where, autocommit=True) as connection,
            await psycopg.AsyncConnection.connect(where, autocommit=True) as ears,
        ):
            working = asyncio.create_task(queue.work(connection, ears, each, slots=slots, at_once=at_once, stop=stop))
            until = time.monotonic() + seconds
            while not each.enough.is_set() and time.monotonic() < until and not working.done():
                await asyncio.sleep(0.02)
            stop.set()
            await working

    async def all_of_them() -> None:
        await asyncio.gather(*(one(each) for each in doing))

    asyncio.run(all_of_them())


def test_a_wish_that_is_put_in_twice_is_done_once(connection: psycopg.Connection, where: str) -> None:
    assert queue.put(connection, [wish(1), wish(2)]) == 2
    assert queue.put(connection, [wish(2), wish(3)]) == 1
    assert queue.sizes(connection) == {"queued": 3}

    doing = Doing(3)
    work(where, doing)

    assert sorted(doing.done) == ["host-1", "host-2", "host-3"]
    assert queue.sizes(connection) == {}


def test_a_further_attempt_is_another_wish(connection: psycopg.Connection) -> None:
    assert queue.put(connection, [wish(1), wish(1, attempt=2)]) == 2


def test_two_workers_share_what_there_is(connection: psycopg.Connection, where: str) -> None:
    queue.put(connection, [wish(number) for number in range(40)])
    both = threading.Barrier(2, timeout=30)
    met: list[int] = []

    def meet(_wish: PartRequest) -> None:
        if not met:
            met.append(both.wait())

    one, other = Doing(40, meet), Doing(40, meet)
    seen = threading.Thread(target=lambda: stop_when(one, other, 40))
    seen.start()
    work(where, one, other)
    seen.join()

    assert sorted(one.done + other.done) == sorted(f"host-{number}" for number in range(40))
    assert one.done and other.done


def stop_when(one: Doing, other: Doing, most: int) -> None:
    until = time.monotonic() + 30
    while len(one.done) + len(other.done) < most and time.monotonic() < until:
        time.sleep(0.02)
    one.enough.set()
    other.enough.set()


@pytest.mark.heavy
def test_a_wish_of_a_newer_format_stays_for_a_worker_that_knows_it(connection: psycopg.Connection, where: str) -> None:
    queue.put(connection, [wish(1, form=FORMAT + 1), wish(2)])
    doing = Doing(2)

    work(where, doing, seconds=2)

    assert doing.begun == ["host-2"]
    assert queue.sizes(connection) == {"queued": 1}
    (later,) = (
        connection.execute("SELECT execute_after > now() + '30 seconds' FROM portalops_queue.pgqueuer").fetchone() or ()
    )
    assert later, "and is not looked at again and again"


def once(error: Exception) -> Callable[[PartRequest], None]:
    """Raise an error the first time that a wish is done."""
    met: set[str] = set()

    def raises(wished: PartRequest) -> None:
        if wished.part not in met:
            met.add(wished.part)
            raise error

    return raises


@pytest.mark.heavy
def test_a_part_whose_host_is_busy_is_put_off(connection: psycopg.Connection, where: str) -> None:
    queue.put(connection, [wish(1), wish(2)])
    doing = Doing(2, once(Locked(msg("it is held"), msg("Wait."))))

    work(where, doing)

    assert sorted(doing.done) == ["host-1", "host-2"] and len(doing.begun) == 4


@pytest.mark.parametrize("error", [LedgerError(msg("the database is away"), msg("Wait.")), ValueError("a fault")])
def test_a_part_that_could_not_be_recorded_stays_in_the_queue(
    connection: psycopg.Connection, where: str, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    queue.put(connection, [wish(1)])
    doing = Doing(1, once(error))

    with caplog.at_level(logging.WARNING):
        work(where, doing, seconds=1)

    assert doing.begun == ["host-1"] and not doing.done
    assert queue.sizes(connection) == {"queued": 1}
    assert "check:check:2026-11-26:host-1 is tried again" in caplog.text
    connection.execute("UPDATE portalops_queue.pgqueuer SET execute_after = now()")
    work(where, doing)
    assert doing.done == ["host-1"]


def test_no_more_are_done_at_once_than_is_allowed(connection: psycopg.Connection, where: str) -> None:
    queue.put(connection, [wish(number) for number in range(12)])
    one = Doing(12, lambda _wish: time.sleep(0.05))

    work(where, one, slots=8, at_once=2)

    assert len(one.done) == 12 and one.most_at_once <= 2


def test_what_is_begun_is_ended_before_a_worker_stops(connection: psycopg.Connection, where: str) -> None:
    queue.put(connection, [wish(number) for number in range(3)])
    doing: Doing

    def slowly(_wish: PartRequest) -> None:
        doing.enough.set()
        time.sleep(0.5)

    doing = Doing(99, slowly)
    work(where, doing, slots=2)

    assert doing.begun and sorted(doing.done) == sorted(doing.begun)
    assert queue.sizes(connection).get("queued", 0) == 3 - len(doing.done)


@pytest.mark.heavy
def test_a_worker_whose_connection_breaks_says_so(
    connection: psycopg.Connection, where: str, server: ClusterServer
) -> None:
    queue.put(connection, [wish(1)])

    def cut(_wish: PartRequest) -> None:
        server.sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{connection.info.dbname}'"
            f" AND pid <> {connection.info.backend_pid}"
        )

    with pytest.raises(psycopg.OperationalError):
        work(where, Doing(9, cut))

    assert queue.sizes(connection) == {"picked": 1}, (
        "the next worker gets it when nothing is heard of this one any more"
    )


def test_a_worker_is_asked_to_end(connection: psycopg.Connection, where: str) -> None:
    async def asked(name: str) -> bool:
        stop = asyncio.Event()
        other = await psycopg.AsyncConnection.connect(where, autocommit=True)
        waiting = asyncio.create_task(queue.drained(other, "w1", stop))
        while not connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN portalops_drain%'"
        ).fetchall():
            await asyncio.sleep(0.02)
        queue.ask_to_drain(connection, name)
        await asyncio.wait({waiting}, timeout=1)
        was_asked = stop.is_set()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return was_asked

    assert asyncio.run(asked("w1"))
    assert not asyncio.run(asked("w2"))


def test_the_queue_is_made_once_by_the_owner(server: ClusterServer) -> None:
    name = new_database(server)
    server.sql(ledger_script(), name)
    with psycopg.connect(f"host={server.folder} dbname={name} user=postgres", autocommit=True) as owner:
        with pytest.raises(LedgerError, match="here has no queue for the cluster"):
            queue.require(owner, "here")
        assert queue.prepare(owner)
        assert not queue.prepare(owner)
        queue.require(owner, "here")


def test_who_only_reads_may_not_use_the_queue(server: ClusterServer, database: str) -> None:
    with (
        psycopg.connect(
            f"host={server.folder} dbname={database} user={AUDITOR} password=a", autocommit=True
        ) as auditor,
        pytest.raises(LedgerError, match="this account may not use the queue"),
    ):
        queue.require(auditor, "here")


def test_the_log_of_the_queue_does_not_grow_for_ever(connection: psycopg.Connection, where: str) -> None:
    queue.put(connection, [wish(1)])
    work(where, Doing(1))
    log = "SELECT count(*) FROM portalops_queue.pgqueuer_log"
    assert connection.execute(log).fetchone() != (0,)
    connection.execute("UPDATE portalops_queue.pgqueuer_log SET created = now() - %s", (timedelta(days=31),))

    queue.put(connection, [])
    queue.put(connection, [wish(2)])

    assert connection.execute(log).fetchone() == (1,)
