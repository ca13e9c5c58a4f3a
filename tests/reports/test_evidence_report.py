"""The report on the evidence says what is whole, what is missing, and what nobody can tell."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from portalops.model.message import msg
from portalops.model.period import Period
from portalops.registers.evidence import Evidence
from portalops.registers.proof import Proof
from portalops.registers.slots import KeptSlots, SlotState
from portalops.reports import formats
from portalops.reports.build_evidence import build
from portalops.reports.document import Grid
from portalops.reports.material import Material
from portalops.reports.named import load_report
from portalops.reports.section_slots import job_grid
from tests.reports import backups_sample, sample
from tests.reports import evidence_sample as own
from tests.reports.sample import NOW, PERIOD, ZONE
from tests.reports.test_compliance_report import facts, table, texts


def material(seen: Evidence, proof: Proof) -> Material:
    return replace(backups_sample.material(seen, proof), generated_at=NOW)


def data_of(seen: Evidence, proof: Proof, language: str = "en") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(formats.load("json").render(build(material(seen, proof)), language=language))
    return made


def answers(data: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {row[0]: (row[1]["word"], row[2]) for row in table(data, "What an auditor asks")["rows"]}


def grid_of(seen: Evidence) -> Grid:
    assert seen.slots is not None
    return job_grid(seen.slots.slots, seen)


def test_what_an_auditor_asks_first_is_answered_with_its_reason() -> None:
    assert str(load_report("evidence").title) == "Report on the evidence"
    found = answers(data_of(own.evidence(), own.proof()))

    assert found == {
        "Is the chain of records intact?": ("yes", "records 1 to 144: each names the digest of the one before"),
        "Are the records numbered without a gap?": ("yes", "144 records, numbered 1 to 144"),
        "Are the heads of the period valid?": ("yes", "2 of 2 valid"),
        "Did an anchor accept a head each day?": ("no", "the longest time without one: 25 days"),
        "Was each planned run done?": (
            "no", "693 of 732 done, 1 late, 34 missed, 4 in part, failed or unfinished",
        ),
        "Was every run finished?": ("no", "1 of 698 runs unfinished"),
        "Can all details be read?": ("no", "the details of 1 record that this report needs cannot be read"),
    }  # fmt: skip


def test_a_ledger_that_was_changed_is_not_called_whole_and_each_fault_is_named() -> None:
    data = data_of(own.evidence(), own.changed())
    found = answers(data)

    assert found["Is the chain of records intact?"] == ("no", "2 items differ from what was recorded, first record 40")
    assert found["Are the records numbered without a gap?"] == ("no", "143 records, numbered 1 to 144")
    assert table(data, "What differs from what was recorded")["rows"] == [
        ["40", "the record before it is not the one that it names"],
        ["77", "there is no record"],
    ]


def test_what_nobody_looked_at_is_not_known() -> None:
    found = answers(data_of(own.evidence(), replace(own.proof(), faults=None)))
    assert found["Is the chain of records intact?"] == ("not known", "the ledger was not checked for changes")

    lost = replace(own.evidence(), slots=KeptSlots(problem=msg("no plan is recorded")))
    data = data_of(lost, own.proof())
    assert answers(data)["Was each planned run done?"] == ("not known", "no plan is recorded")
    assert "Which runs were expected is unknown: no plan is recorded" in texts(data)


def test_a_slot_whose_end_cannot_be_read_is_neither_done_nor_missed() -> None:
    seen = own.evidence()
    assert seen.slots is not None
    kept = tuple(slot for slot in seen.slots.slots if slot.state in {SlotState.DONE, SlotState.UNKNOWN})
    found = answers(data_of(replace(seen, slots=KeptSlots(kept)), own.proof()))

    assert found["Was each planned run done?"][0] == "not known"


def test_jobs_stand_day_by_day_and_a_day_on_which_nothing_ran_is_shaded() -> None:
    grid = grid_of(own.evidence())
    rows = {label: "".join(mark.sign if mark else " " for mark in marks) for label, marks in grid.rows}

    assert len(grid.columns) == 28
    assert rows == {
        "anchor": "✓✓✓✓✓✓✓✓✓✓✓✓✗✗✗✓✓✓✓✓✓✓✓✓✓✓✓✓",
        "collect": "✓✓✓✓✓✓✓✓✓✓✓✓✗✓✓✓✓✓19✓✓✓✓✓✓✓✓✓",
        "round": "✓✓✓!✓◑✓✓~✓✓✓✗✓✓✓†✓✓✓?✓✓✓✓✓✓✓",
        "weekly": "  ✓      ✓      ✓          ✗",
    }
    assert [grid.columns[place] for place in grid.shaded] == [date(2026, 8, 29)]
    partly = next(mark for mark in grid.rows[1][1] if mark and mark.sign == "19")
    assert str(partly.meaning) == "19 of 24 slots done, 5 missed"
    assert [mark.sign for mark, _words in grid.legend] == ["✓", "◑", "~", "!", "†", "?", "✗", "n"]


def test_a_day_that_is_not_over_is_not_one_on_which_nothing_ran() -> None:
    today = replace(own.evidence(), now=datetime(2026, 8, 29, 5, tzinfo=UTC))

    assert grid_of(today).shaded == {}


def test_a_long_period_has_a_column_a_week() -> None:
    seen = replace(own.evidence(), period=Period(date(2026, 6, 1), PERIOD.last))
    grid = grid_of(seen)

    assert [str(column) for column in grid.columns][-3:] == ["W35", "W36", "W37"]
    assert {label: marks[-1].sign for label, marks in grid.rows if marks[-1]} == {
        "anchor": "✓", "collect": "✓", "round": "✓", "weekly": "✗",
    }  # fmt: skip
    assert grid.shaded == {}


def test_each_job_has_its_counts_and_missed_slots_in_a_row_are_told_once() -> None:
    data = data_of(own.evidence(), own.proof())

    rows = {row[0]: row[4:] for row in table(data, "Planned jobs: what was expected")["rows"]}
    assert rows["round"] == [28, 22, 1, 1, 1, 1, 1, 1]
    assert rows["collect"] == [672, 643, 0, 0, 0, 0, 0, 29]
    bad = table(data, "Slots that were late")["rows"]
    assert [(row[0], row[1], row[2]) for row in bad[:5]] == [
        ("weekly", "2026-W37", 1), ("round", "2026-09-06", 1), ("collect", "2026-09-04T19 – 2026-09-04T23", 5),
        ("round", "2026-09-02", 1), ("anchor", "2026-08-29 – 2026-08-31", 3),
    ]  # fmt: skip
    assert len(bad) == 10


def test_the_longest_times_without_a_run_reach_to_the_periods_ends() -> None:
    rows = {row[0]: row[1:3] for row in table(data_of(own.evidence(), own.proof()), "Times without a run")["rows"]}

    assert rows["any"] == [698, "25 hours"]
    assert rows["backup"] == [3, "11 days"]


def test_anchors_tell_who_has_which_head_and_for_how_long_nobody_took_one() -> None:
    data = data_of(own.evidence(), own.proof())

    rows = {row[0]: row for row in table(data, "Anchors: heads accepted")["rows"]}
    assert rows["mailbox"][2:6] == [1, 1, "20-0014-0014-0014-0014-0014", "1 to 20"]
    assert rows["time-stamps"][2:4] == [1, 0]
    assert rows["mailbox"][7] is None
    assert rows["time-stamps"][7].startswith("2026-08-18T20:00:07")
    assert facts(data)["Longest time in which no anchor accepted a head"] == {"word": "25 days", "tone": "bad"}


def test_without_an_anchor_the_whole_period_is_without_one() -> None:
    data = data_of(own.evidence(), replace(own.proof(), receipts=()))

    assert facts(data)["Longest time in which no anchor accepted a head"] == {"word": "28 days", "tone": "bad"}
    assert "By the end of the period no head is recorded" in texts(data)


def test_keys_that_changed_stand_with_what_they_replace() -> None:
    seen = replace(own.evidence(), period=Period(date(2026, 7, 20), PERIOD.last))
    rows = table(data_of(seen, own.proof()), "Keys that began or ceased")["rows"]

    assert [(row[1], row[4]) for row in rows] == [("added", "11"), ("retired", "13")]
    assert rows[0][3] == rows[1][2]


def test_bundles_tell_who_took_them_and_what_was_withheld() -> None:
    data = data_of(own.evidence(), own.proof())

    rows = table(data, "Bundles exported in the period, the newest first")["rows"]
    assert [row[2] for row in rows] == [
        "not recorded", "user id 0, logged in as user id 1000, by sudo of an.nguyen",
    ]  # fmt: skip
    assert table(data, "Details that were withheld")["rows"][0][1] == "2" * 64


def test_a_bundle_of_after_the_period_is_not_in_it() -> None:
    later = replace(own.exports()[0], at=datetime(2026, 9, 13, 17, tzinfo=UTC))
    data = data_of(own.evidence(), replace(own.proof(), exports=(later,)))

    assert PERIOD.bounds(ZONE)[1] == later.at
    assert "No bundle was exported in the period." in texts(data)


def test_exemptions_waivers_and_details_that_cannot_be_read_stand_beside() -> None:
    data = data_of(own.evidence(), own.proof())

    assert len(table(data, "Exemptions of the period")["rows"]) == 3
    assert "1 waiver was in force in the period" in texts(data)
    assert table(data, "Details that cannot be read")["rows"] == [
        ["88", "report", {"word": "cannot be read", "tone": "unsure"}, "blob missing"]
    ]


def test_a_period_with_no_data_says_so_in_sentences() -> None:
    data = data_of(own.empty(), Proof())
    said = texts(data)

    for sentence in (
        "The ledger is empty", "Which runs were expected is unknown", "No run began in the period.",
        "No anchor is recorded", "No key was added or retired", "No exemption covers", "No waiver was in force",
        "No detail was erased", "No bundle was exported in",
    ):  # fmt: skip
        assert sentence in said
    assert {answer for answer, _why in answers(data).values()} == {"not known"}


def test_a_young_ledger_is_anchored_only_by_an_anchor() -> None:
    began = replace(own.evidence(), started_at=NOW - timedelta(hours=20))
    label = "Longest time in which no anchor accepted a head"

    alone = data_of(began, replace(own.proof(), receipts=()))
    assert facts(alone)[label] == {"word": "11 hours", "tone": "bad"}
    assert answers(alone)["Did an anchor accept a head each day?"][0] == "no"
    first = own.proof().receipts[0]
    kept = replace(own.proof(), receipts=(replace(first, at=NOW - timedelta(hours=18)),))
    assert facts(data_of(began, kept))[label]["tone"] == "good"


def test_the_same_material_gives_the_same_bytes_and_hostile_words_do_nothing() -> None:
    made = build(material(own.evidence(), own.proof()))
    for language in ("vi", "en"):
        page = formats.load("html").render(made, language=language)
        assert page == formats.load("html").render(build(material(own.evidence(), own.proof())), language=language)
        assert b"<script>alert" not in page
        assert "\u202e" not in page.decode()
    assert sample.HOSTILE[:8] in texts(data_of(own.evidence(), own.proof()))
