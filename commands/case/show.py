"""Show one case: every step with its record, and what is due

Example: portalops case show 2026-W47/so-y-te/11.2-submissions

EXIT STATUS: 0 shown, 2 there is no such case
"""

from __future__ import annotations

from datetime import date, datetime

import typer

from commands.case.options import CaseName
from commands.case.views import (
    ShownCase,
    case_fields,
    due_sentence,
    escalation_sentence,
    handling_of,
    limit_doubts,
)
from commands.cli.entries import unit_name
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.cases import known_case
from portalops.compliance.handling import MADE_WORDS, LateAnswer, escalations, late_answer, next_due
from portalops.model.cases import CaseStep, Paper
from portalops.model.message import Message, msg, nmsg
from portalops.model.record import Digest
from portalops.registers.cases import RecordedMove, read_cases
from portalops.reports.document import Block, Cell, KeyValues, Notice, TableBlock, Tone
from portalops.reports.section_handling import state_words


@shape
class ShownStep:
    """One step of a case."""

    step: CaseStep
    at: datetime
    by: str
    """Who decided; empty for a step by the rules."""
    reason: str
    paper: str | None
    """Number and sign of the paper; of a mail, its sender."""
    paper_date: date | None
    """The day on the paper, or on which the mail was sent."""
    file: Digest | None
    """SHA-256 of the paper, where it is kept."""
    record: int


@shape
class CaseHistory(ShownCase):
    """One case with every step, oldest first."""

    steps: tuple[ShownStep, ...]
    unreadable: tuple[int, ...]
    """Records of this case that cannot be read."""


def show(ctx: typer.Context, case: CaseName) -> Result[CaseHistory]:
    session = open_session(ctx)
    read = read_cases(session.ledger)
    found = known_case(read, case)
    handling = handling_of(session)
    due = next_due(found, handling)
    raised = [one for one in escalations(read.cases, handling) if one.case.id == found.id]
    shortfall, late = found.shortfall, late_answer(found, handling)
    rows: list[tuple[Message, Cell]] = [
        (msg("Case"), found.id),
        (msg("Unit"), unit_name(session, found.unit)),
        (msg("Week"), str(found.week)),
        (msg("State"), state_words(found, handling)),
        (msg("Found"), shortfall.reason if shortfall else None),
        (msg("Judged in"), msg("record {seq}", seq=shortfall.judged_seq) if shortfall else None),
        (msg("Due"), due_sentence(due, handling.today)),
        (msg("Who"), due.whose if due else None),
    ]
    rows += [(msg("To report upwards"), escalation_sentence(one, handling.today)) for one in raised]
    headers = (msg("At"), msg("Step"), msg("By whom"), msg("Why"), msg("Paper"), msg("SHA-256"), msg("Record"))
    steps = [_step_row(each, late) for each in found.moves]
    view: list[Block] = [KeyValues(rows), TableBlock(msg("Steps of the case"), headers, steps)]
    if found.unreadable:
        said = nmsg(
            "{n} record of this case cannot be read: {seqs}",
            "{n} records of this case cannot be read: {seqs}",
            len(found.unreadable),
            seqs=", ".join(map(str, found.unreadable)),
        )
        view.append(Notice(said, Tone.BAD))
    data = CaseHistory(
        **case_fields(found, handling, raised), steps=tuple(map(_step_data, found.moves)), unreadable=found.unreadable
    )
    return Result(data, view, warnings=limit_doubts(handling, [due]))


def _step_row(each: RecordedMove, late: LateAnswer | None) -> tuple[Cell, ...]:
    move = each.move
    why: Cell = move.why if move.why is not None else move.reason or None
    by: Cell = move.by or msg("by the rules")
    return (
        each.at,
        msg("{step}, late: due by {day}", step=MADE_WORDS[move.step], day=late.by)
        if late and late.seq == each.seq
        else MADE_WORDS[move.step],
        by,
        why,
        _paper_words(move.paper),
        move.paper.file if move.paper else None,
        each.seq,
    )


def _paper_words(paper: Paper | None) -> Cell:
    if paper is None:
        return None
    if paper.number and paper.issued_on and f"{paper.issued_on:%d/%m/%Y}" not in paper.number:
        return msg("{number} of {day}", number=paper.number, day=paper.issued_on)
    return paper.number or paper.issued_on


def _step_data(each: RecordedMove) -> ShownStep:
    move = each.move
    return ShownStep(
        step=move.step,
        at=each.at,
        by=move.by,
        reason=str(move.why) if move.why is not None else move.reason,
        paper=move.paper.number if move.paper else None,
        paper_date=move.paper.issued_on if move.paper else None,
        file=move.paper.file if move.paper else None,
        record=each.seq,
    )


VERB = Verb(show)
