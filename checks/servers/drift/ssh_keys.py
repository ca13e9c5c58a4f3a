"""SSH keys that open an account, by their fingerprints, and the other roads by which sshd takes keys."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import authorized_keys
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by account and fingerprint what kind of key it is; lines that cannot be read are counted by file."""
    found = look.get(authorized_keys.PROBE)
    if isinstance(found, MissingFact):
        return found
    keys = {f"{one.account} {one.fingerprint}": f"{one.kind} {one.bits}" for one in found.keys}
    readable: dict[str, int] = {}
    for one in found.keys:
        readable[one.account] = readable.get(one.account, 0) + 1
    lines: dict[str, int] = {}
    for file in found.files:
        lines[file.account] = lines.get(file.account, 0) + file.key_lines
    unread = {
        f"{account} ?": str(count - readable.get(account, 0))
        for account, count in lines.items()
        if count > readable.get(account, 0)
    }
    return {**keys, **unread, **{f"sshd {road}": road for road in found.elsewhere}}


KIND = Kind("key", msg("SSH key"), (authorized_keys.PROBE,), compare_states(state), state)
