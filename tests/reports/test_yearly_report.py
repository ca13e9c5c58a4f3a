"""The yearly summary shows each month as it was judged, how long something was not met, and what is open."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

from portalops.model.period import Period
from portalops.model.verdicts import DutyVerdict
from portalops.reports import formats
from portalops.reports.build_yearly import build
from portalops.reports.document import Grid, Paragraph
from portalops.reports.material import Material
from portalops.reports.named import load_report
from tests.reports import yearly_sample as sample
from tests.reports.sample import HOSTILE
from tests.reports.servers_sample import at
from tests.reports.test_compliance_report import facts, table, texts


def data_of(material: Material, language: str = "en") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(formats.load("json").render(build(material), language=language))
    return made


def test_it_is_found_by_its_name_and_is_about_the_whole_portal() -> None:
    assert str(load_report("yearly").title) == "Yearly summary"
    assert load_report("yearly").scopes == frozenset()
    assert load_report("yearly").needs == {"months"}


def test_a_period_has_its_calendar_months_as_far_as_they_lie_in_it() -> None:
    assert Period(date(2026, 12, 15), date(2027, 2, 3)).months() == (
        Period(date(2026, 12, 15), date(2026, 12, 31)),
        Period(date(2027, 1, 1), date(2027, 1, 31)),
        Period(date(2027, 2, 1), date(2027, 2, 3)),
    )
    one = Period(date(2028, 2, 29), date(2028, 2, 29))
    assert one.months() == (one,)


def test_the_picture_has_a_row_a_duty_and_a_column_a_month() -> None:
    (grid,) = (block for block in build(sample.material()).blocks if isinstance(block, Grid))

    rows = {str(label).partition(":")[0]: "".join(mark.sign for mark in marks if mark) for label, marks in grid.rows}
    assert [str(column) for column in grid.columns] == ["07/2026", "08/2026", "09/2026", "10/2026"]
    assert rows["12.1"] == "✗✗?…"
    assert rows["11.1"] == "✓✗✓…"
    assert rows["10.2-interval"] == "?✓✓…"
    assert len(rows) == len(sample.standings())


def test_what_was_unmet_is_told_with_how_many_months_it_lasted_the_longest_first() -> None:
    data = data_of(sample.material())

    unmet = table(data, "What was unmet")["rows"]
    assert [(row[0], row[2], row[3], row[4]) for row in unmet] == [
        ("12.1", "2026-07-01", "2026-08-31", 2), ("11.1", "2026-08-01", "2026-08-31", 1),
    ]  # fmt: skip
    unknown = table(data, "What had insufficient evidence")["rows"]
    assert {(row[0], row[2]) for row in unknown} == {("10.2-interval", "2026-07-01"), ("12.1", "2026-09-01")}


def test_each_month_is_counted_and_one_before_the_ledger_or_ahead_is_not_called_nothing() -> None:
    seen = replace(sample.evidence(), started_at=at(-10))  # on 7 August
    rows = {
        row[0]: row[1:] for row in table(data_of(sample.material(seen)), "What was recorded, month by month")["rows"]
    }

    assert set(rows["07/2026"]) == {None}
    assert set(rows["10/2026"]) == {None}
    assert rows["08/2026"][0] == 2
    assert [rows["08/2026"][at] + rows["09/2026"][at] for at in (7, 8)] == [5, 2]
    assert rows["all"][7:9] == [5, 2]


def test_of_a_period_before_the_ledger_no_total_is_called_nothing() -> None:
    before = replace(sample.evidence(), backups=(), period=Period(date(2025, 1, 1), date(2025, 12, 31)))
    data = data_of(replace(sample.material(before), period=before.period, months=()))

    assert {*table(data, "What was recorded, month by month")["rows"][-1][1:]} == {None}
    assert facts(data)["Findings opened"] is None


def test_what_is_open_has_its_next_step_and_whether_it_is_late_the_earliest_due_first() -> None:
    data = data_of(sample.material())

    rows = table(data, "Open tasks and the next step of each")["rows"]
    kinds = {row[0] for row in rows}
    assert kinds == {"case", "incident", "change", "finding", "credential"}
    days = [row[3] for row in rows if row[3]]
    assert days == sorted(days)
    assert {row[4]["word"] for row in rows if row[4]} == {"late", "in time"}
    assert not any("kernel.sysctl" in row[1] for row in rows)  # waived
    late = sum(row[4]["word"] == "late" for row in rows if row[4])
    assert facts(data)["Open tasks"] == f"{len(rows)}, {late} of them late"


def test_what_began_after_the_period_is_not_among_what_is_open() -> None:
    seen = replace(sample.evidence(), period=Period(date(2026, 7, 1), date(2026, 7, 31)))
    data = data_of(replace(sample.material(seen), period=seen.period))

    assert {row[0] for row in table(data, "Open tasks and the next step of each")["rows"]}.isdisjoint(
        {"case", "incident", "change"}
    )


def test_a_period_with_no_data_says_so_in_sentences_and_shows_no_empty_table() -> None:
    nothing = replace(
        sample.evidence(), backups=(), findings=(), incidents=None, changes=None, credentials=None, cases=(), sendings=(), runs=(),
        started_at=None,
    )  # fmt: skip
    data = data_of(replace(sample.material(nothing), months=()))

    said = texts(data)
    for sentence in (
        "No month was judged by itself.",
        "The registers show nothing open",
        "No drill was held in the period.",
    ):
        assert sentence in said
    assert all(block["rows"] for block in data["blocks"] if block["type"] in {"table", "grid"})


def test_three_years_are_shown_in_two_pictures() -> None:
    long = Period(date(2024, 1, 1), date(2026, 12, 31))
    made = replace(sample.material(), months=[(month, sample.standings()) for month in long.months()])

    assert [len(block.columns) for block in build(made).blocks if isinstance(block, Grid)] == [24, 12]


def test_the_same_material_gives_the_same_bytes_and_hostile_words_do_nothing() -> None:
    for name in ("html", "markdown"):
        first, again = (formats.load(name).render(build(sample.material()), language="vi") for _once in range(2))
        assert first == again
        page = first.decode()
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
    assert HOSTILE[:8] in texts(data_of(sample.material()))


def test_duties_that_are_pending_are_counted_so_that_the_sum_is_whole() -> None:
    made = sample.material()
    pending = [replace(each, verdict=DutyVerdict.PENDING) for each in made.standings]

    for standings, said in ((made.standings[:0], False), (pending, True)):
        blocks = build(replace(made, standings=standings)).blocks
        sentences = [str(block.text) for block in blocks if isinstance(block, Paragraph)]
        assert (f"{len(pending)} more are pending, exempt or not assessed." in sentences) is said
