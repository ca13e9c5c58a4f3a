"""The disks of this machine with their sizes, as the kernel has them: what psutil would say outside of a service's walls.

It is asked of the probe service alone, which answers without a file system of its own. A mount is left out whose kind needs no
device, as psutil leaves it out, or that does not answer. Sources: proc_mounts(5), proc_filesystems(5), stat(1). On Debian 13:

    /boot\\040efi vfat rw,relatime,fmask=0077 130812 128903 128903 4096
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
K=" $(grep -v ^nodev /proc/filesystems | tr -d '\t' | tr '\n' ' ') zfs "
while read -r d m t o x; do
  case $K in *" $t "*) ;; *) continue ;; esac
  [ "$d" != none ] || continue
  s=$(stat -f -c '%b %f %a %S' -- "$(printf '%b' "$m")") && printf '%s %s %s %s\n' "$m" "$t" "$o" "$s"
done </proc/self/mounts
exit 0
"""
_OCTAL = re.compile(r"\\([0-7]{3})")
_LINE = re.compile(r"(/\S*) (\S+) (\S+) (\d+) (\d+) (\d+) (\d+)")


@dataclass(frozen=True, slots=True)
class SizedMount:
    """One mounted disk; sizes in bytes."""

    mount: str
    type: str
    total_bytes: int
    free_bytes: int
    """To be had by everyone, not only by root."""
    used_bytes: int
    read_only: bool


def parse(output: Output) -> tuple[SizedMount, ...]:
    r"""Read the lines.

    >>> parse(Output(0, "/boot\\040efi vfat ro,relatime 1000 900 800 4096\n", ""))[0].mount
    '/boot efi'
    """
    return tuple(_mount(line) for line in output.lines())


def _mount(line: str) -> SizedMount:
    found = _LINE.fullmatch(line)
    if found is None:
        raise Unparseable(msg("a mounted disk was shown as {seen}", seen=shown(line, 60)))
    blocks, free, open_to_all, size = (int(found[number]) for number in (4, 5, 6, 7))
    mount = _OCTAL.sub(lambda each: chr(int(each[1], 8)), found[1])
    return SizedMount(
        mount, found[2], blocks * size, open_to_all * size, (blocks - free) * size, "ro" in found[3].split(",")
    )


PROBE = Probe("machine.mounts", ("sh", "-c", _SCRIPT), parse)
