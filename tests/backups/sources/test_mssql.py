"""SQL Server: no server could be had, so its captured output is judged, and a program stands in for sqlcmd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backups.formats import Restored, format_of
from backups.sources.mssql import Settings, backup_command, explain_failure, stream_name
from portalops.model.backups import BackupResult, DataClass, Stream, VerifyLevel
from portalops.model.record import Digest
from portalops.ports import Completed
from portalops.system.programs import LocalRunner
from tests.backups.kit import back_up, source
from tests.backups.memory import MemoryMedium

# From Microsoft's page on backups of SQL Server on Linux; the last line is of RESTORE VERIFYONLY, from its reference.
GOOD = """\
Changed language setting to us_english.
10 percent processed.
91 percent processed.
Processed 296 pages for database 'demodb', file 'demodb' on file 1.
100 percent processed.
Processed 2 pages for database 'demodb', file 'demodb_log' on file 1.
BACKUP DATABASE successfully processed 298 pages in 0.064 seconds (36.376 MB/sec).
The backup set on file 1 is valid.
"""
# As users show it, for a folder that the server does not have.
NO_FOLDER = """\
Msg 3201, Level 16, State 1, Server db, Line 1
Cannot open backup device '/nowhere/x.bak'. Operating system error 3(The system cannot find the path specified.).
Msg 3013, Level 16, State 1, Server db, Line 1
BACKUP DATABASE is terminating abnormally.
"""


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (Completed(0, GOOD.encode(), b""), ""),
        (Completed(0, GOOD.replace("\n", "\r\n").encode(), b""), ""),
        (Completed(1, NO_FOLDER.encode(), b""), "sqlcmd ended with exit code 1: Msg 3201"),
        (Completed(0, (GOOD + NO_FOLDER).encode(), b""), "BACKUP DATABASE is terminating abnormally."),
        (Completed(0, (GOOD + "Msg 823, Level 24, State 2, Server db").encode(), b""), "Msg 823, Level 24"),
        (Completed(0, GOOD.replace("The backup set", "No set").encode(), b""), "does not say that the file is valid"),
        (Completed(0, b"", b""), "the server does not say that it backed up: -"),
        (Completed(124, GOOD.encode(), b""), "exit code 124"),
        (Completed(127, b"", b"No such file or directory: 'sqlcmd'"), "exit code 127: No such file"),
    ],
)
def test_only_a_backup_that_the_server_read_again_counts(done: Completed, expected: str) -> None:
    problem = explain_failure(done)

    assert expected in problem
    assert bool(problem) is bool(expected)


def test_names_stay_names_in_the_statement() -> None:
    settings = Settings.model_validate(
        {
            "class": "content",
            "user": "backup",
            "password": {"env": "X"},
            "databases": ["a"],
            "server_folder": "C:\\b",
            "trust_certificate": True,
        }
    )

    argv = backup_command(settings, "x]; DROP DATABASE y; --", "C:\\it's\\x.bak")

    assert argv[:-1] == (
        "sqlcmd", "-S", "tcp:127.0.0.1,1433", "-U", "backup", "-C", "-d", "master", "-b", "-x", "-X1", "-Q",
    )  # fmt: skip
    assert argv[-1] == (
        "SET LANGUAGE us_english; "
        "BACKUP DATABASE [x]]; DROP DATABASE y; --] TO DISK = N'C:\\it''s\\x.bak' WITH CHECKSUM, COPY_ONLY, FORMAT, INIT,"
        " STATS = 10; RESTORE VERIFYONLY FROM DISK = N'C:\\it''s\\x.bak' WITH CHECKSUM;"
    )
    assert stream_name("Cổng TT", 2) == "db-2-c-ng-tt"


def run(
    base: Path, monkeypatch: pytest.MonkeyPatch, *, said: str = GOOD, code: int = 0, **values: object
) -> tuple[BackupResult, MemoryMedium]:
    """Back up with a program that writes a file where sqlcmd's server would, and prints what a server printed."""
    (base / "said").write_text(said)
    (base / "server").mkdir()
    program = base / "sqlcmd"
    program.write_text(
        f"""#!/bin/sh
echo "$@ $SQLCMDPASSWORD" | tr ' ' '\\n' > {base}/seen
for sql; do :; done
file=$(echo "$sql" | sed "s/.*TO DISK = N'\\([^']*\\)'.*/\\1/")
printf 'TAPE and the pages' > "$file"
cat {base}/said
exit {code}
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("MSSQL_PASSWORD", "mật-khẩu")
    settings = {
        "program": str(program),
        "user": "backup",
        "password": {"env": "MSSQL_PASSWORD"},
        "databases": ["Portal"],
        "server_folder": f"{base}/server",
        **values,
    }
    medium = MemoryMedium("memory-1")
    return back_up([source("mssql", settings, base, id="mssql")], [medium]), medium


def test_the_servers_file_becomes_a_stream_and_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, _medium = run(tmp_path, monkeypatch)

    assert result.set is not None, result.failed_sources
    (stream,) = result.set.streams
    assert (stream.name, stream.format, stream.plain_bytes) == ("db-1-portal", "mssql-bak", 18)
    assert os.listdir(tmp_path / "server") == []
    assert (tmp_path / "seen").read_text().split("\n").count("mật-khẩu") == 1  # in the environment alone


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"said": NO_FOLDER, "code": 1}, "database Portal: sqlcmd ended with exit code 1: Msg 3201"),
        ({"said": ""}, "the server does not say that it backed up"),
        ({"folder": "elsewhere"}, "cannot be read: No such file or directory"),
        ({"minimum_bytes": 100}, "18 bytes of content, but at least 100"),
    ],
)
def test_a_backup_that_does_not_count_leaves_no_set_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, object], expected: str
) -> None:
    result, medium = run(tmp_path, monkeypatch, **values)  # type: ignore[arg-type]

    assert result.set is None
    assert expected in result.failed_sources[0]
    assert medium.stored == {}
    if "folder" not in values:
        assert os.listdir(tmp_path / "server") == []


@pytest.mark.parametrize(("data", "count"), [(b"TAPE...", 0), (b"MSSQLBAK...", 0), (b"<html>", 1), (b"", 1)])
def test_a_trial_sees_the_beginning_and_claims_no_more(tmp_path: Path, data: bytes, count: int) -> None:
    stream = Stream("mssql", "mssql", DataClass.CONTENT, "db-1", "mssql-bak", 1, 1, Digest("0" * 64), ())
    (tmp_path / "bak").write_bytes(data)

    trial = format_of(stream).try_out(Restored(stream, tmp_path / "bak", tmp_path, lambda: iter(()), LocalRunner()))

    assert (trial.level, len(trial.problems)) == (VerifyLevel.L3, count)
