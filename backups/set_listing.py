"""What is in a set, path by path, without a pack of its contents being read: indexes say it all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backups.age import PrivateKey
from backups.member_table import REMOVED, MemberTable, StreamToRead, add_stream
from backups.merged import MergedSet
from backups.paths import is_pattern, matches
from portalops.errors import MediumUnavailable, SetDamaged
from portalops.model.backups import Stream, StreamMember
from portalops.model.message import Message, msg


@dataclass(frozen=True, slots=True)
class ListedPath:
    """A path of a stream."""

    stream: Stream
    path: str
    member: StreamMember | None
    """None for a folder that is no member itself, but has members."""


@dataclass(slots=True)
class SetListing:
    """What of a set was asked for."""

    paths: list[ListedPath] = field(default_factory=list)
    """At most as many as may be shown."""
    count: int = 0
    """How many there are."""
    unknown: list[tuple[Stream, Message]] = field(default_factory=list)
    """Streams of which not all members are known, and why."""

    def take(self, found: ListedPath, most: int) -> None:
        self.count += 1
        if self.count <= most:
            self.paths.append(found)


def list_set(
    copies: MergedSet,
    identities: Sequence[PrivateKey],
    base: MergedSet | None,
    *,
    path: str,
    source: str | None,
    is_recursive: bool,
    most: int,
) -> SetListing:
    """Return what lies at a path of a set; of a differential as it stands with its base.

    Args:
        copies: the set.
        identities: private keys, one of a recipient.
        base: the set that a differential builds on.
        path: as an index writes it; empty for everything, or a pattern.
        source: only this source.
        is_recursive: with all that lies below.
        most: so many paths are kept, and the others counted.

    Raises:
        WrongKey: no key opens the set.
    """
    listing = SetListing()
    for number, stream in enumerate(copies.content.streams):
        if stream.index is None or stream.format == REMOVED or source not in {None, stream.source}:
            continue
        with MemberTable() as table:
            try:
                read = StreamToRead(copies, stream, identities, base)
                add_stream(table, number, read, is_wanted=lambda each: not path or matches(each, path))
            except (SetDamaged, MediumUnavailable) as error:
                listing.unknown.append((stream, error.message))
                continue
            if stream.differential and base is None:
                listing.unknown.append((stream, _without_base(copies)))
            for found in _asked(table, number, stream, path, is_recursive=is_recursive):
                listing.take(found, most)
    return listing


def _asked(table: MemberTable, part: int, stream: Stream, path: str, *, is_recursive: bool) -> Iterator[ListedPath]:
    """Yield what is asked for: a folder's own level, a file itself, or what a pattern fits."""
    if is_recursive:
        for member in table.members(part):
            yield ListedPath(stream, member.path, member)
        return
    if is_pattern(path) and not _is_there(table, part, path):
        last: str | None = None
        for member in table.members(part):
            if last is None or not member.path.startswith(f"{last}/"):  # what lies below it is not asked for
                last = member.path
                yield ListedPath(stream, member.path, member)
        return
    itself = table.find(part, path) if path else None
    level = iter(table.level(part, path))
    first = next(level, None)
    if first is None and itself is not None:
        yield ListedPath(stream, path, itself)
        return
    if first is not None:
        yield ListedPath(stream, *first)
    for each in level:
        yield ListedPath(stream, *each)


def _is_there(table: MemberTable, part: int, path: str) -> bool:
    """Say whether what looks like a pattern is the very name of something."""
    return table.find(part, path) is not None or next(iter(table.level(part, path)), None) is not None


def _without_base(copies: MergedSet) -> Message:
    return msg(
        "its base {base} was not found, so only what changed since then is known", base=copies.content.base_id or "-"
    )
