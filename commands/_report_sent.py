"""`portalops report sent`: records that a report went to the Department or the Committee, and when (Article 11.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Optional

import typer

from commands._periods import period_of
from commands._registers import DocumentFile, DryRun, addressee_of, caller_of, document_in, past_day, written_text
from commands._result import JsonValue, Result
from commands._session import open_session
from portalops.errors import UsageError
from portalops.ledger import bodies
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.organisation import Role
from portalops.model.sent import SentReport
from portalops.registers.sent import KEY, SENT, read_sendings
from portalops.reports.document import Cell, KeyValues
from portalops.reports.words import role_word

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time

HELP = _(
    "Record that a report was sent: to whom, when, under which number\n\nDuty 11.3-reporting rests on this: for each reporting"
    " month a report of updates to the Department and to the Committee, also where nobody fell short."
    "\n\nExample: portalops report sent updates --period 2026-10-15..2026-11-14 --to department --number 15/BC-TTTT --date"
    " 2026-11-17 --file bao-cao.pdf --how E-Office\n\nEXIT STATUS: 0 recorded or shown, 2 it is recorded already, the day is"
    " ahead, or the file cannot be read"
)


def sent(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="REPORT", help=_("What it is about, such as updates"))],
    *,
    period: Annotated[str, typer.Option("--period", help=_("The days that it covers"))],
    to: Annotated[str, typer.Option("--to", metavar="WHOM", help=_("department or committee"))],
    number: Annotated[
        str, typer.Option("--number", metavar="TEXT", help=_("Number and sign of the paper, such as 12/CV-TTTT"))
    ],
    on: Annotated[
        OptionalText, typer.Option("--date", metavar="DAY", help=_("When it was sent; today by default"))
    ] = None,
    how: Annotated[str, typer.Option("--how", metavar="TEXT", help=_("By what way, such as E-Office"))] = "",
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help=_("Who sent it; the account that calls by default"))
    ] = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    addressee = addressee_of(to)
    days = period_of(period, "--period")
    day = past_day(session, on, "--date")
    texts = written_text(name, "REPORT"), written_text(number, "--number")
    way = written_text(how, "--how") if how else ""
    who = written_text(by, "--by") if by else caller_of(session)
    document = document_in(file)
    ledger = session.ledger if dry_run else session.writable_ledger

    def made() -> SentReport:
        found = SentReport(texts[0], days.first, days.last, addressee, day, texts[1], who, way)
        for each in read_sendings(ledger).sendings:
            old = each.sent
            if (old.report, old.first, old.last, old.to, old.number) == (
                found.report, found.first, found.last, found.to, found.number,
            ):  # fmt: skip
                raise UsageError(
                    msg("that report is recorded as sent on {day}, by record {seq}", day=old.sent_on, seq=each.seq),
                    msg("If another was sent, give its own number."),
                )
        return found

    if dry_run:
        return _shown(made(), None)
    kept: list[SentReport] = []

    def decide() -> Sequence[Draft]:
        evidence = () if document is None else (session.writable_ledger.keep(document),)
        kept[:] = [replace(made(), file=evidence[0] if evidence else None)]
        parts = {"circumstances": session.circumstances, KEY: kept[0], "evidence": evidence}
        body = session.writable_ledger.keep(bodies.write(parts))
        return [session.writable_ledger.draft(SENT, subject=texts[0], duty="11.3-reporting", body=body)]

    (record,) = session.writable_ledger.append_decided(decide)
    return _shown(kept[0], record.seq)


def _shown(one: SentReport, seq: int | None) -> Result:
    rows: list[tuple[Message, Cell]] = [
        (msg("Report"), one.report),
        (msg("From"), one.first),
        (msg("To"), one.last),
        (msg("Sent to"), role_word(Role(one.to.value))),
        (msg("Sent on"), one.sent_on),
        (msg("Paper"), one.number),
        (msg("Recorded in"), msg("record {seq}", seq=seq) if seq else msg("nothing: only shown")),
    ]
    data: JsonValue = {
        "id": one.number,
        "report": one.report,
        "period": f"{one.first}..{one.last}",
        "to": one.to.value,
        "sent_on": one.sent_on.isoformat(),
        "record": seq,
    }
    return Result(data, [KeyValues(rows)])
