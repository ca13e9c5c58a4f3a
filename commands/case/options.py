"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from portalops.locale import _

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
CaseName = Annotated[
    str, typer.Argument(metavar="CASE", help=_("The case's id, WEEK/UNIT/DUTY, or the beginning of one"))
]
OptionalCase = Annotated[
    OptionalText, typer.Argument(metavar="CASE", help=_("The case's id, WEEK/UNIT/DUTY, or the beginning of one"))
]
WeekOption = Annotated[OptionalText, typer.Option("--week", metavar="WEEK", help=_("The week, such as 2026-W47"))]
UnitOption = Annotated[OptionalText, typer.Option("--unit", metavar="UNIT", help=_("The unit, by its id"))]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help=_("Who decided; by default the account that runs the command"))
]
Number = Annotated[
    str, typer.Option("--number", metavar="TEXT", help=_("Number and sign of the paper, such as 12/CV-TTTT"))
]
On = Annotated[OptionalText, typer.Option("--date", metavar="DAY", help=_("The paper's date, such as 2026-11-24"))]
