"""A document as blocks: what commands and reports say, before anything knows how it will look.

No format knows a report and no report knows a format. Texts are `Message`s, so one document
renders in either language; cells keep their types, so that dates and sizes are shown the local
way on paper and as they are in data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from portalops.model.assessment import Assessment
from portalops.model.message import Message
from portalops.model.organisation import Name
from portalops.model.values import dataclass


class Tone(StrEnum):
    """What a word means for the reader; colour and shape only repeat the word."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Status:
    """A state in one word, with its tone."""

    word: Message
    tone: Tone
    sign: str = ""
    """The shape beside the word where it is another than that of its tone."""


@dataclass(frozen=True, slots=True)
class ByteSize:
    """A number of bytes, shown in binary units."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number with its unit, such as a share of time in percent."""

    value: float
    """Finite."""
    decimals: int = 0
    """How many are shown; 0 or more."""
    unit: str = ""
    """A sign that is the same in every language, such as `%` or `s`."""


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file or folder beside the document, which a page leads to."""

    path: str
    """From the document's own folder on, with slashes; any name that a file can have."""


Cell: TypeAlias = "str | int | date | datetime | Message | Name | Status | ByteSize | Quantity | FileLink | None"
"""A `str` is verbatim (an id, a path); None is an empty cell, shown as a dash."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the document's title."""

    level: int
    text: Message


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: Message


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines to be copied as they are, such as a command or a head: wrapped nowhere, so that what is pasted is whole."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    items: Sequence[Message]


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Labelled facts, in order."""

    rows: Sequence[tuple[Message, Cell]]


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Rows under real headers."""

    caption: Message
    headers: Sequence[Message]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader must not miss."""

    text: Message | Name
    tone: Tone = Tone.UNSURE


@dataclass(frozen=True, slots=True)
class GridMark:
    """One cell of a grid: a short sign, its tone, and the sentence behind it."""

    sign: str
    """At most 3 characters, legible in black and white."""
    tone: Tone
    meaning: Message


@dataclass(frozen=True, slots=True)
class Grid:
    """A matrix of marks, such as units x days or weeks x media; drawn as a picture where there is one."""

    caption: Message
    columns: Sequence[Cell]
    rows: Sequence[tuple[Cell, Sequence[GridMark | None]]]
    """A label and one mark a column; None where nothing applies."""
    legend: Sequence[tuple[GridMark, Message]] = ()
    shaded: Mapping[int, Message] = field(default_factory=dict)
    """Columns that stand apart, such as days without work, and why."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Labelled counts, split by tone."""

    caption: Message
    rows: Sequence[tuple[Message | Name, Sequence[tuple[Tone, Message, int]]]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart over time."""

    name: Message
    tone: Tone
    values: Sequence[float | None]
    """One for each moment of the chart; None where it is not known: the line breaks there."""


@dataclass(frozen=True, slots=True)
class LineChart:
    """Numbers over time, such as a host's availability by day; no line passes over what is not known."""

    caption: Message
    moments: Sequence[date | datetime]
    """Ascending, of one type."""
    lines: Sequence[Line]
    """At most 4, so that they are told apart in black and white."""
    decimals: int = 0
    unit: str = ""
    """Both as `Quantity` has them."""
    limits: Sequence[tuple[Message, float]] = ()
    """What a line is held against, such as a share that is asked for; drawn across."""
    lowest: float | None = None
    highest: float | None = None
    """The range of the numbers; found from them where it is None."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A short text for a machine that reads paper; shown as text as well, for those without one."""

    text: str
    """Exactly what the code holds, its last line feed included."""
    caption: Message


@dataclass(frozen=True, slots=True)
class SignatureBlock:
    """Room for people to sign on paper: the office, and who holds it where that is known."""

    places: Sequence[tuple[Message, Name | None]]


Block: TypeAlias = "Heading | Paragraph | Verbatim | Bullets | KeyValues | TableBlock | Notice | Grid | Bars | LineChart | QrCode | SignatureBlock"


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document."""

    title: Message
    blocks: Sequence[Block]
    footer: Sequence[tuple[Message, Cell]] = ()
    """Facts repeated on each printed page, such as the ledger's range."""
    zone: str = "UTC"
    """IANA name of the time zone that its moments are shown in."""
    assessment: Assessment | None = None
    """What it judges, as values; None where it judges no duties."""
