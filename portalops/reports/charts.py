"""Grids, bars, lines and QR codes as SVG inside a page: no script, no outside reference, and readable in black and white.

Colours come from the page's style sheet by class, so that the same picture serves light, dark and
paper. What a colour says is always said by a sign or a number as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup, escape

from portalops.model.message import msg, nmsg
from portalops.reports.document import Bars, Cell, Grid, GridMark, Line, LineChart, QrCode, Quantity
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
_BAR_LETTERS = 46
"""What fits above a bar in bold."""
_PART_WIDTH = 13
"""Of the smallest part of a bar: room for a number of one digit."""
_MODULE = 3
"""Side of a QR code's module in pixels: 0.8 mm on paper, which a phone reads from a hand's breadth."""


def draw_grid(grid: Grid, reader: Reader, *, name: str) -> tuple[Markup, ...]:
    """Return a grid as pictures, one for each band of columns.

    Args:
        grid: what to draw.
        reader: whose language and zone.
        name: prefix of the ids inside the pictures, unique in the page.
    """
    return tuple(
        _draw_band(grid, band, reader, name=f"{name}-{index}") for index, band in enumerate(bands_of(grid.columns), 1)
    )


def bands_of(columns: Sequence[Cell]) -> Iterator[range]:
    """Yield which columns stand in one picture: about as many in each, so that none is left with two, and no week cut where that can be."""
    start, end = 0, len(columns)
    while start < end:
        left = end - start
        even = start + -(-left // -(-left // COLUMNS_IN_BAND))
        may_end = range(even, min(start + COLUMNS_IN_BAND, end) + 1)
        # A week ends with its verdict, which is no day.
        stop = next((each for each in may_end if not isinstance(columns[each - 1], date)), even)
        yield range(start, stop)
        start = stop


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
    return CELL_WIDTH if isinstance(column, date) else max(CELL_WIDTH, 8 + 7 * len(reader.cell(column)))


def _column_head(column: Cell, x: float, reader: Reader) -> Iterator[Markup]:
    if isinstance(column, date) and not isinstance(column, datetime):
        yield _text(f"{column.day:02d}", x, 27, class_="head")
        if column.day == 1 or column.weekday() == 0:
            yield _text(f"/{column.month:02d}", x, 13, class_="head")
    else:
        yield _text(reader.cell(column), x, 27, class_="head strong")


def _row_label(label: str, y: float, *, most: int = _LABEL_LETTERS, class_: str = "label") -> Markup:
    """Return a label; one that would run over the picture's edge ends with a sign, and is whole in its title."""
    if len(label) <= most:
        return _text(label, 0, y, class_=class_)
    return _group(_text(f"{label[: most - 1]}…", 0, y, class_=class_), title=label)


def _cell(mark: GridMark, x: float, y: float, width: float, reader: Reader) -> Markup:
    box = _tag("rect", x=x + 1, y=y + 1, width=width - 2, height=CELL_HEIGHT - 2, rx=2, class_=f"box {mark.tone}")
    return _group(box, *_sign(mark, x + width / 2, y, reader), title=reader.text(mark.meaning))


def _sign(mark: GridMark, x: float, y: float, reader: Reader) -> Iterator[Markup]:
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
        drawn.append(_row_label(reader.text(label), y + 14, most=_BAR_LETTERS, class_="label strong"))
        x = 0.0
        shown = [part for part in parts if part[2]]
        lengths = _lengths([count for *_, count in shown], most)
        for (tone, word, count), length in zip(shown, lengths, strict=True):
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


def _lengths(counts: Sequence[int], most: int) -> list[float]:
    """Return how long each part of a bar is: as its count, but for small ones, which have room for their number at the others' cost."""
    lengths = [max(_BAR_WIDTH * count / most, _PART_WIDTH + 7 * (len(str(count)) - 1)) for count in counts]
    over = sum(lengths) - _BAR_WIDTH
    if over > 0:
        place = lengths.index(max(lengths))
        lengths[place] = max(lengths[place] - over, _PART_WIDTH)
    return lengths


# --- lines over time ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plot:
    """The room for the lines, and how moments and numbers lie in it."""

    start: float
    end: float
    """Of the first and the last moment, in seconds."""
    lowest: float
    highest: float

    def x(self, second: float) -> float:
        span = self.end - self.start
        return _PLOT_LEFT + _PLOT_WIDTH * ((second - self.start) / span if span else 0.5)

    def y(self, value: float) -> float:
        share = (min(max(value, self.lowest), self.highest) - self.lowest) / (self.highest - self.lowest)
        return _PLOT_TOP + _PLOT_HEIGHT * (1 - share)


_PLOT_LEFT, _PLOT_TOP, _PLOT_WIDTH, _PLOT_HEIGHT = 62.0, 10.0, 420.0, 150.0
_END_ROOM = 158
"""For the names at the lines' ends: lines are named where they end, so that nobody has to tell colours apart."""
_NAME_LETTERS = 24
_NAME_HEIGHT = 14
_DASHES = ("none", "7 3", "2 3", "9 3 2 3")
MOST_LINES = len(_DASHES)
_MARKED_POINTS = 40
"""Up to how many moments each value has a mark of its own; more would hide the line."""


def draw_lines(chart: LineChart, reader: Reader, *, name: str) -> Markup:
    """Return numbers over time as lines of different dashes and marks; where a number is not known, the line breaks.

    Args:
        chart: what to draw, with at least one moment.
        reader: whose language and zone.
        name: prefix of the ids inside the picture, unique in the page.

    Raises:
        ValueError: it has more lines than can be told apart.
    """
    if len(chart.lines) > MOST_LINES:
        raise ValueError(f"{len(chart.lines)} lines cannot be told apart in one chart")
    seconds = [_second(moment) for moment in chart.moments]
    ticks = _ticks(*_range(chart), is_whole=chart.decimals == 0)
    plot = _Plot(seconds[0], seconds[-1], ticks[0], ticks[-1])
    parts = [*_unknown(chart, seconds, plot, reader)]
    for tick in ticks:
        y = plot.y(tick)
        parts.append(_tag("line", x1=_PLOT_LEFT, y1=y, x2=_PLOT_LEFT + _PLOT_WIDTH, y2=y, class_="rule"))
        shown = reader.cell(Quantity(tick, max(chart.decimals, _decimals(ticks)), chart.unit))
        parts.append(_text(shown, _PLOT_LEFT - 5, y + 3.5, class_="axis end"))
    parts += _time_axis(chart, seconds, plot, reader)
    ends: list[tuple[float, str, int | None]] = []
    for word, value in chart.limits:
        y = plot.y(value)
        parts.append(_tag("line", x1=_PLOT_LEFT, y1=y, x2=_PLOT_LEFT + _PLOT_WIDTH, y2=y, class_="limit"))
        ends.append((y, reader.text(word), None))
    for at, line in enumerate(chart.lines):
        parts += _curve(line, at, seconds, plot)
        known = [value for value in line.values if value is not None]
        end = plot.y(known[-1]) if known else _PLOT_TOP + _PLOT_HEIGHT
        ends.append((end, reader.text(line.name), at))
    parts += _names(chart, ends)
    return _picture(
        parts,
        _PLOT_LEFT + _PLOT_WIDTH + _END_ROOM,
        _PLOT_TOP + _PLOT_HEIGHT + 24,
        name=name,
        title=reader.text(chart.caption),
        description=_lines_described(chart, reader),
    )


def _second(moment: date | datetime) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else moment.toordinal() * 86_400.0


def _range(chart: LineChart) -> tuple[float, float]:
    found = [value for line in chart.lines for value in line.values if value is not None]
    found += [value for _word, value in chart.limits]
    lowest = min(found, default=0.0) if chart.lowest is None else chart.lowest
    highest = max(found, default=1.0) if chart.highest is None else chart.highest
    return lowest, highest if highest > lowest else lowest + 1


def _ticks(lowest: float, highest: float, *, is_whole: bool) -> list[float]:
    """Return round numbers that hold a range, 2 to 7 of them; whole ones for what is counted."""
    rough = max((highest - lowest) / 4, 1 if is_whole else 0)
    unit = 10.0 ** math.floor(math.log10(rough))
    factors = (1, 2, 5, 10) if is_whole and unit < 10 else (1, 2, 2.5, 5, 10)
    step = next(unit * factor for factor in factors if unit * factor >= rough * 0.999)
    first, last = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    return [round(step * at, 9) for at in range(first, last + 1)]


def _decimals(ticks: Sequence[float]) -> int:
    return next((places for places in range(6) if all(abs(round(tick, places) - tick) < 1e-9 for tick in ticks)), 6)


def _time_axis(chart: LineChart, seconds: Sequence[float], plot: _Plot, reader: Reader) -> Iterator[Markup]:
    """Yield up to five moments below the plot, the first and the last among them."""
    last = len(seconds) - 1
    foot = _PLOT_TOP + _PLOT_HEIGHT
    yield _tag("line", x1=_PLOT_LEFT, y1=foot, x2=_PLOT_LEFT + _PLOT_WIDTH, y2=foot, class_="foot")
    taken = -math.inf
    for at in sorted({round(last * part / 4) for part in range(5)}):
        x = plot.x(seconds[at])
        moment = chart.moments[at]
        day = moment.astimezone(reader.zone).date() if isinstance(moment, datetime) else moment
        if x - taken >= _DAY_ROOM:
            yield _tag("line", x1=x, y1=foot, x2=x, y2=foot + 4, class_="foot")
            yield _text(reader.cell(day), x, foot + 16, class_="axis middle")
            taken = x


_DAY_ROOM = 72
"""What a day takes below a chart, in pixels."""


def _unknown(chart: LineChart, seconds: Sequence[float], plot: _Plot, reader: Reader) -> Iterator[Markup]:
    """Yield a shade over each time of which no line knows anything."""
    known = [any(line.values[at] is not None for line in chart.lines) for at in range(len(seconds))]
    at = 0
    while at < len(known):
        end = at
        while end < len(known) and not known[end]:
            end += 1
        if end > at:
            left, right = plot.x(seconds[max(at - 1, 0)]), plot.x(seconds[min(end, len(seconds) - 1)])
            box = _tag("rect", x=left, y=_PLOT_TOP, width=max(right - left, 2), height=_PLOT_HEIGHT, class_="shade")
            yield _group(box, title=reader.text(msg("not known")))
        at = max(end, at + 1)


def _curve(line: Line, number: int, seconds: Sequence[float], plot: _Plot) -> Iterator[Markup]:
    commands: list[str] = []
    dots: list[Markup] = []
    is_drawn = False
    marks_all = len(seconds) <= _MARKED_POINTS
    for at, value in enumerate(line.values):
        if value is None:
            is_drawn = False
            continue
        x, y = plot.x(seconds[at]), plot.y(value)
        commands.append(f"{'L' if is_drawn else 'M'}{_number(x)} {_number(y)}")
        is_alone = not is_drawn and (at + 1 == len(line.values) or line.values[at + 1] is None)
        if marks_all or is_alone:
            dots.append(_dot(number, x, y, line.tone))
        is_drawn = True
    if commands:
        yield _tag("path", d="".join(commands), class_=f"curve {line.tone}", stroke_dasharray=_DASHES[number])
    yield from dots


def _dot(number: int, x: float, y: float, tone: str) -> Markup:
    """Return a line's own mark: a circle, a square, a triangle or a diamond."""
    shapes = ("m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z", "m-3 -3h6v6h-6z", "m0 -3.5l3.5 6h-7z", "m0 -4l4 4l-4 4l-4 -4z")
    return _tag("path", d=f"M{_number(x)} {_number(y)}{shapes[number]}", class_=f"dot {tone}")


def _names(chart: LineChart, ends: Sequence[tuple[float, str, int | None]]) -> Iterator[Markup]:
    """Yield the name of each line, or of each limit, beside its end, moved apart where two ends are close."""
    left = _PLOT_LEFT + _PLOT_WIDTH
    places: list[tuple[float, str, int | None]] = []
    lowest = -math.inf
    for end, shown, number in sorted(ends, key=lambda one: one[0]):
        lowest = max(end, lowest + _NAME_HEIGHT)
        places.append((lowest, shown, number))
    over = max(0.0, lowest - (_PLOT_TOP + _PLOT_HEIGHT + 14))
    for place, shown, number in places:
        y = place - over
        sample = f"M{_number(left + 4)} {_number(y)}h14"
        if number is None:
            yield _tag("path", d=sample, class_="limit")
        else:
            tone = chart.lines[number].tone
            yield _tag("path", d=sample, class_=f"curve {tone}", stroke_dasharray=_DASHES[number])
            yield _dot(number, left + 11, y, tone)
        if len(shown) > _NAME_LETTERS:
            yield _group(_text(f"{shown[: _NAME_LETTERS - 1]}…", left + 22, y + 4, class_="axis"), title=shown)
        else:
            yield _text(shown, left + 22, y + 4, class_="axis")


def _lines_described(chart: LineChart, reader: Reader) -> str:
    """Say in words what the lines show, for those who can't see them."""
    span = f"{reader.cell(chart.moments[0])} – {reader.cell(chart.moments[-1])}"
    return ". ".join((span, *(_line_described(chart, line, reader) for line in chart.lines)))


def _line_described(chart: LineChart, line: Line, reader: Reader) -> str:
    known = [value for value in line.values if value is not None]
    if not known:
        return f"{reader.text(line.name)}: {reader.text(msg('not known'))}"

    def shown(value: float) -> str:
        return reader.cell(Quantity(value, chart.decimals, chart.unit))

    said = msg(
        "first {first}, last {last}, lowest {lowest}, highest {highest}",
        first=shown(known[0]),
        last=shown(known[-1]),
        lowest=shown(min(known)),
        highest=shown(max(known)),
    )
    text = f"{reader.text(line.name)}: {reader.text(said)}"
    if missing := len(line.values) - len(known):
        unknown = nmsg("unknown at {n} time", "unknown at {n} times", missing)
        text += f", {reader.text(unknown)}"
    return text


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
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value) if isinstance(value, str) else _number(value)}"'
        for key, value in attributes.items()
    )
    # Put together without Markup.format, which takes most of the time of a large grid: each value is escaped above.
    whole = f"<{tag}{written}/>" if content is None else f"<{tag}{written}>{content}</{tag}>"
    return Markup(whole)  # noqa: S704 - names of this module, escaped values, and markup that was made here


def _number(value: float) -> str:
    """Write a coordinate the same way on every machine, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
