"""The backup sets of a period, one by one and by class of data, and what other tools claim to have. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portalops.model.backups import DataClass
from portalops.model.message import msg, verbatim
from portalops.registers.adopted import claims_of
from portalops.registers.backups import SetEvidence
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, ByteSize, Cell, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_backups import class_blocks, sets_in_period
from portalops.reports.words import data_class_word, joined, outcome_status, set_kind_word


def set_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the sets that were made in the period, the newest first, by class of data, and what the newest one holds."""
    sets = sets_in_period(evidence)
    if sets:
        yield _class_table(sets)
        headers = (
            msg("Backup set"),
            msg("Made at"),
            msg("Kind"),
            msg("Outcome"),
            msg("Classes of data"),
            msg("Data"),
            msg("Stored"),
            msg("Run"),
            msg("Record"),
        )
        yield from bounded(
            TableBlock(
                msg("Backup sets made in the period, the newest first"),
                headers,
                [_set_row(made) for made in sets[::-1]],
            )
        )
    else:
        yield Paragraph(msg("No backup set was made in the period."))
    yield from class_blocks(evidence, sets)
    yield from _claims(evidence)


def _class_table(sets: Sequence[SetEvidence]) -> TableBlock:
    rows: list[tuple[Cell, ...]] = []
    for data_class in DataClass:
        holding = [
            (made, [stream for stream in made.set.streams if stream.data_class is data_class])
            for made in sets
            if any(stream.data_class is data_class for stream in made.set.streams)
        ]
        if not holding:
            continue
        whole = [
            made
            for made, streams in holding
            if data_class not in made.failed_classes and not any(each.unread or each.changed for each in streams)
        ]
        newest, streams = holding[-1]
        rows.append(
            (
                data_class_word(data_class),
                len(holding),
                len(whole),
                ", ".join(dict.fromkeys(each.source for each in streams)),
                ByteSize(sum(each.plain_bytes for each in streams)),
                newest.set.created_at,
            )
        )
    headers = (
        msg("Class of data"),
        msg("Sets that hold it"),
        msg("Of them complete"),
        msg("Sources in the newest of them"),
        msg("Data in it"),
        msg("Made at"),
    )
    return TableBlock(msg("Sets of the period, by class of data"), headers, rows)


def _set_row(made: SetEvidence) -> tuple[Cell, ...]:
    held = {stream.data_class for stream in made.set.streams}
    classes = [data_class_word(data_class) for data_class in DataClass if data_class in held]
    return (
        made.set.id,
        made.set.created_at,
        set_kind_word(made.set.kind),
        outcome_status(made.set.outcome),
        joined(classes) if classes else None,
        ByteSize(sum(stream.plain_bytes for stream in made.set.streams)),
        ByteSize(made.set.stored_bytes),
        made.run or None,
        str(made.seq),
    )


def _claims(evidence: Evidence) -> Iterator[Block]:
    claims = claims_of(each for each in evidence.adopted if each.at < evidence.period.bounds(evidence.zone)[1])
    if not claims:
        return
    rows: list[tuple[Cell, ...]] = []
    for claim in claims:
        newest = claim.look.newest()
        problem = Status(verbatim(claim.problem), Tone.UNSURE) if claim.problem else None
        made_at = newest.made_at if newest is not None else None
        word = data_class_word(claim.look.data_class)
        rows.append((claim.look.id, claim.look.tool, word, made_at, claim.at, problem, str(claim.seq)))
    headers = (
        msg("Source"),
        msg("Tool"),
        msg("Class of data"),
        msg("Newest backup that it claims"),
        msg("Claimed at"),
        msg("Why it has not answered since"),
        msg("Record"),
    )
    yield from bounded(TableBlock(msg("What other tools claim: shown, and no duty is judged by it"), headers, rows))
