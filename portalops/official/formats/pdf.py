"""An official paper as PDF, by typst, by the same numbers of Decree 30/2020/NĐ-CP, Annex I, as the DOCX.

The texts go in as data and are never read as typst's own marks. Without Times New Roman, Liberation Serif is taken, which has
the same widths. The same paper gives the same bytes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never
from zoneinfo import ZoneInfo

from portalops.errors import UnknownReport
from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.model.text import show_text
from portalops.official.formats import PaperFormat
from portalops.official.formats.docx import (
    BODY_POINTS,
    BOTTOM_MM,
    LEFT_MM,
    RIGHT_MM,
    TABLE_POINTS,
    TOP_MM,
    is_figure,
    widths,
)
from portalops.official.paper import MOTTO, NATION, PAPER_NAMES, BodyBlock, OfficialPaper, PaperKind, annex_name
from portalops.reports.document import Bullets, Heading, Paragraph, TableBlock
from portalops.reports.reader import Reader

FONTS = ("Times New Roman", "Liberation Serif", "Libertinus Serif")
TEMPLATE = Path(__file__).parent / "_paper.typ"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def render(paper: OfficialPaper, *, language: str) -> bytes:
    try:
        import typst  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise UnknownReport(
            msg("PDF needs the package typst, which is not installed"),
            msg(
                "Install it where portalops is: {python} -m pip install 'portalops[pdf]'; or draft the paper as docx.",
                python=show_text(sys.executable),
            ),
        ) from error
    data = json.dumps(_data(paper, Reader(language, ZoneInfo(paper.zone))), ensure_ascii=False)
    drafted = paper.drafted_on
    moment = datetime(drafted.year, drafted.month, drafted.day, tzinfo=UTC) if drafted else EPOCH
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "main.typ").write_bytes(TEMPLATE.read_bytes())
        (root / "paper.json").write_text(data, encoding="utf-8")
        pdf = typst.compile(str(root / "main.typ"), root=folder, timestamp=moment)
    assert isinstance(pdf, bytes)
    return pdf


FORMAT = PaperFormat(suffix=".pdf", render=render)


def _data(paper: OfficialPaper, reader: Reader) -> dict[str, object]:
    def text(words: Message | Name) -> str:
        return reader.text(words)

    name = PAPER_NAMES.get(paper.kind)
    last = len(paper.basis.texts) - 1
    return {
        "language": reader.language,
        "fonts": FONTS,
        "margins": {"top": TOP_MM, "bottom": BOTTOM_MM, "left": LEFT_MM, "right": RIGHT_MM},
        "points": {"body": BODY_POINTS, "table": TABLE_POINTS},
        "title": text(paper.subject),
        "parent": text(paper.parent).upper() if paper.parent is not None else "",
        "agency": text(paper.agency).upper(),
        "nation": text(NATION),
        "motto": text(MOTTO),
        "number": text(msg("No.:        /{sign}", sign=paper.sign)),
        "about": text(msg("Re: {subject}", subject=paper.subject)) if paper.kind is PaperKind.LETTER else "",
        "date": text(msg("{place}, the       day of       , year {year}", place=paper.place, year=paper.year)),
        "name": text(name).upper() if name is not None else "",
        "to": text(msg("To:")),
        "addressees": [text(one) for one in paper.addressees],
        "basis": [text(one) + ("." if number == last else ";") for number, one in enumerate(paper.basis.texts)],
        "body": [_block(block, reader, width_mm=210 - LEFT_MM - RIGHT_MM) for block in paper.body],
        "copies": text(msg("Copies to:")),
        "recipients": [f"- {text(one)};" for one in paper.recipients]
        + [text(msg("- File: {archive}.", archive=paper.archive))],
        "signing": [line.upper() for line in (paper.signing.authority, paper.signing.office) if line],
        "signer": reader.text(paper.signing.name),
        "annexes": [
            {
                "name": text(annex_name(number, len(paper.annexes))),
                "title": text(annex.title).upper(),
                "about": text(
                    msg(
                        "(With paper No.       /{sign} of       , year {year}, of {agency})",
                        sign=paper.sign,
                        year=paper.year,
                        agency=paper.agency,
                    )
                ),
                "landscape": annex.landscape,
                "table": _table(annex.table, reader, (297 if annex.landscape else 210) - LEFT_MM - RIGHT_MM),
            }
            for number, annex in enumerate(paper.annexes, 1)
        ],
    }


def _block(block: BodyBlock, reader: Reader, *, width_mm: float) -> dict[str, object]:
    match block:
        case Heading():
            return {"kind": "heading", "text": reader.text(block.text)}
        case Paragraph():
            return {"kind": "paragraph", "text": reader.text(block.text)}
        case Bullets():
            return {"kind": "bullets", "items": [f"- {reader.text(item)}" for item in block.items]}
        case TableBlock():
            return {"kind": "table", **_table(block, reader, width_mm)}
        case _:
            assert_never(block)


def _table(table: TableBlock, reader: Reader, width_mm: float) -> dict[str, object]:
    heads = [reader.text(header) for header in table.headers]
    rows: Sequence[Sequence[str]] = [[reader.cell(cell) for cell in row] for row in table.rows]
    numbers = [all(is_figure(row[at]) for row in rows) for at in range(len(heads))]
    return {"heads": heads, "rows": rows, "widths": widths(heads, rows, width_mm), "centred": numbers}
