"""Ledgers with claims for the corpus: honest ones, and such as others than the enrolled writers appended to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from portalops import bodies
from portalops.files import write_atomically
from portalops.ledger.claimant import MachineClaimant, draft_claim, record_writer
from portalops.ledger.claims import CLAIM_NAMESPACE, KEY, WRITER_NAMESPACE, text_of_claim, text_of_writer
from portalops.ledger.heads import NAMESPACE, head_digest, newest_head, rotate_key, text_of
from portalops.ledger.heeded import find_time_order, heeds_move
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN, Draft, line_digest
from portalops.model.heads import Head, KeyEvent
from portalops.model.record import Digest, Record
from portalops.model.runs import Plan
from portalops.model.writers import Authority, LineRange, WriterClaim, WriterEvent, WriterState
from portalops.signatures.sshsig import SigningKey, sign
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import DAILY, START, ZONE

MACHINE, PERSON, THIEF = key_of(5), key_of(7), key_of(8)
LATER = timedelta(hours=1, milliseconds=1)


def written_with_claims(folder: Path) -> Written:
    """Return an empty ledger whose machine claims what it records, with a key that never changes."""
    forms = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    write_atomically(folder / KEY, MACHINE.private.private_bytes(*forms), mode=0o600)
    written = Written(folder, key_of(2))
    written.ledger.claimant = MachineClaimant(folder, written.clock, "web1", enrols=True)
    return written


def claimed(folder: Path) -> Written:
    """Make a ledger in which nothing is missing and everything is claimed: by a machine, and by a person who is enrolled later."""
    written = written_with_claims(folder)
    written.plan(DAILY)
    for number in range(1, 8):
        written.at(START + timedelta(days=number))
        written.check(written.clock.at.date())
        if number == 2:
            written.head()
        elif number == 4:
            enrol(written, PERSON, "an")
            theirs = append(written, "note.added")
            written.append("note.added", note="mine")
            claim(written, PERSON, theirs)
        written.ledger.claim()
    written.at(START + timedelta(days=8))
    return written


def stranger(written: Written) -> Ledger:
    """Return the same ledger as somebody has it who claims nothing."""
    ledger = Ledger.open(written.folder, written.clock, create=True, heeds_move=heeds_move)
    ledger.find_time_order = find_time_order
    return ledger


def append(written: Written, kind: str, **parts: object) -> Record:
    return stranger(written).append(kind, run=NO_RUN, body=bodies.write(parts or {"note": "x"}))


def enrol(written: Written, key: SigningKey, name: str, *, state: WriterState = WriterState.ADDED) -> Record:
    event = WriterEvent(written.ledger.id, state, key.public_key, name, Authority.RECORDS)
    return record_writer(stranger(written), event, written.key)


def claim(written: Written, key: SigningKey, *records: Record, digest: str = "") -> None:
    ranges = [LineRange(each.seq, each.seq, Digest(digest) or line_digest(each.line)) for each in records]
    ledger = stranger(written)
    ledger.append_many((draft_claim(ledger, key, ranges),))


def append_head(written: Written, key: SigningKey) -> None:
    """Sign over whatever is there."""
    ledger, before = stranger(written), newest_head(written.ledger)
    last = ledger.last()
    assert last is not None
    assert before is not None
    head = Head(ledger.id, last.seq, line_digest(last.line), written.clock.now(), head_digest(before.signed.text))
    put(written, "head", "head", text_of(head), sign(text_of(head).encode(), key, NAMESPACE))


def put(written: Written, kind: str, part: str, text: str, signature: str) -> None:
    append(written, kind, **{part: {"text": text, "signature": signature}})


def _own(written: Written) -> Record:
    """Return a record that the machine has claimed."""
    return next(written.ledger.records(kinds=("check.started",), newest_first=True))


def _other_lines(written: Written) -> None:
    claim(written, PERSON, append(written, "note.added"), digest="a" * 64)


def _unknown_key(written: Written) -> None:
    claim(written, THIEF, append(written, "note.added"))


def _foreign(written: Written) -> None:
    claim(written, PERSON, _own(written))


def _foreign_in_part(written: Written) -> None:
    claim(written, PERSON, _own(written), append(written, "note.added"))


def _replayed(written: Written) -> None:
    record = next(written.ledger.records(kinds=("claim",), newest_first=True))
    stranger(written).append("claim", run=NO_RUN, body=written.ledger.blob(record.body))


def _unclaimed(written: Written) -> None:
    append(written, "note.added")
    append(written, "check.started")
    written.clock.move(LATER)
    written.append("note.added", note="later")


def _unclaimed_for_an_hour(written: Written) -> None:
    append(written, "note.added")
    written.clock.move(timedelta(hours=1))
    written.append("note.added", note="later")


def _writer_unsigned(written: Written) -> None:
    event = WriterEvent(written.ledger.id, WriterState.ADDED, THIEF.public_key, "web2", Authority.ALL)
    record_writer(stranger(written), event, THIEF)
    claim(written, THIEF, append(written, "note.added"))


def _writer_signed_as_a_claim(written: Written) -> None:
    text = text_of_writer(WriterEvent(written.ledger.id, WriterState.ADDED, THIEF.public_key, "b", Authority.ALL))
    put(written, "writer.added", "writer", text, sign(text.encode(), written.key, CLAIM_NAMESPACE))


def _writer_ended(written: Written) -> None:
    enrol(written, PERSON, "an", state=WriterState.ENDED)
    claim(written, PERSON, append(written, "note.added"))


def _writer_back_again(written: Written) -> None:
    enrol(written, PERSON, "an", state=WriterState.ENDED)
    enrol(written, PERSON, "an")
    claim(written, PERSON, append(written, "note.added"))


def _writer_of_another_state(written: Written) -> None:
    text = text_of_writer(WriterEvent(written.ledger.id, WriterState.ENDED, PERSON.public_key, "an", Authority.ALL))
    put(written, "writer.added", "writer", text, sign(text.encode(), written.key, WRITER_NAMESPACE))


def _writer_of_another_ledger(written: Written) -> None:
    text = text_of_writer(WriterEvent("f" * 32, WriterState.ADDED, THIEF.public_key, "b", Authority.ALL))
    put(written, "writer.added", "writer", text, sign(text.encode(), written.key, WRITER_NAMESPACE))


def _of_another_ledger(written: Written) -> None:
    theirs = append(written, "note.added")
    text = text_of_claim(WriterClaim("f" * 32, (LineRange(theirs.seq, theirs.seq, line_digest(theirs.line)),)))
    put(written, "claim", "claim", text, sign(text.encode(), PERSON, CLAIM_NAMESPACE))


def _signed_as_a_head(written: Written) -> None:
    theirs = append(written, "note.added")
    ranges = (LineRange(theirs.seq, theirs.seq, line_digest(theirs.line)),)
    text = text_of_claim(WriterClaim(written.ledger.id, ranges))
    put(written, "claim", "claim", text, sign(text.encode(), PERSON, "portalops-head"))


def _backwards(written: Written) -> None:
    first, second = append(written, "note.added"), append(written, "note.added", note="y")
    claim(written, PERSON, second, first)


def _huge_numbers(written: Written) -> None:
    ranges = (LineRange(10**17 + 1, 10**18 - 1, Digest("a" * 64)),)
    ledger = stranger(written)
    ledger.append_many((draft_claim(ledger, PERSON, ranges),))


def _of_the_future(written: Written) -> None:
    last = written.ledger.last()
    assert last is not None
    ranges = (LineRange(last.seq + 1, last.seq + 1, Digest("a" * 64)),)
    ledger = stranger(written)
    ledger.append_many((draft_claim(ledger, PERSON, ranges),))


def _too_many_ranges(written: Written) -> None:
    ranges = tuple(LineRange(number, number, Digest("a" * 64)) for number in range(1, 1002))
    text = text_of_claim(WriterClaim(written.ledger.id, ranges))
    put(written, "claim", "claim", text, sign(text.encode(), PERSON, CLAIM_NAMESPACE))


def _holds_none(written: Written) -> None:
    append(written, "claim", claim=[])
    append(written, "writer.added", writer=7)


def _without_details(written: Written) -> None:
    stranger(written).append_many((Draft("claim", Digest("c" * 64)),))


def _lone_surrogate(written: Written) -> None:
    body = b'{"claim":{"signature":"x","text":"\\ud800"}}\n'
    stranger(written).append("claim", run=NO_RUN, body=body)


def _plan_without_authority(written: Written) -> None:
    plan = Plan((), "kh-37-2010@2026.11", Digest("a" * 64), ZONE.key)
    claim(written, PERSON, append(written, "plan", plan=plan))


def _erasure_without_authority(written: Written) -> None:
    body = {"digest": "b" * 64, "reason": "x", "approved_by": "x"}
    claim(written, PERSON, append(written, "blob.erased", erased=body))


def _add_key(written: Written, key: SigningKey, *, replaces: str = "") -> None:
    append(written, "key.added", key=KeyEvent(key.public_key, "x", replaces))


def _name_writer(written: Written, writer: SigningKey, name: str, key: SigningKey) -> None:
    event = WriterEvent(written.ledger.id, WriterState.ADDED, writer.public_key, name, Authority.ALL)
    record_writer(stranger(written), event, key)


def _writer_by_a_key_of_its_own(written: Written) -> None:
    _add_key(written, THIEF)
    _name_writer(written, THIEF, "web2", THIEF)
    claim(written, THIEF, *written.ledger.records(kinds=("key.added",), newest_first=True, limit=1))


def _writer_by_a_key_behind_a_key_of_its_own(written: Written) -> None:
    _add_key(written, THIEF)
    _add_key(written, PERSON, replaces=THIEF.public_key)
    append_head(written, THIEF)
    _name_writer(written, THIEF, "web2", PERSON)


def _writer_by_a_key_that_a_person_stands_for(written: Written) -> None:
    _add_key(written, THIEF)
    claim(written, PERSON, *written.ledger.records(kinds=("key.added",), newest_first=True, limit=1))
    _name_writer(written, THIEF, "web2", THIEF)


def _writer_by_a_successor(written: Written) -> None:
    old, written.key = written.key, key_of(3)
    rotate_key(stranger(written), old, written.key, reason="a new year", clock=written.clock)
    _name_writer(written, THIEF, "web2", written.key)
    claim(written, THIEF, *written.ledger.records(kinds=("key.added", "key.retired"), since=written.clock.at))


def _writer_by_a_lost_keys_successor(written: Written) -> None:
    written.key = key_of(3)
    rotate_key(written.ledger, None, written.key, reason="lost", clock=written.clock)
    _name_writer(written, THIEF, "web2", written.key)


def _retire_key(written: Written) -> None:
    append(written, "key.retired", key=KeyEvent(written.key.public_key, "x", ""))


def _head_by_a_key_of_its_own(written: Written) -> None:
    _add_key(written, THIEF)
    append_head(written, THIEF)


def _key_retired_by_a_head_of_a_key_of_its_own(written: Written) -> None:
    _add_key(written, THIEF)
    _retire_key(written)
    append_head(written, THIEF)


def _key_retired_for_a_successor_of_its_own(written: Written) -> None:
    _add_key(written, THIEF)
    _add_key(written, PERSON, replaces=THIEF.public_key)
    append_head(written, THIEF)
    _retire_key(written)
    append_head(written, PERSON)


def _writer_by_a_key_that_a_machine_stands_for(written: Written) -> None:
    _add_key(written, THIEF)
    claim(written, MACHINE, *written.ledger.records(kinds=("key.added",), newest_first=True, limit=1))
    _name_writer(written, THIEF, "web2", THIEF)


def _rival_in_part(written: Written) -> None:
    first, second, third = (append(written, "note.added", note=text) for text in ("a", "b", "c"))
    claim(written, PERSON, second)
    ledger = stranger(written)
    ledger.append_many((draft_claim(ledger, MACHINE, [LineRange(first.seq, third.seq, line_digest(third.line))]),))


def _rival_of_all(written: Written) -> None:
    records = [append(written, "note.added", note=text) for text in ("a", "b")]
    claim(written, PERSON, *records)
    claim(written, MACHINE, *records)


def _writer_of_a_taken_name(written: Written) -> None:
    _name_writer(written, THIEF, "web1", written.key)


def _writer_of_an_ended_name(written: Written) -> None:
    enrol(written, PERSON, "an", state=WriterState.ENDED)
    enrol(written, THIEF, "an")
    claim(written, THIEF, append(written, "note.added"))


def _move_without_authority(written: Written) -> None:
    claim(written, PERSON, append(written, "ledger.moved", moved={"from": "a", "to": "b"}))


def _two_heads_of_one_size(written: Written, *keys: SigningKey) -> None:
    append(written, "note.added")
    ledger, before = stranger(written), newest_head(written.ledger)
    last = ledger.last()
    assert last is not None and before is not None
    for key in keys:
        text = text_of(
            Head(ledger.id, last.seq, line_digest(last.line), written.clock.now(), head_digest(before.signed.text))
        )
        put(written, "head", "head", text, sign(text.encode(), key, NAMESPACE))


def _head_of_the_size_of_a_strangers(written: Written) -> None:
    _two_heads_of_one_size(written, THIEF, written.key)


def _strangers_head_of_the_size_of_ours(written: Written) -> None:
    _two_heads_of_one_size(written, written.key, THIEF)


def _next_key_retired_before_it_is_confirmed(written: Written) -> None:
    following = key_of(3)
    append(written, "key.added", key=KeyEvent(following.public_key, "a new year", written.key.public_key))
    append(written, "key.retired", key=KeyEvent(written.key.public_key, "x", ""))
    append(written, "key.retired", key=KeyEvent(following.public_key, "x", ""))
    append_head(written, written.key)
    written.key = following
    written.head()


CASES: Mapping[str, Callable[[Written], None]] = {
    each.__name__.strip("_").replace("_", "-"): each
    for each in (
        _other_lines, _unknown_key, _foreign, _foreign_in_part, _replayed, _unclaimed, _unclaimed_for_an_hour,
        _writer_unsigned, _writer_signed_as_a_claim, _writer_ended, _writer_back_again, _writer_of_another_state,
        _writer_of_another_ledger, _of_another_ledger, _signed_as_a_head, _backwards, _huge_numbers, _of_the_future,
        _too_many_ranges, _holds_none, _without_details, _lone_surrogate, _plan_without_authority, _erasure_without_authority,
        _move_without_authority,
        _writer_by_a_key_of_its_own, _writer_by_a_key_behind_a_key_of_its_own, _writer_by_a_key_that_a_person_stands_for,
        _head_by_a_key_of_its_own, _key_retired_by_a_head_of_a_key_of_its_own, _key_retired_for_a_successor_of_its_own,
        _writer_by_a_key_that_a_machine_stands_for, _rival_in_part, _rival_of_all,
        _writer_by_a_successor, _writer_by_a_lost_keys_successor, _writer_of_a_taken_name, _writer_of_an_ended_name,
        _head_of_the_size_of_a_strangers, _strangers_head_of_the_size_of_ours, _next_key_retired_before_it_is_confirmed,
    )
}  # fmt: skip
"""What somebody appends to a ledger with claims; all but one name are of what counts for nothing."""
