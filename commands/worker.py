"""Do parts of jobs on this machine, and see which workers there are, what waits, and let one end.

A worker needs the configuration and the ledger's database, and nothing of its own: any machine may run one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from commands._cluster_work import connection_of, do_part, driver_errors, parameters_of, require_database
from commands._jobs import require_valid
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ConfigurationError, ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.reports.document import Block, Cell, KeyValues, Paragraph, Table

if TYPE_CHECKING:
    from portalops.cluster.parts import Wish
    from portalops.cluster.queue import WorkerSeen
    from portalops.config.settings import ClusterSettings

app = typer.Typer()

_MOST_OF_MACHINE = 38
"""Characters of the machine's name in a worker's, so that the process's number behind them is still listed."""


@app.command(
    help=_(
        "Do parts of jobs until somebody stops it\n\nEach part is done once, in a thread; what a worker that died had begun goes to the"
        " next one after half a minute. SIGTERM and Ctrl-C let it end what it has begun and take nothing new.\n\nExample: portalops worker"
        " run; portalops worker run --slots 128\n\nEXIT STATUS: 0 it was asked to stop; 4 the database cannot be reached; 75 a worker of this"
        " name is at work; 78 the configuration is wrong or names no cluster"
    )
)
def run(
    ctx: typer.Context,
    *,
    slots: Annotated[
        Optional[int],  # noqa: UP045  # Typer reads it at run time
        typer.Option(min=2, max=1024, help=_("How many parts at once; cluster.slots by default")),
    ] = None,
    name: Annotated[str, typer.Option(help=_("Of this worker; machine and process by default"))] = "",
) -> Result:
    from portalops.cluster.queue import holder_of, worker_name  # noqa: PLC0415  # an extra, and start-up time
    from portalops.cluster.queue import require as require_queue  # noqa: PLC0415  # as above

    session = open_session(ctx)
    require_valid(session.settings)
    cluster = _cluster(session)
    called = worker_name(name or f"{socket.gethostname()[:_MOST_OF_MACHINE]}-{os.getpid()}")
    session.writable_ledger.require_clock()
    with driver_errors(session), connection_of(session) as connection:
        require_queue(connection, session.kept(writable=False).records.place)
    with session.locks.held(f"worker-{called}", holder=holder_of(called)):
        done = asyncio.run(_work(session, called, slots or cluster.slots, cluster.at_once))
    return Result({"id": called, "parts": done}, [Paragraph(nmsg("{n} part was done", "{n} parts were done", done))])


async def _work(session: Session, name: str, slots: int, at_once: int) -> int:
    import psycopg  # noqa: PLC0415  # an extra, and start-up time

    from portalops.cluster.queue import drained, work  # noqa: PLC0415  # as above

    done = 0
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)

    def do(wish: Wish) -> None:
        nonlocal done
        do_part(session, wish, f"a part of worker {name}")
        done += 1

    with driver_errors(session):
        async with (
            await psycopg.AsyncConnection.connect(**parameters_of(session)) as connection,
            await psycopg.AsyncConnection.connect(**parameters_of(session)) as ears,
            await psycopg.AsyncConnection.connect(**parameters_of(session)) as other,
        ):
            asking = asyncio.create_task(drained(other, name, stop))
            try:
                await work(connection, ears, do, slots=slots, at_once=at_once, stop=stop)
            finally:
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking
    return done


@app.command(
    name="list",
    help=_(
        "List the workers that are at work\n\nExample: portalops worker list; portalops worker list --json\n\nEXIT STATUS: 0 there is"
        " one, 1 there is none"
    ),
)
def list_workers(ctx: typer.Context) -> Result:
    session = open_session(ctx)
    _cluster(session)
    found = _workers(session)
    headers = (msg("Worker"), msg("Machine"), msg("Since"), msg("Account"))
    rows: list[tuple[Cell, ...]] = [
        (show_text(each.name, 60), each.address, each.since, each.account) for each in found
    ]
    view: list[Block] = [Table(msg("Workers"), headers, rows)] if rows else [Paragraph(msg("No worker is at work."))]
    data: JsonValue = [
        {"id": each.name, "address": each.address, "since": each.since.isoformat(), "account": each.account}
        for each in found
    ]
    return Result(data, view, exit_code=ExitCode.OK if found else ExitCode.UNMET)


@app.command(
    help=_(
        "Show what waits, what is being done and by how many workers\n\nOf each job whose parts are under way: how many are done, how"
        " fast, and how long the rest takes at that rate.\n\nExample: portalops worker status\n\nEXIT STATUS: 0 all is well, 1 parts wait"
        " and no worker is there"
    )
)
def status(ctx: typer.Context) -> Result:
    from commands._cluster_progress import jobs_under_way, progress_data, progress_table  # noqa: PLC0415  # start-up time
    from portalops.cluster.queue import require, sizes, wishes_in  # noqa: PLC0415  # an extra

    session = open_session(ctx)
    _cluster(session)
    with driver_errors(session), connection_of(session) as connection:
        require(connection, session.kept(writable=False).records.place)
        counts, wishes = sizes(connection), wishes_in(connection)
    workers = len(_workers(session))
    waiting, picked = counts.get("queued", 0), counts.get("picked", 0)
    pairs: list[tuple[Message, Cell]] = [
        (msg("Parts that wait"), waiting),
        (msg("Parts at work"), picked),
        (msg("Workers"), workers),
    ]
    code = ExitCode.UNMET if (waiting or picked) and not workers else ExitCode.OK
    jobs = jobs_under_way(session, wishes)
    view: list[Block] = [KeyValues(pairs), *([progress_table(jobs)] if jobs else [])]
    data: JsonValue = {"waiting": waiting, "at_work": picked, "workers": workers, "jobs": progress_data(jobs)}
    return Result(data, view, exit_code=code)


@app.command(
    help=_(
        "Let a worker end\n\nIt takes no new parts, ends those that it has begun, and stops.\n\nExample: portalops worker drain"
        " web1-4711\n\nEXIT STATUS: 0 it was told, 2 there is no such worker"
    )
)
def drain(ctx: typer.Context, name: Annotated[str, typer.Argument(help=_("As 'worker list' shows it"))]) -> Result:
    from portalops.cluster.queue import ask_to_drain  # noqa: PLC0415  # an extra, and start-up time

    session = open_session(ctx)
    _cluster(session)
    names = [each.name for each in _workers(session)]
    if name not in names:
        raise UsageError(
            msg("there is no worker {name}", name=show_text(name, 60)),
            msg("The workers are: {names}.", names=show_text(", ".join(names), 400) or "-"),
        )
    with driver_errors(session), connection_of(session) as connection:
        ask_to_drain(connection, name)
    return Result({"id": name}, [Paragraph(msg("{name} ends what it has begun, and stops.", name=name))])


def _cluster(session: Session) -> ClusterSettings:
    if session.settings.cluster is None:
        raise ConfigurationError(
            msg("the configuration names no cluster"), msg("Add a table [cluster]; see 'A cluster' in docs/scale.md.")
        )
    require_database(session)
    return session.settings.cluster


def _workers(session: Session) -> Sequence[WorkerSeen]:
    from portalops.cluster.queue import workers  # noqa: PLC0415  # an extra, and start-up time

    with driver_errors(session), connection_of(session) as connection:
        return workers(connection)
