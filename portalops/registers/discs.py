"""Burnt discs: the records of `media.burnt`, `media.read` and `media.destroyed`, folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

from portalops.model.backups import SetId
from portalops.model.media import BurntDisc, DiscReading, DiscsDestroyed, DiscState
from portalops.model.values import dataclass

OPTICAL: Final = "optical"
"""The kind of media whose copies are images of discs, in a folder, until somebody burns them."""

BURNT, READ, DESTROYED = "media.burnt", "media.read", "media.destroyed"
BURNT_DISC, DISC_READING, DISCS_DESTROYED = "burnt_disc", "disc_reading", "discs_destroyed"
"""The keys of the three in their records' bodies."""

DiscBody: TypeAlias = BurntDisc | DiscReading | DiscsDestroyed

DISC_KINDS: Final[Mapping[str, tuple[str, type[DiscBody]]]] = {
    BURNT: (BURNT_DISC, BurntDisc),
    READ: (DISC_READING, DiscReading),
    DESTROYED: (DISCS_DESTROYED, DiscsDestroyed),
}
"""The kinds of records that tell of discs; under which key of the body, and of which type."""


@dataclass(frozen=True, slots=True)
class HeldDisc:
    """A burnt disc that nobody has recorded as destroyed, as it was seen last."""

    seq: int
    """The record of its burning."""
    burnt: BurntDisc
    burnt_at: datetime
    state: DiscState
    problem: str
    looked_at: datetime
    read_at: datetime | None
    """When all of it was last read and was right; None if it never was."""

    @property
    def name(self) -> str:
        """Say which disc it is: number, count and label, the same in every language."""
        return f"{self.burnt.number}/{self.burnt.count} {self.burnt.label}"


def fold_discs(records: Iterable[tuple[int, datetime, DiscBody]]) -> tuple[HeldDisc, ...]:
    """Return the discs that there are, in the order in which they were burnt.

    A disc is known by medium, set, number and label. Burning another under the same name takes the place of the one before.

    Args:
        records: number, moment and body of each, oldest first.
    """
    discs: dict[tuple[str, SetId, int, str], HeldDisc] = {}
    for seq, at, body in records:
        match body:
            case BurntDisc():
                read_at = at if body.state is DiscState.WHOLE else None
                key = (body.medium, body.set_id, body.number, body.label)
                discs.pop(key, None)
                discs[key] = HeldDisc(seq, body, at, body.state, body.problem, at, read_at)
            case DiscReading():
                key = (body.medium, body.set_id, body.number, body.label)
                if known := discs.get(key):
                    read_at = at if body.state is DiscState.WHOLE else known.read_at
                    discs[key] = replace(known, state=body.state, problem=body.problem, looked_at=at, read_at=read_at)
            case DiscsDestroyed():
                for key in [key for key in discs if key[:2] == (body.medium, body.set_id) and key[3] in body.labels]:
                    del discs[key]
    return tuple(discs.values())


def belonging(discs: Sequence[HeldDisc]) -> tuple[HeldDisc, ...]:
    """Return those of a set's discs on one medium that hold it together: of a spread that is complete, else of the newest."""
    spreads: dict[tuple[str, int], list[HeldDisc]] = {}
    for disc in discs:
        spreads.setdefault((disc.burnt.spread, disc.burnt.count), []).append(disc)
    newest_first = [tuple(each) for each in reversed(spreads.values())]
    return next((each for each in newest_first if _is_complete(each)), newest_first[0] if newest_first else ())


def whole_numbers(discs: Sequence[HeldDisc]) -> frozenset[int]:
    """Return which discs of a set there are whole, of however many copies of each, among those that belong together."""
    return _whole(belonging(discs))


def are_complete(discs: Sequence[HeldDisc]) -> bool:
    """Say whether a set's discs on one medium are all there and whole: then the set can be restored from them alone."""
    together = belonging(discs)
    return bool(together) and _is_complete(together)


def _is_complete(together: Sequence[HeldDisc]) -> bool:
    return _whole(together) >= frozenset(range(1, together[-1].burnt.count + 1))


def _whole(together: Sequence[HeldDisc]) -> frozenset[int]:
    return frozenset(disc.burnt.number for disc in together if disc.state is DiscState.WHOLE)
