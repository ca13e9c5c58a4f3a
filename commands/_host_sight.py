"""`portalops host sight` and `hand-over`: who stood before a server, where it stands, and who answers for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Optional, TypeVar

import typer

from commands._host_places import Holders, holders_of, place_of
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
from portalops.errors import UsageError
from portalops.ledger import bodies
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.credentials import same_person
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.places import HandOver, Sighting
from portalops.model.record import Digest, Record
from portalops.registers.places import (
    HAND_OVER,
    HANDED_OVER,
    SIGHTED,
    SIGHTING,
    Place,
    PlaceStep,
    read_places,
)
from portalops.reports.document import Cell, KeyValues

HELP_SIGHT = _(
    "Record that somebody stood before a server, and where it stands\n\nA text that is not given is as it was when the host was"
    " last seen. A correction is a new sighting; one of an earlier day needs a reason. The check inventory.location asks"
    " for one every 12 months."
    "\n\nExample: portalops host sight web1 --site 'Sở KH&CN, 46 Lê Quý Đôn' --room 204 --rack 'Tủ A, U12' --holder 'Phòng"
    " Hạ tầng số' --by 'Nguyễn Văn An' --on 2026-11-20 --file bien-ban.pdf"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such host, a text is missing, the day is ahead, the holder"
    " left, or the file cannot be read"
)
HELP_HAND_OVER = _(
    "Record that somebody else answers for a server from now on\n\nA member of the configuration, or an office: a warning says if"
    " it is neither. The minutes are kept by their digest.\n\nExample: portalops host hand-over web1 --holder 'Trần Thị"
    " Bình' --document '05/BB-BG, 20/11/2026' --file bien-ban.pdf"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such host, the day is ahead, the holder"
    " left, or the file cannot be read"
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
    holders = holders_of(session)
    answers = None if holder is None else _known_holder(session, holders, holder, day)
    given = {"--site": site, "--room": room, "--rack": rack, "--holder": answers}
    seen_by = written_text(by, "--by") if by else caller_of(session)
    why = written_text(reason, "--reason") if reason else ""

    def made(before: Place) -> Sighting:
        texts = _texts(given, before)
        later = [step for step in before.steps if step.seq == before.sighted_seq]
        if holder is not None and before.holder_step is not None:
            later.append(before.holder_step)
        _require_reason(before.host, day, later, why)
        return Sighting(known.id, day, seen_by, *texts, reason=why)

    if dry_run:
        sighting = made(place_of(session, known.id))
        seq, evidence = None, _digest_of(document)
    else:
        sighting, record, evidence = _record(session, SIGHTED, SIGHTING, known.id, made, document=document)
        seq = record.seq
    if answers is None and (left := holders.left(sighting.holder, day)) is not None:
        session.warnings.append(
            msg(
                "{name}, who answers for {host}, left on {day} (record {seq}): 'portalops host hand-over' records who does now",
                name=sighting.holder,
                host=host,
                day=left.on,
                seq=left.seq,
            )
        )
    return _sighted(sighting, seq, evidence)


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
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help=_("Why it is recorded after what tells of a later day"))
    ] = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    known = known_host(session, host)
    day = past_day(session, on, "--on")
    data = document_in(file)
    named = written_text(document, "--document") if document else ""
    why = written_text(reason, "--reason") if reason else ""
    to = _known_holder(session, holders_of(session), holder, day)

    def made(before: Place) -> HandOver:
        _require_reason(before.host, day, [before.holder_step] if before.holder_step else [], why)
        return HandOver(known.id, day, to, before.holder, named, why)

    evidence = _digest_of(data)
    seq = None
    if dry_run:
        handed = made(place_of(session, known.id))
    else:
        handed, record, evidence = _record(session, HANDED_OVER, HAND_OVER, known.id, made, document=data)
        seq = record.seq
    rows: list[tuple[Message, Cell]] = [
        (msg("Host"), host),
        (msg("Responsible"), handed.holder),
        (msg("Until then"), handed.before or None),
        (msg("On"), handed.handed_on),
        *([(msg("Reason"), handed.reason)] if handed.reason else []),
        (msg("Document"), handed.document or None),
        (msg("Digest of the document"), evidence[0] if evidence else None),
        (msg("Recorded in"), _recorded(seq)),
    ]
    answer: JsonValue = {
        "id": host,
        "holder": handed.holder,
        "before": handed.before or None,
        "handed_on": handed.handed_on.isoformat(),
        "reason": handed.reason or None,
        "document": handed.document or None,
        "evidence": list(evidence),
        "record": seq,
    }
    return Result(answer, [KeyValues(rows)])


def _known_holder(session: Session, holders: Holders, text: str, day: date) -> str:
    """Return who answers for a host, a member by the configuration's own name; a warning says if nothing there knows them.

    Raises:
        UsageError: it is empty, or a person who left by that day.
    """
    name = _person_of(session, holders, written_text(text, "--holder"))
    left = holders.left(name, day)
    if left is not None and same_person(left.person, name):
        raise UsageError(
            msg("{person} left, by record {seq}", person=name, seq=left.seq),
            msg("Name somebody who is there; if they are back: 'portalops credential leave NAME --back'."),
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
                    "no member is declared, so nothing tells whether {person} is one: [checks.declared.members]",
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
                "{name} is an account of several members, who are not told apart: {people}",
                name=name,
                people=", ".join(owners),
            )
        )
        return name
    session.warnings.append(msg("{name} is the account of {person}, who is recorded", name=name, person=owners[0]))
    return owners[0]


def _require_reason(host: HostId, day: date, known: list[PlaceStep], reason: str) -> None:
    """Make sure that what tells of an earlier day than what is recorded already comes with a reason.

    Raises:
        UsageError: it does not.
    """
    later = max(known, key=lambda step: (step.on, step.seq), default=None)
    if later is None or day >= later.on or reason:
        return
    said = (
        msg("{host} was seen on {day} already, by record {seq}", host=host, day=later.on, seq=later.seq)
        if isinstance(later.body, Sighting)
        else msg("{host} was handed over on {day} already, by record {seq}", host=host, day=later.on, seq=later.seq)
    )
    raise UsageError(said, msg("If that is wrong, give --reason to say why this corrects it."))


def _digest_of(document: bytes | None) -> tuple[Digest, ...]:
    return () if document is None else (Digest(hashlib.sha256(document).hexdigest()),)


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
        (msg("Responsible"), sighting.holder),
        (msg("Seen by"), sighting.seen_by),
        (msg("On"), sighting.seen_on),
        *([(msg("Reason"), sighting.reason)] if sighting.reason else []),
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
