"""An item of a shared source that has several categories, tags or authors: whose it is, and for whom it is open."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from checks.updates.authors import several_names
from checks.updates.recognition import candidates
from checks.updates.sources import build_update_source
from checks.updates.unit_names import UnitNames
from portalops.config.tables import KindTable
from portalops.model.updates import ItemChannel, ListedItem, UpdateSourceTraits
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import HEALTH, JUSTICE, ZONE, at

NAMES = UnitNames([HEALTH, JUSTICE], ZONE)
SHARED = UpdateSourceTraits("chung", ItemChannel.SUBPORTAL, complete=False)
NOW: datetime = at("2026-11-17 09:00")
RSS = """<rss version="2.0"><channel><item><guid>1</guid><link>https://a.example/1</link><title>Tin</title>
<category>Tin nổi bật</category><category>Sở Y tế</category></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><link href="https://a.example/1"/><title>Tin</title>
<author><name>Tin nổi bật</name></author><author><name>Sở Y tế</name></author></entry></feed>"""
TAGGED = json.dumps({
    "version": "https://jsonfeed.org/version/1.1", "title": "a",
    "items": [{"id": "1", "url": "https://a.example/1", "title": "Tin", "tags": ["Tin nổi bật", "Sở Y tế"],
               "authors": [{"name": "Tin nổi bật"}, {"name": "Sở Y tế"}]}],
})  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "unit_from", "answer"),
    [
        ("feed", "category", RSS),
        ("feed", "author", ATOM),
        ("json-feed", "tag", TAGGED),
        ("json-feed", "author", TAGGED),
    ],
)
def test_the_one_name_that_means_a_unit_decides_in_whatever_order(
    tmp_path: Path, kind: str, unit_from: str, answer: str
) -> None:
    table = {"channel": "subportal", "url": "https://a.example/rss", "unit_from": unit_from}
    source = build_update_source(KindTable.alone("chung", kind, table, tmp_path), zone=ZONE, web=HttpWeb())

    (item,) = source.parse(answer.encode(), polled_at=NOW).items

    assert item.unit_name == "Sở Y tế ‖ Tin nổi bật"
    assert NAMES.find(item.unit_name, SHARED, NOW) == HEALTH.id


def test_several_names_of_one_unit_mean_it() -> None:
    assert NAMES.find(several_names(["Sở Y tế", "so-y-te"]), SHARED, NOW) == HEALTH.id


def test_an_item_that_names_two_units_is_nobodys_for_certain_and_may_be_either_ones() -> None:
    both = several_names(["Tin nổi bật", "Sở Y tế", "Sở Tư pháp"])

    assert NAMES.find(both, SHARED, NOW) is None
    assert set(NAMES.likely(both, SHARED, NOW)) == {HEALTH.id, JUSTICE.id}


def test_names_of_no_unit_are_nobodys() -> None:
    general = several_names(["Tin nổi bật", "Thông báo"])

    assert (NAMES.find(general, SHARED, NOW), NAMES.likely(general, SHARED, NOW)) == (None, ())


def test_a_query_that_joins_a_row_with_each_of_its_categories_gives_one_item_of_both_names() -> None:
    def row(number: str, unit: str) -> ListedItem:
        return ListedItem(number, f"https://a.example/{number}", "Tin", NOW, "17/11/2026", unit)

    found = candidates([row("1", "Sở Y tế"), row("1", "Sở Tư pháp"), row("2", "Sở Y tế")])

    assert [(one.name, one.unit_name) for one in found] == [("1", "Sở Tư pháp ‖ Sở Y tế"), ("2", "Sở Y tế")]
