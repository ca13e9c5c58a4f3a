"""One suite for every medium: what `portalops.ports.Medium`, `SetWriter` and `StoredSet` promise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from backups.media import MEDIA, build_medium
from backups.resuming import go_on, held_by, let_go, make_ready
from portalops.config.tables import KindTable
from portalops.errors import (
    ConfigurationError,
    MediumUnavailable,
    SetDamaged,
    SetLocked,
    SetNotFound,
    UnknownKind,
)
from portalops.model.backups import SetId
from portalops.ports import Medium, ResumableMedium, SetWriter, StoredSet
from tests.backups.media.parts import s3_table, sftp_table
from tests.backups.media.tapes import tape_table
from tests.backups.memory import MemoryMedium
from tests.programs import need
from tests.servers import a_bucket

SET = SetId("demo-20261125T030405Z-full-abc123")
OTHER = SetId("demo-20261126T030405Z-full-abc123")


def disk_settings(request: pytest.FixtureRequest, folder: Path) -> dict[str, object]:
    return {"folder": str(folder / "disk"), "create": True, "allow_same_filesystem": True}


def s3_settings(request: pytest.FixtureRequest, folder: Path) -> dict[str, object]:
    store = request.getfixturevalue("object_store")
    name = f"media-{folder.name.replace('_', '-').lower()}"[:63].rstrip("-")
    return s3_table(store, a_bucket(store, name), folder)  # it keeps versions; what is locked has tests of its own


def sftp_settings(request: pytest.FixtureRequest, folder: Path) -> dict[str, object]:
    return sftp_table(request.getfixturevalue("ssh_host"), folder / "sftp", create=True)


def optical_settings(request: pytest.FixtureRequest, folder: Path) -> dict[str, object]:
    need("xorriso")
    return {"folder": str(folder / "discs"), "create": True, "allow_same_filesystem": True, "disc": "cd"}


def tape_settings(request: pytest.FixtureRequest, folder: Path) -> dict[str, object]:
    return tape_table(folder / "tape")


SETTINGS: dict[str, Callable[[pytest.FixtureRequest, Path], dict[str, object]]] = {
    "disk": disk_settings,
    "optical": optical_settings,
    "s3": s3_settings,
    "sftp": sftp_settings,
    "tape": tape_settings,
}
FOLDERS = {"disk": "disk", "optical": "discs", "sftp": "sftp"}
"""Where the kinds that keep sets in folders keep them here."""
LOCKS: dict[str, dict[str, object]] = {"s3": {"lock": "GOVERNANCE", "retain_days": 1}}
"""The kinds that can lock what they keep, and how they are asked to."""
RESUMABLE = frozenset({"disk", "s3", "sftp"})
"""The kinds that go on with a copy that was cut; all others begin it anew."""
in_folders = pytest.mark.parametrize("medium", sorted(FOLDERS), indirect=True)
resumable = pytest.mark.parametrize("medium", sorted(RESUMABLE), indirect=True)
PACKS = tuple(f"data/content/portal/files.{number:04}.age" for number in range(1, 4))
DIGESTS = {
    "bagit.txt": hashlib.sha256(b"BagIt-Version: 1.0\n").hexdigest(),
    PACKS[0]: hashlib.sha256(b"one" * 1000).hexdigest(),
}
NO_SETS = ("no-such-set", "", ".", "..", "../medium", ".incoming-x", ".removing-x", "a/b", f"{SET}/data", f"./{SET}")
DOUBLE = "memory"
"""The double that other tests use keeps the same contract."""


@pytest.fixture(params=(*MEDIA.names(), DOUBLE))
def medium(request: pytest.FixtureRequest, tmp_path: Path) -> Medium:
    made: Medium
    if request.param == DOUBLE:
        made = MemoryMedium("medium-1")
    else:
        values = SETTINGS[request.param](request, tmp_path)
        made = build_medium(KindTable.alone("medium-1", request.param, values, tmp_path))
    made.prepare([])
    return made


def put(writer: SetWriter, path: str, *pieces: bytes | bytearray) -> None:
    writer.open(path)
    for piece in pieces:
        writer.write(piece)
    writer.close()


def small_set(medium: Medium, set_id: SetId = SET) -> None:
    writer = medium.begin(set_id, expected_bytes=0)
    put(writer, "bagit.txt", b"BagIt-Version: 1.0\n")
    put(writer, "data/content/portal/files.0001.age", b"one", bytearray(b"two"))
    writer.seal()


def read(stored: StoredSet, path: str) -> bytes:
    with stored.open(path) as file:
        parts = []
        while part := file.read(4):
            parts.append(part)
        return b"".join(parts)


def test_every_kind_has_its_settings_here() -> None:
    assert set(SETTINGS) == set(MEDIA.names())


def test_a_sealed_set_is_listed_and_read(medium: Medium) -> None:
    small_set(medium)

    assert medium.sets() == (SET,)
    stored = medium.open_set(SET)
    assert stored.sizes() == {"bagit.txt": 19, "data/content/portal/files.0001.age": 6}
    assert read(stored, "data/content/portal/files.0001.age") == b"onetwo"
    assert read(stored, "data/content/portal/files.0001.age") == b"onetwo"


def test_nothing_is_visible_before_the_seal(medium: Medium) -> None:
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")

    assert medium.sets() == ()
    with pytest.raises(SetNotFound):
        medium.open_set(SET)
    writer.seal()
    assert medium.sets() == (SET,)


def test_an_abandoned_set_leaves_nothing(medium: Medium) -> None:
    before = [list(place.iterdir()) for place in medium.places()]
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")
    writer.open("data/content/portal/files.0001.age")
    writer.write(b"half")

    writer.abandon()

    assert medium.sets() == ()
    assert [list(place.iterdir()) for place in medium.places()] == before
    small_set(medium)
    assert medium.sets() == (SET,)


def test_a_discarded_file_is_not_in_the_set(medium: Medium) -> None:
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")
    put(writer, "data/content/failed/files.0001.age", b"half a stream")
    writer.discard("data/content/failed/files.0001.age")
    writer.seal()

    assert medium.open_set(SET).sizes() == {"bagit.txt": 1}


def test_a_name_is_used_once(medium: Medium) -> None:
    small_set(medium)

    with pytest.raises(MediumUnavailable, match="already"):
        medium.begin(SET, expected_bytes=0)
    assert read(medium.open_set(SET), "data/content/portal/files.0001.age") == b"onetwo"


def test_sets_are_listed_by_name(medium: Medium) -> None:
    small_set(medium, OTHER)
    small_set(medium, SET)

    assert medium.sets() == (SET, OTHER)


@pytest.mark.parametrize("name", NO_SETS)
def test_what_is_not_a_set_is_neither_opened_nor_removed(medium: Medium, name: str) -> None:
    small_set(medium)

    with pytest.raises(SetNotFound):
        medium.open_set(SetId(name))
    with pytest.raises(SetNotFound):
        medium.remove(SetId(name))
    assert medium.sets() == (SET,)
    assert read(medium.open_set(SET), "data/content/portal/files.0001.age") == b"onetwo"


def test_a_missing_file_is_damage(medium: Medium) -> None:
    small_set(medium)

    with pytest.raises(SetDamaged, match="missing"), medium.open_set(SET).open("data/nothing"):
        pass


def test_empty_and_large_files_come_back(medium: Medium) -> None:
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "empty")
    put(writer, "large", *([b"0123456789abcdef" * 65536] * 20))
    writer.seal()

    stored = medium.open_set(SET)
    assert read(stored, "empty") == b""
    assert stored.sizes()["large"] == 20 << 20
    with stored.open("large") as file:
        total = 0
        while part := file.read(1 << 20):
            total += len(part)
    assert total == 20 << 20


def test_a_removed_set_is_gone_and_the_others_stay(medium: Medium) -> None:
    small_set(medium)
    small_set(medium, OTHER)

    medium.remove(SET)

    assert medium.sets() == (OTHER,)
    with pytest.raises(SetNotFound):
        medium.open_set(SET)
    with pytest.raises(SetNotFound):
        medium.remove(SET)
    assert read(medium.open_set(OTHER), "data/content/portal/files.0001.age") == b"onetwo"
    small_set(medium)
    assert medium.open_set(SET).sizes() == {"bagit.txt": 19, "data/content/portal/files.0001.age": 6}


def test_what_is_being_written_is_no_set_that_can_be_removed(medium: Medium) -> None:
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")

    with pytest.raises(SetNotFound):
        medium.remove(OTHER)
    writer.seal()

    assert medium.open_set(SET).sizes() == {"bagit.txt": 1}


def folder_of(medium: Medium, tmp_path: Path) -> Path:
    """Return where a medium of `FOLDERS` keeps its sets."""
    return tmp_path / FOLDERS[medium.kind]


@in_folders
def test_a_removal_that_died_is_no_set_and_is_ended_by_the_next(medium: Medium, tmp_path: Path) -> None:
    folder = folder_of(medium, tmp_path)
    small_set(medium)
    (folder / SET).rename(folder / f".removing-{SET}")

    assert medium.sets() == ()
    with pytest.raises(SetNotFound):
        medium.open_set(SET)
    medium.remove(SET)

    assert list(folder.iterdir()) == []
    with pytest.raises(SetNotFound):
        medium.remove(SET)


@in_folders
def test_what_was_half_removed_and_made_up_again_can_go_again(medium: Medium, tmp_path: Path) -> None:
    folder = folder_of(medium, tmp_path)
    small_set(medium)
    (folder / SET).rename(folder / f".removing-{SET}")
    small_set(medium)
    assert medium.sets() == (SET,)

    medium.remove(SET)

    assert list(folder.iterdir()) == []


@in_folders
def test_making_ready_frees_what_was_removed(medium: Medium, tmp_path: Path) -> None:
    folder = folder_of(medium, tmp_path)
    small_set(medium)
    (folder / SET).rename(folder / f".removing-{SET}")

    medium.prepare([])

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", LOCKS)
def test_a_locked_set_is_not_removed_and_stays_whole(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    values = {**SETTINGS[kind](request, tmp_path), **LOCKS[kind]}
    medium = build_medium(KindTable.alone("medium-1", kind, values, tmp_path))
    medium.prepare([])
    small_set(medium)

    with pytest.raises(SetLocked, match=SET):
        medium.remove(SET)

    assert medium.sets() == (SET,)
    assert medium.open_set(SET).sizes() == {"bagit.txt": 19, "data/content/portal/files.0001.age": 6}
    assert read(medium.open_set(SET), "data/content/portal/files.0001.age") == b"onetwo"


# --- Copies that are cut --------------------------------------------------------------------------


def cut(medium: Medium, set_id: SetId = SET) -> None:
    """Write two files of a set whole and a third by half, and let go of it."""
    writer = medium.begin(set_id, expected_bytes=0)
    put(writer, "bagit.txt", b"BagIt-Version: 1.0\n")
    put(writer, PACKS[0], b"one" * 1000)
    writer.open(PACKS[1])
    writer.write(b"two" * 500)
    let_go(writer, keep=True)


def end(medium: Medium, writer: SetWriter) -> None:
    """Write what the set lacks, and see that it is whole."""
    contents = {"bagit.txt": b"BagIt-Version: 1.0\n", PACKS[0]: b"one" * 1000, PACKS[1]: b"two" * 1000, PACKS[2]: b""}
    held = held_by(writer)
    for path, data in contents.items():
        if path not in held:
            put(writer, path, data)
    writer.seal()

    stored = medium.open_set(SET)
    assert stored.sizes() == {path: len(data) for path, data in contents.items()}
    assert {path: read(stored, path) for path in contents} == contents
    assert medium.sets() == (SET,)


def test_the_kinds_that_go_on_are_these(medium: Medium) -> None:
    assert isinstance(medium, ResumableMedium) is (medium.kind in RESUMABLE)


def test_a_copy_that_was_cut_is_gone_on_with(medium: Medium, tmp_path: Path) -> None:
    cut(medium)
    assert medium.sets() == ()

    make_ready(medium, [], wanted=[SET], expected_bytes=0)
    writer = go_on(medium, SET, expected_bytes=0)

    held = held_by(writer)
    sizes = {path: each.size_bytes for path, each in held.items()}
    assert sizes == ({"bagit.txt": 19, PACKS[0]: 3000} if medium.kind in RESUMABLE else {})
    digests = {path: each.sha256 for path, each in held.items() if each.sha256}
    assert digests == {path: digest for path, digest in DIGESTS.items() if path in digests}
    end(medium, writer)
    if medium.kind in FOLDERS:
        assert [path.name for path in folder_of(medium, tmp_path).iterdir() if path.name.startswith(".inc")] == []


def test_a_copy_may_be_cut_again_and_again(medium: Medium) -> None:
    cut(medium)
    writer = go_on(medium, SET, expected_bytes=0)
    if PACKS[0] not in held_by(writer):
        put(writer, "bagit.txt", b"BagIt-Version: 1.0\n")
        put(writer, PACKS[0], b"one" * 1000)
    put(writer, PACKS[1], b"two" * 1000)
    let_go(writer, keep=True)

    writer = go_on(medium, SET, expected_bytes=0)

    assert set(held_by(writer)) == ({"bagit.txt", *PACKS[:2]} if medium.kind in RESUMABLE else set())
    end(medium, writer)


@resumable
def test_what_is_held_and_does_not_belong_is_discarded(medium: Medium) -> None:
    cut(medium)
    writer = go_on(medium, SET, expected_bytes=0)
    writer.discard(PACKS[0])
    put(writer, PACKS[0], b"another")
    writer.discard("bagit.txt")
    put(writer, "bag-info.txt", b"x")
    writer.seal()

    stored = medium.open_set(SET)
    assert stored.sizes() == {PACKS[0]: 7, "bag-info.txt": 1}
    assert read(stored, PACKS[0]) == b"another"


def test_what_nobody_wants_is_removed(medium: Medium) -> None:
    cut(medium)
    cut(medium, OTHER)

    make_ready(medium, [], wanted=[OTHER], expected_bytes=0)

    writer = go_on(medium, SET, expected_bytes=0)
    assert held_by(writer) == {}
    end(medium, writer)
    writer = go_on(medium, OTHER, expected_bytes=0)
    assert bool(held_by(writer)) is (medium.kind in RESUMABLE)
    writer.abandon()


@resumable
def test_what_is_being_written_is_neither_gone_on_with_nor_removed(medium: Medium) -> None:
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"BagIt-Version: 1.0\n")

    medium.prepare([])
    with suppress(MediumUnavailable):  # it may be refused, or begun in another place
        other = go_on(medium, SET, expected_bytes=0)
        assert held_by(other) == {}
        other.abandon()

    put(writer, PACKS[0], b"one" * 1000)
    writer.seal()
    assert medium.open_set(SET).sizes() == {"bagit.txt": 19, PACKS[0]: 3000}


def test_what_is_left_of_a_copy_that_was_abandoned_is_nothing(medium: Medium) -> None:
    cut(medium)
    writer = go_on(medium, SET, expected_bytes=0)
    writer.abandon()

    writer = go_on(medium, SET, expected_bytes=0)

    assert held_by(writer) == {}
    end(medium, writer)


def test_a_sealed_set_is_not_gone_on_with(medium: Medium) -> None:
    small_set(medium)

    with pytest.raises(MediumUnavailable, match="already"):
        go_on(medium, SET, expected_bytes=0)
    assert medium.open_set(SET).sizes() == {"bagit.txt": 19, PACKS[0]: 6}


def test_unknown_kinds_and_keys_name_their_place(tmp_path: Path) -> None:
    with pytest.raises(UnknownKind, match=r"portalops\.toml.*floppy"):
        build_medium(KindTable.alone("m", "floppy", {}, tmp_path))
    with pytest.raises(ConfigurationError, match="foldr"):
        build_medium(KindTable.alone("m", "disk", {"folder": "x", "foldr": "x"}, tmp_path))
