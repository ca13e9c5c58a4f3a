"""Whose an item is by the units of today, where its source's name for the unit fitted none when it was collected. Pure.

The store keeps what was known when an item was first seen. An alias that was added since makes its unit known at the next judging, and
nothing is to be collected again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from checks.updates.attested import Collected, same_item
from checks.updates.authors import BESIDE, names_nobody
from checks.updates.corrections import Correctable, WithCorrections
from checks.updates.rules.seen import GivenOut, ItemChanges, NearCopy, PollMoment, SeenItem, Served
from checks.updates.rules.stamps import Stamp, moment
from checks.updates.rules.unread import UnreadPart
from checks.updates.terms import NOTHING_DECIDED, Decided
from checks.updates.unit_names import UnitNames
from portalops.model.organisation import UnitId
from portalops.model.updates import ItemChannel, UpdateSourceTraits


def attributed(
    collected: Correctable,
    names: UnitNames,
    sources: Sequence[UpdateSourceTraits],
    decided: Decided = NOTHING_DECIDED,
) -> Collected:
    """Return what was collected under the units of today, as the sources have it now.

    Args:
        collected: from the store.
        names: the units of today.
        sources: every source.
        decided: what officers have confirmed.
    """
    known = {traits.id: traits for traits in sources}

    def unit_of(one: SeenItem) -> UnitId | None:
        return attributed_unit(one, names, known)

    def units_of(one: SeenItem) -> Sequence[UnitId]:
        traits = known.get(one.source)
        is_of_several = one.unit is None and BESIDE in one.unit_name and traits is not None
        return names.find_each(one.unit_name, traits, moment(_made_at(one))) if traits and is_of_several else ()

    corrected = WithCorrections(collected, sources, unit_of=unit_of, units_of=units_of, decided=decided)
    return WithNames(corrected, names, sources, decided)


def attributed_unit(one: SeenItem, names: UnitNames, sources: Mapping[str, UpdateSourceTraits]) -> UnitId | None:
    """Return whose an item is: the unit that it was seen with, else the one that its source's name for it fits today."""
    traits = sources.get(one.source)
    if one.unit is not None or not one.unit_name or traits is None:
        return one.unit
    return names.find(one.unit_name, traits, moment(_made_at(one)))


def likely_units(name: str, names: UnitNames, traits: UpdateSourceTraits | None, when: datetime) -> tuple[UnitId, ...]:
    """Return the units for which an item of an unknown sender is open by its name, a mention or an address, and those that took over from them."""
    alike = names.likely(name, traits, when)
    heirs = (each for unit in alike for each in names.successors(unit, when))
    return tuple(dict.fromkeys((*alike, *heirs)))


def _made_at(one: SeenItem) -> Stamp:
    known = (one.created_at, one.published_at)
    return next((at for at in known if at is not None), one.first_seen_at)


class WithNames(Collected):
    """What was collected, with items of unknown units under the units that are known today."""

    def __init__(
        self,
        collected: Collected,
        names: UnitNames,
        sources: Iterable[UpdateSourceTraits],
        decided: Decided = NOTHING_DECIDED,
    ) -> None:
        self._collected, self._names, self._decided = collected, names, decided
        self._sources = {traits.id: traits for traits in sources}
        self._by_unit: dict[UnitId | None, list[SeenItem]] = defaultdict(list)
        for one in collected.items(None):
            own = self._attributed(one)
            self._by_unit[own.unit].append(own)

    def units(self) -> Sequence[UnitId | None]:
        known = self._collected.units()
        return (*known, *sorted(unit for unit in self._by_unit if unit is not None and unit not in known))

    def items(self, unit: UnitId | None) -> Sequence[SeenItem]:
        own = self._by_unit.get(unit, ())
        return own if unit is None else [*self._collected.items(unit), *own]

    @cached_property
    def _perhaps(self) -> Mapping[UnitId, Sequence[SeenItem]]:
        """Items that may be a unit's: of unknown senders with a name like its own, and of a unit that it has taken over from."""
        found: dict[UnitId, list[SeenItem]] = defaultdict(list)
        for one in self._unknown:
            alike = likely_units(one.unit_name, self._names, self._sources.get(one.source), moment(_made_at(one)))
            for each in dict.fromkeys((*alike, *self._sharing(one), *self._decided.claimed.get(one.id, ()))):
                found[each].append(one)
        for unit in self._names.ended(self.units()):
            for one in self.items(unit):
                for each in self._names.successors(unit, moment(_made_at(one))):
                    found[each].append(one)
        return found

    @cached_property
    def _unknown(self) -> Sequence[SeenItem]:
        """Items of unknown senders that no officer has entered for a unit; a unit's own word takes an item from no other unit."""
        claims = {entry for entries in self._decided.claimed.values() for entry in entries.values()}
        entered = Counter(
            same_item(one) for one in self._decided.attested if one.unit is not None and one.id not in claims
        )
        found = []
        for one in self._by_unit.get(None, ()):
            key = same_item(one)
            if entered[key]:
                entered[key] -= 1  # two papers of one day may have one subject and no number of their own
            else:
                found.append(one)
        return found

    def _sharing(self, one: SeenItem) -> Sequence[UnitId]:
        """Return the units of a shared sub-portal feed: an item that somebody else signs may be any one's of them."""
        traits = self._sources.get(one.source)
        if traits is None or traits.unit is not None or one.channel != ItemChannel.SUBPORTAL:
            return ()
        if BESIDE in one.unit_name and self._names.find_each(one.unit_name, traits, moment(_made_at(one))):
            return ()  # it is one of theirs that it names
        declared = [unit for _name, unit in traits.unit_names]
        if not names_nobody(one.unit_name):
            return declared
        return [*dict.fromkeys((*declared, *self._carried.get(one.source, ())))]

    @cached_property
    def _carried(self) -> Mapping[str, Sequence[UnitId]]:
        """The units whose sub-portals a source was seen to carry."""
        return {
            source: [one.unit for one in some if one.unit is not None and one.channel == ItemChannel.SUBPORTAL]
            for source, some in self.served().items()
        }

    @cached_property
    def _unnamed(self) -> Sequence[SeenItem]:
        """What was sent in without its author's name by sources that name authors, or by strangers to a register: it may be any unit's."""
        named = {traits.id for traits in self._sources.values() if traits.names_authors}
        return [
            one
            for one in self._unknown
            if one.channel == ItemChannel.SUBMISSION
            and one.source in named
            and (
                names_nobody(one.unit_name)
                or self._names.is_stranger(one.unit_name, self._sources[one.source], moment(_made_at(one)))
            )
        ]

    def resembling(self, unit: UnitId) -> Sequence[SeenItem]:
        unknown = {one.id: one for one in (*self._perhaps.get(unit, ()), *self._unnamed)}
        claimed = self._decided.claimed
        open_still = (one for one in unknown.values() if claimed.get(one.id, {}).keys() != {unit})
        return [*self._collected.resembling(unit), *open_still]

    def given_out(self, sources: Sequence[str], channel: ItemChannel | None = None) -> Mapping[str, GivenOut]:
        return self._collected.given_out(sources, channel)

    def repeated_items(self) -> Iterable[SeenItem]:
        return map(self._attributed, self._collected.repeated_items())

    def near_copies(self) -> Iterable[NearCopy]:
        return (one._replace(seen=self._attributed(one.seen)) for one in self._collected.near_copies())

    def site_texts(self, texts: Collection[str]) -> Iterable[SeenItem]:
        return map(self._attributed, self._collected.site_texts(texts))

    def changes(self) -> ItemChanges:
        return self._collected.changes()

    def served(self) -> Mapping[str, Sequence[Served]]:
        found = {source: [*some] for source, some in self._collected.served().items()}
        for unit, items in self._by_unit.items():
            begins: dict[tuple[str, str], Stamp] = {}
            for one in items if unit is not None else ():
                whose = one.source, one.channel
                begins[whose] = min(begins.get(whose, _made_at(one)), _made_at(one))
            for (source, channel), at in begins.items():
                found.setdefault(source, []).append(Served(channel, unit, at))
        return found

    def refused(self) -> Sequence[UnreadPart]:
        return self._collected.refused()

    def polls_of(self, source: str) -> tuple[Sequence[PollMoment], Stamp | None]:
        return self._collected.polls_of(source)

    def complete_polls(self, source: str) -> Sequence[Stamp]:
        return self._collected.complete_polls(source)

    def arrivals(self, source: str) -> Sequence[Stamp]:
        return self._collected.arrivals(source)

    def _attributed(self, one: SeenItem) -> SeenItem:
        return one._replace(unit=attributed_unit(one, self._names, self._sources))
