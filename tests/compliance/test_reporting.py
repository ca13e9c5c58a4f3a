"""Article 11.3's reports: for each reporting month one to the Department and one to the Committee, on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from portalops.model.message import msg
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.reporting import reporting_months
from portalops.model.rulebook import Duty
from portalops.model.sent import Addressee, SentReport
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import UnreadableRecord
from portalops.registers.sent import RecordedSending
from tests.compliance.test_rules import duty, evidence, stand

MONTH = Period(date(2026, 10, 15), date(2026, 11, 14))
DUTY: Duty = duty("reporting")


PAPER = Digest("a" * 64)


def _sent(
    to: Addressee,
    seq: int,
    *,
    first: date = MONTH.first,
    report: str = "updates",
    day: date = date(2026, 11, 17),
    file: Digest | None = PAPER,
) -> RecordedSending:
    at = datetime(2026, 11, 17, 3, tzinfo=UTC)
    return RecordedSending(seq, at, SentReport(report, first, MONTH.last, to, day, f"{seq}/BC", "An", file=file))


def _stand(
    now: datetime, *sendings: RecordedSending, unreadable: tuple[UnreadableRecord, ...] = ()
) -> tuple[DutyVerdict, str]:
    found = replace(
        evidence(), period=Period(date(2026, 11, 1), date(2026, 11, 30)), now=now,
        started_at=datetime(2026, 10, 1, tzinfo=UTC), sendings=sendings, unreadable=unreadable,
    )  # fmt: skip
    return stand(DUTY, found)


def test_reports_to_both_are_met() -> None:
    both = _sent(Addressee.DEPARTMENT, 7), _sent(Addressee.COMMITTEE, 8)

    assert _stand(datetime(2026, 11, 25, tzinfo=UTC), *both)[0] is DutyVerdict.MET


def test_a_number_that_was_typed_shows_nobody_that_a_report_went_out() -> None:
    typed = _sent(Addressee.DEPARTMENT, 7, file=None)
    other = _sent(Addressee.COMMITTEE, 8)
    later = datetime(2026, 11, 25, tzinfo=UTC)

    assert _stand(later, typed, other) == (
        DutyVerdict.INSUFFICIENT_EVIDENCE,
        "2026-10-15 to 2026-11-14: the report to the Department: record 7 names 7/BC, but the paper itself was "
        "not kept",
    )
    assert _stand(later, typed, other, _sent(Addressee.DEPARTMENT, 9))[0] is DutyVerdict.MET, "the paper was added"


def test_a_report_that_went_out_after_its_day_is_met_and_called_late() -> None:
    both = _sent(Addressee.DEPARTMENT, 7), _sent(Addressee.COMMITTEE, 8, day=date(2026, 11, 18))

    assert _stand(datetime(2026, 11, 25, tzinfo=UTC), *both) == (
        DutyVerdict.MET,
        "all 2 reports that were due were sent, 1 of them late",
    )


@pytest.mark.parametrize(
    ("day", "verdict"),
    [(17, DutyVerdict.PENDING), (18, DutyVerdict.UNMET)],
)
def test_a_report_that_was_not_sent_is_pending_until_its_due_day_and_unmet_after(
    day: int, verdict: DutyVerdict
) -> None:
    # The 14th is a Saturday; two working days later is Tuesday the 17th.
    found = _stand(datetime(2026, 11, day, 3, tzinfo=UTC), _sent(Addressee.COMMITTEE, 8))

    assert found[0] is verdict
    assert "the report to the Department" in found[1]


def test_a_report_of_something_else_or_of_fewer_days_does_not_count() -> None:
    wrong = (
        _sent(Addressee.DEPARTMENT, 7, report="backups"),
        _sent(Addressee.DEPARTMENT, 8, first=date(2026, 11, 1)),
        _sent(Addressee.COMMITTEE, 9),
    )

    assert _stand(datetime(2026, 11, 25, tzinfo=UTC), *wrong)[0] is DutyVerdict.UNMET


def test_a_report_that_went_out_before_the_month_was_over_does_not_count() -> None:
    both = _sent(Addressee.DEPARTMENT, 7, day=date(2026, 11, 2)), _sent(Addressee.COMMITTEE, 8)

    assert _stand(datetime(2026, 11, 25, tzinfo=UTC), *both)[0] is DutyVerdict.UNMET


def test_a_sending_that_cannot_be_read_leaves_open_whether_a_report_was_sent() -> None:
    lost = (UnreadableRecord(9, "sent", msg("blob missing")),)

    found = _stand(datetime(2026, 11, 25, tzinfo=UTC), _sent(Addressee.COMMITTEE, 8), unreadable=lost)

    assert found[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "record 9" in found[1]


@pytest.mark.parametrize(
    ("cut_off", "months"),
    [
        (14, ["2026-10-15..2026-11-14", "2026-11-15..2026-12-14"]),
        (0, ["2026-11-01..2026-11-30", "2026-12-01..2026-12-31"]),
    ],
)
def test_reporting_months_are_those_that_end_in_a_period(cut_off: int, months: list[str]) -> None:
    period = Period(date(2026, 11, 10), date(2026, 12, 31))

    assert [str(month) for month in reporting_months(period, cut_off)] == months
