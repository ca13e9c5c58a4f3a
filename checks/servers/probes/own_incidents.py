"""Which incidents the host had and has, with the records that say so: of the records `incident.*`.

No command runs for it. Every incident that is tied to the host and open is there, and those that were over in the last 400
days, or since the moment from which on changes of the host are looked for, if that is longer ago. Moments are UTC; `opened_at`
is the record's, the others people gave, and `ended_at` is null as long as the incident is open:

    {"incidents":[{"began_at":"2026-11-20T18:00:00+00:00","detected_at":"2026-11-20T18:40:00+00:00",
    "ended_at":"2026-11-20T21:10:00+00:00","id":"IN-2026-001","opened_at":"2026-11-21T01:02:00+00:00","opened_seq":12,
    "state_seq":15}],"state":"seen"}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from checks.servers.outside.section import LIMIT_BYTES, SEEN, safe, written
from checks.servers.own import LocalRecords, Own, not_begun, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from portalops.model.organisation import HostId
from portalops.registers.incidents import Incident, read_incidents

DAYS = 400
OPEN_DAYS = 14
"""For how long after it was noticed an open incident explains anything: what nobody ever closes would explain all."""


@dataclass(frozen=True, slots=True)
class HostIncident:
    """An incident of the host, and when it was."""

    id: str
    began_at: datetime
    detected_at: datetime
    ended_at: datetime | None
    """None as long as it is open."""
    opened_at: datetime
    """When it was recorded."""
    opened_seq: int
    state_seq: int
    """The record by which it is open, or closed."""

    def holds(self, moment: datetime) -> bool:
        """Say whether a moment lies in it, ends included; of an open one, up to 14 days after it was noticed."""
        return self.began_at <= moment <= (self.ended_at or self.detected_at + timedelta(days=OPEN_DAYS))


def parse(output: Output) -> tuple[HostIncident, ...]:
    """Read a section, in the order in which the incidents were recorded."""
    held = opened(output)
    try:
        found = tuple(_read(each) for each in held["incidents"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse_form() from error
    if any(moment is not None and moment.tzinfo is None for each in found for moment in _moments(each)):
        raise refuse_form()
    return found


PROBE = Probe("own.incidents", (), parse, limit_bytes=LIMIT_BYTES)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return which incidents the register holds of each host."""
    register = read_incidents(own.ledger) if own.ledger else None
    found: dict[HostId, ProbeResult] = {}
    for host in own.hosts:
        if register is None or not register.is_begun:
            found[host.id] = not_begun(PROBE.id)
        elif lost := register.every_lost():  # each of them may tell of any host
            found[host.id] = unreadable(PROBE.id, lost)
        else:
            declared = own.declared.find_host(host.id).changes
            since = own.now - timedelta(days=DAYS)
            since = min(since, declared.since) if declared else since
            spans = (_read_incident(each) for each in register.find_by_host(host.id))
            found[host.id] = section(each for each in spans if each.ended_at is None or each.ended_at >= since)
    return found


def section(incidents: Iterable[HostIncident]) -> ProbeResult:
    """Write the incidents of one host; pure."""
    return written(PROBE.id, SEEN, incidents=[_written(each) for each in incidents])


def _read_incident(incident: Incident) -> HostIncident:
    closed = incident.closed
    return HostIncident(
        incident.id,
        incident.facts.began_at,
        incident.facts.detected_at,
        closed.body.ended_at if closed else None,
        incident.opened.at,
        incident.opened.seq,
        incident.state_seq,
    )


def _written(each: HostIncident) -> Mapping[str, object]:
    return {
        "id": safe(each.id),
        "began_at": each.began_at.isoformat(),
        "detected_at": each.detected_at.isoformat(),
        "ended_at": each.ended_at.isoformat() if each.ended_at else None,
        "opened_at": each.opened_at.isoformat(),
        "opened_seq": each.opened_seq,
        "state_seq": each.state_seq,
    }


def _read(held: Mapping[str, Any]) -> HostIncident:
    return HostIncident(
        unquote(held["id"]),
        datetime.fromisoformat(held["began_at"]),
        datetime.fromisoformat(held["detected_at"]),
        datetime.fromisoformat(held["ended_at"]) if held["ended_at"] else None,
        datetime.fromisoformat(held["opened_at"]),
        int(held["opened_seq"]),
        int(held["state_seq"]),
    )


def _moments(each: HostIncident) -> tuple[datetime | None, ...]:
    return (each.began_at, each.detected_at, each.ended_at, each.opened_at)


OWN = LocalRecords(PROBE, sections)
