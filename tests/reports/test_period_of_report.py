"""A report says when its period is ahead, still runs, or lies before the ledger: nobody takes what it holds for the whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from portalops.model.period import Period
from portalops.reports.build_servers import build
from portalops.reports.document import Notice
from portalops.reports.frame import period_doubt
from portalops.reports.material import Material
from tests.reports import sample
from tests.reports.servers_sample import material


def sample_with(period: Period) -> Material:
    """Return the sample month's material for another period; the ledger began on the sample's first day."""
    return replace(material(), period=period, proof=sample.proof())


def notices(found: Material) -> str:
    return "\n".join(str(block.text) for block in build(found).blocks if isinstance(block, Notice))


def test_a_period_that_is_ahead_is_told_as_such() -> None:
    found = sample_with(Period(date(2027, 3, 1), date(2027, 3, 31)))

    assert "The period begins on 2027-03-01, after this report was made" in str(period_doubt(found))
    assert str(period_doubt(found)) in notices(found)


def test_a_period_before_the_ledger_is_told_as_such() -> None:
    found = sample_with(Period(date(2001, 5, 1), date(2001, 5, 31)))

    assert "The period ended on 2001-05-31, before the ledger's first record of " in str(period_doubt(found))
    assert str(period_doubt(found)) in notices(found)


def test_a_period_that_runs_is_told_as_not_over_in_the_report_alone() -> None:
    made_on = material().generated_at.date()
    found = sample_with(Period(made_on - timedelta(days=7), made_on))

    assert period_doubt(found) is None
    assert f"The period ends on {made_on} and was not over when this report was made" in notices(found)


def test_nothing_is_said_of_a_period_that_is_over() -> None:
    made_on = material().generated_at.date()
    found = sample_with(Period(made_on - timedelta(days=7), made_on - timedelta(days=1)))

    assert period_doubt(found) is None
    assert "when this was made" not in notices(found)
