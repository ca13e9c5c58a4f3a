"""Files are read from snapshots of btrfs, on a loop device."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.contents import index_members
from backups.set_file import parse_set_file
from backups.sources._snapshots import mark_of, mounted_inside
from portalops.errors import ConfigurationError
from portalops.model.backups import BackupResult
from portalops.model.verdicts import RunOutcome
from tests.backups.kit import back_up, keys, source
from tests.backups.memory import MemoryMedium
from tests.backups.test_differential import Weeks
from tests.programs import need

pytestmark = pytest.mark.hosts


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty file system."""
    need("btrfs", "mkfs.btrfs")
    folder = tmp_path_factory.mktemp("btrfs")
    image, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(300 << 20)
    subprocess.run(["mkfs.btrfs", "-q", str(image)], check=True)
    done = subprocess.run(["mount", "-o", "loop", str(image), str(mounted)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode()}")
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


@pytest.fixture
def portal(disk: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A subvolume with two files."""
    top = disk / f"portal-{abs(hash(request.node.name))}"
    btrfs("create", top)
    (top / "uploads").mkdir()
    (top / "uploads" / "a").write_text("a")
    (top / "uploads" / "b").write_text("b")
    yield top
    for each in sorted(disk.rglob("*"), reverse=True):
        if each.is_dir() and not each.is_symlink() and each.stat().st_ino == 256:
            btrfs("delete", each)


def btrfs(verb: str, *paths: Path) -> None:
    subprocess.run(["btrfs", "subvolume", verb, *map(str, paths)], check=True, capture_output=True)


def run(folder: Path, **values: object) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    return back_up([source("files", {"snapshot": "btrfs", **values}, folder, id="uploads")], [medium]), medium


def content(result: BackupResult, medium: MemoryMedium) -> dict[str, int]:
    assert result.set is not None, result.failed_sources
    (stream,) = parse_set_file(medium.stored[result.set.id]["set.json"]).streams
    return {each.path: each.size for each in index_members(medium.open_set(result.set.id), stream, [keys().identity])}


def left(portal: Path) -> list[str]:
    return [each.name for each in portal.iterdir() if each.name.startswith(".portalops")]


def test_all_files_are_of_the_moment_of_the_snapshot(portal: Path, tmp_path: Path) -> None:
    uploads = portal / "uploads"
    (uploads / "Large").write_bytes(os.urandom(64 << 20))
    watch = """
import os, sys, time
top, large, late = sys.argv[1:]
while not any(name.startswith(".portalops") for name in os.listdir(top)):
    time.sleep(0.001)
time.sleep(0.05)
os.unlink(large)
open(late, "w").write("late")
print("changed", flush=True)
"""
    command = [sys.executable, "-c", watch, str(portal), str(uploads / "Large"), str(uploads / "z-late")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        result, medium = run(tmp_path, include=[str(uploads)])
        assert writer.communicate(timeout=20)[0] == b"changed\n"

    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE
    (stream,) = result.set.streams
    assert (stream.gone, stream.changed, stream.unread) == ((), (), ())
    inside = str(uploads).lstrip("/")
    assert content(result, medium) == {inside: 0, f"{inside}/a": 1, f"{inside}/b": 1, f"{inside}/Large": 64 << 20}
    assert left(portal) == []


def test_what_a_killed_run_left_is_removed_by_the_next(portal: Path, tmp_path: Path) -> None:
    (portal / "uploads" / "large").write_bytes(os.urandom(96 << 20))
    script = f"""
from pathlib import Path
from tests.backups.sources.test_snapshots import run
run(Path({str(tmp_path)!r}), include=[{str(portal / "uploads")!r}])
"""
    with subprocess.Popen([sys.executable, "-c", script]) as killed:
        deadline = time.monotonic() + 30
        while not left(portal) and time.monotonic() < deadline:
            time.sleep(0.002)
        killed.send_signal(signal.SIGKILL)
    assert left(portal) == [mark_of(tmp_path, "uploads")]
    (portal / "uploads" / "later").write_text("later")

    result, medium = run(tmp_path, include=[str(portal / "uploads")])

    assert f"{portal}/uploads/later".lstrip("/") in content(result, medium)
    assert left(portal) == []


def test_what_a_snapshot_does_not_hold_is_named(portal: Path, tmp_path: Path) -> None:
    btrfs("create", portal / "uploads" / "inner")
    (portal / "uploads" / "inner" / "x").write_text("x")
    (portal / "uploads" / "mounted").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", str(portal / "uploads" / "mounted")], check=True)
    try:
        result, _medium = run(tmp_path, include=[str(portal / "uploads")])
        apart, _medium = run(
            tmp_path,
            include=[str(portal / "uploads")],
            exclude=[str(portal / "uploads" / "inner")],
            one_file_system=True,
        )
    finally:
        subprocess.run(["umount", str(portal / "uploads" / "mounted")], check=True)

    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE
    assert result.set.streams[0].unread == (
        f"{portal}/uploads/inner: a subvolume of its own, which the snapshot does not hold",
        f"{portal}/uploads/mounted: mounted inside, so the snapshot does not hold it",
    )
    assert apart.set is not None and apart.set.outcome is RunOutcome.COMPLETE
    assert apart.set.streams[0].skipped == (f"{portal}/uploads/mounted: another file system",)


def test_a_differential_compares_with_what_the_snapshot_of_the_base_held(portal: Path, tmp_path: Path) -> None:
    uploads = portal / "uploads"
    weeks = Weeks(tmp_path, uploads, snapshot="btrfs")
    (uploads / "b").write_text("changed")

    second = weeks.differential()

    assert second.streams[0].members == 2, "the folder at the top and what changed"
    weeks.restore(second, tmp_path / "out")
    (restored,) = (tmp_path / "out").rglob("uploads/b")
    assert (restored.read_text(), (restored.parent / "a").read_text()) == ("changed", "a")
    assert left(portal) == []


def test_a_path_on_another_file_system_and_a_missing_program_fail_the_source(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")

    result, medium = run(tmp_path, include=[str(tmp_path)])

    assert result.failed_sources == (f"uploads: {tmp_path} is not on btrfs, so no snapshot of it can be made",)
    assert medium.stored == {}


def test_something_else_in_the_place_of_the_snapshot_is_not_removed(portal: Path, tmp_path: Path) -> None:
    taken = portal / mark_of(tmp_path, "uploads")
    taken.mkdir()
    (taken / "mine").write_text("mine")

    result, _medium = run(tmp_path, include=[str(portal / "uploads")])

    assert result.failed_sources == (f"uploads: {taken} stands in the place of its snapshot",)
    assert (taken / "mine").exists()


def test_no_snapshot_is_taken_on_another_host(tmp_path: Path) -> None:
    ssh = {"host": "far", "user": "u", "identity_file": "k", "host_key": "ssh-ed25519 AAAA"}

    with pytest.raises(ConfigurationError, match="no snapshot on another host"):
        source("files", {"include": ["/srv"], "snapshot": "btrfs", "ssh": ssh}, tmp_path)


def test_mounts_inside_are_found_by_their_names(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:21 / / rw shared:1 - ext4 /dev/sda rw\n"
        "23 22 0:22 / /srv/a\\040b rw shared:2 - tmpfs none rw\n"
        "24 22 0:23 / /srvx rw shared:3 - tmpfs none rw\n"
    )

    assert mounted_inside("/srv", mounts) == ["/srv/a b"]
    assert mounted_inside("/", mounts) == ["/srv/a b", "/srvx"]
