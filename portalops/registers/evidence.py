"""The evidence of a period, read out of the ledger: what duties are judged from and reports are built on.

Only finished records are evidence, and only as what they say they are: a run that failed has a finished
record too. A record whose blob is missing or damaged is kept in `unreadable`, because what can't be read
is unknown and must be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

from portalops.bodies import decode_part, decode_plain, uncollected
from portalops.errors import IntegrityError, LedgerError, PortalOpsError
from portalops.model.adopted import AdoptedPoll
from portalops.model.archive import Inventory
from portalops.model.backups import (
    BackupResult,
)
from portalops.model.checks import BriefHost, BriefScan, CheckScan, HostScan, JudgedScan
from portalops.model.findings import Finding
from portalops.model.message import Message
from portalops.model.organisation import HostId
from portalops.model.period import Period
from portalops.model.record import FINISHED, Record, Recorded
from portalops.model.retention import PruneResult
from portalops.model.runs import ReportResult, Run, RunSummary
from portalops.model.updates import UpdatesResult
from portalops.model.values import dataclass
from portalops.model.verdicts import CheckVerdict, RunOutcome
from portalops.ports import LedgerReader
from portalops.registers.attested import read_attested
from portalops.registers.backups import POLLS, CopyReports, SetEvidence, fold_sets, folded_discs, read_replacements
from portalops.registers.cases import Case, read_cases
from portalops.registers.changes import ChangeRegister, read_changes
from portalops.registers.confirmations import read_confirmations
from portalops.registers.copies import Replacement
from portalops.registers.credentials import CredentialRegister, read_credentials
from portalops.registers.discs import DISC_KINDS, DiscBody, HeldDisc
from portalops.registers.drills import RecordedDrill, read_drills
from portalops.registers.ends import LONG_BODY_BYTES, RunEnds
from portalops.registers.exemptions import RecordedExemption, read_exemptions
from portalops.registers.findings import read_findings
from portalops.registers.incidents import IncidentRegister, read_incidents
from portalops.registers.media import RegisteredMedium, read_register
from portalops.registers.places import RegisteredPlace, read_places
from portalops.registers.plans import read_plans
from portalops.registers.retention import Decision, read_decisions
from portalops.registers.scans import Shared, StoredScan, drop_sentences
from portalops.registers.sent import RecordedSending, read_sendings
from portalops.registers.slots import KeptSlots, kept_slots
from portalops.registers.waivers import RecordedWaiver, read_waivers

BodyT = TypeVar("BodyT")

REACH_BACK = timedelta(days=45)
"""How long before a period its evidence may have been made and still speak for it: a month's set plus its verification."""

DRILLS_BEFORE = timedelta(days=366)
"""How far before a period's end its drills are read for reports: a year, in which the time that a restore takes shows a trend."""

CHECKS_BEFORE = timedelta(days=31)
"""The longest that a rulebook lets lie between two scans: so far back one may speak for a period's first day."""

ENOUGH: Mapping[str, frozenset[RunOutcome]] = {
    "check": frozenset({RunOutcome.COMPLETE}),
    "updates": frozenset({RunOutcome.COMPLETE, RunOutcome.INCOMPLETE}),
}
"""Kinds of work that are due by the day, and how a run must have ended to speak for its day.

A scan speaks for a day if every host was reached; a collection also if a source did not answer,
since the judging itself weighs what each source has covered.
"""

JUDGED = frozenset({CheckVerdict.PASS, CheckVerdict.FAIL, CheckVerdict.NOT_APPLICABLE})
"""What a check may say that is a judgement: it found out, or a declared role says that it need not."""


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A finished record whose details cannot be read: what it says is unknown, also if it says something bad."""

    seq: int
    kind: str
    """Of its run: `backup`, `check`, ..."""
    why: Message
    damaged: bool = False
    """It is missing or differs from its digest; otherwise it may only not be read by this account."""
    at: datetime | None = None
    """When it was recorded, of what people decide and attest."""
    erased: bool = False
    """It was erased on purpose, and that counts: it meets nothing, and is no fault."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything recorded that can speak for a period."""

    period: Period
    now: datetime
    zone: ZoneInfo
    started_at: datetime | None
    """When the ledger began; nothing earlier is known. None for an empty ledger."""
    runs: tuple[Run, ...]
    """All runs from the period's start on, and the scans from `CHECKS_BEFORE` it; crashed ones included."""
    backups: tuple[Recorded[BackupResult], ...]
    verifies: tuple[Recorded[CopyReports], ...]
    """Every later look at copies, in the order of the records: verifications, drills, copies made up."""
    checks: Recorded[CheckScan] | None
    """The newest scan recorded by the period's end (or by now, if that is earlier)."""
    updates: Recorded[UpdatesResult] | None
    """The newest judging there is: later judgings know more about the same days."""
    reports: tuple[Recorded[ReportResult], ...]
    cases: tuple[Case, ...] = ()
    """Every case there is, as it stands now: what was done about who fell short."""
    sendings: tuple[RecordedSending, ...] = ()
    """Every report that is recorded as sent."""
    exemptions: tuple[RecordedExemption, ...] = ()
    """Every exemption that was granted, as it stands now."""
    scans: tuple[Recorded[BriefScan], ...] = ()
    """Every scan recorded in the period, oldest first, without its sentences; read for reports alone."""
    last_polls: tuple[Recorded[CheckScan], ...] = ()
    """Newest first, the last scan of the period that looked at each host that `checks` did not; read for reports alone."""
    unreadable: tuple[UnreadableRecord, ...] = ()
    """Every finished record that was looked at and whose details could not be read."""
    summaries: Mapping[int, RunSummary | None] = field(default_factory=dict)
    """How runs ended, by the number of their finished record; None where that cannot be read.

    Of each kind in `ENOUGH` and each local day, the newest runs until one that speaks for the day.
    """
    inventories: tuple[Recorded[Inventory], ...] = ()
    """Of the archive of Article 10.1, oldest first."""
    adopted: tuple[Recorded[AdoptedPoll], ...] = ()
    """What other tools claimed, oldest first: shown, and never judged by."""
    discs: tuple[HeldDisc, ...] = ()
    """Burnt discs of the sets that may speak for the period."""
    replacements: tuple[Replacement, ...] = ()
    """Media whose place another one took, whenever, oldest first."""
    findings: tuple[Finding, ...] = ()
    """What server checks saw to be wrong, as of the period's end or now; what was fixed as well."""
    judged: frozenset[tuple[str, str]] = frozenset()
    """Host and check of every result of the period's scans that is a judgement: a pass, a fail, or not applicable."""
    changes: ChangeRegister | None = None
    """The register of changes as it is now: what was recorded later knows more about the same changes."""
    incidents: IncidentRegister | None = None
    """The register of incidents as it is now, as that of changes."""
    waivers: tuple[RecordedWaiver, ...] = ()
    """Every waiver recorded by the period's end, oldest first."""
    places: Mapping[HostId, RegisteredPlace] = field(default_factory=dict)
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
            as_of: leave out what the retention rule removed later, or what went later with a medium that was replaced: at that
                moment it was still there.
        """
        looks = [
            each for each in self.verifies if not (as_of and isinstance(each.body, PruneResult) and each.at > as_of)
        ]
        replacements = [each for each in self.replacements if not (as_of and each.at > as_of)]
        return tuple(fold_sets(self.backups, looks, self.discs, replacements))


def evidence_since(period: Period, zone: ZoneInfo) -> datetime:
    """Return the moment from which on records can speak for a period."""
    return period.bounds(zone)[0] - REACH_BACK


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
    verification), so everything from `REACH_BACK` before the period up to now is read.

    Args:
        ledger: read only.
        period: what is asked about.
        now: aware.
        zone: the portal's.
        every_run: read how each run of the period ended, of whatever kind, and each scan, and not only
            what judging needs.
        ends: gets how each run ended that is read, for readers that ask for it as well.
    """
    ended = RunEnds() if ends is None else ends
    start, end = period.bounds(zone)
    since = evidence_since(period, zone)
    first = ledger.first()
    unreadable: dict[int, UnreadableRecord] = {}

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

    def looks(kind: str) -> Iterator[Recorded[CopyReports]]:
        return read(*POLLS[kind], ledger.records(kinds=(kind,), since=since))

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
    rounds: list[Recorded[BriefScan]] = []
    judged: set[tuple[str, str]] = set()
    if every_run:
        shared: Shared = {}
        with uncollected():
            rounds += (  # one at a time, as below
                Recorded(one.seq, one.at, one.run, drop_sentences(one.body, shared))
                for one in read("check", StoredScan, of_period)
            )
        judged |= {(host, check) for host, check, verdict in shared if verdict in JUDGED}
    else:
        with uncollected():
            for each in read(
                "check", JudgedScan, of_period
            ):  # one at a time: they are large, and a period may have many
                judged |= _judged(each.body)
    findings = read_findings(ledger, until=end, since=start)
    for seq, why in findings.unreadable:
        unreadable.setdefault(seq, UnreadableRecord(seq, "check", why))
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
    checks = newest("check", CheckScan, end)
    missing = _read_last_polls(rounds, checks)
    again = ledger.records(kinds=("check.finished",), since=start, until=end, newest_first=True) if missing else ()
    last_looks = read("check", CheckScan, (record for record in again if record.seq in missing))
    runs = (*ledger.runs(kinds=("check",), since=start - CHECKS_BEFORE, until=start), *ledger.runs(since=start))
    found = Evidence(
        period=period,
        now=now,
        zone=zone,
        started_at=first.at if first else None,
        runs=runs,
        backups=all_of("backup", BackupResult),
        verifies=tuple(sorted((each for kind in POLLS for each in looks(kind)), key=attrgetter("seq"))),
        checks=checks,
        updates=newest("updates", UpdatesResult, None),
        reports=all_of("report", ReportResult),
        scans=tuple(rounds),
        last_polls=tuple(last_looks),
        summaries=_ends_of_runs(runs, period, zone, end_of, every_run=every_run),
        inventories=tuple(read("inventory", Inventory, ledger.records(kinds=("archive.inventory",), since=since))),
        adopted=tuple(read("adopted", AdoptedPoll, ledger.records(kinds=("backup.adopted",), since=since))),
        discs=folded_discs(each for kind in DISC_KINDS for each in disc_bodies(kind)),
        replacements=read_replacements(ledger),
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
    unreadable: dict[int, UnreadableRecord],
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


def _read_last_polls(rounds: Sequence[Recorded[BriefScan]], newest: Recorded[CheckScan] | None) -> frozenset[int]:
    """Return the records of the last scan that looked at each host that the newest one did not."""
    seen = {name for each in newest.body.hosts for name in _names(each)} if newest else set()
    found: set[int] = set()
    for one in reversed(rounds):
        names = {name for each in one.body.hosts for name in _names(each)}
        if not names <= seen:
            found.add(one.seq)
            seen |= names
    return frozenset(found)


def _names(one: HostScan | BriefHost) -> tuple[HostId, ...]:
    """Return the hosts that were looked at: of a group, its members."""
    return one.members if one.standby else (one.host,)


def _judged(one: JudgedScan) -> set[tuple[str, str]]:
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
    return None if part is None else decode_plain(RunSummary, part)


def _unreadable(seq: int, kind: str, error: PortalOpsError) -> UnreadableRecord:
    return UnreadableRecord(seq, kind, error.message, isinstance(error, IntegrityError))
