"""Accounts of the host: who is there, with which number, home and shell; when, by the time of /etc/passwd."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, changed_at, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import file_times, passwd
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by account what is in its line."""
    found = look.get(passwd.PROBE)
    if isinstance(found, MissingFact):
        return found
    return {one.name: f"{one.uid}:{one.gid} {one.home} {one.shell} {one.password}" for one in found}


KIND = Kind(
    "account",
    msg("account"),
    (passwd.PROBE, file_times.PROBE),
    compare_states(state, lambda look, _name: changed_at(look, "/etc/passwd")),
    state,
)
