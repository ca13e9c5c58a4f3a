"""What the verbs of this noun do alike."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from pathlib import Path

from commands.cli.session import Session
from commands.ledger.views import person_who_signs, read_signature
from portalops.errors import ConfigurationError, IntegrityError, UsageError
from portalops.files import unwritable
from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.counted_erasures import read_kept
from portalops.ledger.erasures import read_erasure
from portalops.ledger.heads import read_signers, require_in_use
from portalops.ledger.heeded import heeded
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantine_text import FORMS, MAX_NAME, parse_quarantine, text_of
from portalops.model.message import msg
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest
from portalops.registers.erasures import ERASED, RecordedErasure, names_kept
from portalops.registers.signers import KeyMend, begin_mended
from portalops.signatures.sshsig import BadSignature, SigningKey, fingerprint, public_key_of, sign, verify


def erasure_of(ledger: Ledger, digest: Digest) -> RecordedErasure | None:
    """Return the record that counts and says that a blob was erased, or None.

    Raises:
        IntegrityError: the details of such a record are missing or damaged.
    """
    for record in heeded(ledger).records(kinds=(ERASED,)):
        found = read_erasure(HeldRecord(record.seq, record.at, record.kind, ledger.blob(record.body)))
        if found is None or found.erasure.digest != digest:
            continue
        return None if names_kept(found, read_kept(ledger, [found])) else found
    return None


def signed_by_two(
    asked: Quarantine, kind: str, key: SigningKey, request: Path | None, signature: Path | None
) -> dict[str, str] | None:
    """Return the text with both signatures; None while the second is still to come, and then write the text for it.

    Args:
        asked: what both sign.
        kind: of record.
        key: the ledger's.
        request: where the text for the second person goes.
        signature: what the second person signed; None before.

    Raises:
        UsageError: a name or the reason is too long, or a file cannot be read.
        IntegrityError: the signature is not the second person's, under this text.
    """
    text, namespace = text_of(asked), FORMS[kind].namespace
    if parse_quarantine(text, kind) is None:
        raise UsageError(
            msg("a name or the reason has more than {most} characters, or one that cannot be printed", most=MAX_NAME),
            msg("Give a shorter --by or --reason, on one line."),
        )
    if signature is None:
        if request is not None:
            write_request(request, text)
        return None
    return {
        "text": text,
        "signature": sign(text.encode(), key, namespace),
        "second_signature": second_signature(asked, text, namespace, signature),
    }


def write_request(path: Path, text: str) -> None:
    """Write a text for somebody else, never over another file: it might be a key.

    Raises:
        UsageError: another file is there.
        FileUnwritable: the file cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.write(text.encode())
    except FileExistsError as error:
        with suppress(OSError):
            if path.read_bytes() == text.encode():
                return
        raise UsageError(
            msg("{path} is there already", path=str(path)),
            msg("Name a file for --request that is not there yet."),
        ) from error
    except OSError as error:
        raise unwritable(path, error) from error


def second_person(session: Session, second: str, by: str) -> tuple[str, str]:
    """Return the second person's name and key.

    Raises:
        UsageError: the persons are one, or the second may not sign.
        ConfigurationError: the second person's key is none.
    """
    person = person_who_signs(session, second)
    if _normal(by) in {_normal(each) for each in (person.name.vi, person.name.en, second)}:
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


def _normal(name: str) -> str:
    """Return a person's name in one form, however it is typed: NFC, without case, with single blanks."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def ledgers_key(session: Session, ledger: Ledger, mends: tuple[int, int] | None = None) -> SigningKey:
    """Return the ledger's key, after it was made sure that it signs now.

    Args:
        session: of this command.
        ledger: whose key it is to be.
        mends: the first and last record whose times are about to be called wrong: a key that was added there signs that.

    Raises:
        ConfigurationError: no signing key is configured.
        LedgerError: it does not sign for the ledger now.
    """
    key = session.signing_key
    if key is None:
        raise ConfigurationError(
            msg("no signing key is configured"),
            msg("Run this where the ledger's key is: [signing] key in the configuration."),
        )
    now = session.clock.now()
    planned = (KeyMend(now, key.public_key, *mends),) if mends else ()
    require_in_use([begin_mended(each, planned) for each in read_signers(ledger)], key, now)
    return key


def second_signature(asked: Quarantine, text: str, namespace: str, path: Path) -> str:
    """Return the second person's signature.

    Raises:
        IntegrityError: it is not theirs, under this text.
        UsageError: the file cannot be read.
    """
    signature = read_signature(path)
    try:
        signed_by = verify(text.encode(), signature, namespace)
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
