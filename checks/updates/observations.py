"""The store of observations: append-only, in which nothing that was seen can be changed or taken away.

It is a file of SQLite, or a schema of the database in which the ledger is (`checks.updates.observation_places`).

Triggers refuse UPDATE and DELETE on what was observed. When an item was last seen, and what a server wants to be shown
next time, change by nature and lie in tables of their own. The store is a convenience: every poll's raw answer is kept
as evidence, and `checks.updates.job.replay` builds the same store from those answers; so a store whose tables are of
another version is set aside and built again.
"""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    BindParameter,
    ClauseElement,
    Connection,
    Engine,
    Executable,
    Table,
    bindparam,
    case,
    event,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

from checks.updates.addresses import address_elsewhere, page_key
from checks.updates.answers import NOTHING_PROVEN, OTHER_LIST, AnswerProof, BaseAnswer, BaseItem, MissedItem
from checks.updates.joined_texts import beginning_of
from checks.updates.near_copies import TextTrace, keys_of, part_keys_of, trace
from checks.updates.observation_places import FilePlace, ObservationPlace
from checks.updates.observation_rows import (
    BEGINS,
    CORRECTION,
    DATABASE,
    DATED,
    LAST_SEEN,
    LIKENESS,
    NAME,
    NOTABLE,
    OBSERVATION,
    PAGE,
    POLL,
    PRESENCE,
    REFUSED,
    RESEMBLING,
    SERVES,
    SHARED_TEXT,
    SOURCE,
    TEXT_KEY,
    TEXT_RUN,
    TEXT_SKETCH,
    TOUCH,
    correction_row,
    kept_key,
    message_text,
    moment,
    observation_row,
    optional_stamp,
    poll_row,
    read_correction,
    read_observation,
    read_poll,
)
from checks.updates.offsets import DatedItem
from checks.updates.other_units import UnitText
from checks.updates.portal_summaries import cut_news_keys, whole_news_keys
from checks.updates.recognition import ItemCorrection, KnownObservation, NamedCandidate, Recognition
from checks.updates.resemblance import EarlierTexts, NewText, Showing, is_long_summary, new_text, places_of
from checks.updates.rewriting import (
    NO_REWRITING,
    LastText,
    PageTexts,
    Rewriting,
    Sketch,
    sketch,
    title_numbers,
    with_text,
)
from checks.updates.rules import stamps
from checks.updates.rules.seen import (
    CorrectedItem,
    GivenOut,
    Gone,
    ItemChanges,
    ItemClaims,
    NearCopy,
    PollMoment,
    SeenItem,
    Served,
)
from checks.updates.rules.stamps import Stamp, span, stamp
from checks.updates.rules.unread import UnreadPart
from checks.updates.summaries import is_title_alone, without_cut_word
from checks.updates.text import (
    WHOLE_LETTERS,
    Fingerprint,
    count_letters,
    fingerprint,
    group_marks,
    has_letters,
)
from checks.updates.unlisted import LISTED, is_of_map, read_unlisted
from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.updates import ItemChannel, ListedItem, Observation, Poll, Rewrite

V = TypeVar("V")

_CHUNK = 500
"""Values of one `IN`: SQLite before 3.32 takes 999 parameters a statement."""


class RefusedPart(NamedTuple):
    """A part of an answer that could not be read."""

    key: str
    at: datetime
    """The first poll that had it."""
    is_open: bool


class KeptCorrection(NamedTuple):
    """What an answer said of a known item instead of what the one before said."""

    at: datetime
    """Its poll."""
    correction: ItemCorrection


class ObservationStore:
    """One store of observations; one writer at a time."""

    def __init__(self, engine: Engine, place: ObservationPlace) -> None:
        self._engine = engine
        self._place = place
        event.listen(engine, "handle_error", partial(_name_place, place))
        weakref.finalize(self, engine.dispose)  # Python 3.13 warns of a connection that is merely forgotten

    @classmethod
    def open(cls, where: ObservationPlace | Path, *, create: bool = True) -> ObservationStore:
        """Open the store: for collecting, which makes the file if there is none, or for reading alone.

        Args:
            where: it lies; a path is that of a file.
            create: to write to it.

        Raises:
            UpdatesError: it cannot be opened, is no store of observations, or is not there.
        """
        place = FilePlace(where) if isinstance(where, Path) else where
        try:
            return cls(place.writing() if create else place.reading(), place)
        except (SQLAlchemyError, OSError) as error:  # the driver's own come as the former
            raise place.unusable(error) from error

    @property
    def place(self) -> ObservationPlace:
        """Where it lies."""
        return self._place

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()

    def last_whole_poll(self, source: str) -> Poll | None:
        """Return a source's newest poll that gave a whole answer.

        That is none at which it said that nothing changed, and none whose answer was empty and so proves nothing.
        """
        with self._engine.connect() as connection:
            row = connection.execute(_LAST_WHOLE_POLL, {"source": source}).first()
        return read_poll(row) if row else None

    def base_of(self, poll: Poll) -> BaseAnswer:
        """Return the items that a source's last whole answer had, by the poll of that answer."""
        with self._engine.connect() as connection:
            rows = connection.execute(_BASE, {"source": poll.source, "at": stamp(poll.polled_at)})
            items = {one: BaseItem(place, moment(claimed)) for one, place, claimed in rows}
        return BaseAnswer(poll.polled_at, items)

    def missed(self, source: str) -> tuple[MissedItem, ...]:
        """Return the items that a source's answers lack, where those may have been out of date."""
        with self._engine.connect() as connection:
            return tuple(
                MissedItem(one, stamps.moment(at), stamps.moment(seen), stamps.moment(first), moment(claimed))
                for one, at, seen, first, claimed in connection.execute(_MISSED, {"source": source})
            )

    def refused_parts(self, source: str) -> tuple[RefusedPart, ...]:
        """Return what could not be read of a source's base."""
        with self._engine.connect() as connection:
            rows = connection.execute(_STANDING_REFUSED, {"source": source})
            return tuple(RefusedPart(key, stamps.moment(at), is_open) for key, at, is_open in rows)

    def shown_addresses(self, keys: Collection[str], channel: ItemChannel, unit: UnitId | None) -> frozenset[str]:
        """Return those of some addresses, by their keys, that an item of a channel and unit has; of None of any unit."""
        with self._engine.connect() as connection:
            return _shown_addresses(connection, keys, channel, unit)

    def last_news_at(self, source: str) -> datetime | None:
        """Return when an answer of a source last showed something new."""
        own = (POLL.c.source == source, POLL.c.ok, POLL.c.new_items > 0)
        query = select(POLL.c.polled_at).where(*own).order_by(POLL.c.polled_at.desc()).limit(1)
        with self._engine.connect() as connection:
            return moment(connection.scalar(query))

    def last_good_before(self, source: str, until: datetime) -> datetime | None:
        """Return the last poll of a source before a moment whose answer proves what it does not show; None if there is none."""
        own = POLL.c.source == source
        whole = (own, POLL.c.ok, POLL.c.evidence.is_not(None), POLL.c["items"] > 0, POLL.c.blind == "")
        good = select(POLL.c.polled_at).where(*whole).order_by(POLL.c.polled_at.desc()).limit(1)
        doubts = select(POLL.c.polled_at, POLL.c.doubts_from).where(own, POLL.c.doubts_from.is_not(None))
        end: int = stamp(until)
        with self._engine.connect() as connection:
            doubted = [(row[1], row[0]) for row in connection.execute(doubts)]
            while (at := connection.scalar(good.where(POLL.c.polled_at < end))) is not None:
                covering = [since for since, polled in doubted if since <= at < polled]
                if not covering:
                    return stamps.moment(at)
                end = min(covering)
        return None

    def notable_polls(self, since: datetime) -> tuple[Poll, ...]:
        """Return the polls since a moment that show that something is wrong with their source, oldest first."""
        query = select(POLL).where(POLL.c.polled_at >= stamp(since), NOTABLE)
        with self._engine.connect() as connection:
            # Sorted here: to give them in order, SQLite would read every poll there is.
            return tuple(map(read_poll, sorted(connection.execute(query), key=lambda row: row.seq)))

    def blind_since(self, source: str) -> datetime | None:
        """Return since when each whole answer of a source proves nothing; None if the newest one does."""
        whole = (POLL.c.source == source, POLL.c.ok, POLL.c.evidence.is_not(None))
        seeing = select(POLL.c.polled_at).where(*whole, POLL.c.blind == "").order_by(POLL.c.polled_at.desc()).limit(1)
        first = select(POLL.c.polled_at).where(*whole).order_by(POLL.c.polled_at).limit(1)
        with self._engine.connect() as connection:
            last = connection.scalar(seeing)
            return moment(connection.scalar(first if last is None else first.where(POLL.c.polled_at > last)))

    def newest_polls(self, before: datetime | None = None) -> tuple[Poll, ...]:
        """Return each source's newest poll, also one that failed; with a moment, the newest from before it."""
        end = _NEVER if before is None else stamp(before)
        with self._engine.connect() as connection:
            newest = connection.scalars(_NEWEST_POLLS, {"before": end}).all()
            found = [
                row for some in _chunks(newest) for row in connection.execute(select(POLL).where(POLL.c.seq.in_(some)))
            ]
        return tuple(map(read_poll, sorted(found, key=lambda row: row.source)))

    def polls_after(self, moment: datetime | None) -> tuple[Poll, ...]:
        """Return the polls of all sources after a moment, in the order in which they were put here; all without one."""
        query = select(POLL).order_by(POLL.c.seq)
        with self._engine.connect() as connection:
            rows = connection.execute(query if moment is None else query.where(POLL.c.polled_at > stamp(moment)))
            return tuple(map(read_poll, rows))

    def dated(self, newest: int = 5000) -> Mapping[str, Sequence[DatedItem]]:
        """Return, by source, what the newest items claim that a look saw appear.

        Args:
            newest: how many observations are looked at, of all sources together.
        """
        columns = [OBSERVATION.c[name] for name in DatedItem._fields]
        some = (
            select(*columns, OBSERVATION.c.baseline)
            .order_by(text(f"{self._place.order} DESC"))
            .limit(newest)
            .subquery()
        )
        told = (some.c.published_at.is_not(None), some.c.looked_before_at.is_not(None), some.c.baseline.is_(False))
        found: dict[str, list[DatedItem]] = defaultdict(list)
        with self._engine.connect() as connection:
            for one in map(
                DatedItem._make, connection.execute(select(*(some.c[name] for name in DatedItem._fields)).where(*told))
            ):
                found[one.source].append(one)
        return found

    def shown_at_once(self, others: Sequence[str], newest: int = 5000) -> Mapping[str, int]:
        """Return how many of the newest items of sub-portals the portal showed too, where no poll tells who was first; by source.

        Args:
            others: ids of the portal's sources.
            newest: how many observations are looked at, of all sources together.
        """
        columns = [OBSERVATION.c[name] for name in ("source", "channel", "text", "looked_before_at", "first_seen_at")]
        own = select(*columns).order_by(text(f"{self._place.order} DESC")).limit(newest).subquery()
        other = OBSERVATION.alias("other")
        query = (
            select(own.c.source, func.count(own.c.text.distinct()))
            .where(own.c.channel == ItemChannel.SUBPORTAL.value, own.c.looked_before_at.is_not(None))
            .where(other.c.channel == ItemChannel.PORTAL.value, other.c.text == own.c.text, other.c.source.in_(others))
            .where(other.c.first_seen_at > own.c.looked_before_at, other.c.looked_before_at < own.c.first_seen_at)
            .group_by(own.c.source)
            .order_by(own.c.source)
        )
        with self._engine.connect() as connection:
            return {str(source): int(count) for source, count in connection.execute(query)}

    def polled_before(self, name: str) -> datetime | None:
        """Return the last poll that would have shown an observation and did not; None if none is known."""
        query = select(OBSERVATION.c.looked_before_at).where(OBSERVATION.c.id == name)
        with self._engine.connect() as connection:
            return moment(connection.scalar(query))

    def answer_of(self, source: str, polled_at: datetime) -> Digest | None:
        """Return the kept answer of a source's poll; None if it kept none."""
        query = select(POLL.c.evidence).where(POLL.c.source == source, POLL.c.polled_at == stamp(polled_at), POLL.c.ok)
        with self._engine.connect() as connection:
            found = connection.scalars(query.where(POLL.c.evidence.is_not(None)).limit(1)).first()
        return None if found is None else Digest(found)

    def etag(self, source: str) -> str:
        """Return what the source's server wants to be shown; empty if nothing."""
        with self._engine.connect() as connection:
            return connection.scalar(_ETAG, {"source": source}) or ""

    def is_order_known(self, source: str) -> bool:
        """Say whether an answer of a source has shown that it lists its newest items first."""
        with self._engine.connect() as connection:
            return bool(connection.scalar(_IS_ORDER_KNOWN, {"source": source}))

    def written_dates(self, source: str, newest: int = 2000) -> tuple[str, ...]:
        """Return the dates of a source's newest items as they stood in its answers, at most so many."""
        query = select(OBSERVATION.c.raw_date).where(OBSERVATION.c.source == source)
        with self._engine.connect() as connection:
            return tuple(connection.scalars(query.order_by(text(f"{self._place.order} DESC")).limit(newest)))

    def last_texts(self, base: Poll | None, items: Iterable[str]) -> dict[str, LastText]:
        """Return what the last answers that had some items showed of their texts, by item.

        Args:
            base: the poll of their source's base; None if it has none.
            items: ids of observations.
        """
        at = optional_stamp(base.polled_at if base else None)
        with self._engine.connect() as connection:
            return {
                one: LastText(
                    stamps.moment(seen), seen == at, text, None if claimed is None else stamps.moment(claimed), numbers
                )
                for some in _chunks(tuple(items))
                for one, seen, text, claimed, numbers in connection.execute(_LAST_TEXTS, {"some": some})
            }

    def page_texts(self, items: Iterable[str]) -> dict[str, PageTexts]:
        """Return what is kept of the texts of items, by item."""
        with self._engine.connect() as connection:
            return {
                one: PageTexts(Sketch.read(current), tuple(map(Sketch.read, earlier.split())), rewrite)
                for some in _chunks(tuple(items))
                for one, current, earlier, rewrite in connection.execute(_PAGE_TEXTS, {"some": some})
            }

    def known(self, source: str, keys: Iterable[str]) -> dict[str, KnownObservation]:
        """Return a source's observations by those of the keys that it has."""
        found: dict[str, KnownObservation] = {}
        wanted = {kept_key(key, self._engine.dialect.name): key for key in keys}
        with self._engine.connect() as connection:
            for some in _chunks(tuple(wanted)):
                rows = connection.execute(_KNOWN, {"source": source, "some": some})
                for key, *values, published, raw, first_seen, title, unit_name, made in rows:
                    observation, url, external_id, content_hash = values
                    found[wanted[key]] = KnownObservation(
                        observation,
                        url,
                        external_id,
                        Digest(content_hash),
                        moment(published),
                        raw,
                        moment(first_seen),
                        unit_name,
                        moment(made),
                        title,
                    )
        return found

    def observations(self, ids: Iterable[str]) -> dict[str, Observation]:
        """Return observations whole, by id, with what their sources have put right since."""
        with self._engine.connect() as connection:
            rows = [
                row
                for some in _chunks(tuple(ids))
                for row in connection.execute(select(OBSERVATION).where(OBSERVATION.c.id.in_(some)))
            ]
        return self._as_now(map(read_observation, rows))

    def beginning_with(self, name: str) -> tuple[Observation, ...]:
        """Return the observations whose id begins with some characters, as `observations` does; at most two, one too many."""
        end = f"{name}\U0010ffff"
        query = select(OBSERVATION).where(OBSERVATION.c.id >= name, OBSERVATION.c.id < end).limit(2)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(self._as_now(map(read_observation, rows)).values())

    def as_first_seen(self, name: str) -> Observation | None:
        """Return an observation as it was first seen, whatever its source put right since; None if there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(select(OBSERVATION).where(OBSERVATION.c.id == name)).first()
        return None if row is None else read_observation(row)

    def corrections_of(self, ids: Iterable[str]) -> dict[str, list[KeptCorrection]]:
        """Return what sources have put right of some observations, in the order in which the answers came."""
        found: dict[str, list[KeptCorrection]] = defaultdict(list)
        with self._engine.connect() as connection:
            for some in _chunks(tuple(ids)):
                query = select(CORRECTION).where(CORRECTION.c.observation.in_(some)).order_by(CORRECTION.c.seq)
                for row in connection.execute(query):
                    found[row.observation].append(KeptCorrection(stamps.moment(row.seen_at), read_correction(row)))
        return found

    def units_named(self, ids: Iterable[str]) -> dict[str, frozenset[UnitId]]:
        """Return all units that sources have named for those of some observations that they put right."""
        found: dict[str, frozenset[UnitId]] = {}
        for name, corrections in self.corrections_of(ids).items():
            first = self.as_first_seen(name)
            named = {first.unit if first else None, *(one.correction.unit for one in corrections)}
            found[name] = frozenset(unit for unit in named if unit is not None)
        return found

    def _as_now(self, observations: Iterable[Observation]) -> dict[str, Observation]:
        """Return observations by id, each with its source's newest word of whose it is and of which day."""
        found = {one.id: one for one in observations}
        for name, corrections in self.corrections_of(found).items():
            newest = corrections[-1].correction
            found[name] = replace(
                found[name],
                unit=newest.unit,
                unit_name=newest.unit_name,
                title=newest.title,
                created_at=newest.created_at,
                published_at=newest.published_at,
            )
        return found

    def add_poll(self, poll: Poll, proof: AnswerProof = NOTHING_PROVEN) -> None:
        """Record a look alone, without what it showed; what is gone by its proof is noted."""
        with self._engine.begin() as connection:
            self._mark_presence(connection, poll, (), proof, NO_REWRITING)
            _insert(connection, POLL, [poll_row(poll)])

    def add(
        self,
        poll: Poll,
        recognition: Recognition,
        *,
        etag: str,
        before: Poll | None,
        proof: AnswerProof = NOTHING_PROVEN,
        rewriting: Rewriting = NO_REWRITING,
    ) -> None:
        """Record one answer whole: the poll, its new observations, further names, dates that moved, what is gone.

        Args:
            poll: the look.
            recognition: its answer, sorted.
            etag: what the server wants to be shown next time.
            before: the source's base.
            proof: what the answer proves.
            rewriting: what it shows of the texts of known items.
        """
        shown = [(observation.id, candidate) for observation, candidate in recognition.new]
        shown += [*recognition.known, *recognition.migrated]
        names = [
            {"source": poll.source, "key": key, "observation": observation}
            for observation, candidate in shown
            for key in candidate.keys
        ]
        seen = recognition.shown()
        at = stamp(poll.polled_at)
        with self._engine.begin() as connection:
            added = (*recognition.new, *_not_there(connection, rewriting.found))
            grown = _grown_texts(connection, (*recognition.known, *recognition.migrated)) if added else ()
            for some in _chunks(added):
                _add_observations(connection, some, proof, at, rewriting.pages, grown=grown)
            self._mark_beginnings(connection, recognition, poll, before)
            self._keep_pages(connection, rewriting)
            _insert(connection, NAME, names)
            _insert(connection, TOUCH, self._moved(connection, recognition, at))
            _insert(connection, CORRECTION, [correction_row(one, at) for one in recognition.corrected])
            self._mark_presence(connection, poll, tuple(seen), proof, rewriting)
            _insert(connection, REFUSED, self._refused(connection, recognition, poll, before))
            rows = [
                {
                    "observation": one,
                    "source": poll.source,
                    "last_seen_at": at,
                    "place": place,
                    "claimed_at": optional_stamp(candidate.claimed_at),
                    "text": "" if with_text(candidate) is None else candidate.content_hash,
                    "unit_name": candidate.unit_name,
                    "made_at": optional_stamp(candidate.item.created_at),
                    "numbers": title_numbers(candidate.item.title),
                }
                for place, (one, candidate) in enumerate(seen.items())
            ]
            _renew(connection, LAST_SEEN, rows)
            _renew(
                connection,
                SOURCE,
                [{"source": poll.source, "etag": etag, "is_order_known": proof.is_order_shown}],
            )
            _insert(connection, POLL, [poll_row(poll)])

    def window(self, since: datetime, until: datetime) -> ObservationWindow:
        """Return what bears on a stretch of time, as far as it was known at its end."""
        return ObservationWindow(self._engine, self._place, stamp(since), stamp(until))

    def unknown_names(self, since: datetime) -> tuple[tuple[str, str, int], ...]:
        """Return source, name and number of items for each name of a unit that was not known, new in any way since a moment.

        The name is empty where an item of a sub-portal, or one that was sent in, has none.
        """
        own = OBSERVATION.c.source, OBSERVATION.c.unit_name
        query = (
            select(*own, func.count())
            .where(
                OBSERVATION.c.unit.is_(None),
                OBSERVATION.c.newest_at >= stamp(since),
                OBSERVATION.c.channel != ItemChannel.PORTAL,
            )
            .group_by(*own)
            .order_by(*own)
        )
        with self._engine.connect() as connection:
            return tuple((source, name, count) for source, name, count in connection.execute(query))

    def count(self) -> int:
        """Return how many observations there are."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(OBSERVATION)) or 0

    @staticmethod
    def _mark_beginnings(connection: Connection, recognition: Recognition, poll: Poll, before: Poll | None) -> None:
        """Note from when on the source, and each unit whose items are new in it, is known to have had any."""
        at = stamp(poll.polled_at)
        oldest = at if before is None else None
        served: dict[tuple[str, str], Stamp] = {}
        for observation, _candidate in recognition.new:
            made = stamp(observation.created_at or observation.published_at or observation.first_seen_at)
            oldest = made if oldest is None else min(oldest, made)
            whose = observation.channel.value, observation.unit or ""
            served[whose] = min(served.get(whose, at), made)
        begun = {
            (channel, unit): begins
            for channel, unit, begins in (connection.execute(_SERVED_SINCE, {"source": poll.source}) if served else ())
        }
        rows = [
            {"source": poll.source, "channel": whose[0], "unit": whose[1], "seen_at": at, "begins_at": begins}
            for whose, begins in sorted(served.items())
            if whose not in begun or begins < begun[whose]
        ]
        _insert(connection, SERVES, rows)
        known = connection.scalar(_BEGUN_AT, {"source": poll.source})
        if oldest is not None and (known is None or oldest < known):
            _insert(connection, BEGINS, [{"source": poll.source, "seen_at": at, "begins_at": oldest}])

    @staticmethod
    def _keep_pages(connection: Connection, rewriting: Rewriting) -> None:
        rows = [
            {
                "observation": name,
                "current": page.current.write(),
                "earlier": " ".join(one.write() for one in page.earlier),
                "rewrite": page.rewrite,
            }
            for name, page in rewriting.pages.items()
        ]
        _renew(connection, PAGE, rows)

    @staticmethod
    def _mark_presence(
        connection: Connection, poll: Poll, seen: Sequence[str], proof: AnswerProof, rewriting: Rewriting
    ) -> None:
        """Note what an answer would show and no longer does, and what came back; a rewrite goes and comes with its page."""
        at = stamp(poll.polled_at)
        shown_at = {name: stamp(one.seen_at) for name, one in proof.gone.items()}
        events: list[dict[str, object]] = [
            {"observation": name, "at": at, "present": False, "sure": one.is_sure, "seen_at": stamp(one.seen_at)}
            for name, one in sorted(proof.gone.items())
        ]
        events += [
            {
                "observation": one,
                "at": at,
                "present": False,
                "sure": proof.gone[page].is_sure,
                "seen_at": shown_at[page],
            }
            for page, one in _rewrites_of(connection, sorted(proof.gone))
        ]
        events += [
            {"observation": one, "at": at, "present": False, "sure": is_sure, "seen_at": stamp(seen_at)}
            for one, is_sure, seen_at in rewriting.returned
        ]
        for some in _chunks(seen):
            events += [
                {"observation": one, "at": at, "present": True, "sure": True, "seen_at": at}
                for name in sorted(connection.scalars(_GONE, {"some": some}))
                for one in (name, *(rewrite for _page, rewrite in _rewrites_of(connection, [name])))
            ]
        _insert(connection, PRESENCE, events)

    @staticmethod
    def _refused(
        connection: Connection, recognition: Recognition, poll: Poll, before: Poll | None
    ) -> list[dict[str, object]]:
        """Return what an answer refused that the one before did not, and what it no longer refuses."""
        standing = set(connection.scalars(_STANDING_REFUSED, {"source": poll.source}))
        own: dict[str, object] = {"source": poll.source, "at": stamp(poll.polled_at)}
        looked_before = optional_stamp(before.polled_at if before else None)
        nothing: dict[str, object] = {"looked_before_at": None, "unit": None, "made_at": None, "is_open": False}
        now = {one.key for one in recognition.hidden}
        events = [
            {**own, "key": key, "present": False, **nothing} for key in sorted(standing - now) if not is_of_map(key)
        ]
        events += [
            {
                **own,
                "key": one.key,
                "present": True,
                "looked_before_at": looked_before,
                "unit": one.unit,
                "made_at": optional_stamp(one.made_at),
                "is_open": one.is_open,
            }
            for one in recognition.hidden
            if one.key not in standing
        ]
        return events

    @staticmethod
    def _moved(connection: Connection, recognition: Recognition, at: int) -> list[dict[str, object]]:
        claims = {
            observation: claimed
            for observation, candidate in recognition.known
            if (claimed := candidate.item.published_at)
        }
        moved: list[dict[str, object]] = []
        for some in _chunks(tuple(claims)):
            moved += [
                {"observation": one, "seen_at": at, "published_at": stamp(claims[one])}
                for one, published in connection.execute(_PUBLISHED, {"some": some})
                if published is not None and stamp(claims[one]) > published
            ]
        return moved


class ObservationWindow:
    """What was collected that bears on a stretch of time, as it was known at its end: read unit by unit."""

    def __init__(self, engine: Engine, place: ObservationPlace, since: Stamp, until: Stamp) -> None:
        self._engine = engine
        self._place = place
        self._since = since
        self._until = until
        self._texts: dict[ClauseElement, tuple[str, Mapping[str, object]]] = {}

    def units(self) -> tuple[UnitId | None, ...]:
        """Return None, for items of no known unit, and the units that any item is of, in order."""
        with self._engine.connect() as connection:
            return (None, *(UnitId(unit) for unit in connection.scalars(_UNITS)))

    def items(self, unit: UnitId | None) -> Sequence[SeenItem]:
        """Return a unit's items that are new in any way since the start."""
        query = _ITEMS_OF_NONE if unit is None else _ITEMS_OF
        return [*map(_seen_item, self._rows(query, unit=unit)), *self._touched.get(unit, ())]

    @cached_property
    def _touched(self) -> Mapping[UnitId | None, Sequence[SeenItem]]:
        """Items from before the window that claim a newer date in it, by unit; asked once, because it reads every touch."""
        touched = select(TOUCH.c.observation).where(TOUCH.c.seen_at >= self._since, TOUCH.c.seen_at <= self._until)
        older = select(*_SEEN).where(OBSERVATION.c.id.in_(touched), OBSERVATION.c.newest_at < self._since)
        found: dict[UnitId | None, list[SeenItem]] = defaultdict(list)
        with self._engine.connect() as connection:
            for one in map(SeenItem._make, connection.execute(older)):
                found[one.unit].append(one)
        return found

    def list_claims(self, unit: UnitId | None) -> Sequence[ItemClaims]:
        """Return what a unit's items that are new since the start are by their own account, in order of time."""
        query = _CLAIMS_OF_NONE if unit is None else _CLAIMS_OF
        return [*map(ItemClaims._make, self._rows(query, unit=unit))]

    def repeated_items(self) -> Iterable[SeenItem]:
        """Return the items whose text another one says too, of all units; those of one text follow each other."""
        return map(
            SeenItem._make, self._many(_REPEATED) if self._engine.dialect.name == DATABASE else self._rows(_REPEATED)
        )

    def near_copies(self) -> Iterable[NearCopy]:
        """Return the items of the window that share most of their words with an earlier text, and those that say that text, of all units, in no order."""
        return (NearCopy(str(like), SeenItem._make(row)) for like, *row in self._rows(_NEAR_COPIES))

    def site_texts(self, texts: Collection[str]) -> Iterable[SeenItem]:
        """Return the items of sub-portals that have one of some texts, of all units, in no order."""
        with self._engine.connect() as connection:
            for some in _chunks(sorted(texts)):
                yield from map(SeenItem._make, connection.execute(_SITE_TEXTS, {"some": some, "until": self._until}))

    def resembling(self, unit: UnitId) -> Sequence[SeenItem]:  # noqa: ARG002  # it knows no names
        """Return nothing: names are compared by `checks.updates.attribution.WithNames`."""
        return ()

    def given_out(self, sources: Sequence[str], channel: ItemChannel | None = None) -> Mapping[str, GivenOut]:
        """Return when some sources had first shown each text, from when they date it, and what is known of the time before.

        Args:
            sources: their ids, also of those that are configured no more.
            channel: of what they showed there alone; None for all.
        """
        names = ("text", "first_seen_at", "published_at", "looked_before_at", "created_at")
        query = (
            select(*(OBSERVATION.c[name] for name in names))
            .where(OBSERVATION.c.source.in_(sources), OBSERVATION.c.first_seen_at <= self._until)
            .order_by(OBSERVATION.c.first_seen_at)
        )
        if channel is not None:
            query = query.where(OBSERVATION.c.channel == channel.value)
        found: dict[str, GivenOut] = {}
        with self._engine.connect() as connection:
            for said, *row in connection.execute(query):
                one = GivenOut(*row)
                found[said] = found[said].with_later(one) if said in found else one
        return found

    def changes(self) -> ItemChanges:
        """Return what happened to items after they were first seen."""
        touched = (
            select(TOUCH.c.observation, func.max(TOUCH.c.published_at))
            .where(TOUCH.c.seen_at >= self._since, TOUCH.c.seen_at <= self._until)
            .group_by(TOUCH.c.observation)
        )
        columns = (PRESENCE.c.observation, PRESENCE.c.present, PRESENCE.c.at, PRESENCE.c.seen_at, PRESENCE.c.sure)
        events = select(*columns).where(PRESENCE.c.at <= self._until).order_by(PRESENCE.c.seq)
        gone: dict[str, Gone] = {}
        with self._engine.connect() as connection:
            for name, is_there, at, seen_at, is_sure in connection.execute(events):
                if is_there:
                    gone.pop(name, None)
                elif before := gone.get(name):  # the answer that makes it sure is not the first that lacked it
                    gone[name] = before._replace(is_sure=is_sure)
                else:
                    gone[name] = Gone(at, seen_at, is_sure)
            return ItemChanges({row[0]: row[1] for row in connection.execute(touched)}, gone)

    def corrections(self) -> Sequence[CorrectedItem]:
        """Return the items of which a later answer says something else than the first did, with the newest such word."""
        return [CorrectedItem._make((SeenItem._make(row[:_WIDTH]), *row[_WIDTH:])) for row in self._rows(_CORRECTED)]

    def served(self) -> Mapping[str, Sequence[Served]]:
        """Return what each source was seen to serve."""
        found: dict[str, list[Served]] = defaultdict(list)
        whose = SERVES.c.source, SERVES.c.channel, SERVES.c.unit
        query = select(*whose, func.min(SERVES.c.begins_at)).where(SERVES.c.seen_at <= self._until).group_by(*whose)
        with self._engine.connect() as connection:
            for source, channel, unit, begins in connection.execute(query):
                found[source].append(Served(channel, UnitId(unit) if unit else None, begins))
        return found

    def refused(self) -> Sequence[UnreadPart]:
        """Return what of answers could not be read, and from when to when it stood there."""
        query = (
            select(REFUSED)
            .where(REFUSED.c.at <= self._until, ~REFUSED.c.key.startswith(LISTED))
            .order_by(REFUSED.c.seq)
        )
        standing: dict[tuple[str, str], UnreadPart] = {}
        gone: list[UnreadPart] = []
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                if row.present:
                    standing[row.source, row.key] = UnreadPart(
                        row.source,
                        row.unit,
                        row.made_at,
                        row.looked_before_at,
                        row.at,
                        None,
                        row.is_open,
                        address_elsewhere(row.key),
                        read_unlisted(row.key),
                    )
                elif part := standing.pop((row.source, row.key), None):  # where a clock was set back, it came later
                    gone.append(part._replace(gone_at=row.at))
        return self._without_shown([*gone, *standing.values()])

    def _without_shown(self, parts: Sequence[UnreadPart]) -> Sequence[UnreadPart]:
        """Return parts without the addresses of maps that a source of their channel and unit has shown, if later."""
        told = [(one.unlisted.channel, one.unit, f"u:{one.unlisted.page}") for one in parts if one.unlisted]
        shown: set[tuple[ItemChannel, UnitId | None, str]] = set()
        with self._engine.connect() as connection:
            for channel, unit in {(channel, unit) for channel, unit, _key in told}:
                keys = [key for of, whose, key in told if (of, whose) == (channel, unit)]
                found = _shown_addresses(connection, keys, channel, unit, until=self._until)
                shown.update((channel, unit, key) for key in found)
        return [
            one
            for one in parts
            if one.unlisted is None
            or one.unlisted.number > 1
            or (one.unlisted.channel, one.unit, f"u:{one.unlisted.page}") not in shown
        ]

    def polls_of(self, source: str) -> tuple[Sequence[PollMoment], Stamp | None]:
        """Return the polls of a source in order of time, and the oldest moment that it knows of."""
        polls = [*map(_poll_moment, self._rows(_POLLS, source=source))]
        return polls, self._beginnings.get(source)

    @cached_property
    def _beginnings(self) -> Mapping[str, Stamp]:
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(_ALL_BEGINS, {"until": self._until})}

    def complete_polls(self, source: str) -> Sequence[Stamp]:
        """Return when a source showed everything that is published there, from its first poll on, in order of time."""
        with self._engine.connect() as connection:
            return tuple(connection.scalars(_COMPLETE_POLLS, {"source": source, "until": self._until}))

    def arrivals(self, source: str) -> Sequence[Stamp]:
        """Return when a source says that its items were made, as of a register's lines: the first and the last of each hour, in order.

        Those of the window and of four weeks before it, which show a register's rhythm, and the newest from before where there is none.
        """
        asked = {"source": source, "since": self._since - _RHYTHM, "until": self._until}
        with self._engine.connect() as connection:
            found: list[Stamp] = sorted(at for hour in connection.execute(_ARRIVALS, asked) for at in hour)
            if not found or found[0] > self._since + _WEEK:
                found[:0] = [at for at in connection.scalars(_NEWEST_ARRIVAL, asked) if at is not None]
        return found

    def _many(self, query: Executable) -> Iterator[tuple[object, ...]]:
        """Yield rows of a database as they are read: its driver would hold all that a question comes to, which a file's does not."""
        with self._engine.connect().execution_options(stream_results=True) as connection:
            for row in connection.execute(query, {"since": self._since, "until": self._until}):
                yield tuple(row)

    def _rows(self, query: ClauseElement, **more: object) -> Iterator[tuple[object, ...]]:
        """Yield rows as the driver gives them: what SQLAlchemy does about a statement and its rows takes longer than to read them."""
        try:
            with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
                text, constants = self._written(query)
                cursor.execute(text, {**constants, "since": self._since, "until": self._until, **more})
                while rows := cursor.fetchmany(1000):
                    yield from rows
        except self._place.errors as error:
            raise self._place.unusable(error) from error

    def _written(self, query: ClauseElement) -> tuple[str, Mapping[str, object]]:
        """Return a statement as the driver takes it, its values by name, with those that are always the same."""
        known = self._texts.get(query)
        if known is None:
            own = self._engine.dialect
            compiled = query.compile(dialect=own if own.name == DATABASE else sqlite.dialect(paramstyle="named"))
            known = self._texts[query] = str(compiled), compiled.params
        return known


# What `_make` of these does, without its Python: a year may have ten million rows.
_seen_item: Callable[[Iterable[object]], SeenItem] = partial(tuple.__new__, SeenItem)
_poll_moment: Callable[[Iterable[object]], PollMoment] = partial(tuple.__new__, PollMoment)
_SEEN = [OBSERVATION.c[name] for name in SeenItem._fields]
_IN_WINDOW = (OBSERVATION.c.newest_at >= bindparam("since"), OBSERVATION.c.first_seen_at <= bindparam("until"))
_ITEMS_OF = select(*_SEEN).where(OBSERVATION.c.unit == bindparam("unit"), *_IN_WINDOW)
_ITEMS_OF_NONE = select(*_SEEN).where(OBSERVATION.c.unit.is_(None), *_IN_WINDOW)
_CLAIMS = (
    select(*(OBSERVATION.c[name] for name in ItemClaims._fields))
    .where(*_IN_WINDOW, OBSERVATION.c.rewrite == "")
    .order_by(OBSERVATION.c.first_seen_at, OBSERVATION.c.id)
)
_CLAIMS_OF = _CLAIMS.where(OBSERVATION.c.unit == bindparam("unit"))
_CLAIMS_OF_NONE = _CLAIMS.where(OBSERVATION.c.unit.is_(None))
_REPEATED = (
    select(*_SEEN)
    .join(SHARED_TEXT, (SHARED_TEXT.c.channel == OBSERVATION.c.channel) & (SHARED_TEXT.c.text == OBSERVATION.c.text))
    .where(SHARED_TEXT.c.newest_at >= bindparam("since"), OBSERVATION.c.first_seen_at <= bindparam("until"))
    .order_by(SHARED_TEXT.c.channel, SHARED_TEXT.c.text)
)
"""Also those from before the window: whether a text counted then decides whether it does now."""
_RESEMBLING = select(OBSERVATION.c.resembles, *_SEEN).where(RESEMBLING, *_IN_WINDOW)
_RESEMBLED = select(OBSERVATION.c.channel, OBSERVATION.c.resembles).where(RESEMBLING, *_IN_WINDOW).distinct().subquery()
_NEAR_COPIES = _RESEMBLING.union_all(
    select(OBSERVATION.c.text, *_SEEN)
    .join(_RESEMBLED, (_RESEMBLED.c.channel == OBSERVATION.c.channel) & (_RESEMBLED.c.resembles == OBSERVATION.c.text))
    .where(OBSERVATION.c.first_seen_at <= bindparam("until"))
)
_NEWEST = (
    select(func.max(CORRECTION.c.seq))
    .where(CORRECTION.c.seen_at <= bindparam("until"))
    .group_by(CORRECTION.c.observation)
)
_CORRECTED = (
    select(
        *_SEEN,
        *(CORRECTION.c[name] for name in ("seen_at", "unit", "unit_name", "title", "created_at", "published_at")),
    )
    .join(CORRECTION, CORRECTION.c.observation == OBSERVATION.c.id)
    .where(CORRECTION.c.seq.in_(_NEWEST))
    .where((OBSERVATION.c.newest_at >= bindparam("since")) | (CORRECTION.c.newest_at >= bindparam("since")))
)
_WIDTH = len(_SEEN)
_UNITS = text(
    "WITH RECURSIVE units(unit) AS (SELECT min(unit) FROM observation UNION ALL"
    " SELECT (SELECT min(unit) FROM observation WHERE unit > units.unit) FROM units WHERE units.unit IS NOT NULL)"
    " SELECT unit FROM units WHERE unit IS NOT NULL"
)
"""Each unit once, by leaps from one to the next in the index."""
_NEWEST_POLLS = text(
    "WITH RECURSIVE sources(source) AS (SELECT min(source) FROM poll UNION ALL"
    " SELECT (SELECT min(source) FROM poll WHERE source > sources.source) FROM sources WHERE sources.source IS NOT NULL),"
    " newest(seq) AS (SELECT (SELECT seq FROM poll WHERE poll.source = sources.source AND polled_at < :before"
    " ORDER BY polled_at DESC, seq DESC LIMIT 1) FROM sources)"
    " SELECT seq FROM newest WHERE seq IS NOT NULL"
)
"""Of each source, by leaps from one to the next in the index."""
_NEVER: Stamp = 2**62
"""After every moment."""
_POLLS = (
    select(
        POLL.c.polled_at,
        POLL.c.ok,
        POLL.c.covers_from,
        (POLL.c.blind != "").label("is_blind"),
        POLL.c.doubts_from,
        POLL.c.owner,
    )
    .where(POLL.c.source == bindparam("source"), POLL.c.polled_at.between(bindparam("since"), bindparam("until")))
    .order_by(POLL.c.polled_at)
)
_COMPLETE_POLLS = (
    select(POLL.c.polled_at)
    .where(POLL.c.source == bindparam("source"), POLL.c.polled_at <= bindparam("until"))
    .where(POLL.c.ok, POLL.c.covers_from.is_not(None))
    .order_by(POLL.c.polled_at)
)
_ARRIVALS = text(
    "SELECT min(created_at), max(created_at) FROM observation WHERE source = :source AND newest_at >= :since"
    " AND first_seen_at <= :until AND (created_at IS NOT NULL) GROUP BY created_at / 3600000"
)
"""A register may have millions of lines, and hours are few."""
_NEWEST_ARRIVAL = select(func.max(OBSERVATION.c.created_at)).where(
    OBSERVATION.c.source == bindparam("source"),
    DATED,
    OBSERVATION.c.newest_at < bindparam("since"),
    OBSERVATION.c.first_seen_at <= bindparam("until"),
)
_WEEK, _RHYTHM = span(timedelta(days=7)), span(timedelta(days=28))
_ALL_BEGINS = (
    select(BEGINS.c.source, func.min(BEGINS.c.begins_at))
    .where(BEGINS.c.seen_at <= bindparam("until"))
    .group_by(BEGINS.c.source)
)
_LAST_WHOLE_POLL = (
    select(POLL)
    .where(POLL.c.source == bindparam("source"), POLL.c.ok, POLL.c.evidence.is_not(None))
    .where(~((POLL.c["items"] == 0) & (POLL.c.blind != "")), POLL.c.blind != message_text(OTHER_LIST))
    .order_by(POLL.c.polled_at.desc())
    .limit(1)
)
_SOME: BindParameter[object] = bindparam("some", expanding=True)
_KNOWN = (
    select(
        NAME.c.key,
        *(OBSERVATION.c[name] for name in ("id", "url", "external_id", "content_hash")),
        *(OBSERVATION.c[name] for name in ("published_at", "raw_date", "first_seen_at", "title")),
        LAST_SEEN.c.unit_name,
        LAST_SEEN.c.made_at,
    )
    .join(OBSERVATION, OBSERVATION.c.id == NAME.c.observation)
    .join(LAST_SEEN, LAST_SEEN.c.observation == OBSERVATION.c.id)
    .where(NAME.c.source == bindparam("source"), NAME.c.key.in_(_SOME))
)
_BASE = select(LAST_SEEN.c.observation, LAST_SEEN.c.place, LAST_SEEN.c.claimed_at).where(
    LAST_SEEN.c.source == bindparam("source"), LAST_SEEN.c.last_seen_at == bindparam("at")
)
_EVERY = PRESENCE.alias()
_MISSED = (
    select(OBSERVATION.c.id, PRESENCE.c.at, PRESENCE.c.seen_at, OBSERVATION.c.first_seen_at, LAST_SEEN.c.claimed_at)
    .join(OBSERVATION, OBSERVATION.c.id == PRESENCE.c.observation)
    .join(LAST_SEEN, LAST_SEEN.c.observation == OBSERVATION.c.id)
    .where(LAST_SEEN.c.source == bindparam("source"), PRESENCE.c.present.is_(False), PRESENCE.c.sure.is_(False))
    .where(
        PRESENCE.c.seq
        == select(func.max(_EVERY.c.seq)).where(_EVERY.c.observation == PRESENCE.c.observation).scalar_subquery()
    )
    .order_by(OBSERVATION.c.id)
)
_ETAG = select(SOURCE.c.etag).where(SOURCE.c.source == bindparam("source"))
_IS_ORDER_KNOWN = select(SOURCE.c.is_order_known).where(SOURCE.c.source == bindparam("source"))
_LAST_TEXTS = select(
    *(LAST_SEEN.c[name] for name in ("observation", "last_seen_at", "text", "claimed_at", "numbers"))
).where(LAST_SEEN.c.observation.in_(_SOME))
_PAGE_TEXTS = select(PAGE.c.observation, PAGE.c.current, PAGE.c.earlier, PAGE.c.rewrite).where(
    PAGE.c.observation.in_(_SOME)
)
_PUBLISHED = select(OBSERVATION.c.id, OBSERVATION.c.published_at).where(OBSERVATION.c.id.in_(_SOME))
_SERVED_UNITS = select(SERVES.c.unit).where(
    SERVES.c.source == bindparam("source"), SERVES.c.channel == bindparam("channel")
)
_OWNERS = select(POLL.c.owner).where(POLL.c.source == bindparam("source")).distinct()
_SERVED_SINCE = (
    select(SERVES.c.channel, SERVES.c.unit, func.min(SERVES.c.begins_at))
    .where(SERVES.c.source == bindparam("source"))
    .group_by(SERVES.c.channel, SERVES.c.unit)
)
_BEGUN_AT = select(func.min(BEGINS.c.begins_at)).where(BEGINS.c.source == bindparam("source"))
_GONE = select(PRESENCE.c.observation).where(
    PRESENCE.c.seq.in_(
        select(func.max(PRESENCE.c.seq)).where(PRESENCE.c.observation.in_(_SOME)).group_by(PRESENCE.c.observation)
    ),
    PRESENCE.c.present.is_(False),
)


def _shown_addresses(
    connection: Connection,
    keys: Collection[str],
    channel: ItemChannel,
    unit: UnitId | None,
    *,
    until: Stamp | None = None,
) -> frozenset[str]:
    query = _SHOWN_ADDRESSES.where(OBSERVATION.c.channel == channel)
    if unit is not None:
        query = query.where(OBSERVATION.c.unit == unit)
    if until is not None:
        query = query.where(OBSERVATION.c.first_seen_at <= until)
    return frozenset(key for some in _chunks(tuple(keys)) for key in connection.scalars(query, {"some": some}))


_SHOWN_ADDRESSES = (
    select(NAME.c.key).join(OBSERVATION, OBSERVATION.c.id == NAME.c.observation).where(NAME.c.key.in_(_SOME))
)
_STANDING_REFUSED = select(REFUSED.c.key, REFUSED.c.at, REFUSED.c.is_open).where(
    REFUSED.c.seq.in_(
        select(func.max(REFUSED.c.seq)).where(REFUSED.c.source == bindparam("source")).group_by(REFUSED.c.key)
    ),
    REFUSED.c.present.is_(True),
)
_LIKENESSES = select(LIKENESS).where(tuple_(LIKENESS.c.channel, LIKENESS.c.part, LIKENESS.c.numbers).in_(_SOME))
_KEY_HOLDERS = select(TEXT_KEY.c.key, TEXT_KEY.c.text).where(TEXT_KEY.c.key.in_(_SOME))
_TEXT_SKETCHES = select(TEXT_SKETCH.c.text, TEXT_SKETCH.c.sketch).where(TEXT_SKETCH.c.text.in_(_SOME))
_RUN_HOLDERS = select(TEXT_RUN.c.key, TEXT_RUN.c.text).where(TEXT_RUN.c.key.in_(_SOME))
_SHORT_AT_FIRST = (
    select(*(OBSERVATION.c[name] for name in ("id", "channel", "content_hash", "text", "body_letters")))
    .where(OBSERVATION.c.id.in_(_SOME))
    .where(OBSERVATION.c.body_letters.is_(None) | (OBSERVATION.c.body_letters < WHOLE_LETTERS))
)
_TEXT_BEGINNING = (
    select(TEXT_SKETCH.c.text)
    .where(TEXT_SKETCH.c.text >= bindparam("begins"), TEXT_SKETCH.c.text < bindparam("end"))
    .limit(1)
)
_OF_ADDRESS = select(NAME.c.observation).where(NAME.c.source == bindparam("source"), NAME.c.key == bindparam("key"))
_FORMER_TEXTS = select(OBSERVATION.c.text).where(
    OBSERVATION.c.id.in_(_OF_ADDRESS)
    | OBSERVATION.c.id.in_(select(PAGE.c.rewrite).where(PAGE.c.observation.in_(_OF_ADDRESS)))
)
_SHOWN_ON = (ItemChannel.SUBPORTAL.value, ItemChannel.PORTAL.value)
_TITLES = (
    select(OBSERVATION.c.text, OBSERVATION.c.title)
    .where(OBSERVATION.c.channel.in_(_SHOWN_ON), OBSERVATION.c.text.in_(_SOME))
    .distinct()
)
_SHOWINGS = (
    select(*(OBSERVATION.c[name] for name in ("text", "title", "channel", "unit", "unit_name", "source")))
    .where(OBSERVATION.c.channel.in_([one.value for one in ItemChannel]), OBSERVATION.c.text.in_(_SOME))
    .distinct()
)
_SITE_TEXTS = select(*_SEEN).where(
    OBSERVATION.c.channel == ItemChannel.SUBPORTAL.value,
    OBSERVATION.c.text.in_(_SOME),
    OBSERVATION.c.first_seen_at <= bindparam("until"),
)
_UNIT_TEXTS = (
    select(
        *(OBSERVATION.c[name] for name in ("text", "title")),
        func.coalesce(OBSERVATION.c.unit, OBSERVATION.c.unit_name),
        *(OBSERVATION.c[name] for name in ("source", "first_seen_at", "resembles")),
    )
    .where(OBSERVATION.c.channel == ItemChannel.SUBPORTAL.value, OBSERVATION.c.text.in_(_SOME))
    .order_by(OBSERVATION.c.first_seen_at, OBSERVATION.c.id)
)
_KNOWN_TEXTS = (
    select(OBSERVATION.c.channel, OBSERVATION.c.text)
    .where(tuple_(OBSERVATION.c.channel, OBSERVATION.c.text).in_(_SOME))
    .distinct()
)
_BY_TEXT = (
    select(OBSERVATION.c.id)
    .where(OBSERVATION.c.channel == bindparam("channel"), OBSERVATION.c.text == bindparam("text"))
    .where(OBSERVATION.c.id != bindparam("but"))
    .limit(1)
)


def _add_observations(
    connection: Connection,
    new: Sequence[tuple[Observation, NamedCandidate]],
    proof: AnswerProof,
    at: Stamp,
    pages: Mapping[str, PageTexts],
    *,
    grown: Sequence[_GrownText],
) -> None:
    """Add new observations in their order, and note which of their texts an earlier one says too, or nearly."""
    marks = [fingerprint(_whole_text(candidate.item)) for _one, candidate in new]
    alike = _texts_alike(connection, new, marks)
    texts = [one.content_hash for one, _candidate in new]
    found = _texts_resembled(connection, new, marks, texts, pages, grown=grown)
    resembled = [one.text or near for one, near in zip(found, alike, strict=True)]
    rows = [
        observation_row(
            one,
            text=text,
            resembles=resembles,
            mailed_again=earlier.why,
            looked_before_at=proof.absent_at.get(one.id),
            title_alone=one.channel is not ItemChannel.SUBMISSION and is_title_alone(candidate.item.body),
        )
        for (one, candidate), text, resembles, earlier in zip(new, texts, resembled, found, strict=True)
    ]
    _renew(connection, SHARED_TEXT, _shared_texts(connection, rows, at))
    _insert(connection, OBSERVATION, rows)


class _Resembled(NamedTuple):
    """The earlier text that a new observation shares most of its words with."""

    text: str
    """Empty for none."""
    why: str = ""
    """Of a mail, by what it is known for it; empty where nothing else than its words says so."""


class _GrownText(NamedTuple):
    """A whole text that an answer gives of an item of which the store has a summary, its beginning, or its title alone."""

    text: str
    """By which the store knows the item."""
    trace: TextTrace
    keys: tuple[int, ...]


def _grown_texts(connection: Connection, known: Sequence[tuple[str, NamedCandidate]]) -> Sequence[_GrownText]:
    """Return the whole texts that an answer gives of known items which gave none at first, or a shorter one, and say another thing than then.

    A JSON feed has no word for a text that was cut.
    """
    whole = {name: candidate for name, candidate in known if _whole_text(candidate.item)}
    found: dict[str, _GrownText] = {}
    for some in _chunks(sorted(whole)):
        for name, channel, content, said, letters in connection.execute(_SHORT_AT_FIRST, {"some": some}).all():
            candidate = whole[name]
            body = candidate.item.body or ""
            has_grown = content != candidate.content_hash and (letters is None or letters < count_letters(body))
            mark = fingerprint(body) if has_grown else None
            if mark is not None:
                where = ItemChannel(channel)
                keys = (*keys_of(where, mark), *part_keys_of(where, mark))
                found[said] = _GrownText(said, trace(sketch(body), mark), keys)
    return tuple(found.values())


def _texts_alike(
    connection: Connection,
    new: Sequence[tuple[Observation, NamedCandidate]],
    marks: Sequence[Fingerprint | None],
) -> Sequence[str]:
    """Return the first text of its kind that each new observation hardly differs from; where there is none it is the first, and empty.

    It may be an old text with a word changed, or a form with another name in it.
    """
    parts = [
        [] if mark is None else [(one.channel.value, part, mark.numbers) for part in mark.parts]
        for (one, _candidate), mark in zip(new, marks, strict=True)
    ]
    known: dict[tuple[str, int, str], dict[str, str]] = defaultdict(dict)
    for some in _chunks(sorted({part for each in parts for part in each}), width=3):
        for row in connection.execute(_LIKENESSES, {"some": some}):
            known[row.channel, row.part, row.numbers][row.text] = row.bits
    found: list[str] = []
    added: list[dict[str, object]] = []
    for (one, _candidate), mark, own in zip(new, marks, parts, strict=True):
        alike = {text for part in own for text, bits in known[part].items() if mark and mark.is_like(int(bits, 16))}
        found.append("" if one.content_hash in alike else min(alike, default=""))
        if mark is not None and not alike:
            bits = f"{mark.bits:016x}"
            for channel, part, numbers in own:
                known[channel, part, numbers][one.content_hash] = bits
                added.append(
                    {"channel": channel, "part": part, "numbers": numbers, "text": one.content_hash, "bits": bits}
                )
    _insert(connection, LIKENESS, added)
    return found


def _texts_resembled(
    connection: Connection,
    new: Sequence[tuple[Observation, NamedCandidate]],
    marks: Sequence[Fingerprint | None],
    texts: Sequence[str],
    pages: Mapping[str, PageTexts],
    *,
    grown: Sequence[_GrownText],
) -> Sequence[_Resembled]:
    """Return the earlier text that each new observation shares most of its words with; empty for none, then it is the first of its kind.

    Args:
        connection: to the store.
        new: observations, in their order.
        marks: the fingerprints of their texts.
        texts: what they say, as other observations may too.
        pages: sketches that are known already, by observation.
        grown: whole texts of items that the store knows by summaries.
    """
    formers = {
        whose: _former_owners(connection, *whose)
        for whose in {(one.source, one.channel, one.unit) for one, _item in new}
    }
    sought = [
        _sought_text(one, item, text, mark, pages, formers=formers[one.source, one.channel, one.unit])._replace(
            former=_former_texts(connection, one)
        )
        for (one, item), mark, text in zip(new, marks, texts, strict=True)
    ]
    holders: dict[int, list[str]] = defaultdict(list)
    _add_holders(connection, {key for each in sought for key in each.sought}, holders)
    for item in grown:
        for key in item.keys:
            holders[key].append(item.text)
    likely = {one for each in sought for one in (*each.likely(holders), *each.likely_on_sites(holders))}
    traces = _traces(connection, likely) | {item.text: item.trace for item in grown}
    titles: dict[str, set[str]] = defaultdict(set)
    titled = (key for each in sought for key in (*each.summary, *each.news.titles))
    summarised = sorted({text for key in titled for text in holders.get(key, ())})
    for few in _chunks(summarised):
        for shown, title in connection.execute(_TITLES, {"some": few}).all():
            titles[shown].add(title)
    units: dict[str, list[UnitText]] = defaultdict(list)
    kept_by_unit = sorted({text for one in sought for key in chain(*one.units) for text in holders.get(key, ())})
    for some_texts in _chunks(kept_by_unit):
        for row in map(UnitText._make, connection.execute(_UNIT_TEXTS, {"some": some_texts})):
            units[row.text].append(row)
    runs = _run_holders(connection, {key for each in sought for key in each.first_runs})
    runs |= _run_holders(connection, {key for each in sought for key in each.further_runs(runs)})
    numbered = _numbered(connection, sought, runs)
    traces |= _traces(connection, set(numbered.values()).difference(traces))
    showings = partial(_showings, connection)
    sent = {one.text for one, (each, item) in zip(sought, new, strict=True) if _is_text_sent_in(each, item)}
    earlier = EarlierTexts(
        holders,
        traces,
        titles,
        units,
        runs=runs,
        numbered=numbered,
        showings=showings,
        on_sites=_texts_on_sites(connection, sent),
        grown=frozenset(item.text for item in grown),
    )
    known = frozenset(traces)
    found: list[str] = []
    causes: list[str] = []
    for one, (observation, _item) in zip(sought, new, strict=True):
        same = earlier.find(one)
        causes.append(earlier.find_cause(one, same) if observation.channel is ItemChannel.SUBMISSION else "")
        earlier.keep(one, is_first=not same)
        same = same or earlier.find_news(one) or earlier.find_on_sites(one)
        found.append(earlier.find_lender(one, observation, found=same))
    found = [text or earlier.find_whole(one) for one, text in zip(sought, found, strict=True)]  # in front of its whole
    rows = [{"key": key, "text": text} for key, some in earlier.added.items() for text in some]
    _insert(connection, TEXT_KEY, rows)
    _renew(connection, TEXT_RUN, [{"key": key, "text": number} for key, number in earlier.runs_added.items()])
    sketches = [{"text": text, "sketch": one.write()} for text, one in traces.items() if text not in known]
    _insert(connection, TEXT_SKETCH, sketches)
    return [*map(_Resembled, found, causes)]


def _is_text_sent_in(one: Observation, candidate: NamedCandidate) -> bool:
    return one.channel is ItemChannel.SUBMISSION and bool(_whole_text(candidate.item))


def _texts_on_sites(connection: Connection, texts: Collection[str]) -> frozenset[str]:
    """Return those of some texts that sub-portals showed just so."""
    channel = ItemChannel.SUBPORTAL.value
    return frozenset(
        text
        for some in _chunks(sorted((channel, text) for text in texts), width=2)
        for _channel, text in connection.execute(_KNOWN_TEXTS, {"some": some})
    )


def _traces(connection: Connection, texts: Collection[str]) -> dict[str, TextTrace]:
    """Return the traces of those of some texts that the store keeps."""
    return {
        one: TextTrace.read(written)
        for some in _chunks(sorted(texts))
        for one, written in connection.execute(_TEXT_SKETCHES, {"some": some}).all()
    }


def _add_holders(connection: Connection, keys: Collection[int], holders: dict[int, list[str]]) -> None:
    """Add the texts of the store that are kept under some keys."""
    for some in _chunks(sorted(keys)):
        for key, holder in connection.execute(_KEY_HOLDERS, {"some": some}).all():
            holders[key].append(holder)


def _showings(connection: Connection, texts: Collection[str]) -> Iterator[Showing]:
    """Yield the items of the store that showed some texts."""
    for some in _chunks(sorted(texts)):
        for row in connection.execute(_SHOWINGS, {"some": some}).all():
            whose = row.unit or row.unit_name or row.source
            yield Showing(row.text, row.title, places_of(ItemChannel(row.channel), whose)[0])


def _run_holders(connection: Connection, keys: Collection[int]) -> dict[int, int]:
    """Return the number of the newest text of the store that has each of some groups of words."""
    return {
        key: number
        for some in _chunks(sorted(keys))
        for key, number in connection.execute(_RUN_HOLDERS, {"some": some}).all()
    }


def _numbered(connection: Connection, sought: Sequence[NewText], runs: Mapping[int, int]) -> dict[int, str]:
    """Return by their numbers the texts of the store that some new ones may be put together from: those with most groups of each."""
    numbers = {number for one in sought for number in one.likely_sources(runs)}
    found: dict[int, str] = {}
    for number in sorted(numbers):
        begins = beginning_of(number)
        text = connection.scalar(_TEXT_BEGINNING, {"begins": begins, "end": f"{begins}g"})  # no hash has the letter g
        if text is not None:
            found[number] = text
    return found


def _sought_text(
    one: Observation,
    item: NamedCandidate,
    text: str,
    mark: Fingerprint | None,
    pages: Mapping[str, PageTexts],
    *,
    formers: Sequence[str],
) -> NewText:
    """Return what is to be looked for of a new observation; a summary of some length has a fingerprint too."""
    body, is_summary = item.item.body, mark is None
    if mark is None and body and is_long_summary(one.channel, body):
        whole_words = without_cut_word(body)
        mark = group_marks(whole_words)
        words: Sketch | None = _sketch_of(one, item, pages) if whole_words == body else sketch(whole_words)
    else:
        words = None if mark is None else _sketch_of(one, item, pages)
    whose = one.unit or one.unit_name or one.source
    new = new_text(
        one.channel, text, one.title, body, mark=mark, words=words, is_summary=is_summary, whose=whose, formers=formers
    )
    if one.channel is ItemChannel.PORTAL and (is_summary or item.item.body_is_summary):
        return new._replace(cut_news=cut_news_keys(one.title, body))
    if one.channel is ItemChannel.PORTAL or is_summary or one.baseline:  # what was there before counts for nobody
        return new
    return new._replace(news=whole_news_keys(one.title, body or ""))


def _former_owners(connection: Connection, source: str, channel: ItemChannel, unit: UnitId | None) -> Sequence[str]:
    """Return the units that a source of one unit was of before: what it showed then is not new for its unit of today."""
    served = set(connection.scalars(_SERVED_UNITS, {"source": source, "channel": channel.value})) - {unit, ""}
    if unit is None or not served:
        return ()
    return sorted(served.intersection(connection.scalars(_OWNERS, {"source": source})))


def _former_texts(connection: Connection, one: Observation) -> frozenset[str]:
    """Return the first and the newest text that stood at the address of a rewrite; none for a new item."""
    if one.rewrite is Rewrite.NO:
        return frozenset()
    return frozenset(connection.scalars(_FORMER_TEXTS, {"source": one.source, "key": f"u:{page_key(one.url)}"}))


def _sketch_of(one: Observation, candidate: NamedCandidate, pages: Mapping[str, PageTexts]) -> Sketch:
    page = pages.get(one.id)
    return sketch(candidate.item.body or "") if page is None else page.current


def _shared_texts(
    connection: Connection, rows: Sequence[Mapping[str, object]], at: Stamp
) -> Sequence[Mapping[str, object]]:
    """Return the texts of new rows that another observation says too: one of the store, or of the rows before."""
    texts = [(str(row["channel"]), str(row["text"])) for row in rows]
    known = {
        (channel, text)
        for some in _chunks(sorted(set(texts)), width=2)
        for channel, text in connection.execute(_KNOWN_TEXTS, {"some": some})
    }
    before: set[tuple[str, str]] = set()
    shared: list[Mapping[str, object]] = []
    for row, said in zip(rows, texts, strict=True):
        own = {"channel": said[0], "text": said[1]}
        if said in before or (said in known and connection.scalar(_BY_TEXT, {**own, "but": row["id"]}) is not None):
            shared.append({**own, "newest_at": max(at, int(str(row["newest_at"])))})
        before.add(said)
    return shared


def _not_there(
    connection: Connection, found: Sequence[tuple[Observation, NamedCandidate]]
) -> Sequence[tuple[Observation, NamedCandidate]]:
    """Return rewrites that the store does not have: of a page that is carried on it has one a day."""
    names = [one.id for one, _candidate in found]
    there = {row.id for some in _chunks(names) for row in connection.execute(_PUBLISHED, {"some": some})}
    return [one for one in found if one[0].id not in there]


def _whole_text(item: ListedItem) -> str | None:
    """Return what an item says as a whole; a long summary of a site is that, and what a mail says beside its files is not."""
    is_cut = item.body_is_summary and (not item.url or not has_letters(item.body or "", WHOLE_LETTERS))
    return None if is_cut else item.body


def _rewrites_of(connection: Connection, pages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield those of some items whose current text is an observation of its own, with that observation."""
    for some in _chunks(pages):
        query = select(PAGE.c.observation, PAGE.c.rewrite).where(PAGE.c.observation.in_(some), PAGE.c.rewrite != "")
        yield from sorted((page, rewrite) for page, rewrite in connection.execute(query))


def _chunks(values: Sequence[V], *, width: int = 1) -> Iterator[Sequence[V]]:
    """Yield as many of some values at a time as one question takes, each of which is `width` parameters."""
    size = _CHUNK // width
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        connection.execute(_insertion(connection.dialect.name, table), rows)


@cache  # to put a statement together takes as long as to carry it out
def _insertion(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    return (postgresql.insert if dialect == DATABASE else sqlite.insert)(table).on_conflict_do_nothing()


def _renew(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of what changes by nature over those of the same keys."""
    if rows:
        connection.execute(_renewal(connection.dialect.name, table), rows)


@cache
def _renewal(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    upsert = (postgresql.insert if dialect == DATABASE else sqlite.insert)(table)
    keys = [column.name for column in table.primary_key]
    newer: dict[str, Any] = {
        column.name: upsert.excluded[column.name] for column in table.columns if column.name not in keys
    }
    if table is SOURCE:  # an order that was shown once stays known
        newer["is_order_known"] = SOURCE.c.is_order_known | upsert.excluded.is_order_known
    if table is SHARED_TEXT:
        at = upsert.excluded.newest_at
        newer["newest_at"] = case((at > SHARED_TEXT.c.newest_at, at), else_=SHARED_TEXT.c.newest_at)
    return upsert.on_conflict_do_update(index_elements=keys, set_=newer)


def _name_place(place: ObservationPlace, context: ExceptionContext) -> None:
    """Let whatever fails in the store, at reading as at writing, be an error that names it."""
    if isinstance(context.original_exception, place.errors) and not context.is_pre_ping:
        raise place.unusable(context.original_exception) from context.original_exception
