"""What others may have written into one copy of a set: damage of that copy, and of nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backups.bag import TAG_MANIFEST, digest_of, parse_manifest
from backups.contents import index_members
from backups.index import line_of, parse_line
from backups.merged import merge_copies
from backups.restore import restore_set
from backups.set_file import NAME, parse_set_file
from backups.verify import verify_copy
from portalops.errors import SetDamaged, SetOfLaterVersion
from portalops.model.backups import MemberType, StreamMember, VerifyLevel
from portalops.model.record import Digest
from tests.backups.kit import keys, snapshot
from tests.backups.test_merged import Portal

DEEP = "[" * 200_000 + "]" * 200_000


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("portal"))


def whole(text: str) -> Callable[[bytes], bytes]:
    return lambda _data: text.encode("utf-8", "surrogatepass")


def with_first(key: str, text: str) -> Callable[[bytes], bytes]:
    """Put a text in place of the first value of a key, an integer or a text."""

    def change(data: bytes) -> bytes:
        before, _key, after = data.decode().partition(f'"{key}":')
        value, end = json.JSONDecoder().raw_decode(after.lstrip())
        rest = after.lstrip()[end:]
        assert value is not None
        return f'{before}"{key}":{text}{rest}'.encode("utf-8", "surrogatepass")

    return change


SET_FILES = {
    "deep": whole(f'{{"schema":"portalops.backup-set/2","streams":{DEEP}}}'),
    "deep, of a later version": whole(f'{{"schema":"portalops.backup-set/9","streams":{DEEP}}}'),
    "deep and cut": whole('{"schema":' + "[" * 200_000),
    "NaN": with_first("plain_bytes", "NaN"),
    "a number without end": with_first("plain_bytes", "9" * 5000),
    "a number of 100 digits": with_first("plain_bytes", "9" * 100),
    "beyond 64 bits": with_first("stored_bytes", str(1 << 63)),
    "below zero": with_first("members", "-1"),
    "no number": with_first("stored_bytes", "1e400"),
    "half a letter": with_first("portal", '"\\ud800"'),
    "half a letter, in bytes": with_first("portal", '"\ud800"'),
    "a moment without a zone": with_first("created_at", '"2026-11-25T03:04:05"'),
    "before all moments": with_first("created_at", '"0001-01-01T00:00:00+14:00"'),
    "a list": whole("[1, 2]"),
    "nothing": whole(""),
}


@pytest.mark.parametrize("change", SET_FILES.values(), ids=SET_FILES)
def test_a_tampered_set_file_is_damage_of_its_own_copy(
    portal: Portal, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    """Its tag manifest fits, so that nothing but what the file says tells."""
    files = dict(portal.media[1].stored[portal.set.id])
    files[NAME] = change(files[NAME])
    tags = parse_manifest(TAG_MANIFEST, files[TAG_MANIFEST])
    tags[NAME] = digest_of(files[NAME])
    files[TAG_MANIFEST] = "".join(f"{digest}  {path}\n" for path, digest in tags.items()).encode()
    portal.media[0].stored[portal.set.id] = files
    stored = portal.media[0].open_set(portal.set.id)

    with pytest.raises(SetDamaged):
        parse_set_file(files[NAME])
    found = verify_copy(stored, portal.set.id, bag_sha256=portal.set.bag_sha256, level=VerifyLevel.L2)
    assert any(problem.startswith(NAME) for problem in found.problems)
    assert verify_copy(stored, portal.set.id, bag_sha256=None, level=VerifyLevel.L1).content is None
    for number, known in enumerate((portal.set.bag_sha256, None)):
        merged = merge_copies(portal.set.id, portal.media, bag_sha256=known, keys=None).set
        target = tmp_path / str(number)
        report = restore_set(merged, [keys().identity], target, source="web")
        assert {each.medium for each in report.faults} == {"disk-a"}
        assert snapshot(target / "web" / portal.prefix) == snapshot(portal.tree)


def test_a_later_version_is_told_though_numbers_are_odd() -> None:
    with pytest.raises(SetOfLaterVersion):
        parse_set_file(b'{"schema":"portalops.backup-set/9","streams":{"x":1}}')


def line(**more: Any) -> bytes:
    member = StreamMember(
        type=MemberType.FILE, path="a", size=1, mode=420, uid=0, gid=0, mtime_ns=1, offset=0, sha256=Digest("0" * 64), link=""
    )  # fmt: skip
    return json.dumps({**json.loads(line_of(member, pack=1)), **more}).encode()


def test_a_name_of_any_bytes_is_read_and_written_again() -> None:
    assert parse_line(line(path="tệp \udcff")).path == "tệp \udcff"


BAD_LINES = {
    "deep": b"[" * 100_000,
    "a deep value": line()[:-1] + b',"more":' + DEEP.encode() + b"}",
    "a time without end": line()[:-1] + b',"mtime_ns":1e400}',
    "no number": line()[:-1] + b',"mtime_ns":NaN}',
    "a time that is a text": line(mtime_ns="1"),
    "a time beyond 64 bits": line(mtime_ns=-(1 << 63) - 1),
    "a size beyond 64 bits": line(size=1 << 63),
    "an offset of 5000 digits": line()[:-1] + b',"offset":' + b"9" * 5000 + b"}",
    "true as a number": line(uid=True),
    "half a letter": line(path="\ud800"),
    "NUL in a path": line(path="a\0b"),
    "NUL in a link": line(link="a\0b"),
    "a list": b"[1, 2]",
    "a type that is a list": line(type=[1]),
    "bytes of no coding": b'{"type":"\xff"}',
}


@pytest.mark.parametrize("data", BAD_LINES.values(), ids=BAD_LINES)
def test_a_line_of_an_index_that_no_backup_writes_is_damage(data: bytes) -> None:
    with pytest.raises(SetDamaged):
        parse_line(data)


def test_an_index_is_not_read_beyond_the_members_of_its_stream(portal: Portal) -> None:
    """One of equal lines is compressed to next to nothing, and could be read for hours."""
    merged, stream = portal.merged(), portal.stream
    assert len(list(index_members(merged, stream, [keys().identity]))) == stream.members

    with pytest.raises(SetDamaged, match=f"it lists more than the {stream.members - 1} members"):
        list(index_members(merged, replace(stream, members=stream.members - 1), [keys().identity]))
