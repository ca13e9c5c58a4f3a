"""Words for a unit's week."""

from __future__ import annotations

import pytest

from portalops.model.message import msg
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.updates import UnitWeek
from portalops.model.verdicts import DutyVerdict
from portalops.reports.words import whole_week_status

MET, UNMET, UNKNOWN = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE


@pytest.mark.parametrize(
    ("whole", "subportal", "submissions", "word"),
    [
        (UNMET, MET, UNMET, "unmet in K2; K1 is met"),
        (UNMET, UNMET, MET, "unmet in K1; K2 is met"),
        (UNKNOWN, MET, UNKNOWN, "insufficient evidence in K2; K1 is met"),
        (UNMET, UNMET, UNMET, "unmet"),
        (UNMET, UNMET, UNKNOWN, "unmet"),
        (MET, MET, MET, "met"),
        (MET, MET, UNMET, "met"),
    ],
)
def test_the_word_for_a_week_names_the_indicator_that_decides_where_the_other_is_met(
    whole: DutyVerdict, subportal: DutyVerdict, submissions: DutyVerdict, word: str
) -> None:
    week = UnitWeek(UnitId("so-y-te"), Week(2026, 47), whole, msg("fewer"), 2, 1, 0, subportal, submissions, 5, 100)

    assert str(whole_week_status(week, is_over=True).word) == word
