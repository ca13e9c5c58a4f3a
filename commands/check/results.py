"""Show the results of the newest recorded scan

Example: portalops check results

EXIT STATUS: 0 every check passed or is waived, 1 one failed, 2 no such host or family, 3 one is unknown and none
failed
"""

from __future__ import annotations

import typer

from commands.check.options import Families, Hosts, chooser
from commands.check.steps import describe_suppliers, newest_results
from commands.check.views import ShownResult, results_page
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.errors import LedgerMissing
from portalops.model.message import msg
from portalops.reports.document import Paragraph


def results(ctx: typer.Context, host: Hosts = None, family: Families = None) -> Result[tuple[ShownResult, ...]]:
    session = open_session(ctx)
    newest = newest_results(session)
    if newest is None:
        raise LedgerMissing(msg("no scan is recorded yet"), msg("Run 'portalops check run' to start the first scan."))
    chosen = chooser(session, newest.body, (), host, family)
    shown = results_page(session, [result for result in newest.body.results() if chosen(result.host, result.check)])
    warnings = (newest.said,) if newest.said else ()
    head = [Paragraph(msg("Scan of {at}", at=newest.at)), *describe_suppliers(newest.body)]
    return Result(shown.data, [*head, *shown.view], warnings, exit_code=shown.exit_code)


VERB = Verb(results)
