"""Bytes of evidence, each in a file named by its SHA-256.

A blob is written beside its place, synced and renamed, so that it is whole or not there; it is
compressed with zstd (RFC 8878), with the frame's own checksum, so that `zstd -dc FILE | sha256sum`
gives the file's name. It is read back against its name every time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from portalops.errors import IntegrityError, LedgerError, LedgerFull
from portalops.files import sync_folder
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.record import Digest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_BLOB_BYTES = 256 << 20
"""Largest blob, before compression: reading one never takes more memory than this."""

SUFFIX = ".zst"
_OPTIONS: Mapping[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
}
_CHUNK_BYTES = 1 << 20


class BlobFolder:
    """The folder `blobs/` of a ledger: `ab/cd/abcd....zst`."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BLOB_BYTES, mode: int = 0o777) -> None:
        """Take the folder, and who may enter what is made in it, before the umask: 0700 for the owner alone."""
        self.folder = folder
        self._place = str(folder)
        self._mode = mode
        self._max_bytes = max_bytes

    def path(self, digest: Digest) -> Path:
        """Return where the blob lies, or would lie."""
        return self.folder / digest[:2] / digest[2:4] / f"{digest}{SUFFIX}"

    def keep(self, data: bytes) -> Digest:
        """Store bytes durably and return their SHA-256; the same bytes are stored once.

        A file that is there already is read back first: were it damaged, it is written anew from
        the right bytes that are at hand.

        Raises:
            LedgerFull: the disk is full or not writable.
            LedgerError: more than the largest blob there may be.
        """
        digest = digest_of(data, self._max_bytes)
        path = self.path(digest)
        if not self._holds(path, digest):
            self._write(path, packed(data))
        return digest

    def read(self, digest: Digest) -> bytes:
        """Return a blob's bytes.

        Raises:
            IntegrityError: it is missing, damaged, or not what its name says.
            LedgerError: it is there and cannot be read.
        """
        try:
            stored = self._stored(digest)
        except FileNotFoundError as error:
            raise broken(msg("blob {digest} is missing", digest=digest)) from error
        except OSError as error:
            raise LedgerError(
                msg("cannot read blob {digest}: {cause}", digest=digest, cause=cause_of(error)),
                msg("Check who may read the folder {folder}.", folder=str(self.folder)),
            ) from error
        return unpacked(stored, digest, self._max_bytes)

    def remove(self, digest: Digest) -> None:
        """Remove a blob for good; removing a missing one is no error.

        Raises:
            LedgerError: it cannot be removed.
        """
        path = self.path(digest)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
        except OSError as error:
            raise LedgerError(
                msg("cannot remove blob {digest}: {cause}", digest=digest, cause=cause_of(error)),
                msg("Run the command as the user that portalops runs as."),
            ) from error

    def digests(self) -> Iterator[Digest]:
        """Yield the name of each blob file, in order; other files are not blobs and are passed over."""
        for path in sorted(self.folder.glob(f"??/??/*{SUFFIX}")):
            name = path.name.removesuffix(SUFFIX)
            if len(name) == 64:
                yield Digest(name)

    def has(self, digest: Digest) -> bool:
        """Say whether a blob's file is there, without reading it; a link or a pipe does not count."""
        try:
            return stat.S_ISREG(self.path(digest).lstat().st_mode)
        except OSError:
            return False

    def _stored(self, digest: Digest) -> bytes:
        """Return the bytes of a blob's file.

        Anybody who may write to the folder may put anything there: a pipe that never ends, a link to a device, a file of any
        length. Nothing of that is waited for, followed, or held in memory.
        """
        # A `Path` takes as long to put together as the file to read; verification reads each blob there is.
        path = f"{self._place}/{digest[:2]}/{digest[2:4]}/{digest}{SUFFIX}"
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise broken(msg("blob {digest} is not a regular file", digest=digest))
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            limit = longest_frame(self._max_bytes)
            if size > limit:
                raise broken(msg("blob {digest} is larger than {limit} bytes", digest=digest, limit=limit))
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(size)
        finally:
            os.close(descriptor)

    def _holds(self, path: Path, digest: Digest) -> bool:
        if not path.exists():
            return False
        try:
            self.read(digest)
        except IntegrityError:
            return False
        return True

    def _write(self, path: Path, stored: bytes) -> None:
        part: Path | None = None
        try:
            _make_folder(path.parent, self._mode)
            part = path.parent / f".{secrets.token_hex(8)}.part"
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self._mode & 0o444)
            with os.fdopen(descriptor, "wb") as file:
                file.write(stored)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
            part = None
            sync_folder(path.parent)
        except OSError as error:
            raise LedgerFull(
                msg("cannot write a blob to {folder}: {cause}", folder=str(self.folder), cause=cause_of(error)),
                msg("Check the free space and the owner of the folder {folder}.", folder=str(self.folder)),
            ) from error
        finally:
            if part is not None:
                with contextlib.suppress(OSError):  # a disk that takes nothing lets nothing go either
                    part.unlink(missing_ok=True)


def digest_of(data: bytes, max_bytes: int = MAX_BLOB_BYTES) -> Digest:
    """Return the name of a blob with these bytes.

    Raises:
        LedgerError: there are more of them than a blob may have.
    """
    if len(data) > max_bytes:
        raise LedgerError(
            msg("a blob of {size} bytes is larger than the limit of {limit}", size=len(data), limit=max_bytes),
            msg("Reduce the output that is kept as evidence, or record it in parts."),
        )
    return Digest(hashlib.sha256(data).hexdigest())


def packed(data: bytes) -> bytes:
    """Return a blob's bytes as every store keeps them: one zstd frame with its own checksum."""
    return zstd.compress(data, options=_OPTIONS)


def unpacked(stored: bytes, digest: Digest, max_bytes: int = MAX_BLOB_BYTES) -> bytes:
    """Return the bytes of a stored blob.

    Raises:
        IntegrityError: it is damaged, or not what its name says.
    """
    data = _decompressed(stored, digest, max_bytes)
    if hashlib.sha256(data).hexdigest() != digest:
        raise broken(msg("blob {digest} does not match its digest", digest=digest))
    return data


def longest_frame(size: int) -> int:
    """Return how large a frame of so many bytes can be at most: a little more than the bytes, if they cannot be compressed."""
    return size + (size >> 7) + 1024


def _decompressed(stored: bytes, digest: Digest, max_bytes: int) -> bytes:
    """Decompress one whole frame, never to more than the limit."""
    decompressor = zstd.ZstdDecompressor()
    try:
        data = decompressor.decompress(stored, max_length=max_bytes + 1)
    except zstd.ZstdError as error:
        raise broken(msg("blob {digest} is damaged: {cause}", digest=digest, cause=str(error))) from error
    if len(data) > max_bytes:
        raise broken(msg("blob {digest} decompresses to more than {limit} bytes", digest=digest, limit=max_bytes))
    if not decompressor.eof:
        raise broken(msg("blob {digest} is truncated", digest=digest))
    if decompressor.unused_data:
        raise broken(msg("blob {digest} has bytes after its end", digest=digest))
    return data


def _make_folder(folder: Path, mode: int) -> None:
    """Make a folder and its parents, each name durable in its own parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent, mode)
    folder.mkdir(mode=mode, exist_ok=True)
    sync_folder(folder.parent)


def broken(what: Message) -> IntegrityError:
    """Say that a blob is not what its name says, or is gone."""
    return IntegrityError(what, msg("Run 'portalops ledger verify' to see which records name it."))
