"""Who stands in a privileged group, or may run everything by sudo, is declared.

Members of sudo, wheel or admin become root; docker, lxd, incus-admin, libvirt and disk are root by another road; adm,
shadow and root read what they should not. Article 12.5 asks that each holder of access is known.

The rule: every member of these groups, also by its first group or by a group of another name with the same number, and every
account that a rule of sudo lets run all commands as root, itself or by a group, is declared as an admin or as a service account.
Without a declaration the answer is unknown.

Source: group(5), sudoers(5). On Debian 13:

    sudo:27:an,binh
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import COMMAND_MISSING, MissingFact
from checks.servers.probes import group, passwd, sudoers
from checks.servers.probes.sudoers import Sudoers
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

GROUPS = frozenset(
    {"sudo", "wheel", "admin", "docker", "lxd", "incus-admin", "libvirt", "adm", "shadow", "disk", "root"}
)


@check(
    id="acct.privileged",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(group.PROBE, passwd.PROBE),
    uses=(sudoers.PROBE,),
    title=msg("every member of a privileged group is declared"),
    remedy=msg("Take the account out of the group by 'gpasswd -d NAME GROUP', or declare it after approval."),
)
def judge(facts: Facts) -> CheckOutcome:
    groups = facts[group.PROBE]
    # a right is the number's: a group of another name that shares it has the right too
    names = {one.gid: one.name for one in groups if one.name in GROUPS}
    found = {(names[one.gid], member) for one in groups if one.gid in names for member in one.members}
    found |= {(names[account.gid], account.name) for account in facts[passwd.PROBE] if account.gid in names}
    rules = facts.get(sudoers.PROBE)
    if not isinstance(rules, MissingFact):
        found |= {("sudo", name) for name in _runners_of_all(rules, facts)}
    members = {(name, member) for name, member in found if member != "root"}
    if facts.declared.admins is None:
        return unknown(
            "not-declared",
            msg(
                "the privileged accounts are not declared; seen: {names}",
                names=listed(sorted({who for _, who in members})) or "-",
            ),
        )
    allowed = {*facts.declared.admins, *facts.declared.service_accounts}
    extra = sorted(f"{member} ({name})" for name, member in members if member not in allowed)
    if extra:
        return failed("undeclared-member", msg("privileged and not declared: {names}", names=listed(extra)))
    if isinstance(rules, MissingFact) and rules.reason != COMMAND_MISSING:
        return missing(rules)
    count = len({member for _, member in members})
    return passed(
        nmsg(
            "the {n} privileged account beside root is declared",
            "the {n} privileged accounts beside root are declared",
            count,
        )
    )


def _runners_of_all(rules: Sudoers, facts: Facts) -> Iterator[str]:
    """Yield the accounts that may run every command as root, members of groups one by one."""
    accounts = {str(account.uid): account.name for account in facts[passwd.PROBE]}
    members = {one.name: one.members for one in facts[group.PROBE]}
    by_first = {
        one.name: [each.name for each in facts[passwd.PROBE] if each.gid == one.gid] for one in facts[group.PROBE]
    }
    for grant in rules.grants:
        if not grant.targets & {"root", "#0", "ALL"} or all(command.program != "ALL" for command in grant.commands):
            continue
        for who in grant.who:
            if who.startswith("%"):
                yield from (*members.get(who[1:], ()), *by_first.get(who[1:], ()))
            elif who.startswith("#"):
                yield accounts.get(who[1:], who)
            else:
                yield who
