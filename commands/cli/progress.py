"""Progress on standard error: a live bar on a terminal, a line every 30 seconds off it, silence on request."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from rich import progress as rich_progress
from rich.console import Console
from rich.text import Text

from portalops.locale import process_language, render
from portalops.model.message import Message, msg
from portalops.ports import Clock, Progress, Task

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task as RichTask
    from rich.progress import TaskID

LINE_EVERY_SECONDS = 30.0


def progress_for(*, quiet: bool, is_terminal: bool, clock: Clock) -> Progress:
    """Choose how progress is shown to this reader."""
    if quiet:
        return SilentProgress()
    return TerminalProgress() if is_terminal else LineProgress(clock)


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


class TerminalProgress:
    """A live bar with rate and time left, and in the end the time taken; tasks that run at once share the display."""

    def __init__(self) -> None:
        self._display: RichProgress | None = None

    @contextmanager
    def task(self, title: Message, *, total: int | None, unit: str) -> Iterator[Task]:
        with self._shown(unit) as display:
            name = render(title, process_language())
            identity = display.add_task(name, total=total, note="")
            task = _TerminalTask(display, identity, total)
            yield task
            done = max(total or 0, task.done)
            display.update(identity, total=done, completed=done, note="")

    @contextmanager
    def _shown(self, unit: str) -> Iterator[RichProgress]:
        if self._display is not None:
            yield self._display
            return
        with _display(unit) as display:
            self._display = display
            try:
                yield display
            finally:
                self._display = None


class _TerminalTask:
    def __init__(self, display: RichProgress, identity: TaskID, total: int | None) -> None:
        self._display, self._identity, self._total = display, identity, total
        self.done = 0

    def advance(self, amount: int) -> None:
        self.done += amount
        if self._total is not None and self.done > self._total:  # it was of the last set, and this one is larger
            self._total = None
            for shown in self._display.tasks:
                if shown.id == self._identity:
                    shown.total = shown.finished_time = shown.finished_speed = None
        self._display.advance(self._identity, amount)

    def note(self, text: Message) -> None:
        self._display.update(self._identity, note=render(text, process_language())[:60])


def _display(unit: str) -> AbstractContextManager[RichProgress]:
    class Rate(rich_progress.ProgressColumn):
        """The rate in the unit of the amounts; rich's own column takes another."""

        def render(self, task: RichTask) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed / (1 << 20):.1f} MiB/s")

    counts = rich_progress.DownloadColumn(binary_units=True) if unit == "bytes" else rich_progress.MofNCompleteColumn()
    return rich_progress.Progress(
        rich_progress.SpinnerColumn(),
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(bar_width=24),
        counts,
        *((Rate(),) if unit == "bytes" else ()),
        rich_progress.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        rich_progress.TextColumn("{task.fields[note]}", markup=False),
        console=Console(stderr=True),
    )
