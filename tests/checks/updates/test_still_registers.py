"""Registers in which nobody's line came for a week: collecting and the doctor name them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import time_machine

from commands.cli.entry import run
from tests.checks.updates.newsroom import CONFIGURATION
from tests.checks.updates.scene import at

HEADINGS = "Số đến,Ngày đến,Tác giả,Số ký hiệu,Trích yếu\n"
NAMED = (
    "week 2026-W47: register so-den has no line of that week, of any unit: the newest from before it is of {day};"
    " it may be kept on in another file"
)


@pytest.mark.parametrize(
    ("line", "said"),
    [("", [NAMED]), ("2,18/11/2026,Sở Tư pháp,12/BC-STP,Báo cáo công tác hộ tịch quý IV\n", [])],
    ids=["nobody's line", "another unit's line"],
)
def test_collecting_and_the_doctor_name_a_register_without_a_line_of_last_week(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, said: list[str]
) -> None:
    own = 'id = "so-den"\nkind = "register"\nfile = "so-den.csv"\nchannel = "submission"\n'
    settings = CONFIGURATION.partition('id = "news"')[0] + own
    (tmp_path / "portalops.toml").write_text(settings, "utf-8")
    old = "1,13/11/2026,Sở Y tế,70/BC-SYT,Báo cáo giám sát sốt xuất huyết tuần 46\n"
    (tmp_path / "so-den.csv").write_text(HEADINGS + old + line, "utf-8")

    with time_machine.travel(at("2026-11-24 07:00"), tick=True):
        run(["--json", "--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})
        collected = json.loads(capsys.readouterr().out)
        run(["--json", "--config", str(tmp_path / "portalops.toml"), "doctor", "--only", "updates"], {})
        doctor = json.loads(capsys.readouterr().out)["data"]

    warned = [text for text in map(str, collected["warnings"]) if "so-den has no line" in text]
    assert [text.partition(". If the registrar")[0] for text in warned] == [
        one.format(day="13 Nov 2026") for one in said
    ]
    assert [one["seen"] for one in doctor if one["object"] == "so-den"] == [
        one.format(day="2026-11-13") for one in said
    ]
