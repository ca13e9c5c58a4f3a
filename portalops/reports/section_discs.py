"""What is burnt of the sets that lie as images of discs, and the discs that there are. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portalops.model.message import msg
from portalops.registers.backups import GONE, SetEvidence
from portalops.registers.discs import OPTICAL, HeldDisc, belonging, whole_numbers
from portalops.reports.document import Cell, Status, TableBlock, Tone
from portalops.reports.words import disc_status


def disc_blocks(sets: Sequence[SetEvidence]) -> Iterator[TableBlock]:
    """Yield of each set with images of discs how many of its discs are burnt, and every disc; nothing without any."""
    rows: list[tuple[Cell, ...]] = [
        (made.set.id, copy.medium, burnt_status(made.discs_of(copy.medium)))
        for made in sets
        for copy in made.copies
        if copy.medium_kind == OPTICAL and copy.state not in GONE
    ]
    if rows:
        title = msg("Disc images: files in a folder, not discs until they are burnt")
        yield TableBlock(title, (msg("Backup set"), msg("Medium"), msg("Discs burnt and read back")), rows)
    discs: list[tuple[Cell, ...]] = [
        (
            made.set.id,
            held.name,
            disc_status(held.state),
            held.burnt_at,
            held.read_at,
            held.burnt.place or None,
            held.burnt.custodian or None,
        )
        for made in sets
        for held in made.discs
    ]
    if discs:
        headers = (
            msg("Backup set"),
            msg("Disc"),
            msg("State"),
            msg("Burnt at"),
            msg("Last read back in full at"),
            msg("Place when burnt"),
            msg("Custodian when burnt"),
        )
        yield TableBlock(msg("Burnt discs"), headers, discs)


def burnt_status(discs: Sequence[HeldDisc]) -> Status:
    """Return how many discs of a set's images are burnt and whole, out of how many."""
    if not discs:
        return Status(msg("none"), Tone.UNSURE)
    burnt, count = len(whole_numbers(discs)), belonging(discs)[-1].burnt.count
    return Status(msg("{burnt} of {count}", burnt=burnt, count=count), Tone.GOOD if burnt == count else Tone.UNSURE)
