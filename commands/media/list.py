"""List the media: place, custodian, last reading, and what must be seen to

Reads the ledger and the configuration only. A medium that was not read for backup.unread_months is told of.

Example: portalops media list

EXIT STATUS: 0 nothing must be seen to, 1 something must
"""

from __future__ import annotations

from collections.abc import Sequence

import typer

from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.media_register import lines_of
from portalops.errors import ExitCode
from portalops.model.message import msg, nmsg
from portalops.registers.media import RegisterLine
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone


def list_(ctx: typer.Context) -> Result[JsonValue]:
    lines = lines_of(open_session(ctx))
    if not lines:
        return Result([], [Paragraph(msg("There is no medium yet: add [[backup.medium]] to the configuration"))])
    code = ExitCode.UNMET if any(line.alarms for line in lines) else ExitCode.OK
    return Result([_line_data(line) for line in lines], [_table(lines), *_alarms(lines)], exit_code=code)


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


VERB = Verb(list_)
