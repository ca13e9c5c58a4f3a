"""How soon documents were published: met and unmet are said only where the looks prove it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from checks.updates.rules.seen import ItemClaims
from checks.updates.rules.stamps import stamp
from checks.updates.sources.sql import Settings, SqlSource
from checks.updates.terms import Terms
from checks.updates.time_limits import judge_item, timeliness_of
from portalops.model.organisation import UnitId
from portalops.model.period import Period
from portalops.model.runs import Every
from portalops.model.timeliness import LateItem
from portalops.model.updates import ItemChannel
from portalops.model.verdicts import DutyVerdict
from portalops.rulebooks.limits.load import load_rule_set, rule_sets
from tests.checks.updates.scene import CALENDAR, ZONE, at, rulebook
from tests.checks.updates.test_job import Collection

MET, UNMET, UNKNOWN = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE
NOT_ASSESSED = DutyVerdict.NOT_ASSESSED
ND43, LAW = load_rule_set("nd43"), load_rule_set("law-104-2016")
TERMS = Terms(rulebook(), CALENDAR, ZONE, at("2026-11-24 09:00"), Every.DAY)


def _item(
    written: str, seen: str, before: str | None = None, *, kind: int | None = 6, baseline: bool = False
) -> ItemClaims:
    return ItemClaims(
        id=f"{written} {seen} {before} {kind}",
        source="content",
        channel=ItemChannel.SUBPORTAL.value,
        unit=UnitId("so-y-te"),
        external_id="1",
        translation_of="",
        url=f"https://soyte.khanhhoa.example/{written}-{seen}",
        title=f"Hướng dẫn {written}",
        language="vi",
        kind=kind,
        document_on=written,
        first_seen_at=stamp(at(seen)),
        looked_before_at=stamp(at(before)) if before else None,
        baseline=baseline,
    )


@pytest.mark.parametrize(
    ("what", "item", "verdict"),
    [
        # 2 March 2020 is a Monday; the fifteenth working day after it is Monday, 23 March.
        ("on the last day", _item("2020-03-02", "2020-03-23 20:00", "2020-03-22 20:00"), MET),
        ("after it, and not there after it", _item("2020-03-02", "2020-03-25 20:00", "2020-03-24 20:00"), UNMET),
        ("between two looks around the limit", _item("2020-03-02", "2020-03-25 20:00", "2020-03-23 20:00"), UNKNOWN),
        ("there at the first look, in time", _item("2020-03-02", "2020-03-10 20:00", baseline=True), MET),
        ("there at the first look, later", _item("2020-03-02", "2020-06-10 20:00", baseline=True), UNKNOWN),
        ("without a date", _item("", "2020-03-10 20:00", "2020-03-09 20:00"), UNKNOWN),
        ("dated after it was seen", _item("2020-03-12", "2020-03-10 20:00", "2020-03-09 20:00"), UNKNOWN),
        ("before the decree", _item("2011-09-30", "2011-12-10 20:00", "2011-12-09 20:00"), NOT_ASSESSED),
        ("after the decree", _item("2022-08-15", "2022-12-10 20:00", "2022-12-09 20:00"), NOT_ASSESSED),
    ],
)
def test_an_item_is_judged_by_its_documents_date_and_the_looks_around_it(
    what: str, item: ItemClaims, verdict: DutyVerdict
) -> None:
    (limit,) = (one for one in ND43.limits if 6 in one.kinds)

    assert judge_item(item, limit, ND43, TERMS) is verdict, what


def test_where_a_limit_is_longer_for_others_what_lies_between_is_not_known() -> None:
    (limit,) = (one for one in ND43.limits if 4 in one.kinds)
    # Two working days after Monday, 2 March 2020 is Wednesday; ten is Monday, 16 March.
    days = {"2020-03-04": MET, "2020-03-06": UNKNOWN, "2020-03-16": UNKNOWN, "2020-03-18": UNMET}

    for day, verdict in days.items():
        before = f"{date.fromisoformat(day).replace(day=int(day[-2:]) - 1)} 20:00"
        assert judge_item(_item("2020-03-02", f"{day} 20:00", before, kind=4), limit, ND43, TERMS) is verdict, day


class Values:
    """What was seen, from values instead of a store."""

    def __init__(self, *items: ItemClaims) -> None:
        self._items = items

    def units(self) -> Sequence[UnitId | None]:
        return (UnitId("so-y-te"),)

    def list_claims(self, unit: UnitId | None) -> Sequence[ItemClaims]:
        return [one for one in self._items if one.unit == unit]


def test_items_of_the_period_are_counted_by_limit_and_the_late_ones_named() -> None:
    late = _item("2026-11-02", "2026-11-18 20:00", "2026-11-17 20:00", kind=12)
    collected = Values(
        late,
        _item("2026-11-16", "2026-11-18 20:00", "2026-11-17 20:00", kind=1),
        _item("", "2026-11-18 20:00", "2026-11-17 20:00", kind=2),
        _item("2026-11-16", "2026-11-18 20:00", "2026-11-17 20:00", kind=None),
        _item("2026-10-01", "2026-11-01 20:00", "2026-10-31 20:00", kind=1),
    )

    found = timeliness_of(
        collected, LAW, sources=(), period=Period(date(2026, 11, 16), date(2026, 11, 22)), terms=TERMS
    )

    assert found.counts == ({MET: 1, UNMET: 1, UNKNOWN: 1},)
    assert found.late == (
        LateItem(late.unit, late.title, late.url, 12, date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 18)),
    )


def test_each_rule_set_names_its_document_kinds_and_days() -> None:
    assert rule_sets() == ("law-104-2016", "nd43")
    assert (ND43.valid_from, ND43.valid_to) == (date(2011, 10, 1), date(2022, 8, 14))
    assert (LAW.valid_from, LAW.valid_to) == (date(2018, 7, 1), None)
    for one in (ND43, LAW):
        for limit in one.limits:
            assert limit.kinds
            assert set(limit.kinds) <= set(range(1, 13))
            assert 0 < limit.working_days <= (limit.working_days_of_others or limit.working_days)
    assert {limit.kinds: (limit.working_days, limit.working_days_of_others) for limit in ND43.limits} == {
        (4,): (2, 10),
        (6,): (15, None),
        (8,): (10, None),
        (9,): (15, None),
    }


def test_a_row_names_the_day_of_its_document(tmp_path: Path) -> None:
    query = (
        "SELECT id AS external_id, title, published AS published_at, unit, body, 6 AS kind, '2026-11-02' AS document_on"
        " FROM news ORDER BY id"
    )
    older = (0, "Tin", "2026-10-05 09:00", "2026-10-05 09:00", "Sở Y tế", "Tin cũ của ngành y tế")
    collection = Collection(tmp_path, [older])
    settings = Settings(channel=ItemChannel.SUBPORTAL, url="sqlite:///portal.sqlite", query=query)
    collection.source = SqlSource("content", settings, folder=tmp_path, zone=ZONE)
    collection.collect(on="2026-11-15 20:00")
    collection.publish((1, "Hướng dẫn", "2026-11-16 09:00", "2026-11-16 09:00", "Sở Y tế", "Hướng dẫn phòng dịch"))
    collection.collect(on="2026-11-16 20:00")

    window = collection.store.window(at("2026-11-01 00:00"), at("2026-11-24 09:00"))
    found = timeliness_of(window, LAW, sources=(), period=Period(date(2026, 11, 16), date(2026, 11, 22)), terms=TERMS)

    assert found.counts == ({UNMET: 1},)
    assert [(one.document_on, one.due_on, one.seen_on) for one in found.late] == [
        (date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16))
    ]
