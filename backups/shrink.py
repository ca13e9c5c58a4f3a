"""Whether a source yields far less than it did: a rule over what the newest complete sets held. Pure.

A dump of an emptied database, or a folder whose disk is not mounted, is read without a fault; only what was there before tells.
Compared are the bytes of a stream, the members of an archive and the rows of each table. Of a differential that is all that was
seen, written or not, with what the newest stream that stands alone held. What somebody accepted is what counts from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from portalops.errors import UsageError
from portalops.model.backups import Shrink, Stream
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text

DEFAULT_LIMIT_PERCENT = 50
BYTES, MEMBERS, ROWS_OF = "bytes", "members", "rows of "
FLOOR = {BYTES: 4096, MEMBERS: 20, ROWS_OF: 100}
"""Less than that was there before: then a percentage says nothing."""

Amounts = Mapping[str, int]
"""How much of each measure: `bytes`, `members`, `rows of TABLE`."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What a differential left out because the base has it as it is."""

    members: int = 0
    plain_bytes: int = 0
    """About what it would take in the stream, rather too much than too little."""


@dataclass(frozen=True, slots=True)
class ShrinkRule:
    """What a source's streams held, and how much less they may hold."""

    limit_percent: int = DEFAULT_LIMIT_PERCENT
    before: Mapping[str, Amounts] = field(default_factory=dict)
    """By stream."""
    is_accepted: bool = False
    """Somebody said that less is right this time."""


@dataclass(frozen=True, slots=True)
class Made:
    """A set, as far as later ones are compared with it."""

    streams: Sequence[Stream]
    accepted: Sequence[Shrink] = ()


def amounts_of(stream: Stream, unchanged: Unchanged = Unchanged()) -> dict[str, int]:  # frozen
    """Return how much a stream holds of each measure, with what the base has of it."""
    found = {BYTES: stream.plain_bytes + unchanged.plain_bytes, MEMBERS: stream.members + unchanged.members}
    return found | {f"{ROWS_OF}{each.table}": each.rows for each in stream.rows}


def held_before(made: Iterable[Made]) -> dict[str, dict[str, Amounts]]:
    """Return what is compared with, by source and stream.

    Args:
        made: sets, oldest first; of each, those sources count that could be read whole.
    """
    found: dict[str, dict[str, Amounts]] = {}
    for each in made:
        for source in dict.fromkeys(stream.source for stream in each.streams):
            streams = [stream for stream in each.streams if stream.source == source]
            if any(stream.unread for stream in streams):
                continue
            # Streams that are no more were accepted, or else this set would lack the source.
            kept = found.get(source, {}) if any(stream.differential for stream in streams) else {}
            whole = {stream.name: amounts_of(stream) for stream in streams if not stream.differential}
            found[source] = {**kept, **whole}
        for shrink in each.accepted:
            held = found.setdefault(shrink.source, {})
            held[shrink.stream] = {**held.get(shrink.stream, {}), shrink.measure: shrink.now}
    return found


def shrink_rules(
    limits: Mapping[str, int], made: Iterable[Made], accepted: Collection[str] = ()
) -> dict[str, ShrinkRule]:
    """Return how much less than before each source may yield.

    Args:
        limits: by source, by how many percent it may shrink.
        made: sets, oldest first.
        accepted: sources of which somebody says that less is right this time.

    Raises:
        UsageError: there is no such source.
    """
    if unknown := [source for source in accepted if source not in limits]:
        raise UsageError(
            msg("there is no backup source {source}", source=show_text(unknown[0], 80)),
            msg("The sources are: {sources}.", sources=", ".join(limits) or msg("none")),
        )
    before = held_before(made)
    return {source: ShrinkRule(limit, before.get(source, {}), source in accepted) for source, limit in limits.items()}


def shrinks(
    source: str, rule: ShrinkRule, streams: Sequence[Stream], unchanged: Mapping[str, Unchanged]
) -> tuple[Shrink, ...]:
    """Return what fell by more than the limit, the largest fall first.

    A table or stream that is gone fell to nothing; of a source whose set is incomplete anyway that is no news, and a stream
    without any counts says nothing of rows.

    Args:
        source: the source's id.
        rule: what was there, and the limit.
        streams: what the source has yielded now.
        unchanged: what differential streams left out, by stream.
    """
    now = {stream.name: amounts_of(stream, unchanged.get(stream.name, Unchanged())) for stream in streams}
    is_whole = not any(stream.unread for stream in streams)
    found = [
        Shrink(source, name, measure, before, after)
        for name, amounts in rule.before.items()
        if name in now or is_whole
        for measure, before, after in _pairs(amounts, now.get(name, {BYTES: 0}))
        if before >= _floor(measure) and (before - after) * 100 > before * rule.limit_percent
    ]
    return tuple(sorted(found, key=lambda each: each.now / each.before))


def _pairs(before: Amounts, now: Amounts) -> Iterator[tuple[str, int, int]]:
    has_rows = any(measure.startswith(ROWS_OF) for measure in now)
    for measure, amount in before.items():
        if measure in now or (measure.startswith(ROWS_OF) and has_rows):
            yield measure, amount, now.get(measure, 0)


def _floor(measure: str) -> int:
    return FLOOR.get(measure, FLOOR[ROWS_OF])


def describe_shrinks(source: str, found: Sequence[Shrink], limit_percent: int) -> Message:
    """Return why a source fails: the numbers, and what to do if they are right."""
    numbers = verbatim(
        show_text(", ".join(f"{each.stream}: {each.measure} {each.before} -> {each.now}" for each in found[:3]), 300)
    )
    return msg(
        "far less than in the newest complete set ({numbers}); a fall of {limit} % is allowed. If all data is "
        "there: portalops backup run --accept-shrink {source}",
        numbers=msg("{numbers}; {n} more", numbers=numbers, n=len(found) - 3) if len(found) > 3 else numbers,
        limit=limit_percent,
        source=source,
    )
