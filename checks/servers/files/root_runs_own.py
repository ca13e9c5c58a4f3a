"""What root runs by itself, nobody but root may write.

A script that root runs every night and another account may write is a way to become root that waits for the night. It is
enough to be able to write a folder above the script: then it can be put aside, and another one put in its place. Article 12.4.

The rule: no other account can write or replace a program that cron, services, rc scripts and shells of root run. The same
holds for the files that say what they run. Looked at are the file, each folder above it, and the same of each link on the way
and of where links lead; also the scripts that root's own scripts run, the settings that services take into their environment,
and the folders in which root looks for programs. The interpreter that a script names in its first line counts, and so do commands that sudo and
doas let others run as root. Of a program outside the folders of packages, the folders `bin` and `lib` beside it count, and those
where it looks for libraries (RUNPATH). A unit whose account gets capabilities by which it can become root counts as root's, and so does
what `PermissionsStartOnly` leaves to root. So are the folders and libraries of the loader (`ld.so.conf`,
`ld.so.preload`), and what apt, dpkg, rules of udev, logrotate, rsyslog, fail2ban, PAM, modprobe, the network and the message
of the day call. So is every path in a unit of root, whatever the setting, except those that only ask, write or close off
(`ConditionPathExists`, `ReadWritePaths`, `StandardOutput`). What `LoadCredential` or `StandardInput=file:` hands to
another program than a shell leaves it unknown. `ExecStartPre=+` runs as root in every unit. Services that D-Bus starts as root count
too, and so do jobs of at(1), copies of tmpfiles.d and what nftables.conf and logrotate.conf include. Programs, libraries and
files of the kernel in /usr and /boot are looked at one by one, and so are all settings in /etc, where a person's account
may write them. Where variables of services (`PYTHONPATH`, `LD_PRELOAD`) have programs load from counts as well, and so do
the folders of Python, Perl and Ruby, with those that `.pth` files name. What a command of root is given to read, and others may write, leaves it
unknown, except for commands that run none of it, such as tar or rsync. These leave it unknown where they are given `*` in
such a folder, and so does a script of Python with such modules beside it. So does a program that other settings in /etc name, a
folder that they include, and what a unit that is not loaded runs. Another account can write where it is the owner, where all may write, or where further
rights (ACL) let it. It also can where its group may, and the group has a member besides root. A group that /etc/group does
not hold may have members. A folder with the sticky bit protects what root owns in it. What is not there yet, and could be put
there, counts as well. A variable is followed where a line above gives it a path. Of a loop over a folder (`for f in
/srv/hooks.d/*`), `find -exec`, `xargs`, `while read` behind a pipe and `run-parts` the folder counts and what is in it. Where a script runs what
a list, the answer of a command or a path that is put together tells, and names what others may write, the answer is unknown. So it is where sudo lets
a file be copied (`cp`, `mv`, `ln`, `install`, `rsync`) into folders of root from where others may write. The folders of `secure_path` count, and those of login.defs. It does not see
what commands of sudo write otherwise (`tee`), what lies two folders deep in what is gone through,
what programs and scripts read or load themselves otherwise or take from the network, what scripts of root's scripts run, settings that a system's account owns outside the folders of root's own services, or data that
a program of root mistakes for commands.

Sources: crontab(5), systemctl(1), bash(1), find(1), getfacl(1), ld.so(8), apt.conf(5), udev(7), logrotate(8). On Debian 13:

    run cron /usr/local/bin/backup.sh /usr/local/bin/backup.sh
    stat f 755 0 root 0 root /usr/local/bin/backup.sh
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import group, passwd, root_runs
from checks.servers.probes.root_runs import RootRuns
from checks.servers.wording import listed, together
from portalops.model.message import Message, msg
from portalops.model.verdicts import Severity

_STICKY, _GROUP, _OTHERS = 0o1000, 0o020, 0o002


@check(
    id="files.root-runs",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(root_runs.PROBE, passwd.PROBE, group.PROBE),
    title=msg("nobody but root may write what root runs"),
    remedy=msg(
        "Give the file and every folder above it to root: 'chown root:root PATH' and 'chmod go-w PATH'; or let the job run "
        "as the account that owns it."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    found = facts[root_runs.PROBE]
    closed = closed_groups(facts)
    open_: dict[str, Message] = {}
    named: dict[str, Message] = {}
    for by, path, real in found.paths:
        if by == root_runs.NAMED and path not in found.rights:
            continue  # what a command is told to make
        for each in dict.fromkeys((path, real)):
            if each == "/dev/null":  # a unit that is masked runs nothing
                continue
            for place, who in _writers(each, found, closed):
                why = msg("{path} by {who}", path=shown(path, 80), who=who)
                if place != path:
                    why = msg(
                        "{path} by {who}, who may write {place}", path=shown(path, 80), who=who, place=shown(place, 80)
                    )
                (named if by == root_runs.NAMED else open_).setdefault(path, why)
    if open_:
        return failed(
            "writable-by-others",
            msg("root runs what others may write: {paths}", paths=together(list(open_.values()), "; ")),
        )
    if named:
        return unknown(
            "runner-unseen",
            msg(
                "root's commands and settings name what others may write, and it is not known whether root runs it: {paths}",
                paths=together(list(named.values()), "; "),
            ),
        )
    if unread := sorted(path for path, who in found.acls.items() if "?" in who):
        return unknown(
            "acl-unread",
            msg(
                "who may write is not known where the host has no getfacl: {paths}",
                paths=listed(shown(each, 80) for each in unread),
            ),
        )
    return passed(
        msg(
            "{n} programs, scripts and settings that root was seen to run, with every folder above them, can be written by root alone; what they read themselves was not followed",
            n=len({path for by, path, _real in found.paths if by != root_runs.NAMED}),
        )
    )


def closed_groups(facts: Facts) -> frozenset[int]:
    """Return the numbers of the groups that no account besides root is in; of a group that is not listed nobody knows."""
    accounts = facts[passwd.PROBE]
    roots = {one.name for one in accounts if one.uid == 0}
    own = {one.gid for one in accounts if one.uid != 0}
    shared = {one.gid for one in facts[group.PROBE] if set(one.members) - roots} | own
    return frozenset({one.gid for one in facts[group.PROBE]} - shared)


def _writers(path: str, found: RootRuns, closed: frozenset[int]) -> Iterator[tuple[str, Message | str]]:
    """Yield each place by which a path can be written or replaced, and by whom."""
    steps = path.strip("/").split("/")
    chain = ["/", *("/" + "/".join(steps[: at + 1]) for at in range(len(steps)))]
    for place, below in zip(chain, [*chain[1:], ""], strict=True):
        one = found.rights.get(place)
        if one is None:
            return
        if one.is_link:  # who may exchange a link is said by its folder
            continue
        if one.uid != 0:
            yield place, shown(one.owner, 40)
        under = found.rights.get(below)
        if one.mode & _STICKY and under is not None and under.uid == 0:
            continue
        if one.mode & _OTHERS:
            yield place, msg("everybody")
        elif one.mode & _GROUP and one.gid not in closed:
            yield place, msg("the group {group}", group=one.group)
        for who in found.acls.get(place, ()):
            if who != "?":
                yield place, f"{shown(who, 40)} (ACL)"
