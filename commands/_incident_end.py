"""`portalops incident close`, `reopen` and `attest`: how an incident ends, and that there were no others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from commands._change_views import register_of as changes_of
from commands._credentials import refuse_extra
from commands._credentials import register_of as credentials_of
from commands._incidents import SAY_ANEW, By, IdArgument, OptionalText, guarded, record, step, unread_told, who
from commands._registers import DocumentFile, DryRun, Reason, document_in, past_day, past_moment
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import LedgerMissing, UsageError
from portalops.locale import _
from portalops.model.changes import ChangeState
from portalops.model.incidents import IncidentClosed, IncidentReopened, IncidentsAttested, ReportKind, Timeliness
from portalops.model.message import Message, msg
from portalops.registers.findings import read_findings
from portalops.registers.incidents import (
    ATTESTED,
    CLOSED,
    REOPENED,
    Incident,
    IncidentRegister,
    end_words,
    is_undone,
    why_no_close,
)
from portalops.reports.document import Cell, KeyValues
from portalops.reports.words import joined

HELP_CLOSE = _(
    "Close an incident\n\nThat needs its cause, the lessons, and the full report; every credential that it is tied to changed or"
    " returned since it was noticed; no finding that it is tied to, and no drift of its hosts, open; its changes closed. With"
    " --reason it is closed all the same, and what was open is recorded and shown, and the duty is unmet by it."
    "\n\nExample: portalops incident close IN-2026-001 --ended 2026-11-26T10:00 --cause 'máy tính cá nhân không mã hóa' --measures"
    " 'mã hóa ổ đĩa, khóa trên token' --lessons 'không để khóa quản trị trên máy cá nhân'"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such incident, it is closed, something is open, or a time is ahead or"
    " before it began"
)
HELP_REOPEN = _(
    "Open a closed incident again\n\nA new record; the closing stays. Notes are taken again, and it is closed anew."
    "\n\nExample: portalops incident reopen IN-2026-001 --reason 'khóa cũ còn trên db1'"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such incident, or it is open"
)
HELP_ATTEST = _(
    "Record that a named person attests some days: every incident that they know of is in the register\n\nThat nothing is"
    " recorded proves nothing; so the duty is met only where each day of a period is attested, by a signed paper that is kept"
    " (--file). An incident that was noticed in these days and is recorded later takes it back. --withdraw takes it back too. A day"
    " counts once it is over."
    "\n\nExample: portalops incident attest --from 2026-11-01 --to 2026-11-30 --by 'Trần Thị Bình, Giám đốc' --document"
    " '20/XN-TTCĐS, 01/12/2026' --file xac-nhan.pdf"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 a day is ahead, the days are backwards, nothing is there to take back, or the file"
    " cannot be read"
)
MAX_DAYS = 366
"""How many days one paper may speak for: nobody remembers more."""
DRIFT = "change."
"""What the checks are called that compare a host with what was approved."""


def close(
    ctx: typer.Context,
    incident: IdArgument,
    *,
    cause: Annotated[str, typer.Option(metavar="TEXT", help=_("The root cause"))] = "",
    measures: Annotated[
        str, typer.Option(metavar="TEXT", help=_("What was done so that it does not happen again"))
    ] = "",
    lessons: Annotated[str, typer.Option(metavar="TEXT", help=_("What was learnt"))] = "",
    ended: Annotated[
        OptionalText,
        typer.Option(metavar="MOMENT", help=_("When it was over, such as 2026-11-26T10:00; now by default")),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why it is closed though something is open"))] = "",
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    texts = [
        guarded(text, option) if text else ""
        for option, text in (("--cause", cause), ("--measures", measures), ("--lessons", lessons))
    ]
    why_open = guarded(reason, "--reason") if reason else ""
    ended_at, author = past_moment(session, ended, "--ended"), who(session, by)

    def made(known: Incident) -> IncidentClosed:
        if (why := why_no_close(known, ended_at)) is not None:
            raise UsageError(
                why,
                msg("'portalops incident show {id}' shows how it stands, and which record made it so.", id=known.id),
            )
        before = known.facts
        cause, measures, lessons = (
            new or old for new, old in zip(texts, (before.cause, before.measures, before.lessons), strict=False)
        )
        ends = tuple(_open_ends(session, known, cause=cause, lessons=lessons))
        if ends and not why_open:
            raise UsageError(
                msg("{id} has open ends: {ends}", id=known.id, ends=joined([end_words(end) for end in ends[:6]])),
                _next(known, ends[0]),
            )
        return IncidentClosed(known.id, ended_at, cause, measures, lessons, author, ends, why_open)

    def warn(_before: Incident, after: Incident) -> Sequence[Message]:
        closed = after.closed
        return () if closed is None else [msg("open: {end}", end=end_words(end)) for end in closed.body.open_ends]

    return step(session, CLOSED, incident, made, document_in(file), dry_run=dry_run, warn=warn)


def _open_ends(session: Session, known: Incident, *, cause: str, lessons: str) -> Sequence[str]:
    """Return what is missing or undone, coded as its record holds it."""
    facts, zone = known.facts, session.zone_of_portal
    ends = [name for name, said in (("cause", cause), ("lessons", lessons)) if not said]
    now, numbers = session.clock.now(), session.rulebook.numbers
    ends += [
        f"{report.value}-report"
        for report in ReportKind
        if known.standing(report, numbers, now).timeliness in {Timeliness.DUE, Timeliness.OVERDUE}
    ]
    credentials, changes = credentials_of(session), changes_of(session)
    for name in facts.credentials:
        held = credentials.credentials.get(name)
        if held is None or name in credentials.unreadable or is_undone(held, facts, zone):
            ends.append(f"credential:{name}")
    for name in facts.changes:
        change = changes.changes.get(name)
        if change is None or change.state is not ChangeState.CLOSED:
            ends.append(f"change:{name}")
    try:
        findings = read_findings(session.ledger)
    except LedgerMissing:
        return ends
    ends += [
        f"finding:{each.id}"
        for each in findings.findings
        if each.is_open and (each.id in facts.findings or (each.host in facts.hosts and each.check.startswith(DRIFT)))
    ]
    if known.lost or (findings.unreadable and (facts.hosts or facts.findings)):
        ends.append("unread")
    return ends


def _next(known: Incident, end: str) -> Message:
    """Return what to do about an open end."""
    what, _colon, name = end.partition(":")
    match what:
        case "unread" if known.lost:
            return SAY_ANEW
        case "cause" | "lessons":
            return msg("Give --cause and --lessons; or --reason, if it is closed without them.")
        case "first-report" | "full-report":
            return msg(
                "'portalops incident letter {id} --report full' drafts it, 'portalops incident report {id} --kind full' records"
                " that it was sent; --reason closes it without.",
                id=known.id,
            )
        case "credential":
            return msg(
                "Change it and record that by 'portalops credential rotate {name}', or 'credential return'; --reason closes"
                " the incident all the same.",
                name=name,
            )
        case "change":
            return msg(
                "'portalops change close {name}' closes it; --reason closes the incident all the same.", name=name
            )
        case "finding":
            return msg(
                "Put it right on {host}, and let a whole 'portalops check run' see it; --reason closes the incident all the same.",
                host=name.partition(":")[0],
            )
        case _:
            return msg("'portalops ledger verify' tells what is wrong; --reason closes the incident all the same.")


def reopen(ctx: typer.Context, incident: IdArgument, *, reason: Reason, by: By = "", dry_run: DryRun = False) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    why, author = guarded(reason, "--reason"), who(session, by)

    def made(known: Incident) -> IncidentReopened:
        if known.is_open and known.is_state_known:
            raise UsageError(
                msg("{id} is open (record {seq})", id=known.id, seq=known.state_seq),
                msg("'portalops incident note {id}' adds to it.", id=known.id),
            )
        return IncidentReopened(known.id, why, author)

    return step(session, REOPENED, incident, made, None, dry_run=dry_run)


def attest(
    ctx: typer.Context,
    *,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help=_("The first day, such as 2026-11-01"))],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help=_("The last day; today at the latest"))],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who attests it: a person, and their office"))],
    document: Annotated[str, typer.Option(metavar="TEXT", help=_("Number and date of the paper"))] = "",
    file: DocumentFile = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help=_("Take back what was attested of exactly these days; --reason says why"))
    ] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why it is taken back"))] = "",
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    begin, end = past_day(session, first, "--from"), past_day(session, last, "--to")
    _require_days(begin, end)
    why = guarded(reason, "--reason") if reason or withdraw else ""
    said = IncidentsAttested(
        begin, end, guarded(by, "--by"), guarded(document, "--document") if document else "", why, withdraw
    )

    def made(register: IncidentRegister) -> IncidentsAttested:
        if withdraw and not any((one.body.first, one.body.last) == (begin, end) for one in register.attested):
            raise UsageError(
                msg("nobody attested the days from {first} to {last}", first=begin, last=end),
                msg("'portalops incident list --attested' lists which days were attested."),
            )
        return said

    _body, before, after, seq = record(session, ATTESTED, made, document_in(file), dry_run=dry_run)
    known = next((one for one in reversed(after.attested) if one.body == said), None)
    evidence = known.evidence if known and not dry_run else ()
    rows: list[tuple[Message, Cell]] = [
        (msg("From"), begin),
        (msg("To"), end),
        (msg("Confirmed by"), said.by),
        (msg("Document"), said.document or None),
        (msg("Digest of the document"), ", ".join(evidence) or None),
        (msg("Taken back"), why if withdraw else None),
        (msg("Recorded in"), msg("record {seq}", seq=seq) if seq else msg("nothing: this was a dry run")),
    ]
    data: JsonValue = {
        "id": f"{begin}/{end}",
        "by": said.by,
        "document": said.document or None,
        "withdrawn": withdraw,
        "evidence": list(evidence),
        "record": seq or None,
        "recorded": bool(seq),
    }
    return Result(data, [KeyValues(rows)], _remarks(session, before, said, has_file=file is not None or bool(evidence)))


def _require_days(begin: date, end: date) -> None:
    if end < begin:
        raise UsageError(
            msg("the days end on {last}, before they begin on {first}", first=begin, last=end),
            msg("Give the first day by --from and the last by --to."),
        )
    if (end - begin).days >= MAX_DAYS:
        raise UsageError(
            msg("more than {n} days are attested at once", n=MAX_DAYS),
            msg("Attest each month or each quarter, while somebody remembers it."),
        )


def _remarks(session: Session, register: IncidentRegister, said: IncidentsAttested, *, has_file: bool) -> list[Message]:
    if said.withdrawn:
        return []
    found: list[Message] = []
    if said.last >= past_day(session, None, "--to"):
        found.append(
            msg("{day} is not over: it counts as attested only once somebody attests it afterwards", day=said.last)
        )
    if not has_file:
        found.append(
            msg(
                "the paper itself is not kept: until the same is recorded with --file, the duty {duty} is unknown",
                duty="12.5-incidents",
            )
        )
    if lost := register.every_lost():
        found.append(unread_told(lost))
    return found
