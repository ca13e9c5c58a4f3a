"""Claims what the commands of one machine append: with its key, at the end of each command and before each head.

    <state folder>/keys/writer             the private key, 0600
    <state folder>/unclaimed/*.journal     what each process appended and has not claimed, 0600 (`journals.py`)

A line stands in the journal before its record is appended, and the kernel frees the journal's lock with its process. So the next
command on this machine finds what a killed one left, and claims it. A command that works for long claims by itself every now and then.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from portalops import bodies
from portalops.config.secrets import read_private_file
from portalops.errors import PortalOpsError, SecretUnavailable
from portalops.files import unwritable
from portalops.ledger import journals
from portalops.ledger.claims import (
    CLAIM_NAMESPACE,
    GRACE,
    KEY,
    MAX_RANGES,
    WRITER_NAMESPACE,
    text_of_claim,
    text_of_writer,
)
from portalops.ledger.heeded import numbers_set_aside, read_ownership, state_of_writer
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import GENESIS, NO_RUN, Draft, line_digest
from portalops.model.message import Message, msg
from portalops.model.record import Record
from portalops.model.text import format_at
from portalops.model.writers import Authority, LineRange, WriterClaim, WriterEvent, WriterState
from portalops.ports import Clock
from portalops.private_folder import make_private_folder
from portalops.registers.writers import CLAIM, SELF_SIGNED, WRITER_ADDED, WRITER_ENDED
from portalops.signatures.sshsig import SigningKey, sign

JOURNALS = journals.FOLDER

PAUSE = GRACE / 6
"""How often a command that goes on claims what it has."""

CLOCKS_APART = timedelta(minutes=1)
"""A record may have another time than its line in the journal: clocks of a team differ, and appends wait for each other."""

logger = logging.getLogger(__name__)


class MachineClaimant:
    """The claims of one process; a `ledger.Claimant`.

    Without a key nothing is noted and nothing claimed. `enrols` says that this machine makes itself a key, and enrols it when the ledger's
    key signs: on a ledger that is this machine's alone.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        name: str,
        *,
        enrols: bool,
        reopened: Callable[[], Ledger] | None = None,
        pause: timedelta = PAUSE,
    ) -> None:
        self._folder, self._clock = folder, clock
        self.name, self.enrols = name, enrols
        self._reopened, self._pause = reopened, pause
        self.said: list[Message] = []
        """What whoever called must learn of journals."""
        self.is_shared = False
        self.is_awaited = False
        """The ledger has writers, so that what is appended is noted before this machine has a key, too."""
        self._lock = threading.RLock()
        self._runs: list[LineRange] = []
        """Records in a row that were appended and not claimed."""
        self._since: datetime | None = None
        """When the first of them was recorded."""
        self._journal: int | None = None
        self._thread: threading.Thread | None = None
        self._path = folder / JOURNALS / f"{os.getpid()}-{secrets.token_hex(4)}.journal"
        self._key: SigningKey | None = None
        self._ledger_id = ""
        """Read once: it costs as much as the claim's signature."""
        self._is_enrolled = False
        self._ended = threading.Event()
        self._awaits_head = False
        """The ledger's first head is to enrol this machine."""
        self._is_off = False
        """No key is ever enrolled here, so that a note would never be claimed."""

    def expect(self, *, has_writers: bool, is_shared: bool, has_signing_key: bool) -> None:
        """Take over what kind of ledger this is, before anything is appended.

        A machine with a key, as `init` makes one, enrols itself with the first head of a ledger that is its own alone.

        Args:
            has_writers: a writer was recorded that counts.
            is_shared: other machines write to it too.
            has_signing_key: heads are signed here; without them this machine enrols nobody.
        """
        self.is_awaited, self.is_shared = has_writers, is_shared
        self.enrols = self._awaits_head = not is_shared and has_signing_key and not has_writers and self._has_key()
        self._is_off = not (is_shared or has_signing_key or has_writers)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Keep the claims of the other thread apart from an append."""
        with self._lock:
            yield

    def intend(self, drafts: Sequence[Draft]) -> None:
        """Note what is about to be appended. A journal that cannot be written is no reason not to record."""
        if not self._notes():
            return
        at = format_at(self._clock.now())
        lines = "".join(
            f"{at}\t{each.kind}\t{each.body}\t{each.run}\n" for each in drafts if each.kind not in SELF_SIGNED
        )
        if not lines:
            return
        try:
            if self._journal is None:
                self._journal = self._opened()
            os.write(self._journal, lines.encode())
            os.fdatasync(self._journal)
        except OSError as error:
            logger.warning("what is appended cannot be noted in %s: %s", self._path, error)

    def note(self, records: Sequence[Record]) -> None:
        """Note what was appended."""
        if not self._notes():
            return
        claimable = [each for each in records if each.kind not in SELF_SIGNED]
        if self._journal is not None:
            with suppress(OSError):  # what matters stands there already
                os.write(
                    self._journal, "".join(f"{each.seq}\t{line_digest(each.line)}\n" for each in claimable).encode()
                )
        for each in claimable:
            self._since = each.at if not self._runs else self._since
            before = self._runs[-1] if self._runs else None
            if before is not None and before.last == each.seq - 1:
                self._runs[-1] = LineRange(before.first, each.seq, line_digest(each.line))
            else:
                self._runs.append(LineRange(each.seq, each.seq, line_digest(each.line)))
        if self._runs and self._thread is None and self._reopened is not None:
            self._thread = threading.Thread(target=self._claim_meanwhile, name="claims", daemon=True)
            self._thread.start()

    def claim(self, ledger: Ledger) -> None:
        """Claim what this process appended, and what processes of this machine left that were killed.

        Nothing is claimed before the key is enrolled.

        Raises:
            LedgerError: the claim cannot be recorded.
            SecretUnavailable: the key cannot be read.
        """
        with self._lock:
            if not self._has_key() or (self._awaits_head and not self._is_enrolled):
                return  # the first head enrols it, and what was noted before is claimed then
            left = tuple(journals.left_journals(self._folder, but=self._path))
            try:
                if (self._runs or left) and self._may_claim(ledger):
                    ledger.append_decided(lambda: self._decide(ledger, left))
                    self._runs.clear()
                    for each in left:
                        self._put_away(ledger, each)
                    if self._journal is not None:
                        os.ftruncate(self._journal, 0)
            except OSError as error:
                raise unwritable(self._path, error) from error
            finally:
                for each in left:
                    os.close(each.descriptor)

    def _put_away(self, ledger: Ledger, left: journals.LeftJournal) -> None:
        """Remove a journal that was made good; one that the ledger contradicts is the proof of that, and is kept."""
        seq = journals.contradicted(ledger, left.read())
        if seq is None:
            left.path.unlink(missing_ok=True)
            return
        kept = left.path.with_suffix(journals.KEPT)
        left.path.rename(kept)
        self.said.append(
            msg(
                "{cause}. It is kept; run 'portalops ledger verify', and compare with heads kept elsewhere",
                cause=journals.describe_contradiction(kept, seq),
            )
        )

    def _decide(self, ledger: Ledger, left: Sequence[journals.LeftJournal]) -> Sequence[Draft]:
        """Return the claims that are due while nobody else can append: two processes may find the same journal, one after the other."""
        key = self._key_at_hand()
        self._ledger_id = self._ledger_id or ledger.id
        noted, since = _read_journals(left)
        since = min((each for each in (since, self._since) if each is not None), default=None)
        if since is None:
            return ()
        since = ledger.searched_from(since - CLOCKS_APART)
        # A claim stands behind what it claims; of what a journal speaks of, the place is not known.
        newest = next(ledger.records(kinds=(CLAIM,), newest_first=True, limit=1), None)
        done: list[LineRange] = []
        if newest is not None and (noted or newest.seq > self._runs[0].first):
            # Also what another writer claims, by a stolen key perhaps: a claim of it would be a fault of this machine's.
            first = next(ledger.records(since=since, limit=1), newest).seq
            claimed = read_ownership(ledger).claimed
            done += (LineRange(each.first, each.last, GENESIS) for each in claimed if each.last >= first)
        # What two persons set aside is nobody's: a claim of it would count for nothing.
        done += (LineRange(seq, seq, GENESIS) for seq in sorted(numbers_set_aside(ledger)))
        found = _find_noted(ledger, noted, since, (*done, *self._runs)) if noted else ()
        runs = _joined((*_not_done(ledger, self._runs, done), *found))
        texts = (
            text_of_claim(WriterClaim(self._ledger_id, tuple(runs[begin : begin + MAX_RANGES])))
            for begin in range(0, len(runs), MAX_RANGES)
        )
        return [_signed_claim(ledger, key, each) for each in texts]

    def enrol(self, ledger: Ledger, key: SigningKey) -> None:
        """Make this machine's key and enrol it, if this machine does so and it is not done yet; `key` is the ledger's.

        A key that had the machine's name before is ended: it was lost, or belongs to what this machine was restored from.

        Raises:
            LedgerError: it cannot be recorded.
            FileUnwritable: the key cannot be written.
        """
        with self._lock:
            if not self.enrols or self._is_enrolled:
                return
            if state_of_writer(ledger, self.make_key()) is WriterState.ENDED:
                SigningKey.make(self._folder / KEY)
                self._key = None
            own = self.make_key()
            if state_of_writer(ledger, own) is None:
                for each in read_ownership(ledger).writers:
                    if each.name == self.name and each.ended_seq is None:
                        ended = WriterEvent(ledger.id, WriterState.ENDED, each.public_key, each.name, each.authority)
                        record_writer(ledger, ended, key)
                event = WriterEvent(ledger.id, WriterState.ADDED, own, self.name, Authority.ALL)
                record_writer(ledger, event, key)
            self._is_enrolled = True

    def make_key(self) -> str:
        """Make this machine's key, unless it has one, and return its public half; raises as `enrol` does."""
        if not self._has_key():
            make_writer_key(self._folder)
        return self._key_at_hand().public_key

    @property
    def key(self) -> SigningKey | None:
        """This machine's key; None if it has none.

        Raises:
            SecretUnavailable: it cannot be read.
        """
        return self._key_at_hand() if self._has_key() else None

    def close(self) -> None:
        """Let go of the journal; it stays where something in it is not claimed."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            if self._journal is not None:
                if not self._runs:
                    self._path.unlink(missing_ok=True)
                os.close(self._journal)
                self._journal = None

    @property
    def has_unclaimed(self) -> bool:
        """What this process appended is noted and not claimed, on a ledger that has writers."""
        return self.is_awaited and bool(self._runs)

    def _notes(self) -> bool:
        return not self._is_off and (self.is_awaited or self._has_key())

    def _has_key(self) -> bool:
        return self._key is not None or (self._folder / KEY).exists()

    def _key_at_hand(self) -> SigningKey:
        if self._key is None:
            path = self._folder / KEY
            try:
                self._key = SigningKey.load(path)
            except SecretUnavailable as error:
                if path.is_file():
                    read_private_file(path)  # raises for its owner or its rights, with a cure of their own
                raise SecretUnavailable(
                    msg("the key {path}, which claims what this machine records, is damaged", path=str(path)),
                    msg(
                        "Move {path} away, and run 'portalops ledger enroll' here: this machine gets a new key, which claims what is left.",
                        path=str(path),
                    ),
                ) from error
        return self._key

    def _may_claim(self, ledger: Ledger) -> bool:
        if not self._is_enrolled:
            self._is_enrolled = state_of_writer(ledger, self._key_at_hand().public_key) is WriterState.ADDED
        return self._is_enrolled

    def _opened(self) -> int:
        make_private_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def _claim_meanwhile(self) -> None:
        assert self._reopened is not None
        while not self._ended.wait(self._pause.total_seconds()):
            try:
                with closing(self._reopened()) as ledger:
                    self.claim(ledger)
            except PortalOpsError as error:
                logger.warning("what was recorded is not claimed yet: %s", error)


def make_writer_key(folder: Path) -> None:
    """Make a machine's own key in its state folder, unless it has one.

    Raises:
        FileUnwritable: it cannot be written.
    """
    if not (folder / KEY).exists():
        SigningKey.make(folder / KEY)


def draft_claim(ledger: Ledger, key: SigningKey, ranges: Sequence[LineRange], **parts: object) -> Draft:
    """Return the record by which a writer stands for some records; its details are kept.

    Args:
        ledger: open for appending.
        key: the writer's.
        ranges: ascending, at most `MAX_RANGES`.
        parts: what the record's body holds besides.

    Raises:
        LedgerError: the details cannot be kept.
    """
    return _signed_claim(ledger, key, text_of_claim(WriterClaim(ledger.id, tuple(ranges))), **parts)


def _signed_claim(ledger: Ledger, key: SigningKey, text: str, **parts: object) -> Draft:
    signed = {"text": text, "signature": sign(text.encode(), key, CLAIM_NAMESPACE)}
    return ledger.draft(CLAIM, body=ledger.keep(bodies.write({**parts, CLAIM: signed})))


def record_writer(ledger: Ledger, event: WriterEvent, key: SigningKey, **parts: object) -> Record:
    """Record that a machine or person may write from now on, or no more; `key` is the ledger's. The rest as in `draft_claim`."""
    text = text_of_writer(event)
    signed = {"text": text, "signature": sign(text.encode(), key, WRITER_NAMESPACE)}
    kind = WRITER_ADDED if event.state is WriterState.ADDED else WRITER_ENDED
    return ledger.append(kind, run=NO_RUN, subject=event.name, body=bodies.write({**parts, "writer": signed}))


def _read_journals(left: Iterable[journals.LeftJournal]) -> tuple[Counter[tuple[str, ...]], datetime | None]:
    """Return what journals speak of, each as often as it was noted, and the earliest moment in them."""
    found = [each.read() for each in left]
    noted = sum((each.noted for each in found), Counter[tuple[str, ...]]())
    return noted, min((each.since for each in found if each.since is not None), default=None)


def _find_noted(
    ledger: Ledger, noted: Counter[tuple[str, ...]], since: datetime, done: Sequence[LineRange]
) -> Iterator[LineRange]:
    """Yield the noted records that are there and that nobody of this machine has claimed or is about to."""
    for record in ledger.records(since=since):
        mark = (record.kind, str(record.body), str(record.run))
        if noted[mark] and not any(each.first <= record.seq <= each.last for each in done):
            noted[mark] -= 1
            yield LineRange(record.seq, record.seq, line_digest(record.line))


def _not_done(ledger: Ledger, runs: Sequence[LineRange], done: Sequence[LineRange]) -> Iterator[LineRange]:
    """Yield the records that were not claimed meanwhile."""
    for run in runs:
        inside = [each for each in done if each.first <= run.last and run.first <= each.last]
        if not inside:
            yield run
            continue
        for seq in range(run.first, run.last + 1):
            record = None if any(each.first <= seq <= each.last for each in inside) else ledger.record(seq)
            if record is not None:
                yield LineRange(seq, seq, line_digest(record.line))


def _joined(ranges: Sequence[LineRange]) -> list[LineRange]:
    joined: list[LineRange] = []
    for each in sorted(ranges, key=lambda one: one.first):
        if joined and joined[-1].last == each.first - 1:
            joined[-1] = LineRange(joined[-1].first, each.last, each.digest)
        else:
            joined.append(each)
    return joined
