"""Opens the way to a host: the shell of this machine, through the same door as a remote one."""

from __future__ import annotations

from portalops.errors import HostUnreachable
from portalops.model.message import msg
from portalops.model.organisation import Host
from portalops.ports import Shell
from portalops.system.programs import LocalShell

LOCAL = "local"
"""The address of the machine that portalops runs on."""


def shell_for(host: Host) -> Shell:
    """Return a shell on the host.

    Raises:
        HostUnreachable: the host is not this machine, and no key of it was enrolled.
    """
    if host.address == LOCAL:
        return LocalShell()
    raise HostUnreachable(
        msg("host {host} at {address} has no enrolled host key", host=host.id, address=host.address[:80]),
        msg('Check the host on itself, by a portalops of its own with the address "local".'),
    )
