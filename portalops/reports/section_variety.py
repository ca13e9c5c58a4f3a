"""What was published by kind and language, and what has no English pair (Articles 8 and 3.1): tables for reports and papers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Name, UnitId
from portalops.model.variety import Variety
from portalops.reports.document import Block, Cell, Paragraph, TableBlock

_LANGUAGES: Mapping[str, Message] = {
    "vi": msg("in Vietnamese"),
    "en": msg("in English"),
    "": msg("language not stated"),
}


def variety_blocks(variety: Variety | None, names: Mapping[UnitId, Name]) -> Iterator[Block]:
    """Yield the counts by kind and language, what is known of pairs, and the items without one; nothing if none were made."""
    if variety is None:
        return
    yield from counts_blocks(variety)
    if variety.unpaired:
        yield unpaired_table(variety, names)


def counts_blocks(variety: Variety) -> Iterator[TableBlock | Paragraph]:
    """Yield the counts by kind and language, and what is known of pairs; or why nothing is counted."""
    if not variety.items:
        yield Paragraph(
            msg(
                "From {first} to {last} no item is known to be new, so none is counted by kind and language: for "
                "items present at the first poll of a source, only a trusted creation time shows when they came.",
                first=variety.first,
                last=variety.last,
            )
        )
        return
    if sum(variety.kinds):
        yield _kinds_table(variety)
    else:
        yield Paragraph(msg("No source states which of the 12 kinds of Article 8 its items belong to."))
    yield _languages_table(variety)
    if variety.paired or variety.unpaired or variety.unpaired_more or variety.untold:
        yield Paragraph(pairs_sentence(variety))
    elif all(not one.language for one in variety.languages):
        yield Paragraph(msg("No source states its items' language, so it is not known which have an English version."))


def _kinds_table(variety: Variety) -> TableBlock:
    """Return a row for each kind, also one of which nothing was seen, and their sum."""
    rows: list[tuple[Cell, ...]] = [
        (msg("kind {number} of Article 8", number=number), count) for number, count in enumerate(variety.kinds, 1)
    ]
    rows.append((msg("kind not stated by the source"), variety.no_kind))
    caption = msg(
        "New items on the portal and the sub-portals from {first} to {last}, by kind",
        first=variety.first, last=variety.last,
    )  # fmt: skip
    return TableBlock(caption, (msg("Kind"), msg("New items")), [*rows, (msg("Total"), variety.items)])


def _languages_table(variety: Variety) -> TableBlock:
    """Return a row for each language, and their sum."""
    rows: list[tuple[Cell, ...]] = [
        (_LANGUAGES.get(one.language) or msg("in the language {tag}", tag=one.language), one.items)
        for one in variety.languages
    ]
    caption = msg(
        "New items on the portal and the sub-portals from {first} to {last}, by language",
        first=variety.first, last=variety.last,
    )  # fmt: skip
    return TableBlock(caption, (msg("Language"), msg("New items")), [*rows, (msg("Total"), variety.items)])


def pairs_sentence(variety: Variety) -> Message:
    """Say what is known of English pairs, by what it is known, and what is not known."""
    missing = len(variety.unpaired) + variety.unpaired_more
    pairs = msg(
        "Of the Vietnamese items, {paired} are also published in English, by their source or their "
        "addresses; {missing} are not, although their site's pairs can be recognised; for {untold} it is "
        "not known.",
        paired=variety.paired,
        missing=missing,
        untold=variety.untold,
    )
    if variety.lag_median_days is None or variety.lag_longest_days is None:
        return pairs
    return msg(
        "{pairs} For {known} pairs both arrivals were seen: half of the English items came within "
        "{median} days, the last after {longest}.",
        pairs=pairs,
        known=variety.lag_known,
        median=variety.lag_median_days,
        longest=variety.lag_longest_days,
    )


def unpaired_table(variety: Variety, names: Mapping[UnitId, Name]) -> TableBlock:
    """Return the Vietnamese items of which no English one is seen."""
    rows: list[tuple[Cell, ...]] = [
        (names.get(one.unit, one.unit) if one.unit else None, one.title, one.url, one.first_seen_at, one.days)
        for one in variety.unpaired
    ]
    caption = nmsg(
        "{n} Vietnamese item without an English one",
        "{n} Vietnamese items without an English one",
        len(variety.unpaired) + variety.unpaired_more,
    )
    if variety.unpaired_more:
        caption = msg("{caption}, of which the first {shown} are named", caption=caption, shown=len(variety.unpaired))
    return TableBlock(
        caption, (msg("Unit"), msg("Title"), msg("Address"), msg("First seen"), msg("Days without")), rows
    )
