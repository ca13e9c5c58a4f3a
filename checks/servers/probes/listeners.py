"""What listens: `ss -H -tuln`, as ss(8) has it. The names of processes would need root and are not asked for.

tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
udp   UNCONN 0      0      127.0.0.1%lo:323        0.0.0.0:*
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    """A socket that waits for strangers."""

    protocol: str
    """`tcp` or `udp`."""
    port: int
    address: str
    """Without zone; `*` for all."""

    @property
    def name(self) -> str:
        """Return it as declarations write it: `tcp/22`."""
        return f"{self.protocol}/{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Say whether only this host itself can reach it."""
        if self.address == "*":
            return False
        return ipaddress.ip_address(self.address).is_loopback


def parse(output: Output) -> tuple[Listener, ...]:
    """Read protocol, address and port; an empty answer means that nothing listens."""
    found = set()
    for line in output.lines():
        words = line.split()
        if len(words) < 5 or words[0] not in {"tcp", "udp"}:
            raise Unparseable(msg("ss printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        found.add(listener(words[0], *words[4].rsplit(":", 1)))
    return tuple(sorted(found))


def listener(protocol: str, address: str, port: str = "") -> Listener:
    """Make a listener of an address as programs print it.

    Raises:
        Unparseable: the address or port is none.
    """
    bare = address.strip("[]").partition("%")[0].strip("[]")
    try:
        if bare != "*":
            parsed = ipaddress.ip_address(bare)
            mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
            bare = str(mapped or parsed)
        return Listener(protocol, int(port), bare)
    except ValueError as error:
        raise Unparseable(msg("not an address and port: {seen}", seen=shown(f"{address}:{port}", 60))) from error


PROBE = Probe("net.listeners", ("ss", "-H", "-tuln"), parse)
