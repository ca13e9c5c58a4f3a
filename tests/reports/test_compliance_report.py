"""The compliance report holds what an auditor asks for, and nothing it can't show."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.model.cases import CaseStep
from portalops.model.checks import CheckScan
from portalops.model.message import msg
from portalops.model.organisation import Actor, Name, OfficeRole
from portalops.model.period import Period, Week
from portalops.model.record import Digest, Fault
from portalops.model.runs import RunSummary
from portalops.model.verdicts import CheckVerdict, DutyVerdict, RunOutcome
from portalops.model.writers import RecordedRange
from portalops.registers.cases import RecordedMove
from portalops.registers.evidence import Evidence
from portalops.registers.proof import Proof
from portalops.reports import formats
from portalops.reports.build_compliance import build
from portalops.reports.document import Document, Grid, Heading, KeyValues, Notice, SignatureBlock, Tone
from portalops.reports.material import Material
from portalops.reports.section_updates import matrix
from portalops.rulebooks.load import load as load_rulebook
from tests.reports.sample import ACTORS, HOSTS, KEY, NOW, PERIOD, PORTAL, UNITS, document, evidence, looked, proof


def as_data(made: Document, language: str = "en") -> dict[str, Any]:
    data: dict[str, Any] = json.loads(formats.load("json").render(made, language=language))
    return data


def table(data: dict[str, Any], caption: str) -> dict[str, Any]:
    found: dict[str, Any] = next(b for b in data["blocks"] if b.get("caption", "").startswith(caption))
    return found


def texts(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False)


def facts(data: dict[str, Any]) -> dict[str, Any]:
    """Return every labelled fact of the document."""
    return {row["label"]: row["value"] for b in data["blocks"] if b["type"] == "key-values" for row in b["rows"]}


def notices(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [(block["tone"], block["text"]) for block in data["blocks"] if block["type"] == "notice"]


def built(
    seen: Evidence,
    *,
    actors: tuple[Actor, ...] = ACTORS,
    period: Period | None = None,
    proof: Proof = Proof(),  # noqa: B008  # frozen
) -> Document:
    rulebook = load_rulebook("kh-37-2010", {})
    return build(
        Material(
            portal=PORTAL,
            actors=actors,
            units=UNITS,
            rulebook=rulebook,
            calendar=load_calendar(None),
            period=period or seen.period,
            standings=judge(Situation(rulebook, seen, HOSTS, UNITS, load_calendar())),
            evidence=seen,
            proof=proof,
            generated_at=NOW,
            version="0.1.0",
            hosts=HOSTS,
        )
    )


def empty() -> Evidence:
    return replace(
        evidence(), started_at=None, runs=(), backups=(), verifies=(), checks=None, updates=None, unreadable=()
    )


def test_every_duty_stands_in_the_table_with_verdict_reason_and_records() -> None:
    data = as_data(document())
    rows = table(data, "Every duty")["rows"]
    assert [row[0] for row in rows] == [duty.id for duty in load_rulebook("kh-37-2010", {}).duties]
    by_id = {row[0]: row for row in rows}
    assert by_id["10.2-content"][2] == {"word": "met", "tone": "good"}
    assert by_id["10.2-content"][4] == "110"
    assert by_id["10.2-content"][5].startswith("2026-09-08T19:20")
    assert by_id["10.2-channels"][2]["word"] == "unmet"
    assert all(row[3] for row in rows)


def test_verdicts_are_the_regulations_own_words_in_vietnamese() -> None:
    words = {row[2]["word"] for row in table(as_data(document(), "vi"), "Từng nhiệm vụ")["rows"]}
    assert words == {"đạt", "không đạt", "không đủ căn cứ", "không đánh giá"}


def test_weeks_and_media_show_what_lies_where() -> None:
    grid = table(as_data(document()), "Weeks of the period")
    assert grid["columns"] == ["W34", "W35", "W36", "W37"]
    signs = {row["label"]: [mark["sign"] for mark in row["marks"]] for row in grid["rows"]}
    assert signs == {"disk-a": ["✓", "~", "✗", "✓"], "nas-1": ["✓", "~", "✗", "✗"]}


def test_the_matrix_has_a_row_a_unit_and_a_verdict_after_each_week() -> None:
    grid = next(b for b in document().blocks if isinstance(b, Grid) and len(b.rows) > 10)
    assert len(grid.rows) == 1 + 30
    assert len(grid.columns) == 4 * 8
    assert all(len(marks) == len(grid.columns) for _label, marks in grid.rows)
    national_day = grid.columns.index(date(2026, 9, 2))
    assert "National Day" in str(grid.shaded[national_day])
    assert grid.columns.index(date(2026, 8, 23)) in grid.shaded
    portal_row = [mark.sign for mark in grid.rows[0][1] if mark]
    assert portal_row.count("✗") == 1
    silent = [mark.sign for mark in grid.rows[12][1] if mark]
    assert silent == ["✗", "(–)", "(–)", "✗", "✗", "⊘", "⊘", "✗"]
    meanings = [str(mark.meaning) for mark in grid.rows[12][1] if mark and mark.sign in {"(–)", "⊘"}]
    assert meanings[0] == "2026-08-24: exempt (what is sent in (K2)) by 07/CV-SNgV, 9/9/2026"
    assert meanings[2] == "2026-09-09: the sub-portal could not be reached"
    flooded = [mark.sign for mark in grid.rows[27][1] if mark]
    assert flooded[-3:] == ["–", "✗", "✗"]
    flagged = [mark.sign for mark in grid.rows[5][1] if mark and "!" in mark.sign]
    assert flagged == ["●!"] * 3
    assert all(len(mark.sign) <= 3 for _label, marks in grid.rows for mark in marks if mark)


def test_a_unit_that_existed_in_the_middle_of_the_period_is_in_the_matrix() -> None:
    brief = replace(UNITS[0], valid_from=date(2026, 8, 20), valid_to=date(2026, 8, 25))
    from portalops.reports.section_updates import matrix

    updates = evidence().updates
    assert updates is not None
    grid = matrix(replace(updates.body, unit_days=()), evidence().period, [brief], load_calendar(None))
    assert [label for label, _marks in grid.rows[1:]] == [brief.name]


def test_a_week_or_day_that_was_not_judged_is_marked_as_unknown_and_not_left_blank() -> None:
    seen = evidence().updates
    assert seen is not None
    week, day = PERIOD.weeks()[1], date(2026, 8, 26)
    body = replace(
        seen.body,
        unit_weeks=tuple(one for one in seen.body.unit_weeks if one.week != week),
        portal_days=tuple(one for one in seen.body.portal_days if one.day != day),
    )

    grid = matrix(body, PERIOD, UNITS, load_calendar(None))

    portal, first = grid.rows[0][1], grid.rows[1][1]
    assert [mark.sign for mark in portal if mark and "not judged" in str(mark.meaning)] == ["?"]
    assert [str(mark.meaning) for mark in first if mark and mark.sign == "?"] == [f"week {week} was not judged"]


def test_days_without_an_answer_stand_apart_from_days_without_news() -> None:
    rows = table(as_data(document()), "Days on which a site")["rows"]
    assert rows == [["Unit 12", 2, "9 Sep 2026, 10 Sep 2026"]]


def test_a_portal_that_was_out_of_reach_is_told_beside_its_verdict() -> None:
    seen = evidence()
    assert seen.updates is not None
    days = tuple(replace(day, unreachable=day.day == date(2026, 8, 27)) for day in seen.updates.body.portal_days)
    down = replace(seen, updates=replace(seen.updates, body=replace(seen.updates.body, portal_days=days)))
    made = built(down)
    assert table(as_data(made), "Days on which a site")["rows"][0] == ["The province's portal", 1, "27 Aug 2026"]
    grid = next(b for b in made.blocks if isinstance(b, Grid) and len(b.rows) > 10)
    assert [mark.sign for mark in grid.rows[0][1] if mark and "⊘" in mark.sign] == ["✗⊘"]


def test_exemptions_name_their_document_and_what_is_to_be_said_of_them() -> None:
    rows = table(as_data(document()), "Exemptions of the period")["rows"]
    assert [(row[0], row[1], row[6], row[8]) for row in rows] == [
        ("EX-2026-001", "Unit 27", "41/QĐ-UBND, 28/8/2026", 50),
        ("EX-2026-002", "Unit 12", "07/CV-SNgV, 9/9/2026", 120),
        ("EX-2026-003", "The province's portal", "12/TB-TTCNTT, 9/9/2026", 121),
    ]
    assert [row[9] and row[9]["word"] for row in rows] == [
        None,
        "entered afterwards, on 10 Sep 2026",
        "announced late, on 9 Sep 2026",
    ]


def test_a_withdrawn_exemption_is_listed_and_exempts_nobody_after_it() -> None:
    seen = evidence()
    flood, *others = seen.exemptions
    ended = replace(flood, withdrawn_seq=77, withdrawn_at=datetime(2026, 9, 4, 2, tzinfo=UTC))
    made = built(replace(seen, exemptions=(ended, *others)))
    assert table(as_data(made), "Exemptions of the period")["rows"][0][9]["word"] == "withdrawn on 4 Sep 2026"
    grid = next(b for b in made.blocks if isinstance(b, Grid) and len(b.rows) > 10)
    exempt = [mark for mark in grid.rows[27][1] if mark and "exempt" in str(mark.meaning)]
    assert [str(mark.meaning)[:10] for mark in exempt] == ["2026-09-03"]


def test_cases_tell_where_they_stand_and_what_of_them_is_late_also_of_the_managing_unit() -> None:
    data = as_data(document())
    rows = table(data, "Cases of units that fell short")["rows"]
    assert [(row[0], row[1], row[4]["word"], row[6] and row[6]["word"]) for row in rows] == [
        ("The province's portal", "2026-W35", "found", "late"),
        ("Unit 12", "2026-W35", "awaiting an explanation", "in time"),
        ("Unit 12", "2026-W34", "closed", None),
    ]
    assert rows[0][3] == "27 Aug 2026"
    assert rows[0][5] == "the reminder by 3 Sep 2026"
    upwards = table(data, "Repeated shortfalls to be")["rows"]
    assert [(row[0], row[2], row[5]["word"]) for row in upwards] == [
        ("Unit 12", "the report to the Department", "late")
    ]


@pytest.mark.parametrize(("day", "said"), [(4, "done"), (20, "done late")])
def test_what_was_reported_upwards_after_its_day_is_done_late(day: int, said: str) -> None:
    seen = evidence()
    case = next(one for one in seen.cases if one.week == Week(2026, 35) and one.unit == UNITS[11].id)
    reported = replace(case.moves[-1].move, step=CaseStep.TO_DEPARTMENT)
    move = RecordedMove(54, datetime(2026, 9, day, 2, tzinfo=UTC), reported)
    cases = tuple(replace(one, moves=(*one.moves, move)) if one is case else one for one in seen.cases)

    upwards = table(as_data(built(replace(seen, cases=cases))), "Repeated shortfalls to be")["rows"]

    assert [row[5]["word"] for row in upwards] == [said]


def test_a_case_of_which_a_record_cannot_be_read_is_not_said_to_be_in_time() -> None:
    seen = evidence()
    cases = tuple(replace(case, unreadable=(60,)) for case in seen.cases)
    rows = table(as_data(built(replace(seen, cases=cases))), "Cases of units that fell short")["rows"]
    assert {row[6]["word"] for row in rows} == {"not known: records 60 cannot be read"}


def test_reports_that_were_sent_for_days_of_the_period_are_listed_with_their_records() -> None:
    rows = table(as_data(document()), "Reports on updates that are recorded as sent")["rows"]
    assert rows == [
        [
            "2026-08-15",
            "2026-09-14",
            "Department",
            "2026-09-14",
            "22/BC-TTCNTT",
            "Văn thư",
            {"word": "not kept", "tone": "unsure"},
            142,
        ]
    ]


def test_a_report_whose_paper_is_kept_is_listed_with_its_digest() -> None:
    seen = evidence()
    kept = tuple(replace(each, sent=replace(each.sent, file=Digest("a" * 64))) for each in seen.sendings)
    (row,) = table(as_data(built(replace(seen, sendings=kept))), "Reports on updates that are recorded as sent")["rows"]
    assert row[6] == "a" * 64


def test_every_kind_has_a_row_also_where_nothing_of_it_was_seen_and_items_without_a_pair_are_named() -> None:
    data = as_data(document())
    new = "New items on the portal and the sub-portals from 17 Aug 2026 to 13 Sep 2026"
    rows, languages = (table(data, f"{new}, by {what}")["rows"] for what in ("kind", "language"))
    assert [row[0] for row in rows[:12]] == [f"kind {number} of Article 8" for number in range(1, 13)]
    assert rows[2][1] == 0
    assert rows[12:] == [["kind not stated by the source", 130], ["Total", 348]]
    assert languages == [["language not stated", 12], ["in English", 31], ["in Vietnamese", 305], ["Total", 348]]
    (missing,) = table(data, "1 Vietnamese item without an English one")["rows"]
    assert missing[:3] == ["Unit 5", "Sở Công Thương tuyển dụng viên chức", "https://soct.khanhhoa.example/vi/tin/9"]
    assert "for 273 it is not known" in json.dumps(data)


def test_a_week_that_is_not_over_is_not_listed_as_short() -> None:
    seen = replace(evidence(), now=datetime(2026, 9, 10, tzinfo=UTC))
    updates = seen.updates
    assert updates is not None
    weeks = tuple(replace(week, verdict=DutyVerdict.PENDING) for week in updates.body.unit_weeks)
    pending = replace(seen, updates=replace(updates, body=replace(updates.body, unit_weeks=weeks)))
    rows = table(as_data(built(pending)), "Weeks that are over")["rows"]
    assert {row[1] for row in rows} == {"2026-W34", "2026-W35", "2026-W36"}


def test_failed_and_unknown_checks_come_worst_first_with_their_remedy() -> None:
    rows = table(as_data(document()), "Checks that failed")["rows"]
    assert [row[0] for row in rows] == ["patches.security", "ssh.root-login", "tls.dates", "firewall.default-deny"]
    assert rows[1][6] == "Set PermitRootLogin no in sshd_config."


def test_what_went_wrong_is_listed_and_not_averaged_away() -> None:
    data = as_data(document())
    wrong = {(row[0], row[2]) for row in table(data, "Sources, media and items")["rows"]}
    assert ("so-y-te-feed", "not XML: line 1, column 0") in wrong
    assert ("paper-register", "line 14: date in the future") in wrong
    assert ("nas-1", "no space left on device") in wrong
    assert ("machine-configuration", "/etc/ssl/private: permission denied") in wrong
    assert [row[0] for row in table(data, "Unfinished runs: interrupted, or still")["rows"]] == ["10.2:weekly:2026-W36"]
    assert [row[5] for row in table(data, "Flagged items")["rows"]] == ["o1", "o2", "o3"]
    assert "record 88: blob missing" in texts(data)
    assert "Host db-1 was not reached" in texts(data)


def test_what_failed_earlier_in_the_period_is_not_forgotten_when_it_passes_at_its_end() -> None:
    seen = evidence()
    assert seen.checks is not None
    (web, database) = seen.checks.body.hosts
    was_open = [
        replace(result, verdict=CheckVerdict.FAIL) if result.check in {"ssh.protocol", "ssh.root-login"} else result
        for result in web.results
    ]
    bad = replace(
        seen.checks, at=NOW - timedelta(days=9), body=CheckScan((replace(web, results=tuple(was_open)), database))
    )
    data = as_data(built(replace(seen, scans=looked(bad, bad, seen.checks))))

    rows = table(data, "Checks that failed earlier")["rows"]

    assert [row[:4] for row in rows] == [["ssh.protocol", "web-1", 2, 3]]


def test_a_run_that_ended_and_failed_is_listed_with_its_reason() -> None:
    seen = evidence()
    (day, *_others) = [run for run in seen.runs if run.finished_seq]
    assert day.finished_seq
    assert day.finished_at
    failed = RunSummary(RunOutcome.FAILED, 4, day.started_at, day.finished_at, ("error[PO1101]: no key",))
    data = as_data(built(replace(seen, summaries={**seen.summaries, day.finished_seq: failed})))

    (row,) = table(data, "Runs that failed")["rows"]

    assert row[0] == day.id
    assert row[3] == "error[PO1101]: no key"


def test_limits_name_what_this_report_cannot_prove_and_what_was_not_judged() -> None:
    text = texts(as_data(document()))
    assert "not that it was true at that time" in text
    assert "Medium disk-a is on the same file system as the data that it copies" in text
    assert "12.2-approval: the register of changes is empty" in text


def test_the_limits_stand_before_everything_else_and_so_on_page_one() -> None:
    first = document().blocks[0]
    assert isinstance(first, Notice)
    assert "not whether it was true when it was recorded" in str(first.text)
    assert "only if it stands before the newest head that an anchor keeps" in str(first.text)


def test_a_report_over_a_changed_ledger_says_so_before_everything_else() -> None:
    changed = replace(proof(), faults=(Fault(7, msg("record 7 is missing")),))

    first, second = built(evidence(), proof=changed).blocks[:2]

    assert isinstance(first, Notice) and first.tone is Tone.BAD
    assert "From record 7 on nothing in it can be trusted" in str(first.text)
    assert isinstance(second, Notice) and "not whether it was true" in str(second.text)


def test_the_ledger_range_and_its_digest_are_on_the_page() -> None:
    assert "f" * 64 in facts(as_data(document())).values()


def test_the_head_code_stands_in_the_foot_of_every_page() -> None:
    assert as_data(document())["footer"][0] == {"label": "Head code", "value": "143-008f-008f-008f-008f-008f"}
    unsigned = built(evidence(), proof=replace(proof(), head=None, heads=(), has_key=False))
    assert as_data(unsigned)["footer"][1] == {"label": "Last record", "value": f"144, SHA-256 {'f' * 64}"}


@pytest.mark.parametrize(
    ("first", "last", "names"),
    [
        (date(2024, 3, 4), date(2024, 3, 10), ["Sở Thông tin và Truyền thông"]),
        (date(2026, 3, 2), date(2026, 3, 8), ["Sở Khoa học và Công nghệ"]),
        (date(2025, 2, 24), date(2025, 3, 2), ["Sở Thông tin và Truyền thông", "Sở Khoa học và Công nghệ"]),
    ],
)
def test_offices_are_named_as_they_were_in_the_period(first: date, last: date, names: list[str]) -> None:
    seen = replace(empty(), period=Period(first, last))
    scope = next(b for b in built(seen).blocks if isinstance(b, KeyValues))
    shown = [value for label, value in scope.rows if "Department" in str(label)]
    assert [name.vi for name in shown if isinstance(name, Name)] == names


def test_both_holders_of_an_office_in_one_period_are_told_apart_by_their_dates() -> None:
    seen = replace(empty(), period=Period(date(2025, 2, 24), date(2025, 3, 2)))
    scope = next(b for b in built(seen).blocks if isinstance(b, KeyValues))
    labels = [str(label) for label, _value in scope.rows if "Department" in str(label)]
    assert labels == ["Department, until 2025-02-28", "Department, from 2025-03-01"]


def test_an_empty_ledger_meets_nothing_and_says_so() -> None:
    data = as_data(built(empty()))
    assert {row[2]["word"] for row in table(data, "Every duty")["rows"]} <= {"insufficient evidence", "unmet"}
    assert not [block for block in data["blocks"] if block["type"] == "grid"]
    text = texts(data)
    assert "this report has no basis" in text
    assert "The ledger is empty." in text
    assert "No scan of the servers is recorded" in text


def test_a_ledger_that_began_after_the_period_is_named_as_a_limit() -> None:
    seen = replace(evidence(), started_at=datetime(2026, 8, 20, tzinfo=UTC))
    assert "The ledger began on 20 Aug 2026 07:00 +07, after the period began." in texts(as_data(built(seen)))


def test_numbers_that_configuration_changed_are_shown() -> None:
    rulebook = load_rulebook("kh-37-2010", {"unit_weekly_min": 3})
    made = build(
        Material(
            portal=PORTAL,
            actors=ACTORS,
            units=UNITS,
            rulebook=rulebook,
            calendar=load_calendar(None),
            period=evidence().period,
            standings=(),
            evidence=evidence(),
            proof=Proof(),
            generated_at=NOW,
            version="0.1.0",
            hosts=HOSTS,
        )
    )
    assert "unit_weekly_min" in texts(as_data(made))


def test_the_sections_and_the_place_to_sign_are_there() -> None:
    headings = [str(b.text) for b in document().blocks if isinstance(b, Heading) and b.level == 2]
    assert [heading.split(".")[0] for heading in headings] == [
        "I",
        "II",
        "III",
        "IV",
        "V",
        "VI",
        "VII",
        "VIII",
        "IX",
        "X",
        "XI",
    ]
    places = next(b for b in document().blocks if isinstance(b, SignatureBlock)).places
    assert [holder.vi if holder else "" for _office, holder in places] == [
        "",
        next(actor.name.vi for actor in ACTORS if actor.role is OfficeRole.UNIT),
    ]


def test_without_writers_no_column_says_whose_the_records_are() -> None:
    assert "Recorded by" not in json.dumps(as_data(document()))


def test_each_duty_says_who_recorded_its_evidence_where_the_ledger_has_writers() -> None:
    key = KEY.public_key
    recorded = (RecordedRange(101, 108, "web1", key), RecordedRange(109, 110, "db1", key))
    data = as_data(built(evidence(), proof=Proof(claimed_from=100, recorded=recorded)))

    duties = table(data, "Every duty")
    place = duties["headers"].index("Recorded by")
    by_id = {row[0]: row[place] for row in duties["rows"]}

    assert by_id["10.2-content"] == "db1"
    assert {"before there were writers", "not claimed yet"} & set(", ".join(filter(None, by_id.values())).split(", "))


def test_who_recorded_the_evidence_stands_in_vietnamese_and_in_the_records_section() -> None:
    claimed = replace(proof(), claimed_from=1, recorded=(RecordedRange(2, 144, "may-chu-1", KEY.public_key),))
    made = built(evidence(), proof=claimed)

    vietnamese = formats.load("html").render(made, language="vi").decode()
    assert "Bên ghi" in vietnamese
    assert "may-chu-1" in vietnamese
    assert ["2", "144", "may-chu-1"] in [row[:3] for row in table(as_data(made), "Who recorded what")["rows"]]
