"""List the media: place, custodian, last reading, and what needs action

Reads the ledger and the configuration, and the free room of folders on this machine. A medium needs action that was not
read for backup.unread_months, or that will be full within its next sets.

Example: portalops media list

EXIT STATUS: 0 nothing needs action, 1 something does, 3 a record cannot be read
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import typer

from backups.media import build_media
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import ShownMessage, shape
from commands.cli.verb import Verb
from commands.jobs.media_register import lines_of
from commands.jobs.room_ahead import fillings
from portalops.errors import ExitCode, worst
from portalops.model.message import msg, nmsg
from portalops.registers.backups import recorded_sets
from portalops.registers.media import RegisterLine
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone

if TYPE_CHECKING:
    from backups.room_ahead import Filling


@shape
class ListedMedium:
    """A medium of the register or the configuration; null stands for what the register does not say."""

    id: str
    configured: bool
    registered: bool
    kind: str
    label: str | None
    place: str | None
    custodian: str | None
    site: str | None
    room: str | None
    since: datetime | None
    """When it was put in its place or was given to its custodian."""
    expires_on: date | None
    """From this day on it is not trusted."""
    read_at: datetime | None
    """When sets on it were last listed or read back."""
    checked_at: datetime | None
    """When `media check` last tried it."""
    sets: int
    discs: int
    """Burnt from its images, and not destroyed."""
    expired: int
    """Copies on it that were read too long ago to count as verified."""
    expiring_soon: int
    next_expires_at: datetime | None
    alarms: tuple[ShownMessage, ...]
    """What somebody must see to."""


def list_(ctx: typer.Context) -> Result[tuple[ListedMedium, ...]]:
    session = open_session(ctx)
    numbers, now = session.rulebook.numbers, session.clock.now()
    lines = with_fillings(
        lines_of(session.settings, session.reader, numbers, now, pass_over=session.pass_over),
        fillings(
            session.settings,
            session.reader,
            recorded_sets(session.reader, passing_over=True),
            build_media(session.settings.backup_media),
            now=now,
            zone=session.zone_of_portal,
            local_only=True,
        ),
    )
    if not lines:
        said = msg("There is no medium yet: add [[backup.medium]] to the configuration")
        return Result((), [Paragraph(said)], exit_code=session.exit_code_of_lists)
    code = worst([ExitCode.UNMET if any(line.alarms for line in lines) else ExitCode.OK, session.exit_code_of_lists])
    return Result(tuple(_line_data(line) for line in lines), [_table(lines), *_alarms(lines)], exit_code=code)


def with_fillings(lines: Sequence[RegisterLine], found: Iterable[Filling]) -> tuple[RegisterLine, ...]:
    """Return the lines with an alarm for each medium that will be full within its next sets."""
    full = {each.medium: each.describe() for each in found}
    return tuple(
        replace(line, alarms=(*line.alarms, full[line.medium.id])) if line.medium.id in full else line for line in lines
    )


def _line_data(line: RegisterLine) -> ListedMedium:
    known, entry = line.medium, line.medium.entry
    return ListedMedium(
        id=known.id,
        configured=line.is_configured,
        registered=entry is not None,
        kind=line.kind,
        label=entry.label if entry else None,
        place=entry.place if entry else None,
        custodian=entry.custodian if entry else None,
        site=(entry.site or None) if entry else None,
        room=(entry.room or None) if entry else None,
        since=known.since,
        expires_on=entry.expires_on if entry else None,
        read_at=known.read_at,
        checked_at=known.checked_at,
        sets=line.sets,
        discs=line.discs,
        expired=line.expiring.expired,
        expiring_soon=line.expiring.soon,
        next_expires_at=line.expiring.next_at,
        alarms=tuple(map(ShownMessage.of, line.alarms)),
    )


def _table(lines: Sequence[RegisterLine]) -> TableBlock:
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
    return TableBlock(nmsg("{n} medium", "{n} media", len(rows)), headers, rows)


def _alarms(lines: Sequence[RegisterLine]) -> list[Block]:
    return [
        Notice(msg("{medium}: {problem}", medium=line.medium.id, problem=alarm), Tone.BAD)
        for line in lines
        for alarm in line.alarms
    ]


VERB = Verb(list_, version=2)  # alarms were bare sentences
