"""The view from outside as commands ask for it: whether this station has one, what it is called, and what was seen before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from commands._session import Session
from portalops.errors import LedgerMissing
from portalops.registers.availability import reached, read_batches

if TYPE_CHECKING:
    from checks.servers.outside.look import Outside
    from checks.servers.probe import ProbeResult
    from portalops.model.organisation import HostId


def outside_of(session: Session, *, is_asked: bool = False) -> Outside | None:
    """Return the way in which hosts are looked at from outside; None where they are not.

    Args:
        session: its `[checks.declared]` may name this station, which then looks in every round.
        is_asked: a person asked for it in this round.
    """
    from checks.servers.declared import Declared  # noqa: PLC0415  # start-up time

    station = session.settings.declared.parse(Declared).station
    if station is None and not is_asked:
        return None
    from checks.servers.outside.look import Outside  # noqa: PLC0415  # start-up time
    from portalops.system.network import SocketNetwork  # noqa: PLC0415  # start-up time

    return Outside(SocketNetwork(), station or session.circumstances.host)


def series_of(session: Session) -> Mapping[HostId, ProbeResult]:
    """Return how reachable each host's pages were in the last days, as sections of the hosts' answers."""
    from checks.servers.declared import Declared  # noqa: PLC0415  # start-up time
    from checks.servers.outside.section import NOT_DECLARED, NOT_SAMPLED, SEEN, safe, written  # noqa: PLC0415  # start-up time
    from checks.servers.probes.availability import DAYS, PROBE  # noqa: PLC0415  # start-up time

    declared, last = session.settings.declared.parse(Declared), session.clock.now()
    first = last - timedelta(days=DAYS)
    try:
        batches = read_batches(session.ledger, first)
    except LedgerMissing:
        batches = ()
    found: dict[HostId, ProbeResult] = {}
    for host in session.settings.hosts:
        own = declared.for_host(host.id)
        if own.pages is None and not own.editions:
            found[host.id] = written(PROBE.id, NOT_DECLARED)
            continue
        counts = reached(batches, first, last, timedelta(minutes=own.sample_minutes))
        pages = {safe(url): [one.spans, one.up, one.down] for (name, url), one in counts.items() if name == host.id}
        state = SEEN if pages or own.pages == () else NOT_SAMPLED
        found[host.id] = written(
            PROBE.id,
            state,
            days=DAYS,
            minutes=own.sample_minutes,
            pages=pages,
            until=last.isoformat(),
            batches=len(batches),
        )
    return found
