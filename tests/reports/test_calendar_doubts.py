"""Reports and lists name the days that an official notice may still change."""

from __future__ import annotations

from datetime import date

from portalops.calendar import load
from portalops.model.period import Period
from portalops.reports.calendar_doubts import calendar_doubts
from portalops.reports.document import Bullets


def test_a_period_with_days_that_may_change_names_them() -> None:
    (_said, doubts) = calendar_doubts(load(), Period(date(2027, 2, 1), date(2027, 2, 7)))

    assert isinstance(doubts, Bullets)
    assert "from 2027-02-01 to 2027-02-07 are worked" in str(doubts.items[1])


def test_a_period_that_no_notice_can_change_has_nothing_to_name() -> None:
    assert [*calendar_doubts(load(), Period(date(2027, 3, 1), date(2027, 3, 31)))] == []
