"""A key signs that the ledger knows, and the newest records are signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good, note, refused, warning
from commands.jobs.kinds.anchor import QUIET_KINDS
from portalops.errors import IntegrityError, LedgerMissing, SecretUnavailable
from portalops.ledger.heads import newest_head, read_signers
from portalops.model.message import msg, nmsg
from portalops.signatures.sshsig import fingerprint

if TYPE_CHECKING:
    from portalops.ledger.ledger import Ledger
    from portalops.model.heads import RecordedHead

LATE = timedelta(hours=26)
"""How old the newest head of a daily run may be: a day, and what a run is late or takes."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether a key signs that the ledger knows, and how much is signed."""
    session = look.session
    try:
        key = session.signing_key
    except SecretUnavailable as error:
        yield refused("", error)
        return
    if key is None:
        yield warning(
            "",
            msg("no signing key is configured, so nothing that is recorded is signed"),
            msg("Set signing.key; 'portalops init --keys' makes the key."),
        )
        return
    try:
        ledger = session.ledger
    except LedgerMissing:
        return
    signers = read_signers(ledger)
    if not signers:
        yield note(
            "",
            msg("nothing is signed yet; the key {key} will be the ledger's first", key=fingerprint(key.public_key)),
            msg("Run 'portalops run --due', or 'portalops ledger head'."),
        )
        return
    if not any(signer.public_key == key.public_key and signer.retired_seq is None for signer in signers):
        yield bad(
            "",
            msg("the signing key {key} is not in the ledger", key=fingerprint(key.public_key)),
            msg("Configure the key that signed until now, or replace it with 'portalops ledger rotate-key'."),
        )
    yield from _signed(look, ledger)


def _signed(look: DoctorContext, ledger: Ledger) -> Iterator[DiagnosticLine]:
    try:
        head = newest_head(ledger)
    except IntegrityError as error:
        yield refused("head", error)
        return
    if head is None:
        yield warning("head", msg("no head is signed yet"), _SIGN)
        return
    unsigned = _unsigned(ledger, head)
    if not unsigned:
        yield good("head", msg("everything recorded is signed; the newest head is of {moment}", moment=head.head.at))
        return
    said = nmsg(
        "{n} record is not signed yet; the newest head is of {moment}",
        "{n} records are not signed yet; the newest head is of {moment}",
        unsigned,
        moment=head.head.at,
    )
    is_late = look.session.clock.now() - head.head.at > LATE
    yield warning("head", said, _SIGN) if is_late else good("head", said)


def _unsigned(ledger: Ledger, head: RecordedHead) -> int:
    """Count the records behind a head, but for those that handing it out made."""
    count = 0
    for record in ledger.records(newest_first=True):
        if record.seq <= head.head.size:
            break
        count += record.kind not in QUIET_KINDS
    return count


_SIGN = msg("Run 'portalops ledger head'.")


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
