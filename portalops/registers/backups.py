"""All backup sets that the ledger knows, and which of their copies to look at next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final, Protocol, TypeAlias

from portalops.bodies import decode_part
from portalops.errors import PortalOpsError, SetNotFound, UsageError
from portalops.model.backups import (
    BackupResult,
    BackupSet,
    Copy,
    CopyResult,
    CopyState,
    DataClass,
    DrillResult,
    FoundSet,
    SetId,
    SetKind,
    Shrink,
    VerifyLevel,
    VerifyResult,
)
from portalops.model.late_backups import LATE, LATE_BACKUP, LateBackup
from portalops.model.media import MediumCheck, MediumEntry
from portalops.model.message import Message, msg
from portalops.model.reading import Freshness, Limits, Reading, standing
from portalops.model.record import FINISHED, Digest, Record, Recorded, RunId
from portalops.model.retention import PruneResult
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.copies import CopyReport, Replacement, first_known, fold_elsewhere, fold_replaced, fold_report
from portalops.registers.discs import DISC_KINDS, DiscBody, HeldDisc, are_complete, fold_discs
from portalops.registers.drills import IMPORTED, ImportedDrill
from portalops.registers.drills import KEY as DRILL_REPORT

logger = logging.getLogger(__name__)

GONE = frozenset({CopyState.FAILED, CopyState.DISPOSED, CopyState.REPLACED})
"""States of copies of which nothing is on the medium."""

SOON = timedelta(days=7)
"""How long before it expires a verification is told of: time for somebody to have the copy read."""

FOUND: Final = "backup.found"
FOUND_SET: Final = "found"
"""The kind of the records that tell of sets of dead runs, and the key of their body."""

ADDED: Final = "media.added"
MEDIUM: Final = "medium"
"""The kind of the records of media that came into the register, and the key of the medium in their bodies."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CopyReports(Protocol):
    """A record's body that tells of copies of sets that were made before."""

    @property
    def copies(self) -> tuple[Copy, ...]:
        """Return each copy in its new state."""
        ...


BACKUP: Final = "backup"
READ: Final = "backup.read"
"""The kind of the records of copies that a person had read, beside what the verify job reads."""
VERIFY: Final = "verify"
POLLS: Final[Mapping[str, tuple[str, type[CopyReports]]]] = {
    "verify.finished": (VERIFY, VerifyResult),
    READ: (VERIFY, VerifyResult),
    "drill.finished": ("drill", DrillResult),
    "copy.finished": ("copy", CopyResult),
    "prune.finished": ("prune", PruneResult),
    "media.checked": ("medium_check", MediumCheck),
    IMPORTED: (DRILL_REPORT, ImportedDrill),
}
"""The kinds of records that tell of copies later; under which key of the body, and of which type."""


@dataclass(frozen=True, slots=True)
class SetEvidence:
    """A backup set with its copies in their newest known state."""

    seq: int
    at: datetime
    set: BackupSet
    copies: tuple[Copy, ...]
    verified_seqs: tuple[int, ...]
    """Records that looked at a copy after the set was made."""
    failed_classes: tuple[DataClass, ...] = ()
    """Classes of which a source could not be read: they are not whole in this set."""
    base: SetEvidence | None = None
    """Of a differential: the full set that it needs, as far as it is recorded."""
    run: str = ""
    """The run that made it."""
    accepted_shrinks: tuple[Shrink, ...] = ()
    """What a person accepted as far less than before."""
    readings: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    """By medium, when each depth of its copy was reached last."""
    failures: tuple[Message, ...] = ()
    """The sources that could not be backed up whole, each with the reason."""
    discs: tuple[HeldDisc, ...] = ()
    """Discs that its images were burnt to, as far as nobody has recorded that they are destroyed."""

    def freshness(self, copy: Copy, limits: Limits, now: datetime) -> Freshness:
        """Return what the readings of one of its copies are worth at a moment."""
        readings = self.readings.get(copy.medium)
        if readings is None:  # nothing but the copy itself is known
            readings = first_known(CopyReport(self.seq, self.at, copy)).readings
        return standing(readings, limits, now)

    def fresh_copies(self, limits: Limits, now: datetime) -> tuple[Copy, ...]:
        """Return the verified copies whose bytes were read lately enough; of a differential, those of its base as well.

        What counts as lately is the rulebook's: see `portalops.model.reading`.
        """
        if self.set.kind is SetKind.DIFF and not (self.base and self.base.fresh_copies(limits, now)):
            return ()
        return tuple(copy for copy in self.verified_copies() if self.freshness(copy, limits, now).is_fresh)

    def discs_of(self, medium: str) -> tuple[HeldDisc, ...]:
        """Return the discs that were burnt from the images on a medium."""
        return tuple(disc for disc in self.discs if disc.burnt.medium == medium)

    def is_on_discs(self, medium: str) -> bool:
        """Say whether every disc of the images on a medium is burnt, and was whole when it was last read."""
        return are_complete(self.discs_of(medium))

    def verified_copies(self) -> tuple[Copy, ...]:
        """Return the copies that were read back whole and have not been found damaged since.

        A differential without a verified copy of its base restores nothing, so then none of its copies counts.
        """
        if self.set.kind is SetKind.DIFF and not (self.base and self.base.verified_copies()):
            return ()
        return tuple(copy for copy in self.copies if copy.state is CopyState.VERIFIED)

    def once_verified_copies(self) -> tuple[Copy, ...]:
        """Return the verified copies, and those that were verified until the retention rule removed them.

        They speak for what was done in its time, never for what there is now.
        """
        if self.set.kind is SetKind.DIFF and not (self.base and self.base.once_verified_copies()):
            return ()
        return tuple(
            copy
            for copy in self.copies
            if copy.state is CopyState.VERIFIED or (copy.state is CopyState.DISPOSED and copy.verified_at is not None)
        )

    def copies_gone(self) -> tuple[Copy, ...]:
        """Return the copies that were verified until another medium took the place of theirs."""
        return tuple(copy for copy in self.copies if copy.state is CopyState.REPLACED and copy.verified_at is not None)

    @property
    def is_disposed(self) -> bool:
        """Whether the retention rule has removed all there was of it."""
        states = {copy.state for copy in self.copies}
        return CopyState.DISPOSED in states and states <= GONE


PassOver: TypeAlias = Callable[[Record, PortalOpsError], None]
"""Is given each record whose details cannot be read, and why; it is passed over then."""


def recorded_sets(
    ledger: LedgerReader, *, passing_over: bool = False, pass_over: PassOver | None = None
) -> tuple[SetEvidence, ...]:
    """Return every set, oldest first, with its copies as they were seen last; those too that were found later.

    Args:
        ledger: read only.
        passing_over: warn of a record whose details cannot be read and go on, since a lost record of an old set
            must not keep a new one from being made, or the others from being read back.
        pass_over: is given each such record in place of the log.

    Raises:
        LedgerError: a record's details cannot be read, and they are not to be passed over.
    """
    backups: list[Recorded[BackupResult]] = []
    looks: list[Recorded[CopyReports]] = []
    discs: list[Recorded[DiscBody]] = []
    late: list[Recorded[BackupResult]] = []
    for record in ledger.records(kinds=(f"{BACKUP}{FINISHED}", FOUND, LATE, *POLLS, *DISC_KINDS)):
        try:
            blob = ledger.blob(record.body)
            if record.kind in DISC_KINDS:
                if (disc := decode_part(blob, *DISC_KINDS[record.kind])) is not None:
                    discs.append(Recorded(record.seq, record.at, record.run, disc))
            elif record.kind == FOUND:
                if (found := decode_part(blob, FOUND_SET, FoundSet)) is not None:
                    late.append(Recorded(record.seq, record.at, found.of_run, BackupResult(found.set, found.copies)))
            elif record.kind == LATE:
                if (waited := decode_part(blob, LATE_BACKUP, LateBackup)) is not None and waited.backup is not None:
                    made_late = _believable(waited.backup, waited.made_at, record.at)
                    late.append(Recorded(record.seq, record.at, RunId(waited.run), made_late))
            elif record.kind not in POLLS:
                if (made := decode_part(blob, BACKUP, BackupResult)) is not None:
                    backups.append(Recorded(record.seq, record.at, record.run, made))
            elif (looked := decode_part(blob, *POLLS[record.kind])) is not None:
                looks.append(Recorded(record.seq, record.at, record.run, looked))
        except PortalOpsError as error:
            if pass_over is not None:
                pass_over(record, error)
                continue
            if not passing_over:
                raise unreadable(record, error) from error
            logger.warning("the details of record %s cannot be read: %s", record.seq, error)
    for each in late:
        _put_in_its_place(backups, each)
    return tuple(fold_sets(backups, looks, folded_discs(discs), read_replacements(ledger)))


def read_replacements(ledger: LedgerReader) -> tuple[Replacement, ...]:
    """Return the replacements, oldest first.

    A medium is replaced where its id comes into the register once more, or where its record says so. Where the details of a
    record cannot be read, its subject still tells which medium came.
    """
    known: set[str] = set()
    found: list[Replacement] = []
    for record in ledger.records(kinds=(ADDED,)):
        try:
            entry = decode_part(ledger.blob(record.body), MEDIUM, MediumEntry)
        except PortalOpsError:
            entry = None
        medium = entry.id if entry is not None else record.subject
        if medium in known or (entry is not None and entry.replaces):
            found.append(Replacement(record.seq, record.at, medium))
        known.add(medium)
    return tuple(found)


def unreadable(record: Record, cause: PortalOpsError) -> PortalOpsError:
    """Return an error that names the record whose details cannot be read; of the class of the cause."""
    said = msg("the details of record {seq} cannot be read: {cause}", seq=str(record.seq), cause=cause.message)
    return type(cause)(said, cause.hint)


def _put_in_its_place(backups: list[Recorded[BackupResult]], late: Recorded[BackupResult]) -> None:
    """Add a set that was recorded late before those that were made after it; one that is there already is not added."""
    made = late.body.set
    if made is None or any(each.body.set is not None and each.body.set.id == made.id for each in backups):
        return
    newer = (at for at, each in enumerate(backups) if each.body.set and each.body.set.created_at > made.created_at)
    backups.insert(next(newer, len(backups)), late)


def _believable(backup: BackupResult, made_at: datetime | None, recorded_at: datetime) -> BackupResult:
    """Return a late backup without what a wrong clock says of it.

    Nothing is made after it is recorded: a set of the future would be the newest one for years. When a copy was read back is
    not known, so it is to be read again before it counts as verified.
    """
    if backup.set is None:
        return backup
    created_at = made_at or min(backup.set.created_at, recorded_at)
    copies = (
        replace(copy, state=CopyState.SEALED, level=VerifyLevel.NONE, verified_at=None)
        if copy.state is CopyState.VERIFIED
        else copy
        for copy in backup.copies
    )
    return replace(backup, set=replace(backup.set, created_at=created_at), copies=tuple(copies))


def folded_discs(records: Iterable[Recorded[DiscBody]]) -> tuple[HeldDisc, ...]:
    """Return the burnt discs that there are; the records may come in any order."""
    return fold_discs((each.seq, each.at, each.body) for each in sorted(records, key=attrgetter("seq")))


def fold_sets(
    backups: Sequence[Recorded[BackupResult]],
    verifies: Sequence[Recorded[CopyReports]],
    discs: Sequence[HeldDisc] = (),
    replacements: Sequence[Replacement] = (),
) -> Iterator[SetEvidence]:
    """Yield each set that was made, oldest first, with its copies and discs as they were seen last.

    Args:
        backups: what made them, oldest first.
        verifies: what tells of their copies, in the order of the records.
        discs: that there are.
        replacements: of media, in the order of the records.
    """
    told: dict[SetId, list[CopyReport]] = {}
    for each in verifies:
        for copy in each.body.copies:
            told.setdefault(copy.set_id, []).append(_read_poll(each, copy))
    fulls: dict[Digest, SetEvidence] = {}
    for made in backups:
        if made.body.set is None:
            continue
        begun_at = made.body.set.created_at
        known = {copy.medium: first_known(CopyReport(made.seq, begun_at, copy)) for copy in made.body.copies}
        looked: list[int] = []
        mine: list[CopyReport | Replacement] = [*told.get(made.body.set.id, ())]
        if replacements:
            mine = sorted((*mine, *replacements), key=attrgetter("seq"))
        for look in mine:
            if isinstance(look, Replacement):
                if look.seq > made.seq and look.medium in known:
                    known[look.medium] = fold_replaced(known[look.medium], look)
                continue
            medium = look.copy.medium
            if look.seq <= made.seq or (look.drilled_at is not None and medium not in known):
                continue  # another host tells of a copy that nobody has made
            before = known.get(medium)
            if before is not None and look.drilled_at is not None:
                known[medium] = fold_elsewhere(before, look)
            else:
                known[medium] = fold_report(before, look)
            looked.append(look.seq)
        evidence = SetEvidence(
            made.seq,
            made.at,
            made.body.set,
            tuple(each.copy for each in known.values()),
            tuple(dict.fromkeys(looked)),
            made.body.failed_classes,
            fulls.get(made.body.set.base) if made.body.set.base else None,
            made.run,
            made.body.accepted_shrinks,
            {medium: each.readings for medium, each in known.items()},
            made.body.failures,
            discs=tuple(disc for disc in discs if disc.burnt.set_id == made.body.set.id),
        )
        if made.body.set.kind is SetKind.FULL:
            fulls[made.body.set.bag_sha256] = evidence
        yield evidence


def _read_poll(each: Recorded[CopyReports], copy: Copy) -> CopyReport:
    if isinstance(each.body, ImportedDrill):
        return CopyReport(each.seq, each.at, copy, each.body.report.started_at, each.body.signer)
    return CopyReport(each.seq, each.at, copy)


def find_set(sets: Sequence[SetEvidence], name: str, mistimed: Collection[int] = ()) -> SetEvidence:
    """Return the recorded set of a name, of its beginning, or of the word `latest`.

    Args:
        sets: oldest first.
        name: what was asked for.
        mistimed: numbers of the records whose time says nothing: `latest` is none of their sets while there is another.

    Raises:
        UsageError: several names begin so.
        SetNotFound: there is none.
    """
    if not sets:
        raise SetNotFound(
            msg("no backup set is recorded yet"),
            msg(
                "'portalops backup run' makes one. A set that already lies on a medium is restored by the restore.sh in it."
            ),
        )
    if name == "latest":
        return next((made for made in reversed(sets) if made.seq not in mistimed), sets[-1])
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
