"""Record that a unit or the portal is exempt from updates on some days

An exemption needs a document and an approver. Without --unit it exempts the portal's own daily update. --withdraw ID
ends an exemption today.

Example: portalops updates exempt --unit so-y-te --from 2026-11-16 --to 2026-11-20 --kind fault --document
'15/QĐ-SKHCN, 12/11/2026' --approver 'Giám đốc Sở Khoa học và Công nghệ' --file quyet-dinh.pdf

EXIT STATUS: 0 recorded or shown, 2 no such unit, or a day, document or approver is missing
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Optional

import typer

from commands.cli.entries import (
    DocumentFile,
    DryRun,
    Reason,
    caller_of,
    document_in,
    known_unit,
    next_id,
    past_day,
    unit_name,
    written_text,
)
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.updates.steps import WithdrawnEntry, exemption_remarks
from commands.updates.views import ShownExemption, exemption_data
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionScope, ExemptionWithdrawal
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text
from portalops.registers.exemptions import (
    EXEMPTION,
    EXEMPTION_KINDS,
    GRANTED,
    WITHDRAWAL,
    WITHDRAWN,
    RecordedExemption,
    read_exemptions,
)
from portalops.reports.document import Block, Cell, KeyValues, Paragraph
from portalops.reports.words import EXEMPTION_KINDS as KIND_WORDS

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time


def exempt(
    ctx: typer.Context,
    *,
    unit: Annotated[
        OptionalText, typer.Option("--unit", help=_("The exempt unit, by its id; without it the portal"))
    ] = None,
    first: Annotated[OptionalText, typer.Option("--from", metavar="DAY", help=_("The first day"))] = None,
    last: Annotated[OptionalText, typer.Option("--to", metavar="DAY", help=_("The last day"))] = None,
    kind: Annotated[
        OptionalText,
        typer.Option(
            "--kind",
            metavar="KIND",
            help=_("fault, disaster, migration, no-subportal-yet, secrecy or maintenance"),
            autocompletion=lambda: tuple(ExemptionKind),
        ),
    ] = None,
    duty: Annotated[
        OptionalText,
        typer.Option("--duty", metavar="subportal|submission", help=_("subportal or submission; by default both")),
    ] = None,
    document: Annotated[
        str, typer.Option("--document", metavar="TEXT", help=_("Number and date of the decision"))
    ] = "",
    approver: Annotated[str, typer.Option("--approver", metavar="NAME", help=_("Who decided"))] = "",
    announced: Annotated[
        OptionalText,
        typer.Option("--announced", metavar="DAY", help=_("For maintenance: the day of its public announcement")),
    ] = None,
    reason: Reason = "",
    file: DocumentFile = None,
    withdraw: Annotated[
        OptionalText, typer.Option("--withdraw", metavar="ID", help=_("End this exemption today instead"))
    ] = None,
    dry_run: DryRun = False,
) -> Result[ShownExemption | WithdrawnEntry]:
    session = open_session(ctx)
    by = written_text(approver, "--approver") if approver else caller_of(session) if withdraw else ""
    why = written_text(reason, "--reason") if reason else ""
    if withdraw is not None:
        return _withdrawn(session, withdraw, by, why, dry_run=dry_run)
    days = _span(first, last)
    of = _kind(kind)
    texts = {"--document": document, "--approver": by}
    for option, text in texts.items():
        written_text(text, option)
    scopes = _scopes(session, unit, duty)
    told = past_day(session, announced, "--announced") if announced is not None else None
    data = document_in(file)
    whose = UnitId(unit) if unit is not None else None

    def made(number: str) -> Exemption:
        decision = written_text(document, "--document")
        return Exemption(number, whose, scopes, of, *days, decision, by, why, announced_on=told)

    if dry_run:
        return _shown(
            session, RecordedExemption(0, session.clock.now(), made(next_id(session, "EX", EXEMPTION_KINDS))), None
        )
    ledger = session.writable_ledger
    kept: list[Exemption] = []

    def decide() -> Sequence[Draft]:
        evidence = () if data is None else (ledger.keep(data),)
        exemption = replace(made(next_id(session, "EX", EXEMPTION_KINDS)), file=evidence[0] if evidence else None)
        kept[:] = [exemption]
        parts = {"circumstances": session.circumstances, EXEMPTION: exemption, "evidence": evidence}
        body = ledger.keep(bodies.write(parts))
        return [ledger.draft(GRANTED, subject=exemption.id, duty="11.3-handling", body=body)]

    (record,) = ledger.append_decided(decide)
    return _shown(session, RecordedExemption(record.seq, record.at, kept[0]), record.seq)


def _withdrawn(
    session: Session, name: str, by: str, why: str, *, dry_run: bool
) -> Result[ShownExemption | WithdrawnEntry]:
    ledger = session.ledger if dry_run else session.writable_ledger

    def known() -> RecordedExemption:
        for each in read_exemptions(ledger).exemptions:
            if each.exemption.id == name and each.withdrawn_at is None:
                return each
        raise UsageError(
            msg("no exemption {id} is in force", id=show_text(name, 40)),
            msg("Run 'portalops updates exemptions' to see the exemptions."),
        )

    if dry_run:
        return _shown(session, known(), None)

    def decide() -> Sequence[Draft]:
        known()
        parts = {"circumstances": session.circumstances, WITHDRAWAL: ExemptionWithdrawal(name, why, by)}
        body = session.writable_ledger.keep(bodies.write(parts))
        return [session.writable_ledger.draft(WITHDRAWN, subject=name, duty="11.3-handling", body=body)]

    (record,) = session.writable_ledger.append_decided(decide)
    said = msg("exemption {id} ended today, by record {seq}", id=name, seq=record.seq)
    return Result(WithdrawnEntry(name, record.seq), [Paragraph(said)])


def _shown(session: Session, each: RecordedExemption, seq: int | None) -> Result[ShownExemption | WithdrawnEntry]:
    one = each.exemption
    rows: list[tuple[Message, Cell]] = [
        (msg("Exemption"), one.id),
        (msg("Unit"), unit_name(session, one.unit)),
        (msg("Kind"), KIND_WORDS[one.kind]),
        (msg("From"), one.first),
        (msg("To"), one.last),
        (msg("Document"), one.document),
        (msg("Approved by"), one.approver),
        (msg("Recorded in"), msg("record {seq}", seq=seq) if seq else msg("nothing: only shown")),
    ]
    remarks: list[Block] = [Paragraph(remark) for remark in exemption_remarks(session, each)]
    return Result(exemption_data(each, session, seq), [KeyValues(rows), *remarks])


def _span(first: str | None, last: str | None) -> tuple[date, date]:
    found = []
    for option, text in (("--from", first), ("--to", last)):
        if text is None:
            raise UsageError(
                msg("{parameter} is missing", parameter=option),
                msg("Give the first day with --from and the last with --to, such as 2026-11-20."),
            )
        try:
            found.append(date.fromisoformat(text))
        except ValueError as error:
            raise UsageError(
                msg("{option}: {text} is no day", option=option, text=show_text(text, 40)),
                msg("Give the first day with --from and the last with --to, such as 2026-11-20."),
            ) from error
    if found[1] < found[0]:
        raise UsageError(
            msg("the last day, {last}, is before the first day, {first}", first=found[0], last=found[1]),
            msg("Give the first day with --from and the last with --to, such as 2026-11-20."),
        )
    return found[0], found[1]


def _kind(text: str | None) -> ExemptionKind:
    hint = msg("Give one of {kinds}.", kinds=", ".join(kind.value for kind in ExemptionKind))
    if text is None:
        raise UsageError(msg("{parameter} is missing", parameter="--kind"), hint)
    try:
        return ExemptionKind(text)
    except ValueError as error:
        raise UsageError(msg("--kind: {text} is not a kind of exemption", text=show_text(text, 40)), hint) from error


def _scopes(session: Session, unit: str | None, duty: str | None) -> tuple[ExemptionScope, ...]:
    if unit is None:
        if duty is not None:
            raise UsageError(
                msg("--duty is given without --unit"), msg("Name the unit with --unit, or leave --duty out.")
            )
        return (ExemptionScope.PORTAL,)
    known_unit(session, unit)
    both = (ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION)
    if duty is None:
        return both
    if duty not in both:
        raise UsageError(
            msg("--duty: {text} is neither subportal nor submission", text=show_text(duty, 40)),
            msg("Give one of the two, or leave it out for both."),
        )
    return (ExemptionScope(duty),)


VERB = Verb(exempt)
