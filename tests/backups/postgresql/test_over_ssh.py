"""The server's own host over SSH: PostgreSQL's programs run there."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.postgresql import installations, installations_there
from portalops.system.programs import LocalRunner
from tests.backups.kit import back_up
from tests.backups.media.parts import secret
from tests.backups.memory import MemoryMedium
from tests.backups.postgresql.parts import ROWS, Dumped, Server, versions
from tests.backups.postgresql.test_source import programs
from tests.backups.sources.over_ssh import other_account, ssh_table
from tests.servers import SshHost


@pytest.fixture(scope="module")
def host() -> Iterator[SshHost]:
    with other_account() as (made, _folder):
        yield made


@pytest.mark.heavy
def test_every_database_is_dumped_there_with_the_rows_of_its_snapshot(
    postgres: Server, host: SshHost, tmp_path: Path
) -> None:
    medium = MemoryMedium("memory-1")

    result = back_up([postgres.source(tmp_path, ssh=ssh_table(host))], [medium])

    dumped = Dumped(result, medium, tmp_path / "restored")
    assert {rows.table: rows.rows for rows in dumped.stream("portal").rows} == ROWS
    assert "globals" in {stream.name for stream in dumped.set.streams}


def test_a_password_stands_in_no_argument_and_no_file_there(postgres: Server, host: SshHost, tmp_path: Path) -> None:
    own = f"của {os.getpid()}"  # other tests have passwords too
    password = f"mật 'khẩu' {own}$\\"
    quoted = password.replace("'", "''")
    postgres.sql(f"CREATE ROLE far LOGIN SUPERUSER PASSWORD '{quoted}'")
    seen: list[bytes] = []
    stop = threading.Event()
    was_seen = host.folder / "was-seen"
    script = f'while [ ! -e {was_seen} ]; do sleep 0.02; done; exec $REAL "$@"'
    folder = programs(postgres, host.folder, pg_dump=script)

    def look() -> None:
        while not stop.wait(0.005):
            seen.append(subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout)
            if f"{folder}/pg_dump -".encode() in seen[-1]:
                was_seen.touch()

    watcher = threading.Thread(target=look)
    watcher.start()
    values = {"user": "far", "password": secret(tmp_path, "far.password", password), "databases": ["portal"]}
    values |= {"programs": folder}
    result = back_up([postgres.source(tmp_path, ssh=ssh_table(host), **values)], [MemoryMedium("memory-1")])
    stop.set()
    watcher.join()
    postgres.sql("DROP ROLE far")

    assert result.set is not None, result.failed_sources
    assert was_seen.exists()
    assert not any(own.encode() in each for each in seen)


def test_the_snapshot_is_let_go_when_the_dump_cannot_be_made(postgres: Server, host: SshHost, tmp_path: Path) -> None:
    result = back_up(
        [postgres.source(tmp_path, ssh=ssh_table(host), databases=["portal"], minimum_bytes=1 << 40)],
        [MemoryMedium("memory-1")],
    )

    assert result.set is None
    until = time.monotonic() + 60
    while postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'portalops'") != "0":
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_wrong_password_there_is_explained(postgres: Server, host: SshHost, tmp_path: Path) -> None:
    postgres.sql("CREATE ROLE stranger LOGIN PASSWORD 'right'")
    values = {"user": "stranger", "password": secret(tmp_path, "p", "wrong")}

    result = back_up([postgres.source(tmp_path, ssh=ssh_table(host), **values)], [MemoryMedium("memory-1")])
    postgres.sql("DROP ROLE stranger")

    assert "password authentication failed" in result.failed_sources[0]


def test_programs_that_a_host_lacks_are_missed_there(postgres: Server, host: SshHost, tmp_path: Path) -> None:
    source = postgres.source(tmp_path, ssh=ssh_table(host), programs="/nowhere")

    result = back_up([source], [MemoryMedium("memory-1")])

    assert "PostgreSQL's psql is not installed on 127.0.0.1" in result.failed_sources[0]


def test_the_programs_of_a_host_are_found_as_those_of_this_machine() -> None:
    versions()
    runner = LocalRunner()

    assert installations_there("pg_dump", runner) == installations("pg_dump", runner)
    folder = installations("pg_dump", runner)[0].folder
    assert installations_there("pg_dump", runner, folder) == installations("pg_dump", runner, folder)
