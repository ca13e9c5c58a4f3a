"""Headers of POSIX tar archives in the pax format (POSIX.1-2017, pax, "pax Interchange Format").

What a ustar header can't hold goes into a pax header before it: long names, names beyond ASCII, sizes from 8 GiB on,
large ids, nanoseconds, extended attributes (as `SCHILY.xattr.*`, which GNU tar and bsdtar read). Names that are not
UTF-8 are written as they are, marked by `hdrcharset=BINARY`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from portalops.model.backups import MemberType

TAR = "tar"
"""The format of streams that are archives."""
BLOCK_BYTES = 512
END_BYTES = bytes(2 * BLOCK_BYTES)
"""Two blocks of zeros end an archive."""

_TYPES = {
    MemberType.FILE: b"0",
    MemberType.HARDLINK: b"1",
    MemberType.SYMLINK: b"2",
    MemberType.CHARACTER_DEVICE: b"3",
    MemberType.BLOCK_DEVICE: b"4",
    MemberType.FOLDER: b"5",
    MemberType.FIFO: b"6",
}
_PAX = b"x"
_NAME_BYTES = 100
_OWNER_BYTES = 31
_MAX_ID = 0o7777777
_MAX_SIZE = 0o77777777777


@dataclass(frozen=True, slots=True)
class TarEntry:
    """What a tar header says."""

    type: MemberType
    path: str
    """Relative, without a leading slash; a folder's without a trailing one."""
    size: int = 0
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    owner: str = ""
    group: str = ""
    mtime_ns: int = 0
    link: str = ""
    device: tuple[int, int] = (0, 0)
    attributes: Mapping[str, bytes] = field(default_factory=dict)
    """Extended attributes by full name."""


def header(entry: TarEntry) -> bytes:
    """Return the header blocks of a member; its content, padded to whole blocks, is to follow."""
    name = os.fsencode(entry.path) + (b"/" if entry.type is MemberType.FOLDER else b"")
    link = os.fsencode(entry.link)
    records = _records(entry, name, link)
    plain = _ustar(
        entry, type_flag=_TYPES[entry.type], name=name[:_NAME_BYTES], link=link[:_NAME_BYTES], size=entry.size
    )
    if not records:
        return plain
    body = b"".join(_record(key, value) for key, value in records)
    carrier = b"./PaxHeaders/" + name.rstrip(b"/").rpartition(b"/")[2][: _NAME_BYTES - 13]
    pax = _ustar(entry, type_flag=_PAX, name=carrier, link=b"", size=len(body))
    return b"".join((pax, body, padding(len(body)), plain))


def padding(size: int) -> bytes:
    """Return the zeros that fill content of this size up to whole blocks."""
    return bytes(-size % BLOCK_BYTES)


def _records(entry: TarEntry, name: bytes, link: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    if not (_is_utf8(name) and _is_utf8(link)):
        found.append((b"hdrcharset", b"BINARY"))
    if len(name) > _NAME_BYTES or not name.isascii():
        found.append((b"path", name))
    if len(link) > _NAME_BYTES or not link.isascii():
        found.append((b"linkpath", link))
    if entry.size > _MAX_SIZE:
        found.append((b"size", b"%d" % entry.size))
    if entry.uid > _MAX_ID:
        found.append((b"uid", b"%d" % entry.uid))
    if entry.gid > _MAX_ID:
        found.append((b"gid", b"%d" % entry.gid))
    for key, text in ((b"uname", entry.owner), (b"gname", entry.group)):
        if len(text) > _OWNER_BYTES or not text.isascii():
            found.append((key, os.fsencode(text)))
    if entry.mtime_ns % 1_000_000_000 or not 0 <= entry.mtime_ns // 1_000_000_000 <= _MAX_SIZE:
        found.append((b"mtime", _moment(entry.mtime_ns)))
    if entry.attributes:
        found += [(b"SCHILY.xattr." + _keyword(key), value) for key, value in sorted(entry.attributes.items())]
    return found


def _keyword(name: str) -> bytes:
    """Return an attribute's name as a keyword, which ends at the first `=`: escaped as GNU tar does it (from 1.29 on)."""
    return os.fsencode(name).replace(b"%", b"%25").replace(b"=", b"%3D")


def _record(key: bytes, value: bytes) -> bytes:
    """Return `LENGTH KEY=VALUE\\n`, whose length counts its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) != len(str(rest)):
        length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _moment(ns: int) -> bytes:
    """Return seconds with nine decimals; before 1970 with a sign in front of the whole number."""
    sign = "-" if ns < 0 else ""
    seconds, rest = divmod(abs(ns), 1_000_000_000)
    return f"{sign}{seconds}.{rest:09d}".encode()


_BLANK_CHECKSUM = 8 * ord(" ")
"""A header's checksum counts its own field as blanks."""


def _ustar(entry: TarEntry, *, type_flag: bytes, name: bytes, link: bytes, size: int) -> bytes:
    """Return one block: name, mode, uid, gid, size, mtime, checksum, type, link, and what `_tail` says.

    Two are made for nearly every member, hence the fields that repeat are kept, with the sums of their bytes.
    """
    permissions, permissions_sum = _permissions(entry.mode, entry.uid, entry.gid)
    tail, tail_sum = _tail(entry.owner, entry.group, entry.device)
    seconds = min(max(entry.mtime_ns // 1_000_000_000, 0), _MAX_SIZE)
    numbers = b"%011o\0%011o\0" % (size if size <= _MAX_SIZE else 0, seconds)
    checksum = permissions_sum + tail_sum + _BLANK_CHECKSUM + sum(b"%s%s%s%s" % (name, numbers, type_flag, link))
    return b"".join(
        (
            name.ljust(_NAME_BYTES, b"\0"),
            permissions,
            numbers,
            b"%06o\0 " % checksum,
            type_flag,
            link.ljust(_NAME_BYTES, b"\0"),
            tail,
        )
    )


@lru_cache(maxsize=1024)
def _permissions(mode: int, uid: int, gid: int) -> tuple[bytes, int]:
    fields = b"%07o\0%07o\0%07o\0" % (mode, min(uid, _MAX_ID), min(gid, _MAX_ID))
    return fields, sum(fields)


@lru_cache(maxsize=1024)
def _tail(owner: str, group: str, device: tuple[int, int]) -> tuple[bytes, int]:
    """Return magic and version, owner, group and device; there is never a prefix."""
    major, minor = device
    fields = struct.pack(
        "8s 32s 32s 8s 8s 167x",
        b"ustar\x0000",
        os.fsencode(owner)[:_OWNER_BYTES],
        os.fsencode(group)[:_OWNER_BYTES],
        b"%07o" % min(major, _MAX_ID),
        b"%07o" % min(minor, _MAX_ID),
    )
    return fields, sum(fields)


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
