"""What servers were over a period, for reports that ask for it: the ledger's samples of pages, and what hosts answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.servers.declared import Declared
from checks.servers.history import Histories
from portalops.model.availability import PageSpans
from portalops.model.message import msg
from portalops.model.organisation import Host
from portalops.model.server_history import ServerHistory, WatchedPage
from portalops.ports import Progress
from portalops.registers.availability import batches_of, spans_of

if TYPE_CHECKING:
    from checks.servers.declared import Declared
    from portalops.ports import LedgerReader
    from portalops.registers.evidence import Evidence


def server_history(
    ledger: LedgerReader, evidence: Evidence, hosts: Sequence[Host], declared: Declared, progress: Progress
) -> ServerHistory:
    """Read what is kept of hosts over the period of the evidence.

    Args:
        ledger: read only, as of the report's last record.
        evidence: with every round of the period.
        hosts: whose history is read.
        declared: what is declared of them.
        progress: gets a step for each host.
    """
    pages, lost = watched_pages(ledger, evidence, hosts, declared)
    since, end = evidence.period.bounds(evidence.zone)
    rounds = (each.body for each in evidence.scans)
    histories = Histories(ledger, rounds, since=since, until=min(end, evidence.now), zone=evidence.zone)
    found = []
    with progress.task(msg("Reading what hosts answered"), total=len(hosts), unit="items") as task:
        for host in hosts:
            found.append(histories.read_host(host.id))
            task.advance(1)
    return ServerHistory(pages, lost, tuple(updates for updates, _ in found), tuple(starts for _, starts in found))


def watched_pages(
    ledger: LedgerReader, evidence: Evidence, hosts: Sequence[Host], declared: Declared
) -> tuple[tuple[WatchedPage, ...], tuple[int, ...]]:
    """Return the pages that were looked at or are declared, and the records of samples that cannot be read."""
    first, end = evidence.period.bounds(evidence.zone)
    last = max(first, min(end, evidence.now))
    by_id = {host.id: declared.find_host(host.id) for host in hosts}
    spans = {host: timedelta(minutes=each.sample_minutes) for host, each in by_id.items()}
    common = timedelta(minutes=declared.sample_minutes)
    lost: list[int] = []
    batches = batches_of(ledger, first, last, lost)
    seen = {
        (page.host, page.url): page
        for page in spans_of(batches, first, last, lambda host: spans.get(host, common))
        if page.host in by_id
    }
    asked = {
        (host, url): each.availability_percent
        for host, each in by_id.items()
        for url in (*(each.pages or ()), *each.editions.values())
    }

    def pages() -> Iterator[WatchedPage]:
        for host, url in sorted({*seen, *asked}):
            page = seen.get((host, url))
            if page is None:
                page = PageSpans(host, url, first, spans[host], bytes(-((first - last) // spans[host])))
            yield WatchedPage(page, asked.get((host, url)))

    return tuple(pages()), tuple(lost)
