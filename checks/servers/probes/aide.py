"""What AIDE found: its baseline and the end of its log. Needs root. Source: aide(1).

AIDE 0.19 of Debian 13, where nothing changed:

    Start timestamp: 2026-11-26 05:00:00 +0000 (AIDE 0.19.1)
    AIDE found NO differences between database and filesystem. Looks okay!!
    End timestamp: 2026-11-26 05:00:07 +0000 (run time: 0m 7s)

Of some of the system's own programs and settings that are there it is told whether the baseline holds a digest, and how many entries
that has:

    covers yes /usr/sbin/sshd
    entries 51234

Where something changed, each entry of the run that ended last follows, at most 1000, and when the kernel last changed what is
there now (`%Z` of stat(1)):

    listed Changed /usr/local/bin/portal
    time 1795143731 /usr/local/bin/portal
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
command -v aide >/dev/null || exit 127
for f in /var/lib/aide/aide.db /var/lib/aide/aide.db.gz; do [ -e "$f" ] && stat -c 'base %Y %s' "$f"; done
w=
for f in /usr/sbin/sshd /usr/bin/su /usr/bin/passwd /usr/bin/sudo /usr/lib/systemd/systemd /usr/lib/*/libc.so.6 /usr/lib/*/security/pam_unix.so /etc/passwd /etc/shadow /etc/sudoers /etc/crontab /etc/ssh/sshd_config; do [ -f "$f" ] && [ ! -L "$f" ] && w="$w $f"; done
for f in /var/lib/aide/aide.db /var/lib/aide/aide.db.gz; do [ -s "$f" ] && zcat -f "$f" && break; done 2>/dev/null | w=$w awk '
  BEGIN { n = split(ENVIRON["w"], wanted, " "); for (i = 1; i <= n; i++) { of[wanted[i]] = i; said[i] = "no" } }
  $1 == "@@db_spec" { for (i = 3; i <= NF; i++) if ($i ~ /^(md5|sha|rmd|tiger|whirlpool|gost|stribog)/) digest[i - 1] = 1 }
  /^\// { entries++ }
  $1 in of { for (i in digest) if (9 < length($i)) said[of[$1]] = "yes" }
  END { print "entries", entries + 0; for (i = 1; i <= n; i++) print "covers", said[i], wanted[i] }'
for f in /var/log/aide/aide.log; do
  if [ -e "$f" ]; then
    stat -c 'log %Y' "$f"
    grep -a -E '^(Start timestamp|End timestamp|AIDE found|AIDE, version|Limit:|(Total n|N)umber of entries|  Total number of entries| *(Added|Removed|Changed) entries)' "$f" | tail -n 40
    l=$(awk '
      /^Start timestamp/ { n = 0; now = kind = "" }
      /^(Added|Removed|Changed) entries:$/ { kind = $1; next }
      /^Detailed information/ { kind = "" }
      kind && length($0) <= 400 && /^[A-Za-z?!|][^\/]*: \// && ++n <= 1000 { now = now "listed " kind " " substr($0, index($0, ": /") + 2) "\n" }
      /^End timestamp/ { last = now }
      END { printf "%s", last }' "$f")
    [ -z "$l" ] || {
      printf '%s\n' "$l"
      printf '%s\n' "$l" | sed -n 's/^listed [AC][a-z]* //p' | xargs -r -d '\n' stat -c 'time %Z %n' -- 2>/dev/null
    }
  fi
done
echo end
"""
_BASE = re.compile(r"base (\d{9,11}) (\d{1,15})$")
_COVERS = re.compile(r"covers (yes|no) (/\S+)$")
_ENTRIES = re.compile(r"entries (\d{1,9})$")
_TOTAL = re.compile(r"(?:Total n|N)umber of entries:\s*(\d{1,9})$")
_ENDED = re.compile(r"End timestamp: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})\b")
_LISTED = re.compile(r"listed (Added|Removed|Changed) (/.*)")
_TIME = re.compile(r"time (\d{1,11}) (/.*)")
_COUNT = re.compile(r"(Added|Removed|Changed) entries:\s*(\d{1,9})$")


@dataclass(frozen=True, slots=True)
class AideDifference:
    """One difference that the run lists."""

    path: str
    is_there: bool
    """False: it was removed."""
    changed_at: datetime | None
    """When what is there now was last changed, by the kernel; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Aide:
    """The baseline and the run that ended last."""

    has_baseline: bool
    ended_at: datetime | None
    """None: no run's end is in the log."""
    found: tuple[tuple[str, int], ...] | None
    """How many entries were `added`, `removed`, `changed`; empty where nothing differs, None where the log does not say."""
    entries: tuple[AideDifference, ...] = ()
    """What differs, as far as the log lists it."""
    made_at: datetime | None = None
    """When the baseline was last written."""
    covers: Mapping[str, bool] = field(default_factory=dict)
    """Of the system's own files: whether the baseline holds a digest; empty in answers of versions before that was asked."""
    entries_of_baseline: int = 0
    """0 in answers of versions before that was asked."""
    entries_of_run: int | None = None
    """How many entries the run looked at; None where its log does not tell."""
    limit: str = ""
    """What the run was limited to (`--limit`); empty for all. Before AIDE 0.19 it counts the others all the same."""


def parse(output: Output) -> Aide:
    """Read the last run that ended."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("AIDE's findings are cut short"))
    bases = [int(match[1]) for line in lines if (match := _BASE.fullmatch(line)) and int(match[2]) > 0]
    covers = {match[2]: match[1] == "yes" for line in lines if (match := _COVERS.fullmatch(line))}
    ended: datetime | None = None
    last: tuple[tuple[str, int], ...] | None = None
    said: bool | None = None
    counts: dict[str, int] = {}
    total = last_total = None
    limit = last_limit = ""
    kinds: dict[str, str] = {}
    times: dict[str, datetime] = {}
    for line in lines:
        if match := _LISTED.fullmatch(line):
            kinds[match[2]] = match[1]
        elif match := _TIME.fullmatch(line):
            times[match[2]] = datetime.fromtimestamp(int(match[1]), UTC)
        elif line.startswith("Start timestamp"):
            said, counts, total, limit = None, {}, None, ""
        elif line.startswith("Limit:"):
            limit = line.removeprefix("Limit:").strip()
        elif match := _TOTAL.fullmatch(line):
            total = int(match[1])
        elif line.startswith("AIDE found NO differences"):
            said = False
        elif line.startswith("AIDE found differences"):
            said = True
        elif match := _COUNT.search(line):
            counts[match[1].lower()] = int(match[2])
        elif match := _ENDED.match(line):
            try:
                ended = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
            except (ValueError, OverflowError) as error:
                raise Unparseable(msg("AIDE's log cannot be parsed")) from error
            last = None if said is None else (tuple(sorted(counts.items())) if said else ())
            if said and not counts:
                last = (("changed", 1),)
            last_total, last_limit = total, limit
            said, counts, total, limit = None, {}, None, ""
    entries = tuple(AideDifference(path, kind != "Removed", times.get(path)) for path, kind in kinds.items())
    made_at = datetime.fromtimestamp(bases[0], UTC) if bases else None
    of_baseline = sum(int(match[1]) for line in lines if (match := _ENTRIES.fullmatch(line)))
    return Aide(bool(bases), ended, last, entries, made_at, covers, of_baseline, last_total, last_limit)


PROBE = Probe("ids.aide", ("sh", "-c", _SCRIPT), parse, needs_root=True, limit_bytes=1 << 20)
