"""What the ledger's database server is like, and whether an account there has too many rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from portalops.errors import ConfigurationError
from portalops.ledger.postgresql_rules import too_many_rights
from portalops.ledger.record_stores import postgresql
from portalops.model.message import msg

if TYPE_CHECKING:
    from portalops.config import Settings
    from portalops.ledger.postgresql_server import ServerState
    from portalops.model.message import Message


@runtime_checkable
class _ServerStore(Protocol):
    def server(self) -> ServerState: ...


def server_of(records: object) -> ServerState | None:
    """Ask the server that a ledger's records are on what it is like; None where they are in the state folder.

    Raises:
        LedgerError: it cannot be reached, or holds no ledger.
    """
    return records.server() if isinstance(records, _ServerStore) else None


def excess_rights(records: object) -> tuple[Message, ...]:
    """Warn of a database account that could change what is recorded."""
    state = server_of(records)
    if state is None or not state.excess:
        return ()
    return (too_many_rights(state.account, state.excess)[0],)


@dataclass(frozen=True, slots=True)
class LedgerDatabase:
    """The database that the ledger is in, and beside it the queue of a cluster."""

    settings: postgresql.Settings
    environment: Mapping[str, str]

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.settings.place

    def parameters(self) -> dict[str, Any]:
        """Return what the driver connects with; each statement is then a transaction of its own.

        Raises:
            SecretUnavailable: the password cannot be had.
        """
        return postgresql.parameters(self.settings, self.environment)


def database_of(settings: Settings, environment: Mapping[str, str]) -> LedgerDatabase:
    """Return the ledger's database, to which several machines can append.

    Raises:
        ConfigurationError: the ledger is in the state folder.
    """
    if settings.ledger_store is None:
        raise ConfigurationError(
            msg("a cluster needs a ledger in a database, but there is no [ledger.store]"),
            msg("Add that table and run 'portalops ledger move --to store', or remove [cluster]."),
        )
    return LedgerDatabase(settings.ledger_store.parse(postgresql.Settings), environment)
