"""Record that a report was sent: to whom, when, under which number

Duty 11.3-reporting rests on this: for each reporting month a report of updates to the Department and to the
Committee, also where nobody fell short.

Example: portalops report sent updates --period 2026-10-15..2026-11-14 --to department --number 15/BC-TTTT --date
2026-11-17 --file bao-cao.pdf --how E-Office

Without --file the duty is unknown: a number that is typed shows nobody that a paper went out. Recording the same
report again with --file adds it.

EXIT STATUS: 0 recorded or shown, 2 no such report, it is recorded already, the day is ahead or lies before the
period's last, or the file cannot be read
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Optional

import typer

from commands.cli.entries import DocumentFile, DryRun, addressee_of, caller_of, document_in, past_day, written_text
from commands.cli.periods import period_of
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.cases import REPORTING
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.organisation import OfficeRole
from portalops.model.period import Period
from portalops.model.reporting import reporting_month, reporting_months
from portalops.model.sent import Addressee, SentReport
from portalops.model.text import show_text
from portalops.registers.sent import KEY, SENT, read_sendings
from portalops.reports.document import Cell, KeyValues
from portalops.reports.named import report_names
from portalops.reports.words import role_word

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
UPDATES = "updates"
"""The report that 'portalops updates report' drafts."""


@shape
class SentPaper:
    """A report that was sent, as it is recorded."""

    id: str
    """Number and sign of the paper."""
    report: str
    period: str
    """First and last day, joined by two dots."""
    to: Addressee
    sent_on: date
    file: str | None
    """SHA-256 of the paper; null where it is not kept."""
    record: int | None
    """Null where nothing was recorded: --dry-run."""


def sent(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="REPORT", help=_("What it is about, such as updates"))],
    *,
    period: Annotated[str, typer.Option("--period", help=_("The days that it covers"))],
    to: Annotated[str, typer.Option("--to", metavar="department|committee", help=_("department or committee"))],
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
) -> Result[SentPaper]:
    session = open_session(ctx)
    report, addressee = _report(name), addressee_of(to)
    days = period_of(period, "--period")
    day = _sent_on(session, on, days)
    own = written_text(number, "--number")
    way = written_text(how, "--how") if how else ""
    who = written_text(by, "--by") if by else caller_of(session)
    document = document_in(file)
    ledger = session.ledger if dry_run else session.writable_ledger

    def made() -> SentReport:
        found = SentReport(report, days.first, days.last, addressee, day, own, who, way)
        same = [each for each in read_sendings(ledger).sendings if _names(each.sent) == _names(found)]
        if not same:
            return found
        first = same[0]
        if document is None or any(each.sent.file for each in same):
            raise UsageError(
                msg("that report is recorded as sent on {day}, by record {seq}", day=first.sent.sent_on, seq=first.seq),
                msg("If another was sent, give its own number.")
                if any(each.sent.file for each in same)
                else msg("Give the paper itself by --file to add it; if another was sent, give its own number."),
            )
        if on is not None and day != first.sent.sent_on:
            raise UsageError(
                msg("that report is recorded as sent on {day}, by record {seq}", day=first.sent.sent_on, seq=first.seq),
                msg("Leave --date out to add the paper; if another was sent, give its own number."),
            )
        return first.sent  # the paper is added; the rest stands as it was recorded

    doubts = tuple(_doubts(session, report, days, has_file=document is not None))
    if dry_run:
        return _shown(made(), None, doubts)
    kept: list[SentReport] = []

    def decide() -> Sequence[Draft]:
        found = made()  # what is refused leaves no paper behind
        evidence = () if document is None else (session.writable_ledger.keep(document),)
        kept[:] = [replace(found, file=evidence[0] if evidence else None)]
        parts = {"circumstances": session.circumstances, KEY: kept[0], "evidence": evidence}
        body = session.writable_ledger.keep(bodies.write(parts))
        return [session.writable_ledger.draft(SENT, subject=report, duty=REPORTING, body=body)]

    (record,) = session.writable_ledger.append_decided(decide)
    return _shown(kept[0], record.seq, doubts)


def _names(one: SentReport) -> tuple[object, ...]:
    """Return what identifies a report."""
    return one.report, one.first, one.last, one.to, one.number


def _report(text: str) -> str:
    known = {*report_names(), UPDATES}
    if text not in known:
        raise UsageError(
            msg("there is no report {name}", name=show_text(text, 40)),
            msg("Choose one of: {names}.", names=", ".join(sorted(known))),
        )
    return text


def _sent_on(session: Session, text: str | None, days: Period) -> date:
    """Return the day on which it was sent.

    Raises:
        UsageError: it is no day, is ahead, or the period was not over: a report that is sent then is not about all of it.
    """
    day = past_day(session, text, "--date")
    if day < days.last:
        raise UsageError(
            msg("a report of {day} cannot be about a period that ends on {last}", day=day, last=days.last),
            msg("Give the days that the paper covers by --period, or the day on which it was sent by --date."),
        )
    return day


def _doubts(session: Session, report: str, days: Period, *, has_file: bool) -> Iterator[Message]:
    """Say why what is recorded shows no duty met, though it may be recorded."""
    if report != UPDATES:
        return
    if not has_file:
        yield msg("the paper itself is not kept: until it is added by --file, duty {duty} is unknown", duty=REPORTING)
    cut_off = session.rulebook.numbers.report_cut_off_day
    if not any(days.first <= month.first for month in reporting_months(days, cut_off)):
        year, number = days.last.year, days.last.month
        month = reporting_month(year, number, cut_off)
        yield msg(
            "{days} covers no whole reporting month, so it is no evidence for duty {duty}; the reporting "
            "month {name} is {month}",
            days=str(days), duty=REPORTING, name=f"{year}-{number:02}", month=str(month),
        )  # fmt: skip


def _shown(one: SentReport, seq: int | None, doubts: tuple[Message, ...]) -> Result[SentPaper]:
    rows: list[tuple[Message, Cell]] = [
        (msg("Report"), msg("on the rules of updating") if one.report == UPDATES else one.report),
        (msg("From"), one.first),
        (msg("To"), one.last),
        (msg("Sent to"), role_word(OfficeRole(one.to.value))),
        (msg("Sent on"), one.sent_on),
        (msg("Paper"), one.number),
        (msg("SHA-256"), one.file),
        (msg("Recorded in"), msg("record {seq}", seq=seq) if seq else msg("nothing: only shown")),
    ]
    data = SentPaper(one.number, one.report, f"{one.first}..{one.last}", one.to, one.sent_on, one.file, seq)
    return Result(data, [KeyValues(rows)], warnings=doubts)


VERB = Verb(sent)
