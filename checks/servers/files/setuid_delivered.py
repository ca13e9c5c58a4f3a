"""Files that run with more rights than their user's are those that packages deliver so.

Who runs a file with setuid runs it as its owner, mostly as root; with capabilities it does a part of what root may. A copy of a
shell with setuid in a folder that nobody looks into is the shortest way back for an intruder. Article 12.4.

The rule: every file with setuid, setgid or capabilities that a package delivers is one that is known to be delivered so. A
file of no package fails, wherever it lies. So does a shell, an interpreter, or a program that runs others or writes any
file. So does one whose mode was changed more than a day after its package was installed. Of rpm, the delivered mode itself
is compared. Of another file of a package, it is unknown whether it was delivered so. What is meant to be is declared under
`privileged_files`, and is no proof that its content is right. File systems mounted `nosuid` give nobody anything and do not
count. File systems of other machines (NFS, CIFS, FUSE) without `nosuid`, and folders of root's with further rights (ACL), are not searched: unknown. Nor do folders that root alone can enter, nor capabilities such as `cap_net_bind_service`, by which nobody becomes
root.

Sources: find(1), getcap(8), capabilities(7), dpkg-query(1), rpm(8); known files: those of Debian 11 to 13, Ubuntu 22.04 and
24.04 and RHEL 8 and 9. On Debian 13:

    id 4755 root:root 1795143731.5532000000 /usr/bin/su
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import privileged_files
from checks.servers.probes.privileged_files import IdFile, PackagedFile, PrivilegedFiles
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_SETUID = frozenset(
    {
        *("su", "sudo", "passwd", "chsh", "chfn", "newgrp", "gpasswd", "mount", "umount", "fusermount", "fusermount3"),
        *(
            "pkexec",
            "polkit-agent-helper-1",
            "dbus-daemon-launch-helper",
            "ssh-keysign",
            "ping",
            "ping6",
            "at",
            "crontab",
        ),
        *("exim4", "pppd", "ntfs-3g", "mount.nfs", "mount.cifs", "newuidmap", "newgidmap", "bwrap", "snap-confine"),
        *("chrome-sandbox", "Xorg.wrap", "auth_pam_tool", "unix_chkpwd", "pam_timestamp_check", "chage", "userhelper"),
        *(
            "usernetctl",
            "grub2-set-bootflag",
            "cockpit-session",
            "suexec",
            "staprun",
            "lxc-user-nic",
            "doas",
            "opiepasswd",
        ),
        *(
            "vmware-user-suid-wrapper",
            "sssd_pam",
            "krb5_child",
            "ldap_child",
            "proxy_child",
            "selinux_child",
            "procmail",
        ),
    }
)
_SETGID = frozenset(
    {
        *(
            "chage",
            "expiry",
            "crontab",
            "ssh-agent",
            "unix_chkpwd",
            "pam_extrausers_chkpwd",
            "wall",
            "write",
            "write.ul",
        ),
        *(
            "bsd-write",
            "dotlockfile",
            "mail-lock",
            "mail-unlock",
            "mail-touchlock",
            "postdrop",
            "postqueue",
            "screen",
            "procmail",
        ),
        *(
            "utempter",
            "plocate",
            "mlocate",
            "locate",
            "ssh-keysign",
            "at",
            "lockfile",
            "sendmail.sendmail",
            "camel-lock-helper-1.2",
        ),
    }
)
"""Names of programs that packages deliver with setuid or setgid."""
_CAPABLE = frozenset(
    {"ping", "arping", "clockdiff", "mtr-packet", "dumpcap", "gst-ptp-helper", "newuidmap", "newgidmap", "snap-confine"}
)
_HARMLESS = frozenset(
    {
        *("cap_net_bind_service", "cap_net_raw", "cap_net_broadcast", "cap_sys_nice", "cap_ipc_lock", "cap_wake_alarm"),
        *("cap_lease", "cap_block_suspend", "cap_sys_resource", "cap_audit_write"),
    }
)
"""Capabilities by which nobody gets the rights of root; capabilities(7)."""
_ANYTHING = (
    *(
        "*sh",
        "bash*",
        "busybox*",
        "python*",
        "perl*",
        "ruby*",
        "php*",
        "lua*",
        "node*",
        "env",
        "find",
        "vi",
        "vi.*",
        "vim*",
    ),
    *("nano", "less", "more", "ed", "emacs*", "awk", "?awk", "sed", "tar", "cp", "mv", "dd", "tee", "install", "rsync"),
    *(
        "chmod",
        "chown",
        "cat",
        "gdb",
        "strace",
        "nmap",
        "git",
        "curl",
        "wget",
        "socat",
        "nice",
        "timeout",
        "setpriv",
        "xargs",
    ),
    *(
        "systemctl",
        "docker",
        "openssl",
        "tcpdump",
        "zip",
        "make",
        "man",
        "nsenter",
        "unshare",
        "chroot",
        "ld.so",
        "ld-*.so*",
    ),
)
"""Programs that run others or read or write any file, and that nobody delivers with the rights of root."""
_LATER = timedelta(days=1)


@check(
    id="files.setuid",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(privileged_files.PROBE,),
    title=msg("files that run with more rights are those that packages deliver so"),
    remedy=msg(
        "Find out who made the file; take the rights away with 'chmod u-s,g-s FILE' or 'setcap -r FILE', and treat a "
        "hidden copy of a shell as an incident. Declare under 'privileged_files' what is meant to be."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    found = facts[privileged_files.PROBE]
    meant = facts.declared.privileged_files
    every = [(path, how, right) for path, how, right in _rights(found) if path not in meant and right]
    foreign = [f"{path} ({how})" for path, how, _right in every if path not in found.delivered]
    if foreign:
        return failed("setuid-of-no-package", msg("of no package: {files}", files=listed(foreign)))
    states = {
        f"{path} ({how})": _is_delivered(path, how, found.ids, found.delivered[path]) for path, how, _right in every
    }
    if changed := [name for name, is_so in states.items() if is_so is False]:
        return failed("setuid-changed", msg("not delivered with these rights: {files}", files=listed(changed)))
    if open_ := [name for name, is_so in states.items() if is_so is None]:
        return unknown(
            "setuid-not-known", msg("not known whether delivered with these rights: {files}", files=listed(open_))
        )
    if found.odd:
        return unknown("names-odd", msg("programs with line ends in their names: {files}", files=listed(found.odd)))
    if found.unsearched:
        return unknown(
            "not-searched",
            msg(
                "not searched, and not mounted with nosuid: {places}",
                places=listed(shown(one, 80) for one in found.unsearched),
            ),
        )
    if found.capable is None:
        return unknown(
            "capabilities-unseen", msg("the host has neither getcap nor python3, so capabilities are not seen")
        )
    return passed(
        msg(
            "{ids} files with setuid or setgid and {caps} with capabilities on all local file systems, all as delivered "
            "or declared",
            ids=len(found.ids),
            caps=len(found.capable),
        )
    )


def _rights(found: PrivilegedFiles) -> Iterator[tuple[str, str, bool]]:
    """Yield path, what it has, and whether anybody gets more rights by that."""
    for path, one in sorted(found.ids.items()):
        yield path, one.rights.partition(" ")[0], True
    for path, caps in sorted((found.capable or {}).items()):
        names = set(re.findall(r"cap_\w+", caps))
        yield path, caps, not names or not names <= _HARMLESS


def _is_delivered(path: str, how: str, ids: Mapping[str, IdFile], by: PackagedFile) -> bool | None:
    """Say whether a package delivers a file with these rights; None where that is not known."""
    name = path.rpartition("/")[2]
    if any(fnmatchcase(name, pattern) for pattern in _ANYTHING) and name not in _SETUID:
        return False
    if not how.isdigit():
        return True if name in _CAPABLE else None
    mode = int(how, 8)
    if by.mode is not None:
        return mode & 0o7777 == by.mode & 0o7777
    if (not mode & 0o4000 or name in _SETUID) and (not mode & 0o2000 or name in _SETGID):
        return True
    is_later = by.listed_at is not None and ids[path].changed_at - by.listed_at > _LATER
    return False if is_later else None
