"""Show what waits, what is being done and by how many workers

Of each job whose parts are under way: how many are done, how fast, and how long the rest takes at that rate.

Example: portalops worker status

EXIT STATUS: 0 all is well, 1 parts wait and no worker is there
"""

from __future__ import annotations

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.cluster_progress import ShownProgress, jobs_under_way, progress_data, progress_table
from portalops.errors import ExitCode
from portalops.model.message import Message, msg
from portalops.reports.document import Block, Cell, KeyValues


@shape
class WorkerStatus:
    """What waits, and what is being done."""

    waiting: int
    at_work: int
    workers: int
    jobs: tuple[ShownProgress, ...]


def status(ctx: typer.Context) -> Result[WorkerStatus]:
    from commands.worker import steps  # noqa: PLC0415  # an extra, which the help does without

    session = open_session(ctx)
    counts, wishes = steps.queued_parts(session)
    workers = len(steps.seen_workers(session))
    waiting, picked = counts.get("queued", 0), counts.get("picked", 0)
    pairs: list[tuple[Message, Cell]] = [
        (msg("Parts that wait"), waiting),
        (msg("Parts at work"), picked),
        (msg("Workers"), workers),
    ]
    code = ExitCode.UNMET if (waiting or picked) and not workers else ExitCode.OK
    jobs = jobs_under_way(
        session.settings.jobs, session.ledger, wishes, session.clock.now().astimezone(session.zone_of_portal)
    )
    view: list[Block] = [KeyValues(pairs), *([progress_table(jobs)] if jobs else [])]
    return Result(WorkerStatus(waiting, picked, workers, progress_data(jobs)), view, exit_code=code)


VERB = Verb(status)
