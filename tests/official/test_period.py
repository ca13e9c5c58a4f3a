"""A period's report calls nobody punctual of whom that is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from portalops.compliance.handling import Handling, LateAnswer, own_delays
from portalops.model.cases import CaseDuty, CaseMove, CaseStep, Shortfall
from portalops.model.incidents import IncidentFacts, IncidentKind
from portalops.model.message import msg
from portalops.model.period import Period, Week
from portalops.model.timeliness import LateItem, RuleSetTimeliness
from portalops.model.updates import (
    Counted,
    FlaggedItem,
    FlagKind,
    Grade,
    ItemChannel,
    OpenBecause,
    UnitWeek,
    UpdateSourceTraits,
    UpdatesResult,
)
from portalops.model.verdicts import DutyVerdict, Severity
from portalops.official.build_period import PeriodFacts, annex_table, build_period, lasted_in, source_words
from portalops.official.build_reminder import build_reminder, uncounted_items
from portalops.official.formats import load
from portalops.registers.cases import Case, RecordedMove, fold_cases
from portalops.registers.incidents import fold_incidents
from portalops.reports.document import Bullets, Heading, Paragraph, TableBlock
from portalops.rulebooks.limits.load import load_rule_set
from tests.official.sample import CALENDAR, HEALTH, RULEBOOK, ZONE, cases, facts, office, report
from tests.reports.sample import variety


def _judged(*weeks: DutyVerdict) -> PeriodFacts:
    """Return a period without cases whose units' weeks came to these verdicts."""
    known = facts()
    days = [replace(day, verdict=DutyVerdict.MET) for day in known.portal_days]
    unmet = {(Week(2026, 44), CaseDuty.SUBPORTAL)} if DutyVerdict.UNMET in weeks else ()
    sums = [replace(one, weeks=dict.fromkeys(weeks, 2), unmet=frozenset(unmet)) for one in known.sums]
    return replace(known, sums=sums, portal_days=days, cases=(), escalations=())


def _texts(known: PeriodFacts) -> list[str]:
    paper = build_period(known, office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)
    texts = [str(block.text) for block in paper.body if isinstance(block, Paragraph)]
    return texts + [str(item) for block in paper.body if isinstance(block, Bullets) for item in block.items]


def test_only_units_that_were_assessed_before_are_set_beside_the_period_before() -> None:
    said = next(text for text in _texts(facts()) if text.startswith("Of the "))

    # The ward has 1204 items and was not assessed before: it is no growth.
    assert said == (
        "Of the 1 unit whose weeks all came to a verdict in both periods: items 37 (-4); unit-weeks that reached what was"
        " due 3 of 5, before 5 of 5."
    )


def test_a_period_that_was_not_watched_whole_is_compared_with_none() -> None:
    known = facts()
    half = {HEALTH: replace(known.before[HEALTH], weeks={DutyVerdict.MET: 4, DutyVerdict.INSUFFICIENT_EVIDENCE: 1})}

    said = _texts(replace(known, before=half))

    assert any(text.startswith("Not compared: no unit's weeks all came to a verdict") for text in said)
    assert [row[8] for row in annex_table(replace(known, before=half), ZoneInfo(ZONE)).rows] == [None, None, None]


def _closed(*steps: CaseStep) -> tuple[Case, ...]:
    """Return the first case, closed by a person after some steps."""
    (found, *_others) = cases()
    moves = [
        RecordedMove(90 + number, found.moves[-1].at, CaseMove(found.unit, found.duty, found.week, step, by="Bình"))
        for number, step in enumerate((*steps, CaseStep.CLOSED))
    ]
    return fold_cases((*found.moves, *moves))


def test_a_closed_case_says_whether_the_explanation_was_accepted() -> None:
    known = _judged(DutyVerdict.MET, DutyVerdict.UNMET)
    accepted = replace(known, cases=_closed(CaseStep.ACCEPTED))

    assert "1 case: closed; explanation accepted." in _texts(accepted)
    assert "1 case: closed; explanation not accepted." in _texts(replace(known, cases=_closed(CaseStep.REJECTED)))
    paper = build_period(accepted, office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)
    assert "đã đóng; giải trình được chấp nhận" in load("markdown").render(paper, language="vi").decode("utf-8")


def test_nobody_is_urged_over_a_week_whose_explanation_was_accepted() -> None:
    known = replace(_judged(DutyVerdict.MET, DutyVerdict.UNMET), cases=_closed(CaseStep.ACCEPTED))

    (urged,) = [text for text in _texts(known) if "is asked to urge the units that fell short" in text]

    assert urged.endswith(": Bac Cam Ranh ward.")


def test_documents_are_asked_for_only_where_they_can_decide() -> None:
    known = _judged(DutyVerdict.MET, DutyVerdict.INSUFFICIENT_EVIDENCE)
    health, ward = known.sums

    def said(*reasons: OpenBecause) -> list[str]:
        sums = (replace(health, open_because=dict.fromkeys(reasons, 1)), ward)
        return _texts(replace(known, sums=sums))

    asked, sources = "asked for documents that show when", "The managing unit adds sources that show what these units"
    assert not any(asked in text or sources in text for text in said(OpenBecause.NOT_WATCHED))
    assert not any(asked in text for text in said(OpenBecause.NO_SOURCE))
    assert any(sources in text and text.endswith(": Department of Health.") for text in said(OpenBecause.NO_SOURCE))
    assert any(asked in text and text.endswith(": Department of Health.") for text in said(OpenBecause.UNPROVEN))


def test_every_working_day_of_the_portal_that_was_not_met_is_named_with_what_it_came_to() -> None:
    known = facts()
    named = [day for day in known.portal_days if day.working][:3]
    verdicts = (DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING)
    days = [replace(day, verdict=verdict) for day, verdict in zip(named, verdicts, strict=True)]

    said = "\n".join(_texts(replace(known, portal_days=days)))

    assert f"for which the managing unit is responsible: {days[0].day}." in said
    assert f"insufficient evidence: {days[1].day}." in said
    assert f"await confirmation, or that are not over: {days[2].day}." in said


def test_an_exemption_is_shown_with_what_is_to_be_said_of_how_it_came_about() -> None:
    assert any(text.endswith("by 215/QĐ-UBND, 18/10/2026 (announced late, on 2026-10-16).") for text in _texts(facts()))


def test_each_item_of_a_list_ends_with_a_semicolon_and_the_last_with_a_full_stop() -> None:
    paper = build_period(facts(), office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)

    for block in paper.body:
        if isinstance(block, Bullets):
            ends = [str(item)[-1] for item in block.items]
            assert ends == [";"] * (len(ends) - 1) + ["."]


@pytest.mark.parametrize(
    ("weeks", "said"),
    [
        ((DutyVerdict.MET,), ("Nobody fell short in the period.", "There was nothing to handle.")),
        (
            (DutyVerdict.MET, DutyVerdict.INSUFFICIENT_EVIDENCE),
            ("On the evidence at hand, nobody fell short in the period.", "There was nothing to handle."),
        ),
        (
            (DutyVerdict.MET, DutyVerdict.UNMET),
            (
                "No case is recorded for a week that ends in the period.",
                "No case of the period is recorded.",
            ),
        ),
    ],
)
def test_a_period_without_cases_is_called_free_of_shortfalls_only_where_that_is_known(
    weeks: tuple[DutyVerdict, ...], said: tuple[str, str]
) -> None:
    assert set(said) <= set(_texts(_judged(*weeks)))


def test_time_limits_of_other_regulations_are_reported_only_where_the_portal_chose_them() -> None:
    late = LateItem(HEALTH, "Hướng dẫn", "", 4, date(2026, 10, 1), date(2026, 10, 8), date(2026, 10, 20))
    found = RuleSetTimeliness(load_rule_set("law-104-2016"), ({DutyVerdict.MET: 3, DutyVerdict.UNMET: 1},), (late,), 0)
    chosen = build_period(
        replace(facts(), timeliness=[found]), office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE
    )

    headings = [str(block.text) for block in chosen.body if isinstance(block, Heading)]
    tables = {str(block.caption): block for block in chosen.body if isinstance(block, TableBlock)}
    assert "4. How soon documents were published" in headings
    counts = tables["Items first seen in the period, by their documents' dates"]
    assert [str(cell) for cell in counts.rows[0]] == [
        "information that is to be published",
        "5 working days",
        "3",
        "1",
        "0",
        "0",
    ]
    assert [str(cell) for cell in tables["1 item after its limit"].rows[0][1:]] == [
        "Hướng dẫn", "2026-10-01", "2026-10-08", "2026-10-20",
    ]  # fmt: skip
    assert any(
        "which the program cannot tell for an item" in text for text in _texts(replace(facts(), timeliness=[found]))
    )
    assert not any("How soon documents" in text for text in _headings(facts()))


def _headings(known: PeriodFacts) -> list[str]:
    paper = build_period(known, office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)
    return [str(block.text) for block in paper.body if isinstance(block, Heading)]


def test_a_report_says_what_is_known_of_the_regulations_standing() -> None:
    said = _texts(facts())

    assert len(RULEBOOK.notices) == 2
    assert [notice.en for notice in RULEBOOK.notices] == [
        text for text in said if text in {n.en for n in RULEBOOK.notices}
    ]
    assert any("does not prove that the Decision is in force" in text for text in said)


def test_a_week_that_awaits_confirmation_is_no_week_with_sufficient_evidence() -> None:
    said = _texts(_judged(DutyVerdict.MET, DutyVerdict.PENDING))

    assert not any("evidence is sufficient" in text for text in said)
    assert any(text.startswith("Coverage: 2 units have at least one week that awaits confirmation") for text in said)


def test_every_unit_that_fell_short_is_named_and_something_is_proposed_about_it() -> None:
    said = _texts(_judged(DutyVerdict.MET, DutyVerdict.UNMET))

    assert "Department of Health: 2 of 4 assessed weeks;" in said
    assert "Bac Cam Ranh ward: 2 of 4 assessed weeks." in said
    assert any("is asked to urge the units that fell short" in text and "Bac Cam Ranh ward" in text for text in said)
    assert not any("nothing to propose" in text for text in said)


def test_the_unit_weeks_of_the_text_add_up() -> None:
    known = _judged(DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.PENDING, DutyVerdict.EXEMPT)

    assert (
        "Of 16 unit-weeks, 4 reached what was due, 4 did not, 4 came to no verdict, and in 4 nothing was due."
        in _texts(known)
    )


def test_the_managing_units_own_delays_are_named_with_their_days() -> None:
    handling = Handling(RULEBOOK.numbers, CALENDAR, ZoneInfo(ZONE), date(2026, 11, 23))
    known = replace(facts(), late_steps=own_delays(cases(), handling, facts().period))

    said = [text for text in _texts(known) if "was due by" in text]

    # Week 44 was explained and not decided; of week 45 nobody was reminded, the managing unit itself included.
    assert said == [
        "the decision on the explanation of week 44 (2026-10-26 to 2026-11-01) was due by 2026-11-10 and is not recorded:"
        " Department of Health;",
        "the reminder of week 45 (2026-11-02 to 2026-11-08) was due by 2026-11-10 and is not recorded: Department of Health;"
        " The managing unit;",
        "the report to the Department of week 45 (2026-11-02 to 2026-11-08) was due by 2026-11-13 and is not recorded:"
        " Department of Health.",
    ]
    assert "The managing unit carries out the overdue steps of section V." in _texts(known)
    assert not any("was due by" in text for text in _texts(facts()))


def test_a_hearing_is_named_though_it_is_no_case() -> None:
    known = replace(_judged(DutyVerdict.MET, DutyVerdict.UNMET), hearings=cases()[:1])

    assert "1 hearing is under way, before a case is opened: Department of Health." in _texts(known)
    assert "No case of the period is recorded." in _texts(known)


def test_nobody_who_is_still_heard_or_on_trial_is_said_to_have_fallen_short() -> None:
    known = _judged(DutyVerdict.MET, DutyVerdict.UNMET)
    week, duty = Week(2026, 44), CaseDuty.SUBPORTAL
    health, ward = (replace(one, weeks={DutyVerdict.MET: 3, DutyVerdict.UNMET: 1}) for one in known.sums)
    heard = [
        replace(case, moves=tuple(replace(each, move=replace(each.move, week=week, duty=duty)) for each in case.moves))
        for case in cases()[:1]
    ]
    some = replace(known, sums=[health, ward], hearings=heard, on_trial={ward.unit: date(2026, 11, 9)})

    said = _texts(some)

    assert not any("did not reach what was due" in text or "is asked to urge" in text for text in said)
    assert any(text.startswith("Of 2 units, weeks were judged of which they are still heard") for text in said)
    assert [str(row[9]) for row in annex_table(some, ZoneInfo(ZONE)).rows[:2]] == ["being heard, or on trial"] * 2


def test_a_hearing_whose_week_is_met_by_now_is_not_said_to_go_on() -> None:
    said = _texts(replace(_judged(DutyVerdict.MET), hearings=cases()[:1]))

    assert not any("under way" in text for text in said)
    assert "1 further hearing is of a week that is no longer unmet, so no case is opened: Department of Health." in said


@pytest.mark.parametrize(
    ("duties", "subject", "asked"),
    [
        ([CaseDuty.SUBPORTAL], "cập nhật thông tin trên cổng con", "Cập nhật thông tin trên cổng con đủ"),
        ([CaseDuty.SUBMISSION], "gửi thông tin về Cổng", "Gửi thông tin về Đơn vị quản lý Cổng đủ"),
        ([*CaseDuty][1:], "cập nhật thông tin trên cổng con và gửi thông tin về Cổng", "cập nhật và gửi thông tin đủ"),
    ],
)
def test_a_letter_urges_to_what_was_not_done_and_to_nothing_else(
    duties: list[CaseDuty], subject: str, asked: str
) -> None:
    week, found = Week(2026, 45), Shortfall(85, 2, 1, msg("x"))
    moves = [CaseMove(HEALTH, duty, week, CaseStep.HEARD, shortfall=found) for duty in duties]
    heard = fold_cases(
        RecordedMove(number, datetime(2026, 11, 9, 2, tzinfo=UTC), move) for number, move in enumerate(moves, 1)
    )

    letter = build_reminder(office(), facts().names[HEALTH], heard, RULEBOOK, explain_by=date(2026, 11, 12), zone=ZONE)

    text = load("markdown").render(letter, language="vi").decode("utf-8")
    assert f"V/v đôn đốc {subject}" in text
    assert asked in text
    assert ("trên cổng con" in text) == (CaseDuty.SUBPORTAL in duties)


def test_an_answer_that_came_late_is_called_late_in_the_annex_of_cases() -> None:
    late = {cases()[0].id: LateAnswer(3, date(2026, 11, 4))}
    paper = build_period(
        replace(facts(), late_answers=late), office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE
    )

    text = load("markdown").render(paper, language="vi").decode("utf-8")

    assert "(muộn: hạn là ngày 04/11/2026)" in text


def test_an_incident_of_the_register_is_named_and_none_is_denied_while_an_entry_cannot_be_read() -> None:
    quiet = replace(_judged(DutyVerdict.MET), sums=[], exemptions=())
    noticed = datetime(2026, 11, 3, 2, tzinfo=UTC)
    power = IncidentFacts("IN-2026-001", "Mất điện.", IncidentKind.OUTAGE, Severity.MEDIUM, noticed, "An")
    outage = fold_incidents([(1, noticed, power.id, power, ())]).incidents[power.id]

    assert "None is recorded." in _texts(quiet)
    assert any("not over yet: Mất điện." in text for text in _texts(replace(quiet, incidents=(outage,))))
    assert "None is recorded." not in _texts(replace(quiet, incidents_lost=1))
    assert lasted_in(outage, quiet.period, ZoneInfo(ZONE))
    assert not lasted_in(outage, Period(date(2026, 10, 1), date(2026, 11, 2)), ZoneInfo(ZONE))


def test_a_source_is_called_by_what_it_shows_and_not_by_its_id() -> None:
    own = UpdateSourceTraits("soyte-rss", ItemChannel.SUBPORTAL, complete=False, unit=HEALTH)
    shared = UpdateSourceTraits("van-ban-den", ItemChannel.SUBMISSION, complete=True)

    assert str(source_words(own, facts().names)) == "sub-portal of Department of Health"
    assert str(source_words(shared, facts().names)) == "source of what units send in"


def test_a_report_names_neither_versions_nor_options_of_the_program() -> None:
    text = load("markdown").render(report(variety=variety()), language="vi").decode("utf-8")

    assert not {word for word in ("kh-37-2010", CALENDAR.version, "sql", "kind", "mã băm") if word in text}


def test_a_letter_names_the_items_that_did_not_count_with_the_reason() -> None:
    week, late = Week(2026, 45), datetime(2026, 11, 5, 2, tzinfo=UTC)
    backdated, counted = (
        FlaggedItem(HEALTH, name, f"Tin {name}", (FlagKind.BACKDATED,), late, late) for name in ("a", "b")
    )
    unicode_only = FlaggedItem(HEALTH, "c", "Tin c", (FlagKind.NOT_NFC,), late, late)
    judged = UnitWeek(
        HEALTH, week, DutyVerdict.UNMET, msg("x"), 2, 1, 0, DutyVerdict.UNMET, DutyVerdict.UNMET, 5, 100,
        items=(Counted("b", date(2026, 11, 6), Grade.A, (FlagKind.BACKDATED,)),),
    )  # fmt: skip
    result = UpdatesResult(
        (), week.period().first, week.period().last, "x", "x", (), (judged,), (), (backdated, counted, unicode_only), 0
    )
    of_health = [case for case in cases() if case.unit == HEALTH]

    items = uncounted_items([result], of_health, ZoneInfo(ZONE))
    letter = build_reminder(
        office(), facts().names[HEALTH], of_health, RULEBOOK,
        explain_by=date(2026, 11, 19), zone=ZONE, uncounted=items, has_sheet=True,
    )  # fmt: skip
    text = load("markdown").render(letter, language="vi").decode("utf-8")

    assert items == (backdated,)
    assert "Có 1 tin, bài của các tuần nêu trên không được tính" in text
    assert "| 1 | Tin a | 05/11/2026 | 05/11/2026 | ghi lùi ngày |" in text
    assert "Kèm theo: bảng kê tin, bài." in text
