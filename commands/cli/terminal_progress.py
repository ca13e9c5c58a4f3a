"""Progress as a live bar on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from rich import progress as rich_progress
from rich.console import Console
from rich.text import Text

from portalops.locale import process_language, render
from portalops.model.message import Message
from portalops.ports import Task

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task as RichTask
    from rich.progress import TaskID


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


class _Rate(rich_progress.ProgressColumn):
    """The rate in the unit of the amounts; rich's own column takes another."""

    def render(self, task: RichTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed / (1 << 20):.1f} MiB/s")


def _display(unit: str) -> AbstractContextManager[RichProgress]:
    counts = rich_progress.DownloadColumn(binary_units=True) if unit == "bytes" else rich_progress.MofNCompleteColumn()
    return rich_progress.Progress(
        rich_progress.SpinnerColumn(),
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(bar_width=24),
        counts,
        *((_Rate(),) if unit == "bytes" else ()),
        rich_progress.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        rich_progress.TextColumn("{task.fields[note]}", markup=False),
        console=Console(stderr=True),
    )
