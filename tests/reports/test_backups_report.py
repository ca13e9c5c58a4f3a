"""The report on backups shows what was made, read, restored and removed, and calls nothing verified that was not read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from portalops.model.backups import CopyState, SetId, SetKind
from portalops.model.message import msg
from portalops.model.reading import limits_of
from portalops.registers.evidence import Evidence, UnreadableRecord
from portalops.reports import formats
from portalops.reports.build_backups import build
from portalops.reports.document import Grid, LineChart
from portalops.reports.named import load_report
from portalops.reports.section_backup_calendar import calendar
from portalops.reports.section_backups import backup_blocks, week_grid
from portalops.rulebooks.load import load as load_rulebook
from tests.reports import backups_sample as sample
from tests.reports.sample import HOSTILE
from tests.reports.test_compliance_report import facts, table, texts

LIMITS = limits_of(load_rulebook("kh-37-2010", {}).numbers)


def data_of(seen: Evidence, language: str = "en") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(formats.load("json").render(build(sample.material(seen)), language=language))
    return made


def signs(grid: Grid) -> dict[str, str]:
    return {str(label): "".join(mark.sign for mark in marks if mark) for label, marks in grid.rows}


def test_it_is_found_by_its_name_and_is_about_the_whole_portal() -> None:
    assert str(load_report("backups").title) == "Report on backups"
    assert load_report("backups").scopes == frozenset()


def test_the_calendar_has_a_row_a_medium_and_class_and_tells_read_from_written_failed_and_missing() -> None:
    grid = calendar(sample.evidence(), LIMITS)

    assert [str(column) for column in grid.columns] == [f"W{week}" for week in range(27, 40)]
    assert signs(grid) == {
        "discs · configuration": "······✗?✓✓✓✓…",
        "discs · accounts of users": "······✗?✓✓✓✓…",
        "discs · settings of channels": "······✗✗✗✗✗✗…",
        "discs · content": "······✗?✓~✓✓…",
        "discs · other data": "······✗?✓✓✓✓…",
        "disk-a · configuration": "○?~??✗??✓✓✓✓…",
        "disk-a · accounts of users": "○????✗??✓✓✓✓…",
        "disk-a · settings of channels": "✗✗✗✗✗✗✗✗✗✗✗✗…",
        "disk-a · content": "○????✗??✓~✓✓…",
        "disk-a · other data": "○????✗??✓✓✓✓…",
        "nas-1 · configuration": "○?~?!✗??!✓✓◐…",
        "nas-1 · accounts of users": "○???!✗??!✓✓◐…",
        "nas-1 · settings of channels": "✗✗✗✗✗✗✗✗✗✗✗✗…",
        "nas-1 · content": "○???!✗??!~✓◐…",
        "nas-1 · other data": "○???!✗??!✓✓◐…",
    }
    assert {mark.sign for mark, _words in grid.legend} == set("✓?◐~○!✗…·")


def test_weeks_before_a_medium_are_left_open_only_where_the_records_tell_since_when_it_is_used() -> None:
    seen = sample.evidence()
    nowhere = replace(seen, media={})
    young = replace(nowhere, started_at=sample.made_at(-3))
    label = "discs · accounts of users"

    assert signs(calendar(seen, LIMITS))[label] == "······✗?✓✓✓✓…"
    assert signs(calendar(nowhere, LIMITS))[label] == "✗✗✗✗✗✗✗?✓✓✓✓…", "older sets were not read"
    assert signs(calendar(young, LIMITS))[label] == "·······?✓✓✓✓…", "every set there ever was is known"


def test_a_week_before_the_ledger_is_not_called_missing() -> None:
    began = replace(sample.evidence(), started_at=sample.made_at(3))

    assert signs(calendar(began, LIMITS))["nas-1 · settings of channels"] == "––––✗✗✗✗✗✗✗✗…"


def test_a_copy_that_was_not_reached_is_not_called_verified() -> None:
    seen = sample.evidence()
    last = seen.backups[-1]
    lost = tuple(
        replace(copy, problem="no route to host") if copy.medium == "disk-a" else copy for copy in last.body.copies
    )
    seen = replace(seen, backups=(*seen.backups[:-1], replace(last, body=replace(last.body, copies=lost))))

    assert signs(calendar(seen, LIMITS))["disk-a · accounts of users"].endswith("✓◐…")
    assert signs(week_grid(sample.evidence(), LIMITS))["disk-a"].endswith("✓✓…")
    assert signs(week_grid(seen, LIMITS))["disk-a"].endswith("✓~…"), "nor in the weeks of the compliance report"


def test_a_set_of_which_no_verified_copy_was_reached_is_not_counted_as_verified() -> None:
    seen = sample.evidence()
    last = seen.backups[-1]
    lost = tuple(replace(copy, problem="no route to host") for copy in last.body.copies)
    unreached = replace(seen, backups=(*seen.backups[:-1], replace(last, body=replace(last.body, copies=lost))))

    def summary(evidence: Evidence) -> str:
        return str(next(iter(backup_blocks(evidence, LIMITS))).text)  # type: ignore[union-attr]

    assert "complete and verified on at least one medium: 3." in summary(seen)
    assert "complete and verified on at least one medium: 2." in summary(unreached)
    counted = "Of them complete, and verified on a medium lately enough"
    assert [facts(data_of(each))[counted] for each in (seen, unreached)] == [3, 2]


def test_a_differential_without_a_verified_base_is_not_called_verified_in_any_picture() -> None:
    seen = sample.evidence()
    last = seen.backups[-1]
    assert last.body.set is not None
    alone = replace(last.body.set, kind=SetKind.DIFF, base_id=sample.set_id(5))
    seen = replace(seen, backups=(*seen.backups[:-1], replace(last, body=replace(last.body, set=alone))))

    assert signs(calendar(seen, LIMITS))["disk-a · accounts of users"].endswith("✓◐…")
    assert signs(week_grid(seen, LIMITS))["disk-a"].endswith("✓~…")


def test_sets_stand_by_class_kind_size_run_and_record() -> None:
    data = data_of(sample.evidence())

    by_class = {row[0]: row[1:4] for row in table(data, "Sets of the period, by class")["rows"]}
    assert by_class["content database"] == [10, 10, "portal-database"]
    assert by_class["system configuration"] == [11, 10, "machine-configuration"]
    newest = table(data, "Backup sets made in the period")["rows"][0]
    assert newest[0] == sample.set_id(11)
    assert newest[2] == "full"
    assert newest[-2:] == ["10.2:weekly:2026-W38", "130"]
    claim = table(data, "What other tools claim")["rows"][0]
    assert claim[:2] == ["restic-of-the-province", "restic"]


def test_copies_are_counted_by_medium_and_those_that_do_not_count_come_first() -> None:
    data = data_of(sample.evidence())

    rows = {row[0]: row[2:9] for row in table(data, "Copies of the period's sets")["rows"]}
    assert rows == {
        "discs": [5, 4, 1, 0, 0, 0, 0],
        "disk-a": [11, 4, 6, 0, 0, 0, 1],
        "nas-1": [11, 2, 5, 1, 1, 1, 1],
    }
    copies = table(data, "Copies in their newest known state")["rows"]
    words = [row[2]["word"] for row in copies]
    assert words.index("verified") == len(words) - words.count("verified")
    assert "damaged" in words[:3]


def test_media_have_place_custodian_last_look_and_what_must_be_seen_to() -> None:
    rows = {row[0]: row for row in table(data_of(sample.evidence()), "Media: place and custodian at")["rows"]}

    assert rows["disk-a"][3:5] == ["Tủ sắt phòng 204, Trụ sở Sở KH&CN, 204", "Nguyễn Văn An"]
    assert rows["disk-a"][6].startswith("2026-09-15")
    assert "not in the register" in rows["nas-1"][-1]["word"]
    assert rows["tape-1"][-1] == {"word": "it expired on 1 Sep 2026", "tone": "unsure"}
    discs = table(data_of(sample.evidence()), "Burnt discs")["rows"]
    assert [row[2]["word"] for row in discs] == ["read back, whole", "burnt, not read back"]


def test_drills_tell_what_was_restored_how_long_it_took_and_who_did_it() -> None:
    data = data_of(sample.evidence())

    rows = table(data, "Drills of the period")["rows"]
    assert [(row[3]["word"], row[-2], row[-1]) for row in rows] == [
        ("verified", "this host", "16"), ("damaged", "this host", "15"), ("verified", "phuc-hoi-1", "14"),
    ]  # fmt: skip
    assert any(label.startswith("Drills of phuc-hoi-1") for label in facts(data))
    tried = table(data, "What was restored")["rows"]
    assert tried[0][4] == "41 tables, 120344 rows"
    assert "12 rows less" in tried[2][5]["word"]
    assert "sets no time limit for restoring data" in texts(data)


def test_the_trend_of_restores_reaches_a_year_back_a_line_a_medium() -> None:
    charts = [block for block in build(sample.material(sample.evidence())).blocks if isinstance(block, LineChart)]

    assert [str(chart.caption) for chart in charts] == [
        "Time to restore from disk-a, 2025-10-12 to 2026-08-08",
        "Time to restore from nas-1, 2025-11-11 to 2026-09-07",
    ]
    assert [len(chart.moments) for chart in charts] == [6, 6]
    assert charts[0].unit == "min"
    assert charts[0].lines[0].values[0] == pytest.approx(7.0)


def test_a_period_with_many_drills_shows_its_own_alone() -> None:
    seen = sample.evidence()
    own = tuple(replace(seen.drills[0], at=sample.made_at(0) + timedelta(days=7 * week)) for week in range(6))
    charts = [
        block
        for block in build(sample.material(replace(seen, drills=(*seen.drills[:4], *own)))).blocks
        if isinstance(block, LineChart)
    ]

    assert [len(chart.moments) for chart in charts] == [6]


def test_removals_name_rule_and_records_and_decisions_and_refusals_stand_beside() -> None:
    data = data_of(sample.evidence())

    (removed,) = table(data, "Sets that were removed")["rows"]
    assert removed[0] == sample.set_id(0)
    assert removed[3:] == [
        "no rule keeps it: 9 sets are newer", "disk-a, nas-1",
        {"word": "discs to be destroyed: 1/1 KH-2026-07", "tone": "unsure"}, None, "171, 180",
    ]  # fmt: skip
    decided = [row[1] for row in table(data, "Sets that were held, released")["rows"]]
    assert decided == ["released", "held", "mark undone", "marked for removal", "marked for removal"]
    held = table(data, "Sets that are held")["rows"]
    assert [row[0] for row in held] == [sample.set_id(3), sample.set_id(2)]
    (refused,) = table(data, "Runs that were due to")["rows"]
    assert refused[3] == "nas-1 lists no set that is to be kept"


def test_only_the_duties_of_article_10_are_told_of() -> None:
    data = data_of(sample.evidence())

    rows = table(data, "The duties of Article 10")["rows"]
    assert {row[0].partition("-")[0] for row in rows} == {"10.1", "10.2"}
    assert "12.3-continuity" not in texts(data)


def test_what_cannot_be_read_of_backups_is_named() -> None:
    lost = (
        UnreadableRecord(155, "retention", msg("blob missing")),
        UnreadableRecord(156, "sent", msg("blob missing")),
    )
    said = texts(data_of(replace(sample.evidence(), unreadable=lost)))

    assert "record 155: blob missing" in said
    assert "record 156" not in said


def test_a_period_with_no_data_says_so_in_sentences_and_shows_no_empty_table() -> None:
    data = data_of(sample.empty())
    said = texts(data)

    for sentence in (
        "No copy of a set is recorded for the period", "No backup set was made in the period.", "No copy of a set of the period",
        "No medium is in the register", "No copy was read again", "No drill was held", "No recorded run removed", "No run failed",
    ):  # fmt: skip
        assert sentence in said
    assert all(block["rows"] for block in data["blocks"] if block["type"] == "table")


def test_the_same_material_gives_the_same_bytes_in_every_language() -> None:
    for language in ("vi", "en"):
        page = [
            formats.load("html").render(build(sample.material(sample.evidence())), language=language)
            for _once in range(2)
        ]
        assert page[0] == page[1]


def test_hostile_words_of_files_people_and_places_do_nothing() -> None:
    document = build(sample.material(sample.evidence()))

    for name in ("html", "markdown", "csv"):
        page = formats.load(name).render(document, language="vi").decode()
        assert name == "csv" or "<script>alert" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
    assert HOSTILE[:8] in texts(data_of(sample.evidence()))


def test_a_thousand_sets_leave_the_tables_short_and_the_rest_is_counted() -> None:
    seen = sample.evidence()
    first = seen.backups[0].body
    assert first.set is not None
    many = tuple(
        replace(
            seen.backups[0],
            seq=1000 + number,
            body=replace(
                first,
                set=replace(first.set, id=SetId(f"s{number}")),
                copies=tuple(
                    replace(copy, set_id=SetId(f"s{number}"), state=CopyState.VERIFIED) for copy in first.copies
                ),
            ),
        )
        for number in range(1000)
    )
    data = data_of(replace(seen, backups=many, discs=()))

    assert len(table(data, "Backup sets made in the period")["rows"]) == 40
    assert "960 more rows are not shown; a bundle of the period holds them." in texts(data)
    assert {row[0] for row in table(data, "Sets of the period, by class")["rows"]} >= {"user accounts"}
