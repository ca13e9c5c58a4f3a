"""A report's charts as SVG files that stand alone: the pictures of the page, with the page's own light colours written into them.

Formats that cannot share a page's style sheet (PDF, DOCX) take these, so that all of them show the same picture.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, assert_never

from portalops.reports.charts import draw_bars, draw_grid, draw_lines, draw_qr
from portalops.reports.document import Bars, Grid, Lines, QrCode
from portalops.reports.reader import Reader

if TYPE_CHECKING:
    from markupsafe import Markup

Chart: TypeAlias = "Grid | Bars | Lines | QrCode"

PAGE_STYLE = Path(__file__).parent / "formats" / "page.css"
FONT = "Liberation Sans"
"""Metric-compatible with Arial, and has every Vietnamese letter."""

_COLOURS = re.compile(r"(--[a-z-]+):\s*(#[0-9a-f]{6})")
_RULE = re.compile(r"^svg\b[^{}]*\{[^{}]*\}", re.MULTILINE)
_VARIABLE = re.compile(r"var\((--[a-z-]+)\)")


def pictures_of(chart: Chart, reader: Reader, *, name: str = "p") -> tuple[bytes, ...]:
    """Return a chart as SVG files in UTF-8, in the order in which they are read; more than one where a grid is too wide.

    Args:
        chart: what to draw; a chart of lines has at least one moment.
        reader: whose language and zone.
        name: prefix of the ids inside the pictures.
    """
    match chart:
        case Grid():
            drawn = draw_grid(chart, reader, name=name)
        case Bars():
            drawn = (draw_bars(chart, reader, name=name),)
        case Lines():
            drawn = (draw_lines(chart, reader, name=name),)
        case QrCode():
            drawn = (draw_qr(chart, reader, name=name),)
        case _:
            assert_never(chart)
    return tuple(standalone(one) for one in drawn)


def standalone(drawing: Markup) -> bytes:
    """Return one drawing of `charts` as a file of its own."""
    opened = '<svg xmlns="http://www.w3.org/2000/svg" '
    text = str(drawing).replace("<svg ", opened, 1)
    head, end, rest = text.partition(">")
    return f"{head}{end}<style>{_style()}</style>{rest}".encode()


@lru_cache(maxsize=1)
def _style() -> str:
    """Return the page's rules for pictures, with the colours of its light side in place of their names."""
    sheet = PAGE_STYLE.read_text(encoding="utf-8")
    light = sheet[sheet.index(":root") : sheet.index("}")]
    colours = dict(_COLOURS.findall(light))
    rules = "\n".join(_RULE.findall(sheet)).replace("font-family: inherit", f"font-family: '{FONT}'")
    return _VARIABLE.sub(lambda found: colours[found[1]], rules)
