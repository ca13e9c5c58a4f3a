"""What a portal at work does to its files while they are read."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from backups.sources._remote_tree import Reported, unescaped
from backups.sources._settings import note_gone
from backups.sources._tree import CACHE_SIGNATURE, CACHE_TAG, TreeWriter
from backups.tar import TarEntry
from portalops.model.backups import MemberType, StreamMember, TableRows
from portalops.ports import Hash


class KeptStream:
    """A `ports.StreamWriter` that keeps everything."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._room = memoryview(bytearray(1 << 20))
        self.members: list[StreamMember] = []
        self.unread: list[str] = []
        self.changed: list[str] = []
        self.skipped: list[str] = []
        self.gone: list[str] = []

    @property
    def position(self) -> int:
        return len(self.data)

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self.data += data

    def room(self) -> memoryview:
        return self._room

    def filled(self, count: int, /, *, content: Hash | None = None) -> None:
        self.data += self._room[:count]
        if content is not None:
            content.update(self._room[:count])

    def add_member(self, member: StreamMember, *, content: Hash | None = None) -> None:
        self.members.append(member)

    def add_unread(self, line: str) -> None:
        self.unread.append(line)

    def add_changed(self, line: str) -> None:
        self.changed.append(line)

    def add_skipped(self, line: str) -> None:
        self.skipped.append(line)

    def add_gone(self, line: str) -> None:
        self.gone.append(line)

    def add_rows(self, rows: TableRows) -> None:
        raise AssertionError(rows)

    def add_unchanged(self, members: int, plain_bytes: int) -> None:
        raise AssertionError(members)

    def names(self) -> set[str]:
        with tarfile.open(fileobj=io.BytesIO(self.data)) as archive:
            return {Path(each.name).name for each in archive}


def written(root: Path, meanwhile: Callable[[str], None] = lambda _path: None) -> tuple[KeptStream, TreeWriter]:
    """A tree as it was written; `meanwhile` is called with each path after it was listed and before it is read."""
    out = KeptStream()

    def act(path: str) -> bool:
        meanwhile(path)
        return False

    tree = TreeWriter(out, is_excluded=act)
    tree.add_tree(str(root))
    tree.end()
    return out, tree


def files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_what_was_removed_since_it_was_listed_is_gone_and_no_fault(tmp_path: Path) -> None:
    root = files(tmp_path / "tree", "a", "b", "folder/inside", "z")
    (root / "link").symlink_to("a")

    def remove(path: str) -> None:
        name = path.rpartition("/")[2]
        if name in {"b", "link"}:
            os.unlink(path)
        elif name == "folder":
            shutil.rmtree(path)

    out, tree = written(root, remove)

    assert out.gone == [f"{root}/{name}: removed before it was read" for name in ("b", "folder", "link")]
    assert (out.unread, out.changed, tree.gone) == ([], [], 3)
    assert out.names() == {"tree", "a", "z"}


def test_a_folder_that_goes_while_the_walk_is_in_it_costs_only_what_was_left_of_it(tmp_path: Path) -> None:
    root = files(tmp_path / "tree", "folder/a", "folder/b", "folder/c", "z")

    out, _tree = written(root, lambda path: shutil.rmtree(root / "folder") if path.endswith("/b") else None)

    assert [line.partition(":")[0] for line in out.gone] == [f"{root}/folder/b", f"{root}/folder/c"]
    assert out.names() == {"tree", "folder", "a", "z"}


@pytest.mark.parametrize(
    ("gone", "kept", "limit", "is_fault"),
    [(0, 5, 0, False), (1, 5, 0, True), (2, 3, 10, False), (3, 3, 10, True), (10, 90, 10, False), (11, 89, 10, True)],
)
def test_a_share_of_what_went_is_a_fault(gone: int, kept: int, limit: int, is_fault: bool) -> None:
    out = KeptStream()

    note_gone(out, gone, kept, limit)

    assert bool(out.unread) is is_fault


def test_of_a_cache_the_folder_and_its_tag_stay(tmp_path: Path) -> None:
    root = files(tmp_path / "tree", "cache/a", "cache/deep/b", "fake/c", "linked/d")
    (root / "cache" / CACHE_TAG).write_bytes(CACHE_SIGNATURE + b"\n# This file is a cache directory tag.\n")
    (root / "fake" / CACHE_TAG).write_bytes(b"Signature: none\n")
    (root / "linked" / CACHE_TAG).symlink_to(root / "cache" / CACHE_TAG)
    out = KeptStream()

    tree = TreeWriter(out, exclude_caches=True)
    tree.add_tree(str(root))
    tree.end()

    assert {each.path.partition("/tree/")[2] for each in out.members} == {
        *("", "cache", f"cache/{CACHE_TAG}", "fake", "fake/c", f"fake/{CACHE_TAG}"),
        *("linked", "linked/d", f"linked/{CACHE_TAG}"),
    }
    assert out.skipped == [f"{root}/cache: a cache, by its {CACHE_TAG}"]
    assert "cache/a".rpartition("/")[2] in written(root)[0].names(), "without the setting nothing is left out"


FOLDER = TarEntry(MemberType.FOLDER, "srv/vàng", mtime_ns=1_700_000_000_000_000_000)
FILE = TarEntry(MemberType.FILE, "srv/log", mtime_ns=1_700_000_000_000_000_000)
SAID = rb"""tar: /srv/v\303\240ng: file changed as we read it
tar: /srv/log: file changed as we read it
tar: /srv/never came: file changed as we read it
tar: /srv/session: File removed before we read it
"""


@pytest.mark.parametrize("is_early", [True, False])
def test_a_changed_folder_of_another_host_is_no_fault_whenever_tar_says_so(is_early: bool) -> None:
    out = KeptStream()
    reported = Reported(out, {})

    if is_early:
        reported.take(SAID)
    reported.passed(FOLDER)
    reported.passed(FILE)
    if not is_early:
        reported.take(SAID)
    reported.end()
    reported.require_named(1)

    assert out.changed == [
        "/srv/log: file changed as we read it (modified 2023-11-14T22:13:20.000000Z)",
        "/srv/never came: file changed as we read it",
    ]
    assert out.gone == ["/srv/session: File removed before we read it"]
    assert (out.unread, out.skipped, reported.gone) == ([], [], 1)


def test_a_folder_that_changed_alone_leaves_the_set_whole() -> None:
    out = KeptStream()
    reported = Reported(out, {})
    reported.passed(TarEntry(MemberType.FOLDER, "sys"))
    reported.take(b"tar: /sys: file changed as we read it\n")
    reported.end()
    reported.require_named(1)

    assert (out.unread, out.changed) == ([], [])


def test_names_are_read_as_tar_writes_them() -> None:
    assert os.fsencode(unescaped(r"/a\\b\nc\377")) == b"/a\\b\nc\xff"
