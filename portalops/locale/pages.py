"""The pages of checks in Vietnamese: one file a check, beside the catalogue. The English page is the check's own docstring."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "vi" / "pages"


def vietnamese_page(check: str) -> str | None:
    """Return a check's page in Vietnamese, or None if there is none.

    Args:
        check: its id, such as `ssh.root-login`.
    """
    try:
        return (FOLDER / f"{check}.md").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
