"""Keep the register of backup media: what there is, where it lies, who keeps it, and whether it can still be read.

A medium is what can be lost or broken by itself: a disk, a bucket, a box of discs, a tape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated

import typer

from commands import _media_burn, _media_label
from commands._backup_work import keys_of, media_of, recorded_sets_of
from commands._jobs import resource_lock
from commands._media_register import RegisterLine, lines_of, register_of
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, PortalOpsError, UsageError, worst
from portalops.ledger import bodies
from portalops.ledger.record import NO_RUN
from portalops.locale import _
from portalops.model.backups import CopyState
from portalops.model.media import MediumCheck, MediumEntry, MediumMove
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.runs import Resource
from portalops.model.text import show_text
from portalops.registers.media import ADDED, CHECK, CHECKED, MEDIUM, MOVE, MOVED
from portalops.reports.document import Block, Bullets, Cell, KeyValues, Notice, Paragraph, Status, Table, Tone

app = typer.Typer(no_args_is_help=True)

DUTY = "10.2-medium"
MAX_TEXT = 200
SHOWN_PROBLEMS = 50
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help=_("The medium's id; a configured one where it can be reached"))
]
DryRun = Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))]
SiteOption = Annotated[
    str, typer.Option("--site", metavar="TEXT", help=_("The building, named as for 'portalops host sight'"))
]
RoomOption = Annotated[str, typer.Option("--room", metavar="TEXT", help=_("The room in it, named as there"))]


@app.command(
    "list",
    help=_(
        "List the media: place, custodian, last reading, and what must be seen to\n\nReads the ledger and the configuration"
        " only. A medium that was not read for backup.unread_months is told of.\n\nExample: portalops media list"
        "\n\nEXIT STATUS: 0 nothing must be seen to, 1 something must"
    ),
)
def list_(ctx: typer.Context) -> Result:
    lines = lines_of(open_session(ctx))
    if not lines:
        return Result([], [Paragraph(msg("There is no medium yet: add [[backup.medium]] to the configuration"))])
    code = ExitCode.UNMET if any(line.alarms for line in lines) else ExitCode.OK
    return Result([_line_data(line) for line in lines], [_table(lines), *_alarms(lines)], exit_code=code)


@app.command(
    help=_(
        "Add a medium to the register\n\nWith the id of a medium that is in the register already: another one has taken its"
        " place.\n\nExample: portalops media add disk-a --label 'KH-SL-01' --place 'Tủ sắt phòng 204' --custodian"
        " 'Nguyễn Văn An' --expires 2031-12-31\n\nEXIT STATUS: 0 added or shown, 2 wrong usage"
    )
)
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
) -> Result:
    session = open_session(ctx)
    configured = {table.id: table.kind for table in session.settings.backup_media}
    if kind is not None and medium in configured and kind != configured[medium]:
        raise UsageError(
            msg("medium {id} is configured as {kind}", id=medium, kind=configured[medium]), msg("Leave out --kind.")
        )
    if not _ID.fullmatch(medium):
        raise UsageError(
            msg("{id} is no id of a medium", id=show_text(medium, 80)),
            msg("Lower-case letters, digits and hyphens, at most 63."),
        )
    chosen = configured.get(medium) or kind
    if chosen is None:
        raise UsageError(
            msg("medium {id} is not configured, so its kind is not known", id=medium),
            msg("Give --kind, such as disk, optical or tape; or the id of a [[backup.medium]]."),
        )
    if not _ID.fullmatch(chosen):
        raise UsageError(msg("{kind} is no kind of medium", kind=show_text(chosen, 80)), msg("Such as disk or tape."))
    entry = MediumEntry(
        medium,
        chosen,
        _text(label, "--label"),
        _text(place, "--place"),
        _text(custodian, "--custodian"),
        _day(expires),
        *_place(site, room),
    )
    before = register_of(session).get(medium)
    if not dry_run:
        body = bodies.write({"circumstances": session.circumstances, MEDIUM: entry})
        session.writable_ledger.append(ADDED, run=NO_RUN, subject=entry.id, duty=DUTY, body=body)
    warnings: list[Message] = []
    if before is not None and before.entry is not None:
        warnings.append(
            msg("another medium was in the register as {id} before: {label}", id=medium, label=before.entry.label)
        )
    return Result({**_entry_data(entry), "recorded": not dry_run}, [_entry_view(entry, dry_run=dry_run)], warnings)


@app.command(
    help=_(
        "Record that a medium lies elsewhere, or is kept by somebody else\n\nExample: portalops media move disk-a --place"
        " 'Kho lưu trữ tỉnh' --custodian 'Trần Thị Bình' --reason 'yearly exchange'"
        "\n\nEXIT STATUS: 0 recorded or shown, 2 it is not in the register, or nothing is said to change"
    )
)
def move(
    ctx: typer.Context,
    medium: IdArgument,
    *,
    place: Annotated[str | None, typer.Option(metavar="TEXT", help=_("Where it lies now"))] = None,
    custodian: Annotated[str | None, typer.Option(metavar="NAME", help=_("Who keeps it now"))] = None,
    site: SiteOption = "",
    room: RoomOption = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, for whoever reads the ledger"))] = "",
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    known = register_of(session).get(medium)
    if known is None or known.entry is None:
        raise UsageError(
            msg("medium {id} is not in the register", id=show_text(medium, 80)),
            msg("'portalops media add' adds it; 'portalops media list' shows what there is."),
        )
    if place is None and custodian is None and not (site or room):
        raise UsageError(
            msg("nothing is said to change"),
            msg("Give --place, --custodian, or --site and --room, or several of them."),
        )
    moved = MediumMove(
        medium,
        _text(place, "--place") if place is not None else "",
        _text(custodian, "--custodian") if custodian is not None else "",
        show_text(reason.strip(), MAX_TEXT),
        *_place(site, room),
    )
    if not dry_run:
        body = bodies.write({"circumstances": session.circumstances, MOVE: moved})
        session.writable_ledger.append(MOVED, run=NO_RUN, subject=moved.id, duty=DUTY, body=body)
    rows: list[tuple[Message, Cell]] = [
        (msg("Medium"), medium),
        (msg("Place"), moved.place or known.entry.place),
        (msg("Custodian"), moved.custodian or known.entry.custodian),
    ]
    data: JsonValue = {"id": medium, "place": rows[1][1], "custodian": rows[2][1], "recorded": not dry_run}  # type: ignore[dict-item]  # they are texts
    return Result(data, [KeyValues(rows), *_dry(dry_run=dry_run)])


@app.command(
    help=_(
        "Look whether a medium can be read and written, and holds what the ledger says\n\nLists its sets, compares them with"
        " the ledger, reads the description of each, and tries to write; what it finds is recorded. Without an id: every"
        " configured medium. It reads no data: 'portalops backup verify' does. With --device: compares the burnt disc in a drive,"
        " every byte, with what was burnt.\n\nExample: portalops media check; portalops media check disk-a --read-only; portalops"
        " media check discs --device /dev/sr0\n\nEXIT STATUS: 0 all is as recorded, 2 no such medium, 3 one could not be reached"
        " or written, 4 no drive, no disc, or none of ours, 5 one is not as recorded"
    )
)
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Look without writing, and record nothing"))] = False,
) -> Result:
    if device is not None:
        if medium is None:
            raise UsageError(
                msg("--device needs the id of a medium"),
                msg("'portalops media list' shows the media: name the one of the disc."),
            )
        return _media_burn.check_disc(ctx, medium, device, label, dry_run=dry_run)
    from backups.inspection import inspect  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    media = media_of(session)
    if medium is not None and medium not in media:
        raise UsageError(
            msg("there is no backup medium {medium}", medium=show_text(medium, 80)),
            msg("The media are: {media}.", media=", ".join(media) or "-"),
        )
    checks: list[MediumCheck] = []
    hints: dict[str, list[Message]] = {name: [] for name in media}
    with resource_lock(session, Resource.MEDIA):
        sets = recorded_sets_of(session, passing_over=True)
        keys = keys_of(session)
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
                    "Attach the right one; if another has taken its place on purpose: 'portalops media add {medium}'.",
                    medium=name,
                )
                hints[name].append(said)
            checks.append(found)
            if not dry_run and not _is_unmade(found):
                _record(session, found)
    return Result(
        [{"id": each.id, **_check_data(each)} for each in checks],
        [block for each in checks for block in _check_view(each, hints[each.id])],
        exit_code=worst(_exit_code(each) for each in checks),
    )


app.command(help=_media_burn.BURN_HELP)(_media_burn.burn)
app.command(help=_media_burn.DESTROYED_HELP)(_media_burn.destroyed)
app.command(help=_media_label.HELP)(_media_label.label)


def _is_unmade(found: MediumCheck) -> bool:
    """Say whether a medium is yet to be made, by the first run: there was nothing to look at."""
    return not found.reached and not found.problems


def _keep_hint(hints: list[Message], error: PortalOpsError) -> None:
    hints.append(error.hint)


def _record(session: Session, found: MediumCheck) -> None:
    body = bodies.write({"circumstances": session.circumstances, CHECK: found})
    session.writable_ledger.append(CHECKED, run=NO_RUN, subject=found.id, duty=DUTY, body=body)


def _exit_code(found: MediumCheck) -> ExitCode:
    if _damaged(found) or found.unknown:
        return ExitCode.INTEGRITY
    return ExitCode.PARTIAL if found.problems else ExitCode.OK


def _damaged(found: MediumCheck) -> list[str]:
    return [copy.set_id for copy in found.copies if copy.state is CopyState.DAMAGED]


def _text(text: str, option: str) -> str:
    shown = show_text(text.strip(), MAX_TEXT)
    if not shown:
        raise UsageError(msg("{option} is empty", option=option), msg("Say it, for whoever looks for the medium."))
    return shown


def _place(site: str, room: str) -> tuple[str, str]:
    """Return building and room, both or neither.

    Raises:
        UsageError: one is given without the other.
    """
    if bool(site.strip()) != bool(room.strip()):
        raise UsageError(
            msg("--site and --room say together where a medium lies"), msg("Give both, or leave both out.")
        )
    return show_text(site.strip(), MAX_TEXT), show_text(room.strip(), MAX_TEXT)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            msg("{text} is no day", text=show_text(text, 40)), msg("Write it as year-month-day: 2031-12-31.")
        ) from error


def _entry_data(entry: MediumEntry) -> dict[str, JsonValue]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "label": entry.label,
        "place": entry.place,
        "custodian": entry.custodian,
        "site": entry.site or None,
        "room": entry.room or None,
        "expires_on": entry.expires_on.isoformat() if entry.expires_on else None,
    }


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


def _dry(*, dry_run: bool) -> list[Block]:
    return [Paragraph(msg("nothing was recorded: this was a dry run"))] if dry_run else []


def _line_data(line: RegisterLine) -> JsonValue:
    known = line.medium
    return {
        "id": known.id,
        "configured": line.is_configured,
        "registered": known.entry is not None,
        "kind": line.kind,
        "label": known.entry.label if known.entry else None,
        "place": known.entry.place if known.entry else None,
        "custodian": known.entry.custodian if known.entry else None,
        "site": (known.entry.site or None) if known.entry else None,
        "room": (known.entry.room or None) if known.entry else None,
        "since": known.since.isoformat() if known.since else None,
        "expires_on": known.entry.expires_on.isoformat() if known.entry and known.entry.expires_on else None,
        "read_at": known.read_at.isoformat() if known.read_at else None,
        "checked_at": known.checked_at.isoformat() if known.checked_at else None,
        "sets": line.sets,
        "discs": line.discs,
        "expired": line.expiring.expired,
        "expiring_soon": line.expiring.soon,
        "next_expires_at": line.expiring.next_at.isoformat() if line.expiring.next_at else None,
        "alarms": [str(alarm) for alarm in line.alarms],
    }


def _table(lines: Sequence[RegisterLine]) -> Table:
    headers = (
        msg("Medium"),
        msg("Kind"),
        msg("Label"),
        msg("Place"),
        msg("Custodian"),
        msg("Expires on"),
        msg("Sets"),
        msg("Burnt discs"),
        msg("Last read"),
        msg("Next expires"),
        msg("State"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            line.medium.id,
            line.kind,
            line.medium.entry.label if line.medium.entry else None,
            line.medium.entry.place if line.medium.entry else None,
            line.medium.entry.custodian if line.medium.entry else None,
            line.medium.entry.expires_on if line.medium.entry else None,
            line.sets,
            line.discs or None,
            line.medium.read_at,
            line.expiring.next_at,
            Status(msg("see below"), Tone.BAD) if line.alarms else Status(msg("good"), Tone.GOOD),
        )
        for line in lines
    ]
    return Table(nmsg("{n} medium", "{n} media", len(rows)), headers, rows)


def _alarms(lines: Sequence[RegisterLine]) -> list[Block]:
    return [
        Notice(msg("{medium}: {problem}", medium=line.medium.id, problem=alarm), Tone.BAD)
        for line in lines
        for alarm in line.alarms
    ]


def _check_data(found: MediumCheck) -> dict[str, JsonValue]:
    return {
        "made": not _is_unmade(found),
        "reached": found.reached,
        "writable": found.writable,
        "sets": found.sets,
        "problems": list(found.problems),
        "unknown": list(found.unknown),
        "damaged": _damaged(found),
    }


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
        blocks.append(Bullets([verbatim(problem) for problem in found.problems[:SHOWN_PROBLEMS]]))
    if len(found.problems) > SHOWN_PROBLEMS:
        blocks.append(Paragraph(msg("... and {more} more", more=len(found.problems) - SHOWN_PROBLEMS)))
    if found.unknown:
        hints = [
            *hints,
            msg("'portalops backup take-in --dry-run' shows which of the sets that are not recorded can be taken in."),
        ]
    blocks += [Notice(msg("hint: {hint}", hint=hint), Tone.UNSURE) for hint in hints]
    return blocks
