"""A document as one CSV file (RFC 4180), for spreadsheets and programs: its blocks in their order, apart by an empty record.

A table is its caption alone in a record, then its header, then its rows; a grid and a chart are tables too. Facts are records of
a label and a value, and a sentence is a record of one field. Numbers are plain, days and moments ISO 8601, and no text of others
is ever a formula (`portalops.reports.table_csv`). As the RFC asks, every record has as many fields as the widest, so that strict
readers take the file as well; an empty record is one whose fields are all empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never
from zoneinfo import ZoneInfo

from portalops.model.message import Message, msg
from portalops.reports.chart_tables import table_of_bars, table_of_lines
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    Document,
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
from portalops.reports.formats import ReportFormat
from portalops.reports.reader import Reader
from portalops.reports.table_csv import MARK, field, harmless, labelled, table_heads
from portalops.reports.text_lines import NOTHING, SIGNS, verbatim_lines

Record = Sequence[str]


def render(document: Document, *, language: str) -> bytes:
    """Return the file in UTF-8 with a byte order mark, every text in NFC, records ended by CR LF."""
    writer = _Writer(Reader(language, ZoneInfo(document.zone)))
    width = max((_width(block) for block in document.blocks), default=2)
    data = io.BytesIO()
    data.write(MARK)
    stream = io.TextIOWrapper(data, encoding="utf-8", newline="")
    lines = csv.writer(stream)
    for record in writer.document(document):
        lines.writerow([*record, *("" for _ in range(width - len(record)))])
    stream.flush()
    return data.getvalue()


FORMAT = ReportFormat(suffix=".csv", render=render)


def _width(block: Block) -> int:
    """Return how many fields a block's widest record has; 2 at least, which facts have."""
    match block:
        case TableBlock():
            return max(2, len(block.headers))
        case Grid():
            return max(2, 1 + len(block.columns))
        case Bars():
            return max(2, len(table_of_bars(block).headers))
        case LineChart():
            return max(2, len(table_of_lines(block).headers))
        case _:
            return 2


@dataclass(frozen=True, slots=True)
class _Writer:
    reader: Reader

    def document(self, document: Document) -> Iterator[Record]:
        yield [harmless(self.reader.text(document.title))]
        for block in document.blocks:
            yield []
            yield from self._block(block)
        yield []
        for label, cell in (*document.footer, (msg("Times are shown in the zone"), document.zone)):
            yield labelled(self.reader.text(label), cell, self.reader)

    def _block(self, block: Block) -> Iterator[Record]:
        reader = self.reader
        match block:
            case Heading() | Paragraph():
                yield from self._sentences([reader.text(block.text)])
            case Verbatim():
                yield from self._sentences(verbatim_lines(block, reader))
            case Bullets():
                yield from self._sentences(reader.text(item) for item in block.items)
            case Notice():
                yield from self._sentences([f"{SIGNS[block.tone]} {reader.text(block.text)}"])
            case QrCode():
                yield from self._sentences([reader.text(block.caption), *map(reader.text, block.text.splitlines())])
            case KeyValues():
                for label, cell in block.rows:
                    yield labelled(reader.text(label), cell, reader)
            case SignatureBlock():
                for office, holder in block.places:
                    yield labelled(reader.text(office), holder, reader)
            case TableBlock():
                yield from self._table(block)
            case Bars():
                yield from self._table(table_of_bars(block))
            case LineChart():
                yield from self._table(table_of_lines(block))
            case Grid():
                yield from self._grid(block)
            case _:
                assert_never(block)

    def _sentences(self, texts: Iterable[str]) -> Iterator[Record]:
        for text in texts:
            yield [harmless(text)]

    def _table(self, table: TableBlock) -> Iterator[Record]:
        if not table.rows:
            yield self._empty(table.caption)
            return
        yield from self._sentences([self.reader.text(table.caption)])
        yield table_heads(table, self.reader)
        for row in table.rows:
            yield [field(cell, self.reader) for cell in row]

    def _empty(self, caption: Message) -> Record:
        return [harmless(f"{self.reader.text(caption)}: {self.reader.text(NOTHING)}")]

    def _grid(self, grid: Grid) -> Iterator[Record]:
        """Yield a table of signs, and apart from it what they mean and why columns stand apart."""
        reader = self.reader
        if not grid.rows:
            yield self._empty(grid.caption)
            return
        yield from self._sentences([reader.text(grid.caption)])
        yield ["", *(field(column, reader) for column in grid.columns)]
        for label, marks in grid.rows:
            yield [field(label, reader), *("" if mark is None else field(mark.sign, reader) for mark in marks)]
        notes = [(reader.text(mark.sign), reader.text(meaning)) for mark, meaning in grid.legend]
        notes += [(field(grid.columns[at], reader), reader.text(why)) for at, why in sorted(grid.shaded.items())]
        if notes:
            yield []
        for sign, meaning in notes:
            yield [harmless(sign), harmless(meaning)]
