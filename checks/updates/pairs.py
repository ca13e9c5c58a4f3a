"""Which English item belongs to which Vietnamese one, by the rule that a source declares. Pure.

A rule has two shapes of addresses, one a language, such as `/tin-tuc/{name}-{id}` and `/en/news/{slug}-{id}`: what both name
is what a pair has in common, here `id`; what one of them names alone may be anything. A name stands for one part of the
path at most: it matches no `/`, `?`, `#` or `&`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from portalops.config.values import RefusedValue
from portalops.model.message import msg
from portalops.model.variety import PairRule

_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def require_sound(rule: PairRule) -> None:
    """Make sure that a rule can tell pairs.

    Raises:
        Refused: a shape begins neither with `/` nor as an address, a name is written twice or wrongly, or no name is in both.
    """
    for shape in (rule.vi, rule.en):
        if not re.match(r"/|https?://[^/{}]+/", shape):
            raise RefusedValue(
                msg("begins neither with / nor as an address"), msg("Write it as {shape}.", shape="/tin-tuc/{id}")
            )
        names = _NAME.findall(shape)
        if len(names) != len(set(names)) or set("{}") & set(_NAME.sub("", shape)):
            raise RefusedValue(
                msg("names a part twice, or has a bracket without a name"),
                msg("A name is written once, in small letters: {shape}.", shape="{id}"),
            )
    if not _shared(rule):
        raise RefusedValue(
            msg("shares no name with the other shape, so it identifies no pair"),
            msg("Name what a pair has in common in both: {vi} and {en}.", vi="/tin-tuc/{id}", en="/en/news/{id}"),
        )


def sides_of(url: str, rules: Iterable[PairRule]) -> dict[str, set[tuple[str, ...]]]:
    """Return, by language, what an address has in common with its pair's, by each rule that fits it."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for rule in rules:
        for language, shape in (("vi", rule.vi), ("en", rule.en)):
            match = _pattern(shape).fullmatch(url if "://" in shape else _place(url))
            if match:
                found.setdefault(language, set()).add((rule.vi, *(match[name] for name in _shared(rule))))
    return found


@cache
def _shared(rule: PairRule) -> tuple[str, ...]:
    return tuple(sorted(set(_NAME.findall(rule.vi)) & set(_NAME.findall(rule.en))))


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    parts = _NAME.split(shape)  # text, name, text, name, ..., text
    return re.compile("".join(f"(?P<{part}>[^/?#&]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts)))


def _place(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
