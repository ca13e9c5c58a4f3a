"""The ledger as duties are judged from it: without records that no writer claimed in time, and without plans by who may not plan.

What was found of the claims is kept in the state folder, so that only newer ones are read again; it counts for nothing
once the line that it ends with is another one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from portalops.errors import PortalOpsError
from portalops.files import write_atomically
from portalops.json_text import read_json
from portalops.ledger.chain import Faults
from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.claims import (
    GRACE,
    Ownership,
    SignedText,
    check_claims,
    read_signed,
    wanted,
)
from portalops.ledger.heads import read_signers
from portalops.ledger.ledger import MOVED, Ledger
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.ledger.record import line_digest
from portalops.model.record import Digest, Record
from portalops.model.runs import Run
from portalops.model.values import dataclass
from portalops.model.writers import Authority, Claimed, Writer, WriterState
from portalops.ports import LedgerReader
from portalops.registers.erasures import ERASED
from portalops.registers.plans import PLAN
from portalops.registers.writers import BY_TWO, CLAIM_KINDS, CLOCK_MENDED, SELF_SIGNED

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

logger = logging.getLogger(__name__)


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
    """Numbers of the records of which they say that their time is wrong."""

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
        return tuple(
            self._without_unheeded_end(each)
            for each in self.reader.runs(kinds=kinds, since=since, until=until)
            if self._is_claimed(each.started_seq, each.started_at) and each.started_seq not in self.mistimed
        )

    def is_heeded(self, record: Record) -> bool:
        """Say whether a record counts."""
        if record.seq in self.mistimed and record.kind not in AGAINST:
            return False
        if record.kind in SELF_SIGNED or not self._is_claimed(record.seq, record.at):
            return record.kind in SELF_SIGNED
        if record.kind == PLAN:  # one that is not claimed yet counts for its hour, as all else does
            owner = self.ownership.owner(record.seq)
            return owner is None or owner.authority is Authority.ALL
        return record.kind not in {ERASED, MOVED} or self.ownership.has_authority(record.seq)

    def _is_claimed(self, seq: int, at: datetime) -> bool:
        begin = self.ownership.begin
        if seq in self.set_aside:
            return False
        return begin is None or seq <= begin or at >= self.limit or self.ownership.owner(seq) is not None

    def _without_unheeded_end(self, run: Run) -> Run:
        if run.finished_seq is None or run.finished_at is None:
            return run
        if run.finished_seq not in self.mistimed and self._is_claimed(run.finished_seq, run.finished_at):
            return run
        return replace(run, finished_at=None, finished_seq=None, body=None)


def heeded(ledger: Ledger, reader: LedgerReader | None = None, *, now: datetime | None = None) -> LedgerReader:
    """Return what duties are judged from.

    Args:
        ledger: whose claims are read.
        reader: reads it as of a record; the ledger itself without one.
        now: the clock's time, by which a record of a quiet ledger is late too; the newest record's without one.
    """
    found = reader or ledger
    last = ledger.last()
    ownership = read_ownership(ledger)
    mistimed = numbers_mistimed(ledger)
    if last is None or (ownership.begin is None and not mistimed):
        return found
    limit = max(last.at, now or last.at) - GRACE
    return HeededLedger(found, ownership, limit, numbers_set_aside(ledger), mistimed)


def numbers_set_aside(ledger: Ledger) -> frozenset[int]:
    """Return the numbers of the records that two persons set aside.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    counted = _read_counted(ledger, BY_TWO)
    if not counted:
        return frozenset()
    from portalops.ledger.quarantines import records_set_aside  # noqa: PLC0415  # few ledgers have any

    return records_set_aside(counted)


def numbers_mistimed(ledger: Ledger | LedgerNotBegun) -> frozenset[int]:
    """Return the numbers of the records of which two persons say that their time is wrong: when they were made is unknown.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    counted = _read_counted(ledger, (CLOCK_MENDED,))
    if not counted:
        return frozenset()
    from portalops.ledger.quarantines import records_mistimed  # noqa: PLC0415  # few ledgers have any

    return records_mistimed(counted)


def numbers_excused(ledger: Ledger) -> frozenset[int]:
    """Return the numbers of the records whose own faults are none, by the word of two persons.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    counted = _read_counted(ledger, BY_TWO)
    if not counted:
        return frozenset()
    from portalops.ledger.quarantines import records_excused  # noqa: PLC0415  # few ledgers have any

    return records_excused(counted)


def _read_counted(ledger: Ledger | LedgerNotBegun, kinds: Collection[str]) -> Sequence[SetAside]:
    """Return what two persons say of records and counts, if the ledger has any record of some kinds."""
    if isinstance(ledger, LedgerNotBegun) or not any(ledger.records(kinds=kinds, limit=1)):
        return ()
    from portalops.ledger.set_aside import read_set_aside  # noqa: PLC0415  # few ledgers have any

    return read_set_aside(ledger, read_ownership(ledger))


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
    noted = {seq: (line_digest(line.line), "") for seq in wanted(signed) if (line := ledger.record(seq)) is not None}
    found = check_claims(signed, read_signers(ledger), noted, Faults(), ledger=ledger.id, before=known)
    # A mended clock that counts for nothing may be set aside, so it must stay nobody's.
    bridges = tuple(SELF_SIGNED - {CLOCK_MENDED})
    spoken_for = frozenset(record.seq for record in ledger.records(kinds=bridges, since=since))
    bridged = Ownership(found.writers, _bridged(found.claimed, spoken_for))
    _write_checked(ledger, newer[-1], bridged)
    return bridged


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
    found = next((each for each in read_ownership(ledger).writers if each.public_key == public_key), None)
    if found is None:
        return None
    return WriterState.ADDED if found.ended_seq is None else WriterState.ENDED


def heeds_move(ledger: Ledger, record: Record) -> bool:
    """Say whether a record of a move counts: behind the first writer it does once a writer with authority `all` stands for it.

    Raises:
        IntegrityError: the ledger's keys cannot be read.
    """
    return read_ownership(ledger).has_authority(record.seq)


def _bridged(claimed: Sequence[Claimed], spoken_for: Collection[int]) -> tuple[Claimed, ...]:
    """Return few ranges for many: each goes on over the records behind it that are signed themselves."""
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


def _read(ledger: Ledger, record: Record) -> SignedText | None:
    try:
        return read_signed(HeldRecord(record.seq, record.at, record.kind, ledger.blob(record.body)))
    except PortalOpsError:
        return None


def _read_checked(ledger: Ledger) -> tuple[int, Ownership]:
    """Return what was found last time, and up to which record; nothing where that record is another one now."""
    try:
        held = read_json((ledger.folder / FILE).read_bytes())
        record = ledger.record(int(held["upto"]))
        if record is not None and line_digest(record.line) == held["digest"]:
            writers = tuple(Writer(key, name, Authority(may), *seqs) for key, name, may, *seqs in held["writers"])
            return record.seq, Ownership(writers, tuple(Claimed(*each) for each in held["claimed"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, Ownership()


def _write_checked(ledger: Ledger, last: Record, found: Ownership) -> None:
    held = {
        "upto": last.seq,
        "digest": line_digest(last.line),
        "writers": [
            [each.public_key, each.name, each.authority, each.added_seq, each.ended_seq] for each in found.writers
        ],
        "claimed": [[each.first, each.last, each.public_key] for each in found.claimed],
    }
    try:
        write_atomically(ledger.folder / FILE, json.dumps(held).encode(), mode=0o600)
    except PortalOpsError as error:  # whoever only reads may not write there
        logger.debug("what was found of the claims is not kept: %s", error)
