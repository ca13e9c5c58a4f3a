"""The register of changes, read from the ledger."""

from __future__ import annotations

from portalops.errors import UsageError
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.changes import ChangeRegister, RecordedChange

LAST_RECORD = 1 << 62
"""Where a record that is not made yet stands among the others."""


def known_change(register: ChangeRegister, name: str) -> RecordedChange:
    """Return a change.

    Raises:
        UsageError: there is none of this id.
    """
    if (found := register.changes.get(name)) is not None:
        return found
    raise UsageError(
        msg("there is no change {id}", id=show_text(name, 60)), msg("'portalops change list --all' lists all changes.")
    )
