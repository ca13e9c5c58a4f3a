"""One item as it is graded: what it is a copy of, and whether a confirmation could make it count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from checks.updates.account import describe_interval, explain_nothing
from checks.updates.job import graded_item, items_of
from checks.updates.mail_senders import without_mentions
from checks.updates.rules.grading import BEGINNING, GradedItem
from checks.updates.rules.stamps import moment
from checks.updates.terms import Decided, Terms
from commands.cli.entries import unit_name
from commands.jobs.kinds.updates import decided_of, open_store, update_sources
from portalops.errors import UsageError
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId, is_valid_on
from portalops.model.updates import ItemChannel, Observation
from portalops.reports.words import channel_word

if TYPE_CHECKING:
    from checks.updates.observations import ObservationStore
    from commands.cli.session import Session
    from portalops.model.period import Period

SHOWN_ID = 12
"""How much of an item's id is shown: enough to name it by."""


def items_within(session: Session, period: Period) -> Sequence[tuple[Observation, GradedItem]]:
    """Return the items that concern a period, each with what it is worth.

    Raises:
        UpdatesError: nothing was collected yet.
    """
    settings, decided = session.settings, decided_of(session.reader, session.zone_of_portal)
    with open_store(settings, session.environment) as store:
        items = items_of(
            store,
            sources=update_sources(settings),
            units=settings.units,
            portal=settings.portal,
            rulebook=session.rulebook,
            calendar=session.calendar,
            period=period,
            now=session.clock.now(),
            poll_every=settings.updates.poll_every,
            decided=decided,
        )
        whole = {one.id: one for one in decided.attested} | store.observations(item.seen.id for item in items)
    return [(whole[item.seen.id], item) for item in items]


def grade_one(
    session: Session, store: ObservationStore, item: Observation, decided: Decided
) -> tuple[GradedItem, GradedItem | None]:
    """Return an item with its grade, and what it is a copy of, where that is known, by what is decided."""
    settings = session.settings
    terms = Terms(
        session.rulebook,
        session.calendar,
        session.zone_of_portal,
        session.clock.now(),
        settings.updates.poll_every,
        decided,
    )
    sources = update_sources(settings)
    return graded_item(store, item, sources=sources, units=settings.units, portal=settings.portal, terms=terms)


def name_original(session: Session, original: GradedItem) -> Message:
    """Name the item that another one is a copy of: its id and title, whose it is, where and when it came."""
    one = original.seen
    return msg(
        "item {item}, {title}, of {unit}, {where}, {when}",
        item=one.id[:SHOWN_ID],
        title=one.title,
        unit=unit_name(session, one.unit) if one.unit else without_mentions(one.unit_name) or msg("an unknown sender"),
        where=channel_word(ItemChannel(one.channel)),
        when=describe_interval(original, session.zone_of_portal),
    )


def require_confirmable(
    session: Session, store: ObservationStore, item: Observation, day: date | None, unit: UnitId | None
) -> None:
    """Make sure that an item may count once an officer confirms it.

    Args:
        session: has what was decided before.
        store: has the item.
        item: what is to be confirmed.
        day: on which it came by the document; None for what it claims.
        unit: whose it is by the document; None for what its source says.

    Raises:
        UsageError: it counts for nothing all the same: a copy, gone within two days, or outside its unit's life.
    """
    decided, now = decided_of(session.reader, session.zone_of_portal), session.clock.now()
    confirmed = replace(
        decided,
        confirmed={**decided.confirmed, item.id: day},
        confirmed_at={**decided.confirmed_at, item.id: now},
        confirmed_units={**decided.confirmed_units, **({item.id: unit} if unit else {})},
    )
    graded, original = grade_one(session, store, item, confirmed)
    why = _explain_never(session, graded)
    if why is None:
        return
    if original is not None:
        why = msg("{why}: {original}", why=why, original=name_original(session, original))
    raise UsageError(
        msg("a confirmation cannot make item {item} count: {why}", item=item.id[:SHOWN_ID], why=why),
        msg(
            "Run 'portalops updates show {item}' to see what decides it. Other work of the unit is recorded by 'portalops"
            " updates observe' or 'portalops updates register'.",
            item=item.id[:SHOWN_ID],
        ),
    )


def _explain_never(session: Session, graded: GradedItem) -> Message | None:
    """Say why an item counts for nothing in any week; None where it may count."""
    if graded.came is None:
        return explain_nothing(graded)
    unit = next((one for one in session.settings.units if one.id == graded.seen.unit), None)
    if unit is None or any(is_valid_on(unit, day) for day in _ends(session, graded)):
        return None
    return msg("it came on a day on which the unit did not exist")


def _ends(session: Session, graded: GradedItem) -> Iterator[date]:
    assert graded.came is not None
    for at in graded.came:
        if at != BEGINNING:
            yield moment(at).astimezone(session.zone_of_portal).date()
