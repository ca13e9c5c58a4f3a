"""The register of changes: the records `change.*`, folded. What a change is now is what its records made it.

Nothing is edited: a notice or an approval that is recorded again takes the place of the one before, from its own record on;
one that says the same adds the file that was missing, and keeps the time of the first. A file that is not there any more is not
kept. A correction of what is asked for voids notice and approval, since they were of something else. One of the words of a paper
keeps the time of the first record only where that kept the paper itself: then it is the same paper by another name, which
otherwise nobody could tell from another paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Generic, TypeAlias, TypeVar

from portalops.bodies import decode_part, evidence_of
from portalops.errors import PortalOpsError
from portalops.model.changes import (
    ChangeApproval,
    ChangeBegun,
    ChangeClosed,
    ChangeCorrected,
    ChangeDone,
    ChangeKind,
    ChangeNotice,
    ChangeOrder,
    ChangeRequest,
    ChangeState,
)
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.ports import LedgerReader

Body: TypeAlias = (
    "ChangeRequest | ChangeNotice | ChangeApproval | ChangeBegun | ChangeDone | ChangeClosed | ChangeCorrected"
)
BodyT = TypeVar("BodyT")
PaperT = TypeVar("PaperT", ChangeNotice, ChangeApproval)

REQUESTED, NOTIFIED, APPROVED = "change.requested", "change.notified", "change.approved"
BEGUN, DONE, CLOSED = "change.begun", "change.done", "change.closed"
CORRECTED = "change.corrected"
KEYS: Final[Mapping[str, tuple[str, type[Body]]]] = {
    REQUESTED: ("change", ChangeRequest),
    NOTIFIED: ("notice", ChangeNotice),
    APPROVED: ("approval", ChangeApproval),
    BEGUN: ("begun", ChangeBegun),
    DONE: ("done", ChangeDone),
    CLOSED: ("change_closed", ChangeClosed),
    CORRECTED: ("change_corrected", ChangeCorrected),
}
"""By kind of record: the key of its body, and its type."""
CHANGE_KINDS: Final = tuple(KEYS)


@dataclass(frozen=True, slots=True)
class ChangeStep(Generic[BodyT]):
    """One record of a change."""

    seq: int
    at: datetime
    """When it was recorded."""
    body: BodyT
    evidence: tuple[Digest, ...] = ()
    """The document, if it is kept."""
    is_kept_first: bool = False
    """The record itself kept the document; it was not added later."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One record by which a change was corrected, and what that replaced."""

    step: ChangeStep[ChangeCorrected]
    before: ChangeRequest | ChangeNotice | ChangeApproval
    """What stood until then."""
    voided: tuple[ChangeStep[ChangeNotice] | ChangeStep[ChangeApproval], ...] = ()
    """The notice and the approval that count no more, since they were of something else."""


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One change, with the records that made it what it is."""

    request: ChangeStep[ChangeRequest]
    """The record by which it was asked for, with what is asked for now."""
    notice: ChangeStep[ChangeNotice] | None = None
    approval: ChangeStep[ChangeApproval] | None = None
    begun: ChangeStep[ChangeBegun] | None = None
    done: ChangeStep[ChangeDone] | None = None
    closed: ChangeStep[ChangeClosed] | None = None
    lost: tuple[int, ...] = ()
    """Records of it whose details cannot be read, or that do not fit what was before."""
    corrections: tuple[Correction, ...] = ()
    replaced: tuple[tuple[ChangeStep[ChangeNotice] | ChangeStep[ChangeApproval], int], ...] = ()
    """Notices and approvals in whose place another one was recorded, with that one's record."""

    @property
    def id(self) -> str:
        """Return its id."""
        return self.request.body.id

    @property
    def kind(self) -> ChangeKind:
        """Return what sort of approval it needs."""
        return self.request.body.kind

    @property
    def state(self) -> ChangeState:
        """Return how far it has come."""
        steps = (
            (self.closed, ChangeState.CLOSED),
            (self.done, ChangeState.DONE),
            (self.begun, ChangeState.BEGUN),
            (self.approval, ChangeState.APPROVED),
            (self.notice, ChangeState.NOTIFIED),
        )
        return next((state for step, state in steps if step is not None), ChangeState.REQUESTED)

    @property
    def state_seq(self) -> int:
        """Return the record that made the state."""
        steps = (self.closed, self.done, self.begun, self.approval, self.notice)
        return next((step.seq for step in steps if step is not None), self.asked_seq)

    @property
    def asked_seq(self) -> int:
        """Return the record that says what is asked for now."""
        said = [each.step.seq for each in self.corrections if each.step.body.asked is not None]
        return said[-1] if said else self.request.seq

    @property
    def next_step(self) -> str | None:
        """Return the command's verb that is next; None where nothing is, or only the end of a standing approval."""
        is_standing, is_emergency = self.kind is ChangeKind.STANDING, self.kind is ChangeKind.EMERGENCY
        steps = (
            (self.notice, "notify"),
            (self.approval, "approve"),
            (self.begun or is_standing or None, "start"),
            (self.done or is_standing or None, "finish"),
        )
        if self.closed is not None:
            return None
        if is_emergency and self.begun is None:
            return "start"
        return next((verb for step, verb in steps if step is None), None if is_standing else "close")

    @property
    def originally(self) -> ChangeRequest:
        """Return what was asked for at first."""
        found = (each.before for each in self.corrections)
        return next((each for each in found if isinstance(each, ChangeRequest)), self.request.body)

    def shown_at(self, as_of: datetime) -> tuple[datetime, ...]:
        """Return the moments at which it showed: of its first evidence, and of the record of that where it was made later.

        What cannot wait is recorded afterwards, and may be said to lie as long ago as anybody likes, in a period of which no
        report is made any more: it counts in the one of its record as well.

        Args:
            as_of: the moment by which a change shows.
        """
        shown = self.order().evidence_at(as_of)
        if shown is None:
            return ()
        told = self.request.at if self.begun is None else self.begun.at
        return (shown, told) if told > shown else (shown,)

    def order(self) -> ChangeOrder:
        """Return what shows in which order it went."""
        asked = self.request.body
        return ChangeOrder(
            self.id,
            self.kind,
            asked.begins_at,
            asked.ends_at,
            self.asked_seq,
            notified_at=self.notice.at if self.notice else None,
            notified_seq=self.notice.seq if self.notice else 0,
            approved_at=self.approval.at if self.approval else None,
            approved_seq=self.approval.seq if self.approval else 0,
            document=self.approval.body.document if self.approval else "",
            decided_on=self.approval.body.decided_on if self.approval else None,
            digest=next(iter(self.approval.evidence), None) if self.approval else None,
            began_at=self.begun.body.began_at if self.begun else None,
            begun_seq=self.begun.seq if self.begun else 0,
            ended_at=self.done.body.ended_at if self.done else None,
            closed_at=self.closed.at if self.closed else None,
            packages=asked.packages,
            accounts=asked.accounts,
        )


@dataclass(frozen=True, slots=True)
class ChangeRegister:
    """All changes, by id, in the order in which they were asked for."""

    changes: Mapping[str, RecordedChange]
    lost: tuple[int, ...] = ()
    """Records of changes of which it cannot be read what they are and which hosts they are about."""
    names: frozenset[str] = frozenset()
    """Every id that a record bears, whether it can be read or not."""

    @property
    def is_begun(self) -> bool:
        """Say whether anything is recorded in it."""
        return bool(self.changes or self.lost or self.names)

    def find_by_host(self, host: HostId) -> tuple[RecordedChange, ...]:
        """Return the changes that are about a host."""
        return tuple(each for each in self.changes.values() if host in each.request.body.hosts)

    def lost_of(self, host: HostId) -> tuple[int, ...]:
        """Return the records that may be about a host and cannot be read."""
        return tuple(sorted({*self.lost, *(seq for each in self.find_by_host(host) for seq in each.lost)}))


def fold_changes(
    records: Iterable[tuple[int, datetime, str, Body | None, tuple[Digest, ...]]],
) -> ChangeRegister:
    """Return the register.

    Args:
        records: number, time, change, body and kept documents of each record, oldest first; no body if it cannot be read.
    """
    changes: dict[str, RecordedChange] = {}
    lost: list[int] = []
    names: set[str] = set()
    for seq, at, name, body, evidence in records:
        known = changes.get(name)
        names.add(name)
        if isinstance(body, ChangeRequest) and known is None:
            changes[name] = RecordedChange(ChangeStep(seq, at, body, evidence))
        elif known is None:
            lost.append(seq)
        else:
            changes[name] = taken(known, seq, at, body, evidence)
    return ChangeRegister(changes, tuple(lost), frozenset(names))


def taken(
    known: RecordedChange, seq: int, at: datetime, body: Body | None, evidence: tuple[Digest, ...]
) -> RecordedChange:
    """Return a change after one more record; no body if it cannot be read."""
    match body:
        case ChangeNotice():
            noticed = _again(known.notice, ChangeStep(seq, at, body, evidence, bool(evidence)))
            return replace(known, notice=noticed, replaced=_replaced(known, known.notice, noticed))
        case ChangeApproval():
            approved = _again(known.approval, ChangeStep(seq, at, body, evidence, bool(evidence)))
            return replace(known, approval=approved, replaced=_replaced(known, known.approval, approved))
        case ChangeCorrected() if refuse_correction(known, body) is None:
            return _corrected(known, ChangeStep(seq, at, body, evidence))
        case ChangeBegun():
            return known if known.begun else replace(known, begun=ChangeStep(seq, at, body, evidence))
        case ChangeDone():
            return known if known.done else replace(known, done=ChangeStep(seq, at, body, evidence))
        case ChangeClosed():
            return known if known.closed else replace(known, closed=ChangeStep(seq, at, body, evidence))
        case _:  # what cannot be read, a second request of the same id, or a correction that is none
            return replace(known, lost=(*known.lost, seq))


def _replaced(
    known: RecordedChange, before: ChangeStep[PaperT] | None, now: ChangeStep[PaperT]
) -> tuple[tuple[ChangeStep[ChangeNotice] | ChangeStep[ChangeApproval], int], ...]:
    return known.replaced if before is None or before.seq == now.seq else (*known.replaced, (before, now.seq))


def _again(before: ChangeStep[BodyT] | None, new: ChangeStep[BodyT]) -> ChangeStep[BodyT]:
    """Return what counts of a step that is recorded again: the first, with the file of both, if nothing else differs."""
    if before is None or before.body != new.body:
        return new
    return replace(before, evidence=tuple(dict.fromkeys((*before.evidence, *new.evidence))))


def _corrected(known: RecordedChange, step: ChangeStep[ChangeCorrected]) -> RecordedChange:
    body = step.body
    if body.asked is not None:
        voided = tuple(each for each in (known.notice, known.approval) if each is not None)
        correction = Correction(step, known.request.body, voided)
        request = replace(known.request, body=body.asked)
        known = replace(known, request=request, notice=None, approval=None)
    elif body.notice is not None and known.notice is not None:
        correction = Correction(step, known.notice.body)
        known = replace(known, notice=_renamed(known.notice, body.notice, step))
    elif body.approval is not None and known.approval is not None:
        correction = Correction(step, known.approval.body)
        known = replace(known, approval=_renamed(known.approval, body.approval, step))
    else:
        return replace(known, lost=(*known.lost, step.seq))
    return replace(known, corrections=(*known.corrections, correction))


def _renamed(before: ChangeStep[PaperT], said: PaperT, step: ChangeStep[ChangeCorrected]) -> ChangeStep[PaperT]:
    """Return a paper by its new words: of the time of its own record if that kept it, else of the correction's."""
    if before.is_kept_first:
        return replace(before, body=said)
    return replace(before, body=said, seq=step.seq, at=step.at)


def read_changes(ledger: LedgerReader, *, until: datetime | None = None) -> ChangeRegister:
    """Return the register as it was at a moment, or is now."""
    records: list[tuple[int, datetime, str, Body | None, tuple[Digest, ...]]] = []
    anywhere: list[int] = []
    """Corrections that cannot be read: they may have named other hosts."""
    for record in ledger.records(kinds=CHANGE_KINDS, until=until):
        key, body_type = KEYS[record.kind]
        body: Body | None = None
        evidence: tuple[Digest, ...] = ()
        try:
            data = ledger.blob(record.body)
            found = decode_part(data, key, body_type)
            if found is not None and _is_about(found, record.subject):
                body, evidence = found, tuple(sorted(one for one in evidence_of(data) if ledger.has_blob(one)))
        except PortalOpsError:
            body = None
        if body is None and record.kind == CORRECTED:
            anywhere.append(record.seq)
        records.append((record.seq, record.at, record.subject, body, evidence))
    register = fold_changes(records)
    return replace(register, lost=tuple(sorted({*register.lost, *anywhere})))


def _is_about(body: Body, name: str) -> bool:
    parts = (body.asked, body.notice, body.approval) if isinstance(body, ChangeCorrected) else ()
    return all(each.id == name for each in (body, *parts) if each is not None)


def overlapping(register: ChangeRegister, asked: ChangeRequest) -> tuple[RecordedChange, ...]:
    """Return the changes that are still open, of a host in common, in whose window another one falls; standing ones aside."""
    if asked.kind is ChangeKind.STANDING:
        return ()
    return tuple(
        each
        for each in register.changes.values()
        if each.id != asked.id
        and each.closed is None
        and each.kind is not ChangeKind.STANDING
        and set(each.request.body.hosts) & set(asked.hosts)
        and each.request.body.begins_at <= asked.ends_at
        and asked.begins_at <= each.request.body.ends_at
    )


# --- which moves a change permits ---------------------------------------------------------------


def refuse_notice(change: RecordedChange, notice: ChangeNotice) -> Message | None:
    """Say why a notice cannot be recorded now; None if it can."""
    if change.closed is not None:
        return _is(change)
    if change.notice is not None and change.notice.body == notice:
        return None  # the file is added
    if change.kind is not ChangeKind.EMERGENCY and change.state not in {ChangeState.REQUESTED, ChangeState.NOTIFIED}:
        return _is(change)
    return None


def refuse_approval(change: RecordedChange, approval: ChangeApproval) -> Message | None:
    """Say why an approval cannot be recorded now; None if it can."""
    if change.closed is not None:
        return _is(change)
    if change.notice is None:
        return msg("{id} was not notified to the Department yet", id=change.id)
    before = change.approval
    if before is not None and before.body == approval:
        return None  # the file is added
    if change.begun is not None and change.kind is not ChangeKind.EMERGENCY:
        if before is not None and (before.body.document, before.body.decided_on) == (
            approval.document,
            approval.decided_on,
        ):
            return msg(
                "{id} was approved in record {seq}, signed by {name}: to add a file, repeat exactly the same words",
                id=change.id,
                seq=before.seq,
                name=show_text(before.body.by),
            )
        return msg(
            "{id} began at {began}, so an approval of {day} cannot be for it",
            id=change.id,
            began=change.begun.body.began_at,
            day=approval.decided_on,
        )
    return None


def refuse_correction(change: RecordedChange, said: ChangeCorrected) -> Message | None:
    """Say why a correction cannot be recorded now; None if it can."""
    if change.closed is not None:
        return _is(change)
    if [said.asked, said.notice, said.approval].count(None) != len(("asked", "notice", "approval")) - 1:
        return msg("the request, its notice and its approval cannot be corrected in one record")
    if said.asked is not None:
        return _refuse_other_request(change, said.asked)
    paper = change.notice if said.notice is not None else change.approval
    if paper is None:
        return msg("{id} has no such paper on record", id=change.id)
    if paper.body in {said.notice, said.approval}:
        return _says_so(change, paper.seq)
    is_late = change.begun is not None and change.kind is not ChangeKind.EMERGENCY
    if is_late and not paper.is_kept_first:
        return msg(
            "record {seq} of {id} did not keep the paper itself, and the change has begun: it cannot be proven "
            "that this is the same paper",
            id=change.id,
            seq=paper.seq,
        )
    return None


def _refuse_other_request(change: RecordedChange, asked: ChangeRequest) -> Message | None:
    if asked.kind is not change.kind:
        return msg("the kind of {id} (normal, standing or emergency) cannot be changed", id=change.id)
    if asked == change.request.body:
        return _says_so(change, change.asked_seq)
    if change.kind is ChangeKind.STANDING and change.approval is not None:
        return msg(
            "{id} is in force since record {seq} and covers the work already done", id=change.id, seq=change.state_seq
        )
    if change.begun is not None and change.kind is not ChangeKind.EMERGENCY:
        return _is(change)
    return None


def _says_so(change: RecordedChange, seq: int) -> Message:
    return msg("{id} already states this (record {seq})", id=change.id, seq=seq)


def refuse_start(change: RecordedChange, began_at: datetime) -> Message | None:
    """Say why a change cannot be begun at a moment; None if it can."""
    if change.kind is ChangeKind.STANDING:
        return msg("{id} is a standing approval, which has no beginning", id=change.id)
    if change.closed is not None or change.begun is not None:
        return _is(change)
    if change.kind is ChangeKind.EMERGENCY:
        return None  # what is said of its window is marked, and never keeps anybody from recording what cannot wait
    if change.approval is None or change.notice is None:
        return _is(change)
    if max(change.approval.at, change.notice.at) > began_at:
        return msg(
            "{id} was approved by record {seq} at {approved}, after {began}",
            id=change.id,
            seq=change.approval.seq,
            approved=change.approval.at,
            began=began_at,
        )
    return refuse_outside_window(change, began_at)


def refuse_outside_window(change: RecordedChange, began_at: datetime) -> Message | None:
    """Say that a moment is outside of a change's window; None if it lies in it."""
    asked = change.request.body
    if not asked.begins_at <= began_at <= asked.ends_at:
        return msg(
            "{began} is outside the window of {id}, from {begins} to {ends}",
            id=change.id,
            began=began_at,
            begins=asked.begins_at,
            ends=asked.ends_at,
        )
    return None


def refuse_end(change: RecordedChange, ended_at: datetime) -> Message | None:
    """Say why a change cannot have ended at a moment; None if it can."""
    if change.state is not ChangeState.BEGUN or change.begun is None:
        return _is(change)
    if ended_at < change.begun.body.began_at:
        return msg(
            "{id} began at {began}, after {ended}", id=change.id, began=change.begun.body.began_at, ended=ended_at
        )
    return None


def refuse_close(change: RecordedChange, reason: str) -> Message | None:
    """Say why a change cannot be closed now; None if it can."""
    if change.state in {ChangeState.CLOSED, ChangeState.BEGUN}:
        return _is(change)
    if reason:
        return None
    if change.state is not ChangeState.DONE:
        return msg("{id} was not made: give the reason for closing it", id=change.id)
    if change.approval is None:
        return msg("{id} was made and not approved afterwards: give the reason for closing it", id=change.id)
    return None


def _is(change: RecordedChange) -> Message:
    states = {
        ChangeState.REQUESTED: msg("{id} is only requested (record {seq})", id=change.id, seq=change.state_seq),
        ChangeState.NOTIFIED: msg(
            "{id} is notified (record {seq}) but not approved", id=change.id, seq=change.state_seq
        ),
        ChangeState.APPROVED: msg("{id} is approved (record {seq})", id=change.id, seq=change.state_seq),
        ChangeState.BEGUN: msg("{id} has begun (record {seq}) but not ended", id=change.id, seq=change.state_seq),
        ChangeState.DONE: msg("{id} is done (record {seq})", id=change.id, seq=change.state_seq),
        ChangeState.CLOSED: msg("{id} is closed (record {seq})", id=change.id, seq=change.state_seq),
    }
    return states[change.state]
