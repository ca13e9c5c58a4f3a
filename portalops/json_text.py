"""JSON that others wrote: read so that whatever is wrong with it is one kind of error, for the caller to judge.

Python's own reader ends with a `RecursionError` where lists lie in each other a thousand deep, and takes `NaN` and
numbers beyond all bounds for numbers. A damaged file, a host's answer or a page of the Internet must not stop a job so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import chain, compress
from typing import Any

MAX_DEPTH = 100
"""How deep lists and objects may lie in each other: far deeper than in any text that is meant, and far from what any reader can't follow."""

Pairs = Callable[[list[tuple[str, Any]]], Any]

_TOO_DEEP = "nested too deep"
_CONTAINERS = frozenset({dict, list})


def read_json(data: str | bytes, *, pairs: Pairs | None = None, decimal: Callable[[str], Any] | None = None) -> Any:
    """Return what JSON text says.

    Args:
        data: the text, or its bytes in UTF-8, UTF-16 or UTF-32.
        pairs: is given the names and values of each object, the inner ones first, and returns what stands for it.
        decimal: is given each number that is no integer; by default it becomes a float.

    Raises:
        ValueError: it is not JSON; a number has more than 4300 digits or is not finite; or lists and objects lie in
            each other more than 100 deep.
    """
    text = data if isinstance(data, str) else data.decode(json.detect_encoding(data))
    decoder = _DECODER
    if pairs is not None or decimal is not None:
        number = decimal or _finite
        decoder = json.JSONDecoder(object_pairs_hook=pairs, parse_float=number, parse_constant=number)
    try:
        found = decoder.decode(text)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _require_flat(found, text, 0, len(text))
    return found


def read_json_at(text: str, at: int) -> tuple[Any, int]:
    """Return the value that begins at a character of a text, and where it ends.

    Raises:
        ValueError: as by `read_json`, or nothing begins there.
    """
    try:
        found, end = _DECODER.raw_decode(text, at)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _require_flat(found, text, at, end)
    return found, end


def _finite(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"not a finite number: {text[:40]}")
    return found


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def _require_flat(found: object, text: str, at: int, end: int) -> None:
    if text.count("[", at, end) + text.count("{", at, end) > MAX_DEPTH and _is_deep(found):
        raise ValueError(_TOO_DEEP)


def _is_deep(value: object) -> bool:
    """Say whether lists and objects lie too deep in each other; level by level, and without Python code for each value."""
    level: list[Any] = [value]
    for _depth in range(MAX_DEPTH + 1):
        objects = [each.values() for each in level if type(each) is dict]
        lists = [each for each in level if type(each) is list]
        if not objects and not lists:
            return False
        held = list(chain(chain.from_iterable(objects), chain.from_iterable(lists)))
        level = list(compress(held, map(_CONTAINERS.__contains__, map(type, held))))
    return True
