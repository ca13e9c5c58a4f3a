"""List the items seen, and why each counts or does not

Example: portalops updates list --unit so-y-te --period 2026-W47

EXIT STATUS: 0 listed, 2 wrong usage
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer

from checks.updates.mail_senders import without_mentions
from checks.updates.rules.stamps import moment
from commands.cli.periods import period_option
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.graded_items import SHOWN_ID, items_within
from commands.jobs.kinds.updates import update_sources
from commands.updates.options import PeriodText, UnitText, chosen_units
from commands.updates.steps import UnknownSender, unit_names
from commands.updates.views import unknown_senders_view
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Name, UnitId
from portalops.model.period import day_or_moment
from portalops.model.record import Digest
from portalops.model.submissions import RegisteredPaper
from portalops.model.updates import FlagKind, Grade, ItemChannel, Observation
from portalops.registers.attested import Attested, read_attested
from portalops.reports.document import Cell, TableBlock
from portalops.reports.words import channel_word, flag_word, joined

if TYPE_CHECKING:
    from checks.updates.rules.grading import GradedItem


def joined_flags(words: Sequence[Message]) -> Message | None:
    return joined(words) if words else None


class EnteredItems(NamedTuple):
    """What officers entered for units of items whose sources do not name them."""

    by_item: Mapping[str, Attested]
    """By the item's id."""
    by_number: Mapping[str, Attested]
    """Papers, by the year and number of their arrival."""

    @classmethod
    def of(cls, standing: Iterable[Attested]) -> EnteredItems:
        """Return what stands."""
        by_item: dict[str, Attested] = {}
        contested: set[str] = set()
        by_number: dict[str, Attested] = {}
        for one in standing:
            if isinstance(one.what, RegisteredPaper):
                by_number[f"{one.what.arrived_on.year}/{one.what.number}"] = one
            elif (item := one.what.collected) in by_item:
                contested.add(item)  # claimed by several units, it is still nobody's
            elif item:
                by_item[item] = one
        return cls({item: one for item, one in by_item.items() if item not in contested}, by_number)

    def unit_of(self, item: Observation, unit: UnitId | None) -> UnitId | None:
        """Return for which unit an item is entered; None for one whose unit is known, or that nobody entered."""
        found = self._entry(item, unit)
        return None if found is None else found.what.unit

    def entry_of(self, item: Observation, unit: UnitId | None) -> str:
        """Return the entry's id; empty where there is none."""
        found = self._entry(item, unit)
        return "" if found is None else found.what.id

    def _entry(self, item: Observation, unit: UnitId | None) -> Attested | None:
        if unit is not None:
            return None
        is_paper = item.channel is ItemChannel.SUBMISSION
        return self.by_item.get(item.id) or (self.by_number.get(item.external_id) if is_paper else None)


@shape
class ShownItem:
    """One publication or submission as its source first showed it, and what it counts for."""

    id: str
    unit: UnitId | None
    """Null if the configuration does not know the unit that the source names."""
    unit_name: str
    """As the source names a unit that was not known; empty where it was."""
    claimed_as: str
    """The entry by which an officer counts it for a unit that its source does not name, such as OB-2026-001; empty for none."""
    resembles: tuple[UnitId, ...]
    """The units whose names that one resembles, the likeliest first."""
    source: str
    channel: ItemChannel
    title: str
    url: str
    claimed_at: datetime | None
    """The date that the source claims."""
    created_at: datetime | None
    """When the content system made its row."""
    first_seen_at: datetime
    counts_at: datetime | None
    """Null if it counts for nothing."""
    grade: Grade
    pending: bool
    """It rests on its claimed date until an officer confirms it."""
    flags: tuple[FlagKind, ...]
    text_problems: tuple[str, ...]
    """What the checks of Article 7.6 find in its text."""
    evidence: Digest
    """SHA-256 of the kept answer that showed it."""


def list_(
    ctx: typer.Context,
    period: PeriodText = None,
    unit: UnitText = None,
    flagged: Annotated[bool, typer.Option("--flagged", help=_("Only items with flags that need attention"))] = False,
) -> Result[tuple[ShownItem, ...]]:
    session = open_session(ctx)
    chosen = period_option(session, period)
    ids = {one.id for one in chosen_units(session, unit)}
    entered = EnteredItems.of(read_attested(session.reader).standing)
    rows = [
        (whole, item)
        for whole, item in items_within(session, chosen)
        if (unit is None or item.seen.unit in ids or entered.unit_of(whole, item.seen.unit) in ids)
        and (set(item.flags) - {FlagKind.BASELINE} or not flagged)
    ]
    names = {one.id: one.name for one in session.settings.units}
    known = unit_names(session)
    sources = {one.traits.id: one.traits for one in update_sources(session.settings)}
    now = session.clock.now()
    headers = (
        msg("Id"), msg("Unit"), msg("Seen at"), msg("Title"), msg("Claimed"), msg("Counts on"), msg("Grade"), msg("Flags"), msg("First seen"),
    )  # fmt: skip
    table = [
        (
            whole.id[:SHOWN_ID],
            _shown_unit(whole, item.seen.unit, entered, names),
            channel_word(whole.channel),
            whole.title,
            day_or_moment(_moment(item.claimed_at), session.zone_of_portal),
            _day_of_count(item, session.zone_of_portal),
            item.grade.value,
            joined_flags([flag_word(flag) for flag in item.flags]),
            whole.first_seen_at,
        )
        for whole, item in rows
    ]
    data = tuple(
        ShownItem(
            id=whole.id,
            unit=item.seen.unit,
            unit_name=without_mentions(whole.unit_name),
            claimed_as=entered.entry_of(whole, item.seen.unit),
            resembles=() if item.seen.unit else known.likely(whole.unit_name, sources.get(whole.source), now),
            source=whole.source,
            channel=whole.channel,
            title=whole.title,
            url=whole.url,
            claimed_at=_moment(item.claimed_at),
            created_at=whole.created_at,
            first_seen_at=whole.first_seen_at,
            counts_at=_moment(item.counts_at),
            grade=item.grade,
            pending=item.grade is Grade.C,
            flags=tuple(item.flags),
            text_problems=whole.text_problems,
            evidence=whole.evidence,
        )
        for whole, item in rows
    )
    caption = nmsg(
        "{n} item from {first} to {last}",
        "{n} items from {first} to {last}",
        len(rows),
        first=chosen.first,
        last=chosen.last,
    )
    names_authors = {name for name, traits in sources.items() if traits.names_authors}
    unknown = [
        whole
        for whole, item in rows
        if item.seen.unit is None
        and (whole.unit_name or (whole.source in names_authors and whole.channel is not ItemChannel.PORTAL))
        and not entered.entry_of(whole, None)
    ]
    strangers = Counter((one.source, without_mentions(one.unit_name)) for one in unknown)
    resembled: dict[tuple[str, str], dict[UnitId, None]] = defaultdict(dict)
    for one in unknown:
        likely = known.likely(one.unit_name, sources.get(one.source), now)
        resembled[one.source, without_mentions(one.unit_name)] |= dict.fromkeys(likely)
    senders = [
        UnknownSender(
            source,
            name,
            count,
            tuple(resembled[source, name]),
            is_stranger=known.is_stranger(name, sources.get(source), now),
        )
        for (source, name), count in sorted(strangers.items())
    ]
    return Result(data, [TableBlock(caption, headers, table), *unknown_senders_view(senders)])


def _shown_unit(whole: Observation, unit: UnitId | None, entered: EnteredItems, names: Mapping[UnitId, Name]) -> Cell:
    """Return whose an item is, by its source or by an officer's entry, under which it counts; else as its source names it."""
    if unit is not None:
        return names.get(unit)
    entry, claimant = entered.entry_of(whole, None), entered.unit_of(whole, None)
    if claimant is None:
        return without_mentions(whole.unit_name) or None
    return msg("{unit}, counted as {id}", unit=names.get(claimant, claimant), id=entry)


def _day_of_count(item: GradedItem, zone: ZoneInfo) -> Cell:
    if item.came is not None and not item.is_sure:
        return msg("not certain")
    return day_or_moment(_moment(item.counts_at), zone)


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


VERB = Verb(list_)
