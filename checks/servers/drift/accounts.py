"""Accounts of the host: who is there, with which number, home and shell; when, by the time of /etc/passwd."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import Kind, Look, by_state, changed_at
from checks.servers.probe import Missing
from checks.servers.probes import file_times, passwd
from portalops.model.message import msg


def state(look: Look) -> Mapping[str, str] | Missing:
    """Return by account what is in its line."""
    found = look.get(passwd.PROBE)
    if isinstance(found, Missing):
        return found
    return {one.name: f"{one.uid}:{one.gid} {one.home} {one.shell} {one.password}" for one in found}


KIND = Kind(
    "account",
    msg("account"),
    (passwd.PROBE, file_times.PROBE),
    by_state(state, lambda look, _name: changed_at(look, "/etc/passwd")),
    state,
)
