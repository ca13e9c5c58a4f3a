"""A document as Markdown (CommonMark with pipe tables), for wikis, mails and version control."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never
from zoneinfo import ZoneInfo

from portalops.model.message import Message
from portalops.model.organisation import Name
from portalops.reports.chart_tables import table_of_lines
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    Cell,
    Document,
    Grid,
    Heading,
    KeyValues,
    LineChart,
    Notice,
    Paragraph,
    QrCode,
    SignatureBlock,
    Status,
    TableBlock,
    Verbatim,
)
from portalops.reports.formats import ReportFormat
from portalops.reports.reader import Reader
from portalops.reports.text_lines import (
    NOTHING,
    SIGNS,
    alignment,
    column_head,
    sign_of,
    signature_lines,
    verbatim_lines,
)

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~!&$^])|^(\s*\d*)([-+=.)])(?=\s|$)")
"""What CommonMark could read as markup: signs anywhere, list and heading marks at the start of a line."""


def render(document: Document, *, language: str) -> bytes:
    """Return the text in UTF-8, blocks apart by one empty line."""
    writer = _Writer(Reader(language, ZoneInfo(document.zone)))
    parts = [f"# {writer.text(document.title)}", *(writer.block(block) for block in document.blocks)]
    if document.footer:
        facts = "  \n".join(f"{writer.text(label)}: {writer.cell(value)}" for label, value in document.footer)
        parts.append(f"---\n\n{facts}")
    return ("\n\n".join(parts) + "\n").encode("utf-8")


FORMAT = ReportFormat(suffix=".md", render=render)


def escape(text: str) -> str:
    """Return text that CommonMark shows as it is."""
    return _ACTIVE.sub(lambda match: f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}", text)


@dataclass(frozen=True, slots=True)
class _Writer:
    reader: Reader

    def text(self, words: Message | Name | str) -> str:
        return escape(self.reader.text(words))

    def cell(self, cell: Cell) -> str:
        text = escape(self.reader.cell(cell))
        return f"{sign_of(cell)} **{text}**" if isinstance(cell, Status) else text

    def block(self, block: Block) -> str:
        match block:
            case Heading():
                return f"{'#' * min(max(block.level, 2), 6)} {self.text(block.text)}"
            case Paragraph():
                return self.text(block.text)
            case Verbatim():
                return "\n".join(f"    {line}" for line in verbatim_lines(block, self.reader))
            case Bullets():
                return "\n".join(f"- {self.text(item)}" for item in block.items)
            case KeyValues():
                # another mark than of bullets, so that the two are never read as one list
                return "\n".join(f"* {self.text(label)}: {self.cell(value)}" for label, value in block.rows)
            case TableBlock():
                return "\n".join(self._table(block))
            case Notice():
                return f"> {SIGNS[block.tone]} {self.text(block.text)}"
            case Grid():
                return "\n".join(self._grid(block))
            case Bars():
                lines = [f"- {self.text(label)}: {self._counts(parts)}" for label, parts in block.rows]
                return "\n".join([f"**{self.text(block.caption)}**", "", *lines])
            case LineChart():
                return "\n".join(self._table(table_of_lines(block)))
            case QrCode():
                lines = [f"    {self.reader.text(line)}" for line in block.text.splitlines()]
                return "\n".join([f"**{self.text(block.caption)}**", "", *lines])
            case SignatureBlock():
                return "\n\n".join(escape(line) for line in signature_lines(block, self.reader))
            case _:
                assert_never(block)

    def _table(self, table: TableBlock) -> Iterator[str]:
        yield f"**{self.text(table.caption)}**"
        yield ""
        if not table.rows:
            yield self.text(NOTHING)
            return
        yield _line([self.text(header) for header in table.headers])
        yield _line(["---:" if side == "right" else "---" for side in alignment(table)])
        for row in table.rows:
            yield _line([self.cell(cell) for cell in row])

    def _grid(self, grid: Grid) -> Iterator[str]:
        yield f"**{self.text(grid.caption)}**"
        yield ""
        heads = ["".join(column_head(column, self.reader)) for column in grid.columns]
        yield _line(["", *(escape(head) for head in heads)])
        yield _line(["---", *("---" for _ in heads)])
        for label, marks in grid.rows:
            yield _line([self.cell(label), *("" if mark is None else self.text(mark.sign) for mark in marks)])
        yield ""
        for mark, meaning in grid.legend:
            yield f"- {self.text(mark.sign)} {self.text(meaning)}"

    def _counts(self, parts: Sequence[tuple[object, Message, int]]) -> str:
        return ", ".join(f"{self.reader.cell(count)} {self.text(word)}" for _, word, count in parts if count) or "0"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
