"""When no anchor took a head, and which receipts say something new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portalops.model.heads import AnchorId, AnchorReceipt
from portalops.model.record import Digest, Recorded
from portalops.registers.proof import LONGEST_UNANCHORED, unanchored, without_repeats

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=4)
DAY = timedelta(days=1)


def after(**length: int) -> datetime:
    return START + timedelta(**length)


@pytest.mark.parametrize(
    ("taken_at", "gaps"),
    [
        ([], [(START, END)]),
        ([after(days=day, minutes=30) for day in range(4)], []),
        ([after(hours=1), after(days=3)], [(after(hours=1), after(days=3))]),
        ([after(days=-9), after(days=3)], [(after(days=-9), after(days=3))]),
        ([after(hours=-20), after(hours=4), after(hours=20), after(days=1), after(days=2), after(days=3)], []),
        ([after(days=3), after(days=8)], [(START, after(days=3))]),
    ],
)
def test_spans_of_more_than_a_day_without_an_anchored_head_are_found(
    taken_at: list[datetime], gaps: list[tuple[datetime, datetime]]
) -> None:
    assert list(unanchored(taken_at, START, END)) == gaps


def test_a_daily_job_that_began_late_leaves_no_gap() -> None:
    on_time = START + LONGEST_UNANCHORED
    assert unanchored([START, on_time], START, on_time + DAY) == ()
    late = on_time + timedelta(seconds=1)
    assert unanchored([START, late], START, late) == ((START, late),)


def test_a_period_that_has_not_begun_has_no_gap() -> None:
    assert unanchored([], END, START) == ()


def test_an_anchor_has_a_head_once_and_may_refuse_it_often() -> None:
    def receipt(seq: int, anchor: str, head: str, problem: str = "") -> Recorded[AnchorReceipt]:
        body = AnchorReceipt(AnchorId(anchor), "mail", 9, Digest(head * 64), None, problem=problem)
        return Recorded(seq, after(hours=seq), "", body)

    refused = [receipt(1, "mailbox", "a", "no answer"), receipt(2, "mailbox", "a", "no answer")]
    taken, again = receipt(3, "mailbox", "a"), receipt(4, "mailbox", "a")
    others = [receipt(5, "mailbox", "b"), receipt(6, "bucket", "a")]

    assert list(without_repeats([*refused, taken, again, *others])) == [*refused, taken, *others]
