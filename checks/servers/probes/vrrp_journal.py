"""When keepalived took and gave up its addresses: its lines in the journal, which the groups `adm` and `systemd-journal` may read.

The first line of the whole journal is printed too: what happened before it can't be known. Source: journalctl(1).

    1795612800.123456 lb1 Keepalived_vrrp[411]: (PORTAL) Entering MASTER STATE
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v keepalived >/dev/null || exit 127
command -v journalctl >/dev/null || exit 127
case " $(id -un) $(id -nG) " in
  *' root '*|*' adm '*|*' systemd-journal '*|*' wheel '*) ;;
  *) echo 'not in the group adm or systemd-journal' >&2; exit 1 ;;
esac
journalctl -q --no-pager -o short-unix 2>&1 | head -n 1 | cut -c 1-200
echo
echo states
journalctl -q --no-pager -o short-unix -t Keepalived_vrrp --since -185d --grep 'Entering [A-Z]+ STATE' | tail -n 500 | cut -c 1-300
echo end
"""
_MOMENT = re.compile(r"(\d{9,11})\.\d+ ")
_CHANGE = re.compile(
    r"(\d{9,11})\.\d+ \S+ Keepalived_vrrp\[\d+\]: \((?P<name>[^)]{1,64})\) Entering (?P<state>[A-Z]+) STATE"
)


@dataclass(frozen=True, slots=True)
class VrrpChange:
    """One change of one instance."""

    at: datetime
    """To the second, rounded down."""
    instance: str
    state: str
    """`MASTER`, `BACKUP` or `FAULT`."""


@dataclass(frozen=True, slots=True)
class VrrpJournal:
    """What the journal still has."""

    since: datetime
    """Of its oldest line."""
    changes: tuple[VrrpChange, ...]
    """The newest 500 of half a year."""


def parse(output: Output) -> VrrpJournal:
    """Read the oldest line's time and each change."""
    lines = output.lines()
    whole = len(lines) >= 3 and lines[1].strip() == "states" and lines[-1].strip() == "end"
    oldest = _MOMENT.match(lines[0]) if whole else None
    if oldest is None:
        seen = shown(lines[0], 80) if lines else "-"
        raise Unparseable(msg("the journal cannot be read: {seen}", seen=seen), reason="journal-unreadable")
    matches = (_CHANGE.match(line) for line in lines[2:-1])
    changes = tuple(
        VrrpChange(datetime.fromtimestamp(int(match[1]), UTC), match["name"], match["state"])
        for match in matches
        if match
    )
    return VrrpJournal(datetime.fromtimestamp(int(oldest[1]), UTC), changes)


PROBE = Probe("ha.vrrp-journal", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30)
