"""What differs between two sets, or between a set and what is there now: by indexes and digests, without a pack of contents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from backups.age import PrivateKey
from backups.live_members import LiveMembers
from backups.member_table import REMOVED, Change, ChangedPath, MemberTable, StreamToRead, add_stream
from backups.merged import MergedSet
from backups.sources import ReleaseFailed
from portalops.errors import MediumUnavailable, SetDamaged, SourceUnavailable
from portalops.model.backups import Stream
from portalops.model.message import Message, msg, nmsg
from portalops.model.record import Digest
from portalops.ports import Source

StreamKey = tuple[str, str]
"""Source and name of a stream."""


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One of the two that are compared."""

    streams: Mapping[StreamKey, Digest | None]
    """Those that it has: the digest of a dump, None for one with members."""
    load: Callable[[MemberTable, int, StreamKey], Sequence[Message]]
    """Takes the members of a stream into a part of a table; returns what is not known of them."""
    unknown: Mapping[str, Message] = field(default_factory=dict)
    """Sources of which it has nothing that could be compared, and why."""


@dataclass(slots=True)
class SetComparison:
    """What differs."""

    paths: list[tuple[StreamKey, ChangedPath]] = field(default_factory=list)
    """At most as many as may be shown."""
    dumps: list[tuple[StreamKey, Change]] = field(default_factory=list)
    """Dumps that differ as a whole."""
    counts: Counter[tuple[StreamKey, Change]] = field(default_factory=Counter)
    compared: list[StreamKey] = field(default_factory=list)
    """Streams that were compared."""
    unknown: list[tuple[str, Message]] = field(default_factory=list)
    """Sources and streams of which not all could be compared, and why."""

    @property
    def is_same(self) -> bool:
        return not self.counts


def compare(before: ComparedSide, after: ComparedSide, *, source: str | None, most: int) -> SetComparison:
    """Return what was added, removed and changed from one side to the other, stream by stream.

    Args:
        before: the older side.
        after: the newer one.
        source: only this source.
        most: so many paths are kept, and the others counted.

    Raises:
        WrongKey: no key opens a set.
    """
    found = SetComparison()
    unknown = {**before.unknown, **after.unknown}
    found.unknown += [(name, why) for name, why in sorted(unknown.items()) if source in {None, name}]
    for key in sorted({*before.streams, *after.streams}):
        if source in {None, key[0]} and key[0] not in unknown:
            _compare_stream(key, before, after, found, most)
    return found


def _compare_stream(key: StreamKey, before: ComparedSide, after: ComparedSide, found: SetComparison, most: int) -> None:
    digests = [side.streams[key] for side in (before, after) if key in side.streams]
    if any(digest is not None for digest in digests):
        change = _change_of_dump(key, before, after)
        found.compared.append(key)
        if change is not None:
            found.dumps.append((key, change))
            found.counts[key, change] += 1
        return
    with MemberTable() as table:
        for part, side in enumerate((before, after)):
            if key not in side.streams:
                continue
            try:
                found.unknown += [("/".join(key), why) for why in side.load(table, part, key)]
                table.resolve_links(part, part)
            except (SetDamaged, MediumUnavailable, SourceUnavailable) as error:
                found.unknown.append(("/".join(key), error.message))
                return
        found.compared.append(key)
        for each in table.differences(0, 1):
            found.counts[key, each.change] += 1
            if len(found.paths) < most:
                found.paths.append((key, each))


def _change_of_dump(key: StreamKey, before: ComparedSide, after: ComparedSide) -> Change | None:
    if key not in before.streams:
        return Change.ADDED
    if key not in after.streams:
        return Change.REMOVED
    return None if before.streams[key] == after.streams[key] else Change.CONTENT


def side_of_set(copies: MergedSet, base: MergedSet | None, identities: Sequence[PrivateKey]) -> ComparedSide:
    """Return a set as a side of a comparison."""
    content = copies.content
    streams = {(each.source, each.name): each for each in content.streams if each.format != REMOVED}

    def load(table: MemberTable, part: int, key: StreamKey) -> Sequence[Message]:
        stream = streams[key]
        if stream.differential and base is None:
            missing = msg("its base {base} was not found", base=content.base_id or "-")
            raise SetDamaged(
                missing, msg("Attach a medium that has the base: 'portalops backup list' names the media.")
            )
        add_stream(table, part, StreamToRead(copies, stream, identities, base))
        return _unread(len(stream.unread) + len(stream.changed))

    held = {name for name, _stream in streams}
    failed = {
        name: msg("set {set} has nothing of it: it could not be backed up", set=content.id)
        for name in (line.partition(": ")[0] for line in content.failed_sources)
        if name not in held
    }
    return ComparedSide({key: _digest_of_dump(each) for key, each in streams.items()}, load, failed)


def side_of_live(sources: Sequence[Source], content_streams: Sequence[Stream]) -> ComparedSide:
    """Return what is there now as a side of a comparison: of the streams with members that a set has, read anew.

    Args:
        sources: the configured ones.
        content_streams: those of the set.
    """
    by_id = {each.id: each for each in sources}
    keys = {(each.source, each.name): each for each in content_streams if each.format != REMOVED}
    unknown: dict[str, Message] = {}
    for (name, _stream), stream in keys.items():
        if name not in by_id:
            unknown[name] = msg("no source of this name is configured any more")
        elif stream.index is None:
            unknown[name] = msg("it has no files; 'portalops backup drill' compares databases")
    held = {name for name, _stream in keys}
    unknown |= {each.id: msg("the set has nothing of this source") for each in sources if each.id not in held}

    def load(table: MemberTable, part: int, key: StreamKey) -> Sequence[Message]:
        opener = LiveMembers(table, part, key[1])
        problems = []
        try:
            by_id[key[0]].write(opener)
        except ReleaseFailed as failed:  # all was read
            problems.append(failed.error.message)
        return [*problems, *_unread(len(opener.unread))]

    return ComparedSide({key: None for key in keys if key[0] not in unknown}, load, unknown)


def _digest_of_dump(stream: Stream) -> Digest | None:
    return stream.plain_sha256 if stream.index is None else None


def _unread(count: int) -> list[Message]:
    if not count:
        return []
    return [
        nmsg(
            "{n} path could not be read, or changed while it was read",
            "{n} paths could not be read, or changed while they were read",
            count,
        )
    ]
