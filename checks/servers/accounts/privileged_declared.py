"""Who stands in a privileged group, or may run everything by sudo, is declared.

Members of sudo, wheel or admin become root; docker, lxd, incus-admin, libvirt and disk are root by another road; adm,
shadow and root read what they should not. Article 12.5 asks that each holder of access is known.

The rule: every member of these groups is declared as an admin or as a service account. Members by first group count, and so
do those of a group of another name with the same number. So is every account that a rule of sudo lets run all commands
as root, itself or by a group. Administrators of these groups count as members, for they let themselves in, and so do those
whom /etc/gshadow alone has as members. None of these groups has a password, for it lets everybody in. Where /etc/group does not hold a group of such a rule, the answer is unknown, unless
the host looks for groups in files alone; so it is where /etc/nsswitch.conf or a record of systemd (/etc/userdb) adds accounts or members, and where sudo takes rules from elsewhere than a file. Without a declaration the answer is unknown.

Source: group(5), gshadow(5), newgrp(1), nss-systemd(8), sudoers(5). On Debian 13:

    sudo:27:an,binh
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import COMMAND_MISSING, MissingFact
from checks.servers.probes import group, gshadow, passwd, sudoers
from checks.servers.probes.sudoers import Sudoers
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

GROUPS = frozenset(
    {"sudo", "wheel", "admin", "docker", "lxd", "incus-admin", "libvirt", "adm", "shadow", "disk", "root"}
)
_LOCAL = frozenset({"files", "systemd"})
"""Where the host looks for groups, a group that /etc/group does not hold is none."""


@check(
    id="acct.privileged",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(group.PROBE, passwd.PROBE),
    uses=(sudoers.PROBE, gshadow.PROBE),
    title=msg("every member of a privileged group is declared"),
    remedy=msg(
        "Take the account out of the group by 'gpasswd -d NAME GROUP', or declare it after approval. Take a group's administrators "
        "away by 'gpasswd -A \"\" GROUP', and its password by 'gpasswd -r GROUP'."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    groups = facts[group.PROBE]
    # a right is the number's: a group of another name that shares it has the right too
    names = {one.gid: one.name for one in groups if one.name in GROUPS}
    found = {(names[one.gid], member) for one in groups if one.gid in names for member in one.members}
    found |= {(names[account.gid], account.name) for account in facts[passwd.PROBE] if account.gid in names}
    rules, keeping = facts.get(sudoers.PROBE), facts.get(gshadow.PROBE)
    unseen: list[str] = []
    privileged = {one.name for one in groups if one.gid in names}
    if not isinstance(rules, MissingFact):
        runners, of_rules, unseen = _runners_of_all(rules, facts)
        found |= {("sudo", name) for name in runners}
        privileged |= of_rules
    kept = {} if isinstance(keeping, MissingFact) else {name: keeping[name] for name in privileged & keeping.keys()}
    if opened := sorted(name for name, one in kept.items() if one.has_password):
        return failed("group-password", msg("privileged groups that a password opens: {names}", names=listed(opened)))
    found |= {(name, each) for name, one in kept.items() for each in (*one.administrators, *one.members)}
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
    if isinstance(keeping, MissingFact):
        return missing(keeping)
    if not isinstance(rules, MissingFact) and rules.sources:
        return unknown("rules-elsewhere", msg("sudo also takes rules from {names}", names=listed(rules.sources)))
    if unseen:
        return unknown(
            "group-unseen",
            msg("sudo lets groups run all commands that /etc/group does not hold: {names}", names=listed(unseen)),
        )
    count = len({member for _, member in members})
    return passed(
        nmsg(
            "the {n} privileged account beside root is declared",
            "the {n} privileged accounts beside root are declared",
            count,
        )
    )


def _runners_of_all(rules: Sudoers, facts: Facts) -> tuple[set[str], set[str], list[str]]:
    """Return the accounts that may run every command as root, members of groups one by one; these groups; and those not seen."""
    accounts = {f"#{account.uid}": account.name for account in facts[passwd.PROBE]}
    members: dict[str, set[str]] = {}
    for one in facts[group.PROBE]:
        by_first = {each.name for each in facts[passwd.PROBE] if each.gid == one.gid}
        for key in (one.name, f"#{one.gid}"):
            members.setdefault(key, set()).update(by_first, one.members)
    found: set[str] = set()
    of_rules: set[str] = set()
    unseen: dict[str, None] = {}
    for grant in rules.grants:
        if not grant.targets & {"root", "#0", "ALL"} or all(command.program != "ALL" for command in grant.commands):
            continue
        for who in grant.who:
            if not who.startswith("%"):
                found.add(accounts.get(who, who))
            elif who[1:] in members:
                found |= members[who[1:]]
                of_rules |= {one.name for one in facts[group.PROBE] if who[1:] in {one.name, f"#{one.gid}"}}
            elif rules.group_sources is None or not _LOCAL.issuperset(rules.group_sources):
                unseen[who] = None
    return found, of_rules, list(unseen)
