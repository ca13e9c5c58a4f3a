"""Opens the way to a host: the shell of this machine, or over SSH to one that proves the key that is recorded for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from checks.servers.this_machine import shell_here
from portalops.errors import HostNotEnrolled, HostUnreachable
from portalops.model.hosts import LOCAL, Enrolment, HostWay
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.ports import Shell
from portalops.system.ssh import SshTarget
from portalops.system.ssh_shell import SshShell


def shells(ways: Mapping[HostId, HostWay], enrolled: Mapping[HostId, Enrolment]) -> Callable[[Host], Shell]:
    """Return what opens the way to a host; it raises as `targets_of` does.

    Args:
        ways: how each host but this machine is reached.
        enrolled: by which key each is known.
    """

    def shell_for(host: Host) -> Shell:
        if host.address == LOCAL:
            return shell_here()
        target, jump = targets_of(host.id, ways, enrolled)
        return SshShell(target, jump=jump)

    return shell_for


def targets_of(
    host: HostId, ways: Mapping[HostId, HostWay], enrolled: Mapping[HostId, Enrolment]
) -> tuple[SshTarget, SshTarget | None]:
    """Return a host, and the one that it is reached through, as SSH needs to know them.

    Raises:
        HostNotEnrolled: no key of the host, or of the one in between, is recorded.
        HostUnreachable: the configuration names no private key, or no such host.
    """
    jump = ways[host].jump if host in ways else None
    return target_of(host, ways, enrolled), target_of(jump, ways, enrolled) if jump else None


def target_of(host: HostId, ways: Mapping[HostId, HostWay], enrolled: Mapping[HostId, Enrolment]) -> SshTarget:
    """Return one host as SSH needs to know it; raises as `targets_of` does."""
    way = ways.get(host)
    if way is None or way.identity is None:
        raise HostUnreachable(
            msg("no private key is configured for the host {host}", host=host),
            msg("Name one as identity_file in [checks.ssh]; 'ssh-keygen -t ed25519' makes it."),
        )
    if host not in enrolled:
        raise HostNotEnrolled(
            msg("host {host} at {address} has no enrolled host key", host=host, address=way.host[:80]),
            msg("Run 'portalops host enroll {host}' with the fingerprint on paper.", host=host),
        )
    return SshTarget(way.host, way.port, way.user, way.identity, (enrolled[host].key,))
