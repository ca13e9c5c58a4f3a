"""Dates as Vietnamese sites really write them, read to the right instant or not at all.

Never "now", and never a guess that may give a wrong day: a text that could be two days is no date until the source's
configuration says how it writes them. Day comes before month unless the text itself, or another date of the same answer, rules that out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from portalops.model.updates import ListedItem

FIRST_YEAR = 1990
LAST_YEAR = 2100
MILLISECONDS_FROM = 10**11
"""Unix times from here on are milliseconds; as seconds they would lie beyond the year 5000."""


LINES_OF_A_SLIP = 20
"""A date that contradicts so many others of its answer is a slip, and no date; fewer leave the order open."""


class DayOrder(StrEnum):
    """In which order one answer writes day and month in numbers."""

    ASSUMED = "assumed"
    """Day first, as the country writes; none of its dates says so."""
    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"
    UNKNOWN = "unknown"
    """Some of its dates can only be the one, and some only the other."""


@dataclass(frozen=True, slots=True)
class DateRules:
    """How one source writes its dates."""

    zone: ZoneInfo
    """What a time without a zone is in."""
    formats: tuple[str, ...] = ()
    """Formats of `datetime.strptime`, tried first. Where there are any, no order of day and month is guessed."""
    gmt_means_local: bool = False
    """The server writes GMT but prints local time."""
    order: DayOrder = DayOrder.ASSUMED
    """How a date is read that fits both orders."""


def settle_order(rules: DateRules, texts: Iterable[str]) -> DateRules:
    """Return the rules by which the dates of one column of one answer are read: all in one order.

    Args:
        rules: of the source; where they have formats, they stay as they are.
        texts: the dates as they stand there; what is no date of numbers says nothing.
    """
    if rules.formats:
        return rules
    proven = Counter(order for text in texts if (order := _order_of(text)) is not None).most_common()
    if not proven:
        return rules
    order, count = proven[0]
    slips = sum(number for _other, number in proven[1:])
    return replace(rules, order=order if slips * LINES_OF_A_SLIP <= count else DayOrder.UNKNOWN)


class WrittenDates:
    """A source whose answers write days in numbers, in an order that an earlier answer may have shown."""

    _rules: DateRules

    def is_order_wanted(self, texts: Iterable[str]) -> bool:
        """Say whether some dates of an answer fit both orders, while neither the answer nor a setting says which it is."""
        written = tuple(texts)
        common = settle_order(self._rules, written)
        return common.order is DayOrder.ASSUMED and any(is_order_open(text, common) for text in written)

    def ordered_by(self, earlier: Iterable[str]) -> Self | None:
        """Return the same source, which reads such dates in the order that dates of earlier answers show.

        None where they show none. Where they show both, such dates are of an unknown day.
        """
        common = settle_order(self._rules, earlier)
        if common.order is DayOrder.ASSUMED:
            return None
        same = copy(self)
        same._rules = common
        return same


def dated_in_one_order(items: Sequence[ListedItem], rules: DateRules) -> tuple[ListedItem, ...]:
    """Return the items of one answer, whose dates were read one by one, with all of them read in one order."""
    common = settle_order(rules, (one.raw_date for one in items))
    if common.order in {DayOrder.ASSUMED, DayOrder.DAY_FIRST}:  # as they were read
        return tuple(items)
    return tuple(
        one if _numeric(one.raw_date) is None else replace(one, published_at=read_moment(one.raw_date, common))
        for one in items
    )


def is_order_open(text: str, rules: DateRules) -> bool:
    """Say whether a text is a date that fits both orders, while neither its answer nor a setting says which it is."""
    if rules.formats or rules.order in {DayOrder.DAY_FIRST, DayOrder.MONTH_FIRST}:
        return False
    found = _numeric(text)
    return found is not None and _fits_both(int(found["day"]), int(found["month"]))


def _order_of(text: str) -> DayOrder | None:
    """Return the one order in which a text is a date; None if it is one in both, or in none."""
    found = _numeric(text)
    if found is None:
        return None
    first, second = int(found["day"]), int(found["month"])
    if first <= 12 < second <= 31:
        return DayOrder.MONTH_FIRST
    return DayOrder.DAY_FIRST if second <= 12 < first <= 31 else None


def _numeric(text: str) -> re.Match[str] | None:
    if len(text) > 100 or text[:4].isdigit():  # most begin with the year
        return None
    return _DAY_FIRST.fullmatch(_line(text))


def _fits_both(first: int, second: int) -> bool:
    return first <= 12 and second <= 12 and first != second


def _line(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def read_moment(value: object, rules: DateRules) -> datetime | None:
    """Return the instant in UTC that a value means, or None where it means none for certain."""
    match value:
        case datetime():
            return _limit_to_range(value if value.tzinfo else value.replace(tzinfo=rules.zone))
        case date():
            return _limit_to_range(datetime.combine(value, time(), rules.zone))
        case bool():
            return None
        case int() | float():
            return _from_unix(value)
        case str():
            return _from_text(_line(value), rules)
        case _:
            return None


def _from_unix(value: float) -> datetime | None:
    seconds = value / 1000 if value >= MILLISECONDS_FROM else value
    if not 0 < seconds < 4102444800:  # 2100-01-01
        return None
    return _limit_to_range(datetime.fromtimestamp(seconds, UTC))


def _from_text(text: str, rules: DateRules) -> datetime | None:
    if not text or len(text) > 100 or text.startswith("0000-00-00"):
        return None
    for pattern in rules.formats:
        try:
            moment = datetime.strptime(text, pattern)  # noqa: DTZ007  # the zone comes below
        except ValueError:
            continue
        return _limit_to_range(moment if moment.tzinfo else moment.replace(tzinfo=rules.zone))
    if text.isascii() and text.isdigit() and len(text) in {10, 13}:
        return _from_unix(int(text))
    for shape in _UNAMBIGUOUS:
        if found := shape.fullmatch(text):
            return _assemble(found, rules)
    if not rules.formats and (found := _DAY_FIRST.fullmatch(text)):
        return _assemble_numeric(found, rules)
    return None


_TIME = r"(?P<hour>\d{1,2})(?::|h|g|giờ ?)(?P<minute>\d{2})(?:[:'](?P<second>\d{2})(?:[.,]\d{1,9})?)?(?: ?(?P<half>AM|PM|SA|CH))?"
_ZONE = r"(?P<zone>Z|[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}(?::?\d{2})?)"
_END = rf"(?:(?:[ ,T|-]+| lúc ){_TIME}(?: ?\(?{_ZONE}\)?)?)?"
_DAYNAME = r"(?:(?P<dayname>[A-Za-z]{3,9})\.?,? )?"
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_MONTHNAME = r"(?P<monthname>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_UNAMBIGUOUS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}}){_END}",
        rf"(?P<year>\d{{4}})/(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}}){_END}",
        rf"{_DAYNAME}(?P<day>\d{{1,2}})[ -]{_MONTHNAME},?[ -](?P<year>\d{{4}}){_END}",
        rf"{_DAYNAME}{_MONTHNAME} (?P<day>\d{{1,2}}),? {_TIME}(?: {_ZONE})? (?P<year>\d{{4}})",
        rf"{_DAYNAME}{_MONTHNAME} (?P<day>\d{{1,2}}), (?P<year>\d{{4}}){_END}",
        rf"(?:[^\d,]{{1,20}}, ?)?(?:ngày )?(?P<day>\d{{1,2}}) tháng (?P<month>\d{{1,2}}) năm (?P<year>\d{{4}}){_END}",
    )
)
_DAY_FIRST = re.compile(
    rf"(?:(?:thứ [^\d,]{{2,5}}|thứ [2-7]|chủ nhật|cn|t[2-7])(?:, ?| ))?(?:ngày )?(?:{_TIME.replace('?P<', '?P<early_')}[ ,-]+(?:ngày )?)?"
    rf"(?P<day>\d{{1,2}})(?P<separator>[/.-])(?P<month>\d{{1,2}})(?P=separator)(?P<year>\d{{4}}){_END}",
    re.IGNORECASE,
)
_DAYNAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OFFSETS_HOURS = {"ICT": 7, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
"""Zone names of RFC 5322, section 4.3, and Indochina Time."""
_OFFSET = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?", re.IGNORECASE)


def _assemble(found: re.Match[str], rules: DateRules) -> datetime | None:
    parts = found.groupdict()
    month = _MONTHS[parts["monthname"][:3].lower()] if parts.get("monthname") else int(parts["month"])
    moment = _moment(int(parts["year"]), month, int(parts["day"]), parts, rules)
    name = (parts.get("dayname") or "")[:3].lower()
    if (
        moment
        and name in _DAYNAMES
        and _DAYNAMES.index(name) != date(int(parts["year"]), month, int(parts["day"])).weekday()
    ):
        return None  # the text contradicts itself
    return moment


def _assemble_numeric(found: re.Match[str], rules: DateRules) -> datetime | None:
    parts: dict[str, str | None] = {
        name: value or found.groupdict().get(f"early_{name}") for name, value in found.groupdict().items()
    }
    first, second, year = int(found["day"]), int(found["month"]), int(found["year"])
    is_english = (parts.get("half") or "").upper() in {"AM", "PM"}
    if second > 12 and first <= 12:
        return _moment(year, first, second, parts, rules)  # 11/24/2026 can only be month first
    if rules.order is DayOrder.MONTH_FIRST and first <= 12:
        return _moment(year, first, second, parts, rules)
    if _fits_both(first, second) and (is_english or rules.order is DayOrder.UNKNOWN):
        return None  # 11/05/2026 8:30 AM: an English form, and either may be the month; or the answer has both orders
    return _moment(year, second, first, parts, rules)


def _moment(year: int, month: int, day: int, parts: dict[str, str | None], rules: DateRules) -> datetime | None:
    zone = _zone(parts.get("zone"), rules)
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    match (parts.get("half") or "").upper():
        case "PM" | "CH" if 1 <= hour < 12:
            hour += 12
        case "AM" | "SA" if hour == 12:
            hour = 0
    if zone is None:
        return None
    try:
        return _limit_to_range(datetime(year, month, day, hour, minute, second, tzinfo=zone))
    except ValueError:
        return None


def _zone(name: str | None, rules: DateRules) -> tzinfo | None:
    if not name:
        return rules.zone
    upper = name.upper()
    if upper in {"Z", "UT", "UTC", "GMT", "+0000", "+00:00", "-0000"}:
        return rules.zone if rules.gmt_means_local else UTC
    if upper in _OFFSETS_HOURS:
        return timezone(timedelta(hours=_OFFSETS_HOURS[upper]))
    if found := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        if offset < timedelta(hours=15):
            return timezone(offset if found[1] == "+" else -offset)
    return None


def _limit_to_range(moment: datetime) -> datetime | None:
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        return None
    return utc if FIRST_YEAR <= utc.year <= LAST_YEAR else None
