"""Each change was notified and approved before anything showed of it.

Article 12.2: upgrades, maintenance, repairs and changes are notified to the Department and need the Committee's agreement. An
agreement that comes after the change is none, whatever day its paper bears.

The rule: for each change of the host in the register, the records of its notice and of its approval stand in the ledger
before its first evidence: its recorded beginning or, as long as nobody has recorded that, the beginning of its window. The
times of records are compared, which nobody can move, and not the days on documents. Evidence first fails, and both moments
are shown. An emergency fails until it is notified and approved afterwards; from then on it passes, and is named. A standing
approval is judged once it is approved. Without the digest of the decision itself the answer is unknown, as it is as long as
nobody has begun the register. A change that was closed without being made is not judged.

Source: the records `change.*` of the ledger, made by `portalops change` (docs/changes.md); of one change:

    {"approved_at":"2026-11-19T02:00:00+00:00","approved_seq":9,"began_at":"2026-11-20T15:04:00+00:00","begun_seq":11,
    "decided_on":"2026-11-18","digest":"9f86d08...","document":"512/UBND-VX","id":"CH-2026-001","kind":"normal", ...}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import own_changes
from checks.servers.wording import listed
from portalops.model.changes import ChangeOrder, StepOrder
from portalops.model.message import Message, msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="change.order",
    clause="12.2",
    severity=Severity.CRITICAL,
    needs=(own_changes.PROBE,),
    title=msg("each change was notified and approved before it was begun"),
    remedy=msg(
        "Have the change notified and approved, record both with 'portalops change', and report that "
        "they came late; close a change that was not made."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    judged = [(each, each.judged(facts.at)) for each in facts[own_changes.PROBE]]
    late = [each for each, order in judged if order is StepOrder.EVIDENCE_FIRST]
    if late:
        first = min(late, key=lambda each: each.evidence_at(facts.at) or facts.at)
        return failed(
            "evidence-first",
            nmsg(
                "{n} change came before its approval: {first}",
                "{n} changes came before their approval, the first: {first}",
                len(late),
                first=_late(first, facts),
            ),
        )
    unproven = [each.id for each, order in judged if order is StepOrder.UNPROVEN]
    if unproven:
        return unknown(
            "no-document",
            nmsg(
                "the decision behind {n} change is not kept: {ids}",
                "the decisions behind {n} changes are not kept: {ids}",
                len(unproven),
                ids=listed(unproven),
            ),
        )
    known = sum(order is not StepOrder.AHEAD for _each, order in judged)
    if not judged:
        return passed(msg("no change of this host is recorded"))
    if not known:
        return passed(msg("no recorded change of this host has begun"))
    afterwards = [each.id for each, order in judged if order is StepOrder.REGULARISED]
    if afterwards:
        return passed(
            nmsg(
                "{n} change is as approved; approved afterwards, as emergencies: {ids}",
                "{n} changes are as approved; approved afterwards, as emergencies: {ids}",
                known,
                ids=listed(afterwards),
            )
        )
    return passed(
        nmsg(
            "{n} change, notified and approved before it was begun",
            "{n} changes, each notified and approved before it was begun",
            known,
        )
    )


def _late(one: ChangeOrder, facts: Facts) -> Message:
    """Say what came first of a change, and what after it."""
    evidence = one.evidence_at(facts.at) or facts.at
    name = shown(one.id, 40)
    if one.approved_at is None or one.notified_at is None:
        seq = str(one.begun_seq or one.requested_seq)
        missing = msg("approved") if one.notified_at else msg("notified")
        if one.began_at is None:
            return msg(
                "the window of {id} is open since {evidence} (record {seq}), and it is not {missing}",
                id=name,
                evidence=evidence,
                seq=seq,
                missing=missing,
            )
        return msg(
            "{id} was begun at {evidence} (record {seq}), and is not {missing}",
            id=name,
            evidence=evidence,
            seq=seq,
            missing=missing,
        )
    moment, later = max((one.approved_at, one.approved_seq), (one.notified_at, one.notified_seq))
    if one.began_at is None:
        return msg(
            "the window of {id} is open since {evidence}, and it was notified and approved by record {seq} at {moment} only",
            id=name,
            evidence=evidence,
            seq=str(later),
            moment=moment,
        )
    return msg(
        "{id} was begun at {evidence}, and notified and approved by record {seq} at {moment} only",
        id=name,
        evidence=evidence,
        seq=str(later),
        moment=moment,
    )
