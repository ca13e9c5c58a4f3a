"""Claims: which records each machine or person stands for, signed with its own key; pure.

    portalops-claim 1
    ledger 5f0c...            the ledger's id
    range 12 15 9f3a...       the first and the last record, and SHA-256 of the line of the last

    portalops-writer 1
    ledger 5f0c...
    state added               or: ended
    key ssh-ed25519 AAAA...   the writer's
    name web1
    authority all             or: records

A command ends with one `claim` record over what it appended. The writer of a claim was enrolled before by a `writer.added` record, which
a key of the ledger signs. From the first such record on, somebody must claim each record within an hour, by the time of the newest
record (docs/ledger-format.md, Claims). Records that are signed themselves need no claim.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from pathlib import Path

from portalops import bodies
from portalops.errors import LedgerError
from portalops.ledger.chain import Faults
from portalops.ledger.check_heads import HeldRecord, Noted
from portalops.ledger.ledger import MOVED
from portalops.ledger.record import parse_at
from portalops.ledger.signature_checks import FoundSigner, SignatureChecks, SignedBytes, check_signature
from portalops.model.heads import Signer
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.text import format_at, show_text
from portalops.model.values import dataclass
from portalops.model.writers import (
    Authority,
    ClaimByHand,
    Claimed,
    ClaimNote,
    LineRange,
    Writer,
    WriterClaim,
    WriterEvent,
    WriterState,
)
from portalops.registers.erasures import ERASED
from portalops.registers.plans import PLAN
from portalops.registers.writers import CLAIM, SELF_SIGNED
from portalops.signatures.sshsig import fingerprint, public_key_of

CLAIM_NAMESPACE = "portalops-claim"
"""The purpose that claims are signed for, by a writer's key."""

WRITER_NAMESPACE = "portalops-writer"
"""The purpose that writer records are signed for, by a key of the ledger."""

KEY = Path("keys") / "writer"
"""Where a machine's own key lies in its state folder."""

GRACE = timedelta(hours=1)
"""How long a record may stand without a claim: a command that works on claims what it has after a third of it."""

MAX_RANGES = 1000
"""Of one claim."""

AUTHORITY_KINDS = frozenset({PLAN, ERASED, MOVED})
"""Kinds that only a writer with authority `all` may record."""


def text_of_claim(claim: WriterClaim) -> str:
    """Return the lines that a writer signs."""
    ranges = "".join(f"range {each.first} {each.last} {each.digest}\n" for each in claim.ranges)
    return f"portalops-claim 1\nledger {claim.ledger}\n{ranges}"


def parse_claim(text: str) -> WriterClaim | None:
    """Read them; None if `text_of_claim` would not have written the text."""
    found = _CLAIM.fullmatch(text)
    if found is None:
        return None
    ranges = tuple(
        LineRange(int(first), int(last), Digest(digest)) for first, last, digest in _RANGE.findall(found.group(2))
    )
    before = 0
    for each in ranges:
        if not before < each.first <= each.last:
            return None
        before = each.last
    return WriterClaim(found.group(1), ranges) if len(ranges) <= MAX_RANGES else None


def text_of_writer(event: WriterEvent) -> str:
    """Return the six lines that a key of the ledger signs."""
    return (
        f"portalops-writer 1\nledger {event.ledger}\nstate {event.state}\nkey {event.public_key}\n"
        f"name {event.name}\nauthority {event.authority}\n"
    )


def parse_writer(text: str) -> WriterEvent | None:
    """Read them; None if `text_of_writer` would not have written the text, or the key is none."""
    found = _WRITER.fullmatch(text)
    try:
        if found is None or public_key_of(found.group(3)) != found.group(3):
            return None
    except ValueError:
        return None
    ledger, state, key, name, authority = found.groups()
    return WriterEvent(ledger, WriterState(state), key, name, Authority(authority))


def is_writer_name(name: str) -> bool:
    """Say whether a machine or person can be called so."""
    return _NAME.fullmatch(name) is not None


def writer_name(host: str) -> str:
    """Return what a machine is called in writer records, by its own name for itself."""
    return re.sub(r"[^A-Za-z0-9._@-]", "-", host).lstrip("-._@")[:100] or "machine"


@dataclass(frozen=True, slots=True)
class SignedText:
    """A signed text of a record's details, read: all that can be known of it without other records."""

    seq: int
    at: datetime
    """Of the record."""
    kind: str
    text: str
    public_key: str
    """The signer's; empty if there is no valid signature."""
    problem: Message | None
    """Why there is none."""
    is_there: bool
    """The details can be read; where they cannot, that is named elsewhere."""
    by_hand: ClaimNote | None = None
    """Who had a claim made, and why; None if a command made it of its own records."""
    claim: WriterClaim | None = None
    """What the text of a claim says; None if it is no such text."""


def read_signed(held: HeldRecord) -> SignedText:
    """Read a claim or a writer record and check its signature; whether its signer counts is decided elsewhere."""
    text, asked = read_text(held)
    return signed_by(text, check_signature(asked)) if asked else text


def read_text(held: HeldRecord) -> tuple[SignedText, SignedBytes | None]:
    """Read a claim or a writer record, and return what is to be checked of its signature; None if it holds no text."""
    is_claim = held.kind == CLAIM
    part = bodies.part_of(held.blob or b"", "claim" if is_claim else "writer")
    text, signature = part.get("text"), part.get("signature")
    if not isinstance(text, str) or not isinstance(signature, str):
        return SignedText(held.seq, held.at, held.kind, "", "", None, held.blob is not None), None
    by_hand = read_hand(held.blob or b"")
    data, namespace = text.encode("utf-8", "surrogatepass"), CLAIM_NAMESPACE if is_claim else WRITER_NAMESPACE
    claim = parse_claim(text) if is_claim else None
    unchecked = SignedText(held.seq, held.at, held.kind, text, "", None, held.blob is not None, by_hand, claim)
    return unchecked, SignedBytes(data, signature, namespace)


def signed_by(text: SignedText, found: FoundSigner) -> SignedText:
    """Return a text with what came of the check of its signature."""
    signer = found.public_key, found.problem
    return SignedText(text.seq, text.at, text.kind, text.text, *signer, text.is_there, text.by_hand, text.claim)


class SignedTexts:
    """Claims and writer records whose signatures are checked beside other work."""

    def __init__(self, checks: SignatureChecks) -> None:
        self._checks = checks
        self.unchecked: list[SignedText] = []
        """All of them, before it is known who signed which."""
        self._asked: list[int] = []

    def take(self, held: HeldRecord) -> None:
        """Read one more."""
        text, asked = read_text(held)
        self.unchecked.append(text)
        if asked is not None:
            self._asked.append(len(self.unchecked) - 1)
            self._checks.ask(asked)

    def checked(self) -> list[SignedText]:
        """Return all of them with their signers, in order."""
        texts = list(self.unchecked)
        for place, found in zip(self._asked, self._checks.answers(), strict=True):
            texts[place] = signed_by(texts[place], found)
        return texts


def read_hand(blob: bytes) -> ClaimNote | None:
    """Return who had records claimed by hand, and why; None of the details of any other record."""
    if b'"reason"' not in blob:  # a claim that a command made, as nearly all are, is not read twice
        return None
    try:
        said = bodies.read(blob)
    except LedgerError:
        return None
    reason, around = said.get("reason"), said.get("circumstances")
    if not isinstance(reason, str):
        return None
    if not isinstance(around, dict):
        return ClaimNote("", show_text(reason, 400))
    login = around.get("sudo_user") or around.get("login_user_id")
    person = around.get("user_id") if login is None else login
    return ClaimNote(show_text(f"{person} @ {around.get('host')}", 200), show_text(reason, 400))


def wanted(signed: Iterable[SignedText]) -> Iterator[int]:
    """Yield the numbers of the lines whose digests claims speak of."""
    for each in signed:
        for one in each.claim.ranges if each.claim else ():
            yield one.last


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose the records are."""

    writers: tuple[Writer, ...] = ()
    """In the order in which they were enrolled."""
    claimed: Sequence[Claimed] = ()
    """Ascending; none overlaps another."""
    spoken_for: frozenset[int] = frozenset()
    """Numbers of records that are signed themselves and count."""
    by_hand: tuple[ClaimByHand, ...] = ()
    """The claims that persons had made afterwards, oldest first; those of `before` are not among them."""
    unclaimable: tuple[int, ...] = ()
    """Numbers of the records that two persons set aside before the newest claim, ascending: no claim behind that has them."""
    faulted: frozenset[int] = frozenset()
    """Numbers of the claims and writer records of which not all counts, or which change nothing: they can be set aside, whoever claims them."""
    contradicting: Mapping[int, str] = field(default_factory=dict)
    """Numbers of the claims with another digest than the line's, and their writers' keys: set aside behind the end of the writer alone."""

    @property
    def begin(self) -> int | None:
        """The record from which on each is to be claimed; None before any writer is enrolled."""
        return self.writers[0].added_seq if self.writers else None

    def owner(self, seq: int) -> Writer | None:
        """Return who claims a record; None if nobody does."""
        found = self._claimed_range(seq)
        return self.writer_of(found) if found else None

    def is_claimed_before(self, seq: int, limit: int) -> bool:
        """Say whether a claim that stands before another record holds a record."""
        found = self._claimed_range(seq)
        return found is not None and found.claim_seq < limit

    def _claimed_range(self, seq: int) -> Claimed | None:
        found = bisect_right(self.claimed, seq, key=lambda each: each.first) - 1
        return self.claimed[found] if found >= 0 and seq <= self.claimed[found].last else None

    def is_ended_contradiction(self, seq: int, limit: int) -> bool:
        """Say whether a claim has another digest than the line's, and its writer was ended before a record."""
        ended = self.writer(self.contradicting[seq]).ended_seq if seq in self.contradicting else None
        return ended is not None and ended < limit

    def is_of_ended(self, seq: int, limit: int) -> bool:
        """Say whether the writer that claims a record was ended before another record."""
        owner = self.owner(seq)
        return owner is not None and owner.ended_seq is not None and owner.ended_seq < limit

    def writer_of(self, claimed: Claimed) -> Writer:
        """Return who claims some records."""
        return self.writer(claimed.public_key)

    def writer(self, public_key: str) -> Writer:
        """Return the writer of a key."""
        return next(each for each in self.writers if each.public_key == public_key)

    def has_authority(self, seq: int) -> bool:
        """Say whether a writer with authority `all` stands for a record; before the first writer nobody need."""
        if self.begin is None or seq <= self.begin:
            return True
        owner = self.owner(seq)
        return owner is not None and owner.authority is Authority.ALL

    def gaps(self, records: int) -> Iterator[tuple[int, int]]:
        """Yield first and last of the records that nobody claims, up to a number; those that are signed themselves are in no gap's end."""
        if self.begin is None:
            return
        after = self.begin
        for first, last in [*((each.first, each.last) for each in self.claimed), (records + 1, records + 1)]:
            low, high = after + 1, min(first - 1, records)
            while low <= high and low in self.spoken_for:
                low += 1
            while low <= high and high in self.spoken_for:
                high -= 1
            if low <= high:
                yield low, high
            after = max(after, last)

    def speaking_for(self, numbers: Iterable[int]) -> Ownership:
        """Return the same, with more records that are signed themselves and count."""
        return replace(self, spoken_for=self.spoken_for.union(numbers))

    def merged(self) -> tuple[Claimed, ...]:
        """Return the claimed records as few ranges: what lies between two of one writer is signed by itself."""
        merged: list[Claimed] = []
        for each in self.claimed:
            before = merged[-1] if merged else None
            if (
                before is not None
                and before.public_key == each.public_key
                and all(seq in self.spoken_for for seq in range(before.last + 1, each.first))
            ):
                merged[-1] = Claimed(before.first, each.last, each.public_key)
            else:
                merged.append(each)
        return tuple(merged)


@dataclass(frozen=True, slots=True)
class SettingAside:
    """A quarantine that a key of the ledger signed."""

    seq: int
    """Of its record."""
    first: int
    last: int
    counts: Callable[[Ownership], bool]
    """Says whether it counts, given whose the records before it are."""


def check_claims(
    signed: Sequence[SignedText],
    signers: Sequence[Signer],
    noted: Noted,
    faults: Faults,
    *,
    ledger: str,
    spoken_for: Collection[int] = (),
    before: Ownership | None = None,
    settings_aside: Iterable[SettingAside] = (),
) -> Ownership:
    """Find out whose the records are, and name claims and writer records that count for nothing.

    Args:
        signed: the claims and the writer records, oldest first.
        signers: the ledger's keys.
        noted: digest and time of each line that `wanted` asks for, as far as it is there.
        faults: receives what does not hold.
        ledger: its id; empty if that cannot be read, and then it is not compared.
        spoken_for: numbers of the heads that hold.
        before: whose the records are by all before the first of `signed`.
        settings_aside: the quarantines, oldest first: a claim behind one that counts has nothing of what it sets aside.
    """
    fold = _Fold(ledger, signers, noted, faults)
    if before is not None:
        fold.writers = {each.public_key: each for each in before.writers}
        fold.claimed = list(before.claimed)
        fold.unclaimable = list(before.unclaimable)
        fold.faulted, fold.contradicting = set(before.faulted), dict(before.contradicting)
    waiting = deque(settings_aside)
    for each in signed:
        while waiting and waiting[0].seq < each.seq:
            fold.take_quarantine(waiting.popleft())
        if not each.is_there:
            continue
        if each.kind == CLAIM:
            fold.take_claim(each)
        else:
            fold.take_writer(each)
    counted = frozenset(spoken_for).union(fold.heeded)
    by_hand, unclaimable = tuple(fold.by_hand), tuple(fold.unclaimable)
    return replace(fold.ownership(), spoken_for=counted, by_hand=by_hand, unclaimable=unclaimable)


def find_key_flaw(public_key: str, seq: int, at: datetime, signers: Sequence[Signer]) -> Message | None:
    """Return why a key may not name writers, or set aside, in a record; None if it may. Whoever may append can add keys too.

    Args:
        public_key: of who signed.
        seq: the record's number.
        at: its time.
        signers: the ledger's keys.
    """
    signer = next((each for each in signers if each.public_key == public_key), None)
    if signer is None or not signer.signs(seq, at):
        return msg("it is not signed by a key of the ledger")
    if not signer.is_known and (signer.vouched_seq is None or signer.vouched_seq >= seq):
        return msg("it is signed by key {key}, which nobody confirmed", key=fingerprint(public_key))
    return None


def check_unclaimed(ages: Iterable[tuple[int, str, str]], last_at: str) -> tuple[tuple[int, int], ...]:
    """Return first and last of each row of records that nobody claimed in time. They are no fault: nothing was changed.

    Args:
        ages: number, time and kind of the records in the gaps, ascending; records that are signed themselves are passed over.
        last_at: the time of the ledger's newest record.
    """
    limit = claim_limit(last_at)
    rows: list[tuple[int, int]] = []
    for seq, at, kind in ages:
        if kind in SELF_SIGNED or at >= limit:
            continue
        if rows and rows[-1][1] == seq - 1:
            rows[-1] = rows[-1][0], seq
        else:
            rows.append((seq, seq))
    return tuple(rows)


def check_authority(ownership: Ownership, records: Iterable[tuple[int, str]], faults: Faults) -> tuple[int, ...]:
    """Name plans and erasures by a writer that may record none; return the numbers of what counts for nothing, unclaimed erasures too.

    Args:
        ownership: whose the records are.
        records: number and kind of the records of `AUTHORITY_KINDS`.
        faults: receives them.
    """
    found: list[int] = []
    for seq, kind in records:
        if ownership.has_authority(seq):
            continue
        owner = ownership.owner(seq)
        if owner is not None or kind == ERASED:  # what is gone is gone: no hour of grace, as a plan has
            found.append(seq)
        if owner is not None:
            faults.add(seq, msg("record {seq}: {name} may not record {kind}", seq=seq, name=owner.name, kind=kind))
    return tuple(found)


def is_unheeded(seq: int, refused: Collection[int], unclaimed: Iterable[tuple[int, int]]) -> bool:
    """Say whether a plan or an erasure counts for nothing, since it was named: by its authority, or as claimed by nobody in time."""
    return seq in refused or any(first <= seq <= last for first, last in unclaimed)


def claim_limit(last_at: str) -> str:
    """Return the time before which a record must have been claimed, as text that compares like moments; empty without a record."""
    return format_at(parse_at(last_at) - GRACE) if last_at else ""


@dataclass(slots=True)
class _Fold:
    ledger: str
    signers: Sequence[Signer]
    noted: Noted
    faults: Faults
    writers: dict[str, Writer] = field(default_factory=dict)
    claimed: list[Claimed] = field(default_factory=list)
    by_hand: list[ClaimByHand] = field(default_factory=list)
    heeded: set[int] = field(default_factory=set)
    """Numbers of the claims and writer records that count."""
    held_up_to: int = 0
    """The last record whose line a writer's claim bears out."""
    unclaimable: list[int] = field(default_factory=list)
    """Numbers of the records that are set aside so far, ascending."""
    faulted: set[int] = field(default_factory=set)
    contradicting: dict[int, str] = field(default_factory=dict)

    def ownership(self) -> Ownership:
        """Return whose the records are so far."""
        return Ownership(
            tuple(self.writers.values()),
            tuple(self.claimed),
            faulted=frozenset(self.faulted),
            contradicting=dict(self.contradicting),
        )

    def take_quarantine(self, each: SettingAside) -> None:
        numbers = set(range(each.first, each.last + 1)).difference(self.unclaimable)
        if numbers and each.counts(self.ownership()):
            self.unclaimable = sorted(numbers.union(self.unclaimable))

    def take_writer(self, each: SignedText) -> None:
        event = parse_writer(each.text)
        if event is None or event.state != each.kind.rpartition(".")[2]:
            self._refuse(each, msg("it names no writer"))
        elif each.problem is not None:
            self._refuse(each, each.problem)
        elif self.ledger and event.ledger != self.ledger:
            self._refuse(each, msg("it belongs to another ledger"))
        elif (flaw := find_key_flaw(each.public_key, each.seq, each.at, self.signers)) is not None:
            self._refuse(each, flaw)
        elif event.state is WriterState.ADDED and any(
            known.name == event.name and known.ended_seq is None and known.public_key != event.public_key
            for known in self.writers.values()
        ):
            self._refuse(each, msg("another writer is called {name}", name=event.name))
        elif event.state is WriterState.ADDED and event.public_key not in self.writers:
            self.heeded.add(each.seq)
            self.writers[event.public_key] = Writer(event.public_key, event.name, event.authority, each.seq, None)
        elif (
            event.state is WriterState.ENDED
            and (known := self.writers.get(event.public_key)) is not None
            and known.ended_seq is None
        ):
            ended = Writer(known.public_key, known.name, known.authority, known.added_seq, each.seq)
            self.writers[event.public_key] = ended
            self.heeded.add(each.seq)
        else:
            self.faulted.add(each.seq)  # no fault, as it changes nothing: it may be another record's text again

    def take_claim(self, each: SignedText) -> None:
        claim = each.claim
        writer = self.writers.get(each.public_key)
        if claim is None:
            self._refuse(each, msg("it names no records"))
        elif each.problem is not None:
            self._refuse(each, each.problem)
        elif self.ledger and claim.ledger != self.ledger:
            self._refuse(each, msg("it belongs to another ledger"))
        elif writer is None or not writer.is_enrolled_at(each.seq):
            key = fingerprint(each.public_key)
            self._refuse(each, msg("key {key} is not enrolled", key=key))
        elif claim.ranges[-1].last >= each.seq:
            self._refuse(each, msg("it names records that did not exist"))
        elif self._fits(claim, each, writer):
            self._take_ranges(claim, each)

    def _fits(self, claim: WriterClaim, signed: SignedText, writer: Writer) -> bool:
        """Compare a claim with the lines; what an enrolled writer says of its own records is evidence, as a head is."""
        for each in claim.ranges:
            line = self.noted.get(each.last)
            if line is not None and line[0] == each.digest:
                continue
            self.contradicting[signed.seq] = writer.public_key
            if not self._is_own(each.last, writer):
                self._refuse(signed, msg("record {last} is another one than it names", last=str(each.last)))
                return False
            first = min(self.held_up_to + 1, each.last)
            what = msg(
                "record {last} is not the record that the claim in record {seq} signed: records from {first} on "
                "were rewritten later",
                last=str(each.last),
                seq=signed.seq,
                first=str(first),
            )
            self.faults.add_excusable(signed.seq, what, at=first)
            return False
        self.held_up_to = max(self.held_up_to, claim.ranges[-1].last)
        return True

    def _is_own(self, seq: int, writer: Writer) -> bool:
        """Say whether a writer may speak of a record: no other one claims it, and none but the first was there before its enrolment."""
        found = bisect_right(self.claimed, seq, key=lambda known: known.first) - 1
        taken = self.claimed[found] if found >= 0 and seq <= self.claimed[found].last else None
        is_first = writer.public_key == next(iter(self.writers))
        return (taken is None or taken.public_key == writer.public_key) and (is_first or seq > writer.added_seq)

    def _take_ranges(self, claim: WriterClaim, each: SignedText) -> None:
        left = tuple(free for one in claim.ranges for part in self._free_of(one) for free in self._not_aside(part))
        if not left:
            self._refuse(each, msg("its records were claimed or set aside before"))
            return
        self.heeded.add(each.seq)
        if left != claim.ranges:
            self._name_rival(each)
        if each.by_hand is not None:
            self.by_hand.append(ClaimByHand(each.seq, left, each.public_key, each.by_hand))
        for one in left:
            place = bisect_right(self.claimed, one.first, key=lambda known: known.first)
            self.claimed.insert(place, Claimed(one.first, one.last, each.public_key, each.seq))

    def _free_of(self, each: LineRange) -> Iterator[LineRange]:
        """Yield the parts of a range that no earlier claim has."""
        first = each.first
        place = max(bisect_right(self.claimed, first, key=lambda known: known.first) - 1, 0)
        while place < len(self.claimed) and self.claimed[place].first <= each.last:
            taken = self.claimed[place]
            if first < taken.first:
                yield LineRange(first, taken.first - 1, each.digest)
            first = max(first, taken.last + 1)
            place += 1
        if first <= each.last:
            yield LineRange(first, each.last, each.digest)

    def _not_aside(self, each: LineRange) -> Iterator[LineRange]:
        """Yield the parts of a range that two persons have not set aside."""
        first = each.first
        begin, end = bisect_left(self.unclaimable, each.first), bisect_right(self.unclaimable, each.last)
        for seq in self.unclaimable[begin:end]:
            if first < seq:
                yield LineRange(first, seq - 1, each.digest)
            first = seq + 1
        if first <= each.last:
            yield LineRange(first, each.last, each.digest)

    def _name_rival(self, each: SignedText) -> None:
        what = msg(
            "of the records that the claim in record {seq} names, some were claimed or set aside before", seq=each.seq
        )
        self.faulted.add(each.seq)
        self.faults.add_excusable(each.seq, what)

    def _refuse(self, each: SignedText, why: Message) -> None:
        what = (
            msg("the claim in record {seq} counts for nothing: {why}", seq=each.seq, why=why)
            if each.kind == CLAIM
            else msg("the writer in record {seq} counts for nothing: {why}", seq=each.seq, why=why)
        )
        self.faulted.add(each.seq)
        self.faults.add_excusable(each.seq, what)


_LEDGER = "ledger ([0-9a-f]{32})\n"
_RANGE = re.compile(r"range ([1-9][0-9]{0,17}) ([1-9][0-9]{0,17}) ([0-9a-f]{64})\n")
_CLAIM = re.compile(rf"portalops-claim 1\n{_LEDGER}((?:{_RANGE.pattern.replace('(', '(?:')})+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
_WRITER = re.compile(
    rf"portalops-writer 1\n{_LEDGER}state (added|ended)\nkey ([a-z0-9@.-]+ [A-Za-z0-9+/=]+)\n"
    rf"name ({_NAME.pattern})\nauthority (all|records)\n"
)
