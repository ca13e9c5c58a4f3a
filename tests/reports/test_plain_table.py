"""Tables of text off a terminal."""

from __future__ import annotations

from portalops.reports.plain_table import plain_table


def test_columns_stand_two_spaces_apart_under_a_line() -> None:
    table = plain_table(("Duty", "Records"), [("10.2-content", "7"), ("7.6", "12345678901")], ("left", "right"))

    assert table.split("\n") == [
        "Duty              Records",
        "------------  -----------",
        "10.2-content            7",
        "7.6           12345678901",
    ]


def test_headers_stand_apart_where_all_cells_are_short() -> None:
    assert plain_table(("Name", "Day"), [("a", "")], ()).split("\n") == ["Name    Day", "------  -----", "a"]


def test_without_headers_there_is_no_line() -> None:
    assert plain_table((), [("--to FOLDER", "where to"), ("--yes", "ask nothing")], ()).split("\n") == [
        "--to FOLDER  where to",
        "--yes        ask nothing",
    ]


def test_nothing_is_no_text() -> None:
    assert plain_table((), [], ()) == ""
