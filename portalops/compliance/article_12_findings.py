"""What the ledger shows of weaknesses: whether every host is checked for them, and whether they are remedied in time (Article 12.4).

A check judges what one host answered, so that the same bytes give the same result years later. The two that the catalogue
calls `vuln.cadence` and `vuln.overdue` judge the ledger's records instead, and so they are rules here: `vuln.cadence` is the
coverage within the rule `check-cadence`, `vuln.overdue` is the rule `findings`.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from portalops.compliance.ledger_checks import record_checks
from portalops.compliance.order import from_parts, standing_of
from portalops.compliance.situation import Situation
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import Duty, Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.findings import FindingStanding, FindingState, stand

SHOWN = 3
"""How many checks are named in a line."""


def judge_findings(duty: Duty, situation: Situation) -> Standing:
    """No finding is open past its due day without a waiver in force, and nothing went unseen (Article 12.4).

    A check that could not be answered finds nothing, so a host of which one was never judged in the period shows nothing.
    """
    newest = situation.evidence.checks
    if newest is None:
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the hosts were never checked"))
    standings = stand_at_end(situation)
    parts: list[tuple[DutyVerdict, Message]] = [
        (DutyVerdict.UNMET, _late(each, situation.evidence.zone))
        if each.is_late
        else (DutyVerdict.MET, each.finding.message)
        for each in standings
    ]
    if situation.as_of - newest.at > timedelta(hours=situation.rulebook.numbers.check_max_age_hours):
        line = msg("the newest scan of {at} is too old to judge the period", at=newest.at)
        parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, line))
    reached = {host.host for host in newest.body.hosts if host.reached}
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("host {host} was not in the newest scan", host=host.id))
        for host in situation.hosts
        if host.id not in reached
    ]
    parts += uncovered(situation)
    if not situation.hosts:
        parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no host is declared")))
    states = [each.state for each in standings]
    met = msg(
        "no finding is late: {open} open, {waived} waived, {fixed} fixed",
        open=states.count(FindingState.OPEN) + states.count(FindingState.REOPENED),
        waived=states.count(FindingState.WAIVED),
        fixed=states.count(FindingState.FIXED) + states.count(FindingState.CLOSED),
    )
    late = [event.seq for each in standings if each.is_late for event in each.finding.events]
    nothing_wrong: tuple[DutyVerdict, Message] = (DutyVerdict.MET, met)
    return from_parts(duty, parts or [nothing_wrong], met=met, seqs=[newest.seq, *late], newest_at=newest.at)


def stand_at_end(situation: Situation) -> tuple[FindingStanding, ...]:
    """Return where findings stand on the day that the standing speaks for."""
    evidence = situation.evidence
    day = min(situation.today, evidence.period.last)
    return stand(evidence.findings, evidence.waivers, situation.rulebook.numbers, day, evidence.zone)


def uncovered(situation: Situation) -> list[tuple[DutyVerdict, Message]]:
    """One part a host of which not every check of the rulebook was judged in the period."""
    newest = situation.evidence.checks
    across = newest.body.group_results() if newest else ()
    wanted = checks_of(situation.rulebook) - {one.id for one in record_checks()} - {result.check for result in across}
    parts: list[tuple[DutyVerdict, Message]] = [
        (
            DutyVerdict.INSUFFICIENT_EVIDENCE,
            msg("{check} on {host}: not judged in the period", check=one.check, host=one.host),
        )
        for one in across
        if (one.host, one.check) not in situation.evidence.judged and one.check in checks_of(situation.rulebook)
    ]
    for host in situation.hosts:
        missing = sorted(check for check in wanted if (host.id, check) not in situation.evidence.judged)
        if missing:
            line = nmsg(
                "host {host}: {n} of {total} checks was not judged in the period: {checks}",
                "host {host}: {n} of {total} checks were not judged in the period: {checks}",
                len(missing),
                host=host.id,
                total=len(wanted),
                checks=", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else ""),
            )
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, line))
    return parts


def checks_of(rulebook: Rulebook) -> frozenset[str]:
    """Return every check that a duty of the rulebook rests on."""
    return frozenset(check for duty in rulebook.duties for check in duty.checks)


def _late(each: FindingStanding, zone: ZoneInfo) -> Message:
    finding = each.finding
    line = msg(
        "{check} on {host}: open since {since}, due on {due}",
        check=finding.check,
        host=finding.host,
        since=finding.opened_at,
        due=each.due_on,
    )
    if each.expired is None:
        return line
    return msg("{line}; its waiver {ended}", line=line, ended=each.expired.describe_end(zone))
