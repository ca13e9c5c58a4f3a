"""How tables are made, as digests: real servers of PostgreSQL and MariaDB, each in the place where a host has its socket."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from checks.servers.probe import MissingFact, Probe, ProbeResult, fact_of
from checks.servers.probes import schema_mysql, schema_postgresql
from tests.backups.postgresql.parts import ODD, Server, versions
from tests.programs import need

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="these looks are made as root")
BOUND = 'mkdir -p "$2" && mount --bind "$1" "$2" && shift 2 && exec "$@"'
"""In a view of the files of its own: nobody else sees the socket there."""


def asked(probe: Probe[Any], folder: Path, place: str) -> Any:
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", BOUND, "sh", folder, place, *probe.command],
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )
    return fact_of(probe, ProbeResult(probe.id, done.returncode, done.stdout, done.stderr, 0))


@pytest.mark.heavy
def test_postgresql_names_each_table_of_each_database_and_changes_with_its_making_alone() -> None:
    with Server.new(versions()[0]) as server:
        server.sql(f'create database portal; create database "{ODD.replace(chr(34), 2 * chr(34))}"')
        server.sql(
            "create table news (id serial primary key, title text default 'x', body text); create view heads as select title from"
            " news; create table old (a int); create schema k; create table k.old (a int)",
            "portal",
        )

        def look() -> Mapping[str, str]:
            found = asked(schema_postgresql.PROBE, server.folder, "/run/postgresql")
            assert not isinstance(found, MissingFact), found
            return dict(found)

        first = look()
        assert set(first) == {f"5432/portal {name}" for name in ("k.old", "public.heads", "public.news", "public.old")}
        server.sql("insert into news (title) values ('tin'); analyze; vacuum news", "portal")
        assert look() == first
        changed = {
            "alter table news add column author text": {"public.news"},
            "create index on old (a)": {"public.old"},
            "alter table old alter a set default 7": {"public.old"},
            "alter table old add constraint c check (a > 0)": {"public.old"},
            "create or replace view heads as select title || '' as title from news": {"public.heads"},
            "drop table k.old": {"k.old"},
        }
        for statement, tables in changed.items():
            before = look()
            server.sql(statement, "portal")
            after = look()
            differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
            assert differing == {f"5432/portal {name}" for name in tables}, statement


@pytest.mark.needs("pg_ctlcluster")
def test_postgresql_that_does_not_answer_is_unknown_and_no_server_is_none(tmp_path: Path) -> None:
    found = asked(schema_postgresql.PROBE, tmp_path, "/run/postgresql")

    assert isinstance(found, MissingFact)
    # NOTE: this machine may have a cluster that does not run, or none.
    assert found.reason == ("command-failed" if any(Path("/var/lib/postgresql").glob("*/*")) else "command-missing")


@pytest.fixture
def mariadb() -> Iterator[tuple[Path, Callable[[str], str]]]:
    need("mariadbd")
    folder = Path(tempfile.mkdtemp(prefix="portalops-schema-", dir="/tmp"))
    shutil.chown(folder, "mysql", "mysql")
    base = ("--no-defaults", "--user=mysql", f"--datadir={folder}/data")
    subprocess.run(["mariadb-install-db", *base, "--skip-test-db"], check=True, capture_output=True)
    options = (
        f"--socket={folder}/mysqld.sock",
        "--skip-networking",
        "--innodb-buffer-pool-size=64M",
        f"--log-error={folder}/log",
    )
    process = subprocess.Popen(
        ["/usr/sbin/mariadbd", *base, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def run(sql: str) -> str:
        client = ["mariadb", "--no-defaults", f"--socket={folder}/mysqld.sock", "--batch", "--skip-column-names"]
        done = subprocess.run(client, input=sql, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ConnectionError(done.stderr)
        return done.stdout

    try:
        until = time.monotonic() + 120
        while True:
            try:
                run("select 1")
                break
            except ConnectionError:
                assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.1)
        yield folder, run
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.heavy
def test_mariadb_names_each_table_and_changes_with_its_making_alone(
    mariadb: tuple[Path, Callable[[str], str]],
) -> None:
    folder, sql = mariadb
    sql(
        "create database portal; use portal; create table news (id int auto_increment primary key, title varchar(90) default 'x');"
        " create table old (a int); create view heads as select title from news; create database `c|d`; create table `c|d`.x (a int)"
    )

    def look() -> Mapping[str, str]:
        found = asked(schema_mysql.PROBE, folder, "/run/mysqld")
        assert not isinstance(found, MissingFact), found
        return dict(found)

    first = look()
    assert set(first) == {"portal.news", "portal.old", "portal.heads", "c?d.x"}
    sql("insert into portal.news (title) values ('tin'), ('nữa'); analyze table portal.news")
    assert look() == first
    changed = {
        "alter table news add column author text": {"portal.news"},
        "create index i on old (a)": {"portal.old"},
        "alter table old alter a set default 7": {"portal.old"},
        "create trigger t before insert on old for each row set new.a = 1": {"portal.old"},
        "create or replace view heads as select id from news": {"portal.heads"},
        "drop table old": {"portal.old"},
    }
    for statement, tables in changed.items():
        before = look()
        sql(f"use portal; {statement}")
        after = look()
        assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == tables, statement


@pytest.mark.parametrize("text", ["", "a.b|x\nend\n", f"a.b|{64 * 'a'}\n", f"a.b|{64 * 'a'}\na.b|{64 * 'a'}\nend\n"])
def test_list_of_another_form_is_no_list(text: str) -> None:
    fact = fact_of(schema_mysql.PROBE, ProbeResult("db.mysql-schema", 0, text.encode(), b"", 0))

    assert isinstance(fact, MissingFact)
