"""Every run leaves two records; an error leaves one that says so; a kill leaves the first alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode, LedgerFull, Locked, MediumUnavailable
from portalops.jobs import due
from portalops.ledger.circumstances import REDACTED, Circumstances, collect, redacted
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.ledger.runs import (
    RecordedRun,
    Work,
    is_running,
    lock_name,
    read_attempts,
    record_plan,
    record_run,
)
from portalops.locale import render
from portalops.model.backups import VerifyResult
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.runs import Every, Job, JobId, JobKind, Plan, RunSummary
from portalops.model.verdicts import RunOutcome
from portalops.registers.runs import attempt_of, parse_run_id, run_id
from portalops.system.surroundings import LocalSurroundings
from tests.doubles import FixedClock
from tests.ledger.ledgers import DAILY, START, WEEKLY, ZONE, new_ledger

VERIFY = Job(JobId("weekly-verify"), JobKind.VERIFY, Every.WEEK, "10.2-medium")
WHO = Circumstances(1000, None, "lan", "web1", "ab" * 32, "0.1.0", Digest("a" * 64), ("portalops", "run"), True)


def done(outcome: RunOutcome = RunOutcome.COMPLETE) -> Work[VerifyResult]:
    return Work(outcome, ExitCode.OK, VerifyResult(()))


def performed(
    ledger: Ledger, clock: FixedClock, work: Work[VerifyResult], slot: str = "2026-W48"
) -> RecordedRun[VerifyResult]:
    return record_run(ledger, VERIFY, slot, lambda: work, clock=clock, circumstances=WHO)


def test_a_run_is_framed_by_its_two_records(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)

    def work() -> Work[VerifyResult]:
        clock.move(timedelta(minutes=3))
        return done()

    found = record_run(ledger, VERIFY, "2026-W48", work, clock=clock, circumstances=WHO)

    assert [record.kind for record in ledger.records()] == ["ledger.created", "verify.started", "verify.finished"]
    assert found.run == found.started.run == found.finished.run == "10.2-medium:weekly-verify:2026-W48"
    assert (found.finished.subject, found.finished.duty) == ("weekly-verify", "10.2-medium")
    blob = ledger.blob(found.finished.body)
    assert bodies.decode_part(blob, "run", RunSummary) == RunSummary(
        RunOutcome.COMPLETE, 0, START, START + timedelta(minutes=3)
    )
    assert bodies.decode_part(blob, "verify", VerifyResult) == VerifyResult(())
    assert bodies.decode_part(blob, "circumstances", Circumstances) == WHO
    assert bodies.decode_part(ledger.blob(found.started.body), "circumstances", Circumstances) == WHO


@pytest.mark.parametrize(
    ("error", "exit_code", "problem"),
    [
        (MediumUnavailable(msg("disk {id} is gone", id="a"), msg("Mount it.")), ExitCode.FAILED, "disk a is gone"),
        (ZeroDivisionError("division by zero"), ExitCode.FAULT, "ZeroDivisionError: division by zero"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "interrupted"),
        (
            ValueError("a\x1b[2J\nb" + "x" * 600),
            ExitCode.FAULT,
            ("ValueError: a\\x1b[2J\\nb" + "x" * 600)[:497] + "...",
        ),
    ],
)
def test_an_error_is_recorded_as_a_failed_run_and_raised(
    tmp_path: Path, error: BaseException, exit_code: ExitCode, problem: str
) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)

    def work() -> Work[VerifyResult]:
        raise error

    with pytest.raises(type(error)):
        record_run(ledger, VERIFY, "2026-W48", work, clock=clock, circumstances=WHO)

    last = ledger.last()
    assert last is not None and last.kind == "verify.finished"
    summary = bodies.decode_part(ledger.blob(last.body), "run", RunSummary)
    assert summary is not None
    assert (summary.outcome, summary.exit_code, summary.problems) == (RunOutcome.FAILED, exit_code, (problem,))
    assert bodies.decode_part(ledger.blob(last.body), "verify", VerifyResult) is None


def test_further_attempts_in_a_slot_are_numbered(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)

    runs = [performed(ledger, clock, done(RunOutcome.FAILED)).run for _number in range(3)]

    base = "10.2-medium:weekly-verify:2026-W48"
    assert runs == [base, f"{base}.2", f"{base}.3"]
    assert performed(ledger, clock, done(), slot="2026-W49").run == "10.2-medium:weekly-verify:2026-W49"


def test_a_killed_run_leaves_its_started_record_alone_and_frees_its_lock(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from portalops.ledger.ledger import Ledger\nfrom portalops.ledger.runs import record_run\n"
        "from portalops.system.clock import SystemClock\nfrom tests.ledger.test_runs import VERIFY, WHO\n"
        "clock = SystemClock()\nledger = Ledger.open(Path(sys.argv[1]), clock, create=True)\n"
        "def work():\n    print('working', flush=True)\n    time.sleep(60)\n"
        "record_run(ledger, VERIFY, '2026-W48', work, clock=clock, circumstances=WHO)\n"
    )
    runner = subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE)
    assert runner.stdout is not None and runner.stdout.readline() == b"working\n"
    clock = FixedClock(datetime(2100, 1, 1, tzinfo=UTC))
    ledger = Ledger.open(tmp_path, clock, create=True)
    (run,) = ledger.runs()
    assert is_running(ledger.locks, run)
    with pytest.raises(Locked):
        performed(ledger, clock, done())

    runner.send_signal(signal.SIGKILL)
    runner.communicate()

    (run,) = ledger.runs()
    assert run.finished_at is None
    assert not is_running(ledger.locks, run)
    assert performed(ledger, clock, done()).run.endswith("2026-W48.2")


def test_work_does_not_begin_if_its_start_cannot_be_recorded(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    begun: list[str] = []

    def work() -> Work[VerifyResult]:
        begun.append("begun")
        return done()

    blobs = tmp_path / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    blobs.touch()
    with pytest.raises(LedgerFull):
        record_run(ledger, VERIFY, "2026-W48", work, clock=clock, circumstances=WHO)

    assert begun == []


def test_many_long_problems_are_bounded(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)

    found = performed(ledger, clock, Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, None, ("x" * 9000,) * 1500))

    assert len(found.summary.problems) == 1001
    assert found.summary.problems[-1] == "... 500 more"
    assert max(map(len, found.summary.problems)) == 500


def test_a_problem_is_kept_for_programs_and_for_people(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    said = msg("not checked: {cause}", cause=msg("it expired on {day}", day=START.date()))
    long = msg("not checked: {cause}", cause="x" * 9000)

    found = performed(ledger, clock, Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, None, (said, "disk1: gone\n", long)))

    blob = ledger.blob(found.finished.body)
    read = bodies.required_part(blob, "run", RunSummary)
    assert read == found.summary == bodies.decode_plain(RunSummary, bodies.plain_part(blob, "run"))
    assert read.problems[:2] == (str(said), "disk1: gone\\n")
    assert [render(each, "vi") for each in read.shown_problems[:2]] == [
        f"chưa kiểm tra: đã hết hạn ngày {START:%d/%m/%Y}",
        "disk1: gone\\n",
    ]
    assert str(read.shown_problems[2]) == read.problems[2]
    assert len(read.problems[2]) == 500


def test_a_record_of_before_problems_were_messages_shows_its_text(tmp_path: Path) -> None:
    clock = FixedClock(START)
    found = performed(new_ledger(tmp_path, clock), clock, Work(RunOutcome.FAILED, ExitCode.FAILED, None, ("gone",)))
    part = bodies.plain(bodies.write({"run": found.summary}))["run"]
    assert isinstance(part, dict)
    del part["problem_messages"]

    old = bodies.decode(RunSummary, part)

    assert (old.problems, [render(each, "vi") for each in old.shown_problems]) == (("gone",), ["gone"])


def test_a_plan_is_recorded_when_it_changes(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    plan = Plan((DAILY, WEEKLY), "kh@1", Digest("a" * 64))

    assert record_plan(ledger, plan, WHO) is not None
    assert record_plan(ledger, plan, WHO) is None
    assert record_plan(ledger, Plan((DAILY,), "kh@1", Digest("a" * 64)), WHO) is not None
    assert record_plan(ledger, plan, WHO) is not None
    assert len(ledger.plans()) == 3


def test_a_plan_whose_details_are_lost_is_recorded_anew(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    plan = Plan((DAILY,), "kh@1", Digest("a" * 64))
    lost = record_plan(ledger, plan, WHO)
    assert lost is not None
    (tmp_path / "blobs" / lost.body[:2] / lost.body[2:4] / f"{lost.body}.zst").write_bytes(b"damaged")

    again = record_plan(ledger, plan, WHO)

    assert again is not None
    assert again.seq == lost.seq + 1


def test_a_result_that_cannot_be_written_leaves_a_failed_run(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)

    with pytest.raises(TypeError):
        record_run(
            ledger,
            DAILY,
            "2026-11-23",
            lambda: Work(RunOutcome.COMPLETE, ExitCode.OK, 0.5, ("seen",)),
            clock=clock,
            circumstances=WHO,
        )

    (run,) = ledger.runs()
    assert ledger.outcome(run) is RunOutcome.FAILED


def test_attempts_carry_outcomes_of_the_current_slot(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    performed(ledger, clock, done(RunOutcome.INCOMPLETE))
    performed(ledger, clock, done())

    found = read_attempts(ledger, (VERIFY, DAILY), START + timedelta(days=1), ZONE)

    assert [attempt.outcome for attempt in found] == [RunOutcome.INCOMPLETE, RunOutcome.COMPLETE]
    assert read_attempts(ledger, (), START, ZONE) == ()


def test_a_run_that_holds_its_lock_is_running(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    run = run_id(VERIFY, "2026-W48")
    ledger.append("verify.started", run=run, subject=VERIFY.id, body=b"{}")

    with ledger.locks.held(lock_name(VERIFY.id), holder=run):
        (attempt,) = read_attempts(ledger, (VERIFY,), START, ZONE)
        assert attempt.running
    with ledger.locks.held(lock_name(VERIFY.id), holder=f"{run}.2"):
        (attempt,) = read_attempts(ledger, (VERIFY,), START, ZONE)
        assert not attempt.running


@pytest.mark.parametrize(("error", "interrupted"), [(KeyboardInterrupt(), True), (ValueError("no"), False)])
def test_an_interrupted_run_is_told_from_one_that_failed(
    tmp_path: Path, error: BaseException, interrupted: bool
) -> None:
    ledger = new_ledger(tmp_path, FixedClock(START))

    def work() -> Work[VerifyResult]:
        raise error

    with pytest.raises(type(error)):
        record_run(ledger, VERIFY, "2026-W48", work, clock=FixedClock(START), circumstances=WHO)

    (attempt,) = read_attempts(ledger, (VERIFY,), START, ZONE)
    assert (attempt.outcome, attempt.interrupted) == (RunOutcome.FAILED, interrupted)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ((), "10.2:weekly-backup:2026-W48"),
        (("10.2:weekly-backup:2026-W47",), "10.2:weekly-backup:2026-W48"),
        (("10.2:weekly-backup:2026-W48",), "10.2:weekly-backup:2026-W48.2"),
        (("10.2:weekly-backup:2026-W48", "10.2:weekly-backup:2026-W48.9"), "10.2:weekly-backup:2026-W48.10"),
        (("10.2:weekly-backup:2026-W48:full",), "10.2:weekly-backup:2026-W48"),
    ],
)
def test_run_ids_are_made_from_what_was_planned(taken: tuple[str, ...], expected: str) -> None:
    assert run_id(WEEKLY, "2026-W48", taken=taken) == expected


def test_run_ids_are_read_back() -> None:
    run = run_id(WEEKLY, "2026-W48", taken=("10.2:weekly-backup:2026-W48:full",), suffix="full")

    found = parse_run_id(run)

    assert run == "10.2:weekly-backup:2026-W48:full.2"
    assert found is not None
    assert (found.duty, found.job, found.slot, found.suffix, found.attempt) == (
        "10.2", "weekly-backup", "2026-W48", "full", 2,
    )  # fmt: skip
    assert run_id(Job(JobId("x"), JobKind.CHECK, Every.DAY), "2026-11-25") == "check:x:2026-11-25"
    assert attempt_of("10.2:weekly:2026-W48") == 1
    for odd in ("", "a", "a:b", "a:b:c:d:e", "a::c"):
        assert parse_run_id(odd) is None
    for slot, suffix in (("a:b", ""), ("", ""), ("2026-W48", "a b"), ("2026-W48", "x.2")):
        with pytest.raises(ValueError, match=r"not a part|ends like"):
            run_id(WEEKLY, slot, suffix=suffix)


class _Surroundings:
    """A machine and process made up for a test."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def variable(self, name: str) -> str:
        return {"SUDO_USER": "lan"}.get(name, "")

    def user_id(self) -> int:
        return 0

    def host_name(self) -> str:
        return "web1"

    def read(self, path: str) -> str | None:
        return self._files.get(path)

    def clock_is_synchronised(self) -> bool | None:
        return None


def test_circumstances_say_who_where_and_how() -> None:
    files = {"/proc/self/loginuid": "1000", "/etc/machine-id": "0123456789abcdef0123456789abcdef\n"}

    found = collect(_Surroundings(files), configuration=Digest("a" * 64), arguments=("portalops", "run"))

    assert (found.user_id, found.login_user_id, found.sudo_user, found.host) == (0, 1000, "lan", "web1")
    assert len(found.machine) == 64 and "0123456789abcdef" not in found.machine
    assert found.clock_synchronised is None


@pytest.mark.parametrize("loginuid", ["4294967295", "", "x"])
def test_a_daemons_child_has_no_login_user(loginuid: str) -> None:
    found = collect(_Surroundings({"/proc/self/loginuid": loginuid}), configuration=Digest("a" * 64), arguments=())

    assert found.login_user_id is None
    assert found.machine == ""


def test_this_machine_can_be_looked_at() -> None:
    found = collect(LocalSurroundings(), configuration=Digest("a" * 64), arguments=())

    assert found.host
    assert found.clock_synchronised in {True, False, None}


def test_secrets_are_taken_out_of_arguments() -> None:
    arguments = (
        "portalops",
        "--password",
        "hunter2",
        "--api-token=abc",
        "sql://u:p4ss@db/x",
        "token.txt",
        "DB_SECRET=s",
    )

    assert redacted(arguments) == (
        "portalops",
        "--password",
        REDACTED,
        f"--api-token={REDACTED}",
        f"sql://u:{REDACTED}@db/x",
        "token.txt",
        f"DB_SECRET={REDACTED}",
    )
    assert len(redacted(("x" * 1000,) * 1000)) == 101


def test_an_overdue_run_says_so_in_its_record(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)

    found = record_run(ledger, VERIFY, "2026-W48", done, clock=clock, circumstances=WHO, late=True)

    (run,) = ledger.runs()
    assert found.summary.late
    assert ledger.summary(run) == found.summary


def test_a_plan_of_before_jobs_had_a_time_is_read_as_one_without(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    old = bodies.encode(Plan((DAILY, WEEKLY), "kh@1", Digest("a" * 64)))
    assert isinstance(old, dict)
    assert isinstance(old["jobs"], list)
    for job in old["jobs"]:
        assert isinstance(job, dict)
        del job["at"], job["on"]
    ledger.append("plan", run=NO_RUN, body=bodies.write({"plan": old}))

    assert ledger.plan() == Plan((DAILY, WEEKLY), "kh@1", Digest("a" * 64))
    assert record_plan(ledger, Plan((DAILY, WEEKLY), "kh@1", Digest("a" * 64)), WHO) is None


def test_a_job_that_was_done_long_ago_is_told_from_a_new_one(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    record_run(ledger, WEEKLY, WEEKLY.every.slot(START.astimezone(ZONE)), done, clock=clock, circumstances=WHO)
    new = Job(JobId("other-backup"), WEEKLY.kind, Every.WEEK)

    much_later = START + timedelta(weeks=30)
    attempts = read_attempts(ledger, [WEEKLY, new], much_later, ZONE)

    assert [(each.job.id, each.late) for each in due([WEEKLY, new], attempts, much_later, ZONE)] == [
        (WEEKLY.id, True),
        (new.id, False),
    ]


def test_a_plan_that_another_process_recorded_meanwhile_is_not_recorded_twice(tmp_path: Path) -> None:
    clock = FixedClock(START)
    plan = Plan((DAILY,), "kh@1", Digest("a" * 64))
    new_ledger(tmp_path, clock)
    here, other = (Ledger.open(tmp_path, clock, create=True) for _each in range(2))

    class Slow(Ledger):
        """The other process is quicker once this one has seen that the plan is to be recorded."""

        def keep(self, data: bytes) -> Digest:
            kept = super().keep(data)
            record_plan(other, plan, WHO)
            return kept

    found = record_plan(Slow.open(tmp_path, clock, create=True), plan, WHO)

    assert found is None
    assert len(here.plans()) == 1
