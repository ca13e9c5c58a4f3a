"""Whose an item is, and of which day, where its source's newest answer says something else than the first one did. Pure.

A slip that was mended and a true line that was written over look the same. So both readings stay open, until an officer confirms one by a
document. Only what was nobody's at first is the unit's that the source names for it now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from checks.updates.attested import Collected
from checks.updates.rules.grading import is_ahead
from checks.updates.rules.seen import CorrectedItem, GivenOut, ItemChanges, NearCopy, PollMoment, SeenItem, Served
from checks.updates.rules.stamps import Stamp, moment
from checks.updates.rules.unread import UnreadPart
from checks.updates.terms import NOTHING_DECIDED, Decided
from portalops.model.organisation import UnitId
from portalops.model.updates import ItemChannel, UpdateSourceTraits


class Correctable(Collected, Protocol):
    """What was collected, with what sources put right later."""

    def corrections(self) -> Sequence[CorrectedItem]: ...


class CorrectedReading(NamedTuple):
    """How an item is read that its source put right."""

    item: SeenItem
    is_open: bool = False
    """It may be read otherwise as well: it counts for nobody and against nobody."""
    otherwise: SeenItem | None = None
    """The other way, where that is of a known unit."""


def reading_of(
    one: CorrectedItem,
    traits: UpdateSourceTraits | None,
    *,
    unit_of: Callable[[SeenItem], UnitId | None],
    confirmed_unit: UnitId | None = None,
    is_confirmed: bool = False,
    units_of: Callable[[SeenItem], Sequence[UnitId]] = lambda _one: (),
) -> CorrectedReading:
    """Return how a corrected item is read; as it was first, where nothing changed that matters.

    Args:
        one: the item.
        traits: its source; None if it is configured no more.
        unit_of: whose an item is by the units of today.
        confirmed_unit: whose it is by a document that an officer had; None where that says nothing of it.
        is_confirmed: an officer has confirmed the item by a document, as its source has it now.
        units_of: the units of which an item names several.
    """
    first, newest = one.first, one.first._replace(unit=one.unit, unit_name=one.unit_name)
    is_impossible = traits is not None and traits.typed_days and is_ahead(first)
    if traits is not None and traits.attested:
        newest = newest._replace(
            title=one.title,
            created_at=one.created_at,
            published_at=one.published_at,
            first_seen_at=one.at,
            looked_before_at=first.first_seen_at,
        )
        if is_impossible:  # it was put right, and came when it was first seen
            newest = newest._replace(first_seen_at=first.first_seen_at, looked_before_at=first.looked_before_at)
    owner, owner_now = unit_of(first), unit_of(newest)
    if is_confirmed:
        read = first if confirmed_unit == owner != owner_now else newest
        return CorrectedReading(read if confirmed_unit is None else read._replace(unit=confirmed_unit, unit_name=""))
    is_moved = newest.created_at != first.created_at
    if owner is None and owner_now is not None and units_of(first):
        return CorrectedReading(newest, True, first)
    if owner is None or (owner == owner_now and (not is_moved or is_impossible)):
        return CorrectedReading(newest)
    if owner == owner_now:
        return CorrectedReading(newest, True, first)
    return CorrectedReading(first, True, newest if owner_now is not None or units_of(newest) else None)


class WithCorrections(Collected):
    """What was collected, with the items that a source put right as it has them now."""

    def __init__(
        self,
        collected: Correctable,
        sources: Iterable[UpdateSourceTraits],
        *,
        unit_of: Callable[[SeenItem], UnitId | None],
        units_of: Callable[[SeenItem], Sequence[UnitId]] = lambda _one: (),
        decided: Decided = NOTHING_DECIDED,
    ) -> None:
        """Put both together.

        Args:
            collected: from the store.
            sources: every source.
            unit_of: whose an item is by the units of today.
            units_of: the units of which it names several.
            decided: what officers have confirmed: of an item that was put right later, it confirms nothing of that.
        """
        self._collected = collected
        traits = {one.id: one for one in sources}
        read = {
            one.first.id: (
                one.first,
                reading_of(
                    one,
                    traits.get(one.first.source),
                    unit_of=unit_of,
                    units_of=units_of,
                    confirmed_unit=decided.confirmed_units.get(one.first.id),
                    is_confirmed=decided.confirms(one.first.id, moment(one.at)),
                ),
            )
            for one in collected.corrections()
        }
        self._read = {name: how for name, (first, how) in read.items() if how != CorrectedReading(first)}
        self._own: dict[UnitId | None, list[SeenItem]] = defaultdict(list)
        self._perhaps: dict[UnitId | None, list[SeenItem]] = defaultdict(list)
        for how in self._read.values():
            self._own[how.item.unit].append(how.item)
            if how.otherwise is not None:
                for unit in units_of(how.otherwise) or (unit_of(how.otherwise),):
                    if unit != how.item.unit:
                        self._perhaps[unit].append(how.otherwise)

    def units(self) -> Sequence[UnitId | None]:
        known = self._collected.units()
        return (*known, *sorted(unit for unit in self._own if unit is not None and unit not in known))

    def items(self, unit: UnitId | None) -> Sequence[SeenItem]:
        found = self._collected.items(unit)
        if not self._read:
            return found
        return [*(one for one in found if one.id not in self._read), *self._own.get(unit, ())]

    def repeated_items(self) -> Iterable[SeenItem]:
        for one in self._collected.repeated_items():
            how = self._read.get(one.id)
            yield one if how is None else how.item

    def site_texts(self, texts: Collection[str]) -> Iterable[SeenItem]:
        for one in self._collected.site_texts(texts):
            how = self._read.get(one.id)
            yield one if how is None else how.item

    def near_copies(self) -> Iterable[NearCopy]:
        for one in self._collected.near_copies():
            how = self._read.get(one.seen.id)
            yield one if how is None else one._replace(seen=how.item)

    def resembling(self, unit: UnitId) -> Sequence[SeenItem]:
        return [*self._collected.resembling(unit), *self._perhaps.get(unit, ())]

    def given_out(self, sources: Sequence[str], channel: ItemChannel | None = None) -> Mapping[str, GivenOut]:
        return self._collected.given_out(sources, channel)

    def changes(self) -> ItemChanges:
        return self._collected.changes()._replace(corrected={name: how.is_open for name, how in self._read.items()})

    def served(self) -> Mapping[str, Sequence[Served]]:
        found = {source: [*some] for source, some in self._collected.served().items()}
        for some in (*self._own.values(), *self._perhaps.values()):
            for one in some:
                made = one.created_at if one.created_at is not None else one.first_seen_at
                found.setdefault(one.source, []).append(Served(one.channel, one.unit, made))
        return found

    def refused(self) -> Sequence[UnreadPart]:
        return self._collected.refused()

    def polls_of(self, source: str) -> tuple[Sequence[PollMoment], Stamp | None]:
        return self._collected.polls_of(source)

    def complete_polls(self, source: str) -> Sequence[Stamp]:
        return self._collected.complete_polls(source)

    def arrivals(self, source: str) -> Sequence[Stamp]:
        return self._collected.arrivals(source)
