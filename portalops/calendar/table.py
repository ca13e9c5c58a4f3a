"""The table and a province's own rows, read and laid over one another. The province's rows win.

A province's file has the same form as `working_days.toml`, all of it optional:

    years = [2027]                                   # years that these rows complete
    off = [{ date = 2027-02-04, name = "tet", document = "..." }]
    work = [{ date = 2026-11-24, document = "..." }] # worked although the table says off, or a weekly rest day
    swaps = [{ off = [2027-01-02], work = [2027-01-09], document = "..." }]
    province_off = [{ date = 2026-11-20, name = "bão số 13", document = "..." }]
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path

from portalops.calendar.calendar import Calendar, DayRule, describe_day_off, holiday_name
from portalops.errors import ConfigurationError
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg

_HINT = msg(
    "Give each row a date, a name and the document behind it; 'portalops calendar show' lists the rows in force."
)
_LISTS = frozenset({"off", "work", "swaps", "province_off"})
_KEYS = _LISTS | {"version", "years", "documents"}
_ROW_KEYS = frozenset({"date", "name", "document", "confirmed", "compensation"})


def load(own_file: Path | None = None) -> Calendar:
    """Return the shipped calendar, with a province's own file laid over it if there is one.

    Raises:
        ConfigurationError: the file cannot be read, is not TOML, or a row lacks its date or document.
    """
    shipped = _shipped()
    if own_file is None:
        return shipped
    try:
        data = own_file.read_bytes()
        values = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise _wrong(own_file.name, cause_of(error)) from error
    except ValueError as error:  # UnicodeDecodeError and TOMLDecodeError
        raise _wrong(own_file.name, str(error)[:200]) from error
    rules, years = _read(values, own_file.name)
    return Calendar(
        version=f"{shipped.version}+{hashlib.sha256(data).hexdigest()[:8]}",
        rules={**shipped.rules, **rules},
        years=shipped.years | years,
    )


@cache
def _shipped() -> Calendar:
    name = "working_days.toml"
    values = tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))
    rules, years = _read(values, name)
    return Calendar(str(values["version"]), rules, years)


def _read(values: Mapping[str, object], place: str) -> tuple[dict[date, DayRule], frozenset[int]]:
    unknown = sorted(values.keys() - _KEYS)
    if unknown:
        raise _wrong(place, f"unknown key {unknown[0]!r}")
    years = values.get("years", [])
    if not isinstance(years, list) or not all(type(year) is int for year in years):
        raise _wrong(place, "years is not a list of whole numbers")
    documents = values.get("documents", {})
    if not isinstance(documents, dict):
        raise _wrong(place, "documents is not a table")
    rules: dict[date, DayRule] = {}
    for day, rule in _rules(values, documents, place):
        if day in rules:
            raise _wrong(place, f"{day.isoformat()} stands in two rows")
        rules[day] = rule
    return rules, frozenset(years)


def _rules(values: Mapping[str, object], documents: Mapping[str, object], place: str) -> Iterator[tuple[date, DayRule]]:
    for key in ("off", "province_off", "work"):
        for number, row in enumerate(_rows(values, key, place), 1):
            where = f"{place}: {key} row {number}"
            unknown = sorted(row.keys() - _ROW_KEYS)
            if unknown:
                raise _wrong(where, f"unknown key {unknown[0]!r}")
            confirmed = row.get("confirmed", True)
            if not isinstance(confirmed, bool):
                raise _wrong(where, "confirmed is neither true nor false")
            name = str(row.get("name", ""))
            yield (
                _day(row.get("date"), where),
                DayRule(key == "work", _describe_row(key, row, name), _document(row, documents, where), confirmed),
            )
    for number, row in enumerate(_rows(values, "swaps", place), 1):
        where = f"{place}: swaps row {number}"
        document = _document(row, documents, where)
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
