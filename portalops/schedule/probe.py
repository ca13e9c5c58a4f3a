"""The probe service: what portalops asks of the machine that it runs on, answered outside of the walls of its other services.

A check of this machine must see its mounts, processes and files as they are, and some of them as root. What parses and judges
the answers must have neither. So `portalops-check.service` is walled in as the others are, and asks on a socket that only its
account may open. Behind it, for each connection, a program runs the probes of a fixed list; a request only names them. What it
prints is the answer; it opens no file of portalops, reads no configuration and has no network but this machine's own.

Sources: systemd.socket(5), systemd.exec(5), capabilities(7).
"""

from __future__ import annotations

from collections.abc import Iterator

from portalops.schedule.plan import Demands

SOCKET = "portalops-probe.socket"
SERVICE = "portalops-probe@.service"
PROGRAM = "portalops-probe.sh"
"""It lies beside the units, so that it is installed, compared and removed with them; systemd reads no file of that name."""
NAMES = (SOCKET, SERVICE, PROGRAM)
PATH = "/run/portalops-probe"
"""Where the socket is."""
VARIABLE = "PORTALOPS_PROBE"
"""Where a service is named the socket: it has no other view of this machine then."""
GUARD = "net_broadcast"
"""The capability that a probe holds which runs as the account: a process of that account without it cannot trace the probe,
and leave its own walls that way (ptrace(2), "Ptrace access mode checking"). The kernel uses it for nothing else."""

_FOLDER = "/etc/systemd/system"
_CONNECTIONS = 8
"""At the same time; a scan has one after the other. What comes beyond is closed unanswered."""
_LONGEST = "70min"
"""More than a host may be waited for ([checks] host_timeout), and its slow probes."""
_CAPABILITIES = (
    "CAP_DAC_READ_SEARCH",  # the files of all accounts
    *("CAP_SETUID", "CAP_SETGID", f"CAP_{GUARD.upper()}"),  # most probes run as the account, some as a database's
    "CAP_KILL",  # such a one that hangs
    *("CAP_AUDIT_WRITE", "CAP_SYS_RESOURCE"),  # runuser(1), by PAM
    *(
        "CAP_SYS_PTRACE",
        "CAP_NET_ADMIN",
        "CAP_NET_RAW",
    ),  # which program listens (ss), rules of firewalls (nft, iptables)
    *("CAP_AUDIT_CONTROL", "CAP_SYS_RAWIO", "CAP_SYS_ADMIN"),  # auditctl; smartctl, for NVMe the last one
)


def socket_lines(demands: Demands) -> Iterator[str]:
    """Yield the socket's unit: open to the account of the jobs and to root."""
    yield from ("[Unit]", "Description=Facts of this machine, for checks of the portal", "", "[Socket]")
    yield from (f"ListenStream={PATH}", f"SocketUser={demands.user}", "SocketMode=0600", "RemoveOnStop=yes")
    yield from ("Accept=yes", f"MaxConnections={_CONNECTIONS}")
    yield "# Many connections are closed unanswered; they must not close the socket for all that follow."
    yield from ("TriggerLimitIntervalSec=0", "", "[Install]", "WantedBy=sockets.target")


def service_lines(demands: Demands) -> Iterator[str]:
    """Yield the unit of what answers one connection."""
    yield from (
        "[Unit]",
        "Description=Facts of this machine, for one check of the portal",
        "CollectMode=inactive-or-failed",
    )
    yield from ("", "[Service]", f"ExecStart=/bin/sh {_FOLDER}/{PROGRAM} {demands.user}")
    yield from ("StandardInput=socket", "StandardOutput=socket", "StandardError=journal")
    yield "# 64: it refused the request. Whoever asks and goes away ends it with the next words that it prints."
    yield from ("SuccessExitStatus=64", "IgnoreSIGPIPE=no", f"RuntimeMaxSec={_LONGEST}", "TasksMax=128")
    yield from ("Nice=10", "IOSchedulingPriority=7", "")
    yield "# It shows this machine as it is, partly as root, so it has a lower wall than the other units: with a file system of"
    yield "# its own it would see its own read-only mounts, and call them the machine's. It parses nothing that strangers wrote but"
    yield "# the names of probes on its list."
    yield f"CapabilityBoundingSet={' '.join(_CAPABILITIES)}"
    yield from _LOCKED


_LOCKED = (
    "NoNewPrivileges=yes",
    "IPAddressDeny=any",
    "IPAddressAllow=localhost",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "# Rules of a firewall are loaded for trial in a network of their own.",
    "RestrictNamespaces=net",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=adjtimex clock_adjtime clock_adjtime64",
    "SystemCallErrorNumber=EPERM",
    "UMask=0077",
)
