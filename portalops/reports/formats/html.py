"""One page that needs nothing but itself: no script, no outside reference, the same bytes for the same document.

The content security policy in its head forbids everything but its own style, so that even a fault
in the escaping could load and run nothing. Nothing is hidden behind a click: paper and screen show
the same.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import assert_never, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from portalops.model.message import msg
from portalops.reports.charts import draw_bars, draw_grid, draw_lines, draw_qr
from portalops.reports.codes import CODE, HEAD_CODE, ID
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Cell,
    Document,
    FileLink,
    Grid,
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
    Tone,
    Verbatim,
)
from portalops.reports.formats import ReportFormat
from portalops.reports.qr import QUIET_ZONE, qr_modules
from portalops.reports.reader import Reader
from portalops.reports.text_lines import NOTHING, SIGNS, alignment, sign_of, verbatim_lines

_FOLDER = Path(__file__).parent
_LONG_WORD = re.compile(r"\S{21}")
"""A word that would make a column so broad that the table runs over a printed page, and the browser would shrink all of them: it may break."""
_FOOTER_LETTERS = 320
"""How much of the document's facts stands at the foot of each printed page, as in the other formats for paper."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A cell as the template sees it."""

    text: str
    kind: str = ""
    """Class of the table cell: `number`, `whole`, `id`, `code`, `head-code`, `broken` or none."""
    tone: str = ""
    shape: str = ""
    link: str = ""
    """Where it leads to: from this page's own folder on, so that no name can be an address elsewhere."""


def render(document: Document, *, language: str) -> bytes:
    """Return the page in UTF-8, every text in NFC."""
    reader = Reader(language, ZoneInfo(document.zone))
    writer = _Writer(reader, _environment())
    body = writer.body(document.blocks)
    footer = [(reader.text(label), reader.cell(value)) for label, value in document.footer]
    title = reader.text(document.title)
    page = writer.environment.get_template("page.html").render(
        language=language,
        title=title,
        style=_style(footer),
        contents=writer.contents,
        words={"contents": reader.text(msg("Contents"))},
        body=body,
        footer=footer,
    )
    return page.encode("utf-8")


FORMAT = ReportFormat(suffix=".html", render=render)


class _Writer:
    """Turns blocks into markup, and counts what needs an id."""

    def __init__(self, reader: Reader, environment: Environment) -> None:
        self.reader = reader
        self.environment = environment
        self.contents: list[tuple[str, str]] = []
        self._macros = environment.get_template("blocks.html").module
        self._pictures = 0
        self._headings = 0

    def body(self, blocks: Sequence[Block]) -> Markup:
        """Return all blocks, each level-2 heading opening a section."""
        return Markup("").join(self._sections(blocks))

    def _sections(self, blocks: Sequence[Block]) -> Iterator[Markup]:
        is_open = False
        for block in blocks:
            if isinstance(block, Heading) and block.level <= 2:
                if is_open:
                    yield Markup("</section>\n")
                is_open = True
                yield Markup('<section aria-labelledby="s{}">').format(self._headings + 1)
            yield self._block(block)
        if is_open:
            yield Markup("</section>\n")

    def _block(self, block: Block) -> Markup:
        reader = self.reader
        match block:
            case Heading():
                return self._heading(block)
            case Paragraph():
                return self._macro("paragraph", reader.text(block.text))
            case Verbatim():
                return self._macro("verbatim", list(verbatim_lines(block, reader)))
            case Bullets():
                return self._macro("bullets", [reader.text(item) for item in block.items])
            case KeyValues():
                return self._macro("key_values", [(reader.text(label), self._cell(cell)) for label, cell in block.rows])
            case TableBlock():
                return self._table(block)
            case Notice():
                return self._macro("notice", reader.text(block.text), block.tone.value, SIGNS[block.tone])
            case Grid():
                drawings = draw_grid(block, reader, name=self._picture_name())
                legend = [(reader.text(mark.sign), mark.tone.value, reader.text(text)) for mark, text in block.legend]
                return self._macro("picture", reader.text(block.caption), drawings, legend, "grid")
            case Bars():
                drawing = draw_bars(block, reader, name=self._picture_name())
                return self._macro("picture", reader.text(block.caption), [drawing], self._bar_legend(block), "bars")
            case LineChart():
                caption = reader.text(block.caption)
                if not block.moments:
                    return self._macro("paragraph", f"{caption}: {reader.text(NOTHING)}.")
                drawing = draw_lines(block, reader, name=self._picture_name())
                return self._macro("picture", caption, [drawing], [], "lines")
            case QrCode():
                drawing = draw_qr(block, reader, name=self._picture_name())
                lines = [reader.text(line) for line in block.text.splitlines()]
                return self._macro("qr_code", reader.text(block.caption), drawing, lines)
            case SignatureBlock():
                places = [
                    (reader.text(office), reader.text(holder) if holder else "") for office, holder in block.places
                ]
                return self._macro("signatures", places, reader.text(msg("(signature, full name, office)")))
            case _:
                assert_never(block)

    def _macro(self, name: str, *arguments: object) -> Markup:
        return cast("Markup", getattr(self._macros, name)(*arguments))

    def _heading(self, heading: Heading) -> Markup:
        self._headings += 1
        anchor, text = f"s{self._headings}", self.reader.text(heading.text)
        level = min(max(heading.level, 2), 6)
        if level == 2:
            self.contents.append((anchor, text))
        return self._macro("heading", level, text, anchor)

    def _table(self, table: TableBlock) -> Markup:
        caption = self.reader.text(table.caption)
        if not table.rows:
            return self._macro("paragraph", f"{caption}: {self.reader.text(NOTHING)}.")
        headers = [self.reader.text(header) for header in table.headers]
        rows = [[self._cell(cell) for cell in row] for row in table.rows]
        kinds = ["number" if side == "right" else "" for side in alignment(table)]
        return self._macro("table", caption, headers, kinds, rows)

    def _cell(self, cell: Cell) -> _Shown:
        text = self.reader.cell(cell)
        match cell:
            case Status():
                return _Shown(text, tone=cell.tone.value, shape=sign_of(cell))
            case int() | ByteSize() | Quantity():
                return _Shown(text, "number")
            case date():
                return _Shown(text, "whole")
            case FileLink():
                return _Shown(text, link=f"./{quote(os.fsencode(cell.path))}")
            case str() if HEAD_CODE.fullmatch(text):
                return _Shown(text, "head-code")
            case str() if CODE.fullmatch(text):
                return _Shown(text, "code")
            case str() if ID.fullmatch(text):
                return _Shown(text, "id")
            case _:
                return _Shown(text, "broken" if _LONG_WORD.search(text) else "")

    def _bar_legend(self, bars: Bars) -> list[tuple[str, str, str]]:
        words: dict[str, tuple[Tone, int]] = {}
        for _, parts in bars.rows:
            for tone, word, count in parts:
                text = self.reader.text(word)
                words[text] = (tone, words.get(text, (tone, 0))[1] + count)
        return [(SIGNS[tone], tone.value, word) for word, (tone, count) in words.items() if count]

    def _picture_name(self) -> str:
        self._pictures += 1
        return f"p{self._pictures}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )


def _style(footer: Sequence[tuple[str, str]]) -> Markup:
    """Return the style sheet; what stands at the foot of each printed page is part of it."""
    facts = " · ".join(f"{label}: {value}" for label, value in footer)
    if len(facts) > _FOOTER_LETTERS:
        facts = f"{facts[: _FOOTER_LETTERS - 1]}…"
    code = next((value for _label, value in footer if HEAD_CODE.fullmatch(value)), None)
    face = "font: 7.5pt 'Noto Sans', 'Liberation Sans', Arial, sans-serif; color: #4a5460;"
    picture = f' "\\0000a0\\0000a0 " {_css_code(code)}' if code else ""
    feet = (
        f"@bottom-left {{ content: {_css_string(facts)}; {face} text-align: left; width: 78%; }} "
        f'@bottom-right {{ content: counter(page) "/" counter(pages){picture}; {face} text-align: right; width: 22%; }}'
    )
    sheet = (_FOLDER / "page.css").read_text(encoding="utf-8")
    return Markup(f"{sheet}@page {{ {feet} }}\n")  # noqa: S704 - our own file, and what two functions here write safely


def _css_code(text: str) -> str:
    """Write a text as the picture of its QR code, which the page carries in itself: black on white, 17 mm a side."""
    modules = qr_modules(text)
    side = len(modules) + 2 * QUIET_ZONE
    dark = "".join(
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(modules)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="17mm" height="17mm" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{dark}" shape-rendering="crispEdges"/></svg>'
    )
    return f'url("data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}")'


def _css_string(text: str) -> str:
    """Write any text as a CSS string: all but letters and digits by code point, so that nothing can end it."""
    return '"{}"'.format("".join(letter if letter.isalnum() else f"\\{ord(letter):06x}" for letter in text))
