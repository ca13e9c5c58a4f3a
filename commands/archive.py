"""Count originals, copies and drafts against the content items (Article 10.1).

[[archive.collection]] tables say where they lie: queries of the content database, and folders of files.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from commands._archive_work import (
    DUTY,
    collections_of,
    exit_code_of,
    faults_of,
    inventory_job,
    inventory_work,
    look_at_archive,
)
from commands._jobs import SHOWN_PROBLEMS, perform, record_plan, require_valid, resource_lock
from commands._result import JsonValue, Result
from commands._session import open_session
from portalops.compliance.article_10 import held_word
from portalops.errors import UsageError
from portalops.ledger import bodies
from portalops.locale import _
from portalops.model.archive import Inventory, InventoryRun
from portalops.model.message import Message, msg, verbatim
from portalops.model.runs import Resource
from portalops.model.text import show_text
from portalops.registers.archive import inventories
from portalops.reports.document import Block, ByteSize, Cell, Notice, Paragraph, Status, Table, Tone

MAX_REASON = 400

app = typer.Typer(no_args_is_help=True)


@app.command(
    help=_(
        "Take an inventory of originals, copies and drafts\n\nReads and digests everything in the collections of"
        " [[archive.collection]], counts it against the content items, lists the gaps, and compares with the inventory"
        " before. The listing is kept as evidence. What is gone stays told of until it is back, or until --accept says why"
        " it may be gone.\n\nExample: portalops archive inventory; portalops archive inventory --dry-run; portalops archive"
        " inventory --accept 'moved to the provincial archive, decision 12/2026'\n\nEXIT STATUS: 0 no gap, 1 an item lacks"
        " something, or something belongs to no item, 3 a collection could not be read, 5 something is gone or changed, 78"
        " configuration"
    )
)
def inventory(
    ctx: typer.Context,
    *,
    accept: Annotated[
        str | None, typer.Option(metavar="REASON", help=_("Why what is gone or changed may be so"))
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Read and show everything, and record nothing"))] = False,
) -> Result:
    session = open_session(ctx)
    if accept is not None and not accept.strip():
        raise UsageError(msg("--accept is empty"), msg("Say why, for whoever reads the ledger later."))
    accepted = show_text((accept or "").strip(), MAX_REASON)
    require_valid(session.settings)
    if dry_run:
        found = look_at_archive(session, accepted=accepted, keeps=False)
        return Result({"record": None, **_data(found)}, _view(found), exit_code=exit_code_of(found))
    collections_of(session)  # what is wrong with them is told before anything is recorded
    with resource_lock(session, Resource.ARCHIVE, job=inventory_job(session).id):
        record_plan(session)
        done = perform(session, inventory_job(session), work=partial(inventory_work, accepted=accepted))
    if not isinstance(done.result, InventoryRun):
        return Result(
            done.data(), [Notice(verbatim(each), Tone.BAD) for each in done.problems], exit_code=done.exit_code
        )
    found = next(inventories(session.writable_ledger)).body
    return Result({"record": done.result.record, **_data(found)}, _view(found), exit_code=done.exit_code)


@app.command(
    help=_(
        "Compare the archive with its last inventory\n\nReads and digests everything again and names what is gone or changed"
        " since the newest inventory that nothing was wrong with. Records nothing: 'portalops archive inventory' does."
        "\n\nExample: portalops archive verify\n\nEXIT STATUS: 0 all is there, 1 an item lacks something, or something"
        " belongs to no item, 3 a collection could not be read, 4 there is no inventory to compare with, 5 something is gone"
        " or changed, 78 configuration"
    )
)
def verify(ctx: typer.Context) -> Result:
    session = open_session(ctx)
    require_valid(session.settings)
    found = look_at_archive(session, keeps=False, must_compare=True)
    return Result(_data(found), _view(found), exit_code=exit_code_of(found))


def _view(found: Inventory) -> list[Block]:
    rows: list[tuple[Cell, ...]] = [
        (
            each.id,
            held_word(each.what),
            each.kind,
            each.entries,
            each.items,
            ByteSize(each.size_bytes),
            each.source,
            Status(msg("not read whole"), Tone.BAD) if each.problem or each.unread.count else None,
        )
        for each in found.collections
    ]
    headers = (
        msg("Collection"),
        msg("Holds"),
        msg("Kind"),
        msg("Entries"),
        msg("Items"),
        msg("Size"),
        msg("Backup source"),
        msg("Remark"),
    )
    blocks: list[Block] = [Table(msg("The archive by Article {article}", article=DUTY), headers, rows)]
    faults = list(faults_of(found))
    if faults:
        blocks += [Notice(line, Tone.BAD) for line in faults[:SHOWN_PROBLEMS]]
    else:
        blocks.append(Paragraph(msg("All {n} items are accounted for in each state.", n=found.items)))
    blocks += [Paragraph(msg("Declared to have none: {excuse}", excuse=excuse)) for excuse in found.excused]
    if found.comparison is not None:
        blocks.append(
            Table(
                msg("Since the inventory of {moment}", moment=found.comparison.made_at),
                (msg("Collection"), msg("Before"), msg("Now"), msg("New"), msg("Gone"), msg("Changed"), msg("Judged")),
                [
                    (
                        each.collection,
                        each.before,
                        each.now,
                        each.added,
                        each.vanished.count,
                        each.changed.count,
                        _judged(is_fault=each.is_fault, accepted=found.accepted),
                    )
                    for each in found.comparison.changes
                ],
            )
        )
    if found.accepted:
        blocks.append(Paragraph(msg("Missing and changed entries were accepted: {reason}", reason=found.accepted)))
    return blocks


def _judged(*, is_fault: bool, accepted: str) -> Status:
    if not is_fault:
        return Status(msg("as it may be"), Tone.GOOD)
    return Status(msg("accepted"), Tone.UNSURE) if accepted else Status(msg("must not be"), Tone.BAD)


def _data(found: Inventory) -> dict[str, JsonValue]:
    lines: list[Message] = list(faults_of(found))
    shown = bodies.encode(found)
    assert isinstance(shown, dict)
    return {**shown, "faults": [str(line) for line in lines]}
