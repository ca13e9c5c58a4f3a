"""What the verbs of this noun do alike."""

from __future__ import annotations

import typer

from commands.case.views import ShownCase, case_fields, due_sentence, handling_of
from commands.cli.entries import DocumentFile, caller_of, document_in, past_day, written_text
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.jobs.cases import HANDLING, allowed_move, known_case, record_move
from portalops.compliance.handling import PAPERS, STEP_WORDS, next_due, papers_not_kept
from portalops.model.cases import THE_PORTAL, CaseMove, CaseStep, Paper
from portalops.model.message import Message, msg
from portalops.registers.cases import Case, read_cases
from portalops.reports.document import Cell, KeyValues
from portalops.reports.words import CASE_STATES


@shape
class MovedCase(ShownCase):
    """A case after a step, or before one that is only shown."""

    step: CaseStep
    record: int | None
    """The record of the step; null if it was only shown."""


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
    who = written_text(by, "--by") if by else caller_of(session)
    why = written_text(reason, "--reason") if reason else ""
    paper = _paper(session, number, on, file is not None)
    document = document_in(file)

    def make(case: Case) -> CaseMove:
        return CaseMove(case.unit, case.duty, case.week, step, reason=why, by=who, paper=paper)

    handling, record = handling_of(session), None
    if dry_run:
        move = allowed_move(known_case(read_cases(session.ledger), name), make, handling)
    else:
        move, record = record_move(session.recorder, handling, name, make, document=document)
    known = known_case(read_cases(session.ledger), move.id)
    due = next_due(known, handling)
    rows: list[tuple[Message, Cell]] = [
        (msg("Case"), move.id),
        (msg("Step"), STEP_WORDS[step]),
        (msg("By whom"), who),
        (msg("Why"), why or None),
        (msg("Paper"), number or None),
        (msg("State"), CASE_STATES[known.state]),
        (msg("Due"), due_sentence(due, handling.today)),
        (msg("Recorded in"), msg("record {seq}", seq=record.seq) if record else msg("nothing: only shown")),
    ]
    data = MovedCase(**case_fields(known, due, ()), step=step, record=record.seq if record else None)
    lacking = _still_lacking(known) if step is CaseStep.DOCUMENT and document is not None and not dry_run else ()
    return Result(data, [KeyValues(rows)], warnings=(*_not_kept(move, has_file=document is not None), *lacking))


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
