"""Record that a report on an incident was sent

The time of this record counts, not the day on the paper: record the report within its time limit, with the paper by
--file. Record the same again with --file to add the paper. A full report within the limit of the first counts as the
first too. 'incident letter' drafts both.

Example: portalops incident report IN-2026-001 --kind first --to 'Sở KH&CN' --document '15/BC-TTCĐS, 26/11/2026' --how
'văn bản điện tử' --file bao-cao.pdf

EXIT STATUS: 0 recorded or shown, 2 there is no such incident, the time is ahead or before it was noticed, or the file
cannot be read
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from commands.cli.entries import DocumentFile, DryRun, document_in, past_moment
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.incident.options import report_kind
from commands.incident.steps import By, IdArgument, OptionalText, find_actor, guarded, step
from commands.incident.views import RecordedIncident
from commands.jobs.credentials import refuse_extra
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.incidents import IncidentReport, ReportKind, ReportTimeliness
from portalops.model.message import Message, msg
from portalops.registers.incidents import REPORTED, Incident


def report(
    ctx: typer.Context,
    incident: IdArgument,
    *,
    kind: Annotated[str, typer.Option("--kind", metavar="first|full", help=_("first or full"))],
    to: Annotated[str, typer.Option("--to", metavar="NAME", help=_("To whom"))],
    document: Annotated[str, typer.Option(metavar="TEXT", help=_("Number and date of the report"))],
    how: Annotated[str, typer.Option(metavar="TEXT", help=_("How it was sent"))],
    sent: Annotated[
        OptionalText,
        typer.Option(metavar="MOMENT", help=_("When it was sent, such as 2026-11-26T09:00; now by default")),
    ] = None,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[RecordedIncident]:
    refuse_extra(ctx)
    session = open_session(ctx)
    which = report_kind(kind, "--kind")
    addressee, paper, way = guarded(to, "--to"), guarded(document, "--document"), guarded(how, "--how")
    sent_at, author = past_moment(session, sent, "--sent"), find_actor(session, by)

    def made(known: Incident) -> IncidentReport:
        noticed = known.facts.detected_at
        if sent_at < noticed:
            raise UsageError(
                msg("{id} was noticed at {noticed}, after {sent}", id=known.id, noticed=noticed, sent=sent_at),
                msg("A report cannot precede its incident: check --sent, or correct when the incident was noticed."),
            )
        return IncidentReport(known.id, which, addressee, sent_at, paper, way, author)

    def warn(_before: Incident, after: Incident) -> Sequence[Message]:
        return _remarks(session, after, which, has_file=file is not None)

    return step(session, REPORTED, incident, made, document_in(file), dry_run=dry_run, warn=warn)


def _remarks(session: Session, incident: Incident, which: ReportKind, *, has_file: bool) -> Sequence[Message]:
    standing = incident.standing(which, session.rulebook.numbers, session.clock.now())
    sent, due = standing.sent, standing.due_at
    if sent is None:
        return ()
    if standing.timeliness is ReportTimeliness.LATE:
        return (
            msg(
                "the report was sent at {sent}, after {due}, when it was due: it counts as late",
                sent=sent.sent_at,
                due=due,
            ),
        )
    if standing.timeliness is not ReportTimeliness.UNPROVEN:
        return ()
    if not sent.is_kept and not has_file:
        return (
            msg(
                "the paper itself is not kept: the duty {duty} is unknown until the same is recorded with --sent"
                " {sent} and --file",
                sent=sent.sent_at.isoformat(timespec="milliseconds"),
                duty="12.5-incidents",
            ),
        )
    if sent.recorded_at > due:
        return (
            msg(
                "the report is recorded at {recorded}, after {due}: no record shows that it was sent in time",
                recorded=sent.recorded_at, due=due,
            ),
        )  # fmt: skip
    return ()


VERB = Verb(report, is_strict=True)
