"""Papers of cases: each stands for one step, and none is older than what it answers. Pure.

A paper is known again by its number and date, and by the digest of its file. One reminder may be about all cases of a unit, or a circular to
several units about one week; one decision or report about those of many; beyond that, the same paper under two steps shows for one of them nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from portalops.compliance.handling import papers_not_kept
from portalops.model.cases import CaseDuty, CaseMove, CaseStep, Paper
from portalops.registers.cases import Case, RecordedMove

_PURPOSES: Mapping[CaseStep, str] = {CaseStep.ACCEPTED: "decision", CaseStep.REJECTED: "decision"}
"""Steps that one paper may take together: the minutes of a meeting accept one explanation and reject another."""
_OF_MANY_UNITS = frozenset({CaseStep.ACCEPTED, CaseStep.REJECTED, CaseStep.TO_DEPARTMENT, CaseStep.TO_COMMITTEE})
_ANSWERED: Mapping[CaseStep, tuple[CaseStep, ...]] = {
    CaseStep.EXPLAINED: (CaseStep.REMINDED,),
    CaseStep.ACCEPTED: (CaseStep.EXPLAINED, CaseStep.REMINDED),
    CaseStep.REJECTED: (CaseStep.EXPLAINED, CaseStep.REMINDED),
    CaseStep.REMINDED: (CaseStep.REJECTED,),
}
"""Which steps each step answers."""


def step_with_paper(cases: Iterable[Case], case: Case, move: CaseMove) -> RecordedMove | None:
    """Return a recorded step that the paper of a move stands for already; None where the move may have it.

    Args:
        cases: all that there are.
        case: whose move it is.
        move: a move that is to be recorded, its paper with the digest of its file.
    """
    paper = move.paper
    own = None if move.step is not CaseStep.DOCUMENT else _documented(case, move)
    step = own.move.step if own else move.step
    if paper is None or step is CaseStep.DOCUMENT:
        return None
    for other in cases:
        for each in other.moves:
            if each == own or not _is_same(each.move.paper, paper):
                continue
            target = _documented(other, each.move) if each.move.step is CaseStep.DOCUMENT else each
            if target is None or target == own:
                continue
            if other.id == case.id or not _goes_with(target.move, move, step):
                return target
    return None


def answered_day(case: Case, step: CaseStep, zone: ZoneInfo) -> tuple[date, CaseStep | None]:
    """Return the first day that a paper of a step may have, and the step that it answers; None where that is the week itself.

    A unit is short of a week only when that week is over; the portal is short of a day, which may be the first.
    """
    week = case.week.period()
    earliest = week.first if case.duty is CaseDuty.PORTAL else week.last + timedelta(days=1)
    before = case.newest(*_ANSWERED.get(step, ()))
    if before is None:
        return earliest, None
    paper = before.move.paper
    day = paper.issued_on if paper and paper.issued_on else before.at.astimezone(zone).date()
    return (day, before.move.step) if day > earliest else (earliest, None)


def _documented(case: Case, move: CaseMove) -> RecordedMove | None:
    """Return the step whose paper a DOCUMENT adds: that of its number, else the first that lacks its own."""
    number = _plain(move.paper)
    steps = [each for each in case.moves if each.move.step is not CaseStep.DOCUMENT]
    named = next((each for each in steps if number and _plain(each.move.paper) == number), None)
    return named or next(iter(papers_not_kept(case)), None)


def _is_same(one: Paper | None, other: Paper) -> bool:
    if one is None:
        return False
    if one.file is not None and one.file == other.file:
        return True
    return bool(_plain(one)) and _plain(one) == _plain(other) and one.issued_on == other.issued_on


def _plain(paper: Paper | None) -> str:
    return "" if paper is None else unicodedata.normalize("NFC", "".join(paper.number.split())).casefold()


def _goes_with(recorded: CaseMove, move: CaseMove, step: CaseStep) -> bool:
    """Say whether one paper may stand for a step of two cases: one letter about several weeks is to one unit, a circular about one week."""
    is_alike = _PURPOSES.get(recorded.step, recorded.step.value) == _PURPOSES.get(step, step.value)
    is_circular = step is CaseStep.REMINDED and recorded.week == move.week
    return is_alike and (step in _OF_MANY_UNITS or recorded.unit == move.unit or is_circular)
