"""Cases as commands see them: moves are recorded while nobody else can append, so that two people lose nothing of each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from portalops import bodies
from portalops.compliance.case_papers import answered_day, step_with_paper
from portalops.compliance.handling import (
    MADE_WORDS,
    STEP_WORDS,
    Handling,
    answer_day,
    heard_until,
    is_named,
    judged_keys,
    moves_by_rule,
    next_due,
    shortfalls,
)
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.ledger.recorder import Recorder
from portalops.model.cases import CLOSED_BY_PEOPLE, THE_PORTAL, CaseMove, CaseStep
from portalops.model.credentials import same_person
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.record import Digest, Record
from portalops.model.text import show_text
from portalops.model.updates import UpdatesResult
from portalops.registers.cases import KEY, Case, ReadCases, kind_of, may, read_cases
from portalops.reports.words import CASE_STATES

HANDLING = "11.3-handling"
REPORTING = "11.3-reporting"


def record_by_rule(
    recorder: Recorder,
    handling: Handling,
    result: UpdatesResult,
    judged_seq: int,
    *,
    since: date | None,
    later: Mapping[UnitId, date],
) -> tuple[CaseMove, ...]:
    """Record the moves that follow from a judging by the rules alone; return them.

    Args:
        recorder: has the ledger, open for appending.
        handling: by what cases are handled today.
        result: the judging.
        judged_seq: the record that holds it.
        since: from when on cases are opened; from the ledger's beginning on if None.
        later: from when on those of single units are, where that is later.
    """
    ledger, duties = recorder.ledger, handling.numbers.unit_duties
    made: list[CaseMove] = []
    first = next(ledger.records(limit=1))
    began = first.at.astimezone(handling.zone).date()

    def decide() -> Sequence[Draft]:
        made[:] = moves_by_rule(
            shortfalls(result, judged_seq, duties),
            judged_keys(result, duties),
            read_cases(ledger).cases,
            handling,
            since=since or began,
            later=later,
        )
        return [draft_of(recorder, move) for move in made]

    ledger.append_decided(decide)
    return tuple(made)


def draft_of(recorder: Recorder, move: CaseMove, document: bytes | None = None) -> Draft:
    """Return the record of a move; a document is kept with it."""
    ledger = recorder.ledger
    evidence = () if document is None else (ledger.keep(document),)
    if evidence and move.paper:
        move = replace(move, paper=replace(move.paper, file=evidence[0]))
    parts = {"circumstances": recorder.circumstances, KEY: move, "evidence": evidence}
    duty = REPORTING if move.step in {CaseStep.TO_DEPARTMENT, CaseStep.TO_COMMITTEE} else HANDLING
    return ledger.draft(kind_of(move.step), subject=move.id, duty=duty, body=ledger.keep(bodies.write(parts)))


def record_moves(
    recorder: Recorder,
    handling: Handling,
    chosen: Callable[[ReadCases], Sequence[Case]],
    make: Callable[[Case], CaseMove],
    *,
    document: bytes | None = None,
) -> tuple[tuple[CaseMove, Record], ...]:
    """Record a person's move of each of some cases, all or none.

    Args:
        recorder: has the ledger.
        handling: by what cases are handled today.
        chosen: returns the cases, at least one.
        make: returns the move of a case.
        document: kept with each.

    Raises:
        UsageError: a case's state does not allow the move, whoever explained decides on it, or its paper cannot be of this step.
    """
    made: list[CaseMove] = []

    def decide() -> Sequence[Draft]:
        read = read_cases(recorder.ledger)
        made[:] = [allowed_move(read, case, make(case), handling, document=document) for case in chosen(read)]
        return [draft_of(recorder, move, document) for move in made]

    records = recorder.ledger.append_decided(decide)
    return tuple(zip(made, records, strict=True))


def allowed_move(
    read: ReadCases, case: Case, move: CaseMove, handling: Handling, *, document: bytes | None = None
) -> CaseMove:
    """Return a person's move of a case.

    Args:
        read: all cases.
        case: one of them.
        move: what is to be recorded of it.
        handling: by what cases are handled today.
        document: what is kept with it.

    Raises:
        UsageError: the case's state does not allow the move, whoever explained decides on it, or its paper cannot be of this step.
    """
    if not may(case, move.step) or (move.step is CaseStep.CLOSED and case.state not in CLOSED_BY_PEOPLE):
        raise UsageError(
            msg(
                "case {case} does not allow this step: {step}; its state is: {state}",
                case=case.id,
                state=CASE_STATES[case.state],
                step=MADE_WORDS[move.step],
            ),
            _next_of(case, handling),
        )
    if move.step in {CaseStep.ACCEPTED, CaseStep.REJECTED}:
        said = next(
            (one for one in case.moves if one.move.step is CaseStep.EXPLAINED and same_person(one.move.by, move.by)),
            None,
        )
        if said is not None:
            raise UsageError(
                msg("{name} gave the explanation (record {seq}) and cannot decide on it", name=move.by, seq=said.seq),
                msg("Give --by with the name of the person who decides for the managing unit."),
            )
    if move.paper is not None:
        _require_possible(case, move.step, move.paper.issued_on, handling)
        digest = None if document is None else Digest(hashlib.sha256(document).hexdigest())
        _require_own_paper(read, case, replace(move, paper=replace(move.paper, file=digest)))
    if move.step is CaseStep.REMINDED:
        move = replace(move, answer_until=answer_day(handling.today, handling))
    is_letter = move.step is CaseStep.REMINDED and move.unit != THE_PORTAL
    if is_letter and document is None and not is_named(move.paper):
        raise UsageError(
            msg("the reminder of case {case} has neither a file nor a number with a date", case=case.id),
            msg("Give --file with the letter, or --number and --date as printed on it: the unit's days run from it."),
        )
    return move


def _next_of(case: Case, handling: Handling) -> Message:
    due = next_due(case, handling)
    said, until = case.newest(CaseStep.EXPLAINED), heard_until(case, handling)
    if said is not None and until is not None:
        return msg(
            "The explanation of {day} is recorded. The unit may add to it until {until}; then the case opens, and 'portalops"
            " case decide {case}' decides.",
            day=said.at.astimezone(handling.zone).date(), until=until, case=case.id,
        )  # fmt: skip
    if due is None or due.step not in _VERBS:
        return msg("Run 'portalops case show {case}' to see what was done and what is due.", case=case.id)
    return msg(
        "Run 'portalops case {verb} {case}' to record the next step: {step}.",
        step=STEP_WORDS[due.step], verb=_VERBS[due.step], case=case.id,
    )  # fmt: skip


_VERBS: Mapping[CaseStep, str] = {
    CaseStep.REMINDED: "remind",
    CaseStep.EXPLAINED: "explain",
    CaseStep.ACCEPTED: "decide",
    CaseStep.CLOSED: "close",
}
"""The verb of `portalops case` that records what is due."""


def _require_possible(case: Case, step: CaseStep, day: date | None, handling: Handling) -> None:
    """Make sure that a paper of a day can be about a case, and can answer the step before it.

    Raises:
        UsageError: what it is about lies after it.
    """
    earliest, answered = answered_day(case, step, handling.zone)
    if day is None or day >= earliest:
        return
    if answered is not None:
        raise UsageError(
            msg(
                "{step} of case {case} is of {earliest}: a paper that answers it cannot be dated {day}",
                step=MADE_WORDS[answered], case=case.id, earliest=earliest, day=day,
            ),
            msg("Give --date as printed on the paper, or run 'portalops case show {case}' to see its steps.", case=case.id),
        )  # fmt: skip
    raise UsageError(
        msg(
            "a paper about week {week} cannot be dated before {earliest}: this one is dated {day}",
            week=str(case.week),
            earliest=earliest,
            day=day,
        ),
        msg("Name the case of the week that the paper is about, or give --date as printed on the paper."),
    )


def _require_own_paper(read: ReadCases, case: Case, move: CaseMove) -> None:
    """Make sure that a paper stands for no other step.

    Raises:
        UsageError: it does.
    """
    taken = step_with_paper(read.cases, case, move)
    if taken is not None:
        raise UsageError(
            msg(
                "this paper stands for another step: {step} of case {case}, record {seq}",
                step=MADE_WORDS[taken.move.step], case=taken.move.id, seq=taken.seq,
            ),
            msg("Give the paper of this step, with its own --number, --date and --file."),
        )  # fmt: skip


def cases_to_remind(read: ReadCases, unit: UnitId, week: Week) -> tuple[Case, ...]:
    """Return the cases of a unit and week of which it may be reminded.

    Raises:
        UsageError: there is none.
    """
    found = tuple(
        case for case in read.cases if (case.unit, case.week) == (unit, week) and may(case, CaseStep.REMINDED)
    )
    if not found:
        raise UsageError(
            msg("unit {unit} has no case of week {week} that needs a reminder", unit=unit, week=str(week)),
            msg("Run 'portalops case list --unit {unit} --all' to see what was done.", unit=unit),
        )
    return found


def known_case(read: ReadCases, name: str) -> Case:
    """Return the case of an id, or of a beginning that only one id has.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = [case for case in read.cases if case.id == name] or [
        case for case in read.cases if case.id.startswith(name)
    ]
    if len(found) == 1:
        return found[0]
    shown = show_text(name, 80)
    if not found:
        raise UsageError(
            msg("there is no case {case}", case=shown),
            msg("Run 'portalops case list' to see the ids: WEEK/UNIT/DUTY, such as 2026-W47/so-y-te/11.2-submissions."),
        )
    raise UsageError(
        msg("{n} cases begin with {case}", n=len(found), case=shown),
        msg("Give the whole id of one: {cases}.", cases=", ".join(case.id for case in found[:5])),
    )


def unreadable_of(read: ReadCases) -> tuple[Message, ...]:
    """Say which records of cases cannot be read, so that what is told of the cases may lack something."""
    return tuple(
        msg("record {seq} of a case cannot be read: {why}", seq=seq, why=error.message)
        for seq, error in read.unreadable
    )
