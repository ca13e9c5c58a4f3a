"""The types of single values: ids, days, names, paths, public keys, with refusals worded for people.

A refusal is raised as `Refused`; pydantic carries it, and `portalops.config.problems` gives it its
file and line.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from portalops.config.layers import find_working_folder
from portalops.errors import ConfigurationError, LiteralSecret
from portalops.model.message import Message, msg

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?|_[\w-]{0,61}[^\W_]"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z)(?:{_LABEL})(?:\.(?:{_LABEL}))*\.?")
_SCOPE = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_ACCOUNT = re.compile(r"[\w.](?:[\w.+\\-]{0,254}\$?)?")


class RefusedValue(ValueError):
    """A value that is of the right type and yet wrong; it continues `FILE:LINE: KEY ...`."""

    def __init__(
        self,
        message: Message,
        hint: Message | None = None,
        *,
        error: type[ConfigurationError] = ConfigurationError,
        shows_value: bool = True,
    ) -> None:
        super().__init__(str(message))
        self.message = message
        self.hint = hint
        self.error = error
        """The class of the error that it becomes."""
        self.shows_value = shows_value
        """Whether the message ends with the value; never for what may be a secret."""


class Shape(BaseModel):
    """The base of every table's shape: unknown keys are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _text(value: str) -> str:
    text = unicodedata.normalize("NFC", value)
    if not text.strip():
        raise RefusedValue(msg("is empty"))
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise RefusedValue(msg("holds a control character"))
    return text


def _path_text(value: str) -> str:
    if not value:
        raise RefusedValue(msg("is empty"))
    if "\0" in value:
        raise RefusedValue(msg("holds a control character"))
    return value


def _host_address(value: str) -> str:
    address, percent, scope = value.partition("%")
    try:
        ip_address(address)
        is_address = not percent or _SCOPE.fullmatch(scope) is not None
    except ValueError:
        is_address = False
    if is_address or _HOST_NAME.fullmatch(value):
        return value
    raise RefusedValue(
        msg("is neither a host name nor an address"),
        msg("Write a name such as web1.khanhhoa.gov.vn, or an address such as 203.0.113.10 or 2001:db8::10."),
    )


def _account_name(value: str) -> str:
    if not _ACCOUNT.fullmatch(value):
        raise RefusedValue(
            msg("is not the name of an account"),
            msg("Write it as in /etc/passwd on that host: letters, digits, dots, hyphens and underscores."),
        )
    return value


def _plain(value: str) -> str:
    """Refuse what no system call takes."""
    if "\0" in value:
        raise RefusedValue(msg("holds a control character"))
    return value


def _command(value: tuple[str, ...]) -> tuple[str, ...]:
    if value and not value[0].strip():
        raise RefusedValue(msg("names no program"), msg("Write the program first, then its arguments."))
    return value


def _variable(value: str) -> str:
    if not value or "=" in value or "\0" in value:
        raise RefusedValue(msg("is not the name of a variable"), msg('Write NAME = "value".'))
    return value


def _day(value: object) -> object:
    """Take TOML's own date or an ISO text; never a number, which pydantic would read as a time stamp."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise RefusedValue(msg("is not a day"), msg("Write it as year-month-day: 2026-11-24.")) from error
    if isinstance(value, datetime) or not isinstance(value, date):
        raise RefusedValue(msg("is not a day"), msg("Write it as year-month-day: 2026-11-24."))
    return value


def _public_key(value: str) -> str:
    key = value.strip()
    if key.upper().startswith("AGE-SECRET-KEY-"):
        raise RefusedValue(
            msg("is a private key; a recipient is given by its public key"),
            msg("Take the line that begins with age1, and keep the private key off this machine."),
            error=LiteralSecret,
            shows_value=False,
        )
    if not PUBLIC_KEY.fullmatch(key):
        raise RefusedValue(msg("is not an age public key"), msg("It begins with age1 and has 62 characters."))
    return key


def _ssh_key(value: str) -> str:
    found = re.fullmatch(r"((?:sk-)?ssh-ed25519(?:@openssh\.com)?)[ \t]+([A-Za-z0-9+/=]+)(?:[ \t].*)?", value.strip())
    if "PRIVATE KEY" in value:
        raise RefusedValue(msg("is a private key"), _SSH_KEY_HINT, error=LiteralSecret, shows_value=False)
    if found is None:
        raise RefusedValue(msg("is not an Ed25519 public key in OpenSSH's format"), _SSH_KEY_HINT)
    return f"{found.group(1)} {found.group(2)}"


def _local_path(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, (str, Path)):
        return value
    folder = (info.context or {}).get("folder") or find_working_folder()
    return resolved(_path_text(str(value)), folder)


def resolved(text: str, folder: Path) -> Path:
    """Return a path as written in a file of that folder: `~` is the user's home, relative starts in the folder."""
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise RefusedValue(msg("names a home folder that does not exist")) from error
    return folder / path


_SSH_KEY_HINT = msg(
    "Give the line of the .pub file; it begins with ssh-ed25519, or sk-ssh-ed25519@openssh.com for a security key."
)
PUBLIC_KEY = re.compile(r"age1[02-9ac-hj-np-z]{58}")
"""An X25519 recipient of the age format (C2SP age), in Bech32."""

Id = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
"""Lower-case letters, digits and hyphens, at most 63: it becomes part of file and folder names."""
HostIdText = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$")]
"""As `Id`, with dots, so that a host name can be its id."""
Text = Annotated[str, AfterValidator(_text)]
"""A text for people: not empty, one line, made NFC."""
HostAddress = Annotated[Text, AfterValidator(_host_address)]
"""A host's name (RFC 1123, with underscores; letters of any script, which the resolver may know) or its address. Programs are called with
it, so nothing that a shell or ssh could take for more than a name gets through."""
AccountName = Annotated[Text, AfterValidator(_account_name)]
"""The name of an account on a host (useradd(8) and Samba's machine accounts), as programs are given it."""
Day = Annotated[date, BeforeValidator(_day)]
PublicKey = Annotated[str, AfterValidator(_public_key)]
SshPublicKey = Annotated[str, AfterValidator(_ssh_key)]
"""An Ed25519 public key as a `.pub` file has it; the comment is dropped."""
PlainText = Annotated[str, AfterValidator(_plain)]
"""A text that a program is given; it may have lines, and no NUL."""
Command = Annotated[tuple[PlainText, ...], AfterValidator(_command)]
"""A program and its arguments; empty for none."""
VariableName = Annotated[str, AfterValidator(_variable)]
PathText = Annotated[str, AfterValidator(_path_text)]
"""A path of the core's own tables; its folder is known only when all layers are joined."""
LocalPath = Annotated[Path, BeforeValidator(_local_path)]
"""A path in a kind's settings: resolved against the folder of its configuration file."""
RawTable = dict[str, Any]
"""A table that a kind's own settings will type."""
