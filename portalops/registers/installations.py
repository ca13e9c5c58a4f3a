"""Which portalops wrote the ledger since when: the `installation` records."""

from __future__ import annotations

from portalops.bodies import required_part
from portalops.model.installations import Installation, InstalledVersion
from portalops.ports import LedgerReader

INSTALLATION = "installation"
"""The kind of an installation record, and the key of what it says in its blob."""


def newest_installed(ledger: LedgerReader) -> InstalledVersion | None:
    """Return the portalops that the newest such record names; None before the first.

    Raises:
        LedgerError: the details of that record cannot be read.
    """
    newest = next(iter(ledger.records(kinds=(INSTALLATION,), newest_first=True, limit=1)), None)
    return required_part(ledger.blob(newest.body), INSTALLATION, Installation).installed if newest else None
