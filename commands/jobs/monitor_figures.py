"""The figures of a run for monitoring systems: nearly all of them times, so that what has stopped shows by its age.

What is not known has no figure: a `0` would look like a fact. Names of figures and labels come from the configuration and the
rulebook, never from a host or a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from commands.jobs.due import PlanNow
from commands.jobs.standings import JudgedDuties
from portalops import __version__, bodies
from portalops.config import Settings
from portalops.errors import PortalOpsError
from portalops.jobs import next_due
from portalops.model.rulebook import Numbers, Rulebook
from portalops.model.runs import Job, RunSummary
from portalops.model.verdicts import DutyVerdict, RunOutcome, Severity
from portalops.notify.monitors._exposition import Metric, MetricSample
from portalops.notify.monitors._state import MonitorState
from portalops.notify.state import NotifyFolder
from portalops.ports import LedgerReader
from portalops.registers.alarms import read_alarms
from portalops.registers.anchors import newest_taken, read_receipts
from portalops.registers.evidence import Evidence
from portalops.registers.findings import FindingState, stand
from portalops.registers.media import read_media, whole_register
from portalops.registers.runs import parse_run_id

REACH_BACK = timedelta(days=100)
"""How far back anchors' receipts are read: an anchor that took nothing since has no figure, which is an alarm too."""

JOB = "portalops_job"
"""Label of a job's figures. A scrape gives each figure the labels `job` and `instance` of its own, and would call ours `exported_job`."""

MAX_RUNS = 60
"""Newest finished runs of a kind among which a job's last good one is looked for that is not remembered."""

GOOD_CODES = frozenset({0, 1})
"""Of a complete run: it did all it was to do. A set without its signature (3) or a damaged copy (5) is no success."""


@dataclass(frozen=True, slots=True)
class FigureParts:
    """What figures are taken from."""

    settings: Settings
    rulebook: Rulebook
    ledger: LedgerReader
    plan: PlanNow


def figures(parts: FigureParts, judged: JudgedDuties, state: MonitorState) -> tuple[Metric, ...]:
    """Return all figures but the time of the newest look.

    Raises:
        PortalOpsError: the ledger cannot be read.
    """
    portal = {"portal": parts.settings.portal.id}
    return tuple(
        Metric(name, text, tuple(MetricSample({**portal, **labels}, value) for labels, value in samples))
        for name, text, samples in _all(parts, judged, state)
    )


_Samples: TypeAlias = list[tuple[dict[str, str], float]]
_Figure: TypeAlias = tuple[str, str, _Samples]


def _all(parts: FigureParts, judged: JudgedDuties, state: MonitorState) -> Iterator[_Figure]:
    settings, ledger, now, zone = parts.settings, parts.ledger, parts.plan.now, parts.plan.zone
    numbers = parts.rulebook.numbers
    yield (
        "portalops_build_info",
        "Version of portalops and edition of the rulebook that duties are judged by.",
        [({"version": __version__, "rulebook": f"{parts.rulebook.id}@{parts.rulebook.version}"}, 1.0)],
    )
    yield (
        "portalops_work_timestamp_seconds",
        "When a run last came to its end that did jobs or judged the duties.",
        [({}, now.timestamp())],
    )
    yield from _duties(judged, state)
    yield from _jobs(parts.plan, ledger, state)
    yield (
        "portalops_anchor_last_success_timestamp_seconds",
        "When each anchor last took a signed head of the ledger.",
        _times("anchor", _anchors(settings, ledger, now)),
    )
    yield (
        "portalops_medium_last_read_timestamp_seconds",
        "When each backup medium was last read back.",
        _times("medium", _media(settings, ledger, judged.evidence)),
    )
    yield from _findings(judged.evidence, numbers, now.astimezone(zone).date(), zone)
    yield (
        "portalops_updates_source_last_seen_timestamp_seconds",
        "When each source of updates last answered.",
        _times("source", {each.id: each.at for each in state.seen}),
    )
    yield (
        "portalops_alarm_opened_timestamp_seconds",
        "When each open alarm was opened.",
        [
            ({"alarm": each.key, "grave": "yes" if each.newest.grave else "no"}, each.opened_at.timestamp())
            for each in read_alarms(ledger).open
        ],
    )
    yield ("portalops_notifications_waiting", "Letters that no channel has taken yet.", _waiting(settings, now))


def _times(label: str, times: Mapping[str, datetime]) -> _Samples:
    return [({label: name}, at.timestamp()) for name, at in times.items()]


def _duties(judged: JudgedDuties, state: MonitorState) -> Iterable[_Figure]:
    standings = judged.standings
    yield (
        "portalops_duty_verdict",
        "1 for the verdict that each duty has now, 0 for every other one.",
        [
            ({"duty": each.duty, "verdict": verdict.value}, float(each.verdict is verdict))
            for each in standings
            for verdict in DutyVerdict
        ],
    )
    yield (
        "portalops_duty_last_success_timestamp_seconds",
        "When each duty was last judged to be met.",
        _times("duty", {each.id: each.at for each in state.met}),
    )
    yield (
        "portalops_duty_newest_evidence_timestamp_seconds",
        "When the newest evidence of each duty was recorded, whatever it shows.",
        _times("duty", {str(each.duty): each.newest_at for each in standings if each.newest_at}),
    )
    yield (
        "portalops_duty_due_timestamp_seconds",
        "By when the next evidence of each duty must be there.",
        _times("duty", {str(each.duty): each.due_at for each in standings if each.due_at}),
    )


def _jobs(plan: PlanNow, ledger: LedgerReader, state: MonitorState) -> Iterable[_Figure]:
    jobs, attempts = plan.jobs, plan.attempts
    known = {each.id: each.at for each in state.succeeded}
    good: dict[str, datetime] = {job.id: at for job in jobs if (at := _succeeded_at(ledger, job, known.get(job.id)))}
    begun: dict[str, datetime] = {}
    for each in attempts:
        begun[each.run.subject] = max(each.run.started_at, begun.get(each.run.subject, each.run.started_at))
    yield (
        "portalops_job_last_success_timestamp_seconds",
        "When the newest run of each job ended that was complete and did all it was to do.",
        _times(JOB, good),
    )
    yield (
        "portalops_job_last_run_timestamp_seconds",
        "When the newest run of each job began, however it went.",
        _times(JOB, {str(job.id): begun[job.id] for job in jobs if job.id in begun}),
    )
    yield (
        "portalops_job_next_due_timestamp_seconds",
        "When each job is due next; a time in the past is now.",
        _times(JOB, {str(job.id): next_due(job, attempts, plan.now, plan.zone) for job in jobs}),
    )
    yield (
        "portalops_job_exit_code",
        "Exit code of the newest run of each job that ended.",
        [({JOB: each.job}, float(each.code)) for each in state.codes],
    )


def _succeeded_at(ledger: LedgerReader, job: Job, known: datetime | None) -> datetime | None:
    """Return when the newest good run of a job ended: one that is remembered, or a newer one by another process or a person."""
    for finished_at, summary in newest_ends(ledger, job, since=known):
        if summary is not None and summary.outcome is RunOutcome.COMPLETE and summary.exit_code in GOOD_CODES:
            return finished_at
    return known


def newest_ends(
    ledger: LedgerReader, job: Job, *, since: datetime | None
) -> Iterable[tuple[datetime, RunSummary | None]]:
    """Yield when the newest runs of a job ended and how, newest first; None for one whose details cannot be read.

    Args:
        ledger: holds them.
        job: of the configuration.
        since: only runs that ended later.
    """
    for record in ledger.records(kinds=(f"{job.kind.value}.finished",), newest_first=True, limit=MAX_RUNS):
        if since is not None and record.at <= since:
            return
        name = parse_run_id(record.run)
        if name is None or name.job != job.id:
            continue
        try:
            yield record.at, bodies.decode_part(ledger.blob(record.body), "run", RunSummary)
        except PortalOpsError:
            yield record.at, None


def _anchors(settings: Settings, ledger: LedgerReader, now: datetime) -> dict[str, datetime]:
    configured = {table.id for table in settings.anchors}
    taken = newest_taken(read_receipts(ledger, since=now - REACH_BACK)) if configured else {}
    return {str(name): each.at for name, each in taken.items() if name in configured}


def _media(settings: Settings, ledger: LedgerReader, evidence: Evidence | None) -> dict[str, datetime]:
    configured = [table.id for table in settings.backup_media]
    register = whole_register(read_media(ledger), configured, evidence.sets() if evidence else ())
    return {each.id: each.read_at for each in register if each.read_at is not None and each.id in configured}


def _findings(evidence: Evidence | None, numbers: Numbers, today: date, zone: ZoneInfo) -> Iterable[_Figure]:
    if evidence is None or evidence.checks is None:  # nobody looked, so that none is known is no figure
        return
    standings = stand(evidence.findings, evidence.waivers, numbers, today, zone)
    groups = (
        ("portalops_findings_open", "Open findings without a waiver.", _OPEN),
        ("portalops_findings_overdue", "Open findings past the day by which they must be fixed.", {FindingState.DUE}),
        ("portalops_findings_waived", "Open findings that somebody in charge waived.", {FindingState.WAIVED}),
    )
    for name, text, states in groups:
        yield (
            name,
            text,
            [
                (
                    {"severity": severity.value},
                    float(sum(each.state in states and each.finding.severity is severity for each in standings)),
                )
                for severity in Severity
            ],
        )


_OPEN = frozenset({FindingState.OPEN, FindingState.REOPENED, FindingState.DUE})


def _waiting(settings: Settings, now: datetime) -> _Samples:
    try:
        letters = NotifyFolder(settings.state_folder).load(now).letters
    except PortalOpsError:
        return []
    return [
        ({"channel": table.id}, float(sum(letter.channel == table.id for letter in letters)))
        for table in settings.channels
    ]
