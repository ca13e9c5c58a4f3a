"""When each account last logged in: `lastlog`, else `lastlog2`, as lastlog(8) and lastlog2(8) have it.

Debian 13 and other new systems have neither as delivered.

    Username         Port     From             Latest
    root                                       **Never logged in**
    an               pts/0    198.51.100.7     Wed Nov 25 02:00:00 +0000 2026
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
if command -v lastlog >/dev/null; then lastlog || exit $?
elif command -v lastlog2 >/dev/null; then lastlog2 -a 2>/dev/null || lastlog2 || exit $?
else exit 127
fi
echo end
"""
_ROW = re.compile(
    r"(?P<name>\S+)\s(?P<way>.*?)(?:\*\*Never logged in\*\*"
    r"|(?P<at>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [+-]\d{4} \d{4}))\s*(?:\S+)?\s*"
)


@dataclass(frozen=True, slots=True)
class LastLogin:
    """An account's last login."""

    at: datetime
    is_remote: bool
    """It came over the network, and not from the machine's own console."""


def parse(output: Output) -> Mapping[str, LastLogin | None]:
    """Return each account's last login, None for never."""
    lines = output.lines()
    if len(lines) < 2 or lines[-1].strip() != "end" or not lines[0].startswith("Username"):
        raise Unparseable(msg("the list of last logins is cut short"))
    found: dict[str, LastLogin | None] = {}
    for line in lines[1:-1]:
        row = _ROW.fullmatch(line.rstrip())
        if row is None:
            raise Unparseable(msg("lastlog printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        found[row["name"]] = None
        if row["at"]:
            at = datetime.strptime(row["at"], "%a %b %d %H:%M:%S %z %Y")
            found[row["name"]] = LastLogin(at, _is_remote(row["way"].split()))
    if not found:
        raise Unparseable(msg("the list of last logins is empty"))
    return found


def _is_remote(way: Sequence[str]) -> bool:
    """Say whether the columns before the moment, port and from, name another machine; `:0` is this one's own display."""
    return len(way) > 1 and not way[1].startswith(":")


PROBE = Probe("acct.lastlog", ("sh", "-c", _SCRIPT), parse)
