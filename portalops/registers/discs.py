"""Burnt discs: the records of `media.burnt`, `media.read` and `media.destroyed`, folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from portalops.model.backups import Copy, CopyState, SetId
from portalops.model.media import BurntDisc, DiscReading, DiscsDestroyed, DiscState
from portalops.model.message import Message, msg

if TYPE_CHECKING:
    from portalops.registers.evidence import SetEvidence

DAYS_OF_A_MONTH = 31
"""An alarm that counts months counts them as the longest ones, and so never comes too early."""

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


def disc_alarms(medium: str, sets: Sequence[SetEvidence], *, now: datetime, unread_months: int) -> tuple[Message, ...]:
    """Say what about the discs of a medium somebody must see to.

    Args:
        medium: its id.
        sets: as recorded, oldest first.
        now: aware.
        unread_months: how long a disc may be left unread; 0 for any time.
    """
    limit = timedelta(days=unread_months * DAYS_OF_A_MONTH)
    found: list[Message] = []
    imaged = [made for made in sets if any(copy.medium == medium and _is_imaged(copy) for copy in made.copies)]
    if imaged and not imaged[-1].is_on_discs(medium):
        found.append(
            msg(
                "its newest set {set} is still images in a folder; discs burnt and read back: {burnt}",
                set=imaged[-1].set.id,
                burnt=len(whole_numbers(imaged[-1].discs_of(medium))),
            )
        )
    for made in sets:
        discs = made.discs_of(medium)
        broken = [disc for disc in discs if disc.state is not DiscState.WHOLE]
        unread = [disc for disc in discs if disc not in broken and unread_months and now - disc.looked_at > limit]
        if made.is_disposed and discs:
            found.append(
                msg(
                    "set {set} was removed, but its discs are not destroyed yet: {discs}",
                    set=made.set.id,
                    discs=_names(discs),
                )
            )
            continue
        if broken:
            found.append(msg("discs of set {set} are damaged: {discs}", set=made.set.id, discs=_names(broken)))
        if unread:
            found.append(
                msg(
                    "discs of set {set} were not read back for too long: {discs}", set=made.set.id, discs=_names(unread)
                )
            )
    return tuple(found)


def _is_imaged(copy: Copy) -> bool:
    return copy.medium_kind == OPTICAL and copy.state in {CopyState.SEALED, CopyState.VERIFIED}


def _names(discs: Sequence[HeldDisc]) -> str:
    return ", ".join(disc.name for disc in discs)
