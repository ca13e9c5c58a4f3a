"""One paper stands for one step of a case, and none is older than what it answers."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from portalops.compliance.case_papers import answered_day, step_with_paper
from portalops.model.cases import CaseDuty, CaseMove, CaseStep, Paper
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.record import Digest
from portalops.registers.cases import Case, RecordedMove, fold_cases

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HEALTH, HOME = UnitId("so-y-te"), UnitId("so-noi-vu")
W47 = Week(2026, 47)
LETTER = Paper("12/TTCĐS-ND", date(2026, 11, 24), file=Digest("a" * 64))


def _move(step: CaseStep, paper: Paper | None = None, unit: UnitId = HEALTH, week: Week = W47) -> CaseMove:
    return CaseMove(unit, CaseDuty.SUBMISSION, week, step, paper=paper)


def _cases(*moves: CaseMove, day: str = "2026-11-24") -> tuple[Case, ...]:
    at = datetime.combine(date.fromisoformat(day), time(9), ZONE)
    return fold_cases(RecordedMove(number, at, move) for number, move in enumerate(moves, 1))


def _reminded() -> tuple[Case, ...]:
    return _cases(
        _move(CaseStep.HEARD),
        _move(CaseStep.HEARD, unit=HOME),
        _move(CaseStep.HEARD, week=Week(2026, 46)),
        _move(CaseStep.REMINDED, LETTER),
        _move(CaseStep.HEARD, unit=HOME, week=Week(2026, 46)),
    )


@pytest.mark.parametrize(
    "again",
    [
        _move(CaseStep.EXPLAINED, LETTER),
        _move(CaseStep.EXPLAINED, Paper("45/SYT-VP", file=LETTER.file)),
        _move(CaseStep.EXPLAINED, Paper(" 12/ttcđs-nd ", date(2026, 11, 24))),
        _move(CaseStep.REMINDED, LETTER),
        _move(CaseStep.REMINDED, LETTER, unit=HOME, week=Week(2026, 46)),
        _move(CaseStep.EXPLAINED, LETTER, unit=HOME),
        _move(CaseStep.TO_DEPARTMENT, LETTER, week=Week(2026, 46)),
    ],
)
def test_a_paper_that_stands_for_a_step_stands_for_no_other(again: CaseMove) -> None:
    cases = _reminded()
    own = next(case for case in cases if case.id == again.id)

    taken = step_with_paper(cases, own, again)

    assert taken is not None and taken.seq == 4


@pytest.mark.parametrize(
    "again",
    [
        _move(CaseStep.EXPLAINED, Paper("45/SYT-VP", date(2026, 11, 25), file=Digest("b" * 64))),
        _move(CaseStep.EXPLAINED, Paper("12/TTCĐS-ND", date(2027, 11, 24))),
        _move(CaseStep.REMINDED, LETTER, week=Week(2026, 46)),
        _move(CaseStep.DOCUMENT, LETTER),
        _move(CaseStep.CLOSED),
    ],
)
def test_another_paper_and_one_letter_about_several_cases_of_a_unit_are_taken(again: CaseMove) -> None:
    cases = _reminded()
    own = next(case for case in cases if case.id == again.id)

    assert step_with_paper(cases, own, again) is None


def test_a_circular_reminds_several_units_of_one_week() -> None:
    cases = _reminded()
    own = next(case for case in cases if (case.unit, case.week) == (HOME, W47))

    assert step_with_paper(cases, own, _move(CaseStep.REMINDED, LETTER, unit=HOME)) is None
    assert step_with_paper(cases, own, _move(CaseStep.DOCUMENT, LETTER, unit=HOME)) is None


def test_one_report_is_about_the_cases_of_many_units_and_one_meeting_decides_on_them() -> None:
    cases = _cases(
        _move(CaseStep.OPENED),
        _move(CaseStep.OPENED, unit=HOME),
        _move(CaseStep.TO_DEPARTMENT, LETTER),
        _move(CaseStep.ACCEPTED, Paper("07/BB")),
    )

    assert step_with_paper(cases, cases[1], _move(CaseStep.TO_DEPARTMENT, LETTER, unit=HOME)) is None
    assert step_with_paper(cases, cases[1], _move(CaseStep.REJECTED, Paper("07/BB"), unit=HOME)) is None


def test_a_paper_that_was_added_later_stands_for_the_step_of_its_number() -> None:
    number = Paper("12/TTCĐS-ND")
    cases = _cases(_move(CaseStep.HEARD), _move(CaseStep.REMINDED, number), _move(CaseStep.DOCUMENT, LETTER))

    taken = step_with_paper(cases, cases[0], _move(CaseStep.EXPLAINED, Paper("45/SYT", file=LETTER.file)))

    assert taken is not None and taken.move.step is CaseStep.REMINDED


def test_an_answer_is_no_older_than_the_reminder_that_it_answers() -> None:
    (reminded, *_rest) = _reminded()
    (typed,) = _cases(_move(CaseStep.HEARD), _move(CaseStep.REMINDED), day="2026-11-26")

    assert answered_day(reminded, CaseStep.EXPLAINED, ZONE) == (date(2026, 11, 24), CaseStep.REMINDED)
    assert answered_day(typed, CaseStep.EXPLAINED, ZONE) == (date(2026, 11, 26), CaseStep.REMINDED)
    assert answered_day(reminded, CaseStep.REMINDED, ZONE) == (date(2026, 11, 23), None), "the day after the week"
