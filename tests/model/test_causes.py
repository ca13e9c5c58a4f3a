"""Why the system refused: common reasons in the reader's language, rare ones in the system's own words, nothing that acts."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from portalops.locale import render
from portalops.model.causes import cause_of, line_of_record


def test_a_common_reason_is_said_in_the_readers_language(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        (tmp_path / "absent").read_bytes()

    assert render(cause_of(raised.value), "en") == os.strerror(errno.ENOENT)
    assert render(cause_of(raised.value), "vi") == "không có tệp hoặc thư mục này"


def test_a_rare_reason_stays_in_the_systems_own_words() -> None:
    assert render(cause_of(OSError(errno.EDOM, os.strerror(errno.EDOM))), "vi") == os.strerror(errno.EDOM)
    assert render(cause_of(OSError()), "vi") == "OSError"


def test_words_of_others_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in render(cause_of(OSError("\x1b[31mred")), "en")


def test_the_times_of_a_line_of_a_record_are_shown_as_other_moments_are() -> None:
    line = "/a b: changed while it was read, twice (modified 2026-11-24T01:30:00.250000Z, then {after})"

    later = line_of_record(line.format(after="2026-11-24T01:32:10.000000Z"))
    at_once = line_of_record(line.format(after="2026-11-24T01:30:00.750000Z"))
    of_no_calendar = line_of_record(line.format(after="99999999999999 s").replace(" s)", ")"))

    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    assert "modified 24 Nov 2026 08:30 +07, then 24 Nov 2026 08:32 +07" in render(later, "en", zone=zone)
    assert "(last modified 24 Nov 2026 08:30 +07)" in render(at_once, "en", zone=zone)
    assert "24/11/2026 08:30" in render(at_once, "vi", zone=zone)
    assert "then 99999999999999)" in render(of_no_calendar, "en", zone=zone)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("etc/shadow: permission denied", "etc/shadow: không có quyền"),
        ("a/../b: its name would lead out of the folder", "a/../b: tên dẫn ra ngoài thư mục"),
        ("dev/null: a device (1:3) is not made", "dev/null: không tạo tệp thiết bị (1:3)"),
        (
            "bin/ping: attribute security.capability was not restored",
            "bin/ping: không khôi phục thuộc tính security.capability",
        ),
        ("table article: 2 rows instead of 3", "table article: 2 hàng thay vì 3"),
        ("a line of nobody's making", "a line of nobody's making"),
    ],
)
def test_a_reason_in_a_line_is_said_in_the_readers_language(line: str, shown: str) -> None:
    assert render(line_of_record(line), "vi") == shown
    assert render(line_of_record(line), "en").lower() == line.lower()
