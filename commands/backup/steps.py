"""What the verbs of this noun do alike."""

from __future__ import annotations

from commands.backup.views import plan_data, plan_view
from commands.cli.result import JsonValue, Result
from commands.cli.session import Session
from commands.jobs.kinds.backup import backup_plan, plan_sizes
from commands.jobs.sets import recorded_sets_of
from portalops.errors import ExitCode, LedgerMissing
from portalops.model.backups import SetKind
from portalops.registers.adopted import Claim, read_claims


def claims_of_ledger(session: Session) -> tuple[Claim, ...]:
    """Return what each tool claimed last; nothing before there is a ledger."""
    try:
        return read_claims(session.ledger)
    except LedgerMissing:
        return ()


def planned_run(session: Session, kind: SetKind | None = None) -> Result[JsonValue]:
    recorded = recorded_sets_of(session, passing_over=True)
    planned = backup_plan(session, recorded, kind)
    sizes = plan_sizes(session, recorded, planned)
    exit_code = ExitCode.UNMET if planned.unmapped or not planned.media else ExitCode.OK
    return Result(plan_data(planned, sizes), plan_view(planned, sizes), exit_code=exit_code)
