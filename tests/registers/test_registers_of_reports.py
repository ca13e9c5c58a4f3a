"""What reports alone show of the ledger: media, decisions about sets, drills of a year, slots, bundles that were handed out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from portalops import bodies
from portalops.ledger.as_of import LedgerAsOf
from portalops.ledger.ledger import Ledger
from portalops.ledger.proof import read_proof
from portalops.ledger.record import NO_RUN
from portalops.model.backups import Copy, CopyState, DrillResult, SetId, StreamTrial, VerifyLevel
from portalops.model.media import MediumEntry, MediumMove
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.model.record import Digest, RunId
from portalops.model.retention import Hold, PruneMark, RetentionPolicy
from portalops.model.runs import Every, Job, JobId, JobKind, Plan, RunSummary, WrittenFile
from portalops.model.verdicts import RunOutcome
from portalops.registers.evidence import Evidence, read_evidence
from portalops.registers.exports import Export, Exporter, LeftOut
from portalops.registers.figures import read_figures
from portalops.registers.retention import HELD, MARKED, fold_retention
from portalops.registers.slots import SlotState
from tests.doubles import FixedClock
from tests.ledger.ledgers import ZONE, new_ledger

BEGAN = datetime(2025, 1, 1, 2, tzinfo=UTC)
NOW = datetime(2026, 12, 3, 2, tzinfo=UTC)
PERIOD = Period(date(2026, 11, 23), date(2026, 11, 29))
SET = SetId("khanhhoa-20261123T190000Z-full-0000c4e9")
RUN = RunId("10.2:drill:2026-W48")


def drill(took_ms: int) -> DrillResult:
    copy = Copy(SET, "disk-a", "disk", CopyState.VERIFIED, VerifyLevel.L4, BEGAN)
    return DrillResult((copy,), (StreamTrial("db", "dump", VerifyLevel.L4, "41 tables"),), 7, took_ms)


def moving(clock: FixedClock, ledger: Ledger, at: datetime, kind: str, body: dict[str, object]) -> Digest:
    clock.at = at
    return ledger.append(kind, run=NO_RUN, body=bodies.write(body)).body


def filled(folder: Path) -> tuple[Ledger, dict[str, Digest]]:
    clock = FixedClock(BEGAN)
    ledger = new_ledger(folder, clock)
    job = Job(JobId("drill"), JobKind.DRILL, Every.WEEK, "10.2")
    kept: dict[str, Digest] = {}
    steps: list[tuple[str, datetime, str, dict[str, object]]] = [
        ("old", BEGAN, "drill.finished", {"drill": drill(1000)}),
        ("plan", BEGAN, "plan", {"plan": Plan((job,), "kh@1", Digest("0" * 64), ZONE.key)}),
        ("entry", BEGAN, "media.added", {"medium": MediumEntry("disk-a", "disk", "KH-01", "Phòng 204", "An")}),
        ("year", datetime(2026, 2, 1, tzinfo=UTC), "drill.finished", {"drill": drill(2000)}),
        ("held", datetime(2026, 11, 24, tzinfo=UTC), HELD, {"hold": Hold(SET, "thanh tra")}),
        ("mark", datetime(2026, 11, 25, tzinfo=UTC), MARKED, {"mark": PruneMark(SET, Digest("c" * 64), msg("old"), RetentionPolicy(2), NOW)}),
    ]  # fmt: skip
    for name, at, kind, body in steps:
        kept[name] = moving(clock, ledger, at, kind, body)
    clock.at = datetime(2026, 11, 26, tzinfo=UTC)
    ledger.append("drill.started", run=RUN, body=bodies.write({}))
    ended = RunSummary(RunOutcome.COMPLETE, 0, clock.at, clock.at)
    kept["drill"] = ledger.append(
        "drill.finished", run=RUN, body=bodies.write({"run": ended, "drill": drill(3000)})
    ).body
    who = {"user_id": 0, "login_user_id": 1000, "sudo_user": "an", "host": "web-1", "machine": "", "portalops": "0"}
    files = (WrittenFile("report.vi.html", "vi", 9, Digest("1" * 64)),)
    export = {"period": str(PERIOD), "reports": files, "withheld": (LeftOut(Digest("2" * 64), "personal data"),)}
    moving(clock, ledger, datetime(2026, 11, 27, tzinfo=UTC), "export", {"circumstances": who, "export": export})
    moving(
        clock, ledger, datetime(2026, 12, 1, tzinfo=UTC), "media.moved", {"move": MediumMove("disk-a", "Kho lưu trữ")}
    )
    clock.at = NOW
    return ledger, kept


def seen(ledger: Ledger, *, every_run: bool = True) -> Evidence:
    return read_evidence(ledger, PERIOD, now=NOW, zone=ZONE, every_run=every_run)


def test_reports_see_media_as_of_the_periods_end_decisions_a_year_of_drills_and_slots(tmp_path: Path) -> None:
    found = seen(filled(tmp_path)[0])

    assert [each.result.restore_ms for each in found.drills] == [2000, 3000]
    entry = found.media["disk-a"].entry
    assert entry is not None
    assert entry.place == "Phòng 204"
    retained = fold_retention(found.decisions)
    assert retained.holds[SET].hold.reason == "thanh tra"
    assert retained.marks[SET].mark.policy.keep_last == 2
    assert found.slots is not None
    assert [(slot.name, slot.state) for slot in found.slots.slots] == [("2026-W48", SlotState.DONE)]
    assert found.unreadable == ()


def test_status_reads_none_of_it(tmp_path: Path) -> None:
    found = seen(filled(tmp_path)[0], every_run=False)

    assert (found.drills, found.decisions, found.slots) == ((), (), None)


def test_what_of_it_cannot_be_read_is_named_and_a_lost_plan_leaves_it_open_what_was_expected(tmp_path: Path) -> None:
    ledger, kept = filled(tmp_path)
    for name in ("plan", "entry", "year", "mark"):
        next(tmp_path.rglob(f"*{kept[name][2:]}*")).unlink()

    found = seen(ledger)

    assert [each.kind for each in found.unreadable] == ["plan", "medium", "earlier drill", "retention"]
    assert found.slots is not None
    assert found.slots.slots == ()
    assert found.slots.problem is not None


def test_a_report_knows_who_handed_out_which_bundle(tmp_path: Path) -> None:
    ledger, _kept = filled(tmp_path)
    last = ledger.last()
    assert last is not None
    figures = read_figures(ledger, PERIOD, as_of_seq=last.seq, zone=ZONE)

    found = read_proof(
        LedgerAsOf(ledger, last.seq), figures, (), ledger_id=ledger.id, since=PERIOD.bounds(ZONE)[0], unsigned=None,
        has_key=False, own_run="",
    )  # fmt: skip

    (one,) = found.exports
    assert one.export == Export(
        str(PERIOD),
        (WrittenFile("report.vi.html", "vi", 9, Digest("1" * 64)),),
        (LeftOut(Digest("2" * 64), "personal data"),),
    )
    assert one.by == Exporter(0, 1000, "an", "web-1")
    assert found.unreadable == ()
    assert timedelta(0) < last.at - one.at
