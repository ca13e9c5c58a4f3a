"""What was judged unmet before, and is not judged so today by a change of the configuration: read out of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from commands.cli.session import Session
from portalops.bodies import decode_part
from portalops.compliance.former_shortfalls import (
    FormerShortfall,
    RecordedJudging,
    changed_shortfalls,
    former_shortfalls,
    say_former,
)
from portalops.errors import PortalOpsError
from portalops.model.message import Message
from portalops.model.period import Period
from portalops.model.updates import UnitWeek, UpdatesResult

_LEAST_WEEKS = 5
"""For so many weeks after its end a week is looked for at least: fewer may be judged today than were then."""


def former_of(session: Session, period: Period, again: Callable[[], Iterable[UnitWeek]]) -> tuple[FormerShortfall, ...]:
    """Return what the weeks of a period that are over were judged unmet for, and by the configuration are not today.

    Args:
        session: has the ledger and the configuration.
        period: whose weeks.
        again: returns them as they are judged today; it is asked only where a setting may have changed a verdict.
    """
    weeks = [week for week in period.weeks() if week.period().last < session.today]
    if not weeks:
        return ()
    settings, zone = session.settings, session.zone_of_portal
    _begins, since = weeks[0].period().bounds(zone)
    _begins, ends = weeks[-1].period().bounds(zone)
    until = ends + timedelta(weeks=max(_LEAST_WEEKS, settings.updates.judge_weeks))
    changed = changed_shortfalls(
        judgings(session, since, until),
        weeks=frozenset(weeks),
        units=settings.units,
        sources=frozenset(table.id for table in settings.update_sources),
    )
    return former_shortfalls(changed, again()) if changed else ()


def say_former_of(session: Session, some: Iterable[FormerShortfall]) -> tuple[Message, ...]:
    """Say of each what was judged, and why it is not judged so any more."""
    names = {unit.id: unit.name for unit in session.settings.units}
    return tuple(say_former(one, names) for one in some)


def judgings(session: Session, since: datetime, until: datetime) -> Iterator[RecordedJudging]:
    """Yield the judgings of a time, the newest first; 'ledger verify' names one that cannot be read."""
    kinds = ("updates.finished",)
    for record in session.reader.records(kinds=kinds, since=since, until=until, newest_first=True):
        with suppress(PortalOpsError):
            result = decode_part(session.reader.blob(record.body), "updates", UpdatesResult)
            if result is not None:
                yield RecordedJudging(record.seq, record.at, result)
