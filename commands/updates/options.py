"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from commands.cli.entries import known_unit
from commands.cli.session import Session
from portalops.locale import _
from portalops.model.organisation import Agency

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
UnitOption = Annotated[OptionalText, typer.Option("--unit", metavar="UNIT", help=_("The unit, by its id"))]
Withdraw = Annotated[
    OptionalText,
    typer.Option(
        "--withdraw", metavar="ID", help=_("Take back the entry with this id instead of recording one; needs --reason")
    ),
]
PeriodText = Annotated[str | None, typer.Option("--period", help=_("Day, week, month or year, or two joined by '..'"))]
UnitText = Annotated[str | None, typer.Option("--unit", help=_("Only this unit, by its id"))]


def chosen_units(session: Session, unit: str | None) -> tuple[Agency, ...]:
    return session.settings.units if unit is None else (known_unit(session, unit),)
