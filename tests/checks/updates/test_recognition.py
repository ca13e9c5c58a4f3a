from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from checks.updates.recognition import (
    EPOCH,
    KnownObservation,
    Recognition,
    candidates,
    canonical_url,
    covers_from,
    hidden_in,
    recognise,
)
from checks.updates.unit_names import UnitNames
from portalops.model.message import msg
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.record import Digest
from portalops.model.updates import ItemChannel, ListedItem, RefusedItem, UpdateSourceTraits
from tests.checks.updates.scene import HEALTH, ZONE, at

FEED = UpdateSourceTraits("feed", ItemChannel.SUBPORTAL, complete=False, unit=HEALTH.id)
SHARED_FEED = UpdateSourceTraits("feed", ItemChannel.SUBPORTAL, complete=False)
MAILBOX = UpdateSourceTraits("mail", ItemChannel.SUBMISSION, complete=False, attested=True)
TABLE = UpdateSourceTraits("table", ItemChannel.SUBPORTAL, complete=True, unit=HEALTH.id)
MENU = "Thứ hai: cơm, cá thu sốt cà chua, canh rau ngót nấu thịt; thứ ba: bún bò; thứ tư: cơm gà; thứ năm: cháo; thứ sáu: mì Quảng."
"""The same each week; the titles name the week."""
NOW = at("2026-11-20 20:00")


def _item(guid: str, path: str, text: str, day: int = 16) -> ListedItem:
    return ListedItem(
        guid, f"https://a.example/{path}" if path else "", text, at(f"2026-11-{day:02d} 09:00"), str(day), body=text
    )


def _recognise(
    items: list[ListedItem], known: dict[str, KnownObservation] | None = None, traits: UpdateSourceTraits = FEED
) -> Recognition:
    return recognise(
        candidates(items),
        known or {},
        traits=traits,
        units=UnitNames([HEALTH], ZONE),
        polled_at=NOW,
        baseline=False,
        evidence=Digest("0" * 64),
    )


def _known(items: list[ListedItem], traits: UpdateSourceTraits = FEED) -> dict[str, KnownObservation]:
    """Return what the store would know after a look that showed these items."""
    return {
        key: KnownObservation(
            one.id, candidate.url, one.external_id, one.content_hash, one.published_at, one.raw_date,
            unit_name=candidate.unit_name, title=one.title,
        )
        for one, candidate in _recognise(items, traits=traits).new
        for key in candidate.keys
    }  # fmt: skip


def test_new_names_for_every_item_of_a_feed_are_a_move_and_no_news() -> None:
    before = _known([_item(str(n), f"tin/{n}", f"Bài số {n}") for n in range(4)])

    found = _recognise([_item(f"urn:{n}", f"news/{n}", f"Bài số {n}") for n in range(4)], before)

    assert (len(found.new), len(found.known), len(found.migrated)) == (0, 0, 4)


def test_mails_with_known_texts_are_mails_of_their_own_however_many_come() -> None:
    before = _known([_item(f"<{n}@a>", "", f"Bài số {n}") for n in range(2)], MAILBOX)

    found = _recognise([_item(f"<{n}@b>", "", f"Bài số {n}", day=18) for n in range(2)], before, MAILBOX)

    assert (len(found.new), len(found.migrated)) == (2, 0)


def test_what_another_unit_says_in_a_shared_feed_is_no_move() -> None:
    items = [_item(str(n), f"tin/{n}", f"Bài số {n}") for n in range(2)]
    before = _known([replace(one, unit_name="Sở Y tế") for one in items], SHARED_FEED)
    others = [
        replace(one, external_id=f"x{one.external_id}", url=f"{one.url}-x", unit_name="Sở Tư pháp") for one in items
    ]

    found = _recognise(others, before, SHARED_FEED)

    assert (len(found.new), len(found.migrated)) == (2, 0)


def test_the_same_texts_under_the_titles_and_dates_of_another_week_are_new_items() -> None:
    menus = [replace(_item(str(n), f"tin/{n}", MENU), title=f"Thực đơn tuần {n}") for n in (45, 46)]
    before = _known(menus)
    now = [
        replace(_item(str(n), f"tin/{n}", MENU, day=20), title=f"Thực đơn tuần {n}", raw_date=f"{n}") for n in (47, 48)
    ]

    found = _recognise(now, before)

    assert (len(found.new), len(found.migrated)) == (2, 0)


def test_one_old_text_under_a_new_name_is_observed_so_that_it_can_be_called_a_duplicate() -> None:
    before = _known([_item(str(n), f"tin/{n}", f"Bài số {n}") for n in range(4)])
    now = [_item(str(n), f"tin/{n}", f"Bài số {n}") for n in range(4)] + [_item("9", "tin/9", "Bài số 1")]

    found = _recognise(now, before)

    assert (len(found.new), len(found.known), len(found.migrated)) == (1, 4, 0)


def test_a_new_id_at_a_known_address_is_the_same_item() -> None:
    found = _recognise([_item("b", "tin/1", "Bài đã sửa")], _known([_item("a", "tin/1", "Bài")]))

    assert (len(found.new), len(found.known)) == (0, 1)


def test_an_id_that_is_used_again_for_another_text_and_date_is_a_new_item() -> None:
    before = _known([_item("a", "tin/1", "Bài", 16)])

    assert len(_recognise([_item("a", "tin/2", "Bài khác", 18)], before).new) == 1
    assert len(_recognise([_item("a", "tin/2", "Bài", 18)], before).new) == 0
    assert len(_recognise([_item("a", "tin/2", "Bài đã sửa", 16)], before).new) == 0


def test_the_key_of_a_database_row_is_stronger_than_its_address() -> None:
    before = _known([_item("1", "tin/1", "Bài")], TABLE)

    moved = _recognise([_item("1", "tin/moi", "Bài khác hẳn", 18)], before, TABLE)
    another = _recognise([_item("2", "tin/1", "Bài khác hẳn", 18)], before, TABLE)

    assert (len(moved.new), len(another.new)) == (0, 1)


def test_an_address_that_all_items_share_names_none_of_them() -> None:
    items = [replace(_item(str(n), "", f"Bài {n}"), url="https://a.example/trang-tin") for n in range(3)]

    assert len(_recognise(items).new) == 3


def test_an_item_without_names_is_known_by_its_text() -> None:
    nameless = _item("", "", "Bài không địa chỉ")

    assert len(_recognise([nameless], _known([nameless])).known) == 1


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://A.example/tin/1#x", "https://a.example/tin/1"),
        ("https://a.example/", ""),
        ("https://a.example", ""),
        ("https://a.example/?p=7&PHPSESSID=1", "https://a.example/?p=7"),
        ("https://a.example:443/t?utm_campaign=x", "https://a.example/t"),
        ("http://[bad", ""),
        ("", ""),
    ],
)
def test_an_address_is_compared_without_what_changes_by_visit(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


# --- coverage of one look ------------------------------------------------------------------------


def _covers(items: list[ListedItem], **how: object) -> tuple[datetime | None, bool]:
    facts: dict[str, object] = {"complete": False, "previous": None, "overlaps": False, **how}
    return covers_from(candidates(items), polled_at=NOW, **facts)  # type: ignore[arg-type]


def test_the_first_look_covers_back_to_the_oldest_end_of_the_feed() -> None:
    pinned = _item("p", "tin/p", "Ghim", 1)
    items = [pinned, _item("3", "tin/3", "c", 19), _item("2", "tin/2", "b", 18), _item("1", "tin/1", "a", 17)]

    assert _covers(items) == (at("2026-11-17 09:00"), False)
    assert _covers(items[:0:-1]) == (at("2026-11-17 09:00"), False)


def test_two_looks_that_overlap_leave_no_gap() -> None:
    items = [_item("3", "tin/3", "c", 19)]

    assert _covers(items, previous=at("2026-11-15 20:00"), overlaps=True) == (
        at("2026-11-15 20:00"),
        False,
    )


def test_two_looks_without_a_common_item_leave_a_gap() -> None:
    items = [_item("3", "tin/3", "c", 19)]

    assert _covers(items, previous=at("2026-11-15 20:00")) == (at("2026-11-19 09:00"), True)
    assert _covers([], previous=at("2026-11-15 20:00")) == (None, True)


def test_a_complete_listing_covers_the_whole_past() -> None:
    assert _covers([], complete=True) == (EPOCH, False)


def test_a_refused_line_of_a_name_that_resembles_units_may_hide_an_item_of_each() -> None:
    communes = [
        Agency(UnitId("xa-dien-an"), Name("Xã Diên An", "Dien An")),
        Agency(UnitId("so-y-te"), Name("Sở Y tế", "Health")),
    ]
    names = UnitNames(communes, ZONE, "tỉnh Khánh Hòa")
    register = UpdateSourceTraits("so-den", ItemChannel.SUBMISSION, complete=True)
    lines = [
        RefusedItem(msg("line 2"), "2", "UBND phường Diên An"),
        RefusedItem(msg("line 3"), "3", "Công ty An Phú"),
        RefusedItem(msg("line 4"), "4", "Sở Y tế"),
        RefusedItem(msg("line 5"), "5"),
    ]

    found = {one.key: one.unit for one in hidden_in(lines, register, names, NOW)}

    assert found == {"2 1 xa-dien-an": "xa-dien-an", "4 1": "so-y-te", "5 1": None}


@pytest.mark.parametrize(
    "url", ["http://www.a.example/tin/1/?b=2&a=1", "https://a.example:443/tin/1?a=1&b=2&utm_source=x#y"]
)
def test_one_page_is_known_under_its_other_addresses(url: str) -> None:
    first = replace(_item("1", "", "Bài số một"), url="http://a.example/tin/1?a=1&b=2")
    other = replace(_item("2", "", "Tên khác", 19), url=url)

    assert _recognise([other], _known([first])).new == ()
