"""The age file format, version 1, for X25519 keys: the one place that encrypts and decrypts.

Written on `cryptography`'s primitives after the specification (C2SP, "The age file encryption format"), because they
release the interpreter lock while they work, so that compression and encryption run side by side. Stock `age` opens what
is written here, and what it writes is opened here.

    age-encryption.org/v1
    -> X25519 <ephemeral share>          one stanza a recipient
    <file key, wrapped>
    --- <HMAC of the header>
    <nonce, 16 bytes><chunk><chunk>...   ChaCha20-Poly1305 over 64 KiB each, the last one marked

It knows neither passphrases nor plugins.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backups.bech32 import decode, encode
from portalops.errors import ConfigurationError, SetDamaged, WrongKey
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import Readable

Recipient = NewType("Recipient", bytes)
"""The 32 bytes of an X25519 public key."""

CHUNK_BYTES = 64 << 10
"""Plaintext of one chunk."""
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES

_VERSION = b"age-encryption.org/v1"
_MAX_HEADER_BYTES = 64 << 10
_MAX_KEY_FILE = 1 << 20
"""A header of two recipients has 350 bytes; one that is far longer is not ours to open."""
_FILE_KEY_BYTES = 16
_CHUNKS_AT_ONCE = 16
"""A mebibyte."""
_PIECE_BYTES = 1 << 20
_PRIME = 2**255 - 19
"""Coordinates of Curve25519 are smaller (RFC 7748)."""
_ZERO_NONCE = bytes(12)
"""Each wrapping key is used once, so age-encryption.org/v1 fixes its nonce."""


@dataclass(frozen=True)
class PrivateKey:
    """A private key; it opens what was encrypted for its recipient."""

    key: X25519PrivateKey
    recipient: Recipient

    def as_text(self) -> str:
        """Return the secret as the line of a key file, for the program `age`."""
        return encode("age-secret-key-", self.key.private_bytes_raw()).upper()


def parse_recipient(text: str) -> Recipient:
    """Read a public key, `age1...`.

    Raises:
        ConfigurationError: the text is not one, or nothing can be sealed for it.
    """
    try:
        key = _key(text, "age")
        _require_usable(key)
    except ValueError as error:
        raise ConfigurationError(
            msg("not an age public key: {key}", key=show_text(text.strip(), 80)),
            msg("A public key begins with age1; run 'age-keygen -y KEY' to print it."),
        ) from error
    return Recipient(key)


def parse_identity(text: str) -> PrivateKey:
    """Read a private key, `AGE-SECRET-KEY-1...`.

    Raises:
        WrongKey: the text is not one; it is never shown.
    """
    try:
        secret = _key(text, "age-secret-key-")
    except ValueError as error:
        raise WrongKey(
            msg("not an age private key"), msg("A private key is one line that begins with AGE-SECRET-KEY-1.")
        ) from error
    key = X25519PrivateKey.from_private_bytes(secret)
    return PrivateKey(key, Recipient(key.public_key().public_bytes_raw()))


def read_identities(path: Path) -> tuple[PrivateKey, ...]:
    """Read a file of private keys as `age-keygen` writes it: one a line, `#` begins a comment.

    Raises:
        WrongKey: the file cannot be read or holds no private key.
    """
    try:
        with path.open(encoding="ascii") as file:
            lines = file.read(_MAX_KEY_FILE).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        cause = cause_of(error) if isinstance(error, OSError) else msg("not a text file")
        raise WrongKey(
            msg("cannot read a private key from {path}: {cause}", path=str(path), cause=cause),
            msg("Name the file that 'portalops init' or 'age-keygen' wrote."),
        ) from error
    try:
        found = tuple(parse_identity(line) for line in lines if line.strip() and not line.startswith("#"))
    except WrongKey as error:
        raise WrongKey(
            msg("{path}: {cause}", path=show_text(str(path), 300), cause=error.message), error.hint
        ) from error
    if not found:
        raise WrongKey(
            msg("there is no private key in {path}", path=str(path)),
            msg("Name the file that 'portalops init' or 'age-keygen' wrote."),
        )
    return found


class Encryptor:
    """Encrypts one file for several recipients, piece by piece."""

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        file_key = os.urandom(_FILE_KEY_BYTES)
        nonce = os.urandom(16)
        header = b"".join((_VERSION, b"\n", *(_stanza(file_key, recipient) for recipient in recipients), b"---"))
        self._start = b"".join((header, b" ", _base64(_header_mac(file_key, header)), b"\n", nonce))
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._counter = 0
        self._held = bytearray(CHUNK_BYTES)
        self._held_bytes = 0

    def update(self, data: bytes | bytearray | memoryview) -> bytearray:
        """Take plaintext and return the bytes that can be written now; the header comes with the first ones.

        One chunk is always held back, because the last one of a file is marked as such.
        """
        rest = memoryview(data)
        out = bytearray(len(self._start) + (self._held_bytes + len(rest)) // CHUNK_BYTES * SEALED_CHUNK_BYTES)
        at = self._take_start(out)
        if self._held_bytes:
            taken = min(CHUNK_BYTES - self._held_bytes, len(rest))
            self._hold(rest[:taken])
            rest = rest[taken:]
            if rest and self._held_bytes == CHUNK_BYTES:
                at = self._seal(self._held, out, at)
                self._held_bytes = 0
        while len(rest) > CHUNK_BYTES:
            at = self._seal(rest[:CHUNK_BYTES], out, at)
            rest = rest[CHUNK_BYTES:]
        self._hold(rest)
        del out[at:]
        return out

    def finish(self) -> bytearray:
        """Return the last bytes of the file."""
        out = bytearray(len(self._start) + self._held_bytes + TAG_BYTES)
        at = self._take_start(out)
        self._seal(memoryview(self._held)[: self._held_bytes], out, at, last=True)
        return out

    def _take_start(self, out: bytearray) -> int:
        start, self._start = self._start, b""
        out[: len(start)] = start
        return len(start)

    def _hold(self, data: memoryview) -> None:
        self._held[self._held_bytes : self._held_bytes + len(data)] = data
        self._held_bytes += len(data)

    def _seal(self, chunk: bytearray | memoryview, out: bytearray, at: int, *, last: bool = False) -> int:
        end = at + len(chunk) + TAG_BYTES
        nonce = _chunk_nonce(self._counter, last=last)
        self._cipher.encrypt_into(nonce, chunk, None, memoryview(out)[at:end])
        self._counter += 1
        return end


def decrypted(file: Readable, identities: Sequence[PrivateKey]) -> Iterator[bytearray]:
    """Yield the plaintext of an age file, some chunks at a time, each one authenticated before it is given out.

    Raises:
        WrongKey: none of the keys opens it.
        SetDamaged: it is not an age file, was changed, or is cut short.
    """
    source = _Buffered(file)
    cipher = ChaCha20Poly1305(_payload_key(source, identities))
    counter = 0
    chunk = source.read_up_to(SEALED_CHUNK_BYTES)
    while chunk or not counter:
        plain, done = bytearray(_CHUNKS_AT_ONCE * CHUNK_BYTES), 0
        while done < len(plain) and (chunk or not counter):
            following = source.read_up_to(SEALED_CHUNK_BYTES)
            end = done + max(0, len(chunk) - TAG_BYTES)
            nonce = _chunk_nonce(counter, last=not following)
            try:
                cipher.decrypt_into(nonce, chunk, None, memoryview(plain)[done:end])
            except InvalidTag as error:
                yield plain[:done]
                raise _damaged(msg("a chunk does not authenticate, or the end is missing")) from error
            if not following and end == done and counter:
                raise _damaged(msg("it ends with an empty chunk"))
            counter += 1
            chunk, done = following, end
        del plain[done:]
        yield plain


class _Buffered:
    """Reads exact amounts from a file that may give less at a time."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._held = memoryview(b"")

    def read_up_to(self, size: int) -> memoryview:
        """Return `size` bytes, or what there is before the end.

        A piece is read for many chunks, and only the chunk that lies in two pieces is copied: that is done under the lock of the
        interpreter, and whoever uses the plaintext waits for it.
        """
        if len(self._held) < size:
            parts = [self._held]
            have = len(self._held)
            while have < size and (got := self._file.read(max(size - have, _PIECE_BYTES))):
                parts.append(memoryview(got))
                have += len(got)
            last = parts.pop()
            missing = size - (have - len(last))
            self._held = last[missing:]
            taken = b"".join((*parts, last[:missing]))
            return memoryview(taken)
        taken_here, self._held = self._held[:size], self._held[size:]
        return taken_here

    def line(self) -> bytes:
        """Return the next line without its end."""
        line, end, rest = bytes(self.read_up_to(_MAX_HEADER_BYTES)).partition(b"\n")
        self._held = memoryview(b"".join((rest, self._held)))
        if not end:
            raise _damaged(msg("its header does not end"))
        return line


def _key(text: str, expected_prefix: str) -> bytes:
    prefix, key = decode(text.strip())
    if prefix != expected_prefix or len(key) != 32:
        raise ValueError("a key of another kind")
    return key


def _require_usable(point: bytes) -> None:
    """Require that what is sealed for a public key opens with one private key alone.

    Raises:
        ValueError: it has low order, so that everyone shares the same secret with it, or is written in a way that no private key
            gives, and then the salt of age's stanza differs on both sides.
    """
    if int.from_bytes(point, "little") >= _PRIME:
        raise ValueError("not a canonical point")
    X25519PrivateKey.from_private_bytes(bytes(32)).exchange(X25519PublicKey.from_public_bytes(point))


def _payload_key(source: _Buffered, identities: Sequence[PrivateKey]) -> bytes:
    header = source.line()
    if header != _VERSION:
        raise _damaged(msg("it is not an age file of version 1"))
    lines = [header]
    stanzas: list[tuple[list[bytes], bytes]] = []
    line = source.line()
    while line.startswith(b"-> "):
        lines.append(line)
        arguments, body = line[3:].split(b" "), b""
        while True:
            part = source.line()
            lines.append(part)
            body += _unbase64(part)
            if len(part) < 64:
                break
        stanzas.append((arguments, body))
        line = source.line()
    if not line.startswith(b"--- "):
        raise _damaged(msg("its header is malformed"))
    file_key = _opened(stanzas, identities)
    lines.append(b"---")
    if not hmac.compare_digest(_header_mac(file_key, b"\n".join(lines)), _unbase64(line[4:])):
        raise _damaged(msg("its header was changed"))
    nonce = bytes(source.read_up_to(16))
    if len(nonce) != 16:
        raise _damaged(msg("it is cut short"))
    return _derived(file_key, nonce, b"payload")


def _opened(stanzas: Sequence[tuple[list[bytes], bytes]], identities: Sequence[PrivateKey]) -> bytes:
    for arguments, body in stanzas:
        if arguments[0] != b"X25519":
            continue  # other kinds of recipients, and grease, are to be passed over
        if len(arguments) != 2 or len(share := _unbase64(arguments[1])) != 32 or len(body) != 32:
            raise _damaged(msg("its header is malformed"))
        for identity in identities:
            try:
                shared = identity.key.exchange(X25519PublicKey.from_public_bytes(share))
                key = _derived(shared, share + identity.recipient, b"age-encryption.org/v1/X25519")
                return ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, body, None)
            except (InvalidTag, ValueError):
                continue  # made for another key; a share of low order opens with none
    raise WrongKey(
        msg("the key is not one of the {n} keys that open the set", n=len(stanzas)),
        msg("Use the operator's or the escrow key of a recipient that set.json names."),
    )


def _stanza(file_key: bytes, recipient: Recipient) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    key = _derived(shared, share + recipient, b"age-encryption.org/v1/X25519")
    body = ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, file_key, None)
    return b"-> X25519 " + _base64(share) + b"\n" + _base64(body) + b"\n"


def _header_mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), header, "sha256")


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def _chunk_nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unbase64(text: bytes) -> bytes:
    """Decode strictly: no padding, and one spelling only for the same bytes."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise _damaged(msg("its header is malformed")) from error
    if _base64(data) != text:
        raise _damaged(msg("its header is malformed"))
    return data


def _damaged(cause: Message) -> SetDamaged:
    return SetDamaged(
        msg("an encrypted file is damaged: {cause}", cause=cause),
        msg("Restore from another copy: 'portalops backup show SET' lists the media that have one."),
    )
