"""A document as data: the same blocks in the same order, for programs.

Keys and kinds are English and never translated; sentences are in the language that was asked for.
Days are ISO 8601, moments ISO 8601 in UTC, sizes numbers of bytes.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias, assert_never
from zoneinfo import ZoneInfo

from portalops.locale import render
from portalops.model.message import Message
from portalops.model.organisation import Name
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Cell,
    Document,
    FileLink,
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
    Verbatim,
)
from portalops.reports.formats import ReportFormat

SCHEMA = "portalops/document/1"
"""Changes when a key changes its meaning."""

Json: TypeAlias = "int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def render_document(document: Document, *, language: str) -> bytes:
    """Return one JSON object in UTF-8, indented, ending in a line feed."""
    writer = _Writer(language, ZoneInfo(document.zone))
    data: Mapping[str, Json] = {
        "schema": SCHEMA,
        "language": language,
        "zone": document.zone,
        "title": writer.text(document.title),
        "blocks": [writer.block(block) for block in document.blocks],
        "footer": [{"label": writer.text(label), "value": writer.cell(value)} for label, value in document.footer],
    }
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


FORMAT = ReportFormat(suffix=".json", render=render_document)


@dataclass(frozen=True, slots=True)
class _Writer:
    language: str
    zone: ZoneInfo

    def text(self, words: Message | Name | str) -> str:
        """Return text as it is, in NFC: escaping is JSON's own affair."""
        match words:
            case Message():
                return unicodedata.normalize("NFC", render(words, self.language, zone=self.zone))
            case Name():
                return unicodedata.normalize("NFC", words.translate(self.language))
            case str():
                return unicodedata.normalize("NFC", words)
            case _:
                assert_never(words)

    def cell(self, cell: Cell) -> Json:
        match cell:
            case None:
                return None
            case Message() | Name() | str():
                return self.text(cell)
            case Status():
                return {"word": self.text(cell.word), "tone": cell.tone.value}
            case ByteSize():
                return {"bytes": cell.bytes}
            case FileLink():
                return {"path": self.text(cell.path)}
            case Quantity():
                return {"value": round(cell.value, cell.decimals), "unit": cell.unit}
            case datetime():
                return cell.astimezone(UTC).isoformat()
            case date():
                return cell.isoformat()
            case int():
                return cell
            case _:
                assert_never(cell)

    def mark(self, mark: GridMark | None) -> Json:
        if mark is None:
            return None
        return {"sign": mark.sign, "tone": mark.tone.value, "meaning": self.text(mark.meaning)}

    def block(self, block: Block) -> Json:
        match block:
            case Heading():
                return {"type": "heading", "level": block.level, "text": self.text(block.text)}
            case Paragraph():
                return {"type": "paragraph", "text": self.text(block.text)}
            case Bullets():
                return {"type": "bullets", "items": [self.text(item) for item in block.items]}
            case KeyValues():
                rows = [{"label": self.text(label), "value": self.cell(value)} for label, value in block.rows]
                return {"type": "key-values", "rows": rows}
            case TableBlock():
                return {
                    "type": "table",
                    "caption": self.text(block.caption),
                    "headers": [self.text(header) for header in block.headers],
                    "rows": [[self.cell(cell) for cell in row] for row in block.rows],
                }
            case Notice():
                return {"type": "notice", "tone": block.tone.value, "text": self.text(block.text)}
            case Grid():
                return {
                    "type": "grid",
                    "caption": self.text(block.caption),
                    "columns": [self.cell(column) for column in block.columns],
                    "rows": [
                        {"label": self.cell(label), "marks": [self.mark(mark) for mark in marks]}
                        for label, marks in block.rows
                    ],
                    "legend": [{"sign": mark.sign, "meaning": self.text(text)} for mark, text in block.legend],
                    "shaded": {str(index): self.text(why) for index, why in block.shaded.items()},
                }
            case Bars():
                return {
                    "type": "bars",
                    "caption": self.text(block.caption),
                    "rows": [
                        {
                            "label": self.text(label),
                            "parts": [
                                {"tone": tone.value, "word": self.text(word), "count": count}
                                for tone, word, count in parts
                            ],
                        }
                        for label, parts in block.rows
                    ],
                }
            case LineChart():
                return self._lines(block)
            case QrCode():
                return {"type": "qr-code", "caption": self.text(block.caption), "text": self.text(block.text)}
            case Verbatim():
                return {"type": "verbatim", "text": self.text(block.text)}
            case SignatureBlock():
                places = [
                    {"office": self.text(office), "holder": self.text(holder) if holder else None}
                    for office, holder in block.places
                ]
                return {"type": "signatures", "places": places}
            case _:
                assert_never(block)

    def _lines(self, block: LineChart) -> Json:
        def rounded(value: float | None) -> float | None:
            return None if value is None else round(value, block.decimals)

        return {
            "type": "lines",
            "caption": self.text(block.caption),
            "unit": block.unit,
            "moments": [self.cell(moment) for moment in block.moments],
            "lines": [
                {
                    "name": self.text(line.name),
                    "tone": line.tone.value,
                    "values": [rounded(value) for value in line.values],
                }
                for line in block.lines
            ],
            "limits": [{"name": self.text(name), "value": rounded(value)} for name, value in block.limits],
        }
