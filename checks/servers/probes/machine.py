"""The kernel's own view of disks and listening sockets, read by psutil on the machine that portalops runs on.

No command of its own: it is there for the host with the address `local` only, as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.machine import PROBE_ID
from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.probes.listeners import Listener, listener
from portalops.json_text import read_json
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class MountedDisk:
    """One mounted disk."""

    mount: str
    type: str
    used_bytes: int
    free_bytes: int
    """To be had by everyone, not only by root."""
    read_only: bool


@dataclass(frozen=True, slots=True)
class MachineSnapshot:
    """The machine at one moment."""

    disks: tuple[MountedDisk, ...]
    listeners: tuple[Listener, ...]


def parse(output: Output) -> MachineSnapshot:
    """Read the JSON that `PsutilMachine` wrote."""
    try:
        document = read_json(output.text)
        disks = tuple(
            MountedDisk(
                str(one["mount"]),
                str(one["type"]),
                int(one["used_bytes"]),
                int(one["free_bytes"]),
                bool(one["read_only"]),
            )
            for one in document["disks"]
        )
        listeners = tuple(listener(str(name), str(ip), str(port)) for name, ip, port in document["listeners"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unparseable(msg("the machine's snapshot cannot be parsed")) from error
    return MachineSnapshot(disks, listeners)


PROBE = Probe(PROBE_ID, (), parse)
