"""Tables off a terminal: columns two spaces apart, nothing wrapped or cut, a line under the headers."""

from __future__ import annotations

from collections.abc import Sequence

_GAP = "  "
_LEAST_BEYOND_HEADER = len(_GAP)
"""A column is this much wider than its header, so that headers stand apart where all cells are short."""


def plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]], alignment: Sequence[str]) -> str:
    """Return rows of one-line cells as text, without a line feed behind it.

    Args:
        headers: one a column, or none.
        rows: as long as each other.
        alignment: `left` or `right`, one a column; none for left everywhere.
    """
    cells = [[cell.strip() for cell in row] for row in ([headers, *rows] if headers else rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if headers:
        widths = [max(width, len(name) + _LEAST_BEYOND_HEADER) for width, name in zip(widths, cells[0], strict=True)]
    lines = [_line(row, widths, alignment) for row in cells]
    if headers:
        lines.insert(1, _GAP.join("-" * width for width in widths))
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int], alignment: Sequence[str]) -> str:
    sides = alignment or ("left",) * len(row)
    parts = [
        cell.rjust(width) if side == "right" else cell.ljust(width)
        for cell, width, side in zip(row, widths, sides, strict=True)
    ]
    return _GAP.join(parts).rstrip()
