"""What is remembered between runs for monitors, in one JSON file beside the ledger: `notify/monitors.json`.

It is a memory and no evidence. If it is lost or cannot be read it begins anew, and what is not known is told to nobody: no success
to a server that watches, and no figure in a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from portalops import bodies
from portalops.errors import LedgerError
from portalops.model.message import Message
from portalops.notify.state import NotifyFolder
from portalops.system.locks import locked

FORMAT = 1
MAX_BYTES = 4 << 20
LOCK_SECONDS = 2.0
"""How long a process waits for another that writes, which takes milliseconds."""
KEY = "monitors"


@dataclass(frozen=True, slots=True)
class MonitorDelivery:
    """How it went to tell one monitor."""

    id: str
    heard_at: datetime | None
    """When it last took what it was told."""
    failed_at: datetime | None = None
    """When it did not, the last time; None if it has taken something since."""
    problem: Message | None = None


@dataclass(frozen=True, slots=True)
class LastCode:
    """How the newest run of a job ended that is known here."""

    job: str
    code: int
    at: datetime


@dataclass(frozen=True, slots=True)
class LastTime:
    """When something was last seen to be good."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MonitorState:
    """All of it."""

    told: tuple[MonitorDelivery, ...] = ()
    codes: tuple[LastCode, ...] = ()
    succeeded: tuple[LastTime, ...] = ()
    """Jobs: when the newest run ended that was complete and found nothing missing."""
    met: tuple[LastTime, ...] = ()
    """Duties: when each was last judged to be met."""
    seen: tuple[LastTime, ...] = ()
    """Sources of updates: when each last answered."""
    format: int = FORMAT


class MonitorFolder:
    """The file of one state folder."""

    def __init__(self, state_folder: Path) -> None:
        self._notify = NotifyFolder(state_folder)
        self._file = self._notify.folder / "monitors.json"

    def load(self) -> MonitorState:
        """Return what is remembered; nothing if there is no file or it cannot be read."""
        try:
            with self._file.open("rb") as file:
                state = bodies.decode_part(file.read(MAX_BYTES), KEY, MonitorState)
        except (OSError, LedgerError):
            return MonitorState()
        return state if state is not None and state.format == FORMAT else MonitorState()

    def save(self, state: MonitorState) -> None:
        """Replace what is remembered.

        Raises:
            FileUnwritable: it cannot be written.
        """
        self._notify.write(self._file, bodies.write({KEY: state}))

    @contextmanager
    def changing(self, holder: str) -> Iterator[None]:
        """Hold the lock under which the file is read and replaced.

        Raises:
            Locked: another process holds it for longer than anybody needs.
            FileUnwritable: the lock file cannot be made.
        """
        with locked(self._notify.lock_file("monitors"), holder=holder, wait_seconds=LOCK_SECONDS):
            yield


def merged(before: tuple[LastTime, ...], now: Mapping[str, datetime], known: frozenset[str]) -> tuple[LastTime, ...]:
    """Return the newest time of each thing that there still is."""
    times = {each.id: each.at for each in before}
    for name, at in now.items():
        times[name] = max(at, times.get(name, at))
    return tuple(LastTime(name, at) for name, at in sorted(times.items()) if name in known)
