"""One set, read from all its copies: what reads sets takes each pack from whichever medium gives the right bytes.

`set.json` has the digest of every pack, and the ledger pins `set.json`. A pack is read whole from the first copy that is there
and has that digest, before anything of it is given out; it waits in memory, and the rest of a larger one in a temporary file,
encrypted as it is. A copy that gives other bytes, or none, is noted and the next one is asked. So one rotten byte never stands
in the way of what lies whole elsewhere, and the blame goes to the copy that is damaged.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO, Self

from backups.age import PrivateKey
from backups.ahead import ahead
from backups.bag import MAX_TAG_BYTES, TAG_MANIFEST, digest_of
from backups.contents import PIECE_BYTES, compared_with_digest, damaged, plaintext_of, require_joined, require_size
from backups.freed import keep_freed_memory
from backups.pooled import PooledSet, pooled_sets
from backups.set_file import NAME as SET_FILE
from backups.set_file import SetFile
from backups.verify import Findings, verify_copy
from portalops.errors import MediumUnavailable, PortalOpsError, SetDamaged, SetNotFound, SetOfLaterVersion
from portalops.model.backups import Pack, SetId, Stream, VerifyLevel
from portalops.model.heads import Signer
from portalops.model.message import Message, msg, together
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.ports import Medium, Readable, StoredSet

IN_MEMORY_BYTES = 65 << 20
"""Of a pack; the rest of a larger one waits in a temporary file. A pack of the default size never has one, though it grew by
being encrypted."""


NOWHERE = "-"
"""In place of a medium's id, where none has the set."""


@dataclass(frozen=True, slots=True)
class CopyFault:
    """What is wrong with one copy of a set, as it showed while the set was read."""

    set_id: SetId
    medium: str
    problem: Message
    is_damage: bool = True
    """False where the medium could not be read: nothing is known of its bytes then."""

    @property
    def key(self) -> tuple[str, str]:
        """What is named once: a file of a copy, however often and by whatever it showed to be damaged."""
        return self.medium, str(self.problem.values.get("path", self.problem))

    @property
    def shown(self) -> Message:
        """The medium and what is wrong there."""
        if self.medium == NOWHERE:
            return self.problem
        return msg("{medium}: {problem}", medium=self.medium, problem=self.problem)


class HeldPack:
    """The bytes of a pack that were found right, each given out once; the pieces are those that were read, never joined."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._rest: IO[bytes] | None = None
        """Of a pack that is larger than what is kept in memory."""
        self._reads_rest = False

    def keep(self, piece: bytes) -> None:
        """Take a piece; all are taken before the first is given out."""
        self._bytes += len(piece)
        if self._bytes <= IN_MEMORY_BYTES:
            self._pieces.append(piece)
            return
        if self._rest is None:
            self._rest = TemporaryFile()  # noqa: SIM115  # closed with the pack
        self._rest.write(piece)

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        if self._pieces:
            piece = self._pieces.popleft()
            if len(piece) > size:
                self._pieces.appendleft(piece[size:])
                piece = piece[:size]
            return piece
        if self._rest is None:
            return b""
        if not self._reads_rest:
            self._rest.seek(0)
            self._reads_rest = True
        return self._rest.read(size)

    def close(self) -> None:
        self._pieces.clear()
        if self._rest is not None:
            self._rest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()


class MergedSet:
    """A set with all its copies: a `StoredSet` that several threads may read at once, and each of whose packs is right."""

    def __init__(
        self,
        content: SetFile,
        copies: Iterable[tuple[str, StoredSet]],
        *,
        more: Iterable[Medium] = (),
        faults: Iterable[CopyFault] = (),
        tag_manifest: bytes = b"",
    ) -> None:
        """Join copies.

        Args:
            content: what `set.json` of the set says.
            copies: the medium's id and the set there, in the order in which they are asked.
            more: media that may have the set too. They are asked last, and opened when no other copy has a pack: a tape is
                not wound for nothing.
            faults: what was found wrong before.
            tag_manifest: the tag manifest, where it is known; no copy needs to have it then.
        """
        self.content = content
        self._packs = {pack.path: pack for pack in content.files()}
        self._copies = [_Copy(medium, stored) for medium, stored in copies]
        self._more = iter(more)
        self._opening = threading.Lock()
        self._faults = {each.key: each for each in faults}
        self._tag_manifest = tag_manifest

    @property
    def faults(self) -> tuple[CopyFault, ...]:
        """What was found wrong with copies so far, in the order in which it showed."""
        return tuple(self._faults.values())

    def stream_of(self, stream: Stream) -> Stream:
        """Return the stream that a differential's stream builds on.

        Raises:
            SetDamaged: there is none.
        """
        for each in self.content.streams:
            if (each.source, each.name) == (stream.source, stream.name):
                return each
        raise damaged(f"{stream.source}/{stream.name}", msg("the base {set} has no such stream", set=self.content.id))

    def sizes(self) -> Mapping[str, int]:
        """Return the packs and indexes with their sizes as `set.json` lists them."""
        return {path: pack.stored_bytes for path, pack in self._packs.items()}

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        """Open a pack or an index, read whole and found to have its digest before.

        Raises:
            SetDamaged: no copy has its bytes.
            MediumUnavailable: no medium could be read.
        """
        with self.fetch(self._packs[path]) as held:
            yield held

    def fetch(self, pack: Pack) -> HeldPack:
        """Return the bytes of a pack; who takes them closes them. Raises as `open` does."""
        problems: list[CopyFault] = []
        for copy in self._each_copy():
            held = HeldPack()
            try:
                _read(copy, pack, held)
            except (PortalOpsError, OSError) as error:
                held.close()
                problems.append(self._note(copy.medium, error, pack.path))
            except BaseException:
                held.close()
                raise
            else:
                return held
        raise _none_has(pack.path, problems)

    def tag_file(self, path: str, sha256: Digest) -> bytes:
        """Return the file outside `data/` that has a digest, from whichever copy has it.

        Raises:
            SetDamaged: no copy has it.
            MediumUnavailable: no medium could be read.
        """
        if path == TAG_MANIFEST and digest_of(self._tag_manifest) == sha256:
            return self._tag_manifest
        problems: list[CopyFault] = []
        for copy in self._each_copy():
            try:
                return _read_tag(copy, path, sha256)
            except (PortalOpsError, OSError) as error:
                problems.append(self._note(copy.medium, error, path))
        raise _none_has(path, problems)

    def peek(self, pack: Pack) -> Iterator[Readable]:
        """Yield a pack as each copy has it, unchecked, to see which keys open it; copies that cannot be opened are passed over."""
        for copy in self._each_copy():
            with ExitStack() as stack:
                try:
                    file = stack.enter_context(copy.open(pack.path))
                except PortalOpsError:
                    continue
                yield file

    @contextmanager
    def fetched(self, packs: Sequence[Pack]) -> Iterator[Iterator[Readable]]:
        """Give the packs in their order, each as `open` does; the next one is read meanwhile."""
        keep_freed_memory()
        with ThreadPoolExecutor(1, thread_name_prefix="packs") as pool:
            waiting: list[Future[HeldPack]] = []

            def opened() -> Iterator[Readable]:
                for number in range(len(packs)):
                    if not waiting:
                        waiting.append(pool.submit(self.fetch, packs[number]))
                    now = waiting.pop().result()
                    if number + 1 < len(packs):
                        waiting.append(pool.submit(self.fetch, packs[number + 1]))
                    with now:
                        yield now

            try:
                yield opened()
            finally:
                for each in waiting:
                    if not each.cancel() and each.exception() is None:
                        each.result().close()

    def _each_copy(self) -> Iterator[_Copy]:
        """Yield every copy; those on further media are opened when it is their turn."""
        for at in itertools.count():
            with self._opening:
                while at == len(self._copies):
                    medium = next(self._more, None)
                    if medium is None:
                        return
                    try:
                        self._copies.append(_Copy(medium.id, medium.open_set(self.content.id)))
                    except SetNotFound:
                        continue
                    except PortalOpsError as error:
                        self._note(medium.id, error)
            yield self._copies[at]

    def _note(self, medium: str, error: PortalOpsError | OSError, path: str = "") -> CopyFault:
        if isinstance(error, OSError):
            problem = msg("{path}: {cause}", path=path, cause=error.strerror or str(error))
        else:
            problem = error.message
        fault = CopyFault(self.content.id, medium, problem, is_damage=isinstance(error, SetDamaged))
        return self._faults.setdefault(fault.key, fault)


class _Copy:
    """One copy of a set; its files are opened one at a time, since there are media that find no two at once."""

    def __init__(self, medium: str, stored: StoredSet) -> None:
        self.medium = medium
        self._stored = stored
        self._opening = threading.Lock()

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        with ExitStack() as stack:
            with self._opening:
                file = stack.enter_context(self._stored.open(path))
            yield file


def _read(copy: _Copy, pack: Pack, held: HeldPack) -> None:
    """Read a pack whole into a file, and require that it is the one that was stored."""
    digest, size = hashlib.sha256(), 0
    with copy.open(pack.path) as file:
        while piece := file.read(PIECE_BYTES):
            size += len(piece)
            if size > pack.stored_bytes:
                break
            digest.update(piece)
            held.keep(piece)
    if size != pack.stored_bytes or digest.hexdigest() != pack.stored_sha256:
        raise damaged(pack.path, msg("its bytes are not those that were stored"))


def _read_tag(copy: _Copy, path: str, sha256: Digest) -> bytes:
    data = bytearray()
    with copy.open(path) as file:
        while len(data) <= MAX_TAG_BYTES and (piece := file.read(PIECE_BYTES)):
            data += piece
    if digest_of(data) != sha256:
        raise damaged(path, msg("its bytes are not those that were stored"))
    return bytes(data)


def _none_has(path: str, problems: Sequence[CopyFault]) -> PortalOpsError:
    if not problems:
        return damaged(path, msg("no medium has it"))
    said = problems[0].problem if len(problems) == 1 else together([each.shown for each in problems], most=5)
    if any(each.is_damage for each in problems):
        return SetDamaged(said, _ANOTHER)
    return MediumUnavailable(said, msg("Attach a medium that has the set, and try again."))


_ANOTHER = msg("Restore from another copy: 'portalops backup show SET' lists the media that have one.")


@dataclass(frozen=True, slots=True)
class Merged:
    """What the media have of a set."""

    set: MergedSet
    findings: Findings
    """Of the copy whose `set.json` counts, or of all together; not vouched for only where that of none is."""


def merge_copies(
    set_id: SetId, media: Iterable[Medium], *, bag_sha256: Digest | None, keys: Sequence[Signer] | None
) -> Merged:
    """Join the copies of a set on all media.

    Media are opened until a copy has a whole structure, and its `set.json` counts; where none has, the first counts whose
    `set.json` nothing contradicts. Where no copy has one that is vouched for, the files outside `data/` are taken from
    whichever copy has them right. What is wrong with the structure of each copy is noted.

    Args:
        set_id: the set.
        media: in the order in which their copies are asked.
        bag_sha256: digest of the set's tag manifest as recorded; None if it is not known.
        keys: the ledger's signing keys with their times; None if no ledger can be asked.

    Raises:
        SetOfLaterVersion: this version does not know its form.
        SetDamaged: no copy says what is in it.
        PortalOpsError: no medium has a copy that opens: why the first one did not.
    """
    found = _open_copies(set_id, media, bag_sha256=bag_sha256, keys=keys)
    if not found.opened:
        later = (each for each in found.errors if isinstance(each, SetOfLaterVersion))
        missing = SetNotFound(msg("no medium has set {set}", set=set_id), msg("Attach a medium that has it."))
        raise next(later, found.errors[0] if found.errors else missing)
    found.require_one_set()
    merged = found.merged()
    if merged is None:
        raise _damaged_set(set_id, found.opened[0].findings)
    return merged


def _damaged_set(set_id: SetId, findings: Findings) -> SetDamaged:
    return SetDamaged(
        msg("set {set} cannot be restored: {problems}", set=set_id, problems=together(findings.said[:3])),
        findings.hint or msg("Name another copy by --medium."),
    )


@dataclass(frozen=True, slots=True)
class _OpenedCopy:
    medium: str
    stored: StoredSet
    findings: Findings

    @property
    def standing(self) -> tuple[bool, bool, bool, bool]:
        """What makes one copy's `set.json` count before another's; an unsigned one never before a signed one."""
        content = self.findings.content
        is_signed = content is not None and bool(content.signer)
        return self.findings.is_vouched, is_signed, not self.findings.problems, content is not None


@dataclass(frozen=True, slots=True)
class _Opened:
    """What was seen of a set on the media that were opened."""

    opened: tuple[_OpenedCopy, ...]
    faults: tuple[CopyFault, ...]
    errors: tuple[PortalOpsError, ...]
    """Why some media gave no copy."""
    more: Iterator[Medium]
    """Those that were not opened."""
    pooled: tuple[_OpenedCopy, ...] = ()
    """All copies as one, by the medium that `set.json` comes from; where no copy alone is vouched for."""

    @property
    def candidates(self) -> tuple[_OpenedCopy, ...]:
        """Return what may say what is in the set."""
        return (*self.opened, *self.pooled)

    def require_one_set(self) -> None:
        """Require that the copies whose `set.json` counts most say the same: no digest tells which one is the recorded set.

        Raises:
            SetDamaged: they do not.
        """
        best = max((each.standing[:2] for each in self.candidates), default=(False, False))
        equals = [each for each in self.candidates if each.standing[:2] == best and each.findings.content is not None]
        for each in equals[1:]:
            if each.findings.content != equals[0].findings.content:
                raise SetDamaged(
                    msg(
                        "the copies on {one} and {other} are not of the same set",
                        one=equals[0].medium,
                        other=each.medium,
                    ),
                    msg("Find out which one is the portal's, such as by who signed it; then name it by --medium."),
                )

    def merged(self) -> Merged | None:
        """Return the copies as one set; None where none says what is in it."""
        chosen = max(self.candidates, key=lambda each: each.standing, default=None)  # of equals the first
        if chosen is None or chosen.findings.content is None:
            return None
        ordered = sorted(self.opened, key=lambda each: each.medium != chosen.medium)
        copies = [(each.medium, each.stored) for each in ordered]
        others = [
            CopyFault(
                chosen.findings.content.id,
                each.medium,
                msg("set.json is not that of the copy on {medium}", medium=chosen.medium),
            )
            for each in ordered
            if each.findings.content is not None and each.findings.content != chosen.findings.content
        ]
        merged = MergedSet(
            chosen.findings.content,
            copies,
            more=self.more,
            faults=(*self.faults, *others),
            tag_manifest=chosen.stored.tag_manifest if isinstance(chosen.stored, PooledSet) else b"",
        )
        return Merged(merged, chosen.findings)


def _open_copies(
    set_id: SetId, media: Iterable[Medium], *, bag_sha256: Digest | None, keys: Sequence[Signer] | None
) -> _Opened:
    """Open media until a copy has a whole structure."""
    opened: list[_OpenedCopy] = []
    faults: list[CopyFault] = []
    errors: list[PortalOpsError] = []
    more = iter(media)
    for medium in more:
        try:
            stored = medium.open_set(set_id)
            findings = verify_copy(stored, set_id, bag_sha256=bag_sha256, level=VerifyLevel.L1, keys=keys)
        except PortalOpsError as error:
            errors.append(error)
            if not isinstance(error, SetNotFound):
                faults.append(CopyFault(set_id, medium.id, error.message, is_damage=isinstance(error, SetDamaged)))
            continue
        if findings.content is not None and findings.content.id != set_id:
            errors.append(_damaged_set(set_id, findings))  # another set of which somebody changed the folder's name
        else:
            opened.append(_OpenedCopy(medium.id, stored, findings))
        faults += [CopyFault(set_id, medium.id, problem) for problem in findings.said]
        if not findings.problems and bag_sha256 is not None:
            break  # without a digest all are compared
    pooled: list[_OpenedCopy] = []
    if not any(each.findings.is_vouched for each in opened):
        copies = {each.medium: each.stored for each in opened}
        pooled += _pooled(set_id, copies, bag_sha256=bag_sha256, keys=keys)
    return _Opened(tuple(opened), tuple(faults), tuple(errors), more, tuple(pooled))


def _pooled(
    set_id: SetId, copies: Mapping[str, StoredSet], *, bag_sha256: Digest | None, keys: Sequence[Signer] | None
) -> Iterator[_OpenedCopy]:
    """Yield what is vouched for of the copies together."""
    for stored in pooled_sets(copies, bag_sha256):
        try:
            findings = verify_copy(stored, set_id, bag_sha256=bag_sha256, level=VerifyLevel.L1, keys=keys)
            if findings.is_vouched:
                yield _OpenedCopy(stored.medium_of(SET_FILE), stored, findings)
        except SetOfLaterVersion:
            continue


def merge_base(content: SetFile, media: Iterable[Medium]) -> tuple[MergedSet | None, tuple[CopyFault, ...]]:
    """Join the copies of the full set that a differential builds on, or return what stands in the way; neither for a full set.

    Only copies that are of the very set that the differential names count: their tag manifest has the digest that it gives.
    """
    if content.base is None or content.base_id is None:
        return None, ()
    found = _open_copies(content.base_id, media, bag_sha256=content.base, keys=None)
    merged = found.merged()
    if merged is None or not merged.findings.is_vouched:
        nowhere = CopyFault(
            content.base_id, NOWHERE, msg("no medium has set {set}", set=content.base_id), is_damage=False
        )
        return None, found.faults or (nowhere,)
    return merged.set, ()


def merged_plaintext(
    copies: MergedSet, stream: Stream, identities: Sequence[PrivateKey], offset: int = 0
) -> Iterator[bytes]:
    """Yield a stream's plaintext from a byte on; packs before it are not read.

    Of a pack nothing is given out unless all of its stored bytes are right, which says as much as the digest of its
    plaintext. So what was yielded until an error is the stream up to the beginning of the pack that no copy has.

    Raises:
        WrongKey: no key opens it.
        SetDamaged: no copy has a pack, or it is not what `set.json` says of it.
        MediumUnavailable: no medium can be read.
    """
    require_joined(stream)
    start, packs = 0, list(stream.packs)
    while packs and start + packs[0].plain_bytes <= offset:
        start += packs.pop(0).plain_bytes
    skip = offset - start
    with ExitStack() as stack:
        files = stack.enter_context(copies.fetched(packs))
        pieces = stack.enter_context(ahead(_plaintext_of_packs(packs, files, identities)))
        if not offset and stream.index is None and stream.plain_sha256 is not None:  # a dump is compared as a whole
            pieces = stack.enter_context(ahead(compared_with_digest(pieces, stream)))
        for piece in pieces:
            if skip < len(piece):
                yield piece[skip:] if skip else piece
            skip = max(0, skip - len(piece))


def _plaintext_of_packs(
    packs: Sequence[Pack], files: Iterator[Readable], identities: Sequence[PrivateKey]
) -> Generator[bytes]:
    """Yield the plaintext of packs that are opened already."""
    for pack, file in zip(packs, files, strict=True):
        yield from require_size(pack, plaintext_of(pack, file, identities))
