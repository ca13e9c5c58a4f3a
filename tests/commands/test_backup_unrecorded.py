"""Backups while the ledger refuses records for their time: made all the same, and recorded afterwards as late ones."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.clock import note_clock
from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs.due import RunRequest, is_idle
from commands.jobs.performed import PerformedJob
from commands.jobs.runner import record_plan
from commands.jobs.unrecorded import REFUSED, back_up_due, record_waiting
from portalops import bodies
from portalops.errors import ClockJumped, ExitCode, LedgerError
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.ledger.waiting import WaitingBackup, read_waiting
from portalops.model.backups import CopyState
from portalops.model.late_backups import LATE, LATE_BACKUP, LateBackup
from portalops.model.verdicts import RunOutcome
from portalops.ports import Clock
from portalops.registers.backups import recorded_sets
from portalops.system.clock import SystemClock
from tests.commands.test_backup import Portal
from tests.commands.test_clock_jump import Kernel, SetClock

YEARS = timedelta(days=3650)
WEEK = timedelta(days=7)


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Portal:
    return Portal(tmp_path, capsys)


def session_at(portal: Portal, clock: Clock) -> Session:
    invocation = replace(Invocation(arguments=("run", "--due")), config=portal.folder / "portalops.toml")
    return Session(invocation, {}, clock=clock, surroundings=Kernel(synchronised=False))


def answer(portal: Portal, clock: Clock, *arguments: str) -> tuple[int, Any]:
    code = run(
        ["--config", str(portal.folder / "portalops.toml"), "--json", "--lang", "en", *arguments], {}, clock=clock
    )
    return code, json.loads(portal.output())


def begun_in_2036(portal: Portal) -> None:
    """A ledger whose newest record was made by a clock ten years ahead."""
    Ledger.open(portal.folder / "state", SetClock(YEARS), create=True)


def refused_run(portal: Portal, clock: Clock) -> tuple[LedgerError, Sequence[PerformedJob]]:
    """`run --due` up to its refusal, by a clock that nobody keeps."""
    session, performed = session_at(portal, clock), list[PerformedJob]()
    with pytest.raises(REFUSED) as refused:
        record_plan(session)
    error = back_up_due(session, RunRequest(due_only=True), refused.value, performed)
    assert isinstance(error, REFUSED)
    return error, performed


def waiting(portal: Portal) -> list[WaitingBackup]:
    return [each for each in read_waiting(portal.folder / "state") if isinstance(each, WaitingBackup)]


def ledger_of(portal: Portal) -> Ledger:
    return Ledger.open(portal.folder / "state", SystemClock(), create=False)


def late_records(portal: Portal) -> list[LateBackup]:
    ledger = ledger_of(portal)
    return [
        bodies.required_part(ledger.blob(record.body), LATE_BACKUP, LateBackup)
        for record in ledger.records(kinds=(LATE,))
    ]


def sets_on(portal: Portal, medium: str) -> int:
    return sum(each.is_dir() and each.name.startswith("demo-") for each in (portal.folder / medium).rglob("demo-*"))


def test_a_backup_by_hand_is_made_although_the_newest_record_is_of_the_future(portal: Portal) -> None:
    begun_in_2036(portal)

    code, said = answer(portal, SystemClock(), "backup", "run")

    assert (code, said["error"]["code"]) == (ExitCode.FAILED, "PO1103")
    assert "was made all the same and lies on disk-a, disk-b; it is not recorded yet" in said["error"]["message"]
    assert "Then 'portalops run' records it" in said["error"]["hint"]
    (one,) = waiting(portal)
    assert (one.late.outcome, one.late.refusal) == (RunOutcome.COMPLETE, "PO1103")
    assert one.late.backup is not None
    assert one.late.backup.set is not None
    assert (portal.folder / "disk-a" / one.late.backup.set.id).is_dir()
    assert stat.S_IMODE(one.path.stat().st_mode) == 0o600
    assert ledger_of(portal).count() == 1


def test_a_backup_by_hand_names_a_void_clock(portal: Portal) -> None:
    ledger = Ledger.open(portal.folder / "state", SystemClock(), create=True)
    void = ledger.append("ledger.clock-mended", run=NO_RUN, body=bodies.write({"mended_clock": {"text": "x"}}))

    _code, said = answer(portal, SystemClock(), "backup", "run")

    assert f"the mended clock in record {void.seq} counts for nothing" in json.dumps(said["warnings"])


def test_the_backups_that_are_due_are_made_once_a_slot_and_nothing_else_is(portal: Portal) -> None:
    begun_in_2036(portal)

    code, said = answer(portal, SystemClock(), "run", "--due")
    again, second = answer(portal, SystemClock(), "run", "--due")

    assert (code, again) == (ExitCode.FAILED, ExitCode.FAILED)
    assert "was made all the same" in said["error"]["message"]
    assert "1 backup made meanwhile waits to be recorded" in second["error"]["message"]
    assert [one.late.job for one in waiting(portal)] == ["weekly-backup"]
    assert ledger_of(portal).count() == 1


def test_a_clock_that_jumped_ahead_makes_the_backup_that_it_takes_for_due(portal: Portal) -> None:
    clock = SetClock()
    record_plan(session_at(portal, clock))
    note_clock(portal.folder / "state", clock)
    before = ledger_of(portal).count()

    error, performed = refused_run(portal, SetClock(YEARS))
    second, none = refused_run(portal, SetClock(YEARS))

    assert (type(error), type(second), none) == (ClockJumped, ClockJumped, [])
    assert [done.outcome for done in performed] == [RunOutcome.COMPLETE]
    assert ledger_of(portal).count() == before


def test_a_late_backup_is_recorded_as_one_and_the_duty_is_done_anew(portal: Portal) -> None:
    clock = SetClock()
    record_plan(session_at(portal, clock))
    note_clock(portal.folder / "state", clock)
    refused_run(portal, SetClock(YEARS))

    assert not is_idle(session_at(portal, clock), RunRequest(due_only=True))
    code, said = answer(portal, SystemClock(), "run", "--due", "weekly-backup")

    assert code != ExitCode.FAILED
    assert "no duty is met by it" in " ".join(said["warnings"])
    assert [(job["id"], job["outcome"]) for job in said["data"]["jobs"]] == [("weekly-backup", "complete")]
    assert waiting(portal) == []
    (late,) = late_records(portal)
    now = SystemClock().now()
    assert late.shown_at > now + WEEK
    assert late.made_at is not None
    assert abs(late.made_at - now) < timedelta(minutes=10)
    late_set, regular = recorded_sets(ledger_of(portal))
    assert late_set.set.created_at == late.made_at
    assert late_set.run == late.run
    assert {copy.state for copy in late_set.copies} == {CopyState.SEALED}
    assert regular.run != late.run
    assert answer(portal, SystemClock(), "ledger", "verify")[0] == ExitCode.OK


def test_a_boot_since_then_leaves_the_moment_unknown(portal: Portal) -> None:
    begun_in_2036(portal)
    answer(portal, SystemClock(), "backup", "run")
    (one,) = waiting(portal)
    other = replace(one.late, boot="0000")
    one.path.write_bytes(bodies.write({LATE_BACKUP: other, "circumstances": one.circumstances}))

    record_waiting(session_at(portal, SetClock(YEARS + timedelta(hours=1))))

    assert [late.made_at for late in late_records(portal)] == [None]


def test_a_backup_is_recorded_once_although_its_file_could_not_be_removed(portal: Portal) -> None:
    begun_in_2036(portal)
    answer(portal, SystemClock(), "backup", "run")
    (one,) = waiting(portal)
    data, clock = one.path.read_bytes(), SetClock(YEARS + timedelta(hours=1))

    record_waiting(session_at(portal, clock))
    one.path.write_bytes(data)
    one.path.chmod(0o600)
    record_waiting(session_at(portal, clock))

    assert len(late_records(portal)) == 1
    assert waiting(portal) == []


def test_a_backup_that_failed_waits_as_failed_and_says_why(portal: Portal) -> None:
    begun_in_2036(portal)
    for medium in ("disk-a", "disk-b"):
        (portal.folder / medium).write_text("no folder")

    code, said = answer(portal, SystemClock(), "backup", "run")

    assert (code, said["error"]["code"]) == (ExitCode.FAILED, "PO1103")
    assert [one.late.outcome for one in waiting(portal)] == [RunOutcome.FAILED]


def test_other_jobs_are_refused_as_before(portal: Portal) -> None:
    begun_in_2036(portal)

    code, said = answer(portal, SystemClock(), "backup", "verify")

    assert code == ExitCode.FAILED
    assert "all the same" not in said["error"]["message"]
    assert waiting(portal) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\x00", b'{"late_backup":{},"circumstances":{}}'])
def test_a_file_that_is_none_is_named_once_and_kept(portal: Portal, content: bytes) -> None:
    session = session_at(portal, SystemClock())
    record_plan(session)
    folder = portal.folder / "state" / "unrecorded"
    folder.mkdir()
    (folder / "x.json").write_bytes(content)
    (folder / "x.json").chmod(0o600)

    record_waiting(session)

    assert "x.json.unreadable is not a backup that waits to be recorded" in str(session.warnings[-1])
    assert (folder / "x.json.unreadable").read_bytes() == content
    again = session_at(portal, SystemClock())
    record_waiting(again)
    assert again.warnings == []


@pytest.mark.parametrize(
    "change",
    [
        {"up_seconds": 10**30},
        {"up_seconds": -(10**9)},
        {"up_seconds": 10**9},
        {"job": "a\nb", "backup": None},
        {"duty": "x" * 600},
        {"set": "a\nb"},
        {"set": "../../etc/x"},
        {"set": "a" * 600},
        {"set": "a\ud800"},
    ],
)
def test_a_file_that_no_record_can_hold_is_named_and_kept_and_the_run_goes_on(
    portal: Portal, change: dict[str, Any]
) -> None:
    begun_in_2036(portal)
    answer(portal, SystemClock(), "backup", "run")
    (one,) = waiting(portal)
    held = json.loads(one.path.read_bytes())
    if "set" in change:
        held[LATE_BACKUP]["backup"]["set"]["id"] = change["set"]
    else:
        held[LATE_BACKUP] |= change
    one.path.write_text(json.dumps(held))

    session = session_at(portal, SetClock(YEARS + timedelta(hours=1)))
    record_waiting(session)

    assert f"{one.path.name}.unreadable is not a backup that waits to be recorded" in str(session.warnings[-1])
    assert (late_records(portal), waiting(portal)) == ([], [])


def test_a_file_that_others_may_write_is_kept_and_not_taken(portal: Portal) -> None:
    begun_in_2036(portal)
    answer(portal, SystemClock(), "backup", "run")
    (one,) = waiting(portal)
    one.path.chmod(0o666)
    one.path.with_name(f"{one.path.name}.unreadable").write_bytes(b"an earlier one")

    session = session_at(portal, SetClock(YEARS + timedelta(hours=1)))
    record_waiting(session)

    assert f"{one.path.name}.2.unreadable" in str(session.warnings[-1])
    assert late_records(portal) == []


def test_a_link_and_a_file_that_others_may_read_are_not_taken(portal: Portal) -> None:
    begun_in_2036(portal)
    answer(portal, SystemClock(), "backup", "run")
    (one,) = waiting(portal)
    outside = portal.folder / "elsewhere.json"
    outside.write_bytes(one.path.read_bytes())
    one.path.chmod(0o644)
    (one.path.parent / "link.json").symlink_to(outside)

    assert waiting(portal) == []
    assert len(read_waiting(portal.folder / "state")) == 2


def test_no_more_than_a_hundred_wait(portal: Portal) -> None:
    begun_in_2036(portal)
    folder = portal.folder / "state" / "unrecorded"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number}.json").write_bytes(b"{}")

    code, said = answer(portal, SystemClock(), "backup", "run")

    assert code == ExitCode.FAILED
    assert "100 backups wait to be recorded, and no more are made" in said["error"]["message"]
    assert not (portal.folder / "disk-a").exists()
