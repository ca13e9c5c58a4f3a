"""What the ledger's database server is like, and whether an account there has too many rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from portalops.ledger.postgresql_rules import too_many_rights

if TYPE_CHECKING:
    from commands.cli.session import Session
    from portalops.ledger.postgresql_server import ServerState
    from portalops.model.message import Message


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
    return (too_many_rights(state.account, state.excess)[0],)
