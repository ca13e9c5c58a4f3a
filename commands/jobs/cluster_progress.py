"""How far jobs are whose parts are under way, over all workers: from the queue what is left, from the ledger what is done and how fast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from commands.cli.session import Session
from commands.cli.shapes import shape
from portalops.cluster.parts import PartRequest, part_kind, part_of
from portalops.errors import PortalOpsError
from portalops.model.message import msg
from portalops.model.record import FINISHED, Record
from portalops.model.runs import Job, slot_start
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.runs import parse_run_id
from portalops.reports.document import Cell, TableBlock


@dataclass(frozen=True, slots=True)
class JobProgress:
    """One job whose parts are under way."""

    job: str
    kind: str
    done: int
    total: int
    per_minute: float | None
    """Parts that were done a minute; None before the second one."""
    left: timedelta | None
    """How long the rest takes at that rate; None where it is not known."""


def progress_of(job: Job, finished: Iterable[Record], wishes: Iterable[PartRequest]) -> JobProgress | None:
    """Return how far a job is; None where nothing of it is left to do. Pure.

    Args:
        job: the job.
        finished: the finished records of parts of its kind in this slot, in order.
        wishes: what is in the queue.
    """
    own = [record for record in finished if (name := parse_run_id(record.run)) is not None and name.job == job.id]
    # A part whose wish asks for a further attempt counts as left until that one has ended.
    left = {wish.run for wish in wishes if wish.job == job.id}
    if not left:
        return None
    done = len({part_of(record) for record in own} - left)
    took = own[-1].at - own[0].at if own else timedelta()
    rate = (len(own) - 1) / took.total_seconds() if took else None
    return JobProgress(
        job.id,
        job.kind.value,
        done,
        done + len(left),
        rate * 60 if rate else None,
        timedelta(seconds=round(len(left) / rate)) if rate else None,
    )


def jobs_under_way(
    jobs: Sequence[Job], ledger: LedgerReader, wishes: Sequence[PartRequest], local: datetime
) -> tuple[JobProgress, ...]:
    """Return how far each configured job is whose parts are in the queue, at a local moment."""
    found = []
    named = {wish.job for wish in wishes}
    for job in jobs:
        if job.id not in named:
            continue
        since: datetime = slot_start(job.every, local).astimezone(UTC)
        records = ledger.records(kinds=(f"{part_kind(job.kind.value)}{FINISHED}",), since=since)
        if (each := progress_of(job, records, wishes)) is not None:
            found.append(each)
    return tuple(found)


def now_under_way(session: Session) -> tuple[JobProgress, ...]:
    """Return how far jobs are on the cluster that is configured; nothing where there is none, or where its queue cannot be read."""
    settings = session.settings
    if settings.cluster is None or settings.ledger_store is None:
        return ()
    try:
        from commands.jobs.fan import connection_of, driver_errors  # noqa: PLC0415  # an extra
        from commands.jobs.ledger_server import database_of  # noqa: PLC0415  # status needs it with a cluster alone
        from portalops.cluster.queue import list_requests  # noqa: PLC0415  # an extra

        database = database_of(settings, session.environment)
        with driver_errors(database), connection_of(database) as connection:
            wishes = list_requests(connection)
    except (ImportError, PortalOpsError):
        return ()  # `worker status` says why
    return jobs_under_way(settings.jobs, session.ledger, wishes, session.clock.now().astimezone(session.zone_of_portal))


def progress_table(found: Sequence[JobProgress]) -> TableBlock:
    """Return what a person sees of it."""
    headers = (msg("Job"), msg("Kind"), msg("Parts done"), msg("Of"), msg("A minute"), msg("Left"))
    rows: list[tuple[Cell, ...]] = [
        (
            each.job,
            each.kind,
            each.done,
            each.total,
            round(each.per_minute) if each.per_minute is not None else None,
            str(each.left) if each.left is not None else None,
        )
        for each in found
    ]
    return TableBlock(msg("Jobs under way"), headers, rows)


@shape
class ShownProgress:
    """How far a job is."""

    id: str
    kind: str
    done: int
    total: int
    per_minute: float | None
    seconds_left: int | None


def progress_data(found: Sequence[JobProgress]) -> tuple[ShownProgress, ...]:
    """Return it as `--json` shows it."""
    return tuple(
        ShownProgress(
            id=each.job,
            kind=each.kind,
            done=each.done,
            total=each.total,
            per_minute=round(each.per_minute, 1) if each.per_minute is not None else None,
            seconds_left=int(each.left.total_seconds()) if each.left is not None else None,
        )
        for each in found
    )
