"""Changes of the portal: asked for, notified to the Department, approved by the Committee, made, closed (Article 12.2)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.values import dataclass


class ChangeKind(StrEnum):
    """What sort of approval a change needs."""

    NORMAL = "normal"
    STANDING = "standing"
    """Approved for all times of one sort until a day, such as the maker's security fixes."""
    EMERGENCY = "emergency"
    """Made before it could be approved; the approval is had afterwards, and that is shown."""


class ChangeState(StrEnum):
    """How far a change has come."""

    REQUESTED = "requested"
    NOTIFIED = "notified"
    APPROVED = "approved"
    BEGUN = "begun"
    DONE = "done"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """The body of a `change.requested` record, under the key `change`."""

    id: str
    """Made by portalops: `CH-`, the local year, and a number."""
    kind: ChangeKind
    what: str
    why: str
    hosts: tuple[HostId, ...]
    begins_at: datetime
    """The window, ends included; of a standing approval, from when on and until when it is to hold."""
    ends_at: datetime
    rollback: str
    """How it is undone if it goes wrong."""
    requested_by: str
    packages: tuple[str, ...] = ()
    """Of a standing approval: which packages, by name; `*` stands for any letters."""
    accounts: tuple[str, ...] = ()
    """Of a standing approval: who may, such as `unattended-upgrade`; empty for anyone."""


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """The body of a `change.notified` record, under the key `notice`: the Department was notified."""

    id: str
    document: str
    """Number and date of the letter."""
    sent_at: datetime
    how: str
    """By which way, such as the administration's own mail."""
    to: str


@dataclass(frozen=True, slots=True)
class ChangeApproval:
    """The body of a `change.approved` record, under the key `approval`: the Committee agreed."""

    id: str
    document: str
    """Number of the decision."""
    decided_on: date
    """As the document is dated."""
    by: str
    """Who signed it."""


@dataclass(frozen=True, slots=True)
class ChangeCorrected:
    """The body of a `change.corrected` record, under the key `change_corrected`: one of its three parts, said anew as a whole."""

    id: str
    reason: str
    by: str
    asked: ChangeRequest | None = None
    """What is asked for. Notice and approval were of something else: they count no more, and are had anew."""
    notice: ChangeNotice | None = None
    """The words by which the letter was recorded."""
    approval: ChangeApproval | None = None
    """The words by which the decision was recorded."""


@dataclass(frozen=True, slots=True)
class ChangeBegun:
    """The body of a `change.begun` record, under the key `begun`."""

    id: str
    began_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ChangeDone:
    """The body of a `change.done` record, under the key `done`."""

    id: str
    ended_at: datetime
    outcome: str
    rolled_back: bool
    """It was undone."""


@dataclass(frozen=True, slots=True)
class ChangeClosed:
    """The body of a `change.closed` record, under the key `change_closed`."""

    id: str
    reason: str
    """Empty where it was made as approved."""
    by: str


class StepOrder(StrEnum):
    """Whether what had to come first did."""

    AHEAD = "ahead"
    """Nothing shows yet that it was begun."""
    KEPT = "kept"
    """Notified and approved, by a document that is kept, before anything showed of it."""
    REGULARISED = "regularised"
    """An emergency: begun first, notified and approved afterwards."""
    UNPROVEN = "unproven"
    """As it should be by what was written, without the document that shows it."""
    EVIDENCE_FIRST = "evidence-first"
    """Begun, or its window open, before it was notified and approved."""


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """What of a change shows in which order it went: times of records, which nobody can move, beside those that people gave."""

    id: str
    kind: ChangeKind
    begins_at: datetime
    ends_at: datetime
    requested_seq: int
    notified_at: datetime | None = None
    """When the notice was recorded: what a document says of itself counts for nothing here."""
    notified_seq: int = 0
    approved_at: datetime | None = None
    """When the approval was recorded."""
    approved_seq: int = 0
    document: str = ""
    """Number of the decision."""
    decided_on: date | None = None
    digest: Digest | None = None
    """Of the decision itself, if it is kept."""
    began_at: datetime | None = None
    """As reported by the person who made the change."""
    begun_seq: int = 0
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    packages: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    def evidence_at(self, at: datetime) -> datetime | None:
        """Return the first moment that shows the change by a moment: that it was begun, or else that its window is open."""
        if self.began_at is not None:
            return self.began_at if self.began_at <= at else None
        if self.kind is ChangeKind.STANDING or self.closed_at is not None or self.begins_at > at:
            return None
        return self.begins_at

    def judged(self, at: datetime) -> StepOrder:
        """Say whether notice and approval came first, as of a moment."""
        proof = StepOrder.KEPT if self.digest else StepOrder.UNPROVEN
        if self.kind is ChangeKind.STANDING:
            return StepOrder.AHEAD if self.approved_at is None else proof
        shown = self.evidence_at(at)
        if shown is None:
            return StepOrder.AHEAD
        notified, approved = self.notified_at, self.approved_at
        if notified is not None and approved is not None:
            if max(notified, approved) <= shown:
                return proof
            if self.kind is ChangeKind.EMERGENCY and self.began_at is not None:
                return StepOrder.REGULARISED if self.digest else StepOrder.UNPROVEN
        return StepOrder.EVIDENCE_FIRST

    def covers(self) -> tuple[datetime, datetime] | None:
        """Return the time in which what happens on the hosts falls under this change; None as long as it is not approved.

        Nothing before the approval falls under it, but what an emergency did that was regularised; and of that nothing outside of
        the window that was asked for, since nobody agreed to more. What is closed covers nothing from then on: the rest of a long
        window is no approval of something else.
        """
        if self.approved_at is None or self.notified_at is None:
            return None
        if self.began_at is None and self.closed_at is not None and self.kind is not ChangeKind.STANDING:
            return None  # it was not made
        begin, end = max(self.begins_at, self.approved_at, self.notified_at), self.ends_at
        if self.kind is ChangeKind.EMERGENCY and self.began_at is not None:
            begin, end = max(self.began_at, self.begins_at), min(self.ended_at or end, end)
        if self.closed_at is not None:
            end = min(end, self.closed_at)
        return (begin, end) if begin <= end else None
