"""What all sources have in common: settings, what they are built with, and how they say that they cannot be read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, StrictInt

from backups.shrink import DEFAULT_LIMIT_PERCENT, FLOOR, MEMBERS
from portalops.config.ssh import SshPlace
from portalops.config.values import Command, Shape
from portalops.errors import SourceUnavailable
from portalops.model.backups import DataClass
from portalops.model.message import Message, msg
from portalops.model.text import show_text

if TYPE_CHECKING:
    from portalops.ledger.ledger import KeptLedger
    from portalops.ports import StreamWriter


class SourceSettings(Shape):
    """The keys that every `[[backup.source]]` has."""

    data_class: DataClass = Field(alias="class", description="What kind of data it is (Article 10).")
    minimum_bytes: StrictInt = Field(
        default=1, ge=0, description="A stream with fewer bytes of content fails: most likely it is not all there."
    )
    shrink_limit_percent: StrictInt = Field(
        default=DEFAULT_LIMIT_PERCENT,
        ge=1,
        le=100,
        description="The source fails if it yields less than before by more than that; 100 lets everything pass.",
    )
    before: Command = Field(default=(), description="Program and arguments that are run before it is read; no shell.")
    after: Command = Field(
        default=(), description="Program and arguments that are run behind it in any case; no shell."
    )
    hook_seconds: StrictInt = Field(default=600, ge=1, description="How long each of them may take.")


def shrink_limit_of(values: Mapping[str, object]) -> int:
    """Return the limit of a source's table, whose kind has found it to be right."""
    return int(str(values.get("shrink_limit_percent", DEFAULT_LIMIT_PERCENT)))


@dataclass(frozen=True, slots=True)
class Lack:
    """What a source would not find on this machine."""

    cause: Message
    is_partial: bool = False
    """The rest is read, and the set is incomplete."""


@dataclass(frozen=True, slots=True)
class SourceRemark:
    """What a source does that its table does not show at a glance."""

    text: Message
    is_doubtful: bool = False
    """Most likely it is not meant."""


def remarks_nothing(_settings: object) -> tuple[SourceRemark, ...]:
    """Say that there is nothing to remark."""
    return ()


def lacks_nothing(_settings: object) -> Lack | None:
    """Say that nothing can be seen without connecting to something, or reading the data."""
    return None


class HostSettings(SourceSettings):
    """The keys of a source that may be of another host; its paths are then of that host, and stand whole."""

    ssh: SshPlace | None = Field(default=None, description="The host that it is on; without it, this machine.")


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source is told of the rest."""

    state_folder: Path
    """Where portalops keeps its own ledger."""
    avoid: Sequence[Path] = ()
    """Folders of the media: a set never holds sets."""
    now_ns: Callable[[], int] = time.time_ns
    """The clock that stamps files, in nanoseconds since 1970."""
    ledger: Callable[[], KeptLedger] | None = None
    """Opens portalops's own ledger where its records or details are kept elsewhere than in the state folder."""


@dataclass(frozen=True, slots=True)
class BackupSourceTraits:
    """What a source is."""

    id: str
    kind: str
    data_class: DataClass


class ConfiguredSource:
    """The part of `ports.Source` that the configuration gives."""

    def __init__(self, traits: BackupSourceTraits) -> None:
        self.id = traits.id
        self.kind = traits.kind
        self.data_class = traits.data_class


def unavailable(source_id: str, cause: Message, hint: Message | None = None) -> SourceUnavailable:
    """Return the error of a source that yields nothing."""
    return SourceUnavailable(
        msg("backup source {source}: {cause}", source=source_id, cause=cause),
        hint
        or msg("Correct the source in the configuration, or make it readable; then run 'portalops backup run' again."),
    )


def require_floor(source_id: str, size: int, minimum: int) -> None:
    """Make sure that a source yielded enough.

    Raises:
        SourceUnavailable: it did not.
    """
    if size < minimum:
        raise unavailable(
            source_id,
            msg("it has {size} bytes of content, but at least {minimum} are expected", size=size, minimum=minimum),
            msg("Check that the source still has all its data; if it does, lower minimum_bytes."),
        )


def note_gone(out: StreamWriter, gone: int, kept: int, limit_percent: int) -> None:
    """Name it as a fault if far more was removed while it was read than the configuration allows.

    Args:
        out: the stream.
        gone: what was removed between being listed and being read.
        kept: files that were read, or are as they were.
        limit_percent: how much may be gone; of fewer than 20 files it is taken of 20.
    """
    listed = gone + kept
    if gone * 100 > limit_percent * max(listed, FLOOR[MEMBERS]):
        out.add_unread(f"{gone} of {listed} files were removed while they were read; {limit_percent} % may be")


def cause_of(error: OSError) -> str:
    """Return an operating system's reason in a few words."""
    return show_text(error.strerror or str(error), 120)
