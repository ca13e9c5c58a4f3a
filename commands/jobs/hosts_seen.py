"""What the newest scans show of each host."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from portalops import bodies
from portalops.model.checks import CheckScan, HostScan
from portalops.model.organisation import HostId
from portalops.ports import LedgerReader

SCANS = 200
"""So many rounds are looked through for the last answer of a host."""


@dataclass(frozen=True, slots=True)
class HostSeen:
    """The newest round in which a host answered, and the newest of all."""

    answered: HostScan | None
    newest: HostScan


def hosts_seen(ledger: LedgerReader, wanted: Collection[HostId]) -> dict[HostId, HostSeen]:
    """Return the newest look at each host and the newest answer of each, as far back as `SCANS` rounds."""
    found: dict[HostId, HostSeen] = {}
    for each in _read_scans(ledger):
        for look in each.hosts:
            before = found.get(look.host)
            if look.host not in wanted or (before is not None and before.answered is not None):
                continue
            found[look.host] = HostSeen(look if look.reached else None, before.newest if before else look)
        if all(host in found and found[host].answered is not None for host in wanted):
            break
    return found


def _read_scans(ledger: LedgerReader) -> Iterator[CheckScan]:
    for record in ledger.records(kinds=("check.finished",), newest_first=True, limit=SCANS):
        body = bodies.decode_part(ledger.blob(record.body), "check", CheckScan)
        if body is not None:
            yield body
