"""Close an incident

Needed are its cause, the lessons and the full report. Every credential tied to it must be changed or returned since
it was noticed, and its changes closed. No finding tied to it and no drift of its hosts may be open. With --reason it
is closed all the same: what is open is recorded and shown, and the duty is unmet.

Example: portalops incident close IN-2026-001 --ended 2026-11-26T10:00 --cause 'máy tính cá nhân không mã hóa'
--measures 'mã hóa ổ đĩa, khóa trên token' --lessons 'không để khóa quản trị trên máy cá nhân'

EXIT STATUS: 0 recorded or shown, 2 there is no such incident, it is closed, something is open, or a time is ahead or
before it began
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from commands.cli.entries import DocumentFile, DryRun, document_in, past_moment
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.incident.steps import By, IdArgument, OptionalText, find_actor, guarded, step
from commands.incident.views import SAY_ANEW, RecordedIncident
from commands.jobs.credentials import refuse_extra
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.changes import ChangeState
from portalops.model.incidents import IncidentClosed, ReportKind, ReportTimeliness
from portalops.model.message import Message, msg
from portalops.registers.changes import read_changes
from portalops.registers.credentials import read_credentials
from portalops.registers.findings import read_findings
from portalops.registers.incidents import CLOSED, Incident, end_words, is_undone, refuse_close
from portalops.reports.words import joined

DRIFT = "change."
"""What the checks are called that compare a host with what was approved."""


def close(
    ctx: typer.Context,
    incident: IdArgument,
    *,
    cause: Annotated[str, typer.Option(metavar="TEXT", help=_("The root cause"))] = "",
    measures: Annotated[
        str, typer.Option(metavar="TEXT", help=_("What was done to prevent it from happening again"))
    ] = "",
    lessons: Annotated[str, typer.Option(metavar="TEXT", help=_("What was learnt"))] = "",
    ended: Annotated[
        OptionalText,
        typer.Option(metavar="MOMENT", help=_("When it was over, such as 2026-11-26T10:00; now by default")),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why it is closed with open ends"))] = "",
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[RecordedIncident]:
    refuse_extra(ctx)
    session = open_session(ctx)
    texts = [
        guarded(text, option) if text else ""
        for option, text in (("--cause", cause), ("--measures", measures), ("--lessons", lessons))
    ]
    why_open = guarded(reason, "--reason") if reason else ""
    ended_at, author = past_moment(session, ended, "--ended"), find_actor(session, by)

    def made(known: Incident) -> IncidentClosed:
        if (why := refuse_close(known, ended_at)) is not None:
            raise UsageError(
                why,
                msg("'portalops incident show {id}' shows its state and the record behind it.", id=known.id),
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
        if known.standing(report, numbers, now).timeliness in {ReportTimeliness.DUE, ReportTimeliness.OVERDUE}
    ]
    credentials, changes = read_credentials(session.reader), read_changes(session.reader)
    for name in facts.credentials:
        held = credentials.credentials.get(name)
        if held is None or name in credentials.unreadable or is_undone(held, facts, zone):
            ends.append(f"credential:{name}")
    for name in facts.changes:
        change = changes.changes.get(name)
        if change is None or change.state is not ChangeState.CLOSED:
            ends.append(f"change:{name}")
    findings = read_findings(session.reader)
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
            return msg("Give --cause and --lessons, or close it without them by --reason.")
        case "first-report" | "full-report":
            return msg(
                "Draft it by 'portalops incident letter {id} --report full', and record it by 'portalops incident"
                " report {id} --kind full'; --reason closes the incident without it.",
                id=known.id,
            )
        case "credential":
            return msg(
                "Change it and record that by 'portalops credential rotate {name}' or 'credential return'; --reason"
                " closes the incident all the same.",
                name=name,
            )
        case "change":
            return msg(
                "Close it by 'portalops change close {name}'; --reason closes the incident all the same.", name=name
            )
        case "finding":
            return msg(
                "Fix it on {host} and run a whole 'portalops check run'; --reason closes the incident all the same.",
                host=name.partition(":")[0],
            )
        case _:
            return msg("'portalops ledger verify' shows what is wrong; --reason closes the incident all the same.")


VERB = Verb(close, is_strict=True)
