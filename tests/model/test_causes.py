"""Why the system refused: common reasons in the reader's language, rare ones in the system's own words, nothing that acts."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from portalops.locale import render
from portalops.model.causes import cause_of


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
