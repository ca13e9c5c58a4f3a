"""What a witness keeps of one ledger: its heads as files, what it last knew in one JSON file, and refused heads.

    witness/<id>/heads/0000000412.txt    a head that was taken, as it was signed; never changed or removed
    witness/<id>/heads/0000000412.sig    its OpenSSH signature
    witness/<id>/state.json              the newest head, the known keys, when it came, alarms and mails to be sent
    witness/<id>/refused/                heads that were refused, each with the reason

Every file is whole or not there. A head's files are written before the state that names it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from portalops import bodies
from portalops.errors import IntegrityError, LedgerError, NotAHead
from portalops.files import unwritable, write_atomically
from portalops.ledger.heads import MAX_HEAD_BYTES, parse_head
from portalops.model.causes import cause_of
from portalops.model.heads import Head, SignedHead
from portalops.model.message import Message, msg
from portalops.private_folder import FILE_MODE, make_private_folder
from portalops.signatures.sshsig import MAX_SIGNATURE_CHARS
from portalops.witness.alarms import WaitingMail, WitnessAlarm
from portalops.witness.claims import ClaimState
from portalops.witness.rules import HeadRefusal, KeptHead, KnownKey

FORMAT = 1
"""The value of `format` in state.json."""

MAX_STATE_BYTES = 8 << 20
MAX_REFUSED = 1000
"""Refused heads that are kept; more show nothing new."""


@dataclass(frozen=True, slots=True)
class StandingRefusal:
    """The refusal that stands, until a good head comes."""

    reason: HeadRefusal
    message: Message
    hint: Message
    at: datetime
    """When it was refused first, by the witness's clock."""


@dataclass(frozen=True, slots=True)
class WitnessState:
    """What a witness knows of one ledger; all moments are by the witness's own clock, but those in the head."""

    watched_since: datetime
    ledger: str = ""
    kept: KeptHead | None = None
    keys: tuple[KnownKey, ...] = ()
    kept_at: datetime | None = None
    """When the newest head was taken."""
    accepted_at: datetime | None = None
    """When the last head arrived that added more than the watching itself records."""
    looked_at: datetime | None = None
    reached_at: datetime | None = None
    """When the watched side last answered."""
    receipted: int = 0
    """Size of the newest head whose receipt was sent."""
    refused: StandingRefusal | None = None
    alarm: WitnessAlarm | None = None
    letters: tuple[WaitingMail, ...] = ()
    """Mails that are still to be sent, oldest first."""
    claims: ClaimState | None = None
    """What is known of claims; None of a ledger whose first record came before witnesses checked them."""
    format: int = FORMAT

    @property
    def alive_at(self) -> datetime:
        """When the ledger last showed that it is alive: silence counts from here."""
        return self.accepted_at or self.watched_since


class WitnessFolder:
    """The files of one watched ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heads = folder / "heads"
        self.refused = folder / "refused"
        self._state = folder / "state.json"

    def load(self, now: datetime) -> WitnessState:
        """Return what was known at the end of the last look; nothing yet before the first one.

        Raises:
            IntegrityError: the file is not what a witness wrote.
        """
        try:
            with self._state.open("rb") as file:
                data = file.read(MAX_STATE_BYTES + 1)
        except FileNotFoundError:
            return WitnessState(now)
        except OSError as error:
            raise _unreadable(self._state, cause_of(error)) from error
        try:
            state = bodies.decode_part(data, "witness", WitnessState)
            if state is not None and state.kept is not None:
                parse_head(state.kept.signed.text.encode())
            if state is not None and state.format == FORMAT:
                return state
        except LedgerError as error:
            raise _unreadable(self._state, str(error)) from error
        raise _unreadable(self._state, f"not of format {FORMAT}")

    def save(self, state: WitnessState) -> None:
        """Replace what is known.

        Raises:
            FileUnwritable: it cannot be written; what was known before is still there.
        """
        write_atomically(self._state, bodies.write({"witness": state}), mode=0o600)

    def add(self, signed: SignedHead) -> None:
        """Keep a head for good.

        Raises:
            IntegrityError: another head of this size was kept before.
            FileUnwritable: it cannot be written.
        """
        head = parse_head(signed.text.encode())
        path = self.heads / f"{head.size:010d}.txt"
        if path.exists():
            if _read(path, MAX_HEAD_BYTES) == signed.text.encode():
                return
            raise IntegrityError(
                msg("another head is kept in {path}", path=str(path)),
                msg("Compare both heads with those kept elsewhere. A kept head is never overwritten."),
            )
        write_atomically(path.with_suffix(".sig"), signed.signature.encode(), mode=FILE_MODE)
        write_atomically(path, signed.text.encode(), mode=FILE_MODE)

    def holds(self, signed: SignedHead) -> bool:
        """Say whether a head was taken before."""
        size = parse_head(signed.text.encode()).size
        path = self.heads / f"{size:010d}.txt"
        return path.is_file() and _read(path, MAX_HEAD_BYTES) == signed.text.encode()

    def heads_beyond(self, size: int) -> Iterator[Head]:
        """Yield the heads in the folder that are larger than a size.

        Raises:
            IntegrityError: a file is not the head that its name says.
        """
        for path in sorted(self.heads.glob("*.txt")) if self.heads.is_dir() else ():
            if not path.stem.isdecimal():
                raise _foreign(path)
            if int(path.stem) <= size:
                continue
            try:
                head = parse_head(_read(path, MAX_HEAD_BYTES + 1))
            except NotAHead as error:
                raise _foreign(path) from error
            if head.size != int(path.stem):
                raise _foreign(path)
            yield head

    def keep_refused(self, signed: SignedHead, refused: StandingRefusal) -> Path | None:
        """Keep a refused head as evidence, once; return where, or None if there are too many already.

        Raises:
            FileUnwritable: it cannot be written.
        """
        text = signed.text.encode()
        digest = hashlib.sha256(text + signed.signature.encode()).hexdigest()
        path = self.refused / f"{parse_head(text).size:010d}-{digest[:16]}.txt"
        if path.exists():
            return path
        try:
            make_private_folder(self.refused)
            if len(list(self.refused.glob("*.txt"))) >= MAX_REFUSED:
                return None
        except OSError as error:
            raise unwritable(self.refused, error) from error
        why = {"at": refused.at, "message": str(refused.message), "reason": refused.reason}
        write_atomically(path.with_suffix(".json"), bodies.write(why), mode=FILE_MODE)
        write_atomically(path.with_suffix(".sig"), signed.signature.encode(), mode=FILE_MODE)
        write_atomically(path, text, mode=FILE_MODE)
        return path


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(max(limit, MAX_SIGNATURE_CHARS) + 1)
    except OSError as error:
        raise _unreadable(path, cause_of(error)) from error


def _unreadable(path: Path, cause: str | Message) -> IntegrityError:
    return IntegrityError(
        msg("the witness's state cannot be read from {path}: {cause}", path=str(path), cause=cause),
        msg("Move that file away: the next poll starts again and still compares the ledger with every head in heads/."),
    )


def _foreign(path: Path) -> IntegrityError:
    return IntegrityError(
        msg("{path} is not the head that its name states", path=str(path)),
        msg("Find out who changed the file, and move it away. portalops never changes a kept head."),
    )
