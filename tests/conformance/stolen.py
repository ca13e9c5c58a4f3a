"""Ledgers for the corpus in which a stolen writer's key claims what is wrong, and two persons set the claim or the record aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from portalops.model.heads import Erasure
from portalops.model.record import Record
from portalops.model.writers import WriterState
from tests.conformance.claims import MACHINE, PERSON, append, claim, enrol
from tests.conformance.quarantines import quarantine
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import DAILY

VOID: Mapping[str, Mapping[str, object]] = {
    "claim": {"claim": {"text": "x", "signature": "x"}},
    "writer.added": {"writer": {"text": "x", "signature": "x"}},
    "writer.ended": {"writer": {"text": "x", "signature": "x"}},
    "ledger.quarantined": {"quarantine": {"text": "x", "signature": "x", "second_signature": "x"}},
    "ledger.clock-mended": {"mended_clock": {"text": "x", "signature": "x", "second_signature": "x"}},
    "head": {"head": {"text": "x", "signature": "x"}},
    "key.added": {"key": {"public_key": "x"}},
    "sign-off": {"sign_off": {"report": "x"}},
    "drill.imported": {"drill_report": {"text": "x", "signature": "x"}},
    "plan": {"plan": 7},
    "blob.erased": {"erased": {"digest": "c" * 64, "reason": "x", "approved_by": "x"}},
}
"""Kinds of records that count for nothing, or that a machine without authority may not record."""


def set_newest_aside(written: Written) -> None:
    seq = written.ledger.count()
    quarantine(written, seq, seq)


def end_person(written: Written) -> None:
    enrol(written, PERSON, "an", state=WriterState.ENDED)


def _machines(written: Written) -> Record:
    return next(written.ledger.records(kinds=("check.started",), newest_first=True))


def _contradict(written: Written, record: Record, *, is_ended: bool, is_aside: bool = True) -> None:
    claim(written, PERSON, record, digest="0" * 64)
    seq = written.ledger.count()
    if is_ended:
        end_person(written)
    if is_aside:
        quarantine(written, seq, seq)


def _a_machines_record(written: Written) -> None:
    _contradict(written, _machines(written), is_ended=False, is_aside=False)


def _a_machines_record_set_aside(written: Written) -> None:
    _contradict(written, _machines(written), is_ended=True)


def _a_machines_record_set_aside_of_a_writer_still_there(written: Written) -> None:
    _contradict(written, _machines(written), is_ended=False)


def _the_first_record_set_aside(written: Written) -> None:
    (first,) = written.ledger.records(limit=1)
    _contradict(written, first, is_ended=True)


def _the_first_record(written: Written) -> None:
    (first,) = written.ledger.records(limit=1)
    _contradict(written, first, is_ended=False, is_aside=False)


def _a_record_of_its_own(written: Written) -> None:
    _contradict(written, append(written, "note.added"), is_ended=True, is_aside=False)


def _a_record_of_its_own_set_aside(written: Written) -> None:
    record = append(written, "note.added")
    _contradict(written, record, is_ended=True)
    claim(written, MACHINE, record)


def _first_of_two(written: Written) -> None:
    first, second = (append(written, "note.added", note=each) for each in "xy")
    claim(written, PERSON, first)
    claim(written, MACHINE, first, second)


def _first_of_two_and_set_aside(written: Written) -> None:
    _first_of_two(written)
    set_newest_aside(written)


def _first_of_two_and_the_rivals_claim_claimed(written: Written) -> None:
    _first_of_two(written)
    rival = next(written.ledger.records(kinds=("claim",), newest_first=True))
    claim(written, PERSON, rival)
    quarantine(written, rival.seq, rival.seq)


def _partly_of_what_was_set_aside(written: Written) -> None:
    first, second = (append(written, "note.added", note=each) for each in "xy")
    quarantine(written, first.seq, first.seq)
    claim(written, PERSON, first, second)
    set_newest_aside(written)


def _void(kind: str, written: Written) -> None:
    record = append(written, kind, **VOID[kind])
    claim(written, PERSON, record)
    end_person(written)
    quarantine(written, record.seq, record.seq)


def _an_honest_record(written: Written) -> None:
    record = append(written, "note.added")
    claim(written, PERSON, record)
    end_person(written)
    quarantine(written, record.seq, record.seq)


def erase_kept(written: Written, kind: str = "plan") -> Record:
    """Record and claim with authority `all` that the details of the first record of a kind were erased; nothing is removed."""
    (kept,) = written.ledger.records(kinds=(kind,), limit=1)
    erasure = append(written, "blob.erased", erased=Erasure(kept.body, "personal data", "somebody"))
    claim(written, MACHINE, erasure)
    return erasure


def _erase_kept(kind: str, written: Written) -> None:
    erase_kept(written, kind)


def _void_erasure_set_aside(written: Written) -> None:
    erasure = erase_kept(written)
    quarantine(written, erasure.seq, erasure.seq)


def before_any_writer(folder: Path) -> Written:
    """Make a ledger without writers, in which claims and writers that are none are set aside."""
    written = Written(folder)
    written.plan(DAILY)
    written.head()
    for kind in ("claim", "writer.added", "ledger.quarantined"):
        record = append(written, kind, **VOID[kind])
        quarantine(written, record.seq, record.seq)
    return written


CASES: Mapping[str, Callable[[Written], None]] = {
    **{
        each.__name__.strip("_").replace("_", "-"): each
        for each in (
            _a_machines_record,
            _a_machines_record_set_aside,
            _a_machines_record_set_aside_of_a_writer_still_there,
            _the_first_record,
            _the_first_record_set_aside,
            _a_record_of_its_own,
            _a_record_of_its_own_set_aside,
            _first_of_two,
            _first_of_two_and_set_aside,
            _first_of_two_and_the_rivals_claim_claimed,
            _partly_of_what_was_set_aside,
            _an_honest_record,
            _void_erasure_set_aside,
        )
    },
    **{
        f"void-erasure-of-{kind}": partial(_erase_kept, kind)
        for kind in ("plan", "key.added", "head", "claim", "ledger.created")
    },
    **{f"void-{kind}": partial(_void, kind) for kind in VOID},
}
"""What the stolen key claims in a ledger with claims, and what is done against it."""
