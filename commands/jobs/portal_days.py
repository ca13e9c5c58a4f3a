"""Why days of the portal itself have their verdicts (Article 11.1): for `updates why portal`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from checks.updates.account import ItemCounts, as_moment, describe_interval, explain_nothing
from checks.updates.rules.grading import BEGINNING, GradedItem
from commands.cli.periods import parse_day
from commands.cli.session import Session
from commands.cli.shapes import shape
from commands.jobs.graded_items import SHOWN_ID, items_within
from commands.jobs.unit_sheets import (
    COUNTS_WORDS,
    ShownBounds,
    ShownUnseenTime,
    describe_bounds,
    shown_bounds,
)
from portalops.errors import UsageError
from portalops.model.cases import THE_PORTAL
from portalops.model.message import Message, msg
from portalops.model.period import Period, Week, day_or_moment
from portalops.model.text import show_text
from portalops.model.updates import ItemChannel, Observation, PortalDay
from portalops.model.verdicts import DutyVerdict
from portalops.reports.document import Block, Cell, KeyValues, TableBlock
from portalops.reports.words import duty_status, flag_word, joined


@shape
class ShownPortalItem:
    """An item of the portal that may have come on the day."""

    id: str
    title: str
    url: str
    source: str
    since: datetime | None
    """After this moment it came; null if nobody knows."""
    until: datetime
    """Until this moment it came."""
    claimed_at: datetime | None
    counts: ItemCounts
    why: str | None
    """Why it does not count on the day; null where it does, or may."""


@shape
class ExplainedPortalDay:
    """A day of the portal itself, and what decides it."""

    id: str
    day: date
    working: bool
    verdict: DutyVerdict
    reason: str
    bounds: ShownBounds | None
    items: tuple[ShownPortalItem, ...]
    unseen: tuple[ShownUnseenTime, ...]
    """What of the day no source has shown."""


def is_portal(session: Session, name: str) -> bool:
    """Say whether an argument names the portal itself, and no unit."""
    return name in {THE_PORTAL, session.settings.portal.id} and all(unit.id != name for unit in session.settings.units)


def explain_days(
    session: Session, days: Sequence[PortalDay], period: Period
) -> tuple[tuple[ExplainedPortalDay, ...], Sequence[Block]]:
    """Return judged days of the portal with the items that bear on them: as data, and as a person reads them.

    Raises:
        UpdatesError: nothing was collected yet.
    """
    around = Period(
        period.first - timedelta(days=1), period.last + timedelta(days=1)
    )  # the polls of its first and last day
    found = {
        one.id: (item, one) for one, item in items_within(session, around) if item.seen.channel == ItemChannel.PORTAL
    }
    view: list[Block] = []
    data: list[ExplainedPortalDay] = []
    for day in days:
        own = [found[name] for name in day.observations if name in found]
        own += [
            (item, one)
            for name, (item, one) in found.items()
            if name not in day.observations and _is_of_interest(session, item, day.day)
        ]
        view += _day_view(session, day, own)
        data.append(
            ExplainedPortalDay(
                id=f"{THE_PORTAL}/{day.day}",
                day=day.day,
                working=day.working,
                verdict=day.verdict,
                reason=str(day.reason),
                bounds=shown_bounds(day.bounds),
                items=tuple(_shown_item(session, day, item, one) for item, one in own),
                unseen=tuple(ShownUnseenTime(one.source, one.since, one.until) for one in day.unseen),
            )
        )
    return tuple(data), view


def named_days(session: Session, text: str) -> Period:
    """Return the day, or the week, that an argument names.

    Raises:
        UsageError: it names neither, or none of it has begun.
    """
    period = _named_period(text)
    if period.first > session.today:
        raise UsageError(
            msg("{day} is in the future", day=period.first),
            msg("Give today, {today}, or an earlier day.", today=session.today),
        )
    return period


def _named_period(text: str) -> Period:
    try:
        return Week.parse(text).period()
    except ValueError:
        pass
    try:
        day = parse_day(text)
    except UsageError as error:
        raise UsageError(
            msg("{text} is neither a day nor a week", text=show_text(text, 40)),
            msg("Write a day as 2026-11-17, or a week as 2026-W47."),
        ) from error
    return Period(day, day)


def _day_view(session: Session, day: PortalDay, items: list[tuple[GradedItem, Observation]]) -> list[Block]:
    facts: list[tuple[Message, Cell]] = [
        (msg("Day"), day.day),
        (msg("Verdict"), duty_status(day.verdict)),
        (msg("Why"), day.reason),
        (msg("Updates"), describe_bounds(day.bounds)),
    ]
    view: list[Block] = [KeyValues([(label, value) for label, value in facts if value is not None])]
    if items:
        zone = session.zone_of_portal
        headers = (msg("Id"), msg("Item"), msg("When it came"), msg("Claimed"), msg("Counts"), msg("Why"), msg("Flags"))
        items_shown: list[tuple[Cell, ...]] = [
            (
                one.id[:SHOWN_ID],
                one.title,
                describe_interval(item, zone),
                day_or_moment(as_moment(item.claimed_at), zone),
                COUNTS_WORDS[_counts(session, day, item)],
                _explain(day, item),
                joined([flag_word(flag) for flag in item.flags]) if item.flags else None,
            )
            for item, one in items
        ]
        view.append(TableBlock(msg("Items that bear on the day"), headers, items_shown))
    if day.unseen:
        rows: list[tuple[Cell, ...]] = [(one.source, one.since, one.until) for one in day.unseen]
        columns = (msg("Source"), msg("From"), msg("To"))
        view.append(TableBlock(msg("Times that nobody saw: any number of items may have come"), columns, rows))
    return view


def _is_of_interest(session: Session, item: GradedItem, day: date) -> bool:
    """Say whether somebody may look for an item on a day on which it does not count: it claims the day, or its polls show that it came on it."""
    zone, seen = session.zone_of_portal, item.seen
    claims = (as_moment(at) for at in (item.claimed_at, seen.published_at, seen.created_at))
    if any(at is not None and at.astimezone(zone).date() == day for at in claims):
        return True
    after, until = as_moment(seen.looked_before_at), as_moment(seen.first_seen_at)
    if after is None or until is None or item.came is not None:
        return False
    return after.astimezone(zone).date() <= day <= until.astimezone(zone).date()


def _explain(day: PortalDay, item: GradedItem) -> Message | None:
    """Say why an item does not count on a day; None where it does, or may."""
    if item.seen.id in day.observations:
        return None
    return explain_nothing(item) if item.came is None else msg("its polls show that it came on another day")


def _counts(session: Session, day: PortalDay, item: GradedItem) -> ItemCounts:
    """Say whether an item counts on a day: surely if it came on no other one."""
    if item.came is None or item.seen.id not in day.observations:
        return ItemCounts.NO
    if not item.is_sure or item.came.first == BEGINNING:
        return ItemCounts.PERHAPS
    days = {at.astimezone(session.zone_of_portal).date() for at in map(as_moment, item.came) if at is not None}
    return ItemCounts.YES if len(days) == 1 else ItemCounts.PERHAPS


def _shown_item(session: Session, day: PortalDay, item: GradedItem, one: Observation) -> ShownPortalItem:
    since = None if item.came is None or item.came.first == BEGINNING else as_moment(item.came.first)
    return ShownPortalItem(
        id=one.id,
        title=one.title,
        url=one.url,
        source=one.source,
        since=since,
        until=one.first_seen_at if item.came is None else as_moment(item.came.last) or one.first_seen_at,
        claimed_at=as_moment(item.claimed_at),
        counts=_counts(session, day, item),
        why=None if (why := _explain(day, item)) is None else str(why),
    )
