"""List units without news for some days, and sources that do not answer or prove nothing

Prints nothing when all is well, so that cron mails only what matters. Only items that count are news: no copies, no
items with a newer date, no mere claims. Polls nothing: the updates job does.

Example: portalops updates stale --days 5

EXIT STATUS: 0 nothing is stale, 1 a unit is, 3 only a source did not answer or proves nothing, so the units are unknown
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from checks.updates.job import CHECK_AFTER
from checks.updates.judging_processes import JudgedPeriod
from checks.updates.summing import sums
from checks.updates.terms import Terms
from checks.updates.troubles import explain_trouble
from checks.updates.unit_names import UnitNames
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.kinds.updates import decided_of, open_store, source_troubles, store_place, update_sources
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.message import msg, nmsg
from portalops.model.organisation import is_valid_on
from portalops.model.period import Period, day_or_moment
from portalops.reports.document import Block, Cell, TableBlock

if TYPE_CHECKING:
    from portalops.model.updates import Poll, UnitSum

REACH_BACK = timedelta(days=366)
"""How far back the newest item is looked for, to say since when."""


class Staleness(StrEnum):
    """Why a unit or a source is named."""

    NEVER_POLLED = "never-polled"
    NOT_POLLED_SINCE = "not-polled-since"
    FAILED = "failed"
    """The newest poll gave nothing usable."""
    NOTHING_NEW = "nothing-new"
    EMPTIED = "emptied"
    NO_OVERLAP = "no-overlap"
    OLDEST_FIRST = "oldest-first"
    ORDER_UNKNOWN = "order-unknown"
    OUT_OF_DATE = "out-of-date"
    RENAMED = "renamed"


@shape
class StaleEntry:
    """A unit that has shown nothing new, or a source that has not answered."""

    id: str
    what: Literal["source", "unit"]
    newest_at: datetime | None
    """The newest poll of the source, since when something is wrong with it, or the newest item of the unit."""
    state: Staleness
    why: str


def stale(
    ctx: typer.Context,
    days: Annotated[
        int,
        typer.Option(
            "--days", metavar="N", help=_("Name units without news for more than this many days"), min=1, max=366
        ),
    ] = 5,
) -> Result[tuple[StaleEntry, ...]]:
    session = open_session(ctx)
    now = session.clock.now()
    limit = now - timedelta(days=days)
    units = {unit.id: unit for unit in session.settings.units}
    rows: list[tuple[Cell, ...]] = []
    data: list[StaleEntry] = []
    code = ExitCode.OK
    for source, poll in _silent(session, limit).items():
        if poll is None:
            state, why = Staleness.NEVER_POLLED, msg("never collected")
        elif poll.ok:
            state, why = Staleness.NOT_POLLED_SINCE, msg("not polled since then")
        else:
            state, why = Staleness.FAILED, msg("gave nothing usable: {cause}", cause=poll.cause)
        at = poll.polled_at if poll else None
        rows.append((msg("source {source}", source=source), at, why))
        data.append(StaleEntry(source, "source", at, state, str(why)))
        code = ExitCode.PARTIAL
    for trouble in source_troubles(session, limit):
        why = explain_trouble(trouble)
        rows.append((msg("source {source}", source=trouble.source), trouble.since, why))
        data.append(StaleEntry(trouble.source, "source", trouble.since, Staleness(trouble.kind.value), str(why)))
        code = ExitCode.PARTIAL
    for one in _sums(session, now):
        if one.newest_at is None or _latest(one.newest_at, session.zone_of_portal) < limit:
            why = nmsg("no news for more than {n} day", "no news for more than {n} days", days)
            rows.append((units[one.unit].name, day_or_moment(one.newest_at, session.zone_of_portal), why))
            data.append(StaleEntry(one.unit, "unit", one.newest_at, Staleness.NOTHING_NEW, str(why)))
            code = ExitCode.UNMET
    headers = (msg("Unit or source"), msg("Newest"), msg("Why"))
    view: list[Block] = (
        [TableBlock(nmsg("No news for more than {n} day", "No news for more than {n} days", days), headers, rows)]
        if rows
        else []
    )
    return Result(tuple(data), view, exit_code=code)


def _latest(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the latest moment that a moment may stand for: of a day without an hour, its end."""
    return at if day_or_moment(at, zone) == at else at + timedelta(days=1)


def _sums(session: Session, now: datetime) -> list[UnitSum]:
    settings = session.settings
    zone = ZoneInfo(settings.portal.timezone)
    today = now.astimezone(zone).date()
    terms = Terms(
        session.rulebook,
        session.calendar,
        zone,
        now,
        settings.updates.poll_every,
        decided_of(session.reader, session.zone_of_portal),
    )
    sources = [source.traits for source in update_sources(settings)]
    question = JudgedPeriod(
        store_place(session.settings, session.environment),
        sources,
        Period(today - REACH_BACK, today),
        terms,
        UnitNames(settings.units, zone, settings.portal.name.vi),
    )
    return list(sums(question, [unit for unit in settings.units if is_valid_on(unit, today)]))


def _silent(session: Session, limit: datetime) -> dict[str, Poll | None]:
    """Return the sources whose newest poll failed, or is too long ago, or that were never polled.

    A cross-check is asked for once a week only, unless there is a gap, so it is late a day after that.
    """
    with open_store(session.settings, session.environment) as store:
        newest = {poll.source: poll for poll in store.newest_polls()}
    weekly = min(limit, session.clock.now() - CHECK_AFTER - timedelta(days=1))
    found: dict[str, Poll | None] = {}
    for source in update_sources(session.settings):
        poll = newest.get(source.traits.id)
        if poll is None or not poll.ok or poll.polled_at < (weekly if source.traits.cross_check else limit):
            found[source.traits.id] = poll
    return found


VERB = Verb(stale)
