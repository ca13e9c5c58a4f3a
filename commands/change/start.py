"""Record that a change is begun

A change may begin after its notice and approval and within its window; an emergency may begin before.

Example: portalops change start CH-2026-001 --by 'Nguyễn Văn An'

EXIT STATUS: 0 recorded or shown, 2 there is no such change, it is not approved, or the time is outside its window
"""

from __future__ import annotations

import typer

from commands.change.options import IdArgument, MomentOption, Person
from commands.change.steps import permitted, step
from commands.change.views import RecordedChangeShape
from commands.cli.entries import DryRun, caller_of, past_moment, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.model.changes import ChangeBegun
from portalops.registers.changes import BEGUN, refuse_start


def start(
    ctx: typer.Context, change: IdArgument, *, at: MomentOption = None, by: Person = "", dry_run: DryRun = False
) -> Result[RecordedChangeShape]:
    session = open_session(ctx)
    who = written_text(by, "--by") if by else caller_of(session)
    begun = ChangeBegun(change, past_moment(session, at, "--at"), who)
    made = permitted(begun, lambda known: refuse_start(known, begun.began_at))
    return step(session, BEGUN, change, made, dry_run=dry_run)


VERB = Verb(start)
