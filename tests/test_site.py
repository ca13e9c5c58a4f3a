"""The site of the documentation: whole, linked, bilingual, the same each time, and without a word to any network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from tests.chromium import Chromium

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).with_suffix("")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples/README.md")
)


def build(folder: Path, **surroundings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts/build_site.py", folder],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **surroundings},
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once, as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@dataclass
class Page(HTMLParser):
    """What a page names: its language, its ids, and all that it leads to or loads."""

    language: str = ""
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[tuple[str, str]] = field(default_factory=list)
    alternate: str = ""
    menu: list[str] = field(default_factory=list)
    _in_menu: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if "id" in named:
            self.ids.add(named["id"])
        if tag == "nav":
            self._in_menu = named.get("id") == "pages"
        if tag == "html":
            self.language = named["lang"]
        elif tag == "a":
            self.links.append(named["href"])
            if self._in_menu:
                self.menu.append(named["href"])
        elif tag == "link" and named["rel"] == "alternate":
            self.alternate = named["href"]
        elif tag in {"link", "script", "img", "iframe", "object", "source", "video", "audio"}:
            self.loaded.append((tag, named.get("href") or named.get("src") or named.get("data") or ""))


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    """Read every page of the site."""
    read = {}
    for path in site.rglob("*.html"):
        page = Page()
        page.feed(path.read_text(encoding="utf-8"))
        read[path.relative_to(site)] = page
    return read


@pytest.mark.heavy
def test_every_page_of_markdown_is_a_page_of_the_site(pages: dict[Path, Page]) -> None:
    assert len(PAGES) > 40
    assert [page for page in PAGES if Path(f"{page}.html") not in pages] == []


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    lost = []
    for name, page in pages.items():
        for link in (*page.links, page.alternate, *(address for _tag, address in page.loaded)):
            if not link or link.startswith(("https://", "http://")):
                continue
            address, _sharp, anchor = unquote(link).partition("#")
            address = address.partition("?")[0]
            target = Path(os.path.normpath(name.parent / address)) if address else name
            if not (site / target).is_file() or (anchor and anchor not in pages[target].ids):
                lost.append((str(name), link))

    assert lost == []


def test_nothing_is_loaded_from_elsewhere_and_scripts_are_for_the_search_alone(
    site: Path, pages: dict[Path, Page]
) -> None:
    for name, page in pages.items():
        assert [address for _tag, address in page.loaded if ":" in address or address.startswith("//")] == []
        assert any(tag == "script" for tag, _address in page.loaded) is (name.name == "search.html"), name
    for path in site.rglob("*.css"):
        assert not re.search(r"@import|url\((?!['\"]?(?:file|plus|minus)\.png)", path.read_text(encoding="utf-8")), path
    for path in site.rglob("*.js"):
        assert not re.search(r"(?:fetch|import|src ?=|open)\(?\s*['\"`]https?:", path.read_text(encoding="utf-8")), path


def test_each_page_has_its_language_and_leads_to_its_other_edition(pages: dict[Path, Page]) -> None:
    for name in PAGES:
        page = pages[Path(f"{name}.html")]
        assert page.language == ("vi" if name.suffix == ".vi" else "en"), name
        base = str(name).removesuffix(".vi").removesuffix(".en")
        editions = {Path(f"{base}{end}") for end in ("", ".en", ".vi")} & set(PAGES)
        others = {Path(os.path.normpath(name.parent / page.alternate))} if page.alternate else set()
        assert others == {Path(f"{each}.html") for each in editions - {name}}, name


def test_every_page_is_in_the_menu_of_its_language_once(pages: dict[Path, Page]) -> None:
    for language, start in (("en", "docs/index.html"), ("vi", "docs/index.vi.html")):
        every = [os.path.normpath(Path("docs") / link) for link in pages[Path(start)].menu]
        listed = sorted(name for name in every if name.endswith(".vi.html") is (language == "vi"))
        wanted = {f"{name}.html" for name in PAGES if (name.suffix == ".vi") is (language == "vi")}
        assert listed == sorted(wanted - {start}), "each once"


def test_no_page_tells_of_the_machine_that_made_it(site: Path) -> None:
    said = (str(ROOT).encode(), str(site).encode(), os.uname().nodename.encode() + b"<")
    files = [path for path in site.rglob("*") if path.is_file()]

    assert [path for path in files for word in said if word in path.read_bytes()] == []


@pytest.mark.heavy
def test_the_same_pages_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    assert build(tmp_path / "again", TZ="Asia/Ho_Chi_Minh", PYTHONHASHSEED="7", LANG="vi_VN.UTF-8").returncode == 0

    made = {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    again = {
        path.relative_to(tmp_path / "again"): path.read_bytes()
        for path in (tmp_path / "again").rglob("*")
        if path.is_file()
    }
    assert made.keys() == again.keys()
    assert [path for path, data in made.items() if again[path] != data] == []


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")

    done = build(tmp_path)

    assert done.returncode == 1
    assert "holds something other than a site" in done.stderr
    assert (tmp_path / "letter.txt").read_text() == "mine"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture(scope="module")
def axe() -> str:
    found = find_spec("axe_core_python")
    assert found is not None and found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.heavy
@pytest.mark.browser
@pytest.mark.parametrize(
    "share", [pytest.param(slice(8, None), marks=pytest.mark.heavy), slice(8)], ids=["rest", "longest"]
)
def test_no_page_is_broader_than_a_telephone(
    site: Path, pages: dict[Path, Page], browser: Chromium, share: slice
) -> None:
    by_size = sorted(
        pages.keys() - {Path("index.html")}, key=lambda name: ((site / name).stat().st_size, name), reverse=True
    )
    broad = {}
    for name in by_size[share]:
        tab = browser.open(site / name, width=360)
        width = tab.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            broad[name] = width
        assert list(tab.refused()) == []

    assert broad == {}


@pytest.mark.heavy
@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "dark"), [("docs/configuration.html", False), ("docs/reports.vi.html", True), ("docs/index.html", False)]
)
def test_axe_finds_nothing_wrong(site: Path, browser: Chromium, axe: str, name: str, dark: bool) -> None:
    assert list(browser.open(site / name, dark=dark).violations(axe)) == []


@pytest.mark.browser
@pytest.mark.parametrize(("asked", "found"), [("erasing", "docs/ledger-format.html"), ("quyết định", ".vi.html")])
def test_the_search_works_from_a_folder(site: Path, browser: Chromium, asked: str, found: str) -> None:
    tab = browser.open(site / "docs/index.html")

    form = tab.evaluate("(({action, method}) => [action, method])(document.querySelector('header form'))")
    assert form == [(site / "search.html").as_uri(), "get"]
    tab.ask("Page.navigate", url=f"{form[0]}?q={quote(asked)}")

    until = time.monotonic() + 30
    results: list[str] = []
    while (
        not any(found in address for address in results) and time.monotonic() < until
    ):  # they come one after the other
        results = tab.evaluate("[...document.querySelectorAll('#search-results a')].map(each => each.href)")
        time.sleep(0.05)
    assert any(found in address for address in results)
