"""Whose the records of a watched ledger are, as far as a witness needs it: who may write, and what nobody claims. Pure.

A witness holds the records between two heads and the details of claims, not the whole ledger. So it names what nobody claimed in
time, and claims and writers that count for nothing by a key, an id or a digest; all else is left to `ledger verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise

from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.claims import GRACE, SignedText, parse_claim, parse_writer, read_signed
from portalops.ledger.quarantines import read_quarantine
from portalops.model.message import Message, msg
from portalops.model.record import Digest, Record
from portalops.model.values import dataclass
from portalops.model.writers import Writer, WriterClaim, WriterEvent, WriterState
from portalops.registers.writers import CLAIM, CLAIM_KINDS, QUARANTINED, SELF_SIGNED
from portalops.signatures.sshsig import fingerprint

CLAIM_DETAILS = frozenset({*CLAIM_KINDS, QUARANTINED})
"""Kinds whose details an extension carries where they can be read."""

MAX_OPEN = 5000
"""Records without a claim that a witness remembers: a stranger who appends without end fills no disk of it."""

MAX_NAMED = 20
"""What counts for nothing and is named after one poll."""


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """A record that no claim holds yet."""

    seq: int
    at: datetime
    digest: Digest
    """SHA-256 of its line."""


@dataclass(frozen=True, slots=True)
class ClaimState:
    """What a witness knows of a ledger's claims; it begins with the ledger's first record."""

    writers: tuple[Writer, ...] = ()
    """In the order in which they were enrolled."""
    open: tuple[OpenRecord, ...] = ()
    """Ascending."""
    is_cut: bool = False
    """More than `MAX_OPEN` were open at once: of those beyond nothing is known."""

    def late(self, head_at: datetime) -> tuple[tuple[int, int], ...]:
        """Return first and last of each row of records that nobody claimed within the hour before a head."""
        numbers = [each.seq for each in self.open if each.at < head_at - GRACE]
        if not numbers:
            return ()
        ends = [(before, after) for before, after in pairwise(numbers) if after != before + 1]
        firsts, lasts = (numbers[0], *(after for _, after in ends)), (*(before for before, _ in ends), numbers[-1])
        return tuple(zip(firsts, lasts, strict=True))


class ClaimFold:
    """Takes the records of an extension in order; nothing of it is believed before their head is accepted."""

    def __init__(self, before: ClaimState) -> None:
        self._writers = {each.public_key: each for each in before.writers}
        self._open = {each.seq: each for each in before.open}
        self._is_cut = before.is_cut
        self.void: list[Message] = []
        """What counts for nothing, with its reason; at most `MAX_NAMED`."""

    @property
    def state(self) -> ClaimState:
        """What is known now."""
        return ClaimState(tuple(self._writers.values()), tuple(self._open.values()), self._is_cut)

    def take(
        self, record: Record, digest: Digest, blob: bytes | None, *, ledger: str, signs: Callable[[str], bool]
    ) -> None:
        """Take the next record.

        Args:
            record: joined to those before.
            digest: of its line.
            blob: its details, if they came; those of claims, writers and quarantines are looked at.
            ledger: the ledger's id; empty where it is not known yet.
            signs: says whether a key is a known one of the ledger that is not retired.
        """
        if record.kind not in SELF_SIGNED:
            if self._writers and len(self._open) < MAX_OPEN:
                self._open[record.seq] = OpenRecord(record.seq, record.at, digest)
            elif self._writers:
                self._is_cut = True
        elif record.kind in CLAIM_DETAILS and blob is not None:
            held = HeldRecord(record.seq, record.at, record.kind, blob)
            if record.kind == QUARANTINED:
                self._set_aside(held, ledger, signs)
            elif record.kind == CLAIM:
                self._take_claim(read_signed(held), ledger)
            else:
                self._take_writer(read_signed(held), ledger, signs)

    def _take_writer(self, signed: SignedText, ledger: str, signs: Callable[[str], bool]) -> None:
        event = parse_writer(signed.text)
        if event is None or event.state != signed.kind.rpartition(".")[2]:
            why: Message | None = msg("it names no writer")
        elif signed.problem is not None:
            why = signed.problem
        elif ledger and event.ledger != ledger:
            why = msg("it belongs to another ledger")
        elif not signs(signed.public_key):
            why = msg("it is signed by key {key}, which nobody confirmed", key=fingerprint(signed.public_key))
        else:
            why = self._flaw_of(event)
        if why is not None:
            self._name(msg("the writer in record {seq} counts for nothing: {why}", seq=signed.seq, why=why))
        elif event is not None and event.state is WriterState.ADDED:
            added = Writer(event.public_key, event.name, event.authority, signed.seq, None)
            self._writers.setdefault(event.public_key, added)
        elif event is not None and (known := self._writers.get(event.public_key)) is not None:
            ended = known.ended_seq or signed.seq
            self._writers[known.public_key] = Writer(
                known.public_key, known.name, known.authority, known.added_seq, ended
            )

    def _flaw_of(self, event: WriterEvent) -> Message | None:
        others = (each for each in self._writers.values() if each.public_key != event.public_key)
        is_taken = any(each.name == event.name and each.ended_seq is None for each in others)
        if event.state is WriterState.ADDED and is_taken:
            return msg("another writer is called {name}", name=event.name)
        return None

    def _take_claim(self, signed: SignedText, ledger: str) -> None:
        claim, writer = parse_claim(signed.text), self._writers.get(signed.public_key)
        if claim is None:
            why: Message | None = msg("it names no records")
        elif signed.problem is not None:
            why = signed.problem
        elif ledger and claim.ledger != ledger:
            why = msg("it belongs to another ledger")
        elif writer is None or not writer.is_enrolled_at(signed.seq):
            why = msg("key {key} is not enrolled", key=fingerprint(signed.public_key))
        elif claim.ranges[-1].last >= signed.seq:
            why = msg("it names records that did not exist")
        else:
            why = self._differing(claim)
            if why is None:
                self._close(claim)
        if why is not None:
            self._name(msg("the claim in record {seq} counts for nothing: {why}", seq=signed.seq, why=why))

    def _differing(self, claim: WriterClaim) -> Message | None:
        """Compare a claim with the lines that are open: the last of a range, as a command leaves it, is among them."""
        for each in claim.ranges:
            line = self._open.get(each.last)
            if line is not None and line.digest != each.digest:
                return msg("record {last} is another one than it names", last=str(each.last))
        return None

    def _close(self, claim: WriterClaim) -> None:
        for each in claim.ranges:
            for seq in self._open_numbers(each.first, each.last):
                del self._open[seq]

    def _set_aside(self, held: HeldRecord, ledger: str, signs: Callable[[str], bool]) -> None:
        read = read_quarantine(held)
        said, (own, second) = read.quarantine, read.signers
        if said is None or read.problem is not None or said.ledger != ledger or not signs(own):
            return  # `ledger verify` says why it counts for nothing
        line = self._open.get(said.last)
        if second != said.public_key or signs(second) or second in self._writers:
            return
        if line is not None and line.digest == said.digest:
            for seq in self._open_numbers(said.first, said.last):
                del self._open[seq]

    def _open_numbers(self, first: int, last: int) -> Iterator[int]:
        """Yield the open records of a range; a claim may name a billion."""
        if last - first < len(self._open):
            yield from [seq for seq in range(first, last + 1) if seq in self._open]
        else:
            yield from [seq for seq in self._open if first <= seq <= last]

    def _name(self, what: Message) -> None:
        if len(self.void) < MAX_NAMED:
            self.void.append(what)
