"""When the files of `etc_files` were last changed: the kernel's own time of each, `%C@` of find(1).

It moves with every change of the content, the owner, the mode or the name, and no program sets it to another time, as touch(1)
does with the time of the content. Names with line ends have `?` in their place.

    1795143731.5532000000 /etc/ssh/sshd_config
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.etc_files import FOLDERS, PRUNED, SECRET
from portalops.model.message import msg

_SCRIPT = rf"""
command -v find >/dev/null || exit 127
set --
for d in {" ".join(FOLDERS)}; do [ -d "$d" ] && set -- "$@" "$d"; done
{{ find "$@" -ignore_readdir_race -xdev \( {PRUNED} \) -prune -o \( -type f {SECRET} -o -type l \) -printf '%C@ %p\0' || printf 'find-failed\0'; }} |
  tr '\n\0' '?\n'
echo end
"""
_ROW = re.compile(r"(?P<seconds>\d{1,11})(\.\d{1,12})? (?P<path>/.*)")


def parse(output: Output) -> Mapping[str, datetime]:
    """Return by path when each was changed, in whole seconds, UTC."""
    lines = [line.rstrip("\r") for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end":
        raise Unparseable(msg("the listing of files broke off"))
    found: dict[str, datetime] = {}
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(msg("the listing of files has a line of unknown form: {line}", line=shown(line, 100)))
        found[row["path"]] = datetime.fromtimestamp(int(row["seconds"]), UTC)
    return found


PROBE = Probe("change.times", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30, limit_bytes=2 << 20)
