"""Burn one disc of a set, and compare it

Checks the image against the set's digests, writes it to a blank disc and closes the disc. Then it ejects and reloads
it, reads it back byte by byte, and records which disc it is. Without --disc: the first one that is not burnt yet.
Never writes to a disc that is not blank.

Example: portalops media burn latest --medium discs --device /dev/sr0 --label KH-2026-01

EXIT STATUS: 0 burnt and compared, or shown, 2 wrong usage, 3 burnt and not read back, 4 no such set, no drive, no
blank disc, too small, or burning failed, 5 the disc or the image differs from the set
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.burning import checked_image, compare, require_blank, spread_of, volume_id_of, whole_images
from backups.media.optical import build
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.sets import keys_of
from commands.media.options import DiscOption, DryRun, SetArgument
from commands.media.steps import DUTY, drive_at, problem_blocks
from portalops.errors import ExitCode, MediumUnavailable, UsageError
from portalops.locale import _
from portalops.model.media import BurntDisc, DiscState
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.backups import find_set, recorded_sets
from portalops.registers.discs import BURNT, BURNT_DISC, OPTICAL
from portalops.registers.media import read_media
from portalops.reports.document import Block, ByteSize, Cell, KeyValues, Paragraph
from portalops.reports.words import disc_status

if TYPE_CHECKING:
    from backups.burning import DiscImage
    from backups.media.optical import OpticalMedium
    from portalops.config.tables import KindTable
    from portalops.model.media import MediumEntry
    from portalops.ports import DiscDrive, LoadedDisc, Progress
    from portalops.registers.backups import SetEvidence

MAX_LABEL = 80


@shape
class PlannedBurn:
    """A disc that would be burnt."""

    id: str
    set: str
    disc: int
    """Which disc of the set, from 1 on."""
    discs: int
    """How many discs the set takes."""
    image: Path
    in_drive: str
    """What the drive says the disc is, such as `DVD+R`."""
    recorded: bool = False


@shape
class BurntDiscShape:
    """A disc that was burnt."""

    id: str
    set: str
    disc: int
    """Which disc of the set, from 1 on."""
    discs: int
    """How many discs the set takes."""
    label: str
    image_sha256: str
    image_bytes: int
    state: DiscState
    problem: str
    """Why it is not whole; empty if it is."""
    drive: str
    in_drive: str
    """What the drive says the disc is, such as `DVD+R`."""
    program: str
    """What burnt it."""
    recorded: bool = True


def burn(
    ctx: typer.Context,
    set_name: SetArgument,
    *,
    medium: Annotated[str, typer.Option("--medium", metavar="ID", help=_("The medium that has the images"))],
    device: Annotated[str, typer.Option("--device", metavar="FILE", help=_("The drive, such as /dev/sr0"))],
    disc: DiscOption = None,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="TEXT", help=_("What you write on the disc; else the name in the image")),
    ] = None,
    dry_run: DryRun = False,
) -> Result[PlannedBurn | BurntDiscShape | None]:
    return burn_in(open_session(ctx), drive_at(device), set_name, medium, disc=disc, label=label, dry_run=dry_run)


def burn_in(
    session: Session,
    drive: DiscDrive,
    set_name: str,
    medium_id: str,
    *,
    disc: int | None = None,
    label: str | None = None,
    dry_run: bool = False,
) -> Result[PlannedBurn | BurntDiscShape | None]:
    """Burn one disc of a set in a drive, compare it, and record it; `burn` with the drive opened."""
    medium = _optical(session.settings.backup_media, medium_id)
    sets = recorded_sets(session.reader)
    made = find_set(sets, set_name)
    images = whole_images(medium, made.set.id, made.set.bag_sha256, keys_of(session.reader, session.warnings.append))
    spread = spread_of(medium, made.set.id, images)
    number = disc or _next_disc(made, medium_id, len(images), spread)
    if number is None:
        said = msg("Every disc of set {set} is burnt: {count} of {count}", set=made.set.id, count=len(images))
        return Result(None, [Paragraph(said)])
    if number > len(images):
        raise UsageError(
            msg("set {set} has no disc {number}: it takes {count}", set=made.set.id, number=number, count=len(images)),
            msg("Leave out --disc for the first one that is not burnt yet."),
        )
    path = images[number - 1]
    size = path.stat().st_size
    with path.open("rb") as file:
        name = _label(label) if label is not None else volume_id_of(file)
    _require_new(sets, made, medium_id, number, name)
    loaded = require_blank(drive, size)
    if dry_run:
        return _planned(made, medium_id, number, images, loaded)
    with session.progress.task(msg("Checking the image"), total=2 * size, unit="bytes") as task:
        image = checked_image(
            medium, made.set.id, images, number, bag_sha256=made.set.bag_sha256, on_bytes=task.advance
        )
    session.require_clock()  # what cannot be recorded is not begun
    known = read_media(session.reader).get(medium_id)
    begun = _begun(
        made, medium_id, image, known.entry if known else None, label=name, device=drive.device, loaded=loaded
    )
    begun = replace(begun, spread=spread)

    def record(disc: BurntDisc) -> None:
        session.recorder.record(BURNT, BURNT_DISC, disc, subject=medium_id, duty=DUTY)

    burnt = _burnt(drive, image, begun, record, session.progress)
    record(burnt)
    code = {DiscState.WHOLE: ExitCode.OK, DiscState.UNREAD: ExitCode.PARTIAL, DiscState.BROKEN: ExitCode.INTEGRITY}
    return Result(_burnt_data(burnt), _burnt_view(burnt), exit_code=code[burnt.state])


def _optical(tables: Sequence[KindTable], medium_id: str) -> OpticalMedium:
    optical = {table.id: table for table in tables if table.kind == OPTICAL}
    if medium_id not in optical:
        raise UsageError(
            msg("there is no medium {medium} with images of discs", medium=show_text(medium_id, 80)),
            msg('The media of kind = "optical" are: {media}.', media=", ".join(optical) or msg("none")),
        )
    return build(optical[medium_id])


def _next_disc(made: SetEvidence, medium_id: str, count: int, spread: str) -> int | None:
    """Return the first disc of the images as they are now that is neither burnt nor burnt and waiting to be read back."""
    there = {
        held.burnt.number
        for held in made.discs_of(medium_id)
        if held.state is not DiscState.BROKEN and held.burnt.spread == spread
    }
    return next((number for number in range(1, count + 1) if number not in there), None)


def _require_new(sets: Sequence[SetEvidence], made: SetEvidence, medium_id: str, number: int, label: str) -> None:
    """Make sure that a label names one disc; one that came out broken gives it up to its successor."""
    for each in sets:
        for held in each.discs:
            if held.burnt.label != label:
                continue
            is_successor = (each.set.id, held.burnt.medium, held.burnt.number) == (made.set.id, medium_id, number)
            if not (is_successor and held.state is DiscState.BROKEN):
                raise UsageError(
                    msg(
                        "there is a disc {label} already: {disc} of set {set}",
                        label=label,
                        disc=held.name,
                        set=each.set.id,
                    ),
                    msg("Give another --label; or record that the disc is destroyed: 'portalops media destroyed'."),
                )


def _begun(
    made: SetEvidence,
    medium_id: str,
    image: DiscImage,
    entry: MediumEntry | None,
    *,
    label: str,
    device: str,
    loaded: LoadedDisc,
) -> BurntDisc:
    """Return the record of a disc as it stands before it is burnt."""
    return BurntDisc(
        medium=medium_id,
        set_id=made.set.id,
        number=image.number,
        count=image.count,
        label=label,
        volume_id=image.volume_id,
        image_sha256=image.sha256,
        image_bytes=image.size_bytes,
        state=DiscState.UNREAD,
        device=device,
        drive=loaded.drive,
        disc_kind=loaded.kind,
        place=entry.place if entry else "",
        custodian=entry.custodian if entry else "",
    )


def _burnt(
    drive: DiscDrive, image: DiscImage, begun: BurntDisc, record: Callable[[BurntDisc], None], progress: Progress
) -> BurntDisc:
    """Burn and compare; what is spoilt on the way is recorded as a disc that is broken."""
    with progress.task(msg("Burning and comparing"), total=image.size_bytes, unit="bytes") as task:
        task.note(msg("burning disc {number} of {count}", number=image.number, count=image.count))
        try:
            program = drive.burn(image.path)
        except (MediumUnavailable, KeyboardInterrupt) as error:
            if not _is_blank_still(drive):
                problem = str(error.message) if isinstance(error, MediumUnavailable) else "it was stopped"
                record(replace(begun, state=DiscState.BROKEN, problem=show_text(problem, 500)))
            raise
        task.note(msg("reading it back"))
        try:
            drive.reload()
            found = compare(drive, image.sha256, image.size_bytes, task.advance)
        except MediumUnavailable as error:
            problem = show_text(f"not read back: {error}", 500)
            return replace(begun, program=program, problem=problem)
        except KeyboardInterrupt:  # the disc is burnt, and somebody must know of it
            record(replace(begun, program=program, problem="not read back: it was stopped"))
            raise
    return replace(begun, program=program, state=found.state, problem=found.problem)


def _is_blank_still(drive: DiscDrive) -> bool:
    try:
        return drive.loaded().is_blank
    except MediumUnavailable:
        return False


def _label(text: str) -> str:
    shown = show_text(text.strip(), MAX_LABEL)
    if not shown:
        raise UsageError(msg("{option} is empty", option="--label"), msg("Say it, for whoever looks for the medium."))
    return shown


def _planned(
    made: SetEvidence, medium_id: str, number: int, images: Sequence[Path], loaded: LoadedDisc
) -> Result[PlannedBurn]:
    rows: tuple[tuple[Message, Cell], ...] = (
        (msg("Backup set"), made.set.id),
        (msg("Disc"), f"{number}/{len(images)}"),
        (msg("Image"), str(images[number - 1])),
        (msg("Size"), ByteSize(images[number - 1].stat().st_size)),
        (msg("In the drive"), f"{loaded.kind}: {loaded.state}"),
        (msg("Recorded in"), msg("nothing: this was a dry run")),
    )
    data = PlannedBurn(
        id=f"{medium_id}/{made.set.id}/{number}",
        set=made.set.id,
        disc=number,
        discs=len(images),
        image=images[number - 1],
        in_drive=loaded.kind,
    )
    return Result(data, [KeyValues(rows)])


def _burnt_data(burnt: BurntDisc) -> BurntDiscShape:
    return BurntDiscShape(
        id=f"{burnt.medium}/{burnt.set_id}/{burnt.number}/{burnt.label}",
        set=burnt.set_id,
        disc=burnt.number,
        discs=burnt.count,
        label=burnt.label,
        image_sha256=burnt.image_sha256,
        image_bytes=burnt.image_bytes,
        state=burnt.state,
        problem=burnt.problem,
        drive=burnt.drive,
        in_drive=burnt.disc_kind,
        program=burnt.program,
    )


def _burnt_view(burnt: BurntDisc) -> list[Block]:
    rows: tuple[tuple[Message, Cell], ...] = (
        (msg("Backup set"), burnt.set_id),
        (msg("Disc"), f"{burnt.number}/{burnt.count}"),
        (msg("Label"), burnt.label),
        (msg("State"), disc_status(burnt.state)),
        (msg("SHA-256 of the image"), burnt.image_sha256),
        (msg("Drive"), burnt.drive),
    )
    told = Paragraph(msg("Write on the disc: {label}", label=burnt.label))
    if burnt.state is DiscState.BROKEN:
        told = Paragraph(msg("Destroy this disc and burn another one: it may hold a part of the set"))
    if burnt.state is DiscState.UNREAD:
        told = Paragraph(
            msg("Put it in again and run 'portalops media check {medium} --device DEVICE'", medium=burnt.medium)
        )
    return [KeyValues(rows), *problem_blocks(burnt.problem), told]


VERB = Verb(burn)
