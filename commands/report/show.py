"""Show a report here, and write and sign nothing

The report that 'report build' writes, in the language of --lang. It carries the newest head that there is. --json
gives what the format json holds. A long one is read by: portalops --color always report show NAME | less -R

Example: portalops report show servers --period 2026-11 --host web-1

EXIT STATUS: 0 shown, 2 no such report, 5 shown, and something in the ledger was changed
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Optional

import typer

from commands.cli.periods import period_option
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import DescribedBy
from commands.cli.verb import Verb
from commands.jobs.report_files import BuiltReport, built_report, parts_of
from commands.report.options import scope_option
from portalops.errors import ExitCode
from portalops.json_text import read_json
from portalops.locale import _, process_language
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.reports import formats
from portalops.reports.document import Block, Document, Heading, KeyValues
from portalops.reports.document_schema import document_schema
from portalops.reports.material import WHOLE, ReportScope
from portalops.reports.named import load_report, report_names
from portalops.reports.section_proof import does_not_hold


def view_report(session: Session, name: str, period: Period, *, scope: ReportScope = WHOLE) -> BuiltReport:
    """Build a report from what the ledger holds now, and write nothing: it carries the newest head that there is, as `build_report` says.

    Raises:
        UnknownReport: there is no such report.
        LedgerMissing: there is no ledger yet.
    """
    load_report(name)
    unsigned = msg("a report that is only shown signs none; 'portalops report build' does")
    has_key = session.settings.signing_key is not None
    return built_report(
        parts_of(session), name, period, scope=scope, own_run="", head=None, unsigned=unsigned if has_key else None
    )


OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time


def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_("The report, such as compliance"), autocompletion=report_names)],
    *,
    period: Annotated[OptionalText, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
    unit: Annotated[OptionalText, typer.Option(metavar="ID", help=_("Only this unit"))] = None,
    host: Annotated[OptionalText, typer.Option(metavar="ID", help=_("Only this host"))] = None,
) -> Result[Annotated[Mapping[str, object], DescribedBy(document_schema)]]:
    session = open_session(ctx)
    scope = scope_option(session, name, unit=unit, host=host)
    built = view_report(session, name, period_option(session, period), scope=scope)
    return Result(
        data=read_json(formats.load("json").render(built.document, language=process_language())),
        view=_terminal_blocks(built.document),
        warnings=(does_not_hold(built.faults),) if built.faults else (),
        exit_code=ExitCode.INTEGRITY if built.faults else ExitCode.OK,
    )


def _terminal_blocks(document: Document) -> list[Block]:
    """Return title, blocks and footer: there are no pages that could repeat the footer."""
    return [
        Heading(1, document.title),
        *document.blocks,
        Heading(2, msg("This report")),
        KeyValues(document.footer),
    ]


VERB = Verb(show)
