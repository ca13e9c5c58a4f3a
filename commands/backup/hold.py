"""Keep a set, whatever the retention policy says

The set that it builds on is kept too. The hold ends with 'portalops backup release'.

Example: portalops backup hold latest --reason 'inspection of 2026'

EXIT STATUS: 0 held or shown, 2 nothing is left of it, 4 there is no such set
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.backup.options import DryRun, SetArgument, _given_reason
from commands.backup.views import HeldSet, _describe
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.kinds.prune import DUTY
from portalops.errors import UsageError
from portalops.ledger.heeded import numbers_mistimed
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.retention import Hold
from portalops.registers.backups import find_set, recorded_sets
from portalops.registers.retention import HELD, HOLD


def hold(
    ctx: typer.Context,
    set_name: SetArgument,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, for the readers of the ledger"))],
    dry_run: DryRun = False,
) -> Result[HeldSet]:
    session = open_session(ctx)
    made = find_set(recorded_sets(session.reader), set_name, numbers_mistimed(session.reader))
    if made.is_disposed:
        raise UsageError(
            msg("nothing is left of set {set}: it was removed", set=made.set.id),
            msg("'portalops backup list' shows the sets that there are."),
        )
    held = Hold(made.set.id, _given_reason(reason))
    if not dry_run:
        session.recorder.record(HELD, HOLD, held, subject=held.set_id, duty=DUTY)
    return _describe(held, msg("Set {set} is held: {reason}", set=held.set_id, reason=held.reason), dry_run=dry_run)


VERB = Verb(hold)
