"""List the reports that can be built, those that were, and who was mailed which

Example: portalops report list --json

EXIT STATUS: 0 listed, 78 the configuration is wrong
"""

from __future__ import annotations

from datetime import datetime

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.mailings import (
    FileDigest,
    MailedReport,
    mailed_data,
    mailed_doubts,
    mailed_view,
)
from commands.jobs.report_files import head_code_of, recorded_reports
from portalops.errors import ConfigurationNotFound
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.model.message import msg
from portalops.ports import LedgerReader
from portalops.registers.mailings import read_mailings
from portalops.reports import formats
from portalops.reports.document import Block, KeyValues, Paragraph, TableBlock
from portalops.reports.named import load_report, report_names


@shape
class RecordedReport:
    """A report that was written."""

    seq: int
    at: datetime
    period: str
    """Two days joined by two dots."""
    head_code: str | None
    """Of the head that the report carries."""
    files: tuple[FileDigest, ...]


@shape
class KnownReport:
    """A report that can be built, and what was done with it."""

    id: str
    title: str
    formats: tuple[str, ...]
    scopes: tuple[str, ...]
    """What it can be cut down by: unit, host."""
    written: tuple[RecordedReport, ...]
    """Oldest first."""
    mailed: tuple[MailedReport, ...]
    """Oldest first."""


def _reader_of(session: Session) -> LedgerReader:
    """Return the ledger; one that has not begun where there is no configuration: which reports there are is told all the same."""
    try:
        return session.reader
    except ConfigurationNotFound:
        return LedgerNotBegun()


def list_(ctx: typer.Context) -> Result[tuple[KnownReport, ...]]:
    session = open_session(ctx)
    ledger = _reader_of(session)
    (recorded, unreadable), mailed = recorded_reports(ledger), read_mailings(ledger)
    data = tuple(
        KnownReport(
            id=name,
            title=str(load_report(name).title),
            formats=formats.names(),
            scopes=tuple(sorted(load_report(name).scopes)),
            written=tuple(
                RecordedReport(
                    each.seq,
                    each.at,
                    each.body.period,
                    head_code_of(each.body),
                    tuple(FileDigest(file.name, file.sha256) for file in each.body.files),
                )
                for each in recorded
                if each.body.report == name
            ),
            mailed=mailed_data(mailed.mailings, name),
        )
        for name in report_names()
    )
    view: list[Block] = [
        TableBlock(
            msg("Reports"),
            (msg("Name"), msg("Title"), msg("Limited by")),
            [
                (
                    name,
                    load_report(name).title,
                    ", ".join(f"--{each}" for each in sorted(load_report(name).scopes)) or None,
                )
                for name in report_names()
            ],
        ),
        KeyValues([(msg("Formats"), ", ".join(formats.names()))]),
    ]
    if recorded:
        rows = [
            (
                str(each.seq),
                each.at,
                each.body.report,
                each.body.period,
                head_code_of(each.body),
                file.name,
                file.sha256,
            )
            for each in recorded
            for file in each.body.files
        ]
        headers = (
            msg("Record"),
            msg("At"),
            msg("Report"),
            msg("Period"),
            msg("Head code"),
            msg("File"),
            msg("SHA-256"),
        )
        view.append(TableBlock(msg("Written reports"), headers, rows))
    elif not unreadable:
        view.append(Paragraph(msg("No report is recorded yet.")))
    return Result(data=data, view=[*view, *mailed_view(mailed)], warnings=(*unreadable, *mailed_doubts(mailed)))


VERB = Verb(list_)
