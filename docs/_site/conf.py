"""How the pages become a site: `make docs` calls Sphinx with this, from the root of the source.

The pages are plain Markdown that reads well without it. What stands in which part of the menu is what docs/index.md and
docs/index.vi.md list; a page that they do not name comes last by itself. The site needs no network: no font, script or
picture comes from elsewhere, and but for the search no page has a script.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from portalops import __version__

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("*.md", "docs/*.md", "docs/decisions/*.md", "examples/README.md")
START = "docs/index"

project = "portalops"
version = release = __version__
extensions = ["myst_parser"]
root_doc = START
include_patterns = list(PAGES)
exclude_patterns = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in {"docs", "examples"}] + [
    "docs/_site",
    "docs/schemas",
]
suppress_warnings = ["toc.not_included"]  # the menu is made below, and lacks no page
source_suffix = {".md": "markdown"}
myst_heading_anchors = 5
language = "en"

html_theme = "basic"
html_title = "portalops"
templates_path = ["."]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_show_search_summary = False  # it would be fetched, which a browser does not do for files
html_permalinks = False
html_domain_indices = False

WORDS = {
    "en": {
        "pages": "All pages",
        "here": "On this page",
        "search": "Search",
        "other": "Tiếng Việt",
        "more": "More",
        "top": "Skip to the text",
        "version": "Version",
    },
    "vi": {
        "pages": "Tất cả các trang",
        "here": "Trong trang này",
        "search": "Tìm kiếm",
        "other": "English",
        "more": "Trang khác",
        "top": "Đến nội dung",
        "version": "Phiên bản",
    },
}
_GROUP = re.compile(r"(?m)^## (.+)$|^- \[([^\]]+)\]\(([^)#\s]+\.md)\)")


def language_of(page: str) -> str:
    """Return the language that a page is written in, by its name."""
    return "vi" if page.endswith(".vi") else "en"


def other_edition(page: str, known: set[str]) -> str | None:
    """Return the page that says the same in the other language."""
    base = page.removesuffix(".vi").removesuffix(".en")
    wanted = (base, f"{base}.en") if language_of(page) == "vi" else (f"{base}.vi",)
    return next((each for each in wanted if each in known), None)


def menu(language: str, titles: dict[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the menu in a language: each group's name and its pages, as the start page lists them, with their titles.

    Pages of the other language stand in it where the start page lists them; those of its own all do.
    """
    start = START if language == "en" else f"{START}.{language}"
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    listed = {START, f"{START}.vi"}
    for group, title, link in _GROUP.findall((ROOT / f"{start}.md").read_text(encoding="utf-8")):
        if group:
            groups.append((group, []))
            continue
        page = posixpath.normpath(posixpath.join(posixpath.dirname(start), link)).removesuffix(".md")
        if page in titles and groups:
            groups[-1][1].append((page, title))
            listed.add(page)
    rest = [
        (page, title) for page, title in sorted(titles.items()) if page not in listed and language_of(page) == language
    ]
    return [group for group in (*groups, (WORDS[language]["more"], rest)) if group[1]]


def _add_to_page(app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    titles = {name: node.astext() for name, node in app.env.titles.items()}
    spoken = language_of(page)
    context["language"] = spoken
    context["words"] = WORDS[spoken]
    context["other"] = other_edition(page, set(titles))
    context["menu"] = menu(spoken, titles)
    context["start"] = START if spoken == "en" else f"{START}.{spoken}"
    if page == context["start"]:
        context["display_toc"] = False
    if "body" in context:
        body = (
            context["body"]
            .replace("<table", '<div class="scroll" tabindex="0"><table')
            .replace("</table>", "</table></div>")
        )
        context["body"] = body.replace("<pre>", '<pre tabindex="0">')


def setup(app: Sphinx) -> dict[str, bool]:
    """Give every page its language, its other edition and the menu."""
    app.connect("html-page-context", _add_to_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
