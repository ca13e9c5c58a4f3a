"""One item at a time: how much its time can be trusted, when it counts, and what is odd about it.

Three times are kept apart: claimed (what the source says), created (the content system's own row) and first seen (our
poll). A claimed time alone proves nothing; it counts where one of the others confirms it, or pends until an officer does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from checks.updates.text import DAMAGED, LEGACY_ENCODING, MOJIBAKE, NOT_NFC, WRONG_CODE_PAGE
from portalops.model.updates import Channel, FlagKind, Grade, Observation, SourceTraits

CLOCK_SKEW = timedelta(minutes=10)
"""A claimed time further ahead of the poll than this lies in the future."""
REDATE_AFTER = timedelta(hours=24)
"""A publication this long after the creation of its row is an old item published again."""
REMOVED_WITHIN = timedelta(hours=48)
"""An item that is gone this soon after it was first seen was put up to be counted."""
STUB_LETTERS = 200


@dataclass(frozen=True, slots=True)
class Weighed:
    """An item, and what it is worth before it is compared with others."""

    observation: Observation
    grade: Grade
    counts_at: datetime | None
    """None if it counts for nothing."""
    evidenced_at: datetime
    """When it can be shown to have existed."""
    claimed_at: datetime | None
    flags: tuple[FlagKind, ...]
    session: str = ""
    """Items posted in one go have one session and are one occasion; empty for an item by itself."""


def weigh(
    one: Observation,
    traits: SourceTraits,
    *,
    previous_poll: datetime | None,
    removed_at: datetime | None,
    touched_at: datetime | None,
    backdate_grace: timedelta,
) -> Weighed:
    """Weigh an item.

    Args:
        one: the item.
        traits: its source.
        previous_poll: the good poll before the one that first showed it: it was not there yet.
        removed_at: the first poll that should have shown it and did not.
        touched_at: the newest date that was claimed for it after it was known.
        backdate_grace: how far its claimed time may lie before what confirms it.
    """
    claimed = one.published_at
    is_future = claimed is not None and claimed > one.first_seen_at + CLOCK_SKEW
    usable = None if is_future else claimed
    created = one.created_at if one.created_at and one.created_at <= one.first_seen_at + CLOCK_SKEW else None
    grade, evidenced = _grade(one, traits, created)
    earliest = _earliest_claim(grade, evidenced, created, previous_poll, backdate_grace)
    is_backdated = usable is not None and not traits.attested and earliest is not None and usable < earliest
    is_touched = bool(usable and created and not traits.attested and usable - created > REDATE_AFTER)
    is_known_new = not traits.attested and not one.baseline
    is_removed = bool(removed_at and is_known_new and removed_at - one.first_seen_at < REMOVED_WITHIN)
    marks = (
        (FlagKind.BASELINE, grade is Grade.C),
        (FlagKind.NO_DATE, claimed is None),
        (FlagKind.FUTURE, is_future),
        (FlagKind.BACKDATED, is_backdated),
        (FlagKind.TOUCHED, is_touched or touched_at is not None),
        (FlagKind.REMOVED, is_removed),
        (FlagKind.STUB, one.body_letters is not None and one.body_letters < STUB_LETTERS),
        (FlagKind.UNKNOWN_UNIT, one.unit is None and one.channel is not Channel.PORTAL),
    )
    counts_at = None if is_touched or is_removed else _counting_moment(grade, evidenced, created, usable, is_backdated)
    return Weighed(
        observation=one,
        grade=grade,
        counts_at=counts_at,
        evidenced_at=evidenced,
        claimed_at=touched_at or claimed,
        flags=(*(flag for flag, holds in marks if holds), *_text_flags(one.text_problems)),
    )


def _grade(one: Observation, traits: SourceTraits, created: datetime | None) -> tuple[Grade, datetime]:
    if traits.attested:
        return Grade.D, created or one.first_seen_at
    if traits.trust_created and created:
        return Grade.B, created
    if one.baseline:
        return Grade.C, one.first_seen_at
    return Grade.A, one.first_seen_at


def _earliest_claim(
    grade: Grade, evidenced: datetime, created: datetime | None, previous_poll: datetime | None, grace: timedelta
) -> datetime | None:
    """Return the earliest time that may be claimed without a flag; None where nothing contradicts any claim."""
    by_creation = created - grace if created else None
    if grade is not Grade.A:
        return by_creation
    by_polls = (previous_poll or evidenced) - grace
    return max(by_polls, by_creation) if by_creation else by_polls


def _counting_moment(
    grade: Grade, evidenced: datetime, created: datetime | None, claimed: datetime | None, is_backdated: bool
) -> datetime:
    if grade is Grade.D:
        return evidenced
    if is_backdated:
        return created if grade is Grade.C and created else evidenced
    known = [moment for moment in (created, claimed) if moment]
    if grade is Grade.A and claimed is None:
        return evidenced
    return max(known) if known else evidenced


def _text_flags(problems: Sequence[str]) -> tuple[FlagKind, ...]:
    flags = []
    if {LEGACY_ENCODING, MOJIBAKE, WRONG_CODE_PAGE, DAMAGED} & set(problems):
        flags.append(FlagKind.LEGACY_ENCODING)
    if NOT_NFC in problems:
        flags.append(FlagKind.NOT_NFC)
    return tuple(flags)
