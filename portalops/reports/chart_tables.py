"""Charts as tables, for formats and readers without pictures: the same numbers, nothing left out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portalops.model.message import Message, msg
from portalops.reports.document import Bars, Cell, LineChart, Quantity, TableBlock


def table_of_bars(bars: Bars) -> TableBlock:
    """Return a chart's counts: a row a label, a column a word."""
    words: list[Message] = []
    for _label, parts in bars.rows:
        words += [word for _tone, word, _count in parts if word not in words]
    return TableBlock(bars.caption, (msg("What"), *words), list(_bar_rows(bars, words)))


def _bar_rows(bars: Bars, words: Sequence[Message]) -> Iterator[Sequence[Cell]]:
    for label, parts in bars.rows:
        yield (label, *(sum(count for _tone, own, count in parts if own == word) for word in words))


def table_of_lines(chart: LineChart) -> TableBlock:
    """Return a chart's numbers: a row a moment, a column a line, and one for each limit."""
    headers = (msg("When"), *(line.name for line in chart.lines), *(name for name, _value in chart.limits))
    rows = [
        (
            moment,
            *(_quantity(chart, line.values[at]) for line in chart.lines),
            *(_quantity(chart, value) for _name, value in chart.limits),
        )
        for at, moment in enumerate(chart.moments)
    ]
    return TableBlock(chart.caption, headers, rows)


def _quantity(chart: LineChart, value: float | None) -> Cell:
    return None if value is None else Quantity(value, chart.decimals, chart.unit)
