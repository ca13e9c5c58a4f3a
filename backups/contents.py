"""The plaintext of a stream out of its packs, checked on the way: pack by pack, then as a whole.

Decrypting, digesting and using the bytes are done side by side, a thread each.

Bytes are given out before their pack's digest is known, because memory is bounded; whoever uses them must wait for the
end before calling anything good. What does not match raises `SetDamaged` and names the pack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from backups.age import Identity, decrypted
from backups.ahead import ahead
from backups.freed import keep_freed_memory
from backups.index import MAX_LINE_BYTES, parse_line
from backups.zstd import ZstdDecompressor, ZstdError
from portalops.errors import SetDamaged, WrongKey
from portalops.model.backups import Member, Pack, Stream
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.ports import Readable, StoredSet

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

PIECE_BYTES = 1 << 20


def pack_plaintext(
    stored: StoredSet, pack: Pack, identities: Sequence[Identity], *, running: Hash | None = None
) -> Iterator[bytes]:
    """Yield a pack's plaintext, and raise at its end if it is not what was packed.

    Args:
        stored: the set.
        pack: a pack or an index.
        identities: private keys.
        running: the digest of all packs of the stream before this one. Without it the pack's stored bytes are
            digested instead, which says as much: the same bytes decrypt to the same plaintext.

    Raises:
        WrongKey: no key opens it.
        SetDamaged: it is missing, changed or cut short.
    """
    size = 0
    try:
        with stored.open(pack.path) as opened:
            file = _Digested(opened) if running is None else opened
            with ahead(_decompressed(decrypted(file, identities))) as pieces:
                for piece in pieces:
                    if running is not None:
                        running.update(piece)
                    size += len(piece)
                    if size > pack.plain_bytes:
                        break
                    yield piece
    except WrongKey as error:
        raise WrongKey(msg("{path}: {cause}", path=pack.path, cause=error.message), error.hint) from error
    except ZstdError as error:
        raise damaged(pack.path, "its compressed data is malformed") from error
    except SetDamaged as error:
        if str(error).startswith(pack.path):
            raise
        raise SetDamaged(msg("{path}: {cause}", path=pack.path, cause=error.message), error.hint) from error
    is_same = (
        file.digest.hexdigest() == pack.stored_sha256
        if isinstance(file, _Digested)
        else running is not None and running.hexdigest() == pack.running_sha256
    )
    if size != pack.plain_bytes or not is_same:
        raise damaged(pack.path, "its content is not what was packed")


def stream_plaintext(stored: StoredSet, stream: Stream, identities: Sequence[Identity]) -> Iterator[bytes]:
    """Yield a whole stream's plaintext; raises as `pack_plaintext` does."""
    with ahead(_joined(stored, stream, identities)) as pieces:
        yield from pieces


def _joined(stored: StoredSet, stream: Stream, identities: Sequence[Identity]) -> Iterator[bytes]:
    digest = hashlib.sha256()
    size = 0
    for pack in stream.packs:
        for piece in pack_plaintext(stored, pack, identities, running=digest):
            size += len(piece)
            yield piece
    if size != stream.plain_bytes or Digest(digest.hexdigest()) != stream.plain_sha256:
        raise damaged(f"{stream.source}/{stream.name}", "the joined packs are not the stream that was made")


def stream_plaintext_from(
    stored: StoredSet, stream: Stream, identities: Sequence[Identity], offset: int
) -> Iterator[bytes]:
    """Yield a stream's plaintext from a byte on; packs before it are not read."""
    start = 0
    for pack in stream.packs:
        end = start + pack.plain_bytes
        if end > offset:
            skip = max(0, offset - start)
            for piece in pack_plaintext(stored, pack, identities):
                yield piece[skip:]
                skip = max(0, skip - len(piece))
        start = end


def index_members(stored: StoredSet, stream: Stream, identities: Sequence[Identity]) -> Iterator[Member]:
    """Yield the members that a stream's index lists; nothing for a stream without one."""
    if stream.index is None:
        return
    held = b""
    for piece in pack_plaintext(stored, stream.index, identities):
        lines = (held + piece).split(b"\n")
        held = lines.pop()
        if len(held) > MAX_LINE_BYTES:
            raise damaged(stream.index.path, "a line does not end")
        for line in lines:
            yield parse_line(line)
    if held:
        raise damaged(stream.index.path, "its last line does not end")


class _Digested:
    """Digests what is read from a file."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def damaged(what: str, cause: str) -> SetDamaged:
    """Return the error of a file or stream that is not what it should be."""
    return SetDamaged(
        msg("{path}: {cause}", path=what, cause=cause),
        msg("Restore from another copy; 'portalops backup show SET' names the media that have one."),
    )


def _decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
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
