"""What the verbs of this noun do alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import typer

from commands.case.views import ShownCase, case_fields, due_sentence, handling_of, late_answer_warning
from commands.cli.entries import DocumentFile, caller_of, document_in, known_unit, past_day, written_text
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.jobs.cases import HANDLING, allowed_move, cases_to_remind, known_case, record_moves
from portalops.compliance.handling import MADE_WORDS, PAPERS, STEP_WORDS, next_due, papers_not_kept
from portalops.errors import UsageError
from portalops.model.cases import THE_PORTAL, CaseMove, CaseStep, Paper
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.record import Record
from portalops.model.text import show_text
from portalops.registers.cases import Case, ReadCases, read_cases
from portalops.reports.document import Block, Cell, KeyValues
from portalops.reports.section_handling import state_words


@shape
class MovedCase(ShownCase):
    """A case after a step, or before one that is only shown."""

    step: CaseStep
    record: int | None
    """The record of the step; null if it was only shown."""


@shape
class RemindedUnit:
    """The cases of a unit and week of which it was reminded by one paper."""

    unit: UnitId
    week: str
    """In the form 2026-W47."""
    cases: tuple[MovedCase, ...]


def move_case(
    ctx: typer.Context,
    name: str,
    step: CaseStep,
    *,
    by: str,
    file: DocumentFile,
    dry_run: bool,
    reason: str = "",
    number: str = "",
    on: str | None = None,
) -> Result[MovedCase]:
    session = open_session(ctx)
    moved = _moved(
        session, lambda read: (known_case(read, name),), step,
        by=by, file=file, dry_run=dry_run, reason=reason, number=number, on=on,
    )  # fmt: skip
    return Result(moved.data[0], moved.view, warnings=moved.warnings)


def remind_unit(
    ctx: typer.Context,
    unit: str | None,
    week: str | None,
    *,
    by: str,
    file: DocumentFile,
    dry_run: bool,
    reason: str,
    number: str,
    on: str | None,
) -> Result[RemindedUnit]:
    """Record one reminder for all cases of a unit and week."""
    session = open_session(ctx)
    whose, of = known_unit(session, unit).id, known_week(week)
    moved = _moved(
        session, lambda read: cases_to_remind(read, whose, of), CaseStep.REMINDED,
        by=by, file=file, dry_run=dry_run, reason=reason, number=number, on=on,
    )  # fmt: skip
    return Result(RemindedUnit(whose, str(of), moved.data), moved.view, warnings=moved.warnings)


def known_week(text: str | None) -> Week:
    """Return a week as `--week` names it.

    Raises:
        UsageError: it is none, or missing.
    """
    if text is None:
        raise UsageError(msg("--week is missing"), msg("Write it as 2026-W47."))
    try:
        return Week.parse(text)
    except ValueError as error:
        raise UsageError(
            msg("--week: {text} is not a week", text=show_text(text, 40)), msg("Write it as 2026-W47.")
        ) from error


def _moved(
    session: Session,
    chosen: Callable[[ReadCases], Sequence[Case]],
    step: CaseStep,
    *,
    by: str,
    file: DocumentFile,
    dry_run: bool,
    reason: str,
    number: str,
    on: str | None,
) -> Result[tuple[MovedCase, ...]]:
    who = written_text(by, "--by") if by else caller_of(session)
    why = written_text(reason, "--reason") if reason else ""
    paper = _paper(session, number, on, file is not None)
    document = document_in(file)

    def make(case: Case) -> CaseMove:
        return CaseMove(case.unit, case.duty, case.week, step, reason=why, by=who, paper=paper)

    handling = handling_of(session)
    moves: Sequence[tuple[CaseMove, Record | None]]
    if dry_run:
        read = read_cases(session.ledger)
        moves = [(allowed_move(read, case, make(case), handling, document=document), None) for case in chosen(read)]
    else:
        moves = record_moves(session.recorder, handling, chosen, make, document=document)
    read = read_cases(session.ledger)
    data: list[MovedCase] = []
    view: list[Block] = []
    warnings: list[Message] = []
    for move, record in moves:
        known = known_case(read, move.id)
        due = next_due(known, handling)
        rows: list[tuple[Message, Cell]] = [
            (msg("Case"), move.id),
            (msg("Step"), MADE_WORDS[step]),
            (msg("By whom"), who),
            (msg("Why"), why or None),
            (msg("Paper"), number or None),
            (msg("State"), state_words(known, handling)),
            (msg("Due"), due_sentence(due, handling.today)),
            (msg("Recorded in"), msg("record {seq}", seq=record.seq) if record else msg("nothing: only shown")),
        ]
        view.append(KeyValues(rows))
        data.append(MovedCase(**case_fields(known, handling, ()), step=step, record=record.seq if record else None))
        if step is CaseStep.EXPLAINED:
            warnings += late_answer_warning(known, handling)
        warnings += _not_kept(move, has_file=document is not None)
        if step is CaseStep.DOCUMENT and document is not None and not dry_run:
            warnings += _still_lacking(known)
    return Result(tuple(data), view, warnings=tuple(warnings))


def _not_kept(move: CaseMove, *, has_file: bool) -> tuple[Message, ...]:
    """Say that a paper which is not kept shows nobody that it went out."""
    if has_file or move.step not in PAPERS or (move.step is CaseStep.REMINDED and move.unit == THE_PORTAL):
        return ()
    return (
        msg(
            "the paper is not kept: duty {duty} has insufficient evidence until 'portalops case"
    " register-doc {case} --file' adds it",
            case=move.id, duty=HANDLING,
        ),
    )  # fmt: skip


def _still_lacking(case: Case) -> tuple[Message, ...]:
    """Say of which steps the paper is not kept, though one was added: it may be that the number was typed otherwise."""
    return tuple(
        msg(
            "{step}, record {seq}: the paper is still missing; add it under its recorded number, {number}",
            step=STEP_WORDS[each.move.step], seq=each.seq, number=each.move.paper.number,
        )
        if each.move.paper and each.move.paper.number
        else msg("{step}, record {seq}: the paper is still missing", step=STEP_WORDS[each.move.step], seq=each.seq)
        for each in papers_not_kept(case)
    )  # fmt: skip


def _paper(session: Session, number: str, on: str | None, has_file: bool) -> Paper | None:
    if not number and on is None and not has_file:
        return None
    text = written_text(number, "--number") if number else ""
    return Paper(text, past_day(session, on, "--date") if on is not None else None)
