"""Record that a medium lies elsewhere, or is kept by somebody else

Example: portalops media move disk-a --place 'Kho lưu trữ tỉnh' --custodian 'Trần Thị Bình' --reason 'yearly exchange'

EXIT STATUS: 0 recorded or shown, 2 it is not in the register, or no change is given
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.media.options import MAX_TEXT, DryRun, IdArgument, RoomOption, SiteOption
from commands.media.steps import DUTY, required_place, required_text
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.media import MediumMove
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.media import MOVE, MOVED, read_media
from portalops.reports.document import Block, KeyValues, Paragraph


@shape
class MovedMedium:
    """Where a medium lies from now on, and who keeps it."""

    id: str
    place: str
    custodian: str
    recorded: bool


def move(
    ctx: typer.Context,
    medium: IdArgument,
    *,
    place: Annotated[str | None, typer.Option(metavar="TEXT", help=_("Where it lies now"))] = None,
    custodian: Annotated[str | None, typer.Option(metavar="NAME", help=_("Who keeps it now"))] = None,
    site: SiteOption = "",
    room: RoomOption = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, for the readers of the ledger"))] = "",
    dry_run: DryRun = False,
) -> Result[MovedMedium]:
    session = open_session(ctx)
    known = read_media(session.reader).get(medium)
    if known is None or known.entry is None:
        raise UsageError(
            msg("medium {id} is not in the register", id=show_text(medium, 80)),
            msg("'portalops media add' adds it; 'portalops media list' shows what there is."),
        )
    if place is None and custodian is None and not (site or room):
        raise UsageError(
            msg("no change is given"),
            msg("Give --place, --custodian, or --site and --room, or several of them."),
        )
    moved = MediumMove(
        medium,
        required_text(place, "--place") if place is not None else "",
        required_text(custodian, "--custodian") if custodian is not None else "",
        show_text(reason.strip(), MAX_TEXT),
        *required_place(site, room),
    )
    if not dry_run:
        session.recorder.record(MOVED, MOVE, moved, subject=moved.id, duty=DUTY)
    data = MovedMedium(
        id=medium,
        place=moved.place or known.entry.place,
        custodian=moved.custodian or known.entry.custodian,
        recorded=not dry_run,
    )
    rows = ((msg("Medium"), medium), (msg("Place"), data.place), (msg("Custodian"), data.custodian))
    return Result(data, [KeyValues(rows), *_dry(dry_run=dry_run)])


def _dry(*, dry_run: bool) -> list[Block]:
    return [Paragraph(msg("nothing was recorded: this was a dry run"))] if dry_run else []


VERB = Verb(move)
