"""How ClamAV's updater fared: the end of its log. Needs root. Source: freshclam(1).

At each start freshclam gives its log to its own group, though Debian's package made it for the group `adm`.

ClamAV 1.4 of Debian writes /var/log/clamav/freshclam.log, that of RHEL /var/log/freshclam.log:

    Thu Nov 26 05:00:01 2026 -> ClamAV update process started at Thu Nov 26 05:00:01 2026
    Thu Nov 26 05:00:02 2026 -> daily.cvd database is up-to-date (version: 27830, sigs: 2077000, f-level: 90, builder: raynman)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
for f in /var/log/clamav/freshclam.log /var/log/freshclam.log; do
  if [ -e "$f" ]; then tail -c 4096 "$f" || exit $?; echo; fi
done
echo end
"""
_START = re.compile(
    r"ClamAV update process started at (?:[A-Z][a-z]{2}) (?P<at>[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$"
)
_DONE = re.compile(r"is up-to-date \(version: |updated \(version: ")
"""Of one's own mirror too: `portal.ndb is up-to-date (version: custom database)`."""
_FAILED = re.compile(r"(?:-> |^)ERROR: (?P<what>.*)$")
"""NOTE: warnings say little: without DNS, as in a closed network, each try begins with two of them and succeeds."""


@dataclass(frozen=True, slots=True)
class UpdateTry:
    """The newest try that the log tells of."""

    at: datetime | None
    """When it began, by the host's own clock and zone, taken as UTC; None if the log tells of none."""
    succeeded: bool
    problem: str
    """The first complaint; empty if there was none."""


def parse(output: Output) -> UpdateTry:
    """Read what came after the last start."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the updater's log is cut short"))
    if len(lines) == 1:
        raise Unparseable(msg("the updater has no log"), reason="no-log")
    at, succeeded, problem = None, False, ""
    for line in lines[:-1]:
        if start := _START.search(line.strip()):
            at = datetime.strptime(start["at"], "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
            succeeded, problem = False, ""
        elif _DONE.search(line):
            succeeded = True
        elif failure := _FAILED.search(line):
            problem = problem or shown(failure["what"], 120)
    return UpdateTry(at, succeeded and not problem, problem)


PROBE = Probe("malware.updates", ("sh", "-c", _SCRIPT), parse, needs_root=True)
