"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Final

from commands.cli.result import JsonValue, Result
from commands.cli.session import Session
from commands.jobs.changes import LAST_RECORD
from portalops.errors import ExitCode
from portalops.model.changes import ChangeApproval, ChangeKind, ChangeNotice, ChangeRequest, ChangeState, StepOrder
from portalops.model.message import Message, Value, msg, nmsg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.changes import ChangeRegister, Correction, RecordedChange, overlapping
from portalops.reports.document import Block, Cell, Heading, KeyValues, Notice, Paragraph, TableBlock, Tone
from portalops.reports.words import change_kind_word, change_state_word, order_status

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
    "how": msg("By which way it was sent"),
    "to": msg("To whom"),
    "decided_on": msg("Date on the document"),
    "by": msg("Who signed it"),
}


def change_result(
    session: Session, change: RecordedChange, warnings: Sequence[Message], *, is_recorded: bool = True
) -> Result[JsonValue]:
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
    data: JsonValue = {**change_data(change, now), "recorded": is_recorded}
    return Result(data, blocks, warnings)


def overlaps(register: ChangeRegister, asked: ChangeRequest) -> tuple[Message, ...]:
    """Say with which open changes the window of one overlaps."""
    return tuple(
        msg(
            "the window overlaps with that of {id}, of {hosts}: what happens on these hosts then cannot be told apart;"
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


def change_data(change: RecordedChange, now: datetime) -> dict[str, JsonValue]:
    asked, notice, approval = change.request.body, change.notice, change.approval
    return {
        "id": change.id,
        "state": change.state.value,
        "state_record": change.state_seq or None,
        "kind": change.kind.value,
        "order": change.order().judged(now).value,
        "next": change.next_step,
        "what": asked.what,
        "why": asked.why,
        "hosts": list(asked.hosts),
        "begins_at": asked.begins_at.isoformat(),
        "ends_at": asked.ends_at.isoformat(),
        "rollback": asked.rollback,
        "requested_by": asked.requested_by,
        "packages": list(asked.packages),
        "accounts": list(asked.accounts),
        "requested": {"record": change.request.seq or None, "at": change.request.at.isoformat()},
        "notified": {
            "record": notice.seq or None,
            "at": notice.at.isoformat(),
            "document": notice.body.document,
            "sent_at": notice.body.sent_at.isoformat(),
            "how": notice.body.how,
            "to": notice.body.to,
            "evidence": list(notice.evidence),
        }
        if notice
        else None,
        "approved": {
            "record": approval.seq or None,
            "at": approval.at.isoformat(),
            "document": approval.body.document,
            "decided_on": approval.body.decided_on.isoformat(),
            "by": approval.body.by,
            "evidence": list(approval.evidence),
        }
        if approval
        else None,
        "begun": {
            "record": change.begun.seq or None,
            "at": change.begun.at.isoformat(),
            "began_at": change.begun.body.began_at.isoformat(),
            "by": change.begun.body.by,
        }
        if change.begun
        else None,
        "done": {
            "record": change.done.seq or None,
            "at": change.done.at.isoformat(),
            "ended_at": change.done.body.ended_at.isoformat(),
            "outcome": change.done.body.outcome,
            "rolled_back": change.done.body.rolled_back,
        }
        if change.done
        else None,
        "closed": {
            "record": change.closed.seq or None,
            "at": change.closed.at.isoformat(),
            "reason": change.closed.body.reason or None,
            "by": change.closed.body.by,
        }
        if change.closed
        else None,
        "corrections": [
            {
                "record": each.step.seq or None,
                "at": each.step.at.isoformat(),
                "by": each.step.body.by,
                "reason": each.step.body.reason,
                "changed": [str(said) for said in differences(each)],
                "voided": [gone.seq for gone in each.voided],
            }
            for each in change.corrections
        ],
        "unreadable": list(change.lost),
    }
