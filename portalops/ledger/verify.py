"""Whether anything was changed, and whether anything expected is missing: two verdicts, always apart.

*Integrity* is one pass over the lines as they are stored: each is hashed as it stands, never written
again, and must be what the next one names. *Completeness* compares what was planned with what was
recorded. What a chain alone cannot show, a rewriting of the whole of it, is shown by heads held
elsewhere and is not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from portalops.errors import PortalOpsError
from portalops.jobs import missed_slots
from portalops.ledger import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import FINISHED, GENESIS, line_digest, parse_at, spells, split
from portalops.ledger.runs import is_running
from portalops.ledger.store import Row, Tail
from portalops.model.message import Message, msg
from portalops.model.record import Digest, Record
from portalops.model.runs import Run, Slot
from portalops.registers.runs import fold_runs

MAX_FAULTS = 100
"""How many faults are described; all are counted."""

_STEP = 4096
_COLUMN_NAMES = ("seq", "at", "kind", "run", "subject", "duty", "body", "prev")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was recorded."""

    seq: int
    """The record that cannot be trusted, or that is missing."""
    what: Message


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


@dataclass(slots=True)
class _Faults:
    """Collects faults; the earliest are kept."""

    kept: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, seq: int, what: Message) -> None:
        self.count += 1
        self.kept.append(Fault(seq, what))
        if len(self.kept) > 2 * MAX_FAULTS:
            self.kept = self.first()

    def first(self) -> list[Fault]:
        return sorted(self.kept, key=lambda fault: fault.seq)[:MAX_FAULTS]


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
    faults = _Faults()
    chain = _check_chain(ledger.rows(), ledger.tail(), faults, advance)
    blobs = _check_blobs(ledger, faults, read_blobs=read_blobs)
    integrity = Integrity(
        chain.records, chain.first_at, chain.last_at, chain.head, tuple(faults.first()), faults.count, blobs, read_blobs
    )
    return Verification(_id_of(ledger), integrity, _completeness(ledger, now=now, zone=zone))


def check_chain(rows: Iterable[Row], tail: Tail | None) -> Integrity:
    """Look at rows alone, without blobs; pure."""
    faults = _Faults()
    chain = _check_chain(rows, tail, faults, lambda _amount: None)
    kept = tuple(faults.first())
    return Integrity(chain.records, chain.first_at, chain.last_at, chain.head, kept, faults.count, 0, blobs_read=False)


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


@dataclass(slots=True)
class _Chain:
    """How far the pass has come."""

    records: int = 0
    seq: int = 0
    first_at: str = ""
    last_at: str = ""
    head: Digest = GENESIS
    is_sound: bool = True
    """The newest record looked at was found without fault of its own."""


def _check_chain(rows: Iterable[Row], tail: Tail | None, faults: _Faults, advance: Callable[[int], None]) -> _Chain:
    chain = _Chain()
    for row in rows:
        place, at, kind, run, subject, duty, body, prev, line = row
        seq = _number(place)
        if seq is None:
            faults.add(chain.seq + 1, msg("a record has no number for its place"))
            continue
        usual = (
            seq == chain.seq + 1
            and prev == chain.head
            and spells(line, seq=seq, at=at, kind=kind, run=run, subject=subject, duty=duty, body=body, prev=prev)
            and at >= chain.last_at
        )
        chain.is_sound = usual or _look_closely(row, chain, faults)
        if not chain.records:
            chain.first_at = str(at)
        chain.records += 1
        chain.seq = seq
        if chain.is_sound:
            chain.last_at = at
        chain.head = line_digest(_bytes_of(line))
        if not chain.records % _STEP:
            advance(_STEP)
    advance(chain.records % _STEP)
    _check_tail(chain, tail, faults)
    return chain


def _number(place: object) -> int | None:
    """Return the number of a place; a table that was made anew may hold anything there."""
    return place if isinstance(place, int) else None


def _look_closely(row: Row, chain: _Chain, faults: _Faults) -> bool:
    """Name what is wrong with a row and with its place; return whether the row itself is sound."""
    seq, line = row[0], row[8]
    gap = seq > chain.seq + 1
    if gap:
        faults.add(chain.seq + 1, _missing(chain.seq + 1, seq - 1))
    elif seq <= chain.seq:
        faults.add(seq, msg("place {seq} is taken more than once, or is none", seq=seq))
    try:
        fields = split(_bytes_of(line))
        parse_at(fields.at)
    except ValueError:
        faults.add(seq, msg("record {seq} is not a record as portalops writes it", seq=seq))
        return False
    differing = [name for name, held in zip(_COLUMN_NAMES, row, strict=False) if held != getattr(fields, name)]
    if fields.seq != seq:
        # One that stands too late and joins an earlier record was pushed back by others put before it.
        pushed_back = fields.seq < seq and fields.prev != chain.head
        faults.add(
            fields.seq if pushed_back else seq,
            msg("at place {seq} stands record {other}", seq=seq, other=str(fields.seq)),
        )
    elif differing:
        names = ", ".join(differing)
        faults.add(seq, msg("record {seq}: the columns {names} are not what the line says", seq=seq, names=names))
    went_back = fields.at < chain.last_at
    if went_back:
        faults.add(seq, msg("record {seq} is of {at}, earlier than the record before", seq=seq, at=fields.at))
    sound = not differing and not went_back
    if fields.prev != chain.head and sound and not gap:
        # The record before is not what this one was chained to. Were it this one's own `prev` that was
        # changed, then the next record would not join either, and what can be trusted ends here as well.
        blamed = max(chain.seq, 1)
        faults.add(
            blamed, msg("record {seq} is not the one that record {next} was chained to", seq=blamed, next=str(seq))
        )
    return sound


def _check_tail(chain: _Chain, tail: Tail | None, faults: _Faults) -> None:
    if not chain.records:
        faults.add(1, msg("the ledger holds no record at all"))
    elif tail is None:
        faults.add(chain.seq, msg("it is not known which record was the last: the table 'tail' is empty"))
    elif tail.size > chain.seq:
        faults.add(chain.seq + 1, _missing(chain.seq + 1, tail.size))
    elif tail.size < chain.seq:
        faults.add(tail.size + 1, msg("record {seq} was added by something else than portalops", seq=tail.size + 1))
    elif tail.head != chain.head and chain.is_sound:
        faults.add(chain.seq, msg("record {seq} is not the one that was recorded last", seq=chain.seq))


def _check_blobs(ledger: Ledger, faults: _Faults, *, read_blobs: bool) -> int:
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


def _missing(first: int, last: int) -> Message:
    if first == last:
        return msg("record {seq} is missing", seq=first)
    return msg("records {first} to {last} are missing", first=str(first), last=str(last))


def _bytes_of(line: object) -> bytes:
    """Return the stored line's bytes, whatever type a changed row may hold."""
    match line:
        case bytes():
            return line
        case str():
            return line.encode("utf-8", "surrogateescape")
        case _:
            return b""


_DIGEST = re.compile(r"[0-9a-f]{64}")
