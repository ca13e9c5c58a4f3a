"""How reachable pages were, as the records of samples tell it: each span of a few minutes is up, down, or was not looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.availability import DOWN, UP, PageSpans, SampleBatch
from portalops.model.organisation import HostId
from portalops.model.record import Record
from portalops.ports import LedgerReader

LATE: Final = timedelta(days=7)
"""So much later than its samples a batch may have been begun that is looked at for them: stations record at their own times."""
SAMPLES: Final = "availability.samples"
KEY: Final = "samples"


@dataclass(frozen=True, slots=True)
class Reached:
    """One page in one period."""

    spans: int
    """How many there are in the period."""
    up: int
    down: int
    """A span counts as down if one look in it found the page so."""


def reached(
    batches: Iterable[SampleBatch], first: datetime, last: datetime, span: timedelta
) -> Mapping[tuple[HostId, str], Reached]:
    """Return how reachable each page was.

    Args:
        batches: in any order; samples that come twice change nothing.
        first: the period's beginning.
        last: its end, not included.
        span: how long one look speaks for.
    """
    seen: dict[tuple[HostId, str], dict[int, bool]] = {}
    for batch in batches:
        for page in batch.pages:
            spans = seen.setdefault((page.host, page.url), {})
            for sample in page.samples:
                at = batch.began_at + timedelta(seconds=sample.second)
                if first <= at < last:
                    number = (at - first) // span
                    spans[number] = spans.get(number, True) and sample.is_up
    total = (last - first) // span
    return {key: Reached(total, sum(spans.values()), len(spans) - sum(spans.values())) for key, spans in seen.items()}


def spans_of(
    batches: Iterable[SampleBatch], first: datetime, last: datetime, span_of: Callable[[HostId], timedelta]
) -> tuple[PageSpans, ...]:
    """Return each page that was looked at in a time, by host and address; a span is down if one look in it found the page so.

    Args:
        batches: in any order; samples that come twice change nothing. Each is let go before the next is taken.
        first: when the time begins.
        last: when it ends, not included.
        span_of: how long one look at a host's pages speaks for.
    """
    found: dict[tuple[HostId, str], bytearray] = {}
    for batch in batches:
        # The first second of the batch that lies in the time, and the first one behind it: quicker than a moment for each sample.
        begins, ends = (-((batch.began_at - bound) // timedelta(seconds=1)) for bound in (first, last))
        for page in batch.pages:
            span = span_of(page.host)
            ahead, length = (batch.began_at - first).total_seconds(), span.total_seconds()
            states = found.get((page.host, page.url))
            for sample in page.samples:
                if not begins <= sample.second < ends:
                    continue
                if states is None:
                    states = found[page.host, page.url] = bytearray(-((first - last) // span))
                place = int((ahead + sample.second) // length)
                states[place] = max(states[place], UP if sample.is_up else DOWN)
    return tuple(
        PageSpans(host, url, first, span_of(host), bytes(states)) for (host, url), states in sorted(found.items())
    )


def batches_of(ledger: LedgerReader, since: datetime, until: datetime, lost: list[int]) -> Iterator[SampleBatch]:
    """Yield the batches that may hold samples of a time, one at a time, since many of them are large.

    Args:
        ledger: read only.
        since: when the time begins.
        until: when it ends.
        lost: gets the numbers of the records whose details cannot be read.
    """
    for record in ledger.records(kinds=(SAMPLES,), since=since):
        batch = _batch(ledger, record)
        if batch is None:
            lost.append(record.seq)
        elif batch.began_at >= until + LATE:
            return
        else:
            yield batch


def read_batches(
    ledger: LedgerReader, since: datetime, until: datetime | None = None
) -> tuple[tuple[SampleBatch, ...], tuple[int, ...]]:
    """Return the batches recorded in a span of time, and the numbers of the records whose details cannot be read."""
    found: list[SampleBatch] = []
    lost: list[int] = []
    for record in ledger.records(kinds=(SAMPLES,), since=since, until=until):
        batch = _batch(ledger, record)
        if batch is None:
            lost.append(record.seq)
        else:
            found.append(batch)
    return tuple(found), tuple(lost)


def _batch(ledger: LedgerReader, record: Record) -> SampleBatch | None:
    try:
        return decode_part(ledger.blob(record.body), KEY, SampleBatch)
    except PortalOpsError:
        return None
