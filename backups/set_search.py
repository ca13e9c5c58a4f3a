"""Every version of a path that sets hold, so that one can say from which set to restore it.

Read are the indexes, and the lists of what a differential has no more: never a pack with contents, and of each set once.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from backups.age import PrivateKey
from backups.contents import index_members
from backups.member_table import REMOVED, MemberTable, StreamToRead, add_stream, remove_gone
from backups.merged import MergedSet
from backups.paths import is_named
from portalops.errors import MediumUnavailable, PortalOpsError, SetDamaged
from portalops.model.backups import MemberType, SetId, Stream, StreamMember
from portalops.model.message import Message, msg

_MADE = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE version (
    source TEXT NOT NULL, stream TEXT NOT NULL, path BLOB NOT NULL, type TEXT NOT NULL, content BLOB NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, newest INTEGER NOT NULL, oldest INTEGER NOT NULL,
    sets INTEGER NOT NULL, PRIMARY KEY (source, stream, path, type, content)
) WITHOUT ROWID;
"""
_PUT = """
INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
ON CONFLICT DO UPDATE SET oldest = excluded.oldest, sets = sets + 1
"""
_NEWEST_FIRST = "SELECT * FROM version ORDER BY source, stream, path, newest"


@dataclass(frozen=True, slots=True)
class PathVersion:
    """One content of a path, and the sets that hold it."""

    source: str
    stream: str
    path: str
    type: MemberType
    content: str
    """SHA-256 of a file, where a link leads; empty for what has neither."""
    size: int
    mtime_ns: int
    newest: SetId
    """The newest set that holds it."""
    oldest: SetId
    sets: int


@dataclass(slots=True)
class FoundVersions:
    """What a search found."""

    versions: list[PathVersion] = field(default_factory=list)
    """At most as many as may be shown."""
    count: int = 0
    sets: int = 0
    """How many sets were searched."""
    unknown: list[tuple[SetId, Message]] = field(default_factory=list)
    """Sets of which something could not be searched, and why."""


@dataclass(frozen=True, slots=True)
class SearchedSet:
    """A set to search; what it opens is closed by nobody, since media open file by file."""

    id: SetId
    open: Callable[[], tuple[MergedSet, MergedSet | None]]
    """Returns the set and its base, if it has one that was found."""


def search_sets(
    sets: Sequence[SearchedSet],
    identities: Sequence[PrivateKey],
    pattern: str,
    *,
    source: str | None,
    most: int,
    on_set: Callable[[int], None] = lambda _count: None,
) -> FoundVersions:
    """Return each version of the paths that fit a pattern; the same content counts once.

    Args:
        sets: the newest first.
        identities: private keys; a set that none opens is named.
        pattern: of a last name, or of a whole path where it has a slash.
        source: only this source.
        most: so many versions are kept, and the others counted.
        on_set: told of each set that was searched.
    """
    found = FoundVersions()
    with closing(sqlite3.connect("", isolation_level=None)) as versions, MemberTable() as table:
        versions.executescript(_MADE)
        versions.execute("BEGIN")
        search = _Search(table, versions, identities, pattern, source)
        for number, each in enumerate(sets):
            try:
                copies, base = each.open()
                problems = search.take(number, copies, base)
                found.sets += 1
            except PortalOpsError as error:
                problems = [error.message]
            found.unknown += [(each.id, problem) for problem in problems]
            on_set(1)
        for row in versions.execute(_NEWEST_FIRST):
            found.count += 1
            if found.count <= most:
                found.versions.append(_version(row, sets))
    return found


@dataclass(slots=True)
class _Search:
    """One search at work; the members of a base are kept until it has been searched itself."""

    table: MemberTable
    versions: sqlite3.Connection
    identities: Sequence[PrivateKey]
    pattern: str
    source: str | None
    parts: dict[tuple[SetId, str, str], int | Message] = field(default_factory=dict)
    """By set, source and stream: its own members that fit, or why they are not known."""
    last_part: int = 0

    def take(self, number: int, copies: MergedSet, base: MergedSet | None) -> list[Message]:
        """Search one set; return what of it could not be searched.

        Raises:
            WrongKey: no key opens the set.
        """
        problems: list[Message] = []
        for stream in copies.content.streams:
            if stream.index is None or stream.format == REMOVED or self.source not in {None, stream.source}:
                continue
            own = self._own(copies, stream)
            if isinstance(own, Message):
                problems.append(_stream_problem(stream, own))
                continue
            part = own
            if stream.differential:
                part, problem = self._merged(copies, stream, own, base)
                if problem is not None:
                    problems.append(_stream_problem(stream, problem))
            try:
                self._resolve_links(part, StreamToRead(copies, stream, self.identities, base))
            except (SetDamaged, MediumUnavailable) as error:
                problems.append(_stream_problem(stream, error.message))
            rows = ((stream.source, stream.name, *_row(each), number, number) for each in self.table.members(part))
            self.versions.executemany(_PUT, rows)
            if part != own:
                self.table.forget(part)
            self._drop(copies, stream)
        return problems

    def _merged(
        self, copies: MergedSet, stream: Stream, own: int, base: MergedSet | None
    ) -> tuple[int, Message | None]:
        """Return a part that holds what a differential stands for; its own members where its base is not known."""
        if base is None:
            missing = msg("its base {base} was not found", base=copies.content.base_id or "-")
            return own, missing
        try:
            below = self._own(base, base.stream_of(stream))
            if isinstance(below, Message):
                return own, below
            part = self._new_part()
            self.table.copy(below, part)
            remove_gone(self.table, part, copies, stream, self.identities)
        except (SetDamaged, MediumUnavailable) as error:
            return own, error.message
        self.table.copy(own, part)
        return part, None

    def _resolve_links(self, part: int, read: StreamToRead) -> None:
        """Give hard links the content of their first names, which need not fit the pattern."""
        if not self.table.has_links(part):
            return
        firsts = self._new_part()
        try:
            add_stream(self.table, firsts, read, is_wanted=lambda path: self.table.is_linked(part, path))
            self.table.resolve_links(part, firsts)
        finally:
            self.table.forget(firsts)

    def _own(self, copies: MergedSet, stream: Stream) -> int | Message:
        """Return the part with a stream's own members that fit; its index is read once."""
        key = (copies.content.id, stream.source, stream.name)
        if key not in self.parts:
            part = self._new_part()
            try:
                members = index_members(copies, stream, self.identities)
                self.table.add(part, (each for each in members if is_named(each.path, self.pattern)))
                self.parts[key] = part
            except (SetDamaged, MediumUnavailable) as error:
                self.table.forget(part)
                self.parts[key] = error.message
        return self.parts[key]

    def _drop(self, copies: MergedSet, stream: Stream) -> None:
        """Forget a stream's own members: whatever builds on them is newer, and was searched before."""
        part = self.parts.pop((copies.content.id, stream.source, stream.name))
        if isinstance(part, int):
            self.table.forget(part)

    def _new_part(self) -> int:
        self.last_part += 1
        return self.last_part


def _stream_problem(stream: Stream, problem: Message) -> Message:
    return msg("{source}/{stream}: {problem}", source=stream.source, stream=stream.name, problem=problem)


def _row(member: StreamMember) -> tuple[bytes, str, bytes, int, int]:
    content = (member.sha256 or "").encode() if member.sha256 else os.fsencode(member.link)
    return os.fsencode(member.path), member.type.value, content, member.size, member.mtime_ns


def _version(row: Sequence[Any], sets: Sequence[SearchedSet]) -> PathVersion:
    source, stream, path, kind, content, size, mtime_ns, newest, oldest, count = row
    return PathVersion(
        source,
        stream,
        os.fsdecode(path),
        MemberType(kind),
        os.fsdecode(content),
        size,
        mtime_ns,
        sets[newest].id,
        sets[oldest].id,
        count,
    )
