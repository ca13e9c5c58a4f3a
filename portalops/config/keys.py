"""Keys made once: age key pairs that open backup sets, and the Ed25519 key that signs.

Private keys are written for their owner alone (mode 0600) in the formats of `age-keygen` and
OpenSSH, so that the stock programs can use them. Nothing here overwrites a key that was in use.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops.config.layers import show_path
from portalops.config.secrets import check_private_file
from portalops.config.settings import RecipientSetting
from portalops.errors import ConfigurationError, SecretUnavailable
from portalops.files import sync_folder, unwritable, write_atomically
from portalops.model.message import msg

PUBLIC_SUFFIX = ".pub"


class KeyState(StrEnum):
    """What was found, or done, about one key."""

    MADE = "made"
    """The pair was made now."""
    COMPLETED = "completed"
    """The public key was derived from the private one that lay there."""
    PRESENT = "present"
    """Both halves lie there."""
    PUBLIC_ONLY = "public-only"
    """Only the public half lies there: for a recipient, as it should be."""


@dataclass(frozen=True, slots=True)
class CheckedKey:
    """One key pair, after it was seen to."""

    id: str
    """`operator`, `escrow`, `signing`, ..."""
    public_file: Path
    private_file: Path
    state: KeyState
    public_key: str

    @property
    def private_is_here(self) -> bool:
        """Whether the private half lies on this machine."""
        return self.state is not KeyState.PUBLIC_ONLY


def ensure_recipient(setting: RecipientSetting, *, made_at: datetime) -> CheckedKey:
    """Make an age key pair unless its public key is there already.

    Args:
        setting: a recipient that is configured by a file.
        made_at: the moment in the private key's file.

    Raises:
        ConfigurationError: the public file's name does not end in `.pub`, or it holds no public key.
        FileUnwritable: a file cannot be written.
        SecretUnavailable: the file there is not a private key, or others can read it.
    """
    assert setting.file is not None
    name, public_file = setting.name, setting.file
    private_file = private_half(public_file)
    if os.path.lexists(public_file):
        state = KeyState.PRESENT if os.path.lexists(private_file) else KeyState.PUBLIC_ONLY
        return CheckedKey(name, public_file, private_file, state, setting.read().public_key)
    if os.path.lexists(private_file):
        public_key = public_of_identity(private_file)
        _write_public(public_file, public_key)
        return CheckedKey(name, public_file, private_file, KeyState.COMPLETED, public_key)
    identity = pyrage.x25519.Identity.generate()
    public_key = str(identity.to_public())
    stamp = made_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    _write_private(private_file, f"# created: {stamp}\n# public key: {public_key}\n{identity}\n".encode())
    _write_public(public_file, public_key)
    return CheckedKey(name, public_file, private_file, KeyState.MADE, public_key)


def ensure_signing_key(private_file: Path, *, comment: str) -> CheckedKey:
    """Make an Ed25519 key pair in OpenSSH's format unless the private key is there already.

    Raises:
        FileUnwritable: a file cannot be written.
        SecretUnavailable: what lies there is no Ed25519 key without a passphrase, or others can read it.
    """
    public_file = private_file.with_name(private_file.name + PUBLIC_SUFFIX)
    if os.path.lexists(private_file):
        public_key = _public_of_signing(private_file, comment)
        if os.path.lexists(public_file):
            return CheckedKey("signing", public_file, private_file, KeyState.PRESENT, public_key)
        _write_public(public_file, public_key)
        return CheckedKey("signing", public_file, private_file, KeyState.COMPLETED, public_key)
    if os.path.lexists(public_file):
        # The pair was separated on purpose or by accident; a second key under one name would confuse every verifier.
        raise SecretUnavailable(
            msg("the public key {path} exists, but its private key is missing", path=show_path(public_file)),
            msg("Restore {path}, or move the public key away; then a new pair is made.", path=show_path(private_file)),
        )
    key = Ed25519PrivateKey.generate()
    public_key = _openssh_line(key, comment)
    _write_private(private_file, _new_signing_key(key))
    _write_public(public_file, public_key)
    return CheckedKey("signing", public_file, private_file, KeyState.MADE, public_key)


def next_key(private_file: Path) -> Path:
    """Return where the key lies that is to follow a signing key, until it takes its place."""
    return private_file.with_name(f"{private_file.name}.next")


def make_next_key(private_file: Path) -> None:
    """Make the key that is to follow a signing key, in place of one that was made before but never used.

    Raises:
        FileUnwritable: it cannot be written.
    """
    _write_private(next_key(private_file), _new_signing_key(Ed25519PrivateKey.generate()))


def take_up_next_key(private_file: Path, *, keep_as: Path | None, comment: str) -> None:
    """Let the next key take a signing key's place. Killed at any step, it is finished by another call.

    Args:
        private_file: the signing key; there is one at any moment, if there was one before.
        keep_as: where the present key is kept; None if there is none to keep.
        comment: of the public key's line.

    Raises:
        FileUnwritable: a file cannot be written.
        SecretUnavailable: the next key cannot be read.
    """
    if keep_as is not None:
        try:
            present = private_file.read_bytes()
        except OSError as error:
            raise unwritable(keep_as, error) from error
        _write_private(keep_as, present)
    try:
        os.replace(next_key(private_file), private_file)
        sync_folder(private_file.parent)
    except OSError as error:
        raise unwritable(private_file, error) from error
    write_signing_public(private_file, comment=comment)


def write_signing_public(private_file: Path, *, comment: str) -> None:
    """Write the public half of a signing key beside it, whatever lies there.

    Raises:
        FileUnwritable: it cannot be written.
        SecretUnavailable: the private key cannot be read.
    """
    public_file = private_file.with_name(private_file.name + PUBLIC_SUFFIX)
    line = _public_of_signing(private_file, comment)
    with contextlib.suppress(OSError):
        if public_file.read_text(encoding="utf-8") == f"{line}\n":
            return
    _write_public(public_file, line)


def private_half(public_file: Path) -> Path:
    """Return where the private key of a public one lies: beside it, without `.pub`.

    Raises:
        ConfigurationError: the name does not end in `.pub`.
    """
    if public_file.suffix != PUBLIC_SUFFIX:
        raise ConfigurationError(
            msg("the name of the public key file {path} does not end in .pub", path=show_path(public_file)),
            msg("Name it NAME.age.pub in the configuration; its private key is then NAME.age."),
        )
    return public_file.with_suffix("")


def public_of_identity(private_file: Path) -> str:
    """Return the public key of an age private key file.

    Raises:
        SecretUnavailable: it cannot be read, others can read it, or it holds no age key.
    """
    check_private_file(private_file)
    text = private_file.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^AGE-SECRET-KEY-1[0-9A-Z]+$", text, re.MULTILINE)
    try:
        return str(pyrage.x25519.Identity.from_str(found.group() if found else "").to_public())
    except pyrage.IdentityError as error:
        raise SecretUnavailable(
            msg("{path} holds no age private key", path=show_path(private_file)),
            msg("Put the right key there, or move the file away; then a new pair is made."),
        ) from error


def _public_of_signing(private_file: Path, comment: str) -> str:
    check_private_file(private_file)
    try:
        key = serialization.load_ssh_private_key(private_file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise _not_signing(private_file) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_signing(private_file)
    return _openssh_line(key, comment)


def _new_signing_key(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def _not_signing(path: Path) -> SecretUnavailable:
    return SecretUnavailable(
        msg("{path} is not an Ed25519 private key in OpenSSH format without a passphrase", path=show_path(path)),
        msg("Make a key with 'ssh-keygen -t ed25519 -N \"\"', or move the file away; then a new key is made."),
    )


def _openssh_line(key: Ed25519PrivateKey, comment: str) -> str:
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{line.decode()} {comment}"


def _write_private(path: Path, data: bytes) -> None:
    _make_private_folder(path.parent)
    write_atomically(path, data, mode=0o600)


def _write_public(path: Path, public_key: str) -> None:
    _make_private_folder(path.parent)
    write_atomically(path, f"{public_key}\n".encode(), mode=0o644)


def _make_private_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # writing the file says what is wrong, with a hint
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
