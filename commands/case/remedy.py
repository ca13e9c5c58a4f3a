"""Record that the unit remedied what was missing

The verdict on the week stays: a late update does not cure a missed day.

Example: portalops case remedy 2026-W47/so-y-te --reason 'đã đăng bù 2 tin ngày 24/11'

EXIT STATUS: 0 recorded or shown, 2 no such case, or its state does not allow a remedy
"""

from __future__ import annotations

import typer

from commands.case.options import By, CaseName
from commands.case.steps import MovedCase, move_case
from commands.cli.entries import DocumentFile, DryRun, Reason, written_text
from commands.cli.result import Result
from commands.cli.verb import Verb
from portalops.model.cases import CaseStep


def remedy(
    ctx: typer.Context,
    case: CaseName,
    *,
    reason: Reason,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[MovedCase]:
    return move_case(
        ctx, case, CaseStep.REMEDIED, reason=written_text(reason, "--reason"), by=by, file=file, dry_run=dry_run
    )


VERB = Verb(remedy)
