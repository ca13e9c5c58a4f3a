"""Grids, bars and QR codes as SVG inside a page: no script, no outside reference, and readable in black and white.

Colours come from the page's style sheet by class, so that the same picture serves light, dark and
paper. What a colour says is always said by a sign or a number as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from markupsafe import Markup, escape

from portalops.reports.document import Bars, Cell, Grid, Mark, QrCode
from portalops.reports.qr import QUIET_ZONE, qr_modules
from portalops.reports.reader import Reader

CELL_WIDTH = 17
CELL_HEIGHT = 18
COLUMNS_IN_BAND = 32
"""Four weeks of seven days and a verdict each: what fits the width of A4."""
_LABEL_WIDTH = 226
_LABEL_LETTERS = 36
_HEAD_HEIGHT = 34
_BAR_WIDTH = 330
# NOTE: wider bars would be scaled down, numbers and all, on a screen of 360 pixels.
_BAR_HEIGHT = 22
_MODULE = 3
"""Side of a QR code's module in pixels: 0.8 mm on paper, which a phone reads from a hand's breadth."""


def draw_grid(grid: Grid, reader: Reader, *, name: str) -> tuple[Markup, ...]:
    """Return a grid as pictures, one for each band of columns.

    Args:
        grid: what to draw.
        reader: whose language and zone.
        name: prefix of the ids inside the pictures, unique in the page.
    """
    columns = list(range(len(grid.columns)))
    starts = range(0, len(columns), COLUMNS_IN_BAND)
    return tuple(
        _draw_band(grid, columns[start : start + COLUMNS_IN_BAND], reader, name=f"{name}-{index}")
        for index, start in enumerate(starts, 1)
    )


def _draw_band(grid: Grid, band: Sequence[int], reader: Reader, *, name: str) -> Markup:
    label_width = min(_LABEL_WIDTH, 12 + 7 * max((len(reader.cell(label)) for label, _ in grid.rows), default=0))
    places: list[tuple[int, float, float]] = []
    width: float = label_width
    for column in band:
        places.append((column, width, _column_width(grid.columns[column], reader)))
        width += places[-1][2]
    height = _HEAD_HEIGHT + CELL_HEIGHT * len(grid.rows) + 2
    parts: list[Markup] = []
    for column, x, wide in places:
        if column in grid.shaded:
            shade = _tag("rect", x=x, y=0, width=wide, height=height, class_="shade")
            parts.append(_group(shade, title=reader.text(grid.shaded[column])))
        parts += _column_head(grid.columns[column], x + wide / 2, reader)
    for line, (label, marks) in enumerate(grid.rows):
        y = _HEAD_HEIGHT + line * CELL_HEIGHT
        parts.append(_tag("line", x1=0, y1=y, x2=width, y2=y, class_="rule"))
        parts.append(_row_label(reader.cell(label), y + 13))
        for column, x, wide in places:
            mark = marks[column]
            if mark is not None:
                parts.append(_cell(mark, x, y, wide, reader))
    described = _description(grid, band, reader)
    return _picture(parts, width + 2, height, name=name, title=reader.text(grid.caption), description=described)


def _column_width(column: Cell, reader: Reader) -> float:
    return CELL_WIDTH if isinstance(column, date) else max(CELL_WIDTH, 6 + 7 * len(reader.cell(column)))


def _column_head(column: Cell, x: float, reader: Reader) -> Iterator[Markup]:
    if isinstance(column, date) and not isinstance(column, datetime):
        yield _text(f"{column.day:02d}", x, 27, class_="head")
        if column.day == 1 or column.weekday() == 0:
            yield _text(f"/{column.month:02d}", x, 13, class_="head")
    else:
        yield _text(reader.cell(column), x, 27, class_="head strong")


def _row_label(label: str, y: float) -> Markup:
    if len(label) <= _LABEL_LETTERS:
        return _text(label, 0, y, class_="label")
    return _group(_text(f"{label[: _LABEL_LETTERS - 1]}…", 0, y, class_="label"), title=label)


def _cell(mark: Mark, x: float, y: float, width: float, reader: Reader) -> Markup:
    box = _tag("rect", x=x + 1, y=y + 1, width=width - 2, height=CELL_HEIGHT - 2, rx=2, class_=f"box {mark.tone}")
    return _group(box, *_sign(mark, x + width / 2, y, reader), title=reader.text(mark.meaning))


def _sign(mark: Mark, x: float, y: float, reader: Reader) -> Iterator[Markup]:
    """Yield a mark's sign; circles are drawn, because few fonts have the halves at a readable size."""
    shape, rest = mark.sign[:1], mark.sign
    if shape in _CIRCLES:
        rest = mark.sign[1:]
        x -= 2.5 if rest else 0
        yield _tag("circle", cx=x, cy=y + 9, r=4.5, class_=f"ring {mark.tone}")
        yield _tag("path", d=_CIRCLES[shape].format(x=_number(x), y=_number(y + 4.5)), class_=f"disc {mark.tone}")
        x += 7
    if rest:
        yield _text(reader.text(rest), x, y + 13, class_=f"sign {mark.tone}")


_CIRCLES = {
    "◐": "M{x} {y}a4.5 4.5 0 0 0 0 9z",
    "◑": "M{x} {y}a4.5 4.5 0 0 1 0 9z",
    "●": "M{x} {y}a4.5 4.5 0 0 0 0 9a4.5 4.5 0 0 0 0 -9z",
}


def _description(grid: Grid, band: Sequence[int], reader: Reader) -> str:
    """Say in words what the picture covers, for those who can't see it; the numbers stand in the tables beside it."""
    span = f"{reader.cell(grid.columns[band[0]])} – {reader.cell(grid.columns[band[-1]])}"
    legend = "; ".join(f"{reader.text(mark.sign)} = {reader.text(meaning)}" for mark, meaning in grid.legend)
    return f"{span}. {legend}" if legend else span


def draw_bars(bars: Bars, reader: Reader, *, name: str) -> Markup:
    """Return labelled counts as stacked bars; each part carries its number."""
    most = max((sum(count for *_, count in parts) for _, parts in bars.rows), default=0) or 1
    row_height = _BAR_HEIGHT + 26
    drawn: list[Markup] = []
    for line, (label, parts) in enumerate(bars.rows):
        y = line * row_height
        drawn.append(_text(reader.text(label), 0, y + 14, class_="label strong"))
        x = 0.0
        for tone, word, count in parts:
            if not count:
                continue
            length = _BAR_WIDTH * count / most
            box = _tag("rect", x=x, y=y + 20, width=length, height=_BAR_HEIGHT, class_=f"box {tone}")
            number = _text(reader.cell(count), x + length / 2, y + 36, class_=f"sign {tone}")
            drawn.append(_group(box, number, title=f"{reader.text(word)}: {reader.cell(count)}"))
            x += length
    described = ". ".join(
        f"{reader.text(label)}: " + ", ".join(f"{reader.text(word)} {reader.cell(count)}" for _, word, count in parts)
        for label, parts in bars.rows
    )
    height = row_height * len(bars.rows)
    return _picture(drawn, _BAR_WIDTH + 2, height, name=name, title=reader.text(bars.caption), description=described)


def draw_qr(code: QrCode, reader: Reader, *, name: str) -> Markup:
    """Return a QR code, dark on white whatever the page's colours are, since that is what scanners look for."""
    modules = qr_modules(code.text)
    side = (len(modules) + 2 * QUIET_ZONE) * _MODULE
    dark = "".join(
        f"M{(x + QUIET_ZONE) * _MODULE} {(y + QUIET_ZONE) * _MODULE}h{length * _MODULE}v{_MODULE}h-{length * _MODULE}z"
        for y, row in enumerate(modules)
        for x, length in _dark_runs(row)
    )
    parts = [
        _tag("rect", x=0, y=0, width=side, height=side, fill="#ffffff"),
        _tag("path", d=dark, fill="#000000", shape_rendering="crispEdges"),
    ]
    described = "; ".join(reader.text(line) for line in code.text.splitlines())
    return _picture(parts, side, side, name=name, title=reader.text(code.caption), description=described)


def _dark_runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield where dark modules that touch begin in a row, and how many they are."""
    start = None
    for place, is_dark in enumerate((*row, False)):
        if is_dark and start is None:
            start = place
        elif not is_dark and start is not None:
            yield start, place - start
            start = None


def _picture(
    parts: Sequence[Markup], width: float, height: float, *, name: str, title: str, description: str
) -> Markup:
    heading = _tag("title", escape(title), id=f"{name}-title") + _tag("desc", escape(description), id=f"{name}-desc")
    return _tag(
        "svg",
        heading + Markup("").join(parts),
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        width=width,
        height=height,
    )


def _group(*children: Markup, title: str) -> Markup:
    return _tag("g", _tag("title", escape(title)) + Markup("").join(children))


def _text(text: str, x: float, y: float, *, class_: str) -> Markup:
    return _tag("text", escape(text), x=x, y=y, class_=class_)


def _tag(tag: str, content: Markup | None = None, **attributes: str | float) -> Markup:
    """Return one element; attribute names lose a trailing underscore, and inner ones become hyphens."""
    written = Markup("").join(
        Markup(' {}="{}"').format(
            key.rstrip("_").replace("_", "-"), value if isinstance(value, str) else _number(value)
        )
        for key, value in attributes.items()
    )
    name = Markup(tag)  # noqa: S704 - a literal of this module
    if content is None:
        return Markup("<{}{}/>").format(name, written)
    return Markup("<{}{}>{}</{}>").format(name, written, content, name)


def _number(value: float) -> str:
    """Write a coordinate the same way on every machine, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
