"""Rounds of checks as reports read them over a period: what was judged, and which answers were kept, without the sentences.

A period may have hundreds of scans of thousands of results. Their sentences are read where they are shown, of the newest scan.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from portalops.model.checks import BriefHost, BriefScan, Judgement
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.model.verdicts import CheckVerdict

Shared: TypeAlias = dict[tuple[HostId, str, CheckVerdict], Judgement]


@dataclass(frozen=True, slots=True)
class StoredResult:
    """The part of a `CheckResult` that is read."""

    check: str
    host: HostId
    verdict: CheckVerdict
    evidence: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredHost:
    """The part of a `HostScan` that is read."""

    host: HostId
    gathered_at: datetime
    reached: bool
    results: tuple[StoredResult, ...]
    standby: str = ""
    members: tuple[HostId, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredScan:
    """The part of a `CheckScan` that is read."""

    hosts: tuple[StoredHost, ...]


def drop_sentences(stored: StoredScan, shared: Shared) -> BriefScan:
    """Return what is kept of a scan.

    Args:
        stored: as it was read.
        shared: judgements of the scans before, so that what stays the same from day to day is held once; gets those of this one.
    """
    return BriefScan(
        tuple(
            BriefHost(
                host.host,
                host.gathered_at,
                host.reached,
                tuple(_judgement(result, shared) for result in host.results),
                host.standby,
                host.members,
                next((result.evidence[0] for result in host.results if result.evidence), None),
            )
            for host in stored.hosts
        )
    )


def _judgement(result: StoredResult, shared: Shared) -> Judgement:
    key = result.host, result.check, result.verdict
    found = shared.get(key)
    if found is None:
        found = shared[key] = Judgement(result.check, result.host, result.verdict)
    return found
