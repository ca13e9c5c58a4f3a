"""Take an inventory of originals, copies and drafts

Reads and digests everything in the collections of [[archive.collection]], counts it against the content items, lists
the gaps, and compares with the inventory before. The listing is kept as evidence. What is gone is reported until it
is back, or until --accept gives the reason.

Example: portalops archive inventory; portalops archive inventory --dry-run; portalops archive inventory --accept
'moved to the provincial archive, decision 12/2026'

EXIT STATUS: 0 no gap, 1 an item lacks something, or something belongs to no item, 3 a collection could not be read, 5
something is gone or changed, 78 configuration
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from commands.archive.views import InventoryShape, inventory_data, inventory_view
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.kinds.inventory import (
    collections_of,
    exit_code_of,
    inspect_archive,
    inventory_job,
    inventory_work,
    parts_of,
)
from commands.jobs.performed import ShownJob
from commands.jobs.runner import perform, record_plan
from commands.jobs.validity import require_valid
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.archive import InventoryRun
from portalops.model.message import msg
from portalops.model.runs import Resource
from portalops.model.text import show_text
from portalops.registers.archive import inventories
from portalops.reports.document import Notice, Tone

MAX_REASON = 400


def inventory(
    ctx: typer.Context,
    *,
    accept: Annotated[
        str | None, typer.Option(metavar="REASON", help=_("Why it is right that entries are gone or changed"))
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Read and show everything, and record nothing"))] = False,
) -> Result[InventoryShape | ShownJob]:
    session = open_session(ctx)
    if accept is not None and not accept.strip():
        raise UsageError(msg("--accept is empty"), msg("Give the reason: the ledger keeps it for later readers."))
    accepted = show_text((accept or "").strip(), MAX_REASON)
    require_valid(session.settings)
    if dry_run:
        found = inspect_archive(parts_of(session, session.reader), accepted=accepted)
        return Result(inventory_data(found), inventory_view(found), exit_code=exit_code_of(found))
    collections_of(session.settings)  # what is wrong with them is told before anything is recorded
    job = inventory_job(session.settings.jobs)
    with session.hold(Resource.ARCHIVE, job=job.id):
        record_plan(session)
        done = perform(session, job, work=partial(inventory_work, accepted=accepted))
    if not isinstance(done.result, InventoryRun):
        return Result(done.shown(), [Notice(each, Tone.BAD) for each in done.said], exit_code=done.exit_code)
    found = next(inventories(session.writable_ledger)).body
    return Result(inventory_data(found, done.result.record), inventory_view(found), exit_code=done.exit_code)


VERB = Verb(inventory)
