"""Days that a spreadsheet wrote as their serial numbers, such as 45967 for 6 November 2025, in a register's column of days. Pure.

A cell that lost its format shows the number of days since the end of 1899. Such a number is a day only where the days around say so: the
order of day and month in the column is known, and the days of all other lines are near.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from checks.updates.dates import DateRules, DayOrder, read_moment, settle_order
from checks.updates.short_days import NEAR

_ZERO = date(1899, 12, 30)
_FORMS = {DayOrder.DAY_FIRST: "%d/%m/%Y", DayOrder.MONTH_FIRST: "%m/%d/%Y"}


def with_serial_days(texts: Sequence[str], rules: DateRules) -> tuple[str, ...]:
    """Return the days of a column of a register, with serial numbers written as the days that they mean.

    A number that is no day near those of the column, or of a column that shows no order or has formats of its own, is left as it is.

    >>> from zoneinfo import ZoneInfo
    >>> with_serial_days(["05/11/2025", "45967", "13/11/2025", "12345"], DateRules(ZoneInfo("Asia/Ho_Chi_Minh")))
    ('05/11/2025', '06/11/2025', '13/11/2025', '12345')
    """
    serials = {text: _day(text) for text in texts if len(text) == 5 and text.isascii() and text.isdigit()}
    common = settle_order(rules, [text for text in texts if text not in serials]) if serials else rules
    form = _FORMS.get(common.order)
    if not serials or rules.formats or form is None:
        return tuple(texts)
    read = [read_moment(text, common) for text in texts if text not in serials]
    days = [moment.astimezone(rules.zone).date() for moment in read if moment is not None]
    if not days:
        return tuple(texts)
    first, last = min(days) - NEAR, max(days) + NEAR
    return tuple(f"{day:{form}}" if (day := serials.get(text)) and first <= day <= last else text for text in texts)


def _day(text: str) -> date:
    return _ZERO + timedelta(days=int(text))
