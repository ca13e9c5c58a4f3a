"""The proof of a report: the signed head of the ledger that it carries, and what to do with it. Pure; for any report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from portalops.ledger.heads import code_of
from portalops.model.message import Message, msg, nmsg
from portalops.model.record import Fault
from portalops.registers.proof import Proof, ProvenHead
from portalops.reports.document import Block, Bullets, Cell, KeyValues, Notice, Paragraph, QrCode, Status, Tone
from portalops.signatures.sshsig import fingerprint


def proof_blocks(proof: Proof) -> Iterator[Block]:
    """Yield the head that the report carries, as code and QR; or that nothing is signed."""
    ledger, head = proof.ledger_range, proof.head
    if ledger is None:
        yield Notice(msg("The ledger is empty: this report has no basis."), Tone.BAD)
        return
    yield from _doubts(proof)
    rows: list[tuple[Message, Cell]] = [(msg("Records, heads and signatures when it was made"), _integrity(proof))]
    if head is None:
        rows += [
            (msg("Ledger"), ledger.ledger),
            (msg("Last record of this report"), msg("{seq}, of {at}", seq=ledger.last_seq, at=ledger.last_at)),
            (msg("SHA-256 of the last record"), ledger.last_line_sha256),
        ]
    else:
        yield from _head_blocks(head)
        rows += [
            (msg("Signed at"), head.head.at),
            (msg("Signed with the key"), key_name(head)),
            (msg("Records that the head covers"), msg("1 to {seq}", seq=head.head.size)),
        ]
    yield KeyValues(rows)


def _head_blocks(head: ProvenHead) -> Iterator[Block]:
    """Yield the head as code and QR, and what to do with it."""
    yield Paragraph(
        msg(
            "The head of the ledger is a signed summary of all of it at one moment. This report carries one: "
            "a reader who keeps the report can find out later, without trusting anybody, whether a record "
            "was changed, removed or inserted."
        )
    )
    yield QrCode(head.signed.text, msg("Head code {code}", code=code_of(head.head)))
    yield Bullets(
        (
            msg(
                "Register the head code in the document-management system together with this report, and keep the"
                " report on paper: every later ledger must still contain this head."
            ),
            msg(
                "The six lines under the head code are what a printed report's QR code holds. Saved as a text file, they are what"
                " 'verify.py --head FILE' and 'portalops ledger verify --head FILE' compare with a ledger;"
                " '--head-code {code}' does the same with the code alone.",
                code=code_of(head.head),
            ),
        )
    )


def key_name(head: ProvenHead) -> Cell:
    """Return the fingerprint of the key that signed a head, or that the signature is none."""
    return fingerprint(head.public_key) if head.public_key else msg("the signature is not a signature")


def _doubts(proof: Proof) -> Iterator[Notice]:
    """Yield why the head proves less than it should."""
    if proof.faults:
        yield Notice(does_not_hold(proof.faults), Tone.BAD)
    if proof.set_aside:
        yield Notice(
            nmsg(
                "Two persons set {n} record aside: {numbers}. No duty rests on it; the count of records and runs has it.",
                "Two persons set {n} records aside: {numbers}. No duty rests on them; the count of records and runs has them.",
                len(proof.set_aside),
                numbers=_rows(proof.set_aside),
            ),
            Tone.UNSURE,
        )
    if proof.head is not None and proof.head.problem is not None:
        yield Notice(msg("The head is not valid: {cause}", cause=proof.head.problem), Tone.BAD)
    if proof.unsigned is not None:
        yield Notice(msg("No new head could be signed for this report: {cause}", cause=proof.unsigned), Tone.UNSURE)
    if proof.head is None and proof.unsigned is None and not proof.has_key:
        yield Notice(
            msg(
                "Nothing is signed: no signing key is configured. A person who holds the ledger could rewrite "
                "all of it, and nothing in this report would show it. Make a key with 'portalops init --keys' "
                "and name it under signing.key."
            ),
            Tone.BAD,
        )
    elif proof.head is None:
        yield Notice(msg("The ledger holds no head that can be read: nothing of this report is signed."), Tone.BAD)
    elif proof.uncovered:
        yield Notice(
            nmsg(
                "{n} record was written since this head was signed, and is not covered by it.",
                "{n} records were written since this head was signed, and are not covered by it.",
                proof.uncovered,
            ),
            Tone.UNSURE,
        )


def _rows(numbers: Sequence[int]) -> str:
    """Return numbers, ascending, with those in a row as first and last."""
    known = frozenset(numbers)
    begins = [each for each in numbers if each - 1 not in known]
    ends = [each for each in numbers if each + 1 not in known]
    rows = [str(first) if first == last else f"{first}-{last}" for first, last in zip(begins, ends, strict=True)]
    return ", ".join(rows[:MAX_ROWS]) + (", ..." if len(rows) > MAX_ROWS else "")


MAX_ROWS = 20
"""Rows of numbers that are named; 'portalops ledger verify' names all."""


def does_not_hold(faults: Sequence[Fault]) -> Message:
    """Say from which record on a ledger can't be trusted."""
    first = min(faults, key=lambda fault: fault.seq)
    return msg(
        "The ledger was changed. From record {seq} on nothing in it can be trusted, nor anything in this "
        "report that rests on it: {what}. 'portalops ledger verify' lists everything that is not valid.",
        seq=first.seq,
        what=first.what,
    )


def _integrity(proof: Proof) -> Cell:
    if proof.faults is None:
        return Status(msg("not checked"), Tone.UNSURE)
    return Status(msg("not valid"), Tone.BAD) if proof.faults else Status(msg("valid"), Tone.GOOD)


def duration_words(length: timedelta) -> Message:
    """Say how long something lasted, in whole days, hours or minutes, cut and not rounded."""
    minutes = max(int(length.total_seconds()) // 60, 0)
    if minutes >= 48 * 60:
        return nmsg("{n} day", "{n} days", minutes // (24 * 60))
    if minutes >= 120:
        return nmsg("{n} hour", "{n} hours", minutes // 60)
    return nmsg("{n} minute", "{n} minutes", minutes)


def age_words(at: datetime, now: datetime) -> Message:
    """Say how long before a moment something was."""
    return msg("{length} before", length=duration_words(now - at))
