"""What jobs with backup sets work with: the sources, and the keys that sign sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from backups.signature import NAMESPACE
from backups.sources import SourceContext, build_source
from commands.jobs.trusted_keys import read_trusted
from portalops.config import Settings
from portalops.errors import LedgerError, UsageError
from portalops.ledger.heads import read_signers
from portalops.ledger.ledger import KeptLedger, Ledger
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.model.heads import Signer
from portalops.model.message import Message, msg
from portalops.model.text import show_text

if TYPE_CHECKING:
    from portalops.ports import Medium, Source


def require_medium(name: str, known: Collection[str]) -> None:
    """Require that a medium is known by a name.

    Raises:
        UsageError: it is not.
    """
    if name not in known:
        raise UsageError(
            msg("there is no backup medium {medium}", medium=show_text(name, 80)),
            msg("The media are: {media}.", media=", ".join(sorted(known)) or msg("none")),
        )


def sources_of(settings: Settings, media: Iterable[Medium], kept: Callable[[], KeptLedger]) -> tuple[Source, ...]:
    """Return the configured sources; what lies on the media is left out of them.

    Args:
        settings: name the sources.
        media: all of them.
        kept: opens the ledger for reading, where it is not in the state folder.

    Raises:
        ConfigurationError: a source's settings do not fit its kind.
    """
    is_elsewhere = settings.ledger_store is not None or settings.ledger_blobs is not None
    avoid = tuple(place for each in media for place in each.places())
    context = SourceContext(settings.state_folder, avoid, ledger=kept if is_elsewhere else None)
    return tuple(build_source(table, context) for table in settings.backup_sources)


def keys_of(ledger: Ledger | LedgerNotBegun, warn: Callable[[Message], None]) -> tuple[Signer, ...] | None:
    """Return the ledger's signing keys with their times; None where it has not begun, or its keys cannot be read."""
    if isinstance(ledger, LedgerNotBegun):
        return None
    try:
        return read_signers(ledger)
    except LedgerError as error:
        warn(msg("the signatures of sets are not compared with the ledger's keys: {cause}", cause=error.message))
        return None


def set_keys(path: Path) -> tuple[Signer, ...]:
    """Return the keys of an `allowed_signers` file that may sign backup sets.

    Raises:
        UsageError: the file cannot be read, is none, or names no such key.
    """
    keys = tuple(
        Signer("", each.public_key, each.valid_from or datetime.min.replace(tzinfo=UTC), each.valid_to, 0, None, "")
        for each in read_trusted(path)
        if not each.namespaces or NAMESPACE in each.namespaces
    )
    if not keys:
        raise UsageError(
            msg("{path} names no key that signs backup sets", path=str(path)),
            msg("Take allowed_signers from a bundle of the portal's ledger that was kept elsewhere."),
        )
    return keys
