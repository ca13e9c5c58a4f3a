"""Ledgers with quarantines for the corpus: such as count, and such as are forged or set aside what they must not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from portalops import bodies
from portalops.ledger.heads import rotate_key
from portalops.ledger.ledger import FILE, MOVED, Ledger
from portalops.ledger.quarantine_text import FORMS, text_of
from portalops.ledger.record import NO_RUN, Draft, line_digest
from portalops.ledger.set_aside import stored_lines
from portalops.model.heads import KeyEvent
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest
from portalops.registers.writers import QUARANTINED
from portalops.signatures.sshsig import SigningKey, sign
from tests.conformance.claims import LATER, MACHINE, PERSON, THIEF, append, append_head, claim, claimed, enrol, stranger
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import DAILY

NAMESPACE = FORMS[QUARANTINED].namespace
LEDGER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SECOND = key_of(11)
NOT_A_RECORD = '{"at":"9999-12-31T00:00:00.000Z","kind":"note.added","không phải":"bản ghi"}'.encode()


def put_line(written: Written, line: bytes) -> int:
    """Append a line past portalops, as who may write the file does it; return its number."""
    written.ledger.close()
    with sqlite3.connect(written.folder / FILE) as connection:
        (newest,) = connection.execute("SELECT max(seq) FROM record").fetchone()
        connection.execute("INSERT INTO record (seq, line) VALUES (?, ?)", (newest + 1, line))
        connection.execute("UPDATE tail SET size = ?, head = ?", (newest + 1, line_digest(line)))
    connection.close()
    return int(newest) + 1


def strange(written: Written) -> int:
    """Append what counts for nothing, as a stranger does; return its number."""
    return append(written, "claim", claim={"text": "x", "signature": "x"}).seq


def quarantine(
    written: Written,
    first: int,
    last: int,
    *,
    own: SigningKey | None = None,
    second: SigningKey = SECOND,
    named: SigningKey | None = None,
    digest: str = "",
    ledger: str = "",
    reason: str = "một người lạ đã ghi",
    namespace: str = NAMESPACE,
    text: str = "",
) -> None:
    """Record a quarantine; each part may be another than it is to be."""
    lines = {seq: found for seq, found, _record in stored_lines(written.ledger, (last,))}
    made = Quarantine(
        ledger or LEDGER,
        first,
        last,
        Digest(digest) or lines.get(last, Digest("a" * 64)),
        "Nguyễn Văn An",
        "Trần Thị Bình",
        (named or second).public_key,
        reason,
    )
    signed = text or text_of(made)
    put(written, signed, sign(signed.encode(), own or written.key, NAMESPACE), sign(signed.encode(), second, namespace))


def put(written: Written, text: str, *signatures: str) -> None:
    names = ("signature", "second_signature")
    part = {"text": text, **dict(zip(names, signatures, strict=False))}
    ledger = Ledger.open_to_mend(written.folder, written.clock)
    ledger.append_quarantine(ledger.draft(QUARANTINED, body=ledger.keep(bodies.write({"quarantine": part}))))
    ledger.close()


def _no_record(written: Written) -> None:
    seq = put_line(written, NOT_A_RECORD)
    quarantine(written, seq, seq)


def _no_records_in_a_row(written: Written) -> None:
    first = put_line(written, NOT_A_RECORD)
    put_line(written, b"\xff\xfe")
    last = put_line(written, b"")
    quarantine(written, first, last)


def _moved(written: Written) -> None:
    body = bodies.write({"moved": {"from": "file", "head": "0" * 64, "records": 1, "to": "elsewhere"}})
    seq = stranger(written).append(MOVED, run=NO_RUN, body=body).seq
    quarantine(written, seq, seq)


def before_writers(folder: Path) -> Written:
    """Make a ledger whose key was lost: its successor sets a record aside, and later names a writer."""
    written = Written(folder)
    written.plan(DAILY)
    written.head()
    written.key = key_of(3)
    rotate_key(written.ledger, None, written.key, reason="lost", clock=written.clock)
    _moved(written)
    enrol(written, PERSON, "an")
    return written


def _retired(written: Written) -> None:
    key = {"public_key": written.key.public_key, "reason": "x", "replaces": ""}
    seq = append(written, "key.retired", key=key).seq
    quarantine(written, seq, seq)


def _stranger(written: Written) -> None:
    first = append(written, "note.added").seq
    append(written, "claim", claim={"text": "x", "signature": "x"})
    last = append(written, "plan", plan=7).seq
    written.clock.move(LATER)
    quarantine(written, first, last)


def _forged_before(written: Written) -> None:
    seq = put_line(written, NOT_A_RECORD)
    quarantine(written, seq, seq, second=THIEF, own=THIEF)
    quarantine(written, seq, seq + 1)


def _details_that_never_were(written: Written) -> None:
    draft = Draft("note.added", Digest("c" * 64))
    (record,) = stranger(written).append_many((draft,))
    quarantine(written, record.seq, record.seq)


def _begun_anew(written: Written) -> None:
    seq = append(written, "ledger.created", format=1, ledger="f" * 32, portalops="1.0.0").seq
    quarantine(written, seq, seq)


def _twice(written: Written) -> None:
    seq = put_line(written, NOT_A_RECORD)
    quarantine(written, seq, seq)
    quarantine(written, seq, seq, reason="x")


def _one_person(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq, second=written.key)


def _a_machine_as_the_second(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq, second=MACHINE)


def _a_strangers_key(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq, own=THIEF)


def _a_key_of_their_own(written: Written) -> None:
    seq = strange(written)
    append(written, "key.added", key=KeyEvent(THIEF.public_key, "x", ""))
    quarantine(written, seq, seq, own=THIEF)


def _a_successors_key(written: Written) -> None:
    old, written.key = written.key, key_of(3)
    rotate_key(stranger(written), old, written.key, reason="a new year", clock=written.clock)
    seq = strange(written)
    quarantine(written, seq, seq)


def erasure_set_aside(folder: Path) -> tuple[Written, Digest]:
    """Make a claimed ledger in which an erasure is set aside; return it, and the blob that the erasure excuses no more."""
    written = claimed(folder)
    gone = next(written.ledger.records(kinds=("check.finished",), newest_first=True)).body
    seq = append(written, "blob.erased", erased={"digest": gone, "reason": "x", "approved_by": "x"}).seq
    quarantine(written, seq, seq)
    return written, gone


def _another_second_than_named(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq, second=THIEF, named=SECOND)


def _signed_as_a_claim(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq, namespace="portalops-claim")


def _without_the_second(written: Written) -> None:
    seq = strange(written)
    ((_seq, digest, _record),) = stored_lines(written.ledger, (seq,))
    made = Quarantine(LEDGER, seq, seq, digest, "a", "b", SECOND.public_key, "x")
    put(written, text_of(made), sign(text_of(made).encode(), written.key, NAMESPACE))


def _of_another_line(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq, digest="b" * 64)


def _of_another_ledger(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq, ledger="f" * 32)


def _of_claimed_records(written: Written) -> None:
    record = next(written.ledger.records(kinds=("check.started",), newest_first=True))
    quarantine(written, record.seq, record.seq)


def _of_the_first_record(written: Written) -> None:
    seq = strange(written)
    quarantine(written, 1, seq)


def _of_the_future(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq + 1)


def _of_too_many(written: Written) -> None:
    seq = strange(written)
    text = f"portalops-quarantine 1\nledger {LEDGER}\nrange 1 1001 {'a' * 64}\nby a\nsecond b\nkey {SECOND.public_key}\nreason x\n"
    quarantine(written, seq, seq, text=text)


def _a_reason_too_long(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq, reason="\U0001f4d2" * 201)


def _a_reason_of_astral_characters(written: Written) -> None:
    seq = put_line(written, NOT_A_RECORD)
    quarantine(written, seq, seq, reason="\U0001f4d2" * 200)


def _holds_none(written: Written) -> None:
    append(written, QUARANTINED, quarantine=[])


def _lone_surrogate(written: Written) -> None:
    body = b'{"quarantine":{"second_signature":"x","signature":"x","text":"\\ud800"}}\n'
    stranger(written).append(QUARANTINED, run=NO_RUN, body=body)


def _of_a_record_within_the_hour(written: Written) -> None:
    seq = append(written, "note.added").seq
    quarantine(written, seq, seq)
    written.clock.move(timedelta(minutes=1))


def _aside(written: Written, kind: str, **parts: object) -> None:
    seq = append(written, kind, **parts).seq
    quarantine(written, seq, seq)


def _a_sign_off_of_nobody(written: Written) -> None:
    _aside(written, "sign-off", sign_off={"report": "x"})


def _a_drill_of_nobody(written: Written) -> None:
    _aside(written, "drill.imported", drill_report={"text": "x", "signature": "y"})


def _a_head_of_nobody(written: Written) -> None:
    _aside(written, "head", head={"text": "x", "signature": "y"})


def _a_head_by_a_strangers_key(written: Written) -> None:
    append_head(written, THIEF)
    seq = written.ledger.count()
    quarantine(written, seq, seq)


def _a_key_that_is_none(written: Written) -> None:
    _aside(written, "key.added", key={"public_key": "x"})


def _a_beginning(written: Written) -> None:
    _aside(written, "ledger.created", ledger=LEDGER, format=1, portalops="1.0.0")


def _a_successor_of_nobody(written: Written) -> None:
    _aside(written, "key.added", key=KeyEvent(THIEF.public_key, "x", written.key.public_key))
    written.head()


def _a_successor_of_nobody_who_signs(written: Written) -> None:
    _a_successor_of_nobody(written)
    seq = append(written, "note.added").seq
    quarantine(written, seq, seq, own=THIEF)


def _an_honest_head(written: Written) -> None:
    append(written, "note.added")
    written.head()
    seq = written.ledger.count()
    quarantine(written, seq, seq)


def _the_second_persons_key_added_by_a_stranger(written: Written) -> None:
    seq = put_line(written, NOT_A_RECORD)
    quarantine(written, seq, seq)
    append(written, "key.added", key=KeyEvent(SECOND.public_key, "x", ""))


def _stolen(written: Written) -> int:
    """Set aside what a stranger wrote, and claim it by a writer's key that was stolen; return the number of the claim."""
    record = append(written, "note.added")
    quarantine(written, record.seq, record.seq)
    claim(written, PERSON, record)
    return written.ledger.count()


def _claimed_afterwards(written: Written) -> None:
    _stolen(written)


def _claimed_afterwards_and_the_claim_set_aside(written: Written) -> None:
    seq = _stolen(written)
    quarantine(written, seq, seq)


def _claimed_afterwards_with_another(written: Written) -> None:
    record, other = append(written, "note.added"), append(written, "note.added", note="y")
    quarantine(written, record.seq, record.seq)
    claim(written, PERSON, record, other)


def _claimed_before(written: Written) -> None:
    record = append(written, "note.added")
    claim(written, PERSON, record)
    quarantine(written, record.seq, record.seq)


def _the_second_person_enrolled_later(written: Written) -> None:
    seq = append(written, "note.added").seq
    quarantine(written, seq, seq)
    enrol(written, SECOND, "binh")


def _the_second_persons_key_a_successor_later(written: Written) -> None:
    seq = append(written, "note.added").seq
    quarantine(written, seq, seq)
    old, written.key = written.key, SECOND
    rotate_key(stranger(written), old, SECOND, reason="a new year", clock=written.clock)


def _a_writer_as_the_second(written: Written) -> None:
    enrol(written, SECOND, "binh")
    seq = strange(written)
    quarantine(written, seq, seq)


def signs_before_writers(folder: Path) -> Written:
    """Make a ledger without writers, in which what counts for nothing by itself is set aside."""
    written = Written(folder)
    written.plan(DAILY)
    written.head()
    for act in (_a_sign_off_of_nobody, _a_head_of_nobody, _a_key_that_is_none, _a_beginning, _a_successor_of_nobody):
        act(written)
    return written


CASES: Mapping[str, Callable[[Written], None]] = {
    each.__name__.strip("_").replace("_", "-"): each
    for each in (
        _no_record, _no_records_in_a_row, _moved, _retired, _stranger, _forged_before, _details_that_never_were, _begun_anew, _twice, _one_person,
        _a_machine_as_the_second, _a_strangers_key, _a_key_of_their_own, _a_successors_key, _another_second_than_named, _signed_as_a_claim, _without_the_second,
        _of_another_line, _of_another_ledger, _of_claimed_records, _of_the_first_record, _of_the_future, _of_too_many,
        _a_reason_too_long, _a_reason_of_astral_characters, _holds_none, _lone_surrogate, _of_a_record_within_the_hour,
        _a_sign_off_of_nobody, _a_drill_of_nobody, _a_head_of_nobody, _a_head_by_a_strangers_key, _a_key_that_is_none, _a_beginning,
        _a_successor_of_nobody, _a_successor_of_nobody_who_signs, _an_honest_head, _the_second_persons_key_added_by_a_stranger,
        _claimed_afterwards, _claimed_afterwards_and_the_claim_set_aside, _claimed_afterwards_with_another, _claimed_before,
        _the_second_person_enrolled_later, _the_second_persons_key_a_successor_later, _a_writer_as_the_second,
    )
}  # fmt: skip
"""What is set aside in a ledger with claims, and how."""
