"""What several formats show in the same way: signs of states, alignment, and whole lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from portalops.model.message import msg
from portalops.reports.document import (
    ByteSize,
    Cell,
    Grid,
    QrCode,
    Quantity,
    SignatureBlock,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from portalops.reports.reader import Reader

SIGNS = {Tone.GOOD: "✓", Tone.BAD: "✗", Tone.UNSURE: "?", Tone.NEUTRAL: "–"}
"""The shape that stands beside a coloured word."""


def sign_of(status: Status) -> str:
    """Return the shape beside a state's word."""
    return status.sign or SIGNS[status.tone]


_LABEL_LIMIT = 34


NOTHING = msg("nothing to show")
"""What stands for a table without rows, so that emptiness is a statement."""


def alignment(table: TableBlock) -> tuple[str, ...]:
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


def signature_lines(block: SignatureBlock, reader: Reader) -> Iterator[str]:
    """Yield a line to sign on for each place."""
    for office, holder in block.places:
        who = f"{reader.text(office)} ({reader.text(holder)})" if holder else reader.text(office)
        yield f"{who}: {'.' * 40}"


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
