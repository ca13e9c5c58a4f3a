"""The server's own host over SSH: MariaDB's programs run there."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from portalops.model.backups import TableRows
from tests.backups.kit import back_up, source
from tests.backups.mariadb.conftest import WAITING, Server
from tests.backups.media.parts import secret
from tests.backups.memory import MemoryMedium
from tests.backups.sources.over_ssh import other_account, ssh_table
from tests.servers import SshHost


@pytest.fixture(scope="module")
def host(mariadb: Server) -> Iterator[SshHost]:
    mariadb.folder.chmod(0o711)  # the account there reaches the server's socket
    with other_account() as (made, _folder):
        yield made


@pytest.mark.heavy
def test_a_database_is_dumped_there_and_its_password_stands_in_no_argument(
    mariadb: Server, host: SshHost, tmp_path: Path
) -> None:
    own = f"của {os.getpid()}"  # other tests have passwords too
    password = f"mật 'khẩu' {own}$\\\""
    quoted = password.replace("\\", "\\\\").replace("'", "''")
    mariadb.run(
        "CREATE OR REPLACE DATABASE far; CREATE TABLE far.news (id INT); INSERT INTO far.news VALUES (1), (2), (3);"
        f"CREATE OR REPLACE USER far@localhost IDENTIFIED BY '{quoted}'; GRANT ALL ON *.* TO far@localhost;"
    )
    seen: list[bytes] = []
    stop = threading.Event()
    values = {
        "socket": str(mariadb.socket),
        "user": "far",
        "password": secret(tmp_path, "far.password", password),
        "databases": ["far"],
        "ssh": ssh_table(host),
    }
    with mariadb.held("far.news") as let_go:

        def look() -> None:
            while not stop.wait(0.005):
                is_dumping = mariadb.run(WAITING) != ""
                seen.append(subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout)
                if is_dumping:
                    let_go()  # the dump waited to be seen

        watcher = threading.Thread(target=look)
        watcher.start()
        result = back_up([source("mariadb", values, tmp_path, id="portal-db")], [MemoryMedium("memory-1")])
        stop.set()
        watcher.join()
    mariadb.run("DROP DATABASE far; DROP USER far@localhost;")

    assert result.set is not None, result.failed_sources
    streams = {stream.name: stream for stream in result.set.streams}
    assert set(streams) == {"db-far", "users"}
    assert streams["db-far"].rows == (TableRows("news", 3),)
    assert (streams["db-far"].unread, streams["db-far"].changed) == ((), ())
    assert any(b"mariadb-dump" in each for each in seen)
    assert not any(own.encode() in each for each in seen)


def test_a_server_that_lets_nobody_in_fails_the_source(mariadb: Server, host: SshHost, tmp_path: Path) -> None:
    values = {
        "socket": str(mariadb.socket),
        "user": "nobody-of-that-name",
        "password": secret(tmp_path, "p", "wrong"),
        "ssh": ssh_table(host),
    }

    result = back_up([source("mariadb", values, tmp_path, id="portal-db")], [MemoryMedium("memory-1")])

    assert result.set is None
    assert "Access denied for user" in result.failed_sources[0]
    assert "wrong" not in result.failed_sources[0]
