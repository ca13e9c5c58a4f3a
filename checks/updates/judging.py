"""From what was collected to verdicts: one pure function over observations, rulebook, calendar and the moment of judging.

The same collected items, rulebook, calendar and moment give the same result, so that any past judgement can be made
again and compared. Units are judged one after the other, so that memory does not grow with their number; what bears on
several of them, such as a text that one has from another, is worked out before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, pairwise

from checks.updates.addresses import page_key
from checks.updates.attested import ATTESTED_TRAITS, Collected, WithAttested
from checks.updates.clocks import without_false_claims
from checks.updates.exchanged_days import (
    ENTERED_WITHIN,
    OUT_OF_ORDER,
    day_before_slip,
    exchanged_day,
    is_entered_late,
    is_entered_on,
)
from checks.updates.rules.comparing import came_by, compare, find_site_lender, nearly_repeated, polled, repeated
from checks.updates.rules.coverage import SourcePolls, cover, summed_up
from checks.updates.rules.doubles import find_doubles
from checks.updates.rules.grading import (
    BEGINNING,
    CLOCK_SKEW,
    ENTERED_AHEAD,
    ClaimRules,
    GradedItem,
    grade,
    grade_plain,
    is_ahead,
)
from checks.updates.rules.losses import lost_at_once
from checks.updates.rules.occasions import Counting, occasions
from checks.updates.rules.placing import DayRange, Interval
from checks.updates.rules.portal import DayFacts, judge_portal_day, paying_day
from checks.updates.rules.replacements import find_replacements
from checks.updates.rules.seen import GivenOut, NearCopy, SeenItem
from checks.updates.rules.sightings import hold_sightings, was_watched
from checks.updates.rules.stamps import LocalDays, Stamp, moment, span, stamp
from checks.updates.rules.units import WeekFacts, as_unseen_time, facts_of, judge_unit_weeks
from checks.updates.terms import Terms
from portalops.model.exemptions import ExemptionScope, exempt_by
from portalops.model.organisation import Agency, UnitId
from portalops.model.period import Period, Week
from portalops.model.rulebook import Numbers
from portalops.model.updates import (
    FlaggedItem,
    FlagKind,
    Grade,
    ItemChannel,
    Poll,
    PortalDay,
    UnitDay,
    UnitWeek,
    UpdateSourceTraits,
    UpdatesResult,
)
from portalops.registers.attested import OBSERVED

WATCHED_EVERY = span(timedelta(hours=36))
"""Looks no further apart than this have watched a source: once a day, with room for one that comes late."""


_QUARTER = span(timedelta(minutes=15))


@dataclass(frozen=True, slots=True)
class UnitJudged:
    """What one unit's items come to."""

    unit: UnitId | None
    """None for items of no known unit."""
    items: Sequence[GradedItem]
    """All that bear on the period, also from before it."""
    counting: Mapping[ItemChannel, Mapping[Week, Sequence[Counting]]]
    """What counts, by channel and week."""
    weeks: Sequence[UnitWeek]


class Judging:
    """Judges the units of a period one by one."""

    def __init__(
        self, collected: Collected, *, sources: Sequence[UpdateSourceTraits], period: Period, terms: Terms
    ) -> None:
        """Work out what bears on more than one unit.

        Args:
            collected: what was seen from `terms.counted_from` on.
            sources: every source, whether it answered or not.
            period: whole ISO weeks are judged wherever it touches one.
            terms: rulebook, calendar, zone and the moment of judging.
        """
        numbers = terms.numbers
        since = terms.counted_from(period)
        self.period, self.terms = period, terms
        self.weeks = frozenset(period.weeks())
        self._bounds = tuple(map(stamp, period.bounds(terms.zone)))
        whole_weeks = _whole_weeks(period)
        self._mondays_judged = frozenset(week.period().first.toordinal() for week in self.weeks)
        # A day's cutoff moves what counts on it by less than a day.
        begins, ends = map(stamp, whole_weeks.bounds(terms.zone))
        self._may_count = Interval(begins - span(timedelta(days=1)), ends + span(timedelta(days=1)))
        # A week that the period touches reaches six days beyond it, and the cutoff of a day moves an item by one.
        self.days = LocalDays(
            since.date() - timedelta(days=8),
            max(period.last, terms.today) + timedelta(days=8),
            zone=terms.zone,
            cutoff=numbers.day_cutoff,
        )
        attested = terms.decided.attested
        self._collected = WithAttested(collected, attested, since=since, until=terms.now) if attested else collected
        self._traits = {**ATTESTED_TRAITS, **{traits.id: traits for traits in sources}}
        self._claims = ClaimRules(self.days.is_one, self._day_of_claim)
        self._changes = collected.changes()
        self._complete_polls: dict[str, Sequence[Stamp]] = {}
        self._single_days: dict[int, DayRange] = {}
        self._refused = collected.refused()
        self._pulled = _pulled_sources(sources, numbers)
        given = self._given_out()
        self._may_copy = frozenset(traits.id for traits in sources if traits.copies_count)
        self._window = span(timedelta(days=numbers.duplicate_window_days))
        self._complete = frozenset(traits.id for traits in sources if traits.complete and not traits.attested)
        self._registers = frozenset(one for one, traits in self._traits.items() if traits.complete and traits.attested)
        self._usual_hours = (terms.now.astimezone(terms.zone).utcoffset() or timedelta()) // timedelta(hours=1)
        self._again = repeated(
            self._grade(collected.repeated_items()),
            window=self._window,
            may_copy=self._may_copy,
            given_out=given,
        )
        near = [*collected.near_copies()]
        self._likes = _texts_by_item(near)
        self._near = self._nearly_repeated(near, given)
        if self._near:
            self._again = self._again._replace(maybe=self._again.maybe | self._near.keys())
        front = self._front_sources()
        shown = collected.given_out(front, ItemChannel.PORTAL) if front else {}
        self._on_portal = {text: at for text, at in shown.items() if text not in given}
        self._trusts_portal_rows = all(one in self._traits and self._traits[one].trust_created for one in front)
        self._portal_text_of = {one.seen.id: one.like for one in near if one.like in self._on_portal}
        self._lenders = self._texts_of_sites(near, given)
        self._syndicated = frozenset(traits.id for traits in sources if traits.syndicated)
        self.coverage = cover(
            sources,
            served=collected.served(),
            pulled=self._pulled,
            looks_of=self._polls,
            refused=self._refused,
            arrivals={traits.id: collected.arrivals(traits.id) for traits in sources if traits.id in self._registers},
        )
        self._weeks: Sequence[WeekFacts] = [
            facts_of(week, terms, self.days) for week in period.weeks() if week.period().first <= terms.today
        ]
        self._facts = {facts.week: facts for facts in self._weeks}

    def judge(self, unit: UnitId | None, known: Agency | None, *, with_items: bool = True) -> UnitJudged:
        """Judge one unit.

        Args:
            unit: whose items; None for those of no known unit.
            known: the unit as it is configured; None if it is not.
            with_items: name the items that a week's verdict rests on.
        """
        seen = self._collected.items(unit)
        lost = lost_at_once(seen, self._changes.gone, self._complete) if self._changes.gone else frozenset()
        graded: Sequence[GradedItem] = [*self._grade(seen, lost)]
        graded = without_false_claims(graded, self._claims, usual_hours=self._usual_hours)
        if self.terms.decided.attested:
            graded = [
                *hold_sightings(
                    graded, source=OBSERVED, unkept=self.terms.decided.unkept, is_watched=self._is_seen_by_source
                )
            ]
        again = self._again
        if unit is not None and self._on_portal and (shown := self.shown_before(graded)):
            again = again._replace(maybe=again.maybe | shown)
        if lent := self.lenders_of(graded):
            again = again._replace(maybe=again.maybe | lent.keys())
        if doubles := self.doubles_of(graded):
            again = again._replace(maybe=again.maybe | doubles.keys())
        items = self._with_replaced(compare(graded, again), graded, lost)
        counting = self._sort_by_week([*self._dated_both_ways([*items, *self._perhaps_of(unit)])]) if unit else {}
        if known is None:
            return UnitJudged(unit, items, counting, ())
        weeks = judge_unit_weeks(known, self._weeks, counting, self.coverage, self.terms, with_items=with_items)
        return UnitJudged(unit, items, counting, tuple(weeks))

    def _with_replaced(
        self, items: list[GradedItem], graded: Sequence[GradedItem], lost: frozenset[str]
    ) -> list[GradedItem]:
        """Return items of which those are open that count for nothing as they went, though one like them came in their place."""
        removed = {one.seen.id for one in graded if one.came is None and FlagKind.REMOVED in one.flags}
        replaced = removed.intersection(self.replacements_of(items)) if removed else frozenset()
        if not replaced:
            return items
        again = [*self._grade((one.seen for one in graded), lost | replaced)]
        held = without_false_claims(again, self._claims, usual_hours=self._usual_hours)
        shown = {one.seen.id: one._replace(is_sure=False, hoped_at=None) for one in held if one.seen.id in replaced}
        return [shown.get(one.seen.id, one) for one in items]

    def replacements_of(self, items: Iterable[GradedItem]) -> Mapping[str, SeenItem]:
        """Return what came in the place of each of a unit's items that went within two days, by the item's id."""
        return find_replacements(items, self._changes.gone, self._likes)

    def _perhaps_of(self, unit: UnitId) -> Sequence[GradedItem]:
        """Return the items that may be a unit's by their sender's name: they count for nobody, and against nobody."""
        return [one._replace(is_sure=False, hoped_at=None) for one in self._grade(self._collected.resembling(unit))]

    def facts_of(self, week: Week) -> WeekFacts | None:
        """Return what is the same for every unit of a week of the period; None if it has not begun."""
        return self._facts.get(week)

    def units(self) -> Sequence[UnitId | None]:
        """Return None, for items of no known unit, and the units that any item is of, in order."""
        return self._collected.units()

    def near_original(self, item: str) -> SeenItem | None:
        """Return the earlier item that an item shares most of its words with, where that makes it open; None for none."""
        return self._near.get(item)

    def doubles_of(self, items: Iterable[GradedItem]) -> Mapping[str, SeenItem]:
        """Return those of a unit's items that may be another one of them once more, by id, each with that one."""
        return find_doubles(
            items, window=self._window, gone=self._changes.gone, year_of=self._year_of, registers=self._registers
        )

    def _year_of(self, at: Stamp) -> int:
        return date.fromordinal(self.days.ordinal(at)).year

    def same_texts(self, items: Collection[GradedItem]) -> Mapping[str, SeenItem]:
        """Return for each of some items the earliest other one of its channel that says the same, of whatever unit."""
        wanted = {(one.seen.channel, one.seen.text) for one in items}
        same: dict[tuple[str, str], list[SeenItem]] = defaultdict(list)
        for one in self._collected.repeated_items() if wanted else ():
            if (one.channel, one.text) in wanted:
                same[one.channel, one.text].append(one)
        found: dict[str, SeenItem] = {}
        for item in items:
            others = [one for one in same[item.seen.channel, item.seen.text] if one.id != item.seen.id]
            if others:
                found[item.seen.id] = min(others, key=lambda one: (one.first_seen_at, one.id))
        return found

    def is_gone(self, item: str) -> bool:
        """Say whether an answer that would show an item no longer does, and it did not come back."""
        return item in self._changes.gone

    def is_listed_whole(self, source: str) -> bool:
        """Say whether each answer of a source lists all that it publishes: nothing is pushed out of it."""
        return source in self._complete

    def originals_of(self, copies: Collection[GradedItem]) -> Mapping[str, GradedItem]:
        """Return the item that each of some copies says again, by the copy: the newest before it that is no copy itself.

        One whose original is of no known unit, or is known by its title alone, is not among them.
        """
        wanted = {(one.seen.channel, one.seen.text) for one in copies}
        same: dict[tuple[str, str], list[GradedItem]] = defaultdict(list)
        for one in self._grade(self._collected.repeated_items()) if wanted else ():
            key = one.seen.channel, one.seen.text
            if key in wanted and one.came is not None and one.seen.id not in self._again.surely:
                same[key].append(one)
        found: dict[str, GradedItem] = {}
        for copy in copies:
            before = [
                one
                for one in same[copy.seen.channel, copy.seen.text]
                if one.seen.id != copy.seen.id
                and came_by(one)[0] <= copy.seen.first_seen_at
                and (one.seen.unit is not None or copy.seen.channel == ItemChannel.PORTAL)
            ]
            if before:
                found[copy.seen.id] = max(before, key=came_by)
        return found

    def concerns(self, item: GradedItem) -> bool:
        """Say whether an item was published, claimed or first seen in the period."""
        one = item.seen
        seen_at = None if one.baseline else one.first_seen_at
        begins, ends = self._bounds
        for at in (item.counts_at, item.claimed_at, one.published_at, one.created_at, seen_at):
            if at is not None and begins <= at < ends:
                return True
        return False

    def _grade(self, items: Iterable[SeenItem], lost: Collection[str] = ()) -> Iterator[GradedItem]:
        """Weigh each item by itself; nobody took down what was lost. Written for speed: a year may have ten million."""
        traits_of, claims, confirmed = self._traits, self._claims, self.terms.decided.confirmed
        touched, gone = self._changes.touched, self._changes.gone
        corrected = self._changes.corrected
        settled = confirmed.keys() | corrected.keys()
        odd = touched.keys() | gone.keys() | settled
        for one in items:
            traits = traits_of.get(one.source)
            if traits is None:
                # What a source that is no longer configured showed was seen all the same; nothing vouches for its columns.
                traits = UpdateSourceTraits(one.source, ItemChannel(one.channel), complete=False)
            is_readable = traits.attested and (one.id not in settled or is_ahead(one))
            misread = self._misread_day(one, traits) if is_readable else None
            if one.id not in odd and misread is None and (plain := grade_plain(one, traits, claims)) is not None:
                yield plain
                continue
            is_confirmed = one.id in confirmed
            day = confirmed[one.id] if is_confirmed else None
            went = gone.get(one.id)
            if went is not None and not traits.attested and self._may_be_unread(one, went.at):
                went = None
            if went is not None and one.id in lost:
                went = went._replace(is_sure=False)
            yield grade(
                one,
                traits,
                touched.get(one.id),
                went,
                claims,
                is_confirmed=is_confirmed,
                is_corrected=one.id in corrected,
                is_open=corrected.get(one.id, False),
                misread_day=None if misread is None else misread[0],
                confirmed_day=None if day is None else Interval(*self._bounds_of(day)),
                is_watched=self._is_watched,
            )

    def _misread_day(self, one: SeenItem, traits: UpdateSourceTraits) -> tuple[FlagKind, Interval] | None:
        """Return why the day of a register's line may be another one, and when it came then; None where nothing says so.

        It stood there before the day that it names, and longer than the evening before. Or it came up when the exchanged day was, and
        the day that it names lies at least four weeks from that; or shortly after the day of that number in its own month or year. Or it
        came up a week or more after its day, and the lines beside it are of other days.
        """
        if one.created_at is None or not traits.complete:
            return None
        if traits.typed_days and is_ahead(one):
            is_day_before = one.created_at <= one.first_seen_at + CLOCK_SKEW + ENTERED_AHEAD
            return None if is_day_before else (FlagKind.MISDATED, _polled_between(one))
        if one.looked_before_at is None:
            return None
        is_in_time = one.created_at > one.looked_before_at - _IN_TIME  # as nearly all of a register
        if is_in_time and not traits.typed_days:
            return None
        zone = self.terms.zone
        made = moment(one.created_at).astimezone(zone)
        other = exchanged_day(made.date()) if traits.typed_days else None
        if is_in_time and other is None:
            return None
        after, until = (moment(at).astimezone(zone).date() for at in (one.looked_before_at, one.first_seen_at))
        if other is not None and is_entered_on(other, after=after, until=until):
            return FlagKind.EXCHANGED, _point(stamp(datetime.combine(other, made.time(), zone)))
        other = day_before_slip(made.date(), after=after, until=until)
        if other is not None:
            return FlagKind.MISDATED, _point(stamp(datetime.combine(other, made.time(), zone)))
        is_late = is_entered_late(made.date(), after=after, until=until)
        is_stray = is_late and OUT_OF_ORDER in one.text_problems.split(",")
        return (FlagKind.MISDATED, _polled_between(one)) if is_stray else None

    def _dated_both_ways(self, items: Iterable[GradedItem]) -> Iterator[GradedItem]:
        """Yield items, and those whose day may be another one on that day too: each may count on either."""
        for item in items:
            yield item
            if _MISREAD.isdisjoint(item.flags):
                if item.grade is Grade.D and is_ahead(item.seen) and self._is_of_another_week(item):
                    yield item._replace(came=_polled_between(item.seen), is_sure=False, hoped_at=None)
                continue
            misread = self._misread_day(item.seen, self._traits[item.seen.source])
            if misread is not None and misread[1] != item.came:
                yield item._replace(came=misread[1])

    def _is_of_another_week(self, item: GradedItem) -> bool:
        """Say whether an item that was entered ahead of its day was first seen in the week before that day's."""
        if item.came is None:
            return False
        day, seen = self.days.ordinal(item.came.last), self.days.ordinal(item.seen.first_seen_at)
        return day - (day - 1) % 7 > seen

    def _may_be_unread(self, one: SeenItem, gone_at: Stamp) -> bool:
        """Say whether the look that no longer had an item has instead what cannot be read: the item, after an edit."""
        return any(
            part.source == one.source
            and part.unit in {None, one.unit}
            and part.seen_at == gone_at
            and not part.elsewhere  # its address says what it is
            for part in self._refused
        )

    def _polls(self, source: str) -> SourcePolls:
        looks, begins = self._collected.polls_of(source)
        traits = self._traits[source]
        owner = traits.unit or ""
        # What it showed when it was another unit's says nothing of this one.
        own = (look for look in looks if look.owner is None or look.owner == owner)
        return summed_up(
            own,
            begins=begins,
            day_of=lambda at: moment(at).astimezone(self.terms.zone).date(),
            is_dated=traits.attested or traits.trust_created,
            keeps_all=traits.complete,
        )

    def _day_of_claim(self, claim: Stamp) -> Interval | None:
        """Return the bounds of the local day that a claim at midnight names: a date without an hour reads as that."""
        if claim % _QUARTER:  # no zone's midnight lies elsewhere, and a claim is read ten million times
            return None
        local = moment(claim).astimezone(self.terms.zone)
        if local.time() != time():
            return None
        ends = datetime.combine(local.date() + timedelta(days=1), time(), self.terms.zone)
        return Interval(claim, stamp(ends) - 1)

    def _bounds_of(self, day: date) -> tuple[Stamp, Stamp]:
        """Return the first and last moment that count on a day."""
        first, end = self.days.bounds(day)
        return first, end - 1

    def traits_of(self, source: str) -> UpdateSourceTraits | None:
        """Return what is declared of a source; None of one that is gone."""
        return self._traits.get(source)

    def shown_before(self, items: Iterable[GradedItem]) -> frozenset[str]:
        """Return the items that the portal itself showed before, whole or in part, or may have: its news, shown or sent in again."""
        return frozenset(
            item.seen.id
            for item in items
            if item.seen.channel != ItemChannel.PORTAL
            and item.came is not None
            and item.seen.source not in self._may_copy
            and self._was_on_portal(item)
        )

    def lenders_of(self, items: Iterable[GradedItem]) -> Mapping[str, SeenItem]:
        """Return for each of a unit's items that were sent in after another unit's site showed them the item of that site, by id."""
        found: dict[str, SeenItem] = {}
        for item in items if self._lenders else ():
            shown = self._lenders.get(item.seen.id, ())
            if shown and item.came is not None and item.seen.source not in self._may_copy:
                lender = find_site_lender(item, shown, window=self._window)
                if lender is not None:
                    found[item.seen.id] = lender
        return found

    def _texts_of_sites(self, near: Iterable[NearCopy], given: Mapping[str, Stamp]) -> Mapping[str, Sequence[SeenItem]]:
        """Return the items of sub-portals that showed the texts which were sent in, but for what the province gives out, by what was sent in."""
        sent = [one for one in near if one.seen.channel == ItemChannel.SUBMISSION and one.like not in given]
        shown: dict[str, list[SeenItem]] = defaultdict(list)
        for item in self._collected.site_texts({one.like for one in sent}):
            shown[item.text].append(item)
        return {one.seen.id: shown[one.like] for one in sent if one.like in shown}

    def _was_on_portal(self, item: GradedItem) -> bool:
        one = item.seen
        whole = self._on_portal.get(one.text)
        if whole is not None and self._is_before(whole, item):
            return True
        resembled = self._portal_text_of.get(one.id)
        if resembled is None:
            return False
        first = self._on_portal[resembled]
        return one.first_seen_at - first.seen_at <= self._window and self._is_before(first, item)

    def _is_before(self, first: GivenOut, item: GradedItem) -> bool:
        """Say whether the portal had a text before a unit's item, or may have had.

        No site's own date decides that: the polls do, or rows that editors cannot date. What is sent in is mostly published on the
        same day, so that only what the portal surely showed before is its own news. Where the portal takes a unit's items over
        with their dates, these say whose is the earlier one.
        """
        one, own = item.seen, polled(item)
        if one.channel == ItemChannel.SUBMISSION:
            return first.seen_at <= own.first
        if one.source not in self._syndicated:
            begins = BEGINNING if first.absent_at is None else first.absent_at + 1
            if self._trusts_portal_rows and first.made_at is not None:
                begins = max(begins, first.made_at)
            return begins <= own.last
        if one.looked_before_at is not None and first.seen_at <= one.looked_before_at:
            return True
        if first.seen_at > one.first_seen_at + _ONE_RUN or first.claimed_at is None or one.published_at is None:
            return False
        return first.claimed_at < one.published_at

    def _front_sources(self) -> Sequence[str]:
        """Return the sources that showed the portal's own news, also those that are configured no more or otherwise now."""
        given_out = {traits.id for traits in self._traits.values() if traits.gives_out}
        return [
            source
            for source, some in self._collected.served().items()
            if source not in given_out and any(one.channel == ItemChannel.PORTAL for one in some)
        ]

    def _given_out(self) -> Mapping[str, Stamp]:
        """Return when the province had first published what all may spread, by text."""
        sources = [traits.id for traits in self._traits.values() if traits.gives_out]
        found = self._collected.given_out(sources) if sources else {}
        return {text: first.seen_at for text, first in found.items()}

    def _nearly_repeated(self, near: Sequence[NearCopy], given: Mapping[str, Stamp]) -> Mapping[str, SeenItem]:
        graded = self._grade(one.seen for one in near)
        return nearly_repeated(
            zip((one.like for one in near), graded, strict=True),
            window=self._window,
            may_copy=self._may_copy,
            given_out=given,
        )

    def _is_watched(self, one: SeenItem) -> bool:
        """Say whether an item's source was looked at whole from before its creation until it was first seen, and often.

        A part of an answer that could not be read, and came up meanwhile, may have been the item; so may what stands behind a
        hole of unknown size. How far back the row was made is no matter of the period that is judged.
        """
        traits, created = self._traits.get(one.source), one.created_at
        if traits is None or not traits.complete or created is None:
            return False
        if any(
            part.source == one.source
            and part.unit in {None, one.unit}
            and part.seen_at <= one.first_seen_at
            and (part.seen_at > created or (part.is_open and (part.gone_at is None or part.gone_at > created)))
            for part in self._refused
        ):
            return False
        if one.source not in self._complete_polls:
            self._complete_polls[one.source] = self._collected.complete_polls(one.source)
        own = self._complete_polls[one.source]
        first, last = bisect_right(own, created) - 1, bisect_right(own, one.first_seen_at)
        return first >= 0 and all(later - before <= WATCHED_EVERY for before, later in pairwise(own[first:last]))

    def _is_seen_by_source(self, one: SeenItem) -> bool:
        return one.created_at is not None and was_watched(self.coverage, one, one.created_at)

    def _sort_by_week(self, items: Sequence[GradedItem]) -> dict[ItemChannel, dict[Week, list[Counting]]]:
        """Sort a unit's items into the judged weeks in which they may count; what the portal pulled stands under both channels."""
        k1: dict[int, list[Counting]] = defaultdict(list)  # by Monday's ordinal, as a Week is slow to look up
        k2: dict[int, list[Counting]] = defaultdict(list)
        own_texts = self._own_texts(items)
        since, until = self._may_count
        judged = self._mondays_judged
        for item in items:
            if item.came is None:
                continue
            begins, ends = item.came
            if item.perhaps_since is not None:
                begins = min(begins, item.perhaps_since)
            if (ends < since or begins > until) and not item.seen.baseline:  # which may count by its claim
                continue
            is_k1, is_k2 = self._counts_for(item.seen, own_texts)
            if not is_k1 and not is_k2:
                continue
            counting = self.place(item)
            for monday in self._mondays(counting):
                if monday not in judged:
                    continue
                if is_k1:
                    k1[monday].append(counting)
                if is_k2:
                    k2[monday].append(counting)
        return {
            ItemChannel.SUBPORTAL: {Week.of(date.fromordinal(monday)): some for monday, some in k1.items()},
            ItemChannel.SUBMISSION: {Week.of(date.fromordinal(monday)): some for monday, some in k2.items()},
        }

    def place(self, item: GradedItem) -> Counting:
        """Return an item that came at some time, with the local days on one of which it did."""
        assert item.came is not None
        ordinal, (begins, ends) = self.days.ordinal, item.came
        last = ordinal(ends)
        if begins == ends and item.perhaps_since is None:
            single = self._single_days.get(last)
            if single is None:
                single = self._single_days[last] = DayRange(last, last)
            return Counting(single, item, None)
        first = 0 if begins == BEGINNING else ordinal(begins)
        hoped_on = None if item.hoped_at is None else ordinal(item.hoped_at)
        perhaps_from = None if item.perhaps_since is None else ordinal(item.perhaps_since)
        return Counting(DayRange(first, last), item, hoped_on, perhaps_from)

    def _mondays(self, one: Counting) -> Iterable[int]:
        """Return the Mondays of the weeks in which an item may count, as ordinals.

        What was there at a source's first poll bears on the weeks before by its claim alone: nothing of them was seen anyway.
        """
        first, last = one.may_come
        if last - first < 7:
            monday = last - (last - 1) % 7
            return (monday,) if monday <= first else (monday, monday - 7)
        if one.item.seen.baseline:
            days = {last} if one.hoped_on is None else {last, one.hoped_on}
            return {day - (day - 1) % 7 for day in days}
        mondays = (facts.first.toordinal() for facts in self._weeks)
        return [monday for monday in mondays if first < monday + 7 and last >= monday]

    def _own_texts(self, items: Iterable[GradedItem]) -> frozenset[str]:
        """Return the texts and addresses of a unit's own sub-portal that the portal may have pulled by showing them."""
        if not self.terms.numbers.syndication_counts_as_submission:
            return frozenset()
        if not any(item.seen.channel == ItemChannel.PORTAL for item in items):
            return frozenset()
        own = (item.seen for item in items if item.seen.channel == ItemChannel.SUBPORTAL)
        return frozenset(
            name for one in own if one.source not in self._pulled for name in (one.text, page_key(one.url)) if name
        )

    def _counts_for(self, one: SeenItem, own_texts: frozenset[str]) -> tuple[bool, bool]:
        """Say whether an item counts for K1, and for K2: for both where the portal pulled it from the sub-portal.

        It was pulled where the source is declared so, or where the portal shows the unit's own text or address.
        """
        if one.channel == ItemChannel.SUBPORTAL:
            return True, one.source in self._pulled
        if one.channel == ItemChannel.SUBMISSION:
            return False, True
        return False, one.text in own_texts or (one.url != "" and page_key(one.url) in own_texts)


def _point(at: Stamp) -> Interval:
    return Interval(at, at)


def _polled_between(one: SeenItem) -> Interval:
    """Return the time between the last poll that did not show an item and the first that did."""
    return Interval(BEGINNING if one.looked_before_at is None else one.looked_before_at + 1, one.first_seen_at)


_MISREAD = frozenset({FlagKind.EXCHANGED, FlagKind.MISDATED})
_IN_TIME = span(ENTERED_WITHIN - timedelta(days=1))
"""A line that names a day so shortly before it came up, or later, is no slip; with a day's room for the zone."""
_ONE_RUN = span(timedelta(minutes=15))
"""The polls of one run lie no further apart."""


def _texts_by_item(near: Iterable[NearCopy]) -> Mapping[str, frozenset[str]]:
    """Return the texts that items share most of their words with, by item."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in near:
        found[one.seen.id].add(one.like)
    return {name: frozenset(texts) for name, texts in found.items()}


def judge(
    collected: Collected,
    *,
    sources: Sequence[UpdateSourceTraits],
    units: Sequence[Agency],
    period: Period,
    terms: Terms,
    polls_of_run: Sequence[Poll] = (),
) -> UpdatesResult:
    """Judge the portal's days and the units' weeks of a period, as far as it has begun.

    Args:
        collected: what was seen from `terms.counted_from` on.
        sources: every source, whether it answered or not.
        units: all units ever; each is judged for the weeks in which it existed.
        period: whole ISO weeks are judged wherever it touches one.
        terms: rulebook, calendar, zone and the moment of judging.
        polls_of_run: the polls that the result is to report.
    """
    judging = Judging(collected, sources=sources, period=period, terms=terms)
    part = judge_part(judged_units(judging, units), judging)
    return join_parts([part], judging, units=units, polls_of_run=polls_of_run)


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """What some units come to, as far as a result tells of it."""

    weeks: Sequence[UnitWeek]
    days: Sequence[UnitDay]
    portal: Sequence[GradedItem]
    """Their items on the portal itself, which its days are judged by."""
    flagged: Sequence[GradedItem]
    """What of the period an officer should look at."""
    checked: int
    """Items of the period."""


def judge_part(judged: Iterable[UnitJudged], judging: Judging) -> JudgedPart:
    """Return what some judged units come to."""
    weeks: list[UnitWeek] = []
    days: list[UnitDay] = []
    portal: list[GradedItem] = []
    flagged: list[GradedItem] = []
    checked = 0
    for one in judged:
        weeks += one.weeks
        days += _unit_days(one, judging)
        portal += [item for item in one.items if item.seen.channel == ItemChannel.PORTAL]
        concerned = [item for item in one.items if judging.concerns(item)]
        checked += len(concerned)
        flagged += [item for item in concerned if set(item.flags) - {FlagKind.BASELINE}]
    return JudgedPart(weeks, days, portal, flagged, checked)


def join_parts(
    parts: Sequence[JudgedPart], judging: Judging, *, units: Sequence[Agency], polls_of_run: Sequence[Poll]
) -> UpdatesResult:
    """Return the result of parts that hold every unit once, and the items of no known unit; see `judge`."""
    terms, period = judging.terms, judging.period
    order = {unit.id: place for place, unit in enumerate(units)}
    weeks = chain.from_iterable(part.weeks for part in parts)
    days = chain.from_iterable(part.days for part in parts)
    return UpdatesResult(
        polls=tuple(polls_of_run),
        judged_from=period.first,
        judged_to=min(period.last, max(terms.today, period.first)),
        rulebook=terms.rulebook.edition,
        calendar=terms.calendar.version_of(_whole_weeks(period)),
        portal_days=judge_portal_days([item for part in parts for item in part.portal], judging),
        unit_weeks=tuple(sorted(weeks, key=lambda week: (week.week, order[week.unit]))),
        unit_days=tuple(sorted(days, key=lambda day: (day.unit, day.day))),
        flagged=tuple(_flagged(item for part in parts for item in part.flagged)),
        text_checked=sum(part.checked for part in parts),
    )


def _whole_weeks(period: Period) -> Period:
    weeks = period.weeks()
    return Period(weeks[0].period().first, weeks[-1].period().last)


def judged_units(judging: Judging, units: Sequence[Agency]) -> Iterator[UnitJudged]:
    """Yield what each unit comes to: those that are configured, and any other that an item is of."""
    for unit in {unit.id: unit for unit in units}.values():
        yield judging.judge(unit.id, unit)
    yield from judged_others(judging, units)


def judged_others(judging: Judging, units: Sequence[Agency]) -> Iterator[UnitJudged]:
    """Yield what the items of no known unit come to, and those of each unit that is not among the configured ones."""
    known = {unit.id for unit in units}
    for unit in judging.units():
        if unit is None or unit not in known:
            yield judging.judge(unit, None)


def grade_items(
    collected: Collected,
    sources: Sequence[UpdateSourceTraits],
    *,
    units: Sequence[Agency],
    period: Period,
    terms: Terms,
) -> tuple[GradedItem, ...]:
    """Return the items that concern a period, in order of what is known of their time."""
    judging = Judging(collected, sources=sources, period=period, terms=terms)
    chosen = [item for one in judged_units(judging, units) for item in one.items if judging.concerns(item)]
    return tuple(sorted(chosen, key=lambda item: (_counted_at(item), item.seen.id)))


def _counted_at(item: GradedItem) -> Stamp:
    return item.evidenced_at if item.counts_at is None else item.counts_at


def _pulled_sources(sources: Iterable[UpdateSourceTraits], numbers: Numbers) -> frozenset[str]:
    """Return the sub-portals whose items reach the portal by themselves and so are sent in (Article 9.2)."""
    if not numbers.syndication_counts_as_submission:
        return frozenset()
    return frozenset(one.id for one in sources if one.syndicated and one.channel is ItemChannel.SUBPORTAL)


# --- the portal -------------------------------------------------------------------------------


def judge_portal_days(items: Sequence[GradedItem], judging: Judging) -> tuple[PortalDay, ...]:
    """Judge the portal itself on each day of the period that has begun, from the items of its channel."""
    terms, coverage = judging.terms, judging.coverage
    placed = [judging.place(item) for item in items if item.came is not None]
    placed.sort(key=lambda one: (_counted_at(one.item), one.item.seen.id))
    by_day = _sort_by_paid_day(placed, judging)
    sources = coverage.sources(ItemChannel.PORTAL, None)
    late = span(timedelta(hours=terms.numbers.late_grace_hours))
    proven = sorted(one.item.came.last for one in placed if one.item.came is not None and one.item.is_sure)
    days = []
    for day in judging.period.days():
        if day > terms.today:
            break
        start, end = datetime.combine(day, time(), terms.zone), terms.end_of(day)
        bounds = judging.days.bounds(day)
        counted = {day.toordinal(), *by_day.paid_by.get(day, ())}
        facts = DayFacts(
            day=day,
            items=by_day.may[day],
            surely=[one for one in by_day.may[day] if one.item.is_sure and counted.issuperset(_days_of(one))],
            hoped=[
                one
                for one in by_day.may[day]
                if one.hoped_on in counted or (one.item.is_sure and counted.issuperset(_days_of(one)))
            ],
            unseen=[
                as_unseen_time(each)
                for one in sources
                for each in coverage.unseen(one, None, *bounds)
                if each.since < bounds[1] - 1 and each.until > bounds[0]
            ],
            unreadable=coverage.unreadable(sources, None, stamp(start), stamp(end)),
            has_source=bool(sources),
            collected=coverage.reaches(sources, stamp(end)),
            poll_overdue=terms.now >= terms.poll_due_by(end),
            is_over=terms.now >= end,
            is_unreachable=bool(coverage.unreachable(sources, [day])),
            exempt_by=exempt_by(terms.decided.exemptions, None, ExemptionScope.PORTAL, day),
            late_at=_first_within(proven, stamp(terms.close_of(day)), late),
        )
        days.append(judge_portal_day(facts, calendar=terms.calendar, numbers=terms.numbers))
    return tuple(days)


def _days_of(one: Counting) -> Iterable[int]:
    return range(one.days.first, one.days.last + 1) if one.days.last - one.days.first < 32 else (one.days.first, -1)


@dataclass(frozen=True, slots=True)
class _PaidDays:
    """Items by the day that they may pay for."""

    may: Mapping[date, list[Counting]]
    paid_by: Mapping[date, Sequence[int]]
    """The days off, as ordinals, that pay for a day."""


def _sort_by_paid_day(placed: Iterable[Counting], judging: Judging) -> _PaidDays:
    terms, period = judging.terms, judging.period
    may: dict[date, list[Counting]] = defaultdict(list)
    paid_by: dict[date, list[int]] = defaultdict(list)
    first, last = period.first.toordinal() - 31, period.last.toordinal()
    pays = {
        day: paying_day(date.fromordinal(day), calendar=terms.calendar, numbers=terms.numbers)
        for day in range(first, last + 1)
    }
    for day, paid in pays.items():
        if paid.toordinal() != day:
            paid_by[paid].append(day)
    for one in placed:
        days: Iterable[int] = range(max(one.may_come.first, first), min(one.days.last, last) + 1)
        if (
            one.item.seen.baseline and one.days.first == 0
        ):  # of the time before its source's first poll its claim alone tells
            days = {day for day in (one.days.last, one.hoped_on) if day is not None and first <= day <= last}
        for paid in dict.fromkeys(pays[day] for day in days):
            may[paid].append(one)
    return _PaidDays(may, paid_by)


def _first_within(stamps: Sequence[Stamp], after: Stamp, length: int) -> datetime | None:
    at = bisect_right(stamps, after)
    return moment(stamps[at]) if at < len(stamps) and stamps[at] <= after + length else None


# --- what is shown ----------------------------------------------------------------------------


def _unit_days(judged: UnitJudged, judging: Judging) -> Iterable[UnitDay]:
    """Return a unit's cells of the matrix; claims that wait for confirmation are shown by their flag, not counted."""
    counts: dict[ItemChannel, Counter[date]] = {ItemChannel.SUBPORTAL: Counter(), ItemChannel.SUBMISSION: Counter()}
    flags: dict[date, set[FlagKind]] = defaultdict(set)
    for channel, weeks in judged.counting.items():
        for week in weeks.keys() & judging.weeks:
            days = week.period()
            items = [one for one in weeks[week] if one.day in days]
            solid = [one for one in items if one.item.is_sure]
            counts[channel].update(occasions(solid, numbers=judging.terms.numbers))
            for one in items:
                flags[one.day].update(one.item.flags)
    first, second = counts[ItemChannel.SUBPORTAL], counts[ItemChannel.SUBMISSION]
    return [
        UnitDay(judged.unit, day, first[day], second[day], tuple(sorted(flags[day])))
        for day in sorted(flags)
        if judged.unit is not None and day in judging.period
    ]


def _flagged(items: Iterable[GradedItem]) -> Iterable[FlaggedItem]:
    """Yield what an officer should look at; to have been there at the first look is nothing to look at by itself."""
    for item in sorted(items, key=lambda one: (one.seen.unit or "", one.evidenced_at, one.seen.id)):
        one = item.seen
        claimed = None if item.claimed_at is None else moment(item.claimed_at)
        yield FlaggedItem(one.unit, one.id, one.title, item.flags, claimed, moment(item.evidenced_at))
