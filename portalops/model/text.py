"""Untrusted text, made fit to be shown: file names, host output, feeds and what programs say."""

from __future__ import annotations

from datetime import UTC, datetime


def show_text(text: str, limit: int = 200) -> str:
    """Return text on one line: what does not print as its escape, what is longer than `limit` characters cut."""
    shown = text[:limit]
    if not shown.isprintable():
        shown = "".join(
            letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in shown
        )
    return shown if len(text) <= limit and len(shown) <= limit else f"{shown[: max(0, limit - 3)]}..."


def format_at(moment: datetime) -> str:
    """Write an aware moment in UTC as `2026-11-25T01:32:00.000Z`; texts then sort as the moments do."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def paragraphs_of(page: str) -> tuple[str, ...]:
    """Return a docstring's page as paragraphs: prose on one line each, every line of a sample on its own."""
    found: list[str] = []
    for block in page.split("\n\n"):
        lines = block.split("\n")
        found += lines if block.startswith("    ") else [" ".join(lines)]
    return tuple(found)
