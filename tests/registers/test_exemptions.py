"""Exemptions as their records tell: what stands, what ended, and what cannot be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from portalops.calendar import load
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionScope, ExemptionWithdrawal
from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.registers.exemptions import RecordedExemption, fold_exemptions

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CALENDAR = load()


DECISION = Digest("a" * 64)


def _exemption(
    number: int = 1,
    *,
    kind: ExemptionKind = ExemptionKind.FAULT,
    announced: date | None = None,
    file: Digest | None = DECISION,
) -> Exemption:
    scopes = (ExemptionScope.SUBPORTAL,)
    days = date(2026, 11, 16), date(2026, 11, 27)
    document = "15/QĐ-SKHCN, 12/11/2026"
    return Exemption(
        f"EX-{number}",
        UnitId("so-y-te"),
        scopes,
        kind,
        *days,
        document,
        "Giám đốc Sở",
        announced_on=announced,
        file=file,
    )


def _at(day: int) -> datetime:
    return datetime(2026, 11, day, 3, tzinfo=UTC)


def test_a_withdrawal_ends_its_exemption_and_no_other() -> None:
    first, second = fold_exemptions(
        [(1, _at(13), _exemption(1)), (2, _at(13), _exemption(2)), (3, _at(20), ExemptionWithdrawal("EX-1", "x", "y"))]
    )

    ended = first.limit_to_force(ZONE)
    assert ended is not None and ended.last == date(2026, 11, 19)
    assert second.limit_to_force(ZONE) == second.exemption


def test_a_withdrawal_that_cannot_be_read_ends_every_exemption_before_it() -> None:
    found = fold_exemptions([(1, _at(13), _exemption(1)), (2, _at(14), None), (3, _at(15), _exemption(2))])

    assert [one.limit_to_force(ZONE) is None for one in found] == [True, False]


def test_a_withdrawal_before_the_first_day_leaves_nothing() -> None:
    (found,) = fold_exemptions([(1, _at(13), _exemption()), (2, _at(13), ExemptionWithdrawal("EX-1", "x", "y"))])

    assert found.limit_to_force(ZONE) is None


@pytest.mark.parametrize(("day", "remark"), [(23, None), (24, "entered afterwards, on 2026-11-24")])
def test_an_exemption_that_is_entered_more_than_five_working_days_late_says_so(day: int, remark: str | None) -> None:
    # 16 November is a Monday; the fifth working day after it is Monday the 23rd.
    found = RecordedExemption(1, _at(day), _exemption()).remarks(CALENDAR, ZONE, entered_within=5)

    assert [str(each) for each in found] == ([remark] if remark else [])


def test_from_when_on_an_exemption_was_entered_afterwards_is_a_number_of_the_rulebook() -> None:
    recorded = RecordedExemption(1, _at(24), _exemption())

    remarks = [recorded.remarks(CALENDAR, ZONE, entered_within=days) for days in (5, 6)]

    assert [len(some) for some in remarks] == [1, 0]


@pytest.mark.parametrize(
    ("announced", "remark"),
    [
        (date(2026, 11, 5), None),
        (date(2026, 11, 6), "announced late, on 2026-11-06"),
        (None, "no public announcement is recorded"),
    ],
)
def test_maintenance_is_announced_seven_working_days_ahead(announced: date | None, remark: str | None) -> None:
    exemption = _exemption(kind=ExemptionKind.MAINTENANCE, announced=announced)

    found = RecordedExemption(1, _at(13), exemption).remarks(CALENDAR, ZONE, entered_within=5)

    assert [str(each) for each in found] == ([remark] if remark else [])


def test_an_exemption_whose_decision_is_only_named_says_so() -> None:
    found = RecordedExemption(1, _at(13), _exemption(file=None)).remarks(CALENDAR, ZONE, entered_within=5)

    assert [str(each) for each in found] == ["the decision itself was not kept"]
