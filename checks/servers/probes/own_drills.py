"""What visitors met while a failover was tried: the samples of a group's pages around its newest drill, from the ledger.

No command runs for it: the samples join the answer of each member. Of each sample there are the seconds since the drill began,
and 1 for a page that was there.

    {"groups":{"front":{"began":"2026-10-04T13:00:00+00:00","pages":{"https%3A//portal.example.vn/":[[-5,1],[0,1],[5,0],[10,1]]}}},"state":"seen"}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from checks.servers.declared import GroupDeclared
from checks.servers.outside.section import LIMIT_BYTES, SEEN, safe, written
from checks.servers.own import LocalRecords, Own, not_begun, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from portalops.model.availability import SampleBatch
from portalops.model.organisation import HostId
from portalops.registers.availability import read_batches

LASTS = timedelta(hours=4)
"""So long after its beginning the role must have moved."""
AROUND = timedelta(hours=1)
"""So long before the drill and after its end samples are told of."""
_RECORDED_WITHIN = timedelta(days=2)
"""Samples are recorded some hours at a time, and later where the timer stood still."""


@dataclass(frozen=True, slots=True)
class PageSeen:
    """One look at a page."""

    at: datetime
    is_up: bool


@dataclass(frozen=True, slots=True)
class DrillSeen:
    """What was seen of a group's pages around a drill."""

    began: datetime
    pages: Mapping[str, tuple[PageSeen, ...]]
    """By address, oldest first; none for a page that was not looked at."""


def parse(output: Output) -> Mapping[str, DrillSeen]:
    """Read the samples by the group's name."""
    held = opened(output)
    try:
        return {str(name): _drill(one) for name, one in held["groups"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise refuse_form() from error


def _drill(held: Mapping[str, object]) -> DrillSeen:
    began, pages = datetime.fromisoformat(str(held["began"])), held["pages"]
    if began.tzinfo is None or not isinstance(pages, dict):
        raise ValueError
    return DrillSeen(
        began,
        {
            unquote(url): tuple(PageSeen(began + timedelta(seconds=int(second)), up == 1) for second, up in samples)
            for url, samples in pages.items()
        },
    )


PROBE = Probe("own.drills", (), parse, limit_bytes=LIMIT_BYTES)


def newest_drill(group: GroupDeclared, at: datetime) -> datetime | None:
    """Return when the newest drill of a group began, of those that had begun at a moment; None for none."""
    return max((one for one in group.drills if one <= at), default=None)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return the samples around the newest drills of the groups that each host belongs to."""
    groups: dict[str, object] = {}
    lost: dict[str, tuple[int, ...]] = {}
    for name, group in own.declared.group.items():
        began = newest_drill(group, own.now)
        if began is None or own.ledger is None:
            continue
        batches, lost[name] = read_batches(own.ledger, began - AROUND, began + LASTS + AROUND + _RECORDED_WITHIN)
        pages = {safe(url): list(_samples(batches, url, began)) for url in group.pages}
        groups[name] = {"began": began.isoformat(), "pages": pages}
    found: dict[HostId, ProbeResult] = {}
    for host in own.hosts:
        names = [name for name, group in own.declared.group.items() if host.id in group.members]
        seqs = {seq for name in names for seq in lost.get(name, ())}
        of_host = {name: groups[name] for name in names if name in groups}
        if seqs:
            found[host.id] = unreadable(PROBE.id, seqs)
        else:
            found[host.id] = written(PROBE.id, SEEN, groups=of_host) if of_host else not_begun(PROBE.id)
    return found


def _samples(batches: Iterable[SampleBatch], url: str, began: datetime) -> Iterator[tuple[int, int]]:
    """Yield the samples of a page, whichever host it is declared for; of two in one second, that of a page that is away."""
    seen: dict[int, bool] = {}
    for batch in batches:
        for page in batch.pages:
            for sample in page.samples if page.url == url else ():
                second = round((batch.began_at - began).total_seconds()) + sample.second
                if -AROUND.total_seconds() <= second <= (LASTS + AROUND).total_seconds():
                    seen[second] = seen.get(second, True) and sample.is_up
    for second in sorted(seen):
        yield second, int(seen[second])


OWN = LocalRecords(PROBE, sections)
