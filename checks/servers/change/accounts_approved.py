"""The accounts and groups of the host are those that were approved.

A new account is a new way in; an account that is gone may have been somebody's only record. Article 12.2 asks that changes
are approved before they are made.

The rule: the names in /etc/passwd and /etc/group are exactly those that are declared under `accounts` and `groups`, the
system's own ones too: a back door likes to look like one. Those whose shell lets somebody log in are declared under
`login_accounts`; where that is not declared and an account of the system other than root has such a shell, it is unknown. A
package that brings an account is a change as well. Accounts of a directory service are not in the files; where the file calls
for one, the answer is unknown.

Sources: passwd(5), group(5). On Debian 13:

    _chrony:x:100:102::/var/lib/chrony:/usr/sbin/nologin
"""

from __future__ import annotations

from checks.servers.change._sets import difference
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import group, passwd
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="change.accounts",
    clause="12.2",
    severity=Severity.HIGH,
    needs=(passwd.PROBE, group.PROBE),
    title=msg("the accounts and groups of the host are the approved ones"),
    remedy=msg("Find out who made the change; have it approved and declare it, or undo it by 'userdel' or 'useradd'."),
)
def judge(facts: Facts) -> CheckOutcome:
    accounts = {one.name for one in facts[passwd.PROBE]}
    groups = {one.name for one in facts[group.PROBE]}
    if facts.declared.accounts is not None:
        wrong = difference(accounts, facts.declared.accounts)
        if wrong:
            return failed("accounts-changed", msg("accounts {difference}", difference=wrong))
    if facts.declared.groups is not None:
        wrong = difference(groups, facts.declared.groups)
        if wrong:
            return failed("groups-changed", msg("groups {difference}", difference=wrong))
    logins = sorted(one.name for one in facts[passwd.PROBE] if one.has_shell)
    if facts.declared.login_accounts is not None and (wrong := difference(logins, facts.declared.login_accounts)):
        return failed("logins-changed", msg("accounts with a shell to log in: {difference}", difference=wrong))
    if facts.declared.accounts is None or facts.declared.groups is None:
        people = sorted(one.name for one in facts[passwd.PROBE] if 1000 <= one.uid < 60000)
        return unknown(
            "not-declared",
            msg(
                "which accounts and groups were approved is not declared; seen: {accounts} accounts, of people {names}",
                accounts=len(accounts),
                names=listed(people) or "-",
            ),
        )
    system = sorted(
        one.name for one in facts[passwd.PROBE] if one.has_shell and one.uid > 0 and not 1000 <= one.uid < 60000
    )
    if facts.declared.login_accounts is None and system:
        return unknown(
            "logins-not-declared",
            msg(
                "which accounts may log in is not declared; of the system's own, a shell have: {names}",
                names=listed(system),
            ),
        )
    return passed(
        msg(
            "the {accounts} accounts and {groups} groups are the approved ones",
            accounts=len(accounts),
            groups=len(groups),
        )
    )
