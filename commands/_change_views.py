"""`portalops change list` and `show`: how each change stands, and which record made it so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Annotated, Final

import typer

from commands._result import JsonValue, Result
from commands._servers import known_host
from commands._session import Session, open_session
from portalops.errors import ExitCode, LedgerMissing, UsageError
from portalops.locale import _
from portalops.model.changes import ChangeApproval, ChangeKind, ChangeNotice, ChangeRequest, ChangeState, Order
from portalops.model.message import Message, Value, msg, nmsg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.changes import Change, ChangeRegister, Correction, overlapping, read_changes
from portalops.reports.document import Block, Cell, Heading, KeyValues, Notice, Paragraph, Table, Tone
from portalops.reports.words import change_kind_word, change_state_word, order_status

HELP_LIST = _(
    "List the changes: how each stands, and whether it was approved before it was begun\n\nThose that are closed only with --all."
    "\n\nExample: portalops change list --host web1"
    "\n\nEXIT STATUS: 0 every change is in order, 1 one was begun before it was approved, or its window is open without approval,"
    " 2 there is no such host, 3 a decision is not kept, or a record cannot be read"
)
HELP_SHOW = _(
    "Show a change: each step, with the record that made it and the digest of its document\n\nExample: portalops change show"
    " CH-2026-001\n\nEXIT STATUS: 0 it is in order, 1 it was begun before it was approved, or its window is open without approval,"
    " 2 there is no such change, 3 the decision is not kept, or a record cannot be read"
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help=_("The change's id, such as CH-2026-001"))]
SHOWN_LETTERS = 60
_LAST = 1 << 62
"""Where a record that is not made yet stands among the others."""
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


def list_(
    ctx: typer.Context,
    *,
    host: Annotated[str | None, typer.Option("--host", metavar="ID", help=_("Only of this host"))] = None,
    every: Annotated[bool, typer.Option("--all", help=_("Also those that are closed"))] = False,
) -> Result:
    session = open_session(ctx)
    register = register_of(session)
    chosen = tuple(register.changes.values()) if host is None else register.of_host(known_host(session, host).id)
    shown = [each for each in chosen if every or each.closed is None]
    now = session.clock.now()
    headers = (
        msg("Change"),
        msg("State"),
        msg("Kind"),
        msg("What is changed"),
        msg("Hosts"),
        msg("From"),
        msg("To"),
        msg("Order"),
    )
    rows = [
        (
            each.id,
            change_state_word(each.state),
            change_kind_word(each.kind),
            show_text(each.request.body.what, SHOWN_LETTERS),
            ", ".join(each.request.body.hosts),
            each.request.body.begins_at,
            each.request.body.ends_at,
            order_status(each.order().judged(now)),
        )
        for each in shown
    ]
    view: list[Block] = [Table(nmsg("{n} change", "{n} changes", len(rows)), headers, rows)]
    if not register.is_begun:
        view = [Paragraph(msg("There is no change yet: 'portalops change request' asks for one"))]
    lost = sorted({*register.lost, *(seq for each in chosen for seq in each.lost)})
    if lost:
        view.append(_unread(lost))
    data: list[JsonValue] = [_data(each, now) for each in shown]
    wrong = [each for each in chosen if each not in shown and _code([each], now, is_whole=True) is not ExitCode.OK]
    warnings: list[Message] = []
    if wrong:  # the exit status is theirs too
        warnings.append(
            nmsg(
                "{n} closed change is not in order: --all lists it",
                "{n} closed changes are not in order: --all lists them",
                len(wrong),
            )
        )
    return Result(data, view, warnings, exit_code=_code(chosen, now, is_whole=not lost))


def show(ctx: typer.Context, change: IdArgument) -> Result:
    session = open_session(ctx)
    register = register_of(session)
    known = known_change(register, change)
    warnings = () if known.closed is not None else overlaps(register, known.request.body)
    result = change_result(session, known, warnings)
    code = _code([known], session.clock.now(), is_whole=not known.lost)
    return Result(result.data, result.view, result.warnings, exit_code=code)


def register_of(session: Session) -> ChangeRegister:
    """Return the register of changes; an empty one before there is a ledger."""
    try:
        return read_changes(session.ledger)
    except LedgerMissing:
        return ChangeRegister({})


def known_change(register: ChangeRegister, name: str) -> Change:
    """Return a change.

    Raises:
        UsageError: there is none of this id.
    """
    if (found := register.changes.get(name)) is not None:
        return found
    raise UsageError(
        msg("there is no change {id}", id=show_text(name, 60)), msg("'portalops change list --all' lists them.")
    )


def change_result(session: Session, change: Change, warnings: Sequence[Message], *, is_recorded: bool = True) -> Result:
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
        blocks.append(_unread(change.lost))
    if not is_recorded:
        blocks.append(Paragraph(msg("nothing was recorded: this was a dry run")))
    data: JsonValue = {**_data(change, now), "recorded": is_recorded}
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


def _steps(change: Change) -> Table:
    """Return each step with the record that made it, and what each correction replaced."""
    rows: list[tuple[int, tuple[Cell, ...]]] = []

    def step(word: Cell, seq: int, at: datetime, said: Message, kept: Sequence[Digest] = ()) -> None:
        rows.append((seq or _LAST, (word, at, seq or None, said, ", ".join(kept) or None)))

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
        rows += [(made.seq or _LAST, (None, None, None, said, None)) for said in differences(each)]
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
    return Table(msg("Steps"), headers, [row for _seq, row in rows])


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
            found.append(msg("{name}: {new}, before: {old}", name=_FIELDS[each.name], new=_said(new), old=_said(old)))
    return tuple(found)


def _said(value: object) -> Value:
    if isinstance(value, (datetime, date)):
        return value
    return show_text(", ".join(value) if isinstance(value, tuple) else str(value), 300)


def _unread(seqs: Sequence[int]) -> Notice:
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


def _code(changes: Sequence[Change], now: datetime, *, is_whole: bool) -> ExitCode:
    orders = {each.order().judged(now) for each in changes}
    if Order.EVIDENCE_FIRST in orders:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if Order.UNPROVEN in orders or not is_whole else ExitCode.OK


def _data(change: Change, now: datetime) -> dict[str, JsonValue]:
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
