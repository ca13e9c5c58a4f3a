"""What disks say of themselves: `smartctl -H -A` of each that `smartctl --scan` names. Needs root. Source: smartctl(8).

Each disk's answer is one line of JSON, before it its name, after it smartctl's exit code, whose bits 0 to 2 mean that it
could not be asked. More than 64 disks are too many for one answer: none is told then.

    disk /dev/sda
    {"json_format_version":[1,0],"smartctl":{"exit_status":0},"smart_status":{"passed":true},"power_on_time":{"hours":9123}}
    code 0
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import JSON
from portalops.json_text import read_json
from portalops.model.message import msg

_SCRIPT = r"""
command -v smartctl >/dev/null || exit 127
s=$(smartctl --scan) || exit $?
[ "$(printf '%s\n' "$s" | wc -l)" -le 64 ] || { echo 'more than 64 disks' >&2; exit 3; }
printf '%s\n' "$s" | while read -r d _ t _; do
  [ "$d" ] || continue
  printf 'disk %s\n' "$d"
  smartctl -j=c -H -A -d "$t" "$d" | tr -d '\n'
  smartctl -q silent -H -d "$t" "$d"
  printf '\ncode %s\n' "$?"
done
echo end
"""
_DISK = re.compile(r"disk (/\S{1,100})$")
_CODE = re.compile(r"code (\d{1,3})$")
_UNREADABLE = frozenset({197, 198})
"""Attributes of ATA: sectors that wait to be read again, and those that could not be (smartctl(8))."""
NOT_ASKED = 0b111
"""Bits of the exit code: a wrong command line, a disk that can't be opened, a command that it refuses."""


@dataclass(frozen=True, slots=True)
class SmartDisk:
    """One disk."""

    name: str
    passed: bool | None
    """What it says of its own health; None where it says nothing."""
    code: int
    lost: int = 0
    """Sectors that cannot be read now, and warnings of an NVMe."""


def parse(output: Output) -> tuple[SmartDisk, ...]:
    """Read each disk's answer."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the disks' answers are cut short"))
    found: list[SmartDisk] = []
    name, passed, lost = "", None, 0
    for line in lines[:-1]:
        if match := _DISK.fullmatch(line.strip()):
            if name:
                raise Unparseable(msg("a disk's answer cannot be parsed"))
            name, passed, lost = shown(match[1], 60), None, 0
        elif match := _CODE.fullmatch(line.strip()):
            if not name:
                raise Unparseable(msg("a disk's answer cannot be parsed"))
            found.append(SmartDisk(name, passed, int(match[1]), lost))
            name = ""
        else:
            passed, lost = _passed(line), _lost(line)
    if name:
        raise Unparseable(msg("the disks' answers are cut short"))
    return tuple(found)


def _passed(line: str) -> bool | None:
    try:
        said = cast("Mapping[str, Mapping[str, object]]", read_json(line))
        value = said["smart_status"]["passed"] if "smart_status" in said else None
    except (ValueError, KeyError, TypeError) as error:
        raise Unparseable(msg("a disk's answer cannot be parsed")) from error
    if value is not None and not isinstance(value, bool):
        raise Unparseable(msg("a disk's answer cannot be parsed"))
    return value


def _lost(line: str) -> int:
    """Return how many sectors wait to be read again or could not be, or 1 where an NVMe warns or runs out of spare."""
    try:
        said = read_json(line)
        table = said.get("ata_smart_attributes", {}).get("table", [])
        sectors = sum(int(one["raw"]["value"]) & 0xFFFFFFFF for one in table if one["id"] in _UNREADABLE)
        health = said.get("nvme_smart_health_information_log", {})
        spare, least = health.get("available_spare", 100), health.get("available_spare_threshold", 0)
        return sectors or int(health.get("critical_warning", 0) != 0 or spare < least)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unparseable(msg("a disk's answer cannot be parsed")) from error


PROBE = Probe("disk.smart", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, form=JSON)
