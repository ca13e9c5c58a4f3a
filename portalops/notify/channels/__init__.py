"""Ways that letters go, one file a kind. A module of this folder is a kind of `[[notify.channel]]`.

A kind registers as `CHANNEL`, a `ChannelKind`: `Settings`, the shape of its table, which is a `ChannelSettings`; `build(table, context)`,
which checks the table and returns a `Channel`; and `missing` if it needs an extra. A channel is bounded in time, and what it says of a failure holds no
secret, whatever the other side answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeVar

from pydantic import Field

from portalops.config.kinds import TableKind, kind_of
from portalops.config.tables import KindTable
from portalops.config.values import Shape
from portalops.model.notifications import Level
from portalops.notify.state import WaitingLetter
from portalops.plugins import Door


class ChannelSettings(Shape):
    """The keys of `[[notify.channel]]` that all kinds have."""

    levels: tuple[Literal["failure", "unmet", "summary", "recovery"], ...] = Field(
        default=("failure", "unmet", "summary", "recovery"),
        min_length=1,
        description="What it gets: failure, unmet, summary, recovery; all of them if not given.",
    )
    language: Literal["vi", "en"] | None = Field(
        default=None, description="vi or en; the portal's language if not given."
    )

    @property
    def takes(self) -> frozenset[Level]:
        """The levels as such."""
        return frozenset(Level(each) for each in self.levels)


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What a channel may need beside its own table."""

    environment: Mapping[str, str]
    """Where secrets may be, and which proxy leads outside."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the other side said when it took a letter."""

    recipients: tuple[str, ...]
    """Mailboxes, or names of services."""
    refused: tuple[str, ...] = ()
    """Those for whom it was not taken."""
    answer: str = ""
    """The other side's words, bounded and without secrets."""


class LetterChannel(Protocol):
    """A way that letters go."""

    @property
    def id(self) -> str:
        """Return the id of its table."""
        ...

    @property
    def kind(self) -> str:
        """Return its kind."""
        ...

    @property
    def settings(self) -> ChannelSettings:
        """Return what it is told, and in which language."""
        ...

    @property
    def to(self) -> str:
        """Return where letters go, for people; never a secret."""
        ...

    def send(self, letter: WaitingLetter) -> Taken:
        """Hand a letter over, within the configured time. One that is sent again bears the same identity where the way knows any.

        Raises:
            MailInDoubt: it was handed over, and whether it was taken is not known.
            NotificationNotSent: nobody took it, or that is not known: see its `in_doubt`.
            MailNotSent, SecretUnavailable: nobody took it.
        """
        ...


SettingsT = TypeVar("SettingsT", bound=ChannelSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelKind(TableKind[SettingsT]):
    """A kind of channel."""

    build: Callable[[KindTable, ChannelContext], LetterChannel]
    """Returns the channel that a table describes, or raises `ConfigurationError`."""


CHANNELS: Final[Door[ChannelKind[Any]]] = Door("portalops.notify.channels", "CHANNEL", ChannelKind)


def build_channel(table: KindTable, context: ChannelContext) -> LetterChannel:
    """Return the channel that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(CHANNELS, table).build(table, context)
