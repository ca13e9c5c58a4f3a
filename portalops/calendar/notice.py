"""A year's official notice: the days that it gives off and those that are worked for them, as a `[[notice]]` of a province's file. Pure.

A notice speaks for its whole year: it stands in place of what was expected of the year, of rows of it that nothing confirms, and of
what the shipped table holds of it. Of two notices of a year in one file the later one counts, so that a correction is put behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from portalops.calendar.expected import COMPENSATION, NEW_YEAR_OF_TET, SATURDAY, Expected, calendar_name
from portalops.calendar.table import (
    NOTICE_LISTS,
    ROW_KEYS,
    SWAP_KEYS,
    check_keys,
    list_rows,
    parse_rows,
    read_day,
    read_days,
    wrong_calendar,
)
from portalops.errors import UsageError
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.model.values import dataclass

SWAPPED_WITHIN = timedelta(days=60)
"""How far apart the two days of a swap may lie; a year that was mistyped is farther away."""


WITHOUT_LEGAL_TEXT = frozenset({"culture-day"})
"""Holidays that are expected, but stay unconfirmed until somebody finds them in the notice and names them."""


@dataclass(frozen=True, slots=True)
class DayOff:
    """Why a notice gives a day off."""

    name: str
    """As rows of the table name holidays, such as `tet`; any other text is shown as it stands."""
    is_compensation: bool = False
    """It is given for a holiday that fell on weekly rest."""
    is_confirmed: bool = True
    """False where no legal text gives it."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Days off that are worked on other days."""

    off: tuple[date, ...]
    work: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class YearNotice:
    """What an official notice says of a year."""

    year: int
    document: str
    """Its number, date and issuer, in Vietnamese."""
    off: Mapping[date, DayOff]
    work: tuple[date, ...] = ()
    """Days of weekly rest that are worked, for no day off that is named."""
    swaps: tuple[Swap, ...] = ()

    def is_off(self, day: date) -> bool:
        """Say whether nobody works on a day of the year by it."""
        if day in self.off or any(day in swap.off for swap in self.swaps):
            return True
        return day.weekday() >= SATURDAY and not (day in self.work or any(day in swap.work for swap in self.swaps))


@dataclass(frozen=True, slots=True)
class NoticeCorrection:
    """In what a notice differs from the proposal that it is begun with."""

    off: Sequence[tuple[date, str]] = ()
    """Further days off with their names; a name of a day that is off already takes the place of its own."""
    work: Sequence[date] = ()
    """Days that are worked after all: proposed days off, and days of weekly rest."""
    swaps: Sequence[tuple[date, date]] = ()
    """A day off, and the day of weekly rest that is worked for it."""


def read_notice(year: int, document: str, data: bytes, place: str) -> YearNotice:
    """Return the rows of a file, such as a corrected draft, as the notice of a year: whatever its rows name, that document is theirs.

    Each counts as confirmed by it, but for a marked one that no legal text gives (`WITHOUT_LEGAL_TEXT`).

    Raises:
        ConfigurationError: it is not TOML, has other keys than `off`, `work` and `swaps`, or a row lacks its date.
    """
    values = parse_rows(data, place)
    check_keys(values, NOTICE_LISTS, place)
    off: dict[date, DayOff] = {}
    work: list[date] = []
    for key in ("off", "work"):
        for number, row in enumerate(list_rows(values, key, place), 1):
            where = f"{place}: {key} row {number}"
            check_keys(row, ROW_KEYS, where)
            day = read_day(row.get("date"), where)
            if key == "work":
                work.append(day)
            elif day in off:
                raise wrong_calendar(place, f"{day.isoformat()} stands in two rows")
            else:
                name = str(row.get("name", ""))
                is_confirmed = name not in WITHOUT_LEGAL_TEXT or row.get("confirmed") is not False
                off[day] = DayOff(name, row.get("compensation") is True, is_confirmed)
    swaps = []
    for number, row in enumerate(list_rows(values, "swaps", place), 1):
        where = f"{place}: swaps row {number}"
        check_keys(row, SWAP_KEYS, where)
        swaps.append(Swap(read_days(row.get("off"), where), read_days(row.get("work"), where)))
    return YearNotice(year, document, dict(sorted(off.items())), tuple(sorted(work)), tuple(swaps))


def propose(year: int, document: str, expected: Expected) -> YearNotice:
    """Return a notice that says what is expected of a year."""
    names = {day: (calendar_name(name), COMPENSATION in name) for day, name in sorted(expected.off.items())}
    off = {day: DayOff(name, given, name not in WITHOUT_LEGAL_TEXT) for day, (name, given) in names.items()}
    return YearNotice(year, document, off, tuple(expected.work))


def correct(notice: YearNotice, correction: NoticeCorrection) -> YearNotice:
    """Return a notice with its corrections.

    Raises:
        UsageError: a day is corrected twice, is worked already, or a swap names a day that cannot be swapped.
    """
    named = (
        *(day for day, _name in correction.off),
        *correction.work,
        *(day for swap in correction.swaps for day in swap),
    )
    _refuse_twice(named)
    off, work = dict(notice.off), [*notice.work]
    for day in correction.work:
        if not notice.is_off(day):
            raise _wrong(msg("{day} is a working day already", day=day.isoformat()))
        off.pop(day, None)
        if day.weekday() >= SATURDAY:
            work.append(day)
    off.update({day: DayOff(name) for day, name in correction.off})
    swaps = (*notice.swaps, *(Swap((off_day,), (work_day,)) for off_day, work_day in correction.swaps))
    for off_day, work_day in correction.swaps:
        if off_day in off or (off_day.weekday() >= SATURDAY and off_day not in work):
            raise _wrong(msg("{day} is a day off already: it cannot be swapped", day=off_day.isoformat()))
        if work_day.weekday() < SATURDAY or work_day in off or work_day in work:
            raise _wrong(
                msg("{day} is no day of weekly rest: it cannot be worked for another", day=work_day.isoformat())
            )
    return replace(notice, off=dict(sorted(off.items())), work=tuple(sorted(work)), swaps=swaps)


def check_notice(notice: YearNotice) -> None:
    """Refuse a notice that cannot be right.

    Raises:
        UsageError: a day is of another year or named twice, or it gives nothing off.
    """
    if not notice.off:
        raise _wrong(msg("the notice of {year} gives no day off", year=str(notice.year)))
    for day in (*notice.off, *notice.work):
        if day.year != notice.year:
            raise _wrong(msg("{day} is not in {year}", day=day.isoformat(), year=str(notice.year)))
    for swap in notice.swaps:
        days = (*swap.off, *swap.work)
        # A day of New Year may be worked in the December before.
        if not any(day.year == notice.year for day in days) or max(days) - min(days) > SWAPPED_WITHIN:
            raise _wrong(msg("{days} are no swap of {year}", days=_list(days), year=str(notice.year)))
    swapped = (day for swap in notice.swaps for day in (*swap.off, *swap.work))
    _refuse_twice((*notice.off, *notice.work, *swapped))


def lacking_holidays(notice: YearNotice, expected: Expected) -> tuple[date, ...]:
    """Return the holidays that the law itself names and the notice leaves as working days, in order.

    Labour Code 45/2019/QH14, Article 112.1: New Year, the first three days of Tết, Hùng Kings' day, 30 April, 1 May and 2
    September. Which further days go with Tết and National Day, the notice decides.

    Args:
        notice: of a year.
        expected: of the same year; it tells the days of the lunar calendar.
    """
    found: set[date] = set()
    for day, called in expected.off.items():
        name = calendar_name(called)
        if called == NEW_YEAR_OF_TET:
            found |= {day + timedelta(days=more) for more in range(3)}
        elif COMPENSATION not in called and (
            name in _NAMED_BY_LAW or (name == "national-day" and day.day == NATIONAL_DAY)
        ):
            found.add(day)
    return tuple(sorted(day for day in found if not notice.is_off(day)))


_NAMED_BY_LAW = frozenset({"new-year", "hung-kings", "victory", "labour"})
NATIONAL_DAY = 2
"""Of September."""


def notice_toml(notice: YearNotice) -> str:
    """Return a notice as the text that is put behind a province's file."""
    lines = [
        "",
        "[[notice]]",
        f"year = {notice.year}",
        f"document = {_quoted(notice.document)}",
        "off = [",
        *(_format_off(day, why) for day, why in notice.off.items()),
        "]",
    ]
    if notice.work:
        lines += ["work = [", *(f"  {{ date = {day} }}," for day in notice.work), "]"]
    if notice.swaps:
        lines += ["swaps = [", *(_format_swap(swap) for swap in notice.swaps), "]"]
    return "\n".join(lines) + "\n"


def _format_off(day: date, why: DayOff) -> str:
    compensation = ", compensation = true" if why.is_compensation else ""
    unconfirmed = "" if why.is_confirmed else ", confirmed = false"
    return f"  {{ date = {day}, name = {_quoted(why.name)}{compensation}{unconfirmed} }},"


def _format_swap(swap: Swap) -> str:
    return f"  {{ off = [{_list(swap.off)}], work = [{_list(swap.work)}] }},"


def _quoted(text: str) -> str:
    """Return a text on one line as TOML has it."""
    shown = show_text(" ".join(text.split()))
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _refuse_twice(days: Iterable[date]) -> None:
    twice = next(_repeated(days), None)
    if twice is not None:
        raise _wrong(msg("{day} is named twice", day=twice.isoformat()))


def _repeated(days: Iterable[date]) -> Iterator[date]:
    return (day for day, count in Counter(days).items() if count > 1)


def _list(days: Sequence[date]) -> str:
    return ", ".join(day.isoformat() for day in days)


def _wrong(problem: Message) -> UsageError:
    return UsageError(
        problem, msg("Correct it by the notice itself; --dry-run shows the whole year and writes nothing.")
    )
