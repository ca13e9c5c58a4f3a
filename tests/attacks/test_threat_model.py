"""The threat model names for each attack the test that tries it; these are the tests, and both languages name the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
DOCS = FOLDER.parent.parent / "docs"
PAGES = ("threat-model.md", "threat-model.vi.md")


def named_in(page: str) -> list[str]:
    return re.findall(r"`(test_\w+)`", (DOCS / page).read_text(encoding="utf-8"))


def known_tests() -> set[str]:
    found = set()
    for path in FOLDER.glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(node.name)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_each_test_that_the_page_names_exists(page: str) -> None:
    assert set(named_in(page)) <= known_tests(), set(named_in(page)) - known_tests()


def test_both_pages_name_the_same_tests_in_the_same_order() -> None:
    english, vietnamese = (named_in(page) for page in PAGES)

    assert english == vietnamese
    assert len(english) > 25


def test_each_row_of_the_attack_table_names_a_test() -> None:
    text = (DOCS / PAGES[0]).read_text(encoding="utf-8")
    table = text.partition("## The attacks")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert rows
    assert [row for row in rows if "`test_" not in row] == []
