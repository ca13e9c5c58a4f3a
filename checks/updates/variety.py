"""What was published by kind and language, and which Vietnamese items have no English pair (Articles 8 and 3.1). Pure.

Which items are a pair is known in three ways: a source's rows tell of what they are the translation; its configuration
declares how the addresses of a pair are like one another (`pairs`); or the addresses are the same but for the language. Ids
alone do not serve, since content systems number each language anew. On a site that neither tells nor declares it, and where no
pair at all is known, whether an item has one cannot be told, and nothing is held against anybody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from statistics import median_low
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from checks.updates.pairs import sides_of
from checks.updates.rules.seen import ItemClaims
from checks.updates.rules.stamps import Stamp, moment, span, stamp
from checks.updates.terms import Terms
from portalops.model.organisation import UnitId
from portalops.model.period import Period
from portalops.model.updates import ItemChannel, UpdateSourceTraits
from portalops.model.variety import KINDS, LanguageCount, PairRule, Unpaired, Variety

MAX_NAMED = 200
"""Unpaired items that are named; the others are counted."""
LANGUAGES = frozenset({"vi", "vn", "en"})
"""How addresses name the two languages, `vn` among them, which is the country's code."""
PARAMETERS = frozenset({"lang", "language", "locale", "hl", "l"})
"""Parameters of addresses that name a language."""
_DAY = span(timedelta(days=1))
_PUBLISHED = (ItemChannel.PORTAL, ItemChannel.SUBPORTAL)


class VarietyWindow(Protocol):
    """What was seen in a window of time; see `checks.updates.observations.ObservationWindow`."""

    def units(self) -> Sequence[UnitId | None]: ...
    def list_claims(self, unit: UnitId | None) -> Sequence[ItemClaims]: ...


def variety_of(
    collected: VarietyWindow, *, sources: Iterable[UpdateSourceTraits], period: Period, terms: Terms
) -> Variety:
    """Count what came on the portal and the sub-portals in a period.

    An item came when a look first saw it. Of what was there at the first look of all that is not known, and it does not count,
    unless its source's creation column is trusted: then it came when its row was made. An item that several sources of a site show is one item. An English item may have been seen earlier, from `terms.wanted_from` on.

    Args:
        collected: what was seen from `terms.wanted_from` on.
        sources: all sources, and how their pairs are told; what a cross-check alone showed does not count.
        period: the days.
        terms: the zone, and the moment of judging.
    """
    traits = {one.id: one for one in sources}
    since, until = (stamp(at) for at in period.bounds(terms.zone))
    kinds: Counter[int] = Counter()
    languages: Counter[str] = Counter()
    unpaired: list[Unpaired] = []
    lags: list[int] = []
    paired = untold = 0
    for unit in collected.units():
        shown = published(collected.list_claims(unit), traits)
        for channel in _PUBLISHED:
            site = _Site.of([one for one in shown if one.channel == channel], traits)
            came = {one.id: came_at(one, traits) for one in site.items}
            new = [one for one in site.items if (at := came[one.id]) is not None and since <= at < until]
            kinds.update(one.kind or 0 for one in new)
            languages.update(site.speaks[one.id] for one in new)
            for one in new:
                if site.speaks[one.id] != "vi":
                    continue
                english = site.english_of(one)
                if english:
                    paired += 1
                    first = min(english, key=lambda other: other.first_seen_at)
                    if not first.baseline and not one.baseline:
                        lags.append(max(0, first.first_seen_at - one.first_seen_at) // _DAY)
                elif site.tells_pairs:
                    days = (stamp(terms.now) - (came[one.id] or one.first_seen_at)) // _DAY
                    unpaired.append(Unpaired(unit, one.id, one.title, one.url, moment(one.first_seen_at), days))
                else:
                    untold += 1
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
        lag_known=len(lags),
        lag_median_days=median_low(lags) if lags else None,
        lag_longest_days=max(lags, default=None),
    )


def came_at(one: ItemClaims, traits: Mapping[str, UpdateSourceTraits]) -> Stamp | None:
    """Return when an item came; None for one that was there before anybody looked, and does not tell by what can be trusted."""
    if not one.baseline:
        return one.first_seen_at
    is_trusted = one.source in traits and traits[one.source].trust_created
    return one.created_at if is_trusted and one.created_at is not None and one.created_at <= one.first_seen_at else None


class _Site:
    """What one unit shows in one channel, and which of it are pairs."""

    def __init__(self, items: Sequence[ItemClaims], rules: Sequence[PairRule], *, declares: bool) -> None:
        self.items = items
        sides = {one.id: sides_of(one.url, rules) for one in items} if rules else {}
        self.speaks = {one.id: language_of(one) or _only(sides.get(one.id, {})) for one in items}
        self._keys = {one.id: _keys(one, self.speaks[one.id], sides.get(one.id, {})) for one in items}
        self._english: dict[tuple[str, ...], list[ItemClaims]] = defaultdict(list)
        for one in items:
            if self.speaks[one.id] == "en":
                for key in self._keys[one.id]:
                    self._english[key].append(one)
        self.tells_pairs = declares or any(self.english_of(one) for one in items if self.speaks[one.id] == "vi")

    @classmethod
    def of(cls, shown: Sequence[ItemClaims], traits: Mapping[str, UpdateSourceTraits]) -> _Site:
        """Return a site of what its sources show, with the rules that they declare."""
        own = [traits[source] for source in sorted({one.source for one in shown}) if source in traits]
        rules = tuple(dict.fromkeys(rule for one in own for rule in one.pairs))
        return cls(shown, rules, declares=bool(rules) or any(one.tells_translations for one in own))

    def english_of(self, item: ItemClaims) -> list[ItemClaims]:
        """Return the English items that are a Vietnamese one's pair."""
        return [one for key in self._keys[item.id] for one in self._english.get(key, ())]


def _keys(item: ItemClaims, language: str, sides: Mapping[str, set[tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """Return what an item has in common with its pair: one of them is enough."""
    keys = [("rule", *key) for key in sorted(sides.get(language, ()))]
    place = _pair_of(item)
    if place is not None:
        keys.append(("address", *place))
    told = item.translation_of if language == "en" else item.external_id
    return [*keys, ("row", told)] if told else keys


def _only(sides: Mapping[str, object]) -> str:
    """Return the language of the one side of a rule that an address has; empty if it has both or none."""
    return next(iter(sides)) if len(sides) == 1 else ""


def published(told: Iterable[ItemClaims], traits: Mapping[str, UpdateSourceTraits]) -> list[ItemClaims]:
    """Return each item of the portal and the sub-portals once; what a cross-check alone showed does not count."""
    some = [one for one in told if not (one.source in traits and traits[one.source].cross_check)]
    return [one for channel in _PUBLISHED for one in _once(one for one in some if one.channel == channel)]


def language_of(item: ItemClaims) -> str:
    """Return an item's language as its source tells it, else as its address does; empty where neither does."""
    tag = item.language.strip().lower().replace("_", "-").partition("-")[0]
    if tag:
        return tag
    host, path, parameters = _parts(item.url)
    named = (*host[:1], *path, *(value for key, value in parameters if key in PARAMETERS))
    found = {"vi" if name == "vn" else name for name in named if name in LANGUAGES}
    return found.pop() if len(found) == 1 else ""


def _once(items: Iterable[ItemClaims]) -> list[ItemClaims]:
    """Return each item once, whichever of a site's sources shows it: that which saw its address first."""
    seen_by: dict[tuple[str, str], str] = {}
    return [
        one for one in items if not one.url or seen_by.setdefault((one.url, one.language), one.source) == one.source
    ]


def _pair_of(item: ItemClaims) -> tuple[str, ...] | None:
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
