"""This machine as the kernel shows it to psutil: a second view beside the programs' own, and one where they lack.

It is taken only for the host with the address `local`. Its snapshot joins the host's answer as the section `machine`.
"""

from __future__ import annotations

import json
import socket
from typing import Protocol

import psutil

from checks.servers.probe import ProbeResult

PROBE_ID = "machine"


class Machine(Protocol):
    """Looks at the machine that portalops runs on."""

    def snapshot(self) -> ProbeResult:
        """Return its disks and listening sockets as one section of JSON. Never raises for what can't be read."""
        ...


class PsutilMachine:
    """Reads through psutil, without starting a program."""

    def snapshot(self) -> ProbeResult:
        try:
            document = {"disks": _disks(), "listeners": listeners_here()}
        except (OSError, psutil.Error) as error:
            return ProbeResult(PROBE_ID, 1, b"", str(error).encode("utf-8", "surrogateescape"), 0)
        return ProbeResult(PROBE_ID, 0, json.dumps(document, sort_keys=True).encode(), b"", 0)


def _disks() -> list[dict[str, int | str | bool]]:
    found: list[dict[str, int | str | bool]] = []
    for part in psutil.disk_partitions(all=False):
        usage = psutil.disk_usage(part.mountpoint)
        options = part.opts.split(",")
        found.append(
            {
                "mount": part.mountpoint,
                "type": part.fstype,
                "total_bytes": usage.total,
                "free_bytes": usage.free,
                "used_bytes": usage.used,
                "read_only": "ro" in options,
            }
        )
    return found


def listeners_here() -> list[list[int | str]]:
    """Return the sockets that listen: protocol, address and port of each, in order."""
    found: set[tuple[str, str, int]] = set()
    for connection in psutil.net_connections(kind="inet"):
        is_tcp = connection.type == socket.SOCK_STREAM
        if (
            not connection.laddr
            or (is_tcp and connection.status != psutil.CONN_LISTEN)
            or (not is_tcp and connection.raddr)
        ):
            continue
        found.add(("tcp" if is_tcp else "udp", connection.laddr.ip, connection.laddr.port))
    return [list(one) for one in sorted(found)]
