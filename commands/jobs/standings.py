"""Judges where the duties stand in a period, and shows it."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime

from commands.cli.session import Session
from commands.cli.shapes import ShownMessage, shape
from portalops.compliance import Situation, distrusted, judge
from portalops.errors import ExitCode
from portalops.jobs import due
from portalops.ledger.ledger import Ledger
from portalops.ledger.newest import first_change
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Period
from portalops.model.record import Fault
from portalops.model.rulebook import Rulebook
from portalops.model.standing import Standing
from portalops.model.values import dataclass
from portalops.model.verdicts import DutyVerdict
from portalops.ports import LedgerReader
from portalops.registers.evidence import Evidence, UnreadableRecord, evidence_since, read_evidence
from portalops.registers.incidents import due_reports
from portalops.registers.writers import CLOCK_MENDED
from portalops.reports.document import Block, Paragraph, TableBlock
from portalops.reports.words import duty_status

MAX_WARNINGS = 20


def overdue_jobs(session: Session) -> tuple[Message, ...]:
    """Say of each job whose time passed without a complete run that it is overdue: nothing starts it, or it keeps failing."""
    found = due(session.settings.jobs, session.attempts(), session.clock.now(), session.zone_of_portal)
    return tuple(
        msg("job {job} is overdue: {reason}", job=each.job.id, reason=each.reason) for each in found if each.late
    )


@dataclass(frozen=True, slots=True)
class JudgedDuties:
    """Where the duties stand, and which records could not be read for it."""

    standings: tuple[Standing, ...]
    unreadable: tuple[UnreadableRecord, ...]
    change: Fault | None = None
    """What was found changed in the part of the ledger that the standings rest on."""
    due: tuple[Message, ...] = ()
    """What is to be sent within hours."""
    evidence: Evidence | None = field(default=None, repr=False, compare=False)
    """What they were judged from."""

    @property
    def exit_code(self) -> ExitCode:
        """5 if a record, or what it names, is missing or was changed, 3 if it cannot be read otherwise; else 0, also if it was erased."""
        if self.change is not None or any(each.damaged for each in self.unreadable):
            return ExitCode.INTEGRITY
        return ExitCode.OK if all(each.erased for each in self.unreadable) else ExitCode.PARTIAL

    def warnings(self) -> tuple[Message, ...]:
        """Name what was changed, what is due within hours, and the records that could not be read: what they say is unknown."""
        shown = [] if self.change is None else [describe_change(self.change)]
        shown += self.due[:MAX_WARNINGS]
        shown += [
            msg("the details of record {seq} cannot be read: {cause}", seq=str(each.seq), cause=each.why)
            for each in self.unreadable[:MAX_WARNINGS]
        ]
        if len(self.unreadable) > MAX_WARNINGS:
            shown.append(msg("... and {more} more", more=len(self.unreadable) - MAX_WARNINGS))
        return tuple(shown)


def _judged_from(ledger: Ledger, now: datetime) -> LedgerReader:
    """Return what duties are judged from: once records are claimed, those that are; and none whose time is wrong."""
    if not ledger.kinds_under("writer") and not ledger.kinds_under(CLOCK_MENDED):
        return ledger
    from portalops.ledger.heeded import heeded  # noqa: PLC0415  # for few ledgers

    return heeded(ledger, now=now)


def judge_period(session: Session, period: Period) -> JudgedDuties:
    """Judge all duties over a period from what the ledger holds now."""
    with session.ledger.view():
        now = session.clock.now()
        evidence = read_evidence(_judged_from(session.ledger, now), period, now=now, zone=session.zone_of_portal)
        if any(each.damaged for each in evidence.unreadable):
            from portalops.ledger.counted_erasures import name_erased, read_erasures  # noqa: PLC0415  # few ledgers have any

            unreadable = name_erased(session.ledger, evidence.unreadable, read_erasures(session.ledger))
            evidence = replace(evidence, unreadable=tuple(unreadable))
        change = first_change(session.ledger, evidence_since(period, session.zone_of_portal))
    settings = session.settings
    standings = judge(Situation(session.rulebook, evidence, settings.hosts, settings.units, session.calendar))
    if change is not None:
        standings = distrusted(standings)
    incidents = evidence.incidents
    due = due_reports(incidents, session.rulebook.numbers, evidence.now) if incidents is not None else ()
    return JudgedDuties(standings, evidence.unreadable, change, due, evidence)


def describe_change(change: Fault) -> Message:
    """Say that a record is not what was recorded."""
    return msg(
        "the ledger was changed: {what}. Change nothing, and run 'portalops ledger verify'; the ways out are in docs/stopped.md",
        what=change.what,
    )


def exit_code_of(standings: tuple[Standing, ...]) -> ExitCode:
    """Return 1 if a duty is unmet, else 3 if one could not be judged or none is shown to be met yet, else 0."""
    verdicts = {standing.verdict for standing in standings}
    if DutyVerdict.UNMET in verdicts:
        return ExitCode.UNMET
    if DutyVerdict.INSUFFICIENT_EVIDENCE in verdicts or verdicts <= {DutyVerdict.PENDING, DutyVerdict.NOT_ASSESSED}:
        return ExitCode.PARTIAL
    return ExitCode.OK


@shape
class ShownStanding:
    """Where one duty stands."""

    id: str
    verdict: DutyVerdict
    reason: str
    details: tuple[str, ...]
    """Every exception."""
    reason_parts: ShownMessage
    """`reason` for programs: the days, moments, records and ids in it by their names."""
    details_parts: tuple[ShownMessage, ...]
    """Each of `details` for programs."""
    evidence: tuple[int, ...]
    """The records that it rests on."""
    newest_at: datetime | None
    """Of the newest evidence."""
    due_at: datetime | None
    """When new evidence is due."""


def standing_data(standing: Standing) -> ShownStanding:
    """Return a standing as `status --json` shows it."""
    return ShownStanding(
        id=standing.duty,
        verdict=standing.verdict,
        reason=str(standing.reason),
        details=tuple(map(str, standing.details)),
        reason_parts=ShownMessage.of(standing.reason),
        details_parts=tuple(map(ShownMessage.of, standing.details)),
        evidence=tuple(standing.evidence),
        newest_at=standing.newest_at,
        due_at=standing.due_at,
    )


def overview(standings: tuple[Standing, ...], rulebook: Rulebook, period: Period) -> list[Block]:
    """Return the duties table and its summary."""
    rows = [
        (
            standing.duty,
            rulebook.duty(standing.duty).title,
            duty_status(standing.verdict),
            standing.reason,
            standing.newest_at,
            standing.due_at,
        )
        for standing in standings
    ]
    headers = (msg("Duty"), msg("What it requires"), msg("Verdict"), msg("Why"), msg("Newest evidence"), msg("Due"))
    caption = msg("Duties from {first} to {last}", first=period.first, last=period.last)
    return [TableBlock(caption, headers, rows), Paragraph(summary_of(standings))]


def summary_of(standings: tuple[Standing, ...]) -> Message:
    """Count the verdicts in one sentence."""
    counts = {verdict: sum(standing.verdict is verdict for standing in standings) for verdict in DutyVerdict}
    return msg(
        "{total}: {met} met, {unmet} unmet, {unknown} without sufficient evidence, {pending} pending, {other} exempt or not assessed",
        total=nmsg("{n} duty", "{n} duties", len(standings)),
        met=counts[DutyVerdict.MET],
        unmet=counts[DutyVerdict.UNMET],
        unknown=counts[DutyVerdict.INSUFFICIENT_EVIDENCE],
        pending=counts[DutyVerdict.PENDING],
        other=counts[DutyVerdict.EXEMPT] + counts[DutyVerdict.NOT_ASSESSED],
    )
