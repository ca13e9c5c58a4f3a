from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from backups.plan import PlannedMedium, PlannedSource, make_plan
from portalops.errors import MediumUnavailable, TooFewRecipients
from portalops.model.backups import CopyState, DataClass, SetId
from portalops.model.message import msg
from portalops.model.verdicts import RunOutcome
from portalops.ports import StreamOpener
from tests.backups.kit import MIB, back_up, disk, keys, source
from tests.backups.memory import MemoryMedium, MemorySetWriter


class HungMedium(MemoryMedium):
    """A medium that stops taking data, as a network share does whose server is gone."""

    def __init__(self, medium_id: str) -> None:
        super().__init__(medium_id)
        self.released = threading.Event()

    def begin(self, set_id: SetId, *, expected_bytes: int) -> MemorySetWriter:
        return HungWriter(self, set_id, self.released)


class HungWriter(MemorySetWriter):
    def __init__(self, medium: MemoryMedium, set_id: SetId, released: threading.Event) -> None:
        super().__init__(medium, set_id)
        self._released = released

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._released.wait(60)
        super().write(data)


class FailingMedium(MemoryMedium):
    """A medium that fails when it is to be sealed."""

    def begin(self, set_id: SetId, *, expected_bytes: int) -> MemorySetWriter:
        return FailingWriter(self, set_id)


class FailingWriter(MemorySetWriter):
    def seal(self) -> None:
        raise MediumUnavailable(msg("the last block cannot be written"), msg("Use another one."))


class FaultyMedium(MemoryMedium):
    """A medium with a fault in its code."""

    def begin(self, set_id: SetId, *, expected_bytes: int) -> MemorySetWriter:
        return FaultyWriter(self, set_id)


class FaultyWriter(MemorySetWriter):
    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        raise AttributeError("no such thing")


class InterruptedSource:
    """A source during which a person presses Ctrl-C."""

    id, kind, data_class = "interrupted", "command", DataClass.CONTENT

    def places(self) -> Sequence[Path]:
        return ()

    def write(self, opener: StreamOpener) -> None:
        with opener.stream("output", format="raw") as out:
            out.write(b"x" * (5 * MIB))
            raise KeyboardInterrupt


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "noise.bin").write_bytes(bytes(range(256)) * (24 * 4096))
    return folder


def wait_for_threads() -> None:
    """Make sure that every thread of a run ends."""
    for thread in threading.enumerate():
        if thread.name.startswith(("medium-", "packs", "compress")):
            thread.join(60)
            assert not thread.is_alive(), thread.name


@pytest.mark.heavy
def test_a_medium_that_takes_nothing_does_not_stop_the_others(tmp_path: Path, tree: Path) -> None:
    hung, good = HungMedium("hung"), MemoryMedium("good")

    result = back_up([source("files", {"include": [str(tree)]}, tmp_path)], [hung, good], patience_seconds=2)

    hung.released.set()
    wait_for_threads()
    states = {copy.medium: copy.state for copy in result.copies}
    assert states == {"hung": CopyState.FAILED, "good": CopyState.VERIFIED}
    assert "2 s" in result.copies[0].problem
    assert hung.stored == {}


def test_a_medium_that_cannot_be_sealed_fails_alone(tmp_path: Path, tree: Path) -> None:
    media = [FailingMedium("failing"), MemoryMedium("good")]

    result = back_up([source("files", {"include": [str(tree)]}, tmp_path)], media)

    assert [copy.state for copy in result.copies] == [CopyState.FAILED, CopyState.VERIFIED]
    assert "the last block cannot be written" in result.copies[0].problem
    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE


def test_without_any_medium_there_is_no_set(tmp_path: Path, tree: Path) -> None:
    sources = [source("files", {"include": [str(tree)]}, tmp_path)]

    for media in ([], [FailingMedium("failing")], [disk(tmp_path, "absent", create=False)]):
        result = back_up(sources, media)
        assert result.set is None
        assert all(copy.state is CopyState.FAILED and copy.problem for copy in result.copies)


def test_a_fault_in_a_medium_is_no_mere_failure(tmp_path: Path, tree: Path) -> None:
    with pytest.raises(AttributeError, match="no such thing"):
        back_up([source("files", {"include": [str(tree)]}, tmp_path)], [FaultyMedium("faulty"), MemoryMedium("good")])


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    media = [disk(tmp_path, "disk-a"), disk(tmp_path, "disk-b")]

    with pytest.raises(KeyboardInterrupt):
        back_up([InterruptedSource()], media)

    assert [list((tmp_path / name).iterdir()) for name in ("disk-a", "disk-b")] == [[], []]
    wait_for_threads()


def test_the_same_bytes_are_on_every_medium(tmp_path: Path, tree: Path) -> None:
    media = [MemoryMedium("one"), MemoryMedium("two")]

    result = back_up([source("files", {"include": [str(tree)]}, tmp_path)], media)

    assert result.set is not None
    assert media[0].stored == media[1].stored
    sizes = [pack.plain_bytes for pack in result.set.streams[0].packs]
    assert set(sizes[:-1]) == {MIB}
    assert sum(sizes) == result.set.streams[0].plain_bytes


def test_fewer_than_two_different_keys_are_refused() -> None:
    (operator, escrow) = keys().public

    for recipients, n in (([], 0), ([operator], 1), ([operator, ("escrow", operator[1])], 1)):
        with pytest.raises(TooFewRecipients, match=f"2 different recipients; configured: {n}"):
            make_plan("demo", [], [], recipients, pack_bytes=MIB, excused={})
    assert make_plan("demo", [], [], [operator, escrow], pack_bytes=MIB, excused={}).recipients == (operator, escrow)


def test_a_plan_names_what_nothing_covers_and_nothing_excuses() -> None:
    plan = make_plan(
        "demo",
        [PlannedSource("a", "files", DataClass.CONFIGURATION), PlannedSource("b", "sqlite", DataClass.CONTENT)],
        [PlannedMedium("disk-a", "disk")],
        keys().public,
        pack_bytes=MIB,
        excused={DataClass.DOCUMENTS: "in the content", DataClass.CONTENT: "not needed, there is a source"},
    )

    assert plan.unmapped == (DataClass.ACCOUNTS, DataClass.CHANNELS, DataClass.RELATED)
    assert plan.excused == ((DataClass.DOCUMENTS, "in the content"),)
