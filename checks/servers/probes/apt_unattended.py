"""How unattended-upgrades' last run ended: the end of its log. Debian and Ubuntu. Needs root.

The stamp of a run says nothing of its end: runs that fail write it too. Of the log's runs the last counts that installed, failed or
found nothing to install; one that only downloads, or skips a day, ends without a word. Its times are of the host's own zone.

    run 2026-11-25 06:12:40 ok
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v unattended-upgrade >/dev/null || exit 127
L=/var/log/unattended-upgrades/unattended-upgrades.log
{ [ ! -f $L.1.gz ] || gzip -dc $L.1.gz; [ ! -f $L.1 ] || cat $L.1; [ ! -f $L ] || cat $L; } | tail -c 262144 | awk '
  function over() { if (how != "") { last = how; at = when } how = "" }
  $1 !~ /^[0-9]+-[0-9]+-[0-9]+$/ || $2 !~ /^[0-9]+:[0-9]+:[0-9]+,/ { next }
  / Starting unattended upgrades script/ { over() }
  { when = $1 " " substr($2, 1, 8) }
  $3 ~ /^(ERROR|CRITICAL)$/ { how = "failed" }
  how != "failed" && / Packages that will be upgraded: / { how = "broken-off" }
  how != "failed" && / (All upgrades installed|No packages found that can be upgraded unattended)/ { how = "ok" }
  END { over(); if (last != "") print "run " at " " last }'
echo end
"""
_RUN = re.compile(r"run (\S+ \S+) (ok|failed|broken-off)")


@dataclass(frozen=True, slots=True)
class UnattendedRun:
    """The last run that came to an end, or that was broken off while it installed."""

    at: datetime
    """By the host's own clock and zone, taken as UTC."""
    ended: str
    """`ok`, `failed` or `broken-off`."""


def parse(output: Output) -> UnattendedRun | None:
    """Read the run; None where the log tells of none."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the log of unattended-upgrades is cut short"))
    if len(lines) == 1:
        return None
    run = _RUN.fullmatch(lines[0].strip())
    try:
        return UnattendedRun(
            datetime.strptime(run[1] if run else "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC), run[2] if run else ""
        )
    except ValueError as error:
        said = msg("a line of the log of unattended-upgrades cannot be parsed: {line}", line=shown(lines[0], 80))
        raise Unparseable(said) from error


PROBE = Probe("apt.unattended", ("sh", "-c", _SCRIPT), parse, needs_root=True)
