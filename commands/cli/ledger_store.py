"""Where the ledger is, as `[ledger.store]` and `[ledger.blobs]` say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from portalops.config import Settings
from portalops.ledger.blob_stores import build_blob_store
from portalops.ledger.ledger import KeptLedger, kept_in
from portalops.ledger.record_stores import build_record_store


def kept_as_configured(settings: Settings, environment: Mapping[str, str], *, writable: bool) -> KeptLedger:
    """Return where a configuration's ledger is; nothing is connected to yet.

    Raises:
        ConfigurationError: a table does not fit its kind.
        LedgerError: what the kind needs is not installed.
    """
    kept = (
        kept_in(settings.state_folder, writable=writable)
        if settings.ledger_store is None
        else build_record_store(settings.ledger_store, environment, writable=writable)
    )
    if settings.ledger_blobs is None:
        return kept
    return replace(kept, blobs=build_blob_store(settings.ledger_blobs, environment))
