"""Record the explanation of a unit

Example: portalops case explain 2026-W47/so-y-te --reason 'máy chủ cổng con hỏng từ 16 đến 18/11' --by 'Văn phòng Sở Y
tế' --number 45/SYT-VP --date 2026-11-25 --file giai-trinh.pdf

EXIT STATUS: 0 recorded or shown, 2 no such case, or its state does not allow an explanation
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.case.options import CaseName, Number, On
from commands.case.steps import MovedCase, move_case
from commands.cli.entries import DocumentFile, DryRun, written_text
from commands.cli.result import Result
from commands.cli.verb import Verb
from portalops.locale import _
from portalops.model.cases import CaseStep


def explain(
    ctx: typer.Context,
    case: CaseName,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("The unit's explanation"))],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who explained on behalf of the unit"))],
    number: Number = "",
    on: On = None,
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[MovedCase]:
    said = written_text(reason, "--reason")
    return move_case(
        ctx, case, CaseStep.EXPLAINED, number=number, on=on, reason=said, by=by, file=file, dry_run=dry_run
    )


VERB = Verb(explain)
