"""How deep a copy was looked into, when, and until when that counts.

No article says for how long a verification counts. The numbers are portalops's own, stand in the rulebook beside the
regulation's (`read_back_max_age_days` and the two after it), and each portal may choose others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from portalops.model.backups import Copy, CopyState, VerifyLevel
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import Numbers
from portalops.model.values import dataclass

DEPTHS = (VerifyLevel.L1, VerifyLevel.L2, VerifyLevel.L3, VerifyLevel.L4)
"""Each is part of every deeper one: querying restored data implies that every byte was read."""

Limits = Mapping[VerifyLevel, timedelta]
"""How long each of `DEPTHS` counts."""


@dataclass(frozen=True, slots=True)
class Reading:
    """When one depth was reached last."""

    level: VerifyLevel
    at: datetime
    seq: int
    """The record of it."""
    by: str = ""
    """Public key of the host that did it; empty for this ledger's own host."""


@dataclass(frozen=True, slots=True)
class Expired:
    """A depth that was reached, and no longer counts."""

    level: VerifyLevel
    reached_at: datetime
    expired_at: datetime


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the readings of a copy are worth at a moment."""

    level: VerifyLevel
    """The deepest one that counts together with all below it; NONE where nobody has read the bytes lately."""
    deepest: VerifyLevel
    """The deepest one ever reached since the copy has been what it is."""
    read_at: datetime | None
    """When its bytes were last read."""
    due_at: datetime | None
    """Until when that counts: from then on the copy is not a verified one. None if it was never read."""
    expired: tuple[Expired, ...] = ()

    @property
    def is_fresh(self) -> bool:
        """Whether every byte was read, and lately enough."""
        return self.level is not VerifyLevel.NONE


def limits_of(numbers: Numbers) -> Limits:
    """Return how long each depth counts; the structure alone is never read, so it counts as long as the bytes."""
    read_back = timedelta(days=numbers.read_back_max_age_days)
    return {
        VerifyLevel.L1: read_back,
        VerifyLevel.L2: read_back,
        VerifyLevel.L3: timedelta(days=numbers.restored_max_age_days),
        VerifyLevel.L4: timedelta(days=numbers.queried_max_age_days),
    }


def standing(readings: Sequence[Reading], limits: Limits, now: datetime) -> Freshness:
    """Return what readings are worth at a moment.

    What was read after it counts: that the bytes are whole later shows that they were whole then.

    Args:
        readings: at most one of each depth.
        limits: how long each counts, the last moment included.
        now: aware.
    """
    held = {each.level: each for each in readings}
    expired = tuple(
        Expired(each.level, each.at, each.at + limits[each.level])
        for each in readings
        if each.level is not VerifyLevel.L1 and each.at + limits[each.level] < now
    )
    late = {each.level for each in expired}
    level = VerifyLevel.NONE
    for depth in DEPTHS[1:]:
        if depth not in held or depth in late:
            break
        level = depth
    read = held.get(VerifyLevel.L2)
    return Freshness(
        level,
        max(held, key=DEPTHS.index, default=VerifyLevel.NONE),
        read.at if read else None,
        read.at + limits[VerifyLevel.L2] if read else None,
        expired,
    )


_WORDS: Mapping[VerifyLevel, Message] = {
    VerifyLevel.NONE: msg("not checked"),
    VerifyLevel.L1: msg("L1: structure"),
    VerifyLevel.L2: msg("L2: every byte read"),
    VerifyLevel.L3: msg("L3: restored"),
    VerifyLevel.L4: msg("L4: restored and queried"),
}


def level_word(level: VerifyLevel) -> Message:
    """Return the words for how deep a copy was looked into."""
    return _WORDS[level]


def depth_words(fresh: Freshness) -> Message:
    """Say how deep a copy counts as read, and which deeper reading has expired, on which day (UTC)."""
    if not fresh.expired:
        return level_word(fresh.level)
    late = fresh.expired[-1]
    if fresh.is_fresh:
        return msg(
            "{level} ({late}: expired on {day})",
            level=level_word(fresh.level),
            late=level_word(late.level),
            day=late.expired_at.date(),
        )
    first = fresh.expired[0]
    return msg("expired on {day} ({late})", late=level_word(fresh.deepest), day=first.expired_at.date())


def read_words(fresh: Freshness, now: datetime) -> Message:
    """Say how long ago a copy was read."""
    if fresh.read_at is None:
        return msg("never read back")
    days = (now - fresh.read_at).days
    return msg("read today") if days < 1 else nmsg("read {n} day ago", "read {n} days ago", days)


def depth_and_age(fresh: Freshness, now: datetime) -> Message:
    """Say how deep a copy counts as read, and how long ago it was read."""
    return msg("{depth}; {read}", depth=depth_words(fresh), read=read_words(fresh, now))


def with_reading(readings: Sequence[Reading], copy: Copy, seq: int, *, by: str = "") -> tuple[Reading, ...]:
    """Return the readings with what a look adds: a shallow one takes nothing from a deeper one before it.

    Args:
        readings: until then.
        copy: as the look left it; it adds something if it was verified.
        seq: the record of the look.
        by: see `Reading.by`.
    """
    if copy.state is not CopyState.VERIFIED or copy.verified_at is None:
        return tuple(readings)
    held = {each.level: each for each in readings}
    reached = max(VerifyLevel.L2, copy.level, key=[VerifyLevel.NONE, *DEPTHS].index)  # verified means: every byte
    for depth in DEPTHS[: DEPTHS.index(reached) + 1]:
        if depth not in held or held[depth].at < copy.verified_at:
            held[depth] = Reading(depth, copy.verified_at, seq, by)
    return tuple(held[depth] for depth in DEPTHS if depth in held)
