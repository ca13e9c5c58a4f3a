"""Ledgers for the corpus in which whoever may append, or has a stolen writer's key, records what says nothing of its own.

That is another record's text, word for word, or a record whose details never were there; two persons set it aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from portalops import bodies
from portalops.ledger.heads import rotate_key
from portalops.ledger.heeded import find_time_order
from portalops.ledger.record import encode
from portalops.ledger.set_aside import stored_lines
from portalops.model.heads import Erasure, SignOff
from portalops.model.record import Digest, Record
from portalops.registers.drills import NAMESPACE as DRILL
from portalops.registers.sign_offs import NAMESPACE as SIGN_OFF
from portalops.signatures.sshsig import sign
from tests.conformance.claims import PERSON, THIEF, append, claim, claimed, enrol
from tests.conformance.clocks import FAR, forge, go_on, mend, run_ahead
from tests.conformance.quarantines import put_line, quarantine, strange
from tests.conformance.stolen import end_person
from tests.ledger.bundle.bundles import Written, key_of

GONE = Digest("d" * 64)
"""Of details that never were there."""

REPLAYED = (
    "head", "key.added", "key.retired", "claim", "writer.added", "writer.ended", "ledger.quarantined", "ledger.clock-mended",
    "sign-off", "drill.imported", "plan", "blob.erased", "ledger.created", "ledger.moved",
)  # fmt: skip
"""Kinds with an authority of their own."""


def _newest_at(written: Written) -> datetime:
    newest = written.ledger.last()
    assert newest is not None
    return newest.at


MOMENTS: Mapping[str, Callable[[Written], datetime]] = {
    "earlier": lambda written: _newest_at(written) - timedelta(milliseconds=1),
    "at-the-same-time": _newest_at,
    "later": lambda written: written.clock.at,
    "of-the-future": lambda _written: FAR,
}
"""When a record is recorded again."""


def with_each_kind(folder: Path) -> Written:
    """Make a claimed ledger that holds, with a record of each kind that has an authority of its own."""
    written = claimed(folder)
    old, written.key = written.key, key_of(3)
    rotate_key(written.ledger, old, written.key, reason="a new year", clock=written.clock)
    enrol(written, THIEF, "binh")
    text = f"{Digest('b' * 64)}  report.html\n"
    signed = sign(text.encode(), key_of(9), SIGN_OFF)
    person = key_of(9).public_key
    written.append("sign-off", sign_off=SignOff("report.html", Digest("b" * 64), "an", "An", "x", person, text, signed))
    report = '{"drill":"x"}'
    written.append(
        "drill.imported", drill_report={"text": report, "signature": sign(report.encode(), key_of(10), DRILL)}
    )
    gone = written.append("note.added", note="personal")
    written.append("blob.erased", erased=Erasure(gone, "personal data", "An"))
    written.append("ledger.moved", moved={"from": "elsewhere", "head": "0" * 64, "records": 1, "to": "file"})
    written.ledger.claim()
    end_person(written)
    strange_one = strange(written)
    quarantine(written, strange_one, strange_one)
    mend(written, run_ahead(written))
    go_on(written)
    return written


def replay(written: Written, kind: str, moment: str) -> int:
    """Record the newest record of a kind once more, of heads the one before it if there is one; return its number."""
    newest = list(written.ledger.records(kinds=(kind,), newest_first=True))
    again = newest[1 if kind == "head" and len(newest) > 1 else 0]
    written.clock.move(timedelta(minutes=1))
    at = MOMENTS[moment](written)
    parts: dict[str, Any] = dict(bodies.read(written.ledger.blob(again.body)))
    return forge(written, kind, at, **parts).seq


def cure(written: Written, seq: int) -> None:
    """Set a record aside, and go on."""
    quarantine(written, seq, seq)
    written.ledger.find_time_order = find_time_order
    go_on(written)


def _replayed_and_set_aside(kind: str, moment: str, written: Written) -> None:
    cure(written, replay(written, kind, moment))


def _replayed(kind: str, written: Written) -> None:
    replay(written, kind, "later")
    go_on(written)


def _without_details(kind: str, written: Written) -> Record:
    """Record what names details that never were there, and claim it with a stolen key."""
    drafted = written.ledger.draft(kind, body=GONE)
    record = encode(drafted, seq=written.ledger.newest_number() + 1, at=written.clock.at, prev=_newest(written))
    put_line(written, record.line)
    claim(written, PERSON, record)
    return record


def _newest(written: Written) -> Digest:
    ((_seq, digest, _record),) = stored_lines(written.ledger, (written.ledger.newest_number(),))
    return digest


def _claimed_without_details(kind: str, written: Written) -> None:
    record = _without_details(kind, written)
    end_person(written)
    cure(written, record.seq)


def _claimed_without_evidence(written: Written) -> None:
    record = append(written, "backup.adopted", adopted={"evidence": [GONE]})
    claim(written, PERSON, record)
    end_person(written)
    cure(written, record.seq)


def _without_details_of_a_writer_still_there(written: Written) -> None:
    record = _without_details("claim", written)
    quarantine(written, record.seq, record.seq)


def _with_details_of_an_ended_writer(written: Written) -> None:
    record = append(written, "backup.adopted", adopted={"id": "x"})
    claim(written, PERSON, record)
    end_person(written)
    cure(written, record.seq)


def _a_writer_claimed_by_a_stolen_key(written: Written) -> None:
    again = enrol(written, PERSON, "an")
    claim(written, PERSON, again)
    cure(written, again.seq)


def _a_copy_behind_the_newest_head(written: Written) -> None:
    written.head()
    replay(written, "head", "later")
    written.head()


def _a_quarantine_of_the_future_below_a_head(written: Written) -> None:
    seq = strange(written)
    quarantine(written, seq, seq)
    replay(written, "ledger.quarantined", "of-the-future")
    written.head()


def _each_copied(written: Written) -> None:
    written.head()
    for record in list(written.ledger.records(kinds=("head",))):
        _put_again(written, record)
    go_on(written)


def _put_again(written: Written, record: Record) -> None:
    parts: dict[str, Any] = dict(bodies.read(written.ledger.blob(record.body)))
    forge(written, record.kind, written.clock.at, **parts)


def _a_copy_with_more_in_its_body(written: Written) -> None:
    head = next(written.ledger.records(kinds=("head",)))
    parts: dict[str, Any] = dict(bodies.read(written.ledger.blob(head.body)))
    cure(written, forge(written, "head", written.clock.at, **parts, note="x").seq)


LACKING = ("claim", "head", "key.added", "ledger.quarantined", "writer.added", "sign-off", "backup.adopted")
"""Kinds that a stolen key claims without details."""

CASES: Mapping[str, Callable[[Written], None]] = {
    **{
        f"{kind}-{moment}-set-aside": partial(_replayed_and_set_aside, kind, moment)
        for kind in ("head", "writer.added")
        for moment in MOMENTS
    },
    **{f"{kind}-again": partial(_replayed, kind) for kind in ("head", "writer.added")},
    **{f"{kind}-without-details-set-aside": partial(_claimed_without_details, kind) for kind in LACKING},
    **{
        each.__name__.strip("_").replace("_", "-"): each
        for each in (
            _claimed_without_evidence,
            _without_details_of_a_writer_still_there,
            _with_details_of_an_ended_writer,
            _a_writer_claimed_by_a_stolen_key,
            _a_copy_behind_the_newest_head,
            _a_quarantine_of_the_future_below_a_head,
            _each_copied,
            _a_copy_with_more_in_its_body,
        )
    },
}
"""What is recorded in a ledger with claims."""
