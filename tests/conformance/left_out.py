"""Ledgers for the corpus in which an ended writer's record is set aside for the want of its details, and bundles that leave these out.

Two months later no details of that time belong to a bundle, but those that are there of what a quarantine names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from portalops import bodies
from portalops.ledger.blobs import digest_of
from portalops.model.period import Period
from portalops.model.record import Digest, Record
from tests.conformance.claims import LATER, PERSON, append, claim
from tests.conformance.quarantines import quarantine
from tests.conformance.replays import CASES as REPLAYS
from tests.conformance.replays import GONE, cure
from tests.conformance.stolen import end_person
from tests.ledger.bundle.bundles import PERIOD, Written
from tests.verifier.scene import Tampered

AFTER = timedelta(days=70)


@dataclass(frozen=True)
class LeftOut:
    """A ledger, and what a bundle of it leaves out."""

    write: Callable[[Written], Record | None]
    """Returns the record that is set aside, where details of it are stripped."""
    of: str = ""
    """`body` or `evidence` is stripped, `withheld` is the body; empty for a bundle as portalops writes it."""
    is_later: bool = True
    """The bundle is of two months later."""


def lacking(written: Written, digest: Digest = GONE) -> Record:
    """Record what names details that never were there, by an ended writer; two persons set it aside."""
    record = append(written, "backup.adopted", adopted={"evidence": [digest]})
    claim(written, PERSON, record)
    end_person(written)
    cure(written, record.seq)
    return record


def whole(written: Written) -> Record:
    """The same with details that are there; it can't be told from `came_back`."""
    return lacking(written, written.ledger.keep(b"what a tool printed\n"))


def came_back(written: Written) -> Record:
    """The same with details that somebody puts there afterwards, as whoever may write one blob can."""
    found = b"what a thief wrote\n"
    record = lacking(written, digest_of(found))
    written.ledger.keep(found)
    return record


def _strangers(written: Written) -> Record:
    record = append(written, "note.added")
    written.clock.move(LATER)
    quarantine(written, record.seq, record.seq)
    return record


def _replayed(name: str, written: Written) -> None:
    REPLAYS[name](written)


CASES: Mapping[str, LeftOut] = {
    "there": LeftOut(whole),
    "came-back": LeftOut(came_back),
    "came-back-of-its-time": LeftOut(came_back, is_later=False),
    "body-left-out": LeftOut(whole, "body"),
    "evidence-left-out": LeftOut(whole, "evidence"),
    "never-there": LeftOut(lacking),
    "never-there-of-its-time": LeftOut(lacking, is_later=False),
    "withheld": LeftOut(whole, "withheld", is_later=False),
    "a-strangers": LeftOut(_strangers),
    "a-strangers-left-out": LeftOut(_strangers, "body"),
    "head-again": LeftOut(partial(_replayed, "head-later-set-aside")),
    "writer-again": LeftOut(partial(_replayed, "writer.added-later-set-aside")),
}


def two_months_later(written: Written) -> Period:
    """Expect nothing more, and go on two months later; return the period of a bundle of then."""
    written.plan()
    written.ledger.claim()
    written.clock.move(AFTER)
    day = written.clock.at.date()
    return Period(day - timedelta(days=2), day)


def bundle_of(case: LeftOut, written: Written, folder: Path, export: Callable[..., Path]) -> Path:
    """Write a case's bundle; `export` does so given ledger, place, digests that are withheld, and period."""
    record = case.write(written)
    period = two_months_later(written) if case.is_later else PERIOD
    withheld = (record.body,) if record is not None and case.of == "withheld" else ()
    bundle = export(written, folder / "bundle", *withheld, period=period)
    if record is None or case.of not in {"body", "evidence"}:
        return bundle
    return stripped(written, bundle, folder / "stripped", _details(written, record, case.of))


def _details(written: Written, record: Record, of: str) -> Iterator[Digest]:
    yield from (record.body,) if of == "body" else bodies.evidence_of(written.ledger.blob(record.body))


def stripped(written: Written, bundle: Path, place: Path, digests: Iterator[Digest]) -> Path:
    """Return a copy of a bundle without some details, as whoever holds the ledger's key can make it; what they name goes too."""
    changed = Tampered(bundle, place, written.key)
    for digest in digests:
        named = bodies.evidence_of(written.ledger.blob(digest))
        for each in (digest, *named):
            (changed.folder / "blobs" / each).unlink(missing_ok=True)
    changed.sum_up(sign_it=True)
    return changed.folder
