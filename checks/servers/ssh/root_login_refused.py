"""Nobody logs in as root over SSH.

An action by root is nobody's action; with personal accounts the log says who it was. And root is the one name that every
guessing machine tries. Article 12.4.

The rule: `PermitRootLogin no` is in effect, by the defaults of the file and for root coming from a public address:
`Match` blocks can undo the defaults. `prohibit-password` (`without-password`) still lets root in by key.

Source: sshd(8) (-T, -C), sshd_config(5). OpenSSH 10.0 on Debian 13, as delivered:

    permitrootlogin without-password
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import sshd_config, sshd_outside
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="ssh.root-login",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(sshd_config.PROBE, sshd_outside.PROBE),
    title=msg("nobody logs in as root over SSH"),
    remedy=msg("Set 'PermitRootLogin no' in sshd_config and in its Match blocks, and reload sshd."),
)
def judge(facts: Facts) -> CheckOutcome:
    general = facts[sshd_config.PROBE]["permitrootlogin"]
    outside = facts[sshd_outside.PROBE]["permitrootlogin"]
    if general != "no":
        return failed("root-login-allowed", msg("PermitRootLogin is {value}", value=shown(general, 30)))
    if outside != "no":
        return failed(
            "root-login-in-match",
            msg("a Match block sets PermitRootLogin to {value} for a public address", value=shown(outside, 30)),
        )
    return passed(msg("PermitRootLogin is no, also for a public address"))
