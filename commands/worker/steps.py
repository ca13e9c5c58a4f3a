"""What the verbs of this noun do with the queue; needs the extra `cluster`, so that a verb imports it only to be done."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from commands.cli.session import Session
from commands.jobs.fan import connection_of, driver_errors
from commands.jobs.ledger_server import LedgerDatabase, database_of
from commands.jobs.part_work import do_part
from portalops.cluster.queue import (
    ask_to_drain,
    drained,
    holder_of,
    list_requests,
    require,
    sizes,
    work,
    worker_name,
    workers,
)
from portalops.errors import ConfigurationError
from portalops.model.message import msg

if TYPE_CHECKING:
    from portalops.cluster.parts import PartRequest
    from portalops.cluster.queue import WorkerSeen
    from portalops.config.settings import ClusterSettings


def open_cluster(session: Session) -> tuple[ClusterSettings, LedgerDatabase]:
    """Return the cluster, and the database that its queue is in.

    Raises:
        ConfigurationError: there is none, or the ledger is in the state folder.
    """
    if session.settings.cluster is None:
        raise ConfigurationError(
            msg("the configuration names no cluster"), msg("Add a table [cluster]; see 'A cluster' in docs/scale.md.")
        )
    return session.settings.cluster, database_of(session.settings, session.environment)


def seen_workers(session: Session) -> Sequence[WorkerSeen]:
    _cluster, database = open_cluster(session)
    with driver_errors(database), connection_of(database) as connection:
        return workers(connection)


def tell_to_drain(session: Session, name: str) -> None:
    _cluster, database = open_cluster(session)
    with driver_errors(database), connection_of(database) as connection:
        ask_to_drain(connection, name)


def queued_parts(session: Session) -> tuple[Mapping[str, int], Sequence[PartRequest]]:
    """Return how many parts wait and are being done, and of which jobs."""
    _cluster, database = open_cluster(session)
    with driver_errors(database), connection_of(database) as connection:
        require(connection, database.place)
        return sizes(connection), list_requests(connection)


def do_parts(session: Session, name: str, *, slots: int | None) -> tuple[str, int]:
    """Do parts as a worker until somebody stops it; return what it was called and how many it did."""
    cluster, database = open_cluster(session)
    called = worker_name(name)
    session.require_clock()
    with driver_errors(database), connection_of(database) as connection:
        require(connection, database.place)
    with session.locks.held(f"worker-{called}", holder=holder_of(called)):
        return called, asyncio.run(_work(session, database, called, slots or cluster.slots, cluster.at_once))


async def _work(session: Session, database: LedgerDatabase, name: str, slots: int, at_once: int) -> int:
    done = 0
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)

    def do(wish: PartRequest) -> None:
        nonlocal done
        do_part(session, wish, f"a part of worker {name}")
        done += 1

    with driver_errors(database):
        async with (
            await psycopg.AsyncConnection.connect(**database.parameters()) as connection,
            await psycopg.AsyncConnection.connect(**database.parameters()) as ears,
            await psycopg.AsyncConnection.connect(**database.parameters()) as other,
        ):
            asking = asyncio.create_task(drained(other, name, stop))
            try:
                await work(connection, ears, do, slots=slots, at_once=at_once, stop=stop)
            finally:
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking
    return done
