"""Handle units that fell short: remind them, take their explanation, decide on it, report those that repeat (Article 11.3)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Optional

import typer

from commands import _case_letter
from commands._cases import HANDLING, handling_of, known_case, record_move, unreadable_of
from commands._registers import (
    DocumentFile,
    DryRun,
    Reason,
    addressee_of,
    caller_of,
    document_in,
    past_day,
    unit_name,
    written_text,
)
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.compliance.handling import (
    PAPERS,
    STEP_WORDS,
    Due,
    Escalation,
    escalations,
    next_due,
    papers_not_kept,
)
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.cases import THE_PORTAL, CaseMove, CaseState, Paper, Step
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Week
from portalops.model.sent import Addressee
from portalops.model.text import show_text
from portalops.registers.cases import Case, RecordedMove, read_cases
from portalops.reports.document import Block, Cell, KeyValues, Notice, Status, Table, Tone
from portalops.reports.words import CASE_STATES

app = typer.Typer(no_args_is_help=True)
app.command("letter", help=_case_letter.HELP)(_case_letter.letter)

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
CaseName = Annotated[
    str, typer.Argument(metavar="CASE", help=_("The case's id, WEEK/UNIT/DUTY, or the beginning of one"))
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who decided; the account that calls by default"))]
Number = Annotated[
    str, typer.Option("--number", metavar="TEXT", help=_("Number and sign of the paper, such as 12/CV-TTTT"))
]
On = Annotated[OptionalText, typer.Option("--date", metavar="DAY", help=_("The paper's date, such as 2026-11-24"))]


@app.command(
    "list",
    help=_(
        "List cases, what is due for each, and what is to be reported upwards\n\nOpen ones, and closed ones that are still to be reported, unless --all is given. Cases are opened"
        " by the updates job for everything that it judges unmet, the managing unit's own misses among it."
        "\n\nExample: portalops case list; portalops case list --unit so-y-te --all"
        "\n\nEXIT STATUS: 0 nothing is late, 1 a step of the managing unit is late, 3 a record of a case cannot be read"
    ),
)
def list_(
    ctx: typer.Context,
    unit: Annotated[OptionalText, typer.Option("--unit", help=_("Only this unit, by its id"))] = None,
    week: Annotated[
        OptionalText, typer.Option("--week", metavar="WEEK", help=_("Only this week, such as 2026-W47"))
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help=_("Closed ones too"))] = False,
) -> Result:
    session = open_session(ctx)
    read = read_cases(session.ledger)
    handling = handling_of(session)
    of = _week(week)
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
        rows.append(_row(session, case, due, raised, handling.today))
        data.append(_data(case, due, raised))
    headers = (msg("Case"), msg("Unit"), msg("State"), msg("Next step"), msg("Due by"), msg("To report upwards"))
    view: list[Block] = [Table(nmsg("{n} case", "{n} cases", len(rows)), headers, rows)]
    code = ExitCode.UNMET if late else ExitCode.PARTIAL if read.unreadable else ExitCode.OK
    return Result(data, view, warnings=unreadable_of(read), exit_code=code)


@app.command(
    help=_(
        "Show one case with every step, the record that made it, and what is due\n\nExample: portalops case show"
        " 2026-W47/so-y-te/11.2-submissions\n\nEXIT STATUS: 0 shown, 2 there is no such case"
    )
)
def show(ctx: typer.Context, case: CaseName) -> Result:
    session = open_session(ctx)
    read = read_cases(session.ledger)
    found = known_case(read, case)
    handling = handling_of(session)
    due = next_due(found, handling)
    raised = [one for one in escalations(read.cases, handling) if one.case.id == found.id]
    shortfall = found.shortfall
    rows: list[tuple[Message, Cell]] = [
        (msg("Case"), found.id),
        (msg("Unit"), unit_name(session, found.unit)),
        (msg("Week"), str(found.week)),
        (msg("State"), CASE_STATES[found.state]),
        (msg("Found"), shortfall.reason if shortfall else None),
        (msg("Judged in"), msg("record {seq}", seq=shortfall.judged_seq) if shortfall else None),
        (msg("Due"), _due(due, handling.today)),
        (msg("Who"), due.whose if due else None),
    ]
    rows += [(msg("To report upwards"), _upwards(one, handling.today)) for one in raised]
    headers = (msg("At"), msg("Step"), msg("By whom"), msg("Why"), msg("Paper"), msg("SHA-256"), msg("Record"))
    steps = [_step_row(each) for each in found.moves]
    view: list[Block] = [KeyValues(rows), Table(msg("Steps of the case"), headers, steps)]
    if found.unreadable:
        seqs = ", ".join(map(str, found.unreadable))
        view.append(Notice(msg("records of this case cannot be read: {seqs}", seqs=seqs), Tone.BAD))
    steps_data: list[JsonValue] = [_step_data(each) for each in found.moves]
    return Result({**_data(found, due, raised), "steps": steps_data, "unreadable": list(found.unreadable)}, view)


@app.command(
    help=_(
        "Record that the unit was reminded\n\nExample: portalops case remind 2026-W47/so-y-te --number 12/CV-TTTT --date"
        " 2026-11-24 --file nhac-nho.pdf\n\nEXIT STATUS: 0 recorded or shown, 2 no such case, or it is not to be reminded"
    )
)
def remind(
    ctx: typer.Context,
    case: CaseName,
    *,
    number: Number = "",
    on: On = None,
    reason: Reason = "",
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    return _move(ctx, case, Step.REMINDED, number=number, on=on, reason=reason, by=by, file=file, dry_run=dry_run)


@app.command(
    help=_(
        "Record what the unit said\n\nExample: portalops case explain 2026-W47/so-y-te --reason 'máy chủ cổng con hỏng từ 16"
        " đến 18/11' --by 'Văn phòng Sở Y tế' --number 45/SYT-VP --date 2026-11-25 --file giai-trinh.pdf"
        "\n\nEXIT STATUS: 0 recorded or shown, 2 no such case, or nothing is to be explained"
    )
)
def explain(
    ctx: typer.Context,
    case: CaseName,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("What the unit said"))],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who said it for the unit"))],
    number: Number = "",
    on: On = None,
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    said = written_text(reason, "--reason")
    return _move(ctx, case, Step.EXPLAINED, number=number, on=on, reason=said, by=by, file=file, dry_run=dry_run)


@app.command(
    help=_(
        "Record the decision on an explanation\n\nAn accepted one counts for no repetition. Whoever explained does not decide.\n\nExample:"
        " portalops case decide"
        " 2026-W47/so-y-te --accept --reason 'sự cố có biên bản' --by 'Trần Thị Bình'\n\nEXIT STATUS: 0 recorded or shown, 2 no"
        " such case, nothing to decide, or neither --accept nor --reject"
    )
)
def decide(
    ctx: typer.Context,
    case: CaseName,
    *,
    accept: Annotated[
        Optional[bool],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--accept/--reject", help=_("Whether the explanation is accepted")),
    ] = None,
    reason: Reason,
    by: By = "",
    number: Number = "",
    on: On = None,
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    if accept is None:
        raise UsageError(
            msg("neither --accept nor --reject is given"), msg("Say which: an explanation is accepted, or it is not.")
        )
    step = Step.ACCEPTED if accept else Step.REJECTED
    why = written_text(reason, "--reason")
    return _move(ctx, case, step, number=number, on=on, reason=why, by=by, file=file, dry_run=dry_run)


@app.command(
    help=_(
        "Record that the unit made up for what was missing\n\nThe week stays judged as it was: what comes late repairs no"
        " day.\n\nExample: portalops case remedy 2026-W47/so-y-te --reason 'đã đăng bù 2 tin ngày 24/11'"
        "\n\nEXIT STATUS: 0 recorded or shown, 2 no such case, or nothing is to be made up for"
    )
)
def remedy(
    ctx: typer.Context,
    case: CaseName,
    *,
    reason: Reason,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    return _move(ctx, case, Step.REMEDIED, reason=written_text(reason, "--reason"), by=by, file=file, dry_run=dry_run)


@app.command(
    help=_(
        "Record that a case was reported to the Department or to the Committee\n\nExample: portalops case escalate"
        " 2026-W47/so-y-te --to department --number 15/BC-TTTT --date 2026-11-27 --file bao-cao.pdf"
        "\n\nEXIT STATUS: 0 recorded or shown, 2 no such case, or --to is neither"
    )
)
def escalate(
    ctx: typer.Context,
    case: CaseName,
    *,
    to: Annotated[str, typer.Option("--to", metavar="department|committee", help=_("department or committee"))],
    number: Number = "",
    on: On = None,
    reason: Reason = "",
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    step = Step.TO_DEPARTMENT if addressee_of(to) is Addressee.DEPARTMENT else Step.TO_COMMITTEE
    return _move(ctx, case, step, number=number, on=on, reason=reason, by=by, file=file, dry_run=dry_run)


@app.command(
    help=_(
        "Close a case\n\nOnly after the unit was heard, let its days pass, or made up for it. Where nothing was missing after all, the"
        " rules close it: record the exemption or the confirmation instead.\n\nExample: portalops case close 2026-W47/so-y-te --reason 'đã khắc phục' --by 'Trần Thị Bình'"
        "\n\nEXIT STATUS: 0 recorded or shown, 2 no such case, or it is not to be closed"
    )
)
def close(
    ctx: typer.Context,
    case: CaseName,
    *,
    reason: Reason,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    return _move(ctx, case, Step.CLOSED, reason=written_text(reason, "--reason"), by=by, file=file, dry_run=dry_run)


@app.command(
    "register-doc",
    help=_(
        "Record the number and date that a paper of a case was given\n\nDrafts have a blank number: it is given by the clerk"
        " after the paper is signed (Decree 30/2020/NĐ-CP, Article 15).\n\nExample: portalops case register-doc"
        " 2026-W47/so-y-te --number 12/CV-TTTT --date 2026-11-24 --file cong-van.pdf"
        "\n\nEXIT STATUS: 0 recorded or shown, 2 no such case, or the number is missing"
    ),
)
def register_doc(
    ctx: typer.Context,
    case: CaseName,
    *,
    number: Number,
    on: On = None,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    written = written_text(number, "--number")
    return _move(ctx, case, Step.DOCUMENT, number=written, on=on, by=by, file=file, dry_run=dry_run)


def _move(
    ctx: typer.Context,
    name: str,
    step: Step,
    *,
    by: str,
    file: DocumentFile,
    dry_run: bool,
    reason: str = "",
    number: str = "",
    on: str | None = None,
) -> Result:
    session = open_session(ctx)
    who = written_text(by, "--by") if by else caller_of(session)
    why = written_text(reason, "--reason") if reason else ""
    paper = _paper(session, number, on, file is not None)
    document = document_in(file)

    def make(case: Case) -> CaseMove:
        return CaseMove(case.unit, case.duty, case.week, step, reason=why, by=who, paper=paper)

    move, record = record_move(session, name, make, document=document, dry_run=dry_run)
    known = known_case(read_cases(session.ledger), move.id)
    handling = handling_of(session)
    due = next_due(known, handling)
    rows: list[tuple[Message, Cell]] = [
        (msg("Case"), move.id),
        (msg("Step"), STEP_WORDS[step]),
        (msg("By whom"), who),
        (msg("Why"), why or None),
        (msg("Paper"), number or None),
        (msg("State"), CASE_STATES[known.state]),
        (msg("Due"), _due(due, handling.today)),
        (msg("Recorded in"), msg("record {seq}", seq=record.seq) if record else msg("nothing: only shown")),
    ]
    data: JsonValue = {**_data(known, due, ()), "step": step.value, "record": record.seq if record else None}
    lacking = _still_lacking(known) if step is Step.DOCUMENT and document is not None and not dry_run else ()
    return Result(data, [KeyValues(rows)], warnings=(*_not_kept(move, has_file=document is not None), *lacking))


def _not_kept(move: CaseMove, *, has_file: bool) -> tuple[Message, ...]:
    """Say that a paper which is not kept shows nobody that it went out."""
    if has_file or move.step not in PAPERS or (move.step is Step.REMINDED and move.unit == THE_PORTAL):
        return ()
    return (
        msg(
            "the paper itself is not kept: until 'portalops case register-doc {case} --file' adds it, duty {duty} is unknown",
            case=move.id, duty=HANDLING,
        ),
    )  # fmt: skip


def _still_lacking(case: Case) -> tuple[Message, ...]:
    """Say of which steps the paper is not kept, though one was added: it may be that the number was typed otherwise."""
    return tuple(
        msg(
            "{step}, record {seq}, still lacks its paper: add it under the number that is recorded there, {number}",
            step=STEP_WORDS[each.move.step], seq=each.seq, number=each.move.paper.number,
        )
        if each.move.paper and each.move.paper.number
        else msg("{step}, record {seq}, still lacks its paper", step=STEP_WORDS[each.move.step], seq=each.seq)
        for each in papers_not_kept(case)
    )  # fmt: skip


def _paper(session: Session, number: str, on: str | None, has_file: bool) -> Paper | None:
    if not number and on is None and not has_file:
        return None
    text = written_text(number, "--number") if number else ""
    return Paper(text, past_day(session, on, "--date") if on is not None else None)


def _week(text: str | None) -> Week | None:
    if text is None:
        return None
    try:
        return Week.parse(text)
    except ValueError as error:
        raise UsageError(
            msg("--week: {text} is no week", text=show_text(text, 40)), msg("Write it as 2026-W47.")
        ) from error


def _is_ours_and_late(due: Due | None, today: date) -> bool:
    return due is not None and due.step is not Step.EXPLAINED and due.is_late(today)


def _row(session: Session, case: Case, due: Due | None, raised: list[Escalation], today: date) -> tuple[Cell, ...]:
    tone = Tone.GOOD if case.state is CaseState.CLOSED else Tone.BAD if _is_ours_and_late(due, today) else Tone.UNSURE
    return (
        case.id,
        unit_name(session, case.unit),
        Status(CASE_STATES[case.state], tone),
        STEP_WORDS[due.step] if due else None,
        None if due is None else msg("{day}, overdue", day=due.by) if due.is_late(today) else due.by,
        _upwards(raised[0], today) if raised else None,
    )


def _due(due: Due | None, today: date) -> Message | None:
    if due is None:
        return None
    if due.is_late(today):
        return msg("{step} by {day}, overdue", step=STEP_WORDS[due.step], day=due.by)
    return msg("{step} by {day}", step=STEP_WORDS[due.step], day=due.by)


def _upwards(one: Escalation, today: date) -> Message:
    if one.is_done:
        return msg("{step}: done ({reason})", step=STEP_WORDS[one.step], reason=one.reason)
    if today > one.by:
        return msg("{step} by {day}, overdue: {reason}", step=STEP_WORDS[one.step], day=one.by, reason=one.reason)
    return msg("{step} by {day}: {reason}", step=STEP_WORDS[one.step], day=one.by, reason=one.reason)


def _step_row(each: RecordedMove) -> tuple[Cell, ...]:
    move = each.move
    why: Cell = move.why if move.why is not None else move.reason or None
    by: Cell = move.by or msg("by the rules")
    return (
        each.at,
        STEP_WORDS[move.step],
        by,
        why,
        _paper_words(move.paper),
        move.paper.file if move.paper else None,
        each.seq,
    )


def _paper_words(paper: Paper | None) -> Cell:
    if paper is None:
        return None
    if paper.number and paper.issued_on:
        return msg("{number} of {day}", number=paper.number, day=paper.issued_on)
    return paper.number or paper.issued_on


def _step_data(each: RecordedMove) -> dict[str, JsonValue]:
    move = each.move
    return {
        "step": move.step.value,
        "at": each.at.isoformat(),
        "by": move.by,
        "reason": str(move.why) if move.why is not None else move.reason,
        "paper": move.paper.number if move.paper else None,
        "file": move.paper.file if move.paper else None,
        "record": each.seq,
    }


def _data(case: Case, due: Due | None, raised: list[Escalation] | tuple[Escalation, ...]) -> dict[str, JsonValue]:
    return {
        "id": case.id,
        "unit": case.unit,
        "duty": case.duty.value,
        "week": str(case.week),
        "state": case.state.value,
        "due": due.step.value if due else None,
        "due_on": due.by.isoformat() if due else None,
        "upwards": [
            {"step": one.step.value, "by": one.by.isoformat(), "reason": str(one.reason), "done": one.is_done}
            for one in raised
        ],
    }
