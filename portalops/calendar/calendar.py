"""Which days are worked, why, and on whose word. Pure: a calendar is a value with a version.

Weekly rest is Saturday and Sunday, as in administrative offices; public holidays, days given in compensation and
swapped working days come from `working_days.toml` (Labour Code 45/2019/QH14, Articles 111.3 and 112, and the laws
before it). A year that the table does not hold is answered from the holidays with a fixed date alone, and marked
provisional: Tết, Hùng Kings and swapped days of such a year are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, timedelta

from portalops.model.message import Message, msg, verbatim
from portalops.model.period import Period
from portalops.model.values import dataclass

SATURDAY = 5

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

FIXED_HOLIDAYS: Mapping[tuple[int, int], str] = {
    (1, 1): "new-year",
    (4, 30): "victory",
    (5, 1): "labour",
    (9, 2): "national-day",
}
"""Month and day of the holidays of Article 112.1 whose date is the same each year."""

FIXED_DOCUMENT = "Bộ luật Lao động 2019 (45/2019/QH14), Điều 112"


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

    def is_working(self, day: date) -> bool:
        """Say whether offices work on a day."""
        rule = self._rule(day)
        return rule.working if rule else day.weekday() < SATURDAY

    def reason(self, day: date) -> Message:
        """Say in one phrase why a day is worked or not, and whether that is certain."""
        rule = self._rule(day)
        if rule:
            reason = rule.reason
        elif day.weekday() < SATURDAY:
            reason = msg("ordinary working day")
        else:
            reason = msg("weekly rest day")
        if rule and not rule.confirmed:
            return msg("{reason}; not confirmed by a legal text", reason=reason)
        if not self.confirmed(day.year) and day not in self.rules:
            return msg("{reason} (provisional schedule)", reason=reason)
        return reason

    def document(self, day: date) -> str:
        """Return the document behind a day's status; empty for ordinary days and weekly rest."""
        rule = self._rule(day)
        return rule.document if rule else ""

    def confirmed(self, year: int) -> bool:
        """Say whether the table speaks for a year."""
        return year in self.years

    def is_certain(self, day: date) -> bool:
        """Say whether no notice that is still to come may change a day's status."""
        rule = self._rule(day)
        return self.confirmed(day.year) and (rule is None or rule.confirmed)

    def working_days(self, period: Period) -> tuple[date, ...]:
        """Return the working days of a period, in order."""
        return tuple(day for day in period.days() if self.is_working(day))

    def add_working_days(self, day: date, count: int) -> date:
        """Return the `count`-th working day after a day; the day itself is not counted.

        Raises:
            ValueError: the count is below 1.
        """
        if count < 1:
            raise ValueError(f"working days are added one by one from 1, not {count}")
        while count:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day

    def warnings(self, period: Period) -> tuple[Message, ...]:
        """Say what of a period is not certain: whole years without documents, and single unconfirmed days."""
        found = [
            msg("the calendar of {year} is provisional: no official document for it is known", year=str(year))
            for year in range(period.first.year, period.last.year + 1)
            if not self.confirmed(year)
        ]
        found += [
            msg("it is not certain whether {day} is a working day ({reason})", day=day, reason=self.reason(day))
            for day, rule in sorted(self.rules.items())
            if day in period and not rule.confirmed
        ]
        return tuple(found)

    def _rule(self, day: date) -> DayRule | None:
        rule = self.rules.get(day)
        if rule is None and day.year not in self.years and (day.month, day.day) in FIXED_HOLIDAYS:
            name = HOLIDAY_NAMES[FIXED_HOLIDAYS[day.month, day.day]]
            return DayRule(False, msg("public holiday: {name}", name=name), FIXED_DOCUMENT)
        return rule


def holiday_name(name: str) -> Message:
    """Return a row's name for people: a known one in both languages, any other as it stands."""
    return HOLIDAY_NAMES.get(name) or verbatim(name)
