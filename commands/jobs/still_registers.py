"""Registers in which nobody's line came in the last week that is over: they may be kept on in a file that nobody polls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from checks.updates.rules.coverage import find_still
from checks.updates.rules.stamps import stamp
from checks.updates.rules.weeks import say_still
from commands.cli.session import Session
from commands.jobs.kinds.updates import open_store, update_sources
from portalops.errors import UpdatesError
from portalops.model.message import Message, msg
from portalops.model.period import Week


def say_still_registers(session: Session) -> Iterator[tuple[str, Message, Message]]:
    """Yield the id of each such register, what is seen of it, and what to do; none in a week without a working day."""
    registers = [
        one.traits.id for one in update_sources(session.settings) if one.traits.complete and one.traits.attested
    ]
    week, zone, now = Week.of(session.today - timedelta(days=7)), session.zone_of_portal, session.clock.now()
    if not registers or not session.calendar.working_days(week.period()):
        return
    start, end = map(stamp, week.period().bounds(zone))
    try:
        with open_store(session.settings, session.environment) as store:
            window = store.window(week.period().bounds(zone)[0], now)
            lines = {one: window.arrivals(one) for one in registers}
            polled = {one for one in registers if window.complete_polls(one)}
    except UpdatesError:
        return
    for source in registers:
        found = find_still(source, lines[source], start, end, zone=zone) if source in polled else None
        if found is not None:
            yield source, msg("week {week}: {what}", week=str(week), what=say_still(found)), _CURE


_CURE = msg(
    "If the registrar writes in another file now, such as that of a new month, name it in the [[updates.source]] table of that id."
    " Until a line shows that the register is kept on, the week stays open for all who send in by it alone."
)
