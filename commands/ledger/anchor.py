"""Send the newest head to the anchors

Signs the ledger as it is now, and sends the head to every [[ledger.anchor]] that lacks it, or to those that are
named. A witness fetches heads by itself; --receipt imports its receipt.

Example: portalops ledger anchor; portalops ledger anchor s3-archive; portalops ledger anchor --receipt
so-tttt.receipt

EXIT STATUS: 0 every anchor has the head, 3 some have it, 4 none has it or there is no signing key, 5 an anchor or a
witness holds another history
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.kinds.anchor import anchor_newest_head, anchors_of, any_work, parts_of
from commands.jobs.runner import perform_now
from commands.jobs.validity import require_valid
from commands.ledger.views import ReceiptShape, receipt_data
from portalops.anchors.witness import WitnessAnchor
from portalops.errors import HeadRefused, IntegrityError, LedgerMissing, UsageError
from portalops.ledger.heads import HEAD, code_of, head_digest, newest_head, read_head
from portalops.ledger.ledger import Ledger
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.heads import AnchorId, AnchorReceipt, AnchorResult
from portalops.model.message import Message, msg, nmsg
from portalops.model.record import Recorded
from portalops.model.runs import JobKind
from portalops.model.verdicts import RunOutcome
from portalops.ports import Anchor
from portalops.registers.anchors import ANCHOR_RECEIVED, RECEIPT, newest_taken, read_receipts
from portalops.reports.document import Block, Cell, KeyValues, Notice, Paragraph, Status, TableBlock, Tone
from portalops.witness.receipts import MAX_RECEIPT_BYTES, SignedReceipt, parse_receipt, verify_receipt


@shape
class AnchoredShape:
    """A run that sent the newest head to anchors."""

    id: str
    """Of the job."""
    slot: str
    late: bool
    """The job was overdue."""
    run: str
    """Empty if nothing could be recorded."""
    outcome: RunOutcome
    exit_code: int
    summary: str
    problems: tuple[str, ...]
    """What went wrong, for people; `anchors` has it for each anchor."""
    anchors: tuple[ReceiptShape, ...]


@shape
class PlannedAnchor:
    """An anchor, and whether a head would be sent to it."""

    id: str
    kind: str
    has: int
    """How many records its newest head is over; 0 if it has none."""
    fetches_itself: bool
    """It fetches heads by itself: nothing is sent to it."""
    would: str
    """What would be done, for people."""


@shape
class AnchorPlan:
    """What would be done: --dry-run."""

    newest_head: int
    """How many records the newest head is over; 0 if there is none."""
    anchors: tuple[PlannedAnchor, ...]


def anchor(
    ctx: typer.Context,
    anchors: Annotated[
        list[str] | None, typer.Argument(metavar="ANCHOR", help=_("Anchors to send it to; all of them without a name"))
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
    receipt: Annotated[
        str | None, typer.Option(metavar="FILE", help=_("Import a witness's receipt; - reads standard input"))
    ] = None,
) -> Result[AnchoredShape | AnchorPlan | ReceiptShape]:
    session = open_session(ctx)
    require_valid(session.settings)
    if receipt is not None:
        if anchors or dry_run:
            raise UsageError(
                msg("--receipt imports a receipt and does nothing else"), msg("Leave out the anchors and --dry-run.")
            )
        return _import_receipt(session, _read(receipt))
    known = anchors_of(session.settings, session.clock, session.environment)
    wanted = frozenset(anchors or ())
    for name in sorted(wanted - {one.id for one in known}):
        raise UsageError(
            msg("there is no anchor {anchor}", anchor=name[:40]),
            msg("The anchors are: {anchors}.", anchors=", ".join(one.id for one in known) or msg("none")),
        )
    if dry_run:
        return _planned(session, [one for one in known if not wanted or one.id in wanted])
    said: list[Message] = []
    done = perform_now(
        session, JobKind.ANCHOR, lambda opened: any_work(anchor_newest_head(parts_of(opened), wanted, said.append))
    )
    view: list[Block] = []
    receipts: tuple[AnchorReceipt, ...] = ()
    if isinstance(done.result, AnchorResult):
        view, receipts = list(_list_anchored(session, done.result, known)), done.result.receipts
    view += [Notice(problem, Tone.BAD) for problem in said or done.said]
    data = AnchoredShape(
        id=done.job.id,
        slot=done.slot,
        late=done.late,
        run=done.run,
        outcome=done.outcome,
        exit_code=int(done.exit_code),
        summary=str(done.summary),
        problems=done.problems,
        anchors=tuple(map(receipt_data, receipts)),
    )
    return Result(data, view, exit_code=done.exit_code)


def take_receipt(session: Session, data: bytes) -> tuple[AnchorReceipt, bool]:
    """Record a witness's receipt; return it, and whether it is new.

    Args:
        session: what to work with.
        data: the receipt as the witness handed it over.

    Raises:
        NotAReceipt: it is something else.
        UsageError: no witness is configured, or it speaks of another ledger.
        IntegrityError: no configured witness signed it.
        HeadRefused: the witness keeps a head that this ledger never made.
    """
    parse_receipt(data)
    name, signed = _signed_by_witness(session, data)
    ledger, said = session.writable_ledger, signed.receipt
    if said.ledger != ledger.id:
        raise UsageError(
            msg("the receipt is for ledger {other}, but this is ledger {ledger}", other=said.ledger, ledger=ledger.id),
            msg("Correct the address on the witness: each ledger gets its own receipts."),
        )
    if not _has_head(ledger, said.size, said.head):
        raise HeadRefused(
            msg(
                "the witness {anchor} keeps a head of {size} records that this ledger does not hold",
                anchor=name,
                size=said.size,
            ),
            msg(
                "Change nothing here or there: one of the two histories was rewritten. Compare both with other anchors."
            ),
        )
    for known in read_receipts(ledger):
        if known.body.anchor == name and known.body.head == said.head and not known.body.problem:
            return known.body, False
    details, evidence = {"witness": said.witness}, (ledger.keep(data),)
    kept = AnchorReceipt(name, "witness", said.size, said.head, said.at, details, evidence)
    session.recorder.record(ANCHOR_RECEIVED, RECEIPT, kept, subject=name)
    return kept, True


def _signed_by_witness(session: Session, data: bytes) -> tuple[AnchorId, SignedReceipt]:
    """Return the configured witness whose key signed a receipt."""
    refused: IntegrityError | None = None
    for one in anchors_of(session.settings, session.clock, session.environment):
        if isinstance(one, WitnessAnchor):
            try:
                return one.id, verify_receipt(data, one.key)
            except IntegrityError as error:
                refused = error
    if refused is not None:
        raise refused
    raise UsageError(
        msg("no witness is configured, so no receipt can be accepted"),
        msg('Add [[ledger.anchor]] with kind = "witness" and the witness\'s public key.'),
    )


def _has_head(ledger: Ledger, size: int, digest: str) -> bool:
    for record in ledger.records(kinds=(HEAD,), newest_first=True):
        found = read_head(ledger, record)
        if found.head.size <= size:
            return found.head.size == size and head_digest(found.signed.text) == digest
    return False


def _read(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_RECEIPT_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_RECEIPT_BYTES + 1)
    except OSError as error:
        raise UsageError(
            msg("cannot read {file}: {cause}", file=repr(name[:200]), cause=cause_of(error)),
            msg("Name the file with the witness's receipt."),
        ) from error


def _import_receipt(session: Session, data: bytes) -> Result[ReceiptShape]:
    receipt, is_new = take_receipt(session, data)
    said = msg("The receipt holds and is recorded.") if is_new else msg("This receipt is known already.")
    view: list[Block] = [
        Paragraph(said),
        KeyValues(
            (
                (msg("Witness"), receipt.anchor),
                (msg("Records that the head covers"), msg("1 to {seq}", seq=receipt.size)),
                (msg("Received at"), receipt.at),
            )
        ),
    ]
    return Result(receipt_data(receipt, new=is_new), view)


def _planned(session: Session, chosen: Sequence[Anchor]) -> Result[AnchorPlan]:
    """Show what each anchor has, and whether a head would be sent to it."""
    try:
        ledger = session.ledger
        newest, taken = newest_head(ledger), newest_taken(read_receipts(ledger))
    except LedgerMissing:
        newest, taken = None, {}
    rows: list[tuple[Cell, ...]] = []
    data: list[PlannedAnchor] = []
    for one in chosen:
        last = taken.get(one.id)
        would = (
            msg("it fetches heads by itself")
            if one.fetches_itself
            else msg("the newest head is sent to it, unless it has it")
        )
        rows.append((one.id, one.kind, last.body.size if last else None, last.at if last else None, would))
        data.append(PlannedAnchor(one.id, one.kind, last.body.size if last else 0, one.fetches_itself, str(would)))
    view: list[Block] = (
        [TableBlock(msg("Nothing was sent. This would be done:"), _HEADERS_OF_PLAN, rows)] if rows else []
    )
    if not rows:
        view.append(Paragraph(msg("No anchor is configured: add [[ledger.anchor]] to the configuration.")))
    if session.signing_key is None:
        view.append(Notice(msg("No signing key is configured: set signing.key."), Tone.BAD))
    newest_size = newest.head.size if newest else 0
    return Result(AnchorPlan(newest_size, tuple(data)), view)


_HEADERS_OF_PLAN = (
    msg("Anchor"),
    msg("Kind"),
    msg("Records that its head covers"),
    msg("Since"),
    msg("What would be done"),
)


def _list_anchored(session: Session, result: AnchorResult, known: Sequence[Anchor]) -> Iterator[Block]:
    """Say how many anchors have the head, and what each answered.

    One that failed now does not count, though it may have taken the head before: it has lost it, or could not be asked.
    """
    ledger = session.ledger
    taken = newest_taken(read_receipts(ledger))
    newest = newest_head(ledger)
    failed = {receipt.anchor for receipt in result.receipts if receipt.problem}
    having = {anchor for anchor, receipt in taken.items() if receipt.body.head == result.head} - failed
    holders = sum(one.id in having for one in known)
    rows: list[tuple[Message, Cell]] = [
        (msg("Records that the head covers"), msg("1 to {seq}", seq=result.size)),
        (msg("Anchors that have it"), msg("{n} of {total}", n=holders, total=len(known))),
    ]
    if newest is not None and head_digest(newest.signed.text) == result.head:
        rows.insert(0, (msg("Head code"), code_of(newest.head)))
    yield KeyValues(rows)
    headers = (msg("Anchor"), msg("Kind"), msg("State"), msg("At"), msg("Receipt"))
    yield TableBlock(msg("Anchors"), headers, list(_rows(result, known, taken)))


def _rows(
    result: AnchorResult, anchors: Sequence[Anchor], taken: Mapping[AnchorId, Recorded[AnchorReceipt]]
) -> Iterator[tuple[Cell, ...]]:
    for receipt in result.receipts:
        state = Status(msg("not accepted"), Tone.BAD) if receipt.problem else Status(msg("accepted"), Tone.GOOD)
        said = "; ".join(f"{name}: {value}" for name, value in receipt.details.items())
        at = receipt.at
        if at is None and not receipt.problem and (recorded := taken.get(receipt.anchor)) is not None:
            at = recorded.at  # an anchor that tells no time has taken it by when that was recorded
        yield receipt.anchor, receipt.kind, state, at, said or None
    for one in anchors:
        if one.fetches_itself:
            yield one.id, one.kind, Status(msg("fetches by itself"), Tone.NEUTRAL), *_newest_of(taken.get(one.id))


def _newest_of(receipt: Recorded[AnchorReceipt] | None) -> tuple[Cell, Cell]:
    """Return when a witness took a head last, and over how many records."""
    if receipt is None:
        return None, msg("none yet")
    size = receipt.body.size
    return receipt.body.at, nmsg("head over {n} record", "head over {n} records", size)


VERB = Verb(anchor)
