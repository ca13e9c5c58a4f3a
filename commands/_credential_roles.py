"""What `portalops credential leave` lists besides credentials: servers, incidents and changes that a person answers for."""

from __future__ import annotations

from typing import assert_never

from commands._credentials import accounts_of, members_of
from commands._result import JsonValue
from commands._session import Session
from portalops.errors import LedgerMissing
from portalops.model.credentials import same_person
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.registers.changes import ChangeRegister, read_changes
from portalops.registers.credentials import CredentialRegister
from portalops.registers.incidents import IncidentRegister, read_incidents
from portalops.registers.open_roles import OpenRole, RoleKind, Written, lost_records, open_roles
from portalops.registers.places import read_places
from portalops.reports.document import Cell, Table


def roles_of(
    session: Session, register: CredentialRegister, person: str
) -> tuple[tuple[OpenRole, ...], tuple[int, ...]]:
    """Return what a person answers for, and the records that cannot be read and may name them."""
    names = (person, *accounts_of(session, person))
    written = _written(session, register, person)
    of_credentials = tuple(seq for seqs in register.unreadable.values() for seq in seqs)
    try:
        places, incidents, changes = (
            read_places(session.ledger),
            read_incidents(session.ledger),
            read_changes(session.ledger),
        )
    except LedgerMissing:
        places, incidents, changes = {}, IncidentRegister(), ChangeRegister({})
    others = [name for name in members_of(session) if not same_person(name, person)]
    found = open_roles(names, places=places, incidents=incidents, changes=changes, written=written, others=others)
    return found, tuple(sorted({*of_credentials, *lost_records(places, incidents, changes)}))


def names_in_roles(session: Session) -> tuple[str, ...]:
    """Return whom the registers of servers, incidents and changes name: who leaves need hold no credential."""
    try:
        holders = [place.holder for place in read_places(session.ledger).values()]
        answering = [name for each in read_incidents(session.ledger).incidents.values() for name in each.facts.holders]
        changes = read_changes(session.ledger).changes.values()
    except LedgerMissing:
        return ()
    asking = [each.begun.body.by if each.begun else each.request.body.requested_by for each in changes]
    return tuple(name for name in dict.fromkeys((*holders, *answering, *asking)) if name)


def role_data(role: OpenRole) -> JsonValue:
    """Return one thing that a person answers for, for programs."""
    return {
        "id": f"{role.kind.value}:{role.id}",
        "kind": role.kind.value,
        "named": show_text(role.named, 200),
        "record": role.seq,
    }


def roles_table(roles: tuple[OpenRole, ...]) -> Table:
    """Return what a person answers for, with the next command for each."""
    headers = (msg("Answers for"), msg("Named as"), msg("Recorded in"), msg("Next"))
    rows: list[tuple[Cell, ...]] = [
        (
            _what(role),
            show_text(role.named, 200),
            msg("the configuration") if role.seq is None else msg("record {seq}", seq=role.seq),
            _next(role),
        )
        for role in roles
    ]
    return Table(
        nmsg(
            "{n} thing that they answer for, to be handed over or ended",
            "{n} things that they answer for, to be handed over or ended",
            len(rows),
        ),
        headers,
        rows,
    )


def _what(role: OpenRole) -> Message:
    match role.kind:
        case RoleKind.HOST:
            return msg("server {id}", id=role.id)
        case RoleKind.INCIDENT:
            return msg("incident {id}", id=role.id)
        case RoleKind.CHANGE:
            return msg("change {id}", id=role.id)
        case RoleKind.CONFIGURATION:
            return msg("setting {key}", key=role.id)
        case _:
            assert_never(role.kind)


def _next(role: OpenRole) -> Cell:
    match role.kind:
        case RoleKind.HOST:
            return f"portalops host hand-over {role.id} --holder NAME"
        case RoleKind.INCIDENT:
            return f"portalops incident correct {role.id} --holder MEMBER --reason TEXT"
        case RoleKind.CHANGE:
            return msg("end it, then: portalops change close {id}", id=role.id)
        case RoleKind.CONFIGURATION:
            return msg("name somebody else in portalops.toml")
        case _:
            assert_never(role.kind)


def _written(session: Session, register: CredentialRegister, person: str) -> list[Written]:
    """Return what of the configuration names a person: the unit's papers, and who signs after their last day."""
    office, left = session.settings.office, register.left_of(person)
    last = left.on if left else None
    found = [
        Written(f"office.{key}", (text,))
        for key, text in (("authority", office.authority), ("title", office.title), ("contact", office.contact))
        if text
    ]
    found += [
        Written(f"ledger.signer {one.id}", (one.name.vi, one.name.en, one.id))
        for one in session.settings.people
        if one.valid_to is None or (last is not None and one.valid_to > last)
    ]
    return found
