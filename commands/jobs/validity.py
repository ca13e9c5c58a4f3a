"""Whether every part of the configuration fits, before anything is done."""

from __future__ import annotations

import os
from collections.abc import Sequence

from commands.cli.kinds import typed_tables
from portalops.config import Settings
from portalops.errors import PortalOpsError
from portalops.ledger.ledger import FILE


def require_valid(settings: Settings) -> None:
    """Make sure that every part of the configuration fits before anything is done.

    No ledger begins while a backup would be refused for its recipients. Where there is one, it is to record that refusal,
    and the other jobs are done.

    Raises:
        ConfigurationError: the first part that does not.
    """
    problems: Sequence[PortalOpsError] = typed_tables(settings)[1]
    if not problems and settings.ledger_store is None and not os.path.exists(settings.state_folder / FILE):
        from commands.jobs.recipients import recipient_problems  # noqa: PLC0415  # of a wing, before the first record alone

        problems = tuple(recipient_problems(settings))
    if problems:
        raise problems[0]
