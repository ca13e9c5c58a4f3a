"""Digests of contents are taken beside the reading; lines of the index wait for them, in order."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from backups.age import decrypted, parse_recipient
from backups.fanout import Lane
from backups.index import parse_line
from backups.packing import SetPacker
from backups.streams import SourceStreams
from backups.zstd import ZstdDecompressor
from portalops.model.backups import MemberType, SetId, Stream, StreamMember
from portalops.model.record import Digest
from tests.backups.kit import MIB, disk, keys, source


def member(path: str, offset: int, size: int, sha256: Digest | None = None) -> StreamMember:
    return StreamMember(MemberType.FILE, path, size, 0o644, 0, 0, 0, offset, sha256)


@pytest.mark.parametrize("size", [1, MIB - 1, MIB, MIB + 1, 3 * MIB])
def test_a_member_whose_content_is_hashed_later_has_its_digest_in_the_index(tmp_path: Path, size: int) -> None:
    stored = disk(tmp_path, "disk")
    stored.prepare([])
    lane = Lane("disk", stored.begin(SetId("set"), expected_bytes=0))
    (tmp_path / "some").write_text("x")
    packer = SetPacker([parse_recipient(keys().public[0][1])], [lane], pack_bytes=2 * MIB)
    data = bytes(number % 251 for number in range(size))
    opener = SourceStreams(packer, source("files", {"class": "related", "include": ["some"]}, tmp_path))

    with opener.stream("files", format="tar") as stream:
        content, at = hashlib.sha256(), 0
        while at < size:
            room = stream.room()[: size - at]
            room[:] = data[at : at + len(room)]
            stream.filled(len(room), content=content)
            at += len(room)
        if size % MIB == 0:
            stream.room()  # the buffer that holds the last of it is handed on, and nothing follows
        stream.add_member(member("large", 0, size), content=content)
        stream.add_member(member("small", size, 0, Digest("0" * 64)))
    packer.flush()
    packer.stop()
    lane.finish(seal=True)
    assert lane.join(10)

    made = opener.streams[0]
    assert [(each.path, each.sha256) for each in index_of(made, tmp_path / "disk" / "set")] == [
        ("large", hashlib.sha256(data).hexdigest()),
        ("small", "0" * 64),
    ]


def index_of(stream: Stream, folder: Path) -> list[StreamMember]:
    assert stream.index is not None
    file = io.BytesIO((folder / stream.index.path).read_bytes())
    text = ZstdDecompressor().decompress(b"".join(decrypted(file, [keys().identity])))
    return [parse_line(line) for line in text.splitlines()]
