"""Patterns of paths to leave out.

    *.tmp            a pattern without a slash: a name, in any folder
    /etc/ssl/*.pem   with a slash: a whole path; relative ones start in the folder of the configuration file
    /srv/**/cache    ** stands for any number of folders

`*` and `?` do not match a slash; `[a-z]` and `[!a-z]` match one character of a set. What matches is left out with
everything below it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path


def matcher(patterns: Iterable[str], folder: Path) -> Callable[[str], bool]:
    """Return a question: is this absolute path left out?"""
    alternatives = [_translated(pattern, folder) for pattern in patterns]
    if not alternatives:
        return lambda _path: False
    matches = re.compile("|".join(alternatives), re.DOTALL).fullmatch
    return lambda path: matches(path) is not None


def is_glob(text: str) -> bool:
    """Say whether a path is a pattern."""
    return any(sign in text for sign in "*?[")


def _translated(pattern: str, folder: Path) -> str:
    if "/" not in pattern.rstrip("/"):
        return rf"(?:.*/)?{_regular(pattern.rstrip('/'))}"
    return _regular(os.path.normpath(folder / pattern))


def _regular(pattern: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif pattern.startswith("**", at):
            out.append(".*")
            at += 2
        elif char == "*":
            out.append("[^/]*")
            at += 1
        elif char == "?":
            out.append("[^/]")
            at += 1
        elif char == "[" and (end := pattern.find("]", at + 2)) > 0:
            inner = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            out.append(f"[^/{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
            at = end + 1
        else:
            out.append(re.escape(char))
            at += 1
    return "".join(out)
