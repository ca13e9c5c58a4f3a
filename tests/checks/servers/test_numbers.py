"""A threshold stands in the code once: titles, remedies and pages name it, and get its number when they are shown."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from types import ModuleType

import pytest

from checks.servers.catalogue import checks
from checks.servers.check import Check
from checks.servers.standby import GroupCheck
from portalops.locale import render
from portalops.locale.pages import FOLDER, vietnamese_page

EVERY = checks()
NUMBERED = [one for one in EVERY if one.numbers]

OTHER_NUMBERS = frozenset({"CLOCKS_AGREE", "KEPT_TO", "MADE_WITHIN_DAYS", "MAX_DEVICES", "MEBIBYTE", "MYSQL", "ZONES"})
"""Numbers of a check's module that are no threshold which its pages name in digits."""


def module_of(one: Check) -> ModuleType:
    rule = one.judge_together if isinstance(one, GroupCheck) else one.judge
    return importlib.import_module(rule.__module__)


def prose(page: str) -> str:
    """Return a page without real output and sources, whose digits are others' words."""
    paragraphs = [text for text in page.split("\n\n") if not re.match(r"    |Sources?: |Nguồn: ", text)]
    return re.sub(r"(Article|Điều) \d+\.\d", "", "\n\n".join(paragraphs))


def written(one: Check) -> dict[str, str]:
    """Return the texts of a check as their authors wrote them."""
    return {
        "title": one.title.text,
        "remedy": one.remedy.text,
        "page": prose(module_of(one).__doc__ or ""),
        "page in Vietnamese": prose((FOLDER / f"{one.id}.md").read_text(encoding="utf-8")),
    }


@pytest.mark.parametrize("check", NUMBERED, ids=lambda one: one.id)
def test_text_names_a_threshold_and_does_not_repeat_its_number(check: Check) -> None:
    texts = written(check)

    for name, number in check.numbers.items():
        assert f"{{{name}}}" in texts["page"] and f"{{{name}}}" in texts["page in Vietnamese"], name
        for kind, text in texts.items():
            assert not re.search(rf"(?<![\d.]){number}(?![\d.]*\d)", text), f"{kind} repeats {name}"


@pytest.mark.parametrize("check", NUMBERED, ids=lambda one: one.id)
def test_shown_text_holds_the_numbers_and_no_name_of_one(check: Check) -> None:
    shown = [check.page, vietnamese_page(check.id, check.numbers) or ""]
    shown += [render(text, language) for text in (check.title, check.remedy) for language in ("en", "vi")]

    assert not [text for text in shown for name in check.numbers if f"{{{name}}}" in text]


@pytest.mark.parametrize("check", EVERY, ids=lambda one: one.id)
def test_every_threshold_of_a_check_is_one_of_its_numbers(check: Check) -> None:
    """Otherwise a page could state it by hand, and go on doing so when it changes."""
    units = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))
    for name, value in vars(module_of(check)).items():
        if not name.isupper() or name.startswith("_") or name in OTHER_NUMBERS:
            continue
        if isinstance(value, timedelta):
            assert {value // unit for unit in units} & set(check.numbers.values()), name
        elif isinstance(value, int) and not isinstance(value, bool):
            assert {value, value // 1000, value // 86400} & set(check.numbers.values()), name
