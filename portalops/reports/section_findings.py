"""Findings over a period: how many were open day by day, by age and severity, opened and fixed, overdue by custodian, waived. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from portalops.model.findings import Finding, FindingEvent, FindingTurn
from portalops.model.message import msg, nmsg
from portalops.model.rulebook import Numbers
from portalops.model.text import show_text
from portalops.model.verdicts import Severity
from portalops.registers.evidence import Evidence
from portalops.registers.findings import FindingStanding, FindingState, stand
from portalops.registers.open_findings import AGE_BANDS, OpenOnDay, count_by_age, open_by_day, opened_before, turns_in
from portalops.reports.bounded import bounded
from portalops.reports.document import (
    Block,
    Cell,
    Heading,
    Line,
    LineChart,
    Notice,
    Paragraph,
    Status,
    TableBlock,
    Tone,
)
from portalops.reports.section_servers import finding_blocks
from portalops.reports.words import severity_status

HOSTS_SHOWN: Final = 6
_TURNS: Final = {
    FindingTurn.OPENED: Status(msg("newly opened"), Tone.BAD),
    FindingTurn.REOPENED: Status(msg("came back"), Tone.BAD),
    FindingTurn.FIXED: Status(msg("fixed"), Tone.GOOD),
    FindingTurn.CLOSED: Status(msg("closed by a person"), Tone.NEUTRAL),
}


def finding_report_blocks(evidence: Evidence, numbers: Numbers) -> Iterator[Block]:
    """Yield all that is told of findings: the burn-down, the open ones by age, who answers for those overdue, and what turned."""
    days = open_by_day(evidence, numbers)
    if not are_known(evidence, numbers):
        yield Notice(msg("No scan covers a day of the period: the findings are unknown."))
        return
    standings = stand(evidence.findings, evidence.waivers, numbers, evidence.last_day(), evidence.zone)
    yield from _burn_down(days)
    yield from _ages(evidence, standings)
    yield from _custodian_table(evidence, standings)
    yield from _waived(standings)
    *said, table = finding_blocks(evidence, numbers)
    yield from said
    if isinstance(table, TableBlock):
        yield from bounded(table) if table.rows else ()
    yield from _turned(evidence)


def are_known(evidence: Evidence, numbers: Numbers) -> bool:
    """Say whether anything is known of findings: there is one, or a round of checks speaks for a day of the period."""
    return bool(evidence.findings) or any(each.counts is not None for each in open_by_day(evidence, numbers))


def _burn_down(days: Sequence[OpenOnDay]) -> Iterator[Block]:
    known = [each for each in days if each.counts is not None]
    if not known:
        yield Notice(msg("No scan covers a day of the period, so no line of open findings can be drawn."))
        return
    lines = [
        Line(
            severity_status(severity).word,
            severity_status(severity).tone,
            [None if each.counts is None else each.counts[severity] for each in days],
        )
        for severity in Severity
    ]
    yield LineChart(
        msg("Findings open at the end of each day, by severity"), [each.day for each in days], lines, lowest=0
    )
    if missing := len(days) - len(known):
        yield Paragraph(
            nmsg(
                "{n} day is covered by no scan: what was open then is unknown, and the lines break there.",
                "{n} days are covered by no scan: what was open then is unknown, and the lines break there.",
                missing,
            )
        )


def _ages(evidence: Evidence, standings: Sequence[FindingStanding]) -> Iterator[Block]:
    open_ = [each for each in standings if each.finding.is_open]
    if not open_:
        yield Paragraph(msg("No finding was open at the period's end."))
        return
    week, month, quarter = AGE_BANDS
    headers = (
        msg("Severity"),
        msg("Open"),
        msg("Up to {days} days", days=week),
        msg("{first} to {last} days", first=week + 1, last=month),
        msg("{first} to {last} days", first=month + 1, last=quarter),
        msg("More than {days} days", days=quarter),
        msg("Overdue"),
        msg("Waived"),
    )
    ages = count_by_age(evidence.findings, evidence.last_day(), evidence.zone)
    counts: list[tuple[int, ...]] = []
    for severity in Severity:
        own = [each.state for each in open_ if each.finding.severity is severity]
        counts.append((len(own), *ages[severity], own.count(FindingState.DUE), own.count(FindingState.WAIVED)))
    rows: list[tuple[Cell, ...]] = [
        (severity_status(severity).word, *own) for severity, own in zip(Severity, counts, strict=True)
    ]
    rows.append((msg("total"), *map(sum, zip(*counts, strict=True))))
    yield TableBlock(
        msg("Findings open at the period's end, by severity and by how many days they have been open"), headers, rows
    )


def _custodian_table(evidence: Evidence, standings: Sequence[FindingStanding]) -> Iterator[Block]:
    late: dict[str, list[FindingStanding]] = {}
    for each in standings:
        if each.is_late:
            place = evidence.places.get(each.finding.host)
            late.setdefault(place.holder if place else "", []).append(each)
    if not late:
        return
    headers = (
        msg("Responsible for the host"),
        msg("Overdue findings"),
        *(severity_status(severity).word for severity in Severity),
        msg("Longest overdue since"),
        msg("Hosts"),
    )
    rows = [
        (
            show_text(holder) if holder else Status(msg("nobody is recorded"), Tone.UNSURE),
            len(own),
            *(sum(each.finding.severity is severity for each in own) for severity in Severity),
            min(each.due_on for each in own),
            _hosts(own),
        )
        for holder, own in sorted(late.items(), key=lambda each: (-len(each[1]), each[0]))
    ]
    yield from bounded(
        TableBlock(
            msg("Overdue findings by the person responsible for the host, from the register of places"), headers, rows
        )
    )


def _hosts(standings: Sequence[FindingStanding]) -> Cell:
    hosts = sorted({each.finding.host for each in standings})
    shown = ", ".join(show_text(host, 60) for host in hosts[:HOSTS_SHOWN])
    more = len(hosts) - HOSTS_SHOWN
    return nmsg("{names} and {n} more", "{names} and {n} more", more, names=shown) if more > 0 else shown


def _waived(standings: Sequence[FindingStanding]) -> Iterator[Block]:
    headers = (
        msg("Check"), msg("Host"), msg("Severity"), msg("Reason"), msg("Approved by"), msg("Document"), msg("Until"),
        msg("Record"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for each in standings:
        if each.waiver is None:
            continue
        waiver = each.waiver.waiver
        rows.append(
            (
                each.finding.check,
                each.finding.host,
                severity_status(each.finding.severity).word,
                show_text(waiver.reason),
                show_text(waiver.approved_by),
                show_text(waiver.document),
                waiver.valid_to,
                str(each.waiver.seq),
            )
        )
    if rows:
        yield from bounded(
            TableBlock(
                msg("Waived findings: the check fails, and somebody in charge decided to accept that"),
                headers,
                rows,
            )
        )


def _turned(evidence: Evidence) -> Iterator[Block]:
    turns = turns_in(evidence)
    if not turns:
        yield Paragraph(msg("No finding was opened or fixed in the period."))
        return
    yield Heading(3, msg("What was opened and fixed"))
    headers = (
        msg("Recorded at"), msg("Check"), msg("Host"), msg("Severity"), msg("Change of state"), msg("Days it had been open"),
        msg("Record"),
    )  # fmt: skip
    rows = [_turn(evidence, finding, event) for finding, event in turns]
    yield from bounded(
        TableBlock(
            msg("Findings that opened, came back, were fixed or closed in the period, newest first"), headers, rows
        )
    )


def _turn(evidence: Evidence, finding: Finding, event: FindingEvent) -> tuple[Cell, ...]:
    days: Cell = None
    if event.turn in {FindingTurn.FIXED, FindingTurn.CLOSED} and (since := opened_before(finding, event)) is not None:
        days = (event.at.astimezone(evidence.zone).date() - since.astimezone(evidence.zone).date()).days
    return (
        event.at,
        finding.check,
        finding.host,
        severity_status(finding.severity).word,
        _TURNS[event.turn],
        days,
        str(event.seq),
    )
