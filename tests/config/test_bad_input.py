"""Whatever a file holds, it becomes settings or an error with a code: never a traceback."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portalops.config import load
from portalops.errors import PortalOpsError

COMPLETE = """
include = []
[portal]
id = "kh"
name = { vi = "Cổng", en = "Portal" }
timezone = "Asia/Ho_Chi_Minh"
[state]
folder = "state"
[rulebook]
day_cutoff = "17:00"
occasion = "session"
[[actor]]
role = "unit"
name = { vi = "Đơn vị" }
valid_from = 2010-01-01
[[unit]]
id = "a"
name = { vi = "A" }
successors = ["b"]
[[unit]]
id = "b"
name = { vi = "B" }
[[host]]
id = "this"
address = "local"
roles = ["web"]
[backup]
recipients = [{ name = "operator", file = "o.pub" }]
[backup.excused]
channels = "none"
[[backup.source]]
id = "etc"
kind = "files"
[[updates.source]]
id = "feed"
kind = "feed"
[checks.declared]
listeners = ["tcp/22"]
[[job]]
id = "daily"
kind = "check"
every = "day"
[report]
languages = ["vi"]
[signing]
key = "k"
"""
LOCATIONS = [
    ("include",), ("portal",), ("portal", "id"), ("portal", "name"), ("portal", "name", "vi"), ("portal", "timezone"),
    ("state",), ("state", "folder"), ("rulebook",), ("rulebook", "day_cutoff"), ("rulebook", "occasion"), ("actor",),
    ("actor", 0), ("actor", 0, "role"), ("actor", 0, "valid_from"), ("unit",), ("unit", 0, "id"), ("unit", 0, "successors"),
    ("unit", 1, "name"), ("host", 0, "roles"), ("backup",), ("backup", "recipients"), ("backup", "recipients", 0, "file"),
    ("backup", "excused"), ("backup", "excused", "channels"), ("backup", "source"), ("backup", "source", 0, "kind"),
    ("updates",), ("updates", "source", 0), ("checks",), ("checks", "declared"), ("job",), ("job", 0, "every"),
    ("report", "languages"), ("signing", "key"),
]  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["", "\0", "~nobody-here/x", "../..", "/", "a" * 5000, "2026-02-30", "Ệ", "{x}", "%s", "file\n"]),
    st.text(max_size=8),
    st.recursive(
        st.sampled_from([1, "x", True]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    ),
)


@pytest.mark.heavy
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LOCATIONS), VALUES)
def test_any_value_in_any_place_is_taken_or_refused(location: tuple[str | int, ...], value: Any) -> None:
    tree = tomllib.loads(COMPLETE)
    node: Any = tree
    for part in location[:-1]:
        node = node[part]
    node[location[-1]] = value

    _taken_or_refused(_toml(tree))


@pytest.mark.heavy
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(COMPLETE) - 1), st.integers(0, 12), st.text(max_size=4))
def test_any_damage_to_the_text_is_taken_or_refused(start: int, length: int, inserted: str) -> None:
    _taken_or_refused(COMPLETE[:start] + inserted + COMPLETE[start + length :])


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff\xfe[\x00", b"=", b"[portal]\nid='k'\n" * 2, b"a." * 5000 + b"b = 1"]
)
def test_bytes_that_are_no_configuration_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "portalops.toml"
    path.write_bytes(data)

    with pytest.raises(PortalOpsError) as caught:
        load(path, {})

    assert caught.value.code.startswith("PO10")


def _taken_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portalops.toml"
        path.write_bytes(text.encode("utf-8", "replace"))
        try:
            load(path, {})
        except PortalOpsError as error:
            said = f"{error}{error.hint}"
            assert said.isprintable(), said
            assert len(said) < 20_000


def _toml(value: Any) -> str:
    """Write a tree as TOML, tables inline."""
    return "\n".join(f"{_key(key)} = {_inline(inner)}" for key, inner in value.items() if inner is not None)


def _inline(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _key(value)
        case dict():
            return (
                "{"
                + ", ".join(f"{_key(key)} = {_inline(item)}" for key, item in value.items() if item is not None)
                + "}"
            )
        case list():
            return "[" + ", ".join(_inline(item) for item in value if item is not None) + "]"
        case _:
            return str(value)


def _key(text: str) -> str:
    escaped = "".join(
        char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}"
        for char in text
        if not 0xD800 <= ord(char) <= 0xDFFF
    )
    return f'"{escaped}"'
