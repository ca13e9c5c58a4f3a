"""All backup sets that the ledger knows, and which of their copies to look at next."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from portalops.errors import PortalOpsError, SetNotFound, UsageError
from portalops.ledger.bodies import decode_part
from portalops.ledger.record import FINISHED
from portalops.model.backups import BackupResult, Copy, CopyState, FoundSet
from portalops.model.message import msg
from portalops.model.reading import Limits
from portalops.registers.discs import DISC_KINDS, DiscBody
from portalops.registers.evidence import (
    BACKUP,
    LOOKS,
    LedgerReader,
    LookedAt,
    Recorded,
    SetEvidence,
    fold_sets,
    folded_discs,
)

logger = logging.getLogger(__name__)

GONE = frozenset({CopyState.FAILED, CopyState.DISPOSED})
"""States of copies of which nothing is on the medium."""

SOON = timedelta(days=7)
"""How long before it expires a verification is told of: time for somebody to have the copy read."""

FOUND: Final = "backup.found"
FOUND_SET: Final = "found"
"""The kind of the records that tell of sets of dead runs, and the key of their body."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def recorded_sets(ledger: LedgerReader, *, passing_over: bool = False) -> tuple[SetEvidence, ...]:
    """Return every set, oldest first, with its copies as they were seen last; those too that were found later.

    Args:
        ledger: read only.
        passing_over: warn of a record whose details cannot be read and go on, since a lost record of an old set
            must not keep a new one from being made, or the others from being read back.

    Raises:
        LedgerError: a record's details cannot be read, and they are not to be passed over.
    """
    backups: list[Recorded[BackupResult]] = []
    looks: list[Recorded[LookedAt]] = []
    discs: list[Recorded[DiscBody]] = []
    late: list[Recorded[FoundSet]] = []
    for record in ledger.records(kinds=(f"{BACKUP}{FINISHED}", FOUND, *LOOKS, *DISC_KINDS)):
        try:
            blob = ledger.blob(record.body)
            if record.kind in DISC_KINDS:
                if (disc := decode_part(blob, *DISC_KINDS[record.kind])) is not None:
                    discs.append(Recorded(record.seq, record.at, record.run, disc))
            elif record.kind == FOUND:
                if (found := decode_part(blob, FOUND_SET, FoundSet)) is not None:
                    late.append(Recorded(record.seq, record.at, record.run, found))
            elif record.kind not in LOOKS:
                if (made := decode_part(blob, BACKUP, BackupResult)) is not None:
                    backups.append(Recorded(record.seq, record.at, record.run, made))
            elif (looked := decode_part(blob, *LOOKS[record.kind])) is not None:
                looks.append(Recorded(record.seq, record.at, record.run, looked))
        except PortalOpsError as error:
            if not passing_over:
                raise
            logger.warning("the details of record %s cannot be read: %s", record.seq, error)
    for each in late:
        _put_in_its_place(backups, each)
    return tuple(fold_sets(backups, looks, folded_discs(discs)))


def _put_in_its_place(backups: list[Recorded[BackupResult]], late: Recorded[FoundSet]) -> None:
    """Add a set that was recorded late before those that were made after it."""
    found = late.body
    newer = (at for at, each in enumerate(backups) if each.body.set and each.body.set.created_at > found.set.created_at)
    made = Recorded(late.seq, late.at, found.of_run, BackupResult(found.set, found.copies))
    backups.insert(next(newer, len(backups)), made)


def find_set(sets: Sequence[SetEvidence], name: str) -> SetEvidence:
    """Return the recorded set of a name, of its beginning, or of the word `latest`.

    Raises:
        UsageError: several names begin so.
        SetNotFound: there is none.
    """
    if name == "latest" and sets:
        return sets[-1]
    found = [made for made in sets if made.set.id == name] or [made for made in sets if made.set.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            msg("{name} begins the names of several sets", name=name[:80]),
            msg("Give more of the name; 'portalops backup list' shows them."),
        )
    raise SetNotFound(
        msg("the ledger knows no backup set {name}", name=name[:120]),
        msg("'portalops backup list' shows the sets; 'portalops backup run' makes one."),
    )


@dataclass(frozen=True, slots=True)
class Expiring:
    """The copies on a medium whose verification has expired, or soon will."""

    expired: int = 0
    soon: int = 0
    next_at: datetime | None = None
    """When the next one of those expires that still counts; None if none does."""


def expiring(sets: Sequence[SetEvidence], limits: Limits, now: datetime) -> dict[str, Expiring]:
    """Return by medium how many verified copies no longer count as such, or will not in `SOON`.

    Args:
        sets: as recorded.
        limits: how long it counts that a copy was read.
        now: aware.
    """
    found: dict[str, Expiring] = {}
    for made in sets:
        for copy in made.copies:
            due_at = made.freshness(copy, limits, now).due_at
            if copy.state is not CopyState.VERIFIED or due_at is None:
                continue
            known = found.get(copy.medium, Expiring())
            if due_at < now:
                known = replace(known, expired=known.expired + 1)
            else:
                known = replace(
                    known, soon=known.soon + (due_at < now + SOON), next_at=min(due_at, known.next_at or due_at)
                )
            found[copy.medium] = known
    return found


def due_for_reading(
    sets: Sequence[SetEvidence], *, every: timedelta, limit: timedelta
) -> tuple[tuple[SetEvidence, Copy], ...]:
    """Choose the copies that a verify job reads: all of the newest set, and on each medium those that expire first.

    Of those so many that each copy gets its turn before it expires, with one run to spare: of 52 copies that count for 35
    days, a weekly job reads 13. So the work is the same in each run, and nothing expires as long as the job runs.
    Copies that were never written, or were removed, are not chosen. Damaged ones are, since a cable or a disk may have been
    put right: all of the newest set, and on each medium one more, that of the set which was looked at longest ago.

    Args:
        sets: as recorded, oldest first.
        every: how far apart the runs of the job are.
        limit: how long it counts that a copy was read.
    """
    chosen: dict[tuple[str, str], tuple[SetEvidence, Copy]] = {}
    there = [(made, copy) for made in sets for copy in made.copies if copy.state not in GONE]
    for made, copy in there:
        if made is sets[-1]:
            chosen[copy.set_id, copy.medium] = made, copy
    turns = max(1, limit // every - 1)
    for medium in dict.fromkeys(copy.medium for _made, copy in there):
        candidates = [
            (made, copy) for made, copy in there if copy.medium == medium and copy.state is not CopyState.DAMAGED
        ]
        damaged = [(made, copy) for made, copy in there if copy.medium == medium and copy.state is CopyState.DAMAGED]
        if damaged:
            made, copy = min(damaged, key=lambda each: max((each[0].seq, *each[0].verified_seqs)))
            chosen[copy.set_id, copy.medium] = made, copy
        candidates.sort(key=lambda each: each[1].verified_at or _EPOCH)
        for made, copy in candidates[: -(-len(candidates) // turns)]:
            chosen[copy.set_id, copy.medium] = made, copy
    return tuple(chosen.values())
