"""Temporary folders of processes that are killed: what lay in them may be a database in clear."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from portalops.system.scratch import DEAD_AFTER, kept_scratch_folder, scratch_folder

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from portalops.system.scratch import kept_scratch_folder
folder = kept_scratch_folder(Path(sys.argv[1]))
(folder / "database").write_bytes(b"in clear")
print(folder, flush=True)
sys.stdin.read()
"""


def test_a_folder_is_this_users_alone_and_gone_after_its_block(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        (Path(folder) / "x").touch()

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_others_have_is_not(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    left = Path(process.stdout.readline().strip())
    stranger = tmp_path / "portalops-and-more"
    stranger.mkdir()
    mine = kept_scratch_folder(tmp_path)
    assert left.is_dir() and mine.is_dir()

    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    with scratch_folder(tmp_path):
        assert not left.exists() and mine.is_dir() and stranger.is_dir()


def test_what_another_boot_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    old, fresh = (tmp_path / f"portalops-0123456789ab-1-2-{number}-abcdefgh" for number in (3, 4))
    for folder in (old, fresh):
        folder.mkdir()
    then = time.time() - DEAD_AFTER.total_seconds() - 60
    os.utime(old, (then, then))

    with scratch_folder(tmp_path):
        assert not old.exists() and fresh.exists()
