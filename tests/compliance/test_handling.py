"""Cases against those that fell short: opened once, moved by the rules, due by working days, reported upwards when they repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from portalops.calendar import load
from portalops.compliance import RULES, Situation
from portalops.compliance.handling import (
    PAPERS,
    Due,
    Escalation,
    Handling,
    LateAnswer,
    escalations,
    heard_until,
    judged_keys,
    late_answer,
    late_steps,
    moves_by_rule,
    next_due,
    own_delays,
    papers_not_kept,
    shortfalls,
    was_late,
)
from portalops.locale import render
from portalops.model.cases import BEGINS, THE_PORTAL, CaseDuty, CaseMove, CaseState, CaseStep, Paper, case_id
from portalops.model.message import msg
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Period, Week, parse_period
from portalops.model.record import Digest, Recorded
from portalops.model.rulebook import Numbers, Rulebook, UnitDuties
from portalops.model.standing import Standing
from portalops.model.updates import PortalDay, UnitWeek, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.registers.cases import Case, RecordedMove, fold_cases, may
from tests.compliance.test_rules import duty, evidence

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CALENDAR = load()
HEALTH = UnitId("so-y-te")
NAME = Name("Sở Y tế", "Department of Health")
MET, UNMET, EXEMPT = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.EXEMPT
PENDING, UNSURE, NONE_DUE = DutyVerdict.PENDING, DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.NOT_ASSESSED
SUB, SEND, PORTAL = CaseDuty.SUBPORTAL, CaseDuty.SUBMISSION, CaseDuty.PORTAL
W47 = Week(2026, 47)


def _handling(today: str, **numbers: int) -> Handling:
    return Handling(replace(Numbers(), **numbers), CALENDAR, ZONE, date.fromisoformat(today))  # type: ignore[arg-type]


def _week(k1: DutyVerdict, k2: DutyVerdict, *, week: Week = W47, verdict: DutyVerdict | None = None) -> UnitWeek:
    whole = verdict or (UNMET if UNMET in {k1, k2} else k1)
    return UnitWeek(HEALTH, week, whole, msg("fewer"), 2, 1, 0, k1, k2, 5, 100)


def _result(weeks: Sequence[UnitWeek] = (), days: Sequence[PortalDay] = ()) -> UpdatesResult:
    span = W47.period()
    return UpdatesResult((), span.first, span.last, "kh@1", "2026.1", tuple(days), tuple(weeks), (), (), 0)


def _found(result: UpdatesResult, cases: Sequence[Case] = (), *, today: str = "2026-11-23") -> tuple[CaseMove, ...]:
    both = UnitDuties.BOTH
    return moves_by_rule(
        shortfalls(result, 7, both), judged_keys(result, both), cases, _handling(today), since=date(2026, 1, 1)
    )


def _case(*moves: tuple[CaseStep, str], week: Week = W47, by: str = "An", duty: CaseDuty = CaseDuty.SUBMISSION) -> Case:
    kept = Paper("12/CV-TTCĐS", file=Digest("a" * 64))
    records = [
        RecordedMove(
            number,
            datetime.combine(date.fromisoformat(day), time(9), ZONE),
            CaseMove(
                HEALTH,
                duty,
                week,
                step,
                by="" if step in BEGINS else by,
                paper=kept if step in PAPERS else None,
            ),
        )
        for number, (step, day) in enumerate(moves, 1)
    ]
    (case,) = fold_cases(records)
    return case


def _opened(week: Week, *more: tuple[CaseStep, str]) -> Case:
    return _case((CaseStep.OPENED, (week.period().last + timedelta(days=1)).isoformat()), *more, week=week)


def test_each_unit_duty_and_week_that_is_unmet_gets_one_case_and_no_second_one() -> None:
    result = _result([_week(UNMET, UNMET)])
    opened = _found(result)
    cases = fold_cases(
        RecordedMove(n, datetime(2026, 11, 23, 9, tzinfo=ZONE), move) for n, move in enumerate(opened, 1)
    )

    assert [move.id for move in opened] == ["2026-W47/so-y-te/11.2-submissions", "2026-W47/so-y-te/11.2-subportals"]
    assert {move.shortfall.judged_seq for move in opened if move.shortfall} == {7}
    assert _found(result, cases) == ()


HEARD = (CaseStep.HEARD, "2026-11-23")


def _judged_again(case: Case, verdict: DutyVerdict, today: str) -> list[CaseStep]:
    found = shortfalls(_result([_week(MET, verdict)]), 7, UnitDuties.SUBMIT_ONLY)
    judged = {(HEALTH, SEND, W47): verdict}
    return [move.step for move in moves_by_rule(found, judged, [case], _handling(today), since=date(2026, 1, 1))]


def test_a_case_opens_only_after_the_units_time_to_answer() -> None:
    asked = _case(HEARD, (CaseStep.REMINDED, "2026-11-23"))

    assert (asked.state, next_due(asked, _handling("2026-11-23"))) == (
        CaseState.HEARING,
        Due(CaseStep.EXPLAINED, date(2026, 11, 27), msg("the unit")),  # 24 November is a day off
    )
    assert _judged_again(asked, UNMET, "2026-11-27") == []
    assert _judged_again(asked, UNMET, "2026-11-28") == [CaseStep.OPENED]


def test_a_unit_that_answered_in_its_hearing_owes_nothing_and_the_decision_is_due_once_the_case_is_open() -> None:
    answered = _case(HEARD, (CaseStep.REMINDED, "2026-11-23"), (CaseStep.EXPLAINED, "2026-11-25"))
    unasked = _case(HEARD, (CaseStep.EXPLAINED, "2026-11-25"))

    # The unit has until Friday, 27 November; Saturday is the first day on which the case can open.
    assert next_due(answered, _handling("2026-11-25")) == Due(
        CaseStep.ACCEPTED, date(2026, 12, 2), msg("the managing unit")
    )
    due = next_due(unasked, _handling("2026-11-25"))
    assert due is not None and due.step is CaseStep.REMINDED, "no case opens before the unit was reminded"


def test_a_case_never_opens_while_nobody_asked_the_unit_and_the_managing_unit_is_late_with_that() -> None:
    unasked = _case(HEARD)
    due = next_due(unasked, _handling("2026-12-30"))

    assert _judged_again(unasked, UNMET, "2026-12-30") == []
    assert due is not None and (due.step, due.is_late(date(2026, 12, 30))) == (CaseStep.REMINDED, True)


@pytest.mark.parametrize("verdict", [PENDING, UNSURE])
def test_a_case_waits_while_its_week_is_undecided(verdict: DutyVerdict) -> None:
    asked = _case(HEARD, (CaseStep.REMINDED, "2026-11-23"))

    assert _judged_again(asked, verdict, "2026-12-30") == []


def test_a_hearing_whose_week_is_met_after_all_is_closed_and_never_was_a_case() -> None:
    closed = _case(HEARD, (CaseStep.REMINDED, "2026-11-23"), (CaseStep.CLOSED, "2026-11-26"), by="")

    assert _judged_again(_case(HEARD), MET, "2026-11-24") == [CaseStep.CLOSED]
    assert not closed.was_opened
    assert _judged_again(closed, UNMET, "2026-11-30") == [CaseStep.HEARD], "it is heard again, not opened"


@pytest.mark.parametrize(
    ("during", "state"),
    [
        ([(CaseStep.REMINDED, "2026-11-23")], CaseState.AWAITING),
        ([(CaseStep.REMINDED, "2026-11-23"), (CaseStep.EXPLAINED, "2026-11-25")], CaseState.EXPLAINED),
    ],
)
def test_an_opened_case_goes_on_where_its_hearing_left_it(during: list[tuple[CaseStep, str]], state: CaseState) -> None:
    assert _case(HEARD, *during).state is CaseState.HEARING
    assert _case(HEARD, *during, (CaseStep.OPENED, "2026-11-28")).state is state


def test_what_was_explained_in_the_hearing_is_decided_within_days_of_the_opening() -> None:
    early = _case(
        HEARD, (CaseStep.REMINDED, "2026-11-23"), (CaseStep.EXPLAINED, "2026-11-23"), (CaseStep.OPENED, "2026-11-30")
    )

    due = next_due(early, _handling("2026-11-30"))

    assert due is not None and (due.step, due.by) == (CaseStep.ACCEPTED, date(2026, 12, 3))


def test_a_hearing_is_no_repetition_until_its_case_is_opened() -> None:
    weeks = [Week(2026, number) for number in (45, 46)]
    handling = _handling("2026-11-30")
    heard = [_case((CaseStep.HEARD, "2026-11-16"), (CaseStep.REMINDED, "2026-11-16"), week=week) for week in weeks]
    opened = [
        _case(*((each.move.step, "2026-11-16") for each in case.moves), (CaseStep.OPENED, "2026-11-23"), week=case.week)
        for case in heard
    ]

    assert escalations(heard, handling) == ()
    assert [one.step for one in escalations(opened, handling)] == [CaseStep.TO_DEPARTMENT]
    assert not may(heard[0], CaseStep.TO_DEPARTMENT)


def test_a_case_names_why_its_own_indicator_fell_short() -> None:
    told = replace(_week(MET, UNMET), submissions_reason=msg("nothing came in"))

    (found,) = shortfalls(_result([told]), 7, UnitDuties.BOTH).values()
    (older,) = shortfalls(_result([_week(MET, UNMET)]), 7, UnitDuties.BOTH).values()

    assert (str(found.reason), str(older.reason)) == ("nothing came in", "fewer")


def test_what_the_managing_unit_itself_missed_is_a_case_like_any_other() -> None:
    days = [
        PortalDay(date(2026, 11, day), True, UNMET if day in {17, 19} else MET, msg("x"), 0) for day in range(16, 21)
    ]

    (move,) = _found(_result(days=days))

    assert (move.unit, move.duty, move.step) == (THE_PORTAL, CaseDuty.PORTAL, CaseStep.OPENED)
    assert move.shortfall and move.shortfall.days == (date(2026, 11, 17), date(2026, 11, 19))


@pytest.mark.parametrize(
    ("duties", "k1", "k2", "verdict", "cases"),
    [
        (UnitDuties.BOTH, UNMET, MET, UNMET, ["11.2-subportals"]),
        (UnitDuties.SUBMIT_ONLY, UNMET, MET, MET, []),
        (UnitDuties.SUBMIT_ONLY, UNMET, UNMET, UNMET, ["11.2-submissions"]),
        (UnitDuties.EITHER, UNMET, MET, MET, []),
        (UnitDuties.EITHER, UNMET, UNMET, UNMET, ["11.2-subportals", "11.2-submissions"]),
        (UnitDuties.SUM, UNMET, UNMET, MET, []),
        (UnitDuties.SUM, UNMET, UNMET, UNMET, ["11.2-submissions"]),
    ],
)
def test_a_case_is_opened_only_for_what_the_reading_of_article_11_2_holds_against_a_unit(
    duties: UnitDuties, k1: DutyVerdict, k2: DutyVerdict, verdict: DutyVerdict, cases: list[str]
) -> None:
    result = _result([_week(k1, k2, verdict=verdict)])

    assert [duty.value for _unit, duty, _week in shortfalls(result, 1, duties)] == cases
    assert [verdict is UNMET for verdict in judged_keys(result, duties).values()].count(True) == len(cases)


def test_nobody_gets_a_case_for_what_could_not_be_found_out() -> None:
    assert _found(_result([_week(DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING)])) == ()


def test_a_case_is_closed_by_the_rules_when_its_week_is_exempt_after_all_and_opened_again_when_not() -> None:
    case = _opened(W47)
    (closing,) = _found(_result([_week(MET, EXEMPT)]), [case])
    closed = _case((CaseStep.OPENED, "2026-11-23"), (CaseStep.CLOSED, "2026-11-24"), by="")

    (again,) = _found(_result([_week(MET, UNMET)]), [closed])

    assert (closing.step, closing.by, str(closing.why)) == (CaseStep.CLOSED, "", "no longer judged unmet")
    assert (again.step, str(again.why)) == (CaseStep.REOPENED, "found unmet again")


def test_a_case_that_a_person_closed_stays_closed() -> None:
    closed = _opened(W47, (CaseStep.REMEDIED, "2026-11-24"), (CaseStep.CLOSED, "2026-11-25"))

    assert _found(_result([_week(MET, UNMET)]), [closed]) == ()


def test_an_explanation_that_does_not_come_in_time_is_noted_by_the_rules_once() -> None:
    # Reminded on Tuesday 24 November 2026, a day off for Vietnam Culture Day is not assumed: three working days on.
    case = _opened(W47, (CaseStep.REMINDED, "2026-11-23"))
    due = next_due(case, _handling("2026-11-23"))
    assert due is not None
    late = (due.by + timedelta(days=1)).isoformat()

    assert _found(_result([_week(MET, UNMET)]), [case], today=due.by.isoformat()) == ()
    (move,) = _found(_result([_week(MET, UNMET)]), [case], today=late)

    assert (move.step, move.by) == (CaseStep.REJECTED, "")
    assert due.by == CALENDAR.add_working_days(date(2026, 11, 23), 3)


def test_no_explanation_is_called_missing_while_a_move_of_the_case_cannot_be_read() -> None:
    case = _opened(W47, (CaseStep.REMINDED, "2026-11-24"))
    result = _result([_week(MET, UNMET)])

    assert [move.step for move in _found(result, [case], today="2026-12-10")] == [CaseStep.REJECTED]
    assert _found(result, [replace(case, unreadable=(9,))], today="2026-12-10") == ()


def test_deadlines_are_counted_in_working_days_of_the_calendar() -> None:
    # Opened on the Friday before Tết 2026: the next working day is after the holidays.
    friday = _case((CaseStep.OPENED, "2026-02-13"), week=Week(2026, 6))

    due = next_due(friday, _handling("2026-02-13"))

    assert due is not None
    assert due.by == CALENDAR.add_working_days(date(2026, 2, 13), 1) > date(2026, 2, 20)


def test_what_is_due_next_follows_the_state() -> None:
    steps = [(CaseStep.REMINDED, "2026-11-24"), (CaseStep.EXPLAINED, "2026-11-25"), (CaseStep.ACCEPTED, "2026-11-26")]

    due = [next_due(_opened(W47, *steps[:count]), _handling("2026-11-27")) for count in range(4)]

    assert [one and one.step for one in due] == [
        CaseStep.REMINDED,
        CaseStep.EXPLAINED,
        CaseStep.ACCEPTED,
        CaseStep.CLOSED,
    ]
    assert next_due(_opened(W47, (CaseStep.CLOSED, "2026-11-24")), _handling("2026-11-27")) is None


def test_the_second_week_in_a_row_goes_to_the_department_and_the_third_case_of_a_quarter_to_the_committee() -> None:
    cases = [_opened(Week(2026, number)) for number in (44, 45, 47)]

    found = escalations(cases, _handling("2026-11-23"))

    assert [(one.case.week.number, one.step) for one in found] == [
        (45, CaseStep.TO_DEPARTMENT),
        (47, CaseStep.TO_COMMITTEE),
    ]
    assert found[0].by == CALENDAR.add_working_days(Week(2026, 45).period().last, 5)
    assert not found[0].is_done


@pytest.mark.parametrize(
    ("numbers", "steps"),
    [
        ({"repeat_weeks": 2, "repeat_per_quarter": 3}, [(45, CaseStep.TO_DEPARTMENT), (47, CaseStep.TO_COMMITTEE)]),
        ({"repeat_weeks": 3, "repeat_per_quarter": 3}, [(47, CaseStep.TO_COMMITTEE)]),
        ({"repeat_weeks": 3, "repeat_per_quarter": 4}, []),
        ({"repeat_weeks": 2, "repeat_per_quarter": 2}, [(45, CaseStep.TO_COMMITTEE), (47, CaseStep.TO_COMMITTEE)]),
    ],
)
def test_how_often_is_a_repetition_is_a_number_of_the_rulebook(
    numbers: dict[str, int], steps: list[tuple[int, CaseStep]]
) -> None:
    cases = [_opened(Week(2026, number)) for number in (44, 45, 47)]

    found = escalations(cases, _handling("2026-11-23", **numbers))

    assert [(one.case.week.number, one.step) for one in found] == steps


def test_a_week_without_working_days_breaks_no_row_of_weeks() -> None:
    # 2026-W08 is the week of Tết.
    cases = [_opened(Week(2026, number)) for number in (7, 9)]

    assert [one.step for one in escalations(cases, _handling("2026-03-02"))] == [CaseStep.TO_DEPARTMENT]


def test_an_accepted_explanation_and_a_corrected_judgement_count_for_no_repetition() -> None:
    accepted = _opened(Week(2026, 46), (CaseStep.EXPLAINED, "2026-11-17"), (CaseStep.ACCEPTED, "2026-11-18"))
    corrected = _case((CaseStep.OPENED, "2026-11-16"), (CaseStep.CLOSED, "2026-11-17"), week=Week(2026, 46), by="")

    for before in (accepted, corrected):
        assert escalations([before, _opened(W47)], _handling("2026-11-23")) == ()


def test_a_repetition_that_was_reported_is_done() -> None:
    cases = [_opened(Week(2026, 46)), _opened(W47, (CaseStep.TO_DEPARTMENT, "2026-11-24"))]

    (found,) = escalations(cases, _handling("2026-11-25"))

    assert found.is_done


@pytest.mark.parametrize(
    ("moves", "state"),
    [
        ([CaseStep.ACCEPTED], CaseState.DETECTED),
        (
            [CaseStep.REMINDED, CaseStep.EXPLAINED, CaseStep.REJECTED, CaseStep.REMEDIED, CaseStep.CLOSED],
            CaseState.CLOSED,
        ),
        ([CaseStep.CLOSED, CaseStep.REMINDED], CaseState.CLOSED),
        ([CaseStep.REMINDED, CaseStep.TO_COMMITTEE], CaseState.AWAITING),
    ],
)
def test_a_move_that_the_state_does_not_allow_moves_nothing(moves: list[CaseStep], state: CaseState) -> None:
    case = _opened(W47, *((step, "2026-11-25") for step in moves))

    assert case.state is state
    assert len(case.moves) == len(moves) + 1, "it stays in the history"


def test_no_case_is_opened_for_weeks_that_nobody_watched() -> None:
    result, both = _result([_week(UNMET, UNMET)]), UnitDuties.BOTH
    found, judged = shortfalls(result, 7, both), judged_keys(result, both)

    for since, count in ((date(2026, 11, 22), 2), (date(2026, 11, 23), 0)):
        assert len(moves_by_rule(found, judged, (), _handling("2026-11-23"), since=since)) == count


def test_a_repetition_that_was_found_late_is_reported_within_days_of_being_found() -> None:
    late = [_case((CaseStep.OPENED, "2026-11-23"), week=Week(2026, number)) for number in (40, 41)]

    (found,) = escalations(late, _handling("2026-11-23"))

    assert found.by == CALENDAR.add_working_days(date(2026, 11, 23), 5)


def test_a_step_that_was_made_after_its_day_is_told_as_late_and_the_units_own_delay_is_not() -> None:
    prompt = _opened(W47, (CaseStep.REMINDED, "2026-11-24"), (CaseStep.EXPLAINED, "2026-12-10"))
    slow = _opened(W47, (CaseStep.REMINDED, "2026-12-01"))

    assert [was_late(case, _handling("2026-12-11")) for case in (prompt, slow)] == [False, True]


def _delays(case: Case, today: str) -> list[tuple[CaseStep, date | None, CaseStep | None]]:
    return [(one.step, one.done_on, one.instead) for one in late_steps(case, _handling(today))]


def test_a_hearing_that_the_rules_close_upon_the_units_own_answer_leaves_no_step_late() -> None:
    answered = _case(HEARD, (CaseStep.EXPLAINED, "2026-11-26"), (CaseStep.CLOSED, "2026-11-26"), by="")

    assert _delays(answered, "2026-12-11") == []


def test_a_reminder_after_the_units_own_answer_is_one_delay_with_its_own_day() -> None:
    slow = _case(HEARD, (CaseStep.EXPLAINED, "2026-11-26"), (CaseStep.REMINDED, "2026-11-30"))

    assert _delays(slow, "2026-12-01") == [(CaseStep.REMINDED, date(2026, 11, 30), None)]


def test_a_step_that_a_person_passed_over_after_its_day_is_named_with_what_was_done_instead() -> None:
    passed = _opened(W47, (CaseStep.EXPLAINED, "2026-11-30"))

    assert _delays(passed, "2026-12-01") == [(CaseStep.REMINDED, date(2026, 11, 30), CaseStep.EXPLAINED)]
    assert was_late(passed, _handling("2026-12-01"))


def test_an_answer_after_its_last_day_is_late_and_one_without_a_reminder_is_not() -> None:
    reminded = (CaseStep.REMINDED, "2026-11-24")
    late = (CaseStep.EXPLAINED, "2026-12-01")
    today = _handling("2026-12-11")

    assert late_answer(_case(HEARD, reminded, (CaseStep.EXPLAINED, "2026-11-27")), today) is None
    assert late_answer(_case(HEARD, late), today) is None
    assert late_answer(_case(HEARD, late, reminded), today) is None
    for between in (
        (),
        ((CaseStep.OPENED, "2026-11-30"),),
        ((CaseStep.OPENED, "2026-11-30"), (CaseStep.REJECTED, "2026-11-30")),
    ):
        case = _case(HEARD, reminded, *between, late, (CaseStep.ACCEPTED, "2026-12-02"))
        assert late_answer(case, today) == LateAnswer(case.moves[-2].seq, date(2026, 11, 27))
    again = _case(
        HEARD, reminded, (CaseStep.OPENED, "2026-11-30"), (CaseStep.REJECTED, "2026-11-30"), reminded, reminded
    )
    assert late_answer(again, today) is None


def test_what_the_managing_unit_missed_is_of_the_period_in_which_it_lasted() -> None:
    waiting = _case(HEARD)
    slow = _case(HEARD, (CaseStep.REMINDED, "2026-12-01"), week=Week(2026, 46))
    month, next_month = parse_period("2026-11"), parse_period("2026-12")
    today = _handling("2026-12-11")

    def found(period: Period) -> list[tuple[CaseStep, date, date | None]]:
        return [(one.step, one.by, one.done_on) for one in own_delays([waiting, slow], today, period)]

    by = date(2026, 11, 25)  # 24 November is a day off
    assert found(month) == [(CaseStep.REMINDED, by, None), (CaseStep.REMINDED, by, date(2026, 12, 1))]
    assert found(next_month) == found(month)
    assert found(parse_period("2026-W46")) == found(month)[1:]
    assert found(Period(date(2026, 12, 2), date(2026, 12, 8))) == found(month)[:1]


def _stand(
    result: UpdatesResult, *, now: str, began: str, period: str, cases: Sequence[Case] = ()
) -> tuple[DutyVerdict, str]:
    standing = _standing(result, now=now, began=began, period=period, cases=cases)
    return standing.verdict, str(standing.reason)


def _lines(result: UpdatesResult, *, now: str, began: str, period: str) -> tuple[DutyVerdict, list[str]]:
    standing = _standing(result, now=now, began=began, period=period)
    return standing.verdict, [str(each) for each in standing.details]


def _standing(result: UpdatesResult, *, now: str, began: str, period: str, cases: Sequence[Case] = ()) -> Standing:
    found = replace(
        evidence(),
        period=parse_period(period),
        now=datetime.fromisoformat(now).replace(tzinfo=ZONE),
        started_at=datetime.fromisoformat(began).replace(tzinfo=ZONE),
        updates=Recorded(7, datetime.fromisoformat(now).replace(tzinfo=ZONE), "run", replace(result, rulebook="r@1")),
        cases=tuple(cases),
    )
    rulebook = Rulebook("r", "1", NAME, "doc", date(2010, 1, 1), None, (), (), Numbers())
    units = (Agency(HEALTH, NAME),)
    return RULES["cases"](duty("cases"), Situation(rulebook, found, (), units, CALENDAR))


def test_who_fell_short_before_the_ledger_began_leaves_it_open_how_that_was_handled() -> None:
    found = _stand(_result([_week(MET, UNMET)]), now="2026-11-24T09:00", began="2026-11-23T09:00", period="2026-W47")

    assert found[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "no case was opened" in found[1]


def test_who_fell_short_in_both_stands_in_two_lines_that_are_told_apart() -> None:
    both = _result([_week(UNMET, UNMET)])

    verdict, lines = _lines(both, now="2026-11-24T09:00", began="2026-11-23T09:00", period="2026-W47")

    assert verdict is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert len(lines) == len({*lines}) == 2
    assert all(any(f"({which})" in line for line in lines) for which in ("K1", "K2"))


def test_who_fell_short_gets_a_case_with_the_judging_and_its_first_step_is_due_after_a_working_day() -> None:
    result = _result([_week(MET, UNMET)])

    def at(now: str, *cases: Case) -> DutyVerdict:
        return _stand(result, now=now, began="2026-11-01T09:00", period="2026-W47", cases=cases)[0]

    assert at("2026-11-24T09:00") is DutyVerdict.PENDING, "not opened yet"
    assert at("2026-11-23T09:00", _opened(W47)) is PENDING
    assert at("2026-11-30T09:00", _opened(W47)) is UNMET, "not reminded in time"


def test_a_running_week_that_is_judged_leaves_nothing_open() -> None:
    both = [_week(MET, MET), _week(MET, MET, week=Week(2026, 48))]

    found = _stand(_result(both), now="2026-11-25T09:00", began="2026-11-01T09:00", period="2026-W47..2026-W48")

    assert found == (MET, "no unit fell short")


def test_a_period_without_a_week_that_is_over_waits() -> None:
    found = _stand(_result([_week(MET, MET)]), now="2026-11-22T09:00", began="2026-11-01T09:00", period="2026-W47")

    assert found[0] is DutyVerdict.PENDING


def test_a_closed_case_is_still_reported_upwards() -> None:
    weeks = Week(2026, 46), W47
    closed = [
        _opened(
            week, (CaseStep.REMINDED, "2026-11-24"), (CaseStep.REJECTED, "2026-11-30"), (CaseStep.CLOSED, "2026-11-30")
        )
        for week in weeks
    ]
    (reported,) = fold_cases(
        [*closed[1].moves, _case((CaseStep.OPENED, "2026-11-23"), (CaseStep.TO_DEPARTMENT, "2026-11-27")).moves[1]]
    )

    assert [one.is_done for one in escalations(closed, _handling("2026-11-30"))] == [False]
    assert may(closed[1], CaseStep.TO_DEPARTMENT)
    assert [one.is_done for one in escalations([closed[0], reported], _handling("2026-11-30"))] == [True]
    assert reported.state is CaseState.CLOSED


@pytest.mark.parametrize(("day", "late"), [("2026-11-27", False), ("2026-12-10", True)])
def test_a_case_that_was_reported_upwards_after_its_day_is_told_as_late(day: str, late: bool) -> None:
    heard = (CaseStep.REMINDED, "2026-11-23"), (CaseStep.EXPLAINED, "2026-11-24"), (CaseStep.REJECTED, "2026-11-25")
    cases = [
        _opened(week, *heard, (CaseStep.CLOSED, "2026-11-26"), *more)
        for week, more in ((Week(2026, 46), ()), (W47, ((CaseStep.TO_DEPARTMENT, day),)))
    ]
    result = _result([_week(MET, UNMET)])

    found = _stand(result, now="2026-12-11T09:00", began="2026-11-01T09:00", period="2026-W47", cases=cases)

    assert found == (MET, "the one case was handled late" if late else "the one case was handled in time")


def test_a_case_of_which_a_move_cannot_be_read_may_have_been_reported_upwards() -> None:
    weeks = Week(2026, 46), W47
    cases = [_opened(week, (CaseStep.REMINDED, "2026-11-24"), (CaseStep.CLOSED, "2026-11-25")) for week in weeks]
    when = {"now": "2026-12-10T09:00", "began": "2026-11-01T09:00", "period": "2026-W46..2026-W47"}
    result = _result([_week(MET, UNMET, week=week) for week in weeks])

    assert _stand(result, cases=cases, **when)[0] is UNMET, "nothing tells that it was reported"
    lost = [cases[0], replace(cases[1], unreadable=(9,))]
    assert _stand(result, cases=lost, **when)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def _typed(case: Case, *more: RecordedMove) -> Case:
    """Return a case of whose reminder only number and date were typed, and what was recorded later."""
    moves = [
        replace(each, move=replace(each.move, paper=Paper("12/CV-TTCĐS")))
        if each.move.step is CaseStep.REMINDED
        else each
        for each in case.moves
    ]
    (found,) = fold_cases([*moves, *more])
    return found


def _added(number: str, seq: int = 9) -> RecordedMove:
    at = datetime.combine(date(2026, 11, 26), time(9), ZONE)
    paper = Paper(number, file=Digest("b" * 64))
    return RecordedMove(seq, at, CaseMove(HEALTH, CaseDuty.SUBMISSION, W47, CaseStep.DOCUMENT, by="An", paper=paper))


def test_a_reminder_of_which_only_a_number_was_typed_is_no_evidence_until_the_paper_is_added() -> None:
    case = _opened(W47, (CaseStep.REMINDED, "2026-11-23"))
    when = {"now": "2026-11-26T09:00", "began": "2026-11-01T09:00", "period": "2026-W47"}
    result = _result([_week(MET, UNMET)])

    typed = _stand(result, cases=[_typed(case)], **when)
    assert typed[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "the reminder is in record 2, but the paper itself was not kept" in typed[1]
    assert _stand(result, cases=[case], **when)[0] is PENDING
    assert _stand(result, cases=[_typed(case, _added("12/CV-TTCĐS"))], **when)[0] is PENDING
    assert _stand(result, cases=[_typed(case, _added("13/CV-TTCĐS"))], **when)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_one_paper_that_is_added_is_kept_for_one_step_that_has_no_number_yet() -> None:
    moves = _opened(W47, (CaseStep.REMINDED, "2026-11-23"), (CaseStep.TO_DEPARTMENT, "2026-11-24")).moves
    blank = [replace(each, move=replace(each.move, paper=None)) for each in moves]

    def lacking(*more: RecordedMove) -> list[CaseStep]:
        return [each.move.step for each in papers_not_kept(fold_cases([*blank, *more])[0])]

    assert lacking() == [CaseStep.REMINDED, CaseStep.TO_DEPARTMENT]
    assert lacking(_added("12/CV-TTCĐS")) == [CaseStep.TO_DEPARTMENT]
    assert lacking(_added("12/CV-TTCĐS"), _added("12/CV-TTCĐS", 10)) == [CaseStep.TO_DEPARTMENT], (
        "the same one once more"
    )
    assert lacking(_added("12/CV-TTCĐS"), _added("15/BC-TTCĐS", 10)) == []


def test_no_letter_is_asked_for_of_the_managing_unit_to_itself_or_of_a_case_that_came_to_nothing() -> None:
    reminded = _typed(_opened(W47, (CaseStep.REMINDED, "2026-11-23")))
    own = [replace(each, move=replace(each.move, unit=THE_PORTAL)) for each in reminded.moves]
    at = datetime.combine(date(2026, 11, 26), time(9), ZONE)
    closed = RecordedMove(
        9, at, CaseMove(HEALTH, CaseDuty.SUBMISSION, W47, CaseStep.CLOSED, why=msg("no longer judged unmet"))
    )

    assert len(papers_not_kept(reminded)) == 1
    assert papers_not_kept(fold_cases(own)[0]) == ()
    assert papers_not_kept(fold_cases([*reminded.moves, closed])[0]) == ()


# --- what falls short, exactly ----------------------------------------------------------------

COUNTED = UnitWeek(
    HEALTH, W47, UNMET, msg("whole"), 4, 2, 1, UNMET, UNMET, 5, 100, subportal_required=7, submissions_required=6, summed=3,
    subportal_reason=msg("own K1"), submissions_reason=msg("own K2"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("duties", "expected"),
    [
        (UnitDuties.BOTH, {SUB: (7, 2, "own K1"), SEND: (6, 1, "own K2")}),
        (UnitDuties.EITHER, {SUB: (7, 2, "own K1"), SEND: (6, 1, "own K2")}),
        (UnitDuties.SUBMIT_ONLY, {SEND: (6, 1, "own K2")}),
        (UnitDuties.SUM, {SEND: (4, 3, "whole")}),
    ],
)
def test_a_shortfall_holds_what_was_due_and_seen_of_its_indicator(
    duties: UnitDuties, expected: dict[CaseDuty, tuple[int, int, str]]
) -> None:
    found = shortfalls(_result([COUNTED]), 7, duties)

    assert {
        duty: (each.required, each.seen, str(each.reason)) for (_unit, duty, _week), each in found.items()
    } == expected
    assert {(unit, week, each.judged_seq, each.days) for (unit, _duty, week), each in found.items()} == {
        (HEALTH, W47, 7, ())
    }


@pytest.mark.parametrize("whole", [MET, PENDING, UNSURE])
def test_where_either_indicator_does_both_have_the_verdict_of_the_week(whole: DutyVerdict) -> None:
    week = replace(COUNTED, verdict=whole)

    assert dict(judged_keys(_result([week]), UnitDuties.EITHER)) == {
        (HEALTH, SUB, W47): whole,
        (HEALTH, SEND, W47): whole,
    }
    assert dict(judged_keys(_result([week]), UnitDuties.SUM)) == {(HEALTH, SEND, W47): whole}


def _day(day: int, verdict: DutyVerdict, *, working: bool = True) -> PortalDay:
    return PortalDay(date(2026, 11, day), working, verdict, msg("x"), 0)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ((MET, UNMET, UNSURE), UNMET),
        ((PENDING, UNSURE, MET), UNSURE),
        ((MET, PENDING), PENDING),
        ((EXEMPT, MET), MET),
        ((EXEMPT, EXEMPT), EXEMPT),
        ((NONE_DUE,), NONE_DUE),
    ],
)
def test_of_the_portals_week_its_worst_working_day_is_told(
    verdicts: tuple[DutyVerdict, ...], worst: DutyVerdict
) -> None:
    days = [_day(16 + number, verdict) for number, verdict in enumerate(verdicts)]

    found = judged_keys(_result(days=[_day(22, UNMET, working=False), *days]), UnitDuties.BOTH)

    assert dict(found) == {(THE_PORTAL, PORTAL, W47): worst}


def test_of_a_week_of_the_portal_that_was_judged_in_part_nothing_is_told() -> None:
    whole = _result(days=[_day(16, MET)])
    keys = [
        judged_keys(replace(whole, judged_from=date(2026, 11, first), judged_to=date(2026, 11, last)), UnitDuties.BOTH)
        for first, last in ((16, 22), (15, 23), (17, 22), (16, 21))
    ]

    assert [len(found) for found in keys] == [1, 1, 0, 0]


def test_the_portals_shortfall_names_its_days() -> None:
    days = [_day(16, UNMET), _day(17, MET), _day(18, UNMET), _day(23, UNMET)]

    found = shortfalls(_result(days=days), 7, UnitDuties.BOTH)

    assert {
        (unit, duty, week.number): (
            one.judged_seq,
            one.required,
            one.seen,
            str(one.reason),
            [day.day for day in one.days],
        )
        for (unit, duty, week), one in found.items()
    } == {
        (THE_PORTAL, PORTAL, 47): (7, 2, 0, "no update on 2 working days", [16, 18]),
        (THE_PORTAL, PORTAL, 48): (7, 1, 0, "no update on 1 working day", [23]),
    }


# --- moves of the rules -----------------------------------------------------------------------


def test_hearings_begin_by_week_unit_and_duty_each_with_what_was_found() -> None:
    weeks = [
        replace(COUNTED, week=Week(2026, number), unit=UnitId(unit))
        for number, unit in ((47, "b"), (46, "b"), (46, "a"))
    ]
    result = _result(weeks)
    found = shortfalls(result, 7, UnitDuties.BOTH)

    moves = moves_by_rule(found, {}, (), _handling("2026-11-23"), since=date(2026, 1, 1))

    assert [move.id for move in moves] == [
        f"2026-W{week}/{unit}/11.2-{duty}"
        for week, unit in ((46, "a"), (46, "b"), (47, "b"))
        for duty in ("submissions", "subportals")
    ]
    assert all(
        move == CaseMove(*key, CaseStep.HEARD, shortfall=found[key])
        for move in moves
        for key in found
        if move.id == case_id(*key)
    )


def test_a_unit_on_trial_gets_no_case_while_others_do() -> None:
    weeks = [replace(COUNTED, week=Week(2026, n), unit=UnitId(unit)) for n in (46, 47) for unit in ("new", "old")]
    found = shortfalls(_result(weeks), 7, UnitDuties.SUBMIT_ONLY)
    later = {UnitId("new"): date(2026, 11, 16)}

    moves = moves_by_rule(found, {}, (), _handling("2026-11-23"), since=date(2026, 1, 1), later=later)

    assert [(move.unit, move.week.number) for move in moves] == [("old", 46), ("new", 47), ("old", 47)]


def test_a_week_that_nobody_watched_keeps_no_other_week_from_a_case() -> None:
    weeks = [replace(COUNTED, week=Week(2026, number)) for number in (46, 47)]
    found = shortfalls(_result(weeks), 7, UnitDuties.SUBMIT_ONLY)

    moves = moves_by_rule(found, {}, (), _handling("2026-11-23"), since=date(2026, 11, 16))

    assert [move.week.number for move in moves] == [47]
    before = [_case((CaseStep.OPENED, "2026-11-16"), (CaseStep.CLOSED, "2026-11-17"), week=Week(2026, 46), by="")]
    again = moves_by_rule(found, {}, before, _handling("2026-11-23"), since=date(2026, 11, 16))
    assert [(move.week.number, move.step) for move in again] == [(46, CaseStep.REOPENED), (47, CaseStep.HEARD)]
    assert again[0] == CaseMove(
        HEALTH, SEND, Week(2026, 46), CaseStep.REOPENED, why=msg("found unmet again"),
        shortfall=found[HEALTH, SEND, Week(2026, 46)],
    )  # fmt: skip


def test_a_case_that_is_open_is_not_opened_again_and_one_that_is_not_judged_is_not_closed() -> None:
    found = shortfalls(_result([COUNTED]), 7, UnitDuties.SUBMIT_ONLY)
    case = _opened(W47)

    for judged in ({}, {(HEALTH, SEND, W47): UNMET}, {(HEALTH, SEND, W47): PENDING}, {(HEALTH, SUB, W47): MET}):
        assert moves_by_rule(found, judged, [case], _handling("2026-11-23"), since=date(2026, 1, 1)) == ()


def test_a_case_of_which_a_setting_asks_nothing_any_more_stays_for_a_person_to_decide() -> None:
    judged = {(HEALTH, SEND, W47): NONE_DUE}

    assert moves_by_rule({}, judged, [_opened(W47)], _handling("2026-11-23"), since=date(2026, 1, 1)) == ()


@pytest.mark.parametrize("verdict", [MET, EXEMPT])
def test_a_case_is_closed_once_nothing_falls_short_any_more(verdict: DutyVerdict) -> None:
    judged = {(HEALTH, SEND, W47): verdict}

    assert moves_by_rule({}, judged, [_opened(W47)], _handling("2026-11-23"), since=date(2026, 1, 1)) == (
        CaseMove(HEALTH, SEND, W47, CaseStep.CLOSED, why=msg("no longer judged unmet")),
    )


def test_a_case_that_a_person_closed_counts_for_no_repetition_once_its_week_is_met_by_late_papers() -> None:
    steps = (CaseStep.OPENED, "2026-11-23"), (CaseStep.REJECTED, "2026-11-24"), (CaseStep.CLOSED, "2026-11-24")
    closed, handling = _case(*steps), _handling("2026-11-26", repeat_weeks=1)
    judged = {(HEALTH, SEND, W47): MET}
    assert escalations([closed], handling) != ()

    (move,) = moves_by_rule({}, judged, [closed], handling, since=date(2026, 1, 1))
    corrected = fold_cases((*closed.moves, RecordedMove(90, closed.moves[-1].at, move)))

    assert escalations(corrected, handling) == ()
    assert moves_by_rule({}, judged, corrected, handling, since=date(2026, 1, 1)) == ()


def test_an_explanation_that_did_not_come_is_noted_with_its_day() -> None:
    case = _opened(W47, (CaseStep.REMINDED, "2026-11-23"))
    handling = _handling("2026-12-10")
    due = next_due(case, handling)
    assert due is not None

    moves = moves_by_rule({}, {}, [case], handling, since=date(2026, 1, 1))

    assert moves == (
        CaseMove(HEALTH, SEND, W47, CaseStep.REJECTED, why=msg("no explanation came by {day}", day=due.by)),
    )
    explained = _opened(W47, (CaseStep.REMINDED, "2026-11-23"), (CaseStep.EXPLAINED, "2026-11-24"))
    assert moves_by_rule({}, {}, [explained], handling, since=date(2026, 1, 1)) == ()


# --- what is due ------------------------------------------------------------------------------

DAYS = {
    "case_remind_working_days": 2,
    "case_explain_working_days": 3,
    "case_decide_working_days": 4,
    "case_close_working_days": 5,
}


@pytest.mark.parametrize(
    ("steps", "since", "step", "count", "whose"),
    [
        ([], "2026-11-23", CaseStep.REMINDED, 2, "the managing unit"),
        ([CaseStep.REMINDED], "2026-11-24", CaseStep.EXPLAINED, 3, "the unit"),
        ([CaseStep.REMINDED, CaseStep.EXPLAINED], "2026-11-25", CaseStep.ACCEPTED, 4, "the managing unit"),
        (
            [CaseStep.REMINDED, CaseStep.EXPLAINED, CaseStep.ACCEPTED],
            "2026-11-26",
            CaseStep.CLOSED,
            5,
            "the managing unit",
        ),
        (
            [CaseStep.REMINDED, CaseStep.EXPLAINED, CaseStep.REJECTED],
            "2026-11-26",
            CaseStep.CLOSED,
            5,
            "the managing unit",
        ),
        (
            [CaseStep.REMINDED, CaseStep.EXPLAINED, CaseStep.REMEDIED],
            "2026-11-26",
            CaseStep.CLOSED,
            5,
            "the managing unit",
        ),
    ],
)
def test_each_step_is_due_so_many_working_days_after_the_one_before(
    steps: list[CaseStep], since: str, step: CaseStep, count: int, whose: str
) -> None:
    case = _opened(W47, *((each, f"2026-11-{24 + number}") for number, each in enumerate(steps)))

    due = next_due(case, _handling("2026-11-27", **DAYS))
    at_once = next_due(case, _handling("2026-11-27", **dict.fromkeys(DAYS, 0)))

    assert due is not None and at_once is not None
    expected = CALENDAR.add_working_days(date.fromisoformat(since), count)
    assert (due.step, due.by, str(due.whose)) == (step, expected, whose)
    assert at_once.by == date.fromisoformat(since), "no days at all is the same day"
    assert [due.is_late(day) for day in (due.by, due.by + timedelta(days=1))] == [False, True]


@pytest.mark.parametrize(
    ("moves", "late"),
    [
        ([(CaseStep.REMINDED, "2026-11-25")], False),  # the 24th is a holiday
        ([(CaseStep.REMINDED, "2026-11-26")], True),
        (
            [(CaseStep.REMINDED, "2026-11-24"), (CaseStep.EXPLAINED, "2026-11-25"), (CaseStep.ACCEPTED, "2026-12-20")],
            True,
        ),
        ([(CaseStep.TO_DEPARTMENT, "2026-12-20")], False),
        (
            [
                (CaseStep.REMINDED, "2026-11-24"),
                (CaseStep.REMINDED, "2026-12-20"),
                (CaseStep.TO_DEPARTMENT, "2026-12-20"),
            ],
            False,
        ),
        ([(CaseStep.TO_DEPARTMENT, "2026-11-24"), (CaseStep.REMINDED, "2026-12-20")], True),
        ([(CaseStep.CLOSED, "2026-11-24"), (CaseStep.REMINDED, "2026-12-20")], False),
    ],
)
def test_only_steps_of_the_managing_unit_that_lead_on_are_late(moves: list[tuple[CaseStep, str]], late: bool) -> None:
    assert was_late(_opened(W47, *moves), _handling("2026-12-21")) is late


# --- what repeats -----------------------------------------------------------------------------


def test_an_escalation_names_its_case_reason_and_days() -> None:
    cases = [_opened(Week(2026, 46)), _opened(W47, (CaseStep.TO_DEPARTMENT, "2026-11-28"))]
    by = CALENDAR.add_working_days(W47.period().last, 5)

    assert escalations(cases, _handling("2026-11-30")) == (
        Escalation(cases[1], CaseStep.TO_DEPARTMENT, by, msg("{n} weeks in a row", n=2), date(2026, 11, 28)),
    )
    third = [_opened(Week(2026, number)) for number in (42, 44, 47)]
    assert escalations(third, _handling("2026-11-30")) == (
        Escalation(third[2], CaseStep.TO_COMMITTEE, by, msg("{n} times in the quarter", n=3), None),
    )


def test_escalations_are_of_one_unit_and_duty_each_and_in_the_order_of_weeks() -> None:
    def one(number: int, duty: CaseDuty) -> Case:
        return _case(
            (CaseStep.OPENED, (Week(2026, number).period().last + timedelta(days=1)).isoformat()),
            week=Week(2026, number),
            duty=duty,
        )

    mixed = [one(47, SUB), one(47, SEND), one(46, SEND), one(45, SUB), one(46, SUB)]
    found = escalations(mixed, _handling("2026-11-30"))

    assert [each.case.id for each in found] == [
        "2026-W46/so-y-te/11.2-subportals", "2026-W47/so-y-te/11.2-submissions", "2026-W47/so-y-te/11.2-subportals",
    ]  # fmt: skip
    assert escalations([one(46, SUB), one(47, SEND)], _handling("2026-11-30")) == ()


def test_a_quarter_is_that_of_a_weeks_thursday() -> None:
    # The Thursday of 2026-W14 is the 2nd of April; that of 2026-W13 the 26th of March.
    march = [_opened(Week(2026, number)) for number in (9, 11, 13)]
    april = [_opened(Week(2026, number)) for number in (10, 12, 14)]
    years = [_opened(Week(2025, 44)), _opened(Week(2026, 44)), _opened(Week(2026, 47))]

    assert [len(escalations(cases, _handling("2026-12-30"))) for cases in (march, april, years)] == [1, 0, 0]


def test_the_last_day_of_an_escalation_was_in_time_and_the_one_after_was_not() -> None:
    by = CALENDAR.add_working_days(W47.period().last, 5)

    def late(day: date) -> bool:
        cases = [_opened(Week(2026, 46)), _opened(W47, (CaseStep.TO_DEPARTMENT, day.isoformat()))]
        return escalations(cases, _handling("2026-12-30"))[0].was_late

    assert [late(by), late(by + timedelta(days=1))] == [False, True]


def test_a_case_that_was_found_on_the_last_day_for_its_report_is_due_on_that_day() -> None:
    last = Week(2026, 41).period().last
    by = CALENDAR.add_working_days(last, 5)
    before = _case((CaseStep.OPENED, "2026-10-12"), week=Week(2026, 40))

    def due(opened: date) -> date:
        return escalations(
            [before, _case((CaseStep.OPENED, opened.isoformat()), week=Week(2026, 41))], _handling("2026-12-30")
        )[0].by

    next_day = by + timedelta(days=1)
    assert [due(by), due(next_day)] == [by, CALENDAR.add_working_days(next_day, 5)]


# --- papers -----------------------------------------------------------------------------------


def test_a_paper_that_is_added_is_kept_for_each_step_under_its_number() -> None:
    moves = _opened(
        W47,
        (CaseStep.REMINDED, "2026-11-23"),
        (CaseStep.TO_DEPARTMENT, "2026-11-24"),
        (CaseStep.TO_COMMITTEE, "2026-11-25"),
    ).moves
    typed = [
        moves[0],
        *(replace(each, move=replace(each.move, paper=Paper("12/CV"))) for each in moves[1:3]),
        replace(moves[3], move=replace(moves[3].move, paper=None)),
    ]

    def lacking(*more: RecordedMove) -> list[CaseStep]:
        return [each.move.step for each in papers_not_kept(fold_cases([*typed, *more])[0])]

    assert lacking() == [CaseStep.REMINDED, CaseStep.TO_DEPARTMENT, CaseStep.TO_COMMITTEE]
    assert lacking(_added("12/CV")) == [CaseStep.TO_COMMITTEE]
    assert lacking(_added("13/CV")) == [CaseStep.REMINDED, CaseStep.TO_DEPARTMENT]
    unkept = replace(_added("12/CV"), move=replace(_added("12/CV").move, paper=Paper("12/CV")))
    assert lacking(unkept) == [CaseStep.REMINDED, CaseStep.TO_DEPARTMENT, CaseStep.TO_COMMITTEE]


# --- the duty ---------------------------------------------------------------------------------

ON_TIME = (CaseStep.REMINDED, "2026-11-23"), (CaseStep.EXPLAINED, "2026-11-25"), (CaseStep.REJECTED, "2026-11-26")
ENDED = (*ON_TIME, (CaseStep.CLOSED, "2026-11-27"))
W46 = Week(2026, 46)
BEGAN = "2026-11-01T09:00"
SHORT = _result([_week(MET, UNMET)])
IT = "Department of Health"


def _told(standing: Standing) -> tuple[DutyVerdict, str, list[str]]:
    return standing.verdict, str(standing.reason), [str(each) for each in standing.details]


def _judged(*cases: Case, result: UpdatesResult = SHORT, now: str = "2026-11-30", period: str = "2026-W47") -> Standing:
    return _standing(result, now=f"{now}T09:00", began=BEGAN, period=period, cases=cases)


@pytest.mark.parametrize(("now", "verdict"), [("2026-11-25", PENDING), ("2026-11-26", UNMET)])
def test_a_case_is_to_be_opened_so_many_working_days_after_the_judging(now: str, verdict: DutyVerdict) -> None:
    judged_at = datetime(2026, 11, 23, 0, 30, tzinfo=ZONE)  # the 24th is a holiday
    rulebook = Rulebook("r", "1", NAME, "doc", date(2010, 1, 1), None, (), (), Numbers())
    found = replace(
        evidence(), now=datetime.fromisoformat(now).replace(tzinfo=ZONE),
        updates=Recorded(7, judged_at, "run", replace(SHORT, rulebook="r@1")),
    )  # fmt: skip

    standing = RULES["cases"](duty("cases"), Situation(rulebook, found, (), (Agency(HEALTH, NAME),), CALENDAR))

    line = f"{IT} (K2), week 2026-W47: fewer, but no case was opened"
    assert (_told(standing), standing.evidence, standing.newest_at) == ((verdict, line, [line]), (7,), judged_at)


def test_what_is_not_known_of_a_unit_leaves_its_handling_open() -> None:
    weeks = [_week(UNSURE, PENDING), _week(UNSURE, MET, week=Week(2026, 48))]

    assert _told(_judged(result=_result(weeks), period="2026-W46..2026-W48")) == (
        UNSURE,
        f"{IT} (K1), week 2026-W47: it is not known whether it fell short, and 2 more",
        [
            f"{IT} (K1), week 2026-W47: it is not known whether it fell short",
            f"{IT} (K1), week 2026-W48: it is not known whether it fell short",
            "week 2026-W46 was not judged",
        ],
    )
    assert _told(_judged(result=_result([_week(MET, PENDING)]))) == (
        PENDING,
        f"{IT} (K2), week 2026-W47: it is not known whether it fell short",
        [f"{IT} (K2), week 2026-W47: it is not known whether it fell short"],
    )


@pytest.mark.parametrize(
    ("case", "verdict", "line"),
    [
        (_opened(W47), UNMET, f"{IT}, week 2026-W47: the reminder was due by 2026-11-25"),
        (
            _opened(W47, *ON_TIME[:2]),
            UNMET,
            f"{IT}, week 2026-W47: the decision on the explanation was due by 2026-11-30",
        ),
        (
            replace(_opened(W47), unreadable=(9,)),
            UNSURE,
            "2026-W47/so-y-te/11.2-submissions: one of its steps cannot be read",
        ),
        (
            _typed(_opened(W47, *ENDED)),
            UNSURE,
            f"{IT}, week 2026-W47: the reminder is in record 2, but the paper itself was not kept",
        ),
    ],
)
def test_what_the_managing_unit_did_not_do_is_told_with_its_day_or_record(
    case: Case, verdict: DutyVerdict, line: str
) -> None:
    assert _told(_judged(case, now="2026-12-10")) == (verdict, line, [line])


def test_cases_of_the_period_are_counted_and_those_of_others_are_not() -> None:
    late = (CaseStep.REMINDED, "2026-11-27"), *ON_TIME[1:], (CaseStep.CLOSED, "2026-11-27")
    first, second = _opened(W47, *ENDED), _case((CaseStep.OPENED, "2026-11-23"), *ENDED, duty=SUB)
    slow = _case((CaseStep.OPENED, "2026-11-23"), *late, duty=SUB)
    both = _result([_week(UNMET, UNMET)])
    before = _case((CaseStep.OPENED, "2026-11-02"), (CaseStep.REMINDED, "2026-11-30"), week=Week(2026, 44))

    found = _judged(before, first, second, result=both)
    assert (_told(found), found.evidence) == ((MET, "all 2 cases were handled in time", []), (7, 1, 2, 3, 4, 5))
    assert _told(_judged(before, first, slow, result=both)) == (
        MET, "all 2 cases were handled, 1 of them late", [],
    )  # fmt: skip
    assert _told(_judged(before, result=_result([_week(MET, MET)]))) == (MET, "no unit fell short", [])


def test_what_goes_upwards_is_told_with_its_last_day() -> None:
    cases = _opened(W46, (CaseStep.REMINDED, "2026-11-17"), (CaseStep.CLOSED, "2026-11-18")), _opened(W47, *ENDED)
    by = CALENDAR.add_working_days(W47.period().last, 5)
    line = f"2026-W47/so-y-te/11.2-submissions: to be reported upwards by {by}, 2 weeks in a row"

    assert _told(_judged(*cases, now=by.isoformat())) == (PENDING, line, [line])
    after = _told(_judged(*cases, now=(by + timedelta(days=1)).isoformat()))
    assert after[:2] == (UNMET, line)


def test_no_week_that_is_over_is_told_so() -> None:
    found = _judged(result=_result([_week(MET, MET)]), now="2026-11-22")

    assert found == Standing(duty("cases").id, PENDING, msg("no week of the period is over"), (), (7,))


# --- local days -------------------------------------------------------------------------------


def _after_midnight(case: Case) -> Case:
    """Return a case whose moves were all made half an hour after midnight, which is the day before in UTC."""
    moves = [replace(each, at=datetime.combine(each.at.date(), time(0, 30), ZONE)) for each in case.moves]
    (found,) = fold_cases(moves)
    return found


def test_steps_are_made_on_local_days() -> None:
    reminded = _after_midnight(_opened(W47, (CaseStep.REMINDED, "2026-11-26")))
    reported = _after_midnight(_opened(W47, (CaseStep.TO_DEPARTMENT, "2026-11-26")))
    due = next_due(reminded, _handling("2026-11-26"))

    assert was_late(reminded, _handling("2026-11-26"))
    assert due is not None and due.by == CALENDAR.add_working_days(date(2026, 11, 26), 3)
    assert escalations([_opened(W46), reported], _handling("2026-11-26"))[0].done_on == date(2026, 11, 26)


def test_an_accepted_explanation_counts_for_no_repetition_after_its_case_was_closed_either() -> None:
    heard = (CaseStep.REMINDED, "2026-11-17"), (CaseStep.EXPLAINED, "2026-11-17"), (CaseStep.ACCEPTED, "2026-11-18")
    closed = _opened(W46, *heard, (CaseStep.CLOSED, "2026-11-19"))

    assert escalations([closed, _opened(W47)], _handling("2026-11-23")) == ()


def test_a_week_whose_thursday_ends_the_year_is_of_its_last_quarter() -> None:
    cases = [_opened(Week(2026, number)) for number in (48, 50, 53)]

    assert [each.step for each in escalations(cases, _handling("2027-01-04"))] == [CaseStep.TO_COMMITTEE]


def test_where_both_indicators_are_added_up_a_unit_is_named_alone() -> None:
    numbers = Numbers(unit_duties=UnitDuties.SUM)
    rulebook = Rulebook("r", "1", NAME, "doc", date(2010, 1, 1), None, (), (), numbers)
    judged = Recorded(7, datetime(2026, 11, 24, tzinfo=ZONE), "run", replace(_result([COUNTED]), rulebook="r@1"))
    found = replace(evidence(), now=datetime(2026, 11, 24, 9, tzinfo=ZONE), updates=judged)

    standing = RULES["cases"](duty("cases"), Situation(rulebook, found, (), (Agency(HEALTH, NAME),), CALENDAR))

    assert str(standing.reason) == f"{IT}, week 2026-W47: whole, but no case was opened"


def test_the_portal_is_named_in_the_readers_language() -> None:
    result = _result([_week(MET, MET)], [_day(16, UNMET)])

    (line,) = _judged(result=result, now="2026-11-24").details

    assert [render(line, language).partition(",")[0] for language in ("en", "vi")] == [
        "The portal",
        "Cổng thông tin điện tử",
    ]


def test_a_reminder_without_any_paper_begins_no_time_to_answer() -> None:
    heard = RecordedMove(
        1, datetime(2026, 11, 23, 9, tzinfo=ZONE), CaseMove(HEALTH, CaseDuty.SUBMISSION, W47, CaseStep.HEARD)
    )
    typed = RecordedMove(
        2,
        datetime(2026, 11, 24, 9, tzinfo=ZONE),
        CaseMove(HEALTH, CaseDuty.SUBMISSION, W47, CaseStep.REMINDED, by="An"),
    )
    papers = (None, Paper("", None), Paper("12/CV", None), Paper("12/CV", date(2026, 11, 24)))

    due = [
        next_due(fold_cases([heard, replace(typed, move=replace(typed.move, paper=paper))])[0], _handling("2026-12-10"))
        for paper in papers
    ]

    assert [one and one.step for one in due] == [CaseStep.REMINDED] * 3 + [CaseStep.EXPLAINED]


def test_a_calendar_that_is_confirmed_later_shortens_no_hearing() -> None:
    """The letter of 10 February 2027 promised 19 February by the provisional days off around Tet."""
    asked = _case(HEARD, (CaseStep.REMINDED, "2026-11-23"))
    promised = [
        replace(each, move=replace(each.move, answer_until=date(2026, 12, 4)))
        if each.move.step is CaseStep.REMINDED
        else each
        for each in asked.moves
    ]
    (case,) = fold_cases(promised)

    assert heard_until(asked, _handling("2026-11-24")) == date(2026, 11, 27)
    assert heard_until(case, _handling("2026-11-24")) == date(2026, 12, 4)
    assert _judged_again(case, UNMET, "2026-12-04") == []
    assert _judged_again(case, UNMET, "2026-12-05") == [CaseStep.OPENED]
