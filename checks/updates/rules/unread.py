"""What could not be read of an answer: where it may hide what a week lacks, the week is not known to lack it. Pure.

What was read and is enough stays enough. A refused line or item bears on what it may have been, and on nothing else:

- one whose unit could be read, on that unit alone; one that names somebody who is no unit, on nobody;
- one that stood in the source before a stretch of time began hides nothing that was made in it, however often it comes again;
- rows that count by their own moments (a register, a mailbox, a database whose creation column is trusted) count again as soon
  as they are put right, for the day that they name then; so they bear only while they stand there as they are;
- items that count from when they were seen bear on the time in which they came up, also when they are gone or put right later;
- a row that leads to another host than the source's may be news that lies there: it is not read, and bears as any other part;
- a hole of unknown size, such as the end of a feed that breaks off, may hide something new in every answer that has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from checks.updates.rules.stamps import Stamp
from checks.updates.unlisted import Unlisted
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text
from portalops.model.updates import UpdateSourceTraits


class UnreadPart(NamedTuple):
    """A part of a source's answers that could not be read, and from when to when it stood there."""

    source: str
    unit: UnitId | None
    """None if it may be of any."""
    made_at: Stamp | None
    """When what it hides was made; None if it does not tell."""
    looked_before_at: Stamp | None
    """The good look before the one that first showed it; None if the first look did."""
    seen_at: Stamp
    """The look that first showed it."""
    gone_at: Stamp | None
    """The first good look that showed it no longer; None if the newest shows it."""
    is_open: bool
    """Nobody knows how much is in it, so that it may hide something new at every look."""
    elsewhere: str = ""
    """The address on another host that a row leads to; empty for what cannot be read."""
    unlisted: Unlisted | None = None
    """Addresses of a map that came up in it, and that no source has shown; None for what cannot be read."""


class UnreadableShare(NamedTuple):
    """How much of a source could not be read that bears on a stretch of time."""

    source: str
    parts: int
    """Lines or items; a hole of unknown size is one."""
    example: str = ""
    """Where one of them leads, if that is another host than the source's; or an address of a map."""
    is_unlisted: bool = False
    """They are addresses that came up in a map."""


def unreadable(
    refused: Mapping[str, Sequence[UnreadPart]],
    sources: Iterable[UpdateSourceTraits],
    *,
    unit: UnitId | None,
    start: Stamp,
    end: Stamp,
) -> tuple[UnreadableShare, ...]:
    """Return what bears on a stretch of time, by source.

    Args:
        refused: all that could not be read, by source.
        sources: those that would show an item.
        unit: whose item; None for anybody's.
        start: of the stretch.
        end: its exclusive end.
    """
    found: Counter[str] = Counter()
    examples: dict[str, str] = {}
    maps: set[str] = set()
    for traits in sources:
        for one in refused.get(traits.id, ()):
            is_own = unit is None or one.unit is None or one.unit == unit
            if is_own and _bears_on(one, start, end, is_dated=traits.attested or traits.trust_created):
                found[traits.id] += one.unlisted.number if one.unlisted else 1
                if one.unlisted:
                    maps.add(traits.id)
                    examples.setdefault(traits.id, one.unlisted.page)
                elif one.elsewhere:
                    examples.setdefault(traits.id, one.elsewhere)
    return tuple(
        UnreadableShare(source, count, examples.get(source, ""), source in maps) for source, count in found.items()
    )


def _bears_on(one: UnreadPart, start: Stamp, end: Stamp, *, is_dated: bool) -> bool:
    if is_dated and one.gone_at is not None:
        return False
    if is_dated and one.made_at is not None:
        return start <= one.made_at < end
    came_late = not is_dated and one.looked_before_at is not None and one.looked_before_at >= end
    stood_before = one.seen_at < start
    if one.is_open:
        stood_before = one.gone_at is not None and one.gone_at < start
    return not came_late and not stood_before


def say_unnamed(found: Sequence[UnreadableShare]) -> Message:
    """Say of at least one source how many of its lines name no unit by themselves."""
    said: Message | None = None
    for one in found:
        line = nmsg(
            "{n} line or item of source {source} names no unit and may be this unit's: have its author filled in",
            "{n} lines or items of source {source} name no unit and may be this unit's: have their authors filled in",
            one.parts,
            source=one.source,
        )
        said = line if said is None else msg("{first}; {second}", first=said, second=line)
    assert said is not None
    return said


def say_unreadable(found: Sequence[UnreadableShare]) -> Message:
    """Say of at least one source how much of it could not be read."""
    said: Message | None = None
    for one in found:
        line = nmsg(
            "{n} line or item of source {source} could not be read and may be the missing one",
            "{n} lines or items of source {source} could not be read and may be the missing ones",
            one.parts,
            source=one.source,
        )
        if one.is_unlisted:
            line = nmsg(
                "{n} address came up in the map {source} that no source of the unit has shown, and may be the missing item: {example}",
                "{n} addresses came up in the map {source} that no source of the unit has shown, and may be the missing items, such as {example}",
                one.parts,
                source=one.source,
                example=show_text(one.example, 200),
            )
        elif one.example:
            line = msg("{line}, such as {example}, which leads to another host", line=line, example=one.example)
        said = line if said is None else msg("{first}; {second}", first=said, second=line)
    assert said is not None
    return said
