"""Record that a case was reported to the Department or to the Committee

Example: portalops case escalate 2026-W47/so-y-te --to department --number 15/BC-TTTT --date 2026-11-27 --file
bao-cao.pdf

EXIT STATUS: 0 recorded or shown, 2 no such case, or --to names neither
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.case.options import By, CaseName, Number, On
from commands.case.steps import MovedCase, move_case
from commands.cli.entries import DocumentFile, DryRun, Reason, addressee_of
from commands.cli.result import Result
from commands.cli.verb import Verb
from portalops.locale import _
from portalops.model.cases import CaseStep
from portalops.model.sent import Addressee


def escalate(
    ctx: typer.Context,
    case: CaseName,
    *,
    to: Annotated[str, typer.Option("--to", metavar="department|committee", help=_("department or committee"))],
    number: Number = "",
    on: On = None,
    reason: Reason = "",
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[MovedCase]:
    step = CaseStep.TO_DEPARTMENT if addressee_of(to) is Addressee.DEPARTMENT else CaseStep.TO_COMMITTEE
    return move_case(ctx, case, step, number=number, on=on, reason=reason, by=by, file=file, dry_run=dry_run)


VERB = Verb(escalate)
