"""`portalops doctor --deep` over real parts: an sshd, an object store, disks, and a ledger that was damaged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import Diagnosis, DiagnosticState, diagnose
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import BLOBS, FILE, Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.record import RunId
from portalops.system.clock import SystemClock
from tests.backups.media.parts import S3Proxy, answer, s3_table
from tests.commands.test_host import configure, enrol
from tests.doubles import FixedClock
from tests.servers import ObjectStore, SshHost, a_bucket, new_key
from tests.web import answer as web_answer
from tests.web import web_server

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HEAD = """
[portal]
id = "kh"
name = { vi = "C" }
[state]
folder = "state"
"""


def deep(
    folder: Path, subject: str, *, at: datetime | None = None, is_deep: bool = True, seconds: float | None = None
) -> tuple[Diagnosis, ...]:
    clock = SystemClock() if at is None else FixedClock(at)
    session = Session(Invocation((), config=folder / "portalops.toml"), dict(os.environ), clock=clock)
    return diagnose(session, deep=is_deep, only=[subject], seconds=seconds)


def said(found: tuple[Diagnosis, ...], state: DiagnosticState) -> str:
    return "\n".join(str(each.seen) for each in found if each.state is state)


def write(folder: Path, text: str) -> None:
    (folder / "portalops.toml").write_text(HEAD + text, encoding="utf-8")


def toml(values: dict[str, object]) -> str:
    """Return values of one level, and references, as TOML."""
    lines = []
    for key, value in values.items():
        shown = f'{{ file = "{value["file"]}" }}' if isinstance(value, dict) else repr(value).replace("'", '"')
        lines.append(f"{key} = {shown}\n")
    return "".join(lines)


# --- Servers ------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_server_that_proves_its_key_is_gone_to_step_by_step(tmp_path: Path, ssh_host: SshHost) -> None:
    configure(tmp_path, ssh_host)
    ssh_host.let_in()
    assert enrol(tmp_path, ssh_host) == ExitCode.OK

    found = deep(tmp_path, "servers")

    steps = {each.about: each.state for each in found if each.about.startswith("web1 ")}
    assert [steps[f"web1 {step}"] for step in ("connect", "key", "login", "session")] == [DiagnosticState.GOOD] * 4


def test_a_server_that_shows_another_key_is_bad(tmp_path: Path, ssh_host: SshHost) -> None:
    configure(tmp_path, ssh_host)
    assert enrol(tmp_path, ssh_host) == ExitCode.OK
    other = new_key(tmp_path / "other").split()
    ledger = Ledger.open(tmp_path / "state", SystemClock(), create=True)
    newest = next(ledger.records(kinds=("host.enrolled",), newest_first=True))
    text = ledger.blob(newest.body).decode()
    enrolled = " ".join(ssh_host.host_key.split()[:2])
    assert enrolled in text
    ledger.append(
        "host.enrolled", run=NO_RUN, subject="web1", body=text.replace(enrolled, " ".join(other[:2])).encode()
    )

    found = deep(tmp_path, "servers")

    assert next(each.state for each in found if each.about == "web1 key") is DiagnosticState.BAD
    assert "web1 login" not in {each.about for each in found}


def test_a_server_is_only_connected_to_where_that_is_asked_for(tmp_path: Path, ssh_host: SshHost) -> None:
    configure(tmp_path, ssh_host)

    assert "no server was connected to" in said(deep(tmp_path, "servers", is_deep=False), DiagnosticState.NOTE)


# --- Media ----------------------------------------------------------------------------------------------


def a_disk(folder: Path) -> Path:
    disk = folder / "disk"
    disk.mkdir()
    write(folder, f'[[backup.medium]]\nid = "disk-a"\nkind = "disk"\nfolder = "{disk}"\n')
    return disk


def test_a_file_is_written_to_a_disk_read_back_and_removed(tmp_path: Path) -> None:
    disk = a_disk(tmp_path)

    found = deep(tmp_path, "media")

    assert "disk-a: a small file was written, read back and removed" in said(found, DiagnosticState.GOOD)
    assert [path.name for path in disk.rglob("*doctor*")] == []


def test_nothing_is_written_to_a_disk_without_being_asked_to(tmp_path: Path) -> None:
    disk = a_disk(tmp_path)
    before = disk.stat().st_mtime_ns

    deep(tmp_path, "media", is_deep=False)

    assert disk.stat().st_mtime_ns == before


# --- Locks of object stores -------------------------------------------------------------------------------


@pytest.fixture
def proxy(object_store: ObjectStore) -> Iterator[S3Proxy]:
    made = S3Proxy(object_store)
    yield made
    made.stop()


def a_store(folder: Path, store: ObjectStore, bucket: str, mode: str | None = "COMPLIANCE") -> None:
    lock: dict[str, object] = {"lock": mode, "retain_days": 1} if mode else {}
    values = s3_table(store, bucket, folder, user="admin", **lock)
    write(folder, '[[backup.medium]]\nid = "far"\nkind = "s3"\n' + toml(values))


@pytest.mark.heavy
@pytest.mark.parametrize("mode", ["COMPLIANCE", "GOVERNANCE"])
def test_a_lock_that_refuses_a_delete_is_good_with_the_servers_words(
    object_store: ObjectStore, tmp_path: Path, mode: str
) -> None:
    bucket = a_bucket(object_store, f"doctor-{mode.lower()}")
    a_store(tmp_path, object_store, bucket, mode)

    found = deep(tmp_path, "media")

    lock = next(each for each in found if each.about == "far lock")
    assert lock.state is DiagnosticState.GOOD and "was refused with AccessDenied" in str(lock.seen)
    (left,) = object_store.client().list_object_versions(Bucket=bucket)["Versions"]
    head = object_store.client().head_object(Bucket=bucket, Key=left["Key"], VersionId=left["VersionId"])
    assert head["ObjectLockMode"] == mode
    assert head["ObjectLockRetainUntilDate"] - datetime.now(UTC) < timedelta(minutes=2)
    assert left["Key"].startswith("probe/doctor-")


def test_a_key_that_may_delete_nothing_says_nothing_of_the_lock(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    a_store(tmp_path, proxy.store, a_bucket(object_store, "doctor-timid"))
    proxy.rule = lambda method, _path: answer(403, "AccessDenied") if method == "DELETE" else None

    found = deep(tmp_path, "media")

    lock = next(each for each in found if each.about == "far lock")
    assert "as this key may delete nothing there; the store calls it locked until" in str(lock.seen)


def test_what_a_trial_left_is_removed_by_the_next_as_soon_as_its_lock_has_ended(
    object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = a_bucket(object_store, "doctor-again")
    a_store(tmp_path, object_store, bucket)
    object_store.client().put_object(Bucket=bucket, Key="probe/doctor-000000000000", Body=b"of a trial before")

    deep(tmp_path, "media")

    keys = [each["Key"] for each in object_store.client().list_object_versions(Bucket=bucket)["Versions"]]
    assert len(keys) == 1 and "probe/doctor-000000000000" not in keys


def test_a_bucket_without_object_lock_is_bad_where_sets_are_to_be_locked(
    object_store: ObjectStore, tmp_path: Path
) -> None:
    a_store(tmp_path, object_store, a_bucket(object_store, "doctor-open", locked=False))

    found = deep(tmp_path, "media")

    assert "far: it locks nothing: the server answers PutObject with InvalidRequest" in said(found, DiagnosticState.BAD)


def test_a_server_that_deletes_what_is_locked_is_bad(proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path) -> None:
    a_store(tmp_path, proxy.store, a_bucket(object_store, "doctor-lies"))
    proxy.rule = lambda method, _path: b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n" if method == "DELETE" else None

    found = deep(tmp_path, "media")

    assert "far: the lock does not hold" in said(found, DiagnosticState.BAD)


def test_a_refusal_for_want_of_a_right_does_not_stand_for_a_lock(
    proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path
) -> None:
    a_store(tmp_path, proxy.store, a_bucket(object_store, "doctor-mute"))
    proxy.rule = lambda method, _path: "x-amz-object-lock-mode" if method == "HEAD" else None

    found = deep(tmp_path, "media")

    assert "it took an object in mode COMPLIANCE and locked nothing" in said(found, DiagnosticState.BAD)


def test_a_server_at_fault_leaves_the_lock_unknown(proxy: S3Proxy, object_store: ObjectStore, tmp_path: Path) -> None:
    a_store(tmp_path, proxy.store, a_bucket(object_store, "doctor-fault"))
    proxy.rule = lambda method, _path: answer(503, "SlowDown") if method == "PUT" else None

    found = deep(tmp_path, "media")

    assert "far: its lock was not tried: the server answers PutObject with SlowDown" in said(
        found, DiagnosticState.UNKNOWN
    )


def test_a_store_without_locks_is_only_listed(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "doctor-plain", locked=False)
    a_store(tmp_path, object_store, bucket, None)

    found = deep(tmp_path, "media")

    assert "far: it answers and lists 0 sets" in said(found, DiagnosticState.GOOD)
    assert "far: nothing was written to it" in said(found, DiagnosticState.NOTE)
    assert "Versions" not in object_store.client().list_object_versions(Bucket=bucket)


def test_the_lock_of_an_anchor_is_tried_too(object_store: ObjectStore, tmp_path: Path) -> None:
    values = s3_table(object_store, a_bucket(object_store, "doctor-anchor"), tmp_path, user="admin", retain_days=1)
    del values["tries"]
    write(tmp_path, '[[ledger.anchor]]\nid = "heads"\nkind = "s3"\n' + toml(values))

    found = deep(tmp_path, "anchors")

    assert "heads: the lock holds" in said(found, DiagnosticState.GOOD)


# --- The ledger -----------------------------------------------------------------------------------------


def a_ledger(folder: Path, records: int = 300) -> Ledger:
    write(folder, "")
    ledger = Ledger.open(folder / "state", FixedClock(NOW), create=True)
    body = ledger.keep(bodies.write({"n": 1}))
    drafts = [ledger.draft("note.made", run=RunId(f"note:{number}"), body=body) for number in range(records)]
    ledger.append_many(drafts)
    ledger.close()
    return ledger


def test_a_whole_ledger_is_good(tmp_path: Path) -> None:
    a_ledger(tmp_path)

    found = deep(tmp_path, "ledger", at=NOW)

    assert "the whole chain of 301 records holds, and each of 2 blobs is there" in said(found, DiagnosticState.GOOD)
    assert "SQLite finds its file whole" in said(found, DiagnosticState.GOOD)


def test_a_blob_that_is_gone_is_only_seen_by_the_deep_look(tmp_path: Path) -> None:
    a_ledger(tmp_path)
    next((tmp_path / "state" / BLOBS).rglob("*.zst")).unlink()

    assert said(deep(tmp_path, "ledger", at=NOW, is_deep=False), DiagnosticState.BAD) == ""
    assert "is missing" in said(deep(tmp_path, "ledger", at=NOW), DiagnosticState.BAD)


def test_a_file_of_which_a_page_was_overwritten_is_bad(tmp_path: Path) -> None:
    a_ledger(tmp_path)
    path = tmp_path / "state" / FILE
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    with path.open("r+b") as file:
        file.seek(size * 4)
        file.write(b"\0" * size)

    found = deep(tmp_path, "ledger", at=NOW)

    assert DiagnosticState.BAD in {each.state for each in found}
    assert "SQLite finds its file whole" not in said(found, DiagnosticState.GOOD)
    assert "the whole chain" not in said(found, DiagnosticState.GOOD)


# --- Sources of updates and databases ---------------------------------------------------------------------

FEED = b"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>T</title><link>http://example.vn</link><description>D</description>
<item><title>A</title><link>http://example.vn/a</link><pubDate>Mon, 23 Nov 2026 08:00:00 +0700</pubDate></item>
</channel></rss>"""


def a_feed(folder: Path, url: str) -> None:
    write(folder, f'[[updates.source]]\nid = "news"\nkind = "feed"\nchannel = "portal"\nurl = "{url}/rss"\n')


def test_a_source_of_updates_is_asked_once_and_nothing_is_recorded(tmp_path: Path) -> None:
    with web_server() as server:
        server.pages["/rss"] = web_answer(FEED)
        a_feed(tmp_path, server.url)

        found = deep(tmp_path, "updates")

    assert "news: it answers with 1 item" in said(found, DiagnosticState.GOOD)
    assert not (tmp_path / "state").exists()


def test_a_sub_portal_whose_items_the_portal_shows_between_the_same_polls_needs_a_setting(tmp_path: Path) -> None:
    with web_server() as server:
        unit = '[[unit]]\nid = "so-y-te"\nname = { vi = "Sở Y tế", en = "Health" }\n'
        sources = (
            f'[[updates.source]]\nid = "{one}"\nkind = "feed"\nurl = "{server.url}/{one}"\n'
            for one in ("news", "health")
        )
        news, health = sources
        write(tmp_path, f'{unit}{news}channel = "portal"\n{health}channel = "subportal"\nunit = "so-y-te"\n')
        for count in (1, 4):
            for one in ("news", "health"):
                server.pages[f"/{one}"] = web_answer(_feed_of(count, server.url, one))
            run(["--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})

        found = deep(tmp_path, "updates", is_deep=False)

    assert said(found, DiagnosticState.WARNING).startswith("source health: the portal showed 3 of its newest items")


def _feed_of(count: int, address: str, site: str) -> bytes:
    """Return a feed of so many items, the newest first, whose texts two sites have in common."""
    items = (
        f"<item><title>Tin số {number} của Sở Y tế tuần này</title><link>{address}/{site}/{number}</link>"
        f"<description>Bệnh viện số {number} khám sức khỏe cho người cao tuổi ở {number + 3} xã miền núi.</description></item>"
        for number in range(count, 0, -1)
    )
    return f"<rss version='2.0'><channel>{''.join(items)}</channel></rss>".encode()


def test_a_source_of_updates_that_is_away_is_bad(tmp_path: Path) -> None:
    a_feed(tmp_path, "http://127.0.0.1:1")

    assert said(deep(tmp_path, "updates", is_deep=False), DiagnosticState.NOTE) == "1 source of updates was not asked"
    assert "news: " in said(deep(tmp_path, "updates"), DiagnosticState.BAD)


def test_a_database_that_does_not_answer_is_bad(tmp_path: Path) -> None:
    write(
        tmp_path,
        '[[backup.source]]\nid = "db"\nkind = "postgresql"\nclass = "related"\nhost = "127.0.0.1"\nport = 1\nuser = "x"\n'
        'databases = ["portal"]\n',
    )

    assert "db: the database was not asked" in said(deep(tmp_path, "sources", is_deep=False), DiagnosticState.NOTE)
    assert "db" in said(deep(tmp_path, "sources"), DiagnosticState.BAD)
