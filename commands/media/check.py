"""Check that a medium can be read and written, and holds what the ledger says

Lists its sets, compares them with the ledger, reads the description of each, and tries to write; what it finds is
recorded. Without an id: every configured medium. It reads no data: 'portalops backup verify' does. With --device:
compares the burnt disc in a drive, every byte, with what was burnt.

Example: portalops media check; portalops media check disk-a --read-only; portalops media check discs --device
/dev/sr0

EXIT STATUS: 0 all is as recorded, 2 no such medium, 3 one could not be reached or written, 4 no drive, no disc, or
another one, 5 one is not as recorded
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backups.burning import compare, volume_id_in
from backups.inspection import inspect
from backups.media import build_media
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.room_ahead import fillings
from commands.jobs.sets import keys_of, require_medium
from commands.media.steps import DUTY, drive_at, problem_blocks
from portalops.errors import ExitCode, MediumUnavailable, PortalOpsError, UsageError, worst
from portalops.locale import _
from portalops.model.backups import CopyState
from portalops.model.media import DiscReading, DiscState, MediumCheck
from portalops.model.message import Message, msg
from portalops.model.runs import Resource
from portalops.model.text import show_text
from portalops.registers.backups import recorded_sets
from portalops.registers.discs import DISC_READING, READ
from portalops.registers.media import CHECK, CHECKED
from portalops.reports.document import Block, Bullets, Cell, KeyValues, Notice, Paragraph, Status, Tone
from portalops.reports.words import disc_status

if TYPE_CHECKING:
    from portalops.ports import DiscDrive


@shape
class CheckedMedium:
    """A medium, compared with the ledger."""

    id: str
    made: bool
    """False: the first run is yet to make it, so there was nothing to check."""
    reached: bool
    """Its sets could be listed."""
    writable: bool | None
    """Whether it took a trial of writing; null if none was made."""
    sets: int
    problems: tuple[str, ...]
    unknown: tuple[str, ...]
    """Sets on it that the ledger does not know, or knows as removed."""
    damaged: tuple[str, ...]
    """Sets of which its copy is damaged."""


@shape
class CheckedDisc:
    """A burnt disc, compared with what was burnt to it."""

    id: str
    set: str
    disc: int
    label: str
    state: DiscState
    problem: str
    """Why it is not whole; empty if it is."""
    recorded: bool


def check_disc(
    ctx: typer.Context, medium_id: str, device: str, label: str | None, *, dry_run: bool
) -> Result[CheckedDisc]:
    """Compare the disc in a drive with what was burnt to it, and record it."""
    return check_in(open_session(ctx), drive_at(device), medium_id, label=label, dry_run=dry_run)


def check_in(
    session: Session, drive: DiscDrive, medium_id: str, *, label: str | None = None, dry_run: bool = False
) -> Result[CheckedDisc]:
    """Compare the disc in a drive with what was burnt to it, and record it; `check_disc` with the drive opened.

    Raises:
        MediumUnavailable: there is no disc in it, or none of this medium.
        UsageError: several discs have the same image, and no label says which one it is.
    """
    volume_id = volume_id_in(drive)
    known = [
        held
        for made in recorded_sets(session.reader)
        for held in made.discs_of(medium_id)
        if held.burnt.volume_id == volume_id and label in {None, held.burnt.label}
    ]
    if not known:
        raise MediumUnavailable(
            msg(
                "drive {device}: the disc in it was not burnt from medium {medium}; its name is {name}",
                device=show_text(drive.device, 200),
                medium=show_text(medium_id, 80),
                name=volume_id or "-",
            ),
            msg("'portalops backup show SET' lists the discs of a set, with their labels."),
        )
    if len(known) > 1:
        raise UsageError(
            msg("several discs hold this image: {labels}", labels=", ".join(held.burnt.label for held in known)),
            msg("Say by --label which one is in the drive."),
        )
    burnt = known[0].burnt
    title = msg("Reading disc {disc}", disc=known[0].name)
    with session.progress.task(title, total=burnt.image_bytes, unit="bytes") as task:
        found = compare(drive, burnt.image_sha256, burnt.image_bytes, task.advance)
    reading = DiscReading(medium_id, burnt.set_id, burnt.number, burnt.label, found.state, found.problem, drive.device)
    if not dry_run:
        session.recorder.record(READ, DISC_READING, reading, subject=medium_id, duty=DUTY)
    rows: list[tuple[Message, Cell]] = [
        (msg("Backup set"), burnt.set_id),
        (msg("Disc"), known[0].name),
        (msg("State"), disc_status(found.state)),
        *([(msg("Recorded in"), msg("nothing: this was a dry run"))] if dry_run else []),
    ]
    data = CheckedDisc(
        id=f"{medium_id}/{burnt.set_id}/{burnt.number}/{burnt.label}",
        set=burnt.set_id,
        disc=burnt.number,
        label=burnt.label,
        state=found.state,
        problem=found.problem,
        recorded=not dry_run,
    )
    code = ExitCode.OK if found.state is DiscState.WHOLE else ExitCode.INTEGRITY
    return Result(data, [KeyValues(rows), *problem_blocks(found.problem)], exit_code=code)


SHOWN_PROBLEMS = 50


def check(
    ctx: typer.Context,
    medium: Annotated[str | None, typer.Argument(metavar="ID", help=_("Only this medium"))] = None,
    *,
    read_only: Annotated[bool, typer.Option("--read-only", help=_("Do not try to write"))] = False,
    device: Annotated[
        str | None, typer.Option("--device", metavar="FILE", help=_("Compare the disc in this drive, such as /dev/sr0"))
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="TEXT", help=_("Which disc it is, if several hold the same image"))
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Check without writing, and record nothing"))] = False,
) -> Result[tuple[CheckedMedium, ...] | CheckedDisc]:
    if device is not None:
        if medium is None:
            raise UsageError(
                msg("--device needs the id of a medium"),
                msg("'portalops media list' shows the media: name the one of the disc."),
            )
        return check_disc(ctx, medium, device, label, dry_run=dry_run)
    session = open_session(ctx)
    media = build_media(session.settings.backup_media)
    if medium is not None:
        require_medium(medium, media)
    checks: list[MediumCheck] = []
    hints: dict[str, list[Message]] = {name: [] for name in media}
    with session.hold(Resource.MEDIA):
        sets = recorded_sets(session.reader, passing_over=True)
        keys = keys_of(session.reader, session.warnings.append)
        for name in media if medium is None else (medium,):
            found = inspect(
                media[name],
                session.settings.portal.id,
                sets,
                tries_writing=not (read_only or dry_run),
                keys=keys,
                clock=session.clock,
                progress=session.progress,
                on_error=partial(_keep_hint, hints[name]),
            )
            if found.reached and found.copies and not found.sets:
                said = msg(
                    "Attach the right medium. If another one replaces it on purpose, record that: 'portalops media replace {medium}'.",
                    medium=name,
                )
                hints[name].append(said)
            checks.append(found)
            if not dry_run and not _is_unmade(found):
                session.recorder.record(CHECKED, CHECK, found, subject=found.id, duty=DUTY)
        reached = {each.id: media[each.id] for each in checks if each.reached}
        now, zone = session.clock.now(), session.zone_of_portal
        for filling in fillings(session.settings, session.reader, sets, reached, now=now, zone=zone):
            session.warnings.append(filling.describe())
    return Result(
        tuple(map(_check_data, checks)),
        [block for each in checks for block in _check_view(each, hints[each.id])],
        exit_code=worst(_exit_code(each) for each in checks),
    )


def _is_unmade(found: MediumCheck) -> bool:
    """Say whether a medium is yet to be made, by the first run: there was nothing to look at."""
    return not found.reached and not found.problems


def _keep_hint(hints: list[Message], error: PortalOpsError) -> None:
    hints.append(error.hint)


def _exit_code(found: MediumCheck) -> ExitCode:
    if _damaged(found) or found.unknown:
        return ExitCode.INTEGRITY
    return ExitCode.PARTIAL if found.problems else ExitCode.OK


def _damaged(found: MediumCheck) -> tuple[str, ...]:
    return tuple(copy.set_id for copy in found.copies if copy.state is CopyState.DAMAGED)


def _check_data(found: MediumCheck) -> CheckedMedium:
    return CheckedMedium(
        id=found.id,
        made=not _is_unmade(found),
        reached=found.reached,
        writable=found.writable,
        sets=found.sets,
        problems=found.problems,
        unknown=found.unknown,
        damaged=_damaged(found),
    )


def _check_view(found: MediumCheck, hints: Sequence[Message]) -> list[Block]:
    writable = {True: msg("yes"), False: msg("no"), None: msg("not tried")}[found.writable]
    state = Status(msg("good"), Tone.GOOD) if not found.problems else Status(msg("not as it should be"), Tone.BAD)
    if _is_unmade(found):
        state = Status(msg("not made yet; the first run makes it"), Tone.NEUTRAL)
    blocks: list[Block] = [
        KeyValues(
            (
                (msg("Medium"), found.id),
                (msg("State"), state),
                (msg("Can be read"), msg("yes") if found.reached else msg("no")),
                (msg("Can be written"), writable),
                (msg("Sets"), found.sets),
            )
        )
    ]
    if found.problems:
        blocks.append(Bullets(found.shown_problems[:SHOWN_PROBLEMS]))
    if len(found.problems) > SHOWN_PROBLEMS:
        blocks.append(Paragraph(msg("... and {more} more", more=len(found.problems) - SHOWN_PROBLEMS)))
    if found.unknown:
        hints = [
            *hints,
            msg("'portalops backup import --dry-run' lists the unrecorded sets that can be imported."),
        ]
    blocks += [Notice(msg("hint: {hint}", hint=hint), Tone.UNSURE) for hint in hints]
    return blocks


VERB = Verb(check)
