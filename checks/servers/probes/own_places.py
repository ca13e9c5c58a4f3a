"""Where the host stands, and who answers for it, as it was last seen: of the records `host.sighted` and `host.handed-over`.

No command runs for it. A host that nobody has seen has no `sighting`; `zone` is the one in which days are counted:

    {"holder":"P.%20H%E1%BA%A1%20t%E1%BA%A7ng","holder_seq":41,"rack":"R1%20U12","room":"204","seen_by":"An",
    "seen_on":"2026-05-04","sighted_seq":38,"site":"S%E1%BB%9F%20KHCN","state":"seen","zone":"Asia/Ho_Chi_Minh"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from checks.servers.outside.section import LIMIT_BYTES, SEEN, safe, written
from checks.servers.own import LocalRecords, Own, not_begun, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from portalops.model.organisation import HostId
from portalops.registers.places import RegisteredPlace, read_places


@dataclass(frozen=True, slots=True)
class LastSeenHost:
    """A host as it was last seen."""

    on: date
    by: str
    site: str
    room: str
    rack: str
    seq: int
    """The record of it."""


@dataclass(frozen=True, slots=True)
class HostPlace:
    """What the register says of a host."""

    seen: LastSeenHost | None
    """None if nobody has."""
    holder: str
    """Empty if nobody is named."""
    zone: ZoneInfo


def parse(output: Output) -> HostPlace:
    """Read a section."""
    held = opened(output)
    try:
        seen = None
        if held["sighted_seq"]:
            by, site, room, rack = (unquote(held[key]) for key in ("seen_by", "site", "room", "rack"))
            seen = LastSeenHost(date.fromisoformat(held["seen_on"]), by, site, room, rack, int(held["sighted_seq"]))
        return HostPlace(seen, unquote(held["holder"]), ZoneInfo(held["zone"]))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise refuse_form() from error


PROBE = Probe("own.places", (), parse, limit_bytes=LIMIT_BYTES)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return what the register of places says of each host."""
    places = read_places(own.ledger) if own.ledger else {}
    return {
        host.id: section(places.get(host.id, RegisteredPlace(host.id)), own.zone) if places else not_begun(PROBE.id)
        for host in own.hosts
    }


def section(place: RegisteredPlace, zone: ZoneInfo) -> ProbeResult:
    """Write what the register says of one host; pure."""
    if place.lost:
        return unreadable(PROBE.id, place.lost)
    seen = place.sighting
    return written(
        PROBE.id,
        SEEN,
        sighted_seq=place.sighted_seq,
        seen_on=seen.seen_on.isoformat() if seen else "",
        seen_by=safe(seen.seen_by) if seen else "",
        site=safe(seen.site) if seen else "",
        room=safe(seen.room) if seen else "",
        rack=safe(seen.rack) if seen else "",
        holder=safe(place.holder),
        holder_seq=place.holder_seq,
        zone=zone.key,
    )


OWN = LocalRecords(PROBE, sections)
