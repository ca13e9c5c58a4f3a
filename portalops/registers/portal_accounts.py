"""What the looks at portals' own accounts found: the `credential.portal-seen` records; of each portal the newest counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from portalops.bodies import required_part
from portalops.errors import PortalOpsError
from portalops.model.message import Message, msg
from portalops.model.portal_accounts import PortalAccounts
from portalops.ports import LedgerReader

SEEN = "credential.portal-seen"
ACCOUNTS = "accounts"
"""The key of it in the record's body."""


@dataclass(frozen=True, slots=True)
class PortalAnswer:
    """The newest look at one portal."""

    seq: int
    at: datetime
    found: PortalAccounts | Message
    """Or why the record cannot be read: an older look says nothing of today in its place."""


def read_portal_answers(ledger: LedgerReader, *, until: datetime | None = None) -> Mapping[str, PortalAnswer]:
    """Return the newest look at each portal that was recorded by a moment, by the source's id."""
    looks: dict[str, PortalAnswer] = {}
    for record in ledger.records(kinds=(SEEN,), until=until):
        found: PortalAccounts | Message
        try:
            found = required_part(ledger.blob(record.body), ACCOUNTS, PortalAccounts)
        except PortalOpsError as error:
            found = error.message
        if not isinstance(found, Message) and found.portal != record.subject:
            found = msg("the details of the record are about something else, or cannot be shown")
        looks[record.subject] = PortalAnswer(record.seq, record.at, found)
    return looks
