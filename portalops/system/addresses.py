"""Under which names and addresses this machine is reached, as far as it knows that itself: no name server is asked."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import psutil

HOSTS = Path("/etc/hosts")


def is_this_machine(server: str, *, hosts: Path = HOSTS) -> bool:
    """Say whether a server's name or address is one of this machine's own.

    Args:
        server: a host name, or an address of IPv4 or IPv6 without brackets.
        hosts: names of addresses, see hosts(5); a file that cannot be read names none.
    """
    own = frozenset(own_addresses())
    address = _address(server)
    if address is not None:
        return address.is_loopback or address in own
    name = _folded(server)
    if name.rpartition(".")[2] == "localhost":  # RFC 6761, section 6.3
        return True
    return name in {_folded(socket.gethostname()), *names_of(own, _text(hosts))}


def own_addresses() -> Iterator[IPv4Address | IPv6Address]:
    """Yield the addresses of all network interfaces that are up or down."""
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if (found := _address(each.address.partition("%")[0])) is not None:
                yield found


def names_of(own: Iterable[IPv4Address | IPv6Address], hosts: str) -> Iterator[str]:
    """Yield the names, in lower case, that the text of a hosts(5) file gives to some addresses, and to loopback."""
    own = frozenset(own)
    for line in hosts.splitlines():
        first, *names = line.partition("#")[0].split() or [""]
        address = _address(first)
        if address is not None and (address.is_loopback or address in own):
            yield from map(_folded, names)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _folded(name: str) -> str:
    return name.rstrip(".").lower()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
