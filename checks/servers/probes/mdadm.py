"""What each software RAID array says of its members: `mdadm --detail --export` of all that /proc/mdstat names. Needs root.

A member that is out has the role `spare`, or is not there at all. mdadm need not be installed where there is no array; more
than 64 arrays are too many for one answer: none is told then. Source: mdadm(8). mdadm 4.4, a mirror without one half:

    array md0
    MD_LEVEL=raid1
    MD_DEVICES=2
    MD_DEVICE_dev_loop0_ROLE=0
    MD_DEVICE_dev_loop0_DEV=/dev/loop0
    code 0
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
command -v mdadm >/dev/null || ! grep -q '^md' /proc/mdstat 2>/dev/null || exit 127
a=$(sed -n 's/^\(md[A-Za-z0-9_]*\) : .*/\1/p' /proc/mdstat 2>/dev/null)
[ "$(printf '%s\n' "$a" | wc -l)" -le 64 ] || { echo 'more than 64 arrays' >&2; exit 3; }
for d in $a; do
  printf 'array %s\n' "$d"
  mdadm --detail --export "/dev/$d"
  printf 'code %s\n' "$?"
done
echo end
"""
_ARRAY = re.compile(r"array (md[A-Za-z0-9_]{0,60})")
_CODE = re.compile(r"code (\d{1,3})")
_DEVICES = re.compile(r"MD_DEVICES=(\d{1,4})")
_ROLE = re.compile(r"MD_DEVICE_[A-Za-z0-9_]{1,64}_ROLE=(\d{1,4})")
_PLACE = re.compile(r"MD_DEVICE_([A-Za-z0-9_]{1,64})_(ROLE|DEV)=(\S{1,100})")
_MIRRORS = re.compile(r"MD_LEVEL=raid(?:1|10|4|5|6)")
_DISK = re.compile(r"/dev/(?:((?:sd|vd|xvd|hd)[a-z]+)\d*|((?:nvme\d+n|mmcblk)\d+)(?:p\d+)?)")
_CONTAINER = "MD_LEVEL=container"


@dataclass(frozen=True, slots=True)
class Members:
    """The members of one array."""

    wanted: int
    present: int
    """How many places of the array are taken by a member."""
    survives: bool = True
    """Its level keeps more than one copy, and no two members lie on one disk, or it keeps none by its level."""

    @property
    def is_whole(self) -> bool:
        return self.present >= self.wanted


def parse(output: Output) -> Mapping[str, Members]:
    """Return the members by the array's name; an array that could not be asked is left out."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the arrays' answers are cut short"))
    found: dict[str, Members] = {}
    name, answer = "", list[str]()
    for line in lines[:-1]:
        if match := _ARRAY.fullmatch(line):
            if name or match[1] in found:
                raise _form()
            name, answer = match[1], []
        elif match := _CODE.fullmatch(line):
            if not name:
                raise _form()
            if int(match[1]) == 0:
                found[name] = _members(answer)
            name = ""
        else:
            answer.append(line)
    if name:
        raise Unparseable(msg("the arrays' answers are cut short"))
    return found


def _members(answer: list[str]) -> Members:
    wanted = [int(match[1]) for line in answer if (match := _DEVICES.fullmatch(line))]
    if len(wanted) != 1:
        raise _form()
    if _CONTAINER in answer:  # it holds arrays and is none: its disks have no place in it
        return Members(0, 0)
    roles = {int(match[1]) for line in answer if (match := _ROLE.fullmatch(line))}
    return Members(wanted[0], len({role for role in roles if role < wanted[0]}), _survives(answer, wanted[0]))


def _survives(answer: list[str], wanted: int) -> bool:
    """Say whether an array whose level is to survive the loss of one disk does."""
    if not any(map(_MIRRORS.fullmatch, answer)):
        return True
    said = [match for line in answer if (match := _PLACE.fullmatch(line))]
    active = {match[1] for match in said if match[2] == "ROLE" and match[3].isdecimal()}
    places = [found[1] or found[2] for one in said if one[1] in active and (found := _DISK.fullmatch(one[3]))]
    return wanted > 1 and len(set(places)) == len(places)


def _form() -> Unparseable:
    return Unparseable(msg("an array's answer cannot be parsed"))


PROBE = Probe("disk.mdadm", ("sh", "-c", _SCRIPT), parse, needs_root=True)
