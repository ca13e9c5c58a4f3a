"""Kinds, languages and English pairs: what is told is counted, what cannot be told is held against nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from checks.updates.pairs import sides_of
from checks.updates.rules.seen import ItemClaims
from checks.updates.rules.stamps import stamp
from checks.updates.source_settings import PairSettings
from checks.updates.sources.sql import Settings, SqlSource
from checks.updates.terms import Terms
from checks.updates.variety import MAX_NAMED, language_of, variety_of
from portalops import bodies
from portalops.bodies import decode_part
from portalops.calendar import load
from portalops.model.organisation import UnitId
from portalops.model.period import Period
from portalops.model.runs import Every
from portalops.model.updates import ItemChannel, UpdateSourceTraits, UpdatesResult
from portalops.model.variety import LanguageCount, PairRule, Variety
from portalops.reports.document import Paragraph, TableBlock
from portalops.reports.section_variety import counts_blocks, pairs_sentence
from portalops.rulebooks.load import load as load_rulebook
from tests.checks.updates.scene import ZONE
from tests.checks.updates.test_job import Collection

HEALTH = UnitId("so-y-te")
SITE = "https://soyte.khanhhoa.example"
PERIOD = Period(date(2026, 11, 16), date(2026, 11, 22))
SEEN = datetime(2026, 11, 18, 2, tzinfo=UTC)
SOURCES = (
    UpdateSourceTraits("feed", ItemChannel.SUBPORTAL, complete=False),
    UpdateSourceTraits("map", ItemChannel.SUBPORTAL, complete=True, cross_check=True),
)


class Values:
    """What was seen, from values instead of a store."""

    def __init__(self, *items: ItemClaims) -> None:
        self._items = items

    def units(self) -> Sequence[UnitId | None]:
        return (None, *sorted({one.unit for one in self._items if one.unit}))

    def list_claims(self, unit: UnitId | None) -> Sequence[ItemClaims]:
        return [one for one in self._items if one.unit == unit]


def item(path: str, language: str = "", kind: int | None = None, **other: object) -> ItemClaims:
    url = path if "://" in path else f"{SITE}{path}"
    channel = ItemChannel.SUBPORTAL.value
    own = ItemClaims(
        id=f"{language}{url}",
        source="feed",
        channel=channel,
        unit=HEALTH,
        external_id="",
        translation_of="",
        url=url,
        title=f"Tin {path}",
        language=language,
        kind=kind,
        document_on="",
        first_seen_at=stamp(SEEN),
        looked_before_at=None,
        baseline=False,
    )
    return own._replace(**other)  # type: ignore[arg-type]


def counted(*items: ItemClaims, sources: Sequence[UpdateSourceTraits] = SOURCES) -> Variety:
    terms = Terms(load_rulebook("kh-37-2010", {}), load(), ZONE, datetime(2026, 11, 23, tzinfo=UTC), Every.DAY)
    return variety_of(Values(*items), sources=sources, period=PERIOD, terms=terms)


def test_items_are_counted_by_kind_and_by_language_and_what_is_not_told_is_said_to_be_so() -> None:
    found = counted(item("/1", "vi-VN", 1), item("/2", "vi", 12), item("/3", "en", 1), item("/4"), item("/5", "km", 3))

    assert found.kinds == (2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert found.no_kind == 1
    assert found.languages == (
        LanguageCount("", 1),
        LanguageCount("en", 1),
        LanguageCount("km", 1),
        LanguageCount("vi", 2),
    )
    assert found.items == 5


@pytest.mark.parametrize(
    "other",
    [
        {"baseline": True},
        {"first_seen_at": stamp(datetime(2026, 11, 15, 16, 59, tzinfo=UTC))},
        {"first_seen_at": stamp(datetime(2026, 11, 22, 17, 0, tzinfo=UTC))},
        {"channel": ItemChannel.SUBMISSION.value},
        {"source": "map"},
    ],
    ids=["there at the first look", "the day before", "the day after", "sent in", "seen by a cross-check alone"],
)
def test_what_was_not_first_published_in_the_period_does_not_count(other: dict[str, object]) -> None:
    assert counted(item("/1", "vi", 1, **other)).items == 0


@pytest.mark.parametrize(
    ("source", "created", "count"),
    [("rows", "2026-11-17", 1), ("rows", "2026-11-12", 0), ("feed", "2026-11-17", 0)],
    ids=["made in the period", "made before", "nobody vouches for the column"],
)
def test_what_was_there_at_the_first_look_counts_by_a_trusted_row_of_its_creation(
    source: str, created: str, count: int
) -> None:
    rows = UpdateSourceTraits("rows", ItemChannel.SUBPORTAL, complete=True, trust_created=True)
    there = item(
        "/1", "vi", 1, source=source, baseline=True, created_at=stamp(datetime.fromisoformat(f"{created}T02:00Z"))
    )

    assert counted(there, sources=(*SOURCES, rows)).items == count


def test_where_no_source_tells_kinds_one_line_says_so_and_each_table_adds_up_to_its_total() -> None:
    said, table, _pairs = counts_blocks(counted(item("/1", "vi"), item("/2", "en")))
    (told, *_rest) = counts_blocks(counted(item("/1", "vi", 3)))

    assert isinstance(table, TableBlock) and table.rows[-1][1] == 2
    assert [str(row[0]) for row in table.rows] == ["in English", "in Vietnamese", "Total"]
    assert isinstance(said, Paragraph) and "No source states" in str(said.text)
    assert isinstance(told, TableBlock) and [row[1] for row in told.rows] == [0, 0, 1, *[0] * 9, 0, 1]


def test_an_item_that_two_sources_of_a_site_show_is_one() -> None:
    assert counted(item("/1", "vi", 1), item("/1", "vi", 1, id="another", source="list")).items == 1


def test_items_of_one_source_are_several_though_they_lead_to_one_address() -> None:
    assert counted(item("/", "vi", 1, id="a"), item("/", "vi", 1, id="b")).items == 2


@pytest.mark.parametrize(
    ("vietnamese", "english"),
    [
        ("/vi/tin/12", "/en/tin/12"),
        ("/tin/12", "/en/tin/12"),
        ("/vn/tin/12?trang=2", "/en/tin/12?trang=2"),
        ("/tin/12?lang=vi", "/tin/12?lang=en"),
        ("https://www.soyte.khanhhoa.example/tin/12", "https://en.soyte.khanhhoa.example/tin/12"),
    ],
)
def test_a_pair_is_known_by_an_address_that_differs_by_its_language_alone(vietnamese: str, english: str) -> None:
    found = counted(item(vietnamese, "vi"), item(english, "en"), item("/vi/tin/13", "vi"))

    assert (found.paired, found.untold, found.unpaired_more) == (1, 0, 0)
    (missing,) = found.unpaired
    assert (missing.unit, missing.title, missing.url) == (HEALTH, "Tin /vi/tin/13", f"{SITE}/vi/tin/13")
    assert missing.first_seen_at == SEEN


def test_where_no_pair_is_known_nothing_is_said_to_lack_one() -> None:
    found = counted(
        item("/vi/tin/tin-moi", "vi"), item("/en/news/latest-news", "en"), item("/vi", "vi"), item("/en", "en")
    )

    assert (found.paired, found.unpaired, found.untold) == (0, (), 2)


def test_a_pair_of_one_unit_says_nothing_of_another() -> None:
    other = item("/vi/tin/2", "vi", unit=UnitId("so-tu-phap"))
    found = counted(item("/vi/tin/1", "vi"), item("/en/tin/1", "en"), other)

    assert (found.paired, found.unpaired, found.untold) == (1, (), 1)


RULE = UpdateSourceTraits(
    "feed", ItemChannel.SUBPORTAL, complete=False, pairs=(PairRule("/tin-tuc/{ten}-{id}", "/en/news/{slug}-{id}"),)
)
TELLING = UpdateSourceTraits("feed", ItemChannel.SUBPORTAL, complete=True, tells_translations=True)


def test_a_declared_rule_tells_pairs_by_what_both_addresses_name_and_a_page_without_one_is_listed() -> None:
    found = counted(
        item("/tin-tuc/tiem-chung-12"), item("/en/news/vaccination-12"), item("/tin-tuc/phong-dich-13"), sources=(RULE,)
    )

    assert (found.paired, found.untold) == (1, 0)
    assert found.languages == (LanguageCount("en", 1), LanguageCount("vi", 2))
    assert [(one.url, one.days) for one in found.unpaired] == [(f"{SITE}/tin-tuc/phong-dich-13", 4)]


def test_a_site_that_declares_its_rule_and_has_nothing_in_english_lacks_it_all() -> None:
    found = counted(item("/tin-tuc/tiem-chung-12"), item("/gioi-thieu", "vi"), sources=(RULE,))

    assert (found.paired, len(found.unpaired), found.untold) == (0, 2, 0)


def test_rows_that_tell_of_what_they_are_the_translation_are_pairs_whatever_their_addresses() -> None:
    found = counted(
        item("/?p=4", "vi", external_id="4"),
        item("/?p=9", "en", external_id="9", translation_of="4"),
        item("/?p=5", "vi", external_id="5"),
        item("/?p=11", "en", external_id="11"),
        sources=(TELLING,),
    )

    assert (found.paired, [one.url for one in found.unpaired], found.untold) == (1, [f"{SITE}/?p=5"], 0)


def test_it_is_told_how_long_the_english_items_took_where_looks_saw_both_come() -> None:
    def seen(days: float) -> int:
        return stamp(SEEN + timedelta(days=days))

    pairs = [
        (0.0, {"first_seen_at": seen(0.9)}),
        (0.0, {"first_seen_at": seen(2)}),
        (0.0, {"first_seen_at": seen(3.5)}),
        (1.0, {"first_seen_at": seen(0)}),  # the English one came first
        (0.0, {"first_seen_at": seen(-9), "baseline": True}),  # it was there before anybody looked
    ]
    items = []
    for number, (after, english) in enumerate(pairs):
        items += [
            item(f"/vi/tin/{number}", "vi", first_seen_at=seen(after)),
            item(f"/en/tin/{number}", "en", **english),
        ]

    found = counted(*items)

    assert (found.paired, found.lag_known, found.lag_median_days, found.lag_longest_days) == (5, 4, 0, 3)
    assert "half of the English items came within 0 days, the last after 3." in str(pairs_sentence(found))


@pytest.mark.parametrize(
    ("vi", "en", "why"),
    [
        ("tin/{id}", "/en/{id}", "begins neither with / nor as an address"),
        ("/tin/{id}", "/en/{slug}", "shares no name with the other shape, so it identifies no pair"),
        ("/tin/{id}/{id}", "/en/{id}", "names a part twice, or has a bracket without a name"),
        ("/tin/{}", "/en/{id}", "names a part twice, or has a bracket without a name"),
    ],
)
def test_a_rule_that_tells_no_pair_is_refused(vi: str, en: str, why: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(why)):
        PairSettings(vi=vi, en=en)


def test_a_shape_may_name_the_site_and_a_name_stands_for_one_part_of_the_path() -> None:
    rule = PairRule("https://soyte.khanhhoa.example/tin?id={id}", "https://en.soyte.khanhhoa.example/news/{id}.html")

    assert sides_of("https://soyte.khanhhoa.example/tin?id=7", [rule]) == {"vi": {(rule.vi, "7")}}
    assert sides_of("https://en.soyte.khanhhoa.example/news/7.html", [rule]) == {"en": {(rule.vi, "7")}}
    assert sides_of("https://en.soyte.khanhhoa.example/news/7/8.html", [rule]) == {}
    assert sides_of("https://soyte.khanhhoa.example.evil.example/tin?id=7", [rule]) == {}


def test_an_english_item_that_was_there_before_is_a_pair_too() -> None:
    found = counted(item("/vi/tin/1", "vi"), item("/en/tin/1", "en", baseline=True))

    assert (found.paired, found.items) == (1, 1)


def test_more_unpaired_items_than_are_named_are_counted() -> None:
    many = [item(f"/vi/tin/{number}", "vi") for number in range(MAX_NAMED + 5)]
    found = counted(*many, item("/en/tin/0", "en"))

    assert (found.paired, len(found.unpaired), found.unpaired_more) == (1, MAX_NAMED, 4)


@pytest.mark.parametrize(
    ("url", "told", "language"),
    [
        ("/en/tin/1", "vi", "vi"),
        ("/en/tin/1", "", "en"),
        ("/VI/tin/1", "", "vi"),
        ("/vn/tin/1", "", "vi"),
        ("/tin/1?lang=en", "", "en"),
        ("/en/tin/1?lang=vi", "", ""),
        ("/tin/1", "", ""),
        ("https://[not/an/address", "", ""),
        ("/tin/1", "vi_VN", "vi"),
        ("/tin/1", "EN-us", "en"),
    ],
)
def test_a_language_is_the_sources_word_else_the_addresss_else_unknown(url: str, told: str, language: str) -> None:
    assert language_of(item(url, told)) == language


BILINGUAL = """
SELECT id AS external_id, title, published AS published_at, created AS created_at, unit, body, id % 12 + 1 AS kind,
  CASE WHEN title LIKE 'News%' THEN 'en' ELSE 'vi' END AS language,
  'https://soyte.khanhhoa.example/' || CASE WHEN title LIKE 'News%' THEN 'en' ELSE 'vi' END || '/tin/' || (id % 10) AS url
FROM news ORDER BY id
"""

TRANSLATIONS = """
SELECT id AS external_id, title, published AS published_at, unit, body, CASE WHEN title = 'Vaccination' THEN 'en' ELSE 'vi' END AS
language, CASE WHEN title = 'Vaccination' THEN '1' END AS translation_of FROM news ORDER BY id
"""


def test_a_run_records_what_a_database_tells_of_kinds_languages_and_pairs(tmp_path: Path) -> None:
    day = "2026-11-16 09:00"
    collection = Collection(tmp_path, [(1, "Tin cũ", "2026-11-01 08:00", "2026-11-01 08:00", "Sở Y tế", "Tin cũ")])
    settings = Settings(channel=ItemChannel.SUBPORTAL, url="sqlite:///portal.sqlite", query=BILINGUAL)
    collection.source = SqlSource("content", settings, folder=tmp_path, zone=ZONE)
    collection.collect(on="2026-11-15 20:00")
    for number, title in ((2, "Tiêm chủng"), (12, "News of vaccination"), (3, "Phòng dịch")):
        collection.publish((number, title, day, day, "Sở Y tế", f"{title} của ngành y tế"))

    result = collection.collect(on="2026-11-16 20:00")

    found = result.variety
    assert found is not None
    assert (found.first, found.last) == (result.judged_from, result.judged_to)
    assert found.kinds == (1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    assert found.languages == (LanguageCount("en", 1), LanguageCount("vi", 2))
    assert [one.title for one in found.unpaired] == ["Phòng dịch"]
    assert decode_part(bodies.write({"updates": result}), "updates", UpdatesResult) == result


def test_a_translation_is_known_by_the_row_that_it_names_though_it_comes_days_later(tmp_path: Path) -> None:
    older = (3, "Tin", "2026-10-05 09:00", "2026-10-05 09:00", "Sở Y tế", "Tin cũ của ngành y tế")
    collection = Collection(tmp_path, [older])
    settings = Settings(channel=ItemChannel.SUBPORTAL, url="sqlite:///portal.sqlite", query=TRANSLATIONS)
    collection.source = SqlSource("content", settings, folder=tmp_path, zone=ZONE)
    collection.collect(on="2026-11-15 20:00")
    collection.publish(
        (1, "Tiêm chủng", "2026-11-16 09:00", "2026-11-16 09:00", "Sở Y tế", "Tiêm chủng của ngành y tế")
    )
    collection.collect(on="2026-11-16 20:00")
    collection.publish((7, "Vaccination", "2026-11-18 09:00", "2026-11-18 09:00", "Sở Y tế", "News of vaccination"))

    found = collection.collect(on="2026-11-18 20:00").variety

    assert found is not None
    assert (found.paired, found.lag_known, found.lag_longest_days) == (1, 1, 2)
