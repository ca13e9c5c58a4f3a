"""A small province for the updates tests: units, rulebook, calendar, and shorthand for items and polls."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from checks.updates.judging import judge
from checks.updates.recognition import EPOCH
from checks.updates.rules.seen import GivenOut, Gone, ItemChanges, NearCopy, PollMoment, SeenItem, Served
from checks.updates.rules.stamps import Stamp, stamp
from checks.updates.rules.unread import UnreadPart
from checks.updates.terms import Decided, Terms
from portalops.calendar import load
from portalops.model.exemptions import Exemption
from portalops.model.organisation import Agency, Name, Portal, UnitId
from portalops.model.period import Period, Week
from portalops.model.record import Digest
from portalops.model.rulebook import Numbers, Rulebook
from portalops.model.runs import Every
from portalops.model.updates import ItemChannel, Listing, Observation, Poll, UnitWeek, UpdateSourceTraits, UpdatesResult


@dataclass(frozen=True)
class Touch:
    """A known item that came back with a newer claimed date."""

    observation: str
    seen_at: datetime
    published_at: datetime


@dataclass(frozen=True)
class Collected:
    """What was collected, from values instead of a store."""

    observations: tuple[Observation, ...]
    polls: tuple[Poll, ...]
    last_seen: Mapping[str, datetime] = field(default_factory=dict)
    """When each observation was last seen; missing means only once."""
    touches: tuple[Touch, ...] = ()
    unread: tuple[UnreadPart, ...] = ()

    def units(self) -> tuple[UnitId | None, ...]:
        return (None, *sorted({one.unit for one in self.observations if one.unit}))

    def items(self, unit: UnitId | None) -> list[SeenItem]:
        return [self._seen(one) for one in self.observations if one.unit == unit]

    def repeated_items(self) -> list[SeenItem]:
        counts = Counter((one.channel, one.content_hash) for one in self.observations)
        told = [self._seen(one) for one in self.observations if counts[one.channel, one.content_hash] > 1]
        return sorted(told, key=lambda one: (one.channel, one.text))

    def near_copies(self) -> list[NearCopy]:
        return []

    def site_texts(self, texts: Collection[str]) -> list[SeenItem]:
        return []

    def resembling(self, unit: UnitId) -> list[SeenItem]:
        return []

    def given_out(self, sources: Sequence[str], channel: ItemChannel | None = None) -> dict[str, GivenOut]:
        found: dict[str, GivenOut] = {}
        for one in sorted(map(self._seen, self.observations), key=lambda one: one.first_seen_at):
            if one.source in sources and channel in {None, one.channel}:
                row = GivenOut(one.first_seen_at, one.published_at, one.looked_before_at, one.created_at)
                found[one.text] = found[one.text].with_later(row) if one.text in found else row
        return found

    def changes(self) -> ItemChanges:
        gone: dict[str, Gone] = {}
        for one in self.observations:
            seen = self.last_seen.get(one.id, one.first_seen_at)
            for look in self._good(one.source):
                if look.polled_at > seen and not look.gap and look.covers_from == EPOCH:
                    gone[one.id] = Gone(stamp(look.polled_at), stamp(seen), is_sure=True)
                    break
        return ItemChanges({touch.observation: stamp(touch.published_at) for touch in self.touches}, gone)

    def served(self) -> dict[str, list[Served]]:
        found: dict[str, list[Served]] = defaultdict(list)
        oldest: dict[tuple[str, str, UnitId | None], Stamp] = {}
        for one in self.observations:
            whose, made = (one.source, one.channel.value, one.unit), one.created_at or one.published_at
            at = stamp(min(made or one.first_seen_at, one.first_seen_at))
            oldest[whose] = min(oldest.get(whose, at), at)
        for (source, channel, unit), begins in oldest.items():
            found[source].append(Served(channel, unit, begins))
        return found

    def refused(self) -> Sequence[UnreadPart]:
        return self.unread

    def polls_of(self, source: str) -> tuple[list[PollMoment], Stamp | None]:
        own = [poll for poll in self.polls if poll.source == source]
        looks = [
            PollMoment(stamp(p.polled_at), p.ok, None if p.covers_from is None else stamp(p.covers_from), p.gap)
            for p in own
        ]
        return looks, None

    def complete_polls(self, source: str) -> list[Stamp]:
        return sorted(stamp(one.polled_at) for one in self._good(source) if one.covers_from is not None)

    def arrivals(self, source: str) -> list[int]:
        """Return a moment of each day: other units, of which a test does not tell, have their lines in the register too."""
        polled = [stamp(poll.polled_at) for poll in self.polls if poll.source == source]
        return [*range(min(polled), max(polled), stamp(EPOCH + timedelta(days=1)) - stamp(EPOCH))] if polled else []

    def _good(self, source: str) -> list[Poll]:
        return [poll for poll in self.polls if poll.source == source and poll.ok]

    def _seen(self, one: Observation) -> SeenItem:
        before = [poll.polled_at for poll in self._good(one.source) if poll.polled_at < one.first_seen_at]
        return SeenItem(
            id=one.id,
            source=one.source,
            channel=one.channel.value,
            unit=one.unit,
            url=one.url,
            title=one.title,
            text=one.content_hash,
            created_at=None if one.created_at is None else stamp(one.created_at),
            published_at=None if one.published_at is None else stamp(one.published_at),
            first_seen_at=stamp(one.first_seen_at),
            looked_before_at=stamp(before[-1]) if before and not one.baseline else None,
            baseline=one.baseline,
            body_letters=one.body_letters,
            text_problems=",".join(one.text_problems),
        )


ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CALENDAR = load()
PORTAL = Portal("khanhhoa", Name("Cổng thông tin điện tử tỉnh Khánh Hòa", "Khanh Hoa portal"), "Asia/Ho_Chi_Minh")
HEALTH = Agency(UnitId("so-y-te"), Name("Sở Y tế", "Department of Health"))
JUSTICE = Agency(UnitId("so-tu-phap"), Name("Sở Tư pháp", "Department of Justice"), has_subportal=False)

SUBPORTALS = UpdateSourceTraits(
    "subportals", ItemChannel.SUBPORTAL, complete=True, unit_names=(("Sở Y tế", HEALTH.id), ("Sở Tư pháp", JUSTICE.id))
)
SUBMISSIONS = UpdateSourceTraits("submissions", ItemChannel.SUBMISSION, complete=True, attested=True)
FRONT = UpdateSourceTraits("front", ItemChannel.PORTAL, complete=True)
SOURCES = (SUBPORTALS, SUBMISSIONS, FRONT)


def at(text: str) -> datetime:
    """Return a local moment such as `2026-11-16 09:00`, aware."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def rulebook(**numbers: object) -> Rulebook:
    return Rulebook(
        id="kh-37-2010",
        version="test",
        title=Name("Quy chế", "Regulation"),
        document="37/2010/QĐ-UBND",
        valid_from=date(2010, 11, 25),
        valid_to=None,
        clauses=(),
        duties=(),
        numbers=replace(Numbers(), **numbers),  # type: ignore[arg-type]  # shorthand of the tests
    )


def item(
    source: UpdateSourceTraits,
    published: str | None,
    *,
    unit: Agency | None = HEALTH,
    seen: str | None = None,
    created: str | None = None,
    baseline: bool = False,
    text: str = "",
    url: str = "",
    letters: int | None = None,
    channel: ItemChannel | None = None,
    name: str = "",
) -> Observation:
    """Return an observation; without `seen` it was first seen ten minutes after it was published."""
    claimed = at(published) if published else None
    first_seen = at(seen) if seen else (claimed or at(created or "2026-01-01 00:00")) + timedelta(minutes=10)
    identity = name or f"{source.id}{unit}{published}{seen}{created}{text}{url}"
    return Observation(
        id=hashlib.sha256(identity.encode()).hexdigest()[:32],
        source=source.id,
        channel=channel or source.channel,
        unit=unit.id if unit else None,
        external_id=identity,
        url=url,
        title=text or identity,
        language="vi",
        kind=None,
        state="",
        created_at=at(created) if created else (claimed if source.attested else None),
        published_at=claimed,
        modified_at=None,
        raw_date=published or "",
        first_seen_at=first_seen,
        baseline=baseline,
        content_hash=Digest(hashlib.sha256((text or identity).encode()).hexdigest()),
        body_letters=letters,
        evidence=Digest("0" * 64),
    )


def said_of(listing: Listing) -> tuple[str, ...]:
    """Return what a listing says of the lines and items that it refused."""
    return tuple(str(refusal.what) for refusal in listing.rejected)


def poll(
    source: UpdateSourceTraits, when: str, *, covers_from: str | None = None, ok: bool = True, gap: bool = False
) -> Poll:
    start = at(covers_from) if covers_from else EPOCH if source.complete else None
    return Poll(source.id, at(when), ok, "" if ok else "refused", 1, 0, None, start if ok else None, gap=gap)


def daily_polls(
    first: str,
    last: str,
    *,
    sources: Iterable[UpdateSourceTraits] = SOURCES,
    hours: Sequence[str] = ("00:30", "23:30"),
) -> tuple[Poll, ...]:
    """Return a good poll of each source each day at some hours."""
    days = Period(date.fromisoformat(first), date.fromisoformat(last)).days()
    return tuple(poll(source, f"{day} {hour}") for day in days for hour in hours for source in sources)


def judged(
    observations: Sequence[Observation],
    *,
    period: str = "2026-W47",
    now: str = "2026-11-24 09:00",
    polls: Sequence[Poll] | None = None,
    units: Sequence[Agency] = (HEALTH,),
    sources: Sequence[UpdateSourceTraits] = SOURCES,
    touches: Sequence[Touch] = (),
    last_seen: dict[str, datetime] | None = None,
    exemptions: Sequence[Exemption] = (),
    confirmed: Iterable[str] = (),
    unread: Iterable[UnreadPart] = (),
    **numbers: object,
) -> UpdatesResult:
    """Judge items; without polls, every source was polled around each midnight up to the moment of judging."""
    moment = at(now)
    day = moment.date()
    looked = (
        polls
        if polls is not None
        else daily_polls(
            "2026-08-01", (day - timedelta(days=1)).isoformat(), sources=dict.fromkeys((*SOURCES, *sources))
        )
        + tuple(poll(source, moment.strftime("%Y-%m-%d %H:%M")) for source in sources)
    )
    seen = last_seen if last_seen is not None else {one.id: moment for one in observations}
    return judge(
        Collected(tuple(observations), tuple(looked), seen, tuple(touches), tuple(unread)),
        sources=sources,
        units=units,
        period=Week.parse(period).period(),
        terms=Terms(
            rulebook(**numbers), CALENDAR, ZONE, moment, Every.DAY, Decided(tuple(exemptions), dict.fromkeys(confirmed))
        ),
    )


def the_week(observations: Sequence[Observation], **how: object) -> UnitWeek:
    """Return the one unit-week of a judgement."""
    (week,) = judged(observations, **how).unit_weeks  # type: ignore[arg-type]  # shorthand of the tests
    return week


def content_database(folder: Path, rows: Iterable[tuple[object, ...]] = ()) -> Path:
    """Make a content database such as portals have; its rows are id, title, published, created, unit, body."""
    file = folder / "portal.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TABLE news (id INTEGER PRIMARY KEY, title TEXT, published TEXT, created TEXT, unit TEXT, body TEXT)"
        )
        connection.executemany("INSERT INTO news VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return file


QUERY = "SELECT id AS external_id, title, published AS published_at, created AS created_at, unit, body FROM news ORDER BY id"
