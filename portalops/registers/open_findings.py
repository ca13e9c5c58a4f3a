"""How many findings were open day by day, and for how long they have been. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from portalops.model.findings import OPEN_TURNS, Finding, FindingEvent
from portalops.model.period import Period
from portalops.model.rulebook import Numbers
from portalops.model.verdicts import RunOutcome, Severity
from portalops.registers.evidence import Evidence


@dataclass(frozen=True, slots=True)
class OpenOnDay:
    """What was open at the end of one local day; of today, now."""

    day: date
    counts: Mapping[Severity, int] | None
    """None where no scan speaks for the day: what there was is not known."""


def open_by_day(evidence: Evidence, numbers: Numbers) -> tuple[OpenOnDay, ...]:
    """Return how many findings were open on each day of the period up to now.

    A scan speaks for as long as the rulebook lets one speak, or until the next one is due if that is later.
    """
    limit = timedelta(hours=max(numbers.check_max_age_hours, 24 * numbers.check_every_days))
    rounds = sorted(_newest_scans(evidence))
    return tuple(_open_days(evidence, rounds, limit))


def _open_days(evidence: Evidence, rounds: list[datetime], limit: timedelta) -> Iterator[OpenOnDay]:
    for day in evidence.period.days():
        if day > evidence.last_day():
            return
        end = min(Period(day, day).bounds(evidence.zone)[1] - timedelta(microseconds=1), evidence.now)
        before = bisect_right(rounds, end)
        if not before or end - rounds[before - 1] > limit:
            yield OpenOnDay(day, None)
            continue
        counts = dict.fromkeys(Severity, 0)
        for finding in evidence.findings:
            if is_open_at(finding, end):
                counts[finding.severity] += 1
        yield OpenOnDay(day, counts)


def is_open_at(finding: Finding, moment: datetime) -> bool:
    """Say whether a finding was open at a moment, as its turns tell it."""
    turn = None
    for event in finding.events:
        if event.at > moment:
            break
        turn = event.turn
    return turn in OPEN_TURNS


def _newest_scans(evidence: Evidence) -> Iterator[datetime]:
    """Yield when each scan was recorded that looked at servers, of before the period as well."""
    yield from (each.at for each in evidence.scans)
    if evidence.checks is not None:
        yield evidence.checks.at
    for run in evidence.runs:
        end = None if run.finished_seq is None else evidence.summaries.get(run.finished_seq)
        if run.kind == "check" and run.finished_at and end and end.outcome is not RunOutcome.FAILED:
            yield run.finished_at


def turns_in(evidence: Evidence) -> tuple[tuple[Finding, FindingEvent], ...]:
    """Return the turns of all findings in the period, newest first."""
    found = [
        (finding, event)
        for finding in evidence.findings
        for event in finding.events
        if event.at.astimezone(evidence.zone).date() in evidence.period
    ]
    return tuple(sorted(found, key=lambda each: (-each[1].seq, each[0].host, each[0].check)))


def opened_before(finding: Finding, event: FindingEvent) -> datetime | None:
    """Return since when a finding had been open when it turned; None where that turn is not kept any more."""
    before = [each for each in finding.events if each.seq < event.seq]
    return before[-1].at if before and before[-1].turn in OPEN_TURNS else None


AGE_BANDS = (7, 30, 90)
"""Days: up to a week, a month, a quarter, and longer."""


def count_by_age(findings: Iterable[Finding], today: date, zone: ZoneInfo) -> Mapping[Severity, tuple[int, ...]]:
    """Count open findings by severity and by how many days they have been open: within each of `AGE_BANDS`, and longer."""
    counts = {severity: [0] * (len(AGE_BANDS) + 1) for severity in Severity}
    for finding in findings:
        if finding.is_open:
            days = (today - finding.opened_at.astimezone(zone).date()).days
            counts[finding.severity][sum(days > most for most in AGE_BANDS)] += 1
    return {severity: tuple(each) for severity, each in counts.items()}
