"""The plaintext of a stream out of its packs, checked on the way: pack by pack, then as a whole.

Bytes are given out before their pack's digest is known, because memory is bounded; whoever uses them must wait for the
end before calling anything good. What does not match raises `SetDamaged` and names the pack.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator, Sequence

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
    size, digest = 0, hashlib.sha256()
    for piece in _opened(stored, pack, identities, digest):
        size += len(piece)
        if size > pack.plain_bytes:
            break
        yield piece
    if size != pack.plain_bytes or digest.hexdigest() != pack.stored_sha256:
        raise not_as_packed(pack)


def stream_plaintext(stored: StoredSet, stream: Stream, identities: Sequence[PrivateKey]) -> Iterator[bytes]:
    """Yield a whole stream's plaintext; raises as `pack_plaintext` does.

    Opening, digesting and using the bytes are done side by side, in a thread each.
    """
    with ahead(_packs(stored, stream.packs, identities)) as opened, ahead(_checked(opened, stream)) as pieces:
        yield from pieces


def _packs(stored: StoredSet, packs: Sequence[Pack], identities: Sequence[PrivateKey]) -> Generator[bytes]:
    """Yield the plaintext of packs, and an empty piece behind each."""
    for pack in packs:
        yield from _opened(stored, pack, identities)
        yield b""


def _checked(pieces: Iterator[bytes], stream: Stream) -> Generator[bytes]:
    """Yield the pieces of a stream, and raise where a pack, or all of them, are not what was packed."""
    size, digest = 0, hashlib.sha256()
    end = 0
    for pack in stream.packs:
        end += pack.plain_bytes
        while piece := next(pieces, b""):
            digest.update(piece)
            size += len(piece)
            if size > end:
                break
            yield piece
        if size != end or digest.hexdigest() != pack.running_sha256:
            raise not_as_packed(pack)
    if size != stream.plain_bytes or digest.hexdigest() != stream.plain_sha256:
        raise damaged(f"{stream.source}/{stream.name}", msg("the joined packs are not the stream that was made"))


def _opened(
    stored: StoredSet, pack: Pack, identities: Sequence[PrivateKey], digest: Hash | None = None
) -> Iterator[bytes]:
    """Yield what is in a pack, never an empty piece; a hash takes in what is stored."""
    with stored.open(pack.path) as file:
        yield from plaintext_of(pack, file if digest is None else _Digested(file, digest), identities)


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
    for piece in pack_plaintext(stored, stream.index, identities):
        lines = (held + piece).split(b"\n")
        held = lines.pop()
        if len(held) > MAX_LINE_BYTES:
            raise damaged(stream.index.path, msg("a line does not end"))
        for line in lines:
            yield parse_line(line)
    if held:
        raise damaged(stream.index.path, msg("its last line does not end"))


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


class _Digested:
    """A file of which a hash takes in what is read."""

    def __init__(self, file: Readable, digest: Hash) -> None:
        self._file = file
        self._digest = digest

    def read(self, size: int, /) -> bytes:
        data = self._file.read(size)
        self._digest.update(memoryview(data))
        return data


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
