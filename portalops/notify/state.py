"""What was reported and what waits to be sent, in one JSON file beside the ledger.

    notify/state.json       alarms, when the last letters were written, letters that wait, what became of the newest ones
    notify/settings.json    the last good copy of whom to tell (settings.py)
    notify/locks/           who decides, and who sends

It is not in the ledger, because a ledger that cannot be written must still be reported. The ledger gets what became of each letter
as soon as it can be written.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from portalops import bodies
from portalops.errors import LedgerError, NotifyStateUnreadable
from portalops.files import write_atomically
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.notifications import Level, Notification
from portalops.notify.alarms import NotifiedAlarm
from portalops.private_folder import make_private_folder
from portalops.system.locks import locked

FORMAT = 1
"""The value of `format` in state.json."""

MAX_STATE_BYTES = 16 << 20

LOCK_SECONDS = 10.0
"""How long a process waits for another that decides, which takes milliseconds."""


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """A letter as it was written, kept until its channel took it."""

    id: str
    channel: str
    level: Level
    subject: str
    text: str
    about: tuple[str, ...]
    written_at: datetime
    tries: int = 0
    """How often its sending began: a try without an outcome was cut short."""
    doubts: int = 0
    """How often it was sent without an answer."""
    tried_at: datetime | None = None
    problem: str = ""
    """Class of what went wrong last: the error's code."""
    recorded_at: datetime | None = None
    """When a failed try was recorded last."""


@dataclass(frozen=True, slots=True)
class LetterOutcome:
    """The state of a letter, or the result of a try to send it."""

    at: datetime
    notification: Notification
    is_recorded: bool = False
    """The ledger holds it."""


@dataclass(frozen=True, slots=True)
class NotifyState:
    """All that is known between two runs."""

    begun_at: datetime
    alarms: tuple[NotifiedAlarm, ...] = ()
    unmet_on: date | None = None
    """The day on which it was last looked for alarms to tell of; a day begins at the configured hour."""
    unmet_at: datetime | None = None
    """When that was."""
    summary_on: date | None = None
    """The day for which the newest summary was due; of a state that begins, the day before its first one is."""
    summary_at: datetime | None = None
    """When it was written: the next one covers the time since."""
    invocations: tuple[str, ...] = ()
    """systemd's ids of runs that told themselves what failed in them, oldest first."""
    letters: tuple[WaitingLetter, ...] = ()
    """Letters that wait, oldest first."""
    outcomes: tuple[LetterOutcome, ...] = ()
    """The newest outcomes, and all that the ledger does not hold yet; oldest first."""
    format: int = FORMAT


class NotifyFolder:
    """The files of one state folder."""

    def __init__(self, state_folder: Path) -> None:
        self._state_folder = state_folder
        self.folder = state_folder / "notify"
        self.settings = self.folder / "settings.json"
        self._state = self.folder / "state.json"
        self._unsaved = self.folder / "unsaved"
        self.quiet = self.folder / "quiet"
        """From when until when an idle run reports nothing (`portalops.notify.rules.quiet_until`)."""

    def load(self, now: datetime) -> NotifyState:
        """Return what is known; nothing yet before the first run.

        Raises:
            NotifyStateUnreadable: the file is not what portalops wrote.
        """
        try:
            with self._state.open("rb") as file:
                data = file.read(MAX_STATE_BYTES + 1)
        except FileNotFoundError:
            return NotifyState(now)
        except OSError as error:
            raise _unreadable(self._state, cause_of(error)) from error
        try:
            state = bodies.decode_part(data, "notify", NotifyState)
        except LedgerError as error:
            raise _unreadable(self._state, error.message) from error
        if state is None or state.format != FORMAT:
            raise _unreadable(self._state, msg("it does not have format {n}", n=FORMAT))
        return state

    def save(self, state: NotifyState) -> None:
        """Replace what is known.

        Raises:
            FileUnwritable: it cannot be written; what was known before is still there.
        """
        self.write(self._state, bodies.write({"notify": state}))
        with contextlib.suppress(OSError):  # it is only there for the day on which nothing can be written
            self._unsaved.touch(0o600)
            if (owner := self._owner()) is not None:
                os.chown(self._unsaved, *owner)
            os.utime(self._unsaved, (0, 0))

    def write(self, path: Path, data: bytes) -> None:
        """Replace a file of this folder: for its owner alone, who is whoever owns the state folder, also where root calls.

        Raises:
            FileUnwritable: it cannot be written.
        """
        write_atomically(path, data, mode=0o600, owner=self._owner())

    def _owner(self) -> tuple[int, int] | None:
        if os.geteuid() != 0:
            return None
        try:
            status = self._state_folder.stat()
        except OSError:
            return None
        return status.st_uid, status.st_gid

    def lock_file(self, name: str) -> Path:
        """Return a lock's file; where root calls, it is left to the owner, whose runs could not open it otherwise."""
        path = self.folder / "locks" / f"{name}.lock"
        owner = self._owner()
        if owner is not None and owner != (0, 0):
            with contextlib.suppress(OSError):  # locking says what is wrong
                make_private_folder(path.parent)
                path.touch(0o600)
                for each in (self.folder, path.parent, path):
                    os.chown(each, *owner)
        return path

    def set_aside(self) -> Path | None:
        """Move a state that cannot be read out of the way, as evidence; return where to, or None if that cannot be done."""
        aside = self._state.with_suffix(".unreadable.json")
        try:
            os.replace(self._state, aside)
        except OSError:
            return None
        return aside

    def unsaved_at(self) -> float:
        """Return when `mark_unsaved` was called last, in seconds of the clock; 0 if the state was saved since."""
        try:
            return self._unsaved.stat().st_mtime
        except OSError:
            return 0.0

    def mark_unsaved(self, now: datetime) -> None:
        """Record in a file's time alone that something was reported: that works on a full disk too."""
        with contextlib.suppress(OSError):  # then it is told too often rather than not at all
            os.utime(self._unsaved, (now.timestamp(), now.timestamp()))

    def deciding(self, holder: str) -> contextlib.AbstractContextManager[None]:
        """Hold the lock under which the state is read and replaced, which others wait for.

        Raises:
            Locked: another process holds it for longer than anybody needs.
            FileUnwritable: the lock file cannot be made.
        """
        return locked(self.lock_file("deciding"), holder=holder, wait_seconds=LOCK_SECONDS)

    def sending(self, holder: str) -> contextlib.AbstractContextManager[None]:
        """Hold the sender's lock; a process that does not get it leaves its letters to the holder.

        Raises:
            Locked: another process sends.
            FileUnwritable: the lock file cannot be made.
        """
        return locked(self.lock_file("sending"), holder=holder)


def _unreadable(path: Path, cause: Message) -> NotifyStateUnreadable:
    return NotifyStateUnreadable(
        msg("cannot read from {path} which failures were reported before: {cause}", path=str(path), cause=cause),
        msg("The next run moves that file aside and starts a new one; failures that last are reported again."),
    )
