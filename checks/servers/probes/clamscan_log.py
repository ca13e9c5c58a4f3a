"""What the last scan for viruses found: the end of clamscan's log. Needs root. Source: clamscan(1), `--log`.

It is looked for in /var/log/clamav/clamscan.log and /var/log/clamav/scan.log. ClamAV 1.4:

    Infected files: 0
    End Date:   2026:11:26 05:00:01
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
for f in /var/log/clamav/clamscan.log /var/log/clamav/scan.log; do
  if [ -e "$f" ]; then tail -c 4096 "$f" || exit $?; echo; fi
done
echo end
"""
_INFECTED = re.compile(r"Infected files: (\d{1,9})$")
_SCANNED = re.compile(r"Scanned files: (\d{1,12})$")
_ENDED = re.compile(r"End Date: +(\d{4}:\d\d:\d\d \d\d:\d\d:\d\d)$")


@dataclass(frozen=True, slots=True)
class Scan:
    """The scan that ended last."""

    ended_at: datetime
    """By the host's own clock and zone, taken as UTC."""
    scanned: int
    infected: int


def parse(output: Output) -> Scan | None:
    """Read the newest summary; None where the log holds none."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the log of scans is cut short"))
    if len(lines) == 1:
        raise Unparseable(msg("there is no log of scans"), reason="no-log")
    found: list[Scan] = []
    infected = scanned = None
    for line in lines:
        if match := _INFECTED.fullmatch(line):
            infected = int(match[1])
        elif match := _SCANNED.fullmatch(line):
            scanned = int(match[1])
        elif (match := _ENDED.fullmatch(line)) and infected is not None and scanned is not None:
            try:
                at = datetime.strptime(match[1], "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
            except ValueError as error:
                raise Unparseable(msg("the log of scans cannot be parsed")) from error
            found.append(Scan(at, scanned, infected))
            infected = scanned = None
    return max(reversed(found), key=lambda scan: scan.ended_at) if found else None


PROBE = Probe("malware.scan", ("sh", "-c", _SCRIPT), parse, needs_root=True)
