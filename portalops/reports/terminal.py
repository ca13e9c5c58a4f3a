"""Blocks as text: rich on a terminal, plain tables off it.

Off a terminal nothing is ever wrapped or cut, so that `grep` and `awk` see whole rows; on one,
everything fits its width but what is to be copied whole. Neither library is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from typing import assert_never

from portalops.model.message import msg
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
    Lines,
    Notice,
    Paragraph,
    QrCode,
    Quantity,
    Signatures,
    Status,
    Table,
    Tone,
    Verbatim,
)
from portalops.reports.reader import Reader

SIGNS = {Tone.GOOD: "✓", Tone.BAD: "✗", Tone.UNSURE: "?", Tone.NEUTRAL: "–"}
"""The shape that stands beside a coloured word."""


def sign_of(status: Status) -> str:
    """Return the shape beside a state's word."""
    return status.sign or SIGNS[status.tone]


_UNLIMITED = 1_000_000
_LABEL_LIMIT = 34


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
    from portalops.reports.terminal_rich import paint  # noqa: PLC0415 - rich is loaded on a terminal alone

    return paint(blocks, reader, width=width or _UNLIMITED, colour=colour)


# --- plain ------------------------------------------------------------------------------------


def _plain(block: Block, reader: Reader) -> str:
    match block:
        case Heading():
            text = reader.text(block.text)
            return f"{text}\n{('=' if block.level == 1 else '-') * len(text)}"
        case Paragraph():
            return reader.text(block.text)
        case Verbatim():
            return "\n".join(verbatim_lines(block, reader))
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
        case Lines():
            return _plain(table_of_lines(block), reader)
        case QrCode():
            return "\n".join(qr_lines(block, reader))
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
        cell is None or isinstance(cell, int | ByteSize | Quantity) for cell in cells
    )


def qr_lines(block: QrCode, reader: Reader) -> Iterator[str]:
    """Yield what a code is, and the lines of its text."""
    yield reader.text(block.caption)
    yield ""
    yield from (reader.text(line) for line in block.text.splitlines())


def verbatim_lines(block: Verbatim, reader: Reader) -> Iterator[str]:
    """Yield the lines that are to be copied, without signs that would act on the display."""
    yield from (reader.text(line) for line in block.text.splitlines())


def signature_lines(block: Signatures, reader: Reader) -> Iterator[str]:
    """Yield a line to sign on for each place."""
    for office, holder in block.places:
        who = f"{reader.text(office)} ({reader.text(holder)})" if holder else reader.text(office)
        yield f"{who}: {'.' * 40}"


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
    """Yield a grid's lines: caption, as many bands of columns as fit the width, and what the signs in it mean."""
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
    shown = {sign for row in signs for sign in row}
    own = [(mark, meaning) for mark, meaning in grid.legend if any(reader.text(mark.sign) in sign for sign in shown)]
    if own:
        yield ""
        for mark, meaning in own:
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
