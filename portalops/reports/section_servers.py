"""What server checks show: the newest round, all that did not pass, and what is open since when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from portalops.model.checks import CheckResult, HostScan
from portalops.model.findings import FindingTurn
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.rulebook import Numbers
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.evidence import Evidence
from portalops.registers.findings import FindingStanding, FindingState, stand
from portalops.reports.document import Bars, Block, Cell, Notice, Paragraph, TableBlock, Tone
from portalops.reports.hints import next_step
from portalops.reports.words import check_status, finding_status, severity_status

_ORDER = (CheckVerdict.FAIL, CheckVerdict.ERROR, CheckVerdict.UNKNOWN)
_SEVERITIES = tuple(Severity)


def server_blocks(evidence: Evidence, numbers: Numbers) -> Iterator[Block]:
    """Yield the newest round: how many checks said what on each host, every one that did not pass, and the open findings."""
    yield from scan_blocks(evidence)
    if evidence.checks is not None:
        yield from finding_blocks(evidence, numbers)


def scan_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the newest round: how many checks said what on each host, every one that did not pass, and what failed before it."""
    newest = evidence.checks
    if newest is None:
        yield Notice(msg("No scan of the servers is recorded: the state of the servers is unknown."))
        return
    hosts = newest.body.hosts
    yield Paragraph(
        nmsg(
            "The newest scan of the period is record {seq} of {at}. It covers one host.",
            "The newest scan of the period is record {seq} of {at}. It covers {n} hosts.",
            sum(not host.standby for host in hosts),
            seq=newest.seq,
            at=newest.at,
        )
    )
    for host in hosts:
        if not host.reached:
            yield Notice(
                msg(
                    "Host {host} was not reached: {problem}. All its checks are unknown.",
                    host=host.host,
                    problem=host.problem,
                ),
                Tone.BAD,
            )
    for host in hosts:
        if host.brought_by:
            yield Notice(
                msg(
                    "The answer of host {host} was supplied by hand, by {by}: portalops did not ask the host itself, "
                    "and nothing proves which machine gave it.",
                    host=host.host,
                    by=show_text(host.brought_by),
                )
            )
    yield Bars(msg("Answers of the checks by host"), [_bar(host) for host in hosts])
    yield TableBlock(
        msg("Checks that failed or could not be answered, worst first"),
        (msg("Check"), msg("Host"), msg("Clause"), msg("Severity"), msg("Answer"), msg("What was seen"), msg("Remedy")),
        [_row(result) for result in troubling(newest.body.results())],
    )
    yield _earlier_failures(evidence)


def finding_blocks(evidence: Evidence, numbers: Numbers) -> Iterator[Block]:
    """Yield what was open at the period's end, most pressing first, with its waiver and the records of its life."""
    day = min(evidence.now.astimezone(evidence.zone).date(), evidence.period.last)
    standings = stand(evidence.findings, evidence.waivers, numbers, day, evidence.zone)
    turns = [
        event.turn
        for finding in evidence.findings
        for event in finding.events
        if event.at.astimezone(evidence.zone).date() in evidence.period
    ]
    states = [each.state for each in standings]
    yield Paragraph(
        msg(
            "Findings in the period: {opened} opened, {reopened} came back, {fixed} fixed, {closed} closed by a person."
            " At its end: {late} overdue, {open} open within their days, {waived} waived.",
            opened=turns.count(FindingTurn.OPENED),
            reopened=turns.count(FindingTurn.REOPENED),
            fixed=turns.count(FindingTurn.FIXED),
            closed=turns.count(FindingTurn.CLOSED),
            late=states.count(FindingState.DUE),
            open=states.count(FindingState.OPEN) + states.count(FindingState.REOPENED),
            waived=states.count(FindingState.WAIVED),
        )
    )
    headers = (
        msg("Check"),
        msg("Host"),
        msg("Severity"),
        msg("State"),
        msg("Open since"),
        msg("Days open"),
        msg("Last seen"),
        msg("Due"),
        msg("Waiver"),
        msg("Records"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            each.finding.check,
            each.finding.host,
            severity_status(each.finding.severity).word,
            finding_status(each),
            each.finding.opened_at,
            (day - each.finding.opened_at.astimezone(evidence.zone).date()).days,
            each.finding.last_seen_at,
            each.due_on,
            _waiver(each, evidence.zone),
            ", ".join(str(event.seq) for event in each.finding.events[-EVENTS_SHOWN:]),
        )
        for each in standings
        if each.finding.is_open
    ]
    yield TableBlock(msg("Findings that were open at the period's end, most pressing first"), headers, rows)


EVENTS_SHOWN = 4
"""Records named for a finding: the newest turns of its life."""


def _waiver(each: FindingStanding, zone: ZoneInfo) -> Cell:
    waiver = each.waiver or each.expired
    if waiver is None:
        return None
    text = msg("{document}, approved by {name}", document=waiver.waiver.document, name=waiver.waiver.approved_by)
    return text if each.waiver else msg("{ended}: {waiver}", ended=waiver.describe_end(zone), waiver=text)


def _earlier_failures(evidence: Evidence) -> TableBlock:
    """List what failed in rounds of the period and no longer fails in the newest: the verdicts do not speak of it."""
    failed: dict[tuple[str, str], list[datetime]] = {}
    for one in evidence.scans:
        for result in one.body.results():
            if result.verdict is CheckVerdict.FAIL:
                failed.setdefault((result.check, result.host), []).append(one.at)
    newest = evidence.checks.body.results() if evidence.checks else ()
    now_failing = {(result.check, result.host) for result in newest if result.verdict is CheckVerdict.FAIL}
    return TableBlock(
        msg("Checks that failed earlier in the period, but not in the newest scan"),
        (msg("Check"), msg("Host"), msg("Scans in which it failed"), msg("Scans"), msg("First"), msg("Last")),
        [
            (check, host, len(moments), len(evidence.scans), moments[0], moments[-1])
            for (check, host), moments in sorted(failed.items())
            if (check, host) not in now_failing
        ],
    )


def troubling(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Return the results that are neither a pass nor not applicable: fails first, then by severity."""
    found = (result for result in results if result.verdict in _ORDER)
    return tuple(
        sorted(
            found,
            key=lambda result: (
                _ORDER.index(result.verdict),
                _SEVERITIES.index(result.severity),
                result.check,
                result.host,
            ),
        )
    )


def _bar(host: HostScan) -> tuple[Message, Sequence[tuple[Tone, Message, int]]]:
    parts = []
    for verdict in CheckVerdict:
        status = check_status(verdict)
        count = sum(result.verdict is verdict for result in host.results)
        parts.append((status.tone, status.word, count))
    return verbatim(host.host), parts


def _row(result: CheckResult) -> tuple[Cell, ...]:
    return (
        result.check,
        result.host,
        result.clause,
        severity_status(result.severity).word,  # how much it would matter, not what was found
        check_status(result.verdict),
        result.message,
        next_step(result),
    )
