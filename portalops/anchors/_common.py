"""What the kinds of anchors share: how a head's files are named, receipts, and how refusals are worded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from portalops.errors import AnchorUnavailable, HeadRefused
from portalops.ledger.heads import head_digest
from portalops.model.heads import AnchorId, AnchorReceipt, RecordedHead
from portalops.model.message import Message, msg
from portalops.model.record import Digest


def file_name(head: RecordedHead) -> str:
    """Return a head's file name without its suffix: `0000000412`, as bundles have it."""
    return f"{head.head.size:010}"


def files_of(head: RecordedHead) -> tuple[tuple[str, bytes], ...]:
    """Return the two files that a head is kept as; the text comes last, so that with it both are there."""
    name = file_name(head)
    return (f"{name}.sig", head.signed.signature.encode()), (f"{name}.txt", head.signed.text.encode())


def receipt_of(
    anchor: AnchorId,
    kind: str,
    head: RecordedHead,
    *,
    at: datetime | None,
    details: Mapping[str, str],
    evidence: Sequence[Digest] = (),
) -> AnchorReceipt:
    """Return the receipt for a head that was taken."""
    digest = head_digest(head.signed.text)
    return AnchorReceipt(anchor, kind, head.head.size, digest, at, dict(details), tuple(evidence))


def unavailable(anchor: AnchorId, cause: Message, hint: Message) -> AnchorUnavailable:
    """Say that an anchor did not take a head."""
    return AnchorUnavailable(
        msg("the anchor {anchor} did not accept the head: {cause}", anchor=anchor, cause=cause), hint
    )


def forked(anchor: AnchorId, place: str) -> HeadRefused:
    """Say that an anchor holds another head of the same ledger and size: there are two histories of it."""
    return HeadRefused(
        msg(
            "the anchor {anchor} holds another head of the same size in {place}: this ledger has two histories",
            anchor=anchor,
            place=place,
        ),
        msg(
            "Change nothing here or there. Run 'portalops ledger verify --head FILE' with the head that the "
            "anchor holds."
        ),
    )
