"""The reporting periods of a province: months that end on a fixed day. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from portalops.model.period import Period


def reporting_month(year: int, month: int, cut_off_day: int) -> Period:
    """Return the days that a month's report covers.

    >>> str(reporting_month(2026, 1, 14))
    '2025-12-15..2026-01-14'
    >>> str(reporting_month(2026, 2, 0))
    '2026-02-01..2026-02-28'

    Args:
        year: of its last day.
        month: of its last day.
        cut_off_day: the last day of the month that it covers, 1 to 28; 0 for the calendar month.
    """
    first = date(year, month, 1)
    if cut_off_day == 0:
        return Period(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    before = first - timedelta(days=1)
    return Period(before.replace(day=cut_off_day) + timedelta(days=1), first.replace(day=cut_off_day))


def reporting_months(period: Period, cut_off_day: int) -> tuple[Period, ...]:
    """Return the reporting months that end within a period, in order."""
    found = []
    year, month = period.first.year, period.first.month
    while date(year, month, 1) <= period.last:
        one = reporting_month(year, month, cut_off_day)
        if one.last in period:
            found.append(one)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return tuple(found)
