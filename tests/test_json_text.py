"""JSON of others: whatever is wrong with it is a ValueError, and nothing else ever."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.json_text import MAX_DEPTH, read_json, read_json_at

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000 + "]" * 200_000,
        '{"a":' * 200_000 + "1" + "}" * 200_000,
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "[" * 200_000,
        "NaN",
        "[-Infinity]",
        "1e400",
        "9" * 5000,
        "",
        "{",
        '"\ud800',
    ],
    ids=lambda text: f"{len(text)} characters, beginning {text[:6]!a}",
)
def test_what_is_no_json_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever wording
        read_json(text)
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever wording
        read_json(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever wording
        read_json_at(text, 0)


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_any_text_is_read_or_is_a_value_error(data: str | bytes) -> None:
    with suppress(ValueError):
        read_json(data)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_texts_are_read_in_every_coding_of_unicode(coding: str) -> None:
    assert read_json('{"tệp": [1, 2.5, null, true]}'.encode(coding)) == {"tệp": [1, 2.5, None, True]}


def test_a_value_is_read_where_it_begins() -> None:
    assert read_json_at('x = {"a": [1]} y', 4) == ({"a": [1]}, 14)


def test_lists_lie_a_hundred_deep_in_each_other() -> None:
    assert read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


def test_json_is_read_in_one_place() -> None:
    """Python's own reader raises more than ValueError; what comes from others goes through `portalops.json_text`."""
    alone = {
        "portalops/json_text.py",
        "portalops/ledger/bundle/verify.py",  # runs without portalops
        "portalops/notify/channels/_apprise_process.py",  # reads what portalops itself gives it
    }
    found = {
        str(path.relative_to(ROOT))
        for room in ("portalops", "backups", "checks", "commands")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"json\.loads?\(|JSONDecoder|from json import", path.read_text("utf-8"))
    }

    assert found == alone
