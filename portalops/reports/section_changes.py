"""The changes of a period: whether each was notified and approved first, and the record and document behind each step. Pure.

The register is the one that the duties are judged from: what was recorded of a change after the period says so itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from portalops.model.changes import ChangeKind, StepOrder
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.changes import BodyT, ChangeRegister, ChangeStep, RecordedChange
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import change_kind_word, change_state_word, order_status, severity_status

SEQS_SHOWN = 6
TEXT_LETTERS = 200
STEPS_SHOWN = 120
"""Of all changes together: about six printed pages."""
OF_CHANGES = "change."
"""What the ids of checks begin with that look for changes on hosts."""
_WORST_FIRST = (StepOrder.EVIDENCE_FIRST, StepOrder.UNPROVEN, StepOrder.REGULARISED, StepOrder.AHEAD, StepOrder.KEPT)


def change_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the changes of the period with their steps and documents, what was approved for all times, and what none covers."""
    yield from register_blocks(evidence)
    yield from _found_on_hosts(evidence)


def register_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the same without what checks found on hosts."""
    register = evidence.changes
    if register is None or not register.is_begun:
        yield Paragraph(msg("Nothing is recorded in the register of changes; that shows nothing of the period."))
    else:
        yield from _registered(register, evidence)


def changes_of(evidence: Evidence) -> tuple[RecordedChange, ...]:
    """Return the changes of the period, in the order of requests."""
    if evidence.changes is None:
        return ()
    start, end = evidence.period.bounds(evidence.zone)
    return tuple(each for each in evidence.changes.changes.values() if is_of(each, start, end, min(evidence.now, end)))


def _registered(register: ChangeRegister, evidence: Evidence) -> Iterator[Block]:
    lost = sorted({*register.lost, *(seq for each in register.changes.values() for seq in each.lost)})
    if lost:
        seqs = ", ".join(map(str, lost[:SEQS_SHOWN]))
        yield Notice(msg("Records of changes that cannot be read: {seqs}.", seqs=seqs), Tone.BAD)
    end = evidence.period.bounds(evidence.zone)[1]
    as_of = min(evidence.now, end)
    shown = list(changes_of(evidence))
    if not shown:
        yield Paragraph(msg("No change of the period is in the register."))
        return
    shown.sort(key=lambda each: _WORST_FIRST.index(each.order().judged(as_of)))  # stable: else in the order of requests
    headers = (
        msg("Change"), msg("What is changed"), msg("Hosts"), msg("Kind"), msg("From"), msg("To"), msg("State"), msg("Order"),
    )  # fmt: skip
    caption = msg("Changes of the period, those that did not keep to the order first (Article 12.2)")
    yield from bounded(TableBlock(caption, headers, [_row(each, as_of, end) for each in shown]))
    yield from bounded(_every_step(shown, end), STEPS_SHOWN)
    standing = [each for each in shown if each.kind is ChangeKind.STANDING]
    if standing:
        yield from bounded(_standing(standing))


def _every_step(shown: Sequence[RecordedChange], end: datetime) -> TableBlock:
    headers = (
        msg("Change"), msg("Step"), msg("Details"), msg("Document"), msg("SHA-256"), msg("Record"),
        msg("Recorded at"),
    )  # fmt: skip
    rows = [row for each in shown for row in _steps(each, end)]
    return TableBlock(msg("Each step of them, with its record and the digest of its document"), headers, rows)


def _standing(standing: Sequence[RecordedChange]) -> TableBlock:
    headers = (
        msg("Change"), msg("What is changed"), msg("Hosts"), msg("Packages"), msg("Allowed accounts"), msg("Until"), msg("Approval"),
    )  # fmt: skip
    return TableBlock(
        msg("Standing approvals, and what each is limited to"), headers, [_limits(one) for one in standing]
    )


def is_of(change: RecordedChange, start: datetime, end: datetime, as_of: datetime) -> bool:
    """Say whether a change was asked for before the end of a time and still open or due in it, or showed in it.

    Args:
        change: the change.
        start: of the time, included.
        end: of the time, excluded.
        as_of: the moment by which a change shows; no later than the end.
    """
    if any(start <= shown < end for shown in change.shown_at(as_of)):
        return True
    if change.request.at >= end or (change.closed is not None and change.closed.at < start):
        return False
    return change.kind is not ChangeKind.STANDING or change.request.body.ends_at >= start


def _row(change: RecordedChange, as_of: datetime, end: datetime) -> tuple[Cell, ...]:
    asked = change.request.body
    steps = (change.closed, change.done, change.begun, change.approval, change.notice, change.request)
    state = change_state_word(change.state)
    is_later = next(step.at for step in steps if step is not None) >= end
    return (
        change.id,
        show_text(asked.what, TEXT_LETTERS),
        show_text(", ".join(asked.hosts), TEXT_LETTERS),
        change_kind_word(change.kind),
        asked.begins_at,
        asked.ends_at,
        msg("{at}, after the period", at=state) if is_later else state,
        order_status(change.order().judged(as_of)),
    )


def _steps(change: RecordedChange, end: datetime) -> Iterator[tuple[Cell, ...]]:
    """Yield each step in the order in which they were recorded."""
    rows: list[tuple[int, tuple[Cell, ...]]] = []

    def step(word: Message, of: ChangeStep[BodyT], said: Message, *, named: str = "") -> None:
        digest: Cell = ", ".join(of.evidence) or None
        if named and digest is None:
            digest = Status(msg("the paper is not kept"), Tone.UNSURE)
        when: Cell = of.at if of.at < end else msg("{at}, after the period", at=of.at)
        rows.append((of.seq, (change.id, word, said, show_text(named) or None, digest, of.seq, when)))

    asked = change.request
    step(msg("requested"), asked, msg("by {name}", name=show_text(asked.body.requested_by)))
    if (notice := change.notice) is not None:
        said = msg("to {to}, sent at {sent}", to=show_text(notice.body.to), sent=notice.body.sent_at)
        step(msg("notified"), notice, said, named=notice.body.document)
    if (approval := change.approval) is not None:
        said = msg("decided on {day}, by {name}", day=approval.body.decided_on, name=show_text(approval.body.by))
        step(msg("approved"), approval, said, named=approval.body.document)
    if (begun := change.begun) is not None:
        step(msg("begun"), begun, msg("at {at} by {name}", at=begun.body.began_at, name=show_text(begun.body.by)))
    if (done := change.done) is not None:
        outcome = show_text(done.body.outcome, TEXT_LETTERS)
        said = msg("at {at}: {outcome}", at=done.body.ended_at, outcome=outcome)
        if done.body.rolled_back:
            said = msg("at {at}, and undone: {outcome}", at=done.body.ended_at, outcome=outcome)
        step(msg("done"), done, said)
    if (closed := change.closed) is not None:
        said = msg("by {name}", name=show_text(closed.body.by))
        if closed.body.reason:
            reason = show_text(closed.body.reason, TEXT_LETTERS)
            said = msg("by {name}: {reason}", name=show_text(closed.body.by), reason=reason)
        step(msg("closed"), closed, said)
    yield from (row for _, row in sorted(rows, key=lambda each: each[0]))


def _limits(change: RecordedChange) -> tuple[Cell, ...]:
    asked, approval = change.request.body, change.approval
    until: Cell = asked.ends_at
    if change.closed is not None and change.closed.at < asked.ends_at:
        until = msg("{at}, closed early", at=change.closed.at)
    return (
        change.id,
        show_text(asked.what, TEXT_LETTERS),
        show_text(", ".join(asked.hosts), TEXT_LETTERS),
        show_text(", ".join(asked.packages)),
        show_text(", ".join(asked.accounts)) or msg("anyone"),
        until,
        msg("{document}, record {seq}", document=show_text(approval.body.document), seq=approval.seq)
        if approval
        else Status(msg("not approved"), Tone.UNSURE),
    )


def _found_on_hosts(evidence: Evidence) -> Iterator[Block]:
    """Yield what checks saw changed on hosts, as far as it was open at the period's end."""
    found = [each for each in evidence.findings if each.is_open and each.check.startswith(OF_CHANGES)]
    if not found:
        return
    found.sort(key=lambda each: (each.opened_at, each.host, each.check))
    headers = (
        msg("Check"), msg("Host"), msg("Severity"), msg("What was seen"), msg("Open since"), msg("Last seen"),
        msg("Records"),
    )  # fmt: skip
    rows = [
        (each.check, each.host, severity_status(each.severity).word, each.message, each.opened_at, each.last_seen_at,
         ", ".join(str(event.seq) for event in each.events[-SEQS_SHOWN:]))
        for each in found
    ]  # fmt: skip
    yield from bounded(
        TableBlock(msg("Seen changed on hosts without an approval, and still open, oldest first"), headers, rows)
    )
