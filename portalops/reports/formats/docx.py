"""A document as DOCX (ECMA-376) on A4, for those who go on writing in it: real headings, lists, tables and captions.

Heads of tables are repeated on each page, and what is too broad lies on its side, with what follows of its chapter. At the foot
of each page stand the facts of the document and the number of the page. Charts are the SVG of the page, which Word reads since
2016, with a picture of dots for older readers; these are drawn by typst with the fonts that it brings, so that the bytes depend
on the document alone and not on a machine's fonts. Without the extra `pdf`, which brings typst, charts are tables of the same
numbers and signs.

The text is written piece by piece, so that a long report takes little memory. No word processor works with a table of any
length: a longer one is cut, and the document says how much was left off and which formats hold it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias, assert_never
from zoneinfo import ZoneInfo

from defusedxml.ElementTree import fromstring
from docx import Document as new_document  # noqa: N813  # the name of the model's document is taken
from docx.document import Document as DocxDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml

from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Name
from portalops.reports.chart_tables import table_of_bars, table_of_lines
from portalops.reports.codes import CODE, HEAD_CODE
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Cell,
    Document,
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
    Tone,
    Verbatim,
)
from portalops.reports.formats import ReportFormat
from portalops.reports.formats import _word as word
from portalops.reports.formats._word_pages import pages_of
from portalops.reports.office import set_properties, set_type, steady
from portalops.reports.paper_layout import PADDING_MM, breadth_mm, column_needs, longest_word_mm, share_width
from portalops.reports.pictures import draw_dots, page_colours, pictures_of, with_attributes
from portalops.reports.qr import QUIET_ZONE, qr_modules, qr_png
from portalops.reports.reader import Reader
from portalops.reports.text_lines import NOTHING, SIGNS, alignment, column_head, sign_of, verbatim_lines

LANGUAGES: Mapping[str, str] = {"vi": "vi-VN", "en": "en-GB"}
MADE_AT = datetime(2000, 1, 1, tzinfo=UTC)
"""What every document says of when it was made, so that the same document gives the same bytes."""
MAX_ROWS = 5_000
"""Of one table or list. LibreOffice takes more than a minute to lay out as many, and four times that for twice as many."""
MAX_LETTERS = 32_767
"""Of one text, as many as a workbook's cell takes. LibreOffice takes 15 seconds for one word of 200,000, minutes for a million."""

_MM_OF_PIXEL = 25.4 / 96
_WORD_2013 = "15"
"""The newest mode that Word has; in an older one it calls the file outdated ([MS-DOCX], `compatibilityMode`)."""
_FEWEST_COLUMNS_LYING = 9
"""Of a table: from so many on it lies on its side."""
_LEAST_SCALE_UPRIGHT = 0.75
"""A chart that would be drawn smaller to stand upright lies on its side."""
_LEAST_SCALE = 0.6
"""A chart that would be drawn smaller even so is shown as a table."""
_ROWS_OF_PICTURE = {False: 48, True: 32}
"""Rows of a grid that a page takes, upright and lying."""
_SIGNS_ACROSS = {False: 21, True: 36}
"""Columns of a grid that is shown as a table: three weeks upright, five lying."""
_BOLD = 1.08
"""How much broader than others bold letters are."""
_HEAD_SHARES = (0.58, 0.42, 0.0)
"""Of a head's breadth, what it takes on two lines, on three, and on as many as its words are."""
_FEW_ROWS = 12
"""Over more rows it matters less how high the head is than how high they are."""
_SAMPLE = 500
"""Rows that a table's widths are reckoned from."""
_WHOLE_LETTERS = 900
"""A cell of more may go on on the next page."""
_LINE_MM = 190.0
"""The longest line of a sentence, also where the page is broader."""
_ALT_LETTERS = 2_000
_FOOTER_LETTERS = 320

Drawable: TypeAlias = "Grid | Bars | LineChart"


@dataclass(frozen=True, slots=True)
class DocxPaperFormat:
    """The format `docx`."""

    max_rows: int = MAX_ROWS
    draw: Callable[[Sequence[bytes]], Sequence[bytes] | None] = draw_dots
    """Turns SVG files into PNG; None where nothing does."""

    def render(self, document: Document, *, language: str) -> bytes:
        """Return the file's bytes, every text in NFC."""
        reader = Reader(language, ZoneInfo(document.zone))
        package = new_document()
        writer = _Writer(document, reader, package, self)
        writer.settle()
        stream = io.BytesIO()
        package.save(stream)
        return steady(stream.getvalue(), {"word/document.xml": writer.body()})


FORMAT = ReportFormat(suffix=".docx", render=DocxPaperFormat().render)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A chart's picture before it is part of the file."""

    svg: bytes
    size_mm: tuple[float, float]
    said: str


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture that is part of the file, by its relationships."""

    dots: str
    svg: str
    size_mm: tuple[float, float]
    said: str


class _Writer:
    """Writes one document."""

    def __init__(self, document: Document, reader: Reader, package: DocxDocument, form: DocxPaperFormat) -> None:
        self._document, self._reader, self._package, self._form = document, reader, package, form
        self._pages = tuple(pages_of(document.blocks, [self._needs_lying(block) for block in document.blocks]))
        self._lies = False
        self._pictures: dict[int, tuple[_Picture, ...]] = {}
        self._feet: dict[bool, str] = {}
        self._numbers = 0
        self._headings = 0
        self._cut = 0

    # --- what is beside the text ---

    def settle(self) -> None:
        """Write styles, properties, pictures and feet into the package."""
        language = LANGUAGES.get(self._reader.language, self._reader.language)
        set_type(self._package, font=word.FACE, points=word.BODY_POINTS, language=language)
        set_properties(self._package, title=self._reader.text(self._document.title), moment=MADE_AT, language=language)
        own = word.styles(page_colours())
        styles = self._package.styles.element
        for style in list(styles.style_lst):
            key = str(style.styleId)
            is_spare = key.removesuffix("Char") in own or (
                str(style.get(_w("type"))) == "table" and key != "TableNormal"
            )
            if is_spare:
                styles.remove(style)
        for text in own.values():
            styles.append(parse_xml(text))
        for spoken in styles.iter(_w("lang")):
            spoken.set(_w("val"), language)
        for setting in self._package.settings.element.iter(_w("compatSetting")):
            if setting.get(_w("name")) == "compatibilityMode":
                setting.set(_w("val"), _WORD_2013)
        part = self._package.part
        for name, relation in list(part.rels.items()):
            if relation.reltype.endswith(("/stylesWithEffects", "/customXml")):  # of the library's empty document
                del part.rels[name]
        for lies in sorted({pages.lies for pages in self._pages} | {False}):
            foot, self._feet[lies] = part.add_footer_part()  # type: ignore[no-untyped-call]  # python-docx has no types there
            for old in list(foot.element):
                foot.element.remove(old)
            for element in parse_xml(f"<w:ftr {word.DECLARED}>{self._foot(lies)}</w:ftr>"):
                foot.element.append(element)
        self._keep_pictures()

    def _foot(self, lies: bool) -> str:
        """Return what stands at the foot of each page: the document's facts, and the page."""
        widths = (word.text_width_mm(lies=lies) - 20, 20.0)
        number = word.field("PAGE") + word.run("/") + word.field("NUMPAGES")
        cells = [
            word.cell(widths[0], word.paragraph("Footer", word.run(_cut(self._footer(), _FOOTER_LETTERS)))),
            word.cell(widths[1], word.paragraph("FooterNumber", number)),
        ]
        table = word.table_start("ReportFoot", widths, has_head=False) + word.row(cells) + word.TABLE_END
        return table + word.paragraph("Gap")

    def _footer(self) -> str:
        reader = self._reader
        return " · ".join(f"{reader.text(label)}: {reader.cell(cell)}" for label, cell in self._document.footer)

    def _keep_pictures(self) -> None:
        """Draw all charts, and make their pictures parts of the file."""
        drawn: list[tuple[int, list[_Drawn]]] = []
        for pages in self._pages:
            for block in pages.blocks:
                if isinstance(block, QrCode):
                    self._pictures[id(block)] = (self._keep_code(block),)
                elif isinstance(block, Grid | Bars | LineChart) and (found := self._drawn(block, lies=pages.lies)):
                    drawn.append((id(block), found))
        every = [one for _key, some in drawn for one in some]
        dots = iter(self._form.draw([one.svg for one in every]) or ()) if every else iter(())
        for key, some in drawn:
            pictures = tuple(
                _Picture(self._keep(png, "png"), self._keep(one.svg, "svg"), one.size_mm, one.said)
                for one, png in zip(some, dots, strict=False)
            )
            if pictures:
                self._pictures[key] = pictures

    def _keep_code(self, code: QrCode) -> _Picture:
        side = 3 * _MM_OF_PIXEL * (len(qr_modules(code.text)) + 2 * QUIET_ZONE)  # as on the page
        return _Picture(self._keep(qr_png(code.text), "png"), "", (side, side), self._say(code.caption))

    def _keep(self, data: bytes, kind: str) -> str:
        """Make a picture a part of the file; return its relationship."""
        self._numbers += 1
        part = self._package.part
        assert part.package is not None
        name = PackURI(f"/word/media/picture{self._numbers}.{kind}")
        mime = "image/svg+xml" if kind == "svg" else "image/png"
        return part.relate_to(Part(name, mime, data, part.package), RELATIONSHIP_TYPE.IMAGE)

    def _drawn(self, chart: Drawable, *, lies: bool) -> list[_Drawn]:
        """Return a chart's pictures as large as a page of its chapter takes; none if they would be too small to be read."""
        width, height = word.text_width_mm(lies=lies), word.text_height_mm(lies=lies) - 30
        found: list[_Drawn] = []
        for part in _parts_of(chart, _ROWS_OF_PICTURE[lies]):
            for drawing in pictures_of(part, self._reader, name=f"p{len(found)}"):
                broad, high, said = _describe_drawing(drawing)
                scale = min(1.0, width / broad, height / high)
                if scale < _LEAST_SCALE:
                    return []
                svg = with_attributes(drawing, font=word.FACE)
                found.append(_Drawn(svg, (broad * scale, high * scale), _cut(said, _ALT_LETTERS)))
        return found

    def _needs_lying(self, block: Block) -> bool:
        """Say whether a block is too broad for a page that stands upright."""
        upright = word.text_width_mm(lies=False)
        match block:
            case TableBlock():
                if not block.rows:
                    return False
                return len(block.headers) >= _FEWEST_COLUMNS_LYING or self._words_mm(block) > upright
            case Grid() if block.rows and block.columns:
                broadest = max(_describe_drawing(drawing)[0] for drawing in pictures_of(block, self._reader))
                return upright / broadest < _LEAST_SCALE_UPRIGHT
            case _:
                return False

    # --- the text ---

    def body(self) -> Iterator[str]:
        """Yield the main part piece by piece."""
        yield f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:document {word.DECLARED}><w:body>'
        self._lies = self._pages[0].lies if self._pages else False
        yield word.paragraph("Title", word.run(self._say(self._document.title)))
        yield from self._contents()
        for pages in self._pages:
            if pages.lies != self._lies:
                yield word.paragraph("Gap", form=word.section(self._feet[self._lies], lies=self._lies))
                self._lies = pages.lies
            for block in pages.blocks:
                yield from self._block(block)
        if len(self._footer()) > _FOOTER_LETTERS:
            yield word.paragraph("Gap")
            yield from self._facts(self._document.footer)
        if self._cut:
            text = nmsg(
                "{n} text is too long to print here and was cut; the formats html and json hold it in full",
                "{n} texts are too long to print here and were cut; the formats html and json hold them in full",
                self._cut,
            )
            yield self._notice(text, Tone.UNSURE)
        yield f"{word.section(self._feet[self._lies], lies=self._lies)}</w:body></w:document>"

    def _contents(self) -> Iterator[str]:
        """Yield the chapters as a field that leads to them, and that a word processor makes anew when it is asked to."""
        heads = [block for block in self._document.blocks if isinstance(block, Heading)]
        shown = [(at, head) for at, head in enumerate(heads, 1) if head.level <= 2]
        if len(shown) <= 2:
            return
        yield word.paragraph("TOCHeading", word.run(self._reader.text(msg("Contents"))))
        for place, (at, head) in enumerate(shown):
            opened = word.field_part("begin", r'TOC \o "1-1" \n \h \z') if place == 0 else ""
            closed = word.field_part("end") if place == len(shown) - 1 else ""
            text = word.run(_cut(self._reader.text(head.text), _FOOTER_LETTERS), "LinkText")
            yield word.paragraph("TOC1", opened, word.link(_anchor(at), text), closed)

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case Heading():
                self._headings += 1
                content = word.bookmarked(self._headings, _anchor(self._headings), word.run(self._say(block.text)))
                yield word.paragraph(f"Heading{min(max(block.level - 1, 1), 4)}", content)
            case Paragraph():
                yield self._sentence(self._say(block.text))
            case Verbatim():
                yield from self._code_lines(verbatim_lines(block, self._reader))
                yield word.paragraph("Gap")
            case Bullets():
                some = block.items[: self._form.max_rows]
                for at, item in enumerate(some, 1):
                    form = _LIST_END if at == len(some) else _LIST_FORM
                    yield word.paragraph("ListBullet", word.run(self._say(item)), form=form)
                yield from self._left_off(len(block.items) - self._form.max_rows)
            case KeyValues():
                yield from self._facts(block.rows)
            case TableBlock():
                yield from self._table(block)
            case Notice():
                yield self._notice(block.text, block.tone)
            case Grid():
                yield from self._grid(block)
            case Bars():
                yield from self._chart(block, table_of_bars(block), self._bar_legend(block))
            case LineChart():
                yield from self._chart(block, table_of_lines(block), ())
            case QrCode():
                yield from self._code(block)
            case SignatureBlock():
                yield from self._signatures(block)
            case _:
                assert_never(block)

    def _say(self, words: Message | Name | str) -> str:
        """Return a text, cut where no word processor would show it."""
        return self._cut_text(self._reader.text(words))

    def _cut_text(self, text: str) -> str:
        if len(text) <= MAX_LETTERS:
            return text
        self._cut += 1
        return _cut(text, MAX_LETTERS)

    def _sentence(self, text: str) -> str:
        return word.paragraph("ReportText", word.run(text), form=self._margin())

    def _margin(self, left: str = "") -> str:
        """Return the indent that keeps sentences readable where the page is broad."""
        over = word.text_width_mm(lies=self._lies) - _LINE_MM
        return f'<w:ind{left} w:right="{word.twips(over)}"/>' if over > 0 else ""

    def _notice(self, words: Message | Name, tone: Tone) -> str:
        style = word.NOTICE_STYLES[tone]
        sign = word.run(f"{SIGNS[tone]}  ", "StrongText")
        return word.paragraph(style, sign, word.run(self._say(words)), form=self._margin(' w:left="142"'))

    def _nothing(self, caption: Message) -> str:
        return self._sentence(f"{self._say(caption)}: {self._reader.text(NOTHING)}.")

    def _caption(self, caption: Message) -> str:
        return word.paragraph("Caption", word.run(self._say(caption)))

    def _code_lines(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            yield word.paragraph("ReportCode", word.run(self._cut_text(line)))

    def _left_off(self, count: int) -> Iterator[str]:
        if count > 0:
            text = nmsg(
                "{n} more row is left out, because no word processor handles so many; the formats csv and json hold it",
                "{n} more rows are left out, because no word processor handles so many; the formats csv and json "
                "hold them",
                count,
            )
            yield self._notice(text, Tone.UNSURE)

    # --- tables ---

    def _facts(self, rows: Sequence[tuple[Message, Cell]]) -> Iterator[str]:
        width = word.text_width_mm(lies=False)
        widths = (50.0, width - 50.0)
        yield word.table_start("ReportFacts", widths, has_head=False)
        for label, cell in rows[: self._form.max_rows]:
            text = self._say(label)
            content = self._content(cell)
            yield word.row(
                (
                    word.cell(widths[0], word.paragraph("FactLabel", word.run(text))),
                    word.cell(widths[1], word.paragraph("FactText", content, form=_held(content))),
                )
            )
        yield word.TABLE_END
        yield word.paragraph("Gap")
        yield from self._left_off(len(rows) - self._form.max_rows)

    def _table(self, table: TableBlock) -> Iterator[str]:
        if not table.rows:
            yield self._nothing(table.caption)
            return
        widths = self._widths(table)
        caption = self._say(table.caption)
        yield self._caption(table.caption)
        yield word.table_start("ReportTable", widths, caption=caption)
        sides = alignment(table)
        yield word.row(
            (
                word.cell(
                    width,
                    word.paragraph(
                        "TableHead", word.run(self._say(head)), form='<w:jc w:val="right"/>' if side == "right" else ""
                    ),
                    shade=_BAND,
                )
                for head, side, width in zip(table.headers, sides, widths, strict=True)
            ),
            is_head=True,
        )
        styles = ["TableLabel", *("TableText" for _ in widths[1:])]
        for row in table.rows[: self._form.max_rows]:
            cells = []
            for cell, style, width in zip(row, styles, widths, strict=True):
                is_number = isinstance(cell, int | ByteSize | Quantity)
                content = self._content(cell)
                shown = word.paragraph("TableNumber" if is_number else style, content, form=_held(content))
                cells.append(word.cell(width, shown))
            yield word.row(cells)
        yield word.TABLE_END
        yield word.paragraph("Gap")
        yield from self._left_off(len(table.rows) - self._form.max_rows)

    def _content(self, cell: Cell) -> str:
        """Return a cell's text in its face: a state's word with its shape, a code in a typewriter's."""
        text = self._cut_text(self._reader.cell(cell))
        if isinstance(cell, Status):
            return word.run(f"{self._reader.text(sign_of(cell))} {text}", word.TONE_STYLES[cell.tone])
        return word.run(text, "CodeText" if _is_code(cell, text) else "")

    def _widths(self, table: TableBlock) -> tuple[float, ...]:
        """Return the columns' widths in millimetres: heads on few lines where there is room; rows as low as can be."""
        total, needs = word.text_width_mm(lies=self._lies), self._column_needs(table)
        heads = [breadth_mm(self._reader.text(head), word.TABLE_POINTS * _BOLD) for head in table.headers]
        sample = [[self._sample(cell) for cell in row] for row in table.rows[:_SAMPLE]]
        points = [word.TABLE_POINTS * (1 if at else _BOLD) for at in range(len(heads))]
        lengths = [[head, *(breadth_mm(row[at], points[at]) for row in sample)] for at, head in enumerate(heads)]
        for share in _HEAD_SHARES if len(table.rows) <= _FEW_ROWS else _HEAD_SHARES[1:]:
            some = [
                (max(least, min(wanted, head * share + PADDING_MM)), wanted)
                for (least, wanted), head in zip(needs, heads, strict=True)
            ]
            if sum(least for least, _wanted in some) <= total:
                return share_width(some, total, lengths)
        return share_width(needs, total)

    def _sample(self, cell: Cell) -> str:
        text = _cut(self._reader.cell(cell), _SHOWN_LETTERS)
        return f"{self._reader.text(sign_of(cell))} {text}" if isinstance(cell, Status) else text

    def _column_needs(self, table: TableBlock) -> list[tuple[float, float]]:
        """Return what each column needs and wants, in millimetres."""
        sample = table.rows[:_SAMPLE]
        return [
            self._needs(self._reader.text(head), [row[at] for row in sample], is_bold=at == 0)
            for at, head in enumerate(table.headers)
        ]

    def _words_mm(self, table: TableBlock) -> float:
        """Return how broad a table must be so that no word in it is broken."""
        heads = [self._reader.text(head) for head in table.headers]
        sample = [[self._sample(cell) for cell in row] for row in table.rows[:_SAMPLE]]
        return sum(
            longest_word_mm([head, *(row[at] for row in sample)], word.TABLE_POINTS * _BOLD)
            for at, head in enumerate(heads)
        )

    def _needs(self, head: str, cells: Sequence[Cell], *, is_bold: bool) -> tuple[float, float]:
        plain: list[str] = []
        states: list[str] = []
        codes: list[str] = []
        for cell in cells:
            text = self._sample(cell)
            kind = states if isinstance(cell, Status) else codes if _is_code(cell, text) else plain
            kind.append(text)
        found = [column_needs(plain, word.TABLE_POINTS * (_BOLD if is_bold else 1), head=head)]
        if states:
            found.append(column_needs(states, word.TABLE_POINTS * _BOLD, is_whole=True))
        if codes:
            least, wanted = column_needs(codes, word.CODE_POINTS, is_code=True)
            found.append((min(max(least, _CODE_MM), wanted), wanted))
        return max(least for least, _ in found), max(wanted for _, wanted in found)

    # --- charts ---

    def _chart(
        self, chart: Bars | LineChart, numbers: TableBlock, legend: Sequence[tuple[str, Tone, str]]
    ) -> Iterator[str]:
        pictures = self._pictures.get(id(chart))
        if pictures is None:
            yield from self._table(numbers)
            return
        yield self._caption(chart.caption)
        yield from self._shown(pictures, legend)

    def _shown(self, pictures: Sequence[_Picture], legend: Sequence[tuple[str, Tone, str]]) -> Iterator[str]:
        for picture in pictures:
            yield word.paragraph("Picture", self._placed(picture))
        yield from self._legend(legend)

    def _legend(self, legend: Sequence[tuple[str, Tone, str]]) -> Iterator[str]:
        parts = [
            word.run(f"\N{NO-BREAK SPACE}{sign}\N{NO-BREAK SPACE}", word.KEY_STYLES[tone])
            + word.run(f"\N{NO-BREAK SPACE}{meaning}" + ("" if at == len(legend) else "    "))
            for at, (sign, tone, meaning) in enumerate(legend, 1)
        ]
        yield word.paragraph("Legend", *parts, form=self._margin()) if parts else word.paragraph("Gap")

    def _placed(self, picture: _Picture) -> str:
        self._numbers += 1
        return word.picture(self._numbers, picture.dots, picture.svg, picture.size_mm, picture.said)

    def _bar_legend(self, bars: Bars) -> list[tuple[str, Tone, str]]:
        words: dict[str, tuple[Tone, int]] = {}
        for _, parts in bars.rows:
            for tone, words_of, count in parts:
                text = self._reader.text(words_of)
                words[text] = (tone, words.get(text, (tone, 0))[1] + count)
        return [(SIGNS[tone], tone, text) for text, (tone, count) in words.items() if count]

    def _grid(self, grid: Grid) -> Iterator[str]:
        if not grid.rows:
            yield self._nothing(grid.caption)
            return
        yield self._caption(grid.caption)
        legend = [(self._reader.text(mark.sign), mark.tone, self._say(text)) for mark, text in grid.legend]
        pictures = self._pictures.get(id(grid))
        if pictures is not None:
            yield from self._shown(pictures, legend)
            return
        count = -(-len(grid.columns) // _SIGNS_ACROSS[self._lies])
        size = -(-len(grid.columns) // max(count, 1))
        for start in range(0, len(grid.columns), max(size, 1)):
            yield from self._band(grid, range(start, min(start + size, len(grid.columns))))
        yield from self._left_off(len(grid.rows) - self._form.max_rows)
        yield from self._legend(legend)

    def _band(self, grid: Grid, band: range) -> Iterator[str]:
        """Yield some columns of a grid as a table of signs."""
        heads = [column_head(grid.columns[at], self._reader) for at in band]
        broadest = max(breadth_mm(part, 8.0) for head in heads for part in head) + 1.5
        width = word.text_width_mm(lies=self._lies)
        column = max(min(8.0, (width - 60.0) / len(band)), min(broadest, (width - 30.0) / len(band)))
        label = min(75.0, width - column * len(band))
        widths = (label, *(column for _ in band))
        yield word.table_start("ReportGrid", widths, caption=self._say(grid.caption))
        shades = [_SHADE if at in grid.shaded else "" for at in band]
        yield word.row(
            [
                word.cell(label, word.paragraph("TableHead"), shade=_BAND),
                *(
                    word.cell(column, self._head_of(head), shade=shade or _BAND)
                    for head, shade in zip(heads, shades, strict=True)
                ),
            ],
            is_head=True,
        )
        for name, marks in grid.rows[: self._form.max_rows]:
            yield word.row(
                [
                    word.cell(label, word.paragraph("TableLabel", self._content(name))),
                    *(self._mark(column, marks[at], shade) for at, shade in zip(band, shades, strict=True)),
                ]
            )
        yield word.TABLE_END
        yield word.paragraph("Gap")

    def _head_of(self, head: tuple[str, str]) -> str:
        """Return a column's head: a day over its month, or one text."""
        return "".join(word.paragraph("TableSign", word.run(part), form=_KEEP) for part in head if part)

    def _mark(self, width: float, mark: GridMark | None, shade: str) -> str:
        content = "" if mark is None else word.run(self._reader.text(mark.sign), word.KEY_STYLES[mark.tone])
        return word.cell(width, word.paragraph("TableSign", content), shade=shade)

    def _code(self, code: QrCode) -> Iterator[str]:
        """Yield a code beside its caption and its text."""
        (picture,) = self._pictures[id(code)]
        widths = (picture.size_mm[0] + 4, word.text_width_mm(lies=False) - picture.size_mm[0] - 4)
        lines = (self._reader.text(line) for line in code.text.splitlines())
        beside = "".join([self._caption(code.caption), *self._code_lines(lines)])
        yield word.table_start("ReportRoom", widths, has_head=False)
        cells = (
            word.cell(widths[0], word.paragraph("Picture", self._placed(picture))),
            word.cell(widths[1], beside, is_centred=True),
        )
        yield word.row(cells)
        yield word.TABLE_END
        yield word.paragraph("Gap")

    def _signatures(self, block: SignatureBlock) -> Iterator[str]:
        """Yield room to sign, three places beside each other."""
        hint = self._reader.text(msg("(signature, full name, office)"))
        for start in range(0, len(block.places), 3):
            some = block.places[start : start + 3]
            width = word.text_width_mm(lies=self._lies) / len(some)
            yield word.paragraph("Gap")
            yield word.table_start("ReportRoom", [width] * len(some), has_head=False)
            said = []
            for office, holder in some:
                names = [word.paragraph("SignatureText", word.run(self._say(office), "StrongText"))]
                names += [word.paragraph("SignatureText", word.run(self._say(holder)))] if holder else []
                names += [word.paragraph("SignatureText", word.run(hint))]
                said.append(word.cell(width, "".join(names)))
            yield word.row(said)
            yield word.row([word.cell(width, word.paragraph("SignatureRoom")) for _ in some])
            yield word.TABLE_END
            yield word.paragraph("Gap")


_LIST_FORM = '<w:spacing w:before="0" w:after="40" w:line="259" w:lineRule="auto"/><w:contextualSpacing w:val="0"/>'
_LIST_END = _LIST_FORM.replace('w:after="40"', 'w:after="140"')
_KEEP = "<w:keepNext/>"
_BAND, _SHADE = "F1F4F7", "E4E8ED"
_SHOWN_LETTERS = 200
"""Of a text that widths are reckoned from."""
_CODE_MM = 46.0
"""A column of codes takes 26 letters of the typewriter face, so that a set's name breaks behind the moment in it."""


def _parts_of(chart: Drawable, most_rows: int) -> Iterator[Drawable]:
    """Yield a chart, a grid of many rows as several of about as many; nothing of one that shows nothing."""
    match chart:
        case Grid():
            if not chart.rows or not chart.columns:
                return
            count = -(-len(chart.rows) // most_rows)
            size = -(-len(chart.rows) // count)
            for start in range(0, len(chart.rows), size):
                yield replace(chart, rows=chart.rows[start : start + size])
        case Bars():
            if chart.rows:
                yield chart
        case LineChart():
            if chart.moments:
                yield chart


def _describe_drawing(drawing: bytes) -> tuple[float, float, str]:
    """Return a picture's width and height in millimetres, and what is said of it for those who cannot see it."""
    root = fromstring(drawing)
    said = [root.findtext(f"{{*}}{part}") or "" for part in ("title", "desc")]
    width, height = (float(root.get(side, "0")) * _MM_OF_PIXEL for side in ("width", "height"))
    return width, height, ". ".join(part for part in said if part)


def _held(content: str) -> str:
    """Return what lets a long cell go on on the next page; a short one is held together by its style."""
    return '<w:keepLines w:val="0"/>' if len(content) > _WHOLE_LETTERS else ""


def _is_code(cell: Cell, text: str) -> bool:
    return isinstance(cell, str) and (CODE.fullmatch(text) or HEAD_CODE.fullmatch(text)) is not None


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _anchor(number: int) -> str:
    return f"_Toc{number:06d}"


def _w(name: str) -> str:
    return f"{{{word.NAMESPACES['w']}}}{name}"
