"""`portalops report show`: any report on the terminal, with nothing written or signed."""

from __future__ import annotations

import json
from typing import Annotated, Optional

import typer

from commands._periods import period_option
from commands._result import Result
from commands._session import open_session
from portalops.errors import ExitCode
from portalops.locale import _, process_language
from portalops.model.message import msg
from portalops.reports import formats
from portalops.reports.document import Block, Document, Heading, KeyValues
from portalops.reports.named import report_names
from portalops.reports.section_proof import does_not_hold

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time

HELP = _(
    "Show a report here, and write and sign nothing\n\nThe report that 'report build' writes, in the language of --lang. It carries"
    " the newest head that there is. --json gives what the format json holds. A long one is read by: portalops --color always"
    " report show NAME | less -R"
    "\n\nExample: portalops report show servers --period 2026-11 --host web-1"
    "\n\nEXIT STATUS: 0 shown, 2 no such report, 5 shown, and something in the ledger was changed"
)


def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_("The report, such as compliance"), autocompletion=report_names)],
    *,
    period: Annotated[OptionalText, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
    unit: Annotated[OptionalText, typer.Option(metavar="ID", help=_("Only this unit"))] = None,
    host: Annotated[OptionalText, typer.Option(metavar="ID", help=_("Only this host"))] = None,
) -> Result:
    from commands.report import scope_option, view_report  # noqa: PLC0415  # that module takes this verb up

    session = open_session(ctx)
    scope = scope_option(session, name, unit=unit, host=host)
    built = view_report(session, name, period_option(session, period), scope=scope)
    return Result(
        data=json.loads(formats.load("json").render(built.document, language=process_language())),
        view=_on_the_terminal(built.document),
        warnings=(does_not_hold(built.faults),) if built.faults else (),
        exit_code=ExitCode.INTEGRITY if built.faults else ExitCode.OK,
    )


def _on_the_terminal(document: Document) -> list[Block]:
    """Return title, blocks and footer: there are no pages that could repeat the footer."""
    return [
        Heading(1, document.title),
        *document.blocks,
        Heading(2, msg("This report")),
        KeyValues(document.footer),
    ]
