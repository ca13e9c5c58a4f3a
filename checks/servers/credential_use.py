"""How registered credentials are used: whether admin access takes a second factor, and whether one person alone uses it. Pure.

The register says both, and hosts show some of it. What nothing shows is unknown: that a portal asks for a second factor, and
whose keys they are where no member is declared. How many people know a password nothing shows at all; of that only the register
tells. Of databases nothing is said here.

What opens admin access: root and accounts of its number, declared admins, members of groups that become root. Accounts of
programs (`service_accounts`) have no second factor, and several people may use them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from checks.servers.accounts import second_factor_asked
from checks.servers.accounts._people import owner_of_key, owners_of_account
from checks.servers.accounts.privileged_declared import GROUPS
from checks.servers.baseline import KnownPerson
from checks.servers.check import CheckOutcome, guarded, missing
from checks.servers.credential_audit import Remark
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, Probe, shown
from checks.servers.probes import authorized_keys, group, logins, passwd
from portalops.model.credentials import SystemKind, same_person
from portalops.model.message import Message, msg
from portalops.model.portal_accounts import PortalAccount
from portalops.model.verdicts import CheckVerdict
from portalops.registers.credentials import CredentialRegister, HeldCredential
from portalops.registers.portal_accounts import PortalAnswer

_SECOND = second_factor_asked.judge
PROBES: tuple[Probe[Any], ...] = (*_SECOND.needs, *_SECOND.uses)
"""What is looked at beside what `credential_audit` compares."""
_ROOT = "root"
_BECOME_ROOT = GROUPS - {"adm", "shadow"}
"""The privileged groups but those that only read more."""


def audit_use(register: CredentialRegister, facts: Facts) -> tuple[Remark, ...]:
    """Compare how the credentials of one host are used with what the host shows.

    Args:
        register: the register.
        facts: what the host last said.
    """
    host = facts.host.id
    mine: dict[str, list[HeldCredential]] = {}
    for each in register.credentials.values():
        if each.is_active and each.credential.system == f"{SystemKind.HOST}:{host}":
            mine.setdefault(each.credential.account, []).append(each)
    found = [*_factors(mine, facts)]
    for account, held in sorted(mine.items()):
        found += _shared(host, shown(account, 40), held, _people(account, facts))
        found += _unneeded(host, account, held, facts)
        if facts.declared.members is None and len(_keys_of(account, facts)) > 1:
            said = msg("several keys open it, and their owners are not declared")
            found.append(
                Remark(host, "not-seen", f"keys of {shown(account, 40)}", said, is_unknown=True, reason="not-declared")
            )
    return tuple(found)


def audit_use_in_portals(
    register: CredentialRegister, looks: Mapping[str, PortalAnswer], members: Mapping[str, KnownPerson]
) -> tuple[Remark, ...]:
    """Compare how the credentials of portals are used with what the portals show.

    Args:
        register: the register.
        looks: the newest look at each portal's accounts, by the portal's id; of one without a look nothing is said here.
        members: by name.
    """
    found: list[Remark] = []
    for portal, look in sorted(looks.items()):
        if isinstance(look.found, Message):
            continue
        for account in look.found.accounts:
            held = [
                each
                for each in register.credentials.values()
                if each.is_active
                and each.credential.system.partition("@")[0] == f"{SystemKind.PORTAL}:{portal}"
                and each.credential.account == account.name
            ]
            if account.is_open and held:
                name = f"portal:{portal}:{shown(account.name, 80)}"
                found += _compare_portal(name, account, held, owners_of_account(account.name, members))
    return tuple(found)


def _compare_portal(
    name: str, account: PortalAccount, held: list[HeldCredential], owners: tuple[str, ...]
) -> Iterator[Remark]:
    yield from _shared("", name, held, owners)
    for each in held:
        if each.credential.shared:
            said = msg(
                "{id} is registered as shared (record {seq}), but a portal can give each person an account of "
                "their own",
                id=each.id,
                seq=each.use_seq,
            )
            yield Remark("", "shared-unneeded", f"{name} {each.id}", said)
        if account.is_admin and not each.credential.mfa:
            said = msg(
                "it is unrestricted in the portal, and is registered without a second factor: {id} (record {seq})",
                id=each.id,
                seq=each.use_seq,
            )
            yield Remark("", "mfa-missing", f"{name} {each.id}", said)
        elif account.is_admin:
            said = msg(
                "{id} is registered with a second factor (record {seq}), but nothing confirms it",
                id=each.id,
                seq=each.use_seq,
            )
            yield Remark("", "not-seen", f"{name} {each.id}", said, is_unknown=True, reason="second-factor-not-shown")


def _factors(mine: Mapping[str, list[HeldCredential]], facts: Facts) -> Iterator[Remark]:
    """What the register says of a second factor, against what SSH asks for on the host."""
    host, admins = facts.host.id, _admins(facts)
    lacking = facts.lacking(*_SECOND.needs)
    asked = missing(lacking) if lacking is not None else guarded(lambda: _SECOND.judge(facts))
    for account, held in sorted(mine.items()):
        if account in facts.declared.service_accounts:
            continue
        for each in held:
            name = f"{shown(account, 40)} {each.id}"
            if each.credential.mfa:
                yield from _reports_asking(host, name, each, asked)
            elif account in admins:
                yield Remark(host, "mfa-missing", name, _without(each, asked))


def _reports_asking(host: str, name: str, each: HeldCredential, asked: CheckOutcome) -> Iterator[Remark]:
    if asked.verdict is CheckVerdict.PASS:
        return
    if asked.verdict is CheckVerdict.FAIL:
        said = msg(
            "it is registered with a second factor (record {seq}), but the host requires none: {seen}",
            seq=each.use_seq,
            seen=asked.message,
        )
        yield Remark(host, "mfa-not-asked", name, said)
        return
    said = msg(
        "it is registered with a second factor (record {seq}), but it is not known whether the host "
        "requires one: {seen}",
        seq=each.use_seq,
        seen=asked.message,
    )
    yield Remark(host, "not-seen", name, said, is_unknown=True, reason=asked.reason)


def _without(each: HeldCredential, asked: CheckOutcome) -> Message:
    """Return what is said of admin access that the register has without a second factor, which no host can take back."""
    match asked.verdict:
        case CheckVerdict.PASS:
            return msg(
                "it is registered as admin access without a second factor (record {seq}), but SSH requires one: "
                "run 'portalops credential correct {id} --mfa --reason TEXT' if it opens nothing else",
                seq=each.use_seq,
                id=each.id,
            )
        case CheckVerdict.FAIL:
            return msg(
                "it is admin access without a second factor, by the register (record {seq}) and by the host: {seen}",
                seq=each.use_seq,
                seen=asked.message,
            )
        case _:
            return msg("it is registered as admin access without a second factor (record {seq})", seq=each.use_seq)


def _admins(facts: Facts) -> frozenset[str]:
    """Return the accounts that open admin access, as far as they were seen or declared."""
    there, groups = facts.get(passwd.PROBE), facts.get(group.PROBE)
    accounts = () if isinstance(there, MissingFact) else there
    found = {_ROOT, *(facts.declared.admins or ()), *(one.name for one in accounts if one.uid == 0)}
    if not isinstance(groups, MissingFact):
        privileged = {one.gid for one in groups if one.name in _BECOME_ROOT}
        found |= {name for one in groups if one.gid in privileged for name in one.members}
        found |= {one.name for one in accounts if one.gid in privileged}
    return frozenset(found)


def _people(account: str, facts: Facts) -> tuple[str, ...]:
    """Return the members who use an account, by their keys, their logins, and as it is declared to be theirs."""
    members = facts.declared.members or {}
    found = [owner_of_key(mark, members) for mark in _keys_of(account, facts)]
    seen = facts.get(logins.PROBE)
    if not isinstance(seen, MissingFact):
        found += [owner_of_key(one.key, members) for one in seen.accepted if one.account == account and one.key]
    return tuple(dict.fromkeys((*owners_of_account(account, members), *(one for one in found if one is not None))))


def _keys_of(account: str, facts: Facts) -> tuple[str, ...]:
    seen = facts.get(authorized_keys.PROBE)
    if isinstance(seen, MissingFact):
        return ()
    return tuple(dict.fromkeys(one.fingerprint for one in seen.keys if one.account == account))


def _shared(host: str, name: str, held: list[HeldCredential], seen: Iterable[str]) -> Iterator[Remark]:
    """What is registered as one person's, and used by several: by what is seen, and by who holds another credential of it."""
    personal = [each for each in held if not each.credential.shared]
    people: list[str] = []
    for person in (*seen, *(each.credential.holder for each in held if each.credential.holder)):
        if not any(same_person(person, other) for other in people):
            people.append(person)
    if personal and len(people) > 1:
        said = msg(
            "it is registered as one person's ({ids}, records {seqs}), but several people use or hold it: {names}",
            ids=", ".join(each.id for each in personal),
            seqs=", ".join(str(each.use_seq) for each in personal),
            names=shown(", ".join(people), 200),
        )
        yield Remark(host, "shared-unregistered", name, said)


def _unneeded(host: str, account: str, held: list[HeldCredential], facts: Facts) -> Iterator[Remark]:
    """What is registered as shared though each person can have an account of their own."""
    if account == _ROOT or account in facts.declared.service_accounts:
        return
    for each in held:
        if each.credential.shared:
            said = msg(
                "{id} is registered as shared (record {seq}) and is not a declared service account: give each "
                "person an account of their own",
                id=each.id,
                seq=each.use_seq,
            )
            yield Remark(host, "shared-unneeded", f"{shown(account, 40)} {each.id}", said)
