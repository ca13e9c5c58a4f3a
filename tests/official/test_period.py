"""A period's report calls nobody punctual of whom that is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portalops.model.verdicts import DutyVerdict
from portalops.official.build_period import PeriodFacts, build_period
from portalops.reports.document import Paragraph
from tests.official.sample import CALENDAR, RULEBOOK, ZONE, facts, office


def _judged(*weeks: DutyVerdict) -> PeriodFacts:
    """Return a period without cases whose units' weeks came to these verdicts."""
    known = facts()
    days = [replace(day, verdict=DutyVerdict.MET) for day in known.portal_days]
    sums = [replace(one, weeks=dict.fromkeys(weeks, 2)) for one in known.sums]
    return replace(known, sums=sums, portal_days=days, cases=(), escalations=())


@pytest.mark.parametrize(
    ("weeks", "said"),
    [
        ((DutyVerdict.MET,), ("Nobody fell short in the period.", "There was nothing to handle.")),
        (
            (DutyVerdict.MET, DutyVerdict.INSUFFICIENT_EVIDENCE),
            ("As far as the evidence goes, nobody fell short in the period.", "There was nothing to handle."),
        ),
        (
            (DutyVerdict.MET, DutyVerdict.UNMET),
            (
                "Some fell short, as part II and the annex show; no case of a week that ends in the period is on record.",
                "No case of the period is on record.",
            ),
        ),
    ],
)
def test_a_period_without_cases_is_called_free_of_shortfalls_only_where_that_is_known(
    weeks: tuple[DutyVerdict, ...], said: tuple[str, str]
) -> None:
    paper = build_period(_judged(*weeks), office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)

    assert set(said) <= {str(block.text) for block in paper.body if isinstance(block, Paragraph)}
