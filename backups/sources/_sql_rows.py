"""Counting the rows of a dump of MariaDB or MySQL while it streams by.

These servers have no way to hand a dump's snapshot to a second connection, as PostgreSQL has, so rows that are counted
beside the dump would be of another moment. The dump itself is of one moment: what is counted in it is exact. Every row
stands on a line of its own there: a string has no raw line feed, because the dump programs escape it.

    CREATE TABLE `wp_posts` (                 a table, without rows so far
    INSERT INTO `wp_posts` VALUES             rows follow, one a line, each beginning with a bracket
    INSERT INTO `wp_posts` VALUES (1,'a');    one row; with more behind it, one a line
    DELIMITER ;;                              text of a trigger, an event or a routine, up to the next DELIMITER ;
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_CARRY_BYTES = 256 << 10
"""How much of the beginning of an unfinished line is kept; no line that says what follows is longer."""
_NAME = rb"`((?:[^`]|``)+)`"
_MARK = re.compile(
    rb"\n(?:CREATE TABLE " + _NAME + rb" \("
    rb"|INSERT INTO " + _NAME + rb" (?:\([^\n]*?\) )?VALUES( \()?"
    rb"|DELIMITER (;;?)(?=\n|\Z)"
    rb"|/\*)"
)


class RowCounter:
    """Takes a dump piece by piece."""

    def __init__(self) -> None:
        self._carry = b"\n"
        self._rows: dict[bytes, int] = {}
        self._table: bytes | None = None
        """The table whose rows are going by."""
        self._is_in_body = False

    @property
    def rows(self) -> Mapping[str, int]:
        """Return the rows of each table so far."""
        return {name.replace(b"``", b"`").decode("utf-8", "surrogateescape"): n for name, n in self._rows.items()}

    def take(self, piece: bytes) -> None:
        """Take the next bytes in; what is behind the last line feed waits for more."""
        text = self._carry + piece
        cut = text.rfind(b"\n")
        if cut > 0:
            self._count(text[:cut])
        self._carry = text[cut:] if len(text) - cut <= MAX_CARRY_BYTES else text[cut : cut + MAX_CARRY_BYTES]

    def _count(self, text: bytes) -> None:
        """Count in whole lines, each with its line feed before it."""
        at = 0
        for mark in _MARK.finditer(text):
            self._add(text.count(b"\n(", at, mark.start() + 1))
            at = mark.end()
            created, filled, has_row, delimiter = mark.groups()
            if delimiter is not None:
                self._is_in_body = delimiter == b";;"
                self._table = None
            elif self._is_in_body:
                continue
            elif created is not None:
                self._rows.setdefault(created, 0)
                self._table = None
            elif filled is not None:
                self._rows.setdefault(filled, 0)
                self._table = filled
                self._add(1 if has_row else 0)
            else:
                self._table = None
        self._add(text.count(b"\n(", at))

    def _add(self, count: int) -> None:
        if self._table is not None and count:
            self._rows[self._table] += count
