"""What the verbs of this noun do alike."""

from __future__ import annotations

from collections.abc import Sequence

from backups.preconditions import remarks_of
from backups.sizes import sizes_for
from backups.sources import remarks_on
from backups.year_cost import YearCost, recorded_sizes, year_costs
from commands.backup.views import PlannedRun, plan_data, plan_view, year_view
from commands.cli.result import Result
from commands.cli.session import Session
from commands.jobs.kinds.backup import backup_plan, parts_of
from portalops.errors import ExitCode
from portalops.model.backups import BackupSet, SetKind
from portalops.model.runs import JobKind
from portalops.reports.document import Paragraph


def planned_run(
    session: Session, kind: SetKind | None = None, *, accept_shrink: Sequence[str] = ()
) -> Result[PlannedRun]:
    parts = parts_of(session)
    planned = backup_plan(
        parts, kind, accept_shrink=accept_shrink, now=session.clock.now(), zone=session.zone_of_portal
    )
    sets, media = [made.set for made in parts.recorded], tuple(parts.media.values())
    sizes = sizes_for(planned.choice.kind, parts.sources, media, sets, pack_bytes=planned.pack_bytes)
    exit_code = ExitCode.UNMET if planned.unmapped or not planned.media else ExitCode.OK
    year = _year(session, sets)
    remarks = {table.id: remarks_on(table) for table in session.settings.backup_sources}
    followed = tuple(remarks_of(remarks, doubtful=False))
    view = [*plan_view(planned, sizes), *map(Paragraph, followed), *year_view(year)]
    warnings = tuple(remarks_of(remarks, doubtful=True))
    return Result(plan_data(planned, sizes, year, followed), view, warnings, exit_code)


def _year(session: Session, sets: Sequence[BackupSet]) -> tuple[YearCost, ...]:
    """Return what a year takes under each choice of `full_every`; nothing where no job makes sets."""
    every = next((job.every for job in session.settings.jobs if job.kind is JobKind.BACKUP), None)
    if every is None:
        return ()
    full_every = session.settings.backup.full_every
    return year_costs(recorded_sizes(sets), every, full_every, now=session.clock.now(), zone=session.zone_of_portal)
