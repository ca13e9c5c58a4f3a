"""`portalops host sight` and `hand-over`: who stood before a server, where it stands, and who answers for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Optional, TypeVar

import typer

from commands._registers import (
    DocumentFile,
    DryRun,
    caller_of,
    document_in,
    past_day,
    written_text,
)
from commands._result import JsonValue, Result
from commands._servers import known_host
from commands._session import Session, open_session
from portalops.errors import LedgerMissing, UsageError
from portalops.ledger import bodies
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.places import HandOver, Sighting
from portalops.model.record import Digest, Record
from portalops.model.text import show_text
from portalops.registers.places import (
    HAND_OVER,
    HANDED_OVER,
    SIGHTED,
    SIGHTING,
    Place,
    read_places,
)
from portalops.reports.document import Cell, KeyValues

HELP_SIGHT = _(
    "Record that somebody stood before a server, and where it stands\n\nA text that is not given is as it was when the host was"
    " last seen. A correction is a new sighting; one of an earlier day needs a reason. The check inventory.location asks"
    " for one every 12 months."
    "\n\nExample: portalops host sight web1 --site 'Sở KH&CN, 46 Lê Quý Đôn' --room 204 --rack 'Tủ A, U12' --holder 'Phòng"
    " Hạ tầng số' --by 'Nguyễn Văn An' --on 2026-11-20 --file bien-ban.pdf"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such host, a text is missing, the day is ahead, or the file cannot be read"
)
HELP_HAND_OVER = _(
    "Record that somebody else answers for a server from now on\n\nExample: portalops host hand-over web1 --holder 'Trần Thị"
    " Bình' --document '05/BB-BG, 20/11/2026' --file bien-ban.pdf"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such host, the day is ahead, or the file cannot be read"
)
DUTY = "12.1"
HostArgument = Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))]
BodyT = TypeVar("BodyT")
OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time


def sight(
    ctx: typer.Context,
    host: HostArgument,
    *,
    site: Annotated[
        OptionalText, typer.Option(metavar="TEXT", help=_("The building in which it stands, or its address"))
    ] = None,
    room: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("The room"))] = None,
    rack: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("The rack, and the place in it"))] = None,
    holder: Annotated[
        OptionalText, typer.Option(metavar="NAME", help=_("Who answers for it: a person or an office"))
    ] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help=_("Who saw it; the account that calls by default"))] = "",
    on: Annotated[
        OptionalText, typer.Option(metavar="DAY", help=_("When, such as 2026-11-20; today by default"))
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help=_("Why it corrects what was recorded for a later day"))
    ] = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    known = known_host(session, host)
    day = past_day(session, on, "--on")
    document = document_in(file)
    given = {"--site": site, "--room": room, "--rack": rack, "--holder": holder}
    seen_by = written_text(by, "--by") if by else caller_of(session)
    why = written_text(reason, "--reason") if reason else ""

    def made(before: Place) -> Sighting:
        old = before.sighting
        texts = _texts(given, before)
        if old is not None and day < old.seen_on and not why:
            raise UsageError(
                msg(
                    "{host} was seen on {day} already, by record {seq}",
                    host=host,
                    day=old.seen_on,
                    seq=before.sighted_seq,
                ),
                msg("If that is wrong, give --reason to say why this corrects it."),
            )
        return Sighting(known.id, day, seen_by, *texts, reason=why)

    if dry_run:
        sighting = made(place_of(session, known.id))
        return _sighted(sighting, None, ())
    sighting, record, evidence = _record(session, SIGHTED, SIGHTING, known.id, made, document=document)
    return _sighted(sighting, record.seq, evidence)


def hand_over(
    ctx: typer.Context,
    host: HostArgument,
    *,
    holder: Annotated[str, typer.Option(metavar="NAME", help=_("Who answers for it from then on"))],
    on: Annotated[
        OptionalText, typer.Option(metavar="DAY", help=_("When, such as 2026-11-20; today by default"))
    ] = None,
    document: Annotated[
        str, typer.Option(metavar="TEXT", help=_("Number and date of the minutes or the decision"))
    ] = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    known = known_host(session, host)
    day = past_day(session, on, "--on")
    data = document_in(file)
    named = written_text(document, "--document") if document else ""
    to = written_text(holder, "--holder")

    def made(before: Place) -> HandOver:
        return HandOver(known.id, day, to, before.holder, named)

    evidence: tuple[Digest, ...] = ()
    seq = None
    if dry_run:
        handed = made(place_of(session, known.id))
    else:
        handed, record, evidence = _record(session, HANDED_OVER, HAND_OVER, known.id, made, document=data)
        seq = record.seq
    rows: list[tuple[Message, Cell]] = [
        (msg("Host"), host),
        (msg("Answers for it"), handed.holder),
        (msg("Until then"), handed.before or None),
        (msg("On"), handed.handed_on),
        (msg("Document"), handed.document or None),
        (msg("Digest of the document"), evidence[0] if evidence else None),
        (msg("Recorded in"), _recorded(seq)),
    ]
    answer: JsonValue = {
        "id": host,
        "holder": handed.holder,
        "before": handed.before or None,
        "handed_on": handed.handed_on.isoformat(),
        "document": handed.document or None,
        "evidence": list(evidence),
        "record": seq,
    }
    return Result(answer, [KeyValues(rows)])


def place_of(session: Session, host: HostId) -> Place:
    """Return what the register of places says of a host."""
    return places_of(session).get(host) or Place(host)


def places_of(session: Session) -> Mapping[HostId, Place]:
    """Return the register of places; nothing before there is a ledger."""
    try:
        return read_places(session.ledger)
    except LedgerMissing:
        return {}


def place_rows(place: Place) -> list[tuple[Message, Cell]]:
    """Return what the register says of a host's place, for people."""
    seen = place.sighting
    if seen is None:
        rows: list[tuple[Message, Cell]] = [
            (msg("Last seen"), msg("never")),
            (msg("Answers for it"), place.holder or None),
        ]
    else:
        rows = [
            (msg("Site"), show_text(seen.site)),
            (msg("Room"), show_text(seen.room)),
            (msg("Rack"), show_text(seen.rack)),
            (msg("Answers for it"), show_text(place.holder)),
            (
                msg("Last seen"),
                msg(
                    "{day} by {name} (record {seq})",
                    day=seen.seen_on,
                    name=show_text(seen.seen_by),
                    seq=place.sighted_seq,
                ),
            ),
        ]
    if place.lost:
        rows.append((msg("Cannot be read"), msg("record {seq}", seq=place.lost[-1])))
    return rows


def place_data(place: Place) -> dict[str, JsonValue]:
    """Return the same for programs."""
    seen = place.sighting
    return {
        "site": show_text(seen.site) if seen else None,
        "room": show_text(seen.room) if seen else None,
        "rack": show_text(seen.rack) if seen else None,
        "holder": show_text(place.holder) or None,
        "holder_record": place.holder_seq or None,
        "seen_on": seen.seen_on.isoformat() if seen else None,
        "seen_by": show_text(seen.seen_by) if seen else None,
        "record": place.sighted_seq or None,
        "unreadable": list(place.lost),
    }


def _record(
    session: Session, kind: str, key: str, host: HostId, made: Callable[[Place], BodyT], *, document: bytes | None
) -> tuple[BodyT, Record, tuple[Digest, ...]]:
    """Record what is made of the register as it stands, while nobody else can write; return it with its evidence."""
    ledger = session.writable_ledger
    evidence = () if document is None else (ledger.keep(document),)
    done: list[BodyT] = []

    def decide() -> tuple[Draft]:
        done.append(made(read_places(ledger).get(host) or Place(host)))
        parts = {"circumstances": session.circumstances, key: done[-1], "evidence": evidence}
        return (ledger.draft(kind, subject=host, duty=DUTY, body=ledger.keep(bodies.write(parts))),)

    (record,) = ledger.append_decided(decide)
    return done[-1], record, evidence


def _texts(given: Mapping[str, str | None], before: Place) -> tuple[str, str, str, str]:
    """Return building, room, rack and holder: as given, or else as last seen."""
    old = before.sighting
    last = {
        "--site": old.site if old else "",
        "--room": old.room if old else "",
        "--rack": old.rack if old else "",
        "--holder": before.holder,
    }
    missing = [option for option, text in given.items() if text is None and not last[option]]
    if missing:
        raise UsageError(
            msg(
                "{host} was never seen before, and {options} is not given", host=before.host, options=", ".join(missing)
            ),
            msg("Say where it stands and who answers for it: --site, --room, --rack and --holder."),
        )
    site, room, rack, holder = (
        last[option] if text is None else written_text(text, option) for option, text in given.items()
    )
    return site, room, rack, holder


def _recorded(seq: int | None) -> Message:
    return msg("nothing: this was a dry run") if seq is None else msg("record {seq}", seq=seq)


def _sighted(sighting: Sighting, seq: int | None, evidence: tuple[Digest, ...]) -> Result:
    rows: list[tuple[Message, Cell]] = [
        (msg("Host"), sighting.host),
        (msg("Site"), sighting.site),
        (msg("Room"), sighting.room),
        (msg("Rack"), sighting.rack),
        (msg("Answers for it"), sighting.holder),
        (msg("Seen by"), sighting.seen_by),
        (msg("On"), sighting.seen_on),
        (msg("Digest of the document"), evidence[0] if evidence else None),
        (msg("Recorded in"), _recorded(seq)),
    ]
    data: JsonValue = {
        "id": sighting.host,
        "site": sighting.site,
        "room": sighting.room,
        "rack": sighting.rack,
        "holder": sighting.holder,
        "seen_on": sighting.seen_on.isoformat(),
        "seen_by": sighting.seen_by,
        "reason": sighting.reason or None,
        "evidence": list(evidence),
        "record": seq,
    }
    return Result(data, [KeyValues(rows)])
