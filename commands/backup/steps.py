"""What the verbs of this noun do alike."""

from __future__ import annotations

from collections.abc import Sequence

from backups.sizes import sizes_for
from commands.backup.views import PlannedRun, plan_data, plan_view
from commands.cli.result import Result
from commands.cli.session import Session
from commands.jobs.kinds.backup import backup_plan, parts_of
from portalops.errors import ExitCode
from portalops.model.backups import SetKind


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
    return Result(plan_data(planned, sizes), plan_view(planned, sizes), exit_code=exit_code)
