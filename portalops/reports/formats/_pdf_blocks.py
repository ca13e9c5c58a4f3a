"""From a document's blocks to what the template of a PDF reads: texts as data, pictures as files, and how columns lie. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never
from zoneinfo import ZoneInfo

from defusedxml.ElementTree import fromstring

from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import Name
from portalops.reports.codes import CODE, HEAD_CODE
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    Cell,
    Document,
    Grid,
    Heading,
    KeyValues,
    LineChart,
    Notice,
    Paragraph,
    QrCode,
    SignatureBlock,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from portalops.reports.formats._pdf_letters import SpelledLetters
from portalops.reports.paper_layout import (
    PADDING_MM,
    breadth_mm,
    column_needs,
    longest_word_mm,
    pieces,
    rows_that_fit,
    share_width,
)
from portalops.reports.pictures import FONT, Chart, pictures_of
from portalops.reports.reader import EMPTY, Reader
from portalops.reports.text_lines import NOTHING, SIGNS, alignment, sign_of, verbatim_lines

_MOST_OF_ALT = 8_000
"""What a chart says in words: PDF/A lets no string have more than 32 767 bytes, of which a letter takes up to four."""
MOST_LETTERS = 4_000
"""Of one text; a longer one is cut, and the file says so."""
MOST_COST = 21_000.0
"""Cells and lines of 60 letters of all lists together: typst takes 12 to 18 KiB for each."""
_MOST_ROWS_OF_GRID = 48
"""Of one picture, which is to fit on a page."""
_FOOTER_LETTERS = 320

_UPRIGHT_MM, _LYING_MM = 175.0, 262.0
"""Breadth of the text on A4 with the margins of the template."""
_UPRIGHT_COLUMNS = 8
"""A table of more columns lies on its side, unless it fits all the same: no word broken, and rows of no more lines than the next."""
_UPRIGHT_LINES = 8
_TITLE_POINTS, _TEXT_POINTS, _TABLE_POINTS = 16.0, 10.0, (8.0, 7.5)
_CODE_SIZE, _BOLD = 0.92, 1.08
_LABEL_MM, _FACT_MM = 44.0, 126.0
_MM_OF_PIXEL = 25.4 / 96
_BREAKABLE_LINES = 25
"""A row that is higher may go on on the next page."""
_FOR_SHORT = 0.8
"""Part of a table's breadth that may go to what is short."""
_SURE = 1.08
"""By how much more room is asked for than a word seems to need."""
_TWO_LINES, _BY_SIGNS = 0.65, 1.3
"""Parts of a text's length: in two lines with an uneven break, and where it breaks behind signs only."""
_READ_AT = 120
"""At most so many rows of a table, all over it, say how broad its columns are to be."""

_SIZE = re.compile(rb"font-size: (\d+)px")

Text: TypeAlias = "str | list[str]"
"""A text, or the pieces between which a line may break."""


@dataclass(frozen=True, slots=True)
class Faces:
    """The fonts that are taken."""

    text: str
    code: str
    """A typewriter face."""
    signs: str
    """Has the shapes of states, and stands in for the others."""
    scale: float
    """By which the first one is set smaller or larger than its size says."""


@dataclass(frozen=True, slots=True)
class _PaperReader(Reader):
    """A reader of paper: some letters are spelled out, and no text is longer than a page."""

    spelled: SpelledLetters = field(default_factory=SpelledLetters)
    cut: list[str] = field(default_factory=list)
    """The beginnings of the texts that were cut."""

    def text(self, words: Message | Name | str) -> str:
        shown = self.spelled.text(Reader.text(self, words))
        if len(shown) <= MOST_LETTERS:
            return shown
        self.cut.append(shown[:40])
        return f"{shown[: MOST_LETTERS - 1]}…"


class PdfWriter:
    """Turns a document into the files that the template reads."""

    def __init__(
        self, document: Document, language: str, faces: Faces, spelled: SpelledLetters, most_cost: float
    ) -> None:
        self._document, self._faces = document, faces
        self._reader = _PaperReader(language, ZoneInfo(document.zone), spelled)
        self._files: dict[str, bytes] = {}
        self._level = 0
        self._blocks = tuple(_fitting(document.blocks, most_cost))

    def files(self) -> dict[str, bytes]:
        """Return the files by their names."""
        reader, document, faces = self._reader, self._document, self._faces
        blocks: list[tuple[bool, dict[str, object]]] = []
        for block, left_off in self._blocks:
            lies, data = self._table(block) if isinstance(block, TableBlock) else (False, self._block(block))
            blocks.append((lies, {**data, "note": self._left_off(left_off)}))
        parts = list(_parts([*blocks, *((False, {**note, "note": ""}) for note in self._notes())]))
        data = {
            "language": reader.language,
            "title": reader.text(document.title).strip() or EMPTY,
            "shown-title": self._title(document.title, _TITLE_POINTS),
            "scale": faces.scale,
            "fonts": [faces.text, faces.signs],
            "mono": [faces.code, faces.signs, faces.text],
            "signs": [faces.signs, faces.text],
            "words": {"contents": reader.text(msg("Contents"))},
            "contents": sum(isinstance(each, Heading) and each.level <= 2 for each in document.blocks) > 2,
            "footer": self._footer(),
            "parts": parts,
        }
        return {**self._files, "page.json": json.dumps(data, ensure_ascii=False).encode()}

    def _footer(self) -> dict[str, object]:
        facts = [(self._reader.text(label), self._reader.cell(cell)) for label, cell in self._document.footer]
        shown = " · ".join(f"{label}: {value}" for label, value in facts)
        if len(shown) > _FOOTER_LETTERS:
            shown = f"{shown[: _FOOTER_LETTERS - 1]}…"
        codes = [QrCode(value, verbatim(f"{label} {value}")) for label, value in facts if HEAD_CODE.fullmatch(value)]
        picture = self._pictures(codes[0])[0] if codes else None
        return {
            "facts": pieces(shown, 100, 7),
            "qr": picture["file"] if picture else None,
            "qr-alt": picture["alt"] if picture else "",
        }

    def _notes(self) -> Iterator[dict[str, object]]:
        """Yield what the file could not take over as it is."""
        if cut := len(self._reader.cut):
            text = nmsg(
                "{n} text is too long to print here and was cut; the formats html and json hold it in full",
                "{n} texts are too long to print here and were cut; the formats html and json hold them in full",
                cut,
            )
            yield self._notice(text, Tone.UNSURE)
        spelled = self._reader.spelled
        if spelled.letters or spelled.is_simple:
            yield self._notice(
                msg(
                    "Letters that no font of the machine has, or that a PDF cannot store, are written as their code "
                    "points."
                ),
                Tone.UNSURE,
            )

    # --- blocks ---

    def _block(self, block: Block) -> dict[str, object]:
        reader = self._reader
        match block:
            case Heading():
                self._level = min(max(block.level - 1, 1), self._level + 1)
                return {"kind": "heading", "level": self._level, "text": self._title(block.text, _TEXT_POINTS * 1.3)}
            case Paragraph():
                return {"kind": "paragraph", "text": self._line(block.text)}
            case Verbatim():
                wrapped = [pieces(line, _UPRIGHT_MM, 8, is_code=True) for line in verbatim_lines(block, reader)]
                return {"kind": "verbatim", "lines": wrapped}
            case Bullets():
                return {"kind": "bullets", "items": [self._line(item) for item in block.items]}
            case KeyValues():
                return self._facts(block)
            case TableBlock():
                return self._table(block)[1]
            case Notice():
                return self._notice(block.text, block.tone)
            case Grid():
                legend = [(reader.text(mark.sign), mark.tone.value, reader.text(text)) for mark, text in block.legend]
                return self._picture(block, legend) if block.rows else self._nothing(block.caption)
            case Bars():
                return self._picture(block, self._bar_legend(block)) if block.rows else self._nothing(block.caption)
            case LineChart():
                return self._picture(block, []) if block.moments else self._nothing(block.caption)
            case QrCode():
                lines = [pieces(reader.text(line), 90, 7.5, is_code=True) for line in block.text.splitlines()]
                picture = self._pictures(block)[0]
                return {"kind": "qr", "caption": reader.text(block.caption), "picture": picture, "lines": lines}
            case SignatureBlock():
                places = [
                    (reader.text(office), reader.text(holder) if holder else "") for office, holder in block.places
                ]
                return {
                    "kind": "signatures",
                    "places": [
                        [pieces(office, 50, _TEXT_POINTS), pieces(holder, 50, _TEXT_POINTS)]
                        for office, holder in places
                    ],
                    "instruction": reader.text(msg("(signature, full name, office)")),
                }
            case _:
                assert_never(block)

    def _line(self, words: Message | Name | str, points: float = _TEXT_POINTS) -> Text:
        return pieces(self._reader.text(words), _UPRIGHT_MM - 8, points)

    def _title(self, words: Message, points: float) -> Text:
        """Return a title or heading, which may not be empty (ISO 14289-1, 7.1 and 7.4)."""
        return pieces(self._reader.text(words).strip() or EMPTY, _UPRIGHT_MM - 8, points)

    def _notice(self, words: Message | Name, tone: Tone) -> dict[str, object]:
        return {"kind": "notice", "tone": tone.value, "shape": SIGNS[tone], "text": self._line(words)}

    def _nothing(self, caption: Message) -> dict[str, object]:
        reader = self._reader
        text = f"{reader.text(caption)}: {reader.text(NOTHING)}."
        return {"kind": "paragraph", "text": pieces(text, _UPRIGHT_MM - 8, _TEXT_POINTS)}

    def _facts(self, block: KeyValues) -> dict[str, object]:
        rows = [
            (pieces(self._reader.text(label), _LABEL_MM, _TEXT_POINTS), self._cell(cell, _FACT_MM, _TEXT_POINTS))
            for label, cell in block.rows
        ]
        return {"kind": "facts", "rows": rows}

    def _bar_legend(self, bars: Bars) -> list[tuple[str, str, str]]:
        words: dict[str, tuple[Tone, int]] = {}
        for _, parts in bars.rows:
            for tone, word, count in parts:
                text = self._reader.text(word)
                words[text] = (tone, words.get(text, (tone, 0))[1] + count)
        return [(SIGNS[tone], tone.value, word) for word, (tone, count) in words.items() if count]

    # --- tables ---

    def _table(self, table: TableBlock) -> tuple[bool, dict[str, object]]:
        """Return a table, and whether it needs a page that lies on its side."""
        if not table.rows or not table.headers:
            return False, self._nothing(table.caption)
        for points in _TABLE_POINTS:
            columns = self._columns(table, points)
            if sum(column.least for column in columns) <= _UPRIGHT_MM * _FOR_SHORT:
                break
        widths = _widths(columns, _UPRIGHT_MM)
        lies = len(columns) > _UPRIGHT_COLUMNS and (
            sum(column.bare for column in columns) > _UPRIGHT_MM or _most_lines(columns, widths) > _UPRIGHT_LINES
        )
        if lies:
            points = _TABLE_POINTS[0]
            columns = self._columns(table, points)
            widths = _widths(columns, _LYING_MM)
        rooms = [width - PADDING_MM for width in widths]
        rows = [[self._cell(cell, room, points) for cell, room in zip(row, rooms, strict=True)] for row in table.rows]
        heads = [self._reader.text(header) for header in table.headers]
        return lies, {
            "kind": "table",
            "caption": self._line(table.caption),
            "heads": [pieces(head, room, points * _BOLD) for head, room in zip(heads, rooms, strict=True)],
            "rows": rows,
            "widths": widths,
            "right": [side == "right" for side in alignment(table)],
            "points": points,
            "breakable": _most_lines(columns, widths) > _BREAKABLE_LINES,
        }

    def _columns(self, table: TableBlock, points: float) -> list[_Column]:
        return [
            self._column(column, self._reader.text(header), points * (1 if at else _BOLD))
            for at, (column, header) in enumerate(zip(zip(*table.rows, strict=True), table.headers, strict=True))
        ]

    def _column(self, cells: Sequence[Cell], head: str, points: float) -> _Column:
        """Return what a column needs and wants: states and head codes stay whole, where there is room for it."""
        size, code_size = points * 1.03, points * _CODE_SIZE
        texts: dict[str, list[str]] = {"": [], "state": [], "code": [], "whole": []}
        lengths = [breadth_mm(head, size * _BOLD)]
        for cell in cells:
            text = self._reader.cell(cell)
            kind = _kind(cell, text)
            if isinstance(cell, Status):
                kind, text = (
                    "state",
                    f"{sign_of(cell)}--{text}",
                )  # about what its frame takes, and its sign is not to stand alone
            texts[kind].append(text)
            is_code = kind in ("code", "whole")
            length = breadth_mm(text, code_size if is_code else size, is_code=is_code)
            lengths.append(length * _BY_SIGNS if is_code else length)
        found = [
            column_needs(texts[""], size, head=head),
            column_needs(texts["state"], size * _BOLD, is_whole=True),
            column_needs(texts["code"], code_size, is_code=True),
            column_needs(texts["whole"], code_size, is_code=True, is_whole=True),
        ]
        codes = max(least for least, _ in found[2:])
        words = max(
            longest_word_mm(texts[""], size * _SURE), longest_word_mm([head, *texts["state"]], size * _BOLD * _SURE)
        )
        least = max(least for least, _ in found)
        return _Column(max(words, codes, found[1][0] * _TWO_LINES), least, max(wanted for _, wanted in found), lengths)

    def _cell(self, cell: Cell, room_mm: float, points: float) -> dict[str, object]:
        text = self._reader.cell(cell)
        if isinstance(cell, Status):
            shown = pieces(text, room_mm - points * 0.5, points * _BOLD)
            return {"kind": "", "tone": cell.tone.value, "shape": self._reader.text(sign_of(cell)), "text": shown}
        kind = _kind(cell, text)
        code_size = points * _CODE_SIZE
        if kind == "whole" and breadth_mm(text, code_size, is_code=True) > room_mm:
            kind = "code"
        if kind == "whole":
            return {"kind": kind, "tone": "", "shape": "", "text": text}
        broken = pieces(text, room_mm, code_size, is_code=True) if kind else pieces(text, room_mm, points * 1.04)
        return {"kind": kind, "tone": "", "shape": "", "text": broken}

    # --- pictures ---

    def _picture(self, chart: Grid | Bars | LineChart, legend: Sequence[tuple[str, str, str]]) -> dict[str, object]:
        made = [one for part in _pages_of(chart) for one in self._pictures(part)]
        return {
            "kind": "picture",
            "caption": self._line(chart.caption),
            "pictures": made,
            "legend": [(sign, tone, pieces(text, 150, 8.5)) for sign, tone, text in legend],
        }

    def _pictures(self, chart: Chart) -> list[dict[str, object]]:
        return [self._keep(svg) for svg in pictures_of(chart, self._reader)]

    def _keep(self, svg: bytes) -> dict[str, object]:
        root = fromstring(svg)
        said = [root.findtext(f"{{*}}{part}") or "" for part in ("title", "desc")]
        name = f"p{len(self._files)}.svg"
        faces = self._faces
        named = svg.replace(f"'{FONT}'".encode(), f"'{faces.text}', '{faces.signs}'".encode())
        self._files[name] = _SIZE.sub(lambda found: b"font-size: %.2fpx" % (float(found[1]) * faces.scale), named)
        width = float(root.get("width", "0")) * _MM_OF_PIXEL
        alt = ". ".join(part for part in said if part)
        if len(alt) > _MOST_OF_ALT:
            alt = f"{alt[: _MOST_OF_ALT - 1]}…"
        return {"file": name, "width": width, "alt": alt}

    def _left_off(self, count: int) -> str:
        if count == 0:
            return ""
        text = nmsg(
            "{n} more is not printed here, because a PDF holds no more; the formats xlsx, json and html hold it",
            "{n} more are not printed here, because a PDF holds no more; the formats xlsx, json and html hold them",
            count,
        )
        return self._reader.text(text)


@dataclass(frozen=True, slots=True)
class _Column:
    """How broad one column is, in millimetres."""

    bare: float
    """No word is broken, and no state into more than two lines."""
    least: float
    """And what is short takes no more than two lines."""
    wanted: float
    lengths: Sequence[float]
    """Of each cell, in one line."""


def _widths(columns: Sequence[_Column], total: float) -> tuple[float, ...]:
    """Share a width among columns; where what is short would leave too little for what is long, it takes more lines."""
    bare, least = sum(column.bare for column in columns), sum(column.least for column in columns)
    share = min(max((total * _FOR_SHORT - bare) / (least - bare), 0.0), 1.0) if least > bare else 1.0
    needs = [(column.bare + share * (column.least - column.bare), column.wanted) for column in columns]
    return share_width(needs, total, [column.lengths[:: len(column.lengths) // _READ_AT + 1] for column in columns])


def _most_lines(columns: Sequence[_Column], widths: Sequence[float]) -> float:
    """Return about how many lines the highest row takes."""
    return max(max(column.lengths) / max(width - PADDING_MM, 1) for column, width in zip(columns, widths, strict=True))


# --- bounds ---------------------------------------------------------------------------------------


def _fitting(blocks: Sequence[Block], most_cost: float) -> Iterator[tuple[Block, int]]:
    """Yield each block with as many of its rows as a file takes, and how many were left off."""
    rows = rows_that_fit([list(_costs(block)) for block in blocks], most_cost)
    for block, fitting in zip(blocks, rows, strict=True):
        most = max(fitting, 1)
        match block:
            case TableBlock() if len(block.rows) > most:
                yield replace(block, rows=block.rows[:most]), len(block.rows) - most
            case Grid() if len(block.rows) > most:
                yield replace(block, rows=block.rows[:most]), len(block.rows) - most
            case KeyValues() if len(block.rows) > most:
                yield replace(block, rows=block.rows[:most]), len(block.rows) - most
            case Bullets() if len(block.items) > most:
                yield replace(block, items=block.items[:most]), len(block.items) - most
            case _:
                yield block, 0


def _costs(block: Block) -> Iterator[float]:
    match block:
        case TableBlock():
            for row in block.rows:
                yield sum(1 + _letters(cell) / 60 for cell in row)
        case KeyValues():
            for _label, fact in block.rows:
                yield 2 + _letters(fact) / 60
        case Bullets():
            for item in block.items:
                yield 1 + _letters(item) / 60
        case Grid():
            for _row, marks in block.rows:
                yield 1 + len(marks) / 2
        case _:
            pass


def _letters(cell: Cell) -> int:
    """Return about how long a cell's text is, without writing it."""
    match cell:
        case str():
            return min(len(cell), MOST_LETTERS)
        case Message():
            return min(
                len(cell.text) + sum(len(value) for value in cell.values.values() if isinstance(value, str)),
                MOST_LETTERS,
            )
        case _:
            return 20


def _kind(cell: Cell, text: str) -> str:
    """Return how a cell is set: `whole` and `code` in a typewriter face, the first without a break."""
    if not isinstance(cell, str):
        return ""
    if HEAD_CODE.fullmatch(text):
        return "whole"
    return "code" if CODE.fullmatch(text) else ""


def _pages_of(chart: Grid | Bars | LineChart) -> Iterator[Grid | Bars | LineChart]:
    """Yield a chart, a grid of many rows as several that each fit on a page."""
    if not isinstance(chart, Grid):
        yield chart
        return
    for start in range(0, len(chart.rows), _MOST_ROWS_OF_GRID):
        yield replace(chart, rows=chart.rows[start : start + _MOST_ROWS_OF_GRID])


def _parts(blocks: Sequence[tuple[bool, dict[str, object]]]) -> Iterator[dict[str, object]]:
    """Yield runs of blocks that stand or lie; a lying block takes the headings and sentences right before it with it."""
    lies = [lying for lying, _block in blocks]
    kinds = [block["kind"] for _lying, block in blocks]
    for at in [place for place, lying in enumerate(lies) if lying]:
        start = at
        while start and kinds[start - 1] == "paragraph" and not lies[start - 1]:
            start -= 1
        while start and kinds[start - 1] == "heading" and not lies[start - 1]:
            start -= 1
        if kinds[start] == "heading":
            lies[start:at] = [True] * (at - start)
    start = 0
    for at in range(1, len(blocks) + 1):
        if at == len(blocks) or lies[at] != lies[start]:
            yield {"landscape": lies[start], "blocks": [block for _lying, block in blocks[start:at]]}
            start = at
