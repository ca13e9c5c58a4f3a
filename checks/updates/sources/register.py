"""The register of incoming paper documents: a CSV file, as the registrar keeps it (Article 9.1, grade D).

The columns are those of Decree 30/2020/NĐ-CP, Annexes IV and VI, by their English names or in Vietnamese:

    ArrivalDate    ngày đến       required
    ArrivalNumber  số đến         required, unique within its year
    OrganName      tác giả        the agency
    CodeNumber     số             of the document
    CodeNotation   ký hiệu        "số ký hiệu" for both in one
    Subject        trích yếu
    IssuedDate     ngày văn bản

Up to ten lines may stand above these headings, such as the title of the register and the name of the office.

A sign such as *nt* (như trên) for an author stands for that of the line above: the line names no unit by itself, and may be of that one
alone. One in the place of a number, of arrival or of the paper's own, may be the same paper again, so that the line is refused. A
quotation mark that nobody closes hides the lines behind it, which nobody can read.

A total, a heading of a month, a page or the register that comes again, the place for a signature and an empty frame are no papers and hide none
(`checks.updates.register_frames`). Any other line without number or date of arrival, or with a number used twice in its year, is refused and named; the other lines count. So is
one whose day and month may be exchanged, with a date in the future; another line with such a date is named, and taken for one of the time in which
it came up (`checks.updates.judging`). A line whose day lies out of those of the lines beside it is marked as such. All dates of arrival are read in one order of day and month; where some can only be day
first and some only month first, those that fit both are refused. So are days with the year first of which a spreadsheet may have
exchanged day and month (`checks.updates.exchanged_days`). UTF-8, with or without a byte-order mark; comma, semicolon or tab.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from checks.updates.authors import author_above, is_repetition, names_nobody, repeated_author
from checks.updates.dates import DateRules, DayOrder, WrittenDates, is_order_open, read_moment, settle_order
from checks.updates.exchanged_days import exchanged_day, may_be_exchanged, places_out_of_order, shows_exchange
from checks.updates.register_frames import find_frames
from checks.updates.serial_days import with_serial_days
from checks.updates.short_days import is_short_day, with_zeros, written_in_full
from checks.updates.source_settings import CommonSettings, bounded, content_key, source_error
from checks.updates.sources import UpdateSourceKind
from checks.updates.text import fold
from portalops.config.values import LocalPath, Text
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.updates import ListedItem, Listing, RefusedItem, UpdateAnswer, UpdateSourceTraits
from portalops.ports import Web

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

    from portalops.config.tables import KindTable

LIMIT_BYTES = 64 << 20
AHEAD = timedelta(minutes=10)
"""By how much the registrar's clock may be ahead."""
ALIASES: Mapping[str, str] = {
    "arrivaldate": "ArrivalDate",
    "ngày đến": "ArrivalDate",
    "arrivalnumber": "ArrivalNumber",
    "số đến": "ArrivalNumber",
    "organname": "OrganName",
    "tác giả": "OrganName",
    "cơ quan ban hành": "OrganName",
    "codenumber": "CodeNumber",
    "số": "CodeNumber",
    "codenotation": "CodeNotation",
    "ký hiệu": "CodeNotation",
    "số ký hiệu": "CodeNotation",
    "số, ký hiệu": "CodeNotation",
    "subject": "Subject",
    "trích yếu": "Subject",
    "trích yếu nội dung": "Subject",
    "issueddate": "IssuedDate",
    "ngày văn bản": "IssuedDate",
    "ngày, tháng văn bản": "IssuedDate",
}
REQUIRED = {"ArrivalNumber": "số đến", "ArrivalDate": "ngày đến", "OrganName": "tác giả"}
"""The columns that every register must have, by their names in the decree and in Vietnamese."""


TITLE_LINES = 10
"""So many lines may stand above the headings, such as SỔ ĐĂNG KÝ VĂN BẢN ĐẾN NĂM 2026 and the name of the office."""


class Settings(CommonSettings):
    """`kind = "register"`."""

    file: LocalPath
    outsiders: tuple[Text, ...] = ()
    """Authors that are no unit of ours, such as `Báo Khánh Hòa`; one that ends in `*` stands for all that begin so. Other unknown ones may be any unit's."""


def build(source_id: str, table: KindTable, *, zone: ZoneInfo, web: Web) -> RegisterSource:
    """Return the source that a configuration table describes."""
    del web  # it asks no web server
    return RegisterSource(source_id, table.parse(Settings), zone=zone)


class RegisterSource(WrittenDates):
    """One register file; each look reads all of it."""

    def __init__(self, source_id: str, settings: Settings, *, zone: ZoneInfo) -> None:
        self._file = settings.file
        self._zone = zone
        self._rules = settings.date_rules(zone)
        self._traits = settings.traits(
            source_id, complete=True, attested=True, typed_days=True, outsiders=settings.outsiders
        )

    @property
    def traits(self) -> UpdateSourceTraits:
        return self._traits

    def fetch(self, *, etag: str) -> UpdateAnswer:
        del etag  # a file has none
        try:
            with self._file.open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
        except OSError as error:
            raise source_error(
                self._traits.id,
                msg("cannot read {file}: {cause}", file=bounded(self._file.name), cause=cause_of(error)),
            ) from error
        if len(data) > LIMIT_BYTES:
            raise source_error(self._traits.id, msg("the register is larger than {limit} MiB", limit=LIMIT_BYTES >> 20))
        return UpdateAnswer(data)

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise source_error(
                self._traits.id,
                msg("{file} line {line} is not UTF-8: save it as CSV UTF-8", file=bounded(self._file.name), line=line),
                msg("Save the register as CSV UTF-8; older encodings such as TCVN3 or VNI cannot be told apart."),
            ) from error
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
        try:
            columns, above = self._columns(reader)
            return self._read(reader, columns, above, polled_at)
        except csv.Error as error:
            raise source_error(
                self._traits.id,
                msg(
                    "{file} line {line}: {cause}",
                    file=bounded(self._file.name),
                    line=reader.line_num,
                    cause=bounded(error),
                ),
            ) from error

    def _columns(self, reader: CsvReader) -> tuple[dict[str, int], Sequence[Sequence[str]]]:
        """Return the columns by the headings, which may stand below lines of title, and all these lines."""
        header: Sequence[str] = next(reader, [])
        columns = _named_columns(header)
        above = [header]
        while (
            not REQUIRED.keys() <= columns.keys()
            and len(above) <= TITLE_LINES
            and (row := next(reader, None)) is not None
        ):
            above.append(row)
            if len(own := _named_columns(row)) > len(columns):
                header, columns = row, own
        missing = [f"{vietnamese} ({name})" for name, vietnamese in REQUIRED.items() if name not in columns]
        if missing:
            raise source_error(
                self._traits.id,
                msg(
                    "{file} has no column {missing}; it has {columns}",
                    file=bounded(self._file.name),
                    missing=", ".join(missing),
                    columns=bounded(", ".join(header), 300) or "-",
                ),
                msg(
                    "Name the columns as in Decree 30/2020: ArrivalNumber or 'số đến', ArrivalDate or 'ngày đến', OrganName or 'tác giả'; at most {n} lines may stand above the headings.",
                    n=TITLE_LINES,
                ),
            )
        return columns, above

    def _read(
        self, reader: CsvReader, columns: Mapping[str, int], above: Sequence[Sequence[str]], polled_at: datetime
    ) -> Listing:
        items: list[ListedItem] = []
        lines, hidden = self._lines(reader, columns, above)
        rejected = [*hidden]
        taken: dict[tuple[int, str], tuple[int, Sequence[str]]] = {}
        days = written_in_full([with_zeros(cells["ArrivalDate"]) for _line, _row, cells in lines], self._rules)
        days = with_serial_days(days, self._rules)
        lines = [
            (line, row, {**cells, "ArrivalDate": day}) for (line, row, cells), day in zip(lines, days, strict=True)
        ]
        rules = settle_order(self._rules, days)
        is_exchange_shown = shows_exchange(days, rules)
        for line, row, cells in lines:
            may_be_another = may_be_exchanged(cells["ArrivalDate"], rules)
            is_exchanged = is_exchange_shown and may_be_another
            item = _exchanged(cells) if is_exchanged else _entry(cells, rules, self._zone, polled_at)
            is_copy = False
            if isinstance(item, ListedItem) and item.created_at:
                # A spreadsheet drops the zeros of 002, and adds them.
                key = item.created_at.astimezone(self._zone).year, cells["ArrivalNumber"].lstrip("0").casefold()
                first, same = taken.setdefault(key, (line, row))
                if first != line:
                    is_copy = list(same) == list(row)  # a line that was copied whole hides nothing
                    item = msg(
                        "số đến {number} of {year} is already in line {line}",
                        number=bounded(cells["ArrivalNumber"], 20),
                        year=str(key[0]),
                        line=first,
                    )
            if isinstance(item, Message):
                what = msg("line {line}: {why}", line=line, why=item)
                known_by = "" if is_copy else content_key(row)
                arrived = None if is_exchanged else _arrived(cells, rules, polled_at)
                rejected.append(RefusedItem(what, known_by, cells["OrganName"], arrived))
            else:
                if item.created_at is not None and item.created_at > polled_at + AHEAD:
                    what = msg("line {line}: {why}", line=line, why=_future_day(cells))
                    rejected.append(RefusedItem(what))  # named, though it is read: it hides nothing
                items.append(self._with_line(item, cells["ArrivalDate"], rules, row, may_be_another=may_be_another))
        return Listing(self._with_order(items, polled_at), tuple(rejected))

    def _with_order(self, items: Sequence[ListedItem], polled_at: datetime) -> tuple[ListedItem, ...]:
        """Return the items of one answer, those marked whose days lie out of those beside them."""
        days = [
            one.created_at.astimezone(self._zone).date()
            if one.created_at is not None and one.created_at <= polled_at + AHEAD
            else None
            for one in items
        ]
        stray = places_out_of_order(days)
        return tuple(replace(one, is_out_of_order=True) if place in stray else one for place, one in enumerate(items))

    def _lines(
        self, reader: CsvReader, columns: Mapping[str, int], titles: Sequence[Sequence[str]]
    ) -> tuple[Sequence[tuple[int, Sequence[str], Mapping[str, str]]], Sequence[RefusedItem]]:
        """Return the lines that may be papers, each with its number and its cells by column; and what hides further ones."""
        lines = []
        hidden = []
        above = ""
        written: list[tuple[int, list[str], int]] = []
        line = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                written.append((line, row, reader.line_num))
            line = reader.line_num + 1
        are_frames = find_frames([row for _first, row, _last in written], titles, columns)
        for (line, row, last), is_frame in zip(written, are_frames, strict=True):
            if not is_frame:
                cells = {name: row[at].strip() if at < len(row) else "" for name, at in columns.items()}
                if any(_holds_lines(cells[name], columns) for name in REQUIRED):
                    hidden.append(_hidden_lines(row, line, last))
                    cells["OrganName"] = ""
                elif self._repeats(cells["OrganName"]):
                    cells["OrganName"] = repeated_author(cells["OrganName"], above)
                above = "" if names_nobody(cells["OrganName"]) else author_above(cells["OrganName"])
                lines.append((line, row, cells))
        return lines, hidden

    def _repeats(self, author: str) -> bool:
        known = {fold(name) for name, _unit in self._traits.unit_names}
        return is_repetition(author) and fold(author) not in known

    def _with_line(
        self, item: ListedItem, day: str, rules: DateRules, row: Sequence[str], *, may_be_another: bool
    ) -> ListedItem:
        """Return an item with its line, where its day may be another one than it names."""
        if is_order_open(day, rules):
            return replace(item, line=content_key(row))
        if may_be_another and item.created_at is not None:
            other = exchanged_day(item.created_at.astimezone(self._zone).date())
            return replace(item, line=content_key(row), exchanged_on=other)
        return item


def _named_columns(header: Sequence[str]) -> dict[str, int]:
    """Return at which place of a line of headings each known column stands."""
    columns: dict[str, int] = {}
    for position, name in enumerate(header):
        folded = " ".join(unicodedata.normalize("NFC", name).casefold().split())
        if folded in ALIASES:
            columns.setdefault(ALIASES[folded], position)
    return columns


def _delimiter(text: str) -> str:
    """Return the sign between the cells: the one that parts the headings, which may stand below lines of title."""
    first, *below = text.split("\n", TITLE_LINES + 1)[: TITLE_LINES + 1]

    def headings(sign: str) -> int:
        return max(len(_named_columns([cell.strip(' "\r') for cell in line.split(sign)])) for line in (first, *below))

    return max(",;\t", key=lambda sign: (headings(sign), first.count(sign)))


def _holds_lines(cell: str, columns: Mapping[str, int]) -> bool:
    """Say whether a cell has whole lines of the register in it, as behind a quotation mark that nobody closed."""
    return "\n" in cell and max(map(cell.count, ",;\t")) >= max(columns.values())


def _hidden_lines(row: Sequence[str], first: int, last: int) -> RefusedItem:
    what = msg(
        "line {line}: a quotation mark that is not closed hides what follows up to line {last}", line=first, last=last
    )
    return RefusedItem(what, content_key(["hidden", *row]), is_open=True)


def _arrived(cells: Mapping[str, str], rules: DateRules, polled_at: datetime) -> datetime | None:
    """Return when a paper arrived; None where the line does not tell, or tells what cannot be."""
    arrived = read_moment(cells["ArrivalDate"], rules) if cells["ArrivalDate"] else None
    return arrived if arrived is not None and arrived <= polled_at + AHEAD else None


def _exchanged(cells: Mapping[str, str]) -> Message:
    """Say why a line is refused whose day a spreadsheet may have exchanged."""
    return msg(
        "day and month of ngày đến {day} may be exchanged by a spreadsheet: have days kept as text, and set date_formats",
        day=bounded(cells["ArrivalDate"], 40),
    )


def _future_day(cells: Mapping[str, str]) -> Message:
    return msg("ngày đến {day} is in the future", day=bounded(cells["ArrivalDate"], 40))


def _entry(cells: Mapping[str, str], rules: DateRules, zone: ZoneInfo, polled_at: datetime) -> ListedItem | Message:
    """Return the line as an item, or why it is refused."""
    number = cells["ArrivalNumber"]
    if not number:
        return msg("no số đến")
    if is_repetition(number):
        return msg("số đến {number} repeats the line above: write the number", number=bounded(number, 20))
    if not cells["ArrivalDate"]:
        return msg("no ngày đến")
    arrived = read_moment(cells["ArrivalDate"], rules)
    if rules.order is DayOrder.UNKNOWN and is_order_open(cells["ArrivalDate"], rules):
        return msg(
            "ngày đến {day} may be day or month first, as the register has both: write one order, or set date_formats",
            day=bounded(cells["ArrivalDate"], 40),
        )
    if arrived is None and is_short_day(cells["ArrivalDate"]):
        return msg(
            "no line near it tells the year of ngày đến {day}: write day, month and year in full, as in 16/11/2026",
            day=bounded(cells["ArrivalDate"], 40),
        )
    if arrived is None:
        return msg("ngày đến {day} is not a date", day=bounded(cells["ArrivalDate"], 40))
    if arrived > polled_at + AHEAD and (
        is_order_open(cells["ArrivalDate"], rules) or may_be_exchanged(cells["ArrivalDate"], rules)
    ):
        return _future_day(cells)
    own = cells.get("CodeNumber", "") or cells.get("CodeNotation", "")
    if is_repetition(own):
        return msg("số ký hiệu {code} repeats the line above: write the paper's own", code=bounded(own, 40))
    code = "/".join(part for part in (cells.get("CodeNumber", ""), cells.get("CodeNotation", "")) if part)
    return ListedItem(
        external_id=f"{arrived.astimezone(zone).year}/{number}",
        url="",
        title=" ".join(part for part in (code, cells.get("Subject", "")) if part) or number,
        published_at=arrived,
        raw_date=cells["ArrivalDate"],
        unit_name=cells["OrganName"],
        created_at=arrived,
    )


SOURCE = UpdateSourceKind(settings=Settings, build=build)
