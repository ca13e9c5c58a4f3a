"""Only root has the user number 0.

A second account with the number 0 is root under another name: the commonest back door, and logs hide it. Article 12.5.

The rule: of all lines of /etc/passwd only that of root has the number 0. Accounts that a directory service or a record of
systemd (/etc/userdb) adds are not in the file; where the file or /etc/nsswitch.conf calls for them, the answer is unknown.

Source: passwd(5), nsswitch.conf(5), nss-systemd(8). On Debian 13:

    root:x:0:0::/root:/bin/bash
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probes import passwd
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="acct.uid0",
    clause="12.5",
    severity=Severity.CRITICAL,
    needs=(passwd.PROBE,),
    title=msg("only root has the user number 0"),
    remedy=msg("Find out who made the account, then remove it; treat it as an incident."),
)
def judge(facts: Facts) -> CheckOutcome:
    names = [account.name for account in facts[passwd.PROBE] if account.uid == 0]
    others = sorted(name for name in names if name != "root") + ["root"] * (names.count("root") - 1)
    if others:
        return failed("second-root", msg("accounts with the user number 0: {names}", names=listed(others)))
    if not names:
        return failed("no-root", msg("no account has the user number 0, not even root"))
    return passed(msg("only root has the user number 0"))
