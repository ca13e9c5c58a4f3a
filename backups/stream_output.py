"""One stream of a set to a program that reads it, such as pg_restore, without a file between.

A pack is read whole, and has its digest, before the first byte of it goes out; the next one is read meanwhile. The last bytes are
held back until the digest of the whole stream is right, so the reader of a stream that turns out damaged never gets to its
end. What went out before that cannot be called back: it is for the reader to throw away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile

from backups.age import PrivateKey
from backups.contents import PIECE_BYTES, damaged, stream_plaintext
from backups.restore import REMOVED
from backups.set_file import SetFile
from portalops.errors import BackupError, PortalOpsError
from portalops.model.backups import Pack, Stream
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import Readable, StoredSet

IN_MEMORY_BYTES = 64 << 20
"""Of a pack; the rest of a larger one waits in a temporary file, encrypted as it is."""


def find_stream(content: SetFile, source: str | None, name: str | None) -> Stream:
    """Return the one stream that is asked for.

    Args:
        content: what the set says of itself.
        source: its source; None where the set has only one.
        name: its name; None where the source has only one.

    Raises:
        BackupError: there is no such stream, there are several, or it is one that a folder alone can take.
    """
    there = tuple(stream for stream in content.streams if stream.format != REMOVED)
    found = [stream for stream in there if source in {None, stream.source} and name in {None, stream.name}]
    if len(found) != 1:
        names = ", ".join(f"--source {stream.source} --stream {stream.name}" for stream in found or there)
        raise BackupError(
            msg("{n} streams match; choose one with --stream", n=len(found)),
            msg("The streams are: {names}.", names=show_text(names, 1000) or "-"),
        )
    (stream,) = found
    if stream.differential:
        raise BackupError(
            msg("{stream} holds only what has changed since the base", stream=f"{stream.source}/{stream.name}"),
            msg("Restore it into a folder with --to FOLDER: there the base and the changes are joined."),
        )
    return stream


def stream_out(
    stored: StoredSet,
    stream: Stream,
    identities: Sequence[PrivateKey],
    write: Callable[[bytes], object],
    *,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> int:
    """Write a stream's plaintext to its reader, and return how many bytes that were.

    Args:
        stored: the copy to read from.
        stream: a stream that stands alone.
        identities: private keys, at least one of a recipient.
        write: takes a piece, whole.
        on_bytes: is called with every piece that was written.

    Raises:
        WrongKey: no key opens it; nothing went out.
        SetDamaged: it is not what was backed up; the reader did not get its end.
        MediumUnavailable: the medium does not give it any more.
    """
    given = 0
    held = b""
    try:
        with _checked(stored, stream.packs) as checked:
            for piece in stream_plaintext(checked, stream, identities):
                if held:
                    write(held)
                    given += len(held)
                    on_bytes(len(held))
                held = piece
    except PortalOpsError as error:
        if not given:
            raise
        raise type(error)(
            msg("{cause}; the {bytes} bytes written before are incomplete", cause=error.message, bytes=given),
            msg(
                "Delete what was made from them, such as a half-loaded database; then use another copy with "
                "--medium ID."
            ),
        ) from error
    write(held)
    on_bytes(len(held))
    return given + len(held)


class _Checked:
    """A set whose packs are opened in order, each read whole and found to have its digest before."""

    def __init__(self, stored: StoredSet, packs: Sequence[Pack], pool: ThreadPoolExecutor) -> None:
        self._stored = stored
        self._packs = iter(packs)
        self._pool = pool
        self._next = self._read_next()

    def sizes(self) -> Mapping[str, int]:
        return self._stored.sizes()

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        del path  # `stream_plaintext` takes them in order
        assert self._next is not None
        with self._next.result() as held:
            self._next = self._read_next()
            yield held

    def drop(self) -> None:
        """Let go of what was read ahead."""
        if self._next is not None and not self._next.cancel() and self._next.exception() is None:
            self._next.result().close()

    def _read_next(self) -> Future[SpooledTemporaryFile[bytes]] | None:
        pack = next(self._packs, None)
        return None if pack is None else self._pool.submit(self._read, pack)

    def _read(self, pack: Pack) -> SpooledTemporaryFile[bytes]:
        held = SpooledTemporaryFile[bytes](IN_MEMORY_BYTES)  # closed by who opens it
        try:
            self._copy(pack, held)
        except BaseException:
            held.close()
            raise
        return held

    def _copy(self, pack: Pack, held: SpooledTemporaryFile[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self._stored.open(pack.path) as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
                if size > pack.stored_bytes:
                    break
                held.write(piece)
        if size != pack.stored_bytes or digest.hexdigest() != pack.stored_sha256:
            raise damaged(pack.path, msg("its bytes are not those that were stored"))
        held.seek(0)


@contextmanager
def _checked(stored: StoredSet, packs: Sequence[Pack]) -> Iterator[StoredSet]:
    with ThreadPoolExecutor(1, thread_name_prefix="packs") as pool:
        checked = _Checked(stored, packs, pool)
        try:
            yield checked
        finally:
            checked.drop()
