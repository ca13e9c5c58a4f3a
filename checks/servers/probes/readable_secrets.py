"""Files that are named like secrets and that every account may open: find(1), by name and mode. Nothing is read.

Half a search proves nothing: a folder that could not be entered makes the whole unknown. What is mounted below those folders
is searched too where it is a disk of the host's own, and named where it is not: the search keeps off networks.

    640 www-data /var/www/portal/.env
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
set --
for d in /etc /var/www /home; do
  [ ! -d "$d" ] || { d=$(readlink -f -- "$d") && set -- "$@" "$d"; } || exit 4
done
while read -r x m t x; do
  m=$(printf '%b' "$m")
  for d in "$@"; do case $m in "$d"/*)
    case $t in
      ext?|xfs|btrfs|zfs|f2fs|jfs|overlay|tmpfs) [ ! -d "$m" ] || set -- "$@" "$m";;
      *) echo "unseen - $m";;
    esac
    break;;
  esac; done
done </proc/self/mounts || exit 4
find "$@" -ignore_readdir_race -xdev -type f \( -name '*.key' -o -name .env -o -name wp-config.php -o -name .my.cnf -o -name .pgpass \
  -o -name .netrc -o -name 'id_*' ! -name '*.pub' \) -perm /007 -printf '%m %u %p\n' || exit $?
echo end
"""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """One such file."""

    mode: str
    owner: str
    path: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, and where nobody looked."""

    files: tuple[OpenFile, ...]
    unseen: tuple[str, ...]
    """Mount points that were left out, each once, however many file systems lie on one another there."""


def parse(output: Output) -> Search:
    """Read mode, owner and path of each file; one that two mounts show is one."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the search for readable secrets is cut short"))
    found: dict[str, OpenFile] = {}
    unseen = []
    for line in lines[:-1]:
        words = line.split(" ", 2)
        if len(words) == 3 and words[0] == "unseen":
            unseen.append(words[2])
            continue
        if len(words) != 3 or not words[0].isdigit():
            raise Unparseable(msg("find printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        found[words[2]] = OpenFile(*words)
    return Search(tuple(found.values()), tuple(dict.fromkeys(unseen)))


PROBE = Probe("secrets.readable", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30)
