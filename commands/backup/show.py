"""Show one backup set: streams, copies, what it lacks

Reads the ledger only.

Example: portalops backup show latest

EXIT STATUS: 0 shown, 4 there is no such set
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import typer

from commands.backup.options import OptionalSetArgument
from commands.backup.views import SetShape, set_data, set_view
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.ledger.heeded import numbers_mistimed
from portalops.model.backups import Stream
from portalops.model.message import msg
from portalops.model.reading import limits_of
from portalops.registers.backups import find_set, recorded_sets
from portalops.registers.retention import Retained, read_retention
from portalops.reports.document import Block, Notice, Tone

if TYPE_CHECKING:
    from portalops.registers.backups import SetEvidence


@shape
class SetInFull(SetShape):
    """A backup set with its copies and streams."""

    held: str | None
    """Why it is held."""
    marked_until: datetime | None
    """It is marked for removal, and that can be undone until then."""
    failed: tuple[str, ...]
    """The sources that could not be backed up whole, each with the reason."""
    streams: tuple[Stream, ...]
    """As `set.json` has them."""


def retained_view(retained: Retained, made: SetEvidence) -> list[Block]:
    """Return whether a set is held or marked."""
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
    return blocks


def show(ctx: typer.Context, set_name: OptionalSetArgument = "latest") -> Result[SetInFull]:
    session = open_session(ctx)
    made = find_set(
        recorded_sets(session.reader, pass_over=session.pass_over),
        set_name or "latest",
        numbers_mistimed(session.reader),
    )
    retained = read_retention(session.reader)
    held, marked = retained.holds.get(made.set.id), retained.marks.get(made.set.id)
    worth = limits_of(session.rulebook.numbers), session.clock.now()
    data = SetInFull(
        **set_data(made, *worth),
        held=held.hold.reason if held is not None else None,
        marked_until=marked.mark.undo_until if marked is not None and not made.is_disposed else None,
        failed=tuple(map(str, made.failures)),
        streams=made.set.streams,
    )
    return Result(data, [*retained_view(retained, made), *set_view(made, *worth)])


VERB = Verb(show)
