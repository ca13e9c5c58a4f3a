"""One rotten byte: what lies whole elsewhere is restored, what lies nowhere costs its own files, and the damaged copy is blamed."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backups.bag import TAG_MANIFEST, parse_manifest, tag_manifest
from backups.merged import MergedSet, merge_base, merge_copies
from backups.restore import RestoreReport, restore_set
from backups.set_file import SetFile, parse_set_file
from backups.stream_output import find_stream, stream_out
from backups.unfinished import UNFINISHED
from portalops.errors import BackupError, MediumUnavailable, SetDamaged, SetNotFound
from portalops.model.backups import BackupSet, SetId, Stream
from portalops.model.message import msg
from tests.backups.kit import back_up, keys, snapshot, source
from tests.backups.memory import MemoryMedium, MemoryStoredSet
from tests.backups.test_differential import Weeks

PACK = 256 << 10
FILES = 40
SIZE = 60_000


def flip(data: bytes, at: int = 500) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


class Portal:
    """Forty files of 60 kB in about ten packs, and a dump, on two media."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = folder / "portal"
        (self.tree / "sub").mkdir(parents=True)
        for number in range(FILES):
            (self.tree / "sub" / f"{number:02}.bin").write_bytes(os.urandom(SIZE))
        os.link(self.tree / "sub" / "03.bin", self.tree / "zz-second-name")
        (folder / "dump").write_bytes(os.urandom(3 * PACK))
        self.media = [MemoryMedium("disk-a"), MemoryMedium("disk-b")]
        sources = [
            source("files", {"include": [str(self.tree)]}, folder, id="web"),
            source("command", {"command": ["cat", str(folder / "dump")]}, folder, id="db"),
        ]
        result = back_up(sources, self.media, pack_bytes=PACK)
        assert result.set is not None
        self.set: BackupSet = result.set
        self.prefix = str(self.tree).lstrip("/")

    @property
    def stream(self) -> Stream:
        return next(each for each in self.set.streams if each.source == "web")

    def rot(self, medium: int, path: str, change: Callable[[bytes], bytes | None] = flip) -> None:
        files = dict(self.media[medium].stored[self.set.id])
        changed = change(files.pop(path))
        if changed is not None:
            files[path] = changed
        self.media[medium].stored[self.set.id] = files

    def merged(self) -> MergedSet:
        return merge_copies(self.set.id, self.media, bag_sha256=self.set.bag_sha256, keys=None).set

    def restore(self, *paths: str, into: str = "out") -> RestoreReport:
        return restore_set(self.merged(), [keys().identity], self.folder / into, paths=paths)

    def restored(self, into: str = "out") -> Path:
        return self.folder / into / "web" / "files" / self.prefix

    def missing(self, into: str = "out") -> list[tuple[str, str]]:
        """Each path of the list of what is missing, with the reason."""
        lines = (self.folder / into / UNFINISHED).read_text().splitlines()
        return [(path, why) for path, tab, why in (line.partition("\t") for line in lines) if tab]


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    return Portal(tmp_path)


def place(portal: Portal) -> Path:
    (found,) = (path for path in (portal.folder / "out").rglob("sub") if path.is_dir())
    return found.parent


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "one bit": flip,
    "one bit at the end": lambda data: flip(data, len(data) - 1),
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "empty": lambda _data: b"",
    "gone": lambda _data: None,
    "of another pack": lambda data: data[::-1],
}


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_a_pack_that_is_damaged_on_one_medium_comes_from_the_other(
    portal: Portal, change: Callable[[bytes], bytes | None]
) -> None:
    """Other packs are damaged on the other medium, so neither copy is whole."""
    packs = portal.stream.packs
    portal.rot(0, packs[2].path, change)
    portal.rot(1, packs[5].path, change)

    report = portal.restore()

    assert (report.missing, report.damaged, report.refused) == (0, (), ())
    assert snapshot(place(portal)) == snapshot(portal.tree)
    assert not (portal.folder / "out" / UNFINISHED).exists()
    blamed = {each.medium: str(each.problem) for each in report.faults}
    assert packs[2].path in blamed["disk-a"]
    assert "disk-b" not in blamed or packs[5].path in blamed["disk-b"]


def test_a_medium_that_goes_away_in_the_middle_is_told_and_no_damage(portal: Portal) -> None:
    class Away(MemoryMedium):
        def open_set(self, set_id: SetId) -> MemoryStoredSet:
            raise MediumUnavailable(msg("medium {medium} is away", medium=self.id), msg("Attach it."))

    portal.rot(1, portal.stream.packs[0].path)
    away = Away("disk-c")
    merged = merge_copies(
        portal.set.id, [portal.media[1], away, portal.media[0]], bag_sha256=portal.set.bag_sha256, keys=None
    ).set

    report = restore_set(merged, [keys().identity], portal.folder / "out")

    assert report.missing == 0
    assert {(each.medium, each.is_damage) for each in report.faults} == {("disk-b", True), ("disk-c", False)}


def test_a_pack_that_no_medium_has_costs_its_own_files_alone(portal: Portal) -> None:
    lost = portal.stream.packs[4]
    for medium in (0, 1):
        portal.rot(medium, lost.path)

    report = portal.restore()

    there = {path.name for path in place(portal).rglob("*") if path.is_file()}
    expected_lost = FILES + 1 - len(there)
    assert 4 <= expected_lost <= 7, "a pack of 256 kB holds five files of 60 kB, of which two reach into others"
    assert report.missing == expected_lost == len(portal.missing())
    for lost_path, why in portal.missing():
        assert lost_path.rsplit("/", 1)[1] not in there
        assert lost.path in why
    for path in place(portal).rglob("*.bin"):
        assert path.read_bytes() == (portal.tree / "sub" / path.name).read_bytes()
    assert (portal.folder / "out" / "db").exists(), "the other source is whole"
    assert any(lost.path in line for line in report.damaged)


@pytest.mark.parametrize("number", [1, 10], ids=["the first pack", "the last pack"])
def test_the_first_and_the_last_pack_cost_no_others(portal: Portal, number: int) -> None:
    packs = portal.stream.packs
    lost = packs[min(number, len(packs)) - 1]
    for medium in (0, 1):
        portal.rot(medium, lost.path, DAMAGES["gone"])

    report = portal.restore()

    there = list(place(portal).rglob("*.bin"))
    assert len(there) >= FILES - 7
    assert all(path.read_bytes() == (portal.tree / "sub" / path.name).read_bytes() for path in there)
    assert report.missing == len(portal.missing()) > 0


def test_every_second_pack_may_be_lost(portal: Portal) -> None:
    for pack in portal.stream.packs[1::2]:
        portal.rot(0, pack.path)
        portal.rot(1, pack.path)

    report = portal.restore()

    there = list(place(portal).rglob("*.bin"))
    assert there
    assert all(path.read_bytes() == (portal.tree / "sub" / path.name).read_bytes() for path in there)
    assert len(there) + report.missing >= FILES
    assert {path.rsplit("/", 1)[1] for path, _why in portal.missing()} >= {
        f"{number:02}.bin" for number in range(FILES)
    } - {path.name for path in there}


def test_with_its_index_lost_too_what_lies_before_the_damage_is_saved(portal: Portal) -> None:
    stream = portal.stream
    assert stream.index is not None
    for medium in (0, 1):
        portal.rot(medium, stream.packs[4].path)
        portal.rot(medium, stream.index.path)

    report = portal.restore()

    there = list(place(portal).rglob("*.bin"))
    assert there
    assert all(path.read_bytes() == (portal.tree / "sub" / path.name).read_bytes() for path in there)
    assert any("its index is damaged too" in why for _path, why in portal.missing())
    assert report.damaged


def test_a_damaged_index_is_named_though_every_file_is_there(portal: Portal) -> None:
    assert portal.stream.index is not None
    for medium in (0, 1):
        portal.rot(medium, portal.stream.index.path)

    report = portal.restore()

    assert snapshot(place(portal)) == snapshot(portal.tree)
    assert report.missing == 0
    assert any(portal.stream.index.path in line for line in report.damaged)


def test_the_beginning_of_a_damaged_dump_has_a_name_that_says_so(portal: Portal) -> None:
    stream = next(each for each in portal.set.streams if each.source == "db")
    for medium in (0, 1):
        portal.rot(medium, stream.packs[1].path)

    report = portal.restore()

    (kept,) = (portal.folder / "out" / "db").iterdir()
    assert kept.name.endswith(".incomplete")
    assert kept.read_bytes() == (portal.folder / "dump").read_bytes()[:PACK]
    assert report.missing == 1
    assert kept.name in portal.missing()[0][1]


def test_some_paths_and_patterns_are_restored_from_both_media(portal: Portal) -> None:
    portal.rot(0, portal.stream.packs[0].path)
    portal.rot(1, portal.stream.packs[-2].path)

    report = portal.restore(f"{portal.prefix}/sub/00.bin", "*/3?.bin", f"{portal.prefix}/zz-second-name", "no/such")

    there = {path.name: path for path in place(portal).rglob("*") if path.is_file()}
    assert set(there) == {"00.bin", "zz-second-name", *(f"3{digit}.bin" for digit in range(10))}
    assert there["zz-second-name"].read_bytes() == (portal.tree / "sub" / "03.bin").read_bytes()
    assert portal.missing() == [("no/such", "the set has no such path")]
    assert report.missing == 1


def test_a_stream_goes_out_whole_though_no_copy_is(portal: Portal) -> None:
    stream = next(each for each in portal.set.streams if each.source == "db")
    portal.rot(0, stream.packs[0].path)
    portal.rot(1, stream.packs[2].path)
    merged, got = portal.merged(), bytearray()

    stream_out(merged, find_stream(merged.content, "db", None), [keys().identity], got.extend)

    assert got == (portal.folder / "dump").read_bytes()
    assert {each.medium for each in merged.faults} == {"disk-a"}, "disk-b was asked for that pack alone"


def test_the_set_file_of_a_whole_copy_counts_before_that_of_a_damaged_one(portal: Portal) -> None:
    portal.rot(0, "set.json", lambda data: data.replace(b'"web"', b'"wob"'))

    report = portal.restore()

    assert snapshot(place(portal)) == snapshot(portal.tree)
    assert any("set.json" in str(each.problem) for each in report.faults if each.medium == "disk-a")


def test_a_base_is_read_from_both_media_and_the_damaged_copy_is_blamed(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, Portal(tmp_path / "made").tree)
    (weeks.tree / "sub" / "00.bin").write_bytes(b"changed")
    made = weeks.differential()
    medium = weeks.medium
    assert isinstance(medium, MemoryMedium)
    other = MemoryMedium("other")
    other.stored = {name: dict(files) for name, files in medium.stored.items()}
    content = parse_set_file(medium.stored[made.id]["set.json"])
    (stream,) = (each for each in weeks.full.streams if each.index is not None)
    files = dict(medium.stored[weeks.full.id])
    files[stream.packs[0].path] = flip(files[stream.packs[0].path])
    medium.stored[weeks.full.id] = files
    base, problems = merge_base(content, [medium, other])
    assert base is not None, problems

    merged = merge_copies(made.id, [medium], bag_sha256=made.bag_sha256, keys=None).set
    report = restore_set(merged, [keys().identity], tmp_path / "out", base=base)

    assert report.missing == 0
    assert [(each.set_id, each.medium) for each in report.faults] == [(weeks.full.id, medium.id)]


def test_a_base_of_another_set_of_that_name_is_none(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, Portal(tmp_path / "made").tree)
    (weeks.tree / "sub" / "00.bin").write_bytes(b"changed")
    made = weeks.differential()
    medium = weeks.medium
    assert isinstance(medium, MemoryMedium)
    content: SetFile = parse_set_file(medium.stored[made.id]["set.json"])
    medium.stored[weeks.full.id] = medium.stored[made.id]

    base, problems = merge_base(content, [medium])

    assert base is None
    assert problems


def test_nothing_to_join_is_told_by_its_cause(portal: Portal) -> None:
    with pytest.raises(SetNotFound):
        merge_copies(portal.set.id, [MemoryMedium("empty")], bag_sha256=None, keys=None)
    for medium in (0, 1):
        portal.rot(medium, "set.json", lambda _data: b"{}")
    with pytest.raises(SetDamaged, match="cannot be restored"):
        portal.merged()


def test_without_the_right_paths_nothing_is_left(portal: Portal) -> None:
    with pytest.raises(BackupError, match="no path"):
        portal.restore("no/such")

    assert not (portal.folder / "out").exists()


def test_a_restore_that_is_killed_leaves_no_partial_file_under_its_name(portal: Portal) -> None:
    """It is killed as soon as the first files are there."""
    code = (
        "import sys, pathlib, pickle, time\n"
        "from backups.age import parse_identity\n"
        "from tests.backups.test_merged import *\n"
        "stored, set_id, bag, to, key = pickle.load(open(sys.argv[1], 'rb'))\n"
        "medium = MemoryMedium('m'); medium.stored = stored\n"
        "merged = merge_copies(set_id, [medium], bag_sha256=bag, keys=None).set\n"
        "def slow(count):\n"
        "    print(count, flush=True); time.sleep(0.05)\n"
        "restore_set(merged, [parse_identity(key)], pathlib.Path(to), on_bytes=slow)\n"
    )
    (portal.folder / "set").write_bytes(
        pickle.dumps(
            (
                portal.media[0].stored,
                portal.set.id,
                portal.set.bag_sha256,
                str(portal.folder / "out"),
                keys().operator,
            )
        )
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(portal.folder / "set")],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        for _piece in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)

    assert (portal.folder / "out" / UNFINISHED).exists()
    for path in files_below(portal.folder / "out"):
        if not path.name.endswith(".incomplete") and path.name != UNFINISHED:
            original = portal.tree / "sub" / path.name
            assert path.read_bytes() == (original if original.exists() else portal.folder / "dump").read_bytes()


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_the_bases_version_of_a_file_that_a_differential_lost_does_not_pass_for_the_newer_one(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, Portal(tmp_path / "made").tree)
    changed = weeks.tree / "sub" / "00.bin"
    changed.write_bytes(b"newer")
    made = weeks.differential()
    medium = weeks.medium
    assert isinstance(medium, MemoryMedium)
    (stream,) = (each for each in made.streams if each.index is not None)
    files = dict(medium.stored[made.id])
    files[stream.packs[0].path] = flip(files[stream.packs[0].path])
    medium.stored[made.id] = files
    merged = merge_copies(made.id, [medium], bag_sha256=made.bag_sha256, keys=None).set
    base, _problems = merge_base(merged.content, [medium])

    report = restore_set(merged, [keys().identity], tmp_path / "out", base=base)

    restored = tmp_path / "out" / stream.source / str(weeks.tree).lstrip("/")
    lost = [line for line in (tmp_path / "out" / UNFINISHED).read_text().splitlines() if "/00.bin\t" in line]
    assert not (restored / "sub" / "00.bin").exists()
    assert len(list((restored / "sub").iterdir())) == FILES - 1, "a folder that was lost keeps what the base has in it"
    assert report.missing >= 1
    assert f"an older version is in set {weeks.full.id}" in lost[0]


def test_a_lost_pack_of_a_base_whose_files_are_all_replaced_leaves_nothing_missing(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, Portal(tmp_path / "made").tree)
    for path in (weeks.tree / "sub").iterdir():
        path.write_bytes(os.urandom(10))
    made = weeks.differential()
    medium = weeks.medium
    assert isinstance(medium, MemoryMedium)
    (stream,) = (each for each in weeks.full.streams if each.index is not None)
    files = dict(medium.stored[weeks.full.id])
    files[stream.packs[1].path] = flip(files[stream.packs[1].path])
    medium.stored[weeks.full.id] = files
    merged = merge_copies(made.id, [medium], bag_sha256=made.bag_sha256, keys=None).set
    base, _problems = merge_base(merged.content, [medium])

    report = restore_set(merged, [keys().identity], tmp_path / "out", base=base)

    assert report.missing == 0
    assert not (tmp_path / "out" / UNFINISHED).exists()
    assert [each.medium for each in report.faults] == [medium.id]
    assert snapshot(tmp_path / "out" / stream.source / str(weeks.tree).lstrip("/")) == snapshot(weeks.tree)


def test_further_names_of_a_file_that_the_base_lost_are_missing_only_where_nothing_made_them_anew(
    tmp_path: Path,
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "hl").write_bytes(os.urandom(10))
    for name in ("made anew: it was", "removed", "zhl"):
        os.link(tree / "hl", tree / name)
    (tree / "lost").write_bytes(os.urandom(1 << 20))
    os.link(tree / "lost", tree / "lost too")
    (tree / "mm").write_bytes(os.urandom(3 << 20))
    weeks = Weeks(tmp_path, tree)
    (tree / "removed").unlink()
    (tree / "hl").write_bytes(b"new")
    made = weeks.differential()
    medium = weeks.medium
    assert isinstance(medium, MemoryMedium)
    (stream,) = (each for each in weeks.full.streams if each.index is not None)
    files = dict(medium.stored[weeks.full.id])
    files[stream.packs[0].path] = flip(files[stream.packs[0].path])
    medium.stored[weeks.full.id] = files
    merged = merge_copies(made.id, [medium], bag_sha256=made.bag_sha256, keys=None).set
    base, _problems = merge_base(merged.content, [medium])

    report = restore_set(merged, [keys().identity], tmp_path / "out", base=base)

    restored = tmp_path / "out" / stream.source / str(tree).lstrip("/")
    there = {path.name for path in restored.iterdir()}
    assert {"hl", "made anew: it was", "zhl"} <= there
    assert (restored / "zhl").read_bytes() == b"new"
    listed = (tmp_path / "out" / UNFINISHED).read_text().partition("\n\n")[2].splitlines()
    named = {line.partition("\t")[0].rpartition("/")[2] for line in listed}
    assert named & {path.name for path in tree.iterdir()} == {path.name for path in tree.iterdir()} - there
    assert "removed" not in named
    assert report.missing == len(listed)


def test_paths_are_found_though_no_copy_has_the_index(portal: Portal) -> None:
    assert portal.stream.index is not None
    for medium in (0, 1):
        portal.rot(medium, portal.stream.index.path)

    report = portal.restore(f"{portal.prefix}/sub/07.bin", "*/3?.bin")

    there = {path.name for path in place(portal).rglob("*") if path.is_file()}
    assert there == {"07.bin", *(f"3{digit}.bin" for digit in range(10))}
    assert report.missing == 0
    assert report.damaged


def edited(data: bytes) -> bytes:
    return data.replace(b'"outcome": "complete"', b'"outcome": "incomplete"')


def test_without_a_ledger_copies_that_differ_are_not_joined(portal: Portal) -> None:
    """Somebody wrote another `set.json`, and a tag manifest that fits it."""
    files = dict(portal.media[0].stored[portal.set.id])
    files["set.json"] = edited(files["set.json"])
    tags = parse_manifest(TAG_MANIFEST, files[TAG_MANIFEST])
    files[TAG_MANIFEST] = tag_manifest({path: files[path] for path in tags})
    portal.media[0].stored[portal.set.id] = files

    with pytest.raises(SetDamaged, match="disk-a and disk-b are not of the same set"):
        merge_copies(portal.set.id, portal.media, bag_sha256=None, keys=None)

    known = merge_copies(portal.set.id, portal.media, bag_sha256=portal.set.bag_sha256, keys=None)
    assert [each.medium for each in known.set.faults] == ["disk-a"] * len(known.set.faults)
    assert known.findings.content == parse_set_file(portal.media[1].stored[portal.set.id]["set.json"])


def test_a_hard_link_to_a_lost_file_does_not_bring_back_the_bases_version(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "aa").write_bytes(b"OLD")
    os.link(tree / "aa", tree / "zz")
    (tree / "filler").write_bytes(os.urandom(2 << 20))
    weeks = Weeks(tmp_path, tree)
    (tree / "aa").write_bytes(b"NEWNEW")
    (tree / "filler").write_bytes(os.urandom(3 << 20))
    made = weeks.differential()
    medium = weeks.medium
    assert isinstance(medium, MemoryMedium)
    (stream,) = (each for each in made.streams if each.index is not None)
    files = dict(medium.stored[made.id])
    files[stream.packs[0].path] = flip(files[stream.packs[0].path])
    medium.stored[made.id] = files
    merged = merge_copies(made.id, [medium], bag_sha256=made.bag_sha256, keys=None).set
    base, _problems = merge_base(merged.content, [medium])

    restore_set(merged, [keys().identity], tmp_path / "out", base=base)

    restored = tmp_path / "out" / stream.source / str(tree).lstrip("/")
    assert not (restored / "aa").exists()
    assert not (restored / "zz").exists()
    listed = (tmp_path / "out" / UNFINISHED).read_text()
    assert "/aa\t" in listed and "/zz\t" in listed


def test_a_restore_onto_a_disk_that_is_full_names_what_could_not_be_written(portal: Portal) -> None:
    merged, before = portal.merged(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # writing beyond fails as on a disk that is full
    try:
        report = restore_set(merged, [keys().identity], portal.folder / "out", source="db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert (report.files, report.missing) == (0, 1)
    assert report.refused[0].startswith("db/")
    assert [
        path.name for path in (portal.folder / "out" / "db").iterdir() if not path.name.endswith(".incomplete")
    ] == []
