"""Spans of local days, and the ISO weeks and months inside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portalops.model.values import dataclass


def day_or_moment(at: datetime | None, zone: ZoneInfo) -> date | datetime | None:
    """Return the local day of a moment that stands for a whole one; any other as it is.

    Registers and many sites write a day without an hour, which is read as midnight.
    """
    if at is None or at.astimezone(zone).time() != time.min:
        return at
    return at.astimezone(zone).date()


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A run of whole local days, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a period ends before it starts: {self.first}..{self.last}")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def days(self) -> Iterator[date]:
        """Yield each day, first to last."""
        for offset in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=offset)

    def weeks(self) -> tuple[Week, ...]:
        """Return the ISO weeks that share at least one day with the period, in order."""
        return tuple(dict.fromkeys(Week.of(day) for day in self.days()))

    def months(self) -> tuple[Period, ...]:
        """Return the calendar months that share a day with the period, in order, each as far as it lies in it."""
        found: list[Period] = []
        first = self.first
        while first <= self.last:
            following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
            found.append(Period(first, min(self.last, following - timedelta(days=1))))
            first = following
        return tuple(found)

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the UTC moments at which the period starts and ends; the end is exclusive."""
        start = datetime.combine(self.first, time(), zone)
        end = datetime.combine(self.last + timedelta(days=1), time(), zone)
        return start.astimezone(UTC), end.astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.first.isoformat()}..{self.last.isoformat()}"


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """An ISO 8601 week, Monday to Sunday."""

    year: int
    """The ISO year, which may differ from the calendar year at its ends."""
    number: int
    """1 to 53."""

    @classmethod
    def of(cls, day: date) -> Week:
        """Return the week that holds a day."""
        iso = day.isocalendar()
        return cls(iso.year, iso.week)

    @classmethod
    def parse(cls, text: str) -> Week:
        """Read `2026-W48`.

        Raises:
            ValueError: the text is not an ISO week, or the year has no such week.
        """
        year, mark, number = text.partition("-W")
        if not mark or len(year) != 4 or len(number) != 2:
            raise ValueError(f"not an ISO week such as 2026-W48: {text}")
        week = cls(int(year), int(number))
        date.fromisocalendar(week.year, week.number, 1)
        return week

    def period(self) -> Period:
        """Return its seven days."""
        return Period(date.fromisocalendar(self.year, self.number, 1), date.fromisocalendar(self.year, self.number, 7))

    def __str__(self) -> str:
        return f"{self.year:04d}-W{self.number:02d}"


EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)
"""The days that a period may have: there was no portal before them, and moments around them can still be counted."""


def parse_period(text: str) -> Period:
    """Read a period: a day, ISO week, month or year, or two of them joined by `..`.

    `2026-11-25`, `2026-W48`, `2026-11`, `2026`, `2026-W40..2026-W47`.

    Raises:
        ValueError: the text is not one of these, a day of it lies outside `EARLIEST` to `LATEST`, or the period would end before it starts.
    """
    first, mark, last = text.partition("..")
    try:
        found = Period(_span(first).first, _span(last if mark else first).last)
    except OverflowError as error:  # the end of the year 9999
        raise ValueError(f"not between {EARLIEST} and {LATEST}: {text}") from error
    if found.first < EARLIEST or found.last > LATEST:
        raise ValueError(f"not between {EARLIEST} and {LATEST}: {text}")
    return found


def current_period(today: date) -> Period:
    """Return the last complete ISO week and the days of the current one: what a first look asks about."""
    monday = today - timedelta(days=today.weekday())
    return Period(monday - timedelta(days=7), today)


def _span(text: str) -> Period:
    if "W" in text:
        return Week.parse(text).period()
    parts = text.split("-")
    if not all(part.isdigit() for part in parts) or len(parts[0]) != 4:
        raise ValueError(f"not a day, week, month or year: {text}")
    match [int(part) for part in parts]:
        case [year]:
            return Period(date(year, 1, 1), date(year, 12, 31))
        case [year, month]:
            first = date(year, month, 1)
            return Period(first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1))
        case [year, month, day]:
            return Period(date(year, month, day), date(year, month, day))
        case _:
            raise ValueError(f"not a day, week, month or year: {text}")
