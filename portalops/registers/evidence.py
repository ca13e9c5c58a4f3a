"""The evidence of a period, read out of the ledger: what duties are judged from and reports are built on.

Only finished records are evidence. A record whose blob is missing or damaged is kept in `unreadable`,
because what can't be read is unknown and must be seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from portalops.errors import PortalOpsError
from portalops.ledger.bodies import decode_part
from portalops.model.backups import BackupResult, BackupSet, Copy, CopyState, VerifyResult
from portalops.model.checks import CheckRound
from portalops.model.period import Period
from portalops.model.record import Digest, Record
from portalops.model.runs import Plan, ReportResult, Run
from portalops.model.updates import UpdatesResult

BodyT = TypeVar("BodyT")

LOOK_BACK = timedelta(days=45)
"""How long before a period its evidence may have been made and still speak for it: a month's set plus its verification."""


@dataclass(frozen=True, slots=True)
class Recorded(Generic[BodyT]):
    """A result together with the record that holds it."""

    seq: int
    at: datetime
    run: str
    body: BodyT


@dataclass(frozen=True, slots=True)
class SetEvidence:
    """A backup set with its copies in their newest known state."""

    seq: int
    at: datetime
    set: BackupSet
    copies: tuple[Copy, ...]
    verified_seqs: tuple[int, ...]
    """Records that looked at a copy after the set was made."""

    def verified_copies(self) -> tuple[Copy, ...]:
        """Return the copies that were read back whole and have not been found damaged since."""
        return tuple(copy for copy in self.copies if copy.state is CopyState.VERIFIED)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything recorded that can speak for a period."""

    period: Period
    now: datetime
    zone: ZoneInfo
    started_at: datetime | None
    """When the ledger began; nothing earlier is known. None for an empty ledger."""
    plan: Plan | None
    """The newest plan recorded."""
    runs: tuple[Run, ...]
    """All runs from `LOOK_BACK` before the period on, in order; crashed ones included."""
    backups: tuple[Recorded[BackupResult], ...]
    verifies: tuple[Recorded[VerifyResult], ...]
    checks: Recorded[CheckRound] | None
    """The newest round recorded by the period's end (or by now, if that is earlier)."""
    updates: Recorded[UpdatesResult] | None
    """The newest judging there is: later judgings know more about the same days."""
    reports: tuple[Recorded[ReportResult], ...]
    unreadable: tuple[str, ...] = ()
    """`seq: why` for each finished record whose details could not be read."""

    def sets(self) -> tuple[SetEvidence, ...]:
        """Return the backup sets, oldest first, with what later verifications said of their copies."""
        return tuple(fold_sets(self.backups, self.verifies))


class LedgerReader(Protocol):
    """The part of the ledger that reading evidence needs."""

    def records(
        self,
        *,
        kinds: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Record]: ...
    def blob(self, digest: Digest) -> bytes: ...
    def first(self) -> Record | None: ...
    def runs(
        self, *, kinds: Collection[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Run, ...]: ...
    def plan(self) -> Plan | None: ...


def read_evidence(ledger: LedgerReader, period: Period, *, now: datetime, zone: ZoneInfo) -> Evidence:
    """Read what speaks for a period.

    Records made after the period count for what they say about it (a later judging, a later
    verification), so everything from `LOOK_BACK` before the period up to now is read.
    """
    start, end = period.bounds(zone)
    since = start - LOOK_BACK
    first = ledger.first()
    unreadable: list[str] = []

    def read(kind: str, body_type: type[BodyT], records: Iterable[Record]) -> Iterator[Recorded[BodyT]]:
        for record in records:
            try:
                body = decode_part(ledger.blob(record.body), kind, body_type)
            except PortalOpsError as error:
                unreadable.append(f"{record.seq}: {error.message}")
                continue
            if body is not None:  # a run that failed before it had a result
                yield Recorded(record.seq, record.at, record.run, body)

    def all_of(kind: str, body_type: type[BodyT]) -> tuple[Recorded[BodyT], ...]:
        return tuple(read(kind, body_type, ledger.records(kinds=(f"{kind}.finished",), since=since)))

    def newest(kind: str, body_type: type[BodyT], until: datetime | None) -> Recorded[BodyT] | None:
        records = ledger.records(kinds=(f"{kind}.finished",), since=since, until=until, newest_first=True)
        return next(read(kind, body_type, records), None)

    return Evidence(
        period=period,
        now=now,
        zone=zone,
        started_at=first.at if first else None,
        plan=ledger.plan(),
        runs=ledger.runs(since=since),
        backups=all_of("backup", BackupResult),
        verifies=all_of("verify", VerifyResult),
        checks=newest("check", CheckRound, end),
        updates=newest("updates", UpdatesResult, None),
        reports=all_of("report", ReportResult),
        unreadable=tuple(unreadable),
    )


def fold_sets(
    backups: Sequence[Recorded[BackupResult]], verifies: Sequence[Recorded[VerifyResult]]
) -> Iterator[SetEvidence]:
    """Yield each set that was made, oldest first, with its copies as they were seen last."""
    for made in backups:
        if made.body.set is None:
            continue
        copies = {copy.medium: copy for copy in made.body.copies}
        looked: list[int] = []
        for later in verifies:
            for copy in later.body.copies:
                if copy.set_id == made.body.set.id and later.seq > made.seq:
                    copies[copy.medium] = copy
                    looked.append(later.seq)
        yield SetEvidence(made.seq, made.at, made.body.set, tuple(copies.values()), tuple(dict.fromkeys(looked)))
