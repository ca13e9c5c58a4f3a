"""List the incidents: the state of each, and whether it was reported in time

Closed incidents are listed with --all. --attested lists the attested days instead.

Example: portalops incident list --host web1

EXIT STATUS: 0 each was reported in time or has time left, 1 a report is late or missing, or one was closed with open
ends, 2 there is no such host, 3 a paper is not kept, a report was recorded late, or a record cannot be read
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.incident.steps import OptionalText, register_of
from commands.incident.views import AttestedDays, IncidentShape, code_of, incident_data, unread
from commands.jobs.credentials import refuse_extra
from commands.jobs.servers import known_host
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.incidents import ReportKind
from portalops.model.message import Message, msg, nmsg
from portalops.registers.incidents import IncidentRegister, first_day_not_over
from portalops.reports.document import Block, Cell, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_incidents import KIND_WORDS, report_status, state_status
from portalops.reports.words import severity_status

SHOWN_LETTERS = 60


@shape
class AttestationShape(AttestedDays):
    """Attested days, and whether the attestation still holds."""

    at: datetime
    """When it was recorded."""
    against: tuple[str, ...]
    """The incidents of these days that were recorded later."""


def list_(
    ctx: typer.Context,
    *,
    host: Annotated[OptionalText, typer.Option("--host", metavar="ID", help=_("Only of this host"))] = None,
    every: Annotated[bool, typer.Option("--all", help=_("Also closed incidents"))] = False,
    attested: Annotated[bool, typer.Option("--attested", help=_("List the attested days instead"))] = False,
) -> Result[tuple[IncidentShape, ...] | tuple[AttestationShape, ...]]:
    refuse_extra(ctx)
    session = open_session(ctx)
    register = register_of(session)
    if attested:
        return _attested(session, register)
    numbers, now = session.rulebook.numbers, session.clock.now()
    chosen = (
        tuple(register.incidents.values())
        if host is None
        else register.find_by_host(known_host(session.settings.hosts, host).id)
    )
    shown = [each for each in chosen if every or each.is_open]
    headers = (
        msg("Incident"), msg("State"), msg("Severity"), msg("Kind"), msg("What happened"), msg("Noticed"), msg("Responsible"),
        msg("First report"), msg("Full report"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            each.id,
            state_status(each),
            severity_status(each.facts.severity),
            KIND_WORDS[each.facts.kind],
            each.facts.what[:SHOWN_LETTERS],
            each.facts.detected_at,
            ", ".join(each.facts.holders) or None,
            report_status(each.standing(ReportKind.FIRST, numbers, now)),
            report_status(each.standing(ReportKind.FULL, numbers, now)),
        )
        for each in shown
    ]
    view: list[Block] = [TableBlock(nmsg("{n} incident", "{n} incidents", len(rows)), headers, rows)]
    if not register.is_begun:
        view = [
            Paragraph(
                msg(
                    "The register is empty: 'portalops incident open' records an incident, 'incident attest' that"
                    " there was none"
                )
            )
        ]
    lost = register.every_lost()
    if lost:
        view.append(unread(lost))
    warnings: list[Message] = []
    wrong = [
        each for each in chosen if each not in shown and code_of(session, [each], is_whole=True) is not ExitCode.OK
    ]
    if wrong:  # the exit status is theirs too
        warnings.append(
            nmsg(
                "{n} closed incident is out of order: --all lists it",
                "{n} closed incidents are out of order: --all lists them",
                len(wrong),
            )
        )
    data = tuple(incident_data(session, each) for each in shown)
    return Result(data, view, warnings, exit_code=code_of(session, chosen, is_whole=not lost))


def _attested(session: Session, register: IncidentRegister) -> Result[tuple[AttestationShape, ...]]:
    rows: list[tuple[Cell, ...]] = []
    data: list[AttestationShape] = []
    for step in register.attested:
        against = [each.id for each in register.find_contradicting(step, session.zone_of_portal)]
        state = Status(msg("valid"), Tone.GOOD)
        if against:
            state = Status(msg("void, since incidents were recorded later: {ids}", ids=", ".join(against)), Tone.BAD)
        elif not step.evidence:
            state = Status(msg("the paper is not kept"), Tone.UNSURE)
        elif (early := first_day_not_over(step, session.zone_of_portal)) is not None:
            state = Status(msg("{day} was not over when it was confirmed", day=early), Tone.UNSURE)
        body = step.body
        rows.append(
            (body.first, body.last, body.by, body.document or None, ", ".join(step.evidence) or None, step.seq, state)
        )
        data.append(
            AttestationShape(
                id=f"{body.first}/{body.last}",
                by=body.by,
                document=body.document or None,
                evidence=step.evidence,
                record=step.seq,
                at=step.at,
                against=tuple(against),
            )
        )
    headers = (msg("From"), msg("To"), msg("Who attests"), msg("Document"), msg("SHA-256"), msg("Record"), msg("State"))
    caption = msg("Days for which a person attests that every incident is in the register")
    lost = register.every_lost()
    view: list[Block] = [TableBlock(caption, headers, rows)]
    if lost:
        view.append(unread(lost))
    return Result(tuple(data), view, exit_code=ExitCode.PARTIAL if lost else ExitCode.OK)


VERB = Verb(list_, is_strict=True)
