"""`portalops backup take-in`: a set that a killed run sealed and could not record is read back and recorded as found."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands import _backup_views as views
from commands._backup_work import media_of, recorded_sets_of
from commands._jobs import resource_lock
from commands._prune_work import died_backups, of_a_dead_run
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, PortalOpsError, SetNotFound
from portalops.ledger import bodies
from portalops.ledger.record import NO_RUN
from portalops.locale import _
from portalops.model.backups import CopyState, FoundSet, SetId
from portalops.model.message import Message, msg
from portalops.model.runs import JobKind, Resource
from portalops.model.text import show_text
from portalops.registers.backups import FOUND, FOUND_SET
from portalops.reports.document import Block, Paragraph, Table

if TYPE_CHECKING:
    from portalops.ports import Medium

HELP = _(
    "Take in sets that killed runs left on the media\n\nA run that is killed between sealing a set and recording it leaves a"
    " whole set that nobody knows. Every byte of its copies is read back, and what is found is recorded: then it can be"
    " restored, verified and pruned like any other. It makes no duty met. Only a set whose name has a moment of such a run"
    " is taken in; where the portal signs its sets, only one with a good signature. Without a set: all there are.\n\nExample:"
    " portalops backup take-in --dry-run; portalops backup take-in\n\nEXIT STATUS: 0 taken in, or there is none, 3 a copy"
    " could not be read, 4 there is no such set, 5 a copy is damaged or the set cannot be relied on"
)
DUTY = "10.2-medium"


@dataclass(frozen=True, slots=True)
class Left:
    """A set that a dead run left."""

    set_id: SetId
    run: str
    media: Mapping[str, Medium]
    """Those that list it, by id."""


def take_in(
    ctx: typer.Context,
    set_name: Annotated[str | None, typer.Argument(metavar="SET", help=_("A set's name, or its beginning"))] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result:
    from backups.found import read_back  # noqa: PLC0415  # start-up time
    from portalops.ledger.heads import read_signers  # noqa: PLC0415  # as above

    session = open_session(ctx)
    with resource_lock(session, Resource.MEDIA):
        left = [each for each in left_sets(session) if each.set_id.startswith(set_name or "")]
        if set_name and not left:
            raise SetNotFound(
                msg("no medium holds a set {set} that a dead run left", set=show_text(set_name, 120)),
                msg("'portalops backup take-in --dry-run' shows those that there are."),
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
            body = bodies.write({"circumstances": session.circumstances, FOUND_SET: taken})
            session.writable_ledger.append(FOUND, run=NO_RUN, subject=taken.set.id, duty=DUTY, body=body)
            found.append(taken)
    return _taken(found)


def left_sets(session: Session) -> list[Left]:
    """Return the sets on the media that dead runs sealed and no record tells of; media out of reach are passed over.

    Raises:
        ConfigurationError: a medium's settings do not fit its kind.
        LedgerError: a record cannot be read, so a recorded set might be taken for one that is not.
    """
    from backups.prune import look, made_at, without_left  # noqa: PLC0415  # start-up time

    died = died_backups(session)
    if not died:
        return []
    media = media_of(session)
    seen = look(session.settings.portal.id, media, recorded_sets_of(session))
    _rest, by_medium = without_left(seen, tuple(died.values()))
    names = sorted({name for names in by_medium.values() for name in names})
    return [
        Left(
            name,
            _run_at(died, made_at(name)),
            {medium: media[medium] for medium, names in by_medium.items() if name in names},
        )
        for name in names
    ]


def tell_left_sets(session: Session) -> None:
    """Warn of what the last run left, if it died; what cannot be found out here stops no backup, and pruning tells it."""
    with suppress(PortalOpsError):
        runs = session.ledger.runs(kinds=(JobKind.BACKUP.value,))
        if len(runs) < 2 or runs[-2].finished_at is not None:  # the last one is this run
            return
        for each in left_sets(session):
            session.warnings += [of_a_dead_run(medium, each.set_id) for medium in each.media]


def _run_at(died: Mapping[str, tuple[datetime, datetime]], moment: datetime) -> str:
    return next((run for run, (start, end) in died.items() if start <= moment < end), "")


def _planned(left: list[Left]) -> Result:
    data: JsonValue = [{"id": each.set_id, "run": each.run, "media": list(each.media)} for each in left]
    if not left:
        return Result(data, [Paragraph(msg("No set of a dead run is on a medium that can be read"))])
    rows = [(each.set_id, each.run, ", ".join(each.media)) for each in left]
    return Result(data, [Table(msg("What would be taken in"), (msg("Backup set"), msg("Run"), msg("Media")), rows)])


def _taken(found: list[FoundSet]) -> Result:
    copies = [copy for each in found for copy in each.copies]
    view: list[Block] = [views.copies_table(copies), *(Paragraph(_said(each)) for each in found)]
    data: JsonValue = [
        {
            "id": each.set.id,
            "run": each.of_run,
            "signed_by": views.signed_by(each.set.signer),
            "copies": [views.copy_data(copy) for copy in each.copies],
        }
        for each in found
    ]
    states = {copy.state for copy in copies}
    code = ExitCode.INTEGRITY if CopyState.DAMAGED in states else ExitCode.PARTIAL
    return Result(data, view, exit_code=ExitCode.OK if states == {CopyState.VERIFIED} else code)


def _said(found: FoundSet) -> Message:
    return msg("Set {set} of run {run} is recorded as found: no duty is met by it", set=found.set.id, run=found.of_run)
