"""Which days are worked, why, and on whose word. Pure: a calendar is a value with a version.

Weekly rest is Saturday and Sunday, as in administrative offices; public holidays, days given in compensation and
swapped working days come from `working_days.toml` (Labour Code 45/2019/QH14, Articles 111.3 and 112, and the laws
before it). A year that the table does not hold is answered from what is expected of it (`expected.py`), and is provisional: its days
around holidays are not certain, since the official notice may change them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date, timedelta
from functools import cache

from portalops.calendar.expected import COMPENSATION, SATURDAY, calendar_name, expect, open_days
from portalops.model.message import Message, msg, verbatim
from portalops.model.period import Period
from portalops.model.values import dataclass

DECEMBER = 12
ASKED_FROM_MONTH = 10

HOLIDAY_NAMES: Mapping[str, Message] = {
    "new-year": msg("New Year's Day"),
    "tet": msg("Lunar New Year (Tết)"),
    "hung-kings": msg("Hùng Kings' Commemoration Day"),
    "victory": msg("Victory Day (30 April)"),
    "labour": msg("International Labour Day"),
    "national-day": msg("National Day"),
    "culture-day": msg("Vietnam Culture Day"),
}
"""The names that rows of the table may use; any other name in a province's own rows is shown as it stands."""

EXPECTED_DOCUMENT = "Bộ luật Lao động 2019 (45/2019/QH14), Điều 111.3 và 112; dự kiến theo {source}, chưa có thông báo"
"""What the days off of a year without a table rest on."""


@dataclass(frozen=True, slots=True)
class DayRule:
    """Why one day departs from the weekly rhythm."""

    working: bool
    reason: Message
    document: str
    """Verbatim, in Vietnamese."""
    confirmed: bool = True
    """False where the document was not seen in a legal text."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days; every day has an answer, and every answer says how sure it is."""

    version: str
    """Names the data: the table's version, and a digest of the province's own rows if there are any."""
    rules: Mapping[date, DayRule] = field(default_factory=dict)
    years: frozenset[int] = frozenset()
    """The years the table speaks for; any other is provisional."""
    base: Calendar | None = None
    """The shipped calendar, under a province's own rows; None for the shipped one itself."""

    def is_working(self, day: date) -> bool:
        """Say whether offices work on a day."""
        rule = self._rule(day)
        return rule.working if rule else day.weekday() < SATURDAY

    def is_certain(self, day: date) -> bool:
        """Say whether no official notice can change that a day is worked, or not worked.

        What a confirmed row settles is certain. Else the days that the notice of a provisional year may change are not (`open_days`), and
        neither is a row that no legal text confirms.
        """
        rule = self.rules.get(day)
        if rule is not None:
            return rule.confirmed
        return self._open_for(day) is None

    def reason(self, day: date) -> Message:
        """Say in one phrase why a day is worked or not, and whether that is certain."""
        rule = self._rule(day)
        if rule:
            reason = rule.reason
        elif day.weekday() < SATURDAY:
            reason = msg("ordinary working day")
        else:
            reason = msg("weekly rest day")
        if day in self.rules and not self.is_certain(day):
            return msg("{reason}; not confirmed by a legal text", reason=reason)
        if not self.is_certain(day):
            return msg("{reason}; provisional, until the official notice is confirmed", reason=reason)
        return reason

    def document(self, day: date) -> str:
        """Return the document behind a day's status; empty for ordinary days and weekly rest."""
        rule = self._rule(day)
        return rule.document if rule else ""

    def confirmed(self, year: int) -> bool:
        """Say whether the table speaks for a year."""
        return year in self.years

    def years_to_confirm(self, today: date) -> tuple[int, ...]:
        """Return the years whose official notice is to be asked for: a provisional current one, and from 1 October on the next.

        Notices of 2019 to 2026 were issued between October and December of the year before.
        """
        years = (today.year, today.year + 1) if today.month >= ASKED_FROM_MONTH else (today.year,)
        return tuple(year for year in years if not self.confirmed(year))

    def working_days(self, period: Period) -> tuple[date, ...]:
        """Return the working days of a period, in order."""
        return tuple(day for day in period.days() if self.is_working(day))

    def working_days_at_least(self, period: Period) -> tuple[date, ...]:
        """Return the days of a period that are worked whatever the official notices say, in order."""
        return tuple(day for day in self.working_days(period) if self.is_certain(day))

    def working_days_at_most(self, period: Period) -> tuple[date, ...]:
        """Return the days of a period that are worked or may be, in order."""
        return tuple(day for day in period.days() if self.is_working(day) or not self.is_certain(day))

    def version_of(self, period: Period) -> str:
        """Name the data that answers for a period: the shipped version, a digest of the days of it for which a province's
        own rows answer otherwise, and what was expected of each provisional year in it.

        A row of the province about other days changes nothing: what was judged by these days was judged by the same calendar.

        >>> Calendar("2026.11", {}, frozenset({2026})).version_of(Period(date(2026, 12, 1), date(2026, 12, 31)))
        '2026.11'
        """
        if self.base is None:
            return self._with_expected(self.version, period)
        differing = [
            f"{day} {self.is_working(day)} {self.is_certain(day)}"
            for day in period.days()
            if (self.is_working(day), self.is_certain(day)) != (self.base.is_working(day), self.base.is_certain(day))
        ]
        if not differing:
            return self.base.version_of(period)
        digest = hashlib.sha256("\n".join(differing).encode()).hexdigest()[:8]
        return self._with_expected(f"{self.base.version}+{digest}", period)

    def is_meant_by(self, version: str, period: Period) -> bool:
        """Say whether a recorded version names the data that answers for a period; earlier records name the whole file."""
        return version in {self.version_of(period), self._with_expected(self.version, period)}

    def _with_expected(self, version: str, period: Period) -> str:
        expected = [
            f"expected-{year}-{expect(year).source.replace(' ', '-')}"
            for year in range(period.first.year, period.last.year + 1)
            if not self.confirmed(year)
        ]
        return "+".join((version, *expected))

    def add_working_days(self, day: date, count: int) -> date:
        """Return the day on which so many working days after a day have surely passed; the day itself is not counted.

        A day that is not certain counts for none, so that nobody is late by it. Of years that nothing is expected of each weekday counts,
        or the count would never end.

        Raises:
            ValueError: the count is below 1.
        """
        return _counted(
            day, count, lambda one: self.is_working(one) and (self.is_certain(one) or not _open_days(one.year))
        )

    def add_possible_working_days(self, day: date, count: int) -> date:
        """Return the first day by which so many working days may have passed: the earliest end of a time limit.

        Raises:
            ValueError: the count is below 1.
        """
        return _counted(day, count, lambda one: self.is_working(one) or not self.is_certain(one))

    def warnings(self, period: Period) -> tuple[Message, ...]:
        """Say which days of a period are not certain: by the holiday of a provisional year, and each unconfirmed row by itself.

        A period without such a day has none, in a provisional year too.
        """
        found: list[Message] = []
        open_by: dict[tuple[int, str], list[date]] = {}
        for day in period.days():
            if self.is_certain(day):
                continue
            holiday = None if day in self.rules else self._open_for(day)
            if holiday is None:
                found.append(self._doubt(day))
            else:
                open_by.setdefault(holiday, []).append(day)
        years = sorted({year for year, _name in open_by})
        return (
            *(
                msg("the calendar of {year} is provisional: no official document for it is known", year=str(year))
                for year in years
            ),
            *(self._span_doubt(name, days) for (_year, name), days in open_by.items()),
            *found,
        )

    def _doubt(self, day: date) -> Message:
        return msg("it is not certain whether {day} is a working day ({reason})", day=day, reason=self.reason(day))

    def _span_doubt(self, name: str, days: Sequence[date]) -> Message:
        if len(days) == 1:
            return self._doubt(days[0])
        if not name:
            return msg("it is not certain which days from {first} to {last} are worked", first=days[0], last=days[-1])
        return msg(
            "it is not certain which days from {first} to {last} are worked ({holiday})",
            first=days[0],
            last=days[-1],
            holiday=holiday_name(name),
        )

    def _open_for(self, day: date) -> tuple[int, str] | None:
        """Return the provisional year whose notice may change a day, and the holiday: empty where nothing is expected of the year."""
        for year in (day.year, day.year + 1) if day.month == DECEMBER else (day.year,):
            if year in self.years:
                continue
            days = _open_days(year)
            if day in days:
                return year, days[day]
            if not days and year == day.year:
                return year, ""
        return None

    def _rule(self, day: date) -> DayRule | None:
        rule = self.rules.get(day)
        if rule is None and day.year not in self.years:
            return _expected_rules(day.year).get(day)
        return rule


def _counted(day: date, count: int, counts: Callable[[date], bool]) -> date:
    if count < 1:
        raise ValueError(f"working days are added one by one from 1, not {count}")
    while count:
        day += timedelta(days=1)
        count -= counts(day)
    return day


@cache
def _open_days(year: int) -> Mapping[date, str]:
    return open_days(expect(year))


@cache
def _expected_rules(year: int) -> Mapping[date, DayRule]:
    expected = expect(year)
    document = EXPECTED_DOCUMENT.format(source=expected.source)
    off = {
        day: DayRule(
            False,
            describe_day_off(calendar_name(called), is_compensation=COMPENSATION in called),
            document,
            confirmed=False,
        )
        for day, called in expected.off.items()
    }
    work = {day: DayRule(True, msg("working day by decision"), document, confirmed=False) for day in expected.work}
    return {**off, **work}


def describe_day_off(name: str, *, is_compensation: bool) -> Message:
    """Say why a day is off: a holiday, or in place of one that fell on a day of weekly rest."""
    if is_compensation:
        return msg("day off in compensation for {name}", name=holiday_name(name))
    return msg("public holiday: {name}", name=holiday_name(name))


def holiday_name(name: str) -> Message:
    """Return a row's name for people: a known one in both languages, any other as it stands."""
    return HOLIDAY_NAMES.get(name) or verbatim(name)
