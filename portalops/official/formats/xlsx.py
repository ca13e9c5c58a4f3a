"""An official paper's tables as a workbook: each annex on a sheet of its own, to be worked on with the paper beside it.

It is no paper in the State's form and nobody signs it: it holds the paper's text and the same tables, written as the
workbooks of reports are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from portalops.model.message import Message, msg
from portalops.official.formats import PaperFormat
from portalops.official.paper import OfficialPaper, annex_name
from portalops.reports.document import Block, Cell, Document, KeyValues
from portalops.reports.formats import xlsx


def render(paper: OfficialPaper, *, language: str) -> bytes:
    return xlsx.FORMAT.render(Document(paper.subject, list(_blocks(paper)), zone=paper.zone), language=language)


FORMAT = PaperFormat(suffix=".xlsx", render=render)


def _blocks(paper: OfficialPaper) -> Iterator[Block]:
    rows: list[tuple[Message, Cell]] = [
        (msg("Agency"), paper.agency),
        (msg("Sign"), paper.sign),
        *((msg("To:"), addressee) for addressee in paper.addressees),
    ]
    yield KeyValues(rows)
    yield from paper.body
    for number, annex in enumerate(paper.annexes, 1):
        caption = msg("{annex}: {title}", annex=annex_name(number, len(paper.annexes)), title=annex.title)
        yield replace(annex.table, caption=caption)
