"""Show what a backup run would do

Reads the configuration and the ledger, and asks the media how much is free. A size is that of the last set; without
one, that of the files there now. It also shows what a year of sets takes on each medium: with full sets alone, and with
one full set in each week, month or number of days (backup.full_every), as recorded sets grew.

Example: portalops backup plan

EXIT STATUS: 0 every class of data is covered, 1 a class has no source and no reason, 78 configuration
"""

from __future__ import annotations

import typer

from commands.backup.steps import planned_run
from commands.backup.views import PlannedRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb


def plan(ctx: typer.Context) -> Result[PlannedRun]:
    return planned_run(open_session(ctx))


VERB = Verb(plan, version=2)  # the reason was a bare sentence
