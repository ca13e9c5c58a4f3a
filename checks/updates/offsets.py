"""Whether a source's clock is hours off, by what it claims of items that our own looks saw appear. Pure.

An item came between the look before and the look that first showed it, so what it claims lies between the two, or off by as
much as the source's times are off. One offset that fits nearly all items, where several do not fit without it, is a setting
that is wrong and no habit of editors: seven hours is local time that is read as UTC, or the other way round. Where all items come
up more than six hours after their claims, about equally late, and no setting explains it, the feed is late and its clock is right.
A day without an hour is read as its midnight, and proves nothing of a clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from checks.updates.rules.grading import CACHE_LAG, CLOCK_SKEW
from checks.updates.rules.stamps import Stamp, span
from portalops.model.message import Message, msg, nmsg

AT_LEAST = 3
"""So many items must lie outside the time in which they came: one or two are somebody's mistake."""
MOST_PERCENT = 80
"""The share of a source's items that an offset must fit."""
FARTHEST_HOURS = 14
LATE = span(timedelta(hours=6))
"""A feed that is later than this is cached or made at certain hours; a clock so far off would be a wrong zone."""
_ABOUT = span(timedelta(hours=12))
"""The lag of a feed that is made once a day differs from item to item by half a day in the hours of work."""


class DatedItem(NamedTuple):
    """An item that a look saw appear, and what it claims."""

    source: str
    published_at: Stamp
    first_seen_at: Stamp
    looked_before_at: Stamp
    raw_date: str


@dataclass(frozen=True, slots=True)
class Offset:
    """By how much a source's times are off."""

    source: str
    hours: int
    """Ahead; below 0 if they lie behind."""
    misfits: int
    """Items that claim a time at which they were not there, or were there already."""
    items: int
    """All that name an hour."""
    form: str
    """How most of its dates name their zone: `gmt`, `none`, `number` or `other`."""


def offset_of(items: Sequence[DatedItem], *, usual_hours: int) -> Offset | None:
    """Return by how much the times of one source are off; None if they are not, or it cannot be told.

    Args:
        items: of one source.
        usual_hours: the portal zone's distance from UTC: of several offsets that fit as well, this one is meant.
    """
    items = [one for one in items if _names_an_hour(one.raw_date)]
    misfits = [one for one in items if not _fits(one, 0)]
    if len(misfits) < AT_LEAST:
        return None
    count = {
        hours: sum(_fits(one, hours) for one in items) for hours in range(-FARTHEST_HOURS, FARTHEST_HOURS + 1) if hours
    }
    most = max(count.values())
    best = [hours for hours, fitting in count.items() if fitting == most]
    usual = [hours for hours in best if abs(hours) == abs(usual_hours)]
    chosen = usual if len(usual) == 1 else best
    if 100 * most < MOST_PERCENT * len(items) or len(chosen) != 1:
        return None
    if sum(_fits(one, chosen[0]) for one in misfits) < AT_LEAST:
        return None
    forms = [_form(one.raw_date) for one in misfits]
    return Offset(items[0].source, chosen[0], len(misfits), len(items), max(sorted(set(forms)), key=forms.count))


def possible_offset(items: Sequence[DatedItem], *, usual_hours: int) -> int:
    """Return by how many hours the times of one source may be off, though too few are refuted to prove it; 0 for right times.

    One time that the polls refute fits them when moved by the zone's distance from UTC, and none fits as it stands alone.

    Args:
        items: of one source; each names an hour.
        usual_hours: the portal zone's distance from UTC.
    """
    for hours in (-usual_hours, usual_hours):
        if any(_is_refuted(one) and _fits(one, hours) for one in items) and all(
            _fits(one, hours) or not _fits(one, 0) for one in items
        ):
            return hours
    return 0


def say_offset(offset: Offset, *, usual_hours: int, zone: str) -> Message:
    """Say what is off, and what mends it."""
    ahead = offset.hours > 0
    what = nmsg(
        "source {source}: {n} of its {items} newest items claims a time at which it cannot have appeared; {off}",
        "source {source}: {n} of its {items} newest items claim a time at which they cannot have appeared; {off}",
        offset.misfits,
        source=offset.source,
        items=offset.items,
        off=nmsg("its times are {n} hour ahead", "its times are {n} hours ahead", offset.hours)
        if ahead
        else nmsg("its times are {n} hour behind", "its times are {n} hours behind", -offset.hours),
    )
    return msg("{what}. {mend}", what=what, mend=_mend(offset, usual_hours, zone))


@dataclass(frozen=True, slots=True)
class Lag:
    """By how much a source is late."""

    source: str
    hours: int
    """All its late items came up by at least so many hours after their claims; at least 2."""
    late: int
    """Items that came up so late."""
    items: int
    """All that name an hour."""


def lag_of(items: Sequence[DatedItem], *, usual_hours: int) -> Lag | None:
    """Return by how much one source is late; None if it is not, or if a setting of it explains its claims.

    Args:
        items: of one source.
        usual_hours: the portal zone's distance from UTC.
    """
    own = [one for one in items if _names_an_hour(one.raw_date)]
    late = [one for one in own if one.published_at < one.looked_before_at - CACHE_LAG]
    if len(late) < AT_LEAST or 100 * len(late) < MOST_PERCENT * len(own):
        return None
    least = max(one.looked_before_at - one.published_at for one in late)
    most = min(one.first_seen_at - one.published_at for one in late)
    if most <= LATE or least - most > _ABOUT:
        return None
    offset = offset_of(items, usual_hours=usual_hours)
    if offset is not None and _setting(offset, usual_hours):
        return None
    fewest = min(one.looked_before_at - one.published_at for one in late)
    return Lag(own[0].source, fewest // span(timedelta(hours=1)), len(late), len(own))


def say_lag(lag: Lag) -> Message:
    """Say that a source is late, and whom to ask."""
    return nmsg(
        "source {source}: {late} of its {items} newest items came up {n} hour or more after the time that they claim, all about as late: the feed is late, not its clock."
        " Ask who runs the site about its caches, and at which hours the feed is made.",
        "source {source}: {late} of its {items} newest items came up {n} hours or more after the time that they claim, all about as late: the feed is late, not its clock."
        " Ask who runs the site about its caches, and at which hours the feed is made.",
        lag.hours,
        source=lag.source,
        late=lag.late,
        items=lag.items,
    )


def say_possible_offset(items: Sequence[DatedItem], *, usual_hours: int) -> Message | None:
    """Say that the times of one source may be hours off, though too few are refuted to prove it; None where they are right.

    Args:
        items: of one source.
        usual_hours: the portal zone's distance from UTC.
    """
    own = [one for one in items if _names_an_hour(one.raw_date)]
    hours = possible_offset(own, usual_hours=usual_hours)
    if not hours:
        return None
    return nmsg(
        "source {source}: {n} item claims a time at which it cannot have appeared; its times may be {hours} hours off, and both hours are open: check its time zone",
        "source {source}: {n} items claim a time at which they cannot have appeared; its times may be {hours} hours off, and both hours are open: check its time zone",
        sum(_is_refuted(one) for one in own),
        source=own[0].source,
        hours=abs(hours),
    )


def _mend(offset: Offset, usual_hours: int, zone: str) -> Message:
    match _setting(offset, usual_hours):
        case "gmt_means_local":
            return msg("It writes GMT and means local time: set gmt_means_local = true for it.")
        case "assume_tz":
            return msg('Its times name no zone and are local: set assume_tz = "{zone}" for it.', zone=zone)
        case "assume_utc":
            return msg('Its times name no zone and are in UTC: set assume_tz = "UTC" for it.')
        case _:
            return msg(
                "No setting of the source can correct that: have the clock and the time zone of its server corrected."
            )


def _setting(offset: Offset, usual_hours: int) -> str:
    """Return which setting mends an offset; empty for none."""
    settings = {(usual_hours, "gmt"): "gmt_means_local", (usual_hours, "none"): "assume_tz"}
    return (settings | {(-usual_hours, "none"): "assume_utc"}).get((offset.hours, offset.form), "")


def _is_refuted(one: DatedItem) -> bool:
    """Say whether no cache on the way explains a time: see `CACHE_LAG`."""
    return not one.looked_before_at - CACHE_LAG <= one.published_at <= one.first_seen_at + CLOCK_SKEW


def _fits(one: DatedItem, hours: int) -> bool:
    moved = one.published_at - span(timedelta(hours=hours))
    return one.looked_before_at - CLOCK_SKEW <= moved <= one.first_seen_at + CLOCK_SKEW


_HOUR = re.compile(r"\d\s*[:hH]\s*\d|\d\s*(?:h|giờ|AM|PM)\b|T\d{4}|\d{9}", re.IGNORECASE)
"""In a date: hours and minutes, or a count of seconds since 1970."""


def _names_an_hour(raw: str) -> bool:
    """Say whether a date as it stands names an hour; one that is not known may."""
    return not raw or _HOUR.search(raw) is not None


_GMT = re.compile(r"(?:Z|\bUTC?|\bGMT|[+-]00:?00)\)?", re.IGNORECASE)
_OTHER = re.compile(r"(?:[+-]\d{2}:?\d{2}|\b[A-Z]{3,5}(?:[+-]\d{1,2})?)\)?")


def _form(raw: str) -> str:
    text = raw.strip()
    if text.isdigit():
        return "number"
    for form, shape in (("gmt", _GMT), ("other", _OTHER)):
        found = [one for one in shape.finditer(text) if one.end() == len(text)]
        if found and ":" in text:  # a day alone has no zone
            return form
    return "none"
