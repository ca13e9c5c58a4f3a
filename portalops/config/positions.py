"""Where each key of a TOML file stands: tomllib gives values without lines, and an error must name its line.

The scanner reads text that tomllib has already accepted, so it skips instead of checking. It follows
TOML 1.0: headers, arrays of tables, dotted and quoted keys, inline tables, arrays and strings over
several lines. Source: https://toml.io/en/v1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeAlias

from portalops.model.values import dataclass

KeyPath: TypeAlias = "tuple[str | int, ...]"
"""Keys and list indexes from the root of a document: `("backup", "source", 0, "kind")`."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text, both counted from 1; the column counts characters."""

    line: int
    column: int


class Positions:
    """The place of every table, key and list element of one document."""

    def __init__(self, text: str) -> None:
        """Scan a document; `text` must be valid TOML with line feeds as line ends."""
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._offsets = _Scanner(text).scan()

    def find(self, path: Sequence[str | int]) -> Position:
        """Return where a path stands, or its nearest parent that stands somewhere; the first line for none."""
        for length in range(len(path), 0, -1):
            offset = self._offsets.get(tuple(path[:length]))
            if offset is not None:
                return self._position(offset)
        return Position(1, 1)

    def has(self, path: Sequence[str | int]) -> bool:
        """Say whether a path itself stands in the document."""
        return tuple(path) in self._offsets

    def paths(self) -> tuple[KeyPath, ...]:
        """Return every path, in the order of the document."""
        return tuple(self._offsets)

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:\\.|[^"\\])*"')
_LITERAL = re.compile(r"'[^']*'")
_LONG_BASIC = re.compile(r'"""(?:\\.|[^\\])*?"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class _Scanner:
    """One pass over a document, keeping the offset of everything that has a path."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._offsets: dict[KeyPath, int] = {}
        self._lengths: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._offsets

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        assert match is not None  # the text is valid TOML
        self._at = match.end()
        return match.group()

    def _header(self) -> KeyPath:
        """Read `[a.b]` or `[[a.b]]` and return the path of the table it opens."""
        start = self._at
        is_list = self._text.startswith("[[", start)
        self._at += 2 if is_list else 1
        self._skip(_SPACE)
        *parents, last = self._key()
        self._skip(_SPACE)
        self._at += 2 if is_list else 1
        path: KeyPath = ()
        for part in parents:
            path = self._current((*path, part), start)
        path = (*path, last)
        if not is_list:
            return self._current(path, start)
        self._offsets.setdefault(path, start)
        index = self._lengths.get(path, 0)
        self._lengths[path] = index + 1
        path = (*path, index)
        self._offsets[path] = start
        return path

    def _current(self, path: KeyPath, offset: int) -> KeyPath:
        """Return the table that a header's part means: in a list of tables, its newest one."""
        self._offsets.setdefault(path, offset)
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = table
        for part in self._key():
            path = (*path, part)
            self._offsets.setdefault(path, start)
        self._skip(_SPACE)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        parts = [self._key_part()]
        while True:
            before = self._at
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                self._at = before
                return parts
            self._at += 1
            self._skip(_SPACE)
            parts.append(self._key_part())

    def _key_part(self) -> str:
        match self._text[self._at]:
            case '"':
                quoted = self._skip(_BASIC)
                return str(tomllib.loads(f"value = {quoted}")["value"]) if "\\" in quoted else quoted[1:-1]
            case "'":
                return self._skip(_LITERAL)[1:-1]
            case _:
                return self._skip(_BARE_KEY)

    def _value(self, path: KeyPath) -> None:
        text, at = self._text, self._at
        if text.startswith('"""', at):
            self._skip(_LONG_BASIC)
        elif text.startswith("'''", at):
            self._skip(_LONG_LITERAL)
        elif text.startswith('"', at):
            self._skip(_BASIC)
        elif text.startswith("'", at):
            self._skip(_LITERAL)
        elif text.startswith("[", at):
            self._array(path)
        elif text.startswith("{", at):
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK)
        index = 0
        while not self._text.startswith("]", self._at):
            element = (*path, index)
            self._offsets[element] = self._at
            self._value(element)
            self._skip_comma()
            index += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK)
        while not self._text.startswith("}", self._at):
            self._pair(path)
            self._skip_comma()
        self._at += 1

    def _skip_comma(self) -> None:
        self._skip(_BLANK)
        if self._text.startswith(",", self._at):
            self._at += 1
            self._skip(_BLANK)
