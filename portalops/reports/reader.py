"""How one reader sees a document's values: in a language, in a time zone, and with nothing that could mislead the eye.

Titles, file names and host output were written by others. Control characters could move a
terminal's cursor, and bidirectional overrides could show a line as something it is not, so both
are shown by their code points.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, tzinfo
from typing import assert_never

from portalops.locale import render, show_day, show_moment, show_number, show_quantity, show_size
from portalops.model.message import Message
from portalops.model.organisation import Name
from portalops.model.values import dataclass
from portalops.reports.document import ByteSize, Cell, FileLink, Quantity, Status

EMPTY = "–"
"""What an empty cell shows, so that empty is seen to be meant."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A language and a time zone."""

    language: str
    zone: tzinfo | None

    def text(self, words: Message | Name | str) -> str:
        """Return a sentence or name on one line, safe to show."""
        match words:
            case Message():
                return one_line(render(words, self.language, zone=self.zone))
            case Name():
                return one_line(words.translate(self.language))
            case str():
                return one_line(words)
            case _:
                assert_never(words)

    def cell(self, cell: Cell) -> str:
        """Return a cell's text, safe to show."""
        match cell:
            case None:
                return EMPTY
            case Message() | Name() | str():
                return self.text(cell)
            case Status():
                return self.text(cell.word)
            case ByteSize():
                return show_size(cell.bytes, self.language)
            case FileLink():
                return self.text(cell.path)
            case Quantity():
                return show_quantity(cell.value, cell.decimals, self.text(cell.unit), self.language)
            case datetime():
                return show_moment(cell, self.language, self.zone)
            case date():
                return show_day(cell, self.language)
            case int():
                return show_number(cell, self.language)
            case _:
                assert_never(cell)


def one_line(text: str) -> str:
    """Return text in NFC on one line, with characters that are invisible or act on the display shown as `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFC", text)
    if text.isprintable():  # false for every control, format, surrogate, private and separator but the space
        return text
    return "".join(character if character.isprintable() else _named(character) for character in text)


_HARMLESS: dict[str, str] = {"\u00a0": "\u00a0", "\u202f": "\u202f", "\u00ad": ""}
"""No-break spaces are text; a soft hyphen is a hint for a line break that nobody needs here."""


def _named(character: str) -> str:
    if character in _HARMLESS:
        return _HARMLESS[character]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
