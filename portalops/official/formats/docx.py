"""An official paper as DOCX, by Decree 30/2020/NĐ-CP, Annex I: margins, type sizes, rules under the heads, page numbers.

The numbers are the Annex's: A4; top and bottom 20 to 25 mm, left 30 to 35, right 15 to 20; Times New Roman, 13 to 14 points in
the body; page numbers centred in the top margin, none on the first page; annexes are numbered by themselves. The same paper
gives the same bytes: the archive's times and the file's own properties are fixed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph as DocxParagraph

from portalops.model.message import msg
from portalops.official.formats import PaperFormat
from portalops.official.paper import MOTTO, NATION, PAPER_NAMES, Annex, BodyBlock, OfficialPaper, PaperKind, annex_name
from portalops.reports.document import Bullets, Heading, Paragraph, TableBlock
from portalops.reports.office import set_properties, set_type, steady
from portalops.reports.reader import Reader

FONT = "Times New Roman"
LANGUAGE = "vi-VN"
BODY_POINTS = 14.0
TABLE_POINTS = 11.0
TOP_MM, BOTTOM_MM, LEFT_MM, RIGHT_MM = 20, 20, 30, 15
A4_MM = (210, 297)
INDENT_MM = 12.7
"""First line of a paragraph: 1 or 1.27 cm."""
GAP_POINTS = 6
SIGNATURE_POINTS = 72
"""The space for the signature and the seal, between the office of who signs and the name."""
LINES = 1.15
LETTER_MM = 2.5
"""What a letter of a table takes, bold ones and capitals among them."""
CELL_MM = 4.5
"""What the borders of a cell take."""


def render(paper: OfficialPaper, *, language: str) -> bytes:
    writer = _Writer(Document(), paper, Reader(language, ZoneInfo(paper.zone)))
    return steady(writer.write())


FORMAT = PaperFormat(suffix=".docx", render=render)


class _Writer:
    def __init__(self, document: DocxDocument, paper: OfficialPaper, reader: Reader) -> None:
        self._document, self._paper, self._reader = document, paper, reader

    def write(self) -> bytes:
        document, paper = self._document, self._paper
        self._settle()
        section = document.sections[0]
        _lay_out(section, landscape=False)
        self._number_pages(section, first_page_too=False)
        self._heads()
        self._title()
        if paper.addressees:
            self._addressees()
        for number, text in enumerate(paper.basis.texts):
            end = "." if number == len(paper.basis.texts) - 1 else ";"
            self._body_paragraph(self._reader.text(text) + end, italic=True)
        for block in paper.body:
            self._block(block)
        self._foot()
        for number, annex in enumerate(paper.annexes, 1):
            self._annex(annex, number)
        stream = io.BytesIO()
        document.save(stream)
        return stream.getvalue()

    # --- parts ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        drafted = self._paper.drafted_on
        moment = (
            datetime(drafted.year, drafted.month, drafted.day, tzinfo=UTC)
            if drafted
            else datetime(2000, 1, 1, tzinfo=UTC)
        )
        set_type(self._document, font=FONT, points=BODY_POINTS, language=LANGUAGE)
        title = self._reader.text(self._paper.subject)
        set_properties(self._document, title=title, moment=moment, language=LANGUAGE)

    def _heads(self) -> None:
        """Write both heads: the agency on the left, the nation on the right; number and date under them."""
        paper, reader = self._paper, self._reader
        table = self._blank_table((66, 99))
        left, right = table.rows[0].cells
        if paper.parent is not None:
            self._line(left.paragraphs[0], reader.text(paper.parent).upper(), points=12)
        name = left.add_paragraph() if paper.parent is not None else left.paragraphs[0]
        self._line(name, reader.text(paper.agency).upper(), points=12, bold=True)
        self._rule(left.add_paragraph(), width_mm=66, rule_mm=26)
        self._line(right.paragraphs[0], reader.text(NATION), points=12, bold=True)
        motto = reader.text(MOTTO)
        self._line(right.add_paragraph(), motto, points=13, bold=True)
        self._rule(right.add_paragraph(), width_mm=99, rule_mm=58)
        left, right = table.add_row().cells
        number = reader.text(msg("No.:        /{sign}", sign=paper.sign))
        self._line(left.paragraphs[0], number, points=13)
        left.paragraphs[0].paragraph_format.space_before = right.paragraphs[0].paragraph_format.space_before = _points(
            4
        )
        if paper.kind is PaperKind.LETTER:
            subject = left.add_paragraph()
            subject.paragraph_format.space_before = _points(6)
            self._line(subject, reader.text(msg("Re: {subject}", subject=paper.subject)), points=13)
        day = msg("{place}, the       day of       , year {year}", place=paper.place, year=paper.year)
        self._line(right.paragraphs[0], reader.text(day), points=14, italic=True)

    def _title(self) -> None:
        name = PAPER_NAMES.get(self._paper.kind)
        if name is None:
            return
        title = self._document.add_paragraph()
        title.paragraph_format.space_before = _points(18)
        self._line(title, self._reader.text(name).upper(), points=14, bold=True)
        self._line(self._document.add_paragraph(), self._reader.text(self._paper.subject), points=14, bold=True)
        self._rule(self._document.add_paragraph(), width_mm=165, rule_mm=60)

    def _addressees(self) -> None:
        reader, names = self._reader, self._paper.addressees
        head = reader.text(msg("To:"))
        if len(names) == 1:
            paragraph = self._document.add_paragraph()
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = _points(12)
            self._line(paragraph, f"{head} {reader.text(names[0])}.", points=14)
            return
        paragraph = self._document.add_paragraph()
        paragraph.paragraph_format.space_before = _points(12)
        paragraph.paragraph_format.left_indent = _millimetres(35)
        self._run(paragraph, head, points=14)
        for number, name in enumerate(names):
            line = self._document.add_paragraph()
            line.paragraph_format.left_indent = _millimetres(45)
            end = "." if number == len(names) - 1 else ";"
            self._run(line, f"- {reader.text(name)}{end}", points=14)
        line.paragraph_format.space_after = _points(12)

    def _block(self, block: BodyBlock) -> None:
        match block:
            case Heading():
                self._body_paragraph(self._reader.text(block.text), bold=True, keep_with_next=True)
            case Paragraph():
                self._body_paragraph(self._reader.text(block.text))
            case Bullets():
                for item in block.items:
                    self._body_paragraph(f"- {self._reader.text(item)}")
            case TableBlock():
                self._document.paragraphs[-1].paragraph_format.space_after = _points(GAP_POINTS)
                self._table(block, width_mm=A4_MM[0] - LEFT_MM - RIGHT_MM)
            case _:
                assert_never(block)

    def _foot(self) -> None:
        """Write who gets it, on the left, and who signs, on the right."""
        paper, reader = self._paper, self._reader
        space = self._document.add_paragraph()
        space.paragraph_format.space_after = _points(6)
        table = self._blank_table((80, 85))
        self._keep_whole(table.rows[0])
        left, right = table.rows[0].cells
        self._run(left.paragraphs[0], reader.text(msg("Copies to:")), points=12, bold=True, italic=True)
        for name in paper.recipients:
            self._run(left.add_paragraph(), f"- {reader.text(name)};", points=11)
        self._run(left.add_paragraph(), reader.text(msg("- File: {archive}.", archive=paper.archive)), points=11)
        lines = [text for text in (paper.signing.authority, paper.signing.office) if text]
        for number, text in enumerate(lines):
            paragraph = right.paragraphs[0] if number == 0 else right.add_paragraph()
            self._line(paragraph, text.upper(), points=14, bold=True)
        if paper.signing.name:
            name = right.add_paragraph()
            name.paragraph_format.space_before = _points(SIGNATURE_POINTS)
            self._line(name, reader.text(paper.signing.name), points=14, bold=True)

    def _annex(self, annex: Annex, number: int) -> None:
        section = self._document.add_section(WD_SECTION.NEW_PAGE)
        _lay_out(section, landscape=annex.landscape)
        self._number_pages(section, first_page_too=False)
        reader = self._reader
        self._line(
            self._document.add_paragraph(),
            reader.text(annex_name(number, len(self._paper.annexes))),
            points=14,
            bold=True,
        )
        self._line(self._document.add_paragraph(), reader.text(annex.title).upper(), points=14, bold=True)
        about = msg(
            "(With paper No.       /{sign} of       , year {year}, of {agency})",
            sign=self._paper.sign, year=self._paper.year, agency=self._paper.agency,
        )  # fmt: skip
        self._line(self._document.add_paragraph(), reader.text(about), points=14, italic=True)
        self._document.add_paragraph()
        width = A4_MM[1 if annex.landscape else 0] - LEFT_MM - RIGHT_MM
        self._table(annex.table, width_mm=width)

    # --- pieces ---------------------------------------------------------------------------------

    def _body_paragraph(
        self, text: str, *, bold: bool = False, italic: bool = False, keep_with_next: bool = False
    ) -> None:
        paragraph = self._document.add_paragraph()
        form = paragraph.paragraph_format
        form.alignment, form.first_line_indent = WD_ALIGN_PARAGRAPH.JUSTIFY, _millimetres(INDENT_MM)
        form.space_before, form.line_spacing, form.keep_with_next = _points(GAP_POINTS), LINES, keep_with_next
        self._run(paragraph, text, points=BODY_POINTS, bold=bold, italic=italic)

    def _line(
        self, paragraph: DocxParagraph, text: str, *, points: float, bold: bool = False, italic: bool = False
    ) -> None:
        """Write a centred line."""
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._run(paragraph, text, points=points, bold=bold, italic=italic)

    @staticmethod
    def _run(paragraph: DocxParagraph, text: str, *, points: float, bold: bool = False, italic: bool = False) -> None:
        run = paragraph.add_run(text)
        run.font.size, run.bold, run.italic = _points(points), bold, italic

    @staticmethod
    def _rule(paragraph: DocxParagraph, *, width_mm: float, rule_mm: float) -> None:
        """Draw a solid rule in the middle: the lower border of an empty line that is indented on both sides."""
        side = max(0.0, (width_mm - rule_mm) / 2 - 2)
        form = paragraph.paragraph_format
        form.left_indent = form.right_indent = _millimetres(side)
        form.line_spacing = _points(3)
        borders, bottom = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
        for key, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
            bottom.set(qn(f"w:{key}"), value)
        borders.append(bottom)
        paragraph._p.get_or_add_pPr().insert_element_before(borders, "w:spacing", "w:ind", "w:jc")  # the schema's order

    def _blank_table(self, widths_mm: Sequence[float]) -> Any:
        table = self._document.add_table(rows=1, cols=len(widths_mm))
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        for column, width in zip(table.columns, widths_mm, strict=True):
            column.width = _millimetres(width)
            for cell in column.cells:
                cell.width = _millimetres(width)
        return table

    def _table(self, block: TableBlock, *, width_mm: float) -> None:
        reader = self._reader
        texts = [[reader.cell(cell) for cell in row] for row in block.rows]
        heads = [reader.text(header) for header in block.headers]
        shares = widths(heads, texts, width_mm)
        table = self._document.add_table(rows=1, cols=len(heads))
        table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
        for column, width in zip(table.columns, shares, strict=True):
            column.width = _millimetres(width)
        repeat = OxmlElement("w:tblHeader")
        repeat.set(qn("w:val"), "true")
        table.rows[0]._tr.get_or_add_trPr().append(repeat)
        for cell, text, width in zip(table.rows[0].cells, heads, shares, strict=True):
            cell.width = _millimetres(width)
            self._line(cell.paragraphs[0], text, points=TABLE_POINTS, bold=True)
        for values in texts:
            row = table.add_row()
            self._keep_whole(row)
            for cell, text, width in zip(row.cells, values, shares, strict=True):
                cell.width = _millimetres(width)
                paragraph = cell.paragraphs[0]
                if is_figure(text):
                    self._line(paragraph, text, points=TABLE_POINTS)
                else:
                    self._run(paragraph, text, points=TABLE_POINTS)

    @staticmethod
    def _keep_whole(row: Any) -> None:
        """Let no page end within a row."""
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))

    @staticmethod
    def _number_pages(section: Section, *, first_page_too: bool) -> None:
        """Put the page's number into the middle of the top margin; each section counts by itself."""
        section.different_first_page_header_footer = not first_page_too
        section.header.is_linked_to_previous = section.first_page_header.is_linked_to_previous = False
        kind = OxmlElement("w:pgNumType")
        kind.set(qn("w:start"), "1")
        for old in section._sectPr.findall(qn("w:pgNumType")):  # of the section before, which a new one repeats
            section._sectPr.remove(old)
        section._sectPr.insert_element_before(kind, "w:cols", "w:titlePg", "w:docGrid")  # the schema's order
        paragraph = section.header.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = paragraph.add_run()
        run.font.size = _points(13)
        for mark, text in (("begin", ""), ("", "PAGE"), ("end", "")):
            element = OxmlElement("w:fldChar" if mark else "w:instrText")
            if mark:
                element.set(qn("w:fldCharType"), mark)
            else:
                element.text = text
            run._r.append(element)


def _lay_out(section: Section, *, landscape: bool) -> None:
    width, height = reversed(A4_MM) if landscape else A4_MM
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = _millimetres(width), _millimetres(height)
    section.top_margin, section.bottom_margin = _millimetres(TOP_MM), _millimetres(BOTTOM_MM)
    section.left_margin, section.right_margin = _millimetres(LEFT_MM), _millimetres(RIGHT_MM)
    section.header_distance = _millimetres(10)


def is_figure(text: str) -> bool:
    """Say whether a cell holds a figure, a day or nothing, which stands in the middle of its column, and no words.

    >>> [text for text in ("12", "+3", "9/12", "04/11/2026", "–", "Sở Y tế", "2 tuần") if is_figure(text)]
    ['12', '+3', '9/12', '04/11/2026', '–']
    """
    return not any(letter.isalpha() for letter in text)


def widths(heads: Sequence[str], rows: Sequence[Sequence[str]], total: float) -> list[float]:
    """Share a width among columns: each gets room for its longest word, and what is left goes to where much is said."""
    least, wanted = [], []
    for number, head in enumerate(heads):
        cells = [row[number] for row in rows]
        word = max((len(word) for text in (head, *cells) for word in text.split()), default=1)
        least.append(LETTER_MM * word + CELL_MM)
        # A head may take two lines: one of six under which figures stand is hard to read.
        said = max((len(text) for text in cells), default=1)
        wanted.append(LETTER_MM * min(60, max(said, len(head) / 2)) + CELL_MM)
    spare = total - sum(least)
    if spare <= 0:
        return [total * one / sum(least) for one in least]
    more = [max(0.0, one - own) for one, own in zip(wanted, least, strict=True)]
    return [own + spare * one / (sum(more) or 1) for own, one in zip(least, more, strict=True)]


def _points(points: float) -> Any:
    return Pt(points)


def _millimetres(length: float) -> Any:
    return Mm(length)
