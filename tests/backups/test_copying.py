"""Copies that are made up later, and what stands in their way."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backups.copying import run_copies, wanted_copies
from backups.media import build_medium
from backups.resuming import make_ready, worth_keeping
from portalops.errors import MediumInterrupted
from portalops.model.backups import BackupSet, Copy, CopyResult, CopyState, SetId, SetKind, VerifyLevel
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.verdicts import RunOutcome
from portalops.ports import Medium, Readable, Room
from portalops.registers.backups import SetEvidence
from tests.backups.kit import NOW, back_up, disk, odd_tree, source, table
from tests.backups.media.parts import s3_table, sftp_table
from tests.backups.memory import MemoryMedium, MemorySetWriter, MemoryStoredSet
from tests.doubles import FixedClock, SilentProgress
from tests.servers import a_bucket


class Made:
    def __init__(self, folder: Path) -> None:
        self.media: dict[str, Medium] = {"memory-1": MemoryMedium("memory-1"), "disk-a": disk(folder, "disk-a")}
        tree = odd_tree(folder / "portal")
        result = back_up([source("files", {"include": [str(tree)]}, folder)], list(self.media.values()))
        assert result.set is not None
        self.set = result.set
        self.evidence = SetEvidence(7, NOW, result.set, result.copies, ())

    def add(self, medium: Medium) -> None:
        self.media[medium.id] = medium

    def copy(self) -> CopyResult:
        targets = wanted_copies([self.evidence], tuple(self.media))
        return run_copies(
            targets, self.media, places=(), wanted={}, keys=None, clock=FixedClock(NOW), progress=SilentProgress()
        )


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_medium_gets_the_set_byte_for_byte(made: Made, tmp_path: Path) -> None:
    made.add(disk(tmp_path, "disk-b"))

    result = made.copy()

    (copy,) = result.copies
    assert (copy.medium, copy.state, copy.level, copy.verified_at) == (
        "disk-b",
        CopyState.VERIFIED,
        VerifyLevel.L2,
        NOW,
    )
    assert result.made_from == ("memory-1",)
    assert files_of(tmp_path / "disk-b" / made.set.id) == files_of(tmp_path / "disk-a" / made.set.id)


def test_nothing_is_copied_where_every_medium_has_it(made: Made) -> None:
    assert made.copy() == CopyResult((), ())


def test_a_source_that_is_damaged_is_told_and_the_next_one_is_taken(made: Made, tmp_path: Path) -> None:
    made.add(disk(tmp_path, "disk-b"))
    memory = made.media["memory-1"]
    assert isinstance(memory, MemoryMedium)
    files = memory.stored[made.set.id]
    path = made.set.streams[0].packs[0].path
    files[path] = files[path][:-1] + bytes([files[path][-1] ^ 1])

    result = made.copy()

    assert [(each.medium, each.state) for each in result.copies] == [
        ("memory-1", CopyState.DAMAGED),
        ("disk-b", CopyState.VERIFIED),
    ]
    assert path in result.copies[0].problem
    assert result.made_from == ("", "disk-a")


def test_damage_on_every_source_leaves_no_copy(made: Made, tmp_path: Path) -> None:
    made.add(disk(tmp_path, "disk-b"))
    memory = made.media["memory-1"]
    assert isinstance(memory, MemoryMedium)
    memory.stored[made.set.id]["tagmanifest-sha256.txt"] += b"\n"
    (tmp_path / "disk-a" / made.set.id / "tagmanifest-sha256.txt").write_bytes(b"")
    del memory.stored[made.set.id]["set.json"]  # the tag manifest would follow from it
    (tmp_path / "disk-a" / made.set.id / "set.json").unlink()

    result = made.copy()

    assert [each.state for each in result.copies] == [CopyState.DAMAGED, CopyState.DAMAGED, CopyState.FAILED]
    assert made.media["disk-b"].sets() == ()
    assert not any((tmp_path / "disk-b").iterdir())


def test_a_medium_that_is_full_is_told(made: Made, tmp_path: Path) -> None:
    (tmp_path / "disk-c").write_text("a file where the folder should be")
    made.add(disk(tmp_path, "disk-c"))

    (copy,) = made.copy().copies

    assert (copy.medium, copy.state) == ("disk-c", CopyState.FAILED)
    assert "disk-c" in copy.problem


@pytest.mark.parametrize("cause", ["no source", "no medium", "source unread"])
def test_damage_stays_known_where_no_other_copy_was_made(made: Made, tmp_path: Path, cause: str) -> None:
    made.add(disk(tmp_path, "disk-b"))
    damaged = Copy(made.set.id, "disk-b", "disk", CopyState.DAMAGED, VerifyLevel.L2, None, problem="a pack is torn")
    sources = made.evidence.copies
    if cause == "no source":
        sources = ()
        made.media = {"disk-b": made.media["disk-b"]}
    elif cause == "no medium":
        (tmp_path / "disk-b").write_text("a file where the folder should be")
    else:
        sources = tuple(each for each in sources if each.medium == "disk-a")
        (tmp_path / "disk-a").rename(tmp_path / "elsewhere")
    made.evidence = replace(made.evidence, copies=(*sources, damaged))

    copies = made.copy().copies

    states = {copy.medium: copy.state for copy in copies}
    assert states["disk-b"] is CopyState.DAMAGED
    assert cause != "no source" or set(states.values()) == {CopyState.DAMAGED}


def test_a_damaged_copy_that_could_not_be_read_again_stays_damaged(made: Made, tmp_path: Path) -> None:
    away = AwayMedium("memory-2")
    away.stored = {made.set.id: {}}
    made.add(away)
    damaged = Copy(made.set.id, "memory-2", "memory", CopyState.DAMAGED, VerifyLevel.L2, None, problem="a pack is torn")
    made.evidence = replace(made.evidence, copies=(*made.evidence.copies, damaged))

    (copy,) = made.copy().copies

    assert copy.state is CopyState.DAMAGED and "not checked" in copy.problem
    assert made.set.id in away.stored


def test_a_pack_that_became_longer_is_not_copied_beyond_its_size(made: Made, tmp_path: Path) -> None:
    pack = made.set.streams[0].packs[0]
    longer = tmp_path / "disk-a" / made.set.id / pack.path
    os.truncate(longer, 1 << 40)
    del made.media["memory-1"]
    made.add(disk(tmp_path, "disk-b"))

    result = made.copy()

    assert [(copy.medium, copy.state) for copy in result.copies] == [
        ("disk-a", CopyState.DAMAGED),
        ("disk-b", CopyState.FAILED),
    ]
    assert f"{pack.path}: longer than the {pack.stored_bytes} bytes" in result.copies[0].problem


class AwayMedium(MemoryMedium):
    """A medium that goes away once a set was found on it."""

    def open_set(self, set_id: SetId) -> MemoryStoredSet:
        return AwaySet(super().open_set(set_id).sizes())


class AwaySet(MemoryStoredSet):
    def __init__(self, _sizes: Mapping[str, int]) -> None:
        super().__init__({})

    def sizes(self) -> Mapping[str, int]:
        raise MediumInterrupted(msg("the line to the copy was cut"), msg("Try again."))


# --- Copies that are cut --------------------------------------------------------------------------


class CutMedium(MemoryMedium):
    """A medium whose reading breaks off at a file."""

    at = ""

    def open_set(self, set_id: SetId) -> MemoryStoredSet:
        return CutSet(self.stored[set_id], self.at) if set_id in self.stored else super().open_set(set_id)


class CutSet(MemoryStoredSet):
    def __init__(self, files: Mapping[str, bytes], at: str) -> None:
        super().__init__(files)
        self._at = at

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        with super().open(path) as file:
            yield CutFile() if path == self._at else file


class CutFile:
    """Gives some bytes and then breaks."""

    def __init__(self) -> None:
        self._given = False

    def read(self, size: int, /) -> bytes:
        if self._given:
            raise MediumInterrupted(msg("the line to the copy that is read was cut"), msg("Try again."))
        self._given = True
        return b"x" * min(size, 1000)


class Cut(Made):
    """A set of many packs on one medium, and another one onto which its copy was cut."""

    def __init__(self, folder: Path, target: Medium) -> None:
        super().__init__(folder)
        memory = self.media["memory-1"]
        assert isinstance(memory, MemoryMedium)
        self.source = CutMedium("memory-1")
        self.source.stored = memory.stored
        self.media = {"memory-1": self.source, target.id: target}
        self.packs = [pack.path for stream in self.set.streams for pack in stream.packs]
        assert len(self.packs) > 3
        self.source.at = self.packs[2]
        (copy,) = self.copy().copies
        assert copy.state is CopyState.FAILED and "was cut" in copy.problem
        assert target.sets() == ()
        self.source.at = ""


def target_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Medium:
    if kind == "disk":
        return disk(folder, "target")
    if kind == "sftp":
        values = sftp_table(request.getfixturevalue("ssh_host"), folder / "target", create=True)
    else:
        store = request.getfixturevalue("object_store")
        values = s3_table(store, a_bucket(store, f"cut-{os.urandom(6).hex()}"), folder)
    return build_medium(table(kind, values, folder, "target"))


def marks(kind: str, target: Medium, request: pytest.FixtureRequest, folder: Path) -> dict[str, object]:
    """Return of each file what changes when it is written again: its inode and time, or the version of its object."""
    if kind == "s3":
        client = request.getfixturevalue("object_store").client()
        pages = client.list_object_versions(Bucket=target._settings.bucket).get("Versions", ())  # type: ignore[attr-defined]
        return {each["Key"].partition("/")[2]: each["VersionId"] for each in pages if each["IsLatest"]}
    (there,) = (folder / "target").iterdir()
    return {
        str(path.relative_to(there)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in there.rglob("*")
        if path.is_file()
    }


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["disk", "sftp", "s3"])
def test_a_copy_that_was_cut_is_gone_on_with_and_sends_the_rest_alone(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target = target_of(kind, request, tmp_path)
    made = Cut(tmp_path, target)
    before = marks(kind, target, request, tmp_path)
    assert set(made.packs[:2]) <= set(before) and made.packs[2] not in before

    result = made.copy()

    assert [(copy.medium, copy.state) for copy in result.copies] == [("target", CopyState.VERIFIED)]
    assert result.made_from == ("memory-1",)
    after = marks(kind, target, request, tmp_path)
    assert {path: after[path] for path in made.packs[:2]} == {path: before[path] for path in made.packs[:2]}
    assert dict(target.open_set(made.set.id).sizes()) == {
        path: len(data) for path, data in made.source.stored[made.set.id].items()
    }


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_bit_that_flipped_in_what_was_left_is_found_told_and_made_anew(tmp_path: Path) -> None:
    made = Cut(tmp_path, disk(tmp_path, "target"))
    flip(tmp_path / "target" / f".incoming-{made.set.id}" / made.packs[0])

    result = made.copy()

    assert [(copy.medium, copy.state) for copy in result.copies] == [
        ("target", CopyState.DAMAGED),
        ("target", CopyState.VERIFIED),
    ]
    assert made.packs[0] in result.copies[0].problem
    assert files_of(tmp_path / "target" / made.set.id) == made.source.stored[made.set.id]


@pytest.mark.heavy
def test_a_host_that_tells_digests_is_asked_before_anything_is_taken(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    made = Cut(tmp_path, target_of("sftp", request, tmp_path))
    (left,) = (tmp_path / "target").iterdir()
    flip(left / made.packs[0])

    result = made.copy()

    assert [(copy.medium, copy.state) for copy in result.copies] == [("target", CopyState.VERIFIED)]
    assert files_of(tmp_path / "target" / made.set.id) == made.source.stored[made.set.id]


def test_what_is_left_of_another_length_or_of_no_file_of_the_set_is_not_taken(tmp_path: Path) -> None:
    made = Cut(tmp_path, disk(tmp_path, "target"))
    left = tmp_path / "target" / f".incoming-{made.set.id}"
    (left / made.packs[0]).write_bytes(b"short")
    (left / "data" / "content" / "gone").mkdir()
    (left / "data" / "content" / "gone" / "files.0001.age").write_bytes(b"of a stream that was taken back")

    result = made.copy()

    assert [copy.state for copy in result.copies] == [CopyState.VERIFIED]
    assert files_of(tmp_path / "target" / made.set.id) == made.source.stored[made.set.id]


def test_a_whole_copy_of_which_no_record_tells_is_read_and_not_made(made: Made, tmp_path: Path) -> None:
    made.add(disk(tmp_path, "disk-b"))
    made.copy()
    before = {path: path.stat().st_ino for path in (tmp_path / "disk-b").rglob("*")}

    result = made.copy()  # the evidence is as it was: the process died before it could record anything

    assert [(copy.medium, copy.state) for copy in result.copies] == [("disk-b", CopyState.VERIFIED)]
    assert result.made_from == ("",)
    assert {path: path.stat().st_ino for path in (tmp_path / "disk-b").rglob("*")} == before


def test_a_damaged_copy_is_removed_and_made_anew_from_one_that_was_read_whole(made: Made, tmp_path: Path) -> None:
    made.add(disk(tmp_path, "disk-b"))
    made.copy()
    path = made.set.streams[0].packs[0].path
    flip(tmp_path / "disk-b" / made.set.id / path)
    damaged = Copy(made.set.id, "disk-b", "disk", CopyState.DAMAGED, VerifyLevel.L2, None)
    made.evidence = replace(made.evidence, copies=(*made.evidence.copies, damaged))

    result = made.copy()

    assert [(copy.medium, copy.state) for copy in result.copies] == [("disk-b", CopyState.VERIFIED)]
    assert files_of(tmp_path / "disk-b" / made.set.id) == files_of(tmp_path / "disk-a" / made.set.id)


class CutLater(CutMedium):
    """A medium that is read whole once, and breaks off at a file from then on."""

    def __init__(self, medium_id: str, at: str) -> None:
        super().__init__(medium_id)
        self._then_at = at

    def open_set(self, set_id: SetId) -> MemoryStoredSet:
        found = super().open_set(set_id)
        self.at = self._then_at
        return found


def test_a_copy_that_is_made_anew_goes_on_from_another_source_where_the_first_one_breaks(
    made: Made, tmp_path: Path
) -> None:
    packs = [pack.path for stream in made.set.streams for pack in stream.packs]
    memory = made.media["memory-1"]
    assert isinstance(memory, MemoryMedium)
    later = CutLater("memory-1", packs[2])
    later.stored = memory.stored
    made.media["memory-1"] = later
    made.add(disk(tmp_path, "disk-b"))
    shutil.copytree(tmp_path / "disk-a" / made.set.id, tmp_path / "disk-b" / made.set.id)
    flip(tmp_path / "disk-b" / made.set.id / packs[0])
    damaged = Copy(made.set.id, "disk-b", "disk", CopyState.DAMAGED, VerifyLevel.L2, None)
    made.evidence = replace(made.evidence, copies=(*made.evidence.copies, damaged))

    result = made.copy()

    assert [(copy.medium, copy.state) for copy in result.copies] == [("disk-b", CopyState.VERIFIED)], result
    assert result.made_from == ("disk-a",)
    assert files_of(tmp_path / "disk-b" / made.set.id) == files_of(tmp_path / "disk-a" / made.set.id)


def test_a_damaged_copy_stays_where_no_other_can_be_read_whole(made: Made, tmp_path: Path) -> None:
    made.add(disk(tmp_path, "disk-b"))
    made.copy()
    path = made.set.streams[0].packs[0].path
    memory = made.media["memory-1"]
    assert isinstance(memory, MemoryMedium)
    memory.stored[made.set.id][path] = b"!"
    for name in ("disk-a", "disk-b"):
        flip(tmp_path / name / made.set.id / path)
    before = files_of(tmp_path / "disk-b" / made.set.id)

    (copy,) = made.copy().copies

    assert (copy.medium, copy.state) == ("disk-b", CopyState.DAMAGED)
    assert path in copy.problem and "no other copy could be read whole" in copy.problem
    assert files_of(tmp_path / "disk-b" / made.set.id) == before


def rot(made: Made, folder: Path, medium: str, path: str) -> None:
    """Change a file of a copy, and let it be known as damaged."""
    flip(folder / medium / made.set.id / path)
    copies = tuple(
        replace(each, state=CopyState.DAMAGED) if each.medium == medium else each for each in made.evidence.copies
    )
    made.evidence = replace(made.evidence, copies=copies)


@pytest.fixture
def three(made: Made, tmp_path: Path) -> Made:
    """A set on three disks, and its second and third copy known to be whole."""
    del made.media["memory-1"]
    for name in ("disk-b", "disk-c"):
        made.add(disk(tmp_path, name))
    first = next(each for each in made.evidence.copies if each.medium == "disk-a")
    made.evidence = replace(made.evidence, copies=(first,))
    made.evidence = replace(made.evidence, copies=(first, *made.copy().copies))
    return made


def test_copies_that_are_damaged_in_different_files_make_each_other_whole(three: Made, tmp_path: Path) -> None:
    whole = files_of(tmp_path / "disk-a" / three.set.id)
    packs = [pack.path for stream in three.set.streams for pack in stream.packs]
    for medium, path in zip(("disk-a", "disk-b", "disk-c"), (packs[0], packs[1], "set.json"), strict=True):
        rot(three, tmp_path, medium, path)

    result = three.copy()

    assert [(copy.medium, copy.state) for copy in result.copies] == [
        (name, CopyState.VERIFIED) for name in ("disk-a", "disk-b", "disk-c")
    ]
    for name in ("disk-a", "disk-b", "disk-c"):
        assert files_of(tmp_path / name / three.set.id) == whole


def test_a_copy_that_alone_had_a_file_is_made_anew_when_another_became_whole(three: Made, tmp_path: Path) -> None:
    whole = files_of(tmp_path / "disk-a" / three.set.id)
    packs = [pack.path for stream in three.set.streams for pack in stream.packs]
    for medium, path in zip(("disk-a", "disk-b", "disk-c"), (packs[0], packs[1], packs[1]), strict=True):
        rot(three, tmp_path, medium, path)

    result = three.copy()

    assert {copy.medium: copy.state for copy in result.copies} == dict.fromkeys(
        ("disk-a", "disk-b", "disk-c"), CopyState.VERIFIED
    )
    assert not any("it is left" in copy.problem for copy in result.copies)
    for name in ("disk-a", "disk-b", "disk-c"):
        assert files_of(tmp_path / name / three.set.id) == whole


@pytest.mark.parametrize("count", [3, 4, 5])
def test_copies_that_each_lack_another_file_make_each_other_whole(made: Made, tmp_path: Path, count: int) -> None:
    names = [f"disk-{letter}" for letter in "abcde"[:count]]
    del made.media["memory-1"]
    for name in names[1:]:
        made.add(disk(tmp_path, name))
    first = next(each for each in made.evidence.copies if each.medium == "disk-a")
    made.evidence = replace(made.evidence, copies=(first,))
    made.evidence = replace(made.evidence, copies=(first, *made.copy().copies))
    whole = files_of(tmp_path / "disk-a" / made.set.id)
    lost = [pack.path for stream in made.set.streams for pack in stream.packs][:2]
    lost += ["set.json", "bagit.txt", "manifest-sha256.txt"]
    for name, path in zip(names, lost, strict=False):
        (tmp_path / name / made.set.id / path).unlink()
    damaged = tuple(replace(each, state=CopyState.DAMAGED) for each in made.evidence.copies)
    made.evidence = replace(made.evidence, copies=damaged)

    result = made.copy()

    assert {copy.state for copy in result.copies} == {CopyState.VERIFIED}, result
    for name in names:
        assert files_of(tmp_path / name / made.set.id) == whole, name


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_tag_manifest_that_no_copy_has_is_made_again_from_the_set_file(
    three: Made, tmp_path: Path, is_gone: bool
) -> None:
    whole = files_of(tmp_path / "disk-a" / three.set.id)
    for name in ("disk-a", "disk-b", "disk-c"):
        rot(three, tmp_path, name, "tagmanifest-sha256.txt")
        if is_gone:
            (tmp_path / name / three.set.id / "tagmanifest-sha256.txt").unlink()
    rot(three, tmp_path, "disk-b", "set.json")

    result = three.copy()

    assert {copy.state for copy in result.copies} == {CopyState.VERIFIED}, result
    for name in ("disk-a", "disk-b", "disk-c"):
        assert files_of(tmp_path / name / three.set.id) == whole


@pytest.mark.parametrize("first", ["manifest-sha256.txt", "tagmanifest-sha256.txt", "set.json", "pack"])
def test_a_new_medium_is_filled_from_two_damaged_copies(three: Made, tmp_path: Path, first: str) -> None:
    whole = files_of(tmp_path / "disk-a" / three.set.id)
    packs = [pack.path for stream in three.set.streams for pack in stream.packs]
    rot(three, tmp_path, "disk-a", packs[0] if first == "pack" else first)
    rot(three, tmp_path, "disk-b", packs[-1])
    shutil.rmtree(tmp_path / "disk-c")
    (tmp_path / "disk-c").mkdir()
    three.evidence = replace(three.evidence, copies=three.evidence.copies[:2])

    result = three.copy()

    assert {copy.medium: copy.state for copy in result.copies}["disk-c"] is CopyState.VERIFIED
    assert files_of(tmp_path / "disk-c" / three.set.id) == whole


def test_a_copy_that_alone_has_a_file_is_never_removed(three: Made, tmp_path: Path) -> None:
    packs = [pack.path for stream in three.set.streams for pack in stream.packs]
    three.media.pop("disk-c")
    rot(three, tmp_path, "disk-a", packs[0])
    rot(three, tmp_path, "disk-b", packs[1])
    before = {name: files_of(tmp_path / name / three.set.id) for name in ("disk-a", "disk-b")}

    result = three.copy()

    assert {copy.state for copy in result.copies} == {CopyState.DAMAGED}
    assert {name: files_of(tmp_path / name / three.set.id) for name in before} == before


def test_what_is_left_is_kept_while_the_copy_job_would_go_on_with_it() -> None:
    old, full, diff = evidence(1, {"a": GOOD}), evidence(2, {"a": GOOD}), evidence(3, {"a": GOOD, "b": NONE}, base=2)

    assert worth_keeping([old, full, diff], "b") == {"set-2", "set-3"}
    assert worth_keeping([old, full, diff], "a") == frozenset()
    assert worth_keeping([old], "b") == {"set-1"}
    assert worth_keeping([old, full], "b") == {"set-2"}
    assert worth_keeping([evidence(1, {"a": BAD})], "b") == frozenset()
    assert worth_keeping([evidence(1, {"a": CopyState.DISPOSED})], "b") == frozenset()
    assert worth_keeping([], "b") == frozenset()


class Crowded(MemoryMedium):
    """A medium with so much room, which notes what it was asked to leave."""

    def __init__(self, free_bytes: int | None) -> None:
        super().__init__("crowded")
        self.free_bytes = free_bytes
        self.left: list[set[SetId]] = []

    def prepare(self, sources: Sequence[Path], *, wanted: Collection[SetId] = ()) -> bool:
        self.left.append(set(wanted))
        return super().prepare(sources)

    def resume(self, set_id: SetId, *, expected_bytes: int) -> MemorySetWriter:
        return self.begin(set_id, expected_bytes=expected_bytes)

    def room(self, expected_bytes: int) -> Room:
        del expected_bytes
        return Room(self.free_bytes)


def test_what_is_left_makes_room_for_a_set_that_would_not_fit() -> None:
    one, two = SetId("one"), SetId("two")
    tight, wide, unknown = Crowded(99), Crowded(100), Crowded(None)

    for medium in (tight, wide, unknown):
        make_ready(medium, [], wanted={one, two}, own={two}, expected_bytes=100)

    assert (tight.left, wide.left, unknown.left) == ([{one, two}, {two}], [{one, two}], [{one, two}])


def evidence(number: int, states: dict[str, CopyState], *, base: int = 0) -> SetEvidence:
    kind = SetKind.DIFF if base else SetKind.FULL
    made = BackupSet(
        SetId(f"set-{number}"),
        kind,
        "demo",
        NOW,
        RunOutcome.COMPLETE,
        (),
        (),
        Digest(f"{number:064x}"),
        1,
        base=Digest(f"{base:064x}") if base else None,
    )
    copies = tuple(Copy(made.id, name, "disk", state, VerifyLevel.L2, NOW) for name, state in states.items())
    return SetEvidence(number, NOW, made, copies, ())


def wanted(sets: list[SetEvidence], **only: Any) -> list[tuple[str, str, list[str]]]:
    found = wanted_copies(sets, ["a", "b"], **only)
    return [(each.made.set.id, each.to_medium, [copy.medium for copy in each.sources]) for each in found]


GOOD, BAD, NONE = CopyState.VERIFIED, CopyState.DAMAGED, CopyState.FAILED


def test_the_newest_set_and_its_base_are_wanted_everywhere() -> None:
    old, full, diff = evidence(1, {"a": GOOD}), evidence(2, {"a": GOOD}), evidence(3, {"a": GOOD, "b": NONE}, base=2)

    assert wanted([old, full, diff]) == [("set-2", "b", ["a"]), ("set-3", "b", ["a"])]
    assert wanted([old, full, diff], only_set="set-1") == [("set-1", "b", ["a"])]
    assert wanted([old, full, diff], only_medium="a") == []


def test_a_damaged_copy_is_made_anew_and_never_copied_from() -> None:
    assert wanted([evidence(1, {"a": BAD, "b": GOOD})]) == [("set-1", "a", ["b"])]
    assert wanted([evidence(1, {"a": BAD, "gone": GOOD})]) == [("set-1", "a", []), ("set-1", "b", [])]


def test_the_copy_that_was_read_last_is_read_first() -> None:
    made = evidence(1, {"a": GOOD, "b": GOOD})
    newer = replace(made.copies[1], verified_at=NOW.replace(day=26))
    made = replace(made, copies=(made.copies[0], newer))

    (target,) = wanted_copies([made], ["a", "b", "c"])

    assert [copy.medium for copy in target.sources] == ["b", "a"]
