"""Files that vanish, grow, shrink or become something else while they are read: named, and the others whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backups.restore import restore_set
from backups.set_file import parse_set_file
from backups.verify import verify_copy
from portalops.model.backups import DataClass, StreamMember, VerifyLevel
from portalops.model.verdicts import RunOutcome
from portalops.ports import Source, StreamOpener, StreamWriter
from tests.backups.kit import alone, back_up, keys, source
from tests.backups.memory import MemoryMedium

SMALL, LARGE = 3000, 600_000
"""Below and above what is read before its header is written."""


class Meddled:
    """A source during whose reading something happens: when it hands over bytes or asks for room for the n-th time."""

    def __init__(self, inner: Source, number: int, act: Callable[[], object]) -> None:
        self.calls = 0
        self.was_listed = False
        """It happened when the walk had listed the file's folder already."""
        self._is_inside = False
        self._inner = inner
        self._number = number
        self._act = act

    @property
    def id(self) -> str:
        return self._inner.id

    @property
    def kind(self) -> str:
        return self._inner.kind

    @property
    def data_class(self) -> DataClass:
        return self._inner.data_class

    def places(self) -> Sequence[Path]:
        return self._inner.places()

    def write(self, opener: StreamOpener) -> None:
        self._inner.write(_Opener(opener, self))

    def count(self) -> None:
        self.calls += 1
        if self.calls == self._number:
            self.was_listed = self._is_inside
            self._act()

    def come_by(self, path: str) -> None:
        self._is_inside = self._is_inside or "/m/" in path


class _Opener:
    def __init__(self, inner: StreamOpener, meddled: Meddled) -> None:
        self._inner = inner
        self._meddled = meddled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def stream(self, name: str, **more: Any) -> AbstractContextManager[StreamWriter]:
        @contextmanager
        def opened() -> Iterator[Any]:
            with self._inner.stream(name, **more) as out:
                yield _Writer(out, self._meddled)

        return opened()


class _Writer:
    def __init__(self, inner: StreamWriter, meddled: Meddled) -> None:
        self._inner = inner
        self._meddled = meddled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, data: bytes) -> None:
        self._meddled.count()
        self._inner.write(data)

    def room(self) -> memoryview:
        self._meddled.count()
        return self._inner.room()

    def add_member(self, member: StreamMember, **more: Any) -> None:
        self._meddled.come_by(member.path)
        self._inner.add_member(member, **more)


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more" * 1000)


def _become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "in").touch()


def _become_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _become_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _be_replaced(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"new" * 999)


def _lose_folder_to_link(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.symlink_to("/etc")


ACTS: dict[str, Callable[[Path], object]] = {
    "vanishes": Path.unlink,
    "grows": _grow,
    "shrinks": lambda path: os.truncate(path, path.stat().st_size // 2),
    "is emptied": lambda path: os.truncate(path, 0),
    "is replaced": _be_replaced,
    "becomes a folder": _become_folder,
    "becomes a pipe": _become_pipe,
    "becomes a link": _become_link,
    "loses its folder": lambda path: shutil.rmtree(path.parent),
    "loses its folder to a link": _lose_folder_to_link,
}


def make_tree(folder: Path) -> Path:
    (folder / "tree" / "m").mkdir(parents=True)
    for name, size in (("a", SMALL), ("m/large", LARGE), ("m/small", SMALL), ("z", LARGE)):
        (folder / "tree" / name).write_bytes(os.urandom(size))
    return folder / "tree"


def require_whole(
    medium: MemoryMedium, meddled_path: Path, before: dict[str, bytes], tree: Path, to: Path, *, was_listed: bool
) -> None:
    """Open the set, restore it, and compare: what nobody touched is as it was; what somebody did is old, new or named."""
    (set_id,) = medium.sets()
    stored = medium.open_set(set_id)
    findings = verify_copy(stored, set_id, bag_sha256=None, level=VerifyLevel.L2, identities=[keys().identity])
    assert findings.problems == ()
    content = parse_set_file(medium.stored[set_id]["set.json"])
    report = restore_set(alone(stored, content), [keys().identity], to)
    assert (report.damaged, report.refused) == ((), ())
    (stream,) = content.streams
    named = " ".join((*stream.unread, *stream.changed, *stream.skipped))
    place = to / "files" / str(tree).strip("/")
    for path, data in before.items():
        restored = place / path
        if tree / path == meddled_path:
            now = meddled_path.read_bytes() if meddled_path.is_file() and not meddled_path.is_symlink() else None
            is_old_or_new = restored.is_file() and restored.read_bytes() in {data, now}
            is_what_it_became = restored.is_symlink() or restored.is_fifo() or restored.is_dir()
            is_gone_unseen = now is None and not was_listed
            is_named = str(meddled_path) in named
            assert is_old_or_new or is_what_it_became or is_gone_unseen or is_named, (path, named)
        elif meddled_path.parent == tree / "m" and path.startswith("m/") and not (tree / "m").is_dir():
            continue  # it went with its folder
        elif (tree / path).is_file() and not (tree / "m").is_symlink():
            assert restored.read_bytes() == data, (path, named)


@pytest.mark.parametrize("what", ACTS)
@pytest.mark.parametrize("name", ["m/large", "m/small"])
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.heavy)])
def test_whatever_happens_to_a_file_while_it_is_read(tmp_path: Path, what: str, name: str, every: int) -> None:
    """At each step of its reading, or at every fifth."""
    number, calls = 1 - every, 1
    outcomes = set()
    while number < calls:
        number += every
        folder = tmp_path / str(number)
        tree = make_tree(folder)
        before = {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
        path = tree / name
        medium = MemoryMedium("memory-1")
        inner = source("files", {"include": [str(tree)]}, folder, id="files")
        meddled = Meddled(inner, number, partial(ACTS[what], path))

        result = back_up([meddled], [medium], pack_bytes=256 << 10)

        assert result.set is not None, result.failed_sources
        outcomes.add(result.set.outcome)
        require_whole(medium, path, before, tree, folder / "out", was_listed=meddled.was_listed)
        calls = meddled.calls
        shutil.rmtree(folder)
    assert number > 15
    assert RunOutcome.FAILED not in outcomes


def _swap_for_a_link(folder: Path, elsewhere: Path) -> None:
    folder.rename(folder.with_name("was-m"))
    folder.symlink_to(elsewhere)


@pytest.mark.heavy
def test_a_link_in_a_folders_place_leads_nowhere(tmp_path: Path) -> None:
    """Who may write into a web root puts a link to other people's files there while root's backup is inside the folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("large", "small"):
        (elsewhere / name).write_bytes(b"a secret of others" * 40_000)
    number, calls, swapped = 0, 1, 0
    while number < calls:
        number += 1
        folder = tmp_path / str(number)
        tree = make_tree(folder)
        medium = MemoryMedium("memory-1")
        inner = source("files", {"include": [str(tree)]}, folder, id="files")
        meddled = Meddled(inner, number, partial(_swap_for_a_link, tree / "m", elsewhere))

        result = back_up([meddled], [medium], pack_bytes=256 << 10)

        assert result.set is not None
        content = parse_set_file(medium.stored[result.set.id]["set.json"])
        restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], folder / "out")
        restored = [path for path in (folder / "out").rglob("*") if path.is_file() and not path.is_symlink()]
        assert not any(b"a secret" in path.read_bytes() for path in restored), number
        swapped += meddled.was_listed
        calls = meddled.calls
        shutil.rmtree(folder)
    assert swapped > 5


def deep_tree(folder: Path, depth: int) -> None:
    """Make folders inside each other, however long their path gets, with a file in each before and after the next one."""
    at = os.open(folder, os.O_RDONLY)
    for _level in range(depth):
        for name in ("a", "z"):
            file = os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=at)
            os.write(file, b"tin")
            os.close(file)
        os.mkdir("deeper", dir_fd=at)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)


@pytest.mark.heavy
def test_a_tree_deeper_than_a_path_may_be_long_is_read_with_few_open_files(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    deep_tree(tree, 700)
    most = 0

    def count() -> None:
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/fd")))

    before = len(os.listdir("/proc/self/fd"))
    medium = MemoryMedium("memory-1")
    meddled = Meddled(source("files", {"include": [str(tree)]}, tmp_path, id="files"), 0, count)
    meddled.count = count  # type: ignore[method-assign]  # at every step, not at one

    result = back_up([meddled], [medium])

    assert result.set is not None
    (stream,) = result.set.streams
    assert stream.unread == ()
    assert 700 * 3 - 3 <= stream.members <= 700 * 3 + 4
    assert most - before < 100


def test_a_folder_that_is_moved_while_the_walk_is_deep_inside_costs_only_what_is_in_it(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    deep_tree(tree, 100)
    level = tree / Path(*["deeper"] * 50)
    number = 4 * 90  # a folder, then a header, a body and padding, at each level on the way down

    def move() -> None:
        level.rename(tmp_path / "moved")

    medium = MemoryMedium("memory-1")
    result = back_up([Meddled(source("files", {"include": [str(tree)]}, tmp_path, id="files"), number, move)], [medium])

    assert result.set is not None
    (stream,) = result.set.streams
    assert (tmp_path / "moved").is_dir()
    assert stream.unread != () and all(line.endswith("moved while it was read") for line in stream.unread)
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], tmp_path / "out")
    back = tmp_path / "out" / "files" / str(tree).strip("/")
    for depth in range(30):
        inside = back / Path(*["deeper"] * depth) if depth else back
        assert (inside / "a").is_file() and (inside / "z").is_file(), depth
