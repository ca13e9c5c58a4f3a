"""All formats: found by their names, deterministic, and safe with text of others."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path

import pytest

from portalops.errors import UnknownReport
from portalops.model.message import msg, verbatim
from portalops.reports import formats
from portalops.reports.document import Bullets, Document, Heading, Paragraph, TableBlock
from portalops.reports.formats.markdown import escape
from portalops.reports.named import load_report, report_names
from portalops.reports.reader import one_line
from tests.reports.sample import HOSTILE, VIETNAMESE, document


def without_spaces(text: str) -> str:
    """The text as any poppler reads it: that of Debian 12 sees spaces beside some letters with marks."""
    return "".join(text.split())


def text_in(data: bytes) -> str:
    """Return the text of a file, or of all parts of one that is an archive, without its pictures of dots; of a PDF on one line."""
    if data.startswith(b"%PDF"):
        told = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True).stdout
        return " ".join(told.decode("utf-8").split())
    if not data.startswith(b"PK"):
        return data.decode("utf-8").replace("\r\n", "\n")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if not name.endswith(".png")]
        return "\n".join(archive.read(name).decode("utf-8") for name in names)


def test_formats_are_their_modules() -> None:
    assert {"csv", "html", "json", "markdown", "pdf", "xlsx"} <= set(formats.names())
    assert {".csv", ".html", ".json", ".md", ".pdf", ".xlsx"} <= {formats.load(name).suffix for name in formats.names()}


@pytest.mark.parametrize("page", ["report-formats.md", "report-formats.vi.md"])
def test_every_format_is_explained_in_both_languages(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    assert [name for name in formats.names() if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("name", ["terminal", "odt", "../html", "__init__", ""])
def test_a_format_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(UnknownReport) as caught:
        formats.load(name)
    assert str(caught.value.hint).endswith(f"Choose one of: {', '.join(formats.names())}.")


def test_a_report_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert "compliance" in report_names()
    with pytest.raises(UnknownReport, match="there is no report nothing"):
        load_report("nothing")


@pytest.mark.parametrize("name", formats.names())
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_same_document_gives_the_same_bytes(name: str, language: str) -> None:
    data = formats.load(name).render(document(), language=language)
    assert data == formats.load(name).render(document(), language=language)
    text = text_in(data)
    assert unicodedata.is_normalized("NFC", text)
    assert without_spaces(VIETNAMESE) in without_spaces(json.dumps(text, ensure_ascii=False))


@pytest.mark.parametrize("name", formats.names())
def test_no_format_lets_a_control_character_through(name: str) -> None:
    text = text_in(formats.load(name).render(document(), language="vi"))
    assert not {c for c in text if unicodedata.category(c) == "Cc" and c != "\n"}


@pytest.mark.heavy
def test_bytes_do_not_depend_on_the_order_of_hashing() -> None:
    """This process orders by a seed of its own."""
    script = (
        "import hashlib\nfrom portalops.reports import formats\nfrom tests.reports.sample import document\n"
        "print([hashlib.sha256(formats.load(n).render(document(), language='vi')).hexdigest() for n in formats.names()])"
    )
    there = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONHASHSEED": "1"}, capture_output=True, check=True, text=True
    ).stdout
    here = [hashlib.sha256(formats.load(n).render(document(), language="vi")).hexdigest() for n in formats.names()]
    assert there == f"{here}\n"


def test_markdown_shows_markup_instead_of_obeying_it() -> None:
    rows = [[HOSTILE, "a|b"]]
    blocks = (Heading(2, verbatim("# <b>")), Paragraph(verbatim("1. not a list")), Bullets([verbatim("- nor this")]))
    made = Document(msg("Report"), (*blocks, TableBlock(msg("cap"), (msg("a"), msg("b")), rows)))
    text = formats.load("markdown").render(made, language="en").decode()
    assert "## \\# \\<b\\>" in text
    assert "\n1\\. not a list" in text or "\n\\1. not a list" in text
    assert "a\\|b" in text
    assert "<script>" not in text
    assert "\\<script\\>" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b*c", "a\\_b\\*c"),
        ("- x", "\\- x"),
        ("1. x", "1\\. x"),
        ("3) x", "3\\) x"),
        ("plain, words.", "plain, words."),
    ],
)
def test_signs_that_commonmark_would_read_are_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_data_keeps_types() -> None:
    data = json.loads(formats.load("json").render(document(), language="en"))
    sets = next(block for block in data["blocks"] if block.get("caption") == "Backup sets made in the period")
    assert sets["rows"][0][4] == {"bytes": 2_800_000_000}
    assert sets["rows"][0][1] == "2026-08-18T19:05:00+00:00"
    assert data["zone"] == "Asia/Ho_Chi_Minh"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (VIETNAMESE, VIETNAMESE),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[31m", "\\u001b[31m"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("x\ud800", "x\\ud800"),
        ("\U000e0001", "\\U000e0001"),
        ("1\u00a0000", "1\u00a0000"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_characters_that_act_on_the_display_are_shown_by_their_codes(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize("page", ["reports.md", "reports.vi.md"])
def test_every_report_has_a_row_that_says_what_it_can_be_cut_down_by_and_a_section_in_both_languages(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| [`")}
    scopes = {
        name: ", ".join(f"`--{each}`" for each in sorted(load_report(name).scopes)) or "–" for name in report_names()
    }

    assert {name: row.rpartition(" | ")[2].removesuffix(" |") for name, row in rows.items()} == scopes
    assert [name for name in report_names() if f"\n## {name}\n" not in text] == []
