"""The two lines that stand before a dump of MariaDB or MySQL, because the dump programs leave out what they say.

    -- CHARACTER SET utf8mb4 COLLATE utf8mb4_vietnamese_ci
    -- DATABASE portal

A dump made with `--databases` says it itself, and then goes into the database of that name, whatever a person wanted:
into the live one, where that stands. So dumps are made without, and the person who restores creates the database first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from portalops.model.text import show_text

MAX_HEAD_BYTES = 4 << 10
_LINES = re.compile(rb"-- (CHARACTER SET \w+ COLLATE \w+)\n-- DATABASE ([^\n]+)\n")
_WORD = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class DatabaseHead:
    """A database, as a dump's first lines tell of it."""

    name: str
    charset: str
    """Such as `CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`: words alone, so that a command may hold it."""


def head_of(name: str, charset: str, collation: str) -> bytes | None:
    """Return the lines, or None for a name that does not stand on one line or for sets that are no words."""
    if name != show_text(name, len(name)) or not (_WORD.fullmatch(charset) and _WORD.fullmatch(collation)):
        return None
    return f"-- CHARACTER SET {charset} COLLATE {collation}\n-- DATABASE {name}\n".encode()


def read_head(dump: bytes) -> DatabaseHead | None:
    """Return what the beginning of a dump says, or None if it does not begin so."""
    found = _LINES.match(dump)
    return None if found is None else DatabaseHead(found[2].decode("utf-8", "replace"), found[1].decode())


def quoted(identifier: str) -> str:
    """Return a name as SQL of these servers has it."""
    return "`" + identifier.replace("`", "``") + "`"
