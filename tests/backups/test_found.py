"""A set that no record tells of, read back: what of it can be relied on, and what cannot."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from backups.found import read_back
from portalops.errors import MediumInterrupted, SetDamaged
from portalops.model.backups import BackupSet, CopyState, FoundSet, SetId
from portalops.model.message import msg
from portalops.ports import Medium
from tests.backups.kit import NOW, back_up, source
from tests.backups.memory import MemoryMedium, MemoryStoredSet
from tests.doubles import FixedClock, SilentProgress


class Left:
    """An unsigned set on two media, of which nothing is recorded."""

    def __init__(self, folder: Path) -> None:
        (folder / "portal").mkdir()
        (folder / "portal" / "page.html").write_text("Trang chủ", encoding="utf-8")
        self.media = {name: MemoryMedium(name) for name in ("memory-1", "memory-2")}
        files = source("files", {"include": [str(folder / "portal")]}, folder)
        made = back_up([files], list(self.media.values())).set
        assert made is not None
        self.set: BackupSet = made

    def forge(self, medium: str, **changes: Any) -> None:
        """Let a whole set say something else of itself, as anybody can who has the public keys."""
        files = self.media[medium].stored[self.set.id]
        before = hashlib.sha256(files["set.json"]).hexdigest()
        files["set.json"] = json.dumps({**json.loads(files["set.json"]), **changes}).encode()
        after = hashlib.sha256(files["set.json"]).hexdigest()
        tags = files["tagmanifest-sha256.txt"].decode()
        assert before in tags
        files["tagmanifest-sha256.txt"] = tags.replace(before, after).encode()

    def found(self, **media: Medium) -> FoundSet:
        return read_back(
            self.set.id,
            {**self.media, **media},
            must_be_signed=False,
            of_run="run-1",
            keys=None,
            clock=FixedClock(NOW),
            progress=SilentProgress(),
        )


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


def test_every_copy_is_read_and_the_set_is_the_one_that_was_read(left: Left) -> None:
    found = left.found()

    assert [copy.state for copy in found.copies] == [CopyState.VERIFIED, CopyState.VERIFIED]
    assert found.set == left.set


@pytest.mark.parametrize("lie", [{"created_at": "2099-01-01T00:00:00Z"}, {"portal": "another"}])
def test_a_set_that_is_not_what_its_name_says_is_refused(left: Left, lie: dict[str, str]) -> None:
    for name in left.media:
        left.forge(name, **lie)

    with pytest.raises(SetDamaged, match="it claims another origin: made at"):
        left.found()


def test_two_whole_copies_that_differ_are_refused_whichever_comes_first(left: Left) -> None:
    left.forge("memory-1", software="somebody's own")

    with pytest.raises(SetDamaged, match="not of the same set"):
        left.found()


def test_a_copy_that_could_not_be_read_is_not_called_damaged(left: Left) -> None:
    away = AwayMedium("memory-3")

    found = left.found(away=away)

    assert [copy.state for copy in found.copies] == [CopyState.VERIFIED, CopyState.VERIFIED, CopyState.SEALED]
    assert "not checked" in found.copies[2].problem


class AwayMedium(MemoryMedium):
    """A medium that went away after it was listed."""

    def open_set(self, set_id: SetId) -> MemoryStoredSet:
        raise MediumInterrupted(msg("backup medium {medium}: the line was cut", medium=self.id), msg("Try again."))
