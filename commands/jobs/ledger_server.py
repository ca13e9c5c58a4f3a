"""What the ledger's database server is like, and whether an account there has too many rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from commands.cli.session import Session
from portalops.errors import ConfigurationError
from portalops.ledger.postgresql_rules import too_many_rights
from portalops.ledger.record_stores.postgresql import Settings, parameters
from portalops.model.message import msg

if TYPE_CHECKING:
    from commands.cli.session import Session
    from portalops.ledger.postgresql_server import ServerState
    from portalops.model.message import Message


@runtime_checkable
class _ServerStore(Protocol):
    def server(self) -> ServerState: ...


def server_of(session: Session) -> ServerState | None:
    """Ask what the ledger's database server is like; None where the ledger is in the state folder.

    Raises:
        LedgerError: it cannot be reached, or holds no ledger.
    """
    if session.settings.ledger_store is None:
        return None
    records: object = session.kept(writable=False).records
    return records.server() if isinstance(records, _ServerStore) else None


def excess_rights(session: Session) -> tuple[Message, ...]:
    """Warn of a database account that could change what is recorded."""
    state = server_of(session)
    if state is None or not state.excess:
        return ()
    return (too_many_rights(state.account, state.excess)[0],)


def require_database(session: Session) -> None:
    """Make sure that the ledger is where several machines can append to it.

    Raises:
        ConfigurationError: it is in the state folder.
    """
    if session.settings.ledger_store is None:
        raise ConfigurationError(
            msg("a cluster needs a ledger in a database, but there is no [ledger.store]"),
            msg("Add that table and run 'portalops ledger move --to store', or remove [cluster]."),
        )


def parameters_of(session: Session) -> dict[str, Any]:
    """Return what the driver connects to the ledger's database with; each statement is then a transaction of its own."""
    assert session.settings.ledger_store is not None
    return parameters(session.settings.ledger_store.parse(Settings), session.environment)
