"""Nobody logs in as root over SSH.

An action by root is nobody's action; with personal accounts the log says who it was. And root is the one name that every
guessing machine tries. Article 12.4.

The rule: `PermitRootLogin no` is in effect in every SSH server that listens, with its own arguments and files as it has loaded
them: for root from an address of the Internet, and from an address inside and outside of each range, to each port, that its
`Match` blocks name. A server that a list of users keeps root out of needs no more. `prohibit-password`
(`without-password`) still lets root in by key.

Source: sshd(8) (-T, -C), sshd_config(5). OpenSSH 10.0 on Debian 13, as delivered:

    permitrootlogin without-password
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import sshd_servers
from checks.servers.probes.sshd_servers import is_let_in
from checks.servers.ssh._servers import is_for_strangers, tried, unsure, visitor_of
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="ssh.root-login",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(sshd_servers.PROBE,),
    title=msg("nobody logs in as root over SSH"),
    remedy=msg("Set 'PermitRootLogin no' in the server's file and in its Match blocks, and reload the server."),
)
def judge(facts: Facts) -> CheckOutcome:
    servers = facts[sshd_servers.PROBE]
    for server in servers:
        of_root = [one for one in server.effects if one.conditions[0].user == "root"]
        for effect in of_root:
            value = effect.settings["permitrootlogin"]
            if value == "no" or not is_let_in("root", effect.settings):
                continue
            is_by_match = any(one.settings["permitrootlogin"] == "no" and is_for_strangers(one) for one in of_root)
            return failed(
                "root-login-in-match" if is_by_match else "root-login-allowed",
                msg(
                    "PermitRootLogin is {value} for {who}", value=shown(value, 30), who=visitor_of(effect.conditions[0])
                ),
            )
    if (why := unsure(servers)) is not None:
        return why
    return passed(
        msg(
            "root is refused at port {ports}: {count} combinations were tried, addresses {addresses}",
            **tried(servers),
        )
    )
