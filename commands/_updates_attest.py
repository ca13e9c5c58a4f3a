"""`portalops updates observe` and `register`: what people attest of single items, which then count with grade D."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Optional
from urllib.parse import urlsplit

import typer

from commands._registers import (
    DocumentFile,
    DryRun,
    Reason,
    caller_of,
    document_in,
    known_unit,
    next_id,
    past_day,
    past_moment,
    unit_name,
    written_text,
)
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import LedgerMissing, UsageError
from portalops.ledger import bodies
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.submissions import AttestationWithdrawal, ObservedItem, RegisteredPaper
from portalops.model.text import show_text
from portalops.model.updates import Channel
from portalops.registers.attested import (
    ATTESTED_KINDS,
    ITEM,
    OBSERVED,
    PAPER,
    REGISTERED,
    WITHDRAWAL,
    WITHDRAWN,
    Attestation,
    Attested,
    read_attested,
)
from portalops.reports.document import Cell, KeyValues, Paragraph
from portalops.reports.words import channel_word

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time

DUTY = "11.3-tracking"
MAX_NUMBER = 40

HELP_OBSERVE = _(
    "Record that an officer saw an item that no source shows\n\nIt counts on the day on which it was seen, with grade D. Give its"
    " address, or the item itself by --file: what nobody else can look at proves nothing. --withdraw ID takes one back."
    "\n\nExample: portalops updates observe --unit xa-cam-an --channel subportal --title 'Lịch tiêm chủng tháng 12' --address"
    " https://caman.khanhhoa.example/tin/12 --when 2026-11-20T09:30 --officer 'Nguyễn Văn An'"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 no such unit, a text or a moment is missing or wrong, it is recorded already"
)
HELP_REGISTER = _(
    "Record that a paper document came in\n\nIt counts on its day of arrival, with grade D, as a line of the register's file does:"
    " its number of arrival is the only one of its year, and no day lies ahead. --withdraw ID takes one back."
    "\n\nExample: portalops updates register --unit so-y-te --number 118 --arrived 2026-11-20 --code 245/SYT-VP --subject"
    " 'Tin, bài tuần 47' --file cong-van.pdf"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 no such unit, a number or a day is missing or wrong, the number is taken"
)

UnitOption = Annotated[OptionalText, typer.Option("--unit", metavar="UNIT", help=_("Whose, by its id"))]
Withdraw = Annotated[
    OptionalText, typer.Option("--withdraw", metavar="ID", help=_("Take back what was recorded under this id instead"))
]


def observe(
    ctx: typer.Context,
    *,
    unit: UnitOption = None,
    channel: Annotated[
        OptionalText,
        typer.Option("--channel", metavar="portal|subportal|submission", help=_("portal, subportal or submission")),
    ] = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help=_("Its title"))] = "",
    address: Annotated[str, typer.Option("--address", metavar="URL", help=_("Where it can be seen"))] = "",
    when: Annotated[
        OptionalText, typer.Option("--when", metavar="MOMENT", help=_("When it was seen; now without it"))
    ] = None,
    officer: Annotated[str, typer.Option("--officer", metavar="NAME", help=_("Who saw it"))] = "",
    reason: Reason = "",
    file: DocumentFile = None,
    withdraw: Withdraw = None,
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    if withdraw is not None:
        return _withdrawn(session, withdraw, ObservedItem, officer, reason, dry_run=dry_run)
    where = _channel(channel)
    whose = None if where is Channel.PORTAL and unit is None else known_unit(session, unit).id
    said, who = written_text(title, "--title"), written_text(officer, "--officer")
    why = written_text(reason, "--reason") if reason else ""
    place = _address(address) if address else ""
    seen_at = past_moment(session, when, "--when")
    data = document_in(file)
    if not place and data is None:
        raise UsageError(
            msg("nobody else could look at the item"),
            msg("Give its address by --address, or the item or a picture of it by --file."),
        )

    def made(standing: Sequence[Attested], digest: Digest | None) -> ObservedItem:
        for each in standing:
            one = each.what
            if isinstance(one, ObservedItem) and (one.unit, one.channel, one.address, one.title) == (
                whose, where, place, said,
            ):  # fmt: skip
                raise UsageError(
                    msg("this item is recorded already, as {id}", id=one.id),
                    msg("Take that back by --withdraw {id} if it is wrong.", id=one.id),
                )
        number = next_id(session, "OB", ATTESTED_KINDS)
        return ObservedItem(number, whose, where, said, place, seen_at, who, why, digest)

    return _recorded(session, OBSERVED, ITEM, made, data, dry_run=dry_run)


def register(
    ctx: typer.Context,
    *,
    unit: UnitOption = None,
    number: Annotated[str, typer.Option("--number", metavar="NUMBER", help=_("Its number of arrival"))] = "",
    arrived: Annotated[
        OptionalText, typer.Option("--arrived", metavar="DAY", help=_("Its day of arrival; today without it"))
    ] = None,
    author: Annotated[
        str, typer.Option("--author", metavar="TEXT", help=_("The agency as the paper names it; the unit without it"))
    ] = "",
    code: Annotated[str, typer.Option("--code", metavar="TEXT", help=_("Number and notation of the document"))] = "",
    subject: Annotated[str, typer.Option("--subject", metavar="TEXT", help=_("What it is about"))] = "",
    registrar: Annotated[
        str, typer.Option("--registrar", metavar="NAME", help=_("Who registers it; the account without it"))
    ] = "",
    reason: Reason = "",
    file: DocumentFile = None,
    withdraw: Withdraw = None,
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    if withdraw is not None:
        return _withdrawn(session, withdraw, RegisteredPaper, registrar, reason, dry_run=dry_run)
    whose = known_unit(session, unit)
    own = written_text(number, "--number")
    if len(own) > MAX_NUMBER:
        raise UsageError(
            msg("--number: {text} is no number of arrival", text=show_text(own, MAX_NUMBER)),
            msg("Give it as the register of incoming documents has it, such as 118."),
        )
    day = past_day(session, arrived, "--arrived")
    about = written_text(subject, "--subject")
    written = [written_text(text, option) if text else "" for text, option in ((author, "--author"), (code, "--code"))]
    who = written_text(registrar, "--registrar") if registrar else caller_of(session)
    why = written_text(reason, "--reason") if reason else ""
    data = document_in(file)

    def made(standing: Sequence[Attested], digest: Digest | None) -> RegisteredPaper:
        _require_free(session, standing, own, day)
        name = next_id(session, "RG", ATTESTED_KINDS)
        by = written[0] or show_text(whose.name.vi, 200)
        return RegisteredPaper(name, whose.id, own, day, by, written[1], about, who, why, digest)

    return _recorded(session, REGISTERED, PAPER, made, data, dry_run=dry_run)


def _standing(session: Session) -> tuple[Attested, ...]:
    """Return what people attested and nobody took back, oldest first."""
    try:
        return read_attested(session.ledger).standing
    except LedgerMissing:
        return ()


def _recorded(
    session: Session,
    kind: str,
    key: str,
    made: Callable[[Sequence[Attested], Digest | None], Attestation],
    data: bytes | None,
    *,
    dry_run: bool,
) -> Result:
    """Record what was made, or show it: `made` is asked again under the ledger's lock, so that no number is given twice."""
    if dry_run:
        return _shown(session, made(_standing(session), None), None)
    ledger = session.writable_ledger
    kept: list[Attestation] = []

    def decide() -> Sequence[Draft]:
        evidence = () if data is None else (ledger.keep(data),)
        what = made(_standing(session), evidence[0] if evidence else None)
        kept[:] = [what]
        body = ledger.keep(bodies.write({"circumstances": session.circumstances, key: what, "evidence": evidence}))
        return [ledger.draft(kind, subject=what.id, duty=DUTY, body=body)]

    (record,) = ledger.append_decided(decide)
    return _shown(session, kept[0], record.seq)


def _withdrawn(session: Session, name: str, kind: type[Attestation], by: str, reason: str, *, dry_run: bool) -> Result:
    who = written_text(by, "--officer") if by else caller_of(session)
    why = written_text(reason, "--reason")

    def known() -> Attested:
        for each in _standing(session):
            if each.what.id == name and isinstance(each.what, kind):
                return each
        raise UsageError(
            msg("there is no {id} that could be taken back", id=show_text(name, 40)),
            msg("'portalops updates list --json' shows the ids."),
        )

    if dry_run:
        return _shown(session, known().what, None)
    ledger = session.writable_ledger

    def decide() -> Sequence[Draft]:
        known()
        parts = {"circumstances": session.circumstances, WITHDRAWAL: AttestationWithdrawal(name, why, who)}
        return [ledger.draft(WITHDRAWN, subject=name, duty=DUTY, body=ledger.keep(bodies.write(parts)))]

    (record,) = ledger.append_decided(decide)
    said = msg("{id} does not count any more, by record {seq}", id=name, seq=record.seq)
    return Result({"id": name, "record": record.seq}, [Paragraph(said)])


def _shown(session: Session, what: Attestation, seq: int | None) -> Result:
    rows: list[tuple[Message, Cell]] = [(msg("Id"), what.id), (msg("Unit"), unit_name(session, what.unit))]
    data: dict[str, JsonValue] = {"id": what.id, "unit": what.unit, "record": seq, "file": what.file}
    if isinstance(what, ObservedItem):
        rows += [
            (msg("Seen at"), channel_word(what.channel)),
            (msg("Title"), what.title),
            (msg("Address"), what.address or None),
            (msg("Seen on"), what.seen_at),
            (msg("Officer"), what.officer),
        ]
        data |= {
            "channel": what.channel.value,
            "title": what.title,
            "address": what.address,
            "seen_at": what.seen_at.isoformat(),
            "officer": what.officer,
        }
    else:
        rows += [
            (msg("Number of arrival"), what.number),
            (msg("Day of arrival"), what.arrived_on),
            (msg("Author"), what.author),
            (msg("Number and notation"), what.code or None),
            (msg("Subject of the paper"), what.subject),
            (msg("Registered by"), what.registrar),
        ]
        data |= {
            "number": what.number,
            "arrived_on": what.arrived_on.isoformat(),
            "author": what.author,
            "code": what.code,
            "subject": what.subject,
            "registrar": what.registrar,
        }
    rows.append((msg("Recorded in"), msg("record {seq}", seq=seq) if seq else msg("nothing: only shown")))
    return Result(data, [KeyValues(rows)])


def _require_free(session: Session, standing: Sequence[Attested], number: str, day: date) -> None:
    """Make sure that a number of arrival is the only one of its year, also beside the register's files.

    Raises:
        UsageError: it is taken.
    """
    for each in standing:
        one = each.what
        if isinstance(one, RegisteredPaper) and (one.arrived_on.year, one.number) == (day.year, number):
            raise UsageError(
                msg("number {number} of {year} is taken by {id}", number=number, year=str(day.year), id=one.id),
                msg("See which of the two papers has it; --withdraw {id} takes the other one back.", id=one.id),
            )
    for source in _registers_with(session, f"{day.year}/{number}"):
        raise UsageError(
            msg(
                "number {number} of {year} stands in source {source}", number=number, year=str(day.year), source=source
            ),
            msg("The paper counts from there; there is nothing to record."),
        )


def _registers_with(session: Session, external_id: str) -> Sequence[str]:
    from checks.updates.observation_places import NothingCollected  # noqa: PLC0415  # start-up time
    from commands._updates_work import open_store  # noqa: PLC0415  # as above

    registers = [table.id for table in session.settings.update_sources if table.kind == "register"]
    if not registers:
        return ()
    try:
        with open_store(session) as store:
            return [source for source in registers if store.known(source, (f"i:{external_id}",))]
    except NothingCollected:
        return ()


def _channel(text: str | None) -> Channel:
    try:
        return Channel(text or "")
    except ValueError as error:
        raise UsageError(
            msg("--channel: {text} is neither portal, subportal nor submission", text=show_text(text or "", 40)),
            msg("Say where the item was seen: on the portal, on a sub-portal, or as it was sent in."),
        ) from error


def _address(text: str) -> str:
    from checks.updates.recognition import canonical_url  # noqa: PLC0415  # start-up time

    own = written_text(text, "--address")
    try:
        is_web = urlsplit(own).scheme.lower() in {"http", "https"} and bool(urlsplit(own).hostname)
    except ValueError:
        is_web = False
    if not is_web or not canonical_url(own):
        raise UsageError(
            msg("--address: {text} is no address of one item", text=show_text(own, 120)),
            msg("Give the address of the item itself, with https://, and not that of a home page."),
        )
    return own
