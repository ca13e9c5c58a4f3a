"""Space on each file system: `df -PkT`, as df(1) and POSIX have it. A network disk that hangs ends in a timeout.
A mount of a single file, as containers get theirs, is left out.

Filesystem     Type 1024-blocks     Used Available Capacity Mounted on
/dev/vda       ext4   264212084 10866776  82428728      12% /
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

FIXED = frozenset({"squashfs", "iso9660", "erofs", "udf"})
"""File systems that are full by nature."""


@dataclass(frozen=True, slots=True)
class Space:
    """One file system's room, in whatever unit: KiB or inodes."""

    mount: str
    used: int
    free: int
    """What is left for everyone, without root's reserve."""

    @property
    def free_percent(self) -> int:
        """Return the share that is left, rounded down; 100 for a file system that has no such thing."""
        return self.free * 100 // (self.used + self.free) if self.used + self.free > 0 else 100


def parse(output: Output) -> tuple[Space, ...]:
    """Read used and available of each line."""
    found = []
    for line in output.lines()[1:]:
        words = line.split(maxsplit=6)
        if len(words) != 7 or not words[3].isdigit() or not words[4].lstrip("-").isdigit():
            raise Unparseable(msg("df printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        if words[1] not in FIXED:
            found.append(Space(words[6], int(words[3]), max(int(words[4]), 0)))
    if not found:
        raise Unparseable(msg("df listed no file system"))
    return tuple(found)


def without_files(command: str) -> str:
    """Return shell that runs df, and leaves out where a single file is mounted: its file system's room is not the host's to keep."""
    return f"""
X=$({command}) || exit $?
printf '%s\\n' "$X" | while IFS= read -r l; do [ -f "/${{l##* /}}" ] || printf '%s\\n' "$l"; done
"""


PROBE = Probe("disk.space", ("sh", "-c", without_files("df -PkT -x tmpfs -x devtmpfs")), parse)
