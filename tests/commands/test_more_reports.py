"""Each report that is built by its name over a ledger in which nothing of it is recorded says so, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.commands.test_report import home as home  # noqa: PLC0414  # the fixture
from tests.commands.test_report import portalops


@pytest.mark.parametrize("name", ["access", "updates", "yearly"])
def test_a_report_of_a_ledger_without_its_records_is_made_and_says_so(home: Path, name: str) -> None:
    code = portalops(home, "report", "build", name, "--period", "2026-11", "--format", "html", "--language", "both")

    assert code == ExitCode.OK
    pages = {path.name: path.read_text(encoding="utf-8") for path in (home / "reports").iterdir()}
    assert sorted(pages) == [f"demo-{name}-2026-11-01--2026-11-30.{language}.html" for language in ("en", "vi")]
    assert all("<table" in page or "<dl" in page for page in pages.values())
