"""Days that a registrar wrote short, such as 2/11/26 or 16/11, in full where the lines of the register tell their year. Pure.

A year of two digits is sure where the lines show that the last number is the year: it stays the same while days change. Else, as for a
day without a year, a line near it with a day in full decides: papers are entered in about the order in which they come. What remains
is left as it is written, and is no date.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from checks.updates.dates import DateRules, read_moment, settle_order

NEAR = timedelta(days=45)
"""So far at most is a day written short from that of the line that tells its year; no day stands twice in so short a time."""
_SHORT = re.compile(
    r"(?P<front>(?:(?:thứ [^\d,]{2,5}|thứ [2-7]|chủ nhật|cn|t[2-7])(?:, ?| ))?(?:ngày )?)"
    r"(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})(?:(?P=sign)(?P<year>\d{2}))?(?P<behind>[ ,T].*)?",
    re.IGNORECASE,
)
_CENTURY = 2000
_WITH_LETTERS = re.compile(r"[\doO]{1,2}([/.-])[\doO]{1,2}\1[\doO]{2,4}")
"""A day of numbers in which the letter O may stand for zero."""


def is_short_day(text: str) -> bool:
    """Say whether a text is a day without a year, or with one of two digits.

    >>> [is_short_day(text) for text in ("2/11/26", "16/11", "ngày 02.11.26", "16/11/2026", "11/26", "8.30")]
    [True, True, True, False, False, False]
    """
    return _parts(text) is not None


def with_zeros(text: str) -> str:
    """Return a day of numbers with zeros where the letter O stands for them.

    >>> with_zeros("ngày O5/1O/2026 08:15"), with_zeros("5-Oct-2026")
    ('ngày 05/10/2026 08:15', '5-Oct-2026')
    """
    return " ".join(
        word.replace("O", "0").replace("o", "0") if _WITH_LETTERS.fullmatch(word) else word for word in text.split()
    )


def written_in_full(texts: Sequence[str], rules: DateRules) -> tuple[str, ...]:
    """Return the days of a column of a register, in the order of its lines, with the years of those that are written short.

    Nothing depends on the day of reading, so that a line keeps its day; a day to come is for others to refuse.

    Args:
        texts: as they stand there.
        rules: of the source; where they have formats, these say how days are written.

    >>> from zoneinfo import ZoneInfo
    >>> written_in_full(["30/12/2026", "31/12", "4/1", "5/1/27", "hôm nay"], DateRules(ZoneInfo("Asia/Ho_Chi_Minh")))
    ('30/12/2026', '31/12/2026', '4/1/2027', '5/1/2027', 'hôm nay')
    """
    if rules.formats or not any(map(is_short_day, texts)):
        return tuple(texts)
    shown = [_with_year(text, _CENTURY) if is_short_day(text) else text for text in texts]
    common = settle_order(rules, shown)
    is_year_last = _are_years(texts)
    full = [_with_own_year(text) if is_year_last and is_short_day(text) else text for text in texts]
    days = [_day(text, common) for text in full]
    downwards, upwards = range(len(full)), range(len(full) - 1, -1, -1)
    for places, next_years in ((downwards, 1), (upwards, 0)):
        near: date | None = None
        for place in places:
            if days[place] is None and near is not None and is_short_day(full[place]):
                full[place] = _year_of(full[place], near, next_years, common)
                days[place] = _day(full[place], common)
            near = days[place] or near
    return tuple(full)


def _parts(text: str) -> re.Match[str] | None:
    found = _SHORT.fullmatch(unicodedata.normalize("NFC", " ".join(text.split()))) if len(text) <= 100 else None
    if found is None:
        return None
    if found["year"] is None and (int(found["second"]) > 12 or found["sign"] == "."):  # a month and its year; a time
        return None
    return found


def _with_year(text: str, year: int) -> str:
    """Return a day written short with a year."""
    found = _parts(text)
    if found is None:
        return text
    sign = found["sign"]
    return f"{found['front']}{found['first']}{sign}{found['second']}{sign}{year}{found['behind'] or ''}"


def _with_own_year(text: str) -> str:
    found = _parts(text)
    return text if found is None or found["year"] is None else _with_year(text, _CENTURY + int(found["year"]))


def _are_years(texts: Iterable[str]) -> bool:
    """Say whether the last numbers of days written short are years: one, or two that follow each other, beside more first numbers than that."""
    written = [found for text in texts if (found := _parts(text)) is not None and found["year"] is not None]
    years = {int(found["year"]) for found in written}
    firsts = {int(found["first"]) for found in written}
    return bool(years) and max(years) - min(years) <= 1 and len(firsts) > len(years)


def _day(text: str, rules: DateRules) -> date | None:
    moment = None if is_short_day(text) else read_moment(text, rules)
    return None if moment is None else moment.astimezone(rules.zone).date()


def _year_of(text: str, near: date, next_years: int, rules: DateRules) -> str:
    """Return a day written short with the year by which it is near another day; as it is where there is none.

    A year only goes on downwards, as a register does: in one sorted by author 20/12 may stand below a day of January of the same year.
    """
    own = _parts(text)
    for year in range(near.year, near.year + next_years + 1):
        full = _with_year(text, year)
        day = _day(full, rules)
        if day is not None and abs(day - near) <= NEAR and (own is None or own["year"] in {None, f"{year % 100:02}"}):
            return full
    return text
