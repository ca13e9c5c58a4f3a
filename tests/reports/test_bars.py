"""Bars as pictures: each part has room for its number, and no bar is longer than the picture."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from portalops.model.message import msg, verbatim
from portalops.reports.charts import draw_bars
from portalops.reports.document import Bars, Tone
from portalops.reports.reader import Reader
from tests.reports.page import Page

TONES = list(Tone)
READER = Reader("en", ZoneInfo("UTC"))


@pytest.mark.parametrize(
    "rows", [[[54, 12, 17], [1]], [[1, 1, 400]], [[1, 0, 99_999, 1]], [[1, 1, 1, 1]], [[0, 0], [0]], [[7], [350, 1]]]
)
def test_each_part_has_room_for_its_number(rows: list[list[int]]) -> None:
    parts = [
        (msg("Duties"), [(TONES[at], verbatim(str(at)), count) for at, count in enumerate(counts)]) for counts in rows
    ]
    drawn = Page(str(draw_bars(Bars(msg("Bars"), parts), READER, name="p1")))
    width = float(drawn.root.all("svg")[0].attributes["width"])
    ends: dict[str, float] = {}
    for group in drawn.root.all("g"):
        (box,), (number,) = group.all("rect"), group.all("text")
        x, length = float(box.attributes["x"]), float(box.attributes["width"])
        assert length >= 6 * len(number.words())
        assert x >= ends.get(box.attributes["y"], 0.0) - 0.02
        ends[box.attributes["y"]] = x + length
        assert x + length <= width
    assert len(drawn.root.all("g")) == sum(count > 0 for counts in rows for count in counts)


def test_a_label_that_would_run_over_the_edge_ends_with_a_sign_and_is_whole_in_its_title() -> None:
    name = "Trung tâm Công nghệ thông tin và Dịch vụ hành chính công trực tuyến tỉnh"
    for label in (name, "web1", "w" * 1_000_000):
        drawn = Page(
            str(draw_bars(Bars(msg("Bars"), [(verbatim(label), [(Tone.BAD, msg("unmet"), 3)])]), READER, name="p1"))
        )
        shown = next(each.words() for each in drawn.root.all("text") if each.attributes["class"] == "label strong")

        assert len(shown) <= 46
        assert shown == label or (shown.endswith("…") and label in {each.words() for each in drawn.root.all("title")})
