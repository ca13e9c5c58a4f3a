"""Record that a named person attests for some days: every incident that they know of is in the register

An empty register proves nothing. So the duty is met only if each day of a period is attested by a signed paper that
is kept (--file). An incident of these days that is recorded later voids the attestation; --withdraw withdraws it. A
day counts once it is over.

Example: portalops incident attest --from 2026-11-01 --to 2026-11-30 --by 'Trần Thị Bình, Giám đốc' --document
'20/XN-TTCĐS, 01/12/2026' --file xac-nhan.pdf

EXIT STATUS: 0 recorded or shown, 2 a day is ahead, the days are backwards, there is nothing to withdraw, or the file
cannot be read
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from commands.cli.entries import DocumentFile, DryRun, document_in, past_day
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.incident.steps import guarded, record
from commands.incident.views import AttestedDays, describe_unread
from commands.jobs.credentials import refuse_extra
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.incidents import IncidentsAttested
from portalops.model.message import Message, msg
from portalops.registers.incidents import ATTESTED, IncidentRegister
from portalops.reports.document import Cell, KeyValues

MAX_DAYS = 366
"""How many days one paper may speak for: nobody remembers more."""


@shape
class RecordedAttestation(AttestedDays):
    """What was attested, or withdrawn."""

    withdrawn: bool
    recorded: bool
    """False of a dry run."""


def attest(
    ctx: typer.Context,
    *,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help=_("The first day, such as 2026-11-01"))],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help=_("The last day; today at the latest"))],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who attests it: a person, and their office"))],
    document: Annotated[str, typer.Option(metavar="TEXT", help=_("Number and date of the paper"))] = "",
    file: DocumentFile = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help=_("Withdraw the attestation of exactly these days; --reason says why"))
    ] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why it is withdrawn"))] = "",
    dry_run: DryRun = False,
) -> Result[RecordedAttestation]:
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
                msg("no attestation covers exactly the days from {first} to {last}", first=begin, last=end),
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
        (msg("Withdrawn"), why if withdraw else None),
        (msg("Recorded in"), msg("record {seq}", seq=seq) if seq else msg("nothing: this was a dry run")),
    ]
    data = RecordedAttestation(
        id=f"{begin}/{end}",
        by=said.by,
        document=said.document or None,
        evidence=evidence,
        record=seq or None,
        withdrawn=withdraw,
        recorded=bool(seq),
    )
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
            msg("Attest each month or each quarter, while people remember it."),
        )


def _remarks(session: Session, register: IncidentRegister, said: IncidentsAttested, *, has_file: bool) -> list[Message]:
    if said.withdrawn:
        return []
    found: list[Message] = []
    if said.last >= past_day(session, None, "--to"):
        found.append(msg("{day} is not over: attest it again afterwards, or it does not count", day=said.last))
    if not has_file:
        found.append(
            msg(
                "the paper itself is not kept: the duty {duty} is unknown until the same is recorded with --file",
                duty="12.5-incidents",
            )
        )
    if lost := register.every_lost():
        found.append(describe_unread(lost))
    return found


VERB = Verb(attest, is_strict=True)
