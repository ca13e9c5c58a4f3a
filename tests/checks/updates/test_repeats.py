from __future__ import annotations

from dataclasses import replace

import pytest

from checks.updates.recognition import canonical_url
from checks.updates.repeats import places_without_repeats
from portalops.model.updates import ListedItem
from tests.checks.updates.scene import at


def _row(name: str, title: str = "", day: str = "2026-11-17 09:00") -> ListedItem:
    address = f"https://soyte.khanhhoa.example/tin/{name}.html" if name else ""
    return ListedItem("", address, title or f"Sở Y tế tập huấn {name}", at(day) if day else None, day)


def _kept(*rows: ListedItem) -> list[int]:
    return list(places_without_repeats(rows, [canonical_url(row.url) for row in rows]))


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        ("abc", [0, 1, 2]),
        ("aabc", [1, 2, 3]),
        ("abcabcde", [3, 4, 5, 6, 7]),
        ("cabcde", [1, 2, 3, 4, 5]),
        ("abcdeca", [0, 1, 2, 3, 4]),
        ("aabcdec", [1, 2, 3, 4, 5]),
        ("abab", [0, 1]),
        ("a", [0]),
        ("", []),
    ],
    ids=[
        "none",
        "box_of_one",
        "box_of_three",
        "box_of_an_older_one",
        "box_below",
        "both",
        "list_twice",
        "one",
        "empty",
    ],
)
def test_an_item_that_a_page_shows_twice_keeps_its_place_in_the_list(names: str, kept: list[int]) -> None:
    assert _kept(*map(_row, names)) == kept


@pytest.mark.parametrize(
    "box",
    [
        _row("a", day=""),
        _row("a", day="2026-11-17 00:00"),
        _row("a", title="SỞ Y TẾ  tập huấn a"),
        _row("a", title="Sở Y tế tập…"),
        _row("a", title="Sở Y tế tập ..."),
        replace(_row("a"), url="https://SoYTe.khanhhoa.example/tin/a.html?utm_source=box#top"),
    ],
    ids=["without_its_date", "day_alone", "capitals", "cut", "cut_by_three_points", "address_written_otherwise"],
)
def test_a_box_may_write_an_item_in_another_way(box: ListedItem) -> None:
    assert _kept(box, _row("a"), _row("b")) == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        _row("a", title="Sở Y tế tuyển dụng"),
        _row("a", day="2026-11-24 09:00"),
        _row("a", title="..."),
        replace(_row("a"), external_id="7"),
        replace(_row("a"), unit_name="Sở Tư pháp"),
        _row("", title="Sở Y tế tập huấn a"),
    ],
    ids=["another_title", "another_week", "no_title", "another_id", "another_agency", "no_address"],
)
def test_rows_of_one_address_that_differ_otherwise_are_items_of_their_own(other: ListedItem) -> None:
    assert _kept(other, _row("a"), _row("b")) == [0, 1, 2]


def test_the_page_of_many_documents_is_the_address_of_none() -> None:
    rows = [_row("van-ban", title=f"Công văn {number}") for number in range(9)]

    assert _kept(*rows, rows[0]) == [*range(10)]
