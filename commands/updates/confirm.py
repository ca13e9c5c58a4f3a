"""Confirm that items were published on their claimed dates

An item that the first poll already showed has only its claimed date. An item published long after its row was made
may be an old one published again. Each counts only after an officer confirms it with a document. --withdraw takes a
confirmation back.

Example: portalops updates confirm 3f2a91 --officer 'Nguyễn Văn An' --document '07/BB-TTTT, 20/11/2026'

EXIT STATUS: 0 recorded or shown, 2 no such item, nothing to confirm, it cannot count, or a text is missing
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

import typer

from commands.cli.entries import DocumentFile, DryRun, Reason, document_in, known_unit, unkept_document, written_text
from commands.cli.periods import parse_day
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.graded_items import require_confirmable
from commands.jobs.kinds.updates import open_store, require_possible_day
from commands.updates.options import OptionalText
from commands.updates.steps import lost_confirmations
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.confirmations import Confirmation
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text
from portalops.registers.confirmations import (
    CONFIRMATION,
    CONFIRMED,
    UNCONFIRMED,
    ReadConfirmations,
    read_confirmations,
)
from portalops.reports.document import Cell, KeyValues


@shape
class RecordedConfirmation:
    """A confirmation, or its end."""

    id: str
    """The first item's."""
    items: tuple[str, ...]
    record: int | None
    """Null if it was only shown."""


def confirm(
    ctx: typer.Context,
    items: Annotated[
        list[str],
        typer.Argument(metavar="ITEM", help=_("Ids of items as 'updates list' shows them, or the beginnings of ids")),
    ],
    *,
    officer: Annotated[str, typer.Option("--officer", metavar="NAME", help=_("Who confirms it"))],
    document: Annotated[
        str, typer.Option("--document", metavar="TEXT", help=_("Number and date of the supporting document"))
    ],
    day: Annotated[
        OptionalText,
        typer.Option("--on", metavar="DAY", help=_("The day of publication by the document, if not the claimed one")),
    ] = None,
    unit: Annotated[
        str, typer.Option("--unit", metavar="UNIT", help=_("Whose it is, where its source has named several units"))
    ] = "",
    reason: Reason = "",
    file: DocumentFile = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help=_("Take a confirmation back"))] = False,
    dry_run: DryRun = False,
) -> Result[RecordedConfirmation]:
    session = open_session(ctx)
    who, by = written_text(officer, "--officer"), written_text(document, "--document")
    why = written_text(reason, "--reason") if reason else ""
    data = document_in(file)
    published_on = None if day is None else parse_day(day)
    whose = known_unit(session, unit).id if unit else None
    found, corrected_at = _observations(session, items, published_on, whose, withdraw=withdraw)
    if dry_run:
        read = _require_change(session, found, corrected_at, withdraw=withdraw)
        record = None
    else:
        ledger = session.writable_ledger
        kept: list[ReadConfirmations] = []

        def decide() -> Sequence[Draft]:
            kept[:] = [_require_change(session, found, corrected_at, withdraw=withdraw)]
            evidence = () if data is None else (ledger.keep(data),)
            body = Confirmation(
                tuple(found), who, by, why, evidence[0] if evidence else None, None if withdraw else published_on, whose
            )
            parts = {"circumstances": session.circumstances, CONFIRMATION: body, "evidence": evidence}
            kind, first = UNCONFIRMED if withdraw else CONFIRMED, next(iter(found))
            return [ledger.draft(kind, subject=first, duty="11.3-tracking", body=ledger.keep(bodies.write(parts)))]

        (record,) = ledger.append_decided(decide)
        read = kept[0]
    rows: list[tuple[Message, Cell]] = [
        (
            msg("No longer confirmed") if withdraw else msg("Confirmed"),
            "; ".join(f"{one[:12]}  {title}" for one, title in found.items()),
        ),
        (msg("Officer"), who),
        (msg("Document"), by),
        (msg("Recorded in"), msg("record {seq}", seq=record.seq) if record else msg("nothing: only shown")),
    ]
    return Result(
        RecordedConfirmation(next(iter(found)), tuple(found), record.seq if record else None),
        [KeyValues(rows)],
        warnings=(*lost_confirmations(read), *(() if withdraw or data is not None else (unkept_document(who),))),
    )


def _require_change(
    session: Session, found: Collection[str], corrected_at: Mapping[str, datetime], *, withdraw: bool
) -> ReadConfirmations:
    """Make sure that each item is not confirmed yet, or is, where that is taken back; return what was read.

    What its source has put right since then may be confirmed anew.

    Raises:
        UsageError: nothing would change for one of them.
    """
    read = read_confirmations(session.reader)
    idle = [one for one in found if _stands(read, one, corrected_at, withdraw=withdraw) != withdraw]
    if idle:
        said = (
            msg("item {item} is not confirmed", item=idle[0])
            if withdraw
            else msg("item {item} is already confirmed", item=idle[0])
        )
        raise UsageError(said, msg("Run 'portalops updates list' to see the items and their flags."))
    return read


def _stands(read: ReadConfirmations, one: str, corrected_at: Mapping[str, datetime], *, withdraw: bool) -> bool:
    """Say whether a confirmation of an item stands; of one that was put right since, only to be taken back."""
    if one not in read.observations or one not in corrected_at or withdraw:
        return one in read.observations
    return read.given_at[one] >= corrected_at[one]


def _observations(
    session: Session, names: Sequence[str], published_on: date | None, whose: UnitId | None, *, withdraw: bool
) -> tuple[dict[str, str], dict[str, datetime]]:
    """Return the titles of items by their ids, and when their sources last put them right, where they did.

    Raises:
        UsageError: one names no item, or several; the kept answers refute the day; it cannot count; or its source has not
            named the unit.
    """
    found: dict[str, str] = {}
    with open_store(session.settings, session.environment) as store:
        for name in names:
            matches = store.beginning_with(name)
            if len(matches) != 1:
                shown = show_text(name, 40)
                said = (
                    msg("there is no item {item}", item=shown)
                    if not matches
                    else msg("several items begin with {item}", item=shown)
                )
                raise UsageError(said, msg("Run 'portalops updates list' and give an id that it shows."))
            if published_on is not None:
                require_possible_day(store, matches[0], published_on, session.zone_of_portal)
            if not withdraw:
                require_confirmable(session, store, matches[0], published_on, whose)
            found[matches[0].id] = matches[0].title
        corrected_at = {name: some[-1].at for name, some in store.corrections_of(found).items()}
        named = store.units_named(found)
    if whose is not None:
        for one in found:
            if whose not in named.get(one, ()):
                raise UsageError(
                    msg(
                        "the source of item {item} has never named unit {unit} and another one",
                        item=one[:12],
                        unit=whose,
                    ),
                    msg(
                        "Leave --unit out, or run 'portalops updates show {item}' to see what its source named.",
                        item=one[:12],
                    ),
                )
    return found, corrected_at


VERB = Verb(confirm)
