"""Heads: six lines of text that say what the ledger was, signed so that stock `ssh-keygen -Y verify` reads them.

    portalops-head 1
    ledger 5f0c...            the ledger's id
    size 412                  how many records there were
    digest 9f3a...            SHA-256 of the line of record 412
    at 2026-11-25T01:32:00.123Z
    previous 0b77...          SHA-256 of the text of the head before; 64 zeros for the first

A head is recorded as any other fact, in a `head` record behind the records that it is over; the next
head is over it. Which key may sign when is recorded too (`key.added`, `key.retired`).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from portalops import bodies
from portalops.errors import IntegrityError, LedgerError, NotAHead, PortalOpsError, SecretUnavailable
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import GENESIS, NO_RUN, line_digest, parse_at
from portalops.model.heads import Head, KeyEvent, RecordedHead, SignedHead, Signer
from portalops.model.message import msg
from portalops.model.record import Digest, Record
from portalops.model.text import format_at
from portalops.ports import Clock
from portalops.registers.signers import (
    KEY_ADDED,
    KEY_KINDS,
    KEY_RETIRED,
    DisownedKeys,
    HeadSignature,
    KeyMend,
    RecordedKey,
    confirmed_keys,
    fold_signers,
    read_key_event,
    signer_at,
)
from portalops.registers.writers import CLOCK_MENDED, QUARANTINED
from portalops.signatures.sshsig import BadSignature, SigningKey, fingerprint, sign, verify

if TYPE_CHECKING:  # a module less for each command to load
    from portalops.model.quarantines import Quarantine

HEAD = "head"
"""The kind of a head record, and the key of the signed head in its blob."""

NAMESPACE = "portalops-head"
"""The purpose that heads are signed for."""

MAX_HEAD_BYTES = 4096
"""A head is about 300 bytes; anything larger is some other file."""

WAIT_SECONDS = 30.0
"""How long to wait for another process that is signing."""

FIRST_KEY = "the first key"
"""The reason in the record of a ledger's first key, so that its details can be made anew."""

UNCOVERED_KINDS = frozenset({HEAD})
"""Kinds of records that may follow the newest head without a newer head being needed."""


def text_of(head: Head) -> str:
    """Return the six lines."""
    return (
        f"portalops-head 1\nledger {head.ledger}\nsize {head.size}\ndigest {head.digest}\n"
        f"at {format_at(head.at)}\nprevious {head.previous}\n"
    )


def parse_head(data: bytes) -> Head:
    """Read the six lines.

    Raises:
        NotAHead: these bytes are not what `text_of` writes.
    """
    found = _HEAD.fullmatch(data) if len(data) <= MAX_HEAD_BYTES else None
    try:
        if found is not None:
            ledger, size, digest, at, previous = (part.decode() for part in found.groups())
            return Head(ledger, int(size), Digest(digest), parse_at(at), Digest(previous))
    except ValueError:
        pass  # no such moment
    raise NotAHead(
        msg("this is not a head: it does not have the six lines of a head"),
        msg(
            "A head is a text file of six lines that begins with 'portalops-head 1'. Run 'portalops ledger head' "
            "to print one."
        ),
    )


def head_digest(text: str) -> Digest:
    """Return the SHA-256 of a head's text: what the next head names, and receipts speak of."""
    return Digest(hashlib.sha256(text.encode()).hexdigest())


def code_of(head: Head) -> str:
    """Return the short form for paper: the size, and the first 80 bits of the digest: `412-9f3a-77c0-21de-8b4c-5a10`.

    Finding another record with the same 80 bits would take about 2^80 attempts.
    """
    return "-".join((str(head.size), *(head.digest[at : at + 4] for at in range(0, 20, 4))))


def record_head(ledger: Ledger, key: SigningKey, clock: Clock, *, successor: SigningKey | None = None) -> RecordedHead:
    """Sign what the ledger is now, and record that; the newest head is returned if nothing came behind it.

    The very first key is recorded as the ledger's key. After that only a key that the ledger knows
    signs; `rotate_key` changes it. Processes that sign at once wait for each other, since each head names the one before.

    Args:
        ledger: open for appending.
        key: the ledger's.
        clock: for the head's time.
        successor: the key that a change which was interrupted has made, if there is one.

    Raises:
        LedgerError: the key is not the ledger's, or nothing can be recorded.
        IntegrityError: the key records or the newest head cannot be read, or another key was recorded as the successor.
        Locked: another process has been signing for too long.
    """
    with _alone(ledger):
        return _record_head(ledger, key, clock, successor)


def introduce_key(ledger: Ledger, key: SigningKey) -> None:
    """Make sure that the ledger knows a key before anything is signed with it: the very first is recorded as its key.

    Raises:
        LedgerError: the key does not sign for the ledger now, or nothing can be recorded.
        IntegrityError: the key records cannot be read.
        Locked: another process has been signing for too long.
    """
    with _alone(ledger):
        _introduce_key(ledger, key)


def require_in_use(signers: Sequence[Signer], key: SigningKey, now: datetime) -> None:
    """Make sure that what a key signs now is by a key in use, for who verifies it.

    Args:
        signers: the ledger's keys.
        key: is about to sign.
        now: the clock's time.

    Raises:
        LedgerError: the key is not the ledger's, was retired, or was recorded under a clock that was ahead.
    """
    signer = next((each for each in signers if each.public_key == key.public_key), None)
    name = fingerprint(key.public_key)
    if signer is None:
        raise LedgerError(
            msg("the signing key {key} is not in the ledger", key=name),
            msg("Configure the key that signed until now, or replace it with 'portalops ledger rotate-key'."),
        )
    if signer.retired_seq is not None:
        raise LedgerError(
            msg("the signing key {key} was retired by record {seq}", key=name, seq=str(signer.retired_seq)),
            msg("Configure the key that signs now: it is the newest one that 'portalops ledger verify' lists."),
        )
    if _whole_milliseconds(now) < signer.valid_from:
        raise LedgerError(
            msg(
                "the signing key {key} is in use from {since} on only, and the clock shows {now}",
                key=name,
                since=signer.valid_from,
                now=now,
            ),
            msg(
                "The clock had run ahead when record {seq} added it: mend the clock with this key, 'portalops ledger mend-clock'"
                " (docs/stopped.md). Or wait until that time.",
                seq=str(signer.added_seq),
            ),
        )


def rotate_key(ledger: Ledger, old: SigningKey | None, new: SigningKey, *, reason: str, clock: Clock) -> RecordedHead:
    """Change the key: the old one signs a head over the record that names the new one, and is retired.

    Args:
        ledger: open for appending.
        old: the key until now; None if it was lost, and then nothing of it speaks for the new one.
        new: the key from now on.
        reason: why, for readers of the ledger.
        clock: for the heads' times.

    Raises:
        LedgerError: the new key was retired before, the old one is not the ledger's, or there is no key yet.
    """
    announce_key(ledger, old, new, reason=reason, clock=clock)
    return retire_others(ledger, new, reason=reason, clock=clock)


def announce_key(ledger: Ledger, old: SigningKey | None, new: SigningKey, *, reason: str, clock: Clock) -> None:
    """Let the ledger know a new key, under a head by the old one; both may sign from here on.

    What was done before is not done again, so that it can be finished after a crash. Arguments and errors are those of
    `rotate_key`.
    """
    with _alone(ledger):
        signers = read_signers(ledger, old)
        valid = {each.public_key for each in signers if each.retired_seq is None}
        # A lost key may be replaced whatever the records say of it: nothing of it speaks for the new one in any case.
        if not {each.public_key for each in signers} - {new.public_key} or (
            old is not None and old.public_key not in valid
        ):
            raise LedgerError(
                msg("the key to be replaced is not the ledger's key"),
                msg("Run 'portalops ledger head' to see which key signs."),
            )
        if old is not None:
            require_in_use(signers, old, clock.now())
        known = next((each for each in signers if each.public_key == new.public_key), None)
        if known is not None and known.retired_seq is not None:
            raise LedgerError(
                msg("the key {key} was used for this ledger before", key=fingerprint(new.public_key)),
                msg("Make a new key: a retired key cannot be used again."),
            )
        if known is None:
            event = KeyEvent(new.public_key, reason, old.public_key if old is not None else "")
            added = ledger.append(KEY_ADDED, run=NO_RUN, body=bodies.write({"key": event})).seq
        else:
            added = known.added_seq
        newest = newest_head(ledger, old)
        if old is not None and (newest is None or newest.head.size < added):
            _require_no_stranger(ledger, old, newest, but=new)
            last = ledger.last()
            assert last is not None
            _append_head(ledger, old, last, head_digest(newest.signed.text) if newest else GENESIS, clock)


def retire_others(ledger: Ledger, key: SigningKey, *, reason: str, clock: Clock) -> RecordedHead:
    """Let one key alone sign from now on, and sign a head with it.

    Raises:
        LedgerError: the key is not the ledger's, or nothing can be recorded.
    """
    with _alone(ledger):
        signers = read_signers(ledger, key)
        require_in_use(signers, key, clock.now())
        for signer in signers:
            if signer.retired_seq is None and signer.public_key != key.public_key:
                retired = KeyEvent(signer.public_key, reason)
                ledger.append(KEY_RETIRED, run=NO_RUN, body=bodies.write({"key": retired}))
        return _record_head(ledger, key, clock)


def heads(ledger: Ledger) -> Iterator[RecordedHead]:
    """Yield every head recorded, oldest first; a record that holds none, or a copy, is passed over, and named by `verify`."""
    known: set[SignedHead] = set()
    for record in ledger.records(kinds=(HEAD,)):
        with suppress(IntegrityError):
            found = read_head(ledger, record)
            if found.signed not in known:
                known.add(found.signed)
                yield found


def newest_head(ledger: Ledger, own: SigningKey | None = None) -> RecordedHead | None:
    """Return the newest head that a confirmed key of the ledger signed; what somebody else recorded as one, or copied, is passed over.

    Args:
        ledger: may be open for reading only.
        own: a key that is known to be the ledger's own, beside this machine's.

    Raises:
        IntegrityError: there is none, and the details of a head are missing or damaged.
    """
    signers: tuple[Signer, ...] | None = None
    unread: list[tuple[int, IntegrityError]] = []
    found_by_text: dict[tuple[str, str], RecordedHead] = {}  # newest first
    for record in ledger.records(kinds=(HEAD,), newest_first=True):
        # Behind its size alone can stand the record that a head is a copy of.
        if (newest := next(iter(found_by_text.values()), None)) is not None and record.seq <= newest.head.size:
            return newest
        try:
            found = read_head(ledger, record)
        except NoHeadThere:  # whoever may append has recorded it
            continue
        except IntegrityError as error:
            unread.append((record.seq, error))
            continue
        signers = read_signers(ledger, own) if signers is None else signers
        signature = _signature_of(found, ledger.id)
        if signature is not None and signer_at(signers, signature.public_key, signature.seq, signature.at) is not None:
            text = found.signed.text, signature.public_key
            found_by_text.pop(text, None)  # a copy of this one
            found_by_text[text] = found
    if found_by_text:
        return next(iter(found_by_text.values()))
    if unread:
        _require_none_lost(ledger, own, unread)
    return None


def _require_none_lost(ledger: Ledger, own: SigningKey | None, unread: Sequence[tuple[int, IntegrityError]]) -> None:
    """Make sure that no details of a head were lost: there is none before the first key, and none is what was set aside.

    Raises:
        IntegrityError: some may have been.
    """
    signers, disowned = read_signers(ledger, own), _read_disowned(ledger)
    confirmed = confirmed_keys(signers)
    for seq, error in unread:
        is_aside = any(each.first <= seq <= each.last and each.public_key in confirmed for each in disowned)
        if signers and signers[0].added_seq < seq and not is_aside:
            raise error


class NoHeadThere(IntegrityError):
    """The details of a head record are there, and are no head."""


def read_head(ledger: Ledger, record: Record) -> RecordedHead:
    """Return what a head record holds.

    Raises:
        NoHeadThere: its details are no head.
        IntegrityError: they are missing or damaged.
    """
    part = bodies.part_of(ledger.blob(record.body), HEAD)
    text, signature = part.get("text"), part.get("signature")
    try:
        if isinstance(text, str) and isinstance(signature, str):
            return RecordedHead(
                record.seq, parse_head(text.encode("utf-8", "surrogatepass")), SignedHead(text, signature)
            )
    except NotAHead:
        pass
    raise NoHeadThere(
        msg("record {seq} is of kind head but holds no head", seq=record.seq),
        msg("Run 'portalops ledger verify', and keep everything as it is."),
    )


def read_signers(ledger: Ledger, own: SigningKey | None = None) -> tuple[Signer, ...]:
    """Return the keys that were added, oldest first; only those that are confirmed sign.

    A record whose details are no key counts for nothing, and is named by `verify`: whoever may append could otherwise keep everybody
    from signing. So does one behind the first key whose details cannot be read.

    Args:
        ledger: may be open for reading only.
        own: a key that is known to be the ledger's own, beside this machine's.

    Raises:
        IntegrityError: the details of the first key record are missing or damaged, and no key that is known gives them.
    """
    events = _read_keys(ledger, own)
    if len(events) < 2:  # as nearly always: then nothing depends on heads, quarantines or this machine's key
        return fold_signers(events, lambda _seq: (), principal=ledger.id, mends=_read_mends(ledger)).signers
    known = {ledger.read_own_key()} if own is None else {ledger.read_own_key(), own.public_key}
    return _fold_keys(ledger, events, known)


def listed_signers(ledger: Ledger) -> tuple[Signer, ...]:
    """Return the keys as the records alone have them, whatever this machine knows: what a bundle lists.

    Raises:
        IntegrityError: the details of the first key record are missing or damaged.
    """
    return _fold_keys(ledger, _read_keys(ledger), ())


def _fold_keys(ledger: Ledger, events: Sequence[RecordedKey], known: Collection[str]) -> tuple[Signer, ...]:
    behind = partial(_signatures_behind, ledger)
    disowned, mends = _read_disowned(ledger), _read_mends(ledger)
    return fold_signers(events, behind, principal=ledger.id, known=known, disowned=disowned, mends=mends).signers


def _read_disowned(ledger: Ledger) -> tuple[DisownedKeys, ...]:
    return tuple(
        DisownedKeys(record.seq, key, named.first, named.last)
        for record, named, key in _read_by_two(ledger, QUARANTINED)
    )


def _read_mends(ledger: Ledger) -> tuple[KeyMend, ...]:
    if not any(ledger.records(kinds=(CLOCK_MENDED,), limit=1)):
        return ()
    return ledger.remember("key mends", lambda: _find_mends(ledger))


def _find_mends(ledger: Ledger) -> tuple[KeyMend, ...]:
    return tuple(
        KeyMend(record.at, key, named.first, named.last)
        for record, named, key in _read_by_two(ledger, CLOCK_MENDED)
        if named.is_behind_its_range(record.seq, record.at)
    )


def _read_by_two(ledger: Ledger, kind: str) -> Iterator[tuple[Record, Quarantine, str]]:
    records = tuple(ledger.records(kinds=(kind,)))
    if not records:
        return
    from portalops.ledger.quarantine_text import read_by_two  # noqa: PLC0415  # few ledgers have any

    of_ledger = ledger.id
    read: dict[Digest, tuple[Quarantine, str] | None] = {}  # whoever may append can record one text many times
    for record in records:
        with suppress(PortalOpsError):  # details that cannot be read are named by `verify`
            if record.body not in read:
                read[record.body] = read_by_two(kind, ledger.blob_of_two(record.body), of_ledger)
            if (found := read[record.body]) is not None:
                yield record, *found


def _read_keys(ledger: Ledger, own: SigningKey | None = None) -> list[RecordedKey]:
    events: list[RecordedKey] = []
    lost: tuple[Record, IntegrityError] | None = None
    for record in ledger.records(kinds=KEY_KINDS):
        try:
            event = read_key_event(ledger.blob(record.body))
        except IntegrityError as error:
            lost = lost or (None if events else (record, error))
            continue
        if event is not None:
            events.append(RecordedKey(record.seq, record.at, record.kind, event))
    if lost is not None:
        known = (ledger.read_own_key(), *((own.public_key,) if own else ()))
        events.insert(0, _rebuilt_first(events, known, *lost))
    return events


def _rebuilt_first(
    events: Sequence[RecordedKey], known: Collection[str], first: Record, error: IntegrityError
) -> RecordedKey:
    """Return the first key, of which the details are missing or damaged: whatever came behind could pass for the first otherwise.

    They can be made anew from any key of this machine or these records: the record holds their digest.
    """
    recorded = (key for each in events for key in (each.event.public_key, each.event.replaces))
    for public_key in {*known, *recorded}:
        if _digest_of_first(public_key) == first.body:
            return RecordedKey(first.seq, first.at, first.kind, KeyEvent(public_key, FIRST_KEY))
    raise IntegrityError(
        msg("record {seq}, the ledger's first key, cannot be read: {cause}", seq=first.seq, cause=error.message),
        msg("Nothing can be trusted without it. Restore the ledger of the newest backup set: docs/stopped.md, Damage."),
    ) from error


def _digest_of_first(public_key: str) -> Digest:
    return Digest(hashlib.sha256(bodies.write({"key": KeyEvent(public_key, FIRST_KEY)})).hexdigest())


def _mend_first(ledger: Ledger, first: Signer) -> None:
    """Put the details of the first key's record back where they are missing or damaged."""
    record = ledger.record(first.added_seq)
    if record is None or record.body != _digest_of_first(first.public_key):
        return
    try:
        ledger.blob(record.body)
    except IntegrityError:
        ledger.keep(bodies.write({"key": KeyEvent(first.public_key, FIRST_KEY)}))


def _signatures_behind(ledger: Ledger, seq: int) -> Iterator[HeadSignature]:
    before = ledger.record(seq)
    for record in ledger.records(kinds=(HEAD,), since=ledger.found_from(before) if before else None):
        if record.seq <= seq:
            continue
        with suppress(IntegrityError):
            signature = _signature_of(read_head(ledger, record), ledger.id)
            if signature is not None:
                yield signature


def _signature_of(recorded: RecordedHead, ledger: str) -> HeadSignature | None:
    """Return who signed a head; None if that is nobody, or the head is of another ledger."""
    if recorded.head.ledger != ledger:
        return None
    try:
        public_key = verify(recorded.signed.text.encode(), recorded.signed.signature, NAMESPACE)
    except BadSignature:
        return None
    return HeadSignature(recorded.seq, recorded.head.size, recorded.head.at, public_key)


def _record_head(ledger: Ledger, key: SigningKey, clock: Clock, successor: SigningKey | None = None) -> RecordedHead:
    _introduce_key(ledger, key)
    if ledger.claimant is not None:
        ledger.claimant.enrol(ledger, key)
        with suppress(SecretUnavailable):  # the command's end warns of that; a head is owed all the same
            ledger.claim()  # before the head, so that it covers the claim: nothing but heads stands behind the newest head of a bundle
    newest = newest_head(ledger, key)
    last = ledger.last()
    assert last is not None
    if newest is not None and all(
        record.kind in UNCOVERED_KINDS for record in _records_after(ledger, newest.head.size)
    ):
        return newest
    _require_no_stranger(ledger, key, newest, but=successor)
    previous = head_digest(newest.signed.text) if newest else GENESIS
    return _append_head(ledger, key, last, previous, clock)


def _require_no_stranger(
    ledger: Ledger, key: SigningKey, newest: RecordedHead | None, *, but: SigningKey | None = None
) -> None:
    """Make sure that a head confirms no successor which `announce_key` did not: it would lie over the record that names it.

    Args:
        ledger: open for appending.
        key: signs the head.
        newest: the newest head; a key that is older than it was confirmed by it, or never is.
        but: the successor that is being announced.

    Raises:
        IntegrityError: another key was recorded as the successor.
    """
    covered = newest.head.size if newest else 0
    disowned = _read_disowned(ledger)
    for signer in read_signers(ledger, key):
        is_new = signer.added_seq > covered and signer.retired_seq is None
        is_new = is_new and not any(
            each.public_key == key.public_key and each.first <= signer.added_seq <= each.last for each in disowned
        )
        if is_new and signer.replaces == key.public_key and (but is None or signer.public_key != but.public_key):
            raise IntegrityError(
                msg(
                    "record {seq} names the key {key} as the successor of the signing key, which never signed for it",
                    seq=signer.added_seq,
                    key=fingerprint(signer.public_key),
                ),
                msg(
                    "If a change of the key was interrupted, finish it: portalops ledger rotate-key. Otherwise two persons set the"
                    " record aside: portalops ledger quarantine {seq} {seq}.",
                    seq=signer.added_seq,
                ),
            )


def _introduce_key(ledger: Ledger, key: SigningKey) -> None:
    signers = read_signers(ledger, key)
    if not signers:
        ledger.append(KEY_ADDED, run=NO_RUN, body=bodies.write({"key": KeyEvent(key.public_key, FIRST_KEY)}))
        return
    _mend_first(ledger, signers[0])
    require_in_use(signers, key, ledger.now())


def _alone(ledger: Ledger) -> AbstractContextManager[None]:
    """Keep other processes from recording heads and keys; a head names the one before, and there must be one alone."""
    return ledger.locks.held("heads", holder=f"process {os.getpid()}", wait_seconds=WAIT_SECONDS)


def _append_head(ledger: Ledger, key: SigningKey, last: Record, previous: Digest, clock: Clock) -> RecordedHead:
    head = Head(ledger.id, last.seq, line_digest(last.line), _whole_milliseconds(clock.now()), previous)
    text = text_of(head)
    signed = SignedHead(text, sign(text.encode(), key, NAMESPACE))
    record = ledger.append(HEAD, run=NO_RUN, body=bodies.write({HEAD: signed}))
    return RecordedHead(record.seq, head, signed)


def _records_after(ledger: Ledger, seq: int) -> Iterator[Record]:
    for record in ledger.records(newest_first=True):
        if record.seq <= seq:
            return
        yield record


def _whole_milliseconds(moment: datetime) -> datetime:
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


_HEAD = re.compile(
    rb"portalops-head 1\nledger ([0-9a-f]{32})\nsize ([1-9][0-9]{0,17})\ndigest ([0-9a-f]{64})\n"
    rb"at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\nprevious ([0-9a-f]{64})\n"
)
