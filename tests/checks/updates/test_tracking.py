from __future__ import annotations

from datetime import date

import pytest

from checks.updates.tracking import Tracked, UnitProspect, track
from portalops.model.rulebook import UnitDuties
from tests.checks.updates.scene import CALENDAR, HEALTH, SUBMISSIONS, SUBPORTALS, item, judged

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
