"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Final

from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.shapes import ShownMessage, shape, widened
from commands.jobs.changes import LAST_RECORD
from portalops.errors import ExitCode
from portalops.model.changes import ChangeApproval, ChangeKind, ChangeNotice, ChangeRequest, ChangeState, StepOrder
from portalops.model.message import Message, Value, msg, nmsg
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.changes import ChangeRegister, Correction, RecordedChange, overlapping
from portalops.reports.document import Block, Cell, Heading, KeyValues, Notice, Paragraph, TableBlock, Tone
from portalops.reports.words import change_kind_word, change_state_word, order_status


@shape
class RequestedShape:
    """The record of the request."""

    record: int | None
    """Null here and elsewhere: of a dry run."""
    at: datetime


@shape
class NotifiedShape(RequestedShape):
    """The record of the notice."""

    document: str
    sent_at: datetime
    how: str
    to: str
    evidence: tuple[Digest, ...]


@shape
class ApprovedShape(RequestedShape):
    """The record of the approval."""

    document: str
    decided_on: date
    by: str
    evidence: tuple[Digest, ...]


@shape
class BegunShape(RequestedShape):
    """The record of the beginning."""

    began_at: datetime
    by: str


@shape
class DoneShape(RequestedShape):
    """The record of the end of the work."""

    ended_at: datetime
    outcome: str
    rolled_back: bool


@shape
class ClosedShape(RequestedShape):
    """The record of the closing."""

    reason: str | None
    by: str


@shape
class CorrectionShape(RequestedShape):
    """The record of a correction."""

    by: str
    reason: str
    changed: tuple[ShownMessage, ...]
    """What was replaced by what."""
    voided: tuple[int, ...]
    """The records of notices and approvals that count no more."""


@shape
class ChangeShape:
    """One change, as the register has it."""

    id: str
    state: ChangeState
    state_record: int | None
    kind: ChangeKind
    order: StepOrder
    """Whether it was notified and approved before it was begun."""
    next: str | None
    """The verb of the next step."""
    what: str
    why: str
    hosts: tuple[HostId, ...]
    begins_at: datetime
    ends_at: datetime
    rollback: str
    requested_by: str
    packages: tuple[str, ...]
    """Of a standing approval; `*` stands for any letters."""
    accounts: tuple[str, ...]
    """Of a standing approval: who may make the change; empty for anyone."""
    requested: RequestedShape
    notified: NotifiedShape | None
    approved: ApprovedShape | None
    begun: BegunShape | None
    done: DoneShape | None
    closed: ClosedShape | None
    corrections: tuple[CorrectionShape, ...]
    unreadable: tuple[int, ...]
    """Records of it that cannot be read."""


@shape
class RecordedChangeShape(ChangeShape):
    """A change that was shown, or after a step."""

    recorded: bool
    """False of a dry run: the step was not recorded."""


_FIELDS: Final[Mapping[str, Message]] = {
    "what": msg("What is changed"),
    "why": msg("Why"),
    "hosts": msg("Hosts"),
    "begins_at": msg("From"),
    "ends_at": msg("To"),
    "rollback": msg("How it is undone"),
    "packages": msg("Packages"),
    "accounts": msg("Who may do it"),
    "document": msg("Document"),
    "sent_at": msg("Sent at"),
    "how": msg("How it was sent"),
    "to": msg("To whom"),
    "decided_on": msg("Date on the document"),
    "by": msg("Who signed it"),
}


def change_result(
    session: Session, change: RecordedChange, warnings: Sequence[Message], *, is_recorded: bool = True
) -> Result[RecordedChangeShape]:
    """Show one change, as it is or as it would be."""
    now = session.clock.now()
    asked = change.request.body
    rows: list[tuple[Message, Cell]] = [
        (msg("State"), change_state_word(change.state)),
        (msg("Order"), order_status(change.order().judged(now))),
        (msg("Kind"), change_kind_word(change.kind)),
        (msg("What is changed"), show_text(asked.what, 1000)),
        (msg("Why"), show_text(asked.why, 1000)),
        (msg("Hosts"), ", ".join(asked.hosts)),
        (msg("From"), asked.begins_at),
        (msg("To"), asked.ends_at),
        (msg("How it is undone"), show_text(asked.rollback, 1000)),
    ]
    if change.kind is ChangeKind.STANDING:
        rows += [
            (msg("Packages"), ", ".join(asked.packages)),
            (msg("Who may do it"), ", ".join(asked.accounts) or msg("anyone")),
        ]
    if change.next_step is not None:
        following = msg("'portalops change {verb} {id}'", verb=change.next_step, id=change.id)
        if change.next_step == "close":  # which ends what falls under it
            following = msg("'portalops check run', then 'portalops change close {id}'", id=change.id)
        rows.append((msg("Next"), following))
    blocks: list[Block] = [Heading(2, msg("{id}", id=change.id)), KeyValues(rows), _steps(change)]
    if change.lost:
        blocks.append(unread_notice(change.lost))
    if not is_recorded:
        blocks.append(Paragraph(msg("nothing was recorded: this was a dry run")))
    return Result(widened(RecordedChangeShape, change_data(change, now), recorded=is_recorded), blocks, warnings)


def overlaps(register: ChangeRegister, asked: ChangeRequest) -> tuple[Message, ...]:
    """Say with which open changes the window of one overlaps."""
    return tuple(
        msg(
            "the window overlaps with that of {id} on {hosts}, so drift there cannot be attributed to either:"
            " 'portalops change correct' moves a window",
            id=each.id,
            hosts=", ".join(host for host in each.request.body.hosts if host in asked.hosts),
        )
        for each in overlapping(register, asked)
    )


def _steps(change: RecordedChange) -> TableBlock:
    """Return each step with the record that made it, and what each correction replaced."""
    rows: list[tuple[int, tuple[Cell, ...]]] = []

    def step(word: Cell, seq: int, at: datetime, said: Message, kept: Sequence[Digest] = ()) -> None:
        rows.append((seq or LAST_RECORD, (word, at, seq or None, said, ", ".join(kept) or None)))

    asked = change.request
    step(
        change_state_word(ChangeState.REQUESTED),
        asked.seq,
        asked.at,
        msg("by {name}", name=show_text(asked.body.requested_by)),
    )
    for each in change.corrections:
        made = each.step
        why = msg("by {name}: {reason}", name=show_text(made.body.by), reason=show_text(made.body.reason, 1000))
        step(msg("corrected"), made.seq, made.at, why)
        rows += [(made.seq or LAST_RECORD, (None, None, None, said, None)) for said in differences(each)]
        for gone in each.voided:
            word = change_state_word(
                ChangeState.NOTIFIED if isinstance(gone.body, ChangeNotice) else ChangeState.APPROVED
            )
            said = msg("{paper}; void since record {seq}", paper=_paper(gone.body), seq=str(made.seq or "?"))
            step(word, gone.seq, gone.at, said, gone.evidence)
    for old, seq in change.replaced:
        word = change_state_word(ChangeState.NOTIFIED if isinstance(old.body, ChangeNotice) else ChangeState.APPROVED)
        said = msg("{paper}; replaced by record {seq}", paper=_paper(old.body), seq=str(seq or "?"))
        step(word, old.seq, old.at, said, old.evidence)
    if (notice := change.notice) is not None:
        step(change_state_word(ChangeState.NOTIFIED), notice.seq, notice.at, _paper(notice.body), notice.evidence)
    if (approval := change.approval) is not None:
        step(
            change_state_word(ChangeState.APPROVED),
            approval.seq,
            approval.at,
            _paper(approval.body),
            approval.evidence,
        )
    if (begun := change.begun) is not None:
        said = msg("at {at} by {name}", at=begun.body.began_at, name=show_text(begun.body.by))
        step(change_state_word(ChangeState.BEGUN), begun.seq, begun.at, said)
    if (done := change.done) is not None:
        said = msg("at {at}: {outcome}", at=done.body.ended_at, outcome=show_text(done.body.outcome, 1000))
        if done.body.rolled_back:
            said = msg(
                "at {at}, and undone: {outcome}", at=done.body.ended_at, outcome=show_text(done.body.outcome, 1000)
            )
        step(change_state_word(ChangeState.DONE), done.seq, done.at, said)
    if (closed := change.closed) is not None:
        said = msg("by {name}", name=show_text(closed.body.by))
        if closed.body.reason:
            said = msg(
                "by {name}: {reason}", name=show_text(closed.body.by), reason=show_text(closed.body.reason, 1000)
            )
        step(change_state_word(ChangeState.CLOSED), closed.seq, closed.at, said)
    rows.sort(key=lambda row: row[0])
    headers = (msg("Step"), msg("Recorded at"), msg("Record"), msg("Content"), msg("Digest of the document"))
    return TableBlock(msg("Steps"), headers, [row for _seq, row in rows])


def _paper(body: ChangeNotice | ChangeApproval) -> Message:
    if isinstance(body, ChangeNotice):
        return msg(
            "{document} to {to}, sent at {sent} by {how}",
            document=show_text(body.document),
            to=show_text(body.to),
            sent=body.sent_at,
            how=show_text(body.how),
        )
    return msg(
        "{document} of {day}, by {name}",
        document=show_text(body.document),
        day=body.decided_on,
        name=show_text(body.by),
    )


def differences(correction: Correction) -> tuple[Message, ...]:
    """Say what a correction replaced by what."""
    said = correction.step.body
    before, after = correction.before, said.asked or said.notice or said.approval
    found: list[Message] = []
    for each in fields(before):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if old != new and each.name in _FIELDS:
            found.append(
                msg("{name}: {new}, before: {old}", name=_FIELDS[each.name], new=_describe(new), old=_describe(old))
            )
    return tuple(found)


def _describe(value: object) -> Value:
    if isinstance(value, (datetime, date)):
        return value
    return show_text(", ".join(value) if isinstance(value, tuple) else str(value), 300)


def unread_notice(seqs: Sequence[int]) -> Notice:
    listed = ", ".join(str(seq) for seq in seqs[:10])
    return Notice(
        nmsg(
            "{n} record of changes cannot be read: {seqs}",
            "{n} records of changes cannot be read: {seqs}",
            len(seqs),
            seqs=listed,
        ),
        Tone.UNSURE,
    )


def list_exit_code(changes: Sequence[RecordedChange], now: datetime, *, is_whole: bool) -> ExitCode:
    orders = {each.order().judged(now) for each in changes}
    if StepOrder.EVIDENCE_FIRST in orders:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if StepOrder.UNPROVEN in orders or not is_whole else ExitCode.OK


def change_data(change: RecordedChange, now: datetime) -> ChangeShape:
    """Return one change for programs."""
    asked, notice, approval = change.request.body, change.notice, change.approval
    begun, done, closed = change.begun, change.done, change.closed
    return ChangeShape(
        id=change.id,
        state=change.state,
        state_record=change.state_seq or None,
        kind=change.kind,
        order=change.order().judged(now),
        next=change.next_step,
        what=asked.what,
        why=asked.why,
        hosts=asked.hosts,
        begins_at=asked.begins_at,
        ends_at=asked.ends_at,
        rollback=asked.rollback,
        requested_by=asked.requested_by,
        packages=asked.packages,
        accounts=asked.accounts,
        requested=RequestedShape(change.request.seq or None, change.request.at),
        notified=NotifiedShape(
            record=notice.seq or None,
            at=notice.at,
            document=notice.body.document,
            sent_at=notice.body.sent_at,
            how=notice.body.how,
            to=notice.body.to,
            evidence=notice.evidence,
        )
        if notice
        else None,
        approved=ApprovedShape(
            record=approval.seq or None,
            at=approval.at,
            document=approval.body.document,
            decided_on=approval.body.decided_on,
            by=approval.body.by,
            evidence=approval.evidence,
        )
        if approval
        else None,
        begun=BegunShape(begun.seq or None, begun.at, begun.body.began_at, begun.body.by) if begun else None,
        done=DoneShape(done.seq or None, done.at, done.body.ended_at, done.body.outcome, done.body.rolled_back)
        if done
        else None,
        closed=ClosedShape(closed.seq or None, closed.at, closed.body.reason or None, closed.body.by)
        if closed
        else None,
        corrections=tuple(
            CorrectionShape(
                record=each.step.seq or None,
                at=each.step.at,
                by=each.step.body.by,
                reason=each.step.body.reason,
                changed=tuple(ShownMessage.of(said) for said in differences(each)),
                voided=tuple(gone.seq for gone in each.voided),
            )
            for each in change.corrections
        ),
        unreadable=change.lost,
    )
