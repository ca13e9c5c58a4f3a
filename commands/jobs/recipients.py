"""What is wrong with the keys that backup sets are to open with, seen without making a set."""

from __future__ import annotations

from collections.abc import Iterator

from backups.age import parse_recipient
from backups.plan import MINIMUM_RECIPIENTS
from portalops.config import Settings
from portalops.errors import ConfigurationError, PortalOpsError, TooFewRecipients
from portalops.model.message import msg, nmsg


def recipient_problems(settings: Settings) -> Iterator[PortalOpsError]:
    """Yield each recipient that has no public key, and the lack of a second one where anything is to be backed up."""
    keys: set[str] = set()
    for recipient in settings.backup.recipient_settings:
        try:
            key = recipient.read().public_key
        except ConfigurationError as error:
            yield error
            keys.add(recipient.name)
            continue
        keys.add(key)
        try:
            parse_recipient(key)
        except ConfigurationError as error:
            yield ConfigurationError(
                msg("{place}: {problem}", place=recipient.place, problem=error.message), error.hint
            )
    if settings.backup_sources and len(keys) < MINIMUM_RECIPIENTS:
        yield TooFewRecipients(
            nmsg(
                "{place}: backup.recipients names {n} key, and two different ones are needed",
                "{place}: backup.recipients names {n} keys, and two different ones are needed",
                len(keys),
                place=settings.layers.place(("backup", "recipients")),
            ),
            msg("Name the operator's key and the escrow key; 'portalops init --keys' makes those that are missing."),
        )
