"""`backup restore --stdout`, as a process whose standard output is a pipe, a file or a terminal."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyrage
import pytest

from portalops.errors import ExitCode
from tests.commands.test_backup import Portal

PROGRAM = [sys.executable, "-c", "from commands.app import main; main()"]
PACK = "data/content/database/database.0001.age"


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Portal:
    made = Portal(tmp_path, capsys)
    made.call("backup", "run")
    return made


def restoring(portal: Portal, *more: str, key: str = "") -> list[str]:
    configuration = str(portal.folder / "portalops.toml")
    return [
        *(*PROGRAM, "--config", configuration, "--lang", "en", "backup", "restore", "latest"),
        *("--identity", key or portal.key, "--stdout", *more),
    ]


def run(portal: Portal, *more: str, key: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(restoring(portal, *more, key=key), capture_output=True, check=False)


def test_a_stream_goes_to_the_program_behind_the_pipe(portal: Portal) -> None:
    done = run(portal, "--source", "database")

    assert done.returncode == ExitCode.OK, done.stderr
    assert b"error" not in done.stderr
    (portal.folder / "again.sqlite").write_bytes(done.stdout)
    with closing(sqlite3.connect(portal.folder / "again.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM article").fetchone() == (30,)


def test_tar_unpacks_a_stream_of_files(portal: Portal) -> None:
    (portal.folder / "out").mkdir()
    command = restoring(portal, "--source", "settings", "--stream", "files")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as restore:
        subprocess.run(["tar", "-x", "-C", portal.folder / "out"], stdin=restore.stdout, check=True)

    assert restore.returncode == ExitCode.OK
    (found,) = (portal.folder / "out").rglob("portal.ini")
    assert found.read_text() == "[portal]\n"


def test_a_damaged_pack_does_not_go_out(portal: Portal) -> None:
    for name in ("disk-a", "disk-b"):
        (pack,) = (portal.folder / name).glob(f"*/{PACK}")
        data = pack.read_bytes()
        pack.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    done = run(portal, "--source", "database")

    assert done.returncode == ExitCode.INTEGRITY
    assert done.stdout == b""
    assert f"error[PO1204]: disk-a: {PACK}: ".encode() in done.stderr
    assert f"disk-b: {PACK}: ".encode() in done.stderr


def test_a_wrong_key_gives_nothing_out(portal: Portal) -> None:
    (portal.folder / "stranger").write_text(str(pyrage.x25519.Identity.generate()))

    done = run(portal, "--source", "database", key=str(portal.folder / "stranger"))

    assert (done.returncode, done.stdout) == (ExitCode.FAILED, b"")
    assert b"error[PO1206]" in done.stderr


def test_several_streams_are_refused_and_named(portal: Portal) -> None:
    done = run(portal)

    assert (done.returncode, done.stdout) == (ExitCode.FAILED, b"")
    assert b"4 streams match; choose one with --stream" in done.stderr
    assert b"--source database --stream database" in done.stderr


def test_a_terminal_gets_no_stream(portal: Portal) -> None:
    leader, terminal = pty.openpty()
    try:
        command = restoring(portal, "--source", "database")
        done = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, check=False)
        os.close(terminal)
        with pytest.raises(OSError, match="Input/output error"):  # the other end was closed, and nothing is there
            os.read(leader, 1)
    finally:
        os.close(leader)

    assert done.returncode == ExitCode.USAGE
    assert b"standard output is a terminal" in done.stderr


def test_a_reader_that_went_away_is_told_of(portal: Portal) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = restoring(portal, "--source", "database")
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)

    assert done.returncode == ExitCode.FAILED
    assert b"the stream did not get to its reader: Broken pipe" in done.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--to", "out"), "a restore needs one target"),
        (("--path", "etc/hosts"), "--stdout does not go with --path"),
        (("--json",), "--stdout does not go with --json"),
    ],
)
def test_what_does_not_go_together_is_refused(portal: Portal, more: tuple[str, ...], said: str) -> None:
    done = run(portal, "--source", "database", *more)

    assert done.returncode == ExitCode.USAGE
    assert said in (done.stderr + done.stdout).decode()
    assert not (portal.folder / "out").exists()


def test_a_folder_takes_no_single_stream(portal: Portal) -> None:
    to = str(portal.folder / "out")

    refused = portal.call(
        *("backup", "restore", "latest", "--to", to, "--identity", portal.key, "--stream", "files"),
        expected=ExitCode.USAGE,
    )

    assert refused["error"]["message"] == "--stream goes with --stdout"
    neither = portal.call("backup", "restore", "latest", "--identity", portal.key, expected=ExitCode.USAGE)
    assert "a restore needs one target" in neither["error"]["message"]


def test_a_differential_is_put_together_in_a_folder_alone(portal: Portal) -> None:
    portal.replace({"[backup]\n": '[backup]\nfull_every = "week"\n'})
    portal.call("backup", "run", "--full")
    (portal.folder / "settings" / "portal.ini").write_text("[portal]\nnew = true\n")
    portal.call("backup", "run", "--diff")

    done = run(portal, "--source", "settings")

    assert (done.returncode, done.stdout) == (ExitCode.FAILED, b"")
    assert b"settings/files holds only what has changed since the base" in done.stderr
    assert run(portal, "--source", "database").returncode == ExitCode.OK
