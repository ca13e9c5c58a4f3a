"""How reachable pages were, as the records of samples tell it: each span of a few minutes is up, down, or was not looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from portalops.errors import PortalOpsError
from portalops.ledger.bodies import decode_part
from portalops.model.availability import SampleBatch
from portalops.model.organisation import HostId

if TYPE_CHECKING:
    from portalops.registers.evidence import LedgerReader

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


def read_batches(
    ledger: LedgerReader, since: datetime, until: datetime | None = None
) -> tuple[tuple[SampleBatch, ...], tuple[int, ...]]:
    """Return the batches recorded in a span of time, and the numbers of the records whose details cannot be read."""
    found: list[SampleBatch] = []
    lost: list[int] = []
    for record in ledger.records(kinds=(SAMPLES,), since=since, until=until):
        try:
            batch = decode_part(ledger.blob(record.body), KEY, SampleBatch)
        except PortalOpsError:
            batch = None
        if batch is None:
            lost.append(record.seq)
        else:
            found.append(batch)
    return tuple(found), tuple(lost)
