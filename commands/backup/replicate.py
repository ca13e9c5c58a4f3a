"""Make the copies of a set that media lack

Copies a set from a verified copy onto the media that lack it, and reads each copy back. Damaged copies give the files
that are right in them. An interrupted copy continues from its whole packs; a damaged copy is made anew if the others
have every file. Without SET: the newest set and its base. Needs no private key, and reads no source.

Example: portalops backup replicate; portalops backup replicate latest --to disk-b

EXIT STATUS: 0 every medium has the set, 3 a copy could not be read or made, 4 there is no such set, 5 a copy was found
damaged, 78 configuration
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from backups.copying import inspect_copies, wanted_copies
from backups.media import build_media
from commands.backup.views import MAX_LISTED, CopyShape, MediumHints, copies_data, copies_table, next_for_failed
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.kinds.copy import copy_work
from commands.jobs.lost_copies import lost_on
from commands.jobs.performed import ShownJob
from commands.jobs.runner import perform_now
from commands.jobs.sets import keys_of, require_medium
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.backups import CopyResult
from portalops.model.message import msg
from portalops.model.runs import JobKind
from portalops.registers.backups import find_set, recorded_sets
from portalops.reports.document import Block, Notice, Paragraph, TableBlock, Tone


@shape
class PlannedCopy:
    """A copy that would be made."""

    id: str
    set: str
    medium: str
    from_: str | None
    """The medium that it would be read from; null if none has a good copy."""


def replicate(
    ctx: typer.Context,
    set_name: Annotated[
        str | None, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'"))
    ] = None,
    *,
    to: Annotated[str | None, typer.Option("--to", metavar="ID", help=_("Only onto this medium"))] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[tuple[CopyShape, ...] | tuple[PlannedCopy, ...] | ShownJob]:
    session = open_session(ctx)
    media = build_media(session.settings.backup_media)
    if to is not None:
        require_medium(to, media)
    sets = recorded_sets(session.reader)
    only_set = find_set(sets, set_name).set.id if set_name else ""
    now = inspect_copies(
        sets,
        media,
        only_set=only_set,
        only_medium=to or "",
        keys=keys_of(session.reader, session.warnings.append),
        clock=session.clock,
        progress=session.progress,
    )
    lost = lost_on(
        session.settings, session.reader, now.sets, media, now=session.clock.now(), zone=session.zone_of_portal
    )
    targets = wanted_copies(now.sets, tuple(media), only_set=only_set, only_medium=to or "", lost=lost)
    if dry_run or not targets:
        rows = [
            (each.made.set.id, each.to_medium, each.read_from[0].medium if each.read_from else None) for each in targets
        ]
        view: list[Block] = [Notice(each, Tone.UNSURE) for each in now.unseen]
        if not rows and not now.unseen:
            said = msg(
                "Every medium has all files of a copy that was good when it was read; 'portalops backup verify' reads them."
            )
            view.append(Paragraph(said if sets else msg("No backup set is recorded yet")))
        if rows:
            view = [*view, TableBlock(msg("What would be copied"), (msg("Backup set"), msg("Onto"), msg("From")), rows)]
        data = tuple(PlannedCopy(f"{medium}/{name}", name, medium, source) for name, medium, source in rows)
        without_source = any(source is None for _name, _medium, source in rows)
        return Result(data, view, exit_code=ExitCode.PARTIAL if now.unseen or without_source else ExitCode.OK)
    hints = MediumHints()
    work = partial(copy_work, only_set=only_set, only_medium=to or "", inspected=now, on_error=hints.note)
    done = perform_now(session, JobKind.COPY, work)
    notices: list[Block] = [Notice(problem, Tone.BAD) for problem in done.said[:MAX_LISTED]]
    if not isinstance(done.result, CopyResult):
        return Result(done.shown(), notices, exit_code=ExitCode(done.exit_code))
    next_steps = [*hints.blocks(), *next_for_failed(done.result.copies)]
    return Result(
        copies_data(done.result.copies),
        [copies_table(done.result.copies), *notices, *next_steps],
        exit_code=done.exit_code,
    )


VERB = Verb(replicate)
