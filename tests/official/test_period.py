"""A period's report calls nobody punctual of whom that is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from portalops.model.timeliness import LateItem, RuleSetTimeliness
from portalops.model.verdicts import DutyVerdict
from portalops.official.build_period import PeriodFacts, build_period
from portalops.reports.document import Bullets, Heading, Paragraph, TableBlock
from portalops.rulebooks.limits.load import load_rule_set
from tests.official.sample import CALENDAR, HEALTH, RULEBOOK, ZONE, facts, office


def _judged(*weeks: DutyVerdict) -> PeriodFacts:
    """Return a period without cases whose units' weeks came to these verdicts."""
    known = facts()
    days = [replace(day, verdict=DutyVerdict.MET) for day in known.portal_days]
    sums = [replace(one, weeks=dict.fromkeys(weeks, 2)) for one in known.sums]
    return replace(known, sums=sums, portal_days=days, cases=(), escalations=())


def _texts(known: PeriodFacts) -> list[str]:
    paper = build_period(known, office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)
    texts = [str(block.text) for block in paper.body if isinstance(block, Paragraph)]
    return texts + [str(item) for block in paper.body if isinstance(block, Bullets) for item in block.items]


def test_only_units_that_were_assessed_before_are_set_beside_the_period_before() -> None:
    said = next(text for text in _texts(facts()) if text.startswith("Of the "))

    # The ward has 1204 items and was not assessed before: it is no growth.
    assert said == (
        "Of the 1 unit that was assessed in both periods: items 37 (-4); unit-weeks that reached what was due 3 of 5,"
        " before 5 of 5."
    )


def test_every_working_day_of_the_portal_that_was_not_met_is_named_with_what_it_came_to() -> None:
    known = facts()
    named = [day for day in known.portal_days if day.working][:3]
    verdicts = (DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING)
    days = [replace(day, verdict=verdict) for day, verdict in zip(named, verdicts, strict=True)]

    said = "\n".join(_texts(replace(known, portal_days=days)))

    assert f"for which the managing unit is responsible: {days[0].day}." in said
    assert f"insufficient evidence: {days[1].day}." in said
    assert f"await confirmation, or that are not over: {days[2].day}." in said


def test_an_exemption_is_shown_with_what_is_to_be_said_of_how_it_came_about() -> None:
    assert any(text.endswith("by 215/QĐ-UBND, 18/10/2026 (announced late, on 2026-10-16).") for text in _texts(facts()))


def test_each_item_of_a_list_ends_with_a_semicolon_and_the_last_with_a_full_stop() -> None:
    paper = build_period(facts(), office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)

    for block in paper.body:
        if isinstance(block, Bullets):
            ends = [str(item)[-1] for item in block.items]
            assert ends == [";"] * (len(ends) - 1) + ["."]


@pytest.mark.parametrize(
    ("weeks", "said"),
    [
        ((DutyVerdict.MET,), ("Nobody fell short in the period.", "There was nothing to handle.")),
        (
            (DutyVerdict.MET, DutyVerdict.INSUFFICIENT_EVIDENCE),
            ("On the evidence at hand, nobody fell short in the period.", "There was nothing to handle."),
        ),
        (
            (DutyVerdict.MET, DutyVerdict.UNMET),
            (
                "Some fell short, as part II and the annex show; no case is recorded for a week that ends in the period.",
                "No case of the period is recorded.",
            ),
        ),
    ],
)
def test_a_period_without_cases_is_called_free_of_shortfalls_only_where_that_is_known(
    weeks: tuple[DutyVerdict, ...], said: tuple[str, str]
) -> None:
    assert set(said) <= set(_texts(_judged(*weeks)))


def test_time_limits_of_other_regulations_are_reported_only_where_the_portal_chose_them() -> None:
    late = LateItem(HEALTH, "Hướng dẫn", "", 4, date(2026, 10, 1), date(2026, 10, 8), date(2026, 10, 20))
    found = RuleSetTimeliness(load_rule_set("law-104-2016"), ({DutyVerdict.MET: 3, DutyVerdict.UNMET: 1},), (late,), 0)
    chosen = build_period(
        replace(facts(), timeliness=[found]), office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE
    )

    headings = [str(block.text) for block in chosen.body if isinstance(block, Heading)]
    tables = {str(block.caption): block for block in chosen.body if isinstance(block, TableBlock)}
    assert "4. How soon documents were published" in headings
    counts = tables["Items first seen in the period, by their documents' dates"]
    assert [str(cell) for cell in counts.rows[0]] == [
        "information that is to be published",
        "5 working days",
        "3",
        "1",
        "0",
        "0",
    ]
    assert [str(cell) for cell in tables["1 item after its limit"].rows[0][1:]] == [
        "Hướng dẫn", "2026-10-01", "2026-10-08", "2026-10-20",
    ]  # fmt: skip
    assert any(
        "which the program cannot tell for an item" in text for text in _texts(replace(facts(), timeliness=[found]))
    )
    assert not any("How soon documents" in text for text in _headings(facts()))


def _headings(known: PeriodFacts) -> list[str]:
    paper = build_period(known, office(), RULEBOOK, CALENDAR, to_committee=False, zone=ZONE)
    return [str(block.text) for block in paper.body if isinstance(block, Heading)]


def test_a_report_says_what_is_known_of_the_regulations_standing() -> None:
    said = _texts(facts())

    assert len(RULEBOOK.notices) == 2
    assert [notice.en for notice in RULEBOOK.notices] == [
        text for text in said if text in {n.en for n in RULEBOOK.notices}
    ]
    assert any("does not prove that the Decision is in force" in text for text in said)
