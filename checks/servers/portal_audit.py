"""The register of credentials against a portal's own accounts: who can work there, and whom the register has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from checks.servers.accounts._people import owners_of_account
from checks.servers.accounts.unused_locked import USED_WITHIN
from checks.servers.baseline import KnownPerson
from checks.servers.credential_audit import Remark, owners_unknown
from checks.servers.probe import shown
from checks.servers.probes.own_portal_accounts import AskedPortal, portal_of
from portalops.model.credentials import host_of
from portalops.model.message import Message, msg
from portalops.model.portal_accounts import PortalAccount, PortalAccounts
from portalops.registers.access import AccessRegister, CredentialAccess


@dataclass(frozen=True, slots=True)
class PortalComparison:
    """What every portal is compared with."""

    register: AccessRegister
    members: Mapping[str, KnownPerson] | None
    """By name; None if nobody declared who they are."""
    now: datetime
    """The moment of the comparison, in the portal's zone, whose days count for who has left by now."""
    longest: timedelta
    """How old a look may be."""


def audit_portals(portals: Iterable[AskedPortal], known: PortalComparison) -> tuple[Remark, ...]:
    """Compare portals with the register, and tell of accounts that nobody uses."""
    every = tuple(portals)
    unused = [each for portal in every for each in _unused(portal)]
    return (*compare_portals(every, known), *unused)


def compare_portals(portals: Iterable[AskedPortal], known: PortalComparison) -> tuple[Remark, ...]:
    """Compare the accounts of portals with the register; one that the register names and nothing shows was not seen."""
    every = tuple(portals)
    found = [each for portal in every for each in _compared(portal, known)]
    found += owners_unknown(known.register, known.members, known.now.date())
    ids = {portal.id for portal in every}
    for each in known.register.credentials:
        if each.is_active and (name := portal_of(each)) and name not in ids:
            said = msg("no update source shows the accounts of {portal}", portal=shown(name, 100))
            remark = Remark(
                host_of(each.system), "not-seen", each.id, said, is_unknown=True, reason="no-source-of-portal"
            )
            found.append(remark)
    return tuple(found)


def _compared(portal: AskedPortal, known: PortalComparison) -> Iterator[Remark]:
    look = portal.look
    if portal.problem is not None:
        yield _unseen(portal.id, portal.problem, "portal-not-asked")
    if look is None:
        said = msg(
            "the portal's accounts have never been read: run 'portalops credential poll {portal}'", portal=portal.id
        )
        yield _unseen(portal.id, said, "portal-never-asked")
        return
    if isinstance(look.found, Message):
        said = msg("record {seq} cannot be read: {why}", seq=look.seq, why=look.found)
        yield _unseen(portal.id, said, "register-unreadable")
        return
    if look.at > known.now:
        said = msg("the newest reading of the portal's accounts is dated in the future, {at}", at=look.at)
        yield _unseen(portal.id, said, "look-in-future")
        return
    if known.now - look.at > known.longest:
        said = msg("the newest reading of the portal's accounts is of {at}, too old", at=look.at)
        yield _unseen(portal.id, said, "portal-look-too-old")
        return
    yield from _accounts(look.found, known)


def _unseen(portal: str, said: Message, reason: str) -> Remark:
    return Remark("", "not-seen", f"portal:{portal}", said, is_unknown=True, reason=reason)


def _accounts(seen: PortalAccounts, known: PortalComparison) -> Iterator[Remark]:
    mine = [each for each in known.register.credentials if portal_of(each) == seen.portal]
    for account in seen.accounts:
        if account.is_open:
            held = [each for each in mine if each.account == account.name]
            yield from _account(seen, account, held, known)
    if not seen.accounts:
        said = msg("no account was found that may do more than read, but every portal has one")
        yield _unseen(seen.portal, said, "no-account-seen")
    names = {account.name for account in seen.accounts}
    for each in mine:
        if each.is_active and each.account not in names:
            said = msg("credential {id} is registered, but its account does not exist", id=each.id)
            yield Remark("", "account-gone", f"portal:{seen.portal}:{each.account}", said)


def _account(
    seen: PortalAccounts, account: PortalAccount, held: list[CredentialAccess], known: PortalComparison
) -> Iterator[Remark]:
    name, owners = _name(seen, account), owners_of_account(account.name, known.members or {})
    roles = shown(", ".join(account.roles), 80)
    gone = known.register.gone_of(owners, known.now.date())
    if gone:
        yield Remark(
            "", "account-of-leaver", name, msg("{person} left, but their account is still enabled", person=gone[0])
        )
    if any(each.is_active for each in held):
        return
    if held:
        said = msg("credential {id} was returned, but its account is still enabled", id=held[-1].id)
        yield Remark("", "returned-but-open", name, said)
    elif account.is_admin:
        said = msg("it is unrestricted in the portal ({roles}), but has no recorded holder", roles=roles)
        yield Remark("", "admin-unregistered", name, said)
    elif known.members is None:
        said = msg("the owner of this account, which may edit the portal ({roles}), is not declared", roles=roles)
        yield Remark("", "not-seen", name, said, is_unknown=True, reason="not-declared")
    elif not owners:
        said = msg("the account may edit the portal ({roles}), but belongs to no member", roles=roles)
        yield Remark("", "account-unknown", name, said)


def _unused(portal: AskedPortal) -> Iterator[Remark]:
    """Accounts that are open and not used, by what the portal itself keeps of that."""
    look = portal.look
    if look is None or isinstance(look.found, Message) or not look.found.accounts:
        return
    seen = look.found
    if not seen.keeps_logins:
        said = msg("{product} does not record when accounts were last used", product=seen.product)
        yield Remark(
            "", "not-seen", f"portal:{seen.portal}:last-login", said, is_unknown=True, reason="logins-not-kept"
        )
        return
    for account in seen.accounts:
        if account.is_open:
            yield from _unused_account(seen, account, look.at)


def _unused_account(seen: PortalAccounts, account: PortalAccount, at: datetime) -> Iterator[Remark]:
    last, name = account.last_login_at, _name(seen, account)
    if last is None:
        yield Remark("", "never-used", name, msg("the account is enabled, but nobody has ever logged in to it"))
    elif at - last > USED_WITHIN:
        yield Remark("", "unused", name, msg("the account is enabled, but was last used at {at}", at=last))
    elif last - at > timedelta(days=1):
        said = msg("the last use of the account is dated in the future, {at}", at=last)
        yield Remark("", "not-seen", name, said, is_unknown=True, reason="used-in-future")


def _name(seen: PortalAccounts, account: PortalAccount) -> str:
    return f"portal:{seen.portal}:{shown(account.name, 80)}"
