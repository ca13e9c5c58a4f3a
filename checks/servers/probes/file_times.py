"""When the files of `etc_files` were last changed: the kernel's own time of each, and that of its content, `%C@ %T@` of find(1).

The kernel's own time (ctime) moves with every change of the content, the owner, the mode or the name, and no program sets it to
another time, as touch(1) does with the time of the content (mtime). So the content was written at ctime at the latest; a time of
the content before that is a hint that it was earlier. Names with line ends have `?` in their place. Answers of before the time
of the content was looked at have only the first number.

    1795143731.5532000000 1795143731.5492000000 /etc/ssh/sshd_config
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.etc_files import FOLDERS, PRUNED, SECRET
from portalops.model.message import msg

_SCRIPT = rf"""
command -v find >/dev/null || exit 127
set --
for d in {" ".join(FOLDERS)}; do [ -d "$d" ] && set -- "$@" "$d"; done
{{ find "$@" -ignore_readdir_race -xdev \( {PRUNED} \) -prune -o \( -type f {SECRET} -o -type l \) -printf '%C@ %T@ %p\0' || printf 'find-failed\0'; }} |
  tr '\n\0' '?\n'
echo end
"""
_ROW = re.compile(r"(?P<seconds>\d{1,11})(\.\d{1,12})? ((?P<written>-?\d{1,20})(\.\d{1,12})? )?(?P<path>/.*)")
_LAST = 253_402_300_799
"""The last second of the year 9999: anybody may give a file's content any time."""


class FileTime(NamedTuple):
    """When a file was changed, by the host's clock, in whole seconds, UTC."""

    changed_at: datetime
    """By the kernel's own time (ctime)."""
    written_at: datetime | None = None
    """By the time of its content (mtime), which any program can set; None where it is not known, or is no moment."""


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
        )
    return found


PROBE = Probe("change.times", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30, limit_bytes=2 << 20)
