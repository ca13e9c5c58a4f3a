"""The pages of checks in Vietnamese: one file a check, beside the catalogue. The English page is the check's own docstring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from portalops.locale import render
from portalops.model.message import Message

FOLDER = Path(__file__).parent / "vi" / "pages"


def vietnamese_page(check: str, numbers: Mapping[str, int]) -> str | None:
    """Return a check's page in Vietnamese, or None if there is none.

    Args:
        check: its id, such as `ssh.root-login`.
        numbers: its thresholds, by the name that the page gives them.
    """
    try:
        page = (FOLDER / f"{check}.md").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return with_numbers(page, numbers, "vi")


def with_numbers(page: str, numbers: Mapping[str, int], language: str) -> str:
    """Return a page with each `{name}` of a threshold replaced by its number, as the language writes it."""
    for name, number in numbers.items():  # other braces belong to the real output on the page
        page = page.replace(f"{{{name}}}", render(Message(f"{{{name}}}", {name: number}), language))
    return page
