"""Accounts that images bring along are absent or locked.

Their names are in every guessing list, and nobody answers for what they do. Article 12.5: each access has a holder.

The rule: none of the known names exists with a password that can be used. A locked password keeps password logins out;
keys of such an account are a matter of its authorized_keys.

Sources: passwd(5), shadow(5). On Debian 13:

    debian|locked|20782|99999
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import passwd, shadow
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

NAMES = frozenset({"ubuntu", "debian", "ec2-user", "vagrant", "oracle", "test", "guest", "ftpuser"})


@check(
    id="acct.default-names",
    clause="12.5",
    severity=Severity.MEDIUM,
    needs=(passwd.PROBE, shadow.PROBE),
    title=msg("accounts that images bring along are absent or locked"),
    remedy=msg("Lock the account by 'passwd -l NAME' and 'usermod -s /usr/sbin/nologin NAME', or remove it."),
)
def judge(facts: Facts) -> CheckOutcome:
    present = sorted(account.name for account in facts[passwd.PROBE] if account.name in NAMES)
    kinds = {secret.name: secret.kind for secret in facts[shadow.PROBE]}
    usable = [name for name in present if kinds.get(name, "locked") != "locked"]
    if usable:
        return failed("default-account-usable", msg("default accounts that can be used: {names}", names=listed(usable)))
    unsure = [name for name in present if name not in kinds]
    if unsure:
        return unknown("no-shadow-line", msg("accounts without a line in /etc/shadow: {names}", names=listed(unsure)))
    if present:
        return passed(msg("locked: {names}", names=listed(present)))
    return passed(msg("none of the known default accounts exists"))
