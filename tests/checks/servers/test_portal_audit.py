"""The register of credentials against a portal's own accounts: what is told of each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from checks.servers.baseline import KnownPerson
from checks.servers.portal_audit import PortalComparison, audit_portals, compare_portals
from checks.servers.probes.own_portal_accounts import AskedPortal
from portalops.model.message import verbatim
from portalops.model.portal_accounts import PortalAccount, PortalAccounts
from portalops.registers.access import AccessRegister, CredentialAccess
from portalops.registers.credentials import LeavingPerson
from portalops.registers.portal_accounts import PortalAnswer

AT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
NOW = (AT + timedelta(hours=1)).astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
MEMBERS = {"nguyen-van-an": KnownPerson(accounts=("an",)), "tran-thi-binh": KnownPerson(accounts=("binh",))}
ADMIN = PortalAccount("an", ("administrator",), is_admin=True, is_open=True, last_login_at=AT)
EDITOR = PortalAccount("binh", ("editor",), is_admin=False, is_open=True, last_login_at=AT)
STRANGER = PortalAccount("khach", ("author",), is_admin=False, is_open=True, last_login_at=AT)
HELD = CredentialAccess("cong-an", "portal:cong@web1", "an")
LEFT = LeavingPerson("Nguyen-Van-An", date(2026, 11, 26), 9)


def portal(*accounts: PortalAccount, keeps_logins: bool = True) -> AskedPortal:
    return AskedPortal("cong", PortalAnswer(7, AT, PortalAccounts("cong", "wordpress", accounts, keeps_logins)))


def known(
    *held: CredentialAccess,
    left: tuple[LeavingPerson, ...] = (),
    members: dict[str, KnownPerson] | None = MEMBERS,
    now: datetime = NOW,
) -> PortalComparison:
    return PortalComparison(AccessRegister(held, left), members, now, timedelta(hours=48))


RETURNED = CredentialAccess("cong-an", "portal:cong", "an", is_active=False)
CASES = {
    "all agrees": (portal(ADMIN, EDITOR), known(HELD), set()),
    "a blocked account needs nobody": (
        portal(EDITOR, PortalAccount("cu", ("administrator",), is_admin=True, is_open=False)),
        known(),
        set(),
    ),
    "an admin that nobody holds": (portal(ADMIN, EDITOR), known(), {("admin-unregistered", "portal:cong:an")}),
    "a credential of another portal": (
        portal(ADMIN),
        known(CredentialAccess("khac-an", "portal:khac", "an")),
        {("admin-unregistered", "portal:cong:an"), ("not-seen", "khac-an")},
    ),
    "an admin who left": (portal(ADMIN), known(HELD, left=(LEFT,)), {("account-of-leaver", "portal:cong:an")}),
    "an editor who left": (
        portal(EDITOR),
        known(left=(LeavingPerson("tran-thi-binh", date(2026, 11, 1), 9),)),
        {("account-of-leaver", "portal:cong:binh")},
    ),
    "the last day is tomorrow": (
        portal(ADMIN),
        known(HELD, left=(LeavingPerson("nguyen-van-an", date(2026, 11, 27), 9),)),
        set(),
    ),
    "returned, and open": (portal(ADMIN), known(RETURNED), {("returned-but-open", "portal:cong:an")}),
    "no member's": (portal(STRANGER), known(), {("account-unknown", "portal:cong:khach")}),
    "registered, and not there": (portal(EDITOR), known(HELD), {("account-gone", "portal:cong:an")}),
    "nobody declared who the members are": (
        portal(ADMIN, EDITOR),
        known(HELD, members=None),
        {("not-seen", "portal:cong:binh")},
    ),
    "somebody left, and nobody declared who the members are": (
        portal(ADMIN),
        known(HELD, left=(LEFT,), members=None),
        {("not-seen", "members")},
    ),
    "nobody looked": (AskedPortal("cong"), known(), {("not-seen", "portal:cong")}),
    "no account at all": (portal(), known(), {("not-seen", "portal:cong")}),
    "a record that cannot be read": (
        AskedPortal("cong", PortalAnswer(7, AT, verbatim("lost"))),
        known(),
        {("not-seen", "portal:cong")},
    ),
    "a look of 48 hours": (portal(ADMIN), known(HELD, now=AT + timedelta(hours=48)), set()),
    "a look of the future": (
        portal(ADMIN),
        known(HELD, now=AT - timedelta(seconds=1)),
        {("not-seen", "portal:cong")},
    ),
    "a look that is older": (
        portal(ADMIN),
        known(now=AT + timedelta(hours=48, seconds=1)),
        {("not-seen", "portal:cong")},
    ),
    "it could not be asked just now, and what was seen before is wrong": (
        AskedPortal("cong", portal(ADMIN).look, verbatim("refused")),
        known(),
        {("not-seen", "portal:cong"), ("admin-unregistered", "portal:cong:an")},
    ),
    "it could not be asked just now": (
        AskedPortal("cong", portal(ADMIN).look, verbatim("refused")),
        known(HELD),
        {("not-seen", "portal:cong")},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_account_is_held_against_the_register(case: str) -> None:
    one, compared, expected = CASES[case]

    found = compare_portals([one], compared)

    assert {(each.what, each.name) for each in found} == expected
    assert all(each.is_unknown == (each.what == "not-seen") == bool(each.reason) for each in found)


def test_an_account_that_nobody_uses_is_told_by_the_audit_alone() -> None:
    old = PortalAccount("an", ("administrator",), is_admin=True, is_open=True, last_login_at=AT - timedelta(days=90))
    never = PortalAccount("binh", ("editor",), is_admin=False, is_open=True)
    ahead = PortalAccount("an", ("administrator",), is_admin=True, is_open=True, last_login_at=AT + timedelta(days=2))

    def told(one: AskedPortal) -> set[tuple[str, str]]:
        assert compare_portals([one], known(HELD)) == ()
        return {(each.what, each.name) for each in audit_portals([one], known(HELD))}

    assert told(portal(old, never)) == {("unused", "portal:cong:an"), ("never-used", "portal:cong:binh")}
    assert told(portal(ahead)) == {("not-seen", "portal:cong:an")}
    assert told(portal(old, keeps_logins=False)) == {("not-seen", "portal:cong:last-login")}
