"""Write the sheet of a unit's week: every item, when it came, whether it counts and why

The sheet goes out with a reminder, so that the unit can say where we err. It is in words that the unit's clerk
understands. --output takes .html, .pdf or .docx.

Example: portalops updates sheet so-y-te 2026-W47 --output bang-ke.docx

EXIT STATUS: 0 written or shown, 2 no such unit, week or format
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from checks.updates.account import ItemCounts, describe_interval
from commands.cli.entries import known_unit
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.updates._week_account import (
    COUNTS_WORDS,
    ShownAccountedItem,
    UnitName,
    WeekName,
    account_and_items,
    as_claim,
    describe_bounds,
    named_week,
    shown_items,
)
from commands.updates.matrix import format_of
from portalops.errors import UsageError
from portalops.files import write_atomically
from portalops.locale import _, process_language
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import UnitId
from portalops.reports import formats
from portalops.reports.document import Block, Cell, Document, KeyValues, Notice, Paragraph, TableBlock, Tone
from portalops.reports.words import channel_word, duty_status, joined

if TYPE_CHECKING:
    from checks.updates.account import WeekAccount
    from portalops.model.organisation import Agency
    from portalops.model.period import Week
    from portalops.model.updates import Observation

OptionalPath = Optional[Path]  # noqa: UP045  # Typer reads it at run time
TAKEN = (".html", ".pdf", ".docx")


@shape
class WrittenSheet:
    """The sheet of a unit's week."""

    id: str
    unit: UnitId
    week: str
    file: Path | None
    """Null if it was only shown."""
    sha256: str | None
    items: tuple[ShownAccountedItem, ...]


def sheet(
    ctx: typer.Context,
    unit: UnitName,
    week: WeekName,
    *,
    output: Annotated[
        OptionalPath, typer.Option("--output", metavar="FILE", help=_("Write to this file instead of the terminal"))
    ] = None,
) -> Result[WrittenSheet]:
    session = open_session(ctx)
    if output is not None and output.suffix.lower() not in TAKEN:
        raise UsageError(
            msg("--output takes {suffixes}", suffixes=", ".join(TAKEN)), msg("Give the file one of these suffixes.")
        )
    form = format_of(None, output)
    chosen, named = known_unit(session, unit), named_week(week)
    account, whole = account_and_items(session, chosen, named)
    document = sheet_document(session, chosen, named, account, whole)
    digest: str | None = None
    lacks: tuple[Message, ...] = ()
    if output is not None and form is not None:
        style = formats.load(form)
        lacks = formats.lacks((style,))
        data = style.render(document, language=process_language())
        write_atomically(output, data)
        digest = hashlib.sha256(data).hexdigest()
    shown = WrittenSheet(
        id=f"{chosen.id}/{named}",
        unit=chosen.id,
        week=str(named),
        file=output,
        sha256=digest,
        items=shown_items(account, whole),
    )
    if output is None:
        return Result(shown, document.blocks)
    table = TableBlock(msg("Written"), (msg("File"), msg("SHA-256")), [(str(output), digest)])
    return Result(shown, [table], warnings=lacks)


def sheet_document(
    session: Session, unit: Agency, week: Week, account: WeekAccount, whole: dict[str, Observation]
) -> Document:
    """Return the sheet of a week: its numbers first, then what counted, what is open, and what did not count."""
    found, days = account.week, week.period()
    facts: list[tuple[Message, Cell]] = [
        (msg("Unit"), unit.name),
        (msg("Week"), msg("from {first} to {last}", first=days.first, last=days.last)),
        (msg("Result"), duty_status(found.verdict)),
        (msg("Why"), found.reason),
    ]
    facts += [
        (label, said)
        for label, bounds in (
            (msg("Updates of the sub-portal"), found.subportal_bounds),
            (msg("Sent to the portal"), found.submissions_bounds),
        )
        if (said := describe_bounds(bounds)) is not None
    ]
    blocks: list[Block] = [KeyValues(facts)]
    for counts, caption in (
        (ItemCounts.YES, msg("Items that count")),
        (ItemCounts.PERHAPS, msg("Items of which it is not certain")),
        (ItemCounts.NO, msg("Items that do not count in this week")),
    ):
        rows = _rows(account, whole, counts)
        if rows:
            blocks.append(TableBlock(caption, _HEADERS, rows))
    if not account.items:
        blocks.append(Paragraph(msg("No item of the unit was seen in this week.")))
    if found.unseen:
        said = nmsg(
            "In {n} stretch of the week we saw nothing; what was published then is not held against the unit.",
            "In {n} stretches of the week we saw nothing; what was published then is not held against the unit.",
            len(found.unseen),
        )
        blocks.append(Notice(said, Tone.UNSURE))
    blocks.append(
        Paragraph(
            msg(
                "If an item is missing, or came on another day than this sheet says, answer with its title or address, the"
                " day, and the document that shows it. Every item counts once it is confirmed."
            )
        )
    )
    title = msg("Items of the week from {first} to {last}", first=days.first, last=days.last)
    return Document(title, blocks, facts[:2], session.settings.portal.timezone)


_HEADERS = (
    msg("Title"),
    msg("Address"),
    msg("Where"),
    msg("When it came"),
    msg("Date on the item"),
    msg("Counts"),
    msg("Why"),
)


def _rows(account: WeekAccount, whole: dict[str, Observation], counts: ItemCounts) -> list[tuple[Cell, ...]]:
    return [
        (
            whole[one.item.seen.id].title,
            whole[one.item.seen.id].url or None,
            joined([channel_word(each) for each in one.indicators or (whole[one.item.seen.id].channel,)]),
            describe_interval(one.item),
            as_claim(one),
            COUNTS_WORDS[one.counts],
            one.why,
        )
        for one in account.items
        if one.counts is counts and one.item.seen.id in whole
    ]


VERB = Verb(sheet)
