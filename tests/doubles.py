"""Doubles of the Protocols in `portalops.ports`: what tests use in place of the world."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from portalops.model.message import Message
from portalops.model.record import Digest


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def move(self, by: timedelta) -> None:
        self.at += by


class MemoryKeeper:
    """Keeps evidence in memory."""

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}

    def keep(self, data: bytes) -> Digest:
        digest = Digest(hashlib.sha256(data).hexdigest())
        self.blobs[digest] = data
        return digest


class SilentTask:
    """A line of progress that nobody sees."""

    def advance(self, amount: int) -> None:
        pass

    def note(self, text: Message) -> None:
        pass


class SilentProgress:
    """Shows nothing."""

    @contextmanager
    def task(self, title: Message, *, total: int | None, unit: str) -> Iterator[SilentTask]:
        yield SilentTask()
