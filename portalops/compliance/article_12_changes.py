"""Article 12.2: each change was notified to the Department, and agreed to by the Committee, before it was begun.

The register of changes tells it of the period's changes, the checks on the hosts of what nobody entered there.
"""

from __future__ import annotations

from portalops.compliance.order import WORST_FIRST, from_parts, standing_of
from portalops.compliance.situation import Situation
from portalops.model.changes import ChangeOrder
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict

NOTICE = "notice"
"""The duty's subject where notice is asked for; otherwise it is the approval."""


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
        reason = msg("nothing is recorded in the register of changes")
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, details=checked.details)
    parts: list[tuple[DutyVerdict, Message]] = []
    seqs: list[int] = []
    for change in register.changes.values():
        order = change.order()
        zone, period = situation.evidence.zone, situation.evidence.period
        if any(shown.astimezone(zone).date() in period for shown in change.shown_at(situation.as_of)):
            parts.append(_notified(order) if duty.subject == NOTICE else _approved(order))
            seqs += [
                seq for seq in (order.begun_seq or order.requested_seq, order.notified_seq, order.approved_seq) if seq
            ]
    count = len(parts)
    lost = sorted({*register.lost, *(seq for each in register.changes.values() for seq in each.lost)})
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("record {seq} of a change cannot be read", seq=str(seq)))
        for seq in lost
    ]
    met = _met(count, checked.reason, is_notice=duty.subject == NOTICE)
    standing = from_parts(
        duty, parts or [(DutyVerdict.MET, met)], met=met, seqs=[*checked.evidence, *seqs], newest_at=checked.newest_at
    )
    seen = () if checked.verdict in {DutyVerdict.MET, DutyVerdict.EXEMPT} else checked.details or (checked.reason,)
    if WORST_FIRST.index(checked.verdict) >= WORST_FIRST.index(standing.verdict):
        details, verdict, reason = (*standing.details, *seen), standing.verdict, standing.reason
    else:
        details, verdict, reason = (*seen, *standing.details), checked.verdict, checked.reason
    return standing_of(
        duty, verdict, reason, standing.evidence, details, newest_at=checked.newest_at, due_at=checked.due_at
    )


def _notified(order: ChangeOrder) -> tuple[DutyVerdict, Message]:
    shown = order.began_at or order.begins_at
    if order.notified_at is None:
        return DutyVerdict.UNMET, msg("{id}, from {shown} on, was not notified", id=order.id, shown=shown)
    if order.notified_at > shown:
        return DutyVerdict.UNMET, msg(
            "{id}, from {shown} on, was notified at {notified} only, by record {seq}",
            id=order.id,
            shown=shown,
            notified=order.notified_at,
            seq=str(order.notified_seq),
        )
    return DutyVerdict.MET, msg("{id} was notified", id=order.id)


def _approved(order: ChangeOrder) -> tuple[DutyVerdict, Message]:
    shown = order.began_at or order.begins_at
    if order.approved_at is None:
        return DutyVerdict.UNMET, msg("{id}, from {shown} on, was not approved", id=order.id, shown=shown)
    if order.approved_at > shown:
        return DutyVerdict.UNMET, msg(
            "{id}, from {shown} on, was approved at {approved} only, by record {seq}",
            id=order.id,
            shown=shown,
            approved=order.approved_at,
            seq=str(order.approved_seq),
        )
    if order.digest is None:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg(
            "the decision {document} behind {id} is not kept", document=order.document, id=order.id
        )
    return DutyVerdict.MET, msg("{id} was approved", id=order.id)


def _met(count: int, checks: Message, *, is_notice: bool) -> Message:
    if not count:
        return msg("no change is recorded in the period; {checks}", checks=checks)
    if is_notice:
        return nmsg(
            "{n} change of the period was notified before it was begun; {checks}",
            "{n} changes of the period were notified before they were begun; {checks}",
            count,
            checks=checks,
        )
    return nmsg(
        "{n} change of the period was approved before it was begun; {checks}",
        "{n} changes of the period were approved before they were begun; {checks}",
        count,
        checks=checks,
    )
