"""What all adopters have in common: settings, what they are built with, and what they hand back.

An adopter asks one tool which backups there are. What the tool says is kept as it came and counts as what the tool
claims; nothing of the backups themselves is read, so nothing of it is ever called verified.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import Field

from portalops.config.values import RefusedValue, Shape
from portalops.model.adopted import AdoptedBackup
from portalops.model.backups import DataClass
from portalops.model.message import msg
from portalops.model.text import show_text

MAX_BACKUPS = 1000
"""How many of a tool's backups a record holds, the newest; the evidence has all."""
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")


class AdopterSettings(Shape):
    """The keys that every `[[backup.adopted]]` has."""

    data_class: DataClass = Field(alias="class", description="What kind of data it is (Article 10).")


@dataclass(frozen=True, slots=True)
class AdopterContext:
    """What an adopter gets beside its settings."""

    zone: ZoneInfo
    """The portal's: in it are moments that a tool writes without a zone, where it is told no other."""


@dataclass(frozen=True, slots=True)
class AdopterTraits:
    """What an adopter is."""

    id: str
    kind: str
    data_class: DataClass


@dataclass(frozen=True, slots=True)
class AdopterQuestion:
    """What is asked, as a dry run prints it; never a secret."""

    argv: tuple[str, ...]
    """Program and arguments; for a folder that is read, none."""
    stdin: bytes = b""
    reads: str = ""
    """The folder that is read, where no program is run."""
    secrets: tuple[str, ...] = ()
    """Names of the environment variables that a secret is given by."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an answer says."""

    backups: tuple[AdoptedBackup, ...]
    """In any order."""
    notes: tuple[str, ...] = field(default=())


class NotAnswered(Exception):
    """A tool could not be asked, or its answer could not be understood: an English line, bounded and escaped."""


class Adopter(Protocol):
    """Asks one tool."""

    @property
    def traits(self) -> AdopterTraits:
        """Return what it is."""
        ...

    def question(self) -> AdopterQuestion:
        """Return what it will ask; pure."""
        ...

    def ask(self) -> bytes:
        """Ask, and return the answer as it came.

        Raises:
            NotAnswered: the tool is not there, or says that it failed.
            SecretUnavailable: a secret that it needs cannot be had.
        """
        ...

    def parse(self, answer: bytes) -> Claims:
        """Read an answer, new or kept as evidence; pure.

        Raises:
            NotAnswered: it does not have the expected form.
        """
        ...


def without_password(address: str) -> str:
    """Return a repository's address; one that holds a password is refused.

    Raises:
        Refused: it holds one.
    """
    if _PASSWORD_IN_URL.search(address):
        raise RefusedValue(
            msg("holds a password, which every user of the machine could read"),
            msg("Remove it, and give it as a secret in an environment variable that the tool reads."),
            shows_value=False,
        )
    return address


def objects(value: Any, what: str) -> Sequence[Mapping[str, Any]]:
    """Return a list of objects out of an answer.

    Raises:
        NotAnswered: it is not one.
    """
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise NotAnswered(f"the answer has no list of {what}")
    return value


def text_of(value: object, limit: int = 200) -> str:
    """Return an untrusted value as bounded text; null is empty."""
    return "" if value is None else show_text(str(value), limit)


def size_of(value: object) -> int | None:
    """Return a size in bytes out of a number or digits; None if it is neither, or negative."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and 0 <= value < 1 << 63 else None


def moment_of(value: object, zone: ZoneInfo) -> datetime | None:
    """Return a moment of ISO 8601 or seconds since 1970; a text without a zone is in `zone`. None if it is not one."""
    seconds = size_of(value)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        # Go writes nanoseconds, and fromisoformat of Python 3.11 takes any number of digits, cut to six.
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    if found is None:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


def oldest_first(backups: Iterable[AdoptedBackup]) -> tuple[AdoptedBackup, ...]:
    """Return backups by time, those without one first."""
    never = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(backups, key=lambda each: (each.made_at or never, each.id)))
