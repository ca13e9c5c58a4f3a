"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from commands.cli.session import Session
from commands.jobs.sets import require_medium
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.backups import SetEvidence

MAX_REASON = 400
SetArgument = Annotated[str, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'"))]
DryRun = Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))]


def required_reason(text: str) -> str:
    return show_text(text.strip(), MAX_REASON)


def _given_reason(reason: str) -> str:
    if not reason.strip():
        raise UsageError(msg("--reason is empty"), msg("Give the reason: the ledger keeps it for later readers."))
    return required_reason(reason)


OptionalSetArgument = Annotated[
    str | None, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'"))
]
MediumOption = Annotated[
    str | None,
    typer.Option("--medium", metavar="ID", help=_("Only the copy on this medium; its base may lie elsewhere")),
]


def require_listed_medium(session: Session, sets: Iterable[SetEvidence], name: str) -> None:
    """Raise a UsageError where a medium is neither configured nor has a copy of a set."""
    configured = (table.id for table in session.settings.backup_media)
    require_medium(name, {*configured, *(copy.medium for made in sets for copy in made.copies)})
