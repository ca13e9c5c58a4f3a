"""The table and a province's own rows, read and laid over one another. The province's rows win.

A province's file has the same form as `working_days.toml`, all of it optional:

    years = [2027]                                   # years that these rows complete
    off = [{ date = 2027-02-04, name = "tet", document = "..." }]
    work = [{ date = 2026-11-24, document = "..." }] # worked although the table says off, or a weekly rest day
    swaps = [{ off = [2027-01-02], work = [2027-01-09], document = "..." }]
    province_off = [{ date = 2026-11-20, name = "bão số 13", document = "..." }]

    [[notice]]                                       # a whole year, as `portalops calendar confirm` writes it (`notice.py`)
    year = 2027
    document = "Thông báo số ..."                    # behind every row of it
    off = [{ date = 2027-01-01, name = "new-year" }] # work and swaps likewise
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path

from portalops.calendar.calendar import Calendar, DayRule, describe_day_off, holiday_name
from portalops.errors import ConfigurationError
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg

YEARS = range(1990, 2101)
"""Of the days that a calendar may be asked for or settle: the shipped rows begin in 2010, and a file may have earlier ones."""

_HINT = msg(
    "Give each row a date, a name and the document behind it; 'portalops calendar show' lists the rows in force."
)
NOTICE_LISTS = frozenset({"off", "work", "swaps"})
_LISTS = NOTICE_LISTS | {"province_off"}
_KEYS = _LISTS | {"version", "years", "documents", "notice"}
ROW_KEYS = frozenset({"date", "name", "document", "confirmed", "compensation"})
SWAP_KEYS = frozenset({"off", "work", "document"})


def load(own_file: Path | None = None) -> Calendar:
    """Return the shipped calendar, with a province's own file laid over it if there is one.

    Raises:
        ConfigurationError: the file cannot be read, is not TOML, or a row lacks its date or document.
    """
    if own_file is None:
        return _shipped()
    try:
        data = own_file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            msg("calendar {place}: {cause}", place=own_file.name, cause=cause_of(error)),
            msg(
                "Run 'portalops calendar confirm YEAR', which makes the file, or take calendar.file out of the configuration."
            ),
        ) from error
    return overlay(data, own_file.name)


def overlay(data: bytes, place: str) -> Calendar:
    """Return the shipped calendar with a province's own rows laid over it.

    A notice stands in place of the shipped rows of its year, and of the province's own that nothing confirms. Any other row of the
    province wins.

    Args:
        data: the content of the province's file.
        place: its name, for messages.

    Raises:
        ConfigurationError: it is not TOML, or a row lacks its date or document.
    """
    shipped = _shipped()
    values = parse_rows(data, place)
    rules, years = _read(values, place)
    notices = _notices(values, place)
    kept = {day: rule for day, rule in shipped.rules.items() if day.year not in notices}
    for noticed in notices.values():
        kept.update(noticed)
    own = {day: rule for day, rule in rules.items() if rule.confirmed or day.year not in notices}
    return Calendar(
        version=f"{shipped.version}+{hashlib.sha256(data).hexdigest()[:8]}",
        rules={**kept, **own},
        years=shipped.years | years | notices.keys(),
        base=shipped,
    )


def documents_of_notices(data: bytes, place: str) -> Mapping[int, str]:
    """Return the years for which a province's file has a notice, each with its document.

    Raises:
        ConfigurationError: as by `overlay`.
    """
    return {year: document for year, document, _row in _notice_tables(parse_rows(data, place), place)}


@cache
def _shipped() -> Calendar:
    name = "working_days.toml"
    values = tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))
    rules, years = _read(values, name)
    return Calendar(str(values["version"]), rules, years)


def _read(values: Mapping[str, object], place: str) -> tuple[dict[date, DayRule], frozenset[int]]:
    check_keys(values, _KEYS, place)
    years = values.get("years", [])
    if not isinstance(years, list) or not all(type(year) is int for year in years):
        raise wrong_calendar(place, "years is not a list of whole numbers")
    if any(year not in YEARS for year in years):
        raise wrong_calendar(
            place, msg("one of its years is none from {first} to {last}", first=str(YEARS[0]), last=str(YEARS[-1]))
        )
    documents = values.get("documents", {})
    if not isinstance(documents, dict):
        raise wrong_calendar(place, "documents is not a table")
    return dict(_once(_rules(values, documents, place), place)), frozenset(years)


def parse_rows(data: bytes, place: str) -> Mapping[str, object]:
    """Return what a calendar file says; `ConfigurationError` where it is no TOML in UTF-8."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except ValueError as error:  # UnicodeDecodeError and TOMLDecodeError
        raise wrong_calendar(place, str(error)[:200]) from error


def _notices(values: Mapping[str, object], place: str) -> Mapping[int, Mapping[date, DayRule]]:
    """Return what each notice says, by its year; the later one of two of a year."""
    found: dict[int, Mapping[date, DayRule]] = {}
    for year, document, table in _notice_tables(values, place):
        rows = {key: table[key] for key in NOTICE_LISTS & table.keys()}
        found[year] = dict(_once(_rules(rows, {}, f"{place}: notice of {year}", of_all=document), place))
    return found


def _notice_tables(values: Mapping[str, object], place: str) -> Iterator[tuple[int, str, Mapping[str, object]]]:
    for number, table in enumerate(list_rows(values, "notice", place), 1):
        where = f"{place}: notice {number}"
        check_keys(table, NOTICE_LISTS | {"year", "document"}, where)
        year = table.get("year")
        if type(year) is not int or year not in YEARS:
            raise wrong_calendar(
                where, msg("its year is none from {first} to {last}", first=str(YEARS[0]), last=str(YEARS[-1]))
            )
        yield year, _document(table, {}, where), table


def _once(rules: Iterable[tuple[date, DayRule]], place: str) -> Iterator[tuple[date, DayRule]]:
    seen: set[date] = set()
    for day, rule in rules:
        if day in seen:
            raise wrong_calendar(place, f"{day.isoformat()} stands in two rows")
        seen.add(day)
        yield day, rule


def check_keys(row: Mapping[str, object], known: frozenset[str], where: str) -> None:
    """Refuse a row or table with a key that is none of its own, by `ConfigurationError`."""
    unknown = sorted(row.keys() - known)
    if unknown:
        raise wrong_calendar(where, f"unknown key {unknown[0]!r}")


def _rules(
    values: Mapping[str, object], documents: Mapping[str, object], place: str, *, of_all: str = ""
) -> Iterator[tuple[date, DayRule]]:
    for key in ("off", "province_off", "work"):
        for number, row in enumerate(list_rows(values, key, place), 1):
            where = f"{place}: {key} row {number}"
            check_keys(row, ROW_KEYS, where)
            confirmed = row.get("confirmed", True)
            if not isinstance(confirmed, bool):
                raise wrong_calendar(where, "confirmed is neither true nor false")
            name = str(row.get("name", ""))
            yield (
                read_day(row.get("date"), where),
                DayRule(
                    key == "work", _describe_row(key, row, name), of_all or _document(row, documents, where), confirmed
                ),
            )
    for number, row in enumerate(list_rows(values, "swaps", place), 1):
        where = f"{place}: swaps row {number}"
        document = of_all or _document(row, documents, where)
        off, work = read_days(row.get("off"), where), read_days(row.get("work"), where)
        for day in off:
            yield day, DayRule(False, msg("day off, worked on {days} instead", days=_list(work)), document)
        for day in work:
            yield day, DayRule(True, msg("working day in place of {days}", days=_list(off)), document)


def _describe_row(key: str, row: Mapping[str, object], name: str) -> Message:
    match key:
        case "work":
            return msg("working day by decision")
        case "province_off":
            return msg("day off by the province's decision: {name}", name=holiday_name(name))
        case _:
            return describe_day_off(name, is_compensation=row.get("compensation") is True)


def list_rows(values: Mapping[str, object], key: str, place: str) -> Sequence[Mapping[str, object]]:
    """Return the rows under a key, none where it is not there; `ConfigurationError` where it is no list of tables."""
    rows = values.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise wrong_calendar(place, f"{key} is not a list of rows")
    return rows


def _document(row: Mapping[str, object], documents: Mapping[str, object], where: str) -> str:
    document = row.get("document")
    if not isinstance(document, str) or not document.strip():
        raise wrong_calendar(where, "no document")
    return str(documents.get(document, document))


def read_day(value: object, where: str) -> date:
    """Return a row's date; `ConfigurationError` where it is a text, a moment or nothing."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise wrong_calendar(where, f"not a date: {value!r:.40}")
    return value


def read_days(value: object, where: str) -> tuple[date, ...]:
    """Return one date or a list of them, as swaps have either; `ConfigurationError` as by `read_day`."""
    return tuple(read_day(one, where) for one in (value if isinstance(value, list) else [value]))


def _list(days: Sequence[date]) -> str:
    return ", ".join(day.isoformat() for day in days)


def wrong_calendar(place: str, cause: str | Message) -> ConfigurationError:
    """Return the error of a calendar file, with its place and cause."""
    return ConfigurationError(msg("calendar {place}: {cause}", place=place, cause=cause), _HINT)
