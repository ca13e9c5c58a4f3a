"""Record that the unit was reminded

Example: portalops case remind 2026-W47/so-y-te --number 12/CV-TTTT --date 2026-11-24 --file nhac-nho.pdf

EXIT STATUS: 0 recorded or shown, 2 no such case, or its state does not allow a reminder
"""

from __future__ import annotations

import typer

from commands.case.options import By, CaseName, Number, On
from commands.case.steps import MovedCase, move_case
from commands.cli.entries import DocumentFile, DryRun, Reason
from commands.cli.result import Result
from commands.cli.verb import Verb
from portalops.model.cases import CaseStep


def remind(
    ctx: typer.Context,
    case: CaseName,
    *,
    number: Number = "",
    on: On = None,
    reason: Reason = "",
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[MovedCase]:
    return move_case(
        ctx, case, CaseStep.REMINDED, number=number, on=on, reason=reason, by=by, file=file, dry_run=dry_run
    )


VERB = Verb(remind)
