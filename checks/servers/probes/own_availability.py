"""How reachable the host's pages were in the last 30 days, counted from the samples that the ledger holds.

No command runs for it: the counts join the host's answer when it is received.

    {"batches":120,"days":30,"minutes":5,"pages":{"https%3A//portal.example.vn/":[8640,8633,7]},"state":"seen"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote

from checks.servers.outside.section import LIMIT_BYTES, NOT_DECLARED, SEEN, safe, written
from checks.servers.own import LocalRecords, Own, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.registers.availability import reached, read_batches

DAYS = 30
NOT_SAMPLED = "not-sampled"
_OTHERS = {
    NOT_DECLARED: ("not-declared", msg("the pages of the host are not declared")),
    NOT_SAMPLED: ("not-sampled", msg("no sample of the host's pages is recorded in the period")),
}


@dataclass(frozen=True, slots=True)
class PageReached:
    """One page: spans of the period, and in how many it was up and down."""

    spans: int
    up: int
    down: int

    @property
    def observed(self) -> int:
        """Return in how many spans it was looked at."""
        return self.up + self.down


def parse(output: Output) -> Mapping[str, PageReached]:
    """Read the counts by page."""
    held = opened(output, _OTHERS)
    try:
        found = {unquote(url): PageReached(*(int(each) for each in counts)) for url, counts in held["pages"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse_form() from error
    if any(
        min(each.spans, each.up, each.down) < 0 or each.observed > each.spans + 1 or not each.spans
        for each in found.values()
    ):
        raise refuse_form()
    return found


PROBE = Probe("availability", (), parse, limit_bytes=LIMIT_BYTES)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return how reachable each host's pages were."""
    first = own.now - timedelta(days=DAYS)
    batches, lost = read_batches(own.ledger, first) if own.ledger else ((), ())
    found: dict[HostId, ProbeResult] = {}
    for host in own.hosts:
        declared = own.declared.find_host(host.id)
        if declared.pages is None and not declared.editions:
            found[host.id] = written(PROBE.id, NOT_DECLARED)
            continue
        if lost:
            found[host.id] = unreadable(PROBE.id, lost)
            continue
        counts = reached(batches, first, own.now, timedelta(minutes=declared.sample_minutes))
        pages = {safe(url): [one.spans, one.up, one.down] for (name, url), one in counts.items() if name == host.id}
        found[host.id] = written(
            PROBE.id,
            SEEN if pages or declared.pages == () else NOT_SAMPLED,
            days=DAYS,
            minutes=declared.sample_minutes,
            pages=pages,
            until=own.now.isoformat(),
            batches=len(batches),
        )
    return found


OWN = LocalRecords(PROBE, sections)
