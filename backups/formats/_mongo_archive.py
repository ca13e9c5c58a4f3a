"""Reading an archive of mongodump while it goes by: which collections are in it, how many documents, and whether it is whole.

    magic 0x8199e26d, a header, one document for each collection, terminator
    blocks: a header {db, collection, EOF, CRC}, documents, terminator; the last block of a collection has EOF and no documents

All numbers are little-endian; a document is BSON and begins with its length; a terminator is the number -1 where a length
would be. Source: mongo-tools, common/archive/spec.md. The oplog is the collection `oplog` of a database without a name.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

MAGIC = 0x8199E26D
MAX_HEADER_BYTES = 16 << 20
_TERMINATOR = -1
_OPLOG = ("", "oplog")
_FIXED = {0x01: 8, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8}
"""Lengths of BSON values that have one, by type; 0x02 is a string, which tells its own."""


class ArchiveReader:
    """Takes an archive piece by piece; never raises for what is in it."""

    def __init__(self) -> None:
        self.problem = ""
        """What is wrong with it, as far as it was read; what follows is not checked."""
        self._buffer = b""
        self._skip = 0
        self._state = "magic"
        self._header_was_seen = False
        self._counts: dict[tuple[str, str], int] = {}
        self._ended: set[tuple[str, str]] = set()
        self._current: tuple[str, str] = ("", "")
        self._is_last = False

    @property
    def documents(self) -> Mapping[str, int]:
        """Return the documents of each collection, without the oplog."""
        return {f"{db}.{name}": n for (db, name), n in sorted(self._counts.items()) if (db, name) != _OPLOG}

    def verdict(self) -> str:
        """Return what is wrong with the whole archive, or an empty text."""
        if self.problem:
            return self.problem
        if self._state != "block" or self._buffer or self._skip:
            return "it is cut short"
        for db, name in sorted(self._counts):
            if (db, name) not in self._ended:
                return f"the collection {db}.{name} does not end"
        if _OPLOG not in self._ended:
            return "it has no oplog, so it is not of one moment"
        return ""

    def take(self, piece: bytes) -> None:
        """Take the next bytes in."""
        if self.problem:
            return
        if self._skip >= len(piece):
            self._skip -= len(piece)
            return
        data = self._buffer + piece[self._skip :]
        self._skip = 0
        at = 0
        while len(data) - at >= 4 and not self.problem:
            (size,) = struct.unpack_from("<i", data, at)
            if self._state == "magic":
                self._state = "prelude"
                self.problem = "" if size & 0xFFFFFFFF == MAGIC else "it is no archive of mongodump"
                at += 4
            elif size == _TERMINATOR:
                self._end()
                at += 4
            elif size < 5:
                self.problem = f"a document has the length {size}"
            elif self._state == "documents":
                self._add_document()
                at += size  # its content is not looked at
            elif size > MAX_HEADER_BYTES:
                self.problem = f"a header has the length {size}"
            elif len(data) - at < size:
                break
            else:
                self._take_header(data[at : at + size])
                at += size
        if at > len(data):
            self._skip, self._buffer = at - len(data), b""
        else:
            self._buffer = data[at:]

    def _end(self) -> None:
        if self._state == "documents" and self._is_last:
            self._ended.add(self._current)
        self._state = "block"

    def _add_document(self) -> None:
        if self._is_last:
            self.problem = f"the collection {'.'.join(self._current)} goes on behind its end"
        self._counts[self._current] += 1

    def _take_header(self, document: bytes) -> None:
        values = _values(document)
        if self._state == "prelude" and not self._header_was_seen:
            self._header_was_seen = True  # versions alone
            return
        db, name, is_last = values.get("db"), values.get("collection"), values.get("EOF", False)
        if not isinstance(db, str) or not isinstance(name, str):
            self.problem = "a header names no collection"
            return
        self._counts.setdefault((db, name), 0)
        if self._state == "block":
            self._current, self._is_last, self._state = (db, name), is_last is True, "documents"


def _values(document: bytes) -> dict[str, str | bool]:
    """Return the texts and truth values of a document, up to the first value of a type that no header has."""
    found: dict[str, str | bool] = {}
    at = 4
    while at < len(document) - 1:
        kind = document[at]
        end = document.find(b"\0", at + 1)
        if end < 0:
            break
        name = document[at + 1 : end].decode("utf-8", "replace")
        at = end + 1
        if kind == 0x02 and at + 4 <= len(document):
            (size,) = struct.unpack_from("<i", document, at)
            if size < 1:
                break
            found[name] = document[at + 4 : at + 3 + size].decode("utf-8", "replace")
            at += 4 + size
        elif kind in _FIXED:
            if kind == 0x08:
                found[name] = document[at : at + 1] == b"\x01"
            at += _FIXED[kind]
        else:
            break
    return found
