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
from portalops.calendar.notice import WITHOUT_LEGAL_TEXT, DayOff, Swap, YearNotice
from portalops.errors import ConfigurationError
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg

YEARS = range(1990, 2101)
"""Of the days that a calendar may be asked for or settle: the shipped rows begin in 2010, and a file may have earlier ones."""

_HINT = msg(
    "Give each row a date, a name and the document behind it; 'portalops calendar show' lists the rows in force."
)
_NOTICE_LISTS = frozenset({"off", "work", "swaps"})
_LISTS = _NOTICE_LISTS | {"province_off"}
_KEYS = _LISTS | {"version", "years", "documents", "notice"}
_ROW_KEYS = frozenset({"date", "name", "document", "confirmed", "compensation"})
_SWAP_KEYS = frozenset({"off", "work", "document"})


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
    values = _parsed(data, place)
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
    )


def documents_of_notices(data: bytes, place: str) -> Mapping[int, str]:
    """Return the years for which a province's file has a notice, each with its document.

    Raises:
        ConfigurationError: as by `overlay`.
    """
    return {year: document for year, document, _row in _notice_tables(_parsed(data, place), place)}


def read_notice(year: int, document: str, data: bytes, place: str) -> YearNotice:
    """Return the rows of a file, such as a corrected draft, as the notice of a year: whatever its rows name, that document is theirs.

    Each counts as confirmed by it, but for a marked one that no legal text gives (`WITHOUT_LEGAL_TEXT`).

    Raises:
        ConfigurationError: it is not TOML, has other keys than `off`, `work` and `swaps`, or a row lacks its date.
    """
    values = _parsed(data, place)
    _check_keys(values, _NOTICE_LISTS, place)
    off: dict[date, DayOff] = {}
    work: list[date] = []
    for key in ("off", "work"):
        for number, row in enumerate(_rows(values, key, place), 1):
            where = f"{place}: {key} row {number}"
            _check_keys(row, _ROW_KEYS, where)
            day = _day(row.get("date"), where)
            if key == "work":
                work.append(day)
            elif day in off:
                raise _wrong(place, f"{day.isoformat()} stands in two rows")
            else:
                name = str(row.get("name", ""))
                is_confirmed = name not in WITHOUT_LEGAL_TEXT or row.get("confirmed") is not False
                off[day] = DayOff(name, row.get("compensation") is True, is_confirmed)
    swaps = []
    for number, row in enumerate(_rows(values, "swaps", place), 1):
        where = f"{place}: swaps row {number}"
        _check_keys(row, _SWAP_KEYS, where)
        swaps.append(Swap(_days(row.get("off"), where), _days(row.get("work"), where)))
    return YearNotice(year, document, dict(sorted(off.items())), tuple(sorted(work)), tuple(swaps))


@cache
def _shipped() -> Calendar:
    name = "working_days.toml"
    values = tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))
    rules, years = _read(values, name)
    return Calendar(str(values["version"]), rules, years)


def _read(values: Mapping[str, object], place: str) -> tuple[dict[date, DayRule], frozenset[int]]:
    _check_keys(values, _KEYS, place)
    years = values.get("years", [])
    if not isinstance(years, list) or not all(type(year) is int for year in years):
        raise _wrong(place, "years is not a list of whole numbers")
    if any(year not in YEARS for year in years):
        raise _wrong(
            place, msg("one of its years is none from {first} to {last}", first=str(YEARS[0]), last=str(YEARS[-1]))
        )
    documents = values.get("documents", {})
    if not isinstance(documents, dict):
        raise _wrong(place, "documents is not a table")
    return dict(_once(_rules(values, documents, place), place)), frozenset(years)


def _parsed(data: bytes, place: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except ValueError as error:  # UnicodeDecodeError and TOMLDecodeError
        raise _wrong(place, str(error)[:200]) from error


def _notices(values: Mapping[str, object], place: str) -> Mapping[int, Mapping[date, DayRule]]:
    """Return what each notice says, by its year; the later one of two of a year."""
    found: dict[int, Mapping[date, DayRule]] = {}
    for year, document, table in _notice_tables(values, place):
        rows = {key: table[key] for key in _NOTICE_LISTS & table.keys()}
        found[year] = dict(_once(_rules(rows, {}, f"{place}: notice of {year}", of_all=document), place))
    return found


def _notice_tables(values: Mapping[str, object], place: str) -> Iterator[tuple[int, str, Mapping[str, object]]]:
    for number, table in enumerate(_rows(values, "notice", place), 1):
        where = f"{place}: notice {number}"
        _check_keys(table, _NOTICE_LISTS | {"year", "document"}, where)
        year = table.get("year")
        if type(year) is not int or year not in YEARS:
            raise _wrong(
                where, msg("its year is none from {first} to {last}", first=str(YEARS[0]), last=str(YEARS[-1]))
            )
        yield year, _document(table, {}, where), table


def _once(rules: Iterable[tuple[date, DayRule]], place: str) -> Iterator[tuple[date, DayRule]]:
    seen: set[date] = set()
    for day, rule in rules:
        if day in seen:
            raise _wrong(place, f"{day.isoformat()} stands in two rows")
        seen.add(day)
        yield day, rule


def _check_keys(row: Mapping[str, object], known: frozenset[str], where: str) -> None:
    unknown = sorted(row.keys() - known)
    if unknown:
        raise _wrong(where, f"unknown key {unknown[0]!r}")


def _rules(
    values: Mapping[str, object], documents: Mapping[str, object], place: str, *, of_all: str = ""
) -> Iterator[tuple[date, DayRule]]:
    for key in ("off", "province_off", "work"):
        for number, row in enumerate(_rows(values, key, place), 1):
            where = f"{place}: {key} row {number}"
            _check_keys(row, _ROW_KEYS, where)
            confirmed = row.get("confirmed", True)
            if not isinstance(confirmed, bool):
                raise _wrong(where, "confirmed is neither true nor false")
            name = str(row.get("name", ""))
            yield (
                _day(row.get("date"), where),
                DayRule(
                    key == "work", _describe_row(key, row, name), of_all or _document(row, documents, where), confirmed
                ),
            )
    for number, row in enumerate(_rows(values, "swaps", place), 1):
        where = f"{place}: swaps row {number}"
        document = of_all or _document(row, documents, where)
        off, work = _days(row.get("off"), where), _days(row.get("work"), where)
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


def _rows(values: Mapping[str, object], key: str, place: str) -> Sequence[Mapping[str, object]]:
    rows = values.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _wrong(place, f"{key} is not a list of rows")
    return rows


def _document(row: Mapping[str, object], documents: Mapping[str, object], where: str) -> str:
    document = row.get("document")
    if not isinstance(document, str) or not document.strip():
        raise _wrong(where, "no document")
    return str(documents.get(document, document))


def _day(value: object, where: str) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise _wrong(where, f"not a date: {value!r:.40}")
    return value


def _days(value: object, where: str) -> tuple[date, ...]:
    return tuple(_day(one, where) for one in (value if isinstance(value, list) else [value]))


def _list(days: Sequence[date]) -> str:
    return ", ".join(day.isoformat() for day in days)


def _wrong(place: str, cause: str | Message) -> ConfigurationError:
    return ConfigurationError(msg("calendar {place}: {cause}", place=place, cause=cause), _HINT)
