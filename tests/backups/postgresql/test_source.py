from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from backups.formats import format_of
from backups.postgresql import installations
from backups.sources._postgresql import hint_for, stream_names
from portalops.errors import ConfigurationError, SourceUnavailable
from portalops.model.backups import BackupResult, VerifyLevel
from portalops.model.verdicts import RunOutcome
from portalops.ports import AskableSource, StreamOpener
from portalops.system.programs import LocalRunner
from tests.backups.kit import back_up
from tests.backups.memory import MemoryMedium
from tests.backups.postgresql.parts import ODD, ROWS, Dumped, Server, versions


def run(server: Server, folder: Path, **values: object) -> BackupResult:
    return back_up([server.source(folder, **values)], [MemoryMedium("memory-1")])


def why(result: BackupResult) -> str:
    assert result.set is None
    return result.failed_sources[0]


def secret(folder: Path, text: str) -> dict[str, str]:
    path = folder / "password"
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return {"file": str(path)}


def programs(server: Server, folder: Path, **scripts: str) -> str:
    """A folder of PostgreSQL's programs, some of which are scripts; $REAL is the program itself."""
    own = folder / "programs"
    own.mkdir()
    for name in ("psql", "pg_dump", "pg_dumpall"):
        real = server.tools.program(name)
        if name in scripts:
            text = f'#!/bin/sh\nREAL={real}\n[ "$1" != --version ] || exec $REAL --version\n{scripts[name]}\n'
            (own / name).write_text(text)
            (own / name).chmod(0o755)
        else:
            (own / name).symlink_to(real)
    return str(own)


def connected(server: Server) -> str:
    return server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('portalops', 'pg_dump')")


def test_a_server_that_is_asked_gives_its_version_and_nothing_is_read(postgres: Server, tmp_path: Path) -> None:
    made = postgres.source(tmp_path, databases=["portal"])
    assert isinstance(made, AskableSource)

    assert str(made.ask()).startswith(f"PostgreSQL {postgres.tools.major} with ")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"databases": ["no-such"]}, "there is no database no-such"),
        ({"user": "nobody_here"}, "no password supplied|nobody_here"),
        ({"port": 1}, "port|socket"),
    ],
)
def test_a_server_that_would_not_give_its_data_is_told_by_being_asked(
    postgres: Server, tmp_path: Path, values: dict[str, object], words: str
) -> None:
    made = postgres.source(tmp_path, **values)
    assert isinstance(made, AskableSource)

    with pytest.raises(SourceUnavailable, match=words):
        made.ask()


def test_each_database_is_a_stream_with_the_rows_of_its_snapshot(dumped: Dumped) -> None:
    names = {stream.name: stream.format for stream in dumped.set.streams}
    (odd,) = stream_names([ODD])

    assert names == {
        odd: "postgresql-custom",
        "latin": "postgresql-custom",
        "portal": "postgresql-custom",
        "postgres": "postgresql-custom",
        "globals": "postgresql-globals",
    }
    assert {each.table: each.rows for each in dumped.stream("portal").rows} == ROWS
    assert {each.table: each.rows for each in dumped.stream("latin").rows} == {'public."café"': 1}
    assert {each.table: each.rows for each in dumped.stream("globals").rows} == {
        "pg_catalog.pg_roles": 6,
        "pg_catalog.pg_auth_members": 3,
        "pg_catalog.pg_tablespace": 1,
    }
    assert dumped.set.outcome is RunOutcome.COMPLETE


@pytest.mark.heavy
def test_rows_are_those_of_the_dump_whatever_is_written_meanwhile(
    postgres: Server, tmp_path: Path, scratch: Path
) -> None:
    postgres.sql("CREATE DATABASE busy")
    postgres.sql("CREATE TABLE log AS SELECT n, repeat('x', 300) FROM generate_series(1, 60000) n", "busy")
    writer = subprocess.Popen(
        [postgres.tools.program("psql"), *postgres.at, "-X", "-q", "-d", "busy"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert writer.stdin is not None
    writer.stdin.write("INSERT INTO log VALUES (0, 'new') \\watch 0.001\n")
    writer.stdin.flush()
    medium = MemoryMedium("memory-1")
    try:
        while postgres.sql("SELECT count(*) FROM log WHERE n = 0", "busy") == "0":
            time.sleep(0.01)
        result = back_up([postgres.source(tmp_path, databases=["busy"])], [medium])
        after = int(postgres.sql("SELECT count(*) FROM log", "busy"))
    finally:
        writer.kill()
        writer.wait()
        writer.stdin.close()
        postgres.sql("DROP DATABASE busy WITH (FORCE)")
    made = Dumped(result, medium, tmp_path / "restored")

    trial = format_of(made.stream("busy")).try_out(made.restored("busy", scratch))

    (rows,) = made.stream("busy").rows
    assert 60000 < rows.rows < after
    assert (trial.level, trial.problems) == (VerifyLevel.L4, ())


def test_a_role_that_may_read_everything_is_enough(postgres: Server, tmp_path: Path) -> None:
    access = {"user": "backup", "password": secret(tmp_path, "a:b\\c'd"), "role_passwords": False}

    result = run(postgres, tmp_path, databases=["portal"], **access)

    assert result.set is not None, result.failed_sources
    assert {stream.name for stream in result.set.streams} == {"portal", "globals"}


def test_a_password_is_in_a_private_file_alone(postgres: Server, tmp_path: Path) -> None:
    script = f'{{ printf "%s\\n" "$@"; env; stat -c "mode %a" "$PGPASSFILE"; }} > {tmp_path}/seen; exec $REAL "$@"'
    access = {"user": "backup", "password": secret(tmp_path, "a:b\\c'd"), "role_passwords": False}

    result = run(
        postgres, tmp_path, databases=["portal"], **access, programs=programs(postgres, tmp_path, pg_dump=script)
    )

    seen = (tmp_path / "seen").read_text()
    assert result.set is not None, result.failed_sources
    assert "mode 600" in seen
    assert "a:b" not in seen
    (path,) = [line.partition("=")[2] for line in seen.splitlines() if line.startswith("PGPASSFILE=")]
    assert not Path(path).exists()


def test_a_passfile_of_ones_own_is_used_if_it_is_private(postgres: Server, tmp_path: Path) -> None:
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:*:backup:a\\:b\\\\c'd\n")
    passfile.chmod(0o600)
    access = {"user": "backup", "passfile": str(passfile), "role_passwords": False, "databases": ["portal"]}

    good = run(postgres, tmp_path, **access)
    passfile.chmod(0o644)
    bad = run(postgres, tmp_path, **access)

    assert good.set is not None, good.failed_sources
    assert "can be read or changed by others: mode 0644" in why(bad)


def test_a_service_says_everything(postgres: Server, tmp_path: Path) -> None:
    services = tmp_path / "pg_service.conf"
    services.write_text(f"[portal]\nhost={postgres.folder}\nport=5432\nuser=postgres\n")
    values = {"host": None, "port": None, "user": None, "service": "portal", "service_file": str(services)}

    result = run(postgres, tmp_path, databases=["portal"], **values)

    assert result.set is not None, result.failed_sources


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"user": "backup", "password": "wrong"}, 'password authentication failed for user "backup"'),
        ({"user": "backup"}, "no password supplied"),
        ({"user": "weak", "password": "weak"}, "permission denied for table pg_authid"),
        ({"user": "weak", "password": "weak", "role_passwords": False}, "permission denied for"),
        ({"user": "hidden", "password": "hidden", "role_passwords": False}, "row-level security policy"),
        ({"databases": ["portol"]}, "there is no database portol"),
        ({"maintenance_database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"port": 5433}, "No such file or directory"),
        ({"minimum_bytes": 100_000_000}, "at least 100000000 are expected"),
        ({"programs": "/nowhere"}, "PostgreSQL's psql is not installed on this machine"),
        ({"password": {"file": "/nowhere/password"}}, "/nowhere/password"),
    ],
)
def test_what_cannot_be_dumped_leaves_no_set_and_says_why(
    postgres: Server, tmp_path: Path, values: dict[str, object], expected: str
) -> None:
    password = values.get("password")
    if isinstance(password, str):
        values = {**values, "password": secret(tmp_path, password)}

    result = run(postgres, tmp_path, **{"databases": ["portal"], **values})

    assert expected in why(result)
    assert len(why(result)) <= 500
    wait_until(lambda: connected(postgres) == "0")


def test_rights_that_are_missing_are_named_with_what_to_grant(postgres: Server, tmp_path: Path) -> None:
    access = {"user": "weak", "password": secret(tmp_path, "weak")}

    with pytest.raises(SourceUnavailable) as caught:
        postgres.source(tmp_path, **access).write(cast("StreamOpener", None))

    assert "GRANT pg_read_all_data" in str(caught.value.hint)


def test_the_databases_that_can_be_dumped_are_kept_beside_one_that_cannot(postgres: Server, tmp_path: Path) -> None:
    result = run(postgres, tmp_path, databases=["gone", "portal"])

    assert result.set is not None
    assert result.set.outcome is RunOutcome.INCOMPLETE
    (shared,) = [stream for stream in result.set.streams if stream.name == "globals"]
    assert shared.unread == ("database gone: there is no database gone",)
    assert {stream.name for stream in result.set.streams} == {"portal", "globals"}


@pytest.mark.parametrize(
    ("idle_seconds", "scripts", "expected"),
    [
        (60, {"pg_dump": '$REAL "$@" | head -c 100000; kill -9 $$'}, "pg_dump ended with exit code -9"),
        (60, {"pg_dump": '$REAL "$@" | head -c 100000'}, "does not end with"),
        (2, {"pg_dump": '$REAL "$@" | head -c 100000; sleep 60'}, "printed nothing for 2 s"),
        (60, {"pg_dump": "kill -9 $$"}, "pg_dump ended with exit code"),
        (60, {"pg_dump": "exit 0"}, "0 bytes of content"),
        (60, {"pg_dumpall": '$REAL "$@" | head -n 9'}, "does not end with"),
        (2, {"pg_dumpall": "sleep 60"}, "printed nothing for 2 s"),
    ],
)
def test_a_dump_cut_short_is_no_backup(
    postgres: Server, tmp_path: Path, idle_seconds: int, scripts: dict[str, str], expected: str
) -> None:
    started = time.monotonic()
    folder = programs(postgres, tmp_path, **scripts)

    result = run(postgres, tmp_path, databases=["portal"], idle_seconds=idle_seconds, programs=folder)

    assert expected in why(result)
    assert time.monotonic() - started < 50
    wait_until(lambda: connected(postgres) == "0")


def test_a_snapshot_that_is_lost_fails_the_dump(postgres: Server, tmp_path: Path) -> None:
    ours = "FROM pg_stat_activity WHERE application_name = 'portalops' AND pid <> pg_backend_pid()"
    cut, left = f"SELECT pg_terminate_backend(pid) {ours}", f"SELECT count(*) {ours}"
    psql = " ".join((postgres.tools.program("psql"), *postgres.at, "-X", "-q"))
    until_gone = f'until [ "$({psql} -A -t -c "{left}")" = 0 ]; do sleep 0.05; done'
    folder = programs(postgres, tmp_path, pg_dump=f'{psql} -o /dev/null -c "{cut}"; {until_gone}; exec $REAL "$@"')

    result = run(postgres, tmp_path, databases=["portal"], programs=folder)

    assert "ended with exit code" in why(result)


def test_functions_that_a_databases_owner_put_first_are_not_called(postgres: Server, tmp_path: Path) -> None:
    postgres.sql("CREATE DATABASE trap; ALTER DATABASE trap SET search_path = public, pg_catalog;")
    postgres.sql(
        'CREATE TABLE seen (who text); CREATE TABLE "T" (i int);'
        "CREATE FUNCTION replace(name, text, text) RETURNS text LANGUAGE sql AS $$ SELECT 1/0; SELECT '' $$;"
        "CREATE FUNCTION format(text, name, name) RETURNS text LANGUAGE sql AS $$ SELECT 1/0; SELECT '' $$;",
        "trap",
    )
    try:
        result = run(postgres, tmp_path, databases=["trap"])
    finally:
        postgres.sql("DROP DATABASE trap")

    assert result.set is not None, result.failed_sources
    assert [rows.table for rows in result.set.streams[0].rows] == ['public."T"', "public.seen"]


def test_nothing_stays_connected_when_portalops_is_killed(postgres: Server, tmp_path: Path) -> None:
    script = '$REAL "$@" | head -c 1000; echo $$ >new; mv new dumping; exec sleep 100'
    folder = programs(postgres, tmp_path, pg_dump=f"cd {tmp_path}; {script}")
    code = (
        "from tests.backups.kit import *; from tests.backups.memory import MemoryMedium;"
        "import pathlib, sys; here = pathlib.Path(sys.argv[1]);"
        "values = dict(host=sys.argv[2], port=5432, user='postgres', programs=sys.argv[3], databases=['portal']);"
        "back_up([source('postgresql', values, here)], [MemoryMedium('m')])"
    )
    argv = [sys.executable, "-c", code, str(tmp_path), str(postgres.folder), folder]
    process = subprocess.Popen(argv, cwd=Path(__file__).parents[3])
    wait_until((tmp_path / "dumping").exists)
    assert connected(postgres) != "0"

    process.kill()
    process.wait()

    try:
        wait_until(lambda: connected(postgres) == "0")
    finally:
        os.kill(int((tmp_path / "dumping").read_text()), signal.SIGKILL)  # nobody else ends what portalops left


@pytest.mark.heavy
def test_a_table_that_others_hold_is_not_waited_for_without_end(postgres: Server, tmp_path: Path) -> None:
    with other_session(postgres, "BEGIN; LOCK TABLE article; SELECT 'held';"):
        result = run(postgres, tmp_path, databases=["portal"], idle_seconds=2)

    assert "printed nothing for 2 s" in why(result)
    wait_until(lambda: connected(postgres) == "0")


def test_a_client_older_than_the_server_is_refused(postgres: Server, tmp_path: Path) -> None:
    older = programs(postgres, tmp_path)
    (tmp_path / "programs" / "pg_dump").unlink()
    (tmp_path / "programs" / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    (tmp_path / "programs" / "pg_dump").chmod(0o755)

    result = run(postgres, tmp_path, programs=older)

    assert f"pg_dump of PostgreSQL 9 is older than the server, PostgreSQL {postgres.tools.major}" in why(result)


if len(installations("initdb", LocalRunner())) > 1:  # a machine with one version has no pair to try

    def test_of_two_real_versions_the_one_that_is_not_too_old_is_taken(tmp_path: Path) -> None:
        old, *_between, new = versions()
        with Server.new(new) as server:
            refused = run(server, tmp_path, programs=str(old.folder))
            taken = back_up([server.source(tmp_path, programs=None)], [MemoryMedium("memory-1")])

        assert f"pg_dump of PostgreSQL {old.major} is older than the server, PostgreSQL {new.major}" in why(refused)
        assert taken.set is not None, taken.failed_sources


@pytest.mark.heavy
def test_a_replica_can_be_dumped_from(replica: Server, postgres: Server, tmp_path: Path, scratch: Path) -> None:
    caught_up(postgres, replica)
    medium = MemoryMedium("memory-1")

    result = back_up([replica.source(tmp_path)], [medium])

    made = Dumped(result, medium, tmp_path / "restored")
    portal = made.stream("portal")
    assert {each.table: each.rows for each in portal.rows} == {
        name: rows for name, rows in ROWS.items() if name != "public.sessions"
    }
    assert portal.skipped == ("portal: public.sessions: an unlogged table has no rows on a replica",)
    assert made.set.outcome is RunOutcome.COMPLETE
    assert format_of(portal).try_out(made.restored("portal", scratch)).problems == ()


def test_a_replica_that_is_cut_off_is_refused(replica: Server, postgres: Server, tmp_path: Path) -> None:
    postgres.sql("CREATE TABLE before (); DROP TABLE before;")
    caught_up(postgres, replica)
    replica.sql("ALTER SYSTEM SET primary_conninfo = ''; SELECT pg_reload_conf();")
    try:
        wait_until(lambda: replica.sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0")
        postgres.sql("CREATE TABLE later (); DROP TABLE later;")
        time.sleep(1.1)
        result = run(replica, tmp_path, replica_lag_seconds=1)
    finally:
        replica.sql("ALTER SYSTEM RESET primary_conninfo; SELECT pg_reload_conf();")

    assert "s behind, but at most 1 s are allowed" in why(result)


def test_stream_names_are_plain_and_do_not_collide() -> None:
    names = ["portal", "Portal", "portal_", "globals", "", "日本", "x" * 63, "-", ODD]

    found = stream_names(names)

    assert len(set(found)) == len(names)
    assert found[0] == "portal"
    assert "globals" not in found
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(name) <= 63 for name in found)


def test_a_password_and_a_passfile_are_one_too_many(postgres: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="both a password and a passfile"):
        postgres.source(tmp_path, password={"env": "X"}, passfile="x")


def test_a_replicas_conflict_is_explained() -> None:
    hint = hint_for("pg_dump: error: ERROR:  canceling statement due to conflict with recovery")

    assert "hot_standby_feedback" in str(hint)


@contextmanager
def other_session(server: Server, script: str) -> Iterator[None]:
    process = subprocess.Popen(
        [server.tools.program("psql"), *server.at, "-X", "-q", "-A", "-t", "-d", "portal"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(script + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "held\n"
    try:
        yield
    finally:
        process.kill()
        process.communicate()


def caught_up(primary: Server, replica: Server) -> None:
    at = primary.sql("SELECT pg_current_wal_lsn()")
    wait_until(lambda: replica.sql(f"SELECT pg_last_wal_replay_lsn() >= '{at}'") == "t")


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
