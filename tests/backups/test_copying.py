"""Copies that are made up later, and what stands in their way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backups.copying import run_copies, wanted_copies
from portalops.model.backups import BackupSet, Copy, CopyResult, CopyState, SetId, SetKind, VerifyLevel
from portalops.model.record import Digest
from portalops.model.verdicts import RunOutcome
from portalops.ports import Medium
from portalops.registers.evidence import SetEvidence
from tests.backups.kit import NOW, back_up, disk, odd_tree, source
from tests.backups.memory import MemoryMedium
from tests.doubles import FixedClock, SilentProgress


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
    files[path] = files[path][:-1] + b"!"

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
    (tmp_path / "disk-a" / made.set.id / "manifest-sha256.txt").write_bytes(b"")

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


def wanted(sets: list[SetEvidence], **only: str) -> list[tuple[str, str, list[str]]]:
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
