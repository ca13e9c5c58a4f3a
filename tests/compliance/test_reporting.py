"""Article 11.3's reports: for each reporting month one to the Department and one to the Committee, on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import RULES, Situation
from portalops.model.message import msg, nmsg
from portalops.model.organisation import Name
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.reporting import reporting_months
from portalops.model.rulebook import Duty, Numbers, Rulebook
from portalops.model.sent import Addressee, SentReport
from portalops.model.standing import Standing
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


# --- what is told -----------------------------------------------------------------------------


def _whole(now: datetime, *sendings: RecordedSending, period: Period, began: datetime | None) -> Standing:
    name = Name("x", "x")
    rulebook = Rulebook("r", "1", name, "doc", date(2010, 1, 1), None, (), (DUTY,), Numbers())
    found = replace(evidence(), period=period, now=now, started_at=began, sendings=sendings)
    return RULES["reporting"](DUTY, Situation(rulebook, found, (), (), load_calendar()))


AUTUMN = Period(date(2026, 10, 1), date(2026, 12, 31))
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
LATER = datetime(2026, 11, 25, tzinfo=UTC)
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def test_reports_are_due_for_the_months_that_ended_since_the_ledger_began() -> None:
    other = replace(_sent(Addressee.DEPARTMENT, 9, report="backups"), at=LATER)
    committee = replace(_sent(Addressee.COMMITTEE, 8), at=datetime(2026, 11, 17, 2, tzinfo=UTC))

    found = _whole(LATER, _sent(Addressee.DEPARTMENT, 7), committee, other, period=AUTUMN, began=BEGAN)

    assert found == Standing(
        DUTY.id,
        DutyVerdict.MET,
        nmsg("the one report that was due was sent", "all {n} reports that were due were sent", 2),
        (),
        (7, 8),
        datetime(2026, 11, 17, 3, tzinfo=UTC),
    )


def test_a_report_that_nobody_sent_is_told_for_each_addressee() -> None:
    found = _whole(LATER, period=NOVEMBER, began=BEGAN)

    assert [str(line) for line in found.details] == [
        "2026-10-15 to 2026-11-14: the report to the Department, not sent",
        "2026-10-15 to 2026-11-14: the report to the Committee, not sent",
    ]
    assert (found.verdict, found.evidence, found.newest_at) == (DutyVerdict.UNMET, (), None)


@pytest.mark.parametrize(
    ("day", "period", "began", "verdict", "reason"),
    [
        (14, NOVEMBER, BEGAN, DutyVerdict.PENDING, "the reporting month is not over"),
        (15, NOVEMBER, BEGAN, DutyVerdict.PENDING,
         "2026-10-15 to 2026-11-14: the report to the Department, due on 2026-11-17, and 1 more"),
        (25, NOVEMBER, datetime(2026, 11, 20, tzinfo=UTC), DutyVerdict.INSUFFICIENT_EVIDENCE,
         "since the ledger began, no reporting month of the period has ended"),
        (25, AUTUMN, datetime(2026, 11, 20, tzinfo=UTC), DutyVerdict.PENDING, "the reporting month is not over"),
        (25, Period(date(2026, 11, 16), date(2026, 11, 22)), BEGAN, DutyVerdict.NOT_ASSESSED,
         "no reporting month ends in the period"),
        (25, Period(date(2026, 11, 16), date(2026, 11, 22)), None, DutyVerdict.INSUFFICIENT_EVIDENCE,
         "since the ledger began, no reporting month of the period has ended"),
    ],
)  # fmt: skip
def test_a_month_is_reported_on_once_it_is_over_and_was_watched(
    day: int, period: Period, began: datetime | None, verdict: DutyVerdict, reason: str
) -> None:
    found = _whole(datetime(2026, 11, day, 3, tzinfo=UTC), period=period, began=began)

    assert (found.verdict, str(found.reason)) == (verdict, reason)
