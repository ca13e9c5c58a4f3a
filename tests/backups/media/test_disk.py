from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portalops.errors import MediumUnavailable
from portalops.model.backups import CopyState, SetId
from tests.backups.kit import MIB, back_up, disk, source
from tests.contract.test_media import SET, put, small_set


def require_root() -> None:
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("this test needs root, and under CI it must not be skipped")
        pytest.skip("mounting needs root")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A mounted file system of 4 MiB."""
    require_root()
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"mount: {mounted.stderr.decode()}")
        pytest.skip(f"mount: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@contextmanager
def unmounted(folder: Path) -> Iterator[None]:
    """Take a disk away from its mount point, as when somebody pulls it out, and put another one there."""
    subprocess.run(["umount", "--lazy", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)


@pytest.mark.parametrize("below", ["", "sets"])
def test_a_disk_that_goes_in_mid_write_leaves_its_mount_point_bare(small_disk: Path, below: str) -> None:
    medium = disk(small_disk, below, mount_point=str(small_disk))
    medium.prepare([])
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "data/content/a/files.0001.age", b"whole")

    with unmounted(small_disk):
        with pytest.raises(MediumUnavailable):
            put(writer, "data/content/b/files.0001.age", b"lost")
        with pytest.raises(MediumUnavailable):
            writer.seal()
        writer.abandon()
        with pytest.raises(MediumUnavailable, match="nothing is mounted"):
            medium.begin(SET, expected_bytes=0)

        assert list(small_disk.iterdir()) == []


def noise(folder: Path, size: int) -> Path:
    folder.mkdir()
    (folder / "noise.bin").write_bytes(os.urandom(size))
    return folder


def test_an_absent_folder_is_refused_unless_it_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(MediumUnavailable, match="there is no folder") as caught:
        disk(tmp_path, "absent", create=False).prepare([])
    assert "create = true" in str(caught.value.hint)
    assert not (tmp_path / "absent").exists()

    disk(tmp_path, "absent").prepare([])
    assert (tmp_path / "absent").is_dir()


def test_nothing_is_written_while_the_disk_is_not_mounted(tmp_path: Path) -> None:
    medium = disk(tmp_path, "disk-a", mount_point=str(tmp_path))

    with pytest.raises(MediumUnavailable, match="nothing is mounted on"):
        medium.prepare([])
    assert not (tmp_path / "disk-a").exists()


def test_the_file_system_of_what_is_copied_is_refused_or_told(tmp_path: Path) -> None:
    with pytest.raises(MediumUnavailable, match="on the same file system as the data"):
        disk(tmp_path, "disk-a", allow_same_filesystem=False).prepare([tmp_path])

    assert disk(tmp_path, "disk-a").prepare([tmp_path]) is True
    assert disk(tmp_path, "disk-a").prepare([tmp_path / "no such source"]) is False


def test_too_little_space_is_told_before_anything_is_written(tmp_path: Path) -> None:
    medium = disk(tmp_path, "disk-a")
    medium.prepare([])

    with pytest.raises(MediumUnavailable, match=r"[\d.]+ [KMGTP]iB are free, but the set needs about"):
        medium.begin(SET, expected_bytes=1 << 60)
    assert list((tmp_path / "disk-a").iterdir()) == []


def test_a_full_disk_fails_alone_and_keeps_what_is_whole_until_the_next_full_set(
    tmp_path: Path, small_disk: Path
) -> None:
    tree = noise(tmp_path / "tree", 9 * MIB)
    media = [disk(small_disk, "full"), disk(tmp_path, "disk-b")]

    result = back_up([source("files", {"include": [str(tree)]}, tmp_path)], media)

    full, good = result.copies
    assert (full.state, good.state) == (CopyState.FAILED, CopyState.VERIFIED)
    assert "no space left on device" in full.problem
    assert [path.name for path in (small_disk / "full").iterdir()] == [f".incoming-{full.set_id}"]
    again = back_up([source("files", {"include": [str(noise(tmp_path / "less", MIB))]}, tmp_path)], media)
    assert [copy.state for copy in again.copies] == [CopyState.VERIFIED] * 2
    assert [path.name for path in (small_disk / "full").iterdir()] == [again.copies[0].set_id]


def test_a_full_disk_that_is_alone_keeps_nothing(tmp_path: Path, small_disk: Path) -> None:
    tree = noise(tmp_path / "tree", 9 * MIB)

    result = back_up([source("files", {"include": [str(tree)]}, tmp_path)], [disk(small_disk, "full")])

    assert result.set is None
    assert list((small_disk / "full").iterdir()) == []


def test_a_separate_file_system_is_not_the_sources_own(tmp_path: Path, small_disk: Path) -> None:
    medium = disk(small_disk, "disk-a", mount_point=str(small_disk), allow_same_filesystem=False)

    assert medium.prepare([tmp_path]) is False


def test_a_read_only_disk_is_told_by_name(tmp_path: Path, small_disk: Path) -> None:
    (small_disk / "disk-a").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    tree = noise(tmp_path / "tree", 1000)

    result = back_up([source("files", {"include": [str(tree)]}, tmp_path)], [disk(small_disk, "disk-a")])

    assert result.set is None
    (copy,) = result.copies
    assert copy.state is CopyState.FAILED
    assert "backup medium disk-a: read-only file system" in copy.problem


KILLED = """
import sys, time
from pathlib import Path
from tests.contract.test_media import SET, put
from tests.backups.kit import disk
medium = disk(Path(sys.argv[1]), "disk-a")
medium.prepare([])
writer = medium.begin(SET, expected_bytes=0)
put(writer, "bagit.txt", b"x")
writer.open("data/content/portal/files.0001.age")
writer.write(b"half")
print("writing", flush=True)
time.sleep(60)
"""


def test_a_killed_run_leaves_no_set_and_the_next_run_cleans_up(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    process = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE, cwd=root)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    medium = disk(tmp_path, "disk-a")

    medium.prepare([])  # the run is alive: its folder stays
    assert [path.name for path in (tmp_path / "disk-a").iterdir()] == [f".incoming-{SET}"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert medium.sets() == ()

    medium.prepare([])
    assert list((tmp_path / "disk-a").iterdir()) == []
    small_set(medium)
    assert medium.sets() == (SET,)


def test_a_folder_that_is_no_bag_is_no_set(tmp_path: Path) -> None:
    medium = disk(tmp_path, "disk-a")
    medium.prepare([])
    (tmp_path / "disk-a" / "lost+found").mkdir()
    (tmp_path / "disk-a" / "notes.txt").write_text("x")

    assert medium.sets() == ()


@pytest.mark.parametrize("left", ["bagit.txt", "set.json", "tagmanifest-sha256.txt"])
def test_a_set_that_lost_some_of_its_files_is_still_listed(tmp_path: Path, left: str) -> None:
    medium = disk(tmp_path, "disk-a")
    for name in (SET, "some-files-of-mine-here"):
        (tmp_path / "disk-a" / name).mkdir(parents=True)
        (tmp_path / "disk-a" / name / left).write_text("x")

    assert SET in medium.sets()
    assert left == "bagit.txt" or medium.sets() == (SET,)


def test_files_and_folders_of_a_set_are_for_their_owner_alone(tmp_path: Path) -> None:
    medium = disk(tmp_path, "disk-a")
    medium.prepare([])
    small_set(medium)

    folder = tmp_path / "disk-a" / SET
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "bagit.txt").stat().st_mode & 0o077 == 0


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    medium = disk(tmp_path, "disk-a")
    medium.prepare([])
    small_set(medium)
    (tmp_path / "elsewhere").write_bytes(b"onetwo")
    pack = tmp_path / "disk-a" / SET / "data/content/portal/files.0001.age"
    pack.unlink()
    pack.symlink_to(tmp_path / "elsewhere")

    with (
        pytest.raises(Exception, match=r"files\.0001\.age"),
        medium.open_set(SetId(SET)).open("data/content/portal/files.0001.age"),
    ):
        time.sleep(0)
