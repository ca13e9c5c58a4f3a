"""Do parts of jobs until somebody stops it

Each part is done once, in a thread; what a worker that died had begun goes to the next one after half a minute.
SIGTERM and Ctrl-C let it end what it has begun and take nothing new.

Example: portalops worker run; portalops worker run --slots 128

EXIT STATUS: 0 it was asked to stop; 4 the database cannot be reached; 75 a worker of this name is at work; 78 the
configuration is wrong or names no cluster
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Optional

import psycopg
import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.fan import connection_of, driver_errors
from commands.jobs.ledger_server import LedgerDatabase
from commands.jobs.part_work import do_part
from commands.jobs.validity import require_valid
from commands.worker.steps import open_cluster
from portalops.cluster.queue import drained, holder_of, work, worker_name
from portalops.cluster.queue import require as require_queue
from portalops.locale import _
from portalops.model.message import nmsg
from portalops.reports.document import Paragraph

if TYPE_CHECKING:
    from portalops.cluster.parts import PartRequest

_MOST_OF_MACHINE = 38
"""Characters of the machine's name in a worker's, so that the process's number behind them is still listed."""


@shape
class EndedWorker:
    """A worker that was asked to stop."""

    id: str
    parts: int
    """How many parts it did."""


def run(
    ctx: typer.Context,
    *,
    slots: Annotated[
        Optional[int],  # noqa: UP045  # Typer reads it at run time
        typer.Option(min=2, max=1024, help=_("How many parts at once; cluster.slots by default")),
    ] = None,
    name: Annotated[str, typer.Option(help=_("Of this worker; machine and process by default"))] = "",
) -> Result[EndedWorker]:
    session = open_session(ctx)
    require_valid(session.settings)
    cluster, database = open_cluster(session)
    called = worker_name(name or f"{socket.gethostname()[:_MOST_OF_MACHINE]}-{os.getpid()}")
    session.writable_ledger.require_clock()
    with driver_errors(database), connection_of(database) as connection:
        require_queue(connection, database.place)
    with session.locks.held(f"worker-{called}", holder=holder_of(called)):
        done = asyncio.run(_work(session, database, called, slots or cluster.slots, cluster.at_once))
    return Result(EndedWorker(called, done), [Paragraph(nmsg("{n} part was done", "{n} parts were done", done))])


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


VERB = Verb(run)
