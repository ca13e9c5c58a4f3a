"""Findings: what server checks saw to be wrong, from the first time it was seen until a check saw it put right."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from portalops.model.message import Message
from portalops.model.organisation import HostId
from portalops.model.values import dataclass
from portalops.model.verdicts import Severity


class FindingTurn(StrEnum):
    """What happened to a finding in a record."""

    OPENED = "opened"
    """A check failed that had not failed before."""
    FIXED = "fixed"
    """The same check passed."""
    REOPENED = "reopened"
    """It failed again after that."""
    CLOSED = "closed"
    """A person closed it, since no check can judge it any more."""


OPEN_TURNS = frozenset({FindingTurn.OPENED, FindingTurn.REOPENED})


@dataclass(frozen=True, slots=True)
class FindingEvent:
    """One turn in the life of a finding, and the record that made it."""

    turn: FindingTurn
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that failed on one host, as the records tell it."""

    check: str
    host: HostId
    clause: str
    severity: Severity
    message: Message
    """What was seen when it failed last."""
    remedy: Message | None
    events: tuple[FindingEvent, ...]
    """Oldest first; of many, the first and the newest ones."""
    reopened: int
    """How often it came back."""
    last_seen_seq: int
    last_seen_at: datetime
    """When the check failed last."""
    last_judged_at: datetime
    """When the check last passed or failed; what was not found out is no judgement."""
    due_on: date | None = None
    """The day by which it must be fixed, where the check's answer names one, as for a vulnerability that is exploited."""

    def __post_init__(self) -> None:
        """Make sure that it has a life, also where it comes out of a record.

        Raises:
            ValueError: it does not begin by being opened.
        """
        if not self.events or self.events[0].turn is not FindingTurn.OPENED:
            raise ValueError("a finding begins by being opened")

    @property
    def id(self) -> str:
        """Host and check, as `--json` names it."""
        return f"{self.host}:{self.check}"

    @property
    def is_open(self) -> bool:
        """Whether nothing has shown it to be fixed, and nobody closed it."""
        return self.events[-1].turn in OPEN_TURNS

    @property
    def first_seen_at(self) -> datetime:
        """When it was seen for the first time ever."""
        return self.events[0].at

    @property
    def opened_at(self) -> datetime:
        """Since when it has been open, or was when it was last."""
        return next(event.at for event in reversed(self.events) if event.turn in OPEN_TURNS)


@dataclass(frozen=True, slots=True)
class CarriedFindings:
    """All findings before a scan: with them, no reader needs the earlier scans.

    They follow from the records up to `upto`, and from nothing else, so that anyone can find out whether they are right.
    """

    upto: int
    """The newest record that they rest on; 0 for none."""
    findings: tuple[Finding, ...]
    """By host and check; those that are fixed as well, so that a return is seen to be one."""


@dataclass(frozen=True, slots=True)
class FindingClosed:
    """The body of a `finding.closed` record, under the key `closed`: a person closes what no check can judge any more."""

    check: str
    host: HostId
    reason: str
    approved_by: str
    document: str
    """Number and date of the written decision."""
