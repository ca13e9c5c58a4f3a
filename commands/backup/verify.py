"""Read copies back and compare every byte

Without arguments it runs the verify job and records the result. The job reads all copies of the newest set, and on
each medium those read longest ago: as many as it takes that none expires. With a set, a medium or a key it reads those
copies alone and records what it found; the job is due as before. With a private key it checks the contents as well,
file by file.

Example: portalops backup verify; portalops backup verify latest --medium disk-a --identity /media/key/operator.age

EXIT STATUS: 0 all are whole, 3 a copy could not be reached, or other programs do not see all of it, 4 there is no such
set or copy, 5 a copy is damaged
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.age import read_identities
from backups.job import VerifyTarget, run_verify
from backups.media import build_media
from commands.backup.options import MediumOption, OptionalSetArgument, require_listed_medium
from commands.backup.views import CopyShape, copies_table, fields_of, signed_by, signed_sentence
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.performed import ShownJob
from commands.jobs.runner import perform_now
from commands.jobs.sets import keys_of
from portalops.errors import ExitCode, LedgerError, SetNotFound
from portalops.ledger.heeded import numbers_mistimed
from portalops.locale import _
from portalops.model.backups import Copy, CopyState, VerifyResult
from portalops.model.message import msg
from portalops.model.runs import JobKind, Resource
from portalops.registers.backups import GONE, READ, VERIFY, find_set, recorded_sets
from portalops.reports.document import Block, Notice, Paragraph

if TYPE_CHECKING:
    from portalops.registers.backups import SetEvidence

DUTY = "10.2-medium"


@shape
class VerifiedCopy(CopyShape):
    """A copy that was read back."""

    signed_by: str | None
    """The fingerprint of the key that signed the set; null for an unsigned one."""


def verify(
    ctx: typer.Context,
    set_name: OptionalSetArgument = None,
    medium: MediumOption = None,
    identity: Annotated[
        Path | None, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ] = None,
) -> Result[tuple[VerifiedCopy, ...] | ShownJob]:
    session = open_session(ctx)
    if set_name is None and medium is None and identity is None:
        return _verify_job(session)
    identities = read_identities(identity) if identity else ()
    recorded = recorded_sets(session.reader, pass_over=session.pass_over)
    if medium is not None:
        require_listed_medium(session, recorded, medium)
    made = find_set(recorded, set_name or "latest", numbers_mistimed(session.reader))
    copies = [copy for copy in made.copies if medium in {None, copy.medium} and copy.state not in GONE]
    if not copies:
        raise SetNotFound(
            msg("there is no copy of set {set} on {medium}", set=made.set.id, medium=medium or "-"),
            msg("'portalops backup show {set}' shows its copies.", set=made.set.id),
        )
    with session.hold_to_read(Resource.MEDIA):
        result = run_verify(
            [VerifyTarget.of(made.set, copy) for copy in copies],
            build_media(session.settings.backup_media),
            clock=session.clock,
            progress=session.progress,
            identities=identities,
            keys=keys_of(session.reader, session.warnings.append),
        )
        try:
            session.recorder.record(READ, VERIFY, result, subject=made.set.id, duty=DUTY)
        except LedgerError as error:  # an auditor's account reads, and records nothing
            session.warnings.append(msg("what was read is not recorded: {cause}", cause=error.message))
    looked = _verified(result.copies, [made])
    if identities and looked.exit_code is ExitCode.OK:
        said = msg("What is in it was decrypted, and compared with the index file by file.")
        return replace(looked, view=(*looked.view, Paragraph(said)))
    return looked


def _verify_job(session: Session) -> Result[tuple[VerifiedCopy, ...] | ShownJob]:
    done = perform_now(session, JobKind.VERIFY)
    if not isinstance(done.result, VerifyResult):
        return Result(done.shown(), [Notice(problem) for problem in done.said], exit_code=done.exit_code)
    shown = _verified(done.result.copies, recorded_sets(session.reader, passing_over=True))
    return Result(shown.data, shown.view, exit_code=done.exit_code)


def _verified(copies: Sequence[Copy], sets: Sequence[SetEvidence]) -> Result[tuple[VerifiedCopy, ...]]:
    exit_code = ExitCode.OK
    if any(copy.remark or copy.state is not CopyState.VERIFIED for copy in copies):
        exit_code = ExitCode.PARTIAL
    if any(copy.state is CopyState.DAMAGED for copy in copies):
        exit_code = ExitCode.INTEGRITY
    signers = {made.set.id: made.set.signer for made in sets}
    view: list[Block] = [copies_table(copies)] if copies else [Paragraph(msg("There is no copy to read yet"))]
    view += [
        Paragraph(signed_sentence(set_id, signers.get(set_id, "")))
        for set_id in dict.fromkeys(copy.set_id for copy in copies)
    ]
    data = tuple(VerifiedCopy(**fields_of(copy), signed_by=signed_by(signers.get(copy.set_id, ""))) for copy in copies)
    return Result(data, view, exit_code=exit_code)


VERB = Verb(verify)
