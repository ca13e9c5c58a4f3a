"""The duties in one line for a monitoring system: what is unknown is never OK, and silence is critical."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.cli import nagios
from commands.cli.entry import run
from commands.jobs.standings import JudgedDuties
from commands.status.views import answer_of
from portalops import bodies
from portalops.errors import ExitCode
from portalops.jobs import Attempt
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.message import msg
from portalops.model.record import Fault
from portalops.model.rulebook import DutyId
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.registers.evidence import UnreadableRecord
from tests.commands.test_backup import Portal
from tests.commands.test_report import CONFIGURATION
from tests.doubles import FixedClock
from tests.ledger.ledgers import tamper
from tests.test_jobs import DAILY, NOW, WEEKLY, ZONE, attempt

HOURLY = Job(JobId("updates"), JobKind.UPDATES, Every.HOUR)
MET, UNMET, UNKNOWN, PENDING = (
    DutyVerdict.MET,
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.PENDING,
)
GOOD = attempt(DAILY, NOW - timedelta(hours=3), RunOutcome.COMPLETE)
LATER = FixedClock(NOW)


def said(
    *verdicts: DutyVerdict,
    judged: JudgedDuties | None = None,
    jobs: Sequence[Job] = (DAILY,),
    attempts: Sequence[Attempt] = (GOOD,),
    now: datetime = NOW,
    alone: bool = False,
) -> tuple[str, str]:
    answer = answered(*verdicts, judged=judged, jobs=jobs, attempts=attempts, now=now, alone=alone)
    return answer.state, str(answer.text)


def answered(
    *verdicts: DutyVerdict,
    judged: JudgedDuties | None = None,
    jobs: Sequence[Job] = (DAILY,),
    attempts: Sequence[Attempt] = (GOOD,),
    now: datetime = NOW,
    alone: bool = False,
) -> nagios.PluginAnswer:
    standings = tuple(Standing(DutyId(f"10.{n}"), verdict, msg("x")) for n, verdict in enumerate(verdicts, 1))
    shown = judged or JudgedDuties(standings, ())
    return answer_of(shown, standings, jobs, attempts, now=now, zone=ZONE, alone=alone)


def test_all_met_and_lately_done_is_ok() -> None:
    assert said(MET, MET, PENDING) == (nagios.OK, "2 duties met, none unmet")


@pytest.mark.parametrize(
    ("verdicts", "state", "words"),
    [
        ((MET, UNMET, UNKNOWN), nagios.CRITICAL, "1 duty not met: 10.2"),
        ((MET, UNKNOWN), nagios.UNKNOWN, "1 duty without sufficient evidence: 10.2"),
        ((PENDING, DutyVerdict.NOT_ASSESSED), nagios.UNKNOWN, "no duty is shown to be met yet"),
        ((), nagios.UNKNOWN, "no duty is shown to be met yet"),
        ((DutyVerdict.EXEMPT,), nagios.UNKNOWN, "no duty is shown to be met yet"),
    ],
)
def test_an_unmet_duty_is_critical_and_an_unknown_one_never_ok(
    verdicts: tuple[DutyVerdict, ...], state: str, words: str
) -> None:
    assert said(*verdicts) == (state, words)


def test_a_changed_ledger_is_critical_before_all_else_and_an_unreadable_record_unknown() -> None:
    changed = JudgedDuties((), (), Fault(3, msg("record 3 was changed")))
    damaged = JudgedDuties((), (UnreadableRecord(3, "check", msg("it is missing"), damaged=True),))
    unreadable = JudgedDuties((), (UnreadableRecord(3, "check", msg("no right to read it")),))

    assert said(MET, judged=changed)[0] == said(MET, judged=damaged)[0] == nagios.CRITICAL
    assert said(MET, judged=unreadable) == (nagios.UNKNOWN, "1 record cannot be read")


def test_what_is_due_within_hours_is_a_warning() -> None:
    assert said(MET, judged=JudgedDuties((), (), due=(msg("incident IN-2026-1: due"),)))[0] == nagios.WARNING


@pytest.mark.parametrize(
    ("newest", "state"),
    [
        (datetime(2026, 11, 23, 17, 30, tzinfo=UTC), nagios.OK),  # 24 November, 00:30: yesterday, seen from the 25th
        (datetime(2026, 11, 23, 16, 30, tzinfo=UTC), nagios.CRITICAL),  # 23 November, 23:30: the whole 24th went by
    ],
)
def test_a_whole_slot_of_the_most_frequent_job_without_any_run_is_silence(newest: datetime, state: str) -> None:
    attempts = [attempt(DAILY, newest, RunOutcome.COMPLETE), attempt(WEEKLY, newest, RunOutcome.COMPLETE)]

    found, words = said(MET, jobs=(WEEKLY, DAILY), attempts=attempts)

    assert found == state
    assert (state == nagios.OK) or words.startswith("nothing has been done since")


def test_a_run_of_another_job_or_one_under_way_is_a_sign_of_life() -> None:
    old = attempt(HOURLY, NOW - timedelta(hours=9), RunOutcome.COMPLETE)
    fresh = attempt(DAILY, NOW - timedelta(minutes=50), RunOutcome.COMPLETE)
    long = attempt(WEEKLY, NOW - timedelta(hours=30), None, finished=False, running=True)

    assert said(MET, jobs=(HOURLY,), attempts=[old])[0] == nagios.CRITICAL
    assert said(MET, jobs=(HOURLY, DAILY), attempts=[old, fresh]) == (nagios.WARNING, "1 job fails: updates")
    assert said(MET, jobs=(HOURLY, WEEKLY), attempts=[old, long])[0] == nagios.WARNING


@pytest.mark.parametrize("outcome", [RunOutcome.FAILED, RunOutcome.INCOMPLETE, None])
def test_a_job_whose_newest_run_did_not_go_well_is_a_warning(outcome: RunOutcome | None) -> None:
    again = attempt(DAILY, NOW - timedelta(hours=1), outcome, number=2)

    assert said(MET, attempts=[GOOD, again]) == (nagios.WARNING, "1 job fails: daily-check")
    assert said(MET, UNMET, attempts=[GOOD, again])[0] == nagios.CRITICAL


def test_without_jobs_or_without_any_run_nothing_is_ok() -> None:
    assert said(MET, jobs=(), attempts=()) == (
        nagios.UNKNOWN,
        "no job is planned, so nothing shows that anything is done",
    )
    assert said(PENDING, attempts=())[0] == nagios.UNKNOWN


def test_one_duty_answers_for_itself_alone_and_for_the_ledger() -> None:
    failed = attempt(DAILY, NOW - timedelta(days=9), RunOutcome.FAILED)
    due = JudgedDuties((), (), due=(msg("incident IN-2026-1: due"),))
    changed = JudgedDuties((), (), Fault(3, msg("record 3 was changed")))

    assert said(MET, attempts=[failed], alone=True) == (nagios.OK, "1 duty met, none unmet")
    assert said(MET, judged=due, alone=True)[0] == said(MET, jobs=(), alone=True)[0] == nagios.OK
    assert said(UNKNOWN, judged=due, alone=True)[0] == nagios.UNKNOWN
    assert said(MET, judged=changed, alone=True)[0] == nagios.CRITICAL
    assert set(answered(MET, attempts=[failed], alone=True).counts) == {
        "unmet",
        "unknown",
        "pending",
        "met",
        "grave_alarms",
    }


def test_what_is_not_known_has_no_figure() -> None:
    of_duties = {"unmet", "unknown", "pending", "met", "grave_alarms"}

    assert set(answered(MET, jobs=()).counts) == {*of_duties, "last_run_age"}, "no job is planned"
    assert set(answered(MET, attempts=()).counts) == of_duties, "no job was ever done"
    assert set(answered().counts) == {"failing_jobs", "last_run_age"}, "no duty was judged"


# --- on the command line --------------------------------------------------------------------------


def plugin(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(["--config", str(home / "portalops.toml"), "--lang", "en", "status", "--nagios", *arguments], {})
    shown = capsys.readouterr()
    assert shown.out.count("\n") == 1 and not shown.err
    return code, shown.out.rstrip("\n")


def test_the_line_has_the_duties_and_the_age_of_the_newest_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portal = Portal(tmp_path, capsys)
    portal.call("backup", "run")

    code, line = plugin(tmp_path, capsys)

    text, _bar, figures = line.partition(" | ")
    assert code in {2, 3} and text.startswith(("PORTALOPS CRITICAL - ", "PORTALOPS UNKNOWN - "))
    names = [each.partition("=")[0] for each in figures.split(" ")]
    assert names == ["unmet", "unknown", "pending", "met", "failing_jobs", "grave_alarms", "last_run_age"]
    assert int(figures.rpartition("last_run_age=")[2].removesuffix("s;;;0")) < 600
    assert plugin(tmp_path, capsys, "10.2-content")[0] == 0
    ledger = Ledger.open(tmp_path / "state", FixedClock(datetime.now(UTC)), create=False)
    changed = "CAST(replace(CAST(line AS TEXT), 'weekly-backup', 'weekly-backuq') AS BLOB)"
    tamper(ledger, f"UPDATE record SET line = {changed} WHERE kind = 'backup.started'")
    assert plugin(tmp_path, capsys)[1].startswith("PORTALOPS CRITICAL - the ledger was changed")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "PO1002"),
        ("portal = 1", "PO1001"),
        (CONFIGURATION, "PO1102"),
        (f'{CONFIGURATION}\n[[backup.medium]]\nid = "a"\nkind = "no-such"\n', "PO1008"),
    ],
)  # fmt: skip
def test_no_ledger_and_a_wrong_configuration_are_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, code: str
) -> None:
    if text is not None:
        (tmp_path / "portalops.toml").write_text(text, encoding="utf-8")

    assert plugin(tmp_path, capsys)[0] == 3
    assert plugin(tmp_path, capsys)[1].startswith(f"PORTALOPS UNKNOWN - error {code}: ")


def test_a_clock_behind_the_newest_record_is_never_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portal = Portal(tmp_path, capsys)
    portal.call("backup", "run")
    assert plugin(tmp_path, capsys, "10.2-content")[0] == 0
    ahead = FixedClock(datetime.now(UTC) + timedelta(hours=2))
    Ledger.open(tmp_path / "state", ahead, create=True).append("note", run=NO_RUN, body=b"{}")

    code, line = plugin(tmp_path, capsys, "10.2-content")

    assert (code, line.partition(":")[0]) == (3, "PORTALOPS UNKNOWN - error PO1103")


def test_a_ledger_that_goes_on_elsewhere_is_never_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Portal(tmp_path, capsys).call("backup", "run")
    assert plugin(tmp_path, capsys, "10.2-content")[0] == 0
    moved = bodies.write({"moved": {"from": "file", "head": "0" * 64, "records": 1, "to": "postgresql:cong"}})
    ledger = Ledger.open(tmp_path / "state", FixedClock(datetime.now(UTC)), create=True)
    ledger.append("ledger.moved", run=NO_RUN, body=moved)

    code, line = plugin(tmp_path, capsys, "10.2-content")

    assert (code, line.partition(":")[0]) == (3, "PORTALOPS UNKNOWN - error PO1101")


def test_a_duty_that_there_is_not_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Portal(tmp_path, capsys).call("backup", "run")

    assert plugin(tmp_path, capsys, "10.9-nothing")[0] == 3
    assert run(["--config", str(tmp_path / "portalops.toml"), "--json", "status", "--nagios"], {}) == ExitCode.USAGE
