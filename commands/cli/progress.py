"""Progress on standard error: a live bar on a terminal, a line every 30 seconds off it, silence on request."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from portalops.locale import process_language, render
from portalops.model.message import Message, msg
from portalops.ports import Clock, Progress, Task

if TYPE_CHECKING:
    pass

LINE_EVERY_SECONDS = 30.0


def progress_for(*, quiet: bool, is_terminal: bool, clock: Clock) -> Progress:
    """Choose how progress is shown to this reader."""
    if quiet:
        return SilentProgress()
    if not is_terminal:
        return LineProgress(clock)
    from commands.cli.terminal_progress import TerminalProgress  # noqa: PLC0415  # rich is loaded on a terminal alone

    return TerminalProgress()


class SilentProgress:
    """Shows nothing."""

    @contextmanager
    def task(self, title: Message, *, total: int | None, unit: str) -> Iterator[Task]:  # noqa: ARG002
        yield _SilentTask()


class _SilentTask:
    def advance(self, amount: int) -> None:
        """Show nothing."""

    def note(self, text: Message) -> None:
        """Show nothing."""


class LineProgress:
    """Prints a line when a task starts, every 30 seconds while it runs, and when it ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @contextmanager
    def task(self, title: Message, *, total: int | None, unit: str) -> Iterator[Task]:
        task = _LineTask(self._clock, title, total, unit)
        task.say(msg("{title} ...", title=title))
        yield task
        task.say(msg("{title}: done in {seconds} s", title=title, seconds=int(task.seconds())))


class _LineTask:
    def __init__(self, clock: Clock, title: Message, total: int | None, unit: str) -> None:
        self._clock, self._title, self._total, self._unit = clock, title, total, unit
        self._started = self._said = clock.monotonic()
        self._done = 0

    def seconds(self) -> float:
        return self._clock.monotonic() - self._started

    def advance(self, amount: int) -> None:
        self._done += amount
        if self._clock.monotonic() - self._said >= LINE_EVERY_SECONDS:
            self._said = self._clock.monotonic()
            self.say(self._so_far())

    def note(self, text: Message) -> None:
        """A note is for the live display only."""

    def say(self, line: Message) -> None:
        with suppress(OSError):  # a job does not fail because nobody hears how far it is
            sys.stderr.write(f"{render(line, process_language())}\n")
            sys.stderr.flush()

    def _so_far(self) -> Message:
        rate = self._done / max(self.seconds(), 0.001)
        done, speed = self._amount(self._done), f"{self._amount(rate)}/s"
        if not self._total:
            return msg("{title}: {done}, {speed}", title=self._title, done=done, speed=speed)
        total = self._amount(self._total)
        if self._done >= self._total or not rate:  # the total is of the last set, and this one may be larger
            return msg(
                "{title}: {done} of about {total}, {speed}", title=self._title, done=done, total=total, speed=speed
            )
        return msg(
            "{title}: {done} of {total}, {speed}, about {left} left",
            title=self._title,
            done=done,
            total=total,
            speed=speed,
            left=_span((self._total - self._done) / rate),
        )

    def _amount(self, count: float) -> str:
        return f"{count / (1 << 20):.1f} MiB" if self._unit == "bytes" else f"{count:.0f}"


def _span(seconds: float) -> str:
    """Return a span as hours, minutes and seconds.

    >>> _span(3725.2)
    '1:02:05'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
