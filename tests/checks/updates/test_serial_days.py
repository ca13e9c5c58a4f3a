"""Days of a register that a spreadsheet wrote as serial numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.updates.dates import DateRules
from checks.updates.serial_days import with_serial_days
from checks.updates.sources import build_update_source
from portalops.config.tables import KindTable
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import ZONE, at

RULES = DateRules(ZONE)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["13/11/2026", "46340"], "14/11/2026"),
        (["11/13/2026", "46340"], "11/14/2026"),
        (["13/11/2026", "12/11/2026 08:15", "46331"], "05/11/2026"),
    ],
)
def test_a_serial_number_near_the_days_of_its_column_is_that_day(written: list[str], meant: str) -> None:
    assert with_serial_days(written, RULES) == (*written[:-1], meant)


@pytest.mark.parametrize(
    "written",
    [
        ["46340"],
        ["46340", "46341"],
        ["05/11/2026", "46340"],
        ["13/11/2026", "11/13/2026", "46340"],
        ["13/11/2026", "45340"],
        ["13/11/2026", "99999"],
    ],
)
def test_a_number_that_the_column_does_not_tell_is_left_as_it_is(written: list[str]) -> None:
    assert with_serial_days(written, RULES) == tuple(written)
    assert with_serial_days(["13/11/2026", "46340"], DateRules(ZONE, ("%d/%m/%Y",))) == ("13/11/2026", "46340")


@pytest.mark.parametrize(
    ("written", "day"),
    [("O5/11/2026", "2026-11-05"), ("1O/11/2026", "2026-11-10"), ("o5-1o-2o26", "2026-10-05"), ("ngày O5/11/26 08:15", "2026-11-05")],
)  # fmt: skip
def test_the_letter_o_in_a_registers_day_is_a_zero(tmp_path: Path, written: str, day: str) -> None:
    lines = f"1,13/11/2026,Sở Y tế,Báo cáo\n2,{written},Sở Y tế,Báo cáo\n3,13/O/2026x,Sở Y tế,Báo cáo\n"
    data = ("Số đến,Ngày đến,Tác giả,Trích yếu\n" + lines).encode()
    table = KindTable.alone("so", "register", {"channel": "submission", "file": "so.csv"}, tmp_path)
    source = build_update_source(table, zone=ZONE, web=HttpWeb())

    listing = source.parse(data, polled_at=at("2026-11-16 12:00"))

    assert [one.created_at.astimezone(ZONE).date().isoformat() for one in listing.items if one.created_at] == [
        "2026-11-13",
        day,
    ]
    assert [str(one.what) for one in listing.rejected] == ["line 4: ngày đến 13/O/2026x is not a date"]


def test_a_register_names_a_number_that_is_no_day_of_its_column(tmp_path: Path) -> None:
    lines = "1,13/11/2026,Sở Y tế,Báo cáo\n2,46340,Sở Y tế,Báo cáo\n3,45340,Sở Y tế,Báo cáo\n"
    (tmp_path / "so.csv").write_text("Số đến,Ngày đến,Tác giả,Trích yếu\n" + lines, "utf-8")
    table = {"channel": "submission", "file": "so.csv"}
    source = build_update_source(KindTable.alone("so", "register", table, tmp_path), zone=ZONE, web=HttpWeb())

    listing = source.parse((tmp_path / "so.csv").read_bytes(), polled_at=at("2026-11-16 12:00"))

    assert [one.created_at for one in listing.items] == [at("2026-11-13 00:00"), at("2026-11-14 00:00")]
    assert [str(one.what) for one in listing.rejected] == ["line 4: ngày đến 45340 is not a date"]
