"""A quarter of backups with everything in it that the report on them must be able to show: fabricated."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.model.adopted import AdoptedBackup, AdoptedPoll
from portalops.model.backups import (
    BackupResult,
    BackupSet,
    Copy,
    CopyState,
    DataClass,
    DrillResult,
    SetId,
    SetKind,
    Stream,
    StreamTrial,
    VerifyLevel,
    VerifyResult,
)
from portalops.model.media import BurntDisc, DiscState, MediumCheck, MediumEntry
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.model.record import Recorded, RunId
from portalops.model.retention import Disposal, Hold, PruneMark, PruneResult, RetentionPolicy
from portalops.model.runs import Run, RunSummary
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import CopyReports
from portalops.registers.discs import HeldDisc
from portalops.registers.drills import RecordedDrill
from portalops.registers.evidence import Evidence
from portalops.registers.media import RegisteredMedium
from portalops.registers.proof import Proof
from portalops.registers.retention import HELD, MARKED, RELEASED, UNDONE, Decision
from portalops.reports.material import Material
from portalops.rulebooks.load import load as load_rulebook
from portalops.signatures.sshsig import SigningKey
from tests.reports.sample import ACTORS, HOSTILE, HOSTS, PORTAL, UNITS, ZONE, digest

PERIOD = Period(date(2026, 6, 29), date(2026, 9, 27))
"""13 ISO weeks, W27 to W39."""
NOW = datetime(2026, 9, 25, 3, tzinfo=UTC)
"""On the last Friday: the set of the last week is still to come."""
FIRST = datetime(2026, 6, 30, 19, 5, tzinfo=UTC)
RECOVERY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))))
POLICY = RetentionPolicy(keep_last=4, keep_weekly=8, keep_monthly=12)
_CLASSES = (
    ("machine-configuration", DataClass.CONFIGURATION, 40_000_000),
    ("system-accounts", DataClass.ACCOUNTS, 2_000_000),
    ("portal-database", DataClass.CONTENT, 4_800_000_000),
    ("media-files", DataClass.RELATED, 21_000_000_000),
)


def made_at(week: int) -> datetime:
    return FIRST + timedelta(days=7 * week)


def set_id(week: int) -> SetId:
    return SetId(f"khanhhoa-{made_at(week):%Y%m%dT%H%M%SZ}-full-{week:02d}c4e9aa")


def _copies(week: int) -> tuple[Copy, ...]:
    """Week 4 fails on nas-1; from week 7 on discs are made as well; week 11 is not read back there."""
    name, read = set_id(week), made_at(week) + timedelta(minutes=14)
    full = Copy(name, "nas-1", "disk", CopyState.VERIFIED, VerifyLevel.L2, read)
    if week == 4:
        full = Copy(name, "nas-1", "disk", CopyState.FAILED, VerifyLevel.NONE, None, "no space left on device")
    if week == 11:
        full = Copy(name, "nas-1", "disk", CopyState.SEALED, VerifyLevel.NONE, None)
    own = Copy(name, "disk-a", "disk", CopyState.VERIFIED, VerifyLevel.L2, read, shares_source_filesystem=True)
    discs = Copy(name, "discs", "optical", CopyState.VERIFIED, VerifyLevel.L2, read)
    return (own, full, discs) if week >= 7 else (own, full)


def _backup(week: int) -> Recorded[BackupResult]:
    unread = ("/etc/ssl/private: permission denied",) if week == 2 else ()
    streams = tuple(
        Stream(
            source, "files", data_class, "dump", "tar", 900 + week, size + week * 7_000_000, digest("a"), (),
            unread=unread if data_class is DataClass.CONFIGURATION else (),
        )
        for source, data_class, size in _CLASSES
        if not (week == 9 and data_class is DataClass.CONTENT)
    )  # fmt: skip
    outcome = RunOutcome.INCOMPLETE if unread or week == 9 else RunOutcome.COMPLETE
    made = BackupSet(
        set_id(week), SetKind.FULL, "khanhhoa", made_at(week), outcome, streams, ("age1operator", "age1escrow"), digest("c"),
        11_000_000_000 + week * 5_000_000,
    )  # fmt: skip
    failed = ("portal-database: connection refused by 10.0.0.2 port 3306",) if week == 9 else ()
    body = BackupResult(
        made, _copies(week), (DataClass.CHANNELS,), ("documents: kept in the archive of the province",), failed,
        (DataClass.CONTENT,) if week == 9 else (),
    )  # fmt: skip
    return Recorded(20 + week * 10, made_at(week) + timedelta(minutes=40), f"10.2:weekly:2026-W{27 + week}", body)


def backups() -> tuple[Recorded[BackupResult], ...]:
    """A set a week, but for the sixth and the last one."""
    return tuple(_backup(week) for week in range(12) if week != 5)


def drills() -> tuple[RecordedDrill, ...]:
    """One a month over a year, in turn from two media; one of them by another host, one that found damage."""
    found = []
    for month in range(12):
        at = datetime(2025, 10, 12, 4, tzinfo=UTC) + timedelta(days=30 * month)
        medium = ("disk-a", "nas-1")[month % 2]
        state = CopyState.DAMAGED if month == 10 else CopyState.VERIFIED
        name = set_id(9) if at > FIRST else SetId(f"khanhhoa-{at:%Y%m%d}T190500Z-full-00c4e9aa")
        copy = Copy(name, medium, "disk", state, VerifyLevel.L4, at if state is CopyState.VERIFIED else None)
        problems = ("table tin_bai: 12 rows less than the manifest says",) if state is CopyState.DAMAGED else ()
        trials = (
            StreamTrial("portal-database", "dump", VerifyLevel.L4, "41 tables, 120344 rows", problems),
            StreamTrial("media-files", "files", VerifyLevel.L3, "", not_tried="no program for it"),
        )
        took = 420_000 + month * 19_000 + (260_000 if medium == "nas-1" else 0)
        result = DrillResult((copy,), trials, 25_000_000_000 + month * 90_000_000, took, 31_000, "chance")
        elsewhere = ("phuc-hoi-1", RECOVERY.public_key) if month == 9 else ("", "")
        found.append(RecordedDrill(5 + month, at, result, *elsewhere))
    return tuple(found)


def verifies() -> tuple[Recorded[CopyReports], ...]:
    """A reading, a look at a medium, and a run that removed the set of the first week."""
    again = Copy(set_id(10), "nas-1", "disk", CopyState.VERIFIED, VerifyLevel.L2, datetime(2026, 9, 14, 20, tzinfo=UTC))
    broken = Copy(
        set_id(8), "nas-1", "disk", CopyState.DAMAGED, VerifyLevel.NONE, None,
        "data/content/portal-db/dump.0001.age: SHA-256 differs",
    )  # fmt: skip
    look = MediumCheck("nas-1", "disk", True, True, 9, (f"unknown file {HOSTILE}",))
    gone = tuple(
        Copy(set_id(0), name, "disk", CopyState.DISPOSED, VerifyLevel.NONE, None) for name in ("disk-a", "nas-1")
    )
    removed = Disposal(
        set_id(0), digest("c"), made_at(0), 11_000_000_000, msg("no rule keeps it: {n} sets are newer", n=9), 171,
        datetime(2026, 9, 12, 20, tzinfo=UTC), ("disk-a", "nas-1"), discs=("1/1 KH-2026-07",),
    )  # fmt: skip
    prune = PruneResult(POLICY, gone, (removed,), (set_id(1),), 8)
    return (
        Recorded(160, datetime(2026, 9, 14, 20, 10, tzinfo=UTC), "10.2:verify:2026-W38", VerifyResult((again, broken))),
        Recorded(165, datetime(2026, 9, 15, 2, tzinfo=UTC), "", look),
        Recorded(180, datetime(2026, 9, 20, 20, tzinfo=UTC), "10.2-retention:prune:2026-09-20", prune),
    )


def decisions() -> tuple[Decision, ...]:
    """What people and the rule decided about sets."""
    at = datetime(2026, 9, 12, 20, tzinfo=UTC)

    def mark(week: int, *, by_person: bool = False) -> PruneMark:
        reason = msg("no rule keeps it: {n} sets are newer", n=9)
        return PruneMark(set_id(week), digest("c"), reason, POLICY, at + timedelta(days=7), by_person=by_person)

    return (
        Decision(150, at - timedelta(days=90), HELD, Hold(set_id(3), "thanh tra năm 2026")),
        Decision(171, at, MARKED, mark(0)),
        Decision(172, at, MARKED, mark(2)),
        Decision(173, at + timedelta(days=1), UNDONE, mark(2, by_person=True)),
        Decision(174, at + timedelta(days=2), HELD, Hold(set_id(4), HOSTILE)),
        Decision(175, at + timedelta(days=3), RELEASED, Hold(set_id(4), "đã xong")),
    )


def media() -> dict[str, RegisteredMedium]:
    """Three that are registered, one of them a tape that portalops does not reach; nas-1 is in no register."""
    since = datetime(2026, 1, 5, tzinfo=UTC)
    entry = MediumEntry(
        "disk-a", "disk", "KH-SL-01", "Tủ sắt phòng 204", "Nguyễn Văn An", site="Trụ sở Sở KH&CN", room="204"
    )
    tape = MediumEntry("tape-1", "tape", "KH-BT-07", HOSTILE, "Trần Thị Bình", date(2026, 9, 1))
    began = datetime(2026, 8, 10, 3, tzinfo=UTC)
    images = MediumEntry("discs", "optical", "KH-DQ", "Phòng 204", "Trần Thị Bình")
    return {
        "discs": RegisteredMedium("discs", images, began, began, None, None, None),
        "disk-a": RegisteredMedium("disk-a", entry, since, since, NOW - timedelta(days=10), None, None),
        "tape-1": RegisteredMedium("tape-1", tape, since, since, None, None, None),
    }


def discs() -> tuple[HeldDisc, ...]:
    """The newest set but one is burnt on two discs, of which one was read back."""

    def disc(number: int, state: DiscState) -> HeldDisc:
        burnt = BurntDisc(
            "discs", set_id(10), number, 2, f"KH-2026-{number:02d}", "PORTALOPS_1", digest("9"), 4_300_000_000, state,
            place="Kho lưu trữ tỉnh", custodian="Trần Thị Bình", spread=digest("8"),
        )  # fmt: skip
        at = datetime(2026, 9, 16, 3, tzinfo=UTC)
        return HeldDisc(166 + number, burnt, at, state, "", at, at if state is DiscState.WHOLE else None)

    return disc(1, DiscState.WHOLE), disc(2, DiscState.UNREAD)


def runs() -> tuple[tuple[Run, ...], dict[int, RunSummary | None]]:
    """A backup that crashed, one that failed, and a removal that was refused."""
    crashed = Run(RunId("10.2:weekly:2026-W32"), "backup", "", "10.2", made_at(5), 70)
    failed_at, refused_at = made_at(5) + timedelta(hours=3), datetime(2026, 9, 19, 20, tzinfo=UTC)
    failed = Run(RunId("10.2:weekly:2026-W32.2"), "backup", "", "10.2", failed_at, 71, failed_at, 72)
    refused = Run(RunId("10.2-retention:prune:2026-09-19"), "prune", "", "10.2", refused_at, 176, refused_at, 177)
    ends: dict[int, RunSummary | None] = {
        72: RunSummary(RunOutcome.FAILED, 4, failed_at, failed_at, ("cannot open medium nas-1: no route to host",)),
        177: RunSummary(RunOutcome.FAILED, 5, refused_at, refused_at, ("nas-1 lists no set that is to be kept",)),
    }
    return (crashed, failed, refused), ends


def adopted() -> tuple[Recorded[AdoptedPoll], ...]:
    claim = AdoptedBackup("restic", "9f2c", datetime(2026, 9, 20, tzinfo=UTC), "web-1", 8 << 30, DataClass.CONTENT)
    look = AdoptedPoll("restic-of-the-province", "restic", DataClass.CONTENT, (claim,))
    return (Recorded(185, datetime(2026, 9, 21, tzinfo=UTC), "", look),)


def evidence() -> Evidence:
    """All of it."""
    every, ends = runs()
    return Evidence(
        period=PERIOD, now=NOW, zone=ZONE, started_at=datetime(2025, 9, 1, tzinfo=UTC), runs=every, backups=backups(),
        verifies=verifies(), checks=None, updates=None, reports=(), summaries=ends, adopted=adopted(), discs=discs(),
        media=media(), decisions=decisions(), drills=drills(),
    )  # fmt: skip


def empty() -> Evidence:
    """A quarter of which nothing is known."""
    return Evidence(
        period=PERIOD, now=NOW, zone=ZONE, started_at=None, runs=(), backups=(), verifies=(), checks=None, updates=None, reports=(),
    )  # fmt: skip


def material(seen: Evidence, proof: Proof = Proof()) -> Material:  # noqa: B008  # frozen
    """What a report is made from."""
    rulebook = load_rulebook("kh-37-2010", {})
    return Material(
        portal=PORTAL, actors=ACTORS, units=UNITS, hosts=HOSTS, rulebook=rulebook, calendar=load_calendar(None), period=seen.period,
        standings=judge(Situation(rulebook, seen, HOSTS, UNITS, load_calendar())), evidence=seen, proof=proof,
        generated_at=NOW, version="0.1.0",
    )  # fmt: skip
