"""`portalops incident note` and `report`: what was found and done, and who was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from commands._credentials import refuse_extra, refuse_secret
from commands._incidents import By, IdArgument, OptionalText, guarded, step, who
from commands._registers import DocumentFile, DryRun, document_in, past_moment
from commands._result import Result
from commands._session import Session, open_session
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.incidents import IncidentNote, IncidentReport, ReportKind, Timeliness
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.incidents import NOTED, REPORTED, Incident

HELP_NOTE = _(
    "Record what was found out or done about an incident\n\nA note has 1,000 characters at most; what is longer goes into a file,"
    " kept by its digest. No secret is taken: what looks like one is refused and not repeated."
    "\n\nExample: portalops incident note IN-2026-001 --text 'đã gỡ khóa cũ khỏi web1' --at 2026-11-26T08:15"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such incident, it is closed, the time is ahead, or the text is too long or"
    " looks like a secret"
)
HELP_REPORT = _(
    "Record that a report on an incident was sent\n\nWhat counts is when this is recorded, and not the day on the paper: record it"
    " within the time limit, with the paper by --file. Recording the same once more with --file adds the paper. A full report"
    " that is early enough is the first one as well. 'incident letter' drafts both."
    "\n\nExample: portalops incident report IN-2026-001 --kind first --to 'Sở KH&CN' --document '15/BC-TTCĐS, 26/11/2026' --how"
    " 'văn bản điện tử' --file bao-cao.pdf"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such incident, the time is ahead or before it was noticed, or the file"
    " cannot be read"
)


def note(
    ctx: typer.Context,
    incident: IdArgument,
    *,
    text: Annotated[str, typer.Option(metavar="TEXT", help=_("What was found out or done"))],
    at: Annotated[
        OptionalText, typer.Option("--at", metavar="MOMENT", help=_("When, such as 2026-11-26T08:15; now by default"))
    ] = None,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    said, author, moment = guarded(text, "--text"), who(session, by), past_moment(session, at, "--at")

    def made(known: Incident) -> IncidentNote:
        if (closed := known.closed) is not None:
            raise UsageError(
                msg("{id} is closed (record {seq})", id=known.id, seq=closed.seq),
                msg(
                    "If there is more to say: 'portalops incident reopen {id} --reason', and then this note.",
                    id=known.id,
                ),
            )
        return IncidentNote(known.id, moment, said, author)

    return step(session, NOTED, incident, made, document_in(file), dry_run=dry_run)


def report(
    ctx: typer.Context,
    incident: IdArgument,
    *,
    kind: Annotated[str, typer.Option("--kind", metavar="first|full", help=_("first or full"))],
    to: Annotated[str, typer.Option("--to", metavar="NAME", help=_("To whom"))],
    document: Annotated[str, typer.Option(metavar="TEXT", help=_("Number and date of the report"))],
    how: Annotated[str, typer.Option(metavar="TEXT", help=_("By which way it was sent"))],
    sent: Annotated[
        OptionalText,
        typer.Option(metavar="MOMENT", help=_("When it was sent, such as 2026-11-26T09:00; now by default")),
    ] = None,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    which = report_kind(kind, "--kind")
    addressee, paper, way = guarded(to, "--to"), guarded(document, "--document"), guarded(how, "--how")
    sent_at, author = past_moment(session, sent, "--sent"), who(session, by)

    def made(known: Incident) -> IncidentReport:
        noticed = known.facts.detected_at
        if sent_at < noticed:
            raise UsageError(
                msg("{id} was noticed at {noticed}, after {sent}", id=known.id, noticed=noticed, sent=sent_at),
                msg(
                    "Nobody reports what was not noticed: see whether --sent is wrong, or correct when it was noticed."
                ),
            )
        return IncidentReport(known.id, which, addressee, sent_at, paper, way, author)

    def warn(_before: Incident, after: Incident) -> Sequence[Message]:
        return _remarks(session, after, which, has_file=file is not None)

    return step(session, REPORTED, incident, made, document_in(file), dry_run=dry_run, warn=warn)


def report_kind(text: str, option: str) -> ReportKind:
    """Return which report is meant.

    Raises:
        UsageError: it is neither.
    """
    try:
        return ReportKind(text)
    except ValueError as error:
        refuse_secret(text[:200], option)
        raise UsageError(
            msg("{option}: {text} is none of its words", option=option, text=show_text(text, 40)),
            msg("Choose one of: {names}.", names=", ".join(ReportKind)),
        ) from error


def _remarks(session: Session, incident: Incident, which: ReportKind, *, has_file: bool) -> Sequence[Message]:
    standing = incident.standing(which, session.rulebook.numbers, session.clock.now())
    sent, due = standing.sent, standing.due_at
    if sent is None:
        return ()
    if standing.timeliness is Timeliness.LATE:
        return (msg("it was sent at {sent}, and was due by {due}: it counts as late", sent=sent.sent_at, due=due),)
    if standing.timeliness is not Timeliness.UNPROVEN:
        return ()
    if not sent.is_kept and not has_file:
        return (
            msg(
                "the paper itself is not kept: until the same is recorded with --sent {sent} and --file, the duty {duty} is unknown",
                sent=sent.sent_at.isoformat(timespec="milliseconds"),
                duty="12.5-incidents",
            ),
        )
    if sent.recorded_at > due:
        return (
            msg(
                "it is recorded at {recorded}, after {due}: no record shows that it was sent in time",
                recorded=sent.recorded_at, due=due,
            ),
        )  # fmt: skip
    return ()
