"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commands.cli.result import JsonValue
from commands.cli.session import Session
from commands.jobs.host_places import Holders
from commands.jobs.host_places import place_data as host_places_place_data
from commands.jobs.hosts_seen import HostSeen
from portalops.model.hosts import LOCAL
from portalops.model.message import Message, msg, verbatim
from portalops.model.organisation import Host, HostId
from portalops.model.text import show_text
from portalops.registers.hosts import RecordedEnrolment
from portalops.registers.places import RegisteredPlace
from portalops.reports.document import Cell, Status, Tone


def way_cell(session: Session, host: Host) -> Cell:
    if host.address == LOCAL:
        return msg("this machine")
    way = session.settings.servers.ways[host.id]
    place = show_text(f"{way.user}@{way.host}:{way.port}")
    return msg("{place} through {jump}", place=place, jump=way.jump) if way.jump else place


def key_cell(host: Host, enrolment: RecordedEnrolment | None) -> Cell:
    if host.address == LOCAL:
        return None
    if enrolment is None:
        return Status(msg("not enrolled"), Tone.UNSURE)
    return show_text(enrolment.enrolment.fingerprint)


def answered_at(seen: Mapping[HostId, HostSeen], host: HostId) -> datetime | None:
    answered = seen[host].answered if host in seen else None
    return answered.gathered_at if answered else None


def state_cell(seen: HostSeen | None) -> Cell:
    if seen is None:
        return Status(msg("never looked at"), Tone.UNSURE)
    if seen.newest.brought_by:
        return Status(msg("brought by {by}", by=show_text(seen.newest.brought_by)), Tone.UNSURE)
    if seen.newest.reached:
        return Status(msg("reached"), Tone.GOOD)
    problem = seen.newest.problem
    return Status(problem if isinstance(problem, Message) else verbatim(show_text(problem, 200)), Tone.BAD)


def place_data(place: RegisteredPlace | None, holders: Holders) -> JsonValue:
    return host_places_place_data(place, holders) if place else None


def host_data(
    session: Session, host: Host, enrolment: RecordedEnrolment | None, seen: HostSeen | None, *, place: JsonValue
) -> dict[str, JsonValue]:
    way = session.settings.servers.ways.get(host.id)
    answered = seen.answered if seen else None
    return {
        "id": host.id,
        "address": show_text(host.address),
        "port": way.port if way else None,
        "user": show_text(way.user) if way else None,
        "jump": way.jump if way else None,
        "roles": sorted(host.roles),
        "custodian": show_text(host.custodian) or None,
        "fingerprint": show_text(enrolment.enrolment.fingerprint) if enrolment else None,
        "enrolled_at": enrolment.at.isoformat() if enrolment else None,
        "enrolled_by": show_text(enrolment.enrolment.by) if enrolment else None,
        "answered_at": answered.gathered_at.isoformat() if answered else None,
        "looked_at": seen.newest.gathered_at.isoformat() if seen else None,
        "reached": seen.newest.reached if seen else None,
        "brought_by": show_text(seen.newest.brought_by) or None if seen else None,
        "problem": show_text(str(seen.newest.problem), 400) if seen else None,
        "place": place,
    }
