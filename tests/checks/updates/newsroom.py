"""A whole configuration with one source, looked at by the commands: what they say of each item."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from commands.cli.entry import run
from tests.shapes import validate_answer

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CONFIGURATION = """
[portal]
id = "khanhhoa"
name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[unit]]
id = "so-y-te"
name = { vi = "Sở Y tế", en = "Department of Health" }

[[unit]]
id = "so-tu-phap"
name = { vi = "Sở Tư pháp", en = "Department of Justice" }

[[job]]
id = "daily-updates"
kind = "updates"
every = "day"

[[updates.source]]
id = "news"
channel = "subportal"
"""


class Portal:
    """One way of looking at the site, with a ledger of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], settings: str) -> None:
        folder.mkdir()
        (folder / "reader").write_text("chỉ đọc")
        (folder / "reader").chmod(0o600)
        (folder / "portalops.toml").write_text(CONFIGURATION + settings, "utf-8")
        self._folder = folder
        self._capsys = capsys

    def call(self, *arguments: str) -> Any:
        run(["--json", "--config", str(self._folder / "portalops.toml"), *arguments], {})
        answer = json.loads(self._capsys.readouterr().out)
        assert answer["error"] is None, answer["error"]
        validate_answer(arguments, answer)
        return answer["data"]

    def collect(self) -> None:
        (poll,) = self.call("updates", "collect")
        assert poll["ok"], poll["problem"]

    def items(self) -> dict[str, tuple[Any, ...]]:
        """Return the items by title: unit, what is claimed, the day that counts, grade and flags."""
        today = datetime.now(ZONE).date()
        found = self.call("updates", "list", "--period", f"{today - timedelta(days=40)}..{today}")
        return {
            one["title"]: (
                one["unit"],
                one["claimed_at"],
                one["counts_at"] and datetime.fromisoformat(one["counts_at"]).astimezone(ZONE).date(),
                one["grade"],
                frozenset(one["flags"]),
            )
            for one in found
        }
