"""By what an item of one unit's site, or what it mails in, is known for another unit's, where one of the two gives no whole text. Pure.

One site gives summaries, another one whole texts, a third one titles alone: what one unit copies from another has then no text in
common with it, but its first words or its title. Neither proves a copy, so that they only open what they bear on. Offices
share the titles of many notices, such as Thông báo treo cờ Tổ quốc, and of schedules that differ by the number of their week: what
stood at several units, or comes again and again at one of them, tells nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from checks.updates.rules.stamps import Stamp
from checks.updates.summaries import inner_keys, is_longer_title, shown_keys, sought_keys

SHARING_UNITS = 3
"""What stood at so many units is a form, or was given to all."""
RECURRENCES = 2
"""What one source of a unit had so often is a form."""
MOST_LINES = 20
"""Lines of a mail of which one may be the title of its news: it stands in front."""
LONGEST_TITLE = 300
"""Characters; a longer line is a paragraph."""
_DIGITS = re.compile(r"\d+")
_FILE_TYPE = re.compile(r"\.\w{1,5}$")
_WHOLE, _CUT = "whole text of a unit", "summary of a unit"


class UnitKeys(NamedTuple):
    """By what an item of a sub-portal is found by another unit's, or looked for; keys of 63 bits each."""

    kept: tuple[int, ...] = ()
    """Of its title without numbers, and of its first words; other ones for a whole text than for a summary."""
    whole_titles: tuple[int, ...] = ()
    """Under which whole texts of the same title may be kept."""
    cut_titles: tuple[int, ...] = ()
    """Under which summaries of the same title may be kept."""
    beginnings: tuple[int, ...] = ()
    """Under which items of the same first words may be kept; for a whole text summaries alone."""


class UnitText(NamedTuple):
    """An item of a sub-portal, as far as another unit's item may be it."""

    text: str
    title: str
    whose: str
    """The unit's id, or its name where the unit is not known."""
    source: str
    first_seen_at: Stamp
    resembles: str
    """The earlier text that it has its words from; empty where it is the first."""


def unit_keys(title: str, body: str | None, *, is_summary: bool) -> UnitKeys:
    """Return the keys of an item of a sub-portal.

    Args:
        title: as its source gives it.
        body: its text or summary.
        is_summary: it gives no whole text.
    """
    form = _DIGITS.sub(" ", title)
    own = shown_keys(form, body, kind=_CUT if is_summary else _WHOLE)
    cut, whole = (sought_keys(form, body, kind=kind) for kind in (_CUT, _WHOLE))
    beginnings = (*cut.beginnings, *whole.beginnings) if is_summary else cut.beginnings
    return UnitKeys((*own.titles, *own.beginnings), whole.titles, cut.titles, beginnings)


def headings_of(title: str, body: str) -> tuple[str, ...]:
    """Return what may be the title of the news that a mail brings: its subject, a line of its text, or the name of a file.

    >>> headings_of("Tin bài", "Kính gửi Ban Biên tập\\nKhoi_cong_ke_song_Cai.pdf")
    ('Tin bài', 'Kính gửi Ban Biên tập', 'Khoi cong ke song Cai')
    """
    lines = [line for line in map(str.strip, body.splitlines()) if line]
    likely = (*lines[:MOST_LINES], *lines[MOST_LINES:][-MOST_LINES:])  # names of files stand behind the text
    told = (_FILE_TYPE.sub("", line).replace("_", " ") for line in likely if len(line) <= LONGEST_TITLE)
    return tuple(dict.fromkeys((title, *told)))


def mail_keys(title: str, body: str, *, is_summary: bool) -> UnitKeys:
    """Return the keys by which what was mailed in is looked for among the items of sub-portals; it is no such item itself.

    Args:
        title: its subject.
        body: its text, and the names of its files in lines behind it.
        is_summary: it gives no whole text.
    """
    forms = [_DIGITS.sub(" ", heading) for heading in headings_of(title, body)]
    cut, whole = (
        {key for form in forms for key in sought_keys(form, None, kind=kind).titles} for kind in (_CUT, _WHOLE)
    )
    beginnings = [key for kind in ((_CUT, _WHOLE) if is_summary else (_CUT,)) for key in inner_keys(body, kind=kind)]
    return UnitKeys((), tuple(sorted(whole)), tuple(sorted(cut)), tuple(beginnings))


def find_lender(
    own: UnitText,
    keys: UnitKeys,
    *,
    is_summary: bool,
    texts_of: Callable[[Iterable[int]], Iterable[UnitText]],
    headings: Sequence[str] = (),
) -> str:
    """Return the text of another unit's item that has the first words or the title of one; empty where none or a form does.

    Args:
        own: the item.
        keys: its own.
        is_summary: it gives no whole text.
        texts_of: returns the items of sub-portals that are kept under some keys.
        headings: what may be its title besides.
    """
    if found := _first_of_others(own, list(texts_of(keys.beginnings))):
        return found
    titles = (own.title, *headings)
    forms = [_DIGITS.sub(" ", title) for title in titles]
    cut, whole = (
        [one for one in texts_of(some) if _is_titled(_DIGITS.sub(" ", one.title), forms)]
        for some in (keys.cut_titles, keys.whole_titles)
    )
    if _is_form([*cut, *whole]):
        return ""
    alike = (*cut, *(whole if is_summary else ()))
    return _first_of_others(own, [one for one in alike if _is_titled(one.title, titles)])


def _is_titled(title: str, others: Iterable[str]) -> bool:
    """Say whether one of some titles has another one in it, or stands in it."""
    return any(is_longer_title(title, other) for other in others)


def _first_of_others(own: UnitText, alike: Sequence[UnitText]) -> str:
    """Return the first text that another unit had; empty where the unit itself was first, or what is alike is a form."""
    others = [one for one in alike if one.whose != own.whose]
    is_own = any(one.whose == own.whose and not one.resembles for one in alike)
    if not others or is_own or _is_form(alike):
        return ""
    first = min(others, key=lambda one: (bool(one.resembles), one.first_seen_at, one.text))
    return first.resembles or first.text


def _is_form(alike: Sequence[UnitText]) -> bool:
    """Say whether what is alike stood at several units, or again and again in one source, without copies."""
    if len({one.whose for one in alike}) >= SHARING_UNITS:
        return True
    shown: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in alike:
        if not one.resembles:
            shown[one.whose, one.source].add(one.text)
    return any(len(texts) >= RECURRENCES for texts in shown.values())
