"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commands.cli.shapes import shape
from portalops.model.heads import AnchorReceipt


@shape
class WithheldShape:
    """Details that a bundle leaves out on purpose."""

    digest: str
    reason: str


@shape
class ReceiptShape:
    """What an anchor gave back for a head."""

    id: str
    """Of the anchor."""
    kind: str
    """Of the anchor: folder, mail, rfc3161, s3, witness, ..."""
    size: int
    """How many records the head is over."""
    head: str
    """SHA-256 of the head's text."""
    at: datetime | None
    """The time that the third party states; null if it states none."""
    details: Mapping[str, str]
    """What lets a stranger find the head there again."""
    evidence: tuple[str, ...]
    """Digests of the third party's answer."""
    problem: str
    """Why the head is not there, for people; empty if it is."""
    new: bool | None
    """Of a witness's receipt that was imported: it was not recorded before."""


def receipt_data(receipt: AnchorReceipt, *, new: bool | None = None) -> ReceiptShape:
    return ReceiptShape(
        id=receipt.anchor,
        kind=receipt.kind,
        size=receipt.size,
        head=receipt.head,
        at=receipt.at,
        details=receipt.details,
        evidence=receipt.evidence,
        problem=receipt.problem,
        new=new,
    )
