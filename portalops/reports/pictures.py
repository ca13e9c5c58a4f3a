"""A report's charts as SVG files that stand alone: the pictures of the page, with the page's own light colours written into them.

Formats that cannot share a page's style sheet (PDF, DOCX) take these, so that all of them show the same picture.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, assert_never

from lxml import etree
from markupsafe import Markup

from portalops.errors import ReportError
from portalops.model.message import msg
from portalops.reports._draw import draw
from portalops.reports.charts import draw_bars, draw_grid, draw_lines, draw_qr
from portalops.reports.document import Bars, Grid, LineChart, QrCode
from portalops.reports.reader import Reader
from portalops.system.programs import LocalRunner

Chart: TypeAlias = "Grid | Bars | LineChart | QrCode"

PAGE_STYLE = Path(__file__).parent / "formats" / "page.css"
FONT = "Liberation Sans"
"""Metric-compatible with Arial, and has every Vietnamese letter."""

_DOTS_PER_INCH = 192.0
_AT_ONCE = 16
"""Charts that typst draws at a time, all of whose dots it holds; more are drawn in processes of their own."""
_SECONDS = 600.0

_COLOURS = re.compile(r"(--[a-z-]+):\s*(#[0-9a-f]{6})")
_RULE = re.compile(r"^svg\b[^{}]*\{[^{}]*\}", re.MULTILINE)
_SPLIT_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"svg ([a-z]*)((?:\.[a-z]+)*)")
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
        case LineChart():
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


def with_attributes(drawing: bytes, *, font: str) -> bytes:
    """Return a picture of `pictures_of` whose looks stand at each element, for programs that read no style sheet in an SVG.

    Word, for one, knows few selectors, and draws black what it finds no colour for.

    Args:
        drawing: the file.
        font: of its texts.
    """
    root = etree.fromstring(drawing, etree.XMLParser(resolve_entities=False, huge_tree=True))
    for element in list(root):
        if etree.QName(element).localname == "style":
            root.remove(element)
    for element in root.iter():
        looks = _appearance(etree.QName(element).localname, element.attrib.pop("class", ""))
        for key, value in looks:
            element.set(key, font if key == "font-family" else value)
    written = etree.tostring(root, encoding="utf-8")
    assert isinstance(written, bytes)
    return written


def draw_dots(drawings: Sequence[bytes]) -> Sequence[bytes] | None:
    """Return SVG files as PNG, drawn with typst's own fonts; None if typst is not installed.

    Raises:
        ReportError: they could not be drawn.
    """
    if find_spec("typst") is None:
        return None  # an extra; the document shows tables then
    found: list[bytes] = []
    for start in range(0, len(drawings), _AT_ONCE):
        some = drawings[start : start + _AT_ONCE]
        with tempfile.TemporaryDirectory() as folder:
            pages = ["#set page(width: auto, height: auto, margin: 0pt)"]
            for at, drawing in enumerate(some):
                (Path(folder) / f"{at}.svg").write_bytes(drawing)
                pages.append(f'#page(image("{at}.svg"))')
            (Path(folder) / "main.typ").write_text("\n".join(pages), encoding="utf-8")
            if len(drawings) <= _AT_ONCE:
                found += draw(folder, _DOTS_PER_INCH)
            else:
                found += _drawn_apart(folder, len(some))
    return found


def _drawn_apart(folder: str, count: int) -> list[bytes]:
    """Draw a folder's pages in a process of its own: see `_draw.py`."""
    environment = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    program = str(Path(__file__).with_name("_draw.py"))
    done = LocalRunner(environment).run(
        [sys.executable, "-P", program, folder, str(_DOTS_PER_INCH)], timeout_seconds=_SECONDS, limit_bytes=1 << 20
    )
    if done.exit_code != 0:
        last = done.stderr.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
        raise ReportError(
            msg(
                "typst could not draw the charts: {cause}",
                cause=last or msg("exit code {code}", code=str(done.exit_code)),
            ),
            msg("The formats html and xlsx need no typst; choose one of them."),
        )
    return [(Path(folder) / f"{number}.png").read_bytes() for number in range(count)]


@lru_cache(maxsize=256)
def _appearance(tag: str, classes: str) -> tuple[tuple[str, str], ...]:
    """Return the properties of an element, those of more special rules over the others (CSS Selectors 3, section 9)."""
    own = frozenset(classes.split())
    found: dict[str, str] = {}
    for _weight, wanted_tag, wanted, properties in _rules():
        if wanted_tag in ("", tag) and wanted <= own:
            found.update(properties)
    return tuple(sorted(found.items()))


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[tuple[int, bool], str, frozenset[str], Mapping[str, str]], ...]:
    """Return the rules for pictures, the most special last: weight, tag, classes and properties.

    Raises:
        ValueError: a rule's selector is another than `svg TAG.CLASS`, with at least one of the two.
    """
    found = []
    for selectors, body in _SPLIT_RULE.findall(_style()):
        pairs = (each.partition(":") for each in body.split(";") if each.strip())
        properties = {key.strip(): value.strip() for key, _colon, value in pairs}
        for selector in selectors.split(","):
            match = _SELECTOR.fullmatch(selector.strip())
            if match is None:
                raise ValueError(f"not understood in {PAGE_STYLE.name}: {selector.strip()}")
            tag, classes = match[1], frozenset(match[2].split(".")) - {""}
            found.append(((len(classes), bool(tag)), tag, classes, properties))
    return tuple(sorted(found, key=lambda rule: rule[0]))


@lru_cache(maxsize=1)
def page_colours() -> Mapping[str, str]:
    """Return the colours of the page's light side by their names, such as `--good-back`."""
    sheet = PAGE_STYLE.read_text(encoding="utf-8")
    light = sheet[sheet.index(":root") : sheet.index("}")]
    return MappingProxyType(dict(_COLOURS.findall(light)))


@lru_cache(maxsize=1)
def _style() -> str:
    """Return the page's rules for pictures, with the colours of its light side in place of their names."""
    sheet = PAGE_STYLE.read_text(encoding="utf-8")
    rules = "\n".join(_RULE.findall(sheet)).replace("font-family: inherit", f"font-family: '{FONT}'")
    return _VARIABLE.sub(lambda found: page_colours()[found[1]], rules)
