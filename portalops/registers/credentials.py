"""The register of credentials: the records of `credential.*`, folded. Each state names the record that made it so.

A correction is a new record. Whoever was a credential's holder or deputy knows its secret until it is made anew: handing it
over takes nothing out of a head. So what a person who leaves must return is every credential that they know.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import field, fields, replace
from datetime import date, datetime, timedelta
from typing import TypeAlias

from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.credentials import (
    LONGEST_DAYS,
    Credential,
    CredentialHandOver,
    CredentialKind,
    CredentialReturn,
    CredentialRotation,
    Leaving,
    host_of,
    same_person,
)
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.ports import LedgerReader

ADDED, CORRECTED, ROTATED = "credential.added", "credential.corrected", "credential.rotated"
HANDED_OVER, RETURNED, LEFT = "credential.handed-over", "credential.returned", "credential.person-left"
CREDENTIAL_KINDS = (ADDED, CORRECTED, ROTATED, HANDED_OVER, RETURNED, LEFT)

CREDENTIAL, ROTATION, HAND_OVER, RETURN, LEAVING = "credential", "rotation", "hand_over", "returned", "leaving"
"""The keys of the five in their records' bodies."""

LACKING: Mapping[str, Message] = {
    "holder": msg("holder"),
    "deputy": msg("deputy"),
    "place": msg("place"),
    "issued": msg("issued on"),
}
"""What may be missing of a credential (`HeldCredential.lacks`), in words."""

Body: TypeAlias = Credential | CredentialRotation | CredentialHandOver | CredentialReturn | Leaving

_TYPES: Mapping[str, tuple[str, type[Body]]] = {
    ADDED: (CREDENTIAL, Credential),
    CORRECTED: (CREDENTIAL, Credential),
    ROTATED: (ROTATION, CredentialRotation),
    HANDED_OVER: (HAND_OVER, CredentialHandOver),
    RETURNED: (RETURN, CredentialReturn),
    LEFT: (LEAVING, Leaving),
}


@dataclass(frozen=True, slots=True)
class Knower:
    """A person who knows a secret, and the record that made them its holder or deputy."""

    person: str
    seq: int


@dataclass(frozen=True, slots=True)
class CredentialStep:
    """One record of a credential."""

    seq: int
    at: datetime
    kind: str
    body: Body


@dataclass(frozen=True, slots=True)
class HeldCredential:
    """What the register knows of one credential now."""

    credential: Credential
    custody_seq: int
    """The record that made holder, deputy and place what they are."""
    secret_seq: int
    """The record of the secret that opens the account now: it was issued, or made anew."""
    knowers: tuple[Knower, ...]
    """Everyone who has been holder or deputy since the secret was made, in that order."""
    custody_on: date | None = None
    """When it was last handed over; None if it never was."""
    had_until: date | None = None
    """When somebody last ceased to hold it: by a hand-over, or by the day, in UTC, of a correction; None if nobody did."""
    returned: CredentialReturn | None = None
    returned_seq: int | None = None
    steps: tuple[CredentialStep, ...] = ()
    """Every record of it, oldest first; of an id that was used again after a return, also those of before."""

    @property
    def id(self) -> str:
        """Return its id."""
        return self.credential.id

    @property
    def is_active(self) -> bool:
        """Say whether it has not been returned."""
        return self.returned is None

    @property
    def due_on(self) -> date | None:
        """Return the last day on which it may be used unchanged; None if nothing says when it was made."""
        made = self.credential.rotated_on
        if made is None:
            return None
        days = LONGEST_DAYS[self.credential.kind]
        longest = made + timedelta(days=days) if made.toordinal() + days < date.max.toordinal() else date.max
        return min(self.credential.rotate_by or longest, longest)

    @property
    def lacks(self) -> tuple[str, ...]:
        """Return what is not said of it, of `holder`, `deputy`, `place`, `issued`."""
        held = self.credential
        there = {"holder": held.holder, "deputy": held.deputy, "place": held.place, "issued": held.rotated_on}
        return tuple(name for name, value in there.items() if not value)

    @property
    def use_seq(self) -> int:
        """Return the record that made what it opens, whether with a second factor, and by whom it is used what they are."""
        found, before = 0, None
        for step in self.steps:
            if isinstance(body := step.body, Credential):
                now = (body.system, body.account, body.kind, body.mfa, body.shared)
                if step.kind == ADDED or now != before:
                    found = step.seq
                before = now
        return found

    @property
    def seqs(self) -> tuple[int, ...]:
        """Return the records that its present state rests on."""
        return tuple(sorted({self.custody_seq, self.secret_seq, *([self.returned_seq] if self.returned_seq else [])}))

    def is_overdue(self, day: date) -> bool:
        """Say whether its last day is past on a local day."""
        return self.is_active and self.due_on is not None and day > self.due_on


@dataclass(frozen=True, slots=True)
class LeavingPerson:
    """A person who leaves or left."""

    person: str
    on: date
    """The last day; if the record's details cannot be read any more, the day on which it was recorded, in UTC."""
    seq: int


@dataclass(frozen=True, slots=True)
class CredentialRegister:
    """The whole register."""

    credentials: Mapping[str, HeldCredential] = field(default_factory=dict)
    """By id, in the order in which they were first added."""
    left: tuple[LeavingPerson, ...] = ()
    unreadable: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By credential: the records of it that cannot be read and that no later whole record replaces."""
    why: Mapping[int, Message] = field(default_factory=dict)
    """By unreadable record."""
    unfitting: tuple[int, ...] = ()
    """Records that tell of a credential that was not there, or was returned already: they change nothing."""
    is_begun: bool = False
    """There is any record at all."""

    def left_of(self, person: str) -> LeavingPerson | None:
        """Return when a person left; None if they are recorded to be there."""
        return next((each for each in self.left if same_person(each.person, person)), None)

    def strangers_of(self, held: HeldCredential, members: Iterable[str]) -> tuple[str, ...]:
        """Return which of `holder` and `deputy` of an active credential is none of the members, and not recorded to leave."""
        names = {"holder": held.credential.holder, "deputy": held.credential.deputy} if held.is_active else {}
        known = tuple(members)
        return tuple(
            role
            for role, name in names.items()
            if name and self.left_of(name) is None and not any(same_person(name, one) for one in known)
        )

    def known_to(self, person: str) -> tuple[HeldCredential, ...]:
        """Return the active credentials that a person knows: what they must return, or what must be made anew."""
        return tuple(
            each
            for each in self.credentials.values()
            if each.is_active and any(same_person(one.person, person) for one in each.knowers)
        )

    def has_left(self, person: str, day: date) -> bool:
        """Say whether a person's last day is come, or past, on a local day."""
        left = self.left_of(person)
        return left is not None and left.on <= day

    def leavers_of(self, held: HeldCredential) -> tuple[LeavingPerson, ...]:
        """Return who of those that know an active credential leaves or left, and when."""
        if not held.is_active:
            return ()
        return tuple(left for one in held.knowers if (left := self.left_of(one.person)) is not None)

    def find_by_host(self, host: str) -> tuple[HeldCredential, ...]:
        """Return the credentials of a host, and of what runs on it."""
        return tuple(each for each in self.credentials.values() if host_of(each.credential.system) == host)

    def unreadable_for(self, host: str, hosts: Iterable[str]) -> tuple[int, ...]:
        """Return the unreadable records that may matter to a host: those of its credentials, and of ones of no known host."""
        known = {*hosts}
        found: list[int] = []
        for name, seqs in self.unreadable.items():
            held = self.credentials.get(name)
            place = host_of(held.credential.system) if held else ""
            if place == host or place not in known:
                found += seqs
        return tuple(sorted(found))


def fold_credentials(records: Iterable[tuple[int, datetime, str, str, Body | Message]]) -> CredentialRegister:
    """Return the register.

    Args:
        records: number, time, kind and subject of each record, with what its body holds, or why that cannot be read;
            oldest first.
    """
    credentials: dict[str, HeldCredential] = {}
    left: dict[str, LeavingPerson] = {}
    unreadable: dict[str, tuple[int, ...]] = {}
    why: dict[int, Message] = {}
    unfitting: list[int] = []
    is_begun = False
    for seq, at, kind, subject, body in records:
        is_begun = True
        if isinstance(body, Message) and kind == LEFT:
            left.setdefault(_key(left, subject), LeavingPerson(subject, at.date(), seq))
        elif isinstance(body, Message):
            unreadable[subject] = (*unreadable.get(subject, ()), seq)
            why[seq] = body
        elif isinstance(body, Leaving):
            key = _key(left, body.person)
            left.pop(key, None)
            if body.left_on is not None:
                left[key] = LeavingPerson(body.person, body.left_on, seq)
        else:
            after = _fold(credentials.get(body.id), seq, at, kind, body)
            if after is not None and isinstance(body, Credential) and kind == ADDED:
                known = _known_before(credentials.values(), body)
                after = replace(after, knowers=_known(known, body.holder, body.deputy, seq))
            if after is None:
                unfitting.append(seq)
                continue
            steps = credentials[body.id].steps if body.id in credentials else ()
            credentials[body.id] = replace(after, steps=(*steps, CredentialStep(seq, at, kind, body)))
            if isinstance(body, Credential):
                unreadable.pop(body.id, None)
    return CredentialRegister(credentials, tuple(left.values()), unreadable, why, tuple(unfitting), is_begun)


def read_credentials(ledger: LedgerReader, *, until: datetime | None = None) -> CredentialRegister:
    """Return the register as it was recorded by a moment, or now."""
    return fold_credentials(_read(ledger, until))


def _read(ledger: LedgerReader, until: datetime | None) -> Iterable[tuple[int, datetime, str, str, Body | Message]]:
    for record in ledger.records(kinds=CREDENTIAL_KINDS, until=until):
        key, body_type = _TYPES[record.kind]
        try:
            body: Body | Message | None = decode_part(ledger.blob(record.body), key, body_type)
        except PortalOpsError as error:
            body = error.message
        if not isinstance(body, Message) and (body is None or not _is_ours(body, record.subject)):
            body = _OTHER
        yield record.seq, record.at, record.kind, show_text(record.subject, MAX_TEXT), body


MAX_TEXT = 500
"""Longest text in a body; the commands take less."""


def _is_ours(body: Body, subject: str) -> bool:
    """Say whether a body is about the record's subject, and its text can be shown as it stands: none other is written."""
    name = body.person if isinstance(body, Leaving) else body.id
    texts = [value for each in fields(body) if isinstance(value := getattr(body, each.name), str)]
    is_its = unicodedata.normalize("NFC", name) == subject  # as the ledger writes what a record is about
    return is_its and all(text.isprintable() and len(text) <= MAX_TEXT for text in texts)


_OTHER = msg("the details of the record are about something else, or cannot be shown")


def _fold(
    held: HeldCredential | None,
    seq: int,
    at: datetime,
    kind: str,
    body: Credential | CredentialRotation | CredentialHandOver | CredentialReturn,
) -> HeldCredential | None:
    """Return a credential after a record; None if the record does not fit what was before."""
    if isinstance(body, Credential) and kind == ADDED:
        if held is not None and held.is_active:
            return None
        return HeldCredential(body, seq, seq, _known((), body.holder, body.deputy, seq))
    if held is None or not held.is_active:
        return None
    before = held.credential
    match body:
        case Credential():
            moved = (body.holder, body.deputy, body.place) != (before.holder, before.deputy, before.place)
            made = (body.rotated_on, body.rotate_by, body.fingerprint) != (
                before.rotated_on,
                before.rotate_by,
                before.fingerprint,
            )
            still = {body.holder, body.deputy}
            ceased = any(person and person not in still for person in (before.holder, before.deputy))
            return replace(
                held,
                credential=body,
                custody_seq=seq if moved else held.custody_seq,
                secret_seq=seq if made else held.secret_seq,
                had_until=at.date() if ceased else held.had_until,
                knowers=_known(held.knowers, body.holder, body.deputy, seq),
            )
        case CredentialRotation():
            after = replace(before, rotated_on=body.rotated_on, rotate_by=body.rotate_by, fingerprint=body.fingerprint)
            # Whoever still had it when it was made anew, by the days that were recorded, knows the new secret too.
            is_theirs = held.had_until is not None and body.rotated_on < held.had_until
            known = held.knowers if is_theirs else ()
            knowers = _known(known, before.holder, before.deputy, held.custody_seq)
            return replace(held, credential=after, secret_seq=seq, knowers=knowers)
        case CredentialHandOver():
            after = replace(
                before,
                holder=body.holder or before.holder,
                deputy=body.deputy or ("" if same_person(body.holder, before.deputy) else before.deputy),
                place=body.place or before.place,
            )
            knowers = _known(held.knowers, after.holder, after.deputy, seq)
            return replace(
                held,
                credential=after,
                custody_seq=seq,
                knowers=knowers,
                custody_on=body.on,
                had_until=max(body.on, held.had_until or body.on),
            )
        case CredentialReturn():
            return replace(held, returned=body, returned_seq=seq)


def _known_before(credentials: Iterable[HeldCredential], added: Credential) -> tuple[Knower, ...]:
    """Return who knows the secret of what is added, since it was in the register before and was not made anew since.

    What was returned opens nothing any more; what opens again with a secret of before that is the same one.
    """
    found: tuple[Knower, ...] = ()
    for each in credentials:
        if each.returned is None or not _is_same_secret(each.credential, added):
            continue
        if added.rotated_on is None or added.rotated_on < each.returned.on:
            for one in each.knowers:
                found = _known(found, one.person, "", one.seq)
    return found


def _is_same_secret(one: Credential, other: Credential) -> bool:
    """Say whether two open the same by the same: an account has one password; of the rest the fingerprint tells, or else the id."""
    if (one.system, one.account, one.kind) != (other.system, other.account, other.kind):
        return False
    if one.kind is CredentialKind.PASSWORD:
        return True
    return one.fingerprint == other.fingerprint and bool(one.fingerprint or one.id == other.id)


def _known(before: tuple[Knower, ...], holder: str, deputy: str, seq: int) -> tuple[Knower, ...]:
    """Return who knows a secret once these two hold it."""
    found = list(before)
    for person in (holder, deputy):
        if person and not any(same_person(each.person, person) for each in found):
            found.append(Knower(person, seq))
    return tuple(found)


def _key(left: Mapping[str, LeavingPerson], person: str) -> str:
    return next((key for key in left if same_person(key, person)), person)
