"""The plaintext of a stream out of its packs, checked on the way.

Bytes are given out before a digest is known, because memory is bounded; whoever uses them must wait for the
end before calling anything good. What does not match raises `SetDamaged` and names the pack.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack

from backups.age import PrivateKey, decrypted
from backups.ahead import ahead
from backups.freed import keep_freed_memory
from backups.index import MAX_LINE_BYTES, parse_line
from backups.zstd import ZstdDecompressor, ZstdError
from portalops.errors import SetDamaged, WrongKey
from portalops.model.backups import Pack, Stream, StreamMember
from portalops.model.message import Message, msg
from portalops.ports import Hash, Readable, StoredSet

PIECE_BYTES = 1 << 20


def pack_plaintext(stored: StoredSet, pack: Pack, identities: Sequence[PrivateKey]) -> Iterator[bytes]:
    """Yield the plaintext of one pack or index, and raise at its end if it is not what was packed.

    Its stored bytes are digested, which says as much as the digest of the plaintext, for which all packs before it would
    have to be read: the same bytes decrypt to the same plaintext.

    Raises:
        WrongKey: no key opens it.
        SetDamaged: it is missing, changed or cut short.
    """
    digest = hashlib.sha256()
    yield from require_size(pack, _opened(stored, pack, identities, digest))
    if digest.hexdigest() != pack.stored_sha256:
        raise not_as_packed(pack)


def stream_plaintext(stored: StoredSet, stream: Stream, identities: Sequence[PrivateKey]) -> Iterator[bytes]:
    """Yield a whole stream's plaintext, and raise where a pack has another size, or a dump another digest, than was packed.

    Stored bytes are not digested here. Opening, digesting and using the bytes are done side by side, in a thread each.

    Raises:
        WrongKey: no key opens it.
        SetDamaged: it is missing, changed or cut short.
    """
    require_joined(stream)
    with ExitStack() as stack:
        pieces = stack.enter_context(ahead(_packs(stored, stream.packs, identities)))
        if stream.index is None and stream.plain_sha256 is not None:
            pieces = stack.enter_context(ahead(compared_with_digest(pieces, stream)))
        yield from pieces


def _packs(stored: StoredSet, packs: Sequence[Pack], identities: Sequence[PrivateKey]) -> Generator[bytes]:
    """Yield the plaintext of packs."""
    for pack in packs:
        yield from require_size(pack, _opened(stored, pack, identities))


def require_size(pack: Pack, pieces: Iterator[bytes]) -> Generator[bytes]:
    """Yield what a pack holds, and raise where it is more or less than was packed."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > pack.plain_bytes:
            break
        yield piece
    if size != pack.plain_bytes:
        raise not_as_packed(pack)


def compared_with_digest(pieces: Iterator[bytes], stream: Stream) -> Generator[bytes]:
    """Yield the pieces of a dump, and raise at the end where they are not what was made."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != stream.plain_sha256:
        raise _not_as_made(stream)


def require_joined(stream: Stream) -> None:
    """Require that the packs make up the stream, by what `set.json` says of them.

    Raises:
        SetDamaged: they do not.
    """
    running = stream.packs[-1].running_sha256  # of sets of format version 1
    is_whole = sum(pack.plain_bytes for pack in stream.packs) == stream.plain_bytes
    if not is_whole or (running is not None and running != stream.plain_sha256):
        raise _not_as_made(stream)


def _not_as_made(stream: Stream) -> SetDamaged:
    return damaged(f"{stream.source}/{stream.name}", msg("the joined packs are not the stream that was made"))


def _opened(
    stored: StoredSet, pack: Pack, identities: Sequence[PrivateKey], digest: Hash | None = None
) -> Iterator[bytes]:
    """Yield what is in a pack, never an empty piece; a hash takes in what is stored. Reading has a thread of its own."""
    with stored.open(pack.path) as file, ahead(_pieces_of(file, pack, digest)) as pieces:
        yield from plaintext_of(pack, _ReadAhead(pieces), identities)


def _pieces_of(file: Readable, pack: Pack, digest: Hash | None) -> Generator[bytes]:
    for piece in bounded_pieces(pack.stored_bytes, file, pack.path):
        if digest is not None:
            digest.update(memoryview(piece))
        yield piece


def bounded_pieces(limit: int, file: Readable, path: str) -> Generator[bytes]:
    """Yield the bytes of a file, and stop behind those that it may have: one that was made longer could be read for days.

    Raises:
        SetDamaged: it is longer.
    """
    size = 0
    while piece := file.read(min(PIECE_BYTES, limit - size + 1)):
        size += len(piece)
        if size > limit:
            raise too_long(path, limit)
        yield piece


def too_long(path: str, limit: int) -> SetDamaged:
    """Return the error of a file that has more bytes than it may have."""
    return damaged(path, msg("longer than the {n} bytes that were stored", n=limit))


class _ReadAhead:
    """A file whose pieces are read already."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int, /) -> bytes:
        piece = self._held or next(self._pieces, b"")
        self._held = piece[size:]
        return piece[:size]


def plaintext_of(pack: Pack, file: Readable, identities: Sequence[PrivateKey]) -> Iterator[bytes]:
    """Yield what is in an opened pack, never an empty piece; errors name the pack."""
    try:
        yield from _decompressed(decrypted(file, identities))
    except WrongKey as error:
        raise WrongKey(msg("{path}: {cause}", path=pack.path, cause=error.message), error.hint) from error
    except ZstdError as error:
        raise damaged(pack.path, msg("its compressed data is malformed")) from error
    except SetDamaged as error:
        if str(error).startswith(pack.path):
            raise
        raise SetDamaged(msg("{path}: {cause}", path=pack.path, cause=error.message), error.hint) from error


def index_members(stored: StoredSet, stream: Stream, identities: Sequence[PrivateKey]) -> Iterator[StreamMember]:
    """Yield the members that a stream's index lists; nothing for a stream without one."""
    if stream.index is None:
        return
    held = b""
    left = stream.members
    for piece in pack_plaintext(stored, stream.index, identities):
        lines = (held + piece).split(b"\n")
        held = lines.pop()
        left -= len(lines)
        if left < 0:
            raise damaged(stream.index.path, msg("it lists more than the {n} members", n=stream.members))
        if len(held) > MAX_LINE_BYTES:
            raise damaged(stream.index.path, msg("a line does not end"))
        for line in lines:
            yield parse_line(line)
    if held:
        raise damaged(stream.index.path, msg("its last line does not end"))


def last_of_each(members: Iterable[StreamMember]) -> Iterator[StreamMember]:
    """Leave out a member that was written anew right behind itself because it changed meanwhile."""
    held: StreamMember | None = None
    for member in members:
        if held is not None and held.path != member.path:
            yield held
        held = member
    if held is not None:
        yield held


def removed_paths(stored: StoredSet, stream: Stream, identities: Sequence[PrivateKey]) -> Iterator[str]:
    """Yield the paths that a differential's source has no more, from the stream of the format `removed`; raises as
    `pack_plaintext` does.
    """
    held = b""
    for piece in stream_plaintext(stored, stream, identities):
        *paths, held = (held + piece).split(b"\0")
        for path in paths:
            yield os.fsdecode(path)
    if held:
        raise damaged(f"{stream.source}/{stream.name}", msg("its last path does not end"))


def not_as_packed(pack: Pack) -> SetDamaged:
    return damaged(pack.path, msg("its content is not what was packed"))


def damaged(what: str, cause: Message) -> SetDamaged:
    """Return the error of a file or stream that is not what it should be."""
    return SetDamaged(
        msg("{path}: {cause}", path=what, cause=cause),
        msg("Restore from another copy: 'portalops backup show SET' lists the media that have one."),
    )


def _decompressed(pieces: Iterator[bytes | bytearray]) -> Iterator[bytes]:
    """Decompress zstd frames, one behind the other; a frame that does not end is an error."""
    keep_freed_memory()
    decompressor = ZstdDecompressor()
    is_inside = False
    for piece in pieces:
        data = piece
        while data or not decompressor.needs_input:
            plain = decompressor.decompress(data, max_length=PIECE_BYTES)
            is_inside = True
            data = b""
            if plain:
                yield plain
            if decompressor.eof:
                data = decompressor.unused_data
                decompressor = ZstdDecompressor()
                is_inside = False
                if not data:
                    break
    if is_inside:
        raise ZstdError("a frame does not end")
