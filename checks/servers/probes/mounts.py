"""What is mounted how: /proc/mounts, as proc(5) and fstab(5) have it.

/dev/vda / ext4 rw,relatime 0 0
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_OCTAL = re.compile(r"\\([0-7]{3})")


def parse(output: Output) -> Mapping[str, bool]:
    """Return, by mount point, whether it is read-only; of several on one point the last one shows."""
    found = {}
    for line in output.lines():
        words = line.split(" ")
        if len(words) < 4:
            raise Unparseable(msg("the list of mounts has a line that cannot be parsed: {line}", line=shown(line, 80)))
        point = _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), words[1])
        found[point] = "ro" in words[3].split(",")
    if "/" not in found:
        raise Unparseable(msg("the list of mounts has no root"))
    return found


PROBE = Probe("disk.mounts", ("cat", "/proc/mounts"), parse)
