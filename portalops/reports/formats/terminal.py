"""Blocks as text: rich on a terminal, plain tables off it.

Off a terminal nothing is ever wrapped or cut, so that `grep` and `awk` see whole rows; on one,
everything fits its width. Neither library is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from io import StringIO
from typing import TYPE_CHECKING, assert_never

from portalops.model.message import msg
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Cell,
    Grid,
    Heading,
    KeyValues,
    Notice,
    Paragraph,
    Signatures,
    Status,
    Table,
    Tone,
)
from portalops.reports.reader import Reader

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

SIGNS = {Tone.GOOD: "✓", Tone.BAD: "✗", Tone.UNSURE: "?", Tone.NEUTRAL: "–"}
"""The shape that stands beside a coloured word."""

_STYLES = {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.UNSURE: "yellow", Tone.NEUTRAL: "dim"}
_UNLIMITED = 1_000_000
_LABEL_LIMIT = 34
_NAME_LIMIT = 24
"""Text up to this width is a name or a word, and is never broken."""
_SENTENCE_ROOM = 24
"""Less than this for a sentence, and rows are shown one below the other."""


def render_blocks(
    blocks: Sequence[Block], *, language: str, zone: tzinfo | None, width: int | None, colour: bool
) -> str:
    """Return blocks as text that ends in one line feed; nothing for no blocks.

    Args:
        blocks: what to show, in order.
        language: `vi` or `en`.
        zone: where moments are shown; None for UTC.
        width: columns of the terminal, or None off a terminal, where nothing is wrapped.
        colour: whether escape sequences may be used.
    """
    if not blocks:
        return ""
    reader = Reader(language, zone)
    if width is None and not colour:
        return "\n\n".join(_plain(block, reader) for block in blocks) + "\n"
    return _rich(blocks, reader, width or _UNLIMITED, colour)


# --- plain ------------------------------------------------------------------------------------


def _plain(block: Block, reader: Reader) -> str:
    match block:
        case Heading():
            text = reader.text(block.text)
            return f"{text}\n{('=' if block.level == 1 else '-') * len(text)}"
        case Paragraph():
            return reader.text(block.text)
        case Bullets():
            return "\n".join(f"- {reader.text(item)}" for item in block.items)
        case KeyValues():
            return _plain_table((), [(f"{reader.text(label)}:", reader.cell(value)) for label, value in block.rows], ())
        case Table():
            if not block.rows:
                return f"{reader.text(block.caption)}: {reader.text(NOTHING)}"
            headers = [reader.text(header) for header in block.headers]
            rows = [[reader.cell(cell) for cell in row] for row in block.rows]
            return f"{reader.text(block.caption)}\n\n{_plain_table(headers, rows, alignment(block))}"
        case Notice():
            return f"! {reader.text(block.text)}"
        case Grid():
            return "\n".join(grid_lines(block, reader, None))
        case Bars():
            return f"{reader.text(block.caption)}\n\n{_plain_table((), _bar_rows(block, reader), ())}"
        case Signatures():
            return "\n".join(signature_lines(block, reader))
        case _:
            assert_never(block)


def _plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]], alignment: Sequence[str]) -> str:
    import tabulate  # noqa: PLC0415 - only tables off a terminal need it

    return tabulate.tabulate(
        rows,
        headers=list(headers),
        tablefmt="simple" if headers else "plain",
        colalign=list(alignment) or None,
        disable_numparse=True,
    )


NOTHING = msg("nothing to show")
"""What stands for a table without rows, so that emptiness is a statement."""


def alignment(table: Table) -> tuple[str, ...]:
    """Align a column right if it holds numbers or sizes and nothing else."""
    return tuple(
        "right" if _is_numeric([row[index] for row in table.rows]) else "left" for index in range(len(table.headers))
    )


def _is_numeric(cells: Sequence[Cell]) -> bool:
    return any(cell is not None for cell in cells) and all(
        cell is None or isinstance(cell, int | ByteSize) for cell in cells
    )


def _stays_whole(cells: Sequence[Cell]) -> bool:
    """Say whether a column's cells are words, numbers and moments, which are read badly when broken."""
    return all(cell is None or isinstance(cell, int | ByteSize | Status | date) for cell in cells)


def signature_lines(block: Signatures, reader: Reader) -> Iterator[str]:
    """Yield a line to sign on for each place."""
    for office, holder in block.places:
        who = f"{reader.text(office)} ({reader.text(holder)})" if holder else reader.text(office)
        yield f"{who}: {'.' * 40}"


def column_widths(table: Table, reader: Reader, width: int) -> tuple[int, ...]:
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


def _needed_width(table: Table, index: int, reader: Reader) -> int:
    """Return the least width at which a column is read well."""
    cells = [row[index] for row in table.rows]
    natural = _least_width(cells, reader)
    header = reader.text(table.headers[index])
    least = max(max(map(len, header.split()), default=0), len(header) // 2 + 1)  # a header takes two lines or three
    if _stays_whole(cells) or natural <= _NAME_LIMIT:
        return max(natural, least)
    return max(_SENTENCE_ROOM, least)


def _least_width(cells: Sequence[Cell], reader: Reader) -> int:
    """Return the width that keeps every cell on one line."""
    return max((len(reader.cell(cell)) + 2 * isinstance(cell, Status) for cell in cells), default=0)


def _bar_rows(bars: Bars, reader: Reader) -> list[tuple[str, str]]:
    return [
        (
            f"{reader.text(label)}:",
            ", ".join(f"{reader.cell(count)} {reader.text(word)}" for _, word, count in parts if count) or "0",
        )
        for label, parts in bars.rows
    ]


# --- grids, the same on and off a terminal ----------------------------------------------------


def grid_lines(grid: Grid, reader: Reader, width: int | None) -> Iterator[str]:
    """Yield a grid's lines: caption, as many bands of columns as fit the width, and the legend."""
    yield reader.text(grid.caption)
    labels = [_cut(reader.cell(label), None if width is None else _LABEL_LIMIT) for label, _ in grid.rows]
    room = max((len(label) for label in labels), default=0)
    heads = [column_head(column, reader) for column in grid.columns]
    signs = [["" if mark is None else reader.text(mark.sign) for mark in marks] for _, marks in grid.rows]
    widths = [max(len(part) for part in (*head, *(row[index] for row in signs))) for index, head in enumerate(heads)]
    for band in _bands(widths, None if width is None else max(width - room, 8)):
        yield ""
        for level in range(2):
            line = _row("", room, [heads[index][level] for index in band], [widths[index] for index in band])
            if line:
                yield line
        for label, row in zip(labels, signs, strict=True):
            yield _row(label, room, [row[index] or "·" for index in band], [widths[index] for index in band])
    if grid.legend:
        yield ""
        for mark, meaning in grid.legend:
            yield f"{reader.text(mark.sign) or '·':>3}  {reader.text(meaning)}"


def column_head(column: Cell, reader: Reader) -> tuple[str, str]:
    """Return a column's two header lines: day over month for days, else the text alone."""
    if isinstance(column, date) and not isinstance(column, datetime):
        return f"{column.day:02d}", f"/{column.month:02d}"
    return reader.cell(column), ""


def _bands(widths: Sequence[int], room: int | None) -> Iterator[list[int]]:
    band: list[int] = []
    used = 0
    for index, width in enumerate(widths):
        if band and room is not None and used + width + 1 > room:
            yield band
            band, used = [], 0
        band.append(index)
        used += width + 1
    if band:
        yield band


def _row(label: str, room: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    columns = " ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"{label:<{room}} {columns}".rstrip()


def _cut(text: str, limit: int | None) -> str:
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1]}…"


# --- rich -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Painter:
    """Turns blocks into what rich prints."""

    reader: Reader
    width: int

    def paint(self, block: Block) -> RenderableType:
        from rich.text import Text  # noqa: PLC0415 - rich is loaded on a terminal alone

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
            case Table():
                return self._table(block)
            case Notice():
                sign = Text(SIGNS[block.tone], style=_STYLES[block.tone])
                return self._columns([(sign, Text(self.reader.text(block.text), style=_STYLES[block.tone]))])
            case Grid():
                return self._grid(block)
            case Bars():
                return self._bars(block)
            case Signatures():
                return Text("\n".join(signature_lines(block, self.reader)))
            case _:
                assert_never(block)

    def cell(self, cell: Cell) -> RenderableType:
        from rich.text import Text  # noqa: PLC0415

        if isinstance(cell, Status):
            return Text(f"{SIGNS[cell.tone]} {self.reader.cell(cell)}", style=_STYLES[cell.tone])
        return Text(self.reader.cell(cell))

    def _columns(self, rows: Sequence[tuple[RenderableType, RenderableType]]) -> RenderableType:
        from rich.table import Table as RichTable  # noqa: PLC0415

        grid = RichTable.grid(padding=(0, 1))
        grid.add_column(no_wrap=self.width > 60)
        grid.add_column(overflow="fold")
        for row in rows:
            grid.add_row(*row)
        return grid

    def _table(self, table: Table) -> RenderableType:
        from rich import box  # noqa: PLC0415
        from rich.console import Group  # noqa: PLC0415
        from rich.table import Table as RichTable  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

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

    def _records(self, table: Table) -> Iterator[RenderableType]:
        """Yield each row on lines of its own, where a table would be squeezed: name and states, sentences, facts."""
        from rich.padding import Padding  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        for row in table.rows:
            head = Text(self.reader.cell(row[0]), style="bold")
            facts: list[str] = []
            sentences: list[str] = []
            for header, cell in zip(table.headers[1:], row[1:], strict=True):
                if isinstance(cell, Status):
                    head.append(f"  {SIGNS[cell.tone]} {self.reader.cell(cell)}", style=_STYLES[cell.tone])
                elif cell is not None:
                    text = self.reader.cell(cell)
                    line = f"{self.reader.text(header)}: {text}"
                    (facts if len(text) <= _NAME_LIMIT else sentences).append(line)
            yield head
            for line in (*sentences, " · ".join(facts)):
                if line:
                    yield Padding(Text(line), (0, 0, 0, 4))

    def _grid(self, grid: Grid) -> RenderableType:
        from rich.text import Text  # noqa: PLC0415

        lines = list(grid_lines(grid, self.reader, self.width))
        return Text.assemble((lines[0], "bold"), "\n", "\n".join(lines[1:]), overflow="ignore", no_wrap=True)

    def _bars(self, bars: Bars) -> RenderableType:
        from rich.text import Text  # noqa: PLC0415

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


def _rich(blocks: Sequence[Block], reader: Reader, width: int, colour: bool) -> str:
    from rich.console import Console as RichConsole  # noqa: PLC0415

    out = StringIO()
    console: Console = RichConsole(
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
        console.print(painter.paint(block))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
