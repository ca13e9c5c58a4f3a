"""Tapes in folders that stand in for a drive: labels, ends, damage, what runs that died leave, and tapes that are used again.

tests/backups/media/test_tape_vm.py does the same on a drive that a kernel takes for a real one.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.media._tape_layout import (
    DamagedRecord,
    Label,
    TapeFile,
    TapeRecord,
    TapeSet,
    parse_label,
    parse_record,
    write_label,
    write_record,
)
from backups.media.tape import RECORD_EVERY, Settings, TapeBeginning, TapeMedium
from portalops.errors import MediumUnavailable, SetDamaged, SetNotFound
from portalops.model.backups import SetId
from portalops.model.message import ByteCount
from portalops.model.record import Digest
from portalops.system.tape import EndOfData, FolderDrive, TapeDrive, open_drive
from tests.backups.media.tapes import LABELLED, medium_of, tape_table
from tests.contract.test_media import OTHER, SET, put, read, small_set

MIB = 1 << 20
THIRD = SetId("demo-20261127T030405Z-full-abc123")


@pytest.fixture
def medium(tmp_path: Path) -> TapeMedium:
    return medium_of(tape_table(tmp_path / "tape"))


def files(medium: TapeMedium) -> list[Path]:
    return sorted(medium.device.iterdir())


def blank(folder: Path) -> TapeMedium:
    folder.mkdir()
    return medium_of({"device": str(folder), "label": "KH0001", "block_kib": 64})


class FailingDrive(FolderDrive):
    """A drive that cannot read one tape file, or that is write-protected."""

    def __init__(self, folder: Path, *, bad_file: int = -1, is_protected: bool = False) -> None:
        super().__init__(folder)
        self._bad_file = bad_file
        self._is_protected = is_protected

    def read(self) -> bytes:
        if self._file == self._bad_file:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read()

    def is_write_protected(self) -> bool:
        return self._is_protected


def in_drive(medium: TapeMedium, opened: Callable[..., TapeDrive]) -> TapeMedium:
    """Return the medium with the same tape in another drive."""
    return TapeMedium(medium.id, Settings(device=medium.device, label=medium.label, block_kib=64), opened)


# --- labels -----------------------------------------------------------------------------------


def test_nothing_is_written_to_a_blank_tape_and_the_hint_says_how_it_becomes_one(tmp_path: Path) -> None:
    medium = blank(tmp_path / "tape")

    for act in (lambda: medium.prepare([]), medium.sets, lambda: medium.begin(SET, expected_bytes=0)):
        with pytest.raises(MediumUnavailable, match="is blank") as refused:
            act()
        assert "portalops media label tape-1" in str(refused.value.hint)
    assert files(medium) == []


def test_another_tape_is_not_touched_and_the_one_to_insert_is_named(medium: TapeMedium) -> None:
    small_set(medium)
    other = medium_of({"device": str(medium.device), "label": "KH0002"}, "tape-2")
    before = [path.read_bytes() for path in files(medium)]

    for act in (lambda: other.prepare([]), other.sets, lambda: other.remove(SET)):
        with pytest.raises(MediumUnavailable, match="has the label KH0001; the tape KH0002 is needed") as refused:
            act()
        assert "Insert the tape KH0002" in str(refused.value.hint)
    assert [path.read_bytes() for path in files(medium)] == before


def test_a_tape_of_something_else_is_left_alone_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    medium = blank(tmp_path / "tape")
    (medium.device / "000000").write_bytes(b"vol1 of another program" * 100)

    with pytest.raises(MediumUnavailable, match="not from portalops"):
        medium.sets()
    with pytest.raises(MediumUnavailable, match="not blank") as refused:
        medium.require_free(overwrite=False)
    assert "--overwrite" in str(refused.value.hint)
    assert medium.require_free(overwrite=True).state is TapeBeginning.FOREIGN
    medium.write_label(medium.label_for(LABELLED), overwrite=True)
    small_set(medium)
    assert medium.sets() == (SET,)


def test_a_label_that_cannot_be_read_protects_the_tape(medium: TapeMedium) -> None:
    small_set(medium)
    worn = in_drive(medium, lambda device, **_more: FailingDrive(device, bad_file=0))

    for act in (worn.sets, lambda: worn.prepare([]), lambda: worn.require_free(overwrite=False)):
        with pytest.raises(MediumUnavailable, match=r"start of the tape .* cannot be read: input/output error"):
            act()
    assert medium.sets() == (SET,)


def test_a_tape_with_sets_is_never_labelled_again(medium: TapeMedium) -> None:
    small_set(medium)

    for overwrite in (False, True):
        with pytest.raises(MediumUnavailable, match=f"holds 1 sets, such as {SET}"):
            medium.write_label(medium.label_for(LABELLED), overwrite=overwrite)
    medium.remove(SET)
    with pytest.raises(MediumUnavailable, match="already has the label KH0001"):
        medium.write_label(medium.label_for(LABELLED), overwrite=False)
    medium.write_label(medium.label_for(LABELLED + timedelta(days=1)), overwrite=True)
    assert (medium.sets(), len(files(medium))) == ((), 3)


def test_a_write_protected_tape_is_read_and_not_written(medium: TapeMedium) -> None:
    small_set(medium)
    protected = in_drive(medium, lambda device, **_more: FailingDrive(device, is_protected=True))

    with pytest.raises(MediumUnavailable, match="write-protected") as refused:
        protected.prepare([])
    assert "KH0001" in str(refused.value.hint)
    with pytest.raises(MediumUnavailable, match="write-protected"):
        protected.begin(OTHER, expected_bytes=0)
    assert read(protected.open_set(SET), "bagit.txt") == b"BagIt-Version: 1.0\n"


@pytest.mark.parametrize("device", ["absent", "/dev/null"])
def test_what_is_no_drive_is_said_to_be_none(tmp_path: Path, device: str) -> None:
    medium = medium_of({"device": str(tmp_path / device), "label": "KH0001"})

    with pytest.raises(MediumUnavailable, match="there is no tape drive") as refused:
        medium.prepare([])

    assert "lsscsi" in str(refused.value.hint)


# --- the end of the tape ----------------------------------------------------------------------


def test_a_set_that_does_not_fit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    medium = medium_of(tape_table(tmp_path / "tape", capacity_mib=4))
    small_set(medium)
    before = files(medium)
    room = medium.room(0).free_bytes
    assert room is not None and MIB < room < 4 * MIB

    with pytest.raises(MediumUnavailable, match=f"the tape KH0001 has {ByteCount(room)} left") as refused:
        medium.begin(OTHER, expected_bytes=room + 1)

    assert "never split" in str(refused.value.hint)
    assert files(medium) == before


@pytest.mark.parametrize("full_at", ["a pack", "the record"])
def test_a_tape_that_ends_amid_a_set_keeps_those_before_and_takes_one_that_fits(tmp_path: Path, full_at: str) -> None:
    medium = medium_of(tape_table(tmp_path / "tape", capacity_mib=2))
    small_set(medium)
    writer = medium.begin(OTHER, expected_bytes=0)
    size = {"a pack": 4 * MIB, "the record": 2 * MIB - sum(path.stat().st_size for path in files(medium)) - 1}[full_at]

    def written() -> None:
        put(writer, "data/content/portal/files.0001.age", bytes(size))
        writer.seal()

    with pytest.raises(MediumUnavailable, match="the tape KH0001 is full") as refused:
        written()
    writer.abandon()

    assert "portalops media label" in str(refused.value.hint)
    assert medium.sets() == (SET,)
    small_set(medium, THIRD)
    assert read(medium.open_set(THIRD), "data/content/portal/files.0001.age") == b"onetwo"
    assert read(medium.open_set(SET), "data/content/portal/files.0001.age") == b"onetwo"


# --- what runs that died leave ----------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, RECORD_EVERY, RECORD_EVERY + 1, 2 * RECORD_EVERY + 7])
def test_what_a_dead_run_left_is_no_set_and_the_next_one_writes_over_it(medium: TapeMedium, count: int) -> None:
    small_set(medium)
    dead = medium.begin(OTHER, expected_bytes=0)
    for number in range(count):
        put(dead, f"data/content/portal/files.{number:04d}.age", b"x")
    dead.open("data/content/portal/half.age")
    dead.write(bytes(100_000))

    anew = medium_of({"device": str(medium.device), "label": "KH0001"})
    assert anew.sets() == (SET,)
    assert anew.prepare([]) in {True, False}
    small_set(anew, OTHER)

    assert anew.sets() == (SET, OTHER)
    assert len(files(anew)) == 3 + 2 * 3
    assert read(anew.open_set(OTHER), "bagit.txt") == b"BagIt-Version: 1.0\n"


def test_a_record_stands_amid_a_long_set_so_that_the_last_one_is_near_the_end(medium: TapeMedium) -> None:
    dead = medium.begin(SET, expected_bytes=0)
    for number in range(3 * RECORD_EVERY):
        put(dead, f"data/content/portal/files.{number:04d}.age", b"x")

    steps = 0

    class Counting(FolderDrive):
        def back(self, files: int) -> bool:
            nonlocal steps
            steps += 1
            return super().back(files)

    assert in_drive(medium, lambda device, **_more: Counting(device)).sets() == ()
    assert steps <= RECORD_EVERY + 1


def test_a_record_that_was_cut_does_not_count(medium: TapeMedium) -> None:
    small_set(medium)
    small_set(medium, OTHER)
    last = files(medium)[-1]

    for size in (0, 30, 200, 1):
        os.truncate(last, size)
        assert medium.sets() == (SET,)
    small_set(medium, THIRD)

    assert medium.sets() == (SET, THIRD)


# --- damage -----------------------------------------------------------------------------------


def test_a_damaged_record_hides_its_set_is_never_written_over_and_leaves_the_others_readable(
    medium: TapeMedium,
) -> None:
    small_set(medium)
    small_set(medium, OTHER)
    last = files(medium)[-1]
    data = bytearray(last.read_bytes())
    data[60] ^= 1
    last.write_bytes(data)

    assert medium.sets() == (SET,)
    assert read(medium.open_set(SET), "bagit.txt") == b"BagIt-Version: 1.0\n"
    for act in (
        lambda: medium.prepare([]),
        lambda: medium.begin(THIRD, expected_bytes=0),
        lambda: medium.remove(SET),
    ):
        with pytest.raises(MediumUnavailable, match="cannot be read after tape file"):
            act()
    assert last.read_bytes() == data


def test_a_block_that_cannot_be_read_is_damage_of_its_file_alone(medium: TapeMedium) -> None:
    small_set(medium)
    worn = in_drive(medium, lambda device, **_more: FailingDrive(device, bad_file=4))
    stored = worn.open_set(SET)

    with pytest.raises(SetDamaged, match=r"files\.0001\.age: tape file 4: Input/output error"):
        read(stored, "data/content/portal/files.0001.age")

    assert read(stored, "bagit.txt") == b"BagIt-Version: 1.0\n"


def test_a_record_of_an_older_set_that_cannot_be_read_is_named(medium: TapeMedium) -> None:
    small_set(medium)
    small_set(medium, OTHER)
    worn = in_drive(medium, lambda device, **_more: FailingDrive(device, bad_file=5))
    stored = worn.open_set(SET)

    assert stored.sizes() == {}
    with pytest.raises(SetDamaged, match="the record at tape file 5 cannot be read"):
        read(stored, "bagit.txt")


# --- a tape that is used again ----------------------------------------------------------------


def test_a_removed_set_is_out_of_the_record_and_its_bytes_stay_until_all_are_removed(medium: TapeMedium) -> None:
    small_set(medium)
    small_set(medium, OTHER)
    medium.remove(SET)

    assert medium.sets() == (OTHER,)
    assert (medium.device / "000004").read_bytes().startswith(b"onetwo")
    with pytest.raises(SetNotFound):
        medium.remove(SET)
    medium.remove(OTHER)
    assert medium.sets() == ()
    small_set(medium, THIRD)

    assert medium.sets() == (THIRD,)
    assert len(files(medium)) == 3 + 3, "it begins at the front again"


def test_a_set_is_not_read_while_another_is_written(medium: TapeMedium) -> None:
    small_set(medium)
    stored = medium.open_set(SET)
    writer = medium.begin(OTHER, expected_bytes=0)

    with pytest.raises(MediumUnavailable, match="is being written"):
        read(stored, "bagit.txt")
    with pytest.raises(MediumUnavailable, match="is being written"):
        medium.begin(THIRD, expected_bytes=0)
    writer.abandon()

    assert read(stored, "bagit.txt") == b"BagIt-Version: 1.0\n"


def test_media_that_share_a_drive_use_it_in_turn(medium: TapeMedium) -> None:
    small_set(medium)
    users: list[int] = []

    class Exclusive(FolderDrive):
        def __init__(self, folder: Path) -> None:
            if users:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
            users.append(1)
            super().__init__(folder)

        def read(self) -> bytes:
            time.sleep(0.001)
            return super().read()

        def close(self) -> None:
            users.clear()
            super().close()

    sharing = [in_drive(medium, lambda device, **_more: Exclusive(device)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda each: each.sets(), sharing)) == [(SET,)] * 4
    writer = sharing[0].begin(OTHER, expected_bytes=0)
    with pytest.raises(MediumUnavailable, match="is in use"):
        sharing[1].sets()
    writer.abandon()
    assert sharing[1].sets() == (SET,)


def test_two_files_are_read_side_by_side(medium: TapeMedium) -> None:
    small_set(medium)
    stored = medium.open_set(SET)

    with stored.open("data/content/portal/files.0001.age") as pack, stored.open("bagit.txt") as tag:
        assert (pack.read(3), tag.read(5), pack.read(9), tag.read(100)) == (
            b"one",
            b"BagIt",
            b"two",
            b"-Version: 1.0\n",
        )


def test_copies_in_a_folder_are_said_to_be_on_no_tape(medium: TapeMedium) -> None:
    assert medium.kind == "tape-folder"
    assert medium_of({"device": "/dev/nst9"}).kind == "tape"


# --- records and labels as text ---------------------------------------------------------------

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
NUMBERS = st.integers(min_value=0, max_value=1 << 50)
RECORDS = st.builds(
    TapeRecord,
    label=NAMES,
    labelled=st.just("20261126T030405Z"),
    number=NUMBERS,
    free=NUMBERS,
    free_bytes=NUMBERS,
    sets=st.lists(st.builds(TapeSet, NAMES.map(SetId), NUMBERS, NUMBERS), max_size=3).map(tuple),
    ends=NAMES.map(SetId),
    files=st.lists(
        st.builds(TapeFile, NUMBERS, NUMBERS, st.just(Digest("ab" * 32)), NAMES.map(lambda name: f"data/a b/{name}")),
        max_size=3,
    ).map(tuple),
)


@given(RECORDS)
def test_a_record_comes_back_as_it_was(record: TapeRecord) -> None:
    assert parse_record(write_record(record) + b"\n" * 1000, record.number) == record


@given(RECORDS, st.data())
def test_no_change_of_a_record_is_taken_for_a_record(record: TapeRecord, data: st.DataObject) -> None:
    text = bytearray(write_record(record))
    at = data.draw(st.integers(min_value=0, max_value=len(text) - 2))
    text[at] ^= 1 << data.draw(st.integers(min_value=0, max_value=7))
    try:
        found = parse_record(bytes(text))
    except DamagedRecord:
        found = None
    assert found is None


@given(RECORDS, st.data())
def test_a_record_that_was_cut_is_none(record: TapeRecord, data: st.DataObject) -> None:
    text = write_record(record)

    assert parse_record(text[: data.draw(st.integers(min_value=0, max_value=len(text) - 2))]) is None


def test_a_record_that_lies_elsewhere_is_damaged() -> None:
    text = write_record(TapeRecord("KH0001", "20261126T030405Z", 7, 8, 0, ()))

    with pytest.raises(DamagedRecord):
        parse_record(text, 8)


def test_a_label_is_one_block_that_people_can_read() -> None:
    label = Label("KH0001", "20261126T030405Z", 262_144)
    block = write_label(label)

    assert (len(block), parse_label(block)) == (32768, label)
    assert "Băng này chứa các bộ sao lưu" in block.decode()
    for other in (b"", b"x" * 100, block[:30], block.replace(b"block-bytes 262144", b"block-bytes 9")):
        assert parse_label(other) is None


# --- the folder that stands in for a drive ----------------------------------------------------


def test_the_folder_ends_where_it_is_written_as_a_tape_does(tmp_path: Path) -> None:
    with open_drive(tmp_path, writes=True) as drive:
        for letter in b"abc":
            drive.write(bytes([letter]))
            drive.mark(wait=True)
        drive.rewind()
        drive.forward(1)
        drive.write(b"B")
    with open_drive(tmp_path, writes=False) as drive:
        assert (drive.read(), drive.read(), drive.read(), drive.read()) == (b"a", b"", b"B", b"")
        with pytest.raises(EndOfData):
            drive.read()
        drive.rewind()
        with pytest.raises(EndOfData):
            drive.forward(3)
        assert drive.back(1)
        assert drive.read() == b"B"
        assert not drive.back(1)
        assert drive.read() == b"a"
