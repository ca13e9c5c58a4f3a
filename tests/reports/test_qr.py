"""A QR code holds its text byte for byte, and every format gives that text."""

from __future__ import annotations

import json
import re
import struct
import zlib

import pytest
import segno

from portalops.model.message import msg
from portalops.reports import formats
from portalops.reports.charts import draw_qr
from portalops.reports.document import Document, QrCode, Verbatim
from portalops.reports.qr import QUIET_ZONE, qr_modules, qr_png
from portalops.reports.reader import Reader
from portalops.reports.terminal import render_blocks
from tests.reports.page import Element, Page

HEAD = (
    f"portalops-head 1\nledger {'5f0c' * 8}\nsize 412\ndigest {'9f3a' * 16}\n"
    f"at 2026-11-25T01:32:00.123Z\nprevious {'0' * 64}\n"
)
CODE = QrCode(HEAD, msg("Head code {code}", code="412-9f3a-9f3a-9f3a-9f3a-9f3a"))


def drawn_modules(svg: Element) -> list[list[bool]]:
    """Read a picture back: which squares its path fills."""
    side = int(svg.attributes["width"])
    (path,) = svg.all("path")
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z", path.attributes["d"])
    assert "".join(f"M{x} {y}h{w}v{h}h-{b}z" for x, y, w, h, b in runs) == path.attributes["d"]
    module = int(runs[0][3])
    dark = [[False] * (side // module) for _ in range(side // module)]
    for x, y, width, height, back in runs:
        assert (int(height), back) == (module, width)
        for place in range(int(x) // module, (int(x) + int(width)) // module):
            dark[int(y) // module][place] = True
    return dark


def test_the_drawn_modules_are_those_of_the_text_with_a_quiet_zone_around() -> None:
    svg = Page(str(draw_qr(CODE, Reader("en", None), name="p1"))).root.all("svg")[0]

    drawn = drawn_modules(svg)

    inner = [row[QUIET_ZONE:-QUIET_ZONE] for row in drawn[QUIET_ZONE:-QUIET_ZONE]]
    code = segno.make_qr(HEAD.encode(), error="m", mode="byte", boost_error=False)
    assert inner == [[bool(module) for module in row] for row in code.matrix]
    assert sum(map(sum, drawn)) == sum(map(sum, inner)), "the quiet zone is white"


def test_a_code_is_dark_on_white_whatever_the_page_looks_like() -> None:
    svg = Page(str(draw_qr(CODE, Reader("vi", None), name="p1"))).root.all("svg")[0]
    (ground,) = svg.all("rect")
    assert (ground.attributes["fill"], svg.all("path")[0].attributes["fill"]) == ("#ffffff", "#000000")
    assert (ground.attributes["width"], ground.attributes["height"]) == (
        svg.attributes["width"],
        svg.attributes["height"],
    )
    assert "class" not in ground.attributes


def test_a_text_that_is_longer_than_a_code_holds_is_refused() -> None:
    assert qr_modules("x" * 2331)
    with pytest.raises(ValueError, match="too large"):
        qr_modules("x" * 2332)


def test_every_format_gives_the_text_of_the_code() -> None:
    made = Document(msg("Report"), (CODE,))
    assert json.loads(formats.load("json").render(made, language="en"))["blocks"] == [
        {"type": "qr-code", "caption": "Head code 412-9f3a-9f3a-9f3a-9f3a-9f3a", "text": HEAD}
    ]
    markdown = formats.load("markdown").render(made, language="en").decode()
    assert "".join(f"    {line}\n" for line in HEAD.splitlines()) in markdown
    page = Page(formats.load("html").render(made, language="en").decode())
    assert page.root.all("pre")[0].words() == HEAD
    for width in (None, 80, 120):
        assert HEAD in render_blocks((CODE,), language="en", zone=None, width=width, colour=False)


def test_every_format_gives_what_is_to_be_copied_line_by_line() -> None:
    made = Document(msg("Report"), (Verbatim(HEAD),))
    assert json.loads(formats.load("json").render(made, language="en"))["blocks"] == [
        {"type": "verbatim", "text": HEAD}
    ]
    assert (
        "".join(f"    {line}\n" for line in HEAD.splitlines())
        in formats.load("markdown").render(made, language="en").decode()
    )
    assert Page(formats.load("html").render(made, language="en").decode()).root.all("pre")[0].words() == HEAD


def test_a_code_cannot_carry_markup_or_signs_that_act_on_the_display() -> None:
    text = "</pre><script>x</script>\n\x1b[31m\u202e"
    hostile = (QrCode(text, msg("Head")), Verbatim(text))
    page = formats.load("html").render(Document(msg("Report"), hostile), language="en").decode()
    assert not Page(page).root.all("script")
    for text in (page, render_blocks(hostile, language="en", zone=None, width=80, colour=False)):
        assert not set("\x1b\u202e") & set(text)


def test_the_dots_of_a_code_are_its_modules_and_always_the_same_bytes() -> None:
    data = qr_png(HEAD, scale=1)
    assert data == qr_png(HEAD, scale=1)
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (depth, colour) == (1, 0)
    packed = b"".join(
        data[at + 8 : at + 8 + struct.unpack(">I", data[at : at + 4])[0]]
        for at in _chunks(data)
        if data[at + 4 : at + 8] == b"IDAT"
    )
    lines = zlib.decompress(packed)
    size = 1 + (width + 7) // 8
    rows = [lines[at * size + 1 : (at + 1) * size] for at in range(height)]
    assert {lines[at * size] for at in range(height)} == {0}  # no filter
    dark = [[not row[x // 8] >> (7 - x % 8) & 1 for x in range(width)] for row in rows]
    inner = [row[QUIET_ZONE : width - QUIET_ZONE] for row in dark[QUIET_ZONE : height - QUIET_ZONE]]
    assert inner == [list(row) for row in qr_modules(HEAD)]
    assert not any(dark[0])


def _chunks(data: bytes) -> list[int]:
    """Return where each chunk of a PNG begins."""
    places, at = [], 8
    while at < len(data):
        places.append(at)
        at += 12 + int(struct.unpack(">I", data[at : at + 4])[0])
    return places
