"""A ledger that is moved into a database and back from the command line: every line as it is, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.ledger.selection import Selection
from portalops.ledger.store import SqliteStore
from portalops.system.clock import SystemClock
from tests.backups.postgresql.parts import Server, versions
from tests.cluster.parts import CALLED, ROOT, ledger_script, new_database, queue_script, store_of
from tests.ledger.ledgers import filled_ledger
from tests.servers import ObjectStore, a_bucket
from tests.shapes import data_in

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"

"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.new(versions()[-1]) as started:
        yield started


class Home:
    """A portal with a ledger in its state folder and a database beside it, as the owner of both."""

    def __init__(self, folder: Path, server: Server, *, is_prepared: bool = True) -> None:
        self.folder, self.server = folder, server
        folder.mkdir(exist_ok=True)
        self.database = new_database(server)
        if is_prepared:
            server.sql(f"{ledger_script()}\n{queue_script()}", self.database)
        self.configuration = folder / "portalops.toml"
        self.with_store()

    def with_store(self, extra: str = "") -> None:
        self.configuration.write_text(
            f"{CONFIGURATION}{store_of(self.server, self.database, 'postgres')}\n{extra}", "utf-8"
        )

    def without_store(self) -> None:
        self.configuration.write_text(CONFIGURATION, "utf-8")

    def ledger(self, *arguments: str) -> int:
        return run(["--config", str(self.configuration), "--lang", "en", "ledger", *arguments], {})

    def in_file(self) -> list[bytes]:
        store = SqliteStore(self.folder / "state" / "ledger.sqlite", writable=False)
        return [record.line for record in store.records(Selection())]

    def in_database(self) -> list[bytes]:
        return [
            line.encode()
            for line in self.server.sql("SELECT line FROM portalops.record ORDER BY seq", self.database).splitlines()
        ]

    def process(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, *CALLED, "--config", str(self.configuration), "--lang", "en", "ledger", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )


@pytest.fixture
def home(server: Server, tmp_path: Path) -> Home:
    return Home(tmp_path, server)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a file system of 1 MiB, as root; where that is not allowed there is nothing to try it on."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"mount: {done.stderr}")
        pytest.skip(f"mount: {done.stderr}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def data_of(capsys: pytest.CaptureFixture[str], called: str) -> Any:
    return data_in(capsys.readouterr().out, called)


def kinds(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["kind"] for line in lines]


def test_the_owner_makes_tables_and_queue_once(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, server, is_prepared=False)
    for made in (True, False):
        assert home.ledger("prepare", "--json") == ExitCode.OK
        data = data_of(capsys, "ledger prepare")
        assert (data["made"], data["queue_made"]) == (made, made)
    assert server.sql("SELECT count(*) FROM portalops_queue.pgqueuer", home.database) == "0"
    filled_ledger(tmp_path / "state")
    assert home.ledger("move", "--to", "store") == ExitCode.OK


def test_what_is_printed_makes_them_too(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, server, is_prepared=False)
    assert home.ledger("prepare", "--print") == ExitCode.OK
    server.sql(capsys.readouterr().out, home.database)
    assert home.ledger("prepare", "--json") == ExitCode.OK
    data = data_of(capsys, "ledger prepare")
    assert not data["made"] and not data["queue_made"]


def test_without_a_store_there_is_nothing_to_prepare_or_move(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    home.without_store()
    assert home.ledger("prepare") == home.ledger("move", "--to", "store") == ExitCode.CONFIGURATION
    assert "[ledger.store]" in capsys.readouterr().err


def test_a_ledger_goes_there_and_back_with_every_line(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    filled_ledger(home.folder / "state")
    before = home.in_file()

    assert home.ledger("move", "--to", "store", "--dry-run", "--json") == ExitCode.OK
    assert data_of(capsys, "ledger move")["records"] == len(before)
    assert home.in_file() == before and home.in_database() == []

    assert home.ledger("move", "--to", "store", "--json") == ExitCode.OK
    there = data_of(capsys, "ledger move")
    assert home.in_database() == home.in_file() and home.in_database()[:-1] == before
    assert there["records"] == len(before) + 1 and there["lost"] == []
    assert home.ledger("verify", "--json") == ExitCode.PARTIAL, "no plan says what was expected"
    assert data_of(capsys, "ledger verify")["integrity"]["holds"] is True

    home.without_store()
    with pytest.raises(Exception, match="was moved to"):
        Ledger.open(home.folder / "state", SystemClock(), create=True)

    home.with_store()
    assert home.ledger("move", "--to", "file", "--json") == ExitCode.OK
    assert home.in_file() == home.in_database() and home.in_file()[: len(before)] == before
    assert kinds(home.in_file())[len(before) :] == ["ledger.moved", "ledger.moved"]
    home.without_store()
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    ledger.append("note", run=NO_RUN, body=b"{}")
    capsys.readouterr()
    assert home.ledger("verify", "--json") == ExitCode.PARTIAL
    assert data_of(capsys, "ledger verify")["integrity"]["records"] == len(before) + 3


def test_another_ledger_is_never_written_over(home: Home, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    filled_ledger(home.folder / "state")
    assert home.ledger("move", "--to", "store") == ExitCode.OK
    there = home.in_database()
    (home.folder / "state").rename(home.folder / "first")
    filled_ledger(home.folder / "state")
    before = home.in_file()
    capsys.readouterr()

    assert home.ledger("move", "--to", "store") == ExitCode.FAILED

    assert "holds another ledger, or has later records of this one" in capsys.readouterr().err
    assert home.in_database() == there and home.in_file() == before


def many_records(folder: Path, count: int) -> None:
    filled_ledger(folder, runs=1)
    ledger = Ledger.open(folder, SystemClock(), create=True)
    draft = ledger.draft("note", run=NO_RUN, body=ledger.keep(b"{}"))
    for _batch in range(count // 1000):
        ledger.append_many([draft] * 1000)


@pytest.mark.heavy
def test_a_move_whose_process_is_killed_leaves_nothing_and_is_done_anew(home: Home) -> None:
    many_records(home.folder / "state", 12_000)
    before = home.in_file()

    process = home.process("move", "--to", "store")
    while (
        process.poll() is None
        and home.server.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%.bring(%'",
            home.database,
        )
        == "0"
    ):
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert process.returncode == -signal.SIGKILL
    assert (home.in_database(), home.in_file()) == ([], before), "it was killed in the midst of it"
    assert home.ledger("move", "--to", "store") == ExitCode.OK
    assert home.in_database() == home.in_file()
    assert home.in_file()[:-1] == before and kinds(home.in_file()).count("ledger.moved") == 1


def test_a_full_disk_on_the_way_back_leaves_the_ledger_where_it_is(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many_records(home.folder / "state", 4_000)
    assert home.ledger("move", "--to", "store") == ExitCode.OK
    there = home.in_database()
    (home.folder / "state").rename(home.folder / "old")
    capsys.readouterr()

    with small_disk(home.folder / "state"):
        process = home.process("move", "--to", "file")
        shown = process.communicate(timeout=120)[0]
        assert process.returncode == ExitCode.FAILED
        assert "cannot write" in shown and "hint:" in shown

    assert home.in_database()[: len(there)] == there
    assert home.ledger("move", "--to", "file") == ExitCode.OK, "with another disk it is gone on with"
    assert home.in_file() == home.in_database()


def test_details_go_into_a_bucket_and_come_back(
    home: Home, object_store: ObjectStore, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    filled_ledger(home.folder / "state")
    bucket = a_bucket(object_store, f"moved-{home.database}", locked=False)
    for name in ("id", "secret"):
        (tmp_path / name).write_text(f"writer-{name}")
        (tmp_path / name).chmod(0o600)
    home.with_store(
        f'[ledger.blobs]\nkind = "s3"\nendpoint = "{object_store.endpoint}"\nbucket = "{bucket}"\nprefix = "ledger/"\n'
        f'access_key = {{ file = "{tmp_path}/id" }}\nsecret_key = {{ file = "{tmp_path}/secret" }}\n'
    )

    assert home.ledger("move", "--to", "store", "--json") == ExitCode.OK
    brought = data_of(capsys, "ledger move")["blobs"]
    objects = object_store.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert len(objects) == brought > 8
    assert home.server.sql("SELECT count(*) FROM portalops.blob", home.database) == "0"
    assert home.ledger("verify", "--json") == ExitCode.PARTIAL
    assert data_of(capsys, "ledger verify")["integrity"]["holds"] is True

    object_store.client().delete_object(Bucket=bucket, Key=objects[3]["Key"])
    assert home.ledger("verify", "--json") == ExitCode.INTEGRITY
    capsys.readouterr()
    (home.folder / "state").rename(home.folder / "old")
    assert home.ledger("move", "--to", "file", "--json") == ExitCode.OK
    assert data_of(capsys, "ledger move")["lost"] == [objects[3]["Key"].rpartition("/")[2].removesuffix(".zst")]
    assert home.in_file() == home.in_database()


def test_the_doctor_verifies_a_ledger_in_a_database_and_says_nothing_of_a_file_that_is_not_there(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    filled_ledger(home.folder / "state")
    assert home.ledger("move", "--to", "store", "--json") == ExitCode.OK
    (home.folder / "state").rename(home.folder / "old")
    capsys.readouterr()

    run(["--config", str(home.configuration), "--lang", "en", "--json", "doctor", "--deep", "--only", "ledger"], {})
    told = {each["object"]: each for each in data_of(capsys, "doctor")}
    assert told["chain"]["state"] == "good" and "the whole chain of" in told["chain"]["seen"]
    assert "file" not in told
    home.server.sql(
        "ALTER TABLE portalops.record DISABLE TRIGGER ALL; DELETE FROM portalops.record WHERE seq = 3", home.database
    )
    run(["--config", str(home.configuration), "--lang", "en", "--json", "doctor", "--deep", "--only", "ledger"], {})
    assert "bad" in {each["state"] for each in data_of(capsys, "doctor") if each["object"] == "chain"}

    run(["--config", str(home.configuration), "--lang", "en", "--json", "doctor", "--only", "space"], {})
    assert "ledger" not in {each["object"] for each in data_of(capsys, "doctor")}


def test_a_database_that_is_away_or_without_a_ledger_is_told_once_by_the_deep_look(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["--config", str(home.configuration), "--lang", "en", "--json", "doctor", "--deep", "--only", "ledger"], {})
    assert [each["state"] for each in data_of(capsys, "doctor")] == ["note"]

    home.configuration.write_text(
        f'{CONFIGURATION}[ledger.store]\nkind = "postgresql"\nhost = "{home.folder}"\ndatabase = "away"\nuser = "postgres"\n'
    )
    run(["--config", str(home.configuration), "--lang", "en", "--json", "doctor", "--deep", "--only", "ledger"], {})
    assert [each["state"] for each in data_of(capsys, "doctor")] == ["bad"]


def test_details_alone_go_into_a_folder_and_come_back_while_the_records_stay(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    filled_ledger(home.folder / "state")
    before, evidence = home.in_file(), home.folder / "evidence"
    home.configuration.write_text(
        f'{CONFIGURATION}[ledger.blobs]\nkind = "folder"\nfolder = "{evidence}"\n', encoding="utf-8"
    )

    assert home.ledger("move", "--to", "store", "--json") == ExitCode.OK
    brought = data_of(capsys, "ledger move")["blobs"]
    (home.folder / "state" / "blobs").rename(home.folder / "old")
    assert home.ledger("verify", "--json") == ExitCode.PARTIAL
    assert data_of(capsys, "ledger verify")["integrity"]["holds"] is True
    assert home.ledger("move", "--to", "file", "--json") == ExitCode.OK

    assert data_of(capsys, "ledger move")["blobs"] == brought > 8
    assert home.in_file() == before
