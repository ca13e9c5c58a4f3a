"""The media that runs are harmed on. A new kind of medium gets one entry in `KINDS`; every fault is then tried on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backups.media.parts import s3_table, sftp_table
from tests.backups.media.tapes import tape_table
from tests.programs import need
from tests.servers import ObjectStore, SshHost, a_bucket


@dataclass(frozen=True, slots=True)
class Place:
    """One medium of one portal."""

    kind: str
    settings: Mapping[str, object]
    """Of its `[[backup.medium]]` table, without id and kind."""
    left: Callable[[], list[str]]
    """What lies there beside whole sets: what the run that died had begun."""


def _folders(folder: Path) -> Callable[[], list[str]]:
    return lambda: [path.name for path in folder.iterdir() if path.name.startswith(".")] if folder.exists() else []


def a_disk(folder: Path, **more: object) -> Place:
    """Return a disk in a folder."""
    return Place(
        "disk", {"folder": str(folder), "create": True, "allow_same_filesystem": True, **more}, _folders(folder)
    )


def disk(_request: pytest.FixtureRequest, folder: Path) -> Place:
    return a_disk(folder / "disk")


def optical(_request: pytest.FixtureRequest, folder: Path) -> Place:
    need("xorriso")
    settings = {
        "folder": str(folder / "discs"),
        "create": True,
        "allow_same_filesystem": True,
        "disc_bytes": 8 << 20,
    }
    return Place("optical", settings, _folders(folder / "discs"))


def sftp(request: pytest.FixtureRequest, folder: Path) -> Place:
    host: SshHost = request.getfixturevalue("ssh_host")
    return Place("sftp", sftp_table(host, folder / "sftp", create=True), _folders(folder / "sftp"))


def s3(request: pytest.FixtureRequest, folder: Path) -> Place:
    store: ObjectStore = request.getfixturevalue("object_store")
    bucket, prefix = _bucket(store), f"{folder.parent.name}-{folder.name}/"
    folder.mkdir(parents=True, exist_ok=True)

    def left() -> list[str]:
        answer = store.client().list_object_versions(Bucket=bucket, Prefix=f"{prefix}incoming/")
        return [each["Key"] for each in answer.get("Versions", ())]

    return Place("s3", s3_table(store, bucket, folder, user="admin", prefix=prefix), left)


def _bucket(store: ObjectStore) -> str:
    client = store.client()
    name = "faults"
    if name not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
        a_bucket(store, name, locked=False)
    return name


def tape(_request: pytest.FixtureRequest, folder: Path) -> Place:
    """A folder in place of a drive: what a dead run left behind the last record is there until the next set, as on a tape."""
    return Place("tape", tape_table(folder / "tape"), list)


KINDS: dict[str, Callable[[pytest.FixtureRequest, Path], Place]] = {
    "disk": disk,
    "optical": optical,
    "s3": s3,
    "sftp": sftp,
    "tape": tape,
}

DISK_FIRST = ["disk", *(pytest.param(kind, marks=pytest.mark.heavy) for kind in KINDS if kind != "disk")]
"""For what is killed at several places: on other media than a disk that is left to the long tests."""
