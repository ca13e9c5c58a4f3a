"""Limits that any medium may have: how fast it is written, and at which hours.

    [[backup.medium]]
    ...
    limit_mib_per_second = 4
    window = "22:00-05:00"

The window is by this machine's local time. A set is begun only inside it and then written to its end; a run at another hour
leaves the medium out and says why, and a copy is made up later from another medium.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from backups.media._errors import medium_unavailable
from backups.resuming import held_by, let_go
from portalops.config.values import RefusedValue, Shape
from portalops.model.backups import SetId
from portalops.model.message import msg
from portalops.ports import (
    Clock,
    HasRoom,
    HeldFile,
    Medium,
    RenewableWriter,
    ResumableMedium,
    Room,
    SetWriter,
    StoredSet,
)
from portalops.system.clock import SystemClock

_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_PIECE_BYTES = 256 << 10
_LEAST_PAUSE_SECONDS = 0.01


def _window(value: str) -> str:
    start, _dash, end = value.partition("-")
    if not (_HOUR.fullmatch(start) and _HOUR.fullmatch(end)) or start == end:
        raise RefusedValue(msg("is not a time window"), msg('Write it as "22:00-05:00".'))
    return value


class MediumSettings(Shape):
    """The keys that every `[[backup.medium]]` may have."""

    limit_mib_per_second: float | None = Field(
        default=None, gt=0, le=100_000, allow_inf_nan=False, description="How fast it is written at most."
    )
    window: Annotated[str, AfterValidator(_window)] | None = Field(
        default=None, description='At which hours a set is begun, by local time: "22:00-05:00".'
    )


def throttled(medium: Medium, settings: object, clock: Clock | None = None) -> Medium:
    """Return a medium as its settings limit it; itself if they do not."""
    if not isinstance(settings, MediumSettings) or (settings.limit_mib_per_second or settings.window) is None:
        return medium
    return ThrottledMedium(medium, settings, clock or SystemClock())


def is_within(window: str, moment: datetime) -> bool:
    """Say whether a moment lies in a window such as `22:00-05:00`, which may go over midnight; its end does not."""
    start, end = window.split("-")
    now = f"{moment:%H:%M}"
    return start <= now < end if start < end else now >= start or now < end


class ThrottledMedium:
    """A medium that is written slowly, or at some hours alone; it is read as always."""

    def __init__(self, medium: Medium, settings: MediumSettings, clock: Clock) -> None:
        self._medium = medium
        self._settings = settings
        self._clock = clock

    @property
    def id(self) -> str:
        return self._medium.id

    @property
    def kind(self) -> str:
        return self._medium.kind

    def places(self) -> Sequence[Path]:
        return self._medium.places()

    def prepare(self, sources: Sequence[Path], *, wanted: Collection[SetId] = ()) -> bool:
        self._require_window()
        if isinstance(self._medium, ResumableMedium):
            return self._medium.prepare(sources, wanted=wanted)
        return self._medium.prepare(sources)

    def room(self, expected_bytes: int) -> Room:
        return self._medium.room(expected_bytes) if isinstance(self._medium, HasRoom) else Room(None)

    def begin(self, set_id: SetId, *, expected_bytes: int) -> SetWriter:
        self._require_window()
        return self._limited(self._medium.begin(set_id, expected_bytes=expected_bytes))

    def resume(self, set_id: SetId, *, expected_bytes: int) -> SetWriter:
        if not isinstance(self._medium, ResumableMedium):
            return self.begin(set_id, expected_bytes=expected_bytes)
        self._require_window()
        return self._limited(self._medium.resume(set_id, expected_bytes=expected_bytes))

    def sets(self) -> tuple[SetId, ...]:
        return self._medium.sets()

    def open_set(self, set_id: SetId) -> StoredSet:
        return self._medium.open_set(set_id)

    def remove(self, set_id: SetId) -> None:
        self._medium.remove(set_id)

    def _limited(self, writer: SetWriter) -> SetWriter:
        limit = self._settings.limit_mib_per_second
        return writer if limit is None else ThrottledWriter(writer, limit * (1 << 20), self._clock)

    def _require_window(self) -> None:
        window = self._settings.window
        moment = self._clock.now().astimezone()
        if window is not None and not is_within(window, moment):
            raise medium_unavailable(
                self.id,
                msg(
                    "it is {now}, but this medium is written only in the window {window}",
                    now=f"{moment:%H:%M}",
                    window=window,
                ),
                msg("Schedule the job in that window, or copy the set later: 'portalops backup replicate'."),
            )


class ThrottledWriter:
    """Lets bytes through at a rate, counted from the first one: what waited for others may be caught up for a second."""

    def __init__(self, writer: SetWriter, bytes_per_second: float, clock: Clock) -> None:
        self._writer = writer
        self._rate = bytes_per_second
        self._clock = clock
        self._due = clock.monotonic()

    def open(self, path: str) -> None:
        self._writer.open(path)

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        rest = memoryview(data)
        while rest:
            self._writer.write(rest[:_PIECE_BYTES])
            self._pace(min(len(rest), _PIECE_BYTES))
            rest = rest[_PIECE_BYTES:]

    def close(self) -> None:
        self._writer.close()

    def discard(self, path: str) -> None:
        self._writer.discard(path)

    def seal(self) -> None:
        self._writer.seal()

    def abandon(self) -> None:
        self._writer.abandon()

    def held(self) -> Mapping[str, HeldFile]:
        return held_by(self._writer)

    def leave(self) -> None:
        let_go(self._writer, keep=True)

    def renew(self) -> None:
        assert isinstance(self._writer, RenewableWriter)  # whatever has `tries` is
        self._writer.renew()

    def _pace(self, count: int) -> None:
        now = self._clock.monotonic()
        self._due = max(self._due, now - 1.0) + count / self._rate
        if self._due - now > _LEAST_PAUSE_SECONDS:
            time.sleep(self._due - now)
