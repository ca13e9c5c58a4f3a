"""Record that the unit was reminded

With --unit and --week, one paper reminds it of all its cases of a week. A paper stands for one step, and is not older
than the week that it is about.

Example: portalops case remind --unit so-y-te --week 2026-W47 --number 12/TTCĐS-ND --date 2026-11-24 --file nhac-nho.pdf

EXIT STATUS: 0 recorded or shown, 2 no such case, its state does not allow a reminder, or the paper is another step's
"""

from __future__ import annotations

import typer

from commands.case.options import By, Number, On, OptionalCase, UnitOption, WeekOption
from commands.case.steps import MovedCase, RemindedUnit, move_case, remind_unit
from commands.cli.entries import DocumentFile, DryRun, Reason
from commands.cli.result import Result
from commands.cli.verb import Verb
from portalops.errors import UsageError
from portalops.model.cases import CaseStep
from portalops.model.message import msg


def remind(
    ctx: typer.Context,
    case: OptionalCase = None,
    *,
    unit: UnitOption = None,
    week: WeekOption = None,
    number: Number = "",
    on: On = None,
    reason: Reason = "",
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[MovedCase | RemindedUnit]:
    if (case is None) == (unit is None and week is None):
        raise UsageError(
            msg("the case, and --unit with --week, are both given, or both missing"),
            msg("Give one case, or --unit and --week for all of them."),
        )
    if case is None:
        return remind_unit(ctx, unit, week, number=number, on=on, reason=reason, by=by, file=file, dry_run=dry_run)
    return move_case(
        ctx, case, CaseStep.REMINDED, number=number, on=on, reason=reason, by=by, file=file, dry_run=dry_run
    )


VERB = Verb(remind)
