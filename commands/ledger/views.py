"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from commands.cli.session import Session
from commands.cli.shapes import shape
from portalops.errors import UsageError
from portalops.ledger.quarantine_text import FORMS, text_of
from portalops.model.causes import cause_of
from portalops.model.heads import AnchorReceipt, Person
from portalops.model.message import Message, msg
from portalops.model.quarantines import Quarantine
from portalops.model.writers import Authority
from portalops.registers.sign_offs import may_sign
from portalops.reports.document import Block, KeyValues, Paragraph, Verbatim
from portalops.signatures.sshsig import MAX_SIGNATURE_CHARS, fingerprint


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


def authority_of(authority: Authority) -> Message:
    """Return what a writer may record, in words."""
    return msg("everything") if authority is Authority.ALL else msg("all but plans and erasures")


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


def person_who_signs(session: Session, by: str) -> Person:
    """Return a person of the configuration who may sign today.

    Raises:
        UsageError: there is none of this id, or not today.
    """
    people = session.settings.people
    person = next((each for each in people if each.id == by), None)
    if person is None:
        known = ", ".join(each.id for each in people) or "-"
        raise UsageError(
            msg("no signer {id} is configured; there are: {known}", id=by[:80], known=known),
            msg("Add the person and their public key to the configuration as [[ledger.signer]]."),
        )
    if not may_sign(person, session.today):
        raise UsageError(
            msg(
                "{id} may not sign today, only from {first} to {last}",
                id=person.id,
                first=person.valid_from or "-",
                last=person.valid_to or "-",
            ),
            msg("Let somebody sign who may today, or correct valid_from and valid_to in the configuration."),
        )
    return person


def read_signature(path: Path) -> str:
    """Return the text of a signature's file; raises UsageError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_SIGNATURE_CHARS + 1).decode("ascii", "replace")
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> UsageError:
    """Say that a file that was given cannot be read."""
    return UsageError(
        msg("cannot read {path}: {cause}", path=str(path), cause=cause_of(error)),
        msg("Check the path, and who may read the file."),
    )


def to_be_signed(asked: Quarantine, kind: str, request: Path | None) -> tuple[Block, ...]:
    """Show the text that the second person signs, and how."""
    form = FORMS[kind]
    name = f"{form.word}.txt" if request is None else request.name
    return (
        KeyValues(
            (
                (msg("Records"), f"{asked.first}-{asked.last}"),
                (msg("Second person"), asked.second),
                (msg("Key"), fingerprint(asked.public_key)),
            )
        ),
        Paragraph(msg("The second person reads this text, and signs it on their own machine:")),
        Verbatim(text_of(asked)),
        Verbatim(f"ssh-keygen -Y sign -n {form.namespace} -f KEY {name}"),
        Paragraph(msg("Then run the same command with --signature {name}.sig. Nothing is recorded yet.", name=name)),
    )
