"""The order of time in a ledger, once it is known what counts; pure (docs/ledger-format.md, Order of time)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from portalops.ledger.chain import ChainPass, Chunk, Faults, bytes_of, early_record, fields_of
from portalops.ledger.quarantines import mended_clocks, records_mistimed, records_set_aside
from portalops.model.quarantines import SetAside
from portalops.registers.writers import BY_TWO


def check_times(
    chunks: Iterable[Chunk],
    after: int,
    chain: ChainPass,
    counted: Sequence[SetAside],
    faults: Faults,
    *,
    latest: str = "",
) -> frozenset[int]:
    """Name what is before its time; return the numbers of all records that are.

    Args:
        chunks: the chain's lines again.
        after: the number before the first of them.
        chain: what the pass over the chain found; its newest time is set right.
        counted: the quarantines and mended clocks that count.
        faults: receives what is found; it is none where the record is excused, or a mended clock names it.
        latest: the time in force before the first of the lines; empty at the chain's beginning.
    """
    if not chain.is_early:
        return frozenset()
    healed, misplaced = records_mistimed(counted), set[int]()
    for seq, at, before, _latest in _timed(chunks, after, counted, latest):
        chain.last_at = at
        if at < before:
            misplaced.add(seq)
            if seq not in healed:
                faults.add_excusable(seq, early_record(seq, at))
    return frozenset(misplaced)


def find_time_in_force(chunks: Iterable[Chunk], after: int, seq: int, counted: Sequence[SetAside]) -> str:
    """Return the time that what follows a line may not be before; empty without one.

    Args:
        chunks: the chain's lines.
        after: the number before the first of them.
        seq: the line's number.
        counted: the quarantines and mended clocks before it that count.
    """
    found = ""
    for number, _at, _before, latest in _timed(chunks, after, counted):
        if number > seq:
            break
        found = latest
    return found


def _timed(
    chunks: Iterable[Chunk], after: int, counted: Sequence[SetAside], latest: str = ""
) -> Iterator[tuple[int, str, str, str]]:
    """Yield number and time of each record, and the time in force before it and behind it.

    A counted mended clock begins time anew. What is set aside sets no time, nor does a quarantine or any other mended clock: its text
    names no time of its record, so that whoever has it can append it again.
    """
    mended, aside = mended_clocks(counted), records_set_aside(counted)
    for chunk in chunks:
        places = range(after + 1, after + 1 + len(chunk.lines)) if chunk.places is None else chunk.places
        for place, line in zip(places, chunk.lines, strict=True):
            fields = fields_of(bytes_of(line)) if isinstance(place, int) else None
            if fields is None or not isinstance(place, int):
                continue
            before = "" if place in mended else latest
            sets_time = fields.seq == place and place not in aside and fields.kind not in BY_TWO
            if place in mended or (sets_time and fields.at >= latest):
                latest = fields.at
            yield place, fields.at, before, latest
        after += len(chunk.lines)
