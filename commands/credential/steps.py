"""What `portalops credential leave` lists besides credentials: servers, incidents and changes that a person answers for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, TypeAlias, assert_never

from checks.servers.declared import Declared
from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.shapes import shape, widened
from commands.credential.options import Decide
from commands.credential.views import CredentialShape, credential_data, listing, recorded_row, view_of
from commands.jobs.credentials import (
    accounts_of,
    members_of,
    typed_day,
)
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.model.credentials import LONGEST_DAYS, Credential, CredentialKind, Leaving, same_person
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.registers.changes import read_changes
from portalops.registers.credentials import CredentialRegister, read_credentials
from portalops.registers.incidents import read_incidents
from portalops.registers.open_roles import OpenRole, RoleKind, Written, lost_records, open_roles
from portalops.registers.places import read_places
from portalops.reports.document import Block, Cell, KeyValues, Paragraph, TableBlock


@shape
class RecordedCredential(CredentialShape):
    """A credential after the record that was made."""

    record: int | None
    recorded: Literal[True]


@shape
class UnrecordedCredential:
    """What a dry run would record something of."""

    id: str
    record: None
    recorded: Literal[False]


CredentialStep: TypeAlias = RecordedCredential | UnrecordedCredential


@shape
class RoleShape:
    """One thing that a person answers for."""

    id: str
    """Its kind and its own id."""
    kind: RoleKind
    named: str
    """As what the person is named there."""
    record: int | None
    """The record that names them; null if the configuration does."""


def roles_of(
    session: Session, register: CredentialRegister, person: str
) -> tuple[tuple[OpenRole, ...], tuple[int, ...]]:
    """Return what a person answers for, and the records that cannot be read and may name them."""
    declared = session.settings.declared.parse(Declared)
    names = (person, *accounts_of(declared, person))
    written = _written(session, register, person)
    of_credentials = tuple(seq for seqs in register.unreadable.values() for seq in seqs)
    ledger = session.reader
    places, incidents, changes = read_places(ledger), read_incidents(ledger), read_changes(ledger)
    others = [name for name in members_of(declared) if not same_person(name, person)]
    found = open_roles(names, places=places, incidents=incidents, changes=changes, written=written, others=others)
    return found, tuple(sorted({*of_credentials, *lost_records(places, incidents, changes)}))


def names_in_roles(session: Session) -> tuple[str, ...]:
    """Return whom the registers of servers, incidents and changes name: who leaves need hold no credential."""
    ledger = session.reader
    holders = [place.holder for place in read_places(ledger).values()]
    answering = [name for each in read_incidents(ledger).incidents.values() for name in each.facts.holders]
    changes = read_changes(ledger).changes.values()
    asking = [each.begun.body.by if each.begun else each.request.body.requested_by for each in changes]
    return tuple(name for name in dict.fromkeys((*holders, *answering, *asking)) if name)


def role_data(role: OpenRole) -> RoleShape:
    """Return one thing that a person answers for, for programs."""
    return RoleShape(f"{role.kind}:{role.id}", role.kind, show_text(role.named, 200), role.seq)


def roles_table(roles: tuple[OpenRole, ...]) -> TableBlock:
    """Return what a person answers for, with the next command for each."""
    headers = (msg("Answers for"), msg("Named as"), msg("Recorded in"), msg("Next"))
    rows: list[tuple[Cell, ...]] = [
        (
            _describe_role(role),
            show_text(role.named, 200),
            msg("the configuration") if role.seq is None else msg("record {seq}", seq=role.seq),
            _next(role),
        )
        for role in roles
    ]
    return TableBlock(
        nmsg(
            "{n} thing that they answer for, to be handed over or ended",
            "{n} things that they answer for, to be handed over or ended",
            len(rows),
        ),
        headers,
        rows,
    )


def _describe_role(role: OpenRole) -> Message:
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


DUTY = "12.5-custody"


def record_decision(session: Session, decide: Decide, *, dry_run: bool) -> tuple[CredentialRegister, int | None]:
    """Record what is decided, unless this is a dry run or it is nothing; return the register after it, and the record."""
    if dry_run:
        register = read_credentials(session.reader)
        decide(register)
        return register, None
    ledger, circumstances = session.writable_ledger, session.circumstances

    def drafts() -> Sequence[Draft]:
        decided = decide(read_credentials(ledger))
        if decided is None:
            return ()
        kind, key, body = decided
        subject = body.person if isinstance(body, Leaving) else body.id
        kept = ledger.keep(bodies.write({"circumstances": circumstances, key: body}))
        return (ledger.draft(kind, subject=subject, duty=DUTY, body=kept),)

    records = ledger.append_decided(drafts)
    return read_credentials(ledger), records[0].seq if records else None


def recorded_result(session: Session, name: str, decide: Decide, *, dry_run: bool) -> Result[CredentialStep]:
    register, seq = record_decision(session, decide, dry_run=dry_run)
    today = session.today
    if dry_run:
        view = KeyValues([(msg("Credential"), name), recorded_row(dry_run=True, seq=None)])
        return Result(UnrecordedCredential(name, None, False), [view])
    each = register.credentials[name]
    data = widened(RecordedCredential, credential_data(register, each, today), record=seq, recorded=True)
    blocks: list[Block] = [view_of(register, each, today), KeyValues([recorded_row(dry_run=False, seq=seq)])]
    others = [
        knower.person
        for knower in each.knowers
        if each.is_active and knower.person not in {each.credential.holder, each.credential.deputy}
    ]
    if others:
        said = msg(
            "earlier holders still know it: {names}; change it, and record that by 'portalops credential rotate {id}'",
            names=listing(others),
            id=name,
        )
        blocks.append(Paragraph(said))
    if each.is_active and each.credential.kind is CredentialKind.KEY and not each.credential.fingerprint:
        said = msg(
            "the audit needs the fingerprint to know this key on a host: give it by 'portalops credential correct"
            " {id} --fingerprint SHA256:... --reason TEXT'",
            id=name,
        )
        blocks.append(Paragraph(said))
    if each.is_active and _is_longest(each.credential):
        said = msg(
            "no last day is given, so the certificate counts for {n} days: give an earlier end by 'portalops"
            " credential correct {id} --rotate-by DAY --reason TEXT'",
            n=LONGEST_DAYS[CredentialKind.CERTIFICATE],
            id=name,
        )
        blocks.append(Paragraph(said))
    return Result(data, blocks)


def _is_longest(one: Credential) -> bool:
    """Say whether a certificate is taken to last as long as any may: its own end was not given."""
    if one.kind is not CredentialKind.CERTIFICATE or one.rotated_on is None:
        return False
    return one.rotate_by == last_day(one.kind, one.rotated_on, None)


def require_there(register: CredentialRegister, today: date, *people: object) -> None:
    for person in map(str, people):
        left = register.left_of(person)
        if left is not None and left.on <= today:
            raise UsageError(
                msg("{person} left, by record {seq}", person=person, seq=left.seq),
                msg(
                    "Name a person who is there. If this one came back, record it by 'portalops credential leave"
                    " NAME --back'."
                ),
            )


def require_two(holder: str, deputy: str) -> None:
    if deputy and same_person(holder, deputy):
        raise UsageError(
            msg("holder and deputy are the same person"),
            msg("Name another person as deputy, or leave --deputy out."),
        )


def last_day(kind: CredentialKind, made: date | None, text: str | None) -> date | None:
    """Return the last day on which a credential may be used unchanged.

    Raises:
        UsageError: it is no day, before the secret was made, or later than its kind allows.
    """
    last = typed_day(text, "--rotate-by")
    if made is None:
        if last is not None:
            raise UsageError(msg("--rotate-by needs the day of issue"), msg("Give it by --issued."))
        return None
    most = made + timedelta(days=LONGEST_DAYS[kind])
    if last is None:
        return most
    if not made <= last <= most:
        raise UsageError(
            msg("--rotate-by: {day} is not within {n} days from {made} on", day=last, n=LONGEST_DAYS[kind], made=made),
            msg("Leave --rotate-by out for the longest time that the kind allows."),
        )
    return last
