"""How old ClamAV's signatures are: the first 512 bytes of its daily database, which are text.

Source: the ClamAV manual, "CVD and CLD format": fields divided by colons, of which the last is the time it was built.

    ClamAV-VDB:24 Nov 2026 03-25 -0500:27830:2077000:90:X:X:builder:1795508700
    holds 62914560 gzip

The second line is the size of the file, and what follows the first 512 bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
for f in /var/lib/clamav/daily.cld /var/lib/clamav/daily.cvd; do
  if [ -f "$f" ]; then
    head -c 512 "$f" || exit $?; echo
    k=other
    [ "$(tail -c +770 "$f" | head -c 5 | tr -d '\000')" != ustar ] || k=tar
    [ "$(tail -c +513 "$f" | head -c 2 | od -An -tx1)" != ' 1f 8b' ] || k=gzip
    echo "holds $(stat -L -c %s "$f") $k"
  fi
done
echo end
"""

_HOLDS = re.compile(r"holds (\d{1,15}) (tar|gzip|other)")
LEAST_BYTES = 4
"""Of each signature; ClamAV's own have about thirty, packed."""


@dataclass(frozen=True, slots=True)
class ClamavDatabase:
    """The newest daily database; both None where there is none."""

    version: int | None
    built_at: datetime | None
    is_whole: bool = True
    """What follows the header is an archive, with four bytes or more for each signature that the header counts."""


def parse(output: Output) -> ClamavDatabase:
    """Read the header of each database and keep the newest."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the listing of signatures is cut short"))
    found: list[tuple[datetime, int, int, bool]] = []
    for line in lines[:-1]:
        if found and (told := _HOLDS.fullmatch(line.strip())):
            built_at, version, signatures, _ = found[-1]
            holds = int(told[1]) >= signatures * LEAST_BYTES and told[2] != "other"
            found[-1] = built_at, version, signatures, holds
            continue
        fields = line.strip().split(":")
        if fields[0] != "ClamAV-VDB" or len(fields) < 9 or not fields[2].isdigit() or not fields[8].strip().isdigit():
            raise Unparseable(msg("a signature database starts with {seen}", seen=shown(line, 40)))
        found.append(
            (
                datetime.fromtimestamp(int(fields[8]), UTC),
                int(fields[2]),
                int(fields[3]) if fields[3].isdigit() else 0,
                True,
            )
        )
    if not found:
        return ClamavDatabase(None, None)
    built_at, version, _signatures, is_whole = max(found)
    return ClamavDatabase(version, built_at, is_whole)


PROBE = Probe("malware.signatures", ("sh", "-c", _SCRIPT), parse)
