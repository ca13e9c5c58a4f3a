"""Which items of an answer are new, and which are known under another address. Pure.

An item is known by its canonical address, then by its id, then by its text; a database row by its key first. Addresses
and ids change and are used again in real feeds, so neither is believed alone: an id that comes back with another
address, another text and another date is a new item; and when more than half of an answer is new by name but known by
text, the source has moved house and nothing was published.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from checks.updates.addresses import page_key
from checks.updates.authors import author_above, names_nobody, several_names
from checks.updates.exchanged_days import OUT_OF_ORDER, is_entered_on
from checks.updates.mailed_again import SENT_AGAIN
from checks.updates.repeats import places_without_repeats
from checks.updates.summaries import is_title_alone
from checks.updates.surroundings import without_lists_of_titles
from checks.updates.text import NO_MARKS, check_text, clean_line, content_hash, count_letters, is_title_without_marks
from checks.updates.title_changes import is_another_title
from checks.updates.unit_names import MAX_NAMES, UnitNames
from portalops.model.message import msg
from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.model.updates import FlagKind, ListedItem, Listing, Observation, RefusedItem, UpdateSourceTraits

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""From when on a complete answer shows everything."""

AHEAD = timedelta(minutes=10)
"""By how much the clock of a database may be ahead."""
MAX_TITLE = 500
_VOLATILE_PARAMETERS = frozenset({"phpsessid", "jsessionid", "sid", "fbclid", "gclid"})


@dataclass(frozen=True, slots=True)
class KnownObservation:
    """What recognition must know of an observation."""

    observation: str
    url: str
    external_id: str
    content_hash: Digest
    published_at: datetime | None
    raw_date: str
    first_seen_at: datetime | None = None
    unit_name: str = ""
    """How the last answer that had it named its unit."""
    made_at: datetime | None = None
    """When it was made, by that answer."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class NamedCandidate:
    """A listed item with the names it may be known by."""

    item: ListedItem
    url: str
    """Canonical; empty where the address does not tell items apart."""
    content_hash: Digest
    name: str = ""
    """The source's own id; empty where it does not tell items apart."""
    place: int = 0
    """In the answer, from 0."""

    @property
    def claimed_at(self) -> datetime | None:
        """Return when it was published or made, whichever is later, as the source claims."""
        return max((at for at in (self.item.published_at, self.item.created_at) if at), default=None)

    @property
    def unit_name(self) -> str:
        """Return how the source names its unit."""
        return clean_line(self.item.unit_name, limit=MAX_NAMES)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of address, id and text, as the store holds them."""
        keys = [f"u:{page_key(self.url)}"] if self.url else []
        keys += [f"i:{self.name}"] if self.name else []
        return (*keys, f"h:{self.content_hash}")


@dataclass(frozen=True, slots=True)
class Hidden:
    """A part of an answer that could not be read, and may hide an item."""

    key: str
    """By what it is known again; once in an answer."""
    unit: UnitId | None
    """Whose item it hides; None if it may be anybody's."""
    made_at: datetime | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class ItemCorrection:
    """What an answer says of a known item instead of what the answer before said: another unit, or another day of arrival."""

    observation: str
    unit: UnitId | None
    unit_name: str
    """As the source names the unit, where the configuration does not know it."""
    title: str
    created_at: datetime | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Recognition:
    """An answer, sorted."""

    new: tuple[tuple[Observation, NamedCandidate], ...]
    known: tuple[tuple[str, NamedCandidate], ...]
    """Observation and the item that shows it again."""
    migrated: tuple[tuple[str, NamedCandidate], ...]
    """Known by text alone, in a mass change of names: further names of old observations."""
    hidden: tuple[Hidden, ...] = ()
    corrected: tuple[ItemCorrection, ...] = ()

    def shown(self) -> Mapping[str, NamedCandidate]:
        """Return all items by observation, each once, in the order of the answer."""
        every = [(observation.id, candidate) for observation, candidate in self.new]
        every += [*self.known, *self.migrated]
        every.sort(key=lambda one: one[1].place)
        first: dict[str, NamedCandidate] = {}
        for observation, candidate in every:
            first.setdefault(observation, candidate)
        return first


def candidates(items: Iterable[ListedItem]) -> tuple[NamedCandidate, ...]:
    """Name the items of an answer, each once; an address or an id that several items share names none of them."""
    rows = _with_all_names(tuple(items))
    named = [canonical_url(item.url) for item in rows]
    places = places_without_repeats(rows, [page_key(url) for url in named])
    listed, addresses = without_lists_of_titles([rows[place] for place in places]), [named[place] for place in places]
    shared = {address for address, count in Counter(addresses).items() if count > 1}
    ids = [clean_line(item.external_id, limit=500) for item in listed]
    names = Counter(ids)
    return tuple(
        NamedCandidate(
            item if item.external_id == name else replace(item, external_id=name),
            "" if address in shared else address,
            content_hash(item.files, None, raw_date="")
            if item.files
            else content_hash(item.title, item.body, raw_date=item.raw_date),
            name if names[name] == 1 else "",
            place,
        )
        for place, (item, address, name) in enumerate(zip(listed, addresses, ids, strict=True))
    )


def _with_all_names(items: Sequence[ListedItem]) -> Sequence[ListedItem]:
    """Return items of which those are one that differ by the unit's name alone, as where a query joins a row with each of its categories."""
    ids = Counter(item.external_id for item in items)
    if max(ids.values(), default=1) == 1:
        return items
    named: dict[ListedItem, set[str]] = defaultdict(set)
    for item in items:
        named[replace(item, unit_name="")].add(item.unit_name)
    found: list[ListedItem] = []
    for item in items:
        names = named[bare := replace(item, unit_name="")]
        if len(names) == 1:
            found.append(item)
        elif names:
            found.append(replace(bare, unit_name=several_names(names)))
            names.clear()  # the other rows say no more
    return found


def recognise(
    found: Sequence[NamedCandidate],
    known: Mapping[str, KnownObservation],
    *,
    traits: UpdateSourceTraits,
    units: UnitNames,
    polled_at: datetime,
    baseline: bool,
    evidence: Digest,
) -> Recognition:
    """Sort an answer into new and known.

    Args:
        found: the answer's items.
        known: observations of this source by key, as far as the items' keys have any.
        traits: what the source is.
        units: how units are named.
        polled_at: when the answer came.
        baseline: whether this is the source's first good poll.
        evidence: the blob of the answer.
    """
    seen_again: list[tuple[str, NamedCandidate]] = []
    strangers: list[NamedCandidate] = []
    corrected: dict[str, ItemCorrection | None] = {}
    for candidate in found:
        match = _same(candidate, known, by_id_first=traits.complete, trusts_created=traits.trust_created)
        if match:
            seen_again.append((match.observation, candidate))
            corrected.setdefault(match.observation, _correction(candidate, match, traits, units, polled_at))
        else:
            strangers.append(candidate)
    moved = [] if is_mail(traits) else _moved(strangers, known, traits, shown=len(found))
    moved_items = {id(candidate) for _observation, candidate in moved}
    new: dict[str, tuple[Observation, NamedCandidate]] = {}
    for candidate in strangers:
        if id(candidate) not in moved_items:
            observation = observe(candidate, known, traits, units, polled_at, baseline=baseline, evidence=evidence)
            page = "" if traits.complete else page_key(candidate.url)  # rows are told apart by their ids
            new.setdefault(page or observation.id, (observation, candidate))
    return Recognition(
        tuple(new.values()),
        tuple(seen_again),
        tuple(moved),
        corrected=tuple(one for one in corrected.values() if one is not None),
    )


def is_mail(traits: UpdateSourceTraits) -> bool:
    """Say whether a source is a mailbox: each of its items came by itself, and none of them moves."""
    return traits.attested and not traits.complete


def _moved(
    strangers: Iterable[NamedCandidate],
    known: Mapping[str, KnownObservation],
    traits: UpdateSourceTraits,
    *,
    shown: int,
) -> list[tuple[str, NamedCandidate]]:
    """Return the items that are known by their texts alone, with their observations, if they are most of an answer: their source has moved.

    What another unit says, or comes under the title of another day with its date, is a new item of an old text.
    """
    by_text = [(known[key], one) for one in strangers if (key := f"h:{one.content_hash}") in known]
    if len(by_text) < 2 or 2 * len(by_text) <= shown:
        return []
    return [
        (other.observation, one)
        for other, one in by_text
        if (traits.unit is not None or one.unit_name == other.unit_name)
        and not (one.item.raw_date != other.raw_date and is_another_title(other.title, one.item.title))
    ]


def without_anticipated(
    listing: Listing, refused_since: Mapping[str, datetime]
) -> tuple[Listing, tuple[RefusedItem, ...]]:
    """Return a listing without lines that an earlier answer had before the day that they name, and what these may hide on that day.

    Such a line may be read in the wrong order of day and month, so that it does not become a good one by waiting. It stays refused for
    the time in which it came up, and bears on its own day too.

    Args:
        listing: all that an answer says.
        refused_since: by `RefusedItem.key`, the first poll that had a line and could not read it.
    """
    early = [
        one
        for one in listing.items
        if one.created_at
        and one.created_at > (since := refused_since.get(one.line, _NEVER))
        and (one.exchanged_on is None or is_entered_on(one.exchanged_on, after=since.date(), until=since.date()))
    ]
    if not early:
        return listing, ()
    lines = {one.line for one in early}
    refused = tuple(
        RefusedItem(
            msg(
                "{number}: the line with ngày đến {day} stood there on {at} already: set date_formats for the order of day and month",
                number=show_text(one.external_id, 30),
                day=show_text(one.raw_date, 40),
                at=refused_since[one.line],
            ),
            one.line,
            one.unit_name,
        )
        for one in early
    )
    kept = tuple(one for one in listing.items if one.line not in lines)
    on_its_day = tuple(
        replace(one, key=f"{one.key}+", at=item.created_at) for one, item in zip(refused, early, strict=True)
    )
    return replace(listing, items=kept, rejected=listing.rejected + refused), on_its_day


_NEVER = datetime.max.replace(tzinfo=UTC)


def hidden_in(
    refusals: Iterable[RefusedItem], traits: UpdateSourceTraits, units: UnitNames, polled_at: datetime
) -> tuple[Hidden, ...]:
    """Return what the refused parts of an answer may hide.

    One that names somebody who resembles no unit hides nothing: put right, it would count for nobody. Where the name resembles
    units, it may be any one's of them.
    """
    found: dict[str, Hidden] = {}
    times: Counter[str] = Counter()
    for one in refusals:
        if not one.key:
            continue
        author = author_above(one.unit_name)
        unit = traits.unit or units.find(author, traits, one.at or polled_at)
        whose: tuple[UnitId | None, ...] = (unit,)
        if unit is None and not names_nobody(author):
            whose = units.resembling(author)
        times[one.key] += 1
        for each in whose:
            key = f"{one.key} {times[one.key]}"  # the same line may stand there twice
            key = key if len(whose) == 1 and each == unit else f"{key} {each}"
            found[key] = Hidden(key, each, one.at, one.is_open)
    return tuple(found.values())


def _same(
    candidate: NamedCandidate, known: Mapping[str, KnownObservation], *, by_id_first: bool, trusts_created: bool
) -> KnownObservation | None:
    by_url = known.get(f"u:{page_key(candidate.url)}") if candidate.url else None
    by_id = known.get(f"i:{candidate.name}") if candidate.name else None
    if trusts_created and by_id and _is_younger(candidate, by_id):
        return known.get(f"h:{candidate.content_hash}")  # a database that lost its last rows gives their ids again
    if by_id_first and (candidate.name or by_url):
        return by_id or (by_url if not candidate.name else None)
    if by_url:
        return by_url
    if by_id and (bool(candidate.url) != bool(by_id.url) or _agree(candidate, by_id)):
        return by_id
    by_text = known.get(f"h:{candidate.content_hash}")
    if by_text is None or candidate.url:
        return None
    # An id that is used again, or that several items shared before, names nothing: the text does, with its date.
    names_nothing = by_id is not None or not candidate.name
    return by_text if names_nothing or candidate.item.raw_date == by_text.raw_date != "" else None


def _correction(
    candidate: NamedCandidate,
    before: KnownObservation,
    traits: UpdateSourceTraits,
    units: UnitNames,
    polled_at: datetime,
) -> ItemCorrection | None:
    """Return what an answer says anew of a known item; None if it says what the answer before said.

    Names are compared as they are written: a unit that the configuration names otherwise since then is no correction. When an item
    was made is a registrar's to put right; of a content system it is the row's own, which nobody does. A mail that comes again, or is
    put into another mailbox, was there all the same when a poll first saw it.
    """
    item = candidate.item
    is_of_another = traits.unit is None and candidate.unit_name != before.unit_name
    is_of_registrar = traits.attested and traits.complete
    if not is_of_another and not (is_of_registrar and item.created_at != before.made_at):
        return None
    unit = _unit_of(item, traits, units, polled_at)
    return ItemCorrection(
        observation=before.observation,
        unit=unit,
        unit_name="" if unit else candidate.unit_name,
        title=clean_line(item.title, limit=MAX_TITLE),
        created_at=item.created_at,
        published_at=item.published_at,
    )


def _unit_of(item: ListedItem, traits: UpdateSourceTraits, units: UnitNames, polled_at: datetime) -> UnitId | None:
    return traits.unit or units.find(item.unit_name, traits, item.created_at or item.published_at or polled_at)


def _is_younger(candidate: NamedCandidate, other: KnownObservation) -> bool:
    """Say whether a row was made after the one of the same id had been seen; editors cannot write when it was made."""
    made, seen = candidate.item.created_at, other.first_seen_at
    return made is not None and seen is not None and made > seen + AHEAD


def _agree(candidate: NamedCandidate, other: KnownObservation) -> bool:
    """Say whether an id under a new address still means the same item: its text or its date is the same."""
    same_date = bool(candidate.item.raw_date) and candidate.item.raw_date == other.raw_date
    return candidate.content_hash == other.content_hash or same_date


def observe(
    candidate: NamedCandidate,
    known: Mapping[str, KnownObservation],
    traits: UpdateSourceTraits,
    units: UnitNames,
    polled_at: datetime,
    *,
    baseline: bool,
    evidence: Digest,
) -> Observation:
    """Return a listed item as an observation.

    Args:
        candidate: the item.
        known: observations of the source by key: an id that names one of them names no other.
        traits: what the source is.
        units: how units are named.
        polled_at: when the answer came.
        baseline: whether this is the source's first good poll.
        evidence: the blob of the answer.
    """
    item = candidate.item
    unit = _unit_of(item, traits, units, polled_at)
    return Observation(
        id=_observation_id(traits, candidate, is_used_again=f"i:{candidate.name}" in known),
        source=traits.id,
        channel=item.channel or traits.channel,
        unit=unit,
        external_id=item.external_id,
        url=candidate.url or clean_line(item.url, limit=2000),
        title=clean_line(item.title, limit=MAX_TITLE),
        language=clean_line(item.language, limit=16),
        kind=item.kind,
        state=clean_line(item.state, limit=40),
        created_at=item.created_at,
        published_at=item.published_at,
        modified_at=item.modified_at,
        raw_date=clean_line(item.raw_date, limit=100),
        first_seen_at=polled_at,
        baseline=baseline,
        content_hash=candidate.content_hash,
        body_letters=None if item.body is None or item.body_is_summary else count_letters(item.body),
        evidence=evidence,
        text_problems=_text_problems(item, traits),
        translation_of=clean_line(item.translation_of, limit=500),
        document_on=item.document_on,
        unit_name="" if unit else candidate.unit_name,
    )


def _text_problems(item: ListedItem, traits: UpdateSourceTraits) -> tuple[str, ...]:
    """Return what is wrong with an item's text; a registrar or a sender may type a subject without marks and be believed."""
    problems = check_text(f"{item.title}\n{item.body or ''}")
    if item.is_automatic:
        problems = (*problems, FlagKind.AUTOMATIC.value)
    if item.is_sent_again:
        problems = (*problems, SENT_AGAIN)
    if item.is_out_of_order:
        problems = (*problems, OUT_OF_ORDER)
    if traits.attested or NO_MARKS in problems or not is_title_alone(item.body):
        return problems
    is_bare = is_title_without_marks(f"{item.title} {item.body or ''}".strip())
    return (*problems, NO_MARKS) if is_bare else problems


def _observation_id(traits: UpdateSourceTraits, candidate: NamedCandidate, *, is_used_again: bool) -> str:
    by_id = f"i:{candidate.name}" if candidate.name and not is_used_again else ""
    by_url = f"u:{candidate.url}" if candidate.url else ""
    by_text = f"h:{candidate.content_hash}"
    identity = (by_id or by_url or by_text) if traits.complete else (by_url or by_id or by_text)
    return hashlib.sha256(f"{traits.id}\n{identity}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def canonical_url(url: str) -> str:
    """Return an address without what changes from visit to visit; empty for a home page or no address.

    >>> canonical_url("HTTP://Portal.Khanhhoa.example:80/tin/1?utm_source=rss&id=7#top")
    'http://portal.khanhhoa.example/tin/1?id=7'
    """
    try:
        parts = urlsplit(clean_line(url, limit=2000))
        port = parts.port
    except ValueError:
        return ""
    if not parts.path.strip("/") and not parts.query:
        return ""
    host = (parts.hostname or "").lower()
    if port and port != {"http": 80, "https": 443}.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() not in _VOLATILE_PARAMETERS and not name.lower().startswith("utm_")
    ]
    return urlunsplit((parts.scheme.lower(), host, parts.path, urlencode(query), ""))


def covers_from(
    found: Sequence[NamedCandidate],
    *,
    complete: bool,
    previous: datetime | None,
    overlaps: bool,
    polled_at: datetime,
) -> tuple[datetime | None, bool]:
    """Return from when on an answer shows everything, and whether something may have been missed before it.

    A complete answer covers the whole past. A feed covers back to its oldest item, and back to the look before if the
    two overlap: then nothing can have passed through unseen.
    """
    if complete:
        return EPOCH, False
    oldest = oldest_end(c.item.published_at for c in found)
    if previous is None:
        return oldest or polled_at, False
    if overlaps:
        return (min(previous, oldest) if oldest else previous), False
    return oldest, True


def oldest_end(dates: Iterable[datetime | None]) -> datetime | None:
    """Return the moment of a feed's or page's oldest end, by the dates of its items in their order.

    One pinned old item at its head does not make it reach far back.
    """
    moments = [date for date in dates if date]
    if not moments:
        return None
    falling = sum(later <= earlier for earlier, later in pairwise(moments))
    return moments[-1] if 2 * falling >= len(moments) - 1 else moments[0]
