"""A document as a workbook (Office Open XML, ECMA-376), for those who go on working with its tables.

The first sheet holds what is said in sentences, and each table, grid and chart has a sheet of its own, with real numbers and
real dates under a frozen header with filters. Nothing that comes from data is ever a formula, neither when the file is opened
nor when a cell is edited later. A spreadsheet bounds what it holds; what did not fit is told on the sheet. The same document
gives the same bytes.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from portalops.model.message import Message, msg, nmsg
from portalops.reports.chart_tables import table_of_bars, table_of_lines
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Cell,
    Document,
    Grid,
    GridMark,
    Heading,
    KeyValues,
    LineChart,
    Notice,
    Paragraph,
    QrCode,
    Quantity,
    SignatureBlock,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from portalops.reports.formats import ReportFormat
from portalops.reports.reader import Reader, one_line
from portalops.reports.text_lines import NOTHING, SIGNS, alignment, verbatim_lines

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
"""Of a sheet: "Excel specifications and limits", Microsoft."""
MAX_LETTERS = 32_767
"""Of a cell, in UTF-16 units; same source."""
MAX_NAME = 31
"""Of a sheet's name, in UTF-16 units; same source."""
MAX_EXACT = 10**15
"""A number keeps 15 digits; same source. A longer one is written as text."""
MAX_FOOTER = 255
"""Characters of a printed footer; same source."""
FIRST_YEAR = 1900
"""Dates begin with 1 January 1900; earlier ones are written as text. Same source."""
MADE_AT = datetime(2000, 1, 1)  # noqa: DTZ001  # the file's own property, which has no zone
"""What every workbook says of when it was made, so that the same document gives the same bytes."""

_FORBIDDEN = re.compile(r"[\[\]:*?/\\'\x00-\x1f]+")
"""What a sheet's name may not hold, and the apostrophe, which it may not begin or end with."""
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would read as a formula (OWASP, CSV Injection)."""
_HEAD_ROW = 2
"""Of a table's header: the caption and an empty row come first, so that filters see one block."""
_TONES: Mapping[Tone, Mapping[str, object]] = {
    Tone.GOOD: {"bg_color": "#E3F1E5"},
    Tone.BAD: {"bg_color": "#F6D9D5", "bold": True},
    Tone.UNSURE: {"bg_color": "#FBEFCB", "italic": True},
    Tone.NEUTRAL: {},
}
"""Colour repeats the word; on a black and white print face and word remain."""
_NARROW, _WIDE, _LETTERS = 8, 60, 90
"""Widths of columns in characters: least and greatest of a table's, and that of the sheet of sentences."""


@dataclass(frozen=True, slots=True)
class XlsxPaperFormat:
    """The format `xlsx`."""

    max_rows: int = MAX_ROWS
    """Rows that a sheet takes, its header and its notes included."""

    def render(self, document: Document, *, language: str) -> bytes:
        """Return the workbook, every text in NFC."""
        stream = io.BytesIO()
        book = Workbook(
            stream,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        reader = Reader(language, ZoneInfo(document.zone))
        book.set_properties({"title": reader.text(document.title)[:MAX_FOOTER], "created": MADE_AT})
        writer = _Writer(book, reader, document, self.max_rows)
        writer.write()
        book.close()
        return stream.getvalue()


FORMAT = ReportFormat(suffix=".xlsx", render=XlsxPaperFormat().render)


def sheet_name(number: int, caption: str) -> str:
    """Return a name for a sheet: its number makes it the only one, whatever its caption.

    >>> sheet_name(3, "Weeks met/judged, by unit, from 17/08/2026 on")
    '3 Weeks met judged, by unit'
    """
    text = unicodedata.normalize("NFC", " ".join(_FORBIDDEN.sub(" ", f"{number} {caption}").split()))
    short = _cut(text, MAX_NAME)
    if short != text and not text[len(short)].isspace() and short.count(" ") > 1:
        short = short.rpartition(" ")[0]  # what is cut within a word reads as a slip
    return short.rstrip(" ,;:.-")


def _cut(text: str, units: int) -> str:
    """Return as much of a text as takes no more than some UTF-16 units, which is what a spreadsheet counts in."""
    if len(text) * 2 <= units or len(text.encode("utf-16-le")) <= units * 2:
        return text
    return text.encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore")


class _Writer:
    """Fills one workbook."""

    def __init__(self, book: Workbook, reader: Reader, document: Document, max_rows: int) -> None:
        self._book, self._reader, self._document, self._max_rows = book, reader, document, max_rows
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}
        self._day = "dd/mm/yyyy" if reader.language == "vi" else "d mmm yyyy"
        self._sheets = 0
        self._cut: Counter[str] = Counter()
        self._text = self._sheet(reader.text(msg("Content")))
        self._row = 0

    def write(self) -> None:
        document, sheet = self._document, self._text
        sheet.set_column(0, 0, _LETTERS)
        sheet.set_column(1, 1, _WIDE)
        sheet.set_landscape()
        self._line(self._reader.text(document.title), bold=True, font_size=16)
        for block in document.blocks:
            self._block(block)
        self._row += 1
        for label, cell in document.footer:
            self._pair(self._reader.text(label), cell)
        self._pair(self._reader.text(msg("Times are shown in the zone")), document.zone)
        room = self._max_rows - 2
        if self._row > room:
            self._tell_left_off(sheet, room, self._row - room)
        self._tell_cuts(sheet, min(self._row, room) + 1)

    # --- the sheet of sentences ---

    def _block(self, block: Block) -> None:
        reader = self._reader
        match block:
            case Heading():
                self._row += 1
                self._line(reader.text(block.text), bold=True, font_size=14 if block.level <= 2 else 12)
            case Paragraph():
                self._line(reader.text(block.text))
            case Verbatim():
                for line in verbatim_lines(block, reader):
                    self._line(line, font_name="Courier New")
            case Bullets():
                for item in block.items:
                    self._line(f"• {reader.text(item)}")
            case KeyValues():
                for label, cell in block.rows:
                    self._pair(reader.text(label), cell)
            case Notice():
                self._line(f"{SIGNS[block.tone]} {reader.text(block.text)}", **_TONES[block.tone], border=1)
            case QrCode():
                self._line(reader.text(block.caption))
                for line in block.text.splitlines():
                    self._line(reader.text(line), font_name="Courier New")
            case SignatureBlock():
                for office, holder in block.places:
                    self._row += 1
                    self._pair(reader.text(office), holder)
            case TableBlock():
                self._refer(block.caption, self._table(block) if block.rows else None)
            case Grid():
                self._refer(block.caption, self._grid(block) if block.rows else None)
            case Bars():
                self._refer(block.caption, self._table(table_of_bars(block)) if block.rows else None)
            case LineChart():
                self._refer(block.caption, self._table(table_of_lines(block)) if block.moments else None)
            case _:
                assert_never(block)

    def _line(self, text: str, **properties: object) -> None:
        if self._has_room(self._row):
            self._string(self._text, self._row, 0, text, text_wrap=True, **properties)
        self._row += 1

    def _pair(self, label: str, cell: Cell) -> None:
        if self._has_room(self._row):
            self._string(self._text, self._row, 0, label, text_wrap=True)
            self._cell(self._text, self._row, 1, cell, align="left")
        self._row += 1

    def _refer(self, caption: Message, sheet: Worksheet | None) -> None:
        text = self._reader.text(caption)
        if sheet is None:
            self._line(f"{text}: {self._reader.text(NOTHING)}")
        elif self._has_room(self._row):
            name = sheet.get_name()
            shown = _cut(
                self._reader.text(msg("{caption}: see the sheet '{sheet}'", caption=text, sheet=name)), MAX_NAME * 8
            )
            self._text.write_url(
                self._row, 0, f"internal:'{name}'!A1", self._format(font_color="#1A4E8A", text_wrap=True), shown
            )
            self._row += 1

    def _has_room(self, row: int) -> bool:
        return row < self._max_rows - 2

    # --- tables ---

    def _table(self, table: TableBlock) -> Worksheet:
        reader = self._reader
        sheet = self._captioned(table.caption)
        heads = [reader.text(header) for header in table.headers]
        self._heads(sheet, heads, [max(len(head), 4) for head in heads], table)
        room = self._max_rows - _HEAD_ROW - 3  # two rows at the end for what is told of the bounds
        rows = table.rows[:room]
        for at, row in enumerate(rows, _HEAD_ROW + 1):
            for column, cell in enumerate(row):
                self._cell(sheet, at, column, cell)
        sheet.freeze_panes(_HEAD_ROW + 1, 0)
        if heads:
            sheet.autofilter(_HEAD_ROW, 0, _HEAD_ROW + len(rows), len(heads) - 1)
        end = _HEAD_ROW + 1 + len(rows)
        if len(table.rows) > len(rows):
            self._tell_left_off(sheet, end, len(table.rows) - len(rows))
            end += 1
        self._tell_cuts(sheet, end)
        return sheet

    def _heads(self, sheet: Worksheet, heads: Sequence[str], least: Sequence[int], table: TableBlock) -> None:
        for column, (head, side) in enumerate(zip(heads, alignment(table), strict=True)):
            self._string(sheet, _HEAD_ROW, column, head, bold=True, text_wrap=True, bottom=1, align=side)
            longest = max((self._breadth(row[column]) for row in table.rows), default=0)
            sheet.set_column(column, column, min(_WIDE, max(_NARROW, min(least[column], 20), longest) + 2))

    def _breadth(self, cell: Cell) -> int:
        return 0 if cell is None else len(self._reader.cell(cell))

    # --- grids ---

    def _grid(self, grid: Grid) -> Worksheet:
        reader = self._reader
        sheet = self._captioned(grid.caption)
        columns = grid.columns[: MAX_COLUMNS - 1]
        room = max(1, self._max_rows - _HEAD_ROW - 3 - len(grid.legend) - len(grid.shaded))
        rows = grid.rows[:room]
        sheet.set_column(0, 0, min(_WIDE, max((self._breadth(label) for label, _marks in rows), default=_NARROW) + 2))
        sheet.set_column(1, max(1, len(columns)), 6)
        for column, head in enumerate(columns, 1):
            shade = {"bg_color": "#D9DDE2"} if column - 1 in grid.shaded else {}
            if isinstance(head, date) and not isinstance(head, datetime) and head.year >= FIRST_YEAR:
                style = self._format(num_format="dd/mm", bold=True, align="center", bottom=1, **shade)
                sheet.write_datetime(_HEAD_ROW, column, head, style)
            else:
                self._string(sheet, _HEAD_ROW, column, reader.cell(head), bold=True, align="center", bottom=1, **shade)
        self._string(sheet, _HEAD_ROW, 0, "", bottom=1)
        for at, (label, marks) in enumerate(rows, _HEAD_ROW + 1):
            self._cell(sheet, at, 0, label)
            for column, mark in enumerate(marks[: len(columns)], 1):
                self._mark(sheet, at, column, mark, is_shaded=column - 1 in grid.shaded)
        sheet.freeze_panes(_HEAD_ROW + 1, 1)
        sheet.repeat_columns(0)
        end = _HEAD_ROW + 1 + len(rows)
        if len(grid.rows) > len(rows) or len(grid.columns) > len(columns):
            self._tell_left_off(sheet, end, len(grid.rows) - len(rows) + len(grid.columns) - len(columns))
            end += 1
        self._legend(sheet, grid, end + 1)
        return sheet

    def _mark(self, sheet: Worksheet, row: int, column: int, mark: GridMark | None, *, is_shaded: bool) -> None:
        shade: Mapping[str, object] = {"bg_color": "#D9DDE2"} if is_shaded else {}
        if mark is None:
            if is_shaded:
                sheet.write_blank(row, column, None, self._format(**shade))
            return
        self._string(sheet, row, column, self._reader.text(mark.sign), align="center", **{**_TONES[mark.tone], **shade})

    def _legend(self, sheet: Worksheet, grid: Grid, row: int) -> None:
        """Write below a grid what its signs mean, and why columns stand apart."""
        reader = self._reader
        lines = [f"{reader.text(mark.sign)}  {reader.text(meaning)}" for mark, meaning in grid.legend]
        lines += [f"{reader.cell(grid.columns[at])}: {reader.text(why)}" for at, why in sorted(grid.shaded.items())]
        for line in lines:
            if not self._has_room(row):
                return
            self._string(sheet, row, 0, line)
            row += 1

    # --- sheets and cells ---

    def _captioned(self, caption: Message) -> Worksheet:
        text = self._reader.text(caption)
        sheet = self._sheet(text)
        self._string(sheet, 0, 0, text, bold=True, font_size=12)
        sheet.set_landscape()
        sheet.repeat_rows(_HEAD_ROW)
        return sheet

    def _sheet(self, caption: str) -> Worksheet:
        self._sheets += 1
        sheet = self._book.add_worksheet(sheet_name(self._sheets, caption))
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(self._foot())
        return sheet

    def _foot(self) -> str:
        """Return what stands at the foot of each printed page: the document's facts, and the page."""
        facts = " · ".join(
            f"{self._reader.text(label)}: {self._reader.cell(cell)}" for label, cell in self._document.footer
        ).replace("&", "&&")
        end = "&R&8 &P/&N"
        return f"&L&8 {facts}"[: MAX_FOOTER - len(end)].rstrip("&") + end

    def _cell(self, sheet: Worksheet, row: int, column: int, cell: Cell, **properties: object) -> None:
        style: dict[str, object] = {"valign": "top", **properties}
        match cell:
            case None:
                sheet.write_blank(row, column, None, self._format(**style))
            case Status():
                self._string(sheet, row, column, self._reader.text(cell.word), **{**style, **_TONES[cell.tone]})
            case ByteSize() if abs(cell.bytes) < MAX_EXACT:
                sheet.write_number(row, column, cell.bytes, self._format(num_format='#,##0" B"', **style))
            case Quantity() if abs(cell.value) < MAX_EXACT:
                places = f".{'0' * cell.decimals}" if cell.decimals else ""
                unit = f'" {one_line(cell.unit).replace(chr(34), "")}"' if cell.unit else ""
                shown = self._format(num_format=f"#,##0{places}{unit}", **style)
                sheet.write_number(row, column, round(cell.value, cell.decimals), shown)
            case datetime() if cell.year >= FIRST_YEAR:
                local = cell.astimezone(self._reader.zone).replace(tzinfo=None, microsecond=0)
                sheet.write_datetime(
                    row, column, local, self._format(num_format=f"{self._day} hh:mm", **{"align": "left", **style})
                )
            case date() if cell.year >= FIRST_YEAR:
                sheet.write_datetime(
                    row, column, cell, self._format(num_format=self._day, **{"align": "left", **style})
                )
            case int() if abs(cell) < MAX_EXACT:
                sheet.write_number(row, column, cell, self._format(num_format="#,##0", **style))
            case _:
                self._string(sheet, row, column, self._reader.cell(cell), text_wrap=True, **style)

    def _string(self, sheet: Worksheet, row: int, column: int, text: str, **properties: object) -> None:
        """Write a text as a text; one that looks like a formula stays a text also after its cell was edited."""
        short = _cut(text, MAX_LETTERS)
        if short != text:
            short = f"{_cut(text, MAX_LETTERS - 1)}…"
            self._cut[sheet.get_name()] += 1
        quoted = {"quote_prefix": True} if short.startswith(_ACTIVE) else {}
        style = {"valign": "top", **properties, **quoted}
        sheet.write_string(row, column, short, self._format(**style))

    def _format(self, **properties: object) -> Format:
        """Return the one format of some properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(dict(key))
        return self._formats[key]

    # --- what did not fit ---

    def _tell_left_off(self, sheet: Worksheet, row: int, count: int) -> None:
        text = nmsg(
            "{n} more did not fit into a sheet; the formats html and json hold it",
            "{n} more did not fit into a sheet; the formats html and json hold them",
            count,
        )
        self._string(sheet, row, 0, self._reader.text(text), bold=True)

    def _tell_cuts(self, sheet: Worksheet, row: int) -> None:
        """Say how many texts of a sheet were cut."""
        if count := self._cut[sheet.get_name()]:
            text = nmsg(
                "{n} text is too long for a cell and was cut; the formats html and json hold it in full",
                "{n} texts are too long for a cell and were cut; the formats html and json hold them in full",
                count,
            )
            self._string(sheet, row, 0, self._reader.text(text), bold=True)
