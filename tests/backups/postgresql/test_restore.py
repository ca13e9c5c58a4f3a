"""Dumps are tried out in a server of their own, and restored by the commands of RESTORE.md as they are printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backups.extract import prepare_target
from backups.formats import Restored, Trial, format_of
from backups.formats.postgresql_globals import first_role
from backups.sources._postgresql import stream_names
from backups.stream_output import stream_out
from portalops.errors import BackupError, UnsafeTarget
from portalops.model.backups import TableRows, VerifyLevel
from tests.backups.kit import keys
from tests.backups.postgresql.parts import ODD, ODD_QUOTED, ROWS, Dumped, Server, user, versions

(ODD_STREAM,) = stream_names([ODD])


def try_out(restored: Restored) -> Trial:
    return format_of(restored.stream).try_out(restored)


def with_bytes(restored: Restored, data: bytes) -> Restored:
    """The same, but that something else came out of the restore."""
    place = restored.place.with_name(f"other-{restored.scratch.name}")
    place.write_bytes(data)
    return replace(restored, place=place)


def running_in(folder: Path) -> str:
    """Return what still runs in a folder; a server that was told to stop may take a moment to be gone."""
    for _try in range(50):
        command = ["pgrep", "--list-full", "--full", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not done.stdout:
            break
        time.sleep(0.1)
    return done.stdout


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["portal", "latin", ODD_STREAM, "postgres", "globals"])
def test_what_was_dumped_can_be_restored_and_queried(dumped: Dumped, scratch: Path, name: str) -> None:
    trial = try_out(dumped.restored(name, scratch))

    assert trial.problems == ()
    assert trial.level is VerifyLevel.L4
    assert running_in(scratch) == ""
    if name == "portal":
        assert trial.asked == f"7 tables, {sum(ROWS.values())} rows, in PostgreSQL {versions()[0].major}"
    if name == "globals":
        assert trial.asked == "6 in pg_roles, 3 in pg_auth_members, 1 in pg_tablespace"


def test_a_dump_goes_to_pg_restore_without_a_file_between(postgres: Server, dumped: Dumped) -> None:
    stream = dumped.stream("portal")
    command = [postgres.tools.program("pg_restore"), "--exit-on-error", *postgres.at, "-d", "handed_out"]
    postgres.sql("CREATE DATABASE handed_out TEMPLATE template0")
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE) as program:
            assert program.stdin is not None
            size = stream_out(dumped.copies, stream, [keys().identity], program.stdin.write)

        assert (program.returncode, size) == (0, stream.plain_bytes)
        for table in ("public.article", "public.empty", "public.sessions"):
            assert postgres.sql(f"SELECT count(*) FROM {table}", "handed_out") == str(ROWS[table])
    finally:
        postgres.sql("DROP DATABASE handed_out")


@pytest.mark.heavy
def test_the_dump_stays_private_while_it_is_tried_out(dumped: Dumped, scratch: Path) -> None:
    restored = dumped.restored("portal", scratch)

    try_out(restored)

    assert (scratch / "data").stat().st_mode & 0o077 == 0
    assert restored.place.stat().st_mode & 0o077 == 0
    if os.geteuid() == 0:
        assert (scratch / "data").stat().st_uid == user().pw_uid != 0


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def without_header(data: bytes) -> bytes:
    return b"?" + data[1:]


def with_other_rows(data: bytes) -> bytes:
    assert data.count(b"1\tTin 1\t") == 1
    return data.replace(b"1\tTin 1\t", b"2\tTin 1\t")  # two rows of one key


def with_broken_sql(data: bytes) -> bytes:
    return data.replace(b"CREATE TRIGGER touch", b"CREATE TRAGGER touch")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (cut, "pg_restore: error"),
        (without_header, "does not appear to be a valid archive"),
        (with_other_rows, "could not create unique index"),
        (with_broken_sql, "syntax error"),
        (lambda _data: b"", "pg_restore: error"),
    ],
)
def test_a_damaged_dump_is_found(dumped: Dumped, scratch: Path, damage: object, expected: str) -> None:
    assert callable(damage)
    restored = dumped.restored("portal", scratch)

    trial = try_out(with_bytes(restored, damage(restored.place.read_bytes())))

    assert expected in trial.problems[0]
    assert len(trial.problems[0]) <= 300
    assert running_in(scratch) == ""


@pytest.mark.heavy
def test_rows_that_are_missing_are_named(dumped: Dumped, scratch: Path) -> None:
    restored = dumped.restored("portal", scratch)
    rows = (TableRows("public.article", 501), TableRows("public.gone", 1), *restored.stream.rows[2:])

    trial = try_out(replace(restored, stream=replace(restored.stream, rows=rows)))

    assert trial.level is VerifyLevel.L4
    assert trial.problems == (
        "table public.article: 500 rows instead of 501",
        "table public.gone is not there",
    )


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (cut, "table pg_catalog.pg_auth_members: "),
        (lambda data: data.replace(b"CREATE ROLE readers", b"CREATE ROLL readers"), "syntax error"),
        (lambda _data: b"\xff\x00", "table pg_catalog.pg_roles: "),
    ],
)
def test_damaged_globals_are_found(dumped: Dumped, scratch: Path, damage: object, expected: str) -> None:
    assert callable(damage)
    restored = dumped.restored("globals", scratch)

    trial = try_out(with_bytes(restored, damage(restored.place.read_bytes())))

    assert any(expected in problem for problem in trial.problems), trial.problems
    assert running_in(scratch) == ""


@pytest.mark.heavy
@pytest.mark.parametrize("command", ["\\! touch {}/pwned", "\\unrestrict x\n\\! touch {}/pwned", "\\o |touch {}/pwned"])
def test_globals_run_no_programs_through_psql(dumped: Dumped, scratch: Path, command: str) -> None:
    restored = dumped.restored("globals", scratch)
    script = f"{command.format(scratch)}\n".encode() + restored.place.read_bytes()

    trial = try_out(with_bytes(restored, script))

    assert not (scratch / "pwned").exists()
    assert any("restricted" in problem or "unrestrict" in problem for problem in trial.problems), trial.problems


def test_a_scratch_folder_too_deep_for_a_socket_is_named(dumped: Dumped, scratch: Path) -> None:
    deep = scratch / ("d" * 90)
    deep.mkdir()
    shutil.chown(deep, user().pw_uid)

    with pytest.raises(BackupError, match="too long for a socket"):
        try_out(dumped.restored("postgres", deep))


def test_a_server_that_was_started_by_another_first_role_is_tried_out_with_it() -> None:
    line = b"ALTER ROLE %b WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;\n"

    assert first_role(line % b"boss") == "boss"
    assert first_role(line % b"boss" + line % b"postgres") == "postgres"
    assert first_role(line % '"Quản ""trị"""'.encode()) == 'Quản "trị"'
    assert first_role(b"") == "postgres"


@pytest.fixture(params=["en", "vi"])
def printed(request: pytest.FixtureRequest, dumped: Dumped, tmp_path: Path) -> dict[str, list[str]]:
    """The blocks of the guide by stream, and those before the first one."""
    bag = tmp_path / "bag"
    for path, data in dumped.files.items():
        (bag / path).parent.mkdir(parents=True, exist_ok=True)
        (bag / path).write_bytes(data)
    text = (bag / f"RESTORE.{request.param}.md").read_text(encoding="utf-8")
    text = text.partition("\n## 1. ")[2].partition('\n```sh\nrm -r "$WORK"')[0]
    sections = re.split(r"^### portal-db: (\S+)$", text, flags=re.MULTILINE)
    blocks = [re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for section in sections[::2]]
    return dict(zip(["", *sections[1::2]], blocks, strict=True))


@pytest.fixture
def empty_server() -> Iterator[Server]:
    with Server.new(versions()[0]) as server:
        yield server


@pytest.mark.heavy
@pytest.mark.needs("age", "zstd", "tar")
def test_the_printed_commands_bring_the_databases_back(
    dumped: Dumped, printed: dict[str, list[str]], empty_server: Server, tmp_path: Path
) -> None:
    before, shared, portal, odd = printed[""], printed["globals"], printed["portal"], printed[ODD_STREAM]
    moved = f'{with_folder_for_tablespace(dumped, empty_server, tmp_path)} "$TO"/portal-db/globals.sql\n'

    done = subprocess.run(
        ["bash", "-c", "set -e\n" + "".join([*before, shared[0], moved, shared[1], *portal, odd[0], odd[-1]])],
        cwd=tmp_path / "bag",
        env={
            "PATH": f"{empty_server.tools.folder}:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "KEY": str(keys().file(tmp_path)),
            "TO": str(tmp_path / "out"),
            **empty_server.environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    assert "dbname: portal" in done.stdout
    for database in ("portal_restored", "portal"):
        assert empty_server.sql("SELECT count(*) FROM article", database) == "500"
        assert empty_server.sql("SELECT count(*) FROM titles", database) == "500"
    assert empty_server.sql("SELECT octet_length(b) FROM raw", f"dbname='{ODD_QUOTED}'") == "2"


def with_folder_for_tablespace(dumped: Dumped, server: Server, folder: Path) -> str:
    """Make a tablespace's folder for a server, and return the command that names it in a file."""
    found = re.search(r"LOCATION '(.*)'", dumped.restored("globals", folder).place.read_text())
    assert found is not None
    (server.folder / "nhanh").mkdir()
    shutil.chown(server.folder / "nhanh", user().pw_uid)
    return f"sed -i 's,{found[1]},{server.folder}/nhanh,'"


@pytest.mark.needs("dash", "age", "zstd", "tar")
def test_the_script_loads_roles_first_and_databases_into_names_that_are_new(
    dumped: Dumped, empty_server: Server, tmp_path: Path
) -> None:
    bag = tmp_path / "a bag"
    for path, data in dumped.files.items():
        (bag / path).parent.mkdir(parents=True, exist_ok=True)
        (bag / path).write_bytes(data)
    move = with_folder_for_tablespace(dumped, empty_server, tmp_path)
    psql = tmp_path / "tools/psql"  # a stranger makes the tablespace's folder; here its name is another one
    psql.parent.mkdir()
    psql.write_text(
        f'#!/bin/sh\nfor each; do case "$each" in --file=*) {move} "${{each#--file=}}" ;; esac; done\n'
        f'exec {empty_server.tools.program("psql")} "$@"\n'
    )
    psql.chmod(0o755)
    keys().file(tmp_path)

    def run(to: str, **values: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{psql.parent}:{empty_server.tools.folder}:/usr/bin:/bin",
            "KEY": "operator.age",
            "TO": to,
            **empty_server.environment,
            **values,
        }
        command = ["dash", str(bag / "restore.sh"), "--databases"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    done = run("out 1")

    assert done.returncode == 0, done.stderr
    steps = [line for line in done.stdout.splitlines() if line.startswith("Loading")]
    assert steps[0] == "Loading portal-db/globals"
    assert empty_server.sql("SELECT count(*) FROM article", "portal_restored") == "500"
    assert empty_server.sql("SELECT octet_length(b) FROM raw", f"{ODD_STREAM}_restored") == "2"
    encodings = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'latin_restored'"
    assert empty_server.sql(encodings) == "LATIN1"

    again = run("out 2")

    assert again.returncode == 1
    assert "already exists" in again.stderr and "Loading portal-db/globals" in again.stderr
    assert empty_server.sql("SELECT count(*) FROM article", "portal_restored") == "500"


@pytest.mark.parametrize("inside", ["restored", "base/restored", "pg_wal/a/b"])
def test_nothing_is_restored_into_the_data_folder_of_a_server(postgres: Server, inside: str) -> None:
    before = sorted(path.name for path in postgres.data.iterdir())

    with pytest.raises(UnsafeTarget, match="holds the data of PostgreSQL"):
        prepare_target(postgres.data / inside)

    assert sorted(path.name for path in postgres.data.iterdir()) == before
    assert not (postgres.data / inside).exists()
