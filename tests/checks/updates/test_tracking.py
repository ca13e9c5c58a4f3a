from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from checks.updates.tracking import Tracked, UnitProspect, track
from portalops.model.rulebook import UnitDuties
from portalops.model.updates import UpdateSourceTraits
from tests.checks.updates.scene import (
    CALENDAR,
    HEALTH,
    SUBMISSIONS,
    SUBPORTALS,
    daily_polls,
    item,
    judged,
)

ITEMS = [
    item(SUBPORTALS, "2026-11-16 09:00"),
    item(SUBPORTALS, "2026-11-17 09:00"),
    item(SUBMISSIONS, "2026-11-17 00:00"),
]


def _tracked(now: str, day: str, duties: UnitDuties = UnitDuties.BOTH) -> Tracked:
    items = [one for one in ITEMS if one.first_seen_at.isoformat() <= f"{now[:10]}T{now[11:]}"]
    weeks = judged(items, now=now, unit_duties=duties).unit_weeks
    today = date.fromisoformat(now[:10])
    (found,) = track(weeks, [HEALTH], day=date.fromisoformat(day), today=today, calendar=CALENDAR, duties=duties)
    return found


@pytest.mark.parametrize(
    ("now", "state", "missing", "left"),
    [
        ("2026-11-16 12:00", UnitProspect.ON_COURSE, 2, 5),
        ("2026-11-18 12:00", UnitProspect.ON_COURSE, 1, 3),
        ("2026-11-20 12:00", UnitProspect.ON_COURSE, 1, 1),
        ("2026-11-21 12:00", UnitProspect.AT_RISK, 1, 0),
        ("2026-11-24 12:00", UnitProspect.MISSED, 1, 0),
    ],
)
def test_a_week_goes_from_on_course_to_missed(now: str, state: UnitProspect, missing: int, left: int) -> None:
    found = _tracked(now, now[:10] if now < "2026-11-23" else "2026-11-20")

    assert (found.state, found.missing, found.days_left) == (state, missing, left)


@pytest.mark.parametrize(
    ("duties", "missing", "state"),
    [
        (UnitDuties.BOTH, 1, UnitProspect.ON_COURSE),
        (UnitDuties.SUBMIT_ONLY, 1, UnitProspect.ON_COURSE),
        (UnitDuties.EITHER, 0, UnitProspect.MET),
        (UnitDuties.SUM, 0, UnitProspect.MET),
    ],
)
def test_what_is_missing_depends_on_the_reading_of_article_11_2(
    duties: UnitDuties, missing: int, state: UnitProspect
) -> None:
    found = _tracked("2026-11-18 12:00", "2026-11-17", duties)

    assert (found.missing, found.state, found.items_of_day) == (missing, state, 2)


# A register's rows bear their own days, so that it would speak of the time before its first poll too.
SENT = replace(SUBMISSIONS, attested=False)


def _first_week(first_poll: str, *, now: str, sources: tuple[UpdateSourceTraits, ...] = (SUBPORTALS, SENT)) -> Tracked:
    """Return a week without items whose sources were polled first on a day of it."""
    polls = daily_polls(first_poll, now[:10], sources=sources, hours=("07:00",))
    (week,) = judged([], now=now, polls=polls, sources=sources).unit_weeks
    today = date.fromisoformat(now[:10])
    (found,) = track([week], [HEALTH], day=today, today=today, calendar=CALENDAR, duties=UnitDuties.BOTH)
    return found


def test_the_week_of_the_first_poll_is_not_at_risk_for_it_cannot_be_unmet() -> None:
    found = _first_week("2026-11-20", now="2026-11-20 09:00")

    assert found.state is UnitProspect.INSUFFICIENT_EVIDENCE
    assert str(found.week.reason) == "not all of it was seen: 2 more due, 1 working day left"
    assert _first_week("2026-11-01", now="2026-11-20 09:00").state is UnitProspect.AT_RISK


def test_a_unit_that_no_source_shows_is_not_on_course() -> None:
    found = _first_week("2026-11-01", now="2026-11-17 09:00", sources=(SENT,))

    assert found.state is UnitProspect.INSUFFICIENT_EVIDENCE
    assert "sub-portal (K1): no source shows this unit's items" in str(found.week.reason)
