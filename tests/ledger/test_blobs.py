"""A blob is whole or not there, and read back against its name."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.errors import IntegrityError, LedgerError, LedgerFull
from portalops.ledger.blobs import BlobFolder
from portalops.model.record import Digest

DATA = b"PermitRootLogin no\n" * 100


@given(st.binary(max_size=5000))
def test_bytes_come_back(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = BlobFolder(Path(folder))
        digest = store.keep(data)

        assert digest == hashlib.sha256(data).hexdigest()
        assert store.read(digest) == data


def test_a_blob_lies_under_its_digest_and_nothing_else_is_left(tmp_path: Path) -> None:
    digest = BlobFolder(tmp_path).keep(DATA)

    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [Path(digest[:2], digest[2:4], f"{digest}.zst")]


@pytest.mark.needs("age", "zstd", "tar")
def test_the_stock_program_reads_a_blob(tmp_path: Path) -> None:
    store = BlobFolder(tmp_path)

    done = subprocess.run(["zstd", "-dc", store.path(store.keep(DATA))], capture_output=True, check=True)

    assert done.stdout == DATA


def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    store = BlobFolder(tmp_path)
    digest = store.keep(DATA)
    before = store.path(digest).stat().st_ino

    assert store.keep(DATA) == digest
    assert store.path(digest).stat().st_ino == before
    assert list(store.digests()) == [digest]


def test_a_damaged_blob_is_written_anew_when_the_right_bytes_come_again(tmp_path: Path) -> None:
    store = BlobFolder(tmp_path)
    digest = store.keep(DATA)
    _replace(store.path(digest), b"")

    store.keep(DATA)

    assert store.read(digest) == DATA


@pytest.mark.parametrize("cut", [0, 1, 5, -4, -1])
def test_a_truncated_blob_is_never_read_as_a_short_one(tmp_path: Path, cut: int) -> None:
    store = BlobFolder(tmp_path)
    digest = store.keep(DATA)

    _replace(store.path(digest), store.path(digest).read_bytes()[:cut])

    with pytest.raises(IntegrityError):
        store.read(digest)


@pytest.mark.heavy
@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = BlobFolder(Path(folder))
        digest = store.keep(DATA)
        stored = store.path(digest).read_bytes()
        place = data.draw(st.integers(0, len(stored) - 1))
        _replace(
            store.path(digest),
            stored[:place] + bytes([stored[place] ^ data.draw(st.integers(1, 255))]) + stored[place + 1 :],
        )

        with suppress(IntegrityError):
            assert store.read(digest) == DATA  # a bit of the frame's header that means nothing


def test_another_blobs_bytes_are_found(tmp_path: Path) -> None:
    store = BlobFolder(tmp_path)
    one, two = store.keep(b"one"), store.keep(b"two")

    _replace(store.path(one), store.path(two).read_bytes())

    with pytest.raises(IntegrityError, match="does not match its digest"):
        store.read(one)


def test_bytes_after_the_frame_are_found(tmp_path: Path) -> None:
    store = BlobFolder(tmp_path)
    digest = store.keep(DATA)

    _replace(store.path(digest), store.path(digest).read_bytes() + b"\0")

    with pytest.raises(IntegrityError, match="after its end"):
        store.read(digest)


def test_a_missing_blob_is_an_integrity_error(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="missing"):
        BlobFolder(tmp_path).read(Digest("0" * 64))


def test_decompression_is_bounded(tmp_path: Path) -> None:
    digest = BlobFolder(tmp_path).keep(b"\0" * 100_000)

    store = BlobFolder(tmp_path, max_bytes=10_000)

    with pytest.raises(IntegrityError, match="more than"):
        store.read(digest)
    with pytest.raises(LedgerError, match="larger than"):
        store.keep(b"1" * 10_001)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"")

    with pytest.raises(LedgerFull, match="cannot write a blob"):
        BlobFolder(tmp_path / "blobs").keep(DATA)


def test_a_blob_can_be_read_by_others(tmp_path: Path) -> None:
    store = BlobFolder(tmp_path)

    assert store.path(store.keep(DATA)).stat().st_mode & 0o444 == 0o444


def _replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)
