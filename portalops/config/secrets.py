"""Secrets by reference: the configuration says where a secret is, never what it is.

A reference is resolved at the moment the secret is needed and nothing keeps the result; the
effective configuration and its digest hold references only.
"""

from __future__ import annotations

import importlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from portalops.config.layers import show_path
from portalops.config.values import LocalPath, RefusedValue, Shape, Text
from portalops.errors import LiteralSecret, SecretUnavailable
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text

LIMIT_BYTES = 64 << 10
"""A secret is a password, a token or a key; anything larger is some other file."""

CREDENTIALS = Path("/etc/portalops/credentials")
"""Where credentials lie that systemd hands out; where there is no systemd, they are read there themselves."""

_WAYS = ("file", "env", "credential", "keyring")


class Reference(Shape):
    """Where one secret is kept; exactly one of the four ways."""

    file: LocalPath | None = Field(default=None, description="A file that only its owner can read.")
    env: Text | None = Field(default=None, description="An environment variable.")
    credential: Text | None = Field(
        default=None,
        description="A systemd credential, in $CREDENTIALS_DIRECTORY; without that, a private file in /etc/portalops/credentials.",
    )
    keyring: Text | None = Field(default=None, description="SERVICE/NAME in the desktop's keyring.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Reference:
        given = [way for way in _WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            raise RefusedValue(
                msg("names {n} sources of the secret instead of one", n=len(given)), _HINT, shows_value=False
            )
        if self.credential is not None and "/" in self.credential:
            raise RefusedValue(msg("is not a credential's name"), _HINT, shows_value=False)
        return self

    def describe(self) -> str:
        """Return the reference as the configuration writes it; never the secret."""
        way = next(way for way in _WAYS if getattr(self, way) is not None)
        return f'{{ {way} = "{getattr(self, way)}" }}'

    def reveal(self, environment: Mapping[str, str], *, credentials: Path = CREDENTIALS) -> str:
        """Return the secret, without the line end that editors add to a file.

        Args:
            environment: of the process: a variable's value, and where systemd put credentials.
            credentials: the folder of credentials where systemd put none, as under cron.

        Raises:
            SecretUnavailable: it is not there, cannot be read, or others could read it too.
        """
        if self.file is not None:
            return _from_file(self.file)
        if self.env is not None:
            return _from_variable(self.env, environment)
        if self.credential is not None:
            return _from_credential(self.credential, environment, credentials)
        return _from_keyring(self.keyring or "")


_HINT = msg('Give the secret as { file = "..." }, { env = "..." }, { credential = "..." } or { keyring = "..." }.')


def _no_literal(value: Any) -> Any:
    if isinstance(value, (str, int, float)):
        raise RefusedValue(msg("contains the secret itself"), _HINT, error=LiteralSecret, shows_value=False)
    return value


SecretReference = Annotated[Reference, BeforeValidator(_no_literal)]
"""The type of a kind's secret settings; a secret written out is refused."""


def check_private_file(path: Path) -> None:
    """Make sure that a file with a secret is there and that its owner alone can read it.

    Raises:
        SecretUnavailable: it is not there, or group or others have any right to it.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _unavailable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise SecretUnavailable(
            msg("the secret file {path} is not a regular file", path=show_path(path)),
            msg("Name the file that holds the secret."),
        )
    if status.st_mode & 0o077:
        raise SecretUnavailable(
            msg(
                "the secret file {path} can be read or changed by others: mode {mode}",
                path=show_path(path),
                mode=f"{stat.S_IMODE(status.st_mode):04o}",
            ),
            msg(
                "Run 'chmod 600 {path}', and replace the secret if others have used the machine.", path=show_path(path)
            ),
        )


def read_private_file(path: Path) -> bytes:
    """Return what a file with a secret holds, cut to one byte more than a secret may have.

    Raises:
        SecretUnavailable: it is not there or cannot be read by this account, or group or others have any right to it.
    """
    check_private_file(path)
    try:
        with path.open("rb") as file:
            return file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise _unavailable(path, error) from error


def _from_file(path: Path) -> str:
    return _decoded(read_private_file(path), msg("the file {path}", path=show_path(path)))


def _from_variable(name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name)
    if not value:
        raise SecretUnavailable(
            msg("the environment variable {name}, which holds a secret, is not set", name=show_text(name, 80)),
            msg("Set it for the process that runs portalops, or give the secret in a file."),
        )
    return value


def _from_credential(name: str, environment: Mapping[str, str], kept: Path) -> str:
    folder = environment.get("CREDENTIALS_DIRECTORY")
    what = msg("the credential {name}", name=show_text(name, 80))
    if not folder:
        try:
            return _decoded(read_private_file(kept / name), what)
        except SecretUnavailable as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            raise SecretUnavailable(
                msg("there is no credential {name}: CREDENTIALS_DIRECTORY is not set", name=show_text(name, 80)),
                msg(
                    "Put it into {path}, mode 600, owned by the account that runs portalops; or run portalops "
                    "from its systemd unit.",
                    path=show_path(kept / name),
                ),
            ) from error
    path = Path(folder) / name
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise _unavailable(path, error) from error
    return _decoded(data, what)


def _from_keyring(name: str) -> str:
    service, _slash, entry = name.rpartition("/")
    try:
        keyring = importlib.import_module("keyring")
    except ImportError as error:
        raise SecretUnavailable(
            msg(
                "the secret {name} is in a keyring, but the package keyring is not installed", name=show_text(name, 80)
            ),
            msg("Install the Python package keyring beside portalops, or give the secret in a file."),
        ) from error
    try:
        value = keyring.get_password(service or "portalops", entry)
    except Exception as error:  # a keyring's back ends raise their own kinds of errors
        raise SecretUnavailable(
            msg("the keyring cannot be opened: {cause}", cause=show_text(str(error))),
            msg("Unlock the keyring, or give the secret in a file."),
        ) from error
    if not value:
        raise SecretUnavailable(
            msg("there is no secret {name} in the keyring", name=show_text(name, 80)),
            msg("Store it with 'keyring set SERVICE NAME'."),
        )
    return str(value)


def _decoded(data: bytes, what: Message) -> str:
    if len(data) > LIMIT_BYTES:
        raise SecretUnavailable(msg("{what} is too large for a secret", what=what), msg("Name the right file."))
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise SecretUnavailable(msg("{what} is not text", what=what), msg("Store the secret as text.")) from error
    if not text:
        raise SecretUnavailable(msg("{what} is empty", what=what), msg("Store the secret in it."))
    return text


def _unavailable(path: Path, error: OSError) -> SecretUnavailable:
    return SecretUnavailable(
        msg("cannot read the secret in {path}: {cause}", path=show_path(path), cause=cause_of(error)),
        msg("Check the path, the owner and the mode of the file."),
    )
