"""Import sets that interrupted runs left on the media

A run that is killed after sealing a set and before recording it leaves a whole set that no record knows. Every byte
of its copies is read back, and the set is recorded: it can then be restored, verified and pruned like any other. It
makes no duty met. Only a set whose name bears a moment of such a run is imported; where the portal signs its sets,
only one with a good signature. Without SET: all of them.

Example: portalops backup import --dry-run; portalops backup import

EXIT STATUS: 0 imported, or there is none, 3 a copy could not be read, 4 there is no such set, 5 a copy is damaged or
the set cannot be relied on
"""

from __future__ import annotations

from typing import Annotated

import typer

from backups.found import LeftSet, dead_runs, left_sets, read_back
from backups.media import build_media
from commands.backup.views import CopyShape, copies_data, copies_table, signed_by
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import ExitCode, SetNotFound
from portalops.ledger.heads import read_signers
from portalops.locale import _
from portalops.model.backups import CopyState, FoundSet
from portalops.model.message import Message, msg
from portalops.model.runs import JobKind, Resource
from portalops.model.text import show_text
from portalops.registers.backups import FOUND, FOUND_SET, recorded_sets
from portalops.reports.document import Block, Paragraph, TableBlock

DUTY = "10.2-medium"


@shape
class LeftSetShape:
    """A set that a dead run left, which would be imported."""

    id: str
    run: str
    media: tuple[str, ...]


@shape
class TakenSet:
    """A set that a dead run left, as it was recorded."""

    id: str
    run: str
    signed_by: str | None
    """The fingerprint of the key that signed it; null for an unsigned set."""
    copies: tuple[CopyShape, ...]


def import_sets(
    ctx: typer.Context,
    set_name: Annotated[str | None, typer.Argument(metavar="SET", help=_("A set's name, or its beginning"))] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[tuple[TakenSet, ...] | tuple[LeftSetShape, ...]]:
    session = open_session(ctx)
    with session.hold(Resource.MEDIA):
        left = [each for each in _left(session) if each.set_id.startswith(set_name or "")]
        if set_name and not left:
            raise SetNotFound(
                msg("no medium holds a set {set} that a dead run left", set=show_text(set_name, 120)),
                msg("'portalops backup import --dry-run' lists the sets that can be imported."),
            )
        if dry_run or not left:
            return _planned(left)
        keys = read_signers(session.ledger)  # without them any key would do, and no record says which set it is
        found = []
        for each in left:
            taken = read_back(
                each.set_id,
                each.media,
                must_be_signed=session.settings.signing_key is not None,
                of_run=each.run,
                keys=keys,
                clock=session.clock,
                progress=session.progress,
            )
            session.recorder.record(FOUND, FOUND_SET, taken, subject=taken.set.id, duty=DUTY)
            found.append(taken)
    return _taken(found)


def _left(session: Session) -> list[LeftSet]:
    ledger, settings = session.reader, session.settings
    died = dead_runs(ledger.runs(kinds=(JobKind.BACKUP.value,)), session.clock.now())
    if not died:
        return []
    return left_sets(settings.portal.id, build_media(settings.backup_media), recorded_sets(ledger), died)


def _planned(left: list[LeftSet]) -> Result[tuple[LeftSetShape, ...]]:
    data = tuple(LeftSetShape(each.set_id, each.run, tuple(each.media)) for each in left)
    if not left:
        return Result(data, [Paragraph(msg("No set of a dead run is on a medium that can be read"))])
    rows = [(each.set_id, each.run, ", ".join(each.media)) for each in left]
    return Result(
        data, [TableBlock(msg("What would be imported"), (msg("Backup set"), msg("Run"), msg("Media")), rows)]
    )


def _taken(found: list[FoundSet]) -> Result[tuple[TakenSet, ...]]:
    copies = [copy for each in found for copy in each.copies]
    view: list[Block] = [copies_table(copies), *(Paragraph(_describe(each)) for each in found)]
    data = tuple(
        TakenSet(each.set.id, each.of_run, signed_by(each.set.signer), copies_data(each.copies)) for each in found
    )
    states = {copy.state for copy in copies}
    code = ExitCode.INTEGRITY if CopyState.DAMAGED in states else ExitCode.PARTIAL
    return Result(data, view, exit_code=ExitCode.OK if states == {CopyState.VERIFIED} else code)


def _describe(found: FoundSet) -> Message:
    return msg("Set {set} of run {run} is recorded as found: no duty is met by it", set=found.set.id, run=found.of_run)


VERB = Verb(import_sets)
