"""Passwords of accounts: of which kind each is, and of root on which day it was set; when, by the time of /etc/shadow.

Others change their own passwords as they must; that an account gets one or loses it is told.
"""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, changed_at, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import file_times, shadow
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by account the kind of its password."""
    found = look.get(shadow.PROBE)
    if isinstance(found, MissingFact):
        return found
    return {one.name: f"{one.kind} {one.changed_day or 0}" if one.name == "root" else one.kind for one in found}


KIND = Kind(
    "password",
    msg("password"),
    (shadow.PROBE, file_times.PROBE),
    compare_states(state, lambda look, _name: changed_at(look, "/etc/shadow")),
    state,
)
