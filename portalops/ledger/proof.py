"""Reads out of a ledger what a report says of its own proof.

A record whose details cannot be read is named in the report: nothing is skipped silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from portalops.bodies import decode_part
from portalops.errors import IntegrityError, LedgerError, PortalOpsError
from portalops.ledger.as_of import LedgerAsOf
from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.check_heads import read_head as read_held_head
from portalops.ledger.claims import Ownership
from portalops.ledger.counted_erasures import read_kept
from portalops.ledger.heads import HEAD, UNCOVERED_KINDS, heads, read_signers
from portalops.ledger.heeded import heeded, numbers_set_aside, read_ownership
from portalops.ledger.record import line_digest
from portalops.model.heads import AnchorReceipt, AnchorResult, Erasure, Signer, SignOff
from portalops.model.message import Message, msg
from portalops.model.record import Fault, Record, Recorded
from portalops.model.writers import RecordedRange
from portalops.registers.anchors import ANCHOR, ANCHOR_FINISHED, ANCHOR_RECEIVED, RECEIPT
from portalops.registers.erasures import ERASED, RecordedErasure, fold_erasures, names_kept
from portalops.registers.evidence import UnreadableRecord
from portalops.registers.exports import EXPORT, Export, Exporter, RecordedExport
from portalops.registers.figures import Figures
from portalops.registers.proof import LedgerRange, Proof, ProvenHead, without_repeats
from portalops.registers.sign_offs import SIGN_OFF, RecordedSignOff
from portalops.registers.signers import signer_at
from portalops.registers.waivers import RecordedWaiver, read_waivers
from portalops.signatures.sshsig import fingerprint

BodyT = TypeVar("BodyT")


def read_proof(
    ledger: LedgerAsOf,
    figures: Figures,
    faults: tuple[Fault, ...],
    *,
    ledger_id: str,
    since: datetime,
    unsigned: Message | None,
    has_key: bool,
    own_run: str,
) -> Proof:
    """Read everything that a report says of its own proof.

    Args:
        ledger: up to the last record that the report rests on.
        figures: of the report, as of the same record.
        faults: what was found changed.
        ledger_id: as the first record names it.
        since: when the report's period began.
        unsigned: why no new head could be signed.
        has_key: a signing key is configured.
        own_run: the run that makes the report; empty for one by hand.

    Raises:
        LedgerError: the ledger cannot be read at all.
    """
    reader = _Reader(ledger)
    signers = reader.signers()
    proven = tuple(reader.heads(signers, since))
    head = proven[-1] if proven else reader.newest_head(signers)
    ownership = read_ownership(ledger.ledger)
    return Proof(
        ledger_range=_range(ledger, ledger_id),
        figures=figures,
        head=head,
        faults=faults,
        uncovered=_uncovered(ledger, head) if head else 0,
        unsigned=unsigned,
        has_key=has_key,
        own_run=own_run,
        heads=proven,
        receipts=reader.receipts(since),
        signers=signers,
        sign_offs=tuple(
            RecordedSignOff(each.seq, each.at, each.body) for each in reader.parts(SIGN_OFF, "sign_off", SignOff, since)
        ),
        waivers=reader.waivers(),
        erasures=tuple(fold_erasures(reader.erasures()).values()),
        exports=tuple(reader.exports(since)),
        claimed_from=ownership.begin,
        recorded=tuple(_recorded(ownership, ledger.seq)),
        set_aside=tuple(each for each in sorted(numbers_set_aside(ledger.ledger.whole)) if each <= ledger.seq),
        unreadable=tuple(sorted(reader.unreadable.values(), key=lambda each: each.seq)),
    )


class _Reader:
    """Reads details, and collects the records whose details cannot be read."""

    def __init__(self, ledger: LedgerAsOf) -> None:
        self.ledger = ledger
        self.unreadable: dict[int, UnreadableRecord] = {}

    def signers(self) -> tuple[Signer, ...]:
        try:
            return read_signers(self.ledger.ledger)
        except LedgerError as error:
            self._cannot_read(self.ledger.seq, "key", error)
            return ()

    def heads(self, signers: tuple[Signer, ...], since: datetime) -> Iterator[ProvenHead]:
        """Yield the heads recorded since a moment, oldest first."""
        originals = self._originals()
        for record in self.ledger.records(kinds=(HEAD,), since=since):
            found = self._head(record, signers)
            if found is not None and found.seq in originals:
                yield found

    def newest_head(self, signers: tuple[Signer, ...]) -> ProvenHead | None:
        originals = self._originals()
        for record in self.ledger.records(kinds=(HEAD,), newest_first=True):
            found = self._head(record, signers)
            if found is None or found.seq in originals:
                return found
        return None

    def _originals(self) -> frozenset[int]:
        """Return the numbers of the heads that are no copies."""
        return frozenset(each.seq for each in heads(self.ledger.ledger))

    def receipts(self, since: datetime) -> tuple[Recorded[AnchorReceipt], ...]:
        """Return what anchors answered since a moment, and the newest head taken before it, oldest first."""
        found: list[Recorded[AnchorReceipt]] = []
        for record in self.ledger.records(kinds=(ANCHOR_FINISHED, ANCHOR_RECEIVED), newest_first=True):
            answered = [Recorded(record.seq, record.at, record.run, one) for one in self._answers(record)]
            if record.at >= since:
                found += answered
                continue
            taken = [each for each in answered if not each.body.problem]
            if taken:
                found += taken
                break
        return tuple(without_repeats(reversed(found)))

    def parts(
        self, kind: str, key: str, body_type: type[BodyT], since: datetime | None = None
    ) -> Iterator[Recorded[BodyT]]:
        """Yield one part of each body of a kind, oldest first."""
        for record in self.ledger.records(kinds=(kind,), since=since):
            body = self._part(record, key, body_type)
            if body is not None:
                yield Recorded(record.seq, record.at, record.run, body)

    def erasures(self) -> list[RecordedErasure]:
        """Return the erasures that count, oldest first."""
        found: list[RecordedErasure] = []
        for record in heeded(self.ledger.ledger, self.ledger).records(kinds=(ERASED,)):
            body = self._part(record, "erased", Erasure)
            if body is not None:
                found.append(RecordedErasure(record.seq, record.at, body))
        kept = read_kept(self.ledger.ledger, found)
        return [each for each in found if not names_kept(each, kept)]

    def exports(self, since: datetime) -> Iterator[RecordedExport]:
        """Yield the bundles exported since a moment, oldest first."""
        for record in self.ledger.records(kinds=(EXPORT,), since=since):
            export = self._part(record, EXPORT, Export)
            if export is not None:
                by = self._part(record, "circumstances", Exporter)
                yield RecordedExport(record.seq, record.at, export, by)

    def waivers(self) -> tuple[RecordedWaiver, ...]:
        read = read_waivers(self.ledger)
        for seq, error in read.unreadable:
            self._cannot_read(seq, "waiver", error)
        return read.waivers

    def _answers(self, record: Record) -> tuple[AnchorReceipt, ...]:
        if record.kind == ANCHOR_RECEIVED:
            one = self._part(record, RECEIPT, AnchorReceipt)
            return (one,) if one else ()
        result = self._part(record, ANCHOR, AnchorResult)
        return result.receipts if result else ()

    def _part(self, record: Record, key: str, body_type: type[BodyT]) -> BodyT | None:
        try:
            return decode_part(self.ledger.blob(record.body), key, body_type)
        except PortalOpsError as error:
            self._cannot_read(record.seq, record.kind, error)
            return None

    def _head(self, record: Record, signers: tuple[Signer, ...]) -> ProvenHead | None:
        try:
            held = read_held_head(HeldRecord(record.seq, record.at, record.kind, self.ledger.blob(record.body)))
        except PortalOpsError as error:
            self._cannot_read(record.seq, record.kind, error)
            return None
        if held.head is None or held.signed is None:
            nothing = held.problem or msg("record {seq} is of kind head but holds no head", seq=record.seq)
            self.unreadable[record.seq] = UnreadableRecord(record.seq, record.kind, nothing, damaged=True)
            return None
        problem = held.problem
        over = self.ledger.record(held.head.size)
        if problem is None and signer_at(signers, held.public_key, held.seq, held.head.at) is None:
            key = fingerprint(held.public_key)
            problem = msg("the key {key} was not the ledger's when it signed the head", key=key)
        if problem is None and (over is None or line_digest(over.line) != held.head.digest):
            problem = msg("record {seq} is not the record that the head signed", seq=held.head.size)
        return ProvenHead(record.seq, held.head, held.signed, held.text_digest, held.public_key, problem)

    def _cannot_read(self, seq: int, kind: str, error: PortalOpsError) -> None:
        self.unreadable[seq] = UnreadableRecord(seq, kind, error.message, isinstance(error, IntegrityError))


def _recorded(ownership: Ownership, last: int) -> Iterator[RecordedRange]:
    for each in ownership.claimed:
        if each.first <= last:
            writer = ownership.writer_of(each)
            yield RecordedRange(each.first, min(each.last, last), writer.name, writer.public_key)


def _range(ledger: LedgerAsOf, ledger_id: str) -> LedgerRange | None:
    first, last = ledger.first(), ledger.last()
    if first is None or last is None:
        return None
    return LedgerRange(
        ledger=ledger_id,
        first_seq=first.seq,
        first_at=first.at,
        last_seq=last.seq,
        last_at=last.at,
        count=ledger.count(),
        last_line_sha256=line_digest(last.line),
    )


def _uncovered(ledger: LedgerAsOf, head: ProvenHead) -> int:
    """Count the records that a head is not over, heads themselves apart."""
    count = 0
    for record in ledger.records(newest_first=True):
        if record.seq <= head.head.size:
            break
        count += record.kind not in UNCOVERED_KINDS
    return count
