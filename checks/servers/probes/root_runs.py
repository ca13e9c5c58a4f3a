"""What root runs by itself, and who may write it: cron, services and timers, rc scripts, and the shells of root.

Commands may hold passwords, so the host prints none of their text: the paths that they run are picked out there, from the
command itself, from the script that an interpreter is given, and from the scripts of root, one level deep, with the interpreter that
they name. Rules of sudo and doas name such commands too. Of programs that no package installed in its folders, the folders of libraries are told
that others may write, and those that a program names itself (RUNPATH). So are the programs that apt, udev,
logrotate and rsyslog call, what settings of fail2ban, PAM, dpkg, modprobe and their like name that can be run, every path in root's
units that is not known to be harmless (systemd.exec(5)), what D-Bus starts as root, where variables of root's services have programs
load from, and where the loader finds libraries. Settings in /etc, programs, libraries and files of the kernel are told where others
may write them. Told apart (`named`), for nothing tells who runs it, is what the rest of /etc names that can be run or includes, what
commands are given to read, except those known to run none of it, and what units run that nothing has loaded. Of each path and each folder above it, of each
link on the way and of where links lead, the rights are printed, by find(1); and to whom further rights (ACL) let write it. Enabled
units that are not loaded count with what they start: the next boot brings them. crontab(5), systemctl(1), rc.local, bash(1),
getfacl(1), ld.so(8), apt.conf(5), udev(7), logrotate(8).

    run cron /usr/local/bin/backup.sh /usr/local/bin/backup.sh
    stat f 755 0 root 0 root /usr/local/bin/backup.sh
    acl user:games /usr/local/bin/backup.sh
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes._root_runs_sh import SCRIPT
from portalops.model.message import msg

NAMED = "named"
_RUN = re.compile(r"run (?P<by>cron|rc|shell|path|unit|script|loader|hook|sudo|named) (?P<path>/\S*) (?P<real>/\S*)")
_STAT = re.compile(
    r"stat (?P<type>\w) (?P<mode>[0-7]{1,5}) (?P<uid>\d+) (?P<owner>\S+) (?P<gid>\d+) (?P<group>\S+) (?P<path>/.*)"
)
_ACL = re.compile(r"acl (?P<who>\?|(?:user|group):\S+) (?P<path>/.*)")


class Rights(NamedTuple):
    """Of one file or folder; of a link, its own."""

    is_link: bool
    mode: int
    uid: int
    owner: str
    gid: int
    group: str


class RootRuns(NamedTuple):
    """What root runs, and the rights of that."""

    paths: tuple[tuple[str, str, str], ...]
    """By what (`named`: a setting in /etc names it, and nothing tells who runs it), the path, and where it leads or a link on its way is, if a link is in it."""
    rights: Mapping[str, Rights]
    """Of each path and each folder above it, as far as there is one."""
    acls: Mapping[str, tuple[str, ...]]
    """Who may write by further rights; `?` where the host cannot tell."""


def parse(output: Output) -> RootRuns:
    """Read both; a host whose root has no path to programs has not answered."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of what root runs is cut short"))
    paths, rights = [], {}
    acls: dict[str, tuple[str, ...]] = {}
    for line in lines[:-1]:
        if row := _RUN.fullmatch(line):
            paths.append((row["by"], row["path"], row["real"]))
        elif row := _STAT.fullmatch(line):
            owner = Rights(
                row["type"] == "l", int(row["mode"], 8), int(row["uid"]), row["owner"], int(row["gid"]), row["group"]
            )
            rights[row["path"]] = owner
        elif row := _ACL.fullmatch(line):
            acls[row["path"]] = (*acls.get(row["path"], ()), row["who"])
        else:
            raise Unparseable(
                msg("the listing of what root runs has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
    if not any(by == "path" for by, _path, _real in paths) or "/" not in rights:
        raise Unparseable(msg("the listing of what root runs is cut short"))
    return RootRuns(tuple(paths), rights, acls)


PROBE = Probe("files.root-runs", ("sh", "-c", SCRIPT), parse, needs_root=True, timeout_seconds=30, limit_bytes=1 << 20)
