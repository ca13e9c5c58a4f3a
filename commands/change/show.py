"""Show a change: each step, with the record that made it and the digest of its document

Example: portalops change show CH-2026-001

EXIT STATUS: 0 it is in order, 1 it was begun before it was approved, or its window is open without approval, 2 there
is no such change, 3 the decision is not kept, or a record cannot be read
"""

from __future__ import annotations

import typer

from commands.change.options import IdArgument
from commands.change.views import RecordedChangeShape, change_result, list_exit_code, overlaps
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.changes import known_change
from portalops.registers.changes import read_changes


def show(ctx: typer.Context, change: IdArgument) -> Result[RecordedChangeShape]:
    session = open_session(ctx)
    register = read_changes(session.reader)
    known = known_change(register, change)
    warnings = () if known.closed is not None else overlaps(register, known.request.body)
    result = change_result(session, known, warnings)
    code = list_exit_code([known], session.clock.now(), is_whole=not known.lost)
    return Result(result.data, result.view, result.warnings, exit_code=code)


VERB = Verb(show)
