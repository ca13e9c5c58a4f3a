"""Record that discs of a set were destroyed

When a set is removed its discs still exist; the register names them until this is recorded.

Example: portalops media destroyed discs portal-20261125 --reason 'shredded, record 12/BB'

EXIT STATUS: 0 recorded or shown, 2 there is no such disc, 4 there is no such set
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.media.options import DiscOption, DryRun, SetArgument
from commands.media.steps import DUTY
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.media import DiscsDestroyed
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.backups import find_set, recorded_sets
from portalops.registers.discs import DESTROYED, DISCS_DESTROYED
from portalops.reports.document import Paragraph

MAX_REASON = 400


@shape
class DestroyedDiscs:
    """Discs of a set that are destroyed."""

    id: str
    """Of the set."""
    discs: tuple[str, ...]
    """Their labels."""
    recorded: bool


def destroyed(
    ctx: typer.Context,
    medium: Annotated[str, typer.Argument(metavar="ID", help=_("The medium that had the images"))],
    set_name: SetArgument,
    *,
    disc: DiscOption = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="TEXT", help=_("Only the disc with this label"))
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why and how; the ledger keeps it"))],
    dry_run: DryRun = False,
) -> Result[DestroyedDiscs]:
    session = open_session(ctx)
    made = find_set(recorded_sets(session.reader), set_name)
    why = show_text(reason.strip(), MAX_REASON)
    if not why:
        raise UsageError(msg("--reason is empty"), msg("Give the reason: the ledger keeps it for later readers."))
    gone = [
        held
        for held in made.discs_of(medium)
        if disc in {None, held.burnt.number} and label in {None, held.burnt.label}
    ]
    if not gone:
        raise UsageError(
            msg("no such disc of set {set} is recorded", set=made.set.id),
            msg("'portalops backup show {set}' lists its discs.", set=made.set.id),
        )
    if not dry_run:
        body = DiscsDestroyed(medium, made.set.id, tuple(held.burnt.label for held in gone), why)
        session.recorder.record(DESTROYED, DISCS_DESTROYED, body, subject=medium, duty=DUTY)
    names = ", ".join(held.name for held in gone)
    said = msg("Discs of set {set} that are destroyed: {discs}", set=made.set.id, discs=names)
    shown = msg("{what} (nothing was recorded: this was a dry run)", what=said) if dry_run else said
    labels = tuple(held.burnt.label for held in gone)
    return Result(DestroyedDiscs(made.set.id, labels, recorded=not dry_run), [Paragraph(shown)])


VERB = Verb(destroyed)
