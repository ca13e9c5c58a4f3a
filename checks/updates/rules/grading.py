"""One item at a time: how much its time can be trusted, when it counts, and what is odd about it.

Three times are kept apart: claimed (what the source says), created (the content system's own row) and first seen (our
poll). A claimed time alone proves nothing; it counts where one of the others confirms it, or pends until an officer does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from checks.updates.rules.seen import SeenItem
from checks.updates.rules.stamps import Stamp, span
from checks.updates.text import DAMAGED, LEGACY_ENCODING, MOJIBAKE, NOT_NFC, WRONG_CODE_PAGE
from portalops.model.updates import FlagKind, Grade, ItemChannel, UpdateSourceTraits

CLOCK_SKEW = span(timedelta(minutes=10))
"""A claimed time further ahead of the poll than this lies in the future."""
REDATE_AFTER = span(timedelta(hours=24))
"""A publication this long after the creation of its row is an old item published again."""
REMOVED_WITHIN = span(timedelta(hours=48))
"""An item that is gone this soon after it was first seen was put up to be counted."""
STUB_LETTERS = 200

_BROKEN_TEXT = frozenset({LEGACY_ENCODING, MOJIBAKE, WRONG_CODE_PAGE, DAMAGED})


class GradedItem(NamedTuple):
    """An item, and what it is worth."""

    seen: SeenItem
    grade: Grade
    counts_at: Stamp | None
    """None if it counts for nothing."""
    evidenced_at: Stamp
    """When it can be shown to have existed."""
    claimed_at: Stamp | None
    flags: tuple[FlagKind, ...]
    session: str = ""
    """Items posted in one go have one session and are one occasion; empty for an item by itself."""


def grade(
    one: SeenItem,
    traits: UpdateSourceTraits,
    touched_at: Stamp | None,
    removed_at: Stamp | None,
    backdate_grace: int,
    *,
    is_confirmed: bool = False,
    is_watched: Callable[[SeenItem], bool] | None = None,
) -> GradedItem:
    """Weigh an item by itself.

    A row that was published long after it was made is an old item published again, unless our own looks show that it was
    not to be seen in between (docs/decisions/0009), or an officer confirms it.

    Args:
        one: the item.
        traits: its source.
        touched_at: the newest date that was claimed for it after it was known.
        removed_at: the first look that should have shown it and did not.
        backdate_grace: how many milliseconds its claimed time may lie before what confirms it.
        is_confirmed: an officer has confirmed what it claims, so that it counts though only the claim tells of its time.
        is_watched: says whether its source was looked at from the item's creation on without showing it; None for no.
    """
    claimed, seen_at = one.published_at, one.first_seen_at
    latest = seen_at + CLOCK_SKEW
    usable = claimed if claimed is not None and claimed <= latest else None
    created = one.created_at if one.created_at is not None and one.created_at <= latest else None
    if traits.attested:
        grade, evidenced = Grade.D, seen_at if created is None else created
    elif traits.trust_created and created is not None:
        grade, evidenced = Grade.B, created
    else:
        grade, evidenced = Grade.C if one.baseline else Grade.A, seen_at
    is_backdated = is_touched = has_waited = False
    if usable is not None and not traits.attested:
        if created is not None and usable - created > REDATE_AFTER:
            before = one.looked_before_at
            has_waited = before is not None and before <= usable and is_watched is not None and is_watched(one)
            is_touched = not has_waited
            if has_waited:
                grade, evidenced = Grade.A, seen_at
        earliest = _earliest_claim(one, grade, created, backdate_grace)
        is_backdated = earliest is not None and usable < earliest
    is_removed = (
        removed_at is not None and not traits.attested and not one.baseline and removed_at - seen_at < REMOVED_WITHIN
    )
    counts_at: Stamp | None
    if is_removed or (is_touched and not is_confirmed):
        counts_at = None
    elif grade is Grade.D:
        counts_at = evidenced
    elif is_backdated:
        counts_at = created if grade is Grade.C and created is not None else evidenced
    elif usable is None:
        counts_at = evidenced if created is None or grade is Grade.A else created
    else:
        counts_at = usable if created is None else max(created, usable)
    if is_confirmed and (grade is Grade.C or is_touched):
        grade = Grade.D
    is_moved = is_touched or touched_at is not None
    is_stub = one.body_letters is not None and one.body_letters < STUB_LETTERS
    is_strange = one.unit is None and one.channel != ItemChannel.PORTAL
    flags: tuple[FlagKind, ...] = ()
    if (
        grade is Grade.C
        or usable is None
        or is_backdated
        or is_moved
        or is_removed
        or is_stub
        or is_strange
        or has_waited
    ):
        marks = (
            (grade is Grade.C, FlagKind.BASELINE),
            (claimed is None, FlagKind.NO_DATE),
            (usable is not claimed, FlagKind.FUTURE),
            (is_backdated, FlagKind.BACKDATED),
            (is_moved, FlagKind.TOUCHED),
            (has_waited, FlagKind.WAITED),
            (is_removed, FlagKind.REMOVED),
            (is_stub, FlagKind.STUB),
            (is_strange, FlagKind.UNKNOWN_UNIT),
        )
        flags = tuple(flag for holds, flag in marks if holds)
    if one.text_problems:
        flags += _text_flags(one.text_problems)
    return GradedItem(one, grade, counts_at, evidenced, claimed if touched_at is None else touched_at, flags)


def _earliest_claim(one: SeenItem, grade: Grade, created: Stamp | None, grace: int) -> Stamp | None:
    """Return the earliest time that may be claimed without a flag; None where nothing contradicts any claim."""
    if grade is not Grade.A:
        return None if created is None else created - grace
    before = one.first_seen_at if one.looked_before_at is None else one.looked_before_at
    return (before if created is None else max(before, created)) - grace


def _text_flags(problems: str) -> tuple[FlagKind, ...]:
    codes = problems.split(",")
    broken = (FlagKind.LEGACY_ENCODING,) if not _BROKEN_TEXT.isdisjoint(codes) else ()
    return (*broken, FlagKind.NOT_NFC) if NOT_NFC in codes else broken
