"""What a year of sets takes, by how often one is full."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from backups.year_cost import RecordedSizes, recorded_sizes, year_costs
from portalops.model.backups import BackupSet, DataClass, Pack, SetId, SetKind, Stream
from portalops.model.record import Digest
from portalops.model.runs import DaySpan, Every
from portalops.model.verdicts import RunOutcome
from tests.backups.kit import NOW

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def made(
    day: float,
    kind: SetKind,
    size: int,
    *,
    changed: int = 0,
    base: str = "",
    outcome: RunOutcome = RunOutcome.COMPLETE,
) -> BackupSet:
    name = f"{kind}-{day}"
    pack = Pack("data/a", 1, changed, Digest("0" * 64))
    stream = Stream(
        "site", "files", DataClass.CONTENT, "files", "tar", 1, 1, Digest("0" * 64), (pack,), differential=True
    )
    return BackupSet(
        id=SetId(name),
        kind=kind,
        portal="demo",
        created_at=NOW + timedelta(days=day),
        outcome=outcome,
        streams=(stream,) if changed else (),
        recipients=(),
        bag_sha256=Digest(name),
        stored_bytes=size,
        base=Digest(base) if base else None,
    )


def test_growth_is_reckoned_from_differentials_and_their_bases() -> None:
    full = made(0, SetKind.FULL, 1000)
    sets = [
        full,
        made(1, SetKind.DIFF, 210, changed=10, base=full.bag_sha256),
        made(3, SetKind.DIFF, 250, changed=50, base=full.bag_sha256),
        made(4, SetKind.DIFF, 9999, changed=9999, base="of a set that is not recorded"),
        made(0.1, SetKind.DIFF, 900, changed=900, base=full.bag_sha256),
        made(5, SetKind.FULL, 7, outcome=RunOutcome.INCOMPLETE),
    ]
    assert recorded_sizes(sets) == RecordedSizes(1000, 200, 15.0)
    assert recorded_sizes([]) == RecordedSizes(None, None, None)
    assert recorded_sizes([full]) == RecordedSizes(1000, None, None)


def test_a_year_takes_less_with_rarer_full_sets_until_differentials_are_as_large() -> None:
    found = {
        each.full_every: each
        for each in year_costs(RecordedSizes(1000, 0, 2.0), Every.DAY, Every.WEEK, now=NOW, zone=ZONE)
    }
    assert (found[None].fulls, found[None].differentials, found[None].stored_bytes) == (365, 0, 365_000)
    weekly = found[Every.WEEK]
    assert weekly.is_configured
    assert weekly.fulls + weekly.differentials == 365
    assert weekly.fulls in {53, 54}
    monthly = found[Every.MONTH]
    assert monthly.fulls in {12, 13}
    assert found[DaySpan(14)].stored_bytes is not None
    assert weekly.stored_bytes is not None
    assert monthly.stored_bytes is not None
    assert monthly.stored_bytes < weekly.stored_bytes < 365_000
    large = {
        each.full_every: each.stored_bytes
        for each in year_costs(RecordedSizes(1000, 0, 5000.0), Every.DAY, None, now=NOW, zone=ZONE)
    }
    assert set(large.values()) == {365_000}


def test_dumps_are_in_every_differential_however_old_its_base_is() -> None:
    found = {
        each.full_every: each
        for each in year_costs(RecordedSizes(1000, 400, 0.0), Every.DAY, Every.MONTH, now=NOW, zone=ZONE)
    }
    monthly = found[Every.MONTH]
    assert monthly.stored_bytes == monthly.fulls * 1000 + monthly.differentials * 400


def test_what_is_not_recorded_is_unknown() -> None:
    found = {
        each.full_every: each.stored_bytes
        for each in year_costs(RecordedSizes(1000, None, None), Every.DAY, DaySpan(10), now=NOW, zone=ZONE)
    }
    assert found == {None: 365_000, Every.WEEK: None, Every.MONTH: None, DaySpan(10): None}
    assert all(
        each.stored_bytes is None
        for each in year_costs(RecordedSizes(None, None, None), Every.DAY, None, now=NOW, zone=ZONE)
    )


def test_a_weekly_job_with_a_full_set_a_week_makes_no_differential() -> None:
    found = year_costs(RecordedSizes(1000, None, None), Every.WEEK, Every.WEEK, now=NOW, zone=ZONE)
    (weekly,) = (each for each in found if each.full_every is Every.WEEK)
    assert (weekly.differentials, weekly.stored_bytes) == (0, 52_000)


def test_spans_of_days_follow_each_other_without_a_break() -> None:
    days = [datetime(2026, 11, 1, 3, tzinfo=ZONE) + timedelta(days=number) for number in range(40)]
    slots = [DaySpan(10).slot(day) for day in days]
    lengths = [slots.count(slot) for slot in dict.fromkeys(slots)]
    assert lengths[1:-1] == [10] * (len(lengths) - 2)
    assert slots[12].endswith("/P10D")
    assert {DaySpan(1).slot(day) for day in days[:2]} == {"2026-11-01/P1D", "2026-11-02/P1D"}
    assert [day.weekday() for day, slot in zip(days[1:], slots_of_weeks(days), strict=False) if slot] == [0] * 6


def slots_of_weeks(days: list[datetime]) -> list[bool]:
    """Say of each day but the first whether a span of seven days begins with it."""
    slots = [DaySpan(7).slot(day) for day in days]
    return [slot != before for before, slot in itertools.pairwise(slots)]
