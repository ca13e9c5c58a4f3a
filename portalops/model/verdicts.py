"""The closed sets of answers. Could-not-find-out is never a pass and never silence."""

from __future__ import annotations

from enum import StrEnum


class CheckVerdict(StrEnum):
    """What one check says about one host."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    """The fact could not be found out; the result's reason says why."""
    NOT_APPLICABLE = "not-applicable"
    """Only where a declared role exempts the host; never inferred."""
    ERROR = "error"
    """The check itself crashed: a fault in portalops, shown as a result and never dropped."""


class DutyVerdict(StrEnum):
    """What can be said about a duty, or a unit's period."""

    MET = "met"
    UNMET = "unmet"
    EXEMPT = "exempt"
    NOT_ASSESSED = "not-assessed"
    INSUFFICIENT_EVIDENCE = "insufficient-evidence"
    PENDING = "pending"


class Severity(StrEnum):
    """How much a failed check matters, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class RunOutcome(StrEnum):
    """How a run ended. A run without a finished record has no outcome: it crashed."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Some part could not be read or reached; it is named, and does not fulfil a duty."""
    FAILED = "failed"
