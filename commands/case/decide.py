"""Record the decision on an explanation

A shortfall whose explanation is accepted is not counted as a repetition. The person who explained cannot decide.

Example: portalops case decide 2026-W47/so-y-te --accept --reason 'sự cố có biên bản' --by 'Trần Thị Bình'

EXIT STATUS: 0 recorded or shown, 2 no such case, nothing to decide, or --accept and --reject are both missing or both given
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.case.options import By, CaseName, Number, On
from commands.case.steps import MovedCase, move_case
from commands.cli.entries import DocumentFile, DryRun, Reason, written_text
from commands.cli.result import Result
from commands.cli.verb import Verb
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.cases import CaseStep
from portalops.model.message import msg


def decide(
    ctx: typer.Context,
    case: CaseName,
    *,
    accept: Annotated[bool, typer.Option("--accept", help=_("The explanation is accepted"))] = False,
    reject: Annotated[bool, typer.Option("--reject", help=_("The explanation is not accepted"))] = False,
    reason: Reason,
    by: By = "",
    number: Number = "",
    on: On = None,
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[MovedCase]:
    if accept == reject:
        raise UsageError(
            msg("--accept and --reject are both given") if accept else msg("--accept or --reject is missing"),
            msg("Add --accept if the explanation is accepted, --reject if it is not."),
        )
    step = CaseStep.ACCEPTED if accept else CaseStep.REJECTED
    why = written_text(reason, "--reason")
    return move_case(ctx, case, step, number=number, on=on, reason=why, by=by, file=file, dry_run=dry_run)


VERB = Verb(decide)
