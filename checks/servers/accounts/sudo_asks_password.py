"""Nobody becomes root by sudo for everything without a password.

A stolen session of such an account is root at once. Exact commands without a password are allowed: the audit account
needs them. Article 12.5.

The rule: no rule of sudo lets an account other than root run ALL commands without a password, by NOPASSWD or by
`Defaults !authenticate`; aliases are resolved and included files followed.

Source: sudoers(5), cvtsudoers(1). sudo 1.9.16 prints for a NOPASSWD rule:

    "Options": [ { "authenticate": false } ], "Commands": [ { "command": "ALL" } ]
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probes import sudoers
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="acct.sudo-nopasswd",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(sudoers.PROBE,),
    title=msg("nobody becomes root by sudo without a password"),
    remedy=msg("Narrow the rule to exact commands, or remove NOPASSWD; edit it by 'visudo'."),
)
def judge(facts: Facts) -> CheckOutcome:
    rules = facts[sudoers.PROBE]
    if rules.is_password_off_by_default:
        return failed("authenticate-off", msg("'Defaults !authenticate' turns the password off"))
    free = sorted(
        {
            who
            for grant in rules.grants
            if not grant.is_password_asked and "ALL" in grant.commands
            for who in grant.who
            if who != "root"
        }
    )
    if free:
        return failed("nopasswd-all", msg("sudo allows every command without a password: {names}", names=listed(free)))
    return passed(msg("sudo asks for a password wherever it allows everything"))
