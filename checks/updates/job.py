"""The updates job: look at every source, keep what came, judge. A source that fails never stops the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from checks.updates.judging import judge, weighed_items
from checks.updates.observations import ObservationStore
from checks.updates.recognition import UnitNames, candidates, covers_from, recognise
from checks.updates.rules.weighing import Weighed
from checks.updates.terms import Terms
from portalops.calendar import Calendar
from portalops.errors import ConfigurationError, PortalOpsError, UpdatesError, UpdateSourceError
from portalops.model.message import msg
from portalops.model.organisation import Portal, Unit
from portalops.model.period import Period, Week
from portalops.model.record import Digest
from portalops.model.rulebook import Rulebook
from portalops.model.runs import Every
from portalops.model.updates import Poll, UpdatesResult
from portalops.ports import Answer, Clock, Keeper, Progress, UpdateSource

logger = logging.getLogger(__name__)

MAX_REJECTED = 100
"""How many refused items of one answer are named; all are counted."""


def run_updates(
    *,
    sources: Sequence[UpdateSource],
    units: Sequence[Unit],
    portal: Portal,
    rulebook: Rulebook,
    calendar: Calendar,
    store: ObservationStore,
    keeper: Keeper,
    clock: Clock,
    progress: Progress,
    judge_weeks: int,
    poll_every: Every,
) -> UpdatesResult:
    """Look at every source once and judge the last weeks.

    Args:
        sources: all sources; one that fails leaves a poll that says why.
        units: all units ever, dated.
        portal: whose zone days are local to.
        rulebook: the numbers to judge by.
        calendar: the working days.
        store: where observations are kept.
        keeper: where raw answers are kept as evidence.
        clock: the time of each look, and the moment of judging.
        progress: shown one step a source.
        judge_weeks: how many ISO weeks are judged, the current one included; at least 1.
        poll_every: how often a look at each source is expected.

    Raises:
        ConfigurationError: a source names a unit that is not configured.
        UpdatesError: the store cannot be used.
    """
    _require_known_units(sources, units)
    zone = ZoneInfo(portal.timezone)
    polls: list[Poll] = []
    with progress.task(msg("Collecting updates"), total=len(sources), unit="items") as task:
        for source in sources:
            task.note(msg("source {source}", source=source.traits.id))
            polls.append(poll_source(source, units=units, zone=zone, store=store, keeper=keeper, clock=clock))
            task.advance(1)
    now = clock.now()
    return judge_collected(
        store,
        sources=sources,
        units=units,
        portal=portal,
        rulebook=rulebook,
        calendar=calendar,
        period=judged_period(now.astimezone(zone).date(), weeks=judge_weeks),
        now=now,
        poll_every=poll_every,
        polls_of_run=polls,
    )


def judge_collected(
    store: ObservationStore,
    *,
    sources: Sequence[UpdateSource],
    units: Sequence[Unit],
    portal: Portal,
    rulebook: Rulebook,
    calendar: Calendar,
    period: Period,
    now: datetime,
    poll_every: Every,
    polls_of_run: Sequence[Poll] = (),
) -> UpdatesResult:
    """Judge a period from what is in the store, as things stood at a moment; nothing is looked at."""
    terms = Terms(rulebook, calendar, ZoneInfo(portal.timezone), now, poll_every)
    return judge(
        store.window(terms.wanted_from(period), now),
        sources=[source.traits for source in sources],
        units=units,
        period=period,
        terms=terms,
        polls_of_run=polls_of_run,
    )


def items_of(
    store: ObservationStore,
    *,
    sources: Sequence[UpdateSource],
    units: Sequence[Unit],
    portal: Portal,
    rulebook: Rulebook,
    calendar: Calendar,
    period: Period,
    now: datetime,
    poll_every: Every,
) -> tuple[Weighed, ...]:
    """Return the items that concern a period, each with its grade, flags and the moment it counts at."""
    terms = Terms(rulebook, calendar, ZoneInfo(portal.timezone), now, poll_every)
    collected = store.window(terms.wanted_from(period), now)
    return weighed_items(collected, [source.traits for source in sources], units=units, period=period, terms=terms)


def _require_known_units(sources: Sequence[UpdateSource], units: Sequence[Unit]) -> None:
    known = {unit.id for unit in units}
    for source in sources:
        traits = source.traits
        named = [*([traits.unit] if traits.unit else []), *(unit for _name, unit in traits.unit_names)]
        for unit in named:
            if unit not in known:
                raise ConfigurationError(
                    msg("update source {source}: there is no unit {unit}", source=traits.id, unit=unit[:80]),
                    msg("Name a unit by the id of its [[unit]] table."),
                )


def judged_period(today: date, *, weeks: int) -> Period:
    """Return the days to judge: whole ISO weeks back from today, the current one included."""
    monday = Week.of(today).period().first
    return Period(monday - timedelta(weeks=max(1, weeks) - 1), today)


def poll_source(
    source: UpdateSource,
    *,
    units: Sequence[Unit],
    zone: ZoneInfo,
    store: ObservationStore,
    keeper: Keeper,
    clock: Clock,
) -> Poll:
    """Look at one source once and record what came, also if nothing came, or something that cannot be read.

    Raises:
        LedgerError: the answer cannot be kept as evidence.
        UpdatesError: the store cannot be used.
    """
    source_id = source.traits.id
    try:
        answer = source.fetch(etag=store.etag(source_id))
    except PortalOpsError as error:
        return _failed(source_id, _cause(error), None, store=store, clock=clock)
    except Exception as error:
        logger.exception("asking source %s failed", source_id)
        return _failed(source_id, _cause(error), None, store=store, clock=clock)
    # It is kept before it is read: an answer that cannot be read is evidence too, of an outage for one.
    evidence = None if answer.data is None else keeper.keep(answer.data)
    try:
        return _record(source, answer, evidence, units=units, zone=zone, store=store, clock=clock)
    except PortalOpsError as error:
        if isinstance(error, UpdatesError) and not isinstance(error, UpdateSourceError):
            raise
        return _failed(source_id, _cause(error), evidence, store=store, clock=clock)
    except Exception as error:
        logger.exception("reading the answer of source %s failed", source_id)
        return _failed(source_id, _cause(error), evidence, store=store, clock=clock)


def replay(
    polls: Iterable[Poll],
    *,
    blob: Callable[[Digest], bytes],
    sources: Sequence[UpdateSource],
    units: Sequence[Unit],
    zone: ZoneInfo,
    store: ObservationStore,
) -> None:
    """Build a store again from recorded polls and their kept answers, in the order they were made.

    Raises:
        UpdateSourceError: an answer no longer reads, or its source is not configured any more.
    """
    by_id = {source.traits.id: source for source in sources}
    for poll in sorted(polls, key=lambda one: one.polled_at):
        source = by_id.get(poll.source)
        if source is None:
            raise UpdateSourceError(
                msg("there is no source {source} to read its kept answers", source=poll.source),
                msg("Put the source back into the configuration; without it its answers cannot be read."),
            )
        if not poll.ok:
            store.add_failed(poll)
            continue
        answer = Answer(None if poll.evidence is None else blob(poll.evidence))
        _record(source, answer, poll.evidence, units=units, zone=zone, store=store, clock=_At(poll.polled_at))


class _At:
    """The clock of a past poll."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment

    def monotonic(self) -> float:
        return 0.0


def _record(
    source: UpdateSource,
    answer: Answer,
    evidence: Digest | None,
    *,
    units: Sequence[Unit],
    zone: ZoneInfo,
    store: ObservationStore,
    clock: Clock,
) -> Poll:
    traits = source.traits
    before = store.last_good_poll(traits.id)
    polled_at = clock.now()
    if answer.data is None or evidence is None:
        return _record_unchanged(source, before, store, clock)
    listing = source.parse(answer.data, polled_at=polled_at)
    if listing.rejected and not listing.items:
        raise UpdateSourceError(
            msg(
                "update source {source}: none of its {count} items can be read, such as {example}",
                source=traits.id,
                count=len(listing.rejected),
                example=listing.rejected[0],
            ),
            msg("Correct the source or its settings, then run 'portalops updates collect'."),
        )
    found = candidates(listing.items)
    known = store.known(traits.id, (key for candidate in found for key in candidate.keys))
    recognition = recognise(
        found,
        known,
        traits=traits,
        units=UnitNames(units, zone),
        polled_at=polled_at,
        baseline=before is None,
        evidence=evidence,
    )
    start, gap = covers_from(
        found,
        complete=traits.complete,
        previous=before.polled_at if before else None,
        previous_items=before.items if before else 0,
        overlaps=bool(recognition.known or recognition.migrated),
        polled_at=polled_at,
    )
    poll = Poll(
        source=traits.id,
        polled_at=polled_at,
        ok=True,
        problem="",
        items=len(found),
        new_items=len(recognition.new),
        evidence=evidence,
        covers_from=start,
        gap=gap,
        rejected=listing.rejected[:MAX_REJECTED],
        rejected_more=max(0, len(listing.rejected) - MAX_REJECTED),
    )
    store.add(poll, recognition, etag=answer.etag, before=before)
    return poll


def _record_unchanged(source: UpdateSource, before: Poll | None, store: ObservationStore, clock: Clock) -> Poll:
    """Record that a source has what it had before: all of it was seen again."""
    traits = source.traits
    if before is None:
        raise UpdateSourceError(
            msg("update source {source}: it says that nothing changed, but nothing is known of it", source=traits.id),
            msg("Run 'portalops updates collect' again; it asks for the whole answer."),
        )
    poll = replace(before, polled_at=clock.now(), new_items=0, evidence=None, gap=False, rejected=(), rejected_more=0)
    if not traits.complete:
        poll = replace(poll, covers_from=min(before.polled_at, before.covers_from or before.polled_at))
    store.add_unchanged(poll, since=before.polled_at)
    return poll


def _failed(source_id: str, problem: str, evidence: Digest | None, *, store: ObservationStore, clock: Clock) -> Poll:
    logger.info("source %s failed: %s", source_id, problem)
    poll = Poll(
        source=source_id,
        polled_at=clock.now(),
        ok=False,
        problem=problem,
        items=0,
        new_items=0,
        evidence=evidence,
        covers_from=None,
    )
    store.add_failed(poll)
    return poll


def _cause(error: Exception) -> str:
    """Return why a look failed, in one bounded line; what is no error of ours is a fault in portalops."""
    text = str(error) if isinstance(error, PortalOpsError) else f"a fault in portalops: {error!r}"
    return " ".join(text.split())[:300]
