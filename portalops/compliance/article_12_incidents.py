"""Article 12.5: the holders of administrative access answer for incidents with it, and each incident is reported in time.

That nothing is recorded shows nothing: only where a named person attests the days of the period, by a paper that is kept, is
the register held to be whole. Logins that are nobody's are incidents whether or not anybody entered them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from portalops.compliance.order import from_parts, standing_of
from portalops.compliance.situation import Situation
from portalops.model.checks import CheckResult
from portalops.model.incidents import REPORT_WORDS, IncidentKind, ReportKind, ReportStanding, ReportTimeliness
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict, DutyVerdict
from portalops.registers.incidents import CLOSED, Incident, IncidentRegister, end_words, first_day_not_over, people_left

Part = tuple[DutyVerdict, Message]
MET, UNMET, PENDING = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.PENDING
UNKNOWN = DutyVerdict.INSUFFICIENT_EVIDENCE


def judge_incidents(duty: Duty, situation: Situation, checked: Standing) -> Standing:
    """Each incident of the period was reported in time and somebody answers for it, and the register is attested to be whole.

    Args:
        duty: its checks are those whose failures need an incident that is tied to them.
        situation: has the register.
        checked: how the duty stands by its checks alone.
    """
    register = situation.evidence.incidents or IncidentRegister()
    parts: list[Part] = list(_seen(duty, situation, register, checked))
    seqs: list[int] = list(checked.evidence)
    if not register.is_begun:
        parts.append((UNKNOWN, msg("the register of incidents is empty")))
        return from_parts(duty, parts, met=checked.reason, seqs=seqs, newest_at=checked.newest_at)
    due: list[datetime] = []
    count = 0
    for incident in register.incidents.values():
        days = incident.counted_on(situation.evidence.zone)
        if min(days) > situation.evidence.period.last:
            continue
        is_new = any(day in situation.evidence.period for day in days)
        found = list(_judge_incident(incident, situation, is_new=is_new, due=due))
        if found:
            parts += found
            seqs += incident.seqs
        count += is_new
    parts += [
        (UNKNOWN, msg("record {seq} of an incident cannot be read", seq=str(seq))) for seq in register.every_lost()
    ]
    attested, steps = _attested(situation, register)
    parts += attested
    met = nmsg(
        "{n} incident of the period was reported in time, and the register is attested to be complete",
        "{n} incidents of the period were reported in time, and the register is attested to be complete",
        count,
    )
    if not count:
        met = msg("no incident of the period is known, and a named person attests each of its days")
    standing = from_parts(duty, parts, met=met, seqs=[*seqs, *steps])
    return standing_of(
        duty,
        standing.verdict,
        standing.reason,
        standing.evidence,
        standing.details,
        newest_at=checked.newest_at,
        due_at=min(due, default=None),
    )


def _day(situation: Situation, moment: datetime) -> date:
    return moment.astimezone(situation.evidence.zone).date()


def _judge_incident(incident: Incident, situation: Situation, *, is_new: bool, due: list[datetime]) -> Iterator[Part]:
    """Yield what one incident shows: of its own period everything, of later ones what is still missing, or how it was closed."""
    numbers, now = situation.rulebook.numbers, situation.evidence.now
    for report in ReportKind:
        standing = incident.standing(report, numbers, now)
        if standing.timeliness is ReportTimeliness.DUE:
            due.append(standing.due_at)
        if is_new or standing.timeliness in {ReportTimeliness.OVERDUE, ReportTimeliness.DUE}:
            yield _reported(incident, standing)
    if is_new:
        yield from _answered(incident, situation)
    for gap in incident.gaps:
        if gap.kind == CLOSED and gap.said_anew and _day(situation, gap.at) in situation.evidence.period:
            text = msg(
                "{id}: the open items at its closing cannot be read (record {seq})", id=incident.id, seq=str(gap.seq)
            )
            yield UNKNOWN, text
    closed = incident.closed
    if closed is not None and closed.body.open_ends and _day(situation, closed.at) in situation.evidence.period:
        for end in closed.body.open_ends:
            yield UNMET, msg("{id} was closed although: {end}", id=incident.id, end=end_words(end))


def _reported(incident: Incident, standing: ReportStanding) -> Part:
    which, sent, due = REPORT_WORDS[standing.report], standing.sent, standing.due_at
    match standing.timeliness:
        case ReportTimeliness.IN_TIME:
            return MET, msg("{id}: the {report} was sent in time", id=incident.id, report=which)
        case ReportTimeliness.DUE:
            return PENDING, msg("{id}: the {report} is due by {due}", id=incident.id, report=which, due=due)
        case ReportTimeliness.LATE if sent is not None:
            text = msg(
                "{id}: the {report} was sent at {sent}, after {due}",
                id=incident.id, report=which, sent=sent.sent_at, due=due,
            )  # fmt: skip
            return UNMET, text
        case ReportTimeliness.UNPROVEN if standing.noticed_before is not None:
            text = msg(
                "{id}: an earlier record says that it was noticed at {noticed}; by that time the {report} was late",
                id=incident.id,
                noticed=standing.noticed_before,
                report=which,
            )
            return UNKNOWN, text
        case ReportTimeliness.UNPROVEN if standing.noticing_lost is not None:
            text = msg(
                "{id}: record {seq} cannot be read and may name an earlier time of notice: it is not proven that "
                "the {report} was in time",
                id=incident.id, seq=str(standing.noticing_lost), report=which,
            )  # fmt: skip
            return UNKNOWN, text
        case ReportTimeliness.UNPROVEN if sent is not None and not sent.is_kept:
            text = msg(
                "{id}: the paper of the {report} was not kept (record {seq})",
                id=incident.id, report=which, seq=str(sent.seq),
            )  # fmt: skip
            return UNKNOWN, text
        case ReportTimeliness.UNPROVEN if sent is not None:
            text = msg(
                "{id}: the {report} was reportedly sent at {sent}, but recorded only at {recorded}, after {due}",
                id=incident.id, report=which, sent=sent.sent_at, recorded=sent.recorded_at, due=due,
            )  # fmt: skip
            return UNKNOWN, text
        case _:
            return UNMET, msg(
                "{id}: the {report} was due by {due} but was not sent", id=incident.id, report=which, due=due
            )


def _answered(incident: Incident, situation: Situation) -> Iterator[Part]:
    facts, people = incident.facts, situation.evidence.credentials
    if facts.holders and people is not None:
        left = people_left(facts, people, _day(situation, facts.detected_at))
        if len(left) == len(facts.holders):
            names = show_text(", ".join(left), 200)
            yield (
                UNKNOWN,
                msg(
                    "{id}: the responsible persons had left before it was noticed: {names}", id=incident.id, names=names
                ),
            )
    if facts.kind is IncidentKind.CREDENTIAL and not facts.credentials:
        yield UNKNOWN, msg("{id} is about administrative access, but no credential is linked to it", id=incident.id)
    if not facts.holders and (facts.credentials or facts.kind is IncidentKind.CREDENTIAL):
        yield UNKNOWN, msg("{id} names no responsible person", id=incident.id)


def _seen(duty: Duty, situation: Situation, register: IncidentRegister, checked: Standing) -> Iterator[Part]:
    """Yield what the hosts show: a failure of one of the checks needs an incident, the rest of them counts as it is."""
    newest = situation.evidence.checks
    if not duty.checks or newest is None or checked.verdict is not UNMET:
        if duty.checks and checked.details:
            yield from ((checked.verdict, each) for each in checked.details)
        elif duty.checks:
            yield checked.verdict, checked.reason
        return
    for result in newest.body.results():
        if result.check not in duty.checks or result.verdict is CheckVerdict.PASS:
            continue
        name = f"{result.host}:{result.check}"
        if result.verdict is not CheckVerdict.FAIL:
            if result.verdict is not CheckVerdict.NOT_APPLICABLE:
                yield UNKNOWN, msg("{id}: {seen}", id=name, seen=result.message)
        elif _is_tied(result, situation, register):
            yield MET, msg("{id}: an incident is linked to it", id=name)
        else:
            yield UNMET, msg("{id}: {seen}; no incident is linked to it", id=name, seen=result.message)
    seen = {(result.host, result.check) for result in newest.body.results()}
    for host in situation.hosts:
        for check in duty.checks:
            if (host.id, check) not in seen:
                yield UNKNOWN, msg("{check} on {host}: not checked", check=check, host=host.id)


def _is_tied(result: CheckResult, situation: Situation, register: IncidentRegister) -> bool:
    """Say whether an incident is tied to a finding that was open, or came back, while the incident was."""
    name = f"{result.host}:{result.check}"
    finding = next((each for each in situation.evidence.findings if each.id == name), None)
    for incident in register.incidents.values():
        if name in incident.facts.findings:
            closed = incident.closed
            if closed is None or (finding is not None and closed.at >= finding.opened_at):
                return True
    return False


def _attested(situation: Situation, register: IncidentRegister) -> tuple[list[Part], list[int]]:
    """Return whether each day of the period that is over was attested, and the records that say so."""
    parts: list[Part] = []
    steps: dict[int, None] = {}
    evidence = situation.evidence
    missing: list[date] = []
    for day in evidence.period.days():
        if day >= situation.today:
            break
        step = register.attested_on(day, evidence.zone)
        if step is None:
            missing.append(day)
        elif step.seq not in steps:
            steps[step.seq] = None
            name, seq = step.body.by, str(step.seq)
            if step.evidence:
                parts.append((MET, msg("{name} attests the register in record {seq}", name=name, seq=seq)))
            else:
                text = msg("the attestation paper of {name} was not kept (record {seq})", name=name, seq=seq)
                parts.append((UNKNOWN, text))
    for step in register.attested:
        against = register.find_contradicting(step, evidence.zone)
        early = first_day_not_over(step, evidence.zone)
        if not against and early in missing:
            text = msg("record {seq} attests {day} before that day had ended", seq=str(step.seq), day=early)
            parts.append((UNKNOWN if evidence.period.last < situation.today else PENDING, text))
        if against and any(step.body.first <= day <= step.body.last for day in missing):
            text = msg(
                "the attestation in record {seq} is no longer valid: {id} was recorded later",
                seq=str(step.seq),
                id=against[0].id,
            )
            parts.append((UNKNOWN, text))
    if missing:
        text = nmsg(
            "nobody attests {n} day from {first} to {last}",
            "nobody attests {n} days from {first} to {last}",
            len(missing),
            first=missing[0],
            last=missing[-1],
        )
        parts.append((UNKNOWN if evidence.period.last < situation.today else PENDING, text))
    if not parts:
        parts.append((PENDING, msg("no day of the period has ended yet, so none is attested")))
    return parts, list(steps)
