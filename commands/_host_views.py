"""`portalops host list`, `show` and `facts`: what is known of the servers, from the ledger's evidence alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from commands._host_places import (
    Holders,
    holders_of,
    place_data,
    place_rows,
    places_of,
    places_table,
    steps_data,
    steps_of,
)
from commands._result import JsonValue, Result
from commands._servers import enrolments_of, known_host
from commands._session import Session, open_session
from portalops.errors import ExitCode, LedgerMissing, UsageError
from portalops.ledger import bodies
from portalops.locale import _
from portalops.model.checks import CheckRound, HostRound
from portalops.model.hosts import LOCAL
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.hosts import RecordedEnrolment
from portalops.registers.places import Place
from portalops.reports.document import Cell, KeyValues, Notice, Paragraph, Status, Table, Tone, Verbatim

if TYPE_CHECKING:
    from checks.servers.probe import Probe

HELP_LIST = _(
    "List the servers: how each is reached, by which key it is known, when it was last looked at, and where it stands"
    "\n\nReads the ledger and the configuration only. A server that nobody stood before in the last 12 months is marked.\n\nExample: portalops host list"
    "\n\nEXIT STATUS: 0 every host was reached when it was last looked at, 1 one was not, or has no key or no round yet"
)
HELP_SHOW = _(
    "Show a server: its way, its key and who compared it, how its last round went, where it stands and who answers for it"
    "\n\nEvery sighting and hand-over is listed with its record and the digest of its document.\n\nExample: portalops host show web1"
    "\n\nEXIT STATUS: 0 shown, 2 there is no such host"
)
HELP_FACTS = _(
    "Show what a server last said of itself\n\nThe facts are read out of the answer that the ledger keeps, with its age; nothing is"
    " connected to. With a probe, all of that fact.\n\nExample: portalops host facts web1 firewall.nft"
    "\n\nEXIT STATUS: 0 shown, 2 there is no such host or probe, 3 the host never answered, or that fact is missing"
)
HostArgument = Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))]
ROUNDS = 200
"""So many rounds are looked through for the last answer of a host."""
SHOWN_LETTERS = 160
WHOLE_LETTERS = 4000


@dataclass(frozen=True, slots=True)
class _Seen:
    """The newest round in which a host answered, and the newest of all."""

    answered: HostRound | None
    newest: HostRound


def list_(ctx: typer.Context) -> Result:
    session = open_session(ctx)
    hosts = session.settings.hosts
    if not hosts:
        return Result([], [Paragraph(msg("There is no host yet: 'portalops host add' adds one"))])
    enrolled = enrolments_of(session)
    seen = _seen(session, {host.id for host in hosts})
    places, holders = places_of(session), holders_of(session)
    rows = [
        (
            host.id,
            _way(session, host),
            _key(host, enrolled.get(host.id)),
            _at(seen, host.id),
            _state(seen.get(host.id)),
        )
        for host in hosts
    ]
    headers = (msg("Host"), msg("Way"), msg("Key"), msg("Last answer"), msg("Last look"))
    data: list[JsonValue] = [
        _data(session, host, enrolled.get(host.id), seen.get(host.id), place=_placed(places.get(host.id), holders))
        for host in hosts
    ]
    is_whole = all(_is_known(host, enrolled) and host.id in seen and seen[host.id].newest.reached for host in hosts)
    table = Table(nmsg("{n} host", "{n} hosts", len(hosts)), headers, rows)
    view = [table, places_table(hosts, places, holders)]
    return Result(data, view, exit_code=ExitCode.OK if is_whole else ExitCode.UNMET)


def show(ctx: typer.Context, host: HostArgument) -> Result:
    session = open_session(ctx)
    known = known_host(session, host)
    enrolment = enrolments_of(session).get(known.id)
    seen = _seen(session, {known.id})
    rows: list[tuple[Message, Cell]] = [
        (msg("Host"), known.id),
        (msg("Way"), _way(session, known)),
        (msg("Roles"), ", ".join(sorted(known.roles)) or None),
        (msg("Sees to its findings"), show_text(known.custodian) or None),
        (msg("Key"), _key(known, enrolment)),
    ]
    if enrolment is not None:
        rows += [
            (msg("Compared by"), show_text(enrolment.enrolment.by)),
            (msg("Recorded on"), enrolment.at),
            (msg("Recorded in"), msg("record {seq}", seq=enrolment.seq)),
        ]
        if enrolment.enrolment.replaces:
            rows += [
                (msg("In the place of"), show_text(enrolment.enrolment.replaces)),
                (msg("Reason"), show_text(enrolment.enrolment.reason, 1000)),
            ]
    rows += [(msg("Last answer"), _at(seen, known.id)), (msg("Last look"), _state(seen.get(known.id)))]
    place, holders = places_of(session).get(known.id) or Place(known.id), holders_of(session)
    rows += place_rows(place, holders)
    data = _data(session, known, enrolment, seen.get(known.id), place=_placed(place, holders))
    return Result({**data, "place_records": steps_data(place)}, [KeyValues(rows), *steps_of(place)])


def facts(
    ctx: typer.Context,
    host: HostArgument,
    probe: Annotated[Optional[str], typer.Argument(metavar="PROBE", help=_("Only this probe, whole"))] = None,  # noqa: UP045  # Typer reads it at run time
) -> Result:
    from checks.servers.catalogue import checks, probes_of  # noqa: PLC0415  # start-up time
    from checks.servers.facts import found_in  # noqa: PLC0415  # as above
    from checks.servers.probe import Missing  # noqa: PLC0415  # as above

    session = open_session(ctx)
    known = known_host(session, host)
    probes = probes_of(checks())
    if probe is not None:
        probes = _only(probe, probes)
    seen = _seen(session, {known.id}).get(known.id)
    evidence = seen.answered.answer() if seen and seen.answered else None
    if seen is None or seen.answered is None or evidence is None:
        said = msg("{host} has not answered in any recorded round", host=known.id)
        return Result([], [Notice(said)], exit_code=ExitCode.PARTIAL)
    received_at = seen.answered.gathered_at
    found, repeated = found_in(session.ledger.blob(evidence), probes, received_at)
    stand = {name: (one.at, one.answer) for name, one in repeated.items()}
    at, evidence = stand.get(probe or "", (received_at, evidence))
    hours = max(0, int((session.clock.now() - at).total_seconds() // 3600))
    head = KeyValues(
        (
            (msg("Host"), known.id),
            (msg("Received at"), at),
            (msg("Age"), nmsg("{n} hour", "{n} hours", hours)),
            (msg("Evidence"), evidence),
            (msg("Brought by"), show_text(seen.answered.brought_by) or None),
        )
    )
    data: list[JsonValue] = [_fact_data(name, found[name], *stand.get(name, (at, evidence))) for name in sorted(found)]
    if probe is not None:
        fact = found[probe]
        if isinstance(fact, Missing):
            return Result(data, [head, Notice(verbatim(show_text(str(fact.seen), 1000)))], exit_code=ExitCode.PARTIAL)
        text = json.dumps(plain(fact), ensure_ascii=False, indent=2)
        return Result(data, [head, Verbatim(text)])
    rows = [(name, stand.get(name, (at, ""))[0], _short(found[name])) for name in sorted(found)]
    caption = nmsg("{n} fact", "{n} facts", len(rows))
    return Result(data, [head, Table(caption, (msg("Probe"), msg("Received at"), msg("Fact")), rows)])


def plain(fact: object) -> JsonValue:
    """Return a fact as plain values; whatever a host wrote is bounded, and what does not print is escaped."""
    match fact:
        case None | bool() | int():
            return fact
        case Enum():
            return plain(fact.value)
        case str():
            return show_text(fact, WHOLE_LETTERS)
        case float():
            return show_text(repr(fact))
        case datetime():
            return fact.isoformat()
        case Message():
            return show_text(str(fact), WHOLE_LETTERS)
        case bytes():
            return show_text(repr(fact), WHOLE_LETTERS)
        case Mapping():
            return {show_text(str(key), WHOLE_LETTERS): plain(value) for key, value in fact.items()}
        case frozenset() | set():
            return sorted((plain(one) for one in fact), key=repr)
        case Collection():
            return [plain(one) for one in fact]
    if dataclasses.is_dataclass(fact) and not isinstance(fact, type):
        return {field.name: plain(getattr(fact, field.name)) for field in dataclasses.fields(fact)}
    return show_text(str(fact), WHOLE_LETTERS)


def answers_of(session: Session, wanted: Collection[HostId]) -> dict[HostId, tuple[datetime, bytes]]:
    """Return each host's newest answer that the ledger keeps, and when it was received; none of a host that never answered.

    Raises:
        IntegrityError: an answer is missing or damaged.
    """
    found = {}
    for host, seen in _seen(session, wanted).items():
        evidence = seen.answered.answer() if seen.answered else None
        if seen.answered is not None and evidence is not None:
            found[host] = (seen.answered.gathered_at, session.ledger.blob(evidence))
    return found


def _short(fact: object) -> Cell:
    from checks.servers.probe import Missing  # noqa: PLC0415  # start-up time

    if isinstance(fact, Missing):
        return Status(msg("missing: {seen}", seen=fact.seen), Tone.UNSURE)
    return show_text(json.dumps(plain(fact), ensure_ascii=False), SHOWN_LETTERS)


def _fact_data(name: str, fact: object, at: datetime, evidence: Digest) -> JsonValue:
    from checks.servers.probe import Missing  # noqa: PLC0415  # start-up time

    missing = {"reason": fact.reason, "seen": show_text(str(fact.seen), 1000)} if isinstance(fact, Missing) else None
    return {
        "id": name,
        "received_at": at.isoformat(),
        "evidence": evidence,
        "missing": missing,
        "fact": None if missing else plain(fact),
    }


def _only(name: str, probes: Mapping[str, Probe[object]]) -> dict[str, Probe[object]]:
    if name not in probes:
        raise UsageError(
            msg("there is no probe {probe}", probe=show_text(name, 60)),
            msg("'portalops host facts HOST' lists them."),
        )
    return {name: probes[name]}


def _seen(session: Session, wanted: Collection[HostId]) -> dict[HostId, _Seen]:
    """Return the newest look at each host and the newest answer of each, as far back as `ROUNDS` rounds."""
    found: dict[HostId, _Seen] = {}
    for each in _rounds(session):
        for look in each.hosts:
            before = found.get(look.host)
            if look.host not in wanted or (before is not None and before.answered is not None):
                continue
            found[look.host] = _Seen(look if look.reached else None, before.newest if before else look)
        if all(host in found and found[host].answered is not None for host in wanted):
            break
    return found


def _rounds(session: Session) -> Iterator[CheckRound]:
    try:
        ledger = session.ledger
    except LedgerMissing:
        return
    for record in ledger.records(kinds=("check.finished",), newest_first=True, limit=ROUNDS):
        body = bodies.decode_part(ledger.blob(record.body), "check", CheckRound)
        if body is not None:
            yield body


def _way(session: Session, host: Host) -> Cell:
    if host.address == LOCAL:
        return msg("this machine")
    way = session.settings.servers.ways[host.id]
    place = show_text(f"{way.user}@{way.host}:{way.port}")
    return msg("{place} through {jump}", place=place, jump=way.jump) if way.jump else place


def _key(host: Host, enrolment: RecordedEnrolment | None) -> Cell:
    if host.address == LOCAL:
        return None
    if enrolment is None:
        return Status(msg("not enrolled"), Tone.UNSURE)
    return show_text(enrolment.enrolment.fingerprint)


def _is_known(host: Host, enrolled: Collection[HostId]) -> bool:
    return host.address == LOCAL or host.id in enrolled


def _at(seen: Mapping[HostId, _Seen], host: HostId) -> datetime | None:
    answered = seen[host].answered if host in seen else None
    return answered.gathered_at if answered else None


def _state(seen: _Seen | None) -> Cell:
    if seen is None:
        return Status(msg("never looked at"), Tone.UNSURE)
    if seen.newest.brought_by:
        return Status(msg("brought by {by}", by=show_text(seen.newest.brought_by)), Tone.UNSURE)
    if seen.newest.reached:
        return Status(msg("reached"), Tone.GOOD)
    problem = seen.newest.problem
    return Status(problem if isinstance(problem, Message) else verbatim(show_text(problem, 200)), Tone.BAD)


def _placed(place: Place | None, holders: Holders) -> JsonValue:
    return place_data(place, holders) if place else None


def _data(
    session: Session, host: Host, enrolment: RecordedEnrolment | None, seen: _Seen | None, *, place: JsonValue
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
