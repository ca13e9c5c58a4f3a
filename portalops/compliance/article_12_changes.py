"""Article 12.2: each change was notified to the Department, and agreed to by the Committee, before it was begun.

The register of changes tells it of the period's changes, the checks on the hosts of what nobody entered there. The newest scan
shows how the hosts are now; what was seen under no approval in the period, and was undone before that scan or is on a host that
is configured no more, was seen all the same: findings of drift tell of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from portalops.compliance.order import WORST_FIRST, from_parts, standing_of
from portalops.compliance.situation import Situation
from portalops.model.changes import ChangeOrder
from portalops.model.findings import OPEN_TURNS, Finding, FindingEvent
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.changes import RecordedChange

NOTICE = "notice"
"""The duty's subject where notice is asked for; otherwise it is the approval."""
DRIFT = "change.drift"
"""The check that sees what changed at hosts under no approval."""


def judge_changes(duty: Duty, situation: Situation, checked: Standing) -> Standing:
    """Every change that showed in the period was notified, or approved, before it did, and the duty's checks pass (Article 12.2).

    An emergency that was approved afterwards was not approved before: the regulation knows no exception. It counts in the period
    in which it was begun, and in the one in which that was recorded.

    Args:
        duty: its subject is `notice` or `approval`.
        situation: has the register.
        checked: how the duty stands by its checks alone.
    """
    register = situation.evidence.changes
    if register is None or not register.is_begun:
        if checked.verdict is DutyVerdict.UNMET:
            return checked
        reason = msg("the register of changes is empty")
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, details=checked.details)
    parts: list[tuple[DutyVerdict, Message]] = []
    seqs: list[int] = []
    for change in register.changes.values():
        order = change.order()
        zone, period = situation.evidence.zone, situation.evidence.period
        if any(shown.astimezone(zone).date() in period for shown in change.shown_at(situation.as_of)):
            parts.append(_notified(change, order) if duty.subject == NOTICE else _approved(order))
            seqs += [
                seq for seq in (order.begun_seq or order.requested_seq, order.notified_seq, order.approved_seq) if seq
            ]
    count = len(parts)
    for finding in situation.evidence.findings if DRIFT in duty.checks else ():
        if finding.check == DRIFT:
            for part, events in _drifted(finding, situation):
                parts.append(part)
                seqs += [event.seq for event in events]
    lost = sorted({*register.lost, *(seq for each in register.changes.values() for seq in each.lost)})
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("record {seq} of a change cannot be read", seq=str(seq)))
        for seq in lost
    ]
    met = _met(count, checked.reason, is_notice=duty.subject == NOTICE)
    standing = from_parts(duty, parts or [(DutyVerdict.MET, met)], met=met, seqs=[*checked.evidence, *seqs])
    seen = () if checked.verdict in {DutyVerdict.MET, DutyVerdict.EXEMPT} else checked.details or (checked.reason,)
    if WORST_FIRST.index(checked.verdict) >= WORST_FIRST.index(standing.verdict):
        details, verdict, reason = (*standing.details, *seen), standing.verdict, standing.reason
    else:
        details, verdict, reason = (*seen, *standing.details), checked.verdict, checked.reason
    return standing_of(
        duty, verdict, reason, standing.evidence, details, newest_at=checked.newest_at, due_at=checked.due_at
    )


def _drifted(
    finding: Finding, situation: Situation
) -> Iterator[tuple[tuple[DutyVerdict, Message], tuple[FindingEvent, ...]]]:
    """Yield what a host showed under no approval in the period, and the newest scan does not show, with the events of it."""
    begin, end = situation.evidence.period.bounds(situation.evidence.zone)
    ends = (*finding.events[1:], None)
    for event, after in zip(finding.events, ends, strict=True):
        if event.turn not in OPEN_TURNS or event.at >= end or (after is not None and after.at < begin):
            continue
        if after is None and finding.host not in {host.id for host in situation.hosts}:
            text = msg(
                "{id}: {seen}; the configuration no longer names host {host}, and no scan shows that this was "
                "corrected",
                id=finding.id,
                seen=finding.message,
                host=finding.host,
            )
            yield (DutyVerdict.UNMET, text), (event,)
        elif after is not None and not _is_incident(finding, event, after, situation):
            text = msg(
                "{id}: record {first} shows a change without approval, record {last} no longer does. Run "
                "'portalops change drift --host {host} --since' to see whether it was undone or approved later",
                id=finding.id,
                first=str(event.seq),
                last=str(after.seq),
                host=finding.host,
            )
            yield (DutyVerdict.INSUFFICIENT_EVIDENCE, text), (event, after)


def _is_incident(finding: Finding, event: FindingEvent, after: FindingEvent, situation: Situation) -> bool:
    """Say whether what was seen may be of an incident of the host that was recorded before it was held to be explained."""
    register = situation.evidence.incidents
    return register is not None and any(
        each.opened.at <= after.at
        and each.facts.began_at <= event.at
        and (each.closed is None or each.closed.at >= event.at)
        for each in register.find_by_host(finding.host)
    )


def _notified(change: RecordedChange, order: ChangeOrder) -> tuple[DutyVerdict, Message]:
    shown = order.began_at or order.begins_at
    if order.notified_at is None:
        return DutyVerdict.UNMET, msg("{id}, from {shown} on, was not notified", id=order.id, shown=shown)
    if order.notified_at > shown:
        return DutyVerdict.UNMET, msg(
            "{id}, from {shown} on, was notified only at {notified}, by record {seq}",
            id=order.id,
            shown=shown,
            notified=order.notified_at,
            seq=str(order.notified_seq),
        )
    if change.notice is not None and not change.notice.evidence:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg(
            "the letter {document} that notified {id} was not kept",
            document=change.notice.body.document,
            id=order.id,
        )
    return DutyVerdict.MET, msg("{id} was notified", id=order.id)


def _approved(order: ChangeOrder) -> tuple[DutyVerdict, Message]:
    shown = order.began_at or order.begins_at
    if order.approved_at is None:
        return DutyVerdict.UNMET, msg("{id}, from {shown} on, was not approved", id=order.id, shown=shown)
    if order.approved_at > shown:
        return DutyVerdict.UNMET, msg(
            "{id}, from {shown} on, was approved only at {approved}, by record {seq}",
            id=order.id,
            shown=shown,
            approved=order.approved_at,
            seq=str(order.approved_seq),
        )
    if order.digest is None:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg(
            "the decision {document} on {id} was not kept", document=order.document, id=order.id
        )
    return DutyVerdict.MET, msg("{id} was approved", id=order.id)


def _met(count: int, checks: Message, *, is_notice: bool) -> Message:
    if not count:
        return msg("no change is recorded in the period; {checks}", checks=checks)
    if is_notice:
        return nmsg(
            "{n} change of the period was notified before it began; {checks}",
            "{n} changes of the period were notified before they began; {checks}",
            count,
            checks=checks,
        )
    return nmsg(
        "{n} change of the period was approved before it began; {checks}",
        "{n} changes of the period were approved before they began; {checks}",
        count,
        checks=checks,
    )
