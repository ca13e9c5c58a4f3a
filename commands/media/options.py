"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from typing import Annotated

import typer

from portalops.locale import _

SetArgument = Annotated[str, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'"))]
DiscOption = Annotated[int | None, typer.Option("--disc", metavar="N", min=1, help=_("Only this disc of the set"))]
DryRun = Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))]
MAX_TEXT = 200
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help=_("The medium's id; a configured one where it can be reached"))
]
SiteOption = Annotated[
    str, typer.Option("--site", metavar="TEXT", help=_("The building, named as for 'portalops host sight'"))
]
RoomOption = Annotated[str, typer.Option("--room", metavar="TEXT", help=_("The room in it, named as there"))]
