"""Files of a folder are changed all or none, and what was there comes back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from portalops.errors import FileUnwritable
from portalops.system.unit_folder import UnitFolder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("stopped_by", [RuntimeError, KeyboardInterrupt])
def test_a_failure_in_the_block_brings_everything_back(tmp_path: Path, stopped_by: type[BaseException]) -> None:
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "gone").write_bytes(b"gone")
    before = content(tmp_path)

    seen: dict[str, bytes] = {}

    def change() -> None:
        with UnitFolder(tmp_path).changing({"old": b"newer", "new": b"new"}, ["gone"]):
            seen.update(content(tmp_path))
            raise stopped_by

    with pytest.raises(stopped_by):
        change()

    assert seen == {"old": b"newer", "new": b"new"}
    assert content(tmp_path) == before


def test_a_file_that_cannot_be_written_brings_back_those_before_it(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/x").write_bytes(b"")
    with (
        pytest.raises((FileUnwritable, IsADirectoryError)),
        UnitFolder(tmp_path).changing({"first": b"1", "taken": b"2"}, []),
    ):
        raise AssertionError("nothing is done where not all could be written")

    assert content(tmp_path) == {}


def test_a_folder_that_is_not_there_is_in_the_way_of_changes_alone(tmp_path: Path) -> None:
    folder = UnitFolder(tmp_path / "cron.d")

    with folder.changing({}, []):
        assert not folder.path.exists()
    with pytest.raises(FileUnwritable, match="cannot write"), folder.changing({}, ["portalops"]):
        raise AssertionError("nothing is done where names in the folder cannot be made durable")


def test_files_are_read_and_masks_and_links_that_lead_nowhere_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "masked").symlink_to(os.devnull)
    (tmp_path / "broken").symlink_to("nowhere")

    assert UnitFolder(tmp_path).read(["a", "masked", "broken", "absent"]) == {"a": b"a", "masked": b""}


def test_drop_ins_are_found_by_their_unit(tmp_path: Path) -> None:
    (tmp_path / "a.timer.d").mkdir()
    (tmp_path / "a.timer.d/local.conf").write_bytes(b"")
    (tmp_path / "a.timer.d/notes").write_bytes(b"")

    assert UnitFolder(tmp_path).drop_ins(["a.timer", "b.timer"]) == {"a.timer": (f"{tmp_path}/a.timer.d/local.conf",)}


def test_trying_whether_files_can_be_written_leaves_none(tmp_path: Path) -> None:
    assert UnitFolder(tmp_path).refusal() is None
    assert content(tmp_path) == {}
    assert isinstance(UnitFolder(tmp_path / "absent").refusal(), FileUnwritable)
