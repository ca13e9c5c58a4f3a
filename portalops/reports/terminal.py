"""Blocks as text: rich on a terminal, plain tables off it.

Off a terminal nothing is ever wrapped or cut, so that `grep` and `awk` see whole rows; on one,
everything fits its width but what is to be copied whole. Neither library is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import assert_never

from portalops.reports.chart_tables import table_of_lines
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    Grid,
    Heading,
    KeyValues,
    LineChart,
    Notice,
    Paragraph,
    QrCode,
    SignatureBlock,
    TableBlock,
    Verbatim,
)
from portalops.reports.reader import Reader
from portalops.reports.text_lines import (
    NOTHING,
    alignment,
    grid_lines,
    qr_lines,
    signature_lines,
    verbatim_lines,
)

_UNLIMITED = 1_000_000


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
    from portalops.reports.terminal_rich import paint  # noqa: PLC0415  # rich is loaded on a terminal alone

    return paint(blocks, reader, width=width or _UNLIMITED, colour=colour)


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
        case TableBlock():
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
        case LineChart():
            return _plain(table_of_lines(block), reader)
        case QrCode():
            return "\n".join(qr_lines(block, reader))
        case SignatureBlock():
            return "\n".join(signature_lines(block, reader))
        case _:
            assert_never(block)


def _plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]], alignment: Sequence[str]) -> str:
    import tabulate  # noqa: PLC0415  # 10 ms, off a terminal alone

    return tabulate.tabulate(
        rows,
        headers=list(headers),
        tablefmt="simple" if headers else "plain",
        colalign=list(alignment) or None,
        disable_numparse=True,
    )


def _bar_rows(bars: Bars, reader: Reader) -> list[tuple[str, str]]:
    return [
        (
            f"{reader.text(label)}:",
            ", ".join(f"{reader.cell(count)} {reader.text(word)}" for _, word, count in parts if count) or "0",
        )
        for label, parts in bars.rows
    ]
