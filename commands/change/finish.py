"""Record that a change is made, and how it went

Example: portalops change finish CH-2026-001 --outcome 'cổng chạy bình thường'; portalops change finish CH-2026-002
--outcome 'lỗi cấu hình' --rolled-back

EXIT STATUS: 0 recorded or shown, 2 there is no such change, it is not begun, or the time is before its beginning
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.change.options import IdArgument, MomentOption
from commands.change.steps import permitted, step
from commands.change.views import RecordedChangeShape
from commands.cli.entries import DryRun, past_moment, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.locale import _
from portalops.model.changes import ChangeDone
from portalops.registers.changes import DONE, refuse_end


def finish(
    ctx: typer.Context,
    change: IdArgument,
    *,
    outcome: Annotated[str, typer.Option(metavar="TEXT", help=_("How it went"))],
    at: MomentOption = None,
    rolled_back: Annotated[bool, typer.Option("--rolled-back", help=_("It was undone"))] = False,
    dry_run: DryRun = False,
) -> Result[RecordedChangeShape]:
    session = open_session(ctx)
    done = ChangeDone(change, past_moment(session, at, "--at"), written_text(outcome, "--outcome"), rolled_back)
    made = permitted(done, lambda known: refuse_end(known, done.ended_at))
    return step(session, DONE, change, made, dry_run=dry_run)


VERB = Verb(finish)
