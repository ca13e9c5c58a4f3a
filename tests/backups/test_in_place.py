"""Restores in place of archives that a stranger wrote: nothing outside the folder, no link followed, no file half there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from backups.in_place import Overlay, OverlayReport, restore_in_place
from backups.restore import restore_set
from backups.set_file import parse_set_file
from backups.set_listing import list_set
from backups.set_search import SearchedSet, search_sets
from backups.tar import END_BYTES, TarEntry, header, padding
from backups.unfinished import UNFINISHED, MissingPaths
from portalops.errors import SetDamaged, UnsafeTarget
from portalops.model.backups import DataClass, MemberType, StreamMember
from portalops.model.record import Digest
from portalops.ports import StreamOpener
from tests.accounts import as_ordinary_user
from tests.backups.kit import alone, back_up, keys, odd_tree, snapshot, source
from tests.backups.memory import MemoryMedium

FILE, FOLDER, LINK = MemberType.FILE, MemberType.FOLDER, MemberType.SYMLINK


class HandMade:
    """A source whose archive and index say what they like."""

    id = "site"
    kind = "files"
    data_class = DataClass.CONTENT

    def __init__(self, entries: Sequence[tuple[TarEntry, bytes]], *, size: int | None = None) -> None:
        self._entries = entries
        self._size = size

    def places(self) -> Sequence[Path]:
        return ()

    def write(self, opener: StreamOpener) -> None:
        with opener.stream("files", format="tar") as out:
            for entry, content in self._entries:
                offset = out.position
                out.write(header(entry))
                out.write(content)
                out.write(padding(entry.size))
                digest = Digest(hashlib.sha256(content).hexdigest()) if entry.type is FILE else None
                size = entry.size if self._size is None else self._size
                out.add_member(
                    StreamMember(
                        entry.type, entry.path, size, entry.mode, entry.uid, entry.gid, 0, offset, digest, entry.link
                    )
                )
            out.write(END_BYTES)


def entry(kind: MemberType, path: str, *, link: str = "", size: int = 0, mode: int = 0o644) -> TarEntry:
    return TarEntry(kind, path, size=size, mode=mode, uid=os.getuid(), gid=os.getgid(), link=link)


def stored(made: HandMade) -> MemoryMedium:
    medium = MemoryMedium("memory-1")
    assert back_up([made], [medium]).set is not None
    return medium


def restored(medium: MemoryMedium, folder: Path, how: Overlay = Overlay(overwrites=True)) -> OverlayReport:  # noqa: B008
    ((set_id, files),) = medium.stored.items()
    copies = alone(medium.open_set(set_id), parse_set_file(files["set.json"]))
    return restore_in_place(copies, [keys().identity], folder, source=None, paths=(), base=None, how=how)


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/out", "a//out", "..", ".", "a/..", "./out", "", "/", "a/"])
@pytest.mark.parametrize("kind", [FILE, LINK])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, path: str, kind: MemberType) -> None:
    folder = tmp_path / "folder"
    (folder / "a").mkdir(parents=True)
    made = HandMade(
        [
            (
                entry(kind, path, link="x" if kind is LINK else "", size=1 if kind is FILE else 0),
                b"x" if kind is FILE else b"",
            )
        ]
    )

    found = restored(stored(made), folder)

    assert found.refused
    assert {each.name for each in tmp_path.iterdir()} == {"folder"}
    assert {each.name for each in folder.rglob("*")} == {"a", UNFINISHED}


def test_a_link_of_the_archive_leads_nowhere(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    made = HandMade(
        [
            (entry(LINK, "way", link=str(outside)), b""),
            (entry(FILE, "way/file", size=1), b"x"),
            (entry(MemberType.HARDLINK, "hard", link="way/file"), b""),
            (entry(MemberType.HARDLINK, "other", link="../outside/secret"), b""),
        ]
    )

    found = restored(stored(made), folder)

    assert list(outside.iterdir()) == []
    assert any(line.startswith("way/file") for line in found.refused)
    assert (folder / "hard").read_text() == "x"  # the bytes are in the archive, and no link was needed for them
    assert not (folder / "other").exists()


def test_a_file_that_comes_to_be_there_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    made = HandMade([(entry(FILE, "a", size=1), b"a"), (entry(FILE, "b", size=1), b"b")])
    medium = stored(made)
    ((set_id, files),) = medium.stored.items()
    copies = alone(medium.open_set(set_id), parse_set_file(files["set.json"]))

    def appear(_count: int) -> None:
        (tmp_path / "b").write_text("mine")

    found = restore_in_place(
        copies, [keys().identity], tmp_path, source=None, paths=(), base=None, how=Overlay(), on_bytes=appear
    )

    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("a", "mine")
    assert any("meanwhile" in line for line in found.refused)


def test_what_could_not_be_replaced_is_not_called_replaced(tmp_path: Path) -> None:
    medium = stored(HandMade([(entry(FILE, name, size=1), b"n") for name in ("old", "new")]))
    ((_set_id, files),) = medium.stored.items()
    pack = next(name for name in files if name.endswith(".0001.age"))
    files[pack] = files[pack][:-1] + bytes([files[pack][-1] ^ 1])
    (tmp_path / "old").write_text("mine")

    found = restored(medium, tmp_path)

    assert (tmp_path / "old").read_text() == "mine"
    assert (found.missing, found.new, found.differing.count, found.differing.paths) == (2, 0, 0, [])


def test_what_a_person_may_not_replace_is_not_called_replaced(tmp_path: Path) -> None:
    medium = stored(HandMade([(entry(FILE, "closed/old", size=1), b"n"), (entry(FILE, "open/old", size=1), b"n")]))
    restored(medium, tmp_path)  # what it loads is loaded
    with as_ordinary_user() as folder:
        for name in ("closed", "open"):
            (folder / name).mkdir()
            (folder / name / "old").write_text("mine")
        (folder / "closed").chmod(0o500)
        found = restored(medium, folder)
        (folder / "closed").chmod(0o700)

    assert found.differing.paths == ["open/old"]
    assert [line.partition(":")[0] for line in found.refused] == ["closed/old"]


def test_a_set_user_id_bit_does_not_come_back(tmp_path: Path) -> None:
    medium = stored(HandMade([(entry(FILE, "su", size=1, mode=0o4755), b"x")]))
    restored(medium, tmp_path)
    assert (tmp_path / "su").stat().st_mode & 0o7777 == 0o755
    assert restored(medium, tmp_path).same == 1


def test_a_folder_below_a_database_servers_data_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("16\n")
    found = restored(stored(HandMade([(entry(FILE, "data/file", size=1), b"x")])), tmp_path)
    assert "PostgreSQL" in found.refused[0]
    assert not (tmp_path / "data" / "file").exists()


def test_an_index_with_what_no_file_has_is_damage(tmp_path: Path) -> None:
    medium = stored(HandMade([(entry(FILE, "a", size=1), b"a")], size=1 << 70))
    ((set_id, files),) = medium.stored.items()
    copies = alone(medium.open_set(set_id), parse_set_file(files["set.json"]))
    listing = list_set(copies, [keys().identity], None, path="", source=None, is_recursive=True, most=10)
    assert [stream.source for stream, _why in listing.unknown] == ["site"]
    searched = SearchedSet(set_id, lambda: (copies, None))
    assert search_sets([searched], [keys().identity], "a", source=None, most=10).unknown
    with pytest.raises(SetDamaged):
        restored(medium, tmp_path)


def test_an_odd_tree_comes_back_in_place_as_into_an_empty_folder(tmp_path: Path) -> None:
    tree = odd_tree(tmp_path / "portal")
    medium = MemoryMedium("memory-1")
    result = back_up([source("files", {"include": [str(tree)]}, tmp_path, id="site")], [medium], pack_bytes=256 << 10)
    assert result.set is not None
    copies = alone(medium.open_set(result.set.id), parse_set_file(medium.stored[result.set.id]["set.json"]))
    restore_set(copies, [keys().identity], tmp_path / "empty")
    folder = tmp_path / "in-place"
    folder.mkdir()

    found = restored(medium, folder)

    top = str(tree).strip("/")
    assert snapshot(folder / top) == snapshot(tmp_path / "empty" / "site" / top)
    assert not found.missing
    again = restored(medium, folder)
    assert (again.new, again.differing.count, again.files) == (0, 0, 0)


def set_of(tree: Path) -> MemoryMedium:
    medium = MemoryMedium("memory-1")
    made = back_up([source("files", {"include": [str(tree)], "minimum_bytes": 0}, tree.parent, id="site")], [medium])
    assert made.set is not None
    return medium


@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_the_mode_of_a_pipe_counts_and_comes_back(tmp_path: Path, mode: int) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_text("x")
    os.mkfifo(tree / "pipe")
    (tree / "pipe").chmod(mode)
    medium = set_of(tree)
    (tree / "pipe").chmod(0o644)

    kept = restored(medium, Path("/"), Overlay())
    mended = restored(medium, Path("/"))
    again = restored(medium, Path("/"))

    assert [kept.differing.paths, mended.differing.paths] == [[f"{tree}/pipe".lstrip("/")]] * 2
    assert (tree / "pipe").stat().st_mode & 0o7777 == mode
    assert (again.differing.count, again.new) == (0, 0)


@pytest.mark.parametrize("change", ["", "time", "set-user-ID"])
def test_a_lost_name_is_a_link_again_only_if_all_is_as_in_the_set(tmp_path: Path, change: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "first").write_text("x")
    (tree / "first").chmod(0o4755 if change == "set-user-ID" else 0o755)
    os.link(tree / "first", tree / "second")
    os.utime(tree / "first", ns=(10**18, 10**18))
    medium = set_of(tree)
    (tree / "second").unlink()
    if change == "time":
        os.utime(tree / "first", ns=(10**18 + 5, 10**18 + 5))

    report = restored(medium, Path("/"))

    first, second = ((tree / name).stat() for name in ("first", "second"))
    assert (first.st_ino == second.st_ino) == (not change)
    assert (second.st_mtime_ns, second.st_mode & 0o7777) == (10**18, 0o755)
    assert bool(report.notes) == (change == "set-user-ID")


@pytest.mark.parametrize("is_in_place", [True, False])
def test_where_the_list_has_no_room_the_hint_fits_the_folder(tmp_path: Path, is_in_place: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    missing = MissingPaths(folder, folder / UNFINISHED if is_in_place else None)
    missing.add("file", "no space left on device")
    folder.rmdir()  # nothing can be written there

    with pytest.raises(UnsafeTarget) as caught, missing:
        pass

    assert ("do not remove the folder" in str(caught.value.hint)) == is_in_place
    assert ("into an empty folder" in str(caught.value.hint)) != is_in_place
