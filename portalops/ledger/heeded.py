"""The ledger as duties are judged from it: without records that no writer claimed in time, and without plans by who may not plan.

What was found of the claims is kept in the state folder, so that only newer ones are read again; it counts for nothing
once the line that it ends with is another one, nor without a code that only who can read this machine's own key can make.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from portalops.config.secrets import read_private_file
from portalops.errors import IntegrityError, PortalOpsError
from portalops.files import write_atomically
from portalops.json_text import read_json
from portalops.ledger.chain import Faults
from portalops.ledger.check_heads import HeldRecord, Noted
from portalops.ledger.claims import (
    GRACE,
    KEY,
    Ownership,
    SettingAside,
    SignedText,
    check_claims,
    read_signed,
    wanted,
)
from portalops.ledger.heads import read_signers
from portalops.ledger.ledger import MOVED, KeptLedger, Ledger
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.ledger.record import CREATED, UPGRADED, line_digest
from portalops.ledger.selection import IN_ORDER, TimeOrder
from portalops.model.record import Digest, Record
from portalops.model.runs import Run
from portalops.model.values import dataclass
from portalops.model.writers import Authority, Claimed, Writer, WriterState
from portalops.ports import Clock, LedgerReader
from portalops.registers.erasures import ERASED
from portalops.registers.plans import PLAN
from portalops.registers.signers import KEY_KINDS
from portalops.registers.writers import BY_TWO, CLAIM_KINDS, CLOCK_MENDED, QUARANTINED, SELF_SIGNED, WRITER_ADDED

if TYPE_CHECKING:  # few ledgers have any
    from portalops.model.quarantines import SetAside

FILE = Path("unclaimed") / "checked.json"
"""What was found last time; in the state folder."""

AGAINST = frozenset(
    {
        "blob.erased",
        "case.hearing",
        "case.opened",
        "case.reopened",
        "change.begun",
        "change.done",
        "change.requested",
        "credential.added",
        "credential.person-left",
        "exemption.withdrawn",
        "incident.opened",
        "incident.reopened",
        "media.destroyed",
        "updates.unconfirmed",
        "updates.withdrawn",
        "waiver.withdrawn",
    }
)
"""Kinds that meet no duty and may speak against one: they count whenever they were recorded."""

OF_THE_LEDGER = SELF_SIGNED | {*KEY_KINDS, CREATED, UPGRADED, MOVED}
"""Kinds of the ledger itself, no evidence: whether one of them counts is found out from all of them."""

logger = logging.getLogger(__name__)


class HeedfulLedger(Ledger):
    """A ledger for who reads evidence: without the records that two persons set aside, or that no writer claimed in time.

    What it finds unclaimed at its first read stays so; what comes later is young, and counts. Records of the ledger itself, reads
    of no kind in particular, single records and the chain are as they stand.
    """

    _sieve: HeededLedger | None = None
    _is_sieved = False

    def __init__(self, folder: Path, clock: Clock, *, writable: bool, kept: KeptLedger | None = None) -> None:
        super().__init__(folder, clock, writable=writable, kept=kept)
        self.find_time_order = find_time_order

    @property
    def whole(self) -> Ledger:
        """The same ledger with every record: for who verifies, exports or mends it."""
        found = Ledger.__new__(Ledger)
        found.__dict__ = self.__dict__  # one state: what is set on either holds for both
        return found

    def records(
        self,
        *,
        kinds: Collection[str] | None = None,
        run: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Record]:
        """Yield records; as `Ledger.records` does."""
        sieve = None if kinds is None or OF_THE_LEDGER.issuperset(kinds) else self._sieved()
        found = super().records(
            kinds=kinds, run=run, since=since, until=until, newest_first=newest_first, limit=None if sieve else limit
        )
        return found if sieve is None else islice((each for each in found if sieve.is_evidence(each)), limit)

    def runs(
        self, *, kinds: Collection[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Run, ...]:
        """Return the runs that started in a span."""
        found, sieve = super().runs(kinds=kinds, since=since, until=until), self._sieved()
        return found if sieve is None else tuple(each for run in found if (each := sieve.kept_run(run)) is not None)

    def is_somebodys(self, record: Record) -> bool:
        """Say whether a writer claims a record, or this machine noted it; where nobody claims, each is somebody's."""
        sieve = self._sieve_of_time()
        return sieve is None or sieve.is_claimed(record.seq, record.at)

    def newest_in_time(self) -> Record | None:
        """Return the newest record that a writer claims or this machine noted; the newest of all while there is none."""
        sieve = self._sieve_of_time()
        if sieve is None:
            return self.last_in_order()
        passed, newest = self._time_order().passed, super().records(newest_first=True)
        counted = (each for each in newest if each.seq not in passed and sieve.is_claimed(each.seq, each.at))
        return next(counted, self.last_in_order())

    def _sieve_of_time(self) -> HeededLedger | None:
        try:
            return done_work(self)
        except IntegrityError:  # what stops every reader stops no clock: the cure is to be recorded
            return None

    def _sieved(self) -> HeededLedger | None:
        if not self._is_sieved:
            self._sieve = _sieve_of(self.whole, self._clock.now())
            self._is_sieved = True
        return self._sieve


def _sieve_of(ledger: Ledger, now: datetime) -> HeededLedger | None:
    """Return what tells which records count; None if all do.

    Raises:
        IntegrityError: the keys of the ledger cannot be read, so whose the records are is not known: then none counts.
    """
    set_aside = numbers_set_aside(ledger)
    has_writers = any(ledger.records(kinds=(WRITER_ADDED,), limit=1))
    ownership = read_ownership(ledger) if has_writers else Ownership()
    last = ledger.last()
    if last is None or (ownership.begin is None and not set_aside):
        return None
    return HeededLedger(ledger, ownership, max(last.at, now) - GRACE, set_aside)


def done_work(ledger: Ledger) -> HeededLedger | None:
    """Return what tells which work was done: of what a writer claims, or this machine noted itself; None if all records count.

    A record in its hour meets a duty. It does not show that a job need not be done again: whoever may append could keep a job from
    being done.
    """
    whole = ledger.whole
    sieve = _sieve_of(whole, datetime.max.replace(tzinfo=UTC))
    if sieve is None or sieve.ownership.begin is None:
        return sieve
    from portalops.ledger.journals import noted_here  # noqa: PLC0415  # for ledgers with writers alone

    return replace(sieve, is_own=noted_here(whole, ledger.folder))


@dataclass(frozen=True, slots=True)
class HeededLedger:
    """A ledger's reader that passes over what counts for nothing; a `ports.LedgerReader`."""

    reader: LedgerReader
    ownership: Ownership
    limit: datetime
    """Before this moment a record must have been claimed."""
    set_aside: frozenset[int] = frozenset()
    """Numbers of the records that two persons set aside."""
    mistimed: frozenset[int] = frozenset()
    """Numbers of the records whose time says nothing (`numbers_mistimed`)."""
    is_own: Callable[[int], bool] = lambda _seq: False
    """Says whether this machine noted a record as its own, and is to claim it yet."""

    def records(
        self,
        *,
        kinds: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Record]:
        """Yield records; as `Ledger.records` does."""
        found = self.reader.records(kinds=kinds, since=since, until=until, newest_first=newest_first)
        return islice((each for each in found if self.is_heeded(each)), limit)

    def blob(self, digest: Digest) -> bytes:
        """Return bytes that were kept."""
        return self.reader.blob(digest)

    def has_blob(self, digest: Digest) -> bool:
        """Say whether a blob is there."""
        return self.reader.has_blob(digest)

    def first(self) -> Record | None:
        """Return the oldest record."""
        return next(self.records(limit=1), None)

    def runs(
        self, *, kinds: Collection[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Run, ...]:
        """Return the runs that started in a span."""
        found = self.reader.runs(kinds=kinds, since=since, until=until)
        return tuple(each for run in found if (each := self.kept_run(run)) is not None)

    def is_heeded(self, record: Record) -> bool:
        """Say whether a record counts."""
        if record.seq in self.mistimed and record.kind not in AGAINST:
            return False
        if record.kind in SELF_SIGNED or not self.is_claimed(record.seq, record.at):
            return record.kind in SELF_SIGNED
        if record.kind == PLAN:
            return self._may_plan(record.seq)
        return record.kind not in {ERASED, MOVED} or self.ownership.has_authority(record.seq)

    def is_evidence(self, record: Record) -> bool:
        """Say whether a record is shown to who reads evidence."""
        if record.kind in OF_THE_LEDGER:
            return True
        return self.is_claimed(record.seq, record.at) and (record.kind != PLAN or self._may_plan(record.seq))

    def _may_plan(self, seq: int) -> bool:
        """Say whether no writer without authority claims a plan: one that is not claimed yet counts for its hour, as all else does."""
        owner = self.ownership.owner(seq)
        return owner is None or owner.authority is Authority.ALL

    def is_claimed(self, seq: int, at: datetime) -> bool:
        """Say whether a record is not set aside, and claimed or still in its hour."""
        begin = self.ownership.begin
        if seq in self.set_aside:
            return False
        if begin is None or seq <= begin or at >= self.limit:
            return True
        return self.ownership.owner(seq) is not None or self.is_own(seq)

    def kept_run(self, run: Run) -> Run | None:
        """Return a run without an end that does not count; None if its beginning does not."""
        if run.started_seq in self.mistimed or not self.is_claimed(run.started_seq, run.started_at):
            return None
        return self.without_unheeded_end(run)

    def without_unheeded_end(self, run: Run) -> Run:
        """Return a run, as not ended where the record of its end does not count."""
        if run.finished_seq is None or run.finished_at is None:
            return run
        if run.finished_seq not in self.mistimed and self.is_claimed(run.finished_seq, run.finished_at):
            return run
        return replace(run, finished_at=None, finished_seq=None, body=None)


def heeded(ledger: Ledger, reader: LedgerReader | None = None, *, now: datetime | None = None) -> LedgerReader:
    """Return what duties are judged from.

    Args:
        ledger: whose claims are read.
        reader: reads it as of a record; the ledger itself without one.
        now: the clock's time, by which a record of a quiet ledger is late too; the newest record's without one.
    """
    found = reader or ledger.whole
    last = ledger.last()
    ownership = read_ownership(ledger)
    mistimed, set_aside = numbers_mistimed(ledger), numbers_set_aside(ledger)
    if last is None or (ownership.begin is None and not mistimed and not set_aside):
        return found
    limit = max(last.at, now or last.at) - GRACE
    return HeededLedger(found, ownership, limit, set_aside, mistimed)


def numbers_set_aside(ledger: Ledger) -> frozenset[int]:
    """Return the numbers of the records that two persons set aside.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    counted = read_counted(ledger)
    if not counted:
        return frozenset()
    from portalops.ledger.quarantines import records_set_aside  # noqa: PLC0415  # few ledgers have any

    return records_set_aside(counted)


def find_quarantine_needing(ledger: Ledger, digest: Digest) -> tuple[int, int] | None:
    """Return a quarantine that counts only by some details, and the record whose they are; None if none does.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    if not any(ledger.records(kinds=BY_TWO, limit=1)):
        return None
    from portalops.ledger import set_aside  # noqa: PLC0415  # few ledgers have any

    return set_aside.find_quarantine_needing(ledger, read_ownership(ledger), digest)


def numbers_mistimed(ledger: Ledger | LedgerNotBegun) -> frozenset[int]:
    """Return the numbers of the records whose time says nothing: when they were made is unknown.

    Two persons say that it is wrong, or it goes back behind a mended clock that does not count.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    if isinstance(ledger, LedgerNotBegun) or not any(ledger.records(kinds=(CLOCK_MENDED,), limit=1)):
        return frozenset()
    from portalops.ledger.set_aside import read_untimely  # noqa: PLC0415  # few ledgers have any

    return read_untimely(ledger, read_ownership(ledger), lambda: read_each_claim(ledger))


def void_clocks(ledger: Ledger) -> frozenset[int]:
    """Return the numbers of the mended clocks that count for nothing and are not set aside yet.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    if not any(ledger.records(kinds=(CLOCK_MENDED,), limit=1)):
        return frozenset()
    from portalops.ledger.set_aside import read_void_clocks  # noqa: PLC0415  # few ledgers have any

    return read_void_clocks(ledger, read_ownership(ledger), lambda: read_each_claim(ledger))


def find_time_order(ledger: Ledger) -> TimeOrder:
    """Return how a moment is looked for; as if the times never went back where the keys of the ledger cannot be read."""
    from portalops.ledger.set_aside import read_time_order  # noqa: PLC0415  # few ledgers have any

    try:
        return read_time_order(ledger, read_ownership(ledger), lambda: read_each_claim(ledger))
    except IntegrityError as error:
        logger.warning("which records are before their time cannot be found out: %s", error)
        return IN_ORDER


def numbers_excused(ledger: Ledger) -> frozenset[int]:
    """Return the numbers of the records whose own faults are none, by the word of two persons.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    counted = read_counted(ledger)
    if not counted:
        return frozenset()
    from portalops.ledger.quarantines import records_excused  # noqa: PLC0415  # few ledgers have any

    return records_excused(counted)


def read_counted(ledger: Ledger | LedgerNotBegun) -> Sequence[SetAside]:
    """Return what two persons say of records and counts.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    if isinstance(ledger, LedgerNotBegun) or not any(ledger.records(kinds=BY_TWO, limit=1)):
        return ()
    from portalops.ledger.set_aside import read_set_aside  # noqa: PLC0415  # few ledgers have any

    return read_set_aside(ledger, read_ownership(ledger), lambda: read_each_claim(ledger))


def read_ownership(ledger: Ledger) -> Ownership:
    """Return whose the records are; claims that count for nothing are passed over, and named by `ledger verify`.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    upto, known = _read_checked(ledger)
    begin = ledger.record(upto)
    since = ledger.found_from(begin) if begin else None
    newer = tuple(record for record in ledger.records(kinds=CLAIM_KINDS, since=since) if record.seq > upto)
    if not newer:
        return known
    signed = tuple(each for record in newer if (each := _read(ledger, record)) is not None)
    found = check_claims(
        signed,
        read_signers(ledger),
        _noted(ledger, signed),
        Faults(),
        ledger=ledger.id,
        before=known,
        settings_aside=_read_settings_aside(ledger, upto),
    )
    # Only over claims that count, which are a writer's: any other record between them may be a stranger's, and be set aside.
    claimed = _bridged(found.claimed, found.spoken_for.difference(found.unclaimable))
    bridged = replace(found, claimed=claimed, spoken_for=frozenset(), by_hand=())
    _write_checked(ledger, newer[-1], bridged)
    return bridged


def has_writers(ledger: Ledger) -> bool:
    """Say whether a writer was recorded that counts; where the keys of the ledger cannot be read, whether any was recorded."""
    if not any(ledger.records(kinds=(WRITER_ADDED,), limit=1)):
        return False
    try:
        return read_ownership(ledger).begin is not None
    except IntegrityError:
        return True


def read_each_claim(ledger: Ledger) -> Ownership:
    """Return whose the records are, with each claim by itself: all of them are read. Raises as `read_ownership` does."""
    signed = tuple(each for record in ledger.records(kinds=CLAIM_KINDS) if (each := _read(ledger, record)) is not None)
    noted, aside = _noted(ledger, signed), _read_settings_aside(ledger, 0)
    return check_claims(signed, read_signers(ledger), noted, Faults(), ledger=ledger.id, settings_aside=aside)


def _read_settings_aside(ledger: Ledger, upto: int) -> Sequence[SettingAside]:
    """Return the quarantines behind a record; those before it are kept with what was found of the claims."""
    if not any(record.seq > upto for record in ledger.records(kinds=(QUARANTINED,), newest_first=True, limit=1)):
        return ()
    from portalops.ledger.set_aside import read_settings_aside  # noqa: PLC0415  # few ledgers have any

    return read_settings_aside(ledger, upto)


def owner_in(ownership: Ownership, record: Record) -> str | None:
    """Return the name of the writer that claims a record; None if nobody does, or not yet, and of one that is signed itself."""
    if record.kind in SELF_SIGNED:
        return None
    found = ownership.owner(record.seq)
    return found.name if found else None


def state_of_writer(ledger: Ledger, public_key: str) -> WriterState | None:
    """Return what the writer records that count say of a key; None if there is none.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    found = find_writer(ledger, public_key)
    if found is None:
        return None
    return WriterState.ADDED if found.ended_seq is None else WriterState.ENDED


def find_writer(ledger: Ledger, public_key: str) -> Writer | None:
    """Return the writer of a key, by the writer records that count; raises as `state_of_writer` does."""
    return next((each for each in read_ownership(ledger).writers if each.public_key == public_key), None)


def heeds_move(ledger: Ledger, record: Record) -> bool:
    """Say whether a record of a move counts: behind the first writer it does once a writer with authority `all` stands for it.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    return read_ownership(ledger).has_authority(record.seq)


def _bridged(claimed: Sequence[Claimed], spoken_for: Collection[int]) -> tuple[Claimed, ...]:
    """Return few ranges for many: each goes on over the claims and writer records behind it that count."""
    bridged: list[Claimed] = []
    for each in claimed:
        before = bridged[-1] if bridged else None
        if before is not None and before.public_key == each.public_key and before.last == each.first - 1:
            bridged.pop()
            first = before.first
        else:
            first = each.first
        last = each.last
        while last + 1 in spoken_for:
            last += 1
        bridged.append(Claimed(first, last, each.public_key))
    return tuple(bridged)


def _noted(ledger: Ledger, signed: Iterable[SignedText]) -> Noted:
    return {seq: (line_digest(line.line), "") for seq in wanted(signed) if (line := ledger.record(seq)) is not None}


def _read(ledger: Ledger, record: Record) -> SignedText | None:
    try:
        return read_signed(HeldRecord(record.seq, record.at, record.kind, ledger.blob(record.body)))
    except PortalOpsError:
        return None


def _read_checked(ledger: Ledger) -> tuple[int, Ownership]:
    """Return what was found last time, and up to which record; nothing where that record is another one now."""
    try:
        code, _newline, kept = (ledger.folder / FILE).read_bytes().partition(b"\n")
        key = _code_key(ledger)
        if key is None or not hmac.compare_digest(code, _code_of(key, kept)):
            return 0, Ownership()
        held = read_json(kept)
        record = ledger.record(int(held["upto"]))
        if record is not None and line_digest(record.line) == held["digest"]:
            writers = tuple(Writer(key, name, Authority(may), *seqs) for key, name, may, *seqs in held["writers"])
            claimed = tuple(Claimed(*each) for each in held["claimed"])
            return record.seq, Ownership(
                writers,
                claimed,
                unclaimable=tuple(map(int, held["unclaimable"])),
                faulted=frozenset(map(int, held["faulted"])),
                contradicting={int(seq): str(key) for seq, key in held["contradicting"]},
            )
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, Ownership()


def _code_key(ledger: Ledger) -> bytes | None:
    """Return what the code is made with; None where this account may not read the machine's own key, or there is none."""
    try:
        return hashlib.sha256(b"portalops checked claims\0" + read_private_file(ledger.folder / KEY)).digest()
    except (OSError, PortalOpsError):
        return None


def _code_of(key: bytes, kept: bytes) -> bytes:
    return hmac.new(key, kept, hashlib.sha256).hexdigest().encode()


def _write_checked(ledger: Ledger, last: Record, found: Ownership) -> None:
    held = {
        "upto": last.seq,
        "digest": line_digest(last.line),
        "writers": [
            [each.public_key, each.name, each.authority, each.added_seq, each.ended_seq] for each in found.writers
        ],
        "claimed": [[each.first, each.last, each.public_key] for each in found.claimed],
        "unclaimable": found.unclaimable,
        "faulted": sorted(found.faulted),
        "contradicting": sorted(found.contradicting.items()),
    }
    key, kept = _code_key(ledger), json.dumps(held).encode()
    if key is None:
        return  # nothing could be believed of it
    try:
        write_atomically(ledger.folder / FILE, _code_of(key, kept) + b"\n" + kept, mode=0o600)
    except PortalOpsError as error:  # whoever only reads may not write there
        logger.debug("what was found of the claims is not kept: %s", error)
