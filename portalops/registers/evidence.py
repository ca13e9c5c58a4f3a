"""The evidence of a period, read out of the ledger: what duties are judged from and reports are built on.

Only finished records are evidence, and only as what they say they are: a run that failed has a finished
record too. A record whose blob is missing or damaged is kept in `unreadable`, because what can't be read
is unknown and must be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Final, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from portalops.errors import IntegrityError, LedgerError, PortalOpsError
from portalops.ledger.bodies import decode, decode_part, uncollected
from portalops.ledger.record import FINISHED
from portalops.model.adopted import AdoptedLook
from portalops.model.archive import Inventory
from portalops.model.backups import (
    BackupResult,
    BackupSet,
    Copy,
    CopyResult,
    CopyState,
    DataClass,
    DrillResult,
    SetId,
    SetKind,
    Shrink,
    VerifyResult,
)
from portalops.model.checks import CheckRound, HostRound, JudgedRound, LookedHost, LookedRound
from portalops.model.findings import Finding
from portalops.model.media import MediumCheck
from portalops.model.message import Message
from portalops.model.organisation import HostId
from portalops.model.period import Period
from portalops.model.reading import Freshness, Limits, Reading, standing
from portalops.model.record import Digest, Record
from portalops.model.retention import PruneResult
from portalops.model.runs import ReportResult, Run, RunSummary
from portalops.model.updates import UpdatesResult
from portalops.model.verdicts import CheckVerdict, RunOutcome
from portalops.registers.attested import read_attested
from portalops.registers.cases import Case, read_cases
from portalops.registers.changes import ChangeRegister, read_changes
from portalops.registers.confirmations import read_confirmations
from portalops.registers.copies import Look, after, after_elsewhere, first_known
from portalops.registers.credentials import CredentialRegister, read_credentials
from portalops.registers.discs import DISC_KINDS, DiscBody, HeldDisc, are_complete, fold_discs
from portalops.registers.drills import IMPORTED, ImportedDrill, RecordedDrill, read_drills
from portalops.registers.drills import KEY as DRILL_REPORT
from portalops.registers.ends import LONG_BODY_BYTES, RunEnds
from portalops.registers.exemptions import RecordedExemption, read_exemptions
from portalops.registers.findings import read_findings
from portalops.registers.incidents import IncidentRegister, read_incidents
from portalops.registers.media import RegisteredMedium, read_register
from portalops.registers.places import Place, read_places
from portalops.registers.plans import read_plans
from portalops.registers.retention import Decision, read_decisions
from portalops.registers.rounds import Shared, StoredRound, looked
from portalops.registers.sent import RecordedSending, read_sendings
from portalops.registers.slots import KeptSlots, kept_slots
from portalops.registers.waivers import RecordedWaiver, read_waivers

BodyT = TypeVar("BodyT")

LOOK_BACK = timedelta(days=45)
"""How long before a period its evidence may have been made and still speak for it: a month's set plus its verification."""

DRILLS_BEFORE = timedelta(days=366)
"""How far before a period's end its drills are read for reports: a year, in which the time that a restore takes shows a trend."""

CHECKS_BEFORE = timedelta(days=31)
"""The longest that a rulebook lets lie between two rounds of checks: so far back one may speak for a period's first day."""

ENOUGH: Mapping[str, frozenset[RunOutcome]] = {
    "check": frozenset({RunOutcome.COMPLETE}),
    "updates": frozenset({RunOutcome.COMPLETE, RunOutcome.INCOMPLETE}),
}
"""Kinds of work that are due by the day, and how a run must have ended to speak for its day.

A round of checks speaks for a day if every host was reached; a collection also if a source did not answer,
since the judging itself weighs what each source has covered.
"""

JUDGED = frozenset({CheckVerdict.PASS, CheckVerdict.FAIL, CheckVerdict.NOT_APPLICABLE})
"""What a check may say that is a judgement: it found out, or a declared role says that it need not."""


@dataclass(frozen=True, slots=True)
class Recorded(Generic[BodyT]):
    """A result together with the record that holds it."""

    seq: int
    at: datetime
    run: str
    body: BodyT


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A finished record whose details cannot be read: what it says is unknown, also if it says something bad."""

    seq: int
    kind: str
    """Of its run: `backup`, `check`, ..."""
    why: Message
    damaged: bool = False
    """It is missing or differs from its digest; otherwise it may only not be read by this account."""
    at: datetime | None = None
    """When it was recorded, of what people decide and attest."""


class LookedAt(Protocol):
    """A record's body that tells of copies of sets that were made before."""

    @property
    def copies(self) -> tuple[Copy, ...]:
        """Return each copy in its new state."""
        ...


BACKUP: Final = "backup"
LOOKS: Final[Mapping[str, tuple[str, type[LookedAt]]]] = {
    "verify.finished": ("verify", VerifyResult),
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
    discs: tuple[HeldDisc, ...] = ()
    """Discs that its images were burnt to, as far as nobody has recorded that they are destroyed."""

    def freshness(self, copy: Copy, limits: Limits, now: datetime) -> Freshness:
        """Return what the readings of one of its copies are worth at a moment."""
        readings = self.readings.get(copy.medium)
        if readings is None:  # nothing but the copy itself is known
            readings = first_known(Look(self.seq, self.at, copy)).readings
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

    @property
    def is_disposed(self) -> bool:
        """Whether the retention rule has removed all there was of it."""
        states = {copy.state for copy in self.copies}
        return CopyState.DISPOSED in states and states <= {CopyState.DISPOSED, CopyState.FAILED}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything recorded that can speak for a period."""

    period: Period
    now: datetime
    zone: ZoneInfo
    started_at: datetime | None
    """When the ledger began; nothing earlier is known. None for an empty ledger."""
    runs: tuple[Run, ...]
    """All runs from the period's start on, and the rounds of checks from `CHECKS_BEFORE` it; crashed ones included."""
    backups: tuple[Recorded[BackupResult], ...]
    verifies: tuple[Recorded[LookedAt], ...]
    """Every later look at copies, in the order of the records: verifications, drills, copies made up."""
    checks: Recorded[CheckRound] | None
    """The newest round recorded by the period's end (or by now, if that is earlier)."""
    updates: Recorded[UpdatesResult] | None
    """The newest judging there is: later judgings know more about the same days."""
    reports: tuple[Recorded[ReportResult], ...]
    cases: tuple[Case, ...] = ()
    """Every case there is, as it stands now: what was done about who fell short."""
    sendings: tuple[RecordedSending, ...] = ()
    """Every report that is recorded as sent."""
    exemptions: tuple[RecordedExemption, ...] = ()
    """Every exemption that was granted, as it stands now."""
    rounds: tuple[Recorded[LookedRound], ...] = ()
    """Every round of checks recorded in the period, oldest first, without its sentences; read for reports alone."""
    last_looks: tuple[Recorded[CheckRound], ...] = ()
    """Newest first, the last round of the period that looked at each host that `checks` did not; read for reports alone."""
    unreadable: tuple[Unreadable, ...] = ()
    """Every finished record that was looked at and whose details could not be read."""
    summaries: Mapping[int, RunSummary | None] = field(default_factory=dict)
    """How runs ended, by the number of their finished record; None where that cannot be read.

    Of each kind in `ENOUGH` and each local day, the newest runs until one that speaks for the day.
    """
    inventories: tuple[Recorded[Inventory], ...] = ()
    """Of the archive of Article 10.1, oldest first."""
    adopted: tuple[Recorded[AdoptedLook], ...] = ()
    """What other tools claimed, oldest first: shown, and never judged by."""
    discs: tuple[HeldDisc, ...] = ()
    """Burnt discs of the sets that may speak for the period."""
    findings: tuple[Finding, ...] = ()
    """What server checks saw to be wrong, as of the period's end or now; what was fixed as well."""
    judged: frozenset[tuple[str, str]] = frozenset()
    """Host and check of every result of the period's rounds that is a judgement: a pass, a fail, or not applicable."""
    changes: ChangeRegister | None = None
    """The register of changes as it is now: what was recorded later knows more about the same changes."""
    incidents: IncidentRegister | None = None
    """The register of incidents as it is now, as that of changes."""
    waivers: tuple[RecordedWaiver, ...] = ()
    """Every waiver recorded by the period's end, oldest first."""
    places: Mapping[HostId, Place] = field(default_factory=dict)
    """Where each host stood, as of the period's end; read for reports alone."""
    credentials: CredentialRegister | None = None
    """The register of credentials as of the period's end."""
    media: Mapping[str, RegisteredMedium] = field(default_factory=dict)
    """The register of backup media by id, as of the period's end; read for reports alone."""
    decisions: tuple[Decision, ...] = ()
    """Which sets were held, released, marked and unmarked by the period's end, oldest first; read for reports alone."""
    drills: tuple[RecordedDrill, ...] = ()
    """Drills of the period and of the year up to its end, oldest first; read for reports alone."""
    slots: KeptSlots | None = None
    """How the planned jobs were kept whose slots began in the period; read for reports alone."""

    def last_day(self) -> date:
        """Return the local day as of which states are told: the period's last one, or today if that is earlier."""
        return min(self.now.astimezone(self.zone).date(), self.period.last)

    def sets(self, *, as_of: datetime | None = None) -> tuple[SetEvidence, ...]:
        """Return the backup sets, oldest first, with what later looks said of their copies.

        Args:
            as_of: leave out what the retention rule removed later: at that moment it was still there.
        """
        looks = [
            each for each in self.verifies if not (as_of and isinstance(each.body, PruneResult) and each.at > as_of)
        ]
        return tuple(fold_sets(self.backups, looks, self.discs))


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
    def has_blob(self, digest: Digest) -> bool: ...
    def first(self) -> Record | None: ...
    def runs(
        self, *, kinds: Collection[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Run, ...]: ...


def evidence_since(period: Period, zone: ZoneInfo) -> datetime:
    """Return the moment from which on records can speak for a period."""
    return period.bounds(zone)[0] - LOOK_BACK


def read_evidence(
    ledger: LedgerReader,
    period: Period,
    *,
    now: datetime,
    zone: ZoneInfo,
    every_run: bool = False,
    ends: RunEnds | None = None,
) -> Evidence:
    """Read what speaks for a period.

    Records made after the period count for what they say about it (a later judging, a later
    verification), so everything from `LOOK_BACK` before the period up to now is read.

    Args:
        ledger: read only.
        period: what is asked about.
        now: aware.
        zone: the portal's.
        every_run: read how each run of the period ended, of whatever kind, and each round of checks, and not only
            what judging needs.
        ends: gets how each run ended that is read, for readers that ask for it as well.
    """
    ended = RunEnds() if ends is None else ends
    start, end = period.bounds(zone)
    since = evidence_since(period, zone)
    first = ledger.first()
    unreadable: dict[int, Unreadable] = {}

    def read(kind: str, body_type: type[BodyT], records: Iterable[Record]) -> Iterator[Recorded[BodyT]]:
        for record in records:
            try:
                blob = ledger.blob(record.body)
                body = decode_part(blob, kind, body_type)
            except PortalOpsError as error:
                unreadable[record.seq] = _unreadable(record.seq, kind, error)
                continue
            if len(blob) > LONG_BODY_BYTES and record.kind.endswith(FINISHED):
                with suppress(LedgerError):  # whoever asks for the end finds out that it cannot be read
                    ended.read(record.body, blob)
            if body is not None:  # a run that failed before it had a result
                yield Recorded(record.seq, record.at, record.run, body)

    def all_of(kind: str, body_type: type[BodyT]) -> tuple[Recorded[BodyT], ...]:
        return tuple(read(kind, body_type, ledger.records(kinds=(f"{kind}.finished",), since=since)))

    def looks(kind: str) -> Iterator[Recorded[LookedAt]]:
        return read(*LOOKS[kind], ledger.records(kinds=(kind,), since=since))

    def disc_bodies(kind: str) -> Iterator[Recorded[DiscBody]]:
        return read(*DISC_KINDS[kind], ledger.records(kinds=(kind,), since=since))

    def newest(kind: str, body_type: type[BodyT], until: datetime | None) -> Recorded[BodyT] | None:
        records = ledger.records(kinds=(f"{kind}.finished",), since=since, until=until, newest_first=True)
        return next(read(kind, body_type, records), None)

    def end_of(seq: int, run: Run) -> RunSummary | None:
        try:
            return _summary(ledger, run, ended)
        except PortalOpsError as error:
            unreadable[seq] = _unreadable(seq, run.kind, error)
            return None

    of_period = ledger.records(kinds=("check.finished",), since=start, until=end)
    rounds: list[Recorded[LookedRound]] = []
    judged: set[tuple[str, str]] = set()
    if every_run:
        shared: Shared = {}
        with uncollected():
            rounds += (  # one at a time, as below
                Recorded(one.seq, one.at, one.run, looked(one.body, shared))
                for one in read("check", StoredRound, of_period)
            )
        judged |= {(host, check) for host, check, verdict in shared if verdict in JUDGED}
    else:
        with uncollected():
            for each in read(
                "check", JudgedRound, of_period
            ):  # one at a time: they are large, and a period may have many
                judged |= _judged(each.body)
    findings = read_findings(ledger, until=end, since=start)
    for seq, why in findings.unreadable:
        unreadable.setdefault(seq, Unreadable(seq, "check", why))
    cases = read_cases(ledger)
    for seq, error in cases.unreadable:
        unreadable[seq] = _unreadable(seq, "case", error)
    sendings = read_sendings(ledger)
    for seq, error in sendings.unreadable:
        unreadable[seq] = _unreadable(seq, "sent", error)
    waivers = read_waivers(ledger, until=end)
    for seq, error in waivers.unreadable:
        unreadable[seq] = _unreadable(seq, "waiver", error)
    exemptions = read_exemptions(ledger)
    for seq, error in exemptions.unreadable:
        unreadable[seq] = _unreadable(seq, "exemption", error)
    for kind, faults in (
        ("confirmation", read_confirmations(ledger).unreadable),
        ("attestation", read_attested(ledger).unreadable),
    ):
        for record, error in faults:
            unreadable[record.seq] = replace(_unreadable(record.seq, kind, error), at=record.at)
    checks = newest("check", CheckRound, end)
    missing = _last_looks(rounds, checks)
    again = ledger.records(kinds=("check.finished",), since=start, until=end, newest_first=True) if missing else ()
    last_looks = read("check", CheckRound, (record for record in again if record.seq in missing))
    runs = (*ledger.runs(kinds=("check",), since=start - CHECKS_BEFORE, until=start), *ledger.runs(since=start))
    found = Evidence(
        period=period,
        now=now,
        zone=zone,
        started_at=first.at if first else None,
        runs=runs,
        backups=all_of("backup", BackupResult),
        verifies=tuple(sorted((each for kind in LOOKS for each in looks(kind)), key=attrgetter("seq"))),
        checks=checks,
        updates=newest("updates", UpdatesResult, None),
        reports=all_of("report", ReportResult),
        rounds=tuple(rounds),
        last_looks=tuple(last_looks),
        summaries=_ends_of_runs(runs, period, zone, end_of, every_run=every_run),
        inventories=tuple(read("inventory", Inventory, ledger.records(kinds=("archive.inventory",), since=since))),
        adopted=tuple(read("adopted", AdoptedLook, ledger.records(kinds=("backup.adopted",), since=since))),
        discs=folded_discs(each for kind in DISC_KINDS for each in disc_bodies(kind)),
        findings=findings.findings,
        judged=frozenset(judged),
        changes=read_changes(ledger),
        incidents=read_incidents(ledger),
        waivers=waivers.waivers,
        places=read_places(ledger, until=end) if every_run else {},
        credentials=read_credentials(ledger, until=end),
        cases=cases.cases,
        sendings=sendings.sendings,
        exemptions=exemptions.exemptions,
    )
    if every_run:
        found = _with_registers(found, ledger, unreadable, end_of)
    return replace(found, unreadable=tuple(unreadable[seq] for seq in sorted(unreadable)))


def _with_registers(
    found: Evidence,
    ledger: LedgerReader,
    unreadable: dict[int, Unreadable],
    end_of: Callable[[int, Run], RunSummary | None],
) -> Evidence:
    """Return the evidence with the registers that reports alone show; what of them cannot be read is added to `unreadable`."""
    start, end = found.period.bounds(found.zone)
    media = read_register(ledger, until=end)
    decisions = read_decisions(ledger, until=end)
    drills = read_drills(ledger, since=min(start, end - DRILLS_BEFORE), until=end)
    plans = read_plans(ledger, until=found.now)  # a later one may end a slot that began in the period
    for kind, faults in (
        ("medium", media.unreadable),
        ("retention", decisions.unreadable),
        ("earlier drill", drills.unreadable),
        ("plan", plans.unreadable),
    ):
        for seq, error in faults:
            unreadable.setdefault(seq, _unreadable(seq, kind, error))

    def ended(run: Run) -> RunSummary | None:
        seq = run.finished_seq
        return None if seq is None else found.summaries[seq] if seq in found.summaries else end_of(seq, run)

    slots = KeptSlots(problem=plans.unreadable[0][1].message) if plans.unreadable else None
    return replace(
        found,
        media=media.media,
        decisions=decisions.decisions,
        drills=drills.drills,
        slots=slots
        or kept_slots(plans.plans, found.runs, ended, until=found.now, zone=found.zone, since=start, before=end),
    )


def _last_looks(rounds: Sequence[Recorded[LookedRound]], newest: Recorded[CheckRound] | None) -> frozenset[int]:
    """Return the records of the last round that looked at each host that the newest one did not."""
    seen = {name for each in newest.body.hosts for name in _names(each)} if newest else set()
    found: set[int] = set()
    for one in reversed(rounds):
        names = {name for each in one.body.hosts for name in _names(each)}
        if not names <= seen:
            found.add(one.seq)
            seen |= names
    return frozenset(found)


def _names(one: HostRound | LookedHost) -> tuple[HostId, ...]:
    """Return the hosts that were looked at: of a group, its members."""
    return one.members if one.standby else (one.host,)


def _judged(one: JudgedRound) -> set[tuple[str, str]]:
    return {(result.host, result.check) for result in one.results() if result.verdict in JUDGED}


def _ends_of_runs(
    runs: Sequence[Run],
    period: Period,
    zone: ZoneInfo,
    end_of: Callable[[int, Run], RunSummary | None],
    *,
    every_run: bool,
) -> dict[int, RunSummary | None]:
    """Read how runs ended: no more of them than it takes to find one that speaks for its day.

    Before the period the same is done day by day backwards until such a run is found.
    """
    by_day: dict[tuple[date, str], list[tuple[int, Run]]] = {}
    for run in runs:
        if run.finished_seq is not None:
            began_on = run.started_at.astimezone(zone).date()
            by_day.setdefault((began_on, run.kind), []).append((run.finished_seq, run))
    ends: dict[int, RunSummary | None] = {}
    found_before: set[str] = set()
    for day, kind in sorted(by_day, reverse=True):
        enough = ENOUGH.get(kind, frozenset())
        takes_all = every_run and day in period
        is_before = day < period.first and kind not in found_before
        if not takes_all and not (enough and (day in period or is_before)):
            continue
        for seq, run in reversed(by_day[day, kind]):
            ends[seq] = summary = end_of(seq, run)
            if summary is not None and summary.outcome in enough and not takes_all:
                found_before |= {kind} if is_before else set()
                break
    return ends


def _summary(ledger: LedgerReader, run: Run, ends: RunEnds) -> RunSummary | None:
    """Return how a finished run ended, or None if its record does not say."""
    assert run.body is not None
    known = ends.known(run.body)
    part = known[1] if known else ends.read(run.body, ledger.blob(run.body))
    return None if part is None else decode(RunSummary, part)


def folded_discs(records: Iterable[Recorded[DiscBody]]) -> tuple[HeldDisc, ...]:
    """Return the burnt discs that there are; the records may come in any order."""
    return fold_discs((each.seq, each.at, each.body) for each in sorted(records, key=attrgetter("seq")))


def fold_sets(
    backups: Sequence[Recorded[BackupResult]],
    verifies: Sequence[Recorded[LookedAt]],
    discs: Sequence[HeldDisc] = (),
) -> Iterator[SetEvidence]:
    """Yield each set that was made, oldest first, with its copies and discs as they were seen last."""
    told: dict[SetId, list[Look]] = {}
    for each in verifies:
        for copy in each.body.copies:
            told.setdefault(copy.set_id, []).append(_look(each, copy))
    fulls: dict[Digest, SetEvidence] = {}
    for made in backups:
        if made.body.set is None:
            continue
        begun_at = made.body.set.created_at
        known = {copy.medium: first_known(Look(made.seq, begun_at, copy)) for copy in made.body.copies}
        looked: list[int] = []
        for look in told.get(made.body.set.id, ()):
            medium = look.copy.medium
            if look.seq <= made.seq or (look.drilled_at is not None and medium not in known):
                continue  # another host tells of a copy that nobody has made
            before = known.get(medium)
            if before is not None and look.drilled_at is not None:
                known[medium] = after_elsewhere(before, look)
            else:
                known[medium] = after(before, look)
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
            discs=tuple(disc for disc in discs if disc.burnt.set_id == made.body.set.id),
        )
        if made.body.set.kind is SetKind.FULL:
            fulls[made.body.set.bag_sha256] = evidence
        yield evidence


def _look(each: Recorded[LookedAt], copy: Copy) -> Look:
    if isinstance(each.body, ImportedDrill):
        return Look(each.seq, each.at, copy, each.body.report.started_at, each.body.signer)
    return Look(each.seq, each.at, copy)


def _unreadable(seq: int, kind: str, error: PortalOpsError) -> Unreadable:
    return Unreadable(seq, kind, error.message, isinstance(error, IntegrityError))
