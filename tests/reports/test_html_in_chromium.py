"""The page as Chromium shows and prints it: no width runs over, axe-core finds nothing, each sheet of paper carries the proof."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from portalops.model.message import msg, verbatim
from portalops.reports import formats
from portalops.reports.document import Document, Grid, GridMark, Heading, Paragraph, Status, TableBlock, Tone
from portalops.reports.qr import QUIET_ZONE, qr_modules
from tests.chromium import Chromium
from tests.reports.sample import HOSTILE, VIETNAMESE, document

pytestmark = pytest.mark.heavy

WIDTHS = (360, 768, 1200)
CODE = "143-008f-008f-008f-008f-008f"
"""Of the sample's head."""
PAPER = 661
"""CSS pixels between the margins of A4."""
SIDE = 170
"""Of the code at the foot, in dots of a tenth of a millimetre."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def axe() -> str:
    found = find_spec("axe_core_python")
    assert found is not None and found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def written(folder: Path, document: Document, language: str) -> Path:
    path = folder / f"report.{language}.html"
    path.write_bytes(formats.load("html").render(document, language=language))
    return path


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    browser: Chromium, axe: str, tmp_path: Path, language: str, width: int
) -> None:
    path = written(tmp_path, document(), language)
    for dark in (False, True):
        tab = browser.open(path, width=width, dark=dark)
        assert tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert not tab.refused()
        assert not tab.violations(axe)


def test_axe_finds_nothing_where_captions_stand_twice_and_a_grid_has_many_bands(
    browser: Chromium, axe: str, tmp_path: Path
) -> None:
    mark = GridMark("✓", Tone.GOOD, msg("met"))
    days = [date(2026, 9, 1) + timedelta(days=number) for number in range(91)]
    table = TableBlock(msg("Sets"), (msg("Set"), msg("Outcome")), [("khanhhoa-1", msg("complete"))])
    grid = Grid(msg("Units and days"), days, [("unit-1", [mark] * len(days))], [(mark, msg("met"))])
    path = written(tmp_path, Document(msg("Report"), (Heading(2, msg("One")), table, grid, table, grid)), "en")
    assert not browser.open(path, width=360).violations(axe)


def test_axe_finds_what_is_wrong_with_a_page(browser: Chromium, axe: str, tmp_path: Path) -> None:
    """So that its silence above says something."""
    path = written(tmp_path, document(), "en")
    spoilt = path.read_text(encoding="utf-8").replace('<html lang="en">', "<html>", 1)
    path.write_text(spoilt.replace("--ink: #1b1f24", "--ink: #c0c0c0"), encoding="utf-8")
    rules = {each.partition(" ")[0] for each in browser.open(path).violations(axe)}
    assert {"html-has-lang", "color-contrast"} <= rules


def test_the_policy_holds_even_where_markup_of_others_got_in(browser: Chromium, tmp_path: Path) -> None:
    path = written(tmp_path, Document(verbatim(HOSTILE), (Paragraph(verbatim(HOSTILE)),)), "en")
    spoilt = "<script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\"><main>"
    path.write_text(path.read_text(encoding="utf-8").replace("<main>", spoilt, 1), encoding="utf-8")
    tab = browser.open(path)
    assert tab.evaluate("document.title") != "ran"
    assert len(tab.refused()) >= 2


def test_a_narrow_screen_shows_a_table_as_cards_that_name_each_value(browser: Chromium, tmp_path: Path) -> None:
    table = TableBlock(msg("Sets"), (msg("Set"), msg("Outcome")), [("khanhhoa-1", msg("complete"))])
    path = written(tmp_path, Document(msg("Report"), (table,)), "en")
    label = "getComputedStyle(document.querySelector('tbody td'), '::before').content"
    assert browser.open(path, width=360).evaluate(label) == '"Outcome: "'
    assert browser.open(path, width=768).evaluate(label) == "none"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_printed_page_is_a4_and_ends_with_the_head_code_and_its_number(
    browser: Chromium, tmp_path: Path, language: str
) -> None:
    data = browser.open(written(tmp_path, document(), language)).printed()
    assert "(A4)" in asked(data, "pdfinfo", "-").decode()
    pages = asked(data, "pdftotext", "-layout", "-", "-").decode().split("\f")[:-1]
    assert len(pages) > 10
    for number, page in enumerate(pages, 1):
        assert CODE in page
        assert re.search(rf"\b{number}/{len(pages)}\s*$", page), page[-300:]
    assert code_at_the_foot(data) == [list(row) for row in qr_modules(CODE)]


def test_heads_of_a_printed_table_are_repeated_and_stand_at_the_foot_of_no_page(
    browser: Chromium, tmp_path: Path
) -> None:
    rows = [(f"{VIETNAMESE} {number}", number) for number in range(9)]
    tables = [TableBlock(msg("Sets"), (msg("Unit"), msg("Copies")), rows) for _each in range(40)]
    data = browser.open(written(tmp_path, Document(msg("Report"), tables), "en")).printed()
    pages = asked(data, "pdftotext", "-layout", "-", "-").decode().split("\f")[:-1]
    assert len(pages) > 5
    for page in pages:
        lines = [line.split()[0] for line in page.splitlines() if line.strip()]
        table = [line for line in lines if not re.fullmatch(r"\d+/\d+", line)]
        assert "Unit" in lines[:3]
        assert table[-1] not in {"Unit", "Sets"}, page


def test_no_table_is_broader_than_a_printed_page(browser: Chromium, tmp_path: Path) -> None:
    """A browser would shrink all pages for it, until nobody could read them."""
    long = verbatim("no such file: " + "/srv/portal/data/" + "x" * 60)
    row = (
        "families.check-one",
        "host-01",
        "12.4",
        "2026-09-13",
        Status(msg("could not be answered"), Tone.UNSURE),
        long,
        long,
    )
    heads = [msg("Check"), msg("Host"), msg("Clause"), msg("Day"), msg("Result"), msg("Seen"), msg("Remedy")]
    for made, language in (
        (Document(msg("Report"), (TableBlock(msg("Checks"), heads, [row]),)), "en"),
        (document(), "vi"),
    ):
        tab = browser.open(written(tmp_path, made, language), width=PAPER)
        tab.ask("Emulation.setEmulatedMedia", media="print")
        assert tab.evaluate(
            "[...document.querySelectorAll('main *')].map(each => each.getBoundingClientRect().right)"
            ".reduce((most, each) => Math.max(most, each), 0)"
        ) <= PAPER + 1  # fmt: skip


def asked(data: bytes, *command: str) -> bytes:
    return subprocess.run([*command], input=data, capture_output=True, check=True).stdout


def code_at_the_foot(data: bytes) -> list[list[bool]]:
    """Return the modules that are seen at the right foot of the first page."""
    left, top, width, height = 1750, 2720, 220, 250
    dots = asked(
        data, "pdftoppm", "-r", "254", "-gray", "-l", "1", "-x", str(left), "-y", str(top), "-W", str(width),
        "-H", str(height), "-",
    )  # fmt: skip
    pixels = dots.split(maxsplit=4)[4]
    rows = [pixels[row * width : row * width + width] for row in range(height)]
    dark = [(x, y) for y, row in enumerate(rows) for x, pixel in enumerate(row) if pixel < 48]
    count = len(qr_modules(CODE))
    side = SIDE / (count + 2 * QUIET_ZONE)
    right = max(x for x, _y in dark)
    first_x = right + 1 - count * side
    first_y = min(y for x, y in dark if x >= first_x)
    return [
        [rows[round(first_y + (y + 0.5) * side)][round(first_x + (x + 0.5) * side)] < 128 for x in range(count)]
        for y in range(count)
    ]
