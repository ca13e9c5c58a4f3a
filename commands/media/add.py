"""Add a medium to the register

An id that is in the register already means that another medium has taken its place, and what was on that is gone:
'portalops media replace' says why as well, and makes its copies again at once.

Example: portalops media add disk-a --label 'KH-SL-01' --place 'Tủ sắt phòng 204' --custodian 'Nguyễn Văn An'
--expires 2031-12-31

EXIT STATUS: 0 added or shown, 2 wrong usage
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import typer

from backups.media import MEDIA
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.media.options import DryRun, IdArgument, RoomOption, SiteOption
from commands.media.steps import DUTY, expiry_day, required_place, required_text
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.media import MediumEntry
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.backups import ADDED, MEDIUM
from portalops.registers.media import read_media
from portalops.reports.document import Block, KeyValues

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@shape
class AddedMedium:
    """A medium as it was put into the register, or would be."""

    id: str
    kind: str
    label: str
    place: str
    custodian: str
    site: str | None
    room: str | None
    expires_on: date | None
    """From this day on it is not trusted."""
    recorded: bool


def add(
    ctx: typer.Context,
    medium: IdArgument,
    *,
    label: Annotated[str, typer.Option(metavar="TEXT", help=_("What is written on it"))],
    place: Annotated[str, typer.Option(metavar="TEXT", help=_("Where it lies"))],
    custodian: Annotated[str, typer.Option(metavar="NAME", help=_("Who keeps it"))],
    site: SiteOption = "",
    room: RoomOption = "",
    kind: Annotated[
        str | None, typer.Option(help=_("disk, optical, tape, ...; needed only for a medium that is not configured"))
    ] = None,
    expires: Annotated[str | None, typer.Option(metavar="DAY", help=_("From this day on it is not trusted"))] = None,
    dry_run: DryRun = False,
) -> Result[AddedMedium]:
    session = open_session(ctx)
    configured = {table.id: table.kind for table in session.settings.backup_media}
    if kind is not None and medium in configured and kind != configured[medium]:
        raise UsageError(
            msg("medium {id} is configured as {kind}", id=medium, kind=configured[medium]), msg("Leave out --kind.")
        )
    if not _ID.fullmatch(medium):
        raise UsageError(
            msg("{id} is not a valid id of a medium", id=show_text(medium, 80)),
            msg("Use lower-case letters, digits and hyphens, at most 63."),
        )
    chosen = configured.get(medium) or kind
    if chosen is None:
        raise UsageError(
            msg("medium {id} is not configured, so its kind is not known", id=medium),
            msg("Give --kind, such as disk, optical or tape; or the id of a [[backup.medium]]."),
        )
    if chosen not in MEDIA.names():
        raise UsageError(
            msg("{kind} is not a kind of medium", kind=show_text(chosen, 80)),
            msg("The kinds are: {kinds}.", kinds=", ".join(MEDIA.names())),
        )
    entry = MediumEntry(
        medium,
        chosen,
        required_text(label, "--label"),
        required_text(place, "--place"),
        required_text(custodian, "--custodian"),
        expiry_day(expires),
        *required_place(site, room),
    )
    before = read_media(session.reader).get(medium)
    if not dry_run:
        session.recorder.record(ADDED, MEDIUM, entry, subject=entry.id, duty=DUTY)
    warnings: list[Message] = []
    if before is not None and before.entry is not None:
        warnings.append(
            msg(
                "another medium was in the register as {id} before: {label}; its copies are gone with it, and the copy job makes"
                " those again that retention keeps",
                id=medium,
                label=before.entry.label,
            )
        )
    data = AddedMedium(
        id=entry.id,
        kind=entry.kind,
        label=entry.label,
        place=entry.place,
        custodian=entry.custodian,
        site=entry.site or None,
        room=entry.room or None,
        expires_on=entry.expires_on,
        recorded=not dry_run,
    )
    return Result(data, [_entry_view(entry, dry_run=dry_run)], warnings)


def _entry_view(entry: MediumEntry, *, dry_run: bool) -> Block:
    return KeyValues(
        (
            (msg("Medium"), entry.id),
            (msg("Kind"), entry.kind),
            (msg("Label"), entry.label),
            (msg("Place"), entry.place),
            (msg("Custodian"), entry.custodian),
            (msg("Site"), entry.site or None),
            (msg("Room"), entry.room or None),
            (msg("Expires on"), entry.expires_on),
            *([(msg("Recorded in"), msg("nothing: this was a dry run"))] if dry_run else []),
        )
    )


VERB = Verb(add)
