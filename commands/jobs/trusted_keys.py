"""Reads the file of keys that a person trusts."""

from __future__ import annotations

from pathlib import Path

from portalops.errors import UsageError
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.registers.signers import NotAllowedSigners, TrustedKey, parse_allowed_signers

MAX_SIGNERS_BYTES = 1 << 20
"""An allowed_signers file has a line for each key; anything larger is some other file."""


def read_trusted(path: Path) -> tuple[TrustedKey, ...]:
    """Read an allowed_signers file that a person supplies.

    Raises:
        UsageError: the file cannot be read, or is none.
    """
    try:
        return parse_allowed_signers(read_limited(path, MAX_SIGNERS_BYTES).decode())
    except ValueError as error:
        cause = error.message if isinstance(error, NotAllowedSigners) else msg("it is not text in UTF-8")
        raise UsageError(
            msg("{path} is not an allowed_signers file: {cause}", path=str(path), cause=cause),
            msg(
                "A line is a name, options and a key: 'ledger namespaces=\"portalops-head\" ssh-ed25519 AAAA...'; see"
                " ssh-keygen(1)."
            ),
        ) from error


def read_limited(path: Path, limit: int) -> bytes:
    """Return a file's bytes, at most one more than the limit."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise UsageError(
            msg("cannot read {path}: {cause}", path=str(path), cause=cause_of(error)),
            msg("Check the path, and who may read the file."),
        ) from error
