"""What the last scan for viruses found: the end of clamscan's log. Needs root. Source: clamscan(1), `--log`.

It is looked for in /var/log/clamav/clamscan.log and /var/log/clamav/scan.log. Beside it stands how many files the web roots hold, at
most 100000 of each, and how many of them the last scan's lines name as clean (`--infected` keeps it from that) and as left out (`--exclude`). Told as well is how
many bytes the files below the usual limit of 100 MB have. ClamAV 1.4:

    files 1204 /var/www
    named 1204 /var/www
    excluded 0 /var/www
    bytes 52428800 /var/www

    Infected files: 0
    End Date:   2026:11:26 05:00:01
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.probes.web_files import ROOTS
from portalops.model.message import msg

_SCRIPT = (
    r"""
for f in /var/log/clamav/clamscan.log /var/log/clamav/scan.log; do
  if [ -e "$f" ]; then tail -c 4096 "$f" || exit $?; echo; fi
done
"""
    + ROOTS.replace("printf 'unclear %s\\n'", ": 'unclear %s'")
    + r"""
last=$(ls -t /var/log/clamav/clamscan.log /var/log/clamav/scan.log 2>/dev/null | head -n 1)
if [ "$last" ]; then
  for d in $roots; do
    case $d in *[![:print:]]*) continue ;; esac
    printf 'files %s %s\n' "$(find "$d" -xdev -type f -size +0 -print0 | tr -cd '\000' | head -c 100000 | wc -c)" "$d"
    find "$d" -xdev -type f -size -100M -printf '%s\n' | awk -v d="$d" '{ n += $1 } END { printf "bytes %.0f %s\n", n, d }'
  done
  tail -c 16777216 "$last" | roots=$roots awk '
    BEGIN { n = split(ENVIRON["roots"], root, "\n") }
    /^Known viruses: / { clean = ended; ended = 0; for (i = 1; i <= n; i++) { kept[i] = seen[i]; seen[i] = 0; out[i] = less[i]; less[i] = 0 } }
    /: Excluded$/ { for (i = 1; i <= n; i++) if (index($0, root[i] "/") == 1) less[i]++ }
    /: OK$/ { ended++; for (i = 1; i <= n; i++) if (index($0, root[i] "/") == 1) seen[i]++ }
    END { for (i = 1; i <= n; i++) { if (clean) printf "named %d %s\n", kept[i], root[i]; printf "excluded %d %s\n", out[i], root[i] } }'
fi
echo end
"""
)
_INFECTED = re.compile(r"Infected files: (\d{1,9})$")
_SCANNED = re.compile(r"Scanned files: (\d{1,12})$")
_ERRORS = re.compile(r"Total errors: (\d{1,9})$")
_KNOWN = re.compile(r"Known viruses: (\d{1,9})$")
_FILES = re.compile(r"(files|named|excluded|bytes) (\d{1,15}) (/.*)$")
_READ = re.compile(r"Data scanned: (\d{1,9}(?:\.\d+)?) ([KMG]?)i?B$")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_ENDED = re.compile(r"End Date: +(\d{4}:\d\d:\d\d \d\d:\d\d:\d\d)$")


@dataclass(frozen=True, slots=True)
class Scan:
    """The scan that ended last."""

    ended_at: datetime
    """By the host's own clock and zone, taken as UTC."""
    scanned: int
    infected: int
    known: int = 0
    """Signatures that it compared with."""
    files: Mapping[str, int] = field(default_factory=dict)
    """How many files that are not empty each web root holds now."""
    named: Mapping[str, int] = field(default_factory=dict)
    """How many of them the newest log names as clean; empty where it names none at all."""
    excluded: Mapping[str, int] = field(default_factory=dict)
    """How many lines of the newest scan say of each that something is left out."""
    bytes_there: int = 0
    """Of the files of all web roots that are below the usual limit of size."""
    bytes_read: int | None = None
    """At most, since the summary is rounded; None where it tells nothing."""
    errors: int = 0
    """Files that it could not read."""


def parse(output: Output) -> Scan | None:
    """Read the newest summary; None where the log holds none."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the log of scans is cut short"))
    counts: dict[str, dict[str, int]] = {each: {} for each in ("files", "named", "excluded", "bytes")}
    for told in filter(None, map(_FILES.fullmatch, lines)):
        counts[told[1]][told[3]] = int(told[2])
    if not any(_FILES.fullmatch(line) is None for line in lines[:-1]):
        raise Unparseable(msg("there is no log of scans"), reason="no-log")
    found: list[Scan] = []
    infected = scanned = None
    known, read, errors = 0, None, 0
    for line in lines:
        if match := _KNOWN.fullmatch(line):
            known = int(match[1])
        elif match := _ERRORS.fullmatch(line):
            errors = int(match[1])
        elif match := _READ.fullmatch(line):
            read = int((float(match[1]) + 0.01) * _UNITS[match[2]])
        elif match := _INFECTED.fullmatch(line):
            infected = int(match[1])
        elif match := _SCANNED.fullmatch(line):
            scanned = int(match[1])
        elif (match := _ENDED.fullmatch(line)) and infected is not None and scanned is not None:
            try:
                at = datetime.strptime(match[1], "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
            except ValueError as error:
                raise Unparseable(msg("the log of scans cannot be parsed")) from error
            there = sum(counts["bytes"].values())
            counted = (counts["files"], counts["named"], counts["excluded"])
            found.append(Scan(at, scanned, infected, known, *counted, there, read, errors))
            infected = scanned = read = None
            errors = 0
    return max(reversed(found), key=lambda scan: scan.ended_at) if found else None


PROBE = Probe("malware.scan", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30)
