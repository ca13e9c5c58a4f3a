"""What a unit answers in a hearing: of single items, a date or that they are its own. Pure.

The sheet that goes out with the reminder is filled in by the unit's clerk: a table as CSV with the columns item, answer and
document (mã tin, trả lời, văn bản). An answer is a day, or `ours` (của đơn vị); a line without one answers nothing.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final

from portalops.errors import UsageError
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.model.values import dataclass

MAX_LINES: Final = 1000
"""Of an answer: a unit publishes fewer items in a week."""
MAX_FIELD: Final = 300
_COLUMNS: Final[Mapping[str, str]] = {
    "item": "item",
    "answer": "answer",
    "document": "document",
    "mã tin": "item",
    "trả lời": "answer",
    "văn bản": "document",
}
_OURS: Final = frozenset({"ours", "của đơn vị"})


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """What a unit answers of one item."""

    item: str
    """The item's id, or the beginning of it."""
    published_on: date | None
    """The local day on which it was published or sent; None where the unit says that the item is its own."""
    document: str
    """Number and date of what the answer rests on; empty where that of the whole answer holds."""
    line: int | None = None
    """Its line of the sheet, from 1; None where it was typed."""


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """The answers of one file."""

    answers: tuple[ItemAnswer, ...]
    blank: int
    """Lines that name an item and answer nothing."""


def read_answers(data: bytes) -> AnswerSheet:
    """Return the answers of a filled-in sheet, in UTF-8, with comma, semicolon or tab.

    >>> read_answers("mã tin;trả lời;văn bản\\n3f2a91;18/11/2026;07/BB\\n77aa01;của đơn vị;\\n".encode()).answers[1].published_on is None
    True

    Raises:
        UsageError: it is no such table, or a line of it cannot be read; nothing of it is taken then.
    """
    try:
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _wrong(msg("the answers are not UTF-8")) from error
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _wrong(msg("the answers are no table: {cause}", cause=show_text(str(error), 100))) from error
    heads = [_COLUMNS.get(head.strip().lower(), "") for head in lines[0]] if lines else []
    if not {"item", "answer"} <= set(heads):
        raise _wrong(msg("the answers have no columns item and answer"))
    if len(lines) > MAX_LINES:
        raise _wrong(msg("the answers have more than {most} lines", most=MAX_LINES))
    found: list[ItemAnswer] = []
    blank = 0
    for number, line in enumerate(lines[1:], 2):
        fields = dict(zip(heads, (field.strip() for field in line), strict=False))
        item, answer = fields.get("item", ""), fields.get("answer", "")
        if not answer:
            blank += bool(item)
        elif not item:
            raise _wrong(msg("line {number} of the answers names no item", number=number))
        else:
            day = None if answer.lower() in _OURS else _day(answer, number)
            found.append(ItemAnswer(item[:MAX_FIELD], day, show_text(fields.get("document", ""), MAX_FIELD), number))
    return AnswerSheet(tuple(found), blank)


@contextmanager
def naming_line(answer: ItemAnswer) -> Iterator[None]:
    """Name the line of the sheet in whatever is wrong with an answer.

    Raises:
        UsageError: as it was raised within, with the line.
    """
    try:
        yield
    except UsageError as error:
        if answer.line is None:
            raise
        said = msg("line {number} of the answers: {what}", number=answer.line, what=error.message)
        raise UsageError(said, error.hint) from error


def _day(text: str, number: int) -> date:
    """Return a day as 2026-11-18, or as the clerk writes it, 18/11/2026."""
    parts: Sequence[str] = text.split("/")
    try:
        if len(parts) == 3:
            day, month, year = map(int, parts)
            return date(year, month, day)
        return date.fromisoformat(text)
    except ValueError as error:
        raise _wrong(
            msg(
                "line {number} of the answers: {text} is neither a day nor ours",
                number=number,
                text=show_text(text, 40),
            )
        ) from error


def _wrong(what: Message) -> UsageError:
    return UsageError(
        what,
        msg(
            "Give a CSV file with the columns item, answer and document; an answer is a day such as 18/11/2026, or ours."
        ),
    )
