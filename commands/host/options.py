"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from portalops.locale import _

HostArgument = Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))]
OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
