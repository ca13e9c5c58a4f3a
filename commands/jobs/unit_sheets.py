"""One unit's week, as the account of its items: rows for a person, data, and the sheet that goes to the unit itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.updates.account import ItemCounts, as_moment, describe_interval
from checks.updates.authors import names_nobody
from checks.updates.job import account_of
from checks.updates.mail_senders import sender_address, without_mentions
from checks.updates.rules.unread import UnreadableShare, say_unnamed, say_unreadable
from checks.updates.terms import Terms
from commands.cli.shapes import shape
from commands.jobs.graded_items import SHOWN_ID, name_original
from commands.jobs.kinds.updates import decided_of, open_store, update_sources
from commands.jobs.papers import write_drafts
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Week, day_or_moment
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.model.updates import Bounds, FlagKind, ItemChannel
from portalops.model.verdicts import DutyVerdict
from portalops.reports import formats
from portalops.reports.document import (
    Block,
    Cell,
    Document,
    KeyValues,
    Notice,
    Paragraph,
    Status,
    TableBlock,
    Tone,
)
from portalops.reports.words import channel_word, joined, week_status

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from checks.updates.account import AccountedItem, WeekAccount
    from checks.updates.rules.grading import GradedItem
    from commands.cli.session import Session
    from portalops.model.organisation import Agency
    from portalops.model.updates import Observation

UnitName = Annotated[str, typer.Argument(metavar="UNIT", help=_("The unit, by its id"))]
WeekName = Annotated[str, typer.Argument(metavar="WEEK", help=_("The week, such as 2026-W47"))]

COUNTS_WORDS = {
    ItemCounts.YES: Status(msg("counts"), Tone.GOOD),
    ItemCounts.PERHAPS: Status(msg("not certain"), Tone.UNSURE),
    ItemCounts.NO: Status(msg("does not count"), Tone.NEUTRAL),
}


@shape
class ShownBounds:
    """How many occasions came, and how many were due."""

    least: int
    most: int | None
    """Null where any number may have come unseen."""
    due_least: int
    """Due if every day of which the calendar is not certain is a day off."""
    due_most: int
    """Due if every such day is worked."""
    unread: int
    """Lines or items that could not be read and may be occasions beyond the most."""


@shape
class ShownAccountedItem:
    """An item that bears on the week."""

    id: str
    indicators: tuple[ItemChannel, ...]
    title: str
    url: str
    source: str
    since: datetime | None
    """After this moment it came; null if nobody knows."""
    until: datetime
    """Until this moment it came."""
    claimed_at: datetime | None
    counts: ItemCounts
    why: str


@shape
class ShownUnseenTime:
    """A time in which any number of items may have come unseen."""

    source: str
    since: datetime | None
    """Null for all time before."""
    until: datetime | None
    """Null for all time after."""


def named_week(text: str) -> Week:
    """Return the week that an argument names.

    Raises:
        UsageError: it names none.
    """
    try:
        return Week.parse(text)
    except ValueError as error:
        raise UsageError(
            msg("{text} is no week", text=show_text(text, 40)), msg("Write it as year and number: 2026-W47.")
        ) from error


def account_and_items(session: Session, unit: Agency, week: Week) -> tuple[WeekAccount, dict[str, Observation]]:
    """Return what a unit's week rests on, and its items whole.

    Raises:
        UsageError: the unit did not exist in the week, or the week has not begun.
        UpdatesError: nothing was collected yet.
    """
    settings, decided = session.settings, decided_of(session.reader, session.zone_of_portal)
    terms = Terms(
        session.rulebook,
        session.calendar,
        session.zone_of_portal,
        session.clock.now(),
        settings.updates.poll_every,
        decided,
    )
    with open_store(settings, session.environment) as store:
        found = account_of(
            store,
            sources=update_sources(settings),
            units=settings.units,
            portal=settings.portal,
            unit=unit,
            week=week,
            terms=terms,
        )
        if found is None:
            raise UsageError(
                msg("the unit {unit} has no week {week}", unit=unit.id, week=str(week)),
                msg("It did not exist then, or the week has not begun. See its days with 'portalops config show'."),
            )
        whole = {one.id: one for one in decided.attested}
        whole |= store.observations(one.item.seen.id for one in found.items)
    items = tuple(
        replace(one, why=msg("{why}: {original}", why=one.why, original=name_original(session, one.original)))
        if one.original is not None
        else replace(one, why=msg("{why}; the document is not kept", why=one.why))
        if one.item.seen.id in decided.unkept and one.counts is not ItemCounts.NO
        else one
        for one in found.items
    )
    return replace(found, items=items), whole


def item_table(caption: Message, account: WeekAccount, whole: dict[str, Observation], zone: ZoneInfo) -> TableBlock:
    """Return the items of a week as a person reads them."""
    headers = (
        msg("Id"), msg("Item"), msg("Seen at"), msg("When it came"), msg("Claimed"), msg("Counts"), msg("Why"),
    )  # fmt: skip
    rows = [
        (
            one.item.seen.id[:SHOWN_ID],
            whole[one.item.seen.id].title,
            joined([channel_word(each) for each in one.indicators]) if one.indicators else None,
            describe_interval(one.item, zone),
            day_or_moment(as_claim(one), zone),
            COUNTS_WORDS[one.counts],
            one.why,
        )
        for one in account.items
        if one.item.seen.id in whole
    ]
    return TableBlock(caption, headers, rows)


def as_claim(one: AccountedItem) -> datetime | None:
    return as_moment(one.item.claimed_at)


def shown_items(account: WeekAccount, whole: dict[str, Observation]) -> tuple[ShownAccountedItem, ...]:
    """Return the items of a week as data."""
    return tuple(
        ShownAccountedItem(
            id=one.item.seen.id,
            indicators=one.indicators,
            title=whole[one.item.seen.id].title,
            url=whole[one.item.seen.id].url,
            source=one.item.seen.source,
            since=one.since,
            until=one.until,
            claimed_at=as_claim(one),
            counts=one.counts,
            why=str(one.why),
        )
        for one in account.items
        if one.item.seen.id in whole
    )


def shown_bounds(bounds: Bounds | None) -> ShownBounds | None:
    """Return the two numbers of an indicator as data; None where nothing is due, as of a unit without a sub-portal."""
    if bounds is None or bounds.required_most == 0:
        return None
    return ShownBounds(bounds.least, bounds.most, bounds.required_least, bounds.required_most, bounds.unread)


def describe_bounds(bounds: Bounds | None) -> Message | None:
    """Say the two numbers of an indicator; None where nothing is due."""
    if bounds is None or bounds.required_most == 0:
        return None
    due: Message | int = bounds.required_most
    if bounds.required_least != bounds.required_most:
        due = msg("{least} or {most}", least=bounds.required_least, most=bounds.required_most)
    if bounds.most is None:
        return msg("at least {least}; {due} due", least=bounds.least, due=due)
    if bounds.unread:
        return nmsg(
            "at least {least}, at most {most}, and {n} line or item that could not be read; {due} due",
            "at least {least}, at most {most}, and {n} lines or items that could not be read; {due} due",
            bounds.unread,
            least=bounds.least,
            most=bounds.most,
            due=due,
        )
    return msg("at least {least}, at most {most}; {due} due", least=bounds.least, most=bounds.most, due=due)


def sheet_document(
    session: Session, unit: Agency, week: Week, account: WeekAccount, whole: dict[str, Observation]
) -> Document:
    """Return the sheet of a week: its numbers first, then what counted, what is open, and what did not count."""
    found, days = account.week, week.period()
    facts: list[tuple[Message, Cell]] = [
        (msg("Unit"), unit.name),
        (msg("Week"), msg("from {first} to {last}", first=days.first, last=days.last)),
        (msg("Result"), week_status(found.verdict, is_over=days.last < session.today)),
        (msg("Why"), reason_in_words(found.reason, {one.id: one.kind for one in session.settings.update_sources})),
    ]
    facts += [
        (label, said)
        for label, bounds in (
            (msg("Updates of the sub-portal"), found.subportal_bounds),
            (msg("Sent to the portal"), found.submissions_bounds),
        )
        if (said := describe_bounds(bounds)) is not None
    ]
    nameless = {item.seen.id for item in account.nameless}
    strangers = [
        one
        for one in account.items
        if one.counts is ItemCounts.PERHAPS
        and one.item.seen.unit != unit.id
        and FlagKind.CORRECTED not in one.item.flags
    ]
    blocks: list[Block] = [KeyValues(facts)]
    blocks += [Notice(doubt, Tone.UNSURE) for doubt in session.calendar.warnings(days)]
    for counts, caption in (
        (ItemCounts.YES, msg("Items that count")),
        (ItemCounts.PERHAPS, msg("Items of which it is not certain")),
        (ItemCounts.NO, msg("Items that do not count in this week")),
    ):
        rows = _rows(
            [one for one in account.items if one.counts is counts and one not in strangers],
            whole,
            session.zone_of_portal,
        )
        if rows:
            blocks.append(TableBlock(caption, _HEADERS, rows))
    unnamed = [one for one in strangers if names_nobody(one.item.seen.unit_name)]
    alike = [one for one in strangers if one not in unnamed and one.item.seen.id not in nameless]
    blocks += _strangers(session, alike, whole)
    if found.verdict in _OPEN_OR_UNMET:
        blocks += _unnamed(session, unnamed, whole)
        blocks += _nameless(session, account.nameless)
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
                " day, and the document that shows it. What is not certain counts once it is confirmed; a copy does not, nor what was"
                " no longer shown within two days."
            )
        )
    )
    title = msg("Items of the week from {first} to {last}", first=days.first, last=days.last)
    return Document(title, blocks, facts[:2], session.settings.portal.timezone)


_HEADERS = (
    msg("Item id"),
    msg("Title"),
    msg("Address"),
    msg("Where"),
    msg("When it came"),
    msg("Date on the item"),
    msg("Why"),
)


def _strangers(session: Session, items: Sequence[AccountedItem], whole: dict[str, Observation]) -> Sequence[Block]:
    """Return what came under a name that may be the unit's, and what its clerk answers; nothing where there is none."""
    names = {one.id: one.name for one in session.settings.units}
    found = [(one, whole[one.item.seen.id]) for one in items if one.item.seen.id in whole]
    if not found:
        return ()
    rows: list[tuple[Cell, ...]] = [
        (
            item.id[:SHOWN_ID],
            item.title,
            names.get(one.item.seen.unit, one.item.seen.unit)
            if one.item.seen.unit
            else msg("{sender} (claimed by another unit)", sender=without_mentions(item.unit_name))
            if one.is_claimed
            else without_mentions(item.unit_name) or None,
            WHERE_WORDS[item.channel],
            describe_interval(one.item, session.zone_of_portal),
        )
        for one, item in found
    ]
    headers = (msg("Item id"), msg("Title"), msg("Sender as written"), msg("Where"), msg("When it came"))
    return (
        TableBlock(msg("Items of a sender that is not known, which may be the unit's"), headers, rows),
        Paragraph(_ANSWER_OWN),
    )


_ANSWER_OWN = msg(
    "If one of these is the unit's, answer with its id and the words: of the unit. It counts then. Of the others nothing is to be answered."
)
_OPEN_OR_UNMET = frozenset({DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING})
MOST_NAMELESS = 50
"""How many items of senders like no unit are named; a register of all incoming papers may have many more."""


def _nameless(session: Session, items: Sequence[GradedItem]) -> Sequence[Block]:
    """Return what came in under names like no unit's, by sender and day alone: what others wrote is no matter of this unit."""
    if not items:
        return ()
    rows: list[tuple[Cell, ...]] = [
        (
            item.seen.id[:SHOWN_ID],
            _without_mailbox(item.seen.unit_name),
            WHERE_WORDS[ItemChannel(item.seen.channel)],
            describe_interval(item, session.zone_of_portal),
        )
        for item in items[:MOST_NAMELESS]
    ]
    headers = (msg("Item id"), msg("Sender as written"), msg("Where"), msg("When it came"))
    blocks: list[Block] = [
        TableBlock(msg("Items whose sender's name is like no unit's; one of them may be the unit's"), headers, rows),
        Paragraph(_ANSWER_OWN),
    ]
    if more := len(items) - len(rows):
        blocks.append(
            Paragraph(nmsg("{n} further such item is not listed.", "{n} further such items are not listed.", more))
        )
    return blocks


def _unnamed(session: Session, items: Sequence[AccountedItem], whole: dict[str, Observation]) -> Sequence[Block]:
    """Return what came in without a name, by number and day alone: whose clerk has the paper knows its day, and no other reads of what it is."""
    rows: list[tuple[Cell, ...]] = [
        (
            one.item.seen.id[:SHOWN_ID],
            whole[one.item.seen.id].external_id or None,
            WHERE_WORDS[ItemChannel(one.item.seen.channel)],
            describe_interval(one.item, session.zone_of_portal),
        )
        for one in items[:MOST_NAMELESS]
        if one.item.seen.id in whole
    ]
    if not rows:
        return ()
    headers = (msg("Item id"), msg("Number there"), msg("Where"), msg("When it came"))
    blocks: list[Block] = [
        TableBlock(msg("Items that name no unit; one of them may be the unit's"), headers, rows),
        Paragraph(_ANSWER_OWN),
    ]
    if more := len(items) - len(rows):
        blocks.append(
            Paragraph(nmsg("{n} further such item is not listed.", "{n} further such items are not listed.", more))
        )
    return blocks


def _without_mailbox(sender: str) -> str:
    """Return a sender's name; of a mail address no more than its owner needs to know it again.

    >>> _without_mailbox("lan.nguyen@gmail.com ‹Nguyễn Thị Lan›"), _without_mailbox("Ban Biên tập DA")
    ('l…@gmail.com', 'Ban Biên tập DA')
    """
    sender = sender_address(sender)
    name, sign, domain = sender.rpartition("@")
    return f"{name[:1]}…@{domain}" if sign else sender


WHERE_WORDS = {
    ItemChannel.PORTAL: msg("province's portal"),
    ItemChannel.SUBPORTAL: msg("sub-portal"),
    ItemChannel.SUBMISSION: msg("sent to the managing unit"),
}
"""Where an item was seen, for the unit's clerk: without the names of indicators."""


def _rows(items: Sequence[AccountedItem], whole: dict[str, Observation], zone: ZoneInfo) -> list[tuple[Cell, ...]]:
    return [
        (
            one.item.seen.id[:SHOWN_ID],
            whole[one.item.seen.id].title,
            whole[one.item.seen.id].url or None,
            joined([WHERE_WORDS[each] for each in one.indicators or (whole[one.item.seen.id].channel,)]),
            describe_interval(one.item, zone),
            day_or_moment(as_claim(one), zone),
            one.why,
        )
        for one in items
        if one.item.seen.id in whole
    ]


_KINDS_IN_WORDS = {
    "register": msg("the register of incoming papers"),
    "imap": msg("the mailbox"),
    "sql": msg("the database of the site"),
}
_SITE = msg("the web site")
_WITHOUT_INDICATORS = {
    msg("sub-portal (K1): {why}", why="").text: msg("on the sub-portal: {why}", why="").text,
    msg("sent in (K2): {why}", why="").text: msg("sent to the managing unit: {why}", why="").text,
}
_UNREADABLE = say_unreadable((UnreadableShare("", 1),)).text
_UNNAMED = say_unnamed((UnreadableShare("", 1),)).text


def reason_in_words(reason: Message, kinds: Mapping[str, str]) -> Message:
    """Return a verdict's reason as the unit's clerk reads it: no source by its id, but what it is; no names of indicators.

    Args:
        reason: as it is recorded.
        kinds: the kind of each source, by its id.
    """
    values = {
        name: reason_in_words(value, kinds) if isinstance(value, Message) else value
        for name, value in reason.values.items()
    }
    if reason.text == _UNREADABLE:
        return nmsg(
            "{n} line or item of {source} could not be read and may be the missing one",
            "{n} lines or items of {source} could not be read and may be the missing ones",
            int(str(reason.values["n"])),
            source=_KINDS_IN_WORDS.get(kinds.get(str(reason.values["source"]), ""), _SITE),
        )
    if reason.text == _UNNAMED:
        return nmsg(
            "{n} line or item of {source} names no unit and may be the unit's",
            "{n} lines or items of {source} name no unit and may be the unit's",
            int(str(reason.values["n"])),
            source=_KINDS_IN_WORDS.get(kinds.get(str(reason.values["source"]), ""), _SITE),
        )
    return replace(reason, text=_WITHOUT_INDICATORS.get(reason.text, reason.text), values=values)


def write_sheets(
    documents: Mapping[Week, Document], name: str, suffixes: Sequence[str], folder: Path, *, languages: Sequence[str]
) -> Iterator[tuple[Path, Digest]]:
    """Write the sheet of each week beside a letter, in each of its formats and languages; yield the files with their digests.

    Raises:
        FileUnwritable: a file cannot be written.
    """
    styles = {style.suffix: style for style in map(formats.load, formats.names())}
    for week, document in documents.items():
        rendered = (
            (language, suffix, styles[suffix].render(document, language=language))
            for suffix in suffixes
            for language in languages
        )
        yield from write_drafts(f"{name}-{week}", rendered, folder)
