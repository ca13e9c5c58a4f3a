"""A table as CSV (RFC 4180), for programs and spreadsheets: raw numbers, ISO dates, and no text that would be a formula.

A spreadsheet that opens CSV reads a field that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula, so an
apostrophe is put before each such text (OWASP, CSV Injection); a mere number with its sign is none. The file begins with a
byte order mark, without which spreadsheets take UTF-8 for the system's own encoding.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from portalops.reports.document import ByteSize, Cell, Quantity, TableBlock
from portalops.reports.reader import Reader, one_line

MARK = b"\xef\xbb\xbf"
"""The byte order mark."""

_ACTIVE = ("=", "+", "-", "@", "\\t", "\\r")
"""How the texts begin; a reader shows tab and carriage return as two letters."""
_NUMBER = re.compile(r"[+-]\d+([.,]\d+)?%?")


def write_table(table: TableBlock, *, language: str, zone: ZoneInfo) -> bytes:
    """Return a table's header and rows in UTF-8, lines ended by CR LF.

    Args:
        table: its caption is left out.
        language: of the words, `vi` or `en`.
        zone: in which moments are written, each with its offset.
    """
    reader = Reader(language, zone)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(table_heads(table, reader))
    writer.writerows([field(cell, reader) for cell in row] for row in table.rows)
    return MARK + stream.getvalue().encode("utf-8")


def table_heads(table: TableBlock, reader: Reader) -> list[str]:
    """Return the headers; one whose column holds sizes, or quantities of one unit, names the unit, since the fields are numbers."""
    return [
        harmless(_with_unit(reader.text(header), _unit([row[at] for row in table.rows])))
        for at, header in enumerate(table.headers)
    ]


def labelled(label: str, cell: Cell, reader: Reader) -> tuple[str, str]:
    """Return a fact's two fields; its label names the unit where there is one."""
    return harmless(_with_unit(label, _unit([cell]))), field(cell, reader)


def field(cell: Cell, reader: Reader) -> str:
    """Return a cell as data: a plain number, an ISO date, a moment with its offset, or a text that is no formula."""
    match cell:
        case None:
            return ""
        case int():
            return str(cell)
        case ByteSize():
            return str(cell.bytes)
        case Quantity():
            return f"{cell.value:.{cell.decimals}f}"
        case datetime():
            return cell.astimezone(reader.zone).isoformat(timespec="seconds")
        case date():
            return cell.isoformat()
        case _:
            return harmless(reader.cell(cell))


def harmless(text: str) -> str:
    """Return text that no spreadsheet reads as a formula."""
    return f"'{text}" if text.startswith(_ACTIVE) and not _NUMBER.fullmatch(text) else text


def _unit(cells: Sequence[Cell]) -> str:
    """Return the one unit of a column's numbers; nothing where it has none, or more than one."""
    units = {_unit_of(cell) for cell in cells if cell is not None}
    return units.pop() if len(units) == 1 else ""


def _unit_of(cell: Cell) -> str:
    match cell:
        case ByteSize():
            return "B"
        case Quantity():
            return cell.unit
        case _:
            return ""


def _with_unit(head: str, unit: str) -> str:
    return f"{head} ({one_line(unit)})" if unit and not head.endswith(unit) else head
