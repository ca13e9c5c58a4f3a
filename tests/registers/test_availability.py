"""From samples to how reachable a page was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.availability import (
    NOT_LOOKED_AT,
    UP,
    PageSample,
    PageSamples,
    PageSpans,
    SampleBatch,
    SpanCounts,
)
from portalops.model.organisation import HostId
from portalops.registers.availability import KEY, SAMPLES, Reached, batches_of, reached, spans_of
from tests.doubles import FixedClock

FIRST = datetime(2026, 10, 26, tzinfo=UTC)
SPAN = timedelta(minutes=5)
URL = "https://portal.example.vn/"


def batch(*samples: tuple[int, int], began_at: datetime = FIRST) -> SampleBatch:
    found = tuple(PageSample(second, status, 80) for second, status in samples)
    return SampleBatch("auditor-1", began_at, (PageSamples(HostId("web1"), URL, found),))


def counted(*batches: SampleBatch, spans: int = 12) -> Reached:
    return reached(batches, FIRST, FIRST + spans * SPAN, SPAN)[HostId("web1"), URL]


def test_spans_are_up_down_or_not_looked_at() -> None:
    assert counted(batch((0, 200), (300, 301), (600, 503), (900, 0), (1200, 404))) == Reached(12, up=2, down=3)


def test_one_look_that_finds_the_page_away_counts_for_its_span() -> None:
    assert counted(batch((0, 200), (60, 0), (120, 200))) == Reached(12, up=0, down=1)


def test_samples_outside_of_the_period_do_not_count() -> None:
    assert counted(batch((0, 200), began_at=FIRST - SPAN), batch((0, 200), began_at=FIRST + 12 * SPAN)) == Reached(
        12, 0, 0
    )


@given(st.lists(st.tuples(st.integers(0, 3599), st.sampled_from([0, 200, 302, 500])), max_size=40), st.integers(0, 40))
def test_batches_that_come_twice_or_cut_elsewhere_change_nothing(samples: list[tuple[int, int]], cut: int) -> None:
    whole = counted(batch(*samples))

    assert counted(batch(*samples[cut:]), batch(*samples[:cut]), batch(*samples)) == whole
    assert whole.up + whole.down <= whole.spans


def test_batch_of_six_hours_is_small_and_reads_back() -> None:
    made = batch(*((second, 200) for second in range(0, 6 * 3600, 300)))

    written = bodies.write({KEY: made})

    assert bodies.decode_part(written, KEY, SampleBatch) == made
    assert len(written) < 5000


def spans(*batches: SampleBatch, count: int = 12) -> PageSpans:
    (page,) = spans_of(batches, FIRST, FIRST + count * SPAN, lambda _host: SPAN)
    return page


@given(st.lists(st.tuples(st.integers(0, 3599), st.sampled_from([0, 200, 302, 500])), min_size=1, max_size=40))
def test_spans_by_day_and_over_a_period_count_alike(samples: list[tuple[int, int]]) -> None:
    page = spans(batch(*samples))
    whole = page.counts(FIRST, FIRST + 12 * SPAN)
    halves = [page.counts(FIRST, FIRST + 6 * SPAN), page.counts(FIRST + 6 * SPAN, FIRST + 12 * SPAN)]

    assert Reached(whole.spans, whole.up, whole.down) == counted(batch(*samples))
    assert (sum(each.up for each in halves), sum(each.spans for each in halves)) == (whole.up, 12)


def test_outage_lasts_until_the_page_is_back_or_nobody_looks() -> None:
    page = spans(batch((0, 200), (300, 0), (600, 503), (900, 200), (1500, 0), (2100, 0)))

    at = [FIRST + number * SPAN for number in range(12)]
    assert page.outages() == ((at[1], at[3]), (at[5], at[6]), (at[7], at[8]))


def test_last_span_that_is_begun_counts_and_samples_outside_do_not() -> None:
    early, late = batch((0, 200), began_at=FIRST - SPAN), batch((0, 0), began_at=FIRST + 2.5 * SPAN)
    (page,) = spans_of([early, batch((700, 200)), late], FIRST, FIRST + 2.4 * SPAN, lambda _host: SPAN)

    assert page.states == bytes([NOT_LOOKED_AT, NOT_LOOKED_AT, UP])


@pytest.mark.parametrize(
    ("up", "down", "reaches"),
    [(990, 10, True), (989, 11, False), (945, 5, True), (944, 5, None), (0, 11, False), (0, 0, None)],
)
def test_share_is_reached_or_missed_only_where_that_is_seen(up: int, down: int, reaches: bool | None) -> None:
    assert SpanCounts(1000, up, down).reaches(99) is reaches


@pytest.mark.parametrize(("percent", "away"), [(99.9, 1), (99.7, 3), (99.0, 10), (66.6, 334)])
def test_share_that_is_reached_to_the_span_is_reached(percent: float, away: int) -> None:
    assert SpanCounts(1000, 1000 - away, away).reaches(percent) is True
    assert SpanCounts(1000, 1000 - away - 1, away + 1).reaches(percent) is False


def test_batches_are_read_until_what_is_recorded_is_of_another_time(tmp_path: Path) -> None:
    clock = FixedClock(FIRST)
    ledger = Ledger.open(tmp_path, clock, create=True)
    for day in (0, 1, 3, 9, 12):
        clock.at = FIRST + timedelta(days=day, hours=6)
        body = batch((0, 200), began_at=FIRST + timedelta(days=day))
        ledger.append(SAMPLES, run=NO_RUN, body=bodies.write({KEY: body}))
    ledger.append(SAMPLES, run=NO_RUN, body=b'{"samples":{"station":7}}')
    lost: list[int] = []

    found = [each.began_at - FIRST for each in batches_of(ledger, FIRST, FIRST + timedelta(days=2), lost)]

    assert found == [timedelta(days=day) for day in (0, 1, 3)]
    assert lost == []
    assert len(list(batches_of(ledger, FIRST, FIRST + timedelta(days=30), lost))) == 5
    assert lost == [7]
