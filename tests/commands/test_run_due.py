"""`portalops run --due`, as timers call it: nothing twice, nothing judged for nothing, nothing passed over in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from commands.cli.clock import clock_step, note_clock
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs.due import JUDGED_ON, RunRequest, is_idle
from commands.jobs.run import judge_and_mark, perform_chosen, result_of
from commands.jobs.runner import record_plan
from commands.jobs.standings import overdue_jobs
from commands.jobs.validity import require_valid
from portalops.errors import ClockWentBack, ExitCode, UsageError
from portalops.ledger.claimant import draft_claim, record_writer
from portalops.ledger.heads import introduce_key
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import line_digest
from portalops.ledger.runs import record_plan as record_plan_of
from portalops.ledger.verify import verify
from portalops.model.record import Digest
from portalops.model.runs import JobKind, Plan, Resource
from portalops.model.verdicts import RunOutcome
from portalops.model.writers import Authority, LineRange, WriterEvent, WriterState
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import BootMark, SystemClock, step_between
from tests.commands.signed_home import CONFIGURATION
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import key_of
from tests.shapes import data_of

ROOT = Path(__file__).parents[2]
MORNING = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""Wednesday of 2026-W48, 09:00 in Khánh Hòa."""

JOBS = """
[[ledger.anchor]]
id = "share"
kind = "folder"
folder = "share"

[signing]
key = "keys/signing"

[[job]]
id = "nightly-anchor"
kind = "anchor"
every = "day"
at = "22:30"

[[job]]
id = "weekly-report"
kind = "report"
every = "week"
on = "monday"
"""
MORE = '[[job]]\nid = "x"\nkind = "check"\nevery = "month"\non = "last"\n'


class Portal:
    """A portal whose clock stands still between its runs."""

    def __init__(self, folder: Path) -> None:
        from portalops.config.keys import ensure_signing_key

        (folder / "share").mkdir()
        (folder / "portalops.toml").write_text(CONFIGURATION + JOBS, encoding="utf-8")
        ensure_signing_key(folder / "keys" / "signing", comment="portalops@demo")
        self.folder = folder
        self.clock = FixedClock(MORNING)

    def session(self) -> Session:
        return Session(Invocation((), self.folder / "portalops.toml"), {}, clock=self.clock)

    def is_idle(self) -> bool:
        return is_idle(self.session(), RunRequest(due_only=True))

    def run(self, *names: str, due_only: bool = True) -> Mapping[str, Any]:
        """Do what is due, as `run --due` does where it is not idle; return its data."""
        session, asked = self.session(), RunRequest(names, due_only=due_only)
        require_valid(session.settings)
        record_plan(session)
        performed = list(perform_chosen(session, asked))
        data = data_of(result_of(session, performed, judge_and_mark(session)))
        assert isinstance(data, dict)
        return data

    def at(self, day: str) -> Portal:
        """Set the clock to a local time: `2026-11-25 09:00`."""
        self.clock.at = datetime.fromisoformat(f"{day}:00+07:00").astimezone(UTC)
        return self


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    return Portal(tmp_path)


def done(data: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    return [(job["id"], job["slot"], job["late"]) for job in data["jobs"]]


def test_the_first_run_of_a_day_judges_and_those_after_it_have_nothing_to_do(portal: Portal) -> None:
    assert not portal.is_idle()
    first = portal.run()

    assert done(first) == [("weekly-report", "2026-W48", False)]
    assert first["duties"]
    assert portal.is_idle()
    assert not portal.at("2026-11-25 22:30").is_idle()
    assert done(portal.run()) == [("nightly-anchor", "2026-11-25", False)]
    assert portal.at("2026-11-25 23:59").is_idle()
    assert not portal.at("2026-11-26 00:00").is_idle()
    assert done(portal.run()) == []
    assert portal.is_idle()


def test_a_changed_configuration_is_looked_at_and_its_plan_recorded(portal: Portal) -> None:
    portal.run()
    with (portal.folder / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write(MORE)

    assert not portal.is_idle()
    portal.run()
    assert portal.is_idle()
    with (portal.folder / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write('[[backup.medium]]\nid = "x"\nkind = "floppy"\n')
    assert not portal.is_idle()


def test_a_machine_that_may_not_plan_goes_on_under_the_plan_of_one_that_may(portal: Portal) -> None:
    """`ledger enroll --accept` gives `records` by default; a plan by such a machine is a fault of the ledger."""
    session = portal.session()
    key = SigningKey.load(portal.folder / "keys" / "signing")
    introduce_key(session.writable_ledger, key)
    enrol(session.writable_ledger, key_of(7).public_key, "web1", Authority.ALL, key)
    web1 = Ledger.open(portal.folder / "state", portal.clock, create=True)
    plan = Plan(session.settings.jobs, "kh-37-2010@2026.11", Digest("a" * 64), "Asia/Ho_Chi_Minh")
    planned = record_plan_of(web1, replace(plan, rulebook=rulebook_of(session)), session.circumstances)
    assert planned is not None
    claim = draft_claim(web1, key_of(7), [LineRange(planned.seq, planned.seq, line_digest(planned.line))])
    web1.append_many((claim,))
    enrol(session.writable_ledger, session.claimant.make_key(), "web2", Authority.RECORDS, key)

    portal.run()
    same = portal.session()
    record_plan(same)
    with (portal.folder / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write(MORE)
    changed = portal.session()
    record_plan(changed)
    changed.writable_ledger.claim()

    assert [str(each) for each in same.warnings if "plan" in str(each)] == []  # its configuration has another digest
    assert [each.values["name"] for each in changed.warnings if "may not record plans" in str(each)] == ["web2"]
    assert [each.seq for each in changed.ledger.records(kinds=("plan",))] == [planned.seq]
    assert portal.is_idle()
    assert verify(changed.ledger, now=portal.clock.now(), zone=ZoneInfo("Asia/Ho_Chi_Minh")).integrity.holds


def enrol(ledger: Ledger, key: str, name: str, authority: Authority, by: SigningKey) -> None:
    record_writer(ledger, WriterEvent(ledger.id, WriterState.ADDED, key, name, authority), by)


def rulebook_of(session: Session) -> str:
    return f"{session.rulebook.id}@{session.rulebook.version}"


def test_a_mark_that_cannot_be_read_leads_to_judging(portal: Portal) -> None:
    portal.run()
    (portal.folder / "state" / JUDGED_ON).write_bytes(b"\xff\x00")

    assert not portal.is_idle()


def test_a_clock_that_went_back_is_told_also_where_nothing_is_due(portal: Portal) -> None:
    portal.run()
    portal.at("2026-11-25 08:00")

    assert not portal.is_idle()
    with pytest.raises(ClockWentBack):
        portal.run()


def test_an_unknown_job_is_refused_before_anything_else(portal: Portal) -> None:
    with pytest.raises(UsageError, match="there is no job nightly-anhcor"):
        is_idle(portal.session(), RunRequest(("nightly-anhcor",), due_only=True))


def test_after_weeks_of_silence_each_overdue_job_is_done_once_and_marked_late(portal: Portal) -> None:
    portal.run()
    portal.at("2026-11-25 22:30").run()

    found = done(portal.at("2027-01-03 09:00").run())

    assert found == [("weekly-report", "2026-W53", True), ("nightly-anchor", "2027-01-03", True)]
    assert portal.at("2027-01-03 09:15").is_idle()
    assert done(portal.at("2027-01-03 22:30").run()) == [("nightly-anchor", "2027-01-03", False)]
    assert done(portal.at("2027-01-04 00:00").run()) == [("weekly-report", "2027-W01", False)]
    ledger = Ledger.open(portal.folder / "state", portal.clock, create=False)
    ends = [(run.subject, summary.late) for run in ledger.runs() if (summary := ledger.summary(run)) is not None]
    assert [subject for subject, late in ends if late] == ["weekly-report", "nightly-anchor"]


def test_status_names_what_is_overdue(portal: Portal) -> None:
    portal.run()
    assert overdue_jobs(portal.session()) == ()

    told = overdue_jobs(portal.at("2027-01-03 09:00").session())

    assert [str(said) for said in told] == [
        "job weekly-report is overdue: it was due at 2026-12-20T17:00:00.000Z, and no complete run has started since"
    ]


def test_what_another_process_holds_is_left_out_and_the_rest_is_done(portal: Portal) -> None:
    portal.at("2026-11-25 22:30")
    other = portal.session()

    with other.hold(Resource.REPORTS, job="yearly-report"):
        data = portal.run()

    report, anchor = data["jobs"]
    assert (report["id"], report["outcome"], report["exit_code"]) == ("weekly-report", "failed", ExitCode.LOCKED)
    assert "the lock reports is held by job yearly-report, process " in report["problems"][0]
    assert anchor["outcome"] == "complete"
    assert data["exit_code"] in {ExitCode.LOCKED, ExitCode.FAILED}
    assert done(portal.run()) == [("weekly-report", "2026-W48", False)]


def test_a_job_that_another_process_did_meanwhile_is_not_done_again(portal: Portal) -> None:
    """Both looked what is due before the first of them began."""
    portal.at("2026-11-25 22:30")
    session, other = portal.session(), portal.session()
    record_plan(session)
    slow = perform_chosen(session, RunRequest(due_only=True))

    first = next(slow)
    quick = list(perform_chosen(other, RunRequest(due_only=True)))
    rest = list(slow)

    assert (first.job.id, [each.job.id for each in quick], rest) == ("weekly-report", ["nightly-anchor"], [])


@pytest.mark.parametrize("kind", list(JobKind))
def test_each_kind_of_job_works_on_one_resource(kind: JobKind) -> None:
    alone = {JobKind.CHECK, JobKind.UPDATES, JobKind.REPORT, JobKind.ANCHOR, JobKind.INVENTORY}

    sharing = [other for other in JobKind if other.resource is kind.resource]

    assert (sharing == [kind]) == (kind in alone)


def test_heavy_work_that_came_due_takes_turns_and_what_a_person_asks_for_does_not(portal: Portal) -> None:
    with (portal.folder / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write('[[job]]\nid = "monthly-inventory"\nkind = "inventory"\nevery = "month"\n')

    with portal.session().hold(Resource.TURN, job="weekly-backup"):
        (waiting,) = portal.run("monthly-inventory")["jobs"]
        (asked,) = portal.run("monthly-inventory", due_only=False)["jobs"]

    assert "the lock turn is held by job weekly-backup" in waiting["problems"][0]
    assert "no collection of content items is configured" in asked["problems"][0]


@pytest.mark.heavy
def test_processes_at_once_do_each_job_once_and_leave_a_sound_ledger(portal: Portal) -> None:
    text = (CONFIGURATION + JOBS).replace('at = "22:30"\n', "").replace('on = "monday"\n', "")
    (portal.folder / "portalops.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", "from commands.app import main; main()", "run", "--due", "--wait", "120", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PORTALOPS_LANG": "en"}

    with ExitStack() as started:
        processes = [
            started.enter_context(
                subprocess.Popen(
                    command,
                    cwd=portal.folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for _each in range(3)
        ]
        answers = [process.communicate(timeout=300) for process in processes]

    # One that started after the others had ended found nothing due and nothing to judge.
    assert {process.returncode for process in processes} <= {ExitCode.UNMET, ExitCode.PARTIAL, ExitCode.OK}, answers
    ledger = Ledger.open(portal.folder / "state", SystemClock(), create=False)
    assert sorted(run.subject for run in ledger.runs()) == ["nightly-anchor", "weekly-report"]
    assert {summary.outcome for run in ledger.runs() if (summary := ledger.summary(run))} == {RunOutcome.COMPLETE}
    assert len(ledger.plans()) == 1
    assert verify(ledger, now=SystemClock().now(), zone=ZoneInfo("Asia/Ho_Chi_Minh")).integrity.holds


class SetClock(SystemClock):
    """The machine's clock, set by so much."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def now(self) -> datetime:
        return super().now() + self.by


@pytest.mark.parametrize(("hours", "said"), [(5, "set forward by 300 minutes"), (-5, "set back by 300 minutes")])
def test_a_clock_that_was_set_is_told_once(portal: Portal, hours: int, said: str) -> None:
    state = portal.folder / "state"
    begun = timedelta(days=-40)
    note_clock(state, SetClock(begun))
    before = clock_step(state, SetClock(begun + timedelta(seconds=50)))
    told = note_clock(state, SetClock(begun + timedelta(hours=hours)))

    assert before is None
    assert said in str(told)
    assert note_clock(state, SetClock(begun + timedelta(hours=hours))) is None


def test_a_machine_that_was_booted_anew_has_no_step_to_tell(portal: Portal) -> None:
    now = SystemClock().now()
    before, after = BootMark("one", now - timedelta(days=9)), BootMark("other", now)

    assert step_between(before, after) is None
    assert step_between(before, replace(after, boot="one")) == timedelta(days=9)


def test_a_note_of_the_clock_that_is_no_note_tells_of_no_step(portal: Portal) -> None:
    (portal.folder / "state").mkdir(exist_ok=True)
    (portal.folder / "state" / "booted-at").write_bytes(b"\xffnever 2026-13-99")

    assert clock_step(portal.folder / "state", SystemClock()) is None
