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


def names(result: BackupResult, medium: MemoryMedium, folder: Path) -> set[str]:
    return {Path("/", path).relative_to(folder).as_posix() for path in members(result, medium)}


def released(folder: Path) -> Path:
    """A document root that is a link to a link to a release, as deployments make them."""
    for name in ("releases/7/index.html", "releases/7/cache/x", "other/o"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "releases" / "latest").symlink_to("7")
    (folder / "current").symlink_to("releases/latest")
    return folder


@pytest.mark.parametrize("entry", ["current", "current/", "curren*", "./other/../current"])
def test_a_link_that_is_named_is_followed_to_the_real_folder(tmp_path: Path, entry: str) -> None:
    root = released(tmp_path / "srv")

    result, medium = run(tmp_path, include=[f"{root}/{entry}", str(root / "other")])

    release = {"releases/7", "releases/7/index.html", "releases/7/cache", "releases/7/cache/x"}
    assert names(result, medium, root) == {"current", "releases/latest", *release, "other", "other/o"}
    assert members(result, medium)[f"{root}/current".lstrip("/")].link == "releases/latest"
    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE


def test_a_link_to_a_file_that_is_named_is_followed_and_those_below_are_not(tmp_path: Path) -> None:
    root = tree(tmp_path, "sites/portal.conf", "enabled/x", "outside/secret")
    (root / "enabled" / "portal.conf").symlink_to("../sites/portal.conf")
    (root / "enabled" / "below").symlink_to("../outside")

    named, medium = run(tmp_path, include=[str(root / "enabled" / "portal.conf")])
    walked, whole = run(tmp_path, include=[str(root / "enabled")])

    assert names(named, medium, root) == {"enabled/portal.conf", "sites/portal.conf"}
    assert names(walked, whole, root) == {"enabled", "enabled/x", "enabled/portal.conf", "enabled/below"}


def test_what_is_excluded_behind_a_followed_link_is_left_out_by_either_name(tmp_path: Path) -> None:
    root = released(tmp_path / "srv")

    for excluded in (root / "current" / "cache", root / "releases" / "7" / "cache"):
        result, medium = run(tmp_path, include=[str(root / "current")], exclude=[str(excluded)])
        assert names(result, medium, root) == {"current", "releases/latest", "releases/7", "releases/7/index.html"}


@pytest.mark.parametrize("entry", ["portal", "porta*"])
def test_a_link_that_leads_nowhere_makes_the_set_incomplete(tmp_path: Path, entry: str) -> None:
    root = tree(tmp_path, "a")
    (tmp_path / "portal").symlink_to("gone/away")

    result, medium = run(tmp_path, include=[str(root), str(tmp_path / entry)])

    assert names(result, medium, tmp_path) == {"tree", "tree/a", "portal"}
    assert stream_of(result).unread == (f"{tmp_path}/portal is a link to {tmp_path}/gone/away, which is not there",)
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE


def test_links_in_a_circle_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path, "a")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")

    result, _medium = run(tmp_path, include=[str(root), str(tmp_path / "one")])

    (line,) = stream_of(result).unread
    assert line.startswith(f"{tmp_path}/one is a link, and where it leads cannot be read: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="makes links of other users")
def test_a_pattern_follows_no_link_that_a_stranger_made_to_what_is_not_his(tmp_path: Path) -> None:
    root = tree(tmp_path, "a", "mine/x", "theirs/y")
    for name in ("to-mine", "to-theirs"):
        (root / name).symlink_to(name.removeprefix("to-"))
        os.chown(root / name, 33, 33, follow_symlinks=False)
    os.chown(root / "theirs", 33, 33)

    by_pattern, medium = run(tmp_path, include=[f"{root}/to-*", str(root / "a")])
    by_name, named = run(tmp_path, include=[str(root / "to-mine")])

    assert names(by_pattern, medium, root) == {"a", "to-mine", "to-theirs", "theirs", "theirs/y"}
    (line,) = stream_of(by_pattern).unread
    assert line.startswith(f"{root}/to-mine is a link of user 33 to {root}/mine")
    assert names(by_name, named, root) == {"to-mine", "mine", "mine/x"}


def test_what_include_names_and_exclude_leaves_out_is_named(tmp_path: Path) -> None:
    root = tree(tmp_path, "a/x", "b/y")

    result, medium = run(tmp_path, include=[str(root / "a"), str(root / "b")], exclude=[str(root / "b")])

    assert names(result, medium, root) == {"a", "a/x"}
    assert stream_of(result).skipped == (f"{root}/b: include names it, and exclude leaves out all of it",)


@pytest.mark.parametrize(
    ("included", "medium_folder"), [("tree", "link"), ("above/tree", "tree/disk"), ("above/tree", "link")]
)
def test_a_medium_inside_is_left_out_by_whatever_name_it_has(tmp_path: Path, included: str, medium_folder: str) -> None:
    root = tree(tmp_path, "a", "disk/demo-set/bagit.txt")
    (tmp_path / "link").symlink_to(root / "disk")
    (tmp_path / "above").symlink_to(tmp_path)

    result, medium = run(tmp_path, include=[str(tmp_path / included)], avoid=(tmp_path / medium_folder,))

    assert names(result, medium, tmp_path) == {included, f"{included}/a"}
    assert stream_of(result).skipped == (f"{tmp_path}/{included}/disk: a folder of backup sets",)
