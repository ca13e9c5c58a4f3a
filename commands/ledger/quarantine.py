"""Set records aside, by two persons, so that the ledger goes on behind them

A line that is no record, a record that sent the ledger elsewhere, and a record that no writer claims can be set aside. Nothing
is removed: the lines stay in the chain, 'ledger verify' and bundles name them, and they meet no duty. Without
--signature, shows the text that the second person signs, with their own key and on their own machine.

Example: portalops ledger quarantine 412 412 --by 'Nguyễn Văn An' --second binh --reason 'written by a stolen account'
--request quarantine.txt; portalops ledger quarantine ... --signature quarantine.txt.sig

EXIT STATUS: 0 shown or recorded, 2 a record is not one to be set aside, or the person is unknown, 4 the signing key is not
the ledger's, 5 the signature is not the second person's, 78 no signing key is configured
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.cli.entries import Reason, written_text
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.ledger.views import person_who_signs, read_signature
from portalops import bodies
from portalops.errors import ConfigurationError, IntegrityError, LedgerError, UsageError
from portalops.files import write_atomically
from portalops.ledger.claims import Ownership, is_confirmed
from portalops.ledger.heads import read_signers
from portalops.ledger.heeded import read_ownership
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantine_text import MAX_NAME, MAX_RECORDS, PART, parse_quarantine, text_of
from portalops.ledger.quarantines import ANYBODYS, NAMESPACE, may_set_aside
from portalops.ledger.set_aside import stored_lines
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest
from portalops.registers.signers import signer_at
from portalops.registers.writers import QUARANTINED
from portalops.reports.document import KeyValues, Paragraph, Verbatim
from portalops.signatures.sshsig import BadSignature, SigningKey, fingerprint, public_key_of, sign, verify


@shape
class QuarantineShown:
    """Records that are set aside, or are to be."""

    first: int
    last: int
    by: str
    second: str
    fingerprint: str
    """Of the second person's key."""
    reason: str
    text: str
    """What both sign."""
    seq: int | None
    """The record that says so; null where the second signature is still to come."""


def quarantine(
    ctx: typer.Context,
    first: Annotated[int, typer.Argument(min=1, metavar="FIRST", help=_("The first record"))],
    last: Annotated[int, typer.Argument(min=1, metavar="LAST", help=_("The last record"))],
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who asks for it, and holds the ledger's key"))],
    second: Annotated[
        str, typer.Option("--second", metavar="ID", help=_("The second person: an id of [[ledger.signer]]"))
    ],
    reason: Reason,
    request: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Option(metavar="FILE", help=_("Write the text for the second person to a file")),
    ] = None,
    signature: Annotated[
        Optional[Path],  # noqa: UP045  # as above
        typer.Option(metavar="FILE", help=_("The second person's signature, as ssh-keygen wrote it")),
    ] = None,
) -> Result[QuarantineShown]:
    session = open_session(ctx)
    ledger = session.ledger_to_mend
    key = _ledgers_key(session, ledger)
    person, key_text = _second_person(session, second, by)
    digest = _require_strange(ledger, first, last)
    asked = Quarantine(
        ledger.id, first, last, digest, written_text(by, "--by"), person, key_text, written_text(reason, "--reason")
    )
    if parse_quarantine(text_of(asked)) is None:
        raise UsageError(
            msg("a name or the reason has more than {most} characters, or one that cannot be printed", most=MAX_NAME),
            msg("Give a shorter --by or --reason, on one line."),
        )
    text = text_of(asked)
    if signature is None:
        if request is not None:
            write_atomically(request, text.encode())
        return _to_be_signed(asked, text, request)
    parts = {
        "text": text,
        "signature": sign(text.encode(), key, NAMESPACE),
        "second_signature": _second_signature(asked, text, signature),
    }
    body = ledger.keep(bodies.write({"circumstances": session.circumstances, PART: parts}))
    record = ledger.append_quarantine(ledger.draft(QUARANTINED, subject=f"{first}-{last}", body=body))
    said = msg(
        "Records {first} to {last} are set aside, in record {seq}. Nothing was removed; 'portalops ledger verify' names them.",
        first=str(first),
        last=str(last),
        seq=record.seq,
    )
    return Result(_shown(asked, text, record.seq), (Paragraph(said),))


def _second_person(session: Session, second: str, by: str) -> tuple[str, str]:
    """Return the second person's name and key.

    Raises:
        UsageError: the persons are one, or the second may not sign.
        ConfigurationError: the second person's key is none.
    """
    person = person_who_signs(session, second)
    if by.strip() in {person.name.vi, person.name.en, second}:
        raise UsageError(
            msg("{name} is both persons", name=by),
            msg("Two persons set records aside: --second names another one than --by."),
        )
    try:
        return person.name.vi, public_key_of(person.public_key)
    except ValueError as error:
        raise ConfigurationError(
            msg("the key of signer {id} is not an Ed25519 public key in OpenSSH's format", id=person.id),
            msg("Give the line of the person's .pub file."),
        ) from error


def _require_strange(ledger: Ledger, first: int, last: int) -> Digest:
    """Return the digest of the last line, after it was made sure that each of them may be set aside."""
    if not first <= last < first + MAX_RECORDS:
        raise UsageError(
            msg("there are no records {first} to {last}", first=str(first), last=str(last)),
            msg("Give the first and the last record, at most {most} in a row.", most=MAX_RECORDS),
        )
    lines = stored_lines(ledger, range(first, last + 1))
    if len(lines) != last - first + 1:
        raise UsageError(
            msg("there are no records {first} to {last}", first=str(first), last=str(last)),
            msg("The ledger has {n} records. Run 'portalops ledger verify' to see what is wrong.", n=ledger.count()),
        )
    ownership = read_ownership(ledger)
    for seq, _digest, record in lines:
        is_anybodys = record is not None and record.kind in ANYBODYS
        if not may_set_aside(seq, is_record=record is not None, is_anybodys=is_anybodys, ownership=ownership):
            raise _not_strange(seq, ownership)
    return lines[-1][1]


def _not_strange(seq: int, ownership: Ownership) -> UsageError:
    owner = ownership.owner(seq)
    if owner is not None:
        return UsageError(
            msg("record {seq} is claimed by {name}", seq=seq, name=owner.name),
            msg("Only what nobody claims is set aside. Run 'portalops ledger verify' to see what is not claimed."),
        )
    return UsageError(
        msg("record {seq} is whole, and recorded before anybody claimed records", seq=seq),
        msg("Such a record stays. Correct what it says by a record of its own kind."),
    )


def _ledgers_key(session: Session, ledger: Ledger) -> SigningKey:
    key = session.signing_key
    if key is None:
        raise ConfigurationError(
            msg("no signing key is configured"),
            msg("Run this where the ledger's key is: [signing] key in the configuration."),
        )
    signers = read_signers(ledger)
    if signer_at(signers, key.public_key, session.clock.now()) is None:
        raise LedgerError(
            msg("the key {key} is not the ledger's", key=fingerprint(key.public_key)),
            msg("Run this where the ledger's key is. If it was lost: portalops ledger rotate-key --lost."),
        )
    if not is_confirmed(key.public_key, ledger.count() + 1, signers, read_ownership(ledger)):
        raise LedgerError(
            msg("nobody confirmed the ledger's key {key}", key=fingerprint(key.public_key)),
            msg(
                "Have a writer with authority all claim its key.added first: portalops ledger claim FIRST LAST --reason TEXT."
            ),
        )
    return key


def _second_signature(asked: Quarantine, text: str, path: Path) -> str:
    """Return the second person's signature.

    Raises:
        IntegrityError: it is not theirs, under this text.
        UsageError: the file cannot be read.
    """
    signature = read_signature(path)
    try:
        signed_by = verify(text.encode(), signature, NAMESPACE)
    except BadSignature as error:
        raise IntegrityError(
            msg("{path} is no signature of this text: {cause}", path=str(path), cause=error.message),
            msg("Run the same command with --request FILE, and have just that file signed."),
        ) from error
    if signed_by != asked.public_key:
        raise IntegrityError(
            msg(
                "{path} is signed by the key {found}, and {id} has the key {own}",
                path=str(path),
                found=fingerprint(signed_by),
                id=asked.second,
                own=fingerprint(asked.public_key),
            ),
            msg("Sign with the key that is configured for this person, or name the person whose key it is."),
        )
    return signature


def _to_be_signed(asked: Quarantine, text: str, request: Path | None) -> Result[QuarantineShown]:
    name = "quarantine.txt" if request is None else request.name
    return Result(
        _shown(asked, text, None),
        (
            KeyValues(
                (
                    (msg("Records"), f"{asked.first}-{asked.last}"),
                    (msg("Second person"), asked.second),
                    (msg("Key"), fingerprint(asked.public_key)),
                )
            ),
            Paragraph(msg("The second person reads this text, and signs it on their own machine:")),
            Verbatim(text),
            Verbatim(f"ssh-keygen -Y sign -n {NAMESPACE} -f KEY {name}"),
            Paragraph(
                msg("Then run the same command with --signature {name}.sig. Nothing is recorded yet.", name=name)
            ),
        ),
    )


def _shown(asked: Quarantine, text: str, seq: int | None) -> QuarantineShown:
    key = fingerprint(asked.public_key)
    return QuarantineShown(asked.first, asked.last, asked.by, asked.second, key, asked.reason, text, seq)


VERB = Verb(quarantine)
