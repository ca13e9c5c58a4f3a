"""How a job went is said by what it did, not by its having ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from commands.jobs.kinds.check import work_of_checks
from commands.jobs.kinds.updates import work_of_updates
from commands.jobs.performed import PerformedJob
from commands.jobs.runner import problem_lines
from portalops.errors import ExitCode
from portalops.locale import render
from portalops.model.checks import CheckScan, HostScan
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.model.updates import Poll, UpdatesResult
from portalops.model.verdicts import RunOutcome

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
POLL = Poll("db", NOW, True, "", 3, 1, None, None)
JOB = Job(JobId("daily-updates"), JobKind.UPDATES, Every.DAY)
COLLECTED = UpdatesResult((), date(2026, 11, 1), NOW.date(), "r@1", "2026.11", (), (), (), (), 0)


def test_checks_of_no_host_failed_and_a_round_without_answers_is_not_all_right() -> None:
    none = work_of_checks(CheckScan(()))
    silent = work_of_checks(CheckScan((HostScan(HostId("web1"), NOW, True, "", ()),)))

    assert (none.outcome, none.exit_code) == (RunOutcome.FAILED, ExitCode.PARTIAL)
    assert silent.exit_code == ExitCode.PARTIAL


@pytest.mark.parametrize(
    ("answered", "outcome", "code"),
    [
        ((), RunOutcome.FAILED, ExitCode.PARTIAL),
        ((False, False), RunOutcome.FAILED, ExitCode.PARTIAL),
        ((True, False), RunOutcome.INCOMPLETE, ExitCode.PARTIAL),
        ((True, True), RunOutcome.COMPLETE, ExitCode.OK),
    ],
)
def test_a_collection_that_nobody_answered_failed(
    answered: tuple[bool, ...], outcome: RunOutcome, code: ExitCode
) -> None:
    polls = tuple(replace(POLL, ok=ok, problem="" if ok else "no answer") for ok in answered)

    work = work_of_updates(replace(COLLECTED, polls=polls))

    assert (work.outcome, work.exit_code) == (outcome, code)
    assert bool(work.problems) == (False in answered or not answered)


def test_a_refused_line_does_not_undo_a_collection_but_is_not_all_right() -> None:
    polls = (replace(POLL, rejected=("line 3: ngày đến 30/02/2026 is no date",)),)

    work = work_of_updates(replace(COLLECTED, polls=polls))

    assert (work.outcome, work.exit_code) == (RunOutcome.COMPLETE, ExitCode.PARTIAL)
    assert tuple(map(str, work.problems)) == ("db: line 3: ngày đến 30/02/2026 is no date",)


def test_a_problem_names_its_source_once() -> None:
    polls = (
        POLL,
        replace(POLL, ok=False, problem="update source db: no answer"),
        replace(POLL, ok=False, problem="odd"),
    )

    assert tuple(map(str, work_of_updates(replace(COLLECTED, polls=polls)).problems)) == (
        "update source db: no answer",
        "db: odd",
    )


def test_what_failed_is_told_in_the_readers_language_and_recorded_in_english() -> None:
    named = msg(
        "update source {source}: {cause}", source="db", cause=msg("no answer within {seconds} seconds", seconds=30)
    )
    polls = (replace(POLL, ok=False, problem=named), replace(POLL, ok=False, problem=msg("the answer is truncated")))
    work = work_of_updates(replace(COLLECTED, polls=polls))
    done = PerformedJob(JOB, "2026-11-25", "r1", work.outcome, work.exit_code, 1.0, msg("x"), work.shown_problems)

    assert done.problems == ("update source db: no answer within 30 seconds", "db: the answer is truncated")
    assert [render(line, "vi") for line, _tone in problem_lines([done])] == [
        "daily-updates: nguồn cập nhật db: không có câu trả lời trong 30 giây",
        "daily-updates: db: câu trả lời bị cắt cụt",
    ]
