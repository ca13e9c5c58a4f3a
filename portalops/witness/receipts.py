"""Receipts: six lines of text by which a witness says that it keeps a head, signed with the witness's own key.

    portalops-receipt 1
    ledger 5f0c...            the ledger's id
    size 412                  the head's size
    head 0b77...              SHA-256 of the head's text
    at 2026-11-25T01:40:00.000Z    when the witness took it, by the witness's clock
    witness so-tttt           the name by which the witness keeps this ledger

The text and its OpenSSH signature, one behind the other, are one file. Nothing here asks whose key it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from portalops.errors import IntegrityError, NotAReceipt
from portalops.ledger.record import parse_at
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.text import format_at, show_text
from portalops.signatures.sshsig import BadSignature, SigningKey, fingerprint, sign, verify

NAMESPACE = "portalops-witness"
"""The purpose that receipts are signed for."""

MAX_RECEIPT_BYTES = 4096
"""A receipt with its signature has about 700 bytes; anything larger is some other file."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a witness says: that it keeps this head since this moment."""

    ledger: str
    """The watched ledger's id."""
    size: int
    """Of the head."""
    head: Digest
    """SHA-256 of the head's text."""
    at: datetime
    """When the witness took the head, by its own clock; UTC, whole milliseconds."""
    witness: str
    """The id of the ledger in the witness's configuration."""


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt as it is sent."""

    receipt: Receipt
    text: str
    """The six lines, each ending in a line feed."""
    signature: str
    """OpenSSH signature of the text's bytes, armoured."""

    @property
    def data(self) -> bytes:
        """The file that is sent: the text, followed by its signature."""
        return (self.text + self.signature).encode()


def text_of(receipt: Receipt) -> str:
    """Return the six lines."""
    return (
        f"portalops-receipt 1\nledger {receipt.ledger}\nsize {receipt.size}\nhead {receipt.head}\n"
        f"at {format_at(receipt.at)}\nwitness {receipt.witness}\n"
    )


def sign_receipt(receipt: Receipt, key: SigningKey) -> SignedReceipt:
    """Sign a receipt with the witness's key."""
    text = text_of(receipt)
    return SignedReceipt(receipt, text, sign(text.encode(), key, NAMESPACE))


def parse_receipt(data: bytes) -> SignedReceipt:
    """Read a receipt with its signature; whether that holds is for `verify_receipt`.

    Raises:
        NotAReceipt: these bytes are not what `SignedReceipt.data` gives.
    """
    found = _RECEIPT.fullmatch(data) if len(data) <= MAX_RECEIPT_BYTES else None
    try:
        if found is not None:
            text, ledger, size, head, at, witness, signature = (part.decode() for part in found.groups())
            receipt = Receipt(ledger, int(size), Digest(head), parse_at(at), witness)
            return SignedReceipt(receipt, text, signature)
    except ValueError:
        pass  # no such moment
    raise NotAReceipt(
        msg("this is not a receipt: it does not have six lines followed by a signature"),
        msg("A receipt begins with 'portalops-receipt 1'; a witness sends it by itself."),
    )


def verify_receipt(data: bytes, public_key: str) -> SignedReceipt:
    """Read a receipt and make sure that this key signed it.

    Args:
        data: the file as the witness handed it over.
        public_key: the witness's, `ssh-ed25519 BASE64`.

    Raises:
        NotAReceipt: it is something else.
        IntegrityError: the signature is not by this key, or not over this text.
    """
    signed = parse_receipt(data)
    try:
        found = verify(signed.text.encode(), signed.signature, NAMESPACE)
    except BadSignature as error:
        raise IntegrityError(
            msg("the receipt of the witness is not signed: {cause}", cause=show_text(str(error))), _HINT
        ) from error
    if found != public_key:
        raise IntegrityError(
            msg(
                "the receipt of the witness is signed by {found} instead of {expected}",
                found=fingerprint(found),
                expected=fingerprint(public_key),
            ),
            _HINT,
        )
    return signed


_HINT = msg("Ask the operator of the witness for the line of its .pub file, and compare it with the anchor's key.")
_RECEIPT = re.compile(
    rb"(portalops-receipt 1\nledger ([0-9a-f]{32})\nsize ([1-9][0-9]{0,17})\nhead ([0-9a-f]{64})\n"
    rb"at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\nwitness ([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\n)"
    rb"(-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+-----END SSH SIGNATURE-----\n)"
)
