"""PDFs: read back by poppler and qpdf, which are not what wrote them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import pytest

from portalops.errors import UnknownReport
from portalops.model.message import msg, verbatim
from portalops.reports import formats
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
    Quantity,
    SignatureBlock,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from portalops.reports.formats._pdf_blocks import MOST_LETTERS
from portalops.reports.formats.pdf import PdfPaperFormat, TypstFailure, missing_font, typeset
from portalops.reports.qr import QUIET_ZONE, qr_modules
from tests.reports.sample import HOSTILE, VIETNAMESE, document

MARKS = '#panic("x") $x$ *b* _i_ `c` <l> @r // // /* "q" \\u{41} ~ -- --- ... #{1+1} [c] =1+1'
ZONE = "Asia/Ho_Chi_Minh"
A4_POINTS = (595.276, 841.89)
CODE = "143-008f-008f-008f-008f-008f"


@lru_cache
def sample(language: str) -> bytes:
    return formats.load("pdf").render(document(), language=language)


def pdf(*blocks: Block, form: PdfPaperFormat | None = None, title: str = "Report") -> bytes:
    made = Document(verbatim(title), blocks, ((msg("Head code"), CODE), (msg("Portal"), "Cổng")), zone=ZONE)
    return (form or PdfPaperFormat()).render(made, language="en")


def asked(data: bytes, *command: str) -> str:
    return subprocess.run([*command], input=data, capture_output=True, check=True).stdout.decode("utf-8")


def text_of(data: bytes) -> str:
    return " ".join(asked(data, "pdftotext", "-", "-").split())


def pages_of(data: bytes) -> list[str]:
    return asked(data, "pdftotext", "-layout", "-", "-").split("\f")[:-1]


def words_of(data: bytes) -> Iterator[tuple[float, float, float, float]]:
    """Yield where each word ends, and how large its page is."""
    for page in asked(data, "pdftotext", "-bbox", "-", "-").split("<page ")[1:]:
        width, height = re.findall(r'width="([\d.]+)" height="([\d.]+)"', page)[0]
        for right, bottom in re.findall(r'xMax="([\d.]+)" yMax="([\d.]+)"', page):
            yield float(right), float(bottom), float(width), float(height)


def tags_of(data: bytes) -> str:
    return asked(data, "pdfinfo", "-struct-text", "-")


def told_by_qpdf(data: bytes, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "made.pdf").write_bytes(data)
    return subprocess.run(
        ["qpdf", *options, "made.pdf"], cwd=folder, capture_output=True, check=False, text=True, encoding="utf-8"
    )


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_file_claims_to_be_archivable_and_accessible_and_says_its_title_and_language(language: str) -> None:
    head = sample(language).decode("latin-1")
    assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in head
    assert "<pdfuaid:part>1</pdfuaid:part>" in head
    assert f"<dc:language><rdf:Bag><rdf:li>{language}</rdf:li>" in head
    told = asked(sample(language), "pdfinfo", "-")
    title = next(line for line in told.splitlines() if line.startswith("Title:"))
    assert "Cổng thông tin điện tử" in title if language == "vi" else "portal" in title
    assert re.search(r"Tagged: +yes", told)
    assert re.search(r"JavaScript: +no", told)


def test_a_file_is_sound_and_its_headings_are_bookmarks(tmp_path: Path) -> None:
    checked = told_by_qpdf(sample("en"), tmp_path, "--check")
    assert checked.returncode == 0, checked.stderr
    outlines = json.loads(told_by_qpdf(sample("en"), tmp_path, "--json=2", "--json-key=outlines").stdout)["outlines"]
    assert [each["title"] for each in outlines][:2] == ["I. Scope and basis", "II. Proof of this report"]
    assert any(each["kids"] for each in outlines), "a smaller heading lies below a larger one"


def test_tables_heads_captions_and_lists_are_tagged_and_each_chart_says_what_it_shows(tmp_path: Path) -> None:
    grid = Grid(msg("Units and days"), [date(2026, 9, 1)], [("Sở Y tế", (GridMark("✓", Tone.GOOD, msg("met")),))])
    bars = Bars(msg("Duties"), [(msg("All"), [(Tone.GOOD, msg("met"), 7), (Tone.BAD, msg("unmet"), 2)])])
    table = TableBlock(msg("Updates by unit"), (msg("Unit"),), [(VIETNAMESE,)])
    data = pdf(Heading(2, msg("Duties")), table, grid, bars, Bullets([msg("met")]))

    tags = tags_of(data)

    for tag in ("H1 ", "Caption", "THead", "TH <", "/Scope /Column", "LI", "Figure"):
        assert tag in tags
    objects = told_by_qpdf(data, tmp_path, "--json=2", "--json-key=qpdf").stdout
    described = [json.loads(f'"{found}"') for found in re.findall(r'"/Alt": "u:((?:[^"\\]|\\.)*)"', objects)]
    assert "Units and days. 1 Sep 2026 – 1 Sep 2026" in described
    assert "Duties. All: met 7, unmet 2" in described


@pytest.mark.parametrize("language", ["vi", "en"])
def test_nothing_of_the_compliance_report_runs_over_the_edge_of_its_page(language: str) -> None:
    for right, bottom, width, height in words_of(sample(language)):
        assert right <= width - 37  # the margin of 15 mm is 42.5 points; each poppler measures words in its own way
        assert bottom <= height - 25


def test_every_page_has_the_facts_the_head_code_and_the_number_of_pages() -> None:
    pages = pages_of(sample("en"))
    assert len(pages) > 10
    for number, page in enumerate(pages, 1):
        assert "Head code: 143-008f-008f-008f-008f-008f" in page
        assert f"{number}/{len(pages)}" in page


def foot_of(data: bytes) -> list[bytes]:
    """Return the rows of pixels, ten a millimetre, of the place at the foot of the first page where a code would be."""
    dots = subprocess.run(
        ["pdftoppm", "-r", "254", "-gray", "-l", "1", "-x", "1780", "-y", "2690", "-W", "170", "-H", "230", "-"],
        input=data, capture_output=True, check=True,
    ).stdout  # fmt: skip
    kind, width, height, _most, pixels = dots.split(maxsplit=4)
    assert (kind, width, height) == (b"P5", b"170", b"230")
    return [pixels[row * 170 : row * 170 + 170] for row in range(230)]


def test_the_head_code_stands_at_the_foot_as_a_code_for_machines_too() -> None:
    modules = qr_modules(CODE)
    side = 170 / (len(modules) + 2 * QUIET_ZONE)
    rows = foot_of(pdf(Paragraph(msg("met"))))
    dark_rows = [at for at, row in enumerate(rows) if sum(pixel < 64 for pixel in row) > 20]
    top = dark_rows[0] - QUIET_ZONE * side

    seen = [
        [
            rows[round(top + (y + QUIET_ZONE + 0.5) * side)][round((x + QUIET_ZONE + 0.5) * side)] < 128
            for x in range(len(modules))
        ]
        for y in range(len(modules))
    ]

    assert seen == [list(row) for row in modules]


def test_a_document_without_a_head_code_has_no_code_at_its_foot() -> None:
    footer = ((msg("Portal"), "Cổng thông tin"),)
    data = PdfPaperFormat().render(Document(msg("Report"), (Paragraph(msg("met")),), footer), language="en")
    assert not [row for row in foot_of(data) if sum(pixel < 64 for pixel in row) > 20]


def test_heads_of_a_table_are_repeated_on_each_page() -> None:
    rows = [(f"unit {number}", number, ByteSize(number * 1000)) for number in range(300)]
    pages = pages_of(pdf(TableBlock(msg("Updates by unit"), (msg("Unit"), msg("Copies"), msg("Size")), rows)))
    assert len(pages) > 3
    assert all("Unit" in page and "Copies" in page for page in pages)


def test_the_vietnamese_string_survives_wherever_a_text_can_stand() -> None:
    sentence = verbatim(VIETNAMESE)
    blocks = (
        Heading(2, sentence),
        Paragraph(sentence),
        Verbatim(VIETNAMESE),
        Bullets([sentence]),
        KeyValues([(sentence, VIETNAMESE)]),
        TableBlock(sentence, (sentence,), [(VIETNAMESE,)]),
        Notice(sentence),
        Grid(sentence, [date(2026, 9, 1)], [(VIETNAMESE, (GridMark("✓", Tone.GOOD, sentence),))]),
    )
    data = pdf(*blocks, title=VIETNAMESE)
    assert "".join(text_of(data).split()).count("".join(VIETNAMESE.split())) >= 11, (
        "older poppler sees more spaces, and one in another order"
    )
    assert VIETNAMESE in asked(data, "pdfinfo", "-")


def test_words_of_others_are_never_read_as_marks() -> None:
    for text in (MARKS, HOSTILE):
        sentence = verbatim(text)
        data = pdf(
            Heading(2, sentence),
            Paragraph(sentence),
            TableBlock(sentence, (sentence,), [(text,)]),
            Notice(sentence),
            title=text,
        )
        shown = text.replace("\x1b", "\\u001b").replace("\u202e", "\\u202e").replace("\x00", "\\u0000")
        assert text_of(data).replace(" ", "").count(shown.replace(" ", "")) >= 6


def test_a_word_of_a_megabyte_is_cut_stays_on_its_page_and_the_file_says_so() -> None:
    word = "ữ" * 1_000_000
    data = pdf(
        Paragraph(verbatim(word)),
        TableBlock(msg("Updates by unit"), [verbatim(word[:2000]), msg("Unit")], [(word, VIETNAMESE)]),
        KeyValues([(msg("Unit"), word)]),
        Heading(2, verbatim("x" * 300)),
        title="y" * 300,
    )
    text = text_of(data)
    assert all(right <= width - 38 for right, _bottom, width, _height in words_of(data))
    assert text.replace(" ", "").count("ữ") < 5 * MOST_LETTERS
    assert "texts are too long to print here and were cut; the formats html and json hold them in full" in text


def test_a_table_of_many_columns_lies_on_its_side_with_the_heading_before_it() -> None:
    wide = TableBlock(
        msg("Updates by unit"),
        [verbatim(f"column {number}") for number in range(12)],
        [[f"{number} sentences of several words" for number in range(12)]],
    )
    data = pdf(Paragraph(msg("met")), Heading(2, msg("Duties")), Paragraph(msg("unmet")), wide, Paragraph(msg("met")))
    told = asked(data, "pdfinfo", "-l", "9", "-")
    sizes = re.findall(r"Page +\d+ size: +([\d.]+) x ([\d.]+)", told)
    assert [float(width) > float(height) for width, height in sizes] == [False, True, False]
    assert "Duties" in pages_of(data)[1]
    assert {round(float(side)) for size in sizes for side in size} == {round(side) for side in A4_POINTS}


def test_what_does_not_fit_is_counted() -> None:
    rows = [(f"row-{number}", number) for number in range(400)]
    table = TableBlock(msg("Updates by unit"), (msg("Unit"), msg("Copies")), rows)
    text = text_of(pdf(table, Bullets([msg("met")]), form=PdfPaperFormat(most_cost=100)))
    shown = len(re.findall(r"row-\d+", text))
    assert 0 < shown < 100
    assert (
        f"{400 - shown} more are not printed here, because a PDF holds no more; the formats xlsx, json and html" in text
    )
    assert "• met" in text


@pytest.mark.heavy
def test_a_grid_of_more_rows_than_a_page_holds_goes_on_on_the_next_one() -> None:
    days = [date(2026, 9, 1) + timedelta(days=number) for number in range(30)]
    marks = [GridMark("✗", Tone.BAD, msg("unmet"))] * 30
    data = pdf(Grid(msg("Units and days"), days, [(f"Xã {number}", marks) for number in range(120)]))
    text = text_of(data)
    assert all(f"Xã {number}" in text for number in range(120))
    assert all(bottom <= height - 25 for _right, bottom, _width, height in words_of(data))


def test_letters_that_no_font_shows_are_written_by_their_code_points_and_the_file_says_so() -> None:
    data = pdf(Paragraph(verbatim("chữ \U00016b1c và ư")), TableBlock(msg("Unit"), (msg("Unit"),), [("\U00016b1c",)]))
    text = text_of(data)
    assert "chữ \\U00016b1c và ư" in text
    assert text.count("\\U00016b1c") == 2
    assert "are written as their code points" in text


def test_a_chart_of_a_thousand_hosts_says_in_words_what_a_pdf_can_hold() -> None:
    parts = [(Tone.GOOD, msg("pass"), 50), (Tone.BAD, msg("fail"), 3), (Tone.UNSURE, msg("unknown"), 7)]
    rows = [(verbatim(f"máy-chủ-{number}.khanhhoa.gov.vn"), parts) for number in range(1000)]
    assert pdf(Bars(msg("bars"), rows)).startswith(b"%PDF-")


def test_files_names_and_units_of_numbers_are_spelled_out_as_other_texts_are() -> None:
    cells: tuple[Cell, ...] = (FileLink("biên \U00016b1c.pdf"), Quantity(1.5, 1, "\U00016b1c"))
    text = text_of(pdf(KeyValues([(msg("Unit"), cell) for cell in cells])))
    assert "biên \\U00016b1c.pdf" in text
    assert text.count("\\U00016b1c") == 2


@pytest.mark.parametrize("word", ["العربية", "ខ្មែរ", "தமிழ்", "עברית", "a\u0301\u0323\u0330x", "한국어 中文"])
def test_any_script_is_shown_or_spelled_out(word: str) -> None:
    text = text_of(pdf(Paragraph(verbatim(f"before {word} after")), title=word))
    assert text.count("before") == text.count("after") == 1


def test_a_period_without_data_gives_a_file_that_says_so() -> None:
    empty = (
        TableBlock(msg("Updates by unit"), (msg("Unit"),), ()),
        Grid(msg("Units and days"), [], []),
        LineChart(msg("Availability"), [], []),
        Bars(msg("Duties"), []),
    )
    assert text_of(pdf(*empty)).count("nothing to show.") == 4
    assert "1/1" in text_of(pdf())


@pytest.mark.parametrize(
    "block",
    [
        Heading(2, verbatim("")),
        Heading(4, verbatim(" ")),
        Paragraph(verbatim("")),
        Verbatim(""),
        Bullets([]),
        KeyValues([]),
        Notice(verbatim("")),
        SignatureBlock(()),
        TableBlock(verbatim(""), (), [()]),
        TableBlock(verbatim(""), (verbatim(""),), [("",)]),
        TableBlock(msg("Unit"), [msg("Unit")] * 40, [["several words"] * 40]),
    ],
)
def test_no_block_that_is_empty_or_overfull_keeps_a_report_from_being_made(block: Block) -> None:
    data = pdf(block, Paragraph(msg("met")), title="")
    assert "met" in text_of(data)
    assert all(right <= width - 38 for right, _bottom, width, _height in words_of(data))


def test_states_are_their_shape_and_word_and_no_mere_colour() -> None:
    rows = [(Status(msg("unmet"), Tone.BAD),), (Status(msg("insufficient evidence"), Tone.UNSURE),)]
    text = text_of(pdf(TableBlock(msg("Duties"), (msg("Verdict"),), rows)))
    assert "✗ unmet" in text
    assert "? insufficient evidence" in text


def test_a_missing_font_is_a_warning_that_names_what_is_taken_instead() -> None:
    assert missing_font({"Liberation Sans", "DejaVu Sans"}) == ()
    (said,) = missing_font({"DejaVu Sans", "Libertinus Serif"})
    assert str(said) == (
        "the font Liberation Sans is not on this machine, so PDF files are set in DejaVu Sans; the package"
        " fonts-liberation installs it"
    )
    assert "set in Libertinus Serif" in str(missing_font(set())[0])


def test_without_typst_nothing_is_made_and_the_hint_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UnknownReport, match="PDF needs the package typst") as caught:
        formats.lacks([formats.load("html"), formats.load("pdf")])
    assert f"{sys.executable} -m pip install 'portalops[pdf]'" in str(caught.value.hint)


def test_what_typst_says_of_a_fault_is_kept() -> None:
    refused = typeset({"page.json": b"{}"}, ())
    assert isinstance(refused, TypstFailure)
    assert "words" in refused.error


@pytest.mark.heavy
def test_a_hundred_thousand_rows_and_a_thousand_units_stay_within_512_mib() -> None:
    script = (
        "import resource\n"
        "from datetime import date, timedelta\n"
        "from portalops.model.message import msg\n"
        "from portalops.reports.document import *\n"
        "from portalops.reports.formats.pdf import FORMAT\n"
        "rows = [(f'Ủy ban nhân dân xã {n}', 'a' * 64, n, Status(msg('unmet'), Tone.BAD)) for n in range(100_000)]\n"
        "table = TableBlock(msg('Updates by unit'), [msg('Unit'), msg('Copies'), msg('Size'), msg('Verdict')], rows)\n"
        "days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]\n"
        "marks = [GridMark('✗', Tone.BAD, msg('unmet'))] * 365\n"
        "grid = Grid(msg('Units and days'), days, [(f'Xã {n}', marks) for n in range(1000)])\n"
        "made = FORMAT.render(Document(msg('Report'), (table, grid)), language='vi')\n"
        # ru_maxrss of the process itself begins with that of whatever forked it.
        "own = next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "most = own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(len(made) > 100_000, most)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    is_made, most_kib = done.stdout.split()
    assert is_made == "True"
    assert int(most_kib) < 512 * 1024
