"""What checks of approved changes answer alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from checks.servers.approvals import Approved, allowed
from checks.servers.check import CheckOutcome, missing, unknown
from checks.servers.facts import Facts
from checks.servers.probes import own_changes
from portalops.model.message import msg, nmsg


def approved(facts: Facts) -> Approved | None:
    """Return what was approved on the host; None where it is not declared from when on changes are looked for."""
    declared = facts.declared.changes
    if declared is None:
        return None
    found = facts.get(own_changes.PROBE)
    return allowed(declared, found)


def judge_future_since(facts: Facts) -> CheckOutcome | None:
    """Return the answer where changes are looked for from a moment on that is ahead: nothing lies after it, which shows nothing."""
    declared = facts.declared.changes
    if declared is None or declared.since <= facts.at:
        return None
    return unknown(
        "since-ahead",
        msg(
            "the declared changes begin at {since}, in the future: correct 'since'",
            since=declared.since,
        ),
    )


def declared_alone(allowed: Approved, moments: Sequence[datetime]) -> CheckOutcome:
    """Return the answer where something is approved by the configuration's word alone: whether it was is not proven.

    Args:
        allowed: what is declared and recorded.
        moments: of what falls under something that is declared, and under nothing of the register; at least one.
    """
    if allowed.doubt:
        return missing(allowed.doubt)
    return unknown(
        "approval-not-kept",
        nmsg(
            "{n} change is approved only in the configuration, at {at}; no decision is kept: record it "
            "before the change with 'portalops change request' and 'approve --file'",
            "{n} changes are approved only in the configuration, the first at {at}; no decision is kept: "
            "record it before the change with 'portalops change request' and 'approve --file'",
            len(moments),
            at=moments[0],
        ),
    )
