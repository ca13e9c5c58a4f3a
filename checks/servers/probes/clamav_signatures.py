"""How old ClamAV's signatures are: the first 512 bytes of its daily database, which are text.

Source: the ClamAV manual, "CVD and CLD format": fields divided by colons, of which the last is the time it was built.

    ClamAV-VDB:24 Nov 2026 03-25 -0500:27830:2077000:90:X:X:builder:1795508700
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
for f in /var/lib/clamav/daily.cld /var/lib/clamav/daily.cvd; do
  if [ -f "$f" ]; then head -c 512 "$f" || exit $?; echo; fi
done
echo end
"""


@dataclass(frozen=True, slots=True)
class ClamavDatabase:
    """The newest daily database; both None where there is none."""

    version: int | None
    built_at: datetime | None


def parse(output: Output) -> ClamavDatabase:
    """Read the header of each database and keep the newest."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the listing of signatures is cut short"))
    found: list[tuple[datetime, int]] = []
    for line in lines[:-1]:
        fields = line.strip().split(":")
        if fields[0] != "ClamAV-VDB" or len(fields) < 9 or not fields[2].isdigit() or not fields[8].strip().isdigit():
            raise Unparseable(msg("a signature database starts with {seen}", seen=shown(line, 40)))
        found.append((datetime.fromtimestamp(int(fields[8]), UTC), int(fields[2])))
    if not found:
        return ClamavDatabase(None, None)
    built_at, version = max(found)
    return ClamavDatabase(version, built_at)


PROBE = Probe("malware.signatures", ("sh", "-c", _SCRIPT), parse)
