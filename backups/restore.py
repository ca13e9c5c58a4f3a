"""A set back into files: all of it, one source, or one path found by the index.

Nothing is restored into a place where something is. Every pack and stream is checked against its digest on the way; a
stream that turns out damaged is named, what came out before stays, and the other streams are still restored.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backups.age import Identity, decrypted
from backups.contents import index_members, stream_plaintext, stream_plaintext_from
from backups.extract import Extracted, Extractor, prepare_target
from backups.formats import format_of
from backups.set_file import SetFile
from backups.untar import TarReader
from portalops.errors import BackupError, SetDamaged
from portalops.model.backups import Member, MemberType, Stream
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import StoredSet

TAR = "tar"


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


def restore_set(
    stored: StoredSet,
    content: SetFile,
    identities: Sequence[Identity],
    target: Path,
    *,
    source: str | None = None,
    path: str | None = None,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> RestoreReport:
    """Restore a set, or a part of it.

    Args:
        stored: the copy to restore from.
        content: what its `set.json` says, checked against the tag manifest.
        identities: private keys, at least one of a recipient.
        target: a folder that is empty or not there yet.
        source: only this source.
        path: only this file or folder of tar streams; a leading slash does not matter.
        on_bytes: told of every piece of plaintext.

    Raises:
        WrongKey: no key opens the set; nothing was made.
        UnsafeTarget: the target is not empty; nothing was made.
        BackupError: the set has no such source or path.
    """
    streams = _chosen(content, source)
    _require_key(stored, streams, identities)
    prepare_target(target)
    done = Extracted()
    damaged: list[str] = []
    found = path is None
    for stream in streams:
        try:
            if path is not None:
                found = _restore_path(stored, stream, identities, target, path=_wanted(path), done=done) or found
            elif stream.format == TAR:
                pieces = _counted(stream_plaintext(stored, stream, identities), on_bytes)
                _restore_tar(pieces, target / format_of(stream).place(stream), done)
            else:
                pieces = _counted(stream_plaintext(stored, stream, identities), on_bytes)
                _restore_dump(pieces, target / format_of(stream).place(stream), done)
        except SetDamaged as error:
            damaged.append(show_text(f"{stream.source}/{stream.name}: {error}", 500))
    if not found and not damaged:
        raise BackupError(
            msg("the set has no path {path}", path=show_text(path or "", 300)),
            msg("Paths are written as in the index, such as etc/hosts; leave --path out to restore everything."),
        )
    return RestoreReport(done.files, done.content_bytes, tuple(done.refused), tuple(done.notes), tuple(damaged))


def _chosen(content: SetFile, source: str | None) -> tuple[Stream, ...]:
    streams = tuple(stream for stream in content.streams if source in {None, stream.source})
    if not streams:
        raise BackupError(
            msg("the set has no source {source}", source=show_text(source or "", 80)),
            msg("Its sources are: {sources}.", sources=", ".join(stream.source for stream in content.streams)),
        )
    return streams


def _require_key(stored: StoredSet, streams: Sequence[Stream], identities: Sequence[Identity]) -> None:
    """Open the first pack, so that a wrong key is told before anything is made."""
    try:
        with stored.open(streams[0].packs[0].path) as file:
            next(decrypted(file, identities))
    except SetDamaged:
        return  # told with its stream; the others may be whole


def _restore_tar(pieces: Iterator[bytes], folder: Path, done: Extracted) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    reader = TarReader(pieces)
    with _Extraction(folder, done) as extractor:
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


def _restore_path(
    stored: StoredSet, stream: Stream, identities: Sequence[Identity], target: Path, *, path: str, done: Extracted
) -> bool:
    """Restore one path and what lies below it; say whether the stream has it."""
    members = [member for member in index_members(stored, stream, identities) if _is_below(member.path, path)]
    if not members:
        return False
    folder = target / format_of(stream).place(stream)
    folder.mkdir(mode=0o700, exist_ok=True)
    here = {member.path for member in members}
    outside = {
        member.link: member for member in members if member.type is MemberType.HARDLINK and member.link not in here
    }
    with _Extraction(folder, done) as extractor:
        _extract_range(stored, stream, identities, members, extractor)
        if outside:
            for member in list(index_members(stored, stream, identities)):
                if member.path in outside:
                    _extract_as(stored, stream, identities, extractor, member=member, name=outside[member.path].path)
    return True


def _extract_range(
    stored: StoredSet, stream: Stream, identities: Sequence[Identity], members: Sequence[Member], extractor: Extractor
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
    identities: Sequence[Identity],
    extractor: Extractor,
    *,
    member: Member,
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
