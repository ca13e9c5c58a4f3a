"""From samples to how reachable a page was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portalops.ledger import bodies
from portalops.model.availability import PageSamples, Sample, SampleBatch
from portalops.model.organisation import HostId
from portalops.registers.availability import KEY, Reached, reached

FIRST = datetime(2026, 10, 26, tzinfo=UTC)
SPAN = timedelta(minutes=5)
URL = "https://portal.example.vn/"


def batch(*samples: tuple[int, int], began_at: datetime = FIRST) -> SampleBatch:
    found = tuple(Sample(second, status, 80) for second, status in samples)
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
