"""A stream that goes to a program: whole and checked, or without its end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from backups.age import parse_identity
from backups.merged import MergedSet
from backups.set_file import SetFile, parse_set_file
from backups.stream_output import find_stream, stream_out
from portalops.errors import BackupError, SetDamaged, WrongKey
from portalops.model.backups import SetId
from tests.backups.kit import alone, back_up, keys, source
from tests.backups.memory import MemoryMedium

PACKS = "data/content/dump/output"
SIZE = 1_300_000


class Made:
    """A set of two dumps, the first one in five packs."""

    def __init__(self, folder: Path) -> None:
        self.medium = MemoryMedium("memory-1")
        self.data = os.urandom(SIZE)
        (folder / "dump").write_bytes(self.data)
        sources = [
            source("command", {"command": ["cat", str(folder / "dump")]}, folder, id="dump"),
            source("command", {"command": ["echo", "small"]}, folder, id="small"),
        ]
        result = back_up(sources, [self.medium], pack_bytes=256 << 10)
        assert result.set is not None
        self.id: SetId = result.set.id

    @property
    def content(self) -> SetFile:
        return parse_set_file(self.medium.stored[self.id]["set.json"])

    def whole(self) -> MergedSet:
        return alone(self.medium.open_set(self.id), self.content)

    def changed(self, name: str, change: Callable[[bytes], bytes]) -> MemoryMedium:
        """The set on another medium, with one file changed."""
        files = self.medium.stored[self.id]
        medium = MemoryMedium("memory-2")
        medium.stored[self.id] = {**files, name: change(files[name])}
        return medium


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


def handed(made: Made, medium: MemoryMedium, into: bytearray) -> int:
    stream = find_stream(made.content, "dump", None)
    return stream_out(alone(medium.open_set(made.id), made.content), stream, [keys().identity], into.extend)


def test_the_reader_gets_the_stream(made: Made) -> None:
    got, told = bytearray(), 0

    def on_bytes(count: int) -> None:
        nonlocal told
        told += count

    stream = find_stream(made.content, "dump", "output")
    size = stream_out(made.whole(), stream, [keys().identity], got.extend, on_bytes=on_bytes)

    assert got == made.data
    assert size == told == SIZE


@pytest.mark.parametrize("pack", [1, 3, 5])
@pytest.mark.parametrize(
    "change",
    [lambda data: data[:-1], lambda data: data + b"x", lambda data: data[:999] + bytes([data[999] ^ 1]) + data[1000:]],
    ids=["cut", "longer", "other"],
)
def test_nothing_of_a_damaged_pack_goes_out(made: Made, pack: int, change: Callable[[bytes], bytes]) -> None:
    name, got = f"{PACKS}.{pack:04}.age", bytearray()

    with pytest.raises(SetDamaged, match=name) as raised:
        handed(made, made.changed(name, change), got)

    assert len(got) <= (pack - 1) * (256 << 10)
    assert made.data.startswith(got)
    if pack > 1:
        assert f"{len(got)} bytes written before" in str(raised.value)
        assert "Delete what was made" in str(raised.value.hint)


def test_a_stream_that_contradicts_its_packs_gives_nothing_out(made: Made) -> None:
    """Each pack is what `set.json` says of it, and the stream is not."""
    got = bytearray()
    text = made.medium.stored[made.id]["set.json"]
    other = parse_set_file(text.replace(f'"plain_bytes": {SIZE}'.encode(), f'"plain_bytes": {SIZE + 1}'.encode()))

    with pytest.raises(SetDamaged, match="not the stream that was made"):
        stream_out(made.whole(), find_stream(other, "dump", None), [keys().identity], got.extend)

    assert got == b""


def test_a_missing_pack_is_named(made: Made) -> None:
    files = dict(made.medium.stored[made.id])
    del files[f"{PACKS}.0002.age"]
    medium = MemoryMedium("memory-2")
    medium.stored[made.id] = files

    with pytest.raises(SetDamaged, match="0002"):
        handed(made, medium, bytearray())


def test_a_wrong_key_gives_nothing_out(made: Made) -> None:
    stranger, got = parse_identity(str(pyrage.x25519.Identity.generate())), bytearray()
    stream = find_stream(made.content, "dump", None)

    with pytest.raises(WrongKey):
        stream_out(made.whole(), stream, [stranger], got.extend)

    assert got == b""


def test_a_reader_that_goes_away_ends_it(made: Made) -> None:
    before = set(threading.enumerate())

    def gone(_piece: bytes) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        stream_out(made.whole(), find_stream(made.content, "dump", None), [keys().identity], gone)

    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("source_id", "name", "message"),
    [(None, None, "2 streams"), ("nobody", None, "0 streams"), ("dump", "nothing", "0 streams")],
)
def test_exactly_one_stream_must_be_meant(made: Made, source_id: str | None, name: str | None, message: str) -> None:
    with pytest.raises(BackupError, match=message) as raised:
        find_stream(made.content, source_id, name)

    assert "--source small --stream output" in str(raised.value.hint)
