"""Files that are named like secrets and that every account may open: find(1), by name and mode. Nothing is read.

Half a search proves nothing: a folder that could not be entered makes the whole unknown.

    640 www-data /var/www/portal/.env
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
set --
for d in /etc /var/www /home; do [ -d "$d" ] && set -- "$@" "$d"; done
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


def parse(output: Output) -> tuple[OpenFile, ...]:
    """Read mode, owner and path of each file."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the search for readable secrets broke off"))
    found = []
    for line in lines[:-1]:
        words = line.split(" ", 2)
        if len(words) != 3 or not words[0].isdigit():
            raise Unparseable(msg("find printed a line of unknown form: {line}", line=shown(line, 80)))
        found.append(OpenFile(*words))
    return tuple(found)


PROBE = Probe("secrets.readable", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30)
