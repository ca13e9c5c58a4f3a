"""Article 12: server checks and their cadence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from portalops.compliance.article_12_changes import judge_changes
from portalops.compliance.article_12_findings import judge_findings, uncovered
from portalops.compliance.article_12_incidents import judge_incidents
from portalops.compliance.order import daily_runs, from_parts, standing_of
from portalops.compliance.situation import Rule, Situation
from portalops.model.checks import CheckResult
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import HostId
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.verdicts import CheckVerdict, DutyVerdict


def judge_checks(duty: Duty, situation: Situation) -> Standing:
    """Every check that the rulebook maps to the duty passed on every host, recently enough (Article 12).

    Checks of standby systems are judged once for each group of hosts, and not for each host.
    """
    newest = situation.evidence.checks
    if newest is None:
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the hosts were never checked"))
    limit = timedelta(hours=situation.rulebook.numbers.check_max_age_hours)
    if situation.as_of - newest.at > limit:
        reason = msg("the newest scan of {at} is too old to judge the period", at=newest.at)
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, [newest.seq], newest_at=newest.at)
    results = {(result.check, result.host): result for result in newest.body.results()}
    across = newest.body.group_results()
    alone = [check for check in duty.checks if check not in {result.check for result in across}]
    parts = [_check_part(check, host.id, results.get((check, host.id))) for host in situation.hosts for check in alone]
    parts += [_check_part(result.check, result.host, result) for result in across if result.check in duty.checks]
    counts = {verdict: sum(1 for part, _ in parts if part is verdict) for verdict in DutyVerdict}
    reason = nmsg(
        "of {n} check, {passed} passed, {failed} failed, {unknown} unknown",
        "of {n} checks, {passed} passed, {failed} failed, {unknown} unknown",
        len(parts),
        passed=counts[DutyVerdict.MET],
        failed=counts[DutyVerdict.UNMET],
        unknown=counts[DutyVerdict.INSUFFICIENT_EVIDENCE],
    )
    standing = from_parts(duty, parts, met=reason, seqs=[newest.seq])
    due_at = newest.at + limit
    return Standing(duty.id, standing.verdict, reason, standing.details, standing.evidence, newest.at, due_at)


def judge_check_cadence(duty: Duty, situation: Situation) -> Standing:
    """The checks ran as regularly as they are meant to, and judged all that they are for (Article 12.4; `vuln.cadence`)."""
    newest = situation.evidence.checks
    parts = daily_runs(
        situation,
        "check",
        msg("the hosts were not checked on {day}"),
        every_days=situation.rulebook.numbers.check_every_days,
    )
    unreached = [host for host in newest.body.hosts if not host.reached and not host.standby] if newest else []
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("host {host}: {problem}", host=host.host, problem=host.problem))
        for host in unreached
    ]
    seen = {host.host for host in newest.body.hosts} if newest else set()
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("host {host} was not in the newest scan", host=host.id))
        for host in situation.hosts
        if newest and host.id not in seen
    ]
    parts += uncovered(situation)
    if not situation.hosts:
        parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no host is declared")))
    return from_parts(
        duty,
        parts,
        met=msg("checked on each day of the period"),
        seqs=[newest.seq] if newest else [],
        newest_at=newest.at if newest else None,
    )


def _check_part(check: str, host: HostId, result: CheckResult | None) -> tuple[DutyVerdict, Message]:
    if result is None:
        line = msg("{check} on {host}: not checked", check=check, host=host)
        return DutyVerdict.INSUFFICIENT_EVIDENCE, line
    line = msg("{check} on {host}: {seen}", check=check, host=host, seen=result.message)
    match result.verdict:
        case CheckVerdict.PASS:
            return DutyVerdict.MET, line
        case CheckVerdict.FAIL:
            return DutyVerdict.UNMET, line
        case CheckVerdict.NOT_APPLICABLE:
            return DutyVerdict.EXEMPT, line
        case CheckVerdict.UNKNOWN | CheckVerdict.ERROR:
            return DutyVerdict.INSUFFICIENT_EVIDENCE, line


def judge_languages(duty: Duty, situation: Situation) -> Standing:
    """A host's editions passed, and no host's failed (Article 3.1); that no host need have them proves nothing."""
    checked = judge_checks(duty, situation)
    if checked.verdict not in {DutyVerdict.MET, DutyVerdict.EXEMPT}:
        return checked
    newest = situation.evidence.checks
    results = newest.body.results() if newest else ()
    if any(each.check in duty.checks and each.verdict is CheckVerdict.PASS for each in results):
        return checked
    reason = msg("no host is declared for the Vietnamese and the English edition of the portal")
    seqs = [newest.seq] if newest else []
    return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, seqs, newest_at=checked.newest_at)


RULES: Mapping[str, Rule] = {
    "checks": judge_checks,
    "availability": judge_checks,
    "changes": lambda duty, situation: judge_changes(duty, situation, judge_checks(duty, situation)),
    "check-cadence": judge_check_cadence,
    "findings": judge_findings,
    "languages": judge_languages,
    "incidents": lambda duty, situation: judge_incidents(duty, situation, judge_checks(duty, situation)),
}
"""The rules of this module by the names that rulebooks use."""
