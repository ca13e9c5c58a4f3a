"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from commands.cli.result import JsonValue, Result
from commands.cli.session import Session
from commands.jobs.kinds.check import exit_code_of_checks, waived_of
from portalops.compliance.ledger_checks import RecordCheck
from portalops.model.checks import CheckResult, HostScan
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import HostId
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict
from portalops.registers.claims import ToolClaim
from portalops.registers.findings import FindingStanding, FindingState
from portalops.registers.waivers import RecordedWaiver
from portalops.reports.document import Block, Paragraph, Status, TableBlock, Tone
from portalops.reports.hints import next_step, steps_table
from portalops.reports.words import check_status, severity_status

if TYPE_CHECKING:
    from checks.servers.check import Check


def claims_table(claims: Sequence[ToolClaim]) -> TableBlock:
    """Return what other tools claim, apart from what portalops saw itself."""
    headers = (msg("Host"), msg("Tool"), msg("Rule"), msg("Severity"), msg("What it says"), msg("First"), msg("State"))
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
    return TableBlock(msg("What other tools claim; portalops checked nothing of it"), headers, rows)


def _claim_state(claim: ToolClaim) -> Message:
    if claim.gone_at is not None:
        return msg("claimed to be fixed, by its report of {at}", at=claim.gone_at)
    if claim.silent_at is not None:
        return msg("claimed; its report of {at} has no answer", at=claim.silent_at)
    return msg("claimed")


def claim_data(claim: ToolClaim) -> JsonValue:
    """Return a claim as `--json` shows it."""
    return {
        "id": claim.id,
        "claimed_by": claim.tool,
        "host": claim.host,
        "rule": claim.claim.rule,
        "severity": claim.claim.severity.value,
        "state": "claimed-fixed" if claim.gone_at else "not-answered" if claim.silent_at else "claimed",
        "message": claim.claim.message,
        "place": claim.claim.place,
        "first_seen_at": claim.first_at.isoformat(),
        "last_seen_at": claim.last_at.isoformat(),
        "gone_at": claim.gone_at.isoformat() if claim.gone_at else None,
        "silent_at": claim.silent_at.isoformat() if claim.silent_at else None,
        "records": [claim.first_seq, claim.last_seq, *(seq for seq in (claim.gone_seq, claim.silent_seq) if seq)],
    }


def finding_data(each: FindingStanding, owner: str) -> JsonValue:
    """Return a finding as `--json` shows it."""
    finding = each.finding
    return {
        "id": finding.id,
        "host": finding.host,
        "check": finding.check,
        "clause": finding.clause,
        "severity": finding.severity.value,
        "state": each.state.value,
        "verdict": "fail" if finding.is_open else "pass" if each.state is FindingState.FIXED else None,
        "first_seen_at": finding.first_seen_at.isoformat(),
        "opened_at": finding.opened_at.isoformat(),
        "last_seen_at": finding.last_seen_at.isoformat(),
        "last_judged_at": finding.last_judged_at.isoformat(),
        "due_on": each.due_on.isoformat(),
        "reopened": finding.reopened,
        "owner": owner or None,
        "message": str(finding.message),
        "remedy": str(finding.remedy) if finding.remedy else None,
        "waiver": each.waiver.waiver.id if each.waiver else None,
        "waived_until": each.waiver.waiver.valid_to.isoformat() if each.waiver else None,
        "events": [
            {"turn": event.turn.value, "record": event.seq, "at": event.at.isoformat()} for event in finding.events
        ],
    }


def describe_supplier(host: HostScan) -> Message:
    """Say who brought a host's answer, and what that takes from it."""
    return msg(
        "The answer of {host} was brought by {by}: nothing proves which machine gave it.",
        host=host.host,
        by=show_text(host.brought_by),
    )


def results_page(session: Session, found: Sequence[CheckResult], more: Sequence[Block] = ()) -> Result[JsonValue]:
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
        view.append(Paragraph(nmsg("{n} of the fails is waived", "{n} of the fails are waived", len(waived))))
    data = [
        {**result_data(result), "waived_until": _waived_until(waived.get((result.host, result.check)))}
        for result in found
    ]
    return Result(data, view, exit_code=exit_code_of_checks(found, waived))


def _waived_until(waiver: RecordedWaiver | None) -> str | None:
    return waiver.waiver.valid_to.isoformat() if waiver else None


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


def check_data(one: Check | RecordCheck) -> dict[str, JsonValue]:
    return {
        "id": one.id,
        "clause": one.clause,
        "severity": one.severity.value,
        "title": str(one.title),
        "remedy": str(one.remedy),
    }


def result_data(result: CheckResult) -> dict[str, JsonValue]:
    is_unsure = result.verdict in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR}
    return {
        "id": f"{result.host}:{result.check}",
        "host": result.host,
        "check": result.check,
        "clause": result.clause,
        "severity": result.severity.value,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "message": str(result.message),
        "remedy": str(result.remedy) if result.remedy else None,
        "hint": str(next_step(result)) if is_unsure else None,
        "evidence": list(result.evidence),
    }
