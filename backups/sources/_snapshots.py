"""A tree as it was at one moment, while the portal goes on writing: read-only snapshots of btrfs.

A snapshot holds one subvolume. It lies in that subvolume's own top folder, under a name that only this source of this portal has,
and is removed when it was read. One that a killed run left is removed by the next run before it makes its own.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from backups.sources._hooks import ReleaseFailed
from backups.sources._settings import unavailable
from portalops.errors import SourceUnavailable
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import Runner

TOP_INODE = 256
"""Of the top folder of every subvolume (btrfs: BTRFS_FIRST_FREE_OBJECTID)."""
HOLLOW_INODE = 2
"""Of the empty folder that stands in a snapshot for a subvolume inside (btrfs: BTRFS_EMPTY_SUBVOL_DIR_OBJECTID)."""
MOUNTS = Path("/proc/self/mountinfo")
_HINT = msg("Run the command by hand as the user of portalops, or leave out 'snapshot'.")


def mark_of(state_folder: Path, source_id: str) -> str:
    """Return the name that snapshots of a source have."""
    digest = hashlib.sha256(b"\0".join((os.fsencode(state_folder), source_id.encode())))
    return f".portalops-{digest.hexdigest()[:12]}"


@contextmanager
def snapshots_of(source_id: str, paths: Iterable[str], mark: str, runner: Runner) -> Iterator[Mapping[str, str]]:
    """Give, for each path, the one at which a snapshot has it.

    Args:
        source_id: the source's id, for errors.
        paths: absolute; each on btrfs.
        mark: of `mark_of`.
        runner: runs btrfs.

    Raises:
        SourceUnavailable: a path is not on btrfs, a snapshot cannot be made, or one that a killed run left not removed.
        ReleaseFailed: the block ended well, and a snapshot cannot be removed.
    """
    tops = {path: top_of(source_id, path) for path in paths}
    made: list[str] = []
    try:
        for top in dict.fromkeys(top for top, _inside in tops.values()):
            snapshot = os.path.join(top, mark)
            _remove(source_id, snapshot, runner)  # a killed run may have left it
            made.append(snapshot)
            _btrfs(source_id, runner, "subvolume", "snapshot", "-r", top, snapshot)
        yield {path: os.path.normpath(os.path.join(top, mark, inside)) for path, (top, inside) in tops.items()}
    except BaseException:  # an interrupt too
        for snapshot in made:
            with suppress(SourceUnavailable):  # the next run removes it, or says why it cannot
                _remove(source_id, snapshot, runner)
        raise
    try:
        for snapshot in made:
            _remove(source_id, snapshot, runner)
    except SourceUnavailable as error:
        raise ReleaseFailed(error) from error


def mounted_inside(path: str, mounts: Path = MOUNTS) -> list[str]:
    """Return what is mounted below a path, and so is in no snapshot of what it lies on."""
    below = os.path.realpath(path).rstrip("/") + "/"
    points = (line.split(b" ")[4] for line in mounts.read_bytes().splitlines())
    return sorted({point for point in map(_plain, points) if point.startswith(below) and point != below})


def _plain(field: bytes) -> str:
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8) & 255]), field))


def top_of(source_id: str, path: str) -> tuple[str, str]:
    """Return the top folder of the subvolume that a path lies in, and where in it the path lies.

    Raises:
        SourceUnavailable: it is not on btrfs.
    """
    is_folder = stat.S_ISDIR(os.lstat(path).st_mode) if os.path.lexists(path) else False
    real = (
        os.path.realpath(path)
        if is_folder
        else os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    )
    top = real if is_folder else os.path.dirname(real)
    device = os.lstat(top).st_dev
    while os.lstat(top).st_ino != TOP_INODE:
        above = os.path.dirname(top)
        if above == top or os.lstat(above).st_dev != device:
            raise unavailable(
                source_id, msg("{path} is not on btrfs, so no snapshot of it can be made", path=path), _HINT
            )
        top = above
    return top, os.path.relpath(real, top)


def _remove(source_id: str, snapshot: str, runner: Runner) -> None:
    try:
        found = os.lstat(snapshot)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_ino != TOP_INODE:
        cause = msg("{path} stands in the place of its snapshot", path=snapshot)
        raise unavailable(source_id, cause, msg("Move it away: that name belongs to portalops."))
    _btrfs(source_id, runner, "subvolume", "delete", snapshot)


def _btrfs(source_id: str, runner: Runner, *words: str) -> None:
    done = runner.run(("btrfs", *words), timeout_seconds=300)
    if done.exit_code != 0:
        said = show_text(" ".join(done.stderr.decode("utf-8", "replace").split()), 300)
        cause: Message = msg(
            "btrfs {words} failed: {said}", words=" ".join(words[:2]), said=said or str(done.exit_code)
        )
        raise unavailable(source_id, cause, _HINT)
