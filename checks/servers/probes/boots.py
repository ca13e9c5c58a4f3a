"""When the host was started: `journalctl --list-boots`, as journalctl(1) has it, and the kernel's own word on this time.

Who is neither root nor in `systemd-journal` or `adm` sees no boot, or only a part. A journal that is kept in memory alone
knows the present boot only.

    now 5d8f4ab09a0e4f0e9b9f3b6ac2f5b7a1 1795317369
     0 5d8f4ab09a0e4f0e9b9f3b6ac2f5b7a1 Thu 2026-11-26 03:16:09 UTC Thu 2026-11-26 05:01:12 UTC
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v journalctl >/dev/null || exit 127
printf 'now %s %s\n' "$(tr -d - </proc/sys/kernel/random/boot_id)" "$(sed -n 's/^btime //p' /proc/stat)"
[ -d /var/log/journal ] && echo kept
journalctl --list-boots --no-pager || exit $?
echo end
"""
_NOW = re.compile(r"now ([0-9a-f]{32}) (\d{1,11})")
_BOOT = re.compile(r" *-?\d+ (?P<id>[0-9a-f]{32}) [A-Z][a-z]{2} (?P<first>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC.*")


@dataclass(frozen=True, slots=True)
class Boots:
    """The starts that are known of."""

    at: tuple[datetime, ...]
    """Oldest first, the present one included; UTC."""
    is_kept: bool
    """The journal is kept on disk, so older boots are in it."""


def parse(output: Output) -> Boots:
    """Read the boots; where the present one is not among them, the account may not see them."""
    lines = [line.rstrip() for line in output.lines()]
    if "not seeing messages" in output.errors or "insufficient permissions" in output.errors.lower():
        raise Unparseable(
            msg("the journal is empty: the account may not read it, or the host keeps none"),
            reason="journal-closed",
        )
    now = _NOW.fullmatch(lines[0]) if lines else None
    if now is None or lines[-1] != "end":
        raise Unparseable(msg("the list of boots is cut short"))
    is_kept = lines[1] == "kept"
    found: dict[str, datetime] = {}
    for line in lines[2 if is_kept else 1 : -1]:
        boot = _BOOT.fullmatch(line)
        if boot is not None:
            found[boot["id"]] = datetime.strptime(boot["first"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        elif not line.startswith("IDX "):
            raise Unparseable(msg("journalctl printed a line that cannot be parsed: {line}", line=shown(line, 80)))
    if now[1] not in found:
        raise Unparseable(msg("the journal does not name the present boot"), reason="journal-closed")
    found[now[1]] = datetime.fromtimestamp(int(now[2]), UTC)
    return Boots(tuple(sorted(found.values())), is_kept)


PROBE = Probe("change.boots", ("sh", "-c", _SCRIPT), parse)
