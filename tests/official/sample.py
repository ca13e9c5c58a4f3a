"""A letter and a report as they would be written for a small province, from fixed values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portalops.calendar import load
from portalops.compliance.handling import Handling, escalations
from portalops.model.cases import THE_PORTAL, CaseDuty, CaseMove, CaseStep, Paper, Shortfall
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionScope
from portalops.model.message import msg
from portalops.model.office import OfficeSettings
from portalops.model.organisation import Actor, Name, OfficeRole, UnitId
from portalops.model.period import Period, Week
from portalops.model.rulebook import Rulebook
from portalops.model.updates import FlagKind, PortalDay, UnitSum
from portalops.model.variety import Variety
from portalops.model.verdicts import DutyVerdict
from portalops.official.build_period import PeriodFacts, build_period
from portalops.official.build_reminder import build_reminder
from portalops.official.office import Office, office_on
from portalops.official.paper import OfficialPaper
from portalops.registers.cases import Case, RecordedMove, fold_cases
from portalops.rulebooks.load import load as load_rulebook

ZONE = "Asia/Ho_Chi_Minh"
CALENDAR = load()
RULEBOOK: Rulebook = load_rulebook("kh-37-2010", {})
ACTORS = (
    Actor(
        OfficeRole.UNIT,
        Name("Trung tâm Chuyển đổi số tỉnh Khánh Hòa", "Digital Transformation Centre of Khanh Hoa province"),
    ),
    Actor(
        OfficeRole.DEPARTMENT,
        Name("Sở Thông tin và Truyền thông", "Department of Information"),
        None,
        date(2025, 2, 28),
    ),
    Actor(OfficeRole.DEPARTMENT, Name("Sở Khoa học và Công nghệ", "Department of Science"), date(2025, 3, 1)),
    Actor(OfficeRole.COMMITTEE, Name("Ủy ban nhân dân tỉnh", "People's Committee of the province")),
)
SETTINGS = OfficeSettings(
    parent=Name("Sở Khoa học và Công nghệ Khánh Hòa", "Department of Science and Technology of Khanh Hoa"),
    abbreviation="TTCĐS",
    drafting_unit="ND",
    authority="KT. GIÁM ĐỐC",
    title="PHÓ GIÁM ĐỐC",
    signer="Trần Thị Bình",
    contact="ông Nguyễn Văn An, điện thoại 0258 3 000 000",
)
HEALTH, WARD = UnitId("so-y-te"), UnitId("phuong-bac-cam-ranh")
NAMES = {HEALTH: Name("Sở Y tế", "Department of Health"), WARD: Name("UBND phường Bắc Cam Ranh", "Bac Cam Ranh ward")}
PERIOD = Period(date(2026, 10, 15), date(2026, 11, 14))


def office(day: date = date(2026, 11, 16)) -> Office:
    return office_on(day, ACTORS, SETTINGS)


def cases() -> tuple[Case, ...]:
    moves: list[tuple[str, CaseMove]] = []
    for number in (44, 45):
        week = Week(2026, number)
        found = Shortfall(40 + number, 2, number - 44, msg("fewer than the 2 occasions due"))
        opened = (week.period().last + timedelta(days=1)).isoformat()
        moves.append((opened, CaseMove(HEALTH, CaseDuty.SUBPORTAL, week, CaseStep.OPENED, shortfall=found)))
    moves += [
        ("2026-11-03", CaseMove(HEALTH, CaseDuty.SUBPORTAL, Week(2026, 44), CaseStep.REMINDED, by="An", paper=Paper("12/TTCĐS"))),
        (
            "2026-11-05",
            CaseMove(
                HEALTH, CaseDuty.SUBPORTAL, Week(2026, 44), CaseStep.EXPLAINED, by="Văn phòng Sở Y tế",
                reason="Cổng con chuyển máy chủ, biên tập viên nghỉ ốm; <b>sẽ</b> đăng bù trong tuần 45 & 46",
            ),
        ),
        (
            "2026-11-09",
            CaseMove(
                THE_PORTAL, CaseDuty.PORTAL, Week(2026, 45), CaseStep.OPENED,
                shortfall=Shortfall(85, 1, 0, msg("no update"), (date(2026, 11, 4),)),
            ),
        ),
    ]  # fmt: skip
    records = [
        RecordedMove(number, datetime.combine(date.fromisoformat(day), time(2), UTC), move)
        for number, (day, move) in enumerate(moves, 1)
    ]
    return fold_cases(records)


def reminder() -> OfficialPaper:
    of_health = [case for case in cases() if case.unit == HEALTH]
    return build_reminder(office(), NAMES[HEALTH], of_health, RULEBOOK, explain_by=date(2026, 11, 19), zone=ZONE)


def facts() -> PeriodFacts:
    met, unmet, unknown = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE
    sums = (
        UnitSum(
            HEALTH, 37, 5, 9, 0, {met: 3, unmet: 2}, datetime(2026, 11, 12, 2, tzinfo=UTC), 1, {FlagKind.BACKDATED: 2}
        ),
        UnitSum(
            WARD,
            1204,
            10,
            8,
            1,
            {met: 4, unknown: 1},
            datetime(2026, 11, 13, 2, tzinfo=UTC),
            0,
            {FlagKind.DUPLICATE: 7},
        ),
    )
    days = [
        PortalDay(day, CALENDAR.is_working(day), unmet if day == date(2026, 11, 4) else met, msg("x"), 1)
        for day in PERIOD.days()
    ]
    exemption = Exemption(
        "EX-2026-001", WARD, (ExemptionScope.SUBPORTAL,), ExemptionKind.DISASTER, date(2026, 10, 19), date(2026, 10, 21),
        "215/QĐ-UBND, 18/10/2026", "Chủ tịch UBND tỉnh",
    )  # fmt: skip
    handling = Handling(RULEBOOK.numbers, CALENDAR, ZoneInfo(ZONE), date(2026, 11, 16))
    return PeriodFacts(
        period=PERIOD,
        names=NAMES,
        sums=sums,
        before={HEALTH: UnitSum(HEALTH, 41, 8, 9, 0, {met: 5}, None, 0)},
        portal_days=days,
        cases=cases(),
        escalations=escalations(cases(), handling),
        exemptions=(exemption,),
        exemption_remarks={exemption.id: (msg("announced late, on {day}", day=date(2026, 10, 16)),)},
        sources=14,
        silent_sources=(msg("sub-portal of {unit}", unit=NAMES[WARD]),),
    )


def report(*, to_committee: bool = False, variety: Variety | None = None) -> OfficialPaper:
    return build_period(
        replace(facts(), variety=variety), office(), RULEBOOK, CALENDAR, to_committee=to_committee, zone=ZONE
    )
