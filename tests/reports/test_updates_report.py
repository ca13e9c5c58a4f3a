"""The report on updates shows days and weeks as they were judged, and ranks nobody by chance."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

from portalops.model.organisation import UnitId
from portalops.model.period import Period, Week
from portalops.model.updates import UnitWeek
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.reports import formats
from portalops.reports.build_updates import build
from portalops.reports.document import Grid, TableBlock
from portalops.reports.material import Material, ReportScope
from portalops.reports.named import load_report
from portalops.reports.section_league import league_blocks
from tests.reports import updates_sample as sample
from tests.reports.sample import HOSTILE, UNITS
from tests.reports.test_compliance_report import facts, table, texts

MET, UNMET, PENDING, EXEMPT = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.PENDING, DutyVerdict.EXEMPT
UNSURE = DutyVerdict.INSUFFICIENT_EVIDENCE


def data_of(material: Material, language: str = "en") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(formats.load("json").render(build(material), language=language))
    return made


def weeks(*verdicts: tuple[DutyVerdict, ...]) -> tuple[UnitWeek, ...]:
    """Return weeks of the first units, by verdict."""
    updates = sample.evidence().updates
    assert updates is not None
    one = updates.body.unit_weeks[0]
    return tuple(
        replace(one, unit=unit.id, week=Week(2026, 34 + number), verdict=verdict)
        for unit, own in zip(UNITS, verdicts, strict=False)
        for number, verdict in enumerate(own)
    )


def tables(*verdicts: tuple[DutyVerdict, ...]) -> list[list[tuple[str, ...]]]:
    blocks = league_blocks(weeks(*verdicts), UNITS)
    return [[tuple(map(str, row)) for row in block.rows] for block in blocks if isinstance(block, TableBlock)]


def names(*places: int) -> str:
    return ", ".join(f"Unit {place}" for place in places)


def test_it_is_found_by_its_name_and_can_be_of_one_unit() -> None:
    assert str(load_report("updates").title) == "Report on updates"
    assert load_report("updates").scopes == {"unit"}


def test_units_with_the_same_share_stand_together_whatever_they_owed() -> None:
    ((full, half, none),) = tables((MET, MET), (MET, UNMET), (MET, EXEMPT), (UNMET, UNMET), (UNMET, MET))

    assert (full[1], full[3]) == ("2", "Unit 1, Unit 3")
    assert (half[1:]) == ("2", "2 of 4", "Unit 2, Unit 5")
    assert (none[1], none[3]) == ("1", "Unit 4")


def test_a_unit_that_is_not_decided_has_no_share_and_one_that_owed_nothing_stands_apart() -> None:
    share, undecided, free = tables((MET, UNMET), (MET, UNSURE), (UNMET, PENDING), (EXEMPT, EXEMPT))

    assert [row[3] for row in share] == ["Unit 1"]
    assert [row[0] for row in undecided] == [str(UNITS[1].name), str(UNITS[2].name)]
    assert [row[0] for row in free] == [str(UNITS[3].name)]


def test_without_a_decided_unit_nobody_has_a_share() -> None:
    (undecided,) = tables((MET, UNSURE))

    assert len(undecided) == 1


def test_the_league_names_every_unit_once() -> None:
    data = data_of(sample.material())

    shares = table(data, "Units by the share of their weeks")["rows"]
    apart = table(data, "Units with a week that is pending or has insufficient evidence")["rows"]
    assert sum(row[1] for row in shares) + len(apart) == len(UNITS)
    assert [row[0]["value"] for row in shares] == sorted((row[0]["value"] for row in shares), reverse=True)


def test_a_month_is_one_picture_and_a_long_period_has_one_a_month() -> None:
    def grids(seen: Evidence) -> list[Grid]:
        made = replace(sample.material(seen), period=seen.period)
        return [block for block in build(made).blocks if isinstance(block, Grid)]

    (month,) = grids(sample.evidence())
    assert len(month.rows) == len(UNITS) + 1
    quarter = replace(sample.evidence(), period=Period(date(2026, 7, 15), date(2026, 9, 30)))
    assert [len([each for each in grid.columns if isinstance(each, date)]) for grid in grids(quarter)] == [17, 31, 30]


def test_only_the_duties_of_article_11_and_of_unicode_are_told_of() -> None:
    data = data_of(sample.material())

    rows = table(data, "Each duty")["rows"]
    assert [row[0] for row in rows] == [
        "11.1", "11.2-submissions", "11.2-subportals", "11.3-tracking", "11.3-handling", "11.3-reporting", "7.6",
    ]  # fmt: skip
    assert facts(data)["Population"] == "30 units on 18 working days of 4 ISO weeks"
    assert facts(data)["Working days of the portal"].startswith("17 met, 1 unmet")


def test_cases_exemptions_papers_and_flagged_items_stand_with_their_records() -> None:
    data = data_of(sample.material())

    assert len(table(data, "Cases of units that fell short")["rows"]) == 3
    assert len(table(data, "Exemptions of the period")["rows"]) == 3
    assert len(table(data, "Reports on updates that are recorded as sent")["rows"]) == 1
    assert len(table(data, "Flagged items")["rows"]) == 3


def test_of_one_unit_only_its_own_days_weeks_cases_and_items_are_told() -> None:
    data = data_of(sample.material(scope=ReportScope(unit=UnitId("u12"))))

    assert facts(data)["Only the unit"] == "Unit 12"
    (grid,) = (block for block in data["blocks"] if block["type"] == "grid")
    assert [row["label"] for row in grid["rows"]] == ["Unit 12"]
    assert {row[0] for row in table(data, "Cases of units that fell short")["rows"]} == {"Unit 12"}
    assert "Flagged items of the period: none." in texts(data)
    for other in ("Unit 5", "Unit 27", "The province's portal"):
        assert other not in texts(data)


def test_a_period_with_no_data_says_so_in_sentences_and_shows_no_empty_table() -> None:
    data = data_of(sample.empty())

    said = texts(data)
    for sentence in (
        "The updates were never collected and judged",
        "there is no day to show",
        "No source was ever polled.",
    ):
        assert sentence in said
    assert all(block["rows"] for block in data["blocks"] if block["type"] in {"table", "grid"})


def test_the_same_material_gives_the_same_bytes_and_hostile_words_do_nothing() -> None:
    for name in ("html", "markdown"):
        first, again = (formats.load(name).render(build(sample.material()), language="vi") for _once in range(2))
        assert first == again
        page = first.decode()
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
    assert HOSTILE[:8] in texts(data_of(sample.material()))


def test_it_can_be_of_a_year_without_every_answer_of_every_check() -> None:
    assert load_report("updates").spares == load_report("yearly").spares == {"rounds"}
    assert load_report("compliance").spares == frozenset()
