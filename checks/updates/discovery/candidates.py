"""What a found source is worth, by two polls of it: what it shows, in which order, how far back, and whether both agree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from checks.updates.recognition import canonical_url
from checks.updates.text import fold
from portalops.model.message import Message, msg
from portalops.model.updates import ListedItem, Listing

FUTURE = timedelta(minutes=15)
"""A date that lies so far ahead is no difference of clocks."""
FRESH = timedelta(days=7)
"""A source whose newest item is older than another's by more is one that nobody fills any more."""
DATED_PERCENT = 90
MAX_CHOSEN = 8
"""Sources of one site: a feed for each of its categories."""
_KINDS = ("json-feed", "feed", "list-page", "sitemap")
"""By how much they tell, the most first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A source that a site may have."""

    kind: str
    """As `[[updates.source]]` names it."""
    settings: Mapping[str, object]
    """Its keys, `url` among them."""
    found_by: str
    """How it was found: `link rel=alternate`, or the content system whose usual place it is."""

    @property
    def url(self) -> str:
        """Return the address that is polled."""
        return str(self.settings["url"])


@dataclass(frozen=True, slots=True)
class Assessed:
    """A candidate after its polls."""

    candidate: Candidate
    items: tuple[ListedItem, ...] = ()
    """As its second poll showed them."""
    problem: Message | None = None
    """Why it is no source; None if it is one."""
    remarks: tuple[Message, ...] = ()
    """What a person should know of it."""
    keys: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def dates(self) -> tuple[datetime, ...]:
        """Return the dates that it claims, in its order."""
        return tuple(item.published_at for item in self.items if item.published_at is not None)

    @property
    def newest(self) -> datetime | None:
        """Return the newest date that it claims; None if it claims none."""
        return max(self.dates, default=None)

    @property
    def oldest(self) -> datetime | None:
        """Return how far back it reaches; None if it claims no date."""
        return min(self.dates, default=None)

    @property
    def is_dated(self) -> bool:
        """Say whether nearly all of its items have a date."""
        return 100 * len(self.dates) >= DATED_PERCENT * len(self.items) > 0

    @property
    def is_newest_first(self) -> bool:
        """Say whether its items stand in order of their dates, the newest first; one that is pinned on top does not disturb it."""
        rising = sum(later > earlier for earlier, later in pairwise(self.dates))
        return len(self.dates) > 1 and rising <= 1


def assess(candidate: Candidate, first: Listing, second: Listing, *, now: datetime) -> Assessed:
    """Return what a candidate is worth.

    Args:
        candidate: the source.
        first: its first poll.
        second: its second one, a few seconds later.
        now: the moment of the second.
    """
    keys = _keys(second.items)
    found = Assessed(candidate, second.items, keys=keys)
    if not second.items:
        return replace(found, problem=msg("it shows no item"))
    if len(keys) < len(second.items) / 2:
        return replace(found, problem=msg("its items cannot be told apart"))
    remarks = []
    if not found.dates:
        remarks.append(msg("its items have no date that can be read: they count from when they are first seen"))
    elif not found.is_dated:
        remarks.append(
            msg(
                "{n} of its {items} items have no date that can be read",
                n=len(found.items) - len(found.dates),
                items=len(found.items),
            )
        )
    if len(found.dates) > 1 and not found.is_newest_first:
        remarks.append(msg("its items do not stand newest first, so a poll proves less"))
    if 2 * len(keys & _keys(first.items)) < len(keys):
        remarks.append(msg("two polls a few seconds apart showed different items"))
    if found.newest is not None and found.newest > now + FUTURE:
        remarks.append(msg("its newest date lies ahead: {at}", at=found.newest))
    if second.rejected:
        remarks.append(
            msg(
                "{n} of its items cannot be read, such as {example}",
                n=len(second.rejected),
                example=second.rejected[0].what,
            )
        )
    return replace(found, remarks=tuple(remarks))


def choose(found: Iterable[Assessed]) -> tuple[Assessed, ...]:
    """Return the sources that together show a site's items, the best first; a list only where no feed will do.

    Of feeds that show the same, one is enough: another is taken only for items that those before it lack, or where it is one of
    several categories.
    """
    usable = [one for one in found if one.problem is None and one.candidate.kind != "sitemap"]
    newest = max((one.newest for one in usable if one.newest), default=None)
    ranked = sorted(usable, key=lambda one: _rank(one, newest))
    if not ranked:
        return ()
    chosen, known = [ranked[0]], ranked[0].keys
    begins, is_list = ranked[0].oldest, ranked[0].candidate.kind == "list-page"
    alike = [
        one for one in ranked[1:] if (one.candidate.kind == "list-page") == is_list and (one.is_dated or not is_list)
    ]
    for one in alike:
        recent = (
            each for each in one.items if begins is None or each.published_at is None or each.published_at >= begins
        )
        if _is_fresh(one, newest) and _keys(recent) - known:
            chosen.append(one)
            known |= one.keys
    if len(chosen) > 1:  # each shows a part of the site, so a part in which little happens has its own too
        chosen += [one for one in alike if not _is_fresh(one, newest) and not one.keys & known]
    return tuple(chosen[:MAX_CHOSEN])


def _rank(one: Assessed, newest: datetime | None) -> tuple[object, ...]:
    is_steady = not one.dates or one.is_newest_first
    faults = (not _is_fresh(one, newest), not one.is_dated, not is_steady, bool(one.remarks))
    return (*faults, _KINDS.index(one.candidate.kind), -len(one.items), len(one.candidate.url), one.candidate.url)


def _is_fresh(one: Assessed, newest: datetime | None) -> bool:
    return newest is None or one.newest is None or newest - one.newest <= FRESH


def _keys(items: Iterable[ListedItem]) -> frozenset[str]:
    return frozenset(key for item in items if (key := canonical_url(item.url) or fold(item.title)))


def newest_first(items: Sequence[ListedItem]) -> tuple[ListedItem, ...]:
    """Return items by their dates, the newest first, and those without one behind them."""
    dated = [(one.published_at, -place, one) for place, one in enumerate(items) if one.published_at is not None]
    dated.sort(key=lambda each: each[:2], reverse=True)
    return (*(one for _at, _place, one in dated), *(one for one in items if one.published_at is None))
