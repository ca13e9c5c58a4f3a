"""Word documents: read back as XML and by another library, and laid out by LibreOffice."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from docx import Document as open_docx  # noqa: N813  # it is a function
from docx.document import Document as Opened
from docx.enum.section import WD_ORIENT
from docx.shared import Mm
from lxml import etree

from portalops.model.message import msg, verbatim
from portalops.model.organisation import Name
from portalops.reports import formats
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    Cell,
    Document,
    Grid,
    GridMark,
    Heading,
    KeyValues,
    Line,
    LineChart,
    Notice,
    Paragraph,
    QrCode,
    SignatureBlock,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from portalops.reports.formats._word import NAMESPACES
from portalops.reports.formats.docx import MAX_LETTERS, DocxPaperFormat
from portalops.reports.pictures import draw_dots, pictures_of, with_attributes
from portalops.reports.reader import Reader
from tests.programs import need
from tests.reports.sample import HOSTILE, VIETNAMESE, document

ZONE = "Asia/Ho_Chi_Minh"
W = f"{{{NAMESPACES['w']}}}"
FOOTER: Sequence[tuple[str, Cell]] = (("Head code", "143-008f-008f-008f-008f-008f"), ("Portal", Name("Cổng", "Portal")))
MET = GridMark("✓", Tone.GOOD, msg("met"))


def no_drawing(_drawings: Sequence[bytes]) -> None:
    """What a machine without typst does."""


def some_dots(drawings: Sequence[bytes]) -> Sequence[bytes]:
    return [b"\x89PNG\r\n\x1a\n" + bytes(24) for _ in drawings]


def made(*blocks: Block, language: str = "en", form: DocxPaperFormat | None = None) -> bytes:
    footer = [(verbatim(label), cell) for label, cell in FOOTER]
    return (form or DocxPaperFormat(draw=some_dots)).render(
        Document(msg("Report"), blocks, footer, ZONE), language=language
    )


def opened(*blocks: Block, language: str = "en", form: DocxPaperFormat | None = None) -> Opened:
    return open_docx(io.BytesIO(made(*blocks, language=language, form=form)))


def parts(data: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def main_part(data: bytes) -> etree._Element:
    return etree.fromstring(parts(data)["word/document.xml"])


def said(element: etree._Element) -> str:
    return "".join(str(text.text or "") for text in element.iter(f"{W}t"))


def table(*rows: Sequence[Cell], headers: int = 0) -> TableBlock:
    count = headers or len(rows[0])
    return TableBlock(verbatim("Updates by unit"), [verbatim(f"head {number}") for number in range(count)], rows)


def grid(units: int, days: int = 7) -> Grid:
    rows = [(f"unit {number}", [MET] * days) for number in range(units)]
    return Grid(verbatim("Units and days"), [date(2026, 9, 1 + at) for at in range(days)], rows, [(MET, msg("met"))])


BARS = Bars(verbatim("Duties"), [(verbatim("All"), [(Tone.GOOD, msg("met"), 7), (Tone.BAD, msg("unmet"), 2)])])
LINES = LineChart(
    verbatim("Availability"),
    (date(2026, 9, 1), date(2026, 9, 2)),
    (Line(verbatim("web-1"), Tone.GOOD, (99.5, None)),),
    1,
)


def test_headings_lists_and_captions_have_words_own_styles() -> None:
    blocks = (
        Heading(2, verbatim("I. Scope")),
        Heading(3, verbatim("Of it")),
        Bullets([verbatim("one")]),
        table(("a", 1)),
    )
    found = [(one.style.name if one.style else "", one.text) for one in opened(*blocks).paragraphs if one.text]
    assert found == [
        ("Title", "Report"),
        ("Heading 1", "I. Scope"),
        ("Heading 2", "Of it"),
        ("List Bullet", "one"),
        ("Caption", "Updates by unit"),
    ]


def test_a_tables_head_is_repeated_on_each_page_and_its_caption_read_aloud() -> None:
    root = main_part(made(table(("a", 1), ("b", 2))))
    (found,) = root.iter(f"{W}tbl")
    rows = list(found.iter(f"{W}tr"))
    assert [row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows] == [True, False, False]
    assert [said(row) for row in rows] == ["head 0head 1", "a1", "b2"]
    caption = found.find(f"{W}tblPr/{W}tblCaption")
    assert caption is not None
    assert caption.get(f"{W}val") == "Updates by unit"


def test_no_row_is_forbidden_to_break_because_libreoffice_leaves_such_rows_out() -> None:
    assert (
        b"cantSplit"
        not in parts(DocxPaperFormat(draw=some_dots).render(document(), language="vi"))["word/document.xml"]
    )


def test_numbers_stand_right_codes_in_a_typewriter_face_and_states_have_word_and_shape() -> None:
    row = ("web-1", 1234, "9f3a" * 16, Status(msg("unmet"), Tone.BAD), Status(msg("pending"), Tone.UNSURE, "…"), None)
    cells = opened(table(row), language="vi").tables[0].rows[1].cells
    assert [cell.text for cell in cells] == ["web-1", "1.234", "9f3a" * 16, "✗ không đạt", "… chưa đến hạn", "–"]
    styles = [cell.paragraphs[0].style for cell in cells]
    assert [style.name for style in styles if style] == ["Table Label", "Table Number", *["Table Text"] * 4]
    assert [cell.paragraphs[0].runs[0].style.name for cell in cells[2:5]] == [
        "Code Text",
        "Status bad",
        "Status unsure",
    ]


@pytest.mark.parametrize(("language", "tag"), [("vi", "vi-VN"), ("en", "en-GB")])
def test_the_documents_language_is_that_of_its_words(language: str, tag: str) -> None:
    data = made(Paragraph(verbatim("x")), language=language)
    styles = etree.fromstring(parts(data)["word/styles.xml"])
    assert {spoken.get(f"{W}val") for spoken in styles.iter(f"{W}lang")} == {tag}
    assert open_docx(io.BytesIO(data)).core_properties.language == tag


def test_pages_are_a4_and_lie_on_their_side_from_a_broad_table_to_the_chapters_end() -> None:
    broad = table(tuple(range(10)))
    narrow = table(("a", 1))
    blocks = (
        Heading(2, verbatim("I.")), narrow, Heading(3, verbatim("Of many")), Paragraph(verbatim("See")), broad, narrow,
        Heading(2, verbatim("II.")), narrow,
    )  # fmt: skip
    found = opened(*blocks)
    assert [section.orientation for section in found.sections] == [
        WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE, WD_ORIENT.PORTRAIT,
    ]  # fmt: skip
    sizes = [(section.page_width, section.page_height) for section in found.sections]
    assert all({round((side or 0) / Mm(1)) for side in size} == {210, 297} for size in sizes)
    texts = [said(element) or element.tag for element in main_part(made(*blocks)).iter(f"{W}p", f"{W}sectPr")]
    first, second = (at for at, text in enumerate(texts[:-1]) if text == f"{W}sectPr")
    assert texts.index("Of many") > first
    assert texts.index("II.") > second


def test_each_pages_foot_has_the_facts_and_the_page_of_how_many() -> None:
    data = made(Heading(2, verbatim("I.")), table(tuple(range(10))))
    feet = [etree.fromstring(text) for name, text in parts(data).items() if re.fullmatch(r"word/footer\d+\.xml", name)]
    assert len(feet) == 2
    for foot in feet:
        assert said(foot) == "Head code: 143-008f-008f-008f-008f-008f · Portal: Portal1/1"
        assert [field.get(f"{W}instr") for field in foot.iter(f"{W}fldSimple")] == [" PAGE ", " NUMPAGES "]
    root = main_part(data)
    kept = {name for name, _target in relations(data)}
    assert {each.get(R_ID) for each in root.iter(f"{W}footerReference")} <= kept


R_ID = f"{{{NAMESPACES['r']}}}id"
EMBED = f"{{{NAMESPACES['r']}}}embed"


def relations(data: bytes) -> Iterator[tuple[str, str]]:
    for each in etree.fromstring(parts(data)["word/_rels/document.xml.rels"]):
        yield str(each.get("Id")), str(each.get("Target"))


def test_a_facts_foot_that_is_too_long_is_whole_at_the_end() -> None:
    long = "khanhhoa " * 60
    data = DocxPaperFormat().render(
        Document(msg("Report"), [], [(verbatim("Portal"), long), (verbatim("Made"), "now")], ZONE), language="en"
    )
    assert "…" in said(etree.fromstring(parts(data)["word/footer1.xml"]))
    assert long.strip() in said(main_part(data))


def test_charts_are_svg_with_dots_for_older_readers_and_words_for_who_cannot_see_them() -> None:
    data = made(grid(2), BARS, LINES, QrCode("portalops-head 1\n", verbatim("Head code")), form=DocxPaperFormat())
    root, kept, files = main_part(data), dict(relations(data)), parts(data)
    drawn = list(root.iter(f"{{{NAMESPACES['wp']}}}inline"))
    assert len(drawn) == 4
    for inline in drawn:
        (about,) = inline.iter(f"{{{NAMESPACES['wp']}}}docPr")
        assert about.get("descr")
        (dots,) = inline.iter(f"{{{NAMESPACES['a']}}}blip")
        assert files[f"word/{kept[str(dots.get(EMBED))]}"].startswith(b"\x89PNG")
    described = [about.get("descr") or "" for about in root.iter(f"{{{NAMESPACES['wp']}}}docPr")]
    assert described[0].startswith("Units and days. 1 Sep 2026 – 7 Sep 2026. ✓ = met")
    assert described[1] == "Duties. All: met 7, unmet 2"
    better = [files[f"word/{kept[str(svg.get(EMBED))]}"] for svg in root.iter(f"{{{NAMESPACES['asvg']}}}svgBlip")]
    assert len(better) == 3
    assert all(b"<style" not in svg and b"class=" not in svg and b'font-family="Arial"' in svg for svg in better)
    assert (
        'Extension="png"' in files["[Content_Types].xml"].decode()
        or "image/png" in files["[Content_Types].xml"].decode()
    )
    assert "image/svg+xml" in files["[Content_Types].xml"].decode()
    assert len({about.get("id") for about in root.iter(f"{{{NAMESPACES['wp']}}}docPr")}) == 4


def test_dots_are_twice_as_many_as_the_picture_has_and_always_the_same() -> None:
    (drawing,) = pictures_of(BARS, Reader("vi", ZoneInfo(ZONE)))
    svg = with_attributes(drawing, font="Arial")
    first, second = draw_dots([svg, svg]) or ()
    assert first == second
    assert draw_dots([svg]) == [first]
    assert draw_dots([svg] * 17) == [first] * 17, "many are drawn in processes of their own, and look the same"
    root = etree.fromstring(svg)
    width, height = struct.unpack(">II", first[16:24])
    assert (width, height) == (2 * int(root.get("width") or 0), 2 * int(root.get("height") or 0))


def test_looks_written_at_each_element_are_those_of_the_style_sheet() -> None:
    (drawing,) = pictures_of(LINES, Reader("en", ZoneInfo(ZONE)))
    root = etree.fromstring(with_attributes(drawing, font="Arial"))
    curves = [each for each in root.iter("{*}path") if each.get("stroke-width") == "1.8"]
    assert {(each.get("fill"), each.get("stroke")) for each in curves} == {("none", "#14532d")}
    axis = next(each for each in root.iter("{*}text") if each.get("text-anchor") == "end")
    assert (axis.get("font-size"), axis.get("fill")) == ("10px", "#4a5460")
    assert not [each for each in root.iter() if each.get("class") or etree.QName(each).localname == "style"]


def test_without_typst_charts_are_tables_of_the_same_numbers_and_signs() -> None:
    found = opened(grid(2, days=3), BARS, LINES, QrCode("a\n", verbatim("Code")), form=DocxPaperFormat(draw=no_drawing))
    texts = [[[cell.text for cell in row.cells] for row in one.rows] for one in found.tables]
    assert texts[0] == [["", "01\n/09", "02\n/09", "03\n/09"], ["unit 0", "✓", "✓", "✓"], ["unit 1", "✓", "✓", "✓"]]
    assert texts[1] == [["What", "met", "unmet"], ["All", "7", "2"]]
    assert texts[2] == [["When", "web-1"], ["1 Sep 2026", "99.5"], ["2 Sep 2026", "–"]]
    assert len(found.inline_shapes) == 1  # the code, which needs no typst
    assert "\N{NO-BREAK SPACE}✓\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}met" in [one.text for one in found.paragraphs]


def test_a_grid_of_many_rows_is_as_many_pictures_as_it_needs_pages() -> None:
    shapes = opened(grid(100)).inline_shapes
    assert len(shapes) == 3
    assert max(shape.height for shape in shapes) < Mm(230)
    assert len({shape.width for shape in shapes}) == 1


def test_a_chart_too_small_to_be_read_is_a_table() -> None:
    rows = [(verbatim(f"host {number}"), [(Tone.GOOD, msg("met"), 1)]) for number in range(60)]
    found = opened(Bars(verbatim("Duties"), rows))
    assert not list(found.inline_shapes)
    assert len(found.tables[0].rows) == 61


def test_contents_lead_to_each_chapter_and_need_no_page_numbers() -> None:
    data = made(*(Heading(level, verbatim(f"Part {level}.{at}")) for at in range(3) for level in (2, 3)))
    root = main_part(data)
    links = [(each.get(f"{W}anchor"), said(each)) for each in root.iter(f"{W}hyperlink")]
    assert [text for _, text in links] == ["Part 2.0", "Part 2.1", "Part 2.2"]
    places = {each.get(f"{W}name"): said(each.getparent()) for each in root.iter(f"{W}bookmarkStart")}
    assert all(places[anchor] == text for anchor, text in links)
    (order,) = root.iter(f"{W}instrText")
    assert "\\n" in (order.text or "")
    kinds = [each.get(f"{W}fldCharType") for each in root.iter(f"{W}fldChar")]
    assert kinds == ["begin", "separate", "end"]


def test_every_other_block_is_there_in_words() -> None:
    found = opened(
        Notice(verbatim("Look"), Tone.BAD),
        Verbatim("age -d \\\n  -i key"),
        KeyValues([(verbatim("Units"), 30)]),
        SignatureBlock([(verbatim("Director"), Name("Nguyễn Ẩn", "Nguyen An")), (verbatim("Clerk"), None)]),
        TableBlock(verbatim("Nothing"), (verbatim("a"),), ()),
        Grid(verbatim("No grid"), (), ()),
        LineChart(verbatim("No line"), (), ()),
    )
    texts = [one.text for one in found.paragraphs if one.text]
    assert texts == [
        "Report", "✗  Look", "age -d \\", "  -i key", "Nothing: nothing to show.", "No grid: nothing to show.",
        "No line: nothing to show.",
    ]  # fmt: skip
    facts, signed = found.tables
    assert [cell.text for cell in facts.rows[0].cells] == ["Units", "30"]
    assert [cell.text for cell in signed.rows[0].cells] == [
        "Director\nNguyen An\n(signature, full name, office)", "Clerk\n(signature, full name, office)",
    ]  # fmt: skip


def test_hostile_texts_are_text_in_every_part() -> None:
    texts = [HOSTILE, '" onload="x', "]]></w:t>", "&amp;", "{PAGE}", "\u202egpj.exe", VIETNAMESE]
    blocks: list[Block] = [Heading(2, verbatim(text)) for text in texts]
    blocks += [
        table(*((text, verbatim(text)) for text in texts)),
        KeyValues([(verbatim(text), text) for text in texts]),
    ]
    blocks.append(Bars(verbatim(HOSTILE), [(verbatim(text), [(Tone.GOOD, verbatim(text), 1)]) for text in texts]))
    data = made(*blocks, form=DocxPaperFormat(draw=some_dots))
    for name, part in parts(data).items():
        if name.endswith((".xml", ".rels", ".svg")):
            etree.fromstring(part)
            text = part.decode()
            assert "\u202e" not in text and "<script>" not in text, name
            assert unicodedata.is_normalized("NFC", text), name
    assert VIETNAMESE in said(main_part(data))
    assert len(list(main_part(data).iter(f"{W}instrText"))) == 1
    assert not [target for _name, target in relations(data) if "://" in target]


def test_a_word_of_a_million_letters_is_cut_and_the_end_says_so() -> None:
    word = "ữ" * 1_000_000
    text = said(main_part(made(Paragraph(verbatim(word)), table((word, 1)))))
    assert text.count("ữ") == 2 * (MAX_LETTERS - 1)
    assert text.endswith("2 texts are too long to print here and were cut; the formats html and json hold them in full")


def test_more_rows_than_a_word_processor_works_with_are_counted() -> None:
    rows = [(number, "x") for number in range(100)]
    found = opened(table(*rows), form=DocxPaperFormat(max_rows=90, draw=some_dots))
    assert len(found.tables[0].rows) == 91
    told = "10 more rows are left out, because no word processor handles so many; the formats csv and json hold them"
    assert found.paragraphs[-1].text == f"?  {told}"


@pytest.mark.heavy
def test_a_long_table_takes_little_memory() -> None:
    one = table(*((number, "Sở Y tế", VIETNAMESE) for number in range(2_000)))
    made(table(("a",)))
    tracemalloc.start()
    made(*[one] * 5)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 << 20


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_compliance_report_is_whole(language: str) -> None:
    shown = document()
    data = DocxPaperFormat(draw=some_dots).render(shown, language=language)
    root = main_part(data)
    found = open_docx(io.BytesIO(data))
    heads = [one.text for one in found.paragraphs if one.style and str(one.style.name).startswith("Heading")]
    reader = Reader(language, ZoneInfo(shown.zone))
    assert heads == [reader.text(block.text) for block in shown.blocks if isinstance(block, Heading)]
    text = said(root)
    for block in shown.blocks:
        if isinstance(block, TableBlock):
            assert all(reader.cell(cell) in text for row in block.rows for cell in row)
    kept = {name for name, _target in relations(data)}
    assert {str(each.get(EMBED)) for each in root.iter() if each.get(EMBED)} <= kept


def laid_out(data: bytes, folder: Path) -> list[str]:
    """Return the texts of the pages that LibreOffice makes of a document."""
    need("soffice", "pdftotext")
    (folder / "made.docx").write_bytes(data)
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{folder}/home", "--headless", "--convert-to", "pdf", "made.docx"],
        cwd=folder, check=True, capture_output=True, timeout=300, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    done = subprocess.run(["pdftotext", "-layout", "made.pdf", "-"], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode().split("\f")[:-1]


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["vi", "en"])
def test_libreoffice_lays_out_every_row_and_numbers_every_page(language: str, tmp_path: Path) -> None:
    shown = document()
    long = [
        TableBlock(verbatim(f"Table {at}"), [verbatim("Row by row"), *(verbatim("head of some words") for _ in range(5))],
              [(f"K{at:02d}{row:02d}", *(verbatim("Sở Văn hóa, Thể thao và Du lịch " * (1 + (row * at) % 3)),) * 5) for row in range(2 + at % 19)])
        for at in range(40)
    ]  # fmt: skip
    blocks = [Paragraph(verbatim(VIETNAMESE)), *shown.blocks, Heading(2, verbatim("Long")), *long]
    pages = laid_out(
        formats.load("docx").render(Document(shown.title, blocks, shown.footer, ZONE), language=language), tmp_path
    )
    assert VIETNAMESE in pages[0]
    assert set(re.findall(r"K\d{4}", "\n".join(pages))) == {str(row[0]) for one in long for row in one.rows}
    assert all(f"{number}/{len(pages)}" in page for number, page in enumerate(pages, 1))
