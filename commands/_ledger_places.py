"""Where the ledger is, as `[ledger.store]` and `[ledger.blobs]` say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from portalops.config import Settings
from portalops.ledger.blob_stores import build_blob_store
from portalops.ledger.ledger import Kept, kept_in
from portalops.ledger.record_stores import build_record_store

if TYPE_CHECKING:
    from commands._session import Session
    from portalops.ledger.postgresql_server import ServerState
    from portalops.model.message import Message


def kept_as_configured(settings: Settings, environment: Mapping[str, str], *, writable: bool) -> Kept:
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


@runtime_checkable
class _OnServer(Protocol):
    def server(self) -> ServerState: ...


def server_of(session: Session) -> ServerState | None:
    """Ask what the ledger's database server is like; None where the ledger is in the state folder.

    Raises:
        LedgerError: it cannot be reached, or holds no ledger.
    """
    if session.settings.ledger_store is None:
        return None
    records: object = session.kept(writable=False).records
    return records.server() if isinstance(records, _OnServer) else None


def excess_rights(session: Session) -> tuple[Message, ...]:
    """Warn of a database account that could change what is recorded."""
    state = server_of(session)
    if state is None or not state.excess:
        return ()
    from portalops.ledger.postgresql_errors import too_many_rights  # noqa: PLC0415  # start-up time

    return (too_many_rights(state.account, state.excess)[0],)
