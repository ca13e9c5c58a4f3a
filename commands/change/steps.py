"""What the verbs of this noun do alike."""

from __future__ import annotations

from collections.abc import Callable

from commands.change.views import RecordedChangeShape, change_result
from commands.cli.result import Result
from commands.cli.session import Session
from commands.jobs.changes import known_change
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.model.changes import (
    ChangeApproval,
    ChangeBegun,
    ChangeClosed,
    ChangeDone,
    ChangeKind,
    ChangeNotice,
    ChangeState,
)
from portalops.model.message import Message, msg
from portalops.registers.changes import (
    APPROVED,
    BEGUN,
    CORRECTED,
    DONE,
    KEYS,
    NOTIFIED,
    Body,
    RecordedChange,
    read_changes,
    refuse_outside_window,
    taken,
)


def step(
    session: Session,
    kind: str,
    name: str,
    made: Callable[[RecordedChange], Body],
    *,
    data: bytes | None = None,
    dry_run: bool,
) -> Result[RecordedChangeShape]:
    """Record a step of a change, decided as that stands while nobody else can write.

    Args:
        session: the one that runs.
        kind: of the record.
        name: the change's id.
        made: makes the record's body of the change as it stands, or raises.
        data: a document that is to be kept.
        dry_run: record nothing.

    Raises:
        UsageError: there is no such change, or it does not permit the step.
    """
    if dry_run:
        known = known_change(read_changes(session.reader), name)
        body = made(known)
        after = taken(known, 0, session.clock.now(), body, ())
        return change_result(
            session, after, _remarks(session, known, after, kind, has_file=data is not None), is_recorded=False
        )
    ledger = session.writable_ledger
    evidence = () if data is None else (ledger.keep(data),)
    decided: list[tuple[RecordedChange, Body]] = []

    def decide() -> tuple[Draft]:
        known = known_change(read_changes(ledger), name)
        body = made(known)
        decided.append((known, body))
        parts = {"circumstances": session.circumstances, KEYS[kind][0]: body, "evidence": evidence}
        duty = "12.2-notice" if kind == NOTIFIED else "12.2-approval"
        return (ledger.draft(kind, subject=name, duty=duty, body=ledger.keep(bodies.write(parts))),)

    (record,) = ledger.append_decided(decide)
    known, body = decided[-1]
    after = taken(known, record.seq, record.at, body, evidence)
    return change_result(session, after, _remarks(session, known, after, kind, has_file=data is not None))


def permitted(body: Body, why_not: Callable[[RecordedChange], Message | None]) -> Callable[[RecordedChange], Body]:
    """Return what makes a step of a body where the change permits it, and says otherwise why it does not."""

    def made(known: RecordedChange) -> Body:
        if (why := why_not(known)) is not None:
            raise UsageError(why, _hint(known, body))
        return body

    return made


def _hint(known: RecordedChange, body: Body) -> Message:
    """Return what somebody does next whose step is refused."""
    if isinstance(body, ChangeDone) and known.state is ChangeState.BEGUN:
        return msg("Give when it ended by --at.")
    if isinstance(body, ChangeClosed) and known.state not in {ChangeState.BEGUN, ChangeState.CLOSED}:
        return _suggest_close(known)
    if isinstance(body, ChangeBegun) and known.state is ChangeState.APPROVED:
        return msg(
            "Wait for its window, or move the window by 'portalops change correct {id}' and have it notified and"
            " approved anew.",
            id=known.id,
        )
    if known.next_step in {None, "close"}:
        return msg("'portalops change show {id}' shows its state and the record behind it.", id=known.id)
    return msg(
        "Next is 'portalops change {verb} {id}'; 'portalops change show {id}' shows the records.",
        verb=known.next_step or "",
        id=known.id,
    )


def _suggest_close(known: RecordedChange) -> Message:
    if known.next_step in {None, "close"}:
        return msg("Give the reason: 'portalops change close {id} --reason TEXT'.", id=known.id)
    return msg(
        "Next is 'portalops change {verb} {id}'; or end it here by 'portalops change close {id} --reason TEXT'.",
        verb=known.next_step or "",
        id=known.id,
    )


def _remarks(
    session: Session, before: RecordedChange, after: RecordedChange, kind: str, *, has_file: bool
) -> tuple[Message, ...]:
    """Say what of a step somebody must know who takes it, though it is permitted."""
    found: list[Message] = []
    if kind == NOTIFIED and after.notice is not None and not after.notice.evidence and not has_file:
        found.append(msg("the letter itself is not kept: the duty 12.2-notice is unknown until --file adds it"))
    if kind == APPROVED and after.approval is not None:
        if not after.approval.evidence and not has_file:
            found.append(msg("the decision itself is not kept: the check change.order is unknown until --file adds it"))
        if after.notice is not None and {*after.notice.evidence} & {*after.approval.evidence}:
            found.append(
                msg(
                    "this is the same file as the letter of record {seq}: add the decision itself by --file",
                    seq=str(after.notice.seq),
                )
            )
        if after.notice is not None and _is_before(session, after.approval.body, after.notice.body):
            found.append(
                msg(
                    "the decision bears {day}, before the letter went out at {sent}: make sure that it is about this"
                    " change",
                    day=after.approval.body.decided_on,
                    sent=after.notice.body.sent_at,
                )
            )
        if after.begun is not None and after.approval.at > after.begun.body.began_at:
            found.append(
                msg(
                    "{id} was begun at {began}, before this approval: lists and reports show it as regularised"
                    " afterwards",
                    id=after.id,
                    began=after.begun.body.began_at,
                )
            )
        elif after.kind is not ChangeKind.STANDING and after.approval.at > after.request.body.begins_at:
            found.append(
                msg(
                    "the window of {id} is open since {begins}: work before this approval does not fall under it",
                    id=after.id,
                    begins=after.request.body.begins_at,
                )
            )
    if kind == CORRECTED:
        found += _corrected(before, after)
    if kind == BEGUN and before.approval is None:
        found.append(msg("{id} is begun without approval: have it notified and approved, and record both", id=after.id))
    if (
        kind == BEGUN
        and after.begun is not None
        and (outside := refuse_outside_window(after, after.begun.body.began_at))
    ):
        found.append(
            msg(
                "{outside}: work outside the window falls under no approval; 'portalops change correct {id}'"
                " corrects the window",
                outside=outside,
                id=after.id,
            )
        )
    if kind == DONE and after.done is not None and after.done.body.ended_at > after.request.body.ends_at:
        found.append(
            msg(
                "{id} ended at {ended}, after its window's end at {ends}",
                id=after.id,
                ended=after.done.body.ended_at,
                ends=after.request.body.ends_at,
            )
        )
    return tuple(found)


def _is_before(session: Session, approval: ChangeApproval, notice: ChangeNotice) -> bool:
    return approval.decided_on < notice.sent_at.astimezone(session.zone_of_portal).date()


def _corrected(before: RecordedChange, after: RecordedChange) -> list[Message]:
    """Say what a correction takes away."""
    gone = after.corrections[-1].voided
    if len(gone) > 1:
        return [
            msg(
                "notice (record {notice}) and approval (record {approval}) no longer count, since the request"
                " differs: record both anew by 'portalops change notify {id}' and 'portalops change approve {id}'",
                notice=str(gone[0].seq),
                approval=str(gone[1].seq),
                id=after.id,
            )
        ]
    if gone:
        return [
            msg(
                "the notice (record {notice}) no longer counts, since the request differs: record it anew by"
                " 'portalops change notify {id}'",
                notice=str(gone[0].seq),
                id=after.id,
            )
        ]
    moved = [
        each
        for was, each in ((before.notice, after.notice), (before.approval, after.approval))
        if was is not None and each is not None and was.at != each.at
    ]
    return [
        msg(
            "the paper was not kept at first, so it counts from this record on, of {at}: keep papers by --file",
            at=each.at,
        )
        for each in moved
    ]
