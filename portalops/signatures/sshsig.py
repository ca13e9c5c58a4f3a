"""Signatures in OpenSSH's format (PROTOCOL.sshsig of OpenSSH), made and verified with Ed25519.

What is signed is not the message but a structure that names the purpose (the namespace) and the
message's SHA-512, so that a signature made for one purpose is not valid for another. Ed25519 signs the same
bytes to the same signature, so what is written here equals byte for byte what `ssh-keygen -Y sign` writes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from portalops.config.secrets import read_private_file
from portalops.errors import SecretUnavailable
from portalops.files import write_atomically
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.model.values import dataclass

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM = "ssh-ed25519"
SECURITY_KEY = "sk-ssh-ed25519@openssh.com"
"""An Ed25519 key that a FIDO2 token holds (PROTOCOL.u2f of OpenSSH)."""

BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"

MAX_SIGNATURE_CHARS = 8192
"""No signature of these algorithms is longer; anything larger is some other file."""


class BadSignature(ValueError):
    """Not a signature, not one of this message, or not for this purpose; the message says which."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class Hashed:
    """A message of which only the digests are at hand, because it is too large to be held."""

    sha256: bytes
    sha512: bytes


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that is at hand for signing."""

    private: Ed25519PrivateKey
    public_key: str
    """`ssh-ed25519 BASE64`, without a comment."""

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read a private key in OpenSSH's format.

        Raises:
            SecretUnavailable: it is not there, this account cannot read it, others can read it, or it is no Ed25519 key
                without a passphrase.
        """
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # as below
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  # as below

        held = read_private_file(path)
        try:
            key = serialization.load_ssh_private_key(held, password=None)
        except (ValueError, TypeError) as error:
            raise _not_signing(path) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _not_signing(path)
        return cls.of(key)

    @classmethod
    def of(cls, key: Ed25519PrivateKey) -> SigningKey:
        """Return a key with the text of its public half."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # 10 ms, for who signs or verifies alone

        raw = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return cls(key, raw.decode())

    @staticmethod
    def make(path: Path) -> None:
        """Write a new private key in OpenSSH's format, without a passphrase, for its owner alone to read.

        Raises:
            FileUnwritable: it cannot be written.
        """
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # as below
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  # as below

        forms = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        write_atomically(path, Ed25519PrivateKey.generate().private_bytes(*forms), mode=0o600)

    def sign(self, message: bytes, *, namespace: str) -> str:
        """Sign as `ports.SetSigner` does."""
        return sign(message, self, namespace)


def sign(message: bytes | Hashed, key: SigningKey, namespace: str) -> str:
    """Return the armoured signature of a message for a purpose, ending in a line feed."""
    signature = key.private.sign(_to_be_signed(message, namespace))
    blob = b"".join(
        (
            _MAGIC,
            (1).to_bytes(4, "big"),
            _string(_key_blob(key.public_key)),
            _string(namespace.encode()),
            _string(b""),
            _string(b"sha512"),
            _string(_string(ALGORITHM.encode()) + _string(signature)),
        )
    )
    return _armoured(blob)


def verify(message: bytes | Hashed, signature: str, namespace: str) -> str:
    """Return the public key that signed a message; whether that key is to be trusted is another question.

    Args:
        message: the exact bytes, or their digests.
        signature: armoured, as `sign` or `ssh-keygen -Y sign` gives it.
        namespace: the purpose that it must have been made for.

    Raises:
        BadSignature: it is not a signature of this message for this purpose.
    """
    held = _Reader(_unarmoured(signature))
    if held.take(6) != _MAGIC or held.take(4) != b"\0\0\0\1":
        raise BadSignature(msg("not an OpenSSH signature of version 1"))
    key, found_namespace, reserved, algorithm, signed = (held.string() for _ in range(5))
    held.end()
    if reserved:  # nothing signs it, so it would be a second text of the same signature
        raise BadSignature(msg("not in the format of ssh-keygen"))
    if found_namespace != namespace.encode():
        raise BadSignature(
            msg(
                "made for another purpose: {found} instead of {wanted}",
                found=show_text(found_namespace[:80].decode("ascii", "backslashreplace")),
                wanted=namespace,
            )
        )
    if algorithm not in _HASHES:
        raise BadSignature(
            msg("unknown hash algorithm: {name}", name=show_text(algorithm[:40].decode("ascii", "backslashreplace")))
        )
    data = _to_be_signed(message, namespace, algorithm.decode())
    parts, inner = _Reader(key), _Reader(signed)
    kind = parts.string()
    if inner.string() != kind or kind not in {ALGORITHM.encode(), SECURITY_KEY.encode()}:
        raise BadSignature(msg("not an Ed25519 signature: {name}", name=repr(kind[:40])))
    raw, application = parts.string(), parts.string() if kind == SECURITY_KEY.encode() else b""
    parts.end()
    proof = inner.string()
    if kind == SECURITY_KEY.encode():
        flags_and_counter = inner.take(5)
        if not flags_and_counter[0] & 1:
            raise BadSignature(msg("the security key was not touched when signing"))
        data = hashlib.sha256(application).digest() + flags_and_counter + hashlib.sha256(data).digest()
    inner.end()
    if is_weak(raw):
        raise BadSignature(msg("anybody can make signatures of this key"))
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # as above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415  # as above

    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(proof, data)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(msg("the signature does not match the signed data")) from error
    return f"{kind.decode()} {base64.b64encode(key).decode()}"


def public_key_of(text: str) -> str:
    """Return `ALGORITHM BASE64` from a line of a `.pub` file or of the configuration.

    Raises:
        ValueError: it is no Ed25519 public key in OpenSSH's format.
    """
    found = re.fullmatch(
        rf"({re.escape(ALGORITHM)}|{re.escape(SECURITY_KEY)})[ \t]+([A-Za-z0-9+/=]+)(?:[ \t].*)?", text.strip()
    )
    if found is None:
        raise ValueError("not an Ed25519 public key in OpenSSH's format")
    key = f"{found.group(1)} {found.group(2)}"
    try:
        held = _Reader(_key_blob(key))
        kind, raw = held.string(), held.string()
        if kind != found.group(1).encode() or len(raw) != 32 or is_weak(raw):
            raise ValueError("not an Ed25519 public key in OpenSSH's format")
        if found.group(1) == SECURITY_KEY:
            held.string()
        held.end()
    except binascii.Error as error:
        raise ValueError("not an Ed25519 public key in OpenSSH's format") from error
    return key


def is_weak(raw: bytes) -> bool:
    """Say whether the 32 bytes of a public key are one for which anybody can make signatures, or are not written canonically.

    Eight points of the curve have an order that divides 8 (RFC 7748, section 7): a signature by one of them fits
    every eighth message or more, and nobody needs a secret for it. OpenSSL takes them, and other ways to write them.
    """
    y = int.from_bytes(raw, "little") & (1 << 255) - 1
    return y >= _PRIME or y in {0, 1, _PRIME - 1, _EIGHTH, _PRIME - _EIGHTH}


def fingerprint(public_key: str) -> str:
    """Return a key's fingerprint as `ssh-keygen -l` shows it: `SHA256:` and 43 letters; of text that is no key, its beginning."""
    try:
        digest = hashlib.sha256(_key_blob(public_key)).digest()
    except (IndexError, ValueError):
        return show_text(public_key, 60)
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


_MAGIC = b"SSHSIG"
_PRIME = 2**255 - 19
_EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022
"""y of two of the four points of order 8; the other two have the negative one."""
_HASHES = (b"sha256", b"sha512")


class _Reader:
    """Takes the parts of a structure one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if len(part) != count:
            raise BadSignature(msg("truncated"))
        self._at += count
        return part

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))

    def end(self) -> None:
        if self._at != len(self._data):
            raise BadSignature(msg("extra bytes at the end"))


def _to_be_signed(message: bytes | Hashed, namespace: str, algorithm: str = "sha512") -> bytes:
    if isinstance(message, Hashed):
        digest = message.sha512 if algorithm == "sha512" else message.sha256
    else:
        digest = hashlib.new(algorithm, message).digest()
    return _MAGIC + b"".join(_string(part) for part in (namespace.encode(), b"", algorithm.encode(), digest))


def _armoured(blob: bytes) -> str:
    encoded = base64.b64encode(blob).decode()
    lines = (encoded[start : start + 70] for start in range(0, len(encoded), 70))
    return "\n".join((BEGIN, *lines, END, ""))


def _unarmoured(signature: str) -> bytes:
    if len(signature) > MAX_SIGNATURE_CHARS:
        raise BadSignature(msg("too long for a signature"))
    lines = signature.replace("\r\n", "\n").strip("\n").split("\n")
    if lines[0] != BEGIN or lines[-1] != END or len(lines) < 3:
        raise BadSignature(msg("not an OpenSSH signature"))
    text = "".join(lines[1:-1])
    if not re.fullmatch("[A-Za-z0-9+/]*={0,2}", text) or len(text) % 4:  # what b64decode takes differs between Pythons
        raise BadSignature(msg("not an OpenSSH signature"))
    blob = base64.b64decode(text)
    if _armoured(blob) != "\n".join((*lines, "")):  # so that there are no two texts of one signature
        raise BadSignature(msg("not in the format of ssh-keygen"))
    return blob


def _key_blob(public_key: str) -> bytes:
    return base64.b64decode(public_key.split(" ")[1], validate=True)


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _not_signing(path: Path) -> SecretUnavailable:
    return SecretUnavailable(
        msg("{path} is not an Ed25519 private key in OpenSSH format without a passphrase", path=str(path)),
        msg("Make a key with 'ssh-keygen -t ed25519 -N \"\"', or move the file away; then a new key is made."),
    )
