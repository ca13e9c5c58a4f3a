"""Where the ledger is, as `[ledger.store]` and `[ledger.blobs]` say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from commands.cli.kinds import PACKAGES, typed
from portalops.config import KindTable, Settings
from portalops.config.kinds import module_of
from portalops.ledger.ledger import Kept, kept_in
from portalops.ledger.stores import BlobStore


def kept_as_configured(settings: Settings, environment: Mapping[str, str], *, writable: bool) -> Kept:
    """Return where a configuration's ledger is; nothing is connected to yet.

    Raises:
        ConfigurationError: a table does not fit its kind.
        LedgerError: what the kind needs is not installed.
    """
    kept = (
        kept_in(settings.state_folder, writable=writable)
        if settings.ledger_store is None
        else cast("Kept", _built(settings.ledger_store, environment, writable=writable))
    )
    if settings.ledger_blobs is None:
        return kept
    return replace(kept, blobs=cast("BlobStore", _built(settings.ledger_blobs, environment)))


def _built(table: KindTable, environment: Mapping[str, str], **how: bool) -> object:
    typed(table)  # an unknown kind is told with the known ones
    return module_of(PACKAGES[table.section], table.kind).build(table, environment, **how)
