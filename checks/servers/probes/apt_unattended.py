"""How unattended-upgrades' last run ended: the end of its log. Debian and Ubuntu. Needs root.

The stamp of a run says nothing of its end: runs that fail write it too. Of the log's runs the last counts that installed, failed or
found nothing to install; that it could send no mail, having installed or not, says nothing of its end. One that only downloads, or skips a day, ends without a word. Its times are of the host's own zone. The
last that installed, and when apt's settings last changed, tell whether these were tried.

    run 2026-11-25 06:12:40 ok
    installed 2026-11-23 06:31:02
    set-up 2026-10-02 09:15:40.120000000 +0700
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
  $3 ~ /^(ERROR|CRITICAL)$/ && !/ ERROR No \/usr\/bin\/mail or \/usr\/sbin\/sendmail, can not send mail/ { how = "failed" }
  how != "failed" && / Packages that will be upgraded: / { how = "broken-off" }
  how != "failed" && / (All upgrades installed|No packages found that can be upgraded unattended)/ { how = "ok" }
  / Starting unattended upgrades script/ { n = 0 }
  / Packages that will be upgraded: / { n = 1 }
  n && how == "ok" && / All upgrades installed/ { did = when }
  END { over(); if (last != "") print "run " at " " last; if (did != "") print "installed " did }'
stat -c 'set-up %z' /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/apt.conf.d/* 2>/dev/null | sort | tail -n 1
echo end
"""
_RUN = re.compile(r"run (\S+ \S+) (ok|failed|broken-off)")
_MOMENT = re.compile(r"(installed|set-up) (\d+-\d\d-\d\d \d\d:\d\d:\d\d)\S*(?: \S+)?")


@dataclass(frozen=True, slots=True)
class UnattendedRun:
    """The last run that came to an end, or that was broken off while it installed."""

    at: datetime
    """By the host's own clock and zone, taken as UTC."""
    ended: str
    """`ok`, `failed` or `broken-off`."""
    has_installed_so: bool = False
    """One that installed ended well since apt's settings last changed."""


def parse(output: Output) -> UnattendedRun | None:
    """Read the run; None where the log tells of none."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the log of unattended-upgrades is cut short"))
    moments = {match[1]: match[2] for match in map(_MOMENT.fullmatch, lines) if match}
    lines = [line for line in lines if not _MOMENT.fullmatch(line)]
    if len(lines) == 1:
        return None
    run = _RUN.fullmatch(lines[0])
    try:
        at = datetime.strptime(run[1] if run else "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        said = msg("a line of the log of unattended-upgrades cannot be parsed: {line}", line=shown(lines[0], 80))
        raise Unparseable(said) from error
    # NOTE: both are of the host's own zone, in which digits are compared as they stand
    return UnattendedRun(
        at, run[2] if run else "", "set-up" in moments and moments.get("installed", "") > moments["set-up"]
    )


PROBE = Probe("apt.unattended", ("sh", "-c", _SCRIPT), parse, needs_root=True)
