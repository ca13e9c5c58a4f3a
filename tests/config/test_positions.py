"""The scanner finds the line of every key that tomllib finds, in whatever style the file is written."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portalops.config.positions import KeyPath, Position, Positions

BARE = st.text("abcdefgXYZ019_-", min_size=1, max_size=5)
ODD = st.text("ab .\"'\\#=[]\n\tệ", max_size=4)
KEYS = st.one_of(BARE, ODD)


def _quoted(key: str) -> str:
    """A key in the quoted form, with TOML's escapes."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(char, char) for char in key) + '"'


def _key(draw: st.DrawFn, key: str) -> str:
    is_bare = key != "" and all(char in "abcdefgXYZ019_-" for char in key)
    if is_bare and draw(st.booleans()):
        return key
    if "'" not in key and "\n" not in key and draw(st.booleans()):
        return f"'{key}'"
    return _quoted(key)


SCALARS = (
    "1",
    "-0.5",
    "true",
    "2026-11-24",
    "2026-11-24 08:30:00",
    '"plain # not a comment"',
    '"a \\" ] } , b"',
    "'literal \\'",
    '"""two\n  lines "" ] \\""""',
    '"""ends with quotes""""',
    "'''raw\n[not.a.header]\n'''",
)
BLANKS = ("", " ", "\n", "# note ] }\n", "\n\n# x = 1\n")
INLINE_BLANKS = ("", " ", "\t")


class Writer:
    """Writes a document and keeps where each key begins."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.places: dict[KeyPath, int] = {}

    def put(self, text: str) -> None:
        self.text += text

    def value(self, path: KeyPath, depth: int) -> None:
        kind = self.draw(st.sampled_from(("scalar", "scalar", "list", "table"))) if depth < 3 else "scalar"
        if kind == "scalar":
            self.put(self.draw(st.sampled_from(SCALARS)))
        elif kind == "list":
            self.put("[" + self.draw(st.sampled_from(BLANKS)))
            count = self.draw(st.integers(0, 3))
            for index in range(count):
                self.places[(*path, index)] = len(self.text)
                self.value((*path, index), depth + 1)
                self.put(self.draw(st.sampled_from(BLANKS)))
                if index < count - 1 or self.draw(st.booleans()):
                    self.put("," + self.draw(st.sampled_from(BLANKS)))
            self.put("]")
        else:
            self.put("{" + self.draw(st.sampled_from(INLINE_BLANKS)))
            keys = self.draw(st.lists(KEYS, max_size=3, unique=True))
            for number, key in enumerate(keys):
                self.pair(path, key, depth + 1)
                self.put(self.draw(st.sampled_from(INLINE_BLANKS)))
                if number < len(keys) - 1:
                    self.put("," + self.draw(st.sampled_from(INLINE_BLANKS)))
            self.put("}")

    def pair(self, path: KeyPath, key: str, depth: int) -> None:
        self.places[(*path, key)] = len(self.text)
        self.put(_key(self.draw, key))
        inner = (*path, key)
        if self.draw(st.integers(0, 4)) == 0:
            dotted = self.draw(BARE)
            inner = (*inner, dotted)
            self.places[inner] = self.places[(*path, key)]
            self.put(f" . {_key(self.draw, dotted)}")
        self.put(self.draw(st.sampled_from(("=", " = ", "\t=  "))))
        self.value(inner, depth)

    def pairs(self, path: KeyPath, keys: list[str]) -> None:
        for key in keys:
            self.put(self.draw(st.sampled_from(BLANKS)))
            self.pair(path, key, 0)
            self.put(self.draw(st.sampled_from(("", "  # note"))) + "\n")


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """A valid document in a random style, and the offset at which each of its keys begins."""
    writer = Writer(draw)
    names = draw(st.lists(KEYS, min_size=1, max_size=6, unique=True))
    cut = draw(st.integers(0, len(names)))
    writer.pairs((), names[:cut])
    for name in names[cut:]:
        if draw(st.booleans()):
            writer.places[(name,)] = len(writer.text)
            writer.put(f"[ {_key(draw, name)} ]\n")
            writer.pairs((name,), draw(st.lists(KEYS, max_size=3, unique=True)))
            continue
        for index in range(draw(st.integers(1, 3))):
            start = len(writer.text)
            writer.places.setdefault((name,), start)
            writer.places[(name, index)] = start
            writer.put(f"[[{_key(draw, name)}]] # list\n")
            writer.pairs((name, index), draw(st.lists(KEYS.filter(lambda key: key != "sub"), max_size=2, unique=True)))
            if draw(st.booleans()):
                writer.places[(name, index, "sub")] = len(writer.text)
                writer.put(f"[{_key(draw, name)}.sub]\n")
                writer.pairs((name, index, "sub"), draw(st.lists(KEYS, max_size=2, unique=True)))
    return writer.text, writer.places


@pytest.mark.heavy
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_every_key_of_a_document_has_the_place_where_it_begins(document: tuple[str, dict[KeyPath, int]]) -> None:
    text, places = document
    tree = tomllib.loads(text)  # the generator writes valid TOML only

    positions = Positions(text)

    assert set(_paths(tree, ())) == set(positions.paths())
    for path, offset in places.items():
        line = text.count("\n", 0, offset) + 1
        column = offset - (text.rfind("\n", 0, offset) + 1) + 1
        assert positions.find(path) == Position(line, column)


def _paths(node: Any, path: KeyPath) -> list[KeyPath]:
    found: list[KeyPath] = []
    if isinstance(node, dict):
        for key, value in node.items():
            found += [(*path, key), *_paths(value, (*path, key))]
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += [(*path, index), *_paths(value, (*path, index))]
    return found


def test_a_missing_key_stands_where_its_table_begins() -> None:
    positions = Positions('[portal]\nid = "x"\n\n[[unit]]\nid = "a"\n[[unit]]\nid = "b"\n')

    assert positions.find(("unit", 1, "name")) == Position(6, 1)
    assert positions.find(("portal", "name", "vi")) == Position(1, 1)
    assert positions.find(("report", "folder")) == Position(1, 1)


def test_a_table_under_a_list_belongs_to_the_newest_element() -> None:
    positions = Positions("[[a]]\n[a.b]\nx = 1\n[[a]]\n[a.b]\nx = 2\n")

    assert positions.find(("a", 0, "b", "x")).line == 3
    assert positions.find(("a", 1, "b", "x")).line == 6
