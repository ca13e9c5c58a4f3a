"""Show one backup set: streams, copies, what it lacks

Reads the ledger only.

Example: portalops backup show latest

EXIT STATUS: 0 shown, 4 there is no such set
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from commands.backup.options import OptionalSetArgument
from commands.backup.views import set_data, set_view, streams_data
from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.model.message import msg
from portalops.model.reading import limits_of
from portalops.registers.backups import find_set, recorded_sets
from portalops.registers.retention import Retained, read_retention
from portalops.reports.document import Block, Notice, Tone

if TYPE_CHECKING:
    from portalops.registers.backups import SetEvidence


def retained_view(retained: Retained, made: SetEvidence) -> tuple[list[Block], dict[str, JsonValue]]:
    """Return whether a set is held or marked, for people and for programs."""
    held, marked = retained.holds.get(made.set.id), retained.marks.get(made.set.id)
    blocks: list[Block] = []
    if held is not None:
        blocks.append(
            Notice(msg("Set {set} is held: {reason}", set=made.set.id, reason=held.hold.reason), Tone.NEUTRAL)
        )
    if marked is not None and not made.is_disposed:
        said = msg(
            "Set {set} is marked for removal: {reason}; it can be undone until {moment}",
            set=made.set.id,
            reason=marked.mark.reason,
            moment=marked.mark.undo_until,
        )
        blocks.append(Notice(said, Tone.UNSURE))
    until = marked.mark.undo_until.isoformat() if marked is not None and not made.is_disposed else None
    return blocks, {"held": held.hold.reason if held is not None else None, "marked_until": until}


def show(ctx: typer.Context, set_name: OptionalSetArgument = "latest") -> Result[JsonValue]:
    session = open_session(ctx)
    made = find_set(recorded_sets(session.reader), set_name or "latest")
    kept, kept_data = retained_view(read_retention(session.reader), made)
    worth = limits_of(session.rulebook.numbers), session.clock.now()
    data: JsonValue = {**set_data(made, *worth), **kept_data, "streams": streams_data(made.set)}
    return Result(data, [*kept, *set_view(made, *worth)])


VERB = Verb(show)
