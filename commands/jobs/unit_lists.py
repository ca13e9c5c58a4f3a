"""A list of units out of a spreadsheet or a CSV file: names, sites, mail, other names, days. Its headings may be Vietnamese or English.

Lists of agencies have a title above their headings and columns that nobody asks for; both are passed over. Sources: RFC 4180;
ECMA-376, Part 1 (SpreadsheetML), as openpyxl reads it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from checks.updates.unit_names import bare_text, id_of, normal_name
from portalops.errors import UsageError
from portalops.model.causes import cause_of
from portalops.model.message import ByteCount, Message, msg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text

LIST_BYTES = 16 << 20
UNPACKED_BYTES = 128 << 20
"""Of all parts of a workbook; it is packed, and a small one may hold a lot of nothing."""
MAX_ROWS = 5000
MAX_COLUMNS = 50
HEADINGS_WITHIN = 20
"""Rows above the headings, at most: titles, the agency's name, the day."""

_HEADINGS = {
    "name": ("ten", "ten don vi", "ten co quan", "don vi", "co quan", "co quan don vi", "ten co quan don vi", "name", "unit", "agency"),
    "name_en": ("ten tieng anh", "english name", "name en", "name in english"),
    "id": ("ma", "ma don vi", "ma dinh danh", "id", "code"),
    "site": (
        "trang", "trang tin", "trang thong tin", "trang thong tin dien tu", "cong con", "website", "web", "site", "url", "dia chi trang",
        "dia chi website", "sub portal", "subportal",
    ),
    "mail": ("ten mien thu", "ten mien thu dien tu", "thu dien tu", "mail", "mail domain", "email", "e mail", "hop thu"),
    "aliases": ("ten khac", "ten goi khac", "aliases", "alias", "other names"),
    "valid_from": ("tu ngay", "ngay thanh lap", "co hieu luc tu", "valid from", "from"),
}  # fmt: skip
_COLUMN_OF = {heading: column for column, headings in _HEADINGS.items() for heading in headings}
_TEXT_AS_FORMULA = re.compile(r'="([^"]*)"')
"""How spreadsheets keep a text as it is in CSV: `="007"`."""
_MAIL = re.compile(r"(?:[^\s@]+@)?[^\s@]+\.[^\s@.]+")


@dataclass(frozen=True, slots=True)
class ListedUnit:
    """A unit of a list."""

    row: int
    """Its row, from 1."""
    id: UnitId
    name: str
    name_en: str
    site: str
    """As it is written; empty if it has none."""
    mail: tuple[str, ...]
    """Addresses, or domains for all of their addresses."""
    aliases: tuple[str, ...]
    valid_from: date | None
    code: str = ""
    """The id as the list writes it; empty if it writes none."""


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row, or a part of one, of which nothing is made."""

    row: int
    why: Message


@dataclass(frozen=True, slots=True)
class UnitList:
    """A list, read."""

    units: tuple[ListedUnit, ...]
    skipped: tuple[SkippedRow, ...]
    unknown_headings: tuple[str, ...]
    """Columns that were passed over."""


def read_units(path: Path, home: str) -> UnitList:
    """Read a list of units from a file; its ending says what it is.

    Args:
        path: of the file.
        home: a text that names the own province, such as the portal's name; it may stand behind a unit's name.

    Raises:
        UsageError: it cannot be read, is too large, is neither a workbook (.xlsx) nor CSV, or has no headings.
    """
    data = _bytes_of(path)
    is_workbook = data.startswith(b"PK")
    if not is_workbook and data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UsageError(
            msg("{file} is a workbook of the old kind (.xls)", file=show_text(str(path), 200)),
            msg("Save it as .xlsx or as CSV UTF-8, and import that."),
        )
    return listed_units(_workbook_rows(path, data) if is_workbook else _csv_rows(path, data), home)


def listed_units(rows: Sequence[Sequence[object]], home: str) -> UnitList:
    """Return the units of a table. Pure.

    Raises:
        UsageError: no row has the headings, or none below them names anything.
    """
    at, columns, unknown = _headings(rows)
    units: list[ListedUnit] = []
    skipped: list[SkippedRow] = []
    for number, cells in enumerate(rows[at + 1 :], at + 2):
        values = {column: cells[place] for place, column in columns.items() if place < len(cells)}
        if not any(_text(value) for value in values.values()):
            continue
        unit, why = _unit(number, values)
        skipped += [SkippedRow(number, each) for each in why]
        if unit is not None:
            units.append(unit)
    if not units and not skipped:
        raise UsageError(
            msg("the list has no unit: all rows below its headings, in row {row}, are empty", row=at + 1),
            msg("Write one unit a row under the headings, and import that."),
        )
    return UnitList(tuple(_with_own_ids(_with_own_names(units, home, skipped), skipped)), tuple(skipped), unknown)


def _headings(rows: Sequence[Sequence[object]]) -> tuple[int, dict[int, str], tuple[str, ...]]:
    for at, cells in enumerate(rows[:HEADINGS_WITHIN]):
        columns: dict[int, str] = {}
        unknown = []
        for place, cell in enumerate(cells):
            heading = bare_text(_text(cell))
            column = _COLUMN_OF.get(heading)
            if column and column not in columns.values():
                columns[place] = column
            elif heading and heading not in {"stt", "tt", "no"}:
                unknown.append(show_text(_text(cell), 60))
        if "name" in columns.values() and (len(columns) > 1 or len([each for each in cells if _text(each)]) == 1):
            return at, columns, tuple(unknown)
    first = next((cells for cells in rows if any(map(_text, cells))), ())
    shown = show_text(", ".join(filter(None, map(_text, first))), 120)
    raise UsageError(
        msg(
            "the list has no headings: none of its first {n} rows has a column 'Tên' or 'Name'; it begins with: {cells}",
            n=HEADINGS_WITHIN,
            cells=shown or msg("nothing"),
        ),
        msg("Give it the headings: Tên, Mã, Trang, Tên miền thư, Tên khác, Từ ngày; only Tên is needed."),
    )


def _unit(row: int, values: dict[str, object]) -> tuple[ListedUnit | None, list[Message]]:
    why: list[Message] = []
    formulas = {column: _text(value) for column, value in values.items() if _text(value).startswith("=")}
    why += [
        msg("{text} is a formula without a value; it is left out", text=show_text(each, 80))
        for each in formulas.values()
    ]
    values = {column: value for column, value in values.items() if column not in formulas}
    name = _text(values.get("name"))
    own = _text(values.get("id")).lower()
    ident = UnitId(own) if re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", own) else id_of(own or name)
    if not name or not ident:
        return None, [*why, msg("it has no name")]
    if own and own != ident:
        why.append(msg("{text} is not an id; {id} is taken instead", text=show_text(own, 60), id=ident))
    mail = tuple(part.casefold().lstrip("@") for part in _parts(values.get("mail")))
    why += [
        msg("{text} is neither a mail address nor a domain", text=show_text(part, 80))
        for part in mail
        if not _MAIL.fullmatch(part)
    ]
    begins = _day(values.get("valid_from"))
    if begins is None and _text(values.get("valid_from")):
        why.append(msg("{text} is not a day; it is left out", text=show_text(_text(values.get("valid_from")), 40)))
    return (
        ListedUnit(
            row,
            ident,
            name,
            _text(values.get("name_en")),
            _text(values.get("site")),
            tuple(part for part in mail if _MAIL.fullmatch(part)),
            _parts(values.get("aliases")),
            begins,
            own,
        ),
        why,
    )


def _with_own_names(units: Sequence[ListedUnit], home: str, skipped: list[SkippedRow]) -> list[ListedUnit]:
    """Return the units without those that another row names again, however it spells the name.

    With one id they are one unit, and the first row stands. With two ids nobody can tell whose a paper of that name is: neither is taken.
    """
    alike: dict[str, list[ListedUnit]] = {}
    for unit in units:
        alike.setdefault(normal_name(unit.name, home) or unit.name, []).append(unit)
    own = []
    for first, *others in alike.values():
        if all(each.id == first.id for each in others):
            own.append(first)
            skipped += [
                SkippedRow(
                    each.row, msg("{name} is in row {row} already", name=show_text(each.name, 80), row=first.row)
                )
                for each in others
            ]
            continue
        rows = ", ".join(str(each.row) for each in (first, *others))
        why = msg(
            "{name} has several ids, in the rows {rows}: none is taken", name=show_text(first.name, 80), rows=rows
        )
        skipped += [SkippedRow(each.row, why) for each in (first, *others)]
    return sorted(own, key=lambda unit: unit.row)


def _with_own_ids(units: Sequence[ListedUnit], skipped: list[SkippedRow]) -> Iterator[ListedUnit]:
    """Yield the units with an id each, and no name that is another's too; tell what was left out."""
    count = Counter(part.casefold() for unit in units for part in {*unit.mail, *unit.aliases, unit.name})
    taken: dict[UnitId, ListedUnit] = {}
    for unit in units:
        numbered = (UnitId(f"{unit.id[:58]}-{n}") for n in range(2, MAX_ROWS + 2))
        ident = unit.id if unit.id not in taken else next(each for each in numbered if each not in taken)
        if unit.code and ident != unit.id:
            said = msg(
                "the id {text} is that of row {row}; {id} is taken instead",
                text=show_text(unit.code, 60),
                row=taken[unit.id].row,
                id=ident,
            )
            skipped.append(SkippedRow(unit.row, said))
        shared = [part for part in (*unit.mail, *unit.aliases) if count[part.casefold()] > 1]
        skipped += [
            SkippedRow(unit.row, msg("{text} is of several units, so it tells none of them", text=show_text(part, 80)))
            for part in shared
        ]
        own = replace(
            unit,
            id=ident,
            mail=tuple(part for part in unit.mail if part not in shared),
            aliases=tuple(part for part in unit.aliases if part not in shared),
        )
        taken[ident] = own
        yield own


def _parts(value: object) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            part for each in re.split(r"[;|\n]", _text(value, lines=True)) if (part := " ".join(each.split()))
        )
    )


def _text(value: object, *, lines: bool = False) -> str:
    """Return a cell as text on one line, at most 500 characters; a number without a fraction as one."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    composed = unicodedata.normalize("NFC", str(value))
    if (written := _TEXT_AS_FORMULA.fullmatch(composed)) is not None:
        composed = written[1]
    text = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in composed)[:500]
    return text if lines else " ".join(text.split())


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    for pattern in ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(_text(value), pattern).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
    return None


def _bytes_of(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(LIST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            msg("cannot read {file}: {cause}", file=show_text(str(path), 200), cause=cause_of(error)),
            msg("Check the path and the rights of the file."),
        ) from error
    _require_size(path, len(data), LIST_BYTES)
    return data


def _require_size(path: Path, size: int, most: int) -> None:
    if size > most:
        raise UsageError(
            msg("{file} is larger than {limit}", file=show_text(str(path), 200), limit=ByteCount(most)),
            msg("Name the file that lists the units."),
        )


def _workbook_rows(path: Path, data: bytes) -> list[Sequence[object]]:
    """Return the rows of a workbook's first sheet; a formula that was never calculated stands as it is written."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            _require_size(path, sum(part.file_size for part in packed.infolist()), UNPACKED_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a sheet has beside its cells
            values, written = (_cells(data, calculated=each) for each in (True, False))
        return [
            [text if value is None else value for value, text in zip(*each, strict=False)]
            for each in zip(values, written, strict=False)
        ]
    except UsageError:
        raise
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        IndexError,
        TypeError,
        OSError,
        SyntaxError,
    ) as error:
        raise UsageError(
            msg(
                "{file} is not a workbook that can be read: {cause}",
                file=show_text(str(path), 200),
                cause=show_text(str(error), 120),
            ),
            msg("Save it as .xlsx or as CSV UTF-8 again, and import that."),
        ) from error


def _cells(data: bytes, *, calculated: bool) -> list[Sequence[object]]:
    """Return the cells of a workbook's first sheet: its formulas, or what they come to."""
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=calculated)
    return [*book.worksheets[0].iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS, values_only=True)]


def _csv_rows(path: Path, data: bytes) -> list[Sequence[object]]:
    if path.suffix.lower() == ".xlsx":
        raise UsageError(
            msg("{file} is named .xlsx and is no workbook", file=show_text(str(path), 200)),
            msg("Save it as .xlsx or as CSV UTF-8 again, and import that."),
        )
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" in data:
        raise UsageError(
            msg("{file} is UTF-16 without a mark, or no text at all", file=show_text(str(path), 200)),
            msg("Save it as CSV UTF-8 again, and import that."),
        )
    try:
        text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            msg("{file} is not UTF-8", file=show_text(str(path), 200)),
            msg("Save it as CSV UTF-8; 'iconv -f CP1258 -t UTF-8' converts an old Vietnamese text."),
        ) from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [row[:MAX_COLUMNS] for row, _number in zip(rows, range(MAX_ROWS), strict=False)]
    except csv.Error as error:
        raise UsageError(
            msg("{file} is not CSV: {cause}", file=show_text(str(path), 200), cause=show_text(str(error), 120)),
            msg("Save it as CSV UTF-8 again, and import that."),
        ) from error
