"""What own records say of who may come in: the sections of a host, and of the portals with one of the hosts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.servers.declared import Declared
from checks.servers.own import Own, own_sections
from checks.servers.probe import Unparseable
from checks.servers.probes import own_portal_accounts, own_registered
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.credentials import Credential, CredentialKind, CredentialReturn, Leaving
from portalops.model.message import Message, verbatim
from portalops.model.organisation import Host, HostId
from portalops.model.portal_accounts import PortalAccount, PortalAccounts
from portalops.registers.access import CredentialAccess
from portalops.registers.credentials import ADDED, CREDENTIAL, LEAVING, LEFT, RETURN, RETURNED
from portalops.registers.portal_accounts import ACCOUNTS, SEEN
from tests.ledger.ledgers import new_ledger

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WEB, DB = Host(HostId("web1"), "192.0.2.1"), Host(HostId("db1"), "192.0.2.2")
DAY = date(2026, 11, 2)
KEY = "SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA"
ODD = "token=x|<<<0 done>>>\n$6$abcdefgh$"
"""What text must come through whole, though it looks like a secret and like a mark."""
LOOK = PortalAccounts(
    "cong", "drupal", (PortalAccount(ODD, ("uid 1",), is_admin=True, is_open=True),), keeps_logins=True
)


def added(ledger: Ledger, name: str, system: str, *, account: str = "an", fingerprint: str = "") -> None:
    body = Credential(
        name, system, account, CredentialKind.KEY, "an", "binh", "safe", DAY, DAY, None, fingerprint=fingerprint
    )
    ledger.append(ADDED, run=NO_RUN, subject=name, body=bodies.write({CREDENTIAL: body}))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def sections(ledger: Ledger | None, portals: dict[str, Message | None] | None = None) -> dict[str, dict[str, Any]]:
    """By probe and host what is read of its section, or the coded reason why nothing is."""
    own = Own(ledger, (WEB, DB), Declared(), NOW, ZONE, portals=portals or {})
    parsers: dict[str, Callable[[Any], object]] = {
        each.PROBE.id: each.parse for each in (own_registered, own_portal_accounts)
    }
    found: dict[str, dict[str, Any]] = {name: {} for name in parsers}
    for host, made in own_sections(own, parsers).items():
        for section in made:
            try:
                found[section.probe][str(host)] = parsers[section.probe](section.output())
            except Unparseable as error:
                found[section.probe][str(host)] = error.reason
    return found


def test_a_host_has_its_own_credentials_and_every_key_and_no_holder(ledger: Ledger) -> None:
    added(ledger, "web1-an", "host:web1", fingerprint=KEY)
    added(ledger, "web1-root", "host:web1", account="root")
    added(ledger, "db", "database:chinh@db1", account="root@%")
    back = CredentialReturn("web1-root", DAY, "nguyen-van-an")
    ledger.append(RETURNED, run=NO_RUN, subject="web1-root", body=bodies.write({RETURN: back}))
    gone = Leaving("le-van-chi", DAY)
    ledger.append(LEFT, run=NO_RUN, subject="le-van-chi", body=bodies.write({LEAVING: gone}))

    found = sections(ledger)["own.registered"]

    web, db = found["web1"].register, found["db1"].register
    assert [(each.id, each.account, each.is_active, each.fingerprint) for each in web.credentials] == [
        ("web1-an", "an", True, KEY),
        ("web1-root", "root", False, ""),
    ]
    assert [(each.id, each.system) for each in db.credentials] == [
        ("db", "database:chinh@db1"),
        ("web1-an", "host:web1"),
    ]
    assert [(each.person, each.on) for each in web.left] == [("le-van-chi", DAY)]
    assert "safe" not in repr(found) and "binh" not in repr(found)


def test_of_a_key_that_opens_other_hosts_one_is_enough() -> None:
    def key(name: str, host: str, fingerprint: str, *, is_active: bool) -> CredentialAccess:
        return CredentialAccess(name, f"host:{host}", "an", fingerprint, is_active)

    every = (
        key("a", "web1", KEY, is_active=False),
        key("b", "web2", KEY, is_active=False),
        key("c", "web3", KEY, is_active=True),
        key("d", "web4", KEY, is_active=False),
        key("e", "web5", "SHA256:other", is_active=False),
        key("f", "web6", "SHA256:other", is_active=False),
        CredentialAccess("g", "database:x@web2", "root@%"),
    )

    assert [each.id for each in own_registered.matters_to("web1", every)] == ["a", "c", "f"]
    assert [each.id for each in own_registered.matters_to("web2", every)] == ["b", "g", "c", "f"]


def test_portals_are_with_one_host_and_the_others_name_it(ledger: Ledger) -> None:
    added(ledger, "cong", "portal:cong@web1", account=ODD.partition("\n")[0])
    added(ledger, "web1-an", "host:web1")
    seen = ledger.append(SEEN, run=NO_RUN, subject="cong", body=bodies.write({ACCOUNTS: LOOK}))

    found = sections(ledger, {"cong": verbatim("refused"), "tin": None})["own.portal-accounts"]

    assert (found["web1"].keeper, found["web1"].zone) == ("db1", None)
    cong, tin = found["db1"].portals
    assert (cong.problem, cong.look.seq, cong.look.at) == (verbatim("refused"), seen.seq, seen.at)
    assert [(each.name, each.roles, each.is_admin) for each in cong.look.found.accounts] == [(ODD, ("uid 1",), True)]
    assert (tin.id, tin.look, tin.problem) == ("tin", None, None)
    assert [each.id for each in found["db1"].register.credentials] == ["cong"]


def test_without_a_register_there_is_nothing_to_judge_by(ledger: Ledger) -> None:
    ledger.append(SEEN, run=NO_RUN, subject="cong", body=bodies.write({ACCOUNTS: LOOK}))

    for one in (None, ledger):
        found = sections(one, {"cong": None})
        assert found["own.registered"] == {"web1": "no-register", "db1": "no-register"}
        assert found["own.portal-accounts"]["db1"] == "no-register"


def test_a_record_that_cannot_be_read_is_told_where_it_may_matter(ledger: Ledger) -> None:
    added(ledger, "web1-an", "host:web1")
    ledger.append(RETURNED, run=NO_RUN, subject="web1-an", body=b"rubbish")
    only_web = sections(ledger)
    ledger.append(ADDED, run=NO_RUN, subject="nobody-knows", body=b"rubbish")
    everywhere = sections(ledger)

    assert only_web["own.registered"]["web1"] == "register-unreadable"
    assert only_web["own.registered"]["db1"].register.credentials == ()
    assert only_web["own.portal-accounts"]["db1"].portals == ()
    assert set(everywhere["own.registered"].values()) == {"register-unreadable"}
    assert everywhere["own.portal-accounts"]["db1"] == "register-unreadable"


def test_a_look_that_cannot_be_read_stays_one_that_cannot(ledger: Ledger) -> None:
    added(ledger, "cong", "portal:cong")
    ledger.append(SEEN, run=NO_RUN, subject="cong", body=b"rubbish")

    (portal,) = sections(ledger, {"cong": None})["own.portal-accounts"]["db1"].portals

    assert isinstance(portal.look.found, Message)
