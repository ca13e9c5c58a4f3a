"""Record that another medium took the place of a lost or worn one, and make its copies again

What was on the medium before is gone with it, which is no damage. Then the sets that retention keeps are copied onto the
new one from another medium and read back; a set that lies there already, such as copied over by hand, is read back. Connect
the new medium under the same id first. What could not be made stays owed: the copy job tries again.

Example: portalops media replace disk-b --label 'KH-SL-07' --reason 'the disk reports bad sectors'

EXIT STATUS: 0 recorded and every copy made, 2 wrong usage, 3 recorded, and a copy is owed still, 5 recorded, and a copy
was found damaged, 78 configuration
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as with_fields
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from backups.copying import wanted_copies
from backups.media import build_media
from backups.presence import listed_sets, with_copies
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import ShownMessage, shape
from commands.cli.verb import Verb
from commands.jobs.kinds.copy import copy_work
from commands.jobs.lost_copies import lost_on
from commands.jobs.runner import perform_now
from commands.media.options import DryRun, IdArgument, RoomOption, SiteOption
from commands.media.steps import DUTY, expiry_day, required_place, required_text
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.backups import Copy, CopyResult, CopyState
from portalops.model.media import MediumEntry
from portalops.model.message import msg, nmsg
from portalops.model.runs import JobKind
from portalops.model.text import show_text
from portalops.registers.backups import ADDED, MEDIUM, SetEvidence, recorded_sets
from portalops.registers.copies import KnownCopy, Replacement, fold_replaced
from portalops.registers.media import read_media
from portalops.reports.document import Block, Cell, KeyValues, Notice, Paragraph, TableBlock, Tone
from portalops.reports.words import status_of_copy

if TYPE_CHECKING:
    from portalops.ledger.runs import Work
    from portalops.ports import Medium


@shape
class NewCopy:
    """A copy on the new medium, or one that would be made."""

    id: str
    set: str
    from_: str | None
    """The medium that it is read from; null for one that lies there already, or that no other medium has."""
    state: CopyState | None
    """Null in a dry run."""
    problem: ShownMessage | None
    """Why it is not there whole."""


@shape
class ReplacedMedium:
    """The medium that took the place of another one, and the copies on it."""

    id: str
    kind: str
    label: str
    place: str
    custodian: str
    site: str | None
    room: str | None
    expires_on: date | None
    """From this day on it is not trusted."""
    reason: str
    gone: int
    """How many copies are gone with the medium before."""
    copies: tuple[NewCopy, ...]
    recorded: bool


def replace(
    ctx: typer.Context,
    medium: IdArgument,
    *,
    label: Annotated[str, typer.Option(metavar="TEXT", help=_("What is written on the new one"))],
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, for the readers of the ledger"))],
    place: Annotated[
        str | None, typer.Option(metavar="TEXT", help=_("Where it lies; the place of the one before without it"))
    ] = None,
    custodian: Annotated[
        str | None, typer.Option(metavar="NAME", help=_("Who keeps it; the same person as before without it"))
    ] = None,
    site: SiteOption = "",
    room: RoomOption = "",
    expires: Annotated[str | None, typer.Option(metavar="DAY", help=_("From this day on it is not trusted"))] = None,
    dry_run: DryRun = False,
) -> Result[ReplacedMedium]:
    session = open_session(ctx)
    site, room = required_place(site, room)
    given = MediumEntry(
        medium,
        "",
        required_text(label, "--label"),
        required_text(place, "--place") if place is not None else "",
        required_text(custodian, "--custodian") if custodian is not None else "",
        expiry_day(expires),
        site,
        room,
        replaces=True,
        reason=required_text(reason, "--reason"),
    )
    entry = _filled(session, given)
    media = build_media(session.settings.backup_media)
    gone = _gone(recorded_sets(session.reader), Replacement(0, session.clock.now(), medium))
    if dry_run:
        planned = _planned(session, gone, media, medium)
        return _result(entry, gone, planned, recorded=False)
    if medium not in media:
        session.recorder.record(ADDED, MEDIUM, entry, subject=entry.id, duty=DUTY)
        return _result(entry, gone, (), recorded=True)

    def work(working: Session) -> Work[object]:
        working.recorder.record(ADDED, MEDIUM, entry, subject=entry.id, duty=DUTY)
        return copy_work(working, only_medium=medium)

    done = perform_now(session, JobKind.COPY, work)
    made = done.result if isinstance(done.result, CopyResult) else CopyResult(())
    sources = made.made_from or ("",) * len(made.copies)
    copies = [_made(copy, source) for copy, source in zip(made.copies, sources, strict=True) if copy.medium == medium]
    rows: list[tuple[Cell, ...]] = [
        (copy.set_id, status_of_copy(copy), copy.shown_problem if copy.problem else None)
        for copy in made.copies
        if copy.medium == medium
    ]
    view: list[Block] = [Notice(each, Tone.BAD) for each in done.said]
    if rows:
        view.insert(
            0, TableBlock(msg("Copies on the new medium"), (msg("Backup set"), msg("State"), msg("Remark")), rows)
        )
    return _result(entry, gone, copies, recorded=True, view=view, exit_code=done.exit_code)


def _filled(session: Session, given: MediumEntry) -> MediumEntry:
    """Return the new medium as the register is to have it; what is not given stays as it was.

    Raises:
        UsageError: there was no such medium, or it was in no register and its place or keeper is not given.
    """
    configured = {table.id: table.kind for table in session.settings.backup_media}
    known = read_media(session.reader).get(given.id)
    before = known.entry if known is not None else None
    kind = configured.get(given.id) or (before.kind if before else None)
    if kind is None:
        raise UsageError(
            msg("there is no medium {id}, so nothing takes its place", id=show_text(given.id, 80)),
            msg("'portalops media list' shows what there is; 'portalops media add' adds one."),
        )
    if before is None:
        if not (given.place and given.custodian):
            raise UsageError(
                msg("medium {id} was in no register, so its place and keeper are not known", id=given.id),
                msg("Give --place and --custodian of the new one."),
            )
        return with_fields(given, kind=kind)
    stays = not (given.place or given.site)
    return with_fields(
        given,
        kind=kind,
        place=given.place or before.place,
        custodian=given.custodian or before.custodian,
        site=before.site if stays else given.site,
        room=before.room if stays else given.room,
    )


def _gone(sets: Sequence[SetEvidence], replacement: Replacement) -> tuple[SetEvidence, ...]:
    """Return the sets as they are once the medium is replaced."""
    seen = {
        (copy.set_id, copy.medium): fold_replaced(KnownCopy(copy, replacement.at, replacement.at), replacement).copy
        for made in sets
        for copy in made.copies
        if copy.medium == replacement.medium
    }
    return with_copies(sets, seen)


def _planned(
    session: Session, gone: Sequence[SetEvidence], media: Mapping[str, Medium], medium: str
) -> tuple[NewCopy, ...]:
    now, zone = session.clock.now(), session.zone_of_portal
    lost = lost_on(session.settings, session.reader, gone, media, now=now, zone=zone)
    there = listed_sets(session.settings.portal.id, [media[medium]] if medium in media else []).get(medium, ())
    return tuple(
        NewCopy(
            id=f"{medium}/{each.made.set.id}",
            set=each.made.set.id,
            from_=each.read_from[0].medium if each.read_from and each.made.set.id not in there else None,
            state=None,
            problem=None,
        )
        for each in wanted_copies(gone, tuple(media), only_medium=medium, lost=lost)
    )


def _made(copy: Copy, source: str) -> NewCopy:
    return NewCopy(
        id=f"{copy.medium}/{copy.set_id}",
        set=copy.set_id,
        from_=source or None,
        state=copy.state,
        problem=ShownMessage.of(copy.shown_problem) if copy.problem else None,
    )


def _result(
    entry: MediumEntry,
    gone: Sequence[SetEvidence],
    copies: Sequence[NewCopy],
    *,
    recorded: bool,
    view: Sequence[Block] = (),
    exit_code: ExitCode = ExitCode.OK,
) -> Result[ReplacedMedium]:
    count = sum(copy.medium == entry.id and copy.state is CopyState.REPLACED for made in gone for copy in made.copies)
    data = ReplacedMedium(
        id=entry.id,
        kind=entry.kind,
        label=entry.label,
        place=entry.place,
        custodian=entry.custodian,
        site=entry.site or None,
        room=entry.room or None,
        expires_on=entry.expires_on,
        reason=entry.reason,
        gone=count,
        copies=tuple(copies),
        recorded=recorded,
    )
    said = nmsg("{n} copy is gone with the one before", "{n} copies are gone with the one before", count)
    blocks: list[Block] = [
        KeyValues(
            (
                (msg("Medium"), entry.id),
                (msg("Kind"), entry.kind),
                (msg("Label"), entry.label),
                (msg("Place"), entry.place),
                (msg("Custodian"), entry.custodian),
                (msg("Expires on"), entry.expires_on),
                (msg("Reason"), entry.reason),
            )
        ),
        Paragraph(said),
        *view,
    ]
    if not recorded:
        rows: list[tuple[Cell, ...]] = [(each.set, each.from_) for each in copies]
        if rows:
            blocks.append(
                TableBlock(msg("What would be copied, or read where it lies"), (msg("Backup set"), msg("From")), rows)
            )
        blocks.append(Paragraph(msg("nothing was recorded: this was a dry run")))
    return Result(data, blocks, exit_code=exit_code)


VERB = Verb(replace)
