"""The view from outside as commands ask for it: whether this station has one, and what it is called."""

from __future__ import annotations

from checks.servers.declared import Declared
from checks.servers.outside_scan import Outside
from commands.cli.session import Session
from portalops.system.network import SocketNetwork


def find_outside_view(session: Session, *, is_asked: bool = False) -> Outside | None:
    """Return the way in which hosts are looked at from outside; None where they are not.

    Args:
        session: its `[checks.declared]` may name this station, which then looks in every round.
        is_asked: a person asked for it in this round.
    """
    station = session.settings.declared.parse(Declared).station
    if station is None and not is_asked:
        return None
    return Outside(SocketNetwork(), station or session.circumstances.host)
