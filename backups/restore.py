"""A set back into files: all of it, one source, or some paths found by the index.

A differential needs its base: the base's files are unpacked, what is no more is removed, and the differential's files are
unpacked over them.

Nothing is restored into a place where something is. Each pack comes from whichever medium gives the right bytes
(`backups/merged.py`). A pack that no medium has costs the files that lie in it, and no others: the index says where the next
one begins. What is missing is listed in the target, and no partial file has its real name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from backups.age import PrivateKey, decrypted
from backups.contents import index_members, last_of_each, removed_paths, require_joined
from backups.extract import Extracted, Extractor, prepare_target
from backups.formats import format_of
from backups.member_table import StreamToRead
from backups.merged import CopyFault, MergedSet, merged_plaintext
from backups.paths import matches
from backups.set_file import SetFile
from backups.tar import TAR
from backups.unfinished import MissingPaths, mark_finished
from backups.untar import TarReader
from backups.verify import compare_with_index
from portalops.errors import BackupError, SetDamaged, WrongKey
from portalops.model.backups import MemberType, Stream, StreamMember
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text

REMOVED = "removed"
INCOMPLETE = ".incomplete"
"""What the name of a dump ends with until it is whole."""


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
    """What of the set no copy has, and where it is missing."""
    missing: int = 0
    """How many paths are missing; the file in the target lists each."""
    faults: tuple[CopyFault, ...] = ()
    """What is wrong with copies, of the base too, though another one may have had it."""
    withheld: int = 0
    """How many devices, bits and attributes were left out because they give rights."""


def restore_set(
    copies: MergedSet,
    identities: Sequence[PrivateKey],
    target: Path,
    *,
    source: str | None = None,
    paths: Sequence[str] = (),
    base: MergedSet | None = None,
    as_root: bool = False,
    compares: bool = False,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> RestoreReport:
    """Restore a set, or a part of it.

    Args:
        copies: the set.
        identities: private keys, at least one of a recipient.
        target: a folder that is empty or not there yet; while it is filled, and after that where something is missing, a file
            in it says so.
        source: only this source.
        paths: only these files and folders of tar streams, with what is in them; a leading slash does not matter. `*`, `?`
            and `[` match as in a shell, `*` a slash too.
        base: the set that a differential builds on.
        as_root: give back devices, set-user-ID bits and all attributes too; only root can.
        compares: read the set a second time and compare its tar streams with their indexes, for a set that no ledger vouches for;
            not where `paths` are asked for.
        on_bytes: told of every piece of plaintext.

    Raises:
        WrongKey: no key opens the set; nothing was made.
        UnsafeTarget: the target is not empty; nothing was made.
        BackupError: the set has no such source or path, or is a differential and its base is not given; nothing was made.
        MediumUnavailable: no medium could be read any more; the file in the target says so.
    """
    streams = _chosen(copies.content, source)
    if base is None and any(stream.differential for stream in streams):
        raise BackupError(
            msg(
                "set {set} needs its base {base}, which was not found",
                set=copies.content.id,
                base=copies.content.base_id or "-",
            ),
            msg("Attach a medium that has the base: 'portalops backup list' names the media."),
        )
    _require_key(copies, streams, identities)
    was_there = os.path.lexists(target)  # no error where nobody may look: the next line tells of that
    prepare_target(target)
    with MissingPaths(target) as missing:
        work = _Restoration(identities, target, missing, on_bytes, as_root)
        wanted = tuple(path.strip("/") for path in paths)
        found: set[str] = set()
        for stream in streams:
            if stream.format == REMOVED:
                continue  # applied with its source's files
            removed = _removed_stream(streams, stream)
            part = _Part(copies, stream, identities, removed, base if stream.differential else None)
            try:
                if wanted:
                    found |= work.restore_paths(part, wanted)
                elif stream.format == TAR:
                    work.restore_tar(part)
                else:
                    work.restore_dump(part)
            except SetDamaged as error:
                work.lose(stream, format_of(stream).place(stream), error.message)
            except OSError as error:  # a full disk, most of all
                work.refuse(format_of(stream).place(stream), error)
        if wanted and not found and not work.damaged:
            mark_finished(target)
            if not was_there:
                target.rmdir()
            raise BackupError(
                msg("the set has no path {path}", path=show_text(", ".join(paths), 300)),
                msg("Write the path as in the index, such as etc/hosts; leave out --path to restore everything."),
            )
        for path in wanted:
            if path not in found:
                missing.add(path, msg("the set has no such path"))
        if not wanted:
            work.check_indexes(copies, streams, compares=compares)
            if base is not None:
                names = {(each.source, each.name) for each in streams if each.differential}
                below = [each for each in base.content.streams if (each.source, each.name) in names]
                work.check_indexes(base, below, compares=compares)
        return work.report((*copies.faults, *(base.faults if base else ())))


def unpack_members(
    read: StreamToRead,
    extractor: Extractor,
    members: Sequence[StreamMember],
    *,
    rename: str = "",
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> tuple[list[tuple[str, Message]], list[str]]:
    """Unpack some members of a tar stream; packs that hold none of them are not read.

    Args:
        read: the stream; its base is not looked at.
        extractor: makes them.
        members: in the stream's order.
        rename: what a single one is called instead of its own name.
        on_bytes: told of every piece of plaintext.

    Returns:
        The paths that are lost with packs that no copy has, each with the reason; and what is damaged.

    Raises:
        WrongKey: no key opens the set.
        MediumUnavailable: no medium can be read any more.
    """
    part = _Part(read.copies, read.stream, read.identities, None, None)
    lost: _Lost = []
    damaged: list[str] = []
    for run in _runs(part, members):
        lost += _unpack(part, extractor, run, damaged, on_bytes, rename=rename)
    return lost, damaged


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


def _require_key(copies: MergedSet, streams: Sequence[Stream], identities: Sequence[PrivateKey]) -> None:
    """Open the first pack that can be opened, so that a wrong key is told before anything is made.

    A header with a changed byte may look like one for other keys, so only a pack that is right proves a key to be wrong.
    """
    for stream in streams:
        for file in copies.peek(stream.packs[0]):
            try:
                next(decrypted(file, identities))
            except (SetDamaged, WrongKey):
                continue
            return
        try:
            with copies.open(stream.packs[0].path) as file:
                next(decrypted(file, identities))
        except SetDamaged:
            continue  # told with its stream; the others may be whole
        return


@dataclass(frozen=True, slots=True)
class _Part:
    """A stream to restore, with what it builds on."""

    copies: MergedSet
    stream: Stream
    identities: Sequence[PrivateKey]
    removed: Stream | None
    """The paths that a differential has no more."""
    base: MergedSet | None
    """None for a stream that stands alone."""

    def members(self) -> Iterator[StreamMember]:
        return index_members(self.copies, self.stream, self.identities)

    def plaintext(self, offset: int = 0) -> Iterator[bytes]:
        return merged_plaintext(self.copies, self.stream, self.identities, offset)

    def removals(self) -> Iterator[str]:
        """Yield the paths that are no more."""
        if self.removed is None:
            return
        yield from removed_paths(self.copies, self.removed, self.identities)

    def base_part(self) -> _Part | None:
        """Return the part of the base that this one builds on."""
        if self.base is None:
            return None
        return _Part(self.base, self.base.stream_of(self.stream), self.identities, None, None)

    def pack_end(self, position: int) -> int:
        """Return where in the stream the pack ends that holds a byte."""
        end = 0
        for pack in self.stream.packs:
            end += pack.plain_bytes
            if position < end:
                break
        return end


def merged_members(
    copies: MergedSet, stream: Stream, identities: Sequence[PrivateKey], base: MergedSet | None
) -> Iterator[StreamMember]:
    """Yield the members that a stream stands for: its own, and those of its base that it neither removes nor replaces.

    Raises:
        SetDamaged: an index, or the list of what is no more, cannot be read.
    """
    removed = _removed_stream(copies.content.streams, stream)
    part = _Part(copies, stream, identities, removed, base if stream.differential else None)
    below = part.base_part()
    if below is not None:
        gone = frozenset(part.removals())
        now = frozenset(member.path for member in part.members())
        yield from (member for member in below.members() if _is_left(member.path, gone, now))
    yield from part.members()


def _removed_stream(streams: Sequence[Stream], stream: Stream) -> Stream | None:
    return next((each for each in streams if each.source == stream.source and each.format == REMOVED), None)


def _is_left(path: str, removed: Collection[str], now: Collection[str]) -> bool:
    """Say whether a base's member still stands: neither it nor a folder above it was removed, and it was not replaced."""
    parts = path.split("/")
    above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    return path not in now and not any(each in removed for each in above)


_Lost = list[tuple[str, Message]]
"""Paths that are missing, and why."""


@dataclass(slots=True)
class _Restoration:
    """One restore at work."""

    identities: Sequence[PrivateKey]
    target: Path
    missing: MissingPaths
    on_bytes: Callable[[int], None]
    as_root: bool = False
    done: Extracted = field(default_factory=Extracted)
    damaged: list[str] = field(default_factory=list)

    def lose(self, stream: Stream, path: str, problem: Message) -> None:
        """Note what no copy has, and the path that is missing for it."""
        self.damage(stream, problem)
        self.missing.add(path, problem)

    def refuse(self, path: str, error: OSError) -> None:
        """Note what could not be written."""
        cause = cause_of(error)
        self.done.refused.append(show_text(f"{path}: {cause}", 500))
        self.missing.add(path, str(cause))

    def damage(self, stream: Stream, problem: Message) -> None:
        """Note what no copy has."""
        _damage(self.damaged, stream, problem)

    def report(self, faults: tuple[CopyFault, ...]) -> RestoreReport:
        """Return what was restored."""
        done = self.done
        return RestoreReport(
            done.files,
            done.content_bytes,
            tuple(done.refused),
            tuple(done.notes),
            tuple(self.damaged),
            self.missing.count,
            faults,
            done.withheld,
        )

    def check_indexes(self, copies: MergedSet, streams: Sequence[Stream], *, compares: bool) -> None:
        """Read the indexes, which a restore of everything does not need: a damaged one is named though all files are there."""
        for stream in streams:
            if stream.index is not None:
                try:
                    copies.fetch(stream.index).close()
                except SetDamaged as error:
                    self.damage(stream, error.message)
                    continue
                if compares and stream.format == TAR:
                    self._compare(copies, stream)

    def _compare(self, copies: MergedSet, stream: Stream) -> None:
        place = format_of(stream).place(stream)
        reader = TarReader(merged_plaintext(copies, stream, self.identities))
        try:
            for problem in compare_with_index(reader, index_members(copies, stream, self.identities), stream):
                self.lose(stream, place, problem)
        except SetDamaged as error:
            if not self.missing.count:  # a lost pack was told with its files
                self.lose(stream, place, error.message)

    def restore_tar(self, part: _Part) -> None:
        folder = self._folder(part)
        with _Extraction(folder, self) as extractor:
            below = part.base_part()
            if below is not None:
                lost = self._unpack(below, extractor, None)
                self._remove(part, extractor, lost)
            self._tell(part, self._unpack(part, extractor, None))

    def _remove(self, part: _Part, extractor: Extractor, lost: _Lost) -> None:
        """Remove what a differential has no more; of what its base lost, name what still stands."""
        gone: set[str] = set()
        has_lost = bool(lost or extractor.done.refused)  # further names of a lost file are refused
        try:
            for path in part.removals():
                extractor.remove(path)
                if has_lost:
                    gone.add(path)
            now = {member.path for member in part.members()} if has_lost else set()
        except SetDamaged as error:
            self.damage(part.stream, error.message)
            problem = msg("what was removed since the base is not known: {cause}", cause=error.message)
            self.missing.add(format_of(part.stream).place(part.stream), problem)
            now = set()
        extractor.forget_refused(lambda path: _is_left(path, gone, now))
        self._tell(part, [each for each in lost if _is_left(each[0], gone, now)])

    def restore_dump(self, part: _Part) -> None:
        """Restore a stream that becomes one file; what could be read of a damaged one stays under a name that says so."""
        place = format_of(part.stream).place(part.stream)
        file = self.target / place
        file.parent.mkdir(mode=0o700, exist_ok=True)
        beginning = file.with_name(file.name + INCOMPLETE)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(beginning, flags, 0o600)
        size = 0
        try:
            for piece in part.plaintext():
                self.on_bytes(len(piece))
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                size += len(piece)
        except SetDamaged as error:
            begins = msg(
                "{problem}; its first {n} bytes are in {file}", problem=error.message, n=size, file=beginning.name
            )
            if not size:
                beginning.unlink()
            self.damage(part.stream, error.message)
            self.missing.add(place, begins if size else error.message)
            return
        finally:
            os.close(descriptor)
        beginning.rename(file)
        self.done.files += 1
        self.done.content_bytes += size

    def restore_paths(self, part: _Part, wanted: Sequence[str]) -> set[str]:
        """Restore paths and what lies below them; return those which the stream, or what it builds on, has."""
        if part.stream.format != TAR:
            return set()
        below = part.base_part()
        if below is None:
            return self._restore_members(part, wanted, lambda _name: True)
        place = format_of(part.stream).place(part.stream)
        removed, unknown = frozenset[str](), None
        try:
            removed = frozenset(part.removals())
        except SetDamaged as error:
            unknown = error.message
        now: frozenset[str] | None = None
        with suppress(SetDamaged):  # then what is in this set is unpacked over the base's
            now = frozenset(member.path for member in part.members())

        def is_left(name: str) -> bool:
            return _is_left(name, removed, now or ())

        found = self._restore_members(below, wanted, is_left)
        if unknown is not None and found:
            self.damage(part.stream, unknown)
            self.missing.add(place, msg("what was removed since the base is not known: {cause}", cause=unknown))
        known = self.missing.count
        names: set[str] = set()
        newer = self._restore_members(part, wanted, lambda _name: True, names=names)
        if now is None and self.missing.count > known:
            older = msg("may be older, of set {set}: what replaces it may be lost", set=below.copies.content.id)
            for member in below.members():
                is_asked = any(matches(member.path, path) for path in wanted)
                if (
                    is_asked
                    and member.type is not MemberType.FOLDER
                    and is_left(member.path)
                    and member.path not in names
                ):
                    self.missing.add(f"{place}/{member.path}", older)
        return found | newer

    def _restore_members(
        self,
        part: _Part,
        wanted: Sequence[str],
        is_left: Callable[[str], bool],
        *,
        names: set[str] | None = None,
    ) -> set[str]:
        """Restore members; return what of the wanted was found, and add what was read without an index to `names`."""
        found: set[str] = set()
        members: list[StreamMember] = []
        try:
            for member in last_of_each(part.members()):
                matching = [path for path in wanted if matches(member.path, path)]
                if matching and is_left(member.path):
                    members.append(member)
                    found.update(matching)
        except SetDamaged as error:
            self.damage(part.stream, error.message)
            return self._search(part, wanted, is_left, set() if names is None else names)
        if not members:
            return found
        here = {member.path for member in members}
        outside: dict[str, list[str]] = {}
        for member in members:
            if member.type is MemberType.HARDLINK and member.link not in here:
                outside.setdefault(member.link, []).append(member.path)
        alone = [member for member in members if member.type is not MemberType.HARDLINK or member.link in here]
        with _Extraction(self._folder(part), self) as extractor:
            for run in _runs(part, alone):
                self._tell(part, self._unpack(part, extractor, run))
            if outside:
                self._restore_firsts(part, outside, extractor)
        return found

    def _search(self, part: _Part, wanted: Sequence[str], is_left: Callable[[str], bool], names: set[str]) -> set[str]:
        """Restore paths of a stream whose index no copy has: it is read from its beginning."""
        found: set[str] = set()

        def is_wanted(path: str) -> bool:
            matching = [each for each in wanted if matches(path, each)]
            if not matching or not is_left(path):
                return False
            found.update(matching)
            names.add(path)
            return True

        with _Extraction(self._folder(part), self) as extractor:
            self._tell(part, self._unpack(part, extractor, None, is_wanted=is_wanted))
        return found

    def _restore_firsts(self, part: _Part, outside: dict[str, list[str]], extractor: Extractor) -> None:
        """Make what hard links name whose first name is not wanted, under their own names."""
        for member in part.members():
            names = outside.get(member.path)
            if names is not None and member.type is not MemberType.HARDLINK:
                lost = self._unpack(part, extractor, [member], rename=names[0])
                self._tell(part, [(name, why) for _path, why in lost for name in names])
                for name in () if lost else names[1:]:
                    extractor.link(names[0], name)

    def _unpack(
        self,
        part: _Part,
        extractor: Extractor,
        wanted: Sequence[StreamMember] | None,
        *,
        rename: str = "",
        is_wanted: Callable[[str], bool] = lambda _path: True,
    ) -> _Lost:
        return _unpack(part, extractor, wanted, self.damaged, self.on_bytes, rename=rename, is_wanted=is_wanted)

    def _tell(self, part: _Part, lost: _Lost) -> None:
        place = format_of(part.stream).place(part.stream)
        for path, why in lost:
            self.missing.add(f"{place}/{path}" if path else place, why)

    def _folder(self, part: _Part) -> Path:
        folder = self.target / format_of(part.stream).place(part.stream)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def _unpack(
    part: _Part,
    extractor: Extractor,
    wanted: Sequence[StreamMember] | None,
    damaged: list[str],
    on_bytes: Callable[[int], None],
    *,
    rename: str = "",
    is_wanted: Callable[[str], bool] = lambda _path: True,
) -> _Lost:
    """Unpack a stream, or some members in their order, and return what is lost with packs that no copy has."""
    lost: dict[str, Message] = {}
    try:
        require_joined(part.stream)
    except SetDamaged as error:  # where its packs begin is not known then
        _damage(damaged, part.stream, error.message)
        return [("" if member is None else member.path, error.message) for member in wanted or (None,)]
    offsets = None if wanted is None else {member.offset for member in wanted}
    last = None if wanted is None else wanted[-1].offset
    start: int | None = 0 if wanted is None else wanted[0].offset
    while start is not None:
        begin, start = start, None
        reader = TarReader(_counted(part.plaintext(begin), on_bytes))
        try:
            for entry in reader:
                here = begin + reader.offset
                if is_wanted(entry.path) if offsets is None else here in offsets:
                    extractor.add(replace(entry, path=rename) if rename else entry, reader.content())
                    # A file that changed while it was read stands there twice: the last one counts.
                    lost.pop(entry.path, None)
                if last is not None and here >= last:
                    break
        except SetDamaged as error:
            _damage(damaged, part.stream, error.message)
            gone = (begin + reader.offset, part.pack_end(begin + reader.position))
            here_lost: _Lost = []
            start = _next(part, wanted, gone, error.message, here_lost)
            # At once: a hard link that follows must not find the older file.
            lost |= {path: _without_older(part, extractor, path, why) for path, why in here_lost}
    return list(lost.items())


def _counted(pieces: Iterator[bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        on_bytes(len(piece))
        yield piece


def _damage(damaged: list[str], stream: Stream, problem: Message) -> None:
    line = show_text(f"{stream.source}/{stream.name}: {problem}", 500)
    if line not in damaged:
        damaged.append(line)


def _next(
    part: _Part, wanted: Sequence[StreamMember] | None, gone: tuple[int, int], cause: Message, lost: _Lost
) -> int | None:
    """Return where to go on behind a pack that no copy has, or None where nothing follows; add what is lost with it.

    Args:
        part: the stream.
        wanted: the members that are asked for; None for all that the index lists.
        gone: where the member begins that was being read, or was next, and where the pack ends.
        cause: why it is lost.
        lost: is added to.
    """
    if part.stream.index is None:  # nothing says what it holds
        lost.append(("", cause))
        return None
    behind = max(gone[1], gone[0] + 1)  # it goes on in any case
    try:
        for member in part.members() if wanted is None else wanted:
            if behind <= member.offset < part.stream.plain_bytes:
                return member.offset
            if member.offset >= gone[0]:
                lost.append((member.path, cause))
    except SetDamaged as error:
        if part.base is None:
            said = msg("all that follows is lost, since its index is damaged too: {cause}", cause=error.message)
        else:
            said = msg(
                "all that follows is lost, since its index is damaged too, and files here may be older, of set {set}: {cause}",
                set=part.base.content.id,
                cause=error.message,
            )
        lost.append(("", said))
    return None


def _without_older(part: _Part, extractor: Extractor, path: str, why: Message) -> Message:
    """Remove the older version of a file that is lost, such as the base's, and say which set has it."""
    if not path or not extractor.into_own_folder or not extractor.remove_older(path) or part.base is None:
        return why
    return msg("{problem}; an older version is in set {set}", problem=why, set=part.base.content.id)


def _runs(part: _Part, members: Sequence[StreamMember]) -> Iterator[list[StreamMember]]:
    """Cut members into runs between which lies at least one pack that none of them needs."""
    run: list[StreamMember] = []
    for member in members:
        if run and member.offset >= part.pack_end(part.pack_end(run[-1].offset + run[-1].size)):
            yield run
            run = []
        run.append(member)
    if run:
        yield run


class _Extraction:
    """An extractor whose results are added up; members that were refused are missing."""

    def __init__(self, folder: Path, work: _Restoration) -> None:
        self._extractor = Extractor(folder, as_root=work.as_root)
        self._extractor.into_own_folder = True
        self._place = folder.relative_to(work.target)
        self._done = work.done
        self._missing = work.missing

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
        self._done.withheld += made.withheld
        for line in made.refused:
            path, _colon, why = line.partition(": ")
            self._missing.add(f"{self._place}/{path}", why)
