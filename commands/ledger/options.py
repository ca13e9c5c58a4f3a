"""Options that verbs of this noun share: those of what two persons sign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from portalops.locale import _

First = Annotated[int, typer.Argument(min=1, metavar="FIRST", help=_("The first record"))]
Last = Annotated[int, typer.Argument(min=1, metavar="LAST", help=_("The last record"))]
By = Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who asks for it, and holds the ledger's key"))]
Second = Annotated[str, typer.Option("--second", metavar="ID", help=_("The second person: an id of [[ledger.signer]]"))]
Request = Annotated[
    Optional[Path],  # noqa: UP045  # Typer reads it at run time
    typer.Option(metavar="FILE", help=_("Write the text for the second person to a file")),
]
Signature = Annotated[
    Optional[Path],  # noqa: UP045  # as above
    typer.Option(metavar="FILE", help=_("The second person's signature, as ssh-keygen wrote it")),
]
