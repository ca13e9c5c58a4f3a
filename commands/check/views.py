"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.shapes import shape
from commands.jobs.kinds.check import exit_code_of_checks
from portalops.model.checks import CheckResult, HostScan
from portalops.model.findings import FindingTurn
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.claims import ToolClaim
from portalops.registers.findings import FindingStanding, FindingState, waived_fails
from portalops.registers.waivers import RecordedWaiver, read_waivers
from portalops.reports.document import Block, Paragraph, Status, TableBlock, Tone
from portalops.reports.hints import next_step, steps_table
from portalops.reports.words import check_status, severity_status


@shape
class ShownClaim:
    """What another tool claims of a host; portalops checked nothing of it."""

    id: str
    claimed_by: str
    host: HostId
    rule: str
    severity: Severity
    state: Literal["claimed", "claimed-fixed", "not-answered"]
    """`not-answered`: the newest report neither has it nor reports it fixed."""
    message: str
    place: str
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None
    """The report by which it is fixed."""
    silent_at: datetime | None
    """The newest report, where that does not answer it."""
    records: tuple[int, ...]


@shape
class ShownEvent:
    """A turn of a finding."""

    turn: FindingTurn
    record: int
    at: datetime


@shape
class ShownFinding:
    """A check that fails on a host, from first seen to fixed."""

    id: str
    host: HostId
    check: str
    clause: str
    severity: Severity
    state: FindingState
    verdict: Literal["fail", "pass"] | None
    """The check's newest answer; null where a person closed the finding."""
    first_seen_at: datetime
    opened_at: datetime
    last_seen_at: datetime
    """The newest scan in which the check failed."""
    last_judged_at: datetime
    """The newest scan in which the check passed or failed."""
    due_on: date
    """The last day on which it is not overdue."""
    reopened: int
    """How many times it was opened again."""
    owner: str | None
    """Who looks after the host."""
    message: str
    remedy: str | None
    waiver: str | None
    waived_until: date | None
    events: tuple[ShownEvent, ...]


@shape
class ShownResult:
    """One check's answer about one host."""

    id: str
    host: HostId
    check: str
    clause: str
    severity: Severity
    verdict: CheckVerdict
    reason: str
    """A code such as `sudo-refused`; empty for pass."""
    message: str
    """What was seen."""
    remedy: str | None
    hint: str | None
    """What to do next where the verdict is unknown or error."""
    evidence: tuple[Digest, ...]
    waived_until: date | None
    """The last day of the waiver; the verdict stays."""


def claims_table(claims: Sequence[ToolClaim]) -> TableBlock:
    """Return what other tools claim, apart from what portalops saw itself."""
    headers = (msg("Host"), msg("Tool"), msg("Rule"), msg("Severity"), msg("Claim"), msg("First"), msg("State"))
    rows = [
        (
            each.host,
            each.tool,
            each.claim.rule,
            severity_status(each.claim.severity).word,
            verbatim(f"{each.claim.message} {each.claim.place}".strip()),
            each.first_at,
            _claim_state(each),
        )
        for each in claims
    ]
    return TableBlock(msg("Claims of other tools; portalops checked none of them"), headers, rows)


def _claim_state(claim: ToolClaim) -> Message:
    if claim.gone_at is not None:
        return msg("claimed to be fixed in the report of {at}", at=claim.gone_at)
    if claim.silent_at is not None:
        return msg("claimed; the report of {at} does not mention it", at=claim.silent_at)
    return msg("claimed")


def claim_data(claim: ToolClaim) -> ShownClaim:
    """Return a claim as `--json` shows it."""
    return ShownClaim(
        id=claim.id,
        claimed_by=claim.tool,
        host=claim.host,
        rule=claim.claim.rule,
        severity=claim.claim.severity,
        state="claimed-fixed" if claim.gone_at else "not-answered" if claim.silent_at else "claimed",
        message=claim.claim.message,
        place=claim.claim.place,
        first_seen_at=claim.first_at,
        last_seen_at=claim.last_at,
        gone_at=claim.gone_at,
        silent_at=claim.silent_at,
        records=(claim.first_seq, claim.last_seq, *(seq for seq in (claim.gone_seq, claim.silent_seq) if seq)),
    )


def finding_data(each: FindingStanding, owner: str) -> ShownFinding:
    """Return a finding as `--json` shows it."""
    finding = each.finding
    return ShownFinding(
        id=finding.id,
        host=finding.host,
        check=finding.check,
        clause=finding.clause,
        severity=finding.severity,
        state=each.state,
        verdict="fail" if finding.is_open else "pass" if each.state is FindingState.FIXED else None,
        first_seen_at=finding.first_seen_at,
        opened_at=finding.opened_at,
        last_seen_at=finding.last_seen_at,
        last_judged_at=finding.last_judged_at,
        due_on=each.due_on,
        reopened=finding.reopened,
        owner=owner or None,
        message=str(finding.message),
        remedy=str(finding.remedy) if finding.remedy else None,
        waiver=each.waiver.waiver.id if each.waiver else None,
        waived_until=each.waiver.waiver.valid_to if each.waiver else None,
        events=tuple(ShownEvent(event.turn, event.seq, event.at) for event in finding.events),
    )


def describe_supplier(host: HostScan) -> Message:
    """Say who supplied a host's answer, and what that takes from it."""
    return msg(
        "The answer of {host} was supplied by hand by {by}: nothing proves which machine gave it.",
        host=host.host,
        by=show_text(host.brought_by),
    )


def waived_of(session: Session, found: Iterable[CheckResult]) -> Mapping[tuple[HostId, str], RecordedWaiver]:
    """Return the waivers in force today beside the checks that fail; none before there is a ledger."""
    waivers, zone = read_waivers(session.reader).waivers, session.zone_of_portal
    return waived_fails(found, waivers, session.rulebook.numbers, session.today, zone)


def results_page(
    session: Session, found: Sequence[CheckResult], more: Sequence[Block] = ()
) -> Result[tuple[ShownResult, ...]]:
    waived = waived_of(session, found)
    counts = {verdict: sum(result.verdict is verdict for result in found) for verdict in CheckVerdict}
    summary = msg(
        "{total}: {passed} pass, {failed} fail, {unknown} unknown, {other} not applicable, {errors} in error",
        total=nmsg("{n} check", "{n} checks", len(found)),
        passed=counts[CheckVerdict.PASS],
        failed=counts[CheckVerdict.FAIL],
        unknown=counts[CheckVerdict.UNKNOWN],
        other=counts[CheckVerdict.NOT_APPLICABLE],
        errors=counts[CheckVerdict.ERROR],
    )
    view: list[Block] = [results_table(found, waived), *more, Paragraph(summary)]
    if (steps := steps_table(found)) is not None:
        view.append(steps)
    if waived:
        view.append(
            Paragraph(nmsg("{n} of the failing checks is waived", "{n} of the failing checks are waived", len(waived)))
        )
    data = tuple(result_data(result, waived.get((result.host, result.check))) for result in found)
    return Result(data, view, exit_code=exit_code_of_checks(found, waived))


def results_table(found: Sequence[CheckResult], waived: Mapping[tuple[HostId, str], RecordedWaiver]) -> TableBlock:
    rows = [
        (
            result.host,
            result.check,
            severity_status(result.severity),
            _verdict(result, waived.get((result.host, result.check))),
            result.message,
        )
        for result in found
    ]
    headers = (msg("Host"), msg("Check"), msg("Severity"), msg("Verdict"), msg("What was seen"))
    return TableBlock(msg("Checks of the servers"), headers, rows)


def _verdict(result: CheckResult, waiver: RecordedWaiver | None) -> Status:
    """Return the verdict's word; a waiver stands beside it and changes nothing."""
    if waiver is None:
        return check_status(result.verdict)
    return Status(msg("fails, waived until {day}", day=waiver.waiver.valid_to), Tone.UNSURE)


def result_data(result: CheckResult, waiver: RecordedWaiver | None) -> ShownResult:
    """Return a result as `--json` shows it."""
    is_unsure = result.verdict in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR}
    return ShownResult(
        id=f"{result.host}:{result.check}",
        host=result.host,
        check=result.check,
        clause=result.clause,
        severity=result.severity,
        verdict=result.verdict,
        reason=result.reason,
        message=str(result.message),
        remedy=str(result.remedy) if result.remedy else None,
        hint=str(next_step(result)) if is_unsure else None,
        evidence=result.evidence,
        waived_until=waiver.waiver.valid_to if waiver else None,
    )
