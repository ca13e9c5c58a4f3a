"""Inodes on each file system: `df -Pi`, as df(1) has it. Those that make inodes as they go print zeros or dashes.

Filesystem       Inodes  IUsed    IFree IUse% Mounted on
/dev/vda       16777216 348335 16428881    3% /
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.disk_space import Space, without_files
from portalops.model.message import msg


def parse(output: Output) -> tuple[Space, ...]:
    """Read used and free inodes of each line."""
    if not output.lines():
        raise Unparseable(msg("df listed no file system"))
    found = []
    for line in output.lines()[1:]:
        words = line.split(maxsplit=5)
        if len(words) != 6:
            raise Unparseable(msg("df printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        if words[2].isdigit() and words[3].isdigit():
            found.append(Space(words[5], int(words[2]), int(words[3])))
    return tuple(found)


PROBE = Probe(
    "disk.inodes",
    ("sh", "-c", without_files("df -Pi -x tmpfs -x devtmpfs -x squashfs -x iso9660 -x erofs -x udf")),
    parse,
)
