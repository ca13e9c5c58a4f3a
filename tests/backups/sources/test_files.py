from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pytest

from backups.contents import index_members
from backups.set_file import parse_set_file
from backups.sources._patterns import matcher
from portalops.model.backups import BackupResult, CopyState, Stream, StreamMember
from portalops.model.verdicts import RunOutcome
from tests.backups.kit import MIB, back_up, keys, odd_tree, source
from tests.backups.memory import MemoryMedium


def run(folder: Path, **values: object) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    avoid = values.pop("avoid", ())
    return back_up([source("files", values, folder, avoid=avoid, id="uploads")], [medium]), medium  # type: ignore[arg-type]


def stream_of(result: BackupResult) -> Stream:
    assert result.set is not None, result
    (stream,) = result.set.streams
    return stream


def members(result: BackupResult, medium: MemoryMedium) -> dict[str, StreamMember]:
    assert result.set is not None
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    found = index_members(medium.open_set(result.set.id), content.streams[0], [keys().identity])
    return {member.path: member for member in found}


def tree(folder: Path, *names: str) -> Path:
    root = folder / "tree"
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def test_everything_has_a_line_in_the_index(tmp_path: Path) -> None:
    root = odd_tree(tmp_path / "tree")

    result, medium = run(tmp_path, include=[str(root)])

    lines = members(result, medium)
    expected = {os.path.join(at, name) for at, folders, files in os.walk(root) for name in (*folders, *files)}
    assert set(lines) == {path.lstrip("/") for path in (expected | {str(root)}) - {f"{root}/socket"}}
    assert stream_of(result).members == len(lines)
    assert stream_of(result).skipped == (f"{root}/socket: a socket holds no data",)
    assert lines[f"{root}/hosts-again".lstrip("/")].link == f"{root}/hosts".lstrip("/")
    assert b"\xff\xfe" in os.fsencode(next(path for path in lines if "not-utf8" in path))


def test_what_is_excluded_is_left_out_with_all_below(tmp_path: Path) -> None:
    root = tree(tmp_path, "a.txt", "a.tmp", "cache/deep/x", "keep/cache.txt", "keep/b.tmp")

    result, medium = run(tmp_path, include=[str(root)], exclude=["*.tmp", "tree/cache"])

    names = {Path("/", path).relative_to(root).as_posix() for path in members(result, medium)}
    assert names == {".", "a.txt", "keep", "keep/cache.txt"}


@pytest.mark.parametrize(
    ("pattern", "path", "is_left_out"),
    [
        ("*.tmp", "/srv/a.tmp", True),
        ("*.tmp", "/srv/a.tmp.gz", False),
        ("/etc/shadow*", "/etc/shadow-", True),
        ("/etc/*", "/etc/ssl/key", False),
        ("/etc/**", "/etc/ssl/key", True),
        ("/srv/**/cache", "/srv/cache", True),
        ("/srv/**/cache", "/srv/a/b/cache", True),
        ("node_modules/", "/srv/a/node_modules", True),
        ("relative/x", "/base/relative/x", True),
        ("/a/[!b]c", "/a/bc", False),
        ("/a/[!b]c", "/a/dc", True),
        ("a.c", "/x/abc", False),
        ("*\n*", "/x/a\nb", True),
    ],
)
def test_patterns(pattern: str, path: str, is_left_out: bool) -> None:
    assert matcher([pattern], Path("/base"))(path) is is_left_out


def test_a_source_that_is_missing_or_empty_fails_alone(tmp_path: Path) -> None:
    root = tree(tmp_path, "a.txt")
    (tmp_path / "empty").mkdir()
    medium = MemoryMedium("memory-1")
    sources = [
        source("files", {"include": [str(tmp_path / "no such")]}, tmp_path, id="missing"),
        source("files", {"include": [str(tmp_path / "empty")]}, tmp_path, id="empty"),
        source("files", {"include": [str(root)], "minimum_bytes": 1000}, tmp_path, id="shrunk"),
        source("files", {"include": [str(root)]}, tmp_path, id="good"),
    ]

    result = back_up(sources, [medium])

    assert result.set is not None
    assert result.set.outcome is RunOutcome.INCOMPLETE
    assert [stream.source for stream in result.set.streams] == ["good"]
    assert [line.partition(":")[0] for line in result.failed_sources] == ["missing", "empty", "shrunk"]
    assert not any(
        "missing" in path or "empty" in path or "shrunk" in path
        for path in medium.stored[result.set.id]
        if "data" in path
    )
    assert result.copies[0].state is CopyState.VERIFIED


def test_no_stream_at_all_seals_nothing(tmp_path: Path) -> None:
    result, medium = run(tmp_path, include=[str(tmp_path / "no such")])

    assert result.set is None
    assert result.failed_sources
    assert medium.stored == {}


def test_one_missing_include_of_several_is_named(tmp_path: Path) -> None:
    root = tree(tmp_path, "a.txt")

    result, _medium = run(tmp_path, include=[str(root), str(tmp_path / "gone")])

    assert stream_of(result).unread == (f"{tmp_path}/gone: no such file or folder",)
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE


def test_patterns_in_include_stand_for_what_is_there(tmp_path: Path) -> None:
    tree(tmp_path, "a/logo.png", "b/logo.png", "b/other.png")

    result, medium = run(tmp_path, include=[str(tmp_path / "tree" / "*" / "logo.png")])

    assert sorted(Path(path).name for path in members(result, medium)) == ["logo.png", "logo.png"]


def test_included_twice_is_written_once(tmp_path: Path) -> None:
    root = tree(tmp_path, "a/x", "b")

    result, _medium = run(tmp_path, include=[str(root), str(root / "a"), str(root / "a" / "x")])

    assert stream_of(result).members == 4


def test_the_folders_of_the_media_are_left_out_and_named(tmp_path: Path) -> None:
    root = tree(tmp_path, "a", "backup/disk-a/demo-set/bagit.txt")

    result, medium = run(tmp_path, include=[str(root)], avoid=(root / "backup" / "disk-a",))

    assert not any("disk-a" in path for path in members(result, medium))
    assert stream_of(result).skipped == (f"{root}/backup/disk-a: a folder of backup sets",)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    root = tree(tmp_path, "a")
    unreadable = "/proc/self/mem"  # its first page cannot be read by anyone, root included

    result, medium = run(tmp_path, include=[str(root), unreadable])

    assert stream_of(result).unread == (f"{unreadable}: Input/output error",)
    assert f"{root}/a".lstrip("/") in members(result, medium)
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE


def test_a_file_that_keeps_changing_is_kept_and_named(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    path = root / "growing.log"
    path.write_bytes(b"x" * (32 * MIB))
    (root / "still.txt").write_text("still")
    stop = threading.Event()

    def grow() -> None:
        with path.open("r+b") as file:
            while not stop.is_set():
                file.seek(0)
                file.write(os.urandom(16))
                file.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        result, medium = run(tmp_path, include=[str(root)])
    finally:
        stop.set()
        writer.join()

    stream = stream_of(result)
    (line,) = stream.changed
    times = re.fullmatch(rf"{path}: changed while it was read, twice \(modified (\S+), then (\S+)\)", line)
    assert times and times[1] < times[2]
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE
    assert stream.members == 4  # the folder, both tries, and the other file
    assert members(result, medium)[str(path).lstrip("/")].size == 32 * MIB


def test_a_set_from_a_plain_file_and_its_link(tmp_path: Path) -> None:
    root = tree(tmp_path, "a")
    (tmp_path / "to-a").symlink_to(root / "a")

    result, medium = run(tmp_path, include=[str(root / "a"), str(tmp_path / "to-a")])

    assert {member.type.value for member in members(result, medium).values()} == {"file", "symlink"}
