"""A table as CSV (RFC 4180), for programs and spreadsheets: raw numbers, ISO dates, and no text that would be a formula.

A spreadsheet that opens CSV reads a field that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula, so an
apostrophe is put before each such text (OWASP, CSV Injection); a mere number with its sign is none. The file begins with a
byte order mark, without which spreadsheets take UTF-8 for the system's own encoding.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from portalops.reports.document import ByteSize, Cell, Table
from portalops.reports.reader import Reader

_ACTIVE = ("=", "+", "-", "@", "\\t", "\\r")
"""How the texts begin; a reader shows tab and carriage return as two letters."""
_NUMBER = re.compile(r"[+-]\d+([.,]\d+)?%?")


def write_table(table: Table, *, language: str, zone: ZoneInfo) -> bytes:
    """Return a table's header and rows in UTF-8, lines ended by CR LF.

    Args:
        table: its caption is left out.
        language: of the words, `vi` or `en`.
        zone: in which moments are written, each with its offset.
    """
    reader = Reader(language, zone)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([_harmless(reader.text(header)) for header in table.headers])
    writer.writerows([_field(cell, reader) for cell in row] for row in table.rows)
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8")


def _field(cell: Cell, reader: Reader) -> str:
    match cell:
        case None:
            return ""
        case int():
            return str(cell)
        case ByteSize():
            return str(cell.bytes)
        case datetime():
            return cell.astimezone(reader.zone).isoformat(timespec="seconds")
        case date():
            return cell.isoformat()
        case _:
            return _harmless(reader.cell(cell))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_ACTIVE) and not _NUMBER.fullmatch(text) else text
