"""What the verbs of this noun show alike."""

from __future__ import annotations

from commands.cli.shapes import shape
from commands.jobs.kinds.inventory import DUTY, faults_of
from commands.jobs.runner import SHOWN_PROBLEMS
from portalops.compliance.article_10 import held_word
from portalops.model.archive import Inventory
from portalops.model.message import msg, nmsg
from portalops.reports.document import Block, ByteSize, Cell, Notice, Paragraph, Status, TableBlock, Tone


def inventory_view(found: Inventory) -> list[Block]:
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
    blocks: list[Block] = [TableBlock(msg("The archive by Article {article}", article=DUTY), headers, rows)]
    faults = list(faults_of(found))
    if faults:
        blocks += [Notice(line, Tone.BAD) for line in faults[:SHOWN_PROBLEMS]]
    else:
        blocks.append(
            Paragraph(
                nmsg("The {n} item is there in each state.", "All {n} items are there in each state.", found.items)
            )
        )
    blocks += [Paragraph(msg("Declared to have none: {excuse}", excuse=excuse)) for excuse in found.excused]
    if found.comparison is not None:
        blocks.append(
            TableBlock(
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
        return Status(msg("allowed"), Tone.GOOD)
    return Status(msg("accepted"), Tone.UNSURE) if accepted else Status(msg("not allowed"), Tone.BAD)


@shape
class InventoryShape(Inventory):
    """An inventory as it is recorded, with what is wrong in it."""

    faults: tuple[str, ...] = ()
    """One English sentence for each kind of fault, the worst first; the numbers are in the other fields."""
    record: int | None = None
    """Of the ledger; null if nothing was recorded."""


def inventory_data(found: Inventory, record: int | None = None) -> InventoryShape:
    """Return an inventory as `--json` shows it."""
    return InventoryShape(
        found.collections,
        found.items,
        found.missing,
        found.strays,
        found.excused,
        found.evidence,
        found.comparison,
        found.accepted,
        faults=tuple(str(fault) for fault in faults_of(found)),
        record=record,
    )
