"""The register of credentials against what hosts show: accounts, keys and logins that nobody is recorded to hold. Pure.

Only what was seen is compared. A fact that is missing makes what it would have shown unknown, and is told of as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from checks.servers.accounts._keys import other_roads
from checks.servers.accounts._people import owner_of_key, owners_of_account
from checks.servers.accounts._sudo import nobodys_uses
from checks.servers.accounts.privileged_declared import GROUPS
from checks.servers.baseline import KnownPerson
from checks.servers.facts import Facts
from checks.servers.probe import COMMAND_MISSING, MissingFact, Probe, shown
from checks.servers.probes import (
    authorized_keys,
    group,
    logins,
    mysql_accounts,
    passwd,
    postgresql_roles,
    shadow,
    sshd_servers,
    sudo_uses,
)
from checks.servers.wording import together
from portalops.model.credentials import SystemKind, host_of
from portalops.model.message import Message, msg
from portalops.registers.access import AccessRegister, CredentialAccess
from portalops.registers.credentials import LACKING, CredentialRegister

ACCESS: tuple[Probe[Any], ...] = (passwd.PROBE, shadow.PROBE, group.PROBE, authorized_keys.PROBE)
"""What tells who may come in to a host."""
COMINGS: tuple[Probe[Any], ...] = (logins.PROBE, sudo_uses.PROBE)
"""What tells who came in, and who became another there."""
ROADS: tuple[Probe[Any], ...] = (sshd_servers.PROBE,)
"""What tells whether keys come in from elsewhere than the files that were read."""
PROBES: tuple[Probe[Any], ...] = (*ACCESS, *ROADS, *COMINGS)
"""What is compared of every host."""
DATABASES: tuple[Probe[Any], ...] = (postgresql_roles.PROBE, mysql_accounts.PROBE)
"""What is compared where a database server runs."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that the register and a host do not agree on, or that could not be seen."""

    host: str
    """Empty for what is of no host."""
    what: str
    """Coded: `account-unregistered`, `key-unregistered`, `account-of-leaver`, `not-seen`, ..."""
    name: str
    """The account, fingerprint, credential or fact."""
    said: Message
    is_unknown: bool = False
    reason: str = ""
    """Coded, of what is unknown: why it could not be seen."""


def audit(register: AccessRegister, facts: Facts | None, host: str, today: date) -> tuple[Remark, ...]:
    """Compare one host, and tell of logins and uses of sudo that are nobody's.

    Args:
        register: what the register says.
        facts: what the host last said; None if it never answered.
        host: its id.
        today: the local day, for who has left.
    """
    if facts is None:
        return (Remark(host, "not-seen", "-", msg("the host has not answered in any recorded scan"), is_unknown=True),)
    found = (*compare(register, facts, today), *_unseen(facts, COMINGS), *_logins(facts), *_uses(facts))
    return tuple({(each.what, each.name): each for each in found}.values())


def compare(register: AccessRegister, facts: Facts, today: date) -> tuple[Remark, ...]:
    """Compare the accounts and keys that open a host and its database servers with the register.

    Args:
        register: what the register says.
        facts: what the host last said.
        today: the local day, for who has left.
    """
    found = [*_unseen(facts, ACCESS), *owners_unknown(register, facts.declared.members, today, facts.host.id)]
    found += [*_accounts(register, facts, today), *_keys(register, facts, today), *_databases(register, facts, today)]
    return tuple({(each.what, each.name): each for each in found}.values())


def overdue(register: CredentialRegister, today: date) -> tuple[Remark, ...]:
    """Return what the register itself shows, whatever hosts say: late changes, leavers, systems that no host shows."""
    found: list[Remark] = []
    for name, seqs in register.unreadable.items():
        text = msg("records of this credential cannot be read: {seqs}", seqs=", ".join(map(str, seqs)))
        found.append(Remark("", "register-unreadable", name, text, is_unknown=True))
    for each in register.credentials.values():
        host = host_of(each.credential.system)
        if each.is_overdue(today) and each.due_on is not None:
            text = msg("overdue: to be changed by {day} (record {seq})", day=each.due_on, seq=each.secret_seq)
            found.append(Remark(host, "rotation-overdue", each.id, text))
        if each.is_active and each.lacks:
            text = msg(
                "details are missing: {what} (records {seqs})",
                what=together([LACKING[one] for one in each.lacks]),
                seqs=", ".join(map(str, each.seqs)),
            )
            found.append(Remark(host, "details-missing", each.id, text))
        if leavers := [left for left in register.leavers_of(each) if left.on <= today]:
            text = msg(
                "known to somebody who left: {names} (records {seqs})",
                names=", ".join(left.person for left in leavers),
                seqs=", ".join(map(str, sorted({*each.seqs, *(left.seq for left in leavers)}))),
            )
            found.append(Remark(host, "known-to-leaver", each.id, text))
        kind = each.credential.system.partition(":")[0]
        is_seen = kind in {SystemKind.HOST, SystemKind.PORTAL} or (kind == SystemKind.DATABASE and host)
        if each.is_active and not is_seen:
            text = msg(
                "no host shows whether {system} has the account {account}",
                system=each.credential.system,
                account=each.credential.account,
            )
            found.append(Remark(host, "not-seen", each.id, text, is_unknown=True))
    return tuple(found)


def _unseen(facts: Facts, probes: Iterable[Probe[Any]]) -> Iterator[Remark]:
    for probe in probes:
        fact = facts.get(probe)
        if isinstance(fact, MissingFact):
            yield Remark(facts.host.id, "not-seen", probe.id, fact.seen, is_unknown=True, reason=fact.reason)


def owners_unknown(
    register: AccessRegister, members: Mapping[str, KnownPerson] | None, today: date, host: str = ""
) -> Iterator[Remark]:
    """Yield that nothing tells what is of somebody who left: whose an account is, is said by the declared members alone."""
    gone = [one.person for one in register.left if one.on <= today]
    if gone and members is None:
        text = msg("{person} left, and the owners of accounts and keys are not declared", person=gone[0])
        yield Remark(host, "not-seen", "members", text, is_unknown=True, reason="not-declared")


def _accounts(register: AccessRegister, facts: Facts, today: date) -> Iterator[Remark]:
    """Accounts that somebody can come in by, and what the register has of them."""
    host = facts.host.id
    there = facts.get(passwd.PROBE)
    if isinstance(there, MissingFact):
        return
    names = {one.name for one in there}
    by_account: dict[str, list[CredentialAccess]] = {}
    for each in register.find_by_host(host):
        if _is_of_host(each):
            by_account.setdefault(each.account, []).append(each)
    members, open_ones = facts.declared.members or {}, _open(facts)
    for name in sorted(open_ones):
        owners = owners_of_account(name, members)
        gone = register.gone_of(owners, today)
        mine = by_account.get(name, [])
        if gone:
            yield Remark(
                host,
                "account-of-leaver",
                name,
                msg("{person} left, but their account is still enabled", person=gone[0]),
            )
        if any(each.is_active for each in mine):
            continue
        if mine:
            text = msg("credential {id} was returned, but its account is still enabled", id=mine[-1].id)
            yield Remark(host, "returned-but-open", name, text)
        elif owners:
            text = msg("the account of {person} is enabled, but no credential is registered for it", person=owners[0])
            yield Remark(host, "account-unregistered", name, text)
        else:
            yield Remark(host, "account-unknown", name, msg("the account is enabled, but has no recorded holder"))
    for name, held in sorted(by_account.items()):
        if name not in names and any(each.is_active for each in held):
            text = msg("credential {id} is registered, but its account does not exist", id=held[-1].id)
            yield Remark(host, "account-gone", name, text)


def _open(facts: Facts) -> set[str]:
    """Return the accounts that a password, a key or a privileged group makes matter; what is not seen adds none."""
    there, secrets = facts.get(passwd.PROBE), facts.get(shadow.PROBE)
    groups, keys = facts.get(group.PROBE), facts.get(authorized_keys.PROBE)
    if isinstance(there, MissingFact):
        return set()
    usable = set() if isinstance(secrets, MissingFact) else {one.name for one in secrets if one.kind != "locked"}
    if not isinstance(keys, MissingFact):
        usable |= {one.account for one in keys.keys} | {one.account for one in keys.files if one.key_lines}
    found = {one.name for one in there if one.has_shell and one.name in usable}
    found |= {one.name for one in there if one.uid == 0 and one.name != "root"}
    if not isinstance(groups, MissingFact):
        privileged = {one.gid for one in groups if one.name in GROUPS}
        found |= {name for one in groups if one.gid in privileged for name in one.members if name in usable}
        found |= {one.name for one in there if one.gid in privileged and one.name in usable}
    return found


def _keys(register: AccessRegister, facts: Facts, today: date) -> Iterator[Remark]:
    seen = facts.get(authorized_keys.PROBE)
    if isinstance(seen, MissingFact):
        return
    host, members = facts.host.id, facts.declared.members or {}
    known: dict[str, list[CredentialAccess]] = {}
    for each in register.credentials:
        known.setdefault(each.fingerprint, []).append(each)
    for key in seen.keys:
        owner, of_it = owner_of_key(key.fingerprint, members), known.get(key.fingerprint, [])
        in_use = [each for each in of_it if each.is_active]
        is_right = any(_is_of_host(each, host) and each.account == key.account for each in in_use)
        account = shown(key.account, 40)
        if owner is not None and register.gone_of((owner,), today):
            text = msg("{person} left, but a key of theirs still opens {account}", person=owner, account=account)
            yield Remark(host, "key-of-leaver", key.fingerprint, text)
        elif is_right:
            continue
        elif in_use:
            text = msg(
                "the key of credential {id} also opens {account}, for which it is not registered",
                id=in_use[0].id,
                account=account,
            )
            yield Remark(host, "key-elsewhere", f"{key.fingerprint} {account}", text)
        elif of_it:
            text = msg(
                "credential {id} was returned, but its key still opens {account}", id=of_it[-1].id, account=account
            )
            yield Remark(host, "returned-but-open", key.fingerprint, text)
        elif owner is not None:
            text = msg("a key of {person} opens {account} but is not registered", person=owner, account=account)
            yield Remark(host, "key-unregistered", key.fingerprint, text)
        else:
            text = msg("a key without a recorded holder opens {account}", account=account)
            yield Remark(host, "key-unknown", key.fingerprint, text)
    why = other_roads(facts)
    if why is not None and why.reason not in {"not-gathered", COMMAND_MISSING}:  # where there is no sshd, it takes none
        yield Remark(host, "not-seen", sshd_servers.PROBE.id, why.message, is_unknown=True, reason=why.reason)
    if seen.elsewhere or sum(one.key_lines for one in seen.files) != len(seen.keys):
        text = msg("sshd accepts keys that could not be read, or keys from elsewhere")
        yield Remark(host, "not-seen", authorized_keys.PROBE.id, text, is_unknown=True, reason="keys-unread")


def _logins(facts: Facts) -> Iterator[Remark]:
    """Logins that are nobody's; without declared members, all of them are unknown."""
    seen, members = facts.get(logins.PROBE), facts.declared.members
    if isinstance(seen, MissingFact) or not seen.accepted:
        return
    host = facts.host.id
    if members is None:
        text = msg("the members are not declared, so logins cannot be attributed")
        yield Remark(host, "not-seen", logins.PROBE.id, text, is_unknown=True)
        return
    for one in seen.accepted:
        owner = owner_of_key(one.key, members) if one.key else None
        if owner is None and (one.key or len(owners_of_account(one.account, members)) != 1):
            account = shown(one.account, 40)
            text = msg(
                "a login to {account} from {address} belongs to no member", account=account, address=str(one.address)
            )
            yield Remark(host, "login-unknown", f"{account} {one.key or one.method} {one.address}", text)


def _uses(facts: Facts) -> Iterator[Remark]:
    """Uses of sudo that are no one member's; without declared members, all of them are unknown."""
    host, uses = facts.host.id, nobodys_uses(facts)
    if uses and facts.declared.members is None:
        text = msg("the members are not declared, so uses of sudo cannot be attributed")
        yield Remark(host, "not-seen", sudo_uses.PROBE.id, text, is_unknown=True, reason="not-declared")
        return
    for one in uses:
        account, target = shown(one.account, 40), shown(one.target, 40)
        text = msg(
            "{account} became {target} with sudo, last at {at}, and belongs to no single member",
            account=account,
            target=target,
            at=one.last_at,
        )
        yield Remark(host, "sudo-unknown", f"{account} sudo {target}", text)


@dataclass(frozen=True, slots=True)
class _Login:
    """What a database has that somebody can come in as."""

    name: str
    shown: str
    is_admin: bool
    is_open: bool
    is_free: bool = False
    """No password is asked."""


def _databases(register: AccessRegister, facts: Facts, today: date) -> Iterator[Remark]:
    """Accounts of the host's database servers, and what the register has of them: `database:NAME@HOST`."""
    host = facts.host.id
    mine = [each for each in register.find_by_host(host) if _is_of_database(each, host)]
    seen: list[_Login] = []
    is_whole = True
    for probe in DATABASES:
        fact = facts.get(probe)
        if isinstance(fact, MissingFact) and fact.reason != "command-missing":
            is_whole = False
            yield Remark(host, "not-seen", probe.id, fact.seen, is_unknown=True, reason=fact.reason)
    roles, accounts = facts.get(postgresql_roles.PROBE), facts.get(mysql_accounts.PROBE)
    if isinstance(roles, MissingFact) and isinstance(accounts, MissingFact):
        is_whole = False  # no server that is asked by the host's own programs: what is registered of one was not seen
        if "database" in facts.host.roles and roles.reason == accounts.reason == "command-missing":
            text = msg("the host has the role {role}, but no database server on it answers", role="database")
            yield Remark(host, "not-seen", "database", text, is_unknown=True, reason="no-database-server")
    if not isinstance(roles, MissingFact):
        free = {(one.name, each.role) for one in roles.servers for each in one.admitted if each.rule.method == "trust"}
        for role in roles.roles:
            is_open = role.is_open and (role.until is None or role.until > facts.at)
            is_free = (role.server, role.name) in free
            seen.append(_Login(role.name, f"{role.name} (PostgreSQL {role.server})", role.is_admin, is_open, is_free))
    if not isinstance(accounts, MissingFact):
        if any(not one.might for one in accounts.accounts):
            is_whole = False
            text = msg("the database server shows only names, not rights or locked accounts")
            yield Remark(host, "not-seen", mysql_accounts.PROBE.id, text, is_unknown=True, reason="names-alone")
        for one in accounts.accounts:
            if one.way != "role":
                name = f"{one.user}@{one.host}"
                seen.append(_Login(one.user, name, one.might == "admin", one.is_open, one.way == "none"))
    for login in seen:
        if login.is_free:
            text = msg("no password is asked for it: everybody who reaches the server gets in")
            yield Remark(host, "no-password", f"database:{shown(login.shown, 80)}", text)
        yield from _database_login(register, facts, login, mine, today)
    names = {login.name for login in seen} | {login.shown for login in seen}
    for each in mine:
        if not each.is_active or each.account in names:
            continue
        if is_whole:
            text = msg("credential {id} is registered, but its account does not exist", id=each.id)
            yield Remark(host, "account-gone", f"database:{each.account}", text)
        else:
            text = msg(
                "no host shows whether {system} has the account {account}",
                system=each.system,
                account=each.account,
            )
            yield Remark(host, "not-seen", each.id, text, is_unknown=True, reason="account-not-seen")


def _database_login(
    register: AccessRegister, facts: Facts, login: _Login, mine: list[CredentialAccess], today: date
) -> Iterator[Remark]:
    if not login.is_open:
        return
    host, name = facts.host.id, f"database:{shown(login.shown, 80)}"
    owners = owners_of_account(login.name, facts.declared.members or {})
    gone = register.gone_of(owners, today)
    if gone:
        yield Remark(
            host, "account-of-leaver", name, msg("{person} left, but their account is still enabled", person=gone[0])
        )
    held = [each for each in mine if each.account in {login.name, login.shown}]
    if any(each.is_active for each in held):
        return
    if held:
        text = msg("credential {id} was returned, but its account is still enabled", id=held[-1].id)
        yield Remark(host, "returned-but-open", name, text)
    elif login.is_admin:
        text = msg("it has all rights on the database server, but no recorded holder")
        yield Remark(host, "admin-unregistered", name, text)
    elif owners:
        text = msg("the account of {person} is enabled, but no credential is registered for it", person=owners[0])
        yield Remark(host, "account-unregistered", name, text)
    else:
        yield Remark(host, "account-unknown", name, msg("the account is enabled, but has no recorded holder"))


def _is_of_database(each: CredentialAccess, host: str) -> bool:
    """Say whether a credential opens a database on a named host."""
    return each.kind == SystemKind.DATABASE and bool(host)


def _is_of_host(each: CredentialAccess, host: str = "") -> bool:
    """Say whether a credential opens a host itself, this one if it is given."""
    kind, _, name = each.system.partition(":")
    return kind == SystemKind.HOST and (not host or name == host)
