"""The queue in the ledger's database (pgqueuer): wishes are put in, workers take them out, and those of a dead worker go to the next.

Nothing depends on the queue for what happened: that is in the ledger, in which each part is recorded once. The queue lies in a schema of
its own, so that the ledger's roles need not be able to change anything beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver, SyncPsycopgDriver
from pgqueuer.adapters.persistence import qb, schema_ddl
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import NotifyCallback
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries, SyncQueries

from portalops.cluster.parts import PartRequest, read_request
from portalops.errors import LedgerError, Locked, PortalOpsError
from portalops.ledger.postgresql_locks import shown_holder
from portalops.ledger.postgresql_tables import WRITER
from portalops.model.message import msg

logger = logging.getLogger(__name__)

SCHEMA = "portalops_queue"
ENTRYPOINT = "part"
HEARTBEAT = timedelta(seconds=30)
"""A worker that was not heard of for so long is taken for dead. Parts run in threads, so nothing that one waits for holds up the beat."""
BATCH = 10
LATER = timedelta(seconds=2)
"""When a part whose host is being asked by another one is tried again."""
FAILED_LATER = timedelta(seconds=10)
"""When a part is tried again that could not be recorded, such as because the database was away."""
LOG_DAYS = 30
"""How long pgqueuer's own log is kept; it is for whoever looks for a fault, and nothing rests on it."""
UNKNOWN_LATER = timedelta(minutes=1)
"""When a wish of a newer portalops is offered again; a worker that knows it may come first."""


def _settings() -> DBSettings:
    return DBSettings(db_schema=SCHEMA, channel=Channel("portalops_queue"))


_TABLE = f"{SCHEMA}.{_settings().queue_table}"


def script() -> str:
    """Return the SQL that makes the queue and lets the ledger's writers use it."""
    # It is printed for people too, where a tab would be shown as one.
    made = schema_ddl.render_install(_settings(), create_schema=True).expandtabs(4)
    return "\n".join(
        (
            made.rstrip().rstrip(";") + ";",
            f"GRANT USAGE ON SCHEMA {SCHEMA} TO {WRITER};",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO {WRITER};",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {WRITER};",
        )
    )


def prepare(connection: psycopg.Connection) -> bool:
    """Make the queue, as the owner of the database, in one transaction; say whether it was not there."""
    with connection.transaction():
        if connection.execute("SELECT to_regclass(%s)", (_TABLE,)).fetchone() != (None,):
            return False
        connection.execute(script().encode())
        return True


def require(connection: psycopg.Connection, place: str) -> None:
    """Make sure that the queue is there and may be used by this account.

    Raises:
        LedgerError: it is not.
    """
    row = connection.execute(
        "SELECT c.oid IS NOT NULL, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'UPDATE') FROM pg_namespace n"
        " LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = %s WHERE n.nspname = %s",
        (_settings().queue_table, SCHEMA),
    ).fetchone()
    if row is None or not row[0]:
        raise LedgerError(
            msg("{place} has no queue for the cluster", place=place),
            msg("Run 'portalops ledger prepare' as the owner of the database, with the extra 'cluster' installed."),
        )
    if not row[1]:
        raise LedgerError(
            msg("this account may not use the queue of the cluster in {place}", place=place),
            msg("Make the account a member of {role}, or use an account that is a member.", role=WRITER),
        )


def put(connection: psycopg.Connection, wishes: Sequence[PartRequest]) -> int:
    """Put wishes into the queue; one that is in it already is not put in again. Return how many were new."""
    log = f"{SCHEMA}.{_settings().queue_table_log}"
    connection.execute(f"DELETE FROM {log} WHERE created < now() - %s", (timedelta(days=LOG_DAYS),))  # noqa: S608  # a name of ours
    queries = SyncQueries(SyncPsycopgDriver(connection), qb.QueryQueueBuilder(_settings()))
    ids = queries.enqueue(
        [ENTRYPOINT] * len(wishes),
        [wish.written() for wish in wishes],
        [0] * len(wishes),
        dedupe_key=[f"{wish.run}#{wish.attempt}" for wish in wishes],
        on_conflict="skip",
    )
    return sum(each is not None for each in ids)


def sizes(connection: psycopg.Connection) -> dict[str, int]:
    """Return how many wishes wait, and how many are being worked on, by pgqueuer's own words for it."""
    queries = SyncQueries(SyncPsycopgDriver(connection), qb.QueryQueueBuilder(_settings()))
    found: dict[str, int] = {}
    for each in queries.queue_size():
        found[each.status] = found.get(each.status, 0) + each.count
    return found


class _Driver(PsycopgDriver):
    """One connection for statements and one for what is told: psycopg lets none pass while a connection listens, for up to a second."""

    def __init__(self, connection: psycopg.AsyncConnection, ears: psycopg.AsyncConnection) -> None:
        super().__init__(connection)
        self._ears = PsycopgDriver(ears)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._ears.add_listener(channel, callback)

    async def remove_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._ears.remove_listener(channel, callback)

    async def __aenter__(self) -> Self:
        await self._ears.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *how: object) -> None:
        await super().__aexit__(*how)
        await self._ears.__aexit__(*how)


def list_requests(connection: psycopg.Connection) -> tuple[PartRequest, ...]:
    """Return what is in the queue, waiting or at work; what another portalops put in and this one cannot read is left out."""
    statement = f"SELECT payload FROM {_TABLE} WHERE status IN ('queued', 'picked')"  # noqa: S608  # a name of ours
    rows = connection.execute(statement).fetchall()
    return tuple(wish for (payload,) in rows if (wish := read_request(bytes(payload or b""))) is not None)


async def work(
    connection: psycopg.AsyncConnection,
    ears: psycopg.AsyncConnection,
    do: Callable[[PartRequest], None],
    *,
    slots: int,
    at_once: int,
    stop: asyncio.Event,
) -> None:
    """Do wishes until `stop` is set, and then those that are begun.

    Args:
        connection: to the ledger's database, each statement a transaction of its own.
        ears: another one, by which the database tells what is new.
        do: does one wish, in a thread; it is called again for a wish that a dead worker had begun, and later where it raised anything.
        slots: how many this worker does at once.
        at_once: how many all workers together do at once; 0 for no limit.
        stop: set from outside.

    Raises:
        psycopg.Error: the database went away; what is begun is over, and what of it was not recorded is still in the queue.
    """
    logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # it tells by tracebacks what is told here
    settings = _settings()
    queries = Queries(
        _Driver(connection, ears),
        qb.QueryBuilderEnvironment(settings),
        qb.QueryQueueBuilder(settings),
        qb.QuerySchedulerBuilder(settings),
    )
    manager = QueueManager(queries, channel=settings.channel)

    @manager.entrypoint(ENTRYPOINT, concurrency_limit=at_once)
    async def part(job: Job) -> None:
        wish = read_request(job.payload or b"")
        if wish is None:
            raise RetryRequested(delay=UNKNOWN_LATER, reason="a wish of another format")
        try:
            await asyncio.to_thread(do, wish)
        except Locked as error:
            raise RetryRequested(delay=LATER, reason=str(error)) from error
        except PortalOpsError as error:
            logger.warning("the part %s is tried again: %s", wish.run, error)
            raise RetryRequested(delay=FAILED_LATER, reason=str(error)) from error
        except Exception as error:
            logger.exception("a fault in portalops: the part %s is tried again", wish.run)
            raise RetryRequested(delay=FAILED_LATER, reason=type(error).__name__) from error

    async def stopped() -> None:
        await stop.wait()
        manager.shutdown.set()

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=slots, thread_name_prefix="part"))
    waiting = asyncio.create_task(stopped())
    try:
        await manager.run(
            dequeue_timeout=timedelta(seconds=5),
            batch_size=min(BATCH, max(1, slots // 2)),
            max_concurrent_tasks=max(2, slots),
            heartbeat_timeout=HEARTBEAT,
            log_aggregation_interval=timedelta(0),
        )
    finally:
        waiting.cancel()


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker that is at work."""

    name: str
    address: str
    """Of its machine, as the database sees it; empty over a socket."""
    since: datetime
    account: str


WORKER = "portalops worker "
"""What the connection that holds a worker's lock is called, before the worker's name."""
_DRAIN = "portalops_drain"


def holder_of(worker: str) -> str:
    """Return as what a worker holds its lock."""
    return f"worker {worker}"


def worker_name(wanted: str) -> str:
    """Return a worker's name as `workers` lists it, by which it can be asked to end; the rest of a longer one is lost there."""
    return shown_holder(holder_of(wanted)).removeprefix(WORKER)


def workers(connection: psycopg.Connection) -> tuple[WorkerSeen, ...]:
    """Return the workers whose lock is held, by name."""
    rows = connection.execute(
        "SELECT DISTINCT substr(application_name, %s), coalesce(host(client_addr), ''), backend_start, usename FROM pg_stat_activity"
        " JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND application_name LIKE %s AND datname = current_database() ORDER BY 1",
        (len(WORKER) + 1, f"{WORKER}%"),
    ).fetchall()
    return tuple(WorkerSeen(name, address, since, account) for name, address, since, account in rows)


def ask_to_drain(connection: psycopg.Connection, name: str) -> None:
    """Tell a worker to take nothing new and to end."""
    connection.execute("SELECT pg_notify(%s, %s)", (_DRAIN, name))


async def drained(connection: psycopg.AsyncConnection, name: str, stop: asyncio.Event) -> None:
    """Set `stop` once somebody asks this worker to end, or once nobody can any more.

    Raises:
        psycopg.Error: the connection broke.
    """
    try:
        async with connection:
            await connection.execute(f"LISTEN {_DRAIN}")
            async for told in connection.notifies():
                if told.payload == name:
                    return
    finally:
        stop.set()
