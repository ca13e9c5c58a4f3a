"""A file is the old one or the whole new one, never half of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.errors import FileUnwritable, Locked
from portalops.files import write_atomically
from portalops.system.locks import locked


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new" / "a", b"one", mode=0o600)
    write_atomically(tmp_path / "new" / "a", b"two", mode=0o600)

    assert (tmp_path / "new" / "a").read_bytes() == b"two"
    assert (tmp_path / "new" / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a"]


def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()

    for path in (tmp_path / "file" / "a", tmp_path / "folder"):
        with pytest.raises(FileUnwritable, match="cannot write"):
            write_atomically(path, b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_lock_is_held_by_one_and_names_its_holder(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "run.lock", holder="process 7"),
        pytest.raises(Locked, match="run is held by process 7"),
        locked(tmp_path / "run.lock", holder="process 8"),
    ):
        pass
    with locked(tmp_path / "run.lock", holder="process 9"):
        pass


def test_a_file_where_the_folder_would_be_is_told_as_no_folder(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("x", encoding="utf-8")

    with pytest.raises(FileUnwritable, match="Not a directory"):
        write_atomically(tmp_path / "reports" / "a.html", b"data")

    assert (tmp_path / "reports").read_text(encoding="utf-8") == "x"
