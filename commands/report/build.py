"""Build a report over a period and write it to files

Reads the ledger and nothing else, and signs a head of it where a signing key is configured: register the head code
that is printed. The files are whole or not there.

Example: portalops report build compliance --period 2026-11 --format html --language both

EXIT STATUS: 0 written, 2 no such report or format, 4 it could not be written, 5 written, and something in the ledger
was changed
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.languages import languages_option
from commands.cli.periods import period_option
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.report_files import WrittenReport, build_report_files, head_code_of, parts_of
from commands.report.options import scope_option
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.runs import ReportResult
from portalops.reports import formats
from portalops.reports.document import Block, ByteSize, KeyValues, Notice, Paragraph, TableBlock, Tone
from portalops.reports.named import report_names
from portalops.reports.section_proof import does_not_hold


@shape
class BuiltFile:
    """A file that a report was written to."""

    id: str
    """Its name."""
    path: str
    report: str
    period: str
    """Two days joined by two dots."""
    scope: str | None
    """What the report is cut down to: unit-ID or host-ID."""
    language: str
    size_bytes: int
    sha256: str
    head_code: str | None
    """Of the head that the report carries."""


def build(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_("The report, such as compliance"), autocompletion=report_names)],
    *,
    format_: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=_("File format; may be repeated"),
            autocompletion=formats.names,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help=_("Folder to write to; the configured one without it"))
    ] = None,
    period: Annotated[str | None, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
    language: Annotated[
        str | None, typer.Option(metavar="vi|en|both", help=_("vi, en or both; the configured ones without it"))
    ] = None,
    unit: Annotated[str | None, typer.Option(metavar="ID", help=_("Only this unit"))] = None,
    host: Annotated[str | None, typer.Option(metavar="ID", help=_("Only this host"))] = None,
) -> Result[tuple[BuiltFile, ...]]:
    session = open_session(ctx)
    scope = scope_option(session, name, unit=unit, host=host)
    chosen = period_option(session, period)
    folder = output or session.settings.report.folder
    languages = languages_option(language, session.settings.report.languages)
    made = build_report_files(
        parts_of(session),
        name,
        period=chosen,
        folder=folder,
        formats_wanted=format_ or ["html"],
        languages=languages,
        scope=scope,
    )
    written = made.result
    rows = [(str(folder / file.name), file.language, ByteSize(file.size_bytes), file.sha256) for file in written.files]
    headers = (msg("File"), msg("Language"), msg("Size"), msg("SHA-256"))
    return Result(
        data=tuple(
            BuiltFile(
                id=file.name,
                path=str(folder / file.name),
                report=written.report,
                period=written.period,
                scope=written.scope or None,
                language=file.language,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
                head_code=head_code_of(written),
            )
            for file in written.files
        ),
        view=[TableBlock(msg("Written"), headers, rows), *_head_view(written)],
        warnings=tuple(_doubts(made)),
        exit_code=ExitCode.INTEGRITY if made.faults else ExitCode.OK,
    )


def _doubts(made: WrittenReport) -> Iterator[Message]:
    if made.unsigned is not None:
        yield msg("no new head could be signed for the report: {cause}", cause=made.unsigned)
    if made.faults:
        yield does_not_hold(made.faults)
    yield from made.lacks


def _head_view(report: ReportResult) -> Iterator[Block]:
    code = head_code_of(report)
    if code is None:
        yield Notice(msg("No head is signed, so nothing proves that this report is unchanged."), Tone.BAD)
        return
    yield KeyValues([(msg("Head code"), code)])
    yield Paragraph(msg("Register the head code together with the report: every later ledger must still contain it."))


VERB = Verb(build)
