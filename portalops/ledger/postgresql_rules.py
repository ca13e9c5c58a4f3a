"""Rules of a ledger in PostgreSQL that need no driver: how far clocks may differ, and how too many rights are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from portalops.ledger.postgresql_tables import WRITER
from portalops.model.message import Message, msg
from portalops.model.text import show_text


def too_many_rights(account: str, excess: Sequence[str]) -> tuple[Message, Message]:
    """Say that an account could change what is recorded, and what to do."""
    return (
        msg(
            "the database account {account} could change or delete records: {rights}",
            account=show_text(account, 60),
            rights=", ".join(excess),
        ),
        msg("Configure an account for portalops that is a member of {role} only.", role=WRITER),
    )


SKEW = timedelta(seconds=5)
"""How far the clocks of machines that append may be apart: a record that would be earlier than the newest by less gets its time."""
