"""Blocks on a terminal, painted by rich: within its width, with colour where that is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import assert_never

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from portalops.reports.chart_tables import table_of_lines
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Cell,
    Grid,
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
from portalops.reports.reader import Reader
from portalops.reports.text_lines import (
    NOTHING,
    SIGNS,
    alignment,
    grid_lines,
    qr_lines,
    sign_of,
    signature_lines,
    verbatim_lines,
)

_STYLES = {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.UNSURE: "yellow", Tone.NEUTRAL: "dim"}
_NAME_LIMIT = 24
"""Text up to this width is a name or a word, and is never broken."""
_ID_LIMIT = 48
"""An id up to this width in the first column is never broken, since it is copied into the next command."""
_SENTENCE_ROOM = 24
"""Less than this for a sentence, and rows are shown one below the other."""


def paint(blocks: Sequence[Block], reader: Reader, *, width: int, colour: bool) -> str:
    """Return blocks as a terminal of a width shows them; without colour there are no escape sequences."""
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    painter = _Painter(reader, width)
    for index, block in enumerate(blocks):
        if index:
            console.print()
        console.print(painter.paint(block), soft_wrap=isinstance(block, Verbatim | QrCode))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


@dataclass(frozen=True, slots=True)
class _Painter:
    """Turns blocks into what rich prints."""

    reader: Reader
    width: int

    def paint(self, block: Block) -> RenderableType:
        match block:
            case Heading():
                return Text(self.reader.text(block.text), style="bold underline" if block.level == 1 else "bold")
            case Paragraph():
                return Text(self.reader.text(block.text))
            case Bullets():
                return self._columns([(Text("•"), Text(self.reader.text(item))) for item in block.items])
            case KeyValues():
                return self._columns(
                    [(Text(self.reader.text(label), style="dim"), self.cell(value)) for label, value in block.rows]
                )
            case TableBlock():
                return self._table(block)
            case Notice():
                sign = Text(SIGNS[block.tone], style=_STYLES[block.tone])
                return self._columns([(sign, Text(self.reader.text(block.text), style=_STYLES[block.tone]))])
            case Grid():
                return self._grid(block)
            case Bars():
                return self._bars(block)
            case LineChart():
                return self._table(table_of_lines(block))
            case QrCode():
                caption, _, *lines = qr_lines(block, self.reader)
                return Text.assemble((caption, "bold"), "\n\n", "\n".join(lines))
            case Verbatim():
                return Text("\n".join(verbatim_lines(block, self.reader)))
            case SignatureBlock():
                return Text("\n".join(signature_lines(block, self.reader)))
            case _:
                assert_never(block)

    def cell(self, cell: Cell) -> RenderableType:
        if isinstance(cell, Status):
            return Text(f"{sign_of(cell)} {self.reader.cell(cell)}", style=_STYLES[cell.tone])
        return Text(self.reader.cell(cell))

    def _columns(self, rows: Sequence[tuple[RenderableType, RenderableType]]) -> RenderableType:
        grid = RichTable.grid(padding=(0, 1))
        grid.add_column(no_wrap=self.width > 60)
        grid.add_column(overflow="fold")
        for row in rows:
            grid.add_row(*row)
        return grid

    def _table(self, table: TableBlock) -> RenderableType:
        caption = self.reader.text(table.caption)
        if not table.rows:
            return Text.assemble((caption, "bold"), (f": {self.reader.text(NOTHING)}", "dim"))
        widths = column_widths(table, self.reader, self.width)
        if not widths:
            return Group(Text(caption, style="bold"), "", *self._records(table))
        shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for header, side, width in zip(table.headers, alignment(table), widths, strict=True):
            shown.add_column(
                Text(self.reader.text(header)),
                justify="right" if side == "right" else "left",
                overflow="fold",
                width=width,
            )
        for row in table.rows:
            shown.add_row(*(self.cell(cell) for cell in row))
        return Group(Text(caption, style="bold"), "", shown)

    def _records(self, table: TableBlock) -> Iterator[RenderableType]:
        """Yield each row on lines of its own, where a table would be squeezed: name and states, sentences, facts."""
        columns = range(1, len(table.headers))
        is_short = {
            index: _least_width([row[index] for row in table.rows], self.reader) <= _NAME_LIMIT for index in columns
        }
        for row in table.rows:
            head = Text(self.reader.cell(row[0]), style="bold")
            facts: list[str] = []
            for index in columns:
                cell = row[index]
                if isinstance(cell, Status):
                    head.append(f"  {sign_of(cell)} {self.reader.cell(cell)}", style=_STYLES[cell.tone])
                elif cell is not None and is_short[index]:
                    facts.append(self._fact(table, row, index))
            yield head
            for index in columns:
                if not is_short[index] and row[index] is not None and not isinstance(row[index], Status):
                    yield Padding(Text(self._fact(table, row, index)), (0, 0, 0, 4))
            if facts:
                yield Padding(Text(" · ".join(facts)), (0, 0, 0, 4))

    def _fact(self, table: TableBlock, row: Sequence[Cell], index: int) -> str:
        return f"{self.reader.text(table.headers[index])}: {self.reader.cell(row[index])}"

    def _grid(self, grid: Grid) -> RenderableType:
        lines = list(grid_lines(grid, self.reader, self.width))
        return Text.assemble((lines[0], "bold"), "\n", "\n".join(lines[1:]), overflow="ignore", no_wrap=True)

    def _bars(self, bars: Bars) -> RenderableType:
        most = max((sum(count for *_, count in parts) for _, parts in bars.rows), default=0)
        text = Text(self.reader.text(bars.caption), style="bold")
        for label, parts in bars.rows:
            text.append(f"\n{self.reader.text(label)} ", style="not bold")
            for tone, word, count in parts:
                if count:
                    length = max(1, round(24 * count / most))
                    text.append(_BLOCKS[tone] * length, style=_STYLES[tone])
                    text.append(f" {count} {self.reader.text(word)} ", style="not bold")
        return text


_BLOCKS = {Tone.GOOD: "█", Tone.BAD: "▓", Tone.UNSURE: "▒", Tone.NEUTRAL: "░"}


def column_widths(table: TableBlock, reader: Reader, width: int) -> tuple[int, ...]:
    """Share a width among columns: words stay whole, sentences get what is left; nothing if it does not suffice."""
    columns = range(len(table.headers))
    room = width - 3 * (len(columns) - 1)
    widths = [_needed_width(table, index, reader) for index in columns]
    if sum(widths) > room:
        return ()
    wanted = [
        max(_least_width([row[index] for row in table.rows], reader), len(reader.text(table.headers[index])))
        for index in columns
    ]
    for _spare in range(min(room, sum(wanted)) - sum(widths)):
        neediest = max(columns, key=lambda index: wanted[index] - widths[index])
        widths[neediest] += 1
    return tuple(widths)


def _needed_width(table: TableBlock, index: int, reader: Reader) -> int:
    """Return the least width at which a column is read well."""
    cells = [row[index] for row in table.rows]
    natural = _least_width(cells, reader)
    header = reader.text(table.headers[index])
    least = max(max(map(len, header.split()), default=0), len(header) // 2 + 1)  # a header takes two lines or three
    is_name = index == 0 and natural <= _ID_LIMIT and all(isinstance(cell, str) and " " not in cell for cell in cells)
    if is_name or _stays_whole(cells) or natural <= _NAME_LIMIT:
        return max(natural, least)
    return max(_SENTENCE_ROOM, least)


def _least_width(cells: Sequence[Cell], reader: Reader) -> int:
    """Return the width that keeps every cell on one line."""
    return max((len(reader.cell(cell)) + 2 * isinstance(cell, Status) for cell in cells), default=0)


def _stays_whole(cells: Sequence[Cell]) -> bool:
    """Say whether a column's cells are words, numbers and moments, which are read badly when broken."""
    return all(cell is None or isinstance(cell, int | ByteSize | Quantity | Status | date) for cell in cells)
