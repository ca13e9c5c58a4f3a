"""Tables that stay short however much there is: what matters most comes first, and what is left out is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from portalops.model.message import msg, nmsg
from portalops.reports.document import Block, Paragraph, TableBlock

MOST_ROWS: Final = 40
"""Of a table of a register: about two printed pages."""


def filled(blocks: Iterable[Block], most: int = MOST_ROWS) -> Iterator[Block]:
    """Yield blocks with short tables; in the place of a table without rows, a sentence that says there is none."""
    for block in blocks:
        if not isinstance(block, TableBlock):
            yield block
        elif block.rows:
            yield from bounded(block, most)
        else:
            yield Paragraph(msg("{what}: none.", what=block.caption))


def bounded(table: TableBlock, most: int = MOST_ROWS) -> Iterator[Block]:
    """Yield a table of no more than so many of its first rows, and say how many are left out."""
    yield TableBlock(table.caption, table.headers, table.rows[:most])
    if (more := len(table.rows) - most) > 0:
        yield Paragraph(
            nmsg(
                "{n} more row is not shown; a bundle of the period holds it.",
                "{n} more rows are not shown; a bundle of the period holds them.",
                more,
            )
        )
