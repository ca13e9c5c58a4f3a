"""The accounts of real database servers, by the commands that a host is sent; and the register of credentials against them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.servers.catalogue import chosen
from checks.servers.credential_audit import PROBES, audit
from checks.servers.declared import Declared
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, Output, Probe, ProbeResult, Unparseable, fact_of
from checks.servers.probes import (
    authorized_keys,
    group,
    mysql_accounts,
    own_registered,
    passwd,
    postgresql_roles,
    shadow,
)
from portalops.model.credentials import Credential, CredentialKind, CredentialReturn, Leaving
from portalops.model.message import verbatim
from portalops.model.organisation import Host, HostId
from portalops.registers.access import AccessRegister, access_of
from portalops.registers.credentials import ADDED, LEFT, RETURNED, Body, fold_credentials
from tests.backups.mariadb.conftest import Server as MariaDb
from tests.backups.postgresql.parts import Server as PostgreSql
from tests.backups.postgresql.parts import versions

CANARY = "Canary-Kh@nhHoa-2026"
AT = datetime(2026, 11, 26, 2, tzinfo=UTC)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="it mounts the servers' folders where a host has them")


def said(probe: Probe[Any], folder: Path, place: str) -> str:
    """What the probe's own command prints where the server's folder lies in the place in which a host has it."""
    mount = 'mount -t tmpfs none /run && mkdir "$1" && mount --bind "$0" "$1" && shift && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, folder, place, *probe.command], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.fixture(scope="module")
def roles() -> Iterator[str]:
    """What PostgreSQL says of its roles."""
    with PostgreSql.new(versions()[0]) as server:
        server.sql(
            f"CREATE ROLE an LOGIN SUPERUSER PASSWORD '{CANARY}'; CREATE ROLE quan_tri SUPERUSER; CREATE ROLE nhom IN ROLE quan_tri;"
            f"CREATE ROLE binh LOGIN PASSWORD '{CANARY}' IN ROLE nhom; CREATE ROLE portal LOGIN PASSWORD '{CANARY}';"
            f"CREATE ROLE cu LOGIN PASSWORD '{CANARY}' VALID UNTIL '2026-01-01 00:00:00Z'; CREATE ROLE \"lạ\nend\" LOGIN"
        )
        # As Debian ships it; the server, which is not told to read it anew, says what the file has.
        access = "local all postgres peer\nlocal all all scram-sha-256\n"
        (server.data / "pg_hba.conf").write_text(access)
        yield said(postgresql_roles.PROBE, server.folder, "/run/postgresql")


@pytest.fixture(scope="module")
def accounts(mariadb: MariaDb) -> Iterator[str]:
    """What MariaDB says of its accounts."""
    names = ("an@localhost", "binh@localhost", "khoa@localhost", "o_cam@localhost")
    mariadb.run(
        f"CREATE USER an@localhost IDENTIFIED BY '{CANARY}'; GRANT ALL ON *.* TO an@localhost WITH GRANT OPTION;"
        f"CREATE USER binh@localhost IDENTIFIED BY '{CANARY}'; GRANT SELECT ON *.* TO binh@localhost;"
        f"CREATE USER khoa@localhost IDENTIFIED BY '{CANARY}' ACCOUNT LOCK; CREATE ROLE nhom_admin;"
        "CREATE USER o_cam@localhost IDENTIFIED VIA unix_socket;"
    )
    (mariadb.folder / "mysqld.sock").symlink_to("socket")
    yield said(mysql_accounts.PROBE, mariadb.folder, "/run/mysqld")
    mariadb.run(f"DROP USER {', '.join(names)}; DROP ROLE nhom_admin")


@needs_root
@pytest.mark.heavy
def test_postgresql_tells_who_may_come_in_and_who_may_do_all(roles: str) -> None:
    found = {one.name: one for one in postgresql_roles.parse(Output(0, roles, ""))}

    assert {name: (one.is_admin, one.is_open) for name, one in found.items()} == {
        "an": (True, True),
        "binh": (True, True),  # over two roles
        "cu": (False, True),
        "lạ\nend": (False, False),  # it has no password, and the host has no such account
        "portal": (False, True),
        "postgres": (True, False),
    }
    assert found["cu"].until == datetime(2026, 1, 1, tzinfo=UTC)
    assert found["binh"].groups == ("nhom",)
    assert CANARY not in roles and "SCRAM-SHA" not in roles


@needs_root
@pytest.mark.heavy
def test_mariadb_tells_who_may_come_in_and_who_may_do_all(accounts: str) -> None:
    found = {one.user: (one.might, one.way) for one in mysql_accounts.parse(Output(0, accounts, ""))}

    assert {name: found[name] for name in ("an", "binh", "khoa", "o_cam", "nhom_admin", "root", "mariadb.sys")} == {
        "an": ("admin", "password"),
        "binh": ("plain", "password"),
        "khoa": ("plain", "locked"),
        "o_cam": ("plain", "socket"),
        "nhom_admin": ("plain", "role"),
        "root": ("admin", "socket"),
        "mariadb.sys": ("plain", "locked"),
    }
    assert CANARY not in accounts and "*" not in accounts


@needs_root
@pytest.mark.heavy
@pytest.mark.parametrize("probe", [postgresql_roles.PROBE, mysql_accounts.PROBE], ids=lambda probe: probe.id)
@pytest.mark.usefixtures("roles", "accounts")
def test_server_that_runs_elsewhere_is_told_and_a_client_alone_is_no_server(probe: Probe[Any]) -> None:
    """Both servers run, in folders in which no host has them, as in a container; with processes of its own, a host has none."""
    places = "/run /var/lib/postgresql /var/lib/mysql /usr/sbin /usr/libexec"
    hide = f'for p in {places}; do [ ! -d "$p" ] || mount -t tmpfs none "$p" || exit 99; done; exec "$@"'
    own = ("-p", "-f", "--mount-proc")
    there, alone = (
        subprocess.run(
            ["unshare", "-m", *more, "sh", "-c", hide, "sh", *probe.command], capture_output=True, check=False
        )
        for more in ((), own)
    )

    assert (there.returncode, there.stderr.decode().splitlines()[-1]) == (2, "a server runs, and cannot be asked")
    assert alone.returncode == 127


def compared(postgresql: str | None, mysql: str | None, *more: Body) -> tuple[AccessRegister, Facts]:
    """The register, and a host on which nobody can log in and whose databases say this; None is a host without such a program."""
    held = [
        Credential(name, "database:chinh@db1", account, CredentialKind.PASSWORD, "nguyen-van-an")
        for name, account in (("db-portal", "portal"), ("db-cu", "cu"), ("db-mat", "mat"))
    ]
    bodies: tuple[Body, ...] = (*held, *more)
    numbered = [
        (seq, AT, _KIND[type(body)], body.person if isinstance(body, Leaving) else body.id, body)
        for seq, body in enumerate(bodies, 1)
    ]
    declared = Declared.model_validate(
        {"members": {"nguyen-van-an": {"accounts": ["an"]}, "le-binh": {"accounts": ["binh"]}}}
    )
    absent = MissingFact("command-missing", verbatim("no program"))
    found: dict[str, object] = dict.fromkeys((probe.id for probe in PROBES), absent)
    found |= {passwd.PROBE.id: (), shadow.PROBE.id: (), group.PROBE.id: ()}
    found[authorized_keys.PROBE.id] = authorized_keys.AuthorizedKeys((), (), ())
    both: tuple[tuple[Probe[Any], str | None], ...] = (
        (postgresql_roles.PROBE, postgresql),
        (mysql_accounts.PROBE, mysql),
    )
    for probe, text in both:
        found[probe.id] = absent if text is None else fact_of(probe, ProbeResult(probe.id, 0, text.encode(), b"", 0))
    register = access_of(fold_credentials(numbered))
    found[own_registered.PROBE.id] = own_registered.Registered(register, ZoneInfo("Asia/Ho_Chi_Minh"))
    return register, Facts(Host(HostId("db1"), "192.0.2.1"), declared, AT, found)


def audited(postgresql: str | None, mysql: str | None, *more: Body) -> set[tuple[str, str]]:
    """What is told of databases."""
    register, facts = compared(postgresql, mysql, *more)
    return {
        (one.what, one.name) for one in audit(register, facts, "db1", date(2026, 11, 26)) if one.name.startswith("d")
    }


def judged(postgresql: str | None, mysql: str | None, *more: Body) -> tuple[str, str]:
    """What cred.registered comes to."""
    (check,) = chosen(ids=("cred.registered",))
    outcome = check.judge(compared(postgresql, mysql, *more)[1])
    return outcome.verdict.value, outcome.reason


_KIND: dict[type[Body], str] = {Credential: ADDED, CredentialReturn: RETURNED, Leaving: LEFT}
ACCOUNTS = "root\tlocalhost\tadmin\tsocket\nan\t%\tadmin\tpassword\nportal\t192.0.2.%\tplain\tpassword\nkhach\t%\tplain\tpassword\nend\n"


@needs_root
@pytest.mark.heavy
def test_register_is_held_against_real_roles(roles: str) -> None:
    assert audited(roles, None) == {
        ("admin-unregistered", "database:an (PostgreSQL 5432)"),
        ("admin-unregistered", "database:binh (PostgreSQL 5432)"),
        ("account-gone", "database:mat"),
    }


@needs_root
@pytest.mark.heavy
def test_an_administrator_of_real_servers_whom_nobody_holds_fails_the_check(roles: str, accounts: str) -> None:
    gone = [CredentialReturn(name, date(2026, 11, 20), "Trần Thị Bình") for name in ("db-cu", "db-mat")]
    held = [
        Credential(f"db-{name}", "database:chinh@db1", name, CredentialKind.PASSWORD, "nguyen-van-an")
        for name in ("an", "binh")
    ]
    without_portal = CredentialReturn("db-portal", date(2026, 11, 20), "Trần Thị Bình")

    assert judged(roles, None, *gone) == ("fail", "admin-unregistered")
    assert judged(roles, None, *gone, *held) == ("pass", "")
    assert judged(None, accounts, *gone, without_portal, held[1]) == ("fail", "admin-unregistered")
    assert judged(None, accounts, *gone, without_portal, *held) == ("pass", "")


def test_who_left_and_what_was_returned_stays_open_in_the_database() -> None:
    found = audited(
        None,
        ACCOUNTS,
        CredentialReturn("db-portal", date(2026, 11, 20), "Trần Thị Bình"),
        Leaving("nguyen-van-an", date(2026, 11, 20)),
    )

    assert found == {
        ("account-of-leaver", "database:an@%"),
        ("admin-unregistered", "database:an@%"),
        ("returned-but-open", "database:portal@192.0.2.%"),
        ("account-unknown", "database:khach@%"),
        ("account-gone", "database:cu"),
        ("account-gone", "database:mat"),
    }


@pytest.mark.parametrize(("ways", "said"), [("true", ("fail", "returned-but-open")), ("false", ("pass", ""))])
def test_end_of_a_password_closes_no_role_that_is_asked_for_none(ways: str, said: tuple[str, str]) -> None:
    """VALID UNTIL is of "a password only, not for the role per se" (the PostgreSQL manual, "CREATE ROLE")."""
    role = (
        '{"server" : "5432", "role" : "cu", "login" : true, "super" : true, "creates" : false, "until" : 1767225600,'
        f' "password" : true, "ways" : {ways}, "of" : []}}\nend\n'
    )
    returned = [CredentialReturn(f"db-{name}", date(2026, 11, 20), "Trần Thị Bình") for name in ("portal", "cu", "mat")]

    assert judged(role, None, *returned) == said


def test_database_that_was_not_seen_is_unknown() -> None:
    assert judged(None, None) == ("unknown", "account-not-seen")
    assert judged("nonsense", None) == ("unknown", "unparseable")
    not_seen = {("not-seen", name) for name in ("db-portal", "db-cu", "db-mat")}

    assert audited(None, None) == not_seen
    assert audited("nonsense", None) == {*not_seen, ("not-seen", "db.postgresql-roles")}
    names_alone = audited(None, "root\tlocalhost\nportal\t%\nend\n")
    assert names_alone == {("not-seen", "db-cu"), ("not-seen", "db-mat"), ("not-seen", "db.mysql-accounts")}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "root\tlocalhost\tadmin\tsocket\n",
        "root\tlocalhost\tall\tsocket\nend\n",
        "root\tlocalhost\tadmin\t*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29\nend\n",
    ],
)
def test_list_of_unknown_form_is_no_list(text: str) -> None:
    with pytest.raises(Unparseable):
        mysql_accounts.parse(Output(0, text, ""))
    with pytest.raises(Unparseable):
        postgresql_roles.parse(Output(0, text, ""))
