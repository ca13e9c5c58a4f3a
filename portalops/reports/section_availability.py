"""How reachable the pages were over a period, by day and by page, as the samples of the ledger tell it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor
from typing import Final

from portalops.model.availability import COVERED_PERCENT, SpanCounts
from portalops.model.message import msg, nmsg, verbatim
from portalops.model.period import Period
from portalops.model.server_history import ServerHistory, WatchedPage
from portalops.model.text import show_text
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import (
    Block,
    Cell,
    Line,
    LineChart,
    Notice,
    Paragraph,
    Quantity,
    Status,
    TableBlock,
    Tone,
)

IN_A_CHART: Final = 4
MOST_CHARTS: Final = 3
SEQS_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class _Seen:
    """A page with its counts."""

    watched: WatchedPage
    days: tuple[tuple[date, SpanCounts], ...]
    whole: SpanCounts

    @property
    def share(self) -> float:
        return self.whole.percent if self.whole.percent is not None else -1.0


def availability_blocks(evidence: Evidence, history: ServerHistory) -> Iterator[Block]:
    """Yield the availability of each page: lines by day, the least reachable first, a row a page, and each outage."""
    if history.lost_samples:
        left = "…" if len(history.lost_samples) > SEQS_SHOWN else ""
        seqs = ", ".join(map(str, history.lost_samples[:SEQS_SHOWN])) + left
        yield Notice(
            nmsg(
                "{n} record of samples cannot be read ({seqs}): the state in that time is unknown.",
                "{n} records of samples cannot be read ({seqs}): the state in that time is unknown.",
                len(history.lost_samples),
                seqs=seqs,
            ),
            Tone.BAD,
        )
    if not history.pages:
        yield Notice(
            msg("No page is declared and none was sampled: it is unknown how reachable the servers' pages were.")
        )
        return
    seen = sorted(
        (_counted(each, evidence) for each in history.pages), key=lambda each: (each.share, each.watched.page.host)
    )
    yield Paragraph(
        msg(
            "Each page is requested from one place every few minutes. A span counts as away if one sample in "
            "it found no page; a day is shown if at least {percent} % of its spans were sampled. The "
            "required share is set in the configuration: the regulation requires that servers run "
            "continuously, and names no number.",
            percent=COVERED_PERCENT,
        )
    )
    yield from _charts(seen)
    yield from bounded(_pages(seen))
    yield from _outages(seen)


def _counted(watched: WatchedPage, evidence: Evidence) -> _Seen:
    page = watched.page
    bounds = (
        (day, Period(day, day).bounds(evidence.zone)) for day in evidence.period.days() if day <= evidence.last_day()
    )
    days = tuple((day, page.counts(first, last)) for day, (first, last) in bounds)
    return _Seen(watched, days, page.counts(*evidence.period.bounds(evidence.zone)))


def _charts(seen: Sequence[_Seen]) -> Iterator[Block]:
    told = [each for each in seen if any(counts.is_covered for _day, counts in each.days)]
    if not told:
        yield Notice(msg("On no day of the period was a page sampled enough to draw a line."))
        return
    shown = told[: IN_A_CHART * MOST_CHARTS]
    for at in range(0, len(shown), IN_A_CHART):
        yield _chart(shown[at : at + IN_A_CHART], at // IN_A_CHART + 1, -(-len(shown) // IN_A_CHART))
    if more := len(told) - len(shown):
        yield Paragraph(
            nmsg(
                "{n} page that was more reachable is not drawn.",
                "{n} pages that were more reachable are not drawn.",
                more,
            )
        )


def _chart(pages: Sequence[_Seen], number: int, count: int) -> LineChart:
    lines = [
        Line(
            verbatim(_short(each.watched)),
            _tone(each),
            [counts.percent if counts.is_covered else None for _day, counts in each.days],
        )
        for each in pages
    ]
    asked = {each.watched.asked_percent for each in pages} - {None}
    limits = [(msg("required"), each) for each in asked if each is not None] if len(asked) == 1 else []
    lowest = min(
        value for line in lines for value in (*line.values, *(limit for _, limit in limits)) if value is not None
    )
    caption = msg("Share of the time in which pages were reachable, by day")
    if count > 1:
        caption = msg("{caption} ({number} of {count})", caption=caption, number=number, count=count)
    return LineChart(
        caption,
        [day for day, _counts in pages[0].days],
        lines,
        decimals=2,
        unit="%",
        limits=limits,
        lowest=min(99.0, floor(lowest)),
        highest=100,
    )


def _short(watched: WatchedPage) -> str:
    return show_text(watched.page.url.removeprefix("https://").removesuffix("/"), 60)


def _tone(each: _Seen) -> Tone:
    return _standing(each).tone


def _pages(seen: Sequence[_Seen]) -> TableBlock:
    headers = (
        msg("Page"), msg("Host"), msg("Days shown"), msg("Time sampled"), msg("Reachable"), msg("Required"),
        msg("Minutes away"), msg("Over the period"),
    )  # fmt: skip
    return TableBlock(
        msg("How reachable each page was over the period, the least reachable first"),
        headers,
        [_row(each) for each in seen],
    )


def _row(each: _Seen) -> tuple[Cell, ...]:
    page, whole, asked = each.watched.page, each.whole, each.watched.asked_percent
    told = sum(counts.is_covered for _day, counts in each.days)
    minutes = round(whole.down * page.span.total_seconds() / 60)
    return (
        show_text(page.url),
        show_text(page.host, 60),
        msg("{n} of {all}", n=told, all=len(each.days)),
        Quantity(100 * whole.observed / whole.spans, 1, "%") if whole.spans else None,
        None if whole.percent is None else Quantity(floor(100 * whole.percent) / 100, 2, "%"),
        None if asked is None else Quantity(asked, 2, "%"),
        minutes if whole.observed else None,
        _standing(each),
    )


def _standing(each: _Seen) -> Status:
    if each.watched.asked_percent is None:
        return Status(msg("no longer declared"), Tone.NEUTRAL)
    if not each.whole.observed:
        return Status(msg("not sampled"), Tone.UNSURE)
    match each.whole.reaches(each.watched.asked_percent):
        case True:
            return Status(msg("as required"), Tone.GOOD)
        case False:
            return Status(msg("less than required"), Tone.BAD)
        case None:
            return Status(msg("sampled too little to judge"), Tone.UNSURE)


def _outages(seen: Sequence[_Seen]) -> Iterator[Block]:
    found = [(each.watched.page, *span) for each in seen for span in each.watched.page.outages()]
    if not found:
        if any(each.whole.observed for each in seen):
            yield Paragraph(msg("Every sample found the page available."))
        return
    found.sort(key=lambda each: (each[1] - each[2], each[0].host, each[0].url, each[1]))
    headers = (msg("Page"), msg("Host"), msg("From"), msg("To"), msg("Minutes"))
    rows = [
        (show_text(page.url), show_text(page.host, 60), first, last, round((last - first).total_seconds() / 60))
        for page, first, last in found
    ]
    yield from bounded(TableBlock(msg("When pages were away without a break, the longest first"), headers, rows))
