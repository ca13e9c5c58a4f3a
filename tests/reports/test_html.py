"""The page: self-contained, well formed, readable by all, the same bytes for the same document."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pytest

from portalops.model.message import msg, verbatim
from portalops.model.organisation import Name
from portalops.reports import formats
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    Document,
    Grid,
    GridMark,
    Heading,
    KeyValues,
    Line,
    LineChart,
    Notice,
    Paragraph,
    Status,
    TableBlock,
    Tone,
)
from tests.reports.page import Page
from tests.reports.sample import HOSTILE, VIETNAMESE, document

LANGUAGES = ("vi", "en")
STYLE = Path(formats.__path__[0]) / "page.css"


@lru_cache
def page_text(language: str) -> str:
    return formats.load("html").render(document(), language=language).decode("utf-8")


@lru_cache
def page(language: str) -> Page:
    return Page(page_text(language))


def rendered(*blocks: Block) -> str:
    return formats.load("html").render(Document(msg("Report"), blocks), language="en").decode("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_has_a_caption_and_scoped_headers(language: str) -> None:
    tables = page(language).root.all("table")
    assert len(tables) >= 8
    for table in tables:
        assert len(table.all("caption")) == 1
        assert table.all("caption")[0].words().strip()
        assert {header.attributes["scope"] for header in table.all("thead")[0].all("th")} == {"col"}
        width = len(table.all("thead")[0].all("th"))
        for row in table.all("tbody")[0].all("tr"):
            assert [head.attributes["scope"] for head in row.all("th")] == ["row"]
            assert len(row.children) == width


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_fetched_and_nothing_can_run(language: str) -> None:
    elements = page(language).every()
    policies = [e for e in elements if e.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert [policy.attributes["content"].split("; ")[:3] for policy in policies] == [
        ["default-src 'none'", "style-src 'unsafe-inline'", "img-src data:"]
    ]
    assert not {"script", "link", "iframe", "object", "embed", "img", "form", "base"} & {e.tag for e in elements}
    for element in elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"<{element.tag} {name}>"
            assert "://" not in value, f"<{element.tag} {name}={value}>"
            if name in {"href", "src", "xlink:href"}:
                assert value.startswith("#")
    style = page(language).root.all("style")[0].text
    assert set(re.findall(r"url\(.{,40}", style)) == {'url("data:image/svg+xml;base64,PHN2ZyB4bWxuc'}
    assert "@import" not in style


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_its_language_and_has_landmarks(language: str) -> None:
    root = page(language).root
    assert root.all("html")[0].attributes["lang"] == language
    for landmark in ("header", "nav", "main", "footer"):
        assert len(root.all(landmark)) == 1
    assert len(root.all("h1")) == 1
    levels = [int(e.tag[1]) for e in page(language).every() if re.fullmatch(r"h[1-6]", e.tag)]
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels)), "a heading level is skipped"


@pytest.mark.parametrize("language", LANGUAGES)
def test_ids_are_unique_and_every_reference_has_its_target(language: str) -> None:
    elements = page(language).every()
    ids = [e.attributes["id"] for e in elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    wanted = [e.attributes["href"][1:] for e in elements if "href" in e.attributes]
    wanted += [name for e in elements for name in e.attributes.get("aria-labelledby", "").split()]
    assert set(wanted) <= set(ids)
    assert len([e for e in elements if e.tag == "a"]) == 11


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_says_in_words_what_it_shows(language: str) -> None:
    pictures = page(language).root.all("svg")
    assert len(pictures) >= 4
    for picture in pictures:
        assert picture.attributes["role"] == "img"
        assert [child.tag for child in picture.children[:2]] == ["title", "desc"]
        assert all(child.words().strip() for child in picture.children[:2])


def test_a_status_is_said_by_word_and_shape_and_not_by_colour_alone() -> None:
    table = TableBlock(msg("cap"), (msg("a"), msg("b")), [("x", Status(msg("unmet"), Tone.BAD))])
    status = next(e for e in Page(rendered(table)).every() if e.attributes.get("class") == "status bad")
    assert status.words() == "✗ unmet"


def test_a_long_status_may_wrap_so_that_no_table_runs_over_the_edge() -> None:
    remark = "announced late, on 9 Sep 2026, the decision itself was not kept"
    table = TableBlock(msg("cap"), (msg("a"),), [(Status(verbatim(remark), Tone.UNSURE),)])
    assert any(e.attributes.get("class") == "status unsure long" for e in Page(rendered(table)).every())


def test_text_of_others_is_shown_and_never_obeyed() -> None:
    hostile = verbatim(HOSTILE)
    mark = GridMark(HOSTILE[:3], Tone.BAD, hostile)
    text = rendered(
        Heading(2, hostile),
        Paragraph(hostile),
        Notice(Name(HOSTILE, HOSTILE)),
        Bullets([hostile]),
        KeyValues([(hostile, HOSTILE)]),
        TableBlock(hostile, [hostile], [[HOSTILE], [hostile], [Status(hostile, Tone.BAD)]]),
        Grid(hostile, [HOSTILE], [(HOSTILE, [mark])], [(mark, hostile)], {0: hostile}),
        Bars(hostile, [(hostile, [(Tone.BAD, hostile, 1)])]),
        LineChart(
            hostile, [date(2026, 11, 2)], [Line(hostile, Tone.BAD, [1.0])], unit=HOSTILE, limits=[(hostile, 2.0)]
        ),
    )
    elements = Page(text).every()
    assert not {"script", "img"} & {e.tag for e in elements}
    assert not [e for e in elements if "onerror" in e.attributes or "src" in e.attributes]
    assert not set("\x00\x1b\u202e") & set(text)
    assert "\\u202e" in text
    assert "<script>" not in text
    assert Page(text).root.all("h2")[0].words().startswith('<script>alert("x")</script> \\u001b[31m')


def test_the_footer_of_a_printed_page_cannot_end_the_style_sheet() -> None:
    footer = ((msg("Ledger"), '</style><script>x</script>" } body { display: none } /*'),)
    text = formats.load("html").render(Document(msg("Report"), (), footer), language="en").decode()
    parsed = Page(text)
    assert len(parsed.root.all("style")) == 1
    assert not parsed.root.all("script")
    assert "display: none }" not in parsed.root.all("style")[0].text


def test_the_facts_at_the_foot_of_a_printed_page_are_bounded() -> None:
    footer = ((msg("Portal"), "Cổng " * 400),)
    style = Page(formats.load("html").render(Document(msg("Report"), (), footer), language="en").decode()).root.all(
        "style"
    )
    (foot,) = re.findall(r'@bottom-left { content: "([^"]*)"', style[0].text)
    assert len(re.sub(r"\\[0-9a-f]{6}", " ", foot)) == 320
    assert foot.endswith("\\002026")
    assert "url(" not in style[0].text


def test_vietnamese_survives_in_composed_form() -> None:
    text = rendered(Paragraph(verbatim(unicodedata.normalize("NFD", VIETNAMESE))))
    assert VIETNAMESE in text
    assert unicodedata.is_normalized("NFC", page_text("vi"))
    assert VIETNAMESE in page_text("vi")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_document_gives_the_same_bytes(language: str) -> None:
    assert formats.load("html").render(document(), language=language).decode() == page_text(language)


def test_a_table_without_rows_says_so_in_words() -> None:
    assert "Sets: nothing to show." in Page(rendered(TableBlock(msg("Sets"), [msg("Set")], []))).root.words()


def test_a_head_code_is_never_broken_where_it_is_compared_by_eye() -> None:
    table = TableBlock(msg("Heads"), (msg("Head code"), msg("Kept by")), [("412-9f3a-77c0-21de-8b4c-5a10", "share-a")])
    shown = rendered(table)

    assert '<th scope="row" class="head-code" data-head="Head code">412-9f3a-77c0-21de-8b4c-5a10</th>' in shown
    assert ".head-code { white-space: nowrap; }" in shown


def test_a_cell_with_a_long_word_may_break_it_and_no_other_does() -> None:
    path = "/usr/share/portal/" + "x" * 30
    shown = Page(
        rendered(TableBlock(msg("cap"), (msg("a"), msg("b")), [(verbatim(f"see {path}"), verbatim("a short one"))]))
    )
    assert shown.root.all("tbody")[0].all("th")[0].attributes["class"] == "broken"
    assert "class" not in shown.root.all("td")[0].attributes


def test_text_and_its_ground_differ_enough_in_light_and_dark() -> None:
    sheet = STYLE.read_text(encoding="utf-8")
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in sheet.split("@media", 2)[:2])
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        pairs = [("ink", "paper"), ("soft", "paper"), ("soft", "band"), ("ink", "band"), ("link", "band")]
        pairs += [(tone, f"{tone}-back") for tone in ("good", "bad", "unsure", "neutral")]
        pairs += [("neutral", "paper"), ("ink", "neutral-back"), ("soft", "neutral-back")]
        for text, ground in pairs:
            assert contrast(colours[text], colours[ground]) >= 4.5, f"{text} on {ground}"


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, success criterion 1.4.3."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
