"""Nobody steers the host past its declared ways in.

A remote-desktop program or tunnel lets people in from anywhere, around the firewall and the logs; the infrastructure is
then managed from somewhere else. Article 12.1 asks that it is installed and managed at the Department.

The rule: none of the known programs of this kind runs, but those that are declared under `remote_control`. Where the
kernel hides other accounts' processes, the answer is unknown. It does not see such a program under another name, nor what SSH itself
carries.

Source: ps(1), proc(5) (hidepid).

    1204 cloudflared
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probes import processes
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

KNOWN = frozenset(
    {
        "Xtigervnc",
        "Xvnc",
        "anydesk",
        "bore",
        "chisel",
        "chrome-remote-desktop",
        "cloudflared",
        "dwagsvc",
        "frpc",
        "frps",
        "gnome-remote-desktop-daemon",
        "gost",
        "meshagent",
        "netbird",
        "ngrok",
        "npc",
        "nxserver.bin",
        "rathole",
        "rustdesk",
        "sshx",
        "tailscaled",
        "teamviewerd",
        "tmate",
        "ttyd",
        "vncserver",
        "wayvnc",
        "x11vnc",
        "xpra",
        "xrdp",
        "zerotier-one",
    }
)
"""Programs by which a host is steered from outside; names as the kernel keeps them are cut after 15 characters."""
_KERNEL_KEEPS = 15


@check(
    id="inventory.remote-control",
    clause="12.1",
    severity=Severity.HIGH,
    needs=(processes.PROBE,),
    title=msg("no undeclared remote control runs on the host"),
    remedy=msg("Remove the program, or declare it after its approval; find out who put it there."),
)
def judge(facts: Facts) -> CheckOutcome:
    allowed = {name[:_KERNEL_KEEPS] for name in facts.declared.remote_control}
    suspects = {name[:_KERNEL_KEEPS] for name in KNOWN} - allowed
    running = facts[processes.PROBE]
    found = sorted(suspects & running)
    if found:
        return failed("remote-control", msg("undeclared remote control: {names}", names=listed(found)))
    return passed(msg("none of the {n} known programs for remote control runs undeclared", n=len(KNOWN)))
