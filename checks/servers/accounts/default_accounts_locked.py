"""Accounts that images bring along are absent or locked.

Their names are in every guessing list, and nobody answers for what they do. Article 12.5: each access has a holder.

The rule: none of the known names exists with a password that can be used, or with another way in. A locked password keeps
password logins alone out. So no key opens such an account, unless every sshd refuses it (`AllowUsers`, `DenyUsers`); no rule of sudo or doas names
it as the account that others become; and PAM lets nobody in who knows no password (login, su, sshd). Where sshd takes keys from elsewhere than files, or one of these cannot be read,
the answer is unknown. A key counts also where the account has no shell, for it may forward ports; and where it has expired. Whoever may
become everybody by sudo, such as admins, counts for none. Nor does a key or a rule for an account that is declared under `service_accounts`. It does not see a console that logs an account in by itself, nor what servers other than sshd let in.

Sources: passwd(5), shadow(5), sshd(8), sudoers(5). On Debian 13:

    debian|locked|20782|99999
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.servers.accounts._keys import other_roads
from checks.servers.accounts._pam import has_service
from checks.servers.accounts._pam_ways import deserted, past_pam
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import COMMAND_MISSING, MissingFact
from checks.servers.probes import authorized_keys, group, other_ways, pam_stacks, passwd, shadow, sshd_servers, sudoers
from checks.servers.probes.sshd_servers import is_let_in
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

NAMES = frozenset({"ubuntu", "debian", "ec2-user", "vagrant", "oracle", "test", "guest", "ftpuser"})


@check(
    id="acct.default-names",
    clause="12.5",
    severity=Severity.MEDIUM,
    needs=(passwd.PROBE, shadow.PROBE),
    uses=(
        authorized_keys.PROBE,
        sshd_servers.PROBE,
        sudoers.PROBE,
        other_ways.PROBE,
        pam_stacks.PROBE,
        group.PROBE,
    ),
    title=msg("accounts that images bring along are absent or locked"),
    remedy=msg(
        "Remove the account by 'userdel NAME'; or lock it by 'passwd -l NAME', and remove its keys and the rules of sudo and doas that name it."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    present = sorted(account.name for account in facts[passwd.PROBE] if account.name in NAMES)
    kinds = {secret.name: secret.kind for secret in facts[shadow.PROBE]}
    usable = [name for name in present if kinds.get(name, "locked") != "locked"]
    if usable:
        return failed("default-account-usable", msg("default accounts that can be used: {names}", names=listed(usable)))
    if not present:
        return passed(msg("none of the known default accounts exists"))
    own = [name for name in present if name not in facts.declared.service_accounts]
    if ways := sorted({f"{name} ({way})" for name in own for way in _ways_in(name, facts)}):
        return failed(
            "default-account-opened",
            msg("default accounts with a locked password that another way opens: {names}", names=listed(ways)),
        )
    unsure = [name for name in present if name not in kinds]
    if unsure:
        return unknown("no-shadow-line", msg("accounts without a line in /etc/shadow: {names}", names=listed(unsure)))
    if (doubt := _doubt(facts)) is not None:
        return doubt
    if not own:
        return passed(
            msg("with a locked password, and declared as accounts of programs: {names}", names=listed(present))
        )
    return passed(
        msg("locked, and opened by no key, no rule of sudo or doas, and not by PAM: {names}", names=listed(own))
    )


def _ways_in(name: str, facts: Facts) -> Iterator[str]:
    """Yield how others come in to an account whose password is locked."""
    keys, servers = facts.get(authorized_keys.PROBE), facts.get(sshd_servers.PROBE)
    if not isinstance(keys, MissingFact):
        has_key = any(one.account == name and one.key_lines for one in keys.files)
        if (has_key or any(one.account == name for one in keys.keys)) and not (
            not isinstance(servers, MissingFact)
            and all(one.state == "read" and not one.is_stale for one in servers)
            and not any(is_let_in(name, effect.settings) for one in servers for effect in one.effects)
        ):
            yield "sshd"
    rules = facts.get(sudoers.PROBE)
    if not isinstance(rules, MissingFact):
        for grant in rules.grants:
            if grant.commands and name in grant.targets and any(who not in {"root", "#0", name} for who in grant.who):
                yield "sudo"
    ways = facts.get(other_ways.PROBE)
    if not isinstance(ways, MissingFact):
        for rule in ways.doas:
            if rule.is_permit and rule.target == name and rule.identity != name:
                yield "doas"


def _doubt(facts: Facts) -> CheckOutcome | None:
    """Return what of the ways in was not seen, or what PAM lets in."""
    keys, rules = facts.get(authorized_keys.PROBE), facts.get(sudoers.PROBE)
    if isinstance(keys, MissingFact):
        return missing(keys)
    if (roads := other_roads(facts)) is not None:
        return roads
    if isinstance(rules, MissingFact):
        if rules.reason != COMMAND_MISSING:
            return missing(rules)
    elif rules.sources:
        return unknown("rules-elsewhere", msg("sudo also takes rules from {names}", names=listed(rules.sources)))
    if isinstance(ways := facts.get(other_ways.PROBE), MissingFact):
        return missing(ways)
    if isinstance(pam := facts.get(pam_stacks.PROBE), MissingFact):
        return missing(pam)
    if isinstance(groups := facts.get(group.PROBE), MissingFact):
        return missing(groups)
    accounts = facts[passwd.PROBE]
    return past_pam(pam, [one for one in ("login", "su", "sshd") if has_service(pam, one)], deserted(groups, accounts))
