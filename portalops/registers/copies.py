"""What the ledger knows of one copy: every look at it, folded. Pure.

Depths that were reached once stay known with their times; a look that goes less deep takes nothing from them. Damage,
removal, or a copy that was made anew ends what was known before: those were other bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from portalops.model.backups import Copy, CopyState
from portalops.model.reading import Reading, with_reading

ENDED = frozenset({CopyState.FAILED, CopyState.DAMAGED, CopyState.DISPOSED})
"""States in which nothing that was read before speaks for what comes after."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one record says of a copy."""

    seq: int
    at: datetime
    """When it was recorded."""
    copy: Copy


@dataclass(frozen=True, slots=True)
class KnownCopy:
    """A copy as it was seen last, and how deep it has been read."""

    copy: Copy
    readings: tuple[Reading, ...] = ()


def first_known(look: Look) -> KnownCopy:
    """Return what is known of a copy from the record that first tells of it."""
    return KnownCopy(look.copy, with_reading((), look.copy, look.seq))


def after(before: KnownCopy | None, look: Look) -> KnownCopy:
    """Return what is known of a copy after one more look.

    Of a removed copy it stays known when it had been verified, for what that says of its own time.
    """
    now = look.copy
    if before is None:
        return first_known(look)
    if now.state is CopyState.DISPOSED:
        verified_at = before.copy.verified_at if before.copy.state is CopyState.VERIFIED else None
        return KnownCopy(replace(now, verified_at=verified_at), before.readings)
    kept: Sequence[Reading] = () if {before.copy.state, now.state} & ENDED else before.readings
    return KnownCopy(now, with_reading(kept, now, look.seq))
