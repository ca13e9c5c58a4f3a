"""Members of a pax tar stream, one after the other, from an archive that need not be trusted.

Reads what `backups.tar` writes, and what GNU tar does in the pax format: ustar headers, pax headers of single members. Names
are given as they are; whoever extracts decides where they may lead (`backups.extract`).
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import struct
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from backups.tar import BLOCK_BYTES, TarEntry
from portalops.errors import SetDamaged
from portalops.model.backups import MemberType
from portalops.model.message import Message, msg

MAX_PAX_BYTES = 4 << 20
"""Pax headers hold names (4 KiB at most) and extended attributes (64 KiB each)."""

_TYPES = {
    b"0": MemberType.FILE,
    b"\0": MemberType.FILE,
    b"1": MemberType.HARDLINK,
    b"2": MemberType.SYMLINK,
    b"3": MemberType.CHARACTER_DEVICE,
    b"4": MemberType.BLOCK_DEVICE,
    b"5": MemberType.FOLDER,
    b"6": MemberType.FIFO,
}
_OCTAL = re.compile(rb"[0-7]+")
_XATTR = b"SCHILY.xattr."
_ACCESS_LISTS = {b"SCHILY.acl.access": "system.posix_acl_access", b"SCHILY.acl.default": "system.posix_acl_default"}
_ACCESS = re.compile(r"(user|group|mask|other):([^:]*):([r-][w-][x-])(?::\d+)?")
_TAGS = {
    ("user", False): 0x01,
    ("user", True): 0x02,
    ("group", False): 0x04,
    ("group", True): 0x08,
    ("mask", False): 0x10,
    ("other", False): 0x20,
}
"""As linux/posix_acl_xattr.h numbers them."""


class TarReader:
    """Reads an archive from pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes | memoryview]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")
        self._left = 0
        """Content of the current member that was not read, with its padding."""
        self._padding = 0
        self.position = 0
        """Bytes of the archive that were read."""
        self.offset = 0
        """Where the current member's first header begins."""

    def __iter__(self) -> Iterator[TarEntry]:
        """Yield each member; its content is read by `content` before the next one, or passed over.

        Raises:
            SetDamaged: the archive is malformed or cut short.
        """
        while True:
            for _piece in self.content():
                pass
            self.offset = self.position
            block = self._block()
            records: Mapping[bytes, bytes] = {}
            if block[156:157] == b"x":
                records = _parse_records(self._pax_body(_size(block)))
                block = self._block()
            if not any(block):
                if records or any(self._block()):
                    raise _malformed(msg("it does not end as an archive does"))
                self._require_end()
                return
            entry = _entry(block, records)
            self._left = entry.size if entry.type is MemberType.FILE else 0
            self._padding = -self._left % BLOCK_BYTES
            yield entry

    def content(self) -> Iterator[memoryview]:
        """Yield what was not yet read of the current member's content."""
        while self._left:
            piece = self._some(self._left)
            self._left -= len(piece)
            yield piece
        if self._padding:
            self._exactly(self._padding)
            self._padding = 0

    def _pax_body(self, size: int) -> bytes:
        if size > MAX_PAX_BYTES:
            raise _malformed(msg("a pax header is far too long"))
        body = self._exactly(size)
        self._exactly(-size % BLOCK_BYTES)
        return body

    def _block(self) -> bytes:
        return self._exactly(BLOCK_BYTES)

    def _exactly(self, size: int) -> bytes:
        if len(self._held) >= size:
            return bytes(self._some(size))
        parts = []
        while size:
            part = self._some(size)
            size -= len(part)
            parts.append(bytes(part))
        return b"".join(parts)

    def _some(self, most: int) -> memoryview:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                raise _malformed(msg("it is cut short"))
            self._held = memoryview(piece)
        taken = self._held[:most]
        self._held = self._held[most:]
        self.position += len(taken)
        return taken

    def _require_end(self) -> None:
        """Read to the end, where the checks of packs and streams are; behind the archive is nothing."""
        if self._held or any(len(piece) > 0 for piece in self._pieces):
            raise _malformed(msg("there is data behind its end"))


def _entry(block: bytes, records: Mapping[bytes, bytes]) -> TarEntry:
    signed = sum(block) - sum(block[148:156]) + sum(b"        ")  # the checksum itself counts as spaces
    if _octal(block[148:156]) != signed:
        raise _malformed(msg("the checksum of a header is wrong"))
    kind = _TYPES.get(block[156:157])
    if kind is None or block[257:263] != b"ustar\0":
        raise _malformed(msg("a member is of an unknown type: {type}", type=repr(block[156:157])))
    prefix = _text(block[345:500])
    name = records.get(b"path", (prefix + b"/" if prefix else b"") + _text(block[:100]))
    link = records.get(b"linkpath", _text(block[157:257]))
    seconds = _octal(block[136:148])
    return TarEntry(
        type=kind,
        path=os.fsdecode(name).rstrip("/") if kind is MemberType.FOLDER else os.fsdecode(name),
        size=_whole(records.get(b"size"), _octal(block[124:136])),
        mode=_octal(block[100:108]) & 0o7777,
        uid=_whole(records.get(b"uid"), _octal(block[108:116])),
        gid=_whole(records.get(b"gid"), _octal(block[116:124])),
        mtime_ns=_nanoseconds(records[b"mtime"]) if b"mtime" in records else seconds * 1_000_000_000,
        link=os.fsdecode(link),
        device=(_octal(block[329:337]), _octal(block[337:345])),
        attributes={
            os.fsdecode(key.removeprefix(_XATTR).replace(b"%3D", b"=").replace(b"%25", b"%")): value
            for key, value in records.items()
            if key.startswith(_XATTR)
        }
        | {name: access_list(records[key]) for key, name in _ACCESS_LISTS.items() if key in records},
    )


def access_list(text: bytes) -> bytes:
    """Return an access list as the attribute of a file holds it, from the text that GNU tar writes (acl(5)).

    A name is looked up here. What is not understood, such as the name of an account that is not here, is returned as
    it is: no file takes that for its access list, and the restore says so.

    >>> access_list(b"user::rw-\\nuser:1000:r--\\ngroup::r--\\nmask::r--\\nother::---").hex()[:24]
    '0200000001000600ffffffff'
    """
    entries = []
    for line in text.decode("utf-8", "replace").replace(",", "\n").splitlines():
        entry = line.partition("#")[0].strip()
        found = _ACCESS.fullmatch(entry)
        if entry and found is None:
            return text
        if found is not None:
            tag, name, rights = found.groups()
            number = _number(tag, name)
            if number is None:
                return text
            bits = sum(bit for bit, sign in ((4, "r"), (2, "w"), (1, "x")) if sign in rights)
            entries.append((_TAGS[tag, bool(name)], bits, number))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in sorted(entries, key=_order))


def _order(entry: tuple[int, int, int]) -> tuple[int, int]:
    return entry[0], entry[2]


def _number(tag: str, name: str) -> int | None:
    if not name:
        return 0xFFFFFFFF
    if name.isdecimal():
        return int(name) if len(name) <= 10 and int(name) < 1 << 32 else None
    try:
        return pwd.getpwnam(name).pw_uid if tag == "user" else grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _parse_records(body: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(body):
        space = body.find(b" ", at, at + 12)
        length = _whole(body[at:space], 0) if space > at else 0
        record = body[space + 1 : at + length]
        key, equals, value = record.partition(b"=")
        if length < 5 or at + length > len(body) or not equals or not value.endswith(b"\n"):
            raise _malformed(msg("a pax header is malformed"))
        found[key] = value[:-1]
        at += length
    return found


def _size(block: bytes) -> int:
    return _octal(block[124:136])


@lru_cache(maxsize=1024)
def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if digits and not _OCTAL.fullmatch(digits):
        raise _malformed(msg("a number in a header is malformed"))
    return int(digits or b"0", 8)


def _whole(text: bytes | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.isdigit() or len(text) > 19:
        raise _malformed(msg("a number in a pax header is malformed"))
    return int(text)


def _nanoseconds(text: bytes) -> int:
    try:
        moment = Decimal(text.decode("ascii"))
        if not moment.is_finite() or abs(moment) > 1 << 40:
            raise InvalidOperation  # noqa: TRY301  # one answer for everything that is no time
    except (InvalidOperation, UnicodeDecodeError) as error:
        raise _malformed(msg("a time in a pax header is malformed")) from error
    return int(moment * 1_000_000_000)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _malformed(cause: Message) -> SetDamaged:
    return SetDamaged(
        msg("the archive in the stream is malformed: {cause}", cause=cause),
        msg("Restore from another copy of the set."),
    )
