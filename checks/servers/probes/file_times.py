"""When the files of `etc_files` were last changed, and who may do what with them: `%C@ %T@ %m %u:%g` of find(1).

Folders are listed too, with a slash at their end, and the tables of cron; of a link, its mode says nothing.

The kernel's own time (ctime) moves with every change of the content, the owner, the mode or the name, and no program sets it to
another time, as touch(1) does with the time of the content (mtime). So the content was written at ctime at the latest; a time of
the content before that is a hint that it was earlier. Names with line ends have `?` in their place. Answers of before the time
of the content or the rights were looked at have less in a line.

    1795143731.5532000000 1795143731.5492000000 644 root:root /etc/ssh/sshd_config
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.etc_files import PRUNED, ROOTS
from portalops.model.message import msg

_SCRIPT = rf"""
command -v find >/dev/null || exit 127
{ROOTS}
[ ! -d /var/spool/cron ] || set -- "$@" /var/spool/cron
{{ find "$@" -ignore_readdir_race -xdev \( {PRUNED} -o -path '/var/spool/cron/at*' \) -prune -o -type d -printf '%C@ %T@ %m %u:%g %p/\0' \
  -o \( -type f -o -type l \) -printf '%C@ %T@ %m %u:%g %p\0' || printf 'find-failed\0'; }} |
  tr '\n\0' '?\n'
echo end
"""
_ROW = re.compile(
    r"(?P<seconds>\d{1,11})(\.\d{1,12})? ((?P<written>-?\d{1,20})(\.\d{1,12})? "
    r"((?P<rights>[0-7]{1,5} [^/\s]+:[^/\s]+) )?)?(?P<path>/.*)"
)
_LAST = 253_402_300_799
"""The last second of the year 9999: anybody may give a file's content any time."""


class FileTime(NamedTuple):
    """When a file was changed, by the host's clock, in whole seconds, UTC; and its rights."""

    changed_at: datetime
    """By the kernel's own time (ctime)."""
    written_at: datetime | None = None
    """By the time of its content (mtime), which any program can set; None where it is not known, or is no moment."""
    rights: str | None = None
    """Mode in octal, owner and group; None where they were not looked at."""


def parse(output: Output) -> Mapping[str, FileTime]:
    """Return by path when each was changed."""
    lines = [line.rstrip("\r") for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end":
        raise Unparseable(msg("the listing of files is cut short"))
    found: dict[str, FileTime] = {}
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(
                msg("the listing of files has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
        written = int(row["written"]) if row["written"] else -1
        found[row["path"]] = FileTime(
            datetime.fromtimestamp(int(row["seconds"]), UTC),
            datetime.fromtimestamp(written, UTC) if 0 <= written <= _LAST else None,
            row["rights"],
        )
    return found


PROBE = Probe("change.times", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30, limit_bytes=2 << 20)
