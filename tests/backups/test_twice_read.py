"""A file that changed while it was read stands twice in its stream, and the last reading counts, whatever is damaged."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from backups.contents import index_members
from backups.restore import RestoreReport, restore_set
from backups.restore_script import PROGRAMS
from backups.set_file import NAME, parse_set_file
from backups.unfinished import UNFINISHED
from portalops.model.backups import StreamMember
from tests.backups.kit import MIB, alone, back_up, disk, keys, source
from tests.backups.test_restore_script import Stranger, damage, listed_in


class Twice:
    """A set with such a file, on one disk."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.tree.mkdir()
        path = self.tree / "big"
        path.write_bytes(os.urandom(8 * MIB))
        for name in ("a", "z"):
            (self.tree / name).write_text(name)
        stop = threading.Event()

        def change() -> None:
            with path.open("r+b") as file:
                while not stop.is_set():
                    file.seek(0)
                    file.write(os.urandom(16))
                    file.flush()

        writer = threading.Thread(target=change)
        writer.start()
        try:
            for number in range(50):  # until the file did change within a reading
                if self._is_made(folder, f"disk-{number}"):
                    break
        finally:
            stop.set()
            writer.join()

    def _is_made(self, folder: Path, name: str) -> bool:
        medium = disk(folder, name)
        made = back_up([source("files", {"include": [str(self.tree)]}, folder, id="web")], [medium]).set
        assert made is not None
        self.folder = folder / name / made.id
        (self.stream,) = made.streams
        self.set = alone(medium.open_set(made.id), parse_set_file((self.folder / NAME).read_bytes()))
        self.name = f"{self.tree}/big".lstrip("/")
        return len(self.readings()) == 2

    def readings(self) -> list[StreamMember]:
        members = index_members(self.set, self.stream, [keys().identity])
        return [each for each in members if each.path == self.name]

    def damage_within(self, reading: int) -> None:
        """Damage a pack that holds nothing but bytes of one reading."""
        begin = self.readings()[reading].offset + MIB
        damage(self.folder / self.stream.packs[-(-begin // MIB)].path)

    def restore(self, target: Path, *paths: str) -> RestoreReport:
        return restore_set(self.set, [keys().identity], target, paths=paths)


@pytest.fixture
def twice(tmp_path: Path) -> Twice:
    return Twice(tmp_path)


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_lost_first_reading_costs_nothing(twice: Twice, tmp_path: Path, is_asked: bool) -> None:
    twice.damage_within(0)

    report = twice.restore(tmp_path / "out", *([twice.name] if is_asked else []))

    assert not report.missing
    assert (tmp_path / "out/web" / twice.name).stat().st_size == 8 * MIB


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_lost_second_reading_costs_the_file(twice: Twice, tmp_path: Path, is_asked: bool) -> None:
    twice.damage_within(1)

    report = twice.restore(tmp_path / "out", *([twice.name] if is_asked else []))

    assert report.missing == 1
    assert not (tmp_path / "out/web" / twice.name).exists()


@pytest.mark.needs(*PROGRAMS)
@pytest.mark.parametrize("reading", [0, 1])
def test_the_script_of_the_set_does_the_same(twice: Twice, tmp_path: Path, reading: int) -> None:
    twice.damage_within(reading)
    stranger = Stranger(tmp_path / "stranger")

    done = stranger.run(twice.folder / "restore.sh", "--salvage", KEY=keys().file(tmp_path), TO="out")

    out = stranger.folder / "out"
    assert done.returncode == (3 if reading else 0), done.stderr
    assert (out / "web" / twice.name).exists() == (not reading)
    assert not reading or listed_in(out / UNFINISHED) == [f"web/{twice.name}"]
