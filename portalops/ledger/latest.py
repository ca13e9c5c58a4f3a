"""How late it is in a ledger: the time in force, by the index of times (docs/ledger-format.md, Order of time)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from portalops.ledger.chain import bytes_of, fields_of
from portalops.ledger.stores import StoredLines
from portalops.registers.writers import BY_TWO


def find_latest(lines: StoredLines, mended: Iterable[int], passed: Collection[int], last: int | None = None) -> str:
    """Return the time that what follows a line may not be before, as `times.find_time_in_force` does; empty without one.

    Mostly the first line that the index names is the one. Others are read only where a time stands out of order.

    Args:
        lines: the ledger's.
        mended: numbers of the mended clocks that count.
        passed: numbers of the records that set no time, as far as they are known.
        last: the line's number; None for the newest.
    """
    begin = max((seq for seq in mended if last is None or seq <= last), default=0)
    for seq in lines.latest_first(max(begin - 1, 0), last):
        if seq in passed and seq != begin:
            continue
        for chunk in lines.read_between(seq - 1, seq, 1):
            fields = fields_of(bytes_of(chunk.lines[0]))
            if fields is not None and fields.seq == seq and (seq == begin or fields.kind not in BY_TWO):
                return fields.at
    return ""
