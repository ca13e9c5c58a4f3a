"""Whether anything was changed, and whether anything expected is missing: two verdicts, always apart.

*Integrity* is one pass over the lines as they are stored: each is hashed as it stands, never written
again, and must be what the next one names. *Completeness* compares what was planned with what was
recorded. What a chain alone cannot show, a rewriting of the whole of it, is shown by heads held
elsewhere and is not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from portalops.errors import PortalOpsError
from portalops.jobs import missed_slots
from portalops.ledger import bodies
from portalops.ledger.chain import Fault, Faults, check_chain
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import FINISHED
from portalops.ledger.runs import is_running
from portalops.model.message import Message, msg
from portalops.model.record import Digest, Record
from portalops.model.runs import Run, Slot
from portalops.registers.runs import fold_runs


@dataclass(frozen=True, slots=True)
class Integrity:
    """The first verdict: nothing was changed."""

    records: int
    first_at: str
    """`at` of the oldest and the newest record, as they stand; empty for an empty ledger."""
    last_at: str
    head: Digest
    """Digest of the newest line: whoever noted it can later tell whether this chain still holds it."""
    faults: tuple[Fault, ...]
    """Ordered by record, at most `MAX_FAULTS`."""
    fault_count: int
    blobs: int
    """How many blobs were looked at."""
    blobs_read: bool
    """They were read and digested; otherwise only that each is there."""

    @property
    def holds(self) -> bool:
        """Nothing was found changed."""
        return self.fault_count == 0

    @property
    def first_bad(self) -> int | None:
        """The first record that cannot be trusted."""
        return min((fault.seq for fault in self.faults), default=None)


@dataclass(frozen=True, slots=True)
class Completeness:
    """The second verdict: nothing expected is missing."""

    crashed: tuple[Run, ...]
    """Started and never finished."""
    running: tuple[Run, ...]
    """Started, and their process is alive."""
    unbegun: tuple[Record, ...]
    """Finished records without a started one."""
    missing: tuple[Slot, ...]
    """Slots of planned jobs in which no run was recorded."""
    problem: Message | None = None
    """Why it could not be found out; then the lists are empty and mean nothing."""

    @property
    def holds(self) -> bool:
        """Nothing expected is missing. Crashed runs are listed, and missing only where nothing else fills their slot."""
        return self.problem is None and not self.missing and not self.unbegun


@dataclass(frozen=True, slots=True)
class Verification:
    """Both verdicts."""

    ledger: str
    """The ledger's id; empty if the first record does not name it."""
    integrity: Integrity
    completeness: Completeness


def verify(
    ledger: Ledger,
    *,
    now: datetime,
    zone: ZoneInfo,
    read_blobs: bool = True,
    advance: Callable[[int], None] = lambda _amount: None,
) -> Verification:
    """Look at the whole ledger.

    Args:
        ledger: may be open for reading only.
        now: slots that end later are not missing yet.
        zone: the portal's.
        read_blobs: read and digest every blob; otherwise only see that it is there.
        advance: is told of records done.

    Raises:
        LedgerError: the file cannot be read at all.
    """
    faults = Faults()
    with ledger.snapshot() as snapshot:
        chain = check_chain(snapshot, faults, advance)
    blobs = _check_blobs(ledger, faults, read_blobs=read_blobs)
    integrity = Integrity(
        chain.records, chain.first_at, chain.last_at, chain.head, tuple(faults.first()), faults.count, blobs, read_blobs
    )
    return Verification(_id_of(ledger), integrity, _completeness(ledger, now=now, zone=zone))


def check_runs(records: Sequence[Record], missing: tuple[Slot, ...], is_alive: Callable[[Run], bool]) -> Completeness:
    """Sort the runs that frame records tell of; pure."""
    runs = fold_runs(records)
    unfinished = [run for run in runs if run.finished_at is None]
    running = tuple(run for run in unfinished if is_alive(run))
    started = {(run.id, run.kind) for run in runs}
    unbegun = tuple(
        record
        for record in records
        if record.kind.endswith(FINISHED) and (record.run, record.kind.removesuffix(FINISHED)) not in started
    )
    return Completeness(tuple(run for run in unfinished if run not in running), running, unbegun, missing)


def _check_blobs(ledger: Ledger, faults: Faults, *, read_blobs: bool) -> int:
    """Look at each blob once: those that records name, and those that their results rest on."""
    seen: set[bytes] = set()
    for seq, body in ledger.bodies():
        if not _DIGEST.fullmatch(body):
            continue  # the chain's pass has named the record
        waiting = [body]
        while waiting:
            digest = waiting.pop()
            if (key := bytes.fromhex(digest)) in seen:
                continue
            seen.add(key)
            if not read_blobs:
                if not ledger.has_blob(digest):
                    faults.add(seq, msg("record {seq}: blob {digest} is missing", seq=seq, digest=digest))
                continue
            try:
                blob = ledger.blob(digest)
            except PortalOpsError as error:
                faults.add(seq, msg("record {seq}: {cause}", seq=seq, cause=error.message))
                continue
            if digest == body:
                waiting += sorted(bodies.evidence_of(blob))
    return len(seen)


def _completeness(ledger: Ledger, *, now: datetime, zone: ZoneInfo) -> Completeness:
    try:
        frames = tuple(ledger.frames())
        missing = missed_slots(ledger.plans(), fold_runs(frames), until=now, zone=zone)
    except PortalOpsError as error:
        return Completeness((), (), (), (), problem=error.message)
    return check_runs(frames, missing, lambda run: is_running(ledger.folder, run))


def _id_of(ledger: Ledger) -> str:
    try:
        return ledger.id
    except PortalOpsError:
        return ""  # the pass over the records or the blobs has named why


_DIGEST = re.compile(r"[0-9a-f]{64}")
