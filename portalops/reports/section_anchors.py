"""Who keeps heads of the ledger: anchor by anchor, and the longest time in which none took one. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from portalops.ledger.heads import code_of
from portalops.model.heads import AnchorReceipt
from portalops.model.message import msg
from portalops.model.record import Recorded
from portalops.registers.evidence import Evidence
from portalops.registers.proof import LONGEST_UNANCHORED, Proof
from portalops.reports.document import Block, Cell, KeyValues, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_proof import duration_words
from portalops.reports.section_slots import longest_between


def anchor_blocks(proof: Proof, evidence: Evidence, made_at: datetime) -> Iterator[Block]:
    """Yield a row an anchor, and the longest time of the period in which no anchor took a head.

    Args:
        proof: with the receipts.
        evidence: of the period.
        made_at: when the report is made.
    """
    end = evidence.period.bounds(evidence.zone)[1]
    receipts = [each for each in proof.receipts if each.at < end]
    span = longest_unanchored(proof, evidence, made_at)
    if span is not None:
        tone = Tone.GOOD if is_anchored_daily(proof, span) else Tone.BAD
        yield KeyValues(
            (
                (
                    msg("Longest time in which no anchor accepted a head"),
                    Status(duration_words(span[1] - span[0]), tone),
                ),
                (msg("From"), span[0]),
                (msg("To"), span[1]),
            )
        )
    if not receipts:
        yield Notice(msg("By the end of the period no head is recorded as sent to an anchor."), Tone.BAD)
        return
    names = dict.fromkeys(each.body.anchor for each in receipts)
    headers = (
        msg("Anchor"),
        msg("Kind"),
        msg("Heads accepted"),
        msg("Heads not accepted"),
        msg("Newest head that it has"),
        msg("Over the records"),
        msg("Received at"),
        msg("Time of the third party"),
        msg("Record"),
    )
    yield TableBlock(
        msg("Anchors: heads accepted in the period, and the newest that each holds at its end"),
        headers,
        [_anchor_row(name, receipts, proof, evidence) for name in sorted(names)],
    )
    yield Paragraph(
        msg("The section on the records behind this report shows which anchor held each head, and since when.")
    )


def longest_unanchored(proof: Proof, evidence: Evidence, made_at: datetime) -> tuple[datetime, datetime] | None:
    """Return the longest span of the period in which no anchor took a head; None if the ledger did not exist in it.

    The last head taken before the period counts: a span may begin with it.
    """
    start, end = evidence.period.bounds(evidence.zone)
    if evidence.started_at is None or evidence.started_at >= min(end, made_at):
        return None
    begins, ends = max(start, evidence.started_at), min(end, made_at)
    taken = sorted(each.at for each in proof.taken() if each.at < ends)
    before = [at for at in taken if at <= begins]
    return longest_between([before[-1] if before else begins, *(at for at in taken if at > begins), ends])


def is_anchored_daily(proof: Proof, span: tuple[datetime, datetime]) -> bool:
    """Say whether anchors took heads without a longer break than a day; a young ledger of which none took one is not anchored.

    Args:
        proof: with the receipts.
        span: the longest one in which no anchor took a head.
    """
    return span[1] - span[0] <= LONGEST_UNANCHORED and any(each.at <= span[1] for each in proof.taken())


def _anchor_row(
    name: str, receipts: Sequence[Recorded[AnchorReceipt]], proof: Proof, evidence: Evidence
) -> tuple[Cell, ...]:
    mine = [each for each in receipts if each.body.anchor == name]
    start = evidence.period.bounds(evidence.zone)[0]
    of_period = [each for each in mine if each.at >= start]
    refused = sum(bool(each.body.problem) for each in of_period)
    taken = [each for each in mine if not each.body.problem]
    counts = (len(of_period) - refused, refused)
    if not taken:
        return name, mine[-1].body.kind, *counts, Status(msg("none"), Tone.BAD), None, None, None, None
    newest = max(taken, key=lambda each: (each.body.size, -each.seq))
    code = next((code_of(head.head) for head in proof.heads if head.text_digest == newest.body.head), None)
    return (
        name,
        newest.body.kind,
        *counts,
        code or msg("recorded before the period"),
        msg("1 to {seq}", seq=newest.body.size),
        newest.at,
        newest.body.at,
        str(newest.seq),
    )
