"""From what was collected to verdicts: one pure function over observations, rulebook, calendar and the moment of judging.

The same collected items, rulebook, calendar and moment give the same result, so that any past judgement can be made
again and compared.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from checks.updates.observations import Collected
from checks.updates.recognition import EPOCH
from checks.updates.rules.comparing import compare
from checks.updates.rules.coverage import Coverage, cover
from checks.updates.rules.occasions import counting_day, occasions
from checks.updates.rules.portal import DayFacts, judge_portal_day, paying_day
from checks.updates.rules.units import judge_unit_weeks
from checks.updates.rules.weighing import Weighed, weigh
from checks.updates.terms import Terms
from portalops.model.organisation import Unit, UnitId
from portalops.model.period import Period, Week
from portalops.model.rulebook import Numbers
from portalops.model.updates import (
    Channel,
    FlaggedItem,
    FlagKind,
    Grade,
    Observation,
    Poll,
    PortalDay,
    SourceTraits,
    UnitDay,
    UpdatesResult,
)


def judge(
    collected: Collected,
    *,
    sources: Sequence[SourceTraits],
    units: Sequence[Unit],
    period: Period,
    terms: Terms,
    polls_of_run: Sequence[Poll] = (),
) -> UpdatesResult:
    """Judge the portal's days and the units' weeks of a period, as far as it has begun.

    Args:
        collected: items and polls from `terms.wanted_from` on.
        sources: every source, whether it answered or not.
        units: all units ever; each is judged for the weeks in which it existed.
        period: whole ISO weeks are judged wherever it touches one.
        terms: rulebook, calendar, zone and the moment of judging.
        polls_of_run: the polls that the result is to report.
    """
    weighed = _weigh_all(collected, sources, terms.numbers)
    pulled = _pulled_sources(sources, terms.numbers)
    coverage = cover(collected.polls, sources, collected.observations, pulled=pulled, begins=collected.begins)
    units_items = _by_unit_and_week(weighed, pulled, terms)
    weeks = [week for week in period.weeks() if week.period().first <= terms.today]
    in_period = [one for one in weighed if _concerns(one, period, terms)]
    return UpdatesResult(
        polls=tuple(polls_of_run),
        judged_from=period.first,
        judged_to=min(period.last, max(terms.today, period.first)),
        rulebook=terms.rulebook.edition,
        calendar=terms.calendar.version,
        portal_days=_portal_days(weighed, coverage, period, terms),
        unit_weeks=tuple(judge_unit_weeks(units, weeks, units_items, coverage, terms)),
        unit_days=_unit_days(units_items, period, terms),
        flagged=tuple(_flagged(in_period)),
        text_checked=len(in_period),
    )


def weighed_items(
    collected: Collected, sources: Sequence[SourceTraits], *, period: Period, terms: Terms
) -> tuple[Weighed, ...]:
    """Return the items that concern a period, in order of what is known of their time."""
    items = _weigh_all(collected, sources, terms.numbers)
    chosen = [item for item in items if _concerns(item, period, terms)]
    return tuple(sorted(chosen, key=lambda item: (item.counts_at or item.evidenced_at, item.observation.id)))


# --- items ------------------------------------------------------------------------------------


def _weigh_all(collected: Collected, sources: Sequence[SourceTraits], numbers: Numbers) -> tuple[Weighed, ...]:
    traits_of = {traits.id: traits for traits in sources}
    good_polls: dict[str, list[Poll]] = defaultdict(list)
    for poll in collected.polls:
        if poll.ok:
            good_polls[poll.source].append(poll)
    poll_times = {source: [poll.polled_at for poll in polls] for source, polls in good_polls.items()}
    touched = {touch.observation: touch.published_at for touch in collected.touches}
    grace = timedelta(hours=numbers.backdate_grace_hours)
    previous: dict[str, datetime | None] = {}
    weighed = []
    for one in collected.observations:
        # What a source that is no longer configured once showed was seen all the same; nothing vouches for its columns.
        traits = traits_of.get(one.source) or SourceTraits(one.source, one.channel, complete=False)
        times = poll_times.get(one.source, [])
        position = bisect_left(times, one.first_seen_at)
        previous[one.id] = times[position - 1] if position else None
        weighed.append(
            weigh(
                one,
                traits,
                previous_poll=previous[one.id],
                removed_at=_removed_at(one, collected.last_seen, good_polls.get(one.source, []), times),
                touched_at=touched.get(one.id),
                backdate_grace=grace,
            )
        )
    return compare(
        weighed,
        duplicate_window=timedelta(days=numbers.duplicate_window_days),
        may_copy=frozenset(traits.id for traits in sources if traits.copies_count),
        previous_polls=previous,
    )


def _removed_at(
    one: Observation, last_seen: Mapping[str, datetime], polls: Sequence[Poll], times: Sequence[datetime]
) -> datetime | None:
    """Return when a poll that reaches back to an item no longer showed it."""
    seen = last_seen.get(one.id, one.first_seen_at)
    for poll in polls[bisect_left(times, seen) :]:
        if poll.polled_at > seen and not poll.gap and (poll.covers_from == EPOCH):
            return poll.polled_at
    return None


def _by_unit_and_week(
    weighed: Iterable[Weighed], pulled: frozenset[str], terms: Terms
) -> dict[tuple[UnitId, Channel], dict[Week, list[Weighed]]]:
    """Sort units' items into the ISO weeks they count in; what is pulled by the portal stands under both channels."""
    sorted_items: dict[tuple[UnitId, Channel], dict[Week, list[Weighed]]] = defaultdict(lambda: defaultdict(list))
    for unit, channel, item in _attributed(weighed, pulled, terms.numbers):
        if item.counts_at is None:
            continue
        day = counting_day(item.counts_at, zone=terms.zone, cutoff=terms.numbers.day_cutoff)
        if terms.numbers.weekend_counts_weekly or terms.calendar.is_working(day):
            sorted_items[unit, channel][Week.of(day)].append(item)
    return sorted_items


def _pulled_sources(sources: Iterable[SourceTraits], numbers: Numbers) -> frozenset[str]:
    """Return the sub-portals whose items reach the portal by themselves and so are sent in (Article 9.2)."""
    if not numbers.syndication_counts_as_submission:
        return frozenset()
    return frozenset(one.id for one in sources if one.syndicated and one.channel is Channel.SUBPORTAL)


def _attributed(
    weighed: Iterable[Weighed], pulled: frozenset[str], numbers: Numbers
) -> Iterable[tuple[UnitId, Channel, Weighed]]:
    """Yield what each item counts for: K1, K2, or both where the portal pulled it from the sub-portal.

    It was pulled where the source is declared so, or where the portal shows the unit's own text or address.
    """
    items = [(item.observation.unit, item) for item in weighed if item.observation.unit is not None]
    own_texts = {
        (unit, name)
        for unit, item in items
        if item.observation.channel is Channel.SUBPORTAL and item.observation.source not in pulled
        for name in (item.observation.content_hash, item.observation.url)
        if name
    }
    for unit, item in items:
        one = item.observation
        if one.channel is not Channel.PORTAL:
            yield unit, one.channel, item
        is_shown = (unit, one.content_hash) in own_texts or (unit, one.url) in own_texts
        is_pulled_by_portal = one.channel is Channel.PORTAL and is_shown and numbers.syndication_counts_as_submission
        if is_pulled_by_portal or (one.source in pulled and one.channel is Channel.SUBPORTAL):
            yield unit, Channel.SUBMISSION, item


# --- the portal -------------------------------------------------------------------------------


def _portal_days(weighed: Sequence[Weighed], coverage: Coverage, period: Period, terms: Terms) -> tuple[PortalDay, ...]:
    by_day: dict[date, list[Weighed]] = defaultdict(list)
    for item in weighed:
        if item.observation.channel is Channel.PORTAL and item.counts_at:
            day = counting_day(item.counts_at, zone=terms.zone, cutoff=terms.numbers.day_cutoff)
            by_day[paying_day(day, calendar=terms.calendar, numbers=terms.numbers)].append(item)
    sources = coverage.sources(Channel.PORTAL, None)
    days = []
    for day in period.days():
        if day > terms.today:
            break
        start, end = datetime.combine(day, time(), terms.zone), terms.end_of(day)
        facts = DayFacts(
            day=day,
            items=by_day[day],
            coverage_percent=coverage.percent(sources, start, end),
            has_source=bool(sources),
            collected=coverage.reaches(sources, end),
            poll_overdue=terms.now >= terms.poll_due_by(end),
            is_over=terms.now >= end,
        )
        days.append(judge_portal_day(facts, calendar=terms.calendar, numbers=terms.numbers))
    return tuple(days)


# --- what is shown ----------------------------------------------------------------------------


def _unit_days(
    items: Mapping[tuple[UnitId, Channel], Mapping[Week, Sequence[Weighed]]], period: Period, terms: Terms
) -> tuple[UnitDay, ...]:
    """Return the cells of the matrix; claims that wait for confirmation are shown by their flag, not counted."""
    counts: dict[tuple[UnitId, date], Counter[Channel]] = defaultdict(Counter)
    flags: dict[tuple[UnitId, date], set[FlagKind]] = defaultdict(set)
    for (unit, channel), weeks in items.items():
        for week_items in weeks.values():
            solid = [item for item in week_items if item.grade is not Grade.C]
            for day, count in occasions(solid, numbers=terms.numbers, zone=terms.zone).items():
                counts[unit, day][channel] += count
            for item in week_items:
                if item.counts_at:
                    day = counting_day(item.counts_at, zone=terms.zone, cutoff=terms.numbers.day_cutoff)
                    flags[unit, day].update(item.flags)
    return tuple(
        UnitDay(
            unit,
            day,
            counts[unit, day][Channel.SUBPORTAL],
            counts[unit, day][Channel.SUBMISSION],
            tuple(sorted(flags[unit, day])),
        )
        for unit, day in sorted(counts.keys() | flags.keys())
        if day in period
    )


def _concerns(item: Weighed, period: Period, terms: Terms) -> bool:
    """Say whether an item was published, claimed or first seen in a period."""
    one = item.observation
    moments = [
        item.counts_at,
        item.claimed_at,
        one.published_at,
        one.created_at,
        None if one.baseline else one.first_seen_at,
    ]
    return any(moment.astimezone(terms.zone).date() in period for moment in moments if moment)


def _flagged(items: Iterable[Weighed]) -> Iterable[FlaggedItem]:
    """Yield what an officer should look at; to have been there at the first look is nothing to look at by itself."""
    for item in sorted(items, key=lambda one: (one.observation.unit or "", one.evidenced_at, one.observation.id)):
        if set(item.flags) - {FlagKind.BASELINE}:
            one = item.observation
            yield FlaggedItem(one.unit, one.id, one.title, item.flags, item.claimed_at, item.evidenced_at)
