"""The updates job: look at every source, keep what came, judge. A source that fails never stops the others.

Sources are asked many at once, and recorded one by one. A feed whose answer leaves a gap is recorded last, when the cross-check
that is declared for its channel and unit was asked what was missed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from checks.updates.account import WeekAccount, account_for
from checks.updates.addresses import address_elsewhere, elsewhere_key
from checks.updates.answers import (
    NOTHING_PROVEN,
    OTHER_LIST,
    Answer,
    AnswerItem,
    AnswerProof,
    BaseAnswer,
    doubted,
    doubts_begin,
    prove,
    without_older,
)
from checks.updates.attribution import attributed
from checks.updates.dates import WrittenDates
from checks.updates.gaps import is_check_of, judge_gap, keys_of, new_addresses
from checks.updates.judging import Judging, grade_items
from checks.updates.judging_processes import JudgedPeriod, judge_period
from checks.updates.observation_rows import newest_at
from checks.updates.observations import ObservationStore
from checks.updates.polling import WITHIN, Lookers, SourcePoll, explain_failure, poll_sources
from checks.updates.recognition import (
    KnownObservation,
    Recognition,
    candidates,
    covers_from,
    hidden_in,
    recognise,
    without_anticipated,
)
from checks.updates.rewriting import NO_REWRITING, Rewriting, find_rewrites, with_text
from checks.updates.rules.grading import GradedItem
from checks.updates.terms import NOTHING_DECIDED, Decided, Terms
from checks.updates.troubles import troubles_by_poll
from checks.updates.unit_names import UnitNames
from checks.updates.variety import variety_of
from portalops.calendar import Calendar
from portalops.errors import ConfigurationError, UpdatesError, UpdateSourceError
from portalops.locale import process_language, render
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, Portal, UnitId
from portalops.model.period import Period, Week
from portalops.model.record import Digest
from portalops.model.rulebook import Rulebook
from portalops.model.runs import Every
from portalops.model.updates import (
    PLACE,
    FlagKind,
    Listing,
    Observation,
    Poll,
    UpdateAnswer,
    UpdateSourceTraits,
    UpdatesResult,
)
from portalops.ports import Clock, EvidenceStore, Progress, UpdateSource

logger = logging.getLogger(__name__)

MAX_REJECTED = 100
"""How many refused items of one answer are named; all are counted."""
WHOLE_AFTER = timedelta(hours=20)
"""A source whose whole answer is this old is asked for it, however little it says has changed: once a day, with some room."""
CHECK_AFTER = timedelta(days=7)
"""A cross-check is asked at least so often: in the first poll of each week."""
ASKED_WITHIN = timedelta(seconds=10)
"""So soon after its look begins a mailbox is asked, and tells from then on what is new: between the two nothing was missed, as it numbers its messages."""


def run_updates(
    *,
    sources: Sequence[UpdateSource],
    units: Sequence[Agency],
    portal: Portal,
    rulebook: Rulebook,
    calendar: Calendar,
    store: ObservationStore,
    keeper: EvidenceStore,
    clock: Clock,
    progress: Progress,
    judge_weeks: int,
    poll_every: Every,
    decided: Decided = NOTHING_DECIDED,
    within: timedelta = WITHIN,
    lookers: Lookers | None = None,
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
        decided: what people decided that bears on it.
        within: for the looks; a source that has not answered by then has failed.
        lookers: who looks at the sources, and for how long, if not this process.

    Raises:
        ConfigurationError: a source names a unit that is not configured.
        LedgerError: an answer cannot be kept as evidence.
        UpdatesError: the store cannot be used.
    """
    _require_known_units(sources, units)
    zone = ZoneInfo(portal.timezone)
    polls = _collect(
        sources,
        units=units,
        zone=zone,
        home=portal.name.vi,
        store=store,
        keeper=keeper,
        clock=clock,
        progress=progress,
        within=within,
        lookers=lookers,
    )
    now = clock.now()
    period = judged_period(now.astimezone(zone).date(), weeks=judge_weeks)
    result = judge_collected(
        store,
        sources=sources,
        units=units,
        portal=portal,
        rulebook=rulebook,
        calendar=calendar,
        period=period,
        now=now,
        poll_every=poll_every,
        decided=decided,
        polls_of_run=polls,
    )
    terms = Terms(rulebook, calendar, zone, now, poll_every, decided)
    traits = [source.traits for source in sources]
    window = store.window(terms.wanted_from(period), now)
    return replace(result, variety=variety_of(window, sources=traits, period=period, terms=terms))


def judge_collected(
    store: ObservationStore,
    *,
    sources: Sequence[UpdateSource],
    units: Sequence[Agency],
    portal: Portal,
    rulebook: Rulebook,
    calendar: Calendar,
    period: Period,
    now: datetime,
    poll_every: Every,
    decided: Decided = NOTHING_DECIDED,
    polls_of_run: Sequence[Poll] = (),
) -> UpdatesResult:
    """Judge a period from what is in the store, as things stood at a moment; nothing is looked at."""
    terms = Terms(rulebook, calendar, ZoneInfo(portal.timezone), now, poll_every, decided)
    traits = [source.traits for source in sources]
    question = JudgedPeriod(store.place, traits, period, terms, UnitNames(units, terms.zone, portal.name.vi))
    return judge_period(question, units, polls_of_run=polls_of_run)


def items_of(
    store: ObservationStore,
    *,
    sources: Sequence[UpdateSource],
    units: Sequence[Agency],
    portal: Portal,
    rulebook: Rulebook,
    calendar: Calendar,
    period: Period,
    now: datetime,
    poll_every: Every,
    decided: Decided = NOTHING_DECIDED,
) -> tuple[GradedItem, ...]:
    """Return the items that concern a period, each with its grade, flags and interval."""
    terms = Terms(rulebook, calendar, ZoneInfo(portal.timezone), now, poll_every, decided)
    traits = [source.traits for source in sources]
    names = UnitNames(units, terms.zone, portal.name.vi)
    collected = attributed(store.window(terms.counted_from(period), now), names, traits, decided)
    return grade_items(collected, traits, units=units, period=period, terms=terms)


def graded_item(
    store: ObservationStore,
    item: Observation,
    *,
    sources: Sequence[UpdateSource],
    units: Sequence[Agency],
    portal: Portal,
    terms: Terms,
) -> tuple[GradedItem, GradedItem | None]:
    """Return one item with its grade, flags and interval, and what it is a copy of, where that is known.

    Raises:
        UpdatesError: a source shows the same that a person attests, and stands for it; or several units claim the item.
    """
    if item.id in terms.decided.contested:
        raise UpdatesError(
            msg("entry {id} does not count: several units claim the same item", id=item.id),
            msg("If {id} is wrong, take it back with 'portalops updates observe --withdraw {id}'.", id=item.id),
        )
    # What the first poll showed may be years older than that poll, and bears on no later day.
    day = min(item.first_seen_at, newest_at(item)).astimezone(terms.zone).date()
    period, traits = Period(day, day), [source.traits for source in sources]
    names = UnitNames(units, terms.zone, portal.name.vi)
    collected = attributed(store.window(terms.counted_from(period), terms.now), names, traits, terms.decided)
    judging = Judging(collected, sources=traits, period=period, terms=terms)
    known = {unit.id: unit for unit in units}
    units_first = dict.fromkeys((item.unit, *judging.units()))  # a source may have named another unit since
    graded = (
        one
        for unit in units_first
        for one in judging.judge(unit, known.get(unit) if unit else None).items
        if one.seen.id == item.id
    )
    found = next(graded, None)
    if found is None:
        raise UpdatesError(
            msg("item {item} is not judged by itself: a source shows the same item", item=item.id[:12]),
            msg("Run 'portalops updates list' to see the item that its source shows."),
        )
    copies = [found] if FlagKind.DUPLICATE in found.flags else []
    return found, judging.originals_of(copies).get(item.id)


def account_of(
    store: ObservationStore,
    *,
    sources: Sequence[UpdateSource],
    units: Sequence[Agency],
    portal: Portal,
    unit: Agency,
    week: Week,
    terms: Terms,
) -> WeekAccount | None:
    """Return what a unit's week rests on, from what is in the store; None if it did not exist in it, or it has not begun."""
    period, traits = week.period(), [source.traits for source in sources]
    names = UnitNames(units, terms.zone, portal.name.vi)
    window = attributed(store.window(terms.counted_from(period), terms.now), names, traits, terms.decided)
    return account_for(Judging(window, sources=traits, period=period, terms=terms), unit, week, names)


def _require_known_units(sources: Sequence[UpdateSource], units: Sequence[Agency]) -> None:
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


def _collect(
    sources: Sequence[UpdateSource],
    *,
    units: Sequence[Agency],
    zone: ZoneInfo,
    home: str,
    store: ObservationStore,
    keeper: EvidenceStore,
    clock: Clock,
    progress: Progress,
    within: timedelta,
    lookers: Lookers | None,
) -> tuple[Poll, ...]:
    """Look at every source once, record what came, also if nothing came, and return the polls in the sources' order."""
    polls: dict[str, Poll] = {}
    checks: dict[str, SourcePoll] = {}
    gaps: list[_Read] = []
    names = UnitNames(units, zone, home)
    until = clock.monotonic() + within.total_seconds()

    def record(looks: Iterable[SourcePoll]) -> None:
        for look in looks:
            traits = look.source.traits
            task.note(msg("source {source}", source=traits.id))
            task.advance(1)
            read = _read(look, names, store)
            if isinstance(read, Poll):
                polls[traits.id] = read
            elif read.poll.gap and any(is_check_of(one.traits, traits) for one in sources):
                gaps.append(read)
            else:
                polls[traits.id] = read.recorded(store)
                warn_of_troubles([polls[traits.id]], zone)
            if traits.cross_check:
                checks[traits.id] = look

    def look_at_all(some: Sequence[UpdateSource]) -> Iterator[SourcePoll]:
        if lookers is not None:
            return lookers([(one, _etag(one, store, clock.now())) for one in some])
        left = timedelta(seconds=max(0.0, until - clock.monotonic()))
        return poll_sources(
            some, etag=lambda one: _etag(one, store, clock.now()), keeper=keeper, clock=clock, within=left
        )

    first = [one for one in sources if not one.traits.cross_check or _is_check_due(one, store, clock.now(), zone)]
    with progress.task(msg("Collecting updates"), total=len(first), unit="items") as task:
        record(look_at_all(first))
        wanted = [one for one in sources if any(is_check_of(one.traits, read.traits) for read in gaps)]
        record(look_at_all([one for one in wanted if one.traits.id not in checks]))
    for read in gaps:
        polls[read.traits.id] = _checked(read, sources, checks, store=store, zone=zone).recorded(store)
        warn_of_troubles([polls[read.traits.id]], zone)
    places = {source: place for place, source in enumerate(polls, 1)}
    return tuple(replace(polls[source], place=places[source]) for one in sources if (source := one.traits.id) in polls)


def _etag(source: UpdateSource, store: ObservationStore, now: datetime) -> str:
    """Return what a source's server wants to be shown; nothing where its whole answer is wanted.

    That nothing changed is a claim of the server: it proves that it was reached, and no more (updates.md, section 1). So the
    whole answer is asked for once a day, and of a cross-check always.
    """
    before = store.last_whole_poll(source.traits.id)
    is_wanted_whole = source.traits.cross_check or before is None or now - before.polled_at >= WHOLE_AFTER
    kept = store.etag(source.traits.id)
    return kept if kept.startswith(PLACE) or not is_wanted_whole else ""


def _is_check_due(source: UpdateSource, store: ObservationStore, now: datetime, zone: ZoneInfo) -> bool:
    """Say whether a cross-check is to be asked: it may not be found gone when it is needed, and what it has new bounds a week."""
    before = store.last_whole_poll(source.traits.id)
    return before is None or Week.of(before.polled_at.astimezone(zone).date()) != Week.of(now.astimezone(zone).date())


def replay(
    polls: Iterable[Poll],
    *,
    blob: Callable[[Digest], bytes],
    sources: Sequence[UpdateSource],
    units: Sequence[Agency],
    zone: ZoneInfo,
    store: ObservationStore,
    home: str = "",
) -> tuple[Poll, ...]:
    """Build a store again from recorded polls and their kept answers, and return the good ones as they read now.

    Which of two texts that hardly differ stands for both rests on which the store got first: so the polls come in that order,
    which `Poll.place` tells within a run. `home` is the portal's name, which tells the own province.

    Raises:
        UpdateSourceError: an answer no longer reads, or its source is not configured any more.
    """
    by_id = {source.traits.id: source for source in sources}
    names = UnitNames(units, zone, home)
    again: list[Poll] = []
    for poll in polls:
        source = by_id.get(poll.source)
        if source is None:
            raise UpdateSourceError(
                msg(
                    "the source {source} is not in the configuration, so its kept answers cannot be read",
                    source=poll.source,
                ),
                msg("Put the source back into the configuration."),
            )
        if not poll.ok:
            store.add_poll(poll)
            continue
        answer = UpdateAnswer(None if poll.evidence is None else blob(poll.evidence))
        listing = None if answer.data is None else source.parse(answer.data, polled_at=poll.polled_at)
        read = _sorted(
            SourcePoll(source, poll.polled_at, answer, poll.evidence, listing), names, store, owner=poll.owner
        )
        if poll.gap_check is not None and read.answer is not None:  # what the cross-check said then stands
            closed = replace(read, poll=replace(read.poll, gap=poll.gap, covers_from=poll.covers_from))
            read = closed if poll.gap else _without_gap(closed, store)
        again.append(read.recorded(store))
    return tuple(again)


def warn_of_troubles(polls: Iterable[Poll], zone: ZoneInfo) -> None:
    """Log what is wrong with answers, once for each source and kind; moments are shown in a zone."""
    for said in troubles_by_poll(polls):
        logger.warning("%s", render(said, process_language(), zone=zone))


@dataclass(frozen=True, slots=True)
class _Read:
    """A good look, sorted and not recorded yet."""

    traits: UpdateSourceTraits
    poll: Poll
    before: Poll | None
    """The look before it that gave a whole answer."""
    recognition: Recognition | None
    """None where nothing has changed, or an empty answer proves nothing."""
    etag: str
    answer: Answer | None = None
    """What was judged; None where nothing is held against an earlier answer."""
    proof: AnswerProof = NOTHING_PROVEN
    rewriting: Rewriting = NO_REWRITING

    def recorded(self, store: ObservationStore) -> Poll:
        if self.recognition is not None:
            store.add(
                self.poll,
                self.recognition,
                etag=self.etag,
                before=self.before,
                proof=self.proof,
                rewriting=self.rewriting,
            )
        else:
            store.add_poll(self.poll, self.proof)
        return self.poll


def _read(look: SourcePoll, units: UnitNames, store: ObservationStore) -> _Read | Poll:
    """Return a look, sorted; or, where nothing can be made of it, the poll that was recorded of that."""
    if look.problem is not None:
        return _failed(look, look.problem, store, hint=look.hint)
    try:
        return _sorted(look, units, store)
    except UpdateSourceError as error:
        return _failed(look, explain_failure(error), store, hint=error.hint)
    except UpdatesError:
        raise
    except Exception as error:  # a fault with one source's answer must not lose those of the others
        logger.exception("reading the answer of source %s failed", look.source.traits.id)
        return _failed(look, explain_failure(error), store)


def _sorted(look: SourcePoll, units: UnitNames, store: ObservationStore, *, owner: str | None = None) -> _Read:
    """Return a look, sorted into what is new and what is known.

    Args:
        look: the poll and its answer.
        units: how units are named.
        store: what is known.
        owner: the unit whose own source it was at that time, as `Poll.owner`; None for today's.

    Raises:
        UpdateSourceError: nothing in the answer can be read, or it says that nothing changed where nothing is known.
        UpdatesError: the store cannot be used.
    """
    traits, listing, evidence = look.source.traits, _ordered_listing(look, store), look.evidence
    if owner is not None:
        traits = replace(traits, unit=UnitId(owner) if owner else None)
    newest = store.last_whole_poll(traits.id)
    via, etag = (look.answer.via, look.answer.etag) if look.answer else ((), "")
    if listing is None or evidence is None:
        return _Read(traits, replace(_unchanged(look, newest), via=via, owner=traits.unit or ""), newest, None, etag)
    if listing.rejected and not listing.items:
        raise UpdateSourceError(
            msg(
                "update source {source}: none of its {count} items can be read, such as {example}",
                source=traits.id,
                count=len(listing.rejected),
                example=listing.rejected[0].what,
            ),
            msg("Correct the source or its settings, then run 'portalops updates collect'."),
        )
    refused = store.refused_parts(traits.id) if traits.attested else ()
    listing, anticipated = without_anticipated(listing, {one.key.partition(" ")[0]: one.at for one in refused})
    poll = Poll(
        source=traits.id,
        polled_at=look.at,
        ok=True,
        problem="",
        items=len(listing.items),
        new_items=0,
        evidence=evidence,
        covers_from=None,
        rejected=tuple(refusal.what for refusal in listing.rejected[:MAX_REJECTED]),
        rejected_more=max(0, len(listing.rejected) - MAX_REJECTED),
        via=via,
        owner=traits.unit or "",
    )
    if traits.cross_check:
        added = new_addresses(
            traits,
            listing,
            remembered=[one.key for one in store.refused_parts(traits.id)],
            known=store.shown_addresses(keys_of(listing), traits.channel, traits.unit),
            is_first=newest is None,
            at=look.at,
        )
        return _Read(traits, poll, newest, Recognition((), (), (), hidden=added), "")
    # What never had an item is no base; what tells only of news may be empty.
    before = newest if newest is not None and (newest.items or listing.covers_from is not None) else None
    found = candidates(listing.items)
    keys = () if newest is None else (key for candidate in found for key in candidate.keys)  # nothing was shown before
    known = store.known(traits.id, keys)
    recognition = recognise(
        found,
        known,
        traits=traits,
        units=units,
        polled_at=look.at,
        baseline=before is None,
        evidence=evidence,
    )
    recognition = replace(recognition, hidden=hidden_in((*listing.rejected, *anticipated), traits, units, look.at))
    if listing.covers_from is not None:  # it tells only what is new since the poll before, so that there may be nothing
        since = before.polled_at if before else None
        absent = {observation.id: since for observation, _candidate in recognition.new} if since else {}
        is_next = since is not None and since < listing.covers_from <= since + ASKED_WITHIN
        poll = replace(
            poll,
            new_items=len(recognition.new),
            covers_from=since if is_next else listing.covers_from,
            blind=listing.doubt,
        )
        return _Read(traits, poll, before, recognition, etag, proof=AnswerProof(absent_at=absent))
    rewriting = _rewritten(recognition, known, before, store, traits=traits, units=units, poll=poll)
    answer = replace(_compared(recognition, known.values(), before, traits, store), rewritten=rewriting.bounded)
    proof = prove(answer)
    if proof.blind is not None and (not listing.items or proof.blind == OTHER_LIST):
        # What it shows is not recorded, so that the next answer is held against the one before.
        return _Read(traits, replace(poll, blind=proof.blind), before, None, "", proof=proof)
    start, gap = covers_from(
        found,
        complete=traits.complete,
        previous=before.polled_at if before else None,
        overlaps=not proof.is_lost,
        polled_at=look.at,
    )
    if proof.blind is not None and not gap:
        start = None
    poll = replace(poll, new_items=len(recognition.new), covers_from=start, gap=gap, renamed=len(recognition.migrated))
    read = _Read(traits, poll, before, recognition, etag, answer, rewriting=rewriting)
    return _judged(read, proof, store)


def _ordered_listing(look: SourcePoll, store: ObservationStore) -> Listing | None:
    """Return what an answer says, its dates read in the order of day and month that earlier answers showed, if it shows none."""
    source, listing = look.source, look.listing
    if listing is None or look.answer is None or look.answer.data is None or not isinstance(source, WrittenDates):
        return listing
    texts = [one.raw_date for one in listing.items]
    if not source.is_order_wanted(texts) and not (source.traits.attested and listing.rejected):
        return listing
    known = source.ordered_by((*texts, *store.written_dates(source.traits.id)))
    return listing if known is None else known.parse(look.answer.data, polled_at=look.at)


def _rewritten(
    recognition: Recognition,
    known: Mapping[str, KnownObservation],
    before: Poll | None,
    store: ObservationStore,
    *,
    traits: UpdateSourceTraits,
    units: UnitNames,
    poll: Poll,
) -> Rewriting:
    """Return what an answer shows of the texts of its pages; only the texts that changed are read out of the store."""
    texts = {name: one for name, one in recognition.shown().items() if with_text(one) is not None}
    last = store.last_texts(before, texts if known else ())
    changed = [name for name, text in last.items() if text.content_hash != texts[name].content_hash]
    return find_rewrites(recognition, last, store.page_texts(changed), traits=traits, units=units, poll=poll)


def _compared(
    recognition: Recognition,
    known: Iterable[KnownObservation],
    before: Poll | None,
    traits: UpdateSourceTraits,
    store: ObservationStore,
) -> Answer:
    """Return an answer beside what it is held against."""
    new = {observation.id for observation, _candidate in recognition.new}
    seen = recognition.shown()
    shown = tuple(AnswerItem(name, one.claimed_at, name in new) for name, one in seen.items())
    base = store.base_of(before) if before else None
    if base is not None and traits.complete:  # which may have millions, and no order
        lacking = {name: one for name, one in base.items.items() if name not in seen}
        base = BaseAnswer(base.polled_at, without_older(lacking, shown) if traits.attested else lacking)
    is_direct = traits.complete and not traits.host
    missed = () if is_direct or base is None else store.missed(traits.id)
    now = {one.key for one in recognition.hidden}
    # A row that leads elsewhere goes from a list as any item does; it hid an item only where that is read now.
    read = {elsewhere_key(one.item.url) for _observation, one in recognition.new}
    refused = store.refused_parts(traits.id) if base else ()
    if any(one.is_open for one in refused) and traits.complete:  # what is new may have been in the hole
        shown = tuple(one._replace(is_new=False) for one in shown)
    first_seen = [one.first_seen_at for one in known if one.first_seen_at and one.observation in seen] if missed else []
    return Answer(
        shown,
        base,
        is_complete=traits.complete,
        may_lag=not (traits.attested or traits.trust_created),
        is_direct=is_direct,
        has_hole=any(one.is_open for one in recognition.hidden),
        missed=missed,
        readable_from=min(
            (
                one.at
                for one in refused
                if one.key not in now and (not address_elsewhere(one.key) or one.key.partition(" ")[0] in read)
            ),
            default=None,
        ),
        oldest_seen_at=min(first_seen, default=None),
        is_order_known=not traits.complete and store.is_order_known(traits.id),
    )


def _judged(read: _Read, proof: AnswerProof, store: ObservationStore) -> _Read:
    """Return a look with what it proves: where answers were out of date, the poll says since when."""
    source = read.traits.id
    doubts_from = doubts_begin(proof, store.last_news_at(source)) if proof.thawed_from else None
    doubts = [at for at in (doubts_from, proof.returned_from) if at is not None]
    if doubts:
        proof = doubted(proof, store.last_good_before(source, min(doubts)))
    return replace(read, poll=replace(read.poll, blind=proof.blind, doubts_from=doubts_from), proof=proof)


def _checked(
    read: _Read,
    sources: Sequence[UpdateSource],
    checks: Mapping[str, SourcePoll],
    *,
    store: ObservationStore,
    zone: ZoneInfo,
) -> _Read:
    """Return a look that left a gap, with what its cross-checks say of it."""
    assert read.before is not None and read.recognition is not None
    since = read.before.polled_at
    shown = {key for _observation, candidate in read.recognition.new for key in candidate.keys}
    alike = [
        one.traits.id
        for one in sources
        if (one.traits.channel, one.traits.unit) == (read.traits.channel, read.traits.unit)
    ]
    found: Message | None = None
    for source in sources:
        look = checks.get(source.traits.id)
        if look is None or not is_check_of(source.traits, read.traits):
            continue
        if look.listing is None:
            found = msg("{source} did not answer", source=source.traits.id)
            continue
        keys = keys_of(look.listing)
        known = shown.union(*(store.known(one, keys) for one in alike))
        is_closed, found = judge_gap(source.traits, look.listing, since=since, known=known, zone=zone)
        if is_closed:
            start = min(since, read.poll.covers_from or since)
            closed = replace(read, poll=replace(read.poll, gap=False, covers_from=start, gap_check=found))
            return _without_gap(closed, store)
    return replace(read, poll=replace(read.poll, gap_check=found))


def _without_gap(read: _Read, store: ObservationStore) -> _Read:
    """Return a look whose gap a cross-check has closed, with what it proves now."""
    assert read.answer is not None
    return _judged(read, prove(replace(read.answer, is_gap_closed=True)), store)


def _unchanged(look: SourcePoll, before: Poll | None) -> Poll:
    """Return the poll of a source that says that it has what it had before: it was reached, and shows nothing."""
    if before is None:
        raise UpdateSourceError(
            msg(
                "update source {source}: it reports no change, but no earlier answer is kept",
                source=look.source.traits.id,
            ),
            msg("Run 'portalops updates collect' again; it asks for the whole answer."),
        )
    return replace(
        before,
        polled_at=look.at,
        new_items=0,
        evidence=None,
        covers_from=None,
        gap=False,
        rejected=(),
        rejected_more=0,
        blind=None,
        doubts_from=None,
        renamed=0,
    )


def _failed(look: SourcePoll, problem: Message, store: ObservationStore, *, hint: Message | None = None) -> Poll:
    logger.info("source %s failed: %s", look.source.traits.id, problem)
    poll = Poll(
        source=look.source.traits.id,
        polled_at=look.at,
        ok=False,
        problem=problem,
        items=0,
        new_items=0,
        evidence=look.evidence,
        covers_from=None,
        via=look.answer.via if look.answer else (),
        hint=hint,
        owner=look.source.traits.unit or "",
    )
    store.add_poll(poll)
    return poll
