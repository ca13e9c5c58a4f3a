"""The audit of second factors and shared accounts in a portal, from the look that the ledger keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.portal_accounts import PortalAccount, PortalAccounts
from portalops.registers.portal_accounts import ACCOUNTS, SEEN
from portalops.system.clock import SystemClock
from tests.commands.test_credential import ADD, AN, CONFIGURATION, ISSUED, asked, portalops

SOURCE = """
[[updates.source]]
id = "cong"
kind = "sql"
product = "nukeviet"
channel = "portal"
url = "mysql+pymysql://reader@127.0.0.1:9/portal"
"""
OF_PORTAL = ("--system", "portal:cong", "--kind", "password", *AN, *ISSUED)


def test_audit_tells_of_second_factors_in_the_portal_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION + SOURCE, encoding="utf-8")
    accounts = tuple(PortalAccount(name, ("lev 1",), is_admin=True, is_open=True) for name in ("an", "binh"))
    ledger = Ledger.open(tmp_path / "state", SystemClock(), create=True)
    body = bodies.write({ACCOUNTS: PortalAccounts("cong", "nukeviet", accounts, keeps_logins=False)})
    ledger.append(SEEN, run=NO_RUN, subject="cong", body=body)
    ledger.close()
    asked(tmp_path, capsys, *ADD, "cong-an", "--account", "an", *OF_PORTAL)
    asked(tmp_path, capsys, *ADD, "cong-binh", "--account", "binh", *OF_PORTAL, "--mfa")

    found = asked(tmp_path, capsys, "credential", "audit", expected=ExitCode.UNMET)

    told = {each["name"]: each for each in found}
    assert (told["portal:cong:an cong-an"]["what"], told["portal:cong:an cong-an"]["state"]) == ("mfa-missing", "wrong")
    assert told["portal:cong:binh cong-binh"]["state"] == "unknown"
    assert len({each["id"] for each in found}) == len(found)
    portalops(tmp_path, "credential", "audit")
    assert "is registered without a second factor: cong-an (record 3)" in capsys.readouterr().out
