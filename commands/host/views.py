"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from commands.cli.session import Session
from commands.cli.shapes import shape
from commands.jobs.host_places import Holders
from commands.jobs.hosts_seen import HostSeen
from portalops.model.hosts import LOCAL
from portalops.model.message import Message, msg, verbatim
from portalops.model.organisation import Host, HostId
from portalops.model.places import Sighting, is_overdue
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.hosts import RecordedEnrolment
from portalops.registers.places import PlaceStep, RegisteredPlace
from portalops.reports.document import Cell, Status, Tone


@shape
class PlaceShape:
    """Where a server stands, and who answers for it."""

    site: str | None
    """Null here and below if it was never sighted."""
    room: str | None
    rack: str | None
    holder: str | None
    """Who answers for it."""
    holder_record: int | None
    holder_evidence: tuple[Digest, ...]
    holder_known: bool | None
    """The holder is a member or an office of the configuration; null if that is unknown."""
    holder_left_on: date | None
    seen_on: date | None
    seen_by: str | None
    days_ago: int | None
    overdue: bool | None
    """The last sighting is too long ago."""
    record: int | None
    """The record of the last sighting."""
    evidence: tuple[Digest, ...]
    unreadable: tuple[int, ...]
    """Records that cannot be read."""


@shape
class HostShape:
    """One server."""

    id: HostId
    address: str
    port: int | None
    """Null, as `user` is, of this machine."""
    user: str | None
    jump: HostId | None
    """The host that it is reached through."""
    roles: tuple[str, ...]
    custodian: str | None
    """Who sees to its findings."""
    fingerprint: str | None
    enrolled_at: datetime | None
    enrolled_by: str | None
    answered_at: datetime | None
    looked_at: datetime | None
    """The last scan."""
    reached: bool | None
    """In the last scan."""
    brought_by: str | None
    """Who supplied the last answer by hand."""
    problem: str | None
    """Why it was not reached, in English; empty if it was."""
    place: PlaceShape | None


@shape
class PlaceRecord:
    """One record of a server's place."""

    record: int
    at: datetime
    evidence: tuple[Digest, ...]
    holder: str
    reason: str | None


@shape
class SightingRecord(PlaceRecord):
    """A sighting."""

    what: Literal["sighted"]
    seen_on: date
    seen_by: str
    site: str
    room: str
    rack: str


@shape
class HandOverRecord(PlaceRecord):
    """A hand-over."""

    what: Literal["handed-over"]
    handed_on: date
    before: str | None
    document: str | None


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
        return Status(msg("never scanned"), Tone.UNSURE)
    if seen.newest.brought_by:
        return Status(msg("supplied by hand by {by}", by=show_text(seen.newest.brought_by)), Tone.UNSURE)
    if seen.newest.reached:
        return Status(msg("reached"), Tone.GOOD)
    problem = seen.newest.problem
    return Status(problem if isinstance(problem, Message) else verbatim(show_text(problem, 200)), Tone.BAD)


def place_data(place: RegisteredPlace | None, holders: Holders) -> PlaceShape | None:
    """Return what the register says of a host's place, for programs."""
    if place is None:
        return None
    seen, step = place.sighting, place.holder_step
    left = holders.left(place.holder, holders.today)
    return PlaceShape(
        site=show_text(seen.site) if seen else None,
        room=show_text(seen.room) if seen else None,
        rack=show_text(seen.rack) if seen else None,
        holder=show_text(place.holder) or None,
        holder_record=place.holder_seq or None,
        holder_evidence=step.evidence if step else (),
        holder_known=holders.is_known(place.holder) if place.holder else None,
        holder_left_on=left.on if left else None,
        seen_on=seen.seen_on if seen else None,
        seen_by=show_text(seen.seen_by) if seen else None,
        days_ago=(holders.today - seen.seen_on).days if seen else None,
        overdue=is_overdue(seen.seen_on, holders.today) if seen else None,
        record=place.sighted_seq or None,
        evidence=place.evidence,
        unreadable=place.lost,
    )


def steps_data(place: RegisteredPlace) -> tuple[SightingRecord | HandOverRecord, ...]:
    """Return every record of a host's place that can be read, oldest first, for programs."""
    return tuple(map(_step_data, place.steps))


def _step_data(step: PlaceStep) -> SightingRecord | HandOverRecord:
    body = step.body
    holder, reason = show_text(body.holder), show_text(body.reason) or None
    if isinstance(body, Sighting):
        return SightingRecord(
            record=step.seq,
            at=step.at,
            evidence=step.evidence,
            holder=holder,
            reason=reason,
            what="sighted",
            seen_on=body.seen_on,
            seen_by=show_text(body.seen_by),
            site=show_text(body.site),
            room=show_text(body.room),
            rack=show_text(body.rack),
        )
    return HandOverRecord(
        record=step.seq,
        at=step.at,
        evidence=step.evidence,
        holder=holder,
        reason=reason,
        what="handed-over",
        handed_on=body.handed_on,
        before=show_text(body.before) or None,
        document=show_text(body.document) or None,
    )


def host_data(
    session: Session,
    host: Host,
    enrolment: RecordedEnrolment | None,
    seen: HostSeen | None,
    *,
    place: PlaceShape | None,
) -> HostShape:
    """Return one server for programs."""
    way = session.settings.servers.ways.get(host.id)
    answered = seen.answered if seen else None
    return HostShape(
        id=host.id,
        address=show_text(host.address),
        port=way.port if way else None,
        user=show_text(way.user) if way else None,
        jump=way.jump if way else None,
        roles=tuple(sorted(host.roles)),
        custodian=show_text(host.custodian) or None,
        fingerprint=show_text(enrolment.enrolment.fingerprint) if enrolment else None,
        enrolled_at=enrolment.at if enrolment else None,
        enrolled_by=show_text(enrolment.enrolment.by) if enrolment else None,
        answered_at=answered.gathered_at if answered else None,
        looked_at=seen.newest.gathered_at if seen else None,
        reached=seen.newest.reached if seen else None,
        brought_by=show_text(seen.newest.brought_by) or None if seen else None,
        problem=show_text(str(seen.newest.problem), 400) if seen else None,
        place=place,
    )
