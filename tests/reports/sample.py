"""A month of a portal with thirty units: fabricated, but with everything in it that a report must be able to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.ledger.heads import NAMESPACE, head_digest, text_of
from portalops.ledger.record import GENESIS
from portalops.model.backups import (
    BackupResult,
    BackupSet,
    Copy,
    CopyState,
    DataClass,
    Pack,
    SetId,
    SetKind,
    Stream,
    VerifyLevel,
)
from portalops.model.cases import THE_PORTAL, CaseDuty, CaseMove, CaseStep, Shortfall
from portalops.model.checks import BriefScan, CheckResult, CheckScan, HostScan
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionScope
from portalops.model.heads import AnchorId, AnchorReceipt, Erasure, Head, SignedHead, Signer, SignOff
from portalops.model.message import msg
from portalops.model.organisation import Actor, Agency, Host, HostId, Name, OfficeRole, Portal, UnitId
from portalops.model.period import Period, Week
from portalops.model.record import Digest, Recorded, RunId
from portalops.model.runs import Run, RunSummary
from portalops.model.sent import Addressee, SentReport
from portalops.model.updates import FlaggedItem, FlagKind, Poll, PortalDay, UnitDay, UnitWeek, UpdatesResult
from portalops.model.variety import LanguageCount, Unpaired, Variety
from portalops.model.verdicts import CheckVerdict, DutyVerdict, RunOutcome, Severity
from portalops.model.waivers import Waiver
from portalops.registers.cases import Case, RecordedMove, fold_cases
from portalops.registers.erasures import RecordedErasure
from portalops.registers.evidence import Evidence, UnreadableRecord
from portalops.registers.exemptions import RecordedExemption
from portalops.registers.figures import BackupFigures, Figures, RunFigures
from portalops.registers.proof import LedgerRange, Proof, ProvenHead
from portalops.registers.sent import RecordedSending
from portalops.registers.sign_offs import RecordedSignOff, sum_line
from portalops.registers.waivers import RecordedWaiver
from portalops.reports.build_compliance import build
from portalops.reports.document import Document
from portalops.reports.material import Material
from portalops.rulebooks.load import load as load_rulebook
from portalops.signatures.sshsig import SigningKey, sign
from tests.reports.registers import credentials, places

VIETNAMESE = "Ủy ban nhân dân ẮẰẲẴẶ ấầẩẫậ ợởỡ ₫"
HOSTILE = '<script>alert("x")</script> \x1b[31m\u202e"><img src=http://evil.example/x> | `a` *b* \x00'

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 9, 14, 1, 30, tzinfo=UTC)
PERIOD = Period(date(2026, 8, 17), date(2026, 9, 13))
"""Four ISO weeks, with National Day (2 September) in the third."""

NAMES = (
    "Văn phòng Ủy ban nhân dân tỉnh",
    "Sở Nội vụ",
    "Sở Tư pháp",
    "Sở Tài chính",
    "Sở Công Thương",
    "Sở Nông nghiệp và Môi trường",
    "Sở Xây dựng",
    "Sở Khoa học và Công nghệ",
    "Sở Văn hóa, Thể thao và Du lịch",
    "Sở Giáo dục và Đào tạo",
    "Sở Y tế",
    "Sở Ngoại vụ",
    "Sở Dân tộc và Tôn giáo",
    "Thanh tra tỉnh",
    "Ban Quản lý Khu kinh tế Vân Phong và các khu công nghiệp",
    "Ủy ban nhân dân phường Nha Trang",
    "Ủy ban nhân dân phường Bắc Nha Trang",
    "Ủy ban nhân dân phường Tây Nha Trang",
    "Ủy ban nhân dân phường Cam Ranh",
    "Ủy ban nhân dân phường Ba Ngòi",
    "Ủy ban nhân dân phường Ninh Hòa",
    "Ủy ban nhân dân phường Phan Rang",
    "Ủy ban nhân dân phường Đông Hải",
    "Ủy ban nhân dân xã Vạn Ninh",
    "Ủy ban nhân dân xã Diên Khánh",
    "Ủy ban nhân dân xã Khánh Vĩnh",
    "Ủy ban nhân dân xã Khánh Sơn",
    "Ủy ban nhân dân xã Cam Lâm",
    "Ủy ban nhân dân xã Bác Ái Đông",
    "Ủy ban nhân dân đặc khu Trường Sa",
)

PORTAL = Portal(
    "khanhhoa", Name("Cổng thông tin điện tử tỉnh Khánh Hòa", "Khanh Hoa province portal"), "Asia/Ho_Chi_Minh"
)
ACTORS = (
    Actor(
        OfficeRole.UNIT,
        Name("Trung tâm Công nghệ thông tin và Dịch vụ hành chính công", "Centre for Information Technology"),
    ),
    Actor(
        OfficeRole.DEPARTMENT,
        Name("Sở Thông tin và Truyền thông", "Department of Information"),
        None,
        date(2025, 2, 28),
    ),
    Actor(
        OfficeRole.DEPARTMENT,
        Name("Sở Khoa học và Công nghệ", "Department of Science and Technology"),
        date(2025, 3, 1),
    ),
    Actor(OfficeRole.COMMITTEE, Name("Ủy ban nhân dân tỉnh Khánh Hòa", "Khanh Hoa People's Committee")),
)
UNITS = tuple(Agency(UnitId(f"u{index:02d}"), Name(name, f"Unit {index}")) for index, name in enumerate(NAMES, 1))
HOSTS = (Host(HostId("web-1"), "local"), Host(HostId("db-1"), "10.0.0.2"))


def digest(letter: str) -> Digest:
    return Digest(letter * 64)


def backups() -> tuple[Recorded[BackupResult], ...]:
    return tuple(_backup(number) for number in range(4) if number != 2)


def _backup(number: int) -> Recorded[BackupResult]:
    at = datetime(2026, 8, 18, 19, 5, tzinfo=UTC) + timedelta(days=7 * number)
    set_id = SetId(f"khanhhoa-{at:%Y%m%dT%H%M%SZ}-full-0{number}c4e9")
    unread = ("/etc/ssl/private: permission denied",) if number == 1 else ()
    streams = tuple(
        Stream(
            source,
            "files",
            data_class,
            "dump",
            "tar",
            1234 * (number + 1),
            700_000_000,
            digest("a"),
            (Pack(f"data/{data_class}/{source}/dump.0001.age", 700_000_000, 90_000_000, digest("b")),),
            unread=unread if data_class is DataClass.CONFIGURATION else (),
        )
        for source, data_class in (
            ("machine-configuration", DataClass.CONFIGURATION),
            ("system-accounts", DataClass.ACCOUNTS),
            ("portal-database", DataClass.CONTENT),
            ("media-files", DataClass.RELATED),
        )
    )
    made = BackupSet(
        set_id,
        SetKind.FULL,
        "khanhhoa",
        at,
        RunOutcome.INCOMPLETE if unread else RunOutcome.COMPLETE,
        streams,
        ("age1operator", "age1escrow"),
        digest("c"),
        364_000_123,
    )
    bad = CopyState.FAILED if number == 3 else CopyState.VERIFIED
    verified_at = at + timedelta(minutes=14)
    copies = (
        Copy(set_id, "disk-a", "disk", CopyState.VERIFIED, VerifyLevel.L2, verified_at, shares_source_filesystem=True),
        Copy(
            set_id,
            "nas-1",
            "disk",
            bad,
            VerifyLevel.L2 if bad is CopyState.VERIFIED else VerifyLevel.NONE,
            verified_at if bad is CopyState.VERIFIED else None,
            "" if bad is CopyState.VERIFIED else "no space left on device",
        ),
    )
    body = BackupResult(made, copies, (DataClass.CHANNELS,), ("documents: kept in the archive of the province",))
    return Recorded(20 + number * 30, at + timedelta(minutes=15), f"10.2:weekly:2026-W{34 + number}", body)


def looked(*rounds: Recorded[CheckScan]) -> tuple[Recorded[BriefScan], ...]:
    """Return rounds as evidence holds those of a period."""
    return tuple(Recorded(each.seq, each.at, each.run, each.body.drop_sentences()) for each in rounds)


def checks() -> Recorded[CheckScan]:
    at = NOW - timedelta(hours=6)

    def result(check: str, verdict: CheckVerdict, severity: Severity, seen: str, reason: str) -> CheckResult:
        remedy = (
            None if verdict is CheckVerdict.PASS else msg("Set {option} in sshd_config.", option="PermitRootLogin no")
        )
        return CheckResult(
            check, HostId("web-1"), "12.4", severity, verdict, reason, msg("seen: {line}", line=seen), remedy
        )

    results = (
        result("ssh.root-login", CheckVerdict.FAIL, Severity.HIGH, "PermitRootLogin yes", "root-login-allowed"),
        result(
            "firewall.default-deny",
            CheckVerdict.UNKNOWN,
            Severity.CRITICAL,
            "sudo: a password is required",
            "sudo-refused",
        ),
        result("accounts.empty-password", CheckVerdict.PASS, Severity.CRITICAL, "none of 34", ""),
        result("patches.security", CheckVerdict.FAIL, Severity.CRITICAL, "3 fixes wait since 12 days", "fixes-wait"),
        result("ssh.protocol", CheckVerdict.PASS, Severity.LOW, "2", ""),
        result("storage.smart", CheckVerdict.NOT_APPLICABLE, Severity.MEDIUM, "role container", "role"),
        result("tls.dates", CheckVerdict.ERROR, Severity.MEDIUM, "ValueError in the check", "crash"),
    )
    hosts = (
        HostScan(HostId("web-1"), at, True, "", results),
        HostScan(HostId("db-1"), at, False, "connection refused by 10.0.0.2 port 22", ()),
    )
    return Recorded(141, at, "12:round:2026-09-13", CheckScan(hosts))


def updates() -> Recorded[UpdatesResult]:
    calendar = load_calendar(None)
    unit_days: list[UnitDay] = []
    unit_weeks: list[UnitWeek] = []
    for place, unit in enumerate(UNITS):
        for week in PERIOD.weeks():
            days = [day for day in week.period().days() if calendar.is_working(day)]
            silent = place == 11 or (place == 26 and week.number > 35)
            seen = [] if silent else [day for day in days if (day.toordinal() * 7 + place * 3) % 5 < 2]
            for day in seen:
                flags = (FlagKind.BACKDATED,) if place == 4 and day.day % 2 else ()
                unit_days.append(UnitDay(unit.id, day, 1 + place % 2, place % 3 != 2, flags))
            unit_weeks.append(_unit_week(unit.id, week, len(seen), len(days), submits=place % 3 != 2))
    portal_days = tuple(
        PortalDay(
            day,
            calendar.is_working(day),
            DutyVerdict.UNMET if day == date(2026, 8, 27) else DutyVerdict.MET,
            msg("no item seen") if day == date(2026, 8, 27) else msg("items seen"),
            0 if day == date(2026, 8, 27) else 3,
        )
        for day in PERIOD.days()
        if calendar.is_working(day)
    )
    flagged = (
        FlaggedItem(
            UNITS[4].id,
            "o1",
            VIETNAMESE,
            (FlagKind.BACKDATED, FlagKind.BULK),
            NOW - timedelta(days=9),
            NOW - timedelta(days=3),
        ),
        FlaggedItem(None, "o2", HOSTILE, (FlagKind.UNKNOWN_UNIT,), None, NOW - timedelta(days=2)),
        FlaggedItem(
            UNITS[20].id, "o3", "ñy ban nh©n d©n x· (TCVN3)", (FlagKind.LEGACY_ENCODING,), None, NOW - timedelta(days=5)
        ),
    )
    polls = (
        Poll("portal-content", NOW - timedelta(hours=4), True, "", 412, 9, digest("d"), NOW - timedelta(days=90)),
        Poll("so-y-te-feed", NOW - timedelta(hours=4), False, "not XML: line 1, column 0", 0, 0, None, None, gap=True),
        Poll(
            "paper-register",
            NOW - timedelta(hours=4),
            True,
            "",
            61,
            2,
            digest("e"),
            None,
            False,
            ("line 14: date in the future",),
        ),
    )
    body = UpdatesResult(
        polls,
        PERIOD.first,
        PERIOD.last,
        "kh-37-2010@2026.11",
        calendar.version,
        portal_days,
        tuple(unit_weeks),
        tuple(unit_days),
        flagged,
        482,
        variety(),
    )
    return Recorded(143, NOW - timedelta(hours=3), "11:updates:2026-09-13", body)


def variety() -> Variety:
    title = "Sở Công Thương tuyển dụng viên chức"
    found = Unpaired(UNITS[4].id, "o9", title, "https://soct.khanhhoa.example/vi/tin/9", NOW - timedelta(days=4))
    languages = (LanguageCount("", 12), LanguageCount("en", 31), LanguageCount("vi", 305))
    return Variety(
        PERIOD.first, PERIOD.last, (40, 61, 0, 12, 9, 33, 4, 0, 18, 27, 3, 11), 130, languages, 31, (found,), 0, 273
    )


def _unit_week(unit: UnitId, week: Week, seen: int, working: int, *, submits: bool) -> UnitWeek:
    required = 2 if working > 2 else 1
    subportal = DutyVerdict.MET if seen >= required else DutyVerdict.UNMET
    submissions = subportal if submits else DutyVerdict.UNMET
    verdict = submissions
    coverage = 97
    if unit == "u30":
        verdict = subportal = submissions = DutyVerdict.INSUFFICIENT_EVIDENCE
        coverage = 61
    reason = msg("K1 {k1}, K2 {k2}, {required} required", k1=seen, k2=seen if submits else 0, required=required)
    return UnitWeek(
        unit, week, verdict, reason, required, seen, seen if submits else 0, subportal, submissions, working, coverage,
        unreachable=(date(2026, 9, 9), date(2026, 9, 10)) if unit == "u12" and week == Week(2026, 37) else (),
    )  # fmt: skip


DECISION = Digest("d" * 64)


def exemptions() -> tuple[RecordedExemption, ...]:
    """One in time, one that was entered afterwards and is of what is sent in alone, maintenance announced late."""
    both = (ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION)
    flood = Exemption(
        "EX-2026-001", UNITS[26].id, both, ExemptionKind.DISASTER, date(2026, 8, 31), date(2026, 9, 4),
        "41/QĐ-UBND, 28/8/2026", "Chủ tịch Ủy ban nhân dân tỉnh", file=DECISION,
    )  # fmt: skip
    secret = Exemption(
        "EX-2026-002", UNITS[11].id, both[1:], ExemptionKind.SECRECY, date(2026, 8, 24), date(2026, 8, 25),
        "07/CV-SNgV, 9/9/2026", "Giám đốc Sở Khoa học và Công nghệ", file=DECISION,
    )  # fmt: skip
    upkeep = Exemption(
        "EX-2026-003", None, (ExemptionScope.PORTAL,), ExemptionKind.MAINTENANCE, date(2026, 9, 11), date(2026, 9, 11),
        "12/TB-TTCNTT, 9/9/2026", "Giám đốc Trung tâm", announced_on=date(2026, 9, 9), file=DECISION,
    )  # fmt: skip
    return (
        RecordedExemption(50, datetime(2026, 8, 28, 3, tzinfo=UTC), flood),
        RecordedExemption(120, datetime(2026, 9, 10, 3, tzinfo=UTC), secret),
        RecordedExemption(121, datetime(2026, 9, 10, 4, tzinfo=UTC), upkeep),
    )


def cases() -> tuple[Case, ...]:
    """One that was closed, one whose explanation is awaited, and one of the managing unit itself that nobody handled."""
    found = Shortfall(143, 2, 0, msg("no item seen"))
    missed = Shortfall(143, 1, 0, msg("no item seen"), (date(2026, 8, 27),))
    ministry, week = UNITS[11].id, Week(2026, 35)
    k1 = CaseDuty.SUBPORTAL
    moves = [
        (31, datetime(2026, 8, 24, 1, tzinfo=UTC), CaseMove(ministry, k1, Week(2026, 34), CaseStep.OPENED, shortfall=found)),
        (32, datetime(2026, 8, 24, 2, tzinfo=UTC), CaseMove(ministry, k1, Week(2026, 34), CaseStep.REMINDED)),
        (40, datetime(2026, 8, 26, 2, tzinfo=UTC), CaseMove(ministry, k1, Week(2026, 34), CaseStep.EXPLAINED, "=1+1")),
        (41, datetime(2026, 8, 27, 2, tzinfo=UTC), CaseMove(ministry, k1, Week(2026, 34), CaseStep.REJECTED, by="GĐ")),
        (42, datetime(2026, 8, 28, 2, tzinfo=UTC), CaseMove(ministry, k1, Week(2026, 34), CaseStep.CLOSED, by="GĐ")),
        (51, datetime(2026, 8, 31, 1, tzinfo=UTC), CaseMove(ministry, k1, week, CaseStep.OPENED, shortfall=found)),
        (52, datetime(2026, 9, 11, 2, tzinfo=UTC), CaseMove(ministry, k1, week, CaseStep.REMINDED)),
        (53, datetime(2026, 8, 31, 1, tzinfo=UTC), CaseMove(THE_PORTAL, CaseDuty.PORTAL, week, CaseStep.OPENED, shortfall=missed)),
    ]  # fmt: skip
    return fold_cases(RecordedMove(seq, at, move) for seq, at, move in moves)


def sendings() -> tuple[RecordedSending, ...]:
    sent = SentReport(
        "updates",
        date(2026, 7, 15),
        date(2026, 8, 14),
        Addressee.DEPARTMENT,
        date(2026, 8, 18),
        "19/BC-TTCNTT",
        "Văn thư",
    )
    later = replace(
        sent, first=date(2026, 8, 15), last=date(2026, 9, 14), sent_on=date(2026, 9, 14), number="22/BC-TTCNTT"
    )
    return (
        RecordedSending(22, datetime(2026, 8, 18, 3, tzinfo=UTC), sent),
        RecordedSending(142, datetime(2026, 9, 14, 1, tzinfo=UTC), later),
    )


def evidence() -> Evidence:
    starts = [datetime(day.year, day.month, day.day, 2, tzinfo=UTC) for day in PERIOD.days()]
    rounds = [
        Run(RunId(f"12:round:{at.date()}"), "check", "", "12.4", at, 30 + index, at + timedelta(minutes=2), 31 + index)
        for index, at in enumerate(starts)
    ]
    crashed = Run(RunId("10.2:weekly:2026-W36"), "backup", "", "10.2", datetime(2026, 9, 1, 19, tzinfo=UTC), 77)
    runs = (*rounds, crashed)
    return Evidence(
        period=PERIOD,
        now=NOW,
        zone=ZONE,
        started_at=datetime(2026, 7, 1, tzinfo=UTC),
        runs=runs,
        backups=backups(),
        verifies=(),
        checks=checks(),
        updates=updates(),
        reports=(),
        cases=cases(),
        sendings=sendings(),
        exemptions=exemptions(),
        places=places(),
        credentials=credentials(),
        unreadable=(UnreadableRecord(88, "report", msg("blob missing")),),
        summaries={
            run.finished_seq: RunSummary(RunOutcome.COMPLETE, 0, run.started_at, run.finished_at)
            for run in runs
            if run.finished_seq and run.finished_at
        },
    )


LEDGER = "5f0c" * 8
KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OLD_KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


def proven_head(size: int, at: datetime, previous: Digest = GENESIS, key: SigningKey = KEY) -> ProvenHead:
    """A head that is really signed."""
    head = Head(LEDGER, size, Digest(f"{size:04x}" * 16), at, previous)
    text = text_of(head)
    signed = SignedHead(text, sign(text.encode(), key, NAMESPACE))
    return ProvenHead(size + 1, head, signed, head_digest(text), key.public_key, None)


def proof() -> Proof:
    """A head a week and one for the report; the first week's is anchored twice, the second's was refused."""
    heads = [proven_head(20 + 30 * week, datetime(2026, 8, 18 + 7 * week, 20, tzinfo=UTC)) for week in range(2)]
    heads.append(proven_head(143, NOW))
    first, second, _newest = heads
    answers = [
        (first, "mailbox", "mail", None, ""),
        (first, "time-stamps", "rfc3161", datetime(2026, 8, 18, 20, 0, 7, tzinfo=UTC), ""),
        (second, "mailbox", "mail", None, "connection refused by mail.example port 465"),
    ]
    receipts = [
        Recorded(
            head.seq + 2,
            head.head.at + timedelta(minutes=1),
            "anchor:daily",
            AnchorReceipt(AnchorId(anchor), kind, head.head.size, head.text_digest, at, problem=problem),
        )
        for head, anchor, kind, at, problem in answers
    ]
    signed = SignOff(
        "khanhhoa-compliance-2026-07.vi.html", digest("5"), "head-of-unit", "Nguyễn Thị Ẩn", "Giám đốc",
        KEY.public_key, sum_line(digest("5"), "khanhhoa-compliance-2026-07.vi.html"), "",
    )  # fmt: skip
    signed = replace(signed, signature=sign(signed.text.encode(), KEY, "portalops-signoff"))
    waiver = Waiver(
        "w1", "12.4", "db-1", "moved to the new data centre", "Sở Khoa học và Công nghệ", "Công văn 123/SKHCN",
        date(2026, 8, 1), date(2026, 9, 30),
    )  # fmt: skip
    erased = Erasure(digest("7"), "holds personal data", "Giám đốc")
    began = datetime(2026, 7, 1, tzinfo=UTC)
    changed = datetime(2026, 8, 1, tzinfo=UTC)
    return Proof(
        ledger_range=LedgerRange(LEDGER, 1, began, 144, NOW, 144, digest("f")),
        figures=figures(),
        head=heads[-1],
        heads=tuple(heads),
        faults=(),
        has_key=True,
        receipts=tuple(receipts),
        signers=(
            Signer(LEDGER, OLD_KEY.public_key, began, changed, 2, 13, ""),
            Signer(LEDGER, KEY.public_key, changed, None, 11, None, OLD_KEY.public_key),
        ),
        sign_offs=(RecordedSignOff(60, datetime(2026, 8, 20, tzinfo=UTC), signed),),
        waivers=(RecordedWaiver(14, changed, waiver),),
        erasures=(RecordedErasure(90, datetime(2026, 9, 2, tzinfo=UTC), erased),),
    )


def figures() -> Figures:
    """What the sample's records would add up to."""
    return Figures(
        as_of=NOW,
        period=PERIOD,
        timezone=ZONE.key,
        last_seq=144,
        in_period=120,
        runs={"backup": RunFigures(complete=3, unfinished=1), "check": RunFigures(complete=28, missing=None)},
        backups=BackupFigures(3, 5),
        checks={"pass": 2, "fail": 2, "unknown": 1, "error": 1, "not-applicable": 1},
        portal_days={"met": 18, "unmet": 1},
        unit_weeks=None,
    )


def document() -> Document:
    """The compliance report of the sample month."""
    rulebook, seen = load_rulebook("kh-37-2010", {}), evidence()
    return build(
        Material(
            portal=PORTAL,
            actors=ACTORS,
            units=UNITS,
            hosts=HOSTS,
            rulebook=rulebook,
            calendar=load_calendar(None),
            period=PERIOD,
            standings=judge(Situation(rulebook, seen, HOSTS, UNITS, load_calendar())),
            evidence=seen,
            proof=proof(),
            generated_at=NOW,
            version="0.1.0",
        )
    )
