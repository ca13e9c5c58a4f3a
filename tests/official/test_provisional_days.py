"""A period report names the days that an official notice may still change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from portalops.model.period import Period
from portalops.official.build_period import build_period
from portalops.reports.document import Bullets
from tests.official.sample import CALENDAR, RULEBOOK, ZONE, facts, office


def test_a_report_over_tet_2027_names_the_days_that_the_notice_may_still_change() -> None:
    over_tet = replace(facts(), period=Period(date(2027, 1, 15), date(2027, 2, 14)))
    paper = build_period(over_tet, office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)

    items = [str(item) for block in paper.body if isinstance(block, Bullets) for item in block.items]
    assert "the calendar of 2027 is provisional: no official document for it is known;" in items
    assert "it is not certain which days from 2027-01-23 to 2027-02-14 are worked (Lunar New Year (Tết))." in items
