"""The view from outside as commands ask for it: whether this station has one, and what it is called."""

from __future__ import annotations

from checks.servers.outside_scan import Outside
from portalops.system.network import SocketNetwork


def find_outside_view(station: str | None, host: str, *, is_asked: bool = False) -> Outside | None:
    """Return the way in which hosts are looked at from outside; None where they are not.

    Args:
        station: how this one is called, if it looks in every round.
        host: what this machine is called.
        is_asked: a person asked for it in this round.
    """
    if station is None and not is_asked:
        return None
    return Outside(SocketNetwork(), station or host)
