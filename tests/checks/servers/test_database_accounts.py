"""The accounts of real database servers, by the commands that a host is sent; and the register of credentials against them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.servers.catalogue import chosen
from checks.servers.credential_audit import PROBES, audit
from checks.servers.declared import Declared, HostDeclared
from checks.servers.facts import Facts
from checks.servers.gather import gather, parse_answer
from checks.servers.probe import MissingFact, Output, Probe, ProbeResult, Unparseable, fact_of
from checks.servers.probes import (
    authorized_keys,
    group,
    iptables_legacy,
    listening_programs,
    mysql_accounts,
    nft,
    other_ways,
    outside_ports,
    own_registered,
    passwd,
    postgresql_roles,
    processes,
    shadow,
    systemd_units,
)
from portalops.model.credentials import Credential, CredentialKind, CredentialReturn, Leaving
from portalops.model.message import verbatim
from portalops.model.organisation import Host, HostId
from portalops.ports import Completed
from portalops.registers.access import AccessRegister, access_of
from portalops.registers.credentials import ADDED, LEFT, RETURNED, Body, fold_credentials
from tests.backups.mariadb.conftest import Server as MariaDb
from tests.backups.postgresql.parts import Server as PostgreSql
from tests.backups.postgresql.parts import versions

CANARY = "Canary-Kh@nhHoa-2026"
AT = datetime(2026, 11, 26, 2, tzinfo=UTC)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="it mounts the servers' folders where a host has them")

_MOUNT = 'mount -t tmpfs none /run && mkdir "$1" && mount --bind "$0" "$1" && shift && exec "$@"'


def said(probe: Probe[Any], folder: Path, place: str) -> str:
    """What the probe's own command prints where the server's folder lies in the place in which a host has it."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", _MOUNT, folder, place, *probe.command], capture_output=True, check=False
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
    found = {one.name: one for one in postgresql_roles.parse(Output(0, roles, "")).roles}

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
    found = {one.user: (one.might, one.way) for one in mysql_accounts.parse(Output(0, accounts, "")).accounts}

    assert {name: found[name] for name in ("an", "binh", "khoa", "o_cam", "nhom_admin", "root", "mariadb.sys")} == {
        "an": ("admin", "password"),
        "binh": ("plain", "password"),
        "khoa": ("none", "locked"),
        "o_cam": ("none", "socket"),
        "nhom_admin": ("none", "role"),
        "root": ("admin", "socket"),
        "mariadb.sys": ("plain", "locked"),
    }
    assert CANARY not in accounts and "*" not in accounts


@needs_root
@pytest.mark.heavy
def test_mariadb_tells_who_gets_in_without_a_password_and_who_may_do_all_over_others(mariadb: MariaDb) -> None:
    """What each may really do was tried with these accounts on MariaDB 11.8: CREATE USER changes the password of root."""
    mariadb.run(
        "CREATE USER a1@'%'; GRANT ALL ON *.* TO a1@'%'; CREATE USER a2@'%' IDENTIFIED VIA mysql_native_password;"
        "CREATE USER a3@'%' IDENTIFIED VIA unix_socket AS 'an' OR mysql_native_password USING 'invalid';"
        "CREATE USER a4@'%' IDENTIFIED BY 'a4'; CREATE USER a5@'%' ACCOUNT LOCK;"
        "CREATE ROLE b1; CREATE ROLE b2; GRANT ALL ON *.* TO b1; GRANT b1 TO b2;"
        f"CREATE USER a6@'%' IDENTIFIED BY '{CANARY}'; GRANT b2 TO a6@'%';"
        f"CREATE USER a7@'%' IDENTIFIED BY '{CANARY}'; GRANT INSERT, UPDATE ON mysql.global_priv TO a7@'%';"
        f"CREATE USER a8@'%' IDENTIFIED BY '{CANARY}'; GRANT CREATE USER ON *.* TO a8@'%';"
        f"CREATE USER a9@localhost IDENTIFIED BY '{CANARY}'; GRANT PROXY ON root@localhost TO a9@localhost;"
        f"CREATE USER a0@'%' IDENTIFIED BY '{CANARY}'; GRANT UPDATE ON `my%`.* TO a0@'%'; CREATE USER ''@localhost;"
        "CREATE USER c1@'192.0.2.5'; CREATE USER c2@'192.0.2.5'; GRANT SELECT ON test.* TO c2@'192.0.2.5'"
    )
    link = mariadb.folder / "mysqld.sock"
    if not link.is_symlink():
        link.symlink_to("socket")
    try:
        text = said(mysql_accounts.PROBE, mariadb.folder, "/run/mysqld")
    finally:
        mariadb.run(
            "DROP USER a1@'%', a2@'%', a3@'%', a4@'%', a5@'%', a6@'%', a7@'%', a8@'%', a9@localhost, a0@'%', ''@localhost,"
            "c1@'192.0.2.5', c2@'192.0.2.5'; DROP ROLE b1, b2"
        )

    found = {one.user: (one.might, one.way) for one in mysql_accounts.parse(Output(0, text, "")).accounts}
    expected = {
        "admin": {
            "a1": "none",
            "a6": "password",
            "a7": "password",
            "a8": "password",
            "a9": "password",
            "a0": "password",
        }
        | {"b1": "role", "b2": "role"},
        "plain": {"c2": "none"},
        "none": {"a2": "none", "a3": "other", "a4": "name", "a5": "locked", "c1": "none", "": "none"},
    }
    assert {
        might: {name: way for name, (own, way) in found.items() if own == might and re.fullmatch(r"([abc]\d)?", name)}
        for might in expected
    } == expected
    assert CANARY not in text and "*" not in text


@needs_root
@pytest.mark.heavy
def test_mariadb_tells_what_it_has_loaded_beside_what_its_tables_have(mariadb: MariaDb) -> None:
    """A login of `s1` without a password was tried: the server goes by its memory, until its privileges are flushed."""
    mariadb.run(
        "CREATE USER s1@'%'; CREATE USER s2@'%' IDENTIFIED BY 'x'; CREATE USER `s'3``á`@'10.%' IDENTIFIED BY 'x';"
        "CREATE USER s4@'%' IDENTIFIED VIA unix_socket; CREATE USER s5@'192.0.2.5'; CREATE ROLE s6; GRANT SELECT ON *.* TO s6;"
        f"GRANT CREATE USER ON *.* TO s2@'%'; CREATE USER s7@'%' IDENTIFIED BY '{CANARY}'; GRANT UPDATE ON `my%`.* TO s7@'%';"
        "UPDATE mysql.global_priv SET priv = json_set(priv, '$.authentication_string', '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29') WHERE user = 's1';"
        "UPDATE mysql.global_priv SET priv = json_set(priv, '$.access', 0) WHERE user = 's2';"
        "DELETE FROM mysql.global_priv WHERE user = 's4'; DELETE FROM mysql.db WHERE user = 's7'"
    )
    link = mariadb.folder / "mysqld.sock"
    if not link.is_symlink():
        link.symlink_to("socket")
    try:
        text = said(mysql_accounts.PROBE, mariadb.folder, "/run/mysqld")
    finally:
        mariadb.run("FLUSH PRIVILEGES; DROP USER s1@'%', s2@'%', `s'3``á`@'10.%', s5@'192.0.2.5', s7@'%'; DROP ROLE s6")

    found = mysql_accounts.parse(Output(0, text, ""))
    assert {one.user: (one.might, one.way) for one in found.accounts if one.user.startswith("s")} == {
        "s1": ("none", "none"),
        "s2": ("admin", "password"),
        "s'3`á": ("none", "password"),
        "s4": ("none", "socket"),
        "s5": ("none", "none"),
        "s6": ("plain", "role"),
        "s7": ("admin", "password"),
    }
    assert not found.is_unread and CANARY not in text and "*" not in text


class HereShell:
    """Runs the script here, where the server's folder lies in the place in which a host has it."""

    address = "192.0.2.9"

    def __init__(self, folder: Path, place: str) -> None:
        self.words = ("unshare", "-m", "sh", "-c", _MOUNT, str(folder), place)

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        done = subprocess.run(
            [*self.words, "sh", "-s", argument], input=script, capture_output=True, timeout=120, check=False
        )
        return Completed(done.returncode, done.stdout, done.stderr)


@needs_root
@pytest.mark.heavy
def test_roles_of_a_real_server_come_through_script_redaction_and_parser_to_their_verdict() -> None:
    """A fault of one of them let all accounts of PostgreSQL go unaudited."""
    with PostgreSql.new(versions()[0]) as server:
        server.sql(
            f"CREATE ROLE an LOGIN SUPERUSER PASSWORD '{CANARY}'; CREATE ROLE cu LOGIN PASSWORD '{CANARY}' VALID UNTIL '2026-01-01'"
        )
        shell = HereShell(server.folder, "/run/postgresql")
        found = {}
        for name, access in {
            "asked": "local all postgres peer\nlocal all all scram-sha-256\n",
            "free": "local all all trust\n",
        }.items():
            (server.data / "pg_hba.conf").write_text(access)
            server.program("pg_ctl", "reload", "-D", server.data)
            time.sleep(1.1)  # the moment of loading counts in whole seconds
            raw = gather(shell, [postgresql_roles.PROBE])
            text = roles_in(raw)
            assert CANARY.encode() not in raw
            found[name] = (audited(text, None), exposure(text, None))
        (server.data / "pg_hba.conf").write_text("local all postgres peer\n")
        text = roles_in(gather(shell, [postgresql_roles.PROBE]))

    gone = {("account-gone", f"database:{name}") for name in ("portal", "mat")}
    assert found["asked"] == ({("admin-unregistered", "database:an (PostgreSQL 5432)"), *gone}, ("pass", ""))
    audit, verdict = found["free"]
    assert {("no-password", f"database:{name} (PostgreSQL 5432)") for name in ("an", "cu", "postgres")} < audit
    assert verdict == ("fail", "no-password-asked")
    assert exposure(text, None) == ("unknown", "rules-not-loaded"), (
        "the file is mended, and the server goes by the old one"
    )


@needs_root
@pytest.mark.heavy
def test_ways_in_of_a_real_postgresql_are_judged_by_what_crosses_the_network() -> None:
    rules = {
        "host all portal 10.0.0.0/8 password": ("fail", "password-overheard"),
        "hostssl all portal 10.0.0.0/8 password\nhost all portal 10.0.0.0/8 password": (
            "fail",
            "password-overheard",
        ),
        "host all cu 10.0.0.0/8 md5": ("fail", "password-overheard"),
        "host all an 0.0.0.0/1 scram-sha-256": ("fail", "admin-from-anywhere"),
        "hostssl all an 10.0.0.0/8 scram": ("fail", "rules-broken"),
        "host all portal 10.0.0.0/8 md5": ("pass", ""),
        "hostssl all portal 10.0.0.0/8 password": ("pass", ""),
        "host all all all reject\nhost all all all password": ("pass", ""),
    }
    with PostgreSql.new(versions()[0]) as server:
        server.sql(
            f"CREATE ROLE an LOGIN SUPERUSER PASSWORD '{CANARY}'; CREATE ROLE portal LOGIN PASSWORD '{CANARY}';"
            f"SET password_encryption = 'md5'; CREATE ROLE cu LOGIN PASSWORD '{CANARY}'"
        )
        shell, found = HereShell(server.folder, "/run/postgresql"), {}
        for lines in rules:
            (server.data / "pg_hba.conf").write_text(f"local all postgres peer\n{lines}\n")
            server.program("pg_ctl", "reload", "-D", server.data)
            time.sleep(1.1)  # the moment of loading counts in whole seconds
            found[lines] = ways_in(roles_in(gather(shell, [postgresql_roles.PROBE])))
        (server.data / "pg_hba.conf").write_text("local all postgres peer\n")
        after = ways_in(roles_in(gather(shell, [postgresql_roles.PROBE])))

    assert found == rules
    assert after == ("unknown", "rules-not-loaded")


def ways_in(text: str) -> tuple[str, str]:
    """What db.pg-hba comes to on a host whose server says this, and listens for others."""
    text = re.sub(r'("listens" : )"[^"]*"', r'\1"*"', text)
    (check,) = chosen(ids=("db.pg-hba",))
    facts = compared(text, None)[1]
    found = {**facts.found, processes.PROBE.id: frozenset({"postgres"})}
    outcome = check.judge(replace(facts, found=found))
    return outcome.verdict.value, outcome.reason


def roles_in(raw: bytes) -> str:
    """What an answer says of PostgreSQL, as if none of the servers of other tests ran on this machine."""
    text = parse_answer(raw).sections[postgresql_roles.PROBE.id].output().text
    return re.sub(r"(?m)^servers \d+$", "servers 1", text)


@needs_root
@pytest.mark.heavy
@pytest.mark.parametrize("command", ["\\! touch", "\\T", "tee"])
def test_server_that_is_another_accounts_runs_nothing_as_root(
    mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A server may answer with commands of the client in the place of names of accounts."""
    (tmp_path / "mariadb").write_text(
        f"#!/bin/sh\ncase $* in *information_schema.user_privileges*) printf '%s\\n' '{command} {tmp_path}/run' ;;"
        f' *) exec {shutil.which("mariadb")} "$@" ;; esac\n'
    )
    (tmp_path / "mariadb").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    link = mariadb.folder / "mysqld.sock"
    link.unlink(missing_ok=True)
    link.symlink_to("socket")

    text = said(mysql_accounts.PROBE, mariadb.folder, "/run/mysqld")

    assert mysql_accounts.parse(Output(0, text, "")).is_unread
    assert not (tmp_path / "run").exists()


@needs_root
@pytest.mark.heavy
def test_mariadb_that_asks_nobody_is_told() -> None:
    """All its accounts have passwords, and none is asked for."""
    with unguarded() as folder:
        text = said(mysql_accounts.PROBE, folder, "/run/mysqld")

    assert mysql_accounts.parse(Output(0, text, "")).is_unguarded
    assert exposure(None, text) == ("fail", "account-open")


@contextmanager
def unguarded() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="portalops-mariadb-", dir="/tmp"))
    shutil.chown(folder, "mysql", "mysql")
    own = ("--no-defaults", "--user=mysql", f"--datadir={folder}/data")
    try:
        subprocess.run(["mariadb-install-db", *own, "--skip-test-db"], check=True, capture_output=True)
        process = subprocess.Popen(
            [
                *("mariadbd", *own, f"--socket={folder}/mysqld.sock", "--skip-networking", "--skip-grant-tables"),
                *("--innodb-buffer-pool-size=64M", f"--log-error={folder}/log"),
            ]
        )
        try:
            until = time.monotonic() + 60
            while not (folder / "mysqld.sock").exists() and time.monotonic() < until:
                time.sleep(0.1)
            yield folder
        finally:
            process.terminate()
            process.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def exposure(postgresql: str | None, mysql: str | None, *, listening: str = "", declared: str = "") -> tuple[str, str]:
    """What db.exposure comes to on a host whose servers say this."""
    (check,) = chosen(ids=("db.exposure",))
    lines = f'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))\n{listening}'
    facts = compared(postgresql, mysql)[1]
    found = dict(facts.found)
    both: tuple[tuple[Probe[Any], str], ...] = (
        (listening_programs.PROBE, lines),
        (systemd_units.PROBE, "Id=ssh.service\nActiveState=active\n"),
    )
    for probe, text in both:
        found[probe.id] = fact_of(probe, ProbeResult(probe.id, 0, text.encode(), b"", 0))
    for probe_id in (outside_ports.PROBE.id, nft.PROBE.id, iptables_legacy.PROBE.id, other_ways.PROBE.id):
        found[probe_id] = MissingFact("not-gathered", verbatim("no look"))
    own = HostDeclared(listeners=(declared,)) if declared else HostDeclared()
    outcome = check.judge(replace(facts, found=found, declared=own))
    return outcome.verdict.value, outcome.reason


MARIADB_OPEN = 'tcp LISTEN 0 80 0.0.0.0:3306 0.0.0.0:* users:(("mariadbd",pid=5,fd=6))\n'
ASKED = "mysql_native_password:set"


@pytest.mark.parametrize(
    ("accounts", "listening", "said"),
    [
        ("web\t%\tadmin\t-\tmysql_native_password:empty", "", ("fail", "account-open")),
        ("web\tlocalhost\tplain\t-\ted25519:set,mysql_native_password:empty", "", ("fail", "account-open")),
        ("web\t%\tplain\t-\tmysql_native_password:name", "", ("fail", "account-open")),
        (f"\tlocalhost\tnone\t-\t{ASKED}", "", ("fail", "account-open")),
        (f"root\t192.0.2.%\tadmin\t-\t{ASKED}", "", ("fail", "account-open")),
        (f"dba\t%\tadmin\t-\t{ASKED}", MARIADB_OPEN, ("fail", "account-open")),
        (
            f"dba\t%\tplain\t-\t{ASKED}\nr\t\tadmin\trole\t{ASKED}\nmembers\ndba\t%\tr\t",
            MARIADB_OPEN,
            ("fail", "account-open"),
        ),
        (f"dba\t%\tplain\t-\t{ASKED}\nproxies\ndba\t%\t\t", MARIADB_OPEN, ("fail", "account-open")),
        ("unguarded", "", ("fail", "account-open")),
        ("servers 2", "", ("unknown", "server-unasked")),
        (f"dba\t%\tadmin\t-\t{ASKED}", "", ("pass", "")),
        (f"dba\t192.0.2.20\tadmin\t-\t{ASKED}", MARIADB_OPEN, ("pass", "")),
        ("check\t192.0.2.5\tnone\t-\tmysql_native_password:empty", MARIADB_OPEN, ("pass", "")),
        ("\tlocalhost\tnone\tlocked\tmysql_native_password:empty", "", ("pass", "")),
        ("root\t%\tadmin\t-\tmysql_native_password:invalid,unix_socket:empty", MARIADB_OPEN, ("pass", "")),
        ("an\tlocalhost\tadmin\t-\tunix_socket:empty", "", ("pass", "")),
    ],
)
def test_accounts_of_mariadb_are_judged_by_who_gets_in(accounts: str, listening: str, said: tuple[str, str]) -> None:
    found = exposure(None, f"{accounts}\nend\n", listening=listening, declared="tcp/3306" if listening else "")

    assert found == said


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
