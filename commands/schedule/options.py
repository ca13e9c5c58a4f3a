"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from portalops.locale import _

DryRun = Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))]
RootOption = Annotated[
    Optional[Path],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--root", metavar="FOLDER", help=_("Into the root folder of an image, in which nothing is started")),
]
