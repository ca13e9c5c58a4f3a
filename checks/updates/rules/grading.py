"""One item at a time: the interval in which it came, how much that can be trusted, and what is odd about it.

An item came between two polls: after the last answer that would have shown it and did not, until the first that did. What the
source claims decides no day: it narrows that from inside only where both ends lie on one local day. The content system's own row
and a mail server's receipt narrow it to a point. A claim that lies outside is refuted, and changes nothing (docs/decisions/0015).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from checks.updates.authors import author_above, names_nobody
from checks.updates.rules.placing import Interval
from checks.updates.rules.seen import Gone, SeenItem
from checks.updates.rules.stamps import Stamp, span
from checks.updates.text import DAMAGED, LEGACY_ENCODING, MOJIBAKE, NO_MARKS, NOT_NFC, WRONG_CODE_PAGE
from portalops.model.updates import FlagKind, Grade, ItemChannel, Rewrite, UpdateSourceTraits

BEGINNING: Stamp = -(2**62)
"""Before every moment: where an item's interval begins that no earlier poll would have shown."""
CLOCK_SKEW = span(timedelta(minutes=10))
"""A claimed time further ahead of the poll than this lies in the future; further behind the row's creation, it is backdated."""
CACHE_LAG = span(timedelta(hours=2))
"""An answer may be as old as the caches on its way: a claim this little behind the poll that did not show the item may be true."""
STALE_FOR = span(timedelta(hours=72))
"""A feed that is built once a day, or a page in a cache over the weekend, is so old at most: an earlier claim is refuted for good."""
QUEUED_FOR = span(timedelta(days=5))
"""Mail servers try for four to five days to hand a mail on (RFC 5321, 4.5.4.1)."""
LONG_AGO = span(timedelta(days=30))
"""What claims to be older than this, and came up all the same, may be an old item that was put into the list from elsewhere."""
REDATE_AFTER = span(timedelta(hours=24))
"""What comes up this long after the creation of its row is an old item published again, or a draft that waited."""
REMOVED_WITHIN = span(timedelta(hours=48))
"""An item that is gone this soon after it was first seen was put up to be counted."""
ENTERED_AHEAD = span(timedelta(days=1))
"""A paper may be entered the evening before the day under which it is registered."""
STUB_LETTERS = 200
LEAST_WORDS = 3
"""A title of fewer, with hardly a text, tells nobody anything, such as *Tin mới*; *Lịch tuần 47* does."""

_WORD = re.compile(r"\w+")
_BROKEN_TEXT = frozenset({LEGACY_ENCODING, MOJIBAKE, WRONG_CODE_PAGE, DAMAGED})
_BEYOND_COMPARING = frozenset({LEGACY_ENCODING, MOJIBAKE, NO_MARKS})
"""What makes any old text look like another one."""


class GradedItem(NamedTuple):
    """An item, and what it is worth."""

    seen: SeenItem
    grade: Grade
    came: Interval | None
    """When it came; None if it counts for nothing."""
    is_sure: bool
    """It is an update for certain; else it may be one, and counts for nobody and against nobody."""
    claimed_at: Stamp | None
    flags: tuple[FlagKind, ...]
    hoped_at: Stamp | None = None
    """Where it counts if an officer confirms what it claims; None where no confirmation would change anything."""
    session: str = ""
    """Items posted in one go have one session and are one occasion; empty for an item by itself."""
    went_soon: bool = False
    """Its list surely lacked it within two days: it was taken down, or moved."""
    perhaps_since: Stamp | None = None
    """What it claims, where the poll that did not show it may have got an old answer, or a server may have held a mail back: from then on it may
    have come; None for no such doubt."""

    @property
    def counts_at(self) -> Stamp | None:
        """Return the moment by which it is shown: its claim where that lies in the interval, else the end of the interval."""
        if self.came is None:
            return None
        return self.came.last if self.hoped_at is None else self.hoped_at

    @property
    def evidenced_at(self) -> Stamp:
        """Return when it can be shown to have existed."""
        return self.seen.first_seen_at if self.came is None else self.came.last


class ClaimRules(NamedTuple):
    """What a claimed time is worth."""

    is_one_day: Callable[[Stamp, Stamp], bool]
    """Whether two moments, the earlier first, count on one local day."""
    day_of: Callable[[Stamp], Interval | None]
    """The first and last moment of the local day of a claim that names a day without an hour; None if it names an hour."""


def grade(
    one: SeenItem,
    traits: UpdateSourceTraits,
    touched_at: Stamp | None,
    gone: Gone | None,
    claims: ClaimRules,
    *,
    is_confirmed: bool = False,
    is_corrected: bool = False,
    is_open: bool = False,
    misread_day: FlagKind | None = None,
    confirmed_day: Interval | None = None,
    is_watched: Callable[[SeenItem], bool] | None = None,
) -> GradedItem:
    """Weigh an item by itself.

    A row that comes up long after it was made is an old item published again, unless our own polls show that it was
    not to be seen in between (docs/decisions/0009), or an officer confirms it.

    Args:
        one: the item.
        traits: its source.
        touched_at: the newest date that was claimed for it after it was known.
        gone: how it went away; None if it is there.
        claims: what a claimed time is worth.
        is_confirmed: an officer has confirmed what it claims, or a day.
        is_corrected: its source has put it right since it was first seen.
        is_open: it is not known which of both words of its source holds.
        misread_day: why its day may be another one, such as exchanged day and month; None if nothing says so. A confirmation settles that.
        confirmed_day: the bounds of that day; a day outside the interval is refuted, and confirms nothing.
        is_watched: says whether its source was polled from the item's creation on without showing it; None for no.
    """
    claimed, until, after = one.published_at, one.first_seen_at, one.looked_before_at
    latest = until + CLOCK_SKEW + (ENTERED_AHEAD if traits.typed_days else 0)
    usable = min(claimed, until) if claimed is not None and claimed <= latest else None
    created = one.created_at if one.created_at is not None and one.created_at <= latest else None
    first = BEGINNING if after is None else after + 1
    is_backdated = is_touched = has_waited = is_stray = False
    hoped = perhaps_since = None
    if traits.attested:
        kind = Grade.D
        came = Interval(first, until) if created is None else Interval(created, created)
        perhaps_since = _sent_before(one, traits, claims)
        is_stray = is_backdated = not is_confirmed and is_put_back(one, traits)
    else:
        kind = Grade.C if after is None else Grade.A
        claim = usable if usable is not None else created
        if created is not None and _is_old(created, usable, after):
            has_waited = after is not None and is_watched is not None and is_watched(one)
            is_touched = not has_waited
        if traits.trust_created and created is not None and (after is None or created > after) and not has_waited:
            kind = Grade.B
            at = usable if usable is not None and created < usable else created
            is_point = not is_touched and claims.is_one_day(created, at)
            came, hoped = (Interval(at, at), None) if is_point else (Interval(created, until), at)
            is_backdated = usable is not None and usable < created - CLOCK_SKEW
        elif claim is None:
            came = Interval(first, until)
        elif after is not None and after - CACHE_LAG <= claim <= after and created is None:
            came, hoped = Interval(claim, until), claim  # it came when it claims, or after the poll
        else:
            came, hoped = _narrowed(first, until, claim, claims)
            is_backdated = usable is not None and after is not None and _end_of(usable, claims) < after - CACHE_LAG
            if created is not None and usable is not None and usable < created - CLOCK_SKEW:
                is_backdated = True
            if is_backdated and usable is not None and after is not None and usable <= after:
                perhaps_since = usable if _end_of(usable, claims) >= after - STALE_FOR else None
                is_stray = is_from_long_ago(one) and not (traits.trust_created or is_confirmed)
    is_moved = is_touched or (touched_at is not None and not traits.attested)
    is_struck = gone is not None and traits.attested and not is_confirmed
    is_removed = may_be_removed = went_soon = False
    if gone is not None and not traits.attested and not one.baseline and gone.seen_at - until < REMOVED_WITHIN:
        # What a list or a feed lacks may stand in another category now; of what is listed whole it is known.
        went_soon = gone.at - until < REMOVED_WITHIN and gone.is_sure
        is_removed = went_soon and traits.complete
        may_be_removed = not is_removed
    if confirmed_day is not None:
        first_of_day, last_of_day = max(came.first, confirmed_day.first), min(came.last, confirmed_day.last)
        if traits.attested:  # a registrar wrote another day: what an officer says by a document corrects that
            came, kind, hoped = confirmed_day, Grade.D, None
        elif first_of_day <= last_of_day and not is_removed:
            came, kind, is_touched, hoped = Interval(first_of_day, last_of_day), Grade.D, False, None
    elif is_confirmed and not is_removed and (after is None or is_touched or hoped is not None):
        kind, is_touched = Grade.D, False
        if hoped is not None:
            came, hoped = Interval(hoped, hoped), None
    # What a mail with hardly a word and without a document tells nobody can say but who got it: a greeting, thanks, a question.
    is_empty = traits.attested and one.body_letters is not None and one.body_letters < STUB_LETTERS and not is_confirmed
    # A register has subjects and no texts: a paper is known again by its number.
    has_only_subject = traits.attested and one.body_letters is None
    is_disguised = is_beyond_comparing(one) and not (is_confirmed or has_only_subject)
    is_bare_item = is_bare(one) and not (traits.attested or is_confirmed)
    is_by_program = not is_confirmed and FlagKind.AUTOMATIC in one.text_problems.split(",")
    misread_day = None if is_confirmed else misread_day
    is_doubtful = (
        misread_day is not None
        or is_by_program
        or is_touched
        or may_be_removed
        or is_struck
        or is_open
        or is_empty
        or is_disguised
        or is_bare_item
        or is_stray
        or one.rewrite == Rewrite.OPEN
    )
    is_sure = not is_doubtful and kind is not Grade.C
    is_stub = is_bare_item or (one.body_letters is not None and one.body_letters < STUB_LETTERS)
    is_strange = one.unit is None and one.channel != ItemChannel.PORTAL
    is_odd = (
        kind is Grade.C
        or is_backdated
        or is_moved
        or is_removed
        or may_be_removed
        or has_waited
        or one.rewrite
        or is_struck
        or is_corrected
        or misread_day is not None
        or is_by_program
    )
    flags: tuple[FlagKind, ...] = ()
    if is_odd or is_stub or is_strange or usable is None:
        marks = (
            (one.baseline and kind is Grade.C, FlagKind.BASELINE),
            (not one.baseline and kind is Grade.C, FlagKind.UNBOUNDED),
            (claimed is None and not one.rewrite, FlagKind.NO_DATE),
            (usable is None and claimed is not None, FlagKind.FUTURE),
            (is_backdated, FlagKind.BACKDATED),
            (is_moved, FlagKind.TOUCHED),
            (has_waited, FlagKind.WAITED),
            (is_removed or may_be_removed, FlagKind.REMOVED),
            (is_struck, FlagKind.STRUCK_OUT),
            (is_corrected, FlagKind.CORRECTED),
            (misread_day is FlagKind.EXCHANGED, FlagKind.EXCHANGED),
            (misread_day is FlagKind.MISDATED, FlagKind.MISDATED),
            (is_by_program, FlagKind.AUTOMATIC),
            (bool(one.rewrite), FlagKind.REWRITTEN),
            (is_stub, FlagKind.STUB),
            (is_strange, FlagKind.UNKNOWN_UNIT),
        )
        flags = tuple(flag for holds, flag in marks if holds)
    if one.text_problems:
        flags += _text_flags(one.text_problems)
    return GradedItem(
        one,
        kind,
        None if is_removed else came,
        is_sure,
        claimed if touched_at is None or traits.attested else touched_at,
        flags,
        None if is_removed or (is_doubtful and not is_touched and kind is not Grade.C) else hoped,
        went_soon=went_soon,
        perhaps_since=perhaps_since if kind is Grade.A or (traits.attested and not is_confirmed) else None,
    )


def is_unnamed(item: GradedItem) -> bool:
    """Say whether an item counts for nobody for certain as its author is not written, or repeats the line above."""
    one = item.seen
    if one.unit is not None or item.is_sure or one.channel == ItemChannel.PORTAL:
        return False
    return names_nobody(one.unit_name) or author_above(one.unit_name) != one.unit_name


def is_ahead(one: SeenItem) -> bool:
    """Say whether an item stood there before the day that it names, so that this day is a slip, or it was entered ahead."""
    return one.created_at is not None and one.created_at > one.first_seen_at + CLOCK_SKEW


def is_from_long_ago(one: SeenItem) -> bool:
    """Say whether an item claims a time long before the poll that did not show it yet; a page that was rewritten keeps its date."""
    if one.published_at is None or one.looked_before_at is None or one.rewrite:
        return False
    return one.published_at < one.looked_before_at - LONG_AGO


def is_put_back(one: SeenItem, traits: UpdateSourceTraits) -> bool:
    """Say whether a mail says that it was sent long before its server took it: an old one that was put back, or a wrong clock."""
    if traits.complete or one.published_at is None or one.created_at is None:
        return False
    return one.published_at < one.created_at - LONG_AGO


def is_bare(one: SeenItem) -> bool:
    """Say whether an item of a site is a word or two, without a text."""
    return one.title_alone and len(_WORD.findall(one.title)) < LEAST_WORDS


def is_beyond_comparing(one: SeenItem) -> bool:
    """Say whether an item's text is written so that no earlier one can be known again in it."""
    return bool(one.text_problems) and not _BEYOND_COMPARING.isdisjoint(one.text_problems.split(","))


def grade_plain(one: SeenItem, traits: UpdateSourceTraits, claims: ClaimRules) -> GradedItem | None:
    """Return what `grade` comes to for an item without anything odd, of which a year may have ten million; else None."""
    claimed, created, after = one.published_at, one.created_at, one.looked_before_at
    if claimed is None or one.text_problems or one.rewrite or one.unit is None or one.title_alone:
        return None
    if one.body_letters is not None and one.body_letters < STUB_LETTERS:
        return None
    if traits.attested:
        if created is None or created > one.first_seen_at or claimed > one.first_seen_at:
            return None
        if is_put_back(one, traits):
            return None
        came = Interval(created, created)
        return GradedItem(one, Grade.D, came, True, claimed, (), perhaps_since=_sent_before(one, traits, claims))
    if created is not None or after is None or not after < claimed <= one.first_seen_at:
        return None
    if not claims.is_one_day(after + 1, one.first_seen_at):
        return GradedItem(one, Grade.A, Interval(after + 1, one.first_seen_at), True, claimed, (), claimed)
    if claims.day_of(claimed) is not None:
        return None
    return GradedItem(one, Grade.A, Interval(claimed, claimed), True, claimed, ())


def _sent_before(one: SeenItem, traits: UpdateSourceTraits, claims: ClaimRules) -> Stamp | None:
    """Return when a mail says that it was sent, where that is on an earlier day than its server took it, and not long before; else None."""
    sent, taken = one.published_at, one.created_at
    if traits.complete or sent is None or taken is None or not 0 < taken - sent <= QUEUED_FOR:
        return None
    return None if claims.is_one_day(sent, taken) else sent


def _end_of(claim: Stamp, claims: ClaimRules) -> Stamp:
    """Return the last moment that a claim may mean: the end of its day where it names no hour."""
    day = claims.day_of(claim)
    return claim if day is None else day.last


def _is_old(created: Stamp, usable: Stamp | None, after: Stamp | None) -> bool:
    """Say whether a row was made long before it came up: by its own claim, or by the poll that did not show it yet."""
    return (usable is not None and usable - created > REDATE_AFTER) or (
        after is not None and after - created > REDATE_AFTER
    )


def _narrowed(first: Stamp, until: Stamp, claim: Stamp, claims: ClaimRules) -> tuple[Interval, Stamp | None]:
    """Return an interval as a claim inside it narrows it, and what an officer may confirm."""
    day = claims.day_of(claim)
    begins, ends = (claim, claim) if day is None else day
    if ends < first or begins > until:
        return Interval(first, until), None
    if first != BEGINNING and claims.is_one_day(first, until):
        return Interval(max(first, begins), min(until, ends)), None
    return Interval(first, until), min(max(first, claim), until)


def _text_flags(problems: str) -> tuple[FlagKind, ...]:
    codes = problems.split(",")
    broken = (FlagKind.LEGACY_ENCODING,) if not _BROKEN_TEXT.isdisjoint(codes) else ()
    bare = (FlagKind.NO_MARKS,) if NO_MARKS in codes else ()
    return (*broken, FlagKind.NOT_NFC, *bare) if NOT_NFC in codes else (*broken, *bare)
