"""The doors to the world: the Protocols through which everything impure is reached.

Rules take values; acts take these. Each method says what it promises, so that doubles in
`tests/doubles.py` and real implementations keep the same contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from portalops.model.message import Message
from portalops.model.record import Digest
from portalops.model.updates import Listing, SourceTraits
from portalops.reports.document import Document


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go back; for measuring spans."""
        ...


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program left behind."""

    exit_code: int
    """The program's own; 124 when it was stopped at its deadline, 127 when there is no such program."""
    stdout: bytes
    stderr: bytes
    truncated: bool = False
    """Output was cut at the limit."""


class Runner(Protocol):
    """Runs programs on this machine, without a shell."""

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        """Run a program to its end. Never raises for what the program does; see `Completed`."""
        ...


class Shell(Protocol):
    """A POSIX shell on one host, here or over SSH, fed on standard input."""

    @property
    def address(self) -> str:
        """Return `local` or the host's address."""
        ...

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        """Feed a script to `sh -s ARGUMENT` and return all it printed.

        Raises:
            HostUnreachable: no session could be opened.
        """
        ...


class Keeper(Protocol):
    """Keeps bytes of evidence under their digest."""

    def keep(self, data: bytes) -> Digest:
        """Store bytes durably and return their SHA-256; the same bytes are stored once."""
        ...


class Task(Protocol):
    """One line of progress."""

    def advance(self, amount: int) -> None:
        """Add to what is done, in the task's unit."""
        ...

    def note(self, text: Message) -> None:
        """Say what is being done right now."""
        ...


class Progress(Protocol):
    """Shows how far a long job has come; a library call gets a silent one."""

    def task(self, title: Message, *, total: int | None, unit: str) -> AbstractContextManager[Task]:
        """Open a line of progress.

        Args:
            title: what is being done.
            total: how much there is, or None if that is not known.
            unit: `bytes` or `items`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source of updates sent."""

    data: bytes | None
    """The raw answer, kept as evidence; None says that nothing changed since the answer before."""
    etag: str = ""
    """To be shown to the source the next time; empty if it gave none."""


class UpdateSource(Protocol):
    """Shows what was published or sent in; see `checks/updates/sources/`."""

    @property
    def traits(self) -> SourceTraits:
        """Return what it is."""
        ...

    def fetch(self, *, etag: str) -> Answer:
        """Look once.

        Raises:
            UpdateSourceError: it could not be reached or read.
        """
        ...

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        """Read an answer, new or kept as evidence; pure, the same bytes give the same items.

        Raises:
            UpdateSourceError: the answer does not have the expected form.
        """
        ...


class ReportFormat(Protocol):
    """Renders any document into one file format."""

    name: str
    """As `--format` takes it; the module's name."""
    suffix: str
    """File suffix with its dot."""

    def render(self, document: Document, *, language: str) -> bytes:
        """Return the file's bytes; the same document and language give the same bytes."""
        ...


class Notifier(Protocol):
    """Tells people."""

    def send(self, subject: Message, body: Document, *, language: str) -> None:
        """Deliver, or raise a PortalOpsError that says why not."""
        ...
