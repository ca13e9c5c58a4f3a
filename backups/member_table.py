"""What sets hold, path by path, in a private database that lies on disk as soon as it is large.

A million members take no more memory than a thousand. Of a path that stands twice the last one counts, as it does for tar. A
differential is what its base holds, without what it says is no more, with its own members over it.
"""

from __future__ import annotations

import heapq
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from backups.age import PrivateKey
from backups.contents import damaged, index_members, removed_paths
from backups.merged import MergedSet
from portalops.errors import BackupError
from portalops.model.backups import MemberType, Stream, StreamMember
from portalops.model.message import msg
from portalops.model.record import Digest

REMOVED = "removed"
_CACHE_KIB = 32 << 10
_MADE = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -{_CACHE_KIB};
CREATE TABLE member (
    part INTEGER NOT NULL, path BLOB NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL, mode INTEGER NOT NULL,
    uid INTEGER NOT NULL, gid INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, place INTEGER NOT NULL, sha256 TEXT,
    link BLOB NOT NULL, is_of_base INTEGER NOT NULL, PRIMARY KEY (part, path)
) WITHOUT ROWID;
CREATE INDEX further_name ON member (part, link) WHERE type = 'hardlink';
"""
_COLUMNS = "path, type, size, mode, uid, gid, mtime_ns, place, sha256, link"
_OF_FILE = "type, size, mode, uid, gid, mtime_ns, sha256, link"
"""What all names of a file have in common."""
_PUT = f"INSERT OR REPLACE INTO member (part, {_COLUMNS}, is_of_base) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # names of columns


class Change(StrEnum):
    """How a path differs between two sets."""

    ADDED = "added"
    REMOVED = "removed"
    CONTENT = "content"
    """It holds other bytes, links elsewhere, or has become something else."""
    ATTRIBUTES = "attributes"
    """Its mode, owner or time alone."""


@dataclass(frozen=True, slots=True)
class ChangedPath:
    """A path that differs."""

    path: str
    change: Change
    before: StreamMember | None
    after: StreamMember | None


class MemberTable:
    """Members of several parts; a part is a stream of a set, by a number that its user gives. Close it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # no name: on disk, and gone when it is closed
        self._database.executescript(_MADE)
        self._database.execute("BEGIN")  # one for all: nothing is ever kept

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._database.close()

    def add(self, part: int, members: Iterable[StreamMember], *, is_of_base: bool = False) -> None:
        """Take members in; a later one takes the place of an earlier one of its path.

        Raises:
            SetDamaged: the index that they come from is, or a value is none that a file can have.
        """
        with _kept():
            self._database.executemany(_PUT, (_row(part, each, is_of_base) for each in members))

    def remove(self, part: int, paths: Iterable[str]) -> None:
        """Forget paths with all that lies below them."""
        with _kept():
            for path in paths:
                name = os.fsencode(path)
                self._database.execute("DELETE FROM member WHERE part = ? AND path = ?", (part, name))
                below = (part, name + b"/", name + b"0")  # the sign that follows the slash
                self._database.execute("DELETE FROM member WHERE part = ? AND path > ? AND path < ?", below)

    def forget(self, part: int) -> None:
        """Forget a part."""
        with _kept():
            self._database.execute("DELETE FROM member WHERE part = ?", (part,))

    def copy(self, part: int, into: int) -> None:
        """Take the members of a part into another one, as those of its base."""
        with _kept():
            self._database.execute(
                f"INSERT OR REPLACE INTO member SELECT ?, {_COLUMNS}, 1 FROM member WHERE part = ?",  # noqa: S608  # names of columns
                (into, part),
            )

    def has_links(self, part: int) -> bool:
        """Say whether a part has hard links."""
        with _kept():
            asked = "SELECT 1 FROM member WHERE part = ? AND type = 'hardlink' LIMIT 1"
            return self._database.execute(asked, (part,)).fetchone() is not None

    def is_linked(self, part: int, path: str) -> bool:
        """Say whether a hard link of a part leads to a path."""
        with _kept():
            asked = "SELECT 1 FROM member WHERE part = ? AND link = ? AND type = 'hardlink' LIMIT 1"
            return self._database.execute(asked, (part, os.fsencode(path))).fetchone() is not None

    def resolve_links(self, part: int, firsts: int) -> None:
        """Make each hard link of a part what its first name is: which of a file's names is the first says nothing about it.

        Args:
            part: whose hard links.
            firsts: the part that holds their first names; a hard link without one stays what it is.
        """
        with _kept():
            self._database.execute(
                f"UPDATE member SET ({_OF_FILE}) = (SELECT {_OF_FILE} FROM member AS first "  # noqa: S608  # names of columns
                "WHERE first.part = ? AND first.path = member.link) WHERE part = ? AND type = 'hardlink' AND EXISTS "
                "(SELECT 1 FROM member AS first WHERE first.part = ? AND first.path = member.link AND first.type != 'hardlink')",
                (firsts, part, firsts),
            )

    def count(self, part: int) -> int:
        with _kept():
            (found,) = self._database.execute("SELECT count(*) FROM member WHERE part = ?", (part,)).fetchone()
        return int(found)

    def find(self, part: int, path: str) -> StreamMember | None:
        """Return the member of a path."""
        with _kept():
            asked = f"SELECT {_COLUMNS} FROM member WHERE part = ? AND path = ?"  # noqa: S608  # names of columns
            row = self._database.execute(asked, (part, os.fsencode(path))).fetchone()
        return None if row is None else _member(row)

    def is_of_base(self, part: int, path: str) -> bool:
        """Say whether the member of a path lies in the base's stream."""
        with _kept():
            asked = "SELECT is_of_base FROM member WHERE part = ? AND path = ?"
            row = self._database.execute(asked, (part, os.fsencode(path))).fetchone()
        return row is not None and bool(row[0])

    def members(self, part: int) -> Iterator[StreamMember]:
        """Yield the members of a part, by path."""
        with _kept():
            asked = f"SELECT {_COLUMNS} FROM member WHERE part = ? ORDER BY path"  # noqa: S608  # names of columns
            for row in self._database.execute(asked, (part,)):
                yield _member(row)

    def ordered_members(self, part: int, *, is_of_base: bool) -> Iterator[StreamMember]:
        """Yield the members that the base's stream holds, or the set's own, in the order of that stream."""
        with _kept():
            asked = f"SELECT {_COLUMNS} FROM member WHERE part = ? AND is_of_base = ? ORDER BY place"  # noqa: S608  # names of columns
            for row in self._database.execute(asked, (part, is_of_base)):
                yield _member(row)

    def level(self, part: int, folder: str) -> Iterator[tuple[str, StreamMember | None]]:
        """Yield what lies directly in a folder, by path; None for a folder that is no member itself but has members."""
        top = os.fsencode(f"{folder}/" if folder else "")
        at = top
        asked = f"SELECT {_COLUMNS} FROM member WHERE part = ? AND path >= ? ORDER BY path LIMIT 1"  # noqa: S608  # names of columns
        while True:
            with _kept():
                row = self._database.execute(asked, (part, at)).fetchone()
            if row is None or not row[0].startswith(top):
                return
            name, slash, _below = row[0][len(top) :].partition(b"/")
            if not slash:
                if name:
                    yield os.fsdecode(row[0]), _member(row)
                at = row[0] + b"\0"
                continue
            path = os.fsdecode(top + name)
            if self.find(part, path) is None:
                yield path, None
            at = top + name + b"0"

    def differences(self, before: int, after: int) -> Iterator[ChangedPath]:
        """Yield the paths in which two parts differ, by path."""
        gone_or_changed = (
            f"SELECT {_columns('b')}, {_columns('a')} FROM member b "  # noqa: S608  # names of columns
            "LEFT JOIN member a ON a.part = ? AND a.path = b.path WHERE b.part = ? AND (a.path IS NULL "
            "OR a.type != b.type OR a.size != b.size OR a.mode != b.mode OR a.uid != b.uid OR a.gid != b.gid "
            "OR a.mtime_ns != b.mtime_ns OR a.sha256 IS NOT b.sha256 OR a.link != b.link) ORDER BY b.path"
        )
        added = (
            f"SELECT {_columns('a')} FROM member a "  # noqa: S608  # names of columns
            "LEFT JOIN member b ON b.part = ? AND b.path = a.path WHERE a.part = ? AND b.path IS NULL ORDER BY a.path"
        )
        with _kept():
            old = (
                _changed(_member(row[:10]), None if row[10] is None else _member(row[10:]))
                for row in self._database.execute(gone_or_changed, (after, before))
            )
            new = (_changed(None, _member(row)) for row in self._database.execute(added, (before, after)))
            yield from heapq.merge(old, new, key=lambda each: os.fsencode(each.path))


@dataclass(frozen=True, slots=True)
class StreamToRead:
    """A stream of a set with what it takes to read its members."""

    copies: MergedSet
    stream: Stream
    identities: Sequence[PrivateKey]
    """Private keys, one of a recipient."""
    base: MergedSet | None
    """The set that a differential builds on; without it, its own members alone are known."""


def add_stream(
    table: MemberTable, part: int, read: StreamToRead, *, is_wanted: Callable[[str], bool] = lambda _path: True
) -> None:
    """Take in what a stream stands for: of a differential its base's members too, as far as they still stand.

    Args:
        table: takes them in.
        part: the number that they get.
        read: a stream that has an index.
        is_wanted: says whether a path is to be taken in.

    Raises:
        WrongKey: no key opens it.
        SetDamaged: no copy has the index, or the list of what is no more.
        MediumUnavailable: no medium can be read.
    """
    copies, stream, identities, base = read.copies, read.stream, read.identities, read.base
    if stream.differential and base is not None:
        below = index_members(base, base.stream_of(stream), identities)
        table.add(part, (each for each in below if is_wanted(each.path)), is_of_base=True)
        remove_gone(table, part, copies, stream, identities)
    table.add(part, (each for each in index_members(copies, stream, identities) if is_wanted(each.path)))


def remove_gone(
    table: MemberTable, part: int, copies: MergedSet, stream: Stream, identities: Sequence[PrivateKey]
) -> None:
    """Forget of a base's members what a differential says is no more; raises as `add_stream` does."""
    for each in copies.content.streams:
        if each.source == stream.source and each.format == REMOVED:
            table.remove(part, removed_paths(copies, each, identities))


def _columns(table: str) -> str:
    return ", ".join(f"{table}.{each}" for each in _COLUMNS.split(", "))


def _row(part: int, member: StreamMember, is_of_base: bool) -> tuple[Any, ...]:
    return (
        part,
        os.fsencode(member.path),
        member.type.value,
        member.size,
        member.mode,
        member.uid,
        member.gid,
        member.mtime_ns,
        member.offset,
        member.sha256,
        os.fsencode(member.link),
        is_of_base,
    )


def _member(row: Sequence[Any]) -> StreamMember:
    path, kind, size, mode, uid, gid, mtime_ns, place, sha256, link = row
    return StreamMember(
        type=MemberType(kind),
        path=os.fsdecode(path),
        size=size,
        mode=mode,
        uid=uid,
        gid=gid,
        mtime_ns=mtime_ns,
        offset=place,
        sha256=None if sha256 is None else Digest(sha256),
        link=os.fsdecode(link),
    )


def _changed(before: StreamMember | None, after: StreamMember | None) -> ChangedPath:
    if after is None:
        assert before is not None
        return ChangedPath(before.path, Change.REMOVED, before, None)
    if before is None:
        return ChangedPath(after.path, Change.ADDED, None, after)
    is_same = _content(before) == _content(after)
    return ChangedPath(after.path, Change.ATTRIBUTES if is_same else Change.CONTENT, before, after)


def _content(member: StreamMember) -> tuple[object, ...]:
    return member.type, member.sha256, member.link, member.size


@contextmanager
def _kept() -> Iterator[None]:
    """Tell of a table that has no room, and of values that it cannot hold since no file can have them."""
    try:
        yield
    except sqlite3.Error as error:
        raise BackupError(
            msg("the temporary list of members cannot be kept: {cause}", cause=str(error)),
            msg("Make room in the folder for temporary files, or name another one by SQLITE_TMPDIR."),
        ) from error
    except (OverflowError, UnicodeError) as error:
        raise damaged(
            "index", msg("a line has a value that no file has: {cause}", cause=type(error).__name__)
        ) from error
