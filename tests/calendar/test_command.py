from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode


def _call(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    (folder / "portalops.toml").write_text(
        '[portal]\nid = "kh"\nname = { vi = "Cổng", en = "Portal" }\ntimezone = "Asia/Ho_Chi_Minh"\n'
        'rulebook = "kh-37-2010"\n[calendar]\nfile = "own.toml"\n',
        "utf-8",
    )
    (folder / "own.toml").write_text(
        'province_off = [{ date = 2026-11-20, name = "bão", document = "Công điện 1/CĐ-UBND" }]', "utf-8"
    )
    code = run(["--json", "--config", str(folder / "portalops.toml"), *arguments], {})
    return code, json.loads(capsys.readouterr().out)


def test_a_day_is_answered_with_its_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, envelope = _call(tmp_path, capsys, "calendar", "check", "2026-01-10")

    assert code == ExitCode.OK
    assert envelope["data"] == {
        "id": "2026-01-10",
        "day": "2026-01-10",
        "working": True,
        "reason": "working day in place of 2026-01-02",
        "certain": True,
        "document": "Thông báo của Bộ Nội vụ ngày 25/12/2025",
    }


def test_the_provinces_own_day_is_shown_with_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _code, envelope = _call(tmp_path, capsys, "calendar", "show", "--period", "2026-11")

    assert [day["id"] for day in envelope["data"]] == ["2026-11-20", "2026-11-24"]
    assert len(envelope["warnings"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [["check", "10/01/2026"], ["check", "2026-02-30"], ["show", "2026", "--period", "2026"], ["show", "1200"]],
)
def test_wrong_arguments_are_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, envelope = _call(tmp_path, capsys, "calendar", *arguments)

    assert (code, envelope["ok"]) == (ExitCode.USAGE, False)
