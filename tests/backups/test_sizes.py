"""What a plan says of sizes: from the last set, or from the files, and what the media have room for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backups.media import build_medium
from backups.sizes import MediumRoom, Size, SizeBasis, plain_bytes_of, sizes_for, walked
from portalops.model.backups import SetKind
from portalops.ports import HasRoom
from tests.backups.kit import MIB, back_up, disk, source, table
from tests.backups.media.parts import sftp_table
from tests.backups.memory import MemoryMedium
from tests.servers import SshHost


def tree(folder: Path) -> Path:
    (folder / "tree" / "below").mkdir(parents=True)
    (folder / "tree" / "one").write_bytes(os.urandom(3 * MIB))
    (folder / "tree" / "below" / "two").write_bytes(bytes(1000))
    return folder / "tree"


def test_before_the_first_set_the_files_are_looked_at(tmp_path: Path) -> None:
    read = source("files", {"include": [str(tree(tmp_path))]}, tmp_path, id="tree")
    run = source("command", {"command": ["true"]}, tmp_path, id="dump")

    sizes = sizes_for(SetKind.FULL, [read, run], [MemoryMedium("memory-1")], [], pack_bytes=MIB)

    assert sizes.sources == {"tree": Size(3 * MIB + 1000, SizeBasis.WALK), "dump": Size()}
    assert (sizes.stored_bytes, sizes.is_stored_known, sizes.packs) == (3 * MIB + 1000, False, 4)
    assert sizes.media == {"memory-1": MediumRoom()}


def test_afterwards_the_last_set_of_the_same_kind_tells(tmp_path: Path) -> None:
    read = source("files", {"include": [str(tree(tmp_path))]}, tmp_path, id="tree")
    made = back_up([read], [MemoryMedium("memory-1")]).set
    assert made is not None

    full = sizes_for(SetKind.FULL, [read], [], [made], pack_bytes=MIB)
    diff = sizes_for(SetKind.DIFF, [read], [], [made], pack_bytes=MIB)

    assert full.sources == {"tree": Size(made.streams[0].plain_bytes, SizeBasis.LAST_SET)}
    assert (full.stored_bytes, full.is_stored_known) == (made.stored_bytes, True)
    assert plain_bytes_of(made) == made.streams[0].plain_bytes
    assert diff.sources == {"tree": Size()}


def test_a_walk_has_a_bound_and_says_so(tmp_path: Path) -> None:
    assert walked([tree(tmp_path)], max_entries=3).basis is SizeBasis.AT_LEAST
    assert walked([tmp_path / "no-such"]) == Size()
    assert walked([]) == Size()


def test_media_tell_what_is_free_before_anything_is_written(tmp_path: Path, ssh_host: SshHost) -> None:
    ssh_host.let_in()
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    far = tmp_path / "far"
    far.mkdir()
    media = [
        disk(tmp_path, "not-yet"),
        build_medium(table("sftp", sftp_table(ssh_host, far), tmp_path, "far")),
        build_medium(table("sftp", sftp_table(ssh_host, far, limit_mib_per_second=1), tmp_path, "slow")),
        build_medium(table("sftp", sftp_table(ssh_host, tmp_path / "none"), tmp_path, "none")),
    ]

    rooms = sizes_for(SetKind.FULL, [], media, [], pack_bytes=MIB).media

    for name in ("not-yet", "far", "slow"):
        assert rooms[name].free_bytes == pytest.approx(free, rel=0.2)
    assert "none" in rooms["none"].problem
    assert not (tmp_path / "not-yet").exists()


def test_a_set_is_planned_for_so_many_discs(tmp_path: Path) -> None:
    discs = {"folder": str(tmp_path / "discs"), "disc_bytes": 100 * MIB, "create": True}
    small = build_medium(table("optical", discs, tmp_path, "discs"))

    assert isinstance(small, HasRoom)
    assert (small.room(1000 * MIB).parts, small.room(0).parts) == (11, 1)
