"""`portalops updates confirm`, `exempt` and `exemptions`: what people decide by documents, and judging then goes by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Optional

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
    unit_name,
    written_text,
)
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from commands._updates_work import open_store
from portalops.errors import LedgerMissing, UsageError
from portalops.ledger import bodies
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.confirmations import Confirmation
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionScope, ExemptionWithdrawal
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text
from portalops.registers.confirmations import (
    CONFIRMATION,
    CONFIRMED,
    UNCONFIRMED,
    ReadConfirmations,
    read_confirmations,
)
from portalops.registers.exemptions import (
    EXEMPTION,
    EXEMPTION_KINDS,
    GRANTED,
    WITHDRAWAL,
    WITHDRAWN,
    ReadExemptions,
    RecordedExemption,
    read_exemptions,
)
from portalops.reports.document import Block, Cell, KeyValues, Paragraph, Status, Table, Tone
from portalops.reports.words import EXEMPTION_KINDS as KIND_WORDS
from portalops.reports.words import EXEMPTION_SCOPES, joined

if TYPE_CHECKING:
    from checks.updates.terms import Decided

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time

HELP_CONFIRM = _(
    "Confirm that items were published when they claim\n\nAn item that was there at the first look has nothing but its claimed"
    " date, and one published long after its row was made looks like an old one put up again: it counts only after an officer"
    " confirms it, by a document. --withdraw takes that back."
    "\n\nExample: portalops updates confirm 3f2a91 --officer 'Nguyễn Văn An' --document '07/BB-TTTT, 20/11/2026'"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 no such item, nothing to confirm about it, or a text is missing"
)
HELP_EXEMPT = _(
    "Record that a unit, or the portal, owes no update on some days\n\nIt needs a document and who approved it. Without --unit it"
    " is for the portal's own update on each working day. --withdraw ID ends one today."
    "\n\nExample: portalops updates exempt --unit so-y-te --from 2026-11-16 --to 2026-11-20 --kind fault --document"
    " '15/QĐ-SKHCN, 12/11/2026' --approver 'Giám đốc Sở Khoa học và Công nghệ' --file quyet-dinh.pdf"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 no such unit, a day, document or approver is missing"
)
HELP_EXEMPTIONS = _(
    "List exemptions, their documents, and what is to be said of how they came about\n\nExample: portalops updates exemptions"
    "\n\nEXIT STATUS: 0 listed"
)


def decided_of(session: Session) -> Decided:
    """Return what stands decided in the ledger."""
    from checks.updates.attested import as_observation  # noqa: PLC0415  # start-up time
    from checks.updates.terms import Decided  # noqa: PLC0415
    from portalops.registers.attested import read_attested  # noqa: PLC0415

    try:
        ledger = session.ledger
    except LedgerMissing:
        return Decided()
    in_force = (each.in_force(session.zone_of_portal) for each in read_exemptions(ledger).exemptions)
    attested = (as_observation(each, session.zone_of_portal) for each in read_attested(ledger).standing)
    exemptions = tuple(each for each in in_force if each is not None)
    return Decided(exemptions, read_confirmations(ledger).observations, tuple(attested))


def lost_decisions(session: Session) -> tuple[Message, ...]:
    """Say which records of what people decided and attest cannot be read, so that what is judged may lack something."""
    from portalops.registers.attested import read_attested  # noqa: PLC0415  # start-up time

    ledger = session.ledger
    return (
        *_lost_exemptions(read_exemptions(ledger)),
        *_lost_confirmations(read_confirmations(ledger)),
        *(
            msg("record {seq} of an attestation cannot be read: {why}", seq=one.seq, why=error.message)
            for one, error in read_attested(ledger).unreadable
        ),
    )


def _lost_exemptions(read: ReadExemptions) -> Iterator[Message]:
    for seq, error in read.unreadable:
        yield msg("record {seq} of an exemption cannot be read: {why}", seq=seq, why=error.message)


def _lost_confirmations(read: ReadConfirmations) -> Iterator[Message]:
    for one, error in read.unreadable:
        yield msg("record {seq} of a confirmation cannot be read: {why}", seq=one.seq, why=error.message)


def confirm(
    ctx: typer.Context,
    items: Annotated[
        list[str],
        typer.Argument(metavar="ITEM", help=_("Ids of items, as 'updates list' shows them, or their beginnings")),
    ],
    *,
    officer: Annotated[str, typer.Option("--officer", metavar="NAME", help=_("Who confirms it"))],
    document: Annotated[str, typer.Option("--document", metavar="TEXT", help=_("Number and date of what it rests on"))],
    reason: Reason = "",
    file: DocumentFile = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help=_("Take a confirmation back"))] = False,
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    who, by = written_text(officer, "--officer"), written_text(document, "--document")
    why = written_text(reason, "--reason") if reason else ""
    data = document_in(file)
    found = _observations(session, items)
    if dry_run:
        read = _require_change(session, found, withdraw=withdraw)
        record = None
    else:
        ledger = session.writable_ledger
        kept: list[ReadConfirmations] = []

        def decide() -> Sequence[Draft]:
            kept[:] = [_require_change(session, found, withdraw=withdraw)]
            evidence = () if data is None else (ledger.keep(data),)
            body = Confirmation(tuple(found), who, by, why, evidence[0] if evidence else None)
            parts = {"circumstances": session.circumstances, CONFIRMATION: body, "evidence": evidence}
            kind, first = UNCONFIRMED if withdraw else CONFIRMED, next(iter(found))
            return [ledger.draft(kind, subject=first, duty="11.3-tracking", body=ledger.keep(bodies.write(parts)))]

        (record,) = ledger.append_decided(decide)
        read = kept[0]
    rows: list[tuple[Message, Cell]] = [
        (msg("Items"), "\n".join(f"{one[:12]}  {title}" for one, title in found.items())),
        (msg("Officer"), who),
        (msg("Document"), by),
        (msg("Recorded in"), msg("record {seq}", seq=record.seq) if record else msg("nothing: only shown")),
    ]
    return Result(
        {"id": next(iter(found)), "items": list(found), "record": record.seq if record else None},
        [KeyValues(rows)],
        warnings=tuple(_lost_confirmations(read)),
    )


def _require_change(session: Session, found: Collection[str], *, withdraw: bool) -> ReadConfirmations:
    """Make sure that each item is not confirmed yet, or is, where that is taken back; return what was read.

    Raises:
        UsageError: nothing would change for one of them.
    """
    try:
        read = read_confirmations(session.ledger)
    except LedgerMissing:
        read = ReadConfirmations()
    idle = [one for one in found if (one in read.observations) != withdraw]
    if idle:
        said = (
            msg("item {item} is not confirmed", item=idle[0])
            if withdraw
            else msg("item {item} is confirmed already", item=idle[0])
        )
        raise UsageError(said, msg("See 'portalops updates list'."))
    return read


def exempt(
    ctx: typer.Context,
    *,
    unit: Annotated[
        OptionalText, typer.Option("--unit", help=_("Whose, by its id; the portal's own without it"))
    ] = None,
    first: Annotated[OptionalText, typer.Option("--from", metavar="DAY", help=_("The first day"))] = None,
    last: Annotated[OptionalText, typer.Option("--to", metavar="DAY", help=_("The last day"))] = None,
    kind: Annotated[
        OptionalText,
        typer.Option(
            "--kind",
            metavar="KIND",
            help=_("fault, disaster, migration, no-subportal-yet, secrecy or maintenance"),
            autocompletion=lambda: tuple(ExemptionKind),
        ),
    ] = None,
    duty: Annotated[
        OptionalText,
        typer.Option("--duty", metavar="subportal|submission", help=_("subportal or submission; both without it")),
    ] = None,
    document: Annotated[
        str, typer.Option("--document", metavar="TEXT", help=_("Number and date of the decision"))
    ] = "",
    approver: Annotated[str, typer.Option("--approver", metavar="NAME", help=_("Who decided"))] = "",
    announced: Annotated[
        OptionalText,
        typer.Option("--announced", metavar="DAY", help=_("Of maintenance: when it was announced in public")),
    ] = None,
    reason: Reason = "",
    file: DocumentFile = None,
    withdraw: Annotated[
        OptionalText, typer.Option("--withdraw", metavar="ID", help=_("End this exemption today instead"))
    ] = None,
    dry_run: DryRun = False,
) -> Result:
    session = open_session(ctx)
    by = written_text(approver, "--approver") if approver else caller_of(session) if withdraw else ""
    why = written_text(reason, "--reason") if reason else ""
    if withdraw is not None:
        return _withdrawn(session, withdraw, by, why, dry_run=dry_run)
    days = _span(first, last)
    of = _kind(kind)
    texts = {"--document": document, "--approver": by}
    for option, text in texts.items():
        written_text(text, option)
    scopes = _scopes(session, unit, duty)
    told = past_day(session, announced, "--announced") if announced is not None else None
    data = document_in(file)
    whose = UnitId(unit) if unit is not None else None

    def made(number: str) -> Exemption:
        decision = written_text(document, "--document")
        return Exemption(number, whose, scopes, of, *days, decision, by, why, announced_on=told)

    if dry_run:
        return _shown(
            session, RecordedExemption(0, session.clock.now(), made(next_id(session, "EX", EXEMPTION_KINDS))), None
        )
    ledger = session.writable_ledger
    kept: list[Exemption] = []

    def decide() -> Sequence[Draft]:
        evidence = () if data is None else (ledger.keep(data),)
        exemption = replace(made(next_id(session, "EX", EXEMPTION_KINDS)), file=evidence[0] if evidence else None)
        kept[:] = [exemption]
        parts = {"circumstances": session.circumstances, EXEMPTION: exemption, "evidence": evidence}
        body = ledger.keep(bodies.write(parts))
        return [ledger.draft(GRANTED, subject=exemption.id, duty="11.3-handling", body=body)]

    (record,) = ledger.append_decided(decide)
    return _shown(session, RecordedExemption(record.seq, record.at, kept[0]), record.seq)


def exemptions(ctx: typer.Context) -> Result:
    session = open_session(ctx)
    try:
        read = read_exemptions(session.ledger)
    except LedgerMissing:
        read = ReadExemptions()
    headers = (
        msg("Exemption"), msg("Unit"), msg("Exempt from"), msg("Kind"), msg("From"), msg("To"), msg("Document"), msg("Approved by"), msg("Remarks"),
    )  # fmt: skip
    rows, data = [], []
    for each in read.exemptions:
        one = each.exemption
        stands = each.in_force(session.zone_of_portal)
        remarks = list(_remarks(session, each))
        if each.withdrawn_at is not None:
            remarks.insert(
                0, msg("withdrawn on {day}", day=each.withdrawn_at.astimezone(session.zone_of_portal).date())
            )
        rows.append(
            (
                one.id,
                unit_name(session, one.unit),
                joined([EXEMPTION_SCOPES[scope] for scope in one.scopes]) if one.scopes else None,
                KIND_WORDS[one.kind],
                one.first,
                stands.last if stands else None,
                one.document,
                one.approver,
                Status(joined(remarks), Tone.UNSURE) if remarks else None,
            )
        )
        data.append(_data(each, session))
    lost = tuple(_lost_exemptions(read))
    return Result(data, [Table(nmsg("{n} exemption", "{n} exemptions", len(rows)), headers, rows)], warnings=lost)


def _withdrawn(session: Session, name: str, by: str, why: str, *, dry_run: bool) -> Result:
    ledger = session.ledger if dry_run else session.writable_ledger

    def known() -> RecordedExemption:
        for each in read_exemptions(ledger).exemptions:
            if each.exemption.id == name and each.withdrawn_at is None:
                return each
        raise UsageError(
            msg("there is no exemption {id} that could end", id=show_text(name, 40)),
            msg("'portalops updates exemptions' shows them."),
        )

    if dry_run:
        return _shown(session, known(), None)

    def decide() -> Sequence[Draft]:
        known()
        parts = {"circumstances": session.circumstances, WITHDRAWAL: ExemptionWithdrawal(name, why, by)}
        body = session.writable_ledger.keep(bodies.write(parts))
        return [session.writable_ledger.draft(WITHDRAWN, subject=name, duty="11.3-handling", body=body)]

    (record,) = session.writable_ledger.append_decided(decide)
    said = msg("exemption {id} has ended, by record {seq}", id=name, seq=record.seq)
    return Result({"id": name, "record": record.seq}, [Paragraph(said)])


def _remarks(session: Session, each: RecordedExemption) -> tuple[Message, ...]:
    within = session.rulebook.numbers.exemption_entered_working_days
    return each.remarks(session.calendar, session.zone_of_portal, entered_within=within)


def _shown(session: Session, each: RecordedExemption, seq: int | None) -> Result:
    one = each.exemption
    rows: list[tuple[Message, Cell]] = [
        (msg("Exemption"), one.id),
        (msg("Unit"), unit_name(session, one.unit)),
        (msg("Kind"), KIND_WORDS[one.kind]),
        (msg("From"), one.first),
        (msg("To"), one.last),
        (msg("Document"), one.document),
        (msg("Approved by"), one.approver),
        (msg("Recorded in"), msg("record {seq}", seq=seq) if seq else msg("nothing: only shown")),
    ]
    remarks: list[Block] = [Paragraph(remark) for remark in _remarks(session, each)]
    return Result({**_data(each, session), "record": seq}, [KeyValues(rows), *remarks])


def _data(each: RecordedExemption, session: Session) -> dict[str, JsonValue]:
    one = each.exemption
    return {
        "id": one.id,
        "unit": one.unit,
        "scopes": [scope.value for scope in one.scopes],
        "kind": one.kind.value,
        "from": one.first.isoformat(),
        "to": one.last.isoformat(),
        "document": one.document,
        "approver": one.approver,
        "withdrawn_at": each.withdrawn_at.isoformat() if each.withdrawn_at else None,
        "remarks": [str(remark) for remark in _remarks(session, each)],
        "record": each.seq,
    }


def _span(first: str | None, last: str | None) -> tuple[date, date]:
    found = []
    for option, text in (("--from", first), ("--to", last)):
        if text is None:
            raise UsageError(
                msg("{parameter} is missing", parameter=option),
                msg("Give the first day by --from and the last by --to, such as 2026-11-20."),
            )
        try:
            found.append(date.fromisoformat(text))
        except ValueError as error:
            raise UsageError(
                msg("{option}: {text} is no day", option=option, text=show_text(text, 40)),
                msg("Give the first day by --from and the last by --to, such as 2026-11-20."),
            ) from error
    if found[1] < found[0]:
        raise UsageError(
            msg("the last day {last} lies before the first, {first}", first=found[0], last=found[1]),
            msg("Give the first day by --from and the last by --to, such as 2026-11-20."),
        )
    return found[0], found[1]


def _kind(text: str | None) -> ExemptionKind:
    hint = msg("Give one of {kinds}.", kinds=", ".join(kind.value for kind in ExemptionKind))
    if text is None:
        raise UsageError(msg("{parameter} is missing", parameter="--kind"), hint)
    try:
        return ExemptionKind(text)
    except ValueError as error:
        raise UsageError(msg("--kind: {text} is no kind of exemption", text=show_text(text, 40)), hint) from error


def _scopes(session: Session, unit: str | None, duty: str | None) -> tuple[ExemptionScope, ...]:
    if unit is None:
        if duty is not None:
            raise UsageError(msg("--duty is for a unit"), msg("Name the unit by --unit, or leave --duty out."))
        return (ExemptionScope.PORTAL,)
    known_unit(session, unit)
    both = (ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION)
    if duty is None:
        return both
    if duty not in both:
        raise UsageError(
            msg("--duty: {text} is neither subportal nor submission", text=show_text(duty, 40)),
            msg("Give one of the two, or leave it out for both."),
        )
    return (ExemptionScope(duty),)


def _observations(session: Session, names: Sequence[str]) -> dict[str, str]:
    """Return the titles of items by their ids.

    Raises:
        UsageError: one names no item, or several.
    """
    found: dict[str, str] = {}
    with open_store(session) as store:
        for name in names:
            matches = store.beginning_with(name)
            if len(matches) != 1:
                shown = show_text(name, 40)
                said = (
                    msg("there is no item {item}", item=shown)
                    if not matches
                    else msg("several items begin with {item}", item=shown)
                )
                raise UsageError(said, msg("Give an id as 'portalops updates list' shows it."))
            found[matches[0].id] = matches[0].title
    return found
