"""What a live ledger's records wait for: a claim within the hour by the clock, or the command that is about to claim them.

A bundle knows no clock: there the hour is counted from the newest record alone (`claims.check_unclaimed`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from portalops.ledger.claims import GRACE, Ownership
from portalops.ledger.heeded import numbers_set_aside, read_ownership
from portalops.ledger.journals import NamedJournal
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import line_digest
from portalops.model.record import Record
from portalops.model.values import dataclass
from portalops.registers.writers import SELF_SIGNED, WRITER_ADDED


@dataclass(frozen=True, slots=True)
class HeldRecords:
    """Records in a row that a running command of this machine is about to claim."""

    first: int
    last: int
    process: int
    """Its number."""


@dataclass(frozen=True, slots=True)
class PendingClaims:
    """The records that no writer claims, each in one of three rows."""

    unclaimed: tuple[tuple[int, int], ...] = ()
    """First and last of those that are older than an hour: they meet no duty."""
    awaited: tuple[tuple[int, int], ...] = ()
    """First and last of those of the last hour."""
    held: tuple[HeldRecords, ...] = ()


NOTHING_PENDING = PendingClaims()


def sort_unclaimed(
    ledger: Ledger,
    ownership: Ownership,
    late: Iterable[tuple[int, int]],
    living: Iterable[NamedJournal],
    *,
    now: datetime,
) -> PendingClaims:
    """Tell records that are late from those whose hour is not over.

    Args:
        ledger: the one that was verified.
        ownership: whose its records are.
        late: what was found unclaimed by the time of the newest record.
        living: journals of commands that run on this machine.
        now: the clock's time.

    Raises:
        IntegrityError: a line is not a record.
    """
    overdue = {seq for first, last in late for seq in range(first, last + 1)}
    recent = _unclaimed_of_the_hour(ledger, ownership)
    overdue |= {each.seq for each in recent if each.at < now - GRACE}
    awaited = {each.seq for each in recent} - overdue
    held: list[HeldRecords] = []
    for one in living:
        mine = [
            seq
            for seq, digest in sorted(one.journal.lines.items())
            if (seq in overdue or seq in awaited)
            and (record := ledger.record(seq)) is not None
            and line_digest(record.line) == digest
        ]
        if one.process is not None:
            held += (HeldRecords(first, last, one.process) for first, last in _rows(mine))
            overdue -= set(mine)
            awaited -= set(mine)
    return PendingClaims(_rows(overdue), _rows(awaited), tuple(held))


@dataclass(frozen=True, slots=True)
class UncountedRecords:
    """How many records no duty rests on, or none will."""

    awaited: int = 0
    """Records of the last hour that no writer claims yet: until then they count."""
    unclaimed: int = 0
    """Older ones."""
    set_aside: int = 0


def count_uncounted(ledger: Ledger, *, now: datetime) -> UncountedRecords:
    """Count the records that no writer claims, and those that two persons set aside.

    Raises:
        IntegrityError: the ledger's keys, or a line, cannot be read.
    """
    set_aside = numbers_set_aside(ledger)
    if next(ledger.records(kinds=(WRITER_ADDED,), limit=1), None) is None:
        return UncountedRecords(set_aside=len(set_aside))
    ownership, newest = read_ownership(ledger), ledger.last()
    if newest is None:
        return UncountedRecords()
    gaps = (seq for first, last in ownership.gaps(newest.seq) for seq in range(first, last + 1))
    found = (ledger.record(seq) for seq in gaps if seq not in set_aside)
    late = [each.at < now - GRACE for each in found if each is not None and each.kind not in SELF_SIGNED]
    return UncountedRecords(late.count(False), late.count(True), len(set_aside))


def _unclaimed_of_the_hour(ledger: Ledger, ownership: Ownership) -> tuple[Record, ...]:
    """Return the records without a claim in the hour up to the newest record."""
    begin, newest = ownership.begin, ledger.last()
    if begin is None or newest is None:
        return ()
    set_aside = numbers_set_aside(ledger)
    return tuple(
        each
        for each in ledger.records(since=newest.at - GRACE)
        if each.seq > begin
        and each.kind not in SELF_SIGNED
        and each.seq not in set_aside
        and ownership.owner(each.seq) is None
    )


def _rows(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return first and last of numbers in a row."""
    ordered = sorted(numbers)
    if not ordered:
        return ()
    ends = [(before, after) for before, after in pairwise(ordered) if after != before + 1]
    return tuple(
        zip((ordered[0], *(after for _, after in ends)), (*(before for before, _ in ends), ordered[-1]), strict=True)
    )
