"""What strangers reach does not run as root, or the kernel confines it.

A hole in a program that listens gives a stranger what that program may do: as root, the whole host. Article 12.3 asks that
the servers run on, and are protected against attacks.

The rule: each process that holds a socket beyond loopback is looked at as the kernel shows it now; what its unit file says
does not count. As good as root is user id 0, real, effective or saved; a capability such as `sys_admin`, `sys_ptrace`, `setuid` or
`dac_override`; and a group such as `docker`, `disk`, `shadow` or `sudo`. Such a process fails where nothing holds it: mounts of its own or
NoNewPrivs hold nobody who keeps these capabilities. Any of these holds it: a name space of users in which it is not the
host's root; an enforced profile of AppArmor or SELinux; NoNewPrivs, a filter of system calls, mounts of its own and a
bounding set without these capabilities, all together, where user id 0 also finds /etc, /usr, /boot, /root, /var/spool, /proc/sys and the folders of dpkg and apt read-only,
the devices of the host gone (`PrivateDevices`), and the sockets of systemd, D-Bus, Docker, fail2ban and their like closed: what
root owns needs no capability; in a container, a root folder of its own and such a filter, and nothing of these mounted into
it. A profile of AppArmor whose text is not there, or that allows every file or capability, holds nothing. Anything
between is unknown. So is what is as good as root and listens on loopback alone: a proxy may pass strangers on to it.

Programs whose task needs root, such as sshd, are named and do not fail. So is a master that only hands its sockets to workers
of another account, as nginx does, once such a worker is there. What is meant to run as root is declared by its unit under
`root_services`. A socket that systemd holds for a service that is not started is unknown. Sockets that no process holds are
the kernel's, such as WireGuard's, and are named. It does not see other kinds of sockets than TCP and UDP, which system calls a
filter leaves, or what root may be asked by a socket that is not named here.

Sources: proc_pid_status(5), capabilities(7), user_namespaces(7), systemd.exec(5); Lynis BOOT-5264 asks the same of unit
files. On Debian 13:

    proc 412 1 0,0,0,0 000001ffffffffff 000001ffffffffff 0 0 init init init none - portal.service root /usr/bin/python3.13
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import confinement
from checks.servers.probes.confinement import ConfinedProcess, Confinement
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

BREAKOUT = frozenset({"sys_admin", "sys_module", "sys_rawio", "sys_ptrace", "dac_read_search", "bpf"})
"""Capabilities that lead out of a root folder of its own."""
MIGHTY = BREAKOUT | {
    "chown",
    "dac_override",
    "fowner",
    "setgid",
    "setuid",
    "setfcap",
    "mknod",
    "mac_override",
    "mac_admin",
    "sys_boot",
}
"""Capabilities by which a process becomes root, or reads or writes any file; capabilities(7)."""
_DELIVERED = r"/(?:usr/)?(?:s?bin|lib(?:exec|32|64)?(?:/[\w.+-]+)*)/"
_NEEDING = re.compile(
    _DELIVERED
    + r"(?:sshd|sshd-session|systemd|dhclient|dhcpcd|NetworkManager|keepalived|charon|openvpn|rpc\.mountd|smbd|nmbd|winbindd"
    r"|dockerd|docker-proxy|containerd|libvirtd|virtqemud|rsyslogd|cupsd|vsftpd|proftpd|pure-ftpd|dovecot|master)"
)
"""Programs that log in users, set the network or start programs of other accounts; `master` is Postfix's."""
_MASTERS = re.compile(_DELIVERED + r"(?:nginx|apache2|httpd|haproxy|lighttpd|varnishd|squid|php-fpm[0-9.]*|exim4)")
_UNCONFINED = frozenset({"unconfined_t", "unconfined_service_t", "initrc_t", "init_t", "kernel_t", "spc_t"})
"""Types of SELinux that may do what root may."""


class _State(IntEnum):
    """What a stranger gets who takes a process over; the lower the worse."""

    FREE = 0
    """The host."""
    UNPROVED = 1
    NEEDED = 2
    HELD = 3
    LOW = 4
    """An account without rights."""


@check(
    id="run.sandboxing",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(confinement.PROBE,),
    title=msg("what strangers reach does not run as root, or is confined"),
    remedy=msg(
        "Set 'User=' in the unit with 'systemctl edit UNIT', or confine it by NoNewPrivileges, CapabilityBoundingSet, 'ProtectSystem=strict', 'ProtectHome=yes', "
        "'PrivateDevices=yes', 'ProtectKernelTunables=yes', 'TemporaryFileSystem=/run' and SystemCallFilter; 'systemd-analyze security UNIT' lists what is missing. Declare under 'root_services' what must be root."
    ),
    exempt_roles=("container",),
)
def judge(facts: Facts) -> CheckOutcome:
    found = facts[confinement.PROBE]
    if not any(found.sockets.values()):
        return unknown(
            "nothing-listens", msg("ss names no process that listens, and nothing confirms that there is none")
        )
    reached = _reached(found)
    states = {
        pid: _state(one, found, facts.declared.root_services) for pid, one in found.processes.items() if pid in reached
    }

    def named(state: _State) -> str:
        return listed(sorted({_name(found.processes[pid], reached[pid]) for pid in states if states[pid] is state}))

    if free := named(_State.FREE):
        return failed("as-root", msg("reached by strangers, as good as root, and held by nothing: {names}", names=free))
    if waiting := sorted(_waiting(found)):
        return unknown(
            "not-started",
            msg(
                "systemd or a process that has ended holds sockets, so who serves them is not seen: {names}",
                names=listed(waiting),
            ),
        )
    if unproved := named(_State.UNPROVED):
        return unknown(
            "confinement-unproved", msg("as good as root, and confined only in part: {names}", names=unproved)
        )
    inside = _reached(found, is_loopback=True)
    behind = {
        _name(one, inside[pid])
        for pid, one in found.processes.items()
        if pid in inside
        and pid not in reached
        and _state(one, found, facts.declared.root_services) in {_State.FREE, _State.UNPROVED}
    }
    if behind:
        return unknown(
            "root-behind-loopback",
            msg(
                "as good as root on loopback, where a proxy may pass strangers on: {names}",
                names=listed(sorted(behind)),
            ),
        )
    return passed(
        msg(
            "reached by strangers, of accounts without rights: {low}; root by their task or declared: {needed}; confined: {held}; "
            "of the kernel: {kernel}",
            low=named(_State.LOW) or "-",
            needed=named(_State.NEEDED) or "-",
            held=named(_State.HELD) or "-",
            kernel=listed(sorted(_kernels(found))) or "-",
        )
    )


def _reached(found: Confinement, *, is_loopback: bool = False) -> Mapping[int, frozenset[str]]:
    """Return for each process but systemd itself by which sockets others reach it."""
    reached: dict[int, set[str]] = {}
    for socket, pids in found.sockets.items():
        for pid in pids if socket.is_loopback == is_loopback else ():
            reached.setdefault(pid, set()).add(socket.name)
    return {pid: frozenset(names) for pid, names in reached.items() if pid != 1}


def _waiting(found: Confinement) -> Iterator[str]:
    for socket, pids in found.sockets.items():
        if not socket.is_loopback and pids and not any(pid in found.processes and pid != 1 for pid in pids):
            yield socket.name


def _kernels(found: Confinement) -> Iterator[str]:
    return (socket.name for socket, pids in found.sockets.items() if not pids and not socket.is_loopback)


def _name(one: ConfinedProcess, sockets: frozenset[str]) -> str:
    who = one.program if one.unit == "-" or one.unit.endswith(".scope") else one.unit
    return f"{who} ({one.account}, {', '.join(sorted(sockets)[:4])})"


def _state(one: ConfinedProcess, found: Confinement, declared: tuple[str, ...]) -> _State:
    if not _is_mighty(one):
        return _State.LOW
    if _is_held(one):
        return _State.HELD
    if one.unit in declared or _NEEDING.fullmatch(one.program) or _has_workers(one, found):
        return _State.NEEDED
    if one.is_unseen or one.has_filter or one.own_root or one.mac == "apparmor-unread":
        return _State.UNPROVED
    if one.own_mounts and not MIGHTY.intersection(one.capabilities | one.bound):
        return _State.UNPROVED
    return _State.FREE


def _is_mighty(one: ConfinedProcess) -> bool:
    return 0 in one.uids or bool(one.groups) or not MIGHTY.isdisjoint(one.capabilities)


def _is_held(one: ConfinedProcess) -> bool:
    # The kernel tells user ids as the host counts them: root of a name space that maps 0 to 0 is the host's.
    if one.mac == "apparmor" or (one.own_users and 0 not in one.uids and not one.groups):
        return True
    if one.mac.startswith("selinux:"):
        return one.mac.removeprefix("selinux:") not in _UNCONFINED
    may = one.capabilities | one.bound
    return (
        one.has_filter
        and one.own_mounts
        and (
            (one.own_root and BREAKOUT.isdisjoint(may) and one.open in {"-", "unseen"})
            or (one.no_new_privileges and MIGHTY.isdisjoint(may) and _owns_nothing(one))
        )
    )


def _owns_nothing(one: ConfinedProcess) -> bool:
    """Say whether nothing of the host's root is open to it without a capability, as files that root owns are to every root."""
    return not one.groups and (0 not in one.uids or one.open == "-")


def _has_workers(one: ConfinedProcess, found: Confinement) -> bool:
    """Say whether it is a master whose sockets workers of another account serve."""
    return bool(_MASTERS.fullmatch(one.program)) and any(
        each.parent == one.pid and each.program == one.program and not _is_mighty(each)
        for each in found.processes.values()
    )
