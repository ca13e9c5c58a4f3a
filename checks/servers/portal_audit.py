"""The register of credentials against a portal's own accounts: who can work there, and whom the register has. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from checks.servers.accounts._people import owners_of_account
from checks.servers.accounts.unused_locked import USED_WITHIN
from checks.servers.baseline import Member
from checks.servers.credential_audit import Remark, kind_of
from checks.servers.probe import shown
from portalops.model.credentials import SystemKind
from portalops.model.message import Message, msg
from portalops.model.portal_accounts import PortalAccount, PortalAccounts
from portalops.registers.credentials import CredentialRegister, HeldCredential
from portalops.registers.portal_accounts import PortalLook


def audit_portal(
    register: CredentialRegister,
    look: PortalLook | None,
    portal: str,
    members: Mapping[str, Member],
    *,
    now: datetime,
    zone: ZoneInfo,
    longest: timedelta,
) -> tuple[Remark, ...]:
    """Compare one portal.

    Args:
        register: the register.
        look: the newest look at its accounts; None if there was none.
        portal: the id of its source of updates: `portal:ID`, whichever host stands behind it.
        members: by name.
        now: the moment of the audit.
        zone: the portal's, for who has left by now.
        longest: how old a look may be.
    """
    mine = [each for each in register.credentials.values() if portal_of(each) == portal]
    if look is None:
        said = msg("nobody looked at the portal's accounts yet: 'portalops credential look {portal}'", portal=portal)
        return (_unseen(portal, said),)
    if isinstance(look.found, Message):
        return (_unseen(portal, msg("record {seq} cannot be read: {why}", seq=look.seq, why=look.found)),)
    found = list(_accounts(register, look.found, look.at, mine, members, now=now.astimezone(zone)))
    if now - look.at > longest:
        found.insert(0, _unseen(portal, msg("the newest look is of {at}, too old to speak for today", at=look.at)))
    return tuple(found)


def portal_of(each: HeldCredential) -> str:
    """Return the portal that a credential opens; empty for what is none."""
    system = each.credential.system
    return system.partition(":")[2].partition("@")[0] if kind_of(each) == SystemKind.PORTAL else ""


def _unseen(portal: str, said: Message) -> Remark:
    return Remark("", "not-seen", f"portal:{portal}", said, is_unknown=True)


def _accounts(
    register: CredentialRegister,
    seen: PortalAccounts,
    at: datetime,
    mine: list[HeldCredential],
    members: Mapping[str, Member],
    *,
    now: datetime,
) -> Iterator[Remark]:
    for account in seen.accounts:
        if account.is_open:
            held = [each for each in mine if each.credential.account == account.name]
            yield from _account(register, seen, account, held, owners_of_account(account.name, members), now=now)
            yield from _unused(seen, account, at)
    if not seen.accounts:
        said = msg("no account was seen that may do more than read, and no portal is without one")
        yield _unseen(seen.portal, said)
    elif not seen.keeps_logins:
        said = msg("when its accounts were last used is not kept by {product}", product=seen.product)
        yield Remark("", "not-seen", f"portal:{seen.portal}:last-login", said, is_unknown=True)
    names = {account.name for account in seen.accounts}
    for each in mine:
        if each.is_active and each.credential.account not in names:
            said = msg("the register has a credential of it, and the account is not there: {id}", id=each.id)
            yield Remark("", "account-gone", f"portal:{seen.portal}:{each.credential.account}", said)


def _account(
    register: CredentialRegister,
    seen: PortalAccounts,
    account: PortalAccount,
    held: list[HeldCredential],
    owners: tuple[str, ...],
    *,
    now: datetime,
) -> Iterator[Remark]:
    name = _name(seen, account)
    roles = shown(", ".join(account.roles), 80)
    gone = [owner for owner in owners if register.has_left(owner, now.date())]
    if gone:
        yield Remark("", "account-of-leaver", name, msg("the account of {person}, who left, is open", person=gone[0]))
    if any(each.is_active for each in held):
        return
    if held:
        said = msg("its credential was returned, and the account is open: {id}", id=held[-1].id)
        yield Remark("", "returned-but-open", name, said)
    elif account.is_admin:
        said = msg("it may do everything in the portal ({roles}), and nobody is recorded to hold it", roles=roles)
        yield Remark("", "admin-unregistered", name, said)
    elif not owners:
        said = msg("the account may work in the portal ({roles}), and is no member's", roles=roles)
        yield Remark("", "account-unknown", name, said)


def _unused(seen: PortalAccounts, account: PortalAccount, at: datetime) -> Iterator[Remark]:
    last = account.last_login_at
    if not seen.keeps_logins:
        return
    if last is None:
        yield Remark(
            "", "never-used", _name(seen, account), msg("the account is open, and nobody ever logged in to it")
        )
    elif at - last > USED_WITHIN:
        said = msg("the account is open, and was last used at {at}", at=last)
        yield Remark("", "unused", _name(seen, account), said)
    elif last - at > timedelta(days=1):
        said = msg("the account is said to be used in the future, at {at}", at=last)
        yield Remark("", "not-seen", _name(seen, account), said, is_unknown=True)


def _name(seen: PortalAccounts, account: PortalAccount) -> str:
    return f"portal:{seen.portal}:{shown(account.name, 80)}"
