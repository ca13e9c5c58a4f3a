"""The report on an incident: word by word as it was agreed on, and what is not known stands in it as not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops.model.incidents import IncidentClosed, IncidentFacts, IncidentKind, IncidentNote, ReportKind
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.verdicts import Severity
from portalops.official.build_incident import TiedCredential, build_incident
from portalops.official.formats import load
from portalops.official.paper import OfficialPaper
from portalops.registers.incidents import Body, fold_incidents, subject_of
from tests.official.sample import RULEBOOK, ZONE, office
from tests.registers.test_incidents import FIRST, ID, NOTICED

GOLDEN = Path(__file__).parent / "golden"
HOUR = timedelta(hours=1)
FACTS = IncidentFacts(
    ID, "Mất máy tính xách tay có khóa SSH quản trị.", IncidentKind.CREDENTIAL, Severity.HIGH, NOTICED, "Nguyễn Văn An",
    NOTICED - 13 * HOUR, "Quyền quản trị máy chủ web1; <b>chưa</b> thấy dấu hiệu bị sử dụng", ("nguyen-van-an",), ("web1-an",),
    (HostId("web1"), HostId("db1")), ("CH-2026-004",), ("web1:acct.login-attribution",), ("2026-W47/so-y-te/11.2-submissions",),
)  # fmt: skip
NOTES = (
    IncidentNote(ID, NOTICED + 2 * HOUR, "Đổi khóa của web1 và db1", "Trần Thị Bình"),
    IncidentNote(ID, NOTICED + HOUR, "Gỡ khóa cũ khỏi web1, db1; rà nhật ký SSH 31 ngày", "Nguyễn Văn An"),
)
CLOSED = IncidentClosed(
    ID, NOTICED + 9 * HOUR, "Ổ đĩa không mã hóa; khóa không có mật khẩu bảo vệ", "Mã hóa ổ đĩa; chuyển khóa sang token.",
    "Không để khóa quản trị trên máy cá nhân", "Trần Thị Bình",
)  # fmt: skip
ACCESS = (
    TiedCredential(
        "web1-an", "host:web1", "an", msg("key"), "nguyen-van-an", msg("changed on {day}", day=NOTICED.date())
    ),
)


def paper(
    report: ReportKind, *steps: Body, access: tuple[TiedCredential, ...] = ACCESS, to_committee: bool = False
) -> OfficialPaper:
    records = [(10 + n, NOTICED + n * HOUR, subject_of(body), body, ()) for n, body in enumerate(steps)]
    known = fold_incidents(records).incidents[ID]
    return build_incident(known, access, office(), RULEBOOK, report=report, to_committee=to_committee, zone=ZONE)


def text(made: OfficialPaper, language: str = "vi") -> str:
    return load("markdown").render(made, language=language).decode("utf-8")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_full_report_is_as_it_was_agreed_on(language: str) -> None:
    made = paper(ReportKind.FULL, FACTS, *NOTES, FIRST, CLOSED, to_committee=True)

    assert text(made, language) == (GOLDEN / f"incident-full.{language}.md").read_text(encoding="utf-8")


def test_first_report_is_as_it_was_agreed_on() -> None:
    made = paper(ReportKind.FIRST, FACTS, *NOTES)

    assert text(made) == (GOLDEN / "incident-first.vi.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("report", list(ReportKind))
def test_what_is_not_known_stands_as_not_known(report: ReportKind) -> None:
    nothing = replace(
        FACTS, happened_at=None, affected="", holders=(), credentials=(), hosts=(), changes=(), findings=(), cases=()
    )

    said = text(paper(report, nothing, access=()))

    for part in (
        "Thời điểm xảy ra: chưa xác định được",
        "ảnh hưởng: chưa xác định được",
        "Chưa có ghi chép về diễn biến",
    ):
        assert part in said
    assert "Chưa xác định được người chịu trách nhiệm" in said
    if report is ReportKind.FULL:
        assert "Nguyên nhân: chưa xác định được" in said
        assert "Sự cố đang tiếp tục được xử lý" in said
    else:
        assert "Nguyên nhân đang được làm rõ" in said
        assert "trước 21/11/2026 08:00" in said


def test_number_and_day_stay_blank_and_the_sign_is_that_of_a_report() -> None:
    made = paper(ReportKind.FIRST, FACTS)

    assert (made.sign, made.year) == ("BC-TTCĐS", 2026)
    assert made.addressees == (office().department,)
    assert paper(ReportKind.FIRST, FACTS, to_committee=True).recipients[1:] == (office().department,)
