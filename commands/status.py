"""Show every duty: verdict, why, newest evidence, next due date.

The first screen anyone sees. It reads the ledger alone and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from commands import _nagios as nagios
from commands._periods import period_option
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.compliance import Situation, distrusted, judge
from portalops.errors import ExitCode, UsageError, worst
from portalops.jobs import due
from portalops.ledger.chain import Fault
from portalops.ledger.newest import first_change
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Period
from portalops.model.rulebook import Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence, Unreadable, evidence_since, read_evidence
from portalops.registers.incidents import due_reports
from portalops.reports.document import Block, Bullets, Heading, KeyValues, Paragraph, Table
from portalops.reports.words import duty_status

app = typer.Typer()

MAX_WARNINGS = 20
MAX_DETAILS = 200
"""Exceptions shown for one duty; the report has them all."""


@app.command(
    help=_(
        "Show where every duty stands\n\nReads the ledger and nothing else. Name a duty to see all that is missing for it."
        "\n\nExample: portalops status --period 2026-W48; portalops status 11.2-submissions"
        "\n\nEXIT STATUS: 0 all met, 1 something is not met, 3 something could not be found out,"
        " 5 evidence is missing or was changed. With --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN"
    )
)
def status(
    ctx: typer.Context,
    duty: Annotated[str | None, typer.Argument(help=_("One duty, such as 10.2-content"))] = None,
    period: Annotated[str | None, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
    as_plugin: nagios.Option = False,
) -> Result:
    session = open_session(ctx)
    if as_plugin:
        return nagios.guarded(session, lambda: _plugin(session, duty, period))
    chosen = period_option(session, period)
    judged = judge_period(session, chosen)
    standings = judged.standings
    if duty is not None:
        standings = _only(standings, duty, session.rulebook)
    view = duty_view(standings, session.rulebook) if duty else overview(standings, session.rulebook, chosen)
    if session.settings.cluster is not None and duty is None:
        from commands._cluster_progress import now_under_way, progress_table  # noqa: PLC0415  # start-up time

        if jobs := now_under_way(session):
            view.append(progress_table(jobs))
    return Result(
        data=[standing_data(standing) for standing in standings],
        view=view,
        warnings=(*judged.warnings(), *overdue_jobs(session)),
        exit_code=worst([exit_code_of(standings), judged.exit_code]),
    )


def overdue_jobs(session: Session) -> tuple[Message, ...]:
    """Say of each job whose time passed without a complete run that it is overdue: nothing starts it, or it keeps failing."""
    found = due(session.settings.jobs, session.attempts(), session.clock.now(), session.zone_of_portal)
    return tuple(
        msg("job {job} is overdue: {reason}", job=each.job.id, reason=each.reason) for each in found if each.late
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """Where the duties stand, and which records could not be read for it."""

    standings: tuple[Standing, ...]
    unreadable: tuple[Unreadable, ...]
    change: Fault | None = None
    """What was found changed in the part of the ledger that the standings rest on."""
    due: tuple[Message, ...] = ()
    """What is to be sent within hours."""
    evidence: Evidence | None = field(default=None, repr=False, compare=False)
    """What they were judged from."""

    @property
    def exit_code(self) -> ExitCode:
        """5 if a record, or what it names, is missing or was changed, 3 if it cannot be read otherwise; else 0."""
        if self.change is not None or any(each.damaged for each in self.unreadable):
            return ExitCode.INTEGRITY
        return ExitCode.PARTIAL if self.unreadable else ExitCode.OK

    def warnings(self) -> tuple[Message, ...]:
        """Name what was changed, what is due within hours, and the records that could not be read: what they say is unknown."""
        shown = [] if self.change is None else [_change_told(self.change)]
        shown += self.due[:MAX_WARNINGS]
        shown += [
            msg("the details of record {seq} cannot be read: {cause}", seq=str(each.seq), cause=each.why)
            for each in self.unreadable[:MAX_WARNINGS]
        ]
        if len(self.unreadable) > MAX_WARNINGS:
            shown.append(msg("... and {more} more", more=len(self.unreadable) - MAX_WARNINGS))
        return tuple(shown)


def judge_period(session: Session, period: Period) -> Judged:
    """Judge all duties over a period from what the ledger holds now."""
    evidence = read_evidence(session.ledger, period, now=session.clock.now(), zone=session.zone_of_portal)
    settings = session.settings
    standings = judge(Situation(session.rulebook, evidence, settings.hosts, settings.units, session.calendar))
    change = first_change(session.ledger, evidence_since(period, session.zone_of_portal))
    if change is not None:
        standings = distrusted(standings)
    incidents = evidence.incidents
    due = due_reports(incidents, session.rulebook.numbers, evidence.now) if incidents is not None else ()
    return Judged(standings, evidence.unreadable, change, due, evidence)


def _plugin(session: Session, duty: str | None, period: str | None) -> nagios.Answer:
    from commands._jobs import require_valid  # noqa: PLC0415  # start-up time
    from commands._status_nagios import answer_of  # noqa: PLC0415  # as above

    settings = session.settings
    require_valid(settings)  # with a table that does not fit, nothing is run any more
    judged = judge_period(session, period_option(session, period))
    standings = judged.standings if duty is None else _only(judged.standings, duty, session.rulebook)
    now, zone = session.clock.now(), session.zone_of_portal
    answer = answer_of(judged, standings, settings.jobs, session.attempts(), now=now, zone=zone)
    if answer.state != nagios.CRITICAL:
        session.ledger.require_clock()  # with a clock behind the newest record nothing is run any more
    return answer


def _change_told(change: Fault) -> Message:
    return msg("the ledger was changed: {what}. Change nothing, and run 'portalops ledger verify'", what=change.what)


def exit_code_of(standings: tuple[Standing, ...]) -> ExitCode:
    """Return 1 if a duty is unmet, else 3 if one could not be judged or none is shown to be met yet, else 0."""
    verdicts = {standing.verdict for standing in standings}
    if DutyVerdict.UNMET in verdicts:
        return ExitCode.UNMET
    if DutyVerdict.INSUFFICIENT_EVIDENCE in verdicts or verdicts <= {DutyVerdict.PENDING, DutyVerdict.NOT_ASSESSED}:
        return ExitCode.PARTIAL
    return ExitCode.OK


def standing_data(standing: Standing) -> JsonValue:
    """Return a standing as `status --json` shows it."""
    return {
        "id": standing.duty,
        "verdict": standing.verdict.value,
        "reason": str(standing.reason),
        "details": [str(detail) for detail in standing.details],
        "evidence": list(standing.evidence),
        "newest_at": standing.newest_at.isoformat() if standing.newest_at else None,
        "due_at": standing.due_at.isoformat() if standing.due_at else None,
    }


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
    return [Table(caption, headers, rows), Paragraph(summary_of(standings))]


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


def duty_view(standings: tuple[Standing, ...], rulebook: Rulebook) -> list[Block]:
    """Return one duty in full: its clause, what would prove it, and all that is missing."""
    blocks: list[Block] = []
    for standing in standings:
        duty = rulebook.duty(standing.duty)
        clause = rulebook.clause(duty.clause)
        blocks += [
            Heading(2, msg("{duty}: {title}", duty=duty.id, title=duty.title)),
            KeyValues(
                (
                    (msg("Verdict"), duty_status(standing.verdict)),
                    (msg("Why"), standing.reason),
                    (msg("Clause"), clause.text),
                    (msg("What counts as evidence"), duty.evidence),
                    (msg("Ledger records"), ", ".join(map(str, standing.evidence)) or None),
                    (msg("Newest evidence"), standing.newest_at),
                    (msg("Due"), standing.due_at),
                )
            ),
        ]
        if standing.details:
            blocks.append(Bullets(standing.details[:MAX_DETAILS]))
        if len(standing.details) > MAX_DETAILS:
            blocks.append(Paragraph(msg("... and {more} more", more=len(standing.details) - MAX_DETAILS)))
    return blocks


def _only(standings: tuple[Standing, ...], duty: str, rulebook: Rulebook) -> tuple[Standing, ...]:
    chosen = tuple(standing for standing in standings if standing.duty == duty)
    if not chosen:
        raise UsageError(
            msg("there is no duty {duty}", duty=duty[:40]),
            msg("The duties are: {duties}.", duties=", ".join(known.id for known in rulebook.duties)),
        )
    return chosen
