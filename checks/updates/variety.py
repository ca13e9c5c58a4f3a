"""What was published by kind and language, and which Vietnamese items have no English pair (Articles 8 and 3.1). Pure.

No source tells which item is the translation of which, so a pair is known by its address alone, where it is the same but for
the language: ids do not serve, since content systems number each language anew. On a site where no pair at all is known in
this way, whether an item has one cannot be told, and nothing is held against anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from checks.updates.rules.seen import Told
from checks.updates.rules.stamps import moment, stamp
from checks.updates.terms import Terms
from portalops.model.organisation import UnitId
from portalops.model.period import Period
from portalops.model.updates import Channel, SourceTraits
from portalops.model.variety import KINDS, LanguageCount, Unpaired, Variety

MAX_NAMED = 200
"""Unpaired items that are named; the others are counted."""
LANGUAGES = frozenset({"vi", "vn", "en"})
"""How addresses name the two languages, `vn` among them, which is the country's code."""
PARAMETERS = frozenset({"lang", "language", "locale", "hl", "l"})
"""Parameters of addresses that name a language."""
_PUBLISHED = (Channel.PORTAL, Channel.SUBPORTAL)


class Collected(Protocol):
    """What was seen in a window of time; see `checks.updates.observations.Window`."""

    def units(self) -> Sequence[UnitId | None]: ...
    def told(self, unit: UnitId | None) -> Sequence[Told]: ...


def variety_of(collected: Collected, *, sources: Iterable[SourceTraits], period: Period, terms: Terms) -> Variety:
    """Count what was first seen on the portal and the sub-portals in a period; what was there at the first look does not count.

    An item that several sources of a site show is one item. An English item may have been seen earlier, from `terms.wanted_from` on.

    Args:
        collected: what was seen from `terms.wanted_from` on.
        sources: all sources; what a cross-check alone showed does not count.
        period: the days.
        terms: the zone, and the moment of judging.
    """
    checks = frozenset(one.id for one in sources if one.cross_check)
    since, until = (stamp(at) for at in period.bounds(terms.zone))
    kinds: Counter[int] = Counter()
    languages: Counter[str] = Counter()
    unpaired: list[Unpaired] = []
    paired = untold = 0
    for unit in collected.units():
        told = [one for one in collected.told(unit) if one.channel in _PUBLISHED and one.source not in checks]
        for channel in _PUBLISHED:
            items = _once(one for one in told if one.channel == channel)
            speaks = {one.id: language_of(one) for one in items}
            english = {_pair_of(one) for one in items if speaks[one.id] == "en"} - {None}
            vietnamese = [one for one in items if speaks[one.id] == "vi"] if english else []
            translated = {one.id for one in vietnamese if _pair_of(one) in english}
            new = [one for one in items if not one.baseline and since <= one.first_seen_at < until]
            kinds.update(one.kind or 0 for one in new)
            languages.update(speaks[one.id] for one in new)
            for one in new:
                if speaks[one.id] != "vi":
                    continue
                if not translated:
                    untold += 1
                elif one.id in translated:
                    paired += 1
                else:
                    unpaired.append(Unpaired(unit, one.id, one.title, one.url, moment(one.first_seen_at)))
    unpaired.sort(key=lambda one: (one.first_seen_at, one.observation))
    return Variety(
        first=period.first,
        last=period.last,
        kinds=tuple(kinds[kind] for kind in range(1, KINDS + 1)),
        no_kind=kinds[0],
        languages=tuple(LanguageCount(name, count) for name, count in sorted(languages.items())),
        paired=paired,
        unpaired=tuple(unpaired[:MAX_NAMED]),
        unpaired_more=max(0, len(unpaired) - MAX_NAMED),
        untold=untold,
    )


def language_of(item: Told) -> str:
    """Return an item's language as its source tells it, else as its address does; empty where neither does."""
    tag = item.language.strip().lower().replace("_", "-").partition("-")[0]
    if tag:
        return tag
    host, path, parameters = _parts(item.url)
    named = (*host[:1], *path, *(value for key, value in parameters if key in PARAMETERS))
    found = {"vi" if name == "vn" else name for name in named if name in LANGUAGES}
    return found.pop() if len(found) == 1 else ""


def _once(items: Iterable[Told]) -> list[Told]:
    """Return each item once, whichever of a site's sources shows it: that which saw its address first."""
    seen_by: dict[str, str] = {}
    return [one for one in items if not one.url or seen_by.setdefault(one.url, one.source) == one.source]


def _pair_of(item: Told) -> tuple[str, ...] | None:
    """Return what an item's address shares with its pair's: all but the language; None for a front page, which is no item."""
    host, path, parameters = _parts(item.url)
    site = tuple(name for at, name in enumerate(host) if at or name not in {*LANGUAGES, "www"})
    place = tuple(name for name in path if name not in LANGUAGES)
    rest = tuple(f"{key}={value}" for key, value in parameters if key not in PARAMETERS)
    return (*site, "/", *place, "?", *rest) if site and (place or rest) else None


def _parts(url: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the labels of an address's host, the parts of its path and its parameters."""
    try:
        address = urlsplit(url.lower())
        host = address.hostname or ""
    except ValueError:
        return (), (), ()
    path = tuple(part for part in address.path.split("/") if part)
    return tuple(host.split(".")) if host else (), path, tuple(sorted(parse_qsl(address.query, keep_blank_values=True)))
