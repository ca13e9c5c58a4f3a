"""What the verbs of this noun do alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from commands.cli.entries import written_text
from commands.cli.session import Session
from commands.jobs.host_places import Holders
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.model.credentials import same_person
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.places import Sighting
from portalops.model.record import Digest, Record
from portalops.registers.places import PlaceStep, RegisteredPlace, read_places

DUTY = "12.1"
BodyT = TypeVar("BodyT")


def known_holder(session: Session, holders: Holders, text: str, day: date) -> str:
    """Return who answers for a host, a member by the configuration's own name; a warning says if nothing there knows them.

    Raises:
        UsageError: it is empty, or a person who left by that day.
    """
    name = _person_of(session, holders, written_text(text, "--holder"))
    left = holders.left(name, day)
    if left is not None and same_person(left.person, name):
        raise UsageError(
            msg("{person} left, by record {seq}", person=name, seq=left.seq),
            msg(
                "Name a person who is there. If this one came back, record it by 'portalops credential leave NAME"
                " --back'."
            ),
        )
    if left is not None:  # a title with the name, or somebody of the same name
        session.warnings.append(
            msg(
                "{name}: {person} left on {day}, by record {seq}",
                name=name,
                person=left.person,
                day=left.on,
                seq=left.seq,
            )
        )
    match holders.is_known(name):
        case False:
            session.warnings.append(
                msg(
                    "{name} is neither a member nor an office of the configuration: [checks.declared.members], [[actor]]",
                    name=name,
                )
            )
        case None:
            session.warnings.append(
                msg(
                    "[checks.declared.members] names no member, so it is unknown whether {person} is one",
                    person=name,
                )
            )
    return holders.member(name) or name


def _person_of(session: Session, holders: Holders, name: str) -> str:
    """Return the member whose account a name is, and say so; the name itself where it is nobody's, or several people's."""
    owners = holders.owners(name)
    if not owners:
        return name
    if len(owners) > 1:
        session.warnings.append(
            msg(
                "{name} is a shared account of several members: {people}",
                name=name,
                people=", ".join(owners),
            )
        )
        return name
    session.warnings.append(
        msg("{name} is the account of {person}: the record names {person}", name=name, person=owners[0])
    )
    return owners[0]


def require_reason(host: HostId, day: date, known: list[PlaceStep], reason: str) -> None:
    """Make sure that what tells of an earlier day than what is recorded already comes with a reason.

    Raises:
        UsageError: it does not.
    """
    later = max(known, key=lambda step: (step.day, step.seq), default=None)
    if later is None or day >= later.day or reason:
        return
    said = (
        msg("{host} was seen on a later day, {day}, by record {seq}", host=host, day=later.day, seq=later.seq)
        if isinstance(later.body, Sighting)
        else msg(
            "{host} was handed over on a later day, {day}, by record {seq}", host=host, day=later.day, seq=later.seq
        )
    )
    raise UsageError(said, msg("If that record is wrong, correct it: give the reason by --reason."))


def document_digests(document: bytes | None) -> tuple[Digest, ...]:
    return () if document is None else (Digest(hashlib.sha256(document).hexdigest()),)


def record_sighting(
    session: Session,
    kind: str,
    key: str,
    host: HostId,
    made: Callable[[RegisteredPlace], BodyT],
    *,
    document: bytes | None,
) -> tuple[BodyT, Record, tuple[Digest, ...]]:
    """Record what is made of the register as it stands, while nobody else can write; return it with its evidence."""
    ledger = session.writable_ledger
    evidence = () if document is None else (ledger.keep(document),)
    done: list[BodyT] = []

    def decide() -> tuple[Draft]:
        done.append(made(read_places(ledger).get(host) or RegisteredPlace(host)))
        parts = {"circumstances": session.circumstances, key: done[-1], "evidence": evidence}
        return (ledger.draft(kind, subject=host, duty=DUTY, body=ledger.keep(bodies.write(parts))),)

    (record,) = ledger.append_decided(decide)
    return done[-1], record, evidence


def recorded_sentence(seq: int | None) -> Message:
    return msg("nothing: this was a dry run") if seq is None else msg("record {seq}", seq=seq)
