"""When a witness takes a head: only if it is signed by a known key and extends the head that is kept. Pure.

The records between the two heads come as the bytes of their lines, in one part or several. Each is
chained to the one before, from the kept head's record to the new head's, and nothing is believed
before the last one joins. The details of key records and of head records come along; they count only
because their SHA-256 stands in a line of that chain.

A new key is taken by itself only if the ledger says that it replaces a known one, and a head by the known one lies
over that record. Any other key is a person's decision (`portalops watch-remote --accept-key`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from portalops import bodies
from portalops.errors import HeadRefused, LedgerError, NotAHead
from portalops.ledger.heads import HEAD, NAMESPACE, head_digest, parse_head
from portalops.ledger.record import CREATED, GENESIS, NotARecord, line_digest, parse
from portalops.model.heads import Head, KeyEvent, SignedHead
from portalops.model.message import Message, msg
from portalops.model.record import Digest, Record
from portalops.model.text import show_text
from portalops.ports import Extension
from portalops.registers.signers import KEY_KINDS, KEY_RETIRED
from portalops.registers.writers import BY_TWO, CLOCK_MENDED
from portalops.signatures.sshsig import BadSignature, fingerprint, verify
from portalops.witness.claims import ClaimFold, ClaimState
from portalops.witness.extensions import NotAnExtension

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the watched host's clock may be ahead of the witness's."""

RECEIVED = "anchor.received"
"""The kind of the record that a witness's own receipt makes."""

NO_WORK = frozenset({HEAD, RECEIVED})
"""Records that watching makes by itself: they are no sign that anything still runs."""

DETAILED_KINDS = frozenset({CREATED, HEAD, *KEY_KINDS})
"""Records whose details an extension carries."""

KEPT_DIGESTS = 1000
"""How far behind its record a head may lie in order to speak for a new key."""


class HeadRefusal(StrEnum):
    """Why a head was refused."""

    SIGNATURE = "signature"
    """Not signed, or not for this purpose."""
    UNKNOWN_KEY = "unknown-key"
    """Signed by a key that nothing known speaks for."""
    OTHER_LEDGER = "other-ledger"
    ROLL_BACK = "roll-back"
    """Fewer records than before."""
    FORK = "fork"
    """Another record, or another head, at the same place."""
    REWRITTEN = "rewritten"
    """The records do not join the kept head to the new one."""
    TIME = "time"
    """In the future, or before the kept one."""
    DAMAGED = "damaged"
    """The watched side says itself that its ledger does not hold."""


class RefusedHead(HeadRefused):
    """A head that does not extend the kept one, with the reason as a word."""

    def __init__(self, reason: HeadRefusal, message: Message, hint: Message | None = None) -> None:
        super().__init__(message, hint or _KEEP)
        self.reason = reason


class KeyOrigin(StrEnum):
    """Why a key is trusted."""

    CONFIGURED = "configured"
    FIRST_USE = "first-use"
    ROTATED = "rotated"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key whose heads are taken."""

    public_key: str
    how: KeyOrigin
    seq: int = 0
    """The `key.added` record that introduced it; 0 if none was seen."""
    retired_seq: int = 0
    """The `key.retired` record; 0 while it signs. A retired key's heads are not taken any more."""


@dataclass(frozen=True, slots=True)
class KeptHead:
    """The head that a witness holds a ledger to."""

    signed: SignedHead
    record_at: datetime
    """When the record that it ends with was recorded."""

    @property
    def head(self) -> Head:
        """The six lines, read."""
        return parse_head(self.signed.text.encode())


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a witness knows of a ledger."""

    ledger: str = ""
    """Its id; empty before the first head if none is configured."""
    keys: tuple[KnownKey, ...] = ()
    kept: KeptHead | None = None
    passed: Mapping[int, Head] = field(default_factory=dict)
    """Heads larger than the kept one that must lie on the chain, by size: those that came without their records."""
    is_live: bool = True
    """What comes shows what the ledger is now; else it may just be old, unless it was made after what it lacks."""
    accept: str = ""
    """Fingerprint of a key that a person accepts now."""
    claims: ClaimState | None = None
    """What is known of claims; None for a ledger that was kept before witnesses checked them."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A head that extends the kept one."""

    head: Head
    kept: KeptHead
    keys: tuple[KnownKey, ...]
    signer: KnownKey
    records: int
    """How many records came."""
    work: bool
    """Whether any of them is more than what watching makes by itself."""
    claims: ClaimState | None = None
    """As in `Pinned`, after the head."""
    void: tuple[Message, ...] = ()
    """Claims and writers that count for nothing."""


class Joining:
    """Takes the parts of one extension, in order, and says in the end whether the head is accepted."""

    def __init__(self, pinned: Pinned) -> None:
        self._pinned = pinned
        self._kept = pinned.kept
        self._kept_head = pinned.kept.head if pinned.kept else None
        self._keys = {each.public_key: each for each in pinned.keys}
        self._candidates: dict[str, tuple[str, int]] = {}
        """New keys with the key that each replaces, and the record that says so."""
        self._retirements: dict[str, int] = {}
        """Records that retire a key by nobody's word yet: whoever signs the next head says whether they count."""
        self._seq = self._kept_head.size if self._kept_head else 0
        self._digest = self._kept_head.digest if self._kept_head else GENESIS
        self._at = pinned.kept.record_at if pinned.kept else None
        self._digests: dict[int, Digest] = {}
        self._last_head: SignedHead | None = None
        self._named = ""
        """The ledger's id as its first record gives it."""
        self._work = False
        self._records = 0
        known = ClaimState() if pinned.kept is None else pinned.claims
        self._claims = None if known is None else ClaimFold(known)

    @property
    def last_joined(self) -> int:
        """The last record that has joined: the next part begins behind it."""
        return self._seq

    @property
    def kept_head(self) -> Head | None:
        """The head that everything must join."""
        return self._kept_head

    def is_kept(self, signed: SignedHead) -> bool:
        """Look at the head of a part and say whether it is the kept one.

        Raises:
            Refusal: whatever the records are, this head cannot extend the kept one.
        """
        head = parse_head(signed.text.encode())
        _signer_of(signed)
        self._require_ledger(head.ledger)
        if self._kept is None or self._kept_head is None:
            return False
        if head.size < self._kept_head.size:
            raise _rolled_back(self._kept_head.size, head.size)
        if signed.text == self._kept.signed.text:
            self._require_passed(head)
            return True
        if head.size == self._kept_head.size:
            raise RefusedHead(
                HeadRefusal.FORK,
                msg(
                    "another head of the same size {size}: its digest is {found}, but the kept one is {kept}",
                    size=head.size,
                    found=head.digest,
                    kept=self._kept_head.digest,
                )
                if head.digest != self._kept_head.digest
                else msg(
                    "another head over the same record {seq}: the kept head was cut off and made again", seq=head.size
                ),
            )
        return False

    def note(self, signed: SignedHead, *, now: datetime) -> Accepted:
        """Take a head that came without its records: signed by a known key, and to be met once the records come.

        A first answer without records is not trusted: at least one key must be known.

        Raises:
            Refusal: it is not signed by a known key, its time cannot be, or a larger one was made before it.
        """
        head = parse_head(signed.text.encode())
        must = self._pinned.passed.get(head.size)
        if must is not None and must.digest != head.digest:
            raise RefusedHead(
                HeadRefusal.FORK, msg("another head of the same size {size} was received before", size=head.size)
            )
        self._require_passed(head)
        signer = self._require_signer(signed, head)
        self._require_time(head, now)
        kept = KeptHead(signed, head.at)
        is_newest = head.size > max(self._pinned.passed, default=0)  # an older one that comes late is no sign of life
        return Accepted(head, kept, tuple(self._keys.values()), signer, 0, work=is_newest)

    def take(self, part: Extension) -> None:
        """Join the lines of a part to those before.

        Raises:
            Refusal: a line does not join, or its details speak against it.
            NotAnExtension: the part begins too late, or lacks details.
        """
        if part.after > self._seq:
            raise NotAnExtension(f"the lines begin behind record {part.after}, needed are those behind {self._seq}")
        details = {hashlib.sha256(blob).hexdigest(): blob for blob in part.details}
        for line in self._unread_lines(part):
            record = self._joined(line)
            blob = details.get(record.body)
            if self._claims is not None:
                ledger = self._pinned.ledger or self._named
                self._claims.take(record, self._digest, blob, ledger=ledger, signs=self._signs)
            if record.kind in DETAILED_KINDS:
                if blob is None:
                    raise NotAnExtension(f"the details of record {record.seq} are missing")
                self._read_details(record, blob)
            self._work = self._work or record.kind not in NO_WORK
            self._records += 1

    def finish(self, signed: SignedHead, *, now: datetime) -> Accepted:
        """Say whether the head that all parts led to is accepted.

        Args:
            signed: the head of the last part.
            now: by the witness's clock.

        Raises:
            Refusal: it is not.
        """
        head = parse_head(signed.text.encode())
        self._require_end(head)
        signer = self._require_signer(signed, head)
        self._require_time(head, now)
        assert self._at is not None
        kept = KeptHead(signed, self._at)
        claims, void = (self._claims.state, tuple(self._claims.void)) if self._claims else (None, ())
        return Accepted(head, kept, tuple(self._keys.values()), signer, self._records, self._work, claims, void)

    def _unread_lines(self, part: Extension) -> Sequence[bytes]:
        """Return the lines that were not had yet; where the last one that was had comes again, it must be the same."""
        had = self._seq - part.after
        if 0 < had <= len(part.lines) and line_digest(part.lines[had - 1]) != self._digest:
            raise RefusedHead(
                HeadRefusal.FORK, msg("record {seq} is not the record that the kept head signed", seq=self._seq)
            )
        return part.lines[had:]

    def _joined(self, line: bytes) -> Record:
        seq = self._seq + 1
        try:
            record = parse(line)
        except NotARecord as error:
            raise _rewritten(
                msg("record {seq} is not a valid record: {cause}", seq=seq, cause=show_text(str(error)))
            ) from error
        if record.seq != seq or record.prev != self._digest:
            raise _rewritten(msg("record {seq} is not chained to the record before it", seq=seq))
        if (record.kind == CREATED) != (seq == 1):
            raise _rewritten(
                msg(
                    "record {seq} of the kind {kind} is not allowed at this position",
                    seq=seq,
                    kind=show_text(record.kind, 80),
                )
            )
        if self._at is not None and record.at < self._at and not self._may_be_early(record):
            raise _rewritten(msg("record {seq} has an earlier time than the record before it", seq=seq))
        begins_anew = self._at is None or record.kind == CLOCK_MENDED
        self._seq, self._digest = seq, line_digest(line)
        self._at = record.at if begins_anew else max(self._at or record.at, record.at)
        self._digests[seq] = self._digest
        self._digests.pop(seq - KEPT_DIGESTS, None)
        must = self._pinned.passed.get(seq)
        if must is not None and must.digest != self._digest:
            raise RefusedHead(
                HeadRefusal.FORK, msg("record {seq} is not the record that a head in heads/ signed", seq=seq)
            )
        return record

    def _may_be_early(self, record: Record) -> bool:
        """Say whether a record may be before its time: whether two persons signed it is left to verification, but not behind the kept head."""
        kept = self._kept.record_at - CLOCK_TOLERANCE if self._kept is not None else None
        return record.kind in BY_TWO and (kept is None or record.at >= kept)

    def _read_details(self, record: Record, blob: bytes) -> None:
        try:
            match record.kind:
                case "ledger.created":
                    self._read_first(blob)
                case "head":
                    self._read_head(record, bodies.decode_part(blob, HEAD, SignedHead))
                case _:
                    self._read_key(record, bodies.decode_part(blob, "key", KeyEvent))
        except (LedgerError, NotAHead) as error:
            if isinstance(error, RefusedHead):
                raise
            if record.kind != "ledger.created":
                return  # what is no head and no key says nothing; the ledger's own `verify` names it
            raise _rewritten(
                msg("the details of record {seq} do not fit its kind {kind}", seq=record.seq, kind=record.kind)
            ) from error

    def _read_first(self, blob: bytes) -> None:
        self._named = str(bodies.plain(blob).get("ledger"))[:64]

    def _read_head(self, record: Record, signed: SignedHead | None) -> None:
        if signed is None:
            return
        head = parse_head(signed.text.encode())
        try:
            signer = _signer_of(signed)
        except RefusedHead:
            return  # it speaks for nothing; whether the ledger holds as a whole is for `ledger verify`
        if signer not in self._keys and signer not in self._candidates:
            return
        if self._last_head is None and self._kept is not None and signed.text != self._kept.signed.text:
            raise _rewritten(_not_recorded(self._seq))
        self._last_head = signed
        if self._signs(signer) and self._digests.get(head.size) == head.digest and head.size < record.seq:
            self._confirm_retirements(signer)
            self._promote(signer, head.size)

    def _read_key(self, record: Record, event: KeyEvent | None) -> None:
        if event is None:
            return
        key = event.public_key
        if record.kind == KEY_RETIRED:
            if any(other != key and not known.retired_seq for other, known in self._keys.items()):
                self._retire(key, record.seq)
            else:
                self._retirements.setdefault(key, record.seq)
        elif key in self._keys:
            if not self._keys[key].seq:
                self._keys[key] = replace(self._keys[key], seq=record.seq)
        elif not self._keys:
            self._keys[key] = KnownKey(key, KeyOrigin.FIRST_USE, record.seq)
        else:
            self._candidates[key] = (event.replaces, record.seq)

    def _retire(self, key: str, seq: int) -> None:
        if key in self._keys and not self._keys[key].retired_seq:
            self._keys[key] = replace(self._keys[key], retired_seq=seq)

    def _confirm_retirements(self, signer: str) -> None:
        """Take a head's signer by its word: the others were retired, and it was not."""
        for key, seq in self._retirements.items():
            if key != signer:
                self._retire(key, seq)
        self._retirements.clear()

    def _promote(self, signer: str, size: int) -> None:
        """Take the new keys that a known key speaks for by a head over their records."""
        for key, (replaces, seq) in tuple(self._candidates.items()):
            if replaces == signer and seq <= size:
                self._keys[key] = KnownKey(key, KeyOrigin.ROTATED, seq)
                del self._candidates[key]

    def _signs(self, public_key: str) -> bool:
        known = self._keys.get(public_key)
        return known is not None and not known.retired_seq

    def _require_ledger(self, ledger: str) -> None:
        if self._pinned.ledger and ledger != self._pinned.ledger:
            raise RefusedHead(
                HeadRefusal.OTHER_LEDGER,
                msg("a head of another ledger: {found} instead of {kept}", found=ledger, kept=self._pinned.ledger),
            )

    def _require_end(self, head: Head) -> None:
        if self._named and self._named != head.ledger:
            raise RefusedHead(
                HeadRefusal.OTHER_LEDGER,
                msg("the first record names another ledger than the head: {found}", found=head.ledger),
            )
        if self._seq != head.size or self._digest != head.digest:
            raise _rewritten(
                msg(
                    "the records end with record {seq}, digest {digest}, which is not the record that the head signed",
                    seq=self._seq,
                    digest=self._digest,
                )
            )
        self._require_passed(head)
        if self._last_head is None and self._kept is not None:
            raise _rewritten(_not_recorded(self._seq))
        previous = head_digest(self._last_head.text) if self._last_head else GENESIS
        if head.previous != previous:
            raise _rewritten(msg("the head does not follow the previous recorded head"))

    def _require_passed(self, head: Head) -> None:
        for size, passed in self._pinned.passed.items():
            if size > head.size and (self._pinned.is_live or head.at > passed.at):
                raise _rolled_back(size, head.size)

    def _require_signer(self, signed: SignedHead, head: Head) -> KnownKey:
        signer = _signer_of(signed)
        if self._signs(signer):
            self._confirm_retirements(signer)
            self._promote(signer, head.size)
            return self._keys[signer]
        if fingerprint(signer) == self._pinned.accept and signer not in self._keys:
            self._keys[signer] = KnownKey(signer, KeyOrigin.ACCEPTED, self._candidates.get(signer, ("", 0))[1])
            self._confirm_retirements(signer)
            return self._keys[signer]
        if signer in self._keys:
            raise RefusedHead(
                HeadRefusal.UNKNOWN_KEY, msg("the head is signed by the retired key {key}", key=fingerprint(signer))
            )
        raise RefusedHead(
            HeadRefusal.UNKNOWN_KEY,
            msg("the head is signed by the unknown key {key}", key=fingerprint(signer)),
            msg(
                "Ask the unit by telephone whether its key was changed. If so: portalops watch-remote ID --accept-key {key}",
                key=fingerprint(signer),
            ),
        )

    def _require_time(self, head: Head, now: datetime) -> None:
        if head.at > now + CLOCK_TOLERANCE:
            raise RefusedHead(
                HeadRefusal.TIME,
                msg("the head's time {at} is in the future: the time here is {now}", at=head.at, now=now),
                msg("Compare the clocks of both hosts with a third one: run 'timedatectl' on each."),
            )
        if self._at is not None and head.at < self._at:
            raise RefusedHead(
                HeadRefusal.TIME, msg("the head's time {at} is earlier than its last record's", at=head.at)
            )
        if self._kept_head is not None and head.at < self._kept_head.at:
            raise RefusedHead(
                HeadRefusal.TIME,
                msg(
                    "the head's time {at} is earlier than the kept head's, {kept}", at=head.at, kept=self._kept_head.at
                ),
            )


def judge(pinned: Pinned, parts: Iterable[Extension], *, now: datetime) -> Accepted | None:
    """Judge an extension that is at hand as a whole.

    Args:
        pinned: what is known of the ledger.
        parts: the extension, in order; the head of the last one is judged.
        now: by the witness's clock.

    Returns:
        What was accepted; None if the head is the kept one.

    Raises:
        Refusal: the head does not extend the kept one.
        NotAnExtension: the parts do not belong together.
    """
    joining, signed = Joining(pinned), None
    for part in parts:
        signed = part.signed
        if joining.is_kept(signed):
            return None
        joining.take(part)
    if signed is None:
        raise NotAnExtension("there is nothing in it")
    return joining.finish(signed, now=now)


_KEEP = msg(
    "Keep everything as it is on both hosts; the refused head is in the folder refused/. Compare it with the "
    "unit's other anchors."
)


def _signer_of(signed: SignedHead) -> str:
    try:
        return verify(signed.text.encode(), signed.signature, NAMESPACE)
    except BadSignature as error:
        raise RefusedHead(
            HeadRefusal.SIGNATURE, msg("the head is not signed: {cause}", cause=show_text(str(error)))
        ) from error


def _rolled_back(kept: int, found: int) -> RefusedHead:
    return RefusedHead(
        HeadRefusal.ROLL_BACK,
        msg("the ledger was cut: its head has {found} records, the kept head has {kept}", found=found, kept=kept),
    )


def _rewritten(message: Message) -> RefusedHead:
    return RefusedHead(HeadRefusal.REWRITTEN, message)


def _not_recorded(seq: int) -> Message:
    return msg("no head record follows the kept head's records, up to record {seq}", seq=seq)
