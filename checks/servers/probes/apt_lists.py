"""How old apt's lists are: the times of its stamps, and the dates inside the signed release files. Debian and Ubuntu.

`lists/partial` changes with every `apt-get update`; the stamp only where the daily timer or a hook writes it. The age of
the mirror itself shows only in `Date` and `Valid-Until`, which the archive signed.

    stamp 1795569431 /var/lib/apt/lists/partial
    release /var/lib/apt/lists/deb.debian.org_debian-security_dists_trixie-security_InRelease
    Date: Mon, 23 Nov 2026 11:22:38 UTC
    Valid-Until: Mon, 30 Nov 2026 11:22:38 UTC
    end
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt-get >/dev/null || exit 127
L=/var/lib/apt/lists
for f in /var/lib/apt/periodic/update-success-stamp $L/partial; do
  [ -e "$f" ] && stat -c 'stamp %Y %n' "$f"
done
for f in $L/*_InRelease $L/*_Release; do
  [ -f "$f" ] || continue
  printf 'release %s\n' "$f"
  grep -a -E '^(Date|Valid-Until):' "$f"
done
echo end
"""


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One archive's signed release file, as it lies on the host."""

    name: str
    made_at: datetime | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Lists:
    """The age of what apt knows."""

    refreshed_at: datetime | None
    """The newest sign of an update; None if there is none."""
    releases: tuple[ReleaseFile, ...]


def parse(output: Output) -> Lists:
    """Read stamps and release files."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the listing of apt's files is cut short"))
    stamps: list[int] = []
    releases: list[ReleaseFile] = []
    for line in lines[:-1]:
        word, _, rest = line.strip().partition(" ")
        if word == "stamp" and rest.split(" ", 1)[0].isdigit():
            stamps.append(int(rest.split(" ", 1)[0]))
        elif word == "release":
            releases.append(ReleaseFile(rest.rsplit("/", 1)[-1], None, None))
        elif word == "Date:" and releases:
            last = releases.pop()
            releases.append(ReleaseFile(last.name, _moment(rest), last.valid_until))
        elif word == "Valid-Until:" and releases:
            last = releases.pop()
            releases.append(ReleaseFile(last.name, last.made_at, _moment(rest)))
        else:
            raise Unparseable(msg("a line of apt's files cannot be parsed: {line}", line=shown(line, 80)))
    refreshed_at = datetime.fromtimestamp(max(stamps), UTC) if stamps else None
    return Lists(refreshed_at, tuple(releases))


def _moment(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as error:
        raise Unparseable(msg("a release file has the date {seen}", seen=shown(text, 40))) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


PROBE = Probe("apt.lists", ("sh", "-c", _SCRIPT), parse)
