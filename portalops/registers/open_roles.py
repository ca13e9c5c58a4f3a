"""What a person who leaves hands over besides credentials: the hosts, incidents and changes that they answer for. Pure.

The registers name people as whoever wrote them did: by the member's name, by the full name, or by the account that called. So
a text is compared with all of them. A standing approval is the unit's own, whoever asked for it, and binds nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from portalops.model.changes import ChangeKind, ChangeState
from portalops.model.credentials import names_person, same_person
from portalops.model.organisation import HostId
from portalops.registers.changes import ChangeRegister, RecordedChange
from portalops.registers.incidents import IncidentRegister
from portalops.registers.places import RegisteredPlace


class RoleKind(StrEnum):
    """What somebody answers for."""

    HOST = "host"
    INCIDENT = "incident"
    CHANGE = "change"
    CONFIGURATION = "configuration"
    """The configuration names them, such as who signs reports."""


@dataclass(frozen=True, slots=True)
class OpenRole:
    """One thing that a person answers for now."""

    kind: RoleKind
    id: str
    """Of the host, the incident, the change; the key of the configuration."""
    named: str
    """The person, as that place names them."""
    seq: int | None
    """The record that made it so; None for what the configuration says."""


@dataclass(frozen=True, slots=True)
class Written:
    """A value of the configuration that may name a person."""

    key: str
    texts: tuple[str, ...]


def open_roles(
    names: Collection[str],
    *,
    places: Mapping[HostId, RegisteredPlace],
    incidents: IncidentRegister,
    changes: ChangeRegister,
    written: Iterable[Written] = (),
    others: Collection[str] = (),
) -> tuple[OpenRole, ...]:
    """Return what a person answers for.

    Args:
        names: of the person: the member's name, and the accounts that are declared as their own.
        places: the register of places.
        incidents: the register of incidents; of those that are open, who answers for them counts.
        changes: the register of changes; of those that are not closed, who began them counts, or else who asked for them.
        written: what of the configuration may name a person.
        others: names of other members: a text that is one of them is of nobody else, however alike the two are.
    """

    def is_theirs(text: str) -> bool:
        if any(same_person(text, other) for other in others):
            return False
        return any(names_person(text, name) for name in names)

    found = [
        OpenRole(RoleKind.HOST, host, place.holder, place.holder_seq)
        for host, place in sorted(places.items())
        if place.holder and is_theirs(place.holder)
    ]
    for incident in incidents.incidents.values():
        mine = [name for name in incident.facts.holders if is_theirs(name)]
        if incident.is_open and mine:
            found.append(OpenRole(RoleKind.INCIDENT, incident.id, mine[0], incident.told.seq))
    found += [role for change in changes.changes.values() for role in _read_change(change) if is_theirs(role.named)]
    for one in written:
        named = next((text for text in one.texts if is_theirs(text)), None)
        if named is not None:
            found.append(OpenRole(RoleKind.CONFIGURATION, one.key, named, None))
    return tuple(found)


def lost_records(
    places: Mapping[HostId, RegisteredPlace], incidents: IncidentRegister, changes: ChangeRegister
) -> tuple[int, ...]:
    """Return the records that cannot be read: whom they name is not known."""
    of_changes = (seq for change in changes.changes.values() for seq in change.lost)
    of_places = (seq for place in places.values() for seq in place.lost)
    return tuple(sorted({*of_places, *incidents.every_lost(), *changes.lost, *of_changes}))


def _read_change(change: RecordedChange) -> Iterator[OpenRole]:
    if change.state is ChangeState.CLOSED or change.kind is ChangeKind.STANDING:
        return
    if change.begun is not None:
        yield OpenRole(RoleKind.CHANGE, change.id, change.begun.body.by, change.begun.seq)
    else:
        yield OpenRole(RoleKind.CHANGE, change.id, change.request.body.requested_by, change.request.seq)
