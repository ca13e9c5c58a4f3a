"""How registered credentials are used, against what hosts and portals show: second factors, and accounts of several people.

What sshd and PAM say is that of real hosts, from the samples of acct.mfa.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from checks.servers.credential_audit import PROBES as COMPARED
from checks.servers.credential_use import PROBES, audit_use, audit_use_in_portals
from checks.servers.declared import Declared
from checks.servers.facts import Facts, found_in
from portalops.model.credentials import Credential, CredentialKind
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.model.portal_accounts import PortalAccount, PortalAccounts
from portalops.registers.credentials import ADDED, CORRECTED, CredentialRegister, fold_credentials
from portalops.registers.portal_accounts import PortalAnswer
from tests.checks.servers.samples import SAMPLES, as_answer

AT = datetime(2026, 11, 26, 6, tzinfo=UTC)
KEY_OF_AN = "SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA"
KEY_OF_BINH = "SHA256:VTgqYQdl21b0fIigWLmYVMSk8KeIYCLgEIx6F+6IoZI"
MEMBERS = {"nguyen-van-an": {"keys": [KEY_OF_AN], "accounts": ["an"]}, "tran-thi-binh": {"keys": [KEY_OF_BINH]}}
ASKS_TWO = (SAMPLES / "acct.mfa" / "pass.txt").read_text("utf-8")
ASKS_ONE = (SAMPLES / "acct.mfa" / "fail.txt").read_text("utf-8")
ACCOUNTS = """<<<acct.passwd>>>
root:x:0:0::/root:/bin/bash
an:x:1000:1000::/home/an:/bin/bash
chi:x:1001:1001::/home/chi:/bin/bash
portal:x:1002:1002::/srv/portal:/bin/bash
<<<acct.passwd rc=0>>>
<<<acct.group>>>
root:0:
adm:4:chi
sudo:27:an
<<<acct.group rc=0>>>
<<<acct.logins>>>
oldest 1780000000
end
<<<acct.logins rc=0>>>
"""
AN = Credential("web1-an", "host:web1", "an", CredentialKind.KEY, "nguyen-van-an", "tran-thi-binh")
CHI = replace(AN, id="web1-chi", account="chi")
ROOT = replace(AN, id="web1-root", account="root", kind=CredentialKind.PASSWORD)


def register(*bodies: Credential) -> CredentialRegister:
    return fold_credentials(
        (seq, AT, CORRECTED if body.reason else ADDED, body.id, body) for seq, body in enumerate(bodies, 1)
    )


def remarks(text: str, *bodies: Credential, **declared: object) -> dict[str, str]:
    """What is told, by its code, and of what."""
    probes = {probe.id: probe for probe in (*COMPARED, *PROBES)}
    of_host = Declared.model_validate({"members": MEMBERS, **declared})
    facts = Facts(Host(HostId("web1"), "192.0.2.1"), of_host, AT, *found_in(as_answer(text), probes, AT))
    found = audit_use(register(*bodies), facts)
    assert all(each.is_unknown == (each.what == "not-seen") for each in found)
    return {each.what: f"{each.name}: {each.said}" for each in found}


def keys(*pairs: tuple[str, str]) -> str:
    rows = "\n".join(f"key|{account}|256|{mark}|ED25519" for account, mark in pairs)
    files = "\n".join(f"file|{one}|600|{one}|1|0|/etc/ssh/keys/{one}" for one in dict.fromkeys(one for one, _ in pairs))
    return f"<<<acct.keys>>>\n{files}\n{rows}\nend 5\n<<<acct.keys rc=0>>>\n"


@pytest.mark.parametrize("text", [ASKS_TWO, ASKS_ONE, ""], ids=["asks-two", "asks-one", "not-seen"])
def test_admin_access_that_is_registered_without_a_second_factor_is_told_whatever_the_host_shows(text: str) -> None:
    assert list(remarks(text + ACCOUNTS, AN)) == ["mfa-missing"]
    assert list(remarks(text + ACCOUNTS, ROOT)) == ["mfa-missing"]
    assert remarks(text + ACCOUNTS, CHI) == {}
    assert list(remarks(text + ACCOUNTS, CHI, admins=["chi"])) == ["mfa-missing"]
    assert remarks(text + ACCOUNTS, AN, service_accounts=["an"]) == {}


def test_what_is_said_of_a_second_factor_is_held_against_the_host() -> None:
    with_two = replace(AN, mfa=True)

    assert remarks(ASKS_TWO + ACCOUNTS, with_two) == {}
    (wrong,) = remarks(ASKS_ONE + ACCOUNTS, with_two).items()
    assert wrong[0] == "mfa-not-asked"
    assert "one factor is enough: AuthenticationMethods is any" in wrong[1]
    (unseen,) = remarks(ACCOUNTS, with_two)
    assert unseen == "not-seen"
    assert list(remarks(ASKS_ONE + ACCOUNTS, replace(CHI, mfa=True))) == ["mfa-not-asked"]


def test_record_that_said_so_is_named_and_not_the_newest() -> None:
    moved = replace(AN, place="két sắt", reason="left out")

    assert "(record 1)" in remarks(ASKS_TWO + ACCOUNTS, AN, moved)["mfa-missing"]
    assert "(record 2)" in remarks(ASKS_ONE + ACCOUNTS, AN, replace(AN, mfa=True, reason="x"))["mfa-not-asked"]


def test_account_of_one_person_is_told_where_several_people_come_in() -> None:
    chi = replace(CHI, mfa=True)
    both = keys(("chi", KEY_OF_AN), ("chi", KEY_OF_BINH))
    login = f"1795669370.353986 portal sshd-session[102]: Accepted publickey for chi from 198.18.0.1 port 36218 ssh2: ED25519 {KEY_OF_BINH}\nend"

    assert "nguyen-van-an, tran-thi-binh" in remarks(ASKS_TWO + ACCOUNTS + both, chi)["shared-unregistered"]
    by_login = ACCOUNTS.replace("\nend", f"\n{login}") + keys(("chi", KEY_OF_AN))
    assert list(remarks(ASKS_TWO + by_login, chi)) == ["shared-unregistered"]
    assert remarks(ASKS_TWO + ACCOUNTS + keys(("chi", KEY_OF_AN)), chi) == {}
    other = replace(chi, id="web1-chi-2", holder="tran-thi-binh")
    assert list(remarks(ASKS_TWO + ACCOUNTS, chi, other)) == ["shared-unregistered"]


def test_keys_of_nobody_leave_it_unknown_who_uses_an_account() -> None:
    both = keys(("chi", KEY_OF_AN), ("chi", KEY_OF_BINH))

    assert list(remarks(ASKS_TWO + ACCOUNTS + both, replace(CHI, mfa=True), members=None)) == ["not-seen"]


def test_shared_account_is_told_unless_it_is_of_a_program_or_root() -> None:
    program = replace(AN, id="web1-portal", account="portal", mfa=True, shared=True)
    root = replace(ROOT, mfa=True, shared=True)

    assert list(remarks(ASKS_TWO + ACCOUNTS, program)) == ["shared-unneeded"]
    assert remarks(ASKS_TWO + ACCOUNTS, program, service_accounts=["portal"]) == {}
    assert remarks(ASKS_TWO + ACCOUNTS, root) == {}


def test_portal_shows_who_may_do_everything_and_nothing_of_a_second_factor() -> None:
    boss = replace(AN, id="cong-an", system="portal:cong@web1", account="an", kind=CredentialKind.PASSWORD)
    accounts = tuple(PortalAccount(name, (), name == "an", is_open=True) for name in ("an", "chi"))
    looks = {
        "cong": PortalAnswer(7, AT, PortalAccounts("cong", "wordpress", accounts, keeps_logins=False)),
        "hong": PortalAnswer(8, AT, msg("the blob is not there")),
    }

    def told(*bodies: Credential) -> list[tuple[str, bool]]:
        found = audit_use_in_portals(register(*bodies), looks, {})
        return [(each.what, each.is_unknown) for each in found]

    assert told(boss) == [("mfa-missing", False)]
    assert told(replace(boss, mfa=True)) == [("not-seen", True)]
    assert told(replace(boss, account="chi")) == []
    assert told(replace(boss, account="chi", shared=True)) == [("shared-unneeded", False)]
    other = replace(boss, id="cong-binh", account="chi", holder="tran-thi-binh")
    assert told(replace(boss, account="chi"), other) == [("shared-unregistered", False)]
    assert told(replace(boss, system="portal:hong")) == []
