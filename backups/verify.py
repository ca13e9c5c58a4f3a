"""Whether a copy on a medium is still what was made: structure, every byte, and with a key what is inside.

L1  the bag's files are all there, of the right size, and the tag files have their digests
L2  every byte of the payload was read from the medium and has its digest
    with a private key also: every pack opens, and packs, streams and members have the digests of their plaintext

Whatever does not match is named, file by file; nothing stops at the first.
"""

from __future__ import annotations

import hashlib
import re
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from backups.age import PrivateKey
from backups.bag import DECLARATION, INFO, MANIFEST, MAX_TAG_BYTES, PAYLOAD, TAG_MANIFEST, digest_of, parse_manifest
from backups.contents import PIECE_BYTES, damaged, index_members, stream_plaintext, too_long
from backups.set_file import NAME as SET_FILE
from backups.set_file import SetFile, parse_set_file
from backups.signature import NAME as SIGNATURE
from backups.signature import signature_problems
from backups.tar import TarEntry
from backups.untar import TarReader
from portalops.errors import SetDamaged, SetOfLaterVersion, WrongKey
from portalops.model.backups import MemberType, SetId, Stream, StreamMember, VerifyLevel
from portalops.model.heads import Signer
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import HidesFiles, Readable, StoredSet

REQUIRED_TAGS = (DECLARATION, INFO, MANIFEST, SET_FILE)
_OXUM = re.compile(rb"^Payload-Oxum: ([0-9]{1,18})\.[0-9]+$", re.MULTILINE)
_SPOKEN = frozenset({MANIFEST, SET_FILE, SIGNATURE, INFO})
"""Tag files whose words count; no other is held, since a foreign set may have as many as it likes."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found out about one copy."""

    level: VerifyLevel
    """How deep it was looked into; NONE if even the structure could not be read."""
    said: tuple[Message, ...]
    """One line a file that is missing, different or too much; none for a good copy."""
    content: SetFile | None = None
    """What `set.json` says, if it could be read and has its digest."""
    is_vouched: bool = False
    """Whether `set.json` is the one that was recorded, where that is known, and nothing contradicts its signature."""
    hidden: tuple[Message, ...] = ()
    """What keeps others from reading a copy by the names of its files; it was read past that."""
    hint: Message | None = None
    """What is to be done about a copy that is not as recorded, and says that it came of a later version."""

    @property
    def problems(self) -> tuple[str, ...]:
        """The same lines as text."""
        return tuple(map(str, self.said))


def verify_copy(
    stored: StoredSet,
    set_id: SetId,
    *,
    bag_sha256: Digest | None,
    level: VerifyLevel,
    identities: Sequence[PrivateKey] = (),
    keys: Sequence[Signer] | None = None,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> Findings:
    """Look into a copy.

    Args:
        stored: the copy, read from its medium.
        set_id: the set that it must be.
        bag_sha256: digest of the tag manifest as recorded when the set was made; None if it is not known, and then a
            set that was swapped for another whole one is not found out.
        level: L1 or L2.
        identities: private keys; with them the plaintext is checked as well.
        keys: the ledger's signing keys with their times: a signature must be by one of them; None if no ledger can be
            asked, and then it is only seen that the signature fits.
        on_bytes: told of every piece that was read.

    Raises:
        MediumUnavailable: the medium cannot be read at all.
        WrongKey: none of the private keys opens the set.
        SetOfLaterVersion: this version does not know its form, and nothing that can be told without it is wrong.
    """
    sizes = dict(stored.sizes())
    hidden = tuple(stored.hidden()) if isinstance(stored, HidesFiles) else ()  # before hours of reading: it may fail
    problems: list[Message] = []
    tags = _tag_digests(stored, bag_sha256, problems)
    problems += [
        msg("{path}: not listed in {list}", path=path, list=TAG_MANIFEST) for path in REQUIRED_TAGS if path not in tags
    ]
    texts: dict[str, bytes] = {}
    for path, digest in tags.items():
        if (text := _tag(stored, path, digest, problems)) is not None and path in _SPOKEN:
            texts[path] = text
    payload = _parsed(MANIFEST, texts, problems)
    content, hint = _content(texts, set_id, problems, is_pinned=bag_sha256 is not None)
    is_pinned = bag_sha256 is None or not any(each.values.get("path") == TAG_MANIFEST for each in problems)
    doubts = [] if content is None else list(_vouched(content, tags, texts, keys))
    problems += doubts
    problems += _structure(stored, sizes, tags, payload, content)
    if level is not VerifyLevel.L1 and is_pinned:  # manifests of another set say nothing of the bytes
        watched = _Watched(stored, _limits(content, texts.get(INFO, b"")), on_bytes)
        problems += _contents(watched, sizes, payload, content if not problems else None, identities)
    problems = list({str(each): each for each in problems}.values())
    reached = VerifyLevel.L1 if level is VerifyLevel.L1 else VerifyLevel.L2
    # Where nothing pins what set.json says, the manifest must not contradict it.
    is_backed = content is not None and (bag_sha256 is not None or bool(content.signer) or _agree(content, payload))
    is_vouched = is_backed and content is not None and content.id == set_id and is_pinned and not doubts
    return Findings(reached, tuple(problems), content, is_vouched=is_vouched, hidden=hidden, hint=hint)


def bag_digest(stored: StoredSet) -> Digest:
    """Return the digest of a copy's tag manifest, which pins every other file of its set.

    Raises:
        SetDamaged: it has none, or one that is far too long.
        MediumUnavailable: the medium cannot be read.
    """
    return digest_of(_read(stored, TAG_MANIFEST))


def _tag_digests(stored: StoredSet, bag_sha256: Digest | None, problems: list[Message]) -> dict[str, Digest]:
    try:
        data = _read(stored, TAG_MANIFEST)
        if bag_sha256 is not None and digest_of(data) != bag_sha256:
            problems.append(msg("{path}: not the one that was recorded when the set was made", path=TAG_MANIFEST))
        return parse_manifest(TAG_MANIFEST, data)
    except SetDamaged as error:
        problems.append(error.message)
        return {}


def _tag(stored: StoredSet, path: str, digest: Digest, problems: list[Message]) -> bytes | None:
    """Return a tag file that has its digest."""
    try:
        data = _read(stored, path)
    except SetDamaged as error:
        problems.append(error.message)
        return None
    if digest_of(data) != digest:
        problems.append(_other_bytes(path, TAG_MANIFEST))
        return None
    return data


def _other_bytes(path: str, listed_in: str) -> Message:
    return msg("{path}: its bytes are not those that {list} lists", path=path, list=listed_in)


def _read(stored: StoredSet, path: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    with stored.open(path) as file:
        while piece := file.read(PIECE_BYTES):
            parts.append(piece)
            size += len(piece)
            if size > MAX_TAG_BYTES:
                raise damaged(path, msg("far too long"))
    return b"".join(parts)


def _parsed(name: str, texts: dict[str, bytes], problems: list[Message]) -> dict[str, Digest]:
    if name not in texts:
        return {}
    try:
        return parse_manifest(name, texts[name])
    except SetDamaged as error:
        problems.append(error.message)
        return {}


def _content(
    texts: dict[str, bytes], set_id: SetId, problems: list[Message], *, is_pinned: bool
) -> tuple[SetFile | None, Message | None]:
    """Return what a set says of itself, and a hint; what is wrong already is told also of one that says that it came later."""
    if SET_FILE not in texts:
        return None, None
    try:
        content = parse_set_file(texts[SET_FILE])
    except SetOfLaterVersion as error:
        if not (is_pinned and problems):
            raise
        problems.append(error.message)
        return None, error.hint
    except SetDamaged as error:
        problems.append(error.message)
        return None, None
    if content.id != set_id:
        problems.append(msg("{path}: it is of the set {set}", path=SET_FILE, set=show_text(content.id, 120)))
    return content, None


def _vouched(
    content: SetFile, tags: dict[str, Digest], texts: dict[str, bytes], keys: Sequence[Signer] | None
) -> Iterator[Message]:
    """Check the signature, and that `set.json` speaks of every other tag file, in sets that are made so."""
    if SIGNATURE in texts or SIGNATURE not in tags:  # one that is listed and not whole is named already
        yield from signature_problems(content, texts[SET_FILE], texts.get(SIGNATURE), keys)
    if not content.tag_files and not content.signer:
        return  # of a version that did not list them
    for path in sorted({*tags, *content.tag_files} - {SET_FILE, SIGNATURE}):
        if tags.get(path) != content.tag_files.get(path):
            yield msg(
                "{path}: {one} and {other} disagree about it",
                path=show_text(path, 300),
                one=SET_FILE,
                other=TAG_MANIFEST,
            )


def _structure(
    stored: StoredSet,
    sizes: dict[str, int],
    tags: dict[str, Digest],
    payload: dict[str, Digest],
    content: SetFile | None,
) -> Iterator[Message]:
    """Compare what is there with what the manifests and `set.json` list."""
    listed = {*tags, *payload, TAG_MANIFEST}
    if content is not None:  # where a manifest cannot be read, `set.json` still says what belongs to the set
        listed |= {*(pack.path for pack in content.files()), *content.tag_files, SET_FILE, SIGNATURE}
    for path in sorted(set(sizes) - listed):
        yield msg("{path}: not a part of the set", path=show_text(path, 300))
    if content is None:
        return
    expected = {pack.path: pack for pack in content.files()}
    for path in sorted(set(expected) ^ set(payload)):
        yield msg(
            "{path}: listed in only one of {one} and {other}", path=show_text(path, 300), one=SET_FILE, other=MANIFEST
        )
    for path, pack in expected.items():
        if not path.startswith(PAYLOAD):
            yield msg("{path}: lies outside {folder}", path=show_text(path, 300), folder=PAYLOAD)
        elif path not in sizes:
            yield _explain_missing(stored, path)
        elif sizes[path] != pack.stored_bytes:
            yield msg(
                "{path}: {found} bytes instead of {expected}", path=path, found=sizes[path], expected=pack.stored_bytes
            )
        elif path in payload and payload[path] != pack.stored_sha256:
            yield msg("{path}: {one} and {other} disagree about its digest", path=path, one=SET_FILE, other=MANIFEST)


def _limits(content: SetFile | None, info: bytes) -> Callable[[str], int]:
    """Return what says how many bytes a file of the payload has at most: as many as `set.json` lists, or without it as
    `bag-info.txt` says that all have together.
    """
    if content is not None:
        listed = {pack.path: pack.stored_bytes for pack in content.files()}
        return lambda path: listed.get(path, 0)
    found = _OXUM.search(info)
    whole = int(found[1]) if found is not None else 0
    return lambda _path: whole


def _agree(content: SetFile, payload: dict[str, Digest]) -> bool:
    """Say whether `set.json` and the manifest list the same files with the same digests."""
    return {pack.path: pack.stored_sha256 for pack in content.files()} == payload


def _explain_missing(stored: StoredSet, path: str) -> Message:
    """Return what the medium itself says of a file that it does not list."""
    try:
        with stored.open(path) as file:
            file.read(1)  # there are media that ask for a file when it is read
            return msg("{path}: the file is missing from the listing", path=path)
    except SetDamaged as error:
        return error.message


def _contents(
    stored: _Watched,
    sizes: dict[str, int],
    payload: dict[str, Digest],
    content: SetFile | None,
    identities: Sequence[PrivateKey],
) -> list[Message]:
    """Read every byte of the payload, once: with a key each pack is opened as it is read.

    What is inside is told only where all that is stored is right: a damaged file is named once, and as what it is.
    """
    inside: list[Message] = []
    wrong_key: WrongKey | None = None
    if identities and content is not None:
        try:
            for stream in content.streams:
                inside += _opened(stored, stream, identities)
        except WrongKey as error:
            wrong_key = error
    problems = [
        problem
        for path, digest in payload.items()
        for problem in _digested(stored, path, digest, size=sizes.get(path, 0))
    ]
    if wrong_key is not None and not problems:
        raise wrong_key
    return problems or inside


def _digested(stored: _Watched, path: str, expected: Digest, *, size: int) -> Iterator[Message]:
    if path not in stored.digests:
        try:
            stored.require_size(path, size)
            with stored.open(path) as file:
                while file.read(PIECE_BYTES):
                    pass
        except SetDamaged as error:
            yield error.message
            return
    if stored.digests[path] != expected:
        yield _other_bytes(path, MANIFEST)


class _Watched:
    """A set that takes the digest of each file that is read to its end, and lets none be read that is longer than it may be."""

    def __init__(self, stored: StoredSet, limit: Callable[[str], int], on_bytes: Callable[[int], None]) -> None:
        self._stored = stored
        self._limit = limit
        self._on_bytes = on_bytes
        self._opening = threading.Lock()
        """An index is opened while packs are read in another thread, and there are media that find one file at a time."""
        self.digests: dict[str, str] = {}

    def sizes(self) -> Mapping[str, int]:
        return self._stored.sizes()

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        with ExitStack() as stack:
            with self._opening:
                file = stack.enter_context(self._stored.open(path))
            yield _WatchedFile(file, path, self._limit(path), self.digests, self._on_bytes)

    def require_size(self, path: str, size: int) -> None:
        """Require that a file of a size may be read.

        Raises:
            SetDamaged: it is longer than it may be.
        """
        if size > self._limit(path):
            raise too_long(path, self._limit(path))


class _WatchedFile:
    def __init__(
        self, file: Readable, path: str, limit: int, digests: dict[str, str], on_bytes: Callable[[int], None]
    ) -> None:
        self._file = file
        self._path = path
        self._limit = limit
        self._left = limit
        self._digests = digests
        self._on_bytes = on_bytes
        self._digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._file.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise too_long(self._path, self._limit)
        self._digest.update(data)
        self._on_bytes(len(data))
        if not data:
            self._digests[self._path] = self._digest.hexdigest()
        return data


def _opened(stored: _Watched, stream: Stream, identities: Sequence[PrivateKey]) -> Iterator[Message]:
    """Check a stream's plaintext, and its members against the index."""
    try:
        pieces = stream_plaintext(stored, stream, identities)
        if stream.index is None:
            for _piece in pieces:
                pass
        else:
            yield from compare_with_index(TarReader(pieces), index_members(stored, stream, identities), stream)
    except SetDamaged as error:
        yield error.message


def compare_with_index(reader: TarReader, index: Iterator[StreamMember], stream: Stream) -> Iterator[Message]:
    """Read a tar stream to its end, and say where its members are not those that its index lists.

    Raises:
        SetDamaged: the archive is malformed, or the index cannot be read.
    """
    where = f"{stream.source}/{stream.name}"
    count = 0
    for entry in reader:
        count += 1
        digest = hashlib.sha256()
        offset = reader.offset
        for piece in reader.content():
            digest.update(piece)
        listed = next(index, None)
        if listed is None or not _is_same(entry, listed, offset, Digest(digest.hexdigest())):
            yield msg(
                "{stream}: member {seq} is not what the index lists: {path}",
                stream=where,
                seq=count,
                path=show_text(entry.path, 200),
            )
            return
    if count != stream.members or next(index, None) is not None:
        yield msg("{stream}: {found} members instead of {expected}", stream=where, found=count, expected=stream.members)


def _is_same(entry: TarEntry, listed: StreamMember, offset: int, sha256: Digest) -> bool:
    return (
        (entry.type, entry.path, entry.size, entry.link, stat.S_IMODE(entry.mode), entry.mtime_ns, offset)
        == (listed.type, listed.path, listed.size, listed.link, listed.mode, listed.mtime_ns, listed.offset)
    ) and (entry.type is not MemberType.FILE or sha256 == listed.sha256)
