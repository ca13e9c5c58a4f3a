"""List cases, the next step of each, and what must be reported upwards

Shows open cases, and closed ones that must still be reported; --all shows all. The updates job opens a case for each
duty that it judges unmet, the managing unit's own too.

Example: portalops case list; portalops case list --unit so-y-te --all

EXIT STATUS: 0 nothing is overdue, 1 a step of the managing unit is overdue, 2 there is no such unit, 3 a record of a
case cannot be read
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from commands.case.options import OptionalText
from commands.case.steps import known_week
from commands.case.views import ShownCase, case_fields, escalation_sentence, handling_of, limit_doubts
from commands.cli.entries import known_unit, unit_name
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.cases import unreadable_of
from portalops.compliance.handling import STEP_WORDS, Due, Escalation, Handling, escalations, next_due
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.cases import THE_PORTAL, CaseState, CaseStep
from portalops.model.message import msg, nmsg
from portalops.registers.cases import Case, read_cases
from portalops.reports.document import Block, Cell, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_handling import state_words


def list_(
    ctx: typer.Context,
    unit: Annotated[OptionalText, typer.Option("--unit", help=_("Only this unit, by its id"))] = None,
    week: Annotated[
        OptionalText, typer.Option("--week", metavar="WEEK", help=_("Only this week, such as 2026-W47"))
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help=_("Closed cases too"))] = False,
) -> Result[tuple[ShownCase, ...]]:
    session = open_session(ctx)
    read = read_cases(session.ledger)
    handling = handling_of(session)
    of = None if week is None else known_week(week)
    if unit is not None and unit not in {THE_PORTAL, *(case.unit for case in read.cases)}:
        known_unit(session, unit)
    upwards = {(one.case.id, one.step): one for one in escalations(read.cases, handling) if not one.is_done}
    unreported = {case_id for case_id, _step in upwards}
    chosen = [
        case
        for case in read.cases
        if (all_ or case.is_open or case.id in unreported) and unit in {None, case.unit} and of in {None, case.week}
    ]
    rows, data = [], []
    late = False
    for case in chosen:
        due = next_due(case, handling)
        raised = [one for (case_id, _step), one in upwards.items() if case_id == case.id]
        late = late or _is_ours_and_late(due, handling.today) or any(handling.today > one.by for one in raised)
        rows.append(_row(session, case, due, raised, handling))
        data.append(ShownCase(**case_fields(case, handling, raised)))
    headers = (msg("Case"), msg("Unit"), msg("State"), msg("Next step"), msg("Due by"), msg("To report upwards"))
    view: list[Block] = [TableBlock(nmsg("{n} case", "{n} cases", len(rows)), headers, rows)]
    if any(case.state is CaseState.DETECTED for case in chosen):
        view.append(Paragraph(_FOUND))
    code = ExitCode.UNMET if late else ExitCode.PARTIAL if read.unreadable else ExitCode.OK
    doubts = limit_doubts(handling, [next_due(case, handling) for case in chosen])
    return Result(tuple(data), view, warnings=(*unreadable_of(read), *doubts), exit_code=code)


_FOUND = msg(
    "Found: judging called the duty unmet, and no reminder went out yet. Next comes the reminder: 'portalops case remind CASE'."
)


def _is_ours_and_late(due: Due | None, today: date) -> bool:
    return due is not None and due.step is not CaseStep.EXPLAINED and due.is_late(today)


def _row(
    session: Session, case: Case, due: Due | None, raised: list[Escalation], handling: Handling
) -> tuple[Cell, ...]:
    today = handling.today
    tone = Tone.GOOD if case.state is CaseState.CLOSED else Tone.BAD if _is_ours_and_late(due, today) else Tone.UNSURE
    return (
        case.id,
        unit_name(session, case.unit),
        Status(state_words(case, handling), tone),
        STEP_WORDS[due.step] if due else None,
        None if due is None else msg("{day}, overdue", day=due.by) if due.is_late(today) else due.by,
        escalation_sentence(raised[0], today) if raised else None,
    )


VERB = Verb(list_)
