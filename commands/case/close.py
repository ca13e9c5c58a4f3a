"""Close a case

The unit must have explained itself, missed its last day to do so, or remedied what was missing. If nothing was
missing after all, record the exemption or the confirmation instead: the rules then close the case.

Example: portalops case close 2026-W47/so-y-te --reason 'đã khắc phục' --by 'Trần Thị Bình'

EXIT STATUS: 0 recorded or shown, 2 no such case, or its state does not allow closing
"""

from __future__ import annotations

import typer

from commands.case.options import By, CaseName
from commands.case.steps import MovedCase, move_case
from commands.cli.entries import DocumentFile, DryRun, Reason, written_text
from commands.cli.result import Result
from commands.cli.verb import Verb
from portalops.model.cases import CaseStep


def close(
    ctx: typer.Context,
    case: CaseName,
    *,
    reason: Reason,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[MovedCase]:
    return move_case(
        ctx, case, CaseStep.CLOSED, reason=written_text(reason, "--reason"), by=by, file=file, dry_run=dry_run
    )


VERB = Verb(close)
