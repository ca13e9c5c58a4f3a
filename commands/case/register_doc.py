"""Record the number and date of a paper of a case

A draft has no number: the clerk assigns it after the signature (Decree 30/2020/NĐ-CP, Article 15).

Example: portalops case register-doc 2026-W47/so-y-te --number 12/CV-TTTT --date 2026-11-24 --file cong-van.pdf

EXIT STATUS: 0 recorded or shown, 2 no such case, or the number is missing
"""

from __future__ import annotations

import typer

from commands.case.options import By, CaseName, Number, On
from commands.case.steps import MovedCase, move_case
from commands.cli.entries import DocumentFile, DryRun, written_text
from commands.cli.result import Result
from commands.cli.verb import Verb
from portalops.model.cases import CaseStep


def register_doc(
    ctx: typer.Context,
    case: CaseName,
    *,
    number: Number,
    on: On = None,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[MovedCase]:
    written = written_text(number, "--number")
    return move_case(ctx, case, CaseStep.DOCUMENT, number=written, on=on, by=by, file=file, dry_run=dry_run)


VERB = Verb(register_doc)
