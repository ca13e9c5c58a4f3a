"""One suite for every medium: what `portalops.ports.Medium`, `SetWriter` and `StoredSet` promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backups.media import build_medium, kinds
from portalops.config.tables import KindTable
from portalops.errors import ConfigurationError, MediumUnavailable, SetDamaged, SetNotFound, UnknownKind
from portalops.model.backups import SetId
from portalops.ports import Medium, SetWriter, StoredSet
from tests.backups.media.parts import s3_table, sftp_table
from tests.backups.memory import MemoryMedium
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
    return {"folder": str(folder / "discs"), "create": True, "allow_same_filesystem": True, "disc": "cd"}


SETTINGS: dict[str, Callable[[pytest.FixtureRequest, Path], dict[str, object]]] = {
    "disk": disk_settings,
    "optical": optical_settings,
    "s3": s3_settings,
    "sftp": sftp_settings,
}
DOUBLE = "memory"
"""The double that other tests use keeps the same contract."""


@pytest.fixture(params=(*kinds(), DOUBLE))
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
    assert set(SETTINGS) == set(kinds())


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
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")
    writer.open("data/content/portal/files.0001.age")
    writer.write(b"half")

    writer.abandon()

    assert medium.sets() == ()
    assert all(not list(place.iterdir()) for place in medium.places())
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


@pytest.mark.parametrize("name", ["no-such-set", "", "..", "../medium", ".incoming-x", "a/b"])
def test_what_is_not_a_set_is_not_opened(medium: Medium, name: str) -> None:
    small_set(medium)

    with pytest.raises(SetNotFound):
        medium.open_set(SetId(name))


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


def test_unknown_kinds_and_keys_name_their_place(tmp_path: Path) -> None:
    with pytest.raises(UnknownKind, match=r"portalops\.toml.*floppy"):
        build_medium(KindTable.alone("m", "floppy", {}, tmp_path))
    with pytest.raises(ConfigurationError, match="foldr"):
        build_medium(KindTable.alone("m", "disk", {"folder": "x", "foldr": "x"}, tmp_path))
