"""What the register of places says of servers, for people and for programs: where each stands, and who answers for it since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from checks.servers.declared import Declared
from commands.jobs.credentials import members_of, owners_of_accounts
from portalops.config import Settings
from portalops.model.credentials import names_person, same_person
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import Host, HostId
from portalops.model.places import LONGEST_MONTHS, Sighting, is_overdue
from portalops.model.text import show_text
from portalops.ports import LedgerReader
from portalops.registers.credentials import CredentialRegister, LeavingPerson, read_credentials
from portalops.registers.places import PlaceStep, RegisteredPlace
from portalops.reports.document import Block, Cell, Paragraph, Status, TableBlock, Tone

STEPS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Holders:
    """Who may answer for a server, as far as the configuration and the register of credentials tell."""

    members: tuple[str, ...]
    """The members that the configuration declares."""
    offices: tuple[str, ...]
    """The offices and the units that it names, in each language."""
    people: CredentialRegister
    """Tells who left."""
    today: date
    """The portal's local day."""
    accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By account: the members whose own it is declared to be."""

    def member(self, name: str) -> str | None:
        """Return a member as the configuration has the name; None if it names none such."""
        return next((one for one in self.members if same_person(one, name)), None)

    def owners(self, name: str) -> tuple[str, ...]:
        """Return the members whose account a name is; nobody where it is a member's or an office's name as well."""
        if self.member(name) is not None or any(same_person(one, name) for one in self.offices):
            return ()
        return self.accounts.get(name, ())

    def is_known(self, name: str) -> bool | None:
        """Say whether a name is a member's, or of one's own account, or an office's; None if no member is declared, so that nothing tells."""
        if any(same_person(one, name) for one in self.offices) or any(names_person(name, one) for one in self.members):
            return True
        if len(self.owners(name)) == 1:
            return True
        return False if self.members else None

    def left(self, name: str, day: date) -> LeavingPerson | None:
        """Return when a person whom a text names left, if that is on a day or before it."""
        owners = self.owners(name)
        meant = owners[0] if len(owners) == 1 else name
        return next((left for left in self.people.left if left.on <= day and names_person(meant, left.person)), None)


def holders_of(settings: Settings, ledger: LedgerReader, today: date) -> Holders:
    """Return who may answer for a server."""
    declared = settings.declared.parse(Declared)
    names = (*(actor.name for actor in settings.actors), *(unit.name for unit in settings.units))
    offices = tuple(dict.fromkeys(text for name in names for text in (name.vi, name.en) if text))
    return Holders(tuple(members_of(declared)), offices, read_credentials(ledger), today, owners_of_accounts(declared))


def places_table(hosts: Iterable[Host], places: Mapping[HostId, RegisteredPlace], holders: Holders) -> TableBlock:
    """Return where each server stands, who answers for it, and when it was last seen, with the records that say so."""
    rows: list[tuple[Cell, ...]] = []
    for host in hosts:
        place = places.get(host.id) or RegisteredPlace(host.id)
        seen = place.sighting
        rows.append(
            (
                host.id,
                show_text(seen.site) if seen else None,
                show_text(seen.room) if seen else None,
                show_text(seen.rack) if seen else None,
                _holder(place, holders),
                _last_seen(place, holders.today),
                _seqs(place),
            )
        )
    headers = (
        msg("Host"), msg("Site"), msg("Room"), msg("Rack"), msg("Responsible"), msg("Last seen"), msg("Records"),
    )  # fmt: skip
    return TableBlock(msg("Where they stand"), headers, rows)


def place_rows(place: RegisteredPlace, holders: Holders) -> list[tuple[Message, Cell]]:
    """Return what the register says of one host's place, for people."""
    seen = place.sighting
    rows: list[tuple[Message, Cell]] = []
    if seen is not None:
        rows += [
            (msg("Site"), show_text(seen.site)),
            (msg("Room"), show_text(seen.room)),
            (msg("Rack"), show_text(seen.rack)),
        ]
    rows.append((msg("Responsible"), _holder(place, holders)))
    if place.holder_seq:
        rows.append((msg("Stated in"), msg("record {seq}", seq=place.holder_seq)))
    rows.append((msg("Last seen"), _last_seen(place, holders.today)))
    if seen is not None:
        rows += [
            (msg("Seen by"), show_text(seen.seen_by)),
            (msg("Recorded in"), msg("record {seq}", seq=place.sighted_seq)),
            (msg("Digest of the document"), ", ".join(place.evidence) or None),
        ]
    if place.lost:
        seqs = ", ".join(map(str, place.lost[-STEPS_SHOWN:]))
        rows.append((msg("Cannot be read"), Status(msg("record {seq}", seq=seqs), Tone.BAD)))
    return rows


def steps_of(place: RegisteredPlace) -> list[Block]:
    """Return the newest records of a host's place, with what each said and the digest of its document."""
    if not place.steps:
        return []
    rows = [
        (step.seq, step.at, *_describe(step), ", ".join(step.evidence) or None)
        for step in place.steps[: -STEPS_SHOWN - 1 : -1]
    ]
    headers = (
        msg("Record"), msg("Recorded at"), msg("Day"), msg("Content"), msg("Document"),
        msg("Digest of the document"),
    )  # fmt: skip
    blocks: list[Block] = [TableBlock(msg("Sightings and hand-overs, newest first"), headers, rows)]
    if (more := len(place.steps) - STEPS_SHOWN) > 0:
        blocks.append(Paragraph(nmsg("{n} earlier record is not shown.", "{n} earlier records are not shown.", more)))
    return blocks


def _describe(step: PlaceStep) -> tuple[Cell, Cell, Cell]:
    """Return the day of a record, what it said, and its document."""
    body = step.body
    if isinstance(body, Sighting):
        said = msg(
            "seen by {name}: {site}, {room}, {rack}; {holder} is responsible",
            name=show_text(body.seen_by),
            site=show_text(body.site),
            room=show_text(body.room),
            rack=show_text(body.rack),
            holder=show_text(body.holder),
        )
        document = None
    else:
        said = msg(
            "handed over from {before} to {holder}", before=show_text(body.before) or "–", holder=show_text(body.holder)
        )
        document = show_text(body.document) or None
    if body.reason:
        said = msg("{said} ({reason})", said=said, reason=show_text(body.reason))
    return step.day, said, document


def _holder(place: RegisteredPlace, holders: Holders) -> Cell:
    name = place.holder
    if not name:
        return None
    if (left := holders.left(name, holders.today)) is not None:
        text = msg("{name}, who left on {day} (record {seq})", name=show_text(name), day=left.on, seq=left.seq)
        return Status(text, Tone.BAD)
    if holders.is_known(name) is False:
        return Status(
            msg("{name}, neither a member nor an office of the configuration", name=show_text(name)), Tone.UNSURE
        )
    return verbatim(show_text(name))


def _last_seen(place: RegisteredPlace, today: date) -> Cell:
    seen = place.sighting
    if seen is None:
        return Status(msg("never seen"), Tone.UNSURE)
    if is_overdue(seen.seen_on, today):
        text = msg("{day}, more than {months} months ago", day=seen.seen_on, months=LONGEST_MONTHS)
        return Status(text, Tone.BAD)
    days = (today - seen.seen_on).days
    if days < 1:
        return msg("{day}, today", day=seen.seen_on) if days == 0 else seen.seen_on
    return nmsg("{day}, {n} day ago", "{day}, {n} days ago", days, day=seen.seen_on)


def _seqs(place: RegisteredPlace) -> Cell:
    seqs: Sequence[int] = sorted({seq for seq in (place.sighted_seq, place.holder_seq) if seq})
    if place.lost:
        return Status(msg("cannot be read: {seqs}", seqs=", ".join(map(str, place.lost[-STEPS_SHOWN:]))), Tone.BAD)
    return ", ".join(map(str, seqs)) or None
