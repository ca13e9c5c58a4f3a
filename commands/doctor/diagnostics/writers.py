"""Who recorded what is known: this machine's key is enrolled in the ledger, and claims what it records.

A ledger that `portalops init` began has this from its first head on; an older one, and a team's, from `portalops ledger enroll` on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note, refused, warning
from portalops.errors import IntegrityError, LedgerMissing, PortalOpsError
from portalops.ledger.heeded import read_ownership
from portalops.model.message import msg
from portalops.model.writers import Writer
from portalops.registers.writers import WRITER_ADDED

if TYPE_CHECKING:
    from portalops.ledger.ledger import Ledger


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whose records this machine's are."""
    session = look.session
    try:
        ledger, own = session.ledger, session.claimant.key
    except LedgerMissing:
        return
    except PortalOpsError as error:
        yield refused("", error)
        return
    try:
        writers = _writers_of(ledger)
    except IntegrityError as error:
        yield refused("", error)
        return
    yield _found(look, own.public_key if own else "", writers)


def _found(look: DoctorContext, own: str, writers: tuple[Writer, ...]) -> DiagnosticLine:
    settings = look.session.settings
    known = next((each for each in writers if each.public_key == own), None)
    if known is not None and known.ended_seq is None:
        return good("", msg("this machine is enrolled as {name}: its key claims what it records", name=known.name))
    if writers:
        return warning("", msg("no writer claims what this machine records: its key is not enrolled"), _ENROLL)
    if settings.ledger_store is not None:
        return note("", _NOBODY, msg("Let each machine of the team claim: docs/configuration.md, Who recorded what."))
    if own and settings.signing_key is not None:
        return note(
            "", msg("the next head enrols this machine"), msg("Run 'portalops run', or 'portalops ledger head'.")
        )
    return warning("", _NOBODY, _ENROLL)


def _writers_of(ledger: Ledger) -> tuple[Writer, ...]:
    if next(ledger.records(kinds=(WRITER_ADDED,), limit=1), None) is None:
        return ()
    return read_ownership(ledger).writers


_NOBODY = msg("nobody claims what this ledger holds, so whoever may write to it speaks as anybody")
_ENROLL = msg("Run 'portalops ledger enroll' here, as the account that portalops runs as.")


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
