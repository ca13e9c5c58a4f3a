"""The ledger: records in their chain, and the blobs with their details, behind one door.

    <state folder>/ledger.sqlite     the records
    <state folder>/blobs/            the details

Nothing here judges; `verify.py` finds out whether anything was changed, `registers/` reads meaning.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import Protocol, TypeVar, cast

from portalops import __version__, bodies
from portalops.errors import IntegrityError, LedgerError, PortalOpsError
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.chain import bytes_of, fields_of
from portalops.ledger.folder_locks import FolderLocks
from portalops.ledger.record import CREATED, NO_RUN, UPGRADED, Draft, NotARecord, parse, parse_at
from portalops.ledger.selection import IN_ORDER, Selection, TimeOrder
from portalops.ledger.store import SqliteStore
from portalops.ledger.store_errors import clock_jumped, clock_went_back
from portalops.ledger.stores import BlobStore, Locks, RecordStore, StoredLines
from portalops.ledger.tables import SCHEMA_VERSION
from portalops.model.message import msg
from portalops.model.record import Digest, Record, RunId
from portalops.model.runs import Plan, Run, RunSummary
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome
from portalops.ports import Clock
from portalops.private_folder import FOLDER_MODE
from portalops.registers.plans import PLAN, RecordedPlan
from portalops.registers.runs import fold_runs
from portalops.registers.writers import BY_TWO, CLAIM, CLAIM_KINDS
from portalops.signatures.sshsig import SigningKey

FILE = "ledger.sqlite"
BLOBS = "blobs"
LOCKS = "locks"

MAX_QUIET = timedelta(days=1)
"""A clock farther ahead of the newest record needs something that vouches for it."""

_CHUNK = 256

FoundT = TypeVar("FoundT")

SIGNED_KINDS = frozenset({"head", "key.added", "key.retired", *CLAIM_KINDS, *BY_TWO})
"""Kinds by which others come to count, or come to count for nothing."""

MOVED = "ledger.moved"
"""The kind of the record of a move; its body names from where, to where, and the records and head before it."""


@dataclass(frozen=True, slots=True)
class KeptLedger:
    """Where a ledger is."""

    records: RecordStore
    blobs: BlobStore
    locks: Locks


def kept_in(folder: Path, *, writable: bool) -> KeptLedger:
    """Return the ledger of a state folder."""
    return KeptLedger(
        SqliteStore(folder / FILE, writable=writable),
        BlobFolder(folder / BLOBS, mode=FOLDER_MODE),
        FolderLocks(folder / LOCKS),
    )


class Claimant(Protocol):
    """Stands for what one process appends (`claimant.MachineClaimant`)."""

    is_shared: bool
    """Other machines write to the ledger too, so that a run is claimed as soon as it ends."""

    def noting(self) -> AbstractContextManager[None]:
        """Keep claims apart from an append, as long as the block runs."""
        ...

    def intend(self, drafts: Sequence[Draft]) -> None:
        """Note what is about to be appended."""
        ...

    def note(self, records: Sequence[Record]) -> None:
        """Note what was appended."""
        ...

    def claim(self, ledger: Ledger) -> None:
        """Record a claim over what was noted; raises as `Ledger.claim` does."""
        ...

    def enrol(self, ledger: Ledger, key: SigningKey) -> None:
        """Enrol the writer with the ledger's key, where it enrols itself and is not yet enrolled."""
        ...


class Ledger:
    """An open ledger. It is also the `ports.Keeper` that evidence is handed to."""

    def __init__(self, folder: Path, clock: Clock, *, writable: bool, kept: KeptLedger | None = None) -> None:
        self.folder = folder
        self._clock = clock
        found = kept or kept_in(folder, writable=writable)
        self._store, self._blobs = found.records, found.blobs
        self._store.find_set_aside = partial(_lines_named, found.blobs)
        self.locks = found.locks
        """Locks of all processes on this ledger, on every machine."""
        self.claimant: Claimant | None = None
        """Claims what is appended here; None where nobody does."""
        self.heeds_move: Callable[[Ledger, Record], bool] = lambda _ledger, _record: True
        """Says whether a record of a move counts (`heeded.heeds_move`); without claims each does."""
        self.read_own_key: Callable[[], str] = str
        """Returns the public key that this machine signs heads with; empty without one. It is known to be the ledger's own."""
        self.find_time_order: Callable[[Ledger], TimeOrder] = lambda _ledger: IN_ORDER
        """Finds where times go back (`heeded.find_time_order`); asked where two persons said anything. Without it they never do."""
        self._remembered: dict[str, tuple[int, object]] = {}
        """By name: the number of the newest line, and what was found then."""
        self._of_two: dict[Digest, bytes] = {}
        self._ordering: set[int] = set()
        """Threads that find out how a moment is looked for, and cannot look for one meanwhile."""
        self.begun_beside_evidence = False
        """This opening began the ledger, in a folder with evidence of another: that one was lost, or taken away."""

    @classmethod
    def open(
        cls,
        folder: Path,
        clock: Clock,
        *,
        create: bool,
        kept: KeptLedger | None = None,
        heeds_move: Callable[[Ledger, Record], bool] | None = None,
    ) -> Ledger:
        """Open the ledger of a state folder.

        Args:
            folder: the state folder.
            clock: gives records their times.
            create: open for appending, start a ledger if there is none, and upgrade one of an older version.
                Otherwise the ledger is opened for reading only; nothing is written, so that it needs no right to write.
            kept: where its records and blobs are, if not in the folder; the folder then holds locks alone.
            heeds_move: says whether a record of a move counts; each does without it.

        Raises:
            LedgerMissing: there is none and `create` is false.
            LedgerFull: the folder cannot be written.
            LedgerError: there is none elsewhere, but one in the folder, which was not moved there yet.
            LedgerError: the file is something else, or of a newer version.
            IntegrityError: it is of an older version, and a record is not what stands beside it.
        """
        ledger = cls(folder, clock, writable=create, kept=kept)
        ledger.heeds_move = heeds_move or ledger.heeds_move
        if not create:
            ledger._store.check()
            if ledger.last() is None:
                raise ledger._not_moved() or ledger._store.missing()
            return ledger
        if ledger._store.create() != SCHEMA_VERSION:
            ledger._store.upgrade(ledger._upgraded, clock)
        if (error := ledger.left_for()) is not None:
            raise error
        if ledger.last() is None:
            if (error := ledger._not_moved()) is not None:
                raise error  # one that began here would stand in its way
            ledger.begun_beside_evidence = (folder / BLOBS).is_dir() and any((folder / BLOBS).iterdir())
            ledger._begin()
        return ledger

    @classmethod
    def open_to_verify(cls, folder: Path, clock: Clock, *, kept: KeptLedger | None = None) -> Ledger:
        """Open a ledger for reading, also where its newest line is no record: verification names that line.

        Raises:
            LedgerMissing: there is none.
            LedgerError: it cannot be read.
        """
        ledger = cls(folder, clock, writable=False, kept=kept)
        ledger._store.check()
        with suppress(IntegrityError):
            if ledger.last() is None:
                raise ledger._store.missing()
        return ledger

    @classmethod
    def open_to_mend(cls, folder: Path, clock: Clock, *, kept: KeptLedger | None = None) -> Ledger:
        """Open a ledger for appending a quarantine, although its newest line is no record or sent it elsewhere.

        Raises:
            LedgerMissing: there is none.
            LedgerError: it cannot be read.
        """
        ledger = cls(folder, clock, writable=True, kept=kept)
        ledger._store.find_set_aside = _lines_that_are_none
        ledger._store.check()
        return ledger

    def _not_moved(self) -> LedgerError | None:
        """Return the error for a ledger that is in the folder, where this is the place that it is to go to; None without one."""
        file = SqliteStore(self.folder / FILE, writable=False)
        if (
            self._store.place == file.place
            or not file.path.is_file()
            or next(file.records(Selection(limit=1)), None) is None
        ):
            return None
        return not_moved(str(file.path), self._store.place)

    @property
    def whole(self) -> Ledger:
        """The ledger with every record, also where this one passes over some (`heeded.HeedfulLedger`)."""
        return self

    @property
    def id(self) -> str:
        """The ledger's own id, from its first record.

        Raises:
            IntegrityError: the first record does not name one.
        """
        first = self.first()
        if first is not None and first.kind == CREATED:
            found = bodies.read(self.blob(first.body)).get("ledger")
            if isinstance(found, str):
                return found
        raise IntegrityError(
            msg("the first record does not name the ledger"),
            msg("Run 'portalops ledger verify', and keep everything as it is."),
        )

    def append(self, kind: str, *, run: RunId, subject: str = "", duty: str = "", body: bytes) -> Record:
        """Record a fact; when this returns, record and blob survive a power cut.

        Args:
            kind: dotted, such as `backup.started`.
            run: the run it belongs to, or empty.
            subject: a set, host, unit, medium or job.
            duty: the duty or clause it is evidence for.
            body: the details, as `bodies.write` makes them.

        Raises:
            ClockWentBack: the clock is earlier than the newest record.
            RunAlreadyRecorded: the run left this started or finished record before.
            IntegrityError: the chain's end was changed since the last record.
            LedgerFull: nothing was recorded, for want of space or of the right to write.
            Locked: other processes kept appending for longer than the store waits.
        """
        return self.append_many((self.draft(kind, run=run, subject=subject, duty=duty, body=self.keep(body)),))[0]

    def append_many(self, drafts: Sequence[Draft]) -> tuple[Record, ...]:
        """Record several facts at once, all or none, each with its own time; raises as `append` does.

        Their blobs are kept before.
        """
        if self.claimant is None:
            return self._store.append(drafts, self._clock, self._latest)
        with self.claimant.noting():
            self.claimant.intend(drafts)
            records = self._store.append(drafts, self._clock, self._latest)
            self.claimant.note(records)
        self._keep_order(records)
        return records

    def _keep_order(self, records: Sequence[Record]) -> None:
        """Go on with what is remembered, behind records that this ledger added itself: they are in order, and change none of it."""
        if not records or any(each.kind in SIGNED_KINDS for each in records):
            return
        for name, (seq, found) in self._remembered.items():
            if seq == records[0].seq - 1:
                self._remembered[name] = records[-1].seq, found

    def remember(self, name: str, find: Callable[[], FoundT]) -> FoundT:
        """Return what follows from the records that others count by, found once for each state of the ledger.

        Args:
            name: of what is found; always of one type.
            find: finds it.
        """
        newest = self.newest_number()
        known = self._remembered.get(name)
        if known is None or known[0] != newest:
            known = self._remembered[name] = newest, find()
        return cast("FoundT", known[1])

    def append_quarantine(self, draft: Draft) -> Record:
        """Record a quarantine, also behind a newest line that is no record or of the future; raises as `append` does."""
        return self._store.append_behind_damage(lambda: (draft,), self._clock)[0]

    def append_mend(self, draft: Draft, last: int) -> Record:
        """Record that the clock was wrong up to the newest line, also at an earlier time than that of the records before.

        Args:
            draft: of kind `ledger.clock-mended`.
            last: the number of the newest line, whether it is a record or not.

        Raises:
            IntegrityError: another line is the newest one meanwhile.
            LedgerError: as `append` does.
        """

        def decide() -> Sequence[Draft]:
            if (newest := self.newest_number()) != last:
                raise IntegrityError(
                    msg("record {seq} came meanwhile", seq=newest),
                    msg(
                        "Stop what recorded it. Then run the command for the records up to it, and have that text signed."
                    ),
                )
            return (draft,)

        return self._store.append_behind_damage(decide, self._clock)[0]

    def newest_number(self) -> int:
        """Return the number of the newest line, whether it is a record or not; 0 where there is none."""
        with self.snapshot() as snapshot:
            tail = snapshot.tail()
        return tail.size if tail else 0

    def _latest(self) -> datetime | None:
        """Return the time in force, as verification finds it: the latest since the newest mended clock that counts."""
        order = self._time_order()
        with self.snapshot() as snapshot:
            found = find_latest(snapshot, (seq for seq, _at in order.mended), order.passed)
        return parse_at(found) if found else None

    def append_decided(self, decide: Callable[[], Sequence[Draft]]) -> tuple[Record, ...]:
        """Record what follows from the ledger as it stands: nobody else can append between the reading and the record.

        Args:
            decide: reads this ledger and returns the drafts, none at all if nothing is to be recorded; what it raises is
                raised, and nothing is recorded. Others who append wait for it, so it must be quick.

        Raises as `append` does.
        """
        claimant = self.claimant
        if claimant is None:
            return self._store.append_decided(decide, self._clock, self._latest)

        def noted() -> Sequence[Draft]:
            drafts = decide()
            claimant.intend(drafts)
            return drafts

        with claimant.noting():
            records = self._store.append_decided(noted, self._clock, self._latest)
            claimant.note(records)
        self._keep_order(records)
        return records

    def claim(self) -> None:
        """Claim what this process appended since it last did, where a claimant is set.

        Raises:
            LedgerError: the claim cannot be recorded.
            SecretUnavailable: the writer's key cannot be read.
        """
        if self.claimant is not None:
            self.claimant.claim(self)

    @staticmethod
    def draft(kind: str, *, run: RunId = NO_RUN, subject: str = "", duty: str = "", body: Digest) -> Draft:
        """Return a draft whose texts are in the Unicode form that records have (NFC)."""
        run = RunId(unicodedata.normalize("NFC", run))
        return Draft(kind, body, run, unicodedata.normalize("NFC", subject), unicodedata.normalize("NFC", duty))

    def keep(self, data: bytes) -> Digest:
        """Store bytes of evidence durably and return their digest; the same bytes are stored once.

        Raises:
            LedgerFull: for want of space or of the right to write.
            LedgerError: more than `blobs.MAX_BLOB_BYTES`.
        """
        return self._blobs.keep(data)

    def blob(self, digest: Digest) -> bytes:
        """Return bytes that were kept.

        Raises:
            IntegrityError: the blob is missing or damaged.
        """
        return self._blobs.read(digest)

    def blob_of_two(self, digest: Digest) -> bytes:
        """Return the details of what two persons signed, which are read again and again: once read they are held. Raises as `blob` does."""
        if digest not in self._of_two:
            self._of_two[digest] = self.blob(digest)
        return self._of_two[digest]

    def has_blob(self, digest: Digest) -> bool:
        """Say whether a blob's file is there, without reading it."""
        return self._blobs.has(digest)

    def remove_blob(self, digest: Digest) -> None:
        """Remove a blob for good, after its erasure was recorded.

        Raises:
            LedgerError: it cannot be removed.
        """
        self._blobs.remove(digest)

    def records(
        self,
        *,
        kinds: Collection[str] | None = None,
        run: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Record]:
        """Yield records.

        Args:
            kinds: whole kinds, such as `backup.finished`; None for all.
            run: of one run only.
            since: recorded at or after this moment. What stands before a mended clock counts as recorded no later than that.
            until: recorded before this moment, likewise.
            newest_first: from the end backwards.
            limit: at most so many.

        Raises:
            IntegrityError: a line is not a record.
        """
        selected = None if kinds is None else tuple(kinds)
        if get_ident() in self._ordering:  # whoever finds the order needs no moment, and takes what is too much
            since = until = None
        order = self._time_order() if since or until else IN_ORDER
        return self._store.records(Selection(selected, run, since, until, newest_first, limit, order))

    def view(self) -> AbstractContextManager[None]:
        """Let many reads in a row share one connection; nothing may be appended by this ledger meanwhile."""
        return self._store.view()

    def kinds_under(self, kind: str) -> tuple[str, ...]:
        """Return the recorded kinds with this name or below it (name and a dot), sorted."""
        return self._store.kinds_under(kind)

    def record(self, seq: int) -> Record | None:
        """Return one record, or None if there is none of that number."""
        return self._store.record(seq)

    def first(self) -> Record | None:
        """Return the oldest record."""
        return next(self.records(limit=1), None)

    def last(self) -> Record | None:
        """Return the newest record."""
        return next(self.records(newest_first=True, limit=1), None)

    def gone_to(self) -> str | None:
        """Return where the ledger was moved to, if this is the place that it left."""
        place = self.place_named_last()
        return place if place != self._store.place else None

    def left_for(self) -> LedgerError | None:
        """Return the error of who appends to this place after the ledger left it for another one; None while it goes on here."""
        place = self.gone_to()
        return None if place is None else moved_away(self._store.place, place)

    def place_named_last(self) -> str | None:
        """Return where the newest record, claims apart, says that the ledger goes on; None if it says nothing of that, or does not count."""
        newest = next((each for each in self.records(newest_first=True) if each.kind != CLAIM), None)
        if newest is None or newest.kind != MOVED or not self.heeds_move(self, newest):
            return None
        return moved_to(self, newest)

    def now(self) -> datetime:
        """Return the time that a record would get now."""
        return self._clock.now()

    def require_clock(self) -> None:
        """Make sure that the clock is not behind the newest record by more than clocks may be apart, before work is done that could not be recorded.

        Raises:
            ClockWentBack: it is.
        """
        latest, now = self._latest(), self._clock.now()
        if latest is not None and latest - now > self._store.skew:
            raise clock_went_back(now, latest)

    def require_kept_clock(self, is_kept: Callable[[], bool]) -> None:
        """Make sure that the clock has not jumped ahead since the newest record: a record of the future would stop the ledger until then.

        Args:
            is_kept: says whether something vouches for the clock; asked only where it is more than `MAX_QUIET` after that record.

        Raises:
            ClockJumped: nothing does.
        """
        newest, now = self.last_in_order(), self._clock.now()
        if newest is None or (now - newest.at <= MAX_QUIET and self.is_somebodys(newest)) or is_kept():
            return
        counted = self.newest_in_time()
        if counted is not None and now - counted.at > MAX_QUIET:
            raise clock_jumped(now, counted.at)

    def is_somebodys(self, record: Record) -> bool:
        """Say whether a record's time speaks for the clock; without writers each does."""
        del record
        return True

    def newest_in_time(self) -> Record | None:
        """Return the newest record by which the clock is judged."""
        return self.last_in_order()

    def found_from(self, record: Record) -> datetime:
        """Return the moment from which `records` finds a record: its own, or that of a mended clock behind it which is earlier."""
        return min((record.at, *(parse_at(at) for seq, at in self._time_order().mended if seq > record.seq)))

    def searched_from(self, moment: datetime) -> datetime:
        """Return the moment from which `records` finds all whose own time is one or later, also what a clock that ran ahead left."""
        mended = self._time_order().mended
        before = ((parse_at(at), self._newest_in_order(seq)) for seq, at in mended)
        return min((moment, *(at for at, newest in before if newest is not None and newest.at >= moment)))

    def last_in_order(self) -> Record | None:
        """Return the newest record by whose time others are judged: what counts for nothing has none."""
        return self._newest_in_order(None)

    def _newest_in_order(self, before: int | None) -> Record | None:
        passed = self._time_order().passed
        newest = self.records(newest_first=True) if before is None else self._records_before(before)
        return next((each for each in newest if each.seq not in passed), None)

    def _records_before(self, seq: int) -> Iterator[Record]:
        numbers = range(seq - 1, 0, -1)
        return (record for number in numbers if (record := self.record(number)) is not None)

    def _time_order(self) -> TimeOrder:
        """Return how a moment is looked for."""
        if get_ident() in self._ordering or not any(self.records(kinds=BY_TWO, limit=1)):
            return IN_ORDER
        return self.remember("time order", self._find_time_order)

    def _find_time_order(self) -> TimeOrder:
        self._ordering.add(get_ident())
        try:
            return self.find_time_order(self)
        finally:
            self._ordering.discard(get_ident())

    def count(self) -> int:
        """Return how many records there are."""
        return self._store.count()

    def has(self, run: str, kind: str) -> bool:
        """Say whether a run left a record of a kind."""
        return self._store.has(run, kind)

    def run_ids(self, first: RunId) -> frozenset[RunId]:
        """Return the ids in use for a run and its further attempts, given the id of its first."""
        return frozenset(RunId(run) for run in self._store.run_ids(first))

    def runs(
        self, *, kinds: Collection[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Run, ...]:
        """Return the runs that started in a span, in order, crashed ones included.

        Args:
            kinds: kinds of runs, such as `backup`; None for all.
            since: started at or after this moment.
            until: started before this moment. When a run finished does not matter.
        """
        order = self._time_order() if since or until else IN_ORDER
        return fold_runs(self._store.frames(kinds, since, until, order))

    def frames(self) -> Iterator[Record]:
        """Yield the started and finished records, in order."""
        return self._store.frame_records()

    def outcome(self, run: Run) -> RunOutcome | None:
        """Return how a run ended; None if it has not, or if its details cannot be read: then it is unknown."""
        summary = self.summary(run)
        return summary.outcome if summary else None

    def summary(self, run: Run) -> RunSummary | None:
        """Return what a finished run says of itself; None if it has not finished, or if that cannot be read."""
        if run.finished_at is None or run.body is None:
            return None
        try:
            return bodies.decode_part(self.blob(run.body), "run", RunSummary)
        except PortalOpsError:
            return None

    def plans(self, *, without: Collection[int] = ()) -> tuple[RecordedPlan, ...]:
        """Return every plan recorded, oldest first, but for those of some numbers.

        Raises:
            LedgerError: the details of a plan cannot be read.
        """
        return tuple(self._plan(record) for record in self.records(kinds=(PLAN,)) if record.seq not in without)

    def plan(self) -> Plan | None:
        """Return the newest plan recorded.

        Raises:
            LedgerError: its details cannot be read.
        """
        newest = next(self.records(kinds=(PLAN,), newest_first=True, limit=1), None)
        return self._plan(newest).plan if newest else None

    def snapshot(self) -> AbstractContextManager[StoredLines]:
        """Open the chain as it is stored at this moment, for verification."""
        return self._store.snapshot()

    def bodies(self) -> Iterator[tuple[int, Digest]]:
        """Yield each blob that records name, with the first record that names it."""
        return self._store.bodies()

    def close(self) -> None:
        """Let go of the file. Reading opens it again."""
        self._store.close()

    def _begin(self) -> None:
        body = bodies.write({"ledger": secrets.token_hex(16), "format": 1, "portalops": __version__})
        self._store.begin(self.draft(CREATED, body=self.keep(body)), self._clock)

    def _upgraded(self, records: int, head: Digest) -> Draft:
        told = {"from": 1, "to": SCHEMA_VERSION, "records": records, "head": head, "portalops": __version__}
        return self.draft(UPGRADED, body=self.keep(bodies.write({"upgrade": told})))

    def _plan(self, record: Record) -> RecordedPlan:
        plan = bodies.decode_part(self.blob(record.body), PLAN, Plan)
        if plan is None:
            raise IntegrityError(
                msg("record {seq} is of kind plan but holds no plan", seq=record.seq),
                msg("Run 'portalops ledger verify', and keep everything as it is."),
            )
        return RecordedPlan(record.seq, record.at, plan)


def _lines_named(blobs: BlobStore, lines: StoredLines) -> Iterator[int]:
    """Yield the records that quarantines name. Whether one counts is left to verification: a line that is no record is no evidence."""
    from portalops.ledger.quarantine_text import lines_named  # noqa: PLC0415  # for a damaged ledger alone

    yield from lines_named(lines, blobs)


def _lines_that_are_none(lines: StoredLines) -> Iterator[int]:
    """Yield the numbers of all lines that are no records: who mends a ledger reads what is left of it."""
    for chunk in lines.chunks(_CHUNK):
        for place, line in zip(chunk.places or (), chunk.lines, strict=True):
            if isinstance(place, int):
                try:
                    parse(bytes_of(line))
                except NotARecord:
                    yield place


def find_latest(lines: StoredLines, mended: Iterable[int], passed: Collection[int], last: int | None = None) -> str:
    """Return the time that what follows a line may not be before, as `times.find_time_in_force` does; empty without one.

    Mostly the first line that the index names is the one. Others are read only where a time stands out of order.

    Args:
        lines: the ledger's.
        mended: numbers of the mended clocks that count.
        passed: numbers of the records that set no time, as far as they are known.
        last: the line's number; None for the newest.
    """
    begin = max((seq for seq in mended if last is None or seq <= last), default=0)
    for seq in lines.latest_first(max(begin - 1, 0), last):
        if seq in passed and seq != begin:
            continue
        for chunk in lines.read_between(seq - 1, seq, 1):
            fields = fields_of(bytes_of(chunk.lines[0]))
            if fields is not None and fields.seq == seq and (seq == begin or fields.kind not in BY_TWO):
                return fields.at
    return ""


def moved_to(ledger: Ledger, record: Record) -> str | None:
    """Return where a record says that the ledger was moved to; None if it is of another kind, `?` if it cannot be read."""
    if record.kind != MOVED:
        return None
    try:
        said = bodies.read(ledger.blob(record.body)).get("moved")
    except LedgerError:
        return "?"
    place = said.get("to") if isinstance(said, dict) else None
    return place if isinstance(place, str) else "?"


def not_moved(file: str, place: str) -> LedgerError:
    """Say that a ledger has yet to come to the place where it is to go on."""
    return LedgerError(
        msg("{place} holds no ledger yet: it is in {file}", place=place, file=file),
        msg(
            "Bring it over with 'portalops ledger move --to store'. Where that is refused, take [ledger.store] out of the configuration"
            " again: the ledger goes on in the file. If the file is none of this portal's, move it away."
        ),
    )


def moved_away(here: str, place: str) -> LedgerError:
    """Say that a ledger goes on elsewhere."""
    return LedgerError(
        msg("the ledger in {here} was moved to {place}", here=here, place=place),
        msg(
            "Name the new store in [ledger.store] of the configuration, or move the ledger back with 'portalops "
            "ledger move'. If a stranger wrote that record, two persons set it aside: portalops ledger quarantine "
            "(docs/stopped.md)."
        ),
    )
