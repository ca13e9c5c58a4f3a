"""The register of credentials against a portal's own accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from checks.servers.portal_audit import audit_portal
from portalops.model.portal_accounts import PortalAccounts
from portalops.registers.credentials import CredentialRegister
from portalops.registers.portal_accounts import PortalLook

AT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


def test_a_portal_in_which_no_account_was_seen_is_unknown_and_never_in_order() -> None:
    look = PortalLook(7, AT, PortalAccounts("cong", "wordpress", (), keeps_logins=True))

    found = audit_portal(
        CredentialRegister(),
        look,
        "cong",
        {},
        now=AT + timedelta(hours=1),
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
        longest=timedelta(days=2),
    )

    assert [(each.what, each.name, each.is_unknown) for each in found] == [("not-seen", "portal:cong", True)]
