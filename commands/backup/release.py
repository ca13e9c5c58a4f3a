"""Let the retention policy decide about a set again

Example: portalops backup release portal-20261125 --reason 'the inspection is over'

EXIT STATUS: 0 released or shown, 2 it is not held, 4 there is no such set
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
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.retention import Hold
from portalops.registers.backups import find_set, recorded_sets
from portalops.registers.retention import HOLD, RELEASED, read_retention


def release(
    ctx: typer.Context,
    set_name: SetArgument,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, for the readers of the ledger"))],
    dry_run: DryRun = False,
) -> Result[HeldSet]:
    session = open_session(ctx)
    made = find_set(recorded_sets(session.reader), set_name)
    if made.set.id not in read_retention(session.reader).holds:
        raise UsageError(
            msg("set {set} is not held", set=made.set.id),
            msg("'portalops backup prune --dry-run' shows which sets are held, and why."),
        )
    released = Hold(made.set.id, _given_reason(reason))
    if not dry_run:
        session.recorder.record(RELEASED, HOLD, released, subject=released.set_id, duty=DUTY)
    return _describe(released, msg("Set {set} is held no more", set=released.set_id), dry_run=dry_run)


VERB = Verb(release)
