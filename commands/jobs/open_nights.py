"""What the polls of the last two weeks leave open, out of the store and the newest judging."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from checks.updates.open_nights import PERIOD, OpenNights, advise_times, open_nights, open_weeks, say_open_nights
from checks.updates.rules.stamps import LocalDays, stamp
from commands.cli.session import Session
from commands.jobs.former_shortfalls import judgings
from commands.jobs.kinds.updates import open_store, update_sources
from portalops.errors import UpdatesError
from portalops.model.message import Message
from portalops.model.runs import JobKind


def say_nights(session: Session) -> Iterator[tuple[Message, Message]]:
    """Say how many nights the polls leave open, and what to write, where these are more than half of them."""
    found = _nights(session)
    if found is not None and found.nights * 2 > found.of:
        jobs = [job.id for job in session.settings.jobs if job.kind is JobKind.UPDATES]
        cutoff = session.rulebook.numbers.day_cutoff
        yield say_open_nights(found), advise_times(cutoff, jobs[0] if jobs else "daily-updates")


def _nights(session: Session) -> OpenNights | None:
    now, zone, today = session.clock.now(), session.zone_of_portal, session.today
    first = today - PERIOD
    days = LocalDays(first, today, zone=zone, cutoff=session.rulebook.numbers.day_cutoff)
    ends = [days.bounds(first + timedelta(days=number))[1] for number in range(PERIOD.days)]
    traits = [source.traits for source in update_sources(session.settings)]
    bounded = [one.id for one in traits if not one.attested and not one.trust_created]
    try:
        with open_store(session.settings, session.environment) as store:
            window = store.window(now - PERIOD - timedelta(days=2), now)
            polls = {source: [one.polled_at for one in window.polls_of(source)[0] if one.ok] for source in bounded}
    except UpdatesError:
        return None
    nights, of = open_nights(polls, [end for end in ends if end <= stamp(now)])
    newest = next(judgings(session, now - PERIOD, now + timedelta(seconds=1)), None)
    weeks = () if newest is None else newest.result.unit_weeks
    return OpenNights(nights, of, open_weeks(weeks, now=now, zone=zone))
