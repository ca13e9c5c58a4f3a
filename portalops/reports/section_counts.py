"""How much was done month by month: sets, drills, rounds, changes, incidents, cases, findings and papers. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from portalops.model.findings import FindingTurn
from portalops.model.message import Message, msg
from portalops.model.period import Period
from portalops.model.runs import JobKind
from portalops.model.verdicts import RunOutcome
from portalops.registers.evidence import Evidence
from portalops.registers.open_findings import turns_in
from portalops.reports.document import Cell, TableBlock
from portalops.reports.section_backups import sets_in_period
from portalops.reports.section_months import month_word

Days = Sequence[date]
"""One local day for each thing that is counted."""


def counts_table(evidence: Evidence, months: Sequence[Period]) -> TableBlock:
    """Return a row a month and one for all of them, with what was recorded of each."""
    counted = tuple(_counted(evidence))
    headers = (msg("Month"), *(head for head, _days in counted))
    rows: list[tuple[Cell, ...]] = [
        (month_word(month), *(_count(days, month, evidence) for _head, days in counted)) for month in months
    ]
    rows.append((msg("all"), *(_count(days, evidence.period, evidence) for _head, days in counted)))
    return TableBlock(msg("What was recorded, month by month"), headers, rows)


def totals_of(evidence: Evidence) -> tuple[tuple[Message, int | None], ...]:
    """Return how much of each was recorded in the whole period; None where nobody recorded anything in it."""
    return tuple((head, _count(days, evidence.period, evidence)) for head, days in _counted(evidence))


def _count(days: Days, period: Period, evidence: Evidence) -> int | None:
    """Return how many of some days lie in a period; None, and not 0, of one before the ledger or ahead."""
    began = evidence.started_at.astimezone(evidence.zone).date() if evidence.started_at else date.max
    is_known = began <= period.last and period.first <= evidence.last_day()
    count = sum(day in period for day in days)
    return count if is_known or count else None


def _counted(evidence: Evidence) -> Iterable[tuple[Message, Days]]:
    zone = evidence.zone

    def on(moments: Iterable[datetime]) -> Days:
        return [moment.astimezone(zone).date() for moment in moments]

    def ended(kind: str) -> Days:
        return on(run.started_at for run in evidence.runs if run.kind == kind and run.finished_seq is not None)

    sets = sets_in_period(evidence)
    changes = evidence.changes.changes.values() if evidence.changes else ()
    incidents = evidence.incidents.incidents.values() if evidence.incidents else ()
    turns = turns_in(evidence)

    def turned(*asked: FindingTurn) -> Days:
        return on(event.at for _each, event in turns if event.turn in asked)

    return (
        (msg("Backup sets"), on(made.set.created_at for made in sets)),
        (msg("Of them complete"), on(made.set.created_at for made in sets if made.set.outcome is RunOutcome.COMPLETE)),
        (msg("Restore drills"), on(each.at for each in evidence.drills)),
        (msg("Scans finished"), ended(JobKind.CHECK)),
        (msg("Polls of updates finished"), ended(JobKind.UPDATES)),
        (msg("Findings opened"), turned(FindingTurn.OPENED, FindingTurn.REOPENED)),
        (msg("Findings fixed"), turned(FindingTurn.FIXED)),
        (msg("Changes requested"), on(each.request.at for each in changes)),
        (msg("Incidents noticed"), on(each.facts.detected_at for each in incidents)),
        (msg("Cases opened"), on(each.opened_at for each in evidence.cases if each.opened_at)),
        (msg("Papers sent"), [each.sent.sent_on for each in evidence.sendings]),
    )
