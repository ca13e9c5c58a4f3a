"""A set back into files: all of it, one source, or one path found by the index.

A differential needs its base: the base's files are unpacked, what is no more is removed, and the differential's files are
unpacked over them.

Nothing is restored into a place where something is. Every pack and stream is checked against its digest on the way; a
stream that turns out damaged is named, what came out before stays, and the other streams are still restored.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backups.age import PrivateKey, decrypted
from backups.contents import damaged, index_members, stream_plaintext, stream_plaintext_from
from backups.extract import Extracted, Extractor, mark_finished, prepare_target
from backups.formats import format_of
from backups.set_file import SetFile
from backups.untar import TarReader
from backups.verify import Findings, verify_copy
from portalops.errors import BackupError, PortalOpsError, SetDamaged, SetOfLaterVersion
from portalops.model.backups import MemberType, SetId, Stream, StreamMember, VerifyLevel
from portalops.model.heads import Signer
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import Medium, StoredSet

TAR = "tar"
REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class BaseSet:
    """The full set that a differential builds on."""

    stored: StoredSet
    content: SetFile

    def stream_of(self, stream: Stream) -> Stream:
        """Return the stream that a differential's stream builds on.

        Raises:
            SetDamaged: the base has none.
        """
        for each in self.content.streams:
            if (each.source, each.name) == (stream.source, stream.name):
                return each
        raise damaged(f"{stream.source}/{stream.name}", msg("the base {set} has no such stream", set=self.content.id))


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored."""

    files: int
    content_bytes: int
    refused: tuple[str, ...]
    """Members that were not made, and why."""
    notes: tuple[str, ...]
    """What was left out on purpose, such as devices."""
    damaged: tuple[str, ...]
    """Streams that are not what was backed up, and where."""


def find_base(media: Iterable[Medium], content: SetFile) -> tuple[BaseSet | None, list[Message]]:
    """Return the full set that a differential builds on, from any medium that has it whole, and what stood in the way."""
    if content.base is None or content.base_id is None:
        return None, []
    problems: list[Message] = []
    for medium in media:
        try:
            stored = medium.open_set(content.base_id)
            findings = verify_copy(stored, content.base_id, bag_sha256=content.base, level=VerifyLevel.L1)
        except PortalOpsError as error:
            problems.append(error.message)
            continue
        if findings.content is not None and not findings.problems:
            return BaseSet(stored, findings.content), []
        problems += [msg("{medium}: {problem}", medium=medium.id, problem=problem) for problem in findings.said[:3]]
    return None, problems


def best_copy(
    set_id: SetId, media: Iterable[Medium], *, bag_sha256: Digest | None, keys: Sequence[Signer] | None
) -> tuple[StoredSet, Findings, list[Message]]:
    """Return the first copy whose structure is whole, or else the first that opens, and what stood in the way.

    Args:
        set_id: the set.
        media: at least one, in the order in which they are tried.
        bag_sha256: digest of the set's tag manifest as recorded; None if it is not known.
        keys: the ledger's signing keys with their times; None if no ledger can be asked.

    Raises:
        PortalOpsError: no copy opens: one of a later version first, else why the first medium's did not.
    """
    opened: list[tuple[StoredSet, Findings]] = []
    problems: list[PortalOpsError] = []
    for each in media:
        try:
            stored = each.open_set(set_id)
            findings = verify_copy(stored, set_id, bag_sha256=bag_sha256, level=VerifyLevel.L1, keys=keys)
        except PortalOpsError as error:
            problems.append(error)
            continue
        opened.append((stored, findings))
        if not findings.problems:
            break
    if not opened:
        raise next((each for each in problems if isinstance(each, SetOfLaterVersion)), problems[0])
    stored, findings = opened[-1] if not opened[-1][1].problems else opened[0]
    return stored, findings, [error.message for error in problems]


def restore_set(
    stored: StoredSet,
    content: SetFile,
    identities: Sequence[PrivateKey],
    target: Path,
    *,
    source: str | None = None,
    path: str | None = None,
    base: BaseSet | None = None,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> RestoreReport:
    """Restore a set, or a part of it.

    Args:
        stored: the copy to restore from.
        content: what its `set.json` says, checked against the tag manifest.
        identities: private keys, at least one of a recipient.
        target: a folder that is empty or not there yet; while it is filled, and after a failure, a file in it says so.
        source: only this source.
        path: only this file or folder of tar streams; a leading slash does not matter.
        base: the set that a differential builds on, checked like the differential itself.
        on_bytes: told of every piece of plaintext.

    Raises:
        WrongKey: no key opens the set; nothing was made.
        UnsafeTarget: the target is not empty; nothing was made.
        BackupError: the set has no such source or path, or is a differential and its base is not given; nothing was made.
    """
    streams = _chosen(content, source)
    if base is None and any(stream.differential for stream in streams):
        raise BackupError(
            msg("set {set} needs its base {base}, which was not found", set=content.id, base=content.base_id or "-"),
            msg("Attach a medium that has the base: 'portalops backup list' names the media."),
        )
    _require_key(stored, streams, identities)
    was_there = os.path.lexists(target)  # no error where nobody may look: the next line tells of that
    prepare_target(target)
    done = Extracted()
    bad: list[str] = []
    found = path is None
    for stream in streams:
        if stream.format == REMOVED:
            continue  # applied with its source's files
        part = _Part(
            stored, stream, identities, _removed_stream(streams, stream), base if stream.differential else None
        )
        try:
            if path is not None:
                found = _restore_path(part, target, path=_wanted(path), done=done) or found
            elif stream.format == TAR:
                _restore_tar(part, target / format_of(stream).place(stream), done, on_bytes)
            else:
                pieces = _counted(stream_plaintext(stored, stream, identities), on_bytes)
                _restore_dump(pieces, target / format_of(stream).place(stream), done)
        except SetDamaged as error:
            bad.append(show_text(f"{stream.source}/{stream.name}: {error}", 500))
    if not found and not bad:
        mark_finished(target)
        if not was_there:
            target.rmdir()
        raise BackupError(
            msg("the set has no path {path}", path=show_text(path or "", 300)),
            msg("Write the path as in the index, such as etc/hosts; leave out --path to restore everything."),
        )
    mark_finished(target)
    return RestoreReport(done.files, done.content_bytes, tuple(done.refused), tuple(done.notes), tuple(bad))


def _chosen(content: SetFile, source: str | None) -> tuple[Stream, ...]:
    streams = tuple(stream for stream in content.streams if source in {None, stream.source})
    if not streams:
        raise BackupError(
            msg("the set has no source {source}", source=show_text(source or "", 80)),
            msg(
                "Its sources are: {sources}.",
                sources=", ".join(dict.fromkeys(stream.source for stream in content.streams)),
            ),
        )
    return streams


def _require_key(stored: StoredSet, streams: Sequence[Stream], identities: Sequence[PrivateKey]) -> None:
    """Open the first pack, so that a wrong key is told before anything is made."""
    try:
        with stored.open(streams[0].packs[0].path) as file:
            next(decrypted(file, identities))
    except SetDamaged:
        return  # told with its stream; the others may be whole


@dataclass(frozen=True, slots=True)
class _Part:
    """A stream to restore, with what it builds on."""

    stored: StoredSet
    stream: Stream
    identities: Sequence[PrivateKey]
    removed: Stream | None
    """The paths that a differential has no more."""
    base: BaseSet | None
    """None for a stream that stands alone."""

    def members(self) -> Iterator[StreamMember]:
        return index_members(self.stored, self.stream, self.identities)

    def plaintext(self) -> Iterator[bytes]:
        return stream_plaintext(self.stored, self.stream, self.identities)

    def removals(self) -> Iterator[str]:
        """Yield the paths that are no more."""
        if self.removed is None:
            return
        held = b""
        for piece in stream_plaintext(self.stored, self.removed, self.identities):
            *paths, held = (held + piece).split(b"\0")
            for path in paths:
                yield os.fsdecode(path)
        if held:
            raise damaged(f"{self.removed.source}/{self.removed.name}", msg("its last path does not end"))

    def base_part(self) -> _Part | None:
        """Return the part of the base that this one builds on."""
        if self.base is None:
            return None
        return _Part(self.base.stored, self.base.stream_of(self.stream), self.identities, None, None)


def merged_members(
    stored: StoredSet, content: SetFile, stream: Stream, identities: Sequence[PrivateKey], base: BaseSet | None
) -> Iterator[StreamMember]:
    """Yield the members that a stream stands for: its own, and those of its base that it neither removes nor replaces.

    Raises:
        SetDamaged: an index, or the list of what is no more, cannot be read.
    """
    removed = _removed_stream(content.streams, stream)
    part = _Part(stored, stream, identities, removed, base if stream.differential else None)
    below = part.base_part()
    if below is not None:
        gone = frozenset(part.removals())
        now = frozenset(member.path for member in part.members())
        yield from (member for member in below.members() if _is_left(member.path, gone, now))
    yield from part.members()


def _removed_stream(streams: Sequence[Stream], stream: Stream) -> Stream | None:
    return next((each for each in streams if each.source == stream.source and each.format == REMOVED), None)


def _restore_tar(part: _Part, folder: Path, done: Extracted, on_bytes: Callable[[int], None]) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    with _Extraction(folder, done) as extractor:
        below = part.base_part()
        if below is not None:
            _unpack(below, extractor, on_bytes)
            for path in part.removals():
                extractor.remove(path)
        _unpack(part, extractor, on_bytes)


def _unpack(part: _Part, extractor: Extractor, on_bytes: Callable[[int], None]) -> None:
    reader = TarReader(_counted(part.plaintext(), on_bytes))
    for entry in reader:
        extractor.add(entry, reader.content())


def _restore_dump(pieces: Iterator[bytes], file: Path, done: Extracted) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            done.content_bytes += len(piece)
    finally:
        os.close(descriptor)
    done.files += 1


def _restore_path(part: _Part, target: Path, *, path: str, done: Extracted) -> bool:
    """Restore one path and what lies below it; say whether the stream, or what it builds on, has it."""
    folder = target / format_of(part.stream).place(part.stream)
    found = False
    below = part.base_part()
    if below is not None:
        removed = frozenset(part.removals())
        now = frozenset(member.path for member in part.members())
        found = _restore_members(below, folder, path, done, is_left=lambda name: _is_left(name, removed, now))
    return _restore_members(part, folder, path, done) or found


def _is_left(path: str, removed: frozenset[str], now: frozenset[str]) -> bool:
    """Say whether a base's member still stands: neither it nor a folder above it was removed, and it was not replaced."""
    parts = path.split("/")
    above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    return path not in now and not any(each in removed for each in above)


def _restore_members(
    part: _Part, folder: Path, path: str, done: Extracted, *, is_left: Callable[[str], bool] = lambda _path: True
) -> bool:
    """Restore the members of one stream at or below a path; say whether there are any."""
    members = [member for member in part.members() if _is_below(member.path, path) and is_left(member.path)]
    if not members:
        return False
    folder.mkdir(mode=0o700, exist_ok=True)
    here = {member.path for member in members}
    outside = {
        member.link: member for member in members if member.type is MemberType.HARDLINK and member.link not in here
    }
    with _Extraction(folder, done) as extractor:
        _extract_range(part.stored, part.stream, part.identities, members, extractor)
        if outside:
            for member in list(part.members()):
                if member.path in outside:
                    _extract_as(
                        part.stored,
                        part.stream,
                        part.identities,
                        extractor,
                        member=member,
                        name=outside[member.path].path,
                    )
    return True


def _extract_range(
    stored: StoredSet,
    stream: Stream,
    identities: Sequence[PrivateKey],
    members: Sequence[StreamMember],
    extractor: Extractor,
) -> None:
    """Read from the first wanted member to the last one, and make those that are wanted."""
    wanted = {member.offset: member for member in members}
    start = members[0].offset
    last = members[-1].offset
    reader = TarReader(stream_plaintext_from(stored, stream, identities, start))
    paths = {member.path for member in members}
    for entry in reader:
        member = wanted.get(start + reader.offset)
        if member is not None and (member.type is not MemberType.HARDLINK or member.link in paths):
            extractor.add(entry, reader.content())
        if start + reader.offset >= last:
            return


def _extract_as(
    stored: StoredSet,
    stream: Stream,
    identities: Sequence[PrivateKey],
    extractor: Extractor,
    *,
    member: StreamMember,
    name: str,
) -> None:
    """Make the content of a member under another name: a hard link whose first name was not asked for."""
    reader = TarReader(stream_plaintext_from(stored, stream, identities, member.offset))
    for entry in reader:
        extractor.add(replace(entry, path=name), reader.content())
        return


class _Extraction:
    """An extractor whose results are added up."""

    def __init__(self, folder: Path, done: Extracted) -> None:
        self._extractor = Extractor(folder)
        self._done = done

    def __enter__(self) -> Extractor:
        return self._extractor

    def __exit__(self, *_failure: object) -> None:
        self._extractor.close()
        made = self._extractor.done
        self._done.files += made.files
        self._done.members += made.members
        self._done.content_bytes += made.content_bytes
        self._done.refused += made.refused
        self._done.notes += made.notes


def _counted(pieces: Iterator[bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        on_bytes(len(piece))
        yield piece


def _wanted(path: str) -> str:
    return path.strip("/")


def _is_below(path: str, wanted: str) -> bool:
    return path == wanted or path.startswith(f"{wanted}/")
